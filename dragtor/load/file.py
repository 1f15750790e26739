"""Local files and folders to Documents: txt, md, html, pdf, epub, docx.

Owns walking, ignoring, sniffing, decoding and the formats' own metadata. Knows nothing of the
library; every bad file is one LoadError, and only regular files are ever opened.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import stat
import zipfile
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from html.entities import html5
from itertools import pairwise
from pathlib import Path, PurePosixPath
from statistics import median
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, unquote_to_bytes, urlsplit

from dragtor.config import LoadConfig
from dragtor.errors import LoadError
from dragtor.load.item import Item
from dragtor.load.markdown import plain_text
from dragtor.types import Document, Segment, short_hash

if TYPE_CHECKING:
    from lxml.etree import _Element
    from pathspec import GitIgnoreSpec

IGNORE_FILE = ".dragtorignore"
SUFFIXES = {
    ".txt": "txt",
    ".text": "txt",
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".pdf": "pdf",
    ".epub": "epub",
    ".docx": "docx",
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
}
MB = 1_000_000  # bytes
MAX_MARKDOWN_CHARS = 5_000_000  # longer markdown is read as plain text
MAX_FRONT_MATTER_CHARS = 16_000
MAX_DOCX_XML_MB = 40  # megabytes of XML in a docx; its parser needs twenty times that in memory
GUESS_BYTES = 65_536  # looked at to guess an encoding
# Encodings that text files are met in; a free guess finds rare ones in short texts.
ENCODINGS = """cp1252 cp1250 cp1251 koi8_r cp1253 cp1254 cp1255 cp1256
    cp932 euc_jp gb18030 big5 cp949""".split()
BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_NEWLINES = re.compile("\r\n?|[\x0b\x0c\x85]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.S)
_HEADING = re.compile(r"^#{1,6}[ \t]+(\S.{0,199})$", re.M)
_ISO_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?(?!\d)")
_PDF_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)(\d\d)")
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]{1,31});")


@dataclass(frozen=True, slots=True)
class _Content:
    text: str
    title: str = ""
    author: str = ""
    published: str = ""
    segments: tuple[Segment, ...] = ()


class _Refused(Exception):
    """Why a file is not read: completes the sentence that its name begins."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


