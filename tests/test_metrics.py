"""Scores against values worked out by hand and, for nDCG, the published definition."""

from __future__ import annotations

import math
import random

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


# Classes and spans

GOLD = ["a", "a", "a", "b", "b", "c"]
SAID = ["a", "a", "b", "b", "a", "d"]


def test_classes_by_hand() -> None:
    assert metrics.accuracy(GOLD, SAID) == 0.5
    assert metrics.class_counts(GOLD, SAID) == {
        "a": (2, 3, 3), "b": (1, 2, 2), "c": (0, 0, 1), "d": (0, 1, 0),
    }  # fmt: skip
    assert metrics.macro_f1(GOLD, SAID) == pytest.approx((2 / 3 + 1 / 2 + 0 + 0) / 4)
    assert metrics.macro_f1([], []) == 0
    with pytest.raises(ValueError, match="zip"):
        metrics.accuracy(["a"], [])


def test_f1() -> None:
    assert metrics.f1(0, 0, 0) == 0
    assert metrics.f1(1, 2, 3) == pytest.approx(2 * 0.5 * (1 / 3) / (0.5 + 1 / 3))


def test_spans_are_right_where_start_end_and_label_are() -> None:
    texts = [
        ({(0, 2, "x"), (3, 5, "y")}, {(0, 2, "x"), (3, 4, "y")}),
        ({(0, 2, "x")}, {(0, 2, "z")}),
        (set(), set()),
    ]
    counts = [metrics.span_counts(*text) for text in texts]
    assert counts == [(1, 2, 2), (0, 1, 1), (0, 0, 0)]
    assert metrics.total_counts(counts) == (1, 3, 3)
    assert metrics.total_counts([]) == (0, 0, 0)
    assert metrics.label_counts(texts) == {"x": (1, 1, 2), "y": (0, 1, 1), "z": (0, 1, 0)}


def test_calibration_error_by_hand() -> None:
    sure = [0.95, 0.95, 0.95, 0.95, 0.55]
    right = [True, True, True, False, True]
    assert metrics.ece(sure, right, bins=10) == pytest.approx(0.8 * 0.2 + 0.2 * 0.45)
    assert metrics.ece([1.0, 0.0], [True, False]) == 0
    assert metrics.ece([], []) == 0
    # the edge between two bins belongs to the lower one
    assert metrics.ece([0.2, 0.3], [True, False], bins=5) == pytest.approx((0.8 + 0.3) / 2)


def test_one_who_is_as_right_as_he_says_is_calibrated() -> None:
    draw = random.Random(1)
    sure = [draw.uniform(0.2, 1) for _ in range(20_000)]
    right = [draw.random() < each for each in sure]
    assert metrics.ece(sure, right) < 0.015
    assert metrics.ece([1.0] * len(sure), right) == pytest.approx(0.4, abs=0.01)


def test_the_interval_of_f1_covers_as_often_as_it_says() -> None:
    """Of texts whose spans are each right in three of four cases, 19 of 20 intervals hold .75."""
    draw, held = random.Random(2), 0
    for _ in range(60):
        texts = [(2 * sum(draw.random() < 0.75 for _ in range(3)), 6) for _ in range(60)]
        low, high = metrics.ratio_interval(texts)
        held += low <= 0.75 <= high
    assert 52 <= held <= 60


def test_intervals_of_nothing() -> None:
    assert metrics.ratio_interval([]) == (0, 0)
    assert metrics.ratio_interval([(0, 0)]) == (0, 0)
    assert metrics.macro_f1_interval([], []) == (0, 0)
    low, high = metrics.macro_f1_interval(GOLD * 20, SAID * 20)
    assert low < metrics.macro_f1(GOLD, SAID) < high


def test_auc_by_hand() -> None:
    assert metrics.auc([0.9, 0.5, 0.4, 0.1], [True, False, True, False]) == 0.75
    assert metrics.auc([0.5, 0.5], [True, False]) == 0.5
    assert metrics.auc([0.1, 0.9], [True, False]) == 0
    assert metrics.auc([0.1, 0.9], [True, True]) is None
    assert metrics.auc([], []) is None


def test_auc_interval_draws_whole_groups() -> None:
    draw = random.Random(3)
    positive = [draw.random() < 0.5 for _ in range(200)]
    scores = [draw.gauss(float(each), 1) for each in positive]
    value = metrics.auc(scores, positive)
    assert value is not None
    low, high = metrics.auc_interval(scores, positive, range(200))
    assert low < value < high
    assert 0.05 < high - low < 0.25
    twice = metrics.auc_interval(scores * 2, positive * 2, [*range(200)] * 2)
    assert twice == (low, high)  # the same texts again tell nothing new
    assert metrics.auc_interval([0.1], [True], ["a"]) == (0, 0)
