"""From one day or moment to another, and stretches open at one end.

From may to oct 2020, 10/1-11/2/2017, november 19-20, since August, before 5pm, until the end of
June, 2018 or later. Gives nodes of kind "daterange", "datetimerange" and "timerange".
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from dragtor.extract.dates.lengths import Amounts
from dragtor.extract.dates.numbers import digits, ordinal
from dragtor.extract.dates.offsets import is_clock, moved
from dragtor.extract.dates.reader import At, Found, Node, Read, Reader, make, rule, shift
from dragtor.extract.dates.words import MONTHS, SECONDS

TO = ("to", "-", "–", "—", "~", "until", "till", "til", "through", "thru", "up")


EITHER = (*TO, "and")


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
    if loose and not loose_end:
        for end, _ in ends:
            years = [like(s, end.year - n) for s, _ in starts[:1] for n in (0, 1)]
            pairs += [(y, end) for y in years if y and before(y, end)][:1]
        return pairs
    if first.open == "week" and not second.open:
        if isinstance(starts[0][0], datetime):
            return []
        days = [(s, e) for e, _ in ends for s, _ in starts]
        weeks = [(shift(e, -((day_of(e) - day_of(s)).days % 7), "day"), e) for s, e in days]
        return [(low, high) for low, high in weeks if low][:1]
    if first.open in ("week", "month") and not loose_end and second.open not in ("week", "month"):
        return [(s, e) for e, _ in ends for s, _ in starts if before(s, e)][:1]
    for start, _ in starts:
        later: list[date]
        if loose_end:
            later = [y for e, _ in ends[:1] for n in (0, 1) if (y := like(e, start.year + n))]
        elif second.open == "week":
            later = (
                [
                    d
                    for e, _ in ends[:1]
                    if (d := shift(e, -7 * ((e - day_of(start)).days // 7), "day"))
                ]
                if not isinstance(ends[0][0], datetime)
                else [e for e, _ in ends]
            )
        elif second.open == "month":
            later = [d for e, _ in ends[:1] for n in (0, 1)
                     if (d := in_month(day_of(start), e.day, n))]  # fmt: skip
        else:
            later = [e for e, _ in ends]
        pairs += [(start, e) for e in later if before(start, e)][:1]
    return pairs


def day_of(at: date) -> date:
    """Its day."""
    return at.date() if isinstance(at, datetime) else at


def in_month(day: date, number: int, ahead: int) -> date | None:
    """That day of the month of `day` or of a later one."""
    first = shift(day.replace(day=1), ahead, "month")
    return make(first.year, first.month, number) if first else None


def joined(first: Node, second: Node) -> Node | None:
    """The stretch between two edges."""
    if "datetimerange" in (first.kind, second.kind) or (first.open, second.open) == (
        "year",
        "month",
    ):
        return None
    pairs = pair(first, second)
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


@rule("stretch")
def days_of_month(r: Reader, i: int) -> Found | None:
    """November 19-20, april ninth through 17th, between ninth and tenth of april."""
    lead = r.word(i)
    j = i + 1 if lead in ("from", "between") else i
    signs = EITHER if lead == "between" else TO[:-1]
    first = r.read("day0", j)
    if (
        first
        and first[0].open in ("year", "")
        and first[0].kind == "date"
        and first[0].reads
        and MONTHS.get(r.word(j))
    ):
        k = first[1]
        if r.word(k) not in signs:
            return None
        number = day_number(r, r.skip(k + 1, ("the",)))
        if not number or r.word(number[1]) in (":", "am", "pm") or MONTHS.get(r.word(number[1])):
            return None
        year = trailing_year(r, number[1])
        return month_run(r, first[0], number[0], year, number[1])
    low = day_number(r, r.skip(j, ("the",)))
    if not low or r.word(low[1]) not in signs:
        return None
    if found := run_in_month(r, low[0], low[1] + 1, lead):
        return found
    second = r.read("day0", r.skip(low[1] + 1, ("the",)))
    if not second or not second[0].reads or second[0].kind != "date":
        return None
    if (whole := r.read("day0", j)) and whole[1] >= second[1]:  # 02-Oct-16 is one day
        return None
    end_month = [n for n in range(low[1] + 1, second[1]) if MONTHS.get(r.word(n))]
    if not end_month or second[0].open == "month":
        return None
    reads = []
    for end, _ in second[0].reads:
        start = make(end.year, end.month, low[0]) if isinstance(end, date) else None
        if start and isinstance(end, date) and start < end:
            reads.append((start, end))
    if not reads:
        return None
    length = (reads[0][1] - reads[0][0]).days
    timex = f"({second[0].timex[:-2]}{low[0]:02},{second[0].timex},P{length}D)"
    return Node("daterange", timex, tuple(reads), open=second[0].open), second[1]


def run_in_month(r: Reader, low: int, j: int, lead: str) -> Found | None:
    """From 4 to 23 in next month, between 3 and 12 of Sept: days of a month said behind them."""
    high = day_number(r, r.skip(j, ("the",)))
    k = r.skip(high[1], ("in", "of")) if high else 0
    if not high or (k == high[1] and lead not in ("from", "between")):
        return None
    month = r.read("period0", k)
    if not month or month[0].kind != "daterange":
        return None
    reads = []
    for start, end in month[0].reads:
        if isinstance(start, date) and start.day == 1 and shift(start, 1, "month") == end:
            days = make(start.year, start.month, low), make(start.year, start.month, high[0])
            if days[0] and days[1] and days[0] < days[1]:
                reads.append(days)
    if not reads:
        return None
    timex = f"({month[0].timex}-{low:02},{month[0].timex}-{high[0]:02},P{high[0] - low}D)"
    return Node("daterange", timex, tuple(reads), open=month[0].open), month[1]


@rule("stretch")
def month_then_days(r: Reader, i: int) -> Found | None:
    """In next month from 4 to 23, July between 3 and 5."""
    month = r.read("period0", i)
    j = month[1] if month else 0
    lead = r.word(j)
    if not month or lead not in ("from", "between"):
        return None
    low = day_number(r, r.skip(j + 1, ("the",)))
    if not low or r.word(low[1]) not in EITHER:
        return None
    high = day_number(r, r.skip(low[1] + 1, ("the",)))
    if not high or r.word(high[1]) in (":", "am", "pm", "h") or r.word(low[1] - 1) in ("am", "pm"):
        return None
    reads = []
    for start, end in month[0].reads:
        if isinstance(start, date) and start.day == 1 and shift(start, 1, "month") == end:
            days = make(start.year, start.month, low[0]), make(start.year, start.month, high[0])
            if days[0] and days[1] and days[0] < days[1]:
                reads.append(days)
    timex = f"({month[0].timex}-{low[0]:02},{month[0].timex}-{high[0]:02},P{high[0] - low[0]}D)"
    return (Node("daterange", timex, tuple(reads), open=month[0].open), high[1]) if reads else None


def day_number(r: Reader, i: int) -> tuple[int, int] | None:
    """A day of a month: 19, 19th, ninth."""
    found = ordinal(r, i)
    if not found and (plain_number := digits(r, i, 2)):
        found = plain_number, i + 1
    return found if found and 1 <= found[0] <= 31 else None


def trailing_year(r: Reader, j: int) -> tuple[int, int] | None:
    """, 2019 behind november 19-20."""
    k = r.skip(j, (",", "of", "in"))
    year = digits(r, k, 4)
    return (year, k + 1) if year and 1500 <= year <= 2100 else None


def month_run(
    r: Reader, first: Node, number: int, year: tuple[int, int] | None, j: int
) -> Found | None:
    """From a day to a later one of the same month."""
    reads = []
    for start, _ in first.reads:
        if isinstance(start, date):
            start = like(start, year[0]) if year else start
            end = make(start.year, start.month, number) if start else None
            if start and end and start < end:
                reads.append((start, end))
    if not reads:
        return None
    reads = reads[:1] if year else reads
    timex = f"({first.timex},{first.timex[:-2]}{number:02},P{(reads[0][1] - reads[0][0]).days}D)"
    return Node("daterange", timex, tuple(reads), open="" if year else first.open), (
        year[1] if year else j
    )


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
    node, k = first
    k = r.skip(k, (",",)) if r.word(k + 1) in TO[5:] else k
    signs = EITHER if lead == "between" else TO
    if r.word(k) not in signs or (r.word(k) == "up" and r.word(k + 1) != "to"):
        return None
    k = k + 2 if r.word(k) == "up" else k + 1
    second = edge(r, k)
    if not second or (node.timex.isdigit() and j == i and not second[0].timex.isdigit()):
        return None
    whole = joined(node, second[0])
    return (whole, second[1]) if whole else None


@rule("stretch")
def until_now(r: Reader, i: int) -> Found | None:
    """Between eight o'clock and now, from 3pm till now."""
    first = r.read("clock", i + 1) if r.word(i) in ("from", "between") else None
    if not first or r.word(first[1]) not in EITHER or r.word(first[1] + 1) != "now":
        return None
    starts = [datetime.combine(r.today, t) for t, _ in first[0].reads if isinstance(t, time)]
    reads: list[Read] = [(start, r.now) for start in starts if start < r.now]
    if not reads:
        return None
    timex = f"({reads[0][0]},PRESENT_REF,P)"
    return Node("datetimerange", timex, tuple(reads)), first[1] + 2


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


