"""`eval transcription`: how words are compared, what is counted, and a run on real clips."""

from __future__ import annotations

import json
import wave
from pathlib import Path

import pytest
from conftest import shared
from fakes import Notes

from dragtor.config import Config, ModelsConfig, SpeechConfig, models_path
from dragtor.errors import LoadError, Missing
from dragtor.evaluate.transcription import evaluate, mistakes, normalised_text
from dragtor.models import model_path

CONFIG = Config(speech=SpeechConfig(model="whisper-tiny", language="en", threads=1))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Don’t ask, Mr. O'Brien!", "dont ask mister obrien"),
        ("ill-disposed", "ill disposed"),
        ("1, 2, 3", "1 2 3"),
        ("One two three.", "1 2 3"),
        ("twenty-five", "2 5"),
        ("25", "2 5"),
        ("nineteen ninety nine", "1 9 9 9"),
        ("two hundred and five people", "2 0 5 people"),
        ("nine and ten", "9 and 1 0"),
        ("one hundred and", "1 0 0 and"),
        ("1,200,000", "1 2 0 0 0 0 0"),
        ("one million two hundred thousand", "1 2 0 0 0 0 0"),
        ("five hundred thousand three hundred and twelve", "5 0 0 3 1 2"),
        ("nine oh two one", "9 0 2 1"),
        ("oh no", "oh no"),
        ("hundreds of thousands", "hundreds of thousands"),
        ("three point five, 3.5", "3 5 3 5"),
        ("the point of no return", "the point of no return"),
        ("STRASSE, Straße; naïve", "strasse strasse naïve"),
        ("50%", "5 0 percent"),
        ("…", ""),
    ],
)
def test_words_are_compared_without_case_punctuation_and_spelling_of_numbers(
    text: str, wanted: str
) -> None:
    assert normalised_text(text) == wanted


def test_numbers_in_words_and_in_digits_are_the_same() -> None:
    from random import Random

    small = "zero one two three four five six seven eight nine".split()
    tens = "twenty thirty forty fifty sixty seventy eighty ninety".split()
    draw = Random(2)
    for _ in range(100):
        thousands, hundreds, ten, one = (draw.randrange(1, 10) for _ in range(4))
        if ten == 1:
            continue
        spelled = f"{small[thousands]} thousand {small[hundreds]} hundred and {tens[ten - 2]}"
        figure = f"{thousands}{hundreds}{ten}{one}"
        assert (
            normalised_text(f"{spelled}-{small[one]}")
            == normalised_text(figure)
            == " ".join(figure)
        )


def test_mistakes_are_wrong_missing_and_added_words() -> None:
    assert mistakes("a b c d", "a x c") == (2, 4)
    assert mistakes("a b", "A, b!") == (0, 2)
    assert mistakes("a", "a b c") == (2, 1)
    assert mistakes("a b", "") == (2, 2)
    assert mistakes("", "thank you") == (2, 0)
    assert mistakes("", "") == (0, 0)


def manifest(folder: Path, *rows: object) -> Path:
    path = folder / "manifest.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "holds no row with file and reference"),
        ([{"file": "a.wav", "reference": None}], "holds no row with file and reference"),
        ([{"reference": "words"}], "line 1: no JSON object with file and reference"),
        ([{"file": "a.wav", "reference": 5}], "line 1: no JSON object with file and reference"),
        (["a.wav"], "line 1: no JSON object with file and reference"),
    ],
)
def test_a_manifest_of_another_format_is_one_clear_line(
    tmp_path: Path, rows: list[object], words: str
) -> None:
    with pytest.raises(LoadError, match=words):
        evaluate(manifest(tmp_path, *rows), CONFIG)


def test_absent_models_are_one_line_with_the_command(tmp_path: Path) -> None:
    config = Config(models=ModelsConfig(path=str(tmp_path)))
    with pytest.raises(Missing) as caught:
        evaluate(manifest(tmp_path, {"file": "a", "reference": "b"}), config)
    assert caught.value.hint == "dragtor models pull whisper-base.en"


def test_real_clips_are_scored_and_unreadable_ones_named(tmp_path: Path) -> None:
    for name in ("whisper-tiny", "silero-vad"):
        try:
            model_path(name, models_path(ModelsConfig()))
        except Missing as error:
            pytest.skip(f"{name} is not here: {error.hint}")
    clips = shared("speech_asr") / "audio"
    (tmp_path / "sub").symlink_to(clips)
    (tmp_path / "text.wav").write_text("no sound")
    with wave.open(str(tmp_path / "quiet.wav"), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(64_000))
    path = manifest(
        tmp_path,
        {"file": "sub/new-home-in-the-stars-16k.wav", "reference": "we must find a new home"},
        {"file": "quiet.wav", "reference": ""},
        {"file": "sub/goforward.wav", "reference": None},
        {"file": "text.wav", "reference": "words"},
        {"file": "absent.wav", "reference": "words"},
    )
    seen: list[tuple[str, int, int]] = []
    result = evaluate(path, CONFIG, reporter=Notes(states=seen))
    assert (result["kind"], result["path"], result["n"]) == ("transcription", "manifest.jsonl", 2)
    figures = result["metrics"]
    assert figures["wer"] == 0.5  # "in the stars" is too much: 3 of 6
    assert figures["wer_ci"][0] <= figures["wer"] <= figures["wer_ci"][1]
    assert figures["rtf"] > 0
    assert (figures["words"], figures["sound_s"]) == (6, pytest.approx(5.6, abs=0.1))
    assert [each["file"] for each in result["unreadable"]] == ["text.wav", "absent.wav"]
    assert all("\n" not in each["reason"] for each in result["unreadable"])
    assert result["model"] == "whisper-tiny"
    assert {"dragtor", "jiwer", "pywhispercpp"} <= result["versions"].keys()
    assert seen[-1] == ("transcribing", 4, 4)
    again = evaluate(path, CONFIG)
    assert again["metrics"] == figures  # the seconds too: nothing was heard again


def test_nothing_readable_is_one_clear_line(tmp_path: Path) -> None:
    try:
        path = manifest(tmp_path, {"file": "absent.wav", "reference": "words"})
        with pytest.raises(LoadError, match=r"no file can be transcribed: .*No such file"):
            evaluate(path, CONFIG)
    except Missing as error:
        pytest.skip(f"{error}: {error.hint}")
