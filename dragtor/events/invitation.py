"""Invitations as calendars show them: a title, a line that says when, rows of where and who.

Reads their form only, so that nothing of an agenda becomes an event of its own. Labels may stand
before their values or, as in a picture's columns, all of them above. Knows no model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from dragtor import dates
from dragtor.events.spans import CharSpan, EventSpans

LEAST_SIGNS = 2  # of an invitation, beside its date
LONGEST_LINE = 160  # characters of a line that may say when
CONFIDENCE = 0.9  # of every field
_LABELS = {
    "when": "when", "date": "when", "time": "when", "wann": "when", "datum": "when",
    "where": "where", "location": "where", "place": "where", "wo": "where", "ort": "where",
    "organiser": "organiser", "organizer": "organiser", "host": "organiser",
    "guests": "guests", "attendees": "guests", "invitees": "guests", "participants": "guests",
    "required": "guests", "who": "guests",
    "subject": "title", "title": "title", "what": "title", "invitation": "title", "event": "title",
}  # fmt: skip
_LABEL = re.compile(rf"(?i)({'|'.join(_LABELS)})\s*(?::\s*|$)")
_ANSWERS = re.compile(
    r"(?i)(?:yes|no|maybe|accept|decline|tentative|join|rsvp|going\?|propose new time|reply|forward"
    r"|invitation|invite|calendar|from|to)\W*"
)
_WEEKDAY = re.compile(r"(?i)(?:mon|tue|wed|thu|fri|sat|sun)\w*\.?,?\s+")
_CLOCK = re.compile(
    r"(?i)(?<![\d.])\d{1,2}[:.h]\d{2}(?!\d|\.\d)|\d{1,2}\s?[ap]\.?m\b|\d{1,2}\s?(?=[-–—]\s?\d{1,2}\s?[ap]m)"
)
_ZONE = re.compile(r"\s*\(([^()]{2,30})\)|\s+[A-Z]{2,5}\b|\s+[A-Z][a-z]+/[A-Z][A-Za-z_]+")
_REPLIED = re.compile(r"(?i)(?:(?:re|fw|fwd|aw|wg|invitation|updated invitation)\s?:\s*)+(?=\S)")
_MAIL = re.compile(r"(?im)^(?:from|to|sent)\s?:")
MAIL_NEAR = 250  # characters from a mail's Date: to its From: or To:
_JOINS = " \t,·•|-–—@"
_NAMES = re.compile(r"[^,;]+")


class _Line(NamedTuple):
    start: int
    end: int
    label: str  # what it is a row of, or empty
    value: int  # where its value starts; `end` where it has none


def invitation(text: str, now: datetime, *, day_first: bool = True) -> EventSpans | None:
    """The one event of an invitation; None where a text is none."""
    lines = list(_lines(text))
    said = [n for n, line in enumerate(lines) if _says_when(text, line, now, day_first)]
    labelled = [n for n in said if lines[n].label == "when"]
    if not said or _signs(text, lines) < LEAST_SIGNS:
        return None
    at = (labelled or said)[0]
    spans: dict[str, tuple[CharSpan, ...]] = _moment(text, lines[at])
    if title := _title(text, lines, at):
        spans["action"] = (title,)
    if place := _place(text, lines, at):
        spans["location"] = (place,)
    if guests := list(_guests(text, lines)):
        spans["attendees"] = tuple(guests)
    return EventSpans(spans, dict.fromkeys(spans, CONFIDENCE))


def _lines(text: str) -> Iterator[_Line]:
    for match in re.finditer(r"\S[^\n]*", text):
        end = match.start() + len(match[0].rstrip())
        label = _LABEL.match(match[0])
        value = match.start() + label.end() if label else match.start()
        yield _Line(match.start(), end, _LABELS[label[1].lower()] if label else "", min(value, end))


def _signs(text: str, lines: Sequence[_Line]) -> int:
    """How many kinds of rows and answers show that it is an invitation."""
    labels = {line.label for line in lines if line.label not in ("", "title")}
    answers = {text[line.start : line.end].lower() for line in lines if _answers(text, line)}
    return len(labels) + len(answers & {"yes", "no", "maybe", "accept", "decline", "join", "rsvp"})


def _answers(text: str, line: _Line) -> bool:
    return bool(_ANSWERS.fullmatch(text[line.start : line.end]))


def _says_when(text: str, line: _Line, now: datetime, day_first: bool) -> bool:
    """Whether a line, or the value of a row, opens with a day and a time."""
    if line.end - line.value > LONGEST_LINE or _is_sent(text, line):
        return False
    said = text[line.value : line.end]
    said = said[_weekday(said) :]
    clock = _CLOCK.search(said)
    if not clock or not clock.start():
        return False
    days = dates.mentions(said[: clock.start()], now.replace(tzinfo=None), day_first=day_first)
    return any(each.kind in ("date", "datetime") and each.start == 0 for each in days)


def _is_sent(text: str, line: _Line) -> bool:
    """Whether it tells when a mail was sent."""
    labelled = re.match(r"(?i)date\s?:", text[line.start : line.end])
    return bool(
        labelled and _MAIL.search(text, max(0, line.start - MAIL_NEAR), line.end + MAIL_NEAR)
    )


def _weekday(said: str) -> int:
    match = _WEEKDAY.match(said)
    return match.end() if match else 0


def _moment(text: str, line: _Line) -> dict[str, tuple[CharSpan, ...]]:
    """Day and time apart; the time with its zone."""
    said = text[line.value : line.end]
    clock = _CLOCK.search(said)
    assert clock is not None  # it says when
    first, last = _weekday(said), clock.start()
    day = re.sub(r"(?i)\s(?:from|at|um|von)\s*\Z", "", said[first:last].rstrip(_JOINS)).rstrip(
        _JOINS
    )
    clocks = list(_CLOCK.finditer(said))
    until = clocks[min(1, len(clocks) - 1)].end()
    if meridiem := re.match(r"(?i)\s?[ap]\.?m\.?", said[until:]):
        until += meridiem.end()
    if zone := _ZONE.match(said, until):
        until = zone.end()
    start = line.value
    return {
        "date": ((start + first, start + first + len(day)),),
        "time": ((start + last, start + until),),
    }


def _title(text: str, lines: Sequence[_Line], at: int) -> CharSpan | None:
    """The row that says so, else the nearest line above that is no label and no answer."""
    above = [line for line in lines[:at] if not _answers(text, line)]
    for line in above:
        if line.label == "title" and line.value < line.end:
            replied = _REPLIED.match(text, line.value, line.end)
            return replied.end() if replied else line.value, line.end
    free = [line for line in above if not line.label]
    return (free[-1].start, free[-1].end) if free else None


def _place(text: str, lines: Sequence[_Line], at: int) -> CharSpan | None:
    """The value of its row; where labels stand in a column, the line as far below as its label."""
    empty = [line.label for line in lines if line.label and line.value == line.end]
    for line in lines:
        if line.label == "where" and line.value < line.end:
            return line.value, line.end
    if "when" in empty and "where" in empty:
        at += empty.index("where") - empty.index("when")
    else:
        at += 1
    if not 0 <= at < len(lines):
        return None
    line = lines[at]
    plain = not line.label and not _answers(text, line) and "@" not in text[line.start : line.end]
    follows = "where" in empty or (at and text.count("\n", lines[at - 1].end, line.start) == 1)
    return (line.start, line.end) if plain and follows else None


def _guests(text: str, lines: Sequence[_Line]) -> Iterator[CharSpan]:
    for line in lines:
        if line.label == "guests":
            for match in _NAMES.finditer(text, line.value, line.end):
                start = match.start() + len(match[0]) - len(match[0].lstrip())
                if match[0].strip():
                    yield start, start + len(match[0].strip())
