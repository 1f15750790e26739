"""`eval events`: what is counted as right, raw and normal_form, and the command."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from conftest import ROOT, Cli, shared
from fakes import Notes
from span_extractors import Gold, Marked, Rules

from dragtor.config import Config
from dragtor.errors import LoadError
from dragtor.evaluate.events import (
    LabelledText,
    compared,
    error_patterns,
    evaluate,
    labelled,
    normal_form,
    scored,
)
from dragtor.events.extract import EventExtractor
from dragtor.training.events.marks import unmark
from dragtor.types import EVENT_FIELDS

EMPTY = dict.fromkeys(EVENT_FIELDS)
LUNCH = EMPTY | {"action": "Lunch", "date": "27/11/2026", "time": "1:00 PM"}
MARKED = "{action:Lunch} {date:27/11/2026} {time:1pm}"


def one(marked: str, *wanted: dict[str, Any]) -> Any:
    extractor = Marked(marked)
    return compared(
        LabelledText(extractor.text, wanted, "2026-11-20"), EventExtractor(extractor, UTC)
    )


@pytest.mark.parametrize(
    ("name", "text", "wanted"),
    [
        ("date", "06/10/2023", "2023-10-06"),
        ("date", "2023-10-06", "2023-10-06"),
        ("date", "6/1/2023", "2023-01-06"),
        ("time", "1:15 PM", 795),
        ("time", "13:15", 795),
        ("time", "09:00 AM", 540),
        ("time", "12:00 AM", 0),
        ("time", "12:00 PM", 720),
        ("duration", "2hrs", 120),
        ("duration", "1.5 hours", 90),
        ("duration", "90 minutes", 90),
        ("duration", "a while", "while"),
        ("action", "Plan a team lunch.", "plan team lunch"),
        ("location", "The Green Terrace Cafe", "green terrace cafe"),
        ("location", "Corporate Office, Floor 3", "corporate office, floor 3"),
        ("attendees", ["The Team", "Yves."], ["team", "yves"]),
        ("notes", "", None),
        ("attendees", [], None),
        ("recurrence", "Weekly", "weekly"),
    ],
)
def test_how_values_are_compared(name: str, text: Any, wanted: Any) -> None:
    assert normal_form(name, text) == wanted


def test_a_right_record_is_right_in_every_way() -> None:
    row = one(MARKED, LUNCH)
    assert (row.raw, row.printed, row.normalised, row.valid) == (True,) * 4
    assert row.errors == []
    assert row.filled == (3, 3)


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({"action": "Late lunch"}, "action: too short"),
        ({"action": "Supper"}, "action: wrong"),
        ({"location": "Hall"}, "location: missed"),
        ({"time": None}, "time: invented"),
        ({"date": "28/11/2026"}, "date: wrong"),
    ],
)
def test_one_wrong_field_makes_the_record_wrong(change: dict[str, Any], pattern: str) -> None:
    row = one(MARKED, LUNCH | change)
    assert (row.raw, row.normalised) == (False, False)
    assert [kind for kind, _ in row.errors] == [pattern]
    (name,) = change
    assert row.rights == {each: each != name for each in EVENT_FIELDS}


def test_raw_and_normalised_are_told_apart() -> None:
    row = one(MARKED, LUNCH | {"action": "the lunch", "time": "13:00"})
    assert (row.raw, row.normalised) == (False, True)


def test_the_number_of_events_counts() -> None:
    assert one(MARKED).normalised is False
    assert one("The crag faces south.").normalised is True
    two = f"{MARKED} || {{action:Dinner}} {{time:6pm}}"
    assert one(two, LUNCH).normalised is False
    assert one(two, LUNCH, EMPTY | {"action": "Dinner", "time": "6:00 PM"}).normalised is True
    assert [kind for kind, _ in one(MARKED).errors] == ["event invented"]
    assert [kind for kind, _ in one("Lunch", LUNCH).errors] == ["event missed"]


@pytest.mark.parametrize(
    ("marked", "date", "time"),
    [
        ("{action:Sync} {date:2024-05-15} {time:10:00 am}", "2024-05-15", "10:00 AM"),
        ("{date:2024-05-15} {time:10 AM} {action:Sync}", "15/05/2024", "10:00 AM"),
        ("{action:Sync} {date:15/05/2024} {time:14:00}", "15/05/2024", "14:00"),
        ("{action:Sync} {date:15/05/2024} {time:09:00}", "15/05/2024", "09:00 AM"),
    ],
)
def test_labels_keep_what_the_text_writes(marked: str, date: str, time: str) -> None:
    extractor = Marked(marked)
    (event,) = EventExtractor(extractor, UTC).events(extractor.text)
    found = labelled(event, extractor.text)
    assert (found["date"], found["time"]) == (date, time)
    assert event.date == "15/05/2024"


@pytest.mark.parametrize(
    ("marked", "duration"),
    [
        ("{action:Sync} {date:2024-05-15} {duration:45mins}", "45 mins"),
        ("{action:Sync} {date:Feb 5, 2024} {duration:30min}", "30 minutes"),
        ("{action:Sync} {date:Feb 5, 2024} {duration:1hr}", "1 hour"),
        ("{action:Sync} {date:5th, Feb 2024} {duration:1hr}", "1hr"),
        ("{action:Sync} {date:5th, Feb 2024} {duration:30min}", "30min"),
        ("{action:Sync} {date:5th, Feb 2024} {duration:half an hour}", "30 minutes"),
    ],
)
def test_labels_spell_some_durations_out(marked: str, duration: str) -> None:
    extractor = Marked(marked)
    (event,) = EventExtractor(extractor, UTC).events(extractor.text)
    assert labelled(event, extractor.text)["duration"] == duration


def test_the_figures_of_a_few_rows() -> None:
    people = LUNCH | {"action": "Meet", "attendees": ["Ana", "Yves", "Tom"]}
    rows = [
        one(MARKED, LUNCH),
        one(MARKED, LUNCH | {"action": "Late lunch"}),
        one(
            "{action:Meet} {attendees:Ana} and {attendees:Eve} {date:27/11/2026} {time:1pm}", people
        ),
        one("The crag faces south."),
    ]
    found = scored(rows, "rules").metrics()
    assert found["exact_normalised"] == 0.5
    assert found["valid_json"] == 1.0
    action = found["fields"]["action"]
    assert (action["accuracy"], action["precision"], action["n"]) == (0.75, 0.6667, 3)
    assert action["f1"] == 0.6667
    assert action["f1_ci"][0] <= action["f1"] <= action["f1_ci"][1]
    assert found["set_f1"] == 0.4  # one of two said, of three wanted
    assert found["completeness"] == 1.0
    assert found["fields"]["notes"] == {
        "accuracy": 1.0, "precision": None, "recall": None, "f1": None, "n": 0,
    }  # fmt: skip
    assert 0.5 < found["token_f1"] < 1
    assert found["exact_raw_ci"][0] < 0.5 < found["exact_raw_ci"][1]


def test_patterns_are_counted_and_have_a_few_examples() -> None:
    rows = [one(MARKED, LUNCH | {"action": "Supper"}) for _ in range(5)]
    rows.append(one(MARKED, LUNCH | {"location": "Hall"}))
    first, second = error_patterns(rows)
    assert (first["pattern"], first["n"], len(first["examples"])) == ("action: wrong", 5, 3)
    assert first["examples"][0]["wanted"] == "Supper"
    assert second["pattern"] == "location: missed"


# Files


def written(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(json.dumps(row) for row in rows), "utf-8")
    return path


def test_a_file_of_texts_with_one_none_and_several_events(tmp_path: Path) -> None:
    path = written(
        tmp_path / "mine.jsonl",
        {"event_text": "Lunch tomorrow 1pm", "output": LUNCH, "now": "2026-11-26T09:00"},
        {"event_text": "The crag faces south.", "output": None},
        {"event_text": "Lunch 27/11/2026 1pm.", "output": [LUNCH]},
    )
    told = Notes()
    result = evaluate(
        path,
        Config(),
        reporter=told,
        extractor=EventExtractor(Rules(), UTC),
    )
    assert (result["kind"], result["path"], result["n"]) == ("events", "mine.jsonl", 3)
    assert result["metrics"]["exact_normalised"] == 1.0
    assert result["errors"] == []
    assert told.states
    json.dumps(result)


@pytest.mark.parametrize(
    "row",
    [{"event_text": "Lunch"}, {"output": {}}, {"event_text": "Lunch", "output": "no"}, [], "x",
     {"event_text": 1, "output": {}}, {"event_text": "Lunch", "output": [1]}],
)  # fmt: skip
def test_a_row_of_another_form_is_named(tmp_path: Path, row: Any) -> None:
    path = written(tmp_path / "bad.jsonl", {"event_text": "Lunch", "output": None}, row)
    with pytest.raises(LoadError, match=r"bad\.jsonl, line 2: no JSON object with event_text"):
        evaluate(path, Config(), extractor=EventExtractor(Rules(), UTC))


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="holds no row"):
        evaluate(written(tmp_path / "empty.jsonl"), Config())


def test_the_seed_s_labels_can_be_reached() -> None:
    """With a model that points at the right words, the rest loses only what labels contradict."""
    lines = (shared("calendar_events") / "train.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines[::4]]
    extractor = EventExtractor(Gold(rows), UTC)
    found = scored(
        [compared(LabelledText(row["event_text"], (row["output"],)), extractor) for row in rows],
        "gold",
    ).metrics()
    assert found["exact_normalised"] > 0.96
    assert found["exact_raw"] > 0.86
    for name in ("date", "time", "attendees", "duration"):
        assert found["fields"][name]["f1"] > 0.98, name


# The command


@pytest.fixture
def fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules in the model's place; without its training it points at nothing."""
    stand_in = ModuleType("dragtor.events.model")

    def open_span_extractor(*_: Any, adapter: Any = "tuned", **__: Any) -> Any:
        return Marked() if adapter is None else Rules()

    stand_in.open_span_extractor = open_span_extractor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dragtor.events.model", stand_in)


