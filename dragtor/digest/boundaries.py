"""Where a text turns to another topic: by its headings, else by the vectors of its passages.

Embeds only the sentences around a turn. Does not know what a topic is called.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dragtor.ground.quotes import EmbedTexts
from dragtor.headings import headings
from dragtor.split import sentences
from dragtor.types import Document

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_SECTIONS = 12  # of a document; where its finer headings are more, the coarser ones count
BLOCK = 4  # passages on each side of a gap that are compared
CUTOFF = 0.75  # standard deviations above the mean that a gap must be deep
LEAST_APART = 3  # passages between two boundaries

_Span = tuple[int, int]


class TopicStretch(NamedTuple):
    """Characters of a document on one topic, and the heading over them, or empty."""

    start: int
    end: int
    heading: str = ""


def topic_stretches(
    document: Document, spans: Sequence[_Span], vectors: NDArray[np.float32], embed: EmbedTexts
) -> list[TopicStretch]:
    """The document in its order, a stretch a topic; `spans` and unit `vectors` of its passages."""
    if len(found := sections(document)) > 1:
        return found
    if not spans:
        return []
    turns = [_turn(document.text, spans, vectors, at, embed) for at in boundaries(vectors)]
    starts, ends = [spans[0][0], *turns], [*turns, spans[-1][1]]
    return [TopicStretch(*span) for span in zip(starts, ends, strict=True) if span[0] < span[1]]


def sections(document: Document) -> list[TopicStretch]:
    """What stands under the headings, of the finest level that has MOST_SECTIONS at most.

    Where no level has so few and yet several, of the coarsest that has several. Text before the
    first heading goes under the document's title. Empty without headings.
    """
    lines = [(line.start(), path) for line, path in headings(document.text)]
    several: list[TopicStretch] = []
    for depth in range(max((len(path) for _, path in lines), default=0), 0, -1):
        level = [(at, path[-1]) for at, path in lines if len(path) <= depth]
        found = list(_sections(document, level))
        if len(found) < 2:
            break
        several = found
        if len(found) <= MOST_SECTIONS:
            break
    return several


def _sections(document: Document, opens: Sequence[tuple[int, str]]) -> Iterator[TopicStretch]:
    ends = [*(start for start, _ in opens[1:]), len(document.text)]
    if opens and document.text[: opens[0][0]].strip():
        yield TopicStretch(0, opens[0][0], document.title)
    for (start, heading), end in zip(opens, ends, strict=True):
        body = document.text.find("\n", start, end)
        if body >= 0 and document.text[body:end].strip():
            yield TopicStretch(body + 1, end, heading)


def boundaries(vectors: NDArray[np.float32]) -> list[int]:
    """The passages with which another topic begins: TextTiling (Hearst 1997) over vectors.

    At each gap the mean of BLOCK vectors before it is compared with that of those after it. How
    deep the likeness falls there from the peaks on both sides says how sure a boundary is; those
    CUTOFF standard deviations above the mean are taken, the deepest first, LEAST_APART apart.
    """
    import numpy as np

    if len(vectors) < 2 * LEAST_APART:
        return []
    depths = _depths(np.array([_likeness(vectors, gap) for gap in range(1, len(vectors))]))
    deep = depths.mean() + CUTOFF * depths.std()
    chosen: list[int] = []
    for at in np.argsort(-depths, kind="stable").tolist():
        apart = (abs(at + 1 - other) for other in (0, len(vectors), *chosen))
        if depths[at] > deep and all(gap >= LEAST_APART for gap in apart):
            chosen.append(at + 1)
    return sorted(chosen)


def _turn(
    text: str,
    spans: Sequence[_Span],
    vectors: NDArray[np.float32],
    at: int,
    embed: EmbedTexts,
) -> int:
    """Where in the passages around a boundary the sentences turn from the side before to the other.

    The cut after which the sentences' leanings to the side before sum up to the most.
    """
    import numpy as np

    found = sentences(text, spans[at - 1][0], spans[at][1])
    before = vectors[max(0, at - BLOCK) : at].mean(axis=0)
    after = vectors[at : at + BLOCK].mean(axis=0)
    middle = (before @ before - after @ after) / 2
    leaning = embed([text[start:end] for start, end in found]) @ (before - after) - middle
    best = int(np.concatenate([[0.0], leaning.cumsum()]).argmax())
    return found[best][0] if best < len(found) else spans[at][1]


def _likeness(vectors: NDArray[np.float32], gap: int) -> float:
    import numpy as np

    before = vectors[max(0, gap - BLOCK) : gap].sum(axis=0)
    after = vectors[gap : gap + BLOCK].sum(axis=0)
    lengths = np.linalg.norm(before) * np.linalg.norm(after)
    return float(before @ after / max(lengths, 1e-6))


def _depths(likeness: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each gap lies below the nearest peaks on its left and its right, together."""
    import numpy as np

    found = np.zeros(len(likeness))
    for at, here in enumerate(likeness):
        left = right = at
        while left and likeness[left - 1] >= likeness[left]:
            left -= 1
        while right < len(likeness) - 1 and likeness[right + 1] >= likeness[right]:
            right += 1
        found[at] = likeness[left] + likeness[right] - 2 * here
    return found
