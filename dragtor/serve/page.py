"""Serves the page: the files beside this module, read and packed once, each with its exact type.

Owns which files are given out and how they are cached; headers that guard are guard.py's, and what
the page shows is the page's.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dragtor.serve.bundle import bundle

if TYPE_CHECKING:
    from dragtor.serve.state import Server

PAGE_FOLDER = Path(__file__).with_name("page")
INDEX = "index.html"
ENTRY = "app.js"
GZIP_BITS = 31  # zlib's largest window, and gzip's header
MEDIA_TYPES = {  # all that is given out; what has another suffix is not
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_LEFT_OUT = {
    ".js": ((r"(?m)^[ \t]*//.*\n", ""), (r"(?m)^[ \t]+", "")),
    ".css": (
        (r"(?s)/\*.*?\*/\s*", ""),
        (r"\s*([{};,])\s*", r"\1"),
        (r"(?<=[\w-]):\s+", ":"),
        (r";\}", "}"),
    ),
}
WELCOME = {"message": "Welcome to the API"}  # what the seed's server answers to GET /


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file as it is sent, and packed; `etag` is of its content."""

    body: bytes
    packed: bytes
    media_type: str
    etag: str


def page_files(folder: Path = PAGE_FOLDER) -> dict[str, PageFile]:
    """Every file of the page by its path from the folder: no path of a request touches the disk.

    The modules of our own are one file, see `bundle`; what others wrote comes as it was published.
    """
    texts = {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in MEDIA_TYPES
    }
    own = {name: texts.pop(name) for name in list(texts) if _is_own_module(name)}
    texts[ENTRY] = bundle({name: as_sent(text, ".js") for name, text in own.items()}, ENTRY)
    return {
        name: _page_file(as_sent(text, Path(name).suffix) if "/" not in name else text, name)
        for name, text in texts.items()
    }


def _is_own_module(name: str) -> bool:
    return name.endswith(".js") and "/" not in name


def _page_file(text: str, name: str) -> PageFile:
    body = text.encode()
    etag = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'  # weak: of the content, packed or not
    packing = zlib.compressobj(9, wbits=GZIP_BITS, memLevel=9)
    packed = packing.compress(body) + packing.flush()
    return PageFile(body, packed, MEDIA_TYPES[Path(name).suffix], etag)


def as_sent(text: str, suffix: str) -> str:
    """A file as it travels: what only its readers need stays here.

    That is comments with lines of their own and indents in JS, in CSS all comments and spaces.
    """
    for pattern, instead in _LEFT_OUT.get(suffix, ()):
        text = re.sub(pattern, instead, text)
    return text


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
    """The file, packed where that is taken; or that the browser's copy is the same."""
    varies = "Accept, Accept-Encoding"
    headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Vary": varies}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    if not re.search(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))", _encodings(request)):
        return Response(file.body, media_type=file.media_type, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(file.packed, media_type=file.media_type, headers=headers)


def _encodings(request: Request) -> str:
    return request.headers.get("accept-encoding", "").lower()
