"""What the reader is worth to who asks: questions refused, answered, corrected. No language model.

The questions are those of answers.py, over its library, and those of data/lay_questions.jsonl over
MedQuAD's consumer half and the abstracts of PubMedQA: each asked plainly or in lay words, with an
answer or without. A row there is {question, answerable, style: plain | lay, kind, split, documents:
[MedQuAD's _id, alone or after SOURCE/, or a PubMedQA id], must_contain: [phrases]}; of a false
premise must_contain is what the text says instead. `python benchmarks/tasks/reader.py` writes the
gate with the reader into config/gates.yml, fitted on the training halves and the split "tune".
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import answers
from common import DATA, Shown

from dragtor.config import Config, load_config
from dragtor.evaluate.answers import (
    ask_all,
    document_names,
    gate_features,
    opened,
    overlaps,
    questions_of,
    scores,
)
from dragtor.evaluate.calibrate import fit_gate
from dragtor.evaluate.common import kept_empty, means, path_hash
from dragtor.library import Library
from dragtor.prompt import escape
from dragtor.types import NEVER, Document, Source, short_hash

LAY = answers.ROOT / "benchmarks" / "data" / "lay_questions.jsonl"
MEDQUAD = DATA / "medquad" / "consumer.jsonl"
PUBMEDQA = DATA / "pubmedqa" / "pqal.json"
STYLES = ("plain", "lay")
NEAR_MISSES = ("fact_absent", "false_premise", "other_entity", "condition")
FALSE_PREMISE = "false_premise"

Row = Mapping[str, Any]


def refusal(n: int = 0) -> dict[str, Any]:
    """Refused, over-refused, carried on the test halves of answers.py, by kind."""
    return with_near_misses(answers.run("refusal", n, quotes=True)["metrics"])


def with_near_misses(measured: Row) -> dict[str, Any]:
    """What a run measured, with the kinds of near misses taken together."""
    kinds = [measured["kinds"].get(kind, {"n": 0}) for kind in NEAR_MISSES]
    total = sum(kind["n"] for kind in kinds)
    refused = round(sum(kind["n"] * kind["refused"] for kind in kinds if kind["n"]))
    near = means({"refused": [1.0] * refused + [0.0] * (total - refused)})
    return dict(measured) | {"near_misses": {"n": total} | near}


def lay_set(n: int = 0) -> dict[str, Any]:
    """By style what `dragtor eval answers --quotes` tells, and what became of false premises."""
    config = load_config()
    with medical_library(config) as library:
        asked = lay_questions(library, n)
        path = answers.written("lay", asked)
        rows = questions_of(path)
        given = ask_all(library, path, rows, quotes=True)
        names, store = document_names(library.store()), library.store()
        found: dict[str, Any] = {"questions": len(rows)}
        for style in STYLES:
            own = [i for i, row in enumerate(asked) if row["style"] == style]
            if own:
                told = [rows[i] for i in own], [given[i] for i in own]
                found[style] = with_near_misses(scores(*told, names, store))
    premises = [
        (row["must_contain"], answer)
        for row, answer in zip(asked, given, strict=True)
        if row["kind"] == FALSE_PREMISE
    ]
    return found | {"false_premises": {"n": len(premises)} | means(corrections(premises))}


def corrections(premises: Iterable[tuple[Sequence[str], Row]]) -> dict[str, list[float]]:
    """What became of each false premise, of (phrases that say it rightly, answer).

    Corrected: said to be otherwise, with the right quote. Quoted: the right quote stands there,
    whatever is said. Answered as true: there is an answer that corrects nothing.
    """
    found: dict[str, list[float]] = {"corrected": [], "quoted": [], "answered_as_true": []}
    for phrases, answer in premises:
        quotes = [citation["quote"] for citation in answer["citations"]]
        right = any(overlaps(quote, each) for quote in quotes for each in phrases)
        found["corrected"].append(float(right and corrects(answer)))
        found["quoted"].append(float(right))
        found["answered_as_true"].append(float(answer["grounded"] and not corrects(answer)))
    return found


def corrects(answer: Row) -> bool:
    """Whether an answer without a language model says more than its quotes do."""
    quotes = {_plain(escape(citation["quote"])) for citation in answer["citations"]}
    return any(_plain(claim["text"]) not in quotes for claim in answer["claims"])


def _plain(text: str) -> str:
    return " ".join(text.split())


# The medical texts and their questions


def pubmedqa() -> dict[str, Any]:
    """The rows by their ids."""
    found: dict[str, Any] = json.loads(PUBMEDQA.read_text("utf-8"))
    return found


def medical_documents(drawn: int = 0) -> Iterator[Document]:
    """MedQuAD's answers, `drawn` of them or all, and PubMedQA's abstracts."""
    with MEDQUAD.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    for row in drawn_of(rows, drawn):  # ids are counted anew for each source
        uri = f"medical:{row['source']}/{row['_id']}"
        yield Document(short_hash(uri), uri, "file", row["focus"], row["answer"])
    for name, row in pubmedqa().items():
        uri = f"medical:{name}"
        yield Document(short_hash(uri), uri, "file", "", "\n\n".join(row["CONTEXTS"]))


def medical_library(config: Config, drawn: int = 0) -> Library:
    """They as a library, kept between runs."""
    key = "medical texts", str(drawn), path_hash(MEDQUAD), path_hash(PUBMEDQA)
    library = kept_empty(Library, key, config, Shown(100), NEVER)
    with library.ingest() as ingest:
        source = Source(short_hash("medical"), "medical", "corpus", "medical texts")
        ingest.writer.put_source(source)
        for document in medical_documents(drawn):
            ingest.writer.put_pending(source.id, document.uri, "", document)
        ingest.index()
    return library


def fit() -> None:
    """Write the gate with the reader: fitted on the training halves and the lay set's `tune`."""
    config = load_config()
    with opened(answers.library_of("gate", config), config, Shown()) as library:
        rows: list[dict[str, Any]] = answers.questions("train")
        features = gate_features(library, rows)
        encoder = library.embedder
        version = library.reader_version
    with medical_library(config) as library:
        tune = lay_questions(library, split="tune")
        features += gate_features(library, tune)
    answerable = [row["answerable"] for row in [*rows, *tune]]
    answers.keep_gate(encoder.name, fit_gate(features, answerable, encoder.fingerprint, version))


def lay_questions(library: Library, n: int = 0, split: str = "test") -> list[dict[str, Any]]:
    """That part of the lay set, with `relevant`: ids of the documents that a row names."""
    texts = {}
    for row in library.store().documents():
        document = library.document(row["id"])
        assert document is not None
        texts[row["uri"].partition(":")[2]] = document
    with LAY.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines if line.strip()]
    own = [row for row in rows if row["split"] == split]
    return drawn_of([row | {"relevant": meant(row, texts)} for row in own], n)


def meant(row: Row, texts: Mapping[str, Document]) -> list[str]:
    """Ids of the documents that a row names; of several of one name, those that hold a phrase."""
    found = []
    for name in row["documents"]:
        named = [d for each, d in texts.items() if name in (each, each.rpartition("/")[2])]
        holding = [d for d in named if any(p in d.text for p in row.get("must_contain", ()))]
        found += [document.id for document in holding or named]
    if row["answerable"] and not found:
        raise SystemExit(f"no document is called {row['documents']}: {row['question']}")
    return found


def drawn_of(rows: list[Any], n: int) -> list[Any]:
    return random.Random(7).sample(rows, n) if 0 < n < len(rows) else rows


if __name__ == "__main__":
    fit()
