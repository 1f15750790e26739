"""What is read of an event in a text: its eight fields, each as characters of that text.

Owns the type that model, resolver and evaluation share. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from dragtor.types import CancelToken, Reporter

CharSpan = tuple[int, int]  # characters of the text: start, end


@dataclass(frozen=True, slots=True)
class EventSpans:
    """One event as a model points at it: for each field that is there, where it stands.

    Attendees have a span a name, in the order of the text; any other field has one.
    """

    spans: Mapping[str, tuple[CharSpan, ...]]
    confidence: Mapping[str, float]  # of each field in `spans`, 0 to 1


class SpanExtractor(Protocol):
    """A model that finds the events of a text."""

    def extract(self, text: str) -> list[EventSpans]:
        """The events in the order of the text, none where it holds none; any length of text."""

    def under(self, reporter: Reporter, cancel: CancelToken) -> Self:
        """The same, its weights shared, that tells `reporter` and looks at `cancel`."""
        ...
