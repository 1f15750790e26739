"""The gate: did retrieval find anything about the question?

A small logistic model over scores of the hits, for one embedder, and for one reader where there
is one: then over what the reader says (READER_FEATURES), else over FEATURES. How it is fitted is
evaluate/calibrate.py. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from dragtor.config import packaged
from dragtor.ground.reading import PassageReading, log_odds
from dragtor.ground.spans import TextSpan
from dragtor.ground.stems import share_held, stems
from dragtor.rerank.tokens import EmbedTokens
from dragtor.types import Entailment, Hit

FEATURES = ("dense", "sentence", "words", "words_of_best", "match", "least_match")
READER_FEATURES = (
    "answers", "span", "dense", "words_of_best", "words", "names", "supported", "contradicted",
)  # fmt: skip
ODDS = frozenset({"answers", "span", "supported", "contradicted"})  # weighed as log odds
WORDS_OF_BEST = 3  # its place in both
CROSSED = 4  # of FEATURES: what late interaction says depends little on the others
TOP_SENTENCES = 5
FIRST_READ = 8  # hits whose readings the gate looks at
LEAST = 2  # tokens of the question that are met worst
MATCHING_WORDS = 0.5  # of the question's words in the best sentence; fewer: a vocabulary mismatch
CENTRE = 0.8


@dataclass(frozen=True, slots=True)
class Gate:
    """P(found) = logistic(bias + weights · terms), the terms of gate_terms.

    The products matter: few shared words speak against a question in the texts' own words, and
    say nothing where the vocabularies differ (a question in lay words): that has a threshold of
    its own, `mismatch_threshold`. `fingerprint` is the embedder's, `reader` the version of what
    read the passages, if anything did.
    """

    fingerprint: str
    weights: tuple[float, ...]
    bias: float
    threshold: float
    mismatch_threshold: float
    features: tuple[str, ...] = FEATURES
    reader: str = ""

    def probability(self, features: Sequence[float]) -> float:
        """That the hits hold what was asked, 0 to 1."""
        terms = gate_terms(features, self.features)
        logit = self.bias + sum(w * term for w, term in zip(self.weights, terms, strict=True))
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))

    def passes(self, features: Sequence[float]) -> bool:
        """Whether the question is worth an answer."""
        mismatch = vocabulary_mismatch(features)
        threshold = self.mismatch_threshold if mismatch else self.threshold
        return self.probability(features) >= threshold

    def to_dict(self) -> dict[str, Any]:
        """As plain values, for JSON and YAML, under the keys that libraries hold."""
        return {
            "fingerprint": self.fingerprint,
            "weights": list(self.weights),
            "bias": self.bias,
            "threshold": self.threshold,
            "lay_threshold": self.mismatch_threshold,
            "features": list(self.features),
        } | ({"reader": self.reader} if self.reader else {})

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Gate | None:
        """The stored gate; None where its features are not those of this version."""
        names = tuple(data.get("features", ()))
        if names not in (FEATURES, READER_FEATURES):
            return None
        weights = tuple(float(w) for w in data["weights"])
        bias, *cuts = (float(data[name]) for name in ("bias", "threshold", "lay_threshold"))
        reader = str(data.get("reader", ""))
        return cls(str(data["fingerprint"]), weights, bias, cuts[0], cuts[1], names, reader)


def gate_for(fingerprint: str, kept: str, reader: str = "") -> Gate | None:
    """The library's own gate (`kept`, JSON), else the one that comes with dragtor; None without.

    A gate that was fitted for another embedder or reader, or by another version, counts as none;
    where none was for this reader, one without a reader does.
    """
    import json

    stored = [json.loads(kept)] if kept else []
    found = [gate for data in (*stored, *_packaged_gates()) if (gate := Gate.from_dict(data))]
    pairs = [(fingerprint, version) for version in dict.fromkeys((reader, ""))]
    fitting = (gate for pair in pairs for gate in found if (gate.fingerprint, gate.reader) == pair)
    return next(fitting, None)


@cache  # a chat asks for it at every question
def _packaged_gates() -> list[dict[str, Any]]:
    import yaml

    return yaml.safe_load(packaged("gates.yml").read_text("utf-8")) or []


def gate_terms(features: Sequence[float], names: Sequence[str]) -> list[float]:
    """What a gate weighs, of features with these names.

    Of READER_FEATURES those of ODDS as log odds, and the others. Of FEATURES each less CENTRE,
    then the products of the first CROSSED two by two.
    """
    if tuple(names) == READER_FEATURES:
        pairs = zip(names, features, strict=True)
        return [log_odds(value) if name in ODDS else value for name, value in pairs]
    x = [value - CENTRE for value in features]
    return x + [x[i] * x[j] for i in range(CROSSED) for j in range(i, CROSSED)]


def vocabulary_mismatch(features: Sequence[float]) -> bool:
    """Whether the question is asked in other words than those of the best sentence."""
    return features[WORDS_OF_BEST] < MATCHING_WORDS


def features(
    question: str,
    hits: Sequence[Hit],
    ranked: Sequence[TextSpan],
    texts: Sequence[str],
    embed_tokens: EmbedTokens,
) -> tuple[float, ...]:
    """What the gate looks at, in the order of FEATURES, each about 0..1; `texts` of the hits."""
    if not hits or not ranked:
        return (0.0,) * len(FEATURES)
    asked = stems(question)
    best = " ".join(f"{span.section_path} {span.text}" for span in ranked[:TOP_SENTENCES])
    first = f"{ranked[0].section_path} {ranked[0].text}"
    return (
        max(hit.dense_score for hit in hits),
        ranked[0].score,
        share_held(asked, best),
        share_held(asked, first),
        *_matches(question, texts, embed_tokens),
    )


def reader_features(
    question: str,
    hits: Sequence[Hit],
    ranked: Sequence[TextSpan],
    texts: Sequence[str],
    readings: Mapping[str, PassageReading],
    held: Sequence[tuple[TextSpan, Entailment]],
    *,
    names_known: bool,
) -> tuple[float, ...]:
    """What the gate looks at where passages were read, in the order of READER_FEATURES.

    `texts` are those of the hits, `readings` by passage, `held` what the best sentences say of the
    question; the first hits and sentences are the best.
    """
    read = [readings[h.passage.id] for h in hits[:FIRST_READ] if h.passage.id in readings]
    if not read or not ranked:
        return (0.0,) * len(READER_FEATURES)
    asked = stems(question)
    best = max(range(len(read)), key=lambda at: read[at].answers)
    first = f"{ranked[0].section_path} {ranked[0].text}"
    return (
        read[best].answers,
        max(reading.probability for reading in read),
        max(hit.dense_score for hit in hits),
        share_held(asked, first),
        share_held(asked, texts[best]),
        float(names_known),
        max((said.supported for _, said in held), default=0.0),
        max((said.contradicted for _, said in held), default=0.0),
    )


def _matches(question: str, texts: Sequence[str], embed_tokens: EmbedTokens) -> tuple[float, float]:
    """How well the best of the texts meets the question's tokens: in the mean, and the LEAST met.

    A token is met by its best cosine in a text. A fact that the texts lack, or another name, is a
    token or two that nothing meets, however near the rest.
    """
    asked, *embedded = embed_tokens([question, *texts])
    if not len(asked):
        return 0.0, 0.0
    met = [sorted((asked @ tokens.T).max(1).tolist()) for tokens in embedded if len(tokens)]
    means = (sum(cosines) / len(cosines) for cosines in met)
    least = (sum(cosines[:LEAST]) / len(cosines[:LEAST]) for cosines in met)
    return max(means, default=0.0), max(least, default=0.0)
