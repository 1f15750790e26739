"""Tags in a library: found once, kept with their document, merged into entities, searched by."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from conftest import ROOT, Cli, digest
from fakes import HashingEmbedder, ListTagger, Notes
from test_store import document, put

from dragtor import Library, load_config, schema
from dragtor.errors import Cancelled, Missing, UsageError
from dragtor.ingest import Ingest, merge_entities
from dragtor.parts import Parts
from dragtor.store import (
    Filters,
    Store,
    Writer,
    entities_of,
    put_speakers,
    put_topics,
    untagged,
)
from dragtor.store.named import holding
from dragtor.store.schema import MIGRATIONS
from dragtor.types import CancelToken, LabelledSpan, Report, Segment, Speaker

NAMES = {
    "Yves Gravelle": "person",
    "Gravelle": "person",
    "Yves Gravele": "person",
    "YVES GRAVELLE": "person",
    "Alex Megos": "person",
    "Alex": "person",
    "World Health Organization": "organisation",
    "WHO": "organisation",
    "Céüse": "place",
    "Ottawa": "place",
}
PAGES = {
    "gravelle": "# Strength\n\nYves Gravelle lives in Ottawa. Gravelle's hangs are heavy.\n\n"
    "Rest is long. Nobody is named here.\n",
    "megos": "# Climbs\n\nAlex Megos climbed in Céüse. Alex trained with Yves Gravele.\n",
    "health": "# Health\n\nThe World Health Organization (WHO) says so. The WHO knows.\n",
    "alone": "# Alone\n\nAlex slept. The WHO was silent.\n",
}


class CountingEmbedder(HashingEmbedder):
    """A HashingEmbedder that stands for every embedder opened in a test."""

    opened = 0


@pytest.fixture
def tagger(monkeypatch: pytest.MonkeyPatch) -> ListTagger:
    """The tagger and a small embedder, in place of the real ones."""
    made = ListTagger(NAMES)
    embedder = CountingEmbedder()
    monkeypatch.setattr(Parts, "tagger", made)
    monkeypatch.setattr(Parts, "embedder", embedder)
    monkeypatch.setattr(Parts, "reranker", None)
    monkeypatch.setattr(made, "embedder", embedder, raising=False)
    return made


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    folder = tmp_path / "pages"
    folder.mkdir()
    for name, text in PAGES.items():
        (folder / f"{name}.md").write_text(text)
    return folder


@pytest.fixture
def library(own_folders: Path, pages: Path, tagger: ListTagger) -> Iterator[Library]:
    """Four pages, tagged."""
    with Library(own_folders) as made:
        made.add(pages)
        made.index(tags=True)
        yield made


def listed(library: Library, kind: str = "", name: str = "") -> dict[str, tuple[int, int]]:
    return {e.name: (e.mentions, e.documents) for e in library.tags(kind, name)}


def rows(folder: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "library.db")) as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()


def test_who_and_what_is_talked_about(library: Library) -> None:
    assert listed(library, "person") == {
        "Yves Gravelle": (3, 2),
        "Alex Megos": (2, 1),
        "Alex": (1, 1),
    }
    assert listed(library, "organisation") == {"World Health Organization": (3, 1), "WHO": (1, 1)}
    assert listed(library, "place") == {"Céüse": (1, 1), "Ottawa": (1, 1)}
    (entity,) = library.tags(name="yves gravelle")
    assert entity.aliases == ("Gravelle", "Yves Gravele")
    assert not entity.heard
    assert [e.mentions for e in library.tags()] == sorted(
        (e.mentions for e in library.tags()), reverse=True
    )


def test_tags_stand_where_the_text_says(library: Library) -> None:
    for document_id, start, end, _, name, entity, score, version in rows(library.folder, "tags"):
        found = library.document(str(document_id))
        assert found is not None
        assert found.text[start:end] == name  # type: ignore[misc]
        assert entity
        assert score in (0.9, 1.0)
        assert str(version).startswith("list-1+")


def test_where_a_name_is_said(library: Library) -> None:
    entities = library.tags(name="Gravelle")
    said = library.mentions(*entities)
    assert {c.quote for c in said} == {
        "Yves Gravelle lives in Ottawa.",
        "Gravelle's hangs are heavy.",
        "Alex trained with Yves Gravele.",
    }
    assert [c.n for c in said] == [1, 2, 3]
    for citation in said:
        found = library.document(citation.document_id)
        assert found is not None
        assert found.text[citation.start : citation.end] == citation.quote
        assert ":~:text=" in citation.url
    assert library.mentions(*entities, n=2) == said[:2]


def test_nothing_is_embedded_and_nothing_tagged_twice(
    library: Library, tagger: ListTagger, pages: Path
) -> None:
    embedded, texts = tagger.embedder.embedded, tagger.texts  # type: ignore[attr-defined]
    assert library.index(tags=True) == Report()
    assert tagger.texts == texts
    (pages / "alone.md").write_text("# Alone\n\nAlex Megos slept.\n")
    library.sync()
    assert listed(library, "person") == {"Yves Gravelle": (3, 2), "Alex Megos": (2, 1)}
    assert library.index(tags=True).tagged == 1
    assert tagger.texts == texts + 2  # a heading and a sentence
    assert listed(library, "person") == {"Yves Gravelle": (3, 2), "Alex Megos": (3, 2)}
    embedded = tagger.embedder.embedded  # type: ignore[attr-defined]
    tagger.version = "list-2"
    tagger.names = {"Ottawa": "place"}
    assert library.index(tags=True).tagged == 4
    assert listed(library) == {"Ottawa": (1, 1)}
    assert tagger.embedder.embedded == embedded  # type: ignore[attr-defined]


def test_add_tags_where_it_is_told_to(own_folders: Path, pages: Path, tagger: ListTagger) -> None:
    with Library(own_folders, config=load_config(overrides={"tags": {"auto": True}})) as library:
        assert library.add(pages / "alone.md").tagged == 1
        assert library.add_bytes(b"Alex Megos again").tagged == 1
        (pages / "alone.md").write_text("Alex Megos")
        assert library.sync().tagged == 1
        assert listed(library) == {"Alex Megos": (2, 2)}


@pytest.mark.parametrize("tagger", [Missing("no such model"), UsageError("unknown model 'x'")])
def test_nothing_is_stored_where_it_cannot_be_tagged(
    own_folders: Path, pages: Path, monkeypatch: pytest.MonkeyPatch, tagger: Exception
) -> None:
    def broken(_: Parts) -> ListTagger:
        raise tagger

    monkeypatch.setattr(Parts, "embedder", HashingEmbedder())
    with Library(own_folders) as library:
        library.add(pages / "alone.md")
    monkeypatch.setattr(Parts, "tagger", property(broken))
    (pages / "alone.md").write_text("Alex Megos")
    with Library(own_folders, config=load_config(overrides={"tags": {"auto": True}})) as library:
        before = library.documents()
        for write in (
            lambda: library.add(pages / "megos.md"),
            lambda: library.add_bytes(b"Alex Megos again"),
            library.sync,
            library.index,
        ):
            with pytest.raises(type(tagger), match="model"):
                write()
        assert library.documents() == before
        assert library.add(pages / "megos.md", index=False).added == 1  # is not tagged yet


def test_a_removed_source_leaves_no_trace(
    own_folders: Path, pages: Path, tagger: ListTagger
) -> None:
    with Library(own_folders) as library:
        for name in PAGES:
            library.add(pages / f"{name}.md")
        library.index(tags=True)
        sources = {source.uri.rpartition("/")[2]: source.id for source in library.sources()}
        library.remove(sources["megos.md"])
        assert listed(library, "person") == {"Yves Gravelle": (2, 1), "Alex": (1, 1)}
        for name in PAGES:
            if name != "megos":
                library.remove(sources[f"{name}.md"])
    for table in ("tags", "entities", "heard", "tagged"):
        assert rows(own_folders, table) == []
    for file in own_folders.rglob("*"):
        if file.is_file():
            assert b"Gravel" not in file.read_bytes(), file
            assert b"Megos" not in file.read_bytes(), file


def test_a_name_that_only_a_removed_document_gave_is_gone(
    own_folders: Path, pages: Path, tagger: ListTagger
) -> None:
    (pages / "loud.md").write_text("YVES GRAVELLE, again: YVES GRAVELLE.")
    with Library(own_folders) as library:
        library.add(pages / "loud.md", pages / "megos.md")
        library.index(tags=True)
        (entity,) = library.tags(name="gravelle")
        assert entity.aliases == ("Yves Gravele",) or entity.name == "Yves Gravele"
        loud = next(s.id for s in library.sources() if s.uri.endswith("loud.md"))
        library.remove(loud)
        (entity,) = library.tags(name="gravele")
        assert (entity.name, entity.aliases) == ("Yves Gravele", ())
        library.index(tags=True)
        (entity,) = library.tags(name="gravele")
        assert (entity.name, entity.aliases) == ("Yves Gravele", ())


def test_a_rebuild_leaves_tags_alone(library: Library, tagger: ListTagger) -> None:
    before, texts = rows(library.folder, "tags"), tagger.texts
    library.index(rebuild=True)
    assert rows(library.folder, "tags") == before
    library.index(rebuild=True, tags=True)
    assert (rows(library.folder, "tags"), tagger.texts) == (before, texts)
    assert library.search("hangs", filters=Filters(entity="Gravelle"))


# Overlapping stretches


def test_a_mention_in_two_stretches_counts_once_and_one_at_an_edge_is_whole(
    own_folders: Path, tmp_path: Path, tagger: ListTagger
) -> None:
    tagger.names = {"Yves": "person", "Yves Gravelle": "person", "Ottawa": "place"}
    sentence = "Then Yves Gravelle of Ottawa hangs for a while, and rests, and hangs again. "
    text = "".join(f"{n} {sentence}" for n in range(60))
    (tmp_path / "long.md").write_text(text)
    settings = load_config(overrides={"split": {"tokens": 24, "overlap_tokens": 12}})
    with Library(own_folders, config=settings) as library:
        library.add(tmp_path / "long.md")
        library.index(tags=True)
        assert listed(library) == {"Yves Gravelle": (60, 1), "Ottawa": (60, 1)}
        assert library.tags("person")[0].aliases == ()


# People who speak


def talk(name: str = "Yves Gravelle") -> object:
    text = "Who are you?\nMax hangs build strength, Yves says."
    segments = (
        Segment(0, 12, start_s=0.0, end_s=1.0, speaker="S0"),
        Segment(13, len(text), start_s=1.0, end_s=3.0, speaker="S1"),
    )
    speakers = (Speaker("S0", role="host"), Speaker("S1", name, "guest", 0.9, 0.9))
    return replace(document("talk.mp3", text), segments=segments, speakers=speakers, kind="audio")


def tag(writer: Writer, tagger: ListTagger, **parts: object) -> None:
    ingest = Ingest(writer, {}, None, None, None, tagger=lambda: tagger, **parts)  # type: ignore[arg-type]
    ingest.tag()


def test_speakers_and_names_are_one_list(own_folders: Path) -> None:
    tagger = ListTagger(NAMES | {"Yves": "person"})
    with Writer.open(own_folders) as writer:
        put(writer, talk())  # type: ignore[arg-type]
        put(writer, document("page.md", "Yves Gravelle hangs\nYves Klein paints\nYves rests"))
        tag(writer, tagger)
        found = {e.name: e for e in entities_of(writer.store)}
        assert found["Yves Gravelle"].heard
        assert found["Yves Gravelle"].aliases == ("Yves",)
        assert found["Yves Gravelle"].documents == 2
        assert not any(e.heard for e in found.values() if e.name != "Yves Gravelle")
        put_speakers(writer, talk().id, [Speaker("S1", "Max Mustermann", name_confidence=1.0)])  # type: ignore[attr-defined]
        merge_entities(writer)
        found = {e.name: e for e in entities_of(writer.store)}
        assert found["Max Mustermann"].heard
        assert not found["Yves Gravelle"].heard


def test_a_speaker_who_is_never_named_is_listed_until_gone(own_folders: Path) -> None:
    with Writer.open(own_folders) as writer:
        put(writer, talk("Ann Lee"))  # type: ignore[arg-type]
        tag(writer, ListTagger({"Max": "other"}))
        (ann,) = entities_of(writer.store, "person")
        assert (ann.name, ann.heard, ann.mentions) == ("Ann Lee", True, 0)
        writer.unlink("s1", [talk().uri])  # type: ignore[attr-defined]
        assert entities_of(writer.store) == []


def test_a_new_name_of_a_speaker_is_known_at_once(own_folders: Path, tagger: ListTagger) -> None:
    with Writer.open(own_folders) as writer:
        put(writer, talk(""))  # type: ignore[arg-type]
        tag(writer, tagger)
    with Library(own_folders) as library:
        assert library.tags("person") == []
        library.name_speakers(talk().id, {"S1": "Ann Lee"})  # type: ignore[attr-defined]
        assert [e.heard for e in library.tags("person", "Ann")] == [True]


# Cancelled and killed


class Interrupting(ListTagger):
    """Asks to stop once it has tagged so many texts."""

    def __init__(self, cancel: CancelToken, after: int) -> None:
        super().__init__(NAMES)
        self.cancel, self.after = cancel, after

    def tag(self, texts: Sequence[str]) -> list[list[LabelledSpan]]:
        found = super().tag(texts)
        if self.texts > self.after:
            self.cancel.cancel()
        return found


def many(writer: Writer, n: int = 12) -> None:
    for number in range(n):
        put(writer, document(f"{number}.md", f"Yves Gravelle hangs {number}\nAlex Megos climbs"))


def test_what_is_tagged_before_a_cancel_is_kept(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragtor.ingest.TAGGED_CHARACTERS", 100)  # of three
    cancel, notes = CancelToken(), Notes()
    with Writer.open(own_folders) as writer:
        many(writer)
        with pytest.raises(Cancelled):
            tag(writer, Interrupting(cancel, 6), cancel=cancel, reporter=notes)
        left = len(untagged(writer.store))
        assert left == 6
        assert {e.name: e.documents for e in entities_of(writer.store)} == {
            "Yves Gravelle": 6,
            "Alex Megos": 6,
        }
        tagger = ListTagger(NAMES)
        tag(writer, tagger, reporter=notes)
        assert tagger.texts == left
        assert untagged(writer.store) == []
    assert notes.states[0] == ("tagging", 0, 12)
    assert notes.states[-1] == ("tagging", 6, 6)


KILLED = """
import os, signal, sys
sys.path.insert(0, "tests")
import dragtor.ingest
from pathlib import Path
from fakes import ListTagger
from test_tags import NAMES, tag
from dragtor.store import Writer
dragtor.ingest.TAGGED_CHARACTERS = 70  # of two
class Deadly(ListTagger):
    def tag(self, texts):
        if self.texts >= int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().tag(texts)
