"""`dragtor train events`: an adapter that reads events, tuned over a small GGUF language model.

Owns a run: its data, its folder, its report and the adapter's file. Never imported by inference.
"""

from __future__ import annotations

import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.errors import UsageError
from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA
from dragtor.training.checkpoints import RunState, keep_settings
from dragtor.training.events.augment import made, with_other_values
from dragtor.training.events.labels import Example, examples, is_held_out, read_records
from dragtor.training.loop import Loop, LoopConfig
from dragtor.types import NEVER, SILENT, CancelToken, Reporter

if TYPE_CHECKING:
    import torch

    from dragtor.training.events.batches import Coder, EncodedExample

BEST_ADAPTER = "adapter.gguf"  # the best on validation
LAST_ADAPTER = (
    "last.gguf"  # where validation is small, it may read better: `dragtor eval events` tells
)
ABOUT = """\
A low-rank adapter for llama.cpp. The model copies the words of each field out of the text, in
the form `Action Lunch Name Yves Date next Fri End`; it needs dragtor's decoding, where nothing
but words of the text can be written.

Trained on {examples} examples and made ones. Held out, by sentence template:
{held_out}."""


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A run. Its loop's settings apart, all that decides what comes out."""

    base: Path  # the GGUF that the adapter is for
    loop: LoopConfig = field(default_factory=LoopConfig)
    start: Path | None = None  # an adapter to go on from; None: from nothing
    rank: int = 32  # of the adapter's matrices
    scale: float = 2.0  # of the adapter's product
    first_layer: int = 6  # blocks below stay as they are, and need no gradient
    batch_tokens: int = 768  # read at once, padding included
    entity_weight: float = 1.0  # of a copied token's loss, against 1 of a tag's
    made: int = 1800  # made texts of each epoch, beside the data's own
    swap: float = 0.5  # share of the data's events that are told of other names, places and days
    validation: float = 0.12  # share of the sentence templates that is held out
    threads: int = 0  # of the processor; 0: as torch finds them


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run made."""

    adapter: Path
    metrics: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Data:
    """Examples to learn from, those held out by file, and how many values were not found."""

    learn: list[Example]
    held: dict[str, list[Example]]
    lost: dict[str, int]


def train(
    data: Sequence[Path],
    out: Path,
    config: TrainConfig,
    *,
    push: str = "",
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> Trained:
    """Tune on JSONL files of {event_text, output}; a run cut off in `out` is resumed.

    `out` gets adapter.gguf, last.gguf, README.md (the model card), config.json, metrics.json,
    metrics.jsonl, plot.png and checkpoint.pt. `push` is OWNER/NAME on the hub; its token comes
    from HF_TOKEN. Raises UsageError for data that are no records, Missing for an extra or a token
    that is absent, Cancelled with a checkpoint kept.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads give their core away
    from dragtor.training import card
    from dragtor.training.events.base import read_vocabulary
    from dragtor.training.events.batches import Coder
    from dragtor.training.events.task import EventsTask

    torch = require("torch", extra=TRAIN_EXTRA)
    if push:
        card.hub_token()
    read = read_data(data, config.validation)
    out.mkdir(parents=True, exist_ok=True)
    keep_settings(out, {**asdict(config), "data": [str(path) for path in data]})
    if config.threads:
        torch.set_num_threads(config.threads)
    coder = Coder(read_vocabulary(config.base))
    model, adapter = open_tuned(config, "cuda" if torch.cuda.is_available() else "cpu")
    task = EventsTask(
        model,
        adapter,
        lambda number: as_tokens(mixed(read.learn, config, number), coder),
        {name: as_tokens(some, coder) for name, some in read.held.items() if some},
        batch_tokens=config.batch_tokens,
        entity_weight=config.entity_weight,
        seed=config.loop.seed,
    )
    loop = Loop(task, config.loop, out, reporter, cancel)
    run = loop.run()
    for name, tensors in ((BEST_ADAPTER, loop.best), (LAST_ADAPTER, adapter)):
        write_gguf(out / name, tensors, model.config, config)
    metrics = write_report(out, config, read, run)
    if push:
        card.push(out, push, BEST_ADAPTER)
    return Trained(out / BEST_ADAPTER, metrics)


def open_tuned(config: TrainConfig, device: str) -> tuple[Any, dict[str, torch.Tensor]]:
    """The base model with its adapter on it, a new one or that of `config.start`."""
    from dragtor.training import lora
    from dragtor.training.events.base import LINEARS, open_base

    model = open_base(config.base, device)
    start = lora.read_adapter(config.start, config.scale) if config.start else None
    rank = lora.rank_of(start) if start else config.rank
    first = min(config.first_layer, model.config.num_hidden_layers - 1)
    first = lora.first_layer_of(start) if start else first
    adapter = lora.add_adapter(model, LINEARS, rank, config.scale, first, config.loop.seed)
    if start:
        lora.fill(adapter, lora.from_file(start, adapter, model.config))
    return model, adapter


def write_gguf(
    path: Path, adapter: Mapping[str, torch.Tensor], model_config: Any, config: TrainConfig
) -> None:
    """Write an adapter of the model as llama.cpp reads it."""
    from dragtor.training import lora

    tensors = lora.to_file(adapter, model_config)
    lora.write_adapter(path, tensors, config.scale, f"events over {config.base.stem}")


def write_report(out: Path, config: TrainConfig, data: Data, run: RunState) -> dict[str, Any]:
    """Write the figures, their plot and the model card; gives the figures."""
    from dragtor.training import card, report

    held = {name: len(some) for name, some in data.held.items()}
    metrics: dict[str, Any] = {"examples": len(data.learn), "held_out": held}
    metrics |= {"not_found": data.lost, "best_step": run.best_step, "history": run.history}
    report.write_metrics(out, metrics)
    if run.history:
        report.plot(out, run.history, "exact", "share of records without a mistake")
    settings = {k: v for k, v in asdict(config).items() if k not in ("base", "start", "loop")}
    about = card.Card(
        title="Events in plain language, as an adapter",
        base=config.base.stem,
        tags=("lora", "gguf", "events"),
        about=ABOUT.format(examples=len(data.learn), held_out=held),
        best_step=run.best_step,
        figures=next((row for row in run.history if row["step"] == run.best_step), {}),
        settings=settings | asdict(config.loop),
    )
    card.write_card(out, about)
    return metrics


def read_data(data: Sequence[Path], share: float) -> Data:
    """The examples of the files; `share` of the sentence templates is held out."""
    found = Data([], {}, {})
    for path in data:
        some, missing = examples(read_records([path]))
        for name, count in missing.items():
            found.lost[name] = found.lost.get(name, 0) + count
        found.held[path.stem] = [one for one in some if is_held_out(one, share)]
        found.learn.extend(one for one in some if not is_held_out(one, share))
    if not found.learn:
        raise UsageError("no example to learn from", "name JSONL files of {event_text, output}")
    return found


def mixed(learn: Sequence[Example], config: TrainConfig, epoch: int) -> list[Example]:
    """The examples of one epoch: the data's own, some of them changed, and made ones."""
    draw = random.Random(f"{config.loop.seed} mix {epoch}")
    own = [with_other_values(one, draw) if draw.random() < config.swap else one for one in learn]
    return [*own, *made(config.made, draw.randrange(2**31))]


def as_tokens(some: Sequence[Example], coder: Coder) -> list[EncodedExample]:
    """The examples as tokens; those that decoding could not write are left out."""
    return [found for one in some if (found := coder.encode(one)) is not None]
