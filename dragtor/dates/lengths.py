"""Durations: 45 mins, an hour and a half, 2 hours 30 minutes, all week, some days.

A month counts 30 days and a year 365, as TIMEX tools do.
"""

from __future__ import annotations

import re

from dragtor.dates.numbers import below_hundred, cardinal, digits
from dragtor.dates.reader import Found, Node, Reader, rule
from dragtor.dates.words import HALVES, SECONDS, SHORT_UNITS, TIMEX, UNITS

Amounts = tuple[tuple[float, str], ...]


BUSINESS = {"business", "working", "work"}


DESCRIBED = {"full", "whole", "good", "single", "solid", "entire", "additional", "extra", "further"}
MORE = ("more", "full", "whole", "straight", "consecutive", "additional", "extra", "further",
        "calendar", "complete")  # fmt: skip


def number_text(number: float) -> str:
    """2 and 2.5, never 2.0."""
    return f"{number:.10g}"


def duration(amounts: Amounts, mod: str = "") -> Node:
    """The node of so many units."""
    day, clock = "", ""
    for number, unit in amounts:
        size, letter = TIMEX[unit]
        text = number_text(number * size)
        if letter[0] == "T":
            clock += text + letter[1]
        else:
            day += text + letter
    timex = f"P{day}" + (f"T{clock}" if clock else "")
    seconds = sum(number * SECONDS[unit] for number, unit in amounts)
    value = number_text(seconds) if seconds < 1e10 else f"{seconds:.0f}"
    return Node("duration", timex, amounts=amounts, value=value, mod=mod)


def unit_at(r: Reader, i: int, after_digit: bool = False) -> tuple[str, int] | None:
    """A unit's name: hours, business days; short ones (m, d, y) only tight behind a digit."""
    word = r.word(i)
    if len(word) == 1 and r.tokens[i].raw.isupper() and r.tight(i):
        return None  # a 3D image
    if word in BUSINESS and r.word(i + 1) in ("day", "days"):
        return "business day", i + 2
    if word in UNITS:
        if len(word) == 1 and not (after_digit and (r.tight(i) or word == "h")):
            return None
        j = i + 1
        dotted = r.word(j) == "." and r.tight(j) and word in ("hr", "hrs", "min", "mins", "sec")
        if dotted and r.word(j + 1).islower() and not r.capital(j + 1):
            j += 1
        return UNITS[word], j
    if after_digit and r.tight(i) and word in SHORT_UNITS:
        return SHORT_UNITS[word], i + 1
    return None


def amount(r: Reader, i: int) -> tuple[float, str, int] | None:
    """(number, unit, next): 3 days, 90-minute, half an hour, a week, an hour and a half."""
    word = r.word(i)
    if word in HALVES or (word == "a" and r.word(i + 1) in HALVES):
        j = r.skip(i, ("a",)) + 1
        j = r.skip(r.skip(r.skip(j, ("of", "-")), ("a", "an")), ("-",))
        unit = unit_at(r, j)
        plural = r.word(unit[1] - 1).endswith("s") if unit else False
        if unit and SECONDS[unit[0]] >= 60 and not plural:
            return HALVES[r.word(r.skip(i, ("a",)))], unit[0], unit[1]
        return None
    described = word in ("a", "an") and r.word(i + 1) in DESCRIBED
    if described or word == "another":
        unit = unit_at(r, i + 2 if described else i + 1)
        several = None if unit or r.word(i + 1) in ("a", "an", "another") else amount(r, i + 1)
        return (1, unit[0], unit[1]) if unit else several
    if r.word(i) in ("three", "3") and r.has(i + 1, "quarters of"):
        unit = unit_at(r, r.skip(i + 3, ("a", "an")))
        return (0.75, unit[0], unit[1]) if unit and SECONDS[unit[0]] >= 60 else None
    counted = (1.0, i + 1) if word in ("a", "an") and not cardinal(r, i) else cardinal(r, i)
    if not counted and word == "hour" and r.has(i + 1, "and a half"):
        return 1.0, "hour", i + 1
    if not counted:
        return None
    number, j = counted
    numeric = digits(r, i) is not None
    if r.word(j) == "-" and r.word(j + 1) not in ("s", "h"):
        j += 1
    j = r.skip(j, MORE) if word != "a" else j
    unit = unit_at(r, j, numeric)
    if unit and r.word(j) == "s" and len(word) == 4 and j == i + 1 and r.tight(j):
        return None  # 1990s
    if not unit or (word == "a" and unit[0] == "second" and r.word(j) != "secs"):
        return None
    if (
        unit[0] == "night"
        and number > 1
        and r.word(unit[1] - 1) == "night"
        and r.word(j - 1) != "-"
    ):
        return None
    return number, unit[0], unit[1]


