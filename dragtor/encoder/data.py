"""Task files -> examples that a head learns from or is measured on.

Owns what an example of each kind is, and the split into training and held-out ones; how files are
written is in rows.py and bio.py. Whatever is wrong is one UsageError that names file and line.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from dragtor.encoder.bio import looks_tagged, mapped_tags
from dragtor.encoder.examples import (
    BY_CERTAINTY,
    LAYOUTS,
    TaskExample,
    example_of,
    kinds_of,
    word_examples,
)
from dragtor.encoder.heads import HEAD_KINDS, NO_SPAN, HeadKind, token_labels
from dragtor.encoder.rows import file_text, json_rows, looks_json, table_rows
from dragtor.errors import UsageError
from dragtor.types import utf8

__all__ = [
    "TaskData",
    "TaskExample",
    "coarse_names",
    "parse_mapping",
    "read_task",
    "span_names",
    "split_task",
]


@dataclass(frozen=True, slots=True)
class TaskData:
    """The examples of one file. `labels` are as a head has them (Head.labels)."""

    name: str
    kind: HeadKind
    labels: tuple[str, ...]
    examples: tuple[TaskExample, ...]
    path: Path
    skipped: int = 0  # rows without a text, and rows whose class is mapped to nothing


def read_task(
    path: Path,
    kind: HeadKind | Literal[""] = "",
    name: str = "",
    mapping: Mapping[str, str] = {},
    *,
    alone: bool = True,
) -> TaskData:
    """Read a task file: CSV, TSV, JSON, JSONL, CoNLL with BIO labels; .xz and .gz too.

    The kind is found from the content unless it is given; the name is the file's up to its first
    dot. `mapping` has coarse labels by fine ones in any case (names of spans, or B-/I- before
    them); what is mapped to "" or "O" is no span, and a row of such a class is skipped. A file that
    is not `alone` may have one class only: others teach or measure the rest.
    """
    if kind and kind not in HEAD_KINDS:
        raise UsageError(f"unknown kind of task: {kind!r}", f"one of {', '.join(HEAD_KINDS)}")
    text = file_text(path)
    if looks_tagged(text) or (kind == "tokens" and not looks_json(text, path)):
        found: HeadKind = "tokens"
        _check_kind(path, kind, {"tokens"})
        examples: list[TaskExample | None] = [*word_examples(text, path)]
    else:
        rows = [*json_rows(text, path)] if looks_json(text, path) else table_rows(text, path)
        if not rows:
            raise UsageError(f"{path} holds no example", LAYOUTS[kind or "sentence"])
        kinds = kinds_of(rows[0])
        _check_kind(path, kind, kinds)
        found = next(each for each in BY_CERTAINTY if each in kinds and kind in ("", each))
        examples = [example_of(found, row) for row in rows]
    full = _mapped([e for e in examples if e], coarse_names(mapping))
    if not full:
        raise UsageError(f"{path}: every text is empty or left out", LAYOUTS[found])
    labels = _labels(found, full, path, alone)
    skipped = len(examples) - len(full)
    return TaskData(name or path.name.split(".")[0], found, labels, tuple(full), path, skipped)


def split_task(data: TaskData, share: float, seed: int = 0) -> tuple[TaskData, TaskData]:
    """(training, held-out) examples; about `share` (0 to 1) of them are held out.

    The order comes from a hash of the text, so that the same texts stay together wherever they
    stand; the last text of a class stays in training.
    """
    groups: dict[str, list[TaskExample]] = {}
    for example in data.examples:
        groups.setdefault(example.text, []).append(example)
    left = Counter(label for example in data.examples for label in _classes(example))
    held: set[str] = set()
    out = 0
    for text in sorted(groups, key=lambda each: _hash(each, seed)):
        own = Counter(label for example in groups[text] for label in _classes(example))
        if out + len(groups[text]) / 2 > share * len(data.examples):
            break
        if len(held) + 1 < len(groups) and all(left[label] > n for label, n in own.items()):
            held.add(text)
            out += len(groups[text])
            left -= own
    parts: tuple[list[TaskExample], list[TaskExample]] = [], []
    for example in data.examples:
        parts[example.text in held].append(example)
    return replace(data, examples=tuple(parts[0])), replace(data, examples=tuple(parts[1]))


def span_names(tags: Iterable[str]) -> list[str]:
    """The names in BIO labels, sorted."""
    return sorted({tag[2:] for tag in tags if tag != NO_SPAN})


def parse_mapping(text: str) -> dict[str, str]:
    """`FINE=COARSE,FINE=COARSE` as read_task wants it; raises UsageError."""
    found: dict[str, str] = {}
    for part in filter(str.strip, text.split(",")):
        fine, equals, coarse = (each.strip() for each in part.partition("="))
        if not equals or not fine or fine in found:
            told = "named twice" if fine in found else "no FINE=COARSE"
            raise UsageError(f"--map {part.strip()!r} is {told}", "PER=person,MISC=O")
        found[fine] = coarse
    return found


def coarse_names(mapping: Mapping[str, str]) -> dict[str, str]:
    """A mapping by names in lower case and without B- and I-; what is no span is ""."""
    found = {}
    for fine, coarse in mapping.items():
        old, new = (each.strip() for each in (fine, coarse))
        old, new = (each[2:] if each[:2] in ("B-", "I-") else each for each in (old, new))
        found[old.lower()] = "" if new == NO_SPAN else new
    return found


def _hash(text: str, seed: int) -> bytes:
    return hashlib.blake2b(f"{seed} {utf8(text)}".encode(), digest_size=8).digest()


def _classes(example: TaskExample) -> set[str]:
    """What a head must see an example of."""
    if example.tags:
        return set(span_names(example.tags))
    return {example.label or ("answered" if example.answers else "impossible")}


def _mapped(examples: Sequence[TaskExample], mapping: Mapping[str, str]) -> list[TaskExample]:
    if not mapping:
        return [*examples]
    found = []
    for example in examples:
        label = mapping.get(example.label.lower(), example.label) if example.label else ""
        if label or not example.label:
            tags = tuple(mapped_tags(example.tags, mapping))
            found.append(replace(example, label=label, tags=tags))
    return found


def _labels(
    kind: HeadKind, examples: Sequence[TaskExample], path: Path, alone: bool
) -> tuple[str, ...]:
    """Those of a head; raises UsageError where there is nothing to tell apart."""
    if kind == "tokens":
        names = span_names(tag for example in examples for tag in example.tags)
        if not names:
            raise UsageError(f"{path}: every word is labelled O", LAYOUTS[kind])
        return token_labels(names)
    classes = sorted({label for example in examples for label in _classes(example)})
    if kind == "span":
        if alone and classes == ["impossible"]:
            raise UsageError(f"{path}: no question has an answer", LAYOUTS[kind])
        return ()
    if alone and len(classes) < 2:
        raise UsageError(f"{path}: one class only: {classes[0][:40]!r}", "two classes or more")
    return tuple(classes)


def _check_kind(path: Path, wanted: str, found: Set[HeadKind]) -> None:
    if wanted and wanted not in found:
        known = next(kind for kind in BY_CERTAINTY if kind in found)
        raise UsageError(
            f"{path} is a task of kind {known}, not {wanted}",
            f"{wanted}: {LAYOUTS[wanted]}",  # type: ignore[index]
        )
