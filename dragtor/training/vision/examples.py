"""Pictures with the people and companies that they name: files of gold -> checked examples.

Owns the layouts that are read and what is held out. Knows no model and opens no picture.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragtor.errors import UsageError
from dragtor.llm.vision import entities_answer

PICTURE_ROW = '{"image": "one.png", "people": [["Yves Gravelle", "Yves"]], "companies": [["Acme"]]}'
Names = tuple[str, ...]  # the spellings of one person or company


@dataclass(frozen=True, slots=True)
class PictureExample:
    """A picture and whom it names. `text` is what stands there, empty where nobody says."""

    id: str
    picture: Path
    people: tuple[Names, ...]
    companies: tuple[Names, ...]
    text: str = ""
    optional: Names = ()  # companies that are neither asked for nor wrong

    @property
    def answer(self) -> str:
        """What a model should write: the fullest spelling of each."""
        people = [main_spelling(names) for names in self.people]
        companies = [main_spelling(names) for names in self.companies]
        return entities_answer(people, companies)


def main_spelling(names: Sequence[str]) -> str:
    """The longest spelling that is no address, else the address."""
    return max((name for name in names if "@" not in name), key=len, default=names[0])


def read_pictures(path: Path) -> list[PictureExample]:
    """The rows of a JSONL file; pictures are named from its folder.

    A person or company is a list of spellings, or `{"aliases": [...]}`. Raises UsageError where a
    row is none, or its picture is not there.
    """
    found = [_example(row, path, number) for number, row in _rows(path)]
    if not found:
        raise UsageError(f"{path} holds no picture", f"a line each: {PICTURE_ROW}")
    return found


def apart(
    examples: Sequence[PictureExample], share: float, seed: int
) -> tuple[list[PictureExample], list[PictureExample]]:
    """What is learned and what is held out: a drawn share, and one at least."""
    if len(examples) < 2:
        raise UsageError("one picture is too few to hold any out", "--held FILE")
    count = min(len(examples) - 1, max(1, round(share * len(examples))))
    held = {*random.Random(seed).sample(range(len(examples)), count)}
    learn = [one for i, one in enumerate(examples) if i not in held]
    return learn, [examples[i] for i in sorted(held)]


def _rows(path: Path) -> Iterator[tuple[int, Any]]:
    try:
        lines = path.read_text("utf-8-sig").split("\n")  # JSON may hold other ends of lines
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read {path}: {error}") from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except ValueError as error:
                raise _wrong(path, number, "no JSON") from error


def _example(row: Any, path: Path, number: int) -> PictureExample:
    if not isinstance(row, Mapping) or not isinstance(row.get("image"), str):
        raise _wrong(path, number, "no `image`")
    picture = path.parent / row["image"]
    if not picture.is_file():
        raise _wrong(path, number, f"no picture at {picture}")
    people, companies = (_named(row.get(key, []), path, number) for key in ("people", "companies"))
    try:
        text = row.get("text") or "\n".join(line["text"] for line in row.get("lines") or ())
        optional = spellings_of(row.get("optional_companies") or [])
    except (TypeError, KeyError, ValueError) as error:
        told = "`text` is a text, `lines` hold one each, `optional_companies` are a list of names"
        raise _wrong(path, number, told) from error
    name = str(row.get("id") or picture.stem)
    return PictureExample(name, picture, people, companies, str(text), optional)


def spellings_of(named: Any) -> Names:
    """The spellings of one person or company of a row; raises ValueError where it is neither."""
    names = named.get("aliases") if isinstance(named, Mapping) else named
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(n, str) and n.strip() for n in names):
        raise ValueError("people and companies are lists of spellings")
    return tuple(names)


def _named(value: Any, path: Path, number: int) -> tuple[Names, ...]:
    try:
        made = [spellings_of(each) for each in (value if isinstance(value, list) else [None])]
    except ValueError as error:
        raise _wrong(path, number, str(error)) from error
    return tuple(names for names in made if names)


def _wrong(path: Path, number: int, what: str) -> UsageError:
    return UsageError(f"{path}, line {number}: {what}", f"a line each: {PICTURE_ROW}")
