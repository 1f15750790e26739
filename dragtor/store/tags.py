"""Writing tags of documents, and the entities that they mean; named.py reads them.

A tag is anchored at characters of a published document: it goes with its document, and a new index
version leaves it alone. Does not know who finds tags, nor which names are one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dragtor.store.rows import LEFT_OUT
from dragtor.store.schema import transaction
from dragtor.transcript import fold
from dragtor.types import Entity, LabelledSpan, short_hash, utf8

if TYPE_CHECKING:
    from dragtor.store.read import Store
    from dragtor.store.write import Writer

NAMES, TOPICS = "names", "topics"  # tasks: what a document was tagged with
TOPIC_KIND = "topic"  # the kind of tag that the second one writes
KIND = {NAMES: f"kind != '{TOPIC_KIND}'", TOPICS: f"kind = '{TOPIC_KIND}'"}
MERGED = "merged"  # meta: version of the rules by which names were merged; empty: not since


class TagRow(NamedTuple):
    """A tag of a document: characters, kind, the name, 0..1.

    The name is as it stands there, or in full where several people of the document bear it.
    """

    start: int
    end: int
    kind: str
    name: str
    score: float


# Writing


def put_tags(
    writer: Writer,
    document_id: str,
    rows: Iterable[TagRow],
    version: str,
    defined: Mapping[str, str] | None = None,
) -> None:
    """Replace the names of a published document; `defined` are its acronyms.

    They mean nobody until put_entities says whom.
    """
    stored = ((document_id, *row[:3], utf8(row.name), "", row.score, version) for row in rows)
    _put(writer, document_id, NAMES, version, stored, json.dumps(dict(defined or {})))
    writer.set_meta(MERGED, "")


def put_topics(writer: Writer, topics: Mapping[str, Sequence[LabelledSpan]], version: str) -> None:
    """Replace the topics of these documents, in one transaction.

    `topics` holds for each document its spans, the topic's name as label; a document of no topic
    has an empty list, so that it counts as done. A topic is spelt as it was
    last. `version` changes when a document might get other topics.
    """
    with transaction(writer.db):
        ids = {name: short_hash(TOPIC_KIND, fold(name)) for spans in topics.values()
               for name in (utf8(span.label) for span in spans)}  # fmt: skip
        for name, identity in ids.items():
            row = (identity, TOPIC_KIND, name, "[]", _folded([name]))
            writer.db.execute("INSERT OR REPLACE INTO entities VALUES (?, ?, ?, ?, ?)", row)
        for document_id, spans in topics.items():
            stored = (
                (document_id, s.start, s.end, TOPIC_KIND, name, ids[name], s.probability, version)
                for s, name in ((s, utf8(s.label)) for s in spans)
            )
            _put(writer, document_id, TOPICS, version, stored)
        writer.db.execute(
            f"DELETE FROM entities WHERE {KIND[TOPICS]} AND id NOT IN (SELECT entity_id FROM tags)"
        )


def _put(
    writer: Writer,
    document_id: str,
    task: str,
    version: str,
    stored: Iterable[tuple[object, ...]],
    defined: str = "{}",
) -> None:
    with transaction(writer.db):
        sql = f"DELETE FROM tags WHERE document_id = ? AND {KIND[task]}"
        writer.db.execute(sql, (document_id,))
        sql = "INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
        writer.db.executemany(sql, stored)
        writer.db.execute(
            "INSERT OR REPLACE INTO tagged SELECT id, ?, content_hash, ?, ? FROM documents"
            " WHERE id = ? AND staged = 0",
            (task, version, defined, document_id),
        )


def put_entities(
    writer: Writer,
    entities: Mapping[str, Entity],
    meant: Mapping[tuple[str, str, str], str],
    heard: Mapping[tuple[str, str], str],
    version: str,
) -> None:
    """Say whom names mean: (document, kind, name) and speakers' (document, name) -> entity id.

    Rows that say so already are left alone. `version` is of the rules by which names are merged.
    """
    db = writer.db
    with transaction(db):
        rows = db.execute(
            f"SELECT DISTINCT document_id, kind, name, entity_id FROM tags WHERE {KIND[NAMES]}"
        ).fetchall()
        changed = [
            (wanted, *row[:3])
            for row in rows
            if (wanted := meant.get((row[0], row[1], row[2]), "")) != row[3]
        ]
        db.executemany(
            "UPDATE tags SET entity_id = ? WHERE document_id = ? AND kind = ? AND name = ?", changed
        )
        db.execute("DELETE FROM heard")
        db.executemany("INSERT INTO heard VALUES (?, ?, ?)", ((*k, i) for k, i in heard.items()))
        wanted_rows = {_row(entity) for entity in entities.values()}
        known = {tuple(r) for r in db.execute(f"SELECT * FROM entities WHERE {KIND[NAMES]}")}
        db.executemany("DELETE FROM entities WHERE id = ?", [(r[0],) for r in known - wanted_rows])
        db.executemany("INSERT INTO entities VALUES (?, ?, ?, ?, ?)", wanted_rows - known)
        writer.set_meta(MERGED, version)


def _row(entity: Entity) -> tuple[str, ...]:
    names = (entity.name, *entity.aliases)
    aliases = json.dumps(entity.aliases, ensure_ascii=False)
    return entity.id, entity.kind, entity.name, aliases, _folded(names)


def _folded(names: Iterable[str]) -> str:
    return "\n".join(dict.fromkeys(map(fold, names)))


def forget_tags(db: sqlite3.Connection, documents: Sequence[str]) -> None:
    """Remove all tags of these documents, and every name that stood in no other."""
    gone = json.dumps(list(documents))
    touched = [
        row[0]
        for row in db.execute(
            "WITH gone AS (SELECT value FROM json_each(?))"
            " SELECT entity_id FROM tags WHERE document_id IN gone"
            " UNION SELECT entity_id FROM heard WHERE document_id IN gone",
            (gone,),
        )
    ]
    for table in ("tags", "heard", "tagged"):
        sql = f"DELETE FROM {table} WHERE document_id IN (SELECT value FROM json_each(?))"
        db.execute(sql, (gone,))
    for identity in filter(None, touched):
        _forget_names(db, identity)
    db.execute("UPDATE meta SET value = '' WHERE key = ?", (MERGED,))


def _forget_names(db: sqlite3.Connection, identity: str) -> None:
    """Keep of an entity the names that are still somewhere."""
    known = db.execute("SELECT kind, name FROM entities WHERE id = ?", (identity,)).fetchone()
    names = [
        row[0]
        for row in db.execute(
            "SELECT name, count(*) AS n FROM (SELECT name FROM tags WHERE entity_id = :id"
            " UNION ALL SELECT name FROM heard WHERE entity_id = :id)"
            " GROUP BY name ORDER BY n DESC, name",
            {"id": identity},
        )
    ]
    db.execute("DELETE FROM entities WHERE id = ?", (identity,))
    if names and known:
        kind, name = known
        name = name if any(name in left for left in names) else max(names, key=len)
        entity = Entity(identity, kind, name, tuple(each for each in names if each != name))
        db.execute("INSERT INTO entities VALUES (?, ?, ?, ?, ?)", _row(entity))


# What is to be tagged and merged


def untagged(store: Store, version: str = "", task: str = NAMES) -> list[str]:
    """Published documents whose tags are missing, of another content or, if given, version.

    What a research has read is not tagged.
    """
    rows = store.rows(
        "SELECT d.id FROM documents d LEFT JOIN tagged t ON t.document_id = d.id AND t.task = ?"
        " WHERE d.staged = 0 AND (t.version IS NULL OR t.content_hash != d.content_hash"
        " OR (? != '' AND t.version != ?))"
        f" AND d.id NOT IN ({LEFT_OUT}) ORDER BY d.id",
        (task, version, version),
    )
    return [row[0] for row in rows]


def has_tags(store: Store, task: str = NAMES) -> bool:
    """Whether anything was ever tagged so."""
    return bool(store.rows("SELECT 1 FROM tagged WHERE task = ? LIMIT 1", (task,)))


def name_counts(store: Store) -> list[tuple[str, str, str, int]]:
    """(document, kind, name, mentions) of all names."""
    rows = store.rows(
        f"SELECT document_id, kind, name, count(*) FROM tags WHERE {KIND[NAMES]}"
        " GROUP BY document_id, kind, name"
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def speaker_names(store: Store) -> list[tuple[str, str]]:
    """(document, name) of everybody who is heard in a published document and has a name."""
    sql = "SELECT DISTINCT document_id, name FROM speakers WHERE staged = 0 AND name != ''"
    return [(row[0], row[1]) for row in store.rows(f"{sql} ORDER BY document_id, name")]


def acronyms(store: Store) -> dict[str, dict[str, str]]:
    """Acronyms by document, each with what it stands for there."""
    rows = store.rows("SELECT document_id, defined FROM tagged WHERE defined != '{}'")
    return {row[0]: json.loads(row[1]) for row in rows}
