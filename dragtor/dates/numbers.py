"""Numbers in digits and words: cardinals, ordinals, years.

Every function gives (number, next token) or None.
"""

from __future__ import annotations

from dragtor.dates.reader import Reader
from dragtor.dates.words import HALVES, ONES, ORDINALS, TENS, UNITS, VAGUE

FRACTIONS = {"½": 0.5, "¼": 0.25, "¾": 0.75}


MAX_DIGITS = 7


def digits(r: Reader, i: int, most: int = MAX_DIGITS) -> int | None:
    """The token as a whole number of at most so many digits."""
    word = r.word(i)
    if word and len(word) <= most and word.isascii() and word.isdigit():
        return int(word)
    return None


def below_hundred(r: Reader, i: int) -> tuple[int, int] | None:
    """Nine, nineteen, ninety, ninety-nine, in words."""
    word = r.word(i)
    if word in ONES:
        return ONES[word], i + 1
    if word not in TENS:
        return None
    j = i + 2 if r.word(i + 1) == "-" and r.tight(i + 1) and r.tight(i + 2) else i + 1
    if r.word(j) == "and" and 0 < ONES.get(r.word(j + 1), 0) < 10 and r.word(j + 2) in UNITS:
        j += 1
    if 0 < ONES.get(r.word(j), 0) < 10:
        return TENS[word] + ONES[r.word(j)], j + 1
    return TENS[word], i + 1


def in_words(r: Reader, i: int) -> tuple[int, int] | None:
    """Up to thousands: two thousand and fifteen, a hundred."""
    found = below_hundred(r, i)
    if not found and r.word(i) == "a" and r.word(i + 1) in ("hundred", "thousand"):
        found = 1, i + 1
    if not found:
        return None
    total, j = found
    for name, size in (("thousand", 1000), ("hundred", 100)):
        if r.word(j) == name:
            total, j = total * size, j + 1
            more = below_hundred(r, r.skip(j, ("and",)))
            if more and size == 1000 and r.word(more[1]) == "hundred":
                total, j = total + more[0] * 100, more[1] + 1
                more = below_hundred(r, r.skip(j, ("and",)))
            return (total + more[0], more[1]) if more else (total, j)
    return total, j


def grouped(r: Reader, i: int) -> tuple[int, int] | None:
    """1,000 and 12,500: digits in threes behind a comma."""
    number, j = digits(r, i, 3), i + 1
    while number and r.word(j) == "," and r.tight(j) and r.tight(j + 1):
        more = digits(r, j + 1, 3)
        if more is None or len(r.word(j + 1)) != 3:
            return None
        number, j = number * 1000 + more, j + 2
    return (number, j) if number and j > i + 1 else None


def cardinal(r: Reader, i: int) -> tuple[float, int] | None:
    """A count: 3, 2.5, 1,000, 1 1/2, ½, twenty-six, a few, a couple of, two dozen."""
    if thousands := grouped(r, i):
        return thousands
    whole = digits(r, i)
    if whole is not None and r.word(i + 1) == "dozen":
        return whole * 12, i + 2
    if whole is not None:
        if r.word(i + 1) == "." and r.tight(i + 1) and r.tight(i + 2):
            part = digits(r, i + 2)
            if part is not None:
                return float(f"{whole}.{r.word(i + 2)}"), i + 3
        if r.word(i + 1) in FRACTIONS:
            return whole + FRACTIONS[r.word(i + 1)], i + 2
        if r.word(i + 2) == "/" and r.tight(i + 3) and not r.tight(i + 1):
            top, bottom = digits(r, i + 1, 1), digits(r, i + 3, 1)
            if top and bottom and top < bottom:
                return whole + top / bottom, i + 4
        if r.word(i + 1) == "and" and (half := and_half(r, i + 1)):
            return whole + half[0], half[1]
        return whole, i + 1
    if r.word(i) in FRACTIONS:
        return FRACTIONS[r.word(i)], i + 1
    j = r.skip(i, ("a", "the")) if r.word(i + 1) in VAGUE else i
    if r.word(j) in VAGUE:
        return VAGUE[r.word(j)], r.skip(j + 1, ("of",))
    words = in_words(r, i)
    if words and r.word(words[1]) == "dozen":
        return words[0] * 12, words[1] + 1
    k = words[1] + 1 if words and r.word(words[1]) == "-" else words[1] if words else 0
    if words and r.word(k) == "and" and (half := and_half(r, k)):
        return words[0] + half[0], half[1]
    return words


def and_half(r: Reader, i: int) -> tuple[float, int] | None:
    """And a half, and half: with the unit behind it."""
    j = r.skip(r.skip(r.skip(i + 1, ("-",)), ("a",)), ("-",))
    return (HALVES[r.word(j)], j + 1) if r.word(j) in HALVES else None


def ordinal(r: Reader, i: int) -> tuple[int, int] | None:
    """1st, 22nd, fourth, twenty-second, twenty second, thirty-first."""
    number = digits(r, i, 2)
    if number is not None:
        if r.word(i + 1) in ("st", "nd", "rd", "th") and r.tight(i + 1):
            return number, i + 2
        return None
    word = r.word(i)
    if word in ORDINALS:
        return ORDINALS[word], i + 1
    if word in TENS:
        j = r.skip(i + 1, ("-",))
        if 0 < ORDINALS.get(r.word(j), 0) < 10:
            return TENS[word] + ORDINALS[r.word(j)], j + 1
    return None


def rank(r: Reader, i: int) -> tuple[int, int] | None:
    """First, 3rd; -1 for last, -2 for the one before it."""
    for phrase in ("second to last", "next to last", "second last", "penultimate"):
        if j := r.has(i, phrase):
            return -2, j
    return (-1, i + 1) if r.word(i) == "last" else ordinal(r, i)


def full_year(r: Reader, i: int) -> tuple[int, int] | None:
    """2019, nineteen ninety six, twenty eighteen, two thousand and fifteen."""
    number = digits(r, i, 4)
    if number is not None:
        year = 1000 <= number <= 2199 and len(r.word(i)) == 4
        return (number, i + 1) if year and r.word(i + 1) not in ("hours", "hrs") else None
    if r.has(i, "two thousand"):
        found = in_words(r, i)
        return found if found and 2000 <= found[0] < 2100 else None
    century = below_hundred(r, i)
    if century and 13 <= century[0] <= 21:
        rest = below_hundred(r, century[1])
        if rest and rest[0] >= 10:
            return century[0] * 100 + rest[0], rest[1]
        if r.word(century[1]) in ("oh", "o", "hundred"):
            k = r.skip(century[1] + 1, ("and",))
            units = below_hundred(r, k)
            if units and (k > century[1] + 1 or r.word(century[1]) != "hundred"):
                return century[0] * 100 + units[0], units[1]
        if r.word(century[1]) == "hundred":
            return century[0] * 100, century[1] + 1
    return None


def any_year(r: Reader, i: int) -> tuple[int, int] | None:
    """A full year, or '96 and 96 where the words before promise a year."""
    if found := full_year(r, i):
        return found
    j = r.skip(i, ("'",))
    number = digits(r, j, 2)
    if number is not None and len(r.word(j)) == 2 and (j == i or r.tight(j)):
        return number + (1900 if number >= 40 else 2000), j + 1
    return None
