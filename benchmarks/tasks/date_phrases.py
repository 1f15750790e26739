"""Phrases labelled by hand: how many are read right, and which rules of the grammar that needs.

    python benchmarks/tasks/date_phrases.py phrases FILE [--show]   the share, and what was missed
    python benchmarks/tasks/date_phrases.py rules [FILE]            every rule switched off in turn

phrases: a row is right where start and end, or of a series the next three, agree with its label or
with one of its other readings ("also"). What is compared is the first value of the mentions that
`mentions` finds in the row's text where the phrase stands, a range with its last day, a part of a
day as that day. Where they are several, a time is on the day said beside it (else today, or
tomorrow where it is past), two days are a range, and a length alone counts from now. A zone that is
said is that of the clock, as in events/when.py, which reads a series whole. --show is for the half
that may be read, never for the unread one.

rules: a rule is needed where, without it, an event of the product's own texts comes out otherwise
(calendar_events, sgd_calendar, spoken_events.txt and made texts, read as the product reads them
when the model points at the marked words), or a labelled phrase or one of Microsoft's mentions that
was right is not.
"""

from __future__ import annotations

import json
import operator
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import train_events
from dates import rights, sentences
from spoken_events import DATA, NOW, Known

from dragtor import dates, metrics
from dragtor.dates import Mention, mentions
from dragtor.dates.parser import RULES
from dragtor.events.extract import EventExtractor
from dragtor.events.phrases import EARLY_HOURS, LATE, SPELT, likely_hour
from dragtor.events.spans import EventSpans
from dragtor.events.when import occurrences, resolve_when
from dragtor.training.events.augment import made
from dragtor.training.events.labels import Example, find_values
from dragtor.training.events.marks import unmark
from dragtor.types import Moment

CALENDAR = train_events.SHARED / "calendar_events" / "train.jsonl"
SGD_NOW = datetime(2019, 3, 1, tzinfo=UTC)
MADE = 3000  # texts made for training
SEED = 5
VAGUE = re.compile(r"T(?:MO|AF|EV|NI|DT|BH|ME[A-Z])(?:,|$)")  # a TIMEX code: only a part of the day


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def phrases(file: str = "date_phrases_shown.jsonl", show: bool = False) -> dict[str, Any]:
    """The share of rows that are read as somebody labelled them, by kind and by who wrote them."""
    rows = rows_of(DATA / file)
    rights = [agrees(row) for row in rows]
    if show:
        for row, right in zip(rows, rights, strict=True):
            if not right:
                wanted = {key: row.get(key) for key in ("start", "end", "next", "also")}
                print(row["id"], repr(row["text"]), repr(row["phrase"]), row["now"], row["zone"])
                print("   ", reading(row), "not", wanted)
    groups: dict[str, list[float]] = {"all": [float(right) for right in rights]}
    for row, right in zip(rows, rights, strict=True):
        groups.setdefault(row["kind"], []).append(float(right))
        groups.setdefault(f"by {row['who']}", []).append(float(right))
    return {name: share(values) for name, values in groups.items()}


def share(values: list[float]) -> dict[str, Any]:
    """The mean with its 95 % interval."""
    low, high = metrics.interval(values)
    mean = metrics.mean(values)
    return {"share": round(mean, 4), "ci": [round(low, 4), round(high, 4)], "n": len(values)}


def agrees(row: dict[str, Any]) -> bool:
    """Whether the row is read as its label says, or as another acceptable reading of it."""
    read = reading(row)
    labels = [row, *({**row, **other} for other in row.get("also") or ())]
    keys = ("start", "end", "next")
    return any(all(same(read[key], label.get(key)) for key in keys) for label in labels)


def same(read: Any, label: Any) -> bool:
    """Whether two dates or date-times (ISO, local), or lists of them, are the same."""
    if isinstance(label, list):
        return len(read or ()) >= len(label) and all(map(same, read, label))
    timed = label and "T" in label
    return bool(read == (datetime.fromisoformat(label).isoformat() if timed else label))


