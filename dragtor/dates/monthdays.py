"""From one day of a month to another: November 19-20, the 3rd to the 12th of September.

Gives nodes of kind "daterange".
"""

from __future__ import annotations

from datetime import date

from dragtor.dates.days import year_after
from dragtor.dates.numbers import below_hundred, digits, ordinal
from dragtor.dates.ranges import EITHER, TO, like
from dragtor.dates.reader import Found, Node, Reader, make, rule, shift
from dragtor.dates.words import MONTHS


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
        year = year_after(r, number[1])
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
    found = ordinal(r, i) or below_hundred(r, i)
    if not found and (plain_number := digits(r, i, 2)):
        found = plain_number, i + 1
    return found if found and 1 <= found[0] <= 31 else None


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
