"""Logits to labels: probabilities, the best valid sequence of BIO labels, and the spans it marks.

Pure numpy; knows neither graph nor tokenizer. Training measures with the same functions.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from dragtor.encoder.align import Offsets
from dragtor.encoder.heads import NO_SPAN, Head
from dragtor.metrics import log_odds
from dragtor.types import LabelledSpan

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

MAX_SPAN_TOKENS = 30  # of an answer
ABBREVIATED = re.compile(  # at the end of a text
    r"(?:\b\w|\b(?:inc|ltd|co|corp|bros|jr|sr|st|no))\.\Z", re.IGNORECASE
)
TINY_CHANCE = 1e-6  # nothing is surer than 1 less it
MOST_EXPONENT = 700.0  # whose power of e a float holds


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

    if not len(chances):
        return []
    likeliest = chances.argmax(axis=1)
    follows = _follows(tuple(labels))
    if follows[np.concatenate([[0], likeliest[:-1]]), likeliest].all():
        found: list[int] = likeliest.tolist()
        return found  # nothing valid is likelier, as in nearly every text
    scores = np.log(np.clip(chances, 1e-9, 1))
    allowed = np.where(follows, 0.0, -np.inf)
    best, back = allowed[0] + scores[0], []
    for row in scores[1:]:
        ways = best[:, None] + allowed
        back.append(ways.argmax(axis=0))
        best = ways.max(axis=0) + row
    path = [int(best.argmax())]
    for came in reversed(back):
        path.append(int(came[path[-1]]))
    return path[::-1]


@functools.cache
def _follows(labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """(labels, labels): whether the second may come after the first."""
    import numpy as np

    return np.array([[_may_follow(a, b) for b in labels] for a in labels])


def _may_follow(before: str, label: str) -> bool:
    part, _, name = label.partition("-")
    return part != "I" or before in (f"B-{name}", f"I-{name}")


def label_spans(
    text: str, words: Sequence[Offsets], chances: Numbers, head: Head
) -> list[LabelledSpan]:
    """The spans that the likeliest valid labels mark, each with its calibrated probability.

    A span begins and ends with a letter or digit, or with the point of an abbreviation.
    """
    path = best_labels(chances, head.labels)
    if not any(path):
        return []
    spans = []
    for kind, begins, ends in runs([head.labels[i] for i in path]):
        first, last = _trimmed(text, words, begins, ends)
        if first < last:
            sure = span_probability(span_chance(chances, head.labels, kind, begins, ends), head)
            start, end = words[first][0], words[last - 1][1]
            spans.append(LabelledSpan(start, end, kind, sure))
    return [span for span in spans if span.probability >= head.least]


def _trimmed(text: str, words: Sequence[Offsets], first: int, last: int) -> Offsets:
    """The words of a span without the signs at its ends."""

    def is_sign(word: int) -> bool:
        start, end = words[word]
        return not any(c.isalnum() for c in text[start:end])

    while first < last and is_sign(first):
        first += 1
    while first < last and is_sign(last - 1) and not ABBREVIATED.search(text[: words[last - 1][1]]):
        last -= 1
    return first, last


def span_chance(chances: Numbers, labels: Sequence[str], kind: str, first: int, last: int) -> float:
    """How likely these words, and neither the one before nor the one after, are of the kind.

    The least likely word counts for all of them: they are far from independent.
    """
    columns = [i for i, label in enumerate(labels) if label[2:] == kind]
    sure = float(chances[first:last, columns].sum(axis=1).min())
    if first:
        sure *= 1 - float(chances[first - 1, columns].sum())
    if last < len(chances):
        sure *= 1 - float(chances[last, labels.index(f"I-{kind}")])
    return sure


def span_probability(sure: float, head: Head) -> float:
    """A span's probability by the head's scale and shift of its log odds."""
    return calibrated_odds(log_odds(sure, TINY_CHANCE), head)


def calibrated_odds(odds: float, head: Head) -> float:
    """The same of log odds, of any size."""
    return 1 / (1 + math.exp(min(-head.span_scale * odds - head.span_shift, MOST_EXPONENT)))


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


def best_span(
    logits: Numbers, places: Sequence[Offsets], label: str, offset: int = 0
) -> LabelledSpan | None:
    """The likeliest span, by (tokens, 2) logits of start and end; None if "no answer" is likelier.

    `places` are of the tokens, empty of those that are not of the text; `offset` is added to
    them. The probability is that of start times end (Devlin et al. 2019).
    """
    none, sure, start, end = span_chances(logits, places)
    return None if sure <= none else LabelledSpan(start + offset, end + offset, label, sure)


def span_chances(logits: Numbers, places: Sequence[Offsets]) -> tuple[float, float, int, int]:
    """The probabilities of no answer and of the likeliest one, and where that starts and ends.

    As `best_span`; where no token is of the text, an answer has the probability 0.
    """
    import numpy as np

    own = [0, *(i for i, (start, end) in enumerate(places) if start < end)]
    starts, ends = (probabilities(logits[own, side]) for side in (0, 1))
    chances = np.triu(np.outer(starts, ends))
    chances -= np.triu(chances, MAX_SPAN_TOKENS)
    none, chances[0, :] = float(chances[0, 0]), 0
    first, last = (int(i) for i in np.unravel_index(int(chances.argmax()), chances.shape))
    if not first:
        return none, 0.0, 0, 0
    return none, float(chances[first, last]), places[own[first]][0], places[own[last]][1]
