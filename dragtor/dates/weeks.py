"""Weeks and weekends by their day, holiday or number: week of July 23, Easter weekend, week 10.

Gives nodes of kind "daterange".
"""

from __future__ import annotations

from datetime import date

from dragtor.dates.numbers import below_hundred, digits, full_year
from dragtor.dates.periods import unit_node, week_name
from dragtor.dates.reader import Found, Node, Read, Reader, monday, rule, shift
from dragtor.dates.spans import relative_unit


@rule("period0")
def week_of(r: Reader, i: int) -> Found | None:
    """The week of July 23, w/c feb 4, week commencing the 3rd, weekend of thanksgiving 2023."""
    j = r.skip(i, ("the",))
    starts = (
        "week of",
        "week commencing",
        "week starting",
        "week beginning",
        "week ending",
        "w / c",
        "weekend of",
        "week from",
    )
    phrase = next((p for p in starts if r.has(j, p)), "")
    if not phrase:
        return None
    k = r.skip(r.skip(r.has(j, phrase), ("on",)), ("the",)) if phrase != "week from" else 0
    found = (r.read("day", k) or r.read("day", r.has(j, phrase))) if k else None
    if not found or not found[0].reads:
        return None
    reads: list[Read] = []
    for day, _ in found[0].reads:
        if isinstance(day, date):
            named = found[0].open != "month"
            if phrase == "weekend of":
                reads.append(long_weekend(day) if named else plain_weekend(day))
            else:
                reads.append((monday(day), shift(monday(day), 7, "day")))
    if not reads:
        return None
    first = reads[0][0]
    timex = found[0].timex
    if not found[0].open and isinstance(first, date):
        timex = week_name(first)
    timex += "-WE" if phrase == "weekend of" else ""
    return Node("daterange", timex, tuple(reads), open=found[0].open and "fixed"), found[1]


def plain_weekend(day: date) -> tuple[date, date]:
    """Saturday to Sunday of the day's week."""
    start = shift(monday(day), 5, "day") or day
    return start, shift(start, 2, "day") or day


def long_weekend(day: date) -> tuple[date, date]:
    """The weekend with the holiday beside it: Monday's goes before it, Thursday's after."""
    start, end = plain_weekend(day)
    if day.weekday() == 0:
        return shift(day, -2, "day") or day, shift(day, 1, "day") or day
    return (day if day.weekday() in (3, 4) else start), end


@rule("period0")
def holiday_weekend(r: Reader, i: int) -> Found | None:
    """Labor day weekend, thanksgiving weekend 2023, Christmas week."""
    found = r.read("day0", i)
    if (
        not found
        or found[0].kind != "date"
        or r.word(found[1]) not in ("weekend", "week")
        or found[0].open not in ("year", "")
    ):
        return None
    days = [day for day, _ in found[0].reads if isinstance(day, date)]
    reads = [long_weekend(day) for day in days]
    timex = f"{week_name(reads[0][0])}-WE"
    if r.word(found[1]) == "week":
        if not r.read("holiday", i):
            return None
        reads = [(monday(day), shift(monday(day), 7, "day") or day) for day in days]
        timex = week_name(reads[0][0])
    return Node("daterange", timex, tuple(reads), open=found[0].open and "fixed"), found[1] + 1


@rule("period0")
def numbered_week(r: Reader, i: int) -> Found | None:
    """Week 10, week 10 of 2019."""
    dashed = full_year(r, i) if r.word(i + 1) == "-" and r.word(i + 2) == "w" else None
    if dashed and r.tight(i + 3) and (named := digits(r, i + 3, 2)):  # 2016-W23
        node = iso_week(dashed[0], named)
        return (node, i + 4) if node else None
    if r.word(i) not in ("week", "wk", "w"):
        return None
    k = i + 1
    while r.word(k) in ("number", "no", "nr", "#", ".") and k < i + 3:
        k += 1
    spelt = below_hundred(r, k)
    number = digits(r, k, 2) or (spelt[0] if spelt else None)
    if not number or number > 53 or (r.word(i) == "w" and not r.tight(i + 1)):
        return None
    j, year = spelt[1] if spelt else k + 1, r.today.year
    found = r.read("period0", r.skip(r.skip(j, ("of", ",", "in")), ("the",)))
    if found and found[0].timex.isdigit():
        year, j = int(found[0].timex), found[1]
    elif found and r.word(j) in ("of", "in") and number <= 5:
        return week_in(found, number)
    node = iso_week(year, number)
    return (node, j) if node else None


def week_in(period: Found, number: int) -> Found | None:
    """Week 3 of June: the third whose Thursday is in it."""
    reads: list[Read] = []
    for start, end in period[0].reads:
        if isinstance(start, date) and isinstance(end, date) and 27 < (end - start).days < 93:
            first = shift(start, (3 - start.weekday()) % 7 - 3 + 7 * (number - 1), "day")
            last = shift(first, 7, "day") if first else None
            reads += [(first, last)] if first and last and first < end else []
    if not reads:
        return None
    timex = week_name(reads[0][0]) if isinstance(reads[0][0], date) else ""
    return Node("daterange", timex, tuple(reads), open=period[0].open and "fixed"), period[1]


def iso_week(year: int, number: int) -> Node | None:
    """A week by its ISO number, from the end of the year if below 0."""
    try:
        if number < 0:
            number = date(year, 12, 28).isocalendar().week + 1 + number
        return unit_node(date.fromisocalendar(year, number, 1), "week")
    except (ValueError, OverflowError):
        return None


@rule("period0")
def weekend(r: Reader, i: int) -> Found | None:
    """The weekend: this one."""
    if (
        r.word(i) != "weekend"
        or r.word(i + 1) == "of"
        or r.word(i - 1) in ("a", "per", "every", "each", "long")
    ):
        return None
    node = relative_unit(r, 0, "weekend")
    if not node:
        return None
    return Node("daterange", node.timex, node.reads), i + 1
