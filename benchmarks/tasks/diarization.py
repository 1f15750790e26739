"""How well speakers are told apart, how fast, and what a word's own speaker is worth.

The set of meetings: error rate, and what the thresholds chosen on one half give on the other. Words
with known speakers, laid into the reference turns of those meetings and into sentences of two
readers joined to a dialogue: aligned with the turns that were found, against one speaker a sentence
and against each word's largest overlap.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from dragtor.config import load_config
from dragtor.evaluate.diarization import TOTAL, WRONG_PARTS, bare_name, compare, rttm_turns
from dragtor.speech.align import align_words
from dragtor.speech.decode import decode
from dragtor.speech.diarize import RATE, cluster, onnx
from dragtor.transcript import spoken_sentences
from dragtor.types import SpeakerTurn, Word

DATA = Path("../shared/data")
SPEECH, SECOND = (0.3, 0.35, 0.4, 0.45, 0.5), (0.1, 0.15, 0.2, 0.3)
SAME_VOICE = (0.55, 0.6, 0.65, 0.7)
CLIP_S = 30.0
JITTER_S = 0.1  # of the times of words, as a transcriber gives them


@dataclass
class Clip:
    """A recording heard once, so that thresholds can be tried without hearing it again."""

    name: str
    reference: list[SpeakerTurn]
    heard: list[onnx.WindowScores]
    seconds: float
    work_s: float

    def turns(self) -> list[SpeakerTurn]:
        belief, voices = cluster.Belief.empty(), []
        starts = [heard.start // onnx.FRAME_SAMPLES for heard in self.heard]
        for i, heard in enumerate(self.heard):
            belief.add(starts[i], heard.speech, heard.overlap)
            voices += [cluster.LocalVoice(i, *voice) for voice in heard.voices]
        who, centres = cluster.speakers_of(voices, len(starts), cluster.Bounds())
        activities = [heard.active for heard in self.heard]
        active = cluster.activity(activities, starts, who, len(centres), belief)
        offset = (onnx.FIELD - onnx.FRAME_SAMPLES) / 2 / RATE
        return cluster.speaker_turns(active, onnx.FRAME_SAMPLES / RATE, offset, self.seconds)

    def parts(self) -> dict[str, float]:
        return compare(self.reference, self.turns(), [(0.0, self.seconds)])


def hear(diarizer: onnx.OnnxDiarizer, name: str, sound: Any, turns: list[SpeakerTurn]) -> Clip:
    begun = time.perf_counter()
    heard = [diarizer._scored(window) for window in onnx.sound_windows([sound])]
    return Clip(name, turns, heard, len(sound) / RATE, time.perf_counter() - begun)


def meetings(diarizer: onnx.OnnxDiarizer, most: int) -> list[Clip]:
    folder = DATA / "diarization_ami"
    turns: dict[str, list[SpeakerTurn]] = {}
    for path in folder.glob("*.rttm"):
        for name, turn in rttm_turns(path):
            turns.setdefault(name, []).append(turn)
    paths = sorted(folder.glob("*.wav"), key=lambda path: bare_name(path.stem))
    known = [path for path in paths if bare_name(path.stem) in turns]
    return [
        hear(diarizer, bare_name(p.stem), np.concatenate([*decode(p)]), turns[bare_name(p.stem)])
        for p in known[: most or None]
    ]


def rate(parts: Sequence[dict[str, float]]) -> dict[str, float]:
    total = sum(part[TOTAL] for part in parts)
    found = {name: sum(part[key] for part in parts) / total for name, key in WRONG_PARTS.items()}
    return {name: round(x, 4) for name, x in ({"der": sum(found.values())} | found).items()}


# Thresholds


def tried(clips: Sequence[Clip]) -> dict[tuple[float, ...], list[dict[str, float]]]:
    """What each choice of thresholds gives on each clip."""
    before = cluster.SPEECH, cluster.SECOND, cluster.SAME_VOICE
    found = {}
    for choice in product(SPEECH, SECOND, SAME_VOICE):
        cluster.SPEECH, cluster.SECOND, cluster.SAME_VOICE = choice
        found[choice] = [clip.parts() for clip in clips]
    cluster.SPEECH, cluster.SECOND, cluster.SAME_VOICE = before
    return found


def held_out(
    results: dict[tuple[float, ...], list[dict[str, float]]], folds: Sequence[Sequence[int]]
) -> dict[str, Any]:
    """The error rate where each fold is measured with what was best on the others."""
    measured: list[dict[str, float]] = []
    chosen = []
    for fold in folds:
        rest = [i for i in range(len(next(iter(results.values())))) if i not in fold]
        best = min(results, key=lambda c: rate([results[c][i] for i in rest])["der"])
        measured += [results[best][i] for i in fold]
        chosen.append(best)
    return rate(measured) | {"chosen": sorted(set(chosen))}


# Words


def laid(turns: Sequence[SpeakerTurn], draw: random.Random) -> list[Word]:
    """Words inside the turns, with their true speaker; of people who overlap, the longest turn's.

    Seven of ten ends of a turn are heard as the end of a sentence, and every twelfth word.
    """
    words: list[Word] = []
    for turn in turns:
        at, count, own = turn.start_s, 0, []
        while at + 0.1 < turn.end_s:
            end = min(turn.end_s, at + draw.uniform(0.15, 0.45))
            count += 1
            own.append(Word("word." if count % 12 == 0 else "word", at, end, turn.speaker))
            at = end + draw.uniform(0.0, 0.12)
        if own and draw.random() < 0.7:
            own[-1] = replace(own[-1], text="word.")
        words += [word for word in own if not covered(word, turn, turns)]
    words.sort(key=lambda word: word.start_s)
    return words


def covered(word: Word, turn: SpeakerTurn, turns: Sequence[SpeakerTurn]) -> bool:
    middle = (word.start_s + word.end_s) / 2
    return any(
        other.start_s <= middle < other.end_s
        and other.end_s - other.start_s > turn.end_s - turn.start_s
        for other in turns
        if other.speaker != turn.speaker
    )


def blurred(words: Sequence[Word], draw: random.Random) -> list[Word]:
    """Without speakers, their times as far off as a transcriber's."""
    found = []
    for word in words:
        off = draw.gauss(0, JITTER_S)
        start = max(0.0, word.start_s + off)
        found.append(Word(word.text, start, max(start + 0.02, word.end_s + off)))
    return found


