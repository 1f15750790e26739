"""Examples to learn from: a text and where each field of its events stands in it.

Reads JSONL of {event_text, output}, whose values are normalised (dates DD/MM/YYYY, times H:MM AM,
"an hour" as "1 hour"), and finds the phrase that each value came from. Knows no tokens.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dragtor import dates
from dragtor.dates.words import MONTHS
from dragtor.errors import UsageError
from dragtor.events.spans import CharSpan
from dragtor.types import EVENT_FIELDS

Spans = Mapping[str, tuple[CharSpan, ...]]

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_DAY = r"\d{1,2}(?:st|nd|rd|th)?"
_DATE = re.compile(
    rf"\b(?:\d{{4}}-\d{{1,2}}-\d{{1,2}}|\d{{1,2}}[/.]\d{{1,2}}[/.]\d{{2,4}}"
    rf"|{_DAY}(?:\s+of)?[\s,-]*{_MONTH}[\s,-]*\d{{4}}|{_MONTH}\s*{_DAY}[\s,-]+\d{{4}})\b",
    re.I,
)
_TIME = re.compile(
    r"\b\d{1,2}[:.]\d{2}\s*(?:[ap]\.?m\b\.?)?|\b\d{1,2}\s*[ap]\.?m\b|\b(?:noon|midnight)\b", re.I
)
_SHORT = {"mtg": "meeting", "w/": "with", "&": "and", "appt": "appointment"}


@dataclass(frozen=True, slots=True)
class Example:
    """A text and its events, in the order of their actions; no events where it holds none."""

    text: str
    events: tuple[Spans, ...]


def read_records(paths: Iterable[Path]) -> list[dict[str, Any]]:
    """The records of JSONL files; raises UsageError naming the line that is no record."""
    records = []
    for path in paths:
        try:
            lines = path.read_text("utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read {path}: {error}", "name a JSONL file") from None
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                text, output = record["event_text"], record["output"]
                if not isinstance(text, str) or not isinstance(output, dict | list | None):
                    raise TypeError
            except (ValueError, KeyError, TypeError):
                raise UsageError(
                    f"{path}, line {number} is no record",
                    '{"event_text": "...", "output": {"action": "...", "date": null, ...}}',
                ) from None
            records.append(record)
    return records


def find_values(
    text: str, output: Mapping[str, Any]
) -> tuple[dict[str, tuple[CharSpan, ...]], list[str]]:
    """Where each value of `output` stands in `text`, and the fields that could not be found."""
    spans: dict[str, tuple[CharSpan, ...]] = {}
    lost = []
    for field in EVENT_FIELDS:
        value = output.get(field)
        if value in (None, "", []):
            continue
        found = _find(field, text, value, [s for some in spans.values() for s in some])
        if found:
            spans[field] = found
        else:
            lost.append(field)
    return spans, lost


def examples(records: Iterable[Mapping[str, Any]]) -> tuple[list[Example], Counter[str]]:
    """Examples of records whose values could all be found; how often each field could not.

    `output` may be null (no event) or a list (several). Where a record says its `spans`, a list of
    {field: [[start, end], ...]}, nothing is searched.
    """
    made, lost = [], Counter[str]()
    for record in records:
        if "spans" in record:
            told = [
                {name: tuple((a, b) for a, b in some) for name, some in event.items()}
                for event in record["spans"]
            ]
            made.append(Example(record["event_text"], tuple(told)))
            continue
        outputs = record["output"] or []
        events = []
        for output in outputs if isinstance(outputs, list) else [outputs]:
            spans, missing = find_values(record["event_text"], output)
            lost.update(missing)
            if missing or not spans:
                break
            events.append(spans)
        else:
            made.append(Example(record["event_text"], tuple(events)))
    return made, lost


def _find(field: str, text: str, value: Any, taken: Sequence[CharSpan]) -> tuple[CharSpan, ...]:
    if field == "attendees":
        names = value if isinstance(value, list) else [value]
        spans: list[CharSpan] = []
        for name in names:
            found = _phrase(text, str(name), [*taken, *spans])
            if found is None:
                return ()
            spans.append(found)
        return tuple(spans)
    if (found := _phrase(text, str(value), taken)) is not None:
        return (found,)
    read = {"date": _dates, "time": _times, "duration": _durations}.get(field)
    if read is None:
        return ()
    wanted = next((key for _, key in read(str(value))), None)
    return next(((span,) for span, key in read(text) if key == wanted), ())


def _phrase(text: str, phrase: str, taken: Sequence[CharSpan]) -> CharSpan | None:
    """`phrase` as whole words, whatever its case; a place that is not taken comes first."""
    words = [re.escape(word) for word in phrase.split()]
    for short, long in _SHORT.items():
        words = [f"(?:{word}|{re.escape(short)})" if word == long else word for word in words]
    pattern = r"(?<!\w)" + r"\s+".join(words) + r"(?!\w)"
    places = [match.span() for match in re.finditer(pattern, text, re.I)]
    free = [p for p in places if not any(p[0] < end and start < p[1] for start, end in taken)]
    return next(iter([*free, *places]), None)


def _dates(text: str) -> Iterator[tuple[CharSpan, object]]:
    for match in _DATE.finditer(text):
        numbers = [int(n) for n in re.findall(r"\d+", match[0])]
        month = next((m for m in re.findall(r"[a-z]+", match[0].lower()) if m[:3] in MONTHS), "")
        if month:
            yield match.span(), (max(numbers), MONTHS[month[:3]], min(numbers))
        elif numbers[0] > 31:
            yield match.span(), tuple(numbers)
        else:
            yield match.span(), tuple(reversed(numbers))


def _times(text: str) -> Iterator[tuple[CharSpan, object]]:
    """Minutes on a twelve-hour clock: labels add AM and PM to what has none."""
    for match in _TIME.finditer(text):
        numbers = [int(n) for n in re.findall(r"\d+", match[0])] or [12]
        end = match.end() - (len(match[0]) - len(match[0].rstrip()))
        yield (match.start(), end), (numbers[0] % 12 * 60 + (numbers[1] if numbers[1:] else 0))


def _durations(text: str) -> Iterator[tuple[CharSpan, object]]:
    # no length depends on the moment
    for mention in dates.mentions(text, datetime(2026, 1, 1)):
        if mention.kind == "duration":
            span = mention.start, mention.end
            yield span, dates.minutes(text[slice(*span)])


def template(example: Example) -> str:
    """The text with its fields masked: what two sentences of one template have in common."""
    masks = sorted(
        (start, end, field)
        for event in example.events
        for field, spans in event.items()
        for start, end in spans
    )
    out, at = [], 0
    for start, end, field in masks:
        if start < at:
            continue
        out += [example.text[at:start], f"<{field}>"]
        at = end
    text = "".join([*out, example.text[at:]]).lower()
    text = re.sub(r"<attendees>(?:[\s,&+]*(?:and|<attendees>))*", "<attendees>", text)
    text = re.sub(r"\b(?:the|an?|mins?|hours?|hrs?)\b|[^\w<>\s]", "", text)
    return " ".join(text.split())


def is_held_out(example: Example, share: float) -> bool:
    """Whether the example's template falls to validation: a fixed draw by its hash."""
    digest = hashlib.sha256(template(example).encode()).digest()
    return int.from_bytes(digest[:4], "big") < share * 2**32
