"""Events read out of texts: the bars of calendar events, on data that was not trained on.

validation: the held-out templates, tuned and base model; none: texts without an event; sgd: what
users say to a calendar; valid: JSON of random and naughty texts; speed: events a second, warm. `n`:
so many, drawn with a fixed seed. What people say or jot down is measured by spoken_events.py.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import jsonschema
from common import Shown
from train_events import half

from dragtor import metrics
from dragtor.config import Config
from dragtor.evaluate.events import evaluate, normal_form
from dragtor.events.extract import EventExtractor, open_extractor
from dragtor.schema import EVENTS_SCHEMA, event_fields_json, events_json
from dragtor.training.events.labels import Example, find_values, is_held_out
from dragtor.training.events.train import TrainConfig
from dragtor.types import CalendarEvent

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
SGD_TODAY = datetime(2019, 3, 1, tzinfo=UTC)
SLOTS = ("event_name", "event_date", "event_time", "event_location")
SENTENCES = 200  # date-free ones of other data
EXAMPLES = 12
HELD_OUT = TrainConfig(Path()).validation  # share of the templates


def lines(*parts: str) -> list[dict[str, Any]]:
    path = DATA.joinpath(*parts)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def extractor() -> EventExtractor:
    return open_extractor(Config(), UTC)


def share(values: list[bool]) -> dict[str, Any]:
    low, high = metrics.interval([float(value) for value in values])
    found = metrics.mean([float(value) for value in values])
    return {"share": round(found, 4), "ci": [round(low, 4), round(high, 4)], "n": len(values)}


def drawn(some: list[Any], n: int) -> list[Any]:
    return random.Random(7).sample(some, n) if n else some


def validation(n: int = 0) -> dict[str, Any]:
    """The templates that training never saw; of a sample without the base model."""
    result = evaluate(_held_out(n), Config(), reporter=Shown(20), baseline=not n)
    found = {"n": result["n"], "tuned": result["metrics"], "errors": result["errors"][:EXAMPLES]}
    for base in result.get("compared", ()):
        found["base"] = base["metrics"]
    return found


def _held_out(n: int) -> Path:
    """The validation rows of the training's own split, as a file."""
    rows = lines("calendar_events", "train.jsonl")
    examples = [
        Example(text := row["event_text"], (find_values(text, row["output"])[0],)) for row in rows
    ]
    return _as_file([r for r, e in zip(rows, examples, strict=True) if is_held_out(e, HELD_OUT)], n)


def _as_file(rows: list[dict[str, Any]], n: int) -> Path:
    from tempfile import mkdtemp

    rows = drawn(rows, n)
    path = Path(mkdtemp()) / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return path


# Texts without an event


def negatives() -> list[str]:
    """Sentences of the English date and time specifications that mention no time."""
    found = []
    for path in sorted((DATA / "recognizers_datetime").glob("*.jsonl")):
        if not path.name.startswith(("German", "Spanish")):
            found += [
                row["Input"] for row in lines(path.parent.name, path.name) if not row["Results"]
            ]
    return [text for text in dict.fromkeys(found) if unseen(text)]


def unseen(text: str) -> bool:
    """Whether a text was left out of the training data."""
    return not half(" ".join(text.split()))


def sentences() -> list[str]:
    """Claims, questions and reviews of other data, drawn with a fixed seed."""
    reviews = (DATA / "sst2" / "dev.tsv").read_text("utf-8").splitlines()[1:]
    papers = (DATA / "pubmedqa" / "pqal.json").read_text("utf-8")
    pools = (
        [line.split("\t")[0] for line in reviews],
        [row["text"] for row in lines("scifact", "queries.jsonl")],
        [row["question"] for row in lines("covid_qa", "questions.jsonl")],
        [row["QUESTION"] for row in json.loads(papers).values()],
    )
    draw = random.Random(0)
    each = SENTENCES // len(pools)
    return [t for pool in pools for t in draw.sample(sorted(filter(unseen, set(pool))), each)]


def none(n: int = 0) -> dict[str, Any]:
    read = extractor()
    found: dict[str, Any] = {}
    for name, texts in (("recognizers_negatives", negatives()), ("sentences", sentences())):
        invented = [(text, read.events(text, SGD_TODAY)) for text in drawn(texts, n)]
        found[name] = share([bool(events) for _, events in invented])
        found[name]["examples"] = [
            {"text": text, "events": [_short(event) for event in events]}
            for text, events in invented
            if events
        ][:EXAMPLES]
    return found


def _short(event: CalendarEvent) -> dict[str, Any]:
    return {name: value for name, value in event_fields_json(event).items() if value}


# Dialogues


