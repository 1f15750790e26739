"""pyannote.audio's own pipelines (extra `diarize`), from a local folder or pulled with a token.

Their weights are gated: the user accepts their terms on the hub once. Sound is passed in memory,
and the library's usage reports are switched off. Knows no clustering.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.config import models_path
from dragtor.errors import LoadError, Missing
from dragtor.extras import require
from dragtor.onnx import error_line
from dragtor.speech.diarize import RATE, Diarization, numbered_speakers
from dragtor.types import NEVER, CancelToken, SpeakerTurn

if TYPE_CHECKING:
    from dragtor.config import DiarizeConfig, ModelsConfig
    from dragtor.speech.diarize import Blocks

DIARIZE_EXTRA = "diarize"
REPORTS = "PYANNOTE_METRICS_ENABLED"  # unset, the library reports each use to its makers
CONFIG_FILE = "config.yaml"  # what a folder of a pipeline holds
GET = "set diarize.engine=onnx, which needs no token"

Pipeline = Callable[..., Any]  # ({"waveform", "sample_rate", "uri"}, **bounds) -> its output
Tensor = Callable[[Any], Any]  # (channels, samples) of float32, as the pipeline wants it


class PyannoteDiarizer:
    """A Diarizer around a loaded pipeline; a recording is held in memory, 230 MB an hour."""

    def __init__(
        self, pipeline: Pipeline, tensor: Tensor, engine: str, config: DiarizeConfig
    ) -> None:
        self._pipeline = pipeline
        self._tensor = tensor
        self._engine = engine
        self._bounds = bounds(config)

    @classmethod
    def open(cls, config: DiarizeConfig, models: ModelsConfig) -> PyannoteDiarizer:
        """Load the pipeline, from the hub if its folder is not here; raises Missing."""
        os.environ[REPORTS] = "0"
        pyannote = require("pyannote.audio", extra=DIARIZE_EXTRA)
        torch = require("torch", extra=DIARIZE_EXTRA)
        folder = Path(config.model).expanduser()
        local = (folder / CONFIG_FILE).is_file()
        if not local and (folder.is_absolute() or folder.is_dir()):
            raise Missing(f"{folder} holds no {CONFIG_FILE} of a pyannote pipeline", GET)
        token = None if local else os.environ.get(config.token_env)
        cache = models_path(models) / "pyannote"
        try:
            pipeline = pyannote.Pipeline.from_pretrained(
                str(folder) if local else config.model, token=token, cache_dir=str(cache)
            )
        except Exception as error:  # the hub's, torch's and the library's share no base
            raise _unavailable(config, local, error_line(error)) from error
        if pipeline is None:
            raise _unavailable(config, local, "nothing was given")
        pipeline.to(torch.device(_device(config.device, torch)))
        return cls(pipeline, torch.from_numpy, f"pyannote {folder.name}", config)

    @property
    def engine(self) -> str:
        """The pipeline's name."""
        return self._engine

    def diarize(self, blocks: Blocks, cancel: CancelToken = NEVER) -> Diarization:
        """The turns of one recording.

        The pipeline works on the whole of it at once: `cancel` ends it only before and after.
        """
        import numpy as np

        parts = [np.asarray(block, dtype=np.float32) for block in blocks]
        waveform = np.concatenate(parts) if parts else np.zeros(0, np.float32)
        if not waveform.size:
            return Diarization()
        sound = {
            "waveform": self._tensor(waveform[None]),
            "sample_rate": RATE,
            "uri": "recording",
        }
        try:
            output = self._pipeline(sound, **self._bounds)
        except Exception as error:  # torch's and the library's share no base
            raise LoadError(
                f"pyannote could not tell speakers apart: {error_line(error)}"
            ) from error
        cancel.check()
        return as_diarization(output)


def bounds(config: DiarizeConfig) -> dict[str, int]:
    """What the pipeline is told about the number of speakers."""
    if config.speakers:
        return {"num_speakers": config.speakers}
    limits = {"min_speakers": config.min_speakers, "max_speakers": config.max_speakers}
    return {name: count for name, count in limits.items() if count}


def as_diarization(output: Any) -> Diarization:
    """A pipeline's output (version 4: with embeddings; before: an Annotation) as ours."""
    annotation = getattr(output, "speaker_diarization", output)
    turns = [
        SpeakerTurn(str(label), float(span.start), float(span.end))
        for span, _, label in annotation.itertracks(yield_label=True)
    ]
    ordered, names = numbered_speakers(turns)
    vectors = getattr(output, "speaker_embeddings", None)
    rows = [] if vectors is None else list(zip(annotation.labels(), vectors, strict=False))
    voices = {names[str(label)]: _unit(vector) for label, vector in rows if str(label) in names}
    return Diarization(ordered, {name: voice for name, voice in voices.items() if voice})


def _unit(vector: Any) -> tuple[float, ...]:
    """Scaled to length 1; empty where the pipeline knew no voice (zeros, no numbers)."""
    import numpy as np

    length = float(np.linalg.norm(vector))
    return tuple(float(x) / length for x in vector) if 0.0 < length < float("inf") else ()


def _device(wanted: str, torch: Any) -> str:
    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _unavailable(config: DiarizeConfig, local: bool, reason: str) -> Missing:
    """Why there is no pipeline, and the steps that give one."""
    if local:
        return Missing(f"{config.model} is no pyannote pipeline: {reason}", GET)
    terms = f"accept the terms at https://hf.co/{config.model}"
    if os.environ.get(config.token_env):
        hint = f"{terms} with the account of {config.token_env}"
    else:
        token = "make a token at https://hf.co/settings/tokens"
        hint = f"{terms}, {token}, then: export {config.token_env}=hf_…"
    return Missing(f"{config.model} cannot be had: {reason}", f"{hint}; or {GET}")
