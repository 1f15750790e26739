"""Jobs: the journal, when jobs run and how they end, models that are lent, the tasks."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from fakes import HashingEmbedder, SharedWordsReader
from test_answer import Parrot
from test_ingest import open_ingest

from dragtor import Library
from dragtor.config import load_config
from dragtor.errors import (
    Cancelled,
    GenerationError,
    LibraryError,
    LibraryLocked,
    LibraryVersion,
    Missing,
    UsageError,
)
from dragtor.llm import GenerationOptions, Stream
from dragtor.schema import error_json
from dragtor.serve import journal as journal_module
from dragtor.serve.jobs import INTERRUPTED, JobLimits, Jobs, TaskContext
from dragtor.serve.journal import JobEvent, JobJournal
from dragtor.serve.tasks import JOB_TASKS, LANES
from dragtor.turns import Turns
from dragtor.types import NEVER, SILENT, CancelToken, Document, Message, Reporter

QUESTION, FOLLOW_UP = "How many weeks until the pulley heals?", "and tape?"
SAID = "The pulley heals in 6 weeks."
PATIENCE_S = 60.0  # these machines may be busy


def until(true: Callable[[], Any], what: str = "") -> Any:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.005)
    raise AssertionError(f"it never came: {what}")


# The journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


@pytest.fixture
def journal(path: Path) -> Iterator[JobJournal]:
    opened = JobJournal(path)
    yield opened
    opened.close()


def told(journal: JobJournal, job: str, after: int = 0) -> list[tuple[int, str]]:
    return [(event.seq, event.type) for event in journal.events(job, after, None)]


def test_an_id_begins_once(journal: JobJournal) -> None:
    assert journal.begin("a", "ask", {"question": "é"}, "me")
    assert not journal.begin("a", "add", {}, "you")
    row = journal.row("a")
    assert (row.task, row.args, row.state, row.client) == ("ask", {"question": "é"}, "queued", "me")
    assert row.ended == ""
    with pytest.raises(UsageError, match="no job b"):
        journal.row("b")


def test_events_are_numbered_without_gaps_and_change_the_state(journal: JobJournal) -> None:
    journal.begin("a", "ask", {}, "me")
    assert [journal.append("a", type, {}) for type in ("started", "item", "item")] == [1, 2, 3]
    until(lambda: told(journal, "a") == [(1, "started"), (2, "item"), (3, "item")])
    assert journal.row("a").state == "running"
    assert told(journal, "a", 2) == [(3, "item")]
    assert journal.append("a", "done", {"result": 1}) == 4
    until(lambda: not journal.is_live("a"))
    assert told(journal, "a", 3) == [(4, "done")]
    assert journal.row("a").state == "done"
    assert journal.row("a").ended >= journal.row("a").started


def test_what_readers_see_is_on_the_disk(journal: JobJournal, path: Path) -> None:
    journal.begin("a", "ask", {}, "me")
    for n in range(50):
        seq = journal.append("a", "item", {"n": n})
        until(lambda seq=seq: journal.events("a", seq - 1))
        with sqlite3.connect(path) as other:
            rows = other.execute("SELECT max(seq) FROM events").fetchall()
        other.close()
        assert rows == [(seq,)]


def test_a_reader_far_behind_reads_from_the_disk(journal: JobJournal) -> None:
    journal.begin("a", "ask", {}, "me")
    for n in range(1000):
        journal.append("a", "item", {"n": n})
    until(lambda: journal.events("a", 999))
    assert [e.data["n"] for e in journal.events("a", 0, 5)] == [0, 1, 2, 3, 4]
    assert [e.data["n"] for e in journal.events("a", 995, 500)] == [995, 996, 997, 998, 999]
    assert len(journal.events("a", 0, None)) == 1000


def test_many_threads_write_and_each_job_has_its_own_order(journal: JobJournal) -> None:
    def work(job: str) -> None:
        for n in range(100):
            journal.append(job, "item", {"n": n})

    jobs = [f"j{n}" for n in range(8)]
    threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
    assert all(journal.begin(job, "ask", {}, "me") for job in jobs)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for job in jobs:
        until(lambda job=job: len(journal.events(job, 0, None)) == 100)
        assert [(e.seq, e.data["n"]) for e in journal.events(job, 0, None)] == [
            (n + 1, n) for n in range(100)
        ]


def test_what_a_crash_left_is_interrupted_and_can_be_opened_again(path: Path) -> None:
    first = JobJournal(path)
    for job in ("a", "b", "c"):
        first.begin(job, "ask", {}, "me")
        first.append(job, "started", {})
    first.append("c", "done", {})
    first.close()  # as a crash: a and b are not over
    again = JobJournal(path)
    assert again.interrupted(INTERRUPTED) == ["a", "b"]
    assert {row.id: row.state for row in again.rows()} == {
        "a": "interrupted", "b": "interrupted", "c": "done",
    }  # fmt: skip
    assert told(again, "a") == [(1, "started"), (2, "error")]
    assert again.events("a")[-1].data == INTERRUPTED
    again.reopen("a")
    assert again.append("a", "started", {}) == 3
    with pytest.raises(UsageError, match="not over"):
        again.reopen("a")
    with pytest.raises(UsageError, match="not over"):
        again.remove("a")
    again.remove("b")
    assert [row.id for row in again.rows()] == ["c", "a"]
    assert again.events("b") == []
    again.close()


def test_a_journal_belongs_to_one_process(path: Path, journal: JobJournal) -> None:
    with pytest.raises(LibraryLocked, match="another server"):
        JobJournal(path)


def test_a_newer_journal_is_refused(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(LibraryVersion, match="newer"):
        JobJournal(path)


def test_a_file_that_is_no_journal_is_an_error(path: Path) -> None:
    path.write_bytes(b"not a database, but long enough to be taken for one" * 100)
    with pytest.raises(LibraryError, match="journal of jobs"):
        JobJournal(path)


def test_old_jobs_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "KEPT_JOBS", 2)
    first = JobJournal(path)
    for n in range(5):
        first.begin(f"j{n}", "ask", {}, "me")
        first.append(f"j{n}", "cancelled", {})
    first.close()
    again = JobJournal(path)
    assert [row.id for row in again.rows()] == ["j4", "j3"]
    assert again.events("j0") == []
    again.close()


def test_a_full_disk_stops_no_reader(journal: JobJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.begin("a", "ask", {}, "me")
    commit, refuses = journal._commit, [True]

    def full(batch: Any) -> None:
        if refuses[0]:
            raise sqlite3.OperationalError("database or disk is full")
        commit(batch)

    monkeypatch.setattr(journal, "_commit", full)
    monkeypatch.setattr(journal_module, "RETRY_S", 0.01)
    journal.append("a", "started", {})
    journal.append("a", "done", {})
    until(lambda: told(journal, "a") == [(1, "started"), (2, "done")])
    assert not journal.is_live("a")
    assert journal.row("a").state == "queued"
    refuses[0] = False
    until(lambda: journal.row("a").state == "done")
    assert told(journal, "a") == [(1, "started"), (2, "done")]


def test_what_is_no_number_is_null(journal: JobJournal) -> None:
    import numpy as np

    journal.begin("a", "train", {}, "me")
    value = {
        "loss": float("nan"),
        "at": np.float32(0.5),
        "where": Path("x"),
        "e": JobEvent("a", 1, "t", {}),
    }
    journal.append("a", "item", value)
    until(lambda: journal.events("a"))
    assert journal.events("a")[0].data == {
        "loss": None, "at": 0.5, "where": "x", "e": {"job": "a", "seq": 1, "type": "t", "data": {}},
    }  # fmt: skip


# Jobs


class Bench:
    """Tasks that tests hold by the hand."""

    def __init__(self) -> None:
        self.going = threading.Event()
        self.started: list[str] = []
        self.running = self.most = 0
        self.lock = threading.Lock()

    def hold(self, context: TaskContext) -> dict[str, Any]:
        with self.lock:
            self.started.append(context.args.get("name", ""))
            self.running += 1
            self.most = max(self.most, self.running)
        try:
            while not self.going.is_set():
                context.cancel.wait(0.005)
        finally:
            with self.lock:
                self.running -= 1
        return {"held": True}

    def ticks(self, context: TaskContext) -> dict[str, Any]:
        for n in range(context.args["n"]):
            context.emit("item", {"n": n})
            context.cancel.wait(context.args.get("every_s", 0.001))
        return {"n": context.args["n"]}

    def fail(self, context: TaskContext) -> dict[str, Any]:
        raise {"missing": Missing("no model", "dragtor models pull one"),
               "bug": ZeroDivisionError("a secret")}[context.args["how"]]  # fmt: skip

    def speak(self, context: TaskContext) -> dict[str, Any]:
        reporter = context.reporter
        reporter.note("left out")
        reporter.step("reading")
        reporter.step("writing")
        for n in range(1000):
            reporter.progress("pages", n, 1000)
        reporter.progress("pages", 1000, 1000)
        reporter.item("page", {"n": 1})
        return {}

    @property
    def tasks(self) -> dict[str, Any]:
        return {"hold": self.hold, "write": self.hold, "ticks": self.ticks, "fail": self.fail,
                "speak": self.speak}  # fmt: skip


@contextmanager
def open_bench(
    folder: Path, bench: Bench, limits: JobLimits | None = None, tasks: Any = None
) -> Iterator[Jobs]:
    def library(reporter: Reporter, cancel: CancelToken) -> Library:
        return Library(folder, reporter=reporter, cancel=cancel)

    jobs = Jobs(
        JobJournal(folder / "jobs.db"), tasks or bench.tasks, library, folder / "uploads", limits
    )
    try:
        yield jobs
    finally:
        jobs.close()


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def jobs(tmp_path: Path, bench: Bench) -> Iterator[Jobs]:
    with open_bench(tmp_path, bench, JobLimits(2, 1, 4, {"write": "w"})) as opened:
        yield opened


def followed(jobs: Jobs, job: str, after: int = 0) -> list[JobEvent]:
    async def all_of_it() -> list[JobEvent]:
        async with asyncio.timeout(PATIENCE_S):
            return [event async for event in jobs.follow(job, after)]

    return asyncio.run(all_of_it())


def types(events: Sequence[JobEvent]) -> list[str]:
    return [event.type for event in events]


def test_a_job_is_followed_to_its_end(jobs: Jobs) -> None:
    assert jobs.start("a", "ticks", {"n": 300}, "me").task == "ticks"
    events = followed(jobs, "a")
    assert [event.seq for event in events] == list(range(1, 303))
    assert types(events) == ["started", *["item"] * 300, "done"]
    assert events[-1].data == {"result": {"n": 300}}
    assert followed(jobs, "a", 300) == events[300:]
    assert followed(jobs, "a", 302) == []
    with pytest.raises(UsageError, match="no job b"):
        followed(jobs, "b")


def test_the_same_id_never_starts_twice(jobs: Jobs, bench: Bench) -> None:
    jobs.start("a", "hold", {"name": "a"}, "me")
    jobs.start("a", "hold", {"name": "again"}, "me")
    bench.going.set()
    followed(jobs, "a")
    assert jobs.start("a", "hold", {"name": "again"}, "me").state == "done"
    assert bench.started == ["a"]


@pytest.mark.parametrize("job", ["", "a b", "../x", "é", "a" * 65])
def test_a_bad_id_is_refused(jobs: Jobs, job: str) -> None:
    with pytest.raises(UsageError, match="id has"):
        jobs.start(job, "hold", {}, "me")
    with pytest.raises(UsageError, match="no task 'x'"):
        jobs.start("a", "x", {}, "me")
    assert jobs.rows() == []


def test_jobs_wait_by_client_and_too_many_are_refused(jobs: Jobs, bench: Bench) -> None:
    for n, client in enumerate(["me", "me", "you", "you", "they", "me"]):
        jobs.start(f"{client}{n}", "hold", {"name": f"{client}{n}"}, client)
    until(lambda: len(bench.started) == 2)
    assert sorted(bench.started) == ["me0", "you2"]
    with pytest.raises(UsageError, match="4 jobs wait"):
        jobs.start("more", "hold", {}, "me")
    until(lambda: jobs.events("me5"))
    assert [(e.type, e.data) for e in jobs.events("me5")] == [("queued", {"position": 4})]
    bench.going.set()
    events = followed(jobs, "me5")
    assert types(events)[-2:] == ["started", "done"]
    positions = [e.data["position"] for e in events if e.type == "queued"]
    assert positions == sorted(positions, reverse=True)
    assert bench.most == 2
    for row in jobs.rows():
        followed(jobs, row.id, 99)
    assert {row.state for row in jobs.rows()} == {"done"}


def test_who_writes_waits_for_who_writes_and_for_nobody_else(jobs: Jobs, bench: Bench) -> None:
    jobs.start("w1", "write", {"name": "w1"}, "me")
    jobs.start("w2", "write", {"name": "w2"}, "me")
    jobs.start("a", "ticks", {"n": 1}, "me")
    assert types(followed(jobs, "a"))[-1] == "done"
    assert bench.started == ["w1"]
    bench.going.set()
    followed(jobs, "w2")
    assert bench.started == ["w1", "w2"]


def test_a_job_is_cancelled_while_it_runs_or_waits(jobs: Jobs, bench: Bench) -> None:
    jobs.start("a", "hold", {"name": "a"}, "me")
    jobs.start("b", "hold", {"name": "b"}, "me")
    until(lambda: bench.started)
    jobs.cancel("b")
    assert types(followed(jobs, "b")) == ["queued", "cancelled"]
    jobs.cancel("a")
    assert types(followed(jobs, "a")) == ["started", "cancelled"]
    assert [row.state for row in jobs.rows()] == ["cancelled"] * 2
    jobs.cancel("a")  # harmless
    with pytest.raises(UsageError, match="no job c"):
        jobs.cancel("c")
    assert bench.started == ["a"]


@pytest.mark.filterwarnings("default")
def test_errors_are_told_without_a_traceback(jobs: Jobs) -> None:
    jobs.start("a", "fail", {"how": "missing"}, "me")
    error = followed(jobs, "a")[-1]
    assert (error.type, error.data) == (
        "error",
        error_json(Missing("no model", "dragtor models pull one")),
    )
    assert error.data["code"] == "missing"
    assert error.data["exit"] == 4
    jobs.start("b", "fail", {"how": "bug"}, "me")
    error = followed(jobs, "b")[-1]
    assert error.data["code"] == "internal"
    assert "ZeroDivisionError" in error.data["message"]
    assert "secret" not in json.dumps(error.data)
    assert {row.state for row in jobs.rows()} == {"failed"}


def test_what_work_says_becomes_events(jobs: Jobs) -> None:
    jobs.start("a", "speak", {}, "me")
    events = followed(jobs, "a")
    assert [e.data for e in events if e.type == "note"] == [{"text": "left out"}]
    steps = [e.data for e in events if e.type == "step"]
    assert [(s["step"], s["label"]) for s in steps] == [(1, "reading"), (2, "writing")]
    done = [e.data["done"] for e in events if e.type == "progress"]
    assert done[0] == 0
    assert done[-1] == 1000
    assert len(done) < 200  # ten a second, not all thousand
    assert [e.data for e in events if e.type == "item"] == [{"kind": "page", "value": {"n": 1}}]


def test_a_job_asks_its_client_and_others_run_meanwhile(tmp_path: Path, bench: Bench) -> None:
    def wonder(context: TaskContext) -> dict[str, Any]:
        return {"said": context.ask("consent", {"queries": ["who?"]})}

    tasks = {**bench.tasks, "wonder": wonder}
    with open_bench(tmp_path, bench, JobLimits(running=1), tasks) as jobs:
        for name in ("a", "b"):
            jobs.start(name, "wonder", {}, "me")
            until(lambda name=name: "consent" in types(jobs.events(name)))
        jobs.start("c", "ticks", {"n": 3}, "me")
        assert types(followed(jobs, "c"))[-1] == "done"
        for never in ("c", "none"):
            with pytest.raises(UsageError, match="waits for no answer"):
                jobs.answer(never, True)
        jobs.answer("a", {"yes": True})
        assert followed(jobs, "a")[-1].data == {"result": {"said": {"yes": True}}}
        with pytest.raises(UsageError, match="waits for no answer"):
            jobs.answer("a", True)
        jobs.cancel("b")
        assert types(followed(jobs, "b"))[-1] == "cancelled"


def test_a_job_is_resumed_after_the_server_ended(tmp_path: Path, bench: Bench) -> None:
    with open_bench(tmp_path, bench, JobLimits(1, 1, 9)) as jobs:
        for job in ("a", "b"):
            jobs.start(job, "hold", {"name": job}, "me")
        until(lambda: bench.started)
    bench.going.set()
    with open_bench(tmp_path, bench) as jobs:
        assert [row.state for row in jobs.rows()] == ["interrupted"] * 2
        assert types(followed(jobs, "a")) == ["started", "error"]
        assert followed(jobs, "a")[-1].data["code"] == "interrupted"
        assert jobs.resume("a").state in ("queued", "running", "done")
        assert types(followed(jobs, "a", 2)) == ["started", "done"]
        with pytest.raises(UsageError, match="is done"):
            jobs.resume("a")
        jobs.remove("b")
        with pytest.raises(UsageError, match="no job b"):
            jobs.resume("b")


# Turns


def test_turns_are_had_in_the_order_of_asking() -> None:
    turns, order, positions = Turns(), [], []  # type: ignore[var-annotated]

    def take(n: int) -> None:
        with turns.taken(queued=positions.append if n == 2 else lambda ahead: None):
            order.append(n)

    with turns.taken():
        threads = []
        for n in range(3):
            threads.append(threading.Thread(target=take, args=(n,)))
            threads[-1].start()
            until(lambda n=n: len(turns._queue) == n + 2)
        until(lambda: positions == [3])
        assert not turns.free
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2]
    assert positions[0] == 3
    assert positions[-1] == 0
    assert positions == sorted(positions, reverse=True)
    assert turns.free


def test_who_waits_for_a_turn_can_be_cancelled_and_who_has_it_is_not() -> None:
    turns, token = Turns(), CancelToken()
    with turns.taken():
        token.cancel()
        with pytest.raises(Cancelled), turns.taken(token):
            raise AssertionError("not its turn")
        assert not turns.token.cancelled
    mine = CancelToken()
    with turns.taken(mine):
        mine.cancel()
        assert turns.token.cancelled
    assert not turns.token.cancelled
    assert turns.free


# Models that are lent


class SlowParrot(Parrot):
    """Says it a piece at a time, and only to one at a time."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.speaking = self.most = 0
        self.going = threading.Event()
        self.begun = threading.Event()
        self.closed = False
        self.cancel = NEVER

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        whole = super().stream(messages, options)

        def pieces() -> Any:
            self.speaking += 1
            self.most = max(self.most, self.speaking)
            try:
                for piece in whole:
                    yield piece
                    self.begun.set()
                    self.cancel.check()
                while not self.going.is_set():
                    self.cancel.wait(0.005)
            finally:
                self.speaking -= 1

        return Stream(pieces())

    def close(self) -> None:
        self.closed = True


