"""Speech to words: where somebody speaks, windows, what is believed, and runs that are killed."""

from __future__ import annotations

import json
import math
import os
import random
import resource
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, shared
from fakes import Notes

from dragtor.config import ModelsConfig, SpeechConfig, models_path
from dragtor.errors import CorruptModel, LibraryError, LoadError, Missing, UsageError
from dragtor.models import model_path
from dragtor.speech.decode import RATE_HZ, decode
from dragtor.speech.journal import Plan, TranscriptJournal
from dragtor.speech.transcribe import (
    Transcriber,
    Transcript,
    _placed,
    _Run,
    _sounds,
    open_transcriber,
)
from dragtor.speech.vad import (
    CHUNK_S,
    VAD_DEFAULTS,
    VadOptions,
    VoiceActivity,
    open_vad,
    regions,
    speech_regions,
    speech_windows,
)
from dragtor.speech.whisper import (
    Whisper,
    WhisperToken,
    _failed,
    _words,
    check_language,
    without_loops,
)
from dragtor.types import NEVER, SILENT, Reporter, Word

MODELS = ModelsConfig()
TINY = SpeechConfig(model="whisper-tiny", threads=1)


def need(name: str) -> Path:
    try:
        return model_path(name, models_path(MODELS))
    except Missing as error:
        pytest.skip(f"{name} is not here: {error.hint}")


@pytest.fixture(scope="module")
def voice() -> VoiceActivity:
    need("silero-vad")
    return open_vad(MODELS)


@pytest.fixture(scope="module")
def tiny() -> Transcriber:
    need("silero-vad")
    need("whisper-tiny")
    return open_transcriber(TINY, MODELS)


def clip(name: str) -> Path:
    return shared("speech_asr") / "audio" / name


def sound(name: str) -> np.ndarray:
    return np.concatenate(list(decode(clip(name))))


