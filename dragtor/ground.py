"""Grounding: verbatim quotes out of documents, for a question and for each sentence of an answer.

A quote is always cut from the document it names. Does not know where hits come from, nor which
model wrote the sentences.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from dragtor.links import place
from dragtor.split import sentences
from dragtor.types import Citation, Document, Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EmbedTexts = Callable[[Sequence[str]], "NDArray[np.float32]"]

MARK = re.compile(r"\s*\[(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\]")
NUMBER = re.compile(r"\d+(?:[.,]\d+)?")
WORD = re.compile(r"[^\W\d_]{3,}")
BULLET = re.compile(r"(?:[-*•]|\d{1,2}[.)])\s+")
MIN_QUOTE_WORDS = 4
MIN_SHARED_WORDS = 0.8  # of a claim's content words that its quote must hold
STEM = 5  # letters of a word that are compared
UNIT = re.compile(r"\d\W{0,2}([^\W\d_]+)")  # the word that follows a number
CONNECTIVES = {"to", "and", "or", "of", "in"}
STOP_WORDS = frozenset(
    """the and for with that this these those are was were can may might will would should could
    has have had been being from into than then them they their its it's your you our not but
    also such some any all more most very usually often about after before when which who what
    how does did done there here each other""".split()
)
QUOTE_WEIGHT = 0.75  # of the sentence's own likeness to the question, beside its hit's score


@dataclass(frozen=True, slots=True)
class Span:
    """A sentence of a hit: `document.text[start:end]`."""

    hit: Hit
    document: Document
    start: int
    end: int

    @property
    def text(self) -> str:
        """The sentence, verbatim."""
        return self.document.text[self.start : self.end]

    def citation(self, n: int) -> Citation:
        """The span as citation number `n`."""
        where = place(self.document, self.start, self.end)
        return Citation(
            n,
            self.text,
            self.document.id,
            self.start,
            self.end,
            self.document.title,
            where.url,
            where.page,
            where.start_s,
            where.end_s,
            where.speaker,
        )


def spans(hit: Hit, document: Document) -> list[Span]:
    """The whole sentences of a hit that can be quoted; all of it where it holds none."""
    passage = hit.passage
    found = [
        Span(hit, document, _after_bullet(document.text, start, end), end)
        for start, end in sentences(document.text, passage.start, passage.end)
        if not document.text[start:end].startswith("#")
    ]
    long_enough = [span for span in found if len(span.text.split()) >= MIN_QUOTE_WORDS]
    return long_enough or found or [Span(hit, document, passage.start, passage.end)]


def _after_bullet(text: str, start: int, end: int) -> int:
    bullet = BULLET.match(text, start, end)
    return bullet.end() if bullet else start


def best_quotes(
    question: NDArray[np.float32],
    hits: Sequence[Hit],
    documents: Mapping[str, Document],
    embed: EmbedTexts,
    n: int,
) -> list[Citation]:
    """The `n` sentences nearest to the question's unit vector, at most one a hit, best first."""
    found = [span for hit in hits for span in spans(hit, documents[hit.passage.document_id])]
    if not found:
        return []
    likeness = embed([span.text for span in found]) @ question
    scored = sorted(
        zip(likeness.tolist(), found, strict=True),
        key=lambda pair: -(QUOTE_WEIGHT * pair[0] + (1 - QUOTE_WEIGHT) * pair[1].hit.score),
    )
    best: dict[str, Span] = {}
    said: set[str] = set()
    for _, span in scored:
        if span.hit.passage.id not in best and span.text not in said:
            best[span.hit.passage.id] = span
            said.add(span.text)
    return [span.citation(number) for number, span in enumerate(list(best.values())[:n], 1)]


def marks(sentence: str) -> tuple[str, list[int]]:
    """The sentence without its bracket numbers, and the numbers."""
    numbers = [int(n) for group in MARK.findall(sentence) for n in re.split(r"\D+", group)]
    text = MARK.sub("", sentence).strip()
    return text[_after_bullet(text, 0, len(text)) :], list(dict.fromkeys(numbers))


def support(
    claim: str,
    numbers: Sequence[int],
    hits: Sequence[Hit],
    documents: Mapping[str, Document],
    embed: EmbedTexts,
) -> list[Span]:
    """The sentence that carries `claim` in each passage it cites (counted from 1).

    A passage supports nothing that does not exist, shares too few of the claim's words, or lacks
    one of its numbers. Small models number badly: where no cited passage carries the claim, the
    best of the others is taken, if one does.
    """
    cited = [hits[n - 1] for n in numbers if 1 <= n <= len(hits)]
    found = [span for hit in cited if (span := _carrier(claim, hit, documents, embed))]
    if found:
        return found
    others = [span for hit in hits if (span := _carrier(claim, hit, documents, embed))]
    return sorted(others, key=lambda span: -_shared(claim, span.text))[:1]


def _carrier(
    claim: str, hit: Hit, documents: Mapping[str, Document], embed: EmbedTexts
) -> Span | None:
    """The sentence of a hit that carries the claim, or two neighbours that do so together."""
    document = documents[hit.passage.document_id]
    single = spans(hit, document)
    pairs = [Span(hit, document, a.start, b.end) for a, b in pairwise(single)]
    for candidates in (single, pairs):
        enough = [span for span in candidates if _carries(span, claim)]
        if enough:
            vectors = embed([claim, *(span.text for span in enough)])
            likeness = vectors[1:] @ vectors[0]
            ranked = [s + _shared(claim, q.text) for s, q in zip(likeness, enough, strict=True)]
            return enough[max(range(len(enough)), key=lambda i: ranked[i])]
    return None


def _carries(span: Span, claim: str) -> bool:
    """Whether a quote, under its title and heading, holds what the claim says.

    Every number with its unit, and most of the other words.
    """
    seen = f"{span.document.title} {span.hit.passage.heading} {span.text}"
    stems = _stems(seen)
    units = {unit.lower()[:STEM] for unit in UNIT.findall(claim)} - CONNECTIVES
    return (
        set(NUMBER.findall(claim)) <= set(NUMBER.findall(seen))
        and all(unit in stems or len(unit) < 3 for unit in units)
        and _shared(claim, seen) >= MIN_SHARED_WORDS
    )


def _shared(claim: str, quote: str) -> float:
    """Share of the claim's content words that the quote holds, by their first letters."""
    words = _stems(claim)
    return len(words & _stems(quote)) / len(words) if words else 0.0


def _stems(text: str) -> set[str]:
    words = WORD.findall(text.lower())
    return {word[:STEM] for word in words if word not in STOP_WORDS}
