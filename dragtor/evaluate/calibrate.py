"""Calibration: the gate fitted on questions that are known to have an answer, or none.

Ridge logistic regression on what the gate looks at (ground.gate), its thresholds by
cross-validation. Does not know where the questions come from.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dragtor.errors import UsageError
from dragtor.ground import FEATURES, READER_FEATURES, Gate, vocabulary_mismatch
from dragtor.ground.gate import gate_terms

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

OVER_REFUSAL = 0.04  # of answerable questions of each wording, at the gate alone
OVER_REFUSAL_READ = 0.08  # of all answerable questions, where a reader read the passages
FOLDS = 5
RIDGE = 0.02
NEWTON_STEPS = 50


def fit_gate(
    rows: Sequence[Sequence[float]],
    answerable: Sequence[bool],
    fingerprint: str,
    reader: str = "",
) -> Gate:
    """The gate of these features: ridge logistic regression, both classes weighing the same.

    They are READER_FEATURES where a reader (its version) read the passages, else FEATURES.

    The thresholds let OVER_REFUSAL of the answerable questions be refused, those with a vocabulary
    mismatch and the others, by gates that were fitted without them (FOLDS-fold cross-validation).
    A reader is as sure of both kinds: there OVER_REFUSAL_READ of all are, by one threshold.
    Raises UsageError where there are fewer than FOLDS of either kind.
    """
    import numpy as np

    names = READER_FEATURES if reader else FEATURES
    x, y = np.asarray([gate_terms(row, names) for row in rows]), np.asarray(answerable, float)
    if not FOLDS <= y.sum() <= len(y) - FOLDS:
        raise UsageError(f"a gate needs {FOLDS} answerable and {FOLDS} unanswerable questions")
    weights, bias = _regress(x, y)
    unseen = np.zeros(len(y))
    fold = np.zeros(len(y), int)
    for kind in (0, 1):  # as many of each kind in every fold
        places = np.random.default_rng(0).permutation(np.flatnonzero(y == kind))
        fold[places] = np.arange(len(places)) % FOLDS
    for one in range(FOLDS):
        w, b = _regress(x[fold != one], y[fold != one])
        unseen[fold == one] = x[fold == one] @ w + b
    mismatch = np.asarray([vocabulary_mismatch(row) for row in rows])
    both = [np.sort(unseen[(y == 1) & group]) for group in (~mismatch, mismatch)]
    every = np.sort(unseen[y == 1])
    cuts = [every if reader or len(group) < FOLDS else group for group in both]
    share = OVER_REFUSAL_READ if reader else OVER_REFUSAL
    plain, mismatched = (float(1 / (1 + np.exp(-c[int(share * len(c))]))) for c in cuts)
    return Gate(fingerprint, tuple(weights.tolist()), bias, plain, mismatched, names, reader)


def _regress(x: Floats, y: Floats) -> tuple[Floats, float]:
    """Weights and bias of the ridge logistic regression, by Newton's method."""
    import numpy as np

    mean, scale = x.mean(0), x.std(0) + 1e-9
    z = np.c_[(x - mean) / scale, np.ones(len(x))]
    share = np.where(y == 1, len(y) / (2 * y.sum()), len(y) / (2 * (len(y) - y.sum())))
    penalty = np.diag([RIDGE * len(y)] * x.shape[1] + [0.0])
    beta = np.zeros(z.shape[1])
    for _ in range(NEWTON_STEPS):
        p = 1 / (1 + np.exp(-np.clip(z @ beta, -30, 30)))
        slope = z.T @ (share * (p - y)) + penalty @ beta
        beta -= np.linalg.solve((z.T * (share * p * (1 - p))) @ z + penalty, slope)
    weights = beta[:-1] / scale
    return weights, float(beta[-1] - weights @ mean)
