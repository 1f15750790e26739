"""The commands that show a whole: the topics of a text, and who is in the library.

Each makes one library call and prints.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import typer

from dragtor.cli.output import (
    AS_JSON,
    library,
    out,
    out_citation,
    out_json,
    plural,
    style,
    warn,
    wrapped,
)

if TYPE_CHECKING:
    from dragtor.overview import Appearance, Person, Statement
    from dragtor.types import Citation

MOST_ALIASES = 6  # shown of one person in a list
WHO_WIDTH = 32  # characters
IN_WORDS = {"said": "named", "heard": "heard", "written": "author", "seen": "in a picture"}


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(people)
    app.command()(digest)


def people(
    name: list[str] = typer.Argument(
        None, help="Of a person: where, and what they said.", metavar="[NAME]"
    ),
    n: int = typer.Option(20, "-n", min=0, help="How many people, or things said (0: all)."),
    as_json: bool = AS_JSON,
) -> None:
    """List who is in the library; of one person, where, and what they said, newest first."""
    from dragtor.schema import people_json

    asked = " ".join(name or [])
    with library() as lib:
        found = lib.people(asked, n=n)
    shown = found if asked or not n else found[:n]
    if as_json:
        out_json(people_json(shown))
        return
    if not found:
        warn("nobody found")
    for person in shown:
        _out_person(person, brief=len(found) > 1 or not asked)
    if len(found) > len(shown):
        warn(f"and {len(found) - len(shown)} more (-n 0 shows all)")
    elif asked and len(found) > 1:
        warn(f"{asked} means {len(found)} people: name one in full")


def digest(
    what: str = typer.Argument(
        help="A document, source or person: id, address, file or name.", metavar="ID|URI|NAME"
    ),
    model: bool = typer.Option(True, help="Let the language model, if it is here, name topics."),
    as_json: bool = AS_JSON,
) -> None:
    """Show the topics of a document, source or person, and what is said on each."""
    from dragtor.schema import digest_json

    with library() as lib:
        found = lib.digest(what, model=model)
    if as_json:
        out_json(digest_json(found))
        return
    out(style(found.title or found.id, bold=True))
    out()
    if not found.topics:
        warn("nothing to quote")
    for topic in found.topics:
        if topic.name != found.title or len(found.topics) > 1:  # it stands above
            out(style(topic.name, bold=True))
            out()
        for citation in topic.quotes:
            _out_quote(citation, found.about == "document")


def _out_quote(citation: Citation, of_document: bool) -> None:
    """A quote and where it stands; the title is not said again under each quote of a document."""
    mark = f"{citation.n:>3} "
    if not of_document:
        out_citation(citation, mark)
        return
    from dragtor.display import where

    place = where(" ", citation.page, citation.start_s, citation.speaker).strip(" ,")
    out(wrapped(f"“{citation.quote}”", " " * len(mark), style(mark, bold=True)))
    out(style(" ".join([" " * (len(mark) - 1), *filter(None, [place, citation.url])]), dim=True))
    out()


def _out_person(person: Person, *, brief: bool) -> None:
    name = textwrap.shorten(person.name, WHO_WIDTH, placeholder="…") if brief else person.name
    counts = ", ".join(
        f"{IN_WORDS[how]} in {plural(count, 'document')}" if how != "written"
        else f"{IN_WORDS[how]} of {plural(count, 'document')}"
        for how, count in person.counts.items()
        if count
    )  # fmt: skip
    out(f"{style(f'{name:<{WHO_WIDTH}}', bold=True)}  {counts}")
    aliases = person.aliases[:MOST_ALIASES] if brief else person.aliases
    if aliases:
        more = " …" if len(aliases) < len(person.aliases) else ""
        out(style(wrapped(f"also {', '.join(aliases)}{more}", "    "), dim=True))
    for appearance in person.appearances:
        _out_appearance(appearance)
    for statement in person.statements:
        _out_statement(statement)


def _out_appearance(found: Appearance) -> None:
    times = f", {plural(found.times, 'time')}" if found.times > 1 else ""
    day = f" ({found.published})" if found.published else ""
    title = found.citation.title or "untitled"
    out(wrapped(f"{IN_WORDS[found.how]}{times}: {title}{day}", "    ", "  "))
    out(style(f"    {found.citation.url}", dim=True))


def _out_statement(found: Statement) -> None:
    if found.citation.n == 1:
        out()
    day = f"{found.published} " if found.published else ""
    out_citation(found.citation, f"  {day}")
