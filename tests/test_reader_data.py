"""Near misses of questions and claims: what each maker changes, and what it must leave alone."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "scripts"))
import reader_makers as makers
from reader_near import MAKERS, Surroundings, both_denied
from reader_sets import Item
from reader_text import detokenised, holds, pieces, sentences, stems, window

TEXT = (
    "The trial of Dr. Moss ran in 1998. It followed 38 men for 12 weeks. "
    "Most of the runners in Oslo trained before breakfast. Injuries fell by a third."
)


def _item(question: str, answer: str, context: str = TEXT) -> Item:
    return Item("squad2", "Trial", "Trial", context, question, ((answer, context.index(answer)),))


def _made(maker: str, question: str, answer: str, seed: int = 1) -> Item | None:
    item = _item(question, answer)
    around = Surroundings.of([item], {"fell": ["rose"]})
    return MAKERS[maker](item, around, random.Random(seed))


def test_sentences_and_windows_are_whole() -> None:
    spans = sentences(TEXT)
    assert [TEXT[a:b].split()[-1] for a, b in spans] == ["1998.", "weeks.", "breakfast.", "third."]
    start, end = window(TEXT, (TEXT.index("38"), TEXT.index("38") + 2), 28, random.Random(1))
    assert "38 men" in TEXT[start:end]
    assert pieces(TEXT[start:end]) <= 28
    assert (start, end) != (0, len(TEXT))
    assert TEXT[start:end].endswith(".")
    assert len(sentences("a b. c d. e")) == 3  # no capitals at all


def test_words_are_whole_and_irregular_ones_known() -> None:
    assert holds(TEXT, "38")
    assert not holds(TEXT, "8")
    assert not holds(TEXT, "run")
    assert stems("the men") == stems("a man")
    assert "yard" in stems("a 61-yard return")
    assert detokenised("it did n't ( really ) work .") == "it didn't (really) work."


@pytest.mark.parametrize(
    ("maker", "question", "answer", "gone"),
    [
        ("number", "What did the 38 men do for weeks?", "12 weeks", "38"),
        ("time", "Whose trial ran in 1998?", "Dr. Moss", "1998"),
        ("population", "For how long did it follow the men?", "12 weeks", "men"),
        ("condition", "Who trained before breakfast?", "Most of the runners", "before"),
        ("antonym", "By how much was it that injuries fell?", "a third", "fell"),
    ],
)
def test_a_word_is_exchanged_in_question_or_context(
    maker: str, question: str, answer: str, gone: str
) -> None:
    found = [_made(maker, question, answer, seed) for seed in range(12)]
    made = [item for item in found if item]
    assert made
    assert all(item.maker == maker for item in made)
    for item in made:
        assert holds(item.question, gone) != holds(item.context, gone)


def test_units_are_exchanged_in_the_question_only() -> None:
    made = _made("unit", "What lasted how many weeks or 12 hours?", "12 weeks")
    assert made is None  # the text knows no hours
    item = _item("How many miles did they run?", "9 miles", "They ran 9 miles (14 km) a day.")
    found = MAKERS["unit"](item, Surroundings.of([item], {}), random.Random(1))
    assert found
    assert found.question == "How many tons did they run?"
    assert found.context == item.context


def test_the_answers_sentence_is_cut_only_where_nothing_else_answers() -> None:
    long = f"{TEXT} {'Nobody said why this was so in all of these many years. ' * 3}"
    assert "38" not in (makers.without_answer(long, [("38", long.index("38"))]) or "38")
    twice = f"{long} There were 38 of them."
    assert makers.without_answer(twice, [("38", twice.index("38"))]) is None
    assert makers.without_answer("Too short. 38.", [("38", 11)]) is None


def test_names_are_found_but_not_first_words_or_months() -> None:
    text = "When Ann Lee met Tesla in Oslo, the FBI left. Later it rained in May."
    assert [name for name, _ in makers.names(text)] == ["Ann Lee", "Tesla", "Oslo", "FBI"]


def test_a_name_is_not_exchanged_for_one_of_which_the_same_is_said() -> None:
    text = "In 1856 Tesla was born in Smiljan. In 1847 Edison was born in Milan."
    others = makers.names(text)
    pair = makers.exchanged_name(
        "In what year was Tesla born?", text, "In 1856 Tesla was born in Smiljan.", ["1856"],
        others, random.Random(1),
    )  # fmt: skip
    assert pair is None


def test_denials() -> None:
    assert makers.negated("When did he leave?") == "When didn't he leave?"
    assert makers.negated("Which is not one?") is None  # can often be told
    assert makers.statement_negated("Malta is an island.") == "Malta is not an island."
    assert makers.statement_negated("Malta is not an island.") == "Malta is an island."
    assert makers.statement_negated("It was said that it is so.") is None
    item = _item("When was the bridge built?", "1900", "The bridge was built in 1900. It stands.")
    again = both_denied(item)
    assert again
    assert again.question == "When wasn't the bridge built?"
    text, start = again.answers[0]
    assert "was not built in 1900" in again.context
    assert again.context[start : start + len(text)] == text


def test_a_yes_or_no_question_gets_no_other_word() -> None:
    assert _made("time", "Did the trial run in 1998?", "ran in 1998") is None


@pytest.mark.parametrize(
    ("claim", "other"),
    [
        ("Vitamin D reduces Fractures.", "Fractures reduces Vitamin D."),
        ("Roswell was developed by Jason Katims.", "Jason Katims was developed by Roswell."),
        ("It helps people.", None),
        ("The man who runs helps the child.", None),
    ],
)
def test_roles(claim: str, other: str | None) -> None:
    assert makers.roles_exchanged(claim) == other


def test_a_possibility_becomes_a_certainty() -> None:
    assert makers.strengthened("Rest sometimes helps.") == "Rest always helps."
    made = makers.strengthened("Collagen may help tendons.")
    assert made
    assert made.endswith("help tendons.")
    assert "may" not in made
    assert makers.strengthened("Rest may not help.") is None
    assert makers.strengthened("Rest helps.") is None
