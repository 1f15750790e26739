"""A day and a time together: tomorrow at 5, friday afternoon, tonight, end of the day, now.

Gives nodes of kind "datetime" and "datetimerange". Knows how a time goes with a day.
"""

from __future__ import annotations

from datetime import date, datetime, time

from dragtor.dates.clock import (
    LAST_SECOND,
    MERIDIEM_OF_PART,
    exact_time,
    may_be_hour,
    meridiem,
    time_code,
)
from dragtor.dates.parser import Interval, Node, Parse, Parser, make_date, rule, shift
from dragtor.dates.periods import NUMBERED_THINGS
from dragtor.dates.quantities import integer
from dragtor.dates.words import AFTER_HOUR, DAY_PARTS, EARLY, MEALS, SHIFTS, TODAY, WEEKDAYS
from dragtor.dates.zones import skip_zone

JOINS = ("at", "for", "@", "around", "about", "by", "circa", "-", ",")
LONGEST_STAMP = 20  # tokens
OF_DAY = ("on", "of", "for", ",", "in")


def part_interval(name: str, mod: str) -> tuple[str, Interval]:
    """(TIMEX3 name, from and to) of a part of the day, early or late in it."""
    timex, start, end = DAY_PARTS[name]
    if mod == "start":
        end = start + 2
    elif mod == "end":
        start = end - 2
    elif mod == "mid":
        start, end = start + 1, end - 1
    return f"T{timex}", (time(start), LAST_SECOND if end == 24 else time(end))


@rule("day_part")
def part_of_day(p: Parser, i: int) -> Parse | None:
    """In the morning, late afternoon, early in the morning, evening, business hours."""
    if p.word(i - 1) == "good":
        return None
    if j := (
        p.match(i, "business hours") or p.match(i, "business hour") or p.match(i, "working hours")
    ):
        return Node("timerange", "TBH", ((time(8), time(18)),)), j
    mod = ""
    j = i
    if p.word(j) in EARLY and p.word(j) not in ("end", "start", "beginning", "middle"):
        mod, j = EARLY[p.word(j)], p.optional(j + 1, ("-",))
    if p.word(j) == "in":
        j = p.optional(j + 1, ("the",))
        if not mod and p.word(j) in ("early", "late", "mid") and p.word(j - 1) == "the":
            mod, j = EARLY[p.word(j)], p.optional(j + 1, ("-",))
    if j == i and p.word(i) == "at" and (p.word(i + 1) in MEALS or p.word(i + 1)[:-4] in MEALS):
        j = i + 1
    name = p.word(j)
    meal = name in MEALS or (name[-4:] == "time" and name[:-4] in MEALS)
    if name not in DAY_PARTS and not meal:
        return None
    if meal:
        name = name.removesuffix("time")
        j = p.optional(j + 1, ("time",)) - 1
        weak = p.word(j) == name and p.word(i) != "at"
    else:
        weak = name == "daytime"
    timex, read = part_interval(name, mod)
    return Node("timerange", timex, (read,), mod=mod, weak=weak), j + 1


def day_at_time(day: Node, clock: Node) -> Node:
    """Every day with every time of it."""
    reads: list[Interval] = []
    for start, _ in day.readings:
        if isinstance(start, date) and clock.mod == "midnight":
            start = shift(start, 1, "day") or start
        for low, high in clock.readings:
            if isinstance(start, date):
                reads.append((instant_on(start, low), instant_on(start, high, low)))
    kind = "datetime" if clock.kind == "time" else "datetimerange"
    timex = clock.timex
    base = day.timex if not day.timex.startswith("(") else ""
    if timex.startswith("("):
        timex = "(" + ",".join(base + p if p.startswith("T") else p for p in timex[1:].split(","))
    else:
        timex = base + timex
    return Node(
        kind, timex, tuple(reads), day.ambiguous or clock.ambiguous, day.missing, mod=clock.mod
    )


