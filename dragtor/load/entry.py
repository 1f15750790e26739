"""A feed's bytes as a Show with its Entries: RSS, Atom, and the namespaces of podcasts.

feedparser reads every flavour; the tree adds the podcast namespace, of which feedparser keeps one
element a name. Knows no network and no cache.
"""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from dragtor.errors import LoadError
from dragtor.load.address import check_url, clean_url, shown
from dragtor.load.captions import caption_kind
from dragtor.load.feedxml import feed_tree, well_formed
from dragtor.load.html import charset_of, visible_text
from dragtor.types import short_hash

if TYPE_CHECKING:
    from lxml.etree import _Element

STORED_VERSION = 1  # of the stored form
MAX_TITLE_CHARS = 1_000
AUDIO_ENDS = ("mp3", "m4a", "m4b", "aac", "ogg", "oga", "opus", "wav", "flac")
VIDEO_ENDS = ("mp4", "m4v", "mov", "webm", "mkv")
HEADING_LIKE = re.compile(r"^(?=#{1,6}[ \t])", re.M)
SHORT = (
    "author category contributor copyright created creator date email expirationDate generator guid"
    " id issued lastBuildDate link managingEditor modified name publisher published pubDate"
    " rights title updated uri url webMaster"
).split()
MARKUP = re.compile(r"<[^<>]*>")


