"""The page People in a real Chromium: a picture's names, research with consent, a person."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from browser import Served, Visit, needs_model, visiting
from test_browser_axe import LOOKS, clean
from test_serve_seed import library_of_gravelle, mail

NAMES = ("Ann Lee", "Yves Gravelle")
NO_MODELS = {
    "DRAGTOR_LLM_ENGINE": "llama",
    "DRAGTOR_LLM_MODEL": "/nowhere/none.gguf",
    "DRAGTOR_ANSWER_READER": "none",
    "DRAGTOR_EMBED_MODEL": "all-minilm-l6-v2",
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on a library that tells of somebody, names looked for, without a language model."""
    needs_model("tags")
    place, _ = library_of_gravelle(tmp_path_factory.mktemp("people"), tags=True)
    server = Served(place, **NO_MODELS).start()
    yield server
    server.end()


@pytest.fixture
def visit(chrome: Any, served: Served) -> Iterator[Visit]:
    with visiting(chrome, served) as made:
        yield made


def choose(page: Any, *names: str) -> None:
    """Choose a picture of a mail to these, and wait until it is read."""
    file = {"name": "mail.png", "mimeType": "image/png", "buffer": mail(*names)}
    page.locator(".file-button input").first.set_input_files(file)
    found(page)


def found(page: Any) -> None:
    page.get_by_role("status").filter(has_text="found.").wait_for()


def research(page: Any, name: str = "Yves Gravelle", *, web: bool = False) -> None:
    page.get_by_label("Who or what").fill(name)
    page.get_by_label("Company, domain or city").fill("Halden")
    page.get_by_role("checkbox", name="Look on the web").set_checked(web)
    page.locator(".research .primary").click()


