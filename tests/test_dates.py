"""Dates and times in text: what is understood, what is left alone, and what cannot break it."""

from __future__ import annotations

import json
import random
import sys
import tracemalloc
from datetime import date, datetime, timedelta, timezone

import pytest
from conftest import shared
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from dragtor.dates import Mention, mentions, minutes, opening, recurrence, zone_info
from dragtor.dates.days import nearest_days
from dragtor.dates.holidays import holiday_on
from dragtor.dates.parser import corrected
from dragtor.dates.resolve import START_WORDS

NOW = datetime(2026, 11, 20, 9)  # a Friday


def only(text: str, now: datetime = NOW, day_first: bool = False) -> Mention:
    found = mentions(text, now, day_first=day_first)
    assert len(found) == 1, [text[m.start : m.end] for m in found]
    return found[0]


def reads(text: str, now: datetime = NOW, day_first: bool = False) -> list[str]:
    """The values of the only mention: "start/end" for a range."""
    return [
        f"{v.start}/{v.end}" if v.kind.endswith("range") and not v.value else v.value
        for v in only(text, now, day_first).values
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("see you tomorrow", "2026-11-21"),
        ("the day after tomorrow", "2026-11-22"),
        ("yesterday", "2026-11-19"),
        ("next Fri", "2026-11-27"),
        ("this coming Monday", "2026-11-23"),
        ("last Tuesday", "2026-11-10"),
        ("the Friday after next", "2026-12-04"),
        ("Friday next week", "2026-11-27"),
        ("a week on Monday", "2026-11-30"),
        ("in 3 weeks", "2026-12-11"),
        ("two months ago", "2026-09-20"),
        ("3 days after Christmas 2026", "2026-12-28"),
        ("5 business days from now", "2026-11-27"),
        ("due on the 15th", "2026-12-15"),
        ("the last day of this month", "2026-11-30"),
        ("first Monday of next month", "2026-12-07"),
        ("23 - January - 2024", "2024-01-23"),
        ("22nd, May 2024", "2024-05-22"),
        ("Jan. 4th, 2027", "2027-01-04"),
        ("the fourth of July 2027", "2027-07-04"),
        ("february twenty second", "2027-02-22"),
        ("2024-01-20", "2024-01-20"),
        ("2024/Sep/3", "2024-09-03"),
        ("20161016", "2016-10-16"),
        ("25.12.2026", "2026-12-25"),
        ("Friday the 13th", "2027-08-13"),
        ("Tuesday, Jan 15", "2027-01-15"),
        ("Easter Monday 2027", "2027-03-29"),
        ("Thanksgiving", "2026-11-26"),
        ("black friday 2010", "2010-11-26"),
        ("the day after Christmas", "2026-12-26"),
        ("the Monday before the 15th", "2026-12-14"),
        ("the first Friday after May 5", "2027-05-07"),
        ("the last Friday before Christmas", "2026-12-18"),
        ("next week's Friday", "2026-11-27"),
        ("wednesday the week after next", "2026-12-02"),
        ("monday fortnight", "2026-12-07"),
        ("in a fortnight", "2026-12-04"),
        ("the 13th next month", "2026-12-13"),
        ("15 of this month", "2026-11-15"),
        ("the last day of next week", "2026-11-29"),
        ("the twenty seventh", "2026-11-27"),
        ("May 5th of last year", "2025-05-05"),
        ("last year's Christmas", "2025-12-25"),
        ("Oct 2, '16", "2016-10-02"),
        ("02-Oct-16", "2016-10-02"),
        ("May 5, Wednesday", "2027-05-05"),
        ("21 November (Saturday)", "2026-11-21"),
        ("coming sun", "2026-11-22"),
        ("sat 14th", "2027-08-14"),
        ("next New Year's Day", "2027-01-01"),
    ],
)
def test_days(text: str, value: str) -> None:
    assert reads(text)[0] == value
    assert only(text).kind == "date"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("noon", ["12:00:00"]),
        ("1:15pm", ["13:15:00"]),
        ("3 p . m .", ["15:00:00"]),
        ("14h30", ["14:30:00"]),
        ("16:45", ["16:45:00"]),
        ("09:50", ["09:50:00"]),
        ("340pm", ["15:40:00"]),
        ("half past six", ["18:30:00", "06:30:00"]),
        ("quarter to 5", ["16:45:00", "04:45:00"]),
        ("around eightish", ["20:00:00", "08:00:00"]),
        ("at half five", ["17:30:00", "05:30:00"]),
        ("come at 0645", ["06:45:00"]),
        ("come 1ish", ["13:00:00", "01:00:00"]),
        ("meet at 7", ["19:00:00", "07:00:00"]),
        ("seven in the evening", ["19:00:00"]),
        ("in the morning at 8", ["08:00:00"]),
        ("9 o'clock", ["09:00:00", "21:00:00"]),
        ("at 20 to 4", ["15:40:00", "03:40:00"]),
        ("at 6 30", ["18:30:00", "06:30:00"]),
        ("call at 7 15 pm", ["19:15:00"]),
        ("three-thirty pm", ["15:30:00"]),
        ("nine-oh-five am", ["09:05:00"]),
        ("eighteen hundred hours", ["18:00:00"]),
        ("15:00h", ["15:00:00"]),
        ("at about 5", ["17:00:00", "05:00:00"]),
        ("midnight", ["00:00:00"]),
    ],
)
def test_times(text: str, values: list[str]) -> None:
    assert reads(text) == values
    assert only(text).kind == "time"
    assert only(text).ambiguous is (len(values) > 1)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("tomorrow at 5pm", "datetime", "2026-11-21 17:00:00"),
        ("9 am on Friday", "datetime", "2026-11-20 09:00:00"),
        ("tonight at 7", "datetime", "2026-11-20 19:00:00"),
        ("2024-01-20T14:30:00Z", "datetime", "2024-01-20 14:30:00"),
        ("Wed Oct 26 15:50:06 2016", "datetime", "2016-10-26 15:50:06"),
        ("in 20 minutes", "datetime", "2026-11-20 09:20:00"),
        ("end of day tomorrow", "datetime", "2026-11-21 23:59:59"),
        ("tonight", "datetimerange", "2026-11-20 20:00:00/2026-11-20 23:59:59"),
        ("monday afternoon", "datetimerange", "2026-11-23 12:00:00/2026-11-23 16:00:00"),
        (
            "tomorrow from 7:00 to 8:00pm",
            "datetimerange",
            "2026-11-21 19:00:00/2026-11-21 20:00:00",
        ),
        ("tomorrow before 5pm", "datetimerange", "/2026-11-21 17:00:00"),
        ("the last 2 hours", "datetimerange", "2026-11-20 07:00:00/2026-11-20 09:00:00"),
        ("from 9 to 5", "timerange", "09:00:00/17:00:00"),
        ("between 11 and 1pm", "timerange", "11:00:00/13:00:00"),
        ("late afternoon", "timerange", "14:00:00/16:00:00"),
        ("this weekend", "daterange", "2026-11-21/2026-11-23"),
        ("early next month", "daterange", "2026-12-01/2026-12-16"),
        ("April 2027", "daterange", "2027-04-01/2027-05-01"),
        ("Q3 2026", "daterange", "2026-07-01/2026-10-01"),
        ("the week before last", "daterange", "2026-11-02/2026-11-09"),
        ("thanksgiving weekend", "daterange", "2026-11-26/2026-11-30"),
        ("the week of December 7", "daterange", "2026-12-07/2026-12-14"),
        ("first week of 2019", "daterange", "2018-12-31/2019-01-07"),
        ("next 3 days", "daterange", "2026-11-21/2026-11-24"),
        ("the 1990s", "daterange", "1990-01-01/2000-01-01"),
        ("from May to Oct 2027", "daterange", "2027-05-01/2027-10-01"),
        ("November 28-30", "daterange", "2026-11-28/2026-11-30"),
        ("Monday to Wednesday", "daterange", "2026-11-23/2026-11-25"),
        ("since 2019", "daterange", "2019-01-01/"),
        ("until the end of March 2027", "daterange", "/2027-04-01"),
        ("2018 or later", "daterange", "2018-01-01/"),
        ("rest of the week", "daterange", "2026-11-20/2026-11-23"),
        ("summer 2027", "daterange", "2027-06-01/2027-09-01"),
        ("next tuesday at half past three", "datetime", "2026-11-24 15:30:00"),
        ("tomorrow evening at quarter to eight", "datetime", "2026-11-21 19:45:00"),
        ("the day after christmas at noon", "datetime", "2026-12-26 12:00:00"),
        ("friday the thirteenth at 9", "datetime", "2027-08-13 09:00:00"),
        ("end of business friday", "datetime", "2026-11-20 23:59:59"),
        ("8 on Monday morning", "datetime", "2026-11-23 08:00:00"),
        ("around 4 on Monday", "datetime", "2026-11-23 16:00:00"),
        ("20191130T153000Z", "datetime", "2019-11-30 15:30:00"),
        (
            "from 8am to 6pm tomorrow",
            "datetimerange",
            "2026-11-21 08:00:00/2026-11-21 18:00:00",
        ),
        (
            "between 3 and 8 yesterday",
            "datetimerange",
            "2026-11-19 03:00:00/2026-11-19 08:00:00",
        ),
        ("by 5 tomorrow", "datetimerange", "/2026-11-21 17:00:00"),
        ("today from 2 pm onwards", "datetimerange", "2026-11-20 14:00:00/"),
        ("the month after next", "daterange", "2027-01-01/2027-02-01"),
        ("the weekend after next", "daterange", "2026-12-05/2026-12-07"),
        ("end of the weekend", "daterange", "2026-11-22/2026-11-23"),
        ("since May", "daterange", "2026-05-01/"),
        ("until november", "daterange", "/2027-11-01"),
        ("as from Monday", "daterange", "2026-11-23/"),
        ("full hour", "duration", "3600"),
        ("the entire week", "duration", "604800"),
        ("every half hour", "set", "not resolved"),
        ("every third Thursday at 9", "set", "not resolved"),
        ("every May", "set", "not resolved"),
        ("an hour and a half", "duration", "5400"),
        ("every other Tuesday", "set", "not resolved"),
        ("UTC+2", "timezone", "UTC+02:00"),
    ],
)
def test_more(text: str, kind: str, value: str) -> None:
    assert only(text).kind == kind
    assert reads(text)[0] == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("sat 1015", "2026-11-21 10:15:00"),
        ("1742 mon", "2026-11-23 17:42:00"),
        ("lunch half twelve Friday", "2026-11-20 12:30:00"),
        ("quarter of ten tomorrow", "2026-11-21 09:45:00"),
        ("Thu 3.12. at 10:20", "2026-12-03 10:20:00"),
        ("Mon the 21st, 8.40", "2026-12-21 08:40:00"),
        ("third of March, eight sharp", "2027-03-03 08:00:00"),
        ("Monday 11 Jan 13h", "2027-01-11 13:00:00"),
        ("midnight tonight", "2026-11-21 00:00:00"),
        ("Monday at midnight", "2026-11-24 00:00:00"),
        ("sat arvo at 2", "2026-11-21 14:00:00"),
        ("evening of 28.11., 19:30", "2026-11-28 19:30:00"),
    ],
)
def test_times_beside_days(text: str, value: str) -> None:
    assert reads(text, day_first=True)[0] == value


