"""The model card of a run, and the hub that both may be pushed to.

Knows no model: it is given words, figures and settings.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragtor.errors import Missing
from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA
from dragtor.training.report import METRICS, PLOT

CARD = "README.md"
TOKEN_VARIABLE = "HF_TOKEN"


@dataclass(frozen=True, slots=True)
class Card:
    """What a model card says."""

    title: str
    base: str  # name of the model that was tuned
    tags: Sequence[str]
    about: str  # paragraphs, in markdown
    best_step: int
    figures: Mapping[str, float]  # at the best step
    settings: Mapping[str, Any]

    def markdown(self) -> str:
        """The card as the hub reads it."""
        rows = "\n".join(f"| {name} | {value:.4f} |" for name, value in self.figures.items())
        settings = "\n".join(f"- {name}: {value}" for name, value in self.settings.items())
        return f"""---
base_model: {self.base}
tags: [{", ".join(self.tags)}]
---
# {self.title}

{self.about}

| measure, at step {self.best_step} | value |
|---|---|
{rows}

Settings:
{settings}
"""


def write_card(folder: Path, card: Card) -> None:
    """Write the card beside the model."""
    (folder / CARD).write_text(card.markdown(), "utf-8")


def hub_token() -> str:
    """The token that a push needs; raises Missing where it is not set."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        raise Missing("no token for the hub", f"export {TOKEN_VARIABLE}=...")
    return token


def push(folder: Path, repository: str, model: str) -> None:
    """Upload the file `model` of a run, its card and figures to OWNER/NAME on the hub."""
    hub = require("huggingface_hub", extra=TRAIN_EXTRA)
    api = hub.HfApi(token=hub_token())
    api.create_repo(repository, exist_ok=True)
    pushed = [model, CARD, METRICS, PLOT]  # no paths of this machine
    api.upload_folder(repo_id=repository, folder_path=folder, allow_patterns=pushed)
