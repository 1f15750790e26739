"""Times of the day: 3pm, 14:30, seven thirty, noon, 1ish, 7 in the morning.

Gives nodes of kind "time" and, for parts of the day, "timerange".
"""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from dragtor.dates.numbers import below_hundred, digits
from dragtor.dates.reader import Found, Node, Reader, rule
from dragtor.dates.words import (
    AFTER_HOUR,
    AFTER_HOUR_WORD,
    NO_CLOCK,
    ONES,
    SMALL,
    TODAY,
    WEEKDAYS,
    ZONES,
)

LAST_SECOND = time(23, 59, 59)


HALF_OF_PART = {
    "morning": "am",
    "forenoon": "am",
    "afternoon": "pm",
    "evening": "pm",
    "night": "pm",
}


FIXED = {
    "noon": 12, "midday": 12, "noonish": 12, "midnight": 0, "noontime": 12, "noonday": 12,
}  # fmt: skip


def code(moment: time, second: bool = False) -> str:
    """T14, T14:30, T14:30:15."""
    text = f"T{moment.hour:02}"
    if moment.minute or moment.second or second:
        text += f":{moment.minute:02}"
    return text + (f":{moment.second:02}" if moment.second else "")


def at(hour: int, minute: int, second: int, half: str) -> Node | None:
    """A clock time; without am or pm an hour up to 12 has two readings, the waking one first."""
    if hour == 24 and not minute and not second:
        hour = 0
    if not (0 <= hour <= 23 and 0 <= minute <= 59 and 0 <= second <= 59):
        return None
    if half:
        if hour > 12:
            return point(time(hour, minute, second)) if half == "pm" else None
        if hour == 0:
            return None
        hour = hour % 12 + (12 if half == "pm" else 0)
        return point(time(hour, minute, second))
    if 1 <= hour <= 12:
        early, late = time(hour % 12, minute, second), time(hour % 12 + 12, minute, second)
        order = (late, early) if hour < 7 or hour == 12 else (early, late)
        timex = code(time(hour % 24, minute, second), bool(minute))
        return Node("time", timex, tuple((t, None) for t in order), True, "half")
    return point(time(hour, minute, second))


def point(moment: time, mod: str = "") -> Node:
    """The node of one time."""
    return Node("time", code(moment), ((moment, None),), mod=mod)


def half(r: Reader, j: int, day_part: bool = True) -> tuple[str, int]:
    """("am" or "pm" or "", next): pm, p.m., p . m ., a, p m, in the morning, at night, o'clock."""
    if k := (r.has(j, "o ' clock") or r.has(j, "o clock") or r.has(j, "oclock")):
        return half(r, k, day_part)
    if r.word(j) in ("am", "pm"):
        return r.word(j), j + 1
    dot = r.word(j) == "." and r.tight(j) and r.word(j + 1) in ("am", "pm") and r.tight(j + 1)
    if dot:
        return r.word(j + 1), j + 2
    letter = r.word(j)
    if letter in ("a", "p"):
        k = r.skip(j + 1, (".",))
        if r.word(k) == "m":
            dotted = k > j + 1 and r.word(k + 1) == "."
            return letter + "m", k + 2 if dotted else k + 1
        if r.tight(j) and not (r.word(j + 1) == "." and r.tight(j + 2)) and r.word(j + 1) != "/":
            return letter + "m", j + 1
    if day_part:
        k = r.has(j, "in the") or r.has(j, "at") or r.has(j, "this") or r.has(j, "in")
        early = r.skip(k or j, ("early", "late"))
        colon = r.word(j - 2) == ":" and r.word(early) != "night"
        if (k or early > j or colon) and r.word(early) in HALF_OF_PART and r.word(k - 1) != "this":
            return HALF_OF_PART[r.word(early)], early + 1
    return "", j


def with_half(r: Reader, hour: int, minute: int, second: int, j: int) -> Found | None:
    """The time with whatever am or pm follows."""
    side, end = half(r, j)
    if side and r.word(end - 1) not in HALF_OF_PART and r.word(end) in ("in", "at"):
        again, twice = half(r, end)  # 8pm in the evening
        end = twice if again == side else end
    if side == "pm" and r.word(end - 1) == "night" and (hour < 5 or hour == 12):
        side = "am"
    node = at(hour, minute, second, side)
    if not node:
        node, end = at(hour, minute, second, ""), j
    return (node, ish(r, end)) if node else None


def ish(r: Reader, j: int) -> int:
    """The place behind -ish."""
    if r.word(j) == "ish":
        return j + 1
    return j + 2 if r.has(j, "- ish") and r.tight(j) else j


BEFORE_LETTER = {
    *"at by from between to - before after until till around @ and".split(),
    *TODAY,
    *WEEKDAYS,
}


def hour_ends(r: Reader, i: int, j: int, sure: bool = False) -> bool:
    """Whether the words after a bare hour let it be one; a decimal or a count does not.

    Where it is all but `sure` (at 7, Friday 3-4), more words may follow.
    """
    number = digits(r, i)
    if number is None:
        return r.after(j) in AFTER_HOUR_WORD or (sure and r.after(j) in SMALL)
    decimal = (
        r.word(j) in (".", ",", ":", "-", "–") and r.tight(j + 1) and digits(r, j + 1) is not None
    )
    ends = r.after(j) in AFTER_HOUR or (sure and r.after(j) in SMALL)
    return number > 0 and ends and not decimal


