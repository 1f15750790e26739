"""`eval encoder`: an honest small encoder that looks words up, measured on small files."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Cli
from fakes import Notes

import dragtor.evaluate.encoder
from dragtor.config import Config
from dragtor.encoder.align import Offsets
from dragtor.encoder.decode import best_labels
from dragtor.encoder.heads import Head, HeadSet, token_labels
from dragtor.errors import Cancelled, UsageError
from dragtor.evaluate.encoder import evaluate
from dragtor.types import CancelToken, LabelledSpan

ENTITIES = Head("entities", "tokens", token_labels(["person", "organisation", "other"]))
SENTIMENT = Head("sentiment", "sentence", ("negative", "positive"))
HEADS = HeadSet(
    "words", "none", "mean", 64, False,
    (ENTITIES, SENTIMENT, Head("same", "pair", ("0", "1")), Head("reader", "span")),
)  # fmt: skip
NAMES = {"Ann": "B-person", "Lee": "I-person", "EU": "B-organisation", "Monday": "B-other"}


@dataclass(frozen=True)
class Said:
    classes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


class WordLists:
    """Knows four names, and that "good" is good; 9 in 10 sure of everything."""

    heads = HEADS
    version = "1"

    def predict(self, texts: Sequence[str], heads: Sequence[str] = ()) -> list[Said]:
        good = [0.9 if "good" in text else 0.1 for text in texts]
        return [Said({"sentiment": {"negative": 1 - p, "positive": p}}) for p in good]

    def predict_words(
        self, examples: Sequence[tuple[str, Sequence[Offsets]]], head: str = ""
    ) -> list[tuple[list[str], Any]]:
        labels = self.heads.head(head, "tokens").labels
        found = []
        for text, words in examples:
            chances = np.full((len(words), len(labels)), 0.1 / (len(labels) - 1), np.float32)
            for row, (start, end) in zip(chances, words, strict=True):
                row[labels.index(NAMES.get(text[start:end], "O"))] = 0.9
            found.append(([labels[i] for i in best_labels(chances, labels)], chances))
        return found

    def predict_pairs(self, pairs: Sequence[tuple[str, str]], head: str = "") -> Any:
        return np.array([[0.1, 0.9] if a == b else [0.9, 0.1] for a, b in pairs], np.float32)

    def answer(self, question: str, context: str, head: str = "") -> LabelledSpan | None:
        number = re.search(r"\d+", context)
        return LabelledSpan(*number.span(), "reader", 0.9) if number else None


def measured(path: Path | Sequence[Path], **how: Any) -> dict[str, Any]:
    return evaluate(path, Config(), encoder=WordLists(), **how)


@pytest.fixture
def ner(tmp_path: Path) -> Path:
    path = tmp_path / "ner.conll"
    path.write_text(
        "Ann\tB-PER\nLee\tI-PER\nmet\tO\nEU\tB-ORG\nmen\tO\n\n"
        "On\tO\nMonday\tO\nBob\tB-PER\nslept\tO\n\nEU\tO\nlaw\tO\n"
    )
    return path


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    path = tmp_path / "films.csv"
    path.write_text("text,label\na good film,1\ngood,1\nnot good,0\nbad,0\nfine,1\n,0\n")
    return path


MAPPING = {"PER": "person", "ORG": "organisation"}


def test_spans_and_words_by_hand(ner: Path) -> None:
    notes = Notes()
    found = measured(ner, mapping=MAPPING, reporter=notes)
    assert (found["kind"], found["path"], found["n"]) == ("encoder", "ner.conll", 3)
    assert found["model"] == "words 1"
    assert {"dragtor", "numpy"} <= found["versions"].keys()
    metrics = found["metrics"]
    # said: Ann Lee and EU, both right, and EU of the law; wanted besides: Bob
    assert (metrics["span_precision"], metrics["span_recall"]) == (0.6667, 0.6667)
    assert metrics["span_f1"] == 0.6667
    assert metrics["accuracy"] == round(9 / 11, 4)
    assert metrics["labels"]["person"] == {"precision": 1.0, "recall": 0.5, "f1": 0.6667, "n": 2}
    assert metrics["labels"]["organisation"] == {
        "precision": 0.5, "recall": 1.0, "f1": 0.6667, "n": 1,
    }  # fmt: skip
    assert metrics["macro_f1"] == 0.6667
    low, high = metrics["span_f1_ci"]
    assert 0 <= low < 0.6667 < high <= 1
    # a word is B or I of its kind, the next one does not go on, the one before is none of it
    other = 0.1 / 6
    alone = (0.9 + other) * (1 - other)
    sure = (alone + alone * (1 - 2 * other) + alone) / 3
    assert metrics["ece"] == pytest.approx(sure - 2 / 3, abs=1e-4)
    assert found["notes"] == notes.notes == ["ner.conll has no other: left out of what is said"]


def test_a_name_that_the_data_has_counts_against_it(ner: Path) -> None:
    ner.write_text(ner.read_text() + "\nMonday\tB-MISC\nFriday\tB-MISC\nMonday\tO\n")
    found = measured(ner, mapping=MAPPING | {"misc": "other"})
    assert found["metrics"]["labels"]["other"]["recall"] == 0.5
    assert found["metrics"]["labels"]["other"]["precision"] == 0.3333  # it said three
    assert found["notes"] == []
    dropped = measured(ner, mapping=MAPPING | {"misc": "O"})
    assert "other" not in dropped["metrics"]["labels"]
    # and names of the head may be made coarser as well
    group = dict.fromkeys(("organisation", "other", "ORG", "misc"), "group")
    found = measured(ner, mapping=MAPPING | group)
    assert found["metrics"]["labels"].keys() == {"person", "group"}
    assert found["metrics"]["labels"]["group"]["n"] == 3


def test_classes_by_hand(texts: Path) -> None:
    notes = Notes()
    found = measured(texts, mapping={"0": "Negative", "1": "positive"}, reporter=notes)
    metrics = found["metrics"]
    assert (found["n"], metrics["accuracy"]) == (5, 0.6)
    assert metrics["labels"] == {
        "negative": {"precision": 0.5, "recall": 0.5, "f1": 0.5, "n": 2},
        "positive": {"precision": 0.6667, "recall": 0.6667, "f1": 0.6667, "n": 3},
    }
    assert metrics["macro_f1"] == round((0.5 + 2 / 3) / 2, 4)
    assert metrics["ece"] == pytest.approx(0.3)
    assert metrics["accuracy_ci"][0] < 0.6 < metrics["accuracy_ci"][1]
    assert metrics["macro_f1_ci"][0] < metrics["macro_f1"] < metrics["macro_f1_ci"][1]
    assert notes.notes == ["films.csv: 1 row without a text or a class"]
    assert notes.states[-1] == ("films", 5, 5)


def test_pairs_and_answers(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("a\tb\tlabel\nx\tx\t1\nx\ty\t0\nx\tz\t1\n")
    assert measured(pairs)["metrics"]["accuracy"] == 0.6667
    questions = tmp_path / "questions.jsonl"
    rows: list[Any] = [
        {"context": "in 1999 then", "question": "?", "answers": ["1999"]},
        {"context": "the 2 cats", "question": "?", "answers": ["the 2 cats", "2 cats"]},
        {"context": "3", "question": "?", "answers": []},
        {"context": "none", "question": "?", "answers": []},
    ]
    questions.write_text("\n".join(map(json.dumps, rows)))
    metrics = measured(questions)["metrics"]
    assert (metrics["exact"], metrics["accuracy"]) == (0.5, 0.75)
    assert metrics["answer_f1"] == round((1 + 2 / 3 + 0 + 1) / 4, 4)


def test_several_tasks_stand_under_their_names(ner: Path, texts: Path, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    again = tmp_path / "b" / "ner.txt"
    again.write_text(ner.read_text())
    mapping = MAPPING | {"0": "negative", "1": "positive"}
    found = measured([ner, texts, again], mapping=mapping)
    assert found["metrics"].keys() == {"ner", "films", "ner 2"}
    assert found["metrics"]["ner"] == measured(ner, mapping=mapping)["metrics"]
    assert (found["n"], found["path"]) == (11, "ner.conll, films.csv, ner.txt")


def test_a_class_that_the_head_does_not_know_is_named(ner: Path, texts: Path) -> None:
    with pytest.raises(UsageError, match=r"ner\.conll: the head entities knows no org, per"):
        measured(ner)
    with pytest.raises(UsageError, match="the head sentiment knows no 0, 1") as caught:
        measured(texts)
    assert caught.value.hint.startswith("--map 0=negative; it knows negative, positive")


def test_which_head(ner: Path) -> None:
    assert measured(ner, mapping=MAPPING, head="entities")["n"] == 3
    with pytest.raises(UsageError, match="has not one head sentiment"):
        measured(ner, mapping=MAPPING, head="sentiment")
    two = WordLists()
    heads = (ENTITIES, Head("ner", "tokens", ENTITIES.labels))
    two.heads = HeadSet("two", "none", "mean", 64, False, heads)
    assert evaluate(ner, Config(), encoder=two, mapping=MAPPING)["n"] == 3  # by the file's name
    ner.rename(ner.with_name("x.conll"))
    with pytest.raises(UsageError, match="has not one head"):
        evaluate(ner.with_name("x.conll"), Config(), encoder=two, mapping=MAPPING)
    with pytest.raises(UsageError, match="no task"):
        measured([])


def test_it_stops_where_it_is_told_to(texts: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        measured(texts, mapping={"0": "negative", "1": "positive"}, cancel=cancel)


def test_the_command(cli: Cli, ner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def opened(model: str, *_: Any) -> WordLists:
        asked.append(model)
        return WordLists()

    monkeypatch.setattr(dragtor.evaluate.encoder, "_opened", opened)
    args = ("eval", "encoder", "--task", ner, "--map", "PER=person,ORG=organisation")
    found = cli(*args, "--model", "mine", "--json").json
    assert (found["kind"], found["metrics"]["span_f1"], asked) == ("encoder", 0.6667, ["mine"])
    shown = cli(*args, "--save")
    assert "span_f1" in shown.out
    assert "labels.person.f1" in shown.out
    assert "ner.conll has no other" in shown.err
    assert cli("eval", "history", "--json").json["runs"][0]["kind"] == "encoder"
    wrong = cli("eval", "encoder", "--task", ner, "--map", "PER")
    assert wrong.code == 2
    assert "no FINE=COARSE" in wrong.err
