"""The journal: jobs and their events in an SQLite file of their own, beside library.db.

An event is shown to readers once it is on the disk: what a client has seen outlives the process,
under the same number. One thread writes all that has come up since it wrote last. Knows no task.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass, field, is_dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.errors import LibraryError, LibraryLocked, LibraryVersion, UsageError

if TYPE_CHECKING:
    from filelock import BaseFileLock

JOBS_FILE = "jobs.db"
JOBS_VERSION = 1
KEPT_JOBS = 1000  # of those that are over; the oldest go at the next start
RECENT_EVENTS = 256  # of a running job, that are kept in memory for its readers
MOST_WAITING = 20_000  # events for the disk; whoever adds one more waits
RETRY_S = 1.0  # after the disk has refused
RUNS = ("queued", "running")  # states of jobs that are not over
STATE_AFTER = {  # an event -> the state of its job
    "started": "running",
    "done": "done",
    "error": "failed",
    "cancelled": "cancelled",
    "interrupted": "interrupted",  # is told as an error
}
_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, task TEXT NOT NULL, args TEXT NOT NULL,
    state TEXT NOT NULL, client TEXT NOT NULL, started TEXT NOT NULL, ended TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    job TEXT NOT NULL, seq INTEGER NOT NULL, type TEXT NOT NULL, data TEXT NOT NULL,
    PRIMARY KEY (job, seq)
) WITHOUT ROWID;
"""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobEvent:
    """What a job has told; `seq` counts from 1 in each job, without gaps."""

    job: str
    seq: int
    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job; `state` is queued, running, done, failed, cancelled or interrupted."""

    id: str
    task: str
    args: dict[str, Any]
    state: str
    client: str  # who started it
    started: str  # ISO 8601, UTC
    ended: str  # the same; empty while it runs


@dataclass
class _Live:
    """A job that is not over, or whose end is not on the disk yet."""

    seq: int = 0  # the last that was given
    over: bool = False
    recent: deque[JobEvent] = field(default_factory=lambda: deque(maxlen=RECENT_EVENTS))


@dataclass(frozen=True, slots=True)
class _Written:
    event: JobEvent
    text: str  # its data as JSON
    state: str  # of its job from now on; empty: as before


class JobJournal:
    """Jobs and their events. Any thread may call it; only one process may have it open.

    Raises LibraryLocked where another server has, LibraryVersion for a file of a newer one.
    """

    def __init__(self, path: Path) -> None:
        self._lock_file = _locked(path)
        self._db, self._reads = _connect(path), _connect(path)
        self._writing, self._reading = threading.Lock(), threading.Lock()
        self._changed = threading.Condition()
        self._waiting: list[_Written] = []
        self._live: dict[str, _Live] = {}
        self._watchers: dict[str, list[Callable[[], None]]] = {}
        self._closing = False
        self._prune()
        self._thread = threading.Thread(target=self._write_all, name="journal", daemon=True)
        self._thread.start()

    # Jobs

    def begin(self, job: str, task: str, args: Mapping[str, Any], client: str) -> bool:
        """Write down a job that is to run; False where its id is known, which changes nothing."""
        row = (job, task, json.dumps(args), "queued", client, _now())
        sql = (
            "INSERT OR IGNORE INTO jobs (id, task, args, state, client, started, ended)"
            " VALUES (?, ?, ?, ?, ?, ?, '')"
        )
        with self._writing, _plain(), self._db:
            if not self._db.execute(sql, row).rowcount:
                return False
        with self._changed:
            self._live[job] = _Live()
        return True

    def reopen(self, job: str) -> None:
        """A job that is over is to run again; its events go on where they ended."""
        row = self.row(job)
        if row.state in RUNS:
            raise UsageError(f"the job {job} is not over")
        seq = self._read("SELECT max(seq) FROM events WHERE job = ?", job)[0][0] or 0
        with self._writing, _plain(), self._db:
            self._db.execute("UPDATE jobs SET state = 'queued', ended = '' WHERE id = ?", (job,))
        with self._changed:
            self._live[job] = _Live(seq)

    def rows(self) -> list[JobRow]:
        """All jobs, the newest first."""
        return [_row(row) for row in self._read("SELECT * FROM jobs ORDER BY n DESC")]

    def row(self, job: str) -> JobRow:
        """One job; raises UsageError where there is none."""
        for row in self._read("SELECT * FROM jobs WHERE id = ?", job):
            return _row(row)
        raise UsageError(f"there is no job {job}")

    def remove(self, job: str) -> None:
        """Forget a job and its events; raises UsageError for one that is not over."""
        if self.row(job).state in RUNS:
            raise UsageError(f"the job {job} is not over", "cancel it first")
        with self._writing, _plain(), self._db:
            for table, column in (("events", "job"), ("jobs", "id")):
                self._db.execute(f"DELETE FROM {table} WHERE {column} = ?", (job,))

    def interrupted(self, told: Mapping[str, Any]) -> list[str]:
        """End the jobs that a process before this one left unfinished, with an error of `told`."""
        marks = ",".join("?" * len(RUNS))
        sql = f"SELECT id FROM jobs WHERE state IN ({marks})"
        left = [row[0] for row in self._read(sql, *RUNS)]
        with self._writing, _plain(), self._db:
            for job in left:
                self._db.execute(
                    "INSERT INTO events SELECT ?, coalesce(max(seq), 0) + 1, 'error', ?"
                    " FROM events WHERE job = ?",
                    (job, json.dumps(told), job),
                )
                self._db.execute(
                    "UPDATE jobs SET state = 'interrupted', ended = ? WHERE id = ?", (_now(), job)
                )
        return left

    # Events

    def append(self, job: str, type: str, data: Mapping[str, Any]) -> int:
        """Add an event to a job that runs, and give its number; it is written soon.

        The types in STATE_AFTER change the job's state. `interrupted` is told as an error.
        """
        text = _as_json(data)
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < MOST_WAITING or self._closing)
            live = self._live[job]
            live.seq += 1
            told = "error" if type == "interrupted" else type
            event = JobEvent(job, live.seq, told, json.loads(text))
            self._waiting.append(_Written(event, text, STATE_AFTER.get(type, "")))
            self._changed.notify_all()
            return live.seq

    def events(self, job: str, after: int = 0, limit: int | None = 500) -> list[JobEvent]:
        """The events that follow number `after`, at most `limit` of them; all are on the disk."""
        with self._changed:
            live = self._live.get(job)
            if live and live.recent and live.recent[0].seq <= after + 1:
                first = after + 1 - live.recent[0].seq
                return list(islice(live.recent, first, None if limit is None else first + limit))
        sql = "SELECT * FROM events WHERE job = ? AND seq > ? ORDER BY seq LIMIT ?"
        rows = self._read(sql, job, after, -1 if limit is None else limit)
        return [JobEvent(row[0], row[1], row[2], json.loads(row[3])) for row in rows]

    def is_live(self, job: str) -> bool:
        """Whether more events may come."""
        with self._changed:
            return job in self._live and not self._live[job].over

    @contextmanager
    def watching(self, job: str, tell: Callable[[], None]) -> Iterator[None]:
        """While the block runs, `tell` is called when there are new events, in another thread."""
        with self._changed:
            self._watchers.setdefault(job, []).append(tell)
        try:
            yield
        finally:
            with self._changed:
                self._watchers[job].remove(tell)
                if not self._watchers[job]:
                    del self._watchers[job]

    def close(self) -> None:
        """Write what is left and let go of the file; closing twice is harmless."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        self._db.close()
        self._reads.close()
        self._lock_file.release()

    def _write_all(self) -> None:
        """Of the thread: everything that waits at once, then tell who reads."""
        unsaved: list[_Written] = []
        while True:
            with self._changed:
                patience = RETRY_S if unsaved else None
                self._changed.wait_for(lambda: self._waiting or self._closing, patience)
                batch, self._waiting = self._waiting, []
                self._changed.notify_all()
                ends = self._closing and not batch
            if ends and not unsaved:
                return
            try:
                self._commit(unsaved + batch)
                unsaved = []
            except sqlite3.Error as error:  # such as a full disk: tell it all the same
                if not unsaved:
                    _logger.error("the journal of jobs is not written: %s", error)
                unsaved += batch
            self._publish(batch, saved=not unsaved)
            if ends:
                return

    def _commit(self, batch: list[_Written]) -> None:
        with self._writing, self._db:
            self._db.executemany(
                "INSERT INTO events VALUES (?, ?, ?, ?)",
                [(w.event.job, w.event.seq, w.event.type, w.text) for w in batch],
            )
            for written in batch:
                if written.state:
                    ended = "" if written.state in RUNS else _now()
                    self._db.execute(
                        "UPDATE jobs SET state = ?, ended = ? WHERE id = ?",
                        (written.state, ended, written.event.job),
                    )

    def _publish(self, batch: list[_Written], *, saved: bool) -> None:
        with self._changed:
            for written in batch:
                live = self._live[written.event.job]
                live.recent.append(written.event)
                live.over = bool(written.state) and written.state not in RUNS
            if saved:
                self._live = {job: live for job, live in self._live.items() if not live.over}
            jobs = {written.event.job for written in batch}
            told = [tell for job in jobs for tell in self._watchers.get(job, ())]
        for tell in told:
            tell()

    def _read(self, sql: str, *parameters: Any) -> list[Any]:
        with self._reading, _plain():
            return self._reads.execute(sql, parameters).fetchall()

    def _prune(self) -> None:
        over = (
            "SELECT id FROM jobs WHERE state NOT IN ('queued', 'running', 'interrupted')"
            f" ORDER BY n DESC LIMIT -1 OFFSET {KEPT_JOBS}"
        )
        with _plain(), self._db:
            self._db.execute(f"DELETE FROM events WHERE job IN ({over})")
            self._db.execute(f"DELETE FROM jobs WHERE id IN ({over})")


