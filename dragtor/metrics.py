"""Scores of rankings, classes and spans against judgements, and their uncertainty. Pure, no I/O.

Conventions of trec_eval: gains are linear in the judged grade, ranks count from 1. Spans are
right where start, end and label are, as conlleval counts them.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence, Set
from typing import TypeVar

H = TypeVar("H", bound=Hashable)
Counts = tuple[int, int, int]  # of a text's spans or the like: right, said, wanted

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


# Classes and spans


def accuracy(gold: Sequence[Hashable], said: Sequence[Hashable]) -> float:
    """Share of items whose class is right, 0 to 1."""
    return mean([float(a == b) for a, b in zip(gold, said, strict=True)])


def f1(right: int, said: int, wanted: int) -> float:
    """Harmonic mean of precision and recall; 0 where nothing is right."""
    return 2 * right / (said + wanted) if said + wanted else 0.0


def answer_words(text: str) -> tuple[str, ...]:
    """The words that count where answers are compared: no articles, as in SQuAD's script.

    Unlike there, punctuation parts words: "1,430" are two.
    """
    return tuple(w for w in re.findall(r"\w+", text.lower()) if w not in ("a", "an", "the"))


def word_f1(said: Sequence[str], wanted: Sequence[str]) -> float:
    """F1 of the words of two answers; of none and none 1."""
    if not said or not wanted:
        return float(said == wanted)
    return f1((Counter(said) & Counter(wanted)).total(), len(said), len(wanted))


def macro_f1(gold: Sequence[Hashable], said: Sequence[Hashable]) -> float:
    """Mean F1 of all classes that are wanted or said, each weighing the same."""
    return _macro_f1(Counter(zip(gold, said, strict=True)))


def class_counts(gold: Sequence[Hashable], said: Sequence[Hashable]) -> dict[Hashable, Counts]:
    """Counts of each class that is wanted or said."""
    return _by_class(Counter(zip(gold, said, strict=True)))


def _by_class(pairs: Mapping[tuple[Hashable, Hashable], int]) -> dict[Hashable, Counts]:
    right: Counter[Hashable] = Counter()
    told: Counter[Hashable] = Counter()
    wanted: Counter[Hashable] = Counter()
    for (gold, said), n in pairs.items():
        right[gold] += n * (gold == said)
        wanted[gold] += n
        told[said] += n
    return {each: (right[each], told[each], wanted[each]) for each in told | wanted}


def _macro_f1(pairs: Mapping[tuple[Hashable, Hashable], int]) -> float:
    return mean([f1(*counts) for counts in _by_class(pairs).values()])


def span_counts(gold: Set[Hashable], said: Set[Hashable]) -> Counts:
    """Of one text, its spans as (start, end, label)."""
    return len(gold & said), len(said), len(gold)


def label_counts(
    texts: Sequence[tuple[Set[tuple[int, int, str]], Set[tuple[int, int, str]]]],
) -> dict[str, Counts]:
    """Counts of each label over all texts, of which each is (gold, said) spans."""
    right = Counter(span[2] for gold, said in texts for span in gold & said)
    told = Counter(span[2] for _, said in texts for span in said)
    wanted = Counter(span[2] for gold, _ in texts for span in gold)
    return {each: (right[each], told[each], wanted[each]) for each in sorted(told | wanted)}


def total_counts(counts: Sequence[Counts]) -> Counts:
    """The sum over texts: what micro-averaged scores are made of."""
    right, said, wanted = (
        (sum(column) for column in zip(*counts, strict=True)) if counts else (0,) * 3
    )
    return right, said, wanted


def auc(scores: Sequence[float], positive: Sequence[bool]) -> float | None:
    """Area under the ROC curve: how often a positive scores above a negative, a tie being half.

    None where all are of one kind (Hanley and McNeil 1982).
    """
    return _auc(_score_order(scores, positive), [1] * len(scores))


def auc_interval(
    scores: Sequence[float], positive: Sequence[bool], groups: Sequence[Hashable]
) -> tuple[float, float]:
    """95 % bootstrap interval of auc over `groups`, drawn whole: questions of a text are alike.

    Draws of one kind are left out.
    """
    order, found = _score_order(scores, positive), []
    for drawn in _draws([*dict.fromkeys(groups)]):
        weights = [drawn.get(group, 0) for group in groups]
        if (value := _auc(order, weights)) is not None:
            found.append(value)
    return percentile(found, 0.025), percentile(found, 0.975)


def _score_order(scores: Sequence[float], positive: Sequence[bool]) -> list[list[tuple[int, bool]]]:
    """(item, positive) of each score, lowest first; ties together."""
    ties: dict[float, list[tuple[int, bool]]] = {}
    for item, (score, is_positive) in enumerate(zip(scores, positive, strict=True)):
        ties.setdefault(score, []).append((item, is_positive))
    return [ties[score] for score in sorted(ties)]


def _auc(order: Sequence[Sequence[tuple[int, bool]]], weights: Sequence[int]) -> float | None:
    positives = negatives = 0  # of what scores lower
    won = 0.0
    for tied in order:
        positive = sum(weights[item] for item, is_positive in tied if is_positive)
        negative = sum(weights[item] for item, is_positive in tied if not is_positive)
        won += positive * (negatives + negative / 2)
        positives, negatives = positives + positive, negatives + negative
    return won / (positives * negatives) if positives and negatives else None


def ece(probabilities: Sequence[float], right: Sequence[bool], bins: int = 15) -> float:
    """Expected calibration error (Guo et al. 2017), 0 to 1, over `bins` of equal width.

    The mean distance, in a bin, of the stated probability and the share that is right, weighted
    by the items in it; 0 of nothing.
    """
    sums: dict[int, float] = {}
    for sure, true in zip(probabilities, right, strict=True):
        place = max(0, math.ceil(sure * bins) - 1)
        sums[place] = sums.get(place, 0.0) + sure - true
    return sum(map(abs, sums.values())) / len(right) if right else 0.0


def ratio_interval(parts: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """95 % bootstrap interval of the sum of the first over the sum of the second.

    Draws that divide by 0 are left out; 0 to 0 where all do.
    """
    return _drawn(parts, lambda sums: sums[0] / sums[1] if sums[1] else None)


def macro_f1_interval(gold: Sequence[Hashable], said: Sequence[Hashable]) -> tuple[float, float]:
    """95 % interval of macro_f1: a bootstrap over items."""
    found = [_macro_f1(drawn) for drawn in _draws([*zip(gold, said, strict=True)])]
    return percentile(found, 0.025), percentile(found, 0.975)


def _drawn(
    rows: Sequence[tuple[float, ...]], figure: Callable[[list[float]], float | None]
) -> tuple[float, float]:
    """The interval of a figure of the columns' sums, rows drawn with replacement."""
    found = []
    for drawn in _draws(rows):
        columns = zip(*([value * n for value in row] for row, n in drawn.items()), strict=True)
        if (value := figure([sum(column) for column in columns])) is not None:
            found.append(value)
    return percentile(found, 0.025), percentile(found, 0.975)


def _draws(items: Sequence[H]) -> Iterator[dict[H, int]]:
    """How often each item is drawn, with replacement, in each round; fixed seed.

    Items that are alike are counted as one, which makes rounds over thousands of texts quick.
    """
    draw, distinct = random.Random(0), [*dict.fromkeys(items)]
    number = {item: n for n, item in enumerate(distinct)}
    places = [number[item] for item in items]
    for _ in range(BOOTSTRAP_ROUNDS if places else 0):
        drawn = Counter(draw.choices(places, k=len(places)))
        yield {distinct[n]: times for n, times in drawn.items()}


def log_odds(probability: float, least: float) -> float:
    """Natural; of a probability that is taken to be `least` away from 0 and 1."""
    sure = min(max(probability, least), 1 - least)
    return math.log(sure / (1 - sure))
