"""Reading the library: documents, passages, lexical and dense search, all from one snapshot.

Dense search scans the stored vectors exactly up to SCAN_LIMIT passages: on a cold start that is
faster than importing Chroma, and SQLite's snapshot isolation keeps it right while another process
writes. Above the limit, or with a server, Chroma ranks. Does not know how texts are embedded.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.config import StoreConfig
from dragtor.errors import LibraryError, LibraryVersion, UsageError
from dragtor.store.filters import Among, Filters, allow, leave_out
from dragtor.store.rows import document_from_row, source_from_row
from dragtor.store.schema import connect, plain_errors, transaction
from dragtor.types import Document, Passage, Source

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.store.chroma import ChromaIndex

SCAN_LIMIT = 50_000  # passages; see benchmarks/results/search.json for where Chroma overtakes
QUERY_WORD = re.compile(r"\w+")
MIN_ID_CHARACTERS = 4  # of the start of a source id
MAX_QUERY_WORDS = 200  # of a lexical query; the rest of a longer text counts densely
BM25_WEIGHTS = "3.0, 2.0, 1.0"  # title, heading, text


@dataclass(frozen=True, slots=True)
class Candidates:
    """Candidates of one query, by passage row: cosine, and BM25 (higher is better) where hit."""

    dense: Mapping[int, float]
    lexical: Mapping[int, float]


class KeptVectors:
    """All vectors of a library as they were read last; several stores of one may share them."""

    __slots__ = ("read",)

    def __init__(self) -> None:
        self.read: tuple[tuple[str, str], NDArray[np.int64], NDArray[np.float32]] | None = None


class Store:
    """An open library. `Store.open` reads; writing goes through `Writer`."""

    def __init__(
        self,
        folder: Path,
        db: sqlite3.Connection,
        config: StoreConfig,
        kept: KeptVectors | None = None,
    ) -> None:
        self.folder = folder
        self.db = db
        self.config = config
        self.scan_limit = SCAN_LIMIT
        self.writing = False  # a Writer's own: nobody else changes the index under it
        self._kept = kept or KeptVectors()
        self._index: tuple[tuple[str, str], ChromaIndex] | None = None

    @classmethod
    def open(
        cls, folder: Path, config: StoreConfig | None = None, kept: KeptVectors | None = None
    ) -> Store:
        """Open an existing library for reading; raises LibraryError where there is none."""
        path = folder / "library.db"
        with plain_errors(path):
            there = path.exists()
        if not there:
            raise LibraryError(f"there is no library in {folder}", "dragtor add URL-OR-FILE")
        return cls(folder, connect(path, write=False), config or StoreConfig(), kept)

    def close(self) -> None:
        """Let go of the files."""
        self.close_index()
        self.db.close()

    def close_index(self) -> None:
        """Let go of the vector index; the next use opens it anew."""
        if self._index is not None:
            self._index[1].close()
            self._index = None

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything read inside sees one state of the library."""
        with plain_errors(self.folder / "library.db"), transaction(self.db, "DEFERRED"):
            yield

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query, SQLite's errors in plain words."""
        with plain_errors(self.folder / "library.db"):
            return self.db.execute(sql, parameters).fetchall()

    def meta(self, key: str, default: str = "") -> str:
        """A fact about the library as a whole."""
        found = self.rows("SELECT value FROM meta WHERE key = ?", (key,))
        return str(found[0][0]) if found else default

    def check(self, key: str, value: str, what: str) -> None:
        """Refuse a library that another embedder or splitter made; raises LibraryVersion."""
        known = self.meta(key)
        if known and known != value:
            raise LibraryVersion(
                f"this library was made with another {what} ({known}, now {value})",
                "dragtor index --rebuild",
            )

    @property
    def index_version(self) -> int:
        """The version of passages and vectors that is searched: one splitting and embedding."""
        return int(self.meta("edition", "1"))

    # Sources and documents

    def sources(self) -> list[Source]:
        """All sources, oldest first."""
        rows = self.rows("SELECT * FROM sources ORDER BY added_at, rowid")
        return [source_from_row(row) for row in rows]

    def source(self, prefix: str) -> Source:
        """The source whose id begins with `prefix`, or whose address is it."""
        long_enough = len(prefix) >= MIN_ID_CHARACTERS
        found = [
            s
            for s in self.sources()
            if prefix in (s.uri, s.id) or (long_enough and s.id.startswith(prefix))
        ]
        if len(found) != 1 or not prefix:
            what = "no source" if not found else "more than one source"
            raise UsageError(f"{what} begins with {prefix!r}", "dragtor sources")
        return found[0]

    def documents(self, source_id: str = "") -> list[sqlite3.Row]:
        """Rows (id, uri, kind, title, author, published, characters, passages, staged).

        `staged` is 1 of a pending document: one that is loaded, but not indexed yet.
        """
        where = ""
        if source_id:
            where = "WHERE id IN (SELECT document_id FROM source_documents WHERE source_id = ?)"
        return self.rows(
            "SELECT id, uri, kind, title, author, published, staged, length(text) AS characters,"
            " (SELECT count(*) FROM passages WHERE document_id = documents.id AND edition ="
            " (SELECT value FROM meta WHERE key = 'edition') + 0) AS passages"
            f" FROM documents {where} ORDER BY title, id, staged",
            (source_id,) if source_id else (),
        )

    def document_id(self, prefix: str) -> str:
        """The document whose id begins with `prefix`, or the only one of such a source."""
        listed = [row["id"] for row in self.documents() if row["id"].startswith(prefix)]
        if len(prefix) < MIN_ID_CHARACTERS or not listed:
            listed = [row["id"] for row in self.documents(self.source(prefix).id)]
        if len(set(listed)) != 1:
            raise UsageError(
                f"{prefix} holds {len(set(listed))} documents: name one",
                f"dragtor sources show {prefix}",
            )
        return str(listed[0])

    def document(self, identity: str, *, pending: bool = False) -> Document | None:
        """One document with its segments, or None: as published, or the version that is pending."""
        key = (identity, int(pending))
        rows = self.rows("SELECT * FROM documents WHERE id = ? AND staged = ?", key)
        if not rows:
            return None
        segments = self.rows(
            "SELECT * FROM segments WHERE document_id = ? AND staged = ? ORDER BY start", key
        )
        speakers = self.rows(
            "SELECT * FROM speakers WHERE document_id = ? AND staged = ? ORDER BY label", key
        )
        return document_from_row(rows[0], segments, speakers)

    def passages_of(self, document_id: str) -> list[Passage]:
        """A document's passages, in text order."""
        rows = self.rows(
            'SELECT id, document_id, start, "end", text, heading FROM passages'
            ' WHERE document_id = ? AND edition = ? ORDER BY start, "end"',
            (document_id, self.index_version),
        )
        return [Passage(*row) for row in rows]

    def passage_counts(self, documents: Sequence[str]) -> dict[str, int]:
        """How many passages each of these documents has; without those that have none."""
        rows = self.rows(
            "SELECT document_id, count(*) FROM passages WHERE edition = ? AND document_id IN"
            " (SELECT value FROM json_each(?)) GROUP BY document_id",
            (self.index_version, json.dumps(list(documents))),
        )
        return {row[0]: row[1] for row in rows}

    def passages_passing(self, document_id: str, filters: Filters) -> list[Passage]:
        """Those of a document's passages that pass the filters, in text order."""
        with self.snapshot():
            self._allow(filters)
            rows = self.rows(
                'SELECT id, document_id, start, "end", text, heading FROM passages'
                " WHERE document_id = ? AND rowid IN (SELECT id FROM temp.allowed)"
                ' ORDER BY start, "end"',
                (document_id,),
            )
        return [Passage(*row) for row in rows]

    def linked(self, item_uri: str) -> str:
        """Id of the document that an item of any source gave, or empty."""
        sql = "SELECT document_id FROM source_documents WHERE item_uri = ? LIMIT 1"
        return next((str(row[0]) for row in self.rows(sql, (item_uri,))), "")

    def counts(self) -> dict[str, int]:
        """How many sources, documents, passages, pending documents and unsettled passages.

        An unsettled passage may stand in the vector index otherwise than here: a writer is at work,
        or was cut off.
        """
        row = self.rows(
            "SELECT (SELECT count(*) FROM sources) AS sources,"
            " (SELECT count(*) FROM documents WHERE staged = 0) AS documents,"
            " (SELECT count(*) FROM documents WHERE staged = 1) AS pending,"
            " (SELECT count(*) FROM passages WHERE edition = ?) AS passages,"
            " (SELECT count(*) FROM pending) AS unsettled",
            (self.index_version,),
        )[0]
        return {key: int(row[key]) for key in row.keys()}  # noqa: SIM118 - Row iterates values

    def check_whole(self) -> None:
        """Read the whole file; raises LibraryError where it is damaged."""
        says = [row[0] for row in self.rows("PRAGMA quick_check(1)")]
        if says != ["ok"]:
            path = self.folder / "library.db"
            hint = f"keep it, then start anew: mv {path} {path}.damaged"
            raise LibraryError(f"{path} is damaged: {says[0]}", hint)

    # Search

    def passages(self, rowids: Sequence[int]) -> dict[int, Passage]:
        """Passages by row number."""
        marks = ",".join("?" * len(rowids))
        rows = self.rows(
            'SELECT rowid, id, document_id, start, "end", text, heading FROM passages'
            f" WHERE rowid IN ({marks})",
            rowids,
        )
        return {row[0]: Passage(*row[1:]) for row in rows}

    def find(
        self, query: str, vector: NDArray[np.float32], n: int, filters: Filters | None = None
    ) -> Candidates:
        """The `n` best of each index, each with its exact cosine; `vector` is (dimension,)."""
        with self.snapshot():
            size, among = self._searched(filters)
            if not size:
                return Candidates({}, {})
            lexical = self._lexical(query, n, among)
            dense = self._dense(vector, min(n, size), size, among, list(lexical))
        return Candidates(dense, lexical)

    def _searched(self, filters: Filters | None) -> tuple[int, Among | None]:
        """How many passages are searched, and which; None: all."""
        if filters:
            return self._allow(filters), Among("allowed", inside=True)
        every = self.counts()["passages"]
        if not (left_out := leave_out(self.db, self.index_version)):
            return every, None
        return every - left_out, Among("left_out", inside=False)

    def _allow(self, filters: Filters) -> int:
        """Put the row numbers that pass the filters into temp.allowed; returns how many."""
        source = self.source(filters.source).id if filters.source else ""
        return allow(self.db, filters, source, self.index_version)

    def _lexical(self, query: str, n: int, among: Among | None) -> dict[int, float]:
        """BM25 by row."""
        words = list(dict.fromkeys(QUERY_WORD.findall(query)))[:MAX_QUERY_WORDS]
        if not words:
            return {}
        match = " OR ".join(f'"{word}"' for word in words)
        clause = among.clause if among else ""
        rows = self.rows(
            "SELECT rowid, rank FROM passages_fts WHERE passages_fts MATCH ?"
            f" AND rank MATCH 'bm25({BM25_WEIGHTS})' {clause} ORDER BY rank LIMIT ?",
            (match, n),
        )
        return {row[0]: -row[1] for row in rows}

    def _dense(
        self, vector: NDArray[np.float32], n: int, size: int, among: Among | None, also: list[int]
    ) -> dict[int, float]:
        writing = self.counts()["unsettled"]
        if not writing and (self.config.url or size > self.scan_limit):
            try:
                best = self._nearest_by_chroma(vector, n, among)
                return self._exact(vector, list({*best, *also}))
            except LibraryError:
                if self.config.url:
                    raise  # a library on a server may be too large to scan
        return self._scan(vector, n, among, also)

    def _scan(
        self, vector: NDArray[np.float32], n: int, among: Among | None, also: list[int]
    ) -> dict[int, float]:
        import numpy as np

        rowids, matrix = self._vectors()
        scores = ranked = matrix @ vector
        if among:
            named = [row[0] for row in self.rows(f"SELECT id FROM temp.{among.table}")]
            ranked = np.where(np.isin(rowids, named) == among.inside, scores, -2.0)
        wanted = np.isin(rowids, also)
        wanted[np.argpartition(-ranked, n - 1)[:n]] = True
        return {int(i): float(s) for i, s in zip(rowids[wanted], scores[wanted], strict=True)}

    def _vectors(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Row numbers (n,) and unit vectors (n, dimension) of all passages, kept for later."""
        import numpy as np

        whose = self.meta("library_id")  # a lender's models may serve several
        state = (f"{whose} {self.meta('generation')}", self.meta("edition"))
        kept = self._kept.read  # another store may put others in its place
        if kept is None or kept[0] != state:
            rows = self.rows(
                "SELECT p.rowid, v.vector FROM passages p CROSS JOIN vectors v"
                " ON v.id = p.vector_id WHERE p.edition = ? ORDER BY p.vector_id",
                (self.index_version,),
            )
            blob = b"".join([row[1] for row in rows])
            matrix = np.frombuffer(blob, np.float16).astype(np.float32)
            rowids = np.fromiter((row[0] for row in rows), np.int64, len(rows))
            kept = (state, rowids, matrix.reshape(len(rows), -1 if rows else 1))
            self._kept.read = kept
        return kept[1], kept[2]

    def _nearest_by_chroma(
        self, vector: NDArray[np.float32], n: int, among: Among | None
    ) -> list[int]:
        ids = None
        if among and among.inside:
            allowed = "SELECT p.id FROM passages p JOIN temp.allowed a ON a.id = p.rowid"
            ids = [row[0] for row in self.rows(allowed)]
        left_out = set()
        if among and not among.inside:
            left_out = {row[0] for row in self.rows("SELECT id FROM temp.left_out")}
        index = self.index()
        if index.count() != self.counts()["passages"]:
            raise LibraryError("the vector index is not whole", "dragtor index --rebuild")
        nearest = index.query(vector, n + len(left_out), ids)
        marks = ",".join("?" * len(nearest))
        rows = self.rows(
            f"SELECT rowid FROM passages WHERE edition = ? AND id IN ({marks})",
            (self.index_version, *nearest),
        )
        return [row[0] for row in rows if row[0] not in left_out]

    def _exact(self, vector: NDArray[np.float32], rowids: list[int]) -> dict[int, float]:
        import numpy as np

        marks = ",".join("?" * len(rowids))
        rows = self.rows(
            "SELECT p.rowid, v.vector FROM passages p JOIN vectors v ON v.id = p.vector_id"
            f" WHERE p.rowid IN ({marks})",
            rowids,
        )
        return {
            r[0]: float(np.frombuffer(r[1], np.float16).astype(np.float32) @ vector) for r in rows
        }

    def index(self) -> ChromaIndex:
        """The vector index that is searched; opened anew after another process wrote."""
        from dragtor.store.chroma import ChromaIndex

        state = (self.meta("generation"), self.meta("edition"))
        if self._index is not None and self._index[0] != state and not self.writing:
            self.close_index()
        if self._index is None:
            folder, name = self.index_place(self.index_version)
            self._index = (state, ChromaIndex.open(folder, name, self.config.url))
        return self._index[1]

    def index_place(self, index_version: int) -> tuple[Path, str]:
        """Folder and collection name of an index version's vectors."""
        name = f"dragtor-{self.meta('library_id')}-{index_version}"
        return self.folder / "index" / str(index_version), name
