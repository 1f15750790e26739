"""Days and moments reckoned from others: in 3 weeks, two months ago, 3 days after tomorrow.

Gives nodes of kind "date" and, where the unit is shorter than a day, "datetime".
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from dragtor.dates.days import one
from dragtor.dates.lengths import BUSINESS, Amounts
from dragtor.dates.moments import combined
from dragtor.dates.numbers import cardinal, digits, ordinal, rank
from dragtor.dates.periods import week_said
from dragtor.dates.reader import Found, Node, Reader, monday, rule, shift
from dragtor.dates.words import PLURAL_WEEKDAYS, SECONDS, SHIFT, WEEKDAYS

WORKING = 7  # beside Monday as 0: any of Monday to Friday
ANY_WEEKDAY = {**WEEKDAYS, **PLURAL_WEEKDAYS}


def moment(when: datetime) -> Node:
    """The node of one instant."""
    return Node("datetime", when.isoformat(), ((when, None),))


def moved(day: date, amounts: Amounts, sign: int) -> date | None:
    """The day so many whole units on; parts of a unit as days."""
    found: date | None = day
    for number, unit in amounts:
        whole = int(number)
        if found and unit == "business day":
            found = business(found, sign * whole)
        elif found and unit in ("weekend", "night"):
            found = shift(found, sign * whole * (7 if unit == "weekend" else 1), "day")
        elif found:
            found = shift(found, sign * whole, unit)
            rest = number - whole
            if rest and found:
                found = shift(found, sign * round(rest * SECONDS[unit] / 86400), "day")
    return found


def business(day: date, number: int) -> date | None:
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


def is_clock(amounts: Amounts) -> bool:
    """Whether a unit below the day takes part."""
    return any(unit in ("second", "minute", "hour") for _, unit in amounts)


def from_now(r: Reader, amounts: Amounts, sign: int) -> Node | None:
    """The day, or the instant where units are short, that far from now."""
    if is_clock(amounts):
        try:
            day = moved(r.today, tuple(a for a in amounts if SECONDS[a[1]] > 3600), sign)
            rest = sum(n * SECONDS[u] for n, u in amounts if SECONDS[u] <= 3600)
            if day is None:
                return None
            start = datetime.combine(day, r.now.time())
            return moment(start + sign * timedelta(seconds=round(rest)))
        except OverflowError:
            return None
    found = moved(r.today, amounts, sign)
    return one(found) if found else None


@rule("day1")
def ago(r: Reader, i: int) -> Found | None:
    """Two months ago, 3 weeks from now, half an hour from now, 2 days later, a week hence."""
    found = r.read("length", i)
    if not found:
        return None
    amounts, j = found[0].amounts, found[1]
    for phrase, sign in (
        ("ago", -1), ("from now", 1), ("from today", 1), ("hence", 1), ("later", 1),
        ("earlier", -1), ("back", -1), ("in the future", 1), ("before now", -1),
        ("time from now", 1),
    ):  # fmt: skip
        if end := r.has(j, phrase):
            if phrase == "back" and r.word(end) in ("to", "in", "and", "on"):
                return None
            if phrase == "from today" and is_clock(amounts):
                return None
            if phrase in ("later", "earlier") and r.word(end) in (
                *SHIFT,
                "in",
                "today",
                "than",
            ):
                return None
            node = from_now(r, amounts, sign)
            return (node, end) if node else None
    return None


@rule("day1")
def weekdays_on(r: Reader, i: int) -> Found | None:
    """Two Sundays from now, 3 mondays ago."""
    number = cardinal(r, i)
    index = ANY_WEEKDAY.get(r.word(number[1])) if number else None
    if not number or index is None or number[0] != int(number[0]):
        return None
    j = number[1] + 1
    end = r.has(j, "from now") or r.has(j, "later") or r.has(j, "from today")
    back = r.has(j, "ago") or r.has(j, "back")
    first = (index - r.today.weekday() - 1) % 7 + 1
    days = (
        first + 7 * (int(number[0]) - 1)
        if end
        else first - 7 * int(number[0]) - (7 if first == 7 else 0)
    )
    day = shift(r.today, days, "day") if end or back else None
    return (one(day), end or back) if day else None


@rule("day1")
def within_time(r: Reader, i: int) -> Found | None:
    """In two days, in 2 minutes, in a week's time."""
    if r.word(i) != "in":
        return None
    j = r.skip(r.skip(i + 1, ("about", "around", "roughly", "approximately")), ("another",))
    found = r.read("length", j)
    if not found or r.word(found[1]) in ("of", "ago", "after", "before"):
        return None
    if r.word(found[1]) == "from" and not r.read("hours", found[1]):
        return None
    node = from_now(r, found[0].amounts, 1)
    return (node, found[1]) if node else None