class FileLoader:
    """Lists and reads files; `notify` takes one line about what was passed over."""

    def __init__(self, config: LoadConfig, *, notify: Callable[[str], None]) -> None:
        self._config = config
        self._notify = notify

    def discover(self, path: str, *, match: str = "", refresh: bool = False) -> Iterator[Item]:
        """The file itself, or the readable files of a folder, sorted; `path` may be a file URI.

        Raises LoadError at once if there is no such file or folder.
        """
        place = file_path(path) if path.startswith("file://") else _absolute(path)
        mode = _status(place).st_mode
        if stat.S_ISDIR(mode):
            return map(Item, map(file_uri, self._walk(place)))
        if not stat.S_ISREG(mode):
            raise LoadError(f"{_shown(place)} is not a regular file")
        return iter([Item(file_uri(place))])

    def stamp(self, uri: str) -> str:
        """SHA-256 of the raw bytes, as hex. Raises LoadError."""
        with self._open(file_path(uri)) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def read(self, uri: str, *, refresh: bool = False) -> Document:
        """The document behind a file URI. Raises LoadError, one line for each kind of trouble."""
        path = file_path(uri)
        with self._open(path) as file:
            data = file.read(self._limit + 1)
        return self._document(data, uri, path.suffix, _shown(path))

    def read_bytes(self, data: bytes, uri: str, content_type_or_suffix: str) -> Document:
        """The document in `data`, which came from elsewhere: stdin, or a response of the web.

        An empty or unknown type is sniffed. Raises LoadError.
        """
        return self._document(data, uri, content_type_or_suffix, uri)

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
        if stat.S_ISREG(status.st_mode) and status.st_size <= self._limit:
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
                raise _Refused("is empty")
            if len(data) > self._limit:
                raise _Refused(self._too_large(), "raise load.max_file_mb")
            kind = SUFFIXES[suffix] if suffix else _sniff(data)
            content = self._content(kind, data, uri)
            if not content.text.strip():
                raise _Refused("holds no text")
        except _Refused as refusal:
            raise LoadError(f"{name} {refusal}", refusal.hint) from refusal
        title = content.title or _first_heading(content.text) or _stem(uri)
        stamp = hashlib.sha256(data).hexdigest()
        return Document(
            id=short_hash(uri),
            uri=uri,
            kind="web" if uri.startswith(("http://", "https://")) else "file",
            title=_line(title),
            text=content.text,
            author=_line(content.author),
            published=content.published,
            segments=content.segments,
            meta={"stamp": stamp, "suffix": suffix or f".{kind}", "bytes": len(data)},
        )

    def _content(self, kind: str, data: bytes, uri: str) -> _Content:
        match kind:
            case "md":
                return self._markdown(decode_text(data), _shown_uri(uri))
            case "html":
                return _html(data, uri)
            case "pdf":
                return _pdf(data, partial(self._note_about, uri))
            case "epub":
                return _epub(data, self._limit)
            case "docx":
                return _docx(data, self._limit)
            case _:
                return _Content(decode_text(data))

    def _note_about(self, uri: str, what: str) -> None:
        self._notify(f"{_shown_uri(uri)}: {what}")

    def _markdown(self, text: str, name: str) -> _Content:
        fields, body = _front_matter(text)
        if len(body) > MAX_MARKDOWN_CHARS:
            self._notify(f"{name}: too long for markdown, read as plain text")
            return replace(fields, text=body)
        return replace(fields, text=plain_text(body))

    def _walk(self, root: Path) -> Iterator[Path]:
        """Files of known kinds below `root`, sorted, each real folder once."""
        spec = self._ignored(root)
        skipped: Counter[str] = Counter()
        seen: set[tuple[int, int]] = set()
        stack = [root]
        while stack:
            place = stack.pop()
            if place.is_dir():
                entries = self._entries(place, seen)
                kept = [e for e in entries if not spec.match_file(_below(root, e))]
                stack.extend(sorted(kept, reverse=True))
            elif place.suffix.lower() not in SUFFIXES:
                skipped[place.suffix.lower() or "without suffix"] += 1
            elif place.is_file():
                yield place
        if skipped:
            self._notify(_skip_line(skipped))

    def _entries(self, folder: Path, seen: set[tuple[int, int]]) -> list[Path]:
        try:
            status = folder.stat()
            if (key := (status.st_dev, status.st_ino)) in seen:
                return []
            seen.add(key)
            return list(folder.iterdir())
        except OSError as error:
            self._notify(f"{_shown(folder)} was skipped: {error.strerror}")
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
            raise LoadError(
                f"a pattern of load.ignore or {_shown(own)} is wrong: {error}"
            ) from error


# Names and addresses


def file_uri(path: Path) -> str:
    """`path` as a file URI; names that are no text in any encoding survive the round trip."""
    return "file://" + quote(os.fsencode(path))


def file_path(uri: str) -> Path:
    """The path behind a file URI. Raises LoadError for an address of another kind."""
    address = uri.removeprefix("file://").removeprefix("localhost")
    if not uri.startswith("file://") or not address.startswith("/"):
        raise LoadError(f"{_line(uri)} is not the address of a local file")
    return Path(os.fsdecode(unquote_to_bytes(address)))


def _absolute(path: str) -> Path:
    try:
        return Path(os.path.abspath(Path(path).expanduser()))  # noqa: PTH100  keeps symlinks
    except (RuntimeError, ValueError) as error:
        raise LoadError(f"{_line(path)} cannot be found: {error}") from error


