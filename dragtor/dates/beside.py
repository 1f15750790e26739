"""Days and weeks beside others: the day after Christmas, the Monday before the 15th.

Also a week ago Friday, next week's Friday and the weekday behind a date (May 5, Friday). Gives
nodes of kind "date", for weeks "daterange".
"""

from __future__ import annotations

from datetime import date, datetime

from dragtor.dates.days import one
from dragtor.dates.lengths import BUSINESS
from dragtor.dates.moments import combined
from dragtor.dates.numbers import ordinal
from dragtor.dates.offsets import business, moved
from dragtor.dates.parts import part_reads
from dragtor.dates.reader import Found, Node, Read, Reader, make, monday, rule, shift
from dragtor.dates.words import EARLY, PARTS, SHIFT, WEEKDAYS

SIDES = {"before": -1, "preceding": -1, "after": 1, "following": 1}


def base(r: Reader, i: int) -> Found | None:
    """The day that another stands beside: a feast or a day of a month, no weekday, no today."""
    places = {i, r.skip(i, ("the",))}
    found = max((f for k in places if (f := r.read("day0", k))), key=lambda f: f[1], default=None)
    if not found or found[0].kind != "date" or not found[0].reads or found[0].weak:
        return None
    return found if r.word(i) not in ("today", "tomorrow", "yesterday") else None


@rule("day1")
def day_beside(r: Reader, i: int) -> Found | None:
    """The day after Christmas, the Monday before the 15th, the first Friday after May 5."""
    j = r.skip(i, ("the",))
    number = (1, j + 1) if r.word(j) == "last" else ordinal(r, j)
    count, k = number or (1, j)
    index = WEEKDAYS.get(r.word(k))
    if (index is None and (r.word(k) != "day" or number)) or not 1 <= count <= 10:
        return None
    sign = SIDES.get(r.word(k + 1), 0)
    found = base(r, k + 2) if sign else None
    if not found:
        return None
    days = [
        (near, None)
        for day, _ in found[0].reads
        if isinstance(day, date) and (near := beside(day, index, sign * int(count)))
    ]
    if not days:
        return None
    return Node("date", days[0][0].isoformat(), tuple(days), open=found[0].open and "fixed"), found[
        1
    ]


def beside(day: date, index: int | None, number: int) -> date | None:
    """The `number`-th such weekday after the day (before it where negative); None: any day."""
    if index is None:
        return shift(day, number, "day")
    step = 1 if number > 0 else -1
    first = (step * (index - day.weekday()) - 1) % 7 + 1
    return shift(day, step * (first + 7 * (abs(number) - 1)), "day")


@rule("period0")
def week_beside(r: Reader, i: int) -> Found | None:
    """The week after Thanksgiving, the weekend before Christmas."""
    j = r.skip(i, ("the",))
    weekend = r.word(j) == "weekend"
    sign = SIDES.get(r.word(j + 1), 0) if weekend or r.word(j) == "week" else 0
    found = base(r, j + 2) if sign else None
    if not found or found[0].open == "week":
        return None
    reads: list[Read] = []
    for day, _ in found[0].reads:
        start = shift(monday(day), 7 * sign, "day") if isinstance(day, date) else None
        if start and weekend and isinstance(day, date):
            start = beside(day, 5, sign)
        if start:
            reads.append((start, shift(start, 2 if weekend else 7, "day")))
    if not reads:
        return None
    timex = f"({reads[0][0]},{reads[0][1]},{'P1WE' if weekend else 'P1W'})"
    return Node("daterange", timex, tuple(reads), open=found[0].open and "fixed"), found[1]


@rule("day1")
def working_day(r: Reader, i: int) -> Found | None:
    """The next business day, the previous working day."""
    j = r.skip(i, ("the",))
    sign = SHIFT.get(r.word(j), 0)
    named = r.word(j + 1) in BUSINESS and r.word(j + 2) == "day"
    end = j + 3 if named else j + 2 if r.word(j + 1) in ("workday", "weekday") else 0
    day = business(r.today, sign) if sign and end else None
    return (one(day), end) if day else None


