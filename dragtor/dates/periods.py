"""Stretches of days with a name: months, years, quarters, seasons, weeks, decades.

Gives nodes of kind "daterange"; the end is the first day after. Parts of them, and how many of
them there are, is said in spans.py.
"""

from __future__ import annotations

from datetime import date

from dragtor.dates.numbers import any_year, below_hundred, digits, full_year, ordinal
from dragtor.dates.reader import Found, Node, Reader, make, monday, rule, shift
from dragtor.dates.words import (
    EARLY,
    SEASONS,
    SHIFT,
    ZONES,
)

PLACES = set(
    (
        "room building suite gate flight hall no nr number # $ £ € line version model unit "
        "apartment apt highway route floor office "
    ).split()
)


BEFORE_YEAR = {*"in since of from until till to before after between and by".split()}


UNRESOLVED = "not resolved"  # of a season: it depends on the hemisphere


def stretch(start: date, unit: str, timex: str, number: int = 1) -> Node | None:
    """The node of so many units from a day on."""
    end = shift(start, number, unit)
    return Node("daterange", timex, ((start, end),)) if end else None


def of_year(year: int) -> Node | None:
    """A calendar year."""
    start = make(year, 1, 1)
    return stretch(start, "year", f"{year:04}") if start else None


def of_months(r: Reader, month: int, number: int, year: int | None, timex: str) -> Node | None:
    """So many months from a month on; without a year the coming ones, then the last."""
    years = [year] if year else [r.today.year, r.today.year + 1, r.today.year - 1]
    reads = []
    for each in years:
        start = make(each, month, 1)
        end = shift(start, number, "month") if start else None
        if start and end:
            reads.append((start, end))
    if not reads:
        return None
    if year:
        return Node("daterange", timex, tuple(reads))
    ahead = [x for x in reads if x[0] >= r.today.replace(day=1)]
    behind = [x for x in reads if x[0] < r.today.replace(day=1)]
    ahead.sort()
    behind.sort()
    picked = tuple(ahead[:1] + behind[-1:])
    return Node("daterange", timex, picked, open="year", day=(month, 0))


@rule("period0")
def year(r: Reader, i: int) -> Found | None:
    """2008, year 2008, the year 2008, cy 2008, fy 2019, fiscal year 2019."""
    j = i
    for phrase in (
        "year of",
        "year",
        "calendar year",
        "fiscal year",
        "school year",
        "cy",
        "fy",
        "sy",
    ):
        if k := r.has(j, phrase):
            fiscal = {"fiscal year": "FY", "fy": "FY", "school year": "SY", "sy": "SY"}.get(
                phrase, ""
            )
            found = any_year(r, k)
            if not found:
                return None
            node = of_year(found[0])
            if node and fiscal:
                node = Node("daterange", f"{fiscal}{found[0]}", value=UNRESOLVED)
            return (node, found[1]) if node else None
    if r.word(i) == "'" and not r.tight(i) and r.tight(i + 1) and r.word(i - 1) in BEFORE_YEAR:
        short = any_year(r, i) if r.word(i + 2) not in ("s", "'") else None  # from '95
        node = of_year(short[0]) if short else None
        return (node, short[1]) if short and node else None
    found = full_year(r, i)
    if not found or j > i or not year_meant(r, i, found[1]):
        return None
    node = of_year(found[0])
    return (node, found[1]) if node else None


def year_meant(r: Reader, i: int, j: int) -> bool:
    """Whether four digits are a year: no price, no room, no count, no part of a longer number."""
    if digits(r, i) is None:
        if r.word(i - 1) in ("at", "@") and not r.word(i).startswith("two"):
            return False  # at sixteen thirty
        return r.word(j) not in ("am", "pm", "o", "percent", "people", "dollars")
    if not 1500 <= (digits(r, i) or 0) <= 2199:
        return False
    before, after = r.word(i - 1), r.word(j)
    compared = before == "=" and r.word(i - 2) in ("<", ">")
    apart = r.word(i - 3) != "-" or not r.tight(i - 2)
    run = before == "-" and full_year(r, i - 2) and apart
    glued_before = (
        not compared
        and not run
        and before in (".", ",", "/", ":", "-", "_", "+", "=")
        and r.tight(i)
        and i > 1
    )
    if glued_before and ((r.tight(i - 1) and r.word(i - 2).isdigit()) or before in "/+=_"):
        return False
    if before == "=" and r.word(i - 2) in ("<", ">"):
        return True
    if before == "-" and digits(r, i - 2) is not None and not full_year(r, i - 2):
        return False
    if after == "-" and digits(r, j + 1) is not None and not full_year(r, j + 1):
        return False
    if after in ZONES or before in PLACES or (after in ("%", "$", "€", ":", "/") and r.tight(j)):
        return False
    decimal = after in (".", ",") and r.tight(j) and r.tight(j + 1) and digits(r, j + 1) is not None
    return not decimal and after not in tuple(
        (
            "am pm hours hrs people dollars euros km m miles percent times points mg ml kg patients"
            " cases subjects children men women participants samples students users"
        ).split()
    )


