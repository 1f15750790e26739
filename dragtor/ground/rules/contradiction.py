"""Contradiction: does a claim say otherwise than its quote, although the words are alike?

Deterministic rules on numbers, modality and argument order, tuned on one half of
tests/data/claims.jsonl.
"""

from __future__ import annotations

from dragtor.ground.rules import argument_order, modality, numbers
from dragtor.ground.rules.tokens import Text
from dragtor.ground.rules.vocabulary import RuleVocabulary

_RULES = {  # cheap ones first
    "number": numbers.other_number,
    "strength": modality.stronger,
    "bound": numbers.other_bound,
    "opposite": modality.opposite,
    "side": argument_order.other_side,
    "condition": modality.unconditional,
    "thing": numbers.other_thing,
    "hedge": modality.unhedged,
    "word": argument_order.other_word,
    "negation": modality.negated,
    "swap": argument_order.exchanged_phrases,
}


def contradicts(claim: Text, quote: Text, section: Text, vocabulary: RuleVocabulary) -> str:
    """The name of the first rule that the claim breaks; empty: it says what the quote says.

    `section` is the quote's section path, whose words and numbers count as known.
    """
    if claim.tokens == quote.tokens:
        return ""
    rules = _RULES.items()
    return next((name for name, breaks in rules if breaks(claim, quote, section, vocabulary)), "")