@rule("clock0")
def written(r: Reader, i: int) -> Found | None:
    """14:30, 8:00:31am, 2.30 (weak), 8.30pm, 3pm, 9a, 14h30, 7 o'clock, 1ish."""
    hour = digits(r, i, 2)
    if hour is None or (r.word(i - 1) in (":", "/") and r.tight(i)) or r.word(i - 1) == "$":
        return None
    if r.word(i - 1) == "." and r.tight(i) and r.tight(i - 1) and digits(r, i - 2) is not None:
        return None
    minute = digits(r, i + 2, 2) if len(r.word(i + 2)) == 2 else None
    pair = minute is not None and r.tight(i + 1) and r.tight(i + 2)
    if pair and r.word(i + 1) in (":", "h"):
        return with_colon(r, i, hour, minute or 0)
    if pair and r.word(i + 1) == ".":
        side, j = half(r, i + 3, day_part=False)
        node = at(hour, minute or 0, 0, side)
        more = r.word(j) in (".", "%") and r.tight(j) and digits(r, j + 1) is not None
        if not node or more or (not side and r.word(j) in NO_CLOCK):
            return None
        return (node if side else weaken(node)), j
    return whole_hour(r, i, hour)


def with_colon(r: Reader, i: int, hour: int, minute: int) -> Found | None:
    """14:30, 8:00:31am, 14h30, 18:00 h."""
    second = digits(r, i + 4, 2) if r.word(i + 3) == ":" and r.tight(i + 3) else None
    j = i + 5 if second is not None else i + 3
    decimal = r.word(j) == "." and r.tight(j + 1) and digits(r, j + 1) is not None
    if decimal and second is None:
        return None  # 1:56.318 was run
    j = j + 2 if decimal else j
    found = with_half(r, hour, minute, second or 0, j)
    zero = len(r.word(i)) == 2 and r.word(i)[0] == "0" and hour > 0
    if found and found[1] == j and (zero or hour > 12) and r.word(j) in ("h", "hrs", "hours"):
        return point(time(hour % 24, minute, second or 0)), j + 1
    if zero and found and found[0].open == "half":  # 09:30 is no evening
        return point(time(hour, minute, second or 0)), found[1]
    return found


def whole_hour(r: Reader, i: int, hour: int) -> Found | None:
    """3pm, 9a, 7 o'clock, 8 at night, 1ish, at 10h."""
    if r.word(i + 1) == "h" and r.tight(i + 1):
        led = r.word(i - 1) in ("at", "@", "until", "by", "from")
        return (point(time(hour)), i + 2) if led and hour < 24 else None
    side, j = half(r, i + 1)
    if j == i + 2 and r.word(i + 1) in ("a", "p") and r.word(i - 1) not in BEFORE_LETTER:
        return None  # (3a)
    if side or j > i + 1:
        found = with_half(r, hour, 0, 0, i + 1)
        return found if found and found[1] > i + 1 else None  # 15 in the morning
    node = at(hour, 0, 0, "") if ish(r, i + 1) > i + 1 else None
    return (node, ish(r, i + 1)) if node else None


def weaken(node: Node) -> Node:
    """The same, but no mention of its own."""
    return replace(node, weak=True)


