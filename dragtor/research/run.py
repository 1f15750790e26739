"""The order of a research: plan, library, web by consent, one second hop, sections, dossier.

No text of a page chooses a step, an address or a query. Knows how no step is done; who searches,
fetches and keeps is handed over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from dragtor import ground
from dragtor.config import ResearchConfig
from dragtor.dossier import Consent, Dossier, ResearchEvent, ResearchStep, SectionFound, Stopped
from dragtor.errors import Cancelled, LoadError
from dragtor.load.researched import research_id, research_source
from dragtor.research.budget import Budget, BudgetSpent
from dragtor.research.write import Numbered
from dragtor.store import Filters
from dragtor.types import SILENT, CancelToken, Document, Hits, Reporter, Source

if TYPE_CHECKING:
    from dragtor.llm import LLM
    from dragtor.load.websearch import ResearchWeb, WebResult
    from dragtor.retrieve import Retriever

RESULTS_READ = 8  # of one query, that are looked at
LEAST_WAIT_S = 0.05  # between two looks at the clock, while somebody is asked for consent
SECOND_HOP_PAGES = 4  # that the first hop leaves, if there may be a second one

Granted = Callable[[Consent], bool]


class FoundEvidence(Protocol):
    """What may answer a question: sentences, best first, and how sure it is that they do."""

    @property
    def ranked(self) -> Sequence[ground.TextSpan]: ...  # noqa: D102

    @property
    def passes(self) -> bool: ...  # noqa: D102

    @property
    def answers(self) -> float: ...  # noqa: D102

    @property
    def hits(self) -> Hits: ...  # noqa: D102


class FindsEvidence(Protocol):
    """Looks for what answers one question: what an answer pipeline does before it answers."""

    def evidence(
        self,
        question: str,
        filters: Filters | None = None,
        *,
        query: str = "",
        cancel: CancelToken = ...,
    ) -> FoundEvidence:
        """See answer.Evidence."""
        ...


@dataclass(frozen=True)
class ResearchParts:
    """What a research works with. `llm` None: quotes only.

    `keep_pages` indexes pages as documents of a source, `keep` saves the dossier at its end and
    looks at no cancel token. `exists` says whether there is a library yet.
    """

    config: ResearchConfig
    exists: Callable[[], bool]
    retriever: Callable[[], Retriever]
    answers: Callable[[], FindsEvidence]
    web: Callable[[], ResearchWeb]
    keep_pages: Callable[[Source, Sequence[Document]], None]
    keep: Callable[[Dossier], None]
    support: ground.Support
    embed: Callable[[], ground.EmbedTexts]
    llm: Callable[[], LLM] | None
    cancel: CancelToken
    reporter: Reporter = SILENT
    clock: Callable[[], float] = time.monotonic


@dataclass
class Work:
    """One research under way: what was asked, what is found, and what may still be spent."""

    parts: ResearchParts
    name: str
    category: str
    context: tuple[str, ...]
    budget: Budget
    granted: Granted | None = None  # None: the web is not even asked for
    numbered: Numbered = field(default_factory=Numbered)
    sections: list[SectionFound] = field(default_factory=list)
    asked_for: set[str] = field(default_factory=set)  # addresses

    @property
    def id(self) -> str:
        """The same for the same subject and context."""
        return research_id(self.name, self.category, self.context)

    @property
    def source(self) -> Source:
        """That holds its pages and its dossier."""
        return research_source(self.id, self.name)

    @property
    def cancel(self) -> CancelToken:
        """What ends it."""
        return self.parts.cancel

    def pages_of(
        self, queries: Sequence[str], hop: int
    ) -> Iterator[ResearchEvent | list[Document]]:
        """The events of one hop to the web, then the pages it brought: the last item is the list.

        Two steps; nothing goes out before consent.
        """
        if self.granted is None or not self.budget.pages_left or not queries:
            yield []
            return
        reserve = SECOND_HOP_PAGES if hop == 1 and self.parts.config.hops > 1 else 0
        most = max(1, self.budget.pages_left - reserve)
        web = self.parts.web()
        consent = Consent(web.providers, tuple(queries), most, hop)
        with self.budget.waiting():
            yield consent
            granted = self.granted(consent)
        if not granted:
            self.parts.reporter.note("nothing goes out to the web: it was not allowed")
            self.granted = None
            yield []
            return
        yield self.budget.step(f"search {', '.join(web.providers)}")
        found = [web.find(query, RESULTS_READ) for query in self.cancel.checked(queries)]
        urls = [result.url for result in self._chosen(found)][:most]
        yield self.budget.step(f"read {len(urls)} pages")
        yield self._read(web, urls)

    def _chosen(self, found: Sequence[Sequence[WebResult]]) -> Iterator[WebResult]:
        """Results that were not fetched yet, of each query in turn."""
        for rank in range(max(map(len, found), default=0)):
            for results in found:
                if rank < len(results) and results[rank].url not in self.asked_for:
                    self.asked_for.add(results[rank].url)
                    yield results[rank]

    def _read(self, web: ResearchWeb, urls: Iterable[str]) -> list[Document]:
        """The pages that can be read, kept as documents of the research's source."""
        allowed = [url for url in urls if self.budget.page()]
        pages: dict[str, Document] = {}
        for page in web.read(allowed):
            if isinstance(page, LoadError):
                self.parts.reporter.note(f"left out: {page}")
            else:
                pages.setdefault(page.id, page)
        if pages:
            self.cancel.check()
            self.parts.keep_pages(self.source, list(pages.values()))
        return list(pages.values())

    def dossier(self, stopped: Stopped) -> Dossier:
        """What there is by now."""
        return Dossier(
            self.id,
            self.name,
            self.category,
            self.context,
            tuple(self.sections),
            stopped=stopped,
            steps=self.budget.steps,
            pages=self.budget.pages,
            seconds=round(self.budget.seconds, 3),
            tokens=self.budget.tokens,
            uri=self.source.uri,
        )


