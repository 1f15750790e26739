"""Make the files of the reader's third round: questions over what is found for them, as groups.

    python scripts/reader_groups.py DATA SECOND OUT_FOLDER [--seed 7] [--shared ../shared/data]

DATA is what reader_data.py wrote, SECOND what reader_second.py wrote. A group is a question over a
passage that answers it, where one does, and MISSES of the NEAREST by meaning that do not: the
trainer ranks them against each other. DRAWN says how many questions of each kind; of SECOND's rows
so many are drawn as make AGAIN of what is learned. OUT/held is SECOND/held. Takes five minutes.
"""

from __future__ import annotations

import argparse
import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reader_lay import lay_items
from reader_second import (
    Passages,
    lacking,
    medical_passages,
    overlapping,
    same_subject,
    write_rows,
)
from reader_sets import Item, lines, span_json
from reader_twins import twin_items

from dragtor.config import load_config
from dragtor.embed import open_embedder

MISSES = 7  # of a group
NEAREST = 10  # of the passages by meaning, of which they are drawn
DRAWN = {"lay": 1000, "twins": 500, "none": 300, "squad2": 150, "nq": 100}  # groups
AGAIN = {"span": 4500, "answers": 1200, "supports": 2300}  # rows of the second round
Row = dict[str, Any]


def main() -> None:
    """Write all files and say what is in them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    told = parser.parse_args()
    draw = random.Random(told.seed)
    config = load_config()
    embedder = open_embedder(config.embed, config.models)
    first = lines(told.data / "train" / "span.jsonl")
    groups = [*medical_groups(told.shared, embedder, draw), *context_groups(first, embedder, draw)]
    for name, number in AGAIN.items():
        rows = lines(told.second / "train" / f"{name}.jsonl")
        rows = draw.sample(rows, min(number, len(rows)))
        if name == "span":
            rows += [{**row, "group": str(n)} for n, group in enumerate(groups) for row in group]
        write_rows(told.out / "train" / f"{name}.jsonl", rows)
    shutil.copytree(told.second / "held", told.out / "held", dirs_exist_ok=True)


def medical_groups(shared: Path, embedder: Any, draw: random.Random) -> Iterator[list[Row]]:
    """Of questions in everyday words and twins over the medical passages."""
    medical = medical_passages(shared, embedder)
    lay = [*dict.fromkeys(item for held, item in lay_items(shared) if not held)]
    kinds = {
        "lay": [item for item in lay if item.answers],
        "twins": twin_items(shared),
        "none": [item for item in lay if not item.answers],
    }
    for kind, items in kinds.items():
        some = draw.sample(items, min(DRAWN[kind], len(items)))
        vectors = embedder.embed_queries([item.question for item in some])
        for item, vector in zip(some, vectors, strict=True):
            yield from _group_of(item, vector, medical, draw)


def _group_of(
    item: Item, vector: Any, medical: Passages, draw: random.Random
) -> Iterator[list[Row]]:
    """The question's group; none where no passage holds its answer whole."""
    found = [
        row
        for row in medical.nearest(vector, 6 * NEAREST)
        if not item.answers
        or medical.owners[row] == item.group
        or not same_subject(medical.titles[row], item.title)
    ]
    golds = [text for text, _ in item.answers]
    texts = [medical.texts[row] for row in lacking(medical.texts, found, golds)[:NEAREST]]
    rows = [_miss(item.question, text, item.source) for text in draw.sample(texts, MISSES)]
    if not golds:
        yield rows
        return
    own = (n for n, owner in enumerate(medical.owners) if owner == item.group)
    if row := next((n for n in own if golds[0] in medical.texts[n]), 0):
        text = medical.texts[row]
        answer = {"text": golds[0], "answer_start": text.find(golds[0])}
        yield [span_json(item.question, text, [answer], "real", item.source), *rows]


def context_groups(rows: Sequence[Row], embedder: Any, draw: random.Random) -> Iterator[list[Row]]:
    """Of questions that people wrote over the contexts of their set."""
    for source in ("squad2", "nq"):
        family = [row for row in rows if row["maker"] == "real" and row["source"] == source]
        asked = draw.sample(family, min(DRAWN[source], len(family)))
        texts = [*dict.fromkeys(row["context"] for row in family)]
        around = Passages(texts, texts, texts, embedder.embed_passages(texts))
        vectors = embedder.embed_queries([row["question"] for row in asked])
        for row, vector in zip(asked, vectors, strict=True):
            found = [
                n
                for n in around.nearest(vector, 4 * NEAREST)
                if not overlapping(texts[n], row["context"])
            ]
            golds = [answer["text"] for answer in row["answers"]]
            near = [texts[n] for n in lacking(texts, found, golds)[:NEAREST]]
            misses = draw.sample(near, min(MISSES, len(near)))
            yield [row, *(_miss(row["question"], text, source) for text in misses)]


def _miss(question: str, text: str, source: str) -> Row:
    return span_json(question, text, [], "retrieved", source)


if __name__ == "__main__":
    main()
