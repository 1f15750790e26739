"""Library: the public face of dragtor, for notebooks and for the command line.

What it works with is opened by `parts`; here are its commands, each a few lines over those parts.
Knows no wording and no terminal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.checks import look, note_nearest, note_untagged
from dragtor.config import Config, library_path, load_config
from dragtor.errors import LoadError, Missing, UsageError
from dragtor.loading import file_loader, pictures_in, read_document
from dragtor.overview import Digest, People
from dragtor.parts import Parts
from dragtor.types import (
    NEVER,
    SILENT,
    Answer,
    CalendarEvents,
    CancelToken,
    ChatTurn,
    Citation,
    Document,
    Entity,
    FoundEntity,
    Hit,
    Hits,
    LabelledSpan,
    Report,
    Reporter,
    Source,
    Sources,
    short_hash,
)

if TYPE_CHECKING:
    from dragtor.answer import AnswerEvent
    from dragtor.chat import Chat
    from dragtor.dossier import Consent, Dossier, ResearchEvent
    from dragtor.ground import EarlierTurns, Gate
    from dragtor.store import Filters

DOCUMENT_ID = re.compile(r"[0-9a-f]{16}")
ENTITY_KINDS = ("person", "organisation", "place", "other", "topic")  # of entities
RETRY_TEMPERATURE = 0.7  # at 0 a model says the same again


class Library(Parts):
    """A folder of what you trust: add to it, search it, ask it.

    `path` as the command line's --library; `config` as read by `load_config`. `reporter` hears
    what long work does; `cancel` ends it: what was going on raises Cancelled, and what was finished
    is kept. `lender` is one whose models are used, see Parts.
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        config: Config | None = None,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
        lender: Parts | None = None,
    ) -> None:
        config = config or load_config()
        folder = library_path(config.library, str(path) if path else None)
        super().__init__(config, folder, reporter, cancel, lender)

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
        tags = index and self._will_tag()
        with self.ingest() as ingest:
            ingest.add([str(uri) for uri in uris], choice, refresh=refresh, index=index)
            if tags:
                ingest.tag()
            return ingest.report

    def add_bytes(self, data: bytes, *, index: bool = True) -> Report:
        """Add a text, html or pdf that came as bytes; it is named by its content's hash."""
        from dragtor.load import stdin

        tags = index and self._will_tag()
        with self.ingest() as ingest:
            try:
                files = file_loader(self.config, self.reporter, self.cancel)
                ingest.add_document(stdin.document_of(data, files.read_bytes), index=index)
            except LoadError as error:
                ingest.report.failed.append((stdin.address_of(data), error))
            if tags:
                ingest.tag()
            return ingest.report

    def index(self, *, rebuild: bool = False, tags: bool = False) -> Report:
        """Index what is loaded but not indexed; `rebuild` makes all passages and vectors anew.

        With `tags` the names in all documents are found too, where they are not yet.
        """
        tags = self._will_tag(tags)
        if not self.exists():
            return Report()
        with self.ingest(recover=not rebuild) as ingest:
            if rebuild:
                ingest.rebuild()
            else:
                ingest.index()
            if tags:
                ingest.tag()
            return ingest.report

    def sync(self) -> Report:
        """Visit every source again and index only what changed."""
        if not self.exists():
            return Report()
        tags = self._will_tag()
        with self.ingest() as ingest:
            ingest.sync(ingest.writer.store.sources())
            if tags:
                ingest.tag()
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
        from dragtor.ingest import merge_entities

        document = self.recording(document_id)
        speakers = store.renamed(document, names)
        with self.writer() as writer:
            store.put_speakers(writer, document.id, speakers)
            if store.has_tags(writer.store):
                merge_entities(writer)
        return self.recording(document.id)

    def _will_tag(self, asked: bool = False) -> bool:
        """Whether names are to be found, too; raises before anything is done where they cannot."""
        wanted = asked or self.config.tags.auto
        if wanted:
            self.tagger  # noqa: B018 - opened here
        return wanted

    # Reading

    def sources(self) -> Sources:
        """Everything added, oldest first."""
        return Sources(self.store().sources() if self.exists() else [])

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

    def export(self, identity: str, form: str = "md", *, filters: Filters | None = None) -> str:
        """The text or transcript of a `recording`, as md, srt, vtt or json.

        With filters only the passages that pass them, […] between them. Raises UsageError for
        another form, for subtitles of what has no times, and where no passage passes.
        """
        from dragtor import schema, transcript

        document = self.recording(identity)
        if filters:
            look(self.store(), self.reporter, filters)
            passing = self.store().passages_passing(document.id, filters)
            document = transcript.excerpt(document, passing, filters.speaker)
            if not document.text:
                raise UsageError(
                    f"nothing in {document.title} passes the filters",
                    f"dragtor export {document.id}",
                )
        if form != "json":
            return transcript.render(document, form)
        return json.dumps(schema.document_json(document), ensure_ascii=False, indent=2) + "\n"

    def said(self, hit: Hit, speaker: str) -> str:
        """What of a hit `speaker` says; all of it where nobody is meant, or nobody so called."""
        from dragtor.transcript import said_by

        passage, document = hit.passage, self.document(hit.passage.document_id) if speaker else None
        said = said_by(speaker, document, passage.start, passage.end) if document else ""
        return said or passage.text

    def tags(self, kind: str = "", name: str = "") -> list[Entity]:
        """Who and what the library talks about, most mentioned first, found by `index(tags=True)`.

        `kind` is person, organisation, place, other or topic; `name` is meant as in a filter.
        Raises UsageError on another kind, and where nothing was ever tagged.
        """
        from dragtor import store

        if kind and kind not in ENTITY_KINDS:
            raise UsageError(f"{kind!r} is no kind of name", f"kinds: {', '.join(ENTITY_KINDS)}")
        known = self.store()
        if not (store.has_tags(known) or store.has_tags(known, store.TOPICS)):
            raise UsageError("no names were looked for yet", "dragtor index --tags")
        note_untagged(self.store(), self.reporter, store.NAMES)
        found = store.entities_of(known, kind, name)
        if name and not found:
            task = store.TOPICS if kind == store.TOPIC_KIND else store.NAMES
            note_nearest(self.store(), self.reporter, name, task)
        return found

    def mentions(self, *entities: Entity, n: int = 0) -> list[Citation]:
        """The sentences that name one of these, or stretches on a topic; `n` of them, 0: all."""
        from dragtor.entities import quoted_mentions
        from dragtor.store import mentions_of

        found: list[Citation] = []
        with self.store().snapshot():
            places = mentions_of(self.store(), [entity.id for entity in entities])
            for document_id, rows in groupby(places, itemgetter(0)):
                document = self.store().document(document_id)
                assert document is not None  # one snapshot: a tag has its document
                for citation in quoted_mentions(document, (row[1:] for row in rows)):
                    found.append(replace(citation, n=len(found) + 1))
                    if len(found) == n:
                        return found
        return found

    def people(self, name: str = "", *, n: int = 20) -> People:
        """Who is in the library, in most places first; `name` is meant as in a filter.

        Where it means one person, with the places and the newest `n` things said, 0: all. Raises
        UsageError where nothing was ever tagged.
        """
        from dragtor import people, store

        known = self.store()
        if not store.has_tags(known):
            raise UsageError("no names were looked for yet", "dragtor index --tags")
        note_untagged(self.store(), self.reporter, store.NAMES)
        with known.snapshot():
            found = people.people_in(known, name)
            if name and len(found) == 1:
                return People([people.PersonReader(known, found[0]).person(n)])
        if name and not found:
            note_nearest(self.store(), self.reporter, name, store.NAMES)
        return found

    def digest(self, what: str | Path, *, model: bool = True) -> Digest:
        """The topics of a document, a source or a person, each with verbatim quotes in order.

        `what` is an id or the start of one, an address, a file, or a person's name. The language
        model, if it is here, names what no heading names. A digest is kept until its texts change.
        """
        from dragtor.load.file import absolute, file_uri
        from dragtor.store import subject_meant

        known, asked = self.store(), str(what)
        ways = [asked]
        with suppress(LoadError, OSError):  # a name may be no path at all
            path = absolute(asked)
            ways += [file_uri(path)] if path.exists() else []
        meant = subject_meant(known, ways)
        digester = self.digester(model)
        try:
            if meant is None:
                from dragtor.people import person_meant

                return digester.person(*person_meant(known, asked))
            about, identity = meant
            if about == "document":
                return digester.document(identity)
            listed = sorted(known.documents(identity), key=itemgetter("published", "title", "id"))
            titles = {row["id"]: row["title"] for row in listed if not row["staged"]}
            return digester.source(identity, self.source(identity).title or asked, titles)
        finally:
            self.give_back()

    def search(self, query: str, *, k: int = 0, filters: Filters | None = None) -> Hits:
        """The best passages for `query`, `k` of them (0: as configured)."""
        if not query.strip():
            raise UsageError("the query is empty", 'dragtor search "a2 pulley"')
        look(self.store(), self.reporter, filters)
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
        history: EarlierTurns = tuple,
        attempt: int = 0,
        cancel: CancelToken = NEVER,
    ) -> Iterator[AnswerEvent]:
        """The answer as it grows: Quotes, the ContextSelected, each Sentence, then the Answer.

        A chat gives a follow-up as it stands alone (`query`) and its earlier turns; an `attempt`
        above 0 draws other words than the one before. `cancel` ends this question only.
        """
        if not question.strip():
            raise UsageError("the question is empty", 'dragtor ask "When may I climb again?"')
        look(self.store(), self.reporter, filters)
        llm_config = self.config.llm
        if attempt:
            warmth = max(llm_config.temperature, RETRY_TEMPERATURE)
            seed = llm_config.seed + attempt
            llm_config = replace(llm_config, temperature=warmth, seed=seed)
        with self.cancel.following(cancel):
            try:
                yield from self.answer_pipeline(llm_config).ask(
                    question,
                    filters,
                    quotes_only=quotes_only,
                    query=query,
                    history=history,
                    cancel=self.cancel,
                )
            finally:
                self.give_back()

    def chat(self, name: str = "", *, latest: bool = False, keep: bool = True) -> Chat:
        """A conversation: the one of this name, the `latest` there was, or a new one.

        Its turns are kept in the library unless `keep` is off.
        """
        from dragtor import store
        from dragtor.chat import Chat

        chat_id, turns = 0, []
        if name or latest:
            known = self.store()
            chat_id = store.chat_named(known, name) if name else store.chat_latest(known)
            turns = store.chat_turns(known, chat_id)
        return Chat(
            self.ask_events,
            self.llm,
            self.config.chat,
            rewriter=self.llm_at_once,
            name=name or (turns[-1].session if turns else ""),
            chat_id=chat_id,
            turns=turns,
            keep=partial(store.keep_turn, self.folder) if keep else None,
            reporter=self.reporter,
        )

    # People and companies of one text

    def extract_entities(
        self, what: Path | str | bytes | Document, vision: str = ""
    ) -> Iterator[FoundEntity]:
        """The people and companies of a picture, a mail or any text, streamed.

        A Path is a file, bytes are the content of one, a str is a text, or the id of a document of
        this library. What headers and signatures show comes first; a later entity that shares a
        mention with earlier ones stands in their place (`entities.last_said` keeps the last).
        `known` is what the library knows of somebody, if it has any tags. Without the model of tags
        sentences are not read, and a note says so. Raises LoadError on a file that cannot be read.

        `vision` names a model that looks at the picture last (see `--vision`), instead of the
        configured one, which may be none; of what it says, only what the picture's words hold
        counts, and a note tells how much that was not.
        """
        from dragtor.entities import find_entities, held_names, with_known

        document = self._given_document(what)
        model = self.vision_model(vision)
        pages = pictures_in(what, must=bool(vision)) if model else None

        def seen() -> Sequence[LabelledSpan]:
            assert model
            named = [each for page in pages or () for each in model.entities(page)]
            return held_names(document.text, named, model.name, self.reporter)

        tag = partial(self._tag_names, set())
        for entity in find_entities(document, tag, seen if pages else None):
            yield with_known(entity, self._named_so)

    def _given_document(self, what: Path | str | bytes | Document) -> Document:
        if isinstance(what, Document):
            return what
        if isinstance(what, Path | bytes):
            files = file_loader(self.config, self.reporter, self.cancel)
            return read_document(files, what)
        if DOCUMENT_ID.fullmatch(what) and self.exists() and (found := self.document(what)):
            return found
        return Document(short_hash(what), "", "file", "", what)

    def _tag_names(self, told: set[str], texts: Sequence[str]) -> Sequence[Sequence[LabelledSpan]]:
        """What the tagger finds; where there is none nothing, and that is told once."""
        try:
            return self.tagger.tag(texts) if texts else []
        except Missing as error:
            note = f"names in sentences are not looked for: {error} ({error.hint})"
            if note not in told:
                told.add(note)
                self.reporter.note(note)
            return [()] * len(texts)

    def _named_so(self, kind: str, name: str) -> Sequence[Entity]:
        from dragtor import store

        if not (self.exists() and store.has_tags(self.store())):
            return ()
        return store.entities_of(self.store(), kind, name)

    # Research

    def research(
        self,
        about: str,
        category: str = "",
        context: Sequence[str] = (),
        *,
        web: Callable[[Consent], bool] | None = None,
        quotes_only: bool = False,
        quotes: int = 0,
        filters: Filters | None = None,
        cancel: CancelToken = NEVER,
    ) -> Iterator[ResearchEvent]:
        """A ResearchStep, SectionFound each as they come, the Dossier last; it is kept.

        `category` is person or company; without one `about` is a question. `context` are words
        that tell the one meant from namesakes. `web` is asked before anything goes out, after its
        Consent was told; without it nothing does. Where it is cancelled, the Dossier has what was
        found, and Cancelled is raised after it. `quotes_only` needs no language model; `quotes` are
        those of the library for a part of a question, at most (0: as configured).
        """
        from dragtor.dossier import CATEGORIES
        from dragtor.research import EntityInquiry, QuestionInquiry, Subject
        from dragtor.store import Filters

        name = " ".join(about.split())
        if category and category not in CATEGORIES:
            told = f"{category!r} is nobody to research"
            raise UsageError(told, f"categories: {', '.join(CATEGORIES)}, or a question")
        if not any(map(str.isalnum, name)):
            what = "name" if category else "question"
            raise UsageError(f"the {what} is empty", 'dragtor research "NAME" --person')
        if filters:
            look(self.store(), self.reporter, filters)
        terms = tuple(dict.fromkeys(filter(None, (" ".join(t.split()) for t in context))))
        most = self.config.research.quotes
        inquiry: Any = QuestionInquiry(name, (quotes or most, most), filters or Filters())
        if category:
            inquiry = EntityInquiry(Subject(name, category, terms))
        planned = inquiry.planned(web is not None, self.config.research.hops)
        with self.cancel.following(cancel):
            try:
                yield from self.researcher(quotes_only=quotes_only).run(
                    inquiry, name, category, terms, planned=planned, granted=web
                )
            finally:
                self.give_back()

    def dossiers(self) -> list[Dossier]:
        """What was researched and is kept, oldest first."""
        from dragtor.schema import dossier_of

        found = []
        for source in self.sources():
            for row in self.documents(source.id):
                document = self.document(row["id"]) if row["uri"] == source.uri else None
                if document and "dossier" in document.meta:
                    found.append(dossier_of(document.meta["dossier"]))
        return found

    # Events

    def extract_events(
        self,
        text: str,
        now: datetime | str | None = None,
        tz: str = "",
        locale: str = "",
        day_first: bool | None = None,
        adapter: Path | None = None,
    ) -> CalendarEvents:
        """The calendar events of a text, in its order; needs no library on disk.

        Dates are told from `now` (a string is ISO 8601), else from this moment; for the rest see
        `event_extractor`.
        """
        from dragtor.events.locale import open_zone, read_now

        zone = open_zone(tz)
        moment = read_now(now, zone) if isinstance(now, str) else now
        extractor = self.event_extractor(tz, locale, day_first, adapter)
        return CalendarEvents(extractor.events(text, moment))

    def plan(
        self,
        answer: Answer,
        now: datetime | None = None,
        tz: str = "",
        locale: str = "",
        day_first: bool | None = None,
    ) -> CalendarEvents:
        """The sessions of a plan in an answer, counted from the Monday after `now`.

        Only of sentences with a citation, which stands in the notes; see `event_extractor`.
        """
        from dragtor.events.plan import sessions

        extractor = self.event_extractor(tz, locale, day_first)
        return CalendarEvents(sessions(answer, extractor, now or datetime.now(extractor.zone)))

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
