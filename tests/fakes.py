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

    def under(self, cancel: CancelToken) -> HashingEmbedder:
        return self

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


class SharedWordsReader:
    """A Reader that counts: a passage answers as far as one sentence holds the question's words.

    The answer is that sentence's longest run of other words. What stands above the last line that
    is a sentence's counts as said.
    """

    name = "shared words"
    version = "shared-words-1"
    ASKING = frozenset(
        "how many what when until who which why where does do did is are the a an".split()
    )

    def __init__(self, cancel: CancelToken = NEVER) -> None:
        self._cancel = cancel

    def under(self, cancel: CancelToken) -> SharedWordsReader:
        return SharedWordsReader(cancel)

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        asked = _words_of(question) - self.ASKING
        return [self._reading(asked, passage) for passage in self._cancel.checked(passages)]

    def _reading(self, asked: set[str], passage: str) -> Reading:
        sentences = list(re.finditer(r"[^.!?\s][^.!?\n]*(?<=\S)", passage))
        head = _words_of(passage[: passage.rfind("\n") + 1])
        best, share = None, 0.0
        for sentence in sentences:
            own = len(asked & _words_of(sentence[0])) / max(len(asked), 1)
            if own > share:
                best, share = sentence, own
        if best is None:
            return Reading(0.0, 0, 0, 0.0)
        runs = self._runs(asked, passage, best.start(), best.end())
        start, end = max(runs, key=lambda run: run[1] - run[0], default=best.span())
        answers = len(asked & (_words_of(best[0]) | head)) / len(asked)
        return Reading(answers, start, end, share)

    def _runs(self, asked: set[str], passage: str, start: int, end: int) -> list[tuple[int, int]]:
        runs: list[tuple[int, int]] = []
        open_at = -1
        for word in re.compile(r"\w+").finditer(passage, start, end):
            other = word[0].lower() not in asked | self.ASKING
            if other:
                runs = runs[:-1] if open_at >= 0 else runs
                open_at = word.start() if open_at < 0 else open_at
                runs.append((open_at, word.end()))
            else:
                open_at = -1
        return runs

    def entail(self, claim: str, evidence: Sequence[str]) -> list[Entailment]:
        return [
            self._entailment(_words_of(claim), _words_of(text))
            for text in self._cancel.checked(evidence)
        ]

    def _entailment(self, said: set[str], seen: set[str]) -> Entailment:
        share = len(said & seen) / max(len(said), 1)
        numbers = {word for word in said - seen if word.isdecimal()}
        denied = numbers or ("not" in said) != ("not" in seen)
        if not share:
            return Entailment(0.0, 0.0, 1.0)
        if share >= 0.5 and denied:
            return Entailment(0.02, 0.95, 0.03)
        return Entailment(0.95, 0.02, 0.03) if share == 1 else Entailment(0.05, 0.05, 0.9)


def _words_of(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.lower()))


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
