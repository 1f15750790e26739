"""Claims: each sentence of an answer tied to the verbatim span that carries it, or to none.

Numbers with their units, names, negations, modal force and the order of roles must agree; most
of the words must be there. Does not know which model wrote the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from dragtor.ground.gate import missing_names
from dragtor.ground.quotes import BULLET, EmbedTexts, Span
from dragtor.ground.tokens import read
from dragtor.ground.wording import contradicts
from dragtor.prompt import MARK, mark_numbers

MIN_SHARED_WORDS = 0.8  # of a claim's content words that its quote must hold


def marks(sentence: str) -> tuple[str, list[int]]:
    """The sentence without its bracket numbers, and the numbers."""
    text = MARK.sub("", sentence).strip()
    bullet = BULLET.match(text)
    return text[bullet.end() if bullet else 0 :], mark_numbers(sentence)


def support(
    claim: str, numbers: Sequence[int], read: Sequence[Span], embed: EmbedTexts
) -> list[Span]:
    """The spans of what the model has read that carry `claim`, those it named (from 1) first.

    A span carries nothing that lacks a number, a unit, a name or too many words of the claim, or
    says it otherwise. Small models number badly: where no named span carries the claim, the best
    of the others is taken, if one does.
    """
    found = [span for span in named(numbers, read) if carries(span, claim)]
    if found:
        return found
    carriers = [span for span in read if carries(span, claim)]
    carriers = carriers or [pair for pair in _pairs(read) if carries(pair, claim)]
    return _nearest(claim, carriers, embed)


def named(numbers: Sequence[int], read: Sequence[Span]) -> list[Span]:
    """The spans that these numbers name; questions, and numbers that name none, are left out."""
    spans = [read[n - 1] for n in numbers if 1 <= n <= len(read)]
    return [span for span in spans if not span.text.rstrip().endswith("?")]


def _pairs(read: Sequence[Span]) -> list[Span]:
    """Neighbouring sentences of one document, as one span each."""
    ordered = sorted(read, key=lambda span: (span.document.id, span.start))
    return [
        replace(a, end=b.end, score=max(a.score, b.score))
        for a, b in pairwise(ordered)
        if a.document.id == b.document.id
        and a.end <= b.start
        and not a.document.text[a.end : b.start].strip(" \n\t-*•")
    ]


def _nearest(claim: str, carriers: list[Span], embed: EmbedTexts) -> list[Span]:
    if len(carriers) < 2:
        return carriers
    vectors = embed([claim, *(span.text for span in carriers)])
    likeness = (vectors[1:] @ vectors[0]).tolist()
    ranked = [
        near + shared(claim, span.text) for near, span in zip(likeness, carriers, strict=True)
    ]
    return [carriers[max(range(len(carriers)), key=lambda i: ranked[i])]]


def carries(span: Span, claim: str) -> bool:
    """Whether a quote, under its title and heading, holds what the claim says; no question does."""
    if span.text.rstrip().endswith("?") or claim.rstrip().endswith("?"):
        return False
    return (
        shared(claim, span.text, span.above) >= MIN_SHARED_WORDS
        and not missing_names(claim, (span.above, span.text))
        and not contradicts(claim, span.text, span.above)
    )


def shared(claim: str, quote: str, above: str = "") -> float:
    """Share of the claim's content words that the quote holds, by their stems.

    A bare measure ("4 to 6 weeks.") has none: all of it is left to the rules on numbers.
    """
    said = read(claim)
    if not said.content:
        return float(any(number.unit for number in said.numbers))
    return len(said.content & (read(quote).content | read(above).content)) / len(said.content)