@pytest.mark.parametrize(
    ("text", "start", "last"),
    [
        ("April 2027", "2027-04-01", "2027-04-30"),
        ("last weekend", "2026-11-14", "2026-11-15"),
        ("from 3 to 5 May", "2027-05-03", "2027-05-05"),
        ("from May to Oct 2027", "2027-05-01", "2027-10-31"),
        ("3 days starting tomorrow", "2026-11-21", "2026-11-23"),
        ("from Monday for two weeks", "2026-11-23", "2026-12-06"),
        ("from tomorrow through to the 18th", "2026-11-21", "2026-12-18"),
        ("within five days", "2026-11-20", "2026-11-25"),
        ("by Friday", "", "2026-11-20"),
        ("before the Fourth", "", "2026-12-03"),
        ("up to and including the 20th", "", "2026-11-20"),
        ("until the end of the month", "", "2026-11-30"),
        ("through June", "", "2027-06-30"),
        ("from next month on", "2026-12-01", ""),
    ],
)
def test_the_last_day_of_a_range(text: str, start: str, last: str) -> None:
    value = only(text).values[0]
    assert (value.start, value.last) == (start, last)


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("3pm CET", "UTC+01:00"),
        ("10am BST Sunday", "UTC+01:00"),
        ("9:30 IST", "UTC+05:30"),
        ("noon UTC-3:30 tomorrow", "UTC-03:30"),
        ("10 AM CT Wednesday", "America/Chicago"),
        ("5:50 pm Pacific on the 20th", "America/Los_Angeles"),
        ("tues 5pm Boston time", "America/New_York"),
        ("14:00 Berlin time tomorrow", "Europe/Berlin"),
        ("every Tuesday at 7 p.m. Eastern", "America/New_York"),
        ("at Christmas time", ""),
    ],
)
def test_zones(text: str, zone: str) -> None:
    found = mentions(text, NOW)
    assert found[0].zone == zone
    if zone:
        assert zone_info(zone).utcoffset(NOW) is not None


