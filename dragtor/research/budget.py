"""The budget of one research: steps, pages and seconds, and what of each is spent.

Knows what may be spent, not on what. The clock is given, so that a boundary can be tested exactly.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dragtor.config import ResearchConfig
from dragtor.dossier import ResearchStep


class BudgetSpent(Exception):
    """No step is left: what there is is written."""


@dataclass
class Budget:
    """What a research may spend, as `config` has it, from now on; `planned` steps, if it may."""

    config: ResearchConfig
    planned: int
    clock: Callable[[], float] = time.monotonic
    steps: int = 0
    pages: int = 0
    tokens: int = 0
    begun: float = field(init=False)
    _waits_since: float | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.begun = self.clock()

    @property
    def seconds(self) -> float:
        """Since the research began, without those that somebody took to consent."""
        now = self.clock() if self._waits_since is None else self._waits_since
        return now - self.begun

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """The block waits for a person, and takes no seconds."""
        self._waits_since = self.clock()
        try:
            yield
        finally:
            self.begun += self.clock() - self._waits_since
            self._waits_since = None

    @property
    def pages_left(self) -> int:
        """How many pages may still be fetched."""
        return max(0, self.config.pages - self.pages)

    def step(self, label: str) -> ResearchStep:
        """The next step; raises BudgetSpent where it would be one too many."""
        if self.steps >= self.config.steps:
            raise BudgetSpent
        self.steps += 1
        most = min(self.planned, self.config.steps)
        seconds = round(self.seconds, 3)
        return ResearchStep(
            self.steps, max(most, self.steps), label, seconds, self.pages, self.tokens
        )

    def page(self) -> bool:
        """Take a page, if one is left."""
        if not self.pages_left:
            return False
        self.pages += 1
        return True

    def out_of_time(self) -> bool:
        """Whether all the seconds are spent: at the very second they are."""
        return self.seconds >= self.config.seconds
