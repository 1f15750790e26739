"""How a pull tells what it does, and how a route says that it cannot deliver.

Knows nothing of terminals: the command line draws, tests record.
"""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears what a pull does; every `start` ends the bar before it."""

    def start(self, description: str, total_bytes: int, done_bytes: int = 0) -> None:
        """A download begins; `done_bytes` of it are here from an earlier try."""

    def advance(self, n: int) -> None:
        """`n` more bytes have come."""

    def note(self, text: str) -> None:
        """One line worth reading, such as a route that failed."""


class Silent:
    """A Progress that says nothing."""

    def start(self, description: str, total_bytes: int, done_bytes: int = 0) -> None:
        """Nothing."""

    def advance(self, n: int) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""


class Meter:
    """Feeds a bar from running totals, never beyond `total_bytes`; the first one starts it."""

    def __init__(self, progress: Progress, description: str, total_bytes: int) -> None:
        self._progress, self._description, self._total = progress, description, total_bytes
        self._seen = 0
        self.started = False

    def reach(self, done_bytes: int) -> None:
        """`done_bytes` are here in all."""
        done_bytes = min(done_bytes, self._total)
        if not self.started:
            self._progress.start(self._description, self._total, done_bytes)
            self.started, self._seen = True, done_bytes
        if done_bytes > self._seen:
            self._progress.advance(done_bytes - self._seen)
            self._seen = done_bytes


class RouteFailed(Exception):
    """This hub or mirror cannot deliver; the text is the reason, without the route's name."""