with Writer.open(Path(sys.argv[1])) as writer:
    tag(writer, Deadly(NAMES))
"""


def test_kill_9_keeps_what_is_tagged(own_folders: Path, tmp_path: Path) -> None:
    with Writer.open(own_folders) as writer:
        many(writer)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-c", KILLED, str(own_folders), "6"]
    run = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert run.returncode == -signal.SIGKILL, run.stderr
    tagger = ListTagger(NAMES)
    with Writer.open(own_folders) as writer:
        assert len(untagged(writer.store)) == 6
        tag(writer, tagger)
    assert tagger.texts == 6
    with Writer.open(other := tmp_path / "other") as writer:
        many(writer)
        tag(writer, ListTagger(NAMES))
    one, two = digest(own_folders), digest(other)
    for table in ("tags", "entities", "heard", "tagged"):
        assert one[table] == two[table]


def test_killed_before_names_are_merged(own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Writer.open(own_folders) as writer:
        many(writer, 2)
        with monkeypatch.context() as broken:
            broken.setattr("dragtor.ingest.merge_entities", lambda writer: None)
            tag(writer, ListTagger(NAMES))
        assert entities_of(writer.store) == []
        tag(writer, ListTagger(NAMES))
        assert len(entities_of(writer.store)) == 2


def test_readers_do_not_wait(own_folders: Path, tagger: ListTagger) -> None:
    with Writer.open(own_folders) as writer:
        many(writer, 3)
        tag(writer, tagger)
        writer.db.execute("BEGIN IMMEDIATE")
        writer.db.execute("DELETE FROM tags")
        with Store.open(own_folders) as store:
            assert len(entities_of(store)) == 2
        writer.db.execute("ROLLBACK")


def test_a_library_of_before_is_migrated(
    own_folders: Path, pages: Path, tagger: ListTagger
) -> None:
    with Library(own_folders) as library:
        library.add(pages)
    with closing(sqlite3.connect(own_folders / "library.db")) as db:
        for table in ("tags", "entities", "heard", "tagged", "digests", "digest_documents"):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 3")
    embedded = tagger.embedder.embedded  # type: ignore[attr-defined]
    with Library(own_folders) as library:
        assert library.index(tags=True).tagged == len(PAGES)
        assert listed(library, "place") == {"Céüse": (1, 1), "Ottawa": (1, 1)}
    assert tagger.embedder.embedded == embedded  # type: ignore[attr-defined]
    assert len(MIGRATIONS) >= 4


# Filters


@pytest.mark.parametrize(
    ("entity", "found"),
    [
        ("Yves Gravelle", {"gravelle", "megos"}),
        ("gravelle's", {"gravelle", "megos"}),
        ("YVÉS", {"gravelle", "megos"}),
        ("Yves Gravele", {"gravelle", "megos"}),  # an alias
        ("Alex", {"megos", "alone"}),  # a part of two names
        ("Alex Megos", {"megos"}),
        ("ceuse", {"megos"}),
        ("WHO", {"health", "alone"}),
        ("World Health Organization", {"health"}),
        ("Grav", set()),  # words are whole
        ("-", set()),
    ],
)
def test_search_by_a_name(library: Library, entity: str, found: set[str]) -> None:
    hits = library.search("what is said", filters=Filters(entity=entity), k=20)
    uris = {str(library.document(h.passage.document_id).uri) for h in hits}  # type: ignore[union-attr]
    assert {Path(uri).stem for uri in uris} == found


def test_filters_go_together(library: Library) -> None:
    both = Filters(entity="Alex", kind="file", after="2000")
    assert library.search("climbs", filters=both) == ()
    both = Filters(entity="Alex", kind="file")
    assert library.search("climbs", filters=both)


def test_only_passages_that_name_it(own_folders: Path) -> None:
    with Writer.open(own_folders) as writer:
        put(writer, document("page.md", "Yves Gravelle hangs\nnobody hangs\nGravelle hangs more"))
        tag(writer, ListTagger(NAMES))
        store = writer.store
        assert len(entities_of(store)) == 1
        passing = store.passages_passing(document("page.md", "").id, Filters(entity="Yves"))
        assert [p.text for p in passing] == ["Yves Gravelle hangs", "Gravelle hangs more"]


def test_a_filter_before_anything_is_tagged(
    own_folders: Path, pages: Path, tagger: ListTagger
) -> None:
    with Library(own_folders) as library:
        library.add(pages)
        for filters in (Filters(entity="Yves"), Filters(topic="training")):
            for asked in (library.search, library.ask):
                with pytest.raises(UsageError, match="looked for yet") as raised:
                    asked("hangs", filters=filters)
                assert raised.value.hint == "dragtor index --tags"
        with pytest.raises(UsageError, match="looked for yet"):
            library.tags()


def test_an_unknown_name_brings_the_nearest(library: Library) -> None:
    notes = Notes()
    library.reporter = notes
    assert library.search("hangs", filters=Filters(entity="Ives Gravel")) == ()
    assert "nothing here is called 'Ives Gravel'; nearest: Yves Gravelle" in notes.notes[0]


def test_a_filter_tells_what_is_not_tagged_yet(library: Library, tmp_path: Path) -> None:
    topics = {each["id"]: [LabelledSpan(0, 9, "training", 0.9)] for each in library.documents()}
    with library.writer() as writer:
        put_topics(writer, dict(list(topics.items())[1:]), "t1")
    library.reporter = notes = Notes()
    for filters in (Filters(entity="Alex"), Filters(topic="training"), Filters(kind="file")):
        library.search("hangs", filters=filters)
    told = "documents to be tagged: {} (dragtor index --tags)"
    assert notes.notes == [told.format(1)]  # by topic
    (tmp_path / "new.md").write_text("Alex Megos hangs")
    library.add(tmp_path / "new.md")
    notes.notes.clear()
    both = Filters(entity="Alex", topic="training")
    for filters in (Filters(entity="Alex"), Filters(topic="training"), both):
        library.search("hangs", filters=filters)
    assert notes.notes == [told.format(1), told.format(2), told.format(2)]


def test_a_full_name_that_the_tagger_missed_is_found(own_folders: Path) -> None:
    lines = "Yves Gravelle hangs\nDr. YVÉS GRAVELLE rests\nYves Gravelle Jr. plays\nGravelle again"
    with Writer.open(own_folders) as writer:
        put(writer, document("known.md", "Yves Gravelle hangs"))
        tag(writer, ListTagger({"Yves Gravelle": "person"}))
        put(writer, document("missed.md", lines))
        missed = document("missed.md", "").id
        named = Filters(entity="Yves Gravelle")
        assert len(writer.store.passages_passing(missed, named)) == 3  # not tagged yet
        tag(writer, ListTagger({"Yves Gravelle Jr.": "person"}, "list-2"))
        put(writer, document("known.md", "Yves Gravelle hangs more"))
        tag(writer, ListTagger({"Yves Gravelle": "person"}, "list-2"))
        texts = [p.text for p in writer.store.passages_passing(missed, named)]
        assert texts == ["Yves Gravelle hangs", "Dr. YVÉS GRAVELLE rests"]


@pytest.mark.parametrize(
    ("spans", "rows"),
    [
        ([(0, 5)], {1}),
        ([(95, 105)], {1, 2}),  # half in each
        ([(98, 120)], {2}),
        ([(80, 180)], {2}),  # all of the second, whose beginning the first repeats
        ([(0, 280)], {1, 2, 3}),
        ([(300, 310)], set()),
        ([], set()),
    ],
)
def test_which_passages_hold_a_span(spans: list[tuple[int, int]], rows: set[int]) -> None:
    assert holding([(0, 100, 1), (80, 180, 2), (180, 280, 3)], spans) == rows


# Topics


def test_topics_are_tags_of_another_task(library: Library) -> None:
    first, second = (d["id"] for d in library.documents()[:2])
    with library.writer() as writer:
        spans = [LabelledSpan(0, 40, "Finger training", 0.8)]
        put_topics(writer, {first: spans, second: []}, "t1")
    assert listed(library, "topic") == {"Finger training": (1, 1)}
    hits = library.search("anything", filters=Filters(topic="training"))
    assert {h.passage.document_id for h in hits} == {first}
    assert library.search("anything", filters=Filters(entity="training")) == ()
    names = listed(library, "person")
    with library.writer() as writer:
        put_topics(writer, {first: []}, "t2")
    assert listed(library, "topic") == {}
    assert listed(library, "person") == names
    assert rows(library.folder, "entities") != []


# The command line


def test_the_command_line(cli: Cli, pages: Path, tagger: ListTagger) -> None:
    assert cli("add", pages).code == 0
    early = cli("search", "--entity", "Yves", "hangs")
    assert (early.code, early.out) == (2, "")
    assert "dragtor index --tags" in early.err
    assert cli("tags").code == 2
    run = cli("index", "--tags")
    assert (run.code, run.out) == (0, "")
    assert "4 documents tagged" in run.err
    assert "nothing to do" in cli("index", "--tags").err
    found = cli("search", "--entity", "Yves", "--json", "hangs").json
    jsonschema.validate(found, schema.HITS_SCHEMA)
    assert found["hits"]
    unknown = cli("search", "--entity", "Ives Gravel", "hangs")
    assert (unknown.code, unknown.out) == (0, "")
    assert "nearest: Yves Gravel" in unknown.err
    shown = cli("ask", "--quotes", "--no-history", "--entity", "Megos", "Who climbed in Céüse?")
    assert "Alex Megos climbed in Céüse." in shown.out


def test_tags_on_the_command_line(cli: Cli, library: Library, pages: Path) -> None:
    table = cli("tags")
    assert table.code == 0
    first = table.out.splitlines()[0]
    assert first.startswith(("World Health Organization", "Yves Gravelle"))
    assert "3 mentions in" in first
    assert "also Gravelle, Yves Gravele" in table.out
    assert len(cli("tags", "-n", "2", "--kind", "place").out.splitlines()) == 2
    found = cli("tags", "--json").json
    jsonschema.validate(found, schema.ENTITIES_SCHEMA)
    assert "mentions" not in found
    one = cli("tags", "Yves", "Gravelle", "--json").json
    jsonschema.validate(one, schema.ENTITIES_SCHEMA)
    assert len(one["entities"]) == 1
    assert len(one["mentions"]) == 3
    shown = cli("tags", "Yves Gravelle", "-n", "1")
    assert "“" in shown.out
    assert "file://" in shown.out
    assert cli("tags", "--kind", "dog").code == 2
    nobody = cli("tags", "Ives Gravel")
    assert (nobody.code, nobody.out) == (0, "")
    assert "nearest: Yves Gravel" in nobody.err
    (pages / "new.md").write_text("Alex Megos")
    cli("sync")
    assert "documents to be tagged: 1 (dragtor index --tags)" in cli("tags").err


def test_export_gives_what_names_somebody(cli: Cli, library: Library) -> None:
    named = {d["title"]: d["id"] for d in library.documents()}
    whole = cli("export", named["Strength"]).out
    assert "Nobody is named" in whole
    only = cli("export", named["Strength"], "--entity", "Ottawa")
    assert only.code == 0
    assert "lives in Ottawa" in only.out
    nothing = cli("export", named["Strength"], "--entity", "Alex")
    assert (nothing.code, nothing.out) == (2, "")
    assert "passes the filters" in nothing.err


@pytest.fixture
def recorded(own_folders: Path, tagger: ListTagger) -> str:
    """An episode of many turns, named in one."""
    lines = [f"Line number {n} is about nothing." for n in range(9)]
    lines[4] = "Alex Megos climbed it."
    text, segments = "\n\n".join(lines), []
    at = 0
    for n, line in enumerate(lines):
        who = "S1" if n % 2 else "S0"
        segments.append(
            Segment(at, at + len(line), start_s=10.0 * n, end_s=10.0 * n + 9, speaker=who)
        )
        at += len(line) + 2
    made = replace(
        document("talk.mp3", text),
        segments=tuple(segments),
        speakers=(Speaker("S0", "Ann Lee"), Speaker("S1", "Bob Ray")),
        kind="audio",
    )
    with Writer.open(own_folders) as writer:
        put(writer, made)
        tag(writer, tagger)
    return made.id


def test_export_of_a_recording_keeps_the_times(cli: Cli, recorded: str) -> None:
    md = cli("export", recorded, "--entity", "Megos").out
    assert "**Ann Lee** [0:40] Alex Megos climbed it." in md
    assert "nothing" not in md
    srt = cli("export", recorded, "--entity", "Megos", "--format", "srt").out
    assert "00:00:40,000 --> 00:00:49,000\nAnn Lee: Alex Megos climbed it." in srt
    assert srt.count("-->") == 1
    vtt = cli("export", recorded, "--entity", "Megos", "--format", "vtt").out
    assert "00:00:40.000 --> 00:00:49.000" in vtt
    found = cli("export", recorded, "--entity", "Megos", "--format", "json").json
    assert [s["text"] for s in found["segments"]] == ["Alex Megos climbed it."]
    assert found["segments"][0]["start_s"] == 40.0
    bob = cli("export", recorded, "--speaker", "Bob", "--format", "json").json
    assert {s["speaker"] for s in bob["segments"]} == {"Bob Ray"}
    assert len(bob["segments"]) == 4
    md = cli("export", recorded, "--speaker", "Bob").out
    assert md.count("[…]") == 3


def test_no_model_to_tag_with(
    cli: Cli, pages: Path, tagger: ListTagger, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(_: Parts) -> None:
        raise Missing("the model tags is not installed", "dragtor models pull tags")

    monkeypatch.setattr(Parts, "tagger", property(absent))
    assert cli("add", pages).code == 0
    run = cli("index", "--tags")
    assert run.code == 4
    assert "dragtor models pull tags" in run.err
