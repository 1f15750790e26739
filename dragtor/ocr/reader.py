"""Files of pictures to their words, as loading asks for it; see PictureReader in pictures.py.

Knows the engine by its protocol only, and opens it at the first picture.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from dragtor.errors import LoadError
from dragtor.ocr.base import OcrEngine, OcrPage
from dragtor.ocr.picture import open_pictures
from dragtor.ocr.text import picture_text
from dragtor.pictures import PictureText
from dragtor.types import NEVER, SILENT, CancelToken, Reporter

if TYPE_CHECKING:
    from PIL.Image import Image

NO_WORDS = "is a picture without words"


class OcrReader:
    """Reads with the engine that `open_engine` gives; raises Missing where that does."""

    def __init__(
        self,
        open_engine: Callable[[], OcrEngine],
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
    ) -> None:
        self._open_engine = open_engine
        self._reporter = reporter
        self._cancel = cancel

    @cached_property
    def engine(self) -> OcrEngine:
        """Opened once."""
        return self._open_engine()

    @property
    def version(self) -> str:
        """That of the engine."""
        return self.engine.version

    def pages(self, data: bytes, name: str) -> list[OcrPage]:
        """What stands in each picture of a file; raises LoadError, one line that names it."""
        return [self._read(picture) for picture in self._cancel.checked(open_pictures(data, name))]

    def read_file(self, data: bytes, name: str) -> PictureText:
        """The words of a file; raises LoadError, one line that opens with `name`."""
        found = picture_text(self.pages(data, name))
        if not found.text:
            raise LoadError(f"{name} {NO_WORDS}", "a larger or sharper picture of it")
        return found

    def read_image(self, image: Image) -> PictureText:
        """The words of one picture; none is no error."""
        return picture_text([self._read(image)])

    def _read(self, image: Image) -> OcrPage:
        self._reporter.step("reading the picture")
        return self.engine.read(image, self._cancel)
