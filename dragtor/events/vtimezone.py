"""A time zone as calendar programs read it: one yearly rule for each change of the clocks.

Owns how a zone's changes are written (RFC 5545, section 3.6.5). Outlook reads rules and no lists of
dates, and a list ends while a series may not; icalendar lists, and passes over Morocco's short
winters. Knows no event.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, NamedTuple

from dragtor.dates.words import CODES

if TYPE_CHECKING:
    import icalendar

YEARS_LONG = 12  # of changes that are looked at: enough to tell the last Sunday from the fourth
MOST_YEARS = 100  # of changes that are listed
_DAY, _SECOND = timedelta(days=1), timedelta(seconds=1)


class _Change(NamedTuple):
    """What the clocks are changed from and to."""

    offset_from: timedelta
    offset_to: timedelta
    name: str
    summer: bool


def vtimezone(zone: tzinfo, name: str, years: Collection[int]) -> icalendar.Timezone:
    """The definition of a zone for events of these years; past the last one its rules go on.

    Changes without a yearly rule (Morocco's) are a list of dates, for YEARS_LONG more years.
    """
    import icalendar

    first = max(1, min(years) - 1)
    last = min(9998, max(years) + YEARS_LONG, first + MOST_YEARS)
    begin, end = datetime(first, 1, 2, tzinfo=UTC), datetime(last, 12, 31, tzinfo=UTC)
    changes: dict[_Change, list[datetime]] = {}
    for change, at in _changes(zone, begin, end):
        changes.setdefault(change, []).append(at)
    made = icalendar.Timezone()
    made.add("tzid", name)
    if not changes or not all(map(_yearly, changes.values())):
        local = begin.astimezone(zone)
        before = local.utcoffset() or timedelta()
        start = _Change(before, before, local.tzname() or name, summer=False)
        made.add_component(_part(start, [local.replace(tzinfo=None)]))
    for change, times in changes.items():
        made.add_component(_part(change, times))
    return made


def _changes(zone: tzinfo, begin: datetime, end: datetime) -> Iterator[tuple[_Change, datetime]]:
    """Each change, with its moment on the clock before it."""
    while begin < end:
        after = begin + _DAY
        if begin.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            same, other = begin, after
            while other - same > _SECOND:
                middle = same + (other - same) // 2
                is_same = _offset(middle, zone) == _offset(begin, zone)
                same, other = (middle, other) if is_same else (same, middle)
            at, there = other.replace(microsecond=0), after.astimezone(zone)
            old, new = _offset(begin, zone), _offset(after, zone)
            change = _Change(old, new, there.tzname() or f"{new}", bool(there.dst()))
            yield change, (at + old).replace(tzinfo=None)
        begin = after


def _offset(at: datetime, zone: tzinfo) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _part(
    change: _Change, times: list[datetime]
) -> icalendar.TimezoneStandard | icalendar.TimezoneDaylight:
    import icalendar

    part = icalendar.TimezoneDaylight() if change.summer else icalendar.TimezoneStandard()
    part.add("dtstart", times[0])
    part.add("tzoffsetfrom", change.offset_from)
    part.add("tzoffsetto", change.offset_to)
    part.add("tzname", change.name)
    if rule := _yearly(times):
        part.add("rrule", rule)
    elif len(times) > 1:
        part.add("rdate", times[1:])
    return part


def _yearly(times: list[datetime]) -> dict[str, object]:
    """The rule of one change a year on the first … fourth or last such weekday; else nothing."""
    one = times[0]
    alike = {(at.month, at.weekday(), at.time()) for at in times}
    in_a_row = [at.year for at in times] == list(range(one.year, one.year + len(times)))
    if len(times) < YEARS_LONG or len(alike) > 1 or not in_a_row:
        return {}
    which = {(at.day - 1) // 7 + 1 for at in times}
    if all((at + timedelta(days=7)).month != at.month for at in times):
        which = {-1}
    if len(which) > 1:
        return {}
    day = f"{which.pop()}{CODES[one.weekday()]}"
    return {"FREQ": "YEARLY", "BYMONTH": one.month, "BYDAY": day}
