"""Local files and folders to Documents: txt, md, html, pdf, epub, docx, pictures; sound to
Recordings.

Owns walking, ignoring, sniffing and names; the formats have files of their own (text, pdf, scan,
archive, picture, sound). Every bad file is one LoadError, and only regular files
are ever opened.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Self
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from dragtor.config import LoadConfig
from dragtor.errors import LoadError
from dragtor.load import sound
from dragtor.load.archive import read_docx, read_epub, zip_names
from dragtor.load.base import EVERYTHING, Choice, Item, LoadContext, Loader
from dragtor.load.cache import bytes_hash
from dragtor.load.markdown import plain_text
from dragtor.load.pdf import read_pdf
from dragtor.load.picture import (
    PICTURE,
    PICTURE_SUFFIXES,
    PICTURE_TYPES,
    picture_kind,
    read_picture,
)
from dragtor.load.scan import ScanReader
from dragtor.load.text import (
    MB,
    Content,
    Refused,
    clean_text,
    decode_text,
    first_heading,
    front_matter,
    iso_date,
    one_line,
)
from dragtor.pictures import PictureReader
from dragtor.types import (
    NEVER,
    SILENT,
    CancelToken,
    Document,
    Recording,
    Reporter,
    Source,
    short_hash,
)

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".dragtorignore"
SITE = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/", re.I)  # an address without scheme
SUFFIXES = {
    **dict.fromkeys((".txt", ".text"), "txt"),
    **dict.fromkeys((".md", ".markdown"), "md"),
    **dict.fromkeys((".html", ".htm", ".xhtml"), "html"),
    **{f".{kind}": kind for kind in ("pdf", "epub", "docx")},
    **dict.fromkeys(PICTURE_SUFFIXES, PICTURE),
}
CONTENT_TYPES = {
    "text/plain": "txt",
    "text/markdown": "md",
    "text/x-markdown": "md",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/pdf": "pdf",
    "application/x-pdf": "pdf",
    "application/epub+zip": "epub",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    **PICTURE_TYPES,
}
MAX_MARKDOWN_CHARS = 5_000_000  # longer markdown is read as plain text


class FileLoader(Loader):
    """Lists and reads files and folders; what was passed over is one note."""

    kind = "file"
    local = True

    def __init__(
        self,
        config: LoadConfig,
        *,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
        pictures: PictureReader | None = None,
    ) -> None:
        self._config = config
        self._pictures = pictures
        self._reporter = reporter
        self._cancel = cancel
        self._hashed: tuple[tuple[int, ...], str] = ((), "")  # state of a file, its hash

    @classmethod
    def open(cls, context: LoadContext) -> Self:
        """Nothing is kept of files."""
        told, pictures = context.reporter, context.pictures
        return cls(context.config, reporter=told, cancel=context.cancel, pictures=pictures)

    def supports(self, argument: str, choice: Choice) -> bool:
        """Every path, there or not."""
        return "://" not in argument or argument.startswith("file://")

    def source(self, argument: str, choice: Choice) -> Source:
        """By its absolute path; one that is no text in any encoding is kept as a file URI."""
        path = absolute(str(file_path(argument)) if argument.startswith("file://") else argument)
        if SITE.match(argument) and not path.exists():
            raise LoadError(f"{argument} does not exist", f"dragtor add https://{argument}")
        place = str(path)
        address = place if place == _utf8(place) else file_uri(path)
        return Source(short_hash(self.kind, place), address, self.kind, _utf8(path.name))

    def discover(
        self, path: str, choice: Choice = EVERYTHING, *, refresh: bool = False
    ) -> Iterator[Item]:
        """The file itself, or the readable files of a folder, sorted; `path` may be a file URI.

        Raises LoadError at once if there is no such file or folder.
        """
        place = file_path(path) if path.startswith("file://") else absolute(path)
        try:
            mode = place.stat().st_mode
        except (OSError, ValueError) as error:
            raise _os_refusal(place, error) from error
        if stat.S_ISDIR(mode):
            return map(Item, map(file_uri, self._walk(place)))
        if not stat.S_ISREG(mode):
            raise LoadError(f"{_shown(place)} is not a regular file")
        return iter([Item(file_uri(place))])

    def content_hash(self, uri: str) -> str:
        """SHA-256 of the raw bytes, as hex. Raises LoadError."""
        return self._hash(file_path(uri))

    def read(
        self, uri: str, *, refresh: bool = False, before: Document | None = None
    ) -> Document | Recording:
        """The document behind a file URI. Raises LoadError, one line for each kind of trouble."""
        path = file_path(uri)
        if self._is_sound(path):
            return sound.recording(path, uri, self._hash(path, known=True))
        with self._open(path) as file:
            data = file.read(self._limit + 1)
        return self._document(data, uri, path.suffix, _shown(path))

    def read_bytes(self, data: bytes, uri: str, content_type_or_suffix: str) -> Document:
        """The document in `data`, which came from elsewhere: stdin, or a response of the web.

        An empty or unknown type is sniffed. Raises LoadError.
        """
        return self._document(data, uri, content_type_or_suffix, uri)

    def _hash(self, path: Path, *, known: bool = False) -> str:
        """With `known`, that of a moment ago, if the file is as it was."""
        with self._open(path) as file:
            status = os.fstat(file.fileno())
            state = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if not (known and self._hashed[0] == state):
                self._hashed = (state, hashlib.file_digest(file, "sha256").hexdigest())
        return self._hashed[1]

    def _is_sound(self, path: Path) -> bool:
        """By its suffix; a suffix that means two things is settled by how the file begins."""
        suffix = path.suffix.lower()
        if suffix not in sound.PERHAPS:
            return suffix in sound.SOUND_SUFFIXES
        try:
            with self._open(path) as file:
                return sound.is_stream(file.raw.read(sound.STREAM_HEAD_BYTES) or b"")
        except (LoadError, OSError):
            return False

    @property
    def _limit(self) -> int:
        return self._config.max_file_mb * MB

    def _open(self, path: Path) -> io.BufferedReader:
        """Open a regular file of bearable size; never waits on a FIFO or a device."""
        try:
            handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except (OSError, ValueError) as error:
            raise _os_refusal(path, error) from error
        status = os.fstat(handle)
        bearable = status.st_size <= self._limit or path.suffix.lower() in sound.SOUND_SUFFIXES
        if stat.S_ISREG(status.st_mode) and bearable:
            return os.fdopen(handle, "rb")
        os.close(handle)
        if stat.S_ISDIR(status.st_mode):
            raise LoadError(f"{_shown(path)} is a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise LoadError(f"{_shown(path)} is not a regular file")
        raise LoadError(f"{_shown(path)} {self._too_large()}", "raise load.max_file_mb")

    def _too_large(self) -> str:
        return f"is larger than {self._config.max_file_mb} MB"

    def _document(self, data: bytes, uri: str, kind_hint: str, name: str) -> Document:
        suffix = _known_suffix(kind_hint)
        try:
            if not data:
                raise Refused("is empty")
            if len(data) > self._limit:
                raise Refused(self._too_large(), "raise load.max_file_mb")
            suffix = suffix or f".{_sniff(data)}"
            content = self._content(SUFFIXES[suffix], data, uri)
            if not content.text.strip():
                raise Refused("holds no text")
        except Refused as refusal:
            raise LoadError(f"{name} {refusal}", refusal.hint) from refusal
        title = content.title or first_heading(content.text) or _stem(uri)
        return Document(
            id=short_hash(uri),
            uri=uri,
            kind=content.kind or ("web" if uri.startswith(("http://", "https://")) else "file"),
            title=one_line(title),
            text=content.text,
            author=one_line(content.author),
            published=content.published,
            segments=content.segments,
            meta={
                **content.meta,
                "stamp": bytes_hash(data),
                "suffix": suffix,
                "bytes": len(data),
            },
        )

    def _content(self, kind: str, data: bytes, uri: str) -> Content:
        match kind:
            case "md":
                return self._markdown(decode_text(data), _shown_uri(uri))
            case "html":
                return _html(data, uri)
            case "pdf":
                return read_pdf(data, self._noting(uri), self._cancel, self._scans())
            case "picture":
                return read_picture(data, _shown_uri(uri), self._pictures)
            case "epub":
                return read_epub(data, self._limit)
            case "docx":
                return read_docx(data, self._limit)
            case _:
                return Content(decode_text(data))

    def _noting(self, uri: str) -> Callable[[str], None]:
        name = _shown_uri(uri)
        return lambda what: self._reporter.note(f"{name}: {what}")

    def _scans(self) -> ScanReader | None:
        when = self._config.pdf.ocr
        if self._pictures is None or when == "never":
            return None
        return ScanReader(self._pictures, when, self._reporter, self._cancel)

    def _markdown(self, text: str, name: str) -> Content:
        fields, body = front_matter(text)
        if len(body) > MAX_MARKDOWN_CHARS:
            self._reporter.note(f"{name}: too long for markdown, read as plain text")
            return replace(fields, text=body)
        return replace(fields, text=plain_text(body))

    def _walk(self, root: Path) -> Iterator[Path]:
        """Files of known kinds below `root`, sorted, each real folder once."""
        spec = self._ignored(root)
        skipped: Counter[str] = Counter()
        seen: set[tuple[int, int]] = set()
        stack = [root]
        while stack:
            self._cancel.check()
            place = stack.pop()
            if os.path.isdir(place):  # noqa: PTH112  False where stat is denied, unlike Path's
                entries = self._entries(place, seen)
                kept = [e for e in entries if not spec.match_file(_below(root, e))]
                stack.extend(sorted(kept, reverse=True))
            elif place.suffix.lower() not in SUFFIXES and not self._is_sound(place):
                skipped[place.suffix.lower() or "without suffix"] += 1
            elif os.path.isfile(place):  # noqa: PTH113
                yield place
        if skipped:
            self._reporter.note(_skip_line(skipped))

    def _entries(self, folder: Path, seen: set[tuple[int, int]]) -> list[Path]:
        try:
            status = folder.stat()
            if (key := (status.st_dev, status.st_ino)) in seen:
                return []
            seen.add(key)
            return list(folder.iterdir())
        except OSError as error:
            self._reporter.note(f"{_shown(folder)} was skipped: {error.strerror}")
            return []

    def _ignored(self, root: Path) -> GitIgnoreSpec:
        from pathspec import GitIgnoreSpec

        lines = list(self._config.ignore)
        own = root / IGNORE_FILE
        if own.is_file():
            with self._open(own) as file:
                lines += decode_text(file.read()).splitlines()
        try:
            return GitIgnoreSpec.from_lines(lines)
        except ValueError as error:
            told = f"a pattern of load.ignore or {_shown(own)} is wrong: {error}"
            raise LoadError(told) from error


# Names and addresses


def file_uri(path: Path) -> str:
    """`path` as a file URI; names that are no text in any encoding survive the round trip."""
    return "file://" + quote(os.fsencode(path))


def file_path(uri: str) -> Path:
    """The path behind a file URI. Raises LoadError for an address of another kind."""
    address = uri.removeprefix("file://").removeprefix("localhost")
    if not uri.startswith("file://") or not address.startswith("/"):
        raise LoadError(f"{one_line(uri)} is not the address of a local file")
    return Path(os.fsdecode(unquote_to_bytes(address)))


def absolute(path: str) -> Path:
    """Without `..`, `~` resolved, links kept; raises LoadError on what is no path."""
    if not path.strip():
        raise LoadError("a path is empty", "name a file or a folder, or - for stdin")
    try:
        return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100  keeps symlinks
    except (RuntimeError, ValueError) as error:
        raise LoadError(f"{one_line(path)} cannot be found: {error}") from error


def _os_refusal(path: Path, error: Exception) -> LoadError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return LoadError(f"{_shown(path)} does not exist")
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return LoadError(f"{_shown(path)} cannot be read: {reason}")


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() + "/" * os.path.isdir(path)  # noqa: PTH112


def _shown(path: Path) -> str:
    """A path fit for one line of a terminal."""
    text = str(path)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _utf8(text: str) -> str:
    """`text`, such as a file's name, with what UTF-8 cannot hold replaced."""
    return text.encode("utf-8", "replace").decode()


