"""Digests that were made once, in library.db: topics by name, and the spans that they quote.

A digest goes as soon as a document that it quotes is changed or removed. Does not know how topics
are found.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dragtor.store.schema import changing
from dragtor.types import utf8

if TYPE_CHECKING:
    from dragtor.store.read import Store


class TopicRow(NamedTuple):
    """A topic: its name, what named it, and (document, start, end) of its quotes in their order."""

    name: str
    named_by: str
    spans: Sequence[tuple[str, int, int]]


def subject_of(about: str, identity: str) -> str:
    """What a digest is kept under: whom or what it is about, and the id."""
    return f"{about} {identity}"


def content_hashes(store: Store, documents: Sequence[str]) -> dict[str, str]:
    """Published documents of these, each with the hash of what it holds."""
    rows = store.rows(
        "SELECT id, content_hash FROM documents WHERE staged = 0"
        " AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(documents)),),
    )
    return {row[0]: row[1] for row in rows}


def digest_kept(store: Store, subject: str, version: str) -> list[TopicRow] | None:
    """The topics of a subject if they were made as `version` says, else None."""
    rows = store.rows(
        "SELECT topics FROM digests WHERE subject = ? AND version = ?", (subject, version)
    )
    if not rows:
        return None
    return [
        TopicRow(name, named_by, [(span[0], span[1], span[2]) for span in spans])
        for name, named_by, spans in json.loads(rows[0][0])
    ]


def keep_digest(
    folder: Path, subject: str, version: str, topics: Sequence[TopicRow], made_of: dict[str, str]
) -> bool:
    """Write a digest down; False where a document is no longer what it was `made_of` (hashes).

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
        if known != made_of:
            return False
        _delete(db, [subject])
        rows = [(utf8(topic.name), topic.named_by, topic.spans) for topic in topics]
        stored = (subject, version, json.dumps(rows, ensure_ascii=False))
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
