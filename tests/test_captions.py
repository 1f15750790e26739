"""Captions and transcripts of every kind become words with times and speakers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from itertools import pairwise

import pytest
from conftest import shared
from hypothesis import given
from hypothesis import strategies as st

from dragtor.errors import LoadError
from dragtor.load.captions import KINDS, caption_kind, read_captions, seconds_of
from dragtor.types import Word

ROLLING = """WEBVTT
Kind: captions
Language: en

00:00:00.160 --> 00:00:02.389 align:start position:0%
 
hello<00:00:00.480><c> everyone</c><00:00:00.880><c> and</c>

00:00:02.389 --> 00:00:02.399 align:start position:0%
hello everyone and
 

00:00:02.399 --> 00:00:04.550 align:start position:0%
hello everyone and
welcome<00:00:02.720><c> back</c><00:00:03.720><c> to</c>

00:00:04.550 --> 00:00:04.560 align:start position:0%
welcome back to
 

00:00:04.560 --> 00:00:06.550 align:start position:0%
welcome back to
[Music]

00:00:06.550 --> 00:00:08.000 align:start position:0%
[Music]
welcome<00:00:07.000><c> back</c>
"""  # noqa: W293  a space in a line, as it is served


def said(words: tuple[Word, ...]) -> str:
    return " ".join(word.text for word in words)


def srt(*texts: str) -> bytes:
    cues = (
        f"{n + 1}\n00:00:{2 * n:02d},000 --> 00:00:{2 * n + 2:02d},000\n{text}\n"
        for n, text in enumerate(texts)
    )
    return "\n".join(cues).encode()


def vtt(*texts: str) -> bytes:
    cues = (
        f"00:{2 * n:02d}.000 --> 00:{2 * n + 2:02d}.000\n{text}\n" for n, text in enumerate(texts)
    )
    return ("WEBVTT\n\n" + "\n".join(cues)).encode()


def test_the_transcripts_of_the_podcast_namespace() -> None:
    folder = shared("podcast_feeds") / "podcast-namespace"
    from_srt = read_captions((folder / "example.srt").read_bytes(), "srt")
    from_html = read_captions((folder / "example.html").read_bytes(), "html")
    from_vtt = read_captions((folder / "example.vtt").read_bytes(), "vtt")
    assert said(from_srt) == said(from_html)  # the same talk, written twice
    speakers = Counter(word.speaker for word in from_srt)
    assert speakers == Counter(word.speaker for word in from_html)
    assert speakers.keys() == {"Travis", "Sarah", "Gilon"}
    assert from_srt[0] == Word("When", 0.179, pytest.approx(0.415, abs=0.001), "Travis")
    assert from_srt[-1].end_s == 754.769
    assert said(from_vtt).startswith("In today's episode, you'll learn whether")
    assert "Podcasting Q&A," in said(from_vtt)
    assert Counter(word.speaker for word in from_vtt) == {"Sarah": 48, "Gillian": 18}
    for name in ("example.json", "exampleComplex.json"):  # chapters
        with pytest.raises(LoadError, match="hold no segments"):
            read_captions((folder / name).read_bytes(), "json")


def test_captions_that_scroll_up_say_each_line_once() -> None:
    words = read_captions(ROLLING.encode(), "vtt")
    assert said(words) == "hello everyone and welcome back to welcome back"
    assert [word.start_s for word in words[:4]] == [0.16, 0.48, 0.88, 2.399]
    assert words[5] == Word("to", 3.72, 4.55)


def test_captions_that_scroll_up_as_srt() -> None:
    words = read_captions(srt("one two", "one two\nthree", "three\nfour", "four\nfive"), "srt")
    assert said(words) == "one two three four five"


def test_what_people_say_twice_stays() -> None:
    texts = ("No.", "No.", "I said no.", "Why?", "Because.", "So?", "So what?", "Well.", "Hm.")
    assert said(read_captions(srt(*texts), "srt")) == " ".join(texts)


def test_a_cue_gives_its_time_to_its_words_by_their_characters() -> None:
    words = read_captions(srt("a bbbbb cc"), "srt")  # 2 + 6 + 3 characters with their spaces
    assert [word.start_s for word in words] == pytest.approx([0, 2 * 2 / 11, 2 * 8 / 11])
    assert words[-1].end_s == 2


def test_voices_markup_entities_and_notes_of_webvtt() -> None:
    data = b"""WEBVTT - title

STYLE
::cue { color: red }

NOTE nothing

intro
00:01.000 --> 00:03.000 align:start
<v.loud Mary Ann>Hi <b>the</b>re &lt;you&gt;</v> <v Bob>Yo

NOTE a remark
of two lines

