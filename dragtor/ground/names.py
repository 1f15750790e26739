"""Names of a question or a claim that stand nowhere in what was found.

By capitals and digits alone, in English; pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

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
    initials = "".join(w[0][0] if len(w[0]) > 3 else " " for w in _WORD.finditer(text))
    return [
        name
        for name in names
        if not re.search(rf"(?<![^\W_]){re.escape(name.casefold().rstrip('s'))}", text)
        and not (name.isupper() and name.isalpha() and name.casefold() in initials)
    ]


def names_in(text: str) -> list[str]:
    """The names of a question or a sentence, as `missing_names` says, each once, sorted."""
    text = text.strip()
    words = list(_WORD.finditer(text))
    openers = {found.start(1) for found in _OPENER.finditer(text)}
    if sum(word[0][0].isupper() for word in words) > max(len(words) / 2, 1):
        return []
    named = {word[0] for word in words if _is_name(word[0], word.start() in openers)}
    return sorted(name for name in named if name.casefold() not in _NO_NAMES)


def _is_name(word: str, opens: bool) -> bool:
    capitals = sum(letter.isupper() for letter in word)
    if word.isupper() and len(word) >= SHOUTED_LETTERS:
        return False
    if any(letter.isdigit() for letter in word):
        return capitals > 0
    return capitals > 1 or (capitals == 1 and word[0].isupper() and not opens and len(word) > 2)
