"""Whom a name means, how often, and in which passages.

Reads the tags and entities that tags.py writes; does not know what a filter is for.
"""

from __future__ import annotations

import json
import re
import sqlite3
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from dragtor.store.tags import KIND, TOPIC_KIND, TOPICS
from dragtor.transcript import WORD, edits, fold
from dragtor.types import Entity, utf8

if TYPE_CHECKING:
    from dragtor.store.read import Store

SLIP_LETTERS, WORD_LETTERS, TWO_SLIPS_LETTERS = 7, 4, 7  # of a name, of its word with a slip

_POSSESSIVE = re.compile(r"['’]s\b")


def entities_of(store: Store, kind: str = "", name: str = "") -> list[Entity]:
    """Who and what is talked about, most mentioned first; `name` as for a filter."""
    where, values = ["1"], {"kind": kind, "ids": "[]"}
    if kind:
        where.append("e.kind = :kind")
    if name:
        where.append("e.id IN (SELECT value FROM json_each(:ids))")
        values["ids"] = json.dumps(meant_by(store.db, name))
    with store.snapshot():
        rows = store.db.execute(
            "SELECT e.id, e.kind, e.name, e.aliases, coalesce(t.mentions, 0), coalesce(t.documents,"
            " 0), EXISTS (SELECT 1 FROM heard h WHERE h.entity_id = e.id) FROM entities e"
            " LEFT JOIN (SELECT entity_id, count(*) AS mentions, count(DISTINCT document_id)"
            " AS documents FROM tags GROUP BY entity_id) t ON t.entity_id = e.id"
            f" WHERE {' AND '.join(where)} ORDER BY 5 DESC, 6 DESC, e.name, e.id",
            values,
        ).fetchall()
    return [Entity(r[0], r[1], r[2], tuple(json.loads(r[3])), r[4], r[5], bool(r[6])) for r in rows]


def mentions_of(store: Store, entity_ids: Collection[str]) -> list[tuple[str, int, int]]:
    """(document, start, end) of all mentions of these, newest document first."""
    rows = store.rows(
        'SELECT t.document_id, t.start, t."end" FROM tags t JOIN documents d'
        " ON d.id = t.document_id AND d.staged = 0"
        " WHERE t.entity_id IN (SELECT value FROM json_each(?))"
        " ORDER BY d.published DESC, d.title, d.id, t.start",
        (json.dumps(sorted(entity_ids)),),
    )
    return [(row[0], row[1], row[2]) for row in rows]


def meant_by(db: sqlite3.Connection, asked: str, task: str = "") -> list[str]:
    """Ids of the entities that `asked` names; with a `task`, of those that it tags only.

    The very name or alias, else all whose names hold its words, else the people whose full name is
    a slip away; words are whole, case and accents do not count. One word that is a person's name
    is a part of names: Yves is every Yves.
    """
    wanted = WORD.findall(fold(_POSSESSIVE.sub("", utf8(asked))))
    return _so_called(db, wanted, task) or _spelt_like(db, wanted, task) if wanted else []


def _so_called(db: sqlite3.Connection, wanted: list[str], task: str) -> list[str]:
    where = KIND[task] if task else "1"
    rows = db.execute(
        f"SELECT id, kind, folded FROM entities WHERE {where} AND instr(folded, ?) > 0",
        (max(wanted, key=len),),
    ).fetchall()
    exact: list[str] = []
    holding: list[str] = []
    whole = False
    for identity, kind, folded in rows:
        names = [WORD.findall(name) for name in folded.split("\n")]
        if wanted in names:
            exact.append(identity)
            whole = whole or len(wanted) > 1 or kind != "person"
        if any({*wanted} <= {*name} for name in names):
            holding.append(identity)
    return exact if whole else holding


def _spelt_like(db: sqlite3.Connection, wanted: list[str], task: str) -> list[str]:
    """People whose full name differs in one word of so many letters: Schneier and Schneider.

    Nobody here is called as was asked, so that nobody is taken for somebody else who is here.
    """
    if len(wanted) < 2 or len("".join(wanted)) < SLIP_LETTERS or task == TOPICS:
        return []
    rows = db.execute("SELECT id, folded FROM entities WHERE kind = 'person'").fetchall()
    return [
        identity
        for identity, folded in rows
        if any(_one_slip(wanted, WORD.findall(name)) for name in folded.split("\n"))
    ]


