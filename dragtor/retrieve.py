"""Finding passages: dense and lexical candidates, mixed into one ranking, neighbours joined.

Knows scores and spans; does not know how texts are embedded or indexed, nor what hits are for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dragtor.config import RetrieveConfig
from dragtor.links import place
from dragtor.store import Filters, Found, Store
from dragtor.types import Document, Hit, Hits, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EmbedQueries = Callable[[Sequence[str]], "NDArray[np.float32]"]
MAX_JOINED_CHARACTERS = 3000  # a hit that has grown to this stays as it is


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate: a passage row, its mixed score, its ranks from 1, its cosine."""

    row: int
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    cosine: float


def mix(found: Found, dense_weight: float, candidates: int) -> list[Ranked]:
    """Convex combination of min-max scaled cosine and max-scaled BM25, best first.

    After Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval".
    """
    if not found.dense:
        return []
    low, high = min(found.dense.values()), max(found.dense.values())
    top = max(found.lexical.values(), default=0.0) or 1.0
    dense_ranks = _ranks(found.dense, candidates)
    lexical_ranks = _ranks(found.lexical, candidates)
    mixed = []
    for row, cosine in found.dense.items():
        dense = (cosine - low) / (high - low) if high > low else 1.0
        score = dense_weight * dense + (1 - dense_weight) * found.lexical.get(row, 0.0) / top
        mixed.append(Ranked(row, score, dense_ranks.get(row), lexical_ranks.get(row), cosine))
    return sorted(mixed, key=lambda r: (-r.score, r.row))


def _ranks(scores: Mapping[int, float], n: int) -> dict[int, int]:
    best = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:n]
    return {row: rank for rank, (row, _) in enumerate(best, 1)}


def rank(
    store: Store,
    embed: EmbedQueries,
    query: str,
    config: RetrieveConfig,
    filters: Filters | None = None,
) -> list[Ranked]:
    """Every candidate of both indexes for one query, best first."""
    found = store.find(query, embed([query])[0], config.candidates, filters)
    return mix(found, config.dense_weight, config.candidates)


def search(
    store: Store,
    embed: EmbedQueries,
    query: str,
    config: RetrieveConfig,
    filters: Filters | None = None,
) -> Hits:
    """The `config.k` best hits with their places; touching passages become one hit."""
    return search_documents(store, embed, query, config, filters)[0]


def search_documents(
    store: Store,
    embed: EmbedQueries,
    query: str,
    config: RetrieveConfig,
    filters: Filters | None = None,
) -> tuple[Hits, dict[str, Document]]:
    """As `search`, and every document that was read for it, by id."""
    with store.snapshot():
        ranked = rank(store, embed, query, config, filters)[: 3 * config.k]
        passages = store.passages([r.row for r in ranked])
        documents: dict[str, Document] = {}
        hits: list[Hit] = []
        for r in ranked:
            passage = passages[r.row]
            if passage.document_id not in documents:
                document = store.document(passage.document_id)
                assert document is not None  # one snapshot: a passage has its document
                documents[passage.document_id] = document
            hit = Hit(passage, r.score, r.dense_rank, r.lexical_rank, r.cosine)
            joined = config.join_neighbours and _join(hits, hit, documents)
            if not joined and len(hits) < config.k:
                hits.append(hit)
    return Hits(located(hit, documents[hit.passage.document_id]) for hit in hits), documents


def _join(hits: list[Hit], new: Hit, documents: dict[str, Document]) -> bool:
    """Grow a better hit of the same document that `new` touches; False where there is none."""
    for at, hit in enumerate(hits):
        a, b = hit.passage, new.passage
        document = documents[a.document_id]
        if a.document_id != b.document_id or a.heading != b.heading:
            continue
        start, end = min(a.start, b.start), max(a.end, b.end)
        gap = document.text[min(a.end, b.end) : max(a.start, b.start)]
        if not gap.strip() and end - start <= MAX_JOINED_CHARACTERS:
            hits[at] = replace(hit, passage=Passage.of(document, start, end, a.heading))
            return True
    return False


def located(hit: Hit, document: Document) -> Hit:
    """The hit with title, link and times of its passage."""
    where = place(document, hit.passage.start, hit.passage.end)
    return replace(
        hit,
        title=document.title,
        url=where.url,
        start_s=where.start_s,
        end_s=where.end_s,
        speaker=where.speaker,
    )
