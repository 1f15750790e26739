"""Where people are in a library: named, heard, in pictures; and who wrote what.

Reads the tags, speakers and documents that others write. Does not know how names are compared.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dragtor.store.read import Store

_BOXED = (  # a mention in a picture: its line has a box
    "EXISTS (SELECT 1 FROM segments s WHERE s.document_id = t.document_id AND s.staged = 0"
    ' AND s.box IS NOT NULL AND s.start < t."end" AND s."end" > t.start)'
)


class NamedAt(NamedTuple):
    """A mention of somebody: characters of a document; `seen`: in a picture."""

    document_id: str
    start: int
    end: int
    seen: bool


def documents_naming(store: Store) -> dict[str, tuple[int, int]]:
    """By entity: how many documents name it in their text, and how many in a picture."""
    rows = store.rows(
        f"SELECT entity_id, count(DISTINCT document_id), count(DISTINCT CASE WHEN {_BOXED}"
        " THEN document_id END) FROM tags t GROUP BY entity_id"
        if _has_boxes(store)
        else "SELECT entity_id, count(DISTINCT document_id), 0 FROM tags GROUP BY entity_id"
    )
    return {row[0]: (row[1] - row[2], row[2]) for row in rows}


def named_at(store: Store, entity_id: str) -> list[NamedAt]:
    """All mentions of one person, in the order of documents by id."""
    seen = _BOXED if _has_boxes(store) else "0"
    rows = store.rows(
        f'SELECT t.document_id, t.start, t."end", {seen} FROM tags t WHERE t.entity_id = ?'
        " ORDER BY t.document_id, t.start",
        (entity_id,),
    )
    return [NamedAt(row[0], row[1], row[2], bool(row[3])) for row in rows]


def heard_names(store: Store, entity_ids: Collection[str] = ()) -> dict[str, dict[str, set[str]]]:
    """By entity and document: the names by which it is heard there; of all entities without ids."""
    rows = store.rows(
        "SELECT h.entity_id, h.document_id, h.name FROM heard h WHERE ? = '[]' OR h.entity_id IN"
        " (SELECT value FROM json_each(?))",
        (json.dumps(sorted(entity_ids)),) * 2,
    )
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for entity_id, document_id, name in rows:
        found[entity_id][document_id].add(name)
    return found


def author_lines(store: Store) -> list[tuple[str, str]]:
    """(document, author) of all published documents that say who wrote them."""
    sql = "SELECT id, author FROM documents WHERE staged = 0 AND author != '' ORDER BY id"
    return [(row[0], row[1]) for row in store.rows(sql)]


def _has_boxes(store: Store) -> bool:
    return bool(store.rows("SELECT 1 FROM segments WHERE box IS NOT NULL LIMIT 1"))
