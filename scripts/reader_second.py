"""Make the files of the reader's second round: what retrieval finds first and does not answer.

    python scripts/reader_second.py DATA OUT_FOLDER [--seed 7] [--shared ../shared/data]

DATA is what reader_data.py wrote. Every question is embedded and looked up among the passages of
its kind (the contexts of DATA, the medical texts cut into passages), as dragtor looks for it: of
the NEAREST that do not hold its answer some become near misses, maker "retrieved". Of questions in
everyday words also the passages of their text that hold the answer. Questions and their near twins
(reader_twins.py) come in whole, of the first round those that people wrote and a share of the rest.
OUT/held is DATA/held and twins. Takes about ten minutes.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from reader_lay import documents, is_held, lay_items
from reader_sets import MEDQUAD_FOCUSES, Item, lines, span_json
from reader_text import holds, pieces, sentences, stems
from reader_twins import lay_claims, twin_items, twin_rows

from dragtor.config import load_config
from dragtor.embed import open_embedder

QUESTIONS = Path(__file__).resolve().parents[1] / "benchmarks" / "data" / "lay_questions.jsonl"
NEAREST = 12  # of the passages by meaning, among which near misses are drawn
MISSES = {  # of each answerable question, by source; half of it for lay ones without an answer
    "lay": 3, "twins": 1, "medquad": 1, "pubmedqa": 2, "squad2": 1, "nq": 1, "qed": 1,
    "shifts_wiki": 1, "policyqa": 1,
}  # fmt: skip
SAMPLED = {"squad2": 2500, "nq": 1500, "shifts_wiki": 800, "policyqa": 400}  # questions
HUMAN = ("squad2", "unansq")  # sets with questions that people wrote to have no answer
PASSAGE = 165  # word pieces
AGAIN = {"span": 6000, "answers": 2500, "supports": 4000}  # rows of the first round, drawn
SAME_SUBJECT = 0.5  # share of a title's words from which two texts are of one subject
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Passages:
    """Texts of one kind, what each is of, and their vectors."""

    texts: list[str]
    titles: list[str]
    owners: list[str]
    vectors: Any  # (n, dimensions)

    def nearest(self, query: Any, n: int) -> list[int]:
        """Rows, best first."""
        scores = self.vectors @ query
        best = np.argpartition(-scores, min(n, len(scores) - 1))[:n]
        return sorted(best.tolist(), key=lambda row: -scores[row])


def main() -> None:
    """Write all files and say what is in them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--shared", type=Path, default=Path("../shared/data"))
    told = parser.parse_args()
    draw = random.Random(told.seed)
    first = {name: lines(told.data / "train" / f"{name}.jsonl") for name in AGAIN}
    config = load_config()
    embedder = open_embedder(config.embed, config.models)
    spans, pairs = near_misses(first, told.shared, embedder, draw)
    twins, claims = twin_rows(told.shared, draw)
    claims += lay_claims(told.shared, draw)
    made = {"span": spans + twins, "answers": pairs, "supports": claims}
    for name, rows in first.items():
        rows = made[name] + again(rows, AGAIN[name], draw)
        write_rows(told.out / "train" / f"{name}.jsonl", draw.sample(rows, len(rows)))
    shutil.copytree(told.data / "held", told.out / "held", dirs_exist_ok=True)
    for name, rows in zip(
        ("twins", "supports_twins"), twin_rows(told.shared, draw, True), strict=True
    ):
        write_rows(told.out / "held" / f"{name}.jsonl", rows)


def near_misses(
    first: Mapping[str, Sequence[Row]], shared: Path, embedder: Any, draw: random.Random
) -> tuple[list[Row], list[Row]]:
    """Spans and pairs: of the medical texts, then of the contexts of the first round."""
    medical = medical_passages(shared, embedder)
    spans = [*lay_rows(shared, medical, embedder, draw)]
    pairs = [*pair_rows(first["answers"], shared, medical, embedder, draw)]
    real = [row for row in first["span"] if row["maker"] in {"real", "human"}]
    for source, number in SAMPLED.items():
        family = [row for row in real if row["source"] == source]
        spans += context_rows(draw.sample(family, min(number, len(family))), family, embedder, draw)
    return spans, pairs


