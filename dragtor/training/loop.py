"""The training loop: weighted loss, schedule, clipping, validation, early stop, resumed runs.

A run that was cut off goes on bit for bit as it would have. Knows tokens, not texts.
"""

from __future__ import annotations

import json
import math
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.extras import require
from dragtor.training.events.batches import Encoded, batches, tensors
from dragtor.training.events.llama import EXTRA, Llama

if TYPE_CHECKING:
    import torch

CHECKPOINT = "checkpoint.pt"
METRICS = "metrics.jsonl"


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """How to train; what it is trained on is told elsewhere."""

    epochs: int = 3
    learning_rate: float = 1e-3
    warmup: float = 0.05  # share of the steps over which the rate rises; then it falls as a cosine
    batch_tokens: int = 768  # read at once, padding included
    accumulate: int = 1  # batches of one step
    entity_weight: float = 1.0  # of a copied token's loss, against 1 of a tag's
    weight_decay: float = 0.01
    clip: float = 1.0  # largest norm of a step's gradient
    evaluate_every: int = 100  # steps
    patience: int = 6  # evaluations without a better one, then it stops
    seed: int = 7


@dataclass(slots=True)
class Progress:
    """Where a run stands: all that a resumed one needs beside weights and optimiser."""

    step: int = 0
    best_step: int = 0
    best: tuple[float, float] = (-1.0, -math.inf)  # exact share, minus loss
    history: list[dict[str, float]] = field(default_factory=list)


Epoch = Callable[[int], Sequence[Encoded]]  # the examples of an epoch, by its number


