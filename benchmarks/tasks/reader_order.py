"""Fit the weights of dragtor/ground/reading.py that order sentences where a reader has read.

    python benchmarks/tasks/reader_order.py

The questions are the training halves of answers.py and the split "tune" of
data/lay_questions.jsonl, those whose answer stands in a sentence that was found. The
weights make it likeliest that this one comes first (McFadden 1974, conditional logit), a question
in everyday words counting LAY_SHARE times. Prints them. Takes ten minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import answers
import numpy as np
import reader

from dragtor import ground
from dragtor.config import load_config
from dragtor.evaluate.answers import opened, overlaps
from dragtor.library import Library

LAY_SHARE = 2.0
PENALTY = 0.003  # of a squared weight, a question
SCALES = np.array([10.0, 1, 1, 1, 1, 10])  # cosines lie close together
STEPS, RATE = 4000, 0.5
Row = Mapping[str, Any]


def main() -> None:
    """Read, fit and print."""
    config = load_config()
    sets: list[tuple[Any, Any, float]] = []
    with opened(answers.library_of("gate", config), config) as library:
        sets += candidates(library, answers.questions("train"))
    with reader.medical_library(config) as library:
        sets += candidates(library, reader.lay_questions(library, split="tune"))
    print(f"READ_WEIGHTS of {len(sets)} questions:", fitted(sets).round(2).tolist())


def candidates(library: Library, rows: Sequence[Row]) -> Iterator[tuple[Any, Any, float]]:
    """Of each question (sentences, features), which of them hold its answer, and its share."""
    for row in rows:
        if not row["answerable"]:
            continue
        ranked, readings = read(library, row["question"])
        golds = row.get("must_contain") or []
        right = np.array([any(overlaps(s.text, gold) for gold in golds) for s in ranked], bool)
        if right.any():
            lay = "lay" in (row.get("style"), row.get("kind"))
            features = np.array(ground.order_features(ranked, readings)) * SCALES
            yield features, right, LAY_SHARE if lay else 1.0


def read(
    library: Library, question: str
) -> tuple[list[ground.TextSpan], dict[str, ground.PassageReading]]:
    """The sentences of what is found for a question, and what a reader says of their passages."""
    pipeline = library.answer_pipeline()
    assert pipeline.reader is not None, "dragtor models pull reader"
    settings = replace(pipeline.retriever.config, k=ground.BEST_HITS, join_neighbours=False)
    retriever = replace(pipeline.retriever, config=settings, reranker=None)
    found = retriever.search_documents([question], None, ground.NEAREST_HITS)
    hits, readings = ground.read_hits(question, found.hits, found.documents, pipeline.reader)
    hits = type(hits)(hits[: pipeline.answer_config.passages])
    embed = retriever.embedder.embed_passages
    ranked = ground.rank_sentences(question, found.vectors[0], hits, found.documents, embed)
    return ranked, readings


def fitted(sets: Sequence[tuple[Any, Any, float]]) -> Any:
    """The weights, by gradient ascent: the likelihood is concave."""
    weights = np.zeros(len(SCALES))
    total = sum(share for *_, share in sets)
    for _ in range(STEPS):
        gradient = -2 * PENALTY * weights * len(sets)
        for features, right, share in sets:
            scores = features @ weights
            chances = np.exp(scores - scores.max())
            chances /= chances.sum()
            wanted = np.where(right, chances, 0) / chances[right].sum()
            gradient += share * (wanted - chances) @ features
        weights += RATE * gradient / total
    return weights * SCALES


if __name__ == "__main__":
    main()
