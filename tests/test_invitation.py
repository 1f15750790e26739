"""Invitations read by their form: title, start, end, place, guests; what is none is left alone."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from dragtor.events.extract import EventExtractor
from dragtor.events.invitation import invitation
from dragtor.events.spans import EventSpans
from dragtor.types import CalendarEvent, CancelToken, Reporter

NOW = datetime(2026, 3, 1, 10)
ZONE = ZoneInfo("Europe/Berlin")
ROWS = """Invitation: Planning
When: {}
Where: Room 4
Organizer: Ann Lee
Guests: Bo Berg, Carla Dunn
Agenda: budget, then lunch at 12:30
Yes
No
"""
COLUMNS = """Invitation
Review with Fenwick & Sons
When
Where
Organiser

Thursday, 19 November 2026, 14:00 to 15:30 (CET)
Harbour room, Fenwick Ltd, Bergen
Ann Lee <ann.lee@fenwick.example>

Agenda: losses, open points. Bo presents at 14:30.

Yes
"""


class Nothing:
    """A span extractor that is not to be asked."""

    def extract(self, text: str) -> list[EventSpans]:
        raise AssertionError(text)

    def under(self, reporter: Reporter, cancel: CancelToken) -> Nothing:
        return self


def event(text: str) -> CalendarEvent:
    (found,) = EventExtractor(Nothing(), ZONE).events(text, NOW)
    return found


@pytest.mark.parametrize(
    ("when", "start", "end"),
    [
        (
            "Thursday, 19 November 2026, 14:00 to 15:30 (CET)",
            "2026-11-19T14:00",
            "2026-11-19T15:30",
        ),
        ("Thursday 7 May 2026, 14:00 - 15:30", "2026-05-07T14:00", "2026-05-07T15:30"),
        ("Tue Nov 24, 2026 9am – 10am (GMT+1)", "2026-11-24T09:00", "2026-11-24T10:00"),
        ("Mon 12 Oct · 9:30 – 11:00", "2026-10-12T09:30", "2026-10-12T11:00"),
        (
            "Wednesday, March 4, 2026 from 10:00 AM to 11:30 AM",
            "2026-03-04T10:00",
            "2026-03-04T11:30",
        ),
        ("20. November 2026, 14:00 – 15:00 Uhr", "2026-11-20T14:00", "2026-11-20T15:00"),
        ("Wed 6 May 2026 9:15 AM - 10 AM", "2026-05-06T09:15", "2026-05-06T10:00"),
        ("07.05.2026, 14:00 - 15:30", "2026-05-07T14:00", "2026-05-07T15:30"),
        ("7.5.2026 14.00 - 15.30", "2026-05-07T14:00", "2026-05-07T15:30"),
        ("2026-05-07 14:00 to 15:30", "2026-05-07T14:00", "2026-05-07T15:30"),
        ("4 May 2026 3:00 PM-3:30 PM (GMT-06:00)", "2026-05-04T23:00", "2026-05-04T23:30"),
    ],
)
def test_start_and_end(when: str, start: str, end: str) -> None:
    found = event(ROWS.format(when))
    assert found.start == datetime.fromisoformat(start).replace(tzinfo=ZONE)
    assert found.end == datetime.fromisoformat(end).replace(tzinfo=ZONE)


def test_rows_beside_their_labels() -> None:
    found = event(ROWS.format("4 May 2026, 14:00 - 15:00"))
    assert (found.action, found.location) == ("Planning", "Room 4")
    assert found.attendees == ("Bo Berg", "Carla Dunn")


def test_labels_in_a_column_of_their_own() -> None:
    found = event(COLUMNS)
    assert found.action == "Review with Fenwick & Sons"
    assert found.location == "Harbour room, Fenwick Ltd, Bergen"
    start, end = found.evidence["time"]
    assert COLUMNS[start:end] == "14:00 to 15:30 (CET)"


def test_an_invitation_that_was_forwarded() -> None:
    text = (
        "From: Ann\nTo: Bo\nDate: Mon, 4 May 2026 10:12\nSubject: FW: Visit\n\n"
        + ROWS.split("\n", 1)[1]
    )
    assert event(text.format("5 May 2026, 14:00 - 15:00")).action == "Visit"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "When: \nWhere: \nGuests:\n",
        "Lunch with Yves on 4 May 2026 at 14:00",
        "From: Ann Lee\nDate: Mon, 4 May 2026 10:12\nTo: Bo Berg\nSubject: Offer\n\nHi,",
        "Inbox\nDate: 4 May 2026 10:12\nFrom: Ann\nTo: Bo\nYes\nNo",
        "When: as soon as we can\nWhere: here\nWho: us",
        "When: " + "1:00 " * 20_000,
    ],
)
def test_what_is_no_invitation(text: str) -> None:
    assert invitation(text, NOW) is None
