"""What a run leaves of its figures: a row an evaluation, all of them at the end, and a plot.

Knows no model: it is given figures by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA

HISTORY = "metrics.jsonl"
METRICS = "metrics.json"
PLOT = "plot.png"
History = Sequence[Mapping[str, float]]  # a row an evaluation; see loop.py


def write_history(folder: Path, history: History) -> None:
    """Write the rows, one a line."""
    lines = "".join(json.dumps(row) + "\n" for row in history)
    (folder / HISTORY).write_text(lines, "utf-8")


def write_metrics(folder: Path, metrics: Mapping[str, Any]) -> None:
    """Write what a finished run came to."""
    (folder / METRICS).write_text(json.dumps(metrics, indent=2, default=str), "utf-8")


def plot(folder: Path, history: History, share: str, label: str) -> None:
    """Draw both losses and the figure `share` (0 to 1, called `label`) by step."""
    matplotlib = require("matplotlib", extra=TRAIN_EXTRA)
    matplotlib.use("Agg")
    figure = require("matplotlib.figure", extra=TRAIN_EXTRA).Figure(figsize=(7, 4))
    axes = figure.subplots()
    steps = [row["step"] for row in history]
    for name in ("train_loss", "loss"):
        axes.plot(steps, [row[name] for row in history], label=name.replace("_", " "))
    axes.set(xlabel="step", ylabel="loss", yscale="log")
    other = axes.twinx()
    other.plot(steps, [row[share] for row in history], "k--", label=f"{share}, held out")
    other.set(ylabel=label, ylim=(0, 1))
    figure.legend(loc="upper center", ncols=3)
    figure.savefig(folder / PLOT, dpi=110)