def test_a_picture_s_names_are_found_with_boxes_and_outlive_a_reload(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit.open("People")
    choose(page, *NAMES)
    expect(page.locator(".entities li")).to_have_count(2)
    canvas, box = page.locator(".picture canvas"), page.locator(".box[title='Ann Lee']").first
    whole, part = canvas.bounding_box(), box.bounding_box()
    scale = whole["width"] / 900
    assert part["x"] - whole["x"] == pytest.approx(75 * scale, abs=15)  # after "To: "
    assert part["width"] == pytest.approx(105 * scale, abs=25)
    known = page.locator(".entities li").filter(has_text="Yves Gravelle")
    expect(known.get_by_role("link")).to_contain_text("in your library")
    drawn = canvas.evaluate(
        "each => each.getContext('2d').getImageData(0, 0, each.width, each.height)"
        ".data.some((value) => value < 100)"
    )
    assert drawn, "the picture itself"
    page.reload()
    expect(page.locator(".entities li")).to_have_count(2)
    box.click()
    expect(page.locator(".entities .lit")).to_contain_text("Ann Lee")
    visit.check()


def test_a_picture_that_is_kept_opens_with_its_quote_framed_and_its_words(visit: Visit) -> None:
    page = visit.open("People")
    choose(page, "Emma Larsen")
    page.get_by_role("button", name="Keep in the library").click()
    page.locator(".toast").filter(has_text="mail.png").wait_for()
    page = visit.open("Library")
    page.locator(".find-field input").fill("Who is Emma Larsen?")
    page.keyboard.press("Enter")
    page.locator(".hit").filter(has_text="Emma Larsen").first.click()
    whole, rect = page.locator(".sheet-of-paper img"), page.locator(".sheet-of-paper .rect").first
    rect.wait_for()
    inside, box = whole.bounding_box(), rect.bounding_box()
    assert inside["x"] <= box["x"] + 1
    assert box["x"] + box["width"] <= inside["x"] + inside["width"] + 1
    page.locator(".words div").filter(has_text="Emma Larsen").wait_for()
    visit.check()


def test_a_dropped_picture_is_researched_with_a_key(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit.open("People")
    page.locator(".drop-one").evaluate(
        """(element, bytes) => {
          const data = Uint8Array.from(atob(bytes), (each) => each.charCodeAt(0));
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([data], "mail.png", {type: "image/png"}));
          for (const type of ["dragenter", "dragover", "drop"]) {
            const how = {dataTransfer, bubbles: true, cancelable: true};
            element.dispatchEvent(new DragEvent(type, how));
          }
        }""",
        base64.b64encode(mail("Yves Gravelle")).decode(),
    )
    found(page)
    page.locator(".entities .link").first.click()
    page.keyboard.press("r")
    field = page.get_by_label("Who or what")
    expect(field).to_be_focused()
    expect(field).to_have_value("Yves Gravelle")
    page.keyboard.press("Enter")
    page.locator(".research .prose").nth(3).wait_for()
    expect(page.locator(".research .steps li")).not_to_have_count(0)
    expect(page.locator(".research .job")).to_contain_text("Halden")
    visit.check()


def test_a_dossier_is_kept_its_quotes_open_and_it_goes_again(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit.open("People")
    research(page)
    page.locator(".research .job[aria-busy=false]").wait_for()
    all_of_them = page.locator(".dossier")
    row = all_of_them.filter(has_text="Yves Gravelle").first
    row.wait_for()
    kept = all_of_them.count()
    row.locator("summary").first.click()
    row.locator(".quotes summary").first.click()
    row.locator(".source").first.click()
    page.locator(".reader mark.stretch").first.wait_for()
    page.get_by_role("button", name="Close the reader").click()
    row.get_by_role("button", name="Remove").click()
    expect(all_of_them).to_have_count(kept - 1)
    visit.check()


def test_what_would_go_out_is_shown_and_refused(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit.open("People")
    research(page, web=True)
    consent = page.locator(".consent")
    expect(consent).to_contain_text("May this go out to")
    expect(consent.locator("code").first).to_contain_text("Yves Gravelle")
    page.reload()  # it still waits
    consent.get_by_role("button", name="Only my library").click()
    expect(consent).to_have_count(0)
    page.locator(".research .job[aria-busy=false] .prose").nth(3).wait_for()
    visit.check()


def test_a_research_is_stopped_with_a_key_and_kept(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit.open("People")
    research(page, web=True)
    page.locator(".consent").wait_for()
    page.locator("h1").click()
    page.keyboard.press("x")
    expect(page.locator(".research .job")).to_contain_text("what was found is kept")
    expect(page.locator(".dossier").first).to_be_visible()
    visit.check()


def test_a_person_has_a_page_with_places_that_open(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit.open("People")
    page.get_by_label("Find somebody").fill("gravelle")
    page.locator("a.source-row").filter(has_text="Yves Gravelle").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Yves Gravelle")
    page.locator(".people .source-row").first.click()
    page.locator(".reader mark.stretch").first.wait_for()
    page.get_by_role("button", name="Close the reader").click()
    page.get_by_role("button", name="Research").first.click()
    expect(page.get_by_label("Who or what")).to_have_value("Yves Gravelle")
    page.goto(f"{visit.served.url}/#/people/Nobody%20Else")
    expect(page.locator(".people")).to_contain_text("Nobody of this name")
    visit.check()


def test_a_phone_offers_its_camera(chrome: Any, served: Served) -> None:
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with visiting(chrome, served, **phone) as visit:
        page = visit.open("People")
        camera = page.locator(".camera input")
        assert camera.get_attribute("capture") == "environment"
        assert page.locator(".camera").is_visible()
    with visiting(chrome, served) as visit:
        assert not visit.open("People").locator(".camera").is_visible()


def test_what_a_picture_says_is_text(visit: Visit) -> None:
    page = visit.open("People")
    research(page, "<img src=x onerror=alert(1)>")
    page.locator(".research .job[aria-busy=false]").wait_for()
    assert page.locator("main img, main script").count() == 0
    assert "<img src=x" in page.locator(".research .job-label").inner_text()
    visit.check()


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look[0]}-{look[1]}")
def test_its_states_are_accessible(chrome: Any, served: Served, look: tuple[str, int]) -> None:
    options = {"color_scheme": look[0], "viewport": {"width": look[1], "height": 844}}
    with visiting(chrome, served, **options) as visit:
        page = visit.open("People")
        choose(page, *NAMES)
        page.locator(".entities .link").first.click()
        clean(page, "a picture with its names")
        research(page, web=True)
        page.locator(".consent").wait_for()
        clean(page, "a question whether something may go out")
        page.get_by_role("button", name="Only my library").click()
        page.locator(".research .job[aria-busy=false] .prose").nth(3).wait_for()
        kept = page.locator(".dossier").filter(has_text="Yves Gravelle").first
        kept.locator("summary").first.click()
        kept.locator(".quotes summary").first.click()
        clean(page, "a research, and a dossier")
        page.goto(f"{served.url}/#/people/Yves%20Gravelle")
        page.locator(".people .source-row").first.wait_for()
        clean(page, "a person")
