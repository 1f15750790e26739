"""False premises: what a question takes for granted, and a sentence that says otherwise.

A question counts as a claim of what it takes for granted: the reader learned that from questions
and their near twins (scripts/reader_twins.py). Quantities are compared here too. English; knows no
reader but the protocol.
"""

from __future__ import annotations

from collections.abc import Sequence

from dragtor.ground.asked import LABELS
from dragtor.ground.rules.tokens import Number, stem, tokenise
from dragtor.ground.rules.vocabulary import RuleVocabulary
from dragtor.ground.spans import TextSpan
from dragtor.retrieve import titled
from dragtor.types import Entailment, Passage, Reader

CONTRADICTED = 0.6  # probability from which a question is taken for denied
BORNE_OUT = 0.7  # of another sentence that bears it out: sources differ
PREMISE_SENTENCES = 8  # of the best, that a question is held against


def held_against(
    question: str, ranked: Sequence[TextSpan], reader: Reader
) -> list[tuple[TextSpan, Entailment]]:
    """The best sentences that ask nothing themselves, and what each says of the question."""
    near = [span for span in ranked[:PREMISE_SENTENCES] if not span.text.rstrip().endswith("?")]
    return list(zip(near, reader.entail(question, [evidence(s) for s in near]), strict=True))


def contradicting(held: Sequence[tuple[TextSpan, Entailment]]) -> TextSpan | None:
    """The sentence that surely says otherwise than the question; None without one."""
    if not held or max(said.supported for _, said in held) >= BORNE_OUT:
        return None
    span, said = max(held, key=lambda pair: pair[1].contradicted)
    return span if said.contradicted >= CONTRADICTED else None


def other_quantity(
    question: str, sentence: str, vocabulary: RuleVocabulary
) -> tuple[Number, Number] | None:
    """A quantity of the question, and another of its kind that the sentence states in its place."""
    said, seen = tokenise(question, vocabulary), tokenise(sentence, vocabulary)
    for number in said.numbers:
        same = [other for other in seen.numbers if _same_kind(number, other)]
        named = number.at and said.tokens[number.at - 1] in LABELS
        if same and not named and number.value not in {other.value for other in seen.numbers}:
            return number, same[0]
    return None


def _same_kind(number: Number, other: Number) -> bool:
    if number.unit or other.unit:
        return number.unit == other.unit
    return bool(number.thing) and stem(number.thing) == stem(other.thing)


def evidence(span: TextSpan) -> str:
    """A sentence as the reader is given it: title, headings and text, a line each."""
    document = span.document
    sentence = Passage.of(document, span.start, span.end, span.hit.passage.heading)
    return titled(document.title, sentence)
