"""Phrases of made texts: people, days, hours, places, repeats and remarks, marked as fields.

`[d:next Fri]` marks a date; marks.py turns marks into spans. The lists stand in words.yml.
Knows no sentence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files

from dragtor.dates.words import HOURS

Random = random.Random


@cache
def words() -> Mapping[str, list[str]]:
    """The lists of words.yml by name."""
    import yaml

    text = files(__package__).joinpath("words.yml").read_text("utf-8")
    lists: dict[str, list[str]] = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return lists


def pick(draw: Random, name: str) -> str:
    """One of the list `name` of words.yml, or the phrase `name` of PHRASES."""
    return PHRASES[name](draw) if name in PHRASES else draw.choice(words()[name])


class _Drawn:
    """What stands in a template's braces, drawn as it is asked for; see words.yml."""

    def __init__(self, draw: Random, known: Mapping[str, str | int]) -> None:
        self._draw, self._known = draw, known

    def __getitem__(self, key: str) -> str | int:
        name, plus, more = key.partition("+")
        if plus:
            return int(self[name]) + int(more)
        if key in self._known:
            return self._known[key]
        if key == "nth":
            return ordinal_digits(int(self["day"]))
        if "/" in key:
            return self._draw.choice(key.split("/"))
        if key[0].isdigit():
            first, last = key.split("-")
            return self._draw.randint(int(first), int(last))
        return pick(self._draw, key)


def filled(draw: Random, template: str, **known: str | int) -> str:
    """`template` with its braces filled, from the left."""
    return template.format_map(_Drawn(draw, known))


def pick_filled(draw: Random, name: str, **known: str | int) -> str:
    """One of the templates `name`, every one of which is filled before."""
    return draw.choice([filled(draw, template, **known) for template in words()[name]])


def without_marks(marked: str) -> str:
    """A marked phrase without its marks."""
    return re.sub(r"\[[adtplurn]:|\]", "", marked)


def name(draw: Random) -> str:
    """A person or a group, marked."""
    if draw.random() < 0.25:
        some = pick(draw, "kin")
        return some if "[" in some else f"[p:{some}]"
    first = pick(draw, "people")
    last = f" {pick(draw, 'families')}" if " " not in first and draw.random() < 0.2 else ""
    return f"[p:{first}{last}]"


def names(draw: Random) -> str:
    """One to three of them."""
    some = [name(draw) for _ in range(draw.choice((1, 1, 1, 2, 2, 3)))]
    if len(some) == 1:
        return some[0]
    joint = draw.choice((" and ", " & ", " + ", ", "))
    if len(some) > 2:
        joint = draw.choice((", and ", " and "))
    return ", ".join(some[:-1]) + joint + some[-1]


def month_word(draw: Random) -> str:
    """A month, long or short."""
    long = pick(draw, "month_names").capitalize()
    return long if draw.random() < 0.7 else long[:3]


def ordinal_digits(number: int) -> str:
    """21 as 21st."""
    ending = "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def full_date(draw: Random) -> str:
    """A date with its year."""
    day, number, year = draw.randint(1, 28), draw.randint(1, 12), draw.randint(2023, 2029)
    long = words()["month_names"][number - 1].capitalize()
    word = draw.choice((long, long[:3]))
    return pick_filled(draw, "date_of_the_year", day=day, number=number, year=year, word=word)


def date(draw: Random) -> str:
    """A date as people say it, marked, with what stands before it."""
    kind = draw.random()
    weekday, day = pick(draw, "weekday_names"), draw.randint(1, 31)
    if kind < 0.3:
        return f"[d:{pick(draw, 'near')}]"
    if kind < 0.4:
        return f"[d:{draw.choice(('next', 'this', 'next', 'coming'))} {day_name(draw)}]"
    if kind < 0.55:
        on = draw.choice(("on ", "on ", "for ", ""))
        return f"{on}[d:{day_name(draw)}]"
    if kind < 0.6:
        return f"{draw.choice(('on ', 'for ', ''))}[d:{full_date(draw)}]"
    if kind < 0.64:
        return f"on [d:{pick(draw, 'feasts')}]"
    phrase = pick_filled(draw, "date_said", weekday=weekday, capital=weekday.capitalize(), day=day)
    before = "from " if " to " in phrase else draw.choice(("on ", "on ", "for ", "for ", ""))
    return f"{before}[d:{phrase}]"


def bare_date(draw: Random) -> str:
    """A date, marked, with nothing before it."""
    return re.sub("^(?:on|for|from) ", "", date(draw))


