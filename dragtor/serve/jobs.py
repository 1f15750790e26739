"""Jobs: what takes long runs in threads, tells the journal, and can be cancelled and resumed.

Owns when a job may run and how it ends. Knows neither sockets nor what the tasks do.
"""

from __future__ import annotations

import asyncio
import logging
import re
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from dragtor.errors import Cancelled, DragtorError, UsageError
from dragtor.library import Library
from dragtor.schema import error_json
from dragtor.serve.journal import RUNS, JobEvent, JobJournal, JobRow
from dragtor.types import CancelToken, Reporter

JOB_ID = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
BATCH_EVENTS = 100  # that a follower is given at once
ANSWERED_S = 0.1  # between two looks at whether a job that asks is cancelled
PROGRESS_S = 0.1  # between two figures of one label
CLOSING_S = 5.0  # that jobs have to end when the server does
INTERRUPTED = {
    "code": "interrupted",
    "message": "the server ended while the job was at work",
    "hint": "resume the job, or remove it",
    "exit": 130,
}
INTERNAL = {"code": "internal", "hint": "dragtor doctor", "exit": 1}
_logger = logging.getLogger(__name__)

OpenLibrary = Callable[[Reporter, CancelToken], Library]  # its models are lent: see Parts
Emit = Callable[[str, Mapping[str, Any]], object]


@dataclass
class TaskContext:
    """What a task works with; `args` are the client's, unchecked."""

    library: Library
    args: dict[str, Any]
    cancel: CancelToken
    reporter: Reporter  # writes note, progress, step and item events
    emit: Emit  # an event: its type, its data
    ask: Emit  # the same, and waits for the client's answer, which it gives
    uploads: Path  # folder of what clients have sent


JobTask = Callable[[TaskContext], Mapping[str, Any]]  # gives the result of `done`


@dataclass(frozen=True, slots=True)
class JobLimits:
    """How many jobs at a time."""

    running: int = 8
    per_client: int = 4  # of those that run; more wait
    waiting: int = 64
    lanes: Mapping[str, str] = field(
        default_factory=dict
    )  # task -> lane: in each one job at a time


@dataclass
class _Job:
    id: str
    task: str
    args: dict[str, Any]
    client: str
    cancel: CancelToken = field(default_factory=CancelToken)
    runs: bool = False
    waits: bool = False  # while it runs, for what is had in turns: others may run meanwhile
    position: int = 0  # that was told
    answers: SimpleQueue[Any] | None = None  # while it waits for one


