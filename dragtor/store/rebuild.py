"""Rebuilding: the next index version grows beside the one that is searched, then takes its place.

Nobody sees the new version before it is whole; one that a crash left half-done is continued.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from dragtor.store import vectors
from dragtor.store.schema import transaction
from dragtor.store.write import Indexed, Writer
from dragtor.types import NEVER, CancelToken


class Rebuild:
    """One rebuild, for an embedder's fingerprint and a splitter's version."""

    def __init__(
        self, writer: Writer, fingerprint: str, splitter: str, cancel: CancelToken = NEVER
    ) -> None:
        self.writer = writer
        self._cancel = cancel
        self.fingerprint = fingerprint
        self.splitter = splitter
        self.index_version = writer.store.index_version + 1
        wanted = json.dumps([fingerprint, splitter])
        if writer.store.meta("rebuild") != wanted:
            with transaction(writer.db):
                writer.db.execute("DELETE FROM passages WHERE edition = ?", (self.index_version,))
                writer.set_meta("rebuild", wanted)

    def done(self) -> set[str]:
        """Ids of the documents whose passages the new version holds already."""
        rows = self.writer.store.rows(
            "SELECT DISTINCT document_id FROM passages WHERE edition = ?", (self.index_version,)
        )
        return {row[0] for row in rows}

    def put(self, items: Sequence[Indexed]) -> None:
        """Add documents' passages; their vectors must be stored already."""
        with transaction(self.writer.db):
            for item in items:
                list(self.writer.insert_passages(item, self.index_version, self.fingerprint))

    def finish(self) -> None:
        """Make the new version's vector index, then publish it and drop the old one."""
        writer, db = self.writer, self.writer.db
        old = writer.store.index_version
        vectors.fill_index(writer.store, self.index_version, self._cancel)
        with transaction(db):
            db.execute("DELETE FROM passages_fts")
            db.execute(
                "INSERT INTO passages_fts (rowid, title, heading, text) SELECT p.rowid, d.title,"
                " p.heading, p.text FROM passages p JOIN documents d ON d.id = p.document_id"
                " AND d.staged = 0 WHERE p.edition = ?",
                (self.index_version,),
            )
            db.execute("DELETE FROM passages WHERE edition = ?", (old,))
            db.execute("DELETE FROM pending")
            writer.set_meta("fingerprint", self.fingerprint)
            writer.set_meta("splitter", self.splitter)
            writer.set_meta("edition", str(self.index_version))
            writer.set_meta("rebuild", "")
            writer.set_meta("untidy", "1")
            writer.set_meta("recovering", "")
            writer.advance()
        writer.store.close_index()
        vectors.remove_index(writer.store, old)
