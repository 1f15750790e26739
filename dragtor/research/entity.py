"""A research about a person or a company: pages that are about it, sorted into fixed sections.

Owns the order of its steps; whom a page is about says subject.py, what a section is sift.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from dragtor.dossier import (
    SECTIONS,
    Dossier,
    DoubtfulPage,
    ResearchEvent,
    SectionFound,
    Stopped,
)
from dragtor.research.plan import names_of_others, subject_queries
from dragtor.research.run import Work
from dragtor.research.sift import SECTION_QUESTIONS, Sifted, sift
from dragtor.research.subject import Subject, SubjectPage, judged
from dragtor.research.write import SectionWriter
from dragtor.store import Filters
from dragtor.types import Document, Hits

LIBRARY_HITS = 40  # of the library, that are looked through for the name
STEPS = 3  # plan, library, write; two more for each hop to the web
OTHERS = 3  # names in quotes that a second hop goes on from


@dataclass
class EntityInquiry:
    """One subject; what is found grows with each step."""

    subject: Subject
    pages: dict[str, SubjectPage] = field(default_factory=dict)
    sifted: dict[str, Sifted] = field(default_factory=dict)
    model: str = ""

    def planned(self, web: bool, hops: int) -> int:
        """How many steps it takes at most."""
        return STEPS + (2 * min(hops, 2) if web else 0)

    def steps(self, work: Work) -> Iterator[ResearchEvent]:
        """Plan, library, the web, a second hop for what is empty, the sections."""
        yield work.budget.step("plan: " + ", ".join(SECTIONS[self.subject.category]))
        queries = subject_queries(self.subject)
        yield work.budget.step("look in the library")
        if work.parts.exists():
            self._judge(work, self._library(work, queries))
        self._sift(work)
        for hop in range(1, min(work.parts.config.hops, 2) + 1):
            if hop > 1:
                queries = self._second_queries()
            documents: list[Document] = []
            for event in work.pages_of(queries, hop):
                if isinstance(event, list):
                    documents = event
                else:
                    yield event
            if documents:
                self._judge(work, documents)
                self._sift(work)
        yield work.budget.step("write sections")
        yield from self._sections(work)

    def finish(self, work: Work, stopped: Stopped) -> Dossier:
        """The sections that are written, and the quotes of those that are not."""
        if stopped:
            written = {section.title for section in work.sections}
            for title in SECTIONS[self.subject.category]:
                if title not in written:
                    work.sections.append(self._section(work, title, self._writer(work, quick=True)))
        doubtful = () if self._all_doubtful else tuple(self._doubtful())
        return replace(work.dossier(stopped), doubtful=doubtful, model=self.model)

    def _library(self, work: Work, queries: Sequence[str]) -> list[Document]:
        """Documents of the library in which the name stands."""
        retriever = work.parts.retriever()
        config = replace(retriever.config, k=LIBRARY_HITS, join_neighbours=False)
        retriever = replace(retriever, config=config, reranker=None)
        plain = [query.replace('"', "") for query in queries]
        found: dict[str, Document] = {}
        for filters in (None, *self._earlier(work)):
            hits: Hits = (result := retriever.search_documents(plain, filters)).hits
            for hit in hits:
                document = result.documents[hit.passage.document_id]
                seen = f"{document.title}\n{hit.passage.heading}\n{hit.passage.text}"
                if self.subject.names(seen):
                    found.setdefault(document.id, document)
        return list(found.values())

    def _earlier(self, work: Work) -> Iterator[Filters]:
        """What an earlier research about the same subject has fetched."""
        store = work.parts.retriever().store
        if any(source.id == work.id for source in store.sources()):
            yield Filters(source=work.id)

    def _judge(self, work: Work, documents: Sequence[Document]) -> None:
        store = work.parts.retriever().store
        for document in documents:
            kept = store.document(document.id) or document
            page = judged(self.subject, kept, store.passages_of(document.id))
            if page.standing != "other" and page.passages:
                self.pages[document.id] = page

    @property
    def _all_doubtful(self) -> bool:
        """Whether nothing can tell namesakes apart: no context term was given."""
        return not self.subject.context and any(p.standing == "doubtful" for p in self._every())

    def _every(self) -> list[SubjectPage]:
        return list(self.pages.values())

    def _doubtful(self) -> Iterator[DoubtfulPage]:
        for page in self._every():
            if page.standing == "doubtful":
                document = page.document
                yield DoubtfulPage(document.id, document.title, document.uri, page.why)

    def _sift(self, work: Work) -> None:
        """Sort what is about the subject; doubtful pages only where all are."""
        chosen = [p for p in self._every() if p.standing == "sure" or self._all_doubtful]
        config = work.parts.config
        self.sifted = sift(self.subject, chosen, work.parts.embed(), config.quotes, work.cancel)

    def _second_queries(self) -> list[str]:
        """For empty sections: the name with the names in the quotes of the others."""
        empty = [title for title, sifted in self.sifted.items() if not sifted.spans]
        if not empty:
            return []
        texts = [span.text for sifted in self.sifted.values() for span in sifted.spans]
        known = " ".join((self.subject.name, *self.subject.context))
        others = names_of_others(texts, known, OTHERS)
        return [f'"{self.subject.name}" {each}' for each in (*others, *empty[:1])]

    def _writer(self, work: Work, *, quick: bool = False) -> SectionWriter:
        parts = work.parts
        llm = None if quick else parts.llm
        return SectionWriter(llm, parts.support, parts.embed(), work.budget, work.cancel)

    def _sections(self, work: Work) -> Iterator[ResearchEvent]:
        writer = self._writer(work)
        if writer.llm is not None and any(sifted.spans for sifted in self.sifted.values()):
            self.model = writer.llm().name
        for title in SECTIONS[self.subject.category]:
            work.cancel.check()
            section = self._section(work, title, writer)
            work.sections.append(section)
            yield section

    def _section(self, work: Work, title: str, writer: SectionWriter) -> SectionFound:
        sifted = self.sifted.get(title) or Sifted((), {})
        question = SECTION_QUESTIONS[title].format(name=self.subject.name)
        claims, citations = writer.claims(
            self.subject.name, f"{title} ({question})", sifted.spans, sifted.also, work.numbered
        )
        sources = len(self.pages)
        return SectionFound(title, tuple(claims), tuple(citations), sources, self._all_doubtful)
