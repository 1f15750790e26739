"""A day and a time together: tomorrow at 5, friday afternoon, tonight, end of the day, now.

Gives nodes of kind "datetime" and "datetimerange". Also stretches of hours (from 5 to 6pm).
"""

from __future__ import annotations

from datetime import date, datetime, time

from dragtor.dates.clock import HALF_OF_PART, LAST_SECOND, code, half
from dragtor.dates.hours import bare, hour_stands, past_zone
from dragtor.dates.parts import part_reads
from dragtor.dates.periods import PLACES
from dragtor.dates.reader import Found, Node, Read, Reader, rule, shift
from dragtor.dates.words import PARTS, SHIFT, TODAY, WEEKDAYS

JOINS = ("at", "for", "@", "around", "about", "by", "circa", "-", ",")


OF_DAY = ("on", "of", "for", ",", "in")


def combined(day: Node, clock: Node) -> Node:
    """Every day with every time of it."""
    reads: list[Read] = []
    for start, _ in day.reads:
        for low, high in clock.reads:
            if isinstance(start, date):
                reads.append((joined(start, low), joined(start, high, low)))
    kind = "datetime" if clock.kind == "time" else "datetimerange"
    timex = clock.timex
    base = day.timex if not day.timex.startswith("(") else ""
    if timex.startswith("("):
        timex = "(" + ",".join(base + p if p.startswith("T") else p for p in timex[1:].split(","))
    else:
        timex = base + timex
    return Node(
        kind, timex, tuple(reads), day.ambiguous or clock.ambiguous, day.open, mod=clock.mod
    )


def joined(day: date, moment: object, after: object = None) -> datetime | None:
    """The instant; an end before its start is on the next day."""
    if not isinstance(moment, time):
        return None
    when = datetime.combine(day, moment)
    if isinstance(after, time) and moment < after:
        following = shift(day, 1, "day")
        return datetime.combine(following, moment) if following else when
    return when


def clock_after(r: Reader, j: int, day: Node) -> Found | None:
    """The time that goes with the day said before it."""
    k = j
    while r.word(k) in JOINS and k - j < 2:
        k += 1
    joined_by = {r.word(n) for n in range(j, k)}
    stretch = r.read("hours", k) or (r.read("hours", j) if k > j else None)
    if stretch:
        return stretch
    word_join = joined_by & {"at", "@", "around", "about", "by", "circa"}
    found = r.read("clock", k) or (r.read("clock", j) if k > j else None)
    if word_join and hour_stands(r, k, day=True):
        hour = r.read("hour", k)
        found = hour if hour and (not found or hour[1] > found[1]) else found
    if found and found[0].weak and not word_join and found[0].open != "zero":
        return None
    if found and "-" in joined_by and r.tight(k):
        return None
    return found


@rule("timed")
def day_then_time(r: Reader, i: int) -> Found | None:
    """Tomorrow at 5pm, today 9a, monday 8-9am, friday morning at 9, october 14 for 8:00:31am."""
    day = r.read("day", i)
    if not day or day[0].kind != "date" or not day[0].reads:
        return None
    if (feast := r.read("holiday", i)) and feast[1] == day[1] and not part_after(r, day[1]):
        return None  # two mentions: Christmas, and a time
    return with_time(r, day[0], day[1])


def with_time(r: Reader, day: Node, j: int) -> Found | None:
    """The day with the time or part of the day behind it."""
    clock = clock_after(r, j, day)
    part = part_after(r, j)
    if part and (not clock or part[1] > clock[1] or r.word(j) in PARTS):
        precise = clock_after(r, part[1], day)
        if precise:
            return combined(day, in_part(precise[0], part[0])), precise[1]
        return combined(day, part[0]), part[1]
    if not clock:
        return None
    k = past_zone(r, clock[1])
    part = part_after(r, k)
    if part and clock[0].kind == "time":
        return combined(day, in_part(clock[0], part[0])), part[1]
    return combined(day, clock[0]), clock[1]


def part_after(r: Reader, j: int) -> Found | None:
    """The part of the day behind a day: afternoon, in the evening, pm, early in the morning."""
    k = r.skip(j, (",",))
    k = (
        r.skip(k, ("at",))
        if r.word(k + 1) in ("night", "lunch", "lunchtime", "breakfast", "dinner")
        else k
    )
    side, end = half(r, k, day_part=False)
    if side and k == j and not r.tight(j):
        timex, read = part_reads("morning" if side == "am" else "afternoon", "")
        return Node("timerange", timex, (read,)), end
    k = r.skip(k, ("'",)) + (1 if r.word(k) == "'" and r.word(k + 1) == "s" else 0)
    found = r.read("part", k)
    return found if found and (r.word(found[1] - 1) + "s") != r.word(found[1]) else None


