"""Answers, refusals and citations with the local model, and the gate that comes with dragtor.

refusal: the test halves, five kinds of unanswerable questions. covid: 200 questions of the covid_qa
half over its 45 articles. `python benchmarks/tasks/answers.py` fits the gate on the training halves
and writes config/gates.yml. Questions under way are kept: an interrupted run goes on.
"""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from common import Shown

from dragtor.config import Config, load_config
from dragtor.evaluate.answers import evaluate, fitted_gate, opened
from dragtor.evaluate.common import kept_library
from dragtor.ground import Gate
from dragtor.types import Document, short_hash

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
SETS = (
    ROOT / "tests" / "data" / "refusal_questions.jsonl",
    ROOT / "benchmarks" / "data" / "covid_refusal.jsonl",
    ROOT / "benchmarks" / "data" / "medquad_questions.jsonl",
)
MEDQUAD_FOCUSES = {
    "Cataract", "Gallstones", "Gout", "Knee Replacement", "Osteoporosis",
    "Restless Legs Syndrome", "Shingles",
}  # fmt: skip
COVID_QUESTIONS = 200  # reported; the others may be used for fitting
COVID_ANSWERABLE = 60  # besides the unanswerable ones about the same articles
COVID_FITTED = 180


def covid_documents() -> Iterator[Document]:
    """The articles, under their own ids."""
    for row in _jsonl(DATA / "covid_qa" / "corpus.jsonl"):
        uri, title = f"covid:{row['_id']}", row["text"].split("\n", 1)[0]
        yield Document(short_hash(uri), uri, "file", title, row["text"])


def documents() -> Iterator[Document]:
    """The sample library, the articles, and MedQuAD's answers on seven topics."""
    from dragtor.config import LoadConfig
    from dragtor.load.file import FileLoader

    loader = FileLoader(LoadConfig())
    for path in sorted((ROOT / "assets" / "sample_library").iterdir()):
        document = loader.read_bytes(path.read_bytes(), path.name, "")
        uri = f"sample:{path.name}"
        yield replace(document, id=short_hash(uri), uri=uri)
    yield from covid_documents()
    for row in _jsonl(DATA / "medquad" / "consumer.jsonl"):
        if row["focus"] in MEDQUAD_FOCUSES:
            uri = f"medquad:{row['_id']}"
            yield Document(short_hash(uri), uri, "file", row["focus"], row["answer"])


def covid_questions() -> list[dict[str, Any]]:
    """All of the half, in a fixed random order; the first COVID_QUESTIONS are held out."""
    rows = list(_jsonl(DATA / "covid_qa" / "questions.jsonl"))
    random.Random(1).shuffle(rows)
    return [
        {
            "question": row["question"],
            "answerable": True,
            "must_contain": [row["answer"].strip()],
            "relevant": [row["doc"]],
            "kind": "covid_qa",
        }
        for row in rows
    ]


def questions(split: str) -> list[dict[str, Any]]:
    """One half of the question sets, and as many of covid_qa's own."""
    rows = [row for path in SETS for row in _jsonl(path) if row["split"] == split]
    if split == "train":
        rows += _jsonl(ROOT / "tests" / "data" / "sample_questions.jsonl")
    if split == "train":
        return rows + covid_questions()[COVID_QUESTIONS : COVID_QUESTIONS + COVID_FITTED]
    return rows + covid_questions()[:COVID_ANSWERABLE]


def run(what: str, n: int = 0, quotes: bool = False) -> dict[str, Any]:
    """One of the two, of all its questions or of `n` drawn with a fixed seed.

    With `quotes` the answers are the quotes that come first, and no language model is asked.
    """
    rows = {
        "refusal": lambda: questions("test"),
        "covid": lambda: covid_questions()[:COVID_QUESTIONS],
    }[what]()
    rows = random.Random(7).sample(rows, n) if n else rows
    config = load_config()
    documents = library_of(what, config)
    return evaluate(
        written(what, rows), config, documents=documents, reporter=Shown(), quotes=quotes
    )


def written(name: str, rows: Iterable[Mapping[str, Any]]) -> Path:
    """The rows as JSONL, in a folder that is removed with the task's."""
    path = Path(tempfile.mkdtemp()) / f"{name}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def library_of(what: str, config: Config) -> Path:
    """Folder of the library of what is asked, kept between runs."""
    made, data = documents, ROOT / "assets" / "sample_library"
    if what == "covid":
        made, data = covid_documents, DATA / "covid_qa"
    with kept_library("answers", data, made, config, Shown()) as library:
        return library.folder


def fit() -> None:
    """Write the gate of the default encoder without a reader, fitted on the training halves."""
    config = load_config(overrides={"answer": {"reader": "none"}})
    with opened(library_of("gate", config), config, Shown()) as library:
        gate, effect = fitted_gate(library, questions("train"))
        keep_gate(library.embedder.name, gate)
    print(effect)


def keep_gate(encoder: str, gate: Gate) -> None:
    """Write it into config/gates.yml, in the place of that encoder's, with a reader or without."""
    import yaml

    path = ROOT / "config" / "gates.yml"
    head = "".join(line for line in path.open(encoding="utf-8") if line.startswith("#"))
    known = yaml.safe_load(path.read_text("utf-8"))
    others = [g for g in known if (g["encoder"], "reader" in g) != (encoder, bool(gate.reader))]
    text = yaml.safe_dump([*others, {"encoder": encoder, **gate.to_dict()}], sort_keys=False)
    path.write_text(head + text, "utf-8")
    print(text)


def _jsonl(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


if __name__ == "__main__":
    fit()
