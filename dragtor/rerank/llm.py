"""The local language model as a reranker: its own probability that a passage answers.

Knows no engine: whoever can choose between texts will do. One call a passage, so it is slow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Protocol

from dragtor.prompt import ANSWERS, DOES_NOT, judge_messages
from dragtor.types import Message

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Chooser(Protocol):
    """The part of a language model that is used here."""

    def choose(
        self, messages: Sequence[Message], options: Sequence[str], *, fixed: int = 0
    ) -> list[float]:
        """Probability of each option as the next text; they sum to 1."""


class LlmReranker:
    """A Reranker that asks the language model about each passage; opens it at the first."""

    name = "llm"
    weight = 0.5
    sure = inf

    def __init__(self, llm: Callable[[], Chooser]) -> None:
        self._llm = llm

    def score(self, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """(n,): the share of "yes" in what the model would say next."""
        import numpy as np

        scores = np.empty(len(passages), np.float32)
        for i, passage in enumerate(passages):
            messages = judge_messages(query, passage)
            scores[i] = self._llm().choose(messages, (ANSWERS, DOES_NOT), fixed=1)[0]
        return scores
