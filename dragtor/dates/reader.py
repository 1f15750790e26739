"""The machine under the grammar: tokens, rules by name, and nodes that rules build.

A rule reads from a token on and gives (node, next token) or None. Several rules may share a name:
the longest wins, the first written of equals. Results are kept by name and place, so a text is
read in linear time. Knows no word of any language; slips in names are mended in typos.py.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache

from dateutil.relativedelta import relativedelta

from dragtor.dates.typos import mended

DAYS = r"mon|tues?|wed|thurs?|thu|fri|sat|sun"
MONTHS = r"jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
TOKEN = re.compile(
    r"\n\s*\n|[0-9]+"
    rf"|\b(?i:{DAYS}|{MONTHS})\.(?= ?(?:[a-z0-9(,-]|(?i:{DAYS}|{MONTHS})))"  # its dot, going on
    r"|[^\W\d_]+|[^\s\w]|[\d_]"
)


BEHIND = 40  # tokens that a rule may look back
KEPT = 4000  # tokens whose findings are kept
At = date | time | datetime | None  # datetime is a date; None is an open end


Read = tuple[At, At]  # a point is (it, None)


@dataclass(frozen=True, slots=True)
class Token:
    """A run of letters (an abbreviation with its dot), of digits, one sign, or an empty line."""

    text: str  # lower case
    raw: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Node:
    """What a rule read."""

    kind: str
    timex: str
    reads: tuple[Read, ...] = ()
    ambiguous: bool = False
    open: str = ""  # what was not said: year, month, week, half (am or pm)
    day: tuple[int, int] = (0, 0)  # month and day where only the year is open; day 0: all month
    mod: str = ""  # start, mid, end, before, after, since, until, approx, less, more
    weak: bool = False  # no mention of its own; only a part of one
    amounts: tuple[tuple[float, str], ...] = ()  # of a duration: number and unit
    rule: tuple[tuple[str, str], ...] = ()  # of a set: parts of its RRULE
    value: str = ""  # fixed text instead of a reading

    @property
    def first(self) -> Read:
        """The likeliest reading."""
        return self.reads[0]


Found = tuple[Node, int]


class Reader:
    """A text as tokens, the moment it is read at, and what rules have found so far."""

    def __init__(self, text: str, now: datetime, day_first: bool = False) -> None:
        self.tokens = [Token(plain(m[0]), m[0], m.start(), m.end()) for m in TOKEN.finditer(text)]
        self.lines = [m.end() for m in re.finditer("\n", text)]
        self.now = now.replace(tzinfo=None, microsecond=0)
        self.today = self.now.date()
        self.day_first = day_first
        self.kept: dict[int, dict[str, Found | None]] = {}  # by token, then rule

    def word(self, i: int) -> str:
        """The token in lower case; "" outside the text."""
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def after(self, i: int) -> str:
        """The token as what follows on the same line: a line break where it is on the next."""
        if 0 < i < len(self.tokens):
            line = bisect_right(self.lines, self.tokens[i - 1].end)
            if line < len(self.lines) and self.lines[line] <= self.tokens[i].start:
                return "\n"
        return self.word(i)

    def tight(self, i: int) -> bool:
        """Whether nothing stands between this token and the one before it."""
        return 0 < i < len(self.tokens) and self.tokens[i].start == self.tokens[i - 1].end

    def capital(self, i: int) -> bool:
        """Whether the token opens with a capital where no sentence opens."""
        if not (0 < i < len(self.tokens)) or self.word(i - 1) in ".!?:\n\"'":
            return False
        return self.tokens[i].raw[0].isupper()

    def skip(self, i: int, words: Collection[str]) -> int:
        """The place after this token if it is one of these words, else the same place."""
        return i + 1 if self.word(i) in words else i

    def has(self, i: int, phrase: str) -> int:
        """The place after these words (blanks part them), 0 if others stand there."""
        words = split(phrase)
        if self.word(i) != words[0]:
            return 0
        same = all(self.word(i + k) == word for k, word in enumerate(words))
        return i + len(words) if same else 0

    def read(self, name: str, i: int) -> Found | None:
        """The longest that any rule of this name reads at token `i`."""
        if not 0 <= i < len(self.tokens):
            return None
        here = self.kept.setdefault(i, {})
        if name not in here:
            here[name] = None  # a rule that meets itself at the same place fails
            best: Found | None = None
            for rule in RULES[name]:
                found = rule(self, i)
                if found and found[1] > i and (best is None or better(found, best)):
                    best = found
            here[name] = best
        return here[name]

    def forget(self, i: int) -> None:
        """Drop what was found well before token `i`, now and then: a long text stays small."""
        if len(self.kept) > KEPT:
            self.kept = {k: found for k, found in self.kept.items() if k >= i - BEHIND}


def plain(raw: str) -> str:
    """A token in lower case, without the dot of an abbreviation, slips mended."""
    word = raw.lower().replace("’", "'")
    return mended(word if len(word) == 1 else word.removesuffix("."))


def better(found: Found, best: Found) -> bool:
    """Whether it reaches further, or as far and is a mention of its own."""
    if found[1] == best[1]:
        return best[0].weak and not found[0].weak
    return found[1] > best[1]


@cache
def split(phrase: str) -> list[str]:
    """Its words."""
    return phrase.split()


Rule = Callable[[Reader, int], Found | None]


RULES: dict[str, list[Rule]] = {}


def rule(name: str) -> Callable[[Rule], Rule]:
    """Add a function to the rules of a name."""

    def add(function: Rule) -> Rule:
        RULES.setdefault(name, []).append(function)
        return function

    return add


class Phrases:
    """A table of phrases of one or more words; the longest at a place wins."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self.by_first: dict[str, list[tuple[list[str], str]]] = {}
        for phrase, meaning in table.items():
            words = [t[0] for t in TOKEN.finditer(phrase)]
            self.by_first.setdefault(words[0], []).append((words, meaning))
        for entries in self.by_first.values():
            entries.sort(key=lambda entry: -len(entry[0]))

    def at(self, r: Reader, i: int) -> tuple[str, int] | None:
        """(meaning, next token) or None."""
        for words, meaning in self.by_first.get(r.word(i), ()):
            if all(r.word(i + k) == w for k, w in enumerate(words)):
                return meaning, i + len(words)
        return None


def shift(day: date, number: int, unit: str) -> date | None:
    """`day` moved by so many days, weeks, months, years...; None outside the calendar."""
    days = {"day": 1, "week": 7, "fortnight": 14}
    months = {"month": 1, "quarter": 3, "year": 12, "decade": 120, "century": 1200}
    try:
        if unit in days:
            return day + timedelta(days=number * days[unit])
        if unit in months:
            moved: date = day + relativedelta(months=number * months[unit])
            return moved
    except (OverflowError, ValueError):
        pass
    return None


def make(year: int, month: int, day: int) -> date | None:
    """That day, None if the calendar has no such day."""
    try:
        return date(year, month, day)
    except (OverflowError, ValueError):
        return None


def monday(day: date) -> date:
    """The Monday of the day's week."""
    return shift(day, -day.weekday(), "day") or day
