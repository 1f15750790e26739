"""Library: the public face of dragtor, for notebooks and for the command line.

Composes the packages and opens each part when it is first needed. Knows no wording and no terminal.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.config import Config, LLMConfig, library_path, load_config
from dragtor.errors import LibraryError, LoadError, UsageError
from dragtor.types import (
    Answer,
    CalendarEvent,
    ChatTurn,
    Document,
    Hit,
    Hits,
    Report,
    Reporter,
    Source,
)

if TYPE_CHECKING:
    from dragtor.answer import AnswerEvent, AnswerPipeline
    from dragtor.chat import Chat
    from dragtor.embed import Embedder
    from dragtor.events.extract import EventExtractor
    from dragtor.ground import Gate, HistoryTurn
    from dragtor.ingest import Ingest
    from dragtor.llm import LLM
    from dragtor.rerank import Reranker
    from dragtor.retrieve import Retriever
    from dragtor.store import Filters, Store, Writer

STDIN_TITLE_CHARACTERS = 60
RETRY_TEMPERATURE = 0.7  # at 0 a model says the same again
Progress = Callable[[str, int, int], None]  # label, done, total


def _silent(*_: object) -> None:
    """Neither notes nor progress."""


class _Told(Reporter):
    """Tells a function of progress."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def progress(self, label: str, done: float, total: float) -> None:
        self._progress(label, int(done), int(total))


