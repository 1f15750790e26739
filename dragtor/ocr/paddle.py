"""The built-in engine: PP-OCR by faster-paddle, whose weights come inside its package.

Owns the choice between its two sizes, and how large pictures are cut. Knows no layout.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from statistics import median
from threading import Lock
from typing import TYPE_CHECKING, Any

from dragtor.config import AUTO, OcrConfig
from dragtor.extras import require
from dragtor.ocr.base import OcrLine, OcrPage
from dragtor.ocr.turned import read_upright
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    from PIL.Image import Image

PACKAGE = "faster_paddle"
LOW_PX = 14  # of the middle line: below it the larger model reads the picture at twice its size
DETECTED_SIDE_PX = 1600  # of a picture in which lines are looked for; a larger one is made smaller
TILE_PX = 1600  # high, of which a long picture is read in parts
OVERLAP_PX = 160  # of two parts
MOST_UPSCALED_PX = 4_000_000  # of a picture that is read at twice its size, at most
SURE_ENOUGH = 0.5  # of a line; below it are icons, rules and shadows
# Threads that wait spin otherwise, and take the processor from whatever else runs; and of the
# networks that read lines there is one a core, each with memory of its own.
SETTINGS = {"OCR_DET_SPIN": "0", "OCR_REC_SPIN": "0", "REC_POOL": "1"}


class PaddleEngine:
    """`tiny` reads first; what is set too low for it is read again by `small`, twice as large."""

    name = "paddle"

    def __init__(self, config: OcrConfig) -> None:
        self._config = config
        self._module = require(PACKAGE, extra="ocr")
        self.version = f"faster-paddle {version('faster-paddle')} {config.model}"
        self._opened: tuple[str, Any] = ("", None)  # one at a time: they take 120 and 300 MB
        self._opening = Lock()

    def read(self, picture: Image | Path, cancel: CancelToken = NEVER) -> OcrPage:
        """The lines of one picture; see OcrEngine."""
        return read_upright(picture, self._lines, cancel)

    def _lines(self, image: Image) -> list[OcrLine]:
        model = self._config.model
        if model != AUTO:
            return self._tiled(model, image)
        lines = self._tiled("tiny", image)
        low = lines and median(line.height for line in lines) < LOW_PX
        if not low or image.width * image.height * 4 > MOST_UPSCALED_PX:
            return lines
        large = self._tiled("small", image.resize((image.width * 2, image.height * 2)))
        return [_halved(line) for line in large] or lines

    def _tiled(self, model: str, image: Image) -> list[OcrLine]:
        """The lines of a picture, of a long one in parts that overlap."""
        found: list[OcrLine] = []
        for top, bottom in _parts(image.height):
            part = image.crop((0, top, image.width, bottom))
            found = _joined(found, [_moved(line, top) for line in self._read(model, part)], top)
        return found

    def _read(self, model: str, image: Image) -> list[OcrLine]:
        file = io.BytesIO()
        image.save(file, "BMP")  # the quickest to write and to read
        found = self._engine(model).ocr(file.getvalue())["bounds"].values()
        return [
            OcrLine(
                one["text"], (*one["topLeftCoord"], *one["bottomRightCoord"]), one["confidence"]
            )
            for one in found
            if one["confidence"] >= SURE_ENOUGH
        ]

    def _engine(self, model: str) -> Any:
        with self._opening:
            if model != self._opened[0]:
                self._opened = ("", None)
                for name, value in SETTINGS.items():
                    os.environ.setdefault(name, value)
                engine = self._module.OcrEngine(
                    model_size=model,
                    threads=self._config.threads or None,
                    det_max_side=DETECTED_SIDE_PX,
                )
                self._opened = (model, engine)
            return self._opened[1]


def _parts(height: int) -> Iterator[tuple[int, int]]:
    """Top and bottom of each part of a picture of this height."""
    top = 0
    while height - top > TILE_PX + OVERLAP_PX:
        yield top, top + TILE_PX
        top += TILE_PX - OVERLAP_PX
    yield top, height


def _joined(before: list[OcrLine], lines: list[OcrLine], top: int) -> list[OcrLine]:
    """Lines of the parts so far and of the one that begins at `top`.

    What stands in both is taken once: the seam is the middle of what they share.
    """
    if not top:
        return lines
    seam = top + OVERLAP_PX / 2
    above = [line for line in before if line.box[1] + line.box[3] < 2 * seam]
    return above + [line for line in lines if line.box[1] + line.box[3] >= 2 * seam]


def _halved(line: OcrLine) -> OcrLine:
    left, top, right, bottom = line.box
    return replace(line, box=(left / 2, top / 2, right / 2, bottom / 2))


def _moved(line: OcrLine, down: float) -> OcrLine:
    left, top, right, bottom = line.box
    return replace(line, box=(left, top + down, right, bottom + down))
