"""Numbers in digits and words (cardinals, ordinals, years) and durations: an hour and a half.

Functions of numbers give (number, next token) or None; rules give nodes of kind "duration", where a
month counts 30 days and a year 365, as in TIMEX tools.
"""

from __future__ import annotations

import re
from datetime import datetime

from dragtor.dates.parser import Node, Parse, Parser, rule
from dragtor.dates.words import (
    FRACTION_WORDS,
    LINE_ENDS,
    ONES,
    ORDINALS,
    SECONDS_OF,
    SHIFTS,
    SHORT_UNITS,
    TENS,
    TIMEX_UNITS,
    UNITS,
    VAGUE_NUMBERS,
)

FRACTIONS = {"½": 0.5, "¼": 0.25, "¾": 0.75}
MAX_DIGITS = 7


def integer(p: Parser, i: int, most: int = MAX_DIGITS) -> int | None:
    """The token as a whole number of at most so many digits."""
    word = p.word(i)
    if word and len(word) <= most and word.isascii() and word.isdigit():
        return int(word)
    return None


def below_hundred(p: Parser, i: int) -> tuple[int, int] | None:
    """Nine, nineteen, ninety, ninety-nine, in words."""
    word = p.word(i)
    if word in ONES:
        return ONES[word], i + 1
    if word not in TENS:
        return None
    j = i + 2 if p.word(i + 1) == "-" and p.adjacent(i + 1) and p.adjacent(i + 2) else i + 1
    if p.word(j) == "and" and 0 < ONES.get(p.word(j + 1), 0) < 10 and p.word(j + 2) in UNITS:
        j += 1
    if 0 < ONES.get(p.word(j), 0) < 10:
        return TENS[word] + ONES[p.word(j)], j + 1
    return TENS[word], i + 1


def small_number(p: Parser, i: int) -> tuple[int, int] | None:
    """A number of two digits, or of words below a hundred."""
    plain = integer(p, i, 2)
    return below_hundred(p, i) or ((plain, i + 1) if plain is not None else None)


def decimal_at(p: Parser, j: int, signs: str = ".,") -> bool:
    """Whether a number goes on here with one of the signs and a digit: .5, ,000."""
    return p.word(j) in (*signs,) and p.adjacent(j + 1) and integer(p, j + 1) is not None


def ordinal_or_final(p: Parser, i: int) -> tuple[int, int] | None:
    """First, 3rd; -1 for last."""
    return (-1, i + 1) if p.word(i) == "last" else ordinal_number(p, i)


def cardinal_words(p: Parser, i: int) -> tuple[int, int] | None:
    """Up to thousands: two thousand and fifteen, a hundred."""
    found = below_hundred(p, i)
    if not found and p.word(i) == "a" and p.word(i + 1) in ("hundred", "thousand"):
        found = 1, i + 1
    if not found:
        return None
    total, j = found
    for name, size in (("thousand", 1000), ("hundred", 100)):
        if p.word(j) == name:
            total, j = total * size, j + 1
            more = below_hundred(p, p.optional(j, ("and",)))
            if more and size == 1000 and p.word(more[1]) == "hundred":
                total, j = total + more[0] * 100, more[1] + 1
                more = below_hundred(p, p.optional(j, ("and",)))
            return (total + more[0], more[1]) if more else (total, j)
    return total, j


def grouped_digits(p: Parser, i: int) -> tuple[int, int] | None:
    """1,000 and 12,500: digits in threes behind a comma."""
    number, j = integer(p, i, 3), i + 1
    while number and p.word(j) == "," and p.adjacent(j) and p.adjacent(j + 1):
        more = integer(p, j + 1, 3)
        if more is None or len(p.word(j + 1)) != 3:
            return None
        number, j = number * 1000 + more, j + 2
    return (number, j) if number and j > i + 1 else None


