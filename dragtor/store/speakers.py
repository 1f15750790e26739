"""Who speaks in a document: names that the user gives, and voices that a show is known by.

Knows no audio: a voice print is a row of numbers that somebody else compares.
"""

from __future__ import annotations

from collections.abc import Sequence

from dragtor.store.read import Store
from dragtor.store.rows import speaker_of, speaker_row
from dragtor.store.schema import transaction
from dragtor.store.write import Writer
from dragtor.types import Speaker


def put_speakers(writer: Writer, document_id: str, speakers: Sequence[Speaker]) -> None:
    """Replace what is known of a document's speakers; no passage and no vector changes."""
    with transaction(writer.db):
        rows = writer.db.execute("SELECT staged FROM documents WHERE id = ?", (document_id,))
        for (staged,) in rows.fetchall():
            writer.db.executemany(
                "INSERT OR REPLACE INTO speakers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(document_id, staged, *speaker_row(speaker)) for speaker in speakers],
            )
        writer.advance()


def known_voices(store: Store, show: str, confidence: float) -> list[Speaker]:
    """Everybody with a voice print whose name is at least so sure, in the documents of a show."""
    rows = store.rows(
        "SELECT w.* FROM speakers w JOIN documents d ON d.id = w.document_id"
        " AND d.staged = w.staged WHERE json_extract(d.meta, '$.show') = ? AND w.name != ''"
        " AND w.name_confidence >= ? AND length(w.voice) > 0"
        " ORDER BY w.name_confidence DESC, d.published DESC",
        (show, confidence),
    )
    return [speaker_of(row) for row in rows]
