"""A day with its weekday beside it: Tuesday, Jan 15; this friday 5/12; in two weeks on Monday.

Gives nodes of kind "date", with the time said there "datetime".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from dragtor.dates import holidays
from dragtor.dates.named import month_days
from dragtor.dates.numbers import digits, ordinal
from dragtor.dates.periods import week_said
from dragtor.dates.reader import Found, Node, Read, Reader, make, monday, rule, shift
from dragtor.dates.words import MONTHS, SMALL, WEEKDAYS


@rule("day")
def single(r: Reader, i: int) -> Found | None:
    """Any of them, with the weekday said beside it: Tuesday, Jan 15; this friday 5/12."""
    found = max(
        (f for f in (r.read("day0", i), r.read("day1", i)) if f),
        key=lambda f: f[1],
        default=None,
    )
    if not found:
        return None
    node, j = found
    if node.open == "week" or (r.word(j - 1) in WEEKDAYS and node.open == ""):
        k = r.skip(r.skip(r.skip(j, (",",)), ("the", "on")), ("the",))
        dash = r.word(k) == "-" and r.tight(k) and r.tight(k + 1) and r.word(k + 1) in MONTHS
        k = k + 1 if dash else r.skip(k, ("(",))
        exact = bare_number(r, k) or dashed(r, k) or r.read("day0", k)
        offset = r.read("day1", k)
        from_now_on = offset and r.word(offset[1] - 1) not in WEEKDAYS
        if offset and from_now_on and (not exact or offset[1] > exact[1]) and node.open == "week":
            return aligned(offset[0], node), offset[1]
        if exact and exact[0].kind == "date" and exact[0].reads and calendar_day(exact[0]):
            closing = r.word(k - 1) == "(" and r.word(exact[1]) == ")"
            return pick_weekday(r, node, exact[0]), exact[1] + closing
        return found
    k = r.skip(j, ("on",))
    reckoned = (
        found == r.read("day1", i)
        and found != r.read("day0", i)
        and r.read("length", r.skip(i, ("in",)))
    )
    if r.word(k) in WEEKDAYS and k > j and reckoned:
        week = r.read("day0", k)
        if week and week[0].open == "week":
            return aligned(node, week[0]), week[1]
    return weekday_behind(r, node, j) or found


def weekday_behind(r: Reader, node: Node, j: int) -> Found | None:
    """May 5, Friday; 12 October (Wednesday): a date with its weekday behind it, if it is one."""
    closing = r.word(j) == "("
    k = r.skip(j, (",", "("))
    index = WEEKDAYS.get(r.word(k))
    if index is None or node.kind != "date" or not (node.day[0] or not node.open):
        return None
    if (closing and r.word(k + 1) != ")") or not ends_date(r.word(j - 1)):
        return None
    fit = [x for x in node.reads if isinstance(x[0], date) and x[0].weekday() == index]
    if not fit:
        return None
    rest = [x for x in node.reads if x not in fit]
    return replace(node, reads=tuple(fit + rest), ambiguous=False), k + 1 + closing


def ends_date(word: str) -> bool:
    """Whether a written date ends with the word: a number, 5th, a month."""
    return word.isdigit() or word in ("st", "nd", "rd", "th") or word in MONTHS


@rule("stretch")
def days_of_week(r: Reader, i: int) -> Found | None:
    """This week between Tue and Thu, next week from Monday to Wednesday."""
    week = week_said(r, i)
    j = week[1] if week else 0
    first, last = WEEKDAYS.get(r.word(j + 1)), WEEKDAYS.get(r.word(j + 3))
    joint = r.word(j + 2) in ("to", "-", "until", "till", "through", "and")
    if not week or r.word(j) not in ("from", "between") or not joint:
        return None
    start = shift(week[0], first, "day") if first is not None and last is not None else None
    end = shift(start, ((last or 0) - (first or 0)) % 7, "day") if start else None
    if not start or not end:
        return None
    return Node("daterange", f"({start},{end},P{(end - start).days}D)", ((start, end),)), j + 4


@rule("moment")
def time_of_week(r: Reader, i: int) -> Found | None:
    """Monday morning next week, Friday at 3pm this week, 9 on Tuesday of the week after next."""
    found = r.read("timed", i)
    week = week_said(r, r.skip(found[1], (",", "of"))) if found else None
    if not found or not week or found[0].open != "week":
        return None
    said = found[0].first[0]
    reads: list[Read] = []
    for start, end in found[0].reads:
        if isinstance(start, datetime) and isinstance(said, datetime):
            over = week[0] - monday(said.date())
            if start.date() == said.date():
                reads.append((start + over, end + over if isinstance(end, datetime) else None))
    if not reads:
        return None
    timex = f"{reads[0][0]}"
    return Node(found[0].kind, timex, tuple(reads), len(reads) > 1, mod=found[0].mod), week[1]


def calendar_day(node: Node) -> bool:
    """Whether a day of a month is said, as against a second weekday."""
    return not node.timex.startswith("XXXX-WXX") and node.open in ("year", "month", "")


def aligned(node: Node, week: Node) -> Node:
    """The first such weekday from the reckoned day on."""
    index = int(week.timex[-1]) - 1
    reads = []
    for start, _ in node.reads:
        if isinstance(start, date) and (day := shift(start, (index - start.weekday()) % 7, "day")):
            reads.append((day, None))
    if not reads:
        return node
    ahead = reads[0][0].isoformat()
    return Node("date", ahead, tuple(reads))


def pick_weekday(r: Reader, week: Node, day: Node) -> Node:
    """The day; of several readings those on the named weekday first."""
    first = week.reads[0][0]
    index = first.weekday() if isinstance(first, date) else 0
    reads = day.reads
    if day.open == "month" and isinstance(reads[0][0], date):
        number = reads[0][0].day
        year, month = r.today.year, r.today.month
        places = [(year + (month + n - 1) // 12, (month + n - 1) % 12 + 1) for n in range(-9, 10)]
        days = [d for y, m in places if (d := make(y, m, number)) and d.weekday() == index]
        ahead = [d for d in days if d >= r.today][:1] + [d for d in days if d < r.today][-1:]
        reads = tuple((d, None) for d in ahead) or reads
        return Node("date", day.timex, reads, open="year", weak=False)
    fit = [x for x in reads if isinstance(x[0], date) and x[0].weekday() == index]
    rest = [x for x in reads if x not in fit]
    return Node("date", day.timex, tuple(fit + rest), day.ambiguous and not fit, day.open, day.day)


AFTER_NUMBER = {
    *", . ; ! ? ) @ at and or with from between to around for please onwards onward".split(),
    *SMALL,
    "",
    "\n",
}


def bare_number(r: Reader, i: int) -> Found | None:
    """The 21 of "Monday 21", where nothing makes it an hour or a count."""
    spelt = ordinal(r, i) if digits(r, i) is None else None
    number, j = spelt or (digits(r, i, 2), i + 1)
    if not number or not 1 <= number <= 31:
        return None
    clock = r.read("clock", j)
    timed = r.read("hours", j) or (clock and not clock[0].weak) or r.read("part", j)
    if r.after(j) not in AFTER_NUMBER and not timed:
        return None
    own = r.read("clock0", i)
    decimal = r.word(j) in (".", ",") and r.tight(j + 1) and digits(r, j + 1) is not None
    if r.read("hours", i) or (own and not own[0].weak) or decimal:
        return None
    days = month_days(r, number)
    if not days or (r.word(j) == "to" and digits(r, j + 1) is not None):
        return None
    reads = tuple((d, None) for d in days)
    return Node("date", f"XXXX-XX-{number:02}", reads, open="month"), j


def dashed(r: Reader, i: int) -> Found | None:
    """7-6 behind a weekday."""
    month, number = digits(r, i, 2), digits(r, i + 2, 2)
    close = r.tight(i + 1) and r.tight(i + 2)
    if month is None or number is None or month % 12 <= number or r.word(i + 1) != "-" or not close:
        return None
    if 8 <= month <= 11 and number <= 6:  # Monday 9-5 is a working day
        return None
    if r.word(i + 3) in ("am", "pm", "a", "p", ":", "-", "/"):
        return None
    days = holidays.near(r.today, lambda year: make(year, month, number))
    if not days:
        return None
    reads = tuple((d, None) for d in days)
    node = Node("date", f"XXXX-{month:02}-{number:02}", reads, open="year", day=(month, number))
    return node, i + 3
