"""Who speaks when: windows, spectra, voice prints, clusters, turns, and both engines.

The models are real where they are here; pyannote's own library and torch are stand-ins that keep
to its protocol.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, shared
from pyannote.core import Annotation, Segment
from scipy import optimize
from scipy.cluster import hierarchy
from scipy.spatial import distance

from dragtor import onnx as graphs
from dragtor.config import DiarizeConfig, ModelsConfig, load_config, models_path
from dragtor.errors import DragtorError, LoadError, Missing, UsageError
from dragtor.models import model_path
from dragtor.speech.decode import decode
from dragtor.speech.diarize import (
    RATE,
    Diarization,
    Diarizer,
    cluster,
    linkage,
    numbered_speakers,
    onnx,
    open_diarizer,
)  # fmt: skip
from dragtor.speech.diarize.cluster import NOBODY, Belief, Bounds, LocalVoice, speakers_of
from dragtor.speech.diarize.onnx import HOP, WINDOW, log_mels, sound_windows
from dragtor.speech.diarize.pyannote import PyannoteDiarizer, as_diarization, bounds
from dragtor.types import SpeakerTurn

# Windows


def cut(sound: Any, size: int) -> Iterator[Any]:
    for at in range(0, len(sound), size):
        yield sound[at : at + size]


@pytest.mark.parametrize("seconds", [0.0001, 1, 9.99, 10, 10.5, 11.9, 12, 12.5, 47.3])
def test_windows_cover_every_sample_and_do_not_depend_on_the_blocks(seconds: float) -> None:
    sound = np.arange(1, round(seconds * RATE) + 2, dtype=np.float32)
    found = list(sound_windows([sound]))
    covered = np.zeros(len(sound), bool)
    for window in found:
        assert len(window.sound) == WINDOW
        part = sound[window.start : window.start + window.length]
        assert (window.sound[: window.length] == part).all()
        assert (window.sound[window.length :] == 0).all()
        covered[window.start : window.start + window.length] = True
    assert covered.all()
    assert [b.start - a.start for a, b in pairwise(found)] == [HOP] * (len(found) - 1)
    for size in (777, 16000, 200_000):
        again = list(sound_windows(cut(sound, size)))
        assert [(w.start, w.length) for w in again] == [(w.start, w.length) for w in found]
        assert all((a.sound == b.sound).all() for a, b in zip(again, found, strict=True))


def test_windows_are_given_while_sound_still_comes() -> None:
    taken = 0

    def endless() -> Iterator[Any]:
        nonlocal taken
        while True:
            taken += 1
            yield np.zeros(RATE, np.float32)

    slid = sound_windows(endless())
    for number in range(100):
        assert next(slid).start == number * HOP
    assert taken <= 10 + 100 * HOP / RATE + 1


def test_no_sound_gives_no_window_and_broken_samples_are_silence() -> None:
    assert list(sound_windows([])) == []
    assert list(sound_windows([np.zeros(0, np.float32)])) == []
    broken = np.array([np.nan, np.inf, -np.inf, 0.5], np.float32)
    (window,) = sound_windows([broken])
    assert window.sound[:5].tolist() == [0.0, 0.0, 0.0, 0.5, 0.0]


# Spectra and voice prints


def test_spectra_are_kaldis() -> None:
    """One spectrum computed as Kaldi's documentation has it, bin by bin."""
    sound = np.random.default_rng(0).normal(0, 0.1, 1000).astype(np.float32)
    frame = sound[160:560].astype(float)
    frame = frame - frame.mean()
    frame = np.append(0.03 * frame[0], frame[1:] - 0.97 * frame[:-1])
    frame *= (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 399)) ** 0.85
    bins = np.exp(-2j * np.pi * np.outer(np.arange(256), np.arange(400)) / 512) @ frame
    low, high = (1127 * np.log(1 + hertz / 700) for hertz in (20, 8000))
    expected = []
    for mel in range(80):
        left, middle, right = (low + (high - low) / 81 * (mel + i) for i in range(3))
        energy = 0.0
        for number, value in enumerate(bins):
            at = 1127 * np.log(1 + number * 31.25 / 700)
            energy += abs(value) ** 2 * max(
                0.0, min((at - left) / (middle - left), (right - at) / (right - middle))
            )
        expected.append(np.log(max(energy, 1.1920929e-07)))
    found = log_mels(sound)
    assert found.shape == (4, 80)
    assert found[1] == pytest.approx(expected, abs=1e-3)
    assert log_mels(sound[:399]).shape == (0, 80)
    assert np.isfinite(log_mels(np.zeros(4000, np.float32))).all()


