"""Lines of a picture in blocks, and the blocks in the order in which they are read.

A block is what stands together: lines under each other, less than a line apart. Panes and columns
are read one after the other, what alternates from side to side (bubbles of a chat) from the top.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

from dragtor.ocr.base import OcrLine, OcrPage
from dragtor.pictures import PixelBox, box_around

LineRow = list[OcrLine]  # what stands beside each other in one line of a block

SAME_ROW = 0.5  # of the lower one's height, shared by what stands in one row
BESIDE = 1.0  # heights: what stands further apart in a row is of another block
LABEL_REACH = 12.0  # heights: how far right of a label ("From:") its value is looked for
LINE_GAP = 1.0  # heights between two lines of a block, at most
LIKE_HEIGHT = 1.7  # times: a line so much higher than the next one is a heading over it
COLUMN_GAP = 1.0  # heights between two columns, at least
PARALLEL = 0.3  # of the shorter one's height, that two columns stand side by side


def blocks(page: OcrPage) -> list[list[OcrLine]]:
    """The lines of each block in reading order; see `rows_of` for which of them share a row."""
    return [[line for row in block for line in row] for block in blocks_of_rows(page)]


def blocks_of_rows(page: OcrPage) -> list[list[LineRow]]:
    """The blocks in reading order, each its rows from the top, each row its lines from the left."""
    chained = _chained(_rows(page.lines))
    if not chained:
        return []
    height = median(line.height for line in page.lines)
    boxes = [box_around(line.box for row in block for line in row) for block in chained]
    return [chained[n] for n in _ordered(list(range(len(chained))), boxes, height)]


# Rows


def _rows(lines: Sequence[OcrLine]) -> list[LineRow]:
    """Lines that stand beside each other put together, from the left."""
    rows: list[LineRow] = []
    for line in sorted(lines, key=lambda each: (each.box[0], each.box[1])):
        near = [(line.box[0] - row[-1].box[2], row) for row in rows if _goes_on(row[-1], line)]
        if near:
            min(near, key=lambda each: abs(each[0]))[1].append(line)
        else:
            rows.append([line])
    return rows


def _goes_on(before: OcrLine, line: OcrLine) -> bool:
    """Whether `line` stands right of the other in its row, near or as its label's value."""
    height = min(before.height, line.height)
    if _shared(before.box, line.box, 1) < SAME_ROW * height:
        return False
    gap = line.box[0] - before.box[2]
    reach = LABEL_REACH if before.text.endswith(":") else BESIDE
    return -height < gap < reach * height


# Blocks


def _chained(rows: list[LineRow]) -> list[list[LineRow]]:
    """Rows that follow each other downwards; each has one above it and one below, at most."""
    boxes = [box_around(line.box for line in row) for row in rows]
    pairs = [
        (cost, above, below)
        for above, below in _near(boxes)
        if above != below and (cost := _step(boxes[above], boxes[below])) is not None
    ]
    next_of: dict[int, int] = {}
    has_above: set[int] = set()
    for _, above, below in sorted(pairs):
        if above not in next_of and below not in has_above:
            next_of[above] = below
            has_above.add(below)
    found = []
    for first in (n for n in range(len(rows)) if n not in has_above):
        chain = [first]
        while (following := next_of.get(chain[-1])) is not None:
            chain.append(following)
        found.append([rows[n] for n in chain])
    return found


def _near(boxes: Sequence[PixelBox]) -> Iterator[tuple[int, int]]:
    """Boxes, each with those that begin so near its foot that `_step` may allow them."""
    order = sorted(range(len(boxes)), key=lambda n: boxes[n][1])
    tops = [boxes[n][1] for n in order]
    for above, (_, top, _, bottom) in enumerate(boxes):
        height = bottom - top
        first = bisect_left(tops, bottom - height / 2)
        for below in order[first : bisect_right(tops, bottom + LINE_GAP * height)]:
            yield above, below