def medical_passages(shared: Path, embedder: Any) -> Passages:
    """MedQuAD and PubMedQA, without what is held out or asked in benchmarks."""
    asked = {name for row in lines(QUESTIONS) for name in row["documents"]}
    names = _names(shared)
    texts, titles, owners = [], [], []
    for owner, (title, text) in documents(shared).items():
        known = {names[owner], names[owner].rpartition("/")[2], title} & asked
        if known or is_held(owner) or title in MEDQUAD_FOCUSES:
            continue
        for part in passages(text):
            texts.append(f"{title}\n{part}" if owner.startswith("medquad") else part)
            titles.append(title)
            owners.append(owner)
    return Passages(texts, titles, owners, embedder.embed_passages(texts))


def _names(shared: Path) -> dict[str, str]:
    """By the name of a text that of benchmarks/data/lay_questions.jsonl."""
    rows = lines(shared / "medquad" / "consumer.jsonl")
    found = {f"medquad:{i}": f"{row['source']}/{row['_id']}" for i, row in enumerate(rows)}
    papers = json.loads((shared / "pubmedqa" / "pqal.json").read_text("utf-8"))
    return found | {f"pubmedqa:{name}": name for name in papers}


def passages(text: str) -> Iterator[str]:
    """The text in runs of whole sentences, of PASSAGE word pieces at most."""
    start = end = length = 0
    for a, b in sentences(text):
        size = pieces(text[a:b])
        if length and length + size > PASSAGE:
            yield text[start:end]
            start, length = a, 0
        end, length = b, length + size
    if length:
        yield text[start:end]


