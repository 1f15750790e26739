"""A research that answers a question: its parts asked one by one, then again by what was found.

Owns the order of its steps; how one part is answered belongs to the answer pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from dragtor.dossier import Dossier, ResearchEvent, SectionFound, Stopped
from dragtor.ground import TextSpan
from dragtor.ground.stems import stems
from dragtor.research.plan import MOST_QUERIES, names_of_others, sub_questions
from dragtor.research.run import Work
from dragtor.research.sift import distinct_spans, worth_quoting
from dragtor.research.write import SectionWriter
from dragtor.store import Filters

STEPS = 4  # plan, library, second look, write; two more for each hop to the web
OTHERS = 3  # names in quotes that a second look goes on from
LEAST_NEW = 2  # content words of a question that no quote holds: they are looked for again
SPARE = 3  # times the quotes of a part are kept of it: others may have said some of them
LEAST_ANSWERS = 0.2  # probability that a page answers that was found for this very question


@dataclass(frozen=True, slots=True)
class _Part:
    """A (sub-)question, the sentences that answer it, best first, and the nearest that does not."""

    question: str
    query: str = ""  # it is looked for by; empty: itself
    spans: tuple[TextSpan, ...] = ()
    nearest: str = ""


@dataclass
class QuestionInquiry:
    """One question; `quotes` are those of a part, at most, without the web and with it."""

    question: str
    quotes: tuple[int, int]
    filters: Filters = field(default_factory=Filters)
    parts: list[_Part] = field(default_factory=list)
    model: str = ""
    looked_in: set[str] = field(default_factory=set)  # documents

    def planned(self, web: bool, hops: int) -> int:
        """How many steps it takes at most."""
        return STEPS - (hops < 2) + (2 * min(hops, 2) if web else 0)

    def steps(self, work: Work) -> Iterator[ResearchEvent]:
        """Plan, library, the web, a second look for what is missing."""
        yield work.budget.step("plan sub-questions")
        asked = sub_questions(self.question, work.parts.llm, work.budget, work.cancel)
        self.parts = [_Part(each.question, each.query) for each in asked]
        yield work.budget.step(f"look in the library for {len(asked)} questions")
        if work.parts.exists():
            self._look(work, self.filters)
        yield from self._web(work, [part.query or part.question for part in self.parts], 1)
        if work.parts.config.hops > 1 and self._missing():
            yield work.budget.step("look again by what was found")
            again = self._second_queries()
            if work.parts.exists():
                self._look(work, self.filters, again)
            yield from self._web(work, list(again.values()), 2)
        yield work.budget.step("write the answer")
        for section in self._sections(work, quick=False):
            work.sections.append(section)
            yield section

    def finish(self, work: Work, stopped: Stopped) -> Dossier:
        """What was found until then."""
        if stopped and not work.sections:
            work.sections += self._sections(work, quick=True)
        return replace(work.dossier(stopped), model=self.model)

    def _web(self, work: Work, queries: Sequence[str], hop: int) -> Iterator[ResearchEvent]:
        pages = []
        for event in work.pages_of(queries[:MOST_QUERIES], hop):
            if isinstance(event, list):
                pages = event
            else:
                yield event
        if pages:
            self._look(work, Filters(source=work.id), found_for_it=True)

    def _look(
        self,
        work: Work,
        filters: Filters,
        queries: Mapping[str, str] | None = None,
        *,
        found_for_it: bool = False,
    ) -> None:
        """Look for every part, or for those that have a query of `queries`, by that."""
        for at, part in enumerate(self.parts):
            if queries is None or part.question in queries:
                work.cancel.check()
                query = (queries or {}).get(part.question, part.query)
                self.parts[at] = self._answered(work, part, filters, query, found_for_it)

    def _answered(
        self, work: Work, part: _Part, filters: Filters, query: str, found_for_it: bool
    ) -> _Part:
        """The part with what answers it now beside what did before."""
        found = work.parts.answers().evidence(
            part.question, filters, query=query, cancel=work.cancel
        )
        self.looked_in |= {hit.passage.document_id for hit in found.hits}
        ranked = [span for span in found.ranked if worth_quoting(span.text)]
        if not (found.passes or (found_for_it and found.answers >= LEAST_ANSWERS)):
            return replace(part, nearest=ranked[0].text if ranked else part.nearest)
        most = self.quotes[found_for_it]
        return replace(part, spans=distinct_spans([*part.spans, *ranked], SPARE * most))

    def _quotes(self) -> list[str]:
        return [span.text for part in self.parts for span in part.spans]

    def _missing(self) -> list[_Part]:
        """Parts that nothing answers; a question without parts, where no quote holds its words."""
        empty = [part for part in self.parts if not part.spans]
        if empty or len(self.parts) > 1:
            return empty
        held = stems(" ".join(self._quotes()))
        return self.parts if len(stems(self.question) - held) >= LEAST_NEW else []

    def _second_queries(self) -> dict[str, str]:
        """What is looked for again, by the part: its words that are missing, and names found."""
        quotes = self._quotes()
        nearest = [part.nearest for part in self.parts if part.nearest]
        others = names_of_others([*quotes, *nearest], self.question, OTHERS)
        held = stems(" ".join(quotes))
        found = {}
        for part in self._missing():
            words = [w for w in part.question.rstrip("?").split() if stems(w) - held]
            query = (part.query or part.question) if not part.spans else " ".join(words)
            found[part.question] = " ".join([query, *others])
        return found

    def _sections(self, work: Work, *, quick: bool) -> list[SectionFound]:
        """A section for each part, the whole question last: it holds what no part says."""
        first, *rest = self.parts or [_Part(self.question)]
        parts = work.parts
        llm = None if quick else parts.llm
        if llm is not None and any(part.spans for part in self.parts):
            self.model = llm().name
        writer = SectionWriter(llm, parts.support, parts.embed(), work.budget, work.cancel)
        most = max(self.quotes) if work.budget.pages else self.quotes[0]
        said: list[TextSpan] = []
        sections = []
        for part in (*rest, first):
            fresh = distinct_spans([*said, *part.spans], len(said) + most)[len(said) :]
            if part.spans and not fresh:
                continue
            said += fresh
            claims, citations = writer.claims(part.question, "Answer", fresh, {}, work.numbered)
            found = tuple(claims), tuple(citations)
            sections.append(SectionFound(part.question, *found, len(self.looked_in)))
        return sections
