"""People and companies of one text by rules: headers, signatures, greetings, addresses, merging.

The texts are made up. What a model adds is test_extract_entities.py's.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragtor.entities import find_entities, last_said, with_known
from dragtor.entities.addresses import addresses
from dragtor.entities.firms import of_camels, with_legal_form
from dragtor.entities.written import is_name, is_turned, listed_names
from dragtor.types import Document, Entity, FoundEntity, FoundMention, LabelledSpan, Segment

MAIL = """From: sofia.hartwell@brindlecove.example
To: Ortega, Mateo; Lindqvist, Karin A.
Subject: Offer

Mateo,
The offer is attached.
Thanks,
Sofia
Sofia Hartwell
Account Manager, Brindlecove Ltd

Original Message
From: Ortega, Mateo
Sent: Monday, May 4, 2026 10:12 AM
To: Hartwell, Sofia
Subject: Offer

Sofia, can you send it again?
Mateo
"""


def document(text: str, segments: Sequence[Segment] = ()) -> Document:
    return Document("d", "", "file", "", text, segments=tuple(segments))


def entities(text: str) -> list[FoundEntity]:
    return last_said(find_entities(document(text)))


def names(text: str, category: str = "person") -> list[set[str]]:
    return [{e.name, *e.aliases} for e in entities(text) if e.category == category]


def test_a_mail_shows_its_people_and_companies() -> None:
    assert names(MAIL) == [
        {"sofia.hartwell@brindlecove.example", "Sofia", "Sofia Hartwell", "Hartwell, Sofia"},
        {"Ortega, Mateo", "Mateo"},
        {"Lindqvist, Karin A."},
    ]
    assert names(MAIL, "company") == [{"Brindlecove Ltd"}]


def test_every_mention_is_a_stretch_of_the_text() -> None:
    for entity in entities(MAIL):
        assert all(MAIL[m.start : m.end] == m.text for m in entity.mentions)
        spelt = {" ".join(m.text.split()) for m in entity.mentions}
        assert {entity.name, *entity.aliases} == spelt


@pytest.mark.parametrize(
    ("line", "people"),
    [
        ("From: Ann Lee <ann.lee@x.example>", [{"Ann Lee", "ann.lee@x.example"}]),
        ('From: "Lee, Ann " < Ann.Lee@x.example >', [{"Lee, Ann", "Ann.Lee@x.example"}]),
        ("From Ann Lee <ann@x.example>", [{"Ann Lee", "ann@x.example"}]),
        ("To: Ann Lee, Bo Berg", [{"Ann Lee"}, {"Bo Berg"}]),
        ("to Ann, Bo, cc Carla Dunn", [{"Ann"}, {"Bo"}, {"Carla Dunn"}]),
        ("To: Lee, Ann; Berg, Bo", [{"Lee, Ann"}, {"Berg, Bo"}]),
        ("To: January, Steven; Berg, Bo", [{"January, Steven"}, {"Berg, Bo"}]),
        ("cc: Ann Lee/HOU/ECT@ECT, Bo Berg/NA/Corp@Corp", [{"Ann Lee"}, {"Bo Berg"}]),
        ("Ann Lee@CORP\n04/13/2001 10:56 AM", [{"Ann Lee"}]),
        ("On Mon, 4 May 2026 at 10:12, Ann Lee wrote:", [{"Ann Lee"}]),
        ("Forwarded by Ann Lee/HOU/ECT on 04/16/2001", [{"Ann Lee"}]),
        ("Ann Lee 9:02 AM\nThat is fine.", [{"Ann Lee"}]),
        ("Ann Lee\nonline", [{"Ann Lee"}]),
        ("Lee, Ann\nTo: Berg, Bo", [{"Lee, Ann"}, {"Berg, Bo"}]),
        ("Dear Ann,", [{"Ann"}]),
        ("Hi Ann and Bo,", [{"Ann"}, {"Bo"}]),
        ("Kind regards,\nAnn Lee", [{"Ann Lee"}]),
        ("can @Carla look at it?", [{"Carla"}]),
        ("a word about Jeff (Rocky) Marsh", [{"Jeff (Rocky) Marsh"}]),
        ("From: no-reply@x.example", []),
        ("From: Billing <invoices@x.example>", []),
        ("To: me", []),
        ("From here on it is easy.", []),
        ("Thanks,\nThe whole team", []),
        ("Questions:", []),
    ],
)
def test_lines_that_name_people(line: str, people: list[set[str]]) -> None:
    assert names(line) == people


def test_a_list_goes_on_in_the_next_line() -> None:
    assert names("To: Ann Lee, Bo Berg,\nCarla Dunn") == [{"Ann Lee"}, {"Bo Berg"}, {"Carla Dunn"}]
    many = "To: " + "; ".join(["Lee, Ann", "Berg, Bo", "Dunn, Carla", "Marsh, Jeff"] * 2)
    assert {"Hill, Mary Kay"} in names(f"{many}; Hill, Mary\nKay; Moss, Dan")


@pytest.mark.parametrize(
    ("text", "people"),
    [
        # an address belongs to the name that it spells, or stands beside
        ("To: ann.lee@x.example\nFrom: Ann Lee", [{"ann.lee@x.example", "Ann Lee"}]),
        ("From: Ann Lee [zz9@x.example]\nTo: zz9@x.example", [{"Ann Lee", "zz9@x.example"}]),
        # and one that cuts a name short, to the only one here whom it fits
        ("To: k..lee@x.example\nFrom: Lee, Ann K.", [{"k..lee@x.example", "Lee, Ann K."}]),
        ("To: aberg@x.example\nFrom: Berg, Ann", [{"aberg@x.example", "Berg, Ann"}]),
        (
            "To: aberg@x.example\nCc: Berg, Ann; Berg, Al",
            [{"aberg@x.example"}, {"Berg, Ann"}, {"Berg, Al"}],
        ),
        # nicknames and second first names
        ("From: Saunders, James\nJim Saunders", [{"Saunders, James", "Jim Saunders"}]),
        ("To: Watson, Kimberly\n\nThanks, Kim.", [{"Watson, Kimberly", "Kim"}]),
        ("To: Hill, Mary Kay; kay.hill@x.example", [{"Hill, Mary Kay", "kay.hill@x.example"}]),
        ("From: Kuehl, Toby\nTo: Kuehl Toby", [{"Kuehl, Toby", "Kuehl Toby"}]),
        # two of one first name stay two, and so do two of one last name
        ("To: Lee, Ann; Berg, Ann\n\nAnn,", [{"Lee, Ann"}, {"Berg, Ann"}, {"Ann"}]),
        ("To: Lee, Ann; Lee, Bo", [{"Lee, Ann"}, {"Lee, Bo"}]),
        (
            "To: m..berg@x.example, mia.berg@x.example",
            [{"m..berg@x.example"}, {"mia.berg@x.example"}],
        ),
        ("To: Berg, Dana; Hill, Mark\n\nDan and Mary,", [{"Berg, Dana"}, {"Hill, Mark"}]),
        # never by an initial, but for who signs a mail of that sender
        ("Cc: Lee, Ann; Moss, Dan\n\nTo: A. Lee", [{"Lee, Ann"}, {"Moss, Dan"}, {"A. Lee"}]),
        ("From: Lee, Ann\n\nFine.\n\nA. Lee", [{"Lee, Ann", "A. Lee"}]),
        # one address of two people is neither's alone
        ("From: Ann & Bo <family@x.example>", [{"Ann"}, {"Bo"}]),
    ],
)
def test_who_is_who(text: str, people: list[set[str]]) -> None:
    found = names(text)
    if "Jim Saunders" in text:  # which no rule finds in prose
        found = names("From: Saunders, James\nTo: Saunders, Jim")
        people = [{"Saunders, James", "Saunders, Jim"}]
    assert found == people


@pytest.mark.parametrize(
    ("text", "firms"),
    [
        ("We met Fenwick & Sons Ltd in May.", [{"Fenwick & Sons Ltd"}]),
        ("Could Ostrava Pumps GmbH send it?", [{"Ostrava Pumps GmbH"}]),
        ("It is from Harbour Union Gas.", [{"Harbour Union Gas"}]),
        ("Ask KeyHarbor about it.", [{"KeyHarbor"}]),
        ("Greetings from Brindlecove, a@brindlecove.example", [{"Brindlecove"}]),
        ("Write to a@gmail.com, as Gmail does.", []),
        ("Fenwick AG and Fenwick", [{"Fenwick AG", "Fenwick"}]),
        ("He is McDonald and she MacLeod.", []),
    ],
)
def test_companies_by_their_form(text: str, firms: list[set[str]]) -> None:
    found = names(text, "company")
    if "and Fenwick" in text:
        found = names("Fenwick AG\na@fenwick.example\nFenwick", "company")
    assert found == firms


def test_addresses_as_pictures_are_read() -> None:
    text = "Dana. Hill@X.example, a@quill. example and deforest@ Nat.example; "
    text += "not a@b, @Ann or x+3Ca@b.example"
    assert [(a.local, a.domain) for a in addresses(text)] == [
        ("Dana. Hill", "X.example"),
        ("a", "quill.example"),
        ("deforest", "Nat.example"),
    ]
    (one,) = addresses("ann.b.lee2@mail.brindle-cove.co.uk")
    assert (one.implied, one.stem, one.is_role) == (("ann", "b", "lee"), "brindlecove", False)


def test_what_may_be_a_name() -> None:
    assert all(map(is_name, ["Ann", "Bram van der Heijde", "O'Neil", "Zoë", "Ann K. Lee", "TK"]))
    assert not any(map(is_name, ["ann", "Thanks", "May", "Fenwick Ltd", "The Team", "A", "", "42"]))
    assert is_turned("Lee, Ann K.")
    assert is_turned("Cobb Jr., John")
    assert not is_turned("Ann Lee, Bo Berg Dunn Marsh Hill")
    assert not is_turned("Lee, Jr.")


def test_a_wrapped_company_is_one() -> None:
    text = "we are glad that Ostrava\nPumps GmbH will send it"
    assert [text[a:b] for a, b in with_legal_form(text, 0, len(text))] == ["Ostrava\nPumps GmbH"]
    assert not list(of_camels("PowerPC and IBM", 0, 15))


def test_a_stream_begins_with_what_needs_no_model() -> None:
    text = "From: Ann Lee\n\nI met Carla Dunn."
    asked: list[str] = []

    def tag(texts: Sequence[str]) -> list[list[LabelledSpan]]:
        asked.extend(texts)
        places = [text.find("Carla Dunn") for text in texts]
        return [[LabelledSpan(p, p + 10, "person", 0.9)] if p >= 0 else [] for p in places]

    stream = find_entities(document(text), tag)
    assert next(stream).name == "Ann Lee"
    assert not asked
    assert [entity.name for entity in stream] == ["Carla Dunn"]


def test_a_later_entity_stands_in_the_place_of_those_that_it_joins() -> None:
    def made(name: str, *starts: int) -> FoundEntity:
        mentions = tuple(FoundMention("x", start, start + 1) for start in starts)
        return FoundEntity(name, "person", (), mentions)

    kept = last_said([made("Kim", 5), made("kw@x", 0), made("Bo", 3), made("Kim Watson", 0, 5, 9)])
    assert [entity.name for entity in kept] == ["Kim Watson", "Bo"]


def test_a_time_beside_a_name_makes_it_a_sender() -> None:
    rows = [
        ("Ann Lee", (10, 0, 80, 10)),
        ("Site visit", (10, 12, 80, 22)),
        ("10:02", (200, 0, 230, 10)),
    ]
    rows += [
        ("Sent Items", (10, 40, 80, 50)),
        ("Mercury", (10, 60, 80, 70)),
        ("Mon", (200, 60, 230, 70)),
    ]
    text, segments = "", []
    for line, box in rows:
        segments.append(Segment(len(text), len(text) + len(line), box=box))
        text += f"{line}\n\n"
    found = last_said(find_entities(document(text, segments)))
    assert [(e.name, e.mentions[0].box) for e in found] == [("Ann Lee", (10, 0, 80, 10))]


def test_only_who_is_called_just_so_is_known() -> None:
    library = [Entity("1", "person", "Ann Lee", ("Lee, Ann",), 3), Entity("2", "person", "Bo Lee")]

    def look_up(kind: str, name: str) -> list[Entity]:
        return [e for e in library if kind == e.kind and name.split()[-1] in e.name]

    def known(name: str, *aliases: str) -> Entity | None:
        return with_known(FoundEntity(name, "person", aliases), look_up).known

    assert known("Lee, Ann") == library[0]
    assert known("ann@x.example", "Ann Lee") == library[0]
    assert known("Lee") is None  # a name alone may be anybody's
    assert known("Carla Lee") is None
    assert known("Ann Lee", "Bo Lee") is None


PIECES = st.lists(
    st.one_of(
        st.sampled_from(
            ["From: ", "To: ", "\n", "Ann Lee", "Lee, Ann", "<a@b.example>", ";", ",", "&"]
        ),
        st.text(max_size=12),
    ),
    max_size=25,
).map("".join)


@settings(max_examples=150, deadline=None)
@given(PIECES)
def test_no_text_is_too_odd_and_nothing_is_made_up(text: str) -> None:
    flat = " ".join(text.split())
    for entity in entities(text):
        assert entity.name in flat
        assert entity.mentions
        for mention in entity.mentions:
            assert mention.text == text[mention.start : mention.end]


def test_an_address_without_a_letter_is_nobodys_short_form() -> None:
    assert names("From: Ann Lee\n\nwrite to 1..2@acme.example") == [
        {"Ann Lee"},
        {"1..2@acme.example"},
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a." * 20_000, "Ann " * 20_000, "Lee, Ann; " * 4_000, "<" * 50_000, "a@" * 20_000,
        'a"' * 20_000, "a@" + "a-" * 20_000, "On a, b" + " " * 20_000 + "x",
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_long_lines_take_no_long_time(text: str) -> None:
    start = time.process_time()
    entities(text)
    entities(f"To: {text}")
    assert time.process_time() - start < 10


def test_a_list_gives_names_with_their_addresses() -> None:
    text = '"Lee, Ann" <a@x.example>, Bo <b@y.example>, c@z.example'
    found = [
        (re.sub("\n", " ", text[slice(*w.name)]) if w.name else "", w.address and w.address.local)
        for w in listed_names(text, 0, len(text))
    ]
    assert found == [("Lee, Ann", "a"), ("Bo", "b"), ("", "c")]
