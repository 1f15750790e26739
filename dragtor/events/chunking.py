"""Long texts in chunks that a small model can read, and their events put together again.

Owns where a text is cut, which sentences can hold no event, and which two finds are of one
event. Knows no model: tokens are counted by whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, pairwise

from dragtor.dates.words import HOURS, MONTHS
from dragtor.events.spans import CharSpan, EventSpans

CHUNK_TOKENS = 320  # of a text that is read at once
OVERLAP_TOKENS = 80  # that two chunks share, at most
_CUT = re.compile(r"\n\s*|(?<=[.!?…])\s+")
_ONES = "|".join(HOURS)
_LONG = "minutes?|hours?|days?|weeks?|months?|years?|quarters?"
_DAYS = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:days?)?"
_MONTHS = "|".join(name for name in MONTHS if name != "may")
# What a sentence with an event, or its neighbour, has. Only texts longer than a chunk are searched
# for it: what has none of it, and stands beside nothing that has, is not read.
_HINT = re.compile(
    rf"""\d|\b(?:{_DAYS}|{_MONTHS}|(?:mid|late|early)\s+may)\b
    |\bmay\s+(?:the\s+)?[a-z-]+(?:st|nd|rd|th)\b|\bto(?:day|nite|night|morr?ow)|\btmrw?\b|\btomm?or
    |\bnoon|\bmid(?:day|night)|morning|afternoon|evening|\bnight|\bdawn\b|\bsunset|\bsunrise
    |(?:lunch|dinner|breakfast)\s?time|o'?\s?clock|\b(?:yesterday|now|tonite)\b
    |\b(?:half|quarter|five|ten|twenty)\s+(?:an|past|to|after|before|{_ONES})\b
    |\b(?:at|past|around|about|until|till|by)\s+(?:{_ONES})\b
    |\b(?:{_ONES})\s+(?:[ap]\s?\.?\s?m\b|thirty|fifteen|forty|twenty|ten|oh)
    |\b(?:in|every|each|next|last|this|coming|following|previous|other)\s+(?:[a-z]+\s+)?(?:{_LONG})\b
    |\b(?:{_ONES}|an?|half)\s+(?:hours?|minutes?)\b|\b(?:{_LONG})\s+(?:from|after\s+next)\b
    |\b(?:end|beginning|start|middle)\s+of\b|\b(?:dai|week|month|quarter|year)ly\b|\bbi-?(?:week|month)
    |\bfortnight|\bannual(?:ly)?\b|\bweek(?:end|day)s?\b|\b(?:once|twice|times)\s+(?:an?|per)\b
    |\bthe\s+(?:first|second|third|twent|thirt|[a-z]+(?:enth|ieth|fth|xth|hth|nth))
    |\b(?:christmas|xmas|easter|thanksgiving|halloween|new\s+year|birthday|holiday|eve)\b|'s?\s+day\b
    |\bremind|\bschedul|\bcalendar|\bappointment|\bappt|\binvit|\brsvp|\bdeadline|\bmeeting\b
    """,
    re.I | re.X,
)


def chunks(text: str, count: Callable[[str], int]) -> Iterator[CharSpan]:
    """Stretches of at most CHUNK_TOKENS that overlap, cut at the ends of lines and sentences.

    Of a longer text, those that may hold an event; `count` tells the tokens of a stretch.
    """
    pieces: list[tuple[CharSpan, int]] = []
    at = 0
    for end in [*(match.end() for match in _CUT.finditer(text)), len(text)]:
        if text[at:end].strip():
            pieces += _pieces(text, (at, end), count)
            at = end
    if sum(tokens for _, tokens in pieces) > CHUNK_TOKENS:
        hints = [bool(_HINT.search(text, *span)) for span, _ in pieces]
        around = [any(hints[max(0, i - 1) : i + 2]) for i in range(len(pieces))]
    else:
        around = [True] * len(pieces)
    for wanted, run in groupby(range(len(pieces)), key=around.__getitem__):
        if wanted:
            yield from _overlapping([pieces[i] for i in run])


def hinted_sentences(text: str) -> list[CharSpan]:
    """The sentences that may hold an event; none where the text is but one sentence."""
    ends = [*(match.end() for match in _CUT.finditer(text)), len(text)]
    spans = [(a, b) for a, b in pairwise([0, *ends]) if text[a:b].strip()]
    return [span for span in spans if _HINT.search(text, *span)] if len(spans) > 1 else []


def _overlapping(pieces: Sequence[tuple[CharSpan, int]]) -> Iterator[CharSpan]:
    """Chunks over pieces that stand side by side."""
    first = 0
    while first < len(pieces):
        last, size = first, 0
        while last < len(pieces) and (last == first or size + pieces[last][1] <= CHUNK_TOKENS):
            size += pieces[last][1]
            last += 1
        yield pieces[first][0][0], pieces[last - 1][0][1]
        if last == len(pieces):
            return
        shared, start, first = 0, first, last
        while first - 1 > start and shared + pieces[first - 1][1] <= OVERLAP_TOKENS:
            first -= 1
            shared += pieces[first][1]


def _pieces(text: str, span: CharSpan, count: Callable[[str], int]) -> list[tuple[CharSpan, int]]:
    """`span` with its tokens, halved at a space for as long as it is too long for a chunk."""
    start, end = span
    tokens = count(text[start:end]) if end - start > 16 else end - start
    if tokens <= CHUNK_TOKENS or end - start < 2:
        return [(span, tokens)]
    middle = start + (end - start) // 2
    space = text.rfind(" ", start + 1, middle)
    cut = space if space > start else middle
    return _pieces(text, (start, cut), count) + _pieces(text, (cut, end), count)


def with_offset(event: EventSpans, by: int) -> EventSpans:
    """`event` with its characters counted from elsewhere."""
    spans = {
        name: tuple((start + by, end + by) for start, end in some)
        for name, some in event.spans.items()
    }
    return EventSpans(spans, event.confidence)


def merge(found: list[EventSpans], new: EventSpans) -> list[EventSpans]:
    """`found` and `new`; where two chunks hold one event, the fuller of the two."""
    for at, old in enumerate(found):
        if old.spans.keys() & new.spans.keys() and _same(old, new):
            full = max(old, new, key=lambda one: sum(map(len, one.spans.values())))
            return [*found[:at], full, *found[at + 1 :]]
    return [*found, new]


def _same(one: EventSpans, other: EventSpans) -> bool:
    """Whether two finds have their action in common, and no time or date apart."""
    (a, b), (c, d) = one.spans["action"][0], other.spans["action"][0]
    if a >= d or c >= b:
        return False
    return all(
        one.spans[name] == other.spans[name]
        for name in ("date", "time")
        if name in one.spans and name in other.spans
    )