def write(path: Path, samples: np.ndarray) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        file.writeframes((samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return path


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def said(transcript: Transcript) -> str:
    return " ".join(word.text for word in transcript.words)


# Where somebody speaks


def test_regions_begin_high_end_low_and_bridge_short_pauses() -> None:
    listening = VadOptions(on=0.5, off=0.3, pause_s=3 * CHUNK_S, shortest_s=2 * CHUNK_S)
    values = [0, 0.4, 0.6, 0.4, 0.2, 0.2, 0.9, 0.9, 0, 0, 0, 0, 0.9, 0, 0, 0, 0.5, 0.5]
    found = [(start / CHUNK_S, end / CHUNK_S) for start, end in regions(values, listening)]
    assert found == [(2, 8), (16, 18)]  # two chunks of pause are bridged; one of speech is a click


def test_a_region_without_a_pause_is_cut_where_speech_is_least_likely() -> None:
    values = [0.9] * 1500
    values[700] = 0.5
    found = regions(values, VAD_DEFAULTS)
    assert found[0] == (0, 700 * CHUNK_S)
    assert found[-1][1] == 1500 * CHUNK_S
    assert all(after[0] == before[1] for before, after in pairwise(found))
    assert max(end - start for start, end in found) <= VAD_DEFAULTS.longest_s


def test_windows_hold_all_speech_once_and_are_few() -> None:
    draw = random.Random(3)
    for _ in range(50):
        spoken, place = [], draw.uniform(0, 1)
        for _ in range(draw.randrange(1, 60)):
            end = place + draw.choice([0.2, 2, 5, 20])
            spoken.append((place, end))
            place = end + draw.choice([0.1, 0.4, 0.9, 3, 40])
        length_s = spoken[-1][1] + draw.choice([0, 0.1, 9])
        cut = speech_windows(spoken, length_s)
        pieces = [piece for window in cut for piece in window]
        assert all(0 <= start < end <= length_s for start, end in pieces)
        assert all(a[1] <= b[0] + 1e-9 for a, b in pairwise(pieces))
        assert all(
            any(low <= start and end <= high for low, high in pieces) for start, end in spoken
        )
        lengths = [sum(end - start for start, end in window) for window in cut]
        assert max(lengths) <= VAD_DEFAULTS.longest_s + 1e-6
        # two neighbours would never have gone into one
        assert all(a + b > VAD_DEFAULTS.longest_s - 2 for a, b in pairwise(lengths))
    assert speech_windows([], 5.0) == []


def test_windows_are_cut_at_the_longer_pause() -> None:
    spoken = [(0.0, 8.0), (8.2, 16.0), (17.0, 24.0), (24.2, 32.0)]
    assert speech_windows(spoken, 33.0) == [((0.0, 16.25),), ((16.75, 32.25),)]
    far = speech_windows([(1.0, 2.0), (100.0, 101.0)], 200.0)
    assert far == [((0.75, 2.25), (99.75, 101.25))]  # together, without what lies between


def test_sounds_of_windows_come_from_any_blocks() -> None:
    stream = np.arange(10 * RATE_HZ, dtype=np.float32)
    cut = [((0.5, 1.0), (2.0, 2.25)), ((2.25, 4.0),), ((9.5, 10.5),)]
    for size in (100, 7001, 10 * RATE_HZ):
        blocks = (stream[i : i + size] for i in range(0, stream.size, size))
        first, second, last = _sounds(blocks, cut)
        assert np.array_equal(first, np.concatenate((stream[8000:16000], stream[32000:36000])))
        assert np.array_equal(second, stream[36000:64000])
        assert np.array_equal(last, stream[152000:])


def test_words_of_joined_pieces_are_placed_in_their_own() -> None:
    window = ((10.0, 12.0), (100.0, 103.0))
    heard = [Word("a", 0.5, 1.0), Word("b", 1.8, 2.6), Word("c", 2.5, 2.4), Word("d", 4.9, 9.0)]
    assert _placed(heard, window) == [
        Word("a", 10.5, 11.0),
        Word("b", 100.0, 100.6),
        Word("c", 100.6, 100.6),
        Word("d", 102.9, 103.0),
    ]


def test_silence_noise_tones_and_clicks_are_no_speech(voice: VoiceActivity) -> None:
    draw, moments = np.random.default_rng(1), np.arange(6 * RATE_HZ) / RATE_HZ
    chord = sum(np.sin(2 * np.pi * hertz * moments) for hertz in (220, 277, 330, 440)) / 8
    clicks = silence(6)
    clicks[::4000] = 1
    for quiet in (silence(6), draw.normal(0, 0.05, moments.size), chord, clicks):
        assert speech_regions([quiet.astype(np.float32)], voice) == []
    assert speech_regions([], voice) == []


def test_speech_of_every_clip_is_found_in_any_blocks(voice: VoiceActivity) -> None:
    manifest = shared("speech_asr") / "manifest.jsonl"
    files = [json.loads(line)["file"] for line in manifest.read_text("utf-8").splitlines()]
    assert len(files) == 32
    for file in files:
        samples = np.concatenate(list(decode(manifest.parent / file)))
        found = speech_regions([samples], voice)
        assert sum(end - start for start, end in found) > 0.3, file
        pieces = np.array_split(samples, 7)
        assert speech_regions(pieces, voice) == found


# What is believed of a model's output


def tokens(*texts: bytes, logprob: float = -0.1) -> list[WhisperToken]:
    return [WhisperToken(text, round(n / 5 + 0.2, 3), logprob) for n, text in enumerate(texts)]


def test_tokens_become_words_with_their_punctuation() -> None:
    heard = tokens(b" A", b"2", b" pull", b"ey", b",", b" caf", b"\xc3", b"\xa9", b".")
    second = [WhisperToken(b" I", 9.0, -0.1)]
    assert _words([heard, second]) == [
        Word("A2", 0.0, 0.4),
        Word("pulley,", 0.4, 0.8),
        Word("café.", 1.0, 1.6),
        Word("I", 8.65, 9.0),  # what lies before it is silence
    ]


@pytest.mark.parametrize(
    ("texts", "wanted"),
    [
        ((b" [", b"laughter", b"]"), ""),
        ((b" (", b"door", b" closes", b")", b" Hello", b"."), "Hello."),
        ((b" Well", b" *", b"sighs", b"*", b" no"), "Well no"),
        ((b" \xe2\x99\xaa", b" la", b" la", b" \xe2\x99\xaa"), ""),
        ((b" 3", b" (", b"three"), "3 (three"),
        ((b" ", b" "), ""),
    ],
)
def test_sounds_are_no_words(texts: tuple[bytes, ...], wanted: str) -> None:
    assert " ".join(word.text for word in _words([tokens(*texts)])) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("no no no no", "no no no no"),
        ("five " * 12, "five"),
        ("so We were... " * 5 + "ok", "so We were... ok"),
        ("one, two, three. " * 3, "one, two, three. one, two, three. one, two, three."),
        ("the end of " * 4 + "it", "the end of it"),
        ("a b c d a b c d", "a b c d a b c d"),
        ("", ""),
    ],
)
def test_a_phrase_that_loops_is_said_once(text: str, wanted: str) -> None:
    words = [Word(each, n, n + 1) for n, each in enumerate(text.split())]
    assert " ".join(word.text for word in without_loops(words)) == wanted