def _shown_uri(uri: str) -> str:
    return _shown(file_path(uri)) if uri.startswith("file://") else uri


def _stem(uri: str) -> str:
    if uri.startswith("file://"):
        return _utf8(file_path(uri).stem)
    if uri.startswith("stdin:"):
        return "stdin"
    return PurePosixPath(unquote(urlsplit(uri).path)).stem or uri


def _known_suffix(kind_hint: str) -> str:
    hint = kind_hint.partition(";")[0].strip().lower()
    kind = CONTENT_TYPES.get(hint)
    return f".{kind}" if kind else hint if hint in SUFFIXES else ""


def _skip_line(skipped: Counter[str]) -> str:
    total = skipped.total()
    named = skipped.most_common(8)
    kinds = ", ".join(f"{one_line(kind)[:20]} {count}" for kind, count in named)
    more = ", …" if len(skipped) > len(named) else ""
    return f"{total} file{'s' * (total > 1)} skipped: {kinds}{more}"


# Kinds


def _sniff(data: bytes) -> str:
    head = data[:1024]
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        names = zip_names(data)
        if "word/document.xml" in names:
            return "docx"
        if "META-INF/container.xml" in names:
            return "epub"
    if kind := picture_kind(head):
        return kind
    opening = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "html" if opening.startswith((b"<!doctype html", b"<html")) else "txt"


def _html(data: bytes, uri: str) -> Content:
    from dragtor.load.html import extract_html

    try:
        page = extract_html(data, uri)
    except LoadError as error:
        raise Refused("holds no readable text") from error
    return Content(clean_text(page.text), page.title, page.author, iso_date(page.published))
