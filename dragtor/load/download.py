"""Large files from the web into a folder, in parts that outlive a kill, whole or not at all.

Owns resuming and the checks of size; which addresses may be asked, redirects and retries belong
to http. Knows nothing of feeds or of sound.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

from dragtor.errors import LibraryError, LoadError
from dragtor.load.address import shown
from dragtor.load.http import Fetcher, Reply
from dragtor.types import SILENT, Reporter, short_hash

SLOWEST_BYTES_S = 1_000  # a slower download is given up; its part is kept
STALL_S = 60.0  # over which that is judged
TELL_BYTES = 1 << 20  # between two calls of the reporter
UNTYPED = ("", "application/octet-stream", "binary/octet-stream", "application/force-download")
RESUMES = "the part is kept; the next run goes on from there"
ANEW = "the next run begins anew"
CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)$")


@dataclass(frozen=True, slots=True)
class _Saved:
    """What is known of a file or its part: to resume it, or to ask whether it has changed."""

    url: str
    etag: str = ""
    modified: str = ""
    size: int = 0  # bytes in all; 0: not told

    @property
    def validator(self) -> str:
        """What `If-Range` takes: a strong ETag, else the date; empty: no part can be resumed."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


def download(
    fetcher: Fetcher,
    url: str,
    folder: Path,
    *,
    bytes_expected: int = 0,
    types: tuple[str, ...] = (),
    max_mb: int = 2000,
    refresh: bool = False,
    label: str = "",
    reporter: Reporter = SILENT,
) -> Path:
    """The file at `url`, in `folder` under a name made of the address.

    A part of it that is there is completed if the server can; a whole one is taken as it is, and
    with `refresh` asked for again only if it changed. `types` are beginnings of content types
    that are taken ("audio/"), all if empty; a response without a real type passes.
    `reporter` hears of the bytes under `label`; `bytes_expected` is a guess for it where the
    server tells no size. Where the fetcher is cancelled, the part stays.
    Raises LoadError on what the server refuses, cuts off or sends too much of, and on what the
    disk has no room for; LibraryError if the disk fails while it is written.
    """
    suffix = re.search(r"\.[A-Za-z0-9]{1,5}$", urlsplit(url).path)
    path = folder / f"{short_hash(url)}{suffix[0].lower() if suffix else ''}"
    if path.exists() and not refresh:
        return path
    job = _Download(fetcher, url, path, types, max_mb, bytes_expected, label, reporter)
    with job.disk():
        folder.mkdir(parents=True, exist_ok=True)
        job.run()
    return path


def forget_download(url: str, folder: Path) -> None:
    """Remove what `download` keeps of an address."""
    for path in folder.glob(f"{short_hash(url)}*"):
        with suppress(OSError):
            path.unlink()


