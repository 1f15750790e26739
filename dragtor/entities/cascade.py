"""The names of whole documents, from a tagger that reads only where a name may stand.

A name is written with a capital, so a sentence without one is not read; and one that was read a
few times with one outcome has it elsewhere too. A text that hardly uses capitals is read whole.
Knows neither model nor database.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from dragtor import split
from dragtor.entities.spelling import trimmed
from dragtor.types import LabelledSpan

READINGS = (2, 8)  # of a name: if they agree the rest is left out; if not, more, and the usual
LEAST_CAPITALS = 0.03  # share of words that open with one, in a text that uses them
LONG_SENTENCE = 60  # words; such a stretch is no sentence, and is read

_WORD = re.compile(r"[^\W_]+(?:(?:['’](?![sS]\b)|[.&-])[^\W_]+)*")
_JOIN = re.compile(r"[ \t]*\n?[ \t]*|[-‐&. ]{1,3}")  # between two words of a name
_LINKS = frozenset("of de del della da di du la le van von der den the & for and".split())
_HYPHENED = re.compile(r"(?:[-‐][^\W\d_a-zß-ÿ][^\W_]*)*")  # what is left of Byrd-Sanicki after Byrd
_GOES_ON = re.compile(r"\w['’)]?,?[ \t]*\n?[ \t]*")  # before a word with which nothing opens
_LINKED = re.compile(r"[^\w\n]{1,3}")
Tag = Callable[[Sequence[str]], Sequence[Sequence[LabelledSpan]]]
_Word = tuple[str, int, int]  # as it is written, and where
Outcome = frozenset[tuple[int, int, str]]  # spans within a name: where from its start, and kinds


def find_names(
    text: str,
    tag: Tag,
    readings: Sequence[int] = READINGS,
    places: Sequence[tuple[int, int]] | None = None,
) -> list[LabelledSpan]:
    """The spans of the names in a text, in its order; none overlap.

    `places` are its sentences, where they are known better than by its marks.
    `tag` is asked once for each number of `readings`, for all sentences that are still to be read.
    """
    skim = _Skim(text, split.sentences(text) if places is None else places)
    for most in readings:
        chosen = list(skim.choose(most))
        found = tag([text[s.start : s.end] for s in chosen]) if chosen else ()
        for sentence, spans in zip(chosen, found, strict=True):
            skim.note(sentence, spans)
    return skim.spans()


@dataclass(slots=True)
class _Sentence:
    start: int
    end: int
    names: list[tuple[int, int]]  # runs of words that may be names, in characters of the text
    whole: bool  # it is read whatever it holds
    spans: list[LabelledSpan] | None = None  # None: not read


@dataclass(slots=True)
class _Known:
    """What readings of a name said: None, where a span went over its edges."""

    chosen: int = 0
    outcomes: Counter[Outcome | None] = field(default_factory=Counter)
    sure: float = 0.0

    @property
    def agreed(self) -> bool:
        return len(self.outcomes) == 1 and None not in self.outcomes

    @property
    def usual(self) -> Outcome:
        """What more than half of the readings say."""
        for outcome, times in self.outcomes.items():
            if outcome and 2 * times > self.outcomes.total():
                return outcome
        return frozenset()


class _Skim:
    """One text: its sentences, and what is known of the names in them."""

    def __init__(self, text: str, places: Sequence[tuple[int, int]]) -> None:
        self.text = text
        self._known: dict[str, _Known] = defaultdict(_Known)
        self._low: set[str] = set()  # words that stand in lower case
        self._inner: set[str] = set()  # words that stand with a capital where nothing opens
        words = [(a, b, _words(text, a, b)) for a, b in places]
        self._plain = self._look(words)  # capitals tell nothing in here
        self._sentences = [
            _Sentence(a, b, list(self._names(found)), self._plain or len(found) > LONG_SENTENCE)
            for a, b, found in words
        ]

    def _look(self, sentences: Iterable[tuple[int, int, list[_Word]]]) -> bool:
        """Learn how words are written; whether the text hardly uses capitals."""
        capitals = words = 0
        for _, _, found in sentences:
            words += len(found)
            for at, (word, _, _) in enumerate(found):
                if word.islower():
                    self._low.add(_plain(word))
                elif _capital(word):
                    capitals += 1
                    if not self._opens(found, at):
                        self._inner.add(_plain(word))
        return capitals < LEAST_CAPITALS * words

    def _opens(self, words: Sequence[_Word], at: int) -> bool:
        """Whether a word opens a sentence, a quote or what stands behind a dash."""
        return not at or not _GOES_ON.fullmatch(self.text, words[at - 1][2] - 1, words[at][1])

    def _names(self, words: Sequence[_Word]) -> Iterator[tuple[int, int]]:
        """Runs of capitalised words, without what opens a sentence and is a word besides."""
        runs: list[list[int]] = []
        for at, (word, _, _) in enumerate(words):
            if not _capital(word):
                continue
            if runs and self._linked(words, runs[-1][-1], at):
                runs[-1].append(at)
            else:
                runs.append([at])
        for run in runs:
            if bare := self._bare(words, run):
                yield words[bare[0]][1], words[bare[-1]][2]

    def _linked(self, words: Sequence[_Word], one: int, other: int) -> bool:
        """Whether one name may go on from a word to another: University of California."""
        if other - one > 2 or any(words[n][0] not in _LINKS for n in range(one + 1, other)):
            return False
        if other - one == 1:
            return bool(_JOIN.fullmatch(self.text, words[one][2], words[other][1]))
        return words[one + 1][0] != "and" and all(
            _LINKED.fullmatch(self.text, a[2], b[1]) for a, b in pairwise(words[one : other + 1])
        )

    def _bare(self, words: Sequence[_Word], run: list[int]) -> list[int]:
        while run and self._is_opener(words, run[0]):
            run = run[1:]
        return run

    def _is_opener(self, words: Sequence[_Word], at: int) -> bool:
        """Whether a word has its capital only because something opens with it."""
        word = words[at][0]
        low = _plain(word)
        here = low in self._low and low not in self._inner and self._opens(words, at)
        return here or _common(word)

    def choose(self, most: int) -> Iterator[_Sentence]:
        """Sentences to be read: with a name on which no readings agree, up to `most` of each."""
        for sentence in self._sentences:
            names = [self._known[self.text[a:b]] for a, b in sentence.names]
            open_ = any(known.chosen < most and not known.agreed for known in names)
            if sentence.spans is None and (open_ or sentence.whole):
                for known in names:
                    known.chosen += 1
                yield sentence

    def note(self, sentence: _Sentence, spans: Sequence[LabelledSpan]) -> None:
        """Take what was found in a sentence, and learn from it."""
        sentence.spans = []
        for span in spans:
            start, end = trimmed(self.text, sentence.start + span.start, sentence.start + span.end)
            end = min(_HYPHENED.match(self.text, end).end(), sentence.end)  # type: ignore[union-attr]
            name = self.text[start:end]
            written = self._plain or name != name.lower()  # "max hangs" are no Max
            if written and any(c.isalnum() for c in name) and not _common(name):
                sentence.spans.append(LabelledSpan(start, end, span.label, span.probability))
        self._learn(sentence)

    def _learn(self, sentence: _Sentence) -> None:
        for start, end in sentence.names:
            known = self._known[self.text[start:end]]
            own = [s for s in sentence.spans or () if s.start < end and s.end > start]
            inside = all(start <= s.start and s.end <= end for s in own)
            outcome = frozenset((s.start - start, s.end - start, s.label) for s in own)
            known.outcomes[outcome if inside else None] += 1
            known.sure = max([known.sure, *(s.probability for s in own)])

    def spans(self) -> list[LabelledSpan]:
        """What was read, and in other sentences what is known of their names."""
        found: list[LabelledSpan] = []
        for sentence in self._sentences:
            found += self._of_known(sentence) if sentence.spans is None else sentence.spans
        return found

    def _of_known(self, sentence: _Sentence) -> Iterator[LabelledSpan]:
        for start, end in sentence.names:
            known = self._known[self.text[start:end]]
            for first, last, label in sorted(known.usual):
                yield LabelledSpan(start + first, start + last, label, known.sure)


def _words(text: str, start: int, end: int) -> list[_Word]:
    return [(match[0], *match.span()) for match in _WORD.finditer(text, start, end)]


def _common(word: str) -> bool:
    """Whether it is no name, wherever it stands; US and IT may be."""
    head = _plain(word).partition("'")[0]  # She'll
    return head in split.OPENERS and (len(word) == 1 or not word.isupper())


def _plain(word: str) -> str:
    return word.lower().replace("’", "'")


def _capital(word: str) -> bool:
    return word != word.lower() and word != "I" and not word.startswith(("I'", "I’"))
