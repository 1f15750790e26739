"""Captions and transcripts as timed words: srt, WebVTT, podcast JSON, YouTube's json3, html.

Pure: bytes in, Words out. Knows no network, and not which recording the words belong to.
"""

from __future__ import annotations

import json
import math
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from html import unescape
from itertools import pairwise
from typing import Any

from dragtor.errors import LoadError
from dragtor.load.html import decode_html
from dragtor.load.text import clean_text
from dragtor.types import Word

KINDS = ("json", "vtt", "srt", "json3", "html")
MIME_KINDS = {
    "application/json": "json",
    "application/srt": "srt",
    "application/x-subrip": "srt",
    "text/srt": "srt",
    "text/vtt": "vtt",
    "text/html": "html",
}
CHARACTERS_A_SECOND = 15  # of speech, where no end is told
ROLLING = 0.3  # share of cues that repeat the line before: captions that scroll up
TOUCH_S = 0.2  # between two cues that follow each other on the screen
LABEL_CHARS = 60  # of a speaker's label; what follows is cut off

TIMED_TAG = re.compile(r"<((?:\d+:)?\d\d:\d\d\.\d\d\d)>")  # YouTube's time of the next word
TAG = re.compile(r"</?[A-Za-z][^<>]*>")
STYLE_TAG = re.compile(r"\{\\[^{}]*\}")
SOUND_NOTE = re.compile(r"\[[^\[\]]{0,60}\]|[♪♫]+")  # [Music]
ALL_SOUND = re.compile(r"\([^()]*\)|\*[^*]*\*")  # (laughter), if nothing else is said
SPEAKER_PREFIX = re.compile(
    r"(?:>>+\s*)?\[?((?:SPEAKER|Speaker)[ _]?\d+"
    r"|[^\W\d_][\w.'’-]{0,30}(?:[ ][^\W\d_][\w.'’-]{0,30}){0,3})\]?:\s+(?=\S)"
)
NO_NAMES = frozenset("answer caution example hint nb note ps question tip warning".split())
CLOCK = re.compile(r"(?:(\d{1,6}):)?(\d{1,3}):(\d\d(?:[.,]\d+)?)")


@dataclass(frozen=True, slots=True)
class _Run:
    """Text said between two times; `cue` counts from 0, runs of one cue follow each other."""

    text: str
    start_s: float
    end_s: float
    speaker: str | None = None
    cue: int = 0


def read_captions(data: bytes, kind: str) -> tuple[Word, ...]:
    """The words of a transcript in time order; a cue's time is spread over its words by length.

    `kind` is one of KINDS; content that is plainly of another kind is read as what it is.
    Words and speakers' labels are clean text: no control characters, no lone surrogates.
    Raises LoadError, with one line, on what holds no timed words.
    """
    if kind not in KINDS:
        raise LoadError(f"captions of the kind {kind!r} are not read", f"kinds: {', '.join(KINDS)}")
    text = decode_html(data).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    kind = _sniffed(text) or kind
    if kind in ("srt", "vtt"):
        runs = _subtitles(text, kind)
    elif kind == "html":
        runs = list(_html(text))
    else:
        runs = list(_json(text))
    runs = [replace(run, text=clean_text(run.text)) for run in runs]
    runs = _named(sorted((run for run in runs if run.text), key=lambda run: run.start_s))
    words = tuple(word for run in runs for word in _spread(run))
    if not words:
        raise LoadError(f"no timed words in the {kind} captions")
    return words


def caption_kind(mime: str, url: str) -> str:
    """The kind that a type, or else the end of an address, tells; empty: none that is read."""
    mime = mime.partition(";")[0].strip().lower()
    if mime in MIME_KINDS:
        return MIME_KINDS[mime]
    end = url.partition("#")[0].partition("?")[0].rpartition(".")[2].lower()
    return end if end in KINDS and mime != "text/plain" else ""


def seconds_of(text: str) -> float | None:
    """Seconds of `1:02:03.5` or `2:03`; None if it is no time."""
    match = CLOCK.fullmatch(text.strip())
    if not match:
        return None
    hours, minutes, seconds = match.groups()
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds.replace(",", "."))


def _sniffed(text: str) -> str:
    head = text[:200].lstrip("\ufeff \n\t")
    if head.startswith("WEBVTT"):
        return "vtt"
    if head.startswith(("{", "[{")):
        return "json"
    if head.startswith("<") and "-->" not in head:
        return "html"
    return "srt" if re.match(r"\d+\s*\n\s*\d+:\d+:\d+[.,]\d+ *-->", head) else ""


# Subtitles


