"""Task files -> what each head learns from and is measured on.

Owns which files belong together and what of them is refused; knows no model.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dragtor.encoder.data import TaskData, read_task, split_task
from dragtor.encoder.heads import STATES, Head, HeadKind, token_labels
from dragtor.errors import UsageError
from dragtor.training.encoder.batches import ANSWER_LABELS
from dragtor.training.encoder.task import Probe

INPUTS = ("input_ids", "attention_mask", "token_type_ids", "shape_ids")


@dataclass(frozen=True, slots=True)
class TaskFile:
    """A file to learn from. Files of the same head are learned together."""

    path: Path
    head: str = ""  # its name; empty: the file's
    kind: HeadKind | None = None  # None: what the file looks like
    held: Path | None = None  # what is held out; None: a share of the file, unless `also` has some
    mapping: Mapping[str, str] = field(default_factory=dict)  # of labels
    also: tuple[Path, ...] = ()  # more that is held out, measured apart under its own name


@dataclass(frozen=True, slots=True)
class TaskSets:
    """By head what is learned from, by name what is measured on."""

    learn: dict[str, list[TaskData]]
    held: dict[str, Probe]
    answers: Mapping[str, str] = field(default_factory=dict)  # as MixConfig has them

    @property
    def heads(self) -> list[Head]:
        """The heads that the files ask for, with all labels that they hold."""
        asked = {name: _head(name, files) for name, files in self.learn.items()}
        also = {name: Head(name, "pair", ANSWER_LABELS) for name in self.answers.values()}
        return [*(asked | also).values()]


def read_sets(
    files: Sequence[TaskFile],
    share: float,
    seed: int,
    answers: Mapping[str, str] = {},
    most_held: int = 0,
) -> TaskSets:
    """Read every file; raises UsageError where two of one head are of different kinds.

    `share`, `answers` and `most_held` are those of the settings.
    """
    if not files:
        raise UsageError("no task to learn", "dragtor train encoder --task sst2.csv")
    learn: dict[str, list[TaskData]] = {}
    held: dict[str, Probe] = {}
    for file in files:
        data = read_task(file.path, file.kind or "", file.head, file.mapping, alone=False)
        _check_name(data.name)
        data, apart = _apart(file, data, share, seed)
        before = learn.setdefault(data.name, [])
        _check_kinds(before, data)
        before.append(data)
        for probe in apart:
            name = probe.name if probe.name not in held else f"{probe.name}_{len(before)}"
            held[name] = Probe(data.name, _some(probe, most_held, seed))
    sets = TaskSets(learn, held, answers)
    for head in sets.heads:
        _check_classes(head, sets)
    for each in held.values():
        _check_held(each, next(head for head in sets.heads if head.name == each.head))
    return sets


def _apart(
    file: TaskFile, data: TaskData, share: float, seed: int
) -> tuple[TaskData, list[TaskData]]:
    """What a file teaches, and what is held out of its task."""
    found = []
    if not file.held and not file.also:
        data, probe = split_task(data, share, seed)
        found = [probe]
    for path in (file.held, *file.also):
        if path:
            name = data.name if path == file.held else path.name.split(".")[0]
            found.append(read_task(path, data.kind, name, file.mapping, alone=False))
    return data, found


def _some(data: TaskData, most: int, seed: int) -> TaskData:
    """At most that many of the examples, drawn, in their order; 0: all."""
    if not most or len(data.examples) <= most:
        return data
    places = sorted(random.Random(seed).sample(range(len(data.examples)), most))
    return replace(data, examples=tuple(data.examples[i] for i in places))


def _check_kinds(before: Sequence[TaskData], data: TaskData) -> None:
    """Raise UsageError where a file is of another kind than its head's others."""
    if before and before[0].kind != data.kind:
        told = f"{data.path} is a task of kind {data.kind}, {before[0].path} of {before[0].kind}"
        raise UsageError(told, "give each a name of its own: --task NAME=FILE")


def _check_classes(head: Head, sets: TaskSets) -> None:
    """Raise UsageError where a head has nothing to tell apart, or learns answers and cannot."""
    files = sets.learn.get(head.name, [])
    path = files[0].path if files else None
    labels = {label for data in files for label in data.labels}
    if head.name in sets.answers.values():
        if files and (files[0].kind != "pair" or not labels <= {*ANSWER_LABELS}):
            told = f"{path} cannot share a head with answers: {', '.join(sorted(labels)[:4])}"
            raise UsageError(told, f"columns a,b,label with {' and '.join(ANSWER_LABELS)}")
    elif head.kind in ("sentence", "pair") and len(labels) < 2:
        told = f"{path}: one class only: {''.join(labels)[:40]!r}"
        raise UsageError(told, "two classes or more")
    elif head.kind == "span" and not any(e.answers for data in files for e in data.examples):
        raise UsageError(f"{path}: no question has an answer", "question, context, answers")


def _check_name(name: str) -> None:
    """A head's name is one of the graph's outputs, and may be none of its own."""
    if not re.fullmatch(r"[\w-]+", name) or name in (STATES, *INPUTS):
        raise UsageError(f"a head cannot be called {name!r}", "--task NAME=FILE")


def _check_held(probe: Probe, head: Head) -> None:
    """Raise UsageError where there is nothing to measure on, or what cannot be learned."""
    path = probe.data.path
    if not probe.data.examples:
        raise UsageError(f"{path} is too small to hold any out", f"--held {head.name}=FILE")
    if unknown := sorted({*probe.data.labels} - {*head.labels}):
        told = f"{path} has labels that nothing teaches: {', '.join(unknown)}"
        raise UsageError(told, "--map LABEL=OTHER, or leave them out")


def _head(name: str, files: Sequence[TaskData]) -> Head:
    kind = files[0].kind
    if kind == "tokens":
        names = sorted({label[2:] for data in files for label in data.labels if label[1:2] == "-"})
        return Head(name, kind, token_labels(names))
    return Head(name, kind, tuple(sorted({label for data in files for label in data.labels})))
