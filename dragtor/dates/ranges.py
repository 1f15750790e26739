"""From one day or instant to another: from May to Oct 2020, November 19-20, 3 days from Monday.

Gives nodes of kind "daterange" and "datetimerange". Also days of a list that share one time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from dragtor.dates.days import day_node
from dragtor.dates.moments import day_at_time
from dragtor.dates.parser import (
    Bound,
    Interval,
    Node,
    Parse,
    Parser,
    date_of,
    longest,
    make_date,
    rule,
    shift,
)
from dragtor.dates.quantities import Amounts, following_year, integer, ordinal_number, small_number
from dragtor.dates.relative import is_sub_day, moved_by
from dragtor.dates.words import CLAUSE_ENDS, MONTHS, SECONDS_OF, SHIFTS, TODAY, WEEKDAYS

TO_SIGNS = ("to", "-", "–", "—", "~", "until", "till", "til", "through", "thru", "up")
TO_OR_AND = (*TO_SIGNS, "and")
SECOND, WEEK = timedelta(seconds=1), timedelta(days=7)


def range_edge(p: Parser, i: int) -> Parse | None:
    """What can open or close a stretch: a moment, a day, a period or a part of one, now."""
    places = {i, p.optional(i, ("the",))}
    found = [p.parse(name, j) for name in ("datetime", "day", "period") for j in places]
    best = longest(f for f in found if f and f[0].readings)
    if best and best[0].timex == "PRESENT_REF":
        return day_node(p.today), best[1]
    if best and best[0].weak and all(integer(p, k) is None for k in range(i, best[1])):
        return None
    return best


@rule("event_day")
def event_day(p: Parser, i: int) -> Parse | None:
    """The day of an event: the wound check next Thursday, you see me on the 4th."""
    for k in range(i + 1, i + 8):
        if p.word(k - 1) in CLAUSE_ENDS or p.parse("duration", k - 1):
            return None
        on = p.word(k) == "on"
        known = on or p.word(k) in (*SHIFTS, *TODAY, *WEEKDAYS, *MONTHS) or p.word(k).isdigit()
        found = range_edge(p, k + on) if known else None
        if found and found[0].kind in ("date", "datetime"):
            return found
    return None


def opening_bound(node: Node, start: date, end: Bound) -> date:
    """Where a stretch that begins with this one begins: at its start; at the end of an end."""
    if node.mod == "end" and isinstance(end, date):
        return end
    if node.mod == "mid" and node.kind == "daterange" and isinstance(end, date):
        return middle_of(start)
    return start


def middle_of(start: date) -> date:
    """The middle of the year or month that a "mid" was cut from."""
    if start.day != 1:
        return start.replace(day=16)
    return date(start.year, 7, 2)


def edge_points(node: Node) -> list[date]:
    """The days or moments an edge may mean."""
    whole = node.kind.endswith("range")
    reads = [(start, end) for start, end in node.readings if isinstance(start, date)]
    return [opening_bound(node, start, end) if whole else start for start, end in reads]


def in_year(day: date, year: int) -> date | None:
    """The same month and day of another year."""
    other = make_date(year, day.month, day.day)
    if other and isinstance(day, datetime):
        return datetime.combine(other, day.time())
    return other


def comes_before(a: date, b: date) -> bool:
    """Whether a comes first; a day is its midnight."""
    return as_datetime(a) < as_datetime(b)


def as_datetime(a: date) -> datetime:
    """A day as its midnight."""
    return a if isinstance(a, datetime) else datetime(a.year, a.month, a.day)


def range_pairs(first: Node, second: Node) -> list[tuple[date, date]]:
    """Start and end for every reading, an open year taken from the other side."""
    pairs: list[tuple[date, date]] = []
    starts, ends = edge_points(first), edge_points(second)
    loose, loose_end = first.missing in ("year", "fixed"), second.missing in ("year", "fixed")
    if loose and not loose_end and second.missing != "month":
        for end in ends:
            years = [in_year(s, end.year - n) for s in starts[:1] for n in (0, 1)]
            pairs += [(y, end) for y in years if y and comes_before(y, end)][:1]
        return pairs
    if first.missing == "week" and not second.missing:
        both = [(last_weekday_before(s, e), e) for e in ends for s in starts]
        return [(low, high) for low, high in both if low][:1]
    if first.missing == "month" and second.missing not in ("week", "month"):
        for end in ends:
            near = [in_month(s, date_of(end), n) for s in starts[:1] for n in (0, -1)]
            pairs += [(s, end) for s in near if s and comes_before(s, end)][:1]
        return pairs
    if first.missing == "week" and not loose_end and second.missing not in ("week", "month"):
        return [(s, e) for e in ends for s in starts if comes_before(s, e)][:1]
    for start in starts:
        later: list[date]
        if loose_end:
            moving = second.kind == "date" and not second.day[0]  # Easter, the last Friday of May
            later = sorted(e for e in ends if moving and comes_before(start, e))
            years = [in_year(e, start.year + n) for e in ends[:1] for n in (0, 1)]
            later = later or [y for y in years if y]
        elif second.missing == "week":
            over = [(as_datetime(e) - as_datetime(start) - SECOND) // WEEK for e in ends[:1]]
            later = [d for weeks in over if (d := shift(ends[0], -7 * weeks, "day"))]
        elif second.missing == "month":
            days = [in_month(e, date_of(start), n) for e in ends[:1] for n in (0, 1)]
            later = [d for d in days if d]
        else:
            later = ends
        pairs += [(start, e) for e in later if comes_before(start, e)][:1]
    return pairs


def last_weekday_before(at: date, end: date) -> date | None:
    """The weekday and time of `at` that comes last before the end."""
    weeks = (as_datetime(end) - as_datetime(at) - SECOND) // WEEK
    return shift(at, 7 * weeks, "day")


def in_month(at: date, day: date, ahead: int) -> date | None:
    """The day of the month and the time of `at`, in the month of `day` or of another one."""
    first = shift(day.replace(day=1), ahead, "month")
    found = make_date(first.year, first.month, at.day) if first else None
    return datetime.combine(found, at.time()) if found and isinstance(at, datetime) else found


def range_node(first: Node, second: Node) -> Node | None:
    """The stretch between two edges."""
    month_to_day = first.kind == "daterange" and first.missing == "year"
    month_to_day = month_to_day and second.missing == "month"
    parts = first.kind == second.kind == "datetimerange"
    if month_to_day or ("datetimerange" in (first.kind, second.kind) and not parts):
        return None
    if parts:  # Friday night to Sunday lunchtime
        second = replace(second, readings=tuple((e, None) for _, e in second.readings if e))
    pairs = range_pairs(first, second)
    if not pairs and first.mod == "end":  # late 2017 to early 2018: from where "late" begins
        pairs = range_pairs(replace(first, mod=""), second)
    if not pairs:
        return None
    exact = any(isinstance(at, datetime) for at in pairs[0])
    kind = "datetimerange" if exact else "daterange"
    reads = tuple((as_datetime(a), as_datetime(b)) if exact else (a, b) for a, b in pairs)
    start, end = pairs[0]
    names = [
        n.timex if parts or not n.kind.endswith("range") else p.isoformat()
        for n, p in ((first, start), (second, end))
    ]
    timex = f"({names[0]},{names[1]},P{(date_of(end) - date_of(start)).days}D)"
    left_open = "year" if first.missing == second.missing == "year" else ""
    closes = "day" if second.kind == "date" else length_unit(*second.likeliest)
    ambiguous = first.ambiguous or second.ambiguous
    return Node(kind, timex, reads, ambiguous, left_open, closes=closes)


def length_unit(start: Bound, end: Bound) -> str:
    """The unit that a period is one of; "" for any other, as a part of one."""
    if not isinstance(start, date) or not isinstance(end, date):
        return ""
    units = ("day", "week", "month", "quarter", "year", "decade")
    return next((unit for unit in units if shift(start, 1, unit) == end), "")


@rule("range")
def from_to(p: Parser, i: int) -> Parse | None:
    """From A to B, between A and B, A - B, A through B."""
    lead = p.word(i)
    j = i + 1 if lead in ("from", "between") else i
    if lead == "during" and p.word(i + 1) in ("from", "between"):
        return None
    first = range_edge(p, j)
    if not first:
        return None
    firsts = [first]
    if first[0].kind == "datetimerange" and (instant := day_and_one_time(p, j)):
        firsts.append(instant)  # from friday at 3pm to 5pm on july 5
    return longest(closed_range(p, opened, lead, bare=j == i) for opened in firsts)


def day_and_one_time(p: Parser, i: int) -> Parse | None:
    """A day and one time of it, though a stretch of hours may be read there."""
    day = p.parse("day", i)
    k = p.optional(day[1], ("at", "@", ",", "around")) if day else 0
    clock = p.parse("time", k) or (p.parse("bare_time", k) if day and k > day[1] else None)
    if not day or not day[0].is_day or not clock or clock[0].weak:
        return None
    return day_at_time(day[0], clock[0]), clock[1]


def closed_range(p: Parser, first: Parse, lead: str, bare: bool) -> Parse | None:
    """The stretch from the first edge on, if a second one is joined to it."""
    node, k = first
    k = p.optional(k, (",",)) if p.word(k + 1) in TO_SIGNS[5:] else k
    signs = TO_OR_AND if lead == "between" else TO_SIGNS
    if p.word(k) not in signs or (p.word(k) == "up" and p.word(k + 1) != "to"):
        return None
    number = bare and integer(p, k - 1, 4) is not None and node.timex.isdigit()
    until = p.word(k) in ("until", "till", "til")
    k = p.optional(k + 1, ("to",))  # up to, through to
    k = p.match(k, "and including") or p.optional(k, ("about", "around"))
    second = range_edge(p, k)
    if not second and until and not p.parse("time", k):
        second = event_day(p, k)
    clock = p.parse("time", k) if node.kind == "datetime" and not second else None
    if clock and not clock[0].weak:
        return range_to_time(node, clock)
    if not second or (number and not second[0].timex.isdigit()):
        return None
    if node.kind == "datetimerange" and p.word(first[1] - 1) in ("am", "pm"):
        return None  # from today pm to tomorrow am
    whole = range_node(node, second[0])
    return (whole, second[1]) if whole else None


def range_to_time(first: Node, clock: Parse) -> Parse | None:
    """From noon today until midnight, from 9am on Friday to 5pm: the next such time."""
    reads: list[Interval] = []
    for start, _ in first.readings:
        for at, _ in clock[0].readings[: 1 if first.ambiguous else None]:
            if isinstance(start, datetime) and isinstance(at, time):
                end = datetime.combine(start.date(), at)
                reads.append((start, end if end > start else shift(end, 1, "day")))
    reads.sort(key=lambda x: (x[0] != first.readings[0][0], x[1] is not None and as_datetime(x[1])))  # type: ignore[arg-type]
    timex = f"({first.timex},{clock[0].timex},P)"
    node = Node("datetimerange", timex, tuple(reads), first.ambiguous, first.missing)
    return (node, clock[1]) if reads else None


@rule("range")
def range_with_now(p: Parser, i: int) -> Parse | None:
    """Between eight o'clock and now, from 3pm till now; from now until 5pm."""
    if p.word(i) not in ("from", "between"):
        return None
    if p.word(i + 1) == "now" and p.word(i + 2) in TO_OR_AND:
        later = p.parse("time", i + 3)
        sure = later and not later[0].weak and not p.parse("datetime", i + 3)
        ends = times_today(p, later[0]) if later and sure else []
        reads: list[Interval] = [(p.now, end) for end in ends if end > p.now]
        return instants_node(reads, later[1]) if later else None
    first = p.parse("time", i + 1)
    if not first or p.word(first[1]) not in TO_OR_AND or p.word(first[1] + 1) != "now":
        return None
    starts = [(start, p.now) for start in times_today(p, first[0]) if start < p.now]
    return instants_node([*starts], first[1] + 2)


