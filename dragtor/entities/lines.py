"""The lines of a text with their boxes and blocks: what rules on mail and chat look at.

Knows a document's text and segments, and nothing of mail. A blank line ends a block.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dragtor import split
from dragtor.entities.spelling import PARTICLES
from dragtor.pictures import PixelBox, box_around
from dragtor.types import Document

WRAPS_AT = 0.6  # of the widest line of its block: such a line goes on in the next one
ROW_SHARED = 0.5  # of the lower of two lines, that both share

_LINE = re.compile(r"[^\n]+")
_ENDS = re.compile(r"[.!?:;]['\"”’)\]]*$")


class TextLine(NamedTuple):
    """A line of text; `text` is without outer white space, `box` None where nothing has one."""

    start: int
    end: int
    text: str
    block: int
    box: PixelBox | None = None


def text_lines(document: Document) -> list[TextLine]:
    """The lines that hold anything, in the order of the text."""
    boxes = _Boxes(document)
    found: list[TextLine] = []
    block, last = 0, 0
    for match in _LINE.finditer(document.text):
        line = match[0].strip()
        if not line:
            continue
        start = match.start() + match[0].index(line[0])
        block += document.text.count("\n", last, start) > 1
        last = start + len(line)
        found.append(TextLine(start, last, line, block, boxes.around(start, last)))
    return found


class _Boxes:
    def __init__(self, document: Document) -> None:
        self._segments = sorted(
            (s for s in document.segments if s.box is not None), key=lambda s: s.start
        )
        self._starts = [segment.start for segment in self._segments]

    def around(self, start: int, end: int) -> PixelBox | None:
        """The box that holds the segments of a stretch."""
        first = max(0, bisect_right(self._starts, start) - 1)
        own = self._segments[first : bisect_left(self._starts, end)]
        boxes = [s.box for s in own if s.box and s.end > start]
        return box_around(boxes) if boxes else None


def beside(lines: Sequence[TextLine], line: TextLine) -> Iterator[TextLine]:
    """The other lines that stand in the same row of the picture."""
    if line.box is None:
        return
    for other in lines:
        if other.box is None or other is line:
            continue
        shared = min(line.box[3], other.box[3]) - max(line.box[1], other.box[1])
        if shared >= ROW_SHARED * min(line.box[3] - line.box[1], other.box[3] - other.box[1]):
            yield other


def paragraphs(text: str, lines: Sequence[TextLine]) -> Iterator[list[TextLine]]:
    """Lines that are read together: one that ends early or at a full stop is the last."""
    widest: dict[int, float] = {}
    for line in lines:
        widest[line.block] = max(widest.get(line.block, 0), _right(line))
    group: list[TextLine] = []
    for line in lines:
        if group and not (
            text[group[-1].end : line.start].isspace()
            and _goes_on(group[-1], line, widest[line.block])
        ):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def sentences_seen(document: Document) -> list[tuple[int, int]] | None:
    """The sentences of a picture, which end where its lines are not read on; None without boxes.

    So the last word of a menu and the first of the next entry make no name.
    """
    if not any(segment.box for segment in document.segments):
        return None
    groups = paragraphs(document.text, text_lines(document))
    read = ((group[0].start, group[-1].end) for group in groups)
    return [place for start, end in read for place in split.sentences(document.text, start, end)]


def _goes_on(line: TextLine, after: TextLine, widest: float) -> bool:
    if line.block != after.block or _ENDS.search(line.text):
        return False
    return _right(line) >= WRAPS_AT * widest and any(
        word[0].islower() and len(word) > 2 and word not in PARTICLES for word in line.text.split()
    )


def _right(line: TextLine) -> float:
    return line.box[2] if line.box else len(line.text)
