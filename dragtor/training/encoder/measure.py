"""How well logits do on what is held out: loss, accuracy, span F1; and the temperature that fits.

Labels are read off as inference reads them (encoder/decode.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from dragtor.encoder import decode
from dragtor.encoder.data import TaskData, TaskExample
from dragtor.encoder.heads import NO_SPAN, Head, HeadKind
from dragtor.extras import require
from dragtor.metrics import (
    accuracy,
    answer_words,
    auc,
    f1,
    log_odds,
    macro_f1,
    mean,
    span_counts,
    total_counts,
    word_f1,
)
from dragtor.training import TRAIN_EXTRA
from dragtor.training.encoder.batches import HeadWindow

if TYPE_CHECKING:
    from torch import Tensor

MAIN: dict[HeadKind, str] = {
    "sentence": "accuracy", "pair": "accuracy", "tokens": "span_f1", "span": "exact",
}  # fmt: skip
TEMPERATURES = [0.5 * 1.05**i for i in range(50)]  # 0.5 to about 5.5

FEWEST_SPANS = 50  # that a calibration is fitted on
NEWTON_STEPS, RIDGE = 20, 1.0
LEASTS = [i / 20 for i in range(13)]  # 0 to 0.6


@dataclass(frozen=True, slots=True)
class Said:
    """The logits (targets, labels) of a window."""

    window: HeadWindow
    logits: Tensor


def figures(head: Head, data: TaskData, said: Sequence[Said]) -> dict[str, float]:
    """The figures of a head over a task's examples, `loss` among them."""
    found = {"loss": _loss(said, 1.0)}
    if head.kind == "span":
        return found | span_figures(data, said)
    gold, told = _labels(head, data, said)
    if head.kind == "tokens":
        known = {label[2:] for label in data.labels}
        pairs = zip(_spans(gold, known), _spans(told, known), strict=True)
        counts = [span_counts(wanted, given) for wanted, given in pairs]
        return found | {"span_f1": f1(*total_counts(counts))}
    flat_gold, flat_told = [g[0] for g in gold], [t[0] for t in told]
    found |= {
        "accuracy": accuracy(flat_gold, flat_told), "macro_f1": macro_f1(flat_gold, flat_told),
    }  # fmt: skip
    if head.kind == "pair" and len(head.labels) == 2:
        found |= _auc([*map(_odds, said)], [label == head.labels[1] for label in flat_gold])
    return found


def _auc(odds: Sequence[float], wanted: Sequence[bool]) -> dict[str, float]:
    """Nothing where one class alone is held out."""
    found = auc(odds, wanted)
    return {} if found is None else {"auc": found}


def _odds(one: Said) -> float:
    """Log odds of the second of two labels of a text."""
    return float(one.logits[0, 1] - one.logits[0, 0])


def span_figures(data: TaskData, said: Sequence[Said]) -> dict[str, float]:
    """Exact match and F1 of SQuAD 2 (Rajpurkar et al. 2018): an example's likeliest answer of all
    its windows, or that there is none.
    """
    found = []
    for number, windows in groupby(said, key=lambda one: one.window.example):
        chances = [_span_of(one) for one in windows]
        given = [each for each in chances if each[1] > each[0]]
        found.append(_right(data.examples[number], max(given, key=lambda e: e[1], default=None)))
    return {"exact": mean([e for e, _ in found]), "f1": mean([f for _, f in found])}


def answer_figures(
    data: TaskData, said: Sequence[Said], answers: Sequence[Said]
) -> dict[str, float]:
    """Of a pair head over the windows of spans: is there an answer, and F1 where it says so.

    An example is as likely answered as its likeliest window.
    """
    found, sure, wanted = [], [], []
    pairs = zip(said, answers, strict=True)
    for number, windows in groupby(pairs, key=lambda pair: pair[0].window.example):
        parts = list(windows)
        sure.append(max(_odds(other) for _, other in parts))
        wanted.append(bool(data.examples[number].answers))
        best = max((_span_of(one) for one, _ in parts), key=lambda each: each[1])
        found.append(_right(data.examples[number], best if sure[-1] > 0 else None))
    told = [odds > 0 for odds in sure]
    return {
        "accuracy": accuracy(wanted, told),
        "f1": mean([value for _, value in found]),
        **_auc(sure, wanted),
    }


_Chances = tuple[float, float, int, int]


def _span_of(one: Said) -> _Chances:
    return decode.span_chances(one.logits.T.numpy(), one.window.tokens.offsets)


