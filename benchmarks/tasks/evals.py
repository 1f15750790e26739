"""Three of `dragtor eval` as benchmarks: SciFact, follow-ups of a chat, orders hidden in texts.

The rest of the evaluations have files of their own here, which draw and compare more.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common import Shown

from dragtor.config import load_config
from dragtor.evaluate import chat, injection, retrieval

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
MODEL = "qwen2.5-coder-1.5b"


def scifact() -> dict[str, Any]:
    """Its 300 test queries, as dragtor is set."""
    return retrieval.evaluate(DATA / "scifact", load_config(), split="test", reporter=Shown())


def follow_ups() -> dict[str, Any]:
    """40 conversations over the sample library."""
    config = load_config(overrides={"llm": {"model": MODEL}})
    rows, documents = ROOT / "tests" / "data" / "follow_ups.jsonl", ROOT / "assets/sample_library"
    return chat.evaluate(rows, config, documents=documents, reporter=Shown())


def hidden_orders(n: int = 300) -> dict[str, Any]:
    """Attacked documents, by dragtor and by plain prompting of the same model."""
    config = load_config(overrides={"llm": {"model": MODEL}})
    return injection.evaluate(DATA / "prompt_injection", config, n=n, reporter=Shown())
