"""Where a span of a document stands in its original, and a link that opens there.

Pure; knows the link forms of pages (`#:~:text=`, W3C text fragments), pdf (`#page=`), recordings
(`#t=`, media fragments; `&t=` for video sites) and pictures (`#xywh=`, media fragments too).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple
from urllib.parse import quote as percent
from urllib.parse import urlsplit

from dragtor.types import Document, Segment

FRAGMENT_WORDS = 5  # at each end of a longer quote
Box = tuple[float, float, float, float]  # left, top, right, bottom; see Segment
NARROW = frozenset(" .,;:!|'`()[]/ijlftrI1-")
WIDE = frozenset("mwMW@%")
VIDEO_SITES = ("youtube.com", "youtu.be", "vimeo.com")


class Place(NamedTuple):
    """What a citation says of a span, in a Citation's order; None where it does not apply."""

    url: str
    page: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    speaker: str | None = None
    box: Box | None = None


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


def _link(
    document: Document,
    start: int,
    end: int,
    page: int | None,
    start_s: float | None,
    box: Box | None = None,
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


def line_boxes(document: Document, start: int, end: int) -> list[tuple[int, Box]]:
    """The page and the box of each line of a picture that `text[start:end]` touches.

    Of a line that is touched in part, the box is cut where the letters of that part stand, told by
    their usual widths. The page is 1 where there is one only.
    """
    touched = (s for s in document.segments if s.box and s.start < end and s.end > start)
    return [(s.page or 1, _cut(document.text, s, start, end)) for s in touched]


def box_of(document: Document, start: int, end: int) -> Box | None:
    """What holds all of `line_boxes` on the first page that they are on; None without any."""
    boxes = line_boxes(document, start, end)
    on_page = [box for page, box in boxes if page == boxes[0][0]]
    if not on_page:
        return None
    lefts, tops, rights, bottoms = zip(*on_page, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _cut(text: str, segment: Segment, start: int, end: int) -> Box:
    assert segment.box is not None  # as line_boxes has it
    left, top, right, bottom = segment.box
    first, last = max(start, segment.start), min(end, segment.end)
    whole = _width(text[segment.start : segment.end]) or 1.0
    scale = (right - left) / whole
    before = scale * _width(text[segment.start : first])
    inside = scale * _width(text[first:last])
    return round(left + before, 1), top, round(left + before + inside, 1), bottom


def _width(text: str) -> float:
    """How wide letters are in the fonts that pages are set in, in shares of a usual letter."""
    return sum(
        0.5 if c in NARROW else 1.5 if c in WIDE else 1.25 if c.isupper() else 1.0 for c in text
    )


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
