"""Where a span of a document stands in its original, a link that opens there, and its citation.

Pure; knows the link forms of pages (`#:~:text=`, W3C text fragments), pdf (`#page=`), recordings
(`#t=`, media fragments; `&t=` for video sites) and pictures (`#xywh=`, media fragments too).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import quote as percent
from urllib.parse import urlsplit

from dragtor.pictures import PixelBox, box_of
from dragtor.types import Citation, Document

FRAGMENT_WORDS = 5  # at each end of a longer quote
VIDEO_SITES = ("youtube.com", "youtu.be", "vimeo.com")


class Place(NamedTuple):
    """What a citation says of a span, in a Citation's order; None where it does not apply."""

    url: str
    page: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    speaker: str | None = None
    box: PixelBox | None = None


def place(document: Document, start: int, end: int, speakers: Collection[str] = ()) -> Place:
    """The place of `document.text[start:end]`: of its first segment, to the end of its last.

    With `speakers`, of those segments only where one of these names speaks, if there are any.
    """
    touched = [s for s in document.segments if s.start < end and s.end > start]
    if speakers:
        theirs = (s for s in touched if document.speaker_name(s.speaker) in speakers)
        touched = [*theirs] or touched
    if not touched:
        return Place(_link(document, start, end, None, None))
    first, last = touched[0], touched[-1]
    box = box_of(document, start, end)
    url = _link(document, start, end, first.page, first.start_s, box)
    name = document.speaker_name(first.speaker)
    return Place(url, first.page, first.start_s, last.end_s, name, box)


def cited(document: Document, start: int, end: int, n: int = 1) -> Citation:
    """`document.text[start:end]` as the citation of this number."""
    quote, where = document.text[start:end], place(document, start, end)
    return Citation(n, quote, document.id, start, end, document.title, *where)


def _link(
    document: Document,
    start: int,
    end: int,
    page: int | None,
    start_s: float | None,
    box: PixelBox | None = None,
) -> str:
    if "://" not in document.uri:  # stdin
        return document.uri
    base = document.uri.partition("#")[0]
    if box is not None and "size" in document.meta:  # a picture's
        left, top, right, bottom = map(round, box)
        numbered = f"page={page}&" if page is not None else ""
        return f"{base}#{numbered}xywh={left},{top},{right - left},{bottom - top}"
    if page is not None:
        return f"{base}#page={page}"
    if start_s is not None:
        return _timed(base, int(start_s))
    if document.is_recording:  # what is written about it stands on its page
        base = str(document.meta.get("page", "")).partition("#")[0]
        if not base:
            return document.uri
    return f"{base}#:~:text={text_fragment(document.text[start:end])}"


def _timed(base: str, seconds: int) -> str:
    host = (urlsplit(base).hostname or "").removeprefix("www.")
    if host not in VIDEO_SITES:
        return f"{base}#t={seconds}"
    return f"{base}{'&' if '?' in base else '?'}t={seconds}"


def text_fragment(text: str) -> str:
    """The directive after `#:~:text=`: the whole text, or its first and last words."""
    lines = [words for line in text.splitlines() if (words := _words(line))] or [[]]
    if len(lines) == 1 and len(lines[0]) <= 2 * FRAGMENT_WORDS:
        return _escape(lines[0])
    return f"{_escape(lines[0][:FRAGMENT_WORDS])},{_escape(lines[-1][-FRAGMENT_WORDS:])}"


def _words(line: str) -> list[str]:
    bare = (re.sub(r"^([-*#>]+|\d+\.)$", "", word) for word in line.split())
    return [word for word in bare if word]


def _escape(words: list[str]) -> str:
    """Percent-encode, with `-` and `,` too: both have a meaning in the directive."""
    whole = " ".join(words).encode("utf-8", "replace")
    return percent(whole, safe="").replace("-", "%2D")
