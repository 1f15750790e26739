"""Named periods: years, quarters, decades, seasons, months; May told from may, March from march.

Gives nodes of kind "daterange"; the end is the first day after.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from dragtor.dates.parser import Node, Parse, Parser, make_date, monday_of, nearest, rule, shift
from dragtor.dates.quantities import (
    any_year,
    below_hundred,
    decimal_at,
    full_year,
    integer,
    ordinal_number,
    ordinal_or_final,
)
from dragtor.dates.words import EARLY, LINE_ENDS, MONTHS, SEASONS, SHIFTS
from dragtor.dates.zones import skip_zone

NUMBERED_THINGS = set((
    "room building suite gate flight hall no nr number # $ £ € line version model unit apartment"
    " apt highway route floor office").split())  # fmt: skip
COUNTED_THINGS = set((
    "am pm hours hrs people dollars euros km m miles percent times points mg ml kg patients cases"
    " subjects children men women participants samples students users").split())  # fmt: skip
BEFORE_YEAR = {*"in since of from until till to before after between and by".split()}
UNRESOLVED = "not resolved"  # of a season: it depends on the hemisphere


def period_node(start: date, unit: str, timex: str, number: int = 1) -> Node | None:
    """The node of so many units from a day on."""
    end = shift(start, number, unit)
    return Node("daterange", timex, ((start, end),)) if end else None


def year_node(year: int) -> Node | None:
    """A calendar year."""
    start = make_date(year, 1, 1)
    return period_node(start, "year", f"{year:04}") if start else None


def months_node(p: Parser, month: int, number: int, year: int | None, timex: str) -> Node | None:
    """So many months from a month on; without a year the coming ones, then the last."""
    years = [year] if year else [p.today.year, p.today.year + 1, p.today.year - 1]
    starts = sorted(start for each in years if (start := make_date(each, month, 1)))
    picked = starts if year else nearest(starts, p.today.replace(day=1))
    reads = tuple((start, end) for start in picked if (end := shift(start, number, "month")))
    if not reads:
        return None
    if year:
        return Node("daterange", timex, reads)
    return Node("daterange", timex, reads, missing="year", day=(month, 0))


YEAR_OPENINGS = {  # and the sign of a year that is none of the calendar's
    "year of": "", "year": "", "calendar year": "", "fiscal year": "FY", "school year": "SY",
    "cy": "", "fy": "FY", "sy": "SY",
}  # fmt: skip


@rule("whole_period")
def calendar_year(p: Parser, i: int) -> Parse | None:
    """2008, year 2008, the year 2008, cy 2008, fy 2019, fiscal year 2019."""
    for phrase, fiscal in YEAR_OPENINGS.items():
        if k := p.match(i, phrase):
            found = any_year(p, k)
            node = year_node(found[0]) if found else None
            if found and node and fiscal:
                node = Node("daterange", f"{fiscal}{found[0]}", value=UNRESOLVED)
            return (node, found[1]) if found and node else None
    opens = p.word(i) == "'" and not p.adjacent(i) and p.adjacent(i + 1)
    if opens and p.word(i - 1) in BEFORE_YEAR:
        short = any_year(p, i) if p.word(i + 2) not in ("s", "'") else None  # from '95
        node = year_node(short[0]) if short else None
        return (node, short[1]) if short and node else None
    found = full_year(p, i)
    if not found or not means_year(p, i, found[1]):
        return None
    node = year_node(found[0])
    return (node, found[1]) if node else None


def means_year(p: Parser, i: int, j: int) -> bool:
    """Whether four digits are a year: no price, no room, no count, no part of a longer number."""
    if integer(p, i) is None:
        if p.word(i - 1) in ("at", "@") and not p.word(i).startswith("two"):
            return False  # at sixteen thirty
        return p.word(j) not in ("am", "pm", "o", "percent", "people", "dollars")
    if not 1500 <= (integer(p, i) or 0) <= 2199:
        return False
    before, after = p.word(i - 1), p.word(j)
    compared = before == "=" and p.word(i - 2) in ("<", ">")
    apart = p.word(i - 3) != "-" or not p.adjacent(i - 2)
    run = before == "-" and full_year(p, i - 2) and apart
    glued_before = before in (*".,/:-_+=",) and p.adjacent(i) and i > 1 and not compared and not run
    if glued_before and ((p.adjacent(i - 1) and p.word(i - 2).isdigit()) or before in "/+=_"):
        return False
    if compared:
        return True
    if before == "-" and integer(p, i - 2) is not None and not full_year(p, i - 2):
        return False
    if after == "-" and integer(p, j + 1) is not None and not full_year(p, j + 1):
        return False
    if skip_zone(p, j) > j or before in NUMBERED_THINGS or after in COUNTED_THINGS:
        return False
    return not p.adjacent(j) or not (after in ("%", "$", "€", ":", "/") or decimal_at(p, j))


@rule("whole_period")
def quarter_or_half(p: Parser, i: int) -> Parse | None:
    """Q1, q1 2019, 2019 q1, 1st quarter of 2013, third quarter, h1 2019, first half of 2019."""
    before = full_year(p, i) or shifted_year(p, i)
    j = p.optional(i, ("the",))
    if before:
        k = p.optional(p.optional(before[1], (",",)), ("the",))
        j = before[1] + 2 if p.match(before[1], "' s") else max(k, p.optional(before[1], ("-",)))
    size = 0
    if p.word(j) in ("q", "h") and p.adjacent(j + 1):
        number, size, end = integer(p, j + 1, 1), 3 if p.word(j) == "q" else 6, j + 2
    elif (found := ordinal_or_final(p, j)) and p.word(found[1]) in ("quarter", "half"):
        number, end = found[0], found[1] + 1
        size = 3 if p.word(found[1]) == "quarter" else 6
        if p.word(found[1]) == "half" and p.word(end) not in ("of", "in") and not before:
            return None
        if number == -1:
            number = 12 // size
            if p.word(end) != "of":
                return None
    else:
        return None
    if not number or not 1 <= number <= 12 // size or (j > i and not before and size == 0):
        return None
    after = None if before else year_after_quarter(p, end)
    if size == 6 and not before and not after:
        return None
    value = (before or after or (None,))[0]
    first = (number - 1) * size + 1
    name = f"{value:04}" if value else "XXXX"
    node = months_node(p, first, size, value, f"{name}-{'Q' if size == 3 else 'H'}{number}")
    return (node, after[1] if after else end) if node else None


def year_after_quarter(p: Parser, j: int) -> tuple[int, int] | None:
    """The year behind a quarter."""
    k = p.optional(p.optional(j, (",", "of", "in", "-", "/")), ("the",))
    k = p.optional(k, ("fiscal", "fy", "cy")) if p.word(k) in ("fiscal", "fy", "cy") else k
    k = p.optional(k, ("year",))
    if p.word(k - 1) == "year" and p.word(k - 2) in ("the", "of"):
        return any_year(p, k) or (p.today.year, k)
    return (any_year(p, k) if k > j else full_year(p, k)) or shifted_year(p, k)


@rule("whole_period")
def season(p: Parser, i: int) -> Parse | None:
    """Summer 2019, next winter, this fall; when that is, the hemisphere decides."""
    before = full_year(p, i)
    if before and p.word(before[1]) in SEASONS:
        name = SEASONS[p.word(before[1])][0]
        return season_node(p, name, before[0]), before[1] + 1
    j = p.optional(i, ("the",)) if p.word(i + 1) in SEASONS else i
    said = SHIFTS.get(p.word(j)) if p.word(j) in SHIFTS else None
    k = j + 1 if said is not None else j
    if p.word(k) not in SEASONS:
        return None
    code = SEASONS[p.word(k)][0]
    year = None
    if said is not None:
        year = p.today.year + said, k + 1
    else:
        after = p.optional(k + 1, ("of", ",", "in"))
        year = full_year(p, after) or shifted_year(p, after)
        year = year or (any_year(p, after) if p.word(after) == "'" else None)
    if not year:
        led = p.word(k - 1) in ("the", "in", "this", "since", "until")
        kept = p.word(k) == "fall" or (p.word(k) == "spring" and not led)
        bare = p.word(i) == "the" and p.word(i - 1) not in ("in", "since", "until", "during")
        return replace(season_node(p, code, None), weak=kept or bare), k + 1
    return season_node(p, code, year[0]), year[1]


def season_node(p: Parser, code: str, year: int | None) -> Node:
    """Three whole months of the northern half of the earth, and that the hemisphere decides."""
    month = next(n for name, n in SEASONS.values() if name == code)
    timex = f"{year:04}-{code}" if year else code
    node = months_node(p, month, 3, year, timex) or Node("daterange", timex)
    return replace(node, value=UNRESOLVED)


TENS_OF_YEARS = {
    "twenties": 20, "thirties": 30, "forties": 40, "fifties": 50, "sixties": 60,
    "seventies": 70, "eighties": 80, "nineties": 90, "hundreds": 0, "tens": 10,
}  # fmt: skip


@rule("whole_period")
def decade(p: Parser, i: int) -> Parse | None:
    """1990s, 1990 s, the 90s, '90s, the nineties, nineteen eighties, the 21st century."""
    j = p.optional(i, ("the",))
    which = ordinal_number(p, j)
    if which and p.word(which[1]) == "century" and 1 <= which[0] <= 30:
        start = make_date((which[0] - 1) * 100 or 1, 1, 1)
        name = f"({start},{(which[0]) * 100:04}-01-01,P100Y)"
        node = period_node(start, "century", name) if start else None
        return (node, which[1] + 1) if node else None
    mark = p.optional(j, ("'",))
    number = integer(p, mark, 4)
    known = mark > i or p.word(i - 1) in (*EARLY, "-", "in", "the")
    if number is not None and number <= 60 and not known:
        return None  # 30s: seconds
    if number is not None and number % 10 == 0:
        end = p.optional(mark + 1, ("'",))
        if p.word(end) != "s" or len(p.word(mark)) not in (2, 4) or p.word(end + 1) == "'":
            return None
        if p.word(end + 1) == "-" and p.adjacent(end + 1):
            return None  # 1990s-style
        if len(p.word(mark)) == 2 and not p.adjacent(end) and p.word(mark - 1) not in ("in", "the"):
            return None
        return decade_node(number, end + 1)
    tens = TENS_OF_YEARS
    century = below_hundred(p, j)
    if century and 13 <= century[0] <= 20 and p.word(century[1]) in tens:
        return decade_node(century[0] * 100 + tens[p.word(century[1])], century[1] + 1)
    if p.match(j, "two thousands"):
        return decade_node(2000, j + 2)
    if p.word(j) in tens and p.word(j) not in ("hundreds", "tens") and known:
        return decade_node(tens[p.word(j)], j + 1)
    return None


