"""Parts of a stretch of days: first week of 2019, early next month, the rest of the week.

Gives nodes of kind "daterange".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from dragtor.dates.lengths import unit_at
from dragtor.dates.numbers import cardinal, digits, ordinal
from dragtor.dates.periods import unit_start, week_name
from dragtor.dates.reader import Found, Node, Reader, rule, shift
from dragtor.dates.spans import relative_unit
from dragtor.dates.words import EARLY, SHIFT, TIMEX


@rule("period0")
def nth_unit_of(r: Reader, i: int) -> Found | None:
    """First week of 2019, the last 3 weeks of this year, first 2 days of May, last week of july."""
    j = r.skip(i, ("the",))
    word = r.word(j)
    which = (-1, j + 1) if word == "last" else (1, j + 1) if word == "first" else ordinal(r, j)
    if not which:
        return None
    number = cardinal(r, which[1]) if word in ("last", "first") else None
    unit = unit_at(r, number[1] if number else which[1])
    if not unit or unit[0] not in ("day", "week", "weekend", "month", "quarter", "year", "decade"):
        return None
    k = r.skip(unit[1], ("of", "in", "on"))
    if k == unit[1] and r.word(k) not in SHIFT:
        return None
    period = r.read("period0", k) or r.read("period0", r.skip(k, ("the",))) or own_unit(r, k)
    if not period or period[0].kind != "daterange" or (unit[0] == "day" and not number):
        return None
    count = int(number[0]) if number else 1
    reads = []
    for start, end in period[0].reads:
        if isinstance(start, date) and isinstance(end, date):
            cut = slice_of(start, end, unit[0], which[0], count)
            if cut:
                reads.append(cut)
    if not reads:
        return None
    timex = f"({reads[0][0]},{reads[0][1]},P{count}{TIMEX[unit[0]][1]})"
    if unit[0] == "week" and count == 1:
        timex = week_name(reads[0][0])
    return Node("daterange", timex, tuple(reads), open=period[0].open and "fixed"), period[1]


def own_unit(r: Reader, k: int) -> Found | None:
    """The month, month: this one."""
    unit = unit_at(r, r.skip(k, ("the",)))
    if unit and unit[0] in ("week", "month", "quarter", "year") and r.word(unit[1] - 1)[-1] != "s":
        node = relative_unit(r, 0, unit[0])
        return (node, unit[1]) if node else None
    return None


def slice_of(start: date, end: date, unit: str, which: int, count: int) -> tuple[date, date] | None:
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


@rule("period0")
def to_date(r: Reader, i: int) -> Found | None:
    """Year to date, ytd, rest of the week, earlier this year, later in the year."""
    for unit, short in (("year", "ytd"), ("quarter", "qtd"), ("month", "mtd"), ("week", "wtd")):
        for name in (f"{unit} to date", f"{unit} - to - date", short):
            if j := r.has(i, name):
                start = unit_start(r.today, unit)
                return Node("daterange", f"{r.today:%Y}", ((start, r.today),), mod="before"), j
    if j := (r.has(i, "till date") or r.has(i, "to date")):
        if j and r.word(i) == "to" and r.word(i - 1) in ("up", "up -", "-", "year", "month"):
            return None
        return Node(
            "daterange", "PRESENT_REF", ((None, r.today),), mod="before", weak=r.word(i) == "to"
        ), j
    if j := (r.has(i, "rest of") or r.has(i, "remainder of") or r.has(i, "remaining of")):
        unit_read = unit_at(r, r.skip(j, ("the", "my", "this", "current")))
        if unit_read and unit_read[0] in ("week", "month", "quarter", "year", "decade"):
            node = relative_unit(r, 0, unit_read[0])
            if node:
                timex = f"({r.today},{node.first[1]},P)"
                return Node("daterange", timex, ((r.today, node.first[1]),)), unit_read[1]
    return None


def parts(node: Node, mod: str, exact: bool, today: date, relative: str) -> Node | None:
    """The early, middle or late part of a stretch."""
    reads = []
    for start, end in node.reads:
        if not isinstance(start, date) or not isinstance(end, date):
            continue
        read = part(start, end, mod, exact)
        if relative == "earlier" and start <= today < end:
            read = (start, today)
        elif relative == "later" and start <= today < end and read[0] < today:
            read = (today, end)
        reads.append(read)
    if not reads:
        return None
    return Node(
        "daterange", node.timex, tuple(reads), open=node.open and "fixed", day=node.day, mod=mod
    )


def part(start: date, end: date, mod: str, exact: bool) -> tuple[date, date]:
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


@rule("period0")
def half_of(r: Reader, i: int) -> Found | None:
    """The first half of March, second half of next month, first half of the week."""
    j = r.skip(i, ("the",))
    which = (2, j + 1) if r.word(j) == "last" else ordinal(r, j)
    mod = {1: "start", 2: "end"}.get(which[0]) if which else None
    k = r.has(which[1], "half of") if which and mod else 0
    found = (r.read("period0", k) or own_unit(r, k)) if k else None
    if not mod or not found or found[0].kind != "daterange" or not found[0].reads:
        return None
    start, end = found[0].first
    if not isinstance(start, date) or not isinstance(end, date) or 92 < (end - start).days < 3000:
        return None
    node = parts(found[0], mod, False, r.today, "")
    return (node, found[1]) if node else None


@rule("period")
def cut(r: Reader, i: int) -> Found | None:
    """Early next month, mid 1989, the end of June, beginning of the week, later this year."""
    j = i
    word = r.word(j)
    if word not in EARLY:
        return None
    noun = word in ("beginning", "start", "middle", "end")
    k = r.skip(j + 1, ("of",) if noun else ("in", "-", "of") if word == "mid" else ("in", "-"))
    if noun and k == j + 1 and r.word(k) not in SHIFT:
        return None
    found = r.read("period0", k) or own_unit(r, k)
    if not found and r.word(k) == "the":
        found = r.read("period0", k + 1)
    if (
        found
        and found[0].value
        and found[0].kind == "daterange"
        and r.word(k) not in ("spring", "fall")
    ):
        return replace(found[0], mod=EARLY[word]), found[1]
    if not found or found[0].kind != "daterange" or not found[0].reads:
        return None
    exact = found[0].timex.isdigit() and digits(r, found[1] - 1, 4) is not None
    node = parts(found[0], EARLY[word], exact, r.today, word)
    return (node, found[1]) if node else None


@rule("period")
def plain(r: Reader, i: int) -> Found | None:
    """A stretch as it is."""
    return r.read("period0", i)
