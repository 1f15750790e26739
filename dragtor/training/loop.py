"""The training loop: steps, clipping, validation, early stop, checkpoints, resumed runs.

Knows no model and no data: a Task has both. The learning rate is schedule.py's.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from dragtor.errors import Cancelled
from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA, report
from dragtor.training.checkpoints import EVERY_S, Checkpoint, RunState
from dragtor.training.schedule import learning_rate
from dragtor.types import NEVER, SILENT, CancelToken, Reporter

if TYPE_CHECKING:
    import torch

Batch = TypeVar("Batch")


class Task(Protocol[Batch]):
    """What is trained, on what, and how well it does."""

    def parameters(self) -> Sequence[torch.Tensor]:
        """What the optimiser changes, always in the same order."""
        ...

    def batches(self, epoch: int) -> Sequence[Batch]:
        """The batches of an epoch (from 0) in the order of training; the same for the same epoch.

        Those of all epochs are drawn before the first step: let them be light.
        """
        ...

    def loss(self, batch: Batch) -> tuple[torch.Tensor, float]:
        """The losses of a batch added up, and their weight: the step's loss is sum over weight."""
        ...

    def evaluate(self, cancel: CancelToken) -> dict[str, float]:
        """Figures on what is held out, `loss` among them."""
        ...

    def score(self, found: Mapping[str, float]) -> tuple[float, ...]:
        """How good these figures are: larger is better, the first number counts first."""
        ...

    def state(self) -> dict[str, torch.Tensor]:
        """All tensors that training changes, by name; the very ones, not copies."""
        ...


@dataclass(frozen=True, slots=True)
class LoopConfig:
    """How to train; what it is trained on is told elsewhere."""

    epochs: int = 3
    learning_rate: float = 1e-3
    warmup: float = 0.05  # share of the steps over which the rate rises; then it falls as a cosine
    accumulate: int = 1  # batches of one step
    weight_decay: float = 0.01
    clip: float = 1.0  # largest norm of a step's gradient
    evaluate_every: int = 100  # steps
    patience: int = 6  # evaluations without a better one, then it stops
    seed: int = 7


class Loop(Generic[Batch]):
    """One run of one task in one folder."""

    def __init__(
        self,
        task: Task[Batch],
        config: LoopConfig,
        folder: Path,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
    ) -> None:
        self._torch = require("torch", extra=TRAIN_EXTRA)
        self._task, self._config, self._folder = task, config, folder
        self._reporter, self._cancel = reporter, cancel
        self._parameters = list(task.parameters())
        self._optimizer = self._torch.optim.AdamW(
            self._parameters, lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.run_state = RunState()
        self.best = _copied(task.state())

    def run(self) -> RunState:
        """Train to the end, from the folder's checkpoint where there is one.

        A step draws from torch's generator as its own number seeds it, so that a resumed run draws
        the same. Raises Cancelled within a step of being asked to; what was done is saved.
        """
        self._resume()
        steps = self._steps()
        saved_s = time.monotonic()
        try:
            while True:
                if self._is_evaluation_due(len(steps)):
                    self._evaluate()
                    saved_s = time.monotonic()
                if self.run_state.step == len(steps) or self._is_stale():
                    break
                self._step(steps[self.run_state.step], len(steps))
                self._reporter.progress("training", self.run_state.step, len(steps))
                if time.monotonic() - saved_s >= EVERY_S:
                    self._save()
                    saved_s = time.monotonic()
        except Cancelled:
            self._save()
            raise
        self._save()
        return self.run_state

    def _steps(self) -> list[Sequence[Batch]]:
        """The batches of each step, over all epochs."""
        size = self._config.accumulate
        made = [self._task.batches(epoch) for epoch in range(self._config.epochs)]
        return [some[at : at + size] for some in made for at in range(0, len(some), size)]

    def _is_evaluation_due(self, steps: int) -> bool:
        run, every = self.run_state, self._config.evaluate_every
        known = run.history[-1]["step"] if run.history else 0
        return run.step > known and (run.step == steps or run.step % every == 0)

    def _is_stale(self) -> bool:
        since = self.run_state.step - self.run_state.best_step
        evaluated = bool(self.run_state.history)
        return evaluated and since >= self._config.patience * self._config.evaluate_every

    def _step(self, parts: Sequence[Batch], steps: int) -> None:
        """One step of the optimiser; cancelled amid its batches, it is as if it had not begun."""
        torch, config, run = self._torch, self._config, self.run_state
        torch.manual_seed(config.seed + run.step)
        for group in self._optimizer.param_groups:
            group["lr"] = learning_rate(run.step, steps, config.learning_rate, config.warmup)
        self._optimizer.zero_grad(set_to_none=True)
        total = weight = 0.0
        for part in parts:
            self._cancel.check()
            loss, size = self._task.loss(part)
            loss.backward()
            total += float(loss.detach())
            weight += size
        for value in self._parameters:
            if value.grad is not None:
                value.grad.div_(weight)
        torch.nn.utils.clip_grad_norm_(self._parameters, config.clip)
        self._optimizer.step()
        run.step += 1
        run.train_loss = total / weight

    def _evaluate(self) -> None:
        run = self.run_state
        with self._torch.no_grad():
            figures = self._task.evaluate(self._cancel)
        found = {"step": run.step, "train_loss": run.train_loss, **figures}
        run.history.append(found)
        if (score := self._task.score(found)) > run.best:
            run.best, run.best_step = score, run.step
            self.best = _copied(self._task.state())
        self._save()
        report.write_history(self._folder, run.history)
        self._reporter.item("evaluations", run.history)
        told = " ".join(f"{name} {value:.4f}" for name, value in found.items() if name != "step")
        self._reporter.note(f"step {run.step}: {told}")

    def _save(self) -> None:
        weights = {name: value.detach() for name, value in self._task.state().items()}
        optimizer = self._optimizer.state_dict()
        Checkpoint(self.run_state, weights, self.best, optimizer).save(self._folder)

    def _resume(self) -> None:
        found = Checkpoint.load(self._folder)
        if found is None:
            return
        with self._torch.no_grad():
            for name, value in self._task.state().items():
                value.copy_(found.weights[name])
        self.best, self.run_state = found.best, found.run
        self._optimizer.load_state_dict(found.optimizer)


def _copied(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in state.items()}
