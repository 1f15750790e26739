"""From one day or moment to another, and stretches open at one end.

From may to oct 2020, 10/1-11/2/2017, november 19-20, since August, before 5pm, until the end of
June, 2018 or later. Gives nodes of kind "daterange", "datetimerange" and "timerange".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from dragtor.dates.moments import combined
from dragtor.dates.numbers import digits
from dragtor.dates.reader import At, Found, Node, Read, Reader, make, rule, shift

TO = ("to", "-", "–", "—", "~", "until", "till", "til", "through", "thru", "up")


EITHER = (*TO, "and")


SECOND, WEEK = timedelta(seconds=1), timedelta(days=7)


def edge(r: Reader, i: int) -> Found | None:
    """What can open or close a stretch: a moment, a day, a period or a part of one, now."""
    places = {i, r.skip(i, ("the",))}
    found = [
        f
        for name in ("moment", "day", "period")
        for j in places
        if (f := r.read(name, j)) and f[0].reads
    ]
    best = max(found, key=lambda f: f[1], default=None)
    if (
        best
        and best[0].weak
        and best[0].timex != "PRESENT_REF"
        and not any(digits(r, k) is not None for k in range(i, best[1]))
    ):
        return None
    if best and best[0].timex == "PRESENT_REF":
        return Node("date", r.today.isoformat(), ((r.today, None),)), best[1]
    return best


def opening(node: Node, start: date, end: At) -> date:
    """Where a stretch that begins with this one begins: at its start; at the end of an end."""
    if node.mod == "end" and isinstance(end, date):
        return end
    if node.mod == "mid" and node.kind == "daterange" and isinstance(end, date):
        return middle(start)
    return start


def middle(start: date) -> date:
    """The middle of the year or month that a "mid" was cut from."""
    if start.day != 1:
        return start.replace(day=16)
    return date(start.year, 7, 2)


def points(node: Node, last: bool) -> list[tuple[date, tuple[int, int]]]:
    """The days or moments an edge may mean, each with month and day if the year is open."""
    found = []
    for start, end in node.reads:
        if isinstance(start, date):
            at = opening(node, start, end) if node.kind.endswith("range") else start
            found.append((at, (at.month, at.day) if node.open in ("year", "fixed") else (0, 0)))
    return found


def like(day: date, year: int) -> date | None:
    """The same month and day of another year."""
    other = make(year, day.month, day.day)
    if other and isinstance(day, datetime):
        return datetime.combine(other, day.time())
    return other


def before(a: date, b: date) -> bool:
    """Whether a comes first; a day is its midnight."""
    return moment(a) < moment(b)


def moment(a: date) -> datetime:
    """A day as its midnight."""
    return a if isinstance(a, datetime) else datetime(a.year, a.month, a.day)


def pair(first: Node, second: Node) -> list[tuple[date, date]]:
    """Start and end for every reading, an open year taken from the other side."""
    pairs: list[tuple[date, date]] = []
    starts, ends = points(first, False), points(second, True)
    loose, loose_end = first.open in ("year", "fixed"), second.open in ("year", "fixed")
    if loose and not loose_end and second.open != "month":
        for end, _ in ends:
            years = [like(s, end.year - n) for s, _ in starts[:1] for n in (0, 1)]
            pairs += [(y, end) for y in years if y and before(y, end)][:1]
        return pairs
    if first.open == "week" and not second.open:
        both = [(s, e) for e, _ in ends for s, _ in starts]
        weeks = [(last_before(s, e), e) for s, e in both]
        return [(low, high) for low, high in weeks if low][:1]
    if first.open == "month" and second.open not in ("week", "month"):
        for end, _ in ends:
            near = [in_month(s, day_of(end), n) for s, _ in starts[:1] for n in (0, -1)]
            pairs += [(s, end) for s in near if s and before(s, end)][:1]
        return pairs
    if first.open == "week" and not loose_end and second.open not in ("week", "month"):
        return [(s, e) for e, _ in ends for s, _ in starts if before(s, e)][:1]
    for start, _ in starts:
        later: list[date]
        if loose_end:
            moving = second.kind == "date" and not second.day[0]  # Easter, the last Friday of May
            later = sorted(e for e, _ in ends if moving and before(start, e))
            later = later or [
                y for e, _ in ends[:1] for n in (0, 1) if (y := like(e, start.year + n))
            ]
        elif second.open == "week":
            over = [(e, (moment(e) - moment(start) - SECOND) // WEEK) for e, _ in ends[:1]]
            later = [d for e, weeks in over if (d := shift(e, -7 * weeks, "day"))]
        elif second.open == "month":
            days = [in_month(e, day_of(start), n) for e, _ in ends[:1] for n in (0, 1)]
            later = [d for d in days if d]
        else:
            later = [e for e, _ in ends]
        pairs += [(start, e) for e in later if before(start, e)][:1]
    return pairs


def last_before(at: date, end: date) -> date | None:
    """The weekday and time of `at` that comes last before the end."""
    weeks = (moment(end) - moment(at) - SECOND) // WEEK
    return shift(at, 7 * weeks, "day")


def day_of(at: date) -> date:
    """Its day."""
    return at.date() if isinstance(at, datetime) else at


def in_month(at: date, day: date, ahead: int) -> date | None:
    """The day of the month and the time of `at`, in the month of `day` or of another one."""
    first = shift(day.replace(day=1), ahead, "month")
    found = make(first.year, first.month, at.day) if first else None
    return datetime.combine(found, at.time()) if found and isinstance(at, datetime) else found


def joined(first: Node, second: Node) -> Node | None:
    """The stretch between two edges."""
    month_to_day = first.kind == "daterange" and (first.open, second.open) == ("year", "month")
    if "datetimerange" in (first.kind, second.kind) or month_to_day:
        return None
    pairs = pair(first, second)
    if not pairs and first.mod == "end":  # late 2017 to early 2018: from where "late" begins
        pairs = pair(replace(first, mod=""), second)
    if not pairs:
        return None
    exact = any(isinstance(at, datetime) for at in pairs[0])
    kind = "datetimerange" if exact else "daterange"
    reads = tuple((moment(a), moment(b)) if exact else (a, b) for a, b in pairs)
    start, end = pairs[0]
    names = [
        n.timex if not n.kind.endswith("range") else p.isoformat()
        for n, p in ((first, start), (second, end))
    ]
    timex = f"({names[0]},{names[1]},P{(day_of(end) - day_of(start)).days}D)"
    left_open = "year" if first.open == second.open == "year" else ""
    return Node(kind, timex, reads, first.ambiguous or second.ambiguous, left_open)


def trailing_year(r: Reader, j: int) -> tuple[int, int] | None:
    """, 2019 behind november 19-20."""
    k = r.skip(j, (",", "of", "in"))
    year = digits(r, k, 4)
    return (year, k + 1) if year and 1500 <= year <= 2100 else None


@rule("stretch")
def from_to(r: Reader, i: int) -> Found | None:
    """From A to B, between A and B, A - B, A through B."""
    lead = r.word(i)
    j = i + 1 if lead in ("from", "between") else i
    if lead == "during" and r.word(i + 1) in ("from", "between"):
        return None
    first = edge(r, j)
    if not first:
        return None
    firsts = [first]
    if first[0].kind == "datetimerange" and (instant := day_and_clock(r, j)):
        firsts.append(instant)  # from friday at 3pm to 5pm on july 5
    found = [f for opened in firsts if (f := closed(r, opened, lead, bare=j == i))]
    return max(found, key=lambda f: f[1], default=None)


def day_and_clock(r: Reader, i: int) -> Found | None:
    """A day and one time of it, though a stretch of hours may be read there."""
    day = r.read("day", i)
    k = r.skip(day[1], ("at", "@", ",", "around")) if day else 0
    clock = r.read("clock", k) or (r.read("hour", k) if day and k > day[1] else None)
    if not day or day[0].kind != "date" or not day[0].reads or not clock or clock[0].weak:
        return None
    return combined(day[0], clock[0]), clock[1]


def closed(r: Reader, first: Found, lead: str, bare: bool) -> Found | None:
    """The stretch from the first edge on, if a second one is joined to it."""
    node, k = first
    k = r.skip(k, (",",)) if r.word(k + 1) in TO[5:] else k
    signs = EITHER if lead == "between" else TO
    if r.word(k) not in signs or (r.word(k) == "up" and r.word(k + 1) != "to"):
        return None
    number = bare and digits(r, k - 1, 4) is not None and node.timex.isdigit()
    k = k + 2 if r.word(k) == "up" else k + 1
    second = edge(r, k)
    clock = r.read("clock", k) if node.kind == "datetime" and not second else None
    if clock and not clock[0].weak:
        return to_clock(node, clock)
    if not second or (number and not second[0].timex.isdigit()):
        return None
    whole = joined(node, second[0])
    return (whole, second[1]) if whole else None


def to_clock(first: Node, clock: Found) -> Found | None:
    """From noon today until midnight, from 9am on Friday to 5pm: the next such time."""
    reads: list[Read] = []
    for start, _ in first.reads:
        for at, _ in clock[0].reads[: 1 if first.ambiguous else None]:
            if isinstance(start, datetime) and isinstance(at, time):
                end = datetime.combine(start.date(), at)
                reads.append((start, end if end > start else shift(end, 1, "day")))
    reads.sort(key=lambda x: (x[0] != first.reads[0][0], x[1] is not None and moment(x[1])))  # type: ignore[arg-type]
    timex = f"({first.timex},{clock[0].timex},P)"
    node = Node("datetimerange", timex, tuple(reads), first.ambiguous, first.open)
    return (node, clock[1]) if reads else None


@rule("stretch")
def until_now(r: Reader, i: int) -> Found | None:
    """Between eight o'clock and now, from 3pm till now; from now until 5pm."""
    if r.word(i) not in ("from", "between"):
        return None
    if r.word(i + 1) == "now" and r.word(i + 2) in EITHER:
        later = r.read("clock", i + 3)
        sure = later and not later[0].weak and not r.read("moment", i + 3)
        ends = todays(r, later[0]) if later and sure else []
        reads: list[Read] = [(r.now, end) for end in ends if end > r.now]
        return node_of(reads, later[1]) if later else None
    first = r.read("clock", i + 1)
    if not first or r.word(first[1]) not in EITHER or r.word(first[1] + 1) != "now":
        return None
    starts = [(start, r.now) for start in todays(r, first[0]) if start < r.now]
    return node_of([*starts], first[1] + 2)


