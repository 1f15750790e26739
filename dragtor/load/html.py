"""HTML to the text that a reader sees, with title, author, date and canonical address.

Owns decoding and extraction; trafilatura tells the article from its surroundings.
Knows nothing of where the bytes come from, and fetches nothing.
"""

from __future__ import annotations

import codecs
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from dragtor.errors import LoadError

if TYPE_CHECKING:
    from lxml.etree import _Element
    from lxml.html import HtmlElement, HTMLParser

PRESCAN_BYTES = 16_384  # searched for a declared encoding
ENCODING_SAMPLE_BYTES = 65_536  # enough to guess an undeclared one
GUESS_FROM = 32  # bytes beyond ASCII that a guess needs
SHORT_ARTICLE_CHARS = 500  # a shorter article has lost its layout, and has little to leave out
MAX_ELEMENTS = 50_000  # of a page that is searched for its article; a larger one is read whole
MAX_FIELD_CHARS = 1_000  # of a title, an author, a description
UNSEEN = {"head", "script", "style", "template", "noscript", "svg", "math", "iframe", "object"}
BLOCKS = frozenset(
    """
    address article aside blockquote body center dd details dialog dir div dl dt fieldset
    figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li main
    menu nav ol option p pre search section select summary table tbody td tfoot th thead title tr
    ul head list item quote row cell
    """.split()
)
# What browsers read under these names: the wider encoding that came after.
WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "utf-16": "utf-8",
    "utf-16-le": "utf-8",
    "utf-16-be": "utf-8",
}
NOT_OF_THE_WEB = re.compile("utf-7|utf-32|idna|punycode|undefined|.*escape|mbcs|oem")
_CHARSET = re.compile(r"""charset\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s;"']+))""", re.I)
_HEADING_LIKE = re.compile(r"^(?=#{1,6}[ \t])", re.M)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Extracted:
    """The readable part of a page; `published` is an ISO 8601 date, absent fields are empty.

    In `text` headings are lines of `# ` to `###### `, list items open with `- `, a table row is
    one line with ` | ` between cells; blank lines part blocks.
    """

    text: str
    title: str = ""
    author: str = ""
    published: str = ""
    canonical_url: str = ""  # as written in the page: perhaps relative, perhaps untrue
    description: str = ""


def extract_html(html: bytes | str, url: str = "") -> Extracted:
    """The article of a page, or all its visible text where no article is found.

    Raises LoadError if there is nothing to read.
    """
    page = html if isinstance(html, str) else decode_html(html)
    tree = _parse(page)
    if tree is None:
        raise LoadError(f"no readable text: {url or 'the page is empty'}")
    small = sum(1 for _ in tree.iter()) <= MAX_ELEMENTS
    found = _trafilatura(page, url) if small else None
    body = getattr(found, "body", None)
    text = _text(body) if body is not None else ""
    if len(text) < SHORT_ARTICLE_CHARS:
        whole = _text(tree)
        if not text or len(text) <= len(whole) <= 2 * len(text):
            text = whole
    if not text:
        raise LoadError(f"no readable text: {url or 'the page is empty'}")
    canonical = (
        (link.get("href") or "").strip()
        for link in tree.iter("link")
        if "canonical" in (link.get("rel") or "").lower().split()
    )
    return Extracted(
        text=text,
        title=_field(getattr(found, "title", None)) or _field(tree.findtext(".//title")),
        author=_field(getattr(found, "author", None)),
        published=_field(getattr(found, "date", None)),
        canonical_url=next(canonical, ""),
        description=_field(getattr(found, "description", None)),
    )


def visible_text(page: str) -> str:
    """All text that a reader sees, in document order; empty where there is none."""
    tree = _parse(page)
    return _text(tree) if tree is not None else ""


def decode_html(data: bytes, charset: str = "") -> str:
    """Decode as browsers do: byte order mark, `charset` of the transport, declaration in the page.

    Undeclared bytes are UTF-8 if they can be, else guessed. Never fails: what does not decode is
    replaced.
    """
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if data.startswith(mark):
            return data[len(mark) :].decode(name, "replace")
    named = _codec(charset) or _declared(data)
    for name in (named, "utf-8"):
        try:
            if name:
                return data.decode(name)
        except ValueError:
            continue
    return data.decode(named or _guess(data), "replace")


def charset_of(content_type: str) -> str:
    """The charset that a content type names; empty if it names none."""
    match = _CHARSET.search(content_type)
    return next(filter(None, match.groups()), "") if match else ""


def _codec(label: str) -> str:
    """Python's name for an encoding label of the web; empty if there is none."""
    label = label.strip().lower()
    if not label or not label.isascii() or "\0" in label:
        return ""
    try:
        name = codecs.lookup(label).name
        "".encode(label)  # refuses codecs that are no text encodings
    except LookupError:
        return ""
    return "" if NOT_OF_THE_WEB.match(name) else WIDER.get(name, name)