def overlap(start: float, end: float, turns: Sequence[SpeakerTurn]) -> str | None:
    by: dict[str, float] = {}
    for turn in turns:
        shared = min(end, turn.end_s) - max(start, turn.start_s)
        if shared > 0:
            by[turn.speaker] = by.get(turn.speaker, 0.0) + shared
    return max(by, key=by.__getitem__) if by else None


def a_sentence(words: Sequence[Word], turns: Sequence[SpeakerTurn]) -> list[str | None]:
    """The baseline: who speaks most in it speaks all of a sentence."""
    return [
        speaker
        for run in spoken_sentences(words)
        for speaker in [overlap(run[0].start_s, run[-1].end_s, turns)] * len(run)
    ]


def a_word(words: Sequence[Word], turns: Sequence[SpeakerTurn]) -> list[str | None]:
    return [overlap(word.start_s, word.end_s, turns) for word in words]


def aligned(words: Sequence[Word], turns: Sequence[SpeakerTurn]) -> list[str | None]:
    return [word.speaker for word in align_words(words, turns)]


WAYS: dict[str, Callable[[Sequence[Word], Sequence[SpeakerTurn]], list[str | None]]] = {
    "one_per_sentence": a_sentence,
    "largest_overlap": a_word,
    "align": aligned,
}


