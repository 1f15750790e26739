"""Honest readers of events that need no model: by marks, by rules, by what is right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dragtor.events.spans import CharSpan, EventSpans
from dragtor.training.events.labels import find_values

MARK = re.compile(r"\{(\w+):([^{}]*)\}")
WORDS = r"(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?"
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
DATE = (
    rf"\d{{4}}-\d\d-\d\d|\d{{1,2}}/\d{{1,2}}(?:/\d{{4}})?|(?:today|tonight|tomorrow)\b"
    rf"|(?:next |on |this )?\b{WORDS}\b"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?,? (?:{MONTHS})[a-z]*\b(?:,? \d{{4}})?"
    rf"|(?:{MONTHS})[a-z]* \d{{1,2}}, \d{{4}}"
)
CLOCK = r"\d{1,2}(?::\d\d)?\s?[ap]m\b"
TIME = rf"{CLOCK}(?:\s?-\s?{CLOCK})?|\b\d{{1,2}}:\d\d\b|\d{{1,2}}ish\b"
LENGTH = r"\b(?:\d+(?:\.\d+)?|an|half an)[ -]?(?:hours?|hrs?|h|minutes?|mins?|m)\b"
REPEAT = r"\bevery \w+(?: \w+day)?|\b(?:daily|weekly|monthly|quarterly|annual)\b"
PEOPLE = r"(?:with|w/) ((?:[A-Z][a-z]+(?:, and |, | and | & )?)+)"
PLACE = r"\b(?:at|in) (the [a-z]+|[A-Z]\w+(?: [A-Z]\w+)*)"


class Marked:
    """Knows the readings of texts that were written with marks: `{action:Lunch} {date:Friday}`."""

    def __init__(self, *marked: str) -> None:
        self._known: dict[str, list[EventSpans]] = {}
        for each in marked:
            text, events = unmarked(each)
            self._known[text] = events
        self.text = next(iter(self._known), "")

    def extract(self, text: str) -> list[EventSpans]:
        return self._known.get(text, [])


def unmarked(marked: str) -> tuple[str, list[EventSpans]]:
    """The text without its marks, and the events they mark; || divides events."""
    text, events = "", []
    for part in marked.split("||"):
        spans: dict[str, tuple[CharSpan, ...]] = {}
        end = 0
        for mark in MARK.finditer(part):
            text += part[end : mark.start()]
            spans[mark[1]] = (*spans.get(mark[1], ()), (len(text), len(text) + len(mark[2])))
            text += mark[2]
            end = mark.end()
        text += part[end:]
        if spans:
            events.append(EventSpans(spans, dict.fromkeys(spans, 0.9)))
    return text, events


class Rules:
    """Regular expressions, a sentence at a time; no date, time or repetition: no event."""

    def extract(self, text: str) -> list[EventSpans]:
        return [
            reading for start, end in sentences(text) if (reading := self._one(text, start, end))
        ]

    def _one(self, text: str, start: int, end: int) -> EventSpans | None:
        part = text[start:end]
        found: dict[str, tuple[CharSpan, ...]] = {}
        for name, pattern in (
            ("date", DATE), ("time", TIME), ("duration", LENGTH), ("recurrence", REPEAT),
        ):  # fmt: skip
            if match := re.search(pattern, part, re.I):
                found[name] = ((start + match.start(), start + match.end()),)
        if not {"date", "time", "recurrence"} & found.keys():
            return None
        if people := re.search(PEOPLE, part):
            names = re.finditer(r"[A-Z][a-z]+", people[1])
            begin = start + people.start(1)
            found["attendees"] = tuple((begin + n.start(), begin + n.end()) for n in names)
        if place := re.search(PLACE, part):
            found["location"] = ((start + place.start(1), start + place.end(1)),)
        stops = [s[0][0] for s in found.values()] + [start + len(part)]
        head = re.match(r"\s*(.*?)(?:\s+(?:at|in|on|with|w/|for))*\s*$", text[start : min(stops)])
        if head and head[1]:
            found["action"] = ((start + head.start(1), start + head.end(1)),)
        return EventSpans(found, dict.fromkeys(found, 0.5))


def sentences(text: str) -> Iterator[CharSpan]:
    for match in re.finditer(r"[^.!?\n]+(?:[.!?](?=\S)[^.!?\n]*)*", text):
        yield match.span()


class Gold:
    """Points at what the labels say, where the training finds it in the text."""

    def __init__(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self._wanted = {row["event_text"]: row["output"] for row in rows}

    def extract(self, text: str) -> list[EventSpans]:
        spans, _ = find_values(text, self._wanted[text])
        return [EventSpans(spans, dict.fromkeys(spans, 1.0))]
