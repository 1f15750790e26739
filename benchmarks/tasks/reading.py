"""Held-out rows: does a reader see that a text holds no answer, or does not support a claim?

`run`: five articles of SQuAD 2. `makers`: the held-out files of scripts/reader_data.py, each with
the unanswerable or unsupported rows of a set or a maker beside its good ones. Answers are told by
the answers head, by the span head, and by the mean of both. Knows a Reader and no library.
"""

from __future__ import annotations

import json
import lzma
import random
import re
import string
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import DATA, Shown, open_reader

from dragtor import metrics
from dragtor.evaluate.common import counted, means

SQUAD2 = DATA / "reading" / "squad2" / "answerable_or_not.jsonl.xz"
HELD_FILES = Path(__file__).resolve().parents[2] / "data" / "reader" / "held"
HELD_OUT = (  # articles in no training: HELD_SQUAD2 of scripts/reader_sets.py
    "Immune_system", "Jacksonville,_Florida", "Packet_switching", "Pharmacy", "Yuan_dynasty",
)  # fmt: skip
HEADS = ("answers", "span", "mean")
CLAIM_LABELS = ("supported", "contradicted", "unknown")
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Said:
    """What a reader said of a row: two probabilities of an answer, and the likeliest one's text."""

    answers: float
    span: float
    text: str

    @property
    def scores(self) -> dict[str, float]:
        """How sure it is that there is an answer, by who says so."""
        both = (self.answers + self.span) / 2
        return {"answers": self.answers, "span": self.span, "mean": both}


def run(reader: str = "reader", n: int = 0) -> dict[str, Any]:
    """The five articles, or `n` of their questions."""
    opened = open_reader(reader)
    rows = _drawn([row for row in jsonl(SQUAD2) if row["title"] in HELD_OUT], n)
    found = squad2(rows, read_all(opened, rows, "squad2"))
    return {"reader": opened.name, "questions": len(rows)} | found


def makers(reader: str = "reader", folder: str = "", n: int = 200) -> dict[str, Any]:
    """AUC of each file of the folder, of `n` of its rows or of all."""
    opened, place = open_reader(reader), Path(folder) if folder else HELD_FILES
    paths = [path for path in sorted(place.glob("*.jsonl")) if path.stem != "squad2"]
    if not paths:
        raise SystemExit(f"nothing in {place}: python scripts/reader_data.py {place.parent}")
    found: dict[str, Any] = {"reader": opened.name}
    for path in paths:
        rows = _drawn(list(jsonl(path)), n)
        measure = supports if rows[0].get("label") in CLAIM_LABELS else answers
        found[path.stem] = measure(opened, rows, path.stem)
    return found


def answers(reader: Any, rows: Sequence[Row], label: str) -> dict[str, Any]:
    """AUC by head of span or pair rows, and by maker of the unanswerable ones, by the mean."""
    asked = [question_row(row) for row in rows]
    said = read_all(reader, asked, label)
    answerable = [not row["is_impossible"] for row in asked]
    texts = [row["context"] for row in asked]
    scores = {head: [each.scores[head] for each in said] for head in HEADS}
    found = {head: area(scores[head], answerable, texts) for head in HEADS}
    return {"n": len(rows)} | found | of_makers(asked, scores["mean"], answerable, texts)


def supports(reader: Any, rows: Sequence[Row], label: str) -> dict[str, Any]:
    """AUC of supported claims against all others, and by maker of these."""
    scores = [
        reader.entail(row["a"], [row["b"]])[0].supported for row in counted(rows, label, Shown(50))
    ]
    good = [row["label"] == "supported" for row in rows]
    texts = [row["b"] for row in rows]
    found = {"supports": area(scores, good, texts)}
    return {"n": len(rows)} | found | of_makers(rows, scores, good, texts)


def of_makers(
    rows: Sequence[Row], scores: Sequence[float], good: Sequence[bool], texts: Sequence[str]
) -> dict[str, Any]:
    """Under `makers` the AUC of each one's bad rows against all good ones, if there are several."""
    counts = Counter(row["maker"] for row, fine in zip(rows, good, strict=True) if not fine)
    if len(counts) < 2:
        return {}
    found = {}
    for maker, count in counts.items():
        own = [i for i, row in enumerate(rows) if good[i] or row["maker"] == maker]
        told = [scores[i] for i in own], [good[i] for i in own], [texts[i] for i in own]
        found[maker] = {"n": count} | area(*told)
    return {"makers": found}


