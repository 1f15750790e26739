"""A feed's bytes as well-formed XML: decoded, mended, without a document type.

Whatever the damage, what comes out is parsed in time linear to its size. Knows no element but
the roots of feeds.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING

from dragtor.errors import LoadError
from dragtor.load.address import shown
from dragtor.load.html import decode_html

if TYPE_CHECKING:
    from lxml.etree import XMLParser, _Element

PROLOGUE_BYTES = 16_384  # in which the first element of a feed stands
FEED_TYPES = ("application/rss+xml", "application/atom+xml")
PROLOGUE = re.compile(r"\s*(?:<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^>\[]*(?:\[.*?\]\s*)?>)", re.S | re.I)
ROOT = re.compile(r"<(?:[\w.-]{1,50}:)?(rss|feed|rdf|channel)\b", re.I)
DECLARED = re.compile(r"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["']""", re.I)
RSS_IN_RDF = ("purl.org/rss", "netscape.com/rdf", "purl.org/net/rss")
UNFIT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
REFERENCE = re.compile(r"&(?:(#\d{1,8}|#[xX][\da-fA-F]{1,7}|[A-Za-z]\w{1,40});)?")
CDATA = re.compile(r"(<!\[CDATA\[.*?(?:\]\]>|\Z))", re.S)
XML_ENTITIES = ("amp", "lt", "gt", "quot", "apos")
NAME_PREFIX = re.compile(r"[<\s]([A-Za-z_][\w.-]{0,50}):[A-Za-z_]")
NAMESPACES = {  # of prefixes that feeds use and forget to declare
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
    "itunes": "http://www.itunes.com/dtds/podcast-1.0.dtd",
    "media": "http://search.yahoo.com/mrss/",
    "podcast": "https://podcastindex.org/namespace/1.0",
    "psc": "http://podlove.org/simple-chapters",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "sy": "http://purl.org/rss/1.0/modules/syndication/",
}


def is_feed(content_type: str, head: bytes) -> bool:
    """Whether a response is a feed: by its first element, else by its type."""
    text = _decoded(head[:PROLOGUE_BYTES], "")
    place = _after_prologue(text)
    rest = text[place:].lstrip()
    if root := ROOT.match(rest):
        return root[1].lower() != "rdf" or any(name in text.lower() for name in RSS_IN_RDF)
    kind = content_type.partition(";")[0].strip().lower()
    return kind in FEED_TYPES and not re.match(r"<(?:!doctype\s+)?html", rest, re.I)


def feed_tree(data: bytes, url: str, charset: str = "") -> _Element:
    """The root element of a feed; `charset` is the transport's. Raises LoadError on no feed."""
    from lxml import etree

    text = UNFIT.sub("", _decoded(data, charset))
    place = _after_prologue(text[:PROLOGUE_BYTES])
    start = ROOT.search(text, place)
    if not start:
        raise LoadError(f"{shown(url)} is no feed")
    text = text[start.start() :]
    try:
        root = etree.fromstring(text.encode(), _parser(recover=False))
        if next(root.iter(etree.Entity), None) is None:
            return root
    except (etree.XMLSyntaxError, ValueError):
        pass
    try:
        root = etree.fromstring(_mended(text).encode(), _parser(recover=True))
    except (etree.XMLSyntaxError, ValueError):
        root = None
    if root is None:
        raise LoadError(f"not a feed that can be read: {shown(url)}")
    for element in root.iter(etree.Element):
        if ":" in element.tag and element.tag[0] != "{":
            element.tag = element.tag.replace(":", "_")
        for name in [name for name in element.attrib if ":" in name and name[0] != "{"]:
            del element.attrib[name]
    return root


def well_formed(root: _Element, url: str) -> bytes:
    """The XML of a tree as UTF-8; raises LoadError if a strict parser would refuse it."""
    from xml.parsers import expat

    from lxml import etree

    data: bytes = etree.tostring(root, encoding="utf-8", xml_declaration=True, with_tail=False)
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(data, True)
    except expat.ExpatError as error:
        raise LoadError(f"not a feed that can be read: {shown(url)}") from error
    return data


def _parser(*, recover: bool) -> XMLParser:
    from lxml import etree

    return etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_pis=True,
        remove_comments=True,
        recover=recover,
        huge_tree=False,
    )


def _decoded(data: bytes, charset: str) -> str:
    """By its mark, its declaration, or the transport; else as a page would be."""
    for marks, name in (
        ((b"\xff\xfe\0\0", b"<\0\0\0"), "utf-32-le"),
        ((b"\0\0\xfe\xff", b"\0\0\0<"), "utf-32-be"),
        ((b"<\0?\0", b"<\0r\0"), "utf-16-le"),
        ((b"\0<\0?", b"\0<\0r"), "utf-16-be"),
    ):
        if data.startswith(marks):
            return data.decode(name, "replace").lstrip("\ufeff")
    declared = DECLARED.match(data[:400].decode("latin-1"))
    text = decode_html(data, declared[1] if declared else charset)
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    if 2 * text.count("\ufffd") > beyond_ascii:  # declared untruly
        text = decode_html(data)
    return text.lstrip("\ufeff")


def _after_prologue(text: str) -> int:
    place = 0
    while prologue := PROLOGUE.match(text, place):
        place = prologue.end()
    return place


def _mended(text: str) -> str:
    """Entities that XML does not know as characters, bare ampersands escaped, names declared."""
    parts = CDATA.split(text)
    parts[::2] = [REFERENCE.sub(_reference, part) for part in parts[::2]]
    text = "".join(parts)
    used = set(NAME_PREFIX.findall(text))
    missing = sorted(p for p in used if p not in ("xml", "xmlns") and f"xmlns:{p}" not in text)
    names = "".join(f' xmlns:{p}="{NAMESPACES.get(p, f"urn:undeclared:{p}")}"' for p in missing)
    end = re.match(r"<[\w.:-]+", text)
    return f"{text[: end.end()]}{names}{text[end.end() :]}" if end else text


def _reference(match: re.Match[str]) -> str:
    name = match[1]
    if name and name.startswith("#"):
        code = int(name[2:], 16) if name[1] in "xX" else int(name[1:])
        return match[0] if code <= 0x10FFFF and not UNFIT.match(chr(code)) else ""
    if name in XML_ENTITIES:
        return match[0]
    character = unescape(match[0]) if name else ""
    return character if character and character != match[0] else f"&amp;{match[0][1:]}"
