"""Tesseract, an engine by name: the program `tesseract` of the system, for any of its languages.

Owns its command and its table. Knows no layout.
"""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.config import OcrConfig
from dragtor.errors import LoadError, Missing
from dragtor.ocr.base import OcrLine, OcrPage
from dragtor.ocr.turned import read_upright
from dragtor.pictures import box_around
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    from PIL.Image import Image

PROGRAM = "tesseract"
INSTALL = "sudo apt install tesseract-ocr  (macOS: brew install tesseract)"
WORD_LEVEL = "5"  # the level of a row that is a word
TIMEOUT_S = 120


class TesseractEngine:
    """One run of the program a picture."""

    name = "tesseract"

    def __init__(self, config: OcrConfig) -> None:
        self._program = shutil.which(PROGRAM) or ""
        if not self._program:
            raise Missing("the program tesseract is not installed", INSTALL)
        self._languages = "+".join(config.languages)
        self.version = f"{_first_line([self._program, '--version'])} {self._languages}"

    def read(self, picture: Image | Path, cancel: CancelToken = NEVER) -> OcrPage:
        """The lines of one picture; see OcrEngine."""
        return read_upright(picture, self._lines, cancel)

    def _lines(self, image: Image) -> list[OcrLine]:
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=1)
        line = [self._program, "-", "-", "-l", self._languages, "tsv"]
        try:
            done = subprocess.run(
                line, input=file.getvalue(), capture_output=True, timeout=TIMEOUT_S
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LoadError(f"tesseract could not be run: {error}") from error
        if done.returncode:
            told = done.stderr.decode("utf-8", "replace").strip().splitlines()
            raise LoadError(f"tesseract failed: {told[0] if told else done.returncode}")
        return lines_of(done.stdout.decode("utf-8", "replace"))


def lines_of(table: str) -> list[OcrLine]:
    """The lines of tesseract's table of words (tsv)."""
    rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    words = [row for row in rows if row["level"] == WORD_LEVEL and row["text"].strip()]
    place = ("page_num", "block_num", "par_num", "line_num")
    return [_line(list(own)) for _, own in groupby(words, lambda w: [w[name] for name in place])]


def _line(words: list[dict[str, str]]) -> OcrLine:
    places = [[float(word[n]) for n in ("left", "top", "width", "height")] for word in words]
    box = box_around((left, top, left + wide, top + high) for left, top, wide, high in places)
    confidence = sum(float(word["conf"]) for word in words) / len(words) / 100
    return OcrLine(" ".join(word["text"] for word in words), box, confidence)


def _first_line(command: Iterable[str]) -> str:
    done = subprocess.run([*command], capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).partition("\n")[0].strip() or PROGRAM
