"""Passages of long articles: words alone, meaning alone, and the mix, by nDCG@10.

Every question is searched over the passages of all articles; a passage is relevant if it overlaps
the question's answer span. Intervals are paired, against words alone.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dragtor import metrics, retrieve
from dragtor.config import Config, RetrieveConfig, load_config
from dragtor.evaluate.common import kept_library
from dragtor.library import Library
from dragtor.store import Candidates, Store
from dragtor.types import Document, short_hash

FOLDER = Path("../shared/data/covid_qa")


def library_of(folder: Path, config: Config) -> Library:
    """The articles as a library, kept in the cache folder."""

    def documents() -> Iterator[Document]:
        for row in rows(folder / "corpus.jsonl"):
            uri = f"beir:{row['_id']}"
            yield Document(short_hash(uri), uri, "file", "", row["text"])

    return kept_library("beir", folder / "corpus.jsonl", documents, config)


def questions_of(folder: Path, store: Store) -> list[tuple[str, dict[str, int]]]:
    """Each question and the rows of the passages that overlap its answer, as grades."""
    names = {row["id"]: row["uri"].partition(":")[2] for row in store.documents()}
    spans: dict[str, list[tuple[str, int, int]]] = {}
    sql = 'SELECT rowid, document_id, start, "end" FROM passages WHERE edition = ?'
    for row, document, start, end in store.rows(sql, (store.index_version,)):
        spans.setdefault(names[document], []).append((str(row), start, end))
    return [
        (
            q["question"],
            {
                r: 1
                for r, start, end in spans[str(q["doc"])]
                if start < q["end"] and q["start"] < end
            },
        )
        for q in rows(folder / "questions.jsonl")
    ]


def rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def candidates(library: Library, text: str, config: RetrieveConfig) -> Candidates:
    vector = library.embedder.embed_queries([text])[0]
    return library.store().find(text, vector, config.candidates)


def ndcg(
    found: Candidates, grades: Mapping[str, int], weight: float, config: RetrieveConfig
) -> float:
    ranked = retrieve.hybrid_score(found, weight, config.candidates)
    return metrics.ndcg([str(r.row) for r in ranked[:10]], grades, 10)


def run(n: int = 0) -> dict[str, object]:
    """Of all questions, or of `n` drawn with a fixed seed."""
    config = load_config()
    with library_of(FOLDER, config) as library:
        questions = questions_of(FOLDER, library.store())
        questions = random.Random(7).sample(questions, n or len(questions))
        asked = [(candidates(library, text, config.retrieve), grades) for text, grades in questions]
        passages = library.store().counts()["passages"]
    default = config.retrieve.dense_weight
    weights = {"words alone": 0.0, "meaning alone": 1.0, f"mix at {default:g}": default}
    values = {
        label: [ndcg(found, grades, weight, config.retrieve) for found, grades in asked]
        for label, weight in weights.items()
    }
    words = values["words alone"]
    return {
        "questions": len(asked),
        "passages": passages,
        "ndcg@10": {label: round(metrics.mean(each), 4) for label, each in values.items()},
        "above_words_alone": {
            label: round(metrics.mean(each) / metrics.mean(words) - 1, 4)
            for label, each in values.items()
        },
        "difference_ci": {
            label: [round(bound, 4) for bound in metrics.paired_interval(words, each)]
            for label, each in values.items()
        },
    }
