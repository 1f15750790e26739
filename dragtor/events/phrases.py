"""What the phrase of a date or a time means, known to be one: the days, the time of the day.

Owns what people leave out: which half of the day a bare "7" is, what "evening" comes to, "sun"
for Sunday. Knows no event; what a phrase says in any text is read by dates.
"""

from __future__ import annotations

import re
from calendar import day_name, month_name
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo

from dragtor import dates
from dragtor.dates import Mention, Value
from dragtor.dates.words import HOURS, ONES, ORDINALS
from dragtor.events.spoken import MINUTES_SAID, REWORDED, exact_clock

# The hour of a part of the day that nothing else narrows.
PART_HOURS = {"morning": 9, "afternoon": 14, "evening": 19, "night": 20}
_PART = re.compile(r"\b(?:week)?(morning|afternoon|evening|to?night|night|nite)s?\b", re.I)
_PART_BESIDE = re.compile(rf"(?:\b(?:in|at|of|the|this|tomorrow)\s+)*{_PART.pattern}", re.I)
LATE = re.compile(
    r"\b(?:dinner|supper|drinks?|pub|party|movies?|film|cinema|concert|gig|show)\b", re.I
)
EARLY_HOURS = re.compile(r"\b(?:breakfast|sunrise|alarm|wake)\b", re.I)
_A_PART = re.compile(r"T[A-Z]{2,}$")  # a TIMEX code
_IN_FULL = re.compile(r"\b(0\d|1[0-2]|\d(?=h))[:h]\d*")  # on a clock of 24 hours
_NUMBERS = ONES | {"twenty": 20, **{f"twenty {word}": 20 + ONES[word] for word in HOURS[:3]}}
_HOUR = re.compile(rf"\b(?:{'|'.join(HOURS)})\b", re.I)
SPELT = re.compile(rf"{_HOUR.pattern}|\b(?:noon|midday|midnight)\b", re.I)
_BARE = re.compile(
    r"\D{0,12}?(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d\d))?\s*(?:ish|o.?clock)?"
    r"(?:\s*(?:-|–|to|till?|until)\s*(?P<to_hour>\d{1,2})(?:[:.h](?P<to_minute>\d\d))?)?"
    r"(?!\s*[ap]\.?\s?m)\D{0,8}",
    re.I,
)
_ORDINALS = ORDINALS | {f"twenty {word}": 20 + n for word, n in ORDINALS.items() if n < 10}
_ORDINALS["thirty first"] = 31
_ORDINAL = re.compile(
    rf"\b({'|'.join(sorted(_ORDINALS, key=len, reverse=True)).replace(' ', '[ -]')})\b", re.I
)
_UP_TO = re.compile(r"\s(?:to|until|till|til|through|thru)\s|[\d\w]\s*[-–—]\s*[\d\w]", re.I)
_CLOCK_KINDS = ("time", "timerange", "datetime", "datetimerange", "set")
_DAY_KINDS = ("date", "daterange", "datetime", "datetimerange")


@dataclass(frozen=True, slots=True)
class Days:
    """The days that are meant, the last one included."""

    first: date
    last: date
    unsure: bool
    weekly: bool = False  # a weekday, which comes again
    vague: bool = False  # a week or month, and no day of it


@dataclass(frozen=True, slots=True)
class Clock:
    """The time of the day, and of the end where that is said."""

    start: time
    end: time | None
    unsure: bool


A_WEEKDAY = r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*"
_WEEKDAYS = {name[:2].lower(): name for name in day_name}
# What people jot down for a date, a time or a repetition; in any other text it may mean more.
_JOTTED: Mapping[str, Sequence[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]]]] = {
    "date": (
        (re.compile(r"\b(\d{1,2})\.(\d{1,2})\.(?=\s|$)"), lambda found: _dotted(found)),
        (re.compile(r"\b2n(?:ite|ight)\b", re.I), "tonight"),
        (
            re.compile(r"^(mo|tu|we|th|fr|sa|su)\b\.?", re.I),
            lambda found: _WEEKDAYS[found[1].lower()],
        ),
    ),
    "time": (
        (re.compile(r"(?<![\d:.])(\d|[01]\d|2[0-3])([0-5]\d)(?!\s*[\d:.]|\w)"), r"\1:\2"),
        (
            re.compile(r"\b([a-z]+(?:[ -][a-z]+)?|\d{1,2}) hundred(?: hours)?\b", re.I),
            lambda found: _hundred(found),
        ),
        (re.compile(r"^(?:a\.?m\.?|early|first thing)$", re.I), "morning"),
        (re.compile(r"^(?:p\.?m\.?|aft|arvo)$", re.I), "afternoon"),
        (re.compile(r"^(\S+) and (\S+)$", re.I), r"\1 to \2"),
        *REWORDED,
    ),
    "recurrence": (
        (
            re.compile(r"\b(mo|fr|sa|su)[nit]s\b", re.I),
            lambda found: f"{_WEEKDAYS[found[1].lower()]}s",
        ),
        (re.compile(r"^alt\b\.?(?: (\w+?)s?$)?", re.I), r"every other \1"),
        (re.compile(r" [+&] "), " and "),
        (re.compile(rf"\b({A_WEEKDAY})(?:, ?|/| )(?={A_WEEKDAY}\b)", re.I), r"\1 and "),
    ),
}


