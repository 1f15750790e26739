"""Writing the library: one writer at a time, every change visible whole or not at all.

A document is pending from when it is loaded until it is published with its passages. Publishing
notes the passages it touches (table `pending`), brings the vector index up to date, replaces the
documents in one SQL transaction, and clears the note. What a crash leaves is finished by the
next writer. Does not know how texts are split or embedded.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.config import StoreConfig
from dragtor.errors import LibraryError
from dragtor.store import vectors
from dragtor.store.chats import forget_documents
from dragtor.store.digests import forget_digests, subject_of
from dragtor.store.lock import writer_lock
from dragtor.store.read import Store
from dragtor.store.rows import segment_row, speaker_row, storable
from dragtor.store.schema import connect, plain_errors, transaction
from dragtor.store.tags import forget_tags
from dragtor.types import (
    NEVER,
    SILENT,
    CancelToken,
    Document,
    Passage,
    Reporter,
    Source,
    short_hash,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DOCUMENT_COLUMNS = "id, staged, uri, kind, title, author, published, text, meta, content_hash"


@dataclass(frozen=True, slots=True)
class Indexed:
    """A document ready to be published: its passages and the key of each one's stored vector."""

    document: Document
    passages: Sequence[Passage]
    keys: Sequence[str]


def document_hash(document: Document) -> str:
    """What must differ for a document to be indexed again."""
    segments = json.dumps([astuple(s) for s in document.segments])
    return short_hash(document.title, document.author, document.published, document.text, segments)


