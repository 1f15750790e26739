"""The small rules of names one by one: short forms, who is mainly meant, kinds, marks of turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from dragtor.entities import NameRow, find_names, merge_names, read_mentions
from dragtor.types import LabelledSpan


def one(names: Mapping[str, int], a: str, b: str) -> bool:
    """Whether two of the names that one document says so often are one person's."""
    merged = merge_names([NameRow("d", "person", name, n) for name, n in names.items()])
    return merged.meant["d", "person", a] == merged.meant["d", "person", b]


def spans(text: str, kinds: Mapping[str, str]) -> list[LabelledSpan]:
    """Every place of each name, the longest first; the kinds of a name's places in their order."""
    found: list[LabelledSpan] = []
    for name in sorted(kinds, key=len, reverse=True):
        at, turn = text.find(name), 0
        while at >= 0:
            if not any(s.start < at + len(name) and s.end > at for s in found):
                each = kinds[name].split("/")
                found.append(LabelledSpan(at, at + len(name), each[turn % len(each)], 0.9))
                turn += 1
            at = text.find(name, at + 1)
    return sorted(found, key=lambda s: s.start)


def kinds_of(text: str, kinds: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(text[s.start : s.end], s.label) for s in read_mentions(text, spans(text, kinds)).spans]


# Short forms


@pytest.mark.parametrize(
    ("full", "short", "wanted"),
    [
        ("Matthew Jones", "Matt", True),
        ("Robert Smith", "Bob", True),
        ("Ann Matthew", "Matt", False),  # a first name, not a last one
        ("Daniela Fischer", "Dan", False),
        ("Matthew Jones", "Mat", False),
    ],
)
def test_a_short_form_of_a_first_name(full: str, short: str, wanted: bool) -> None:
    assert one({full: 3, short: 1}, full, short) is wanted


def test_a_short_form_that_is_somebodys_own_name() -> None:
    names = {"Matthew Jones": 3, "Matt Brown": 3, "Matt": 1}
    assert one(names, "Matt", "Matt Brown")
    assert not one({"Robert Smith": 3, "Bob": 1, "Robert Low": 3}, "Bob", "Robert Smith")


# Who is mainly called so


@pytest.mark.parametrize(("times", "wanted"), [(10, True), (9, False)])
def test_a_name_alone_means_who_is_mainly_called_so(times: int, wanted: bool) -> None:
    names = {"Ann Lee": times, "Ann Roe": 2, "Ann": 3}
    assert one(names, "Ann", "Ann Lee") is wanted
    assert not one(names, "Ann", "Ann Roe")


# Hyphens


def test_a_name_goes_on_behind_its_hyphen() -> None:
    text = "We met Ann Byrd-Sanicki there, and Bo Roe-like people."

    def tag(texts: Sequence[str]) -> list[list[LabelledSpan]]:
        return [spans(each, {"Ann Byrd": "person", "Bo Roe": "person"}) for each in texts]

    assert [text[s.start : s.end] for s in find_names(text, tag)] == ["Ann Byrd-Sanicki", "Bo Roe"]


# Which sentences are read


def test_what_only_opens_is_no_name() -> None:
    text = (
        'Rest well. They rest a lot - Rest, yes. "Rest" again. '
        "They know Will. Will hangs. She will. Then Ann rests."
    )
    read: list[str] = []

    def tag(texts: Sequence[str]) -> list[list[LabelledSpan]]:
        read.extend(texts)
        return [[] for _ in texts]

    find_names(text, tag)
    assert read == ["They know Will.", "Will hangs.", "Then Ann rests."]


# Several people of one name


PEOPLE = dict.fromkeys(("Ann Lee", "Ann Roe", "Ann"), "person")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ann Lee came. Ann sat. Ann Roe came. Ann left.", ["Ann Lee", "Ann Roe"]),
        ("Ann sat. Ann Lee came. Then Ann Roe.", []),  # nobody was called yet
        ("Ann Lee met Ann Roe. Ann left.", []),  # both were
        ("Ann Lee came. Ann left.", []),  # merge_names knows
        ("Ann Lee. " * 9 + "Ann Roe came. Ann left.\n\nAnn hangs.", ["Ann Roe", "Ann Roe"]),
        ("Ann Lee. " * 9 + "Ann Roe came.\n\nOn.\n\nAnn hangs.", []),  # who is mainly called so
    ],
)
def test_of_several_who_was_last_called(text: str, wanted: list[str]) -> None:
    called = read_mentions(text, spans(text, PEOPLE)).called
    assert list(called.values()) == wanted
    assert all(text[at : at + 3] == "Ann" for at in called)


def test_who_is_heard_need_not_be_called() -> None:
    text = "Ann Lee came. Ann Roe sat. Ann left."
    assert not read_mentions(text, spans(text, PEOPLE), ["Ann Low"]).called


# Kinds


@pytest.mark.parametrize(
    ("text", "kinds", "name", "wanted"),
    [
        ("Kim Ayar spoke. Kim sat.", {"Kim Ayar": "person", "Kim": "organisation"}, "Kim", True),
        (
            "Kim Ayar spoke, Kim Ayar sang. Kim sat.",
            {"Kim Ayar": "person", "Kim": "place"},
            "Kim",
            True,
        ),
        ("Kim Ayar spoke. In Kim, Kim.", {"Kim Ayar": "person", "Kim": "place"}, "Kim", False),
        (
            "Kim Cloud, Kim Call, Kim Time; Kim.",
            {
                "Kim Cloud": "person",
                "Kim Call": "other",
                "Kim Time": "other",
                "Kim": "organisation",
            },
            "Kim",
            False,
        ),
        (
            "Ann Du Bois. Du Bois, Du Bois, Du Bois.",
            {"Ann Du Bois": "person", "Du Bois": "person/other/person"},
            "Du Bois",
            True,
        ),
        (
            "Ann Dell. Dell, Dell, Dell.",
            {"Ann Dell": "person", "Dell": "organisation"},
            "Dell",
            False,
        ),
        (
            "Kim sat. Kim hung. Kim Ayar, Kim Ayar, Kim Ayar.",
            {"Kim": "person", "Kim Ayar": "person/other/other"},
            "Kim Ayar",
            True,
        ),
    ],
)
def test_parts_of_peoples_names_are_people(
    text: str, kinds: dict[str, str], name: str, wanted: bool
) -> None:
    found = [kind for each, kind in kinds_of(text, kinds) if each == name]
    assert found
    assert all((kind == "person") is wanted for kind in found)


TURNS = "Ann Lee: Hi.\n\nKim Ayar: Hi.\n\nAnn Lee: So.\n\nKim Ayar: Bye, Kim.\n\nNo One: So."


def test_whose_turns_are_marked_is_a_person() -> None:
    found = kinds_of(TURNS, {"Ann Lee": "person"})
    assert ("No One", "person") not in found  # one turn marks nobody
    assert found.count(("Kim Ayar", "person")) == 2
    assert ("Kim", "person") in found
    assert not kinds_of(TURNS, {})  # Prep Time: Cook Time: Prep Time: ...


def test_a_name_before_i_is_found_again() -> None:
    text = "Kim Ayar sat. So Kim I guess left."
    assert kinds_of(text, {"Kim Ayar": "person"})[1] == ("Kim", "person")
