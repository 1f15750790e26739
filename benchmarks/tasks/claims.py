"""How many claims of tests/data/claims.jsonl a Support accepts, by kind and half: the rules.

The rules were tuned on the half "train"; "test" is what is to be believed. No model.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from dragtor.config import AnswerConfig
from dragtor.ground import TextSpan
from dragtor.parts import open_support
from dragtor.types import Document, Hit, Passage

PATH = Path(__file__).resolve().parents[2] / "tests" / "data" / "claims.jsonl"


def run() -> dict[str, Any]:
    """By half: recall of supported claims, false accepts of the others, accepted by kind."""
    rows = [json.loads(line) for line in PATH.read_text("utf-8").splitlines()]
    support = open_support(AnswerConfig().domain)
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
