"""Passages of a library to ask about, spread over its sources, and the sentence to ask about.

The draw is fixed: the same library gives the same passages in the same order, and what is added
later does not change the order of the rest. Knows no question and no model.
"""

from __future__ import annotations

import random
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from dragtor.ground.names import names_in
from dragtor.ground.spans import TextSpan
from dragtor.ground.stems import stems
from dragtor.store import Store
from dragtor.types import Document, Passage, short_hash

T = TypeVar("T")
LEAST_CHARACTERS = 200  # of a passage
SENTENCE_CHARACTERS = (40, 320)
MOST_FACTS = 3  # more of them make a sentence no better
LETTERS = 0.6  # of a sentence's characters, at least
BACK_MATTER = frozenset(  # headings under which nothing is told; lower case
    """contents|table of contents|references|bibliography|literature|works cited|index|notes
    |footnotes|further reading|see also|external links|acknowledgements|acknowledgments|copyright
    |about the author|inhalt|inhaltsverzeichnis|literatur|literaturverzeichnis""".split("|")
)
_ENDS = re.compile(r"[.!。！।]['\"”’»)\]]*$")
_NUMBER = re.compile(r"\d[\d.,:]*")
_LISTED = re.compile(r"(?:\.\s?){4,}|\d\s*$|^\s*\d+(?:\.\d+)*\s")  # a line of a list of contents
_CITES = re.compile(r"\bet al\b|\bdoi\b|https?://|\b(?:19|20)\d\d;\s?\d+")
# Opens a sentence that leans on the one before. English.
_LEANING = re.compile(
    r"(?:this|that|these|those|it|its|he|she|they|his|her|their|we|you|i|however|therefore|thus"
    r"|hence|but|and|or|so|such|also|then|here|there|both|another|other|others|instead|moreover)\b",
    re.IGNORECASE,
)


def content_passages(store: Store, seed: int) -> Iterator[tuple[Document, Passage]]:
    """Passages fit to ask about, each with its document: a source after another, in turn.

    So are the documents of a source; one that several sources share counts to the first.
    """
    known: set[str] = set()
    sources = []
    for source in store.sources():
        own = {row["id"] for row in store.documents(source.id) if not row["staged"]} - known
        known |= own
        ordered = sorted(own, key=lambda identity: short_hash(str(seed), identity))
        sources.append(in_turn([_passages(store, identity, seed) for identity in ordered]))
    yield from in_turn(sources)


def _passages(store: Store, document_id: str, seed: int) -> Iterator[tuple[Document, Passage]]:
    document = store.document(document_id)
    fit = [passage for passage in store.passages_of(document_id) if is_content(passage)]
    random.Random(f"{seed} {document_id}").shuffle(fit)
    if document is not None:  # else removed meanwhile
        yield from ((document, passage) for passage in fit)


def in_turn(queues: Iterable[Iterator[T]]) -> Iterator[T]:
    """One of each queue, then the next of each, until all are empty."""
    waiting = deque(queues)
    while waiting:
        queue = waiting.popleft()
        for item in queue:
            yield item
            waiting.append(queue)
            break


def is_content(passage: Passage) -> bool:
    """Whether a passage tells something: no scrap, no list of contents or references."""
    heading = passage.heading.rpartition(" > ")[2].strip().casefold()
    if len(passage.text) < LEAST_CHARACTERS or heading in BACK_MATTER:
        return False
    lines = [line for line in passage.text.splitlines() if line.strip()]
    listed = sum(bool(_LISTED.search(line)) for line in lines)
    return len(lines) < 3 or 2 * listed < len(lines)


def best_sentence(spans: Sequence[TextSpan]) -> TextSpan | None:
    """The one that tells most, of those that can be understood alone; None where there is none."""
    return max(filter(_is_fit, spans), key=_worth, default=None)


def _is_fit(span: TextSpan) -> bool:
    text = span.text
    least, most = SENTENCE_CHARACTERS
    letters = sum(letter.isalpha() for letter in text)
    whole = least <= len(text) <= most and bool(_ENDS.search(text))
    told = letters >= LETTERS * len(text) and not _CITES.search(text)
    return whole and told and not _LEANING.match(text)


def _worth(span: TextSpan) -> float:
    """Numbers and names, and words of its headings: it is about what the passage is about."""
    facts = len(_NUMBER.findall(span.text)) + len(names_in(span.text))
    about = bool(stems(span.text) & stems(span.section_path))
    return min(facts, MOST_FACTS) + about
