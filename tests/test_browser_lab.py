"""The pages Plan and Lab in a real Chromium: events of a text, an encoder's words, a live training.

A training runs where the extra `train` is installed; elsewhere the page must say how it is had.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from browser import SMALL_LLM, Served, Visit, needs_model, serving_copy, visiting
from conftest import ROOT

PAGE = ROOT / "dragtor" / "serve" / "page"
TEXT = """Lunch with Yves on 12/10/2027 at 13:15 in the Blue Door.
Team call every Tuesday at 9:00 from 4 May 2027 until 31 May 2027.
"""
SENTENCES = ["Alex Megos climbed in Céüse.", "Alex Megos climbed a route in Céüse.", "It rains."]
TRAINING_MS = 240_000  # for torch to be loaded and a few steps, on a busy machine
TRAINS = find_spec("torch") is not None and find_spec("transformers") is not None


@pytest.fixture(scope="module")
def served(sample_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_copy(sample_library, tmp_path_factory.mktemp("lab") / "library") as server:
        yield server


@pytest.fixture
def visit(chrome: Any, served: Served) -> Iterator[Visit]:
    with visiting(chrome, served) as made:
        yield made
        made.check()


# Plan


def planned(visit: Visit, text: str = TEXT) -> Any:
    needs_model(SMALL_LLM)
    page = visit.open("Plan")
    page.locator("#plan-text").fill(text)
    page.get_by_role("button", name="Find events").click()
    page.locator(".event").first.wait_for()
    return page


def test_events_of_a_text_stand_in_their_months_and_are_saved(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = planned(visit)
    expect(page.locator(".event")).to_have_count(2)
    expect(page.locator(".event").first).to_contain_text("13:15")
    series = page.locator(".month").filter(has_text="May 2027")
    expect(series.locator(".entry")).to_have_count(4)
    days = series.locator("td.busy .date").all_inner_texts()
    assert days == ["4", "11", "18", "25"]
    with page.expect_download() as loading:
        page.get_by_role("button", name="Save as .ics").click()
    calendar = Path(loading.value.path()).read_text("utf-8")
    assert loading.value.suggested_filename == "events.ics"
    assert calendar.count("BEGIN:VEVENT") == 2
    assert "TZID=Europe/Berlin" in calendar
    page.locator(".event-title").first.click()  # and where the text says so
    marks = page.locator(".as-read mark.picked")
    expect(marks.first).to_be_visible()
    assert "12/10/2027" in " ".join(marks.all_inner_texts())


def test_a_date_that_can_be_read_two_ways_is_to_be_checked_and_turned(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = planned(visit)
    page.get_by_label("Dates such as 10/12").select_option(label="10 December")
    lunch = page.locator(".event").first
    expect(lunch).to_contain_text("12 Oct 2027")
    expect(lunch.locator(".check").last).to_contain_text("12/10/2027")
    page.get_by_label("Dates such as 10/12").select_option(label="October 12")
    expect(page.locator(".event").first).to_contain_text("10 Dec 2027")


def test_a_text_file_is_dropped_and_a_plan_outlives_a_reload(visit: Visit) -> None:
    from playwright.sync_api import expect
    from test_browser import drop

    needs_model(SMALL_LLM)
    page = visit.open("Plan")
    drop(page, ".drop-one textarea", "plan.txt", TEXT)
    expect(page.locator(".event")).to_have_count(2)
    page.reload()
    expect(page.locator(".event")).to_have_count(2)
    expect(page.locator("#plan-text")).to_have_value(TEXT)
    page.locator("main").focus()
    page.keyboard.press("n")
    expect(page.locator(".event")).to_have_count(0)
    expect(page.locator("#plan-text")).to_be_focused()


def test_bytes_are_no_text_and_a_text_without_events_says_so(visit: Visit) -> None:
    from playwright.sync_api import expect

    needs_model(SMALL_LLM)
    page = visit.open("Plan")
    page.locator(".plan input[type=file]").set_input_files(
        {"name": "photo.txt", "mimeType": "text/plain", "buffer": b"\xff\xfe\0\0"}
    )
    expect(page.get_by_role("status").filter(has_text="photo.txt is no text")).to_be_visible()
    page.locator("#plan-text").fill("Granite is harder than limestone.")
    page.get_by_role("button", name="Find events").click()
    expect(page.get_by_role("status").filter(has_text="No event in this text")).to_be_visible()


def test_series_fall_on_the_days_that_dateutil_gives() -> None:
    """recurrence.js against dateutil, over every kind of rule that dragtor writes."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed here")
    wanted = {(rule, start): days_of(rule, start) for rule in RULES for start in STARTS}
    code = (
        f"import {{ daysOf, dateOf, dayOf }} from {json.dumps((PAGE / 'recurrence.js').as_uri())};"
        "const out = cases.map(([rrule, start]) => daysOf({ rrule, start }, 0, dayOf('2028-06-30'))"
        ".map((day) => dateOf(day).toISOString().slice(0, 10)));"
        "console.log(JSON.stringify(out));"
    )
    made = subprocess.run(
        [node, "--input-type=module", "-e", f"const cases = {json.dumps(list(wanted))};{code}"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert dict(zip(wanted, json.loads(made.stdout), strict=True)) == wanted


STARTS = ("2026-11-30", "2026-12-31", "2027-01-06")
RULES = (
    "FREQ=DAILY;COUNT=5",
    "FREQ=DAILY;INTERVAL=2;UNTIL=20270105",
    "FREQ=DAILY;BYHOUR=8,20;BYMINUTE=0;COUNT=10",
    "FREQ=WEEKLY",
    "FREQ=WEEKLY;BYDAY=TU,TH",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE,FR;COUNT=9",
    "FREQ=WEEKLY;BYMONTH=1,2;BYDAY=MO",
    "FREQ=MONTHLY",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=-1",
    "FREQ=MONTHLY;BYDAY=1MO,3MO",
    "FREQ=MONTHLY;BYDAY=-1FR",
    "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
    "FREQ=YEARLY",
    "FREQ=YEARLY;BYMONTH=3,9;BYDAY=2SA",
)


def days_of(rule: str, start: str) -> list[str]:
    from datetime import datetime

    from dateutil.rrule import rrulestr

    begin = datetime.fromisoformat(start).replace(hour=8)
    rule = re.sub(r"UNTIL=(\d{8})$", r"UNTIL=\1T235959", rule)
    days = {}
    for at in rrulestr(rule, dtstart=begin):
        if at > datetime(2028, 6, 30, 23):
            break
        days[f"{at:%Y-%m-%d}"] = True
    return list(days)


# Lab


def read(visit: Visit, encoder: str = "tags") -> Any:
    needs_model(encoder)
    page = visit.open("Lab")
    page.locator("#lab-encoder").select_option(encoder)
    page.locator("#lab-text").fill("\n".join(SENTENCES))
    page.get_by_role("button", name="Read them").click()
    page.get_by_role("heading", name="Vectors").wait_for()
    return page


def test_an_encoder_colours_names_and_thresholds_filter_without_a_run(visit: Visit) -> None:
    from playwright.sync_api import expect

    frames: list[str] = []
    visit.page.on(
        "websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(frame))
    )
    page = read(visit)
    marks = page.locator(".texts mark")
    expect(marks.filter(has_text="Alex Megos")).to_have_count(2)
    expect(page.locator(".texts .classes")).not_to_have_count(0)
    started = sum('"start"' in str(frame) for frame in frames)
    before = marks.count()
    slider = page.get_by_role("slider").first
    slider.fill("1")
    expect(marks).to_have_count(0)
    slider.fill("0")
    assert marks.count() >= before
    assert sum('"start"' in str(frame) for frame in frames) == started


def test_vectors_have_a_matrix_and_norms_and_all_as_tables(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = read(visit, "gte-small")
    expect(page.locator(".heat rect")).to_have_count(9)
    expect(page.locator(".pair")).to_contain_text("1 “Alex Megos climbed in Céüse.” · 2")
    page.locator(".matrix").get_by_role("button", name="as a table").click()
    cells = page.locator(".matrix td").all_inner_texts()
    numbers = [float(each) for each in cells if each.strip()]
    assert len(numbers) == 9
    assert numbers[0] == numbers[4] == numbers[8] == 1
    assert numbers[1] > numbers[2]
    norms = [
        float(each) for each in page.locator(".norms tbody td:nth-of-type(1)").all_inner_texts()
    ]
    assert len(norms) == 3
    assert len({round(each, 3) for each in norms}) > 1, "norms are those before unit length"


def test_pooling_is_chosen_by_name(visit: Visit) -> None:
    page = read(visit, "gte-small")
    said = set()
    for pooling in ("mean", "max", "cls"):
        page.locator("#lab-pooling").select_option(pooling)
        page.get_by_role("button", name="Read them").click()
        page.get_by_text(f"{pooling} pooling").wait_for()
        said.add(page.locator(".pair .figure").inner_text())
    assert len(said) == 3


def test_the_form_has_every_option_of_the_command(chrome: Any) -> None:
    """Names, and what is there when nothing is said, are those of `dragtor train encoder`."""
    from dragtor.cli.train import ENCODER, train_encoder

    module = resources.files("dragtor.serve") / "page" / "lab_options.js"
    text = re.sub(r"(?m)^import .*$", "", module.read_text("utf-8")).replace("export ", "")
    page = chrome.new_page()
    shown = page.evaluate(f"() => {{ const html = () => null; {text}; return DEFAULTS; }}")
    page.close()
    known = {
        name: ENCODER[name].default
        for name in inspect.signature(train_encoder).parameters
        if name not in ("task", "held", "out_folder", "as_json")
    }
    known["start"] = ""
    assert shown == known


@pytest.mark.skipif(TRAINS, reason="the extra train is installed")
def test_without_the_extra_the_command_that_installs_it_is_shown(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit.open("Lab")
    expect(page.locator(".training .command")).to_contain_text('pip install "dragtor[train]"')
    assert page.get_by_role("button", name="Train", exact=True).count() == 0


@pytest.mark.skipif(not TRAINS, reason="the extra train is not installed: make train-env")
def test_a_training_is_watched_stopped_and_its_model_used(visit: Visit) -> None:
    from playwright.sync_api import expect

    needs_model("all-minilm-l6-v2-torch")
    page = visit.open("Lab")
    page.locator(".training input[type=file]").set_input_files(
        ROOT / "assets" / "encoder" / "form.csv"
    )
    page.get_by_label("Epochs").fill("50")
    page.get_by_label("Tokens of a window").fill("32")
    page.get_by_text("All options").click()
    page.get_by_label("Steps between two looks").fill("1")
    page.get_by_role("button", name="Train", exact=True).click()
    # both grow while it runs
    expect(page.locator(".run .plot")).to_have_count(2, timeout=TRAINING_MS)
    page.locator(".training").get_by_role("button", name="Stop").click()
    expect(page.locator(".run")).to_contain_text("Stopped")
    page.get_by_label("Epochs").fill("2")
    page.get_by_label("Steps between two looks").fill("0")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator(".run")).to_contain_text("is in the list of encoders", timeout=TRAINING_MS)
    name = page.locator(".run code").inner_text()
    page.locator("#lab-encoder").select_option(name)
    page.locator("#lab-text").fill("How long does it take?\nWarm up first.")
    page.get_by_role("button", name="Read them").click()
    expect(page.locator(".texts .classes")).to_have_count(2)