def test_a_try_fails_on_loops_and_on_what_is_improbable() -> None:
    assert not _failed([])
    assert not _failed([tokens(b" fine")])
    assert _failed([tokens(b" odd", logprob=-1.2)])
    assert _failed([tokens(*[b" on", b" and"] * 20)])
    assert not _failed([tokens(*[f" w{n}".encode() for n in range(40)])])


# The journal


def test_a_journal_keeps_what_was_put_and_drops_torn_lines(tmp_path: Path) -> None:
    path, plan = tmp_path / "deep" / "j.jsonl", Plan("en", 9.5, (((0.0, 3.0),), ((4.0, 9.0),)))
    with TranscriptJournal(path) as journal:
        assert journal.plan is None
        journal.begin(plan)
        journal.put(1, [Word("Grüße", 4.1, 4.5)])
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"window": 0, "wor')
    with TranscriptJournal(path) as journal:
        assert (journal.plan, journal.done) == (plan, {1: [Word("Grüße", 4.1, 4.5)]})
        journal.put(0, [])
    with TranscriptJournal(path) as journal:
        assert sorted(journal.done) == [0, 1]
    path.write_bytes(whole[:20])  # killed while the plan was written
    with TranscriptJournal(path) as journal:
        assert (journal.plan, journal.done) == (None, {})
        journal.begin(plan)
    with TranscriptJournal(path) as journal:
        assert journal.plan == plan


