"""What a reranker adds and costs over the hybrid score alone, on fixed small samples.

SciFact train and test (by document), the covid_qa half (by passage), and the training half of our
own plain and lay questions (a passage is relevant if it holds the answer's phrase): nDCG@10 with
paired intervals, and seconds a question. The first `depth` hits are read again; weight 1 is the
reranker's order alone. A weight is chosen on SciFact train and our own questions.
"""

from __future__ import annotations

import json
import random
import time
from pathlib import Path
from typing import Any

import answers
from covid_retrieval import library_of, questions_of

from dragtor import metrics, retrieve
from dragtor.config import load_config
from dragtor.evaluate.common import kept_library
from dragtor.evaluate.retrieval import corpus_ids, corpus_library, judgements, queries_of
from dragtor.library import Library
from dragtor.rerank import Reranker, open_reranker

DATA = Path("../shared/data")
WEIGHTS = (0.25, 0.5, 0.65, 0.77, 0.9, 1.0)


def compare(
    library: Library,
    questions: list[tuple[str, dict[str, int]]],
    rerank: Reranker,
    depth: int,
    *,
    by_document: bool,
) -> dict[str, Any]:
    store = library.store()
    retriever = retrieve.Retriever(store, library.embedder, library.config.retrieve)
    names = corpus_ids(store)
    before: list[float] = []
    after: dict[float, list[float]] = {weight: [] for weight in WEIGHTS}
    seconds: list[float] = []
    for text, grades in questions:
        ranked = retriever.rank(text)
        passages = store.passages([r.row for r in ranked])
        ids = {
            row: names[p.document_id] if by_document else str(row) for row, p in passages.items()
        }
        begun = time.perf_counter()
        new = rerank.score(text, retrieve.rerank_texts(store, ranked[:depth])).tolist()
        seconds.append(time.perf_counter() - begun)
        before.append(ndcg(ranked, ids, grades))
        for weight in WEIGHTS:
            after[weight].append(ndcg(retrieve.rerank(ranked, new, weight), ids, grades))
    return {
        "n": len(before),
        "none": round(metrics.mean(before), 4),
        "by_weight": {
            f"{weight:g}": {
                "ndcg@10": round(metrics.mean(each), 4),
                "difference_ci": [round(b, 4) for b in metrics.paired_interval(before, each)],
            }
            for weight, each in after.items()
        },
        "seconds_p50": round(metrics.percentile(seconds, 0.5), 2),
        "seconds_p95": round(metrics.percentile(seconds, 0.95), 2),
    }


def ndcg(ranked: list[retrieve.Ranked], ids: dict[int, str], grades: dict[str, int]) -> float:
    return metrics.ndcg(list(dict.fromkeys(ids[r.row] for r in ranked)), grades, 10)


def own_questions(library: Library, *kinds: str | None) -> list[tuple[str, dict[str, int]]]:
    """Questions of the training half, each with the passages that hold its answer's phrase."""
    found = []
    rows = library.store().rows("SELECT rowid, text FROM passages")
    passages = [(str(row[0]), " ".join(row[1].split())) for row in rows]
    for row in answers.questions("train"):
        phrases = [" ".join(phrase.split()) for phrase in row.get("must_contain", ())]
        if row["answerable"] and phrases and row.get("kind") in kinds:
            grades = {rowid: 1 for rowid, text in passages if any(p in text for p in phrases)}
            found += [(row["question"], grades)] if grades else []
    return found


def run(
    reranker: str = "tokens", model: str = "qwen2.5-coder-1.5b", n: int = 150, depth: int = 20
) -> dict[str, Any]:
    """`n` questions of each set, drawn with a fixed seed."""
    config = load_config(overrides={"llm": {"model": model, "context_tokens": 2048}})
    draw = random.Random(7)
    figures: dict[str, Any] = {"reranker": reranker, "model": model, "depth": depth}

    def measure(
        key: str,
        library: Library,
        questions: list[tuple[str, dict[str, int]]],
        by_document: bool = False,
    ) -> None:
        rerank = open_reranker(reranker, config.models, library.llm, lambda: library.embedder)
        assert rerank is not None
        sample = draw.sample(questions, min(n, len(questions)))
        figures[key] = compare(library, sample, rerank, depth, by_document=by_document)
        print(key, json.dumps(figures[key]), flush=True)

    with library_of(DATA / "covid_qa", config) as library:
        measure("covid_qa_half", library, questions_of(DATA / "covid_qa", library.store()))
    folder = DATA / "scifact"
    texts = queries_of(folder)
    with corpus_library(folder, config) as library:
        for split in ("train", "test"):
            judged = judgements(folder / "qrels" / f"{split}.tsv")
            asked = [(texts[query], grades) for query, grades in judged.items()]
            measure(f"scifact_{split}", library, asked, by_document=True)
    place = answers.ROOT / "assets" / "sample_library"
    with kept_library("answers", place, answers.documents, config) as library:
        measure("own_plain", library, own_questions(library, "plain", None))
        measure("own_lay", library, own_questions(library, "lay"))
    return figures