def times_today(p: Parser, clock: Node) -> list[datetime]:
    """The times of a clock, today."""
    return [datetime.combine(p.today, at) for at in clock.times]


def instants_node(reads: list[Interval], end: int) -> Parse | None:
    """A stretch of hours that now opens or closes."""
    timex = "({},{},P)".format(*reads[0]) if reads else ""
    return (Node("datetimerange", timex, tuple(reads)), end) if reads else None


@rule("range")
def range_of_month_days(p: Parser, i: int) -> Parse | None:
    """November 19-20, april ninth through 17th, between ninth and tenth of april."""
    lead = p.word(i)
    j = i + 1 if lead in ("from", "between") else i
    signs = TO_OR_AND if lead == "between" else TO_SIGNS[:-1]
    first = p.parse("calendar_day", j)
    if first and first[0].missing in ("year", "") and first[0].is_day and p.word(j) in MONTHS:
        k = first[1]
        if p.word(k) not in signs:
            return None
        number = day_number(p, p.optional(k + 1, ("the",)))
        if not number or p.word(number[1]) in (":", "am", "pm") or MONTHS.get(p.word(number[1])):
            return None
        year = following_year(p, number[1])
        return range_within_month(p, first[0], number[0], year, number[1])
    low = day_number(p, p.optional(j, ("the",)))
    if not low or p.word(low[1]) not in signs:
        return None
    if found := numbers_in_month(p, low[0], low[1] + 1, lead):
        return found
    second = p.parse("calendar_day", p.optional(low[1] + 1, ("the",)))
    if not second or not second[0].is_day or second[0].missing == "month":
        return None
    if (whole := p.parse("calendar_day", j)) and whole[1] >= second[1]:  # 02-Oct-16 is one day
        return None
    node, end = second
    pairs = [(make_date(day.year, day.month, low[0]), day) for day in node.days]
    reads = [(start, day) for start, day in pairs if start and start < day]
    if not reads or not any(p.word(n) in MONTHS for n in range(low[1] + 1, end)):
        return None
    length = (reads[0][1] - reads[0][0]).days
    timex = f"({node.timex[:-2]}{low[0]:02},{node.timex},P{length}D)"
    return Node("daterange", timex, tuple(reads), missing=node.missing, closes="day"), end


