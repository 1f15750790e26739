"""The sentences that say most of a topic, verbatim and in their order.

Knows texts, spans and an embedder; embeds only sentences that may be quoted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from dragtor.digest.choose import nearest_rows, telling
from dragtor.split import sentences

if TYPE_CHECKING:
    from dragtor.digest.topics import PlacedPassage, SpansByDocument, TopicPassages
    from dragtor.embed import Embedder
    from dragtor.types import Document

QUOTES = 3  # of a topic
READ_PASSAGES = 6  # of a topic, those nearest its middle, whose sentences may be quoted
SHARE = 2  # of those, at most, of one document where there are several
QUOTE_WORDS = (6, 50)  # of a sentence that is quoted, where there is one

Quoted = tuple[str, int, int]  # document, start, end

LABEL_TURNS = 3  # of one who has the word, at least: so often a line opens with a label
_LABEL = re.compile(r"(?m)^[^\W\d_][^:\n]{0,39}:[ \t]+(?=\S)")
# A time of a transcript, [24:14], or a bullet.
_BEFORE = re.compile(r"(?:\[[^\[\]\n]{1,20}\][ \t]*|(?:[-*•]|\d{1,2}[.)])\s+)+")
# A sentence that opens so goes on from the one before it, and says less by itself.
_LEANING = frozenset(
    """and but so or because then it it's its this that that's these those he he's she she's they
    they're them his her their which who also yes yeah no well right there's""".split()
)


def topic_quotes(
    topic: TopicPassages,
    document: Callable[[str], Document],
    embedder: Embedder,
    spans: SpansByDocument | None = None,
    n: int = QUOTES,
) -> list[Quoted]:
    """At most `n` sentences of a topic; with `spans` only of what these hold."""
    found: dict[Quoted, str] = {}
    for passage in read_passages(topic):
        text = document(passage.document_id).text
        for start, end in _sentences(text, passage, spans):
            found[passage.document_id, start, end] = text[start:end]
    told = {place: text for place, text in found.items() if _quotable(text)}
    good = {place: text for place, text in told.items() if _stands_alone(text)}
    good = good if len(good) >= n else told or found
    if not good:
        return []
    order = {each.document_id: at for at, each in enumerate(topic.passages)}
    places = sorted(good, key=lambda each: (order[each[0]], each[1]))
    first: dict[str, Quoted] = {}
    for each in places:
        first.setdefault(good[each], each)
    places = list(first.values())
    vectors = embedder.embed_passages([good[place] for place in places])
    return [places[row] for row in telling(vectors, n)]


def read_passages(topic: TopicPassages, n: int = READ_PASSAGES) -> list[PlacedPassage]:
    """The `n` passages nearest to the middle of a topic, of several documents where there are."""
    near = nearest_rows(topic.vectors, topic.vectors.mean(axis=0), len(topic.passages))
    several = len({each.document_id for each in topic.passages}) > 1
    taken: Counter[str] = Counter()
    found = []
    for row in near:
        passage = topic.passages[row]
        if not several or taken[passage.document_id] < SHARE:
            taken[passage.document_id] += 1
            found.append(passage)
    return found[:n]


def _sentences(
    text: str, passage: PlacedPassage, spans: SpansByDocument | None
) -> Iterator[tuple[int, int]]:
    allowed: Sequence[tuple[int, int]] = [(passage.start, passage.end)]
    if spans is not None:
        allowed = [
            (a, b) for a, b in spans[passage.document_id] if a < passage.end and b > passage.start
        ]
    labels = turn_labels(text)
    for first, last in allowed:
        for start, end in sentences(text, first, last):
            begin = start
            for before in (_LABEL, _BEFORE):
                if (match := before.match(text, begin, end)) and (
                    before is _BEFORE or match[0].strip() in labels
                ):
                    begin = match.end()
            if begin < end:
                yield begin, end


@lru_cache(maxsize=64)
def turn_labels(text: str) -> frozenset[str]:
    """What opens lines of a transcript, "Ann Lee:", that has several turns of each."""
    counts = Counter(match[0].strip() for match in _LABEL.finditer(text))
    return frozenset(label for label, times in counts.items() if times >= LABEL_TURNS)


def without_labels(text: str, labels: Collection[str]) -> str:
    """A text without who has the word."""
    return _LABEL.sub(lambda match: "" if match[0].strip() in labels else match[0], text)


def _stands_alone(text: str) -> bool:
    """Whether a sentence neither opens nor breaks off in the middle of something."""
    first = text.lower().lstrip("\"'“‘«( ").replace("’", "'").split()
    broken = text.startswith(("...", "…", "[")) or text.rstrip("\"'”’ ").endswith(("...", "…"))
    return not broken and not (first and first[0].rstrip(",;") in _LEANING)


def _quotable(text: str) -> bool:
    """Whether it tells something by itself: neither a heading, a question nor a table's row."""
    least, most = QUOTE_WORDS
    tells = not text.startswith("#") and not text.rstrip("\"'”’)").endswith(("?", ":"))
    return tells and "|" not in text and least <= len(text.split()) <= most
