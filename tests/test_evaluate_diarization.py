"""`dragtor eval diarization`: the layout of a folder, what is compared, and the real engine."""

from __future__ import annotations

import shutil
import unicodedata
import wave
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from conftest import shared

from dragtor.config import Config, load_config, models_path
from dragtor.errors import LoadError, Missing, UsageError
from dragtor.evaluate import diarization
from dragtor.evaluate.diarization import bare_name, compare, evaluate, rttm_turns, uem_regions
from dragtor.models import model_path
from dragtor.speech.diarize import Diarization
from dragtor.types import NEVER, CancelToken, SpeakerTurn


def line(name: str, start: float, seconds: float, speaker: str) -> str:
    return f"SPEAKER {name} 1 {start} {seconds} <NA> <NA> {speaker} <NA> <NA>\n"


def wav(path: Path, seconds: float) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\0\1" * round(8000 * seconds))


class Fixed:
    """A Diarizer that hears the same turns in everything."""

    engine = "fixed"

    def __init__(self, *turns: SpeakerTurn) -> None:
        self.turns, self.heard_s = turns, 0.0

    def diarize(self, blocks: Iterable[Any], cancel: CancelToken = NEVER) -> Diarization:
        self.heard_s += sum(len(block) for block in blocks) / 16000
        return Diarization(self.turns)


Measure = Callable[..., dict[str, Any]]


@pytest.fixture
def measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Measure:
    """Evaluate the folder with an engine that gives these turns."""

    def run(*turns: SpeakerTurn) -> dict[str, Any]:
        monkeypatch.setattr(diarization, "open_diarizer", lambda *_: Fixed(*turns))
        return evaluate(tmp_path, Config())

    return run


# What is compared


def test_parts_of_the_error() -> None:
    reference = [SpeakerTurn("ann", 0, 4), SpeakerTurn("bob", 3, 6), SpeakerTurn("cat", 8, 9)]
    found = [SpeakerTurn("0", 0, 3), SpeakerTurn("1", 4, 7), SpeakerTurn("0", 8, 9)]
    parts = compare(reference, found, [(0, 10)])
    assert parts == pytest.approx(
        {"total": 8, "missed detection": 2, "false alarm": 1, "confusion": 1}
    )


def test_only_regions_count() -> None:
    parts = compare([SpeakerTurn("a", 0, 10)], [SpeakerTurn("x", 0, 5)], [(4, 6), (8, 9)])
    assert parts == pytest.approx(
        {"total": 3, "missed detection": 2, "false alarm": 0, "confusion": 0}
    )


# The folder


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_are_compared_without_accents(tmp_path: Path, measure: Measure, form: str) -> None:
    wav(tmp_path / unicodedata.normalize(form, "trñ00.wav"), 2)
    (tmp_path / "a.rttm").write_text(line("trn00", 0, 2, "ÉVA"), "utf-8")
    assert bare_name(unicodedata.normalize(form, "Trñ00")) == "trn00"
    assert measure(SpeakerTurn("x", 0, 2))["metrics"]["der"] == 0


def test_errors_are_pooled_over_files_and_several_rttm(tmp_path: Path, measure: Measure) -> None:
    wav(tmp_path / "one.wav", 4)
    wav(tmp_path / "two.WAV", 2)
    text = ";; a comment\n\n" + line("one", 0, 3, "a") + "SPKR-INFO one 1 <NA> <NA> <NA> x a\n"
    (tmp_path / "one.rttm").write_text(text)
    (tmp_path / "rest.RTTM").write_text(line("two", 0, 1, "a") + line("absent", 0, 9, "a"))
    result = measure(SpeakerTurn("x", 1, 4))
    # one: 1 s missed and 1 s too much of 3; two: 1 s missed and 1 s too much of 1
    assert result["n"] == 2
    metrics = result["metrics"]
    assert (metrics["der"], metrics["miss"], metrics["false_alarm"]) == (1.0, 0.5, 0.5)
    assert metrics["confusion"] == 0
    low, high = metrics["der_ci"]
    assert low <= 1.0 <= high
    assert metrics["speed"] > 0
    assert metrics["sound_s"] == 6
    assert [row["file"] for row in result["files"]] == ["one.wav", "two.WAV"]
    assert [row["der"] for row in result["files"]] == [0.6667, 2.0]
    assert (result["kind"], result["model"]) == ("diarization", "fixed")
    assert "pyannote-metrics" in result["versions"]


def test_a_region_without_turns_is_silence_and_nothing_spoken_has_no_rate(
    tmp_path: Path, measure: Measure
) -> None:
    wav(tmp_path / "one.wav", 3)
    wav(tmp_path / "quiet.wav", 3)
    (tmp_path / "a.uem").write_text("one NA 0.000 2.000\nquiet NA 0 3\n")
    (tmp_path / "a.rttm").write_text(line("one", 0, 3, "a"))
    result = measure(SpeakerTurn("x", 0, 3))
    assert result["metrics"]["der"] == 1.5
    assert result["files"][1]["der"] is None
    assert result["files"][1]["false_alarm_s"] == 3


