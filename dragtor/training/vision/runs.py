"""The table of runs: what was tuned on what, with which prompt, and what came of it.

A CSV file that runs beside each other share; one row before training and one of the best step of
each. Knows no model.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

RUNS_TABLE = "vision-runs.csv"
_HASH_LETTERS = 8


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run at one step, 0 before training; figures are those of the held pictures."""

    run: str  # its folder
    model: str
    data: str  # files
    prompt: str  # `prompt_hash`
    step: int
    loss: float
    recall: float
    precision: float
    f1: float
    extra: float  # names a picture
    invented: float  # names a picture
    pictures: int  # held


def prompt_hash(prompt: str) -> str:
    """Tells prompts apart in a table."""
    return hashlib.sha256(prompt.encode()).hexdigest()[:_HASH_LETTERS]


def run_row(
    run: str, model: str, data: str, prompt: str, found: Mapping[str, float], pictures: int
) -> RunRow:
    """The row of an evaluation, see VisionTask.evaluate; `prompt` is the text."""
    figures = {n: round(found[n], 4) for n in ("loss", "recall", "precision", "f1", "extra")}
    return RunRow(
        run, model, data, prompt_hash(prompt), int(found["step"]), **figures,
        invented=round(found["invented"], 4), pictures=pictures,
    )  # fmt: skip


def keep_rows(path: Path, rows: Sequence[RunRow]) -> list[dict[str, str]]:
    """Add rows to the table, in place of what it has of the same runs; gives all of it."""
    names = [field.name for field in fields(RunRow)]
    made = [dict(zip(names, map(str, astuple(row)), strict=True)) for row in rows]
    own = {row.run for row in rows}
    kept = [row for row in read_rows(path) if row.get("run") not in own]
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows([*kept, *made])
    unfinished = path.with_suffix(".part")
    unfinished.write_text(text.getvalue(), "utf-8")
    unfinished.replace(path)
    return [*kept, *made]


def read_rows(path: Path) -> list[dict[str, str]]:
    """All rows of a table; none where there is no file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
