"""Days and instants reckoned from others: in 3 weeks, two months ago, the last Friday of May.

Gives nodes of kind "date" and, where the unit is shorter than a day, "datetime".
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from dragtor.dates.days import day_node
from dragtor.dates.moments import day_at_time
from dragtor.dates.parser import (
    Node,
    Parse,
    Parser,
    longest,
    monday_of,
    nearest,
    points,
    rule,
    shift,
)
from dragtor.dates.periods import shifted_week
from dragtor.dates.quantities import (
    BUSINESS,
    Amounts,
    integer,
    ordinal_number,
    ordinal_or_final,
    ordinal_or_last,
)
from dragtor.dates.words import SECONDS_OF, SHIFTS, WEEKDAYS

WORKING = 7  # beside Monday as 0: any of Monday to Friday


def instant_node(when: datetime) -> Node:
    """The node of one instant."""
    return Node("datetime", when.isoformat(), ((when, None),))


def moved_by(day: date, amounts: Amounts, sign: int) -> date | None:
    """The day so many whole units on; parts of a unit as days."""
    found: date | None = day
    for number, unit in amounts:
        whole = int(number)
        if found and unit == "business day":
            found = business_day(found, sign * whole)
        elif found and unit in ("weekend", "night"):
            found = shift(found, sign * whole * (7 if unit == "weekend" else 1), "day")
        elif found:
            found = shift(found, sign * whole, unit)
            rest = number - whole
            if rest and found:
                found = shift(found, sign * round(rest * SECONDS_OF[unit] / 86400), "day")
    return found


def business_day(day: date, number: int) -> date | None:
    """So many working days on."""
    found: date | None = day
    step = 1 if number > 0 else -1
    if abs(number) > 3000:
        return None
    for _ in range(abs(number)):
        found = shift(found, step, "day") if found else None
        while found and found.weekday() > 4:
            found = shift(found, step, "day")
    return found


def is_sub_day(amounts: Amounts) -> bool:
    """Whether a unit below the day takes part."""
    return any(unit in ("second", "minute", "hour") for _, unit in amounts)


def node_from_now(p: Parser, amounts: Amounts, sign: int) -> Node | None:
    """The day, or the instant where units are short, that far from now."""
    if is_sub_day(amounts):
        try:
            day = moved_by(p.today, tuple(a for a in amounts if SECONDS_OF[a[1]] > 3600), sign)
            rest = sum(n * SECONDS_OF[u] for n, u in amounts if SECONDS_OF[u] <= 3600)
            if day is None:
                return None
            start = datetime.combine(day, p.now.time())
            return instant_node(start + sign * timedelta(seconds=round(rest)))
        except OverflowError:
            return None
    found = moved_by(p.today, amounts, sign)
    return day_node(found) if found else None


@rule("relative_day")
def offset_from_now(p: Parser, i: int) -> Parse | None:
    """Two months ago, 3 weeks from now, half an hour from now, 2 days later, a week hence."""
    found = p.parse("duration", i)
    if not found:
        return None
    amounts, j = found[0].amounts, found[1]
    for phrase, sign in (
        ("ago", -1), ("from now", 1), ("from today", 1), ("hence", 1), ("later", 1),
        ("earlier", -1), ("back", -1), ("in the future", 1), ("before now", -1),
        ("time from now", 1), ("out", 1),
    ):  # fmt: skip
        if end := p.match(j, phrase):
            if phrase in ("back", "out") and p.word(end) in ("to", "in", "and", "on", "of"):
                return None
            if phrase == "from today" and is_sub_day(amounts):
                return None
            if phrase in ("later", "earlier") and p.word(end) in (*SHIFTS, "in", "today", "than"):
                return None
            node = node_from_now(p, amounts, sign)
            if node and phrase == "ago" and node.kind == "date":
                return counted_from_day(p, node, amounts, end)
            return (node, end) if node else None
    return None


def counted_from_day(p: Parser, node: Node, amounts: Amounts, j: int) -> Parse:
    """The day so long ago; ago today, to the day, yesterday, on Friday: that long before it."""
    if end := p.match(j, "today") or p.match(j, "to the day") or p.match(j, "this very day"):
        return node, end
    base = p.parse("calendar_day", p.optional(j, ("on", "this")))
    weeks = amounts[0][1] in ("week", "fortnight") or p.word(j) == "yesterday"
    day = base[0].likeliest[0] if base and base[0].readings and base[0].kind == "date" else None
    if not base or not weeks or not isinstance(day, date) or day > p.today:
        return node, j
    back = moved_by(day, amounts, -1)
    return (day_node(back), base[1]) if back else (node, j)


@rule("relative_day")
def in_duration(p: Parser, i: int) -> Parse | None:
    """In two days, in 2 minutes, in a week's time."""
    if p.word(i) != "in":
        return None
    j = p.optional(p.optional(i + 1, ("about", "around", "roughly", "approximately")), ("another",))
    found = p.parse("duration", j)
    if not found or p.word(found[1]) in ("of", "ago", "after", "before"):
        return None
    if p.word(found[1]) == "from" and not p.parse("time_range", found[1]):
        return None
    node = node_from_now(p, found[0].amounts, 1)
    return (node, found[1]) if node else None


