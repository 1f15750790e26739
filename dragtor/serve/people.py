"""People over HTTP: who is in the library, what was found out about them, a picture that was sent.

Shapes are schema.py's. What takes long is a task; see people_tasks.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dragtor import schema
from dragtor.errors import UsageError
from dragtor.serve.pictures import picture_png
from dragtor.serve.uploads import upload_path

if TYPE_CHECKING:
    from dragtor.serve.state import Server

_API = "/api/v1"
QUARTER_TURNS = ("90", "180", "270")  # degrees clockwise, that a picture was turned to be read


def routes(server: Server) -> list[BaseRoute]:
    """`/people`, `/people/NAME`, `/dossiers`, and `/uploads/ID/picture?turned=`."""

    def people(request: Request) -> Response:
        name = request.path_params.get("name", "")
        with server.library() as library:
            try:
                found = library.people(name) if library.exists() else []
            except UsageError:  # no names were looked for yet
                found = []
            return JSONResponse(schema.people_json(found))

    def dossiers(request: Request) -> Response:
        with server.library() as library:
            found = [schema.dossier_json(each) for each in library.dossiers()]
        return JSONResponse({"dossiers": found})

    def picture(request: Request) -> Response:
        path = upload_path(server.uploads, request.path_params["id"])
        turned = request.query_params.get("turned", "0")
        drawn = picture_png(path.read_bytes(), 1, int(turned) if turned in QUARTER_TURNS else 0)
        return Response(drawn, media_type="image/png")

    return [
        Route(f"{_API}/people", people, methods=["GET"]),
        Route(f"{_API}/people/{{name:path}}", people, methods=["GET"]),
        Route(f"{_API}/dossiers", dossiers, methods=["GET"]),
        Route(f"{_API}/uploads/{{id}}/picture", picture, methods=["GET"]),
    ]
