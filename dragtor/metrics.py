"""Scores of a ranking against judgements, and their uncertainty. Pure functions, no I/O.

Conventions of trec_eval: gains are linear in the judged grade, ranks count from 1.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

BOOTSTRAP_ROUNDS = 1000
Z_95 = 1.959964  # of the normal distribution, two-sided


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], k: int = 10) -> float:
    """Normalised discounted cumulative gain at `k` (Järvelin and Kekäläinen 2002), 0 to 1."""
    gained = sum(
        max(grades.get(name, 0), 0) / math.log2(rank + 1)
        for rank, name in enumerate(ranking[:k], 1)
    )
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
    ideal = sum(grade / math.log2(rank + 1) for rank, grade in enumerate(best, 1))
    return gained / ideal if ideal else 0.0


def recall(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float:
    """Share of the relevant documents among the first `k`, 0 to 1."""
    relevant = {name for name, grade in grades.items() if grade > 0}
    return len(relevant & set(ranking[:k])) / len(relevant) if relevant else 0.0


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, int]) -> float:
    """One over the rank of the first relevant document, 0 where none is ranked."""
    ranks = (rank for rank, name in enumerate(ranking, 1) if grades.get(name, 0) > 0)
    return 1 / next(ranks, math.inf)


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean; 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0 to 1) of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean: Wilson's (1927) where every value is 0 or 1, else a bootstrap's.

    A bootstrap of n values that are all 0 gives 0 to 0, as if n did not matter; Wilson's interval
    of a share does not.
    """
    if values and set(values) <= {0, 1}:
        return _wilson(mean(values), len(values))
    return _bootstrap(values)


def _wilson(share: float, n: int) -> tuple[float, float]:
    middle = share + Z_95**2 / (2 * n)
    spread = Z_95 * math.sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    scale = 1 + Z_95**2 / n
    return max(0.0, (middle - spread) / scale), min(1.0, (middle + spread) / scale)


def _bootstrap(values: Sequence[float]) -> tuple[float, float]:
    """Percentile method, fixed seed."""
    if not values:
        return 0.0, 0.0
    draw = random.Random(0)
    means = [mean(draw.choices(values, k=len(values))) for _ in range(BOOTSTRAP_ROUNDS)]
    return percentile(means, 0.025), percentile(means, 0.975)


def paired_interval(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of mean(after - before), both scored on the same items in order.

    It excludes zero where the change is more than the luck of these items.
    """
    return _bootstrap([b - a for a, b in zip(before, after, strict=True)])
