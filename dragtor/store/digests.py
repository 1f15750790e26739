"""Digests that were made once, in library.db: topics by name, and the spans that they quote.

A digest goes as soon as a document that it quotes is changed or removed. Does not know how topics
are found.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dragtor.errors import UsageError
from dragtor.overview import NamedBy
from dragtor.store.read import MIN_ID_CHARACTERS
from dragtor.store.schema import changing
from dragtor.types import utf8

if TYPE_CHECKING:
    from dragtor.store.read import Store


class TopicRow(NamedTuple):
    """A topic: its name, what named it, and (document, start, end) of its quotes in their order."""

    name: str
    named_by: NamedBy
    spans: Sequence[tuple[str, int, int]]


def subject_of(about: str, identity: str) -> str:
    """What a digest is kept under: whom or what it is about, and the id."""
    return f"{about} {identity}"


def subject_meant(store: Store, asked: Sequence[str]) -> tuple[str, str] | None:
    """("document" or "source", id) of the only one with such an id, start of an id, or address.

    `asked` are ways to say one thing. A source of one document is that document; None: neither.
    Raises UsageError where several begin so, and where nothing of it is published.
    """

    def named(row: sqlite3.Row) -> bool:
        return any(
            row["uri"] == each or (len(each) >= MIN_ID_CHARACTERS and row["id"].startswith(each))
            for each in asked
        )

    for table, about in (("documents WHERE staged = 0", "document"), ("sources", "source")):
        found = [row["id"] for row in store.rows(f"SELECT id, uri FROM {table}") if named(row)]
        if len(found) > 1:
            raise UsageError(f"more than one {about} begins with {asked[0]!r}", "dragtor sources")
        if found and about == "document":
            return about, found[0]
        if found:
            published = [row["id"] for row in store.documents(found[0]) if not row["staged"]]
            if not published:
                raise UsageError(f"{asked[0]} is not indexed yet", "dragtor index")
            return ("document", published[0]) if len(published) == 1 else (about, found[0])
    return None


def content_hashes(store: Store, documents: Sequence[str]) -> dict[str, str]:
    """Published documents of these, each with the hash of what it holds."""
    rows = store.rows(
        "SELECT id, content_hash FROM documents WHERE staged = 0"
        " AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(documents)),),
    )
    return {row[0]: row[1] for row in rows}


def digest_kept(store: Store, subject: str, version: str) -> tuple[list[TopicRow], str] | None:
    """The topics of a subject if they were made as `version` says, and the model that named any."""
    rows = store.rows(
        "SELECT topics FROM digests WHERE subject = ? AND version = ?", (subject, version)
    )
    if not rows:
        return None
    kept = json.loads(rows[0][0])
    return [
        TopicRow(name, named_by, [(span[0], span[1], span[2]) for span in spans])
        for name, named_by, spans in kept["topics"]
    ], kept["model"]


def keep_digest(
    folder: Path,
    subject: str,
    version: str,
    topics: Sequence[TopicRow],
    model: str,
    made_of: Mapping[str, str],
) -> bool:
    """Write a digest down; False where a document is no longer what it was `made_of` (hashes).

    `model` is the language model that named topics, or empty.

    Raises LibraryError where the library cannot be written or stays locked.
    """
    with changing(folder) as db:
        known = dict(
            db.execute(
                "SELECT id, content_hash FROM documents WHERE staged = 0"
                " AND id IN (SELECT value FROM json_each(?))",
                (json.dumps(list(made_of)),),
            ).fetchall()
        )
        if known != dict(made_of):
            return False
        _delete(db, [subject])
        rows = [(utf8(topic.name), topic.named_by, topic.spans) for topic in topics]
        kept = json.dumps({"model": model, "topics": rows}, ensure_ascii=False)
        stored = (subject, version, kept)
        db.execute("INSERT INTO digests VALUES (?, ?, ?)", stored)
        sql = "INSERT INTO digest_documents VALUES (?, ?)"
        db.executemany(sql, [(document_id, subject) for document_id in made_of])
    return True


def forget_digests(db: sqlite3.Connection, documents: Sequence[str]) -> None:
    """Part of a change of these documents: remove every digest that was made of one."""
    rows = db.execute(
        "SELECT DISTINCT subject FROM digest_documents"
        " WHERE document_id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(documents)),),
    ).fetchall()
    _delete(db, [row[0] for row in rows])


def _delete(db: sqlite3.Connection, subjects: Sequence[str]) -> None:
    for table in ("digests", "digest_documents"):
        sql = f"DELETE FROM {table} WHERE subject IN (SELECT value FROM json_each(?))"
        db.execute(sql, (json.dumps(list(subjects)),))
