"""Commands that take structured things out of texts, and that train what does it.

Each makes one library call and prints; knows no model and no calendar format.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dragtor.cli.output import load_settings, out, out_json, settings, style, warn

if TYPE_CHECKING:
    from dragtor.extract.events import Event, Extractor
    from dragtor.types import Answer

LONGEST_PATH = 4096  # characters; a longer argument is text
FILE_NAME = re.compile(r"\S+\.(?:txt|md|eml|html?|pdf|docx|epub)")
NOW = typer.Option("", help="The moment that dates are told from (ISO 8601).", metavar="WHEN")
ZONE = typer.Option(
    "", help="Time zone, such as Europe/Berlin; else the machine's.", metavar="ZONE"
)
ICS = typer.Option(None, help="Write a calendar file, too.", metavar="FILE")
ADAPTER = typer.Option(None, help="One of your own training.", exists=True, metavar="FILE")
AS_JSON = typer.Option(False, "--json", help="One JSON object on stdout.")
RUN = Path("events-run")  # folder of a training run

extract_app = typer.Typer(
    help="Take structured things out of texts.", no_args_is_help=True, rich_markup_mode=None
)
train_app = typer.Typer(
    help="Train the small models on data of your own.", no_args_is_help=True, rich_markup_mode=None
)


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    extract_app.command("event")(event)
    app.add_typer(extract_app, name="extract")
    train_app.command("events")(events)
    app.add_typer(train_app, name="train")


@extract_app.callback()
def _extract() -> None:
    """Keep `event` a command of its own while it is the only one."""


@train_app.callback()
def _train() -> None:
    """Keep `events` a command of its own while it is the only one."""


def event(
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
    adapter: Path | None = ADAPTER,
    as_json: bool = AS_JSON,
) -> None:
    """Find the events of a text: what, when, where, with whom."""
    from dragtor.extract import ics as calendars
    from dragtor.extract.events import read_now

    words = _text(text)
    extractor = _extractor(zone, locale, day_first, adapter)
    found = extractor.events(words, read_now(now, extractor.zone) if now else None)
    if as_json:
        out_json({"events": [each.to_dict() for each in found]})
    else:
        _out_events(found, words)
    if ics is not None:
        _written(calendars.write(ics, found), found, ics)


def events(
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
    from dragtor.extract.pointer import MODEL, adapter_path
    from dragtor.extract.train import TrainConfig, train
    from dragtor.extract.training.loop import LoopConfig
    from dragtor.models import model_path

    chosen: dict[str, Any] = {
        "epochs": epochs,
        "learning_rate": learning_rate,
        "entity_weight": entity_weight,
        "seed": seed,
    }
    loop = LoopConfig(**{name: value for name, value in chosen.items() if value is not None})
    base = model_path(model, models_path(load_settings().models))
    start = None if fresh or model != MODEL else adapter_path()
    config = TrainConfig(base, start=start, loop=loop, threads=threads)
    trained = train(data, out_folder, config, push=push)
    if as_json:
        out_json({"adapter": str(trained.adapter), "metrics": trained.metrics})
        return
    out(f"adapter: {trained.adapter}")
    out(f"  try: dragtor eval events {data[0]} --adapter {trained.adapter}")


def open_planner() -> Extractor:
    """What reads the sessions of a plan, in the machine's zone and way of writing dates."""
    return _extractor("", "", None)


def write_plan(planner: Extractor, answer: Answer, path: Path) -> None:
    """Write the sessions that an answer's sentences name as a calendar; none: say so."""
    from datetime import datetime

    from dragtor.extract import ics as calendars
    from dragtor.extract.plan import sessions

    found = sessions(answer, planner, datetime.now(planner.zone))
    if not found:
        warn(f"no week or day of a plan in the answer; {path} is not written")
        return
    _written(calendars.write(path, found), found, path)