@rule("clock0")
def packed(r: Reader, i: int) -> Found | None:
    """340pm, 1140 a.m., 1430 hours; 0730 is weak alone."""
    number = digits(r, i, 4)
    if number is None or len(r.word(i)) not in (3, 4):
        return None
    node = at(number // 100, number % 100, 0, "")
    if node and r.word(i)[0] == "0" and number >= 100:
        node = replace(point(time(number // 100, number % 100)), open="zero")
    side, j = half(r, i + 1, day_part=False)
    if not node or (not side and len(r.word(i)) == 3):
        return None
    if side:
        node = at(number // 100, number % 100, 0, side)
        return (node, j) if node else None
    if r.word(i + 1) in ("hours", "hrs", "h") and (r.word(i)[0] in "012"):
        return node, i + 2
    if r.word(i + 1) in ZONES:
        return node, i + 1
    run = (
        r.word(i - 1) in ("-", "–", "to", "until")
        and r.word(i - 2)[:1] == "0"
        and len(r.word(i - 2)) == 4
    )
    return (weaken(node), i + 1) if r.word(i)[0] == "0" or run or r.word(i - 1) == "at" else None


@rule("clock0")
def in_words(r: Reader, i: int) -> Found | None:
    """Seven pm, two thirty, six forty-three, nine a m, eight o'clock."""
    stem = r.word(i).removesuffix("ish")
    if stem != r.word(i) and ONES.get(stem, 0) in range(1, 13):
        node = at(ONES[stem], 0, 0, "")
        return (node, i + 1) if node else None
    hour = below_hundred(r, i)
    if not hour or not 1 <= hour[0] <= 24:
        return None
    j = past_dash(r, hour[1])
    minute = below_hundred(r, j)
    if r.word(j) in ("oh", "o") and (small := below_hundred(r, past_dash(r, j + 1))):
        minute = small if small[0] < 10 else None
    most = 23 if r.word(i - 1) in ("at", "@") else 12
    if (minute and 10 <= minute[0] <= 59 and hour[0] <= most) or (
        minute and r.word(j) in ("oh", "o")
    ):
        end = r.skip(minute[1], ("minutes",))
        side, after = half(r, end)
        node = at(hour[0], minute[0], 0, side)
        round_ = minute[0] in (15, 30, 45) and r.word(hour[1]) != "-"
        return ((node if side or round_ else weaken(node)), after) if node else None
    j = hour[1]
    side, after = half(r, j)
    if after > j:
        return with_half(r, hour[0], 0, 0, j)
    if ish(r, j) > j:
        node = at(hour[0], 0, 0, "")
        return (node, ish(r, j)) if node else None
    return None


def past_dash(r: Reader, j: int) -> int:
    """The place behind a hyphen inside a word: three-thirty."""
    return j + 1 if r.word(j) == "-" and r.tight(j) and r.tight(j + 1) else j


@rule("clock0")
def spaced(r: Reader, i: int) -> Found | None:
    """7 15 pm, at 6 30 tomorrow, eighteen hundred hours: as speech is written down."""
    if hundred := below_hundred(r, i):
        j = r.has(hundred[1], "hundred hours") or r.has(hundred[1], "hundred hrs")
        return (point(time(hundred[0])), j) if j and hundred[0] < 24 else None
    hour, minute = digits(r, i, 2), digits(r, i + 1, 2)
    if hour is None or minute is None or len(r.word(i + 1)) != 2 or r.tight(i + 1):
        return None
    side, j = half(r, i + 2, day_part=False)
    if not side and (r.word(i - 1) not in ("at", "@") or not hour_ends(r, i + 1, i + 2)):
        return None
    node = at(hour, minute, 0, side)
    return (node, j) if node else None


@rule("clock0")
def part_first(r: Reader, i: int) -> Found | None:
    """In the morning at 7, this is: the part of the day before its time."""
    part = r.read("part", i)
    joined = part is not None and r.word(part[1]) in ("at", "around", "@")
    hour = r.read("hour", part[1] + joined) if part else None
    if not part or not hour or (not joined and not hour_ends(r, part[1], hour[1])):
        return None
    side = HALF_OF_PART.get(r.word(part[1] - 1))
    if not hour or not side:
        return None
    keep = tuple(
        x for x in hour[0].reads if isinstance(x[0], time) and (x[0].hour >= 12) == (side == "pm")
    )
    first = keep[0][0] if keep else None
    if not isinstance(first, time):
        return None
    return Node("time", code(first), keep), hour[1]


@rule("clock0")
def named(r: Reader, i: int) -> Found | None:
    """Noon, 12 noon, midnight, noonish."""
    middle = {"morning": 10, "afternoon": 14, "day": 12, "night": 0}
    if r.word(i) == "mid" and r.word(r.skip(i + 1, ("-",))) in middle:
        k = r.skip(i + 1, ("-",))
        return point(time(middle[r.word(k)])), k + 1
    if r.word(i) in ("midmorning", "midafternoon"):
        return point(time(middle[r.word(i)[3:]])), i + 1
    j = i + 1 if r.word(i) in ("12", "twelve") and r.word(i + 1) in FIXED else i
    j = r.skip(j, ("the",)) if r.word(j + 1) in FIXED and j == i else j
    if r.word(j) not in FIXED or (j > i and r.word(i) == "the"):
        return None
    hour = FIXED[r.word(j)]
    k = r.skip(j + 1, ("time",)) if hour else j + 1
    return Node("time", "T12" if hour else "T00", ((time(hour), None),)), ish(r, k)


@rule("clock")
def plain(r: Reader, i: int) -> Found | None:
    """Any of them."""
    return r.read("clock0", i)


@rule("clock")
def iso_mark(r: Reader, i: int) -> Found | None:
    """T14:30, T10:30: on a clock of 24 hours."""
    found = r.read("clock0", i + 1) if r.word(i) == "t" and r.tight(i + 1) else None
    hour = digits(r, i + 1, 2)
    reads = (
        [x for x in found[0].reads if isinstance(x[0], time) and x[0].hour == hour] if found else []
    )
    if not found or not reads or found[0].open != "half":
        return found
    return Node("time", found[0].timex, tuple(reads)), found[1]


@rule("hour")
def bare_hour(r: Reader, i: int) -> Found | None:
    """7, seven: only where a rule around it says that a time stands here."""
    found = r.read("clock0", i)
    number = digits(r, i, 2)
    words = below_hundred(r, i) if number is None else (number, i + 1)
    if words and 0 <= words[0] <= 24 and (not found or words[1] > found[1]):
        node = at(words[0], 0, 0, "")
        return (node, words[1]) if node else None
    return found