@pytest.fixture
def folder(own_folders: Path) -> Path:
    with open_ingest(own_folders) as ingest:
        text = f"# Pulley\n\n{SAID} Tape does little. Crimp last of all."
        ingest.add_document(Document("d1", "https://example.org/d1", "web", "Pulley", text))
    return own_folders


@pytest.fixture
def parrot() -> SlowParrot:
    return SlowParrot(f"{SAID[:-1]} [1]. Crimp last of all [1].")


@pytest.fixture
def lender(folder: Path, parrot: SlowParrot) -> Iterator[Library]:
    with Library(folder, config=load_config()) as opened:
        opened.embedder = HashingEmbedder()
        opened.reader = None
        opened._llm = parrot
        parrot.cancel = opened._llm_turns.token
        yield opened


@contextmanager
def asked_of(lender: Library) -> Iterator[Jobs]:
    """Jobs with the real tasks, on what one library lends."""
    folder = lender.folder

    def library(reporter: Reporter, cancel: CancelToken) -> Library:
        return Library(folder, reporter=reporter, cancel=cancel, lender=lender)

    folder.mkdir(parents=True, exist_ok=True)
    limits = JobLimits(lanes=LANES)
    jobs = Jobs(JobJournal(folder / "jobs.db"), JOB_TASKS, library, folder / "uploads", limits)
    try:
        yield jobs
    finally:
        jobs.close()


