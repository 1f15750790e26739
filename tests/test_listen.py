"""Recordings become documents: the parts in their order, and the whole river on real sound."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Cli
from test_spoken import words

from dragtor.config import load_config, models_path
from dragtor.errors import DragtorError, LoadError, Missing
from dragtor.models import model_path
from dragtor.speech.diarize import Diarization
from dragtor.speech.listen import Listener
from dragtor.speech.transcribe import Transcript
from dragtor.types import Chapter, Document, Recording, Speaker, Turn, Word, short_hash

EPISODE = ROOT / "assets" / "sample_episode" / "rock-talk-7-campus-board.m4a"
MODELS = ("whisper-base.en", "silero-vad", "pyannote-segmentation-3.0")
TWO = (
    *words("Welcome to the show. My guest today is Yves Gravelle. Why do you hang?", 0),
    *words("Thanks for having me. Hanging makes fingers strong.", 10),
)
TURNS = (Turn("SPEAKER_00", 0, 8), Turn("SPEAKER_01", 10, 16))
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

    def diarize(self, blocks: Iterable[Any], progress: Any = None) -> Diarization:
        assert sum(len(block) for block in blocks)
        if progress:
            progress(16.0)
        return Diarization(TURNS, VOICES)


def listener(tmp_path: Path, **parts: Any) -> Listener:
    made = {"transcriber": Stenographer, "diarizer": TwoVoices, **parts}
    told = {k: v for k, v in made.items() if k not in ("transcriber", "diarizer")}
    return Listener(made["transcriber"], made["diarizer"], tmp_path / "kept", **told)


def recording(said: Sequence[Word] = (), notes: str = "", **facts: Any) -> Recording:
    uri = "https://example.org/e/talk%207.mp3"
    document = Document(short_hash(uri), uri, "audio", facts.pop("title", ""), notes, **facts)
    return Recording(document, None if said else EPISODE, tuple(said), (Chapter("Start", 0),))


def test_sound_becomes_turns_with_names(tmp_path: Path) -> None:
    document = listener(tmp_path).hear(recording(notes="Links: example.org"))
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
    made = listener(tmp_path, transcriber=none, diarizer=none).hear(recording(said, title="T"))
    assert [(s.label, s.name, s.name_confidence) for s in made.speakers] == [
        ("Ann Lee", "Ann Lee", 1.0),
        ("Yves", "Yves", 1.0),
    ]
    assert listener(tmp_path).hear(recording(said)).title == "talk 7"


def test_a_voice_is_known_again_in_its_show(tmp_path: Path) -> None:
    asked = []

    def voices(show: str, engine: str) -> list[Speaker]:
        asked.append((show, engine))
        return [Speaker("SPEAKER_05", "Steven Dimmitt", "host", 1, 1, (0.96, 0.28)),
                Speaker("SPEAKER_06", "Far Away", "host", 1, 1, (-1.0, 0.0))]  # fmt: skip

    made = listener(tmp_path, voices=voices).hear(recording(meta={"show": "Nugget"}))
    assert asked == [("Nugget", "two")]
    assert [s.name for s in made.speakers] == ["Steven Dimmitt", "Yves Gravelle"]


def test_without_a_diarization_model_the_words_are_kept(tmp_path: Path) -> None:
    def absent() -> Any:
        raise Missing("no model", "dragtor models pull it")

    said: list[str] = []
    made = listener(tmp_path, diarizer=absent, notify=said.append).hear(recording())
    assert "Hanging makes fingers strong." in made.text
    assert {s.speaker for s in made.segments} == {None}
    assert said == ["speakers are not told apart: no model (dragtor models pull it)"]


def test_silence_is_one_clear_line_unless_there_are_notes(tmp_path: Path) -> None:
    def nobody() -> Stenographer:
        return Stenographer(())

    with pytest.raises(LoadError, match="nobody speaks in it"):
        listener(tmp_path, transcriber=nobody).hear(recording())
    shutil.rmtree(tmp_path / "kept")
    made = listener(tmp_path, transcriber=nobody).hear(recording(notes="About music."))
    assert made.text == "About music."


def test_what_was_heard_once_is_kept_until_its_document_goes(tmp_path: Path) -> None:
    heard = []

    class Counted(TwoVoices):
        def diarize(self, blocks: Iterable[Any], progress: Any = None) -> Diarization:
            heard.append(1)
            return super().diarize(blocks, progress)

    ear = listener(tmp_path, diarizer=Counted)
    first, again = ear.hear(recording()), ear.hear(recording(notes="New notes."))
    assert (len(heard), first.speakers) == (1, again.speakers)
    ear.keep({first.id, "other"})
    assert [p.name for p in (tmp_path / "kept").iterdir()] == [first.id]
    ear.keep({"other"})
    assert not list((tmp_path / "kept").iterdir())


# The whole river


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
    assert "**Anna Weber** [0:00] Welcome to Rock Talk" in shown
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
    assert run.code == 1
    assert "1 added" in run.err
    assert "llama-3.1-8b" in run.err
    assert cli("search", "rest", "--json").json["hits"]
