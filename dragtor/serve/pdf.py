"""Pages of PDFs, and pictures, over HTTP: as PNG, and where a stretch of a document's text stands.

Owns how a page becomes a PNG, and which pictures are kept. Knows neither how a text is found on a
page nor where an original comes from.
"""

from __future__ import annotations

import struct
import zlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict
from threading import Lock
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from dragtor.errors import UsageError
from dragtor.serve.originals import pdf_bytes, picture_bytes
from dragtor.serve.pictures import picture_png
from dragtor.serve.quote_rects import (
    PageLine,
    PageRects,
    opened_pdf,
    page_lines,
    picture_lines,
    picture_rects,
    quote_rects,
)
from dragtor.serve.rest import opened_document
from dragtor.types import Document

if TYPE_CHECKING:
    from dragtor.serve.state import Server

KEPT_PICTURES = 64
PIXELS_A_POINT = 2.0  # for screens that have two where others have one
MAX_PAGE_PIXELS = 8_000_000  # larger pages are drawn smaller
_COMPRESSION = 3  # of zlib: quick; a page of text is nearly as small as with 9
_DOCUMENT = "/api/v1/documents/{id}"


def routes(server: Server) -> list[BaseRoute]:
    """Pictures of pages, their lines of text, and the rectangles of `?start=&end=`."""

    def original(document: Document) -> bytes:
        read = picture_bytes if "size" in document.meta else pdf_bytes
        return read(server.path, document)

    pages = PdfPages(original)

    def picture(request: Request) -> Response:
        with opened_document(server, request.path_params["id"]) as (_, document):
            drawn = pages.picture(document, request.path_params["page"])
        kept = {"cache-control": "private, max-age=600"}
        return Response(drawn, media_type="image/png", headers=kept)

    def rects(request: Request) -> Response:
        start, end = (_character(request, name) for name in ("start", "end"))
        with opened_document(server, request.path_params["id"]) as (_, document):
            return JSONResponse([asdict(each) for each in pages.rects(document, start, end)])

    def lines(request: Request) -> Response:
        with opened_document(server, request.path_params["id"]) as (_, document):
            found = pages.lines(document, request.path_params["page"])
        return JSONResponse({"lines": [asdict(each) for each in found]})

    return [
        Route(f"{_DOCUMENT}/pages/{{page:int}}/lines", lines, methods=["GET"]),
        Route(f"{_DOCUMENT}/pages/{{page:int}}.png", picture, methods=["GET"]),
        Route(f"{_DOCUMENT}/rects", rects, methods=["GET"]),
    ]


def _character(request: Request, name: str) -> int:
    given = request.query_params.get(name, "")
    if not given.isascii() or not given.isdigit():
        raise UsageError(f"{name!r} is missing, or no number of a character")
    return int(given[:12])


class PdfPages:
    """What is shown of PDFs and pictures. `original` gives the bytes that a document was read from.

    Any thread may call it; pdfium works for one at a time.
    """

    def __init__(self, original: Callable[[Document], bytes]) -> None:
        self._original = original
        self._lock = Lock()
        self._pictures: OrderedDict[tuple[str, str, int], bytes] = OrderedDict()

    def picture(self, document: Document, page: int) -> bytes:
        """A page, counted from 1, as PNG. Raises UsageError where there is none, and LoadError."""
        key = (document.id, str(document.meta.get("stamp", "")), page)
        with self._lock:
            if key in self._pictures:
                self._pictures.move_to_end(key)
                return self._pictures[key]
        drawn = self._drawn(document, page)
        with self._lock:
            self._pictures[key] = drawn
            if len(self._pictures) > KEPT_PICTURES:
                self._pictures.popitem(last=False)
        return drawn

    def _drawn(self, document: Document, page: int) -> bytes:
        data = self._bytes(document)
        if "size" not in document.meta:
            return page_png(data, page)
        turned = document.meta.get("turned") or []
        return picture_png(data, page, turned[page - 1] if 0 < page <= len(turned) else 0)

    def rects(self, document: Document, start: int, end: int) -> list[PageRects]:
        """Where `text[start:end]` stands; see `quote_rects`. Raises UsageError and LoadError."""
        if not 0 <= start < end <= len(document.text):
            raise UsageError(f"{start}:{end} is no stretch of {document.title}")
        if "size" in document.meta:  # of a picture
            return picture_rects(document, start, end)
        return quote_rects(self._bytes(document), document, start, end)

    def lines(self, document: Document, page: int) -> list[PageLine]:
        """What is written on a page; see `page_lines`. Raises UsageError and LoadError."""
        if "size" in document.meta:
            return picture_lines(document, page)
        return page_lines(self._bytes(document), page)

    def _bytes(self, document: Document) -> bytes:
        if document.meta.get("suffix") != ".pdf" and "size" not in document.meta:
            raise UsageError(f"{document.title} is no PDF")
        return self._original(document)


def page_png(data: bytes, page: int) -> bytes:
    """A page of a PDF, counted from 1, as PNG. Raises UsageError where there is no such page."""
    with opened_pdf(data) as pdf:
        if not 1 <= page <= len(pdf):
            raise UsageError(f"there is no page {page}", f"pages: 1 to {len(pdf)}")
        sheet = pdf[page - 1]
        width, height = sheet.get_size()
        scale = min(PIXELS_A_POINT, (MAX_PAGE_PIXELS / max(1.0, width * height)) ** 0.5)
        bitmap = sheet.render(scale=scale, rev_byteorder=True)
        size, stride, pixels = (bitmap.width, bitmap.height), bitmap.stride, bytes(bitmap.buffer)
    return _png(pixels, *size, stride)


def _png(pixels: bytes, width: int, height: int, stride: int) -> bytes:
    """Rows of RGB, a byte each, `stride` bytes from one to the next, as PNG (RFC 2083)."""
    rows = (pixels[at : at + 3 * width] for at in range(0, height * stride, stride))
    unfiltered = b"".join(b"\0" + row for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(unfiltered, _COMPRESSION)), (b"IEND", b""))
    chunks = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
