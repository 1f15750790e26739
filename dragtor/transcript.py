"""Speech as text: words with times and speakers <-> a document's text and Segments; srt, vtt, md.

Pure. A paragraph is a turn, or a part of a long one; a Segment is a sentence of it. Speakers and
times stand in the Segments only, never in the text. Who is meant by a name is told here too.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from dragtor.display import clock
from dragtor.errors import UsageError
from dragtor.types import Chapter, Document, Passage, Segment, Word

if TYPE_CHECKING:
    import pysubs2

FORMATS = ("md", "srt", "vtt")
CUE_CHARACTERS = 90  # of one subtitle, at most, where its sentence can be cut
SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*$")
PAUSE_S = 1.5  # silence that ends a sentence
SENTENCE_WORDS = 40  # and so many words do, where no punctuation comes
PARAGRAPH_CHARACTERS = 700  # a long turn is cut at the next sentence end after these
WORD = re.compile(r"\w+")


# Words -> text
def spoken(
    words: Sequence[Word], chapters: Sequence[Chapter] = ()
) -> tuple[str, tuple[Segment, ...]]:
    """The text of `words`, with chapters as headings, and where each sentence stands in time."""
    text, segments = "", []
    waiting = deque(sorted(chapters, key=lambda chapter: chapter.start_s))
    paragraph = 0  # where the open one begins
    speaker: str | None = None
    for sentence in spoken_sentences(words):
        first, last = sentence[0], sentence[-1]
        headings = []
        while waiting and waiting[0].start_s <= (first.start_s + last.end_s) / 2:
            headings.append(f"## {' '.join(waiting.popleft().title.split())}")
        if text and (
            headings or first.speaker != speaker or len(text) - paragraph > PARAGRAPH_CHARACTERS
        ):
            text += "\n\n"
        if headings:
            text += "\n\n".join(headings) + "\n\n"
        if not text or text.endswith("\n"):
            paragraph = len(text)
        else:
            text += " "
        start, speaker = len(text), first.speaker
        text += " ".join(word.text for word in sentence)
        segments.append(
            Segment(start, len(text), start_s=first.start_s, end_s=last.end_s, speaker=speaker)
        )
    return text, tuple(segments)


def words_of(document: Document) -> tuple[tuple[Word, ...], tuple[Chapter, ...]]:
    """What `spoken` made a text of: its words, each sentence's evenly in time, and its chapters."""
    words: list[Word] = []
    chapters: list[Chapter] = []
    said = [s for s in document.segments if s.start_s is not None and s.end_s is not None]
    end = 0
    for segment in said:
        start_s, end_s = segment.start_s or 0.0, segment.end_s or 0.0
        above = document.text[end : segment.start].splitlines()
        titles = (line.removeprefix("## ") for line in above if line.startswith("## "))
        chapters += (Chapter(title, (start_s + end_s) / 2) for title in titles)
        texts = document.text[segment.start : segment.end].split()
        times = [start_s + (end_s - start_s) * n / len(texts) for n in range(len(texts))] + [end_s]
        words += map(Word, texts, times, times[1:], [segment.speaker] * len(texts))
        end = segment.end
    return tuple(words), tuple(chapters)


