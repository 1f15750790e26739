"""Made examples: commands, messages, mails, lists and dialogues, with events in them or none.

Each kind is a function that draws one text with marks. Knows no tokens.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files

from dragtor.events.spans import CharSpan
from dragtor.training.events import sayings, words
from dragtor.training.events.jotted import jotting, scribble
from dragtor.training.events.labels import Example
from dragtor.training.events.marks import for_all, numbered, unmark, vary
from dragtor.training.events.phrases import (
    Random,
    bare_venue,
    clock_digits,
    clock_words,
    date,
    day_name,
    details,
    full_date,
    join,
    name,
    names,
    repeat_phrase,
    thing,
    title,
    venue_phrase,
    when,
    without_marks,
)
from dragtor.training.events.prose import chatted, mail, quiet, story, told

MARKED_TEXTS = "patterns.txt"  # beside this file


def made(count: int, seed: int) -> list[Example]:
    """`count` examples, the same for the same seed."""
    draw = random.Random(seed)
    kinds: Sequence[tuple[Callable[[Random], str], int]] = (
        (command, 30),
        (jotting, 14),
        (scribble, 18),
        (reminder, 13),
        (several, 10),
        (mail, 6),
        (story, 14),
        (listed, 5),
        (correction, 6),
        (dialogue, 13),
        (quiet, 14),
        (with_instruction, 3),
        (chatted, 9),
        (told, 9),
        (marked_text, 80),
        (terse, 18),
    )
    makers, weights = zip(*kinds, strict=True)
    some: list[Example] = []
    while len(some) < count:
        maker = draw.choices(makers, weights)[0]
        spoken = maker in (command, reminder)
        marked = maker(draw)
        example = unmark(vary(halting(marked, draw) if spoken else marked, draw, spoken))
        if all(len(v) == 1 for e in example.events for k, v in e.items() if k != "attendees"):
            some.append(example)  # the others repeat twice
    return some


def with_other_values(example: Example, draw: Random) -> Example:
    """The same sentence of other people, places, days and hours; with one event only."""
    if len(example.events) != 1:
        return example
    fresh: dict[str, Callable[[], str]] = {
        "attendees": lambda: draw.choice(words.PEOPLE),
        "location": lambda: without_marks(bare_venue(draw)),
        "date": lambda: full_date(draw),
        "time": lambda: clock_digits(draw),
        "duration": lambda: draw.choice(words.LENGTHS[:18]),
    }
    values = sorted((span, field) for field, spans in example.events[0].items() for span in spans)
    out, at, size = [], 0, 0
    event: dict[str, tuple[CharSpan, ...]] = {}
    for (start, end), field in values:
        if start < at:
            return example  # one value lies inside another
        value = example.text[start:end]
        if field in fresh and draw.random() < 0.6:
            value = fresh[field]()
        out += [example.text[at:start], value]
        size += start - at + len(value)
        event[field] = (*event.get(field, ()), (size - len(value), size))
        at = end
    return Example("".join([*out, example.text[at:]]), (event,))


@cache
def marked_texts() -> list[str]:
    """Texts written with marks, as people say, jot and mail them."""
    text = files("dragtor.training.events").joinpath(MARKED_TEXTS).read_text("utf-8")
    return [line.replace("\\n", "\n") for line in text.splitlines() if line]


def marked_text(draw: Random) -> str:
    """One of them; half of the time with other things, people, places and days in it."""
    marked = draw.choice(marked_texts())
    if draw.random() < 0.5:
        return marked
    fresh: dict[str, Callable[[], str]] = {
        "a": lambda: title(draw),
        "p": lambda: draw.choice(words.PEOPLE),
        "l": lambda: without_marks(bare_venue(draw)),
        "d": lambda: re.sub("^(?:on|for|from) ", "", without_marks(date(draw))),
        "t": lambda: clock_words(draw),
        "u": lambda: draw.choice(words.LENGTHS),
    }

    def other(match: re.Match[str]) -> str:
        make = fresh.get(match[1][0])
        if make is None or draw.random() < 0.5:
            return match[0]
        value = make()
        return f"[{match[1]}:{value.lower() if marked.islower() else value}]"

    return re.sub(r"\[([a-z][\da-z,]*):([^\[\]]+)\]", other, marked)


def command(draw: Random) -> str:
    """What is said to an assistant; without a full date, which the data's own commands have."""
    while re.search(r"\d{4}", text := order(draw)):
        pass
    return text