@pytest.fixture
def asking(lender: Library) -> Iterator[Jobs]:
    with asked_of(lender) as jobs:
        yield jobs


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Library]:
    """Lends small parts; nothing was ever added."""
    with Library(tmp_path / "empty", config=load_config()) as opened:
        opened.embedder = HashingEmbedder()
        yield opened


def sent(library: Library, upload: str, name: str, text: str) -> str:
    """A file as an upload leaves it."""
    place = library.folder / "uploads" / upload
    place.mkdir(parents=True)
    (place / name).write_text(text)
    return upload


def ask(jobs: Jobs, job: str, **args: Any) -> None:
    jobs.start(job, "ask", {"question": QUESTION, **args}, "me")


def came(jobs: Jobs, job: str, type: str) -> JobEvent:
    def look() -> JobEvent | None:
        events = jobs.events(job)
        assert type == "error" or "error" not in types(events), events[-1].data
        return next((event for event in events if event.type == type), None)

    found: JobEvent = until(look, f"{type} of {job}")
    return found


def test_quotes_never_wait_for_anothers_prose(asking: Jobs, parrot: SlowParrot) -> None:
    ask(asking, "a")
    came(asking, "a", "sentence")
    for job in ("b", "c", "d", "e", "f"):  # more than may run at a time
        ask(asking, job)
        assert came(asking, job, "quotes").data["citations"][0]["quote"] == SAID
    assert came(asking, "b", "queued").data == {"position": 1}
    assert not [e for e in asking.events("b") if e.type == "sentence"]
    parrot.going.set()
    for job in "abcdef":
        events = followed(asking, job)
        assert types(events)[-1] == "done"
        assert events[-1].data["result"]["answer"].startswith("The pulley heals")
        assert next(e.data["claim"]["text"] for e in events if e.type == "sentence") == SAID
    assert parrot.most == 1
    assert not parrot.closed


