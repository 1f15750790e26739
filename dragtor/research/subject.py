"""Whom a research is about, and whether a text is: by the name, and for people by a context term.

A namesake is told apart by what else is known: a company, a domain, a city. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
from urllib.parse import urlsplit

from dragtor.ground.stems import STOP_WORDS
from dragtor.research.orders import is_order
from dragtor.split import sentences
from dragtor.transcript import fold, unaccented
from dragtor.types import Document, Passage

Standing = Literal["sure", "doubtful", "other"]
PERSON = "person"
# Endings that say what kind of company it is; a text may leave them out.
_LEGAL = frozenset(
    "ag bv co corp corporation gmbh inc incorporated kg limited llc ltd plc sa".split()
)
ROW = " | "  # between the cells of a table
LONG_WORD = 5  # letters of a company's first word that may stand for it
_PERSON_GOES_ON = re.compile(r"\b(?:he|she|his|her|hers|him|they|their)\b", re.I)
_COMPANY_GOES_ON = re.compile(
    r"\b(?:it|its|they|their|we|our|the (?:company|firm|group|business|start-?up|maker|studio))\b",
    re.I,
)
_NAME_BEFORE = re.compile(r"\b([A-Z][\w'-]+)\s+$")  # Silas of "Silas Pellew"
_NAME_AFTER = re.compile(r",\s+([A-Z][\w'-]+)(?=\s*(?:[|(,;–—-]|$))")  # of "Pellew, Silas | ..."
_BEFORE_A_NAME = STOP_WORDS | frozenset(
    "mr mrs ms dr prof professor sir dame doctor coach captain director colleague".split()
)
# A sentence that tells namesakes apart, or says that a term does not go with this one.
_APART = re.compile(
    r"\b(?:not|never|no|nor|neither|cannot|unrelated|namesakes?|confus\w+|mistak\w+|another"
    r"|different|(?:same|share\w*)(?: \w+){0,2} name|other)\b|n['’]t\b",
    re.I,
)
_LIST_PAGE = re.compile(r"\bmay (?:also )?refer to\b|\bdisambiguation\b", re.I)
_WORD = re.compile(r"[^\W_]+")
_GAP, _LOOSE_GAP = r"\W{1,3}", r"\W{0,3}"  # between two words of a name, of a context term


@dataclass(frozen=True)
class Subject:
    """A person or a company by name; `context` holds words that only the one meant goes with."""

    name: str
    category: str
    context: tuple[str, ...] = field(default=())

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Of the name, folded; without a company's legal form."""
        words = _WORD.findall(fold(self.name))
        if self.category != PERSON:
            words = [word for word in words if word not in _LEGAL] or words
        return tuple(words)

    @cached_property
    def _whole(self) -> re.Pattern[str]:
        words = [re.escape(word) for word in self.words]
        if self.category != PERSON or len(words) < 2:
            return re.compile(rf"(?<!\w){_GAP.join(words)}(?!\w)")
        first, *middle, last = words
        between = "".join(rf"(?:{each}{_GAP}|\w{_GAP})?" for each in middle) or rf"(?:\w{_GAP})?"
        return re.compile(rf"(?<!\w)(?:{first}{_GAP}{between}{last}|{last}, {first})(?!\w)")

    @cached_property
    def _short(self) -> re.Pattern[str]:
        """A person by one name, a company by its first word where that is long enough."""
        if self.category == PERSON:
            either = "|".join(dict.fromkeys(re.escape(w) for w in (self.words[-1], self.words[0])))
            return re.compile(rf"(?<!\w)(?:{either})(?!\w)")
        if len(self.words[0]) < LONG_WORD:
            return self._whole
        return re.compile(rf"(?<!\w){re.escape(self.words[0])}(?!\w)")

    def names(self, text: str) -> bool:
        """Whether the whole name stands in a text."""
        return bool(self.words) and self._whole.search(fold(text)) is not None

    def names_shortly(self, text: str) -> bool:
        """Whether the name, or as much of it as is said later on a page, stands in a text."""
        return bool(self.words) and self._short.search(fold(text)) is not None

    def names_another(self, text: str) -> bool:
        """Whether a sentence names somebody of the same family, and not the one that is meant."""
        if self.category != PERSON or len(self.words) < 2 or self.names(text):
            return False
        last, first = self.words[-1], self.words[0]
        for found in re.finditer(rf"(?i)(?<!\w){re.escape(last)}(?!\w)", unaccented(text)):
            before = _NAME_BEFORE.search(unaccented(text)[: found.start()])
            after = _NAME_AFTER.match(unaccented(text), found.end())
            beside = {fold(each[1]) for each in (before, after) if each}
            if beside - {first, *self.words} - _BEFORE_A_NAME:
                return True
        return False

    def of_a_namesake(self, text: str) -> bool:
        """Whether a row of a table, which stands for itself, has none of the context terms."""
        person = self.category == PERSON and bool(self.context)
        return person and ROW in text and not self.terms_in(text)

    def goes_on(self, text: str) -> bool:
        """Whether a sentence after one that names the subject is still about it."""
        pattern = _PERSON_GOES_ON if self.category == PERSON else _COMPANY_GOES_ON
        return pattern.search(text) is not None

    def terms_in(self, text: str) -> list[str]:
        """The context terms that stand in a text, as whole words, accents aside.

        Where all that names a term tells namesakes apart ("not the one of Acme") or gives orders,
        it does not count, nor does a term that only repeats the name.
        """
        every = (text[start:end] for start, end in sentences(text))
        said = [fold(each) for each in every if not (_APART.search(each) or is_order(each))]
        return [
            term
            for term in self.context
            if fold(term) != fold(self.name) and any(_stands_in(term, each) for each in said)
        ]


