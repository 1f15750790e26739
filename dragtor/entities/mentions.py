"""What a tagger found in a document -> its mentions, each once.

A name that is found once is found wherever the document repeats it, and so are the names of who
speaks in it. Of which kind a name is, is kinds.py's; of several people of one name, called.py's.
Knows no other document.
"""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from dragtor.entities.called import last_called
from dragtor.entities.kinds import usual_kinds
from dragtor.entities.spelling import (
    PERSON_KIND,
    abbreviates,
    clean_name,
    person_name,
    plain,
    trimmed,
)
from dragtor.types import LabelledSpan

LEAST_LETTERS = 3  # of a name alone that is looked for
_WORD = re.compile(r"\w+")
_BETWEEN = re.compile(r"[ \t]*\n?[ \t]*|[-‐.'’][ ]?")
_DEFINED_AFTER = re.compile(r"\s{0,2}\(\s?([A-Z][A-Za-z0-9&.]{1,9})\s?[,;)]")
_DEFINED_BEFORE = re.compile(r"(?<!\w)([A-Z][A-Za-z0-9&.]{1,9})\s{0,2}\(\s?(?:the )?$")


@dataclass(frozen=True, slots=True)
class Mentions:
    """Mentions of one document in its order, and the acronyms that it defines."""

    spans: Sequence[LabelledSpan]
    defined: dict[str, str] = field(default_factory=dict)  # WHO: World Health Organization
    called: dict[int, str] = field(default_factory=dict)  # by its start: whom a name alone means


def read_mentions(
    text: str, found: Iterable[LabelledSpan], speakers: Iterable[str] = ()
) -> Mentions:
    """The mentions of a document, of the spans that were found in it and who speaks there.

    Of spans that overlap the longer one counts, then the likelier.
    """
    taken = _Taken()
    kinds, speaking = usual_kinds(text, found)
    heard = list(speakers)
    for span in _best_first(text, kinds):
        taken.add(span)
    defined = _definitions(text, taken)
    words = _words(text)
    for span in _acronyms(words, defined, taken):
        taken.replace(span)
    for span in _Repeats(text, words, taken, [*heard, *speaking]).spans():
        taken.add(span)
    acronyms = {short: full for short, (full, _) in defined.items()}
    return Mentions(taken.spans, acronyms, last_called(text, taken.spans, heard))


