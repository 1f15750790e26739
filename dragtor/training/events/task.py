"""The task of the events adapter: the loss of what is written, and how much is written right.

Owns the model with its adapter and the examples as batches. Knows neither files nor steps.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA
from dragtor.training.events.batches import EncodedExample, tensors
from dragtor.training.lengths import by_length
from dragtor.types import CancelToken

if TYPE_CHECKING:
    import torch

Examples = Sequence[EncodedExample]


class EventsTask:
    """See Task in training/loop.py; a batch is some examples of like length."""

    def __init__(
        self,
        model: Any,
        adapter: Mapping[str, torch.Tensor],
        epoch: Callable[[int], Examples],
        validation: Mapping[str, Examples],
        *,
        batch_tokens: int,
        entity_weight: float,
        seed: int,
    ) -> None:
        self._torch = require("torch", extra=TRAIN_EXTRA)
        self._model, self.adapter = model, dict(adapter)
        self._epoch, self._validation = epoch, validation
        self._batch_tokens, self._entity_weight = batch_tokens, entity_weight
        self._seed = seed
        self._device = next(iter(self.adapter.values())).device

    def parameters(self) -> list[torch.Tensor]:
        """The adapter's tensors."""
        return list(self.adapter.values())

    def state(self) -> dict[str, torch.Tensor]:
        """The adapter."""
        return self.adapter

    def batches(self, epoch: int) -> list[list[EncodedExample]]:
        """The epoch's examples, grouped by length, in drawn order."""
        draw = random.Random(f"{self._seed} {epoch}")
        return by_length(self._epoch(epoch), _tokens, self._batch_tokens, draw)

    def loss(self, batch: Examples) -> tuple[torch.Tensor, float]:
        """Cross entropy of each token that is written, times its weight; and those weights."""
        ids, places, targets, weights = tensors(batch, self._entity_weight, self._device)
        return (self._losses(self.logits(ids, places), targets) * weights).sum(), float(
            weights.sum()
        )

    def logits(self, ids: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """Logits (places, vocabulary) in float32, of ids (batch, tokens) padded on the right.

        `places` count in the flattened batch.
        """
        states = self._model.model(input_ids=ids, use_cache=False).last_hidden_state
        logits: torch.Tensor = self._model.lm_head(states.flatten(0, 1)[places]).float()
        return logits

    def evaluate(self, cancel: CancelToken) -> dict[str, float]:
        """Loss, and the share of examples that decoding would write without a mistake."""
        found: dict[str, float] = {}
        losses, right, count = 0.0, 0, 0
        for name, examples in self._validation.items():
            loss, exact = self._measure(examples, cancel)
            found |= {f"{name}_loss": loss, f"{name}_exact": exact}
            losses += loss * len(examples)
            right += round(exact * len(examples))
            count += len(examples)
        return found | {"loss": losses / max(1, count), "exact": right / max(1, count)}

    def score(self, found: Mapping[str, float]) -> tuple[float, ...]:
        """The exact share, then the loss."""
        return found["exact"], -found["loss"]

    def _losses(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self._torch.nn.functional.cross_entropy(
            logits, targets, reduction="none"
        )
        return found

    def _measure(self, examples: Examples, cancel: CancelToken) -> tuple[float, float]:
        losses, right = 0.0, 0
        for batch in by_length(examples, _tokens, self._batch_tokens, random.Random(0)):
            cancel.check()
            ids, places, targets, _ = tensors(batch, 1.0, self._device)
            logits = self.logits(ids, places)
            loss = self._losses(logits, targets)
            at = 0
            for one in batch:
                end = at + len(one.entity)
                losses += float(loss[at:end].mean())
                right += _is_written(one, logits[at:end])
                at = end
        return losses / max(1, len(examples)), right / max(1, len(examples))


def _is_written(one: EncodedExample, logits: torch.Tensor) -> bool:
    """Whether, of what decoding lets through, the right token is always the likeliest."""
    return all(
        options[int(row[list(options)].argmax())] == target
        for row, options, target in zip(logits, one.allowed, one.ids[one.prompt :], strict=True)
    )


def _tokens(one: EncodedExample) -> int:
    return len(one.ids)
