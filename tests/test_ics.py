"""Calendar files: opened again by icalendar and checked; the same events have the same UIDs."""

from __future__ import annotations

import io
import os
import resource
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
from dateutil.rrule import rrulestr
from dateutil.tz import tzical
from span_extractors import Marked

from dragtor.errors import UsageError
from dragtor.events import ics
from dragtor.events.extract import EventExtractor
from dragtor.events.ics import vtimezone
from dragtor.types import CalendarEvent

BERLIN = ZoneInfo("Europe/Berlin")
STAMP = datetime(2026, 11, 20, 9, tzinfo=UTC)
LUNCH = CalendarEvent(
    action="Lunch; with \\ and, commas\nand more",
    attendees=("Yves", "Ana"),
    location="The crag, left",
    notes="Bring “chalk” 🧗",
    start=datetime(2026, 11, 27, 13, tzinfo=BERLIN),
    rrule="FREQ=WEEKLY;INTERVAL=2;BYDAY=FR",
)


def opened(*events: CalendarEvent) -> icalendar.Calendar:
    return icalendar.Calendar.from_ical(ics.calendar(events, STAMP))


def uids(*events: CalendarEvent) -> list[str]:
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
    day = CalendarEvent(action="Rent", start=date(2026, 12, 15))
    trip = CalendarEvent(action="Trip", start=date(2027, 3, 3), end=date(2027, 3, 5))
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
    assert uids(CalendarEvent(action="Some day")) == []
    empty = opened(CalendarEvent(action="Some day"))
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


# The same event at the next import


def extracted(marked: str, now: str = "2026-11-20T09:00") -> list[CalendarEvent]:
    extractor = Marked(marked)
    return EventExtractor(extractor, BERLIN).events(extractor.text, datetime.fromisoformat(now))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{action:Lunch} with {attendees:Yves} {date:27/11/2026} {time:1pm}",
         "{action:lunch} with {attendees:Yves} {date:27/11/2026} {time:2pm} at {location:home}"),
        ("{action:Swim} {recurrence:every Tuesday} at {time:6pm}",
         "{action:Swim} {recurrence:every Tuesday until June} at {time:7pm}"),
        ("{action:Trip} {date:3 March 2027 to 5 March 2027}", "{action:Trip} {date:3 March 2027}"),
    ],
)  # fmt: skip
def test_what_is_recognisably_the_same_keeps_its_uid(before: str, after: str) -> None:
    first, again, changed = (extracted(each) for each in (before, before, after))
    assert uids(*first) == uids(*again) == uids(*changed)
    one = icalendar.Calendar.from_ical(ics.calendar(first, STAMP)).events[0]
    later = STAMP + timedelta(minutes=1)
    other = icalendar.Calendar.from_ical(ics.calendar(changed, later)).events[0]
    assert other["SEQUENCE"] > one["SEQUENCE"] > 0
    assert other.stamp > one.stamp


def test_a_series_is_the_same_whenever_it_is_read() -> None:
    swim = "{action:Swim} {recurrence:every Tuesday} at {time:6pm}"
    assert uids(*extracted(swim)) == uids(*extracted(swim, "2026-12-20T09:00"))
    other_day = "{action:Swim} {recurrence:every Wednesday} at {time:6pm}"
    assert uids(*extracted(swim)) != uids(*extracted(other_day))
    weekly = "{action:Swim} {recurrence:weekly} {date:%s}"
    assert uids(*extracted(weekly % "24/11/2026")) == uids(*extracted(weekly % "01/12/2026"))
    assert uids(*extracted(weekly % "24/11/2026")) != uids(*extracted(weekly % "25/11/2026"))
    assert uids(*extracted("{action:Swim} {date:tomorrow}")) != uids(
        *extracted("{action:Swim} {date:tomorrow}", "2026-11-21T09:00")
    )


# Repetitions: read back, and expanded by dateutil