@dataclass(frozen=True, slots=True)
class TranscriptLink:
    """Where a published transcript is; `kind` as captions reads it."""

    url: str
    kind: str
    language: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A post or an episode. `uri` is unique in its feed; absent fields are empty or 0."""

    uri: str = ""
    stamp: str = ""  # changes when anything that is read of it does
    title: str = ""
    author: str = ""
    published: str = ""  # ISO 8601 date
    page: str = ""
    content: str = ""  # as it came; `text_of` reads it
    is_html: bool = True
    is_whole: bool = False  # the feed calls it the content, not a summary
    enclosure: str = ""
    media: str = ""  # audio, video, or empty: nothing to hear
    size: int = 0  # bytes of the enclosure, as the feed says
    season: int = 0
    episode: int = 0
    transcripts: tuple[TranscriptLink, ...] = ()
    chapters_url: str = ""
    chapters: tuple[tuple[float, str], ...] = ()  # seconds, title


@dataclass(frozen=True, slots=True)
class Show:
    """What a feed says of itself, and its entries, newest first."""

    title: str
    author: str
    language: str  # two letters, or empty
    entries: tuple[Entry, ...]


def read_feed(data: bytes, url: str, content_type: str = "") -> Show:
    """Read a feed; raises LoadError on what is none, and on one that lists no entry."""
    import io

    import feedparser

    root = feed_tree(data, url, charset_of(content_type))
    _cut(root)
    told = {"content-location": url, "content-type": "application/xml; charset=utf-8"}
    try:
        found = feedparser.parse(
            io.BytesIO(well_formed(root, url)),
            response_headers=told,
            sanitize_html=False,
            resolve_relative_uris=False,
        )
        extras = list(_namespace(root))
        if len(extras) != len(found.entries):
            extras = [{}] * len(found.entries)
        entries = [
            _entry(entry, extra, url) for entry, extra in zip(found.entries, extras, strict=True)
        ]
    except LoadError:
        raise
    except Exception as error:  # a parser over hostile text fails in many ways
        raise LoadError(f"not a feed that can be read: {shown(url)}") from error
    if not found.entries:
        what = "lists no entries" if found.version else "is no feed"
        raise LoadError(f"{shown(url)} {what}")
    show = found.feed
    entries.sort(key=lambda entry: entry.published, reverse=True)
    return Show(
        _line(show.get("title")),
        _author(show),
        str(show.get("language") or "")[:2].lower(),
        tuple(_addressed(entries, _address(show.get("link"), url), url)),
    )


def _entry(entry: Mapping[str, Any], extra: Mapping[str, Any], base: str) -> Entry:
    content, is_html, is_whole = _content(entry)
    enclosure, media, size = _enclosure(entry, base)
    made = Entry(
        uri=str(entry.get("id") or ""),  # for now: what the feed calls it
        title=_line(entry.get("title")),
        author=_author(entry),
        published=_date(entry),
        page=_address(entry.get("link"), base),
        content=content,
        is_html=is_html,
        is_whole=is_whole,
        enclosure=enclosure,
        media=media,
        size=size,
        season=_number(entry.get("itunes_season")) or _number(extra.get("season")),
        episode=_number(entry.get("itunes_episode")) or _number(extra.get("episode")),
        transcripts=tuple(
            TranscriptLink(address, kind, language.lower())
            for url, mime, language in extra.get("transcripts", ())
            if (address := _address(url, base)) and (kind := caption_kind(mime, address))
        ),
        chapters_url=_address(extra.get("chapters"), base),
        chapters=_simple_chapters(entry),
    )
    return replace(made, stamp=_hash_of(made))


def _hash_of(entry: Entry) -> str:
    """Queries of addresses are left out: some feeds sign them anew for every reader."""
    addresses = [entry.page, entry.enclosure, *(t.url for t in entry.transcripts)]
    return short_hash(
        entry.title,
        entry.author,
        entry.published,
        MARKUP.sub(" ", entry.content),
        str(entry.size),
        entry.chapters_url.partition("?")[0],
        *(address.partition("?")[0] for address in addresses),
        *(title for _, title in entry.chapters),
    )


def _addressed(entries: Sequence[Entry], home: str, feed: str) -> Iterator[Entry]:
    """Give each its own address: its page, its enclosure, or a mark in the feed.

    A page that two entries name, or that is the show's own, tells none of them apart.
    """
    pages = Counter(entry.page for entry in entries)
    enclosures = Counter(entry.enclosure for entry in entries)
    marks = Counter[str]()
    for entry in entries:
        page = clean_url(entry.page)
        if page and page != clean_url(home) and pages[entry.page] == 1:
            yield replace(entry, uri=page)
        elif entry.media and enclosures[entry.enclosure] == 1:
            yield replace(entry, uri=clean_url(entry.enclosure), page=entry.page)
        else:
            mark = short_hash(entry.uri, entry.title, entry.published)
            marks[mark] += 1
            again = f"-{marks[mark]}" if marks[mark] > 1 else ""
            yield replace(entry, uri=f"{feed.partition('#')[0]}#{mark}{again}")


def text_of(entry: Entry) -> str:
    """What is written in the entry, as plain text."""
    if entry.is_html:
        return visible_text(entry.content) if entry.content.strip() else ""
    lines = (" ".join(line.split()) for line in entry.content.splitlines())
    return HEADING_LIKE.sub(" ", re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip())


# Fields


def _content(entry: Mapping[str, Any]) -> tuple[str, bool, bool]:
    """The longest that is written; whether it is html; whether it is called the content."""
    details = [(part, True) for part in entry.get("content") or ()]
    details.append((entry.get("summary_detail") or {}, False))
    best, is_html, is_whole = "", True, False
    for detail, whole in details:
        value = str(detail.get("value") or "")
        if len(value) > len(best):
            best, is_whole = value, whole
            is_html = "html" in str(detail.get("type") or "html")
    return best, is_html, is_whole


def _enclosure(entry: Mapping[str, Any], base: str) -> tuple[str, str, int]:
    """Address, medium and bytes of what can be heard, or seen; sound comes first."""
    links = [link for link in entry.get("links") or () if link.get("rel") == "enclosure"]
    found = []
    for link in [*links, *(entry.get("media_content") or ())]:
        url = _address(link.get("href") or link.get("url"), base)
        medium = _medium(str(link.get("type") or link.get("medium") or ""), url)
        if url and medium:
            size = _number(link.get("length") or link.get("filesize"))
            found.append((url, medium, size))
    return min(found, key=lambda row: row[1], default=("", "", 0))  # audio before video


def _medium(kind: str, url: str) -> str:
    medium = kind.strip().lower().partition("/")[0]
    if medium in ("audio", "video"):
        return medium
    if medium in ("image", "text") or "pdf" in kind.lower() or "torrent" in kind.lower():
        return ""
    end = url.partition("#")[0].partition("?")[0].rpartition(".")[2].lower()
    return "audio" if end in AUDIO_ENDS else "video" if end in VIDEO_ENDS else ""


def _address(value: object, base: str) -> str:
    """An http(s) address in its normal form, empty where it is none."""
    if not isinstance(value, str) or not value.strip():
        return ""
    try:
        return check_url(value.strip(), base=base, allow_private=True)
    except LoadError:
        return ""


def _line(value: object) -> str:
    text = value if isinstance(value, str) else ""
    return " ".join(html.unescape(MARKUP.sub("", text)).split())[:MAX_TITLE_CHARS]


def _author(holder: Mapping[str, Any]) -> str:
    detail = holder.get("author_detail") or {}
    name = _line(detail.get("name") or holder.get("author"))
    if in_brackets := re.fullmatch(r"\S+@\S+ \(([^()]+)\)", name):  # RSS: a@b.org (Ann)
        name = in_brackets[1].strip()
    return "" if "@" in name and " " not in name else name


def _date(entry: Mapping[str, Any]) -> str:
    for name in ("published_parsed", "updated_parsed", "created_parsed"):
        if name in entry and (when := entry[name]) and 1000 <= when[0] <= 9999:
            return f"{when[0]:04d}-{when[1]:02d}-{when[2]:02d}"
    return ""


def _cut(root: _Element) -> None:
    """Shorten what is no text to read: to make a date of a megabyte takes feedparser hours."""
    for element in root.iter(*(f"{{*}}{name}" for name in SHORT)):
        if element.text and len(element.text) > MAX_TITLE_CHARS:
            element.text = element.text[:MAX_TITLE_CHARS]


def _number(value: object) -> int:
    match = re.fullmatch(r"\s*(\d{1,12})\s*", value, re.A) if isinstance(value, str) else None
    return int(match[1]) if match else 0


def _simple_chapters(entry: Mapping[str, Any]) -> tuple[tuple[float, str], ...]:
    """Podlove's simple chapters."""
    listed = (entry.get("psc_chapters") or {}).get("chapters") or ()
    return tuple(
        (start.total_seconds(), title)
        for chapter in listed
        if (start := chapter.get("start_parsed")) is not None
        and (title := _line(chapter.get("title")))
    )