def numbers_in_month(p: Parser, low: int, j: int, lead: str) -> Parse | None:
    """From 4 to 23 in next month, between 3 and 12 of Sept: days of a month said behind them."""
    high = day_number(p, p.optional(j, ("the",)))
    k = p.optional(high[1], ("in", "of")) if high else 0
    if not high or (k == high[1] and lead not in ("from", "between")):
        return None
    month = p.parse("whole_period", k)
    if not month or month[0].kind != "daterange":
        return None
    reads = []
    for start, end in month[0].stretches:
        ends = [make_date(start.year, start.month, n) for n in (low, high[0])]
        whole = start.day == 1 and shift(start, 1, "month") == end
        if whole and low < high[0] and all(ends):
            reads.append((ends[0], ends[1]))
    if not reads:
        return None
    timex = f"({month[0].timex}-{low:02},{month[0].timex}-{high[0]:02},P{high[0] - low}D)"
    return Node("daterange", timex, tuple(reads), missing=month[0].missing, closes="day"), month[1]


def day_number(p: Parser, i: int) -> tuple[int, int] | None:
    """A day of a month: 19, 19th, ninth."""
    found = ordinal_number(p, i) or small_number(p, i)
    return found if found and 1 <= found[0] <= 31 else None


def range_within_month(
    p: Parser, first: Node, number: int, year: tuple[int, int] | None, j: int
) -> Parse | None:
    """From a day to a later one of the same month."""
    starts = [in_year(start, year[0]) if year else start for start in first.days]
    pairs = [(start, make_date(start.year, start.month, number)) for start in starts if start]
    reads = [(start, end) for start, end in pairs if end and start < end][: 1 if year else None]
    if not reads:
        return None
    timex = f"({first.timex},{first.timex[:-2]}{number:02},P{(reads[0][1] - reads[0][0]).days}D)"
    missing, end = ("", year[1]) if year else (first.missing, j)
    return Node("daterange", timex, tuple(reads), missing=missing, closes="day"), end


