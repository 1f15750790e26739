"""What the routes of a pull share: how bytes are told of, and how a route says it cannot deliver.

Knows no route.
"""

from __future__ import annotations

from typing import Self

from dragtor.types import Reporter


class Meter:
    """Tells a reporter of running totals, never beyond `total_bytes`; the first one names it."""

    def __init__(self, reporter: Reporter, label: str, total_bytes: int) -> None:
        self._reporter, self._label, self._total = reporter, label, total_bytes
        self._seen = -1

    @property
    def started(self) -> bool:
        """Whether anything was told."""
        return self._seen >= 0

    def reach(self, done_bytes: int) -> None:
        """`done_bytes` are here in all."""
        if not self.started:
            self._reporter.note(f"{self._label} ({self._total / 1e6:,.0f} MB)")
        self._seen = max(self._seen, min(done_bytes, self._total))
        self._reporter.progress(self._label, self._seen, self._total)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """No more comes by this route: what came is all."""
        if 0 <= self._seen < self._total:
            self._reporter.progress(self._label, self._seen, self._seen)


class RouteFailed(Exception):
    """This hub or mirror cannot deliver; the text is the reason, without the route's name."""