def lay_rows(shared: Path, medical: Passages, embedder: Any, draw: random.Random) -> Iterator[Row]:
    """Of each question in everyday words the passages of its text that hold the answer; of it and
    of each answerable twin near misses."""
    items = [*dict.fromkeys(item for held, item in lay_items(shared) if not held)]
    for item in items:
        yield from _own_passages(item, medical)
    items += twin_items(shared)
    vectors = embedder.embed_queries([item.question for item in items])
    for item, vector in zip(items, vectors, strict=True):
        found = _missed(item, vector, medical)
        wanted = MISSES[item.source] if item.answers else -(-MISSES[item.source] // 2)
        for row in draw.sample(found, min(wanted, len(found))):
            yield span_json(item.question, medical.texts[row], [], "retrieved", item.source)


def _own_passages(item: Item, medical: Passages) -> Iterator[Row]:
    for text, _ in item.answers[:1]:
        for row, owner in enumerate(medical.owners):
            at = medical.texts[row].find(text) if owner == item.group else -1
            if at >= 0:
                answers = [{"text": text, "answer_start": at}]
                yield span_json(item.question, medical.texts[row], answers, "real", item.source)


def _missed(item: Item, vector: Any, medical: Passages) -> list[int]:
    """The nearest passages of other subjects, and of its own text where an answer is known, that
    hold no answer."""
    golds = [text for text, _ in item.answers]
    found = [
        row
        for row in medical.nearest(vector, 4 * NEAREST)
        if (medical.owners[row] == item.group and golds)
        or not same_subject(medical.titles[row], item.title)
    ]
    return lacking(medical.texts, found, golds)[:NEAREST]


def lacking(texts: Sequence[str], rows: Iterable[int], golds: Sequence[str]) -> list[int]:
    """The rows whose text cannot hold any of the answers."""
    return [n for n in rows if not any(might_answer(texts[n], gold) for gold in golds)]


def pair_rows(
    rows: Sequence[Row], shared: Path, medical: Passages, embedder: Any, draw: random.Random
) -> Iterator[Row]:
    """Near misses of MedQuAD's and PubMedQA's own questions."""
    subjects = {paper["QUESTION"]: paper["QUESTION"] for paper in _papers(shared)}
    asked = [r for r in rows if r["source"] in ("medquad", "pubmedqa") and r["maker"] == "real"]
    vectors = embedder.embed_queries([row["a"] for row in asked])
    for row, vector in zip(asked, vectors, strict=True):
        wanted = stems(subjects.get(row["a"], row["a"]))
        found = [
            i
            for i in medical.nearest(vector, 2 * NEAREST)
            if medical.texts[i][:60] not in row["b"]
            and not stems(medical.titles[i]) <= wanted
            and not same_subject(medical.titles[i], row["a"])
        ][:NEAREST]
        for i in draw.sample(found, min(MISSES[row["source"]], len(found))):
            yield {"a": row["a"], "b": medical.texts[i], "label": "no", "maker": "retrieved",
                   "source": row["source"]}  # fmt: skip


def _papers(shared: Path) -> Iterable[Row]:
    papers: dict[str, Row] = json.loads((shared / "pubmedqa" / "pqal.json").read_text("utf-8"))
    return papers.values()


def context_rows(
    asked: Sequence[Row], family: Sequence[Row], embedder: Any, draw: random.Random
) -> Iterator[Row]:
    """Near misses among the contexts of the same set."""
    texts = [*dict.fromkeys(row["context"] for row in family)]
    around = Passages(texts, texts, texts, embedder.embed_passages(texts))
    vectors = embedder.embed_queries([row["question"] for row in asked])
    for row, vector in zip(asked, vectors, strict=True):
        golds = [answer["text"] for answer in row["answers"]]
        found = [
            i
            for i in around.nearest(vector, 2 * NEAREST)
            if not overlapping(texts[i], row["context"])
        ]
        found = lacking(texts, found, golds)[: NEAREST // 2]
        for i in draw.sample(found, min(MISSES[row["source"]], len(found))):
            yield span_json(row["question"], texts[i], [], "retrieved", row["source"])


def overlapping(one: str, other: str) -> bool:
    """Whether two windows share a sentence."""
    return any(other.find(one[a:b]) >= 0 for a, b in sentences(one) if b - a > 20)


def same_subject(one: str, other: str) -> bool:
    """Whether two titles (or a title and a question) share half of the words of the first."""
    words = stems(one)
    return bool(words) and len(words & stems(other)) >= SAME_SUBJECT * len(words)


def might_answer(text: str, gold: str) -> bool:
    """Whether a text holds an answer, or most of its words."""
    parts = stems(gold)
    return holds(text, gold) or (len(parts) > 1 and len(parts & stems(text)) >= 0.6 * len(parts))


def again(rows: Sequence[Row], number: int, draw: random.Random) -> list[Row]:
    """Rows of the first round: all that people wrote of what is not answered, as many that are
    answered of the same set, and a share of the rest."""
    lay = [row for row in rows if row["source"] == "lay"]
    human = [row for row in rows if row["maker"] == "human" and row["source"] in HUMAN]
    same = [row for row in rows if row["maker"] == "real" and row["source"] in HUMAN]
    same = draw.sample(same, min(len(human), len(same)))
    taken = {id(row) for row in lay + human + same}
    others = [row for row in rows if id(row) not in taken]
    return lay + human + same + draw.sample(others, min(number, len(others)))


def write_rows(path: Path, rows: Sequence[Row]) -> None:
    """Write a file of rows and say what is in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), "utf-8")
    kinds = Counter((r["source"], r["maker"], r.get("label", r.get("is_impossible"))) for r in rows)
    size = sum(pieces(" ".join(map(str, list(r.values())[:2]))) for r in rows)
    print(path.name, len(rows), f"{size / 1e6:.2f} million word pieces")
    for kind, number in sorted(kinds.items(), key=str):
        print("  ", *kind, number)


if __name__ == "__main__":
    main()
