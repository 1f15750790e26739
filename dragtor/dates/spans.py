"""Periods that are counted, moved or cut: this week, the last 3 months, early next month, week 10.

Gives nodes of kind "daterange" and, of hours and minutes, "datetimerange".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from dragtor.dates.parser import Interval, Node, Parse, Parser, monday_of, rule, shift
from dragtor.dates.periods import period_node, start_of_unit, week_code, whole_unit_node
from dragtor.dates.quantities import (
    Amounts,
    below_hundred,
    cardinal,
    duration_node,
    integer,
    number_text,
    ordinal_number,
    time_unit,
)
from dragtor.dates.relative import business_day, is_sub_day, moved_by
from dragtor.dates.words import EARLY, NEXT, SECONDS_OF, SHIFTS, TIMEX_UNITS, UNITS

CALENDAR_UNITS = {"week", "weekend", "month", "quarter", "year", "decade", "century", "fortnight"}
WHOLE = ("whole", "entire", "full")


@rule("whole_period")
def shifted_unit(p: Parser, i: int) -> Parse | None:
    """This week, next month, the past fortnight, the month, same year, week after next."""
    start = p.optional(i, ("the",))
    own = UNITS.get(p.word(start), "")
    for phrase, number in (("after next", 2), ("before last", -2)):
        if own in CALENDAR_UNITS and (end := p.match(start + 1, phrase)):
            node = shifted_unit_node(p, number, own)
            return (node, end) if node else None
    word = p.word(i)
    bare = word in ("the", "same", "my", "that")
    j = p.optional(i + 1, WHOLE if word in SHIFTS else ()) if word in SHIFTS or bare else 0
    if word == "the" and p.word(i + 1) in SHIFTS:
        j = i + 2
        word = p.word(i + 1)
        if p.word(j) not in ("decade", "century", "weekend"):
            return None
    if word == "this" and p.word(j) in SHIFTS:
        word, j = p.word(j), j + 1
    j = p.optional(j, ("calendar", "fiscal", "school")) if j and p.word(j + 1) == "year" else j
    unit = time_unit(p, j) if j else None
    if not unit or unit[0] not in CALENDAR_UNITS or (p.word(j)[-1:] == "s" and p.word(j) != "s"):
        return None
    if word in ("the", "that") and not ends_with_unit(p, unit[1]):
        return None
    node = shifted_unit_node(p, SHIFTS.get(word, 0), unit[0])
    last = shifted_unit_node(p, -1, unit[0]) if bare and unit[0] == "weekend" else None
    if node and last:  # the weekend: the coming one, or the last
        node = replace(node, readings=node.readings + last.readings, missing="week")
    return (node, unit[1]) if node else None


@rule("whole_period")
def all_of_period(p: Parser, i: int) -> Parse | None:
    """All of next week, all through August, throughout 2019, the whole of May, all this month."""
    start = p.optional(i, ("the",))
    leads = (
        "all of",
        "all through",
        "all throughout",
        "throughout",
        "all",
        "whole of",
        "entirety of",
    )
    for lead in leads:
        j = p.match(start, lead)
        if j and lead == "all" and UNITS.get(p.word(j)) != "weekend":
            j = j if p.word(j) in SHIFTS else 0
        found = (
            p.parse("whole_period", j) or p.parse("whole_period", p.optional(j, ("the",)))
            if j
            else None
        )
        found = found or (current_unit(p, j) if j else None)
        if found and found[0].kind == "daterange":
            return found
    return None


@rule("whole_period")
def half_of_month(p: Parser, i: int) -> Parse | None:
    """The first half of May, the second half of next month, the latter half of June."""
    j = p.optional(i, ("the",))
    first = p.word(j) in ("first", "1st", "front")
    if not first and p.word(j) not in ("second", "latter", "last", "back", "other"):
        return None
    k = p.match(j + 1, "half of")
    found = (p.parse("whole_period", k) or current_unit(p, k)) if k else None
    if not found or found[0].kind != "daterange" or not found[0].readings:
        return None
    reads = [
        (start, middle) if first else (middle, end)
        for start, end in found[0].readings
        if isinstance(start, date)
        and shift(start, 1, "month") == end
        and (middle := shift(start, 15, "day"))
    ]
    node = replace(found[0], readings=tuple(reads), missing=found[0].missing and "fixed")
    return (node, found[1]) if reads else None


def ends_with_unit(p: Parser, j: int) -> bool:
    """Whether "the week" stands alone: no "of" follows it."""
    return (
        p.word(j) not in ("of", "after", "before", "'", "s", "that", "when", "in")
        and not (p.word(j) == "-" and p.adjacent(j))
        and integer(p, j) is None
        and not below_hundred(p, j)
    )


def shifted_unit_node(p: Parser, number: int, unit: str) -> Node | None:
    """The unit that holds today, moved by so many."""
    start = start_of_unit(p.today, unit)
    if unit == "weekend":
        moved_start = shift(start, 7 * number, "day") if start else None
    else:
        moved_start = shift(start, number, unit) if start else None
    return whole_unit_node(moved_start, unit) if moved_start else None


@rule("whole_period")
def shifted_amount(p: Parser, i: int) -> Parse | None:
    """Next 3 days, the past 2 weeks, last 2 quarters, next 4 business days, the last half hour."""
    j = p.optional(i, ("the",)) if p.word(i + 1) in SHIFTS else i
    sign = SHIFTS.get(p.word(j), 0)
    whole = p.word(j + 1) in ("all", "whole", "entire", "full", "solid", "a", "an", "another")
    found = p.parse("duration", j + 1) if sign and not whole and not is_verb_last(p, j) else None
    if not found:
        return None
    amounts, end = found[0].amounts, found[1]
    centuries = amounts[0][1] in ("decade", "century")
    if p.word(end) == "of" or (j > i and not centuries and p.word(end) != "in"):
        return None
    node = amount_from_now(p, sign, amounts)
    return (node, end) if node else None


@rule("whole_period")
def count_then_shift(p: Parser, i: int) -> Parse | None:
    """2 upcoming months, the 13 last minutes."""
    number = cardinal(p, i)
    sign = SHIFTS.get(p.word(number[1]), 0) if number else 0
    unit = time_unit(p, number[1] + 1) if number and sign else None
    if not number or not unit or (number[0] != 1 and p.word(unit[1] - 1)[-1:] != "s"):
        return None
    node = units_from_now(p, sign, number[0], unit[0]) if p.word(unit[1]) != "of" else None
    return (node, unit[1]) if node else None


def amount_from_now(p: Parser, sign: int, amounts: Amounts) -> Node | None:
    """So much time behind now or ahead: the last 3 months and 2 weeks, the next 2 days 3 hours."""
    if len(amounts) == 1:
        return units_from_now(p, sign, *amounts[0])
    length = duration_node(amounts)
    if is_sub_day(amounts):
        return seconds_from_now(p, sign, float(length.value), length.timex)
    first = shift(p.today, 1, "day") if sign > 0 else p.today
    last = moved_by(first, amounts, sign) if first else None
    if not first or not last:
        return None
    low, high = sorted((first, last))
    return Node("daterange", f"({low},{high},{length.timex})", ((low, high),))


def seconds_from_now(p: Parser, sign: int, seconds: float, timex: str) -> Node | None:
    """So many seconds up to now or from now on."""
    try:
        step = timedelta(seconds=seconds)
        ends = (p.now, p.now + step) if sign > 0 else (p.now - step, p.now)
    except OverflowError:
        return None
    whole = f"({ends[0].isoformat()},{ends[1].isoformat()},{timex})"
    return Node("datetimerange", whole, (ends,))


def is_verb_last(p: Parser, i: int) -> bool:
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
    return p.word(i) == "last" and p.word(i - 1) in modal


def units_from_now(p: Parser, sign: int, number: float, unit: str) -> Node | None:
    """So many units behind today, or ahead of it from tomorrow on."""
    if is_sub_day(((number, unit),)):
        length = f"PT{number_text(number)}{unit[0].upper()}"
        return seconds_from_now(p, sign, number * SECONDS_OF[unit], length)
    first: date | None
    last: date | None
    if unit in ("quarter", "decade", "century", "fortnight", "weekend") and unit != "weekend":
        start = start_of_unit(p.today, unit)
        first = shift(start, 1, unit) if start and sign > 0 else start
        last = shift(first, int(number) * sign, unit) if first else None
        if unit == "decade" and sign > 0 and start:
            first = shift(start, 10, "year")
            last = shift(first, 10 * int(number), "year") if first else None
    elif unit == "business day":
        edge = business_day(p.today, sign)
        last = business_day(p.today, sign * int(number))
        first = edge if sign > 0 else p.today
        last = shift(last, 1, "day") if last and sign > 0 else last
    else:
        first = shift(p.today, 1, "day") if sign > 0 else p.today
        last = moved_by(first, ((number, unit),), sign) if first else None
    if not first or not last:
        return None
    low, high = sorted((first, last))
    size, letter = TIMEX_UNITS[unit]
    timex = f"({low},{high},P{number_text(number * size)}{letter})"
    return Node("daterange", timex, ((low, high),))


@rule("whole_period")
def work_week(p: Parser, i: int) -> Parse | None:
    """This work week, next workweek: Monday to Friday."""
    j = i + 1 if p.word(i) in SHIFTS or p.word(i) == "the" else 0
    end = (
        (
            p.match(j, "work week")
            or p.match(j, "working week")
            or p.match(j, "workweek")
            or p.match(j, "business week")
        )
        if j
        else 0
    )
    start = shift(monday_of(p.today), 7 * SHIFTS.get(p.word(i), 0), "day")
    if not end or not start:
        return None
    node = period_node(start, "day", f"{week_code(start)}-WD", 5)
    return (node, end) if node else None


@rule("whole_period")
def within_amount(p: Parser, i: int) -> Parse | None:
    """Within 9 months, within the next 3 min."""
    if p.word(i) != "within":
        return None
    j = p.optional(p.optional(p.optional(i + 1, ("about", "around", "roughly")), ("the",)), NEXT)
    found = p.parse("duration", j)
    if not found and p.word(j - 1) in NEXT and (single := time_unit(p, j)):
        found = duration_node(((1.0, single[0]),)), single[1]
    if not found or len(found[0].amounts) > 3:
        return None
    amounts = found[0].amounts
    if is_sub_day(amounts):
        node = seconds_from_now(p, 1, float(found[0].value), found[0].timex)
        return (node, found[1]) if node else None
    day = moved_by(p.today, amounts, 1)
    timex = f"({p.today},{day},{found[0].timex})"
    node = Node("daterange", timex, ((p.today, day),), closes="day")
    return (node, found[1]) if day else None


@rule("whole_period")
def nth_unit_of_period(p: Parser, i: int) -> Parse | None:
    """First week of 2019, the last 3 weeks of this year, first 2 days of May, last week of july."""
    j = p.optional(i, ("the",))
    word = p.word(j)
    which = (
        (-1, j + 1) if word == "last" else (1, j + 1) if word == "first" else ordinal_number(p, j)
    )
    if not which:
        return None
    number = cardinal(p, which[1]) if word in ("last", "first") else None
    unit = time_unit(p, number[1] if number else which[1])
    if not unit or unit[0] not in ("day", "week", "weekend", "month", "quarter", "year", "decade"):
        return None
    k = p.optional(unit[1], ("of", "in", "on"))
    if k == unit[1] and p.word(k) not in SHIFTS:
        return None
    period = (
        p.parse("whole_period", k)
        or p.parse("whole_period", p.optional(k, ("the",)))
        or current_unit(p, k)
    )
    if not period or period[0].kind != "daterange" or (unit[0] == "day" and not number):
        return None
    count = int(number[0]) if number else 1
    reads = []
    for start, end in period[0].readings:
        if isinstance(start, date) and isinstance(end, date):
            cut = unit_slice(start, end, unit[0], which[0], count)
            if cut:
                reads.append(cut)
    if not reads:
        return None
    timex = f"({reads[0][0]},{reads[0][1]},P{count}{TIMEX_UNITS[unit[0]][1]})"
    if unit[0] == "week" and count == 1:
        timex = week_code(reads[0][0])
    return Node("daterange", timex, tuple(reads), missing=period[0].missing and "fixed"), period[1]


def current_unit(p: Parser, k: int) -> Parse | None:
    """The month, month: this one."""
    unit = time_unit(p, p.optional(k, ("the",)))
    if unit and unit[0] in ("week", "month", "quarter", "year") and p.word(unit[1] - 1)[-1] != "s":
        node = shifted_unit_node(p, 0, unit[0])
        return (node, unit[1]) if node else None
    return None


def unit_slice(
    start: date, end: date, unit: str, which: int, count: int
) -> tuple[date, date] | None:
    """The `which`-th unit (or `count` units at that edge) of start to end; weeks by Thursdays."""
    step = 7 if unit in ("week", "weekend") else 1
    if unit in ("week", "weekend"):
        mark = 3 if unit == "week" else 5
        first = shift(start, (mark - start.weekday()) % 7 - mark, "day")
        final = shift(end, -1, "day")
        last = shift(final, -((final.weekday() - mark) % 7) - mark, "day") if final else None
    else:
        first = start
        last = shift(end, -1, unit)
    if not first or not last:
        return None
    base = "day" if unit in ("week", "weekend") else unit
    if which < 0:
        low = shift(last, -(count - 1) * step, base)
    else:
        low = shift(first, (which - 1) * step, base)
    if not low:
        return None
    if unit == "weekend":
        low = shift(low, 5, "day") or low
        high = shift(low, 2, "day")
    else:
        high = shift(low, count * step, base)
    return (low, high) if high and low < end else None


@rule("whole_period")
def to_date(p: Parser, i: int) -> Parse | None:
    """Year to date, ytd, rest of the week, earlier this year, later in the year."""
    for unit, short in (("year", "ytd"), ("quarter", "qtd"), ("month", "mtd"), ("week", "wtd")):
        for name in (f"{unit} to date", f"{unit} - to - date", short):
            if j := p.match(i, name):
                start = start_of_unit(p.today, unit)
                return Node("daterange", f"{p.today:%Y}", ((start, p.today),), mod="before"), j
    if j := (p.match(i, "till date") or p.match(i, "to date")):
        if j and p.word(i) == "to" and p.word(i - 1) in ("up", "up -", "-", "year", "month"):
            return None
        return Node(
            "daterange", "PRESENT_REF", ((None, p.today),), mod="before", weak=p.word(i) == "to"
        ), j
    if j := (p.match(i, "rest of") or p.match(i, "remainder of") or p.match(i, "remaining of")):
        unit_read = time_unit(p, p.optional(j, ("the", "my", "this", "current")))
        if unit_read and unit_read[0] in ("week", "month", "quarter", "year", "decade"):
            node = shifted_unit_node(p, 0, unit_read[0])
            if node:
                timex = f"({p.today},{node.likeliest[1]},P)"
                return Node("daterange", timex, ((p.today, node.likeliest[1]),)), unit_read[1]
    return None


def period_part_node(node: Node, mod: str, exact: bool, today: date, relative: str) -> Node | None:
    """The early, middle or late part of a stretch."""
    reads = []
    for start, end in node.readings:
        if not isinstance(start, date) or not isinstance(end, date):
            continue
        read = period_part(start, end, mod, exact)
        if relative == "earlier" and start <= today < end:
            read = (start, today)
        elif relative == "later" and start <= today < end and read[0] < today:
            read = (today, end)
        months = next((n for n in (1, 3) if shift(start, n, "month") == end), 0)
        third = shift(start, *((20, "day") if months == 1 else (2, "month")))
        if third and months and relative == "late":  # late March: its last third, or half
            reads.append((third, end))
        reads.append(read)
    if not reads:
        return None
    return Node(
        "daterange",
        node.timex,
        tuple(reads),
        missing=node.missing and "fixed",
        day=node.day,
        mod=mod,
    )


def period_part(start: date, end: date, mod: str, exact: bool) -> tuple[date, date]:
    """A week is cut at Thursday, a month at the 16th, a year in June, a named year in thirds."""
    days = (end - start).days
    if days <= 3:
        cuts = {"start": (0, 1), "mid": (0, days), "end": (1, days)}
    elif days <= 7:
        cuts = {"start": (0, 3), "mid": (1, 4), "end": (3, days)}
    elif days <= 31:
        cuts = {"start": (0, 15), "mid": (9, 20), "end": (15, days)}
    else:
        months = round(days / 30.44)
        third, half, sixth = months // 3, months // 2, max(months // 4, 1)
        marks = {"start": (0, half), "mid": (sixth, months - sixth), "end": (half, months)}
        if exact:
            marks = {"start": (0, third), "mid": (third, 2 * third), "end": (2 * third, months)}
        low, high = (shift(start, n, "month") or start for n in marks[mod])
        return low, end if mod == "end" else high
    low, high = (shift(start, n, "day") or start for n in cuts[mod])
    return low, high


@rule("period")
def early_or_late_period(p: Parser, i: int) -> Parse | None:
    """Early next month, mid 1989, the end of June, beginning of the week, later this year."""
    j = i
    word = p.word(j)
    if word not in EARLY:
        return None
    noun = word in ("beginning", "start", "middle", "end")
    k = p.optional(j + 1, ("of",) if noun else ("in", "-", "of") if word == "mid" else ("in", "-"))
    if noun and k == j + 1 and p.word(k) not in SHIFTS:
        return None
    found = p.parse("whole_period", k) or current_unit(p, k)
    if not found and p.word(k) == "the":
        found = p.parse("whole_period", k + 1)
    if not found or found[0].kind != "daterange" or not found[0].readings:
        return None
    exact = found[0].timex.isdigit() and integer(p, found[1] - 1, 4) is not None
    node = period_part_node(found[0], EARLY[word], exact, p.today, word)
    return (node, found[1]) if node else None


@rule("period")
def any_period(p: Parser, i: int) -> Parse | None:
    """A stretch as it is."""
    return p.parse("whole_period", i)


@rule("whole_period")
def week_of(p: Parser, i: int) -> Parse | None:
    """The week of July 23, w/c feb 4, week commencing the 3rd, weekend of thanksgiving 2023."""
    j = p.optional(i, ("the",))
    starts = (
        "week of",
        "wk of",
        "wk commencing",
        "wk starting",
        "wk beginning",
        "week commencing",
        "week starting",
        "week beginning",
        "week ending",
        "w / c",
        "w / b",
        "weekend of",
        "week from",
    )
    phrase = next((each for each in starts if p.match(j, each)), "")
    if not phrase:
        return None
    k = (
        p.optional(p.optional(p.match(j, phrase), ("on",)), ("the",))
        if phrase != "week from"
        else 0
    )
    found = (p.parse("day", k) or p.parse("day", p.match(j, phrase))) if k else None
    if not found or not found[0].readings:
        return None
    reads: list[Interval] = []
    for day, _ in found[0].readings:
        if isinstance(day, date):
            named = found[0].missing != "month"
            if phrase == "weekend of":
                reads.append(long_weekend(day) if named else weekend_of_day(day))
            else:
                reads.append((monday_of(day), shift(monday_of(day), 7, "day")))
    if not reads:
        return None
    first = reads[0][0]
    timex = found[0].timex
    if not found[0].missing and isinstance(first, date):
        timex = week_code(first)
    timex += "-WE" if phrase == "weekend of" else ""
    return Node("daterange", timex, tuple(reads), missing=found[0].missing and "fixed"), found[1]


def weekend_of_day(day: date) -> tuple[date, date]:
    """Saturday to Sunday of the day's week."""
    start = shift(monday_of(day), 5, "day") or day
    return start, shift(start, 2, "day") or day


