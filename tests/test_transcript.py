"""Transcripts as files: each format is read again by a library, or by eye."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pysubs2
import pytest
from test_spoken import words

from dragtor.display import clock
from dragtor.errors import UsageError
from dragtor.schema import document_json
from dragtor.transcript import CUE_CHARACTERS, FORMATS, render, spoken
from dragtor.types import Chapter, Document, Speaker

HANGS = "I am Yves and {\\b1}I <hang> on small edges --> all day."
TEXT, SEGMENTS = spoken(
    [
        *words("Who are you? Say it.", 0, "SPEAKER_00"),
        *words(f"{HANGS} " * 3, 3, "SPEAKER_01"),
        *words("Fine.", 3700, "SPEAKER_00"),
    ],
    [Chapter("Start", 0), Chapter("End", 3600)],
)
TALK = Document(
    "d1",
    "https://example.org/talk.mp3",
    "audio",
    "A talk",
    f"{TEXT}\n\n## Notes\n\nMore at example.org.",
    segments=SEGMENTS,
    speakers=(Speaker("SPEAKER_01", "Yves"),),
)


def test_markdown_names_each_turn_once() -> None:
    assert render(TALK, "md").split("\n\n") == [
        "# A talk",
        "## Start",
        "**SPEAKER_00** [0:00] Who are you? Say it.",
        "**Yves** [0:03] " + " ".join([HANGS] * 3),
        "## End",
        "**SPEAKER_00** [1:01:40] Fine.",
        "## Notes",
        "More at example.org.\n",
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_subtitles_are_read_again(form: str) -> None:
    cues = pysubs2.SSAFile.from_string(render(TALK, form), format_=form)
    said = " ".join(cue.plaintext for cue in cues)
    assert said.startswith("SPEAKER_00: Who are you? Say it. Yves: I am Yves")
    assert said.endswith("SPEAKER_00: Fine.")
    assert said.count("on small edges") == 3
    assert all(len(cue.plaintext) <= CUE_CHARACTERS + 20 for cue in cues)
    assert all(a.end <= b.start for a, b in pairwise(cues))
    assert (cues[0].start, cues[-1].start) == (0, 3_700_000)


def test_json_holds_times_and_names() -> None:
    got = json.loads(json.dumps(document_json(TALK)))
    assert [s["speaker"] for s in got["segments"]][:3] == ["SPEAKER_00", "SPEAKER_00", "Yves"]
    assert got["segments"][0] == {
        "start": 10, "end": 22, "start_s": 0.0, "end_s": 1.4, "page": None,
        "box": None, "speaker": "SPEAKER_00", "text": "Who are you?",
    }  # fmt: skip


def test_a_page_has_markdown_and_json_but_no_subtitles() -> None:
    page = replace(TALK, segments=(), text="## One\n\nText.", speakers=())
    assert render(page, "md") == "# A talk\n\n## One\n\nText.\n"
    assert document_json(page)["text"] == page.text
    with pytest.raises(UsageError, match="no times"):
        render(page, "srt")
    with pytest.raises(UsageError, match="no format"):
        render(page, "docx")
    assert set(FORMATS) == {"md", "srt", "vtt"}


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (61.9, "1:01"), (3723, "1:02:03")])
def test_clock(seconds: float, shown: str) -> None:
    assert clock(seconds) == shown