@rule("relative_day")
def offset_from_day(p: Parser, i: int) -> Parse | None:
    """16 days from 01/02/2018, 3 days after January 12th, a week before Christmas."""
    found = p.parse("duration", p.optional(i, ("in",)))
    if not found or is_sub_day(found[0].amounts):
        return None
    signs = {"from": 1, "after": 1, "before": -1, "prior": -1, "since": 1, "following": 1}
    sign = signs.get(p.word(found[1]), 0)
    j = p.optional(found[1] + 1, ("to",)) if p.word(found[1]) == "prior" else found[1] + 1
    base = (nth_day_of_period(p, j) or p.parse("calendar_day", j)) if sign else None
    if (not base and p.word(found[1]) == "since") or (
        p.word(found[1]) in ("after", "before") and p.word(i) == "in"
    ):
        base = p.parse("whole_period", j) or p.parse("whole_period", p.optional(j, ("the",)))
    if not base and p.word(found[1]) in ("after", "before") and p.word(i) != "in":
        base = p.parse("event_day", j)
    if not base or not base[0].readings or base[0].weak:
        return None
    moved = [moved_by(start, found[0].amounts, sign) for start in base[0].days]
    days = [day for day in moved if day]
    if not days:
        return None
    return Node("date", days[0].isoformat(), points(days), missing=base[0].missing), base[1]


@rule("relative_day")
def weeks_from_day(p: Parser, i: int) -> Parse | None:
    """A week on Friday, two weeks today, a fortnight tomorrow; Friday week."""
    found = p.parse("duration", i)
    if found and len(found[0].amounts) == 1 and found[0].amounts[0][1] in ("week", "fortnight"):
        k = p.optional(found[1], ("on",))
        base = p.parse("calendar_day", k)
        near = p.word(k) in (WEEKDAYS if k > found[1] else ("today", "tomorrow"))
        day = moved_by(base[0].days[0], found[0].amounts, 1) if base and near else None
        return (day_node(day), base[1]) if base and day else None
    base = p.parse("calendar_day", i)
    ahead = {"week": 7, "fortnight": 14}.get(p.word(base[1]), 0) if base else 0
    if base and ahead and (p.word(i) in WEEKDAYS or p.word(i) in ("today", "tomorrow")):
        day = shift(base[0].days[0], ahead, "day")
        return (day_node(day), base[1] + 1) if day else None
    return None


@rule("relative_day")
def weekday_of_week(p: Parser, i: int) -> Parse | None:
    """Tuesday of next week, friday next week, friday this week, next week on Tuesday."""
    named = p.optional(i, ("on",))
    index = WEEKDAYS.get(p.word(named))
    if index is not None:
        j = p.optional(named + 1, ("of", "in"))
        numbered = p.parse("whole_period", j) if p.word(j) in ("week", "wk") else None
        if numbered and j > named + 1 and numbered[0].readings:
            day = shift(numbered[0].days[0], index, "day")
            return (day_node(day), numbered[1]) if day else None
        week = shifted_week(p, j)
        day = shift(week[0], index, "day") if week else None
        return (day_node(day), week[1]) if week and day else None
    week = shifted_week(p, i)
    if not week:
        return None
    k = p.optional(p.optional(p.match(week[1], "' s") or week[1], (",",)), ("on",))
    index = WEEKDAYS.get(p.word(k))
    beyond = p.word(week[1] - 1) != "week" and p.word(k - 1) != "on"  # the week after next Monday
    day = shift(week[0], index, "day") if index is not None and not beyond else None
    return (day_node(day), k + 1) if day else None


@rule("relative_day")
def nth_day_of_period(p: Parser, i: int) -> Parse | None:
    """First Monday of next month, the last Friday of May 2020, 15th day of June."""
    j = p.optional(i, ("the",))
    which = ordinal_or_last(p, j)
    if not which and p.word(i + 1) == "of" and (plain := integer(p, i, 2)):  # 15 of this month
        which = (plain, i + 1) if p.word(i + 3) == "month" and plain <= 31 else None
    if not which or (p.word(which[1]) == "day" and j > i and which[0] > 0):
        return None
    number, k = which
    index = WEEKDAYS.get(p.word(k))
    if p.word(k) in BUSINESS and p.word(k + 1) == "day":
        index, k = WORKING, k + 1
    said = index is not None or p.word(k) == "day"
    period = enclosing_period(p, k + said, said)
    node = nth_day_node(p, number, index, period[0]) if period else None
    return (node, period[1]) if period and node else None


