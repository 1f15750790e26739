"""What a document was made of: the bytes of a PDF or a picture, the file of a recording.

Only these three: originals of pages are never given out. Knows files and the cache, no request.
"""

from __future__ import annotations

import stat
from pathlib import Path

from dragtor.errors import LoadError, UsageError
from dragtor.load.cache import PageCache, bytes_hash
from dragtor.load.file import file_path
from dragtor.load.picture import picture_kind
from dragtor.loading import CACHE
from dragtor.types import SILENT, Document

MEDIA_TYPES_BY_SUFFIX = {  # what browsers play; nothing else is given out as it is
    ".aac": "audio/aac",
    ".flac": "audio/flac",
    ".m4a": "audio/mp4",
    ".m4b": "audio/mp4",
    ".m4v": "video/mp4",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp3": "audio/mpeg",
    ".mp4": "video/mp4",
    ".oga": "audio/ogg",
    ".ogg": "audio/ogg",
    ".ogv": "video/ogg",
    ".opus": "audio/ogg",
    ".wav": "audio/wav",
    ".webm": "video/webm",
}


def pdf_bytes(folder: Path, document: Document) -> bytes:
    """The PDF that a document of the library in `folder` was read from.

    Raises LoadError where it is gone, or not the one that was read.
    """
    data = _bytes(folder, document)
    if not data.startswith(b"%PDF-") or bytes_hash(data) != document.meta.get("stamp"):
        raise LoadError(f"the PDF of {document.title} is not here as it was read", "dragtor sync")
    return data


def picture_bytes(folder: Path, document: Document) -> bytes:
    """The picture that a document was read from; raises LoadError as `pdf_bytes` does."""
    data = _bytes(folder, document)
    if not picture_kind(data) or bytes_hash(data) != document.meta.get("stamp"):
        told = f"the picture of {document.title} is not here as it was read"
        raise LoadError(told, "dragtor sync")
    return data


def _bytes(folder: Path, document: Document) -> bytes:
    """Of a file, or of what is kept of the web; empty where nothing is."""
    if document.uri.startswith("file://"):
        return _regular(document).read_bytes()
    page = PageCache(folder / CACHE, SILENT).load(document.uri)
    return page.body if page else b""


def sound_file(document: Document) -> tuple[Path, str]:
    """The file of a recording and its media type; raises UsageError where nothing can be played."""
    kind = MEDIA_TYPES_BY_SUFFIX.get(Path(document.uri).suffix.lower())
    if kind is None or not document.is_recording or not document.uri.startswith("file://"):
        raise UsageError(f"{document.title} has no sound here", "open its address")
    return _regular(document), kind


def _regular(document: Document) -> Path:
    """The file behind a document, links followed; raises LoadError for what is none."""
    path = file_path(document.uri)
    try:
        path = path.resolve(strict=True)
        if stat.S_ISREG(path.stat().st_mode):
            return path
    except (OSError, RuntimeError):
        pass
    raise LoadError(f"the file of {document.title} is gone", "dragtor sync")