def test_a_series_has_its_time() -> None:
    value = only("every evening from 7 to 8").values[0]
    assert (value.start, value.end) == ("19:00:00", "20:00:00")
    assert only("nightly at 10").values[0].start == "22:00:00"
    assert only("every Monday").values[0].start == ""


def test_a_bare_time_is_the_next_one_to_come_and_what_happened_is_past() -> None:
    evening = NOW.replace(hour=18, minute=40)
    assert reads("call at half past 8", evening)[0] == "20:30:00"
    assert reads("call at half past 8", NOW.replace(hour=8))[0] == "08:30:00"
    assert reads("wake me at twenty past", evening)[0] == "19:20:00"
    assert reads("How was the run on Wednesday?")[0] == "2026-11-18"
    assert reads("It was moved to Wednesday")[0] == "2026-11-25"


@pytest.mark.parametrize(
    ("text", "start", "last"),
    [
        ("We met over the weekend and it rained", "2026-11-14", "2026-11-15"),
        ("I turned forty on the eighth of May", "2026-05-08", ""),
        ("we booked a table on Monday", "2026-11-23", ""),
        ("he's not been seen since a year ago today", "2025-11-20", ""),
        ("three weeks ago yesterday", "2026-10-29", ""),
        ("all through August", "2027-08-01", "2027-08-31"),
        ("this whole month", "2026-11-01", "2026-11-30"),
        ("the second half of May", "2027-05-16", "2027-05-31"),
        ("until the wound check next Thursday", "", "2026-11-26"),
        ("from today up to and including 14 April", "2026-11-20", "2027-04-14"),
        ("from now until the paperback lands on 2 April", "2026-11-20", "2027-04-02"),
        ("for two weeks after the op on 3 December", "2026-12-03", "2026-12-16"),
        ("Friday night till Sunday lunchtime", "2026-11-20 20:00:00", "2026-11-22 13:00:00"),
        ("nothing after 10 tonight", "2026-11-20 22:00:00", ""),
        ("the night before last", "2026-11-18 20:00:00", "2026-11-18 23:59:59"),
        ("late March", "2027-03-21", "2027-03-31"),
        ("half seven till nine tonight", "2026-11-20 19:30:00", "2026-11-20 21:00:00"),
    ],
)
def test_what_people_say_of_days(text: str, start: str, last: str) -> None:
    value = mentions(text, NOW)[0].values[0]
    assert ((value.start or value.value), value.last) == (start, last) or value.value == start


