"""Stretches of days that are counted or cut out of others.

This week, the last 3 months, the week of July 23, first week of 2019, early next month, the end
of 1989, later this year. Gives nodes of kind "daterange".
"""

from __future__ import annotations

from datetime import date, timedelta

from dragtor.extract.dates.lengths import duration, number_text, unit_at
from dragtor.extract.dates.numbers import below_hundred, cardinal, digits, full_year
from dragtor.extract.dates.offsets import business, is_clock, moved
from dragtor.extract.dates.periods import stretch, unit_node, unit_start, week_name
from dragtor.extract.dates.reader import Found, Node, Read, Reader, monday, rule, shift
from dragtor.extract.dates.words import NEXT, SECONDS, SHIFT, TIMEX, UNITS

CALENDAR = {"week", "weekend", "month", "quarter", "year", "decade", "century", "fortnight"}


@rule("period0")
def this_unit(r: Reader, i: int) -> Found | None:
    """This week, next month, the past fortnight, the month, same year, week after next."""
    start = r.skip(i, ("the",))
    own = UNITS.get(r.word(start), "")
    if own in CALENDAR and (two := {"after next": 2, "before last": -2}.get(said(r, start + 1))):
        node = relative_unit(r, two, own)
        return (node, start + 3) if node else None
    if j := (r.has(i, "the week after") or 0):
        node = unit_node(shift(monday(r.today), 7, "day") or r.today, "week")
        return (node, j) if node and not r.read("day", j) and not r.read("period0", j) else None
    word = r.word(i)
    bare = word in ("the", "same", "my", "that")
    j = i + 1 if word in SHIFT or bare else 0
    if word == "the" and r.word(i + 1) in SHIFT:
        j = i + 2
        word = r.word(i + 1)
        if r.word(j) not in ("decade", "century", "weekend"):
            return None
    if word in THIS_UP and r.word(j) in SHIFT:
        word, j = r.word(j), j + 1
    j = r.skip(j, ("calendar", "fiscal", "school")) if j and r.word(j + 1) == "year" else j
    unit = unit_at(r, j) if j else None
    if not unit or unit[0] not in CALENDAR or (r.word(j)[-1:] == "s" and r.word(j) != "s"):
        return None
    if word in ("the", "that") and not the_unit(r, unit[1]):
        return None
    node = relative_unit(r, SHIFT.get(word, 0), unit[0])
    if node and r.has(unit[1], "after next"):
        node, end = relative_unit(r, 2, unit[0]), unit[1] + 2
        return (node, end) if node else None
    return (node, unit[1]) if node else None


THIS_UP = {"this"}


def said(r: Reader, i: int) -> str:
    """The two words that stand here."""
    return f"{r.word(i)} {r.word(i + 1)}"


def the_unit(r: Reader, j: int) -> bool:
    """Whether "the week" stands alone: no "of" follows it."""
    return (
        r.word(j) not in ("of", "after", "before", "'", "s", "-", "that", "when", "in")
        and digits(r, j) is None
        and not below_hundred(r, j)
    )


def relative_unit(r: Reader, number: int, unit: str) -> Node | None:
    """The unit that holds today, moved by so many."""
    start = unit_start(r.today, unit)
    if unit == "weekend":
        moved_start = shift(start, 7 * number, "day") if start else None
    else:
        moved_start = shift(start, number, unit) if start else None
    return unit_node(moved_start, unit) if moved_start else None


@rule("period0")
def counted_units(r: Reader, i: int) -> Found | None:
    """Next 3 days, the past 2 weeks, 2 upcoming months, last 2 quarters, next 4 business days."""
    j = r.skip(i, ("the",)) if r.word(i + 1) in SHIFT else i
    if r.word(j) in SHIFT and r.word(j) not in ("this", "current"):
        if verb(r, j):
            return None
        sign = SHIFT[r.word(j)]
        number = cardinal(r, j + 1)
        unit = unit_at(r, number[1], True) if number else None
        end = unit[1] if unit else 0
    else:
        number = cardinal(r, i)
        if not number or r.word(number[1]) not in SHIFT or r.word(number[1]) in ("this", "current"):
            return None
        sign = SHIFT[r.word(number[1])]
        unit = unit_at(r, number[1] + 1)
        end = unit[1] if unit else 0
        if unit and number[0] != 1 and r.word(end - 1)[-1:] != "s":
            return None
    if not number or not unit:
        return None
    if j > i and unit[0] not in ("decade", "century") and r.word(end) not in ("of", "in"):
        return None
    if r.word(end) == "of":
        return None
    if several := run_of_lengths(r, sign, number[1] - 1, end):
        return several
    node = run_of_units(r, sign, number[0], unit[0])
    return (node, end) if node else None


def run_of_lengths(r: Reader, sign: int, i: int, end: int) -> Found | None:
    """The last 3 months and 2 weeks and 2 days."""
    found = r.read("length", i)
    if not found or found[1] <= end or is_clock(found[0].amounts):
        return None
    first = shift(r.today, 1, "day") if sign > 0 else r.today
    last = moved(first, found[0].amounts, sign) if first else None
    if not first or not last:
        return None
    low, high = sorted((first, last))
    return Node("daterange", f"({low},{high},{found[0].timex})", ((low, high),)), found[1]


def verb(r: Reader, i: int) -> bool:
    """Whether "last" is what something does: should last two hours."""
    modal = (
        "will",
        "would",
        "should",
        "could",
        "can",
        "may",
        "might",
        "must",
        "to",
        "not",
        "t",
        "usually",
    )
    return r.word(i) == "last" and r.word(i - 1) in modal


