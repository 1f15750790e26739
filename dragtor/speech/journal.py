"""What is finished of a transcript, so that a run that was interrupted goes on.

Owns the rows: a plan, then the words of each window. Knows nothing of sound and models.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragtor.journal import Journal
from dragtor.types import Word


@dataclass(frozen=True, slots=True)
class Plan:
    """What a first pass told; a window's pieces are (start, end) in seconds, in order."""

    language: str
    duration_s: float
    windows: tuple[tuple[tuple[float, float], ...], ...]


class TranscriptJournal(Journal):
    """A plan and the words of finished windows; windows before a plan count for nothing."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.plan: Plan | None = None
        self.done: dict[int, list[Word]] = {}

    def begin(self, plan: Plan) -> Plan:
        """Keep the plan, and give it back."""
        row = {"language": plan.language, "duration_s": plan.duration_s, "windows": plan.windows}
        self.append(row)
        self.plan = plan
        return plan

    def put(self, number: int, words: list[Word]) -> None:
        """Keep the words of a window; any thread may."""
        said = [(word.text, word.start_s, word.end_s) for word in words]
        self.append({"window": number, "words": said})
        self.done[number] = words

    def _take(self, row: Any) -> None:
        with suppress(ValueError, TypeError, KeyError):
            if "windows" in row:
                cut = tuple(tuple((s, e) for s, e in window) for window in row["windows"])
                self.plan = Plan(row["language"], row["duration_s"], cut)
            elif self.plan and row["window"] < len(self.plan.windows):
                self.done[row["window"]] = [Word(*word) for word in row["words"]]
