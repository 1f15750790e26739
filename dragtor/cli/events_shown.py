"""How events are shown to a person: their fields, and which words could be read another way.

Knows no command and no model; what an event says is told by its room.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from dragtor import display
from dragtor.cli.output import out, style, warn, wrapped

if TYPE_CHECKING:
    from dragtor.types import CalendarEvent, Moment

CHECKED_BELOW = 0.5  # what the model is less sure of is to be checked
MOST_DATES = 3  # of a series that are shown
DAY_AND_MONTH = re.compile(r"(\d{1,2})\s*[/.-]\s*\d{1,2}\b")  # 10/12


def out_events(events: list[CalendarEvent], text: str) -> None:
    """Each event of the text: what, when, where, with whom, and what is to be checked."""
    if not events:
        warn("no event in this text")
    for number, each in enumerate(events):
        if number:
            out()
        first = min((start for start, _ in each.evidence.values()), default=0)
        place = f"  line {text.count(chr(10), 0, first) + 1}" if "\n" in text.strip() else ""
        out(style(each.action or "(no action)", bold=True) + (place and style(place, dim=True)))
        for label, value in _lines(each, text):
            line = wrapped(value, " " * 12, f"  {label:<9} ")
            colour = {"fg": "yellow"} if label == "check" else {"dim": True}
            out(line.replace(label, style(label, **colour), 1))


def _lines(event: CalendarEvent, text: str) -> list[tuple[str, str]]:
    """What is known of an event, and which of its words can be read another way."""
    shown = [
        ("when", display.span_text(event.start, event.end)),
        ("repeats", _repeats(event)),
        ("where", event.location),
        ("with", ", ".join(event.attendees or ())),
        ("takes", event.duration),
        ("notes", event.notes),
    ]
    for name in event.ambiguous:
        said = _said(event, name, text)
        shown.append(("check", f"the {name}{said and ', '}{said}: {_doubt(event, name, said)}"))
    for name, sure in event.confidence.items():
        if sure < CHECKED_BELOW and name not in event.ambiguous:
            said = _said(event, name, text)
            shown.append(("check", f"the {name}, {said}: the model is {sure:.0%} sure of it"))
    return [(label, value) for label, value in shown if value]


def _said(event: CalendarEvent, name: str, text: str) -> str:
    """The field's own words, in quotation marks."""
    start, end = event.evidence.get(name, (0, 0))
    said = " ".join(text[start:end].split())
    return f"“{said}”" if said else ""


def _doubt(event: CalendarEvent, name: str, said: str) -> str:
    """How the words of a field were read, and what would read them another way."""
    if name == "duration":
        return "no length can be told from it"
    if name == "time":
        return _doubt_of_time(event, said)
    if event.start is None:
        return "no such day, or none that can be told"
    if name == "recurrence":
        return "no rule can be told from it, so it stands once"
    if event.date is None:
        return "not said, so that of the event before"
    if not (numbers := DAY_AND_MONTH.search(said)):
        return f"no one day is said, so from {display.day(event.start)} on"
    day = datetime.strptime(event.date, "%d/%m/%Y")
    other = "--month-first" if int(numbers[1]) == day.day else "--day-first"
    return f"read as {day.day} {day:%B}; {other} reads it the other way"


def _doubt_of_time(event: CalendarEvent, said: str) -> str:
    from dragtor.events.when import in_zone

    start = event.start
    if event.time is None and isinstance(start, datetime) and not said:
        return f"not said, so from {start:%H:%M} on"
    if event.time is None:
        return "no time of the day"
    if not isinstance(start, datetime) or start.tzinfo is None:
        return f"read as {event.time}"
    stated = datetime.strptime(event.time, "%I:%M %p").time()
    local = datetime.combine(start.date(), stated)
    there, twice = in_zone(local, start.tzinfo)
    if there.replace(tzinfo=None) != local:
        return f"the clocks skip it on that day, so {start:%H:%M}"
    if twice:
        return "the clocks show it twice on that day; the first is taken"
    sure = (
        "am or pm behind it would be sure" if re.search(r"\d", said) else "a figure would be exact"
    )
    return f"read as {start:%H:%M}; {sure}"


def _repeats(event: CalendarEvent) -> str:
    """The words of a repetition, and the next times that it comes to."""
    from dragtor.events.when import occurrences

    if not event.rrule or event.start is None:
        return event.recurrence or ""
    dates = occurrences(event.rrule, event.start, MOST_DATES + 2) or [event.start]
    years = {event.start.year}
    one_weekday = len({each.weekday() for each in dates}) == 1
    shown = [
        display.day(each, years, weekday=not one_weekday) for each in dates[1 : MOST_DATES + 1]
    ]
    if "HOURLY" in event.rrule or "MINUTELY" in event.rrule:
        shown = [f"{each:%H:%M}" for each in dates[1 : MOST_DATES + 1]]
    more = f", …{_until(event.rrule, event.start, years)}" if len(dates) > MOST_DATES + 1 else ""
    then = f"then {', '.join(shown)}{more}" if shown else "once only"
    return f"{event.recurrence or event.rrule} ({then})"


def _until(rule: str, start: Moment, known_years: set[int]) -> str:
    """Where a rule that ends on a day ends."""
    found = re.search(r"UNTIL=(\d{8})(T\d{6}Z)?", rule)
    if not found:
        return ""
    last: Moment = datetime.strptime(found[1], "%Y%m%d")
    if found[2] and isinstance(start, datetime):
        last = datetime.strptime(f"{found[1]}{found[2]}+0000", "%Y%m%dT%H%M%SZ%z")
        last = last.astimezone(start.tzinfo)
    return f" until {display.day(last, known_years, weekday=False)}"
