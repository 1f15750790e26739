"""The claims set holds what it states: fields, kinds, halves, and verbatim quotes.

Each line is a verbatim quote and a claim that it supports or does not; grounding is measured on it.
A document is named by its title: a file of the sample library, an article of covid_qa by its first
line, a topic of medquad by its focus.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, shared
from fakes import Notes

from dragtor.config import LoadConfig
from dragtor.load.file import FileLoader

PATH = ROOT / "tests" / "data" / "claims.jsonl"
FIELDS = {"title", "heading", "quote", "claim", "supported", "kind", "split"}
SUPPORTED = {
    "copy": 18,
    "shortened": 36,
    "reordered": 48,
    "paraphrase": 64,
    "merged": 22,
    "number_form": 42,
}
UNSUPPORTED = {
    "number": 52,
    "unit": 32,
    "negation": 56,
    "modality": 38,
    "role_swap": 58,
    "entity": 44,
    "addition": 24,
    "invented": 16,
    "condition_dropped": 36,
    "quantifier": 46,
    "cause": 22,
}
MEDQUAD = {
    "Asthma",
    "Back Pain",
    "Bell's Palsy",
    "Carpal Tunnel Syndrome",
    "Cataract",
    "Gallstones",
    "Gout",
    "Migraine",
    "Osteoarthritis",
    "Restless Legs Syndrome",
    "Shingles",
    "Whiplash",
}

Row = dict[str, Any]


def lines(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return lines(PATH)


@pytest.fixture(scope="module")
def sample_texts() -> dict[str, str]:
    reporter = Notes()
    loader = FileLoader(LoadConfig(), reporter=reporter)
    items = loader.discover(str(ROOT / "assets" / "sample_library"))
    documents = [loader.read(item.uri) for item in items]
    assert not reporter.notes
    return {document.title: flat(document.text) for document in documents}


def misquoted(rows: list[Row], texts: dict[str, str]) -> list[str]:
    """The quotes that are not in the document of their title."""
    return [row["quote"] for row in rows if row["quote"] not in texts.get(row["title"], "")]


def test_the_fields_and_their_types(rows: list[Row]) -> None:
    for row in rows:
        assert set(row) == FIELDS, row
        assert isinstance(row["supported"], bool)
        assert isinstance(row["heading"], str)
        for name in ("title", "quote", "claim"):
            assert row[name], row
            assert row[name] == flat(row[name]), row


def test_kinds_and_counts_and_halves(rows: list[Row]) -> None:
    for wanted, supported in ((SUPPORTED, True), (UNSUPPORTED, False)):
        chosen = [row for row in rows if row["supported"] is supported]
        assert Counter(row["kind"] for row in chosen) == wanted
        halves = Counter((row["kind"], row["split"]) for row in chosen)
        for kind, count in wanted.items():
            assert halves[kind, "train"] == halves[kind, "test"] == count // 2, kind


def test_no_claim_is_made_twice(rows: list[Row]) -> None:
    made = Counter("".join(c for c in row["claim"].casefold() if c.isalnum()) for row in rows)
    assert [claim for claim, times in made.items() if times > 1] == []


def test_no_quote_is_in_both_halves(rows: list[Row]) -> None:
    """What is fitted on the training half has seen no quote of the other, nor a part of one."""
    half = {row["quote"]: row["split"] for row in rows}
    assert all(half[row["quote"]] == row["split"] for row in rows)
    across = [(a, b) for a in half for b in half if half[a] != half[b] and a in b]
    assert across == []


def test_most_quotes_carry_claims_of_both_labels(rows: list[Row]) -> None:
    """A quote must not tell by itself whether its claims are supported."""
    labels: dict[str, set[bool]] = {}
    for row in rows:
        labels.setdefault(row["quote"], set()).add(row["supported"])
    assert sum(len(found) == 2 for found in labels.values()) > 0.9 * len(labels)
    assert len({row["title"] for row in rows}) >= 12


def test_the_sample_library_says_what_is_quoted(
    rows: list[Row], sample_texts: dict[str, str]
) -> None:
    ours = [row for row in rows if row["title"] in sample_texts]
    assert len(ours) > len(rows) / 2
    assert {row["title"] for row in ours} == set(sample_texts)  # every document is quoted
    assert misquoted(ours, sample_texts) == []


def test_the_shared_texts_say_what_is_quoted(rows: list[Row], sample_texts: dict[str, str]) -> None:
    texts: dict[str, str] = {}
    for article in lines(shared("covid_qa") / "corpus.jsonl"):
        texts[flat(article["text"].split("\n")[0])] = flat(article["text"])
    for row in lines(shared("medquad") / "consumer.jsonl"):
        if row["focus"] in MEDQUAD:
            texts[row["focus"]] = texts.get(row["focus"], "") + "\n" + flat(row["answer"])
    theirs = [row for row in rows if row["title"] not in sample_texts]
    assert {row["title"] for row in theirs} >= MEDQUAD
    assert misquoted(theirs, texts) == []


def test_a_wrong_quote_or_title_is_noticed() -> None:
    texts = {"Finger": "Rest for 3 days."}
    right = {"title": "Finger", "quote": "Rest for 3 days."}
    assert misquoted([right], texts) == []
    assert misquoted([right | {"quote": "Rest for 4 days."}], texts) == ["Rest for 4 days."]
    assert misquoted([right | {"title": "Toe"}], texts) == ["Rest for 3 days."]
