"""The composition root: every part of a library, made from the settings when it is first needed.

Knows which package does what; the pipelines are handed finished parts. Knows no command.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from functools import cache, cached_property, partial
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from dragtor.config import (
    AUTO,
    Config,
    LLMConfig,
    ModelsConfig,
    OcrConfig,
    VisionConfig,
    WordLists,
    load_words,
    models_path,
)
from dragtor.errors import GenerationError, LibraryError, LoadError, Missing, UsageError
from dragtor.turns import Turns
from dragtor.types import NEVER, SILENT, CancelToken, Document, Reporter

if TYPE_CHECKING:
    from datetime import tzinfo

    from PIL.Image import Image

    from dragtor.answer import AnswerPipeline
    from dragtor.digest import Digester
    from dragtor.embed import Embedder
    from dragtor.encoder import Encoder
    from dragtor.events.extract import EventExtractor
    from dragtor.ground import Gate, RuleSupport
    from dragtor.ingest import Ingest
    from dragtor.llm import LLM
    from dragtor.llm.vision import VisionModel
    from dragtor.load.base import Loader
    from dragtor.load.file import FileLoader
    from dragtor.ocr import OcrEngine
    from dragtor.ocr.reader import OcrReader
    from dragtor.rerank import Reranker
    from dragtor.retrieve import Retriever
    from dragtor.speech.diarize import Diarizer
    from dragtor.speech.pipeline import TranscribePipeline
    from dragtor.speech.transcribe import Transcriber
    from dragtor.store import KeptVectors, Store, Writer
    from dragtor.types import Reader, Source, Speaker, Tagger

PULL = "dragtor models pull"
READER = "reader"  # of config/models.yml
CACHE = "cache"  # of the library's folder: what was fetched and transcribed


class Parts:
    """What a library in `folder` works with; each part is opened once, and closed with it.

    `lender` is another of the same settings, whose models are used where it is given: by several at
    a time, each with a reporter and a cancel token of its own. What generates is had in turns.
    """

    def __init__(
        self,
        config: Config,
        folder: Path,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
        lender: Parts | None = None,
    ) -> None:
        self.config = config
        self.folder = folder
        self.reporter = reporter
        self.cancel = CancelToken() if cancel is NEVER else cancel  # what all parts look at
        self._lender = lender
        self._lending = RLock()  # a model is opened once, whoever asks first
        self._llm_turns, self._events_turns, self._vision_turns = Turns(), Turns(), Turns()
        self._taken: dict[Turns, ExitStack] = {}  # of the lender's, and what gives them back
        self._store: Store | None = None
        self._llm: LLM | None = None
        self._encoders: dict[tuple[str, int], Encoder] = {}  # by name or folder, and its time
        self._event_extractors: dict[Path | None, EventExtractor] = {}  # by adapter
        self._vision_models: dict[VisionConfig, VisionModel] = {}

    def close(self) -> None:
        """Let go of the files and the models."""
        self.give_back()
        for part in (
            self._store,
            self._llm,
            *self._event_extractors.values(),
            *self._vision_models.values(),
        ):
            if part is not None:
                part.close()
        self._store = self._llm = None
        self._event_extractors.clear()
        self._vision_models.clear()

    def give_back(self) -> None:
        """Let others have the models that generate, if this one has them."""
        while self._taken:
            self._taken.popitem()[1].close()

    def _take(self, turns: Turns) -> CancelToken:
        """Have the lender's turn until `give_back`; the token that stops what is had."""
        if turns not in self._taken:
            with ExitStack() as stack:
                stack.enter_context(turns.taken(self.cancel, self.reporter.queued))
                self._taken[turns] = stack.pop_all()
        return turns.token

    def exists(self) -> bool:
        """Whether anything was ever added; raises LibraryError where that cannot be seen."""
        try:
            return (self.folder / "library.db").exists()
        except OSError as error:
            hint = f"ls -ld {self.folder}"
            raise LibraryError(f"{self.folder}: {error.strerror}", hint) from error

    def store(self) -> Store:
        """The open library, for reading."""
        from dragtor.store import Store

        if self._store is None:
            kept = (self._lender or self)._kept_vectors
            self._store = Store.open(self.folder, self.config.store, kept)
        return self._store

    @cached_property
    def _kept_vectors(self) -> KeptVectors:
        from dragtor.store import KeptVectors

        return KeptVectors()

    @contextmanager
    def writer(self, *, recover: bool = True) -> Iterator[Writer]:
        """The library, locked for writing; `recover` as for Writer.open."""
        from dragtor.store import Writer

        with Writer.open(
            self.folder,
            self.config.store,
            lock_timeout_s=self.config.library.lock_timeout_s,
            reporter=self.reporter,
            cancel=self.cancel,
            recover=recover,
        ) as writer:
            yield writer

    @contextmanager
    def ingest(self, *, recover: bool = True) -> Iterator[Ingest]:
        """The ingest pipeline, open and locked; `recover` as for Writer.open."""
        from dragtor.ingest import Ingest

        config = self.config
        told = (self.reporter, self.cancel)
        with self.writer(recover=recover) as writer:
            loaders = open_loaders(config, self.folder, *told)
            transcribe = open_transcribe_pipeline(config, self.folder, *told, writer.store)
            yield Ingest(
                writer,
                loaders,
                lambda: self.embedder,
                config.split,
                config.embed,
                *told,
                transcribe,
                lambda: self.tagger,
                self.config.topics,
            )

    def forget(self, source: Source, gone: Sequence[str]) -> None:
        """Drop what was transcribed and fetched for a removed source.

        `gone` are the addresses of its documents and of all that they were read from.
        """
        open_transcribe_pipeline(self.config, self.folder).forget(source.id)
        if loader := open_loaders(self.config, self.folder, self.reporter).get(source.kind):
            loader.forget([*gone, source.uri])

    @cached_property
    def embedder(self) -> Embedder:
        """The configured sentence encoder, loaded on first use."""
        from dragtor.embed import open_embedder

        if self._lender:
            with self._lender._lending:
                return self._lender.embedder.under(self.cancel)
        return open_embedder(self.config.embed, self.config.models, self.cancel)

    @cached_property
    def tagger(self) -> Tagger:
        """The configured finder of names, loaded on first use; raises Missing."""
        return self.encoder(self.config.tags.model)

    def encoder(self, name: str) -> Encoder:
        """An encoder of the catalogue, or of a folder, loaded on first use; raises Missing."""
        from dragtor.encoder import Encoder

        if self._lender:
            with self._lender._lending:
                return self._lender.encoder(name).under(self.cancel)
        trained = Path(name) / "model.onnx"  # which may be trained anew
        key = name, trained.stat().st_mtime_ns if trained.is_file() else 0
        if key not in self._encoders:
            models, threads = self.config.models, self.config.tags.threads
            self._encoders[key] = Encoder.load(
                name, models=models, threads=threads, cancel=self.cancel
            )
        return self._encoders[key]

    @cached_property
    def reader(self) -> Reader | None:
        """What reads passages with a question, as configured; loaded on first use."""
        if self._lender:
            with self._lender._lending:
                lent = self._lender.reader
            return lent and lent.under(self.cancel)
        return open_reader(self.config, self.cancel)

    @property
    def reader_version(self) -> str:
        """The version of the reader; empty without one."""
        return self.reader.version if self.reader else ""

    def llm(self) -> LLM:
        """The configured language model, loaded on first use.

        One that is lent is had until `give_back`, and waited for while another has it.
        """
        if self._lender:
            token = self._take(self._lender._llm_turns)
            return self._lender._own_llm(token)
        return self._own_llm(self.cancel)

    def _own_llm(self, cancel: CancelToken) -> LLM:
        from dragtor.llm import open_llm

        if self._llm is None:
            self._llm = open_llm(self.config.llm, self.config.models, cancel=cancel)
        return self._llm

    def vision_model(self, name: str = "") -> VisionModel | None:
        """The model that looks at pictures: the configured one, None where there is none.

        `name` is another one, see `--vision`. Opened on first use; lent as `llm` is.
        """
        from dragtor.llm.vision import vision_config

        config = vision_config(name, self.config.vision)
        if not (config.model or config.url):
            return None
        if self._lender:
            token = self._take(self._lender._vision_turns)
            return self._lender._own_vision_model(config, token)
        return self._own_vision_model(config, self.cancel)

    def _own_vision_model(self, config: VisionConfig, cancel: CancelToken) -> VisionModel:
        from dragtor.llm.vision import open_vision

        if config not in self._vision_models:
            opened = open_vision(config, self.config.llm, self.config.models, cancel)
            self._vision_models[config] = opened
        return self._vision_models[config]

    def llm_at_once(self) -> LLM:
        """The language model for what nobody waits for; GenerationError while another has it."""
        if self._lender:
            turns = self._lender._llm_turns
            if turns not in self._taken and not turns.free:
                raise GenerationError("the language model is at work for another")
        return self.llm()

    @cached_property
    def reranker(self) -> Reranker | None:
        """What ranks hits again, as configured; loaded on first use, None where nothing does."""
        from dragtor.rerank import open_reranker

        name, models = self.config.retrieve.rerank, self.config.models
        return open_reranker(
            name,
            models,
            self.llm,
            lambda texts: self.embedder.embed_tokens(texts),
            lambda: self._ranking_reader,
            cancel=self.cancel,
        )

    @cached_property
    def _ranking_reader(self) -> Reader:
        """The configured reader, also where answers are to do without."""
        from dragtor.encoder import HeadReader

        if self._lender:
            with self._lender._lending:
                return self._lender._ranking_reader.under(self.cancel)
        found = self.reader
        return found or HeadReader.load(READER, models=self.config.models, cancel=self.cancel)

    def gate(self) -> Gate | None:
        """What decides whether anything was found: the library's own, else the built-in one."""
        from dragtor import ground

        kept = self.store().meta("gate")
        return ground.gate_for(self.embedder.fingerprint, kept, self.reader_version)

    def built_in_gate(self) -> Gate | None:
        """The one that comes with dragtor for this embedder and reader."""
        from dragtor import ground

        return ground.gate_for(self.embedder.fingerprint, "", self.reader_version)

    def retriever(self, *, k: int = 0) -> Retriever:
        """What searches this library for `k` hits (0: as configured).

        Raises LibraryVersion where it was indexed with another embedder.
        """
        from dragtor.ingest import check_fingerprint
        from dragtor.retrieve import Retriever

        config = self.config.retrieve
        check_fingerprint(self.store(), self.embedder, self.config.embed)
        config = replace(config, k=k) if k else config
        return Retriever(self.store(), self.embedder, config, self.reranker)

    def answer_pipeline(self, llm_config: LLMConfig | None = None) -> AnswerPipeline:
        """What answers questions over this library's parts."""
        from dragtor.answer import AnswerPipeline
        from dragtor.ground import RedFlags

        config = self.config
        rules = open_support(config.answer.domain)
        return AnswerPipeline(
            self.retriever(),
            self.llm,
            config.answer,
            llm_config or config.llm,
            rules,
            self.gate() if config.answer.gate else None,
            RedFlags.of(config.answer, domain_words(config.answer.domain)),
            self.reader,
            rules.vocabulary,
        )

    def digester(self, model: bool = True) -> Digester:
        """What finds topics and quotes; with `model` the language model, if here, names topics.

        Raises LibraryVersion where the library was indexed with another embedder.
        """
        from dragtor.digest import Digester
        from dragtor.ingest import check_fingerprint

        def embedder() -> Embedder:
            check_fingerprint(self.store(), self.embedder, self.config.embed)
            return self.embedder

        asked = self.config.llm
        name = " ".join((asked.engine, asked.model, asked.url))
        llm = self.llm if model else None
        return Digester(self.store(), embedder, llm, name, self.reporter, self.cancel)

    def event_extractor(
        self,
        tz: str = "",
        locale: str = "",
        day_first: bool | None = None,
        adapter: Path | None = None,
    ) -> EventExtractor:
        """What finds events, with the shipped adapter or another; the model is opened once.

        `tz` (Europe/Berlin) is the events' zone; `day_first`, else `locale` (en_US), says how 10/12
        is read; where nothing is said, the machine's count. Raises UsageError on a zone or locale
        that nobody knows, Missing with the command that gets the model.
        """
        from dragtor.events.locale import open_zone, reads_day_first

        zone = open_zone(tz)
        first = reads_day_first(locale) if day_first is None else day_first
        if self._lender:
            token = self._take(self._lender._events_turns)
            found = self._lender._own_event_extractor(adapter, zone, token)
            found = found.under(self.reporter, self.cancel)
        else:
            found = self._own_event_extractor(adapter, zone, self.cancel)
        return replace(found, zone=zone, day_first=first)

    def _own_event_extractor(
        self, adapter: Path | None, zone: tzinfo, cancel: CancelToken
    ) -> EventExtractor:
        from dragtor.events.extract import open_extractor

        if adapter not in self._event_extractors:
            self._event_extractors[adapter] = open_extractor(
                self.config, zone, adapter=adapter or "", reporter=self.reporter, cancel=cancel
            )
        return self._event_extractors[adapter]


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


