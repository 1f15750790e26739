"""Single days that are written out: ISO, numeric, month with day, weekdays, holidays, today.

Gives nodes of kind "date". What is reckoned from another day is in offsets.py.
"""

from __future__ import annotations

from datetime import date

from dragtor.dates import holidays
from dragtor.dates.numbers import any_year, below_hundred, digits, full_year, ordinal
from dragtor.dates.reader import Found, Node, Reader, make, rule
from dragtor.dates.words import (
    MONTHS,
    NO_CLOCK,
    SHIFT,
    WEEKDAYS,
)


def one(day: date, timex: str = "") -> Node:
    """The node of exactly one day."""
    return Node("date", timex or day.isoformat(), ((day, None),))


def yearless(r: Reader, month: int, day: int) -> Node | None:
    """The next and the last such day; 29 February waits for its leap year."""
    found = holidays.near(r.today, lambda year: make(year, month, day))
    if not found:
        return None
    reads = tuple((d, None) for d in found)
    return Node("date", f"XXXX-{month:02}-{day:02}", reads, open="year", day=(month, day))


def dated(r: Reader, month: int, day: int, year: int | None) -> Node | None:
    """A day with or without a year."""
    if year is None:
        return yearless(r, month, day) if 1 <= month <= 12 else None
    found = make(year, month, day)
    return one(found) if found else None


def short_years(r: Reader, i: int) -> list[int]:
    """The years that two digits may mean, the likelier first; none if there are not two digits."""
    number = digits(r, i, 2)
    if number is None or len(r.word(i)) != 2:
        return []
    if number < 30:
        return [2000 + number]
    return [2000 + number, 1900 + number] if number < 40 else [1900 + number]


def year_after(r: Reader, j: int) -> tuple[int, int] | None:
    """A year behind a month or a day: 2019 / , 2019 / of 1987 / in 2017 / '19 / of 87."""
    own = r.skip(j, ("of",))
    if r.word(own) in SHIFT and r.word(own + 1) == "year":
        return r.today.year + SHIFT[r.word(own)], own + 2
    comma = r.skip(j, (",",))
    if found := full_year(r, comma):
        numeric = digits(r, comma) is not None
        if numeric and r.word(found[1]) in (":", "%") and r.tight(found[1]):
            return None
        clock = r.word(found[1]) in ("am", "pm", "o", "hour", "-") and not numeric
        return None if clock else found
    if r.word(j) in ("of", "in"):
        return any_year(r, j + 1)
    return any_year(r, comma) if r.word(comma) == "'" else None