def squad2(rows: Sequence[Row], said: Sequence[Said]) -> dict[str, Any]:
    """AUC, exact match and F1 by head; the mean's AUC by article.

    A threshold is chosen, for each article, on the four others.
    """
    answerable = [not row["is_impossible"] for row in rows]
    titles = [row["title"] for row in rows]
    marks = [marked(row, each.text) for row, each in zip(rows, said, strict=True)]
    found: dict[str, Any] = {}
    for head in HEADS:
        scores = [each.scores[head] for each in said]
        kept = answered_elsewhere(scores, [f1 for _, f1 in marks], answerable, titles)
        told = [
            mark if answers else (float(not has_answer),) * 2
            for mark, answers, has_answer in zip(marks, kept, answerable, strict=True)
        ]
        found[head] = area(scores, answerable, [row["context"] for row in rows])
        found[head] |= means({"em": [em for em, _ in told], "f1": [f1 for _, f1 in told]})
        found[head]["answered"] = round(metrics.mean([float(k) for k in kept]), 4)
    on_gold = [float(f1 > 0) for (_, f1), row in zip(marks, rows, strict=True) if row["answers"]]
    found["overlaps_gold"] = round(metrics.mean(on_gold), 4)
    mean = [each.scores["mean"] for each in said]
    found["articles"] = {}
    for title in dict.fromkeys(titles):
        own = [i for i, each in enumerate(titles) if each == title]
        value = metrics.auc([mean[i] for i in own], [answerable[i] for i in own])
        found["articles"][title] = {"n": len(own), "auc": value and round(value, 4)}
    return found


def area(
    scores: Sequence[float], answerable: Sequence[bool], texts: Sequence[str]
) -> dict[str, Any]:
    """AUC with its interval over texts; None where all are of one kind."""
    value = metrics.auc(scores, answerable)
    if value is None:
        return {"auc": None}
    bounds = metrics.auc_interval(scores, answerable, texts)
    return {"auc": round(value, 4), "auc_ci": [round(bound, 4) for bound in bounds]}


# SQuAD 2.0's own scoring (Rajpurkar, Jia and Liang 2018, evaluate-v2.0.py)


def marked(row: Row, text: str) -> tuple[float, float]:
    """Exact match and F1 of a text that is given as the answer; 0 where there is none."""
    golds = [each["text"] for each in row["answers"] if _words(each["text"])]
    if not golds:
        return 0.0, 0.0
    return (
        max(float(_words(text) == _words(gold)) for gold in golds),
        max(metrics.word_f1(_words(text), _words(gold)) for gold in golds),
    )


def _words(text: str) -> list[str]:
    """In lower case, without punctuation and articles."""
    plain = "".join(c for c in text.lower() if c not in string.punctuation)
    return re.sub(r"\b(a|an|the)\b", " ", plain).split()


def best_threshold(
    scores: Sequence[float], f1: Sequence[float], answerable: Sequence[bool]
) -> float:
    """The score from which to answer, for the highest sum of F1: `f1` where answered, 1 for a
    refusal of what has no answer. Infinite where it is best to refuse all.
    """
    best, threshold = 0.0, float("inf")
    gained = 0.0  # on refusing all
    ordered = sorted(zip(scores, f1, answerable, strict=True), key=lambda each: -each[0])
    for number, (score, if_answered, has_answer) in enumerate(ordered, 1):
        gained += if_answered - (not has_answer)
        tied = number < len(ordered) and ordered[number][0] == score
        if gained > best and not tied:
            best, threshold = gained, score
    return threshold


def answered_elsewhere(
    scores: Sequence[float],
    f1: Sequence[float],
    answerable: Sequence[bool],
    groups: Sequence[str],
) -> list[bool]:
    """Whether each is answered, by the best threshold of all other groups."""
    thresholds = {}
    for group in set(groups):
        others = [i for i, each in enumerate(groups) if each != group]
        thresholds[group] = best_threshold(
            [scores[i] for i in others], [f1[i] for i in others], [answerable[i] for i in others]
        )
    return [score >= thresholds[group] for score, group in zip(scores, groups, strict=True)]


# Rows


def question_row(row: Row) -> Row:
    """A span or pair row as a span row."""
    if "context" in row:
        return row
    none = row["label"] == "no"
    return {**row, "question": row["a"], "context": row["b"], "answers": [], "is_impossible": none}


def read_all(reader: Any, rows: Sequence[Row], label: str) -> list[Said]:
    """What the reader says of each row."""
    found = []
    for row in counted(rows, label, Shown(50)):
        (said,) = reader.read(row["question"], [row["context"]])
        found.append(Said(said.answers, said.span, row["context"][said.start : said.end]))
    return found


def jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, packed or not."""
    opened: Iterable[str]
    with (
        lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open("r")
    ) as opened:
        yield from (json.loads(line) for line in opened if line.strip())


def _drawn(rows: list[Row], n: int) -> list[Row]:
    return random.Random(7).sample(rows, n) if 0 < n < len(rows) else rows