@pytest.mark.parametrize(
    ("phrase", "start", "instants"),
    [
        ("every other week", "2026-11-27T13:00", ["2026-11-27", "2026-12-11", "2026-12-25"]),
        ("every last Friday of the month", "2026-11-27T13:00",
         ["2026-11-27", "2026-12-25", "2027-01-29"]),
        ("every second Tuesday of the month", "2026-12-08T13:00",
         ["2026-12-08", "2027-01-12", "2027-02-09"]),
        ("first working day of the month", "2026-12-01T13:00",
         ["2026-12-01", "2027-01-01", "2027-02-01"]),
        ("on the 1st and 15th of every month", "2026-12-01T13:00",
         ["2026-12-01", "2026-12-15", "2027-01-01"]),
        ("the last day of every month", "2026-11-30T13:00",
         ["2026-11-30", "2026-12-31", "2027-01-31"]),
        ("every weekday except Friday", "2026-11-26T13:00",
         ["2026-11-26", "2026-11-30", "2026-12-01"]),
        ("every 29th of February", "2028-02-29T13:00", ["2028-02-29", "2032-02-29", "2036-02-29"]),
        ("every day for 2 days", "2026-11-27T13:00", ["2026-11-27", "2026-11-28"]),
        ("every other Tuesday until June", "2027-05-11T13:00", ["2027-05-11", "2027-05-25"]),
        ("every Sunday", "2027-03-21T13:00", ["2027-03-21", "2027-03-28", "2027-04-04"]),
    ],
)  # fmt: skip
def test_a_repetition_survives_writing(phrase: str, start: str, instants: list[str]) -> None:
    day = f"{datetime.fromisoformat(start):%d/%m/%Y}"
    found = extracted(f"{{action:Swim}} {{date:{day}}} {{time:1pm}} {{recurrence:{phrase}}}")
    assert first_three(*found) == [
        datetime.fromisoformat(f"{each}T13:00").replace(tzinfo=BERLIN) for each in instants
    ]
    whole = extracted(f"{{action:Swim}} {{date:{day}}} {{recurrence:{phrase}}}")
    assert [f"{each:%Y-%m-%d}" for each in first_three(*whole)] == instants


@pytest.mark.parametrize(
    ("phrase", "minutes", "long"),
    [("every 30 minutes", 30, 30), ("hourly", 60, 60), ("every 2 hours", 120, 60)],
)
def test_what_comes_within_a_day(phrase: str, minutes: int, long: int) -> None:
    found = extracted(f"{{action:Drink}} {{recurrence:{phrase}}} from {{time:2pm}}")
    two = datetime(2026, 11, 20, 14, tzinfo=BERLIN)
    assert first_three(*found) == [two + timedelta(minutes=minutes * n) for n in range(3)]
    (entry,) = opened(*found).events
    assert entry.end - entry.start == timedelta(minutes=long)


def first_three(event: CalendarEvent) -> list[datetime]:
    """As a calendar program counts them, of the file's own rule and zone."""
    raw = ics.calendar([event], STAMP)
    (entry,) = icalendar.Calendar.from_ical(raw).events
    start: Any = entry["DTSTART"].dt
    if isinstance(start, datetime):
        zone = tzical(io.StringIO(raw.decode())).get("Europe/Berlin")
        start = start.replace(tzinfo=zone)
    else:
        start = datetime(start.year, start.month, start.day)
    rule = entry["RRULE"].to_ical().decode()
    return list(islice(rrulestr(rule, dtstart=start), 3))


# Zones, as Outlook reads them: a yearly rule for each change


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("Europe/Berlin", 2), ("America/New_York", 2), ("Australia/Lord_Howe", 2),
        ("America/St_Johns", 2), ("Asia/Kolkata", 0), ("Africa/Casablanca", 0),
        ("America/Santiago", 0),
    ],
)  # fmt: skip
def test_a_zone_changes_its_clocks_by_rule(name: str, rules: int) -> None:
    zone = ZoneInfo(name)
    made = vtimezone(zone, name, {2026, 2027})
    assert sum("RRULE" in part for part in made.subcomponents) == rules
    raw = f"BEGIN:VCALENDAR\r\n{made.to_ical().decode()}END:VCALENDAR\r\n"
    rebuilt = tzical(io.StringIO(raw)).get()
    for hours in range(0, 24 * 365 * (20 if rules else 10), 17):
        local = datetime(2026, 1, 1) + timedelta(hours=hours)
        if (
            local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None)
            != local
        ):
            continue  # a time that the clocks skip
        assert local.replace(tzinfo=rebuilt).utcoffset() == local.replace(tzinfo=zone).utcoffset()


def test_the_zone_of_a_machine_that_does_not_name_it_is_defined(tmp_path: Path) -> None:
    from importlib.resources import files

    with (files("tzdata.zoneinfo") / "Europe" / "Berlin").open("rb") as file:
        unnamed = ZoneInfo.from_file(file, key="local")
    moved = replace(LUNCH, start=datetime(2027, 7, 1, 13, tzinfo=unnamed), rrule=None)
    found = opened(moved)
    assert [str(zone["TZID"]) for zone in found.timezones] == ["local"]
    assert found.events[0].start.astimezone(UTC).hour == 11
    place = tmp_path / "plan.ics"
    ics.write(place, [moved], STAMP)
    ics.write(place, [replace(LUNCH, rrule=None)], STAMP)  # its zone is still defined
    zones = icalendar.Calendar.from_ical(place.read_bytes()).timezones
    assert {str(zone["TZID"]) for zone in zones} == {"local", "Europe/Berlin"}


