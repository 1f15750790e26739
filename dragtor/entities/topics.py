"""Topics by example: vectors of a few texts for each -> the topic of a passage's vector, or none.

Pure numbers: knows neither texts, encoder nor library. Nothing is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

# A topic is as certain as SCALE * (how much nearer its mean is than the library's) + OFFSET, in
# log odds against none: fitted with gte-small by benchmarks/tasks/topics.py.
SCALE = 42.0
OFFSET = -1.02
NONE_COUNT = 4.0  # examples that the library's mean counts for in each mean of a topic's
TOPIC_PROBABILITY = 0.5  # of a topic that is given: it is likelier than all else together


@dataclass(frozen=True, slots=True)
class Prototypes:
    """Nearest mean around the library's own (cf. Tibshirani et al. 2002, shrunken centroids).

    What all passages share says nothing and is taken off. The mean of n examples is drawn to the
    library's as by NONE_COUNT examples of no topic; of few it says little, so few passages come
    near enough.
    """

    names: tuple[str, ...]
    centre: Vectors  # (dimension,): mean of the library
    means: Vectors  # (topics, dimension), of centred unit vectors

    @classmethod
    def of(cls, examples: Mapping[str, Vectors], library: Vectors) -> Prototypes:
        """From the examples' vectors, (n, dimension) of each topic, and a sample of passages'.

        The examples belong to the library too: of an empty one they are all that is known.
        """
        import numpy as np

        centre = np.concatenate([library, *examples.values()]).mean(axis=0)
        means = [
            _centred(vectors, centre).sum(axis=0) / (len(vectors) + NONE_COUNT)
            for vectors in examples.values()
        ]
        return cls(tuple(examples), centre, np.stack(means))

    def log_odds(self, vectors: Vectors) -> Vectors:
        """(n, topics): of each topic against none, for unit vectors (n, dimension)."""
        nearer = _centred(vectors, self.centre) @ self.means.T
        found: Vectors = SCALE * (nearer - 0.5 * (self.means**2).sum(axis=1)) + OFFSET
        return found

    def probabilities(self, vectors: Vectors) -> Vectors:
        """(n, topics): what is left to 1 is the probability of none."""
        import numpy as np

        odds = self.log_odds(vectors)
        top = np.maximum(odds.max(axis=1, keepdims=True), 0)
        shares = np.exp(odds - top)
        found: Vectors = shares / (shares.sum(axis=1, keepdims=True) + np.exp(-top))
        return found

    def assign(self, vectors: Vectors) -> list[tuple[str, float]]:
        """The topic of each vector with its probability; of none "", with that of none."""
        found = []
        for row in self.probabilities(vectors):
            best = int(row.argmax())
            likely = float(row[best]) >= TOPIC_PROBABILITY
            name = self.names[best] if likely else ""
            found.append((name, float(row[best]) if likely else max(0.0, 1 - float(row.sum()))))
        return found


def _centred(vectors: Vectors, centre: Vectors) -> Vectors:
    import numpy as np

    moved = vectors - centre
    unit: Vectors = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)
    return unit