@pytest.mark.usefixtures("fake_model")
def test_the_command_sets_the_base_model_beside_the_tuned_one(cli: Cli, tmp_path: Path) -> None:
    path = written(
        tmp_path / "mine.jsonl",
        {"event_text": "Lunch 27/11/2026 1pm", "output": LUNCH},
        {"event_text": "Supper 27/11/2026 1pm", "output": LUNCH},
    )
    found = cli("eval", "events", path, "--baseline", "--json").json
    assert found["metrics"]["exact_normalised"] == 0.5
    (base,) = found["compared"]
    assert base["metrics"]["exact_normalised"] == 0.0
    assert base["difference"]["exact_normalised"] == -0.5
    shown = cli("eval", "events", path, "--baseline")
    assert shown.code == 0
    assert "not tuned" in shown.out
    assert "fields.action.f1" in shown.out
    plain = cli("eval", "events", path)
    assert "action: wrong, 1 time" in plain.out


@pytest.mark.usefixtures("fake_model")
def test_the_command_names_a_bad_file(cli: Cli, tmp_path: Path) -> None:
    run = cli("eval", "events", written(tmp_path / "bad.jsonl", {"event_text": "Lunch"}))
    assert (run.code, "line 1" in run.err, "Traceback" in run.err) == (1, True, False)


def test_the_hand_labels_are_of_the_marked_texts() -> None:
    data = ROOT / "benchmarks" / "data"
    marked = [
        unmark(line.replace("\\n", "\n"))
        for line in (data / "spoken_events.txt").read_text("utf-8").splitlines()
    ]
    labels = [
        json.loads(line) for line in (data / "spoken_events.jsonl").read_text("utf-8").splitlines()
    ]
    assert [one.text for one in marked] == [one["text"] for one in labels]
    for label in labels:
        for event in label["events"]:
            assert {*EVENT_FIELDS, "start", "end", "next"} <= event.keys()
            for other in event.get("also", ()):
                assert other.keys() <= event.keys()
            for stamp in (event["start"], event["end"], *(event["next"] or ())):
                assert stamp is None or datetime.fromisoformat(stamp)
