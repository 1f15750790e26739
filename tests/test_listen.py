"""Recordings become documents: the parts in their order, and the whole pipeline on real sound."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Cli
from fakes import Notes
from test_decode import tone, write
from test_download import Episode
from test_http import Server, say
from test_ingest import Shelf, open_ingest, shelf_source, source_named
from test_load_feed import episode, post, rss
from test_spoken import words

from dragtor.config import load_config, models_path
from dragtor.errors import DragtorError, LoadError, Missing
from dragtor.ingest import Ingest
from dragtor.loading import open_loaders
from dragtor.models import model_path
from dragtor.speech.diarize import Diarization
from dragtor.speech.pipeline import TranscribePipeline, as_named
from dragtor.speech.transcribe import Transcript
from dragtor.store import Filters, Store, known_voices, put_speakers, renamed
from dragtor.types import (
    NEVER,
    CancelToken,
    Chapter,
    Document,
    Recording,
    Segment,
    Speaker,
    SpeakerTurn,
    Word,
    short_hash,
)

EPISODE = ROOT / "assets" / "sample_episode" / "rock-talk-7-campus-board.m4a"
MODELS = ("whisper-base.en", "silero-vad", "pyannote-segmentation-3.0")
TWO = (
    *words("Welcome to the show. My guest today is Yves Gravelle. Why do you hang?", 0),
    *words("Thanks for having me. Hanging makes fingers strong.", 10),
)
TURNS = (SpeakerTurn("SPEAKER_00", 0, 8), SpeakerTurn("SPEAKER_01", 10, 16))
VOICES = {"SPEAKER_00": (1.0, 0.0), "SPEAKER_01": (0.0, 1.0)}


class Stenographer:
    """Writes down what it is told was said."""

    def __init__(self, said: Sequence[Word] = TWO) -> None:
        self.said, self.heard = tuple(said), 0

    def transcribe(self, path: Path, *, folder: Path, **_: Any) -> Transcript:
        self.heard += 1
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "window.jsonl").write_text("{}")
        return Transcript("en", self.said, 16.0)


class TwoVoices:
    """Tells the two voices apart that it is told of."""

    engine = "two"

    def diarize(self, blocks: Iterable[Any], cancel: CancelToken = NEVER) -> Diarization:
        assert sum(len(block) for block in blocks)
        return Diarization(TURNS, VOICES)


def listener(tmp_path: Path, **parts: Any) -> TranscribePipeline:
    made = {"transcriber": Stenographer, "diarizer": TwoVoices, **parts}
    told = {k: v for k, v in made.items() if k not in ("transcriber", "diarizer")}
    return TranscribePipeline(made["transcriber"], made["diarizer"], tmp_path / "kept", **told)


def recording(said: Sequence[Word] = (), notes: str = "", **facts: Any) -> Recording:
    uri = "https://example.org/e/talk%207.mp3"
    document = Document(short_hash(uri), uri, "audio", facts.pop("title", ""), notes, **facts)
    return Recording(document, None if said else EPISODE, tuple(said), (Chapter("Start", 0),))


def test_sound_becomes_turns_with_names(tmp_path: Path) -> None:
    told = Notes()
    made = listener(tmp_path, reporter=told)
    document = made.document(recording(notes="Links: example.org"))
    assert told.states[-1] == (f"telling speakers apart in {EPISODE.name}", 16, 16)
    assert document.title == "Rock Talk 7: Tom Keller on the campus board"  # the file's own tag
    assert document.text.startswith("## Start\n\nWelcome to the show.")
    assert document.text.endswith("\n\n## Notes\n\nLinks: example.org")
    labels = [s.speaker for s in document.segments]
    assert labels == ["SPEAKER_00"] * 3 + ["SPEAKER_01"] * 2
    host, guest = document.speakers
    assert (host.role, guest.role, guest.name) == ("host", "guest", "Yves Gravelle")
    assert (guest.voice, document.meta["voices"]) == ((0.0, 1.0), "two")
    assert document.meta["language"] == "en"


def test_captions_need_no_model_and_keep_their_names(tmp_path: Path) -> None:
    def none() -> Any:
        raise AssertionError("not needed")

    said = [*words("Who are you?", 0, "Ann Lee"), *words("I am Yves.", 5, "Yves")]
    made = listener(tmp_path, transcriber=none, diarizer=none).document(recording(said, title="T"))
    assert [(s.label, s.name, s.name_confidence) for s in made.speakers] == [
        ("Ann Lee", "Ann Lee", 1.0),
        ("Yves", "Yves", 1.0),
    ]
    assert listener(tmp_path).document(recording(said)).title == "talk 7"


@pytest.mark.parametrize("labels", [("SPEAKER_00", "SPEAKER_01"), ("A", "B")])
def test_a_letter_in_captions_is_a_label_and_no_name(
    tmp_path: Path, labels: tuple[str, str]
) -> None:
    first, second = labels
    said = [
        *words("Welcome to the show. I am Ann Lee and with me is Yves Gravelle.", 0, first),
        *words("Thanks for having me, Ann.", 9, second),
        *words("Yves, do you train every day?", 15, first),
        *words("No, I climb two days a week and I rest on all the others.", 20, second),
    ]
    made = listener(tmp_path).document(recording(said, title="Yves Gravelle on rest"))
    assert [(s.label, s.name) for s in made.speakers] == [
        (first, "Ann Lee"),
        (second, "Yves Gravelle"),
    ]


def test_a_voice_is_known_again_in_its_show(tmp_path: Path) -> None:
    asked = []

    def voices(show: str, engine: str) -> list[Speaker]:
        asked.append((show, engine))
        return [Speaker("SPEAKER_05", "Steven Dimmitt", "host", 1, 1, (0.96, 0.28)),
                Speaker("SPEAKER_06", "Far Away", "host", 1, 1, (-1.0, 0.0))]  # fmt: skip

    made = listener(tmp_path, voices=voices).document(recording(meta={"show": "Nugget"}))
    assert asked == [("Nugget", "two")]
    assert [s.name for s in made.speakers] == ["Steven Dimmitt", "Yves Gravelle"]


def test_without_a_diarization_model_the_words_are_kept(tmp_path: Path) -> None:
    def absent() -> Any:
        raise Missing("no model", "dragtor models pull it")

    said: list[str] = []
    made = listener(tmp_path, diarizer=absent, reporter=Notes(said)).document(recording())
    assert "Hanging makes fingers strong." in made.text
    assert {s.speaker for s in made.segments} == {None}
    assert said == ["speakers are not told apart: no model (dragtor models pull it)"]


def test_silence_is_one_clear_line_unless_there_are_notes(tmp_path: Path) -> None:
    def nobody() -> Stenographer:
        return Stenographer(())

    with pytest.raises(LoadError, match="nobody speaks in it"):
        listener(tmp_path, transcriber=nobody).document(recording())
    shutil.rmtree(tmp_path / "kept")
    made = listener(tmp_path, transcriber=nobody).document(recording(notes="About music."))
    assert made.text == "About music."


def test_what_was_heard_once_is_kept_until_its_document_goes(tmp_path: Path) -> None:
    heard = []

    class Counted(TwoVoices):
        def diarize(self, blocks: Iterable[Any], cancel: CancelToken = NEVER) -> Diarization:
            heard.append(1)
            return super().diarize(blocks, cancel)

    pipeline = listener(tmp_path, diarizer=Counted)
    first, again = (
        pipeline.document(recording(), "s1"),
        pipeline.document(recording(notes="New notes."), "s2"),
    )
    assert (len(heard), first.speakers) == (1, again.speakers)
    pipeline.forget("s1")
    pipeline.forget("s2", "another")
    assert len(list((tmp_path / "kept").iterdir())) == 1  # the other source has it still
    pipeline.forget("s2", first.id)
    assert not list((tmp_path / "kept").iterdir())


def test_a_language_that_nobody_knows_is_left_to_the_settings(tmp_path: Path) -> None:
    told = []

    class Notes(Stenographer):
        def transcribe(self, path: Path, *, language: str = "", **rest: Any) -> Transcript:
            told.append(language)
            return super().transcribe(path, **rest)

    for code in ("de-AT", "qq", ""):
        listener(tmp_path, transcriber=Notes).document(replace(recording(), language=code))
    assert told == ["de", "", ""]


# Names that the user gave


def talk(*labels: str, voices: Mapping[str, Sequence[float]] = {}, engine: str = "") -> Document:
    meta = {"voices": engine} if engine else {}
    speakers = tuple(Speaker(n, voice=tuple(voices.get(n, ()))) for n in labels)
    segments = tuple(Segment(i, i + 1, speaker=n) for i, n in enumerate(labels))
    return Document("d", "u", "audio", "t", "text", segments=segments, speakers=speakers, meta=meta)


def named(document: Document, **names: str) -> Document:
    told = [
        replace(s, name=names[s.label], name_confidence=1.0) if s.label in names else s
        for s in document.speakers
    ]
    return replace(document, speakers=tuple(told))


def names_of(document: Document) -> dict[str, str]:
    return {s.label: s.name for s in document.speakers}


def test_a_name_given_to_a_label_of_captions_stays_with_it() -> None:
    before = named(talk("Ann", "Yves", "Rob"), Ann="Ann", Yves="Yves Gravelle", Rob="Robert")
    after = as_named(named(talk("Ann", "Yves", "New"), Ann="A. Lee", Yves="Yves"), before)
    assert names_of(after) == {"Ann": "A. Lee", "Yves": "Yves Gravelle", "New": ""}
    guessed = replace(before.speakers[1], name="Guess", name_confidence=0.9)
    unsure = replace(before, speakers=(guessed,))
    assert names_of(as_named(talk("Yves"), unsure)) == {"Yves": ""}


def test_a_given_name_goes_with_the_voice_where_labels_were_drawn_anew() -> None:
    one, two = (1.0, 0.0, 0.0), (0.0, 0.8, 0.6)
    before = named(talk("S0", "S1", "S2", voices={"S0": one, "S1": two}, engine="e"),
                   S0="Ann", S1="Yves", S2="Passer-by")  # fmt: skip
    same = talk("S0", "S1", "S2", voices={"S0": one, "S1": two}, engine="e")
    assert names_of(as_named(same, before)) == {"S0": "Ann", "S1": "Yves", "S2": "Passer-by"}
    anew = talk("S0", "S1", "S2", voices={"S0": two, "S1": one}, engine="e")
    assert names_of(as_named(anew, before)) == {"S0": "Yves", "S1": "Ann", "S2": ""}
    other = talk("S0", "S1", "S2", voices={"S0": one, "S1": two}, engine="f")
    assert set(names_of(as_named(other, before)).values()) == {""}


@contextmanager
def sound_ingest(library: Path, **parts: Any) -> Iterator[Ingest]:
    def voices(show: str, engine: str) -> list[Speaker]:
        with Store.open(library) as store:
            return known_voices(store, show, engine)

    pipeline = TranscribePipeline(
        Stenographer, TwoVoices, library / "cache" / "transcripts", voices=voices
    )
    with open_ingest(library, transcribe=pipeline, **parts) as ingest:
        yield ingest


def test_a_renamed_sound_file_keeps_its_names_and_is_not_heard_again(
    own_folders: Path, tmp_path: Path
) -> None:
    folder, kept = tmp_path / "talks", own_folders / "cache" / "transcripts"
    folder.mkdir()
    first = folder / "talk.m4a"
    shutil.copy(EPISODE, first)
    with sound_ingest(own_folders) as ingest:
        ingest.add([str(folder)])
        (before,) = ingest.writer.store.documents()
        document = ingest.writer.store.document(before["id"])
        assert document is not None
        put_speakers(ingest.writer, before["id"], renamed(document, {"SPEAKER_00": "Anna W."}))
    (place,) = kept.iterdir()
    first.rename(folder / "renamed.m4a")
    with sound_ingest(own_folders) as ingest:
        ingest.add([str(folder)])
        (after,) = ingest.writer.store.documents()
        document = ingest.writer.store.document(after["id"])
        assert document is not None
        assert (after["id"], document.speakers[0].name) == (before["id"], "Anna W.")
        assert list(kept.iterdir()) == [place]
        # in the same folder the voice is known again
        (folder / "second.m4a").write_bytes(EPISODE.read_bytes() + b"\0")
        ingest.add([str(folder)])
        other = ingest.writer.store.document(short_hash((folder / "second.m4a").as_uri()))
        assert other is not None
        assert other.speakers[0].name == "Anna W."
        assert other.meta["show"] == folder.as_uri()
        assert len(list(kept.iterdir())) == 2
    (folder / "renamed.m4a").unlink()
    with sound_ingest(own_folders) as ingest:
        ingest.sync(ingest.writer.store.sources())
        assert ingest.report.removed == 1
    assert len(list(kept.iterdir())) == 1
    assert not place.exists()


def test_new_notes_keep_the_names_that_were_given(own_folders: Path) -> None:
    def captions(notes: str) -> Recording:
        said = [*words("Who are you?", 0, "Ann"), *words("I am Yves.", 5, "Guest")]
        return recording(said, notes, title="T", meta={"stamp": notes})

    shelf = Shelf(a=("1", captions("Old.")))
    with sound_ingest(own_folders, loaders={"video": shelf}) as ingest:
        ingest.sync([shelf_source()])
        (row,) = ingest.writer.store.documents()
        document = ingest.writer.store.document(row["id"])
        assert document is not None
        put_speakers(ingest.writer, row["id"], renamed(document, {"Guest": "Yves Gravelle"}))
        shelf.items["https://e.org/a"] = ("2", captions("New."))
        ingest.sync([shelf_source()])
        document = ingest.writer.store.document(row["id"])
        assert document is not None
        assert document.text.endswith("New.")
        assert [s.name for s in document.speakers] == ["Ann", "Yves Gravelle"]


def test_removing_one_source_leaves_the_unfinished_words_of_another(
    own_folders: Path, cli: Cli, tmp_path: Path
) -> None:
    sounds = [tmp_path / "one.m4a", tmp_path / "two.m4a"]
    for number, path in enumerate(sounds):
        path.write_bytes(EPISODE.read_bytes() + bytes([number]))

    class Cut(Stenographer):
        def transcribe(self, path: Path, **rest: Any) -> Transcript:
            super().transcribe(path, **rest)
            raise KeyboardInterrupt

    kept = own_folders / "cache" / "transcripts"
    for path in sounds:
        with sound_ingest(own_folders) as ingest, pytest.raises(KeyboardInterrupt):
            replace(ingest, transcribe=TranscribePipeline(Cut, TwoVoices, kept)).add([str(path)])
    assert len(list(kept.iterdir())) == 2
    assert cli("sources", "rm", sounds[0]).code == 0
    (left,) = kept.iterdir()
    assert [p.name for p in left.glob("*.for")] == [
        f"{source_named(str(sounds[1])).id}.{short_hash(sounds[1].as_uri())}.for"
    ]
    assert cli("sources", "rm", sounds[1]).code == 0
    assert not list(kept.iterdir())


def test_who_made_a_local_recording_and_when_is_in_its_tags(
    own_folders: Path, tmp_path: Path
) -> None:
    tags = {"artist": "Ann", "date": "2024-05-06"}
    path = write(tmp_path / "a.ogg", [tone(3, 48_000)], 48_000, "libopus", **tags)
    with sound_ingest(own_folders) as ingest:
        ingest.add([str(path)])
        (row,) = ingest.writer.store.documents()
        assert (row["author"], row["published"]) == ("Ann", "2024-05-06")
        for filters, found in (
            (Filters(author="ann", after="2024-05"), True),
            (Filters(author="bob"), False),
            (Filters(after="2024-05-07"), False),
        ):
            assert bool(ingest.writer.store._allow(filters)) == found


# Feeds


def test_new_notes_need_no_sound_and_leave_what_was_heard(
    own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    monkeypatch.setenv("DRAGTOR_LOAD_WEB_ALLOW_PRIVATE", "true")
    sound = server.routes["/ep1.mp3"] = Episode(EPISODE.read_bytes())
    loaders = open_loaders(load_config(), own_folders)
    documents = []
    try:
        for notes in ("Old notes.", "New notes.\n\n(00:09) Thanks"):
            described = f"<description>{notes}</description>"
            feed = rss(episode(server, 1, described))
            server.routes["/feed.xml"] = say(feed, Content_Type="application/rss+xml")
            with sound_ingest(own_folders, loaders=loaders) as ingest:
                ingest.add([f"{server.url}/feed.xml"])
                assert ingest.report.failed == []
                (row,) = ingest.writer.store.documents()
                found = ingest.writer.store.document(row["id"])
                assert found is not None
                documents.append(found)
                if len(documents) == 1:
                    names = {"SPEAKER_00": "Anna W."}
                    put_speakers(ingest.writer, found.id, renamed(found, names))
    finally:
        server.close()
    before, after = documents
    assert len(sound.asked) == 1
    assert (before.text.endswith("Old notes."), "New notes." in after.text) == (True, True)
    spoken = [[d.text[s.start : s.end] for s in d.segments] for d in documents]
    assert spoken[0] == spoken[1]
    assert [(s.start_s, s.speaker) for s in before.segments] == [
        (s.start_s, s.speaker) for s in after.segments
    ]
    assert [s.voice for s in before.speakers] == [s.voice for s in after.speakers]
    assert [s.name for s in after.speakers] == ["Anna W.", "Yves Gravelle"]
    assert {name: after.meta[name] for name in ("language", "duration_s", "voices")} == {
        "language": "en", "duration_s": 16.0, "voices": "two",
    }  # fmt: skip
    assert "## Start" not in before.text


def test_a_feed_leaves_no_sound_once_it_is_heard_and_no_page_once_it_is_removed(
    own_folders: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server()
    monkeypatch.setenv("DRAGTOR_LOAD_WEB_ALLOW_PRIVATE", "true")
    monkeypatch.setenv("DRAGTOR_LOAD_WEB_READER", "local")
    article = "".join(f"<p>Paragraph {n} is on pulleys and on rest days.</p>" for n in range(30))
    page = f"<html><body><article><h1>Post</h1>{article}</article></body></html>".encode()
    server.routes["/post"] = say(page, Content_Type="text/html")
    server.routes["/ep1.mp3"] = Episode(EPISODE.read_bytes())
    short = f"<title>Post</title><link>{server.url}/post</link><description>Short.</description>"
    server.routes["/feed.xml"] = say(
        rss(episode(server, 1), short), Content_Type="application/rss+xml"
    )
    cache = own_folders / "cache"
    config = load_config()
    loaders = open_loaders(config, own_folders)
    try:
        with sound_ingest(own_folders, loaders=loaders) as ingest:
            ingest.add([f"{server.url}/feed.xml"])
            assert ingest.report.failed == []
            assert ingest.report.added == 2
            assert not list((cache / "sound").iterdir())
            asked = len(server.asked)
            ingest.sync(ingest.writer.store.sources())
            assert server.asked[asked:] == ["/feed.xml"]
        assert len(list(cache.glob("*.page"))) == 2
        server.routes["/feed.xml"] = say(rss(post(1)), Content_Type="application/rss+xml")
        with sound_ingest(own_folders, loaders=loaders) as ingest:
            ingest.sync(ingest.writer.store.sources())
        old = cache / "sound" / f"{short_hash(f'{server.url}/ep1.mp3')}.mp3"
        old.write_bytes(b"from before")
        assert cli("sources", "rm", f"{server.url}/feed.xml").code == 0
    finally:
        server.close()
    assert not [p for p in cache.rglob("*") if p.is_file()]


# The whole pipeline


@pytest.fixture(scope="module")
def models() -> None:
    for name in MODELS:
        try:
            model_path(name, models_path(load_config().models))
        except DragtorError as error:
            pytest.skip(f"{error}: {error.hint}")


@pytest.mark.usefixtures("models")
def test_an_episode_from_sound_to_a_cited_second(own_folders: Path, cli: Cli) -> None:
    assert cli("add", EPISODE.parent).code == 0
    source = cli("sources", "--json").json["sources"][0]["id"]
    shown = cli("sources", "show", source, "--transcript").out
    assert "## Who is ready" in shown
    assert "**Anna Weber** [0:00] Welcome to Rock" in shown
    assert "**Tom Keller**" in shown
    hit = cli("search", "growth plates", "--speaker", "keller", "--json").json["hits"][0]
    assert hit["speaker"] == "Tom Keller"
    asked = cli("ask", "--quotes", "--json", "Why are the growth plates at risk?").json
    first = asked["citations"][0]
    assert "growth plates" in first["quote"]
    assert (first["speaker"], first["url"].endswith(f"#t={int(first['start_s'])}")) == (
        "Tom Keller", True,
    )  # fmt: skip
    assert 20 < first["start_s"] < first["end_s"] < 35
    assert cli("add", EPISODE.parent).err.count("unchanged") == 1
    assert list((own_folders / "cache" / "transcripts").rglob("*.jsonl"))
    assert cli("sources", "rm", source).code == 0
    assert not list((own_folders / "cache" / "transcripts").iterdir())


@pytest.mark.usefixtures("models")
def test_speakers_are_renamed_and_exported(own_folders: Path, cli: Cli, tmp_path: Path) -> None:
    assert cli("add", EPISODE).code == 0
    source = cli("sources", "--json").json["sources"][0]["id"]
    listed = cli("speakers", source, "--json").json["speakers"]
    assert [(s["name"], s["role"]) for s in listed] == [
        ("Anna Weber", "host"), ("Tom Keller", "guest"),
    ]  # fmt: skip
    assert "Keller  Jr." not in cli("speakers", source, "SPEAKER_01=Tom  Keller Jr.").out
    assert cli("speakers", source, "SPEAKER_07=X").code == 2
    assert cli("speakers", source, "SPEAKER_01").code == 2
    assert "Tom Keller Jr." in cli("export", source).out
    place = tmp_path / "talk.srt"
    assert cli("export", source, "--format", "srt", "-o", place).code == 0
    assert "--> " in place.read_text("utf-8")
    assert cli("export", source, "--format", "srt", "-o", place).code == 2  # never overwritten
    told = json.loads(cli("export", source, "--format", "json").out)
    assert {s["speaker"] for s in told["segments"]} == {"Anna Weber", "Tom Keller Jr."}


def test_a_missing_model_costs_the_sound_only(
    own_folders: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGTOR_SPEECH_MODEL", "llama-3.1-8b")
    monkeypatch.setenv("DRAGTOR_EMBED_MODEL", "all-minilm-l6-v2")
    folder = tmp_path / "mixed"
    folder.mkdir()
    shutil.copy(EPISODE, folder)
    (folder / "note.md").write_text("# Rest\n\nRest for two weeks after a strain.")
    run = cli("add", folder)
    assert run.code == 4
    assert "1 added" in run.err
    assert "llama-3.1-8b" in run.err
    assert cli("search", "rest", "--json").json["hits"]
