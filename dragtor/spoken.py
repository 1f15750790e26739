"""Speech as a document's text: words with times and speakers become paragraphs and Segments.

Pure. A paragraph is a turn, or a part of a long one; a Segment is a sentence of it. Speakers and
times stand in the Segments only, never in the text.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence

from dragtor.types import Chapter, Segment, Word

SENTENCE_END = re.compile(r"[.!?…][\"'”’)\]]*$")
PAUSE_S = 1.5  # silence that ends a sentence
SENTENCE_WORDS = 40  # and so many words do, where no punctuation comes
PARAGRAPH_CHARACTERS = 700  # a long turn is cut at the next sentence end after these


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
