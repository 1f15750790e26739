"""Windows back to texts: pooled states, weighted logits, and each word's best seen logits.

Pure numpy; knows neither graph nor tokenizer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dragtor.encoder.align import Encoded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float32]

LEAST_LENGTH = 1e-12  # length under which a vector has no direction


def pooled(states: Numbers, pooling: str) -> Numbers:
    """(tokens, hidden) -> (hidden,) by mean, max or cls; the states stay as they are."""
    if pooling == "cls":
        first: Numbers = states[0]
        return first
    made: Numbers = states.max(axis=0) if pooling == "max" else states.mean(axis=0)
    return made


def one_vector(vectors: Sequence[Numbers], windows: Sequence[Encoded], pooling: str) -> Numbers:
    """The vector of a text, of those of its windows."""
    import numpy as np

    if pooling == "cls":
        return vectors[0]
    if pooling == "max":
        highest: Numbers = np.max(vectors, axis=0)
        return highest
    return weighted(vectors, windows)


def weighted(rows: Sequence[Numbers], windows: Sequence[Encoded]) -> Numbers:
    """Their mean, each weighing as its window has tokens."""
    import numpy as np

    if len(rows) == 1:
        return rows[0]
    made: Numbers = np.average(rows, axis=0, weights=[len(each) for each in windows])
    return made.astype(np.float32)


def unit(vector: Numbers) -> Numbers:
    """At length 1; zeros stay zeros."""
    import numpy as np

    made: Numbers = vector / max(float(np.linalg.norm(vector)), LEAST_LENGTH)
    return made


def of_words(
    words: int, windows: Sequence[Encoded], logits: Sequence[Numbers]
) -> tuple[Numbers, NDArray[np.bool_]]:
    """(words, labels), and which words no window holds.

    `logits` are those of the words that begin in each window; of a word in two windows, those
    count that stand farther from where a window is cut.
    """
    import numpy as np

    found = np.zeros((words, logits[0].shape[-1]), np.float32)
    seen_from = np.full(words, -1)
    for n, (window, own) in enumerate(zip(windows, logits, strict=True)):
        here, starts = np.array(window.words, int), np.array(window.starts, int)
        far = np.full(len(here), len(window))
        if n > 0:
            far = np.minimum(far, starts)
        if n < len(windows) - 1:
            far = np.minimum(far, len(window) - 1 - starts)
        better = far > seen_from[here]
        found[here[better]], seen_from[here[better]] = own[better], far[better]
    return found, seen_from < 0
