"""From a text to its mentions: every start symbol tried at every token, the longest match kept.

Owns the two public types and how values are written. Knows no rule by content.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time

from dragtor.dates import (
    clock,
    days,
    limits,
    moments,
    periods,
    quantities,
    ranges,
    recurrences,
    relative,
    spans,
)
from dragtor.dates.clock import NAMED_HOURS
from dragtor.dates.holidays import HOLIDAYS
from dragtor.dates.limits import BOUND_WORDS
from dragtor.dates.parser import Bound, Interval, Node, Parse, Parser, date_of, shift
from dragtor.dates.periods import TENS_OF_YEARS
from dragtor.dates.ranges import day_of_instant, with_shared_time
from dragtor.dates.words import (
    ADVERBS,
    ARRANGED,
    BEFORE_LIMIT,
    BEFORE_PARTICIPLE,
    CLAUSE_ENDS,
    DAY_PARTS,
    EARLY,
    FRACTION_WORDS,
    MEALS,
    MONTHS,
    NOT_PAST,
    ONES,
    ORDINALS,
    PAST_VERBS,
    PLURAL_WEEKDAYS,
    SEASONS,
    SHIFTS,
    TENS,
    TODAY,
    UNITS,
    VAGUE_NUMBERS,
    WEEKDAYS,
)
from dragtor.dates.zones import PLACE_NAMES, ZONE_ABBREVIATIONS


@dataclass(frozen=True, slots=True)
class Value:
    """One way to read a mention; a date without a year has the next one first, then the last."""

    kind: str  # date|time|datetime|daterange|timerange|datetimerange|duration|set|timezone
    value: str  # ISO 8601 with a blank for the T; seconds of a duration; "" for a range
    start: str = ""  # of a range, "" where it is open; of a set, its time of the day
    end: str = ""  # "" where it is open; after "April" 1 May, after "from 3 to 5 May" 5 May
    last: str = ""  # the last day that belongs to a range of days: 30 April, 5 May; else as `end`


@dataclass(frozen=True, slots=True)
class Mention:
    """A stretch of a text that names a time."""

    start: int
    end: int  # exclusive
    kind: str  # as in `Value`
    timex: str  # as in TIMEX3: "XXXX-WXX-5" is any Friday, "P3D" three days, "T14:30"
    values: tuple[Value, ...]
    ambiguous: bool  # 10/12, or "at 7" without am or pm: `values` are guesses in order
    zone: str = ""  # said in it or right behind it: an IANA name, or UTC+05:30


GRAMMAR = (
    quantities, days, clock, periods, spans, moments, relative, ranges, limits, recurrences,
)  # each registers its rules  # fmt: skip
START_SYMBOLS = (
    "set", "open_range", "range", "datetime", "day", "period", "time_range", "time", "day_part",
    "bounded_duration", "duration", "zone",
)  # fmt: skip
# Every word that a mention can open with; others are passed over unread.
START_WORDS = set(
    (
        "' < > a all alternate alternating an another any around as asap at between bi"
        " business calendar circa close cob cy each entire eod eom eow eoy every fiscal for"
        " from full fy h half in less midafternoon midmorning more mtd my now on once"
        " penultimate q qtd remainder remaining rest right same school semi solid sy t that"
        " the these till to tonite tri two w week weekday weekdays weekends whole within wk"
        " workdays working wtd ytd ¼ ½ ¾"
    ).split()
).union(
    ONES, TENS, ORDINALS, VAGUE_NUMBERS, FRACTION_WORDS, UNITS, MONTHS,
    WEEKDAYS, PLURAL_WEEKDAYS, SHIFTS, TODAY, DAY_PARTS, EARLY,
    SEASONS, ADVERBS, NAMED_HOURS, BOUND_WORDS, TENS_OF_YEARS,
    HOLIDAYS.by_first, ZONE_ABBREVIATIONS.by_first, PLACE_NAMES.by_first,
    (f"{part}s" for part in DAY_PARTS),
    (f"{meal}time" for meal in MEALS), (f"{hour}ish" for hour in ONES),
)  # fmt: skip


def mentions(text: str, now: datetime, *, day_first: bool = False) -> list[Mention]:
    """Every mention of a time in the text, in order; relative ones as of `now`, its zone aside."""
    p = Parser(text, now, day_first)
    found: list[tuple[int, int, Node]] = []
    i = 0
    while i < len(p.tokens):
        p.evict(i)
        timed = bool(found) and found[-1][1] == i and "time" in found[-1][2].kind
        best = p.parse("zone", i) if timed else longest_mention(p, i)
        best = best or longest_mention(p, i)
        if best is None or inside_word(p, i, best[1]):
            i += 1
            continue
        found.append((i, best[1], best[0]))
        i = best[1]
    return [to_mention(p, i, j, node) for i, j, node in with_shared_time(p, found)]


def longest_mention(p: Parser, i: int) -> Parse | None:
    """The longest match that is a mention of its own; the first start symbol's of equals."""
    if p.word(i) not in START_WORDS and not p.word(i)[0].isdigit():
        return None
    found = [match for symbol in START_SYMBOLS if (match := p.parse(symbol, i))]
    return max((match for match in found if not match[0].weak), key=lambda m: m[1], default=None)


