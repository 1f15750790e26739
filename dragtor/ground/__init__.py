"""Grounding: sentences to quote and to read, claims tied to quotes, and the gate.

quotes.py ranks sentences, reading.py picks what a model reads, claims.py and wording.py (rules in
numbers.py, force.py and roles.py, over tokens.py) check what a model wrote, gate.py decides whether
anything relevant was found. Does not know where hits come from, nor which model wrote what.
"""

from __future__ import annotations

from dragtor.ground.claims import marks, named, support
from dragtor.ground.gate import (
    FEATURES,
    Gate,
    caution,
    features,
    fit,
    gate_for,
    is_lay,
    missing_names,
)
from dragtor.ground.quotes import EmbedTexts, Span, best_quotes, matched, rank, spans
from dragtor.ground.reading import MARK_TOKENS, HistoryTurn, Read, reading

__all__ = [
    "FEATURES",
    "MARK_TOKENS",
    "EmbedTexts",
    "Gate",
    "HistoryTurn",
    "Read",
    "Span",
    "best_quotes",
    "caution",
    "features",
    "fit",
    "gate_for",
    "is_lay",
    "marks",
    "matched",
    "missing_names",
    "named",
    "rank",
    "reading",
    "spans",
    "support",
]
