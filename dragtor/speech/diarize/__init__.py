"""Who speaks when: the Diarizer protocol and the table of its engines.

Sound comes in as blocks of 16 kHz mono; turns and a voice print for each speaker come out. Knows
no words and no names of people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from dragtor.errors import UsageError
from dragtor.types import NEVER, CancelToken, SpeakerTurn

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.config import DiarizeConfig, ModelsConfig

    Blocks = Iterable[NDArray[np.float32]]  # a recording in order, cut anywhere

RATE = 16000  # samples a second, of everything that comes in


@dataclass(frozen=True, slots=True)
class Diarization:
    """Turns by time, and a voice print of each speaker.

    Speakers are SPEAKER_00, SPEAKER_01 and so on, as they first speak. A voice print has length 1;
    the cosine of two says whether they are one voice, if both come from the same `engine`.
    """

    turns: tuple[SpeakerTurn, ...] = ()
    voices: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


class Diarizer(Protocol):
    """Tells speakers apart."""

    @property
    def engine(self) -> str:
        """Name of the models at work: voice prints of two engines cannot be compared."""
        ...

    def diarize(self, blocks: Blocks, cancel: CancelToken = NEVER) -> Diarization:
        """The turns of one recording, given as mono blocks of 16,000 samples a second."""
        ...


def _onnx(config: DiarizeConfig, models: ModelsConfig) -> Diarizer:
    from dragtor.speech.diarize.onnx import OnnxDiarizer

    return OnnxDiarizer.open(config, models)


def _pyannote(config: DiarizeConfig, models: ModelsConfig) -> Diarizer:
    from dragtor.speech.diarize.pyannote import PyannoteDiarizer

    return PyannoteDiarizer.open(config, models)


ENGINES: dict[str, Callable[[DiarizeConfig, ModelsConfig], Diarizer]] = {
    "onnx": _onnx,
    "pyannote": _pyannote,
}
NONE = "none"


def open_diarizer(config: DiarizeConfig, models: ModelsConfig) -> Diarizer | None:
    """The engine of `config`, None where speakers are not told apart.

    Raises UsageError on an unknown name, Missing where weights, an extra or a token is absent.
    """
    if config.engine == NONE:
        return None
    if config.engine not in ENGINES:
        known = ", ".join((*ENGINES, NONE))
        raise UsageError(f"unknown diarization engine {config.engine!r}", f"engines: {known}")
    if 0 < config.max_speakers < config.min_speakers:
        raise UsageError(
            f"diarize.min_speakers ({config.min_speakers}) is above"
            f" diarize.max_speakers ({config.max_speakers})",
            "dragtor config path",
        )
    return ENGINES[config.engine](config, models)


def numbered_speakers(
    turns: Iterable[SpeakerTurn],
) -> tuple[tuple[SpeakerTurn, ...], dict[str, str]]:
    """The turns by time, speakers renamed as they first speak, and new name by old one."""
    ordered = sorted(turns, key=lambda turn: (turn.start_s, turn.end_s))
    names: dict[str, str] = {}
    for turn in ordered:
        names.setdefault(turn.speaker, f"SPEAKER_{len(names):02d}")
    return tuple(SpeakerTurn(names[t.speaker], t.start_s, t.end_s) for t in ordered), names