def inside_word(p: Parser, i: int, j: int) -> bool:
    """Whether letters or digits go on at either edge: A1, 3days-long words, 5th-rate."""
    before = p.adjacent(i) and p.tokens[i - 1].text[-1].isalnum()
    code = (
        j == i + 2
        and p.adjacent(i)
        and p.adjacent(j - 1)
        and p.word(i - 1) in "-_.=&#"
        and p.adjacent(i - 1)
    )
    if code and p.word(i).isdigit() and len(p.word(i + 1)) == 1 and p.word(i - 2).isalnum():
        return True  # 1f98-413d
    after = p.adjacent(j) and p.tokens[j].text[0].isalnum()
    return before or after


def to_mention(p: Parser, i: int, j: int, node: Node) -> Mention:
    """A node as the public type."""
    start, end = p.tokens[i].start, p.tokens[j - 1].end
    timed = "time" in node.kind or node.kind == "set"
    zones = [found[0] for k in range(i, j + 1) if timed and (found := p.parse("zone", k))]
    zone = next((each.timex or each.value for each in zones), "")
    values = to_values(likelier_first(p, i, j, node))
    return Mention(start, end, node.kind, node.timex, values, node.ambiguous, zone)


def likelier_first(p: Parser, i: int, j: int, node: Node) -> Node:
    """A bare "at 8" is the next one to come; "on Monday" of what was or happened the last one."""
    readings = node.readings
    if node.kind in ("time", "timerange") and node.missing == "half":
        now = p.now.time()
        ahead = [x for x in readings if isinstance(x[0], time) and x[0] >= now]
    elif node.ambiguous and all(x[0] and day_of_instant(x[0]) == p.today for x in readings):
        ahead = [x for x in readings if isinstance(x[0], datetime) and x[0] >= p.now]
    elif node.missing in ("week", "month", "year", "fixed") and happened(p, i, j):
        ahead = [x for x in readings if isinstance(x[0], date) and date_of(x[0]) < p.today]
    else:
        return node
    return replace(node, readings=(*ahead, *(x for x in readings if x not in ahead)))


def happened(p: Parser, i: int, j: int) -> bool:
    """Whether the clause around the tokens tells what was, and not until when or what for."""
    before, after = clause(p, i - 1, -1), clause(p, j, 1)
    words = [*before[::-1], "", *after]
    told = any(is_past_verb(words, k) for k in range(len(words)))
    return told and not (NOT_PAST & set(words) or BEFORE_LIMIT & set(before[:3]))


def clause(p: Parser, i: int, step: int) -> list[str]:
    """The words from token `i` on, or back from it, as far as the clause goes."""
    words: list[str] = []
    while (word := p.word(i)) not in CLAUSE_ENDS and len(words) < 12:
        words.append(word)
        i += step
    return words


def is_past_verb(words: list[str], k: int) -> bool:
    """Whether the word is a verb in the past tense, and no appointment's: we met, it began."""
    word, led = words[k], words[k - 1] if k else ""
    regular = len(word) > 4 and word.endswith("ed") and word not in ARRANGED and k > 0
    return (regular or word in PAST_VERBS) and led not in BEFORE_PARTICIPLE


def to_values(node: Node) -> tuple[Value, ...]:
    """Its readings in order, each once."""
    if node.value and node.readings:  # a season: its months, and that the hemisphere decides
        return (*(to_value(node, read) for read in node.readings), Value(node.kind, node.value))
    if node.value or node.kind == "set":
        times = [iso_text("time", at) for at in next(iter(node.readings), ())]
        return (Value(node.kind, node.value or "not resolved", *times),)
    return tuple(dict.fromkeys(to_value(node, read) for read in node.readings))


def to_value(node: Node, read: Interval) -> Value:
    """One reading written out."""
    start, end = (iso_text(node.kind, at) for at in read)
    if not node.kind.endswith("range"):
        return Value(node.kind, start)
    after = read[1]
    if node.kind == "daterange" and isinstance(after, date):
        after = shift(shift(after, 1, node.closes) or after if node.closes else after, -1, "day")
    return Value(node.kind, "", start, end, iso_text(node.kind, after))


def iso_text(kind: str, at: Bound) -> str:
    """A date, time or both in ISO; "" for an open end."""
    if isinstance(at, datetime):
        return at.isoformat(" ") if kind.startswith("datetime") else at.date().isoformat()
    if isinstance(at, date):
        return f"{at.isoformat()} 00:00:00" if kind.startswith("datetime") else at.isoformat()
    return at.isoformat() if isinstance(at, time) else ""
