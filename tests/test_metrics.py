"""Scores against values worked out by hand and, for nDCG, the published definition."""

from __future__ import annotations

import math

import pytest

from dragtor import metrics

GRADES = {"a": 2, "b": 1, "c": 0}


def test_ndcg_by_hand() -> None:
    gained = 1 / math.log2(2) + 2 / math.log2(4)
    ideal = 2 / math.log2(2) + 1 / math.log2(3)
    assert metrics.ndcg(["b", "x", "a"], GRADES) == pytest.approx(gained / ideal)
    assert metrics.ndcg(["a", "b"], GRADES) == 1
    assert metrics.ndcg(["x", "a"], GRADES, k=1) == 0
    assert metrics.ndcg([], {"c": 0}) == 0


def test_recall_and_reciprocal_rank() -> None:
    assert metrics.recall(["x", "a", "b"], GRADES, 2) == 0.5
    assert metrics.recall(["a"], {}, 5) == 0
    assert metrics.reciprocal_rank(["x", "c", "b"], GRADES) == pytest.approx(1 / 3)
    assert metrics.reciprocal_rank(["x"], GRADES) == 0


def test_percentiles_are_values_that_occurred() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert metrics.percentile(values, 0.5) == 3
    assert metrics.percentile(values, 0.95) == 5
    assert metrics.percentile([], 0.5) == 0


def test_the_interval_holds_the_mean_and_narrows() -> None:
    few, many = [0.0, 1.0] * 10, [0.0, 1.0] * 200
    low, high = metrics.interval(few)
    assert low < 0.5 < high
    narrow = metrics.interval(many)
    assert narrow[1] - narrow[0] < high - low
    assert metrics.interval(few) == (low, high)
    assert metrics.interval([]) == (0, 0)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(0, 10, 0, 0.2775), (10, 10, 0.7225, 1), (1, 1, 0.2065, 1), (81, 263, 0.2553, 0.3662)],
)
def test_the_interval_of_a_share_is_wilsons(hits: int, n: int, low: float, high: float) -> None:
    """The last is of Newcombe 1998, table I, method 3; the others are z² / (n + z²) by hand."""
    found = metrics.interval([1.0] * hits + [0.0] * (n - hits))
    assert found == pytest.approx((low, high), abs=5e-5)


def test_no_change_at_all_is_no_interval_of_a_share() -> None:
    assert metrics.paired_interval([0.5] * 9, [0.5] * 9) == (0, 0)
    assert metrics.paired_interval([0.0] * 9, [1.0] * 9) == (1, 1)


def test_the_paired_interval_sees_through_the_spread_of_the_items() -> None:
    before = [0.1, 0.9] * 20
    after = [0.2, 1.0] * 20
    low, high = metrics.paired_interval(before, after)
    assert low == pytest.approx(0.1)
    assert high == pytest.approx(0.1)
    low, high = metrics.paired_interval(before, before[::-1])
    assert low < 0 < high
    assert metrics.paired_interval(after, before)[1] < 0
    with pytest.raises(ValueError, match="zip"):
        metrics.paired_interval([1.0], [1.0, 2.0])
