"""Scores of a ranking against judgements, and their uncertainty. Pure functions, no I/O.

Conventions of trec_eval: gains are linear in the judged grade, ranks count from 1.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence

BOOTSTRAP_ROUNDS = 1000


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


def interval(values: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """95 % bootstrap interval of the mean (percentile method, fixed seed)."""
    if not values:
        return 0.0, 0.0
    draw = random.Random(seed)
    means = [mean(draw.choices(values, k=len(values))) for _ in range(BOOTSTRAP_ROUNDS)]
    return percentile(means, 0.025), percentile(means, 0.975)


def paired_interval(
    before: Sequence[float], after: Sequence[float], seed: int = 0
) -> tuple[float, float]:
    """95 % bootstrap interval of mean(after - before), both scored on the same items in order.

    It excludes zero where the change is more than the luck of these items.
    """
    return interval([b - a for a, b in zip(before, after, strict=True)], seed)