class Writer:
    """The one process that may change the library; open it with `Writer.open`."""

    def __init__(self, store: Store, cancel: CancelToken = NEVER) -> None:
        self.store = store
        self._cancel = cancel
        self.db = store.db
        store.writing = True
        self._looked = False  # at whether the vector index is whole

    @classmethod
    @contextmanager
    def open(
        cls,
        folder: Path,
        config: StoreConfig | None = None,
        *,
        lock_timeout_s: float = 60.0,
        reporter: Reporter = SILENT,
        cancel: CancelToken = NEVER,
        recover: bool = True,
    ) -> Iterator[Writer]:
        """Lock, create or migrate, and finish what a crash left; raises LibraryLocked.

        Cancelled while the vector index is written, the next writer finishes that too.

        A rebuild gives `recover=False`: it replaces the vector index without opening it.
        """
        config = config or StoreConfig()
        path = folder / "library.db"
        with writer_lock(folder, lock_timeout_s, reporter, cancel), plain_errors(path):
            store = Store(folder, connect(path, write=True), config)
            writer = cls(store, cancel)
            try:
                if recover:
                    writer._recover()
                vectors.remove_stale_indexes(store)
                yield writer
                writer._tidy()
            finally:
                store.close()

    # Sources and loaded documents

    def put_source(self, source: Source) -> None:
        """Add a source, or renew its title and options."""
        self.db.execute(
            "INSERT INTO sources VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " title = excluded.title, options = excluded.options, synced_at = excluded.synced_at",
            (source.id, source.uri, source.kind, source.title,
             json.dumps(dict(source.options)), _now(), _now()),
        )  # fmt: skip

    def link(self, source_id: str, item_uri: str) -> tuple[str, str] | None:
        """(document id, content hash) of what a source's item gave last time."""
        row = self.db.execute(
            "SELECT document_id, stamp FROM source_documents WHERE source_id = ? AND item_uri = ?",
            (source_id, item_uri),
        ).fetchone()
        return (row[0], row[1]) if row else None

    def links(self, source_id: str) -> dict[str, str]:
        """Document id by item address, for one source."""
        rows = self.db.execute(
            "SELECT item_uri, document_id FROM source_documents WHERE source_id = ?", (source_id,)
        )
        return {row[0]: row[1] for row in rows}

    def put_pending(
        self, source_id: str, item_uri: str, content_hash: str, document: Document
    ) -> bool:
        """Keep a loaded document until it is indexed; False where it is published already."""
        document = storable(document)
        digest = document_hash(document)
        with transaction(self.db):
            self.db.execute(
                "INSERT OR REPLACE INTO source_documents VALUES (?, ?, ?, ?)",
                (source_id, item_uri, document.id, content_hash),
            )
            known = self.db.execute(
                "SELECT staged FROM documents WHERE id = ? AND content_hash = ?",
                (document.id, digest),
            ).fetchall()
            if any(not row[0] for row in known):  # published: what waits for it is out of date
                self._delete_document(document.id, pending=1)
            elif not known:
                self._insert_pending(document, digest)
        return not known

    def _insert_pending(self, document: Document, digest: str) -> None:
        self._delete_document(document.id, pending=1)
        self.db.execute(
            f"INSERT INTO documents ({DOCUMENT_COLUMNS}, updated_at)"
            " VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (document.id, document.uri, document.kind, document.title, document.author,
             document.published, document.text, json.dumps(dict(document.meta)), digest, _now()),
        )  # fmt: skip
        self.db.executemany(
            "INSERT INTO segments VALUES (?, 1, ?, ?, ?, ?, ?, ?, ?)",
            [(document.id, *segment_row(segment)) for segment in document.segments],
        )
        self.db.executemany(
            "INSERT INTO speakers VALUES (?, 1, ?, ?, ?, ?, ?, ?)",
            [(document.id, *speaker_row(speaker)) for speaker in document.speakers],
        )

    def rebind(self, document_id: str, uri: str) -> None:
        """A file moved: same document, new address."""
        with transaction(self.db):
            self.db.execute("UPDATE documents SET uri = ? WHERE id = ?", (uri, document_id))
            self.db.execute(
                "UPDATE OR REPLACE source_documents SET item_uri = ? WHERE document_id = ?",
                (uri, document_id),
            )
            self.advance()

    def is_published(self, document_id: str) -> bool:
        """Whether a version of the document is published."""
        sql = "SELECT 1 FROM documents WHERE id = ? AND staged = 0"
        return self.db.execute(sql, (document_id,)).fetchone() is not None

    def address(self, document_id: str) -> str:
        """Address of a document, pending or published; empty where there is none."""
        sql = "SELECT uri FROM documents WHERE id = ? ORDER BY staged DESC"
        row = self.db.execute(sql, (document_id,)).fetchone()
        return str(row[0]) if row else ""

    def shared(self, document_id: str, item_uri: str) -> bool:
        """Whether an item of another address gave this document too."""
        sql = "SELECT 1 FROM source_documents WHERE document_id = ? AND item_uri != ?"
        return self.db.execute(sql, (document_id, item_uri)).fetchone() is not None

    def only_of(self, source_id: str, document_id: str) -> bool:
        """Whether no other source holds the document."""
        sql = "SELECT 1 FROM source_documents WHERE document_id = ? AND source_id != ?"
        return self.db.execute(sql, (document_id, source_id)).fetchone() is None

    def by_content_hash(self, content_hash: str) -> list[tuple[str, str]]:
        """(document id, item address) of everything with these raw bytes."""
        rows = self.db.execute(
            "SELECT document_id, item_uri FROM source_documents WHERE stamp = ?", (content_hash,)
        )
        return [(row[0], row[1]) for row in rows]

    def pending_ids(self) -> list[str]:
        """Documents that wait to be indexed."""
        rows = self.db.execute("SELECT id FROM documents WHERE staged = 1 ORDER BY id")
        return [row[0] for row in rows]

    # Vectors

    def missing(self, keys: Iterable[str], fingerprint: str) -> set[str]:
        """Those of `keys` whose vector is not stored yet."""
        return {key for key in keys if vectors.row_of(self.db, key, fingerprint) is None}

    def put_vectors(self, keys: Sequence[str], rows: NDArray[np.float32], fingerprint: str) -> None:
        """Store (n, dimension) unit vectors, as float16; known keys keep theirs."""
        halves = (half.tobytes() for half in rows.astype("float16"))
        stored = ((key, fingerprint, half) for key, half in zip(keys, halves, strict=True))
        sql = "INSERT OR IGNORE INTO vectors (key, fingerprint, vector) VALUES (?, ?, ?)"
        with transaction(self.db):
            self.db.executemany(sql, stored)

    # Publishing

    def check(self, fingerprint: str, splitter: str) -> None:
        """Record what made this library, or refuse what differs; raises LibraryVersion."""
        self.store.check("fingerprint", fingerprint, "embedder")
        self.store.check("splitter", splitter, "splitter")
        self.set_meta("fingerprint", fingerprint)
        self.set_meta("splitter", splitter)

    def publish(self, batch: Sequence[Indexed]) -> None:
        """Make documents what is searched, with their passages; vectors must be stored already."""
        self._change(batch, [])

    def remove_source(self, source_id: str) -> list[str]:
        """Remove a source and every document no other source holds; returns their addresses."""
        documents = self._only_in(source_id, list(self.links(source_id)))
        addresses = self._addresses(documents)
        links = ("DELETE FROM source_documents WHERE source_id = ?", (source_id,))
        digests = ("DELETE FROM digests WHERE subject = ?", (subject_of("source", source_id),))
        source = ("DELETE FROM sources WHERE id = ?", (source_id,))
        self._change([], documents, links, digests, source)
        return addresses

    def unlink(self, source_id: str, item_uris: Sequence[str]) -> list[str]:
        """A source no longer has these items; returns the documents that are removed so."""
        documents = self._only_in(source_id, item_uris)
        link = "DELETE FROM source_documents WHERE source_id = ? AND item_uri = ?"
        self._change([], documents, *((link, (source_id, uri)) for uri in item_uris))
        return documents

    def _addresses(self, documents: list[str]) -> list[str]:
        """All that documents were read from, and other items were not: pages and sound too."""
        rows = self.db.execute(
            "WITH gone AS (SELECT value FROM json_each(?))"
            " SELECT item_uri FROM source_documents WHERE document_id IN gone"
            " UNION SELECT uri FROM documents WHERE id IN gone"
            " UNION SELECT m.value FROM documents, json_each(meta) m WHERE documents.id IN gone"
            " AND m.key IN ('page', 'enclosure')"
            " EXCEPT SELECT item_uri FROM source_documents WHERE document_id NOT IN gone",
            (json.dumps(documents),),
        )
        return [row[0] for row in rows]

    def _only_in(self, source_id: str, item_uris: Sequence[str]) -> list[str]:
        links, items = self.links(source_id), set(item_uris)
        gone = {document for uri, document in links.items() if uri in items}
        kept = {document for uri, document in links.items() if uri not in items}
        rows = self.db.execute(
            "SELECT DISTINCT document_id FROM source_documents WHERE source_id != ?", (source_id,)
        )
        return sorted(gone - kept - {row[0] for row in rows})

    def _change(
        self, add: Sequence[Indexed], remove: Sequence[str], *besides: tuple[str, tuple[str, ...]]
    ) -> None:
        """Publish and remove documents; `besides` are statements of the same transaction."""
        index_version = self.store.index_version
        new = {p.id for item in add for p in item.passages}
        documents = [item.document.id for item in add] + list(remove)
        old = {p.id for d in documents for p in self.store.passages_of(d)}
        with transaction(self.db):
            self.db.executemany(
                "INSERT OR IGNORE INTO pending VALUES (?)", [(i,) for i in sorted(new | old)]
            )
        if new | old:
            self._repair_index()
        self._upsert(add, new - old)
        with transaction(self.db):
            for document_id in documents:
                self._delete_passages(document_id, index_version)
                self._delete_document(document_id, pending=0)
            forget_tags(self.db, documents)
            forget_digests(self.db, documents)
            for document_id in remove:
                self._delete_document(document_id, pending=1)
            for item in add:
                self._publish_document(item, index_version)
            if remove:
                forget_documents(self.db, remove)
            for statement in besides:
                self.db.execute(*statement)
            if old or remove:
                self.set_meta("untidy", "1")
            self.advance()
        if old - new:
            self.store.index().delete(sorted(old - new))
        with transaction(self.db):
            self.db.execute("DELETE FROM pending")

    def _upsert(self, items: Sequence[Indexed], ids: set[str]) -> None:
        fingerprint = self.store.meta("fingerprint")
        keyed = [
            (p.id, vectors.row_of(self.db, key, fingerprint))
            for item in items
            for p, key in zip(item.passages, item.keys, strict=True)
            if p.id in ids
        ]
        rows = [(i, v) for i, v in keyed if v is not None]
        vectors.upsert(self.db, self.store.index, rows, self._cancel)

    def _publish_document(self, item: Indexed, index_version: int) -> None:
        key = (item.document.id,)
        self.db.execute("UPDATE documents SET staged = 0 WHERE id = ? AND staged = 1", key)
        for table in ("segments", "speakers"):
            sql = f"UPDATE {table} SET staged = 0 WHERE document_id = ? AND staged = 1"
            self.db.execute(sql, key)
        for rowid, passage in self.insert_passages(
            item, index_version, self.store.meta("fingerprint")
        ):
            self.db.execute(
                "INSERT INTO passages_fts (rowid, title, heading, text) VALUES (?, ?, ?, ?)",
                (rowid, item.document.title, passage.heading, passage.text),
            )

    def insert_passages(
        self, item: Indexed, index_version: int, fingerprint: str
    ) -> Iterator[tuple[int, Passage]]:
        """Write a document's passages into an index version; gives each with its row number."""
        for passage, key in zip(item.passages, item.keys, strict=True):
            cursor = self.db.execute(
                'INSERT INTO passages (edition, id, document_id, start, "end", text, heading,'
                " vector_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (index_version, *astuple(passage), vectors.row_of(self.db, key, fingerprint)),
            )
            yield int(cursor.lastrowid or 0), passage

    def _delete_passages(self, document_id: str, index_version: int) -> None:
        """Of every index version: a half-done rebuild never keeps what has changed since."""
        self.db.execute(
            "DELETE FROM passages_fts WHERE rowid IN"
            " (SELECT rowid FROM passages WHERE document_id = ? AND edition = ?)",
            (document_id, index_version),
        )
        self.db.execute("DELETE FROM passages WHERE document_id = ?", (document_id,))

    def _delete_document(self, document_id: str, *, pending: int) -> None:
        key = (document_id, pending)
        self.db.execute("DELETE FROM documents WHERE id = ? AND staged = ?", key)
        for table in ("segments", "speakers"):
            self.db.execute(f"DELETE FROM {table} WHERE document_id = ? AND staged = ?", key)

    # After a crash, and before leaving

    def _recover(self) -> None:
        """Finish what the last writer left: bring every unsettled passage's vector in line."""
        rows = self.db.execute(
            "SELECT pending.passage_id, p.vector_id FROM pending LEFT JOIN passages p"
            " ON p.id = pending.passage_id AND p.edition = ?",
            (self.store.index_version,),
        ).fetchall()
        if not rows:
            return
        whole = False
        if not self.store.meta("recovering"):  # else a damaged index ended that process too
            self.set_meta("recovering", "1")
            with suppress(LibraryError):
                touched = [(r[0], r[1]) for r in rows if r[1] is not None]
                vectors.upsert(self.db, self.store.index, touched, self._cancel)
                self.store.index().delete([r[0] for r in rows if r[1] is None])
                whole = self._index_is_whole()
        if not whole:
            vectors.restore_index(self.store, self._cancel)
        with transaction(self.db):
            self.db.execute("DELETE FROM pending")
            self.set_meta("recovering", "")

    def _repair_index(self) -> None:
        """Make a vector index anew that cannot be opened or has lost something; looks once."""
        if not self._looked and not self._index_is_whole():
            vectors.restore_index(self.store, self._cancel)
        self._looked = True

    def _index_is_whole(self) -> bool:
        try:
            return self.store.index().count() == self.store.counts()["passages"]
        except LibraryError:
            return False

    def _tidy(self) -> None:
        """Drop vectors nobody uses and overwrite what was deleted, so that no trace stays."""
        if not self.store.meta("untidy"):
            return
        with transaction(self.db):
            self.set_meta("untidy", "")
            self.db.execute("DELETE FROM vectors WHERE id NOT IN (SELECT vector_id FROM passages)")
            self.db.execute("INSERT INTO passages_fts (passages_fts) VALUES ('optimize')")
        self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def advance(self) -> None:
        """Tell open readers that something changed."""
        self.db.execute("UPDATE meta SET value = value + 1 WHERE key = 'generation'")

    def set_meta(self, key: str, value: str) -> None:
        """Record a fact about the library as a whole."""
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
