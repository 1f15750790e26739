"""What a graph with heads is: its base, how it reads, and the labels of each head (heads.json).

Knows no graph and no text. The file lies beside the graph; training writes it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from dragtor.errors import CorruptModel, UsageError
from dragtor.models.catalogue import HEADS_FILE as HEADS_FILE
from dragtor.types import short_hash

HeadKind = Literal["sentence", "tokens", "pair", "span"]
Pooling = Literal["mean", "max", "cls"]
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
HEAD_KINDS: tuple[HeadKind, ...] = get_args(HeadKind)
GRAPH_FILE = "model.onnx"
STATES = "states"  # the output that every graph has: (batch, tokens, hidden)
NO_SPAN = "O"


@dataclass(frozen=True, slots=True)
class Head:
    """One head. `labels` in the order of its logits: classes, or for `tokens` O, B-X, I-X, ….

    A `span` head has none: its logits (batch, tokens, 2) are of the start and the end, the first
    token standing for "no answer". Logits are divided by `temperature` (Guo et al. 2017); log odds
    of a whole span are multiplied by `span_scale`, then `span_shift` is added (Platt 1999), and a
    span that is less likely than `least` is not said.
    """

    name: str
    kind: HeadKind
    labels: tuple[str, ...] = ()
    temperature: float = 1.0
    span_scale: float = 1.0
    span_shift: float = 0.0
    least: float = 0.0


@dataclass(frozen=True, slots=True)
class HeadSet:
    """A graph's heads, and how a text is given to it."""

    name: str
    base: str  # the encoder that was trained on
    pooling: Pooling
    max_tokens: int  # of one window, special tokens included
    shapes: bool  # whether the graph is given the shapes of words, see shapes.py
    heads: tuple[Head, ...]
    weights: str = ""  # SHA-256 of what was trained, for `version`

    @property
    def version(self) -> str:
        """16 hex digits that change when a text might get other labels."""
        return short_hash(json.dumps(asdict(self)))

    def head(self, name: str = "", kind: HeadKind | None = None) -> Head:
        """The head of that name, or the only one of that kind; raises UsageError."""
        found = [h for h in self.heads if name in ("", h.name) and kind in (None, h.kind)]
        if len(found) != 1:
            known = ", ".join(f"{h.name} ({h.kind})" for h in self.heads)
            wanted = f"one head {name or kind or ''}".rstrip()
            raise UsageError(f"{self.name} has not {wanted}", f"its heads: {known or 'none'}")
        return found[0]

    def write(self, folder: Path) -> None:
        """Write heads.json."""
        (folder / HEADS_FILE).write_text(json.dumps(asdict(self), indent=1), "utf-8")

    @classmethod
    def read(cls, path: Path, mend: str) -> HeadSet:
        """Read a heads.json; raises CorruptModel with the command that mends it."""
        try:
            told: dict[str, Any] = json.loads(path.read_bytes())
            heads = tuple(_head(each) for each in told.pop("heads"))
            return cls(**told, heads=heads)
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CorruptModel(f"{path} is not readable: {error}", mend) from error


def _head(told: dict[str, Any]) -> Head:
    head = Head(**told | {"labels": tuple(told["labels"])})
    if head.kind not in HEAD_KINDS:
        raise ValueError(f"unknown kind of head: {head.kind!r}")
    return head


def token_labels(names: Sequence[str]) -> tuple[str, ...]:
    """O, and B- and I- of each name (Ramshaw and Marcus 1995)."""
    return (NO_SPAN, *(f"{part}-{name}" for name in names for part in "BI"))