@rule("period0")
def quarter(r: Reader, i: int) -> Found | None:
    """Q1, q1 2019, 2019 q1, 1st quarter of 2013, third quarter, h1 2019, first half of 2019."""
    before = full_year(r, i) or said_year(r, i)
    j = r.skip(i, ("the",))
    if before:
        k = r.skip(r.skip(before[1], (",",)), ("the",))
        j = before[1] + 2 if r.has(before[1], "' s") else max(k, r.skip(before[1], ("-",)))
    size = 0
    if r.word(j) in ("q", "h") and r.tight(j + 1):
        number, size, end = digits(r, j + 1, 1), 3 if r.word(j) == "q" else 6, j + 2
    elif (found := (-1, j + 1) if r.word(j) == "last" else ordinal(r, j)) and r.word(found[1]) in (
        "quarter", "half"
    ):  # fmt: skip
        number, end = found[0], found[1] + 1
        size = 3 if r.word(found[1]) == "quarter" else 6
        if r.word(found[1]) == "half" and r.word(end) not in ("of", "in") and not before:
            return None
        if number == -1:
            number = 12 // size
            if r.word(end) != "of":
                return None
    else:
        return None
    if not number or not 1 <= number <= 12 // size or (j > i and not before and size == 0):
        return None
    after = None if before else quarter_year(r, end)
    if size == 6 and not before and not after:
        return None
    value = (before or after or (None,))[0]
    first = (number - 1) * size + 1
    name = f"{value:04}" if value else "XXXX"
    node = of_months(r, first, size, value, f"{name}-{'Q' if size == 3 else 'H'}{number}")
    return (node, after[1] if after else end) if node else None


def quarter_year(r: Reader, j: int) -> tuple[int, int] | None:
    """The year behind a quarter."""
    k = r.skip(r.skip(j, (",", "of", "in", "-", "/")), ("the",))
    k = r.skip(k, ("fiscal", "fy", "cy")) if r.word(k) in ("fiscal", "fy", "cy") else k
    k = r.skip(k, ("year",))
    if r.word(k - 1) == "year" and r.word(k - 2) in ("the", "of"):
        return any_year(r, k) or (r.today.year, k)
    return (any_year(r, k) if k > j else full_year(r, k)) or said_year(r, k)


@rule("period0")
def season(r: Reader, i: int) -> Found | None:
    """Summer 2019, next winter, this fall; when that is, the hemisphere decides."""
    before = full_year(r, i)
    if before and r.word(before[1]) in SEASONS:
        name = SEASONS[r.word(before[1])][0]
        return Node("daterange", f"{before[0]:04}-{name}", value=UNRESOLVED), before[1] + 1
    j = r.skip(i, ("the",)) if r.word(i + 1) in SEASONS else i
    said = SHIFT.get(r.word(j)) if r.word(j) in SHIFT else None
    k = j + 1 if said is not None else j
    if r.word(k) not in SEASONS:
        return None
    code = SEASONS[r.word(k)][0]
    year = None
    if said is not None:
        year = r.today.year + said, k + 1
    else:
        after = r.skip(k + 1, ("of", ",", "in"))
        year = (
            full_year(r, after)
            or said_year(r, after)
            or (any_year(r, after) if r.word(after) == "'" else None)
        )
    if not year:
        shy = r.word(k) in ("spring", "fall") and r.word(k - 1) not in (
            "the",
            "in",
            "this",
            "since",
            "until",
        )
        kept = (
            r.word(k) == "fall"
            or shy
            or (r.word(i) == "the" and r.word(i - 1) not in ("in", "since", "until", "during"))
        )
        return Node("daterange", code, value=UNRESOLVED, weak=kept), k + 1
    return Node("daterange", f"{year[0]:04}-{code}", value=UNRESOLVED), year[1]


TENS_OF_YEARS = {
    "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60,
    "seventies": 70, "eighties": 80, "nineties": 90, "hundreds": 0, "tens": 10,
}  # fmt: skip


