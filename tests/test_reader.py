"""Readers: one contract for all; then windows, spans and chances of the one with three heads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import SharedWordsReader
from graphs import READER_HEADS, tokenizer, write_model

from dragtor import onnx
from dragtor.encoder import Encoder, HeadReader, HeadSet
from dragtor.encoder.reader import NO_ENTAILMENT, NO_READING, whole_words
from dragtor.errors import Cancelled
from dragtor.types import NEVER, CancelToken, Entailment, Reader, Reading

SPAN, ANSWERS, SUPPORTS = READER_HEADS
QUESTION = "who climbs in Ceuse"
PASSAGES = ["Alex Megos climbs in Ceuse, good.", "well , bad", "good and well . Alex climbs", "x"]
LONG = "good and well . " * 2500  # 10,000 words
BAD = {
    "empty": "",
    "blank": " \n\t ",
    "one sign": "?",
    "long": LONG + "Alex Megos climbs in Ceuse",
    "one long word": "x" * 20_000,
    "surrogates": "Alex \ud800Megos\udfff climbs in \udc00",
    "special": "[SEP] [CLS] who Alex [PAD] in",
    "controls": "\x00\x01\x7f Alex\x0b in \u200d\ufeff",
    "joined": "in a" + "\u0301" * 500,
    "emoji": "😀🧗🏽\u200d♀️ in " * 50,
    "languages": "攀岩是谁 Кто лазает в in من يتسلق कौन ไม่มีช่องว่าง",
    "numbers": "in 1,430 ½ ③ ٣٤ 12 570 1.5e-3 10:30 Ⅻ 38%",
}

Make = Callable[[CancelToken], Reader]


def tiny(folder: Path, cancel: CancelToken = NEVER, **changes: Any) -> HeadReader:
    changes = {"heads": READER_HEADS, "shapes": False, "max_tokens": 24} | changes
    return HeadReader.load(write_model(folder, **changes), cancel=cancel)


@pytest.fixture(params=["shared words", "heads"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    if request.param == "shared words":
        return SharedWordsReader
    return lambda cancel: tiny(tmp_path / "tiny", cancel)


@pytest.fixture
def reader(make: Make) -> Reader:
    return make(NEVER)


@pytest.fixture
def heads(tmp_path: Path) -> HeadReader:
    return tiny(tmp_path / "tiny")


# The contract


def check(reading: Reading, passage: str) -> None:
    assert 0 <= reading.answers <= 1
    assert 0 <= reading.span <= 1
    assert 0 <= reading.start <= reading.end <= len(passage)
    said = passage[reading.start : reading.end]
    assert said == said.strip()


def check_entailment(made: Entailment) -> None:
    told = (made.supported, made.contradicted, made.unknown)
    assert min(told) >= 0
    assert sum(told) == pytest.approx(1)


def test_every_passage_has_a_reading_and_every_evidence_an_entailment(reader: Reader) -> None:
    assert reader.name
    assert reader.version
    readings, made = reader.read(QUESTION, PASSAGES), reader.entail("good and well", PASSAGES)
    assert len(readings) == len(made) == len(PASSAGES)
    for reading, entailment, passage in zip(readings, made, PASSAGES, strict=True):
        check(reading, passage)
        check_entailment(entailment)
    assert reader.read(QUESTION, []) == reader.entail(QUESTION, []) == []


def test_what_answers_is_likelier(reader: Reader) -> None:
    yes, no, *_ = reader.read(QUESTION, PASSAGES)
    assert yes.answers > 0.5 > no.answers
    assert yes.span > no.span
    assert "Alex Megos" in PASSAGES[0][yes.start : yes.end]


def test_a_reading_does_not_depend_on_what_else_is_read(make: Make) -> None:
    passages = [*PASSAGES, *(text[-2000:] for text in BAD.values())]
    readings = make(NEVER).read(QUESTION, passages)
    made = make(NEVER).entail("good and well", passages)
    assert make(NEVER).read(QUESTION, passages) == readings
    assert make(NEVER).read(QUESTION, passages[::-1]) == readings[::-1]
    assert make(NEVER).entail("good and well", passages[::-1]) == made[::-1]
    for passage, reading, entailment in zip(passages, readings, made, strict=True):
        assert make(NEVER).read(QUESTION, [passage]) == [reading]
        assert make(NEVER).entail("good and well", [passage]) == [entailment]


def test_questions_between_do_not_matter(reader: Reader) -> None:
    before = reader.read(QUESTION, PASSAGES)
    assert reader.read("in Ceuse", PASSAGES[::-1]) != before
    assert reader.read(QUESTION, PASSAGES[:2]) == before[:2]
    assert reader.read(QUESTION, PASSAGES + PASSAGES) == before + before


@pytest.mark.parametrize("name", BAD)
def test_bad_passages(reader: Reader, name: str) -> None:
    (reading,) = reader.read(QUESTION, [BAD[name]])
    check(reading, BAD[name])
    (made,) = reader.entail("good and well", [BAD[name]])
    check_entailment(made)
    if not BAD[name].strip():
        assert reading == NO_READING
        assert made == NO_ENTAILMENT


@pytest.mark.parametrize("name", BAD)
def test_bad_questions_and_claims(reader: Reader, name: str) -> None:
    for passage, reading in zip(PASSAGES, reader.read(BAD[name], PASSAGES), strict=True):
        check(reading, passage)
        if not BAD[name].strip():
            assert reading == NO_READING
    for made in reader.entail(BAD[name], PASSAGES):
        check_entailment(made)
        if not BAD[name].strip():
            assert made == NO_ENTAILMENT


def test_reading_can_be_stopped(make: Make) -> None:
    cancel = CancelToken()
    reader = make(cancel)
    cancel.cancel()
    with pytest.raises(Cancelled):
        reader.read(QUESTION, PASSAGES)
    with pytest.raises(Cancelled):
        reader.entail(QUESTION, PASSAGES)
    cancel.renew()
    assert len(reader.read(QUESTION, PASSAGES)) == len(PASSAGES)


# Three heads on one graph


class Counted:
    """A session that keeps what it is asked, and asks to stop after `most` runs."""

    def __init__(self, session: Any, cancel: CancelToken = NEVER, most: int = 10**9) -> None:
        self._session, self._cancel, self._most = session, cancel, most
        self.runs: list[tuple[list[str], tuple[int, ...]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run(self, names: list[str], feed: dict[str, Any]) -> Any:
        self.runs.append((list(names), feed["input_ids"].shape))
        if len(self.runs) >= self._most:
            self._cancel.cancel()
        return self._session.run(names, feed)


def counted(
    folder: Path, cancel: CancelToken = NEVER, most: int = 10**9
) -> tuple[HeadReader, Counted]:
    path = write_model(folder, heads=READER_HEADS, shapes=False, max_tokens=24)
    session = Counted(onnx.open_session(path / "model.onnx", ""), cancel, most)
    described = HeadSet.read(path / "heads.json", "")
    encoder = Encoder(session, tokenizer(), described, threads=1, cancel=cancel)  # type: ignore[arg-type]
    return HeadReader(encoder), session


def test_a_window_is_run_once_for_both_heads_and_alone(tmp_path: Path) -> None:
    reader, session = counted(tmp_path)
    reader.read(QUESTION, PASSAGES)
    assert [names for names, _ in session.runs] == [["span", "answers"]] * len(PASSAGES)
    assert all(rows == 1 and tokens <= 24 for _, (rows, tokens) in session.runs)
    reader.entail(QUESTION, ["good"])
    assert session.runs[-1] == (["supports"], (1, 8))


def test_what_was_read_for_a_question_is_not_run_again(tmp_path: Path) -> None:
    reader, session = counted(tmp_path)
    first = reader.read(QUESTION, PASSAGES[:3])
    readings = reader.read(QUESTION, [*PASSAGES, PASSAGES[3]])
    assert len(session.runs) == len(PASSAGES)
    assert readings[:3] == first
    reader.read("another", PASSAGES[:1])
    reader.read(QUESTION, PASSAGES[:1])
    assert len(session.runs) == len(PASSAGES) + 2


def test_a_long_passage_is_stopped_between_two_windows(tmp_path: Path) -> None:
    cancel = CancelToken()
    reader, session = counted(tmp_path, cancel, most=3)
    with pytest.raises(Cancelled):
        reader.read(QUESTION, [LONG])
    assert len(session.runs) == 3


def test_every_window_of_a_long_passage_counts(heads: HeadReader) -> None:
    filler = "good well , bad . " * 400
    for text in (f"Alex Megos {filler}", f"{filler} Alex Megos {filler}", f"{filler} Alex Megos"):
        (reading,) = heads.read(QUESTION, [text])
        assert text[reading.start : reading.end] == "Alex Megos"
        assert reading.answers > 0.9
        assert reading.span > 0.9
    (reading,) = heads.read(QUESTION, [filler])
    assert reading.answers < 0.1
    assert reading.span < 0.5


def test_the_window_counts_that_tells_most_of_a_claim(heads: HeadReader) -> None:
    filler = "well , climbs . " * 100
    good, bad, none = heads.entail("who", [filler + "good", "bad " + filler, filler])
    assert good.supported > 0.9
    assert bad.contradicted > 0.9
    assert none.unknown > 0.9


def test_chances_are_calibrated_by_the_heads(tmp_path: Path) -> None:
    (plain,) = tiny(tmp_path / "a").read(QUESTION, ["Alex Megos"])
    flat = (replace(SPAN, temperature=2.0), replace(ANSWERS, temperature=4.0), SUPPORTS)
    (hot,) = tiny(tmp_path / "b", heads=flat).read(QUESTION, ["Alex Megos"])
    fitted = (replace(SPAN, span_scale=0.5, span_shift=-1.0), ANSWERS, SUPPORTS)
    (moved,) = tiny(tmp_path / "c", heads=fitted).read(QUESTION, ["Alex Megos"])
    assert plain.span == pytest.approx(1 / (1 + np.exp(-14)))  # 8 and 8, less 1 and 1 of [CLS]
    assert hot.span == pytest.approx(1 / (1 + np.exp(-7)))
    assert moved.span == pytest.approx(1 / (1 + np.exp(-6)))
    assert plain.answers == pytest.approx(1 / (1 + np.exp(-4)))
    assert hot.answers == pytest.approx(1 / (1 + np.exp(-1)))
    steep = (replace(SPAN, temperature=1e-6), ANSWERS, SUPPORTS)
    texts = ["Alex Megos", "well"]
    said, none = tiny(tmp_path / "d", heads=steep).read(QUESTION, texts)
    assert (said.start, said.end, said.span) == (0, 10, 1.0)
    assert (none.start, none.end) == (0, 0)
    assert none.span < 1e-20


def test_a_span_below_the_least_is_not_said(tmp_path: Path) -> None:
    text = "bad Alex Megos"
    (said,) = tiny(tmp_path / "a").read(QUESTION, ["well"])
    assert (said.start, said.end) == (0, 4)
    assert said.span < 0.5
    picky = (replace(SPAN, least=0.5), ANSWERS, SUPPORTS)
    none, some = tiny(tmp_path / "b", heads=picky).read(QUESTION, ["well", text])
    assert (none.start, none.end, none.span) == (0, 0, said.span)
    assert text[some.start : some.end] == "Alex Megos"


def test_spans_are_whole_words_and_numbers() -> None:
    text = "It had 1,430 texts, of pull-ups at 10:30."
    words = [(0, 2), (3, 6), (7, 8), (8, 9), (9, 12), (13, 18), (18, 19), (20, 22), (23, 27),
             (27, 28), (28, 31), (32, 34), (35, 37), (37, 38), (38, 40), (40, 41)]  # fmt: skip

    def grown(part: str) -> str:
        start = text.index(part)
        made = whole_words(text, words, start, start + len(part))
        return text[slice(*made)]

    assert grown("ext") == "texts"
    assert grown("430 tex") == "1,430 texts"
    assert grown("1") == "1,430"
    assert grown("ups") == "ups"
    assert grown(" texts") == "texts"
    assert grown("30.") == "10:30."
    assert grown(" ") == "had"