@rule("day1")
def from_a_day(r: Reader, i: int) -> Found | None:
    """16 days from 01/02/2018, 3 days after January 12th, a week before Christmas."""
    found = r.read("length", r.skip(i, ("in",)))
    if not found or is_clock(found[0].amounts):
        return None
    sign = {"from": 1, "after": 1, "before": -1, "prior": -1, "since": 1, "following": 1}.get(
        r.word(found[1]), 0
    )
    j = r.skip(found[1] + 1, ("to",)) if r.word(found[1]) == "prior" else found[1] + 1
    base = (nth_of_period(r, j) or r.read("day0", j)) if sign else None
    if (not base and r.word(found[1]) == "since") or (
        r.word(found[1]) in ("after", "before") and r.word(i) == "in"
    ):
        base = r.read("period0", j) or r.read("period0", r.skip(j, ("the",)))
    if not base or not base[0].reads or base[0].weak:
        return None
    reads = [
        (day, None)
        for start, _ in base[0].reads
        if isinstance(start, date) and (day := moved(start, found[0].amounts, sign))
    ]
    if not reads:
        return None
    node = Node("date", reads[0][0].isoformat(), tuple(reads), open=base[0].open)
    return node, base[1]


@rule("day1")
def week_on(r: Reader, i: int) -> Found | None:
    """A week on Friday, two weeks today, a fortnight tomorrow; Friday week."""
    found = r.read("length", i)
    if found and len(found[0].amounts) == 1 and found[0].amounts[0][1] in ("week", "fortnight"):
        k = r.skip(found[1], ("on",))
        base = r.read("day0", k)
        near = (r.word(k) in ("today", "tomorrow") and k == found[1]) or (
            r.word(k) in WEEKDAYS and k > found[1]
        )
        day = moved(plain_day(base[0], r.today), found[0].amounts, 1) if base and near else None
        return (one(day), base[1]) if base and day else None
    base = r.read("day0", i)
    ahead = {"week": 7, "fortnight": 14}.get(r.word(base[1]), 0) if base else 0
    if base and ahead and (r.word(i) in WEEKDAYS or r.word(i) == "tomorrow"):
        day = shift(plain_day(base[0], r.today), ahead, "day")
        return (one(day), base[1] + 1) if day else None
    return None


def plain_day(node: Node, today: date) -> date:
    """The first reading of a day."""
    first = node.first[0]
    return first if isinstance(first, date) else today


@rule("day1")
def week_of_day(r: Reader, i: int) -> Found | None:
    """Tuesday of next week, friday next week, friday this week, next week on Tuesday."""
    named = r.skip(i, ("on",))
    index = WEEKDAYS.get(r.word(named))
    if index is not None:
        j = r.skip(named + 1, ("of", "in"))
        numbered = r.read("period0", j) if j > named + 1 and r.word(j) in ("week", "wk") else None
        start = numbered[0].first[0] if numbered and numbered[0].reads else None
        if numbered and isinstance(start, date):
            day = shift(start, index, "day")
            return (one(day), numbered[1]) if day else None
        week = week_said(r, j)
        day = shift(week[0], index, "day") if week else None
        return (one(day), week[1]) if week and day else None
    week = week_said(r, i)
    if not week:
        return None
    k = r.skip(r.skip(r.has(week[1], "' s") or week[1], (",",)), ("on",))
    index = WEEKDAYS.get(r.word(k))
    beyond = r.word(week[1] - 1) != "week" and r.word(k - 1) != "on"  # the week after next Monday
    day = shift(week[0], index, "day") if index is not None and not beyond else None
    return (one(day), k + 1) if day else None


