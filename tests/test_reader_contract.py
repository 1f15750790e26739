"""What every Reader owes its callers, held against the fake of the tests and what is pulled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import shared
from fakes import SharedWordsReader

from dragtor.types import Reader

QUESTION = "How many weeks until the pulley heals?"
PASSAGES = (
    "Pulley\nThe pulley heals in 6 weeks. Tape does little.",
    "File every callus down before it tears off.",
    "",
)
CLAIM = "The pulley heals in 6 weeks."


@pytest.fixture
def reader() -> Reader:
    return SharedWordsReader()


def test_there_is_one_reading_a_passage_in_their_order(reader: Reader) -> None:
    assert reader.read(QUESTION, []) == []
    heals, callus, nothing = reader.read(QUESTION, PASSAGES)
    assert heals.answers > callus.answers
    assert nothing.start == nothing.end
    assert PASSAGES[0][heals.start : heals.end] in PASSAGES[0].split("\n")[1]


def test_a_reading_is_of_its_passage_alone_and_always_the_same(reader: Reader) -> None:
    together = reader.read(QUESTION, PASSAGES)
    assert [reader.read(QUESTION, [one])[0] for one in PASSAGES] == together
    assert reader.read(QUESTION, PASSAGES[::-1]) == together[::-1]
    judged = reader.entail(CLAIM, PASSAGES)
    assert [reader.entail(CLAIM, [one])[0] for one in PASSAGES] == judged


def test_a_text_entails_itself_and_not_another_number(reader: Reader) -> None:
    (own,) = reader.entail(CLAIM, [CLAIM])
    assert own.supported > max(own.contradicted, own.unknown)
    (other,) = reader.entail("The pulley heals in 9 weeks.", [CLAIM])
    assert other.contradicted > max(other.supported, other.unknown)


def test_any_text_is_read(reader: Reader) -> None:
    path: Path = shared("bad_inputs") / "text" / "blns.json"
    strings = json.loads(path.read_text("utf-8"))[::5]
    texts = ["", " ", "?", "\0", "🙂" * 300, "9" * 5000, *strings]
    for text in texts:
        for reading, passage in zip(reader.read(text, texts[:6]), texts[:6], strict=True):
            assert 0 <= reading.start <= reading.end <= len(passage)
            assert 0 <= reading.answers <= 1
            assert 0 <= reading.span <= 1
        for said in reader.entail(text, texts[:6]):
            total = said.supported + said.contradicted + said.unknown
            assert total == pytest.approx(1, abs=1e-4)
    assert len(reader.read(QUESTION, texts)) == len(texts)