class Loop:
    """One run in one folder."""

    def __init__(
        self,
        model: Llama,
        config: LoopConfig,
        epoch: Epoch,
        validation: Mapping[str, Sequence[Encoded]],
        folder: Path,
        device: str = "cpu",
    ) -> None:
        torch = require("torch", extra=EXTRA)
        self._torch, self._model, self._config = torch, model, config
        self._epoch, self._validation = epoch, validation
        self._folder, self._device = folder, device
        self._parameters = [value.requires_grad_() for value in model.adapter.values()]
        self._optimizer = torch.optim.AdamW(
            self._parameters, lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.progress = Progress()
        self.best = {name: value.detach().clone() for name, value in model.adapter.items()}

    def run(self, stop_after: int | None = None) -> Progress:
        """Train to the end, or until `stop_after` steps are done; a checkpoint is resumed."""
        self._load()
        steps = list(self._steps())
        started, first = time.monotonic(), self.progress.step
        for batch in steps[first:]:
            if self._stale() or (stop_after is not None and self.progress.step >= stop_after):
                break
            loss = self._step(batch, len(steps))
            self._tell(loss, len(steps), started, first)
            done = self.progress.step == len(steps)
            if done or self.progress.step % self._config.evaluate_every == 0:
                self._evaluate(loss)
        self._save()
        sys.stderr.write("\n")
        return self.progress

    def _stale(self) -> bool:
        since = self.progress.step - self.progress.best_step
        evaluated = bool(self.progress.history)
        return evaluated and since >= self._config.patience * self._config.evaluate_every

    def _steps(self) -> Iterator[list[list[Encoded]]]:
        """The batches of each step, over all epochs."""
        config = self._config
        for number in range(config.epochs):
            draw = random.Random(f"{config.seed} {number}")
            made = batches(self._epoch(number), config.batch_tokens, draw)
            for at in range(0, len(made), config.accumulate):
                yield made[at : at + config.accumulate]

    def _rate(self, steps: int) -> float:
        config, step = self._config, self.progress.step
        rising = max(1, round(config.warmup * steps))
        if step < rising:
            return config.learning_rate * (step + 1) / rising
        along = (step - rising) / max(1, steps - rising)
        return config.learning_rate * (0.02 + 0.98 * (1 + math.cos(math.pi * along)) / 2)

    def _step(self, parts: Sequence[Sequence[Encoded]], steps: int) -> float:
        torch, config = self._torch, self._config
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate(steps)
        read = [tensors(part, config.entity_weight, torch, self._device) for part in parts]
        whole = sum(float(weights.sum()) for *_, weights in read)
        total = 0.0
        for ids, places, targets, weights in read:
            losses = torch.nn.functional.cross_entropy(
                self._logits(ids, places), targets, reduction="none"
            )
            loss = (losses * weights).sum() / whole
            loss.backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(self._parameters, config.clip)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self.progress.step += 1
        return total

    def _logits(self, ids: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        states = self._model.states(ids)
        return self._model.logits(states.flatten(0, 1)[places])

    def _evaluate(self, train_loss: float) -> None:
        """Loss, and the share of examples that decoding would write without a mistake."""
        found: dict[str, float] = {"step": self.progress.step, "train_loss": train_loss}
        losses, right, count = 0.0, 0, 0
        for name, examples in self._validation.items():
            loss, exact = self._measure(examples)
            found |= {f"{name}_loss": loss, f"{name}_exact": exact}
            losses += loss * len(examples)
            right += round(exact * len(examples))
            count += len(examples)
        found |= {"loss": losses / max(1, count), "exact": right / max(1, count)}
        self.progress.history.append(found)
        if (found["exact"], -found["loss"]) > self.progress.best:
            self.progress.best = (found["exact"], -found["loss"])
            self.progress.best_step = self.progress.step
            adapter = self._model.adapter.items()
            self.best = {name: value.detach().clone() for name, value in adapter}
        self._save()
        lines = [json.dumps(line) + "\n" for line in self.progress.history]
        (self._folder / METRICS).write_text("".join(lines), "utf-8")
        told = " ".join(f"{k} {v:.4f}" for k, v in found.items() if k != "step")
        sys.stderr.write(f"\nstep {self.progress.step}: {told}\n")

    def _measure(self, examples: Sequence[Encoded]) -> tuple[float, float]:
        torch = self._torch
        losses, right = 0.0, 0
        with torch.no_grad():
            for batch in batches(examples, self._config.batch_tokens, random.Random(0)):
                ids, places, targets, _ = tensors(batch, 1.0, torch, self._device)
                logits = self._logits(ids, places)
                loss = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
                at = 0
                for one in batch:
                    end = at + len(one.entity)
                    losses += float(loss[at:end].mean())
                    right += all(
                        options[int(row[list(options)].argmax())] == target
                        for row, options, target in zip(
                            logits[at:end], one.allowed, one.ids[one.prompt :], strict=True
                        )
                    )
                    at = end
        return losses / max(1, len(examples)), right / max(1, len(examples))

    def _tell(self, loss: float, steps: int, started: float, first: int) -> None:
        done = self.progress.step
        left = (time.monotonic() - started) / (done - first) * (steps - done)
        sys.stderr.write(f"\rstep {done}/{steps}  loss {loss:.4f}  {left / 60:.0f} min left   ")
        sys.stderr.flush()

    def _save(self) -> None:
        state: dict[str, Any] = {
            "adapter": {name: value.detach() for name, value in self._model.adapter.items()},
            "best_adapter": self.best,
            "optimizer": self._optimizer.state_dict(),
            "step": self.progress.step,
            "best_step": self.progress.best_step,
            "best": list(self.progress.best),
            "history": self.progress.history,
        }
        unfinished = self._folder / f"{CHECKPOINT}.part"
        self._torch.save(state, unfinished)
        unfinished.replace(self._folder / CHECKPOINT)

    def _load(self) -> None:
        path = self._folder / CHECKPOINT
        if not path.exists():
            return
        state = self._torch.load(path, weights_only=True, map_location=self._device)
        with self._torch.no_grad():
            for name, value in self._model.adapter.items():
                value.copy_(state["adapter"][name])
        self.best = state["best_adapter"]
        self._optimizer.load_state_dict(state["optimizer"])
        exact, loss = state["best"]
        self.progress = Progress(state["step"], state["best_step"], (exact, loss), state["history"])
