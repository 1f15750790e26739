"""A plan in an answer as calendar entries: "Week 1: Mon and Thu hangboard, 20 minutes".

Owns what "week 2", "day 3" and weekdays mean, counted from the next Monday. Takes only sentences
that a source carries; what is done in them, when and how long, is the extractor's to say.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from dragtor.extract.events import Event, Extractor
from dragtor.extract.when import in_zone
from dragtor.types import Answer, Claim

TITLE_CHARACTERS = 80
MOST_WEEKS = 104  # a plan of more is a slip
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WORDS = "one two three four five six seven eight nine ten eleven twelve".split()
_ORDINALS = "first second third fourth fifth sixth seventh eighth".split()
_NUMBER = rf"(\d{{1,3}}|{'|'.join(_WORDS)})\b"
_TO = r"\s*(-|–|to|through|and|&)\s*"
_NOT_AFTER = r"(?<!after )(?<!until )(?<!before )(?<!by )(?<!past )"
_WEEK = re.compile(rf"{_NOT_AFTER}\b(?:in |during )?weeks? {_NUMBER}(?:{_TO}{_NUMBER})?:?", re.I)
_NTH_WEEK = re.compile(rf"\b(?:in |during )?the ({'|'.join(_ORDINALS)}) week:?", re.I)
_FIRST_WEEKS = re.compile(rf"\b(?:in |during |for |over )?the first {_NUMBER} weeks:?", re.I)
_DAY = re.compile(rf"{_NOT_AFTER}\b(?:on )?days? {_NUMBER}(?:{_TO}{_NUMBER})?:?", re.I)
_WEEKDAY = re.compile(
    r"\b(?i:(?:on|every|and|or) )*"
    r"(?:(?P<full>(?i:mon|tues|wednes|thurs|fri|satur|sun))(?i:days?)"
    r"|(?P<short>Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun))\b\.?,?:?(?i: and\b)?"
)  # a short one has its capital: the sun shines, she sat down
_DAILY = re.compile(r"\b(?:every day|each day|daily)\b", re.I)
_OFTEN = re.compile(
    rf"\b(?:(once|twice)|{_NUMBER}(?: [a-z]+){{0,2}} (?:times|sessions?|days?))"
    r" (?:a|per|each|every) week\b",
    re.I,
)
_SPREAD = ((0,), (0, 3), (0, 2, 4), (0, 1, 3, 4), (0, 1, 2, 3, 4), (0, 1, 2, 3, 4, 5))
PROPOSED = "The days are a proposal: the sources say how often, not on which."
_WEEKS_LONG = re.compile(rf"\b{_NUMBER}[ -]weeks?\b", re.I)


@dataclass(frozen=True, slots=True)
class _Schedule:
    """When a sentence says that something is done, and what is left of it without that."""

    weeks: tuple[int, ...]  # counted from 1
    days: tuple[int, ...]  # of the plan, or of its week, counted from 1
    weekdays: tuple[int, ...]  # Monday is 0
    daily: bool
    often: int  # sessions a week, 0 where that is not said
    rest: str


def sessions(answer: Answer, extractor: Extractor, now: datetime) -> list[Event]:
    """The plan's sessions, in the answer's order, each with its sentence and quotes as notes.

    Week 1 begins on the Monday after `now`. A sentence that names a week and no day is a whole
    week; weekdays without a week come every week, for as many as the question or the sentence
    says. Of "twice a week" the days are proposed, which the notes say. A sentence with a date of
    its own is an event of that date.
    """
    now = now.astimezone(extractor.zone)
    monday = now.date() + timedelta(days=7 - now.weekday())
    long = _weeks_long(answer.question)
    found: list[Event] = []
    weeks: tuple[int, ...] = ()
    for claim in answer.claims:
        schedule = _schedule(claim.text)
        weeks = schedule.weeks or weeks
        if not claim.citations:
            continue
        notes = _notes(answer, claim)
        if schedule.often and not (schedule.days or schedule.weekdays):
            schedule = replace(schedule, weekdays=_SPREAD[schedule.often - 1])
            notes = f"{notes}\n\n{PROPOSED}"
        if not (schedule.weeks or schedule.days or schedule.weekdays):
            dated = [e for e in extractor.events(claim.text, now) if e.date and e.start]
            found += [replace(e, notes=notes) for e in dated if not _is_past(e, now)]
            continue
        schedule = replace(schedule, weeks=weeks)
        done = next(iter(extractor.events(schedule.rest, now, undated=True)), Event())
        title = done.action or textwrap.shorten(schedule.rest, TITLE_CHARACTERS, placeholder="…")
        each = replace(done, action=title, notes=notes, evidence={}, confidence={}, ambiguous=())
        limit = _weeks_long(claim.text) or long
        found += _placed(each, schedule, monday, limit, extractor.zone)
    return found


def _placed(
    event: Event, schedule: _Schedule, monday: date, limit: int, zone: tzinfo
) -> Iterator[Event]:
    weeks, weekdays = schedule.weeks, schedule.weekdays
    if schedule.days:
        begin = monday + timedelta(weeks=weeks[0] - 1 if weeks else 0)
        for day in schedule.days:
            yield _on(event, begin + timedelta(days=day - 1), zone)
    elif weekdays and weeks:
        for week in weeks:
            for weekday in weekdays:
                yield _on(event, monday + timedelta(weeks=week - 1, days=weekday), zone)
    elif weekdays:
        count = f";COUNT={limit * len(weekdays)}" if limit else ""
        rule = f"FREQ=WEEKLY;BYDAY={','.join(_DAYS[day] for day in weekdays)}{count}"
        yield replace(_on(event, monday + timedelta(days=weekdays[0]), zone), rrule=rule)
    elif schedule.daily:
        begin = monday + timedelta(weeks=weeks[0] - 1)
        rule = f"FREQ=DAILY;COUNT={7 * len(weeks)}"
        yield replace(_on(event, begin, zone), rrule=rule)
    else:
        in_a_row = weeks[-1] - weeks[0] == len(weeks) - 1
        for run in (weeks,) if in_a_row else tuple((week,) for week in weeks):
            first = monday + timedelta(weeks=run[0] - 1)
            last = monday + timedelta(weeks=run[-1] - 1, days=6)
            yield replace(event, start=first, end=last, rrule=None, date=f"{first:%d/%m/%Y}")


def _on(event: Event, day: date, zone: tzinfo) -> Event:
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


def _is_past(event: Event, now: datetime) -> bool:
    start = event.start
    if isinstance(start, datetime):
        return start < now
    return start is None or datetime.combine(start, time(), now.tzinfo) < now


def _schedule(text: str) -> _Schedule:
    weeks = _numbers(_WEEK, text) or tuple(
        _ORDINALS.index(found[1].lower()) + 1 for found in _NTH_WEEK.finditer(text)
    )
    if first := _FIRST_WEEKS.search(text):
        weeks = weeks or tuple(range(1, min(_number(first[1]), MOST_WEEKS) + 1))
    words = [found["full"] or found["short"] for found in _WEEKDAY.finditer(text)]
    named = {_DAYS.index(word[:2].upper()) for word in words}
    rest = text
    for pattern in (_WEEK, _NTH_WEEK, _FIRST_WEEKS, _DAY, _WEEKDAY):
        rest = pattern.sub(" ", rest)
    return _Schedule(
        weeks,
        _numbers(_DAY, text),
        tuple(sorted(named)),
        bool(_DAILY.search(text)),
        _often(text),
        " ".join(rest.split()).strip(" ,:;-–"),
    )


def _often(text: str) -> int:
    found = _OFTEN.search(text)
    if not found:
        return 0
    word = (found[1] or "").lower()
    number = {"once": 1, "twice": 2}.get(word) or _number(found[2])
    return number if number <= len(_SPREAD) else 0


def _numbers(pattern: re.Pattern[str], text: str) -> tuple[int, ...]:
    """Every number that the pattern names, "1 to 3" filled and "1 and 3" not, in order."""
    found: set[int] = set()
    for match in pattern.finditer(text):
        first = _number(match[1])
        last = _number(match[3]) if match[3] else first
        both = match[2] in ("and", "&")
        found |= {first, last} if both else set(range(first, min(last, first + MOST_WEEKS) + 1))
    return tuple(sorted(n for n in found if 1 <= n <= 7 * MOST_WEEKS))


def _number(word: str) -> int:
    return int(word) if word.isdecimal() else _WORDS.index(word.lower()) + 1


def _weeks_long(text: str) -> int:
    """The N of "a 4-week plan" or "for six weeks"; 0 where nothing says it."""
    found = _WEEKS_LONG.search(text)
    return min(_number(found[1]), MOST_WEEKS) if found else 0


def _notes(answer: Answer, claim: Claim) -> str:
    """The sentence, then each quote that carries it and where it stands."""
    quotes = [
        f"[{c.n}] “{' '.join(c.quote.split())}”\n{c.title}\n{c.url}".strip()
        for c in answer.citations
        if c.n in claim.citations
    ]
    return "\n\n".join([claim.text, *quotes])
