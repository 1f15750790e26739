"""Phrases of made texts: people, days, hours, places, repeats and remarks, marked as fields.

`[d:next Fri]` marks a date; augment.py turns marks into spans. Knows no sentence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence

from dragtor.dates.words import HOURS
from dragtor.training.events import words

Random = random.Random


def without_marks(marked: str) -> str:
    """A marked phrase without its marks."""
    return re.sub(r"\[[adtplurn]:|\]", "", marked)


def name(draw: Random) -> str:
    """A person or a group, marked."""
    if draw.random() < 0.25:
        some = draw.choice(words.KIN)
        return some if "[" in some else f"[p:{some}]"
    first = draw.choice(words.PEOPLE)
    last = f" {draw.choice(words.FAMILIES)}" if " " not in first and draw.random() < 0.2 else ""
    return f"[p:{first}{last}]"


def names(draw: Random) -> str:
    """One to three of them."""
    some = [name(draw) for _ in range(draw.choice((1, 1, 1, 2, 2, 3)))]
    if len(some) == 1:
        return some[0]
    joint = draw.choice((" and ", " & ", " + ", ", "))
    return (
        ", ".join(some[:-1])
        + (joint if len(some) == 2 else draw.choice((", and ", " and ")))
        + some[-1]
    )


def month_word(draw: Random) -> str:
    """A month, long or short."""
    long = draw.choice(words.MONTH_NAMES).capitalize()
    return long if draw.random() < 0.7 else long[:3]


def ordinal_digits(number: int) -> str:
    """21 as 21st."""
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def full_date(draw: Random) -> str:
    """A date with its year."""
    day, number, year = draw.randint(1, 28), draw.randint(1, 12), draw.randint(2023, 2029)
    long = words.MONTH_NAMES[number - 1].capitalize()
    word = draw.choice((long, long[:3]))
    return draw.choice(
        (
            f"{day:02}/{number:02}/{year}",
            f"{year}-{number:02}-{day:02}",
            f"{word} {day}, {year}",
            f"{ordinal_digits(day)}, {word} {year}",
            f"{ordinal_digits(day)} {word}, {year}",
            f"{day} {word} {year}",
            f"{day:02} - {word} - {year}",
            f"{word} {ordinal_digits(day)}, {year}",
            f"{day}.{number}.{year}",
        )
    )


def date(draw: Random) -> str:
    """A date as people say it, marked, with what stands before it."""
    kind = draw.random()
    weekday, day = draw.choice(words.WEEKDAY_NAMES), draw.randint(1, 31)
    if kind < 0.3:
        return f"[d:{draw.choice(words.NEAR)}]"
    if kind < 0.4:
        return f"[d:{draw.choice(('next', 'this', 'next', 'coming'))} {day_name(draw)}]"
    if kind < 0.55:
        on = draw.choice(("on ", "on ", "for ", ""))
        return f"{on}[d:{day_name(draw)}]"
    if kind < 0.6:
        return f"{draw.choice(('on ', 'for ', ''))}[d:{full_date(draw)}]"
    if kind < 0.64:
        return f"on [d:{draw.choice(words.FEASTS)}]"
    phrase = _dated(draw, weekday, day)
    before = "from " if " to " in phrase else draw.choice(("on ", "on ", "for ", "for ", ""))
    return f"{before}[d:{phrase}]"


def _dated(draw: Random, weekday: str, day: int) -> str:
    """A day of a month or week, or several, without its marks."""
    return draw.choice(
        (
            f"the {ordinal_digits(day)}",
            f"{month_word(draw)} {day}",
            f"{month_word(draw)} {ordinal_digits(day)}",
            f"{day} {month_word(draw)}",
            f"the {ordinal_digits(day)} of {month_word(draw)}",
            f"{day}/{draw.randint(1, 12)}",
            f"{month_word(draw)} the {ordinal_digits(day)}",
            f"{month_word(draw)} {draw.choice(words.NTHS)}",
            f"the {draw.choice(words.NTHS)}",
            f"{weekday} the {ordinal_digits(day)}",
            f"{weekday.capitalize()}, {month_word(draw)} {day}",
            f"{ordinal_digits(day)} of this month",
            f"{weekday} next week",
            f"a week from {weekday}",
            f"{ordinal_digits(day)} of {month_word(draw)}",
            f"{weekday} after next",
            f"next week on {weekday}",
            f"the {ordinal_digits(day)} of next month",
            f"{draw.randint(1, 12)}/{draw.randint(1, 28)}",
            f"{month_word(draw)} {day} to {month_word(draw)} {day}",
            f"{day}-{day + 2} {month_word(draw)}",
            f"{month_word(draw)} {day}-{day + 3}",
            f"{weekday} to {draw.choice(words.WEEKDAY_NAMES)}",
            f"the last {weekday} of {month_word(draw)}",
            f"a week on {weekday}",
            f"{weekday} week",
            f"this coming {weekday}",
            f"{weekday} in two weeks",
            f"the first {weekday} in {month_word(draw)}",
            f"{month_word(draw)} {day} {draw.randint(2024, 2029)}",
            f"{weekday} {month_word(draw)} {draw.choice(words.NTHS)}",
            f"{weekday} {day} {month_word(draw)}",
            f"{draw.choice(words.NTHS)} of {month_word(draw)}",
            f"the {draw.choice(words.NTHS)} to the {draw.choice(words.NTHS)}",
            f"the week of {month_word(draw)} {day}",
            f"{ordinal_digits(day)}",
        )
    )


def day_name(draw: Random) -> str:
    """A weekday, long or short."""
    long = draw.random() < 0.75
    some = draw.choice(words.WEEKDAY_NAMES if long else words.SHORT_DAYS)
    return some.capitalize() if draw.random() < 0.7 else some


def clock_words(draw: Random) -> str:
    """A time of day, as it is written or said."""
    hour, minute = draw.randint(1, 12), draw.choice((0, 15, 30, 45, 5, 20))
    word = HOURS[hour - 1]
    half = draw.choice(("am", "pm", " am", " pm", "AM", " PM", " a.m.", " p.m."))
    return draw.choice(
        (
            f"{hour}{half}",
            f"{hour}{half}",
            f"{hour}:{minute:02}{half}",
            f"{hour}:{minute:02}{half}",
            f"{draw.randint(0, 23)}:{minute:02}",
            f"{draw.randint(8, 21):02}:{minute:02}",
            f"{hour}",
            f"half past {word}",
            f"quarter past {word}",
            f"quarter to {word}",
            f"{word} o'clock",
            f"half past {hour} {draw.choice(words.PARTS_OF_DAY)}",
            f"quarter to {hour} {draw.choice(words.PARTS_OF_DAY)}",
            f"{word} {draw.choice(('am', 'pm', 'a m', 'p m'))}",
            f"{word} {draw.choice(words.PARTS_OF_DAY)}",
            f"{word} {draw.choice(('thirty', 'fifteen', 'forty five', 'twenty'))}",
            f"{hour}ish",
            f"{hour}:{minute:02} {draw.choice(words.PARTS_OF_DAY)}",
            f"{hour} {draw.choice(words.PARTS_OF_DAY)}",
            f"{draw.choice(('morning', 'afternoon', 'evening', 'night'))} {hour}:{minute:02}",
            f"{draw.choice(('afternoon', 'evening'))} {hour}",
            "noon",
            "midday",
            "midnight",
            f"{word}",
            f"{draw.randint(7, 20)}h{draw.choice(('', '30'))}",
            f"{hour} o'clock",
            f"ten past {word}",
            f"{word} thirty {draw.choice(('am', 'pm'))}",
            f"{word} thirty {draw.choice(words.PARTS_OF_DAY)}",
            f"{hour}{half} {draw.choice(words.ZONES_SAID)}",
            f"half {word}",
            f"half {word}",
            f"{hour} {minute:02}{draw.choice((' am', ' pm', 'pm'))}",
            f"{word} {draw.choice(('ten', 'fifty', 'oh five', 'forty'))} {half.strip()}",
            f"{draw.choice(('five', 'ten', 'twenty'))} to {word}",
            f"quarter {draw.choice(('of', 'after', 'till'))} {word}",
            f"{word} o'clock {draw.choice(words.PARTS_OF_DAY)}",
            f"{hour}.{minute:02}{draw.choice(('', 'pm', ' am'))}",
        )
    )


def clock_digits(draw: Random) -> str:
    """A time of day in digits."""
    hour, minute = draw.randint(1, 12), draw.choice((0, 15, 30, 45, 20, 50))
    half = draw.choice(("am", "pm", " am", " pm", " AM", " PM", "\u202fpm"))
    twelve = f"{hour}{half}" if minute == 0 and draw.random() < 0.6 else f"{hour}:{minute:02}{half}"
    return twelve if draw.random() < 0.75 else f"{draw.randint(7, 20):02}:{minute:02}"


def clock_range(draw: Random) -> str:
    """From one time to another."""
    first = draw.randint(1, 9)
    last, half = first + draw.randint(1, 3), draw.choice(("pm", " pm", "am", "", " PM"))
    return draw.choice(
        (
            f"{first} to {last}{half}",
            f"{first}-{last}{half}",
            f"{first}:30 to {last}{half}",
            f"{HOURS[first - 1]} to {HOURS[min(11, last - 1)]} {half.strip()}".strip(),
            f"{first + 9}:00-{last + 9}:30",
            f"{first}{half or 'pm'} - {last}{half or 'pm'}",
            f"{first + 9}:15 – {last + 9}:00",
            f"{first}{half} until {last}{half}",
            f"noon to {first}",
            f"{HOURS[first - 1]} until {HOURS[min(11, last - 1)]}",
            f"{first}:15{half} to {last}:45{half}",
            f"half past {HOURS[first - 1]} to {HOURS[min(11, last - 1)]}",
        )
    )


def hour(draw: Random) -> str:
    """A time, marked, with what stands before it."""
    kind = draw.random()
    if kind < 0.1:
        return f"from [t:{clock_range(draw)}]"
    if kind < 0.16:
        return f"[t:{clock_range(draw)}]"
    if kind < 0.19:
        first = draw.randint(1, 9)
        return f"[t:between {first} and {first + 2}{draw.choice((' pm', 'pm', ''))}]"
    if kind < 0.26:
        return f"[t:{draw.choice(words.PARTS_OF_DAY)}]"
    if kind < 0.32:
        return f"[t:{draw.choice(words.MOMENTS)}]"
    before = draw.choice(
        ("at ", "at ", "at ", "at ", "@ ", "", "around ", "about ", "by ", "starting at ")
    )
    after = draw.choice((" sharp", " on the dot")) if draw.random() < 0.04 else ""
    return f"{before}[t:{clock_words(draw)}]{after}"


def when(draw: Random) -> str:
    """Date and time, either alone, or one with a part of the day."""
    kind = draw.random()
    if kind < 0.16:
        return date(draw)
    if kind < 0.26:
        return hour(draw)
    if kind < 0.36:
        near = draw.choice(("tomorrow", day_name(draw), "tomorrow", "next " + day_name(draw)))
        part = draw.choice(("morning", "afternoon", "evening", "night"))
        number = draw.randint(1, 11)
        hours = (number, HOURS[number], f"{number}:30", f"half past {HOURS[number]}")
        tail = draw.choice(("", f" at {draw.choice(hours)}", f" around {number}"))
        return f"[d:{near}] [t:{part}{tail}]"
    if kind < 0.72:
        return f"{date(draw)}{draw.choice((' ', ' ', ', '))}{hour(draw)}"
    return f"{hour(draw)}{draw.choice((' ', ' ', ', '))}{date(draw)}"


def venue(draw: Random) -> str:
    """A place, marked, without a preposition."""
    kind, article = draw.random(), draw.choice(("", "the "))
    if kind < 0.5:
        return draw.choice(words.VENUES)
    if kind < 0.62:
        owner = draw.choice(words.PEOPLE).split()[-1]
        return f"[l:{owner}'s{draw.choice(('', ' place', ' house', ' flat', ' office', ''))}]"
    if kind < 0.7:
        return f"the [l:{draw.choice(words.VENUE_PLAIN)}]"
    if kind < 0.76:
        level = f"{draw.randint(0, 9)}.{draw.randint(1, 30):02}"
        number = draw.choice((draw.randint(1, 40), level, draw.choice("ABCD")))
        return f"[l:{draw.choice(('Room', 'room', 'Studio', 'Hall', 'Gate', 'Court'))} {number}]"
    return f"{article}[l:{draw.choice(words.VENUE_FIRST)} {draw.choice(words.VENUE_LAST)}]"


def bare_venue(draw: Random) -> str:
    """A place, marked, with nothing before it."""
    return re.sub(r"^the ", "", venue(draw)).replace("[l:the ", "[l:")


def venue_phrase(draw: Random) -> str:
    """A place, marked, with its preposition."""
    some = venue(draw)
    if re.search("online|virtual|remote", some):
        return some
    if re.search("Zoom|Meet|Teams|Skype|Webex|Discord", some):
        return f"{draw.choice(('on', 'on', 'via', 'over'))} {some}"
    before = draw.choice(("at", "at", "at", "in", "in", "@", "over at", "down at"))
    return f"{before} {some}"


def repeat_phrase(draw: Random) -> str:
    """A repeat, marked."""
    some = draw.choice(words.REPEATS)
    some = re.sub("DAY", lambda _: day_name(draw), some)
    some = re.sub("MONTH", lambda _: month_word(draw), some)
    return f"{'on ' * some.startswith('on ')}[r:{some.removeprefix('on ')}]"


def length(draw: Random) -> str:
    """A duration, marked."""
    before = draw.choice(("for ", "for ", "lasting ", "for about ", ""))
    return f"{before}[u:{draw.choice(words.LENGTHS)}]"


def details(draw: Random, *, least: int = 0, noted: bool = True) -> list[str]:
    """What is said of an event after its action, in an order people use."""
    parts = [when(draw)] if draw.random() < 0.95 or least else []
    if draw.random() < 0.35:
        parts.append(f"{draw.choice(('with', 'with', 'with', 'w/'))} {names(draw)}")
    if draw.random() < 0.35:
        parts.append(venue_phrase(draw))
    if draw.random() < 0.22:
        parts.append(length(draw))
    if draw.random() < 0.17:
        parts.append(repeat_phrase(draw))
    draw.shuffle(parts)
    if noted and draw.random() < 0.12:
        parts.append(note(draw))
    return parts


def note(draw: Random) -> str:
    """A remark, marked."""
    task, some = draw.choice(words.TASKS), draw.choice(words.REMARKS)
    return draw.choice(
        (
            f"to [n:{task}]",
            f"- [n:{some}]",
            f"([n:{some}])",
            f". Note: [n:{some}]",
            f", [n:{some}]",
            f"to [n:{task}]",
            f". [n:{some}]",
            f"about [n:{draw.choice(words.PURPOSES)}]",
            f"and [n:{some}]",
            f"so we can [n:{task}]",
            f"; [n:{some}]",
            f"re [n:{draw.choice(words.PURPOSES)}]",
        )
    )


def join(parts: Sequence[str]) -> str:
    """Parts with spaces between them, none before a full stop or comma."""
    return re.sub(r"\s+([.,])", r"\1", " ".join(part for part in parts if part)).strip()


def title(draw: Random) -> str:
    """What an event is called."""
    kind = draw.random()
    if kind < 0.35:
        return draw.choice(words.NOUNS)
    if kind < 0.68:
        some = f"{draw.choice(words.TOPICS)} {draw.choice(words.SORTS)}"
        return some.title().replace("'S", "'s") if draw.random() < 0.1 else some
    if kind < 0.9:
        return draw.choice(words.SINGLES)
    if kind < 0.95:
        return draw.choice(words.LIKE_COMMANDS)
    return f"{draw.choice(words.FLIGHTS)} {draw.choice(words.CITIES)}"


def thing(draw: Random) -> str:
    """What an event is, marked; some hold a repeat."""
    some = title(draw)
    if draw.random() < 0.1:
        return f"[a:[r:{draw.choice(words.RHYTHMS)}] {some}]"
    if draw.random() < 0.08:
        owner = draw.choice(words.PEOPLE).split()[0]
        return f"[a:{owner}'s {some}]"
    if draw.random() < 0.04:
        return f'"[a:{some}]"'
    return f"[a:{some}]"