def reading(row: dict[str, Any]) -> dict[str, Any]:
    """Start, end and the next three of a series, as the row's phrase is read in its text."""
    now = datetime.fromisoformat(row["now"]).replace(tzinfo=ZoneInfo(row["zone"]))
    ours = covering(row, now)
    zone = next((mention.zone for mention in ours if mention.zone), "")
    there = now.astimezone(dates.zone_info(zone)) if zone else now
    ours = covering(row, there)
    vague = only_parts(row["text"], ours)
    day_first = not row["zone"].startswith("America/")
    words = {"recurrence": row["phrase"], "action": row["text"]}
    when = resolve_when(words, there, day_first=day_first)
    if when.rrule and when.start:
        series = [local(at, now, vague) for at in occurrences(when.rrule, when.start, 3)]
        last = re.search(r"UNTIL=([\dTZ]+)", when.rrule)
        end = None
        if "COUNT=" in when.rrule:
            end = local(occurrences(when.rrule, when.start, 1000)[-1], now, True)
        elif last:
            until = datetime.fromisoformat(last[1])
            end = local(until.astimezone(there.tzinfo) if until.tzinfo else until, there, True)
        return {"start": next(iter(series), None), "end": end, "next": series}
    start, end = bounds(ours, there)
    doubt = any(mention.ambiguous and "time" in mention.kind for mention in ours)
    if isinstance(start, datetime) and doubt and end is None and start.hour % 12:
        start = start.replace(hour=hinted(start.hour, row["text"]))
    first, final = local(start, now, vague), local(end, now, vague)
    return {"start": first, "end": None if vague and first == final else final, "next": None}


def hinted(hour: int, text: str) -> int:
    """The half of the day that "pub quiz" or "alarm" tells, as in events/phrases.py."""
    told = EARLY_HOURS.search(text) or LATE.search(text)
    return likely_hour(hour % 12, "", text) if told else hour


def only_parts(text: str, ours: list[Mention]) -> bool:
    """Whether parts of the day are said and no time of it."""
    timed = [m for m in ours if "time" in m.kind or m.kind == "set"]
    parts = [
        bool(VAGUE.search(m.timex))
        or (
            m.kind == "datetimerange"
            and not re.search(rf"\d|{SPELT.pattern}", text[m.start : m.end], re.I)
        )
        for m in timed
    ]
    exact = (m.kind.startswith("time") and not part for m, part in zip(timed, parts, strict=True))
    return any(parts) and (all(parts) or not any(exact))


def covering(row: dict[str, Any], now: datetime) -> list[Mention]:
    """The mentions of the text that the phrase has a part of; day first but in America."""
    day_first = not row["zone"].startswith("America/")
    start = row["text"].index(row["phrase"])
    found = mentions(row["text"], now, day_first=day_first)
    return [m for m in found if m.start < start + len(row["phrase"]) and start < m.end]


def bounds(ours: list[Mention], now: datetime) -> tuple[Moment | None, Moment | None]:
    """Start and end of what the mentions say together, the last day included."""
    days = [m for m in ours if m.kind.startswith("date")]
    times = [m for m in ours if m.kind.startswith("time") and m.kind != "timezone"]
    lengths = [m for m in ours if m.kind == "duration"]
    if not days and not times and lengths:  # for ten days: from now on
        return now.date(), now.date() + timedelta(seconds=float(lengths[0].values[0].value))
    clock = [parsed(at) for at in (stamps(times[0]) if times else ())]
    start, end = (parsed(at) for at in stamps(days[0])) if days else (None, None)
    if len(days) > 1 and days[0].kind == days[1].kind == "date":  # today and tomorrow
        end = parsed(stamps(days[1])[0])
    if not days and clock:
        start, end = ((at and datetime.combine(now.date(), at)) for at in clock)
        if start and start < now.replace(tzinfo=None):
            start, end = ((at and at + timedelta(days=1)) for at in (start, end))
    elif days and days[0].kind == "date" and clock and start:
        start, end = ((at and datetime.combine(start, at)) for at in clock)
    return zoned(start, now), zoned(end, now)


def stamps(mention: Mention) -> tuple[str, str]:
    """Start and end of its likeliest value, as they are written."""
    value = mention.values[0]
    return (value.start, value.last) if value.kind.endswith("range") else (value.value, "")


def parsed(stamp: str) -> date | datetime | time | None:
    """A written date, moment or time of the day."""
    if ":" not in stamp:
        return date.fromisoformat(stamp) if stamp[:1].isdigit() else None
    return datetime.fromisoformat(stamp) if "-" in stamp else time.fromisoformat(stamp)


def zoned(moment: Any, now: datetime) -> Moment | None:
    """A moment in the zone of `now`; a day as it is."""
    return moment.replace(tzinfo=now.tzinfo) if isinstance(moment, datetime) else moment


def local(moment: Moment | None, now: datetime, vague: bool) -> str | None:
    """A moment in ISO on the clocks of `now`; its day where only a part of the day was said."""
    if isinstance(moment, datetime):
        moment = (moment.astimezone(now.tzinfo) if moment.tzinfo else moment).replace(tzinfo=None)
        moment = moment.date() if vague else moment
    return moment.isoformat() if moment else None