def in_part(clock: Node, part: Node) -> Node:
    """The readings of a time that fall into the part of the day, if any do."""
    name = part.timex[1:]
    morning = name in ("MO", "MEB")
    keep = []
    for low, high in clock.reads:
        if isinstance(low, time):
            late = low.hour >= 12
            night = name == "NI" and (low.hour < 5 or low.hour >= 17)
            if night or (name != "NI" and late != morning):
                keep.append((low, high))
    if not keep:
        return clock
    first = keep[0][0]
    timex = code(first) if isinstance(first, time) and clock.kind == "time" else clock.timex
    return Node(
        clock.kind, timex, tuple(keep), len(keep) > 1 and clock.kind != "time", mod=clock.mod
    )


@rule("timed")
def time_then_day(r: Reader, i: int) -> Found | None:
    """3pm today, 9 am on Friday, between 3 and 8am next Monday, morning of July 4."""
    for name in ("hours", "clock", "hour", "part"):
        found = r.read(name, i)
        if name == "hour" and found and not bare_then_part(r, i, found[1]):
            continue
        if not found or (found[0].weak and name == "part"):
            continue
        j = past_zone(r, found[1])
        comma = r.skip(j, (",",)) if name != "part" else j
        k = r.skip(comma, OF_DAY)
        day = r.read("day", k) if k > j or name != "part" or r.word(k - 1) in PARTS else None
        if r.word(comma) == "in":  # 3pm in two days
            day, k = r.read("day", comma), comma
        if day and day[0].kind == "date" and day[0].reads and not (day[0].weak and k == j):
            alone = k == j and r.word(k) != "the"
            if day[0].open == "month" and (alone or (found[0].weak and day[0].weak)):
                continue
            part = part_after(r, day[1]) if name != "part" else None
            if part:
                return combined(day[0], in_part(found[0], part[0])), part[1]
            return combined(day[0], found[0]), day[1]
        tonight = r.read("tonight", k)
        if tonight and name != "part":
            return combined_part(found[0], tonight[0]), tonight[1]
    return None


def bare_then_part(r: Reader, i: int, j: int) -> bool:
    """The 8 of "8 on Monday morning", the 4 of "around 4 on Monday"."""
    k = r.skip(j, ("on",))
    day = (r.word(k) in WEEKDAYS or r.word(k) in TODAY) and r.word(i - 1) not in PLACES
    return day and (r.word(k + 1) in HALF_OF_PART or (k > j and r.word(i - 1) == "around"))


def combined_part(clock: Node, part: Node) -> Node:
    """A time in a part of a known day: 7 this evening."""
    start = part.first[0]
    if not isinstance(start, datetime):
        return clock
    day = start.date()
    name = part.timex[len(day.isoformat()) :] or "TEV"
    chosen = in_part(clock, Node("timerange", name))
    return combined(Node("date", day.isoformat(), ((day, None),)), chosen)


@rule("moment")
def timed_day(r: Reader, i: int) -> Found | None:
    """A day and its time, in either order."""
    return r.read("timed", i)


@rule("tonight")
def this_part(r: Reader, i: int) -> Found | None:
    """Tonight, this morning, last night, next evening, tomorrow's lunch."""
    word = r.word(i)
    early = ""
    j = i
    if word in ("early", "earlier", "late", "later") and r.word(i + 1) in (
        "this",
        "tonight",
        "last",
    ):
        early, j = {"early": "start", "earlier": "start"}.get(word, "end"), i + 1
        word = r.word(j)
    if word in ("tonight", "tonite", "2nite"):
        name, days, end = "night", 0, j + 1
    elif word in SHIFT:
        mod = {"early": "start", "late": "end", "mid": "mid"}.get(r.word(j + 1), "")
        early = mod or early
        end = j + 3 if mod else j + 2
        name, days = r.word(end - 1), SHIFT[word]
        if name not in PARTS or name in ("daytime",):
            return None
    else:
        return None
    day = shift(r.today, days, "day")
    if not day:
        return None
    timex, read = part_reads(name, early)
    low, high = (joined(day, at) for at in read)
    return Node("datetimerange", f"{day.isoformat()}{timex}", ((low, high),), mod=early), end


@rule("moment")
def part_of_day(r: Reader, i: int) -> Found | None:
    """Tonight at 7, this morning, this afternoon at 4:30, next evening from 7 to 9."""
    found = r.read("tonight", i)
    if not found:
        return None
    node, j = found
    clock = clock_after(r, j, node)
    if clock:
        return combined_part(clock[0], node), clock[1]
    return node, j


