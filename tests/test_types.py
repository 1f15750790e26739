"""What the types promise: identities, and HTML that shows texts and runs nothing."""

from __future__ import annotations

import dataclasses

import pytest

from dragtor.types import Answer, Citation, Claim, Document, Hit, Hits, Passage, short_hash

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


def test_html_shows_and_escapes() -> None:
    hit = Hit(PASSAGE, 0.9, title=EVIL, url="https://example.org/?a=1&b='")
    citation = Citation(1, EVIL, "d1", 5, 9, title=EVIL, url="https://example.org/'")
    answer = Answer("q", f"{EVIL} [1]", True, (Claim(EVIL, (1,)),), (citation,), (hit,))
    for html in (Hits([hit])._repr_html_(), answer._repr_html_()):
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        assert "href='https://example.org/" in html
        assert "b=''" not in html
