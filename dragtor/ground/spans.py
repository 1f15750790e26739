"""TextSpan: a sentence of a hit at its place in the document, and how a hit is cut into them.

What is quoted, shown to a model, verified and cited. Does not know where hits come from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dragtor.links import cited, place
from dragtor.split import sentences
from dragtor.types import Citation, Document, Hit

BULLET = re.compile(r"(?:[-*•]|\d{1,2}[.)])\s+")
MIN_QUOTE_WORDS = 4


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A sentence of a hit: `document.text[start:end]`; a better one has a higher `score`.

    `cosine` is that with the question, `words` the share of the question's words that it and its
    headings hold. `answer` are the characters of the document, inside start:end, that a reader
    takes for the answer.
    """

    hit: Hit
    document: Document
    start: int
    end: int
    score: float = 0.0
    cosine: float = 0.0
    words: float = 0.0
    answer: tuple[int, int] | None = None

    @property
    def text(self) -> str:
        """The sentence, verbatim."""
        return self.document.text[self.start : self.end]

    @property
    def section_path(self) -> str:
        """The document's title and the headings over the sentence, joined by " > "."""
        return " > ".join(part for part in (self.document.title, self.hit.passage.heading) if part)

    @property
    def key(self) -> tuple[str, int, int]:
        """Document id, start and end: equal for the same place, whichever hit led to it."""
        return self.document.id, self.start, self.end

    @property
    def speaker(self) -> str | None:
        """Who says it, where it is speech."""
        return place(self.document, self.start, self.end).speaker

    def citation(self, n: int) -> Citation:
        """The span as citation number `n`."""
        return replace(cited(self.document, self.start, self.end, n), span=self.answer)


def sentence_spans(hit: Hit, document: Document) -> list[TextSpan]:
    """The sentences of a hit that can be quoted, in order; the whole hit where it holds none."""
    passage = hit.passage
    found = [
        TextSpan(hit, document, _after_bullet(document.text, start, end), end)
        for start, end in sentences(document.text, passage.start, passage.end)
        if not document.text[start:end].startswith("#")
    ]
    long_enough = [span for span in found if len(span.text.split()) >= MIN_QUOTE_WORDS]
    return long_enough or found or [TextSpan(hit, document, passage.start, passage.end)]


def _after_bullet(text: str, start: int, end: int) -> int:
    bullet = BULLET.match(text, start, end)
    return bullet.end() if bullet else start
