"""Made texts of few words, as a diary or the box of a calendar has them.

Each kind is a function that draws one text with marks. Knows no tokens.
"""

from __future__ import annotations

import re

from dragtor.training.events import words
from dragtor.training.events.phrases import (
    Random,
    bare_venue,
    day_name,
    details,
    join,
    month_word,
    name,
    names,
    ordinal_digits,
    repeat_phrase,
    thing,
    venue_phrase,
    when,
)


def jotting(draw: Random) -> str:
    """A line in a diary: the bare event and its details, whichever comes first."""
    if draw.random() < 0.15:
        purpose = f"for [n:{draw.choice(words.PURPOSES)}]" if draw.random() < 0.5 else ""
        there = venue_phrase(draw) if draw.random() < 0.6 else ""
        return join([f"[a:meet] {names(draw)}", when(draw), there, purpose])
    what, rest = thing(draw), details(draw, least=1)
    if draw.random() < 0.25:
        rest = [part for part in rest if "[d:" not in part and "[t:" not in part]
        return join([f"{when(draw)}{draw.choice((' ', ': ', ' - ', ', '))}{what}", *rest])
    first = f"{what}{draw.choice((' ', ' ', ', ', ' - ', ': '))}{rest[0]}"
    return draw.choice((" ", " ", ", ")).join([first, *rest[1:]]).replace(", .", ".")


def scribble(draw: Random) -> str:
    """The fewest words: what, when, and where or who."""
    what, day, at = thing(draw), f"[d:{short_date(draw)}]", f"[t:{short_time(draw)}]"
    there, who, long = f"@ {bare_venue(draw)}", name(draw), f"[u:{draw.choice(words.LENGTHS)}]"
    each = repeat_phrase(draw).removeprefix("on ")
    some = draw.choice(
        (
            (what, day, at),
            (what, at, day),
            (day, at, what),
            (day, what, at),
            (what, day),
            (day, what),
            (what, day, at, bare_venue(draw)),
            (what, there, day, at),
            (what, day, at, there),
            (what, "w/", who, day, at),
            (what, "with", who, day, at, there),
            (who, what, day, at),
            (what, who, day, at),
            (at, what, there),
            (day, at, what, there),
            (day, at, what, "with", who),
            (what, day, at, long),
            (what, long, day, at),
            (what, day, at, each),
            (what, each, at),
            (what, each),
            (at, what, each),
            (what, day, long),
            (what, day, at, f"[n:{draw.choice(words.REMARKS)}]"),
            (f"TODO {day}:", f"[a:{draw.choice(words.ERRANDS)}]"),
            (f"{day}:", f"[a:{draw.choice(words.ERRANDS)}]"),
        )
    )
    text = draw.choice((" ", " ", " ", ", ", " - ", " | ")).join(some)
    return re.sub(r"(@|w/|with|:)(?:,| -| \|) ", r"\1 ", text)


def short_date(draw: Random) -> str:
    """A date as it is jotted down."""
    day, number, name_of = draw.randint(1, 31), draw.randint(1, 12), month_word(draw)
    return draw.choice(
        (
            draw.choice(words.SHORT_DAYS).capitalize(),
            draw.choice(words.SHORT_DAYS),
            day_name(draw),
            f"{draw.choice(('next', 'this'))} {day_name(draw)}",
            f"{day} {name_of[:3]}",
            f"{name_of[:3]} {day}",
            f"{name_of} {day}",
            f"{day} {name_of}",
            f"{day}/{number}",
            f"{day:02}/{number:02}",
            f"{day}.{number}.",
            f"{draw.choice(words.SHORT_DAYS).capitalize()} {day} {name_of[:3]}",
            f"{draw.choice(words.SHORT_DAYS).capitalize()} {day}/{number}",
            ordinal_digits(day),
            draw.choice(("tmrw", "tomorrow", "today", "tonight", "2moro", "tmw")),
        )
    )


def short_time(draw: Random) -> str:
    """A time as it is jotted down."""
    hour, minute = draw.randint(1, 12), draw.choice((0, 15, 30, 45, 5, 20, 40, 50))
    half, late = draw.choice(("am", "pm", "p", "a")), draw.randint(6, 22)
    return draw.choice(
        (
            f"{late:02}:{minute:02}",
            f"{late}:{minute:02}",
            f"{late:02}:{minute:02}",
            f"{hour}:{minute:02}",
            f"{hour}{half}",
            f"{hour}:{minute:02}{half}",
            f"{hour}.{minute:02}{half}",
            f"half {hour}",
            f"{hour}ish",
            f"{hour}-{hour % 12 + 1}{half}",
            f"{late}:00-{late + 1}:{minute:02}",
            f"{hour}{draw.choice(('am', 'pm'))}",
            "noon",
        )
    )