class Inquiry(Protocol):
    """A kind of research: its steps, and how its dossier is made of what they found."""

    def steps(self, work: Work) -> Iterator[ResearchEvent]:
        """Do it; raises BudgetSpent where a step is one too many, and Cancelled."""
        ...

    def finish(self, work: Work, stopped: Stopped) -> Dossier:
        """The dossier of what was found; quick, and asks no cancel token where it was stopped."""
        ...


@dataclass(frozen=True)
class Researcher:
    """Does researches, one at a time, over open parts."""

    parts: ResearchParts

    def run(
        self,
        inquiry: Inquiry,
        name: str,
        category: str = "",
        context: Sequence[str] = (),
        *,
        planned: int,
        granted: Granted | None = None,
    ) -> Iterator[ResearchEvent]:
        """The events of a research, the Dossier last; it is saved by then.

        Where it is cancelled, what was found is saved and told too, then Cancelled is raised.
        """
        budget = Budget(self.parts.config, planned, self.parts.clock)
        work = Work(self.parts, name, category, tuple(context), budget, granted)
        stopped: Stopped = ""
        expired = CancelToken()
        try:
            with _limit(expired, budget), self.parts.cancel.following(expired):
                yield from self._timed(inquiry.steps(work), work)
        except BudgetSpent:
            stopped = "time" if budget.out_of_time() else "steps"
        except Cancelled:
            stopped = "time" if expired.cancelled or budget.out_of_time() else "cancelled"
        dossier = inquiry.finish(work, stopped)
        self.parts.keep(dossier)
        yield dossier
        if stopped == "cancelled":
            raise Cancelled

    def _timed(self, events: Iterator[ResearchEvent], work: Work) -> Iterator[ResearchEvent]:
        """The events; no step begins once all seconds are spent."""
        for event in events:
            if isinstance(event, ResearchStep) and work.budget.out_of_time():
                raise BudgetSpent
            yield event
            work.cancel.check()


@contextmanager
def _limit(expired: CancelToken, budget: Budget) -> Iterator[None]:
    """Where all seconds are spent the token is set, whatever is going on then."""
    over = threading.Event()

    def watch() -> None:
        while (left := budget.config.seconds - budget.seconds) > 0:
            if over.wait(min(max(left, LEAST_WAIT_S), threading.TIMEOUT_MAX)):
                return
        expired.cancel()

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        over.set()