def order(draw: Random) -> str:
    """One command."""
    kind = draw.random()
    if kind < 0.05:
        mine = draw.choice(("", "a ", "my "))
        return join([f"invite {names(draw)} to {mine}{thing(draw)}", when(draw)])
    if kind < 0.1:
        work = draw.choice((title(draw), "writing", "deep work", "reading", "studying"))
        return join([f"block [u:{draw.choice(words.LENGTHS)}] for [a:{work}]", when(draw)])
    if kind < 0.16:
        mine = draw.choice(("my", "the", "our"))
        before = f"from {without_marks(date(draw))} to" if draw.random() < 0.3 else "to"
        return join([draw.choice(sayings.MOVES), mine, thing(draw), before, when(draw)])
    before = draw.choice(sayings.COMMANDS)
    whose = "" if before.endswith((" a ", " an ")) else draw.choice(("a ", "", "my ", ""))
    filed = draw.choice(sayings.WHERE_FILED) if before in sayings.FILED else ""
    what = f"{before}{whose}{thing(draw)}"
    if kind < 0.3:
        return join([when(draw) + ",", what, filed, venue_phrase(draw)])
    rest = details(draw, noted=draw.random() < 0.4)
    return join([what, filed, *rest, draw.choice(("", "", "", "", "please", "thanks"))])


def reminder(draw: Random) -> str:
    """A reminder, or a bare thing to do; how long before it is to ring is no field."""
    before, do = draw.choice(sayings.REMINDERS), f"[a:{draw.choice(words.ERRANDS)}]"
    rest = [when(draw)] if draw.random() < 0.92 else []
    rest += [repeat_phrase(draw)] if draw.random() < 0.15 else []
    rest += [venue_phrase(draw)] if draw.random() < 0.1 else []
    kind = draw.random()
    if kind < 0.18 and rest:
        first = f"{rest[0]}{draw.choice(('', '', ','))}"
        return join([first, before, do, *rest[1:]])
    if kind < 0.3:
        rest += [lead(draw)] if draw.random() < 0.2 else []
        about = draw.choice(("remind me about", "remind me of", "notify me of", "alert me about"))
        return join([about, draw.choice(("the", "my", "")), thing(draw), *rest])
    if kind < 0.35:
        return join([f"[a:{draw.choice(('wake me up', 'wake me'))}]", *rest])
    if kind < 0.5:
        return join([draw.choice(("remind me", "please remind me", "alert me")), *rest, "to", do])
    return join([before, do, *rest])


def lead(draw: Random) -> str:
    """How long before an event its reminder is wanted."""
    return f"{draw.choice(words.LENGTHS)} {draw.choice(sayings.LEADS)}"


def halting(marked: str, draw: Random) -> str:
    """The same, said with a pause to think, now and then."""
    places = [match.start() for match in re.finditer(r" \[", marked)]
    if not places or draw.random() > 0.1:
        return marked
    at = draw.choice(places)
    return f"{marked[:at]} {draw.choice(sayings.PAUSES)}{marked[at:]}"


def terse(draw: Random) -> str:
    """A formal entry with a full date, as offices write them: its verb belongs to the action."""
    some = title(draw)
    each = draw.choice(words.RHYTHMS) if draw.random() < 0.15 else ""
    some = f"[r:{each}] {some}" if each else some
    some_place, length_of = bare_venue(draw), f"[u:{draw.choice(words.LENGTHS[:22])}]"
    people = names(draw).replace("my [p", "[p").replace("the [p", "[p")
    day, at = f"[d:{full_date(draw)}]", f"[t:{clock_digits(draw)}]"
    with_ = draw.choice(("with", "with", "w/"))
    if draw.random() < 0.45:
        verb = draw.choice(words.ENTRIES)
        what = f"[a:{verb}{' a' if draw.random() < 0.5 and not each else ''} {some}]"
        return _ordered(draw, what, day, at, some_place, with_, people, length_of)
    what = f"[a:{some.capitalize() if draw.random() < 0.7 else some}]"
    return join(
        draw.choice(
            (
                [what, with_, people, day, at, some_place, length_of],
                [what, day, at, with_, people, some_place, length_of],
                [what, people, day, at, some_place, length_of],
                [what, day, at, some_place, length_of],
                [what, some_place + ",", day, at],
                [day, at, what, people, "on", some_place],
                [day, at, what, with_, people + ",", some_place + ",", length_of + "."],
                [day, at, what, "at the", some_place + ",", length_of + "."],
                [what, day, at, people, length_of],
                [what, some_place, day, at],
                [day, at, what, "on", some_place],
                [what, "set for", day, "at", at, with_, people + ",", length_of + "."],
                [what, "on", some_place, day, at],
            )
        )
    )


def _ordered(
    draw: Random, what: str, day: str, at: str, where: str, beside: str, people: str, length: str
) -> str:
    """The parts of an entry that opens with a verb, in one of their orders."""
    return join(
        draw.choice(
            (
                [what, day, at, where, beside, people, length + "."],
                [
                    what,
                    "on",
                    day,
                    "at",
                    at,
                    "for",
                    length,
                    beside,
                    people,
                    "at",
                    where + ".",
                ],
                [
                    what,
                    beside,
                    people,
                    "on",
                    day,
                    "at",
                    at,
                    "in the",
                    where,
                    "for",
                    length + ".",
                ],
                [what, day, at, beside, people, "for", length + "."],
                [
                    what,
                    "on",
                    day,
                    "at",
                    at + ",",
                    draw.choice(("reserve", "block", "plan for")),
                    length,
                ],
            )
        )
    )


