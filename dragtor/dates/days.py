"""Single days: ISO, numeric and written dates, weekdays, holidays, today, the 15th.

Gives nodes of kind "date". What is reckoned from another day is in relative.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import zip_longest

from dragtor.dates.parser import (
    Node,
    Parse,
    Parser,
    longest,
    make_date,
    monday_of,
    nearest,
    points,
    rule,
    shift,
)
from dragtor.dates.quantities import (
    below_hundred,
    decimal_at,
    following_year,
    full_year,
    integer,
    ordinal_number,
    two_digit_years,
)
from dragtor.dates.words import (
    AMBIGUOUS_NAMES,
    DAY_PARTS,
    FUNCTION_WORDS,
    LAST,
    LINE_ENDS,
    MEASURE_WORDS,
    MONTHS,
    SHIFTS,
    THIS,
    TODAY,
    WEEKDAYS,
)


def day_node(day: date, timex: str = "") -> Node:
    """The node of exactly one day."""
    return Node("date", timex or day.isoformat(), ((day, None),))


def yearless_day(p: Parser, month: int, day: int) -> Node | None:
    """The next and the last such day; 29 February waits for its leap year."""
    found = nearest_days(p.today, lambda year: make_date(year, month, day))
    if not found:
        return None
    timex = f"XXXX-{month:02}-{day:02}"
    return Node("date", timex, points(found), missing="year", day=(month, day))


def dated_node(p: Parser, month: int, day: int, year: int | None) -> Node | None:
    """A day with or without a year."""
    if year is None:
        return yearless_day(p, month, day) if 1 <= month <= 12 else None
    found = make_date(year, month, day)
    return day_node(found) if found else None


def nearest_days(today: date, of_year: Callable[[int], date | None]) -> tuple[date, ...]:
    """The next such day from today on, then the last before today."""
    days = sorted({d for n in range(-9, 10) if (d := of_year(today.year + n))})
    return tuple(nearest(days, today))


@rule("calendar_day")
def iso_day(p: Parser, i: int) -> Parse | None:
    """2019-01-04, 2019/1/4, 2019.01.04, 2019/aug/01, 20161016."""
    if len(p.word(i)) == 8 and (packed := integer(p, i, 8)) is not None:
        day = make_date(packed // 10000, packed // 100 % 100, packed % 100)
        return (day_node(day), i + 1) if day and 1900 <= day.year <= 2100 else None
    year, sign = full_year(p, i), p.word(i + 1)
    if year and integer(p, i) is not None and p.word(p.optional(i + 1, (",",))) in MONTHS:
        named = p.parse("calendar_day", p.optional(i + 1, (",",)))  # 2020, January 22
        if named and named[0].day[1] and (exact := make_date(year[0], *named[0].day)):
            return day_node(exact), named[1]
    if integer(p, i) is None or not year or sign not in ("-", "/", "."):
        return None
    month = MONTHS.get(p.word(i + 2)) or integer(p, i + 2, 2)
    number = integer(p, i + 4, 2)
    if p.word(i + 3) != sign or not month or not number:
        return None
    if sign == "." and not all(p.adjacent(i + k) for k in range(1, 5)):
        return None
    day = make_date(year[0], month, number)
    return (day_node(day), i + 5) if day and not digits_continue(p, i, i + 5, sign) else None


def digits_continue(p: Parser, i: int, j: int, sign: str) -> bool:
    """Whether the digits go on left or right: no date is inside 1/2/3/4."""
    after = p.adjacent(j) and decimal_at(p, j, sign)
    if sign == "-" and len(p.word(i)) == 4:
        after = False  # 2018-09-23-page and 10/1-11/2: other signs decide
    before = p.word(i - 1) in ("/", ".") and p.adjacent(i) and integer(p, i - 2) is not None
    return after or (before and p.adjacent(i - 1))


@rule("calendar_day")
def numeric_date(p: Parser, i: int) -> Parse | None:
    """1/1/2016, 10-12-2019, 1.2.2019, 11/12/35, 22/04; both orders where both are days."""
    first, sign, second = integer(p, i, 2), p.word(i + 1), integer(p, i + 2, 2)
    if first is None or second is None or sign not in ("/", "-", ".") or p.word(i - 1) == "$":
        return None
    alone = p.word(i - 1) != "on" and p.word(i + 3) != "/"
    if (first, second, sign) == (24, 7, "/") and alone:
        return None  # round the clock
    fraction = sign == "/" and 0 < first < second and second in (2, 3, 4, 8)
    if fraction and integer(p, i - 1) is not None and not p.adjacent(i):
        return None  # 16 1/2
    close = p.adjacent(i + 1) and p.adjacent(i + 2)
    years: list[int] = []
    j = i + 3
    if p.word(j) == sign and (close == p.adjacent(j + 1)):
        if year := full_year(p, j + 1):
            years, j = [year[0]], j + 2
        elif close and p.adjacent(j) and (years := two_digit_years(p, j + 1)):
            j += 2
    if not close and not (years and len(p.word(j - 1)) == 4 and sign != "."):
        return None
    if p.word(j) in MEASURE_WORDS:
        return None
    dated = years or sign == "/" or may_be_lone_date(p, i, j)
    if not dated or digits_continue(p, i, j, sign):
        return None
    return numeric_date_node(p, first, second, years, j)


def may_be_lone_date(p: Parser, i: int, j: int) -> bool:
    """Whether "on" stands before 4.22 or 4-22 and nothing countable behind it."""
    led = p.word(i - 1) == "on" and len(p.word(i + 2)) == 2 and not p.adjacent(i)
    return led and p.lookahead(j) in AFTER_MONTH_DAY


def numeric_date_node(p: Parser, first: int, second: int, years: list[int], j: int) -> Parse | None:
    """Month first unless the reader says day first or no such day exists."""
    orders = [(first, second), (second, first)][:: -1 if p.day_first else 1]
    possible: list[int | None] = [*years] or [None]
    nodes = [dated_node(p, month, day, year) for month, day in orders for year in possible]
    found = [node for node in nodes if node]
    if not found:
        return None
    turns = zip_longest(*(node.readings for node in found))  # coming days of both orders first
    reads = tuple(dict.fromkeys(read for turn in turns for read in turn if read))
    ambiguous = len({node.likeliest for node in found}) > 1
    return replace(found[0], readings=reads, ambiguous=ambiguous), j


@rule("calendar_day")
def dotted_date(p: Parser, i: int) -> Parse | None:
    """Thu 15.05., 28.10. at 8, the 3.4.: day and month with a dot each, where a day may stand."""
    day, month, j = integer(p, i, 2), integer(p, i + 2, 2), i + 4
    dots = p.word(i + 1) == p.word(i + 3) == "." and all(p.adjacent(k) for k in range(i + 1, j))
    if not day or not month or not dots or (p.adjacent(j) and p.word(j) != ","):
        return None
    before = p.word(i - 1) in (*BEFORE_MONTH_DAY, "the")
    timed = p.parse("time", p.optional(j, (",", "at", "um"))) or p.parse("time_range", j)
    node = dated_node(p, month, day, None) if before or timed else None
    return (node, j) if node else None


@rule("calendar_day")
def month_then_day(p: Parser, i: int) -> Parse | None:
    """January 18, 2019; jan. 18th of 2019; june the 28th; february twenty second."""
    month = MONTHS.get(p.word(i))
    if not month:
        return None
    j = p.optional(i + 1, (".",)) if p.adjacent(i + 1) else i + 1
    dash = p.word(j) in ("-", "/", ",") and integer(p, j + 1) is not None
    j = p.optional(p.optional(j, ("-", "/", ",")) if dash else j, ("the",))
    spelt = integer(p, j) is None
    number = ordinal_number(p, j) or (below_hundred(p, j) if not p.parse("clock_time", j) else None)
    if number and spelt and full_year(p, j) and not full_year(p, number[1]):
        return None  # May twenty nineteen
    if not number:
        plain = integer(p, j, 2)
        clock = p.word(j + 1) in (":", "am", "pm", "h") or (
            p.word(j + 1) in ("a", "p") and p.word(j + 2) in (".", "m")
        )
        if not plain or clock:
            return None
        number = plain, j + 1
    if not 1 <= number[0] <= 31 or p.word(number[1]) in ("%", "thousand", "hundred"):
        return None
    year = following_year(p, number[1])
    verb = p.word(i) in ("may", "march") and p.tokens[i].raw.islower() and spelt
    led = p.word(i - 1) in BEFORE_MONTH_DAY or p.word(number[1]) in AFTER_MONTH_DAY
    if verb and not (led or year or p.parse("time", number[1])):
        return None
    if not year and p.word(number[1]) in ("-", "/") and p.adjacent(number[1]):
        year = full_year(p, number[1] + 1)
    node = dated_node(p, month, number[0], year[0] if year else None)
    if node is None:
        timex = f"XXXX-{month:02}-{number[0]:02}"
        return None if year else (Node("date", timex, value="not resolved", weak=True), number[1])
    return node, year[1] if year else number[1]


@rule("calendar_day")
def day_then_month(p: Parser, i: int) -> Parse | None:
    """04th Jan 2019, the fourth of july, 15 April of 87, 23 - January - 2024, 23-2020-september."""
    start = p.optional(i, ("the",))
    number = ordinal_number(p, start)
    plain = integer(p, start, 2)
    worded = below_hundred(p, start) if start == i and not number else None
    if worded and p.word(worded[1]) in MONTHS and p.word(worded[1]) not in ("may", "march"):
        number = worded  # fifteen april
    if not number and plain and not (p.word(start - 1) in (".", ":") and p.adjacent(start)):
        number = plain, start + 1
    if not number or not 1 <= number[0] <= 31:
        return None
    j, dashed = number[1], p.word(number[1]) in ("-", "/")
    if dashed and (mixed := full_year(p, j + 1)) and p.word(mixed[1]) == p.word(j):
        month = MONTHS.get(p.word(mixed[1] + 1))
        node = dated_node(p, month, number[0], mixed[0]) if month else None
        return (node, mixed[1] + 2) if node else None
    if p.match(j, "day of"):
        if start > i:
            return None
        j += 1
    dotted = p.word(j) == "." and p.adjacent(j) and p.word(j + 1) in MONTHS and plain
    j = j + 1 if dotted else p.optional(j, ("of", ",", "-", "/", "in"))
    month = MONTHS.get(p.word(j))
    if not month or (start > i and not ordinal_number(p, start)):
        return None
    j += 1
    year = following_year(p, j)
    if not year and p.word(j) in ("-", "/"):
        year = full_year(p, j + 1) if dashed else None
        if dashed and not year and len(two_digit_years(p, j + 1)) == 1 and p.adjacent(j + 1):
            year = two_digit_years(p, j + 1)[0], j + 2
    node = dated_node(p, month, number[0], year[0] if year else None)
    if not node:
        return None
    return node, year[1] if year else j


BEFORE_MONTH_DAY = set(WEEKDAYS).union(
    "on of from until till by since before after to than starting ending through".split()
)
AFTER_MONTH_DAY = LINE_ENDS.union(
    ". , ; ! ? ) at to through until for and or from in onwards".split()
)


def weekday_node(p: Parser, index: int) -> Node:
    """The next such weekday, today counting, and the last."""
    ahead = shift(p.today, (index - p.today.weekday()) % 7, "day") or p.today
    days = ahead, shift(ahead, -7, "day") or ahead
    return Node("date", f"XXXX-WXX-{index + 1}", points(days), missing="week")


def means_weekday(p: Parser, i: int, j: int) -> bool:
    """Whether a short name such as "sat" or "sun" is meant as a day."""
    if p.word(i) not in AMBIGUOUS_NAMES or p.capitalised(i):
        return True
    k = p.optional(j, (",",))
    if p.word(k) in (*MONTHS, *DAY_PARTS, *WEEKDAYS) or p.parse("day_part", k):
        return True
    if ordinal_number(p, p.optional(k, ("the",))) or p.parse("time_range", k) or p.parse("time", k):
        return True
    joint = {*"and & / to - – through thru till until".split()}
    joint |= set() if p.word(i) in ("sat", "wed") else {","}
    before = p.word(i - 1)
    if any((time := p.parse("time", k)) and time[1] == i for k in range(i - 4, i)):
        return True  # 1pm sat
    if p.word(j) in joint and p.word(j + 1) in WEEKDAYS:
        return True
    if before in joint and p.word(i - 2) in WEEKDAYS:
        return True
    if (day := p.parse("calendar_day", k)) and day[0].day[1]:
        return True  # mon 6 apr
    return before in {"on", "every", "each", "by", "until", "from", *SHIFTS, *WEEKDAYS}


@rule("calendar_day")
def named_weekday(p: Parser, i: int) -> Parse | None:
    """Friday, next fri, this upcoming Friday, last Tuesday, the following Monday."""
    j = i
    weeks: int | None = None
    coming = False
    while p.word(j) in SHIFTS and j - i < 3:
        weeks, coming = SHIFTS[p.word(j)], p.word(j) in ("coming", "upcoming", "following")
        past = p.word(j) == "past"
        j += 1
    index = WEEKDAYS.get(p.word(j))
    if index is None or not means_weekday(p, j, j + 1):
        return None
    end = j + 1
    if weeks is None and (k := p.match(end, "just gone") or p.match(end, "coming")):
        weeks, end, coming, past = -1, k, p.word(k - 1) == "coming", True
    if weeks is None:
        return weekday_node(p, index), end
    if coming:
        day = shift(p.today, (index - p.today.weekday() - 1) % 7 + 1, "day")
    elif past and weeks < 0:
        day = shift(p.today, -((p.today.weekday() - index - 1) % 7 + 1), "day")
    else:
        day = shift(monday_of(p.today), 7 * weeks + index, "day")
    return (day_node(day), end) if day else None


@rule("calendar_day")
def weekday_after_next(p: Parser, i: int) -> Parse | None:
    """The Friday after next, the Monday before last."""
    j = p.optional(i, ("the",))
    index = WEEKDAYS.get(p.word(j))
    phrases = {"after next": 2, "before last": -2, "after this one": 1, "after this": 1}
    ends = ((n, p.match(j + 1, each)) for each, n in phrases.items())
    weeks, end = next((each for each in ends if each[1]), (0, 0))
    if index is None or not end:
        return None
    day = shift(monday_of(p.today), 7 * weeks + index, "day")
    return (day_node(day), end) if day else None


@rule("calendar_day")
def shifted_date(p: Parser, i: int) -> Parse | None:
    """Next 5/12, this July 4th, last May 5."""
    word = p.word(i)
    found = p.parse("calendar_day", i + 1) if word in SHIFTS else None
    if not found or found[0].missing != "year" or p.word(i + 1) in SHIFTS:
        return None
    node, j = found
    if word in THIS:
        picked = [d for d in node.days if d.year == p.today.year]
    else:
        picked = [d for d in node.days if (d < p.today) == (word in LAST)]
    if not picked or all(integer(p, k) is None for k in range(i + 1, j)):
        return None
    return Node("date", node.timex, points(picked), node.ambiguous), j


@rule("calendar_day")
def near_day(p: Parser, i: int) -> Parse | None:
    """Today, tomorrow, the day after tomorrow, the next day, the day, same day."""
    if p.word(i) in TODAY and p.word(i) != "tonight":
        day = shift(p.today, TODAY[p.word(i)], "day")
        return (day_node(day), i + 1) if day else None
    j = p.optional(i, ("the",))
    phrases = NEAR_DAYS if j == i else NEAR_DAYS | THE_DAYS
    end, days = max(((p.match(j, each), n) for each, n in phrases.items()), default=(0, 0))
    day = shift(p.today, days, "day") if end and (days or p.word(end) != "of") else None
    return (day_node(day), end) if day else None  # the Day of the Dead is another


NEAR_DAYS = {
    "day after tomorrow": 2, "day after tmr": 2, "day before yesterday": -2, "next day": 1,
    "previous day": -1, "last day": -1, "this day": 0, "same day": 0,
}  # fmt: skip
THE_DAYS = {"following day": 1, "day after": 1, "day": 0, "day before": -1}
AFTER_ORDINAL_DAY = LINE_ENDS.union(FUNCTION_WORDS, (
    ". , ; : ! ? ) at and or from between to - with for in until if please around @ as then because"
    " by but so instead when that till onwards").split())  # fmt: skip
BEFORE_ORDINAL_DAY = {*"on by until till before after since from to".split()}


@rule("calendar_day")
def day_of_open_month(p: Parser, i: int) -> Parse | None:
    """The 15th, 15th: a day of this month or the next."""
    start = p.optional(i, ("the",))
    number = ordinal_number(p, start)
    if not number and p.word(i - 1) == "on" and (plain := integer(p, start, 2)):
        number = number_after_on(p, i, start, plain)
    elif not number and start > i and (plain := integer(p, start, 2)):
        number = (plain, start + 1) if p.word(start + 1) in ("from", "between", "at") else None
    if not number or not 1 <= number[0] <= 31:
        return None
    j = number[1]
    if start > i and (end := p.match(j, "day of the month")):
        day = make_date(p.today.year, p.today.month, number[0])
        return (day_node(day), end) if day else None
    days = nearest_month_days(p, number[0])
    if not days or (integer(p, start) is None and start == i and p.word(i - 1) != "between"):
        return None
    here = p.word(start - 1) in BEFORE_ORDINAL_DAY
    ends = p.lookahead(j) in AFTER_ORDINAL_DAY
    numeric = integer(p, start) is not None or number[0] > 20
    numeric = numeric or (number[0] > 3 and p.word(i - 1) in BEFORE_ORDINAL_DAY - {"from", "to"})
    weak = not numeric or not (ends and (start > i or here or i == 0))
    return Node("date", f"XXXX-XX-{number[0]:02}", points(days), missing="month", weak=weak), j


def number_after_on(p: Parser, i: int, start: int, number: int) -> tuple[int, int] | None:
    """On the 27; on 15 at 8:00, where a time says that it is a day."""
    j = start + 1
    if start == i:
        clock = p.parse("clock_time", j + 1) if p.word(j) in ("at", ",") else None
        return (number, j) if clock else None
    timed = p.word(j) in ("from", "between", "at")
    ends = p.lookahead(j) in LINE_ENDS.union(FUNCTION_WORDS, ". , ; ! ? ) with".split())
    return (number, j) if timed or (ends and not p.adjacent(j + 1)) else None


def nearest_month_days(p: Parser, number: int) -> list[date]:
    """That day of the month, ahead and behind."""
    first = p.today.replace(day=1)
    months = [shift(first, n, "month") for n in range(-2, 4)]
    days = [d for m in months if m and (d := make_date(m.year, m.month, number))]
    return nearest(days, p.today)


@rule("day")
def any_day(p: Parser, i: int) -> Parse | None:
    """Any of them, with the weekday said beside it: Tuesday, Jan 15; this friday 5/12."""
    found = longest((p.parse("calendar_day", i), p.parse("relative_day", i)))
    if not found:
        return None
    node, j = found
    if node.missing == "week" or (p.word(j - 1) in WEEKDAYS and node.missing == ""):
        k = p.optional(p.optional(p.optional(j, (",",)), ("the", "on")), ("the",))
        dash = p.word(k) == "-" and p.adjacent(k) and p.adjacent(k + 1) and p.word(k + 1) in MONTHS
        k = k + 1 if dash else p.optional(k, ("(",))
        exact = number_after_weekday(p, k) or dashed_after_weekday(p, k)
        exact = exact or p.parse("calendar_day", k)
        offset = p.parse("relative_day", k)
        farther = offset and (not exact or offset[1] > exact[1]) and node.missing == "week"
        if offset and farther and p.word(offset[1] - 1) not in WEEKDAYS:
            return aligned_to_weekday(offset[0], node), offset[1]
        if exact and exact[0].is_day and is_calendar_day(exact[0]):
            closing = p.word(k - 1) == "(" and p.word(exact[1]) == ")"
            return on_weekday(p, node, exact[0]), exact[1] + closing
        return found
    k = p.optional(j, ("on",))
    reckoned = found != p.parse("calendar_day", i) and p.parse("duration", p.optional(i, ("in",)))
    if p.word(k) in WEEKDAYS and k > j and reckoned:
        week = p.parse("calendar_day", k)
        if week and week[0].missing == "week":
            return aligned_to_weekday(node, week[0]), week[1]
    return date_then_weekday(p, node, j) or found


def date_then_weekday(p: Parser, node: Node, j: int) -> Parse | None:
    """May 5, Friday; 12 October (Wednesday): a date with its weekday behind it, if it is one."""
    closing = p.word(j) == "("
    k = p.optional(j, (",", "("))
    index = WEEKDAYS.get(p.word(k))
    if index is None or node.kind != "date" or not (node.day[0] or not node.missing):
        return None
    word = p.word(j - 1)
    written = word.isdigit() or word in ("st", "nd", "rd", "th") or word in MONTHS
    fit = any(day.weekday() == index for day in node.days)
    if not fit or not written or (closing and p.word(k + 1) != ")"):
        return None
    days = sorted(node.days, key=lambda day: day.weekday() != index)
    return replace(node, readings=points(days), ambiguous=False), k + 1 + closing


def is_calendar_day(node: Node) -> bool:
    """Whether a day of a month is said, as against a second weekday."""
    return not node.timex.startswith("XXXX-WXX") and node.missing in ("year", "month", "")


def aligned_to_weekday(node: Node, week: Node) -> Node:
    """The first such weekday from the reckoned day on."""
    index = int(week.timex[-1]) - 1
    days = [shift(start, (index - start.weekday()) % 7, "day") for start in node.days]
    found = [day for day in days if day]
    return Node("date", found[0].isoformat(), points(found)) if found else node


def on_weekday(p: Parser, week: Node, day: Node) -> Node:
    """The day; of several readings those on the named weekday first."""
    index = week.days[0].weekday()
    if day.missing == "month":
        number = day.days[0].day
        year, month = p.today.year, p.today.month
        places = [(year + (month + n - 1) // 12, (month + n - 1) % 12 + 1) for n in range(-9, 10)]
        days = [d for y, m in places if (d := make_date(y, m, number)) and d.weekday() == index]
        reads = points(nearest(days, p.today)) or day.readings
        return Node("date", day.timex, reads, missing="year")
    open_ = day.ambiguous and all(d.weekday() != index for d in day.days)
    days = sorted(day.days, key=lambda d: d.weekday() != index)
    return Node("date", day.timex, points(days), open_, day.missing, day.day)


AFTER_NUMBER = LINE_ENDS.union(
    FUNCTION_WORDS,
    ", . ; ! ? ) @ at and or with from between to around for please onwards onward".split(),
)


def number_after_weekday(p: Parser, i: int) -> Parse | None:
    """The 21 of "Monday 21", where nothing makes it an hour or a count."""
    spelt = ordinal_number(p, i) if integer(p, i) is None else None
    number, j = spelt or (integer(p, i, 2), i + 1)
    if not number or not 1 <= number <= 31:
        return None
    clock = p.parse("time", j)
    timed = p.parse("time_range", j) or (clock and not clock[0].weak) or p.parse("day_part", j)
    if p.lookahead(j) not in AFTER_NUMBER and not timed:
        return None
    own = p.parse("clock_time", i)
    if p.parse("time_range", i) or (own and not own[0].weak) or decimal_at(p, j):
        return None
    days = nearest_month_days(p, number)
    if not days or (p.word(j) == "to" and integer(p, j + 1) is not None):
        return None
    return Node("date", f"XXXX-XX-{number:02}", points(days), missing="month"), j


def dashed_after_weekday(p: Parser, i: int) -> Parse | None:
    """7-6 behind a weekday."""
    month, number = integer(p, i, 2), integer(p, i + 2, 2)
    close = p.adjacent(i + 1) and p.adjacent(i + 2)
    if month is None or number is None or month % 12 <= number or p.word(i + 1) != "-" or not close:
        return None
    if 8 <= month <= 11 and number <= 6:  # Monday 9-5 is a working day
        return None
    if p.word(i + 3) in ("am", "pm", "a", "p", ":", "-", "/"):
        return None
    node = yearless_day(p, month, number)
    return (node, i + 3) if node else None
