"""What people say or jot down: does the model find the words, and do the rules read them right?

Three figures on the 110 texts of data/spoken_events.txt, which were written for this and never
trained on. `pointing`: the model's spans against the marked words, no rule between. `reading`:
model and rules against labels by hand (data/spoken_events.jsonl), by a reader who had the text and
a calendar and knew no rule. `reading_of_marked`: the rules alone, given the marked words.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, zip_longest
from pathlib import Path
from typing import Any

from dragtor import metrics
from dragtor.config import Config
from dragtor.evaluate.events import normal_form, ratio
from dragtor.events.extract import EventExtractor, open_extractor
from dragtor.events.spans import EventSpans
from dragtor.events.when import occurrences
from dragtor.training.events.marks import unmark
from dragtor.types import EVENT_FIELDS, CalendarEvent, Moment

DATA = Path(__file__).resolve().parents[1] / "data"
NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)  # a Friday; 10/12 is 10 December
WHEN = ("date", "time", "start", "end", "next")
WORDS = ("action", "attendees", "location", "duration", "recurrence", "notes")
NEXT = 3  # dates of a series that the labels name
EXAMPLES = 12
Label = Mapping[str, Any]
Spans = Mapping[str, tuple[tuple[int, int], ...]]


@dataclass(frozen=True)
class Text:
    """A text, the words of its events as they are marked, and its events as labelled by hand."""

    text: str
    marked: Sequence[Spans]
    labels: Sequence[Label]


@dataclass(frozen=True)
class Known:
    """A span extractor that gives what is known already."""

    events: Sequence[EventSpans]

    def extract(self, text: str) -> list[EventSpans]:
        return list(self.events)


def texts() -> list[Text]:
    marked = (DATA / "spoken_events.txt").read_text("utf-8").splitlines()
    labels = (DATA / "spoken_events.jsonl").read_text("utf-8").splitlines()
    found = []
    for line, label in zip(marked, map(json.loads, labels), strict=True):
        example = unmark(line.replace("\\n", "\n"))
        assert example.text == label["text"]
        found.append(Text(example.text, example.events, label["events"]))
    return found


def spoken(n: int = 0) -> dict[str, Any]:
    """The three figures; `n`: of the first so many."""
    some = texts()[: n or None]
    model = open_extractor(Config(), UTC)
    found = [model.span_extractor.extract(one.text) for one in some]
    marked = [[EventSpans(e, dict.fromkeys(e, 1.0)) for e in one.marked] for one in some]
    read = [EventExtractor(Known(f), UTC).events(t.text, NOW)
            for t, f in zip(some, found, strict=True)]  # fmt: skip
    alone = [EventExtractor(Known(m), UTC).events(t.text, NOW, undated=True)
             for t, m in zip(some, marked, strict=True)]  # fmt: skip
    model.close()
    return {"n": len(some), "pointing": pointing(some, found), "reading": reading(some, read),
            "reading_of_marked": reading(some, alone)}  # fmt: skip


def share(values: Sequence[bool]) -> dict[str, Any]:
    numbers = [float(value) for value in values]
    return {"share": round(metrics.mean(numbers), 4),
            "ci": [round(bound, 4) for bound in metrics.interval(numbers)]}  # fmt: skip


# Pointing


def words(text: str, event: Spans, name: str) -> list[str]:
    """The words of a field, a string a span, without case, articles and outer punctuation."""
    return [normal_form("notes", text[slice(*span)]) for span in event.get(name, ())]


def pointing(some: Sequence[Text], found: Sequence[Sequence[EventSpans]]) -> dict[str, Any]:
    """`exact`: every word of every event. F1 over spans and over words, events in text order."""
    exact, spans, single = [], [], []
    fields: dict[str, list[bool]] = {name: [] for name in EVENT_FIELDS}
    for one, events in zip(some, found, strict=True):
        pairs = [*zip_longest((e.spans for e in events), one.marked, fillvalue={})]
        by_field = {n: [(words(one.text, s, n), words(one.text, m, n)) for s, m in pairs]
                    for n in EVENT_FIELDS}  # fmt: skip
        for name, each in by_field.items():
            fields[name].append(all(said == wanted for said, wanted in each))
        exact.append(all(right[-1] for right in fields.values()))
        both = [pair for each in by_field.values() for pair in each]
        spans.append(_f1_parts(both))
        single.append(_f1_parts([(" ".join(s).split(), " ".join(w).split()) for s, w in both]))
    return {"exact": share(exact), **ratio("span_f1", spans), **ratio("word_f1", single),
            "fields": {name: share(right) for name, right in fields.items()}}  # fmt: skip


def _f1_parts(pairs: Sequence[tuple[list[str], list[str]]]) -> tuple[int, int]:
    shared = sum((Counter(said) & Counter(wanted)).total() for said, wanted in pairs)
    return 2 * shared, sum(len(said) + len(wanted) for said, wanted in pairs)


# Reading


def reading(some: Sequence[Text], found: Sequence[Sequence[CalendarEvent]]) -> dict[str, Any]:
    """`exact`: everything; `when`: date, time, start, end and the next dates; each field alone.

    Of the texts, where nothing is right if nothing is labelled. The label's other readings (`also`,
    together or alone) count.
    """
    fields: dict[str, list[bool]] = {name: [] for name in (*WHEN, *WORDS)}
    exact, when, errors = [], [], []
    for one, events in zip(some, found, strict=True):
        pairs = [
            (said_of(event), [*accepted(label)] if label else [dict.fromkeys(fields)])
            for event, label in zip_longest(events, one.labels)
        ]
        for name, right in fields.items():
            right.append(all(any(said[name] == o[name] for o in ways) for said, ways in pairs))
        exact.append(_agree(pairs, (*WHEN, *WORDS), len(events) == len(one.labels)))
        when.append(_agree(pairs, WHEN, len(events) == len(one.labels)))
        errors += [] if exact[-1] else [_error(one, pairs)]
    return {"exact": share(exact), "when": share(when),
            "fields": {name: share(right) for name, right in fields.items()},
            "errors": errors[:EXAMPLES]}  # fmt: skip


def _agree(pairs: Sequence[tuple[Label, list[Label]]], names: Sequence[str], same: bool) -> bool:
    """Whether each event agrees in these fields with one way to read its label."""
    return same and all(
        any(all(said[n] == way[n] for n in names) for way in ways) for said, ways in pairs
    )


def said_of(event: CalendarEvent | None) -> dict[str, Any]:
    """What dragtor says of an event, in the form of the labels; `date` of a series is its first."""
    if event is None:
        return dict.fromkeys((*WHEN, *WORDS))
    series = event.rrule and event.start
    stated = normal_form("date", event.date)
    return {
        **{name: normal_form(name, _listed(getattr(event, name))) for name in WORDS},
        "date": stated or (f"{event.start:%Y-%m-%d}" if series else None),
        "time": normal_form("time", event.time),
        "start": _stamp(event.start),
        "end": _stamp(event.end),
        "next": [*map(_stamp, occurrences(event.rrule, event.start, NEXT))] if series else None,
    }


def accepted(label: Label) -> Iterator[dict[str, Any]]:
    """Every way to read a label: as it is, and with some of its other readings in its place."""
    others = label.get("also", [])
    for count in range(len(others) + 1):
        for some in combinations(others, count):
            way = dict(label)
            for other in some:
                way |= other
            yield {name: normal_form(name, way[name]) for name in (*WORDS, "time")} | {
                name: way[name] for name in WHEN if name != "time"
            }


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _stamp(moment: Moment | None) -> str | None:
    if moment is None:
        return None
    return f"{moment:%Y-%m-%dT%H:%M}" if isinstance(moment, datetime) else f"{moment:%Y-%m-%d}"


def _error(one: Text, pairs: Sequence[tuple[Label, list[Label]]]) -> dict[str, Any]:
    apart = [
        {name: [said[name], ways[0][name]] for name in (*WHEN, *WORDS)
         if all(said[name] != way[name] for way in ways)}
        for said, ways in pairs
    ]  # fmt: skip
    return {"text": one.text[:200], "said_and_labelled": apart}
