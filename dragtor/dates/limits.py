"""Stretches open at one end: since August, before 5pm, until the end of June, 2018 or later.

Gives nodes of kind "daterange", "datetimerange" and "timerange" with one end missing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time

from dragtor.dates.clock import hour_ends
from dragtor.dates.offsets import moved
from dragtor.dates.ranges import day_of, edge, like
from dragtor.dates.reader import Found, Node, Read, Reader, rule
from dragtor.dates.words import SMALL, TODAY, WEEKDAYS

BEFORE = (
    "before/prior to/in advance of/no later than/not later than/earlier than/sooner than/ending"
    "/ending on/ending in/ending with/by/until/till/til/up to/up until/as late as"
    "/not after/year less than/up till/at the latest/at the latest by/at the latest on/ending at"
    "/ending by"
)


AFTER = "after/later than/year greater than/following/not before"


SINCE = (
    "since/starting/starting from/starting on/starting in/beginning/beginning on/beginning from"
    "/beginning in/as of/from/any time from/anytime from/as early as/on or after/no earlier than"
    "/after or equal to/> =/≥/starting with/beginning with/as from/at or after/starting at"
    "/beginning at/at the earliest/ever since/not earlier than/not sooner than/no sooner than"
)


UNTIL = "on or before/at or before/< =/≤"


PREFIXES = sorted(
    (
        (phrase, mod)
        for phrases, mod in (
            (BEFORE + "/<", "before"),
            (AFTER + "/>", "after"),
            (SINCE, "since"),
            (UNTIL, "until"),
        )
        for phrase in phrases.split("/")
    ),
    key=lambda entry: -len(entry[0].split()),
)


OR_MORE = [
    *((f"{join} {word}", "since") for word in ("later", "greater", "after", "newer", "above")
      for join in ("or", "and")),
    ("onwards", "since"), ("onward", "since"),
    *((f"{join} {word}", "until") for word in ("earlier", "before", "older")
      for join in ("or", "and")),
]  # fmt: skip


AFTER_LIMIT = {*". , ; ! ? ) with for if please is and so because".split(), *SMALL, "", "\n"}


FIRST_WORDS = {p.split()[0] for p, _ in PREFIXES}


@rule("bounded")
def with_prefix(r: Reader, i: int) -> Found | None:
    """Before 5pm, since August, until April 27th, no later than January 1, after lunch."""
    if r.word(i) not in FIRST_WORDS:
        return None
    for phrase, mod in PREFIXES:
        j = r.has(i, phrase)
        if not j:
            continue
        if phrase.endswith(" from") and (r.read("stretch", j - 1) or r.read("hours", j - 1)):
            return None  # anytime from Monday to Friday
        if phrase in ("from", "following"):
            return from_only(r, j) if phrase == "from" else None
        j = r.skip(j, ("around", "about"))
        if r.word(j) == "now":
            return None
        found = edge(r, j)
        if not found and phrase[0] not in "<>≥≤":
            bare = phrase in ("before", "after", "until", "till", "til") or phrase[:2] == "no"
            bare = bare or phrase[-3:] == " at"
            found = timely(r, j, mod, bare)
        if (
            not found
            and (named := r.read("period", r.skip(j, ("the",))))
            and named[0].value
            and not named[0].weak
        ):
            return replace(named[0], mod=mod), named[1]  # since summer 2017
        node = limited(nearest(r, found[0], phrase, mod), mod) if found else None
        if found and node:
            return node, found[1]
    return None


def nearest(r: Reader, node: Node, phrase: str, mod: str) -> Node:
    """Since May: the last one first; until May, said in May or said of its start: the next one."""
    reads = node.reads
    if phrase == "since":
        behind = [x for x in reads if isinstance(x[0], date) and day_of(x[0]) <= r.today]
        return replace(node, reads=tuple(behind + [x for x in reads if x not in behind]))
    start, end = reads[0]
    begun = isinstance(start, date) and day_of(start) <= r.today
    if mod != "before" or node.open != "year" or node.day[1] or not begun or node.mod:
        return node
    following = tuple(
        like(at, at.year + 1) if isinstance(at, date) else None for at in (start, end)
    )
    return replace(node, reads=((following[0], following[1]), *reads)) if following[0] else node


def from_only(r: Reader, j: int) -> Found | None:
    """From a day on: only where "on" or "onwards" says so."""
    found = edge(r, j) or r.read("clock", j)
    if not found or r.word(found[1]) not in ("on", "onwards", "onward", "forward"):
        return None
    after = r.word(found[1] + 1)
    if r.word(found[1]) == "on" and after not in ("", ".", ",", ";", "!", "?"):
        return None
    node = limited(found[0], "since")
    return (node, found[1] + 1) if node else None


def timely(r: Reader, j: int, mod: str, bare: bool) -> Found | None:
    """A time or a part of the day behind before, after, until."""
    clock = r.read("hour", j) if mod != "since" or bare else r.read("clock", j)
    bare = bare or r.word(j + 1) in TODAY or (r.word(j + 1) == "on" and r.word(j + 2) in WEEKDAYS)
    if (
        clock
        and clock[1] == j + 1
        and not named_time(r, j)
        and not (bare and hour_ends(r, j, j + 1))
    ):
        clock = None
    part = r.read("part", j) or r.read("part", r.skip(j, ("the",)))
    found = [f for f in (clock, part) if f and f[0].reads]
    return max(found, key=lambda f: f[1], default=None)


def named_time(r: Reader, j: int) -> bool:
    """Noon and midnight, as against a bare number."""
    found = r.read("clock0", j)
    return bool(found and not found[0].weak)


def limited(node: Node, mod: str) -> Node | None:
    """The stretch that ends before the node, or starts with it or after it."""
    reads: list[Read] = []
    for start, end in node.reads:
        low, high = start, end if end is not None else start
        if mod == "since":
            read: Read = (low, None)
        elif mod == "after":
            read = (low if node.mod == "start" else high, None)
        elif mod == "until":
            read = (None, high)
        else:
            read = (None, high if node.mod == "end" else low)
        reads.append(read)
    if not reads:
        return None
    kinds = {"date": "daterange", "time": "timerange", "datetime": "datetimerange"}
    kind = kinds.get(node.kind, node.kind)
    name = f"{mod}-{node.mod}" if node.mod in ("start", "mid", "end") else mod
    return Node(kind, node.timex, tuple(reads), node.ambiguous, node.open, mod=name)


@rule("bounded")
def about(r: Reader, i: int) -> Found | None:
    """Around christmas, circa 1990."""
    found = edge(r, i + 1) if r.word(i) in ("around", "circa") else None
    if not found or found[0].open == "month" or found[0].timex == "PRESENT_REF":
        return None
    node = found[0]
    return replace(node, mod="approx", weak=False), found[1]


@rule("bounded")
def with_suffix(r: Reader, i: int) -> Found | None:
    """2018 or later, year 2016 and greater, Friday or before."""
    found = edge(r, i) or r.read("clock", i)
    if not found or found[0].weak:
        return None
    for phrase, mod in OR_MORE:
        if j := r.has(found[1], phrase):
            if phrase.split()[1:] in (["after"], ["before"]) and r.after(j) not in AFTER_LIMIT:
                return None
            node = limited(found[0], mod)
            day = (
                r.read("day", r.skip(j, ("on", ",", "of")))
                if node and node.kind == "timerange"
                else None
            )
            if node and day and day[0].kind == "date" and day[0].reads:
                return on_day(day[0], node), day[1]
            return (node, j) if node else None
    return None


@rule("bounded")
def day_and_limit(r: Reader, i: int) -> Found | None:
    """Tomorrow before 5pm, monday after 3; after 3pm tomorrow."""
    day = r.read("day", i)
    if day and day[0].kind == "date" and day[0].reads:
        return day_then_limit(r, day)
    found = with_prefix(r, i)
    if not found or found[0].kind != "timerange":
        return None
    after = r.read("day", r.skip(found[1], ("on", ",", "of")))
    if (
        not after
        or found[0].timex[:3] == "TME"
        or after[0].kind != "date"
        or not after[0].reads
        or after[0].weak
    ):
        return None
    return on_day(after[0], found[0]), after[1]


def day_then_limit(r: Reader, day: Found) -> Found | None:
    """The limit behind the day."""
    j = r.skip(day[1], (",", "anytime", "sometime"))
    found = with_prefix(r, j)
    if not found or found[0].kind != "timerange":
        return None
    if found[0].timex.startswith("TM") and found[0].timex[:3] == "TME":
        return None
    return on_day(day[0], found[0]), found[1]


def on_day(day: Node, limit: Node) -> Node:
    """An open stretch of hours put on a day."""
    reads: list[Read] = []
    for start, _ in day.reads:
        for low, high in limit.reads:
            if isinstance(start, date):
                ends = [
                    datetime.combine(start, t) if isinstance(t, time) else None for t in (low, high)
                ]
                reads.append((ends[0], ends[1]))
    timex = f"{day.timex}{limit.timex}"
    return Node(
        "datetimerange",
        timex,
        tuple(reads),
        day.ambiguous or limit.ambiguous,
        day.open,
        mod=limit.mod,
    )


@rule("bounded")
def more_than_from(r: Reader, i: int) -> Found | None:
    """More than 2 days before yesterday, less than 3 days after tomorrow, over 2 weeks ago."""
    mod = r.word(i) if r.word(i) in ("more", "less") and r.word(i + 1) == "than" else ""
    found = r.read("day1", i + 2) if mod else None
    if not found or found[0].kind not in ("date", "datetime"):
        return None
    length = r.read("length", i + 2)
    if not length:
        return None
    back = r.word(length[1]) in ("ago", "before", "back", "earlier")
    at = found[0].first[0]
    if not isinstance(at, date):
        return None
    base = moved(day_of(at), length[0].amounts, 1 if back else -1)
    if isinstance(at, datetime):
        base = None
    read: Read = (None, at) if back else (at, None)
    if mod == "less" and base:
        read = (at, base) if back else (base, at)
    elif mod == "less":
        read = (at, r.now) if back else (r.now, at)
    kind = "datetimerange" if isinstance(at, datetime) else "daterange"
    return Node(kind, found[0].timex, (read,), mod="before" if back else "after"), found[1]
