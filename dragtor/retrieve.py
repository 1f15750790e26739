"""Finding passages: dense and lexical candidates by hybrid score, reranked, neighbours joined.

Knows scores and spans; does not know how texts are embedded or indexed, nor what hits are for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from dragtor.config import RetrieveConfig
from dragtor.links import place
from dragtor.store import Candidates, Filters, Store
from dragtor.transcript import called
from dragtor.types import Document, Hit, Hits, Passage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.embed import Embedder
    from dragtor.rerank import Reranker

Query = str | Sequence[str]  # several: the same question in other words, the best worded first
RERANK_FIRST = 8
MAX_JOINED_CHARACTERS = 3000  # a hit that has grown to this stays as it is


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate: a passage row, its score in 0..1, its ranks from 1, its cosine."""

    row: int
    score: float
    dense_rank: int | None
    lexical_rank: int | None
    cosine: float


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What was found, each document that was read for it by its id, and the queries' vectors."""

    hits: Hits
    documents: Mapping[str, Document]
    vectors: NDArray[np.float32]  # (queries, dimension), unit rows


@dataclass(frozen=True, slots=True)
class Retriever:
    """Search in one open library. Without a reranker the order is that of the hybrid score."""

    store: Store
    embedder: Embedder
    config: RetrieveConfig
    reranker: Reranker | None = None

    def search(self, query: Query, filters: Filters | None = None) -> Hits:
        """The `config.k` best hits with their places; touching passages become one hit."""
        return self.search_documents(query, filters).hits

    def search_documents(
        self, query: Query, filters: Filters | None = None, nearest: int = 0
    ) -> Retrieved:
        """As `search`, with the documents of the hits.

        The `nearest` passages by meaning are among the hits, after the best, though their other
        words count against them: of a lay question the answer may be one of them.
        """
        texts, vectors = self._embedded(query)
        config, store = self.config, self.store
        with store.snapshot():
            wanted = 3 * config.k if config.join_neighbours else config.k
            ranked = _with_nearest(self._ranked(texts, vectors, filters), wanted, nearest)
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
                if not joined and len(hits) < config.k + nearest:
                    hits.append(hit)
        speaker = filters.speaker if filters else ""
        placed = (located(hit, documents[hit.passage.document_id], speaker) for hit in hits)
        return Retrieved(Hits(placed), documents, vectors)

    def rank(self, query: Query, filters: Filters | None = None) -> list[Ranked]:
        """Every candidate of both indexes, best first; several queries count alike.

        The first `config.rerank_depth` are reranked, for the first of the queries; none after
        RERANK_FIRST where one of these surely answers.
        """
        return self._ranked(*self._embedded(query), filters)

    def _embedded(self, query: Query) -> tuple[list[str], NDArray[np.float32]]:
        texts = [query] if isinstance(query, str) else list(query)
        return texts, self.embedder.embed_queries(texts)

    def _ranked(
        self, texts: list[str], vectors: NDArray[np.float32], filters: Filters | None
    ) -> list[Ranked]:
        n = self.config.candidates
        with self.store.snapshot():
            lists = [
                hybrid_score(self.store.find(text, vector, n, filters), self.config.dense_weight, n)
                for text, vector in zip(texts, vectors, strict=True)
            ]
            ranked = lists[0] if len(lists) == 1 else mean_score(lists)
            if self.reranker is None or not ranked:
                return ranked
            read = rerank_texts(self.store, ranked[: self.config.rerank_depth])
        first = RERANK_FIRST if self.reranker.sure <= 1 else len(read)
        scores = self.reranker.score(texts[0], read[:first]).tolist()
        if read[first:] and max(scores) < self.reranker.sure:
            scores += self.reranker.score(texts[0], read[first:]).tolist()
        return rerank(ranked, scores, self.reranker.weight)


