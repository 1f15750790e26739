"""Questions and their near twins over medical passages, written by readers of the passages.

Owns benchmarks/data/twin_questions.jsonl: {"doc", "start", "end", "style": plain | lay, "kind",
"question", "gold"}; `doc` as in reader_lay.py, the passage is its characters start:end. Of a false
premise `gold` is what the passage says instead. Every tenth text is held out.
Gives spans to read and claims to hold against sentences: a question counts as a claim of what it
takes for granted.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reader_lay import ROWS as LAY_ROWS
from reader_lay import documents, heading, is_held
from reader_sets import Item, lines, span_json
from reader_text import sentence_at, sentences

ROWS = Path(__file__).resolve().parents[1] / "benchmarks" / "data" / "twin_questions.jsonl"
FALSE_PREMISE = "false_premise"
LABELS = {"answerable": "supported", FALSE_PREMISE: "contradicted"}  # others: unknown
Row = dict[str, Any]


def twin_rows(shared: Path, draw: random.Random, held: bool = False) -> tuple[list[Row], list[Row]]:
    """Rows of spans, and of claims over a passage or one of its sentences."""
    spans, claims = [], []
    for row, title, text in told(shared, held):
        at = text.find(row["gold"]) if row["kind"] == "answerable" else -1
        head = heading(row["doc"], title)
        answers = [{"text": row["gold"], "answer_start": at + len(head)}] if at >= 0 else []
        maker = "real" if answers else f"twin_{row['kind']}"
        spans.append(span_json(row["question"], head + text, answers, maker, "twins"))
        claims += claim_rows(row, head, text, draw)
    return spans, claims


def claim_rows(row: Row, head: str, text: str, draw: random.Random) -> Iterator[Row]:
    """The question over its passage, over the sentence that bears it out or denies it, and over
    another sentence."""
    label = LABELS.get(row["kind"], "unknown")
    spans = sentences(text)
    own = text.find(row["gold"]) if row["gold"] else -1
    touched = sentence_at(spans, own, own + len(row["gold"])) if own >= 0 else (-1, -1)
    others = [i for i in range(len(spans)) if not touched[0] <= i <= touched[1]]
    shown = [(label, text)]
    if own >= 0:
        shown.append((label, text[spans[touched[0]][0] : spans[touched[1]][1]]))
    if others:
        shown.append(("unknown", text[slice(*spans[draw.choice(others)])]))
    for said, evidence in shown:
        yield {"a": row["question"], "b": head + evidence, "label": said,
               "maker": f"twin_{row['kind']}", "source": "twins"}  # fmt: skip


def told(shared: Path, held: bool = False) -> Iterator[tuple[Row, str, str]]:
    """Each question with the title and text of its passage; of those to learn from, or held out."""
    texts = documents(shared)
    for row in lines(ROWS):
        title, text = texts[row["doc"]]
        if is_held(f"twins:{row['doc']}") == held:
            yield row, title, text[row["start"] : row["end"]]


def twin_items(shared: Path) -> list[Item]:
    """The answerable ones, as questions over their passages."""
    return [
        Item("twins", row["doc"], title, text, row["question"], ((row["gold"], at),))
        for row, title, text in told(shared)
        if row["kind"] == "answerable" and (at := text.find(row["gold"])) >= 0
    ]


def lay_claims(shared: Path, draw: random.Random) -> list[Row]:
    """Claims out of reader_lay.py's false premises, and as many of its other questions."""
    texts, kinds = documents(shared), defaultdict(list)
    for row in lines(LAY_ROWS):
        title, text = texts[row["doc"]]
        if not is_held(row["doc"]) and row["gold"] in text and row["gold"]:
            at = text.find(row["gold"])
            near = around(text, at, at + len(row["gold"]))
            kinds[row["kind"]] += claim_rows(row, heading(row["doc"], title), near, draw)
    premises = kinds[FALSE_PREMISE]
    return premises + draw.sample(kinds["answerable"], len(premises))


def around(text: str, start: int, end: int) -> str:
    """The sentences that hold these characters, and two on either side."""
    spans = sentences(text)
    first, last = sentence_at(spans, start, end)
    return text[spans[max(first - 2, 0)][0] : spans[min(last + 2, len(spans) - 1)][1]]
