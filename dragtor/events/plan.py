"""A plan in an answer as calendar entries: "Week 1: Mon and Thu hangboard, 20 minutes".

Owns when a sentence says that something is done, and on which days that falls, counted from the
next Monday. Takes only sentences that a source entails; what is done in them, when and how long, is
the extractor's to say.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from dragtor.dates.words import CODES, HOURS, ONES, ORDINALS
from dragtor.events.extract import EventExtractor
from dragtor.events.when import in_zone, resolve_when
from dragtor.types import Answer, CalendarEvent, Claim

TITLE_CHARACTERS = 80
_SPREAD = ((0,), (0, 3), (0, 2, 4), (0, 1, 3, 4), (0, 1, 2, 3, 4), (0, 1, 2, 3, 4, 5))
PROPOSED = "The days are a proposal: the sources say how often, not on which."
_CLOCK = re.compile(  # the 10 of "3 sets (10 minutes)" is no time of the day
    r"\d\s*[ap]\.?\s?m\b|\d[:.h]\d\d|noon|midnight|morning|afternoon|evening|night|o.?clock", re.I
)
_AT = re.compile(r"\bat (\d{1,2}(?:[:.]\d\d)?\s?[ap]\.?m\b|\d{1,2}[:.]\d\d\b|noon\b)", re.I)
_LONG = re.compile(r"\b\d+(?:\.\d+)?[ -]?(?:min(?:ute)?s?|hours?|hrs?)\b", re.I)


def sessions(answer: Answer, extractor: EventExtractor, now: datetime) -> list[CalendarEvent]:
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


def _done(text: str, extractor: EventExtractor, now: datetime) -> CalendarEvent:
    """What is done, at which time and how long."""
    done = next(iter(extractor.events(text, now, undated=True)), CalendarEvent())
    start, end = done.evidence.get("time", (0, 0))
    if not (_CLOCK.search(text[start:end]) or text[:start].endswith("at ")):
        done = replace(done, start=None, end=None)
    if done.start is None and (at := _AT.search(text)):  # plain to see, and passed over
        long = _LONG.search(text)
        when = resolve_when({"time": at[1], "duration": long[0] if long else ""}, now)
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


# When a sentence of a plan says that something is done: "Weeks 1-2: Mon and Thu", "3x/week".

MOST_WEEKS = 104  # a plan of more is a slip
_ORDINALS = list(ORDINALS)[:8]  # first to eighth
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(HOURS)})"
_TO = r"\s*(?:-|–|—|to|through|and|&)\s*"
_FILLED = r"\s*(?:-|–|—|to|through)\s*"
# "Week 1 - 3 sets": the 3 is of no week.
_NO_COUNT = (
    r"(?!\s*(?:[x×%]|(?:sets?|times|rep(?:etition)?s?|min(?:ute)?s?|sec(?:ond)?s?|hours?|sessions?"
    r"|days?|weeks?|hangs?|kg)\b))"
)
_RUN = (
    rf"(?P<first>{_NUMBER})\b(?:(?P<to>{_TO})(?:(?:week|day) )?(?P<last>{_NUMBER})\b{_NO_COUNT})?"
)
_NOT_AFTER = r"(?<!after )(?<!until )(?<!before )(?<!by )(?<!past )(?<!within )(?<!within the )"
_ON = r"(?:\s+on(?:wards?)?\b)?"
_WEEK = re.compile(
    rf"{_NOT_AFTER}\b(?P<from>from |starting )?(?:in |during )?(?:weeks?|wks?\.?) #?{_RUN}{_ON}:?",
    re.I,
)
_NTH_WEEK = re.compile(
    rf"{_NOT_AFTER}\b(?P<from>from )?(?:in |during )?the ({'|'.join(_ORDINALS)}) week{_ON}:?", re.I
)
_FIRST = re.compile(
    rf"{_NOT_AFTER}\b(?:in |during |for |over )?the first (?:{_NUMBER}{_TO})?({_NUMBER})"
    r" (weeks|days):?",
    re.I,
)
_DAY = re.compile(rf"{_NOT_AFTER}\b(?:on |from )?days? #?{_RUN}:?", re.I)
_WEEKDAY = re.compile(
    r"\b(?i:(?:on|every|and|or) )*"
    r"(?:(?P<full>(?i:mon|tues|wednes|thurs|fri|satur|sun))(?i:days?)"
    r"|(?P<short>Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun))\b\.?,?:?(?i: and\b)?"
)  # a short one has its capital: the sun shines, she sat down
_NEXT = _WEEKDAY.pattern.replace("?P<", "?P<next_")
_WEEKDAYS = re.compile(rf"{_WEEKDAY.pattern}(?:(?:{_FILLED}|\s*[/&+]\s*)?{_NEXT})?")
_PER_DAY = rf"(?:once|twice|thrice|{_NUMBER}(?:\s*[x×]| times)) ?(?:a |per |/ ?)day"
_DAILY = re.compile(
    rf"\b(?:(?:every|each) day|daily|{_PER_DAY})\b(?! (?:life|living|activit|routine|tasks?|use))",
    re.I,
)
_STEP = re.compile(
    rf"\bevery (?:(other|second|third|fourth) day|({_NUMBER})(?:{_TO}{_NUMBER})? days)\b"
    r"|\balternate days\b",
    re.I,
)
_OFTEN = re.compile(
    rf"\b(?:(once|twice)|({_NUMBER})(?:{_TO}{_NUMBER})?(?:\s*[x×]|(?: [\w-]+){{0,2}}"
    r" (?:times|sessions?|days?|workouts?)(?: of [\w-]+ [\w-]+)?))"
    r"\s?(?:a |per |each |every |/ ?)(?:week|wk)\b",
    re.I,
)
_WEEKS_LONG = re.compile(rf"\b({_NUMBER})[ -]weeks?\b", re.I)
_MARKDOWN = re.compile(
    r"\[[\d,\s]+\]|^\s*(?:[-•–+]|\d{1,2}[.)])\s+|[*`#>]+|^\s*\|+|\|+\s*$|(?<!\w)_+|_+(?!\w)"
)
_EMPTY = re.compile(r"\([\s,;:/&–-]*\)|^[\s,;:/.&–-]+(?:on\b)?[\s,;:/.&–-]*|[\s,;:/.&–-]+$")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a sentence says that something is done, and what is left of it without that."""

    weeks: tuple[int, ...]  # counted from 1
    onward: bool  # from the first of the weeks to the plan's end
    days: tuple[int, ...]  # of the plan, or of its week, counted from 1
    weekdays: tuple[int, ...]  # Monday is 0
    step: int  # 1 is every day, 2 every second one; 0 where that is not said
    often: int  # sessions a week, 0 where that is not said
    rest: str


