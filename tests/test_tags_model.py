"""The shipped head set `tags`, as it is pulled: names, sentiment, any input, a library's tags."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import Cli
from hypothesis import given, settings
from hypothesis import strategies as st

from dragtor.encoder import Encoder
from dragtor.errors import UsageError
from dragtor.library import Library
from dragtor.store import Filters

NEWS = "Alex Megos climbed Bibliographie in Céüse, and Tom Brady plays for the Patriots in Boston."
PAGES = {
    "talk.md": "# A talk\n\nYves Gravelle lifts more than all. Yves says that max hangs help.\n",
    "plan.md": "# A plan\n\nHang for ten seconds and rest for three minutes.\n",
}


@pytest.fixture(scope="module")
def tags() -> Encoder:
    return Encoder.load("tags")


def test_names_are_found_with_their_kind(tags: Encoder) -> None:
    (spans,) = tags.tag([NEWS])
    found = {(NEWS[s.start : s.end], s.label) for s in spans}
    assert {("Alex Megos", "person"), ("Céüse", "place"), ("Boston", "place")} <= found
    assert all(0 < span.probability < 1 for span in spans)


def test_sentiment(tags: Encoder) -> None:
    good, bad = tags.predict(["A wonderful film, warm and funny.", "A dull, lifeless mess."])
    assert good.classes["sentiment"]["positive"] > 0.8
    assert bad.classes["sentiment"]["negative"] > 0.8


def test_a_text_gets_the_same_bits_alone_and_in_company(tags: Encoder) -> None:
    (alone,) = tags.predict([NEWS])
    assert tags.predict(["short", NEWS, "Ana " * 300])[1] == alone


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", "🧗" * 500, "\ud800 lone", "\x00\x07", "(((", "a" * 5000, "é́́"]
)
def test_no_text_is_too_odd(tags: Encoder, text: str) -> None:
    (found,) = tags.predict([text])
    assert sum(found.classes["sentiment"].values()) == pytest.approx(1, abs=1e-5)
    assert tags.encode([text]).shape == (1, 384)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=200))
def test_spans_are_of_the_text(text: str) -> None:
    (spans,) = Encoder.load("tags").tag([text])
    assert all(0 <= a.start < a.end <= len(text) for a in spans)
    assert all(a.end <= b.start for a, b in pairwise(spans))


def test_nothing_of_a_long_text_is_dropped(tags: Encoder) -> None:
    text = "Nothing happens here at all. " * 2000 + "Then Angela Merkel flew to Berlin."
    (spans,) = tags.tag([text])
    assert {text[s.start : s.end] for s in spans} >= {"Angela Merkel", "Berlin"}


def test_a_library_says_who_it_talks_about_and_is_searched_by_it(tmp_path: Path) -> None:
    for name, text in PAGES.items():
        (tmp_path / name).write_text(text, "utf-8")
    with Library(tmp_path / "library") as library:
        library.add(*(tmp_path / name for name in PAGES))
        assert library.index(tags=True).tagged == 2
        people = {entity.name: entity.mentions for entity in library.tags("person")}
        assert people == {"Yves Gravelle": 2}
        found = library.search("hangs", filters=Filters(entity="Yves Gravelle"))
        assert {hit.title for hit in found} == {"A talk"}
        assert library.index(tags=True).tagged == 0


def test_the_command_line(cli: Cli, tmp_path: Path) -> None:
    shown = cli("tag", NEWS)
    assert "[Alex Megos person" in shown.out
    told = json.loads(cli("tag", NEWS, "--json").out)
    assert told["texts"][0]["spans"][0]["text"] == "Alex Megos"
    page = tmp_path / "page.html"
    cli("tag", NEWS, "--html", str(page))
    assert "Alex Megos" in page.read_text("utf-8")


def test_sentences_are_read_by_themselves(tags: Encoder) -> None:
    from dragtor.entities import predict_sentences

    text = f"{NEWS} Nothing else happened. Angela Merkel flew to Berlin."
    (found,) = predict_sentences(tags, [text])
    names = {text[s.start : s.end] for s in found.spans["entities"]}
    assert {"Alex Megos", "Tom Brady", "Boston", "Angela Merkel", "Berlin"} <= names
    assert set(found.classes) == {"sentiment"}
    (only,) = predict_sentences(tags, [text], ["sentiment"])
    assert not only.spans
    with pytest.raises(UsageError, match="none"):
        predict_sentences(tags, [text], ["none"])
