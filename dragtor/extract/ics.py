"""Events as a calendar file (RFC 5545) that any calendar opens; written by icalendar.

Owns what makes an event the same one at the next import. Knows no model and no text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.errors import UsageError
from dragtor.extract.events import Event
from dragtor.extract.when import Moment
from dragtor.types import short_hash

if TYPE_CHECKING:
    import icalendar

PRODUCT = "-//dragtor//events//EN"
USUAL_MINUTES = 60  # of an event that has a time and no length
VTIMEZONE_YEARS = 10  # for which a zone's clock changes are listed past the last event


def calendar(events: Sequence[Event], stamp: datetime | None = None) -> bytes:
    """The events that have a start, as a calendar; `stamp` is when it was made, else now.

    One with a time and no end takes an hour here. The same action, people and first day make the
    same UID, so that a later import moves or mends the event; of several alike on a day the order
    counts.
    """
    import icalendar

    found = icalendar.Calendar()
    found.add("prodid", PRODUCT)
    found.add("version", "2.0")
    stamp = (stamp or datetime.now(UTC)).astimezone(UTC).replace(microsecond=0)
    seen: Counter[str] = Counter()
    for event in events:
        if event.start is None:
            continue
        identity = _identity(event)
        seen[identity] += 1
        found.add_component(_entry(event, short_hash(identity, str(seen[identity])), stamp))
    found.add_missing_timezones(**_years(events))
    made: bytes = found.to_ical()
    return made


def write(path: Path, events: Sequence[Event], stamp: datetime | None = None) -> int:
    """Write the calendar and say how many events it holds; replaces only one of dragtor's own.

    Raises UsageError where the file is something else, or cannot be written.
    """
    try:
        path = path.expanduser()
        if path.exists() and PRODUCT.encode() not in path.read_bytes()[:1000]:
            raise UsageError(f"{path} is no calendar that dragtor wrote", "choose another name")
        path.write_bytes(calendar(events, stamp))
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot write {path}: {why}", "choose another name") from error
    return sum(event.start is not None for event in events)


def _identity(event: Event) -> str:
    first = event.start.date() if isinstance(event.start, datetime) else event.start
    people = sorted(name.casefold() for name in event.attendees or ())
    return repr(((event.action or "").casefold(), people, f"{first}"))


def _entry(event: Event, uid: str, stamp: datetime) -> icalendar.Event:
    import icalendar

    entry = icalendar.Event()
    entry.add("uid", f"{uid}@dragtor")
    entry.add("dtstamp", stamp)
    entry.add("last-modified", stamp)
    entry.add("summary", _plain(event.action or "Event"))
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


def _end(event: Event) -> Moment:
    """The end as RFC 5545 counts it: of days the one after the last."""
    if event.end is None:
        assert isinstance(event.start, datetime)  # by contract
        return (event.start.astimezone(UTC) + timedelta(minutes=USUAL_MINUTES)).astimezone(
            event.start.tzinfo
        )
    return event.end if isinstance(event.end, datetime) else event.end + timedelta(days=1)


def _description(event: Event) -> str:
    """Who comes and what was noted; names are no addresses, so they are no attendees here."""
    parts = [f"With {', '.join(event.attendees)}"] if event.attendees else []
    return "\n".join([*parts, *([event.notes] if event.notes else [])])


def _plain(text: str) -> str:
    """No control characters, which no calendar file may hold, and no lone surrogates."""
    kept = "".join(c for c in text if c in "\n\t" or (ord(c) >= 32 and ord(c) != 127))
    return kept.encode("utf-8", "replace").decode("utf-8")


def _years(events: Sequence[Event]) -> dict[str, date]:
    """Between which years the zones' clock changes are listed."""
    years = [event.start.year for event in events if event.start]
    if not years:
        return {}
    last = min(9998, max(years) + VTIMEZONE_YEARS)
    return {"first_date": date(max(1, min(years) - 1), 1, 1), "last_date": date(last, 12, 31)}