def _subtitles(text: str, kind: str) -> list[_Run]:
    from pysubs2 import SSAFile
    from pysubs2.exceptions import Pysubs2Error

    # Two times in one line of text would pass for a line of times.
    text = TIMED_TAG.sub(lambda match: f"<at_{round((seconds_of(match[1]) or 0) * 1000)}>", text)
    text = re.sub(r"\n{3,}", "\n\n", text)
    try:
        cues = SSAFile.from_string(text, format_=kind, keep_html_tags=True)
    except (Pysubs2Error, ValueError, OverflowError) as error:
        raise LoadError(f"damaged {kind} captions") from error
    lines: list[tuple[float, float, list[str]]] = []
    for cue in cues:
        content = cue.text.replace("\\N", "\n")
        if kind == "vtt":  # a blank line ends a cue; notes and names may follow
            content = content.partition("\n\n")[0]
        kept = [line.strip() for line in STYLE_TAG.sub("", content).split("\n") if line.strip()]
        lines.append((cue.start / 1000, max(cue.start, cue.end) / 1000, kept))
    lines.sort(key=lambda cue: cue[0])
    return [
        run
        for number, (start_s, end_s, kept) in enumerate(_unrolled(lines))
        for run in _tagged("\n".join(kept), start_s, end_s, number)
    ]


def _unrolled(
    cues: list[tuple[float, float, list[str]]],
) -> list[tuple[float, float, list[str]]]:
    """Captions that scroll up show each line twice or more: only its first time is kept."""
    plain = [[_bare(line) for line in lines] for _, _, lines in cues]
    fresh, repeats, shown, shown_until = [], 0, list[str](), -math.inf
    for (start_s, end_s, lines), bare in zip(cues, plain, strict=True):
        again = _overlap(shown, bare) if start_s <= shown_until + TOUCH_S else 0
        repeats += bool(again)
        fresh.append((start_s, end_s, lines[again:]))
        if bare:
            shown, shown_until = bare, max(shown_until, end_s)
    said = sum(1 for lines in plain if lines)
    return fresh if said > 2 and repeats >= ROLLING * said else cues


def _overlap(before: Sequence[str], now: Sequence[str]) -> int:
    """How many lines `now` begins with that `before` ends with."""
    for count in range(min(len(before), len(now)), 0, -1):
        if list(before[-count:]) == list(now[:count]):
            return count
    return 0


def _bare(line: str) -> str:
    return " ".join(unescape(TAG.sub("", line)).split())


def _tagged(text: str, start_s: float, end_s: float, cue: int) -> Iterator[_Run]:
    """Runs of a cue, parted where a tag names a voice or the time of the next word."""
    speaker: str | None = None
    parts: list[tuple[str, float, str | None]] = []
    said, since = "", start_s
    for piece in re.split(f"({TAG.pattern})", text):
        if not TAG.fullmatch(piece):
            said += piece
        elif re.fullmatch(r"<at_\d+>", piece):
            parts.append((said, since, speaker))
            said, since = "", min(max(int(piece[4:-1]) / 1000, since), end_s)
        elif re.match(r"</?v\b", piece):
            parts.append((said, since, speaker))
            name = piece[1:-1].partition(" ")[2] if piece[1] != "/" else ""
            said, speaker = "", " ".join(unescape(name).split()) or None
    parts.append((said, since, speaker))
    parts = [part for part in parts if part[0].strip()]
    for number, (said, since, who) in enumerate(parts):
        until = parts[number + 1][1] if number + 1 < len(parts) else end_s
        yield _Run(" ".join(unescape(said).split()), since, until, who, cue)


# Transcripts


def _json(text: str) -> Iterator[_Run]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LoadError("damaged json captions") from error
    if isinstance(found, Mapping) and isinstance(found.get("events"), list):
        yield from _json3(found["events"])
        return
    rows = found.get("segments") if isinstance(found, Mapping) else found
    if not isinstance(rows, list):
        raise LoadError("the json captions hold no segments")
    rows = [row for row in rows if isinstance(row, Mapping)]
    starts = [_seconds(row.get("startTime", row.get("start"))) for row in rows]
    ordered = sorted(start for start in starts if start is not None)
    for number, (row, start_s) in enumerate(zip(rows, starts, strict=True)):
        said, who = row.get("body", row.get("text")), row.get("speaker")
        if start_s is None or not isinstance(said, str):
            continue
        end_s = _seconds(row.get("endTime", row.get("end")))
        if end_s is None:
            end_s = _next_start(ordered, start_s, said)
        speaker = who if isinstance(who, str) else None
        yield _Run(" ".join(said.split()), start_s, max(start_s, end_s), speaker, number)


def _json3(events: Sequence[Any]) -> Iterator[_Run]:
    """YouTube's: a line stays on the screen while the next is said, so that one ends it."""
    said = [event for event in events if isinstance(event, Mapping) and _pieces(event)]
    starts = [_seconds(event.get("tStartMs"), 1000) for event in said]
    for number, (event, start_s) in enumerate(zip(said, starts, strict=True)):
        if start_s is None:
            continue
        end_s = start_s + (_seconds(event.get("dDurationMs"), 1000) or 0)
        if later := [start for start in starts[number + 1 : number + 2] if start is not None]:
            end_s = min(end_s, max(start_s, later[0]))
        pieces = _pieces(event)
        times = [start_s + (_seconds(piece.get("tOffsetMs"), 1000) or 0) for piece in pieces]
        for piece, (since, until) in zip(pieces, pairwise([*times, end_s]), strict=True):
            yield _Run(" ".join(piece["utf8"].split()), since, max(since, until), None, number)


