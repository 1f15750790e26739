"""The gate: did retrieval find anything about the question? And red flags, which are cautioned.

A small logistic model over scores of the hits, fitted for one embedder by
`dragtor eval answers --calibrate`. Pure.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from dragtor.config import AnswerConfig, packaged
from dragtor.errors import UsageError
from dragtor.ground.quotes import EmbedTokens, Span, stems
from dragtor.types import Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FEATURES = ("dense", "sentence", "words", "words_of_best", "match", "least_match")
CROSSED = 4  # of FEATURES: what matched tokens say depends little on the others
TOP_SENTENCES = 5
LEAST = 2  # tokens of the question that are met worst
_WORD = re.compile(r"[^\W_]+")
_OPENER = re.compile(r"(?:^|[.!?…:]\s+|[\"“”(]\s*)([^\W_]+)")
_NO_NAMES = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may
    june july august september october november december christmas easter tv ok ps i'm""".split()
)
LAY_WORDS = 0.5  # of the question's words in the best sentence; fewer: other words than the text's
OVER_REFUSAL = 0.04  # of answerable questions of each wording, at the gate alone
FOLDS = 5
CENTRE = 0.8
RIDGE = 0.02
NEWTON_STEPS = 50
SHOUTED_LETTERS = 6
MAX_WORDS_BETWEEN = 3  # of a red flag's words