@rule("period0")
def decade(r: Reader, i: int) -> Found | None:
    """1990s, 1990 s, the 90s, '90s, the nineties, nineteen eighties, the 21st century."""
    j = r.skip(i, ("the",))
    which = ordinal(r, j)
    if which and r.word(which[1]) == "century" and 1 <= which[0] <= 30:
        start = make((which[0] - 1) * 100 or 1, 1, 1)
        name = f"({start},{(which[0]) * 100:04}-01-01,P100Y)"
        node = stretch(start, "century", name) if start else None
        return (node, which[1] + 1) if node else None
    mark = r.skip(j, ("'",))
    number = digits(r, mark, 4)
    known = mark > i or r.word(i - 1) in (*EARLY, "-", "in", "the")
    if number is not None and number <= 60 and not known:
        return None  # 30s: seconds
    if number is not None and number % 10 == 0:
        end = r.skip(mark + 1, ("'",))
        if r.word(end) != "s" or len(r.word(mark)) not in (2, 4) or r.word(end + 1) == "'":
            return None
        if r.word(end + 1) == "-" and r.tight(end + 1):
            return None  # 1990s-style
        if len(r.word(mark)) == 2 and not r.tight(end) and r.word(mark - 1) not in ("in", "the"):
            return None
        return decade_node(number, end + 1)
    tens = TENS_OF_YEARS
    century = below_hundred(r, j)
    if century and 13 <= century[0] <= 20 and r.word(century[1]) in tens:
        return decade_node(century[0] * 100 + tens[r.word(century[1])], century[1] + 1)
    if r.has(j, "two thousands"):
        return decade_node(2000, j + 2)
    if r.word(j) in tens and r.word(j) not in ("hundreds", "tens") and known:
        return decade_node(tens[r.word(j)], j + 1)
    return None


def decade_node(number: int, end: int) -> Found | None:
    """Ten years from a year on; two digits mean this century's or the last's."""
    starts = [number] if number >= 1000 else [1900 + number, 2000 + number]
    if number < 30:
        starts = starts if number >= 1000 else starts[::-1]
    if starts[0] < 1000:
        return None
    reads = tuple(
        (make(y, 1, 1), make(y + 10, 1, 1)) for y in starts if make(y, 1, 1) and make(y + 10, 1, 1)
    )
    century = f"{number // 100:02}" if number >= 1000 else "XX"
    after = f"{(number + 10) // 100:02}" if number >= 1000 else "XX"
    timex = f"({century}{number % 100:02}-01-01,{after}{(number + 10) % 100:02}-01-01,P10Y)"
    return (Node("daterange", timex, reads), end) if reads else None


def week_name(start: date) -> str:
    """2018-W20."""
    year, week, _ = start.isocalendar()
    return f"{year:04}-W{week:02}"


def unit_start(day: date, unit: str) -> date | None:
    """The first day of the week, month, quarter, year... that the day is in."""
    if unit in ("week", "fortnight"):
        return monday(day)
    if unit == "weekend":
        return shift(monday(day), 5, "day")
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return make(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    if unit == "year":
        return make(day.year, 1, 1)
    return make(
        day.year // (10 if unit == "decade" else 100) * (10 if unit == "decade" else 100), 1, 1
    )


def unit_node(start: date, unit: str) -> Node | None:
    """The week, month, quarter... that starts on the day."""
    if unit == "weekend":
        return stretch(start, "day", f"{week_name(start)}-WE", 2)
    end = shift(start, 1, unit)
    timex = {
        "week": week_name(start),
        "month": f"{start:%Y-%m}",
        "year": f"{start:%Y}",
        "fortnight": f"({start},{end},P2W)",
        "quarter": f"({start},{end},P3M)",
        "decade": f"({start},{end},P10Y)",
        "century": f"({start},{end},P100Y)",
    }
    return stretch(start, unit, timex[unit])


def said_year(r: Reader, i: int) -> tuple[int, int] | None:
    """This year, next year, last year."""
    if r.word(i) in SHIFT and r.word(i + 1) == "year":
        return r.today.year + SHIFT[r.word(i)], i + 2
    return None


def week_said(r: Reader, i: int) -> tuple[date, int] | None:
    """The Monday of next week, this coming week, the week after next."""
    j = r.skip(i, ("the",))
    for phrase, weeks in (("week after next", 2), ("week before last", -2)):
        if (end := r.has(j, phrase)) and (start := shift(monday(r.today), 7 * weeks, "day")):
            return start, end
    k = j
    while r.word(k) in SHIFT and k < j + 2:
        k += 1
    if k == j or r.word(k) != "week":
        return None
    start = shift(monday(r.today), 7 * SHIFT[r.word(k - 1)], "day")
    return (start, k + 1) if start else None
