"""The command that shows who and what the library talks about, and where.

Makes one library call for a list, one more for a name's sentences, and prints.
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
    from dragtor.types import Entity

ALIASES = 6  # shown of one name in a list
NAME_WIDTH = 32  # characters


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(tags)


def tags(
    name: list[str] = typer.Argument(
        None, help="Of a person or thing: where it is said.", metavar="[NAME]"
    ),
    kind: str = typer.Option(
        "", help="person, organisation, place, other or topic.", metavar="KIND"
    ),
    n: int = typer.Option(20, "-n", min=0, help="How many names, or sentences (0: all)."),
    as_json: bool = AS_JSON,
) -> None:
    """List who and what the library talks about, and where a name is said."""
    from dragtor.schema import entities_json

    asked = " ".join(name or [])
    with library() as lib:
        found = lib.tags(kind, asked)
        said = lib.mentions(*found, n=n) if asked else None
    shown = found if asked or not n else found[:n]
    if as_json:
        out_json(entities_json(shown, said))
        return
    if not found:
        warn("nothing found")
    for entity in shown:
        _out_entity(entity, brief=not asked)
    if len(found) > len(shown):
        warn(f"and {len(found) - len(shown)} more (-n 0 shows all)")
    for citation in said or ():
        if citation.n == 1:
            out()
        out_citation(citation, "  ")


def _out_entity(entity: Entity, *, brief: bool) -> None:
    counts = f"{plural(entity.mentions, 'mention')} in {plural(entity.documents, 'document')}"
    heard = ", speaks" if entity.heard else ""
    name = textwrap.shorten(entity.name, NAME_WIDTH, placeholder="…") if brief else entity.name
    out(f"{style(f'{name:<{NAME_WIDTH}}', bold=True)}  {entity.kind:<12}  {counts}{heard}")
    aliases = entity.aliases[:ALIASES] if brief else entity.aliases
    if aliases:
        more = " …" if len(aliases) < len(entity.aliases) else ""
        out(style(wrapped(f"also {', '.join(aliases)}{more}", "    "), dim=True))
