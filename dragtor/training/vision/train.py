"""`dragtor train entities-vlm`: an adapter for a vision model that lists whom a picture names.

Owns a run: its data, its folder, its report, the adapter. Never imported by inference.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.extras import require
from dragtor.llm.vision import MOST_SIDE
from dragtor.models.disk import sha256
from dragtor.prompt import PICTURE_ENTITIES
from dragtor.training import TRAIN_EXTRA, card, report
from dragtor.training.checkpoints import CHECKPOINT, RunState, keep_settings
from dragtor.training.loop import Loop, LoopConfig
from dragtor.training.lora import drawn_adapter
from dragtor.training.vision import runs
from dragtor.training.vision.chat import PictureChat
from dragtor.training.vision.examples import PictureExample, apart, read_pictures
from dragtor.training.vision.model import open_base_model, open_processor, tuned_model
from dragtor.training.vision.task import VisionTask
from dragtor.types import NEVER, SILENT, CancelToken, Reporter

if TYPE_CHECKING:
    import torch

ADAPTER_FOLDER = "adapter"  # folder, as peft writes and opens it
MERGED_FOLDER = "model"  # folder of the whole model, as transformers opens it
SCORES = "pictures.jsonl"  # what was found and what not, a line a held picture
BEFORE = "before.json"  # figures before training
ABOUT_VISION = """\
A low-rank adapter (peft) for {base}, on its {parts}: it lists the people and companies that a
picture names, as JSON. Learned from {learn} pictures; measured on {held} held out.

The prompt, in the model's own chat template:

```
{prompt}
```"""


@dataclass(frozen=True, slots=True)
class TrainVisionConfig:
    """A run. Its loop's settings apart, all that decides what comes out."""

    base: str  # a model of the public hub that transformers opens, or a folder of one
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            epochs=3, learning_rate=2e-4, accumulate=8, evaluate_every=0, patience=3
        )
    )
    prompt: str = PICTURE_ENTITIES
    parts: tuple[str, ...] = ("attention", "mlp", "projector")  # see model.PARTS
    rank: int = 16  # of the adapter's matrices
    scale: float = 2.0  # of the adapter's product
    most_side: int = MOST_SIDE  # pixels of a picture's longer side
    answer_tokens: int = 768  # written of a held picture, at most
    validation: float = (
        0.1  # share of the pictures that is held out, where no file of such is named
    )
    recompute: bool = False  # less memory, more time: what a layer made is made again
    merge: bool = False  # the whole model besides, the adapter merged into it
    threads: int = 0  # of the processor; 0: as torch finds them


@dataclass(frozen=True, slots=True)
class TrainedVision:
    """What a run made, and the rows of all runs beside it."""

    adapter: Path
    metrics: dict[str, Any]
    table: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class _Pictures:
    learn: list[PictureExample]
    held: list[PictureExample]
    names: str  # of the files


