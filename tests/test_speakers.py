"""Who speaks: names in library.db, filters and links by name, and nothing embedded for a name."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from fakes import HashingEmbedder, SharedWordsSupport
from test_answer import Parrot
from test_store import document, find, put, reader

from dragtor.answer import AnswerPipeline
from dragtor.config import AnswerConfig, LLMConfig, RetrieveConfig
from dragtor.links import place
from dragtor.retrieve import Retriever
from dragtor.store import Filters, Writer, known_voices, put_speakers, speaker_asked
from dragtor.types import Answer, Document, Segment, Speaker

LINES = "Who are you?\nMax hangs build strength.\nSay more."
VOICE = (0.25, -0.5, 0.75)


def episode(name: str = "talk.mp3", show: str = "Nugget") -> Document:
    """Two speakers, a line a turn."""
    ends = [0, *(at + 1 for at, c in enumerate(LINES) if c == "\n"), len(LINES) + 1]
    labels = ("SPEAKER_00", "SPEAKER_01", "SPEAKER_00")
    segments = tuple(
        Segment(a, b - 1, start_s=float(n), end_s=n + 1.0, speaker=who)
        for n, ((a, b), who) in enumerate(zip(pairwise(ends), labels, strict=True))
    )
    guest = Speaker("SPEAKER_01", "Yves Gravelle", "guest", 0.9, 0.8, VOICE)
    speakers = (Speaker("SPEAKER_00", role="host"), guest)
    made = document(name, LINES)
    return replace(
        made,
        segments=segments,
        speakers=speakers,
        meta={"show": show, "voices": "e1"},
        kind="audio",
    )


@pytest.fixture
def library(own_folders: Path) -> Path:
    with Writer.open(own_folders) as writer:
        put(writer, episode())
        put(writer, document("page.md", "Yves Gravelle hangs"))
    return own_folders


def test_speakers_come_back_and_a_name_is_shown_for_its_label(library: Path) -> None:
    with reader(library) as store:
        doc = store.document(episode().id)
    assert doc is not None
    assert doc.speakers == episode().speakers
    spoken = [place(doc, s.start, s.end).speaker for s in doc.segments]
    assert spoken == ["SPEAKER_00", "Yves Gravelle", "SPEAKER_00"]


def test_a_new_name_changes_no_passage_and_no_vector(library: Path) -> None:
    def facts() -> list[tuple[object, ...]]:
        with sqlite3.connect(library / "library.db") as db:
            return db.execute("SELECT rowid, id, text, vector_id FROM passages").fetchall()

    before = facts()
    with Writer.open(library) as writer:
        put_speakers(writer, episode().id, [Speaker("SPEAKER_00", "Steven", "host", 1, 1)])
    assert facts() == before
    with reader(library) as store:
        doc = store.document(episode().id)
        assert doc is not None
        assert [s.name for s in doc.speakers] == ["Steven", "Yves Gravelle"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("yves", ["Max hangs build strength."]),
        ("GRAVELLE", ["Max hangs build strength."]),
        ("Gravelle, Yvés", ["Max hangs build strength."]),
        ("GRAV", []),  # words are whole
        ("Yves Klein", []),
        ("-", []),
        ("speaker_00", ["Who are you?", "Say more."]),
        ("steven", []),
        ("SPEAKER_01", []),  # it has a name
    ],
)
def test_search_by_who_speaks(library: Path, name: str, found: list[str]) -> None:
    with reader(library) as store:
        assert sorted(find(store, "hangs", Filters(speaker=name))) == sorted(found)


def test_a_name_in_full_wins_over_longer_ones_among_what_is_searched(own_folders: Path) -> None:
    shown = {"a.mp3": "Rob", "b.mp3": "Rob Roy", "c.mp3": "Robert", "d.mp3": "Zoë"}
    with Writer.open(own_folders) as writer:
        for name, speaker in shown.items():
            talk = replace(episode(name), speakers=(Speaker("SPEAKER_01", speaker),))
            put(writer, replace(talk, text=LINES.replace("Max", speaker), author=name))

    def found(**filters: str) -> set[str]:
        with reader(own_folders) as store:
            texts = find(store, "hangs", Filters(**filters))
            return {text.removesuffix(" hangs build strength.") for text in texts}

    assert found(speaker="rob") == {"Rob"}
    assert found(speaker="roy") == {"Rob Roy"}
    assert found(speaker="rob", author="b.mp3") == {"Rob Roy"}
    assert found(speaker="rob", author="c.mp3") == set()
    assert found(speaker="zoe") == {"Zoë"}


def test_a_show_is_known_by_the_voices_that_are_sure(library: Path) -> None:
    with reader(library) as store:
        assert [v.name for v in known_voices(store, "Nugget", "e1", 0.8)] == ["Yves Gravelle"]
        assert known_voices(store, "Nugget", "e1", 0.8)[0].voice == VOICE
        assert known_voices(store, "Nugget", "e1", 0.9) == []
        assert known_voices(store, "Other", "e1", 0.0) == []
        assert known_voices(store, "Nugget", "e2", 0.0) == []


def test_a_removed_document_leaves_no_voice(library: Path) -> None:
    with Writer.open(library) as writer:
        writer.unlink("s1", [episode().uri])
    with sqlite3.connect(library / "library.db") as db:
        assert db.execute("SELECT count(*) FROM speakers").fetchone() == (0,)
    assert b"Gravelle" not in b"".join(p.read_bytes() for p in library.glob("library.db*")).replace(
        b"Yves Gravelle hangs", b""
    )


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("What does Yves think of max hangs?", "Yves Gravelle"),
        ("what does yves say about max hangs", "Yves Gravelle"),
        ("According to yves gravelle, how long?", "Yves Gravelle"),
        ("Who is Yves?", ""),  # a question about somebody, not after his words
        ("What do coaches think of max hangs?", ""),
    ],
)
def test_a_question_may_ask_for_what_somebody_says(library: Path, question: str, name: str) -> None:
    with reader(library) as store:
        assert speaker_asked(store, question) == name


@pytest.mark.parametrize(
    ("names", "question", "name"),
    [
        ("Rob", "What does he think of the problems with max hangs?", ""),
        ("Rob", "What does Rob think of problems?", "Rob"),
        ("rob", "What does Rob think of problems?", "rob"),
        ("Rob", "what does rob think of problems", "Rob"),
        ("Al, Ed, Ann", "What do they all think is needed for annual planning?", ""),
        ("Al, Ed, Ann", "What does Ed say about it?", "Ed"),
        ("Al, Ed, Ann", "what does ann say about it", "Ann"),
        ("Will", "Does anybody say that it will heal?", ""),
        ("Ann", "What do people say of ANN indexes?", ""),
        ("Ed Sheeran, Al Gore", "What does Ed think?", "Ed Sheeran"),
        ("Ed Sheeran, Al Gore", "What was it that editors also think?", ""),
        ("Ann Lee", "Who says that Hannah Leeds climbs?", ""),
        ("Ann Lee", "According to ann lee, how long?", "Ann Lee"),
        ("Jan from Bonn", "What is said of hangs from the edge?", ""),
        ("Mary O'Brien", "What is Mary O'Brien's view?", "Mary O'Brien"),
        ("Zoë Mayr, Ann", "What does Zoe think?", "Zoë Mayr"),
        ("Jose", "What does José think?", "Jose"),
    ],
)
def test_a_speaker_is_asked_for_in_whole_words(
    own_folders: Path, names: str, question: str, name: str
) -> None:
    talk = replace(episode(), speakers=tuple(Speaker(n, n) for n in names.split(", ")))
    with Writer.open(own_folders) as writer:
        writer.put_pending("s1", talk.uri, "1", talk)
        assert speaker_asked(writer.store, question) == name


def test_search_by_who_speaks_finds_what_overlaps(own_folders: Path) -> None:
    """Passages and segments cut anywhere, also across each other, against the plain definition."""
    chance = random.Random(7)
    text = "\n".join(f"line {number}" for number in range(300))
    cuts = [sorted(chance.sample(range(len(text)), 2)) for _ in range(120)]
    segments = tuple(
        Segment(a, b, speaker=who)
        for (a, b), who in zip(cuts, chance.choices(("A", "B", "C", None), k=120), strict=True)
        if b - a < 90
    )
    talk = replace(document("x.mp3", text), segments=segments, speakers=(Speaker("B", "Ann"),))
    with Writer.open(own_folders) as writer:
        put(writer, talk)
        put(writer, replace(document("page.pdf", "A page."), segments=(Segment(0, 7, page=1),)))
        store = writer.store
        for name, label in (("ann", "B"), ("c", "C")):
            store._allow(Filters(speaker=name))
            rows = [row[0] for row in store.rows("SELECT id FROM temp.allowed")]
            found = {p.start for p in store.passages(rows).values()}
            spoken = [s for s in segments if s.speaker == label]
            wanted = {
                p.start
                for p in store.passages_of(talk.id)
                if any(s.start < p.end and s.end > p.start for s in spoken)
            }
            assert found == wanted
            assert 0 < len(wanted) < 300


def test_the_work_of_a_search_by_speaker_grows_with_the_length(own_folders: Path) -> None:
    """Counted in steps of SQLite's machine, on one long document and on one of twice its length."""
    work = []
    for lines in (400, 800):
        text = "\n".join(f"line {number:03}" for number in range(lines))
        spans = tuple(Segment(n * 9, n * 9 + 8, speaker="AB"[n % 2]) for n in range(lines))
        with Writer.open(own_folders) as writer:
            put(writer, replace(document("long.mp3", text), segments=spans))
            work.append(0)

            def step(at: int = len(work) - 1) -> None:
                work[at] += 1

            writer.db.set_progress_handler(step, 50)  # type: ignore[arg-type]
            assert writer.store._allow(Filters(speaker="B")) == lines / 2
            writer.db.set_progress_handler(None, 50)
    assert work[1] < 3 * work[0]


