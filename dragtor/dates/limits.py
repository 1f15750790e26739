"""Ranges open at one end: since August, before 5pm, until the end of June, 2018 or later.

Gives nodes of kind "daterange", "datetimerange" and "timerange" with one bound missing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time

from dragtor.dates.clock import may_end_hour
from dragtor.dates.days import day_node
from dragtor.dates.moments import instant_on
from dragtor.dates.parser import Node, Parse, Parser, date_of, longest, points, rule
from dragtor.dates.ranges import as_datetime, event_day, in_year, range_edge
from dragtor.dates.relative import moved_by
from dragtor.dates.words import FUNCTION_WORDS, LINE_ENDS, TODAY, WEEKDAYS

BEFORE_PHRASES = (
    "before/prior to/in advance of/no later than/not later than/earlier than/sooner than/ending"
    "/ending on/ending in/ending with/by/until/till/til/up to/up until/as late as"
    "/not after/year less than/up till/at the latest/at the latest by/at the latest on/ending at"
    "/ending by"
)
AFTER_PHRASES = "after/later than/year greater than/following/not before"
SINCE_PHRASES = (
    "since/starting/starting from/starting on/starting in/beginning/beginning on/beginning from"
    "/beginning in/as of/from/any time from/anytime from/as early as/on or after/no earlier than"
    "/after or equal to/> =/≥/starting with/beginning with/as from/at or after/starting at"
    "/beginning at/at the earliest/ever since/not earlier than/not sooner than/no sooner than"
)
UNTIL_PHRASES = "on or before/at or before/through/thru/up to and including/< =/≤"
STRICTLY_BEFORE = {"before", "prior to", "in advance of", "earlier than", "sooner than", "<"}
BOUND_PREFIXES = sorted(
    (
        (phrase, mod)
        for phrases, mod in (
            (BEFORE_PHRASES + "/<", "before"),
            (AFTER_PHRASES + "/>", "after"),
            (SINCE_PHRASES, "since"),
            (UNTIL_PHRASES, "until"),
        )
        for phrase in phrases.split("/")
    ),
    key=lambda entry: -len(entry[0].split()),
)
BOUND_SUFFIXES = [
    *((f"{join} {word}", "since") for word in ("later", "greater", "after", "newer", "above")
      for join in ("or", "and")),
    ("onwards", "since"), ("onward", "since"),
    *((f"{join} {word}", "until") for word in ("earlier", "before", "older")
      for join in ("or", "and")),
]  # fmt: skip
AFTER_SUFFIX = LINE_ENDS.union(
    FUNCTION_WORDS, ". , ; ! ? ) with for if please is and so because".split()
)
BOUND_WORDS = {p.split()[0] for p, _ in BOUND_PREFIXES}


@rule("open_range")
def bound_prefix(p: Parser, i: int) -> Parse | None:
    """Before 5pm, since August, until April 27th, no later than January 1, after lunch."""
    if p.word(i) not in BOUND_WORDS:
        return None
    for phrase, mod in BOUND_PREFIXES:
        j = p.match(i, phrase)
        if not j:
            continue
        if phrase.endswith(" from") and (p.parse("range", j - 1) or p.parse("time_range", j - 1)):
            return None  # anytime from Monday to Friday
        if phrase in ("from", "following"):
            return from_only(p, j) if phrase == "from" else None
        j = p.optional(j, ("around", "about"))
        if p.word(j) == "now":
            return None
        found = range_edge(p, j)
        if not found and phrase[0] not in "<>≥≤":
            bare = phrase in ("before", "after", "until", "till", "til") or phrase[:2] == "no"
            bare = bare or phrase[-3:] == " at"
            found = bounding_time(p, j, mod, bare)
        if not found and phrase in ("until", "till", "til", "since", "up until"):
            found = event_day(p, j)
        node = bounded_by(nearest_bound(p, found[0], phrase, mod), mod) if found else None
        if found and node:
            whole = found[0].kind == "date" and phrase not in STRICTLY_BEFORE
            return replace(node, closes="day" if whole else ""), found[1]
    return None


def nearest_bound(p: Parser, node: Node, phrase: str, mod: str) -> Node:
    """Since May: the last one first; until May, said in May or said of its start: the next one."""
    reads = node.readings
    if phrase == "since":
        behind = [x for x in reads if isinstance(x[0], date) and date_of(x[0]) <= p.today]
        return replace(node, readings=tuple(behind + [x for x in reads if x not in behind]))
    start, end = reads[0]
    begun = isinstance(start, date) and date_of(start) <= p.today
    if mod != "before" or node.missing != "year" or node.day[1] or not begun or node.mod:
        return node
    following = tuple(
        in_year(at, at.year + 1) if isinstance(at, date) else None for at in (start, end)
    )
    return replace(node, readings=((following[0], following[1]), *reads)) if following[0] else node


def from_only(p: Parser, j: int) -> Parse | None:
    """From a day on: only where "on" or "onwards" says so."""
    found = range_edge(p, j) or p.parse("time", j)
    if not found or p.word(found[1]) not in ("on", "onwards", "onward", "forward"):
        return None
    if p.word(found[1]) == "on" and p.lookahead(found[1] + 1) not in AFTER_SUFFIX:
        return None
    node = bounded_by(found[0], "since")
    return (node, found[1] + 1) if node else None


def bounding_time(p: Parser, j: int, mod: str, bare: bool) -> Parse | None:
    """A time or a part of the day behind before, after, until."""
    clock = p.parse("bare_time", j) if mod != "since" or bare else p.parse("time", j)
    bare = bare or p.word(j + 1) in TODAY or (p.word(j + 1) == "on" and p.word(j + 2) in WEEKDAYS)
    named = p.parse("clock_time", j)  # noon and midnight, as against a bare number
    known = (named and not named[0].weak) or (bare and may_end_hour(p, j, j + 1))
    if clock and clock[1] == j + 1 and not known:
        clock = None
    return longest((clock, p.parse("day_part", j) or p.parse("day_part", p.optional(j, ("the",)))))


def bounded_by(node: Node, mod: str) -> Node | None:
    """The stretch that ends before the node, or starts with it or after it."""
    opens = mod in ("since", "after")
    at_start = (
        mod == "since" or node.mod == "start" if opens else mod != "until" and node.mod != "end"
    )
    edges = [low if at_start or high is None else high for low, high in node.readings]
    if not edges:
        return None
    reads = points(edges) if opens else tuple((None, at) for at in edges)
    kind = f"{node.kind.removesuffix('range')}range"
    name = f"{mod}-{node.mod}" if node.mod in ("start", "mid", "end") else mod
    return Node(kind, node.timex, reads, node.ambiguous, node.missing, mod=name)


@rule("open_range")
def bound_suffix(p: Parser, i: int) -> Parse | None:
    """2018 or later, year 2016 and greater, Friday or before."""
    found = range_edge(p, i) or p.parse("time", i)
    if not found or found[0].weak:
        return None
    for phrase, mod in BOUND_SUFFIXES:
        if j := p.match(found[1], phrase):
            if phrase.split()[1:] in (["after"], ["before"]) and p.lookahead(j) not in AFTER_SUFFIX:
                return None
            node = bounded_by(found[0], mod)
            day = p.parse("day", p.optional(j, ("on", ",", "of")))
            if node and node.kind == "timerange" and day and day[0].is_day:
                return bound_on_day(day[0], node), day[1]
            return (node, j) if node else None
    return None


@rule("open_range")
def day_with_bound(p: Parser, i: int) -> Parse | None:
    """Tomorrow before 5pm, monday after 3; after 3pm tomorrow."""
    day = p.parse("day", i)
    if day and day[0].is_day:
        return day_then_bound(p, day)
    found = bound_prefix(p, i)
    if not found or found[0].kind != "timerange":
        return None
    if tonight := p.parse("near_day_part", found[1]):
        return bound_in_part(found[0], tonight[0]), tonight[1]
    after = p.parse("day", p.optional(found[1], ("on", ",", "of")))
    if not after or found[0].timex[:3] == "TME" or not after[0].is_day or after[0].weak:
        return None
    return bound_on_day(after[0], found[0]), after[1]


def bound_in_part(limit: Node, part: Node) -> Node:
    """After 10 tonight, before 8 this morning: the half of the day is known."""
    start = as_datetime(part.days[0])
    ends = [(read, at) for read in limit.readings for at in read if isinstance(at, time)]
    fits = tuple(read for read, at in ends if (at.hour < 12) == (start.hour < 12))
    limit = replace(limit, readings=fits or limit.readings, ambiguous=len(fits) != 1)
    return bound_on_day(day_node(start.date()), limit)


def day_then_bound(p: Parser, day: Parse) -> Parse | None:
    """The limit behind the day."""
    j = p.optional(day[1], (",", "anytime", "sometime"))
    found = bound_prefix(p, j)
    if not found or found[0].kind != "timerange" or found[0].timex[:3] == "TME":
        return None
    return bound_on_day(day[0], found[0]), found[1]


def bound_on_day(day: Node, limit: Node) -> Node:
    """An open stretch of hours put on a day."""
    pairs = [(start, read) for start in day.days for read in limit.readings]
    reads = tuple((instant_on(start, low), instant_on(start, high)) for start, (low, high) in pairs)
    timex, ambiguous = f"{day.timex}{limit.timex}", day.ambiguous or limit.ambiguous
    return Node("datetimerange", timex, reads, ambiguous, day.missing, mod=limit.mod)


@rule("open_range")
def more_than_offset(p: Parser, i: int) -> Parse | None:
    """More than 2 days before yesterday, less than 3 days after tomorrow, over 2 weeks ago."""
    mod = p.word(i) if p.word(i) in ("more", "less") and p.word(i + 1) == "than" else ""
    found = p.parse("relative_day", i + 2) if mod else None
    if not found or found[0].kind not in ("date", "datetime"):
        return None
    length = p.parse("duration", i + 2)
    if not length:
        return None
    back = p.word(length[1]) in ("ago", "before", "back", "earlier")
    at = found[0].days[0]
    exact = isinstance(at, datetime)
    base = None if exact else moved_by(at, length[0].amounts, 1 if back else -1)
    other = (base or p.now) if mod == "less" else None
    read = (at, other) if back == (mod == "less") else (other, at)
    kind = "datetimerange" if exact else "daterange"
    return Node(kind, found[0].timex, (read,), mod="before" if back else "after"), found[1]
