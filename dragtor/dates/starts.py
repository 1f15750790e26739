"""Stretches of a length from a day or time on: 3 days starting Monday, 2 hours from 3pm.

Gives nodes of kind "daterange", "datetimerange" and "timerange".
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from dragtor.dates.lengths import Amounts
from dragtor.dates.offsets import is_clock, moved
from dragtor.dates.ranges import edge
from dragtor.dates.reader import Found, Node, Read, Reader, rule
from dragtor.dates.words import SECONDS


@rule("stretch")
def length_from_day(r: Reader, i: int) -> Found | None:
    """For 1 week, from 20th dec; 3 days starting next Monday; a day starting Friday at 5 pm."""
    start = r.skip(i, ("for",))
    found = r.read("length", start)
    if not found:
        return None
    j = r.skip(found[1], (",",))
    verb = r.word(j) in ("starting", "beginning")
    if (not verb and (r.word(j) != "from" or start == i)) or (verb and start > i):
        return None
    k = r.skip(r.skip(r.skip(j + 1, ("from",)), ("on",)), ("the",))
    first = edge(r, k)
    if not first or first[0].kind not in ("date", "datetime"):
        return None
    reads: list[Read] = []
    for at, _ in first[0].reads:
        end = ahead(at, found[0].amounts) if isinstance(at, date) else None
        if end:
            reads.append((at, end))
    timex = f"({first[0].timex},{reads[0][1] if reads else ''},{found[0].timex})"
    kind = f"{first[0].kind}range"
    return (Node(kind, timex, tuple(reads), open=first[0].open), first[1]) if reads else None


def ahead(at: date, amounts: Amounts) -> date | None:
    """A day or moment moved on by a duration; a day by none shorter than itself."""
    if not isinstance(at, datetime):
        return None if is_clock(amounts) else moved(at, amounts, 1)
    day = moved(at.date(), tuple(a for a in amounts if not is_clock((a,))), 1)
    seconds = sum(n * SECONDS[u] for n, u in amounts if is_clock(((n, u),)))
    try:
        return datetime.combine(day, at.time()) + timedelta(seconds=seconds) if day else None
    except OverflowError:
        return None
