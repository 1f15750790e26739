"""Whose names are one: tables of what merges and what must not, and what a text says again."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragtor.entities import (
    Mentions,
    NameRow,
    clean_name,
    find_names,
    merge_names,
    quoted_mentions,
    read_mentions,
)
from dragtor.entities.spelling import abbreviates, person_name, thing_words, trimmed
from dragtor.transcript import edits
from dragtor.types import Document, LabelledSpan, Segment

Groups = set[frozenset[str]]
NAMED_IN_A = "a: "


def groups(
    names: Sequence[str],
    kind: str = "person",
    speakers: Sequence[tuple[str, str]] = (),
    defined: Mapping[str, Mapping[str, str]] | None = None,
) -> Groups:
    """What is one, of names written "document: name", or "document: name *5" with a count."""
    rows = []
    for each in names:
        document, _, name = each.partition(": ")
        name, _, count = name.partition(" *")
        rows.append(NameRow(document, kind, name, int(count or 1)))
    merged = merge_names(rows, speakers, defined)
    found: dict[str, set[str]] = defaultdict(set)
    for row, each in zip(rows, names, strict=True):
        found[merged.meant[row[:3]]].add(each)
    return {frozenset(group) for group in found.values()}


ONE = [
    ("a: Yves Gravelle", "b: yves gravelle"),
    ("a: Yves Gravelle", "b: YVES GRAVELLE"),
    ("a: Yvés Gravelle", "b: Yves Gravelle"),
    ("a: Yves Gravelle", "b: Yves Gravelle's"),
    ("a: Yves Gravelle", "b: Yves Gravelle’s"),
    ("a: Yves Gravelle", "b: Dr. Yves Gravelle"),
    ("a: Yves Gravelle", "b: Professor Yves Gravelle, PhD"),
    ("a: Jane Roe, M.D.", "b: Dr Jane Roe"),
    ("a: Yves Gravelle", "b: Gravelle, Yves"),
    ("a: Yves Gravelle", "b: Yves   Gravelle"),
    ("a: Søren Kierkegaard", "b: Soren Kierkegaard"),
    ("a: Łukasz Nowakowski", "b: Lukasz Nowakowski"),
    ("a: Conan O'Brien", "b: Conan O’Brien", "c: Conan OBrien"),
    ("a: Jean-Luc Picard", "b: Jean Luc Picard", "c: Jeanluc Picard"),
    ("a: John DeMaria", "b: John De Maria"),
    ("a: Anna Smith-Jones", "b: Anna Smith Jones"),
    ("a: Ludwig van Beethoven", "b: Ludwig Van Beethoven"),
    ("a: John Kennedy", "b: John F. Kennedy", "c: John Fitzgerald Kennedy"),
    ("a: J.K. Rowling", "b: J. K. Rowling", "c: JK Rowling"),
    ("a: Martin King Jr.", "b: Martin King, Jr"),
    ("a: Yves Gravelle *5", "b: Yves Gravele"),
    ("a: Yves Gravelle *5", "b: Yves Gravell", "c: Yves Gravlele"),
    ("a: Matthew Bernstein *5", "b: Mattew Bernstein"),
    ("a: Alexander Megos", "b: Alexander Megoss"),
    ("a: Hans Schwarzenegger *3", "b: Hans Schwarzeneger", "c: Hans Schwarznegger"),
    ("a: Yves Gravelle", "a: Yves", "a: Gravelle"),
    ("a: Yves Gravelle", "a: Mr. Gravelle", "a: Dr. Gravelle"),
    ("a: Vincent van Gogh", "a: van Gogh", "a: Gogh"),
    ("a: Mary Jane Watson", "a: Mary Jane", "a: Watson"),
    ("a: Yves Gravelle", "a: Gravele"),
]


@pytest.mark.parametrize("names", ONE, ids="|".join)
def test_one_person(names: Sequence[str]) -> None:
    assert groups(names) == {frozenset(names)}


TWO = [
    # short names have neighbours
    (("a: John Smith",), ("b: Joan Smith",)),
    (("a: Jon Smith",), ("b: John Smith",)),
    (("a: John Smith",), ("b: John Smyth",)),
    (("a: Maria Gonzalez *9",), ("b: Mario Gonzalez",)),
    (("a: Daniel Fischer *9",), ("b: Daniela Fischer",)),
    (("a: Christina Andrews",), ("b: Christine Andrews",)),
    (("a: Peter Christensen",), ("b: Peter Christenson",)),
    (("a: Peter Williamson *9", "b: Peter Williamson"), ("c: Peter Villiamson",)),
    # a slip is nobody else's name
    (("a: Peter Bergmann *9",), ("b: Peter Bergman",), ("c: Susan Bergman",)),
    # both are well founded
    (
        ("a: Stephan Gravelle *3", "b: Stephan Gravelle *3"),
        ("c: Stephen Gravelle *3", "d: Stephen Gravelle *3"),
    ),
    # initials
    (("a: John Smith",), ("b: J. Smith",)),
    (("a: John Smith",), ("a: J. Smith",)),
    (("a: J. Smith",), ("b: J. Smith",)),
    (("a: John Smith",), ("a: John S.",)),
    (("a: John F. Kennedy",), ("b: John Q. Kennedy",), ("c: John Kennedy",)),
    (("a: Mary Ann Smith",), ("b: Mary Smith",)),
    # generations
    (("a: John Smith Sr.",), ("a: John Smith Jr.",), ("a: John",), ("a: Smith",)),
    (("a: Ken Griffey",), ("b: Ken Griffey Jr.",)),
    (("a: Henry Ford II",), ("b: Henry Ford III",)),
    # names alone
    (("a: John Smith",), ("a: John Baker",), ("a: John",)),
    (("a: James Smith",), ("a: LeBron James",), ("a: James",)),
    (("a: Yves Gravelle",), ("b: Yves",)),
    (("a: Yves",), ("b: Yves",)),
    (("a: Mr. Smith",), ("a: Mrs. Smith",), ("a: John Smith",)),
    (("a: Smith Jones",), ("a: Mr. Smith",)),
    (("a: Ann Alee",), ("b: Anna Lee",)),
    (("a: Daniel Fischer",), ("a: Daniela",)),
    (("a: Will Smith",), ("b: Will Smith-Jones",)),
]


@pytest.mark.parametrize("apart", TWO, ids=lambda apart: "|".join(sum(apart, ())))
def test_people_who_are_not_one(apart: Sequence[Sequence[str]]) -> None:
    names = [name for group in apart for name in group]
    assert groups(names) == {frozenset(group) for group in apart}


THINGS = [
    ("a: Acme Inc.", "b: Acme", "c: ACME, Inc", "d: The Acme Company", "e: Acme's"),
    ("a: Tiffany & Co.", "b: Tiffany and Company", "c: Tiffany"),
    ("a: U.S.", "b: US"),
    ("a: Face book", "b: Facebook"),
    ("a: Coca-Cola", "b: Coca Cola"),
    ("a: the Netherlands", "b: Netherlands"),
    ("a: São Paulo", "b: Sao Paulo"),
    ("a: Massachusetts Institute of Technology *4", "b: Massachusets Institute of Technology"),
]


@pytest.mark.parametrize("names", THINGS, ids="|".join)
def test_one_thing(names: Sequence[str]) -> None:
    assert groups(names, "organisation") == {frozenset(names)}


@pytest.mark.parametrize(
    "names",
    [
        ("a: Northwest Airlines *9", "b: Southwest Airlines"),
        ("a: Austria", "b: Australia"),
        ("a: Slovenia *9", "b: Slovakia"),
        ("a: Niger", "b: Nigeria"),
        ("a: United State *9", "b: United States"),
        ("a: Formula Racing 1 *9", "b: Formula Racing 2"),
        ("a: World Health Organization", "b: WHO"),
        ("a: World Health Organization", "a: WHO"),  # the text defines nothing
        ("a: Acme", "b: Acme Climbing"),
        ("a: Washington", "b: Washington State"),
    ],
    ids="|".join,
)
def test_things_that_are_not_one(names: Sequence[str]) -> None:
    assert len(groups(names, "organisation")) == len(names)


def test_an_acronym_where_it_is_defined() -> None:
    names = ["a: World Health Organization", "a: WHO", "b: WHO", "c: world health organization"]
    defined = {"a": {"WHO": "World Health Organization"}}
    assert groups(names, "organisation", defined=defined) == {
        frozenset([names[0], names[1], names[3]]),
        frozenset([names[2]]),
    }


def test_nothing_is_one_across_kinds() -> None:
    rows = [
        NameRow("a", "person", "George Washington", 2),
        NameRow("a", "person", "Washington", 1),
        NameRow("a", "place", "Washington", 1),
    ]
    merged = merge_names(rows)
    ids = [merged.meant[row[:3]] for row in rows]
    assert ids[0] == ids[1] != ids[2]
    assert {merged.entities[i].name for i in ids} == {"George Washington", "Washington"}


def test_speakers_are_people_too() -> None:
    rows = [NameRow("a", "person", "Steven", 3), NameRow("b", "person", "Steven Low", 1)]
    merged = merge_names(rows, [("a", "Steven Low"), ("a", "Tyler Nelson")])
    assert merged.meant["a", "person", "Steven"] == merged.heard["a", "Steven Low"]
    assert merged.meant["b", "person", "Steven Low"] == merged.heard["a", "Steven Low"]
    assert merged.entities[merged.heard["a", "Tyler Nelson"]].name == "Tyler Nelson"


def test_a_speaker_is_not_the_other_speaker() -> None:
    merged = merge_names(
        [NameRow("a", "person", "Steven", 3)], [("a", "Steven"), ("a", "Steven Low")]
    )
    assert merged.heard["a", "Steven"] != merged.heard["a", "Steven Low"]
    assert merged.meant["a", "person", "Steven"] == merged.heard["a", "Steven"]


@pytest.mark.parametrize(
    ("kind", "counts", "name"),
    [
        ("person", {"YVES GRAVELLE": 5, "Yves Gravelle": 2, "Yves": 9}, "Yves Gravelle"),
        ("person", {"Dr. Jane Roe": 3}, "Jane Roe"),
        ("person", {"Mrs. Roe": 3}, "Mrs. Roe"),
        ("organisation", {"Acme": 3, "Acme Inc.": 3}, "Acme"),
        ("organisation", {"IBM": 3}, "IBM"),
    ],
)
def test_what_an_entity_is_called(kind: str, counts: dict[str, int], name: str) -> None:
    merged = merge_names([NameRow("a", kind, each, n) for each, n in counts.items()])
    (entity,) = merged.entities.values()
    assert entity.name == name
    assert set(entity.aliases) == set(counts) - {name}


@given(st.lists(st.tuples(st.sampled_from("ab"), st.text(max_size=12)), max_size=8))
def test_any_text_is_a_name(names: list[tuple[str, str]]) -> None:
    rows = [
        NameRow(document, kind, name, 1)
        for document, name in dict.fromkeys(names)
        for kind in ("person", "other")
    ]
    merged = merge_names(rows, names)
    assert merged.meant.keys() == {row[:3] for row in rows}
    assert set(merged.meant.values()) | set(merged.heard.values()) == merged.entities.keys()


def test_the_order_of_rows_does_not_matter() -> None:
    names = sorted({name for group in ONE for name in group})
    whole = groups(names)
    chance = random.Random(7)
    for _ in range(5):
        chance.shuffle(names)
        assert groups(names) == whole


def test_a_hundred_thousand_rows_are_merged_in_seconds() -> None:
    chance = random.Random(7)
    letters = "abcdefghijklmnoprstuvw"

    def word(n: int) -> str:
        return "".join(chance.choices(letters, k=n)).title()

    firsts, lasts = [word(5) for _ in range(400)], [word(8) for _ in range(4000)]
    rows = {}
    while len(rows) < 100_000:
        name = f"{chance.choice(firsts)} {chance.choice(lasts)}"
        if chance.random() < 0.3:
            name = name.split()[chance.randrange(2)]
        row = NameRow(f"d{chance.randrange(2000)}", "person", name, 1)
        rows[row[:3]] = row
    begun = time.process_time()
    merge_names(list(rows.values()))
    assert time.process_time() - begun < 20


# Names taken apart


@pytest.mark.parametrize(
    ("one", "other", "most", "wanted"),
    [
        ("gravelle", "gravelle", 2, 0),
        ("gravelle", "gravele", 2, 1),
        ("gravelle", "gravlele", 2, 1),
        ("abcd", "badc", 2, 2),
        ("abc", "xyz", 1, 2),
        ("", "ab", 1, 2),
        ("", "", 1, 0),
    ],
)
def test_edits(one: str, other: str, most: int, wanted: int) -> None:
    assert edits(one, other, most) == edits(other, one, most) == wanted


@pytest.mark.parametrize(
    ("short", "full", "fits"),
    [
        ("WHO", "World Health Organization", True),
        ("IFSC", "International Federation of Sport Climbing", True),
        ("DoD", "Department of Defense", True),
        ("CDC", "Centers for Disease Control and Prevention", True),
        ("U.S.", "United States", True),
        ("AAPL", "Apple Inc", False),
        ("UK", "Great Britain", False),
        ("W", "World", False),
    ],
)
def test_acronyms(short: str, full: str, fits: bool) -> None:
    assert abbreviates(short, full) is fits


def test_parts_of_names() -> None:
    assert person_name("Dr. Vincent van Gogh").last == "vangogh"
    assert not person_name("J. van Gogh").is_full
    assert person_name("Mrs. Smith").title == "f"
    assert thing_words("The U.S. Steel Corp.") == ("us", "steel")
    assert thing_words("the") == ("the",)
    assert clean_name(" “Yves\n Gravelle’s” ") == "Yves Gravelle"


@given(st.text(max_size=20))
def test_a_trimmed_span_is_the_clean_name(text: str) -> None:
    start, end = trimmed(text, 0, len(text))
    assert 0 <= start <= end <= len(text)
    assert clean_name(text) == " ".join(text[start:end].split())


# Mentions of one document


def mentions(text: str, names: Mapping[str, str], **more: object) -> Mentions:
    """What is read where a tagger finds the first place of each name."""
    at = [(text.find(name), name) for name in names]
    found = [LabelledSpan(n, n + len(m), names[m], 0.9) for n, m in at if n >= 0]
    return read_mentions(text, found, **more)  # type: ignore[arg-type]


def said(text: str, names: Mapping[str, str], **more: object) -> list[tuple[str, str]]:
    found = mentions(text, names, **more)  # type: ignore[arg-type]
    spans = [(s.start, s.end) for s in found.spans]
    assert spans == sorted(spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    return [(text[s.start : s.end], s.label) for s in found.spans]


def test_a_name_is_found_where_it_is_said_again() -> None:
    text = (
        "Yves Gravelle spoke. Then Gravelle's coach, and Yves, and YVES GRAVELLE again. "
        "Ottawa is cold; OTTAWA? Ottawa."
    )
    assert said(text, {"Yves Gravelle": "person", "Ottawa": "place"}) == [
        ("Yves Gravelle", "person"),
        ("Gravelle", "person"),
        ("Yves", "person"),
        ("YVES GRAVELLE", "person"),
        ("Ottawa", "place"),
        ("Ottawa", "place"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Will Smith spoke. Will you come? She will.",  # a word of this text
        "Yves Gravelle met someone. So did Yves Klein.",
        "Yves Gravelle met someone. Anna Maria Gravelle came.",
        "John Smith and John Baker met. John left.",
        "Al Gore met someone. Al left.",  # too short
    ],
)
def test_a_name_alone_that_may_be_another_is_left(text: str) -> None:
    names = {"Will Smith", "Yves Gravelle", "John Smith", "John Baker", "Al Gore"}
    known = dict.fromkeys((n for n in names if n in text), "person")
    assert len(said(text, known)) == len(known)


def test_a_name_of_two_kinds_is_not_looked_for() -> None:
    text = "Paris came. Paris is big. So is Paris."
    spans = [LabelledSpan(0, 5, "person", 0.9), LabelledSpan(12, 17, "place", 0.9)]
    assert len(read_mentions(text, spans).spans) == 2


def test_who_speaks_is_found_where_named() -> None:
    text = "Today Ann Lee is here. Welcome, Ann."
    assert said(text, {}, speakers=["Ann Lee"]) == [("Ann Lee", "person"), ("Ann", "person")]


def test_definitions_are_read_both_ways() -> None:
    text = (
        "The World Health Organization (WHO) met the NSF (the National Science Foundation). "
        "WHO paid; NSF too. (IBM) who?"
    )
    names = {"World Health Organization": "organisation", "National Science Foundation": "place"}
    found = mentions(text, names)
    assert found.defined == {
        "WHO": "World Health Organization",
        "NSF": "National Science Foundation",
    }
    shorts = [text[s.start : s.end] for s in found.spans if s.end - s.start == 3]
    assert shorts == ["WHO", "NSF", "WHO", "NSF"]


def test_of_spans_that_overlap_the_longest_counts() -> None:
    text = "Here Yves Gravelle hangs and rests a while and Ottawa is far from here."
    names = {"Yves Gravelle": "person", "Yves": "person", "Ottawa": "place"}
    assert said(text, names) == [("Yves Gravelle", "person"), ("Ottawa", "place")]


def test_a_mention_is_trimmed() -> None:
    text = 'He met "Yves Gravelle\'s", he said.'
    spans = [LabelledSpan(7, 24, "person", 0.9), LabelledSpan(24, 25, "person", 0.9)]
    (found,) = read_mentions(text, spans).spans
    assert text[found.start : found.end] == "Yves Gravelle"


def test_the_sentence_of_a_mention() -> None:
    text = "# Head\n\nYves hangs. Then Yves rests.\n\nNobody here. Max and Yves."
    segments = (Segment(0, len(text), start_s=5.0, end_s=9.0, speaker="S0"),)
    document = Document("d", "https://e.org/a.mp3", "audio", "T", text, segments=segments)
    spans = [(m, m + 4) for m in (8, 25, len(text) - 5)]
    found = list(quoted_mentions(document, [*spans, spans[0]]))
    assert [c.quote for c in found] == ["Yves hangs.", "Then Yves rests.", "Max and Yves."]
    assert [c.n for c in found] == [1, 2, 3]
    assert found[0].url.endswith("#t=5")
    (whole,) = quoted_mentions(document, [(8, 36)])
    assert whole.quote == "Yves hangs. Then Yves rests."


# Names of whole documents


def test_only_sentences_that_may_hold_a_name_are_read() -> None:
    text = (
        "We rest a lot. Yves hangs. So what? They say Ottawa is cold. Then we eat. "
        "Yves rests. Yves sleeps. Yves eats."
    )
    read: list[str] = []

    def tag(texts: Sequence[str]) -> list[list[LabelledSpan]]:
        read.extend(texts)
        return [
            [LabelledSpan(at, at + 4, "person", 0.9)] if (at := t.find("Yves")) >= 0 else []
            for t in texts
        ]

    found = find_names(text, tag)
    assert read == ["Yves hangs.", "They say Ottawa is cold.", "Yves rests."]
    assert [text[s.start : s.end] for s in found] == ["Yves"] * 4
    assert [s.start for s in found] == sorted(s.start for s in found)
    read.clear()
    find_names(text.lower(), tag)
    assert read == [text.lower()]  # without capitals all is read
    assert find_names("", tag) == []
