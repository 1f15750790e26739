"""Reading: what a reader says of hits, and the order of hits and sentences that follows from it.

Ties a reading's characters to the document. Does not know which reader it is, nor what is decided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dragtor.ground.quotes import replies_first
from dragtor.ground.spans import TextSpan
from dragtor.rerank import READER_WEIGHT, SURE
from dragtor.retrieve import titled
from dragtor.types import Document, Hit, Hits, Reader, Reading

BEST_HITS = 12  # of the hybrid order, that are read with the question
NEAREST_HITS = 36  # by meaning, that may be read besides
READ_FIRST = 24  # where one of these surely answers, no other is read
LIKELY = 0.5  # of a span that is shown as the answer, of a passage that needs no other beside it
LEAST_ODDS = 1e-3  # a probability nearer to 0 or 1 says no more
# Of a sentence's cosine, the question's words in it, whether it holds what its passage would
# answer; of the passage's log odds that it answers, its score, its cosine. Fitted on 330 questions
# with known spans by benchmarks/tasks/reader_order.py; docs/log.md has the figures.
READ_WEIGHTS = (21.0, 1.4, 2.0, 0.96, 2.45, 29.3)
HOLDS = 2  # the place among them
SHORT_CHARACTERS = 120  # of a span that says it all


@dataclass(frozen=True, slots=True)
class PassageReading:
    """What a reader says of a passage; `span` are characters of the document, None without one."""

    answers: float
    span: tuple[int, int] | None
    probability: float  # of the likeliest span, though it be too unlikely to be one


def read_hits(
    question: str, hits: Sequence[Hit], documents: Mapping[str, Document], reader: Reader
) -> tuple[Hits, dict[str, PassageReading]]:
    """The hits in a new order, and the readings of those that were read by the id of the passage.

    Of READ_FIRST one is SURE to answer, or all are read. The new score has the reader's share of
    READER_WEIGHT, the hybrid score the rest; a hit that is not read counts as one that does not
    answer.
    """
    texts = [titled(documents[hit.passage.document_id].title, hit.passage) for hit in hits]
    read = reader.read(question, texts[:READ_FIRST])
    if not any(reading.answers >= SURE for reading in read):
        read = [*read, *reader.read(question, texts[READ_FIRST:])]
    found = {
        hit.passage.id: _placed(hit, text, reading)
        for hit, text, reading in zip(hits, texts, read, strict=False)
    }
    sure = [*(reading.answers for reading in read), *[0.0] * (len(hits) - len(read))]
    scored = [
        replace(hit, score=READER_WEIGHT * answers + (1 - READER_WEIGHT) * hit.score)
        for hit, answers in zip(hits, sure, strict=True)
    ]
    return Hits(sorted(scored, key=lambda hit: -hit.score)), found


def _placed(hit: Hit, read: str, reading: Reading) -> PassageReading:
    """The reading with its span in the document; what lies in title and headings is none."""
    passage = hit.passage
    head = len(read) - len(passage.text) if read.endswith(passage.text) else 0
    start, end = max(reading.start - head, 0), min(reading.end - head, len(passage.text))
    span = (passage.start + start, passage.start + end) if start < end else None
    return PassageReading(reading.answers, span, reading.span)


def lifted(ranked: Sequence[TextSpan], readings: Mapping[str, PassageReading]) -> list[TextSpan]:
    """The sentences in a new order, with a score of any size: see READ_WEIGHTS.

    Words are told as the answer where LIKELY.
    """
    again = []
    for span, parts in zip(ranked, order_features(ranked, readings), strict=True):
        score = sum(weight * part for weight, part in zip(READ_WEIGHTS, parts, strict=True))
        reading = readings.get(span.hit.passage.id)
        if reading and reading.span and parts[HOLDS] and reading.probability >= LIKELY:
            inside = (max(reading.span[0], span.start), min(reading.span[1], span.end))
            span = replace(span, answer=inside)
        again.append(replace(span, score=score))
    return replies_first(sorted(again, key=lambda span: -span.score))


def order_features(
    ranked: Sequence[TextSpan], readings: Mapping[str, PassageReading]
) -> list[tuple[float, ...]]:
    """What READ_WEIGHTS weigh of each sentence."""
    holders = _holders(ranked, readings)
    found: list[tuple[float, ...]] = []
    for span in ranked:
        hit = span.hit
        reading = readings.get(hit.passage.id)
        holds = float(holders.get(hit.passage.id) == span.key)
        answers = log_odds(reading.answers if reading else 0.0)
        found.append((span.cosine, span.words, holds, answers, hit.score, hit.dense_score))
    return found


def log_odds(probability: float) -> float:
    """Of a probability, LEAST_ODDS from 0 and 1 at least."""
    sure = min(max(probability, LEAST_ODDS), 1 - LEAST_ODDS)
    return math.log(sure / (1 - sure))


def _holders(
    ranked: Sequence[TextSpan], readings: Mapping[str, PassageReading]
) -> dict[str, tuple[str, int, int]]:
    """Of each passage with an answer the sentence that holds most of it."""
    most: dict[str, tuple[int, tuple[str, int, int]]] = {}
    for span in ranked:
        identity = span.hit.passage.id
        reading = readings.get(identity)
        if reading and reading.span:
            shared = min(reading.span[1], span.end) - max(reading.span[0], span.start)
            if shared > most.get(identity, (0,))[0]:
                most[identity] = (shared, span.key)
    return {identity: key for identity, (_, key) in most.items()}


def likely_to_answer(
    ranked: Sequence[TextSpan], readings: Mapping[str, PassageReading]
) -> Sequence[TextSpan]:
    """The sentences whose passage LIKELY answers, where that of the first does; else all."""
    likely = {identity for identity, reading in readings.items() if reading.answers >= LIKELY}
    if not ranked or ranked[0].hit.passage.id not in likely:
        return ranked
    return [span for span in ranked if span.hit.passage.id in likely]


def one_span_answers(first: TextSpan, readings: Mapping[str, PassageReading]) -> bool:
    """Whether the reader is sure that the first quote holds a short answer, which says all."""
    reading = readings.get(first.hit.passage.id)
    if reading is None or reading.span is None or first.answer != reading.span:
        return False
    short = reading.span[1] - reading.span[0] <= SHORT_CHARACTERS
    return short and min(reading.answers, reading.probability) >= SURE