@pytest.mark.parametrize(
    ("phrase", "rule", "opens"),
    [
        ("daily 7am and 7pm", "FREQ=DAILY;BYHOUR=7,19;BYMINUTE=0", None),
        ("at 7 and again at 9 each evening", "FREQ=DAILY;BYHOUR=19,21;BYMINUTE=0", None),
        ("8am and 8pm for five days", "FREQ=DAILY;BYHOUR=8,20;BYMINUTE=0;COUNT=10", None),
        ("between 10 am and 2 pm on weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", None),
        ("alternate weekends", "FREQ=WEEKLY;INTERVAL=2;BYDAY=SA,SU", None),
        ("for the next four Wednesdays", "FREQ=WEEKLY;BYDAY=WE;COUNT=4", None),
        ("every morning for a week", "FREQ=DAILY;COUNT=7", None),
        ("first tues of jan apr jul oct", "FREQ=YEARLY;BYMONTH=1,4,7,10;BYDAY=1TU", None),
        ("first and third Mondays of the month", "FREQ=MONTHLY;BYDAY=1MO,3MO", None),
        ("Sun and Wed nights", "FREQ=WEEKLY;BYDAY=WE,SU", None),
        ("Mon-Wed next week", None, date(2026, 11, 23)),
        ("every Saturday in January", "FREQ=WEEKLY;BYDAY=SA;UNTIL=20270131", date(2027, 1, 1)),
        ("every 6 hours from 8 tomorrow morning", "FREQ=HOURLY;INTERVAL=6",
         datetime(2026, 11, 21, 8)),
        ("every Mon and Wed for 3 weeks, starting the 30th",
         "FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20261220", date(2026, 11, 30)),
    ],
)  # fmt: skip
def test_what_people_say_of_series(phrase: str, rule: str | None, opens: date | None) -> None:
    assert recurrence(phrase, NOW) == rule
    assert opening(phrase, NOW) == opens


