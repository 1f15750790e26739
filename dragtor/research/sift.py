"""Sentences of pages -> the sections of a dossier: each to the one it is most like, best first.

What a section is like is told by prototypes, as topics are; sentences of menus, notices and orders
to a reader are left out. Knows no provider and no language model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dragtor.ground import EmbedTexts, TextSpan
from dragtor.ground.context import is_instruction
from dragtor.ground.spans import MIN_QUOTE_WORDS, sentence_spans
from dragtor.ground.stems import stems
from dragtor.research.subject import PERSON, Subject, SubjectPage
from dragtor.types import CancelToken, Hit

MOST_SENTENCES = 400  # of all pages, that are looked at
SAME_WORDS = 0.75  # of the shorter of two sentences: they say the same
NEAREST = 2  # prototypes that tell how like a section a sentence is
LEAD = 0.06  # that naming the subject in full adds, and for the summary standing first
MAX_WORDS = 70  # of a sentence; what is longer is a list or a table
_PRONOUN = re.compile(r"(?:He|She|They|His|Her|Their|It|Its|The (?:company|firm|group|startup))\b")
_DEFINES = re.compile(r"\b(?:is|was|are|were) (?:an?|the|one of)\b")
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
    """For each section at most `most` sentences about the subject, none said twice."""
    import numpy as np

    spans = [span for page in pages for span in _sentences_about(subject, page)]
    spans = list({span.key: span for span in spans}.values())[:MOST_SENTENCES]
    own = PROTOTYPES[subject.category]
    if not spans:
        return {title: Sifted((), {}) for title in own}
    cancel.check()
    vectors = embed([_anonymous(subject, span.text) for span in spans])
    cancel.check()
    likeness = {}
    for title, examples in (*own.items(), ("", NOTICES)):
        cosines = np.sort(vectors @ embed(list(examples)).T, axis=1)
        likeness[title] = cosines[:, -NEAREST:].mean(axis=1)
    placed: dict[str, list[TextSpan]] = {title: [] for title in own}
    for at, span in enumerate(spans):
        scores = {title: float(values[at]) for title, values in likeness.items()}
        lead = LEAD * subject.names(span.text)
        if lead and _DEFINES.search(span.text):
            scores["Summary"] += LEAD
        best = max(scores, key=lambda title: scores[title])
        if best:
            placed[best].append(replace(span, score=scores[best] - scores[""] + lead))
    return {title: _distinct(found, most) for title, found in placed.items()}


def _sentences_about(subject: Subject, page: SubjectPage) -> Iterator[TextSpan]:
    """Of a page that bears the name all sentences, else those that name or go on about it."""
    for passage in page.passages:
        hit = Hit(passage, 1.0)
        going_on = page.titled or subject.names(passage.heading)
        follows = False
        for span in sentence_spans(hit, page.document):
            named = subject.names_shortly(span.text)
            follows = named or (follows and _PRONOUN.match(span.text) is not None)
            if (going_on or follows) and _worth_quoting(span.text):
                yield span


def _worth_quoting(text: str) -> bool:
    words = len(text.split())
    if not MIN_QUOTE_WORDS <= words <= MAX_WORDS or _ALL_CAPITALS.fullmatch(text):
        return False
    return not text.rstrip().endswith("?") and not is_instruction(text)


def _anonymous(subject: Subject, text: str) -> str:
    """A sentence without the name, which would make all of them alike."""
    pronoun = "He" if subject.category == PERSON else "It"
    return re.sub(rf"(?i)\b{re.escape(subject.name)}\b", pronoun, text)


def _distinct(found: Sequence[TextSpan], most: int) -> Sifted:
    """The best sentences, each once; what says the same is kept beside the first that did."""
    kept: list[tuple[TextSpan, set[str]]] = []
    also: dict[tuple[str, int, int], list[TextSpan]] = {}
    for span in sorted(found, key=lambda span: -span.score):
        words = stems(span.text)
        same = next((k for k, said in kept if _says_the_same(words, said, span, k)), None)
        if same is None:
            kept.append((span, words))
        elif same.document.id != span.document.id:
            also.setdefault(same.key, []).append(span)
    first = [span for span, _ in kept[:most]]
    return Sifted(tuple(first), {span.key: tuple(also.get(span.key, ())) for span in first})


def _says_the_same(words: set[str], said: set[str], span: TextSpan, other: TextSpan) -> bool:
    if span.text == other.text:
        return True
    numbers = [set(re.findall(r"\d+", each.text)) for each in (span, other)]
    shared = len(words & said) / max(min(len(words), len(said)), 1)
    return shared >= SAME_WORDS and (numbers[0] <= numbers[1])
