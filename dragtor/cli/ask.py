"""Commands that read: search and ask.

Each makes one library call and prints what comes, as it comes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dragtor.cli.extract import check_place, write_plan
from dragtor.cli.filters import with_filters
from dragtor.cli.output import (
    AS_JSON,
    hint,
    library,
    out,
    out_citation,
    out_json,
    settings,
    style,
    warn,
    wrapped,
)

if TYPE_CHECKING:
    from dragtor.store import Filters
    from dragtor.types import Answer, Citation, Hit

NEAREST = 3  # titles named where nothing answers
NOT_ANSWERED = "The quotes above come nearest, but no answer was found in them."


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(with_filters(search))
    app.command()(with_filters(ask))


def _text(words: list[str]) -> str:
    """The words as one text; a lone - reads stdin."""
    if words == ["-"]:
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    return " ".join(words)


def search(
    query: list[str] = typer.Argument(help="What to look for; - reads stdin."),
    k: int = typer.Option(0, "-k", min=0, help="How many hits (0: as configured)."),
    *,
    filters: Filters,
    as_json: bool = AS_JSON,
) -> None:
    """Find passages."""
    from dragtor.schema import hits_json

    text = _text(query)
    with library() as lib:
        hits = lib.search(text, k=k, filters=filters)
        texts = [] if as_json else [lib.said(hit, filters.speaker) for hit in hits]
    if as_json:
        out_json(hits_json(text, hits))
        return
    if not hits:
        warn("nothing found")
        _said_by(filters.speaker)
    for number, (hit, said) in enumerate(zip(hits, texts, strict=True), 1):
        out(f"{hit_heading(number, hit)}  {hit.score:.2f}")
        out(wrapped(said, "    "))
        out(style(f"    {hit.url}", dim=True))
        out()


def hit_heading(number: int, hit: Hit) -> str:
    """The line over a hit: its number, where it stands, and under which heading."""
    from dragtor.display import where

    place = where(hit.title, None, hit.start_s, hit.speaker)
    heading = f" › {hit.passage.heading}" if hit.passage.heading else ""
    return f"{style(f'{number:>2}', bold=True)}  {style(place + heading, fg='cyan')}"


def _said_by(speaker: str) -> None:
    """What to look at where a name may be why nothing was found."""
    if speaker:
        warn(f"--speaker {speaker!r} takes whole words of a name, as it stands in")
        hint("dragtor sources show ID --transcript")


def ask(
    question: list[str] = typer.Argument(help="Your question; - reads stdin."),
    quotes: bool = typer.Option(False, "--quotes", help="Only the quotes; no language model."),
    deep: bool = typer.Option(False, "--deep", help="In several steps, for what one text lacks."),
    strict: bool = typer.Option(False, "--strict", help="Exit 3 where the sources do not answer."),
    follow: bool = typer.Option(False, "--continue", help="Go on from the latest question."),
    no_history: bool = typer.Option(False, "--no-history", help="Do not keep this answer."),
    *,
    filters: Filters,
    ics: Path | None = typer.Option(
        None, help="Write the sessions of a plan as calendar entries.", metavar="FILE"
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Answer from your sources, each claim with its quote."""
    from dragtor.schema import answer_json

    text = _text(question)
    if ics is not None:
        check_place(ics)
    if deep:
        _ask_deep(text, quotes=quotes, strict=strict, filters=filters, as_json=as_json)
        return
    with library() as lib:
        if ics is not None:
            lib.event_extractor()  # says so first where it cannot
        chat = lib.chat(latest=follow, keep=not no_history)
        events = chat.ask_events(text, quotes_only=quotes, filters=filters)
        if as_json:
            *_, answer = events
            out_json(answer_json(answer))
        else:
            answer = print_events(events)
            if not answer.hits:
                _said_by(filters.speaker)
        if ics is not None:
            write_plan(lib.plan(answer), answer, ics)
    _check_grounded(answer, strict)


def _check_grounded(answer: Answer, strict: bool) -> None:
    if strict and not answer.grounded:
        from dragtor.errors import NotGrounded

        raise NotGrounded("the sources do not answer this", "dragtor add MORE-SOURCES")


def _ask_deep(text: str, *, quotes: bool, strict: bool, filters: Filters, as_json: bool) -> None:
    """A research over the library alone: `dragtor research "QUESTION"`, with few quotes a part."""
    from dragtor.cli.research import print_research
    from dragtor.schema import answer_json

    with library() as lib:
        most = lib.config.answer.quotes
        events = lib.research(text, quotes_only=quotes, quotes=most, filters=filters)
        dossier = print_research(events, printed=not as_json)
    answer = dossier.answer()
    if as_json:
        out_json(answer_json(answer))
    _check_grounded(answer, strict)


def print_events(events: Any) -> Answer:
    """Print an answer as it grows, and give it back whole."""
    from dragtor.answer import Caution, Quotes, Sentence, rendered
    from dragtor.chat import Standalone
    from dragtor.types import Answer

    prose, quoted = False, False
    for event in events:
        if isinstance(event, Caution):
            out(style(event.text, fg="yellow", bold=True))
            out()
        elif isinstance(event, Quotes):
            out(style("From your sources", bold=True))
            out()
            for citation in event.citations:
                out_citation(citation, "  ")
            quoted = bool(event.citations)
            if not (event.alone or settings.quiet):
                warn("reading the passages …")
        elif isinstance(event, Sentence):
            if not prose:
                out(style("Answer", bold=True))
                out()
            prose = True
            out(wrapped(rendered(event.claim)))
        elif isinstance(event, Standalone):
            if settings.verbose:
                warn(f"searching for: {' '.join(event.query.split())}")
        elif isinstance(event, Answer):
            _print_end(event, quoted=quoted)
            return event
        sys.stdout.flush()
    raise AssertionError("an Answer is always the last event")


def _print_end(answer: Answer, *, quoted: bool) -> None:
    if not answer.grounded and quoted:
        out(wrapped(f"{answer.text} {NOT_ANSWERED}", ""))
    elif not answer.grounded:
        out(answer.text)
        if answer.nearest:
            _print_nearest(answer.nearest, answer.why_not)
        elif nearest := list(dict.fromkeys(hit.title for hit in answer.hits))[:NEAREST]:
            out(wrapped(f"Nearest: {'; '.join(nearest)}"))
    elif answer.model:
        out()
        for citation in answer.citations:
            out_citation(citation, f"  [{citation.n}] ")
    if not settings.quiet:
        warn(_timings(answer))


def _print_nearest(citation: Citation, why_not: str) -> None:
    from dragtor.display import where

    place = where(citation.title, citation.page, citation.start_s, citation.speaker, citation.box)
    out(wrapped(f"Nearest: “{citation.quote}” ({place})", "  "))
    if why_not:
        out(wrapped(f"It {why_not}."))
    out(style(f"  {citation.url}", dim=True))


def _timings(answer: Answer) -> str:
    names = {
        "retrieve": "retrieved",
        "first_quote": "first quote",
        "first_token": "first word",
        "total": "total",
    }
    steps = [f"{names[k]} {v:.1f} s" for k, v in answer.timings.items() if k in names]
    return " · ".join(([answer.model] if answer.model else []) + steps)
