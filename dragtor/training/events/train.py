"""`dragtor train events`: an adapter that reads events, tuned over a small GGUF language model.

Owns a run: its data, its folder, its report and the adapter's file. Never imported by inference.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.errors import UsageError
from dragtor.extras import require
from dragtor.training.events.augment import made, swapped
from dragtor.training.events.labels import Example, examples, held_out, read_records
from dragtor.training.loop import CHECKPOINT, Loop, LoopConfig

if TYPE_CHECKING:
    from dragtor.training.events.batches import Coder, Encoded

EXTRA = "train"
ADAPTER = "adapter.gguf"  # the best on validation
LAST = "last.gguf"  # where validation is small, it may read better: `dragtor eval events` tells


@dataclass(frozen=True, slots=True)
class TrainConfig:
    """A run. Its loop's settings apart, all that decides what comes out."""

    base: Path  # the GGUF that the adapter is for
    loop: LoopConfig = field(default_factory=LoopConfig)
    start: Path | None = None  # an adapter to go on from; None: from nothing
    rank: int = 32  # of the adapter's matrices
    scale: float = 2.0  # of the adapter's product
    first_layer: int = 6  # blocks below stay as they are, and need no gradient
    made: int = 1800  # made texts of each epoch, beside the data's own
    swap: float = 0.5  # share of the data's events that are told of other names, places and days
    validation: float = 0.12  # share of the sentence templates that is held out
    threads: int = 0  # of the processor; 0: as torch finds them


@dataclass(frozen=True, slots=True)
class Trained:
    """What a run made."""

    adapter: Path
    metrics: dict[str, Any]


def train(data: Sequence[Path], out: Path, config: TrainConfig, *, push: str = "") -> Trained:
    """Tune on JSONL files of {event_text, output}; a run cut off in `out` is resumed.

    `out` gets adapter.gguf, last.gguf, README.md (the model card), config.json, metrics.jsonl,
    plot.png and checkpoint.pt. `push` is OWNER/NAME on the hub; its token comes from HF_TOKEN.
    Raises UsageError for data that are no records, Missing for an extra or a token that is absent.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads give their core away
    from dragtor.training import report
    from dragtor.training.events.batches import Coder
    from dragtor.training.events.llama import Llama, read_gguf
    from dragtor.training.lora import new_adapter, read_adapter, write_adapter

    torch = require("torch", extra=EXTRA)
    if push:
        report.hub_token()
    learn, held, lost = split(data, config.validation)
    out.mkdir(parents=True, exist_ok=True)
    settle(out, config, data)
    if config.threads:
        torch.set_num_threads(config.threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shape, vocabulary, weights = read_gguf(config.base)
    coder = Coder(vocabulary)
    if config.start is None:
        first = min(config.first_layer, shape.layers - 1)
        adapter = new_adapter(shape, weights, config.rank, first, config.loop.seed)
    else:
        adapter = read_adapter(config.start, config.scale)
    frozen = {name: value.to(device, torch.bfloat16) for name, value in weights.items()}
    model = Llama(shape, frozen, {k: v.to(device) for k, v in adapter.items()}, config.scale)
    validation = {name: encoded(some, coder) for name, some in held.items() if some}

    def epoch(number: int) -> list[Encoded]:
        return encoded(mixed(learn, config, number), coder)

    loop = Loop(model, config.loop, epoch, validation, out, device)
    progress = loop.run()
    about = f"events over {config.base.stem}"
    write_adapter(out / ADAPTER, shape, loop.best, config.scale, about)
    write_adapter(out / LAST, shape, model.adapter, config.scale, about)
    counts = {"examples": len(learn), "held_out": {k: len(v) for k, v in held.items()}}
    metrics: dict[str, Any] = {**counts, "not_found": lost, "best_step": progress.best_step}
    metrics["history"] = progress.history
    report.write(out, asdict(config), metrics)
    if push:
        report.push(out, push)
    return Trained(out / ADAPTER, metrics)


def split(
    data: Sequence[Path], share: float
) -> tuple[list[Example], dict[str, list[Example]], dict[str, int]]:
    """Examples to learn from, those held out by file, and how many values were not found."""
    learn: list[Example] = []
    held: dict[str, list[Example]] = {}
    lost: dict[str, int] = {}
    for path in data:
        some, missing = examples(read_records([path]))
        for name, count in missing.items():
            lost[name] = lost.get(name, 0) + count
        held[path.stem] = [one for one in some if held_out(one, share)]
        learn += [one for one in some if not held_out(one, share)]
    if not learn:
        raise UsageError("no example to learn from", "name JSONL files of {event_text, output}")
    return learn, held, lost


def mixed(learn: Sequence[Example], config: TrainConfig, epoch: int) -> list[Example]:
    """The examples of one epoch: the data's own, some of them changed, and made ones."""
    draw = random.Random(f"{config.loop.seed} mix {epoch}")
    own = [swapped(one, draw) if draw.random() < config.swap else one for one in learn]
    return [*own, *made(config.made, draw.randrange(2**31))]


def encoded(some: Sequence[Example], coder: Coder) -> list[Encoded]:
    """The examples as tokens; those that decoding could not write are left out."""
    return [found for one in some if (found := coder.encode(one)) is not None]


def settle(out: Path, config: TrainConfig, data: Sequence[Path]) -> None:
    """Keep the run's settings in its folder; a resumed run must have the same."""
    told = {**asdict(config), "data": [str(path) for path in data]}
    text = json.dumps(told, indent=2, default=str)
    path = out / "config.json"
    if (out / CHECKPOINT).exists() and path.read_text("utf-8") != text:
        raise UsageError(f"{out} holds a run with other settings", f"rm -r {out}")
    path.write_text(text, "utf-8")
