"""Times of the day said from an hour: half past six, quarter to 5, five minutes after three.

Gives nodes of kind "time".
"""

from __future__ import annotations

from datetime import time

from dragtor.dates.clock import FIXED, at, half, hour_ends, point
from dragtor.dates.numbers import below_hundred, digits
from dragtor.dates.reader import Found, Node, Reader, rule


@rule("clock0")
def past_or_to(r: Reader, i: int) -> Found | None:
    """Half past six, quarter to 5, ten past three, 20 minutes to 8."""
    j = r.skip(i, ("a",))
    number = {"half": 30, "quarter": 15}.get(r.word(j))
    if k := (r.has(i, "three quarters") or r.has(i, "3 quarters")):
        number, j = 45, k - 1
    counted = (number, j + 1) if number else None
    if not counted and j == i:
        words = below_hundred(r, i)
        plain = digits(r, i, 2)
        counted = words or ((plain, i + 1) if plain is not None else None)
    if not counted or not 1 <= counted[0] <= 59:
        return None
    k = r.skip(counted[1], ("minutes", "minute", "mins", "min"))
    sign = r.word(k)
    round_ = counted[0] in (5, 10, 15, 20, 25, 30)
    spelt = digits(r, i) is None and (sign == "past" or round_)
    said_at = round_ and (sign == "past" or (sign == "to" and r.word(i - 1) in ("at", "@")))
    known = bool(number) or k > counted[1] or spelt or said_at
    if sign not in ("past", "after", "to", "before", "till") or not known:
        return None
    loose = number is None and sign in ("after", "before", "till")
    if loose and (k == counted[1] or sign == "till"):
        return None
    if sign == "to" and r.word(i - 1) in ("from", "between") and k == counted[1]:
        return None
    hour = below_hundred(r, k + 1)
    plain = digits(r, k + 1, 2)
    target = hour or ((plain, k + 2) if plain is not None else None)
    if not target and r.word(k + 1) in FIXED:
        return noon_and(FIXED[r.word(k + 1)] * 60, counted[0], sign), k + 2
    if not target or not 1 <= target[0] <= 24:
        return None
    if loose and not hour_ends(r, k + 1, target[1]):
        return None
    minutes = target[0] * 60 + (counted[0] if sign in ("past", "after") else -counted[0])
    side, end = half(r, target[1])
    if side:
        minutes = (target[0] % 12 + (12 if side == "pm" else 0)) * 60 + minutes - target[0] * 60
        node: Node | None = point(time(minutes // 60 % 24, minutes % 60))
    else:
        node = at(minutes // 60 % 24 or 12, minutes % 60, 0, "")
    return (node, end) if node else None


def noon_and(start: int, number: int, sign: str) -> Node:
    """So many minutes past noon or midnight, or before it."""
    minutes = (start + (number if sign in ("past", "after") else -number)) % 1440
    return point(time(minutes // 60, minutes % 60))


@rule("clock0")
def british_half(r: Reader, i: int) -> Found | None:
    """Half seven: 7:30, where "at" or am or pm makes a time of it."""
    hour = below_hundred(r, i + 1) if r.word(i) == "half" else None
    plain = digits(r, i + 1, 2)
    target = hour or ((plain, i + 2) if plain is not None else None)
    if r.word(i) != "half" or not target or not 1 <= target[0] <= 12:
        return None
    side, j = half(r, target[1])
    leads = ("at", "around", "for", "from", "by", "until", "till", "before", "after")
    sure = side or r.word(i - 1) in leads or r.word(j) == "tonight"
    node = at(target[0], 30, 0, side) if sure else None
    return (node, j) if node else None
