"""False premises: what a question takes for granted, and a sentence that says otherwise.

"The study had 60 patients, did all heal?" A number is wrong where the claim with it is contradicted
and the claim with the sentence's own number is not. English; knows no reader but the protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from dragtor.ground.asked import LABELS
from dragtor.ground.rules.tokens import Number, Text, shared_words, stem, tokenise
from dragtor.ground.rules.vocabulary import RuleVocabulary
from dragtor.ground.spans import TextSpan
from dragtor.retrieve import titled
from dragtor.types import Passage, Reader

CONTRADICTED = 0.8  # probability from which a premise is taken for false
BORNE_OUT = 0.8  # probability of support from which a premise is none
NOT_CONTRADICTED = 0.5  # below: the claim with the sentence's own number stands
PREMISE_SENTENCES = 5  # of the best, that are held against a premise
MOST_PREMISES = 8  # of a question; a text of thousands of words is no question
SAME_WORDS = 0.5  # of a premise's content words that the sentence or its headings hold
LEAST_WORDS = 3  # content words of a clause that takes something for granted
_GIVEN = re.compile(r"(?:since|given that|now that|because|as)\s+", re.IGNORECASE)
_WHY = re.compile(r"why\s+(?:do|does|did|is|are|was|were)\s+", re.IGNORECASE)
_ASKS = re.compile(  # or supposes
    r"(?:and |but |so )?(?:what|when|where|which|who|whom|whose|why|how|do|does|did|is|are|was"
    r"|were|am|can|could|may|might|must|shall|should|will|would|has|have|had|if|unless|whether|after|before"
    r"|while|with|without|for|in|on|at|during|until|by|to)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"(?<=[,;.!?:])\s+(?!\d)")


def contradicting(
    question: str, ranked: Sequence[TextSpan], reader: Reader, vocabulary: RuleVocabulary
) -> TextSpan | None:
    """The first of the best sentences that says otherwise than the question; None without one.

    What another of them bears out is no false premise: sources differ.
    """
    near = [span for span in ranked[:PREMISE_SENTENCES] if not span.text.rstrip().endswith("?")]
    denying = {
        span.key
        for premise in islice(stated(question, vocabulary), MOST_PREMISES)
        for span in _denying(premise, near, reader, vocabulary)
    }
    for span in near:
        if span.key in denying or _other_number(question, span, near, reader, vocabulary):
            return span
    return None


def _denying(
    premise: str, near: Sequence[TextSpan], reader: Reader, vocabulary: RuleVocabulary
) -> list[TextSpan]:
    """The sentences of its subject that contradict a premise, where none bears it out."""
    about = [span for span in near if _same_subject(premise, span, vocabulary)]
    said = reader.entail(premise, [evidence(span) for span in about])
    if any(each.supported >= BORNE_OUT for each in said):
        return []
    pairs = zip(about, said, strict=True)
    return [span for span, each in pairs if each.contradicted >= CONTRADICTED]


def stated(question: str, vocabulary: RuleVocabulary) -> Iterator[str]:
    """Clauses that take something for granted: what a "why" asks for, what stands before it."""
    for clause in _CLAUSE_END.split(question.strip()):
        claim = _GIVEN.sub("", clause, count=1) if _GIVEN.match(clause) else clause
        if why := _WHY.match(clause):
            claim = clause[why.end() :]
        elif _ASKS.match(claim):
            continue
        if len(tokenise(claim, vocabulary).content) >= LEAST_WORDS:
            yield claim.rstrip(" ,;:?!.")


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


def _other_number(
    question: str,
    span: TextSpan,
    near: Sequence[TextSpan],
    reader: Reader,
    vocabulary: RuleVocabulary,
) -> bool:
    found = other_quantity(question, span.text, vocabulary)
    if found is None or not _same_subject(question, span, vocabulary):
        return False
    seen_near = (n for each in near for n in tokenise(each.text, vocabulary).numbers)
    if any(n.value == found[0].value and _same_kind(found[0], n) for n in seen_near):
        return False
    said, seen = tokenise(question, vocabulary), tokenise(span.text, vocabulary)
    own, other = (_clause(said, number, found[0].at) for number in (None, seen.tokens[found[1].at]))
    if not _denied(own, span, reader):
        return False
    return reader.entail(other, [evidence(span)])[0].contradicted < NOT_CONTRADICTED


def _clause(said: Text, number: str | None, at: int) -> str:
    """The question in tokens, of several clauses the one of place `at`, with `number` there."""
    tokens = list(said.tokens)
    if number is not None:
        tokens[at] = number
    start = max((n + 1 for n in range(at) if tokens[n] in ",;"), default=0)
    end = next((n for n in range(at, len(tokens)) if tokens[n] in ",;?"), len(tokens))
    clause = " ".join(tokens[start:end])
    return clause if not _ASKS.match(clause) else " ".join(tokens)


def _same_subject(claim: str, span: TextSpan, vocabulary: RuleVocabulary) -> bool:
    said, seen, head = (
        tokenise(text, vocabulary) for text in (claim, span.text, span.section_path)
    )
    return shared_words(said, seen, head) >= SAME_WORDS


def _denied(claim: str, span: TextSpan, reader: Reader) -> bool:
    return reader.entail(claim, [evidence(span)])[0].contradicted >= CONTRADICTED


def evidence(span: TextSpan) -> str:
    """A sentence as the reader is given it: title, headings and text, a line each."""
    document = span.document
    sentence = Passage.of(document, span.start, span.end, span.hit.passage.heading)
    return titled(document.title, sentence)
