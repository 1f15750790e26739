"""A reader of three heads: does a passage answer, where, and does it bear a claim out.

Owns how windows of one text become one reading. Knows no document, and not what is done with it.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from dragtor.encoder.align import Encoded, Offsets
from dragtor.encoder.decode import calibrated_odds, probabilities, span_chances
from dragtor.encoder.heads import Head, HeadKind
from dragtor.encoder.model import Encoder
from dragtor.errors import UsageError
from dragtor.types import NEVER, CancelToken, Entailment, Reading

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.config import ModelsConfig

    Numbers = NDArray[np.float32]

READER_HEADS: dict[str, tuple[HeadKind, frozenset[str]]] = {  # kind and labels of each
    "span": ("span", frozenset()),
    "answers": ("pair", frozenset({"no", "yes"})),
    "supports": ("pair", frozenset({"supported", "contradicted", "unknown"})),
}
NO_READING = Reading(answers=0.0, start=0, end=0, span=0.0)
NO_ENTAILMENT = Entailment(supported=0.0, contradicted=0.0, unknown=1.0)
NUMBER_REACH = 32  # characters beyond a span in which a number of its may begin or end
LEAST_CHANCE = 1e-30  # of a span, for its logarithm
_NUMBER = re.compile(r"\d+(?:[.,:/]\d+)+")  # one to a reader, several words to a tokenizer


class HeadReader:
    """A Reader over a graph with heads.

    Where question or claim is blank, or a text has no word, nothing is said: NO_READING,
    NO_ENTAILMENT. Of a question's and a claim's tokens half a window is read.
    """

    def __init__(self, encoder: Encoder) -> None:
        """Raises UsageError where the encoder lacks one of READER_HEADS."""
        self.name, self.version = encoder.heads.name, encoder.version
        for name, (kind, labels) in READER_HEADS.items():
            if set(encoder.heads.head(name, kind).labels) != labels:
                told = f"{self.name} is no reader: the labels of {name} are others"
                raise UsageError(told, f"its labels must be: {', '.join(sorted(labels))}")
        self._encoder = encoder
        self._span, self._answers, self._supports = map(encoder.heads.head, READER_HEADS)
        self._kept: tuple[str, dict[str, Reading]] = ("", {})  # a question and what was read for it

    @classmethod
    def load(
        cls,
        name_or_folder: str | Path,
        *,
        models: ModelsConfig | None = None,
        threads: int = 0,
        cancel: CancelToken = NEVER,
    ) -> HeadReader:
        """A reader of the catalogue, or a folder that training wrote; raises as Encoder.load."""
        return cls(Encoder.load(name_or_folder, models=models, threads=threads, cancel=cancel))

    def under(self, cancel: CancelToken) -> Self:
        """The same reader for another thread, see Reader."""
        return type(self)(self._encoder.under(cancel))

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """One for each passage: the most that a window answers, and the likeliest span of all.

        The span has whole words; it is empty where it is less likely than the head's `least`. The
        last question's readings are kept: a passage that was scored for it is not run again.
        """
        if not question.strip():
            return [NO_READING] * len(passages)
        asked, known = self._kept
        known = dict(known) if asked == question else {}
        new = [passage for passage in dict.fromkeys(passages) if passage not in known]
        said = self._encoder.pair_logits(question, new, [self._span, self._answers])
        known |= {text: self._reading(text, *each) for text, each in zip(new, said, strict=True)}
        self._kept = question, known
        return [known[passage] for passage in passages]

    def entail(self, claim: str, evidence: Sequence[str]) -> list[Entailment]:
        """One for each piece of evidence: that of the window which leaves least unknown."""
        if not claim.strip():
            return [NO_ENTAILMENT] * len(evidence)
        return [
            min((self._entailment(own) for (own,) in logits), key=lambda made: made.unknown)
            if words
            else NO_ENTAILMENT
            for words, _, logits in self._encoder.pair_logits(claim, evidence, [self._supports])
        ]

    def _reading(
        self,
        text: str,
        words: Sequence[Offsets],
        windows: Sequence[Encoded],
        logits: Sequence[Sequence[Numbers]],
    ) -> Reading:
        if not words:
            return NO_READING
        answers = max(_chances(own, self._answers)["yes"] for _, own in logits)
        odds, start, end = max(
            (
                self._span_odds(window, own)
                for window, (own, _) in zip(windows, logits, strict=True)
            ),
            key=lambda made: made[0],
        )
        sure = calibrated_odds(odds, self._span)
        if start == end or sure < self._span.least:
            return Reading(answers, 0, 0, sure)
        return Reading(answers, *whole_words(text, words, start, end), sure)

    def _span_odds(self, window: Encoded, logits: Numbers) -> tuple[float, int, int]:
        """The log odds of a window's likeliest span against none, and its characters."""
        scaled = logits / self._span.temperature
        none, sure, start, end = span_chances(scaled, window.offsets)
        return math.log(max(sure, LEAST_CHANCE) / max(none, LEAST_CHANCE)), start, end

    def _entailment(self, logits: Numbers) -> Entailment:
        return Entailment(**_chances(logits, self._supports))


def _chances(logits: Numbers, head: Head) -> dict[str, float]:
    """The probability of each label of a head."""
    return dict(zip(head.labels, probabilities(logits, head.temperature).tolist(), strict=True))


def whole_words(text: str, words: Sequence[Offsets], start: int, end: int) -> Offsets:
    """The span grown to the words, and to the numbers such as 1,430, of which it has a part."""
    first = min(bisect_right(words, start, key=lambda word: word[1]), len(words) - 1)
    last = max(bisect_left(words, end, key=lambda word: word[0]) - 1, first)
    start, end = words[first][0], words[last][1]
    for number in _NUMBER.finditer(text, max(0, start - NUMBER_REACH), end + NUMBER_REACH):
        if number.start() < end and number.end() > start:
            start, end = min(start, number.start()), max(end, number.end())
    return start, end