@rule("day1")
def nth_of_period(r: Reader, i: int) -> Found | None:
    """First Monday of next month, the last Friday of May 2020, 15th day of June."""
    j = r.skip(i, ("the",))
    which = rank(r, j)
    if not which and r.word(i + 1) == "of" and (plain := digits(r, i, 2)):  # 15 of this month
        which = (plain, i + 1) if r.word(i + 3) == "month" and plain <= 31 else None
    if not which or (r.word(which[1]) == "day" and j > i and which[0] > 0):
        return None
    number, k = which
    index = WEEKDAYS.get(r.word(k))
    if r.word(k) in BUSINESS and r.word(k + 1) == "day":
        index, k = WORKING, k + 1
    said = index is not None or r.word(k) == "day"
    period = period_of(r, k + said, said)
    node = nth_node(r, number, index, period[0]) if period else None
    return (node, period[1]) if period and node else None


def period_of(r: Reader, k: int, said: bool) -> Found | None:
    """The stretch whose n-th day is meant: of May, in the month, this year.

    Not `said` that a day is meant (the 15th of): it is a month's.
    """
    j = r.skip(k, ("of", "in"))
    if j == k and r.word(j) not in SHIFT:
        return None
    if end := (r.has(j, "the month") or r.has(j, "month")):
        start = r.today.replace(day=1)
        return Node("daterange", "", ((start, shift(start, 1, "month")),)), end
    found = r.read("period0", j) or r.read("period0", r.skip(j, ("the",)))
    if not found or found[0].kind != "daterange" or not found[0].reads:
        return None
    first, last = found[0].first
    if not isinstance(first, date) or not isinstance(last, date):
        return None
    long = (last - first).days > 27
    month = first.day == 1 and shift(first, 1, "month") == last
    return found if month or (long and said) else None


def nth_node(r: Reader, number: int, index: int | None, period: Node) -> Node | None:
    """That weekday, or day, of the stretches that are meant."""
    stretches = [(s, e) for s, e in period.reads if isinstance(s, date) and isinstance(e, date)]
    if period.open:
        s, e = stretches[0]
        years = [(shift(s, n, "year"), shift(e, n, "year")) for n in range(-2, 3)]
        stretches = [(low, high) for low, high in years if low and high]
    days = [d for s, e in stretches if (d := nth(s, e, number, index))]
    if period.open:
        days = [d for d in days if d >= r.today][:1] + [d for d in days if d < r.today][-1:]
    if not days:
        return None
    reads = tuple((d, None) for d in days)
    return Node("date", days[0].isoformat(), reads, open=period.open and "year")


def nth(start: date, end: date, number: int, index: int | None) -> date | None:
    """The n-th weekday, working day or day from one day to before another; the last for -1."""
    first = start if number > 0 else shift(end, -1, "day")
    if not first:
        return None
    if index == WORKING:
        found = business(shift(first, -1 if number > 0 else 1, "day") or first, number)
    elif index is None:
        found = shift(first, number - 1 if number > 0 else number + 1, "day")
    else:
        step = 1 if number > 0 else -1
        weeks = 7 * (abs(number) - 1)
        found = shift(first, step * ((step * (index - first.weekday())) % 7 + weeks), "day")
    return found if found and start <= found < end else None


@rule("moment")
def nth_with_time(r: Reader, i: int) -> Found | None:
    """First Monday evening of next month, last friday 1pm to 3pm of May."""
    which = (-1, i + 1) if r.word(i) == "last" else ordinal(r, i)
    index = WEEKDAYS.get(r.word(which[1])) if which else None
    if not which or index is None:
        return None
    start = which[1] + 1
    found = [
        f for name in ("hours", "part", "clock") if (f := r.read(name, r.skip(start, ("at",))))
    ]
    clock = max(found, key=lambda f: f[1], default=None)
    period = period_of(r, clock[1], True) if clock else None
    if not clock or not period:
        return None
    day = nth_node(r, which[0], index, period[0])
    return (combined(day, clock[0]), period[1]) if day else None


@rule("day1")
def end_of_month(r: Reader, i: int) -> Found | None:
    """Eom, eoy: the last day."""
    unit = {"eom": "month", "eoy": "year", "eow": "week"}.get(r.word(i))
    if not unit:
        return None
    if unit == "week":
        day = shift(monday(r.today), 4, "day")
    else:
        start = r.today.replace(day=1) if unit == "month" else r.today.replace(month=1, day=1)
        following = shift(start, 1, unit)
        day = shift(following, -1, "day") if following else None
    return (one(day), i + 1) if day else None