def _pieces(event: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = event.get("segs")
    pieces = [p for p in found if isinstance(p, Mapping)] if isinstance(found, list) else []
    return [p for p in pieces if isinstance(p.get("utf8"), str) and p["utf8"].strip()]


def _seconds(value: object, scale: float = 1) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value) / scale
    except OverflowError:
        return None
    except ValueError:
        return seconds_of(str(value))
    return found if math.isfinite(found) and found >= 0 else None


def _html(text: str) -> Iterator[_Run]:
    """The namespace's form: `<cite>Name:</cite> <time>0:53</time> <p>what is said</p>`."""
    from lxml.etree import LxmlError
    from lxml.html import document_fromstring

    try:
        tree = document_fromstring(text.encode("utf-8", "replace"))
    except (LxmlError, ValueError, AssertionError) as error:
        raise LoadError("damaged html captions") from error
    speaker, start_s = None, None
    found: list[_Run] = []
    for element in tree.iter("cite", "time", "p"):
        said = " ".join(" ".join(map(str, element.itertext())).split())
        if element.tag == "cite":
            speaker = said.rstrip(": ") or None
        elif element.tag == "time":
            start_s = seconds_of(said)
        elif start_s is not None and said:
            found.append(_Run(said, start_s, start_s, speaker, len(found)))
    ordered = sorted(run.start_s for run in found)
    for run in found:
        yield replace(run, end_s=_next_start(ordered, run.start_s, run.text))


def _next_start(ordered: Sequence[float], start_s: float, said: str) -> float:
    """When the next one of the `ordered` begins, but no later than so many words take."""
    place = bisect_right(ordered, start_s)
    following = ordered[place] if place < len(ordered) else math.inf
    return min(following, start_s + len(said) / CHARACTERS_A_SECOND)


# Speakers and words


def _named(runs: list[_Run]) -> list[_Run]:
    """Take names out of texts like `Sarah: Hi`, where the transcript is written so.

    It is if it opens so and names somebody more than once; who was named speaks on until the
    next name. Notes on sounds and marks of a change of speaker leave the text.
    """
    opening = [number == 0 or run.cue != runs[number - 1].cue for number, run in enumerate(runs)]
    names = [_name(run.text) if first else "" for run, first in zip(runs, opening, strict=True)]
    no_names = _no_speakers([name for name in names if name])
    names = ["" if name in no_names else name for name in names]
    counts = Counter(filter(None, names))
    written = any(run.speaker for run in runs)
    first = next((n for n, run in zip(names, runs, strict=True) if n or _speech(run.text)), "")
    consistent = not written and bool(first) and counts.total() > 1
    speaker: str | None = None
    named = []
    for run, name in zip(runs, names, strict=True):
        text = run.text
        if consistent and name:
            speaker, text = name, SPEAKER_PREFIX.sub("", text, count=1)
        text = _speech(text)
        named.append(replace(run, text=text, speaker=speaker if consistent else run.speaker))
    return named


def _name(text: str) -> str:
    match = SPEAKER_PREFIX.match(text)
    if not match:
        return ""
    name = match[1]
    return "" if name.lower() in NO_NAMES or not name[0].isupper() else name


def _no_speakers(names: Sequence[str]) -> set[str]:
    """Which of the names, in the order they stand, are letters of no speaker: A: apples, Q: why?

    Speakers `A` and `B` take turns: two come twice at least, and none is Q. The letters of a list
    come in the order of the alphabet, and begin again with its first.
    """
    letters = [name for name in names if len(name) == 1]
    counts = Counter(letters)
    kinds = sorted(counts)
    listed = len(kinds) > 2 and all(
        kinds.index(b) in (0, kinds.index(a) + 1) for a, b in pairwise(letters)
    )
    if "Q" not in counts and not listed and sum(n > 1 for n in counts.values()) > 1:
        return set()
    return {"A", "Q"} if len(letters) < len(names) and not listed else set(kinds)


def _speech(text: str) -> str:
    text = SOUND_NOTE.sub(" ", text).strip()
    if ALL_SOUND.fullmatch(text):
        return ""
    return re.sub(r"^(?:[-–—]|>>+)\s*|\s*(?<!>)>>+(?=\s)", "", text).strip()


def _spread(run: _Run) -> Iterator[Word]:
    """The run's words, each with its share of the time by its characters."""
    words, speaker = run.text.split(), _label(run.speaker)
    total = sum(len(word) + 1 for word in words)
    start_s, done = run.start_s, 0
    for word in words:
        done += len(word) + 1
        end_s = run.start_s + (run.end_s - run.start_s) * done / total
        yield Word(word, start_s, end_s, speaker)
        start_s = end_s


def _label(name: str | None) -> str | None:
    """A speaker's label on one line, printable and not long; None where that leaves nothing."""
    line = " ".join((name or "").split())
    return "".join(filter(str.isprintable, line))[:LABEL_CHARS].strip() or None
