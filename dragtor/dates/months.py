"""Months, with or without a year: april, apr '17, next may, 12-2015, dec/2018.

Tells the month from the verb in may and march. Gives nodes of kind "daterange".
"""

from __future__ import annotations

from dragtor.dates.numbers import any_year, digits, full_year, ordinal
from dragtor.dates.periods import of_months, said_year, year_meant
from dragtor.dates.reader import Found, Reader, rule
from dragtor.dates.words import EARLY, MONTHS, SHIFT

IN = set(
    (
        "in since until till by than next last this of early mid late from to through between"
        " during before after for end every each starting beginning "
    ).split()
)


SURELY = {
    "by",
    "before",
    "after",
    "in",
    "since",
    "of",
    "early",
    "mid",
    "late",
    "during",
    "throughout",
    "until",
    "till",
    "every",
}
TO = ("to", "till", "til", "until", "through", "thru", "-", "–", "—")


@rule("period0")
def month(r: Reader, i: int) -> Found | None:
    """April, april 2017, april of 87, next may, dec/2018, the month of June."""
    j = r.has(i, "the month of") or r.has(i, "month of") or i
    word = r.word(j)
    said = word in SHIFT and word not in ("coming", "upcoming")
    k = j + 1 if word in SHIFT else j
    number = MONTHS.get(r.word(k))
    if not number:
        return None
    end = k + 1
    year = month_year(r, end)
    if no_such_day(r, k, end):
        return None
    if not year and k == j == i and not month_meant(r, i, end):
        return None
    if word in SHIFT and number == 5 and not year and r.word(end) not in AFTER_MAY:
        return None
    if word in SHIFT:
        return relative_month(r, number, SHIFT[word] if said else 2, end)
    timex = f"{year[0]:04}-{number:02}" if year else f"XXXX-{number:02}"
    node = of_months(r, number, 1, year[0] if year else None, timex)
    return (node, year[1] if year else end) if node else None


def no_such_day(r: Reader, i: int, end: int) -> bool:
    """Feb 30, 31 April: a day is said that the month has not."""
    behind = digits(r, end, 2)
    if behind and behind <= 31 and r.word(end + 1) not in (":", "/", "am", "pm"):
        return not day_stands(r, i)
    if r.word(i - 2) in (".", ",", ":") and r.tight(i - 1) and r.tight(i - 2):
        return False
    ahead = digits(r, i - 1, 2) or (ordinal(r, i - 2) or (0,))[0]
    return bool(
        ahead and 29 <= ahead <= 31 and not day_stands(r, i - 1) and not day_stands(r, i - 2)
    )


def day_stands(r: Reader, i: int) -> bool:
    """Whether a day that exists is written here."""
    found = r.read("day0", i)
    return bool(found and found[0].reads)


def month_year(r: Reader, j: int) -> tuple[int, int] | None:
    """2017 / , 2017 / of 87 / in 2017 / '17 / -2018 behind a month."""
    if r.word(j) in ("of", "in"):
        k = r.skip(j + 1, ("the",))
        k = r.skip(k, ("year",)) if k > j + 1 or r.word(j + 1) == "year" else k
        return any_year(r, k) or said_year(r, j + 1)
    k = r.skip(j, (",", "/", "-"))
    year = full_year(r, k) or (any_year(r, k) if r.word(k) == "'" else None) or said_year(r, k)
    if year and r.word(year[1]) == ":" and r.tight(year[1]):
        return None
    if year and r.word(j) in ("-", "/") and r.tight(year[1]) and r.word(year[1]) in ("-", "/"):
        return year if MONTHS.get(r.word(year[1] + 1)) else None
    return year


def month_meant(r: Reader, i: int, j: int) -> bool:
    """Whether "may", "march" or "mar" is the month here."""
    word, before, after = r.word(i), r.word(i - 1), r.after(j)
    if word not in ("may", "march") and len(word) > 4:
        return True
    if (before in SURELY and after not in ("be", "have", "not", "well")) or (
        before in TO and r.word(i - 2) in MONTHS
    ):
        return True
    limit = after in ("or", "and") and r.word(j + 1) in ("later", "earlier", "before", "after")
    if limit or after in ("onwards", "onward"):
        return True
    if after in (*TO, "and", "or") and joined_to(r, j + 1):
        return True
    if word == "may" and after not in AFTER_MAY:
        return False
    if before in IN or (before in ("the", "-") and r.word(i - 2) in IN):
        return True
    if before in ("and", "-", "or") and r.word(i - 2) in MONTHS:
        return True
    return word in ("june", "july", "march") and (word != "march" or r.capital(i))


def joined_to(r: Reader, j: int) -> bool:
    """Whether another month, or a part of one, stands here."""
    k = r.skip(j, ("the",))
    k = r.skip(r.skip(k + 1, ("-",)), ("of",)) if r.word(k) in EARLY else k
    return r.word(k) in MONTHS and r.word(k) != "may"  # may or may not


AFTER_MAY = set(
    (
        ". , ; : ! ? ) - – / to through until till for in at on with and from of as by we i "
        "before after because when "
    ).split()
) | {"", "\n", '"', "”", "]", "please", "is", "was", "works"}


def relative_month(r: Reader, number: int, years: int, end: int) -> Found | None:
    """Next may is next year's; the coming one is the next to come."""
    year = r.today.year + (years if years < 2 else int(number <= r.today.month))
    node = of_months(r, number, 1, year, f"{year:04}-{number:02}")
    return (node, end) if node else None


@rule("period0")
def year_month(r: Reader, i: int) -> Found | None:
    """2017 april."""
    year = full_year(r, i)
    number = MONTHS.get(r.word(year[1])) if year and digits(r, i) is not None else None
    if not year or not number or day_stands(r, year[1]) or not year_meant(r, i, i + 1):
        return None
    node = of_months(r, number, 1, year[0], f"{year[0]:04}-{number:02}")
    return (node, year[1] + 1) if node else None


@rule("period0")
def numeric_month(r: Reader, i: int) -> Found | None:
    """12-2015, 2015-12, 12/2015."""
    first, sign, second = digits(r, i, 4), r.word(i + 1), digits(r, i + 2, 4)
    if first is None or second is None or sign not in ("-", "/"):
        return None
    wide = full_year(r, i), full_year(r, i + 2)
    near = r.word(i - 1) in ("-", "/", ".") and r.tight(i)
    if near or (r.word(i + 3) in ("-", "/") and r.tight(i + 4) and digits(r, i + 4) is not None):
        return None
    if wide[0] and not wide[1] and 1 <= second <= 12 and r.tight(i + 1) and r.tight(i + 2):
        year, number = first, second
    elif wide[1] and not wide[0] and 1 <= first <= 12:
        year, number = second, first
    else:
        return None
    node = of_months(r, number, 1, year, f"{year:04}-{number:02}")
    return (node, i + 3) if node else None
