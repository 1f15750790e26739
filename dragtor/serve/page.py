"""Serves the page: the files beside this module, read once, each with its exact type.

Owns which files are given out and how they are cached; headers that guard are guard.py's, and what
the page shows is the page's.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

if TYPE_CHECKING:
    from dragtor.serve.state import Server

PAGE_FOLDER = Path(__file__).with_name("page")
INDEX = "index.html"
MEDIA_TYPES = {  # all that is given out; what has another suffix is not
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
WELCOME = {"message": "Welcome to the API"}  # what the seed's server answers to GET /


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file as it is sent; `etag` is of its content."""

    body: bytes
    media_type: str
    etag: str


def page_files(folder: Path = PAGE_FOLDER) -> dict[str, PageFile]:
    """Every file of the page by its path from the folder: no path of a request touches the disk."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (kind := MEDIA_TYPES.get(path.suffix)):
            body = path.read_bytes()
            if path.parent == folder:  # others' come as they were published
                body = without_comments(body.decode(), path.suffix).encode()
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            files[path.relative_to(folder).as_posix()] = PageFile(body, kind, etag)
    return files


def without_comments(text: str, suffix: str) -> str:
    """A file as it travels: comments that have lines of their own in JS, all of CSS, stay here."""
    pattern = {".js": r"(?m)^[ \t]*//.*\n", ".css": r"(?s)/\*.*?\*/\s*"}.get(suffix)
    return re.sub(pattern, "", text) if pattern else text


def routes(server: Server) -> list[BaseRoute]:
    """The page at `/`, its files under `/page/`; a client that asks for JSON is welcomed in it."""
    files = page_files()

    async def index(request: Request) -> Response:
        wanted = request.headers.get("accept", "")
        if "application/json" in wanted and "text/html" not in wanted:
            return JSONResponse(WELCOME, headers={"Vary": "Accept"})
        return _sent(request, files[INDEX])

    async def file(request: Request) -> Response:
        found = files.get(request.path_params["name"])
        return _sent(request, found) if found else Response(status_code=404)

    async def icon(request: Request) -> Response:
        return _sent(request, files["icon.svg"])

    return [
        Route("/", index),
        Route("/favicon.ico", icon),
        Route("/page/{name:path}", file),
    ]


def _sent(request: Request, file: PageFile) -> Response:
    """The file, or that the browser's copy is the same."""
    headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Vary": "Accept"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)
