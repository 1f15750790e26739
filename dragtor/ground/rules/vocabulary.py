"""Vocabulary: the word lists of a language and a domain, compiled for the rules.

Knows the form of an entry, not which words there are: those are files of config/words and
config/domains.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from dragtor.config import WordLists
from dragtor.errors import UsageError

_Row = tuple[re.Pattern[str], re.Pattern[str]]


class RuleVocabulary:
    """What the rules look up; compared by identity, so that it can be part of a cache's key."""

    def __init__(self, words: WordLists) -> None:
        self.strong = _rows(words.strong)
        self.hedges = _rows(words.hedges)
        self.opposites = _opposites(words.opposites)
        self.comparatives = frozenset(words.comparatives)
        self.condition = _condition(words.groups)
        self.lone_letter = _lone_letter(words.before_letters)


def _rows(lines: Iterable[str]) -> tuple[_Row, ...]:
    """Of each line the words, and these with the ones after the slash; * is any ending."""
    found = []
    for line in lines:
        first, _, more = line.partition("/")
        one, any_of = (
            re.compile(rf"\b(?:{'|'.join(words.split())})\b".replace("*", r"\w*"))
            for words in (first, f"{first} {more}")
        )
        found.append((one, any_of))
    return tuple(found)


def _opposites(pairs: Iterable[str]) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for pair in pairs:
        one, slash, other = pair.partition("/")
        if not (one and slash and other):
            raise UsageError(f"opposites are two words with a slash between, not {pair!r}")
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return found


def _condition(groups: Iterable[str]) -> re.Pattern[str]:
    """A clause of a line that limits what is said to a case, a study or a group of people."""
    named = "|".join(map(re.escape, groups)) or "(?!)"
    return re.compile(
        r"(?<!\beven )\b(?=((?:if|when|unless|until|as long as|provided that|without|except|among"
        r"|who|in (?:an?|one) (?:small |large |laboratory )?(?:study|trial|series)"
        rf"|in (?:[^\W\d_]+ )?(?:{named}))\b"
        r"(?:(?! (?:[,;:.]|but)(?: |$)).)*))"
    )


def _lone_letter(before: Iterable[str]) -> re.Pattern[str]:
    """A letter that stands alone and names something (hepatitis B, T cells), in one group.

    Not a unit (5 m, km/h), a part of an abbreviation (e.g., it's), the article or the pronoun; A
    only as in "hepatitis A is", a only after one of the word endings `before`.
    """
    small = "".join(rf"|(?<={re.escape(ending)} )(a)\b" for ending in before)
    return re.compile(
        r"(?<![\w.'’/°])(?<!\d )(?<!per )([B-HJ-Zb-hj-zα-ω])(?![\w'’°]|\.\w)"
        rf"|(?<=[^\W\d_] )(A)(?![\w'’]|\.\w| [A-Z]){small}"
    )
