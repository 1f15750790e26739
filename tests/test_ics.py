"""Calendar files: opened again by icalendar and checked; the same events have the same UIDs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest

from dragtor.errors import UsageError
from dragtor.extract import ics
from dragtor.extract.events import Event

BERLIN = ZoneInfo("Europe/Berlin")
STAMP = datetime(2026, 11, 20, 9, tzinfo=UTC)
LUNCH = Event(
    action="Lunch; with \\ and, commas\nand more",
    attendees=("Yves", "Ana"),
    location="The crag, left",
    notes="Bring “chalk” 🧗",
    start=datetime(2026, 11, 27, 13, tzinfo=BERLIN),
    rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=FR",
)


def opened(*events: Event) -> icalendar.Calendar:
    return icalendar.Calendar.from_ical(ics.calendar(events, STAMP))


def uids(*events: Event) -> list[str]:
    return [str(entry["UID"]) for entry in opened(*events).events]


def test_an_event_is_read_back_as_it_was() -> None:
    found = opened(LUNCH)
    (entry,) = found.events
    assert str(entry["SUMMARY"]) == LUNCH.action
    assert str(entry["LOCATION"]) == LUNCH.location
    assert str(entry["DESCRIPTION"]) == "With Yves, Ana\nBring “chalk” 🧗"
    assert entry.start == LUNCH.start
    assert entry["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert entry["RRULE"] == {"FREQ": ["WEEKLY"], "INTERVAL": [2], "BYDAY": ["FR"]}
    assert entry.stamp == entry.last_modified == STAMP
    assert str(found["PRODID"]) == ics.PRODUCT


def test_lines_are_as_the_standard_wants() -> None:
    raw = ics.calendar([replace(LUNCH, notes="long " * 100)], STAMP)
    assert raw.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_the_zone_s_clock_changes_are_in_the_file() -> None:
    winter = replace(LUNCH, rrule=None)
    summer = replace(winter, start=datetime(2027, 7, 1, 13, tzinfo=BERLIN))
    found = opened(winter, summer)
    (zone,) = found.timezones
    assert str(zone["TZID"]) == "Europe/Berlin"
    rebuilt = zone.to_tz()
    for each in (winter.start, summer.start):
        assert isinstance(each, datetime)
        assert each.replace(tzinfo=rebuilt).utcoffset() == each.utcoffset()


def test_an_event_without_an_end_takes_an_hour_in_a_calendar() -> None:
    (entry,) = opened(LUNCH).events
    assert entry.end - entry.start == timedelta(hours=1)
    late = replace(LUNCH, rrule=None, start=datetime(2027, 3, 28, 1, 30, tzinfo=BERLIN))
    (entry,) = opened(late).events  # an hour over a clock change is an hour all the same
    assert entry.end.astimezone(UTC) - entry.start.astimezone(UTC) == timedelta(hours=1)


def test_whole_days_end_on_the_day_after() -> None:
    day = Event(action="Rent", start=date(2026, 12, 15))
    trip = Event(action="Trip", start=date(2027, 3, 3), end=date(2027, 3, 5))
    one, several = opened(day, trip).events
    assert (one.start, one.end) == (date(2026, 12, 15), date(2026, 12, 16))
    assert (several.start, several.end) == (date(2027, 3, 3), date(2027, 3, 6))
    assert one["DTSTART"].params["VALUE"] == "DATE"


def test_uids_are_stable_and_each_event_has_its_own() -> None:
    same_again = replace(LUNCH)
    moved = replace(LUNCH, start=datetime(2026, 11, 27, 18, tzinfo=BERLIN), location="Hall")
    assert uids(LUNCH) == uids(same_again) == uids(moved)  # an import moves it
    other_day = replace(LUNCH, start=datetime(2026, 12, 4, 13, tzinfo=BERLIN))
    other_people = replace(LUNCH, attendees=("Yves",))
    found = uids(LUNCH, other_day, other_people, same_again)
    assert len(set(found)) == 4
    assert found[0] == uids(LUNCH)[0]


def test_an_event_without_a_start_is_left_out() -> None:
    assert uids(Event(action="Some day")) == []
    empty = opened(Event(action="Some day"))
    assert str(empty["VERSION"]) == "2.0"


@pytest.mark.parametrize(
    "text", ["\x00\x07bell", "a\ud800b", "BEGIN:VEVENT\r\nEND:VCALENDAR", "‮right", "🧗" * 200, ""]
)
def test_no_text_breaks_the_file(text: str) -> None:
    found = opened(replace(LUNCH, action=text, location=text, notes=text), LUNCH)
    assert len(found.events) == 2
    assert len(found.walk("VCALENDAR")) == 1


def test_utc_and_years_at_the_edge() -> None:
    found = opened(
        replace(LUNCH, start=datetime(2026, 11, 27, 13, tzinfo=UTC)),
        replace(LUNCH, rrule=None, start=date(9998, 12, 30)),
    )
    assert found.events[0].start.utcoffset() == timedelta()
    assert len(found.events) == 2


def test_writing_replaces_only_its_own_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.ics"
    assert ics.write(path, [LUNCH, Event(action="Some day")], STAMP) == 1
    assert ics.write(path, [LUNCH], STAMP) == 1
    path.write_text("mine")
    with pytest.raises(UsageError, match="no calendar that dragtor wrote"):
        ics.write(path, [LUNCH], STAMP)
    assert path.read_text() == "mine"
    with pytest.raises(UsageError, match="cannot write"):
        ics.write(tmp_path / "none" / "plan.ics", [LUNCH], STAMP)
