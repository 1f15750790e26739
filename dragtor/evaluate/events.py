"""`dragtor eval events`: are the right events read out of a text? Data in JSON lines.

{event_text, output}: output holds the eight fields, or is null where the text holds no event, or a
list where it holds several. A row may say its own `now`. Knows how labels are compared, not how
events are found.
"""

from __future__ import annotations

import json
import re
import string
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from dragtor import extras, metrics
from dragtor.config import Config
from dragtor.dates import minutes
from dragtor.errors import LoadError
from dragtor.evaluate.common import Measured, bootstrapped, counted, means, rows_of, side_by_side
from dragtor.events.extract import EventExtractor, open_extractor
from dragtor.events.locale import read_now
from dragtor.events.model import EVENTS_MODEL
from dragtor.schema import EVENTS_SCHEMA, event_fields_json, events_json
from dragtor.types import EVENT_FIELDS, NEVER, SILENT, CalendarEvent, CancelToken, Reporter

_WANTED = "event_text and output"
EXAMPLES = 3  # of each kind of error
BASELINE = "base model, not tuned"
_ARTICLES = {"a", "an", "the"}
_OUTER = string.punctuation + "“”‘’…–—"
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"(\d{1,2}):(\d{2})\s*([AaPp][Mm])?")
Record = Mapping[str, Any]  # the eight fields


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, the records that are right, and the moment it is read at (None: now)."""

    text: str
    wanted: tuple[Record, ...]
    now: str = ""


@dataclass(slots=True)
class Compared:
    """What one row came to."""

    raw: bool
    printed: bool
    normalised: bool
    valid: bool
    seconds: float
    # field -> (right, said, wanted) over the row's events; said and wanted count what is not null
    counts: dict[str, tuple[int, int, int]]
    rights: dict[str, bool]  # field -> equal, null where null is wanted included
    tokens: tuple[int, int, int]  # shared, said, wanted
    people: float | None  # F1 of the sets of attendees; None where none are said nor wanted
    filled: tuple[int, int]  # of the fields wanted, those that are said at all
    errors: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def evaluate(
    path: Path,
    config: Config,
    *,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
    baseline: bool = False,
    adapter: Path | None = None,
    extractor: EventExtractor | None = None,
) -> dict[str, Any]:
    """Read every text and compare; `baseline` has the base model do it too, under `compared`.

    `adapter` is another than the shipped one.

    10/12 is 10 December, as the labels of the seed's data are. `errors` counts the patterns of
    what went wrong, each with a few examples. See `scored` for the metrics.
    """
    rows = list(_rows(path))
    if not rows:
        raise LoadError(f"{path} holds no row with {_WANTED}")
    kept: list[list[Compared]] = []
    name = adapter.name if adapter else "tuned"

    def measure(which: Config) -> Measured:
        tuned = which is config
        used = extractor if extractor and tuned else None
        used = used or open_extractor(which, UTC, adapter=(adapter or "") if tuned else None)
        label = "reading" if tuned else "reading without training"
        kept.append([compared(row, used) for row in counted(rows, label, reporter, cancel)])
        return scored(
            kept[-1], f"{EVENTS_MODEL}, {name}" if tuned else f"{EVENTS_MODEL}, not tuned"
        )

    others = {BASELINE: replace(config)} if baseline else {}
    result = side_by_side("events", path, measure, config, others)
    return result | {"errors": error_patterns(kept[0])}


def _rows(path: Path) -> list[LabelledText]:
    """The rows; raises LoadError on one that is not as wanted."""
    found = []
    for place, row in rows_of(path, _WANTED):
        text, output = row.get("event_text"), row.get("output")
        records = [] if output is None else output if isinstance(output, list) else [output]
        good = all(
            isinstance(record, dict) and record.keys() & set(EVENT_FIELDS) for record in records
        )
        if not isinstance(text, str) or "output" not in row or not good:
            raise LoadError(f"{place}: no JSON object with {_WANTED}")
        wanted = tuple(r for r in records if any(r.get(name) for name in EVENT_FIELDS))
        found.append(LabelledText(text, wanted, str(row.get("now") or "")))
    return found


# One row


def compared(row: LabelledText, extractor: EventExtractor) -> Compared:
    """Read the row's text, and hold it against what is right."""
    now = read_now(row.now, extractor.zone) if row.now else datetime.now(extractor.zone)
    begun = time.perf_counter()
    events = extractor.events(row.text, now)
    seconds = time.perf_counter() - begun
    printed = [event_fields_json(event) for event in events]
    as_labelled = [labelled(event, row.text) for event in events]
    pairs = [(said or {}, wanted or {}) for said, wanted in zip_longest(printed, row.wanted)]
    one = Compared(
        raw=_same(as_labelled, row.wanted, _as_is),
        printed=_same(printed, row.wanted, _as_is),
        normalised=_same(printed, row.wanted, normal_form),
        valid=_valid(events),
        seconds=seconds,
        counts={name: _counted(name, pairs) for name in EVENT_FIELDS},
        rights={name: all(_equal(name, *pair) for pair in pairs) for name in EVENT_FIELDS},
        tokens=_tokens_shared(pairs),
        people=_people(pairs),
        filled=_filled(pairs),
    )
    one.errors = [error for pair in pairs for error in _errors(row.text, *pair)]
    return one


