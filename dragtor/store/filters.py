"""Filters of a search, and the passages that pass them: their row numbers, in temp.allowed.

Knows the columns; neither how passages are ranked nor what a filter is for.
"""

from __future__ import annotations

import json
import re
import sqlite3
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import chain, groupby

from dragtor.errors import UsageError
from dragtor.store.named import meant_by, rows_about, rows_saying
from dragtor.store.rows import LEFT_OUT
from dragtor.store.tags import NAMES, TOPICS
from dragtor.transcript import called

ISO_DATE = re.compile(r"\d{4}(-\d\d(-\d\d)?)?")
CLAUSES = {  # of a passage `p` and its document `d`
    "source": "d.id IN (SELECT document_id FROM source_documents WHERE source_id = :source)",
    "kind": "d.kind = :kind",
    "author": "instr(fold(d.author), fold(:author)) > 0",
    "after": "d.published >= :after",
    "before": "d.published != '' AND substr(d.published, 1, length(:before)) <= :before",
    "speaker": "p.rowid IN (SELECT id FROM temp.spoken)",
    "entity": "p.rowid IN (SELECT id FROM temp.naming)",
    "topic": "p.rowid IN (SELECT id FROM temp.on_topic)",
}
TASKS = {"entity": (NAMES, "naming"), "topic": (TOPICS, "on_topic")}  # and their tables
SPEAKER_NAME = "coalesce(nullif(w.name, ''), s.speaker)"  # or the label
SPOKEN_SEGMENTS = (  # in documents that pass the other filters
    "FROM segments s JOIN documents d ON d.id = s.document_id AND d.staged = s.staged"
    " LEFT JOIN speakers w"
    " ON w.document_id = s.document_id AND w.staged = s.staged AND w.label = s.speaker"
    " WHERE s.staged = 0 AND s.speaker IS NOT NULL"
)


@dataclass(frozen=True, slots=True)
class Among:
    """Which passages are searched: the rows `inside` a temporary table, or all but those."""

    table: str
    inside: bool

    @property
    def clause(self) -> str:
        """Of a query over passages_fts; the `+` keeps FTS5 from searching once for every row."""
        return f"AND +rowid {'' if self.inside else 'NOT '}IN (SELECT id FROM temp.{self.table})"


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents are searched; empty fields do not restrict."""

    source: str = ""  # id, or the start of one
    kind: str = ""  # web, file, ...
    author: str = ""  # part of the name, case-insensitive
    after: str = ""  # published on or after, ISO date
    before: str = ""  # published on or before, ISO date
    speaker: str = ""  # words of the name of somebody who speaks in the passage
    entity: str = ""  # words of the name of who or what the passage names
    topic: str = ""  # words of a topic that the passage is on

    def __post_init__(self) -> None:
        for value in (self.after, self.before):
            if value and not ISO_DATE.fullmatch(value):
                raise UsageError(f"{value!r} is no date", "--after 2024-05-31, 2024-05 or 2024")

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))


def allow(db: sqlite3.Connection, filters: Filters, source_id: str, index_version: int) -> int:
    """Fill temp.allowed with the rows of this version that pass the filters; returns how many."""
    values: dict[str, str | int] = {
        name: getattr(filters, name).encode("utf-8", "replace").decode()
        for name in ("kind", "author", "after", "before", "speaker", "entity", "topic")
    }
    values |= {"source": source_id, "edition": index_version}
    for table in ("allowed", "spoken", "naming", "on_topic"):
        db.execute(f"CREATE TEMP TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY)")
        db.execute(f"DELETE FROM temp.{table}")
    clauses = [clause for name, clause in CLAUSES.items() if getattr(filters, name)]
    if not filters.source:
        clauses.append(f"d.id NOT IN ({LEFT_OUT})")
    if filters.speaker:
        others = " AND ".join(["", *(c for c in clauses if c != CLAUSES["speaker"])])
        rows = ((row,) for row in _spoken_by(db, values, f"{SPOKEN_SEGMENTS}{others}"))
        db.executemany("INSERT INTO temp.spoken VALUES (?)", rows)
    for field, (task, table) in TASKS.items():
        if asked := getattr(filters, field):
            meant = meant_by(db, asked, task)
            found = chain(rows_about(db, meant, index_version), rows_saying(db, meant))
            insert = f"INSERT OR IGNORE INTO temp.{table} VALUES (?)"
            db.executemany(insert, [(row,) for row in found])
    added = db.execute(
        "INSERT INTO temp.allowed SELECT p.rowid FROM passages p JOIN documents d"
        " ON d.id = p.document_id AND d.staged = 0"
        f" WHERE p.edition = :edition AND {' AND '.join(clauses)}",
        values,
    )
    return added.rowcount


def leave_out(db: sqlite3.Connection, index_version: int) -> int:
    """Fill temp.left_out with the rows that are searched only where their source is named."""
    db.execute("CREATE TEMP TABLE IF NOT EXISTS left_out (id INTEGER PRIMARY KEY)")
    db.execute("DELETE FROM temp.left_out")
    added = db.execute(
        "INSERT INTO temp.left_out SELECT rowid FROM passages"
        f" WHERE edition = ? AND document_id IN ({LEFT_OUT})",
        (index_version,),
    )
    return added.rowcount


def _spoken_by(db: sqlite3.Connection, values: dict[str, str | int], said_in: str) -> Iterator[int]:
    """Rows of passages that somebody of this name has a part in; each document is read once."""
    names = [row[0] for row in db.execute(f"SELECT DISTINCT {SPEAKER_NAME} {said_in}", values)]
    meant = json.dumps(sorted(called(str(values["speaker"]), names)))
    found = db.execute(
        f'SELECT s.document_id, s.start, s."end" {said_in}'
        f" AND {SPEAKER_NAME} IN (SELECT value FROM json_each(:meant))"
        " ORDER BY s.document_id, s.start",
        values | {"meant": meant},
    ).fetchall()
    for document_id, said in groupby(found, key=lambda row: row[0]):
        starts: list[int] = []
        ends: list[int] = []  # of the stretch that begins there; stretches do not overlap
        for _, start, end in said:
            if ends and start < ends[-1]:
                ends[-1] = max(ends[-1], end)
            else:
                starts.append(start)
                ends.append(end)
        passages = db.execute(
            'SELECT rowid, start, "end" FROM passages WHERE document_id = ? AND edition = ?',
            (document_id, values["edition"]),
        ).fetchall()
        for row, start, end in passages:
            before = bisect_left(starts, end)  # so many begin before the passage ends
            if before and ends[before - 1] > start:
                yield row