def _locked(path: Path) -> BaseFileLock:
    """The lock that tells that a server has the file open."""
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LibraryLocked(
            f"another server works on {path.parent}", "stop it, or serve another --library"
        ) from None
    return lock


def _connect(path: Path) -> sqlite3.Connection:
    with _plain():
        db = sqlite3.connect(path, timeout=30, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")
            with closing(db.execute("PRAGMA user_version")) as found:
                version = int(found.fetchone()[0])
            if version > JOBS_VERSION:
                raise LibraryVersion(
                    f"{path} was written by a newer dragtor", "pip install --upgrade dragtor"
                )
            db.executescript(f"{_SCHEMA} PRAGMA user_version = {JOBS_VERSION};")
        except BaseException:
            db.close()
            raise
        return db


@contextmanager
def _plain() -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise LibraryError(f"the journal of jobs: {error}", "df -h") from error


def _row(row: tuple[Any, ...]) -> JobRow:
    _, job, task, args, state, client, started, ended = row
    return JobRow(job, task, json.loads(args), state, client, started, ended)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _as_json(data: Mapping[str, Any]) -> str:
    """As JSON that browsers read: what is no number is null."""
    try:
        return json.dumps(data, default=_plain_value, allow_nan=False)
    except ValueError:
        text = json.dumps(data, default=_plain_value)
        return json.dumps(json.loads(text, parse_constant=lambda _: None))


def _plain_value(value: Any) -> Any:
    """What JSON has no word for: a dataclass, a path, a number of numpy."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    with suppress(AttributeError):
        return value.item()
    return str(value)
