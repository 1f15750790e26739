"""Seconds until the verified quotes stand there, models warm, over about 10,000 real passages.

Retrieval, ranking of sentences and the gate: all that comes before the first word on the screen.
"""

from __future__ import annotations

import time
from pathlib import Path

from dragtor import metrics
from dragtor.config import load_config
from dragtor.evaluate.retrieval import corpus_library, judgements, queries_of

SCIFACT = Path(__file__).resolve().parents[3] / "shared" / "data" / "scifact"
QUESTIONS = 100


def run() -> dict[str, float]:
    """SciFact's abstracts, its test claims."""
    queries = queries_of(SCIFACT)
    asked = [queries[q] for q in list(judgements(SCIFACT / "qrels" / "test.tsv"))[:QUESTIONS]]
    with corpus_library(SCIFACT, load_config()) as library:
        library.ask(asked[0], quotes_only=True)
        taken = []
        for question in asked:
            begun = time.perf_counter()
            library.ask(question, quotes_only=True)
            taken.append(time.perf_counter() - begun)
        return {
            "passages": library.store().counts()["passages"],
            "questions": len(asked),
            "p50_s": round(metrics.percentile(taken, 0.5), 3),
            "p95_s": round(metrics.percentile(taken, 0.95), 3),
        }