2
00:03.000 --> 00:04.000
<i>no</i>body<00:00:03.500> in<00:00:03.700>deed
"""
    words = read_captions(data, "vtt")
    assert [(word.text, word.speaker) for word in words] == [
        ("Hi", "Mary Ann"), ("there", "Mary Ann"), ("<you>", "Mary Ann"), ("Yo", "Bob"),
        ("nobody", None), ("in", None), ("deed", None),
    ]  # fmt: skip
    assert [word.start_s for word in words[4:]] == [3.0, 3.5, 3.7]


@pytest.mark.parametrize(
    ("texts", "speakers", "spoken"),
    [
        (("Ann: Hi", "you", "Bob Lee: Yo"), ["Ann", "Ann", "Bob Lee"], "Hi you Yo"),
        (("[SPEAKER_00]: Hi", "[SPEAKER_01]: Yo"), ["SPEAKER_00", "SPEAKER_01"], "Hi Yo"),
        ((">> Ann: Hi", ">> Bob: Yo"), ["Ann", "Bob"], "Hi Yo"),
        (("So this", "Note: what", "Note: why"), [None] * 6, "So this Note: what Note: why"),
        (("Warning: loud", "Hi", "Warning: soft"), [None] * 5, "Warning: loud Hi Warning: soft"),
        (("Ann: Hi", "there"), [None] * 3, "Ann: Hi there"),  # said once: no way to know
        (("[Music]", "Ann: Hi", "Bob: Yo"), ["Ann", "Bob"], "Hi Yo"),
        (("A: Hi", "B: Yo", "A: So", "on", "B: Bye"), [*"ABAAB"], "Hi Yo So on Bye"),
        (("B: Hi", "A: Yo", "C: So", "A: Well", "B: Bye"), [*"BACAB"], "Hi Yo So Well Bye"),
        (("Ann: Hi", "J: Yo", "Ann: Bye"), ["Ann", "J", "Ann"], "Hi Yo Bye"),
        (("[Music]", "- Hi", "(laughter)", "♪ la ♪ (I mean it)"), [None] * 5, "Hi la (I mean it)"),
    ],
)
def test_names_in_front_are_speakers_where_they_are_consistent(
    texts: tuple[str, ...], speakers: list[str | None], spoken: str
) -> None:
    words = read_captions(srt(*texts), "srt")
    assert said(words) == spoken
    assert [word.speaker for word in words] == speakers


@pytest.mark.parametrize(
    "texts",
    [
        ("A: apples", "B: bananas"),
        ("A: apples", "B: bananas", "C: cherries", "D: dates"),
        ("A: Rome", "B: Oslo", "C: Bern", "A: one", "B: two", "C: three"),  # two questions
        ("Q: Why?", "A: Because", "Q: When?", "A: Now"),
        ("A: Because", "Q: Why?", "A: Now", "B: Later", "B: Never"),
        ("A: apples", "A: apricots", "B: bananas"),
        ("So", "A: Hi", "B: Yo", "A: So", "B: Bye"),  # does not open so
    ],
)
def test_letters_of_lists_and_of_questions_are_no_speakers(texts: tuple[str, ...]) -> None:
    words = read_captions(srt(*texts), "srt")
    assert said(words) == " ".join(texts)
    assert {word.speaker for word in words} == {None}


def test_podcast_json_and_its_relatives() -> None:
    rows = [
        {"speaker": "Ann", "startTime": 0.5, "endTime": 1.5, "body": "Hi you"},
        {"speaker": "Bob", "startTime": "2", "body": "Yo"},
        {"startTime": None, "body": "lost"},
        {"startTime": 1e400, "body": "lost"},
        {"startTime": 5, "body": 7},
        "lost",
        {"start": 9, "end": 8, "text": "last"},
    ]
    words = read_captions(json.dumps({"version": "1.0.0", "segments": rows}).encode(), "json")
    assert [(w.text, w.start_s, w.speaker) for w in words] == [
        ("Hi", 0.5, "Ann"), ("you", 0.5 + 3 / 7, "Ann"), ("Yo", 2.0, "Bob"), ("last", 9.0, None),
    ]  # fmt: skip
    assert words[2].end_s == pytest.approx(2 + 2 / 15)  # no end is told: as long as it takes
    assert words[3].end_s == 9.0


def test_json3_of_automatic_captions_overlaps_on_screen_and_not_in_words() -> None:
    events = [
        {"tStartMs": 0, "dDurationMs": 9000, "id": 1},
        {
            "tStartMs": 1000,
            "dDurationMs": 5000,
            "segs": [{"utf8": "hello"}, {"utf8": " there", "tOffsetMs": 400}],
        },
        {"tStartMs": 3000, "aAppend": 1, "segs": [{"utf8": "\n"}]},
        {"tStartMs": 3010, "dDurationMs": 2000, "segs": [{"utf8": "[Music]"}]},
        {"tStartMs": 4000, "dDurationMs": 2000, "segs": [{"utf8": "two words"}]},
    ]
    words = read_captions(json.dumps({"events": events}).encode(), "json3")
    assert words[:2] == (Word("hello", 1.0, 1.4), Word("there", 1.4, 3.01))
    assert said(words) == "hello there two words"
    assert words[-1].end_s == 6.0


def test_content_decides_where_the_kind_is_wrong() -> None:
    assert said(read_captions(srt("a b"), "vtt")) == "a b"
    assert said(read_captions(vtt("a b"), "json")) == "a b"
    assert said(read_captions(b"<cite>A:</cite><time>0:01</time><p>a b</p>", "srt")) == "a b"
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        data = srt("Grüße an alle", "die über Größe").decode().encode(encoding)
        assert said(read_captions(data, "srt")) == "Grüße an alle die über Größe"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0\0",
        b"\xff\xfe",
        b"WEBVTT\n\n",
        b"{",
        b"[" * 100_000,
        b"{}",
        b'{"segments": 3}',
        b'{"segments": [{"startTime": "' + b"9" * 9_000 + b':00:00", "body": "late"}]}',
        b'{"events": [3, {"segs": 3}, {"segs": [3]}]}',
        b"<html><p>words without a time</p>",
        b"1\n00:00:01,000 --> 00:00:02,000\n\n2\n",
        b"\n" * 200_000,
        b"words without a time",
    ],
    ids=range(14),
)
def test_what_holds_no_timed_words_is_one_line(kind: str, data: bytes) -> None:
    with pytest.raises(LoadError) as caught:
        read_captions(data, kind)
    assert "\n" not in str(caught.value)


def test_an_unknown_kind_names_the_known() -> None:
    with pytest.raises(LoadError, match="'ttml' are not read") as caught:
        read_captions(b"", "ttml")
    assert "vtt" in caught.value.hint


@given(
    st.lists(st.text(alphabet="ab :>-<[]()♪\n0{\\}&", max_size=30), min_size=1, max_size=6),
    st.sampled_from([srt, vtt]),
)
def test_any_text_gives_words_in_order_or_one_line(texts: list[str], form: type) -> None:
    try:
        words = read_captions(form(*texts), form.__name__)
    except LoadError:
        return
    assert all(word.text == word.text.strip() != "" for word in words)
    assert all(0 <= word.start_s <= word.end_s for word in words)
    assert all(a.start_s <= b.start_s for a, b in pairwise(words))


def test_kinds_by_type_and_by_name() -> None:
    assert caption_kind("application/x-subrip; charset=utf-8", "https://a.org/x") == "srt"
    assert caption_kind("text/vtt", "https://a.org/x.srt") == "vtt"
    assert caption_kind("", "https://a.org/x.json?k=1") == "json"
    assert caption_kind("text/plain", "https://a.org/x.srt") == ""
    assert caption_kind("", "https://a.org/x") == ""
    assert [seconds_of(text) for text in ("1:02:03.5", "2:03", "90:00", "x", "3")] == [
        3723.5, 123.0, 5400.0, None, None,
    ]  # fmt: skip


def test_words_and_labels_are_clean_text_and_labels_are_short() -> None:
    rows = [
        {
            "speaker": "Bad\ud81b\x1b[31m\nName",
            "startTime": 0,
            "endTime": 2,
            "body": "h\ud800i\x07",
        },
        {"speaker": "Ann " * 100, "startTime": 2, "endTime": 4, "body": "you"},
        {"speaker": "\udfff", "startTime": 4, "endTime": 5, "body": "nobody"},
        {"speaker": "Bob", "startTime": 5, "endTime": 6, "body": "\ud800"},
    ]
    words = read_captions(json.dumps({"segments": rows}).encode(), "json")
    assert [(word.text, word.speaker) for word in words] == [
        ("hi", "Bad[31m Name"), ("you", ("Ann " * 15).strip()), ("nobody", None),
    ]  # fmt: skip
    events = {"events": [{"tStartMs": 0, "dDurationMs": 9, "segs": [{"utf8": "y\udcffou"}]}]}
    assert said(read_captions(json.dumps(events).encode(), "json3")) == "you"
    (label,) = {w.speaker for w in read_captions(vtt(f"<v {'x' * 99}>hi there"), "vtt")}
    assert label == "x" * 60


LIMITED = """
import json, resource
from dragtor.load.captions import read_captions
resource.setrlimit(resource.RLIMIT_CPU, (15, 15))
rows = [{"startTime": 5, "body": "a b"} for _ in range(70_000)]
assert len(read_captions(json.dumps({"segments": rows}).encode(), "json")) == 140_000
page = "<time>0:05</time><p>a b</p>" * 50_000
assert len(read_captions(page.encode(), "html")) == 100_000
row = {"startTime": 5, "endTime": 6, "body": "a " + ">" * 100_000}
assert len(read_captions(json.dumps({"segments": [row]}).encode(), "json")) == 2
"""


def test_long_transcripts_take_no_more_than_their_share_of_time() -> None:
    run = subprocess.run([sys.executable, "-c", LIMITED], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