def readers() -> dict[str, list[Any]]:
    """Read sentences by reader, 16 kHz."""
    folder = shared("speech_asr")
    found: dict[str, list[Any]] = {}
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["speaker"] in ("spk1", "spk2", "librivox_reader"):
            sound = np.concatenate([*decode(folder / row["file"])])
            found.setdefault(row["speaker"], []).append(sound)
    return found


def test_voice_prints_tell_readers_apart() -> None:
    session = graphs.open_session(onnx.embedding_file(), "")
    print_of = onnx.OnnxDiarizer(session, session, Bounds())._voice
    prints = {name: [print_of(log_mels(s)) for s in sounds] for name, sounds in readers().items()}
    assert all(abs(np.linalg.norm(v) - 1) < 1e-5 for each in prints.values() for v in each)
    same = [float(a @ b) for each in prints.values() for i, a in enumerate(each) for b in each[:i]]
    other = [
        float(a @ b)
        for name, each in prints.items()
        for rest, others in prints.items()
        if rest > name
        for a in each
        for b in others
    ]
    assert min(same) > 1 - cluster.SAME_VOICE > max(other)


def test_the_voice_print_is_small_enough_to_be_shipped() -> None:
    assert onnx.embedding_file() == ROOT / "assets" / onnx.EMBEDDING
    assert onnx.embedding_file().stat().st_size < 25e6


# Clusters


def voices(plan: list[dict[int, int]], size: int = 32, noise: float = 0.25) -> list[LocalVoice]:
    """A voice for each window's local speaker, of the person that `plan` gives it."""
    draw = np.random.default_rng(7)
    people = np.linalg.qr(draw.normal(size=(size, size)))[0]
    found = []
    for window, locals_ in enumerate(plan):
        for local, person in sorted(locals_.items()):
            vector = people[person] + noise / size**0.5 * draw.normal(size=size)
            vector /= np.linalg.norm(vector)
            found.append(LocalVoice(window, local, vector.astype(np.float32), 2.0))
    return found


THREE = [{0: w % 3, 1: (w + 1) % 3} for w in range(30)]


def people(who: Any, plan: list[dict[int, int]]) -> set[tuple[int, int]]:
    """(person, speaker) pairs."""
    return {(p, int(who[w, loc])) for w, locals_ in enumerate(plan) for loc, p in locals_.items()}


@pytest.mark.parametrize("given", [Bounds(), Bounds(exactly=3), Bounds(0, 2, 5), Bounds(0, 3, 3)])
def test_three_voices_are_three_speakers(given: Bounds) -> None:
    who, centres = speakers_of(voices(THREE), len(THREE), given)
    assert len(people(who, THREE)) == 3
    assert centres.shape == (3, 32)
    assert (who[:, 2] == NOBODY).all()
    assert np.linalg.norm(centres, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)


@pytest.mark.parametrize(
    ("given", "count"),
    [(Bounds(exactly=2), 2), (Bounds(at_most=2), 2), (Bounds(exactly=1), 1), (Bounds(0, 5, 0), 5)],
)
def test_the_number_of_speakers_can_be_fixed_and_bounded(given: Bounds, count: int) -> None:
    _, centres = speakers_of(voices(THREE), len(THREE), given)
    assert len(centres) == count


def test_more_speakers_than_voices_are_as_many_as_there_are() -> None:
    plan = [{0: 0, 1: 1}]
    _, centres = speakers_of(voices(plan), 1, Bounds(exactly=9))
    assert len(centres) == 2
    who, centres = speakers_of([], 3, Bounds(exactly=2))
    assert (who == NOBODY).all()
    assert len(centres) == 0


def test_two_speakers_of_one_window_are_never_one() -> None:
    plan = [{0: 0, 1: 0, 2: 1} for _ in range(12)]  # 0 and 1 sound alike
    who, _ = speakers_of(voices(plan), len(plan), Bounds())
    for row in who:
        known = [speaker for speaker in row if speaker != NOBODY]
        assert len(known) == len(set(known))


