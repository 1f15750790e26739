"""Where somebody speaks: Silero's voice activity model over a stream of samples, and the windows
that a transcriber is given, cut at pauses.

Owns thresholds and paddings. Knows neither files nor words.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from dragtor.config import ModelsConfig, models_path
from dragtor.models import model_path
from dragtor.onnx import open_session
from dragtor.speech.decode import RATE_HZ

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

    Samples: TypeAlias = NDArray[np.float32]

Seconds = tuple[float, float]  # start, end
SpeechWindow = tuple[Seconds, ...]  # pieces that are read as if nothing were between them

VAD_MODEL = "silero-vad"  # of config/models.yml
CHUNK = 512  # samples that one probability stands for
CONTEXT = 64  # samples before a chunk that the model reads with it
CHUNK_S = CHUNK / RATE_HZ
BATCH_CHUNKS = 625  # 20 s a run
WINDOW_COST = 10.0  # of a window more, against cuts in short pauses, which cost 1 at most


@dataclass(frozen=True, slots=True)
class VadOptions:
    """What counts as speech, and how it is cut; the built-in values lose no word we know of."""

    on: float = 0.35  # probability at which speech begins,
    off: float = 0.2  # below which it ends,
    pause_s: float = 0.1  # if for so long; a shorter pause is part of the speech
    shortest_s: float = 0.06  # of speech: a click is shorter
    pad_s: float = 0.25  # kept around speech: else soft beginnings and endings are lost
    gap_s: float = 1.0  # silence up to this stays in a window; of a longer one, the paddings
    longest_s: float = 28.5  # of a window; Whisper reads 30 s at once

    def key(self) -> str:
        """What kept transcripts depend on; begins with the first name that this class had."""
        return repr(self).replace(type(self).__name__, "Listening", 1)


VAD_DEFAULTS = VadOptions()


class VoiceActivity:
    """The voice activity model: 32 ms of sound -> probability of speech.

    One pass over a stream; about 700 times as fast as the sound itself on one core.
    """

    def __init__(self, session: InferenceSession) -> None:
        self._session = session

    def probabilities(self, blocks: Iterable[Samples]) -> Samples:
        """One for each 512 samples at 16 kHz, the last chunk filled with silence: (n,)."""
        import numpy as np

        memory = [np.zeros((1, 1, 128), np.float32)] * 2
        found = [np.zeros(0, np.float32)]
        for rows in _batches(blocks):
            ran = self._session.run(None, {"input": rows, "h": memory[0], "c": memory[1]})
            found.append(ran[0])
            memory = ran[1:]
        return np.concatenate(found)


def open_vad(models: ModelsConfig) -> VoiceActivity:
    """The model of config/models.yml; raises Missing with the command that pulls it."""
    path = model_path(VAD_MODEL, models_path(models))
    return VoiceActivity(open_session(path, f"dragtor models pull {VAD_MODEL}"))


def _batches(blocks: Iterable[Samples]) -> Iterator[Samples]:
    """Chunks with the samples before them: (n, 576), n at most BATCH_CHUNKS."""
    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view

    def rows(samples: Samples) -> Samples:
        return np.ascontiguousarray(sliding_window_view(samples, CONTEXT + CHUNK)[::CHUNK])

    waiting = np.zeros(CONTEXT, np.float32)
    for block in blocks:
        waiting = np.concatenate((waiting, block))
        while waiting.size >= CONTEXT + BATCH_CHUNKS * CHUNK:
            yield rows(waiting[: CONTEXT + BATCH_CHUNKS * CHUNK])
            waiting = waiting[BATCH_CHUNKS * CHUNK :]
    if rest := waiting.size - CONTEXT:
        yield rows(np.pad(waiting, (0, -rest % CHUNK)))


def speech_regions(
    blocks: Iterable[Samples], vad: VoiceActivity, options: VadOptions = VAD_DEFAULTS
) -> list[Seconds]:
    """Seconds in which somebody speaks, in order and apart; blocks are 16 kHz mono.

    No region is longer than a window may be.
    """
    return regions(vad.probabilities(blocks).tolist(), options)


def regions(probabilities: Sequence[float], options: VadOptions) -> list[Seconds]:
    """Speech by hysteresis; a run that is too long is cut where speech is least likely. Pure."""
    found: list[tuple[int, int]] = []
    most = int((options.longest_s - 2 * options.pad_s) / CHUNK_S)
    for start, end in _active(probabilities, options):
        if found and (start - found[-1][1]) * CHUNK_S < options.pause_s:
            start = found.pop()[0]
        found.append((start, end))
    return [
        (first * CHUNK_S, last * CHUNK_S)
        for start, end in found
        if (end - start) * CHUNK_S >= options.shortest_s
        for first, last in _cut(probabilities, start, end, most)
    ]


def _active(probabilities: Sequence[float], options: VadOptions) -> Iterator[tuple[int, int]]:
    """Runs of chunks that begin at `on` and end before `off`."""
    start = -1
    for place, value in enumerate(probabilities):
        if start < 0 and value >= options.on:
            start = place
        elif start >= 0 and value < options.off:
            yield start, place
            start = -1
    if start >= 0:
        yield start, len(probabilities)


def _cut(
    probabilities: Sequence[float], start: int, end: int, most: int
) -> Iterator[tuple[int, int]]:
    """One run in parts of at most `most` chunks."""
    while end - start > most:
        choice = range(start + most // 2, start + most)
        place = min(choice, key=probabilities.__getitem__)
        yield start, place
        start = place
    yield start, end


def speech_windows(
    spoken: Sequence[Seconds], length_s: float, options: VadOptions = VAD_DEFAULTS
) -> list[SpeechWindow]:
    """All of `spoken` in as few windows as can be, cut where pauses are long. Pure.

    A window's pieces are in order and apart, and last `longest_s` at most in all. Paddings end at
    0, at `length_s` and in the middle of a pause.
    """
    best, opened = [0.0], [0]  # cost of the first n regions, and where their last window opens
    for end in range(1, len(spoken) + 1):
        stretch_s, choices = 2 * options.pad_s, []
        for start in range(end - 1, -1, -1):
            stretch_s += spoken[start][1] - spoken[start][0]
            if start < end - 1:
                gap_s = spoken[start + 1][0] - spoken[start][1]
                stretch_s += gap_s if gap_s <= options.gap_s else 2 * options.pad_s
                if stretch_s > options.longest_s:
                    break
            pause_s = spoken[start][0] - spoken[start - 1][1] if start else math.inf
            choices.append((best[start] + WINDOW_COST + _cut_cost(pause_s), start))
        cost, start = min(choices)
        best.append(cost)
        opened.append(start)
    found: list[SpeechWindow] = []
    end = len(spoken)
    while end:
        found.append(_window(spoken, opened[end], end, length_s, options))
        end = opened[end]
    return found[::-1]


def _cut_cost(pause_s: float) -> float:
    """Sentences end where pauses are long: a second is as good as an hour."""
    return max(0.0, 1.0 - pause_s)


def _window(
    spoken: Sequence[Seconds], first: int, last: int, length_s: float, options: VadOptions
) -> SpeechWindow:
    """`spoken[first:last]` with short silences between them, and paddings."""
    pieces: list[Seconds] = []
    for start, end in spoken[first:last]:
        if pieces and start - pieces[-1][1] <= options.gap_s:
            start = pieces.pop()[0]
        pieces.append((start, end))
    low = (spoken[first - 1][1] + pieces[0][0]) / 2 if first else 0.0
    high = (pieces[-1][1] + spoken[last][0]) / 2 if last < len(spoken) else length_s
    pad_s = options.pad_s
    return tuple((max(start - pad_s, low), min(end + pad_s, high)) for start, end in pieces)
