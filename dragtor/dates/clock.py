"""Times of the day: 3pm, 14:30, half past six, at 6, from 5 to 6pm, in the morning.

Gives nodes of kind "time" and "timerange". Knows no day.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from dragtor.dates.parser import Node, Parse, Parser, points, rule
from dragtor.dates.quantities import below_hundred, decimal_at, duration_node, integer, small_number
from dragtor.dates.words import (
    AFTER_HOUR,
    AFTER_HOUR_WORD,
    FUNCTION_WORDS,
    MEASURE_WORDS,
    MONTHS,
    ONES,
    TODAY,
    WEEKDAYS,
)
from dragtor.dates.zones import skip_zone

LAST_SECOND = time(23, 59, 59)
MERIDIEM_OF_PART = {
    "morning": "am", "forenoon": "am", "afternoon": "pm", "arvo": "pm", "evening": "pm",
    "night": "pm",
}  # fmt: skip
NAMED_HOURS = {
    "noon": 12, "midday": 12, "noonish": 12, "midnight": 0, "noontime": 12, "noonday": 12,
}  # fmt: skip


def time_code(moment: time, second: bool = False) -> str:
    """T14, T14:30, T14:30:15."""
    text = f"T{moment.hour:02}"
    if moment.minute or moment.second or second:
        text += f":{moment.minute:02}"
    return text + (f":{moment.second:02}" if moment.second else "")


def clock_node(hour: int, minute: int, second: int, half: str) -> Node | None:
    """A clock time; without am or pm an hour up to 12 has two readings, the waking one first."""
    if hour == 24 and not minute and not second:
        hour = 0
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59):
        return None
    if half:
        if hour > 12:
            return exact_time(time(hour, minute, second)) if half == "pm" else None
        if hour == 0:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
        return exact_time(time(hour, minute, second))
    if 1 <= hour <= 12:
        early, late = time(hour % 12, minute, second), time(hour % 12 + 12, minute, second)
        order = (late, early) if hour < 7 or hour == 12 else (early, late)
        timex = time_code(time(hour % 24, minute, second), bool(minute))
        return Node("time", timex, tuple((t, None) for t in order), True, "half")
    return exact_time(time(hour, minute, second))


def exact_time(moment: time, mod: str = "") -> Node:
    """The node of one time."""
    return Node("time", time_code(moment), ((moment, None),), mod=mod)


def meridiem(p: Parser, j: int, day_part: bool = True) -> tuple[str, int]:
    """("am" or "pm" or "", next): pm, p.m., p . m ., a, p m, in the morning, at night, o'clock."""
    if k := (p.match(j, "o ' clock") or p.match(j, "o clock") or p.match(j, "oclock")):
        return meridiem(p, k, day_part)
    if p.word(j) in ("am", "pm"):
        return p.word(j), j + 1
    dot = p.word(j) == "." and p.adjacent(j) and p.word(j + 1) in ("am", "pm") and p.adjacent(j + 1)
    if dot:
        return p.word(j + 1), j + 2
    letter = p.word(j)
    if letter in ("a", "p"):
        k = p.optional(j + 1, (".",))
        if p.word(k) == "m":
            dotted = k > j + 1 and p.word(k + 1) == "."
            return letter + "m", k + 2 if dotted else k + 1
        goes_on = p.word(j + 1) == "/" or (p.word(j + 1) == "." and p.adjacent(j + 2))
        if p.adjacent(j) and not goes_on:
            return letter + "m", j + 1
    if day_part:
        k = p.match(j, "in the") or p.match(j, "at") or p.match(j, "this") or p.match(j, "in")
        early = p.optional(k or j, ("early", "late"))
        colon = p.word(j - 2) == ":" and p.word(early) != "night"
        led = (k or early > j or colon) and p.word(k - 1) != "this"
        if led and p.word(early) in MERIDIEM_OF_PART:
            return MERIDIEM_OF_PART[p.word(early)], early + 1
    return "", j


def hour_with_meridiem(p: Parser, hour: int, minute: int, second: int, j: int) -> Parse | None:
    """The time with whatever am or pm follows."""
    side, end = meridiem(p, j)
    if side and p.word(end - 1) not in MERIDIEM_OF_PART and p.word(end) in ("in", "at"):
        again, twice = meridiem(p, end)  # 8pm in the evening
        end = twice if again == side else end
    if side == "pm" and p.word(end - 1) == "night" and (hour < 5 or hour == 12):
        side = "am"
    node = clock_node(hour, minute, second, side)
    if not node:
        node, end = clock_node(hour, minute, second, ""), j
    return (node, skip_ish(p, end)) if node else None