def instant_on(day: date, moment: object, after: object = None) -> datetime | None:
    """The instant; an end before its start is on the next day."""
    if not isinstance(moment, time):
        return None
    when = datetime.combine(day, moment)
    if isinstance(after, time) and moment < after:
        following = shift(day, 1, "day")
        return datetime.combine(following, moment) if following else when
    return when


def following_time(p: Parser, j: int, day: Node) -> Parse | None:
    """The time that goes with the day said before it."""
    k = j
    while p.word(k) in JOINS and k - j < 2:
        k += 1
    joined_by = {p.word(n) for n in range(j, k)}
    stretch = p.parse("time_range", k) or (p.parse("time_range", j) if k > j else None)
    if stretch:
        return stretch
    word_join = joined_by & {"at", "@", "around", "about", "by", "circa"}
    found = p.parse("time", k) or (p.parse("time", j) if k > j else None)
    if word_join and may_be_hour(p, k, day=True):
        hour = p.parse("bare_time", k)
        found = hour if hour and (not found or hour[1] > found[1]) else found
    dotted = p.word(k + 1) == "." and p.lookahead(k + 3) in AFTER_HOUR  # the 31st, 12.15
    if found and found[0].weak and not (word_join or dotted) and found[0].missing != "zero":
        return None
    if found and "-" in joined_by and p.adjacent(k):
        return None
    return found


@rule("day_with_time")
def day_then_time(p: Parser, i: int) -> Parse | None:
    """Tomorrow at 5pm, today 9a, monday 8-9am, friday morning at 9, october 14 for 8:00:31am."""
    day = p.parse("day", i)
    if not day or day[0].kind != "date" or not day[0].readings:
        return None
    if (feast := p.parse("holiday", i)) and feast[1] == day[1] and not following_part(p, day[1]):
        return None  # two mentions: Christmas, and a time
    return day_with_following_time(p, day[0], day[1])


def day_with_following_time(p: Parser, day: Node, j: int) -> Parse | None:
    """The day with the time or part of the day behind it."""
    clock = following_time(p, j, day)
    part = following_part(p, j)
    exact = date_behind_part(p, part[1]) if part and day.missing == "week" else None
    if part and exact:  # Tuesday night, the 14th of March
        return day_at_time(exact[0], part[0]), exact[1]
    if part and (not clock or part[1] > clock[1] or p.word(j) in DAY_PARTS):
        precise = following_time(p, part[1], day)
        if precise:
            return day_at_time(day, times_in_part(precise[0], part[0])), precise[1]
        return day_at_time(day, part[0]), part[1]
    if not clock:
        return None
    k = skip_zone(p, clock[1])
    part = following_part(p, k)
    if part and clock[0].kind == "time":
        return day_at_time(day, times_in_part(clock[0], part[0])), part[1]
    return day_at_time(day, clock[0]), clock[1]


def date_behind_part(p: Parser, j: int) -> Parse | None:
    """The date that follows a weekday and a part of the day."""
    k = p.optional(p.optional(j, (",",)), ("on",))
    found = p.parse("calendar_day", k)
    dated = found and found[0].kind == "date" and (found[0].day[0] or not found[0].missing)
    return found if dated and k > j and p.word(k) not in (*TODAY, *SHIFTS) else None


def following_part(p: Parser, j: int) -> Parse | None:
    """The part of the day behind a day: afternoon, in the evening, pm, early in the morning."""
    k = p.optional(j, (",",))
    k = (
        p.optional(k, ("at",))
        if p.word(k + 1) in ("night", "lunch", "lunchtime", "breakfast", "dinner")
        else k
    )
    side, end = meridiem(p, k, day_part=False)
    if side and k == j and not p.adjacent(j):
        timex, read = part_interval("morning" if side == "am" else "afternoon", "")
        return Node("timerange", timex, (read,)), end
    k = p.optional(k, ("'",)) + (1 if p.word(k) == "'" and p.word(k + 1) == "s" else 0)
    found = p.parse("day_part", k)
    return found if found and (p.word(found[1] - 1) + "s") != p.word(found[1]) else None


