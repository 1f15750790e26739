"""Verification: each sentence of an answer tied to the verbatim spans that entail it, or to none.

Does not know which model wrote the sentence, nor how a span is judged: that is a Support's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from dragtor.ground.quotes import EmbedTexts
from dragtor.ground.spans import BULLET, TextSpan
from dragtor.ground.support import Support
from dragtor.prompt import CITATION_MARKER, marker_numbers

SCORE_WEIGHT = 2.0  # of a verdict's score beside the cosine of claim and span


def citation_markers(sentence: str) -> tuple[str, list[int]]:
    """The sentence without its citation markers and bullet, and the markers' numbers."""
    text = CITATION_MARKER.sub("", sentence).strip()
    bullet = BULLET.match(text)
    return text[bullet.end() if bullet else 0 :], marker_numbers(sentence)


def entailing_spans(
    claim: str,
    numbers: Sequence[int],
    context: Sequence[TextSpan],
    support: Support,
    embed: EmbedTexts,
) -> list[TextSpan]:
    """The spans of the context that entail `claim`: all that its numbers (from 1) name and do.

    Small models number badly: where none of those does, it is the nearest of the others, if one
    does, else of two neighbouring sentences taken together.
    """
    if found := _supporting(claim, numbered_spans(numbers, context), support):
        return [span for span, _ in found]
    found = _supporting(claim, context, support)
    found = found or _supporting(claim, _neighbours(context), support)
    return _nearest(claim, found, embed)


def numbered_spans(numbers: Sequence[int], context: Sequence[TextSpan]) -> list[TextSpan]:
    """The spans of these numbers; questions, and numbers that are no span's, are left out."""
    spans = [context[n - 1] for n in numbers if 1 <= n <= len(context)]
    return [span for span in spans if not span.text.rstrip().endswith("?")]


def _supporting(
    claim: str, spans: Sequence[TextSpan], support: Support
) -> list[tuple[TextSpan, float]]:
    """The spans that entail the claim, each with its score."""
    verdicts = support.verify(claim, spans)
    return [
        (span, verdict.score)
        for span, verdict in zip(spans, verdicts, strict=True)
        if verdict.label == "supported"
    ]


def _neighbours(context: Sequence[TextSpan]) -> list[TextSpan]:
    """Neighbouring sentences of one document, as one span each."""
    ordered = sorted(context, key=lambda span: (span.document.id, span.start))
    return [
        replace(a, end=b.end, score=max(a.score, b.score))
        for a, b in pairwise(ordered)
        if a.document.id == b.document.id
        and a.end <= b.start
        and not a.document.text[a.end : b.start].strip(" \n\t-*•")
    ]


def _nearest(
    claim: str, found: Sequence[tuple[TextSpan, float]], embed: EmbedTexts
) -> list[TextSpan]:
    """The span of the highest cosine and score, if there is one."""
    import numpy as np

    if len(found) < 2:
        return [span for span, _ in found]
    vectors = embed([claim, *(span.text for span, _ in found)])
    values = vectors[1:] @ vectors[0] + SCORE_WEIGHT * np.array([score for _, score in found])
    return [found[int(values.argmax())][0]]