def test_files_that_cannot_be_scored_are_named(tmp_path: Path, measure: Measure) -> None:
    wav(tmp_path / "good.wav", 1)
    wav(tmp_path / "no_samples.wav", 0)
    wav(tmp_path / "unknown.wav", 1)
    (tmp_path / "empty.wav").write_bytes(b"")
    (tmp_path / "text.wav").write_text("no sound")
    names = ("good", "no_samples", "empty", "text")
    (tmp_path / "a.rttm").write_text("".join(line(name, 0, 1, "a") for name in names))
    result = measure(SpeakerTurn("x", 0, 1))
    assert result["n"] == 1
    unreadable = {row["file"]: row["reason"] for row in result["unreadable"]}
    assert unreadable.keys() == {"no_samples.wav", "empty.wav", "text.wav"}
    assert all(reason and "\n" not in reason for reason in unreadable.values())
    assert result["without_reference"] == ["unknown.wav"]


def test_finished_files_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wav(tmp_path / "one.wav", 2)
    (tmp_path / "a.rttm").write_text(line("one", 0, 2, "a"))
    engine = Fixed(SpeakerTurn("x", 0, 2))
    monkeypatch.setattr(diarization, "open_diarizer", lambda *_: engine)
    first = evaluate(tmp_path, Config())
    assert evaluate(tmp_path, Config()) == first
    assert engine.heard_s == 2
    wav(tmp_path / "one.wav", 3)
    evaluate(tmp_path, Config())
    assert engine.heard_s == 5


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no .wav"),
        ({"a.wav": ""}, "holds no .rttm"),
        ({"a.wav": "", "a.rttm": ";; nothing\n"}, "holds no .rttm"),
        ({"a.wav": "", "a.rttm": "SPEAKER a 1 zero 1\n"}, "a.rttm, line 1: no two times"),
        ({"a.wav": "", "a.rttm": "SPEAKER a 1 0.5 1\n"}, "line 1: no speaker"),
        ({"a.wav": "", "a.rttm": line("a", 0, 1, "x"), "a.uem": "a\n"}, "a.uem, line 1: no two"),
        ({"a.wav": "", "a.rttm": line("b", 0, 1, "x")}, "no readable .wav with a reference"),
    ],
)
def test_a_folder_that_cannot_be_used_is_one_line(
    tmp_path: Path, measure: Measure, files: dict[str, str], message: str
) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(LoadError, match=message.replace(".", r"\.")):
        measure()


def test_odd_rttm_files(tmp_path: Path) -> None:
    path = tmp_path / "odd.rttm"
    path.write_bytes(b"\xef\xbb\xbf" + line("É", 1, 0.5, "x").encode() + b"\r\n")
    assert list(rttm_turns(path)) == [("e", SpeakerTurn("x", 1, 1.5))]
    path.write_text(line("a", 1, 0, "x") + line("a", 1, -2, "x"))
    assert list(rttm_turns(path)) == []
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(LoadError, match="cannot read"):
        list(rttm_turns(path))
    path.write_text("a NA 3 3\na NA 1 2\n")
    assert list(uem_regions(path)) == [("a", (1, 2))]


def test_no_engine_is_a_usage_error(tmp_path: Path) -> None:
    wav(tmp_path / "a.wav", 1)
    (tmp_path / "a.rttm").write_text(line("a", 0, 1, "x"))
    none = load_config(overrides={"diarize": {"engine": "none"}})
    with pytest.raises(UsageError, match="engine is none"):
        evaluate(tmp_path, none)
    with pytest.raises(LoadError, match="is no folder"):
        evaluate(tmp_path / "a.wav", none)


# The real engine on some of the meetings


def test_meetings(tmp_path: Path) -> None:
    config = load_config()
    try:
        model_path("pyannote-segmentation-3.0", models_path(config.models))
    except Missing as error:
        pytest.skip(f"{error}: {error.hint}")
    folder = shared("diarization_ami")
    for path in folder.iterdir():
        if bare_name(path.stem) in ("trn00", "trn03", "trn06", "trn09", "empty", "debug.train"):
            shutil.copy(path, tmp_path / path.name)
    result = evaluate(tmp_path, config)
    assert result["n"] == 4
    assert result["metrics"]["der"] < 0.25
    assert result["metrics"]["miss"] < 0.12
    assert result["without_reference"] == ["empty.wav"]
    by_file = {bare_name(Path(row["file"]).stem): row for row in result["files"]}
    assert by_file["trn03"]["der"] < 0.05
