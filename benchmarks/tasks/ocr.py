"""Whether names in pictures of mails and chats can be read, and stand where their boxes say.

The pictures of ../shared/data/email_screenshots: 36 mails set in one column, whose gold is the
spellings of people and companies, and 12 rendered mails and chats, whose gold has boxes too. A
spelling is legible where the text that was read holds it, white space, case, accents and
punctuation aside. The memory is the whole process's, at its most.
"""

from __future__ import annotations

import json
import re
import resource
import statistics
import sys
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import DATA

from dragtor.config import OcrConfig
from dragtor.evaluate.entities import box_overlap
from dragtor.ocr import OcrEngine, open_ocr
from dragtor.ocr.picture import open_picture
from dragtor.ocr.text import picture_document
from dragtor.pictures import box_of
from dragtor.types import Document

FOLDER = DATA / "email_screenshots"
SETS = {"mails": FOLDER, "rendered": FOLDER / "rendered"}
ENOUGH = 0.5  # of both boxes together, shared
PLAIN = str.maketrans({"ø": "o", "ł": "l", "ß": "ss", "Ø": "O", "Ł": "L"})


def run(engine: str = "paddle", every: int = 1, show: bool = False) -> dict[str, Any]:
    """With `every`, of each set that many pictures apart; `show` prints what is not legible.

    A picture that is at half its size as it comes is not halved once more.
    """
    begun = time.perf_counter()
    reader = open_ocr(OcrConfig(engine=engine))  # type: ignore[arg-type]
    figures: dict[str, Any] = {"engine": reader.version, "first_s": 0.0}
    counts: Counter[str] = Counter()
    seconds: list[float] = []
    cpu: list[float] = []
    for name, folder in SETS.items():
        rows = [json.loads(line) for line in (folder / "gold.jsonl").open(encoding="utf-8")]
        own: Counter[str] = Counter()
        for row in rows[::every]:
            for half in (False, True)[: 1 if row.get("degraded") == "half" else 2]:
                started, used = time.perf_counter(), time.process_time()
                document = read(reader, folder / row["image"], half)
                if not half:
                    seconds.append(time.perf_counter() - started)
                    cpu.append(time.process_time() - used)
                    figures["first_s"] = figures["first_s"] or time.perf_counter() - begun
                own += judged(document, row, half, show)
        counts += own
        figures[name] = shares(own) | {"pictures": len(rows[::every])}
    figures |= shares(counts)
    figures["first_s"] = round(figures["first_s"], 2)
    figures["picture_p50_s"] = round(statistics.median(seconds), 2)
    figures["picture_max_s"] = round(max(seconds), 2)
    figures["cpu_p50_s"], figures["cpu_max_s"] = (
        round(statistics.median(cpu), 2),
        round(max(cpu), 2),
    )
    figures["memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
    return figures


def read(engine: OcrEngine, path: Path, half: bool) -> Document:
    """The document of a picture, or of it at half its size."""
    picture = open_picture(path)
    if half:
        picture = picture.resize((picture.width // 2, picture.height // 2))
    return picture_document([engine.read(picture)], f"file://{path}", path.stem, engine.version)


def judged(document: Document, row: dict[str, Any], half: bool, show: bool) -> Counter[str]:
    """How many spellings there are and are legible, and how many boxes are right."""
    own: Counter[str] = Counter()
    seen = bare(document.text)[0]
    mark = "half_" if half else ""
    for spelling in spellings(row):
        legible = bare(spelling)[0] in seen
        own.update({f"{mark}names": 1, f"{mark}legible": legible})
        if show and not legible:
            print(f"{mark}{row['id']}: {spelling}", file=sys.stderr)
    for text, box in () if half else boxes(row):
        found = [box_of(document, *place) for place in places(document.text, text)]
        if found:
            best = max(box_overlap(each, box) for each in found if each)
            own.update({"boxes": 1, "right_boxes": best >= ENOUGH})
            if show and best < ENOUGH:
                print(f"{row['id']}: {text} {box}, {found}", file=sys.stderr)
    return own


def shares(own: Counter[str]) -> dict[str, Any]:
    found = {
        "legible": own["legible"] / own["names"],
        "half_legible": own["half_legible"] / own["half_names"],
    }
    if own["boxes"]:
        found["boxes_right"] = own["right_boxes"] / own["boxes"]
    return {name: round(value, 4) for name, value in found.items()} | {"names": own["names"]}


def spellings(row: dict[str, Any]) -> Iterator[str]:
    """Of people and companies, each once a picture."""
    for entity in (*row["people"], *row["companies"]):
        aliases = entity["aliases"] if isinstance(entity, dict) else entity
        yield from dict.fromkeys(alias for alias in aliases if bare(alias)[0])


def boxes(row: dict[str, Any]) -> Iterator[tuple[str, list[float]]]:
    """Mentions in one line, and their boxes."""
    for entity in (*row["people"], *row["companies"]):
        for mention in entity["mentions"] if isinstance(entity, dict) else ():
            if len(mention["boxes"]) == 1:
                yield mention["text"], mention["boxes"][0]


def places(text: str, part: str) -> Iterator[tuple[int, int]]:
    """Where a text holds a spelling."""
    letters, at = bare(text)
    wanted = bare(part)[0]
    for match in re.finditer(f"(?={re.escape(wanted)})", letters):
        yield at[match.start()], at[match.start() + len(wanted) - 1] + 1


def bare(text: str) -> tuple[str, list[int]]:
    """What of a text is compared, and the place of each letter of that."""
    letters, places = [], []
    for place, character in enumerate(text):
        for letter in unicodedata.normalize("NFKD", character.translate(PLAIN)).casefold():
            if letter.isalnum() or letter == "@":
                letters.append(letter)
                places.append(place)
    return "".join(letters), places


if __name__ == "__main__":
    print(json.dumps(run(*sys.argv[1:2], show=True), indent=1))