def test_a_voice_that_is_hardly_heard_is_no_speaker_of_a_long_recording() -> None:
    plan = [{0: w % 2} for w in range(400)] + [{0: 5}] * 2
    _, centres = speakers_of(voices(plan), len(plan), Bounds())
    assert len(centres) == 2
    _, centres = speakers_of(voices(plan[-4:]), 4, Bounds())
    assert len(centres) == 3  # but of a short one


def test_only_so_many_voices_make_the_clusters_and_all_are_assigned() -> None:
    plan = [{0: w % 4, 2: (w + 2) % 4} for w in range(cluster.MAX_CLUSTERED)]
    who, centres = speakers_of(voices(plan, 8), len(plan), Bounds())
    assert len(centres) == 4
    assert len(people(who, plan)) == 4


def test_voices_in_overlap_only_still_make_a_speaker() -> None:
    heard = [replace(voice, seconds=0.0) for voice in voices([{0: 0}, {0: 0}])]
    who, centres = speakers_of(heard, 2, Bounds())
    assert len(centres) == 1
    assert who[:, 0].tolist() == [0, 0]


def groups(labels: Any) -> set[frozenset[int]]:
    """Clusters as sets of points, whatever their numbers."""
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


@pytest.mark.parametrize("points", [2, 3, 8, 60])
@pytest.mark.parametrize("seed", range(5))
def test_average_linkage_and_assignment_are_scipys(points: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(points, 4)) + 3 * draw.normal(size=(3, 4))[np.arange(points) % 3]
    apart = distance.pdist(vectors, "cosine")
    tree, merges = hierarchy.linkage(apart, "average"), linkage.average(distance.squareform(apart))
    assert [merge[0] for merge in merges] == pytest.approx(tree[:, 2])
    for cut in (0.05, 0.3, 0.6, 1.0):
        assert groups(linkage.below(merges, cut)) == groups(
            hierarchy.fcluster(tree, cut, "distance")
        )
    for most in (1, 2, 3, points):
        same = groups(hierarchy.fcluster(tree, most, "maxclust"))
        assert groups(linkage.at_most(merges, most)) == same
    table = draw.normal(size=(seed % 3 + 1, points))
    rows, columns = optimize.linear_sum_assignment(table, maximize=True)
    assert linkage.best_assignment(table) == list(zip(rows.tolist(), columns.tolist(), strict=True))
    assert len(linkage.best_assignment(table.T[:3])) == min(3, points, len(table))


def test_equal_distances_are_cut_together_and_one_point_is_a_cluster() -> None:
    merges = linkage.average(np.zeros((4, 4)))
    assert linkage.at_most(merges, 3).tolist() == [0, 0, 0, 0]
    assert linkage.at_most(merges, 4).tolist() == [0, 1, 2, 3]
    assert linkage.below(linkage.average(np.zeros((1, 1))), 0.6).tolist() == [0]


# Turns


def believing(*speaking: int) -> Belief:
    """Belief in so many speakers in each frame."""
    belief = Belief.empty()
    count = np.array(speaking)
    belief.add(0, (count > 0).astype(np.float32), (count > 1).astype(np.float32))
    return belief


def test_as_many_speak_as_is_believed_the_most_active_first() -> None:
    active = np.zeros((5, 3), np.uint8)
    active[:] = [255, 200, 100]
    who = np.array([[1, 0, NOBODY]])
    found = cluster.activity([active], [0], who, 2, believing(0, 1, 2, 2, 1))
    assert found[:5].tolist() == [[0, 0], [0, 1], [1, 1], [1, 1], [0, 1]]
    who = np.array([[0, 1, 2]])  # a third voice that is loud enough is heard too
    found = cluster.activity([active], [0], who, 3, believing(0, 1, 2, 2, 1))
    assert found[:5].sum(1).tolist() == [0, 1, 3, 3, 1]


def test_windows_are_averaged_by_frame() -> None:
    belief = Belief.empty()
    ones, none = np.ones(10, np.float32), np.zeros(10, np.float32)
    belief.add(0, ones, none)
    belief.add(5, none, none)
    belief.add(20, ones, ones)
    speaking = belief.speaking()
    assert speaking[:5].tolist() == [1] * 5
    assert speaking[10:20].tolist() == [0] * 10  # heard as silence, and not heard
    assert speaking[20:30].tolist() == [2] * 10


