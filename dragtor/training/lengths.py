"""Batches of examples of like length, so that little of them is padding.

Pure; the same for the same draw, so that a resumed run goes on as it would have.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def by_length(
    items: Sequence[T],
    length: Callable[[T], int],
    most_tokens: int,
    draw: random.Random,
    most: int = 0,
) -> list[list[T]]:
    """Items of like length together, in drawn order: at most `most_tokens` with padding.

    And at most `most` items, where that is not 0; an item that is longer is alone.
    """
    order = sorted(items, key=lambda one: (length(one), draw.random()))
    out: list[list[T]] = []
    for one in order:
        fits = out and length(one) * (len(out[-1]) + 1) <= most_tokens
        if fits and not (most and len(out[-1]) == most):
            out[-1].append(one)
        else:
            out.append([one])
    draw.shuffle(out)
    return out