@dataclass(frozen=True, slots=True)
class Gate:
    """P(found) = logistic(bias + weights · terms): features, and products of the first CROSSED.

    The products matter: few shared words speak against a question in the texts' own words, and
    say nothing of one in lay words, which has a threshold of its own. `fingerprint` is the
    embedder's.
    """

    fingerprint: str
    weights: tuple[float, ...]
    bias: float
    threshold: float
    lay_threshold: float

    def probability(self, features: Sequence[float]) -> float:
        """That the hits hold what was asked, 0 to 1."""
        terms = _terms(features)
        logit = self.bias + sum(w * term for w, term in zip(self.weights, terms, strict=True))
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))

    def passes(self, features: Sequence[float]) -> bool:
        """Whether the question is worth an answer."""
        threshold = self.lay_threshold if is_lay(features) else self.threshold
        return self.probability(features) >= threshold

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON and YAML."""
        return asdict(self) | {"weights": list(self.weights), "features": list(FEATURES)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Gate | None:
        """The stored gate; None where its features are not those of this version."""
        if tuple(data.get("features", ())) != FEATURES:
            return None
        weights = tuple(float(w) for w in data["weights"])
        numbers = (float(data[name]) for name in ("bias", "threshold", "lay_threshold"))
        return cls(str(data["fingerprint"]), weights, *numbers)


def gate_for(fingerprint: str, kept: str) -> Gate | None:
    """The library's own gate (`kept`, JSON), else the one that comes with dragtor; None without.

    A gate that was fitted for another embedder, or by another version, counts as none.
    """
    import json

    stored = [json.loads(kept)] if kept else []
    for data in (*stored, *_packaged_gates()):
        gate = Gate.from_dict(data)
        if gate is not None and gate.fingerprint == fingerprint:
            return gate
    return None


@cache  # a chat asks for it at every question
def _packaged_gates() -> list[dict[str, Any]]:
    import yaml

    return yaml.safe_load(packaged("gates.yml").read_text("utf-8")) or []


def fit(rows: Sequence[Sequence[float]], answerable: Sequence[bool], fingerprint: str) -> Gate:
    """The gate of these features: ridge logistic regression, both classes weighing the same.

    The thresholds let OVER_REFUSAL of the answerable questions be refused, lay ones and others,
    by gates that were fitted without them (FOLDS-fold cross-validation).
    """
    import numpy as np

    x, y = np.asarray([_terms(row) for row in rows]), np.asarray(answerable, float)
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
    lay = np.asarray([is_lay(row) for row in rows])
    both = [np.sort(unseen[(y == 1) & group]) for group in (~lay, lay)]
    every = np.sort(unseen[y == 1])
    cuts = [group if len(group) >= FOLDS else every for group in both]
    plain, layman = (float(1 / (1 + np.exp(-c[int(OVER_REFUSAL * len(c))]))) for c in cuts)
    return Gate(fingerprint, tuple(weights.tolist()), bias, plain, layman)


def _regress(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
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


def _terms(features: Sequence[float]) -> list[float]:
    """The features less CENTRE, then the products of the first CROSSED two by two."""
    x = [value - CENTRE for value in features]
    return x + [x[i] * x[j] for i in range(CROSSED) for j in range(i, CROSSED)]


def is_lay(features: Sequence[float]) -> bool:
    """Whether the question is asked in other words than those of the best sentence."""
    return features[FEATURES.index("words_of_best")] < LAY_WORDS


def features(
    question: str,
    hits: Sequence[Hit],
    ranked: Sequence[Span],
    texts: Sequence[str],
    embed_tokens: EmbedTokens,
) -> tuple[float, ...]:
    """What the gate looks at, in the order of FEATURES, each about 0..1; `texts` of the hits."""
    if not hits or not ranked:
        return (0.0,) * len(FEATURES)
    asked = stems(question)
    best = " ".join(f"{span.above} {span.text}" for span in ranked[:TOP_SENTENCES])
    first = f"{ranked[0].above} {ranked[0].text}"
    return (
        max(hit.dense_score for hit in hits),
        ranked[0].score,
        len(asked & stems(best)) / max(len(asked), 1),
        len(asked & stems(first)) / max(len(asked), 1),
        *_matches(question, texts, embed_tokens),
    )


def _matches(question: str, texts: Sequence[str], embed_tokens: EmbedTokens) -> tuple[float, float]:
    """How well the best of the texts meets the question's tokens: in the mean, and the LEAST met.

    A token is met by its best cosine in a text. A fact that the texts lack, or another name, is a
    token or two that nothing meets, however near the rest.
    """
    asked, *read = embed_tokens([question, *texts])
    if not len(asked):
        return 0.0, 0.0
    met = [sorted((asked @ tokens.T).max(1).tolist()) for tokens in read if len(tokens)]
    means = (sum(cosines) / len(cosines) for cosines in met)
    least = (sum(cosines[:LEAST]) / len(cosines[:LEAST]) for cosines in met)
    return max(means, default=0.0), max(least, default=0.0)


def missing_names(question: str, seen: Iterable[str]) -> list[str]:
    """Names in the question (ACL, Canada, V6) that stand in none of the texts `seen`.

    A name is a word with capitals that does not open a sentence, or one with letters and digits.
    Nothing is said of a question in capitals, of shouted words, of days and months, nor of an
    abbreviation whose letters neighbouring words begin with.
    """
    words = list(_WORD.finditer(question))
    openers = {found.start(1) for found in _OPENER.finditer(question)}
    if sum(word[0][0].isupper() for word in words) > max(len(words) / 2, 1):
        return []
    names = {
        word[0]
        for word in words
        if word[0].casefold() not in _NO_NAMES and _is_name(word[0], word.start() in openers)
    }
    text = " ".join(seen).casefold()
    initials = "".join(w[0][0] if len(w[0]) > 3 else " " for w in _WORD.finditer(text))
    return [
        name
        for name in sorted(names)
        if not re.search(rf"(?<![^\W_]){re.escape(name.casefold().rstrip('s'))}", text)
        and not (name.isupper() and name.isalpha() and name.casefold() in initials)
    ]


def _is_name(word: str, opens: bool) -> bool:
    capitals = sum(letter.isupper() for letter in word)
    if word.isupper() and len(word) >= SHOUTED_LETTERS:
        return False
    if any(letter.isdigit() for letter in word):
        return capitals > 0
    return capitals > 1 or (capitals == 1 and word[0].isupper() and not opens and len(word) > 2)


def caution(question: str, config: AnswerConfig) -> str:
    """The line of caution where the question holds a red flag, else empty.

    A flag's words stand in this order with at most three others between; a word that ends in *
    is the beginning of one.
    """
    typed = question.replace("’", "'")
    gap = rf"(?:\W+\w+){{0,{MAX_WORDS_BETWEEN}}}?\W+"
    for flag in config.red_flags:
        words = (re.escape(word.rstrip("*")) + r"\w*" * word.endswith("*") for word in flag.split())
        if flag.strip() and re.search(rf"\b{gap.join(words)}\b", typed, re.IGNORECASE):
            return config.caution
    return ""
