"""The question sets of `dragtor eval answers` hold what they state: kinds, counts, phrases.

They are data that figures rest on, so a phrase that is not in its document is an error here.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from conftest import ROOT, shared
from fakes import Notes

from dragtor.config import LoadConfig
from dragtor.load.file import FileLoader

SAMPLE = ROOT / "tests" / "data" / "refusal_questions.jsonl"
COVID = ROOT / "benchmarks" / "data" / "covid_refusal.jsonl"
MEDQUAD = ROOT / "benchmarks" / "data" / "medquad_questions.jsonl"
SETS = [SAMPLE, COVID, MEDQUAD]
ANSWERABLE = {"plain", "lay"}
FIELDS = {"question", "reference", "must_contain", "relevant", "answerable", "kind", "split"}
COUNTS = {
    SAMPLE: {
        "plain": 30,
        "lay": 30,
        "article_removed": 20,
        "fact_absent": 20,
        "false_premise": 20,
        "other_entity": 20,
        "out_of_scope": 20,
    },
    COVID: {"fact_absent": 20, "false_premise": 20, "other_entity": 20},
    MEDQUAD: {
        "lay": 20,
        "article_removed": 4,
        "fact_absent": 4,
        "false_premise": 4,
        "other_entity": 4,
        "out_of_scope": 4,
    },
}
# `_id` is unique within these only: consumer.jsonl repeats it between its sources
MEDQUAD_FOCUSES = {
    "Cataract",
    "Gallstones",
    "Gout",
    "Knee Replacement",
    "Osteoporosis",
    "Restless Legs Syndrome",
    "Shingles",
}

Row = dict[str, Any]
each_set = pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def misquoted(rows: list[Row], texts: dict[str, str]) -> list[tuple[str, str]]:
    """(question, phrase or document) where a phrase or a whole relevant document is missing."""
    wrong = []
    for row in rows:
        found = [texts.get(name, "") for name in row["relevant"]]
        absent = [name for name in row["relevant"] if name not in texts]
        absent += [m for m in row["must_contain"] if not any(m in text for text in found)]
        wrong += [(row["question"], what) for what in absent]
    return wrong


@each_set
def test_the_fields_and_their_types(path: Path) -> None:
    for row in lines(path):
        assert set(row) == FIELDS, row
        assert row["question"].strip() == row["question"] != ""
        assert isinstance(row["answerable"], bool)
        assert row["split"] in {"train", "test"}
        for name in ("must_contain", "relevant"):
            assert all(isinstance(value, str) and value for value in row[name]), row


@each_set
def test_kinds_and_counts_and_halves(path: Path) -> None:
    rows = lines(path)
    assert Counter(row["kind"] for row in rows) == COUNTS[path]
    for kind, count in COUNTS[path].items():
        splits = Counter(row["split"] for row in rows if row["kind"] == kind)
        assert splits == {"train": count // 2, "test": count // 2}


@each_set
def test_an_answerable_question_has_its_answer_and_no_other_has(path: Path) -> None:
    for row in lines(path):
        assert row["answerable"] == (row["kind"] in ANSWERABLE), row
        for name in ("relevant", "must_contain", "reference"):
            assert bool(row[name]) == row["answerable"], row


def test_no_question_is_asked_twice() -> None:
    paths = [*SETS, ROOT / "tests" / "data" / "sample_questions.jsonl"]
    asked = Counter(
        "".join(c for c in row["question"].casefold() if c.isalnum())
        for path in paths
        for row in lines(path)
    )
    assert [question for question, times in asked.items() if times > 1] == []


def test_enough_unanswerable_questions() -> None:
    assert sum(not row["answerable"] for path in SETS for row in lines(path)) >= 160


@pytest.mark.parametrize("path", [SAMPLE, MEDQUAD], ids=lambda path: path.stem)
def test_length_and_spelling_do_not_tell_the_unanswerable(path: Path) -> None:
    """A gate fitted on these sets must not learn the writer's habits."""
    groups: dict[bool, list[str]] = {True: [], False: []}
    for row in lines(path):
        groups[row["answerable"]].append(row["question"])
    yes, no = groups[True], groups[False]
    assert 0.75 < median(map(len, yes)) / median(map(len, no)) < 1.33
    informal = [sum(q[0].islower() for q in group) / len(group) for group in (yes, no)]
    assert abs(informal[0] - informal[1]) < 0.2


def test_the_sample_library_says_what_the_answers_need() -> None:
    notes: list[str] = []
    loader = FileLoader(LoadConfig(), reporter=Notes(notes))
    items = list(loader.discover(str(ROOT / "assets" / "sample_library")))
    texts = {item.uri.rsplit("/", 1)[1]: loader.read(item.uri).text for item in items}
    assert not notes
    assert misquoted(lines(SAMPLE), texts) == []
    used = {name for row in lines(SAMPLE) for name in row["relevant"]}
    assert used == set(texts)  # every document is asked about


def test_medquad_says_what_the_answers_need() -> None:
    rows = lines(shared("medquad") / "consumer.jsonl")
    rows = [row for row in rows if row["focus"] in MEDQUAD_FOCUSES]
    texts = {row["_id"]: row["answer"] for row in rows}
    assert len(texts) == len(rows)
    assert misquoted(lines(MEDQUAD), texts) == []


def test_the_covid_questions_are_not_those_of_the_shared_set() -> None:
    theirs = {row["question"].casefold() for row in lines(shared("covid_qa") / "questions.jsonl")}
    assert not theirs & {row["question"].casefold() for row in lines(COVID)}


def test_a_wrong_phrase_or_document_is_noticed() -> None:
    texts = {"a.md": "Rest for 3 days."}
    row = {"question": "q", "relevant": ["a.md"], "must_contain": ["Rest for 3 days"]}
    assert misquoted([row], texts) == []
    assert misquoted([row | {"must_contain": ["Rest for 4 days"]}], texts)
    assert misquoted([row | {"relevant": ["b.md", "a.md"]}], texts) == [("q", "b.md")]
