"""Periods that are counted, moved or cut: this week, the last 3 months, early next month, week 10.

Gives nodes of kind "daterange" and, of hours and minutes, "datetimerange".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from dragtor.dates.parser import Node, Parse, Parser, monday_of, rule, shift
from dragtor.dates.periods import period_node, start_of_unit, week_code, whole_unit_node
from dragtor.dates.quantities import (
    Amounts,
    below_hundred,
    cardinal,
    duration_node,
    integer,
    number_text,
    ordinal_or_final,
    small_number,
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
    for lead in "all of/all through/all throughout/throughout/all/whole of/entirety of".split("/"):
        j = p.match(start, lead)
        if j and lead == "all" and UNITS.get(p.word(j)) != "weekend":
            j = j if p.word(j) in SHIFTS else 0
        found = p.parse("whole_period", j) if j else None
        found = found or (p.parse("whole_period", p.optional(j, ("the",))) if j else None)
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
    months = [(a, b) for a, b in found[0].stretches if shift(a, 1, "month") == b]
    halves = [(start, shift(start, 15, "day"), end) for start, end in months]
    reads = [(start, middle) if first else (middle, end) for start, middle, end in halves]
    node = replace(found[0], readings=tuple(reads), missing=found[0].missing and "fixed")
    return (node, found[1]) if reads else None


def ends_with_unit(p: Parser, j: int) -> bool:
    """Whether "the week" stands alone: no "of" follows it."""
    if p.word(j) in ("of", "after", "before", "'", "s", "that", "when", "in"):
        return False
    counted = integer(p, j) is not None or below_hundred(p, j)
    return not (counted or (p.word(j) == "-" and p.adjacent(j)))


def shifted_unit_node(p: Parser, number: int, unit: str) -> Node | None:
    """The unit that holds today, moved by so many."""
    start = start_of_unit(p.today, unit)
    moved = shift(start, number, "week" if unit == "weekend" else unit) if start else None
    return whole_unit_node(moved, unit) if moved else None


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
    modal = "will would should could can may might must to not t usually".split()
    return p.word(i) == "last" and p.word(i - 1) in modal


def units_from_now(p: Parser, sign: int, number: float, unit: str) -> Node | None:
    """So many units behind today, or ahead of it from tomorrow on."""
    if is_sub_day(((number, unit),)):
        length = f"PT{number_text(number)}{unit[0].upper()}"
        return seconds_from_now(p, sign, number * SECONDS_OF[unit], length)
    first: date | None
    last: date | None
    if unit in ("quarter", "decade", "century", "fortnight"):
        start = start_of_unit(p.today, unit)
        first = shift(start, 1, unit) if start and sign > 0 else start
        last = shift(first, int(number) * sign, unit) if first else None
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
    names = ("work week", "working week", "workweek", "business week")
    end = max(p.match(j, name) for name in names) if j else 0
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
    which = ordinal_or_final(p, j)
    if not which:
        return None
    number = cardinal(p, which[1]) if word in ("last", "first") else None
    unit = time_unit(p, number[1] if number else which[1])
    if not unit or unit[0] not in ("day", "week", "weekend", "month", "quarter", "year", "decade"):
        return None
    k = p.optional(unit[1], ("of", "in", "on"))
    if k == unit[1] and p.word(k) not in SHIFTS:
        return None
    period = p.parse("whole_period", k) or p.parse("whole_period", p.optional(k, ("the",)))
    period = period or current_unit(p, k)
    if not period or period[0].kind != "daterange" or (unit[0] == "day" and not number):
        return None
    count = int(number[0]) if number else 1
    cuts = [unit_slice(start, end, unit[0], which[0], count) for start, end in period[0].stretches]
    reads = [cut for cut in cuts if cut]
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
    low = shift(last, (1 - count) * step, base) if which < 0 else None
    low = shift(first, (which - 1) * step, base) if which >= 0 else low
    low = shift(low, 5, "day") if low and unit == "weekend" else low
    if not low:
        return None
    high = shift(low, 2 if unit == "weekend" else count * step, base)
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
        weak = p.word(i) == "to"
        if weak and p.word(i - 1) in ("up", "-", "year", "month"):
            return None
        read = (None, p.today)
        return Node("daterange", "PRESENT_REF", (read,), mod="before", weak=weak), j
    j = p.match(i, "rest of") or p.match(i, "remainder of") or p.match(i, "remaining of")
    unit_read = time_unit(p, p.optional(j, ("the", "my", "this", "current"))) if j else None
    if not unit_read or unit_read[0] not in ("week", "month", "quarter", "year", "decade"):
        return None
    node = shifted_unit_node(p, 0, unit_read[0])
    end = node.likeliest[1] if node else None
    node = Node("daterange", f"({p.today},{end},P)", ((p.today, end),))
    return (node, unit_read[1]) if end else None


def period_part_node(node: Node, mod: str, exact: bool, today: date, relative: str) -> Node | None:
    """The early, middle or late part of a stretch."""
    reads = []
    for start, end in node.stretches:
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
    missing = node.missing and "fixed"
    return Node("daterange", node.timex, tuple(reads), missing=missing, day=node.day, mod=mod)


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
    word = p.word(i)
    if word not in EARLY:
        return None
    noun = word in ("beginning", "start", "middle", "end")
    k = p.optional(i + 1, ("of",) if noun else ("in", "-", "of") if word == "mid" else ("in", "-"))
    if noun and k == i + 1 and p.word(k) not in SHIFTS:
        return None
    found = p.parse("whole_period", k) or current_unit(p, k)
    if not found and p.word(k) == "the":
        found = p.parse("whole_period", k + 1)
    if not found or found[0].kind != "daterange" or not found[0].readings:
        return None
    exact = found[0].timex.isdigit() and integer(p, found[1] - 1, 4) is not None
    node = period_part_node(found[0], EARLY[word], exact, p.today, word)
    return (node, found[1]) if node else None


rule("period")(lambda p, i: p.parse("whole_period", i))


WEEK_OPENINGS = (
    "week of", "wk of", "wk commencing", "wk starting", "wk beginning", "week commencing",
    "week starting", "week beginning", "week ending", "w / c", "w / b", "weekend of",
)  # fmt: skip


@rule("whole_period")
def week_of(p: Parser, i: int) -> Parse | None:
    """The week of July 23, w/c feb 4, week commencing the 3rd, weekend of thanksgiving 2023."""
    j = p.optional(i, ("the",))
    start = next((end for each in WEEK_OPENINGS if (end := p.match(j, each))), 0)
    k = p.optional(p.optional(start, ("on",)), ("the",))
    found = (p.parse("day", k) or p.parse("day", start)) if start else None
    if not found or not found[0].readings:
        return None
    weekend, missing = p.word(j) == "weekend", found[0].missing
    stretch = week_of_day
    if weekend:
        stretch = weekend_of_day if missing == "month" else long_weekend
    reads = tuple(stretch(day) for day in found[0].days)
    timex = (found[0].timex if missing else week_code(reads[0][0])) + ("-WE" if weekend else "")
    return Node("daterange", timex, reads, missing=missing and "fixed"), found[1]


def week_of_day(day: date) -> tuple[date, date]:
    """Monday to Sunday of the day's week."""
    return monday_of(day), shift(monday_of(day), 7, "day") or day


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
    if not found or not found[0].is_day or found[0].missing not in ("year", ""):
        return None
    node, j = found
    weekend = p.word(j) == "weekend"
    if not weekend and (p.word(j) != "week" or not p.parse("holiday", i)):
        return None
    reads = [long_weekend(day) if weekend else week_of_day(day) for day in node.days]
    timex = week_code(reads[0][0]) + ("-WE" if weekend else "")
    return Node("daterange", timex, tuple(reads), missing=node.missing and "fixed"), j + 1


@rule("whole_period")
def numbered_week(p: Parser, i: int) -> Parse | None:
    """Week 10, week 10 of 2019."""
    if p.word(i) not in ("week", "wk", "w"):
        return None
    k = i + 1
    while p.word(k) in ("number", "no", "nr", "#", ".") and k < i + 3:
        k += 1
    counted = small_number(p, k)
    if not counted or not 0 < counted[0] <= 53 or (p.word(i) == "w" and not p.adjacent(i + 1)):
        return None
    (number, j), year = counted, p.today.year
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
