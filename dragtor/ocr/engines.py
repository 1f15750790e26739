"""The engines that a setting may name, and the one that it names.

Knows where each stands; imports none before it is opened.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dragtor.config import OcrConfig
from dragtor.errors import UsageError

if TYPE_CHECKING:
    from dragtor.ocr.base import OcrEngine


def open_ocr(config: OcrConfig) -> OcrEngine:
    """The engine that the settings name; its weights are opened at the first picture.

    Raises UsageError for a name that nobody knows, Missing with the command that installs it.
    """
    try:
        made = ENGINES[config.engine]
    except KeyError:
        told = f"unknown OCR engine {config.engine!r}"
        raise UsageError(told, f"ocr.engine: {', '.join(ENGINES)}") from None
    return made(config)


def _paddle(config: OcrConfig) -> OcrEngine:
    from dragtor.ocr.paddle import PaddleEngine

    return PaddleEngine(config)


def _rapidocr(config: OcrConfig) -> OcrEngine:
    from dragtor.ocr.rapid import RapidEngine

    return RapidEngine(config)


def _tesseract(config: OcrConfig) -> OcrEngine:
    from dragtor.ocr.tesseract import TesseractEngine

    return TesseractEngine(config)


ENGINES: dict[str, Callable[[OcrConfig], OcrEngine]] = {
    "paddle": _paddle,
    "rapidocr": _rapidocr,
    "tesseract": _tesseract,
}
