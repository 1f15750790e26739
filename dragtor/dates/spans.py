"""Stretches of days that are counted or cut out of others.

This week, the last 3 months, the week of July 23, first week of 2019, early next month, the end
of 1989, later this year. Gives nodes of kind "daterange".
"""

from __future__ import annotations

from datetime import date, timedelta

from dragtor.dates.lengths import Amounts, duration, number_text, unit_at
from dragtor.dates.numbers import below_hundred, cardinal, digits
from dragtor.dates.offsets import business, is_clock, moved
from dragtor.dates.periods import stretch, unit_node, unit_start, week_name
from dragtor.dates.reader import Found, Node, Read, Reader, monday, rule, shift
from dragtor.dates.words import NEXT, SECONDS, SHIFT, TIMEX, UNITS

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
        r.word(j) not in ("of", "after", "before", "'", "s", "that", "when", "in")
        and not (r.word(j) == "-" and r.tight(j))
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
    """Next 3 days, the past 2 weeks, last 2 quarters, next 4 business days, the last half hour."""
    j = r.skip(i, ("the",)) if r.word(i + 1) in SHIFT else i
    sign = SHIFT.get(r.word(j), 0)
    whole = r.word(j + 1) in ("all", "whole", "entire", "full", "solid", "a", "an", "another")
    found = r.read("length", j + 1) if sign and not whole and not verb(r, j) else None
    if not found:
        return None
    amounts, end = found[0].amounts, found[1]
    centuries = amounts[0][1] in ("decade", "century")
    if r.word(end) == "of" or (j > i and not centuries and r.word(end) != "in"):
        return None
    node = run(r, sign, amounts)
    return (node, end) if node else None


@rule("period0")
def count_first(r: Reader, i: int) -> Found | None:
    """2 upcoming months, the 13 last minutes."""
    number = cardinal(r, i)
    sign = SHIFT.get(r.word(number[1]), 0) if number else 0
    unit = unit_at(r, number[1] + 1) if number and sign else None
    if not number or not unit or (number[0] != 1 and r.word(unit[1] - 1)[-1:] != "s"):
        return None
    node = run_of_units(r, sign, number[0], unit[0]) if r.word(unit[1]) != "of" else None
    return (node, unit[1]) if node else None


def run(r: Reader, sign: int, amounts: Amounts) -> Node | None:
    """So much time behind now or ahead: the last 3 months and 2 weeks, the next 2 days 3 hours."""
    if len(amounts) == 1:
        return run_of_units(r, sign, *amounts[0])
    length = duration(amounts)
    if is_clock(amounts):
        return clock_run(r, sign, float(length.value), length.timex)
    first = shift(r.today, 1, "day") if sign > 0 else r.today
    last = moved(first, amounts, sign) if first else None
    if not first or not last:
        return None
    low, high = sorted((first, last))
    return Node("daterange", f"({low},{high},{length.timex})", ((low, high),))


def clock_run(r: Reader, sign: int, seconds: float, timex: str) -> Node | None:
    """So many seconds up to now or from now on."""
    try:
        step = timedelta(seconds=seconds)
        ends = (r.now, r.now + step) if sign > 0 else (r.now - step, r.now)
    except OverflowError:
        return None
    whole = f"({ends[0].isoformat()},{ends[1].isoformat()},{timex})"
    return Node("datetimerange", whole, (ends,))


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
        length = f"PT{number_text(number)}{unit[0].upper()}"
        return clock_run(r, sign, number * SECONDS[unit], length)
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


def within_of(r: Reader, length: Found, around: bool) -> Found | None:
    """Within 3 days after May 5; within two days of it: before or after."""
    base = r.read("day0", length[1] + 1)
    if not base or base[0].kind != "date" or not base[0].reads or base[0].weak:
        return None
    reads: list[Read] = []
    for day, _ in base[0].reads:
        if isinstance(day, date) and (end := moved(day, length[0].amounts, 1)):
            reads.append((moved(day, length[0].amounts, -1) if around else day, end))
    timex = f"({base[0].timex},{reads[0][1] if reads else ''},{length[0].timex})"
    return (Node("daterange", timex, tuple(reads), open=base[0].open), base[1]) if reads else None


@rule("period0")
def within(r: Reader, i: int) -> Found | None:
    """Within 9 months, within the next 3 min."""
    if r.word(i) != "within":
        return None
    j = r.skip(r.skip(r.skip(i + 1, ("about", "around", "roughly")), ("the",)), NEXT)
    found = r.read("length", j)
    if not found and r.word(j - 1) in NEXT and (single := unit_at(r, j)):
        found = duration(((1.0, single[0]),)), single[1]
    if not found or len(found[0].amounts) > 3:
        return None
    amounts = found[0].amounts
    if is_clock(amounts):
        node = clock_run(r, 1, float(found[0].value), found[0].timex)
        return (node, found[1]) if node else None
    if r.word(found[1]) in ("of", "after", "from"):
        return within_of(r, found, r.word(found[1]) == "of")
    day = moved(r.today, amounts, 1)
    timex = f"({r.today},{day},{found[0].timex})"
    return (Node("daterange", timex, ((r.today, day),)), found[1]) if day else None
