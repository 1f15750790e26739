"""Who speaks in a document: names that the user gives, and voices that a show is known by.

Knows no audio: a voice print is a row of numbers that somebody else compares.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dragtor.store.read import WORD, Store
from dragtor.store.rows import speaker_of, speaker_row
from dragtor.store.schema import transaction
from dragtor.store.write import Writer
from dragtor.types import Speaker

# "Will" and "Rose" are names too: only a question after somebody's words looks for a speaker.
SAYS = re.compile(
    r"\b(?:says?|said|think|thinks|thought|believes?|recommends?|suggests?|advises?|advice"
    r"|opinion|view|views|tells?|told|talks?|mentions?|mentioned|explains?|describes?|argues?"
    r"|according to|take on|do about|does about|prefers?|feels? about|likes?)\b",
    re.IGNORECASE,
)


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
