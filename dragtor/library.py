"""Library: the public face of dragtor, for notebooks and for the command line.

What it works with is opened by `parts`; here are its commands, each a few lines over those parts.
Knows no wording and no terminal.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.config import Config, library_path, load_config
from dragtor.errors import LoadError, UsageError
from dragtor.parts import Parts, file_loader
from dragtor.types import (
    NEVER,
    SILENT,
    Answer,
    CalendarEvent,
    CancelToken,
    ChatTurn,
    Document,
    Hit,
    Hits,
    Report,
    Reporter,
    Source,
)

if TYPE_CHECKING:
    from dragtor.answer import AnswerEvent
    from dragtor.chat import Chat
    from dragtor.ground import Gate, HistoryTurn
    from dragtor.store import Filters

RETRY_TEMPERATURE = 0.7  # at 0 a model says the same again


class Library(Parts):
    """A folder of what you trust: add to it, search it, ask it.

    `path` as the command line's --library; `config` as read by `load_config`. `reporter` hears
    what long work does; `cancel` ends it: what was going on raises Cancelled, and what was finished
    is kept.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        config: Config | None = None,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
    ) -> None:
        config = config or load_config()
        folder = library_path(config.library, str(path) if path else None)
        super().__init__(config, folder, reporter, cancel)

    def __repr__(self) -> str:
        return f"Library({str(self.folder)!r})"

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

        `match`, `latest` and `episode` pick among a source's documents, see load.base.Choice;
        `index=False` only fetches and stores. Failures are in the report.
        """
        from dragtor.load.base import Choice

        choice = Choice(match, latest, episode)
        with self.ingest() as ingest:
            ingest.add([str(uri) for uri in uris], choice, refresh=refresh, index=index)
            return ingest.report

    def add_bytes(self, data: bytes, *, index: bool = True) -> Report:
        """Add a text, html or pdf that came as bytes; it is named by its content's hash."""
        from dragtor.load import stdin

        with self.ingest() as ingest:
            try:
                files = file_loader(self.config, self.reporter, self.cancel)
                ingest.add_document(stdin.document_of(data, files.read_bytes), index=index)
            except LoadError as error:
                ingest.report.failed.append((stdin.address_of(data), error))
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
        self.source(source_id)  # before anything is locked or created
        with self.writer() as writer:
            source = writer.store.source(source_id)
            self.forget(source, writer.remove_source(source.id))
        return source

    def name_speakers(self, document_id: str, names: Mapping[str, str]) -> Document:
        """Say who speaks, by label; their voices are known in the show from now on.

        An empty name takes one back. Gives the document as it is now.
        """
        from dragtor import store

        document = self.recording(document_id)
        speakers = store.renamed(document, names)
        with self.writer() as writer:
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
        return store.document(document_id) or store.document(document_id, pending=True)

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
        self._look(filters)
        return self.retriever(k=k).search(query, filters)

    def ask(
        self,
        question: str,
        *,
        quotes_only: bool = False,
        filters: Filters | None = None,
        cancel: CancelToken = NEVER,
    ) -> Answer:
        """The answer with its citations; `quotes_only` needs no language model."""
        *_, last = self.ask_events(
            question, quotes_only=quotes_only, filters=filters, cancel=cancel
        )
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
        cancel: CancelToken = NEVER,
    ) -> Iterator[AnswerEvent]:
        """The answer as it grows: Quotes, the ContextSelected, each Sentence, then the Answer.

        A chat gives a follow-up as it stands alone (`query`) and its earlier turns; an `attempt`
        above 0 draws other words than the one before. `cancel` ends this question only.
        """
        if not question.strip():
            raise UsageError("the question is empty", 'dragtor ask "When may I climb again?"')
        self._look(filters)
        llm_config = self.config.llm
        if attempt:
            warmth = max(llm_config.temperature, RETRY_TEMPERATURE)
            seed = llm_config.seed + attempt
            llm_config = replace(llm_config, temperature=warmth, seed=seed)
        with self.cancel.following(cancel):
            yield from self.answer_pipeline(llm_config).ask(
                question,
                filters,
                quotes_only=quotes_only,
                query=query,
                history=history,
                cancel=self.cancel,
            )

    def chat(self, name: str = "", *, latest: bool = False, keep: bool = True) -> Chat:
        """A conversation: the one of this name, the `latest` there was, or a new one.

        Its turns are kept in the library unless `keep` is off.
        """
        return self.open_chat(self.ask_events, name, latest=latest, keep=keep)

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

    def history(self, words: str = "", n: int = 20) -> list[ChatTurn]:
        """Past answers that hold all the words, best first; without words the newest."""
        from dragtor.store import find_turns

        return find_turns(self.store(), words, n) if self.exists() else []

    def forget_history(self, turn_id: int = 0) -> int:
        """Take one past answer out, or all of them with 0; returns how many."""
        from dragtor.store import remove_turns

        return remove_turns(self.folder, turn_id) if self.exists() else 0

    def keep_gate(self, gate: Gate) -> None:
        """Use this gate from now on; `dragtor eval answers --calibrate` fits it."""
        with self.writer() as writer:
            writer.set_meta("gate", json.dumps(gate.to_dict()))

    def _look(self, filters: Filters | None) -> None:
        """Before a search: refuse a kind that no document has, tell what cannot be found yet."""
        from dragtor.load.registry import check_kind

        if filters and filters.kind:
            check_kind(filters.kind)
        if waiting := self.store().counts()["pending"]:
            self.reporter.note(f"documents that wait to be indexed: {waiting} (dragtor index)")