@rule("range")
def duration_from_day(p: Parser, i: int) -> Parse | None:
    """For 1 week, from 20th dec; 3 days starting next Monday; from Monday for two weeks."""
    start = p.optional(i, ("for",))
    found = p.parse("duration", start)
    j = p.optional(found[1], (",",)) if found else i
    verb = p.word(j) in ("starting", "beginning")
    after = found is not None and p.word(j) in ("after", "following")
    led = p.word(j) == "from" or after
    if found and ((not verb and (not led or start == i)) or (verb and start > i)):
        return None
    if not found and not verb and not led:
        return None
    k = p.optional(p.optional(p.optional(j + 1, ("from",)), ("on",)), ("the",))
    first = range_edge(p, k) or (event_day(p, k) if after else None)
    if not first or first[0].kind not in ("date", "datetime"):
        return None
    end = first[1]
    if not found:
        k = p.optional(end, (",",))
        found = p.parse("duration", k + 1) if p.word(k) == "for" else None
        end = found[1] if found else end
    if not found:
        return None
    ends = [(at, end_after(at, found[0].amounts)) for at in first[0].days]
    reads = [(at, end_at) for at, end_at in ends if end_at]
    if after:  # for a week after the op on the 3rd: the nearest one
        reads.sort(key=lambda x: abs(date_of(x[0]) - p.today))
    timex = f"({first[0].timex},{reads[0][1] if reads else ''},{found[0].timex})"
    kind = f"{first[0].kind}range"
    return (Node(kind, timex, tuple(reads), missing=first[0].missing), end) if reads else None