def enclosing_period(p: Parser, k: int, said: bool) -> Parse | None:
    """The stretch whose n-th day is meant: of May, in the month, this year.

    Not `said` that a day is meant (the 15th of): it is a month's.
    """
    j = p.optional(k, ("of", "in"))
    if j == k and p.word(j) not in SHIFTS:
        return None
    if end := (p.match(j, "the month") or p.match(j, "month")):
        start = p.today.replace(day=1)
        return Node("daterange", "", ((start, shift(start, 1, "month")),)), end
    found = p.parse("whole_period", j) or p.parse("whole_period", p.optional(j, ("the",)))
    if not found or found[0].kind != "daterange" or not found[0].readings:
        return None
    first, last = found[0].likeliest
    if not isinstance(first, date) or not isinstance(last, date):
        return None
    month = first.day == 1 and shift(first, 1, "month") == last
    return found if month or said else None


def nth_day_node(p: Parser, number: int, index: int | None, period: Node) -> Node | None:
    """That weekday, or day, of the stretches that are meant."""
    stretches = period.stretches
    if period.missing:
        s, e = stretches[0]
        years = [(shift(s, n, "year"), shift(e, n, "year")) for n in range(-2, 3)]
        stretches = [(low, high) for low, high in years if low and high]
    days = [d for s, e in stretches if (d := nth_day(s, e, number, index))]
    days = nearest(days, p.today) if period.missing else days
    missing = period.missing and "year"
    return Node("date", days[0].isoformat(), points(days), missing=missing) if days else None


def nth_day(start: date, end: date, number: int, index: int | None) -> date | None:
    """The n-th weekday, working day or day from one day to before another; the last for -1."""
    first = start if number > 0 else shift(end, -1, "day")
    if not first:
        return None
    if index == WORKING:
        found = business_day(shift(first, -1 if number > 0 else 1, "day") or first, number)
    elif index is None:
        found = shift(first, number - 1 if number > 0 else number + 1, "day")
    else:
        step = 1 if number > 0 else -1
        weeks = 7 * (abs(number) - 1)
        found = shift(first, step * ((step * (index - first.weekday())) % 7 + weeks), "day")
    return found if found and start <= found < end else None


@rule("datetime")
def nth_with_time(p: Parser, i: int) -> Parse | None:
    """First Monday evening of next month, last friday 1pm to 3pm of May."""
    which = ordinal_or_final(p, i)
    index = WEEKDAYS.get(p.word(which[1])) if which else None
    if not which or index is None:
        return None
    start = which[1] + 1
    start = p.optional(start, ("at",))
    clock = longest(p.parse(name, start) for name in ("time_range", "day_part", "time"))
    period = enclosing_period(p, clock[1], True) if clock else None
    if not clock or not period:
        return None
    day = nth_day_node(p, which[0], index, period[0])
    return (day_at_time(day, clock[0]), period[1]) if day else None


@rule("relative_day")
def abbreviated_end(p: Parser, i: int) -> Parse | None:
    """Eom, eoy: the last day."""
    unit = {"eom": "month", "eoy": "year", "eow": "week"}.get(p.word(i))
    if not unit:
        return None
    if unit == "week":
        day = shift(monday_of(p.today), 4, "day")
    else:
        start = p.today.replace(day=1) if unit == "month" else p.today.replace(month=1, day=1)
        following = shift(start, 1, unit)
        day = shift(following, -1, "day") if following else None
    return (day_node(day), i + 1) if day else None


SIDES = {"before": -1, "preceding": -1, "after": 1, "following": 1}


def anchor_day(p: Parser, i: int) -> Parse | None:
    """The day that another stands beside: a feast or a day of a month, no weekday, no today."""
    places = {i, p.optional(i, ("the",))}
    found = longest(p.parse("calendar_day", k) for k in places)
    if not found or not found[0].is_day or found[0].weak:
        return None
    return found if p.word(i) not in ("today", "tomorrow", "yesterday") else None


@rule("relative_day")
def day_beside(p: Parser, i: int) -> Parse | None:
    """The day after Christmas, the Monday before the 15th, the first Friday after May 5."""
    j = p.optional(i, ("the",))
    number = (1, j + 1) if p.word(j) == "last" else ordinal_number(p, j)
    count, k = number or (1, j)
    index = WEEKDAYS.get(p.word(k))
    if (index is None and (p.word(k) != "day" or number)) or not 1 <= count <= 10:
        return None
    sign = SIDES.get(p.word(k + 1), 0)
    found = anchor_day(p, k + 2) if sign else None
    if not found:
        return None
    beside = [weekday_beside(day, index, sign * count) for day in found[0].days]
    days = [day for day in beside if day]
    missing = found[0].missing and "fixed"
    node = Node("date", days[0].isoformat(), points(days), missing=missing) if days else None
    return (node, found[1]) if node else None


def weekday_beside(day: date, index: int | None, number: int) -> date | None:
    """The `number`-th such weekday after the day (before it where negative); None: any day."""
    if index is None:
        return shift(day, number, "day")
    step = 1 if number > 0 else -1
    first = (step * (index - day.weekday()) - 1) % 7 + 1
    return shift(day, step * (first + 7 * (abs(number) - 1)), "day")
