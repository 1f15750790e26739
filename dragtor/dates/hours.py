"""Times that their neighbours make: at 6, around 7pm, from 5 to 6pm, 9-10 am, and their zones.

Gives nodes of kind "time" and, for stretches of hours, "timerange".
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from dragtor.dates.clock import code, hour_ends
from dragtor.dates.lengths import duration
from dragtor.dates.numbers import digits
from dragtor.dates.reader import Found, Node, Phrases, Read, Reader, rule
from dragtor.dates.words import AFTER_HOUR, ONES, TODAY, WEEKDAYS, ZONES

ZONE_NAMES = Phrases({name: name for name in ZONES})


def past_zone(r: Reader, j: int) -> int:
    """The place behind a time zone, if one stands here."""
    found = ZONE_NAMES.at(r, j)
    return found[1] if found else j


@rule("hours")
def hour_range(r: Reader, i: int) -> Found | None:
    """From 5 to 6pm, between 3 and 5, 9-10 am, 1:00 PM - 1:15 PM, 0730-0930."""
    lead = r.word(i)
    j = i + 1 if lead in ("from", "between", "during") else i
    j = r.skip(j, ("from", "between")) if lead == "during" and j > i else j
    first = r.read("hour", j)
    if not first:
        return None
    signs: tuple[str, ...] = ("to", "-", "–", "—", "~", "until", "till", "til", "through", "thru")
    k = past_zone(r, first[1])
    if lead == "between":
        signs = (*signs, "and")
    k = k + 1 if r.has(k, "up to") and j > i else k
    if r.word(k) not in signs:
        return None
    second = r.read("hour", r.skip(k + 1, ("about", "around")))
    if not second:
        return None
    both = first[0].open == "half" and second[0].open == "half"
    plain = both and bare(r, j, first[1]) and bare(r, k + 1, second[1])
    weak = (plain and j == i) or (
        first[0].weak and second[0].weak and j == i and "." in r.word(j + 1)
    )
    loose = plain or (second[0].open == "half" and bare(r, k + 1, second[1]))
    day = r.word(i - 2 if r.word(i - 1) in (",", "at") else i - 1)
    closes = hour_ends(r, k + 1, second[1], day in WEEKDAYS or day in TODAY)
    if loose and not closes and past_zone(r, second[1]) == second[1]:
        return None
    node = between(first[0], second[0])
    if not node:
        return None
    ends = ((first, j), (second, k + 1))
    score = any(bare(r, at, end) and found.open != "half" for (found, end), at in ends)
    weak = weak or (j == i and score)  # 3-0 is none, nor 0.5-0.9
    return Node(node.kind, node.timex, node.reads, node.ambiguous, weak=weak), second[1]


def bare(r: Reader, i: int, j: int) -> bool:
    """Whether the tokens are only an hour."""
    return j == i + 1 and (len(r.word(i)) < 3 or r.word(i) in ONES)


def between(first: Node, second: Node) -> Node | None:
    """From one time to the other, am and pm taken over where one side has none."""
    pairs: list[tuple[time, time]] = []
    for end, _ in second.reads:
        for start, _ in first.reads:
            if isinstance(start, time) and isinstance(end, time):
                pairs.append((start, end))
    if first.open == "half" and second.open == "half":
        same = [p for p in pairs if (p[0] < p[1] and (p[0].hour < 12) == (p[1].hour < 12))]
        pairs = same or [p for p in pairs if p[0] < p[1]]
    elif first.open == "half" or second.open == "half":
        forward = [p for p in pairs if p[0] < p[1]] or pairs
        pairs = [min(forward, key=lambda p: span(p).seconds)]
    if not pairs:
        return None
    if pairs == [(pairs[0][0], time(0))] and pairs[0][0] < time(12) and second.timex == "T00":
        pairs = [(pairs[0][0], time(12))]  # 10am-12am is a slip
    if first.open == second.open == "zero" and pairs[0][1] < pairs[0][0]:
        pairs = [(low, high.replace(hour=high.hour + 12)) for low, high in pairs]  # 0930-0730
    start, end = pairs[0]
    length = span((start, end)).seconds
    timex = f"({code(start)},{code(end)},{iso_length(length)})"
    return Node("timerange", timex, tuple(pairs), len(pairs) > 1, "half" if len(pairs) > 1 else "")


def span(pair: tuple[time, time]) -> timedelta:
    """How long it is, over midnight too."""
    day = date(2000, 1, 1)
    low, high = (datetime.combine(day, t) for t in pair)
    return (high - low) % timedelta(days=1)


def iso_length(seconds: int) -> str:
    """PT1H30M."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(hours, "hour"), (minutes, "minute"), (rest, "second")]
    return duration(tuple((float(n), u) for n, u in parts if n)).timex if seconds else "PT0S"


