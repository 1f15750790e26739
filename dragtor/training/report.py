"""What is told of a run: its curve, its model card, and the hub where it may be pushed.

Knows no model: it is given settings and metrics.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dragtor.errors import Missing
from dragtor.extras import require

EXTRA = "train"
TOKEN = "HF_TOKEN"
PUSHED = ("adapter.gguf", "README.md", "metrics.json", "plot.png")  # no paths of this machine


def write(folder: Path, config: Mapping[str, Any], metrics: Mapping[str, Any]) -> None:
    """Write metrics.json, plot.png and README.md."""
    text = json.dumps(metrics, indent=2, default=str)
    (folder / "metrics.json").write_text(text, "utf-8")
    if metrics["history"]:
        plot(folder / "plot.png", metrics["history"])
    (folder / "README.md").write_text(card(config, metrics), "utf-8")


def plot(path: Path, history: list[dict[str, float]]) -> None:
    """Loss and exact share by step."""
    matplotlib = require("matplotlib", extra=EXTRA)
    matplotlib.use("Agg")
    figure = require("matplotlib.figure", extra=EXTRA).Figure(figsize=(7, 4))
    axes = figure.subplots()
    steps = [line["step"] for line in history]
    for name in ("train_loss", "loss"):
        axes.plot(steps, [line[name] for line in history], label=name.replace("_", " "))
    axes.set(xlabel="step", ylabel="loss", yscale="log")
    other = axes.twinx()
    other.plot(steps, [line["exact"] for line in history], "k--", label="exact, held out")
    other.set(ylabel="share of records without a mistake", ylim=(0, 1))
    figure.legend(loc="upper center", ncols=3)
    figure.savefig(path, dpi=110)


def card(config: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """The model card."""
    best: Mapping[str, float] = next(
        (m for m in metrics["history"] if m["step"] == metrics["best_step"]), {}
    )
    rows = "\n".join(f"| {name} | {value:.4f} |" for name, value in best.items())
    settings = "\n".join(
        f"- {name}: {value}"
        for name, value in config.items()
        if name not in ("base", "start", "loop")
    )
    loop = "\n".join(f"- {name}: {value}" for name, value in dict(config["loop"]).items())
    return f"""---
base_model: {Path(str(config["base"])).stem}
tags: [lora, gguf, events]
---
# Events in plain language, as an adapter

A low-rank adapter for llama.cpp. The model copies the words of each field out of the text, in
the form `Action Lunch Name Yves Date next Fri End`; it needs dragtor's decoding, where nothing
but words of the text can be written.

Trained on {metrics["examples"]} examples and made ones. Held out, by sentence template:
{metrics["held_out"]}.

| measure, at step {metrics["best_step"]} | value |
|---|---|
{rows}

Settings:
{settings}
{loop}
"""


def hub_token() -> str:
    """The token that a push needs; raises Missing where it is not set."""
    token = os.environ.get(TOKEN, "")
    if not token:
        raise Missing("no token for the hub", f"export {TOKEN}=...")
    return token


def push(folder: Path, repository: str) -> None:
    """Upload the run to OWNER/NAME on the hub."""
    hub = require("huggingface_hub", extra=EXTRA)
    api = hub.HfApi(token=hub_token())
    api.create_repo(repository, exist_ok=True)
    api.upload_folder(repo_id=repository, folder_path=folder, allow_patterns=list(PUSHED))
