"""Grounding: sentences to quote and to prompt with, verification of claims, and the gate.

quotes.py ranks sentences, context.py selects what a model is given, verify.py ties what it wrote
to spans by a Support (rules/ is the first), gate.py decides whether anything relevant was found,
names.py and caution.py look at the question. Does not know where hits come from, nor which model
wrote what.
"""

from __future__ import annotations

from dragtor.ground.caution import RedFlags
from dragtor.ground.context import (
    MARKER_TOKENS,
    ContextSelected,
    EarlierTurns,
    HistoryTurn,
    select_context,
)
from dragtor.ground.gate import FEATURES, Gate, features, gate_for, vocabulary_mismatch
from dragtor.ground.names import missing_names
from dragtor.ground.quotes import EmbedTexts, best_quotes, late_interaction, rank_sentences
from dragtor.ground.rules import RuleSupport
from dragtor.ground.spans import TextSpan
from dragtor.ground.support import Support, Verdict
from dragtor.ground.verify import citation_markers, entailing_spans, numbered_spans

__all__ = [
    "FEATURES",
    "MARKER_TOKENS",
    "ContextSelected",
    "EarlierTurns",
    "EmbedTexts",
    "Gate",
    "HistoryTurn",
    "RedFlags",
    "RuleSupport",
    "Support",
    "TextSpan",
    "Verdict",
    "best_quotes",
    "citation_markers",
    "entailing_spans",
    "features",
    "gate_for",
    "late_interaction",
    "missing_names",
    "numbered_spans",
    "rank_sentences",
    "select_context",
    "vocabulary_mismatch",
]