@rule("hours")
def length_from(r: Reader, i: int) -> Found | None:
    """For 2.5 hours from 9, an hour starting at 3pm."""
    found = r.read("length", r.skip(i, ("for",)))
    if not found or r.word(found[1]) not in ("from", "starting", "beginning"):
        return None
    if r.word(i) != "for" and r.word(found[1]) == "from":
        return None
    start = r.read("hour", r.skip(found[1] + 1, ("at", "from")))
    seconds = float(found[0].value)
    if not start or seconds >= 86400:
        return None
    reads: list[Read] = []
    for low, _ in start[0].reads:
        if isinstance(low, time):
            high = datetime.combine(date(2000, 1, 1), low) + timedelta(seconds=seconds)
            reads.append((low, high.time().replace(microsecond=0)))
    timex = f"({start[0].timex},{code(reads[0][1])},{found[0].timex})"  # type: ignore[arg-type]
    return Node("timerange", timex, tuple(reads), start[0].ambiguous), start[1]


@rule("clock")
def offset_of_clock(r: Reader, i: int) -> Found | None:
    """5 minutes before noon, an hour after midnight."""
    found = r.read("length", i)
    sign = {"before": -1, "after": 1}.get(r.word(found[1]), 0) if found else 0
    base = r.read("clock0", found[1] + 1) if found and sign else None
    seconds = float(found[0].value) if found else 0.0
    if not base or base[0].weak or seconds >= 43200:
        return None
    moved = [
        (datetime.combine(date(2000, 1, 2), at) + sign * timedelta(seconds=seconds)).time()
        for at, _ in base[0].reads
        if isinstance(at, time)
    ]
    node = base[0]
    reads = tuple((at.replace(microsecond=0), None) for at in moved)
    return Node("time", code(reads[0][0]), reads, node.ambiguous, node.open), base[1]


@rule("clock")
def after_at(r: Reader, i: int) -> Found | None:
    """At 6.45, at 8.30 pm: the word belongs to a time with a dot."""
    if r.word(i) not in ("at", "@"):
        return None
    found = r.read("clock0", i + 1)
    if not found or r.word(i + 2) != "." or digits(r, i + 3) is None:
        return None
    return Node("time", found[0].timex, found[0].reads, found[0].ambiguous, found[0].open), found[1]


@rule("clock")
def only_after_at(r: Reader, i: int) -> Found | None:
    """The 6 of "at 6" and "around six", where no other number goes on."""
    near = r.word(i - 1) in ("around", "about", "approximately", "roughly")
    lead = r.word(i - 2) if near else r.word(i - 1)
    if lead not in ("at", "@") or not hour_stands(r, i):
        return None
    found = r.read("hour", i)
    if not found:
        return None
    return Node("time", found[0].timex, found[0].reads, found[0].ambiguous, found[0].open), found[1]


def hour_stands(r: Reader, i: int, day: bool = False) -> bool:
    """Whether a bare number here may be an hour by what follows it; behind a `day` more may."""
    found = r.read("hour", i)
    if not found:
        return False
    if not bare(r, i, found[1]) and not (r.word(i) in ONES and found[1] == i + 1):
        return True
    if bare(r, i, found[1]) and past_zone(r, found[1]) > found[1]:
        return True
    hour = found[0].first[0]
    worded = digits(r, i) is None
    if worded and (not isinstance(hour, time) or found[0].open != "half"):
        return False
    counted = r.read("length", i)
    ends = hour_ends(r, i, found[1], True) or (day and r.after(found[1]) in AFTER_HOUR)
    return ends and (not counted or counted[1] <= found[1])


@rule("clock")
def about(r: Reader, i: int) -> Found | None:
    """Circa 5 in the morning, around 7pm, about half past 3."""
    if r.word(i) not in ("circa", "around"):
        return None
    found = r.read("clock", i + 1) or (r.read("hour", i + 1) if hour_stands(r, i + 1) else None)
    if not found or (bare(r, i + 1, found[1])):
        return None
    node = found[0]
    return Node("time", node.timex, node.reads, node.ambiguous, node.open, mod="approx"), found[1]


@rule("zone")
def zone(r: Reader, i: int) -> Found | None:
    """Pst, pacific timezone, utc+2."""
    found = ZONE_NAMES.at(r, i)
    if not found:
        return None
    name, j = found
    minutes = ZONES[name]
    hours = digits(r, j + 1, 2) if r.word(j) in ("+", "-") and name in ("utc", "gmt") else None
    if hours is not None and hours <= 14:
        minutes = hours * 60 * (1 if r.word(j) == "+" else -1)
        j += 2
        if r.word(j) == ":" and (more := digits(r, j + 1, 2)) is not None:
            minutes, j = minutes + (more if minutes >= 0 else -more), j + 2
        j = r.skip(j, ("h",))
    sign = "-" if minutes < 0 else "+"
    text = f"UTC{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    known = r.tokens[i].raw.isupper() or j - i > 1 or bool(r.read("clock0", i - 2))
    return Node("timezone", "", value=text, weak=not known), j