def test_a_journal_that_cannot_be_written_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(LibraryError, match="cannot keep what is done"),
        TranscriptJournal(tmp_path / "file" / "j"),
    ):
        pass
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, most))  # as little as a full disk takes
    try:
        with (
            pytest.raises(LibraryError, match="too large"),
            TranscriptJournal(tmp_path / "j") as journal,
        ):
            journal.begin(Plan("en", 1.0, ()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


# The whole


def test_words_have_their_times(tiny: Transcriber, tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", np.concatenate((silence(20), sound("jfk.flac"), silence(9))))
    seen: list[tuple[str, int, int]] = []
    found = tiny.transcribe(path, folder=tmp_path / "kept", reporter=Notes(states=seen))
    assert found.language == "en"
    assert found.duration_s == pytest.approx(40, abs=0.1)
    text = "ask not what your country can do for you"
    assert text in said(found).lower().replace(",", "")
    country = next(word for word in found.words if word.text.startswith("country"))
    assert country.start_s == pytest.approx(26.2, abs=0.8)
    times = [time for word in found.words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)
    assert times[0] >= 20
    assert times[-1] <= 31.3
    assert seen[0][0] == "listening to a.wav"
    assert seen[-1][0] == "transcribing a.wav"
    assert all(done <= total for _, done, total in seen)
    assert seen[-1][1] == seen[-1][2]


def test_what_was_heard_once_is_not_heard_again(tiny: Transcriber, tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", sound("goforward.wav"))
    first = tiny.transcribe(path, folder=tmp_path / "kept")
    seen: list[object] = []
    other = path.rename(tmp_path / "moved.wav")
    again = tiny.transcribe(other, folder=tmp_path / "kept", reporter=Notes(states=seen))
    assert again == first
    assert seen == []
    tiny.transcribe(other, folder=tmp_path / "kept", language="en")
    assert len(list((tmp_path / "kept").iterdir())) == 2  # asked for otherwise, heard otherwise


def test_silence_and_laughter_give_no_words(tiny: Transcriber, tmp_path: Path) -> None:
    folder = shared("bad_inputs") / "audio" / "nonspeech"
    names = ("empty.mp3", "empty.wav", "laugh1.mp3", "laugh2.mp3")
    found = {name: tiny.transcribe(folder / name, folder=tmp_path) for name in names}
    assert {name: said(each) for name, each in found.items()} == dict.fromkeys(names, "")
    assert found["empty.wav"].language == ""
    (tmp_path / "nothing.mp3").touch()
    with pytest.raises(LoadError, match=r"^nothing\.mp3 is empty$"):
        tiny.transcribe(tmp_path / "nothing.mp3", folder=tmp_path)


def test_a_language_is_heard_or_told(tmp_path: Path) -> None:
    need("silero-vad")
    need("whisper-tiny")
    need("whisper-base.en")
    german = clip("multilingual.mp3")
    both = open_transcriber(SpeechConfig(threads=1), MODELS)
    plan = both._plan(_Run(german, SILENT, NEVER), "auto")
    assert plan.language != ""
    assert both._plan(_Run(clip("jfk.flac"), SILENT, NEVER), "auto").language == "en"
    assert both._model_for("en") == need("whisper-base.en")
    assert both._model_for("de") == need("whisper-tiny")
    assert (check_language("de-AT"), check_language("German")) == ("de", "de")
    with pytest.raises(UsageError, match="unknown language 'klingon'"):
        both.transcribe(german, language="klingon", folder=tmp_path)


def test_absent_models_are_one_line_with_the_command(tmp_path: Path) -> None:
    empty = ModelsConfig(path=str(tmp_path))
    with pytest.raises(Missing) as caught:
        open_transcriber(SpeechConfig(), empty)
    assert caught.value.hint == "dragtor models pull whisper-base.en"
    (tmp_path / "whisper-base.en").symlink_to(need("whisper-base.en").parent)
    with pytest.raises(Missing) as caught:
        open_transcriber(SpeechConfig(), empty)
    assert caught.value.hint == "dragtor models pull silero-vad"
    (tmp_path / "silero-vad").symlink_to(need("silero-vad").parent)
    english = open_transcriber(SpeechConfig(threads=1), empty)
    with pytest.raises(Missing) as caught:
        english.transcribe(clip("goforward.wav"), language="de", folder=tmp_path)
    assert caught.value.hint == "dragtor models pull whisper-tiny"
    assert english._plan(_Run(clip("goforward.wav"), SILENT, NEVER), "auto").language == "en"


def test_damaged_weights_are_one_clear_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = need("whisper-tiny")
    for name, data in (("text.bin", b"no weights"), ("cut.bin", whole.read_bytes()[:9_000_000])):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(CorruptModel, match="is not readable by whisper") as caught:
            Whisper(tmp_path / name, 1, "dragtor models pull whisper-tiny")
        assert "\n" not in str(caught.value)
    assert Whisper(whole, 1, "").words(silence(0.01), "en") == []
    assert capfd.readouterr() == ("", "")


def long_speech(path: Path) -> Path:
    """About a minute, three windows."""
    pause = silence(0.7)
    names = ("jfk.flac", "librivox/sense_and_sensibility_01_austen_64kb-0870.wav", "vosk_test.wav")
    parts = [part for name in names for part in (sound(name), pause)]
    return write(path, np.concatenate([*parts, *parts]))


COMMAND = """
import sys
from pathlib import Path
from dragtor.config import ModelsConfig, SpeechConfig
from dragtor.speech.transcribe import _Run, open_transcriber
config = SpeechConfig(model="whisper-tiny", threads=1)
transcriber = open_transcriber(config, ModelsConfig())
transcriber.transcribe(Path(sys.argv[1]), language="en", folder=Path(sys.argv[2]))
"""


def heard_windows(folder: Path) -> Iterator[int]:
    for path in folder.glob("*.jsonl"):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n") and b'"window"' in line:
                yield json.loads(line)["window"]


def test_killed_at_any_moment_it_goes_on_with_the_same_words(
    tiny: Transcriber, tmp_path: Path
) -> None:
    path, kept = long_speech(tmp_path / "talk.wav"), tmp_path / "kept"
    wanted = tiny.transcribe(path, language="en", folder=tmp_path / "other")
    number = len(list(heard_windows(tmp_path / "other")))
    assert number >= 2
    line = [sys.executable, "-c", COMMAND, str(path), str(kept)]
    finished = 0
    while finished + 1 < number:  # each run is killed once it has finished a window more
        process = subprocess.Popen(line, cwd=ROOT)
        while (now := len(list(heard_windows(kept)))) == finished and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert now > finished, "a run that was not killed did not finish a window"
        finished = now
    assert tiny.transcribe(path, language="en", folder=kept) == wanted
    assert sorted(heard_windows(kept)) == list(range(number))  # none twice
    assert math.isclose(wanted.duration_s, path.stat().st_size / 2 / RATE_HZ, abs_tol=0.01)


def test_ctrl_c_keeps_what_is_finished(tiny: Transcriber, tmp_path: Path) -> None:
    path, kept = long_speech(tmp_path / "talk.wav"), tmp_path / "kept"

    class Stop(Reporter):
        def progress(self, label: str, done: float, total: float) -> None:
            if label.startswith("transcribing"):
                os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        tiny.transcribe(path, language="en", folder=kept, reporter=Stop())
    finished = list(heard_windows(kept))
    assert finished
    tiny.transcribe(path, language="en", folder=kept)
    assert sorted(set(heard_windows(kept))) == sorted(heard_windows(kept))
