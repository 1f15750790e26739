"""Commands that take structured things out of texts.

Each makes one library call and prints; knows no model and no calendar format.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from dragtor.cli.given import document_given, given_text, names_file
from dragtor.cli.output import (
    AS_JSON,
    library,
    out_json,
    settings,
    warn,
)

if TYPE_CHECKING:
    from dragtor import Library
    from dragtor.types import Answer, CalendarEvent, Document

NOW = typer.Option("", help="The moment that dates are told from (ISO 8601).", metavar="WHEN")
ZONE = typer.Option(
    "", help="Time zone, such as Europe/Berlin; else the machine's.", metavar="ZONE"
)
ICS = typer.Option(None, help="Write a calendar file, too.", metavar="FILE")

extract_app = typer.Typer(
    help="Take structured things out of texts.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    extract_app.command("event")(extract_event)
    extract_app.command("entities")(extract_entities)
    app.add_typer(extract_app, name="extract")


def extract_event(
    text: list[str] = typer.Argument(help="A text, or a file or picture; - reads stdin."),
    now: str = NOW,
    zone: str = typer.Option("", "--tz", help=ZONE.help, metavar="ZONE"),
    locale: str = typer.Option(
        "", help="Whose way of writing 10/12 it is, such as en_US; else the machine's."
    ),
    day_first: bool | None = typer.Option(
        None, "--day-first/--month-first", help="10/12 is 10 December, or October 12."
    ),
    ics: Path | None = ICS,
    adapter: Path | None = typer.Option(
        None, help="One of your own training.", exists=True, metavar="FILE"
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Find the events of a text: what, when, where, with whom."""
    from dragtor.cli.events_shown import out_events
    from dragtor.schema import events_json

    words = _text(text)
    if ics is not None:
        check_place(ics)
    with library() as lib:
        found = lib.extract_events(words, now or None, zone, locale, day_first, adapter)
    if as_json:
        out_json(events_json(found))
    else:
        out_events(found, words)
    if ics is not None:
        _write(ics, found)


def extract_entities(
    what: str = typer.Argument(
        help="A picture or another file, a document's id, or - for stdin.", metavar="FILE|ID|-"
    ),
    draw: Path | None = typer.Option(
        None, help="Write the picture with the names marked, too.", metavar="OUT.png"
    ),
    vision: str = typer.Option(
        "",
        help="A vision model that looks at the picture, too: its name or file, or a server.",
        metavar="NAME|URL",
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Find the people and companies in a picture, a mail or any text."""
    from dragtor.cli.entities_shown import EntityLines, draw_entities, drawable
    from dragtor.entities import last_said
    from dragtor.schema import found_entities_json
    from dragtor.types import Document

    turned = 0
    with library() as lib:
        given = entity_source(lib, what)
        picture = drawable(given, draw) if draw else None
        lines = EntityLines(quiet=as_json)
        found = last_said(map(lines.show, lib.extract_entities(given, vision)))
        if draw and not isinstance(given, Document):  # read again, but nobody waited for it
            turned = next(iter(document_given(given).meta.get("turned", ())), 0)
    if as_json:
        out_json(found_entities_json(found))
    elif not found:
        warn("no person and no company found")
    if draw and picture:
        draw_entities(picture.rotate(-turned, expand=True), found, draw)


def check_place(ics: Path) -> None:
    """Raise UsageError where no calendar can be written, before anything takes time."""
    from dragtor.events.ics import check

    check(ics)


def write_plan(sessions: list[CalendarEvent], answer: Answer, path: Path) -> None:
    """Write the sessions of an answer as a calendar; none: say so."""
    if not sessions:
        why = "no week or day of a plan in it" if answer.claims else "no answer from the sources"
        warn(f"{why}; {path} is not written")
        return
    _write(path, sessions)


def entity_source(lib: Library, what: str) -> Path | bytes | Document:
    """A file, what stdin holds, or a document of the library; raises UsageError for none."""
    import sys

    from dragtor.errors import DragtorError, UsageError

    if what == "-":
        return sys.stdin.buffer.read()
    if names_file(what):
        return Path(what).expanduser()
    try:
        return lib.recording(what)
    except DragtorError as error:
        told = f"{what or 'an empty name'} is no file, and no document of this library"
        if what and Path(what).expanduser().is_dir():
            told = f"{what} is a folder: one file at a time"
        raise UsageError(told, "dragtor extract entities FILE, or - to read stdin") from error


def _text(words: list[str]) -> str:
    """What the words are: the content of a file, of stdin, or themselves."""
    import shlex

    from dragtor.errors import UsageError

    if len(words) > 1 and all(map(names_file, words)):
        command = f"cat {shlex.join(words)} | dragtor extract event -"
        raise UsageError(f"{len(words)} files are given, and one is read", command)
    text = given_text(words[0], "dragtor extract event") if len(words) == 1 else " ".join(words)
    if not text.strip():
        raise UsageError("the text is empty", 'dragtor extract event "Lunch with Yves on Friday"')
    return text


def _write(path: Path, events: list[CalendarEvent]) -> None:
    """The dated events as a calendar; where there are none, no file."""
    from dragtor.events import ics as calendars

    dated = sum(event.start is not None for event in events)
    if not dated:
        warn(f"no event with a date; {path} is not written")
        return
    others = calendars.write(path, events)
    if left := len(events) - dated:
        warn(f"left out of {path}, for want of a date: {left}")
    if not settings.quiet:
        warn(
            f"written: {path}, events: {dated}" + (f", beside {others} from before" * bool(others))
        )