def test_who_waits_for_the_model_is_cancelled_alone(asking: Jobs, parrot: SlowParrot) -> None:
    ask(asking, "a")
    came(asking, "a", "sentence")
    ask(asking, "b")
    came(asking, "b", "queued")
    asking.cancel("b")
    assert types(followed(asking, "b"))[-1] == "cancelled"
    parrot.going.set()
    assert types(followed(asking, "a"))[-1] == "done"


def test_who_has_the_model_is_cancelled_and_the_next_has_it(
    asking: Jobs, parrot: SlowParrot
) -> None:
    ask(asking, "a")
    came(asking, "a", "sentence")
    ask(asking, "b")
    came(asking, "b", "queued")
    asking.cancel("a")
    assert types(followed(asking, "a"))[-1] == "cancelled"
    parrot.going.set()
    assert types(followed(asking, "b"))[-1] == "done"


def test_a_follow_up_does_not_wait_to_be_rewritten(asking: Jobs, parrot: SlowParrot) -> None:
    parrot.going.set()
    ask(asking, "first", session="knee")
    followed(asking, "first")
    parrot.going.clear()
    parrot.begun.clear()
    ask(asking, "a")
    assert parrot.begun.wait(PATIENCE_S)
    asking.start("b", "ask", {"question": FOLLOW_UP, "session": "knee", "quotes": False}, "me")
    until(lambda: [e for e in asking.events("b") if e.type in ("quotes", "done")])
    query = came(asking, "b", "item").data
    assert query == {"kind": "query", "value": f"{QUESTION} {FOLLOW_UP}"}
    parrot.going.set()
    followed(asking, "b")