@rule("day0")
def iso(r: Reader, i: int) -> Found | None:
    """2019-01-04, 2019/1/4, 2019.01.04, 2019/aug/01, 20161016."""
    if len(r.word(i)) == 8 and (packed := digits(r, i, 8)) is not None:
        day = make(packed // 10000, packed // 100 % 100, packed % 100)
        return (one(day), i + 1) if day and 1900 <= day.year <= 2100 else None
    year, sign = full_year(r, i), r.word(i + 1)
    if year and digits(r, i) is not None and r.word(r.skip(i + 1, (",",))) in MONTHS:
        named = r.read("day0", r.skip(i + 1, (",",)))  # 2020, January 22
        if named and named[0].day[1] and (exact := make(year[0], *named[0].day)):
            return one(exact), named[1]
    if digits(r, i) is None or not year or sign not in ("-", "/", "."):
        return None
    month = MONTHS.get(r.word(i + 2)) or digits(r, i + 2, 2)
    number = digits(r, i + 4, 2)
    if r.word(i + 3) != sign or not month or not number:
        return None
    if sign == "." and not all(r.tight(i + k) for k in range(1, 5)):
        return None
    day = make(year[0], month, number)
    return (one(day), i + 5) if day and not glued(r, i, i + 5, sign) else None


def glued(r: Reader, i: int, j: int, sign: str) -> bool:
    """Whether the digits go on left or right: no date is inside 1/2/3/4."""
    after = r.word(j) == sign and r.tight(j) and digits(r, j + 1) is not None and r.tight(j + 1)
    if after and sign == "-" and len(r.word(i)) == 4:
        after = False  # 2018-09-23-page and 10/1-11/2: other signs decide
    before = r.word(i - 1) in ("/", ".") and r.tight(i) and digits(r, i - 2) is not None
    return after or (before and r.tight(i - 1))


@rule("day0")
def numeric(r: Reader, i: int) -> Found | None:
    """1/1/2016, 10-12-2019, 1.2.2019, 11/12/35, 22/04; both orders where both are days."""
    first, sign, second = digits(r, i, 2), r.word(i + 1), digits(r, i + 2, 2)
    if first is None or second is None or sign not in ("/", "-", ".") or r.word(i - 1) == "$":
        return None
    alone = r.word(i - 1) != "on" and r.word(i + 3) != "/"
    if (first, second, sign) == (24, 7, "/") and alone:
        return None  # round the clock
    fraction = sign == "/" and 0 < first < second and second in (2, 3, 4, 8)
    if fraction and digits(r, i - 1) is not None and not r.tight(i):
        return None  # 16 1/2
    close = r.tight(i + 1) and r.tight(i + 2)
    years: list[int] = []
    j = i + 3
    if r.word(j) == sign and (close == r.tight(j + 1)):
        if year := full_year(r, j + 1):
            years, j = [year[0]], j + 2
        elif close and r.tight(j) and (years := short_years(r, j + 1)):
            j += 2
    if not close and not (years and len(r.word(j - 1)) == 4 and sign != "."):
        return None
    if r.word(j) in NO_CLOCK:
        return None
    if (
        (not years and sign != "/" and not lone(r, i, j))
        or glued(r, i, j, sign)
        or (r.word(j) == "%")
    ):
        return None
    return numeric_node(r, first, second, years, j)


def lone(r: Reader, i: int, j: int) -> bool:
    """Whether "on" stands before 4.22 or 4-22 and nothing countable behind it."""
    wide = len(r.word(i + 2)) == 2
    return r.word(i - 1) == "on" and wide and r.after(j) in AFTER_VERB and not r.tight(i)


def numeric_node(r: Reader, first: int, second: int, years: list[int], j: int) -> Found | None:
    """Month first unless the reader says day first or no such day exists."""
    orders = (
        [(second, first), (first, second)] if r.day_first else [(first, second), (second, first)]
    )
    possible: list[int | None] = [*years] or [None]
    nodes = [dated(r, month, day, year) for month, day in orders for year in possible]
    found = [node for node in nodes if node]
    if not found:
        return None
    reads: list[tuple[date, None]] = []
    for k in range(max(len(node.reads) for node in found)):  # coming days of both orders first
        for node in found:
            if k < len(node.reads) and node.reads[k] not in reads:
                reads.append(node.reads[k])  # type: ignore[arg-type]
    best = found[0]
    ambiguous = len({node.reads[0] for node in found}) > 1
    return Node("date", best.timex, tuple(reads), ambiguous, best.open, best.day), j


@rule("day0")
def month_day(r: Reader, i: int) -> Found | None:
    """January 18, 2019; jan. 18th of 2019; june the 28th; february twenty second."""
    month = MONTHS.get(r.word(i))
    if not month:
        return None
    j = r.skip(i + 1, (".",)) if r.tight(i + 1) else i + 1
    dash = r.word(j) in ("-", "/", ",") and digits(r, j + 1) is not None
    j = r.skip(r.skip(j, ("-", "/", ",")) if dash else j, ("the",))
    spelt = digits(r, j) is None
    number = ordinal(r, j) or (below_hundred(r, j) if not r.read("clock0", j) else None)
    if number and spelt and full_year(r, j) and not full_year(r, number[1]):
        return None  # May twenty nineteen
    if not number:
        plain = digits(r, j, 2)
        clock = r.word(j + 1) in (":", "am", "pm", "h") or (
            r.word(j + 1) in ("a", "p") and r.word(j + 2) in (".", "m")
        )
        if not plain or clock:
            return None
        number = plain, j + 1
    if not 1 <= number[0] <= 31 or r.word(number[1]) in ("%", "thousand", "hundred"):
        return None
    verb = r.word(i) in ("may", "march") and r.tokens[i].raw.islower() and spelt
    if (
        verb
        and r.word(number[1]) not in AFTER_VERB
        and not (
            r.word(i - 1) in BEFORE_DAY or r.read("clock", number[1]) or year_after(r, number[1])
        )
    ):
        return None
    year = year_after(r, number[1])
    if not year and r.word(number[1]) in ("-", "/") and r.tight(number[1]):
        year = full_year(r, number[1] + 1)
    node = dated(r, month, number[0], year[0] if year else None)
    if node is None:
        timex = f"XXXX-{month:02}-{number[0]:02}"
        return None if year else (Node("date", timex, value="not resolved", weak=True), number[1])
    return node, year[1] if year else number[1]


@rule("day0")
def day_month(r: Reader, i: int) -> Found | None:
    """04th Jan 2019, the fourth of july, 15 April of 87, 23 - January - 2024, 23-2020-september."""
    start = r.skip(i, ("the",))
    number = ordinal(r, start)
    plain = digits(r, start, 2)
    worded = below_hundred(r, start) if start == i and not number else None
    if worded and r.word(worded[1]) in MONTHS and r.word(worded[1]) not in ("may", "march"):
        number = worded  # fifteen april
    if not number and plain and not (r.word(start - 1) in (".", ":") and r.tight(start)):
        number = plain, start + 1
    if not number or not 1 <= number[0] <= 31:
        return None
    j, dashed = number[1], r.word(number[1]) in ("-", "/")
    if dashed and (mixed := full_year(r, j + 1)) and r.word(mixed[1]) == r.word(j):
        month = MONTHS.get(r.word(mixed[1] + 1))
        node = dated(r, month, number[0], mixed[0]) if month else None
        return (node, mixed[1] + 2) if node else None
    if r.has(j, "day of"):
        if start > i:
            return None
        j += 1
    dotted = r.word(j) == "." and r.tight(j) and r.word(j + 1) in MONTHS and plain
    j = j + 1 if dotted else r.skip(j, ("of", ",", "-", "/", "in"))
    month = MONTHS.get(r.word(j))
    if not month or (start > i and not ordinal(r, start)):
        return None
    j += 1
    year = year_after(r, j)
    if not year and r.word(j) in ("-", "/"):
        year = full_year(r, j + 1) if dashed else None
        if dashed and not year and len(short_years(r, j + 1)) == 1 and r.tight(j + 1):
            year = short_years(r, j + 1)[0], j + 2
    node = dated(r, month, number[0], year[0] if year else None)
    if not node:
        return None
    return node, year[1] if year else j


BEFORE_DAY = {
    *"on of from until till by since before after to than starting ending through".split(),
    *WEEKDAYS,
}
AFTER_VERB = {*". , ; ! ? ) at to through until for and or from in onwards".split(), "", "\n"}
