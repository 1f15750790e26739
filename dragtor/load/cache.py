"""The cache of raw pages beside the library: one file an address, checked by its hash.

Knows nothing of what a page says or where it came from.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from dragtor.types import Reporter, short_hash


@dataclass(frozen=True, slots=True)
class Page:
    """What is cached of one address, by the names that its file has."""

    reader: str  # jina (body: the reply's fields as JSON) or local (body: as served)
    url: str  # after redirects
    body: bytes
    stamp: str  # SHA-256 of `body`
    content_type: str = ""
    etag: str = ""
    modified: str = ""  # Last-Modified, as served

    @property
    def conditions(self) -> dict[str, str]:
        """Headers that ask for it only if it has changed; none where nothing tells."""
        told = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in told.items() if value}


class PageCache:
    """One file an address: a line of JSON, then the body. A damaged file counts as absent."""

    def __init__(self, folder: Path, reporter: Reporter) -> None:
        self._folder = folder
        self._reporter = reporter
        self._told = False

    def _path(self, key: str) -> Path:
        return self._folder / f"{short_hash(key)}.page"

    def load(self, key: str) -> Page | None:
        """What was saved under `key`; None where it is absent or damaged."""
        try:
            head, _, body = self._path(key).read_bytes().partition(b"\n")
            page = Page(body=body, **json.loads(head))
        except (OSError, ValueError, TypeError):
            return None
        return page if page.stamp == bytes_hash(body) else None

    def drop(self, key: str) -> None:
        """Forget `key`."""
        self._path(key).unlink(missing_ok=True)

    def save(self, key: str, page: Page) -> None:
        """Write whole or not at all; a folder that cannot be written costs one line, once."""
        head = {name: value for name, value in asdict(page).items() if name != "body"}
        path = self._path(key)
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(json.dumps(head).encode() + b"\n" + page.body)
            part.replace(path)
        except OSError as error:
            with suppress(OSError):
                part.unlink()
            if not self._told:
                self._told = True
                self._reporter.note(f"pages are not cached: {error.strerror}: {self._folder}")


def bytes_hash(data: bytes) -> str:
    """SHA-256 of `data`, in hex."""
    return hashlib.sha256(data).hexdigest()
