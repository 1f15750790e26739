"""Single days that go by a name: Friday, next Monday, today, Christmas, the 15th.

Gives nodes of kind "date".
"""

from __future__ import annotations

from datetime import date

from dragtor.dates import holidays
from dragtor.dates.days import one, year_after
from dragtor.dates.numbers import digits, full_year, ordinal
from dragtor.dates.reader import Found, Node, Reader, make, monday, rule, shift
from dragtor.dates.words import (
    LAST,
    MONTHS,
    NEXT,
    PARTS,
    SHIFT,
    SHY,
    SMALL,
    THIS,
    TODAY,
    WEEKDAYS,
)


def weekday(r: Reader, index: int) -> Node:
    """The next such weekday, today counting, and the last."""
    ahead = shift(r.today, (index - r.today.weekday()) % 7, "day") or r.today
    behind = shift(ahead, -7, "day") or ahead
    return Node("date", f"XXXX-WXX-{index + 1}", ((ahead, None), (behind, None)), open="week")


def company(r: Reader, i: int, j: int) -> bool:
    """Whether a short name such as "sat" or "sun" is meant as a day."""
    if r.word(i) not in SHY or r.capital(i):
        return True
    k = r.skip(j, (",",))
    if r.word(k) in MONTHS or r.word(k) in PARTS or r.word(k) in WEEKDAYS:
        return True
    if ordinal(r, r.skip(k, ("the",))) or r.read("hours", k) or r.read("clock", k):
        return True
    joint = {"and", "&", "/"} if r.word(i) in ("sat", "wed") else {"and", "&", "/", ","}
    joint |= {"to", "-", "–", "through", "thru", "till", "until"}
    before = r.word(i - 1)
    if (r.word(j) in joint and r.word(j + 1) in WEEKDAYS) or (
        before in joint and r.word(i - 2) in WEEKDAYS
    ):
        return True
    return before in {"on", "every", "each", "by", "until", "from", *SHIFT, *WEEKDAYS}


@rule("day0")
def week_day(r: Reader, i: int) -> Found | None:
    """Friday, next fri, this upcoming Friday, last Tuesday, the following Monday."""
    j = i
    weeks: int | None = None
    coming = False
    while r.word(j) in SHIFT and j - i < 3:
        weeks, coming = SHIFT[r.word(j)], r.word(j) in ("coming", "upcoming", "following")
        past = r.word(j) == "past"
        j += 1
    index = WEEKDAYS.get(r.word(j))
    if index is None or not company(r, j, j + 1):
        return None
    end = j + 1
    if weeks is None:
        return weekday(r, index), end
    if coming:
        day = shift(r.today, (index - r.today.weekday() - 1) % 7 + 1, "day")
    elif past and weeks < 0:
        day = shift(r.today, -((r.today.weekday() - index - 1) % 7 + 1), "day")
    else:
        day = shift(monday(r.today), 7 * weeks + index, "day")
    return (one(day), end) if day else None


@rule("day0")
def after_next(r: Reader, i: int) -> Found | None:
    """The Friday after next, the Monday before last."""
    j = r.skip(i, ("the",))
    index = WEEKDAYS.get(r.word(j))
    weeks = 2 if r.has(j + 1, "after next") else -2 if r.has(j + 1, "before last") else 0
    if index is None or not weeks:
        return None
    day = shift(monday(r.today), 7 * weeks + index, "day")
    return (one(day), j + 3) if day else None


@rule("day0")
def shifted_date(r: Reader, i: int) -> Found | None:
    """Next 5/12, this July 4th, last May 5."""
    word = r.word(i)
    found = r.read("day0", i + 1) if word in SHIFT else None
    if (
        not found
        or found[0].open != "year"
        or r.word(i + 1) in SHIFT
        or not digits_in(r, i + 1, found[1])
    ):
        return None
    reads = [x[0] for x in found[0].reads if isinstance(x[0], date)]
    ahead, behind = [d for d in reads if d >= r.today], [d for d in reads if d < r.today]
    if word in THIS:
        picked = [d for d in reads if d.year == r.today.year]
    else:
        picked = behind if word in LAST else ahead
    node = found[0]
    if not picked:
        return None
    return Node("date", node.timex, tuple((d, None) for d in picked), node.ambiguous), found[1]


def digits_in(r: Reader, i: int, j: int) -> bool:
    """Whether a token of the stretch is a number."""
    return any(digits(r, k) is not None for k in range(i, j))


