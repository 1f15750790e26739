"""Moments as machines write them: 2024-01-20T14:30:00Z, Wed Oct 26 15:50:06 2016.

Gives nodes of kind "datetime".
"""

from __future__ import annotations

from datetime import date, datetime, time

from dragtor.dates.clock import code
from dragtor.dates.moments import combined
from dragtor.dates.numbers import digits
from dragtor.dates.reader import Found, Node, Reader, make, rule


@rule("moment")
def iso_stamp(r: Reader, i: int) -> Found | None:
    """2024-01-20T14:30:00Z, 20240120T1430, 20240120T143000Z."""
    day = r.read("day0", i)
    if not day or day[0].open or r.word(day[1]) != "t":
        return None
    if not r.tight(day[1]) or not r.tight(day[1] + 1):
        return None
    clock = packed_clock(r, day[1] + 1) or spread_clock(r, day[1] + 1)
    if not clock:
        return None
    exact, j = clock
    if r.word(j) == "." and r.tight(j) and digits(r, j + 1) is not None:
        j += 2
    if r.word(j) == "z" and r.tight(j):
        j += 1
    elif r.word(j) in ("+", "-") and r.tight(j) and digits(r, j + 1, 4) is not None:
        j = j + 4 if r.word(j + 2) == ":" and digits(r, j + 3, 2) is not None else j + 2
    return combined(day[0], exact), j


def packed_clock(r: Reader, i: int) -> Found | None:
    """1430, 143000."""
    word, number = r.word(i), digits(r, i, 6)
    if number is None or len(word) not in (4, 6):
        return None
    hour, minute, second = int(word[:2]), int(word[2:4]), int(word[4:] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    at = time(hour, minute, second)
    return Node("time", code(at), ((at, None),)), i + 1


def spread_clock(r: Reader, i: int) -> Found | None:
    """14:30:00, in 24 hours."""
    clock, hour = r.read("clock0", i), digits(r, i, 2)
    reads = (
        [x for x in clock[0].reads if isinstance(x[0], time) and x[0].hour == hour] if clock else []
    )
    return (Node("time", clock[0].timex, tuple(reads[:1])), clock[1]) if clock and reads else None


@rule("moment")
def year_last(r: Reader, i: int) -> Found | None:
    """Wed Oct 26 15:50:06 2016: the year behind the time."""
    found = r.read("timed", i)
    year = digits(r, found[1], 4) if found else None
    if (
        not found
        or found[0].kind != "datetime"
        or found[0].open != "year"
        or not year
        or not 1900 <= year <= 2100
    ):
        return None
    start = found[0].first[0]
    day = make(year, start.month, start.day) if isinstance(start, date) else None
    if not day or not isinstance(start, datetime) or r.word(found[1] + 1) in ("-", "/", ":"):
        return None
    return Node(
        "datetime", f"{day}{code(start.time())}", ((datetime.combine(day, start.time()), None),)
    ), found[1] + 1