def times_in_part(clock: Node, part: Node) -> Node:
    """The readings of a time that fall into the part of the day, if any do."""
    name = part.timex[1:]
    morning = name in ("MO", "MEB")
    keep = []
    for low, high in clock.readings:
        if isinstance(low, time):
            late = low.hour >= 12
            night = name == "NI" and (low.hour < 5 or low.hour >= 17)
            if night or (name != "NI" and late != morning):
                keep.append((low, high))
    if not keep:
        return clock
    first = keep[0][0]
    timex = time_code(first) if isinstance(first, time) and clock.kind == "time" else clock.timex
    return Node(
        clock.kind, timex, tuple(keep), len(keep) > 1 and clock.kind != "time", mod=clock.mod
    )


@rule("day_with_time")
def time_then_day(p: Parser, i: int) -> Parse | None:
    """3pm today, 9 am on Friday, between 3 and 8am next Monday, morning of July 4."""
    for name in ("time_range", "time", "bare_time", "day_part"):
        found = p.parse(name, i)
        if name == "bare_time" and found and not hour_before_day_part(p, i, found[1]):
            continue
        if not found or (found[0].weak and name == "day_part"):
            continue
        j = skip_zone(p, found[1])
        comma = p.optional(j, (",",)) if name != "day_part" else j
        k = p.optional(comma, OF_DAY)
        day = (
            p.parse("day", k) if k > j or name != "day_part" or p.word(k - 1) in DAY_PARTS else None
        )
        if p.word(comma) == "in":  # 3pm in two days
            day, k = p.parse("day", comma), comma
        if day and day[0].kind == "date" and day[0].readings and not (day[0].weak and k == j):
            alone = k == j and p.word(k) != "the"
            if day[0].missing == "month" and (alone or (found[0].weak and day[0].weak)):
                continue
            part = following_part(p, day[1]) if name != "day_part" else None
            clock = following_time(p, day[1], day[0]) if name == "day_part" else None
            if clock:  # evening of May 5, 19:30
                return day_at_time(day[0], times_in_part(clock[0], found[0])), clock[1]
            if part:
                return day_at_time(day[0], times_in_part(found[0], part[0])), part[1]
            return day_at_time(day[0], found[0]), day[1]
        tonight = p.parse("near_day_part", k)
        if tonight and name != "day_part":
            return time_in_known_part(found[0], tonight[0]), tonight[1]
    return None


def hour_before_day_part(p: Parser, i: int, j: int) -> bool:
    """The 8 of "8 on Monday morning", the 4 of "around 4 on Monday"."""
    k = p.optional(j, ("on",))
    day = (p.word(k) in WEEKDAYS or p.word(k) in TODAY) and p.word(i - 1) not in NUMBERED_THINGS
    if p.word(i - 1) in ("around", "about", "by", "until", "till") and p.parse("near_day_part", j):
        return True  # around nine this morning
    if p.word(i) == "one" and k == j and p.word(i - 1) not in ("at", "around"):
        return False  # one Tuesday night
    return day and (p.word(k + 1) in MERIDIEM_OF_PART or (k > j and p.word(i - 1) == "around"))


def time_in_known_part(clock: Node, part: Node) -> Node:
    """A time in a part of a known day: 7 this evening."""
    start = part.likeliest[0]
    if not isinstance(start, datetime):
        return clock
    day = start.date()
    name = part.timex[len(day.isoformat()) :] or "TEV"
    chosen = times_in_part(clock, Node("timerange", name))
    return day_at_time(Node("date", day.isoformat(), ((day, None),)), chosen)


@rule("datetime")
def day_with_time(p: Parser, i: int) -> Parse | None:
    """A day and its time, in either order."""
    return p.parse("day_with_time", i)


