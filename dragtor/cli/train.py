"""Commands that train the small models on data of one's own.

Each makes one library call and prints; knows neither torch nor any data format.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dragtor.cli.output import (
    AS_JSON,
    TerminalReporter,
    load_settings,
    out,
    out_json,
    settings,
)
from dragtor.cli.train_vision import train_entities_vlm

if TYPE_CHECKING:
    from dragtor.training.encoder.sets import TaskFile
    from dragtor.training.encoder.train import TrainedEncoder, TrainEncoderConfig

RUN = Path("events-run")  # folder of a training run
ENCODER_RUN = Path("encoder-run")
BARS = "▁▂▃▄▅▆▇█"
MAIN_FIGURES = ("accuracy", "span_f1", "exact")

train_app = typer.Typer(
    help="Train the small models on data of your own.", no_args_is_help=True, rich_markup_mode=None
)


ENCODER: dict[str, Any] = {  # options of `train encoder`
    "task": typer.Option(
        help="CSV, JSONL or CoNLL, as often as you like; files of one NAME teach one head.",
        metavar="[NAME=]FILE",
    ),
    "held": typer.Option(
        [], "--held", help="Held out, of the task of that name; else a share.", metavar="NAME=FILE"
    ),
    "mapping": typer.Option(
        [], "--map", help="Labels to learn as others.", metavar="FINE=COARSE,…"
    ),
    "base": typer.Option(
        "all-minilm-l6-v2", help="Any encoder of transformers, or a folder of one.", metavar="NAME"
    ),
    "out_folder": typer.Option(
        ENCODER_RUN, "--out", help="Folder of the run; one cut off goes on.", metavar="FOLDER"
    ),
    "start": typer.Option(
        None, "--from", help="Go on from the weights of another run.", metavar="FOLDER", exists=True
    ),
    "epochs": typer.Option(4, help="Times that the data is seen.", min=1),
    "learning_rate": typer.Option(0.0002, help="Of the highest step.", min=1e-07),
    "batch": typer.Option(32, help="Texts of a step.", min=1),
    "max_tokens": typer.Option(256, help="Of a window; longer texts have several.", min=8),
    "pooling": typer.Option("mean", help="mean, max or cls.", metavar="NAME"),
    "shapes": typer.Option(True, help="Tell the encoder how words are written."),
    "dropout": typer.Option(0.1, help="Of the heads.", min=0, max=0.9),
    "freeze": typer.Option([], help="encoder, embeddings, layers:N or head:NAME.", metavar="PART"),
    "rank": typer.Option(0, help="Of adapters (LoRA); 0: all weights are tuned.", min=0),
    "weight": typer.Option([], help="Of a task's loss.", metavar="NAME=NUMBER"),
    "answers": typer.Option(
        [],
        help="A head that learns if there is an answer, of a task of spans.",
        metavar="TASK=HEAD",
    ),
    "uncertainty": typer.Option(False, help="Learn the weights of the tasks."),
    "power": typer.Option(
        1.0, help="A task has size to this power of each epoch; 0: all the same.", min=0
    ),
    "validation": typer.Option(0.1, help="Share that is held out.", min=0.01, max=0.9),
    "evaluate_every": typer.Option(0, help="Steps between two looks; 0: an epoch.", min=0),
    "patience": typer.Option(3, help="Looks without a better one, then it stops.", min=1),
    "warmup": typer.Option(0.05, help="Share of steps of the rising rate.", min=0, max=1),
    "seed": typer.Option(7, help="Draws the same again.", min=0),
    "threads": typer.Option(0, help="Processor threads; 0: the machine's cores.", min=0),
}


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    train_app.command("events")(train_events)
    train_app.command("encoder")(train_encoder)
    train_app.command("entities-vlm")(train_entities_vlm)
    app.add_typer(train_app, name="train")


def train_events(
    data: list[Path] = typer.Option(
        help="{event_text, output} a line (JSON); as often as you like.",
        exists=True,
        metavar="FILE",
    ),
    out_folder: Path = typer.Option(
        RUN, "--out", help="Folder of the run; one that was cut off goes on.", metavar="FOLDER"
    ),
    model: str = typer.Option("smollm2-135m", help="What is tuned.", metavar="NAME"),
    fresh: bool = typer.Option(False, help="Begin with the bare model, not the shipped adapter."),
    epochs: int | None = typer.Option(None, help="Times that the data is seen.", min=1),
    learning_rate: float | None = typer.Option(None, help="Of the highest step.", min=1e-7),
    entity_weight: float | None = typer.Option(
        None, help="Of a field's words in the loss, against 1 of what stands between.", min=0.0
    ),
    seed: int | None = typer.Option(None, help="Draws the same again.", min=0),
    threads: int = typer.Option(0, help="Processor threads; 0: the machine's cores.", min=0),
    push: str = typer.Option(
        "", help="Put the run on the hub, too; HF_TOKEN holds the token.", metavar="OWNER/NAME"
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Tune the model that finds events on records of your own."""
    from dragtor.config import models_path
    from dragtor.events.model import EVENTS_MODEL, adapter_path
    from dragtor.models import model_path
    from dragtor.training.events.train import TrainConfig, train
    from dragtor.training.loop import LoopConfig

    def given(**options: Any) -> dict[str, Any]:
        return {name: value for name, value in options.items() if value is not None}

    loop = LoopConfig(**given(epochs=epochs, learning_rate=learning_rate, seed=seed))
    base = model_path(model, models_path(load_settings().models))
    start = None if fresh or model != EVENTS_MODEL else adapter_path()
    weights = given(entity_weight=entity_weight)
    config = TrainConfig(base, start=start, loop=loop, threads=threads, **weights)
    with TerminalReporter() as reporter:
        trained = train(
            data, out_folder, config, push=push, reporter=reporter, cancel=settings.cancel
        )
    if as_json:
        out_json({"adapter": str(trained.adapter), "metrics": trained.metrics})
        return
    out(f"adapter: {trained.adapter}")
    out(f"  try: dragtor eval events {data[0]} --adapter {trained.adapter}")


