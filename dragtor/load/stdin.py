"""Texts that come as bytes, such as standard input: each a source of its own, named by its hash.

Knows neither where they come from nor what their bytes mean.
"""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Callable
from dataclasses import replace

from dragtor.errors import LoadError
from dragtor.load.base import OnceLoader
from dragtor.types import Document, Source, short_hash

TITLE_LENGTH = 60


class StdinLoader(OnceLoader):
    """Sources that are read once, see `document_of`: what came is in the library, nowhere else."""

    kind = "stdin"

    def read(self, uri: str, *, refresh: bool = False, before: Document | None = None) -> Document:
        """Raises LoadError."""
        raise LoadError(f"{uri} was read once, and cannot be read again")


def address_of(data: bytes) -> str:
    """What the source and the document of these bytes are called."""
    return f"{StdinLoader.kind}:{hashlib.sha256(data).hexdigest()[:16]}"


def document_of(data: bytes, read_bytes: Callable[[bytes, str, str], Document]) -> Document:
    """The document in `data`, named by its own title or its first words; raises LoadError."""
    document = read_bytes(data, address_of(data), "")
    if document.title not in ("", StdinLoader.kind):
        return document
    return replace(document, title=textwrap.shorten(document.text, TITLE_LENGTH, placeholder="…"))


def source_of_document(document: Document) -> Source:
    """The source that holds this document alone."""
    kind = StdinLoader.kind
    return Source(short_hash(kind, document.uri), document.uri, kind, document.title)