def skip_ish(p: Parser, j: int) -> int:
    """The place behind -ish, or on the dot."""
    if p.word(j) == "ish":
        return j + 1
    if j and (end := p.match(j, "on the dot")):
        return end
    return j + 2 if p.match(j, "- ish") and p.adjacent(j) else j


BEFORE_LETTER = set("at by from between to - before after until till around @ and".split())
BEFORE_LETTER |= {*TODAY, *WEEKDAYS}


def may_end_hour(p: Parser, i: int, j: int, sure: bool = False) -> bool:
    """Whether the words after a bare hour let it be one; a decimal or a count does not.

    Where it is all but `sure` (at 7, Friday 3-4), more words may follow.
    """
    number = integer(p, i)
    if number is None:
        return p.lookahead(j) in AFTER_HOUR_WORD or (sure and p.lookahead(j) in FUNCTION_WORDS)
    ends = p.lookahead(j) in AFTER_HOUR or (sure and p.lookahead(j) in FUNCTION_WORDS)
    return number > 0 and ends and not decimal_at(p, j, ".,:-–")


@rule("clock_time")
def digital_time(p: Parser, i: int) -> Parse | None:
    """14:30, 8:00:31am, 2.30 (weak), 8.30pm, 3pm, 9a, 14h30, 7 o'clock, 1ish."""
    hour = integer(p, i, 2)
    if hour is None or (p.word(i - 1) in (":", "/") and p.adjacent(i)) or p.word(i - 1) == "$":
        return None
    if p.adjacent(i - 1) and decimal_at(p, i - 1, ".") and integer(p, i - 2) is not None:
        return None
    minute = integer(p, i + 2, 2) if len(p.word(i + 2)) == 2 else None
    pair = minute is not None and p.adjacent(i + 1) and p.adjacent(i + 2)
    if pair and p.word(i + 1) in (":", "h"):
        return colon_time(p, i, hour, minute or 0)
    if pair and p.word(i + 1) == ".":
        side, j = meridiem(p, i + 3, day_part=False)
        node = clock_node(hour, minute or 0, 0, side)
        more = p.word(j) in (".", "%") and p.adjacent(j) and integer(p, j + 1) is not None
        if not node or more or (not side and p.word(j) in MEASURE_WORDS):
            return None
        return (node if side else weakened(node)), j
    return whole_hour(p, i, hour)


def colon_time(p: Parser, i: int, hour: int, minute: int) -> Parse | None:
    """14:30, 8:00:31am, 14h30, 18:00 h."""
    second = integer(p, i + 4, 2) if p.word(i + 3) == ":" and p.adjacent(i + 3) else None
    j = i + 5 if second is not None else i + 3
    decimal = decimal_at(p, j, ".")
    if decimal and second is None:
        return None  # 1:56.318 was run
    j = j + 2 if decimal else j
    found = hour_with_meridiem(p, hour, minute, second or 0, j)
    zero = len(p.word(i)) == 2 and p.word(i)[0] == "0" and hour > 0
    if found and found[1] == j and (zero or hour > 12) and p.word(j) in ("h", "hrs", "hours"):
        return exact_time(time(hour % 24, minute, second or 0)), j + 1
    if zero and found and found[0].missing == "half":  # 09:30 is no evening
        return exact_time(time(hour, minute, second or 0)), found[1]
    return found


def whole_hour(p: Parser, i: int, hour: int) -> Parse | None:
    """3pm, 9a, 7 o'clock, 8 at night, 1ish, at 10h."""
    if p.word(i + 1) == "h" and p.adjacent(i + 1):
        led = p.word(i - 1) in BEFORE_LETTER or p.word(i - 1) in MONTHS
        return (exact_time(time(hour)), i + 2) if led and hour < 24 else None
    side, j = meridiem(p, i + 1)
    if j == i + 2 and p.word(i + 1) in ("a", "p") and p.word(i - 1) not in BEFORE_LETTER:
        return None  # (3a)
    if side or j > i + 1:
        found = hour_with_meridiem(p, hour, 0, 0, i + 1)
        return found if found and found[1] > i + 1 else None  # 15 in the morning
    node = clock_node(hour, 0, 0, "") if skip_ish(p, i + 1) > i + 1 else None
    return (node, skip_ish(p, i + 1)) if node else None


