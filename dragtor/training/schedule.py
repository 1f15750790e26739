"""The learning rate of each step: it rises in a line, then falls as a cosine.

Pure: knows neither torch nor what is trained.
"""

from __future__ import annotations

import math

LOWEST_SHARE = 0.02  # of the highest rate, at the last step


def learning_rate(step: int, steps: int, highest: float, warmup: float) -> float:
    """The rate of step `step` (from 0) of `steps`; `warmup` is the share that it rises over."""
    rising = max(1, round(warmup * steps))
    if step < rising:
        return highest * (step + 1) / rising
    along = (step - rising) / max(1, steps - rising)
    return highest * (LOWEST_SHARE + (1 - LOWEST_SHARE) * (1 + math.cos(math.pi * along)) / 2)
