"""Questions in everyday words over medical texts, written by readers of the texts, as items.

Owns benchmarks/data/lay_train.jsonl: {"doc", "question", "answerable", "gold", "kind"}; `doc` is a
row of MedQuAD (its number) or of PubMedQA (its id). Every tenth text is held out.
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from reader_sets import Item
from reader_text import stems

ROWS = Path(__file__).resolve().parents[1] / "benchmarks" / "data" / "lay_train.jsonl"
HELD_SHARE = 10  # one text of so many
LOOKS = 2  # windows of each answerable question
OTHER_TEXTS = 4  # of which one, that shares most words with the question, is a near miss


def lay_items(shared: Path, rows: Path = ROWS) -> Iterator[tuple[bool, Item]]:
    """Each question over its text, and whether it is held out; answerable ones over others too."""
    texts = documents(shared)
    for line in rows.read_text("utf-8").splitlines():
        row = json.loads(line)
        title, text = texts[row["doc"]]
        answers = _places(text, row["gold"]) if row["answerable"] else ()
        if row["answerable"] and not answers:
            continue
        maker = "real" if row["answerable"] else f"lay_{row['kind']}"
        held = is_held(row["doc"])
        item = Item("lay", row["doc"], title, text, row["question"], answers, maker)
        yield from [(held, item)] * (1 if held or not answers else LOOKS)


def is_held(document: str) -> bool:
    """Whether a text is kept out of training."""
    return zlib.crc32(document.encode()) % HELD_SHARE == 0


def lay_misses(items: Sequence[Item], draw: random.Random) -> Iterator[Item]:
    """Each answerable question over a text of another subject that shares many of its words."""
    texts = [*{item.group: item for item in items}.values()]
    known = {item.group: stems(f"{item.title} {item.context}") for item in texts}
    for item in items:
        if not item.answers:
            continue
        asked = stems(item.question)
        others = [o for o in texts if o.title.casefold() != item.title.casefold()]
        others.sort(key=lambda o: -len(asked & known[o.group]))
        other = draw.choice(others[:OTHER_TEXTS])
        if not any(gold.casefold() in other.context.casefold() for gold, _ in item.answers):
            yield Item("lay", other.group, other.title, other.context, item.question, (),
                       "hard_retrieved")  # fmt: skip


def documents(shared: Path) -> dict[str, tuple[str, str]]:
    """Title and text by the name that rows give."""
    found = {}
    lines = (shared / "medquad" / "consumer.jsonl").read_text("utf-8").splitlines()
    for number, row in enumerate(map(json.loads, lines)):
        found[f"medquad:{number}"] = row["focus"], row["answer"]
    papers = json.loads((shared / "pubmedqa" / "pqal.json").read_text("utf-8"))
    for name, paper in papers.items():
        found[f"pubmedqa:{name}"] = paper["QUESTION"], " ".join(paper["CONTEXTS"])
    return found


def heading(document: str, title: str) -> str:
    """The line above a passage of a text: MedQuAD's subject; a paper's question may be asked."""
    return f"{title}\n" if title and document.startswith("medquad") else ""


def _places(text: str, gold: str) -> tuple[tuple[str, int], ...]:
    at = text.find(gold)
    return ((gold, at),) if gold and at >= 0 else ()
