"""Parts of the day: in the morning, late afternoon, at lunch, business hours.

Gives nodes of kind "timerange".
"""

from __future__ import annotations

from datetime import time

from dragtor.dates.clock import LAST_SECOND
from dragtor.dates.reader import Found, Node, Read, Reader, rule
from dragtor.dates.words import (
    EARLY,
    MEALS,
    PARTS,
)


def part_reads(name: str, mod: str) -> tuple[str, Read]:
    """(TIMEX3 name, from and to) of a part of the day, early or late in it."""
    timex, start, end = PARTS[name]
    if mod == "start":
        end = start + 2
    elif mod == "end":
        start = end - 2
    elif mod == "mid":
        start, end = start + 1, end - 1
    return f"T{timex}", (time(start), LAST_SECOND if end == 24 else time(end))


@rule("part")
def day_part(r: Reader, i: int) -> Found | None:
    """In the morning, late afternoon, early in the morning, evening, business hours."""
    if r.word(i - 1) == "good":
        return None
    if j := (r.has(i, "business hours") or r.has(i, "business hour") or r.has(i, "working hours")):
        return Node("timerange", "TBH", ((time(8), time(18)),)), j
    mod = ""
    j = i
    if r.word(j) in EARLY and r.word(j) not in ("end", "start", "beginning", "middle"):
        mod, j = EARLY[r.word(j)], r.skip(j + 1, ("-",))
    if r.word(j) == "in":
        j = r.skip(j + 1, ("the",))
        if not mod and r.word(j) in ("early", "late", "mid") and r.word(j - 1) == "the":
            mod, j = EARLY[r.word(j)], r.skip(j + 1, ("-",))
    if j == i and r.word(i) == "at" and (r.word(i + 1) in MEALS or r.word(i + 1)[:-4] in MEALS):
        j = i + 1
    name = r.word(j)
    meal = name in MEALS or (name[-4:] == "time" and name[:-4] in MEALS)
    if name not in PARTS and not meal:
        return None
    if meal:
        name = name.removesuffix("time")
        j = r.skip(j + 1, ("time",)) - 1
        weak = r.word(j) == name and r.word(i) != "at"
    else:
        weak = name == "daytime"
    timex, read = part_reads(name, mod)
    return Node("timerange", timex, (read,), mod=mod, weak=weak), j + 1