def _namespace(root: _Element) -> Iterator[dict[str, Any]]:
    """Of each item, in order: what the podcast namespace says of it."""
    from lxml.etree import QName

    for item in root.iter("{*}item", "{*}entry"):
        extra: dict[str, Any] = {"transcripts": []}
        for child in item.iterchildren("{*}transcript", "{*}chapters", "{*}episode", "{*}season"):
            name = QName(child)
            if "podcast" not in (name.namespace or "").lower():
                continue
            if name.localname == "transcript":
                told = [str(child.get(key) or "") for key in ("url", "type", "language")]
                extra["transcripts"].append(told)
            elif name.localname == "chapters":
                extra["chapters"] = child.get("url")
            else:
                extra[name.localname] = child.text
        yield extra


# The stored form


def stored(show: Show, raw_hash: str) -> bytes:
    """A show as JSON; `raw_hash` is of the bytes it was read from."""
    data = {"version": STORED_VERSION, "raw": raw_hash, "show": asdict(show)}
    return json.dumps(data, ensure_ascii=False).encode("utf-8", "replace")


def restored(data: bytes) -> tuple[Show, str] | None:
    """What `stored` made; None if another version made it."""
    try:
        found = json.loads(data)
        if found["version"] != STORED_VERSION:
            return None
        entries = [
            Entry(
                **entry
                | {
                    "transcripts": tuple(TranscriptLink(**each) for each in entry["transcripts"]),
                    "chapters": tuple((start, title) for start, title in entry["chapters"]),
                }
            )
            for entry in found["show"]["entries"]
        ]
        return Show(**found["show"] | {"entries": tuple(entries)}), found["raw"]
    except (ValueError, TypeError, KeyError):
        return None
