"""Average linkage, and the assignment that fits best, in numpy. Knows no voice and no window.

For some thousand points, and for tables of a few rows: scipy does both, and is a fifth of the
default install.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Merge = tuple[float, int, int]  # mean distance between two clusters, and a point of each


def average(distances: NDArray[np.float64]) -> list[Merge]:
    """The merges that make one cluster of (n, n) distances, closest first.

    By chains of nearest neighbours (Murtagh 1983): with mean distances they find the same tree
    as merging the closest two again and again, in n * n steps.
    """
    import numpy as np

    distances = np.minimum(distances, distances.T)
    np.fill_diagonal(distances, np.inf)
    sizes = np.ones(len(distances))
    merges: list[Merge] = []
    chain: list[int] = []
    while len(merges) < len(distances) - 1:
        if not chain:
            chain.append(int(np.flatnonzero(sizes)[0]))
        last = chain[-1]
        nearest = int(distances[last].argmin())
        if len(chain) > 1 and distances[last, chain[-2]] <= distances[last, nearest]:
            nearest = chain[-2]  # of equals the one before, or the chain runs in circles
        if len(chain) == 1 or nearest != chain[-2]:
            chain.append(nearest)
            continue
        del chain[-2:]
        merges.append((float(distances[last, nearest]), last, nearest))
        both = sizes[last] + sizes[nearest]
        mean = (sizes[last] * distances[last] + sizes[nearest] * distances[nearest]) / both
        distances[nearest], distances[:, nearest] = mean, mean
        distances[nearest, nearest] = np.inf
        distances[last], distances[:, last] = np.inf, np.inf
        sizes[nearest], sizes[last] = both, 0
    return sorted(merges, key=lambda merge: merge[0])


def below(merges: list[Merge], distance: float) -> NDArray[np.int64]:
    """(n,) cluster of each point where clusters up to `distance` apart are merged."""
    return _labels(merges, sum(merge[0] <= distance for merge in merges))


def at_most(merges: list[Merge], clusters: int) -> NDArray[np.int64]:
    """(n,) cluster of each point where as little is merged as makes at most so many clusters."""
    done = max(0, len(merges) + 1 - clusters)
    return below(merges, merges[done - 1][0]) if done else _labels(merges, 0)


def _labels(merges: list[Merge], done: int) -> NDArray[np.int64]:
    """Clusters after the first `done` merges, numbered by their first point."""
    import numpy as np

    label = np.arange(len(merges) + 1)
    for _, one, other in merges[:done]:
        first, second = sorted((label[one], label[other]))
        label[label == second] = first
    return label


def best_pairs(likeness: NDArray[np.floating]) -> list[tuple[int, int]]:
    """(row, column) pairs of the largest sum: as many as can be, none in two of them.

    Tries all: a row has no use for more than its best columns, as many as there are rows.
    """
    import numpy as np

    rows, columns = likeness.shape
    best = np.argsort(-likeness, axis=1, kind="stable")[:, :rows].tolist()
    count = min(rows, columns)
    ways = (
        tuple(zip(chosen, taken, strict=True))
        for chosen in combinations(range(rows), count)
        for taken in product(*(best[row] for row in chosen))
        if len(set(taken)) == count
    )
    return list(max(ways, key=lambda way: sum(likeness[pair] for pair in way)))
