"""What all routes of a server share: settings, the library's folder, jobs, the guard, the models.

Each job and each request has a Library of its own, with its own connection to the database; models
are opened once, and lent to all. Knows no route.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.config import Config
from dragtor.errors import LibraryLocked
from dragtor.library import Library
from dragtor.types import NEVER, SILENT, CancelToken, Reporter

if TYPE_CHECKING:
    from dragtor.serve.guard import ServerGuard
    from dragtor.serve.jobs import Jobs

WRITERS = ("add", "sync")  # tasks that hold the library while they work
KEYS_FILE = "serve-keys.json"  # beside library.db
UPLOADS_FOLDER = "uploads"
WRITE_WAIT_S = 2.0  # that a request waits for who writes; a job waits as it is configured


@dataclass(frozen=True)
class Server:
    """What a route works with; `models` lends them, `uploads` holds what was sent."""

    config: Config
    path: Path  # folder of the library
    guard: ServerGuard
    jobs: Jobs
    models: Library
    uploads: Path

    def library(self, reporter: Reporter = SILENT, cancel: CancelToken = NEVER) -> Library:
        """A library for one job or request, to be used in one thread and closed there."""
        return lent(self.models, reporter, cancel)

    @contextmanager
    def writing(self) -> Iterator[Library]:
        """A library that a request changes; raises LibraryLocked soon where somebody else does."""
        config = self.config
        soon = replace(config, library=replace(config.library, lock_timeout_s=WRITE_WAIT_S))
        with Library(self.models.folder, config=soon, lender=self.models) as library:
            try:
                yield library
            except LibraryLocked as error:
                own = [row.task for row in self.jobs.rows() if row.state == "running"]
                who = next((f"the task {task}" for task in own if task in WRITERS), "a program")
                hint = "try again once it is done, or stop it"
                raise LibraryLocked(f"{who} is writing to the library", hint) from error

    def close(self) -> None:
        """End the jobs and let go of the models."""
        self.jobs.close()
        self.models.cancel.cancel()
        self.models.close()


def lent(models: Library, reporter: Reporter = SILENT, cancel: CancelToken = NEVER) -> Library:
    """The same library again, on the same models."""
    return Library(
        models.folder, config=models.config, reporter=reporter, cancel=cancel, lender=models
    )


def make_server(config: Config, path: Path, guard: ServerGuard) -> Server:
    """A server for the library in `path`; no model is opened before it is needed.

    Raises LibraryLocked where another server works on it.
    """
    from dragtor.serve.tasks import open_jobs

    models, uploads = Library(path, config=config), path / UPLOADS_FOLDER
    jobs = open_jobs(path, partial(lent, models), uploads)
    return Server(config, path, guard, jobs, models, uploads)
