"""The entity filter against people marked by hand in 43 transcripts: who is found, who is not.

A row of person_gold.jsonl is a person in a file, with every place that means him or her. A
passage that holds such a place should pass Filters(entity=the name as a user types it). A passing
passage of the file without one is wrong, unless it holds an unsure place or the name as the label
of who speaks. `read` are files that the rules were tuned on, `unread` the others.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from common import Shown

if TYPE_CHECKING:
    from dragtor import Library

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
GOLD = ROOT / "benchmarks" / "data" / "person_gold.jsonl"
ROUNDS = 1000  # of the bootstrap, over rows
CONTEXTS = (40, 20, 8)  # letters around a place by which it is found in the document


@dataclass(frozen=True)
class Counted:
    """One row: passages that should pass and do, that should, and that pass wrongly."""

    person: str
    file: str
    introduced: str
    found: int = 0
    wanted: int = 0
    single_found: int = 0  # of passages that name the person by one word only
    single_wanted: int = 0
    wrong: int = 0
    unplaced: int = 0
    missed: tuple[str, ...] = ()
    wrongly: tuple[str, ...] = ()


def letters(text: str) -> tuple[str, list[int]]:
    """Only the letters and digits of a text, and where each stands."""
    places = [at for at, c in enumerate(text) if c.isalnum()]
    return "".join(text[at] for at in places), places


class Placed:
    """A file's characters as a document's, whose markup is gone."""

    def __init__(self, raw: str, text: str) -> None:
        self.raw, self.raw_places = letters(raw)
        self.flat, self.places = letters(text)

    def span(self, start: int, name: str) -> tuple[int, int] | None:
        """Where the name that begins at `start` of the file stands in the document."""
        size = len(letters(name)[0])
        at = next(n for n, place in enumerate(self.raw_places) if place >= start)
        for around in CONTEXTS:
            before = min(around, at)
            piece = self.raw[at - before : at + size + around]
            found = [m.start() + before for m in re.finditer(re.escape(piece), self.flat)]
            if found:
                aim = at * len(self.flat) / len(self.raw)
                best = min(found, key=lambda n: abs(n - aim))
                return self.places[best], self.places[best + size - 1] + 1
        return None


def counted(library: Library, row: Mapping[str, Any], document_id: str) -> Counted:
    """How the filter does on one row."""
    from dragtor.store import Filters

    store = library.store()
    document = store.document(document_id)
    assert document is not None
    placed = Placed((SHARED / row["file"]).read_text("utf-8"), document.text)
    mentions = [(m["name"], placed.span(m["start"], m["name"])) for m in row["mentions"]]
    unsure = [placed.span(m["start"], m["name"]) for m in row.get("unsure", ())]
    passing = {p.id for p in store.passages_passing(document_id, Filters(entity=row["person"]))}
    label = re.compile(rf"(?m)^(?:{'|'.join(map(re.escape, row['person'].split()))})\b[^\n:]*:|"
                       rf"^[^\n:]*\b{re.escape(row['person'].split()[-1])}:")  # fmt: skip
    tally: dict[str, int] = defaultdict(int)
    missed, wrongly = [], []
    for passage in store.passages_of(document_id):
        inside = [n for n, s in mentions if s and passage.start <= s[0] and s[1] <= passage.end]
        passes = passage.id in passing
        if inside:
            alone = "single_" if all(" " not in name for name in inside) else ""
            tally["wanted"] += 1
            tally["found"] += passes
            if alone:
                tally["single_wanted"] += 1
                tally["single_found"] += passes
            if not passes:
                missed.append(" / ".join(inside))
        elif passes and not label.search(passage.text):
            touched = [s for s in (*unsure, *(s for _, s in mentions)) if s]
            if not any(a < passage.end and b > passage.start for a, b in touched):
                tally["wrong"] += 1
                wrongly.append(passage.text)
    return Counted(
        row["person"], row["file"], row.get("introduced", "absent"), **tally,
        unplaced=sum(s is None for _, s in mentions), missed=tuple(missed), wrongly=tuple(wrongly),
    )  # fmt: skip


def figures(rows: Sequence[Counted]) -> dict[str, Any]:
    """Shares over rows, with intervals by drawing rows."""
    draw = random.Random(0)
    drawn = [draw.choices(rows, k=len(rows)) for _ in range(ROUNDS)] if rows else []

    def told(top: str, bottom: Iterable[str]) -> dict[str, Any]:
        def share(some: Sequence[Counted]) -> float:
            under = sum(getattr(row, name) for row in some for name in bottom)
            return sum(getattr(row, top) for row in some) / max(1, under)

        values = sorted(map(share, drawn)) or [0.0]
        return {
            "share": round(share(rows), 3),
            "n": sum(getattr(row, name) for row in rows for name in bottom),
            "ci": [round(values[int(q * (len(values) - 1))], 3) for q in (0.025, 0.975)],
        }

    return {
        "rows": len(rows),
        "recall": told("found", ("wanted",)),
        "recall_of_one_word": told("single_found", ("single_wanted",)),
        "wrong": told("wrong", ("found", "wrong")),
    }


def merged_wrongly(library: Library, people: Iterable[str]) -> list[tuple[str, str]]:
    """Pairs of different people of the gold set who are one entity."""
    from dragtor.transcript import fold

    entities = library.tags("person")
    mine = {
        person: {e.id for e in entities if fold(person) in map(fold, (e.name, *e.aliases))}
        for person in sorted(set(people))
    }
    return [(a, b) for a, b in combinations(mine, 2) if mine[a] & mine[b]]


def is_read(file: str) -> bool:
    """Whether the rules may be tuned on a file."""
    return hashlib.sha256(Path(file).name.encode()).digest()[0] % 2 == 0


def measured(library: Library, rows: Sequence[Mapping[str, Any]]) -> list[Counted]:
    """Every row."""
    of_file = {d["uri"].rpartition("/")[2]: d["id"] for d in library.documents()}
    return [counted(library, row, of_file[Path(row["file"]).name]) for row in rows]


def run(model: str = "", library_at: str = "") -> dict[str, Any]:
    """Index the files, and look; `model` is a folder with heads, else what is configured."""
    from dragtor import Library, load_config

    rows = [json.loads(line) for line in GOLD.read_text("utf-8").splitlines()]
    config = load_config(overrides={"tags": {"model": model}} if model else None)
    work = Path(library_at or tempfile.mkdtemp(prefix="dragtor-people-"))
    with Library(work, config=config, reporter=Shown(8)) as library:
        if not library.exists():
            library.add(*sorted({SHARED / row["file"] for row in rows}))
        library.index(tags=True)
        every = measured(library, rows)
        wrong = merged_wrongly(library, (row["person"] for row in rows))
    if not library_at:
        shutil.rmtree(work)
    told = [row for row in every if row.introduced in ("text", "label")]
    people = len({row["person"] for row in rows})
    return {
        "all": figures(told),
        "read": figures([row for row in told if is_read(row.file)]),
        "unread": figures([row for row in told if not is_read(row.file)]),
        **{kind: figures([r for r in every if r.introduced == kind])
           for kind in ("text", "label", "no", "absent")},
        "unplaced": sum(row.unplaced for row in every),
        "wrong_merges": round(len(wrong) / people, 4),
        "merged": [" + ".join(pair) for pair in wrong],
    }  # fmt: skip
