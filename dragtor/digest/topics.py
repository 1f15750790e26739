"""Passages -> topics: stretches of one document, or groups over several.

Reads stored passages and vectors. Does not know what is quoted of a topic, nor what it is called
but for a heading that stands over it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dragtor.digest.boundaries import topic_stretches
from dragtor.digest.choose import groups
from dragtor.ground.quotes import EmbedTexts
from dragtor.store.vectors import passage_vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.store import Store
    from dragtor.types import Document

MOST_TOPICS = 10  # of several documents
MOST_PASSAGES = 20_000  # of several documents that are looked at: an even share of each
MOSTLY = 0.6  # of a group's passages are of one document, which then names it

SpansByDocument = Mapping[
    str, Sequence[tuple[int, int]]
]  # by document: characters that may be quoted


class PlacedPassage(NamedTuple):
    """Characters of a document that are a passage."""

    document_id: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class TopicPassages:
    """Passages on one topic, in their order, their unit vectors, and the heading, or empty."""

    passages: Sequence[PlacedPassage]
    vectors: NDArray[np.float32]
    heading: str = ""


def document_topics(store: Store, document: Document, embed: EmbedTexts) -> list[TopicPassages]:
    """Stretches of a document, in its order; one that is all of it is called by its title."""
    spans, vectors = passage_vectors(store, document.id)
    found = []
    parts = topic_stretches(document, spans, vectors, embed)
    for part in parts:
        own = [n for n, (a, b) in enumerate(spans) if part.start <= (a + b) / 2 < part.end]
        placed = [
            PlacedPassage(document.id, max(spans[n][0], part.start), min(spans[n][1], part.end))
            for n in own
        ]
        heading = part.heading or (document.title if len(parts) == 1 else "")
        if own:
            found.append(TopicPassages(placed, vectors[own], heading))
    return found


def grouped_topics(
    store: Store,
    documents: Sequence[str],
    titles: Mapping[str, str],
    spans: SpansByDocument | None = None,
) -> list[TopicPassages]:
    """Like passages of these documents, the largest group first.

    With `spans` only passages that hold one of them. As many groups as sqrt(passages / 2) (Mardia
    et al. 1979), at most MOST_TOPICS. A group that is MOSTLY of one document has its title, unless
    there is only one.
    """
    import numpy as np

    placed: list[PlacedPassage] = []
    rows: list[NDArray[np.float32]] = []
    counts = store.passage_counts(documents)
    step = math.ceil(sum(counts.values()) / MOST_PASSAGES) or 1
    for document_id in documents:
        own, vectors = passage_vectors(store, document_id)
        taken = [
            n
            for n, span in enumerate(own)
            if (n % step == 0 if spans is None else _touches(span, spans[document_id]))
        ]
        placed += [PlacedPassage(document_id, *own[n]) for n in taken]
        rows += [vectors[taken]] if taken else []
    if not placed:
        return []
    matrix = np.concatenate(rows)
    most = min(MOST_TOPICS, max(1, round(math.sqrt(len(placed) / 2))))
    return [
        TopicPassages(
            [placed[n] for n in group], matrix[group], _title([placed[n] for n in group], titles)
        )
        for group in groups(matrix, most)
    ]


def _touches(span: tuple[int, int], spans: Sequence[tuple[int, int]]) -> bool:
    return any(start < span[1] and end > span[0] for start, end in spans)


def _title(passages: Sequence[PlacedPassage], titles: Mapping[str, str]) -> str:
    (document_id, times), *_ = Counter(each.document_id for each in passages).most_common(1)
    mostly = times >= MOSTLY * len(passages)
    return titles.get(document_id, "") if mostly and len(titles) > 1 else ""