@rule("moment")
def part_then_last(r: Reader, i: int) -> Found | None:
    """Between 7 and 9 last morning, 8 tonight."""
    found = r.read("hours", i) or r.read("hour", i)
    if not found or (
        bare(r, i, found[1])
        and (r.word(found[1]) not in ("tonight", "this") or r.word(i - 1) in PLACES)
    ):
        return None
    part = r.read("tonight", past_zone(r, found[1]))
    return (combined_part(found[0], part[0]), part[1]) if part else None


@rule("moment")
def offset_moment(r: Reader, i: int) -> Found | None:
    """In 2 minutes, half an hour ago: instants that a rule for days reckoned."""
    found = r.read("day1", i)
    return found if found and found[0].kind == "datetime" else None


@rule("moment")
def end_of_day(r: Reader, i: int) -> Found | None:
    """End of day, eod, end of the sunday, eod tomorrow, the end of today."""
    j = r.skip(i, ("the",))
    k = (
        r.has(j, "eod")
        or r.has(j, "end of the day")
        or r.has(j, "end of day")
        or r.has(j, "cob")
        or r.has(j, "close of business")
        or r.has(j, "end of business")
    )
    start = r.has(j, "end of")
    days = [f for at in (start, r.skip(start, ("the",))) if start and (f := r.read("day", at))]
    day = max(days, key=lambda f: f[1], default=None)
    if day and day[0].kind == "date" and day[0].reads and not day[0].weak and day[1] > k:
        return day_end(day[0]), day[1]
    if not k:
        return None
    following = r.read("day", r.skip(r.skip(k, (",",)), ("on", "of")))
    if following and following[0].kind == "date" and following[0].reads:
        return day_end(following[0]), following[1]
    today = Node("date", r.today.isoformat(), ((r.today, None),))
    return (day_end(today), k) if not r.read("day", k) else None


@rule("moment")
def day_then_end(r: Reader, i: int) -> Found | None:
    """Tomorrow end of day, friday eod."""
    day = r.read("day", i)
    if not day or day[0].kind != "date" or not day[0].reads:
        return None
    k = r.skip(r.skip(day[1], (",",)), ("by", "at"))
    end = r.has(k, "eod") or r.has(k, "end of day") or r.has(k, "end of the day") or r.has(k, "cob")
    return (day_end(day[0]), end) if end else None


def day_end(day: Node) -> Node:
    """The last second of the day."""
    return combined(day, Node("time", "T23:59:59", ((LAST_SECOND, None),)))


@rule("moment")
def rest_of_day(r: Reader, i: int) -> Found | None:
    """Rest of the day, rest of today."""
    j = r.has(i, "rest of") or r.has(i, "remainder of")
    k = r.skip(j, ("the", "my", "this", "current")) if j else 0
    if not k or r.word(k) not in ("day", "today"):
        return None
    end = datetime.combine(r.today, LAST_SECOND)
    timex = f"({r.now.isoformat()},{end.isoformat()},PT)"
    return Node("datetimerange", timex, ((r.now, end),)), k + 1


@rule("moment")
def in_the_day(r: Reader, i: int) -> Found | None:
    """Early in the day Wednesday, mid today, late tomorrow, later today."""
    words = {"early": "start", "earlier": "start", "mid": "mid", "late": "end", "later": "end"}
    mod = words.get(r.word(i))
    if not mod:
        return None
    j = r.has(i + 1, "in the day") or (
        i + 2 if r.word(i + 1) == "in" and r.word(i + 2) in TODAY else 0
    )
    k = r.skip(j or i + 1, ("on", "-", ","))
    day = r.read("day", k)
    if not day or day[0].kind != "date" or not day[0].reads:
        return None
    if not j and r.word(k) not in TODAY and day[0].open != "week" and r.word(k) not in SHIFT:
        return None
    cuts = {"start": (time(0), time(12)), "mid": (time(10), time(14)), "end": (time(12), time(0))}
    node = combined(day[0], Node("timerange", "", (cuts[mod],), mod=mod))
    return Node("datetimerange", day[0].timex, node.reads, mod=mod, open=day[0].open), day[1]


PRESENT = (
    "right now", "at this time", "at the moment", "asap", "at the minute", "at this moment",
    "at this minute", "as soon as possible", "at the present time",
    "at the present moment", "at the current time", "at the current moment", "at this very moment",
)  # fmt: skip


@rule("moment")
def present(r: Reader, i: int) -> Found | None:
    """Right now, at this time, at the moment, asap; "now" alone is a part of others."""
    for phrase in PRESENT:
        if j := r.has(i, phrase):
            timex = "FUTURE_REF" if phrase[:2] == "as" else "PRESENT_REF"
            return Node("datetime", timex, ((r.now, None),)), j
    if r.word(i) == "now":
        last = r.word(i + 1) in ("", ".", "!", "?") and i > 0
        return Node("datetime", "PRESENT_REF", ((r.now, None),), weak=not last), i + 1
    return None
