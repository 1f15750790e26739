"""library.db: connection, numbered migrations, and SQLite's errors in plain words.

Knows nothing of what the rows mean; read.py and write.py do.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from dragtor.errors import LibraryError, LibraryVersion

FULL_BYTES = 1_000_000  # free bytes below which a failed write is put down to a full disk
BUSY_TIMEOUT_S = 5.0  # as long as a small write waits for another process's transaction to end

# One entry a version; never edit one that has shipped, add the next.
MIGRATIONS = (
    """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE sources (
        id TEXT PRIMARY KEY, uri TEXT NOT NULL, kind TEXT NOT NULL, title TEXT NOT NULL,
        options TEXT NOT NULL, added_at TEXT NOT NULL, synced_at TEXT NOT NULL
    );
    -- staged = 1: loaded, waiting to be indexed; the row with 0 stays in force until the swap
    CREATE TABLE documents (
        id TEXT NOT NULL, staged INTEGER NOT NULL, uri TEXT NOT NULL, kind TEXT NOT NULL,
        title TEXT NOT NULL, author TEXT NOT NULL, published TEXT NOT NULL, text TEXT NOT NULL,
        meta TEXT NOT NULL, content_hash TEXT NOT NULL, updated_at TEXT NOT NULL,
        PRIMARY KEY (id, staged)
    );
    CREATE TABLE segments (
        document_id TEXT NOT NULL, staged INTEGER NOT NULL, start INTEGER NOT NULL,
        "end" INTEGER NOT NULL, page INTEGER, box TEXT, start_s REAL, end_s REAL, speaker TEXT
    );
    CREATE INDEX segments_place ON segments (document_id, staged, start);
    CREATE TABLE source_documents (
        source_id TEXT NOT NULL, item_uri TEXT NOT NULL, document_id TEXT NOT NULL,
        stamp TEXT NOT NULL, PRIMARY KEY (source_id, item_uri)
    ) WITHOUT ROWID;
    CREATE INDEX source_documents_document ON source_documents (document_id);
    CREATE INDEX source_documents_stamp ON source_documents (stamp);
    CREATE TABLE vectors (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL, fingerprint TEXT NOT NULL,
        vector BLOB NOT NULL, UNIQUE (key, fingerprint)
    );
    -- an edition is one whole splitting and embedding of the library; meta says which is in force
    CREATE TABLE passages (
        rowid INTEGER PRIMARY KEY, edition INTEGER NOT NULL, id TEXT NOT NULL,
        document_id TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
        text TEXT NOT NULL, heading TEXT NOT NULL, vector_id INTEGER NOT NULL
    );
    CREATE UNIQUE INDEX passages_id ON passages (id, edition);
    CREATE INDEX passages_document ON passages (document_id, edition);
    CREATE INDEX passages_vector ON passages (edition, vector_id);
    CREATE INDEX vectors_used ON passages (vector_id);
    CREATE VIRTUAL TABLE passages_fts USING fts5 (
        title, heading, text, tokenize = 'porter unicode61 remove_diacritics 2'
    );
    -- passages whose entry in the vector index may differ from this file
    CREATE TABLE pending (passage_id TEXT PRIMARY KEY) WITHOUT ROWID;
    INSERT INTO meta VALUES ('generation', '0'), ('edition', '1');
    INSERT INTO meta VALUES ('library_id', lower(hex(randomblob(8))));
    """,
    """
    -- every ask without a session opens a chat without a name; an open chat may outlive its rows,
    -- so no id is ever given twice
    CREATE TABLE chats (
        id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, created_at TEXT NOT NULL,
        updated_at TEXT NOT NULL
    );
    CREATE UNIQUE INDEX chats_name ON chats (name) WHERE name != '';
    CREATE TABLE turns (
        id INTEGER PRIMARY KEY AUTOINCREMENT, chat_id INTEGER NOT NULL, question TEXT NOT NULL,
        query TEXT NOT NULL, answer TEXT NOT NULL, grounded INTEGER NOT NULL,
        claims TEXT NOT NULL, citations TEXT NOT NULL, model TEXT NOT NULL, caution TEXT NOT NULL,
        asked_at TEXT NOT NULL
    );
    CREATE INDEX turns_chat ON turns (chat_id);
    CREATE VIRTUAL TABLE turns_fts USING fts5 (
        question, answer, tokenize = 'porter unicode61 remove_diacritics 2'
    );
    """,
    """
    -- segments hold the label; voice is float32 numbers, or empty
    CREATE TABLE speakers (
        document_id TEXT NOT NULL, staged INTEGER NOT NULL, label TEXT NOT NULL,
        name TEXT NOT NULL, role TEXT NOT NULL, role_confidence REAL NOT NULL,
        name_confidence REAL NOT NULL, voice BLOB NOT NULL,
        PRIMARY KEY (document_id, staged, label)
    ) WITHOUT ROWID;
    """,
    """
    -- of published documents only; a topic's kind is topic. model: the version that wrote it;
    -- entity_id is empty until names are merged
    CREATE TABLE tags (
        document_id TEXT NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
        kind TEXT NOT NULL, name TEXT NOT NULL, entity_id TEXT NOT NULL, score REAL NOT NULL,
        model TEXT NOT NULL, PRIMARY KEY (document_id, start, "end", kind, name)
    ) WITHOUT ROWID;
    CREATE INDEX tags_entity ON tags (entity_id);
    CREATE INDEX tags_name ON tags (document_id, kind, name);
    -- aliases: JSON; folded: all its names as they are looked for
    CREATE TABLE entities (
        id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, aliases TEXT NOT NULL,
        folded TEXT NOT NULL
    ) WITHOUT ROWID;
    -- who speaks in a document, by the name that speakers gives
    CREATE TABLE heard (
        document_id TEXT NOT NULL, name TEXT NOT NULL, entity_id TEXT NOT NULL,
        PRIMARY KEY (document_id, name)
    ) WITHOUT ROWID;
    CREATE INDEX heard_entity ON heard (entity_id);
    -- what was tagged, by what; task: names or topics; defined: acronyms of the text, JSON
    CREATE TABLE tagged (
        document_id TEXT NOT NULL, task TEXT NOT NULL, content_hash TEXT NOT NULL,
        version TEXT NOT NULL, defined TEXT NOT NULL, PRIMARY KEY (document_id, task)
    ) WITHOUT ROWID;
    """,
    """
    -- subject: document, source or person, and its id; version: of all that the topics were made
    -- from; topics: JSON of names and spans, no quote is kept twice
    CREATE TABLE digests (
        subject TEXT PRIMARY KEY, version TEXT NOT NULL, topics TEXT NOT NULL
    ) WITHOUT ROWID;
    -- documents that a digest quotes: it goes with any of them
    CREATE TABLE digest_documents (
        document_id TEXT NOT NULL, subject TEXT NOT NULL, PRIMARY KEY (document_id, subject)
    ) WITHOUT ROWID;
    """,
)


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """Open library.db; a writer creates and migrates it. Autocommit: transactions are explicit."""
    with plain_errors(path):
        emptied = path.exists() and not path.stat().st_size
        if emptied and (path.parent / "index").exists():
            raise sqlite3.DatabaseError("it is empty, its vector index is not")
        if write:
            path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(path, isolation_level=None, timeout=30)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            db.execute("PRAGMA secure_delete = ON")
        else:
            db = _connect_reader(path)
        db.execute("PRAGMA temp_store = MEMORY")
        db.create_function("fold", 1, str.casefold, deterministic=True)
        db.row_factory = sqlite3.Row
        check_version(db, path, migrate=write)
    return db


def _connect_reader(path: Path) -> sqlite3.Connection:
    """Open read-only; a folder that cannot be written needs `immutable` to be read at all."""
    uri = path.absolute().as_uri()
    db = sqlite3.connect(f"{uri}?mode=ro", uri=True, isolation_level=None, timeout=30)
    try:
        db.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError as error:
        db.close()
        wal = path.with_name(f"{path.name}-wal")  # must be read too, which immutable does not
        if "locked" in str(error) or (wal.exists() and wal.stat().st_size):
            raise
        db = sqlite3.connect(f"{uri}?immutable=1", uri=True, isolation_level=None)
    return db


def check_version(db: sqlite3.Connection, path: Path, *, migrate: bool) -> None:
    """Raise LibraryVersion on a newer library, and on an older one that may not be migrated."""
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version > len(MIGRATIONS):
        raise LibraryVersion(
            f"{path} was written by a newer dragtor (schema {version}, this one knows "
            f"{len(MIGRATIONS)})",
            "pip install --upgrade dragtor",
        )
    if version < len(MIGRATIONS) and not migrate:
        raise LibraryVersion(f"{path} is of an older version", "dragtor index")
    for number in range(version, len(MIGRATIONS)):
        script = f"BEGIN; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;"
        db.executescript(script)


@contextmanager
def transaction(db: sqlite3.Connection, mode: str = "IMMEDIATE") -> Iterator[None]:
    """One all-or-nothing write, or with mode DEFERRED one consistent view for reading."""
    nested: bool = db.in_transaction
    if nested:
        yield
        return
    db.execute(f"BEGIN {mode}")
    try:
        yield
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@contextmanager
def changing(folder: Path, *, tidy: bool = False) -> Iterator[sqlite3.Connection]:
    """One transaction on an existing library.db of this version; never created, never migrated.

    For what touches neither passages nor the generation: it does not take the writer's lock.
    `tidy` also overwrites what was deleted.
    """
    path = folder / "library.db"
    uri = f"{path.absolute().as_uri()}?mode=rw"
    with (
        plain_errors(path),
        closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_TIMEOUT_S)) as db,
    ):
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA secure_delete = ON")
        with transaction(db):
            check_version(db, path, migrate=False)
            yield db
        if tidy:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@contextmanager
def plain_errors(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system say into one line and a hint."""
    try:
        yield
    except sqlite3.OperationalError as error:
        text = str(error)
        if "full" in text or ("disk I/O" in text and full_disk(path.parent)):
            raise LibraryError(f"the disk that holds {path} is full", "df -h") from error
        if "readonly" in text or "unable to open" in text:
            hint = f"ls -ld {path.parent}"
            raise LibraryError(f"{path} cannot be opened or written: {text}", hint) from error
        raise LibraryError(f"{path}: {text}", "dragtor doctor") from error
    except sqlite3.DatabaseError as error:
        hint = f"keep it, then start anew: mv {path} {path}.damaged"
        raise LibraryError(f"{path} is damaged: {error}", hint) from error
    except OSError as error:
        place, hint = error.filename or path, "dragtor doctor"
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            hint = f"ls -ld {path.parent}"
        elif error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            hint = "df -h"
        raise LibraryError(f"{place}: {error.strerror or error}", hint) from error


def full_disk(folder: Path) -> str:
    """What to say where a write may have failed for want of room, else empty."""
    try:
        free = shutil.disk_usage(folder).free
    except OSError:
        return ""
    return f"the disk that holds {folder} is full" if free < FULL_BYTES else ""
