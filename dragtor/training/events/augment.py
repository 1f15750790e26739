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
from dragtor.training.events.labels import Example
from dragtor.training.events.marks import for_all, numbered, unmark, vary
from dragtor.training.events.phrases import (
    Random,
    bare_date,
    bare_venue,
    clock_digits,
    clock_words,
    date,
    day_name,
    details,
    filled,
    full_date,
    join,
    name,
    names,
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
from dragtor.training.events.prose import chatted, jotting, mail, quiet, scribble, story, told

MARKED_TEXTS = "patterns.txt"  # beside this file
# What a value is changed for (see `pick`): by the field of an example, by the letter of a mark.
OTHER_VALUES = {"attendees": "people", "location": "other_venue", "date": "full_date"}
OTHER_VALUES |= {"time": "clock_digits", "duration": "other_length"}
OTHER_WORDS = {"a": "title", "p": "people", "l": "other_venue", "d": "other_date"}
OTHER_WORDS |= {"t": "clock_words", "u": "lengths"}


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
    values = sorted((span, field) for field, spans in example.events[0].items() for span in spans)
    out, at, size = [], 0, 0
    event: dict[str, tuple[CharSpan, ...]] = {}
    for (start, end), field in values:
        if start < at:
            return example  # one value lies inside another
        value = example.text[start:end]
        if field in OTHER_VALUES and draw.random() < 0.6:
            value = pick(draw, OTHER_VALUES[field])
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

    def other(match: re.Match[str]) -> str:
        name = OTHER_WORDS.get(match[1][0])
        if name is None or draw.random() < 0.5:
            return match[0]
        value = pick(draw, name)
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
        return join([f"block [u:{pick(draw, 'lengths')}] for [a:{work}]", when(draw)])
    if kind < 0.16:
        mine = draw.choice(("my", "the", "our"))
        before = f"from {without_marks(date(draw))} to" if draw.random() < 0.3 else "to"
        return join([pick(draw, "moves"), mine, thing(draw), before, when(draw)])
    before = pick(draw, "commands")
    whose = "" if before.endswith((" a ", " an ")) else draw.choice(("a ", "", "my ", ""))
    filed = pick(draw, "where_filed") if before in words()["filed"] else ""
    what = f"{before}{whose}{thing(draw)}"
    if kind < 0.3:
        return join([when(draw) + ",", what, filed, venue_phrase(draw)])
    rest = details(draw, noted=draw.random() < 0.4)
    return join([what, filed, *rest, draw.choice(("", "", "", "", "please", "thanks"))])


def reminder(draw: Random) -> str:
    """A reminder, or a bare thing to do; how long before it is to ring is no field."""
    before, do = pick(draw, "reminders"), f"[a:{pick(draw, 'errands')}]"
    rest = [when(draw)] if draw.random() < 0.92 else []
    rest += [repeat_phrase(draw)] if draw.random() < 0.15 else []
    rest += [venue_phrase(draw)] if draw.random() < 0.1 else []
    kind = draw.random()
    if kind < 0.18 and rest:
        first = f"{rest[0]}{draw.choice(('', '', ','))}"
        return join([first, before, do, *rest[1:]])
    if kind < 0.3:
        rest += [filled(draw, "{lengths} {leads}")] if draw.random() < 0.2 else []
        about = draw.choice(("remind me about", "remind me of", "notify me of", "alert me about"))
        return join([about, draw.choice(("the", "my", "")), thing(draw), *rest])
    if kind < 0.35:
        return join([f"[a:{draw.choice(('wake me up', 'wake me'))}]", *rest])
    if kind < 0.5:
        return join([draw.choice(("remind me", "please remind me", "alert me")), *rest, "to", do])
    return join([before, do, *rest])


def halting(marked: str, draw: Random) -> str:
    """The same, said with a pause to think, now and then."""
    places = [match.start() for match in re.finditer(r" \[", marked)]
    if not places or draw.random() > 0.1:
        return marked
    at = draw.choice(places)
    return f"{marked[:at]} {pick(draw, 'pauses')}{marked[at:]}"


def terse(draw: Random) -> str:
    """A formal entry with a full date, as offices write them: its verb belongs to the action."""
    some = title(draw)
    each = pick(draw, "rhythms") if draw.random() < 0.15 else ""
    some = f"[r:{each}] {some}" if each else some
    some_place, length_of = bare_venue(draw), f"[u:{draw.choice(words()['lengths'][:22])}]"
    people = names(draw).replace("my [p", "[p").replace("the [p", "[p")
    day, at = f"[d:{full_date(draw)}]", f"[t:{clock_digits(draw)}]"
    with_ = draw.choice(("with", "with", "w/"))
    verb = pick(draw, "entries") if draw.random() < 0.45 else ""
    if verb:
        what = f"{verb}{' a' if draw.random() < 0.5 and not each else ''} {some}"
    else:
        what = some.capitalize() if draw.random() < 0.7 else some
    entry = pick_filled(
        draw,
        f"filed_{'with' if verb else 'without'}_verb",
        what=f"[a:{what}]",
        day=day,
        at=at,
        where=some_place,
        beside=with_,
        people=people,
        long=length_of,
    )
    return join([entry])


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
    lines = [f"{pick(draw, 'heads')}{' ' + for_all(date(draw), count) if shared else ':'}"]
    for n in range(1, count + 1):
        first = f"[t:{clock_words(draw)}]" if shared else f"[d:{day_name(draw)}]"
        hour_of = "" if shared else f" at [t:{clock_words(draw)}]"
        long = f" ([u:{pick(draw, 'lengths')}])"
        tail = draw.choice(("", "", hour_of, long, f" with {name(draw)}", f" {venue_phrase(draw)}"))
        lines.append(numbered(f"{mark}{first}{joint}{thing(draw)}{tail}", n))
    return "\n".join(lines)


def correction(draw: Random) -> str:
    """Somebody changes his mind: the last word counts."""
    what, no = title(draw), pick(draw, "denials")
    before = draw.choice(("", "schedule a ", "book ", "set up a ", "put "))
    old, new, day = clock_words(draw), clock_words(draw), date(draw)
    other = without_marks(date(draw))
    return before + pick_filled(
        draw, "corrected", what=what, no=no, old=old, new=new, day=day, other=other
    )


def dialogue(draw: Random) -> str:
    """One side of a conversation about an entry, the other side left out."""

    def maybe(share: float, name: str) -> list[str]:
        return [pick(draw, name)] if draw.random() < share else []

    where = pick(draw, "other_venue")
    action, at, there = f"[a:{title(draw)}]", f"[t:{clock_words(draw)}]", f"[l:{where}]"
    turns = maybe(0.8, "asked")
    turns += [filled(draw, turn, it=without_marks(date(draw))) for turn in maybe(0.4, "wrong_days")]
    day = bare_date(draw)
    turns.append(filled(draw, pick(draw, "right_days"), it=day))
    if draw.random() < 0.25:
        turns.append(f"I want the appointment at {clock_words(draw)}.")  # not yet the entry's own
    turns += [*maybe(0.6, "idle_turns"), *maybe(0.8, "file_it")]
    if draw.random() < 0.4:
        turns.append(filled(draw, pick(draw, "all_said"), a=action, t=at, l=there))
    else:
        last = [filled(draw, pick(draw, "titles"), it=action)]
        last.append(filled(draw, pick(draw, "times_said"), it=at))
        last += [filled(draw, turn, it=there) for turn in maybe(0.5, "places_said")]
        draw.shuffle(last)
        turns += last
    turns += [*maybe(0.9, "agreed"), *maybe(0.6, "goodbyes")]
    return draw.choice((" ", "\n", " ")).join(turns)


def with_instruction(draw: Random) -> str:
    """An event beside an instruction to whoever reads it: the instruction is no event."""
    told, event = pick(draw, "orders"), draw.choice((jotting, command, chatted))(draw)
    return draw.choice((f"{event}. {told}", f"{told} {event}", f"{event}\n\n{told}"))
