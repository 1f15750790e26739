"""Grounding: sentences to quote and to prompt with, verification of claims, and the gate.

quotes.py ranks sentences, reading.py by what a reader says, context.py selects what a model is
given, verify.py ties what it wrote to spans by a Support (rules/), gate.py decides whether anything
relevant was found, asked.py whether it is about what is asked, premise.py whether it says
otherwise; names.py and caution.py look at the question. Does not know where hits come from, nor
which model wrote what.
"""

from __future__ import annotations

from dragtor.ground.asked import about_asked, other_subject
from dragtor.ground.caution import RedFlags
from dragtor.ground.context import (
    MARKER_TOKENS,
    ContextSelected,
    EarlierTurns,
    HistoryTurn,
    select_context,
)
from dragtor.ground.gate import (
    FEATURES,
    READER_FEATURES,
    Gate,
    features,
    gate_for,
    reader_features,
    vocabulary_mismatch,
)
from dragtor.ground.names import missing_names
from dragtor.ground.premise import contradicting, held_against, other_quantity
from dragtor.ground.quotes import EmbedTexts, best_quotes, late_interaction, rank_sentences
from dragtor.ground.reading import (
    BEST_HITS,
    NEAREST_HITS,
    PassageReading,
    lifted,
    likely_to_answer,
    one_span_answers,
    order_features,
    read_hits,
)
from dragtor.ground.rules import RuleSupport
from dragtor.ground.rules.vocabulary import RuleVocabulary
from dragtor.ground.spans import TextSpan
from dragtor.ground.support import Support, Verdict
from dragtor.ground.verify import citation_markers, entailing_spans, numbered_spans

__all__ = [
    "BEST_HITS",
    "FEATURES",
    "MARKER_TOKENS",
    "NEAREST_HITS",
    "READER_FEATURES",
    "ContextSelected",
    "EarlierTurns",
    "EmbedTexts",
    "Gate",
    "HistoryTurn",
    "PassageReading",
    "RedFlags",
    "RuleSupport",
    "RuleVocabulary",
    "Support",
    "TextSpan",
    "Verdict",
    "about_asked",
    "best_quotes",
    "citation_markers",
    "contradicting",
    "entailing_spans",
    "features",
    "gate_for",
    "held_against",
    "late_interaction",
    "lifted",
    "likely_to_answer",
    "missing_names",
    "numbered_spans",
    "one_span_answers",
    "order_features",
    "other_quantity",
    "other_subject",
    "rank_sentences",
    "read_hits",
    "reader_features",
    "select_context",
    "vocabulary_mismatch",
]