def day_name(draw: Random) -> str:
    """A weekday, long or short."""
    long = draw.random() < 0.75
    some = pick(draw, "weekday_names" if long else "short_days")
    return some.capitalize() if draw.random() < 0.7 else some


def clock_words(draw: Random) -> str:
    """A time of day, as it is written or said."""
    hour, minute = draw.randint(1, 12), draw.choice((0, 15, 30, 45, 5, 20))
    word = HOURS[hour - 1]
    half = draw.choice(("am", "pm", " am", " pm", "AM", " PM", " a.m.", " p.m."))
    return pick_filled(
        draw, "time_said", hour=hour, minute=minute, word=word, half=half, bare_half=half.strip()
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
    return pick_filled(
        draw,
        "time_range",
        first=first,
        last=last,
        first_word=HOURS[first - 1],
        last_word=HOURS[min(11, last - 1)],
        half=half,
        some_half=half or "pm",
        spaced_half=f" {half.strip()}".rstrip(),
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
        return f"[t:{pick(draw, 'parts_of_day')}]"
    if kind < 0.32:
        return f"[t:{pick(draw, 'moments')}]"
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
        return pick(draw, "venues")
    if kind < 0.62:
        owner = pick(draw, "people").split()[-1]
        return f"[l:{owner}'s{draw.choice(('', ' place', ' house', ' flat', ' office', ''))}]"
    if kind < 0.7:
        return f"the [l:{pick(draw, 'venue_plain')}]"
    if kind < 0.76:
        level = f"{draw.randint(0, 9)}.{draw.randint(1, 30):02}"
        number = draw.choice((draw.randint(1, 40), level, draw.choice("ABCD")))
        return f"[l:{draw.choice(('Room', 'room', 'Studio', 'Hall', 'Gate', 'Court'))} {number}]"
    return f"{article}[l:{pick(draw, 'venue_first')} {pick(draw, 'venue_last')}]"


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
    some = filled(draw, pick(draw, "repeats"))
    return f"{'on ' * some.startswith('on ')}[r:{some.removeprefix('on ')}]"


def length(draw: Random) -> str:
    """A duration, marked."""
    before = draw.choice(("for ", "for ", "lasting ", "for about ", ""))
    return f"{before}[u:{pick(draw, 'lengths')}]"


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
    task, some = pick(draw, "tasks"), pick(draw, "remarks")
    return pick_filled(draw, "remarked", task=task, some=some)


def join(parts: Sequence[str]) -> str:
    """Parts with spaces between them, none before a full stop or comma."""
    return re.sub(r"\s+([.,])", r"\1", " ".join(part for part in parts if part)).strip()


def title(draw: Random) -> str:
    """What an event is called."""
    kind = draw.random()
    if kind < 0.35:
        return pick(draw, "nouns")
    if kind < 0.68:
        some = f"{pick(draw, 'topics')} {pick(draw, 'sorts')}"
        return some.title().replace("'S", "'s") if draw.random() < 0.1 else some
    if kind < 0.9:
        return pick(draw, "singles")
    if kind < 0.95:
        return pick(draw, "like_commands")
    return f"{pick(draw, 'flights')} {pick(draw, 'cities')}"


def thing(draw: Random) -> str:
    """What an event is, marked; some hold a repeat."""
    some = title(draw)
    if draw.random() < 0.1:
        return f"[a:[r:{pick(draw, 'rhythms')}] {some}]"
    if draw.random() < 0.08:
        owner = pick(draw, "people").split()[0]
        return f"[a:{owner}'s {some}]"
    if draw.random() < 0.04:
        return f'"[a:{some}]"'
    return f"[a:{some}]"


# What braces of templates may name beside the lists.
PHRASES: Mapping[str, Callable[[Random], str]] = {
    **{
        made.__name__: made
        for made in (
            *(bare_date, bare_venue, clock_digits, clock_words, date, day_name, full_date, hour),
            *(month_word, name, names, thing, title, venue, venue_phrase, when),
        )
    },
    "other_date": lambda draw: without_marks(bare_date(draw)),
    "other_length": lambda draw: draw.choice(words()["lengths"][:18]),
    "other_venue": lambda draw: without_marks(bare_venue(draw)),
    "short_day": lambda draw: pick(draw, "short_days").capitalize(),
    "ordinal_day": lambda draw: ordinal_digits(draw.randint(1, 31)),
    "plain_date": lambda draw: re.sub("^for ", "on ", without_marks(date(draw))),
    "plain_venue": lambda draw: without_marks(venue(draw)),
}