@rule("stretch")
def length_from_day(r: Reader, i: int) -> Found | None:
    """For 1 week, from 20th dec; 3 days starting next Monday; a day starting Friday at 5 pm."""
    start = r.skip(i, ("for",))
    found = r.read("length", start)
    if not found:
        return None
    j = r.skip(found[1], (",",))
    verb = r.word(j) in ("starting", "beginning")
    if (not verb and (r.word(j) != "from" or start == i)) or (verb and start > i):
        return None
    k = r.skip(r.skip(r.skip(j + 1, ("from",)), ("on",)), ("the",))
    first = edge(r, k)
    if not first or first[0].kind not in ("date", "datetime"):
        return None
    reads: list[Read] = []
    for at, _ in first[0].reads:
        end = ahead(at, found[0].amounts) if isinstance(at, date) else None
        if end:
            reads.append((at, end))
    timex = f"({first[0].timex},{reads[0][1] if reads else ''},{found[0].timex})"
    kind = f"{first[0].kind}range"
    return (Node(kind, timex, tuple(reads), open=first[0].open), first[1]) if reads else None


def ahead(at: date, amounts: Amounts) -> date | None:
    """A day or moment moved on by a duration; a day by none shorter than itself."""
    if not isinstance(at, datetime):
        return None if is_clock(amounts) else moved(at, amounts, 1)
    day = moved(at.date(), tuple(a for a in amounts if not is_clock((a,))), 1)
    seconds = sum(n * SECONDS[u] for n, u in amounts if is_clock(((n, u),)))
    try:
        return datetime.combine(day, at.time()) + timedelta(seconds=seconds) if day else None
    except OverflowError:
        return None
