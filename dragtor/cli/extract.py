"""Commands that take structured things out of texts, and that train what does it.

Each makes one library call and prints; knows no model and no calendar format.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dragtor.cli.output import (
    AS_JSON,
    TerminalReporter,
    library,
    load_settings,
    out,
    out_json,
    settings,
    warn,
)

if TYPE_CHECKING:
    from dragtor.load.file import FileLoader
    from dragtor.types import Answer, CalendarEvent

LONGEST_PATH = 4096  # characters; a longer argument is text
FILE_NAME = re.compile(r"(?:/|\.\.?/|~/)\S*|\S+\.[A-Za-z][A-Za-z0-9]{1,4}")  # meant as one
NOW = typer.Option("", help="The moment that dates are told from (ISO 8601).", metavar="WHEN")
ZONE = typer.Option(
    "", help="Time zone, such as Europe/Berlin; else the machine's.", metavar="ZONE"
)
ICS = typer.Option(None, help="Write a calendar file, too.", metavar="FILE")
RUN = Path("events-run")  # folder of a training run

extract_app = typer.Typer(
    help="Take structured things out of texts.", no_args_is_help=True, rich_markup_mode=None
)
train_app = typer.Typer(
    help="Train the small models on data of your own.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    extract_app.command("event")(extract_event)
    app.add_typer(extract_app, name="extract")
    train_app.command("events")(train_events)
    app.add_typer(train_app, name="train")


@extract_app.callback()
def _extract() -> None:
    """Keep `event` a command of its own while it is the only one."""


@train_app.callback()
def _train() -> None:
    """Keep `events` a command of its own while it is the only one."""


def extract_event(
    text: list[str] = typer.Argument(help="A text, or a file of text; - reads stdin."),
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


def train_events(
    data: list[Path] = typer.Option(
        help="{event_text, output} a line (JSON); as often as you like.",
        exists=True,
        metavar="FILE",
    ),
    out_folder: Path = typer.Option(
        RUN, "--out", help="Folder of the run; one that was cut off goes on.", metavar="FOLDER"
    ),
    model: str = typer.Option("smollm2-135m", help="What is tuned.", metavar="NAME"),
    fresh: bool = typer.Option(False, help="Begin with the bare model, not the shipped adapter."),
    epochs: int | None = typer.Option(None, help="Times that the data is seen.", min=1),
    learning_rate: float | None = typer.Option(None, help="Of the highest step.", min=1e-7),
    entity_weight: float | None = typer.Option(
        None, help="Of a field's words in the loss, against 1 of what stands between.", min=0.0
    ),
    seed: int | None = typer.Option(None, help="Draws the same again.", min=0),
    threads: int = typer.Option(0, help="Processor threads; 0: the machine's cores.", min=0),
    push: str = typer.Option(
        "", help="Put the run on the hub, too; HF_TOKEN holds the token.", metavar="OWNER/NAME"
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Tune the model that finds events on records of your own."""
    from dragtor.config import models_path
    from dragtor.events.model import EVENTS_MODEL, adapter_path
    from dragtor.models import model_path
    from dragtor.training.events.train import TrainConfig, train
    from dragtor.training.loop import LoopConfig

    def given(**options: Any) -> dict[str, Any]:
        return {name: value for name, value in options.items() if value is not None}

    loop = LoopConfig(**given(epochs=epochs, learning_rate=learning_rate, seed=seed))
    base = model_path(model, models_path(load_settings().models))
    start = None if fresh or model != EVENTS_MODEL else adapter_path()
    weights = given(entity_weight=entity_weight)
    config = TrainConfig(base, start=start, loop=loop, threads=threads, **weights)
    with TerminalReporter() as reporter:
        trained = train(
            data, out_folder, config, push=push, reporter=reporter, cancel=settings.cancel
        )
    if as_json:
        out_json({"adapter": str(trained.adapter), "metrics": trained.metrics})
        return
    out(f"adapter: {trained.adapter}")
    out(f"  try: dragtor eval events {data[0]} --adapter {trained.adapter}")


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


def _text(words: list[str]) -> str:
    """What the words are: the content of a file, of stdin, or themselves."""
    import shlex

    from dragtor.errors import UsageError

    given = " ".join(words)
    if words == ["-"]:
        data = sys.stdin.buffer.read()
        text = _loader().read_bytes(data, "stdin", "").text if data.strip() else ""
    elif len(words) == 1 and _is(Path.is_file, given):
        text = _content(Path(given))
    elif len(words) == 1 and _is(Path.is_dir, given):
        raise UsageError(f"{given} is a folder, not a file or a text", f"ls {shlex.quote(given)}")
    elif len(words) == 1 and FILE_NAME.fullmatch(given):
        no_file = f"{given} is not a regular file"
        if not _is(Path.exists, given):
            no_file = f"there is no file {given}"
        raise UsageError(no_file, "dragtor extract event FILE, or - to read stdin")
    elif len(words) > 1 and all(_is(Path.is_file, word) for word in words):
        command = f"cat {shlex.join(words)} | dragtor extract event -"
        raise UsageError(f"{len(words)} files are given, and one is read", command)
    else:
        text = given
    if not text.strip():
        raise UsageError("the text is empty", 'dragtor extract event "Lunch with Yves on Friday"')
    return text


def _is(what: Callable[[Path], bool], name: str) -> bool:
    try:
        named = bool(name.strip()) and len(name) <= LONGEST_PATH
        return named and what(Path(name).expanduser())
    except (OSError, ValueError, RuntimeError):  # a text that no file can be called
        return False


def _content(path: Path) -> str:
    """A file's text, as the library reads documents."""
    from dragtor.errors import LoadError
    from dragtor.load.file import absolute, file_uri
    from dragtor.types import Document

    found = _loader().read(file_uri(absolute(str(path))))
    if not isinstance(found, Document):
        raise LoadError(f"{path} is sound", f"dragtor add {path}")
    return found.text


def _loader() -> FileLoader:
    from dragtor.parts import file_loader

    return file_loader(load_settings(), TerminalReporter(), settings.cancel)


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