def hybrid_score(found: Candidates, dense_weight: float, candidates: int) -> list[Ranked]:
    """Convex combination of min-max scaled cosine and max-scaled BM25, best first.

    After Bruch, Gai and Ingber 2023, "An Analysis of Fusion Functions for Hybrid Retrieval".
    """
    if not found.dense:
        return []
    low, high = min(found.dense.values()), max(found.dense.values())
    top = max(found.lexical.values(), default=0.0) or 1.0
    dense_ranks = _ranks(found.dense, candidates)
    lexical_ranks = _ranks(found.lexical, candidates)
    scored = []
    for row, cosine in found.dense.items():
        dense = (cosine - low) / (high - low) if high > low else 1.0
        score = dense_weight * dense + (1 - dense_weight) * found.lexical.get(row, 0.0) / top
        scored.append(Ranked(row, score, dense_ranks.get(row), lexical_ranks.get(row), cosine))
    return sorted(scored, key=lambda r: (-r.score, r.row))


def _with_nearest(ranked: Sequence[Ranked], best: int, nearest: int) -> list[Ranked]:
    """The `best` first ones, then those of the `nearest` by cosine that are none of them."""
    rest = [r for r in ranked[best:] if r.dense_rank and r.dense_rank <= nearest]
    return [*ranked[:best], *sorted(rest, key=lambda r: -r.cosine)]


def _ranks(scores: Mapping[int, float], n: int) -> dict[int, int]:
    best = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))[:n]
    return {row: rank for rank, (row, _) in enumerate(best, 1)}


def mean_score(lists: Sequence[Sequence[Ranked]]) -> list[Ranked]:
    """One ranking of several queries' candidates: mean score, best rank, highest cosine.

    A passage that only one wording finds keeps its share: junk found by a bare follow-up
    ("and how long?") stays below what both wordings agree on.
    """
    found: dict[int, list[Ranked]] = {}
    for r in chain.from_iterable(lists):
        found.setdefault(r.row, []).append(r)
    means = [
        Ranked(
            row,
            sum(r.score for r in same) / len(lists),
            min((r.dense_rank for r in same if r.dense_rank), default=None),
            min((r.lexical_rank for r in same if r.lexical_rank), default=None),
            max(r.cosine for r in same),
        )
        for row, same in found.items()
    ]
    return sorted(means, key=lambda r: (-r.score, r.row))


def rerank(ranked: Sequence[Ranked], scores: Sequence[float], weight: float) -> list[Ranked]:
    """The first `len(scores)` in the order of their new scores; the rest follow, none above them.

    `weight` is the share of the new score, the hybrid score has the rest.
    """
    depth = len(scores)
    again = [
        replace(r, score=weight * score + (1 - weight) * r.score)
        for r, score in zip(ranked[:depth], scores, strict=True)
    ]
    again.sort(key=lambda r: -r.score)
    least = again[-1].score if again else 1.0
    return again + [replace(r, score=min(r.score, least)) for r in ranked[depth:]]


def rerank_texts(store: Store, ranked: Sequence[Ranked]) -> list[str]:
    """What a reranker reads of each."""
    passages = store.passages([r.row for r in ranked])
    named = {passage.document_id for passage in passages.values()}
    titles = {d: document.title if (document := store.document(d)) else "" for d in named}
    return [titled(titles[p.document_id], p) for p in (passages[r.row] for r in ranked)]


def titled(title: str, passage: Passage) -> str:
    """A passage as rerankers and the gate read it: title, headings and text, a line each."""
    return "\n".join(dict.fromkeys(filter(None, (title, passage.heading, passage.text))))


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


def located(hit: Hit, document: Document, speaker: str = "") -> Hit:
    """The hit with title, link and times of its passage, or of what `speaker` says in it."""
    names = {document.speaker_name(segment.speaker) or "" for segment in document.segments}
    meant = called(speaker, names) if speaker else ()
    where = place(document, hit.passage.start, hit.passage.end, meant)._asdict()
    del where["page"], where["box"]
    return replace(hit, title=document.title, **where)
