"""What all routes of a server share: settings, the library's folder, jobs, the guard, the models.

Each job and each request has a Library of its own, with its own connection to the database; models
are opened once, for all. Knows no route.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.config import Config
from dragtor.library import Library
from dragtor.parts import Parts
from dragtor.types import NEVER, SILENT, CalendarEvents, CancelToken, Reporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dragtor.embed import Embedder
    from dragtor.llm import LLM
    from dragtor.rerank import Reranker
    from dragtor.serve.guard import Guard
    from dragtor.serve.jobs import Jobs
    from dragtor.types import Reader, Tagger

KEYS_FILE = "serve.json"  # beside library.db
UPLOADS_FOLDER = "uploads"
Door = Callable[["LLM", CancelToken], "LLM"]  # a library's way to the one language model


class SharedModels:
    """The models of all libraries of a server, each opened by whoever needs it first.

    `cancel` of the language model is its own: who writes lets it follow that of the job. Nothing
    of a job ends what another one reads.
    """

    def __init__(self, config: Config, folder: Path) -> None:
        self._readers = Parts(config, folder)
        self._writer = Parts(config, folder)
        self._events = Parts(config, folder)
        self._opening = threading.RLock()
        self._extracting = threading.Lock()
        self.door: Door = lambda llm, cancel: llm

    @property
    def llm_cancel(self) -> CancelToken:
        """What stops the language model."""
        return self._writer.cancel

    def llm(self, cancel: CancelToken) -> LLM:
        """The one language model, through the door, for a job that `cancel` stops."""
        with self._opening:
            return self.door(self._writer.llm(), cancel)

    def part(self, name: str) -> Any:
        """The one embedder, reader, tagger or reranker."""
        with self._opening:
            return getattr(self._readers, name)

    @contextmanager
    def events(self, cancel: CancelToken) -> Iterator[Parts]:
        """What finds events, for one text at a time."""
        with self._extracting, self._events.cancel.following(cancel):
            yield self._events

    def close(self) -> None:
        """Stop and let go of all of them."""
        for parts in (self._readers, self._writer, self._events):
            parts.cancel.cancel()
            parts.close()


class ServedLibrary(Library):
    """A library of one job or request, on the server's models."""

    def __init__(
        self,
        models: SharedModels,
        config: Config,
        folder: Path,
        reporter: Reporter,
        cancel: CancelToken,
    ) -> None:
        super().__init__(folder, config=config, reporter=reporter, cancel=cancel)
        self._models = models

    @cached_property
    def embedder(self) -> Embedder:
        """The server's one."""
        found: Embedder = self._models.part("embedder")
        return found

    @cached_property
    def tagger(self) -> Tagger:
        """The server's one."""
        found: Tagger = self._models.part("tagger")
        return found

    @cached_property
    def reader(self) -> Reader | None:
        """The server's one, if there is one."""
        found: Reader | None = self._models.part("reader")
        return found

    @cached_property
    def reranker(self) -> Reranker | None:
        """The server's one; one of its own where the language model ranks, which has a queue."""
        if self.config.retrieve.rerank == "llm":
            from dragtor.rerank import open_reranker

            read = self.embedder.embed_tokens
            return open_reranker("llm", self.config.models, self.llm, read, cancel=self.cancel)
        found: Reranker | None = self._models.part("reranker")
        return found

    def llm(self) -> LLM:
        """The server's one."""
        return self._models.llm(self.cancel)

    def extract_events(
        self,
        text: str,
        now: datetime | str | None = None,
        tz: str = "",
        locale: str = "",
        day_first: bool | None = None,
        adapter: Path | None = None,
    ) -> CalendarEvents:
        """As Library's, with the server's one extractor."""
        from dragtor.events.locale import open_zone, read_now

        zone = open_zone(tz)
        moment = read_now(now, zone) if isinstance(now, str) else now
        with self._models.events(self.cancel) as parts:
            extractor = parts.event_extractor(tz, locale, day_first, adapter)
            return CalendarEvents(extractor.events(text, moment))


@dataclass(frozen=True)
class Server:
    """What a route works with; `path` is the library's folder, `uploads` holds what was sent."""

    config: Config
    path: Path
    guard: Guard
    models: SharedModels
    jobs: Jobs
    uploads: Path

    def library(self, reporter: Reporter = SILENT, cancel: CancelToken = NEVER) -> Library:
        """A library for one job or request, to be used in one thread and closed there."""
        return ServedLibrary(self.models, self.config, self.path, reporter, cancel)

    def close(self) -> None:
        """End the jobs and let go of the models."""
        self.jobs.close()
        self.models.close()


def open_server(config: Config, path: Path, guard: Guard) -> Server:
    """A server for the library in `path`; no model is opened before it is needed."""
    from dragtor.serve.jobs import Jobs
    from dragtor.serve.journal import Journal
    from dragtor.serve.tasks import TASKS

    models = SharedModels(config, path)

    def library(reporter: Reporter = SILENT, cancel: CancelToken = NEVER) -> Library:
        return ServedLibrary(models, config, path, reporter, cancel)

    path.mkdir(parents=True, exist_ok=True)
    jobs = Jobs(Journal(path / "jobs.db"), TASKS, library)
    return Server(config, path, guard, models, jobs, path / UPLOADS_FOLDER)
