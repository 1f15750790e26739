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

from dragtor.transcript import fold
from dragtor.types import Document, Passage

Standing = Literal["sure", "doubtful", "other"]
PERSON = "person"
# Endings that say what kind of company it is; a text may leave them out.
_LEGAL = frozenset(
    "ag bv co corp corporation gmbh inc incorporated kg limited llc ltd plc sa".split()
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
        """By the family name, or a company's first word where it is no everyday one."""
        return re.compile(rf"(?<!\w){re.escape(self.words[-1] if self.words else '')}(?!\w)")

    def names(self, text: str) -> bool:
        """Whether the whole name stands in a text."""
        return bool(self.words) and self._whole.search(fold(text)) is not None

    def names_shortly(self, text: str) -> bool:
        """Whether the name, or of a person the family name, stands in a text."""
        if self.category != PERSON:
            return self.names(text)
        return bool(self.words) and self._short.search(fold(text)) is not None

    def terms_in(self, text: str) -> list[str]:
        """The context terms that stand in a text, as whole words, accents aside."""
        folded = fold(text)
        return [term for term in self.context if _stands_in(term, folded)]


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
    if not titled and not naming:
        return SubjectPage(document, (), "other")
    if subject.category != PERSON:
        return _company(subject, document, passages, naming, titled, host)
    about = f"{document.title} {host}"
    if not subject.context:
        chosen = tuple(passages if titled else naming)
        return SubjectPage(document, chosen, "doubtful", "no context term was given", titled)
    if titled:
        whole = f"{about}\n{document.text}"
        kept = tuple(p for p in passages if not _of_another(subject, p.heading))
        if subject.terms_in(whole):
            return SubjectPage(document, kept, "sure", "", True)
        return SubjectPage(document, kept, "doubtful", _lacking(subject), True)
    sure = [
        p
        for p in naming
        if subject.terms_in(f"{about}\n{p.heading}\n{_section_text(p, passages)}")
        and not _of_another(subject, p.heading)
    ]
    if sure:
        return SubjectPage(document, tuple(sure), "sure")
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
    """As for people, but that without a context term the name is enough."""
    chosen = tuple(passages if titled else naming)
    whole = f"{document.title} {host}\n{document.text}"
    if subject.context and not subject.terms_in(whole):
        return SubjectPage(document, chosen, "doubtful", _lacking(subject), titled)
    return SubjectPage(document, chosen, "sure", "", titled)


def _lacking(subject: Subject) -> str:
    return f"does not name {' or '.join(subject.context)}"


def _section_text(passage: Passage, passages: Iterable[Passage]) -> str:
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
