"""What benchmarks of the reader count, by hand; no model and no library."""

from __future__ import annotations

import math
import re
import sys
from typing import Any

import pytest
from conftest import ROOT

sys.path.append(str(ROOT / "benchmarks" / "tasks"))
import claims
import documents
import reader
import reading

from dragtor.types import Document


def gold(*texts: str) -> dict[str, Any]:
    return {"answers": [{"text": text} for text in texts]}


@pytest.mark.parametrize(
    ("said", "row", "marks"),
    [
        ("The U.S. Army", gold("US army"), (1.0, 1.0)),
        ("in the arid plains", gold("plains", "the arid plains"), (0.0, 0.8)),
        ("", gold("plains"), (0.0, 0.0)),
        ("plains", gold(), (0.0, 0.0)),
    ],
)
def test_squad_marks_the_best_of_several_answers(
    said: str, row: dict[str, Any], marks: tuple[float, float]
) -> None:
    assert reading.marked(row, said) == pytest.approx(marks)


def test_a_threshold_answers_where_that_gains_more_than_it_loses() -> None:
    scores, f1, answerable = [0.9, 0.8, 0.7, 0.1], [1.0, 0.0, 0.6, 0.0], [True, False, True, False]
    assert reading.best_threshold(scores, f1, answerable) == 0.9
    assert reading.best_threshold(scores, [1.0, 0.0, 1.0, 0.0], [True] * 4) == 0.7
    assert reading.best_threshold([0.5, 0.5], [1.0, 0.0], [True, False]) == math.inf  # a tie
    assert reading.best_threshold(scores, [0.0] * 4, [False] * 4) == math.inf


def test_an_article_s_threshold_is_chosen_on_the_others() -> None:
    scores = [0.9, 0.2, 0.6, 0.5]
    kept = reading.answered_elsewhere(scores, [1, 0, 1, 0], [True, False] * 2, list("aabb"))
    assert kept == [True, False, False, False]  # b's is a's best, 0.9; a's is b's, 0.6


def test_a_row_of_either_kind_is_a_question() -> None:
    pair = {"a": "Why?", "b": "So.", "label": "no", "maker": "cut"}
    made = reading.question_row(pair)
    assert (made["question"], made["context"], made["is_impossible"]) == ("Why?", "So.", True)
    span = {"question": "Why?", "context": "So.", "answers": [], "is_impossible": True}
    assert reading.question_row(span) is span


def test_the_articles_are_those_that_training_leaves_out() -> None:
    path = ROOT / "scripts" / "reader_sets.py"
    if not path.exists():
        pytest.skip("no training data is made here")
    listed = re.search(r"^HELD_SQUAD2 = \((.*?)^\)", path.read_text("utf-8"), re.M | re.S)
    assert listed
    assert set(re.findall(r'"([^"]+)"', listed[1])) == set(reading.HELD_OUT)


def test_makers_are_told_apart_where_there_are_several() -> None:
    rows = [{"maker": maker} for maker in ("real", "cut", "number")]
    scores, texts = [0.5, 0.1, 0.9], ["a", "b", "c"]
    found = reading.of_makers(rows, scores, [True, False, False], texts)["makers"]
    assert {maker: each["auc"] for maker, each in found.items()} == {"cut": 1.0, "number": 0.0}
    assert reading.of_makers(rows[:2], scores[:2], [True, False], texts[:2]) == {}


# Claims


def test_a_threshold_keeps_most_while_few_slip_through() -> None:
    supported = [True] * 4 + [False] * 10
    scores = [0.9, 0.8, 0.7, 0.2, 0.75, 0.3, *[0.1] * 8]
    assert claims.fitted(scores, supported) == 0.7  # one of ten slips through
    assert claims.fitted([0.2, 0.9], [True, False]) == math.inf  # all that are not slip through


def test_rules_and_reader_decide_together() -> None:
    rows = [{"split": "train", "supported": s} for s in (True, True, False, False)]
    ways = {n: took for n, took, _ in claims.combined(rows, [0.9, 0.1, 0.8, 0.2], [1, 1, 0, 1])}
    assert ways == {
        "reader": [True, False, False, False],
        "both": [True, False, False, False],
        "either": [True, True, False, True],
    }


