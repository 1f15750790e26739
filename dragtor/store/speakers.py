"""Who speaks in a document: names that the user gives, and voices that a show is known by.

Knows no audio: a voice print is a row of numbers that somebody else compares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dragtor.errors import UsageError
from dragtor.store.read import WORD, Store
from dragtor.store.rows import speaker_of, speaker_row
from dragtor.store.schema import transaction
from dragtor.store.write import Writer
from dragtor.types import Document, Speaker

SURE = 0.85  # of a name, from here on: its voice is known again in other episodes of a show
# "Will" and "Rose" are names too: only a question after somebody's words looks for a speaker.
SAYS = re.compile(
    r"\b(?:says?|said|think|thinks|thought|believes?|recommends?|suggests?|advises?|advice"
    r"|opinion|view|views|tells?|told|talks?|mentions?|mentioned|explains?|describes?|argues?"
    r"|according to|take on|do about|does about|prefers?|feels? about|likes?)\b",
    re.IGNORECASE,
)


def renamed(document: Document, names: Mapping[str, str]) -> list[Speaker]:
    """The speakers with these labels under new names, sure ones; raises UsageError on a label."""
    known = {speaker.label: speaker for speaker in document.speakers}
    labels = sorted({s.speaker for s in document.segments if s.speaker} | known.keys())
    if unknown := sorted(names.keys() - set(labels)):
        raise UsageError(
            f"nobody is labelled {unknown[0]!r}; labels: {', '.join(labels) or 'none'}",
            f"dragtor speakers {document.id}",
        )
    return [
        replace(known.get(label, Speaker(label)), name=name, name_confidence=float(bool(name)))
        for label, name in names.items()
    ]


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


def known_voices(store: Store, show: str, engine: str, confidence: float = SURE) -> list[Speaker]:
    """Everybody in a show with a voice print of this engine whose name is at least so sure."""
    rows = store.rows(
        "SELECT w.* FROM speakers w JOIN documents d ON d.id = w.document_id"
        " AND d.staged = w.staged WHERE json_extract(d.meta, '$.show') = ?"
        " AND json_extract(d.meta, '$.voices') = ? AND w.name != ''"
        " AND w.name_confidence >= ? AND length(w.voice) > 0"
        " ORDER BY w.name_confidence DESC, d.published DESC",
        (show, engine, confidence),
    )
    return [speaker_of(row) for row in rows]


def speaker_asked(store: Store, question: str) -> str:
    """The speaker whose opinion a question asks for, or empty: "What does Yves think of …?"

    A name in full counts, and so does a part of it that nobody else in the library bears.
    """
    if not SAYS.search(question):
        return ""
    shown = question.title() if question == question.lower() else question
    words = set(WORD.findall(shown))
    names = [row[0] for row in store.rows("SELECT DISTINCT name FROM speakers WHERE name != ''")]
    whole = [name for name in names if name.casefold() in question.casefold()]
    found = whole or [n for n in names if words & {w for w in WORD.findall(n) if len(w) > 2}]
    return found[0] if len(set(found)) == 1 else ""