def pictures_in(what: object, *, must: bool = False) -> list[Image]:
    """The picture in a file or its content, or its pages; none in what holds none.

    Raises UsageError for that where there `must` be one.
    """
    from dragtor.ocr.picture import open_pictures

    if isinstance(what, Path | bytes):
        with suppress(LoadError):
            return list(open_pictures(what))
    if must:
        raise UsageError("a vision model looks at pictures only", "leave out --vision")
    return []


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


@cache  # read from the disk once, not at every question
def domain_words(domain: str) -> WordLists:
    """General words and those of `answer.domain`."""
    return load_words(domain)


@cache  # a chat asks for it at every question, and it keeps what it has compiled
def open_support(domain: str) -> RuleSupport:
    """The rules that verify claims, with the words of `answer.domain`."""
    from dragtor.ground import RuleSupport

    return RuleSupport(domain_words(domain))


def open_reader(config: Config, cancel: CancelToken = NEVER) -> Reader | None:
    """What `answer.reader` names; None for `none`, and for `auto` where no reader was pulled.

    Raises UsageError for a name that nobody knows, Missing with the command that gets the model.
    """
    from dragtor.encoder import HeadReader

    name, models = config.answer.reader, config.models
    if name == "none" or (name == AUTO and not _is_pulled(READER, models)):
        return None
    return HeadReader.load(READER if name == AUTO else name, models=models, cancel=cancel)


def _is_pulled(name: str, models: ModelsConfig) -> bool:
    """Whether a model was pulled, if dragtor knows it at all; one that is damaged counts."""
    from dragtor.models import model_path

    try:
        model_path(name, models_path(models))
    except (Missing, UsageError):
        return False
    return True


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