@dataclass
class _Download:
    fetcher: Fetcher
    url: str
    path: Path
    types: tuple[str, ...]
    max_mb: int
    expected: int
    label: str
    reporter: Reporter

    def __post_init__(self) -> None:
        self.part = self.path.with_name(f"{self.path.name}.part")
        self.card = self.path.with_name(f"{self.path.name}.json")

    def run(self) -> None:
        """Fetch what is missing; a part that the server no longer knows is begun anew, once."""
        if not self.is_whole():
            reply = self.fetcher.stream(self.url, self.headers, self.take)
            if reply.status == 416 and self.part.exists():
                self.part.unlink()
                reply = self.fetcher.stream(self.url, self.headers, self.take)
            if reply.status == 304 and self.path.exists():
                return
            if not 200 <= reply.status < 300:
                raise LoadError(f"{reply.status} {reply.reason}".strip() + f": {shown(self.url)}")
        self.part.replace(self.path)

    def is_whole(self) -> bool:
        """Whether a run was ended between the last byte and the name."""
        known = self.saved()
        return bool(known and known.size and known.size == self.have())

    def have(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def headers(self) -> dict[str, str]:
        """Ask for the rest of a part, for a whole file if it changed, else for all."""
        asked = {"Accept": "*/*", "Accept-Encoding": "identity"}
        known = self.saved()
        if known and (have := self.have()):
            if known.validator:
                asked |= {"Range": f"bytes={have}-", "If-Range": known.validator}
        elif known and self.path.exists():
            asked |= {"If-None-Match": known.etag} if known.etag else {}
            asked |= {"If-Modified-Since": known.modified} if known.modified else {}
        return asked

    def saved(self) -> _Saved | None:
        try:
            found = _Saved(**json.loads(self.card.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if found.url == self.url else None

    def take(self, reply: Reply, chunks: Iterator[bytes]) -> None:
        """Write one response behind the part, or in place of it."""
        start, size = self.place(reply)
        self.refuse(reply, size)
        with self.disk():
            if start == 0:
                self.begin(reply, size)
            file = self.part.open("r+b" if start else "wb")
        try:
            done = self.copy(file, chunks, start, size)
        finally:
            with self.disk():
                file.close()
        if size and done != size:
            raise LoadError(f"cut off at {done} of {size} bytes: {shown(self.url)}", RESUMES)
        if not done:
            raise LoadError(f"is empty: {shown(self.url)}")

    def place(self, reply: Reply) -> tuple[int, int]:
        """Where the body belongs, and the bytes of the whole (0: not told)."""
        if reply.status != 206:
            length = reply.headers.get("content-length", "")
            return 0, int(length) if length.isdecimal() else 0
        found = CONTENT_RANGE.match(reply.headers.get("content-range", ""))
        if not found or int(found[1]) != self.have():
            self.part.unlink(missing_ok=True)
            raise LoadError(f"another part came than was asked for: {shown(self.url)}", ANEW)
        return int(found[1]), int(found[2]) if found[2] != "*" else 0

    def refuse(self, reply: Reply, size: int) -> None:
        """Raise LoadError on what is plainly not the file, or too large, before a byte is read."""
        kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        if self.types and kind not in UNTYPED and not kind.startswith(self.types):
            raise LoadError(f"not a recording ({shown(kind, 60)}): {shown(self.url)}")
        encoding = reply.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity"):
            raise LoadError(f"sent as {shown(encoding, 40)}, not asked for: {shown(self.url)}")
        if size > self.max_mb * 1_000_000:
            raise self.too_large()
        free = shutil.disk_usage(self.path.parent).free + self.have()
        if size > free:
            raise LoadError(
                f"needs {size / 1e6:.0f} MB, {free / 1e6:.0f} MB are free: {shown(self.url)}",
                f"make room in {self.path.parent}",
            )

    def too_large(self) -> LoadError:
        return LoadError(
            f"larger than {self.max_mb} MB: {shown(self.url)}",
            "load.feed.max_episode_mb sets the limit",
        )

    def begin(self, reply: Reply, size: int) -> None:
        """Forget what was there, and note what comes, in this order: a kill may fall between."""
        self.part.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)
        tags = reply.headers.get("etag", ""), reply.headers.get("last-modified", "")
        self.card.write_text(json.dumps(asdict(_Saved(self.url, *tags, size))), "utf-8")

    def copy(self, file: BinaryIO, chunks: Iterator[bytes], start: int, size: int) -> int:
        """Write until the body ends; the bytes that the file then holds."""
        done = judged = told = start
        since = time.monotonic()
        with self.disk():
            file.seek(start)
        for chunk in chunks:
            with self.disk():
                file.write(chunk)
            done += len(chunk)
            if done > self.max_mb * 1_000_000:
                self.part.unlink()
                raise self.too_large()
            if done - told >= TELL_BYTES:
                told = done
                self.reporter.progress(self.label, done, size or max(done, self.expected))
            if (passed_s := time.monotonic() - since) > STALL_S:
                if (done - judged) / passed_s < SLOWEST_BYTES_S:
                    raise LoadError(f"the download has stalled: {shown(self.url)}", RESUMES)
                judged, since = done, time.monotonic()
        self.reporter.progress(self.label, done, done)
        return done

    @contextmanager
    def disk(self) -> Iterator[None]:
        """Failures to write end all tries, and free the room that the part has taken."""
        try:
            yield
        except OSError as error:
            with suppress(OSError):
                self.part.unlink()
            raise LibraryError(
                f"cannot write the download of {shown(self.url)}: {error.strerror}",
                f"make room in {self.path.parent}",
            ) from error
