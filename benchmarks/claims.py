"""How many claims of tests/data/claims.jsonl a Support accepts, by kind and half: the rules.

    python benchmarks/claims.py

The rules were tuned on the half "train"; "test" is what is to be believed. No model, 2 s.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from common import save

from dragtor.config import AnswerConfig
from dragtor.ground import Support, TextSpan
from dragtor.parts import open_support
from dragtor.types import Document, Hit, Passage

PATH = Path(__file__).resolve().parent.parent / "tests" / "data" / "claims.jsonl"


def run(rows: list[dict[str, Any]], support: Support) -> dict[str, Any]:
    """By half: recall of supported claims, false accepts of the others, accepted by kind."""
    started = time.process_time()
    accepted = [support.verify(row["claim"], [span(row)])[0].label == "supported" for row in rows]
    milliseconds = (time.process_time() - started) * 1000 / len(rows)
    found: dict[str, Any] = {}
    for half in ("train", "test"):
        of_half = [
            (row, took) for row, took in zip(rows, accepted, strict=True) if row["split"] == half
        ]
        right = sum(took for row, took in of_half if row["supported"])
        wrong = sum(took for row, took in of_half if not row["supported"])
        supported = sum(row["supported"] for row, _ in of_half)
        kinds: dict[str, list[bool]] = {}
        for row, took in of_half:
            kinds.setdefault(row["kind"], []).append(took)
        found[half] = {
            "recall": round(right / supported, 3),
            "false_accept": round(wrong / (len(of_half) - supported), 3),
            "precision": round(right / (right + wrong), 3),
            "accepted": {kind: f"{sum(took)}/{len(took)}" for kind, took in kinds.items()},
        }
    return found | {"ms_a_pair": round(milliseconds, 2)}


def span(row: dict[str, Any]) -> TextSpan:
    """The quote as a document of its own."""
    document = Document("", "", "file", row["title"], row["quote"])
    passage = Passage.of(document, 0, len(document.text), row["heading"])
    return TextSpan(Hit(passage, 1.0), document, 0, len(document.text))


if __name__ == "__main__":
    claims = [json.loads(line) for line in PATH.read_text("utf-8").splitlines()]
    figures = run(claims, open_support(AnswerConfig().domain))
    json.dump(figures, sys.stdout, indent=2)
    print()
    save("claims", figures)
