"""What the types promise: identities, and HTML that shows texts and runs nothing."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest

from dragtor.types import (
    Answer,
    CalendarEvent,
    CalendarEvents,
    Citation,
    Claim,
    Document,
    Hit,
    Hits,
    LabelledSpan,
    Passage,
    Source,
    Sources,
    Tagged,
    short_hash,
)

EVIL = "<script>alert('x')</script> & \"quoted\""
DOCUMENT = Document("d1", "file:///d", "file", EVIL, f"One. {EVIL} Two.")
PASSAGE = Passage.of(DOCUMENT, 5, 5 + len(EVIL), EVIL)


def test_a_passage_is_its_span() -> None:
    assert PASSAGE.text == EVIL == DOCUMENT.text[PASSAGE.start : PASSAGE.end]
    assert Passage.of(DOCUMENT, 5, 5 + len(EVIL)).id == PASSAGE.id  # headings are no identity
    assert Passage.of(DOCUMENT, 0, 4).id != PASSAGE.id


def test_hashes_do_not_confuse_where_parts_end() -> None:
    assert short_hash("ab", "c") != short_hash("a", "bc") != short_hash("abc")
    assert len(short_hash("a\ud800")) == 16  # a file name that is no text


def test_everything_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        DOCUMENT.title = "other"  # type: ignore[misc]


HIT = Hit(PASSAGE, 0.9, title=EVIL, url="https://example.org/?a=1&b='", speaker=EVIL)
CITATION = Citation(1, EVIL, "d1", 5, 9, title=EVIL, url="https://example.org/'", start_s=61)
EVENT = CalendarEvent(EVIL, location=EVIL, attendees=(EVIL,), notes=EVIL, start=date(2026, 11, 27))
SHOWN = {
    "hit": HIT,
    "hits": Hits([HIT]),
    "citation": CITATION,
    "answer": Answer(
        "q", EVIL, True, (Claim(EVIL, (1,)),), (CITATION,), (HIT,), EVIL, caution=EVIL
    ),
    "quotes": Answer("q", EVIL, True, (Claim(EVIL, (1,)),), (CITATION,), (HIT,)),
    "refusal": Answer("q", EVIL, False, hits=(HIT,)),
    "near miss": Answer("q", EVIL, False, hits=(HIT,), nearest=CITATION, why_not=EVIL),
    "source": Source("s1", "https://example.org/'", EVIL, EVIL),
    "sources": Sources([Source("s1", "https://example.org/", "web", EVIL)]),
    "event": EVENT,
    "events": CalendarEvents([EVENT]),
    "tagged": Tagged(EVIL, {"names": (LabelledSpan(2, 8, EVIL, 0.9),)}, {"mood": {EVIL: 1.0}}),
    "tagged classes": Tagged(EVIL, {}, {"mood": {EVIL: 1.0}}),
}


class Tags(HTMLParser):
    """Which tags open and close, in order, and their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("name", SHOWN)
def test_html_shows_and_escapes(name: str) -> None:
    html = SHOWN[name]._repr_html_()
    tags = Tags(html)
    assert tags.open == []  # all are closed
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert {key for key, _ in tags.attributes} <= {"style", "href", "target", "rel", "value"}
    styles = " ".join(value or "" for key, value in tags.attributes if key == "style")
    assert not re.search(r"color|background|#|rgb", styles)  # a dark page stays readable
    links = [value or "" for key, value in tags.attributes if key == "href"]
    assert all(link.startswith("https://example.org/") for link in links)
    assert bool(links) == ("event" not in name and "tagged" not in name)


def test_html_says_what_a_person_needs() -> None:
    shown = {name: each._repr_html_() for name, each in SHOWN.items()}
    assert "1:01" in shown["citation"]
    assert "<sup>[1]</sup>" in shown["answer"]
    assert shown["answer"].index("<strong>") < shown["answer"].index("<sup>")
    assert "<sup>" not in shown["quotes"]  # nothing is said twice
    assert "Nearest: <a" in shown["refusal"]
    assert "Fri 27 November 2026" in shown["event"]
    assert "repeats" not in shown["event"]  # nothing stands there
    assert Sources()._repr_html_() == "no source"
    assert CalendarEvents()._repr_html_() == "no event"


def test_only_addresses_that_a_browser_opens_are_links() -> None:
    for url in ("javascript:alert(1)", "stdin:12", "data:text/html,x", ""):
        assert "<a" not in replace(CITATION, url=url)._repr_html_()
    assert "<a" in replace(CITATION, url="file:///a.pdf#page=2")._repr_html_()


def test_long_passages_are_folded_whole() -> None:
    words = [f"word{n}" for n in range(200)]
    passage = replace(PASSAGE, text=" ".join(words))
    html = replace(HIT, passage=passage)._repr_html_()
    assert "<details><summary>word0 word1 " in html
    assert re.findall(r"word\d+", html) == words
    assert "<details>" not in HIT._repr_html_()


def test_what_answers_is_bold_in_its_quote() -> None:
    quote = Citation(1, "It heals in <6> weeks.", "d1", 5, 27, span=(17, 26))
    assert quote.quote[slice(*quote.answering)] == "<6> weeks"
    assert "“It heals in <strong>&lt;6&gt; weeks</strong>.”" in quote._repr_html_()
    assert "<strong>" not in replace(quote, span=None)._repr_html_()
    assert replace(quote, span=None).answering == (0, 0)


def test_an_answer_prints_without_its_hits() -> None:
    assert "hits" not in repr(SHOWN["answer"])