def spoken_sentences(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Runs of words of one speaker, ended by punctuation, a pause or their length."""
    run: list[Word] = []
    for word in words:
        clean = " ".join(word.text.split())
        if not clean:
            continue
        if run and (
            word.speaker != run[-1].speaker
            or word.start_s - run[-1].end_s > PAUSE_S
            or len(run) >= SENTENCE_WORDS
            or SENTENCE_END.search(run[-1].text)
        ):
            yield run
            run = []
        run.append(Word(clean, word.start_s, word.end_s, word.speaker))
    if run:
        yield run


def said_by(speaker: str, document: Document, start: int, end: int) -> str:
    """What `speaker` says in `document.text[start:end]`; […] stands for what others say between.

    Empty where nobody of this name is heard there.
    """
    heard = [s for s in document.segments if s.start < end and s.end > start]
    names = {document.speaker_name(s.speaker) or "" for s in document.segments}
    meant = called(speaker, names)
    parts: list[str] = []
    skipped = False
    for segment in heard:
        if document.speaker_name(segment.speaker) not in meant:
            skipped = bool(parts)
            continue
        parts += ["[…]"] if skipped else []
        parts.append(document.text[max(start, segment.start) : min(end, segment.end)])
        skipped = False
    return " ".join(parts)


def excerpt(document: Document, passages: Iterable[Passage], speaker: str = "") -> Document:
    """The document with these of its passages only, in text order, […] between them.

    With a `speaker` whom somebody there is called, only what they say of it. A passage under
    another heading than the one before has it above itself. Offsets are those of the new text.
    """
    names = {document.speaker_name(s.speaker) or "" for s in document.segments} if speaker else ()
    meant = called(speaker, names)
    theirs = [s for s in document.segments if document.speaker_name(s.speaker) in meant]
    text, segments = "", []
    heading, end = "", -1
    for start, stop, above in _stretches(document, passages, theirs if meant else None):
        between = document.text[end:start].splitlines() if text else []
        gap = any(line.strip() and not line.startswith("#") for line in between)
        text += ("\n\n[…]" if gap else "") + ("\n\n" if text else "")
        if above != heading and above:
            text += f"## {above}\n\n"
        heading, end = above, stop
        moved = len(text) - start
        text += document.text[start:stop]
        segments += [
            replace(s, start=max(s.start, start) + moved, end=min(s.end, stop) + moved)
            for s in document.segments
            if s.start < stop and s.end > start
        ]
    return replace(document, text=text, segments=tuple(segments))


def _stretches(
    document: Document, passages: Iterable[Passage], segments: Sequence[Segment] | None
) -> list[tuple[int, int, str]]:
    """(start, end, heading) of what is kept: overlapping passages as one, cut to `segments`."""
    kept: list[tuple[int, int, str]] = []
    for passage in sorted(passages, key=lambda p: (p.start, p.end)):
        start, end = passage.start, passage.end
        for s in document.segments:  # a cue is given whole
            if s.start_s is not None and s.start < passage.end and s.end > passage.start:
                start, end = min(start, s.start), max(end, s.end)
        if kept and start <= kept[-1][1] and kept[-1][2] == passage.heading:
            kept[-1] = (kept[-1][0], max(end, kept[-1][1]), passage.heading)
        elif not kept or end > kept[-1][1]:
            kept.append((max(start, kept[-1][1]) if kept else start, end, passage.heading))
    if segments is None:
        return kept
    return [
        (max(start, s.start), min(end, s.end), heading)
        for start, end, heading in kept
        for s in segments
        if s.start < end and s.end > start
    ]


def unaccented(text: str) -> str:
    """Letters without their accents."""
    plain = unicodedata.normalize("NFKD", text)
    return "".join(c for c in plain if not unicodedata.combining(c))


def fold(text: str) -> str:
    """Lower case, without accents."""
    return unaccented(text).casefold()


def called(asked: str, names: Iterable[str]) -> set[str]:
    """Those of `names` that are meant by `asked`: the very name, else all that hold its words.

    Words are whole: "yves" is Yves Gravelle, "Rob" is no Robert, and Zoë is Zoe.
    """
    wanted = WORD.findall(fold(asked))
    words = {name: WORD.findall(fold(name)) for name in names}
    exact = {name for name, own in words.items() if own == wanted and own}
    return exact or {name for name, own in words.items() if wanted and {*wanted} <= {*own}}


# Text -> transcripts


def render(document: Document, form: str) -> str:
    """The transcript in one of FORMATS; raises UsageError where the document cannot give it."""
    if form not in FORMATS:
        raise UsageError(f"{form!r} is no format", f"formats: {', '.join(FORMATS)}, json")
    if form == "md":
        return _markdown(document)
    spoken = [s for s in document.segments if s.start_s is not None]
    if not spoken:
        raise UsageError(
            f"{document.title} has no times", f"dragtor export {document.id} --format md"
        )
    return _subtitles(document, spoken).to_string(form)


def turns(document: Document) -> list[tuple[str, list[Segment]]]:
    """Spoken segments by turn: the speaker's name, or empty, and what is said without a break.

    A heading or anything else between two segments ends a turn too.
    """
    spoken = [s for s in document.segments if s.start_s is not None]
    part = 0
    keyed = []
    for before, segment in zip([None, *spoken], spoken, strict=False):
        between = document.text[before.end if before else 0 : segment.start]
        part += bool(between.strip())
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
    import textwrap

    import pysubs2

    cues = textwrap.TextWrapper(CUE_CHARACTERS, break_long_words=False, break_on_hyphens=False)
    file = pysubs2.SSAFile()
    last = None
    for segment in spoken:
        text = " ".join(document.text[segment.start : segment.end].split())
        name = document.speaker_name(segment.speaker)
        start_s, end_s = segment.start_s or 0.0, segment.end_s or segment.start_s or 0.0
        done = 0
        for piece in cues.wrap(text):
            begin = start_s + (end_s - start_s) * done / len(text)
            done += len(piece) + 1
            end = start_s + (end_s - start_s) * min(1.0, done / len(text))
            shown = f"{name}: {piece}" if name and name != last else piece
            last = name
            event = pysubs2.SSAEvent(pysubs2.make_time(s=begin), pysubs2.make_time(s=end))
            event.plaintext = shown
            file.append(event)
    return file


def edits(one: str, other: str, most: int) -> int:
    """Letters put in, left out, changed or swapped with a neighbour; more than `most` where more.

    Optimal string alignment (Damerau 1964, as restricted by Boytsov 2011).
    """
    if abs(len(one) - len(other)) > most:
        return most + 1
    begin = 0
    while begin < min(len(one), len(other)) and one[begin] == other[begin]:
        begin += 1
    one, other = one[begin:], other[begin:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    if not one or not other:
        return max(len(one), len(other))
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, last = row, before
        row = [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