class Library:
    """A folder of what you trust: add to it, search it, ask it.

    `path` as the command line's --library; `config` as read by `load_config`. `notify` hears
    one-line notes, `progress` (label, done, total).
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        config: Config | None = None,
        notify: Callable[[str], None] = _silent,
        progress: Progress = _silent,
    ) -> None:
        self.config = config or load_config()
        self.folder = library_path(self.config.library, str(path) if path else None)
        self._notify = notify
        self._progress = progress
        self._store: Store | None = None
        self._llm: LLM | None = None
        self._event_extractors: dict[Path | None, EventExtractor] = {}  # by adapter

    def __repr__(self) -> str:
        return f"Library({str(self.folder)!r})"

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files and the models."""
        if self._store is not None:
            self._store.close()
            self._store = None
        if self._llm is not None:
            self._llm.close()
            self._llm = None
        while self._event_extractors:
            self._event_extractors.popitem()[1].close()

    # Writing

    def add(
        self,
        *uris: str | Path,
        match: str = "",
        latest: int = 0,
        episode: str = "",
        refresh: bool = False,
        index: bool = True,
    ) -> Report:
        """Load and index pages, files, folders, sitemaps, feeds, podcasts and videos.

        `match`, `latest` and `episode` pick among a source's documents, see sources.Choice;
        `index=False` only fetches and stores. Failures are in the report.
        """
        from dragtor.sources import Choice

        choice = Choice(match, latest, episode)
        with self.ingest() as ingest:
            ingest.add([str(uri) for uri in uris], choice, refresh=refresh, index=index)
            return ingest.report

    def add_bytes(self, data: bytes, *, index: bool = True) -> Report:
        """Add a text, html or pdf that came as bytes; it is named by its content's hash."""
        import hashlib

        from dragtor.parts import file_loader

        name = f"stdin:{hashlib.sha256(data).hexdigest()[:16]}"
        with self.ingest() as ingest:
            try:
                document = file_loader(self.config, self._notify).read_bytes(data, name, "")
                if document.title in ("", "stdin"):
                    words = textwrap.shorten(document.text, STDIN_TITLE_CHARACTERS, placeholder="…")
                    document = replace(document, title=words)
                ingest.add_document(document, index=index)
            except LoadError as error:
                ingest.report.failed.append((name, error))
            return ingest.report

    def index(self, *, rebuild: bool = False) -> Report:
        """Index what is loaded but not indexed; `rebuild` makes all passages and vectors anew."""
        if not self.exists():
            return Report()
        with self.ingest(recover=not rebuild) as ingest:
            if rebuild:
                ingest.rebuild()
            else:
                ingest.index()
            return ingest.report

    def sync(self) -> Report:
        """Visit every source again and index only what changed."""
        if not self.exists():
            return Report()
        with self.ingest() as ingest:
            ingest.sync(ingest.writer.store.sources())
            return ingest.report

    def remove(self, source_id: str) -> Source:
        """Remove a source, by id or the start of one, and all trace of what only it held."""
        from dragtor.parts import forget

        self.source(source_id)  # before anything is locked or created
        with self._writer() as writer:
            source = writer.store.source(source_id)
            forget(self.config, self.folder, source, writer.remove_source(source.id))
        return source

    def name_speakers(self, document_id: str, names: Mapping[str, str]) -> Document:
        """Say who speaks, by label; their voices are known in the show from now on.

        An empty name takes one back. Gives the document as it is now.
        """
        from dragtor import store

        document = self.recording(document_id)
        speakers = store.renamed(document, names)
        with self._writer() as writer:
            store.put_speakers(writer, document.id, speakers)
        return self.recording(document.id)

    # Reading

    def sources(self) -> list[Source]:
        """Everything added, oldest first."""
        return self.store().sources() if self.exists() else []

    def holdings(self) -> list[tuple[Source, int]]:
        """Everything added, oldest first, each with how many documents it holds."""
        return [(s, len({d["id"] for d in self.documents(s.id)})) for s in self.sources()]

    def source(self, source_id: str) -> Source:
        """One source, by id, the start of one, or its address."""
        return self.store().source(source_id)

    def documents(self, source_id: str = "") -> list[Mapping[str, Any]]:
        """Facts on each document (of one source): id, uri, kind, title, passages, staged."""
        return [dict(row) for row in self.store().documents(source_id)] if self.exists() else []

    def document(self, document_id: str) -> Document | None:
        """One document with its text, or None."""
        store = self.store()
        return store.document(document_id) or store.document(document_id, staged=True)

    def recording(self, identity: str) -> Document:
        """One document, by its id, the start of one, or a source that holds just one."""
        document = self.document(self.store().document_id(identity))
        assert document is not None  # it was just listed
        return document

    def export(self, identity: str, form: str = "md") -> str:
        """The text or transcript of a `recording`, as md, srt, vtt or json.

        Raises UsageError for another form, and for subtitles of what has no times.
        """
        from dragtor import schema, transcript

        document = self.recording(identity)
        if form != "json":
            return transcript.render(document, form)
        return json.dumps(schema.document_json(document), ensure_ascii=False, indent=2) + "\n"

    def said(self, hit: Hit, speaker: str) -> str:
        """What of a hit `speaker` says; all of it where nobody is meant, or nobody so called."""
        from dragtor.transcript import said_by

        passage, document = hit.passage, self.document(hit.passage.document_id) if speaker else None
        said = said_by(speaker, document, passage.start, passage.end) if document else ""
        return said or passage.text

    def search(self, query: str, *, k: int = 0, filters: Filters | None = None) -> Hits:
        """The best passages for `query`, `k` of them (0: as configured)."""
        if not query.strip():
            raise UsageError("the query is empty", 'dragtor search "a2 pulley"')
        self._tell_waiting()
        return self.retriever(k=k).search(query, filters)

    def ask(
        self, question: str, *, quotes_only: bool = False, filters: Filters | None = None
    ) -> Answer:
        """The answer with its citations; `quotes_only` needs no language model."""
        *_, last = self.ask_events(question, quotes_only=quotes_only, filters=filters)
        assert isinstance(last, Answer)  # by contract
        return last

    def ask_events(
        self,
        question: str,
        *,
        quotes_only: bool = False,
        filters: Filters | None = None,
        query: str = "",
        history: Sequence[HistoryTurn] = (),
        attempt: int = 0,
    ) -> Iterator[AnswerEvent]:
        """The answer as it grows: Quotes, what is Read, then each Sentence, then the Answer.

        A chat gives a follow-up as it stands alone (`query`) and its earlier turns; an `attempt`
        above 0 draws other words than the one before.
        """
        if not question.strip():
            raise UsageError("the question is empty", 'dragtor ask "When may I climb again?"')
        self._tell_waiting()
        llm_config = self.config.llm
        if attempt:
            warmth = max(llm_config.temperature, RETRY_TEMPERATURE)
            seed = llm_config.seed + attempt
            llm_config = replace(llm_config, temperature=warmth, seed=seed)
        pipeline = self.answer_pipeline(llm_config)
        yield from pipeline.ask(
            question, filters, quotes_only=quotes_only, query=query, history=history
        )

    def chat(self, name: str = "", *, latest: bool = False, keep: bool = True) -> Chat:
        """A conversation: the one of this name, the `latest` there was, or a new one.

        Its turns are kept in the library unless `keep` is off.
        """
        from dragtor import store
        from dragtor.chat import Chat

        chat_id, turns = 0, []
        if name or latest:
            chat_id = (
                store.chat_named(self.store(), name) if name else store.chat_latest(self.store())
            )
            turns = store.turns_of(self.store(), chat_id)
        return Chat(
            self.ask_events,
            self.llm,
            self.config.chat,
            name=name or (turns[-1].session if turns else ""),
            chat_id=chat_id,
            turns=turns,
            keep=partial(store.keep_turn, self.folder) if keep else None,
            notify=self._notify,
        )

    # Events

    def extract_events(
        self,
        text: str,
        now: datetime | str | None = None,
        tz: str = "",
        locale: str = "",
        day_first: bool | None = None,
        adapter: Path | None = None,
    ) -> list[CalendarEvent]:
        """The calendar events of a text, in its order; needs no library on disk.

        Dates are told from `now` (a string is ISO 8601), else from this moment; for the rest see
        `event_extractor`.
        """
        from dragtor.events.locale import open_zone, read_now

        zone = open_zone(tz)
        moment = read_now(now, zone) if isinstance(now, str) else now
        return self.event_extractor(tz, locale, day_first, adapter).events(text, moment)

    def plan(
        self,
        answer: Answer,
        now: datetime | None = None,
        tz: str = "",
        locale: str = "",
        day_first: bool | None = None,
    ) -> list[CalendarEvent]:
        """The sessions of a plan in an answer, counted from the Monday after `now`.

        Only of sentences with a citation, which stands in the notes; see `event_extractor`.
        """
        from dragtor.events.plan import sessions

        extractor = self.event_extractor(tz, locale, day_first)
        return sessions(answer, extractor, now or datetime.now(extractor.zone))

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
        from dragtor.events.extract import open_extractor
        from dragtor.events.locale import open_zone, reads_day_first

        zone = open_zone(tz)
        first = reads_day_first(locale) if day_first is None else day_first
        if adapter not in self._event_extractors:
            told = _Told(self._progress)
            made = open_extractor(self.config, zone, adapter=adapter or "", reporter=told)
            self._event_extractors[adapter] = made
        return replace(self._event_extractors[adapter], zone=zone, day_first=first)

    def history(self, words: str = "", n: int = 20) -> list[ChatTurn]:
        """Past answers that hold all the words, best first; without words the newest."""
        from dragtor.store import find_turns

        return find_turns(self.store(), words, n) if self.exists() else []

    def forget_history(self, turn_id: int = 0) -> int:
        """Take one past answer out, or all of them with 0; returns how many."""
        from dragtor.store import remove_turns

        return remove_turns(self.folder, turn_id) if self.exists() else 0

    # Parts

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
            self._store = Store.open(self.folder, self.config.store)
        return self._store

    @cached_property
    def embedder(self) -> Embedder:
        """The configured sentence encoder, loaded on first use."""
        from dragtor.embed import open_embedder

        return open_embedder(self.config.embed, self.config.models)

    def llm(self) -> LLM:
        """The configured language model, loaded on first use."""
        from dragtor.llm import open_llm

        if self._llm is None:
            self._llm = open_llm(self.config.llm, self.config.models)
        return self._llm

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

        config = self.config
        return AnswerPipeline(
            self.retriever(),
            self.llm,
            config.answer,
            llm_config or config.llm,
            self.gate() if config.answer.gate else None,
        )

    def gate(self) -> Gate | None:
        """What decides whether anything was found: the library's own, else the built-in one."""
        from dragtor import ground

        return ground.gate_for(self.embedder.fingerprint, self.store().meta("gate"))

    def keep_gate(self, gate: Gate) -> None:
        """Use this gate from now on; `dragtor eval answers --calibrate` fits it."""
        with self._writer() as writer:
            writer.set_meta("gate", json.dumps(gate.to_dict()))

    @cached_property
    def reranker(self) -> Reranker | None:
        """What reads hits again, as configured; loaded on first use, None where nothing does."""
        from dragtor.rerank import open_reranker

        name, models = self.config.retrieve.rerank, self.config.models
        return open_reranker(name, models, self.llm, lambda: self.embedder)

    def _tell_waiting(self) -> None:
        """Say so where a part of the library cannot be found yet."""
        if waiting := self.store().counts()["staged"]:
            self._notify(f"documents that wait to be indexed: {waiting} (dragtor index)")

    @contextmanager
    def _writer(self, *, recover: bool = True) -> Iterator[Writer]:
        from dragtor.store import Writer

        with Writer.open(
            self.folder,
            self.config.store,
            lock_timeout_s=self.config.library.lock_timeout_s,
            notify=self._notify,
            recover=recover,
        ) as writer:
            yield writer

    @contextmanager
    def ingest(self, *, recover: bool = True) -> Iterator[Ingest]:
        """What writes to this library, open and locked; `recover` as for Writer.open."""
        from dragtor.ingest import Ingest
        from dragtor.parts import open_loaders, open_transcribe_pipeline

        told = (self._notify, self._progress)
        with self._writer(recover=recover) as writer:
            loaders = open_loaders(self.config, self.folder, *told)
            listener = open_transcribe_pipeline(self.config, self.folder, *told, writer.store)
            yield Ingest(
                writer,
                loaders,
                lambda: self.embedder,
                self.config.split,
                self.config.embed,
                self._progress,
                loaders["feed"],
                listener,
            )