# Every rule switched off in turn


@dataclass(frozen=True)
class Item:
    """Something to read: an event, or what of a gold is right (a list of booleans)."""

    source: str
    judged: bool
    read: Callable[[], list[Any]]


def product() -> Iterator[tuple[str, Example, datetime]]:
    """The product's own texts with their fields marked: (source, example, now)."""
    for row in rows_of(CALENDAR):
        text = row["event_text"]
        yield "calendar_events", Example(text, (find_values(text, row["output"])[0],)), NOW
    for line in (DATA / "spoken_events.txt").read_text("utf-8").splitlines():
        yield "spoken", unmark(line.replace("\\n", "\n")), NOW
    for example in made(MADE, SEED):
        yield "made", example, NOW
    for training in (True, False):
        for row in train_events.dialogues(training):
            events = [{k: tuple(map(tuple, v)) for k, v in e.items()} for e in row["spans"]]
            yield "sgd_calendar", Example(row["event_text"], tuple(events)), SGD_NOW


def items(labelled: str) -> Iterator[Item]:
    """Everything that a rule may be needed for."""

    for source, example, now in product():
        yield Item(source, False, partial(events_of, example, now))
    for record in sentences():
        yield Item("recognizers", True, partial(rights, record))
    for row in rows_of(DATA / labelled) if labelled else ():
        yield Item("labelled", True, partial(labelled_right, row))


def labelled_right(row: dict[str, Any]) -> list[bool]:
    """Of a labelled phrase whether it is read so."""
    return [agrees(row)]


def events_of(example: Example, now: datetime) -> list[Any]:
    """When the events of a marked text are, as the product reads them."""
    known = Known([EventSpans(spans, dict.fromkeys(spans, 1.0)) for spans in example.events])
    events = EventExtractor(known, UTC).events(example.text, now, undated=True)
    return [(e.start, e.end, e.rrule, e.date, e.time, e.duration, e.ambiguous) for e in events]


@contextmanager
def without(rule: Any) -> Iterator[None]:
    """The grammar without one of its rules, under whatever names it has."""
    kept = {name: list(some) for name, some in RULES.items()}
    for some in RULES.values():
        some[:] = [each for each in some if each is not rule]
    try:
        yield
    finally:
        for name, some in RULES.items():
            some[:] = kept[name]


@contextmanager
def watched(used: set[Any]) -> Iterator[None]:
    """Notes in `used` which rules read anything at all."""
    kept = {name: list(some) for name, some in RULES.items()}

    def noting(rule: Any) -> Any:
        def read(*arguments: Any) -> Any:
            found = rule(*arguments)
            if found:
                used.add(rule)
            return found

        return read

    for some in RULES.values():
        some[:] = [noting(each) for each in some]
    try:
        yield
    finally:
        for name, some in RULES.items():
            some[:] = kept[name]


def rules(file: str = "date_phrases_shown.jsonl") -> dict[str, Any]:
    """By rule: how many readings it changes, of each source; of labels, how many it makes right."""
    everything = list(items(file))
    before, users = [], []
    for item in everything:
        used: set[Any] = set()
        with watched(used):
            before.append(item.read())
        users.append(used)
    counted: dict[str, dict[str, int]] = {}
    for name, rule in named_rules().items():
        counted[name] = difference = Counter[str]()
        with without(rule):
            for item, was, used in zip(everything, before, users, strict=True):
                if rule not in used or (now := item.read()) == was:
                    continue
                difference[f"{item.source} changed"] += not item.judged
                if item.judged:
                    difference[f"{item.source} lost"] += sum(map(operator.gt, was, now))
                    difference[f"{item.source} won"] += sum(map(operator.lt, was, now))
    idle = sorted(name for name, found in counted.items() if not any(found.values()))
    sources = Counter(item.source for item in everything)
    return {"read": sources, "rules": len(counted), "needed_by_nothing": idle, "by_rule": counted}


def named_rules() -> dict[str, Any]:
    """module.function -> rule, in the order of the grammar."""
    return {
        f"{rule.__module__.rpartition('.')[2]}.{rule.__name__}": rule
        for some in RULES.values()
        for rule in some
    }


def main() -> None:
    """Print the figures of `phrases FILE [--show]` or `rules [FILE]`."""
    name, *arguments = sys.argv[1:] or ["phrases"]
    files = [argument for argument in arguments if argument != "--show"]
    show = {"show": True} if "--show" in arguments else {}
    figures = {"phrases": phrases, "rules": rules}[name](*files, **show)  # type: ignore[operator]
    print(json.dumps(figures, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
