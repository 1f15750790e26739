"""Journeys through the page in a real Chromium, against a real `dragtor serve`.

What is asked, where it is lit, what is refused, and what a reload, a crash and a keyboard leave.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser import Served, Visit, serving_copy, visiting
from conftest import ROOT
from scribe import Scribe

PULLEY = "When may I climb again after an A2 pulley strain?"
ARC = "Between which angles does the painful arc of the shoulder hurt?"
AGE = "Why is Tom Keller so strict about age?"
PERU = "What is the capital of Peru?"
EPISODE = "Rock Talk 7"


@pytest.fixture(scope="module")
def served(
    sample_library: Path, scribe: Scribe, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """A server on the sample library, whose language model can be held."""
    with serving_copy(
        sample_library, tmp_path_factory.mktemp("served") / "library", **settings(scribe)
    ) as server:
        yield server


def settings(scribe: Scribe) -> dict[str, str]:
    return {
        "DRAGTOR_LLM_ENGINE": "server",
        "DRAGTOR_LLM_URL": scribe.url,
        "DRAGTOR_LLM_MODEL": "auto",
        "DRAGTOR_ANSWER_READER": "none",  # it takes seconds on a busy machine, and orders only
    }


@pytest.fixture
def visit(chrome: Any, served: Served, scribe: Scribe) -> Iterator[Visit]:
    scribe.go()
    with visiting(chrome, served) as made:
        yield made
        scribe.go()


def ask(visit: Visit, question: str) -> Any:
    """Ask, and give the tab once a quote or a refusal is there."""
    page = visit.open("Ask")
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    page.locator(".quote, .refusal").first.wait_for()
    return page


def cited(page: Any, title: str) -> Any:
    """The button that opens the first quote of a document."""
    return page.locator(".quote .source").filter(has_text=title).first


def words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def sentences(page: Any) -> Any:
    return page.locator(".prose .said")


def test_a_question_is_answered_and_its_quote_lit_in_the_text(visit: Visit, scribe: Scribe) -> None:
    from playwright.sync_api import expect

    page = ask(visit, PULLEY)
    quote = page.locator(".quote blockquote").first.inner_text()
    assert "easy climbing is usually possible again" in quote
    expect(sentences(page)).to_have_count(3)
    expect(page.locator(".turn")).to_have_attribute("aria-busy", "false")
    cited(page, "A2 pulley strain").click()
    lit = page.locator(".reader mark.stretch")
    lit.first.wait_for()
    assert words(quote) in words(" ".join(lit.all_inner_texts()))
    expect(lit.first).to_be_in_viewport()
    page.get_by_role("button", name="Close the reader").click()
    expect(page.locator(".reader")).to_have_count(0)
    page.locator(".prose .cite").first.click()  # a sentence's number opens the same place
    page.locator(".reader mark.stretch").first.wait_for()
    visit.check()


def test_a_quote_is_lit_on_its_page_of_a_pdf(visit: Visit) -> None:
    page = ask(visit, ARC)
    quote = page.locator(".quote").filter(has_text="between 60 and 120 degrees").first
    quote.locator(".source").click()
    picture = page.locator(".sheet-of-paper img")
    rect = page.locator(".sheet-of-paper .rect").first
    rect.wait_for()
    assert picture.evaluate("each => each.complete && each.naturalWidth > 500")
    inside, box = picture.bounding_box(), rect.bounding_box()
    assert inside["x"] <= box["x"] + 1
    assert box["x"] + box["width"] <= inside["x"] + inside["width"] + 1
    assert 0 < box["height"] < inside["height"] / 5
    visit.check()


def test_the_words_of_a_page_can_be_selected_where_they_stand(visit: Visit) -> None:
    page = ask(visit, ARC)
    page.locator(".quote").filter(has_text="between 60 and 120 degrees").locator(".source").click()
    line = page.locator(".words div").filter(has_text="typical sign is the painful arc").first
    line.wait_for()
    inside, box = page.locator(".sheet-of-paper img").bounding_box(), line.bounding_box()
    assert box["width"] == pytest.approx(0.7302 * inside["width"], abs=2)
    assert box["x"] == pytest.approx(inside["x"] + 0.1238 * inside["width"], abs=2)
    line.click(click_count=3)
    selected = page.evaluate("getSelection().toString()")
    assert "more important than a lack of space" in selected
    assert line.evaluate("each => getComputedStyle(each).color") == "rgba(0, 0, 0, 0)"
    visit.check()


def test_a_question_follows_on_the_one_before_until_it_begins_anew(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = ask(visit, PULLEY)
    expect(page.locator(".turn")).to_have_attribute("aria-busy", "false")
    page.locator("#question").fill("and taping?")
    page.locator("#question").press("Enter")
    follow_up = page.locator(".turn").nth(1)
    expect(follow_up).to_have_attribute("aria-busy", "false")
    expect(follow_up.locator(".asked-as")).to_contain_text("Understood as:")
    page.reload()
    expect(page.locator(".turn").nth(1).locator(".asked-as")).to_be_visible()
    page.get_by_role("button", name="Begin anew").click()
    expect(page.locator(".turn")).to_have_count(0)
    page.locator("#question").fill("and taping?")
    page.locator("#question").press("Enter")
    expect(page.locator(".turn")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".asked-as")).to_have_count(0)
    visit.check()


def test_a_quote_of_a_recording_is_lit_and_its_player_at_the_second(
    chrome: Any, heard_library: Path, scribe: Scribe, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    with (
        serving_copy(heard_library, tmp_path / "heard" / "library", **settings(scribe)) as server,
        visiting(chrome, server) as visit,
    ):
        page = ask(visit, AGE)
        cited(page, EPISODE).click()
        page.locator(".reader mark.stretch").first.wait_for()
        sound = page.locator(".reader audio")
        start = float(sound.get_attribute("src").partition("#t=")[2])
        assert start > 0
        expect(sound).to_have_js_property("paused", True)
        page.wait_for_timeout(0)
        sound.evaluate("each => each.readyState || new Promise(r => each.onloadedmetadata = r)")
        assert sound.evaluate("each => each.currentTime") == pytest.approx(start, abs=0.5)
        assert sound.evaluate("each => each.duration") == pytest.approx(60, abs=10)
        rename(page)
        visit.check()
        page.reload()
        page.locator(".quote").first.wait_for()
        cited(page, EPISODE).click()
        expect(page.locator(".reader .speaker").filter(has_text="Nobody Else")).not_to_have_count(0)


def rename(page: Any) -> None:
    """Give the first speaker another name: it stands at once wherever that speaker speaks."""
    from playwright.sync_api import expect

    chip = page.locator(".speakers .chip").first
    before = chip.locator(".name").text_content()
    said = page.locator(".transcript .speaker").filter(has_text=before).count()
    assert said > 0
    chip.click()
    page.locator(".speakers .rename").fill("Nobody Else")
    page.locator(".speakers .rename").press("Enter")
    expect(page.locator(".transcript .speaker").filter(has_text="Nobody Else")).to_have_count(said)


def test_what_no_source_answers_is_refused_with_what_comes_nearest(
    visit: Visit, scribe: Scribe
) -> None:
    from playwright.sync_api import expect

    before = scribe.asked
    page = ask(visit, PERU)
    expect(page.locator(".refusal")).to_contain_text("do not answer")
    expect(page.locator(".refusal .titles li, .refusal .quote")).not_to_have_count(0)
    assert page.locator(".prose").count() == 0
    assert scribe.asked == before, "a refusal needs no language model"
    visit.check()


def test_a_reload_in_mid_answer_loses_nothing(visit: Visit, scribe: Scribe) -> None:
    from playwright.sync_api import expect

    scribe.hold()
    before = scribe.asked
    page = ask(visit, PULLEY)
    expect(sentences(page)).to_have_count(1)
    first, quotes = sentences(page).first.inner_text(), page.locator(".quote").count()
    page.reload()
    expect(sentences(page)).to_have_count(1)
    assert sentences(page).first.inner_text() == first
    assert page.locator(".quote").count() == quotes
    scribe.go()
    expect(sentences(page)).to_have_count(3)
    expect(page.locator(".turn")).to_have_attribute("aria-busy", "false")
    assert scribe.asked == before + 1, "it is the same answer, written once"
    visit.check()


def test_a_stop_is_heard_at_once(visit: Visit, scribe: Scribe) -> None:
    from playwright.sync_api import expect

    scribe.hold()
    page = ask(visit, PULLEY)
    expect(sentences(page)).to_have_count(1)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".turn")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".turn-foot")).to_contain_text("Stopped")
    expect(sentences(page)).to_have_count(1)


def test_a_killed_server_leaves_the_page_and_comes_back(
    chrome: Any, sample_library: Path, scribe: Scribe, tmp_path: Path
) -> None:
    from playwright.sync_api import expect

    with serving_copy(
        sample_library, tmp_path / "killed" / "library", **settings(scribe)
    ) as server:
        try:
            with visiting(chrome, server) as visit:
                scribe.hold()
                page = ask(visit, PULLEY)
                expect(sentences(page)).to_have_count(1)
                quote = page.locator(".quote blockquote").first.inner_text()
                page.locator("#question").fill("a question that is half wri")
                server.kill()
                expect(page.get_by_role("alert")).to_contain_text("The server is gone")
                expect(page.get_by_role("alert")).to_contain_text("dragtor serve")
                assert page.locator(".quote blockquote").first.inner_text() == quote
                expect(page.locator("#question")).to_have_value("a question that is half wri")
                scribe.go()
                server.start()
                expect(page.get_by_role("alert").filter(has_text="gone")).to_have_count(0)
                expect(page.locator("#question")).to_have_value("a question that is half wri")
                page.locator(".turn").get_by_role(
                    "button", name=re.compile("again|resume", re.I)
                ).first.click()
                expect(sentences(page)).to_have_count(3)
                expect(page.locator(".turn")).to_have_attribute("aria-busy", "false")
        finally:
            scribe.go()


def test_a_dropped_file_is_read_and_answers(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit.open("Library")
    drop(
        page,
        "body",
        "portaledge.md",
        "# Portaledge\n\nThe blue portaledge weighs 5.4 kg with its fly.\n",
    )
    expect(page.get_by_text(re.compile("portaledge", re.I)).first).to_be_visible()
    expect(page.locator(".source-row").filter(has_text="portaledge.md")).to_be_visible()
    expect(page.locator("[role=progressbar], progress")).to_have_count(0)
    page = ask(visit, "How much does the blue portaledge weigh?")
    expect(page.locator(".quote blockquote").first).to_contain_text("5.4 kg")
    visit.check()


def drop(page: Any, on: str, name: str, text: str) -> None:
    """What a browser does when a file is let go over an element."""
    page.locator(on).first.evaluate(
        """(element, [name, text]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], name, {type: "text/plain"}));
          for (const type of ["dragenter", "dragover", "drop"]) {
            const how = {dataTransfer, bubbles: true, cancelable: true};
            element.dispatchEvent(new DragEvent(type, how));
          }
        }""",
        [name, text],
    )


def test_everything_can_be_done_with_keys_alone(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit.open("Ask")
    keys = page.keyboard
    page.locator("main").focus()
    keys.press("/")
    expect(page.locator("#question")).to_be_focused()
    keys.type(PULLEY)
    keys.press("Enter")
    expect(sentences(page)).to_have_count(3)
    keys.press("Escape")  # leaves the field
    keys.press("1")
    expect(page.locator(".reader h2")).to_be_focused()
    first = page.locator(".reader-head .count").inner_text()
    keys.press("]")
    expect(page.locator(".reader-head .count")).not_to_have_text(first)
    keys.press("Escape")
    expect(page.locator(".reader")).to_have_count(0)
    for letter, name in (
        ("l", "Library"),
        ("p", "People"),
        ("n", "Plan"),
        ("b", "Lab"),
        ("a", "Ask"),
    ):
        keys.press("g")
        keys.press(letter)
        expect(page.get_by_role("link", name=name, exact=True)).to_have_attribute(
            "aria-current", "page"
        )
    keys.press("Escape")  # the field has the focus again
    keys.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    visit.check()


def test_single_letters_can_be_switched_off(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit.open("Ask")
    page.get_by_role("button", name="Keys and settings").click()
    page.get_by_role("switch", name="Single letters").click()
    page.keyboard.press("Escape")
    page.locator("main").focus()
    page.keyboard.press("g")
    page.keyboard.press("p")
    expect(page.get_by_role("link", name="Ask", exact=True)).to_have_attribute(
        "aria-current", "page"
    )


def test_every_control_is_reached_by_tab_and_shows_it(visit: Visit) -> None:
    """What can be clicked can be focused, and a focus that the keyboard set is drawn."""
    page = ask(visit, PULLEY)
    page.locator("body").evaluate("each => { each.tabIndex = -1; each.focus(); }")
    seen, bare = set(), []
    for _ in range(60):
        page.keyboard.press("Tab")
        name, drawn = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
              const drawn = s.outlineStyle !== "none" || s.boxShadow !== "none"
                || e.closest(".composer, .file-button") !== null || e === document.body;
              return [e.outerHTML.slice(0, 120), drawn]; }"""
        )
        seen.add(name)
        bare += [] if drawn else [name]
    assert bare == []
    assert any("/library" in each for each in seen)
    assert any('class="source"' in each for each in seen)


