"""`dragtor eval entities`: are the people and companies of pictures found? A folder or a JSONL.

A row: {id, image or text, people, companies}, each person and company its spellings: [alias, ...]
or {aliases: [...], mentions: [{text, boxes}]}; `optional_companies` are neither asked nor counted.
Rows lie in gold.jsonl or screenshots_gold.jsonl of the folder. Knows no rule and no model.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dragtor import metrics
from dragtor.config import Config
from dragtor.entities import last_said
from dragtor.entities.spelling import bare_letters, is_misread
from dragtor.errors import LoadError
from dragtor.evaluate.common import counted, rows_of, versions
from dragtor.library import Library
from dragtor.schema import evaluation_json
from dragtor.training.vision.examples import spellings_of
from dragtor.types import NEVER, SILENT, CancelToken, FoundEntity, Reporter, short_hash

GOLD_FILES = ("gold.jsonl", "screenshots_gold.jsonl")
KEYS = {"person": "people", "company": "companies"}
PACKAGES = ("faster-paddle", "rapidocr", "onnxruntime", "tokenizers", "pillow")
LAYOUT = 'a folder with gold.jsonl: {"id", "image", "people": [[alias]], "companies": [[alias]]}'
LEAST_IOU = 0.5  # that a mention's box shares with the one it is measured against
Boxes = Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True)
class GoldEntity:
    """Somebody who is to be found, under any of these spellings in plain letters."""

    name: str
    spellings: tuple[str, ...]
    mentions: tuple[tuple[str, Boxes], ...] = ()


@dataclass(slots=True)
class Tally:
    """What was found of one category, over pictures."""

    found: list[bool] = field(default_factory=list)  # each gold entity
    right: list[bool] = field(default_factory=list)  # each entity that was given
    errors: Counter[str] = field(default_factory=Counter)  # extra, invented, split, merged
    overlaps: list[bool] = field(default_factory=list)  # each box with a box to measure against

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.found + other.found,
            self.right + other.right,
            self.errors + other.errors,
            self.overlaps + other.overlaps,
        )


def evaluate(
    path: Path, config: Config, *, reporter: Reporter = SILENT, cancel: CancelToken = NEVER
) -> dict[str, Any]:
    """Find the people and companies of each row and compare_entities.

    `recall` is the share of those to be found, `precision` of those given; `extra` (in the text,
    not asked for), `invented` (nowhere in the text that was read), `split` (one twice) and `merged`
    (two as one) are counts a picture. `people` and `companies` have the same by themselves.
    """
    rows = list(gold_rows(path))
    tallies = {category: Tally() for category in KEYS}
    seconds: list[float] = []
    wrong: list[dict[str, Any]] = []
    unreadable: list[dict[str, str]] = []
    with (
        TemporaryDirectory() as nowhere,  # what a library knows of people is not asked
        Library(nowhere, config=config, cancel=cancel) as library,
    ):
        for place, row in counted(rows, "reading pictures", reporter, cancel):
            try:
                start = time.perf_counter()
                text, given = _read(library, row, place)
                seconds.append(time.perf_counter() - start)
            except LoadError as error:
                unreadable.append({"file": str(row.get("image", place)), "reason": str(error)})
                continue
            for category, tally in tallies.items():
                tallies[category] = tally + compare_entities(row, given, category, text)
            wrong.append({"id": row.get("id", place), **_wrong(row, given)})
        model = library.tagger.version
    if not seconds:
        why = f": {unreadable[0]['reason']}" if unreadable else ""
        raise LoadError(f"{path} holds no picture that can be read{why}", LAYOUT)
    measured = _metrics(tallies, len(seconds))
    return evaluation_json(
        "entities",
        path.resolve().name,
        len(seconds),
        measured | {"seconds": round(metrics.mean(seconds), 4)},
        model,
        versions(*filter(_is_here, PACKAGES)),
        unreadable=unreadable,
        wrong=[each for each in wrong if each["missed"] or each["extra"]],
    )


def _is_here(package: str) -> bool:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def gold_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, row) of each row, its image as a path; raises LoadError on what is none."""
    file = path
    if path.is_dir():
        named = [path / name for name in GOLD_FILES if (path / name).is_file()]
        if not named:
            raise LoadError(f"{path} holds none of {', '.join(GOLD_FILES)}", LAYOUT)
        file = named[0]
    for place, row in rows_of(file, "people and companies", LAYOUT):
        for key in KEYS.values():
            if not isinstance(row.get(key), list):
                raise LoadError(f"{place}: no list of {key}", LAYOUT)
            for named in row[key]:
                _check_named(named, place)
        image, text = row.get("image"), row.get("text")
        if isinstance(image, str) and image:
            row["image"] = file.parent / image
        elif not isinstance(text, str):
            raise LoadError(f"{place}: neither image nor text", LAYOUT)
        yield place, row


