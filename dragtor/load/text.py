"""Bytes to clean text, in whatever encoding; front matter; what the readers of files share.

Knows nothing of folders, archives or pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dragtor.types import Segment

MB = 1_000_000  # bytes
MAX_FRONT_MATTER_CHARS = 16_000
GUESS_BYTES = 65_536  # looked at to guess an encoding
# Encodings that text files are met in; a free guess finds rare ones in short texts.
TEXT_ENCODINGS = """cp1252 cp1250 cp1251 koi8_r cp1253 cp1254 cp1255 cp1256
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
KINDS_READ = "kinds: txt, md, html, pdf, epub, docx, pictures (png, jpg, webp, tiff and so on)"
_ISO_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?(?!\d)")


@dataclass(frozen=True, slots=True)
class Content:
    """What a reader found; fields that the format lacks are empty, `published` is an ISO date."""

    text: str
    title: str = ""
    author: str = ""
    published: str = ""
    segments: tuple[Segment, ...] = ()
    kind: str = ""  # of the document, where it is not that of its source
    meta: Mapping[str, Any] = field(default_factory=dict)


class Refused(Exception):
    """Why a file is not read: completes the sentence that its name begins."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.hint = hint


def one_line(text: str) -> str:
    """One clean line: control characters and lone surrogates gone, white space single."""
    return " ".join(_CONTROL.sub(" ", text).split())


def decode_text(data: bytes) -> str:
    """Clean text in whatever encoding `data` is: `\\n` line ends, no control characters.

    Raises Refused if it is no text.
    """
    text = decoded(data)
    controls = len(re.findall("[\x01-\x08\x0e-\x1a\x1c-\x1f]", text[:1_000_000]))
    if controls > 8 and controls > len(text[:1_000_000]) / 50:
        raise _not_text()
    return clean_text(text.removeprefix("\ufeff"))


def clean_text(text: str) -> str:
    """`\\n` line ends, and no control characters but that and the tab."""
    return _CONTROL.sub("", _NEWLINES.sub("\n", text))


def decoded(data: bytes) -> str:
    """`data` as text, not cleaned. Raises Refused if it is no text."""
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

    if best := from_bytes(sample, cp_isolation=list(TEXT_ENCODINGS)).best():
        return best.encoding
    if sum(byte < 0x80 for byte in sample) > 0.7 * len(sample):
        return "cp1252"
    raise _not_text()


def _not_text() -> Refused:
    return Refused("is not a kind of file dragtor reads", KINDS_READ)


def first_heading(text: str) -> str:
    """The words of the first heading line; empty if there is none."""
    match = _HEADING.search(text)
    return match[1].rstrip("# \t") if match else ""


def front_matter(text: str) -> tuple[Content, str]:
    """Title, author and date of YAML front matter, and the text after it."""
    import yaml

    data = None
    if match := _FRONT_MATTER.match(text, 0, MAX_FRONT_MATTER_CHARS):
        with suppress(yaml.YAMLError, ValueError, RecursionError):
            data = yaml.safe_load(match[1])
    if not match or not isinstance(data, dict):
        return Content(""), text
    fields = Content(
        "",
        title=_words(data.get("title")),
        author=_words(data.get("author", data.get("authors"))),
        published=iso_date(_words(data.get("date", data.get("published")))),
    )
    return fields, text[match.end() :]


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(part) for part in value[:20] if isinstance(part, str | int))
    return "" if value is None or isinstance(value, dict) else str(value)


def iso_date(text: str) -> str:
    """The ISO 8601 date that `text` begins with, else empty."""
    match = _ISO_DATE.match(text.strip())
    return match[0] if match else ""
