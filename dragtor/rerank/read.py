"""Reranking by what the answers' reader says: whether a passage answers the question.

The reader is handed over and opened when passages are scored; knows no graph.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dragtor.types import Reader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

READER_WEIGHT = 0.6  # of its probability against the hybrid score
SURE = 0.8  # of a passage that answers


class ReaderReranker:
    """A Reranker: the probability that the passage answers."""

    name = "reader"
    weight, sure = READER_WEIGHT, SURE

    def __init__(self, reader: Callable[[], Reader]) -> None:
        self._reader = reader

    def score(self, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """(n,) in 0..1."""
        import numpy as np

        read = self._reader().read(query, passages) if passages else []
        return np.array([reading.answers for reading in read], np.float32)
