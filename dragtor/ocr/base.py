"""What every reader of pictures gives, and what it is asked: lines of text, each with its box.

Knows no engine and no file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dragtor.pictures import PixelBox

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragtor.types import CancelToken


@dataclass(frozen=True, slots=True)
class OcrLine:
    """A line of a picture, or a part of one that stands apart; `confidence` is 0..1.

    `box` is (left, top, right, bottom) in pixels of the upright picture.
    """

    text: str
    box: PixelBox
    confidence: float = 1.0

    @property
    def height(self) -> float:
        """In pixels."""
        return self.box[3] - self.box[1]


@dataclass(frozen=True, slots=True)
class OcrPage:
    """What was read in one picture, or one page of a file with several."""

    size: tuple[int, int]  # width and height of the upright picture, in pixels
    lines: tuple[OcrLine, ...] = ()
    turned: int = 0  # degrees clockwise that made it upright, beyond what its EXIF says


class OcrEngine(Protocol):
    """Reads the words of pictures. Its weights are opened at the first one."""

    name: str
    version: str  # changes when the same picture might be read otherwise

    def read(self, picture: Image | Path, cancel: CancelToken = ...) -> OcrPage:
        """The lines of one picture, as it is shown: of a file the first frame, turned upright.

        Raises LoadError on a file that is no picture, Missing where the engine is not installed.
        """
        ...
