"""A document, a source or a person -> a digest: topics, named and quoted; made once, and kept.

Is handed a store, an embedder and perhaps a language model. Knows no command.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from dragtor.digest.boundaries import MOST_SECTIONS
from dragtor.digest.quotes import (
    QUOTES,
    Quoted,
    read_passages,
    topic_quotes,
    turn_labels,
    without_labels,
)
from dragtor.digest.topics import SpansByDocument, TopicPassages, document_topics, grouped_topics
from dragtor.digest.words import model_name, own_words
from dragtor.errors import DragtorError, GenerationError, LibraryError
from dragtor.links import cited
from dragtor.overview import Digest, DigestOf, numbered_topics
from dragtor.store import TopicRow, content_hashes, digest_kept, keep_digest, subject_of
from dragtor.types import NEVER, SILENT, CancelToken, Citation, Document, Reporter, short_hash

if TYPE_CHECKING:
    from dragtor.embed import Embedder
    from dragtor.llm import LLM
    from dragtor.store import Store

DIGEST_VERSION = "1"  # raise it when the same texts would be digested otherwise
NAMING_PASSAGES = 30  # of a topic, whose words may name it
BACKGROUND_PASSAGES = 200  # of the library, against which words tell

Kept = tuple[list[TopicRow], str]  # topics, and the model that named any


class Digester:
    """Makes digests over a store; with `llm`, what no heading names is named by that model.

    `model` changes where another model would be asked.
    """

    def __init__(
        self,
        store: Store,
        embedder: Callable[[], Embedder],
        llm: Callable[[], LLM] | None = None,
        model: str = "",
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
    ) -> None:
        self._store, self._embedder = store, embedder
        self._llm, self._model = llm, model if llm else ""
        self._reporter, self._cancel = reporter, cancel
        self._documents: dict[str, Document] = {}

    def document(self, identity: str) -> Digest:
        """The topics of a published document, in its order."""
        title = self._document(identity).title

        def find() -> list[TopicPassages]:
            embed = self._embedder().embed_passages
            return document_topics(self._store, self._document(identity), embed)

        return self._digest("document", identity, title, [identity], find)

    def source(self, identity: str, title: str, documents: Mapping[str, str]) -> Digest:
        """The topics of these documents (id, title), the largest first; quotes in their order."""
        find = partial(grouped_topics, self._store, [*documents], documents)
        return self._digest("source", identity, title, [*documents], find)

    def person(self, identity: str, name: str, spans: SpansByDocument) -> Digest:
        """The topics on which somebody speaks or is named: only these spans are quoted."""
        find = partial(grouped_topics, self._store, [*spans], {}, spans)
        return self._digest("person", identity, name, [*spans], find, spans)

    def _digest(
        self,
        about: DigestOf,
        identity: str,
        title: str,
        documents: Sequence[str],
        find: Callable[[], list[TopicPassages]],
        spans: SpansByDocument | None = None,
    ) -> Digest:
        """The digest as it was kept, else a new one."""
        subject, made_of = subject_of(about, identity), content_hashes(self._store, documents)
        facts = (self._store.meta("fingerprint"), self._store.meta("splitter"))
        held = json.dumps([sorted(made_of.items()), spans and sorted(spans.items())])
        version = short_hash(DIGEST_VERSION, *facts, title, held)
        kept = digest_kept(self._store, subject, version + self._model)
        if kept is None:
            kept = self._make(subject, version, find, spans)
            try:
                keep_digest(self._store.folder, subject, version + self._model, *kept, made_of)
            except LibraryError as error:
                self._reporter.note(f"this digest is not kept: {error}")
        rows, model = kept
        topics = ((row.name, row.named_by, map(self._citation, row.spans)) for row in rows)
        return Digest(about, identity, title, numbered_topics(topics), model)

    def _make(
        self,
        subject: str,
        version: str,
        find: Callable[[], list[TopicPassages]],
        spans: SpansByDocument | None,
    ) -> Kept:
        topics = find()
        if self._llm and any(not topic.heading for topic in topics) and not self._opened():
            kept = digest_kept(self._store, subject, version)
            if kept is not None:
                return kept
        rows, named = [], ""
        quotes = [self._quotes(topic, spans, at, len(topics)) for at, topic in enumerate(topics)]
        texts = [self._text(topic) for topic in topics]
        words = own_words(texts, self._background())
        for topic, own, text, phrase in zip(topics, quotes, texts, words, strict=True):
            if not own:
                continue
            if topic.heading:
                rows.append(TopicRow(topic.heading, "heading", own))
            elif name := self._by_model(own, text):
                rows.append(TopicRow(name, "model", own))
                named = self._llm().name if self._llm else ""
            else:
                rows.append(TopicRow(phrase, "words", own))
        return rows, named

    def _opened(self) -> bool:
        """Whether the model can be had; if not, words do, and that is told once."""
        try:
            assert self._llm is not None
            self._llm()
        except DragtorError as error:
            self._reporter.note(f"topics are named by their own words: {error}")
            self._llm, self._model = None, ""
        return self._llm is not None

    def _by_model(self, quotes: Sequence[Quoted], text: str) -> str:
        if self._llm is None:
            return ""
        self._cancel.check()
        said = [self._document(each[0]).text[each[1] : each[2]] for each in quotes]
        try:
            return model_name(self._llm(), said, text, self._cancel)
        except GenerationError:
            return ""

    def _quotes(
        self, topic: TopicPassages, spans: SpansByDocument | None, done: int, all_: int
    ) -> list[Quoted]:
        self._cancel.check()
        self._reporter.progress("digesting", done, all_)
        n = QUOTES if all_ <= MOST_SECTIONS else 1
        found = topic_quotes(topic, self._document, self._embedder(), spans, n)
        self._reporter.progress("digesting", done + 1, all_)
        return found

    def _text(self, topic: TopicPassages) -> str:
        """The text that names a topic."""
        texts = []
        for identity, start, end in read_passages(topic, NAMING_PASSAGES):
            text = self._document(identity).text
            texts.append(without_labels(text[start:end], turn_labels(text)))
        return "\n".join(texts)

    def _background(self) -> list[str]:
        rows = self._store.rows(
            "SELECT text FROM passages WHERE edition = ? ORDER BY id LIMIT ?",
            (self._store.index_version, BACKGROUND_PASSAGES),
        )
        return [row[0] for row in rows]

    def _document(self, identity: str) -> Document:
        if identity not in self._documents:
            found = self._store.document(identity)
            assert found is not None  # what has passages is published
            self._documents[identity] = found
        return self._documents[identity]

    def _citation(self, quoted: Quoted) -> Citation:
        return cited(self._document(quoted[0]), *quoted[1:])
