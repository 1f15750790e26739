"""Honest small implementations of protocols: they do what the real ones do, only worse."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragtor.ground import TextSpan, Verdict
from dragtor.types import NEVER, CancelToken, Entailment, LabelledSpan, Reading, Reporter


class Notes(Reporter):
    """Keeps what it hears: `notes` in their order, `states` as (label, done, total)."""

    def __init__(self, notes: list[str] | None = None, states: list[Any] | None = None) -> None:
        self.notes: list[str] = [] if notes is None else notes
        self.states: list[tuple[str, float, float]] = [] if states is None else states

    def note(self, text: str) -> None:
        self.notes.append(text)

    def progress(self, label: str, done: float, total: float) -> None:
        self.states.append((label, done, total))


class HashingEmbedder:
    """A bag of hashed words as a unit vector: texts that share words are near each other."""

    name = "hashing-64"
    dimension = 64
    max_tokens = 256
    floor = 0.3
    fingerprint = "hashing-64-v1"

    def __init__(self) -> None:
        self.embedded = 0  # passages embedded so far

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        return [m.span() for m in re.finditer(r"\w+|[^\w\s]", text)]

    def _embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()) or [text]:
                row[zlib.crc32(word.encode("utf-8", "replace")) % self.dimension] += 1
        norms: NDArray[np.float32] = np.linalg.norm(rows, axis=1, keepdims=True)
        return rows / np.maximum(norms, 1e-9)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._embed(texts)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += len(texts)
        return self._embed(texts)

    def embed_tokens(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        return [self._embed(re.findall(r"\w+", text)[: self.max_tokens]) for text in texts]

    def embed_document(self, text: str, spans: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
        return self.embed_passages([text[start:end] for start, end in spans])


class ListTagger:
    """A Tagger that knows names by heart: whole words, the longest first, nothing else."""

    def __init__(self, names: Mapping[str, str], version: str = "list-1") -> None:
        self.names = names  # name -> kind
        self.version = version
        self.texts = 0  # tagged so far

    def tag(self, texts: Sequence[str]) -> list[list[LabelledSpan]]:
        self.texts += len(texts)
        known = "|".join(map(re.escape, sorted(self.names, key=len, reverse=True)))
        pattern = re.compile(rf"(?<!\w)(?:{known})(?!\w)")
        return [
            [LabelledSpan(*m.span(), self.names[m[0]], 0.9) for m in pattern.finditer(text)]
            for text in texts
        ]


class SharedWordsSupport:
    """A Support that counts: all words of the claim are there, and no number or "not" differs."""

    def verify(self, claim: str, spans: Sequence[TextSpan]) -> list[Verdict]:
        return [self._verdict(claim, span) for span in spans]

    def _verdict(self, claim: str, span: TextSpan) -> Verdict:
        if claim.rstrip().endswith("?") or span.text.rstrip().endswith("?"):
            return Verdict("unknown", 0.0)
        said, seen = (set(re.findall(r"\w+", text.lower())) for text in (claim, span.text))
        path = set(re.findall(r"\w+", span.section_path.lower()))
        known = said - seen - path
        share = len(said & (seen | path)) / max(len(said), 1)
        numbers = any(word.isdecimal() for word in known)
        if share >= 0.5 and (numbers or ("not" in said) != ("not" in seen)):
            return Verdict("contradicted", 0.0)
        return Verdict("unknown", share / 2) if known or not said else Verdict("supported", 1.0)


class OverlapReader:
    """A Reader by shared words: the sentence that shares most is the answer; other numbers deny."""

    name = "overlap"

    def __init__(self, cancel: CancelToken = NEVER) -> None:
        self._cancel = cancel

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        return [self._reading(question, text) for text in self._cancel.checked(passages)]

    def entail(self, claim: str, evidence: Sequence[str]) -> list[Entailment]:
        return [self._entailment(claim, text) for text in self._cancel.checked(evidence)]

    def _reading(self, question: str, passage: str) -> Reading:
        sentences = [m.span() for m in re.finditer(r"\S[^.!?\n]*", passage)] or [(0, 0)]
        said = [(_share(question, passage[start:end]), start, end) for start, end in sentences]
        sure, start, end = max(said, key=lambda each: each[0])
        if not sure:
            start = end = 0
        return Reading(
            _share(question, passage), start, start + len(passage[start:end].rstrip()), sure
        )

    def _entailment(self, claim: str, evidence: str) -> Entailment:
        share = _share(claim, evidence)
        denied = not set(re.findall(r"\d+", claim)) <= set(re.findall(r"\d+", evidence))
        return Entailment(0.0 if denied else share, share if denied else 0.0, 1 - share)


def _share(asked: str, text: str) -> float:
    """The share of the words asked for that a text has."""
    wanted, has = (set(re.findall(r"\w+", each.lower())) for each in (asked, text))
    return len(wanted & has) / len(wanted) if wanted else 0.0