class Jobs:
    """The jobs of a server. Any thread may call it; `follow` is for the event loop."""

    def __init__(
        self,
        journal: JobJournal,
        tasks: Mapping[str, JobTask],
        open_library: OpenLibrary,
        uploads: Path,
        limits: JobLimits | None = None,
    ) -> None:
        self.journal = journal
        self._tasks = tasks
        self._open = open_library
        self._uploads = uploads
        self.limits = limits or JobLimits()
        self._lock = threading.RLock()
        self._jobs: dict[str, _Job] = {}  # that are not over, in the order of their start
        self._threads: set[threading.Thread] = set()
        self._closing = False
        journal.interrupted(INTERRUPTED)

    # What clients ask for

    def start(self, job: str, task: str, args: dict[str, Any], client: str = "") -> JobRow:
        """Start a job under the client's own id; one that is known is only given back.

        Raises UsageError for an unknown task, a bad id, and where too many wait.
        """
        if not JOB_ID.fullmatch(job):
            raise UsageError("a job's id has 1 to 64 letters, digits and any of _ . : -")
        if task not in self._tasks:
            raise UsageError(f"there is no task {task!r}", f"tasks: {', '.join(self._tasks)}")
        with self._lock:
            if job not in self._jobs:
                self._check_room()
                if self.journal.begin(job, task, args, client):
                    self._enqueue(_Job(job, task, args, client))
        return self.journal.row(job)

    def resume(self, job: str) -> JobRow:
        """Run an interrupted, failed or cancelled job again; its events go on."""
        with self._lock:
            row = self.journal.row(job)
            if row.state in (*RUNS, "done"):
                raise UsageError(f"the job {job} is {row.state}")
            self._check_room()
            self.journal.reopen(job)
            self._enqueue(_Job(job, row.task, row.args, row.client))
        return self.journal.row(job)

    def cancel(self, job: str) -> None:
        """Ask a job to stop; one that is over is left as it is. UsageError for none such."""
        with self._lock:
            found = self._jobs.get(job)
            if found is None:
                self.journal.row(job)
                return
            if not found.runs:
                self._end(found, "cancelled", {})
        found.cancel.cancel()

    def answer(self, job: str, answer: Any) -> None:
        """Give a job what it asks its client for; UsageError where it asks for nothing."""
        with self._lock:
            found = self._jobs.get(job)
            if found is None or found.answers is None:
                raise UsageError(f"the job {job} waits for no answer")
            found.answers.put(answer)
            found.answers = None

    def remove(self, job: str) -> None:
        """Forget a job that is over."""
        self.journal.remove(job)

    def rows(self) -> list[JobRow]:
        """All jobs, the newest first."""
        return self.journal.rows()

    def row(self, job: str) -> JobRow:
        """One job; raises UsageError where there is none."""
        return self.journal.row(job)

    def events(self, job: str, after: int = 0) -> list[JobEvent]:
        """What a job has told so far, after a number."""
        return self.journal.events(job, after, None)

    async def follow(self, job: str, after: int = 0) -> AsyncGenerator[JobEvent]:
        """The events after a number, as they come, to the last; UsageError for no such job."""
        async for batch in self.batches(job, after):
            for event in batch:
                yield event

    async def batches(self, job: str, after: int = 0) -> AsyncIterator[list[JobEvent]]:
        """The same, all that is there at once."""
        self.journal.row(job)
        loop, changed = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(changed.set)

        with self.journal.watching(job, tell):
            while True:
                changed.clear()
                live = self.journal.is_live(job)
                batch = self.journal.events(job, after, BATCH_EVENTS)
                if batch:
                    after = batch[-1].seq
                    yield batch
                elif live:
                    await changed.wait()
                else:
                    return

    def close(self) -> None:
        """Stop all jobs, which can be resumed, and let go of the journal."""
        with self._lock:
            self._closing = True
            for job in list(self._jobs.values()):
                if job.runs:
                    job.cancel.cancel()
                else:
                    self._end(job, "interrupted", INTERRUPTED)
            threads = list(self._threads)
        end = time.monotonic() + CLOSING_S
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        self.journal.close()

    # When they run

    def _check_room(self) -> None:
        waiting = sum(not job.runs or job.waits for job in self._jobs.values())
        if self._closing:
            raise UsageError("the server is ending")
        if waiting >= self.limits.waiting:
            raise UsageError(f"{waiting} jobs wait already", "start it again later")

    def _enqueue(self, job: _Job) -> None:
        self._jobs[job.id] = job
        self._schedule()
        if not job.runs:
            self._tell_positions()

    def _schedule(self) -> None:
        """Start what may run: the next of the client that has fewest running."""
        while not self._closing:
            busy = Counter(job.client for job in self._jobs.values() if self._counts(job))
            waiting = [job for job in self._jobs.values() if not job.runs]
            ready = [job for job in waiting if self._may_run(job, busy)]
            if not ready:
                return
            job = min(ready, key=lambda each: busy[each.client])
            job.runs = True
            thread = threading.Thread(
                target=self._run, args=(job,), name=f"job {job.id}", daemon=True
            )
            self._threads.add(thread)
            thread.start()

    def _counts(self, job: _Job) -> bool:
        return job.runs and not job.waits and job.task not in self.limits.lanes

    def _may_run(self, job: _Job, busy: Counter[str]) -> bool:
        limits = self.limits
        if lane := limits.lanes.get(job.task):
            return not any(j.runs and limits.lanes.get(j.task) == lane for j in self._jobs.values())
        return busy.total() < limits.running and busy[job.client] < limits.per_client

    def _tell_positions(self) -> None:
        waiting = [job for job in self._jobs.values() if not job.runs]
        for position, job in enumerate(waiting, 1):
            if job.position != position:
                job.position = position
                self.journal.append(job.id, "queued", {"position": position})

    def _end(self, job: _Job, type: str, data: Mapping[str, Any]) -> None:
        with self._lock:
            del self._jobs[job.id]
            self.journal.append(job.id, type, data)
            self._schedule()
            self._tell_positions()

    # A job's thread

    def _run(self, job: _Job) -> None:
        try:
            self.journal.append(job.id, "started", {"task": job.task})
            type, data = self._outcome(job)
            self._end(job, type, data)
        finally:
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _outcome(self, job: _Job) -> tuple[str, Mapping[str, Any]]:
        """The last event of a job: its type and data."""
        reporter = JobReporter(self, job)
        try:
            with self._open(reporter, job.cancel) as library:
                context = TaskContext(
                    library,
                    job.args,
                    job.cancel,
                    reporter,
                    reporter.emit,
                    reporter.ask,
                    self._uploads,
                )
                return "done", {"result": self._tasks[job.task](context)}
        except Cancelled:
            return ("interrupted", INTERRUPTED) if self._closing else ("cancelled", {})
        except DragtorError as error:
            return "error", error_json(error)
        except Exception as error:
            _logger.exception("the job %s (%s) failed", job.id, job.task)
            return "error", INTERNAL | {"message": f"an error of dragtor's: {type(error).__name__}"}

    def wait_for_answer(self, job: _Job, type: str, data: Mapping[str, Any]) -> Any:
        """What the client answers to an event; others run meanwhile. Raises Cancelled."""
        answers: SimpleQueue[Any] = SimpleQueue()
        with self._lock:
            job.answers = answers
        self.journal.append(job.id, type, data)
        self.wait_in_turn(job, waits=True)
        try:
            while True:
                job.cancel.check()
                with suppress(Empty):
                    return answers.get(timeout=ANSWERED_S)
        finally:
            job.answers = None
            self.wait_in_turn(job, waits=False)

    def wait_in_turn(self, job: _Job, *, waits: bool) -> None:
        """A job waits for what is had in turns, and others may run meanwhile; or goes on."""
        with self._lock:
            job.waits = waits
            self._schedule()


