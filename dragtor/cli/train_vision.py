"""`dragtor train entities-vlm`: a vision model tuned to list whom a picture names.

Makes one library call and prints; knows neither torch nor any data format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from dragtor.cli.output import AS_JSON, TerminalReporter, out, out_json, settings

VISION_RUN = Path("vision-run")
RUN_COLUMNS = ("run", "model", "data", "prompt", "step", "loss", "recall", "invented")


DATA_OPTION = typer.Option(
    help='{"image", "people", "companies"} a line (JSON); as often as you like.',
    exists=True,
    metavar="FILE",
)
BASE_OPTION = typer.Option(
    help="Any vision model of transformers that chats, or a folder of one.", metavar="NAME"
)
HELD_OPTION = typer.Option(
    [], "--held", help="Held out; else a share of the data.", exists=True, metavar="FILE"
)
OUT_OPTION = typer.Option(
    VISION_RUN, "--out", help="Folder of the run; one cut off goes on.", metavar="FOLDER"
)
PROMPT_OPTION = typer.Option(
    None, help="Text to ask with, instead of dragtor's.", exists=True, metavar="FILE"
)
PARTS_OPTION = typer.Option(
    ["attention", "mlp", "projector"],
    help="What is tuned: attention, mlp, projector, vision (the model that sees).",
    metavar="NAME",
)
PUSH_OPTION = typer.Option(
    "", help="Put the run on the hub, too; HF_TOKEN holds the token.", metavar="OWNER/NAME"
)


def train_entities_vlm(
    data: list[Path] = DATA_OPTION,
    base: str = BASE_OPTION,
    held: list[Path] = HELD_OPTION,
    out_folder: Path = OUT_OPTION,
    prompt: Path | None = PROMPT_OPTION,
    part: list[str] = PARTS_OPTION,
    rank: int = typer.Option(16, help="Of the adapter (LoRA).", min=1),
    epochs: int = typer.Option(3, help="Times that the data is seen.", min=1),
    learning_rate: float = typer.Option(0.0002, help="Of the highest step.", min=1e-07),
    pictures: int = typer.Option(8, help="Of a step; one at a time is in memory.", min=1),
    most_side: int = typer.Option(1600, help="Pixels of a picture's longer side.", min=32),
    validation: float = typer.Option(0.1, help="Share that is held out.", min=0.01, max=0.9),
    evaluate_every: int = typer.Option(0, help="Steps between two looks; 0: an epoch.", min=0),
    patience: int = typer.Option(3, help="Looks without a better one, then it stops.", min=1),
    recompute: bool = typer.Option(False, help="Take less memory, and more time."),
    merge: bool = typer.Option(False, help="Write the whole model, too, as llama.cpp converts it."),
    seed: int = typer.Option(7, help="Draws the same again.", min=0),
    threads: int = typer.Option(0, help="Processor threads; 0: the machine's cores.", min=0),
    push: str = PUSH_OPTION,
    as_json: bool = AS_JSON,
) -> None:
    """Tune a vision model to list the people and companies of pictures."""
    from dragtor.prompt import PICTURE_ENTITIES
    from dragtor.training.loop import LoopConfig
    from dragtor.training.vision.train import TrainVisionConfig, train_vision

    loop = LoopConfig(
        epochs=epochs, learning_rate=learning_rate, accumulate=pictures, seed=seed,
        evaluate_every=evaluate_every, patience=patience,
    )  # fmt: skip
    config = TrainVisionConfig(
        base, loop, prompt=prompt.read_text("utf-8").strip() if prompt else PICTURE_ENTITIES,
        parts=tuple(part), rank=rank, most_side=most_side, validation=validation,
        recompute=recompute, merge=merge, threads=threads,
    )  # fmt: skip
    with TerminalReporter() as reporter:
        trained = train_vision(
            data, out_folder, config, held=held, push=push, reporter=reporter,
            cancel=settings.cancel,
        )  # fmt: skip
    if as_json:
        out_json({"adapter": str(trained.adapter), "metrics": trained.metrics,
                  "runs": trained.table})  # fmt: skip
        return
    out_runs(trained.table)
    out(f"adapter: {trained.adapter}")


def out_runs(rows: Sequence[Mapping[str, str]]) -> None:
    """The table of runs, its main columns only."""
    table = [RUN_COLUMNS, *(tuple(row[name] for name in RUN_COLUMNS) for row in rows)]
    widths = [max(len(row[i]) for row in table) for i in range(len(RUN_COLUMNS))]
    for row in table:
        cells: list[Any] = [cell.ljust(w) for cell, w in zip(row, widths, strict=True)]
        out("  ".join(cells).rstrip())