def decade_node(number: int, end: int) -> Parse | None:
    """Ten years from a year on; two digits mean this century's or the last's."""
    starts = [number] if number >= 1000 else [1900 + number, 2000 + number]
    if number < 30:
        starts = starts if number >= 1000 else starts[::-1]
    if starts[0] < 1000:
        return None
    ends = [(make_date(y, 1, 1), make_date(y + 10, 1, 1)) for y in starts]
    reads = tuple((start, end) for start, end in ends if start and end)
    century = f"{number // 100:02}" if number >= 1000 else "XX"
    after = f"{(number + 10) // 100:02}" if number >= 1000 else "XX"
    timex = f"({century}{number % 100:02}-01-01,{after}{(number + 10) % 100:02}-01-01,P10Y)"
    return (Node("daterange", timex, reads), end) if reads else None


def week_code(start: date) -> str:
    """2018-W20."""
    year, week, _ = start.isocalendar()
    return f"{year:04}-W{week:02}"


def start_of_unit(day: date, unit: str) -> date | None:
    """The first day of the week, month, quarter, year... that the day is in."""
    if unit in ("week", "fortnight"):
        return monday_of(day)
    if unit == "weekend":
        return shift(monday_of(day), 5, "day")
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return make_date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    if unit == "year":
        return make_date(day.year, 1, 1)
    size = 10 if unit == "decade" else 100
    return make_date(day.year // size * size, 1, 1)


def whole_unit_node(start: date, unit: str) -> Node | None:
    """The week, month, quarter... that starts on the day."""
    if unit == "weekend":
        return period_node(start, "day", f"{week_code(start)}-WE", 2)
    end = shift(start, 1, unit)
    length = {"fortnight": "P2W", "quarter": "P3M", "decade": "P10Y", "century": "P100Y"}
    names = {"week": week_code(start), "month": f"{start:%Y-%m}", "year": f"{start:%Y}"}
    return period_node(start, unit, names.get(unit) or f"({start},{end},{length[unit]})")


def shifted_year(p: Parser, i: int) -> tuple[int, int] | None:
    """This year, next year, last year."""
    if p.word(i) in SHIFTS and p.word(i + 1) == "year":
        return p.today.year + SHIFTS[p.word(i)], i + 2
    return None


def shifted_week(p: Parser, i: int) -> tuple[date, int] | None:
    """The Monday of next week, this coming week, the week after next."""
    j = p.optional(i, ("the",))
    for phrase, weeks in (("week after next", 2), ("week before last", -2)):
        if (end := p.match(j, phrase)) and (start := shift(monday_of(p.today), 7 * weeks, "day")):
            return start, end
    k = j
    while p.word(k) in SHIFTS and k < j + 2:
        k += 1
    if k == j or p.word(k) != "week":
        return None
    start = shift(monday_of(p.today), 7 * SHIFTS[p.word(k - 1)], "day")
    return (start, k + 1) if start else None


BEFORE_MONTH = set((
    "in since until till by than next last this of early mid late from to through between during"
    " before after for end every each starting beginning").split())  # fmt: skip
SURELY_BEFORE_MONTH = set(
    "by before after in since of early mid late during throughout until till every".split()
)
MONTH_JOINTS = ("to", "till", "til", "until", "through", "thru", "-", "–", "—")


@rule("whole_period")
def named_month(p: Parser, i: int) -> Parse | None:
    """April, april 2017, april of 87, next may, dec/2018, the month of June."""
    j = p.match(i, "the month of") or p.match(i, "month of") or i
    word = p.word(j)
    said = word in SHIFTS and word not in ("coming", "upcoming")
    k = j + 1 if word in SHIFTS else j
    number = MONTHS.get(p.word(k))
    if not number:
        return None
    end = k + 1
    year = year_after_month(p, end)
    if no_such_day(p, k, end):
        return None
    if not year and k == j == i and not means_month(p, i, end):
        return None
    if word in SHIFTS and number == 5 and not year and p.word(end) not in AFTER_MAY:
        return None
    if word in SHIFTS:
        return shifted_month_node(p, number, SHIFTS[word] if said else 2, end)
    timex = f"{year[0]:04}-{number:02}" if year else f"XXXX-{number:02}"
    node = months_node(p, number, 1, year[0] if year else None, timex)
    return (node, year[1] if year else end) if node else None


def no_such_day(p: Parser, i: int, end: int) -> bool:
    """Feb 30, 31 April: a day is said that the month has not."""
    behind = integer(p, end, 2)
    if behind and behind <= 31 and p.word(end + 1) not in (":", "/", "am", "pm"):
        return not day_exists_at(p, i)
    if p.word(i - 2) in (".", ",", ":") and p.adjacent(i - 1) and p.adjacent(i - 2):
        return False
    ahead = integer(p, i - 1, 2) or (ordinal_number(p, i - 2) or (0,))[0]
    return 29 <= ahead <= 31 and not day_exists_at(p, i - 1) and not day_exists_at(p, i - 2)


def day_exists_at(p: Parser, i: int) -> bool:
    """Whether a day that exists is written here."""
    found = p.parse("calendar_day", i)
    return bool(found and found[0].readings)


def year_after_month(p: Parser, j: int) -> tuple[int, int] | None:
    """2017 / , 2017 / of 87 / in 2017 / '17 / -2018 behind a month."""
    if p.word(j) in ("of", "in"):
        k = p.optional(j + 1, ("the",))
        k = p.optional(k, ("year",)) if k > j + 1 or p.word(j + 1) == "year" else k
        return any_year(p, k) or shifted_year(p, j + 1)
    k = p.optional(j, (",", "/", "-"))
    year = full_year(p, k) or (any_year(p, k) if p.word(k) == "'" else None) or shifted_year(p, k)
    if year and p.word(year[1]) == ":" and p.adjacent(year[1]):
        return None
    if year and p.word(j) in ("-", "/") and p.adjacent(year[1]) and p.word(year[1]) in ("-", "/"):
        return year if MONTHS.get(p.word(year[1] + 1)) else None
    return year


def means_month(p: Parser, i: int, j: int) -> bool:
    """Whether "may", "march" or "mar" is the month here."""
    word, before, after = p.word(i), p.word(i - 1), p.lookahead(j)
    if word not in ("may", "march") and len(word) > 4:
        return True
    if (before in SURELY_BEFORE_MONTH and after not in ("be", "have", "not", "well")) or (
        before in MONTH_JOINTS and p.word(i - 2) in MONTHS
    ):
        return True
    limit = after in ("or", "and") and p.word(j + 1) in ("later", "earlier", "before", "after")
    if limit or after in ("onwards", "onward"):
        return True
    if after in (*MONTH_JOINTS, "and", "or") and month_follows(p, j + 1):
        return True
    if word == "may" and after not in AFTER_MAY:
        return False
    if before in BEFORE_MONTH or (before in ("the", "-") and p.word(i - 2) in BEFORE_MONTH):
        return True
    if before in ("and", "-", "or") and p.word(i - 2) in MONTHS:
        return True
    return word in ("june", "july", "march") and (word != "march" or p.capitalised(i))


def month_follows(p: Parser, j: int) -> bool:
    """Whether another month, or a part of one, stands here."""
    k = p.optional(j, ("the",))
    k = p.optional(p.optional(k + 1, ("-",)), ("of",)) if p.word(k) in EARLY else k
    return p.word(k) in MONTHS and p.word(k) != "may"  # may or may not


AFTER_MAY = LINE_ENDS.union((
    ". , ; : ! ? ) - – / to through until till for in at on with and from of as by we i before"
    ' after because when " ” ] please is was works').split())  # fmt: skip


def shifted_month_node(p: Parser, number: int, years: int, end: int) -> Parse | None:
    """Next may is next year's; the coming one is the next to come."""
    year = p.today.year + (years if years < 2 else int(number <= p.today.month))
    node = months_node(p, number, 1, year, f"{year:04}-{number:02}")
    return (node, end) if node else None


@rule("whole_period")
def year_then_month(p: Parser, i: int) -> Parse | None:
    """2017 april."""
    year = full_year(p, i)
    number = MONTHS.get(p.word(year[1])) if year and integer(p, i) is not None else None
    if not year or not number or day_exists_at(p, year[1]) or not means_year(p, i, i + 1):
        return None
    node = months_node(p, number, 1, year[0], f"{year[0]:04}-{number:02}")
    return (node, year[1] + 1) if node else None


@rule("whole_period")
def numeric_month(p: Parser, i: int) -> Parse | None:
    """12-2015, 2015-12, 12/2015."""
    first, sign, second = integer(p, i, 4), p.word(i + 1), integer(p, i + 2, 4)
    if first is None or second is None or sign not in ("-", "/"):
        return None
    wide = full_year(p, i), full_year(p, i + 2)
    near = p.word(i - 1) in ("-", "/", ".") and p.adjacent(i)
    if near or (
        p.word(i + 3) in ("-", "/") and p.adjacent(i + 4) and integer(p, i + 4) is not None
    ):
        return None
    if wide[0] and not wide[1] and 1 <= second <= 12 and p.adjacent(i + 1) and p.adjacent(i + 2):
        year, number = first, second
    elif wide[1] and not wide[0] and 1 <= first <= 12:
        year, number = second, first
    else:
        return None
    node = months_node(p, number, 1, year, f"{year:04}-{number:02}")
    return (node, i + 3) if node else None