def test_runs_become_turns_pauses_are_filled_and_blips_dropped() -> None:
    active = np.zeros((100, 2), bool)
    active[10:20, 0] = active[21:40, 0] = True  # a pause of 0.1 s
    active[60:70, 0] = True  # one of 2 s
    active[50, 1] = True  # 0.1 s
    active[90:100, 1] = True
    found = cluster.speaker_turns(active, 0.1, 0.05, 9.5)
    assert [(t.speaker, t.start_s, t.end_s) for t in found] == [
        ("0", 1.05, 4.05),
        ("0", 6.05, 7.05),
        ("1", 5.05, 5.15),
        ("1", 9.05, 9.5),
    ]
    assert cluster.speaker_turns(active[:, 1:], 0.05, 0.0, 9.5) == [SpeakerTurn("0", 4.5, 5.0)]


def test_speakers_are_named_as_they_first_speak() -> None:
    turns = [
        SpeakerTurn("b", 5, 6),
        SpeakerTurn("a", 2, 3),
        SpeakerTurn("c", 2, 2.5),
        SpeakerTurn("a", 9, 10),
    ]
    ordered, names = numbered_speakers(turns)
    assert [t.speaker for t in ordered] == [f"SPEAKER_0{n}" for n in (0, 1, 2, 1)]
    assert names == {"c": "SPEAKER_00", "a": "SPEAKER_01", "b": "SPEAKER_02"}


# The table


def test_an_unknown_engine_lists_the_valid_ones() -> None:
    wrong = replace(DiarizeConfig(), engine="whisper")  # type: ignore[arg-type]
    with pytest.raises(UsageError) as caught:
        open_diarizer(wrong, ModelsConfig())
    assert "onnx, pyannote, none" in caught.value.hint
    assert open_diarizer(DiarizeConfig(engine="none"), ModelsConfig()) is None


def test_bounds_that_cross_are_refused() -> None:
    with pytest.raises(UsageError, match="min_speakers"):
        open_diarizer(DiarizeConfig(min_speakers=4, max_speakers=2), ModelsConfig())


def test_an_absent_model_names_the_pull(tmp_path: Path) -> None:
    with pytest.raises(Missing) as caught:
        open_diarizer(DiarizeConfig(), ModelsConfig(path=str(tmp_path)))
    assert caught.value.hint == "dragtor models pull pyannote-segmentation-3.0"


# The real engine


def opened(**settings: int) -> Diarizer:
    config = load_config(overrides={"diarize": settings})
    try:
        model_path(onnx.SEGMENTATION, models_path(config.models))
    except Missing as error:
        pytest.skip(f"{error}: {error.hint}")
    diarizer = open_diarizer(config.diarize, config.models)
    assert diarizer is not None
    return diarizer


