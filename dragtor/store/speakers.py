"""Who speaks in a document: names that the user gives, and voices that a show is known by.

Knows no audio: a voice print is a row of numbers that somebody else compares.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from dragtor.errors import UsageError
from dragtor.store.read import QUERY_WORD, Store
from dragtor.store.rows import speaker_from_row, speaker_row
from dragtor.store.schema import transaction
from dragtor.store.tags import MERGED
from dragtor.store.write import Writer
from dragtor.transcript import unaccented
from dragtor.types import Document, Speaker, utf8

SURE_NAME = 0.85  # of a name, from here on: its voice is known again in other episodes of a show
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
        replace(
            known.get(label, Speaker(label)), name=utf8(name), name_confidence=float(bool(name))
        )
        for label, name in names.items()
    ]


def put_speakers(writer: Writer, document_id: str, speakers: Sequence[Speaker]) -> None:
    """Replace what is known of a document's speakers; no passage and no vector changes."""
    with transaction(writer.db):
        rows = writer.db.execute("SELECT staged FROM documents WHERE id = ?", (document_id,))
        for (pending,) in rows.fetchall():
            writer.db.executemany(
                "INSERT OR REPLACE INTO speakers VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [(document_id, pending, *speaker_row(speaker)) for speaker in speakers],
            )
        writer.set_meta(MERGED, "")
        writer.advance()


def known_voices(
    store: Store, show: str, engine: str, confidence: float = SURE_NAME
) -> list[Speaker]:
    """Everybody in a show with a voice print of this engine whose name is at least so sure."""
    rows = store.rows(
        "SELECT w.* FROM speakers w JOIN documents d ON d.id = w.document_id"
        " AND d.staged = w.staged WHERE json_extract(d.meta, '$.show') = ?"
        " AND json_extract(d.meta, '$.voices') = ? AND w.name != ''"
        " AND w.name_confidence >= ? AND length(w.voice) > 0"
        " ORDER BY w.name_confidence DESC, d.published DESC",
        (utf8(show), utf8(engine), confidence),
    )
    return [speaker_from_row(row) for row in rows]


def speaker_asked(store: Store, question: str) -> str:
    """The speaker whose opinion a question asks for, or empty: "What does Yves think of …?"

    A name in full counts, and so does a part of it that nobody else in the library bears. Both
    are whole words, and one word alone is written as a name: "needed" and "will" are nobody.
    """
    if not SAYS.search(question):
        return ""
    question = unaccented(question)
    shown = question.title() if question == question.lower() else question
    words, later = set(QUERY_WORD.findall(shown)), set(QUERY_WORD.findall(question)[1:])
    titled = {word.casefold() for word in words if word.istitle()}
    asked = [word.casefold() for word in QUERY_WORD.findall(question)]

    def in_full(named: str) -> bool:
        name = unaccented(named)
        parts = [part.casefold() for part in QUERY_WORD.findall(name)]
        if len(parts) == 1:
            return name in words or parts[0] in titled
        return any(parts and parts == asked[at : at + len(parts)] for at in range(len(asked)))

    def in_part(name: str) -> bool:
        parts = {part for part in QUERY_WORD.findall(unaccented(name)) if not part[0].islower()}
        return bool({p for p in parts if len(p) > 2} & words or {p for p in parts if p[1:]} & later)

    names = [row[0] for row in store.rows("SELECT DISTINCT name FROM speakers WHERE name != ''")]
    found = list(filter(in_full, names)) or list(filter(in_part, names))
    return found[0] if len(found) == 1 else ""
