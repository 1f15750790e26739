"""Stored vectors, and the vector index that is made from them.

Knows rows and index versions; does not know when a document is published.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dragtor.store.read import Store
from dragtor.types import CancelToken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.store.chroma import ChromaIndex

READ_BATCH = 500  # vectors read and handed over at once
SAMPLE = 500  # vectors that a look at the index compares


def row_of(db: sqlite3.Connection, key: str, fingerprint: str) -> int | None:
    """Row of the vector stored under `key`, or None."""
    row = db.execute(
        "SELECT id FROM vectors WHERE key = ? AND fingerprint = ?", (key, fingerprint)
    ).fetchone()
    return int(row[0]) if row else None


def sample_vectors(store: Store, most: int, dimension: int) -> NDArray[np.float32]:
    """(n, dimension): vectors of at most so many passages; their ids are hashes, so it is fair."""
    import numpy as np

    rows = store.rows(
        "SELECT v.vector FROM passages p JOIN vectors v ON v.id = p.vector_id"
        " WHERE p.edition = ? ORDER BY p.id LIMIT ?",
        (store.index_version, most),
    )
    matrix = np.frombuffer(b"".join([row[0] for row in rows]), np.float16).astype(np.float32)
    return matrix.reshape(len(rows), dimension)


def passage_vectors(
    store: Store, document_id: str
) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
    """Spans of a document's passages, in text order, and their vectors (passages, dimension)."""
    import numpy as np

    rows = store.rows(
        'SELECT p.start, p."end", v.vector FROM passages p JOIN vectors v ON v.id = p.vector_id'
        ' WHERE p.document_id = ? AND p.edition = ? ORDER BY p.start, p."end"',
        (document_id, store.index_version),
    )
    matrix = np.frombuffer(b"".join([row[2] for row in rows]), np.float16).astype(np.float32)
    return [(row[0], row[1]) for row in rows], matrix.reshape(len(rows), -1 if rows else 1)


def upsert(
    db: sqlite3.Connection,
    index: Callable[[], ChromaIndex],
    rows: Sequence[tuple[str, int]],
    cancel: CancelToken,
) -> None:
    """Bring (passage id, vector row) pairs into the index, which is opened when there are any."""
    import numpy as np

    for at in range(0, len(rows), READ_BATCH):
        cancel.check()
        part = rows[at : at + READ_BATCH]
        blobs = [
            db.execute("SELECT vector FROM vectors WHERE id = ?", (row,)).fetchone()[0]
            for _, row in part
        ]
        matrix = np.frombuffer(b"".join(blobs), np.float16).astype(np.float32)
        index().upsert([identity for identity, _ in part], matrix.reshape(len(part), -1))


def fill_index(store: Store, index_version: int, cancel: CancelToken) -> None:
    """Make the vector index of an index version anew."""
    from dragtor.store.chroma import ChromaIndex

    remove_index(store, index_version)
    folder, name = store.index_place(index_version)
    index = ChromaIndex.open(folder, name, store.config.url)
    try:
        rows = store.rows("SELECT id, vector_id FROM passages WHERE edition = ?", (index_version,))
        upsert(store.db, lambda: index, [(row[0], row[1]) for row in rows], cancel)
    finally:
        index.close()


def restore_index(store: Store, cancel: CancelToken) -> None:
    """Make the vector index that is searched again."""
    store.close_index()
    fill_index(store, store.index_version, cancel)


def drift(store: Store) -> str:
    """How the vector index differs from library.db, in words; empty where it does not.

    Passage ids are hashes, so the first of them are a sample.
    """
    import numpy as np

    index, passages = store.index(), store.counts()["passages"]
    if (count := index.count()) != passages:
        return f"{count} vectors for {passages} passages"
    rows = store.rows(
        "SELECT p.id, v.vector FROM passages p JOIN vectors v ON v.id = p.vector_id"
        " WHERE p.edition = ? ORDER BY p.id LIMIT ?",
        (store.index_version, SAMPLE),
    )
    stored = {row[0]: np.frombuffer(row[1], np.float16).astype(np.float32) for row in rows}
    held = index.vectors(list(stored))
    wrong = [
        i for i, v in stored.items() if i not in held or not np.allclose(held[i], v, atol=0.01)
    ]
    if wrong:
        return f"{len(wrong)} of the {len(rows)} vectors looked at differ from the stored ones"
    for vector in list(stored.values())[:1]:
        index.query(vector, 1)
    return ""


def remove_stale_indexes(store: Store) -> None:
    """Delete the folders of index versions that are neither searched nor being rebuilt."""
    kept = {store.index_version, store.index_version + bool(store.meta("rebuild"))}
    for folder in (store.folder / "index").glob("*"):
        if folder.name not in map(str, kept):
            shutil.rmtree(folder, ignore_errors=True)


def remove_index(store: Store, index_version: int) -> None:
    """Delete the vector index of an index version, on disk or on the server."""
    from dragtor.store.chroma import ChromaIndex

    folder, name = store.index_place(index_version)
    if store.config.url:
        index = ChromaIndex.open(folder, name, store.config.url)
        index.drop()
        index.close()
    shutil.rmtree(folder, ignore_errors=True)