def cardinal(p: Parser, i: int) -> tuple[float, int] | None:
    """A count: 3, 2.5, 1,000, 1 1/2, ½, twenty-six, a few, a couple of, two dozen."""
    if thousands := grouped_digits(p, i):
        return thousands
    whole = integer(p, i)
    if whole is not None:
        if p.word(i + 1) == "dozen":
            return whole * 12, i + 2
        if p.word(i + 1) == "." and p.adjacent(i + 1) and p.adjacent(i + 2):
            part = integer(p, i + 2)
            if part is not None:
                return float(f"{whole}.{p.word(i + 2)}"), i + 3
        if p.word(i + 1) in FRACTIONS:
            return whole + FRACTIONS[p.word(i + 1)], i + 2
        if p.word(i + 2) == "/" and p.adjacent(i + 3) and not p.adjacent(i + 1):
            top, bottom = integer(p, i + 1, 1), integer(p, i + 3, 1)
            if top and bottom and top < bottom:
                return whole + top / bottom, i + 4
        if p.word(i + 1) == "and" and (half := and_half(p, i + 1)):
            return whole + half[0], half[1]
        return whole, i + 1
    if p.word(i) in FRACTIONS:
        return FRACTIONS[p.word(i)], i + 1
    j = p.optional(i, ("a", "the")) if p.word(i + 1) in VAGUE_NUMBERS else i
    if p.word(j) in VAGUE_NUMBERS:
        return VAGUE_NUMBERS[p.word(j)], p.optional(j + 1, ("of",))
    words = cardinal_words(p, i)
    if words and p.word(words[1]) == "dozen":
        return words[0] * 12, words[1] + 1
    k = p.optional(words[1], ("-",)) if words else 0
    if words and p.word(k) == "and" and (half := and_half(p, k)):
        return words[0] + half[0], half[1]
    return words


def and_half(p: Parser, i: int) -> tuple[float, int] | None:
    """And a half, and half: with the unit behind it."""
    j = p.optional(p.optional(p.optional(i + 1, ("-",)), ("a",)), ("-",))
    return (FRACTION_WORDS[p.word(j)], j + 1) if p.word(j) in FRACTION_WORDS else None


def ordinal_number(p: Parser, i: int) -> tuple[int, int] | None:
    """1st, 22nd, fourth, twenty-second, twenty second, thirty-first."""
    number = integer(p, i, 2)
    if number is not None:
        ends = p.word(i + 1) in ("st", "nd", "rd", "th") and p.adjacent(i + 1)
        return (number, i + 2) if ends else None
    word = p.word(i)
    if word in ORDINALS:
        return ORDINALS[word], i + 1
    if word in TENS:
        j = p.optional(i + 1, ("-",))
        if 0 < ORDINALS.get(p.word(j), 0) < 10:
            return TENS[word] + ORDINALS[p.word(j)], j + 1
    return None


def ordinal_or_last(p: Parser, i: int) -> tuple[int, int] | None:
    """First, 3rd; -1 for last, -2 for the one before it."""
    for phrase in ("second to last", "next to last", "second last", "penultimate"):
        for each in (phrase, phrase.replace(" ", " - ")):
            if j := p.match(i, each):
                return -2, j
    return ordinal_or_final(p, i)


def full_year(p: Parser, i: int) -> tuple[int, int] | None:
    """2019, nineteen ninety six, twenty eighteen, two thousand and fifteen."""
    number = integer(p, i, 4)
    if number is not None:
        year = 1000 <= number <= 2199 and len(p.word(i)) == 4
        return (number, i + 1) if year and p.word(i + 1) not in ("hours", "hrs") else None
    if p.match(i, "two thousand"):
        found = cardinal_words(p, i)
        return found if found and 2000 <= found[0] < 2100 else None
    century = below_hundred(p, i)
    if century and 13 <= century[0] <= 21:
        rest = below_hundred(p, century[1])
        if rest and rest[0] >= 10:
            return century[0] * 100 + rest[0], rest[1]
        if p.word(century[1]) in ("oh", "o", "hundred"):
            k = p.optional(century[1] + 1, ("and",))
            units = below_hundred(p, k)
            if units and (k > century[1] + 1 or p.word(century[1]) != "hundred"):
                return century[0] * 100 + units[0], units[1]
        if p.word(century[1]) == "hundred":
            return century[0] * 100, century[1] + 1
    return None


def any_year(p: Parser, i: int) -> tuple[int, int] | None:
    """A full year, or '96 and 96 where the words before promise a year."""
    if found := full_year(p, i):
        return found
    j = p.optional(i, ("'",))
    number = integer(p, j, 2)
    if number is not None and len(p.word(j)) == 2 and (j == i or p.adjacent(j)):
        return number + (1900 if number >= 40 else 2000), j + 1
    return None


def two_digit_years(p: Parser, i: int) -> list[int]:
    """The years that two digits may mean, the likelier first; none if there are not two digits."""
    number = integer(p, i, 2)
    if number is None or len(p.word(i)) != 2:
        return []
    if number < 30:
        return [2000 + number]
    return [2000 + number, 1900 + number] if number < 40 else [1900 + number]