def several(draw: Random) -> str:
    """Two or three events in a row, some with one date for all."""
    count = draw.choice((2, 2, 2, 3))
    if draw.random() < 0.7:
        makers: list[Callable[[Random], str]] = [command, jotting, reminder, chatted, scribble]
        items = [numbered(draw.choice(makers)(draw), n) for n in range(1, count + 1)]
        return draw.choice((". ", ". ", "\n", "; ", " and ", ". Also, ", ", then ")).join(items)
    items = []
    for n in range(1, count + 1):
        there = venue_phrase(draw) if draw.random() < 0.3 else ""
        items.append(numbered(join([thing(draw), f"at [t:{clock_words(draw)}]", there]), n))
    before = draw.choice((" ", ": ", ", ")) + draw.choice(("", "i have ", "we have "))
    last = draw.choice((" and ", ", then ", ", ")) + items[-1]
    return for_all(date(draw), count) + before + ", ".join(items[:-1]) + last


def listed(draw: Random) -> str:
    """A programme, a week's plan or notes under a heading."""
    shared, count = draw.random() < 0.5, draw.randint(2, 4)
    mark, joint = draw.choice(("- ", "* ", "", "• ", "- ")), draw.choice((": ", " ", " - "))
    lines = [f"{draw.choice(sayings.HEADS)}{' ' + for_all(date(draw), count) if shared else ':'}"]
    for n in range(1, count + 1):
        first = f"[t:{clock_words(draw)}]" if shared else f"[d:{day_name(draw)}]"
        hour_of = "" if shared else f" at [t:{clock_words(draw)}]"
        long = f" ([u:{draw.choice(words.LENGTHS)}])"
        tail = draw.choice(("", "", hour_of, long, f" with {name(draw)}", f" {venue_phrase(draw)}"))
        lines.append(numbered(f"{mark}{first}{joint}{thing(draw)}{tail}", n))
    return "\n".join(lines)


def correction(draw: Random) -> str:
    """Somebody changes his mind: the last word counts."""
    what, no = title(draw), draw.choice(sayings.DENIALS)
    before = draw.choice(("", "schedule a ", "book ", "set up a ", "put "))
    old, new, day, other = (
        clock_words(draw),
        clock_words(draw),
        date(draw),
        without_marks(date(draw)),
    )
    return before + draw.choice(
        (
            f"[a:{what}] {day} at {old}, {no} [t:{new}]",
            f"[a:{what}] {other}, {no} {day} at [t:{new}]",
            f"[a:{what}] at [t:{old}] {other} {no} {day}",
            f"{title(draw)}, {no} [a:{what}] {day} at [t:{new}]",
        )
    )


def dialogue(draw: Random) -> str:
    """One side of a conversation about an entry, the other side left out."""

    def maybe(share: float, some: Sequence[str]) -> list[str]:
        return [draw.choice(some)] if draw.random() < share else []

    where = without_marks(bare_venue(draw))
    action, at, there = f"[a:{title(draw)}]", f"[t:{clock_words(draw)}]", f"[l:{where}]"
    turns = maybe(0.8, sayings.ASKED)
    turns += [turn.format(without_marks(date(draw))) for turn in maybe(0.4, sayings.WRONG_DAYS)]
    day = re.sub(r"^(?:on|for|from) ", "", date(draw))
    turns.append(draw.choice(sayings.RIGHT_DAYS).format(day))
    if draw.random() < 0.25:
        turns.append(f"I want the appointment at {clock_words(draw)}.")  # not yet the entry's own
    turns += [*maybe(0.6, sayings.IDLE_TURNS), *maybe(0.8, sayings.FILE_IT)]
    if draw.random() < 0.4:
        turns.append(draw.choice(sayings.ALL_SAID).format(a=action, t=at, l=there))
    else:
        last = [draw.choice(sayings.TITLES).format(action)]
        last.append(draw.choice(sayings.TIMES_SAID).format(at))
        last += [turn.format(there) for turn in maybe(0.5, sayings.PLACES_SAID)]
        draw.shuffle(last)
        turns += last
    turns += [*maybe(0.9, sayings.AGREED), *maybe(0.6, sayings.GOODBYES)]
    return draw.choice((" ", "\n", " ")).join(turns)


def with_instruction(draw: Random) -> str:
    """An event beside an instruction to whoever reads it: the instruction is no event."""
    told, event = draw.choice(sayings.ORDERS), draw.choice((jotting, command, chatted))(draw)
    return draw.choice((f"{event}. {told}", f"{told} {event}", f"{event}\n\n{told}"))
