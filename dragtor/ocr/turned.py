"""What all engines do with a picture: open it, read it so that it can be stopped, turn it upright.

Knows no engine: one hands in what reads a picture as it lies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.ocr.base import OcrLine, OcrPage
from dragtor.ocr.picture import open_picture, upright
from dragtor.sockets import unless_cancelled
from dragtor.types import CancelToken

if TYPE_CHECKING:
    from PIL.Image import Image

TALL = 1.5  # times as high as wide: a line that runs up or down
TELLING_LETTERS = 3  # of a line that tells which way it runs; shorter ones have any shape
DOUBTFUL = 0.8  # confidence below which a picture may stand on its head

ReadLines = Callable[["Image"], list[OcrLine]]


def read_upright(picture: Image | Path, read: ReadLines, cancel: CancelToken) -> OcrPage:
    """The lines of a picture; one that lies on its side or head is turned, and read again."""
    image = open_picture(picture) if isinstance(picture, Path) else upright(picture)
    pages = [_page(image, 0, read, cancel)]
    lines = pages[0].lines
    if lines:
        turns = (90, 270) if _lies(lines) else (180,) if _certainty(lines) < DOUBTFUL else ()
        pages += [_page(image, turned, read, cancel) for turned in turns]
    return max(pages, key=lambda page: _certainty(page.lines))


def _page(image: Image, turned: int, read: ReadLines, cancel: CancelToken) -> OcrPage:
    turn = image.rotate(-turned, expand=True) if turned else image
    lines = unless_cancelled(lambda: read(turn), cancel)
    return OcrPage(turn.size, tuple(line for line in lines if line.text.strip()), turned)


def _lies(lines: Sequence[OcrLine]) -> bool:
    """Whether most of what has a direction runs up or down."""
    told = [line for line in lines if len(line.text) >= TELLING_LETTERS]
    tall = [line for line in told if line.height > TALL * (line.box[2] - line.box[0])]
    return 2 * len(tall) > len(told)


def _certainty(lines: Sequence[OcrLine]) -> float:
    """Confidence of the usual letter; 0 without any."""
    letters = sum(len(line.text) for line in lines)
    return sum(line.confidence * len(line.text) for line in lines) / letters if letters else 0.0