def _status(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except (OSError, ValueError) as error:
        raise _os_refusal(path, error) from error


def _os_refusal(path: Path, error: Exception) -> LoadError:
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return LoadError(f"{_shown(path)} does not exist")
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return LoadError(f"{_shown(path)} cannot be read: {reason}")


def _below(root: Path, path: Path) -> str:
    return path.relative_to(root).as_posix() + ("/" if path.is_dir() else "")


def _shown(path: Path) -> str:
    """A path fit for one line of a terminal."""
    text = str(path)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def _shown_uri(uri: str) -> str:
    return _shown(file_path(uri)) if uri.startswith("file://") else uri


def _stem(uri: str) -> str:
    if uri.startswith("file://"):
        return file_path(uri).stem.encode("utf-8", "replace").decode()
    if uri.startswith("stdin:"):
        return "stdin"
    return PurePosixPath(unquote(urlsplit(uri).path)).stem or uri


def _line(text: str) -> str:
    """One clean line: control characters and lone surrogates gone, white space single."""
    return " ".join(_CONTROL.sub(" ", text).split())


def _known_suffix(kind_hint: str) -> str:
    hint = kind_hint.partition(";")[0].strip().lower()
    kind = CONTENT_TYPES.get(hint)
    return f".{kind}" if kind else hint if hint in SUFFIXES else ""


def _skip_line(skipped: Counter[str]) -> str:
    total = skipped.total()
    named = skipped.most_common(8)
    kinds = ", ".join(f"{_line(kind)[:20]} {count}" for kind, count in named)
    more = ", …" if len(skipped) > len(named) else ""
    return f"{total} file{'s' * (total > 1)} skipped: {kinds}{more}"


# Text


def _sniff(data: bytes) -> str:
    head = data[:1024]
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        names = _zip_names(data)
        if "word/document.xml" in names:
            return "docx"
        if "META-INF/container.xml" in names:
            return "epub"
    opening = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return "html" if opening.startswith((b"<!doctype html", b"<html")) else "txt"


def _zip_names(data: bytes) -> set[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return set()


def decode_text(data: bytes) -> str:
    """Clean text in whatever encoding `data` is: `\\n` line ends, no control characters.

    Raises _Refused if it is no text.
    """
    text = _decoded(data)
    controls = len(re.findall("[\x01-\x08\x0e-\x1a\x1c-\x1f]", text[:1_000_000]))
    if controls > 8 and controls > len(text[:1_000_000]) / 50:
        raise _not_text()
    return _clean(text.removeprefix("\ufeff"))


def _clean(text: str) -> str:
    return _CONTROL.sub("", _NEWLINES.sub("\n", text))


def _decoded(data: bytes) -> str:
    for mark, name in BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    if b"\0" in data:
        return _decoded_utf16(data)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = error.start
    mended = data.decode("utf-8", "replace")
    broken = mended.count("\ufffd")
    if sum(c > "\x7f" for c in mended[:1_000_000]) > 10 * broken:
        return mended  # UTF-8 with a few broken bytes
    return data.decode(_guess(data[max(0, at - GUESS_BYTES // 2) :][:GUESS_BYTES]), "replace")


def _decoded_utf16(data: bytes) -> str:
    """UTF-16 without a mark, recognised by where its zero bytes stand."""
    even, odd = data[:GUESS_BYTES:2].count(0), data[1:GUESS_BYTES:2].count(0)
    half = min(len(data), GUESS_BYTES) // 2
    for some, other, name in ((odd, even, "utf-16-le"), (even, odd, "utf-16-be")):
        if half > 1 and some > 0.4 * half and other < 0.02 * half:
            return data.decode(name, "replace")
    raise _not_text()


def _guess(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    if best := from_bytes(sample, cp_isolation=list(ENCODINGS)).best():
        return best.encoding
    if sum(byte < 0x80 for byte in sample) > 0.7 * len(sample):
        return "cp1252"
    raise _not_text()


def _not_text() -> _Refused:
    return _Refused("is not a kind of file dragtor reads", "kinds: txt, md, html, pdf, epub, docx")


def _first_heading(text: str) -> str:
    match = _HEADING.search(text)
    return match[1].rstrip("# \t") if match else ""


def _front_matter(text: str) -> tuple[_Content, str]:
    """Title, author and date of YAML front matter, and the text after it."""
    import yaml

    match = _FRONT_MATTER.match(text, 0, MAX_FRONT_MATTER_CHARS)
    if not match:
        return _Content(""), text
    try:
        data = yaml.safe_load(match[1])
    except (yaml.YAMLError, ValueError, RecursionError):
        return _Content(""), text
    if not isinstance(data, dict):
        return _Content(""), text
    fields = _Content(
        "",
        title=_words(data.get("title")),
        author=_words(data.get("author", data.get("authors"))),
        published=_iso_date(_words(data.get("date", data.get("published")))),
    )
    return fields, text[match.end() :]


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(part) for part in value[:20] if isinstance(part, str | int))
    return "" if value is None or isinstance(value, dict) else str(value)


def _iso_date(text: str) -> str:
    match = _ISO_DATE.match(text.strip())
    return match[0] if match else ""


def _html(data: bytes, uri: str) -> _Content:
    from dragtor.load.html import extract_html

    try:
        page = extract_html(data, uri)
    except LoadError as error:
        raise _Refused("holds no readable text") from error
    return _Content(_clean(page.text), page.title, page.author, _iso_date(page.published))


# Books and office documents: zip archives of XML


def _archive(data: bytes, kind: str, limit: int) -> zipfile.ZipFile:
    """Open a zip that unpacks to at most `limit` bytes."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise _Refused(f"is not a readable {kind} file: {error}") from error
    if sum(member.file_size for member in archive.infolist()) > limit:
        raise _Refused(f"unpacks to more than {limit // MB} MB", "raise load.max_file_mb")
    return archive


def _docx(data: bytes, limit: int) -> _Content:
    import mammoth

    with _archive(data, "docx", limit) as archive:
        xml = sum(m.file_size for m in archive.infolist() if m.filename.endswith(".xml"))
        if xml > MAX_DOCX_XML_MB * MB:
            raise _Refused(f"holds more than {MAX_DOCX_XML_MB} MB of XML", "split it in two")
        try:
            no_image = mammoth.images.img_element(lambda image: {})
            html = mammoth.convert_to_html(io.BytesIO(data), convert_image=no_image).value
        except Exception as error:  # mammoth meets damage with errors of any kind
            raise _Refused(f"is not a readable docx file: {_line(str(error))[:100]}") from error
        core = _xml(_member(archive, "docProps/core.xml"))
    return _Content(
        _visible_text(html),
        title=_field(core, "title"),
        author=_field(core, "creator"),
        published=_iso_date(_field(core, "created")),
    )


def _epub(data: bytes, limit: int) -> _Content:
    with _archive(data, "epub", limit) as archive:
        _refuse_protected(archive)
        container = _xml(_member(archive, "META-INF/container.xml"))
        package_path = next((e.get("full-path", "") for e in _elements(container, "rootfile")), "")
        package = _xml(_member(archive, package_path))
        chapters = [
            _visible_text(_xhtml(_member(archive, path)))
            for path in _spine(package, PurePosixPath(package_path).parent)
        ]
    if package is None or not chapters:
        raise _Refused("is not a readable epub file: it lists no chapters")
    return _Content(
        "\n\n".join(filter(None, chapters)),
        title=_field(package, "title"),
        author=", ".join(_line(e.text or "") for e in _elements(package, "creator")),
        published=_iso_date(_field(package, "date")),
    )


def _refuse_protected(archive: zipfile.ZipFile) -> None:
    """Raises on encrypted chapters; scrambled fonts do no harm."""
    rights = {"META-INF/rights.xml", "META-INF/license.lcpl"} & set(archive.namelist())
    locks = _xml(_member(archive, "META-INF/encryption.xml"))
    hidden = [
        e.get("URI", "")
        for e in _elements(locks, "CipherReference")
        if not e.get("URI", "").lower().endswith((".ttf", ".otf", ".woff", ".woff2"))
    ]
    if hidden or (rights and locks is not None):
        raise _Refused("is protected against copying (DRM)", "use a copy without DRM")


def _spine(package: _Element | None, folder: PurePosixPath) -> Iterator[str]:
    """Names of the chapters in the archive, in reading order."""
    names = {e.get("id"): e.get("href", "") for e in _elements(package, "item")}
    for reference in _elements(package, "itemref"):
        if name := names.get(reference.get("idref")):
            yield os.path.normpath(folder / unquote(urlsplit(name).path))


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    """Bytes of one member, never more than its header says; empty if absent or damaged."""
    try:
        return archive.read(name)
    except (KeyError, zipfile.BadZipFile, OSError, ValueError, RuntimeError, EOFError):
        return b""
    except Exception:  # noqa: BLE001  each decompressor has errors of its own
        return b""


def _xml(data: bytes) -> _Element | None:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(data, parser) if data else None
    except (etree.XMLSyntaxError, ValueError):
        return None


def _elements(root: _Element | None, name: str) -> Iterable[_Element]:
    return root.iter(f"{{*}}{name}") if root is not None else ()


def _field(root: _Element | None, name: str) -> str:
    return next((_line(e.text or "") for e in _elements(root, name)), "")


def _xhtml(data: bytes) -> str:
    """A chapter as HTML: empty elements such as `<title/>` swallow the page otherwise."""
    from lxml import etree

    page = _decoded(data) if data else ""
    named = _ENTITY.sub(_entity, page)
    root = _xml(re.sub(r"\A\s*<\?xml[^>]*\?>", "", named).encode("utf-8", "replace"))
    if root is None:
        return page
    return etree.tostring(root, method="html", encoding="unicode")


def _entity(match: re.Match[str]) -> str:
    plain = match[1] in ("amp", "lt", "gt", "quot", "apos")
    return match[0] if plain else html5.get(match[1] + ";", match[0])


def _visible_text(html: str) -> str:
    from dragtor.load import html as pages

    tree = pages._parse(html)
    return _clean(pages._text(tree)) if tree is not None else ""


# PDF: lines with their places, put together to flowing paragraphs

_PDFIUM = Lock()  # pdfium must not run in two threads
_LIGATURES = {0xFB00 + i: s for i, s in enumerate(("ff", "fi", "fl", "ffi", "ffl", "st", "st"))}
_BULLET = re.compile(r"(?:[•‣▪●◦–*-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_PAGE_NUMBER = re.compile(r"\W*(?:page\s+|p\.\s*)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?\W*", re.I)
_COMPOUND = re.compile(r"\w+-\w+")
_SENTENCE_END = re.compile(r"[.!?:…][\"'”’»)\]]*$")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a page; places in points, `top` grows upwards; `size` is the font's height."""

    text: str
    page: int
    left: float
    right: float
    top: float
    size: float


def _pdf(data: bytes, note: Callable[[str], None]) -> _Content:
    with _PDFIUM:
        pages, meta = _pdf_pages(data)
    if not any(pages):
        raise _Refused(
            "is a PDF without text, probably scanned", "ocrmypdf IN.pdf OUT.pdf, then add OUT.pdf"
        )
    if empty := sum(not page for page in pages):
        note(f"{empty} of {len(pages)} pages hold no text")
    text, segments = _flow(_without_running_heads(pages))
    made = _PDF_DATE.match(meta["CreationDate"])
    return _Content(
        text,
        title=_pdf_title(meta["Title"]),
        author=meta["Author"],
        published="-".join(made.groups()) if made else "",
        segments=segments,
    )


def _pdf_pages(data: bytes) -> tuple[list[list[_Line]], dict[str, str]]:
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            raise _Refused(
                "is encrypted", "qpdf --password=WORD --decrypt IN.pdf OUT.pdf, then add OUT.pdf"
            ) from error
        raise _Refused("is not a readable PDF: it is damaged or cut off") from error
    with pdf:
        pages = [_pdf_lines(pdf, index) for index in range(len(pdf))]
        return pages, {name: _line(pdf.get_metadata_value(name)) for name in pdf.METADATA_KEYS}


def _pdf_lines(pdf: Any, index: int) -> list[_Line]:
    """The lines of a page in reading order; a page that pdfium cannot load has none."""
    import pypdfium2

    try:
        page = pdf[index]
    except pypdfium2.PdfiumError:
        return []
    text_page = page.get_textpage()
    unicode_at = pypdfium2.raw.FPDFText_GetUnicode
    codes = [unicode_at(text_page, at) for at in range(text_page.count_chars())]
    lines, first = [], 0
    for at in range(len(codes) + 1):
        if at == len(codes) or codes[at] in (2, 10, 13):  # 2: a hyphen, and the line ends
            hyphen = at < len(codes) and codes[at] == 2
            if line := _pdf_line(text_page, codes, first, at, index + 1):
                lines.append(replace(line, text=line.text + "-") if hyphen else line)
            first = at + 1
    text_page.close()
    page.close()
    return lines


def _pdf_line(text_page: Any, codes: list[int], first: int, end: int, page: int) -> _Line | None:
    """The line of the characters `first:end`; None if it is blank."""
    while first < end and codes[first] in (0, 32, 160):
        first += 1
    while first < end and codes[end - 1] in (0, 32, 160):
        end -= 1
    raw = "".join(map(chr, codes[first:end])).encode("utf-16", "surrogatepass")
    text = _line(raw.decode("utf-16", "replace")).replace("\xad", "").translate(_LIGATURES)
    if not text:
        return None
    left, _, _, top = text_page.get_charbox(first, loose=True)
    right = text_page.get_charbox(end - 1, loose=True)[2]
    middle = text_page.get_charbox((first + end) // 2, loose=True)
    return _Line(text, page, left, right, top, middle[3] - middle[1])


def _pdf_title(title: str) -> str:
    if re.search(r"^untitled|\.(docx?|tex|dvi|indd|qxd|pdf)$|^Microsoft Word - ", title, re.I):
        return ""
    return title


def _without_running_heads(pages: list[list[_Line]]) -> list[list[_Line]]:
    """Drop page numbers, and lines that most pages repeat at their top or foot."""
    seen = Counter(key for page in pages for key in {_head_key(line) for line in _edges(page)})
    often = max(3, 0.4 * len(pages))

    def runs(line: _Line) -> bool:
        number = len(pages) > 1 and bool(_PAGE_NUMBER.fullmatch(line.text))
        return number or seen[_head_key(line)] >= often

    kept = []
    for page in pages:
        edges = {id(line) for line in _edges(page) if runs(line)}
        kept.append([line for line in page if id(line) not in edges])
    return kept if any(kept) else pages


def _edges(page: list[_Line]) -> list[_Line]:
    return page if len(page) <= 4 else page[:2] + page[-2:]


def _head_key(line: _Line) -> str:
    return re.sub(r"\d+", "0", line.text)


def _flow(pages: list[list[_Line]]) -> tuple[str, tuple[Segment, ...]]:
    """Join lines to paragraphs and say where each page stands in the text."""
    lines = [line for page in pages for line in page]
    words = {word.lower() for line in lines for word in _COMPOUND.findall(line.text)}
    body = _body_size(lines)
    levels = _heading_levels(lines, body)
    pitch = {page[0].page: _pitch(page) for page in pages if page}
    parts: list[str] = []
    starts: list[tuple[int, int]] = []  # (offset, page)
    length = 0
    before: _Line | None = None
    for line in lines:
        gap = _gap(before, line, levels, pitch[line.page]) if before else ""
        if gap == " " and (cut := _hyphen_cut(parts[-1], line.text, words)) is not None:
            length += len(cut) - len(parts[-1])
            parts[-1], gap = cut, ""
        if line.page != (before.page if before else 0):
            starts.append((length + len(gap), line.page))
        text = line.text
        if "\n" in gap or not before:
            level = levels.get(id(line))
            text = f"{'#' * level} {text}" if level else re.sub(r"^(?=#{1,6}\s)", " ", text)
        parts += (gap, text) if gap else (text,)
        length += len(gap) + len(text)
        before = line
    text = "".join(parts)
    ends = [start for start, _ in starts[1:]] + [len(text)]
    segments = (Segment(s, e, page=p) for (s, p), e in zip(starts, ends, strict=True))
    return text, tuple(segments)


def _body_size(lines: list[_Line]) -> float:
    """Font size of the middle character of the document."""
    sizes = sorted((line.size, len(line.text)) for line in lines)
    totals = [0]
    for _, count in sizes:
        totals.append(totals[-1] + count)
    return sizes[bisect_left(totals, totals[-1] / 2) - 1][0]


def _heading_levels(lines: list[_Line], body: float) -> dict[int, int]:
    """Levels 1 to 3, by id of line, for short lines set clearly larger than the body."""
    large = [
        line
        for line in lines
        if line.size > 1.18 * body
        and len(line.text) <= 120
        and not line.text.endswith((".", ",", ";"))
        and sum(map(str.isalpha, line.text)) > 2
    ]
    sizes = sorted({round(line.size) for line in large}, reverse=True)
    return {id(line): min(3, 1 + sizes.index(round(line.size))) for line in large}


def _pitch(page: list[_Line]) -> float:
    """The usual distance from one line to the next, in points."""
    steps = [a.top - b.top for a, b in pairwise(page) if a.top > b.top]
    return median(steps) if steps else 1.2 * page[0].size


def _gap(before: _Line, line: _Line, levels: dict[int, int], pitch: float) -> str:
    """What stands between two lines: a space within a paragraph, else a blank line."""
    heading, heading_before = levels.get(id(line)), levels.get(id(before))
    if heading or heading_before:
        same = heading == heading_before and 0 < before.top - line.top < 1.6 * line.size
        return " " if same else "\n\n"
    ended = bool(_SENTENCE_END.search(before.text))
    listed = ended or line.left > before.left or _BULLET.match(before.text)
    if listed and _BULLET.match(line.text):
        return "\n"
    step = before.top - line.top
    if before.page != line.page or step < -line.size:  # next page or column
        return "\n\n" if ended else " "
    if step > 1.45 * pitch or abs(line.size - before.size) > 0.15 * before.size:
        return "\n\n"
    width = line.right - line.left
    short = before.right < line.right - 0.15 * width
    indented = 0.8 * line.size < line.left - before.left < 6 * line.size
    return "\n\n" if ended and (short or indented) else " "


def _hyphen_cut(before: str, after: str, words: set[str]) -> str | None:
    """`before` as it joins a word that goes on in `after`; None if no word is parted.

    The hyphen stays where the document has the compound elsewhere, within a line.
    """
    stem = before[:-1]
    if before[-1] not in "-‐" or not stem[-1:].isalnum():
        return None
    first, second = re.search(r"\w+$", stem), re.match(r"\w+", after)
    compound = f"{first[0]}-{second[0]}".lower() if first and second else ""
    return before if compound in words or not after[0].islower() else stem
