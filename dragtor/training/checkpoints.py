"""A run's state on disk: all that a run which was cut off needs to go on bit for bit.

A checkpoint is replaced whole or not at all. Knows no model: tensors by name, and numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.errors import UsageError
from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA

if TYPE_CHECKING:
    import torch

CHECKPOINT = "checkpoint.pt"
RUN_SETTINGS = "config.json"
EVERY_S = 600.0  # seconds between two checkpoints, at most


@dataclass(slots=True)
class RunState:
    """How far a run is."""

    step: int = 0  # steps done
    best_step: int = 0
    best: tuple[float, ...] = ()  # the best score so far; larger is better, see Task.score
    train_loss: float = 0.0  # of the last step
    history: list[dict[str, float]] = field(default_factory=list)  # one row an evaluation


@dataclass(slots=True)
class Checkpoint:
    """What a run is resumed from."""

    run: RunState
    weights: dict[str, torch.Tensor]  # as Task.state
    best: dict[str, torch.Tensor]  # the same at the best step
    optimizer: dict[str, Any]

    def save(self, folder: Path) -> None:
        """Write it into the folder of the run."""
        torch = require("torch", extra=TRAIN_EXTRA)
        unfinished = folder / f"{CHECKPOINT}.part"
        torch.save(
            {
                "run": asdict(self.run),
                "weights": self.weights,
                "best": self.best,
                "optimizer": self.optimizer,
            },
            unfinished,
        )
        unfinished.replace(folder / CHECKPOINT)

    @classmethod
    def load(cls, folder: Path) -> Checkpoint | None:
        """The one in the folder, its tensors on the processor; None where there is none."""
        path = folder / CHECKPOINT
        if not path.exists():
            return None
        found = require("torch", extra=TRAIN_EXTRA).load(
            path, weights_only=True, map_location="cpu"
        )
        run = RunState(**found["run"] | {"best": tuple(found["run"]["best"])})
        return cls(run, found["weights"], found["best"], found["optimizer"])


def keep_settings(folder: Path, told: Mapping[str, Any]) -> None:
    """Keep a run's settings in its folder; raises UsageError where it holds a run with others."""
    text = json.dumps(told, indent=2, default=str)
    path = folder / RUN_SETTINGS
    known = path.read_text("utf-8") if path.exists() else ""
    if (folder / CHECKPOINT).exists() and known != text:
        raise UsageError(f"{folder} holds a run with other settings", f"rm -r {folder}")
    path.write_text(text, "utf-8")
