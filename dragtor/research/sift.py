"""Sentences of pages -> the sections of a dossier: each to the one it is most like, best first.

What a section is like is told by prototypes, as topics are; sentences of menus, notices and orders
to a reader are left out. Knows no provider and no language model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dragtor.ground import EmbedTexts, TextSpan
from dragtor.ground.spans import MIN_QUOTE_WORDS, sentence_spans
from dragtor.ground.stems import stems
from dragtor.research.orders import is_order
from dragtor.research.subject import PERSON, Subject, SubjectPage
from dragtor.types import CancelToken, Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_SENTENCES = 400  # of all pages, that are looked at
SAME_WORDS = 0.75  # of the shorter of two sentences: they say the same
NEAREST = 2  # prototypes that tell how like a section a sentence is
SAME_MEANING = 0.95  # cosine of two sentences that say the same
TELLING, MOST_TELLING = 0.01, 5  # that each number or other name adds, up to so many
MOST_BETWEEN = 2  # characters between two passages of which the second goes on
LEAD = 0.06  # that naming the subject in full adds, and for the summary standing first
MAX_WORDS = 70  # of a sentence; what is longer is a list or a table
_DEFINES = re.compile(r"\b(?:is|was|are|were) (?:an?|the|one of)\b")
_TELLING = re.compile(r"(?<=\s)(?:[A-Z][\w'-]+|\d[\d.,]*)")  # not what opens a sentence
_PAIR = re.compile(r"[A-Z][a-z]+ [A-Z][a-z]+")  # of a sentence that turns to somebody else
_ALL_CAPITALS = re.compile(r"[^a-z]*")

# What sentences of a section say, of anybody. "" is what belongs to none: notices and menus.
PROTOTYPES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "person": {
        "Summary": (
            "She is a Swiss engineer, author and entrepreneur.",
            "He is the founder and managing director of a company.",
            "She is best known for her work on the subject.",
            "He is a professor and one of the leading researchers in his field.",
        ),
        "Work Experience": (
            "He worked as an engineer at the company from 2010 to 2015.",
            "She joined the firm as head of marketing in 2012.",
            "Before that he spent five years as a consultant.",
            "She co-founded the start-up and led its team as chief executive.",
            "In his current position he is responsible for sales in Europe.",
            "She was promoted to director after ten years in the department.",
        ),
        "Education": (
            "He studied physics at the university.",
            "She holds a master's degree in computer science.",
            "He received his doctorate with a thesis in 2008.",
            "She graduated from the college in 1999.",
            "He went to school in the city and trained as a carpenter.",
            "She completed an apprenticeship and a certificate course.",
        ),
        "Other Information": (
            "He won a prize for his work in 2019.",
            "She lives with her family in the city and has two children.",
            "In his free time he plays the violin and climbs.",
            "She published a book and several articles.",
            "He was born in 1975 in a small town.",
            "She speaks four languages and volunteers for a charity.",
            "He gave a talk at the conference.",
            "She holds a record and won the championship.",
        ),
    },
    "company": {
        "Summary": (
            "It is a family-owned company that makes machines.",
            "The company was founded in 1995 and has its headquarters in the city.",
            "It is a software start-up with 40 employees.",
            "The firm is one of the largest suppliers in the country.",
        ),
        "Relevant Industry": (
            "It works in the medical technology industry.",
            "The company is active in the market for renewable energy.",
            "Its customers are hospitals, airlines and carmakers.",
            "It competes with other suppliers in the sector.",
            "The firm serves the construction and logistics sectors.",
        ),
        "Products": (
            "Its main product is a sensor that measures pressure.",
            "The company sells software for planning shifts.",
            "It offers consulting, training and maintenance services.",
            "The new model was launched in 2021 and costs 300 euros.",
            "Its range has three kinds of pumps.",
        ),
        "Other Information": (
            "Revenue rose to 12 million euros in 2020.",
            "The chief executive is a former engineer.",
            "It was acquired by a larger group in 2018.",
            "The company won an award for its design.",
            "It opened a second plant and employs 200 people.",
            "The firm supports a local charity.",
        ),
    },
}  # fmt: skip
NOTICES = (
    "Subscribe to our newsletter and follow us on social media.",
    "We use cookies to improve your experience on this website.",
    "All rights reserved. Privacy policy, imprint and terms of use.",
    "Click here to read more or share this article.",
    "Please enable JavaScript to view this page.",
    "Home, about us, contact, search, log in.",
    "Opening hours, directions and parking.",
)
SECTION_QUESTIONS: Mapping[str, str] = {  # of a section, asked of the library and a language model
    "Summary": "Who or what is {name}?",
    "Work Experience": "Where has {name} worked, and as what?",
    "Education": "What did {name} study or train as, and where?",
    "Relevant Industry": "Which industry and market is {name} in?",
    "Products": "Which products and services does {name} offer?",
    "Other Information": "What else is known about {name}?",
}


@dataclass(frozen=True, slots=True)
class Sifted:
    """The sentences of one section, best first; `pages` are those that say each, its own first."""

    spans: tuple[TextSpan, ...]
    also: Mapping[tuple[str, int, int], tuple[TextSpan, ...]]  # that say the same, elsewhere


def sift(
    subject: Subject,
    pages: Sequence[SubjectPage],
    embed: EmbedTexts,
    most: int,
    cancel: CancelToken,
) -> dict[str, Sifted]:
    """For each section at most `most` sentences about the subject, none said twice.

    What finds no room in the section that it is most like goes to the next one that has room.
    """
    spans = [span for page in pages for span in _sentences_about(subject, page)]
    spans = list({span.key: span for span in spans}.values())[:MOST_SENTENCES]
    titles = list(PROTOTYPES[subject.category])
    if not spans:
        return {title: Sifted((), {}) for title in titles}
    cancel.check()
    vectors = embed([_anonymous(subject, span.text) for span in spans])
    cancel.check()
    likeness = _likeness(subject, spans, vectors, embed)
    order = sorted(range(len(spans)), key=lambda at: -max(likeness[at].values()))
    first, also = _distinct([spans[at] for at in order], vectors[order])
    scores = {spans[at].key: likeness[at] for at in order}
    placed: dict[str, list[TextSpan]] = {title: [] for title in titles}
    for span in first:
        own = scores[span.key]
        for title in sorted(titles, key=lambda title: -own[title]):
            if own[title] > own[""] and len(placed[title]) < most:
                placed[title].append(replace(span, score=own[title]))
                break
    return {
        title: Sifted(tuple(found), {span.key: also.get(span.key, ()) for span in found})
        for title, found in placed.items()
    }


def _likeness(
    subject: Subject,
    spans: Sequence[TextSpan],
    vectors: NDArray[np.float32],
    embed: EmbedTexts,
) -> list[dict[str, float]]:
    """How like each section a sentence is, and "" what belongs to none, by what it tells besides.

    Sentences with the name in full, with numbers and with other names tell more.
    """
    import numpy as np

    cosines = {}
    for title, examples in (*PROTOTYPES[subject.category].items(), ("", NOTICES)):
        each = np.sort(vectors @ embed(list(examples)).T, axis=1)
        cosines[title] = each[:, -NEAREST:].mean(axis=1)
    found = []
    for at, span in enumerate(spans):
        named = subject.names(span.text)
        more = LEAD * named + TELLING * min(len(_TELLING.findall(span.text)), MOST_TELLING)
        scores = {title: float(own[at]) + more * bool(title) for title, own in cosines.items()}
        if named and _DEFINES.search(span.text):
            scores["Summary"] += LEAD
        found.append(scores)
    return found


def _sentences_about(subject: Subject, page: SubjectPage) -> Iterator[TextSpan]:
    """Of a page that bears the name all sentences, else those that name or go on about it."""
    follows, end = False, -1
    for passage in page.passages:
        hit = Hit(passage, 1.0)
        going_on = page.titled or subject.names(passage.heading)
        follows = follows and passage.start <= end + MOST_BETWEEN
        for span in sentence_spans(hit, page.document):
            if span.start < end:  # passages overlap
                continue
            end = span.end
            other = subject.names_another(span.text)
            named = subject.names_shortly(span.text) and not other
            goes_on = subject.goes_on(span.text)
            turns = other or (not (named or goes_on) and _PAIR.search(span.text) is not None)
            follows = named or (follows and not turns)
            about = (named or (follows and goes_on)) and not subject.of_a_namesake(span.text)
            if ((going_on and not other) or about) and worth_quoting(span.text):
                yield span


def worth_quoting(text: str) -> bool:
    """Whether a sentence tells something, and is no question and no order to a model."""
    words = len(text.split())
    if not MIN_QUOTE_WORDS <= words <= MAX_WORDS or _ALL_CAPITALS.fullmatch(text):
        return False
    return not text.rstrip().endswith("?") and not is_order(text)


def _anonymous(subject: Subject, text: str) -> str:
    """A sentence without the name, which would make all of them alike."""
    pronoun = "He" if subject.category == PERSON else "It"
    return re.sub(rf"(?i)\b{re.escape(subject.name)}\b", pronoun, text)


def distinct_spans(spans: Sequence[TextSpan], most: int) -> tuple[TextSpan, ...]:
    """The first `most` of them, each said once."""
    return tuple(_distinct(spans)[0][:most])


def _distinct(
    ordered: Sequence[TextSpan], vectors: NDArray[np.float32] | None = None
) -> tuple[list[TextSpan], dict[tuple[str, int, int], tuple[TextSpan, ...]]]:
    """The first sentences, each once, and what says the same elsewhere beside the first that did.

    With their vectors, those that are nearly the same count as the same too.
    """
    kept: list[int] = []
    words = [stems(span.text) for span in ordered]
    also: dict[tuple[str, int, int], list[TextSpan]] = {}
    for at, span in enumerate(ordered):
        same = next(
            (
                k
                for k in kept
                if _says_the_same(words[at], words[k], span, ordered[k])
                or (vectors is not None and float(vectors[at] @ vectors[k]) >= SAME_MEANING)
            ),
            None,
        )
        if same is None:
            kept.append(at)
        elif ordered[same].document.id != span.document.id:
            also.setdefault(ordered[same].key, []).append(span)
    return [ordered[at] for at in kept], {key: tuple(spans) for key, spans in also.items()}


def _says_the_same(words: set[str], said: set[str], span: TextSpan, other: TextSpan) -> bool:
    if span.text == other.text:
        return True
    numbers = [set(re.findall(r"\d+", each.text)) for each in (span, other)]
    shared = len(words & said) / max(min(len(words), len(said)), 1)
    return shared >= SAME_WORDS and (numbers[0] <= numbers[1])
