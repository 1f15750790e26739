"""The library over HTTP: sources, documents, search, jobs, uploads, calendar files, settings.

Shapes are schema.py's; documents are known by their ids, never by a path. Knows no model.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dragtor import schema
from dragtor.config import models_path
from dragtor.errors import UsageError
from dragtor.serve.arguments import text_argument
from dragtor.serve.keys import CODE_LIFE_S, OWNER, TICKET_LIFE_S
from dragtor.serve.originals import sound_file
from dragtor.serve.uploads import receive_upload, remove_upload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragtor.library import Library
    from dragtor.schema import Json
    from dragtor.serve.state import Server
    from dragtor.types import Document

_API = "/api/v1"
MOST_HITS = 100
_EVENT_OPTIONS = {"now": str, "tz": str, "locale": str, "day_first": bool}
_Endpoint = Callable[..., Any]


def routes(server: Server) -> list[BaseRoute]:
    """All under /api/v1 but the pages of a PDF and the websocket."""

    def route(method: str, path: str, endpoint: _Endpoint) -> Route:
        return Route(f"{_API}{path}", partial(_answer, server, endpoint), methods=[method])

    return [
        route("GET", "/sources", _sources),
        route("DELETE", "/sources/{id}", _remove_source),
        route("GET", "/documents", _documents),
        route("GET", "/documents/{id}", _document),
        route("POST", "/documents/{id}/speakers", _name_speakers),
        route("GET", "/tags", _tags),
        route("POST", "/tickets", _ticket),
        route("GET", "/media/{id}", _media),
        route("GET", "/search", _search),
        route("GET", "/jobs", _jobs),
        route("DELETE", "/jobs/{id}", _remove_job),
        route("POST", "/jobs/{id}/cancel", _cancel_job),
        route("POST", "/jobs/{id}/resume", _resume_job),
        Route(f"{_API}/uploads/{{name:path}}", partial(_upload, server), methods=["PUT"]),
        route("POST", "/events.ics", _calendar_file),
        route("GET", "/models", _models),
        route("GET", "/settings", _settings),
        route("POST", "/pair", _pair),
        route("POST", "/pairing", _new_code),
        route("GET", "/devices", _devices),
        route("DELETE", "/devices/{id}", _revoke),
    ]


async def _answer(server: Server, endpoint: _Endpoint, request: Request) -> Response:
    """What an endpoint gives, run in a thread; a dict or a list is sent as JSON."""
    given = await _given(request) if request.method == "POST" else {}
    found = await run_in_threadpool(endpoint, server, request, given)
    return found if isinstance(found, Response) else JSONResponse(found)


async def _given(request: Request) -> Json:
    """The JSON object of a body; an empty one is {}."""
    try:
        given = json.loads(await request.body() or b"{}")
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        raise UsageError("the body is no JSON object")
    return given


def _unknown(what: str) -> HTTPException:
    return HTTPException(404, f"there is no such {what}")


@contextmanager
def opened_document(server: Server, document_id: str) -> Iterator[tuple[Library, Document]]:
    """A library, and one document of it by its whole id; raises HTTPException where it is not."""
    with server.library() as library:
        found = library.document(document_id) if library.exists() else None
        if found is None:
            raise _unknown("document")
        yield library, found


def _check_source(library: Library, source_id: str) -> None:
    """A source's whole id is wanted; raises HTTPException for another."""
    if source_id not in [each.id for each in library.sources()]:
        raise _unknown("source")


# The library


def _sources(server: Server, request: Request, given: Json) -> Json:
    """Everything added."""
    with server.library() as library:
        return schema.sources_json(library.holdings())


def _remove_source(server: Server, request: Request, given: Json) -> Json:
    """Remove a source, all trace of what only it held, and its file if it was sent here."""
    source_id = request.path_params["id"]
    with server.writing() as library:
        _check_source(library, source_id)
        gone = library.remove(source_id)
    if gone.uri.startswith("/"):  # of a file: its path
        remove_upload(server.uploads, Path(gone.uri))
    return {"removed": gone.id}


def _documents(server: Server, request: Request, given: Json) -> Json:
    """Facts on each document, of one source if it is named."""
    source_id = request.query_params.get("source", "")
    with server.library() as library:
        if source_id:
            _check_source(library, source_id)
        return schema.documents_json(library.documents(source_id))


def _document(server: Server, request: Request, given: Json) -> Json:
    """One document with its text."""
    with opened_document(server, request.path_params["id"]) as (_, found):
        return schema.document_json(found)


def _name_speakers(server: Server, request: Request, given: Json) -> Json:
    """Say who speaks, by label; an empty name takes one back."""
    names = given.get("names")
    if not isinstance(names, dict) or not all(isinstance(each, str) for each in names.values()):
        raise UsageError("'names' is missing, or no object of labels with names")
    with opened_document(server, request.path_params["id"]) as (_, found):
        pass
    with server.writing() as library:
        return schema.speakers_json(library.name_speakers(found.id, names))


