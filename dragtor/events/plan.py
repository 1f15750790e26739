"""A plan in an answer as calendar entries: "Week 1: Mon and Thu hangboard, 20 minutes".

Owns on which days a sentence's schedule falls, counted from the next Monday. Takes only sentences
that a source carries; what is done in them, when and how long, is the extractor's to say.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta, tzinfo

from dragtor.dates.words import CODES
from dragtor.events.extract import Extractor
from dragtor.events.schedule import Schedule, schedule, weeks_long
from dragtor.events.when import in_zone, settle
from dragtor.types import Answer, CalendarEvent, Claim

TITLE_CHARACTERS = 80
_SPREAD = ((0,), (0, 3), (0, 2, 4), (0, 1, 3, 4), (0, 1, 2, 3, 4), (0, 1, 2, 3, 4, 5))
PROPOSED = "The days are a proposal: the sources say how often, not on which."
_CLOCK = re.compile(  # the 10 of "3 sets (10 minutes)" is no time of the day
    r"\d\s*[ap]\.?\s?m\b|\d[:.h]\d\d|noon|midnight|morning|afternoon|evening|night|o.?clock", re.I
)
_AT = re.compile(r"\bat (\d{1,2}(?:[:.]\d\d)?\s?[ap]\.?m\b|\d{1,2}[:.]\d\d\b|noon\b)", re.I)
_LONG = re.compile(r"\b\d+(?:\.\d+)?[ -]?(?:min(?:ute)?s?|hours?|hrs?)\b", re.I)


def sessions(answer: Answer, extractor: Extractor, now: datetime) -> list[CalendarEvent]:
    """The plan's sessions, in the answer's order, each with its sentence and quotes as notes.

    Week 1 begins on the Monday after `now`. A sentence that names a week and no day is a whole
    week, days in a row are one entry; weekdays without a week come every week, for as many as the
    question or the sentence says. Of "twice a week" the days are proposed, which the notes say.
    "Every second day" counts within the week that the plan speaks of, else as long as the plan is.
    A sentence with a date of its own is an event of that date.
    """
    now = now.astimezone(extractor.zone)
    monday = now.date() + timedelta(days=7 - now.weekday())
    long = weeks_long(answer.question)
    found: list[CalendarEvent] = []
    weeks: tuple[int, ...] = ()  # that the plan speaks of, until it names others
    for claim in answer.claims:
        said = schedule(claim.text)
        limit = weeks_long(claim.text) or long
        if said.onward and said.weeks:
            said = replace(said, weeks=tuple(range(said.weeks[0], max(limit, said.weeks[0]) + 1)))
        weeks = said.weeks or weeks
        if not claim.citations:
            continue
        notes = _notes(answer, claim)
        if said.often and not (said.days or said.weekdays):
            said = replace(said, weekdays=_SPREAD[said.often - 1])
            notes = f"{notes}\n\n{PROPOSED}"
        if said.step and not said.weeks:
            said = replace(said, weeks=weeks or tuple(range(1, limit + 1)))
        if not (said.weeks or said.days or said.weekdays):
            dated = [e for e in extractor.events(claim.text, now) if e.date and e.start]
            found += [replace(e, notes=notes) for e in dated if not _is_past(e, now)]
        elif said.rest:
            each = replace(_done(said.rest, extractor, now), notes=notes)
            said = replace(said, weeks=weeks if said.days or said.weekdays else said.weeks)
            found += _placed(each, said, monday, limit, extractor.zone)
    return found


def _done(text: str, extractor: Extractor, now: datetime) -> CalendarEvent:
    """What is done, at which time and how long."""
    done = next(iter(extractor.events(text, now, undated=True)), CalendarEvent())
    start, end = done.evidence.get("time", (0, 0))
    if not (_CLOCK.search(text[start:end]) or text[:start].endswith("at ")):
        done = replace(done, start=None, end=None)
    if done.start is None and (at := _AT.search(text)):  # plain to see, and passed over
        long = _LONG.search(text)
        when = settle({"time": at[1], "duration": long[0] if long else ""}, now)
        done = replace(done, start=when.start, end=when.end)
    title = done.action if done.action and " " in done.action else text
    title = textwrap.shorten(title, TITLE_CHARACTERS, placeholder="…").rstrip(".")
    title = title[:1].upper() + title[1:]
    return replace(done, action=title, evidence={}, confidence={}, ambiguous=())


def _placed(
    event: CalendarEvent, said: Schedule, monday: date, limit: int, zone: tzinfo
) -> Iterator[CalendarEvent]:
    weeks, weekdays = said.weeks, said.weekdays
    if said.days:
        of_plan = not weeks or said.days[-1] > 7
        begin = monday if of_plan else monday + timedelta(weeks=weeks[0] - 1)
        for run in _runs(said.days):
            yield _over(event, begin + timedelta(days=run[0] - 1), len(run), zone)
    elif weekdays and weeks:
        for week in weeks:
            for weekday in weekdays:
                yield _on(event, monday + timedelta(weeks=week - 1, days=weekday), zone)
    elif weekdays:
        count = f";COUNT={limit * len(weekdays)}" if limit else ""
        rule = f"FREQ=WEEKLY;BYDAY={','.join(CODES[day] for day in weekdays)}{count}"
        yield replace(_on(event, monday + timedelta(days=weekdays[0]), zone), rrule=rule)
    else:
        for run in _runs(weeks):
            begin, days = monday + timedelta(weeks=run[0] - 1), 7 * len(run)
            yield (_every if said.step else _over)(event, begin, days, zone, said.step)


def _runs(numbers: Sequence[int]) -> list[list[int]]:
    """Numbers in a row, together."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _over(event: CalendarEvent, begin: date, days: int, zone: tzinfo, _: int = 0) -> CalendarEvent:
    """The event on all of these days: one entry or, where it has a time, one every day."""
    if isinstance(event.start, datetime):
        return _every(event, begin, days, zone, 1)
    last = begin + timedelta(days=days - 1)
    return replace(_on(event, begin, zone), end=last if days > 1 else None)