def train_vision(
    data: Sequence[Path],
    out: Path,
    config: TrainVisionConfig,
    *,
    held: Sequence[Path] = (),
    push: str = "",
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> TrainedVision:
    """Tune on JSONL files of pictures (examples.py); a run cut off in `out` is resumed.

    `out` gets the folder `adapter` (and `model`), README.md (the model card), config.json,
    metrics.json, metrics.jsonl, pictures.jsonl, plot.png and checkpoint.pt; the folder around it
    vision-runs.csv. Raises UsageError for data or a model that are none, Missing for an extra or a
    token that is absent, Cancelled with a checkpoint kept.
    """
    torch = require("torch", extra=TRAIN_EXTRA)
    if push:
        card.hub_token()
    pictures = _read(data, held, config)
    out.mkdir(parents=True, exist_ok=True)
    files = {str(path): sha256(path) for path in (*data, *held)}
    keep_settings(out, {**asdict(config), "data": files})
    if config.threads:
        torch.set_num_threads(config.threads)
    chat = PictureChat(open_processor(config.base), config.prompt, config.most_side)
    tuned, adapter = _opened(config)
    task = VisionTask(
        tuned.get_base_model(), adapter, chat, pictures.learn, pictures.held,
        answer_tokens=config.answer_tokens, seed=config.loop.seed, reporter=reporter,
    )  # fmt: skip
    before = _before(out, task, cancel, reporter)
    loop = Loop(task, _evaluated(config.loop, pictures), out, reporter, cancel)
    run = loop.run()
    with torch.no_grad():
        for name, value in adapter.items():
            value.copy_(loop.best[name])
    _write_scores(out, task, cancel)
    if push:
        tuned.peft_config["default"].base_model_name_or_path = _base_name(config)
    _write_model(out, tuned, chat, config)
    metrics = _write_report(out, config, pictures, run)
    if push:
        card.push(out, push, f"{ADAPTER_FOLDER}/*")
    table = _keep_runs(out, config, pictures, [before, *_best(run)])
    return TrainedVision(out / ADAPTER_FOLDER, metrics, table)


def _read(data: Sequence[Path], held: Sequence[Path], config: TrainVisionConfig) -> _Pictures:
    names = ", ".join(path.name for path in data)
    learn = [one for path in data for one in read_pictures(path)]
    if held:
        return _Pictures(learn, [one for path in held for one in read_pictures(path)], names)
    learn, kept = apart(learn, config.validation, config.loop.seed)
    return _Pictures(learn, kept, names)


def _opened(config: TrainVisionConfig) -> tuple[Any, dict[str, torch.Tensor]]:
    """The base as peft wraps it, and its adapter's tensors."""
    torch = require("torch", extra=TRAIN_EXTRA)
    cuda = torch.cuda.is_available()
    model = open_base_model(config.base, half=cuda).to("cuda" if cuda else "cpu")
    if config.recompute:
        model.activation_checkpointing_enable({"use_reentrant": False})
    tuned = tuned_model(model, config.parts, config.rank, config.scale)
    return tuned, drawn_adapter(tuned, config.loop.seed)


def _before(
    out: Path, task: VisionTask, cancel: CancelToken, reporter: Reporter
) -> dict[str, float]:
    """The figures of the base as it is; kept, so that a resumed run does not ask again."""
    path = out / BEFORE
    if (out / CHECKPOINT).exists() and path.exists():
        known: dict[str, float] = json.loads(path.read_text("utf-8"))
        return known
    found = {"step": 0.0, **task.evaluate(cancel)}
    path.write_text(json.dumps(found), "utf-8")
    told = " ".join(f"{name} {value:.4f}" for name, value in found.items() if name != "step")
    reporter.note(f"before: {told}")
    return found


def _evaluated(config: LoopConfig, pictures: _Pictures) -> LoopConfig:
    """With 0 steps between evaluations: one an epoch."""
    steps = -(-len(pictures.learn) // config.accumulate)
    return replace(config, evaluate_every=config.evaluate_every or max(1, steps))


def _write_scores(out: Path, task: VisionTask, cancel: CancelToken) -> None:
    """What the best adapter finds and does not, by picture."""
    with require("torch", extra=TRAIN_EXTRA).no_grad():
        task.evaluate(cancel)
    lines = (json.dumps(score.row(), ensure_ascii=False) + "\n" for score in task.scores)
    (out / SCORES).write_text("".join(lines), "utf-8")


def _write_model(out: Path, tuned: Any, chat: PictureChat, config: TrainVisionConfig) -> None:
    tuned.save_pretrained(out / ADAPTER_FOLDER)
    if config.merge:
        tuned.merge_and_unload().save_pretrained(out / MERGED_FOLDER)
        chat.save(out / MERGED_FOLDER)


def _best(run: RunState) -> list[dict[str, float]]:
    return [row for row in run.history if row["step"] == run.best_step]


def _base_name(config: TrainVisionConfig) -> str:
    """The name of the base without the folders of this machine."""
    path = Path(config.base).expanduser()
    return path.name if path.is_dir() else config.base


def _write_report(
    out: Path, config: TrainVisionConfig, pictures: _Pictures, run: RunState
) -> dict[str, Any]:
    """Write the figures, their plot and the model card; gives the figures."""
    counts = {"pictures": len(pictures.learn), "held_out": len(pictures.held)}
    metrics: dict[str, Any] = {**counts, "best_step": run.best_step, "history": run.history}
    report.write_metrics(out, metrics)
    if run.history:
        report.plot(out, run.history, "f1", "F1 of names")
    settings = {k: v for k, v in asdict(config).items() if k not in ("base", "loop", "prompt")}
    about = card.Card(
        title="People and companies of a picture, as an adapter",
        base=_base_name(config),
        tags=("lora", "peft", "image-text-to-text"),
        about=ABOUT_VISION.format(
            base=_base_name(config), parts=", ".join(config.parts), prompt=config.prompt,
            learn=len(pictures.learn), held=len(pictures.held),
        ),
        best_step=run.best_step,
        figures=next(iter(_best(run)), {}),
        settings=settings | asdict(config.loop),
    )  # fmt: skip
    card.write_card(out, about)
    return metrics


def _keep_runs(
    out: Path, config: TrainVisionConfig, pictures: _Pictures, found: list[dict[str, float]]
) -> list[dict[str, str]]:
    rows = [
        runs.run_row(
            out.name, _base_name(config), pictures.names, config.prompt, row, len(pictures.held)
        )
        for row in found
    ]
    return runs.keep_rows(out.resolve().parent / runs.RUNS_TABLE, rows)