def tail(r: Reader, j: int, unit: str) -> tuple[float, int]:
    """And a half, and quarter: what is added to the last unit."""
    if r.word(j) == "and":
        if (end := r.has(j + 1, "three quarters")) and not unit_at(r, end) and r.word(end) != "of":
            return 0.75, end
        k = r.skip(j + 1, ("a", "an"))
        if r.word(k) in HALVES and not unit_at(r, k + 1) and r.word(k + 1) not in ("a", "an"):
            return HALVES[r.word(k)], k + 1
    return 0.0, j


def joint(r: Reader, j: int, parts: list[tuple[float, str]]) -> int:
    """Where the next amount stands: behind a comma only after a whole number."""
    if not parts:
        return j
    whole_number = parts[-1][0] == int(parts[-1][0])
    return r.skip(r.skip(j, (",",)) if whole_number else j, ("and",))


@rule("length")
def counted(r: Reader, i: int) -> Found | None:
    """Numbers with units, joined by nothing, a comma or "and"; each smaller than the last."""
    parts: list[tuple[float, str]] = []
    j = i
    while (found := amount(r, joint(r, j, parts))) is not None:
        number, unit, after = found
        if parts and (SECONDS[unit] >= SECONDS[parts[-1][1]] or len(parts) > 5):
            break
        if parts and number * SECONDS[unit] >= 3 * SECONDS[parts[-1][1]]:
            break  # two days 1500 hours
        more, after = tail(r, after, unit)
        parts.append((number + more, unit))
        j = after
    if not parts:
        return None
    if parts[-1][1] == "hour" and r.tight(j) and digits(r, j, 2) is not None:
        parts.append((float(digits(r, j, 2) or 0), "minute"))  # 1h30
        j = r.skip(j + 1, ("m",))
    elif parts[-1][1] == "hour" and (rest := bare_minutes(r, j)):
        parts.append((float(rest[0]), "minute"))
        j = rest[1]
    return duration(tuple(parts)), j


def bare_minutes(r: Reader, j: int) -> tuple[int, int] | None:
    """The minutes of "1 hour 30" and "an hour and fifteen", with nothing behind them."""
    k = r.skip(j, ("and",))
    found = below_hundred(r, k) or ((plain, k + 1) if (plain := digits(r, k, 2)) else None)
    ends = found and r.after(found[1]) in ("", "\n", ".", ",", ";", "!", "?", ")")
    decimal = found and r.tight(found[1] + 1) and digits(r, found[1] + 1) is not None
    return found if found and ends and not decimal and 5 <= found[0] < 60 else None


@rule("length")
def whole(r: Reader, i: int) -> Found | None:
    """All week, all-day, the whole day, a full hour without its article."""
    k = r.skip(i, ("the",))
    word = r.word(k)
    if word not in ("all", "whole", "entire", "full", "solid") or (word == "all" and k > i):
        return None
    j = k + 2 if r.word(k + 1) == "-" and r.tight(k + 1) and r.tight(k + 2) else k + 1
    unit = unit_at(r, r.skip(j, ("the",)))
    if not unit or unit[1] - j > 1 or unit[0] in ("second", "minute") or r.word(j)[-1:] == "s":
        return None
    return duration(((1.0, unit[0]),)), unit[1]


@rule("measure")
def bounded(r: Reader, i: int) -> Found | None:
    """Less than 2 hours, more than 4 days, at least a week."""
    for phrase, mod in (
        ("less than", "less"), ("more than", "more"), ("at most", "less"), ("at least", "more"),
        ("over", "more"), ("under", "less"), ("up to", "less"),
    ):  # fmt: skip
        if (j := r.has(i, phrase)) and (found := r.read("length", j)):
            if phrase in ("over", "under", "up to", "at most", "at least"):
                return None
            return duration(found[0].amounts, mod), found[1]
    return None


def minutes(phrase: str) -> int | None:
    """The whole minutes of a duration in words, None where the phrase holds none."""
    from datetime import datetime

    r = Reader(re.sub(r"(?<!\d)\.(?=\d)", "0.", phrase), datetime(2000, 1, 1))
    for i in range(len(r.tokens)):
        hours, rest = digits(r, i, 2), digits(r, i + 2, 2)
        if hours is not None and r.word(i + 1) == ":" and rest is not None and rest < 60:
            return hours * 60 + rest  # 1:30, 1:30 hours
        if found := r.read("length", i):
            seconds = float(found[0].value)
            return round(seconds / 60) if seconds < 1e10 else None
    return None