def todays(r: Reader, clock: Node) -> list[datetime]:
    """The times of a clock, today."""
    return [datetime.combine(r.today, t) for t, _ in clock.reads if isinstance(t, time)]


def node_of(reads: list[Read], end: int) -> Found | None:
    """A stretch of hours that now opens or closes."""
    return (
        (Node("datetimerange", f"({reads[0][0]},{reads[0][1]},P)", tuple(reads)), end)
        if reads
        else None
    )


@rule("stretch")
def time_to_day(r: Reader, i: int) -> Found | None:
    """From 2pm till tomorrow 4:30pm: today's time is the start."""
    first = r.read("clock", i + 1) if r.word(i) in ("from", "between") else None
    if not first or first[0].weak or r.word(first[1]) not in EITHER or r.read("hours", i):
        return None
    second = r.read("moment", first[1] + 1)
    if not second or second[0].kind != "datetime" or r.word(first[1] + 1) == "now":
        return None
    starts = [datetime.combine(r.today, t) for t, _ in first[0].reads if isinstance(t, time)]
    reads = tuple(
        (s, e) for s in starts for e, _ in second[0].reads if isinstance(e, datetime) and s < e
    )
    timex = f"({reads[0][0]},{second[0].timex},P)" if reads else ""
    return (Node("datetimerange", timex, reads[:2]), second[1]) if reads else None


@rule("stretch")
def two_with_year(r: Reader, i: int) -> Found | None:
    """26 june to 28 june in 2020; 10/1-11/2/2017."""
    found = from_to(r, i)
    if not found or found[0].open != "year" or r.word(found[1]) not in ("in", "of", ","):
        return None
    year = trailing_year(r, found[1])
    if not year:
        return None
    reads: list[Read] = []
    for start, end in found[0].reads[:1]:
        if isinstance(start, date) and isinstance(end, date):
            reads.append((like(start, year[0] - (end.year - start.year)), like(end, year[0])))
    return Node(found[0].kind, found[0].timex, tuple(reads)), year[1]
