"""When a sentence of a plan says that something is done: "Weeks 1-2: Mon and Thu", "3x/week".

Owns weeks and days counted from a plan's start, weekdays, and how often; and what is left of the
sentence without them. Pure: knows no calendar and no event.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dragtor.dates.words import CODES, HOURS, ONES, ORDINALS

MOST_WEEKS = 104  # a plan of more is a slip
_ORDINALS = list(ORDINALS)[:8]  # first to eighth
_NUMBER = rf"(?:\d{{1,3}}|{'|'.join(HOURS)})"
_TO = r"\s*(?:-|–|—|to|through|and|&)\s*"
_FILLED = r"\s*(?:-|–|—|to|through)\s*"
# "Week 1 - 3 sets": the 3 is of no week.
_NO_COUNT = (
    r"(?!\s*(?:[x×%]|(?:sets?|times|rep(?:etition)?s?|min(?:ute)?s?|sec(?:ond)?s?|hours?|sessions?"
    r"|days?|weeks?|hangs?|kg)\b))"
)
_RUN = (
    rf"(?P<first>{_NUMBER})\b(?:(?P<to>{_TO})(?:(?:week|day) )?(?P<last>{_NUMBER})\b{_NO_COUNT})?"
)
_NOT_AFTER = r"(?<!after )(?<!until )(?<!before )(?<!by )(?<!past )(?<!within )(?<!within the )"
_ON = r"(?:\s+on(?:wards?)?\b)?"
_WEEK = re.compile(
    rf"{_NOT_AFTER}\b(?P<from>from |starting )?(?:in |during )?(?:weeks?|wks?\.?) #?{_RUN}{_ON}:?",
    re.I,
)
_NTH_WEEK = re.compile(
    rf"{_NOT_AFTER}\b(?P<from>from )?(?:in |during )?the ({'|'.join(_ORDINALS)}) week{_ON}:?",
    re.I,
)
_FIRST = re.compile(
    rf"{_NOT_AFTER}\b(?:in |during |for |over )?the first (?:{_NUMBER}{_TO})?({_NUMBER})"
    r" (weeks|days):?",
    re.I,
)
_DAY = re.compile(rf"{_NOT_AFTER}\b(?:on |from )?days? #?{_RUN}:?", re.I)
_WEEKDAY = re.compile(
    r"\b(?i:(?:on|every|and|or) )*"
    r"(?:(?P<full>(?i:mon|tues|wednes|thurs|fri|satur|sun))(?i:days?)"
    r"|(?P<short>Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun))\b\.?,?:?(?i: and\b)?"
)  # a short one has its capital: the sun shines, she sat down
_NEXT = _WEEKDAY.pattern.replace("?P<", "?P<next_")
_WEEKDAYS = re.compile(rf"{_WEEKDAY.pattern}(?:(?:{_FILLED}|\s*[/&+]\s*)?{_NEXT})?")
_PER_DAY = rf"(?:once|twice|thrice|{_NUMBER}(?:\s*[x×]| times)) ?(?:a |per |/ ?)day"
_DAILY = re.compile(
    rf"\b(?:(?:every|each) day|daily|{_PER_DAY})\b(?! (?:life|living|activit|routine|tasks?|use))",
    re.I,
)
_STEP = re.compile(
    rf"\bevery (?:(other|second|third|fourth) day|({_NUMBER})(?:{_TO}{_NUMBER})? days)\b"
    r"|\balternate days\b",
    re.I,
)
_OFTEN = re.compile(
    rf"\b(?:(once|twice)|({_NUMBER})(?:{_TO}{_NUMBER})?(?:\s*[x×]|(?: [\w-]+){{0,2}}"
    r" (?:times|sessions?|days?|workouts?)(?: of [\w-]+ [\w-]+)?))"
    r"\s?(?:a |per |each |every |/ ?)(?:week|wk)\b",
    re.I,
)
_WEEKS_LONG = re.compile(rf"\b({_NUMBER})[ -]weeks?\b", re.I)
_MARKDOWN = re.compile(
    r"\[[\d,\s]+\]|^\s*(?:[-•–+]|\d{1,2}[.)])\s+|[*`#>]+|^\s*\|+|\|+\s*$|(?<!\w)_+|_+(?!\w)"
)
_EMPTY = re.compile(r"\([\s,;:/&–-]*\)|^[\s,;:/.&–-]+(?:on\b)?[\s,;:/.&–-]*|[\s,;:/.&–-]+$")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a sentence says that something is done, and what is left of it without that."""

    weeks: tuple[int, ...]  # counted from 1
    onward: bool  # from the first of the weeks to the plan's end
    days: tuple[int, ...]  # of the plan, or of its week, counted from 1
    weekdays: tuple[int, ...]  # Monday is 0
    step: int  # 1 is every day, 2 every second one; 0 where that is not said
    often: int  # sessions a week, 0 where that is not said
    rest: str


