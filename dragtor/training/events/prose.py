"""Made texts: jottings of few words, messages, mails, stories with an event in them, and without.

Each kind is a function that draws one text with marks. Knows no tokens.
"""

from __future__ import annotations

import re

from dragtor.training.events.marks import numbered
from dragtor.training.events.phrases import (
    Random,
    bare_venue,
    details,
    filled,
    full_date,
    join,
    month_word,
    name,
    names,
    note,
    pick,
    pick_filled,
    repeat_phrase,
    thing,
    title,
    venue_phrase,
    when,
    without_marks,
    words,
)


def told(draw: Random) -> str:
    """A sentence that tells of an event."""
    text = filled(draw, pick(draw, "prose"))
    if draw.random() < 0.15:
        text = join([text.rstrip(".?"), note(draw)]) + "."
    return text[0].upper() + text[1:] if draw.random() < 0.7 else text


def past(draw: Random) -> str:
    """A sentence of what has been."""
    text = filled(draw, pick(draw, "past"))
    return text[0].upper() + text[1:]


def chatted(draw: Random) -> str:
    """A message between people."""
    opening = filled(draw, pick(draw, "openings"), name=pick(draw, "people"))
    said = filled(draw, pick(draw, "messages"), do=pick(draw, "doings"), noun=title(draw))
    return opening + join([said, *details(draw, least=1)]) + pick(draw, "endings")


def mail(draw: Random) -> str:
    """A letter with an event in its middle, and other times around it."""
    opening = filled(draw, pick(draw, "greetings"), name=pick(draw, "people"))
    weekday, at = pick(draw, "weekday_names").capitalize(), draw.randint(7, 19)
    sent = f"Sent: {weekday}, {full_date(draw)} {at}:12\n"
    subject = draw.choice(("", "", "Subject: Hello\n", "Subject: our plans\n\n", sent))
    body = draw.choice((chatted, told))(draw)
    if draw.random() < 0.25:
        body = f"{numbered(told(draw), 1)}. {numbered(body, 2)}"
    ended = body if body[-1] in ".!?" else body + "."
    said = join([pick(draw, "small_talk"), ended, pick(draw, "afterwords")])
    lines = [subject + opening, said, pick(draw, "closings"), pick(draw, "people")]
    return draw.choice(("\n\n", "\n")).join(lines)


def story(draw: Random) -> str:
    """An event told between sentences of other things and other times, or no event at all."""
    some = [past(draw) for _ in range(draw.choice((0, 1, 1, 2)))]
    aside = words()["small_talk"] + words()["afterwords"]
    some += [draw.choice(aside) for _ in range(draw.choice((0, 0, 1, 1, 2)))]
    some += [idle(draw) for _ in range(draw.choice((0, 0, 0, 1)))]
    draw.shuffle(some)
    for number in range(draw.choice((0, 1, 1, 1, 1, 2))):
        maker = draw.choice((chatted, told, told))
        some.insert(draw.randint(0, len(some)), numbered(maker(draw), number + 1))
    numbers = [int(n) for n in re.findall(r"\[[a-z](\d)", " ".join(some))]
    if numbers and numbers[0] == 2:  # events are counted in the order of the text
        swap = {"1": "2", "2": "1"}
        some = [re.sub(r"(\[[a-z])(\d)", lambda m: m[1] + swap[m[2]], one) for one in some]
    ended = [one if re.search(r"[.!?\n]$", one) or not one else one + "." for one in some]
    return draw.choice((" ", " ", "\n", "\n\n")).join(one for one in ended if one)


def quiet(draw: Random) -> str:
    """A text without an event; an order to forget one among them."""
    if draw.random() < 0.12:
        gone = re.sub(r" and .*", "", without_marks(thing(draw)))
        mine = draw.choice(("my", "the", "that", "our"))
        tail = without_marks(when(draw)) if draw.random() < 0.7 else ""
        return join([pick(draw, "cancels"), mine, gone, tail])
    return " ".join(idle(draw) for _ in range(draw.choice((1, 1, 1, 2))))


def idle(draw: Random) -> str:
    """A sentence without an event, though it may name a time."""
    return filled(draw, pick(draw, "quiet"))


def jotting(draw: Random) -> str:
    """A line in a diary: the bare event and its details, whichever comes first."""
    if draw.random() < 0.15:
        purpose = f"for [n:{pick(draw, 'purposes')}]" if draw.random() < 0.5 else ""
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
    there, who, long = f"@ {bare_venue(draw)}", name(draw), f"[u:{pick(draw, 'lengths')}]"
    each = repeat_phrase(draw).removeprefix("on ")
    some = pick_filled(
        draw, "jotted", what=what, day=day, at=at, there=there, who=who, long=long, each=each
    )
    text = some.replace("|", draw.choice((" ", " ", " ", ", ", " - ", " | ")))
    return re.sub(r"(@|w/|with|:)(?:,| -| \|) ", r"\1 ", text)


def short_date(draw: Random) -> str:
    """A date as it is jotted down."""
    day, number, month = draw.randint(1, 31), draw.randint(1, 12), month_word(draw)
    return pick_filled(draw, "date_jotted", day=day, number=number, month=month)


def short_time(draw: Random) -> str:
    """A time as it is jotted down."""
    hour, minute = draw.randint(1, 12), draw.choice((0, 15, 30, 45, 5, 20, 40, 50))
    half, late = draw.choice(("am", "pm", "p", "a")), draw.randint(6, 22)
    return pick_filled(
        draw, "time_jotted", hour=hour, minute=minute, half=half, late=late, then=hour % 12 + 1
    )