@rule("near_day_part")
def part_of_near_day(p: Parser, i: int) -> Parse | None:
    """Tonight, this morning, last night, next evening, tomorrow's lunch."""
    word = p.word(i)
    early = ""
    j = i
    if word in ("early", "earlier", "late", "later") and p.word(i + 1) in (
        "this",
        "tonight",
        "last",
    ):
        early, j = {"early": "start", "earlier": "start"}.get(word, "end"), i + 1
        word = p.word(j)
    j = p.optional(j, ("the",)) if p.word(j + 1) in DAY_PARTS else j
    apart = p.match(j + 1, "before last"), p.match(j + 1, "after next")
    if p.word(j) in DAY_PARTS and any(apart):
        name, days, end = p.word(j), -2 if apart[0] else 2, max(apart)
    elif word in ("tonight", "tonite", "2nite"):
        name, days, end = "night", 0, j + 1
    elif word in SHIFTS:
        mod = {"early": "start", "late": "end", "mid": "mid"}.get(p.word(j + 1), "")
        early = mod or early
        end = j + 3 if mod else j + 2
        name, days = p.word(end - 1), SHIFTS[word]
        if name not in DAY_PARTS or name in ("daytime",):
            return None
    else:
        return None
    day = shift(p.today, days, "day")
    if not day:
        return None
    timex, read = part_interval(name, early)
    low, high = (instant_on(day, at) for at in read)
    return Node("datetimerange", f"{day.isoformat()}{timex}", ((low, high),), mod=early), end


@rule("datetime")
def near_part_with_time(p: Parser, i: int) -> Parse | None:
    """Tonight at 7, this morning, this afternoon at 4:30, next evening from 7 to 9."""
    found = p.parse("near_day_part", i)
    if not found:
        return None
    node, j = found
    clock = following_time(p, j, node)
    if clock:
        return time_in_known_part(clock[0], node), clock[1]
    return node, j


@rule("datetime")
def this_time_of_day(p: Parser, i: int) -> Parse | None:
    """This time tomorrow, the same time on Friday, this time next week: at the hour it is now."""
    j = p.match(i, "this time") or p.match(i, "same time")
    found = p.parse("day", p.optional(j, ("on",))) if j else None
    clock = exact_time(p.now.time().replace(second=0))
    if found and found[0].kind == "date" and found[0].readings:
        return day_at_time(found[0], clock), found[1]
    day = shift(p.today, SHIFTS[p.word(j)], p.word(j + 1)) if j and p.word(j) in SHIFTS else None
    return (day_at_time(Node("date", f"{day}", ((day, None),)), clock), j + 2) if day else None


DAY_ENDS = (
    "eod", "end of the day", "end of day", "end of business", "close of business", "cob",
    "close of play",
)  # fmt: skip


@rule("datetime")
def end_of_day(p: Parser, i: int) -> Parse | None:
    """End of day, eod, end of the Sunday, eod tomorrow, Friday eod, the end of today."""
    said = p.parse("day", i)
    if said and said[0].kind == "date" and said[0].readings:
        end = day_ends(p, p.optional(p.optional(said[1], (",",)), ("by", "at")))
        return (end_of_day_node(said[0]), end) if end else None
    j = p.optional(i, ("the",))
    start, k = p.match(j, "end of"), day_ends(p, j)
    behind = p.optional(p.optional(k, (",",)), ("on", "of")) if k else 0
    places = {start, p.optional(start, ("the",))} if start else set()
    days = [day for at in {*places, behind} if at and (day := p.parse("day", at))]
    day = max(days, key=lambda found: found[1], default=None)
    if day and day[0].kind == "date" and day[0].readings and not day[0].weak and day[1] > k:
        return end_of_day_node(day[0]), day[1]
    today = Node("date", p.today.isoformat(), ((p.today, None),))
    return (end_of_day_node(today), k) if k else None