def test_borrowers_share_models_and_not_tokens(folder: Path, lender: Library) -> None:
    lender.reader = SharedWordsReader()
    one, two = CancelToken(), CancelToken()
    with (
        Library(folder, cancel=one, lender=lender) as first,
        Library(folder, cancel=two, lender=lender) as second,
    ):
        assert first.embedder is second.embedder
        assert first.llm() is lender._llm
        with pytest.raises(GenerationError, match="for another"):
            second.llm_at_once()
        one.cancel()
        assert lender._llm_turns.token.cancelled
        assert not second.cancel.cancelled
        first.give_back()
        assert not lender._llm_turns.token.cancelled
        assert second.llm_at_once() is lender._llm
        assert first.store() is not second.store()
    assert lender._llm_turns.free
    assert not lender.cancel.cancelled


def test_a_lent_encoder_looks_at_the_borrowers_token(folder: Path) -> None:
    with Library(folder) as lender:
        token = CancelToken()
        with Library(folder, cancel=token, lender=lender) as library:
            mine = library.embedder
            assert mine._session is lender.embedder._session  # type: ignore[attr-defined]
            token.cancel()
            with pytest.raises(Cancelled):
                mine.embed_queries(["pulley"])
            assert lender.embedder.embed_queries(["pulley"]).shape == (1, 384)