def test_a_show_of_any_name_is_asked_for_its_voices(library: Path) -> None:
    with reader(library) as store:
        assert known_voices(store, "a \ud800 b", "e1") == []


def test_a_name_that_two_bear_is_nobodys(library: Path) -> None:
    with Writer.open(library) as writer:
        put_speakers(writer, episode().id, [Speaker("SPEAKER_00", "Yves Klein")])
    with reader(library) as store:
        assert speaker_asked(store, "What does Yves think?") == ""
        assert speaker_asked(store, "What does Yves Klein think?") == "Yves Klein"


def test_an_answer_to_what_somebody_thinks_quotes_nobody_else(library: Path) -> None:
    with Writer.open(library) as writer:
        two = replace(episode("two.mp3"), text=LINES.replace("Say more.", "Hangs are bad."))
        put(writer, two)
        put_speakers(writer, two.id, [Speaker("SPEAKER_00", "Steven Dimmitt", "host")])
    with reader(library) as store:
        retriever = Retriever(store, HashingEmbedder(), RetrieveConfig(floor=-1))
        parrot = Parrot("Max hangs build strength [1].")
        settings = (AnswerConfig(), LLMConfig())
        asking = AnswerPipeline(retriever, lambda: parrot, *settings, SharedWordsSupport())
        for question, name in (
            ("What does Yves think of max hangs?", "Yves Gravelle"),
            ("What does Steven think of max hangs?", "Steven Dimmitt"),
        ):
            *_, answer = asking.ask(question, quotes_only=True)
            assert isinstance(answer, Answer)
            assert {c.speaker for c in answer.citations} == {name}
