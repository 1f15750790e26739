"""What a research tells on its way and at its end: steps, consent, sections, the dossier.

Frozen dataclasses, no I/O; how they look as JSON is schema.py's. Knows no step and no provider.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from dragtor import display
from dragtor.types import Answer, Citation, Claim

CATEGORIES = ("person", "company")  # whom a research may be about; a question has none
SECTIONS: Mapping[str, tuple[str, ...]] = {  # of a dossier, by category
    "person": ("Summary", "Work Experience", "Education", "Other Information"),
    "company": ("Summary", "Relevant Industry", "Products", "Other Information"),
}
NOT_FOUND = "Not found in {sources}."
Stopped = Literal["", "cancelled", "time", "steps"]


@dataclass(frozen=True, slots=True)
class ResearchStep:
    """A step begins. The rest is what was spent before it: seconds, pages fetched, tokens."""

    step: int  # from 1
    max_steps: int
    label: str
    seconds: float = 0.0
    pages: int = 0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Consent:
    """What would go out to the web: these very queries to these providers, then page addresses.

    `pages` is how many would be fetched at most. Nothing goes out unless it is granted.
    """

    providers: tuple[str, ...]
    queries: tuple[str, ...]
    pages: int
    hop: int = 1  # the second goes on from names in what the first one found


@dataclass(frozen=True, slots=True)
class SectionFound:
    """A section, its claims with the numbers of their citations, and those that are new with it.

    Without claims nothing was found in `sources` documents that were read. `doubtful`: nothing
    tells whether all of it is of the same person.
    """

    title: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    sources: int = 0
    doubtful: bool = False

    @property
    def text(self) -> str:
        """The claims with their numbers, or what says that nothing was found."""
        if not self.claims:
            plural = "source" if self.sources == 1 else "sources"
            return NOT_FOUND.format(sources=f"{self.sources} {plural}")
        return " ".join(cited_text(claim) for claim in self.claims)


@dataclass(frozen=True, slots=True)
class DoubtfulPage:
    """A document that names whom it is about, perhaps somebody else, and why that is not known."""

    document_id: str
    title: str
    url: str
    why: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """What was found about a person, a company or a question, with its sources.

    `category` is empty for a question. `stopped` says what ended it early; what was found until
    then is there. `model` is empty where all claims are quotes.
    """

    id: str
    name: str
    category: str
    context: tuple[str, ...]
    sections: tuple[SectionFound, ...]
    doubtful: tuple[DoubtfulPage, ...] = ()
    stopped: Stopped = ""
    steps: int = 0
    pages: int = 0  # fetched from the web
    seconds: float = 0.0
    tokens: int = 0
    model: str = ""
    uri: str = field(default="")  # of the source that holds it and its pages: research:ID

    @property
    def summary(self) -> dict[str, str]:
        """Text by the title of its section."""
        return {section.title: section.text for section in self.sections}

    @property
    def citations(self) -> tuple[Citation, ...]:
        """All of them, by number."""
        every = (citation for section in self.sections for citation in section.citations)
        return tuple(sorted(every, key=lambda citation: citation.n))

    @property
    def claims(self) -> tuple[Claim, ...]:
        """Those of all sections, in their order."""
        return tuple(claim for section in self.sections for claim in section.claims)

    def answer(self) -> Answer:
        """The dossier of a question as its answer."""
        said = [claim for claim in self.claims if claim.citations]
        text = " ".join(cited_text(claim) for claim in said) or "Not in your sources."
        timings = {"total": self.seconds}
        tokens = {"completion": self.tokens}
        return Answer(
            self.name,
            text,
            bool(said),
            tuple(said),
            self.citations,
            (),
            self.model,
            timings,
            tokens,
        )

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>{escape(self.name)}</strong></p>"]
        for section in self.sections:
            parts.append(f"<p><em>{escape(section.title)}</em>: {escape(section.text)}</p>")
        parts.append(display.ordered_list((c.n, c._html()) for c in self.citations))
        return display.framed(*parts)


ResearchEvent = ResearchStep | Consent | SectionFound | Dossier


def cited_text(claim: Claim) -> str:
    """A claim with the numbers of its citations."""
    return claim.text + "".join(f" [{n}]" for n in claim.citations)


def dossier_text(dossier: Dossier, sources: Sequence[Citation]) -> str:
    """The dossier as Markdown, as it is kept: sections, then where each number stands."""
    lines = [f"# {dossier.name}"]
    for section in dossier.sections:
        lines += ["", f"## {section.title}", ""]
        lines += [cited_text(claim) for claim in section.claims] or [section.text]
    if dossier.doubtful:
        lines += ["", "## Perhaps somebody else", ""]
        lines += [f"- {page.title}: {page.why} ({page.url})" for page in dossier.doubtful]
    if sources:
        lines += ["", "## Sources", ""]
        lines += [f"{c.n}. “{' '.join(c.quote.split())}” ({c.title}) {c.url}" for c in sources]
    return "\n".join(lines) + "\n"
