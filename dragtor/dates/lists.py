"""Days that share one time: Mon, Wed and Fri at 3pm.

Works on what was found in a text, not token by token.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from dragtor.dates.reader import At, Node, Read, Reader
from dragtor.dates.words import WEEKDAYS

Place = tuple[int, int, Node]  # from token, to token, what was read


def shared(r: Reader, found: list[Place]) -> list[Place]:
    """The same places; weekdays joined by "and" to one with a time have the time too."""
    places = list(found)
    for k in range(len(places) - 1, 0, -1):
        day, last = places[k - 1], places[k]
        joints = {r.word(n) for n in range(day[1], last[0])}
        listed = joints & {"and", "&", "/"} or (joints == {","} and k + 1 < len(places))
        if listed and joints <= {"and", "&", "/", ","} and takes(r, day, last):
            places[k - 1] = (day[0], day[1], timed(day[2], last[2]))
    return places


def takes(r: Reader, day: Place, last: Place) -> bool:
    """Whether a bare weekday stands before a weekday with a time."""
    bare = day[2].kind == "date" and day[2].open == "week" and day[1] == day[0] + 1
    clock = last[2].kind in ("datetime", "datetimerange") and not last[2].mod
    return bare and clock and r.word(last[0]) in WEEKDAYS and "XXXX-WXX-" in last[2].timex


def timed(day: Node, last: Node) -> Node:
    """The day with the time of the other one, in every reading of both."""
    first = last.first[0]
    same = [x for x in last.reads if day_of(x[0]) == day_of(first)]
    reads: list[Read] = []
    for start, _ in day.reads:
        for low, high in same:
            if isinstance(start, date):
                reads.append((put(start, low, first), put(start, high, first)))
    mark = "XXXX-WXX-"
    old = last.timex[last.timex.index(mark) :][: len(mark) + 1]
    timex = last.timex.replace(old, day.timex)
    return replace(last, reads=tuple(reads), timex=timex)


def day_of(at: At) -> date | None:
    """Its day."""
    return at.date() if isinstance(at, datetime) else None


def put(day: date, at: At, first: At) -> datetime | None:
    """The moment `at`, as far from `day` as it is from the day of `first`."""
    if not isinstance(at, datetime) or not isinstance(first, datetime):
        return None
    try:
        return datetime.combine(day, at.time()) + (at.date() - first.date())
    except OverflowError:
        return None