MOVING = """() => document.getAnimations().filter(each => each.playState === "running"
  && (each.effect.getTiming().duration > 1 || each.effect.getTiming().iterations > 1)).length"""


def test_nothing_moves_where_that_is_not_wanted(
    chrome: Any, served: Served, scribe: Scribe
) -> None:
    from playwright.sync_api import expect

    moved = {}
    for wish in ("no-preference", "reduce"):
        with visiting(chrome, served, reduced_motion=wish) as visit:
            scribe.hold()
            page = visit.open("Ask")
            page.locator("#question").fill(PULLEY)
            page.locator("#question").press("Enter")
            moved[wish] = 0
            expect(page.locator(".working, .skeleton").first).to_be_visible()
            for _ in range(10):
                moved[wish] = max(moved[wish], page.evaluate(MOVING))
                page.wait_for_timeout(30)
            scribe.go()
            expect(page.locator(".turn")).to_have_attribute("aria-busy", "false")
    assert moved["no-preference"] > 0, "or the test sees nothing"
    assert moved["reduce"] == 0


@pytest.mark.parametrize(
    "letters", ["<img src=x onerror=alert(1)>", "\"'><script>alert(1)</script>"]
)
def test_what_is_typed_is_text(visit: Visit, letters: str) -> None:
    page = ask(visit, f"{letters} capital of Peru?")
    assert letters in page.locator(".question").inner_text()
    assert page.locator("main img, main script").count() == 0
    visit.check()


def test_the_token_is_wiped_from_the_address_and_asked_for_again(
    chrome: Any, served: Served
) -> None:
    with visiting(chrome, served) as visit:
        page = visit.open("Ask")
        assert served.token not in page.url
        assert served.token not in page.evaluate("document.documentElement.outerHTML")
        page.reload()
        page.locator("#question").wait_for()
        assert page.context.cookies() == []
    with visiting(chrome, served) as stranger:
        stranger.page.goto(served.url)
        stranger.page.locator(".door").wait_for()
        assert stranger.page.locator("#question").count() == 0


def test_a_picture_of_the_page(visit: Visit) -> None:
    """Writes assets/page.png for the README where PAGE_PICTURE is set; else it only looks."""
    import os

    page = ask(visit, PULLEY)
    page.locator(".prose .said").nth(2).wait_for()
    cited(page, "A2 pulley strain").click()
    page.locator(".reader mark.stretch").first.wait_for()
    if os.environ.get("PAGE_PICTURE"):
        page.set_viewport_size({"width": 1440, "height": 900})
        page.wait_for_timeout(300)
        page.screenshot(path=ROOT / "assets" / "page.png", scale="css")
    visit.check()
