"""What each speaker says without a break, and which capitalised words in it can be names.

Text only: knows no cue, no role and no voice.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from dragtor.speech.wording import wording
from dragtor.transcript import fold
from dragtor.types import Word

BRAND = re.compile(r"^[A-Z]{3,}|[A-Z]{2,}s?$|^(?!Mac)[A-Z][a-z]{2,}[A-Z]|-[a-z]")  # CNCF, GitHub
SENTENCE_MARKS = '.?!…"“-:'  # after these a capital means nothing
CAPITALS = 0.02  # a text with a smaller share of capitalised words is written without them


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one speaker says without a break; `offsets` are where its words begin in `text`."""

    speaker: str
    text: str
    words: tuple[Word, ...]
    offsets: tuple[int, ...]
    before: int  # words of the recording before it


def stretches(words: Sequence[Word]) -> list[Stretch]:
    """Words in a row of one speaker; words of nobody are left out."""
    found: list[Stretch] = []
    before = 0
    spoken = [word for word in words if word.speaker and word.text.strip()]
    for speaker, run in groupby(spoken, key=lambda word: word.speaker):
        own = tuple(run)
        texts = [word.text.strip().replace("’", "'") for word in own]
        offsets, at = [], 0
        for text in texts:
            offsets.append(at)
            at += len(text) + 1
        found.append(Stretch(speaker or "", " ".join(texts), own, tuple(offsets), before))
        before += len(own)
    return found


def key_of(name: str) -> str:
    """The first name, folded: what the names of one person share."""
    return fold(name.split()[0]) if name else ""


class Speech:
    """Stretches, and how often each of their words stands with and without a capital."""

    def __init__(self, turns: Sequence[Stretch], known: Sequence[str] = ()) -> None:
        self.turns = turns
        self.known = {key_of(name) for name in known}
        self.capital: Counter[str] = Counter()
        self.inside: Counter[str] = Counter()  # with a capital, within a sentence
        self.small: Counter[str] = Counter()
        for turn in turns:
            for match in re.finditer(r"[^\W\d_][\w'-]*", turn.text):
                word, before = fold(match[0].removesuffix("'s")), turn.text[: match.start()][-2:]
                if not match[0][0].isupper():
                    self.small[word] += 1
                    continue
                self.capital[word] += 1
                if before.strip() and before.rstrip()[-1] not in SENTENCE_MARKS:
                    self.inside[word] += 1

    @property
    def cased(self) -> bool:
        """Whether sentences and names begin with capitals."""
        return self.capital.total() > CAPITALS * (self.capital.total() + self.small.total())

    @property
    def common(self) -> frozenset[str]:
        """Words that mostly stand without a capital."""
        return frozenset(word for word, n in self.small.items() if n > self.capital[word])

    def is_name(self, name: str, at_start: bool, spoken_to: bool) -> bool:
        """Whether `name` can be a person's.

        A sentence's first word needs better evidence: a capital elsewhere, or "you" after it.
        """
        parts, first = name.split(), key_of(name)
        if self.cased and any(BRAND.search(part) for part in parts):
            return False
        if len(first) < 2 or any(fold(part) in wording().not_names for part in parts):
            return False
        if first in self.known or not at_start:
            return True
        if self.inside[first]:
            return self.small[first] <= 0.2 * self.capital[first]
        adverb = first.endswith("ly") and len(first) > len("kelly") + 1
        return spoken_to and not self.small[first] and not adverb


def recased(turns: Sequence[Stretch], known: Sequence[str]) -> list[Stretch]:
    """A transcript without capitals, with capitals where a name stands.

    Names are the `known` ones, and what follows "my guest today is" and the like.
    """
    names = {spelt for name in known for spelt in (name.lower(), fold(name))}
    lower = [turn.text.lower() for turn in turns]
    for text in lower:
        for match in wording().small_cues.finditer(text):
            cue, said = next(one for one in match.groupdict().items() if one[1])
            kept: list[str] = []
            for word in said.split():
                if word in wording().small_words or len(word) < 2:
                    break
                kept.append(word)
            if len(kept) > (cue == "two"):
                names.add(" ".join(kept))
    names |= {name.split()[0] for name in names} - wording().not_names
    spelt = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    any_name = re.compile(rf"\b(?:{spelt})\b" if spelt else r"(?!)")

    def capitals(match: re.Match[str]) -> str:
        return " ".join(part[:1].upper() + part[1:] for part in match[0].split(" "))

    return [
        replace(turn, text=any_name.sub(capitals, text))
        for turn, text in zip(turns, lower, strict=True)
    ]
