"""The command that researches a person, a company or a question in several cited steps.

Makes one library call and prints its events as they come; asks before anything goes out to the web.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import typer

from dragtor.cli.given import given_text
from dragtor.cli.output import (
    AS_JSON,
    library,
    out,
    out_citation,
    out_json,
    plural,
    settings,
    style,
    warn,
    wrapped,
)

if TYPE_CHECKING:
    from dragtor.dossier import Consent, Dossier, ResearchStep, SectionFound

STOPPED = {
    "cancelled": "interrupted; what was found is kept",
    "time": "out of time (research.seconds); what was found is kept",
    "steps": "out of steps (research.steps); what was found is kept",
}


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(research)


def research(
    about: list[str] = typer.Argument(help="A name with --person or --company, or a question."),
    person: bool = typer.Option(False, "--person", help="It is a person's name."),
    company: bool = typer.Option(False, "--company", help="It is a company's name."),
    context: list[str] = typer.Option(
        [],
        "--context",
        help="A company, domain or city that tells the one meant from namesakes; repeatable.",
        metavar="TERM",
    ),
    web: bool = typer.Option(False, "--web", help="Look on the web too; asks before it does."),
    yes: bool = typer.Option(False, "--yes", help="Allow what --web would ask for."),
    quotes: bool = typer.Option(False, "--quotes", help="Only quotes; no language model."),
    as_json: bool = AS_JSON,
) -> None:
    """Find out about somebody or something, in cited sections; the dossier is kept."""
    from dragtor.errors import UsageError
    from dragtor.schema import dossier_json

    if person and company:
        raise UsageError("--person and --company exclude each other", "give one of them")
    text = given_text(about[0], "dragtor research") if about == ["-"] else " ".join(about)
    category = "person" if person else "company" if company else ""
    allowed: Callable[[Consent], bool] | None = (lambda consent: yes or _asked()) if web else None
    with library() as lib:
        events = lib.research(text, category, context, web=allowed, quotes_only=quotes)
        dossier = print_research(events, printed=not as_json)
    if as_json:
        out_json(dossier_json(dossier))


def print_research(events: Iterable[Any], *, printed: bool = True) -> Dossier:
    """Print a research as it goes on (with `printed` off only what goes out), and give its end."""
    from dragtor.dossier import Consent, Dossier, ResearchStep, SectionFound

    last: Dossier | None = None
    for event in events:
        if isinstance(event, Consent):
            _out_consent(event)
        elif isinstance(event, ResearchStep):
            _out_step(event)
        elif isinstance(event, SectionFound) and printed:
            _out_section(event)
        elif isinstance(event, Dossier):
            last = event
            if printed:
                _out_end(event)
        sys.stdout.flush()
    assert last is not None  # by contract
    return last


def _out_step(step: ResearchStep) -> None:
    if settings.quiet:
        return
    cost = f"{step.seconds:.1f} s, {plural(step.pages, 'page')}, {plural(step.tokens, 'token')}"
    warn(f"{step.step}/{step.max_steps} {step.label}" + (f" ({cost})" if settings.verbose else ""))


def _out_consent(consent: Consent) -> None:
    """Always: nothing goes out unseen."""
    warn(f"to {', '.join(consent.providers)}, then up to {plural(consent.pages, 'page')}:")
    for query in consent.queries:
        warn(f"  {query}")


def _asked() -> bool:
    """Whether a person at a terminal says yes; nobody is asked elsewhere."""
    if not sys.stdin.isatty():
        warn("nobody can be asked here, so nothing goes out; --yes allows it")
        return False
    return typer.confirm("Send?", default=False, err=True)


def _out_section(section: SectionFound) -> None:
    doubtful = " (perhaps of somebody else too)" if section.doubtful and section.claims else ""
    out(style(section.title + doubtful, bold=True))
    from dragtor.dossier import cited_text

    if not section.claims:
        out(wrapped(section.text))
    for claim in section.claims:
        out(wrapped(cited_text(claim), "    ", "  - "))
    out()


def _out_end(dossier: Dossier) -> None:
    for citation in dossier.citations:
        out_citation(citation, f"  [{citation.n}] ")
    if dossier.doubtful:
        out(style("Perhaps somebody else", bold=True))
        for page in dossier.doubtful:
            out(wrapped(f"{page.title}: {page.why}", "    ", "  - "))
            out(style(f"    {page.url}", dim=True))
    if dossier.stopped:
        warn(STOPPED[dossier.stopped])
    if not settings.quiet:
        spent = f"{plural(dossier.steps, 'step')}, {plural(dossier.pages, 'page')}"
        warn(f"{dossier.model or 'quotes'} · {spent} · {dossier.seconds:.1f} s · {dossier.uri}")