def in_full(name: str, text: str) -> str:
    """The phrase of a field without what is only jotted: 24.12. is 24 December, 0730 is 07:30."""
    for pattern, written in _JOTTED.get(name, ()):
        text = pattern.sub(written, text)
    return text


def _hundred(found: re.Match[str]) -> str:
    """The hour of "sixteen hundred"."""
    said = found[1].lower().replace("-", " ").removeprefix("oh ").removeprefix("zero ")
    hour = int(said) if said.isdigit() else _NUMBERS.get(said, 24)
    return f"{hour:02}:00" if hour < 24 else found[0]


def _dotted(found: re.Match[str]) -> str:
    day, number = int(found[1]), int(found[2])
    return f"{day} {month_name[number]}" if 1 <= number <= 12 else found[0]


def parse_phrases(
    words: Mapping[str, str], now: datetime, day_first: bool
) -> dict[str, list[Mention]]:
    """What the phrases mention; a bare number in that of the time is read as after "at"."""
    found = {}
    clock, _ = _clock_words(words)
    for name, text in (*words.items(), ("clock", clock)):
        read = name in ("date", "time", "recurrence", "clock") and text
        found[name] = list(dates.mentions(text, now, day_first=day_first)) if read else []
    if words.get("date") and not list(_of_kind(found["date"], _DAY_KINDS)):
        on = f"on {_in_digits(words['date'])}"  # "sun", "the twenty-first": a text may mean others
        found["date"] += dates.mentions(on, now, day_first=day_first)
    if clock and not list(_of_kind(found["clock"], _CLOCK_KINDS)):
        found["clock"] += dates.mentions(f"at {clock}", now, day_first=day_first)
    return found


def _in_digits(text: str) -> str:
    """Ordinals in words as digits: the twenty-first is the 21st."""

    def written(found: re.Match[str]) -> str:
        number = _ORDINALS[found[1].lower().replace("-", " ")]
        ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{number}{'th' if 10 < number < 20 else ending}"

    return _ORDINAL.sub(written, text)


def _without_part(text: str) -> str:
    """A time without the part of the day around it: evening 7:30, three in the afternoon."""
    rest = _PART_BESIDE.sub(" ", text).strip(" ,")
    return rest if re.search(r"\d", rest) or _HOUR.search(rest) else text


def _clock_words(words: Mapping[str, str]) -> tuple[str, bool]:
    """The time without the part of the day, and whether it may be a stretch too."""
    clock = _without_part(words.get("time", ""))
    return exact_clock(clock, words.get("lead", ""), lasts=bool(words.get("duration")))


def _of_kind(
    mentions: Sequence[Mention], kinds: Sequence[str]
) -> Iterator[tuple[Mention, list[Value]]]:
    for mention in mentions:
        if values := [value for value in mention.values if value.kind in kinds]:
            yield mention, values


# Days


def days_of(parsed: Mapping[str, list[Mention]], phrase: str, today: date) -> Days | None:
    """The days that the date phrase means, else the time phrase ("tonight at 8")."""
    for name in ("date", "time"):
        for mention, values in _of_kind(parsed.get(name, []), _DAY_KINDS):
            spans = [span for value in values if (span := _span_of_days(value, phrase))]
            if not spans:
                continue
            first, last = spans[0]  # the next one, where the year is not said
            vague = last > first and not _UP_TO.search(phrase)  # "next week": no day is said
            first = max(first, min(today, last)) if vague else first
            weekly = mention.timex.startswith("XXXX-WXX")
            return Days(first, last, mention.ambiguous or vague, weekly, vague)
    return None


def _span_of_days(value: Value, phrase: str) -> tuple[date, date] | None:
    if not value.kind.endswith("range"):
        day = _day(value.value)
        return (day, day) if day else None
    first, last = _day(value.start), _day(value.end)
    if first is None or last is None:
        day = first or last
        return (day, day) if day else None
    if value.kind == "daterange" and last > first and not _UP_TO.search(phrase):
        last -= timedelta(days=1)  # the end of a week is the next one's first day
    if value.kind == "datetimerange" and _clock_of(value.end) == time(0) and last > first:
        last -= timedelta(days=1)
    long = value.kind == "daterange" or _UP_TO.search(phrase)
    return first, max(first, last) if long else first


def _day(stamp: str | None) -> date | None:
    try:
        return date.fromisoformat((stamp or "")[:10])
    except ValueError:
        return None


# Times of the day