def long_weekend(day: date) -> tuple[date, date]:
    """The weekend with the holiday beside it: Monday's goes before it, Thursday's after."""
    start, end = weekend_of_day(day)
    if day.weekday() == 0:
        return shift(day, -2, "day") or day, shift(day, 1, "day") or day
    return (day if day.weekday() in (3, 4) else start), end


@rule("whole_period")
def holiday_weekend(p: Parser, i: int) -> Parse | None:
    """Labor day weekend, thanksgiving weekend 2023, Christmas week."""
    found = p.parse("calendar_day", i)
    if (
        not found
        or found[0].kind != "date"
        or p.word(found[1]) not in ("weekend", "week")
        or found[0].missing not in ("year", "")
    ):
        return None
    days = [day for day, _ in found[0].readings if isinstance(day, date)]
    reads = [long_weekend(day) for day in days]
    timex = f"{week_code(reads[0][0])}-WE"
    if p.word(found[1]) == "week":
        if not p.parse("holiday", i):
            return None
        reads = [(monday_of(day), shift(monday_of(day), 7, "day") or day) for day in days]
        timex = week_code(reads[0][0])
    return Node("daterange", timex, tuple(reads), missing=found[0].missing and "fixed"), found[
        1
    ] + 1


@rule("whole_period")
def numbered_week(p: Parser, i: int) -> Parse | None:
    """Week 10, week 10 of 2019."""
    if p.word(i) not in ("week", "wk", "w"):
        return None
    k = i + 1
    while p.word(k) in ("number", "no", "nr", "#", ".") and k < i + 3:
        k += 1
    spelt = below_hundred(p, k)
    number = integer(p, k, 2) or (spelt[0] if spelt else None)
    if not number or number > 53 or (p.word(i) == "w" and not p.adjacent(i + 1)):
        return None
    j, year = spelt[1] if spelt else k + 1, p.today.year
    found = p.parse("whole_period", p.optional(p.optional(j, ("of", ",", "in")), ("the",)))
    if found and found[0].timex.isdigit():
        year, j = int(found[0].timex), found[1]
    node = iso_week_node(year, number)
    return (node, j) if node else None


def iso_week_node(year: int, number: int) -> Node | None:
    """A week by its ISO number."""
    try:
        return whole_unit_node(date.fromisocalendar(year, number, 1), "week")
    except (ValueError, OverflowError):
        return None
