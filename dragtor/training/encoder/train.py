"""`dragtor train encoder`: tasks from files, one shared encoder, a graph that needs no torch.

Owns a run: its data, its folder, its report and the graph. Never imported by inference.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.encoder.align import plain_tokenizer
from dragtor.encoder.heads import GRAPH_FILE, Head, HeadSet
from dragtor.errors import UsageError
from dragtor.extras import require
from dragtor.models.disk import sha256
from dragtor.onnx import open_tokenizer
from dragtor.training import TRAIN_EXTRA
from dragtor.training.checkpoints import Checkpoint, RunState, keep_settings
from dragtor.training.encoder.batches import HeadWindow, WindowCoder
from dragtor.training.encoder.model import HeadedModel, ModelConfig, open_encoder
from dragtor.training.encoder.sets import TaskFile, TaskSets, read_sets
from dragtor.training.encoder.task import EncoderTask, MixConfig
from dragtor.training.loop import Loop, LoopConfig
from dragtor.types import NEVER, SILENT, CancelToken, Reporter

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CARD_TEXT = """Heads on one shared encoder, trained together by `dragtor train encoder`, run by
`dragtor tag --model FOLDER`. Learned from {examples} examples; measured on {held} held out."""
GRAPH_FP32 = "model.fp32.onnx"
TOKENIZER = "tokenizer.json"


@dataclass(frozen=True, slots=True)
class TrainEncoderConfig:
    """How to train; the loop's own settings are in `loop`."""

    base: str = "all-minilm-l6-v2"  # a name, as `open_base` reads it, or a folder
    max_tokens: int = 256  # of a window, special tokens included
    validation: float = 0.1  # share of a file that is held out, where no other file is named
    most_held: int = 0  # examples of a set that are measured on; 0: all
    model: ModelConfig = field(default_factory=ModelConfig)
    mix: MixConfig = field(default_factory=MixConfig)
    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(
            epochs=4, learning_rate=2e-4, evaluate_every=0, patience=3
        )
    )
    start: Path | None = None  # folder of a run to go on from; None: the base as it is
    keep_fp32: bool = False  # the float32 graph besides
    threads: int = 0  # of the processor; 0: as torch finds them


@dataclass(frozen=True, slots=True)
class TrainedEncoder:
    """What a run made: a folder for Encoder.load."""

    folder: Path
    metrics: dict[str, Any]