def right(truth: Sequence[Word], found: Sequence[str | None]) -> int:
    """Words whose speaker is right, found speakers standing for those that fit best."""
    from scipy.optimize import linear_sum_assignment

    real = sorted({str(word.speaker) for word in truth})
    ours = sorted({speaker for speaker in found if speaker})
    table = np.zeros((len(real), max(1, len(ours))))
    for word, speaker in zip(truth, found, strict=True):
        if speaker:
            table[real.index(str(word.speaker)), ours.index(speaker)] += 1
    return int(table[linear_sum_assignment(table, maximize=True)].sum())


def word_accuracy(
    cases: Sequence[tuple[Sequence[SpeakerTurn], Sequence[SpeakerTurn]]],
) -> dict[str, Any]:
    """Share of words with the right speaker, for pairs of reference and found turns."""
    counts: dict[str, Any] = dict.fromkeys(WAYS, 0)
    total = 0
    for seed, (reference, found) in product(range(5), cases):
        draw = random.Random(seed)
        truth = laid(reference, draw)
        words = blurred(truth, draw)
        total += len(truth)
        for name, way in WAYS.items():
            counts[name] += right(truth, way(words, found))
    return {"words": total} | {name: round(n / max(1, total), 4) for name, n in counts.items()}


def dialogues() -> Iterator[tuple[Any, list[SpeakerTurn]]]:
    """Sentences of two readers in turn, a short pause between: sound and its turns."""
    rows = [
        json.loads(line) for line in (DATA / "speech_asr/manifest.jsonl").open(encoding="utf-8")
    ]
    of: dict[str, list[Path]] = {}
    for row in rows:
        of.setdefault(row["speaker"], []).append(DATA / "speech_asr" / row["file"])
    pairs = [("spk1", "spk2"), ("librivox_reader", "spk2"), ("spk1", "librivox_reader")]
    for seed, pair in enumerate(pairs):
        draw = random.Random(seed)
        sound, turns, at = [], [], 0
        for number in range(10):
            path = of[pair[number % 2]][number // 2]
            part = spoken_part(np.concatenate([*decode(path)]))
            pause = np.zeros(int(draw.uniform(0.05, 0.6) * RATE), np.float32)
            turns.append(SpeakerTurn(pair[number % 2], at / RATE, (at + len(part)) / RATE))
            sound += [part / np.abs(part).max() / 2, pause]
            at += len(part) + len(pause)
        yield np.concatenate(sound), turns


def spoken_part(sound: Any) -> Any:
    """Without the silence before and after."""
    loud = np.flatnonzero(np.abs(sound) > 0.05 * np.abs(sound).max())
    return sound[loud[0] : loud[-1] + 1]


def run(clips: int = 0) -> dict[str, Any]:
    """The first `clips` of the meetings with the thresholds as they are; 0: all, and the words."""
    config = load_config()
    diarizer = onnx.OnnxDiarizer.open(config.diarize, config.models)
    meeting = meetings(diarizer, clips)
    found: dict[str, Any] = {
        "n": len(meeting),
        **rate([clip.parts() for clip in meeting]),
        "by_file": {clip.name: rate([clip.parts()])["der"] for clip in meeting},
    }
    speed = sum(clip.seconds for clip in meeting) / sum(clip.work_s for clip in meeting)
    figures = {"meetings": found, "speed_one_core": round(speed, 1)}
    if clips:
        return figures
    results, half = tried(meeting), len(meeting) // 2
    found["tuned_on_the_other_half"] = held_out(results, [range(half), range(half, len(meeting))])
    found["tuned_leaving_one_out"] = held_out(results, [[i] for i in range(len(meeting))])
    talks = [hear(diarizer, "dialogue", sound, turns) for sound, turns in dialogues()]
    return {
        **figures,
        "dialogues": {"n": len(talks), **rate([clip.parts() for clip in talks])},
        "words_in_meetings": word_accuracy([(clip.reference, clip.turns()) for clip in meeting]),
        "words_in_dialogues": word_accuracy([(clip.reference, clip.turns()) for clip in talks]),
    }
