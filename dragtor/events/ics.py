"""Events as a calendar file (RFC 5545) that any calendar opens; written by icalendar.

Owns what makes an event the same one at the next import, what becomes of a file that is there, and
how a zone's changes of the clocks are written. Knows no model and no text.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from dragtor.dates.words import CODES
from dragtor.errors import UsageError
from dragtor.types import CalendarEvent, Moment, short_hash

if TYPE_CHECKING:
    import icalendar

PRODUCT = "-//dragtor//events//EN"
USUAL_MINUTES = 60  # of an event that has a time and no length
EPOCH_S = 1_577_836_800  # 2020-01-01; revisions are counted in seconds from here
_STAMPS = ("DTSTAMP", "LAST-MODIFIED", "SEQUENCE")  # say when an entry was made, not what it is


def calendar(
    events: Sequence[CalendarEvent], stamp: datetime | None = None, *, old: bytes = b""
) -> bytes:
    """The events that have a start, as a calendar; `stamp` is when it was made, else now.

    Two entries are the same event, with the same UID, where what is done, with whom and the first
    day are the same; of a series, in place of the first day, the days that it comes on. So a
    changed time, place, length or note updates the entry at the next import, and lunch on another
    day is another lunch. Of several alike the order counts. SEQUENCE grows with `stamp`, so that a
    calendar takes the later file for the newer one. An event with a time and no end takes an hour.

    Entries of `old`, a calendar of dragtor's own, stay where `events` hold nothing with their UID;
    those that say the same stay as they are.
    """
    import icalendar

    found = icalendar.Calendar()
    found.add("prodid", PRODUCT)
    found.add("version", "2.0")
    before = icalendar.Calendar.from_ical(old) if old else found
    entries = {str(entry.get("UID", n)): entry for n, entry in enumerate(before.events)}
    stamp = (stamp or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    seen: Counter[str] = Counter()
    for event in events:
        if event.start is None:
            continue
        identity = _identity(event)
        seen[identity] += 1
        uid = f"{short_hash(identity, str(seen[identity]))}@dragtor"
        entry = _entry(event, uid, stamp)
        if uid not in entries or _content(entries[uid]) != _content(entry):
            entries[uid] = entry
    for part in (*_zones(before, entries.values()), *entries.values()):
        found.add_component(part)
    made: bytes = found.to_ical()
    return made


def write(path: Path, events: Sequence[CalendarEvent], stamp: datetime | None = None) -> int:
    """Write the events that have a start; gives the number of others that the file holds.

    A calendar that dragtor wrote is added to: its events are updated, none is dropped. The file is
    replaced whole or not at all. Raises UsageError; see `check`.
    """
    old = check(path)
    place = Path(os.path.realpath(path.expanduser()))  # a link stays one
    made = calendar(events, stamp, old=old)
    part = place.with_name(f".dragtor-{os.getpid()}.ics.part")
    try:
        try:
            part.write_bytes(made)
            if place.exists():
                shutil.copymode(place, part)
            part.replace(place)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    except OSError as error:
        raise _refusal(path, error) from error
    return made.count(b"\nBEGIN:VEVENT") - sum(event.start is not None for event in events)


def check(path: Path) -> bytes:
    """What a calendar to write at `path` adds to; empty where there is nothing.

    Raises UsageError where nothing can be written, or another program's calendar or anything else
    stands there: that is never changed.
    """
    import icalendar

    try:
        place = Path(os.path.realpath(path.expanduser()))
        if str(path) == "-":
            raise UsageError("a calendar is written to a file, not to stdout", "--ics events.ics")
        if not place.parent.is_dir():
            folder = path.expanduser().parent
            raise UsageError(f"cannot write {path}: there is no folder {folder}", f"mkdir {folder}")
        if place.exists() and not place.is_file():
            what = "a folder" if place.is_dir() else "no regular file"
            raise UsageError(f"cannot write {path}: it is {what}", "choose another name")
        if not os.access(place.parent, os.W_OK) or (
            place.exists() and not os.access(place, os.R_OK | os.W_OK)
        ):
            raise UsageError(f"cannot write {path}: no permission", "choose another name")
        old = place.read_bytes() if place.exists() else b""
        if old and str(icalendar.Calendar.from_ical(old).get("PRODID")) != PRODUCT:
            raise ValueError("another program's")
    except (OSError, RuntimeError) as error:
        raise _refusal(path, error) from error
    except ValueError as error:
        raise UsageError(
            f"{path} is no calendar that dragtor wrote", "choose another name"
        ) from error
    return old


def _refusal(path: Path, error: Exception) -> UsageError:
    why = getattr(error, "strerror", None) or error
    return UsageError(f"cannot write {path}: {why}", "choose another name")


def _identity(event: CalendarEvent) -> str:
    people = sorted(name.casefold() for name in event.attendees or ())
    return repr(((event.action or "").casefold(), people, _days(event)))


def _days(event: CalendarEvent) -> str:
    """The first day or, of a series, on which days it comes, whenever it begins and ends."""
    start = event.start
    assert start is not None  # by contract
    if not event.rrule:
        return f"{start:%Y-%m-%d}"
    parts = [part for part in event.rrule.split(";") if not part.startswith(("COUNT=", "UNTIL="))]
    if not any(part.startswith("BY") for part in parts):
        of_start = {"FREQ=WEEKLY": "%a", "FREQ=MONTHLY": "%d", "FREQ=YEARLY": "%d %m"}
        parts += [f"{start:{form}}" for freq, form in of_start.items() if freq in parts]
    return ";".join(parts)


def _entry(event: CalendarEvent, uid: str, stamp: datetime) -> icalendar.Event:
    import icalendar

    entry = icalendar.Event()
    entry.add("uid", uid)
    entry.add("dtstamp", stamp)
    entry.add("last-modified", stamp)
    entry.add("sequence", max(0, int(stamp.timestamp()) - EPOCH_S))
    entry.add("summary", _plain(event.action or "") or "Event")
    assert event.start is not None  # by contract
    entry.add("dtstart", event.start)
    if event.end is not None or isinstance(event.start, datetime):
        entry.add("dtend", _end(event))
    if event.rrule:
        entry.add("rrule", icalendar.vRecur.from_ical(event.rrule))
    if event.location:
        entry.add("location", _plain(event.location))
    if described := _description(event):
        entry.add("description", _plain(described))
    return entry


def _content(entry: icalendar.Event) -> bytes:
    """The entry without what says when it was made."""
    import icalendar

    bare = icalendar.Event((k, v) for k, v in entry.items() if k.upper() not in _STAMPS)
    made: bytes = bare.to_ical()
    return made


def _end(event: CalendarEvent) -> Moment:
    """The end as RFC 5545 counts it: of days the one after the last."""
    if event.end is None:
        assert isinstance(event.start, datetime)  # by contract
        long = timedelta(minutes=_usual_minutes(event.rrule or ""))
        return (event.start.astimezone(UTC) + long).astimezone(event.start.tzinfo)
    return event.end if isinstance(event.end, datetime) else event.end + timedelta(days=1)


def _usual_minutes(rule: str) -> int:
    """An hour, or less where the event comes again before that."""
    parts = dict(part.split("=", 1) for part in rule.split(";") if "=" in part)
    step = int(parts.get("INTERVAL", "1")) if parts.get("FREQ") == "MINUTELY" else USUAL_MINUTES
    return min(step, USUAL_MINUTES)


def _description(event: CalendarEvent) -> str:
    """Who comes and what was noted; names are no addresses, so they are no attendees here."""
    parts = [f"With {', '.join(event.attendees)}"] if event.attendees else []
    return "\n".join([*parts, *([event.notes] if event.notes else [])])


def _plain(text: str) -> str:
    """No control characters, which no calendar file may hold, and no lone surrogates."""
    kept = "".join(c for c in text if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127))
    return kept.encode("utf-8", "replace").decode("utf-8")


def _zones(
    before: icalendar.Calendar, entries: Iterable[icalendar.Event]
) -> list[icalendar.Timezone]:
    """A definition of each zone that the entries name, for all of their years."""
    years: set[int] = set()
    named: dict[str, ZoneInfo | None] = {}
    for entry in entries:
        stated: list[Any] = [entry[name] for name in ("DTSTART", "DTEND") if name in entry]
        for at in stated:
            if (name := at.params.get("TZID")) is not None:
                years.add(at.dt.year)
                named.setdefault(name, None)
                if isinstance(at.dt.tzinfo, ZoneInfo):
                    named[name] = at.dt.tzinfo
    known = {str(zone.get("TZID")): zone for zone in before.timezones}
    made = {name: vtimezone(zone, name, years) for name, zone in named.items() if zone}
    return [found for name in sorted(named) if (found := made.get(name) or known.get(name))]


# Zones as calendar programs read them (RFC 5545, section 3.6.5): one yearly rule for each change of
# the clocks. Outlook reads rules and no lists of dates, and a list ends while a series may not;
# icalendar lists, and passes over Morocco's short winters.

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
