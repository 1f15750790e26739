"""Examples as tokens: what is read, what is to be written, and how much each written token counts.

Batches are the same for the same seed and epoch, so that a resumed run goes on as it would have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dragtor.events.decoding import ConstrainedDecoder, Layout, Tags, encode
from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA
from dragtor.training.events.base import Vocabulary
from dragtor.training.events.labels import Example

MOST_TOKENS = 448  # of an example; a longer one is left out


@dataclass(frozen=True, slots=True)
class EncodedExample:
    """One example: the prompt's tokens, then those to be written."""

    ids: tuple[int, ...]
    prompt: int  # how many of `ids` are the prompt
    entity: tuple[bool, ...]  # of what is written: whether it is copied, not a tag
    allowed: tuple[tuple[int, ...], ...]  # of what is written: what decoding would have let through


class Coder:
    """Turns examples into tokens with one vocabulary."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._tokenizer = vocabulary.tokenizer()
        self._pieces = vocabulary.pieces()
        self.tags = Tags.read(self._ids)

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text).ids)

    def layout(self, text: str) -> Layout:
        """The text's tokens and where they stand."""
        return Layout.of(text, [(i, self._pieces[i]) for i in self._ids(text)])

    def encode(self, example: Example) -> EncodedExample | None:
        """None where the example is too long, or decoding could not write it."""
        layout = self.layout(example.text)
        writing = ConstrainedDecoder(layout, self.tags)
        prompt = writing.prompt()
        target = encode(layout, self.tags, example.events)
        if len(prompt) + len(target) > MOST_TOKENS:
            return None
        allowed = []
        for token in target:
            allowed.append(tuple(writing.allowed()))
            if token not in allowed[-1]:
                return None
            writing.take(token)
        entity = tuple(token not in self.tags.control for token in target)
        return EncodedExample((*prompt, *target), len(prompt), entity, tuple(allowed))


def tensors(
    batch: Sequence[EncodedExample], entity_weight: float, device: Any = "cpu"
) -> tuple[Any, Any, Any, Any]:
    """ids (batch, tokens), and flat: where a token is written next, which one, and its weight."""
    torch = require("torch", extra=TRAIN_EXTRA)
    most = max(len(one.ids) for one in batch)
    ids = torch.zeros((len(batch), most), dtype=torch.long)
    places, targets, weights = [], [], []
    for row, one in enumerate(batch):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        for at, entity in enumerate(one.entity):
            places.append(row * most + one.prompt + at - 1)
            targets.append(one.ids[one.prompt + at])
            weights.append(entity_weight if entity else 1.0)
    return (
        ids.to(device),
        torch.tensor(places, device=device),
        torch.tensor(targets, device=device),
        torch.tensor(weights, device=device),
    )