@rule("day0")
def near_day(r: Reader, i: int) -> Found | None:
    """Today, tomorrow, the day after tomorrow, the next day, the day, same day."""
    phrases = (
        ("the day after tomorrow", 2), ("day after tomorrow", 2), ("day after tmr", 2),
        ("the day before yesterday", -2), ("day before yesterday", -2), ("the next day", 1),
        ("the following day", 1), ("next day", 1), ("the day after", 1), ("the previous day", -1),
        ("previous day", -1), ("the last day", -1), ("last day", -1), ("this day", 0),
        ("same day", 0), ("the same day", 0), ("the day", 0), ("the day before", -1),
    )  # fmt: skip
    if r.word(i) in TODAY and r.word(i) != "tonight":
        day = shift(r.today, TODAY[r.word(i)], "day")
        return (one(day), i + 1) if day else None
    best = max(((r.has(i, phrase), days) for phrase, days in phrases), default=(0, 0))
    if not best[0]:
        return None
    day = shift(r.today, best[1], "day")
    return (one(day), best[0]) if day else None


def year_before(r: Reader, i: int) -> tuple[int, int] | None:
    """The year of "last year's Christmas", "the 2017 Christmas"."""
    if r.word(i) in SHIFT and (j := r.has(i + 1, "year ' s")):
        return r.today.year + SHIFT[r.word(i)], j
    j = r.skip(i, ("the",))
    return full_year(r, j) if digits(r, j, 4) else None


@rule("day0")
@rule("holiday")
def holiday(r: Reader, i: int) -> Found | None:
    """Christmas, black friday 2010, next new year's day, the previous easter."""
    if year := year_before(r, i):
        named = holidays.HOLIDAYS.at(r, year[1])
        day = holidays.on(named[0], year[0]) if named else None
        return (one(day), named[1]) if named and day else None
    j = i
    word = r.word(j)
    moved = j + 1 if word in SHIFT else j
    found = holidays.HOLIDAYS.at(r, moved)
    if not found:
        return None
    name, end = found
    if moved == j and (year := year_after(r, end)):
        day = holidays.on(name, year[0])
        return (one(day), year[1]) if day else None
    days = holidays.near(r.today, lambda year: holidays.on(name, year))
    if not days:
        return None
    if moved > j:
        pick = holidays.on(name, r.today.year) if word in THIS else days[0]
        if word in LAST:
            pick = days[-1]
        elif word in NEXT and days[0] == r.today:
            pick = holidays.on(name, r.today.year + 1)
        return (one(pick), end) if pick else None
    month, number = holidays.FIXED.get(name, (0, 0))
    timex = f"XXXX-{month:02}-{number:02}" if month else f"XXXX-{days[0]:%m-%d}"
    reads = tuple((day, None) for day in days)
    return Node("date", timex, reads, open="year", day=(month, number)), end


AFTER_DAY = {
    *". , ; : ! ? ) at and or from between to - with for in until if please around @ as".split(),
    *"then because by but so instead when that till onwards".split(),
    *SMALL,
    "",
    "\n",
}


BEFORE_DAY = {*"on by until till before after since from to".split()}


@rule("day0")
def month_open(r: Reader, i: int) -> Found | None:
    """The 15th, 15th: a day of this month or the next."""
    start = r.skip(i, ("the",))
    number = ordinal(r, start)
    if not number and r.word(i - 1) == "on" and (plain := digits(r, start, 2)):
        number = on_number(r, i, start, plain)
    elif not number and start > i and (plain := digits(r, start, 2)):
        number = (plain, start + 1) if r.word(start + 1) in ("from", "between", "at") else None
    if not number or not 1 <= number[0] <= 31:
        return None
    j = number[1]
    if start > i and r.has(j, "day of the month"):
        j = r.has(j, "day of the month")
        day = make(r.today.year, r.today.month, number[0])
        return (one(day), j) if day else None
    days = month_days(r, number[0])
    if not days or (digits(r, start) is None and start == i and r.word(i - 1) != "between"):
        return None
    here = r.word(start - 1) in BEFORE_DAY
    ends = r.after(j) in AFTER_DAY
    numeric = digits(r, start) is not None or number[0] > 20
    numeric = numeric or (number[0] > 3 and r.word(i - 1) == "on")
    weak = not numeric or not (ends and (start > i or here or i == 0))
    reads = tuple((day, None) for day in days)
    return Node("date", f"XXXX-XX-{number[0]:02}", reads, open="month", weak=weak), j


def on_number(r: Reader, i: int, start: int, number: int) -> tuple[int, int] | None:
    """On the 27; on 15 at 8:00, where a time says that it is a day."""
    j = start + 1
    if start == i:
        clock = r.read("clock0", j + 1) if r.word(j) in ("at", ",") else None
        return (number, j) if clock else None
    timed = r.word(j) in ("from", "between", "at")
    ends = r.after(j) in {*". , ; ! ? ) with".split(), *SMALL, "", "\n"} and not r.tight(j + 1)
    return (number, j) if timed or ends else None


def month_days(r: Reader, number: int) -> list[date]:
    """That day of the month, ahead and behind."""
    first = r.today.replace(day=1)
    months = [shift(first, n, "month") for n in range(-2, 4)]
    days = [d for m in months if m and (d := make(m.year, m.month, number))]
    return [d for d in days if d >= r.today][:1] + [d for d in days if d < r.today][-1:]