def labelled(event: CalendarEvent, text: str) -> dict[str, Any]:
    """The eight fields as the seed's labels spell them.

    They keep a date that is ISO in the text, unless it opens the text, and a time after noon that
    is written on a clock of 24 hours. 45mins is 45 mins; 30min and 1hr are 30 minutes and 1 hour
    where the date is written as in "Feb 5, 2024". Nothing else differs from what is printed.
    """
    found, said = event_fields_json(event), _phrase_of(event, text)
    if event.date and _ISO.fullmatch(said("date")) and event.evidence["date"][0] > 0:
        found["date"] = said("date")
    if event.time and re.fullmatch(r"(1[3-9]|2[0-3]):\d\d", said("time")):
        found["time"] = said("time")
    if glued := re.fullmatch(r"([\d.]+)(mins?|hrs?)", event.duration or ""):
        number, unit = glued[1], glued[2]
        if unit == "mins":
            found["duration"] = f"{number} mins"
        elif re.match(r"[A-Z][a-z]{2} \d", said("date")) and unit in ("min", "hr"):
            full = {"min": "minute", "hr": "hour"}[unit]
            found["duration"] = f"{number} {full}{'' if number == '1' else 's'}"
    return found


def _phrase_of(event: CalendarEvent, text: str) -> Callable[[str], str]:
    """What the text says of a field; nothing where it says nothing."""
    return lambda name: text[slice(*event.evidence.get(name, (0, 0)))].strip()


def normal_form(name: str, value: Any) -> Any:
    """A field's value as it is compared: dates as ISO, times and durations in minutes, text in
    lower case without articles and outer punctuation; nothing else.
    """
    if value is None or value == [] or value == "":
        return None
    if name == "attendees":
        return [_plain(str(person)) for person in value] if isinstance(value, list) else None
    text = str(value)
    if name == "date":
        return _iso(text)
    if name == "time":
        return _minute_of_day(text)
    if name == "duration":
        length = minutes(text)
        return _plain(text) if length is None else length
    return _plain(text)


def _plain(text: str) -> str:
    words = [word for word in text.casefold().split() if word not in _ARTICLES]
    return " ".join(words).strip(_OUTER + " ")


def _iso(text: str) -> str:
    if found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text.strip()):
        return f"{found[3]}-{int(found[2]):02}-{int(found[1]):02}"
    return text.strip()


def _minute_of_day(text: str) -> int | str:
    found = _TIME.fullmatch(text.strip())
    if not found:
        return _plain(text)
    hour, half = int(found[1]), (found[3] or "").casefold()
    if half:
        hour = hour % 12 + (12 if half == "pm" else 0)
    return 60 * hour + int(found[2])


def _as_is(_: str, value: Any) -> Any:
    return value or None


def _same(said: Sequence[Record], wanted: Sequence[Record], view: Any) -> bool:
    return len(said) == len(wanted) and all(
        view(name, one.get(name)) == view(name, other.get(name))
        for one, other in zip(said, wanted, strict=True)
        for name in EVENT_FIELDS
    )


def _equal(name: str, said: Record, wanted: Record) -> bool:
    return bool(normal_form(name, said.get(name)) == normal_form(name, wanted.get(name)))


def _counted(name: str, pairs: Sequence[tuple[Record, Record]]) -> tuple[int, int, int]:
    right = said_n = wanted_n = 0
    for said, wanted in pairs:
        one, other = (normal_form(name, record.get(name)) for record in (said, wanted))
        right += one is not None and one == other
        said_n += one is not None
        wanted_n += other is not None
    return right, said_n, wanted_n


def _words(name: str, record: Record) -> Counter[str]:
    value = normal_form(name, record.get(name))
    parts = value if isinstance(value, list) else [] if value is None else [str(value)]
    return Counter(word for part in parts for word in part.split())


def _tokens_shared(pairs: Sequence[tuple[Record, Record]]) -> tuple[int, int, int]:
    shared = said_n = wanted_n = 0
    for said, wanted in pairs:
        for name in EVENT_FIELDS:
            one, other = _words(name, said), _words(name, wanted)
            shared += (one & other).total()
            said_n += one.total()
            wanted_n += other.total()
    return shared, said_n, wanted_n


def _people(pairs: Sequence[tuple[Record, Record]]) -> float | None:
    said = {p for one, _ in pairs for p in normal_form("attendees", one.get("attendees")) or ()}
    wanted = {p for _, one in pairs for p in normal_form("attendees", one.get("attendees")) or ()}
    return metrics.f1(len(said & wanted), len(said), len(wanted)) if said or wanted else None


