"""Which files are pictures, and what a document has of one: the words that an OCR engine reads.

Knows suffixes, content types and how such files begin. Who reads them is handed in.
"""

from __future__ import annotations

from dragtor.errors import LoadError, Missing
from dragtor.load.text import Content, Refused
from dragtor.pictures import IMAGE, PictureReader, is_heif, picture_facts

PICTURE = "picture"  # what file.py calls all of these
PICTURE_SUFFIXES = frozenset(
    ".png .jpg .jpeg .jfif .webp .tif .tiff .gif .bmp .avif .heic .heif".split()
)
PICTURE_TYPES = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/tiff": "tif",
    "image/gif": "gif",
    "image/bmp": "bmp",
    "image/avif": "avif",
    "image/heic": "heic",
    "image/heif": "heif",
}
_BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "png",
    b"\xff\xd8\xff": "jpg",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"II*\0": "tif",
    b"MM\0*": "tif",
}
_AVIF_BRANDS = (b"avif", b"avis")


def picture_kind(data: bytes) -> str:
    """Which kind of picture begins so, as its suffix without the dot; empty for none."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp":
        return "avif" if data[8:12] in _AVIF_BRANDS else "heic" if is_heif(data) else ""
    return next((kind for start, kind in _BEGINNINGS.items() if data.startswith(start)), "")


def read_picture(data: bytes, name: str, reader: PictureReader | None) -> Content:
    """Its words, with a segment and a box for each line.

    Raises Refused where nothing is there to read it, LoadError (opens with `name`) on a picture
    that cannot be read or has no words.
    """
    if reader is None:
        raise Refused("is a picture, and nothing here reads pictures")
    try:
        found = reader.read_file(data, name)
        version = reader.version
    except Missing as error:
        failure = LoadError(f"{name} is a picture, and {error}", error.hint)
        failure.exit_code = error.exit_code
        raise failure from error
    return Content(
        found.text, segments=found.segments, kind=IMAGE, meta=picture_facts(found, version)
    )