@pytest.fixture(scope="module")
def dialogue() -> tuple[Any, list[SpeakerTurn]]:
    """Two readers in turn, half a second of silence after each sentence: sound and turns."""
    sentences = readers()
    sound, turns, at = [], [], 0
    for first, second in zip(sentences["spk1"], sentences["spk2"], strict=True):
        for name, part in (("spk1", first), ("spk2", second)):
            turns.append(SpeakerTurn(name, at / RATE, (at + len(part)) / RATE))
            sound += [part, np.zeros(RATE // 2, np.float32)]
            at += len(part) + RATE // 2
    return np.concatenate(sound), turns


def heard_in(found: Diarization, turn: SpeakerTurn) -> dict[str, float]:
    """Seconds of each speaker inside a reference turn."""
    seconds: dict[str, float] = {}
    for t in found.turns:
        shared_s = min(t.end_s, turn.end_s) - max(t.start_s, turn.start_s)
        if shared_s > 0:
            seconds[t.speaker] = seconds.get(t.speaker, 0) + shared_s
    return seconds


def test_two_readers_are_two_speakers(dialogue: tuple[Any, list[SpeakerTurn]]) -> None:
    sound, turns = dialogue
    found = opened().diarize(cut(sound, 5 * RATE))
    assert set(found.voices) == {"SPEAKER_00", "SPEAKER_01"}
    assert found.turns[0].speaker == "SPEAKER_00"
    assert list(found.turns) == sorted(found.turns, key=lambda t: t.start_s)
    assert found.turns[-1].end_s <= len(sound) / RATE
    for number, turn in enumerate(turns):
        seconds = heard_in(found, turn)
        assert max(seconds, key=seconds.__getitem__) == f"SPEAKER_0{number % 2}"
    first, second = (np.array(found.voices[name]) for name in sorted(found.voices))
    assert np.linalg.norm(first) == pytest.approx(1, abs=1e-5)
    assert first @ second < 0.4


def test_one_speaker_can_be_asked_for(dialogue: tuple[Any, list[SpeakerTurn]]) -> None:
    found = opened(speakers=1).diarize([dialogue[0]])
    assert {turn.speaker for turn in found.turns} == set(found.voices) == {"SPEAKER_00"}


def test_the_result_depends_neither_on_blocks_nor_on_threads(
    dialogue: tuple[Any, list[SpeakerTurn]],
) -> None:
    sound = dialogue[0][: 15 * RATE]
    found = opened(threads=1).diarize([sound])
    assert opened(threads=2).diarize(cut(sound, 7001)) == found


def test_silence_noise_and_next_to_nothing_have_no_speaker() -> None:
    diarizer = opened()
    noise = np.random.default_rng(1).normal(0, 0.01, 3 * RATE).astype(np.float32)
    for sound in (np.zeros(12 * RATE), np.zeros(1), np.full(RATE, np.nan), noise):
        assert diarizer.diarize([sound.astype(np.float32)]) == Diarization()
    assert diarizer.diarize([]) == Diarization()


# pyannote.audio's engine, on stand-ins


class Output:
    """What a pipeline of version 4 gives."""

    def __init__(self, annotation: Annotation, embeddings: Any) -> None:
        self.speaker_diarization = annotation
        self.speaker_embeddings = embeddings


def annotation() -> Annotation:
    made = Annotation(uri="recording")
    made[Segment(3.0, 4.0), "x"] = "SPEAKER_00"
    made[Segment(0.5, 2.5), "y"] = "SPEAKER_01"
    made[Segment(2.0, 3.5), "z"] = "SPEAKER_01"
    return made


def test_pyannotes_output_becomes_ours() -> None:
    found = as_diarization(Output(annotation(), np.array([[3.0, 4.0], [0.0, 2.0]])))
    assert found.turns == (
        SpeakerTurn("SPEAKER_00", 0.5, 2.5),
        SpeakerTurn("SPEAKER_00", 2.0, 3.5),
        SpeakerTurn("SPEAKER_01", 3.0, 4.0),
    )
    assert found.voices == {
        "SPEAKER_01": pytest.approx((0.6, 0.8)),
        "SPEAKER_00": pytest.approx((0.0, 1.0)),
    }


@pytest.mark.parametrize("vectors", [None, np.zeros((2, 4)), np.full((2, 4), np.nan)])
def test_pyannotes_output_without_voices(vectors: Any) -> None:
    assert as_diarization(Output(annotation(), vectors)).voices == {}
    assert as_diarization(annotation()).turns[0] == SpeakerTurn(
        "SPEAKER_00", 0.5, 2.5
    )  # of version 3
    assert as_diarization(Output(Annotation(), np.zeros((0, 4)))) == Diarization()


def test_the_pipeline_gets_the_whole_sound_and_the_bounds() -> None:
    calls: list[tuple[dict[str, Any], dict[str, int]]] = []

    def pipeline(sound: dict[str, Any], **given: int) -> Output:
        calls.append((sound, given))
        return Output(annotation(), None)

    config = DiarizeConfig(min_speakers=2)
    diarizer = PyannoteDiarizer(pipeline, np.asarray, "pyannote community-1", config)
    blocks = [np.zeros(RATE, np.float32), np.ones(RATE, np.float64)]
    diarizer.diarize(blocks)
    ((sound, given),) = calls
    assert sound["waveform"].shape == (1, 2 * RATE)
    assert sound["waveform"].dtype == np.float32
    assert sound["sample_rate"] == RATE
    assert given == {"min_speakers": 2}
    assert diarizer.diarize([]) == Diarization()
    assert len(calls) == 1


def test_bounds_of_pyannote() -> None:
    assert bounds(DiarizeConfig()) == {}
    assert bounds(DiarizeConfig(speakers=2, min_speakers=1)) == {"num_speakers": 2}
    assert bounds(DiarizeConfig(max_speakers=3)) == {"max_speakers": 3}


def test_a_failing_pipeline_is_one_line() -> None:
    def pipeline(sound: dict[str, Any]) -> Output:
        raise RuntimeError("CUDA out of memory.\nTried to allocate")

    diarizer = PyannoteDiarizer(pipeline, np.asarray, "p", DiarizeConfig())
    with pytest.raises(LoadError, match=r"CUDA out of memory\. Tried"):
        diarizer.diarize([np.zeros(9, np.float32)])


TORCH = """
    class backends:
        class mps:
            is_available = staticmethod(lambda: False)
    class cuda:
        is_available = staticmethod(lambda: True)
    def device(name): return "device " + name
    def from_numpy(array): return array
"""
PYANNOTE = """
    import os
    calls = []
    class Pipeline:
        @classmethod
        def from_pretrained(cls, checkpoint, token=None, cache_dir=None):
            calls.append([checkpoint, token, cache_dir, os.environ["PYANNOTE_METRICS_ENABLED"]])
            if not os.path.isdir(checkpoint) and token != "hf_good":
                raise OSError("401 Client Error.\\nCannot access gated repo")
            return cls()
        def to(self, device): calls.append(device)
        def __call__(self, sound): return None
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Stand-ins for torch and pyannote.audio; gives the calls that reached the latter."""
    import pyannote

    (tmp_path / "site" / "pyannote" / "audio").mkdir(parents=True)
    (tmp_path / "site" / "torch.py").write_text(textwrap.dedent(TORCH))
    (tmp_path / "site" / "pyannote/audio/__init__.py").write_text(textwrap.dedent(PYANNOTE))
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    inside = str(tmp_path / "site" / "pyannote")
    monkeypatch.setattr(pyannote, "__path__", [inside, *pyannote.__path__])
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "1")
    import pyannote.audio as stand_in  # type: ignore[import-not-found]

    yield stand_in.calls
    for name in ("torch", "pyannote.audio"):
        sys.modules.pop(name, None)
    del pyannote.audio


def test_a_pipeline_is_pulled_with_the_users_token(
    library: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, models = DiarizeConfig(engine="pyannote"), ModelsConfig(path=str(tmp_path))
    with pytest.raises(Missing, match="Cannot access gated repo") as caught:
        open_diarizer(config, models)
    assert "https://hf.co/pyannote/speaker-diarization-community-1" in caught.value.hint
    assert "export HF_TOKEN=hf_…" in caught.value.hint
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    with pytest.raises(Missing) as caught:
        open_diarizer(config, models)
    assert "with the account of HF_TOKEN" in caught.value.hint
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    diarizer = open_diarizer(config, models)
    assert diarizer is not None
    assert diarizer.engine == "pyannote speaker-diarization-community-1"
    assert library[-2:] == [
        [config.model, "hf_good", str(tmp_path / "pyannote"), "0"],
        "device cuda",
    ]


def test_a_pipeline_in_a_folder_needs_no_token(library: list[Any], tmp_path: Path) -> None:
    config = DiarizeConfig(engine="pyannote", model=str(tmp_path / "mine"), device="cpu")
    with pytest.raises(Missing, match="holds no config"):
        open_diarizer(config, ModelsConfig())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.yaml").write_text("pipeline: {}")
    assert open_diarizer(config, ModelsConfig()) is not None
    assert library[0][:2] == [str(tmp_path / "mine"), None]
    assert library[1] == "device cpu"


def test_the_absent_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib.util import find_spec

    if find_spec("pyannote.audio"):
        pytest.skip("pyannote.audio is installed")
    monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "0")
    with pytest.raises(DragtorError) as caught:
        open_diarizer(DiarizeConfig(engine="pyannote"), ModelsConfig())
    assert caught.value.hint == 'pip install "dragtor[diarize]"'
    assert caught.value.exit_code == 4
