"""Stems: the content words of an English text, by their first letters.

What ranking, the gate and the checks of claims compare. Pure.
"""

from __future__ import annotations

import re

STEM_LETTERS = 5  # of a word that are compared
STOP_WORDS = frozenset(
    """the and for with that this these those are was were can may might will would should could
    has have had been being from into than then them they their its it's your you our not but
    also such some any all more most very usually often about after before when which who what
    how does did done there here each other""".split()
)
_WORD = re.compile(r"[^\W_]{3,}")


def stems(text: str) -> set[str]:
    """The first STEM_LETTERS of each content word, in lower case."""
    words = _WORD.findall(text.lower())
    return {word[:STEM_LETTERS] for word in words if word not in STOP_WORDS}


def share_held(asked: set[str], text: str) -> float:
    """How many of these stems a text holds, 0 to 1."""
    return len(asked & stems(text)) / max(len(asked), 1)
