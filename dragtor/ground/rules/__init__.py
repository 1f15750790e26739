"""Rules: a Support by what a claim and a span say in words, numbers and names. English.

Most of the claim's words must be there; numbers with their units, names, negations, modality and
the order of arguments must agree. Deterministic, tuned on one half of tests/data/claims.jsonl;
needs no model, and knows none.
"""

from __future__ import annotations

from collections.abc import Sequence

from dragtor.config import WordLists
from dragtor.ground.names import missing_names
from dragtor.ground.rules import argument_order, modality, numbers
from dragtor.ground.rules.tokens import Text, shared_words, tokenise
from dragtor.ground.rules.vocabulary import RuleVocabulary
from dragtor.ground.spans import TextSpan
from dragtor.ground.support import Verdict

MIN_SHARED_WORDS = 0.8  # of a claim's content words that its span must hold
UNKNOWN_SCORE = 0.4  # of an unknown verdict whose sentence holds all of the claim's words
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


class RuleSupport:
    """A Support without a model; `words` are those of the language and of a domain.

    The score grows with the share of the claim's content words that the sentence itself holds,
    from 0.5 where it is supported and from 0 where that is unknown.
    """

    def __init__(self, words: WordLists) -> None:
        self.vocabulary = RuleVocabulary(words)

    def verify(self, claim: str, spans: Sequence[TextSpan]) -> list[Verdict]:
        """One verdict a span; the reason is the rule that the claim breaks."""
        return [self._verdict(claim, span) for span in spans]

    def _verdict(self, claim: str, span: TextSpan) -> Verdict:
        if span.text.rstrip().endswith("?") or claim.rstrip().endswith("?"):
            return Verdict("unknown", 0.0, "question")
        said, seen, section = (
            tokenise(text, self.vocabulary) for text in (claim, span.text, span.section_path)
        )
        share = shared_words(said, seen)
        if shared_words(said, seen, section) < MIN_SHARED_WORDS:
            return Verdict("unknown", UNKNOWN_SCORE * share, "words")
        if missing_names(claim, (span.section_path, span.text)):
            return Verdict("unknown", UNKNOWN_SCORE * share, "name")
        if rule := contradicts(said, seen, section, self.vocabulary):
            return Verdict("contradicted", 0.0, rule)
        return Verdict("supported", 0.5 + share / 2)


def contradicts(claim: Text, quote: Text, section: Text, vocabulary: RuleVocabulary) -> str:
    """The name of the first rule that the claim breaks; empty: it says what the quote says.

    `section` is the quote's section path, whose words and numbers count as known.
    """
    if claim.tokens == quote.tokens:
        return ""
    rules = _RULES.items()
    return next((name for name, breaks in rules if breaks(claim, quote, section, vocabulary)), "")
