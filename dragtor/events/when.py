"""When an event is: the phrases of its fields made into a start, an end and a repetition.

Owns what a phrase means beside its neighbours (a bare "7" after "tonight", a date without a
time, a time that a clock change skips). Knows no model; what one phrase says is read by dates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Any

from dragtor import dates
from dragtor.dates.words import CODES
from dragtor.events.phrases import (
    Clock,
    Days,
    clock_of,
    days_of,
    in_full,
    is_vague,
    parse_phrases,
    zone_of,
)
from dragtor.types import Moment

LONGEST_PHRASE = 200  # characters of one field that are read
DAY_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class When:
    """What the phrases come to; None where they say nothing, or nothing that can be.

    `start` and `end` are datetimes with a zone or, for a whole day, dates, the last day included.
    """

    date: date | None = None  # as stated
    time: time | None = None  # as stated
    start: Moment | None = None
    end: Moment | None = None
    rrule: str | None = None
    ambiguous: tuple[str, ...] = ()  # fields that can be read another way, or not at all


def resolve_when(phrases: Mapping[str, str], now: datetime, *, day_first: bool = False) -> When:
    """The instants of an event, of its fields' own words; `now` has a zone, the event's too.

    `lead` among the phrases is the word before the time's: from ten to nine is no ten to nine.
    A time without a date is today's or, where that is past, tomorrow's; a date without a time is
    a whole day. A time that a clock change skips moves forward, one that comes twice is the
    first. Nothing is taken for longer than it is said to be.
    """
    words = {name: in_full(name, text[:LONGEST_PHRASE]) for name, text in phrases.items()}
    try:
        return _resolved(words, now, day_first)
    except (OverflowError, ValueError):  # beyond the years that a calendar has
        said = (name for name in ("date", "time", "duration", "recurrence") if words.get(name))
        return When(ambiguous=tuple(said))


def _resolved(words: Mapping[str, str], now: datetime, day_first: bool) -> When:
    local = now.replace(tzinfo=None)
    parsed = parse_phrases(words, local, day_first)
    if (zone := zone_of(parsed)) and zone != now.tzinfo:
        there = _resolved(words, now.astimezone(zone), day_first)
        here = replace(there, start=_here(there.start, now), end=_here(there.end, now))
        return replace(here, rrule=_on_days_here(there.rrule, there.start, here.start))
    days = days_of(parsed, words.get("date", ""), local.date())
    clock = clock_of(parsed, words)
    said = words.get("recurrence")
    rule = dates.recurrence(said, local, day_first=day_first) if said else None
    if rule and days is None and words.get("date"):  # "weekly" and "Mondays"
        both = f"{said} on {words['date']}"
        closer = dates.recurrence(both, local, day_first=day_first)
        if closer and closer != rule:
            rule, words = closer, {**words, "date": ""}
    if rule and days is None and not words.get("date"):
        opens = dates.opening(words["recurrence"], local, day_first=day_first)
        days = Days(_day_of(opens), _day_of(opens), False) if opens else None
        if isinstance(opens, datetime) and clock is None:
            clock = Clock(opens.time(), None, False)
    minutes = dates.minutes(words["duration"]) if words.get("duration") else None
    unsure = {"date": days, "time": clock, "recurrence": rule, "duration": minutes}
    doubts = {name for name, value in unsure.items() if value is None and words.get(name)}
    doubts |= {"date"} if days and days.unsure else set()
    doubts |= {"time"} if clock and clock.unsure else set()
    doubts |= {"duration"} if is_vague(words.get("duration", "")) else set()
    found = When(days.first if days else None, clock.start if clock else None)
    if days is None and clock is None and rule is None:
        return replace(found, ambiguous=_ordered(doubts))
    if days is None and words.get("date"):
        return replace(found, ambiguous=_ordered(doubts))  # a date is meant, and none can be told
    if rule and clock is None and _within_a_day(rule):  # every 2 hours: from midnight, or from now
        begin = time() if days else local.time().replace(second=0, microsecond=0)
        clock = Clock(begin, None, True)
        doubts.add("time")
    found = _placed(found, days, clock, rule, minutes, local)
    if rule and found.start is None:
        doubts.add("recurrence")
        if days or words.get("time"):  # else nothing says that it is at all
            found = _placed(found, days, clock, None, minutes, local)
    return _zoned(found, now.tzinfo or UTC, doubts)


def _ordered(names: set[str]) -> tuple[str, ...]:
    return tuple(n for n in ("date", "time", "duration", "recurrence") if n in names)


# Start and end


def _placed(
    found: When,
    days: Days | None,
    clock: Clock | None,
    rule: str | None,
    minutes: int | None,
    local: datetime,
) -> When:
    """Start, end and rule in local time; without a start where the rule never comes true."""
    first = days.first if days else local.date()
    long = days.last - days.first if days and not (days.vague and clock) else timedelta()
    start: Moment = datetime.combine(first, clock.start) if clock else first
    if isinstance(start, datetime) and start < local and (days is None or days.weekly):
        start += timedelta(days=1 if days is None else 7)
    if rule and "BYHOUR" in rule:  # at 8 and at 20: whichever comes next
        start = max(datetime.combine(first, time()), local.replace(second=0, microsecond=0))
    if rule:
        every = re.sub(r";INTERVAL=\d+", "", rule)  # every other Tuesday: from the next one on
        comes = occurrences(rule, next(iter(occurrences(every, start, 1)), start), 2)
        if not comes:
            return replace(found, start=None)
        start = comes[0]
        if days and days.last > days.first and _falls_twice(comes, days.last):
            long = timedelta()  # every day of 3 to 5 March
            ends = "COUNT=" in rule or "UNTIL=" in rule
            rule = rule if ends else f"{rule};UNTIL={days.last:%Y%m%d}"
    return replace(found, start=start, end=_end(start, long, clock, minutes), rrule=rule)


def _end(start: Moment, long: timedelta, clock: Clock | None, minutes: int | None) -> Moment | None:
    """The last moment, or the last day; None where nothing says it."""
    if not isinstance(start, datetime):
        whole = timedelta(days=(minutes or 0) // DAY_MINUTES - 1)
        length = max(long, whole)
        return start + length if length else None
    if clock and clock.end is not None:
        end = datetime.combine(start.date() + long, clock.end)
        return end if end > start else end + timedelta(days=1)
    if minutes:
        return start + long + timedelta(minutes=minutes)
    return datetime.combine(start.date() + long, time()) + timedelta(days=1) if long else None


def occurrences(rule: str, start: Moment, most: int) -> list[Moment]:
    """The first moments from `start` on at which the rule holds; none where it is no rule."""
    from dateutil.rrule import rrulestr

    begin = start if isinstance(start, datetime) else datetime.combine(start, time())
    plain = rule if begin.tzinfo else re.sub(r"(UNTIL=\d{8}T\d{6})Z", r"\1", rule)
    try:
        found = list(islice(rrulestr(plain, dtstart=begin), most))
    except (ValueError, KeyError, TypeError):
        return []
    return [each if isinstance(start, datetime) else each.date() for each in found]


def _day_of(moment: Moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _falls_twice(comes: list[Moment], last: date) -> bool:
    """Whether the second one, too, is on or before the last day."""
    days = [_day_of(each) for each in comes]
    return len(days) > 1 and days[1] <= last


def _within_a_day(rule: str) -> bool:
    return rule.startswith(("FREQ=HOURLY", "FREQ=MINUTELY"))


# Zones


def _here(moment: Moment | None, now: datetime) -> Moment | None:
    return moment.astimezone(now.tzinfo) if isinstance(moment, datetime) else moment


def _on_days_here(rule: str | None, there: Moment | None, here: Moment | None) -> str | None:
    """A weekly rule with the weekdays, and times, of the clocks here: Tuesday 9 pm there."""
    if not rule or not isinstance(there, datetime) or not isinstance(here, datetime):
        return rule
    days = (here.date() - there.date()).days
    ahead = (here.utcoffset() or timedelta()) - (there.utcoffset() or timedelta())

    def moved(found: re.Match[str]) -> str:
        return ",".join(CODES[(CODES.index(code) + days) % 7] for code in found[0].split(","))

    def hours(found: re.Match[str]) -> str:
        moved = (int(hour) + ahead // timedelta(hours=1) for hour in found[0].split(","))
        return ",".join(f"{hour % 24}" for hour in moved)

    if rule.startswith("FREQ=WEEKLY"):
        rule = re.sub(r"(?<=BYDAY=)[A-Z,]+", moved, rule)
    return re.sub(r"(?<=BYHOUR=)[\d,]+", hours, rule)


def _zoned(found: When, zone: tzinfo, doubts: set[str]) -> When:
    start, end = found.start, found.end
    if isinstance(start, datetime):
        start, odd = in_zone(start, zone)
        doubts |= {"time"} if odd else set()
        if isinstance(end, datetime):
            end, _ = in_zone(end, zone)
    rule = _until_in_utc(found.rrule, start) if found.rrule and start else found.rrule
    return replace(found, start=start, end=end, rrule=rule, ambiguous=_ordered(doubts))


def in_zone(local: datetime, zone: tzinfo) -> tuple[datetime, bool]:
    """A local time in its zone, and whether the clocks skip it or show it twice.

    As in RFC 5545, section 3.3.5: one that is skipped counts from the offset before the gap, of
    two the first is meant.
    """
    there = local.replace(tzinfo=zone)
    twice = there.utcoffset() != there.replace(fold=1).utcoffset()
    back = there.astimezone(UTC).astimezone(zone)
    return back.replace(fold=0) if back.replace(tzinfo=None) != local else there, twice


def _until_in_utc(rule: str, start: Moment) -> str:
    """The rule with its end as RFC 5545 wants it: UTC beside a time, a date beside a day."""
    found = re.search(r"UNTIL=(\d{8})(T\d{6}Z?)?", rule)
    if not found:
        return rule
    until: Any = datetime.strptime(found[1], "%Y%m%d")
    if not isinstance(start, datetime):
        return rule.replace(found[0], f"UNTIL={until:%Y%m%d}")
    last = datetime.combine(until.date(), time(23, 59, 59), start.tzinfo).astimezone(UTC)
    return rule.replace(found[0], f"UNTIL={last:%Y%m%dT%H%M%SZ}")