def test_spans_and_order() -> None:
    text = "Lunch with Yves next Fri 1ish at the crag, every other week, then 2hrs on 3 May"
    found = mentions(text, NOW)
    assert [text[m.start : m.end] for m in found] == [
        "next Fri 1ish", "every other week", "2hrs", "3 May",
    ]  # fmt: skip
    assert [m.kind for m in found] == ["datetime", "set", "duration", "date"]
    assert [m.timex for m in found] == ["2026-11-27T01", "P2W", "PT2H", "XXXX-05-03"]


def test_both_orders_of_day_and_month_are_given_and_flagged() -> None:
    assert only("10/12").ambiguous
    assert reads("10/12")[:2] == ["2027-10-12", "2026-12-10"]
    assert reads("10/12", day_first=True)[:2] == ["2026-12-10", "2027-10-12"]
    assert reads("06/10/2023", day_first=True) == ["2023-10-06", "2023-06-10"]
    assert only("25/10/2023").ambiguous is False
    assert only("11/11/2023").ambiguous is False


def test_a_date_without_a_year_is_the_next_first_and_then_the_last() -> None:
    assert reads("4 July") == ["2027-07-04", "2026-07-04"]
    assert reads("Friday") == ["2026-11-20", "2026-11-13"]  # today counts as the next
    assert only("4 July").ambiguous is False
    assert reads("29 February") == ["2028-02-29", "2024-02-29"]


@pytest.mark.parametrize(
    "text",
    [
        "31/02/2026",
        "feb 30",
        "31 April",
        "at 25:00",
        "13:75",
        "2019-13-40",
        "This may or may not be right.",
        "May I ask what this is for?",
        "The Employer may, at its discretion, march on.",
        "We sat in the sun while the leaves fall.",
        "Just a second, I second that.",
        "They are, for the present, content; now and then they march.",
        "Good night and good morning to you all",
        "The first thing and the second round went well.",
        "version 3.5.1 at 192.168.1.1, 37.1 degrees, 50/50, 24/7",
        "at 6.45 percent, in room 2012, for $2020, 6,107.31",
        "He is caused by two, one of four, at three sites.",
        "Sundry sundaes for Augusta, Auguste, Frida and Munday on the sunny marching fridge",
        "scores of 7 15 and 9 20, at 6 20 people",
        "up-to-date equipment",
        "won 3-0 and 18-14, CI 0.55-0.92 (P < 0.05), ran 1:56.318, bowled 20-6-70-2",
        "compound (3a) in 3D, games behind 16 1/2, up 3/8 percent, rose at 3-6 mg",
        "id 410c74a8-1687-4ea7-8418-4d958c33eab5",
    ],
)
def test_no_time_is_invented(text: str) -> None:
    assert [text[m.start : m.end] for m in mentions(text, NOW)] == []