def _declared(data: bytes) -> str:
    """The encoding that a `meta` element at the beginning of the page names."""
    tree = _parse(data[:PRESCAN_BYTES].decode("latin-1"))
    for meta in tree.iter("meta") if tree is not None else ():
        label = meta.get("charset") or ""
        if not label and (meta.get("http-equiv") or "").lower() == "content-type":
            label = charset_of(meta.get("content") or "")
        if name := _codec(label):
            return name
    return ""


def _guess(data: bytes) -> str:
    from charset_normalizer import from_bytes

    sample = data[:ENCODING_SAMPLE_BYTES]
    if sum(byte > 127 for byte in sample) < GUESS_FROM:
        return "cp1252"
    best = from_bytes(sample).best()
    return _codec(best.encoding) or "cp1252" if best else "cp1252"


@cache
def _parser() -> HTMLParser:
    from lxml.html import HTMLParser

    return HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)


def _parse(page: str) -> HtmlElement | None:
    from lxml.etree import LxmlError
    from lxml.html import document_fromstring

    data = _CONTROL.sub("", page.replace("\0", "")).encode("utf-8", "replace")
    try:
        return document_fromstring(data, parser=_parser())
    except (LxmlError, ValueError, AssertionError):  # nothing but white space or comments
        return None


def _trafilatura(page: str, url: str) -> Any:
    """trafilatura's Document, or None where it finds no article."""
    for name in ("trafilatura", "htmldate", "courlan"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    import trafilatura

    try:
        return trafilatura.bare_extraction(
            page,
            url=url or None,
            include_comments=False,
            with_metadata=True,
            date_extraction_params={"original_date": True, "extensive_search": False},
        )
    except Exception:  # noqa: BLE001  heuristics over hostile markup; the plain text is left
        return None


def _field(value: object) -> str:
    text = " ".join(_CONTROL.sub(" ", value).split()) if isinstance(value, str) else ""
    return text[:MAX_FIELD_CHARS]


def _text(root: _Element) -> str:
    return "\n\n".join(filter(None, _blocks(root)))


def _blocks(element: _Element) -> Iterator[str]:
    """The blocks of text in `element`, in order; loose text is a block of its own."""
    loose: list[str] = [element.text or ""]
    for child in element:
        if child.tag in UNSEEN and not _is_heading(child):
            pass
        elif _holds_block(child):
            yield _paragraph(loose)
            loose.clear()
            yield from _block(child)
        else:
            loose.append(_inline(child))
        loose.append(child.tail or "")
    yield _paragraph(loose)


def _holds_block(element: _Element) -> bool:
    return any(
        inner.tag in BLOCKS or (inner.tag == "code" and "\n" in "".join(map(str, inner.itertext())))
        for inner in element.iter()
    )


def _block(element: _Element) -> Iterator[str]:
    if _is_heading(element):
        level = (element.get("rend") or str(element.tag))[-1]
        words = " ".join(_inline(element).split())
        yield f"{'#' * int(level) if level in '123456' else '##'} {words}" if words else ""
    elif element.tag in ("list", "ul", "ol", "menu", "dir", "dl"):
        yield "\n".join(filter(None, map(_item, element)))
    elif element.tag == "table" and (rows := _rows(element)):
        yield "\n".join(filter(None, rows))
    elif element.tag in ("pre", "code"):
        code = _inline(element).replace("\v", "\n").strip("\n").rstrip()
        yield "\n".join(f"    {line}" for line in code.split("\n")) if code else ""
    else:
        yield from _blocks(element)


def _is_heading(element: _Element) -> bool:
    """h1 to h6, or trafilatura's `head`, which says its level in `rend`."""
    tag = str(element.tag)
    return (len(tag) == 2 and tag[0] == "h" and tag[1] in "123456") or (
        tag == "head" and element.get("rend") is not None
    )


def _item(element: _Element) -> str:
    if element.tag in UNSEEN:
        return ""
    parts = [block.lstrip("# ") if block.startswith("#") else block for block in _blocks(element)]
    parts = list(filter(None, parts))
    return "- " + "\n".join(parts).replace("\n", "\n  ") if parts else ""


def _rows(table: _Element) -> list[str]:
    """One line a row; none where the table only lays out the page."""
    if any(_holds_block(part) for cell in table.iter("td", "th") for part in cell):
        return []
    rows = []
    for row in table.iter("row", "tr"):
        cells = (cell for cell in row if cell.tag in ("cell", "td", "th"))
        texts = [" ".join(_inline(cell).split()) for cell in cells]
        rows.append(" | ".join(texts) if any(texts) else "")
    return rows


def _inline(element: _Element) -> str:
    """All text inside, as it stands; a line break is a newline, a block is set apart."""
    if element.tag in UNSEEN and not _is_heading(element):
        return ""
    if element.tag in ("br", "lb"):
        return "\v"
    parts = [element.text or ""]
    for child in element:
        gap = " " if child.tag in BLOCKS else ""
        parts += (gap, _inline(child), gap, child.tail or "")
    return "".join(parts)


def _paragraph(parts: list[str]) -> str:
    lines = (" ".join(line.split()) for line in "".join(parts).split("\v"))
    return _HEADING_LIKE.sub(" ", "\n".join(filter(None, lines)))