def test_vectors_are_read_once_for_all_borrowers(folder: Path, lender: Library) -> None:
    for _ in range(2):
        with Library(folder, lender=lender) as library:
            assert library.search("pulley")
        kept = lender._kept_vectors.read
        assert kept is not None
        assert kept[2].shape == (1, 64)
    with Library(folder, lender=lender) as library:
        library.search("tape")
        assert lender._kept_vectors.read is kept


# The tasks


def run_task(jobs: Jobs, task: str, **args: Any) -> JobEvent:
    job = f"job{len(jobs.rows())}"
    jobs.start(job, task, args, "me")
    return followed(jobs, job)[-1]


def test_search_gives_hits(asking: Jobs) -> None:
    result = run_task(asking, "search", query="pulley", k=1).data["result"]
    assert [hit["document_id"] for hit in result["hits"]] == ["d1"]


def test_ask_for_quotes_alone_needs_no_model(asking: Jobs, parrot: SlowParrot) -> None:
    event = run_task(asking, "ask", question=QUESTION, quotes=True, keep=False)
    assert event.data["result"]["citations"][0]["quote"] == SAID
    assert parrot.prompts == []


def test_a_caution_comes_first(asking: Jobs) -> None:
    question = f"My finger is numb. {QUESTION}"
    asking.start("a", "ask", {"question": question, "quotes": True, "keep": False}, "me")
    events = followed(asking, "a")
    assert types(events)[:2] == ["started", "caution"]
    assert events[1].data["text"] == events[-1].data["result"]["caution"]


