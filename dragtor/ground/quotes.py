"""Sentences of hits, ranked for a question: what is quoted, and what a model is given to read.

A quote is always cut from the document it names. Does not know where hits come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from dragtor.links import place
from dragtor.rerank.tokens import mean_best_cosine
from dragtor.split import sentences
from dragtor.types import Citation, Document, Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EmbedTokens = Callable[[Sequence[str]], "list[NDArray[np.float32]]"]  # unit rows, one a token
EmbedTexts = Callable[[Sequence[str]], "NDArray[np.float32]"]

WORD = re.compile(r"[^\W_]{3,}")
BULLET = re.compile(r"(?:[-*•]|\d{1,2}[.)])\s+")
MIN_QUOTE_WORDS = 4
STEM = 5  # letters of a word that are compared
STOP_WORDS = frozenset(
    """the and for with that this these those are was were can may might will would should could
    has have had been being from into than then them they their its it's your you our not but
    also such some any all more most very usually often about after before when which who what
    how does did done there here each other""".split()
)
# Of the sentence's cosine, its hit's score, the question's words that it and its headings hold.
# A listwise logistic fit on 676 questions with known spans; docs/log.md has the figures.
WEIGHTS = (0.61, 0.25, 0.14)
MATCHED_SENTENCES = 60  # of the best, whose tokens are matched,
MATCH_WEIGHT = 2.0  # and how much that counts beside the score above
ASKS = re.compile(r"\?[\"'”’)\]]*\s*$")
MOST_BETWEEN = 40  # characters between a question and its reply: a "Yes." perhaps


@dataclass(frozen=True, slots=True)
class Span:
    """A sentence of a hit: `document.text[start:end]`; a better one has a higher `score`."""

    hit: Hit
    document: Document
    start: int
    end: int
    score: float = 0.0

    @property
    def text(self) -> str:
        """The sentence, verbatim."""
        return self.document.text[self.start : self.end]

    @property
    def above(self) -> str:
        """What stands above it: title and headings."""
        return " > ".join(part for part in (self.document.title, self.hit.passage.heading) if part)

    @property
    def key(self) -> tuple[str, int, int]:
        """The place, whichever hit led to it."""
        return self.document.id, self.start, self.end

    @property
    def speaker(self) -> str | None:
        """Who says it, where it is speech."""
        return place(self.document, self.start, self.end).speaker

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


def rank(
    question: str,
    vector: NDArray[np.float32],
    hits: Sequence[Hit],
    documents: Mapping[str, Document],
    embed: EmbedTexts,
) -> list[Span]:
    """Every sentence of the hits, scored for the question and its unit vector, best first."""
    found: dict[tuple[str, int, int], Span] = {}
    for hit in hits:
        for span in spans(hit, documents[hit.passage.document_id]):
            found.setdefault(span.key, span)
    if not found:
        return []
    texts = list(dict.fromkeys(span.text for span in found.values()))
    cosines = dict(zip(texts, (embed(texts) @ vector).tolist(), strict=True))
    asked = stems(question)
    scored = []
    for span in found.values():
        cosine = cosines[span.text]
        seen = stems(f"{span.above} {span.text}")
        parts = (cosine, span.hit.score, len(asked & seen) / max(len(asked), 1))
        score = sum(weight * part for weight, part in zip(WEIGHTS, parts, strict=True))
        scored.append(replace(span, score=score))
    return sorted(scored, key=lambda span: -span.score)


def matched(question: str, ranked: Sequence[Span], embed_tokens: EmbedTokens) -> list[Span]:
    """The best sentences again, by how well each of the question's tokens is met in them.

    A sentence is read under its title and heading, without which a lay question finds little in
    it. The mean over the question's tokens of their best cosine (Khattab & Zaharia 2020,
    "ColBERT"), with vectors that nobody trained for it, is added to the score.
    """
    first, rest = ranked[:MATCHED_SENTENCES], ranked[MATCHED_SENTENCES:]
    asked, *read = embed_tokens([question, *(f"{span.above}\n{span.text}" for span in first)])
    again = [
        replace(span, score=span.score + MATCH_WEIGHT * mean_best_cosine(asked, tokens))
        for span, tokens in zip(first, read, strict=True)
    ]
    return _answers_first([*sorted(again, key=lambda span: -span.score), *rest])


def _answers_first(ranked: Sequence[Span]) -> list[Span]:
    """The spans, each question changing places with the sentence after it where that is below.

    An interviewer's question is nearest to the reader's, and what is wanted is the reply to it.
    """
    order = sorted(range(len(ranked)), key=lambda i: ranked[i].key)
    found = list(ranked)
    for here, after in pairwise(order):
        asks, reply = ranked[here], ranked[after]
        gap = reply.start - asks.end
        near = asks.document.id == reply.document.id and 0 <= gap <= MOST_BETWEEN
        if here < after and near and ASKS.search(asks.text) and not ASKS.search(reply.text):
            found[here] = replace(reply, score=asks.score)
            found[after] = replace(asks, score=reply.score)
    return found


def best_quotes(ranked: Sequence[Span], n: int) -> list[Citation]:
    """The first `n` sentences, at most one a hit."""
    best: dict[str, Span] = {}
    said: set[str] = set()
    for span in ranked:
        if span.hit.passage.id not in best and span.text not in said:
            best[span.hit.passage.id] = span
            said.add(span.text)
    return [span.citation(number) for number, span in enumerate(list(best.values())[:n], 1)]


def stems(text: str) -> set[str]:
    """The first letters of each content word."""
    return {word[:STEM] for word in WORD.findall(text.lower()) if word not in STOP_WORDS}


def _after_bullet(text: str, start: int, end: int) -> int:
    bullet = BULLET.match(text, start, end)
    return bullet.end() if bullet else start