def _step(above: PixelBox, below: PixelBox) -> float | None:
    """How ill one row follows the other: what is between, and how far they are set off.

    None where it does not follow at all.
    """
    heights = above[3] - above[1], below[3] - below[1]
    height = min(heights)
    gap = below[1] - above[3]
    middles = (below[1] + below[3]) / 2 - (above[1] + above[3]) / 2
    if height <= 0 or max(heights) > LIKE_HEIGHT * height or middles < height / 2:
        return None
    if not -height / 2 < gap < LINE_GAP * height or _shared(above, below, 0) <= 0:
        return None
    off = min(abs(above[0] - below[0]), abs(above[0] + above[2] - below[0] - below[2]) / 2)
    return gap / height + off / height / 4


def _shared(a: PixelBox, b: PixelBox, axis: int) -> float:
    """Pixels that two boxes share across (0) or down (1); negative: what lies between them."""
    return min(a[axis + 2], b[axis + 2]) - max(a[axis], b[axis])


# Order


def _ordered(numbers: list[int], boxes: Sequence[PixelBox], height: float) -> Iterator[int]:
    """Blocks in reading order, `boxes` by their numbers.

    From the top, strip by strip; where as many strips as can be fall into columns, by columns.
    """
    strips = _parted(numbers, boxes, 1, 0.0)
    while strips:
        taken, columns = 1, [strips[0]]
        for count in _counts_in_columns(strips, boxes, COLUMN_GAP * height):
            found = _columns([n for strip in strips[:count] for n in strip], boxes, height)
            if len(found) > 1:
                taken, columns = count, found
                break
        if len(columns) > 1:
            for column in columns:
                yield from _ordered(column, boxes, height)
        else:
            yield from sorted(strips[0], key=lambda n: (boxes[n][1], boxes[n][0]))
        strips = strips[taken:]


def _counts_in_columns(
    strips: Sequence[Sequence[int]], boxes: Sequence[PixelBox], gap: float
) -> list[int]:
    """How many strips may be in columns, the most first: some boxes of one strip are apart, and
    nothing spans all of them.
    """
    counts: list[int] = []
    spans: list[tuple[float, float]] = []
    apart = False
    for count, strip in enumerate(strips, 1):
        own = _spans([(boxes[n][0], boxes[n][2]) for n in strip], gap)
        apart = apart or len(own) > 1
        spans = _spans([*spans, *own], gap)
        if apart and len(spans) > 1:
            counts.append(count)
    return counts[::-1]


def _spans(sides: Iterable[tuple[float, float]], gap: float) -> list[tuple[float, float]]:
    """What lefts and rights cover, with more than `gap` between."""
    found: list[tuple[float, float]] = []
    for left, right in sorted(sides):
        if found and left - found[-1][1] <= gap:
            left, right = found[-1][0], max(found.pop()[1], right)
        found.append((left, right))
    return found


def _columns(numbers: list[int], boxes: Sequence[PixelBox], height: float) -> list[list[int]]:
    """Columns that stand side by side, from the left; all in one where they do not."""
    found = [[numbers[0]]] if len(numbers) == 1 else _parted(numbers, boxes, 0, COLUMN_GAP * height)
    joined = found[:1]
    for column in found[1:]:
        if _parallel([boxes[n] for n in joined[-1]], [boxes[n] for n in column]):
            joined.append(column)
        else:
            joined[-1] = joined[-1] + column
    return joined


def _parted(
    numbers: list[int], boxes: Sequence[PixelBox], axis: int, gap: float
) -> list[list[int]]:
    """Parts with more than `gap` pixels between them across (0) or down (1)."""
    parts: list[list[int]] = []
    end = 0.0
    for number in sorted(numbers, key=lambda n: boxes[n][axis]):
        if parts and boxes[number][axis] - end <= gap:
            parts[-1].append(number)
        else:
            parts.append([number])
        end = max(end, boxes[number][axis + 2]) if len(parts[-1]) > 1 else boxes[number][axis + 2]
    return parts


def _parallel(left: Sequence[PixelBox], right: Sequence[PixelBox]) -> bool:
    """Whether two columns have enough at the same height."""
    shared = sum(max(0.0, _shared(a, b, 1)) for a in left for b in right)
    lower = min(sum(box[3] - box[1] for box in side) for side in (left, right))
    return shared >= PARALLEL * lower