def clock_of(parsed: Mapping[str, list[Mention]], words: Mapping[str, str]) -> Clock | None:
    """The time that is meant, of the time phrase, else of the date's or the repetition's."""
    part = next((p for n in ("time", "date", "recurrence") if (p := _part(words.get(n, "")))), "")
    (clock, two_ways), action = _clock_words(words), words.get("action", "")
    hours = _HOUR.sub(lambda word: f"{ONES[word[0].lower()]}", clock)
    bare = None if MINUTES_SAID.search(clock) else _BARE.fullmatch(hours)
    if bare and bare["to_hour"]:
        return _bare(bare, part, action)
    for name, text in (("clock", clock), *((n, words.get(n, "")) for n in ("date", "recurrence"))):
        for mention, values in _of_kind(parsed.get(name, []), _CLOCK_KINDS):
            if name == "recurrence" and _A_PART.search(mention.timex):
                continue  # every night
            spans = [span for value in values if (span := _span_of_clock(value))]
            stretch = _PART.search(text) or values[0].kind == "datetimerange"
            exact = re.search(r"\d", text) or (name != "date" and SPELT.search(text))
            if not spans or (stretch and not exact):
                continue  # a part of the day, or the rest of it
            chosen = _chosen(spans, mention, text, part, action)
            return replace(chosen, unsure=chosen.unsure or two_ways)
    if bare:
        return _bare(bare, part, action)
    return Clock(time(PART_HOURS[part]), None, True) if part else None


def _part(text: str) -> str:
    found = _PART.search(text)
    word = found[1].casefold() if found else ""
    return "night" if word in ("tonight", "night", "tnight", "nite") else word


def _span_of_clock(value: Value) -> tuple[time, time | None] | None:
    if value.kind != "set" and not value.kind.endswith("range"):
        start = _clock_of(value.value)
        return (start, None) if start else None
    start, end = _clock_of(value.start), _clock_of(value.end)
    if end and start == time(0) and value.start[:10] < value.end[:10]:
        return end, None  # Monday to Friday at 9
    return (start, end) if start else None


def _clock_of(stamp: str | None) -> time | None:
    found = re.search(r"(?:^|[T ])(\d\d):(\d\d)(?::(\d\d))?$", stamp or "")
    if not found or int(found[1]) > 23:
        return None
    return time(int(found[1]), int(found[2]))


def _chosen(
    spans: list[tuple[time, time | None]], mention: Mention, text: str, part: str, action: str
) -> Clock:
    """Of a time's readings the likely one; sure where the words leave only that.

    10:30 and 09:15 are read on a clock of 24 hours, 9:15 may be either.
    """
    start, end = spans[0]
    written = _IN_FULL.search(text)
    if mention.ambiguous and written and not part:
        start = start.replace(hour=int(written[1]))
    elif mention.ambiguous:
        start = start.replace(hour=likely_hour(start.hour % 12 or 12, part, action))
        end = _after(start, end.replace(hour=end.hour % 12)) if end else None
    return Clock(start, end, mention.ambiguous and not written and not part)


def _bare(found: re.Match[str], part: str, action: str) -> Clock | None:
    hour, minute = int(found["hour"]), int(found["minute"] or 0)
    if hour > 24 or minute > 59:
        return None
    sure = hour > 12 or bool(part or _IN_FULL.search(found.string))
    bare = 1 <= hour <= 12 and (part or not sure)
    likely = likely_hour(hour, part, action) if bare else hour % 24
    start, end = time(likely, minute), None
    if found["to_hour"] and int(found["to_hour"]) <= 24 and int(found["to_minute"] or 0) <= 59:
        end = _after(start, time(int(found["to_hour"]) % 24, int(found["to_minute"] or 0)))
    return Clock(start, end, not sure)


def likely_hour(hour: int, part: str, action: str) -> int:
    """Which half of the day a bare hour (1 to 12) means: 1 to 6 and 12 the second one."""
    early, late = hour % 12, hour % 12 + 12
    if part == "morning" or (not part and hour in range(5, 12) and EARLY_HOURS.search(action)):
        return early
    if part == "night" and hour in (12, 1, 2, 3, 4):
        return early
    if part or hour == 12 or hour <= 6:
        return late
    return late if LATE.search(action) else early


def _after(start: time, end: time) -> time:
    """The reading of a bare end that comes first after the start: 9 to 5 is to 17:00."""
    if end <= start and end.hour < 12 and end.replace(hour=end.hour + 12) > start:
        return end.replace(hour=end.hour + 12)
    return end


def zone_of(parsed: Mapping[str, list[Mention]]) -> tzinfo | None:
    """The zone in the words of the time, such as 3pm CET."""
    said = (*parsed.get("time", []), *parsed.get("recurrence", []))
    name = next((mention.zone for mention in said if mention.zone), "")
    return dates.zone_info(name) if name else None


def is_vague(duration: str) -> bool:
    """Whether a duration gives no number: a few hours."""
    return bool(re.search(r"\b(?:few|several|some|many)\b", duration, re.I))