def test_whole_days_and_utc_need_no_zone() -> None:
    whole = replace(LUNCH, start=date(2026, 11, 27), rrule=None)
    utc = replace(LUNCH, start=datetime(2026, 11, 27, 13, tzinfo=UTC))
    assert opened(whole, utc).timezones == []


@pytest.mark.parametrize("text", ["🧗" * 60, "تسلق " * 40, "טיפוס, עם; יוסי\n" * 20, "日本" * 90])
def test_any_script_is_kept_and_no_letter_is_cut(text: str) -> None:
    event = replace(LUNCH, action=text, notes=text)
    lines = ics.calendar([event], STAMP).split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    for line in lines:
        line.decode("utf-8")  # each by itself
    (entry,) = opened(event).events
    assert str(entry["SUMMARY"]) == text
    assert str(entry["DESCRIPTION"]).endswith(text)


# Files


def summaries(place: Path) -> list[str]:
    return [str(e["SUMMARY"]) for e in icalendar.Calendar.from_ical(place.read_bytes()).events]


def test_a_file_of_its_own_is_added_to_and_updated(tmp_path: Path) -> None:
    place = tmp_path / "plan.ics"
    dinner = CalendarEvent(action="Dinner", start=datetime(2026, 11, 28, 20, tzinfo=BERLIN))
    climb = CalendarEvent(action="Climb", start=date(2026, 11, 29))
    assert ics.write(place, [dinner, CalendarEvent(action="Some day")], STAMP) == 0
    assert ics.write(place, [climb], STAMP + timedelta(hours=1)) == 1  # the dinner
    assert summaries(place) == ["Dinner", "Climb"]
    later = replace(dinner, start=datetime(2026, 11, 28, 21, tzinfo=BERLIN))
    assert ics.write(place, [later, climb], STAMP + timedelta(hours=2)) == 0
    moved, same = icalendar.Calendar.from_ical(place.read_bytes()).events
    assert moved.start == later.start
    assert moved.stamp == STAMP + timedelta(hours=2)
    assert same.stamp == STAMP + timedelta(hours=1)  # nothing of it has changed
    before = place.read_bytes()
    ics.write(place, [later, climb], STAMP + timedelta(hours=3))
    assert place.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["plan.ics"]


@pytest.mark.parametrize(
    "foreign",
    [
        b"mine",
        b"\xff\xfe\x00",
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:other\r\nEND:VCALENDAR\r\n",
        b"BEGIN:VCALENDAR\r\nPRODID:other\r\nX-WAS:-//dragtor//events//EN\r\nEND:VCALENDAR\r\n",
        b"notes on -//dragtor//events//EN",
    ],
)
def test_what_another_program_wrote_is_never_changed(tmp_path: Path, foreign: bytes) -> None:
    place = tmp_path / "plan.ics"
    place.write_bytes(foreign)
    with pytest.raises(UsageError, match="no calendar that dragtor wrote"):
        ics.write(place, [LUNCH], STAMP)
    assert place.read_bytes() == foreign


def test_an_empty_file_and_a_link_are_written_to(tmp_path: Path) -> None:
    real, link = tmp_path / "real.ics", tmp_path / "link.ics"
    real.touch(mode=0o640)
    link.symlink_to(real)
    ics.write(link, [LUNCH], STAMP)
    assert link.is_symlink()
    assert len(summaries(real)) == 1
    assert real.stat().st_mode & 0o777 == 0o640


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    os.mkfifo(tmp_path / "pipe.ics")
    for place, says in (
        (tmp_path / "none" / "plan.ics", "there is no folder"),
        (tmp_path / "file" / "plan.ics", "there is no folder"),
        (tmp_path, "it is a folder"),
        (tmp_path / "pipe.ics", "it is no regular file"),
        (Path("/dev/full"), "it is no regular file"),
        (tmp_path / ("long" * 100), "name too long"),
        (Path("~no-such-user/plan.ics"), "home"),
    ):
        for attempt in (ics.check, lambda place: ics.write(place, [LUNCH], STAMP)):
            with pytest.raises(UsageError, match=f"cannot write .*(?i:{says})"):
                attempt(place)
    with pytest.raises(UsageError) as caught:
        ics.check(tmp_path / "none" / "plan.ics")
    assert caught.value.hint == f"mkdir {tmp_path / 'none'}"


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(UsageError, match="no permission"):
            ics.check(tmp_path / "plan.ics")
    finally:
        tmp_path.chmod(0o700)


def test_a_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "plan.ics"
    ics.write(place, [LUNCH], STAMP)
    before = place.read_bytes()
    many = [replace(LUNCH, action=f"Lunch {n}") for n in range(50)]
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limit[1]))
    try:
        with pytest.raises(UsageError, match="cannot write"):
            ics.write(place, many, STAMP)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert place.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["plan.ics"]
