"""PP-OCR by rapidocr, an engine by name: its package holds the weights, and needs OpenCV.

Reads half-size pictures well. Knows no layout.
"""

from __future__ import annotations

from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.config import OcrConfig
from dragtor.extras import require
from dragtor.ocr.base import OcrLine, OcrPage
from dragtor.ocr.turned import read_upright
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    from PIL.Image import Image


class RapidEngine:
    """Its default models, as its package has them; nothing is downloaded."""

    name = "rapidocr"

    def __init__(self, config: OcrConfig) -> None:
        self._config = config
        self._module = require("rapidocr", extra="rapidocr")
        self.version = f"rapidocr {version('rapidocr')}"

    def read(self, picture: Image | Path, cancel: CancelToken = NEVER) -> OcrPage:
        """The lines of one picture; see OcrEngine."""
        return read_upright(picture, self._lines, cancel)

    @cached_property
    def _engine(self) -> Any:
        threads = self._config.threads or -1
        params = {
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "Global.log_level": "critical",
        }
        return self._module.RapidOCR(params=params)

    def _lines(self, image: Image) -> list[OcrLine]:
        import numpy as np

        found = self._engine(np.asarray(image)[:, :, ::-1])  # it takes blue, green, red
        if found.boxes is None:
            return []
        lines = []
        for corners, text, score in zip(found.boxes, found.txts, found.scores, strict=True):
            (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
            box = (float(left), float(top), float(right), float(bottom))
            lines.append(OcrLine(text, box, float(score)))
        return lines