def end_after(at: date, amounts: Amounts) -> date | None:
    """A day or moment moved on by a duration; a day by none shorter than itself."""
    if not isinstance(at, datetime):
        return None if is_sub_day(amounts) else moved_by(at, amounts, 1)
    day = moved_by(at.date(), tuple(a for a in amounts if not is_sub_day((a,))), 1)
    seconds = sum(n * SECONDS_OF[u] for n, u in amounts if is_sub_day(((n, u),)))
    try:
        return datetime.combine(day, at.time()) + timedelta(seconds=seconds) if day else None
    except OverflowError:
        return None


NodeSpan = tuple[int, int, Node]  # from token, to token, what was read


def with_shared_time(p: Parser, found: list[NodeSpan]) -> list[NodeSpan]:
    """The same places; weekdays joined by "and" to one with a time have the time too."""
    places = list(found)
    for k in range(len(places) - 1, 0, -1):
        day, last = places[k - 1], places[k]
        joints = {p.word(n) for n in range(day[1], last[0])}
        listed = joints & {"and", "&", "/"} or (joints == {","} and k + 1 < len(places))
        if listed and joints <= {"and", "&", "/", ","} and shares_time(p, day, last):
            places[k - 1] = (day[0], day[1], given_time(day[2], last[2]))
    return places


def shares_time(p: Parser, day: NodeSpan, last: NodeSpan) -> bool:
    """Whether a bare weekday stands before a weekday with a time."""
    bare = day[2].kind == "date" and day[2].missing == "week" and day[1] == day[0] + 1
    clock = last[2].kind in ("datetime", "datetimerange") and not last[2].mod
    return bare and clock and p.word(last[0]) in WEEKDAYS and "XXXX-WXX-" in last[2].timex


def given_time(day: Node, last: Node) -> Node:
    """The day with the time of the other one, in every reading of both."""
    first = last.likeliest[0]
    same = [x for x in last.readings if day_of_instant(x[0]) == day_of_instant(first)]
    pairs = [(start, read) for start in day.days for read in same]
    reads = [[at_same_offset(start, at, first) for at in read] for start, read in pairs]
    mark = "XXXX-WXX-"
    old = last.timex[last.timex.index(mark) :][: len(mark) + 1]
    timex = last.timex.replace(old, day.timex)
    return replace(last, readings=tuple((a, b) for a, b in reads), timex=timex)


def day_of_instant(at: Bound) -> date | None:
    """Its day."""
    return at.date() if isinstance(at, datetime) else None


def at_same_offset(day: date, at: Bound, first: Bound) -> datetime | None:
    """The moment `at`, as far from `day` as it is from the day of `first`."""
    if not isinstance(at, datetime) or not isinstance(first, datetime):
        return None
    try:
        return datetime.combine(day, at.time()) + (at.date() - first.date())
    except OverflowError:
        return None