def train_encoder(
    task: list[str] = ENCODER["task"],
    held: list[str] = ENCODER["held"],
    mapping: list[str] = ENCODER["mapping"],
    base: str = ENCODER["base"],
    out_folder: Path = ENCODER["out_folder"],
    start: Path | None = ENCODER["start"],
    epochs: int = ENCODER["epochs"],
    learning_rate: float = ENCODER["learning_rate"],
    batch: int = ENCODER["batch"],
    max_tokens: int = ENCODER["max_tokens"],
    pooling: str = ENCODER["pooling"],
    shapes: bool = ENCODER["shapes"],
    dropout: float = ENCODER["dropout"],
    freeze: list[str] = ENCODER["freeze"],
    rank: int = ENCODER["rank"],
    weight: list[str] = ENCODER["weight"],
    answers: list[str] = ENCODER["answers"],
    uncertainty: bool = ENCODER["uncertainty"],
    power: float = ENCODER["power"],
    validation: float = ENCODER["validation"],
    evaluate_every: int = ENCODER["evaluate_every"],
    patience: int = ENCODER["patience"],
    warmup: float = ENCODER["warmup"],
    seed: int = ENCODER["seed"],
    threads: int = ENCODER["threads"],
    as_json: bool = AS_JSON,
) -> None:
    """Train heads on one encoder: classes of texts, names in them, pairs, answers."""
    from dragtor.training.encoder import options

    files = options.task_files(task, held, mapping)
    config = options.train_config(
        base=base, max_tokens=max_tokens, validation=validation, start=start, threads=threads,
        model={"pooling": pooling, "shapes": shapes, "dropout": dropout, "freeze": tuple(freeze),
               "rank": rank},
        mix={"power": power, "uncertainty": uncertainty, "batch": batch,
             "weights": options.named_numbers(weight), "answers": options.named_heads(answers)},
        loop={"epochs": epochs, "learning_rate": learning_rate, "warmup": warmup, "seed": seed,
              "evaluate_every": evaluate_every, "patience": patience},
    )  # fmt: skip
    trained = _run_encoder(files, out_folder, config)
    if as_json:
        out_json({"folder": str(trained.folder), "metrics": trained.metrics})
    else:
        _out_trained(trained)


def _run_encoder(
    files: Sequence[TaskFile], out_folder: Path, config: TrainEncoderConfig
) -> TrainedEncoder:
    from dragtor.config import models_path
    from dragtor.training.encoder.train import train_heads

    models = models_path(load_settings().models)
    told = settings.cancel
    with CurveReporter() as reporter:
        return train_heads(
            files, out_folder, config, models_dir=models, reporter=reporter, cancel=told
        )


def _out_trained(trained: TrainedEncoder) -> None:
    _out_curves(trained.metrics["history"])
    out(f"model: {trained.folder}")
    out(f'  try: dragtor tag --model {trained.folder} "a text"')


class CurveReporter(TerminalReporter):
    """Draws each main figure of a run after every evaluation, as a line of bars."""

    def item(self, kind: str, value: Any) -> None:
        """The rows of all evaluations so far."""
        if kind == "evaluations":
            parts = [_curve(value, name) for name in value[0] if name.endswith(MAIN_FIGURES)]
            self.note("  ".join(parts))


def _curve(history: Sequence[Mapping[str, float]], name: str) -> str:
    """A figure over the run, a bar an evaluation, and its last value."""
    values = [row[name] for row in history]
    low, high = min(values), max(values)
    scale = (len(BARS) - 1) / (high - low) if high > low else 0
    return f"{name} {''.join(BARS[round((v - low) * scale)] for v in values)} {values[-1]:.4f}"


def _out_curves(history: Sequence[Mapping[str, float]]) -> None:
    """Each figure over the run, a line each."""
    for name in history[0] if history else ():
        if name != "step":
            out(f"  {_curve(history, name)}")
