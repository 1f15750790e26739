"""Speech as text: spans, times and speakers fit together, whatever the words are."""

from __future__ import annotations

import itertools
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragtor.transcript import PARAGRAPH_CHARACTERS, SENTENCE_WORDS, called, spoken, words_of
from dragtor.types import Chapter, Document, Word


def words(text: str, start_s: float = 0.0, speaker: str | None = None) -> list[Word]:
    """A word each half second."""
    return [
        Word(word, start_s + i / 2, start_s + i / 2 + 0.4, speaker)
        for i, word in enumerate(text.split())
    ]


def test_turns_are_paragraphs_and_sentences_segments() -> None:
    said = [*words("Who are you? Say.", 0, "A"), *words("I am Yves.", 2, "B")]
    text, segments = spoken(said)
    assert text == "Who are you? Say.\n\nI am Yves."
    assert [text[s.start : s.end] for s in segments] == ["Who are you?", "Say.", "I am Yves."]
    assert [(s.speaker, s.start_s, s.end_s) for s in segments] == [
        ("A", 0.0, 1.4),
        ("A", 1.5, 1.9),
        ("B", 2.0, 3.4),
    ]


def test_no_name_and_no_time_is_in_the_text() -> None:
    text, _ = spoken(words("Hang on small edges.", 61, "Yves Gravelle"))
    assert text == "Hang on small edges."


def test_chapters_are_headings_before_the_sentence_that_is_mostly_in_them() -> None:
    said = words("Welcome back. Now max hangs. They work.")
    text, segments = spoken(said, [Chapter("Max\nhangs", 1.2), Chapter("Intro", 0.0)])
    assert text == "## Intro\n\nWelcome back.\n\n## Max hangs\n\nNow max hangs. They work."
    assert next(text[s.start : s.end] for s in segments) == "Welcome back."


def test_a_pause_and_a_length_end_a_sentence() -> None:
    _, segments = spoken([*words("yes well"), *words("so then", 10)])
    assert [(s.start_s, s.end_s) for s in segments] == [(0.0, 0.9), (10.0, 10.9)]
    _, segments = spoken(words("word " * (2 * SENTENCE_WORDS + 1)))
    assert len(segments) == 3


def test_a_long_turn_is_cut_at_a_sentence() -> None:
    text, _ = spoken(words("This is a sentence of seven words. " * 60, 0, "A"))
    paragraphs = text.split("\n\n")
    assert len(paragraphs) > 2
    assert all(len(p) < PARAGRAPH_CHARACTERS + 50 and p.endswith(".") for p in paragraphs)


@given(
    st.lists(
        st.tuples(
            st.text(max_size=8),
            st.floats(0, 100),
            st.floats(0, 5),
            st.sampled_from([None, "A", "B"]),
        ),
        max_size=60,
    ),
    st.lists(st.tuples(st.text(max_size=8), st.floats(0, 100)), max_size=4),
)
def test_any_words_give_whole_spans(
    rows: list[tuple[str, float, float, str | None]], marks: list[tuple[str, float]]
) -> None:
    said = [Word(t, s, s + d, who) for t, s, d, who in rows]
    text, segments = spoken(said, [Chapter(t, s) for t, s in marks])
    kept = [w for row in said for w in row.text.split()]
    assert [w for s in segments for w in text[s.start : s.end].split()] == kept
    for before, after in itertools.pairwise(segments):
        assert before.end <= after.start


LIMITED = """
import resource
from dragtor.transcript import spoken
from dragtor.types import Chapter, Document, Word
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
text, _ = spoken([Word("end", 9, 10)], [Chapter("c", 0)] * 700_000)
assert text.count("## c") == 700_000
"""


def test_many_chapters_take_no_more_than_their_share_of_time() -> None:
    run = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("yves", {"Yves Gravelle"}),
        ("Rob", {"Rob"}),
        ("roy", {"Rob Roy"}),
        ("Robert", set()),
        ("ZOE", {"Zoë", "Zoe\u0308"}),
        ("Gravelle, Yves", {"Yves Gravelle"}),
        ("yves rob", set()),
        ("speaker_00", {"SPEAKER_00"}),
        ("SPEAKER", set()),
        ("", set()),
        ("?", set()),
    ],
)
def test_who_is_meant_by_a_name(asked: str, meant: set[str]) -> None:
    names = [
        "Yves Gravelle",
        "Rob",
        "Rob Roy",
        "Roberta",
        "Zoë",
        "Zoe\u0308",
        "SPEAKER_00",
        "?",
        "",
    ]
    assert called(asked, names) == meant


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["a", "b.", "c?", "#", "##", "\u00e9!"]),
            st.sampled_from([0.1, 0.5, 2.0]),
            st.sampled_from(["A", "B", None]),
        ),
        max_size=60,
    ),
    st.lists(st.floats(0, 60), max_size=3),
)
def test_a_text_gives_its_sentences_back(
    said: list[tuple[str, float, str | None]], starts: list[float]
) -> None:
    ends = list(itertools.accumulate(step for _, step, _ in said))
    heard = [
        Word(text, end - 0.1, end, who) for (text, _, who), end in zip(said, ends, strict=True)
    ]
    text, segments = spoken(heard, [Chapter(f"Part {s}", s) for s in starts])
    document = Document("d", "u", "audio", "t", f"{text}\n\n## Notes\n\nx", segments=segments)
    assert spoken(*words_of(document)) == (text, segments)