def test_windows_hold_whole_sentences_and_overlap_by_one() -> None:
    text = "One is first. Two comes next. Three is after it. Four is the last."
    assert claims.windows(text, 40) == [
        "One is first. Two comes next.", "Two comes next. Three is after it.",
        "Three is after it. Four is the last.",
    ]  # fmt: skip
    assert claims.windows(text, 20) == [
        "One is first.", "Two comes next.", "Three is after it.", "Four is the last.",
    ]  # fmt: skip
    assert claims.windows("", 10) == [""]
    assert claims.windows(text) == [text]


def test_f1_of_what_is_unsupported() -> None:
    assert claims.best_f1_threshold([0.9, 0.8, 0.1], [True, False, True]) == 0.1
    assert claims.best_f1_threshold([0.9, 0.8, 0.1], [True, True, False]) == 0.8
    assert claims.best_f1_threshold([], []) == 0.5
    found = claims.detection([0.9, 0.8, 0.7, 0.1], [True, False, True, False], list("abcd"), 0.75)
    told = {name: found[name] for name in ("auc", "f1", "precision", "recall")}
    assert told == {"auc": 0.75, "f1": 0.5, "precision": 0.5, "recall": 0.5}
    assert found["balanced_accuracy"] == 0.5


# Questions over a library


def answer(*quotes: str, said: str = "") -> dict[str, Any]:
    claims = [{"text": said or quote} for quote in quotes]
    citations = [{"quote": quote} for quote in quotes]
    return {"grounded": bool(quotes), "claims": claims, "citations": citations}


def test_a_false_premise_is_corrected_quoted_or_taken_for_true() -> None:
    right, wrong = "The study had 38 patients.", "All patients were women."
    found = reader.corrections(
        (["had 38 patients"], given)
        for given in (
            answer(right, said=f"Your sources say otherwise: {right}"),
            answer(wrong, said=f"Your sources say otherwise: {wrong}"),
            answer("The study\n had 38 patients."),
            answer(wrong),
            answer(),
        )
    )
    assert found == {
        "corrected": [1, 0, 0, 0, 0],
        "quoted": [1, 0, 1, 0, 0],
        "answered_as_true": [0, 0, 1, 1, 0],
    }


def test_near_misses_are_taken_together() -> None:
    kinds = {"fact_absent": {"n": 4, "refused": 0.5}, "other_entity": {"n": 4, "refused": 1.0}}
    near = reader.with_near_misses({"kinds": kinds | {"plain": {"n": 9, "refused": 0.0}}})
    assert (near["near_misses"]["n"], near["near_misses"]["refused"]) == (8, 0.75)


def test_of_documents_of_one_name_those_are_meant_that_hold_the_phrase() -> None:
    texts = {
        name: Document(name, name, "file", "", text)
        for name, text in (("CDC/1-1", "Rest it."), ("NIDDK/1-1", "Six weeks."), ("77", "x"))
    }
    row = {"question": "?", "answerable": True, "must_contain": ["Six weeks"]}
    assert reader.meant(row | {"documents": ["1-1"]}, texts) == ["NIDDK/1-1"]
    assert reader.meant(row | {"documents": ["CDC/1-1", "77"]}, texts) == ["CDC/1-1", "77"]
    with pytest.raises(SystemExit, match="no document is called"):
        reader.meant(row | {"documents": ["9-9"]}, texts)
    assert reader.meant(row | {"documents": [], "answerable": False}, texts) == []


def test_places_and_what_one_is_ahead_of_the_other() -> None:
    ours = documents.places([["a", "b"], ["x", "a"]], [["a"], ["a", "q"]])
    assert ours[0] == {"first": 1, "in_three": 1, "in_five": 1, "in_eight": 1}
    assert ours[1] == {"first": 0, "in_three": 1, "in_five": 1, "in_eight": 1}
    found = documents.beside(ours, documents.places([["b"], ["b"]], [["a"], ["a"]]))
    assert found["difference"]["first"] == 0.5
    assert found["difference"]["in_three_ci"] == [1, 1]


def test_pieces_of_the_bare_script_cover_the_text() -> None:
    text = "".join(chr(97 + i % 26) for i in range(2500))
    made = documents.pieces(text)
    assert [len(each) for each in made] == [1000, 1000, 700]
    assert made[0][900:] == made[1][:100]
    assert documents.pieces("") == [""]
