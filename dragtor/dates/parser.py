"""A memoising recursive-descent parser: tokens, the rules of the grammar, and the nodes they build.

A rule is a function of the parser `p` and the token `i` that it starts at; it gives a match (node,
next token) or None. Rules of one symbol are alternatives: the longest match wins, the first written
of equals. Matches are kept by symbol and token (packrat parsing), so time grows with the length of
the text only. Owns spelling correction and calendar arithmetic; knows no rule.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache, lru_cache

from dateutil.relativedelta import relativedelta

from dragtor.dates.words import MONTHS, PLURAL_WEEKDAYS, TODAY, WEEKDAYS

SHORTEST_NAME = 6
SHORTEST_SUBSTITUTED = 7  # a changed letter makes no other word: sundry, sundae, munday
LONG_NAMES = tuple(
    name
    for name in (*WEEKDAYS, *PLURAL_WEEKDAYS, *MONTHS, "tomorrow", "yesterday")
    if len(name) >= SHORTEST_NAME
    and name.removesuffix("s").endswith(("day", "ry", "ber", "st", "ow"))
)
SPELT_RIGHT = {*LONG_NAMES, *TODAY, "augusta", "auguste", "augustus"}
COMMON_SLIPS = {"wensday": "wednesday", "wendsday": "wednesday", "wednsday": "wednesday",
          "evry": "every", "evrey": "every"}  # fmt: skip


@lru_cache(maxsize=8192)
def corrected(word: str) -> str:
    """The name that was meant, else the word itself."""
    if word in COMMON_SLIPS:
        return COMMON_SLIPS[word]
    if len(word) < SHORTEST_NAME - 1 or word in SPELT_RIGHT or not word.isascii():
        return word
    for name in LONG_NAMES:
        if name[0] == word[0] and abs(len(name) - len(word)) < 2 and is_one_edit(word, name):
            return name
    return word


def is_one_edit(word: str, name: str) -> bool:
    """Whether one slip inside the name makes the word; its first letter always stays."""
    if word == name:
        return False
    k = 0
    while k < min(len(word), len(name)) and word[k] == name[k]:
        k += 1
    if len(word) == len(name):
        swapped = word[k : k + 2] == name[k : k + 2][::-1] and word[k + 2 :] == name[k + 2 :]
        bare = name.removesuffix("s")
        return swapped or (len(bare) >= SHORTEST_SUBSTITUTED and word[k + 1 :] == name[k + 1 :])
    if k >= min(len(word), len(name)):  # a letter more or less at the end: augusta, frida
        longer = len(name) > SHORTEST_SUBSTITUTED and name[-1] != "s"
        return len(word) < len(name) and longer
    if len(word) > len(name):
        return word[k + 1 :] == name[k:]
    return word[k:] == name[k + 1 :]


ABBREVIATIONS = "mon|tues?|wed|thurs?|thu|fri|sat|sun|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
TOKEN_PATTERN = re.compile(
    r"\n\s*\n|[0-9]+"
    rf"|\b(?i:{ABBREVIATIONS})\.(?= ?(?:[a-z0-9(,-]|(?i:{ABBREVIATIONS})))"  # its dot, going on
    r"|[^\W\d_]+|[^\s\w]|[\d_]"
)
LOOKBEHIND = 40  # tokens that a rule may look back
MEMO_SIZE = 4000  # tokens whose matches are kept
Bound = date | time | datetime | None  # datetime is a date; None is an open end
Interval = tuple[Bound, Bound]  # a point is (it, None)


@dataclass(frozen=True, slots=True)
class TextToken:
    """A run of letters (an abbreviation with its dot), of digits, one sign, or an empty line."""

    text: str  # lower case
    raw: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Node:
    """What a rule matched: kind (as in `Value`), TIMEX3 code, readings with the likeliest first."""

    kind: str
    timex: str
    readings: tuple[Interval, ...] = ()
    ambiguous: bool = False
    missing: str = ""  # what was not said: year, month, week, half (am or pm)
    day: tuple[int, int] = (0, 0)  # month and day where only the year is open; day 0: all month
    mod: str = ""  # start, mid, end, before, after, since, until, approx, less, more
    weak: bool = False  # no mention of its own, only a part of one
    amounts: tuple[tuple[float, str], ...] = ()  # of a duration: number and unit
    closes: str = ""  # of a range of days: the unit that opens with its end and belongs to it
    rrule: tuple[tuple[str, str], ...] = ()  # of a set: parts of its RFC 5545 rule
    value: str = ""  # fixed text instead of a reading

    @property
    def likeliest(self) -> Interval:
        """The likeliest reading."""
        return self.readings[0]

    @property
    def is_day(self) -> bool:
        """Whether it is a day that exists."""
        return self.kind == "date" and bool(self.readings)

    @property
    def days(self) -> list[date]:
        """The day or moment that each reading begins at."""
        return [start for start, _ in self.readings if isinstance(start, date)]

    @property
    def times(self) -> list[time]:
        """The time of the day that each reading begins at."""
        return [start for start, _ in self.readings if isinstance(start, time)]

    @property
    def stretches(self) -> list[tuple[date, date]]:
        """The readings that are closed at both ends."""
        return [(a, b) for a, b in self.readings if isinstance(a, date) and isinstance(b, date)]


Parse = tuple[Node, int]


def longest(found: Iterable[Parse | None]) -> Parse | None:
    """The match that reaches furthest, the first of equals."""
    return max((match for match in found if match), key=lambda match: match[1], default=None)


def points(days: Iterable[Bound]) -> tuple[Interval, ...]:
    """Days or times as readings."""
    return tuple((day, None) for day in days)


def nearest(days: Iterable[date], today: date) -> list[date]:
    """The first of these sorted days from today on, then the last before today."""
    days = list(days)
    return [d for d in days if d >= today][:1] + [d for d in days if d < today][-1:]


class Parser:
    """A text as tokens, the moment that it is read at, and the matches found so far."""

    def __init__(self, text: str, now: datetime, day_first: bool = False) -> None:
        self.tokens = [
            TextToken(token_text(m[0]), m[0], m.start(), m.end())
            for m in TOKEN_PATTERN.finditer(text)
        ]
        self.lines = [m.end() for m in re.finditer("\n", text)]
        self.now = now.replace(tzinfo=None, microsecond=0)
        self.today = self.now.date()
        self.day_first = day_first
        self.memo: dict[int, dict[str, Parse | None]] = {}  # by token, then symbol

    def word(self, i: int) -> str:
        """The token in lower case; "" outside the text."""
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def lookahead(self, i: int) -> str:
        """The token as what follows on the same line: a line break where it is on the next."""
        if 0 < i < len(self.tokens):
            line = bisect_right(self.lines, self.tokens[i - 1].end)
            if line < len(self.lines) and self.lines[line] <= self.tokens[i].start:
                return "\n"
        return self.word(i)

    def adjacent(self, i: int) -> bool:
        """Whether nothing stands between this token and the one before it."""
        return 0 < i < len(self.tokens) and self.tokens[i].start == self.tokens[i - 1].end

    def capitalised(self, i: int) -> bool:
        """Whether the token opens with a capital where no sentence opens."""
        if not (0 < i < len(self.tokens)) or self.word(i - 1) in ".!?:\n\"'":
            return False
        return self.tokens[i].raw[0].isupper()

    def optional(self, i: int, words: Collection[str]) -> int:
        """The place after this token if it is one of these words, else the same place."""
        return i + 1 if self.word(i) in words else i

    def match(self, i: int, phrase: str) -> int:
        """The place after these words (blanks part them), 0 if others stand there."""
        words = split_words(phrase)
        if self.word(i) != words[0]:
            return 0
        same = all(self.word(i + k) == word for k, word in enumerate(words))
        return i + len(words) if same else 0

    def parse(self, symbol: str, i: int) -> Parse | None:
        """The longest match of the symbol's rules at token `i`."""
        if not 0 <= i < len(self.tokens):
            return None
        here = self.memo.setdefault(i, {})
        if symbol not in here:
            here[symbol] = None  # left recursion fails
            best: Parse | None = None
            for rule in RULES[symbol]:
                found = rule(self, i)
                if found and found[1] > i and (best is None or is_longer(found, best)):
                    best = found
            here[symbol] = best
        return here[symbol]

    def evict(self, i: int) -> None:
        """Drop matches well before token `i`, now and then: memory stays small on a long text."""
        if len(self.memo) > MEMO_SIZE:
            self.memo = {k: found for k, found in self.memo.items() if k >= i - LOOKBEHIND}


