"""What a model says it sees in a picture, held against the words that were read there.

A name that the text lacks is dropped and counted, so that none is invented; a name that is there
has its spans. Knows no model and no picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dragtor.entities.prose import FIRM_KIND
from dragtor.entities.spelling import PERSON_KIND
from dragtor.types import LabelledSpan, Reporter

SEEN = 0.8  # confidence of a name that a model saw and the text holds
_MARKS = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "‐": "-", "\u00a0": " "})


@dataclass(frozen=True, slots=True)
class SeenNames:
    """Spans of the names that the text holds, in its order; and how many names it does not."""

    spans: tuple[LabelledSpan, ...]
    dropped: int


def names_in_text(text: str, named: Iterable[tuple[str, str]]) -> SeenNames:
    """Find names, each with its category ("person", "company"), in the text of the picture.

    Whole words count, in any case and broken over lines anywhere; a person is also found as
    "Last, First". Where names overlap, the longest stays.
    """
    plain = text.translate(_MARKS)
    found: list[LabelledSpan] = []
    dropped = 0
    for name, category in dict.fromkeys(named):
        kind = PERSON_KIND if category == "person" else FIRM_KIND
        places = [LabelledSpan(*at, kind, SEEN) for at in _places(plain, name, kind)]
        found += places
        dropped += not places
    return SeenNames(tuple(_apart(found)), dropped)


def held_names(
    text: str, named: Sequence[tuple[str, str]], model: str, reporter: Reporter
) -> Sequence[LabelledSpan]:
    """Spans of what a model of that name gave, as far as the text holds it; the rest is counted."""
    found = names_in_text(text, named)
    if found.dropped:
        told = f"{found.dropped} of {len(dict.fromkeys(named))} names that {model} gave"
        reporter.note(f"{told} are not among the picture's words: left out")
    return found.spans


def _places(text: str, name: str, kind: str) -> list[tuple[int, int]]:
    words = name.translate(_MARKS).split()
    if not any(letter.isalnum() for letter in name):
        return []
    ways = [r"\s+".join(map(re.escape, words))]
    if kind == PERSON_KIND and len(words) > 1:
        first = r"\s+".join(map(re.escape, words[:-1]))
        ways.append(rf"{re.escape(words[-1])},\s+{first}")
    pattern = re.compile(rf"(?<!\w)(?:{'|'.join(ways)})(?!\w)", re.IGNORECASE)
    return [found.span() for found in pattern.finditer(text)]


def _apart(spans: Iterable[LabelledSpan]) -> list[LabelledSpan]:
    """Those that do not overlap, the longest first; in the order of the text."""
    kept: list[LabelledSpan] = []
    for span in sorted(spans, key=lambda s: (s.start - s.end, s.start)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
    return sorted(kept, key=lambda s: s.start)