def _text(words: list[str]) -> str:
    """What the words are: the content of a file, of stdin, or themselves."""
    from dragtor.errors import UsageError

    given = " ".join(words)
    if words == ["-"]:
        text = sys.stdin.buffer.read().decode("utf-8-sig", "replace")
    elif len(words) == 1 and _is_file(given):
        text = _content(Path(given))
    elif len(words) == 1 and FILE_NAME.fullmatch(given):
        raise UsageError(f"there is no file {given}", "ls")
    else:
        text = given
    if not text.strip():
        raise UsageError("the text is empty", 'dragtor extract event "Lunch with Yves on Friday"')
    return text


def _is_file(name: str) -> bool:
    try:
        return len(name) <= LONGEST_PATH and Path(name).expanduser().is_file()
    except (OSError, ValueError, RuntimeError):  # a text that no file can be called
        return False


def _content(path: Path) -> str:
    """A file's text, as the library reads documents."""
    from dragtor.errors import LoadError

    config = load_settings()
    try:
        size_mb = path.expanduser().stat().st_size / 1e6
        if size_mb > config.load.max_file_mb:
            raise LoadError(f"{path} has {size_mb:.0f} MB", "raise load.max_file_mb")
        data = path.expanduser().read_bytes()
    except OSError as error:
        raise LoadError(f"cannot read {path}: {error.strerror}") from error
    try:
        if b"\0" not in data:
            return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    from dragtor.loaders import file_loader

    return file_loader(config, warn).read_bytes(data, path.name, "").text


def _extractor(
    zone: str, locale: str, day_first: bool | None, adapter: Path | None = None
) -> Extractor:
    from dragtor.extract.events import open_extractor, open_zone, reads_day_first

    if day_first is None:
        day_first = reads_day_first(locale) if locale else _machine_reads_day_first()
    where = open_zone(zone)
    return open_extractor(load_settings(), where, day_first=day_first, adapter=adapter or "")


def _machine_reads_day_first() -> bool:
    from dragtor.errors import UsageError
    from dragtor.extract.events import reads_day_first

    here = (os.environ.get(name, "") for name in ("LC_ALL", "LC_TIME", "LANG"))
    try:
        return reads_day_first(next(filter(None, here), ""))
    except UsageError:  # whatever stands there, nobody asked for it now
        return True


# Printing


def _out_events(events: list[Event], text: str) -> None:
    if not events:
        warn("no event in this text")
    for number, each in enumerate(events):
        if number:
            out()
        out(style(each.action or "(no action)", bold=True))
        for label, value in _lines(each, text):
            out(f"  {label:<9} {value}")


def _lines(event: Event, text: str) -> list[tuple[str, Any]]:
    """What is known of an event, and which of its words can be read another way."""
    shown: list[tuple[str, Any]] = [
        ("when", _when(event)),
        ("repeats", event.recurrence and f"{event.recurrence} ({event.rrule or 'not understood'})"),
        ("where", event.location),
        ("with", ", ".join(event.attendees or ())),
        ("takes", event.duration),
        ("notes", event.notes),
    ]
    for name in event.ambiguous:
        start, end = event.evidence.get(name, (0, 0))
        said = " ".join(text[start:end].split())
        shown.append(("check", f"the {name}" + (f", “{said}”" if said else "")))
    return [(label, value) for label, value in shown if value]


def _when(event: Event) -> str:
    from datetime import datetime

    start, end = event.start, event.end
    if start is None:
        return ""
    day = f"{start:%a} {start.day} {start:%B} {start.year:04}"
    if not isinstance(start, datetime):
        return day + (f" to {end:%a} {end.day} {end:%B} {end.year:04}" if end else "")
    until = ""
    if isinstance(end, datetime):
        same = end.date() == start.date()
        until = f" to {end:%H:%M}" if same else f" to {end:%a} {end.day} {end:%B}, {end:%H:%M}"
    return f"{day}, {start:%H:%M}{until} ({start.tzinfo})"


def _written(number: int, events: list[Event], path: Path) -> None:
    if left := len(events) - number:
        warn(f"left out of {path}, for want of a date: {left}")
    if not settings.quiet:
        warn(f"written: {path}, events: {number}")