@dataclass(frozen=True, slots=True)
class SubjectPage:
    """A document, whether it is about the subject, and the passages of it that are."""

    document: Document
    passages: tuple[Passage, ...]
    standing: Standing
    why: str = ""  # it is doubtful
    titled: bool = False  # its title names the subject: all of it is about it


def judged(subject: Subject, document: Document, passages: Sequence[Passage]) -> SubjectPage:
    """Whether a document is about the subject, or about somebody of the same name.

    Of a person it counts only with the name and a context term: on a page that bears the name
    anywhere, elsewhere under the very heading where the name stands.
    """
    host = urlsplit(document.uri).hostname or ""
    titled = subject.names(document.title) and not _LIST_PAGE.search(document.text[:2000])
    naming = [p for p in passages if subject.names(f"{p.heading}\n{p.text}")]
    own = subject.category != PERSON and bool(subject.terms_in(host))
    if not titled and not naming and not own:
        return SubjectPage(document, (), "other")
    if subject.category != PERSON:
        return _company(subject, document, passages, naming, titled, host)
    about = f"{document.title} {host}"
    if not subject.context:
        chosen = tuple(passages if titled else naming)
        return SubjectPage(document, chosen, "doubtful", "no context term was given", titled)
    if titled:
        whole = f"{about}\n\n{document.text}"
        kept = tuple(p for p in passages if not _of_another(subject, p.heading))
        if subject.terms_in(whole):
            return SubjectPage(document, kept, "sure", "", True)
        return SubjectPage(document, kept, "doubtful", _lacking(subject), True)
    sure = [
        p
        for p in naming
        if subject.terms_in(f"{about}\n\n{p.heading}\n\n{_said_of(subject, p, passages)}")
        and not _of_another(subject, p.heading)
    ]
    if sure:
        under = {p.heading for p in sure}
        kept = tuple(p for p in passages if p.heading in under)
        return SubjectPage(document, kept, "sure")
    return SubjectPage(document, tuple(naming), "doubtful", _lacking(subject))


def _stands_in(term: str, folded: str) -> bool:
    words = [re.escape(word) for word in _WORD.findall(fold(term))]
    pattern = rf"(?<!\w){_LOOSE_GAP.join(words)}(?!\w)"
    return bool(words) and re.search(pattern, folded) is not None


def _company(
    subject: Subject,
    document: Document,
    passages: Sequence[Passage],
    naming: Sequence[Passage],
    titled: bool,
    host: str,
) -> SubjectPage:
    """As for people, but that all of its own site is about it, and the name is enough alone."""
    chosen = tuple(passages if titled else naming)
    if subject.terms_in(host):
        return SubjectPage(document, tuple(passages), "sure", "", True)
    whole = f"{document.title}\n\n{document.text}"
    known = [term for term in subject.context if fold(term) != fold(subject.name)]
    if known and not subject.terms_in(whole):
        return SubjectPage(document, chosen, "doubtful", _lacking(subject), titled)
    return SubjectPage(document, chosen, "sure", "", titled)


def _lacking(subject: Subject) -> str:
    return f"nothing there says {' or '.join(subject.context)} of the same one"


def _said_of(subject: Subject, passage: Passage, passages: Iterable[Passage]) -> str:
    """What stands around the name: all under its heading, of a table its own rows."""
    rows = [line for line in passage.text.splitlines() if subject.names(line)]
    if rows and all(ROW in row for row in rows):
        return "\n\n".join(rows)
    return "\n".join(p.text for p in passages if p.heading == passage.heading)


def _of_another(subject: Subject, heading: str) -> bool:
    """Whether a heading is a name, of somebody else: two capitalised words, neither of them his."""
    last = heading.rpartition(" > ")[2]
    words = _WORD.findall(last)
    name_like = 2 <= len(words) <= 3 and all(word[0].isupper() for word in words)
    return name_like and subject.names(last) is False and _person_like(last)


def _person_like(heading: str) -> bool:
    """Headings in title case are no names: those hold words that stand on many pages."""
    common = {fold(word) for word in _WORD.findall(heading)} & _TITLE_WORDS
    return not common


_TITLE_WORDS = frozenset(
    """about and awards background books career contact early education experience family history
    honours honors interests life links members news other our people personal press products
    projects publications references research selected services talks team the training work
    years""".split()
)
