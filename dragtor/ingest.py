"""The ingest pipeline: discover, load, split, embed, publish; and sync, remove, rebuild.

Knows the order of the steps and what a crash may leave between them; how each step is done
belongs to load, split, embed and store. Knows no kind of source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from dragtor import entities, split
from dragtor.config import EmbedConfig, SplitConfig
from dragtor.errors import Cancelled, DragtorError, LibraryError, LoadError, Missing, UsageError
from dragtor.load.address import shown
from dragtor.load.base import EVERYTHING, MOST_NEW, Choice, Item, Loader, mark
from dragtor.load.file import file_path
from dragtor.load.registry import source_of
from dragtor.load.researched import OWN_WORDS
from dragtor.load.stdin import source_of_document
from dragtor.store import (
    MERGED,
    TOPICS,
    Indexed,
    Rebuild,
    Store,
    TagRow,
    Writer,
    acronyms,
    has_tags,
    name_counts,
    put_entities,
    put_tags,
    put_topics,
    speaker_names,
    untagged,
)
from dragtor.store.schema import transaction
from dragtor.types import (
    NEVER,
    SILENT,
    CancelToken,
    Document,
    Passage,
    Recording,
    Report,
    Reporter,
    Source,
    Tagger,
    short_hash,
)

if TYPE_CHECKING:
    from dragtor.embed import Embedder
    from dragtor.speech.pipeline import TranscribePipeline

BATCH_PASSAGES = 256  # passages embedded and published together; a crash costs at most these
TAGGED_CHARACTERS = 200_000  # of documents whose names are published together
BATCH_CHARACTERS = 1_000_000  # of loaded text before it is indexed
TITLE_TOKENS = 48  # of title and headings, embedded before a passage's own text


@dataclass(frozen=True)
class Ingest:
    """The pipeline over open parts. `embedder` is called when something must be embedded.

    Cancelled between two documents or batches, it keeps what is loaded: `index` goes on there.
    """

    writer: Writer
    loaders: Mapping[str, Loader]
    embedder: Callable[[], Embedder]
    split_config: SplitConfig
    embed_config: EmbedConfig
    reporter: Reporter = SILENT
    cancel: CancelToken = NEVER
    transcribe: TranscribePipeline | None = None  # None: recordings are refused
    tagger: Callable[[], Tagger] | None = None  # None: nothing can be tagged
    topics: Mapping[str, Sequence[str]] = field(default_factory=dict)  # label -> examples
    report: Report = field(default_factory=Report)

    def add(
        self,
        uris: Sequence[str],
        choice: Choice = EVERYTHING,
        *,
        refresh: bool = False,
        index: bool = True,
    ) -> None:
        """Load every source, then index what is new; `index=False` only fetches and stores.

        A choice that does not fit a source is its failure, with the exit code of wrong usage.
        """
        sources = []
        for uri in uris:
            try:
                sources.append(source_of(uri, self.loaders, choice))
            except LoadError as error:
                self.report.failed.append((uri, error))
            except UsageError as error:
                self.report.failed.append((uri, _of_one(error)))
        self._load_all(sources, refresh=refresh, index=index)

    def add_pages(self, source: Source, pages: Sequence[Document]) -> None:
        """Take pages that a research has read as documents of its source, and index them.

        A page that the library has from elsewhere stays as it is.
        """
        self.writer.put_source(source)
        for page in pages:
            if self.writer.is_published(page.id) and not self.writer.only_of(source.id, page.id):
                continue
            self._put_pending(source, Item(page.uri, str(page.meta.get("stamp", ""))), page)
        self.index()

    def add_document(self, document: Document, *, index: bool = True) -> None:
        """Take a document that came as bytes, such as stdin, as a source of its own."""
        source = source_of_document(document)
        self.writer.put_source(source)
        self._put_pending(source, Item(document.uri, str(document.meta.get("stamp", ""))), document)
        if index:
            self.index()

    def sync(self, sources: Iterable[Source]) -> None:
        """Visit sources again and index what changed; what cannot be reached stays as it is."""
        known = []
        for source in sources:
            if (loader := self.loaders.get(source.kind)) is None:
                self.reporter.note(f"{source.uri} is passed by: nothing here reads {source.kind!r}")
            elif loader.revisits:
                known.append(source)
        self._load_all(known, refresh=True, index=True)

    def _load_all(self, sources: Iterable[Source], *, refresh: bool, index: bool) -> None:
        """Load all before anything is forgotten: a file may have moved between two of them."""
        loaded = []
        for source in sources:
            try:
                loaded.append((source, self._load(source, refresh=refresh, index=index)))
            except LoadError as error:
                if not error.hint and self.writer.links(source.id):
                    error.hint = f"dragtor sources rm {source.id}"
                self.report.failed.append((source.uri, error))
            except LibraryError:  # such as a full disk: what is loaded may still find room
                if index:
                    with suppress(DragtorError):
                        self.index()
                raise
        for source, items in loaded:
            try:
                self._forget_gone(source, items)
            except LoadError as error:
                self.report.failed.append((source.uri, error))
        if index:
            self.index()

    def _load(self, source: Source, *, refresh: bool, index: bool) -> list[Item]:
        loader = self.loaders[source.kind]
        known = next((one for one in self.writer.store.sources() if one.id == source.id), None)
        since = Choice.of(known).since if known else ""  # where its list ended, when all was taken
        choice = replace(Choice.of(source), since=since)
        source = replace(source, options=choice.options())
        items = list(loader.discover(source.uri, choice, refresh=refresh))
        links = self.writer.links(source.id)
        if not items and not links:
            raise LoadError(f"{source.uri} holds nothing that dragtor reads")
        if not items and not loader.local:  # a feed's entries come and go
            self.report.unchanged += len(links)
        self.writer.put_source(source)
        waiting = failed = 0  # `failed`: where the oldest is that could not be read
        for number, item in enumerate(items):
            self.cancel.check()
            self.reporter.progress(f"loading {source.uri}", number, len(items))
            try:
                waiting += self._load_item(source, loader, item, refresh=refresh)
            except (LoadError, Missing) as error:  # what is no sound is worth having all the same
                failure = error if isinstance(error, LoadError) else _of_one(error)
                self.report.failed.append((item.uri, failure))
                failed = number + 1
            if index and waiting > BATCH_CHARACTERS:
                self.index()
                waiting = 0
        self.reporter.progress(f"loading {source.uri}", len(items), len(items))
        taken = items[failed:] if failed < MOST_NEW else items  # the next run tries the rest again
        if loader.lists and taken:
            choice = replace(choice, since=mark(taken) or choice.since)
            self.writer.put_source(replace(source, options=choice.options()))
        if items and not self.writer.links(source.id):  # nothing could be read, now or before
            self.writer.remove_source(source.id)
        return items

    def _load_item(self, source: Source, loader: Loader, item: Item, *, refresh: bool) -> int:
        """Load one document unless it is known as it is; returns the characters to be indexed."""
        known = self.writer.link(source.id, item.uri)
        content_hash = item.content_hash or loader.content_hash(item.uri)
        asked = refresh and not item.content_hash and not loader.local  # a file's is of its bytes
        if known and known[1] == content_hash and content_hash and not asked:
            self.report.unchanged += 1
            return 0
        before = self._before(known[0] if known else self.writer.store.linked(item.uri))
        said = before if before and "language" in before.meta else None  # not from captions
        loaded = loader.read(item.uri, refresh=refresh, before=said)
        document = loaded.document if isinstance(loaded, Recording) else loaded
        first = known[0] if known else self._moved(loader, item.uri, content_hash)
        if first and not self.writer.shared(first, item.uri):  # keeps the id it was first seen with
            document = replace(document, id=first)
        elif not known and self.writer.address(document.id) not in ("", document.uri):
            identity = short_hash(document.uri, content_hash)  # its own has moved
            document = replace(document, id=identity)
        if isinstance(loaded, Recording):
            document = self._transcribed(replace(loaded, document=document), source, before)
        content_hash = str(document.meta.get("stamp", ""))  # of the bytes that were read
        size = self._put_pending(source, replace(item, content_hash=content_hash), document)
        if isinstance(loaded, Recording):
            loader.transcribed(document.uri)
        return size

    def _transcribed(
        self, recording: Recording, source: Source, before: Document | None
    ) -> Document:
        if self.transcribe is None:
            raise LoadError(f"sound is not read here: {shown(recording.document.uri)}")
        return self.transcribe.document(recording, source.id, before)

    def _before(self, identity: str) -> Document | None:
        """The latest version of a document, whether it waits to be indexed or not."""
        store = self.writer.store
        return store.document(identity, pending=True) or store.document(identity)

    def _put_pending(self, source: Source, item: Item, document: Document) -> int:
        from dragtor.speech.pipeline import as_named

        known = self.writer.is_published(document.id)
        if (before := self._before(document.id)) is not None:
            document = as_named(document, before)
        if not self.writer.put_pending(source.id, item.uri, item.content_hash, document):
            self.report.unchanged += 1
            return 0
        if known:
            self.report.changed += 1
        else:
            self.report.added += 1
        return len(document.text)

    def _moved(self, loader: Loader, item_uri: str, content_hash: str) -> str:
        """Id of the document whose file is gone, now met elsewhere with the same bytes."""
        if not (content_hash and loader.local):
            return ""
        for document_id, old_uri in self.writer.by_content_hash(content_hash):
            if old_uri.startswith("file:") and _presence(file_path(old_uri)) == "gone":
                self.writer.rebind(document_id, item_uri)
                return document_id
        return ""

    def _forget_gone(self, source: Source, items: Sequence[Item]) -> None:
        """Files deleted from a folder leave the library; an emptied folder is not believed.

        Pages that left a sitemap stay: sites drop old pages from it that are still worth having.
        """
        if not self.loaders[source.kind].local:
            return
        absent = sorted(set(self.writer.links(source.id)) - {item.uri for item in items})
        gone = [uri for uri in absent if _presence(file_path(uri)) != "hidden"]
        if gone and not items:
            raise LoadError(
                f"{source.uri} is empty now; its {len(gone)} documents are kept",
                f"dragtor sources rm {source.id}",
            )
        if gone:
            before = self.writer.links(source.id)
            self.report.removed += len(self.writer.unlink(source.id, gone))
            left = self.writer.links(source.id).values()
            for document_id in {before[uri] for uri in gone}.difference(left):
                if self.transcribe:
                    self.transcribe.forget(source.id, document_id)

    # Indexing

    def index(self) -> None:
        """Split, embed and publish every document that waits."""
        waiting = self.writer.pending_ids()
        if not waiting:
            return
        embedder = self.embedder()
        self.writer.check(
            vector_fingerprint(embedder, self.embed_config), splitter_version(self.split_config)
        )
        for batch in self._batches(embedder, waiting, pending=True):
            self._embed(embedder, batch)
            self.cancel.check()
            self.writer.publish(batch)
            self.report.passages += sum(len(item.passages) for item in batch)

    def rebuild(self) -> None:
        """Split and index everything anew, embedding only what has no stored vector."""
        embedder = self.embedder()
        fingerprint = vector_fingerprint(embedder, self.embed_config)
        splitter = splitter_version(self.split_config)
        rebuild = Rebuild(self.writer, fingerprint, splitter, self.cancel)
        done = rebuild.done()
        live = [row["id"] for row in self.writer.store.documents() if not row["staged"]]
        todo = [identity for identity in live if identity not in done]
        for batch in self._batches(embedder, todo, pending=False):
            self._embed(embedder, batch)
            self.cancel.check()
            rebuild.put(batch)
            self.report.passages += sum(len(item.passages) for item in batch)
        rebuild.finish()
        self.index()

    def tag(self) -> None:
        """Tag every document whose names are of another version or content, then merge names.

        Nothing is split or embedded; cancelled, what is tagged is kept and merged.
        """
        if self.tagger is None:
            raise UsageError("nothing here finds names")
        tagger = self.tagger()
        version = tags_version(tagger)
        todo = untagged(self.writer.store, version)
        try:
            for batch in self._tag_batches(todo):
                self._tag_batch(tagger, version, batch)
        except Cancelled:
            merge_entities(self.writer)
            raise
        merge_entities(self.writer)
        self._tag_topics({*todo})

    def _tag_topics(self, counted: Set[str]) -> None:
        """Give passages their topics, from the vectors that are there.

        `counted` are documents that the report has as tagged, by their names.
        """
        store = self.writer.store
        if not self.topics and not has_tags(store, TOPICS):
            return
        known = entities.topic_version(self.topics, store.meta("fingerprint"))
        version = f"{known} {splitter_version(self.split_config)}"
        if todo := untagged(store, version, TOPICS):
            embedder = self.embedder()
            check_fingerprint(store, embedder, self.embed_config)
            for part in entities.topic_tags(store, embedder, self.topics, todo, self.cancel):
                put_topics(self.writer, part, version)
                self.report.tagged += len(part.keys() - counted)

    def _tag_batches(self, identities: Sequence[str]) -> Iterator[list[Document]]:
        batch: list[Document] = []
        for number, identity in enumerate(identities):
            self.cancel.check()
            self.reporter.progress("tagging", number, len(identities))
            document = self.writer.store.document(identity)
            assert document is not None  # it was just listed, and nobody else writes
            batch.append(document)
            if sum(len(each.text) for each in batch) >= TAGGED_CHARACTERS:
                yield batch
                batch = []
        if batch:
            yield batch
        self.reporter.progress("tagging", len(identities), len(identities))

    def _tag_batch(self, tagger: Tagger, version: str, batch: Sequence[Document]) -> None:
        found = []
        for document in batch:
            self.cancel.check()
            found.append((document, entities.document_mentions(document, tagger.tag)))
        self.cancel.check()
        with transaction(self.writer.db):
            for document, read in found:
                rows = (
                    TagRow(
                        span.start,
                        span.end,
                        span.label,
                        read.called.get(span.start)
                        or entities.clean_name(document.text[span.start : span.end]),
                        span.probability,
                    )
                    for span in read.spans
                )
                put_tags(self.writer, document.id, rows, version, read.defined)
        self.report.tagged += len(batch)

    def _batches(
        self, embedder: Embedder, identities: Sequence[str], *, pending: bool
    ) -> Iterator[list[Indexed]]:
        batch: list[Indexed] = []
        for number, identity in enumerate(identities):
            self.cancel.check()
            self.reporter.progress("indexing", number, len(identities))
            document = self.writer.store.document(identity, pending=pending)
            if document is None:
                continue
            passages = self._passages(embedder, document)
            batch.append(Indexed(document, passages, self._keys(document, passages)))
            if sum(len(item.passages) for item in batch) >= BATCH_PASSAGES:
                yield batch
                batch = []
        if batch:
            yield batch
        self.reporter.progress("indexing", len(identities), len(identities))

    def _passages(self, embedder: Embedder, document: Document) -> list[Passage]:
        """None of what dragtor itself wrote: it is no evidence."""
        if document.meta.get(OWN_WORDS):
            return []
        return split.split(
            document,
            self.split_config,
            embedder.token_offsets,
            max_tokens=embedder.max_tokens - TITLE_TOKENS,
            embed=embedder.embed_passages,
        )

    def _keys(self, document: Document, passages: Sequence[Passage]) -> list[str]:
        """What each vector is stored under: all the text that it was made from."""
        if self.embed_config.late_chunking:
            whole = short_hash(document.text)
            return [short_hash(whole, str(p.start), str(p.end)) for p in passages]
        return [short_hash(document.title, p.heading, p.text) for p in passages]

    def _embed(self, embedder: Embedder, batch: Sequence[Indexed]) -> None:
        fingerprint = vector_fingerprint(embedder, self.embed_config)
        missing = self.writer.missing((k for item in batch for k in item.keys), fingerprint)
        if not missing:
            return
        if self.embed_config.late_chunking:
            for item in batch:
                if missing & set(item.keys):
                    spans = [(p.start, p.end) for p in item.passages]
                    vectors = embedder.embed_document(item.document.text, spans)
                    self.writer.put_vectors(item.keys, vectors, fingerprint)
        else:
            texts = {
                key: with_context(embedder, item.document.title, passage)
                for item in batch
                for passage, key in zip(item.passages, item.keys, strict=True)
                if key in missing
            }
            keys = list(texts)
            for at in range(0, len(keys), BATCH_PASSAGES):
                part = keys[at : at + BATCH_PASSAGES]
                vectors = embedder.embed_passages([texts[key] for key in part])
                self.writer.put_vectors(part, vectors, fingerprint)
        self.report.embedded += len(missing)


def _of_one(error: DragtorError) -> LoadError:
    """What is wrong with one document or argument; the others go on."""
    failure = LoadError(str(error), error.hint)
    failure.exit_code = error.exit_code
    return failure


def _presence(path: Path) -> Literal["there", "gone", "hidden"]:
    """Whether a file is there; `hidden` in a folder that may not be looked into."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return "gone"
    except OSError:
        return "hidden"
    return "there"


