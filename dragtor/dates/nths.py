"""Days that are counted within a month: its first Monday, its 1st and 15th, its last working day.

Owns the numbers and what says that they come again. Knows neither text nor rule file.
"""

from __future__ import annotations

from dragtor.dates.numbers import ordinal
from dragtor.dates.reader import Found, Reader, rule
from dragtor.dates.sets import ALTERNATE, ANY_WEEKDAY, WORKDAYS, Pairs, repeat
from dragtor.dates.words import CODES, MONTHS


@rule("set0")
def nth_of_each(r: Reader, i: int) -> Found | None:
    """First Monday of each month, 1st and 15th of every month, every first Monday."""
    each = r.word(i) in ("every", "each")
    return nth_of_month(r, i + 1 if each else i, each)


def of_the_month(r: Reader, i: int) -> Found | None:
    """The last Friday of the month, where it is known to come again."""
    found = nth_of_month(r, i, True)
    return found if found and r.word(found[1] - 1) == "month" else None


def nth_of_month(r: Reader, i: int, each: bool) -> Found | None:
    """The days of a month by number; `each`: something said that every month is meant."""
    numbers, k = ordinals(r, r.skip(i, ("the",)))
    if not numbers:
        return None
    index = ANY_WEEKDAY.get(r.word(k))
    long = r.word(k) in ("working", "business") and r.word(k + 1) == "day"
    working = long or r.word(k) in ("weekday", "workday")
    k = k + 1 + long if index is not None or working or r.word(k) == "day" else k
    ahead = monthly(r, r.skip(k, ("of", "in")), each)
    if index is not None or working:
        ahead = ahead or yearly(r, r.skip(k, ("of", "in")), each)
    if not ahead and each and index is not None and (1 in map(abs, numbers) or len(numbers) > 1):
        ahead = (("FREQ", "MONTHLY"),), k  # every first Monday, every 2nd and 4th Tuesday
    most = 31 if index is None else 5
    if not ahead or any(not (n == -1 or 1 <= n <= most) for n in numbers):
        return None
    pairs, end = ahead
    if index is not None:
        listed = ",".join(f"{n}{CODES[index]}" for n in numbers)
        month = dict(pairs).get("BYMONTH", "XX")
        return repeat(
            f"XXXX-{month:0>2}-WXX-{index + 1}-#{numbers[0]}", (*pairs, ("BYDAY", listed))
        ), end
    listed = ",".join(map(str, numbers))
    timex = f"XXXX-XX-{numbers[0]:02}"
    if working:
        return repeat(timex, (*pairs, WORKDAYS[1], ("BYSETPOS", listed))), end
    return repeat(timex, (*pairs, ("BYMONTHDAY", listed))), end


def ordinals(r: Reader, i: int) -> tuple[list[int], int]:
    """First / last / 1st and 15th / 1st, 10th and 20th."""
    numbers: list[int] = []
    j = k = i
    while found := ((-1, k + 1) if r.word(k) == "last" else ordinal(r, k)):
        numbers.append(found[0])
        j = found[1]
        k = r.skip(r.skip(r.skip(j, (",",)), ("and", "&")), ("the",))
        if k == j:
            break
    return numbers, j


def monthly(r: Reader, k: int, each: bool) -> tuple[Pairs, int] | None:
    """Each month, every other month, the month (behind "every second Tuesday of")."""
    freq = ("FREQ", "MONTHLY")
    if r.word(k) in ("every", "each") and r.word(k + 1) == "month":
        return (freq,), k + 2
    if r.word(k) == "monthly":
        return (freq,), k + 1
    if r.word(k) in ("every", "each") and r.word(k + 1) in ALTERNATE and r.word(k + 2) == "month":
        return (freq, ("INTERVAL", "2")), k + 3
    if each and r.word(k) in ("the", "a") and r.word(k + 1) == "month":
        return (freq,), k + 2
    return None


def yearly(r: Reader, k: int, each: bool) -> tuple[Pairs, int] | None:
    """March every year; March (behind "every first Sunday of")."""
    month = MONTHS.get(r.word(k)) if r.word(k - 1) in ("of", "in") else None
    if not month:
        return None
    pairs = (("FREQ", "YEARLY"), ("BYMONTH", str(month)))
    if r.word(k + 1) in ("every", "each") and r.word(k + 2) == "year":
        return pairs, k + 3
    if r.word(k + 1) in ("yearly", "annually"):
        return pairs, k + 2
    return (pairs, k + 1) if each else None