def token_text(raw: str) -> str:
    """A token in lower case, without the dot of an abbreviation, spelling corrected."""
    word = raw.lower().replace("’", "'")
    return corrected(word if len(word) == 1 else word.removesuffix("."))


def is_longer(found: Parse, best: Parse) -> bool:
    """Whether it reaches further, or as far and is a mention of its own."""
    if found[1] == best[1]:
        return best[0].weak and not found[0].weak
    return found[1] > best[1]


@cache
def split_words(phrase: str) -> list[str]:
    """Its words."""
    return phrase.split()


Rule = Callable[[Parser, int], Parse | None]
RULES: dict[str, list[Rule]] = {}  # by symbol


def rule(symbol: str) -> Callable[[Rule], Rule]:
    """Register a function as a rule of the symbol."""

    def add(function: Rule) -> Rule:
        RULES.setdefault(symbol, []).append(function)
        return function

    return add


class PhraseTable:
    """A table of phrases of one or more words; the longest at a place wins."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self.by_first: dict[str, list[tuple[list[str], str]]] = {}
        for phrase, meaning in table.items():
            words = [t[0] for t in TOKEN_PATTERN.finditer(phrase)]
            self.by_first.setdefault(words[0], []).append((words, meaning))
        for entries in self.by_first.values():
            entries.sort(key=lambda entry: -len(entry[0]))

    def match(self, p: Parser, i: int) -> tuple[str, int] | None:
        """(meaning, next token) or None."""
        for words, meaning in self.by_first.get(p.word(i), ()):
            if all(p.word(i + k) == w for k, w in enumerate(words)):
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


def make_date(year: int, month: int, day: int) -> date | None:
    """That day, None if the calendar has no such day."""
    try:
        return date(year, month, day)
    except (OverflowError, ValueError):
        return None


def monday_of(day: date) -> date:
    """The Monday of the day's week."""
    return shift(day, -day.weekday(), "day") or day


def date_of(at: date) -> date:
    """The day of a moment, the day itself of a day."""
    return at.date() if isinstance(at, datetime) else at