def _every(event: CalendarEvent, begin: date, days: int, zone: tzinfo, step: int) -> CalendarEvent:
    """The event on every `step`th of these days."""
    interval = f";INTERVAL={step}" if step > 1 else ""
    rule = f"FREQ=DAILY{interval};COUNT={-(-days // step)}"
    return replace(_on(event, begin, zone), rrule=rule if days > step else None)


def _on(event: CalendarEvent, day: date, zone: tzinfo) -> CalendarEvent:
    """The event on this day, at its own time if it has one."""
    stamp = f"{day:%d/%m/%Y}"
    if not isinstance(event.start, datetime):
        return replace(event, date=stamp, start=day, end=None, rrule=None)
    begin, _ = in_zone(datetime.combine(day, event.start.timetz().replace(tzinfo=None)), zone)
    end = None
    if isinstance(event.end, datetime):
        long = event.end.replace(tzinfo=None) - event.start.replace(tzinfo=None)
        end, _ = in_zone(begin.replace(tzinfo=None) + long, zone)
    return replace(event, date=stamp, start=begin, end=end, rrule=None)


def _is_past(event: CalendarEvent, now: datetime) -> bool:
    start = event.start
    if isinstance(start, datetime):
        return start < now
    return start is None or datetime.combine(start, time(), now.tzinfo) < now


def _notes(answer: Answer, claim: Claim) -> str:
    """The sentence, then each quote that carries it and where it stands."""
    quotes = [
        f"[{c.n}] “{' '.join(c.quote.split())}”\n{c.title}\n{c.url}".strip()
        for c in answer.citations
        if c.n in claim.citations
    ]
    return "\n\n".join([claim.text, *quotes])