def _one_slip(one: list[str], other: list[str]) -> bool:
    if len(one) != len(other):
        return False
    unlike = [(a, b) for a, b in zip(one, other, strict=True) if a != b]
    if len(unlike) != 1:
        return False
    (a, b) = unlike[0]
    most = 2 if max(len(a), len(b)) >= TWO_SLIPS_LETTERS else 1
    return a[0] == b[0] and min(len(a), len(b)) >= WORD_LETTERS and edits(a, b, most) <= most


def nearest_names(db: sqlite3.Connection, asked: str, task: str, n: int = 3) -> list[str]:
    """Names of this task that are spelt most like `asked`."""
    from difflib import get_close_matches

    known: dict[str, str] = {}
    for name, folded in db.execute(f"SELECT name, folded FROM entities WHERE {KIND[task]}"):
        for each in folded.split("\n"):
            known.setdefault(each, name)
    close = get_close_matches(fold(asked), known, 2 * n, 0.6)
    return list(dict.fromkeys(known[each] for each in close))[:n]


def rows_about(
    db: sqlite3.Connection, entity_ids: Collection[str], index_version: int
) -> Iterator[int]:
    """Rows of the passages that mention one of these; each document is read once."""
    tagged: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for document_id, start, end in db.execute(
        'SELECT document_id, start, "end" FROM tags'
        " WHERE entity_id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(entity_ids)),),
    ):
        tagged[document_id].append((start, end))
    for document_id, spans in tagged.items():
        passages = db.execute(
            'SELECT start, "end", rowid FROM passages WHERE document_id = ? AND edition = ?'
            " ORDER BY start",
            (document_id, index_version),
        ).fetchall()
        yield from holding([(row[0], row[1], row[2]) for row in passages], spans)


def rows_saying(db: sqlite3.Connection, entity_ids: Collection[str]) -> Iterator[int]:
    """Rows of the passages that hold the full name of one of these people where no tag stands.

    So a passage is found though its tagger missed the name, or has not read it yet.
    """
    spellings = {
        tuple(words)
        for (folded,) in db.execute(
            "SELECT folded FROM entities WHERE kind = 'person'"
            " AND id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(entity_ids)),),
        )
        for name in folded.split("\n")
        if len(words := WORD.findall(name)) > 1 and min(map(len, words)) > 1
    }
    for spelling in sorted(spellings):
        phrase = '"' + " ".join(spelling) + '"'
        name = re.compile(r"(?<!\w)" + r"\W{1,3}".join(spelling) + r"(?!\w)")
        for row, document_id, start, text in db.execute(
            "SELECT p.rowid, p.document_id, p.start, p.text FROM passages_fts f"
            " JOIN passages p ON p.rowid = f.rowid WHERE passages_fts MATCH ?",
            (f"text : {phrase}",),
        ).fetchall():
            if any(
                not _tagged(db, document_id, start + found.start(), start + found.end())
                for found in name.finditer(_lowered(text))
            ):
                yield row


def _lowered(text: str) -> str:
    """Lower case without accents, character for character."""
    plain = (fold(c) for c in text)
    return "".join(p if len(p) == 1 else c for p, c in zip(plain, text, strict=True))


def _tagged(db: sqlite3.Connection, document_id: str, start: int, end: int) -> bool:
    sql = 'SELECT 1 FROM tags WHERE document_id = ? AND start < ? AND "end" > ? AND kind != ?'
    return db.execute(sql, (document_id, end, start, TOPIC_KIND)).fetchone() is not None


def holding(passages: Sequence[tuple[int, int, int]], spans: Iterable[tuple[int, int]]) -> set[int]:
    """Rows of the passages (start, end, row), in text order, that hold a span.

    That is half of it, or, where it is longer than the passage, half of that: the next passage
    repeats the end of one and is not about all that is in it.
    """
    longest = max((end - start for start, end, _ in passages), default=0)
    found = set()
    for start, end in spans:
        at = bisect_left(passages, (start - longest, 0, 0))
        while at < len(passages) and passages[at][0] < end:
            first, last, row = passages[at]
            shared = min(end, last) - max(start, first)
            if shared > 0 and 2 * shared >= min(end - start, last - first):
                found.add(row)
            at += 1
    return found
