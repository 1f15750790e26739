"""What a command line says of a run, as the run takes it: files by head, labels, settings.

Knows no terminal; what cannot be read is a UsageError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dragtor.encoder.data import parse_mapping
from dragtor.encoder.heads import POOLINGS
from dragtor.errors import UsageError
from dragtor.training.encoder.model import ModelConfig
from dragtor.training.encoder.sets import TaskFile
from dragtor.training.encoder.task import MixConfig
from dragtor.training.encoder.train import TrainEncoderConfig
from dragtor.training.loop import LoopConfig


def task_files(tasks: Sequence[str], held: Sequence[str], mapping: Sequence[str]) -> list[TaskFile]:
    """`[NAME=]FILE` each; of `held` the NAME is that of a task."""
    labels = parse_mapping(",".join(mapping))
    named = [_named_file(each) for each in tasks]
    apart: dict[str, list[Path]] = {}
    for each in held:
        name, path = _named_file(each)
        if name not in {known for known, _ in named}:
            raise UsageError(f"--held {each}: there is no task {name}", "--held NAME=FILE")
        apart.setdefault(name, []).append(path)
    files = []
    for name, path in named:
        others = apart.get(name, [])
        files.append(TaskFile(path, name, None, others.pop(0) if others else None, labels))
    if spare := [name for name, left in apart.items() if left]:
        raise UsageError(f"--held {spare[0]}=: more files than tasks of that name")
    return files


def _named_file(text: str) -> tuple[str, Path]:
    name, equals, place = text.partition("=")
    if equals and not Path(text).exists():
        path = Path(place).expanduser()
    else:
        path, name = Path(text).expanduser(), ""
    if not path.is_file():
        raise UsageError(f"there is no file {path}", "--task FILE or --task NAME=FILE")
    return name or path.name.split(".")[0], path


def named_numbers(texts: Sequence[str]) -> dict[str, float] | None:
    """`NAME=NUMBER` each; None of none."""
    found = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            found[name] = float(number)
        except ValueError as error:
            raise UsageError(f"{text!r} is no NAME=NUMBER", "--weight sentiment=0.5") from error
    return found or None


def named_heads(texts: Sequence[str]) -> dict[str, str] | None:
    """`TASK=HEAD` each; None of none."""
    found = {}
    for text in texts:
        task, _, head = text.partition("=")
        if not task or not head:
            raise UsageError(f"{text!r} is no TASK=HEAD", "--answers qa=answerable")
        found[task] = head
    return found or None


_OF_MODEL = ("pooling", "shapes", "dropout", "freeze", "rank")
_OF_MIX = ("power", "uncertainty", "batch")
_OF_LOOP = ("epochs", "learning_rate", "warmup", "seed", "evaluate_every", "patience")
_OF_RUN = ("base", "max_tokens", "validation", "start", "threads")
_LISTS = ("freeze", "weight", "answers", "mapping")


def settings_of(given: Mapping[str, Any]) -> TrainEncoderConfig:
    """The settings of a run out of some that are named as the command's options.

    Raises UsageError for a name that is none, and for a value of another type.
    """
    plain = TrainEncoderConfig()
    known = {name: getattr(plain.model, name) for name in _OF_MODEL}
    known |= {name: getattr(plain.mix, name) for name in _OF_MIX}
    known |= {name: getattr(plain.loop, name) for name in _OF_LOOP}
    known |= {name: getattr(plain, name) for name in _OF_RUN} | dict.fromkeys(_LISTS, ())
    for name, value in given.items():
        if name not in known:
            raise UsageError(f"there is no option {name!r}", f"options: {', '.join(known)}")
        if value != known[name] and not _is_like(value, known[name]):
            raise UsageError(f"{name!r} cannot be {value!r}", "dragtor train encoder --help")
    chosen = {**known, **given}

    def some(names: Sequence[str]) -> dict[str, Any]:
        return {name: chosen[name] for name in names}

    mix = {"weights": named_numbers(chosen["weight"]), "answers": named_heads(chosen["answers"])}
    model = some(_OF_MODEL) | {"freeze": tuple(chosen["freeze"])}
    return train_config(model=model, mix=some(_OF_MIX) | mix, loop=some(_OF_LOOP), **some(_OF_RUN))


def _is_like(value: Any, default: Any) -> bool:
    """Whether a value is of the type of a default; a number of another kind passes as one."""
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    if isinstance(default, tuple):
        return isinstance(value, list) and all(isinstance(each, str) for each in value)
    if isinstance(default, int):
        return isinstance(value, int) and value >= 0
    if isinstance(default, float):
        return isinstance(value, int | float) and value >= 0
    return isinstance(value, Path if default is None else str)


def train_config(
    *, model: Mapping[str, Any], mix: Mapping[str, Any], loop: Mapping[str, Any], **run: Any
) -> TrainEncoderConfig:
    """The settings of a run out of plain values; bfloat16 where the processor has it."""
    if model["pooling"] not in POOLINGS:
        raise UsageError(f"unknown pooling {model['pooling']!r}", f"one of {', '.join(POOLINGS)}")
    return TrainEncoderConfig(
        model=ModelConfig(**model), mix=MixConfig(**mix, half=has_bfloat16()),
        loop=LoopConfig(**loop), **run,
    )  # fmt: skip


def has_bfloat16() -> bool:
    """Whether products of bfloat16 are quicker here: the processor has instructions for them."""
    try:
        words = Path("/proc/cpuinfo").read_text("utf-8", "replace").split()
    except OSError:
        return False
    return bool({"avx512_bf16", "amx_bf16", "bf16"} & set(words))
