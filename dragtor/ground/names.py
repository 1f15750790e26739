"""Names of a question or a claim that stand nowhere in what was found.

By capitals and digits alone, in English; pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_OPENER = re.compile(r"(?:^|[.!?…:]\s+|[\"“”(]\s*)([^\W_]+)")
_NO_NAMES = frozenset(
    """monday tuesday wednesday thursday friday saturday sunday january february march april may
    june july august september october november december christmas easter tv ok ps i'm""".split()
)
SHOUTED_LETTERS = 6  # a word in capitals so long is stressed, not a name


def missing_names(question: str, seen: Iterable[str]) -> list[str]:
    """Names in the question (ACL, Canada, V6) that stand in none of the texts `seen`.

    A name is a word with capitals that does not open a sentence, or one with letters and digits.
    Nothing is said of a question in capitals, of shouted words, of days and months, nor of an
    abbreviation whose letters neighbouring words begin with.
    """
    names = names_in(question)
    if not names:
        return []
    text = " ".join(seen).casefold()
    missing = [name for name in names if not _begins_a_word(name.casefold().rstrip("s"), text)]
    if not any(map(_is_abbreviation, missing)):
        return missing
    initials = "".join(w[0][0] if len(w[0]) > 3 else " " for w in _WORD.finditer(text))
    return [n for n in missing if not (_is_abbreviation(n) and n.casefold() in initials)]


def _begins_a_word(part: str, text: str) -> bool:
    """Whether a word begins so; a pattern for each name of a long question would take minutes."""
    at = text.find(part)
    while at > 0 and text[at - 1].isalnum():
        at = text.find(part, at + 1)
    return at >= 0


def _is_abbreviation(name: str) -> bool:
    return name.isupper() and name.isalpha()


@lru_cache(maxsize=256)  # one question is held against many sentences
def names_in(text: str) -> tuple[str, ...]:
    """The names of a question or a sentence, as `missing_names` says, each once, sorted."""
    text = text.strip()
    words = list(_WORD.finditer(text))
    openers = {found.start(1) for found in _OPENER.finditer(text)}
    if sum(word[0][0].isupper() for word in words) > max(len(words) / 2, 1):
        return ()
    named = {word[0] for word in words if _is_name(word[0], word.start() in openers)}
    return tuple(sorted(name for name in named if name.casefold() not in _NO_NAMES))


def _is_name(word: str, opens: bool) -> bool:
    capitals = sum(letter.isupper() for letter in word)
    if word.isupper() and len(word) >= SHOUTED_LETTERS:
        return False
    if any(letter.isdigit() for letter in word):
        return capitals > 0
    return capitals > 1 or (capitals == 1 and word[0].isupper() and not opens and len(word) > 2)