@rule("day1")
def edge_of_stretch(r: Reader, i: int) -> Found | None:
    """The first day of 2018, the last day of next week; the days of a month are in offsets.py."""
    j = r.skip(i, ("the",))
    last = r.word(j) == "last"
    k = r.has(j + 1, "day of") if last or r.word(j) in ("first", "1st") else 0
    found = (r.read("period0", k) or r.read("period0", r.skip(k, ("the",)))) if k else None
    if not found or found[0].kind != "daterange" or not found[0].reads:
        return None
    days = [shift(at[1], -1, "day") if last else at[0] for at in found[0].reads
            if isinstance(at[0], date) and isinstance(at[1], date)]  # fmt: skip
    reads = tuple((day, None) for day in days if day)
    if not reads:
        return None
    return Node("date", f"{reads[0][0]}", reads, open=found[0].open and "fixed"), found[1]


@rule("day1")
def numbered_in_month(r: Reader, i: int) -> Found | None:
    """The 13th next month, next month on the 13th."""
    month = r.word(i) in SHIFT and r.word(i + 1) == "month"
    j = r.skip(r.skip(i + 2, (",",)), ("on",)) if month else i
    number = ordinal(r, r.skip(j, ("the",)))
    if not number or (j == i + 2 and r.word(j) != "the"):
        return None
    sign, end = (SHIFT[r.word(i)], number[1]) if month else (0, 0)
    if not month and r.word(i) == "the" and r.word(number[1]) in SHIFT:
        sign, end = SHIFT[r.word(number[1])], number[1] + 2
    if not end or r.word(number[1] + 1 if not month else i + 1) != "month":
        return None
    start = shift(r.today.replace(day=1), sign, "month")
    day = make(start.year, start.month, number[0]) if start else None
    return (one(day), end) if day else None


@rule("day1")
def ago_from(r: Reader, i: int) -> Found | None:
    """A week ago today, two weeks ago yesterday, a week ago Friday: reckoned from the last one."""
    found = r.read("length", i)
    if not found or r.word(found[1]) != "ago" or len(found[0].amounts) > 1:
        return None
    word = r.word(found[1] + 1)
    back = {"today": 0, "yesterday": 1}.get(word)
    if back is None and word in WEEKDAYS:
        back = (r.today.weekday() - WEEKDAYS[word] - 1) % 7 + 1
    start = shift(r.today, -back, "day") if back is not None else None
    if not start or found[0].amounts[0][1] not in ("week", "fortnight", "month", "year"):
        return None
    day = moved(start, found[0].amounts, -1)
    return (one(day), found[1] + 2) if day else None


@rule("moment")
def early_on_day(r: Reader, i: int) -> Found | None:
    """Early Friday morning, late tomorrow evening: the word belongs to the part of the day."""
    mod = EARLY.get(r.word(i), "") if r.word(i) in ("early", "late") else ""
    day = r.read("day", r.skip(i + 1, ("on",))) if mod else None
    if not day or day[0].kind != "date" or not day[0].reads:
        return None
    name = r.word(day[1])
    if name not in ("morning", "afternoon", "evening", "night") or name not in PARTS:
        return None
    timex, read = part_reads(name, mod)
    return combined(day[0], Node("timerange", timex, (read,), mod=mod)), day[1] + 1


@rule("moment")
def night_beside(r: Reader, i: int) -> Found | None:
    """The night before Christmas, the morning after July 4."""
    j = r.skip(i, ("the",))
    name = r.word(j)
    sign = SIDES.get(r.word(j + 1), 0) if name in ("morning", "evening", "night") else 0
    found = base(r, j + 2) if sign and j > i else None
    if not found:
        return None
    days = [shift(day, sign, "day") for day, _ in found[0].reads if isinstance(day, date)]
    reads = tuple((day, None) for day in days if day)
    if not reads:
        return None
    timex, read = part_reads(name, "")
    node = Node("date", reads[0][0].isoformat(), reads, open=found[0].open and "fixed")
    return combined(node, Node("timerange", timex, (read,))), found[1]


@rule("moment")
def this_time(r: Reader, i: int) -> Found | None:
    """This time tomorrow, this time next week: now, on another day."""
    j = r.has(i, "this time") or r.has(i, "same time") or r.has(i, "the same time")
    found = r.read("day0", j) if j else None
    day = found[0].first[0] if found and not found[0].open and found[0].kind == "date" else None
    end = found[1] if found else 0
    if (
        j
        and not day
        and r.word(j) in ("next", "last")
        and r.word(j + 1) in ("week", "month", "year")
    ):
        day, end = shift(r.today, 1 if r.word(j) == "next" else -1, r.word(j + 1)), j + 2
    if not isinstance(day, date):
        return None
    when = datetime.combine(day, r.now.time())
    return Node("datetime", when.isoformat(), ((when, None),)), end