def weakened(node: Node) -> Node:
    """The same, but no mention of its own."""
    return replace(node, weak=True)


@rule("clock_time")
def packed_time(p: Parser, i: int) -> Parse | None:
    """340pm, 1140 a.m., 1430 hours; 0730 is weak alone."""
    number = integer(p, i, 4)
    if number is None or len(p.word(i)) not in (3, 4):
        return None
    node = clock_node(number // 100, number % 100, 0, "")
    if node and p.word(i)[0] == "0" and number >= 100:
        node = replace(exact_time(time(number // 100, number % 100)), missing="zero")
    side, j = meridiem(p, i + 1, day_part=False)
    if not node or (not side and len(p.word(i)) == 3):
        return None
    if side:
        node = clock_node(number // 100, number % 100, 0, side)
        return (node, j) if node else None
    if p.word(i + 1) in ("hours", "hrs", "h") and (p.word(i)[0] in "012"):
        return node, i + 2
    if skip_zone(p, i + 1) > i + 1:
        return node, i + 1
    earlier = p.word(i - 2)
    run = p.word(i - 1) in ("-", "–", "to", "until") and earlier[:1] == "0" and len(earlier) == 4
    if any(word in TODAY or word in WEEKDAYS for word in (p.word(i - 1), p.word(i + 1))):
        return exact_time(time(number // 100 % 24, number % 100)), i + 1  # sat 1015, 1742 mon
    return (weakened(node), i + 1) if p.word(i)[0] == "0" or run or p.word(i - 1) == "at" else None


@rule("clock_time")
def spelt_time(p: Parser, i: int) -> Parse | None:
    """Seven pm, two thirty, six forty-three, nine a m, eight o'clock."""
    stem = p.word(i).removesuffix("ish")
    if stem != p.word(i) and ONES.get(stem, 0) in range(1, 13):
        node = clock_node(ONES[stem], 0, 0, "")
        return (node, i + 1) if node else None
    hour = below_hundred(p, i)
    if not hour or not 1 <= hour[0] <= 24:
        return None
    j = skip_hyphen(p, hour[1])
    minute = below_hundred(p, j)
    if p.word(j) in ("oh", "o") and (small := below_hundred(p, skip_hyphen(p, j + 1))):
        minute = small if small[0] < 10 else None
    most = 23 if p.word(i - 1) in ("at", "@") else 12
    if (minute and 10 <= minute[0] <= 59 and hour[0] <= most) or (
        minute and p.word(j) in ("oh", "o")
    ):
        end = p.optional(minute[1], ("minutes",))
        side, after = meridiem(p, end)
        node = clock_node(hour[0], minute[0], 0, side)
        round_ = minute[0] in (15, 30, 45) and p.word(hour[1]) != "-"
        return ((node if side or round_ else weakened(node)), after) if node else None
    j = hour[1]
    side, after = meridiem(p, j)
    if after > j:
        return hour_with_meridiem(p, hour[0], 0, 0, j)
    if skip_ish(p, j) > j:
        node = clock_node(hour[0], 0, 0, "")
        return (node, skip_ish(p, j)) if node else None
    return None


def skip_hyphen(p: Parser, j: int) -> int:
    """The place behind a hyphen inside a word: three-thirty."""
    return j + 1 if p.word(j) == "-" and p.adjacent(j) and p.adjacent(j + 1) else j


@rule("clock_time")
def spaced_time(p: Parser, i: int) -> Parse | None:
    """7 15 pm, at 6 30 tomorrow, eighteen hundred hours: as speech is written down."""
    if hundred := below_hundred(p, i):
        j = p.match(hundred[1], "hundred hours") or p.match(hundred[1], "hundred hrs")
        return (exact_time(time(hundred[0])), j) if j and hundred[0] < 24 else None
    hour, minute = integer(p, i, 2), integer(p, i + 1, 2)
    if hour is None or minute is None or len(p.word(i + 1)) != 2 or p.adjacent(i + 1):
        return None
    side, j = meridiem(p, i + 2, day_part=False)
    led = p.word(i - 1) in ("at", "@") or p.word(i - 1) in WEEKDAYS or p.word(i - 1) in TODAY
    if not side and not (led and may_end_hour(p, i + 1, i + 2)):
        return None
    node = clock_node(hour, minute, 0, side)
    return (node, j) if node else None


@rule("clock_time")
def part_before_time(p: Parser, i: int) -> Parse | None:
    """In the morning at 7, this is: the part of the day before its time."""
    part = p.parse("day_part", i)
    joined = part is not None and p.word(part[1]) in ("at", "around", "@")
    hour = p.parse("bare_time", part[1] + joined) if part else None
    if not part or not hour or (not joined and not may_end_hour(p, part[1], hour[1])):
        return None
    side = MERIDIEM_OF_PART.get(p.word(part[1] - 1))
    keep = [at for at in hour[0].times if side and (at.hour >= 12) == (side == "pm")]
    return (Node("time", time_code(keep[0]), points(keep)), hour[1]) if keep else None


@rule("clock_time")
def named_hour(p: Parser, i: int) -> Parse | None:
    """Noon, 12 noon, midnight, noonish."""
    middle = {"morning": 10, "afternoon": 14, "day": 12, "night": 0}
    if p.word(i) == "mid" and p.word(p.optional(i + 1, ("-",))) in middle:
        k = p.optional(i + 1, ("-",))
        return exact_time(time(middle[p.word(k)])), k + 1
    if p.word(i) in ("midmorning", "midafternoon"):
        return exact_time(time(middle[p.word(i)[3:]])), i + 1
    j = i + 1 if p.word(i) in ("12", "twelve") and p.word(i + 1) in NAMED_HOURS else i
    j = p.optional(j, ("the",)) if p.word(j + 1) in NAMED_HOURS and j == i else j
    if p.word(j) not in NAMED_HOURS or (j > i and p.word(i) == "the"):
        return None
    hour = NAMED_HOURS[p.word(j)]
    k = p.optional(j + 1, ("time",)) if hour else j + 1
    mod = "" if hour or p.word(i - 1) == "after" else "midnight"  # of Friday: where Friday ends
    return Node("time", f"T{hour:02}", ((time(hour), None),), mod=mod), skip_ish(p, k)


rule("time")(lambda p, i: p.parse("clock_time", i))


@rule("bare_time")
def bare_hour(p: Parser, i: int) -> Parse | None:
    """7, seven: only where a rule around it says that a time stands here."""
    found = p.parse("clock_time", i)
    words = small_number(p, i)
    if words and 0 <= words[0] <= 24 and (not found or words[1] > found[1]):
        node = clock_node(words[0], 0, 0, "")
        return (node, words[1]) if node else None
    return found


@rule("clock_time")
def minutes_past_hour(p: Parser, i: int) -> Parse | None:
    """Half past six, quarter to 5, ten past three, 20 minutes to 8."""
    j = p.optional(i, ("a",))
    number = {"half": 30, "quarter": 15}.get(p.word(j))
    counted = (number, j + 1) if number else None
    if not counted and j == i:
        counted = small_number(p, i)
    if not counted or not 1 <= counted[0] <= 59:
        return None
    k = p.optional(counted[1], ("minutes", "minute", "mins", "min"))
    sign = p.word(k)
    round_ = counted[0] in (5, 10, 15, 20, 25, 30)
    spelt = integer(p, i) is None and (sign == "past" or round_)
    said_at = round_ and (sign == "past" or (sign == "to" and p.word(i - 1) in ("at", "@")))
    late = counted[0] in (20, 25) and (integer(p, k + 1, 2) or 99) <= 12  # no hour: 20 to 9
    known = bool(number) or k > counted[1] or spelt or said_at or (late and sign == "to")
    if p.word(j) == "quarter" and sign == "of":
        sign = "to"  # quarter of ten
    if sign not in ("past", "after", "to", "before", "till") or not known:
        return None
    loose = number is None and sign in ("after", "before", "till")
    if loose and (k == counted[1] or sign == "till"):
        return None
    if sign == "to" and p.word(i - 1) in ("from", "between") and k == counted[1]:
        return None
    target = small_number(p, k + 1)
    if not target and p.word(k + 1) in NAMED_HOURS:
        return minutes_past_noon(NAMED_HOURS[p.word(k + 1)] * 60, counted[0], sign), k + 2
    if not target and sign == "past" and p.lookahead(k + 1) in AFTER_HOUR and p.word(i - 1) == "at":
        return next_minute(p, counted[0]), k + 1
    if not target or not 1 <= target[0] <= 24:
        return None
    if (loose or late) and not may_end_hour(p, k + 1, target[1]):
        return None
    minutes = target[0] * 60 + (counted[0] if sign in ("past", "after") else -counted[0])
    side, end = meridiem(p, target[1])
    if side:
        minutes = (target[0] % 12 + (12 if side == "pm" else 0)) * 60 + minutes - target[0] * 60
        node: Node | None = exact_time(time(minutes // 60 % 24, minutes % 60))
    else:
        node = clock_node(minutes // 60 % 24 or 12, minutes % 60, 0, "")
    return (node, end) if node else None


def next_minute(p: Parser, minute: int) -> Node:
    """Twenty past: of this hour or the next."""
    hour = p.now.hour + (minute <= p.now.minute)
    return exact_time(time(hour % 24, minute))


def minutes_past_noon(start: int, number: int, sign: str) -> Node:
    """So many minutes past noon or midnight, or before it."""
    minutes = (start + (number if sign in ("past", "after") else -number)) % 1440
    return exact_time(time(minutes // 60, minutes % 60))


@rule("clock_time")
def british_half(p: Parser, i: int) -> Parse | None:
    """Half seven: 7:30, where "at", am or pm or a day makes a time of it."""
    target = small_number(p, i + 1) if p.word(i) == "half" else None
    if not target or not 1 <= target[0] <= 12:
        return None
    side, j = meridiem(p, target[1])
    leads = ("at", "around", "for", "from", "by", "until", "till", "before", "after")
    k = p.optional(j, ("on", "this", "next"))
    ranged = p.word(j) in ("to", "till", "until", "-") and p.parse("bare_time", j + 1)
    sure = side or ranged or p.word(i - 1) in leads or p.word(k) in WEEKDAYS or p.word(j) in TODAY
    node = clock_node(target[0], 30, 0, side) if sure else None
    return (node, j) if node else None


@rule("time_range")
def time_to_time(p: Parser, i: int) -> Parse | None:
    """From 5 to 6pm, between 3 and 5, 9-10 am, 1:00 PM - 1:15 PM, 0730-0930."""
    lead = p.word(i)
    j = i + 1 if lead in ("from", "between", "during") else i
    j = p.optional(j, ("from", "between")) if lead == "during" and j > i else j
    first = p.parse("bare_time", j)
    if not first:
        return None
    signs: tuple[str, ...] = ("to", "-", "–", "—", "~", "until", "till", "til", "through", "thru")
    k = skip_zone(p, first[1])
    if lead == "between":
        signs = (*signs, "and")
    k = k + 1 if p.match(k, "up to") and j > i else k
    if p.word(k) not in signs:
        return None
    second = p.parse("bare_time", p.optional(k + 1, ("about", "around")))
    if not second:
        return None
    both = first[0].missing == "half" and second[0].missing == "half"
    plain = both and is_bare_hour(p, j, first[1]) and is_bare_hour(p, k + 1, second[1])
    weak = (plain and j == i) or (
        first[0].weak and second[0].weak and j == i and "." in p.word(j + 1)
    )
    loose = plain or (second[0].missing == "half" and is_bare_hour(p, k + 1, second[1]))
    day = p.word(i - 2 if p.word(i - 1) in (",", "at") else i - 1)
    closes = may_end_hour(p, k + 1, second[1], day in WEEKDAYS or day in TODAY)
    if loose and not closes and skip_zone(p, second[1]) == second[1]:
        return None
    node = joined_times(first[0], second[0])
    if not node:
        return None
    ends = ((first, j), (second, k + 1))
    score = any(is_bare_hour(p, at, end) and found.missing != "half" for (found, end), at in ends)
    weak = weak or (j == i and score)  # 3-0 is none, nor 0.5-0.9
    return replace(node, weak=weak), second[1]


def is_bare_hour(p: Parser, i: int, j: int) -> bool:
    """Whether the tokens are only an hour."""
    return j == i + 1 and (len(p.word(i)) < 3 or p.word(i) in ONES)


def joined_times(first: Node, second: Node) -> Node | None:
    """From one time to the other, am and pm taken over where one side has none."""
    pairs = [(start, end) for end in second.times for start in first.times]
    if first.missing == "half" and second.missing == "half":
        same = [p for p in pairs if (p[0] < p[1] and (p[0].hour < 12) == (p[1].hour < 12))]
        pairs = same or [p for p in pairs if p[0] < p[1]]
    elif first.missing == "half" or second.missing == "half":
        forward = [p for p in pairs if p[0] < p[1]] or pairs
        pairs = [min(forward, key=lambda p: pair_length(p).seconds)]
    if not pairs:
        return None
    if pairs == [(pairs[0][0], time(0))] and pairs[0][0] < time(12) and second.timex == "T00":
        pairs = [(pairs[0][0], time(12))]  # 10am-12am is a slip
    if first.missing == second.missing == "zero" and pairs[0][1] < pairs[0][0]:
        pairs = [(low, high.replace(hour=high.hour + 12)) for low, high in pairs]  # 0930-0730
    start, end = pairs[0]
    length = pair_length((start, end)).seconds
    timex = f"({time_code(start)},{time_code(end)},{length_code(length)})"
    return Node("timerange", timex, tuple(pairs), len(pairs) > 1, "half" if len(pairs) > 1 else "")


def pair_length(pair: tuple[time, time]) -> timedelta:
    """How long it is, over midnight too."""
    day = date(2000, 1, 1)
    low, high = (datetime.combine(day, t) for t in pair)
    return (high - low) % timedelta(days=1)


def length_code(seconds: int) -> str:
    """PT1H30M."""
    hours, rest = divmod(seconds, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(hours, "hour"), (minutes, "minute"), (rest, "second")]
    return duration_node(tuple((float(n), u) for n, u in parts if n)).timex if seconds else "PT0S"


@rule("time_range")
def duration_from_time(p: Parser, i: int) -> Parse | None:
    """For 2.5 hours from 9, an hour starting at 3pm."""
    found = p.parse("duration", p.optional(i, ("for",)))
    if not found or p.word(found[1]) not in ("from", "starting", "beginning"):
        return None
    if p.word(i) != "for" and p.word(found[1]) == "from":
        return None
    start = p.parse("bare_time", p.optional(found[1] + 1, ("at", "from")))
    seconds = float(found[0].value)
    if not start or seconds >= 86400:
        return None
    reads: list[tuple[time, time]] = []
    for low in start[0].times:
        high = datetime.combine(date(2000, 1, 1), low) + timedelta(seconds=seconds)
        reads.append((low, high.time().replace(microsecond=0)))
    timex = f"({start[0].timex},{time_code(reads[0][1])},{found[0].timex})"
    return Node("timerange", timex, tuple(reads), start[0].ambiguous), start[1]


@rule("time")
def dotted_time_after_at(p: Parser, i: int) -> Parse | None:
    """At 6.45, at 8.30 pm: the word belongs to a time with a dot."""
    if p.word(i) not in ("at", "@"):
        return None
    found = p.parse("clock_time", i + 1)
    if not found or p.word(i + 2) != "." or integer(p, i + 3) is None:
        return None
    return replace(found[0], weak=False, mod=""), found[1]


@rule("time")
def hour_after_at(p: Parser, i: int) -> Parse | None:
    """The 6 of "at 6", "at around six" and "six sharp", where no other number goes on."""
    near = p.word(i - 1) in ("around", "about", "approximately", "roughly")
    lead = p.word(i - 2) if near else p.word(i - 1)
    found = p.parse("bare_time", i) if may_be_hour(p, i) else None
    if not found or not (lead in ("at", "@") or p.word(found[1]) == "sharp"):
        return None
    return replace(found[0], weak=False, mod=""), p.optional(found[1], ("sharp",))


def may_be_hour(p: Parser, i: int, day: bool = False) -> bool:
    """Whether a bare number here may be an hour by what follows it; behind a `day` more may."""
    found = p.parse("bare_time", i)
    if not found:
        return False
    if not is_bare_hour(p, i, found[1]) and not (p.word(i) in ONES and found[1] == i + 1):
        return True
    if is_bare_hour(p, i, found[1]) and skip_zone(p, found[1]) > found[1]:
        return True
    hour = found[0].likeliest[0]
    worded = integer(p, i) is None
    if worded and (not isinstance(hour, time) or found[0].missing != "half"):
        return False
    counted = p.parse("duration", i)
    ends = may_end_hour(p, i, found[1], True) or (day and p.lookahead(found[1]) in AFTER_HOUR)
    return ends and (not counted or counted[1] <= found[1])


@rule("time")
def approximate_time(p: Parser, i: int) -> Parse | None:
    """Circa 5 in the morning, around 7pm, about half past 3."""
    if p.word(i) not in ("circa", "around"):
        return None
    found = p.parse("time", i + 1)
    if not found and may_be_hour(p, i + 1):
        found = p.parse("bare_time", i + 1)
    if not found or is_bare_hour(p, i + 1, found[1]):
        return None
    return replace(found[0], weak=False, mod="approx"), found[1]