def _check_named(named: Any, place: str) -> None:
    try:
        if not spellings_of(named):
            raise ValueError("somebody without a name")
    except ValueError as error:
        raise LoadError(f"{place}: {error}", LAYOUT) from error


def _read(library: Library, row: Mapping[str, Any], place: str) -> tuple[str, list[FoundEntity]]:
    """The text that was read, and its entities."""
    from dragtor.loading import file_loader, read_document
    from dragtor.types import Document

    if isinstance(row.get("image"), Path):
        document = read_document(file_loader(library.config), row["image"])
    else:
        document = Document(short_hash(place), "", "file", "", row["text"])
    return document.text, last_said(library.extract_entities(document))


# Comparing


def gold_entities(row: Mapping[str, Any], category: str) -> list[GoldEntity]:
    """Those of one category in a row."""
    found = []
    for each in row[KEYS[category]]:
        aliases = spellings_of(each)
        mentions = each.get("mentions", ()) if isinstance(each, dict) else ()
        spelt = tuple((bare_letters(m["text"]), m.get("boxes", ())) for m in mentions)
        found.append(GoldEntity(aliases[0], tuple(map(bare_letters, aliases)), spelt))
    return found


def compare_entities(
    row: Mapping[str, Any], given: Sequence[FoundEntity], category: str, read: str
) -> Tally:
    """What is right of the entities of one category in one row; `read` is the text of the OCR."""
    gold = gold_entities(row, category)
    free = {bare_letters(name) for name in row.get("optional_companies", ())}
    seen, tally, found = bare_letters(read), Tally(), set[int]()
    for entity in (each for each in given if each.category == category):
        names = [bare_letters(name) for name in (entity.name, *entity.aliases)]
        meant = {n for n, each in enumerate(gold) if _meets(names, each.spellings)}
        if not meant and category == "company" and all(name in free for name in names):
            continue
        tally.right.append(bool(meant - found))
        tally.errors["invented"] += any(name not in seen for name in names)
        if not meant:
            tally.errors["extra"] += 1
        elif meant <= found:
            tally.errors["split"] += 1
        tally.errors["merged"] += len(meant) > 1
        found |= meant
        tally.overlaps += _overlaps(entity, [gold[n] for n in meant])
    tally.found = [n in found for n in range(len(gold))]
    return tally


def _meets(names: Sequence[str], spellings: Sequence[str]) -> bool:
    return any(is_misread(one, other) for one in names for other in spellings)


def _overlaps(entity: FoundEntity, gold: Sequence[GoldEntity]) -> Iterator[bool]:
    for mention in entity.mentions:
        text = bare_letters(mention.text)
        boxes = [
            b for each in gold for name, own in each.mentions if is_misread(text, name) for b in own
        ]
        if boxes and mention.box:
            yield max(box_overlap(mention.box, box) for box in boxes) >= LEAST_IOU


def box_overlap(one: Sequence[float], other: Sequence[float]) -> float:
    """Intersection over union of two boxes."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(0.0, width) * max(0.0, height)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared) if areas > shared else 0.0


def _metrics(tallies: Mapping[str, Tally], pictures: int) -> dict[str, Any]:
    total = sum(tallies.values(), Tally())
    found = _figures(total, pictures)
    if total.overlaps:
        found["iou_50"] = round(metrics.mean(total.overlaps), 4)
    return found | {KEYS[c]: _figures(tally, pictures) for c, tally in tallies.items()}


def _figures(tally: Tally, pictures: int) -> dict[str, Any]:
    recall, precision = metrics.mean(tally.found), metrics.mean(tally.right)
    both = recall + precision
    found: dict[str, Any] = {}
    for name, values in (("recall", tally.found), ("precision", tally.right)):
        found[name] = round(metrics.mean(values), 4)
        low, high = metrics.interval([float(v) for v in values]) if values else (0.0, 0.0)
        found[f"{name}_ci"] = [round(low, 4), round(high, 4)]
    found["f1"] = round(2 * recall * precision / both, 4) if both else 0.0
    for name in ("extra", "invented", "split", "merged"):
        found[name] = round(tally.errors[name] / pictures, 4)
    return found


def _wrong(row: Mapping[str, Any], given: Sequence[FoundEntity]) -> dict[str, list[str]]:
    """Who was not found in a row, and who is not asked for."""
    missed, extra = [], []
    for category in KEYS:
        own = [e for e in given if e.category == category]
        names = [[bare_letters(n) for n in (e.name, *e.aliases)] for e in own]
        gold = gold_entities(row, category)
        missed += [g.name for g in gold if not any(_meets(spelt, g.spellings) for spelt in names)]
        for entity, spelt in zip(own, names, strict=True):
            if not any(_meets(spelt, each.spellings) for each in gold):
                extra.append(entity.name)
    return {"missed": missed, "extra": extra}
