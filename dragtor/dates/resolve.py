"""From a text to its mentions: every rule tried at every token, the longest kept.

Owns the writing of values. Knows no rule by content.
"""

from __future__ import annotations

from datetime import date, datetime, time

from dragtor.dates import (
    beside,
    clock,
    days,
    holidays,
    hours,
    lengths,
    limits,
    moments,
    monthdays,
    months,
    named,
    nths,
    offsets,
    parts,
    past,
    periods,
    ranges,
    sets,
    slices,
    spans,
    stamps,
    starts,
    weekdays,
    weeks,
    words,
)
from dragtor.dates.lists import shared
from dragtor.dates.reader import At, Node, Read, Reader
from dragtor.dates.values import Mention, Value

GRAMMAR = (
    beside,
    clock,
    days,
    hours,
    lengths,
    limits,
    moments,
    monthdays,
    months,
    named,
    nths,
    offsets,
    parts,
    past,
    periods,
    ranges,
    sets,
    slices,
    spans,
    stamps,
    starts,
    weekdays,
    weeks,
)  # each adds its rules


TOP = ("set", "bounded", "stretch", "moment", "day", "period", "hours", "clock", "part", "measure",
       "length", "zone")  # fmt: skip

# Every word that a mention can open with; others are passed over unread.
STARTS = set(
    (
        "' < > a all alternate alternating an another any around as asap at between bi"
        " business calendar circa close cob cy each entire eod eom eow eoy every fiscal for"
        " from full fy h half in less midafternoon midmorning more mtd my now on once"
        " penultimate q qtd remainder remaining rest right same school semi solid sy t that"
        " the these till to tonite tri two w week weekday weekdays weekends whole within wk"
        " workdays working wtd ytd ¼ ½ ¾"
    ).split()
).union(
    words.ONES, words.TENS, words.ORDINALS, words.VAGUE, words.HALVES, words.UNITS, words.MONTHS,
    words.WEEKDAYS, words.PLURAL_WEEKDAYS, words.SHIFT, words.TODAY, words.PARTS, words.EARLY,
    words.SEASONS, words.ADVERBS, clock.FIXED, limits.FIRST_WORDS, periods.TENS_OF_YEARS,
    holidays.HOLIDAYS.by_first, hours.ZONE_NAMES.by_first, (f"{part}s" for part in words.PARTS),
    (f"{meal}time" for meal in words.MEALS), (f"{hour}ish" for hour in words.ONES),
)  # fmt: skip


def mentions(text: str, now: datetime, *, day_first: bool = False) -> list[Mention]:
    """Every mention of a time in the text, in order; relative ones as of `now`, its zone aside."""
    r = Reader(text, now, day_first)
    found: list[tuple[int, int, Node]] = []
    i = 0
    while i < len(r.tokens):
        r.forget(i)
        word = r.word(i)
        if word not in STARTS and not word[0].isdigit():
            i += 1
            continue
        best: tuple[Node, int] | None = None
        for name in TOP:
            read = r.read(name, i)
            if read and not read[0].weak and (best is None or read[1] > best[1]):
                best = read
        if best is None or inside_word(r, i, best[1]):
            i += 1
            continue
        found.append((i, best[1], best[0]))
        i = best[1]
    return [mention(r, i, j, node) for i, j, node in shared(r, found)]


def inside_word(r: Reader, i: int, j: int) -> bool:
    """Whether letters or digits go on at either edge: A1, 3days-long words, 5th-rate."""
    before = r.tight(i) and r.tokens[i - 1].text[-1].isalnum()
    code = (
        j == i + 2
        and r.tight(i)
        and r.tight(j - 1)
        and r.word(i - 1) in "-_.=&#"
        and r.tight(i - 1)
    )
    if code and r.word(i).isdigit() and len(r.word(i + 1)) == 1 and r.word(i - 2).isalnum():
        return True  # 1f98-413d
    after = r.tight(j) and r.tokens[j].text[0].isalnum()
    return before or after


def mention(r: Reader, i: int, j: int, node: Node) -> Mention:
    """A node as the public type."""
    start, end = r.tokens[i].start, r.tokens[j - 1].end
    return Mention(start, end, node.kind, node.timex, values(node), node.ambiguous)


def values(node: Node) -> tuple[Value, ...]:
    """Its readings in order, each once."""
    if node.value or node.kind == "set":
        return (Value(node.kind, node.value or "not resolved"),)
    return tuple(dict.fromkeys(value(node.kind, read) for read in node.reads))


def value(kind: str, read: Read) -> Value:
    """One reading written out."""
    start, end = (written(kind, at) for at in read)
    if kind.endswith("range"):
        return Value(kind, "", start, end)
    return Value(kind, start)


def written(kind: str, at: At) -> str:
    """A date, time or both in ISO; "" for an open end."""
    if isinstance(at, datetime):
        return at.isoformat(" ") if kind.startswith("datetime") else at.date().isoformat()
    if isinstance(at, date):
        return f"{at.isoformat()} 00:00:00" if kind.startswith("datetime") else at.isoformat()
    return at.isoformat() if isinstance(at, time) else ""
