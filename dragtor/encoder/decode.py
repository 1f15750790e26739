"""Logits to labels: probabilities, the best valid sequence of BIO labels, and the spans it marks.

Pure numpy; knows neither graph nor tokenizer. Training measures with the same functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from dragtor.encoder.align import Offsets
from dragtor.encoder.heads import NO_SPAN
from dragtor.types import LabelledSpan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]


def probabilities(logits: Numbers, temperature: float = 1.0) -> Numbers:
    """Softmax over the last axis of logits divided by `temperature`."""
    import numpy as np

    scaled = np.asarray(logits, np.float32) / temperature
    raised = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    found: Numbers = raised / raised.sum(axis=-1, keepdims=True)
    return found


def best_labels(chances: Numbers, labels: Sequence[str]) -> list[int]:
    """The likeliest valid sequence, one label a word: `chances` is (words, labels).

    Valid is I-X only after B-X or I-X; `labels` begin with O. Viterbi's (1967) search.
    """
    import numpy as np

    likeliest = [int(i) for i in chances.argmax(axis=1)] if len(chances) else []
    if all(_may_follow(labels[a], labels[b]) for a, b in pairwise([0, *likeliest])):
        return likeliest  # nothing valid is likelier, as in nearly every text
    scores = np.log(np.clip(chances, 1e-9, 1))
    allowed = np.array([[0.0 if _may_follow(a, b) else -np.inf for b in labels] for a in labels])
    best, back = allowed[0] + scores[0], []
    for row in scores[1:]:
        ways = best[:, None] + allowed
        back.append(ways.argmax(axis=0))
        best = ways.max(axis=0) + row
    path = [int(best.argmax())]
    for came in reversed(back):
        path.append(int(came[path[-1]]))
    return path[::-1]


def _may_follow(before: str, label: str) -> bool:
    part, _, name = label.partition("-")
    return part != "I" or before in (f"B-{name}", f"I-{name}")


def label_spans(
    words: Sequence[Offsets], chances: Numbers, labels: Sequence[str]
) -> list[LabelledSpan]:
    """The spans that the likeliest valid labels mark.

    A span's probability is the mean, over its words, of that of its own kind (B and I together).
    """
    path = best_labels(chances, labels)
    spans = []
    for kind, first, last in runs([labels[i] for i in path]):
        columns = [i for i, label in enumerate(labels) if label[2:] == kind]
        sure = float(chances[first:last, columns].sum(axis=1).mean())
        spans.append(LabelledSpan(words[first][0], words[last - 1][1], kind, sure))
    return spans


def runs(labels: Sequence[str]) -> list[tuple[str, int, int]]:
    """(kind, first, after the last) of each span in BIO labels, read as conlleval does.

    An I- after O, or after another kind, begins a span.
    """
    found: list[tuple[str, int, int]] = []
    for at, label in enumerate([*labels, NO_SPAN]):
        part, _, kind = label.partition("-")
        open_ = found and found[-1][2] < 0
        goes_on = open_ and part == "I" and found[-1][0] == kind
        if open_ and not goes_on:
            found[-1] = (*found[-1][:2], at)
        if part in ("B", "I") and not goes_on:
            found.append((kind, at, -1))
    return found
