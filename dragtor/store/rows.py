"""Rows of library.db as the types that every package shares, and speakers as rows.

Knows the columns and what text they can hold, and no query.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import Any

from dragtor.types import Document, Segment, Source, Speaker, utf8

TEXTS = ("id", "uri", "kind", "title", "text", "author", "published")  # of a document, as they are

# Ids of documents that are searched and tagged only where their source is named: all that hold
# them say so in their options.
_SAYS_SO = "coalesce(json_extract({}.options, '$.left_out'), 0)"
LEFT_OUT = (
    "SELECT l.document_id FROM sources o JOIN source_documents l ON l.source_id = o.id"
    f" WHERE {_SAYS_SO.format('o')} AND NOT EXISTS (SELECT 1 FROM source_documents m"
    " JOIN sources q ON q.id = m.source_id"
    f" WHERE m.document_id = l.document_id AND NOT {_SAYS_SO.format('q')})"
)


def storable(document: Document) -> Document:
    """The document with every text in UTF-8; no span moves."""
    labelled = (replace(s, label=utf8(s.label), name=utf8(s.name)) for s in document.speakers)
    return replace(
        document,
        title=utf8(document.title),
        text=utf8(document.text),
        author=utf8(document.author),
        published=utf8(document.published),
        segments=tuple(
            replace(s, speaker=utf8(s.speaker)) if s.speaker else s for s in document.segments
        ),
        meta={k: utf8(v) if isinstance(v, str) else v for k, v in document.meta.items()},
        speakers=tuple({speaker.label: speaker for speaker in labelled}.values()),
    )


def source_from_row(row: sqlite3.Row) -> Source:
    """A row of `sources`."""
    return Source(row["id"], row["uri"], row["kind"], row["title"], json.loads(row["options"]))


def document_from_row(
    row: sqlite3.Row, segments: Sequence[sqlite3.Row], speakers: Sequence[sqlite3.Row]
) -> Document:
    """A row of `documents`, with its segments and speakers."""
    texts = {name: row[name] for name in TEXTS}
    return Document(
        **texts,
        segments=tuple(_segment(s) for s in segments),
        meta=json.loads(row["meta"]),
        speakers=tuple(speaker_from_row(s) for s in speakers),
    )


def _segment(row: sqlite3.Row) -> Segment:
    start, end, page, box, *spoken = row[2:]
    return Segment(start, end, page, tuple(json.loads(box)) if box else None, *spoken)


def segment_row(segment: Segment) -> tuple[Any, ...]:
    """The columns of `segments` after document_id and staged."""
    start, end, page, box, *spoken = astuple(segment)
    return start, end, page, json.dumps(box) if box else None, *spoken


def speaker_from_row(row: sqlite3.Row) -> Speaker:
    """A row of `speakers`."""
    columns = [*row[2:-1], tuple(array("f", row[-1]))]
    return Speaker(*columns)


def speaker_row(speaker: Speaker) -> tuple[Any, ...]:
    """The columns of `speakers` after document_id and staged."""
    *known, voice = astuple(speaker)
    return *known, array("f", voice).tobytes()