def day_ends(p: Parser, i: int) -> int:
    """The place behind "end of day", 0 where nothing like it stands here."""
    return next((k for phrase in DAY_ENDS if (k := p.match(i, phrase))), 0)


def end_of_day_node(day: Node) -> Node:
    """The last second of the day."""
    return day_at_time(day, Node("time", "T23:59:59", ((LAST_SECOND, None),)))


@rule("datetime")
def part_in_day(p: Parser, i: int) -> Parse | None:
    """Early in the day Wednesday, mid today, late tomorrow, later today."""
    words = {"early": "start", "earlier": "start", "mid": "mid", "late": "end", "later": "end"}
    mod = words.get(p.word(i))
    if not mod:
        return None
    j = p.match(i + 1, "in the day") or (
        i + 2 if p.word(i + 1) == "in" and p.word(i + 2) in TODAY else 0
    )
    k = p.optional(j or i + 1, ("on", "-", ","))
    day = p.parse("day", k)
    if not day or day[0].kind != "date" or not day[0].readings:
        return None
    if not j and p.word(k) not in TODAY and day[0].missing != "week" and p.word(k) not in SHIFTS:
        return None
    cuts = {"start": (time(0), time(12)), "mid": (time(10), time(14)), "end": (time(12), time(0))}
    node = day_at_time(day[0], Node("timerange", "", (cuts[mod],), mod=mod))
    return Node("datetimerange", day[0].timex, node.readings, mod=mod, missing=day[0].missing), day[
        1
    ]


PRESENT = (
    "right now", "at this time", "at the moment", "asap", "at the minute", "at this moment",
    "at this minute", "as soon as possible", "at the present time",
    "at the present moment", "at the current time", "at the current moment", "at this very moment",
)  # fmt: skip


@rule("datetime")
def present_moment(p: Parser, i: int) -> Parse | None:
    """Right now, at this time, at the moment, asap; "now" alone is a part of others."""
    for phrase in PRESENT:
        if j := p.match(i, phrase):
            timex = "FUTURE_REF" if phrase[:2] == "as" else "PRESENT_REF"
            return Node("datetime", timex, ((p.now, None),)), j
    if p.word(i) == "now":
        last = p.word(i + 1) in ("", ".", "!", "?") and i > 0
        return Node("datetime", "PRESENT_REF", ((p.now, None),), weak=not last), i + 1
    return None


@rule("datetime")
def iso_timestamp(p: Parser, i: int) -> Parse | None:
    """2024-01-20T14:30:00Z, 20240120T1430: ISO 8601, its offset left aside."""
    j = i + 1
    while p.adjacent(j) and j < i + LONGEST_STAMP:
        j += 1
    while p.word(j - 1) in (".", ",", ";", ":", "!", "?", ")"):
        j -= 1
    stamp = "".join(token.raw for token in p.tokens[i:j]).upper()
    try:
        at = datetime.fromisoformat(stamp) if "T" in stamp[8:11] else None
    except ValueError:
        return None
    if not at:
        return None
    at = at.replace(tzinfo=None, microsecond=0)
    return Node("datetime", at.isoformat(), ((at, None),)), j


@rule("datetime")
def timestamp_year_last(p: Parser, i: int) -> Parse | None:
    """Wed Oct 26 15:50:06 2016: the year behind the time."""
    found = p.parse("day_with_time", i)
    year = integer(p, found[1], 4) if found else None
    if (
        not found
        or found[0].kind != "datetime"
        or found[0].missing != "year"
        or not year
        or not 1900 <= year <= 2100
    ):
        return None
    start = found[0].likeliest[0]
    day = make_date(year, start.month, start.day) if isinstance(start, date) else None
    if not day or not isinstance(start, datetime) or p.word(found[1] + 1) in ("-", "/", ":"):
        return None
    return Node(
        "datetime",
        f"{day}{time_code(start.time())}",
        ((datetime.combine(day, start.time()), None),),
    ), found[1] + 1
