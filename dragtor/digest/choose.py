"""Unit vectors -> the most telling of them, and groups of like ones.

Pure numbers: knows neither texts, documents nor an encoder. The same vectors give the same result.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

CENTRAL_WEIGHT = 0.8  # of being near the middle, against being unlike what is chosen already
ROUNDS = 30  # of k-means, at most


def centred(vectors: Vectors) -> Vectors:
    """The vectors without what all of them share, of unit length again."""
    import numpy as np

    moved = vectors - vectors.mean(axis=0) if len(vectors) > 1 else vectors
    unit: Vectors = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-6)
    return unit


def nearest_rows(vectors: Vectors, middle: Vectors, n: int) -> list[int]:
    """The `n` rows nearest to a vector, the nearest first."""
    order = (-(vectors @ middle)).argsort(kind="stable")[:n]
    return [int(row) for row in order]


def telling(vectors: Vectors, n: int) -> list[int]:
    """`n` rows that stand for all, in their order: near the mean, and unlike each other.

    Maximal marginal relevance (Carbonell & Goldstein 1998) to the centroid (Radev et al. 2004).
    """
    likeness = vectors @ vectors.T
    central = vectors @ vectors.mean(axis=0)
    chosen: list[int] = []
    while len(chosen) < min(n, len(vectors)):
        score = CENTRAL_WEIGHT * central
        if chosen:
            score = score - (1 - CENTRAL_WEIGHT) * likeness[:, chosen].max(axis=1)
        score[chosen] = -2.0
        chosen.append(int(score.argmax()))
    return sorted(chosen)


def groups(vectors: Vectors, n: int) -> list[list[int]]:
    """At most `n` groups of rows, the largest first: spherical k-means (Dhillon & Modha 2001).

    It begins with rows that are far from each other (Gonzalez 1985), so that nothing is drawn.
    """
    import numpy as np

    rows = centred(vectors)
    middles = rows[_far_apart(rows, n)]
    labels = np.full(len(rows), -1)
    for _ in range(ROUNDS):
        now = (rows @ middles.T).argmax(axis=1)
        if (now == labels).all():
            break
        labels = now
        sums = np.stack([rows[labels == k].sum(axis=0) for k in range(len(middles))])
        middles = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    found = [np.flatnonzero(labels == k).tolist() for k in range(len(middles))]
    return sorted((each for each in found if each), key=lambda each: (-len(each), each))


def _far_apart(rows: Vectors, n: int) -> list[int]:
    chosen = [int((rows @ rows.mean(axis=0)).argmax())]
    while len(chosen) < min(n, len(rows)):
        chosen.append(int((rows @ rows[chosen].T).max(axis=1).argmin()))
    return list(dict.fromkeys(chosen))