def _right(example: TaskExample, best: _Chances | None) -> tuple[float, float]:
    """Exact match and F1 of an answer, of the wanted ones the nearest; None: there is none."""
    said = answer_words(example.text[best[2] : best[3]] if best else "")
    wanted = [answer_words(example.text[a:b]) for a, b in example.answers] or [()]
    return float(said in wanted), max(word_f1(said, each) for each in wanted)


def best_temperature(said: Sequence[Said]) -> float:
    """The divisor of logits with the lowest cross entropy on these (Guo et al. 2017)."""
    return min(TEMPERATURES, key=lambda one: _loss(said, one)) if said else 1.0


def span_calibration(head: Head, said: Sequence[Said]) -> tuple[float, float]:
    """The scale and shift of a span's log odds that fit these best (Platt 1999), by Newton steps.

    Spans of kinds that their file never marks are left out.
    """
    import numpy as np

    rows: list[tuple[float, float]] = []
    for one in said:
        rows += _span_rows(head, one)
    if len(rows) < FEWEST_SPANS:
        return 1.0, 0.0
    odds, right = (np.array(column) for column in zip(*rows, strict=True))
    given = np.stack([odds, np.ones_like(odds)], axis=1)
    weights = np.array([1.0, 0.0])
    for _ in range(NEWTON_STEPS):
        sure = 1 / (1 + np.exp(-given @ weights))
        slope = given.T @ (sure - right) + RIDGE * (weights - [1.0, 0.0])
        bend = given.T @ (given * (sure * (1 - sure))[:, None]) + RIDGE * np.eye(2)
        weights = weights - np.linalg.solve(bend, slope)
    return max(float(weights[0]), 0.1), float(weights[1])


def best_least(head: Head, said: Sequence[Said]) -> float:
    """The least probability of a span with which F1 on these is highest."""
    rows = [row for one in said for row in _span_rows(head, one)]
    wanted = sum(len(decode.runs([head.labels[i] for i in one.window.targets])) for one in said)
    if len(rows) < FEWEST_SPANS:
        return 0.0
    sure = [(decode.calibrated_odds(odds, head), right) for odds, right in rows]

    def score(least: float) -> float:
        kept = [right for chance, right in sure if chance >= least]
        return f1(round(sum(kept)), len(kept), wanted)

    return max(LEASTS, key=score)


def _span_rows(head: Head, one: Said) -> list[tuple[float, float]]:
    """(log odds before calibration, 1 if right) of each span that is said in a window."""
    chances = decode.probabilities(one.logits.numpy(), head.temperature)
    path = [head.labels[i] for i in decode.best_labels(chances, head.labels)]
    gold = {*decode.runs([head.labels[i] for i in one.window.targets])}
    unknown = {head.labels[i][2:] for i in one.window.unknown}
    return [
        (
            log_odds(
                decode.span_chance(chances, head.labels, kind, first, last), decode.TINY_CHANCE
            ),
            float((kind, first, last) in gold),
        )
        for kind, first, last in decode.runs(path)
        if kind not in unknown
    ]


def _labels(
    head: Head, data: TaskData, said: Sequence[Said]
) -> tuple[list[list[str]], list[list[str]]]:
    """The labels of each example as they are and as they are said."""
    gold, told = [], []
    for number, windows in groupby(said, key=lambda one: one.window.example):
        parts = list(windows)
        example = data.examples[number]
        if head.kind != "tokens":
            summed = sum(one.logits * len(one.window) for one in parts)
            gold.append([example.label])
            told.append([head.labels[int(summed[0].argmax())]])
            continue
        size = 1 + max((word for one in parts for word in one.window.tokens.words), default=-1)
        wanted, labels = [NO_SPAN] * size, [NO_SPAN] * size
        for one in parts:
            path = decode.best_labels(decode.probabilities(one.logits.numpy()), head.labels)
            for word, label, target in zip(
                one.window.tokens.words, path, one.window.targets, strict=True
            ):
                wanted[word], labels[word] = head.labels[target], head.labels[label]
        gold.append(wanted)
        told.append(labels)
    return gold, told


def _spans(labels: Sequence[Sequence[str]], known: set[str]) -> list[set[tuple[int, int, str]]]:
    """The spans of each example, of the kinds that the data has."""
    return [
        {(first, last, kind) for kind, first, last in decode.runs(row) if kind in known}
        for row in labels
    ]


def _targets(one: Said) -> Tensor:
    return require("torch", extra=TRAIN_EXTRA).tensor(one.window.targets)


def _loss(said: Sequence[Said], temperature: float) -> float:
    torch = require("torch", extra=TRAIN_EXTRA)
    losses = [
        torch.nn.functional.cross_entropy(one.logits / temperature, _targets(one))
        for one in said
        if one.window.targets
    ]
    return float(torch.stack(losses).mean()) if losses else 0.0
