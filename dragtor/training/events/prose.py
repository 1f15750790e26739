"""Made texts of whole sentences: messages, mails, stories with an event in them, and texts without.

Each kind is a function that draws one text with marks. Knows no tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from dragtor.training.events import sayings, words
from dragtor.training.events.marks import numbered
from dragtor.training.events.phrases import (
    Random,
    clock_words,
    date,
    day_name,
    details,
    full_date,
    hour,
    join,
    month_word,
    name,
    names,
    note,
    ordinal_digits,
    thing,
    title,
    venue,
    venue_phrase,
    when,
    without_marks,
)

# What the capitals of a sentence stand for: in one without an event, and in one that tells of it.
UNMARKED: Mapping[str, Callable[[Random], str]] = {
    "DATEPAST": lambda draw: draw.choice(words.DATEPAST),
    "DATE": lambda draw: re.sub("^for ", "on ", without_marks(date(draw))),
    "TIME": clock_words,
    "DAY": day_name,
    "MONTH": month_word,
    "ORD": lambda draw: ordinal_digits(draw.randint(1, 31)),
    "LENGTH": lambda draw: draw.choice(words.LENGTHS),
    "NAME": lambda draw: draw.choice(words.PEOPLE),
    "PLACE": lambda draw: without_marks(venue(draw)),
    "NOUN": title,
}
MARKED: Mapping[str, Callable[[Random], str]] = {
    "NOUN": title,
    "WHEN": when,
    "DATE": date,
    "DAYS": lambda draw: re.sub("^(?:on|for|from) ", "", date(draw)),
    "HOUR": hour,
    "PLACE": venue_phrase,
    "VENUE": venue,
    "PEOPLE": names,
    "NAME": name,
    "LENGTH": lambda draw: f"[u:{draw.choice(words.LENGTHS)}]",
}


def filled(
    text: str, draw: Random, fillers: Mapping[str, Callable[[Random], str]] = UNMARKED
) -> str:
    """`text` with its capitals filled in."""
    return re.sub("|".join(fillers), lambda match: fillers[match[0]](draw), text)


def told(draw: Random) -> str:
    """A sentence that tells of an event."""
    text = filled(draw.choice(words.PROSE), draw, MARKED)
    if draw.random() < 0.15:
        text = join([text.rstrip(".?"), note(draw)]) + "."
    return text[0].upper() + text[1:] if draw.random() < 0.7 else text


def past(draw: Random) -> str:
    """A sentence of what has been."""
    text = filled(draw.choice(words.PAST), draw)
    return text[0].upper() + text[1:]


def chatted(draw: Random) -> str:
    """A message between people."""
    opening = draw.choice(sayings.OPENINGS).replace("NAME", draw.choice(words.PEOPLE))
    said = draw.choice(sayings.MESSAGES).replace("DO", draw.choice(words.DOINGS))
    said = said.replace("NOUN", title(draw))
    return opening + join([said, *details(draw, least=1)]) + draw.choice(sayings.ENDINGS)


def mail(draw: Random) -> str:
    """A letter with an event in its middle, and other times around it."""
    opening = draw.choice(sayings.GREETINGS).replace("NAME", draw.choice(words.PEOPLE))
    weekday, at = draw.choice(words.WEEKDAY_NAMES).capitalize(), draw.randint(7, 19)
    sent = f"Sent: {weekday}, {full_date(draw)} {at}:12\n"
    subject = draw.choice(("", "", "Subject: Hello\n", "Subject: our plans\n\n", sent))
    body = draw.choice((chatted, told))(draw)
    if draw.random() < 0.25:
        body = f"{numbered(told(draw), 1)}. {numbered(body, 2)}"
    said = join(
        [
            draw.choice(sayings.SMALL_TALK),
            body if body[-1] in ".!?" else body + ".",
            draw.choice(sayings.AFTERWORDS),
        ]
    )
    lines = [subject + opening, said, draw.choice(sayings.CLOSINGS), draw.choice(words.PEOPLE)]
    return draw.choice(("\n\n", "\n")).join(lines)


def story(draw: Random) -> str:
    """An event told between sentences of other things and other times, or no event at all."""
    some = [past(draw) for _ in range(draw.choice((0, 1, 1, 2)))]
    aside = sayings.SMALL_TALK + sayings.AFTERWORDS
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
        return join([draw.choice(sayings.CANCELS), mine, gone, tail])
    return " ".join(idle(draw) for _ in range(draw.choice((1, 1, 1, 2))))


def idle(draw: Random) -> str:
    """A sentence without an event, though it may name a time."""
    return filled(draw.choice(words.QUIET), draw)