def _tags(server: Server, request: Request, given: Json) -> Json:
    """Whom and what the library talks about; nothing where no names were looked for yet."""
    with server.library() as library:
        try:
            return schema.entities_json(library.tags() if library.exists() else [])
        except UsageError:
            return schema.entities_json([])


def _ticket(server: Server, request: Request, given: Json) -> Json:
    """What opens the pages and the sound of a document where no header can be sent."""
    with opened_document(server, text_argument(given, "document")) as (_, found):
        made = server.guard.keys.ticket(found.id)
    return {"ticket": made, "seconds": TICKET_LIFE_S}


def _media(server: Server, request: Request, given: Json) -> Response:
    """The sound of a recording that is a file here, whole or a range of its bytes."""
    with opened_document(server, request.path_params["id"]) as (_, found):
        path, kind = sound_file(found)
    return FileResponse(path, media_type=kind, headers={"cache-control": "private, max-age=600"})


def _search(server: Server, request: Request, given: Json) -> Json:
    """The best passages for q, k of them."""
    from dragtor.store import Filters

    asked = request.query_params
    k = asked.get("k", "0")
    if not k.isascii() or not k.isdigit() or int(k[:9]) > MOST_HITS:
        raise UsageError(f"k is a number from 0 (as configured) to {MOST_HITS}")
    filters = Filters(**{each.name: asked.get(each.name, "") for each in fields(Filters)})
    query = asked.get("q", "")
    with server.library() as library:
        return schema.hits_json(query, library.search(query, k=int(k), filters=filters))


def _calendar_file(server: Server, request: Request, given: Json) -> Response:
    """The events of a text as a calendar file."""
    from dragtor.events import ics

    options = {name: given[name] for name in _EVENT_OPTIONS if given.get(name) is not None}
    for name, value in options.items():
        if not isinstance(value, _EVENT_OPTIONS[name]):
            raise UsageError(f"{name!r} is no {_EVENT_OPTIONS[name].__name__}")
    with server.library() as library:
        events = library.extract_events(text_argument(given, "text"), **options)
    if not any(event.start for event in events):
        raise UsageError("no event with a date in this text")
    headers = {"content-disposition": 'attachment; filename="events.ics"'}
    return Response(ics.calendar(events), media_type="text/calendar", headers=headers)


async def _upload(server: Server, request: Request) -> Response:
    """A file, streamed to the disk."""
    name = request.path_params["name"]
    received = await receive_upload(server.uploads, name, request.stream())
    told = {"upload": received.id, "name": received.name, "bytes": received.bytes}
    return JSONResponse(told, 201)


def _models(server: Server, request: Request, given: Json) -> Json:
    """The models that can be had, and which are here."""
    from dragtor.models import known_states

    folder = models_path(server.config.models)
    return schema.models_json(folder, known_states(folder))


def _settings(server: Server, request: Request, given: Json) -> Json:
    """Every setting in force; keys and tokens are no settings."""
    found: Json = json.loads(json.dumps(asdict(server.config)))
    return found


# Jobs


def _jobs(server: Server, request: Request, given: Json) -> Json:
    """All jobs, newest first."""
    return {"jobs": [asdict(row) for row in server.jobs.rows()]}


def _remove_job(server: Server, request: Request, given: Json) -> Json:
    """Forget a job that is over."""
    server.jobs.remove(request.path_params["id"])
    return {"removed": request.path_params["id"]}


def _cancel_job(server: Server, request: Request, given: Json) -> Json:
    """Ask a job to stop."""
    server.jobs.cancel(request.path_params["id"])
    return {"cancelled": request.path_params["id"]}


def _resume_job(server: Server, request: Request, given: Json) -> Json:
    """Run a job again that was interrupted."""
    return asdict(server.jobs.resume(request.path_params["id"]))


# Devices


def _pair(server: Server, request: Request, given: Json) -> Json:
    """A token for a device that knows the code; asked without any token."""
    name = given.get("name") or request.headers.get("user-agent", "")
    return {"token": server.guard.keys.pair(text_argument(given, "code"), str(name))}


def _new_code(server: Server, request: Request, given: Json) -> Json:
    """A new code, which pairs one device."""
    _owner_only(request)
    return {"code": server.guard.keys.new_code(), "seconds": int(CODE_LIFE_S)}


def _devices(server: Server, request: Request, given: Json) -> Json:
    """All paired devices."""
    _owner_only(request)
    known = server.guard.keys.devices()
    return {"devices": [{"id": d.id, "name": d.name, "paired": d.paired} for d in known]}


def _revoke(server: Server, request: Request, given: Json) -> Json:
    """Let a device in no more."""
    _owner_only(request)
    if not server.guard.keys.revoke(request.path_params["id"]):
        raise _unknown("device")
    return {"removed": request.path_params["id"]}


def _owner_only(request: Request) -> None:
    if request.scope["state"]["client"] != OWNER:
        raise HTTPException(403, "only on the machine that serves")
