"""Reading: which sentences of the hits a model is given, within its tokens.

Pure but for counting tokens, which is passed in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from dragtor.ground.quotes import Span, spans
from dragtor.types import Document, Passage

HEADING_LINE = re.compile(r"^#{1,6} ", re.MULTILINE)
# A sentence that tells its reader how to answer: written for a model, not for a person.
ORDER = re.compile(
    r"\byour (?:\w+ )?(?:response|reply|answer|message|output)s?\b"
    r"|\b(?:ignore|disregard|forget|override)\b.{0,40}\b(?:instruction|prompt|rule|context|above)s?\b"
    r"|\byou are (?:now )?an? (?:ai|assistant|language model|chatbot)\b|\bsystem prompt\b",
    re.IGNORECASE,
)
MARK_TOKENS = 5  # of a sentence's number and line end


def reading(
    ranked: Sequence[Span], context: str, room: int, count_tokens: Callable[[str], int]
) -> list[Span]:
    """Spans of at most `room` tokens in all, grouped under their headings, best group first.

    `context`: `sentences` takes the best-ranked ones of all hits; `passage`, `section` and
    `document` go hit by hit, and in each from its best sentence outwards. Sentences that give a
    model orders are left out.
    """
    ordered = ranked if context == "sentences" else _widened(ranked, context)
    chosen: dict[tuple[str, int, int], Span] = {}
    heads: set[str] = set()
    for span in ordered:
        if span.key in chosen or ORDER.search(span.text):
            continue
        cost = count_tokens(span.text) + MARK_TOKENS
        cost += 0 if span.above in heads else count_tokens(span.above) + 2
        if cost > room:
            if context == "sentences" and chosen:
                break
            continue
        room -= cost
        chosen[span.key] = span
        heads.add(span.above)
    return in_reading_order(chosen.values())


def in_reading_order(chosen: Iterable[Span]) -> list[Span]:
    """Grouped under what stands above them, the best group first, each in the text's order."""
    groups: dict[tuple[str, str | None], list[Span]] = {}
    for span in sorted(chosen, key=lambda span: -span.score):
        groups.setdefault((span.above, span.hit.speaker), []).append(span)
    return [s for group in groups.values() for s in sorted(group, key=lambda span: span.key)]


def _widened(ranked: Sequence[Span], context: str) -> Iterator[Span]:
    known = {span.key: span for span in ranked}
    best_of: dict[str, Span] = {}
    for span in ranked:
        best_of.setdefault(span.hit.passage.id, span)
    for best in sorted(best_of.values(), key=lambda span: -span.hit.score):
        passage = best.hit.passage
        start, end = _extent(passage, best.document, context)
        whole = replace(best.hit, passage=Passage.of(best.document, start, end, passage.heading))
        near = sorted(spans(whole, best.document), key=lambda span: abs(span.start - best.start))
        for span in near:
            yield known.get(span.key) or replace(span, score=best.score - 1e-6)


def _extent(passage: Passage, document: Document, context: str) -> tuple[int, int]:
    """Where the passage, its section or its document starts and ends."""
    if context == "passage":
        return passage.start, passage.end
    if context == "document":
        return 0, len(document.text)
    starts = [found.start() for found in HEADING_LINE.finditer(document.text)]
    start = max((s for s in starts if s <= passage.start), default=0)
    end = min((s for s in starts if s > passage.start), default=len(document.text))
    return start, max(end, passage.end)