def following_year(p: Parser, j: int) -> tuple[int, int] | None:
    """A year behind a month or a day: 2019 / , 2019 / of 1987 / in 2017 / '19 / of 87."""
    own = p.optional(j, ("of",))
    if p.word(own) in SHIFTS and p.word(own + 1) == "year":
        return p.today.year + SHIFTS[p.word(own)], own + 2
    comma = p.optional(j, (",",))
    if found := full_year(p, comma):
        numeric = integer(p, comma) is not None
        if numeric and p.word(found[1]) in (":", "%") and p.adjacent(found[1]):
            return None
        clock = p.word(found[1]) in ("am", "pm", "o", "hour", "-") and not numeric
        return None if clock else found
    if p.word(j) in ("of", "in"):
        return any_year(p, j + 1)
    return any_year(p, comma) if p.word(comma) == "'" else None


Amounts = tuple[tuple[float, str], ...]
BUSINESS = {"business", "working", "work"}
AFTER_ARTICLE = set("full whole good single solid entire additional extra further".split())
AFTER_COUNT = (
    "more full whole straight consecutive additional extra further calendar complete".split()
)


def number_text(number: float) -> str:
    """2 and 2.5, never 2.0."""
    return f"{number:.10g}"


def duration_node(amounts: Amounts, mod: str = "") -> Node:
    """The node of so many units."""
    day, clock = "", ""
    for number, unit in amounts:
        size, letter = TIMEX_UNITS[unit]
        text = number_text(number * size)
        if letter[0] == "T":
            clock += text + letter[1]
        else:
            day += text + letter
    timex = f"P{day}" + (f"T{clock}" if clock else "")
    seconds = sum(number * SECONDS_OF[unit] for number, unit in amounts)
    value = number_text(seconds) if seconds < 1e10 else f"{seconds:.0f}"
    return Node("duration", timex, amounts=amounts, value=value, mod=mod)


def time_unit(p: Parser, i: int, after_digit: bool = False) -> tuple[str, int] | None:
    """A unit's name: hours, business days; short ones (m, d, y) only tight behind a digit."""
    word = p.word(i)
    if len(word) == 1 and p.tokens[i].raw.isupper() and p.adjacent(i):
        return None  # a 3D image
    if word in BUSINESS and p.word(i + 1) in ("day", "days"):
        return "business day", i + 2
    if word in UNITS:
        if len(word) == 1 and not (after_digit and (p.adjacent(i) or word == "h")):
            return None
        j = i + 1
        dotted = p.word(j) == "." and p.adjacent(j) and word in ("hr", "hrs", "min", "mins", "sec")
        if dotted and p.word(j + 1).islower() and not p.capitalised(j + 1):
            j += 1
        return UNITS[word], j
    if after_digit and p.adjacent(i) and word in SHORT_UNITS:
        return SHORT_UNITS[word], i + 1
    return None


def amount(p: Parser, i: int) -> tuple[float, str, int] | None:
    """(number, unit, next): 3 days, 90-minute, half an hour, a week, an hour and a half."""
    word = p.word(i)
    if word in FRACTION_WORDS or (word == "a" and p.word(i + 1) in FRACTION_WORDS):
        j = p.optional(i, ("a",)) + 1
        j = p.optional(p.optional(p.optional(j, ("of", "-")), ("a", "an")), ("-",))
        unit = time_unit(p, j)
        plural = p.word(unit[1] - 1).endswith("s") if unit else False
        if unit and SECONDS_OF[unit[0]] >= 60 and not plural:
            return FRACTION_WORDS[p.word(p.optional(i, ("a",)))], unit[0], unit[1]
        return None
    described = word in ("a", "an") and p.word(i + 1) in AFTER_ARTICLE
    if described or word == "another":
        unit = time_unit(p, i + 2 if described else i + 1)
        several = None if unit or p.word(i + 1) in ("a", "an", "another") else amount(p, i + 1)
        return (1, unit[0], unit[1]) if unit else several
    if p.word(i) in ("three", "3") and p.match(i + 1, "quarters of"):
        unit = time_unit(p, p.optional(i + 3, ("a", "an")))
        return (0.75, unit[0], unit[1]) if unit and SECONDS_OF[unit[0]] >= 60 else None
    counted = (1.0, i + 1) if word in ("a", "an") and not cardinal(p, i) else cardinal(p, i)
    if not counted and word == "hour" and p.match(i + 1, "and a half"):
        return 1.0, "hour", i + 1
    if not counted:
        return None
    number, j = counted
    numeric = integer(p, i) is not None
    if p.word(j) == "-" and p.word(j + 1) not in ("s", "h"):
        j += 1
    j = p.optional(j, AFTER_COUNT) if word != "a" else j
    unit = time_unit(p, j, numeric)
    if unit and p.word(j) == "s" and len(word) == 4 and j == i + 1 and p.adjacent(j):
        return None  # 1990s
    if not unit or (word == "a" and unit[0] == "second" and p.word(j) != "secs"):
        return None
    single = p.word(unit[1] - 1) == "night" and p.word(j - 1) != "-"  # three night
    return None if single and number > 1 else (number, *unit)


