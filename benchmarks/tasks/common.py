"""What benchmarks share: how far they are, on stderr. No benchmark itself."""

from __future__ import annotations

import sys

from dragtor.types import Reporter


class Shown(Reporter):
    """Shows every `each`th piece of work, and the last."""

    def __init__(self, each: int = 1) -> None:
        self._each = each

    def progress(self, label: str, done: float, total: float) -> None:
        if done % self._each == 0 or done == total:
            print(f"\r{label} {done}/{total}   ", end="", file=sys.stderr, flush=True)
