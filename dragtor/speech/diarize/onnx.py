"""Speakers told apart without torch: pyannote's segmentation-3.0 and a CAM++ voice print, in ONNX.

Windows of ten seconds slide over the sound, so memory grows by some megabytes an hour. Owns the
models, the spectrogram they want and the windows; knows nothing of clusters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dragtor import onnx
from dragtor.config import asset, models_path
from dragtor.errors import CorruptModel, Missing
from dragtor.models import model_path
from dragtor.speech.diarize import RATE, Diarization, numbered_speakers
from dragtor.speech.diarize.cluster import (
    Belief,
    Bounds,
    LocalVoice,
    activity,
    speaker_turns,
    speakers_of,
)
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession

    from dragtor.config import DiarizeConfig, ModelsConfig
    from dragtor.speech.diarize import Blocks

    Floats = NDArray[np.float32]

SEGMENTATION = "pyannote-segmentation-3.0"
EMBEDDING = "campplus.onnx"
ENGINE = "onnx segmentation-3.0 campplus-zh-en"

WINDOW = 10 * RATE  # samples that the segmentation was trained on
FRAME_SAMPLES = 270  # samples between two of its frames,
FIELD = 991  # and samples that a frame sees
HOP = 118 * FRAME_SAMPLES  # samples between two windows: 1.99 s
# Its classes: nobody, one of three speakers, two of them.
CLASSES = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1))
# Weights of the classes when it is decided whose voice a frame holds: quiet people count too.
LEANING = (0.4, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0)

MELS = 80
SHORTEST_PRINT = 20  # spectra (10 ms each) of a voice print
TOGETHER = 16  # windows held at a time


@dataclass(frozen=True, slots=True)
class WindowScores:
    """One window: probabilities by frame, activity 0 to 255, and voices by local speaker."""

    start: int  # samples
    speech: Floats
    overlap: Floats
    active: NDArray[np.uint8]
    voices: tuple[tuple[int, Floats, float], ...]  # local speaker, vector, seconds


@dataclass(frozen=True)
class OnnxDiarizer:
    """A Diarizer on the CPU; one window a core at a time."""

    engine: ClassVar[str] = ENGINE

    segmentation: InferenceSession
    embedding: InferenceSession
    bounds: Bounds
    threads: int = 0

    @classmethod
    def open(cls, config: DiarizeConfig, models: ModelsConfig) -> OnnxDiarizer:
        """Load both models; raises Missing or CorruptModel with the command that mends it."""
        mend = f"dragtor models pull {SEGMENTATION}"
        segmentation = onnx.open_session(model_path(SEGMENTATION, models_path(models)), mend)
        embedding = onnx.open_session(embedding_file(), "reinstall dragtor")
        bounds = Bounds(config.speakers, config.min_speakers, config.max_speakers)
        return cls(segmentation, embedding, bounds, config.threads)

    def diarize(self, blocks: Blocks, cancel: CancelToken = NEVER) -> Diarization:
        """The turns of one recording, given as mono blocks of 16,000 samples a second."""
        belief, length = Belief.empty(), 0
        starts: list[int] = []
        activities: list[NDArray[np.uint8]] = []
        voices: list[LocalVoice] = []
        slid = sound_windows(blocks)
        while group := list(islice(slid, TOGETHER)):
            for scores in onnx.each(self._scored, group, self.threads, "diarize", cancel):
                frame = scores.start // FRAME_SAMPLES
                belief.add(frame, scores.speech, scores.overlap)
                voices += [LocalVoice(len(starts), *voice) for voice in scores.voices]
                starts.append(frame)
                activities.append(scores.active)
            length = group[-1].start + group[-1].length
        who, centres = speakers_of(voices, len(starts), self.bounds)
        active = activity(activities, starts, who, len(centres), belief)
        offset = (FIELD - FRAME_SAMPLES) / 2 / RATE
        turns, names = numbered_speakers(
            speaker_turns(active, FRAME_SAMPLES / RATE, offset, length / RATE)
        )
        prints = {name: tuple(map(float, centres[int(old)])) for old, name in names.items()}
        return Diarization(turns, prints)

    def _scored(self, window: SoundWindow) -> WindowScores:
        import numpy as np

        sound = window.sound
        logs = _run(self.segmentation, "input", sound[None, None], SEGMENTATION)[0]
        likely = np.exp(logs)
        classes = np.array(CLASSES, np.float32)
        mine = classes[(likely * np.array(LEANING, np.float32)).argmax(1)] > 0
        return WindowScores(
            window.start,
            1.0 - likely[:, 0],
            likely[:, 4:].sum(1),
            np.rint(255 * np.clip(likely @ classes, 0, 1)).astype(np.uint8),
            tuple(self._voices(sound, mine)),
        )

    def _voices(
        self, sound: Floats, mine: NDArray[np.bool_]
    ) -> Iterator[tuple[int, Floats, float]]:
        """Voice prints of the local speakers, from where each speaks alone if that is enough."""
        import numpy as np

        if not mine.any():
            return
        spectra = log_mels(sound)
        middles = np.arange(len(spectra)) * HOP_MEL + WINDOW_MEL / 2
        nearest = np.clip(
            np.rint((middles - FIELD / 2) / FRAME_SAMPLES).astype(int), 0, len(mine) - 1
        )
        alone = mine.sum(1) == 1
        for local in range(mine.shape[1]):
            chosen = spectra[(mine[:, local] & alone)[nearest]]
            seconds = len(chosen) * HOP_MEL / RATE
            if len(chosen) < SHORTEST_PRINT:
                chosen, seconds = spectra[mine[nearest, local]], 0.0
            if len(chosen) >= SHORTEST_PRINT:
                yield local, self._voice(chosen), seconds

    def _voice(self, spectra: Floats) -> Floats:
        import numpy as np

        features = spectra - spectra.mean(0)
        vector: Floats = _run(self.embedding, "features", features[None], EMBEDDING)[0]
        found: Floats = vector / max(float(np.linalg.norm(vector)), 1e-9)
        return found


def embedding_file() -> Path:
    """The voice print's model, inside an installed wheel or beside the checkout's package."""
    path = asset(EMBEDDING)
    if path.is_file():
        return path
    raise Missing(f"{EMBEDDING} is not there", "reinstall dragtor")


def _run(session: InferenceSession, name: str, values: Floats, model: str) -> Any:
    try:
        return session.run(None, {name: values})[0]
    except Exception as error:  # onnxruntime's errors share no base
        raise CorruptModel(f"{model} failed: {onnx.error_line(error)}") from error


# Windows


@dataclass(frozen=True, slots=True)
class SoundWindow:
    """Ten seconds of sound from sample `start` on; beyond `length` samples it is silence."""

    start: int
    length: int
    sound: Floats


def sound_windows(blocks: Iterable[Floats]) -> Iterator[SoundWindow]:
    """Windows at every HOP until all sound is covered; a short recording is one window."""
    import numpy as np

    held, start, covered = np.zeros(0, np.float32), 0, 0
    for block in blocks:
        new = np.nan_to_num(np.asarray(block, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
        held = np.concatenate([held, new])
        while len(held) >= WINDOW:
            yield SoundWindow(start, WINDOW, held[:WINDOW])
            covered = start + WINDOW
            held, start = held[HOP:], start + HOP
    if start + len(held) > covered:
        yield SoundWindow(start, len(held), np.pad(held, (0, WINDOW - len(held))))


# The spectrogram that the voice print was trained on: Kaldi's, without dither.

WINDOW_MEL, HOP_MEL = 400, 160  # samples: 25 and 10 ms
FFT = 512
PREEMPHASIS = 0.97
LOWEST_HZ = 20.0
FLOOR = 1.1920929e-07


def log_mels(sound: Floats) -> Floats:
    """(spectra, MELS) natural logarithms of mel energies; nothing of less than 25 ms."""
    import numpy as np

    if len(sound) < WINDOW_MEL:
        return np.zeros((0, MELS), np.float32)
    bank, taper = _mel_bank()
    frames = np.lib.stride_tricks.sliding_window_view(sound, WINDOW_MEL)[::HOP_MEL]
    frames = frames - frames.mean(1, keepdims=True)
    before = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    spectrum = np.fft.rfft((frames - PREEMPHASIS * before) * taper, FFT)[:, :-1]
    energies = (np.abs(spectrum) ** 2).astype(np.float32) @ bank
    found: Floats = np.log(np.maximum(energies, np.float32(FLOOR)))
    return found


@cache
def _mel_bank() -> tuple[Floats, Floats]:
    """(FFT / 2, MELS) triangles on the mel scale, and Povey's taper."""
    import numpy as np

    def mel(hertz: Any) -> Any:
        return 1127.0 * np.log1p(hertz / 700.0)

    edges = np.linspace(mel(LOWEST_HZ), mel(RATE / 2), MELS + 2)
    width = edges[1] - edges[0]
    places = mel(np.arange(FFT // 2) * RATE / FFT)[:, None]
    bank = np.minimum(places - edges[:-2], edges[2:] - places) / width
    taper = np.hanning(WINDOW_MEL) ** 0.85
    return np.maximum(bank, 0.0).astype(np.float32), taper.astype(np.float32)
