"""Parts made from the settings: loaders, the transcribe pipeline, what verifies claims.

Knows which package does what; the pipelines are handed the finished parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.config import AnswerConfig, Config, load_words, models_path
from dragtor.errors import Missing

if TYPE_CHECKING:
    from dragtor.ground import RedFlags, Support
    from dragtor.load.file import FileLoader
    from dragtor.speech.diarize import Diarizer
    from dragtor.speech.pipeline import TranscribePipeline
    from dragtor.speech.transcribe import Transcriber
    from dragtor.store import Store
    from dragtor.types import Document, Source, Speaker

PULL = "dragtor models pull"
Notify = Callable[[str], None]
Progress = Callable[[str, int, int], None]  # label, done, total


def _silent(*_: object) -> None:
    """Neither notes nor progress."""


def file_loader(config: Config, notify: Notify) -> FileLoader:
    """Reads files, folders and bytes."""
    from dragtor.load.file import FileLoader

    return FileLoader(config.load, notify=notify)


def open_loaders(
    config: Config, folder: Path, notify: Notify = _silent, progress: Progress = _silent
) -> dict[str, Any]:
    """A loader for each kind of source; what they fetch is kept in the library's `folder`."""
    from dragtor.load.feed import FeedLoader
    from dragtor.load.video import VideoLoader
    from dragtor.load.web import WebLoader

    files = file_loader(config, notify)
    web = WebLoader(config.load.web, folder / "cache", notify=notify, read_bytes=files.read_bytes)

    def read_page(address: str) -> Document:
        return web.read(address, refresh=True)  # asked for what is new or changed only

    told: dict[str, Any] = {"notify": notify, "progress": progress}
    feeds = FeedLoader(
        config.load.feed,
        config.load.web,
        folder / "cache",
        folder / "cache" / "sound",
        read_page=read_page,
        ready=partial(_check_models, config),
        **told,
    )
    videos = VideoLoader(config.load.video, config.load.web, folder / "cache" / "video", **told)
    return {"web": web, "file": files, "feed": feeds, "video": videos}


def open_transcribe_pipeline(
    config: Config,
    folder: Path,
    notify: Notify = _silent,
    progress: Progress = _silent,
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
        folder / "cache" / "transcripts",
        voices=voices,
        notify=notify,
        progress=progress,
    )


@cache  # a chat asks for it at every question, and it keeps what it has compiled
def open_support(domain: str) -> Support:
    """What verifies claims, with the words of `answer.domain`."""
    from dragtor.ground import RuleSupport

    return RuleSupport(load_words(domain))


def open_red_flags(config: AnswerConfig) -> RedFlags:
    """What puts a caution above an answer."""
    from dragtor.ground import RedFlags

    return RedFlags.of(config, load_words(config.domain))


def forget(config: Config, folder: Path, source: Source, gone: Sequence[str]) -> None:
    """Drop what was heard and fetched for a removed source; `gone` are its documents' addresses."""
    open_transcribe_pipeline(config, folder).forget(source.id)
    if source.kind in ("file", "stdin"):
        return
    loaders = open_loaders(config, folder)
    loaders[source.kind].forget([*gone, source.uri])
    if source.kind == "feed":
        loaders["web"].forget(gone)  # pages of its posts
        loaders["feed"].forget_sound(gone)


def _check_models(config: Config) -> None:
    """Raise Missing with one command for all that hearing needs and that is not here."""
    from dragtor.models import model_path
    from dragtor.speech.diarize.onnx import SEGMENTATION
    from dragtor.speech.voice import MODEL

    wanted = [config.speech.model, MODEL]
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