class JobReporter(Reporter):
    """Writes into the journal what a job's work says. A label's progress: ten times a second."""

    def __init__(self, jobs: Jobs, job: _Job) -> None:
        self._jobs, self._job = jobs, job
        self._told: dict[str, float] = {}  # label -> when
        self._steps = 0

    def emit(self, type: str, data: Mapping[str, Any]) -> None:
        """An event of the job."""
        self._jobs.journal.append(self._job.id, type, data)

    def ask(self, type: str, data: Mapping[str, Any]) -> Any:
        """An event of the job that its client answers; gives the answer."""
        return self._jobs.wait_for_answer(self._job, type, data)

    def note(self, text: str) -> None:
        """As a `note`."""
        self.emit("note", {"text": text})

    def progress(self, label: str, done: float, total: float) -> None:
        """As `progress`, where the latest is not of this moment, or all is done."""
        now = time.monotonic()
        if (done < total or not total) and now - self._told.get(label, 0.0) < PROGRESS_S:
            return
        self._told[label] = now
        self.emit("progress", {"label": label, "done": done, "total": total, "unit": ""})

    def step(self, name: str) -> None:
        """As a `step`; how many there will be is not known."""
        self._steps += 1
        self.emit("step", {"step": self._steps, "max_steps": 0, "label": name})

    def queued(self, ahead: int) -> None:
        """As `queued`, with the position before what is had in turns."""
        self._jobs.wait_in_turn(self._job, waits=ahead > 0)
        self.emit("queued", {"position": ahead})

    def item(self, kind: str, value: Any) -> None:
        """As an `item`."""
        self.emit("item", {"kind": kind, "value": value})