@pytest.mark.parametrize(
    ("phrase", "value"),
    [
        ("2hrs", 120),
        ("1.5 hours", 90),
        ("an hour and a half", 90),
        ("half an hour", 30),
        ("45 mins", 45),
        ("an hour and fifteen", 75),
        ("1 hour 30", 90),
        ("1:30 hours", 90),
        (".5 hours", 30),
        ("hour and a half", 90),
        ("solid hour", 60),
        ("90-minute", 90),
        ("1h30", 90),
        ("15m", 15),
        ("2 hours and 15 minutes", 135),
        ("two and a half hours", 150),
        ("for a full hour", 60),
        ("30 sec", 0),
        ("a day", 1440),
        ("soon", None),
        ("", None),
        ("9" * 5000 + " hours", None),
    ],
)
def test_minutes(phrase: str, value: int | None) -> None:
    assert minutes(phrase) == value


@pytest.mark.parametrize(
    ("phrase", "rule"),
    [
        ("weekly", "FREQ=WEEKLY"),
        ("yearly", "FREQ=YEARLY"),
        ("every other week", "FREQ=WEEKLY;INTERVAL=2"),
        ("biweekly", "FREQ=WEEKLY;INTERVAL=2"),
        ("every 3 months", "FREQ=MONTHLY;INTERVAL=3"),
        ("quarterly", "FREQ=MONTHLY;INTERVAL=3"),
        ("weekdays", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("every weekday except Friday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH"),
        ("Mondays and Wednesdays", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("every Monday to Friday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("every Tue and Thu until June", "FREQ=WEEKLY;BYDAY=TU,TH;UNTIL=20270601"),
        ("every other Tuesday until June", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU;UNTIL=20270601"),
        ("weekly on Tue and Thu", "FREQ=WEEKLY;BYDAY=TU,TH"),
        ("first Monday of each month", "FREQ=MONTHLY;BYDAY=1MO"),
        ("every month on the last Friday", "FREQ=MONTHLY;BYDAY=-1FR"),
        ("on the 1st and 15th of each month", "FREQ=MONTHLY;BYMONTHDAY=1,15"),
        ("monthly on the 15th", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("the last day of every month", "FREQ=MONTHLY;BYMONTHDAY=-1"),
        ("annually on May 5th", "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=5"),
        ("daily for 10 days", "FREQ=DAILY;COUNT=10"),
        ("every Friday at 5pm for 6 weeks", "FREQ=WEEKLY;BYDAY=FR;COUNT=6"),
        ("every Monday 10 times", "FREQ=WEEKLY;BYDAY=MO;COUNT=10"),
        ("every day for two hours", "FREQ=DAILY"),
        ("every day for 2 months", "FREQ=DAILY;UNTIL=20270119"),
        ("weekly until november", "FREQ=WEEKLY;UNTIL=20271101"),
        ("every weekday at 7", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("weekday mornings", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("daily except weekends", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("Mon-Fri at 9", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"),
        ("Mon, Wed and Fri at 3pm", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("MWF", "FREQ=WEEKLY;BYDAY=MO,WE,FR"),
        ("every 2nd Friday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"),
        ("fortnightly on Fridays", "FREQ=WEEKLY;INTERVAL=2;BYDAY=FR"),
        ("on alternate days", "FREQ=DAILY;INTERVAL=2"),
        ("first Monday of the month", "FREQ=MONTHLY;BYDAY=1MO"),
        ("every first and third Monday", "FREQ=MONTHLY;BYDAY=1MO,3MO"),
        ("last working day of each month", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
        ("15th of the month", "FREQ=MONTHLY;BYMONTHDAY=15"),
        ("once per month", "FREQ=MONTHLY"),
        ("half-yearly", "FREQ=MONTHLY;INTERVAL=6"),
        ("every March", "FREQ=YEARLY;BYMONTH=3"),
        ("every Q1", None),
        ("every Thanksgiving", "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH"),
        ("every half hour", "FREQ=MINUTELY;INTERVAL=30"),
        ("each morning", "FREQ=DAILY"),
        ("every day next week", "FREQ=DAILY;UNTIL=20261129"),
        ("every Monday starting next week", "FREQ=WEEKLY;BYDAY=MO"),
        ("every 30th of February", None),
        ("every 31st of April", None),
        ("twice a week", None),
        ("every 32nd of the month", None),
        ("every Feb 30", None),
        ("monthly on the 32nd", None),
        ("every Monday until 31/02/2026", None),
        ("once every two weeks", "FREQ=WEEKLY;INTERVAL=2"),
        ("every 0 days", None),
        ("next Friday", None),
        ("", None),
        ("last weekday of every month", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1"),
        ("every 2nd and 4th Tuesday", "FREQ=MONTHLY;BYDAY=2TU,4TU"),
        ("the last Sunday of March every year", "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU"),
        ("every second tuesday", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU"),
        ("Wednesdays 4:30 thru end of May", "FREQ=WEEKLY;BYDAY=WE;UNTIL=20270531"),
        ("every weeknight through Sunday", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20261122"),
        ("every single Friday", "FREQ=WEEKLY;BYDAY=FR"),
    ],
)
def test_recurrence(phrase: str, rule: str | None) -> None:
    assert recurrence(phrase, NOW) == rule
    if rule:
        rrulestr(rule, dtstart=NOW)


def test_a_list_of_weekdays_shares_its_time() -> None:
    found = mentions("Mon, Wed and Fri at 3pm", NOW)
    assert [m.values[0].value for m in found] == [
        "2026-11-23 15:00:00", "2026-11-25 15:00:00", "2026-11-20 15:00:00",
    ]  # fmt: skip
    found = mentions("Tuesday & Thursday from 10pm to 1am", NOW)
    assert [(m.values[0].start, m.values[0].end) for m in found] == [
        ("2026-11-24 22:00:00", "2026-11-25 01:00:00"),
        ("2026-11-26 22:00:00", "2026-11-27 01:00:00"),
    ]
    assert mentions("Monday or Tuesday at 5pm", NOW)[0].kind == "date"


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("tuuesday", "tuesday"), ("wendesday", "wednesday"), ("febuary", "february"),
        ("satruday", "saturday"), ("saterday", "saturday"), ("moday", "monday"),
        ("novemebr", "november"), ("septembe", "september"), ("tomorro", "tomorrow"),
        ("Tuesdsays", "tuesdays"), ("evry", "every"),
        ("sundry", "sundry"), ("sundae", "sundae"), ("augusta", "augusta"), ("munday", "munday"),
        ("friday", "friday"), ("mondays", "mondays"), ("remember", "remember"),
    ],
)  # fmt: skip
def test_slips_in_long_names(slip: str, meant: str) -> None:
    assert corrected(slip.lower()) == meant


def test_a_mended_name_keeps_its_place() -> None:
    text = "run on wendesday at 5"
    assert [text[m.start : m.end] for m in mentions(text, NOW)] == ["wendesday at 5"]
    assert reads(text)[0] == "2026-11-25 17:00:00"


def test_holidays_move() -> None:
    assert holiday_on("easter", 2027) == date(2027, 3, 28)
    assert holiday_on("memorial day", 2026) == date(2026, 5, 25)
    assert holiday_on("eid al fitr", 2022) == date(2022, 5, 2)
    assert holiday_on("chinese new year", 2026) == date(2026, 2, 17)
    days = nearest_days(date(2026, 12, 25), lambda year: holiday_on("christmas", year))
    assert days == (date(2026, 12, 25), date(2025, 12, 25))


def test_a_zone_of_now_is_left_aside() -> None:
    aware = NOW.replace(tzinfo=timezone(timedelta(hours=5)))
    assert mentions("tomorrow at 9, in 2 hours", aware) == mentions(
        "tomorrow at 9, in 2 hours", NOW
    )


def test_a_line_ends_a_phrase_but_wrapped_words_go_on() -> None:
    assert reads("The date is the 7th\nThat seems good") == ["2026-12-07", "2026-11-07"]
    assert reads("see you next\nFriday") == ["2026-11-27"]
    assert len(mentions("next\n\nFriday", NOW)) == 1  # Friday alone


VOCABULARY = [
    *sorted(START_WORDS),
    *"3 12 31 99 2019 0730 9999 10000000 . , : / - + am pm st th T Z".split(),
]
NOWS = [NOW, datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59), datetime(2024, 2, 29)]


def check(text: str, now: datetime, day_first: bool = False) -> None:
    """No exception; mentions in order, inside the text, each with written-out values."""
    last = 0
    for m in mentions(text, now, day_first=day_first):
        assert last <= m.start < m.end <= len(text)
        last = m.end
        assert m.values
        for v in m.values:
            assert v.kind == m.kind
            assert v.value or v.start or v.end
    if (rule := recurrence(text, now)) is not None:
        rrulestr(rule, dtstart=now)
    minutes(text)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from(VOCABULARY), max_size=14),
    st.sampled_from([" ", "", "-", ", "]),
    st.sampled_from(NOWS),
    st.booleans(),
)
def test_any_words_of_time(words: list[str], glue: str, now: datetime, day_first: bool) -> None:
    check(glue.join(words), now, day_first)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200), st.sampled_from(NOWS))
def test_any_text(text: str, now: datetime) -> None:
    check(text, now)


def test_naughty_strings() -> None:
    for text in json.loads((shared("bad_inputs") / "text" / "blns.json").read_text("utf-8")):
        check(text, NOW)


def steps(text: str) -> int:
    """How often a rule was asked: the work done, without a clock."""
    count = 0

    def trace(frame: object, event: str, arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(trace)
    try:
        mentions(text, NOW)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "unit",
    ["Mon, ", "the day after ", "the first day of ", "tuuesday and ",
     "1 ", "1-", "1/", "may ", "week of the ", "monday and ", "1 hour ", "3 days after ", "twenty ",
     "from 5 to ", "every other ", "end of the ", "\n ", "a quiet day at home. "],
)  # fmt: skip
def test_work_grows_with_the_length_only(unit: str) -> None:
    short, long = steps(unit * 100), steps(unit * 400)
    assert long < 4.6 * short + 100


def test_a_megabyte() -> None:
    rng = random.Random(1)
    lines = [
        "We met yesterday at 5pm.",
        "Nothing of note happened there.",
        "Back in 3 weeks,",
        "so",
    ]
    text = "\n".join(rng.choice(lines) for _ in range(48_000))
    assert len(text) > 900_000
    tracemalloc.start()
    found = mentions(text, NOW)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) == text.count("yesterday") + text.count("weeks")
    assert peak < 300e6


def test_the_gold_is_found() -> None:
    """A floor under benchmarks/tasks/dates.py on every 5th sentence, spans and values alike."""
    file = shared("recognizers_datetime") / "DateTimeModel.jsonl"
    good = total = 0
    for line in file.read_text("utf-8").splitlines()[::5]:
        record = json.loads(line)
        now = datetime.fromisoformat(record["Context"]["ReferenceDateTime"])
        text = record["Input"]
        ours = {text[m.start : m.end].lower().strip(" .,"): m for m in mentions(text, now)}
        for gold in record["Results"]:
            m = ours.get(gold["Text"].lower().strip(" .,"))
            total += 1
            written = [(v.value, v.start, v.end) for v in m.values] if m else []
            good += any(
                (g.get("value", ""), g.get("start", ""), g.get("end", "")) in written
                for g in gold["Resolution"]["values"]
            )
    assert total > 80
    assert good / total >= 0.9