def schedule(text: str) -> Schedule:
    """What a sentence, a line of a list or a row of a table says; markdown and marks come off."""
    text = _MARKDOWN.sub(" ", text)
    text = " ".join(re.sub(r"\s*\|+[\s|]*", ", ", text).split())
    weeks, days = _numbers(_WEEK, text), _numbers(_DAY, text)
    nth = list(_NTH_WEEK.finditer(text))
    weeks = weeks or tuple(ORDINALS[found[2].lower()] for found in nth)
    if first := _FIRST.search(text):
        spelled = tuple(range(1, min(_number(first[1]), MOST_WEEKS) + 1))
        weeks = weeks or (spelled if first[2].lower() == "weeks" else ())
        days = days or (spelled if first[2].lower() == "days" else ())
    opened = [*_WEEK.finditer(text), *nth]
    return Schedule(
        weeks,
        any(found["from"] for found in opened),
        days,
        _weekdays(text),
        _step(text),
        _often(text),
        _rest(text),
    )


def weeks_long(text: str) -> int:
    """The N of "a 4-week plan" or "for six weeks"; 0 where nothing says it."""
    found = _WEEKS_LONG.search(text)
    return min(_number(found[1]), MOST_WEEKS) if found else 0


def _rest(text: str) -> str:
    for pattern in (_WEEK, _NTH_WEEK, _FIRST, _DAY):
        text = pattern.sub(" ", text)
    text = _WEEKDAYS.sub(" ", text)
    text = " ".join(text.split())
    for _ in range(2):  # what stood in parentheses or before a colon is gone
        text = _EMPTY.sub("", text).strip()
    return re.sub(r"\s+([,;:.])", r"\1", text)


def _weekdays(text: str) -> tuple[int, ...]:
    """The days that are named, "Mon to Fri" filled."""
    found: set[int] = set()
    before: re.Match[str] | None = None
    for match in _WEEKDAY.finditer(text):
        day = CODES.index((match["full"] or match["short"])[:2].upper())
        found.add(day)
        if before and re.fullmatch(_FILLED, text[before.end() : match.start()]):
            start = CODES.index((before["full"] or before["short"])[:2].upper())
            found |= set(range(start, day))
        before = match
    return tuple(sorted(found))


def _step(text: str) -> int:
    """Days from one time to the next."""
    if found := _STEP.search(text):
        word = (found[1] or "other").lower().replace("other", "second")
        return _number(found[2]) if found[2] else ORDINALS[word]
    return 1 if _DAILY.search(text) else 0


def _often(text: str) -> int:
    """The lower number of "2-3 times per week"."""
    found = _OFTEN.search(text)
    if not found:
        return 0
    number = {"once": 1, "twice": 2}.get((found[1] or "").lower()) or _number(found[2])
    return number if number < len(CODES) else 0


def _numbers(pattern: re.Pattern[str], text: str) -> tuple[int, ...]:
    """Every number that the pattern names, "1 to 3" filled and "1 and 3" not, in order."""
    found: set[int] = set()
    for match in pattern.finditer(text):
        first = _number(match["first"])
        last = _number(match["last"]) if match["last"] else first
        if re.fullmatch(_FILLED, match["to"] or ""):
            found |= set(range(first, min(last, first + MOST_WEEKS) + 1))
        found |= {first, last}
    return tuple(sorted(number for number in found if 1 <= number <= 7 * MOST_WEEKS))


def _number(text: str) -> int:
    return int(text) if text.isdigit() else ONES[text.lower()]