def test_add_takes_uploads_and_tells_of_each(empty: Library) -> None:
    uploads = [
        sent(empty, "0123456789abcdef", "rest.md", "# Rest\n\nRest for 9 days."),
        sent(empty, "fedcba9876543210", "eat.md", "# Eat\n\nEat for 9 days."),
    ]
    with asked_of(empty) as jobs:
        event = run_task(jobs, "add", upload=uploads)
        assert event.type == "done", event.data
        assert event.data["result"]["added"] == 2
        items = [e.data["value"] for e in jobs.events("job0") if e.type == "item"]
        assert [(item["upload"], item["what"]) for item in items] == [
            (uploads[0], "rest.md"), (uploads[1], "eat.md"),
        ]  # fmt: skip
        assert run_task(jobs, "sync").data["result"]["unchanged"] == 2


class SlowEmbedder(HashingEmbedder):
    """Takes its time for every passage, and looks at its token."""

    cancel = NEVER

    def under(self, cancel: CancelToken) -> SlowEmbedder:
        made = SlowEmbedder()
        made.cancel = cancel
        return made

    def embed_passages(self, texts: Sequence[str]) -> Any:
        for _ in texts:
            self.cancel.wait(0.05)
        return super().embed_passages(texts)

    def embed_document(self, text: str, spans: Sequence[tuple[int, int]]) -> Any:
        return self.embed_passages([text[start:end] for start, end in spans])


