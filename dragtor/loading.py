"""What makes documents, by the settings: loaders, the reader of pictures, what transcribes.

Knows no library but for its folder and its voices. Used by parts.py, and alone where one text is
read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.config import Config, OcrConfig, models_path
from dragtor.errors import LoadError, Missing, UsageError
from dragtor.types import NEVER, SILENT, CancelToken, Document, Reporter

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragtor.load.base import Loader
    from dragtor.load.file import FileLoader
    from dragtor.ocr import OcrEngine
    from dragtor.ocr.reader import OcrReader
    from dragtor.speech.diarize import Diarizer
    from dragtor.speech.pipeline import TranscribePipeline
    from dragtor.speech.transcribe import Transcriber
    from dragtor.store import Store
    from dragtor.types import Speaker

PULL = "dragtor models pull"
CACHE = "cache"  # of the library's folder: what was fetched and transcribed


def file_loader(
    config: Config, reporter: Reporter = SILENT, cancel: CancelToken = NEVER
) -> FileLoader:
    """Reads files, folders and bytes."""
    from dragtor.load.file import FileLoader

    pictures = open_picture_reader(config, reporter, cancel)
    return FileLoader(config.load, reporter=reporter, cancel=cancel, pictures=pictures)


def open_picture_reader(
    config: Config, reporter: Reporter = SILENT, cancel: CancelToken = NEVER
) -> OcrReader:
    """What reads the words of pictures; its engine is opened at the first one."""
    from dragtor.ocr.reader import OcrReader

    return OcrReader(lambda: open_engine(config.ocr), reporter, cancel)


@cache  # its weights are opened once a process, whoever adds
def open_engine(config: OcrConfig) -> OcrEngine:
    """The OCR engine that the settings name; raises Missing with what installs it."""
    from dragtor.ocr import open_ocr

    return open_ocr(config)


def read_document(files: FileLoader, what: Path | bytes) -> Document:
    """The document in a file, or in the content of one; raises LoadError, also for sound.

    Of content it says that it came from stdin, as it has no other name.
    """
    from dragtor.load import stdin
    from dragtor.load.file import absolute, file_uri

    if isinstance(what, bytes):
        read = files.read_bytes
        return stdin.document_of(what, lambda data, _, form: read(data, "stdin", form))
    found = files.read(file_uri(absolute(str(what))))
    if not isinstance(found, Document):
        raise LoadError(f"{what} is sound", f"dragtor add {what}")
    return found


def pictures_in(what: object, *, must: bool = False) -> Iterator[Image] | None:
    """The picture in a file or its content, or its pages one by one; None in what holds none.

    Raises UsageError for that where there `must` be one.
    """
    from dragtor.load.file import absolute
    from dragtor.ocr.picture import open_pictures

    if isinstance(what, Path | bytes):
        pages = open_pictures(absolute(str(what)) if isinstance(what, Path) else what)
        with suppress(LoadError):
            return chain([next(pages)], pages)
    if must:
        raise UsageError("a vision model looks at pictures only", "leave out --vision")
    return None


def open_loaders(
    config: Config, folder: Path, reporter: Reporter = SILENT, cancel: CancelToken = NEVER
) -> dict[str, Loader]:
    """A loader for each kind of source; what they fetch is kept in the library's `folder`."""
    from dragtor.load.base import LoadContext
    from dragtor.load.registry import open_all

    ready = partial(_check_models, config)
    pictures = open_picture_reader(config, reporter, cancel)
    return open_all(LoadContext(config.load, folder / CACHE, reporter, cancel, ready, pictures))


def open_transcribe_pipeline(
    config: Config,
    folder: Path,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
    known: Store | None = None,
) -> TranscribePipeline:
    """What makes documents of recordings; no model is opened before there is a recording.

    `known` is the library whose voices are known again.
    """
    from dragtor.speech.pipeline import TranscribePipeline

    @cache
    def transcriber() -> Transcriber:
        from dragtor.speech.transcribe import open_transcriber

        _check_models(config)
        return open_transcriber(config.speech, config.models)

    @cache
    def diarizer() -> Diarizer | None:
        from dragtor.speech.diarize import open_diarizer

        return open_diarizer(config.diarize, config.models)

    def voices(show: str, engine: str) -> Sequence[Speaker]:
        from dragtor.store import known_voices

        return known_voices(known, show, engine) if known else ()

    return TranscribePipeline(
        transcriber,
        diarizer,
        folder / CACHE / "transcripts",
        voices=voices,
        reporter=reporter,
        cancel=cancel,
    )


def _check_models(config: Config) -> None:
    """Raise Missing with one command for all that transcribing needs and that is not here."""
    from dragtor.models import model_path
    from dragtor.speech.diarize.onnx import SEGMENTATION
    from dragtor.speech.vad import VAD_MODEL

    wanted = [config.speech.model, VAD_MODEL]
    wanted += [SEGMENTATION] if config.diarize.engine == "onnx" else []
    absent = []
    for name in wanted:
        try:
            model_path(name, models_path(config.models))
        except Missing as error:
            if not error.hint.startswith(PULL):
                raise
            absent.append(name)
    if absent:
        raise Missing(
            f"speech needs models that are not installed: {', '.join(absent)}",
            f"{PULL} {' '.join(absent)}",
        )
