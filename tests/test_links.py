"""Links that open at the quote, for each kind of document."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import unquote

import pytest
from conftest import shared

from dragtor.links import place, text_fragment
from dragtor.types import Document, Segment

TEXT = "First, rest the finger. Then load it gently, at 20 percent-ish, for two whole weeks."


def document(uri: str, *segments: Segment) -> Document:
    return Document("d", uri, "web", "t", TEXT, segments=segments)


def test_a_page_opens_at_the_words() -> None:
    url = place(document("https://example.org/a#old"), 0, 23).url
    assert url == "https://example.org/a#:~:text=First%2C%20rest%20the%20finger."


def test_a_long_quote_is_named_by_its_ends() -> None:
    fragment = text_fragment(TEXT)
    start, end = fragment.split(",")
    assert unquote(start) == "First, rest the finger. Then"
    assert unquote(end) == "percent-ish, for two whole weeks."
    assert "-" not in fragment


def test_marks_of_lists_are_no_words_of_the_page() -> None:
    assert text_fragment("- warm up\n- climb").split(",") == ["warm%20up", "climb"]


def test_pdf_audio_and_video() -> None:
    first, second = Segment(0, 23, page=3), Segment(23, 84, page=4)
    found = place(document("file:///a.pdf", first, second), 30, 40)
    assert (found.url, found.page) == ("file:///a.pdf#page=4", 4)
    spoken = Segment(0, 84, start_s=61.9, end_s=70.0, speaker="Yves")
    found = place(document("https://example.org/a.mp3", spoken), 0, 23)
    assert (found.url, found.speaker, found.end_s) == ("https://example.org/a.mp3#t=61", "Yves", 70)
    for uri, link in (
        ("https://www.youtube.com/watch?v=x", "https://www.youtube.com/watch?v=x&t=61"),
        ("https://youtu.be/x", "https://youtu.be/x?t=61"),
    ):
        assert place(document(uri, spoken), 0, 5).url == link


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_what_is_written_about_a_recording_opens_on_its_page(kind: str) -> None:
    said = Segment(0, 23, start_s=1.0, end_s=2.0)
    talk = replace(document("https://example.org/a.mp3?x=1", said), kind=kind)
    assert place(talk, 24, 84).url == "https://example.org/a.mp3?x=1"
    talk = replace(talk, meta={"page": "https://example.org/1#top"})
    fragment = text_fragment(TEXT[24:84])
    assert place(talk, 24, 84).url == f"https://example.org/1#:~:text={fragment}"
    assert place(talk, 0, 23).url == "https://example.org/a.mp3?x=1#t=1"


def test_stdin_has_no_link() -> None:
    assert place(document("stdin:abc"), 0, 5).url == "stdin:abc"


@pytest.mark.parametrize("chunk", range(5))
def test_naughty_strings_make_valid_fragments(chunk: int) -> None:
    strings = json.loads((shared("bad_inputs") / "text" / "blns.json").read_text("utf-8"))
    assert len(strings) == 515
    for text in strings[chunk::5]:
        fragment = text_fragment(text)
        assert fragment.isascii()
        assert not set(fragment) & set(" #<>\"'\\\n")


def test_a_short_quote_over_a_line_break_names_both_lines() -> None:
    fragment = text_fragment("Rest for two\nweeks or more")
    assert fragment == "Rest%20for%20two,weeks%20or%20more"
