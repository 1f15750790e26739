"""A document with times as a transcript: srt, vtt, Markdown or JSON, with speakers by name.

Pure; reads Segments only. Where a text has none, Markdown and JSON hold the whole of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from dragtor.errors import UsageError
from dragtor.types import Document, Segment

if TYPE_CHECKING:
    import pysubs2

FORMATS = ("md", "srt", "vtt", "json")
CUE_CHARACTERS = 90  # of one subtitle, at most, where its sentence can be cut


def render(document: Document, form: str) -> str:
    """The transcript in one of FORMATS; raises UsageError where the document cannot give it."""
    if form not in FORMATS:
        raise UsageError(f"{form!r} is no format", f"formats: {', '.join(FORMATS)}")
    if form == "json":
        return json.dumps(as_dict(document), ensure_ascii=False, indent=2) + "\n"
    if form == "md":
        return _markdown(document)
    spoken = [s for s in document.segments if s.start_s is not None]
    if not spoken:
        raise UsageError(
            f"{document.title} has no times", f"dragtor export {document.id} --format md"
        )
    return _subtitles(document, spoken).to_string(form)


def as_dict(document: Document) -> dict[str, object]:
    """Title, speakers, and each sentence with its times in seconds and its speaker's name."""
    return {
        "id": document.id,
        "title": document.title,
        "url": document.uri,
        "published": document.published,
        "speakers": [
            {
                "label": s.label,
                "name": s.name,
                "role": s.role,
                "role_confidence": round(s.role_confidence, 2),
                "name_confidence": round(s.name_confidence, 2),
            }
            for s in document.speakers
        ],
        "text": document.text,
        "segments": [
            {
                "start_s": s.start_s,
                "end_s": s.end_s,
                "page": s.page,
                "speaker": document.speaker_name(s.speaker),
                "text": document.text[s.start : s.end],
            }
            for s in document.segments
        ],
    }


def clock(seconds: float) -> str:
    """1:02:03, or 2:03 in the first hour."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def turns(document: Document) -> list[tuple[str, list[Segment]]]:
    """Spoken segments by turn: the speaker's name, or empty, and what is said without a break.

    A blank line with a heading between two segments ends a turn too.
    """
    spoken = [s for s in document.segments if s.start_s is not None]
    part = 0
    keyed = []
    for before, segment in zip([None, *spoken], spoken, strict=False):
        between = document.text[before.end if before else 0 : segment.start]
        part += "#" in between
        keyed.append(((part, document.speaker_name(segment.speaker) or ""), segment))
    return [
        (name, [segment for _, segment in group])
        for (_, name), group in groupby(keyed, key=lambda pair: pair[0])
    ]


def spoken_s(document: Document) -> dict[str, float]:
    """Seconds that each label speaks."""
    seconds: dict[str, float] = {}
    for segment in document.segments:
        if segment.speaker and segment.start_s is not None and segment.end_s is not None:
            lasts = segment.end_s - segment.start_s
            seconds[segment.speaker] = seconds.get(segment.speaker, 0.0) + lasts
    return seconds


def _markdown(document: Document) -> str:
    """Headings as they stand, and a paragraph a turn that opens with the time and the name."""
    parts = [f"# {document.title}"]
    at = 0
    for name, segments in turns(document):
        between = document.text[at : segments[0].start].strip()
        parts += [between] if between else []
        at = segments[-1].end
        start_s = segments[0].start_s
        assert start_s is not None  # turns gives spoken segments only
        who = f"**{name}** " if name else ""
        said = " ".join(document.text[s.start : s.end] for s in segments)
        parts.append(f"{who}[{clock(start_s)}] {said}")
    rest = document.text[at:].strip()
    return "\n\n".join([*parts, *([rest] if rest else [])]) + "\n"


def _subtitles(document: Document, spoken: Sequence[Segment]) -> pysubs2.SSAFile:
    """A cue of at most CUE_CHARACTERS each; its time is shared out by characters."""
    import pysubs2

    file = pysubs2.SSAFile()
    last = None
    for segment in spoken:
        text = " ".join(document.text[segment.start : segment.end].split())
        name = document.speaker_name(segment.speaker)
        start_s, end_s = segment.start_s or 0.0, segment.end_s or segment.start_s or 0.0
        done = 0
        for piece in _cues(text):
            begin = start_s + (end_s - start_s) * done / len(text)
            done += len(piece) + 1
            end = start_s + (end_s - start_s) * min(1.0, done / len(text))
            shown = f"{name}: {piece}" if name and name != last else piece
            last = name
            event = pysubs2.SSAEvent(pysubs2.make_time(s=begin), pysubs2.make_time(s=end))
            event.plaintext = shown
            file.append(event)
    return file


def _cues(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, CUE_CHARACTERS, break_long_words=False, break_on_hyphens=False)
