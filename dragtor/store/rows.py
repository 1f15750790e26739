"""Rows of library.db as the types that every package shares, and speakers as rows.

Knows the columns and what text they can hold, and no query.
"""

from __future__ import annotations

import json
import re
import sqlite3
from array import array
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dragtor.types import Document, Segment, Source, Speaker

LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def utf8(text: str) -> str:
    """`text` with what UTF-8 cannot hold replaced, a character for a character."""
    return LONE_SURROGATE.sub("\ufffd", text)


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
    return Document(
        id=row["id"],
        uri=row["uri"],
        kind=row["kind"],
        title=row["title"],
        text=row["text"],
        author=row["author"],
        published=row["published"],
        segments=tuple(_segment(s) for s in segments),
        meta=json.loads(row["meta"]),
        speakers=tuple(speaker_from_row(s) for s in speakers),
    )


def _segment(row: sqlite3.Row) -> Segment:
    box = json.loads(row["box"]) if row["box"] else None
    return Segment(
        row["start"],
        row["end"],
        row["page"],
        tuple(box) if box else None,
        row["start_s"],
        row["end_s"],
        row["speaker"],
    )


def segment_row(segment: Segment) -> tuple[Any, ...]:
    """The columns of `segments` after document_id and staged."""
    box = json.dumps(segment.box) if segment.box else None
    place = (segment.start, segment.end, segment.page, box)
    return (*place, segment.start_s, segment.end_s, segment.speaker)


def speaker_from_row(row: sqlite3.Row) -> Speaker:
    """A row of `speakers`."""
    return Speaker(
        row["label"],
        row["name"],
        row["role"],
        row["role_confidence"],
        row["name_confidence"],
        tuple(array("f", row["voice"])),
    )


def speaker_row(speaker: Speaker) -> tuple[Any, ...]:
    """The columns of `speakers` after document_id and staged."""
    return (
        speaker.label,
        speaker.name,
        speaker.role,
        speaker.role_confidence,
        speaker.name_confidence,
        array("f", speaker.voice).tobytes(),
    )