def dialogues() -> Iterator[tuple[str, dict[str, str]]]:
    """The user's turns up to the call as one text, and the slots of the call that they state.

    Of dialogues that were left out of the training data.
    """
    for row in lines("sgd_calendar", "dialogues.jsonl"):
        if half(row["dialogue_id"]):
            continue
        said: list[str] = []
        stated: dict[str, set[str]] = {}
        state: dict[str, list[str]] = {}
        for turn in row["turns"]:
            for frame in turn["calendar"]:
                call = frame["service_call"]
                if call and call["method"] == "AddEvent":
                    wanted = {
                        slot: call["parameters"][slot]
                        for slot in SLOTS
                        if stated.get(slot, set()) & set(state.get(slot, ()))
                    }
                    yield " ".join(said), wanted
                    break
                if turn["speaker"] == "USER":
                    state = (frame["state"] or {}).get("slot_values", state)
                    for slot in frame["slots"]:
                        words = turn["utterance"][slot["start"] : slot["exclusive_end"]]
                        stated.setdefault(slot["slot"], set()).add(words)
            if turn["speaker"] == "USER":
                said.append(turn["utterance"])


def slots_right(event: CalendarEvent, wanted: dict[str, str]) -> dict[str, bool]:
    start = event.start
    day = start.date() if isinstance(start, datetime) else start
    said = {
        "event_name": normal_form("action", event.action),
        "event_location": normal_form("location", event.location),
        "event_date": day.isoformat() if isinstance(day, date) else None,
        "event_time": f"{start:%H:%M}" if isinstance(start, datetime) else None,
    }
    view = {slot: value if slot in ("event_date", "event_time") else normal_form("action", value)
            for slot, value in wanted.items()}  # fmt: skip
    return {slot: said[slot] == value for slot, value in view.items()}


def sgd(n: int = 0) -> dict[str, Any]:
    """Of each dialogue the event that gets most slots right counts, one event or several."""
    read, rows = extractor(), drawn(list(dialogues()), n)
    right: dict[str, list[bool]] = {slot: [] for slot in SLOTS}
    counts: Counter[int] = Counter()
    missed = []
    for done, (text, wanted) in enumerate(rows):
        events = read.events(text, SGD_TODAY)
        counts[len(events)] += 1
        tried = [slots_right(event, wanted) for event in events] or [
            slots_right(CalendarEvent(), wanted)
        ]
        best = max(tried, key=lambda found: sum(found.values()))
        for slot, value in best.items():
            right[slot].append(value)
        if not all(best.values()):
            missed.append({"text": text, "wanted": wanted, "events": [_short(e) for e in events]})
        Shown(20).progress("dialogues", done, len(rows))
    return {
        "all": share([value for each in right.values() for value in each]),
        **{slot: share(values) for slot, values in right.items()},
        "events_a_dialogue": {str(number): counts[number] for number in sorted(counts)},
        "missed": missed[:EXAMPLES],
    }


# JSON and speed


def random_texts(n: int) -> list[str]:
    """Half of them random characters of many scripts, half random words of real events."""
    draw = random.Random(0)
    words = [
        w for row in lines("calendar_events", "train.jsonl") for w in row["event_text"].split()
    ]

    def noise() -> str:
        return "".join(chr(draw.choice(starts) + draw.randint(0, 60)) for _ in range(length))

    starts = (0x20, 0x41, 0x61, 0xC0, 0x400, 0x5D0, 0x620, 0x4E00, 0x1F600, 0x2028, 0x0)
    texts = []
    for number in range(n):
        length = draw.randint(1, 20 if number % 2 else 80)
        texts.append(" ".join(draw.choices(words, k=length)) if number % 2 else noise())
    return texts


def valid(n: int = 2000) -> dict[str, Any]:
    read, validator = extractor(), jsonschema.Draft202012Validator(EVENTS_SCHEMA)
    naughty = json.loads((DATA / "bad_inputs" / "text" / "blns.json").read_text("utf-8"))
    found: dict[str, Any] = {}
    for name, texts in (("random", random_texts(n)), ("naughty", naughty[:n])):
        good, events = [], 0
        for done, text in enumerate(texts):
            read_now = read.events(text, SGD_TODAY)
            printed = json.dumps(events_json(read_now))
            good.append(validator.is_valid(json.loads(printed)))
            events += len(read_now)
            Shown(20).progress(name, done, len(texts))
        found[name] = share(good) | {"events": events}
    return found


def speed(n: int = 100) -> dict[str, Any]:
    """Texts of one event each, one after the other, the model warm."""
    texts = [row["event_text"] for row in lines("calendar_events", "train.jsonl")]
    texts = random.Random(0).sample(texts, n)
    begun = time.perf_counter()
    read = extractor()
    read.events("Lunch tomorrow at 1pm.", SGD_TODAY)
    opened = time.perf_counter() - begun
    begun, processor = time.perf_counter(), time.process_time()
    events = sum(len(read.events(text, SGD_TODAY)) for text in texts)
    seconds = time.perf_counter() - begun
    return {
        "texts": len(texts),
        "events": events,
        "open_s": round(opened, 2),
        "events_a_second": round(events / seconds, 2),
        "processor_s_an_event": round((time.process_time() - processor) / max(1, events), 3),
    }
