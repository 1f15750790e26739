"""Speech as a document's text: words with times and speakers become paragraphs and Segments.

Pure. A paragraph is a turn, or a part of a long one; a Segment is a sentence of it. Speakers and
times stand in the Segments only, never in the text. Who is meant by a name is told here too.
"""

from __future__ import annotations

import re
import unicodedata
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from dragtor.types import Chapter, Document, Segment, Word

SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*$")
PAUSE_S = 1.5  # silence that ends a sentence
SENTENCE_WORDS = 40  # and so many words do, where no punctuation comes
PARAGRAPH_CHARACTERS = 700  # a long turn is cut at the next sentence end after these
WORD = re.compile(r"\w+")


def spoken(
    words: Sequence[Word], chapters: Sequence[Chapter] = ()
) -> tuple[str, tuple[Segment, ...]]:
    """The text of `words`, with chapters as headings, and where each sentence stands in time."""
    text, segments = "", []
    waiting = deque(sorted(chapters, key=lambda chapter: chapter.start_s))
    paragraph = 0  # where the open one begins
    speaker: str | None = None
    for sentence in sentences(words):
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


def sentences(words: Sequence[Word]) -> Iterator[list[Word]]:
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