def added_fraction(p: Parser, j: int) -> tuple[float, int]:
    """And a half, and quarter: what is added to the last unit."""
    if p.word(j) == "and":
        end = p.match(j + 1, "three quarters")
        if end and not time_unit(p, end) and p.word(end) != "of":
            return 0.75, end
        k = p.optional(j + 1, ("a", "an")) + 1
        added = FRACTION_WORDS.get(p.word(k - 1))
        if added and not time_unit(p, k) and p.word(k) not in ("a", "an"):
            return added, k
    return 0.0, j


def next_amount_at(p: Parser, j: int, parts: list[tuple[float, str]]) -> int:
    """Where the next amount stands: behind a comma only after a whole number."""
    if not parts:
        return j
    whole_number = parts[-1][0] == int(parts[-1][0])
    return p.optional(p.optional(j, (",",)) if whole_number else j, ("and",))


@rule("duration")
def summed_amounts(p: Parser, i: int) -> Parse | None:
    """Numbers with units, joined by nothing, a comma or "and"; each smaller than the last."""
    parts: list[tuple[float, str]] = []
    j = i
    while (found := amount(p, next_amount_at(p, j, parts))) is not None:
        number, unit, after = found
        if parts and (SECONDS_OF[unit] >= SECONDS_OF[parts[-1][1]] or len(parts) > 5):
            break
        if parts and number * SECONDS_OF[unit] >= 3 * SECONDS_OF[parts[-1][1]]:
            break  # two days 1500 hours
        more, after = added_fraction(p, after)
        parts.append((number + more, unit))
        j = after
    if not parts:
        return None
    if parts[-1][1] == "hour" and p.adjacent(j) and integer(p, j, 2) is not None:
        parts.append((float(integer(p, j, 2) or 0), "minute"))  # 1h30
        j = p.optional(j + 1, ("m",))
    elif parts[-1][1] == "hour" and (rest := trailing_minutes(p, j)):
        parts.append((float(rest[0]), "minute"))
        j = rest[1]
    return duration_node(tuple(parts)), j


def trailing_minutes(p: Parser, j: int) -> tuple[int, int] | None:
    """The minutes of "1 hour 30" and "an hour and fifteen", with nothing behind them."""
    k = p.optional(j, ("and",))
    found = small_number(p, k)
    if not found or p.lookahead(found[1]) not in LINE_ENDS.union(".,;!?)"):
        return None
    decimal = p.adjacent(found[1] + 1) and integer(p, found[1] + 1) is not None
    return found if 5 <= found[0] < 60 and not decimal else None


@rule("duration")
def whole_unit(p: Parser, i: int) -> Parse | None:
    """All week, all-day, the whole day, a full hour without its article."""
    k = p.optional(i, ("the",))
    word = p.word(k)
    if word not in ("all", "whole", "entire", "full", "solid") or (word == "all" and k > i):
        return None
    j = k + 2 if p.word(k + 1) == "-" and p.adjacent(k + 1) and p.adjacent(k + 2) else k + 1
    unit = time_unit(p, p.optional(j, ("the",)))
    if not unit or unit[1] - j > 1 or unit[0] in ("second", "minute") or p.word(j)[-1:] == "s":
        return None
    return duration_node(((1.0, unit[0]),)), unit[1]


@rule("bounded_duration")
def bounded_duration(p: Parser, i: int) -> Parse | None:
    """Less than 2 hours, more than 4 days."""
    j = p.match(i, "less than") or p.match(i, "more than")
    found = p.parse("duration", j) if j else None
    return (duration_node(found[0].amounts, p.word(i)), found[1]) if found else None


def minutes(phrase: str) -> int | None:
    """The whole minutes of a duration in words, None where the phrase holds none."""

    p = Parser(re.sub(r"(?<!\d)\.(?=\d)", "0.", phrase), datetime(2000, 1, 1))
    for i in range(len(p.tokens)):
        hours, rest = integer(p, i, 2), integer(p, i + 2, 2)
        if hours is not None and p.word(i + 1) == ":" and rest is not None and rest < 60:
            return hours * 60 + rest  # 1:30, 1:30 hours
        if found := p.parse("duration", i):
            seconds = float(found[0].value)
            return round(seconds / 60) if seconds < 1e10 else None
    return None
