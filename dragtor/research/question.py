"""A research that answers a question: its parts asked one by one, then again by what was found.

Owns the order of its steps; how one part is answered belongs to the answer pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from dragtor.dossier import Dossier, ResearchEvent, SectionFound, Stopped
from dragtor.ground.stems import stems
from dragtor.research.plan import MOST_QUERIES, names_of_others, sub_questions
from dragtor.research.run import Work
from dragtor.store import Filters
from dragtor.types import Answer, Citation

STEPS = 4  # plan, library, second look, write; two more for each hop to the web
OTHERS = 3  # names in quotes that a second look goes on from
LEAST_NEW = 2  # content words of a question that no quote holds: they are looked for again


@dataclass(frozen=True, slots=True)
class _Part:
    """A (sub-)question, and what was said to it: each claim with its citations."""

    question: str
    query: str = ""  # it is looked for by; empty: itself
    said: tuple[tuple[str, tuple[Citation, ...]], ...] = ()
    nearest: str = ""


@dataclass
class QuestionInquiry:
    """One question; `quotes_only`: nothing is written by a language model."""

    question: str
    quotes_only: bool = False
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
        llm = None if self.quotes_only else work.parts.llm
        asked = sub_questions(self.question, llm, work.budget, work.cancel)
        self.parts = [_Part(each.question, each.query) for each in asked]
        yield work.budget.step(f"look in the library for {len(asked)} questions")
        if work.parts.exists():
            self._ask_all(work, self.filters)
        yield from self._web(work, [part.query or part.question for part in self.parts], 1)
        if work.parts.config.hops > 1 and self._missing():
            yield work.budget.step("look again by what was found")
            again = self._second_queries()
            if work.parts.exists():
                self._ask_again(work, self.filters, again)
            yield from self._web(work, list(again.values()), 2)
        yield work.budget.step("write the answer")
        for section in self._sections(work):
            work.sections.append(section)
            yield section

    def finish(self, work: Work, stopped: Stopped) -> Dossier:
        """What was said until then."""
        if stopped and not work.sections:
            work.sections += self._sections(work)
        return replace(work.dossier(stopped), model=self.model)

    def _web(self, work: Work, queries: Sequence[str], hop: int) -> Iterator[ResearchEvent]:
        pages = []
        for event in work.pages_of(queries[:MOST_QUERIES], hop):
            if isinstance(event, list):
                pages = event
            else:
                yield event
        if pages:
            self.looked_in |= {page.id for page in pages}
            self._ask_all(work, Filters(source=work.id))

    def _ask_all(self, work: Work, filters: Filters) -> None:
        for at, part in enumerate(self.parts):
            work.cancel.check()
            self.parts[at] = self._asked(work, part, filters)

    def _ask_again(self, work: Work, filters: Filters, queries: dict[str, str]) -> None:
        for at, part in enumerate(self.parts):
            if part.question in queries:
                work.cancel.check()
                self.parts[at] = self._asked(work, part, filters, queries[part.question])

    def _asked(self, work: Work, part: _Part, filters: Filters, query: str = "") -> _Part:
        """The part with what is said to it now beside what was said before."""
        *_, answer = work.parts.answers().ask(
            part.question,
            filters,
            quotes_only=self.quotes_only or work.parts.llm is None,
            query=query or part.query,
            cancel=work.cancel,
        )
        assert isinstance(answer, Answer)  # by contract
        work.budget.tokens += answer.tokens.get("completion", 0)
        self.looked_in |= {hit.passage.document_id for hit in answer.hits}
        if answer.grounded and answer.model:
            self.model = answer.model
        cited = {citation.n: citation for citation in answer.citations}
        said = dict(part.said)
        for claim in answer.claims if answer.grounded else ():
            said.setdefault(claim.text, tuple(cited[n] for n in claim.citations if n in cited))
        nearest = answer.nearest.quote if answer.nearest else part.nearest
        return replace(part, said=tuple(said.items()), nearest=nearest)

    def _quotes(self) -> list[str]:
        return [c.quote for part in self.parts for _, cited in part.said for c in cited]

    def _missing(self) -> list[_Part]:
        """Parts that nothing answers; a question without parts, where no quote holds its words."""
        empty = [part for part in self.parts if not part.said]
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
            query = (part.query or part.question) if not part.said else " ".join(words)
            found[part.question] = " ".join([query, *others])
        return found

    def _sections(self, work: Work) -> list[SectionFound]:
        """A section for each part, the whole question last: it holds what no part says."""
        first, *rest = self.parts or [_Part(self.question)]
        said_before: set[tuple[str, int, int]] = set()
        texts: set[str] = set()
        sections = []
        for part in (*rest, first):
            claims, fresh = [], []
            for text, cited in part.said:
                places = {(c.document_id, c.start, c.end) for c in cited}
                if text in texts or (places and places <= said_before):
                    continue
                texts.add(text)
                said_before |= places
                claim, new = work.numbered.claim(text, cited)
                claims.append(claim)
                fresh += new
            if claims or not part.said:
                found = tuple(claims), tuple(fresh)
                sections.append(SectionFound(part.question, *found, len(self.looked_in)))
        return sections
