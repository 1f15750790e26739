"""Texts with marks, `lunch with [p:Yves] [d:next Fri]`, and the examples that they become.

A digit after the letter is the event's number; a mark may lie inside another; `[d,d2:Friday]` is
of two events. Knows no vocabulary.
"""

from __future__ import annotations

import random
import re

from dragtor.events.spans import CharSpan
from dragtor.training.events.labels import Example
from dragtor.types import EVENT_FIELDS

MARK_LETTERS = dict(zip("adtplurn", EVENT_FIELDS, strict=True))
_MARK = re.compile(r"\[((?:[adtplurn]\d*,?)+):|\]")


def unmark(marked: str) -> Example:
    """The text without its marks, and the events that they mark."""
    out: list[str] = []
    opened: list[tuple[list[tuple[int, str]], int]] = []
    events: dict[int, dict[str, tuple[CharSpan, ...]]] = {}
    at = size = 0
    for mark in _MARK.finditer(marked):
        piece = marked[at : mark.start()]
        out.append(piece)
        size += len(piece)
        at = mark.end()
        if mark[1]:
            keys = [(int(key[1:] or 1), MARK_LETTERS[key[0]]) for key in mark[1].split(",")]
            opened.append((keys, size))
        else:
            keys, start = opened.pop()
            for number, name in keys:
                event = events.setdefault(number, {})
                event[name] = tuple(sorted((*event.get(name, ()), (start, size))))
    text = "".join([*out, marked[at:]])
    return Example(text, tuple(events[number] for number in sorted(events)))


def numbered(marked: str, number: int) -> str:
    """The same marks for event `number`."""
    return re.sub(r"\[([adtplurn]):", rf"[\g<1>{number}:", marked)


def for_all(phrase: str, count: int) -> str:
    """A marked date that `count` events share."""
    return phrase.replace("[d:", "[" + ",".join(f"d{n}" for n in range(1, count + 1)) + ":")


def vary(marked: str, draw: random.Random, spoken: bool) -> str:
    """The same text in another case, with a slip of the finger, with or without its full stop."""
    kind = draw.random()
    pieces = re.split(r"(\[(?:[adtplurn]\d*,?)+:|\])", marked)
    if kind < (0.65 if spoken else 0.2):
        pieces[::2] = [piece.lower() for piece in pieces[::2]]
    elif kind < (0.7 if spoken else 0.25):
        pieces[::2] = [piece.upper() for piece in pieces[::2]]
    elif kind < 0.9:
        first = next((i for i in range(0, len(pieces), 2) if pieces[i].strip()), 0)
        pieces[first] = pieces[first][:1].upper() + pieces[first][1:]
        if pieces[-1] == "" and draw.random() < 0.5:
            pieces[-1] = "."
    if draw.random() < 0.12:
        at = draw.randrange(0, len(pieces), 2)
        pieces[at] = with_typo(pieces[at], draw)
    return "".join(pieces)


def with_typo(piece: str, draw: random.Random) -> str:
    """A letter lost, doubled or swapped in one longer word."""
    found = list(re.finditer(r"[a-z]{5,}", piece))
    if not found:
        return piece
    word = draw.choice(found)
    at = draw.randrange(word.start() + 1, word.end() - 1)
    done = draw.choice(("", piece[at] * 2, piece[at + 1] + piece[at]))
    return piece[:at] + done + piece[at + (2 if len(done) == 2 and done[0] != done[1] else 1) :]
