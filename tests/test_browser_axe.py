"""Accessibility: axe-core over every page in every state, light and dark, on a phone and a desk.

States are made by real servers where they can be (an empty library, no weights, a dead server);
waiting and refusals of a route are played by the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import SMALL_LLM, Served, Visit, needs_model, serving_copy, violations, visiting
from scribe import Scribe
from test_browser import ARC, PERU, PULLEY, ask, cited, settings
from test_browser_lab import SENTENCES, TEXT

LOOKS = [(scheme, width) for scheme in ("light", "dark") for width in (390, 1280)]
PAGES = ("Ask", "Library", "People", "Plan", "Lab")
BAD = '{"code": "missing", "message": "a model is not here", "hint": "dragtor models pull tags"}'


@pytest.fixture(scope="module")
def full(
    sample_library: Path, scribe: Scribe, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    with serving_copy(
        sample_library, tmp_path_factory.mktemp("full") / "library", **settings(scribe)
    ) as server:
        yield server


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on nothing: no library yet, no weights."""
    folder = tmp_path_factory.mktemp("bare")
    (folder / "models").mkdir()
    nothing = {"DRAGTOR_MODELS_PATH": str(folder / "models"), "DRAGTOR_MODELS_HUB_URL": ""}
    server = Served(folder / "library", **nothing).start()
    yield server
    server.end()


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def look(request: pytest.FixtureRequest) -> dict[str, Any]:
    scheme, width = request.param
    return {"color_scheme": scheme, "viewport": {"width": width, "height": 844}}


def clean(page: Any, state: str) -> None:
    """No violation, nothing wider than the screen."""
    page.wait_for_timeout(50)  # a state is drawn in the next frame
    assert violations(page) == [], state
    wide, seen = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= seen, f"{state} is {wide} pixels wide"


def shown(visit: Visit, name: str) -> Any:
    """A page by its address: on a phone the names are elsewhere."""
    visit.page.goto(f"{visit.served.url}/#/{name.lower()}")
    return visit.page


def test_pages_that_are_empty(chrome: Any, bare: Served, look: dict[str, Any]) -> None:
    with visiting(chrome, bare, **look) as visit:
        for name in PAGES:
            page = visit.open(name)
            page.wait_for_timeout(300)
            clean(page, f"{name}, empty")


def test_answers_refusals_and_the_reader(
    chrome: Any, full: Served, scribe: Scribe, look: dict[str, Any]
) -> None:
    scribe.go()
    with visiting(chrome, full, **look) as visit:
        page = ask(visit, PULLEY)
        page.locator(".prose .said").nth(2).wait_for()
        page.locator('.turn[aria-busy="false"]').wait_for()
        clean(page, "an answer")
        cited(page, "A2 pulley strain").click()
        page.locator(".reader mark.stretch").first.wait_for()
        clean(page, "an answer with its text")
        page.keyboard.press("Escape")
        page = ask(visit, ARC)
        page.locator('.turn[aria-busy="false"]').nth(1).wait_for()
        cited(page, "Shoulder pain").click()
        page.locator(".sheet-of-paper .rect").first.wait_for()
        clean(page, "an answer with its page")
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Begin anew").click()
        page.locator("#question").fill(PERU)
        page.locator("#question").press("Enter")
        page.locator(".refusal").wait_for()
        clean(page, "a refusal")
        page.get_by_role("button", name="Keys and settings").click()
        page.get_by_role("dialog").wait_for()
        clean(page, "the keys")


def test_an_answer_that_waits(
    chrome: Any, full: Served, scribe: Scribe, look: dict[str, Any]
) -> None:
    with visiting(chrome, full, **look) as visit:
        scribe.hold()
        page = ask(visit, PULLEY)
        page.locator(".prose .said").first.wait_for()
        clean(page, "an answer that is written")
        scribe.go()


def test_a_recording_and_its_speakers(
    chrome: Any, heard_library: Path, look: dict[str, Any], tmp_path: Path
) -> None:
    with (
        serving_copy(heard_library, tmp_path / "heard" / "library") as server,
        visiting(chrome, server, **look) as visit,
    ):
        page = visit.open("Library")
        page.wait_for_timeout(500)
        page.locator(".source-row").filter(has_text="sample_episode").click()
        page.locator(".document").filter(has_text="Rock Talk 7").click()
        page.locator(".transcript").wait_for()
        page.locator(".speakers .chip").first.click()
        clean(page, "a recording whose speaker is renamed")


def test_a_library_that_is_full(chrome: Any, full: Served, look: dict[str, Any]) -> None:
    with visiting(chrome, full, **look) as visit:
        page = visit.open("Library")
        page.locator(".source-row").first.click()
        page.locator(".documents .document").first.wait_for()
        clean(page, "a full library")


def test_plans_and_what_an_encoder_says(chrome: Any, full: Served, look: dict[str, Any]) -> None:
    needs_model(SMALL_LLM, "tags")
    with visiting(chrome, full, **look) as visit:
        page = visit.open("Plan")
        page.locator("#plan-text").fill(TEXT)
        page.get_by_role("button", name="Find events").click()
        page.locator(".event-title").first.click()
        clean(page, "a plan")
        page = visit.open("Lab")
        page.locator("#lab-encoder").select_option("tags")
        page.locator("#lab-text").fill("\n".join(SENTENCES))
        page.get_by_role("button", name="Read them").click()
        page.get_by_role("heading", name="Vectors").wait_for()
        page.locator(".texts").wait_for()
        clean(page, "names, classes and vectors")
        for button in page.get_by_role("button", name="as a table").all():
            button.click()
        if page.get_by_text("All options").count():
            page.get_by_text("All options").click()
        clean(page, "the same as tables, with all options")


def test_what_fails_says_how_it_is_mended(chrome: Any, bare: Served, look: dict[str, Any]) -> None:
    """Without weights: each page that needs some names the command that gets them."""
    with visiting(chrome, bare, **look) as visit:
        page = visit.open("Plan")
        page.locator("#plan-text").fill(TEXT)
        page.get_by_role("button", name="Find events").click()
        page.locator(".failure .command").wait_for()
        assert "dragtor models pull" in page.locator(".failure").inner_text()
        clean(page, "Plan without its model")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_whose_requests_fail_or_wait(
    chrome: Any, full: Served, look: dict[str, Any], name: str
) -> None:
    def refuse(route: Any) -> None:
        route.fulfill(status=503, content_type="application/json", body=BAD)

    for what, answer in (("fails", refuse), ("waits", lambda route: None)):
        with visiting(chrome, full, **look) as visit:
            handled: Callable[[Any], None] = answer
            visit.page.route("**/api/v1/**", handled)
            page = visit.page
            page.goto(full.address(name))
            page.goto(f"{full.url}/#/{name.lower()}")
            page.locator("h1").first.wait_for(state="attached")
            page.wait_for_timeout(400)
            clean(page, f"{name} {what}")
            page.unroute("**/api/v1/**")


def test_a_server_that_is_gone_and_one_that_lets_nobody_in(
    chrome: Any, sample_library: Path, look: dict[str, Any], tmp_path: Path
) -> None:
    with serving_copy(sample_library, tmp_path / "gone" / "library") as server:
        with visiting(chrome, server, **look) as visit:
            visit.page.goto(server.url)
            visit.page.locator(".door").wait_for()
            clean(visit.page, "the door")
        with visiting(chrome, server, **look) as visit:
            page = visit.open("Library")
            server.kill()
            page.get_by_role("alert").filter(has_text="gone").wait_for()
            for name in PAGES:
                shown(visit, name)
                page.wait_for_timeout(300)
                clean(page, f"{name} without its server")