def run_of_units(r: Reader, sign: int, number: float, unit: str) -> Node | None:
    """So many units behind today, or ahead of it from tomorrow on."""
    if is_clock(((number, unit),)):
        try:
            step = timedelta(seconds=number * SECONDS[unit])
            ends = (r.now, r.now + step) if sign > 0 else (r.now - step, r.now)
        except OverflowError:
            return None
        length = f"PT{number_text(number)}{unit[0].upper()}"
        timex = f"({ends[0].isoformat()},{ends[1].isoformat()},{length})"
        return Node("datetimerange", timex, (ends,))
    first: date | None
    last: date | None
    if unit in ("quarter", "decade", "century", "fortnight", "weekend") and unit != "weekend":
        start = unit_start(r.today, unit)
        first = shift(start, 1, unit) if start and sign > 0 else start
        last = shift(first, int(number) * sign, unit) if first else None
        if unit == "decade" and sign > 0 and start:
            first = shift(start, 10, "year")
            last = shift(first, 10 * int(number), "year") if first else None
    elif unit == "business day":
        edge = business(r.today, sign)
        last = business(r.today, sign * int(number))
        first = edge if sign > 0 else r.today
        last = shift(last, 1, "day") if last and sign > 0 else last
    else:
        first = shift(r.today, 1, "day") if sign > 0 else r.today
        last = moved(first, ((number, unit),), sign) if first else None
    if not first or not last:
        return None
    low, high = sorted((first, last))
    size, letter = TIMEX[unit]
    timex = f"({low},{high},P{number_text(number * size)}{letter})"
    return Node("daterange", timex, ((low, high),))


@rule("period0")
def one_clock_unit(r: Reader, i: int) -> Found | None:
    """The past hour, next minute."""
    unit = unit_at(r, i + 1)
    sign = SHIFT.get(r.word(i), 0)
    if (
        not sign
        or not unit
        or unit[0] not in ("hour", "minute")
        or r.word(i + 1)[-1:] == "s"
        or verb(r, i)
    ):
        return None
    node = run_of_units(r, sign, 1, unit[0])
    return (node, unit[1]) if node else None


@rule("period0")
def work_week(r: Reader, i: int) -> Found | None:
    """This work week, next workweek: Monday to Friday."""
    j = i + 1 if r.word(i) in SHIFT or r.word(i) == "the" else 0
    end = (
        (
            r.has(j, "work week")
            or r.has(j, "working week")
            or r.has(j, "workweek")
            or r.has(j, "business week")
        )
        if j
        else 0
    )
    start = shift(monday(r.today), 7 * SHIFT.get(r.word(i), 0), "day")
    if not end or not start:
        return None
    node = stretch(start, "day", f"{week_name(start)}-WD", 5)
    return (node, end) if node else None


@rule("period0")
def within(r: Reader, i: int) -> Found | None:
    """Within 9 months, within the next 3 min."""
    if r.word(i) != "within":
        return None
    j = r.skip(r.skip(i + 1, ("the",)), NEXT)
    found = r.read("length", j)
    if not found and r.word(j - 1) in NEXT and (single := unit_at(r, j)):
        found = duration(((1.0, single[0]),)), single[1]
    if not found or len(found[0].amounts) > 3:
        return None
    amounts = found[0].amounts
    if is_clock(amounts):
        try:
            end = r.now + timedelta(seconds=float(found[0].value))
        except OverflowError:
            return None
        timex = f"({r.now.isoformat()},{end.isoformat()},{found[0].timex})"
        return Node("datetimerange", timex, ((r.now, end),)), found[1]
    day = moved(r.today, amounts, 1)
    timex = f"({r.today},{day},{found[0].timex})"
    return (Node("daterange", timex, ((r.today, day),)), found[1]) if day else None


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
    """Labor day weekend, thanksgiving weekend 2023."""
    found = r.read("day0", i)
    if (
        not found
        or found[0].kind != "date"
        or r.word(found[1]) != "weekend"
        or found[0].open not in ("year", "")
    ):
        return None
    reads = [long_weekend(day) for day, _ in found[0].reads if isinstance(day, date)]
    if not reads:
        return None
    return Node(
        "daterange", f"{week_name(reads[0][0])}-WE", tuple(reads), open=found[0].open and "fixed"
    ), found[1] + 1


@rule("period0")
def numbered_week(r: Reader, i: int) -> Found | None:
    """Week 10, week 10 of 2019."""
    dashed = full_year(r, i) if r.word(i + 1) == "-" and r.word(i + 2) == "w" else None
    if dashed and r.tight(i + 3) and (named := digits(r, i + 3, 2)):  # 2016-W23
        node = iso_week(dashed[0], named)
        return (node, i + 4) if node else None
    spelt = below_hundred(r, i + 1)
    number = digits(r, i + 1, 2) or (spelt[0] if spelt else None)
    if r.word(i) not in ("week", "wk", "w"):
        return None
    if not number or number > 53 or (r.word(i) == "w" and not r.tight(i + 1)):
        return None
    j, year = spelt[1] if spelt else i + 2, r.today.year
    found = r.read("period0", r.skip(r.skip(j, ("of", ",", "in")), ("the",)))
    if found and found[0].timex.isdigit():
        year, j = int(found[0].timex), found[1]
    node = iso_week(year, number)
    return (node, j) if node else None


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