def _filled(pairs: Sequence[tuple[Record, Record]]) -> tuple[int, int]:
    asked = [(said.get(n), n) for said, wanted in pairs for n in EVENT_FIELDS if wanted.get(n)]
    return sum(bool(value) for value, _ in asked), len(asked)


def _valid(events: Sequence[CalendarEvent]) -> bool:
    """Whether what `extract event --json` prints is JSON that its schema allows."""
    jsonschema = extras.require("jsonschema", extra="eval")
    printed = json.dumps(events_json(events))
    return bool(jsonschema.Draft202012Validator(EVENTS_SCHEMA).is_valid(json.loads(printed)))


def _errors(text: str, said: Record, wanted: Record) -> list[tuple[str, dict[str, Any]]]:
    if not said or not wanted:
        kind = "event missed" if wanted else "event invented"
        return [(kind, {"text": text[:200], "said": dict(said), "wanted": dict(wanted)})]
    found = []
    for name in EVENT_FIELDS:
        if not _equal(name, said, wanted):
            one, other = said.get(name), wanted.get(name)
            example = {"text": text[:200], "said": one, "wanted": other}
            found.append((f"{name}: {_how(name, one, other)}", example))
    return found


def _how(name: str, said: Any, wanted: Any) -> str:
    if not wanted:
        return "invented"
    if not said:
        return "missed"
    one, other = _words(name, {name: said}), _words(name, {name: wanted})
    if not other - one:
        return "too long"
    return "too short" if not one - other else "wrong"


# All rows


def scored(rows: Sequence[Compared], model: str) -> Measured:
    """The metrics of all rows.

    `exact_raw` are records equal as strings, spelled as the seed's labels spell (see `labelled`),
    `exact_printed` those equal as they are printed, `exact_normalised` see `normal_form`; a
    text whose number of events is wrong is none of them. `fields` holds, for each field, accuracy
    (of texts, null where null is wanted included), precision, recall and F1 over values that are
    not null, and `n`, how many are wanted. `token_f1` counts words of all fields, `set_f1`
    attendees as a set; `completeness` is the share of wanted values in whose place anything is
    said.
    """
    values: dict[str, list[float]] = {
        "exact_raw": [float(row.raw) for row in rows],
        "exact_normalised": [float(row.normalised) for row in rows],
        "exact_printed": [float(row.printed) for row in rows],
        "valid_json": [float(row.valid) for row in rows],
        "seconds": [row.seconds for row in rows],
    }
    figures: dict[str, Any] = {"fields": {name: _field(name, rows) for name in EVENT_FIELDS}}
    figures |= ratio("token_f1", [_f1_parts(row.tokens) for row in rows])
    figures |= ratio("completeness", [row.filled for row in rows])
    people = [row.people for row in rows if row.people is not None]
    return Measured(model, values, figures | means({"set_f1": people}))


def _field(name: str, rows: Sequence[Compared]) -> dict[str, Any]:
    counts = [row.counts[name] for row in rows]
    right, said, wanted = (sum(column) for column in zip(*counts, strict=True))
    return {
        "accuracy": round(metrics.mean([float(row.rights[name]) for row in rows]), 4),
        "precision": round(right / said, 4) if said else None,
        "recall": round(right / wanted, 4) if wanted else None,
        **ratio("f1", [_f1_parts(each) for each in counts]),
        "n": wanted,
    }


def _f1_parts(counts: tuple[int, int, int]) -> tuple[int, int]:
    """F1 as a share: twice what is right, of what is said and what is wanted."""
    right, said, wanted = counts
    return 2 * right, said + wanted


def ratio(name: str, parts: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """Sum of the first over sum of the second, and its 95 % interval: a bootstrap over rows.

    None and no interval where there is nothing to divide by.
    """
    import numpy as np

    table = np.array(parts, dtype=float)
    top, bottom = table.sum(axis=0)
    if not bottom:
        return {name: None}
    draw = np.random.default_rng(0)
    sums = [
        table[draw.integers(len(table), size=len(table))].sum(axis=0)
        for _ in range(metrics.BOOTSTRAP_ROUNDS)
    ]
    shares = [float(one / other) for one, other in sums if other]
    return {name: round(float(top / bottom), 4), f"{name}_ci": bootstrapped(shares)}


def error_patterns(rows: Sequence[Compared]) -> list[dict[str, Any]]:
    """Kinds of errors, the commonest first, each with a few examples."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        for kind, example in row.errors:
            grouped.setdefault(kind, []).append(example)
    ordered = sorted(grouped.items(), key=lambda item: -len(item[1]))
    return [{"pattern": k, "n": len(each), "examples": each[:EXAMPLES]} for k, each in ordered]