class _Taken:
    """Spans that do not overlap, in order."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, str, float]] = []

    @property
    def spans(self) -> list[LabelledSpan]:
        return [LabelledSpan(*row) for row in self._rows]

    def _overlapped(self, start: int, end: int) -> slice:
        first = bisect_left(self._rows, (start, 0, "", 0.0))
        if first and self._rows[first - 1][1] > start:
            first -= 1
        return slice(first, bisect_left(self._rows, (end, 0, "", 0.0)))

    def has(self, start: int, end: int) -> bool:
        return bool(self._rows[self._overlapped(start, end)])

    def add(self, span: LabelledSpan) -> None:
        if span.end > span.start and not self.has(span.start, span.end):
            insort(self._rows, (span.start, span.end, span.label, span.probability))

    def replace(self, span: LabelledSpan) -> None:
        """Add a span in place of what is there, unless it is a part of that."""
        there = self._rows[self._overlapped(span.start, span.end)]
        if all(start >= span.start and end <= span.end for start, end, _, _ in there):
            del self._rows[self._overlapped(span.start, span.end)]
            self.add(span)


def _best_first(text: str, found: Iterable[LabelledSpan]) -> list[LabelledSpan]:
    """Spans without what stands around a name, the longest first."""
    made = []
    for span in found:
        start, end = trimmed(text, span.start, span.end)
        if any(c.isalnum() for c in text[start:end]):
            made.append(LabelledSpan(start, end, span.label, span.probability))
    return sorted(made, key=lambda s: (s.start - s.end, -s.probability, s.start))


class _Word(NamedTuple):
    text: str
    start: int
    end: int


def _words(text: str) -> list[_Word]:
    return [_Word(match[0], *match.span()) for match in _WORD.finditer(text)]


# Acronyms


def _definitions(text: str, taken: _Taken) -> dict[str, tuple[str, str]]:
    """Acronyms that stand in brackets behind or before what they stand for: (name, kind)."""
    defined: dict[str, tuple[str, str]] = {}
    for span in taken.spans:
        full = clean_name(text[span.start : span.end])
        after = _DEFINED_AFTER.match(text, span.end)
        before = _DEFINED_BEFORE.search(text[max(0, span.start - 24) : span.start])
        for match in (after, before):
            if match and abbreviates(match[1], full):
                defined.setdefault(match[1], (full, span.label))
    return defined


def _acronyms(
    words: Sequence[_Word], defined: dict[str, tuple[str, str]], taken: _Taken
) -> Iterator[LabelledSpan]:
    """Every place of a defined acronym."""
    for word in words:
        if word.text in defined:
            yield LabelledSpan(word.start, word.end, defined[word.text][1], 1.0)


# Names that the document says again


class _Pattern(NamedTuple):
    words: tuple[str, ...]  # in plain letters
    exact: str  # a single word as it is written, or empty
    kind: str
    probability: float


class _Repeats:
    """Looks for names that are known in a document wherever the tagger missed them."""

    def __init__(
        self, text: str, words: Sequence[_Word], taken: _Taken, speakers: Iterable[str]
    ) -> None:
        self._text, self._words, self._taken = text, words, taken
        self._low = {word.text for word in words if word.text.islower()}
        self._known = self._patterns(taken.spans, speakers)

    def _patterns(
        self, spans: Sequence[LabelledSpan], speakers: Iterable[str]
    ) -> dict[str, list[_Pattern]]:
        kinds: dict[str, Counter[str]] = defaultdict(Counter)
        sure: dict[str, float] = defaultdict(float)
        for span in spans:
            name = clean_name(self._text[span.start : span.end])
            kinds[name][span.label] += 1
            sure[name] = max(sure[name], span.probability)
        for name in speakers:
            kinds[name][PERSON_KIND] += 1
            sure[name] = max(sure[name], 1.0)
        made: set[_Pattern] = set()
        for name, of in kinds.items():
            if len(of) == 1:
                made.update(self._of_name(name, next(iter(of)), sure[name]))
        made.update(
            self._alone({n: sure[n] for n, of in kinds.items() if set(of) == {PERSON_KIND}})
        )
        known: dict[str, list[_Pattern]] = defaultdict(list)
        for pattern in sorted(made, key=lambda p: (-len(p.words), p)):
            known[pattern.words[0]].append(pattern)
        return known

    def _of_name(self, name: str, kind: str, sure: float) -> Iterator[_Pattern]:
        words = _WORD.findall(name)
        if len(words) > 1:
            yield _Pattern(tuple(map(plain, words)), "", kind, sure)
        elif words and self._tells(words[0]) and kind != PERSON_KIND:
            yield _Pattern((plain(words[0]),), words[0], kind, sure)

    def _alone(self, people: dict[str, float]) -> Iterator[_Pattern]:
        """First and last names that one person here bears, and that are no words besides."""
        bearers: dict[str, set[str]] = defaultdict(set)
        written: dict[str, tuple[str, float]] = {}
        for name, sure in people.items():
            form = person_name(name)
            if not form.is_full:
                continue
            for word in _WORD.findall(name):
                if plain(word) in (form.first, form.last):
                    bearers[plain(word)].add(form.letters)
                    written.setdefault(plain(word), (word, sure))
        for part, (word, sure) in written.items():
            if len(bearers[part]) == 1 and self._tells(word):
                yield _Pattern((part,), word, PERSON_KIND, sure)

    def _tells(self, word: str) -> bool:
        """Whether a single word is a name wherever it stands: Will and Rose are words too."""
        return len(word) >= LEAST_LETTERS and word[0].isupper() and word.casefold() not in self._low

    def spans(self) -> Iterator[LabelledSpan]:
        """What is said again and not found yet."""
        at = 0
        while at < len(self._words):
            pattern = self._at(at)
            if pattern is None:
                at += 1
                continue
            last = at + len(pattern.words) - 1
            start, end = self._words[at].start, self._words[last].end
            if not self._taken.has(start, end):
                yield LabelledSpan(start, end, pattern.kind, pattern.probability)
            at = last + 1

    def _at(self, at: int) -> _Pattern | None:
        word = self._words[at]
        for pattern in self._known.get(plain(word.text), ()):
            if len(pattern.words) == 1:
                if pattern.exact == word.text and not self._in_longer(at):
                    return pattern
            elif self._follows(at, pattern.words):
                return pattern
        return None

    def _follows(self, at: int, words: tuple[str, ...]) -> bool:
        here = self._words[at : at + len(words)]
        return (
            len(here) == len(words)
            and all(plain(word.text) == wanted for word, wanted in zip(here, words, strict=True))
            and all(self._joined(a, b) for a, b in pairwise(here))
        )

    def _joined(self, one: _Word, other: _Word) -> bool:
        return bool(_BETWEEN.fullmatch(self._text, one.end, other.start))

    def _in_longer(self, at: int) -> bool:
        """Whether a word beside it makes another name of it: Yves Klein, Max Yves."""
        word = self._words[at]
        after = self._words[at + 1] if at + 1 < len(self._words) else None
        if after and self._names(after) and self._text[word.end : after.start] in (" ", "-"):
            return True
        before = self._words[at - 1] if at else None
        if not before or self._text[before.end : word.start] != " " or not self._names(before):
            return False
        opens = not re.search(r"\w,? $", self._text[max(0, before.start - 3) : before.start])
        return not opens or plain(before.text) in self._known  # what opens a sentence is no name

    def _names(self, word: _Word) -> bool:
        return word.text[0].isupper() and word.text != "I" and word.text.casefold() not in self._low