def train_heads(
    files: Sequence[TaskFile],
    out: Path,
    config: TrainEncoderConfig,
    *,
    models_dir: Path,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> TrainedEncoder:
    """Train on files of tasks; a run cut off in `out` is resumed.

    `out` gets model.onnx (int8), heads.json, tokenizer.json, README.md (the model card),
    config.json, metrics.json, metrics.jsonl, plot.png and checkpoint.pt. Raises UsageError for
    what the files hold, Missing for an extra or base that is absent, Cancelled with a checkpoint
    kept.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # waiting threads give their core away
    torch = require("torch", extra=TRAIN_EXTRA)
    sets = read_sets(
        files, config.validation, config.loop.seed, config.mix.answers or {}, config.most_held
    )
    _check_weights(config.mix, sets)
    folder = base_folder(config.base, models_dir)
    out.mkdir(parents=True, exist_ok=True)
    tasks = [asdict(file) | {"sha256": sha256(file.path)} for file in files]
    keep_settings(out, {**asdict(config), "tasks": tasks})
    if config.threads:
        torch.set_num_threads(config.threads)
    model = _opened(folder, sets.heads, config)
    tokenizer = open_tokenizer(_tokenizer_file(folder, config.base), f"ls {folder}")
    coder = WindowCoder(tokenizer, config.max_tokens, shapes=config.model.shapes)
    pad = int(model.encoder.config.pad_token_id or 0)
    task = EncoderTask(
        model, sets.learn, sets.held, coder, config.mix, pad=pad, seed=config.loop.seed
    )
    loop = Loop(task, _evaluated(config.loop, task), out, reporter, cancel)
    run = loop.run()
    with torch.no_grad():
        for name, value in task.state().items():
            value.copy_(loop.best[name])
    heads = calibrated_heads(task, sets, cancel)
    probes = [w for name in sets.held for w in task.probe_windows(name)]
    described = HeadSet(
        name=out.name, base=config.base, pooling=config.model.pooling,
        max_tokens=config.max_tokens, shapes=config.model.shapes, heads=heads,
    )  # fmt: skip
    write_model(out, model, described, tokenizer, probes, pad, config, cancel)
    return TrainedEncoder(out, _write_report(out, config, sets, run))


def _evaluated(config: LoopConfig, task: EncoderTask) -> LoopConfig:
    """With 0 steps between evaluations: one an epoch."""
    if config.evaluate_every:
        return config
    steps = -(-len(task.batches(0)) // config.accumulate)
    return replace(config, evaluate_every=max(1, steps))


def _opened(folder: Path | str, heads: Sequence[Head], config: TrainEncoderConfig) -> HeadedModel:
    """The model as it begins; raises UsageError where a window is longer than its base reads."""
    model = HeadedModel(open_encoder(folder), heads, config.model, config.loop.seed)
    most = model.most_tokens
    if most and config.max_tokens > most:
        told = f"this base reads {most} tokens, not {config.max_tokens}"
        raise UsageError(told, f"--max-tokens {most}")
    if config.start:
        start_from(model, config.start)
    return model


def _check_weights(mix: MixConfig, sets: TaskSets) -> None:
    heads = {head.name: head.kind for head in sets.heads}
    for name in mix.weights or ():
        if name not in heads:
            raise UsageError(f"no task is called {name}", f"tasks: {', '.join(heads)}")
    for name in mix.answers or ():
        if heads.get(name) != "span":
            raise UsageError(f"no task of answers is called {name}", "--answers TASK=HEAD")


def base_folder(base: str, models_dir: Path) -> Path | str:
    """The folder of a base: one that is named, or a model's of the catalogue (`NAME-torch`).

    Any other name is one of the public hub, as transformers opens it.
    """
    from dragtor.models import Catalogue, model_path

    if Path(base).expanduser().is_dir():
        return Path(base).expanduser()
    known = Catalogue.load().names("training")
    for name in (f"{base}-torch", base):
        if name in known:
            return model_path(name, models_dir).parent
    return base


def start_from(model: HeadedModel, folder: Path) -> None:
    """Take the best weights of another run, frozen or not; heads that it has not stay new.

    Raises UsageError where the run is of another base.
    """
    torch = require("torch", extra=TRAIN_EXTRA)
    found = Checkpoint.load(folder)
    if found is None:
        raise UsageError(f"{folder} holds no run to go on from", f"ls {folder}")
    mine = model.tensors(frozen=True)
    shared = {n: v for n, v in found.best.items() if n in mine and v.shape == mine[n].shape}
    both = [*model.tensors(), *found.best]
    if any(name not in shared for name in both if name.startswith("encoder.")):
        raise UsageError(
            f"the run in {folder} is of another base or freezes other parts",
            f"see {folder / 'config.json'}",
        )
    with torch.no_grad():
        for name, value in shared.items():
            mine[name].copy_(value)


def write_model(
    out: Path,
    model: HeadedModel,
    described: HeadSet,
    tokenizer: Tokenizer,
    probes: Sequence[HeadWindow],
    pad: int,
    config: TrainEncoderConfig,
    cancel: CancelToken,
) -> None:
    """Write the graphs, heads.json and tokenizer.json."""
    from dragtor.training.encoder import export

    model.merged()
    fp32 = out / GRAPH_FP32
    export.write_graph(model, fp32, probes, pad)
    export.write_int8_graph(fp32, out / GRAPH_FILE, cancel)
    plain_tokenizer(tokenizer).save(str(out / TOKENIZER))
    replace(described, weights=sha256(fp32)).write(out)
    if not config.keep_fp32:
        fp32.unlink()


def calibrated_heads(task: EncoderTask, sets: TaskSets, cancel: CancelToken) -> tuple[Head, ...]:
    """The heads with the temperature, and scale and shift of spans, that suit what is held out."""
    from dragtor.training.encoder.measure import best_least, best_temperature, span_calibration

    said: dict[str, list[Any]] = {}
    for name in sets.held:
        for head_name, some in task.said(name, cancel).items():
            said.setdefault(head_name, []).extend(some)
    found = []
    for head in task.model.heads:
        own = said.get(head.name, [])
        fitted = replace(head, temperature=best_temperature(own))
        if head.kind == "tokens":
            scale, shift = span_calibration(fitted, own)
            fitted = replace(fitted, span_scale=scale, span_shift=shift)
            fitted = replace(fitted, least=best_least(fitted, own))
        found.append(fitted)
    return tuple(found)


def _tokenizer_file(folder: Path | str, base: str) -> Path:
    """The tokenizer.json of a base; one on the hub is fetched by transformers."""
    if isinstance(folder, Path) and (folder / TOKENIZER).is_file():
        return folder / TOKENIZER
    transformers = require("transformers", extra=TRAIN_EXTRA)
    try:
        made = transformers.AutoTokenizer.from_pretrained(str(folder))
        place = Path(made.vocab_file).parent if getattr(made, "vocab_file", None) else Path()
    except (OSError, ValueError) as error:
        line = " ".join(str(error).split())[:200]
        raise UsageError(f"{base} has no tokenizer that transformers opens: {line}") from error
    if not (place / TOKENIZER).is_file():
        raise UsageError(f"{base} has no tokenizer.json", "save a fast tokenizer beside it")
    return place / TOKENIZER


def _write_report(
    out: Path, config: TrainEncoderConfig, sets: TaskSets, run: RunState
) -> dict[str, Any]:
    """Write the figures, their plot and the model card; gives the figures."""
    from dragtor.training import card, report

    examples = {name: sum(len(d.examples) for d in data) for name, data in sets.learn.items()}
    held = {name: len(probe.data.examples) for name, probe in sets.held.items()}
    metrics: dict[str, Any] = {"examples": examples, "held_out": held}
    metrics |= {"best_step": run.best_step, "history": run.history}
    report.write_metrics(out, metrics)
    if run.history:
        shares = [n for n in run.history[0] if n.rpartition("_")[2] in ("accuracy", "f1", "exact")]
        report.plot(out, run.history, shares[0], shares[0].replace("_", " "))
    settings = {
        k: v for k, v in asdict(config).items() if k not in ("loop", "start", "mix", "model")
    }
    about = card.Card(
        title=out.name,
        base=config.base,
        tags=("onnx", "text-classification", "token-classification"),
        about=CARD_TEXT.format(examples=examples, held=held),
        best_step=run.best_step,
        figures=next((row for row in run.history if row["step"] == run.best_step), {}),
        settings=settings | asdict(config.model) | asdict(config.mix) | asdict(config.loop),
    )
    card.write_card(out, about)
    return metrics