def schedule(text: str) -> Schedule:
    """What a sentence, a line of a list or a row of a table says; markdown and marks come off."""
    text = _MARKDOWN.sub(" ", text)
    text = " ".join(re.sub(r"\s*\|+[\s|]*", ", ", text).split())
    weeks, days = _numbers(_WEEK, text), _numbers(_DAY, text)
    nth = list(_NTH_WEEK.finditer(text))
    weeks = weeks or tuple(ORDINALS[found[2].lower()] for found in nth)
    if first := _FIRST.search(text):
        spelled = tuple(range(1, min(_number(first[1]), MOST_WEEKS) + 1))
        weeks = weeks or (spelled if first[2].lower() == "weeks" else ())
        days = days or (spelled if first[2].lower() == "days" else ())
    opened = [*_WEEK.finditer(text), *nth]
    return Schedule(
        weeks,
        any(found["from"] for found in opened),
        days,
        _weekdays(text),
        _step(text),
        _often(text),
        _rest(text),
    )


def weeks_long(text: str) -> int:
    """The N of "a 4-week plan" or "for six weeks"; 0 where nothing says it."""
    found = _WEEKS_LONG.search(text)
    return min(_number(found[1]), MOST_WEEKS) if found else 0


def _rest(text: str) -> str:
    for pattern in (_WEEK, _NTH_WEEK, _FIRST, _DAY):
        text = pattern.sub(" ", text)
    text = _WEEKDAYS.sub(" ", text)
    text = " ".join(text.split())
    for _ in range(2):  # what stood in parentheses or before a colon is gone
        text = _EMPTY.sub("", text).strip()
    return re.sub(r"\s+([,;:.])", r"\1", text)


def _weekdays(text: str) -> tuple[int, ...]:
    """The days that are named, "Mon to Fri" filled."""
    found: set[int] = set()
    before: re.Match[str] | None = None
    for match in _WEEKDAY.finditer(text):
        day = CODES.index((match["full"] or match["short"])[:2].upper())
        found.add(day)
        if before and re.fullmatch(_FILLED, text[before.end() : match.start()]):
            start = CODES.index((before["full"] or before["short"])[:2].upper())
            found |= set(range(start, day))
        before = match
    return tuple(sorted(found))


def _step(text: str) -> int:
    """Days from one time to the next."""
    if found := _STEP.search(text):
        word = (found[1] or "other").lower().replace("other", "second")
        return _number(found[2]) if found[2] else ORDINALS[word]
    return 1 if _DAILY.search(text) else 0


def _often(text: str) -> int:
    """The lower number of "2-3 times per week"."""
    found = _OFTEN.search(text)
    if not found:
        return 0
    number = {"once": 1, "twice": 2}.get((found[1] or "").lower()) or _number(found[2])
    return number if number < len(CODES) else 0


def _numbers(pattern: re.Pattern[str], text: str) -> tuple[int, ...]:
    """Every number that the pattern names, "1 to 3" filled and "1 and 3" not, in order."""
    found: set[int] = set()
    for match in pattern.finditer(text):
        first = _number(match["first"])
        last = _number(match["last"]) if match["last"] else first
        if re.fullmatch(_FILLED, match["to"] or ""):
            found |= set(range(first, min(last, first + MOST_WEEKS) + 1))
        found |= {first, last}
    return tuple(sorted(number for number in found if 1 <= number <= 7 * MOST_WEEKS))


def _number(text: str) -> int:
    return int(text) if text.isdigit() else ONES[text.lower()]
