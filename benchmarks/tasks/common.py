"""What benchmarks share: how far they are, on stderr, and the reader they measure. No benchmark."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dragtor.types import Reporter

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
BARE = "bare:"  # before the folder of a cross-encoder that was trained to rank, and no more


class Shown(Reporter):
    """Shows every `each`th piece of work, and the last."""

    def __init__(self, each: int = 1) -> None:
        self._each = each

    def progress(self, label: str, done: float, total: float) -> None:
        if done % self._each == 0 or done == total:
            print(f"\r{label} {done}/{total}   ", end="", file=sys.stderr, flush=True)


def open_reader(name: str) -> Any:
    """A Reader: one of the catalogue, one in a folder, or bare:FOLDER with a cross-encoder."""
    if name.startswith(BARE):
        return BareReader(Path(name.removeprefix(BARE)))
    from dragtor.encoder.reader import HeadReader

    return HeadReader.load(name)


class BareReader:
    """A Reader over a cross-encoder as it was found: what training is measured against.

    It gives one number a pair, which stands for each probability; its span is the whole passage.
    """

    def __init__(self, folder: Path, max_tokens: int = 320) -> None:
        from dragtor.rerank import CrossEncoder

        self.name = f"{folder.name}, not trained further"
        weights, tokenizer = folder / "model.onnx", folder / CrossEncoder.TOKENIZER
        self._encoder = CrossEncoder.open(folder.name, weights, tokenizer, max_tokens)

    def read(self, question: str, passages: Sequence[str]) -> list[Any]:
        from dragtor.types import Reading

        scores = self._encoder.score(question, passages).tolist()
        return [Reading(s, 0, len(p), s) for s, p in zip(scores, passages, strict=True)]

    def entail(self, claim: str, evidence: Sequence[str]) -> list[Any]:
        from dragtor.types import Entailment

        scores = self._encoder.score(claim, evidence).tolist()
        return [Entailment(score, 0.0, 1 - score) for score in scores]