def vector_fingerprint(embedder: Embedder, config: EmbedConfig) -> str:
    """What a vector depends on besides its text."""
    if not config.late_chunking:
        return f"{embedder.fingerprint}+context{TITLE_TOKENS}"
    return f"{embedder.fingerprint}+late{config.late_window_tokens}/{config.late_overlap_tokens}"


def check_fingerprint(store: Store, embedder: Embedder, config: EmbedConfig) -> None:
    """Refuse to search vectors with another embedder's; raises LibraryVersion."""
    store.check("fingerprint", vector_fingerprint(embedder, config), "embedder")


def tags_version(tagger: Tagger) -> str:
    """What the tags of a document depend on besides its text."""
    return f"{tagger.version}+rules{entities.RULES_VERSION}"


def merge_entities(writer: Writer) -> None:
    """Say whom all names of the library mean, unless nothing has changed since."""
    store = writer.store
    if store.meta(MERGED) == entities.RULES_VERSION:
        return
    rows = [entities.NameRow(*row) for row in name_counts(store)]
    merged = entities.merge_names(rows, speaker_names(store), acronyms(store))
    put_entities(writer, merged.entities, merged.meant, merged.heard, entities.RULES_VERSION)


def splitter_version(config: SplitConfig) -> str:
    """What the spans of passages depend on."""
    parts = [split.VERSION, config.strategy, config.tokens, config.overlap_tokens]
    if config.strategy == "semantic":
        parts.append(config.semantic_percentile)
    return "/".join(map(str, parts))


def with_context(embedder: Embedder, title: str, passage: Passage) -> str:
    """A passage's text under its title and headings, which are cut where they are long."""
    context = " > ".join(dict.fromkeys(part for part in (title, passage.heading) if part))
    offsets = embedder.token_offsets(context)
    if len(offsets) >= TITLE_TOKENS:
        context = context[: offsets[TITLE_TOKENS - 2][1]]
    return f"{context}\n{passage.text}" if context else passage.text
