"""Who is in a library: named, heard, in a picture, as author; and what they said, newest first."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
from conftest import Cli
from fakes import HashingEmbedder, ListTagger, Notes

from dragtor import Library, schema
from dragtor.errors import UsageError
from dragtor.overview import People, Person
from dragtor.parts import Parts
from dragtor.types import Document, Segment, Source, Speaker, short_hash

NAMES = {
    "Yves Gravelle": "person", "Gravelle": "person", "Alex Megos": "person",
    "Alex Honnold": "person", "Alex": "person", "Ottawa": "place", "Dana Scott": "person",
}  # fmt: skip
WEB = (
    "Yves Gravelle lives in Ottawa.\n\n“Heavy hangs need long rests,” said Gravelle on Monday. "
    "He trains “every day”. Gravelle met Alex Megos.\n\nAlex Honnold was not there."
)
CHAT = (
    "Dana Scott: Welcome to the show about proofs and programs, everybody.\n\n"
    "Yves Gravelle: I hang from small edges every single morning before work.\n\n"
    "Dana Scott: Sure.\n\nYves Gravelle (laughing): And then I sleep for nine hours or more."
)
SPOKEN = (
    "I tell everybody to rest between hard sessions. It is the rest that makes you strong.",
    "Why is that so, do you think?",
    "Because tendons grow slowly, and they grow at night.",
)


def talk() -> Document:
    text, segments = "", []
    for at, said in enumerate(SPOKEN):
        start = len(text)
        text += f"{said}\n\n"
        label = "S1" if at == 1 else "S0"
        segments.append(
            Segment(start, start + len(said), start_s=10.0 * at, end_s=10.0 * at + 9, speaker=label)
        )
    speakers = (Speaker("S0", "Yves Gravelle"), Speaker("S1", "Dana Scott"))
    return Document(
        short_hash("talk"), "https://e.org/talk.mp3", "audio", "A talk", text.rstrip(),
        published="2026-03-01", segments=tuple(segments), speakers=speakers,
        meta={"duration_s": 30.0},
    )  # fmt: skip


def picture() -> Document:
    text = "From: Yves Gravelle\nSubject: hangs"
    boxes = (Segment(0, 19, box=(10, 20, 200, 40)), Segment(20, 34, box=(10, 50, 180, 70)))
    uri = "file:///inbox.png"
    return Document(short_hash(uri), uri, "image", "inbox.png", text, segments=boxes)


def page(name: str, text: str, published: str = "", author: str = "") -> Document:
    uri = f"https://e.org/{name}"
    return Document(short_hash(uri), uri, "web", name, text, author, published)


DOCUMENTS = (
    page("web", WEB, "2026-01-02", "Dana Scott and Ada Lovelace"),
    page("chat", CHAT, "2026-02-03", "The editors of this"),
    page("essay", "Proofs are programs. A program that runs is a proof that it can be run.",
         "2025-05-05", "By Dana Scott"),
    talk(),
    picture(),
)  # fmt: skip


@pytest.fixture
def library(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setattr(Parts, "embedder", HashingEmbedder())
    monkeypatch.setattr(Parts, "tagger", ListTagger(NAMES))
    monkeypatch.setattr(Parts, "reranker", None)
    with Library(own_folders, reporter=Notes()) as made:
        with made.ingest() as ingest:
            source = Source("s", "s", "web", "All")
            ingest.writer.put_source(source)
            for document in DOCUMENTS:
                ingest.writer.put_pending(source.id, document.uri, "", document)
            ingest.index()
            ingest.tag()
        yield made


def one(library: Library, name: str, n: int = 0) -> Person:
    (person,) = library.people(name, n=n)
    return person


def test_everybody_is_listed_with_where(library: Library) -> None:
    found = {p.name: (p.said, p.heard, p.written, p.seen) for p in library.people()}
    assert found == {
        "Yves Gravelle": (2, 1, 0, 1),
        "Dana Scott": (1, 1, 2, 0),
        "Alex Megos": (1, 0, 0, 0),
        "Alex Honnold": (1, 0, 0, 0),
        "Ada Lovelace": (0, 0, 1, 0),  # nobody names her; "The editors of this" are nobody
    }
    assert library.people()[0].name == "Yves Gravelle"
    assert not any(p.statements or p.appearances for p in library.people())


def test_one_person_has_places_with_deep_links_newest_first(library: Library) -> None:
    person = one(library, "yves gravelle")
    assert person.aliases == ("Gravelle",)
    assert [(a.how, a.times, a.published) for a in person.appearances] == [
        ("heard", 2, "2026-03-01"),
        ("said", 2, "2026-02-03"),
        ("said", 3, "2026-01-02"),
        ("seen", 1, ""),
    ]
    heard, _, web, seen = (a.citation for a in person.appearances)
    assert heard.url == "https://e.org/talk.mp3#t=0"
    assert web.quote == "Yves Gravelle lives in Ottawa."
    assert web.url == "https://e.org/web#:~:text=Yves%20Gravelle%20lives%20in%20Ottawa."
    assert "Yves Gravelle" in seen.quote


def test_what_somebody_said_is_heard_labelled_or_quoted(library: Library) -> None:
    said = one(library, "Yves Gravelle").statements
    assert [(s.published, s.citation.quote) for s in said] == [
        ("2026-03-01", SPOKEN[0]),
        ("2026-03-01", SPOKEN[2]),
        ("2026-02-03", "I hang from small edges every single morning before work."),
        ("2026-02-03", "And then I sleep for nine hours or more."),
        ("2026-01-02", "“Heavy hangs need long rests,” said Gravelle on Monday."),
    ]
    assert [s.citation.n for s in said] == [1, 2, 3, 4, 5]
    assert said[1].citation.url == "https://e.org/talk.mp3#t=20"
    assert said[1].citation.speaker == "Yves Gravelle"
    for each in said:
        text = library.recording(each.citation.document_id).text
        assert each.citation.quote == text[each.citation.start : each.citation.end]
    assert one(library, "Yves Gravelle", n=2).statements == said[:2]


def test_a_short_turn_is_no_statement(library: Library) -> None:
    quotes = [s.citation.quote for s in one(library, "Dana Scott").statements]
    assert quotes == [SPOKEN[1], "Welcome to the show about proofs and programs, everybody."]


def test_an_author_has_written_though_nobody_names_her(library: Library) -> None:
    (found,) = one(library, "Ada Lovelace").appearances
    assert (found.how, found.citation.title) == ("written", "web")
    assert [a.how for a in one(library, "Dana Scott").appearances] == [
        "heard", "said", "written", "written",
    ]  # fmt: skip
    digest = library.digest("Ada Lovelace", model=False)
    assert digest.about == "person"
    assert digest.topics


def test_a_name_of_several_lists_them(library: Library, cli: Cli) -> None:
    found = library.people("Alex")
    assert {p.name for p in found} == {"Alex Megos", "Alex Honnold"}
    assert not any(p.appearances for p in found)
    run = cli("people", "Alex")
    assert (run.code, "Alex means 2 people" in run.err) == (0, True)
    with pytest.raises(UsageError, match="means 2 people: Alex Honnold, Alex Megos"):
        library.digest("Alex")


def test_a_name_of_nobody_has_its_nearest_told(library: Library, cli: Cli) -> None:
    assert library.people("Yvonne Gravel") == []
    assert "nearest: Yves Gravelle" in library.reporter.notes[-1]  # type: ignore[attr-defined]
    assert "nobody found" in cli("people", "Yvonne Gravel").err


def test_speakers_are_people_by_the_name_they_are_given(library: Library) -> None:
    identity = short_hash("talk")
    library.name_speakers(identity, {"S1": "Grace Hopper"})
    person = one(library, "Grace Hopper")
    assert [a.how for a in person.appearances] == ["heard"]
    assert one(library, "Dana Scott").heard == 0


def test_nothing_was_tagged(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Parts, "embedder", HashingEmbedder())
    with Library(own_folders) as library:
        library.add_bytes(b"Yves Gravelle climbs.")
        with pytest.raises(UsageError, match="no names were looked for"):
            library.people()
        with pytest.raises(UsageError, match="no names were looked for") as refused:
            library.digest("Yves Gravelle")
    assert refused.value.hint == "dragtor index --tags"


def test_the_command_prints_and_gives_json(library: Library, cli: Cli) -> None:
    run = cli("people")
    assert run.code == 0, run.err
    assert run.out.splitlines()[0].startswith("Yves Gravelle ")
    assert "in a picture in 1 document" in run.out
    assert "and 3 more" in cli("people", "-n", 2).err
    shown = cli("people", "Yves", "Gravelle", "--json").json
    jsonschema.validate(shown, schema.PEOPLE_SCHEMA)
    assert len(shown["people"][0]["statements"]) == 5
    run = cli("people", "Yves Gravelle", "-n", 1)
    assert "I tell everybody to rest between hard sessions." in " ".join(run.out.split())
    assert "https://e.org/talk.mp3#t=0" in run.out
    assert SPOKEN[2] not in run.out
    jsonschema.validate(cli("people", "--json").json, schema.PEOPLE_SCHEMA)


def test_a_notebook_shows_a_table_or_one_person(library: Library) -> None:
    table = library.people()._repr_html_()
    assert "<table>" in table
    assert "Ada Lovelace" in table
    html = library.people("Yves Gravelle")._repr_html_()
    assert "e.org/talk.mp3#t=20" in html
    assert "<table>" not in html
    assert People()._repr_html_() == "nobody"
    assert json.loads(json.dumps(schema.people_json([]))) == {"people": []}
