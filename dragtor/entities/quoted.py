"""The sentences that hold mentions, as citations.

Knows a document and spans of it, and not who is meant by them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dragtor.links import cited
from dragtor.split import sentences
from dragtor.types import Citation, Document


def quoted_mentions(document: Document, spans: Iterable[tuple[int, int]]) -> Iterator[Citation]:
    """The sentence of each span, each once, numbered from 1; a span of several is quoted whole."""
    done: set[tuple[int, int]] = set()
    for span in spans:
        start, end = _sentence(document.text, *span)
        if (start, end) not in done:
            done.add((start, end))
            yield cited(document, start, end, len(done))


def _sentence(text: str, start: int, end: int) -> tuple[int, int]:
    first = text.rfind("\n\n", 0, start) + 1
    last = text.find("\n\n", end)
    touched = [
        (a, b)
        for a, b in sentences(text, first, last if last >= 0 else len(text))
        if a < end and b > start
    ]
    return (touched[0][0], touched[-1][1]) if touched else (start, end)