def test_add_is_cancelled_and_what_was_finished_is_kept(empty: Library) -> None:
    short = sent(empty, "0123456789abcdef", "rest.md", "# Rest\n\nRest for 9 days.")
    text = "\n\n".join(f"# Part {n}\n\n{SAID * 20}" for n in range(300))
    long = sent(empty, "fedcba9876543210", "long.md", text)
    empty.embedder = SlowEmbedder()
    with asked_of(empty) as jobs:
        jobs.start("a", "add", {"upload": [short, long]}, "me")
        came(jobs, "a", "item")
        time.sleep(0.3)
        jobs.cancel("a")
        assert types(followed(jobs, "a"))[-1] == "cancelled"
        assert [row.state for row in jobs.rows()] == ["cancelled"]
    with Library(empty.folder, lender=empty) as library:
        staged = {row["title"]: row["staged"] for row in library.documents()}
        assert staged["Rest"] == 0
        with library.writer():
            pass


@pytest.mark.parametrize(
    ("task", "args", "told"),
    [
        ("ask", {}, "'question' is missing"),
        ("ask", {"question": 5}, "'question' is missing"),
        ("ask", {"question": "x", "quotes": "yes"}, "neither true nor false"),
        ("ask", {"question": "x", "filters": {"colour": "red"}}, "no filter 'colour'"),
        ("ask", {"question": "x", "filters": {"after": "soon"}}, "no date"),
        ("search", {"query": " "}, "'query' is missing"),
        ("search", {"query": "x", "k": -1}, "no number"),
        ("add", {}, "nothing is given"),
        ("add", {"what": ["/etc/passwd"]}, "no address of the web"),
        ("add", {"what": ["file:///etc/passwd"]}, "no address of the web"),
        ("add", {"what": "https://example.org"}, "no list of texts"),
        ("add", {"upload": ["../../library.db"]}, "no such upload"),
        ("extract", {"text": "x", "kind": "spells"}, "nothing that is extracted"),
        ("tag", {"texts": []}, "holds nothing"),
        ("tag", {"texts": ["x"], "encoder": "/etc"}, "no encoder"),
        ("encode", {"texts": ["x"], "encoder": "../x"}, "no encoder"),
        ("train", {"name": "../x"}, "no name of a model"),
        ("train", {"name": "x", "files": []}, "no file to learn from"),
        ("train", {"name": "x", "files": ["../x"]}, "no such upload"),
    ],
)
def test_bad_arguments_are_one_clear_error(
    asking: Jobs, task: str, args: dict[str, Any], told: str
) -> None:
    event = run_task(asking, task, **args)
    assert event.type == "error"
    assert event.data["code"] == "usage_error"
    assert event.data["exit"] == 2
    assert told in event.data["message"]


def test_encode_gives_vectors_and_cosines(folder: Path) -> None:
    with (
        Library(folder) as lender,
        open_bench(folder, Bench(), tasks=JOB_TASKS) as jobs,
    ):
        assert lender.folder == folder
        result = run_task(jobs, "encode", texts=["a pulley", "a tendon"]).data["result"]
        assert len(result["vectors"]) == 2
        assert result["cosines"][0][0] == pytest.approx(1, abs=1e-3)


def test_no_library_is_said_so(tmp_path: Path) -> None:
    with open_bench(tmp_path / "none", Bench(), tasks=JOB_TASKS) as jobs:
        event = run_task(jobs, "search", query="x")
        assert event.data["code"] == "library_error"
        assert event.data["hint"] == "dragtor add URL-OR-FILE"


def test_a_silent_reporter_hears_of_turns() -> None:
    assert SILENT.queued(3) is None  # type: ignore[func-returns-value]
