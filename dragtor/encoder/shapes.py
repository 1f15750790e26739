"""The shape of a word: how it is written, which an uncased vocabulary does not tell.

Pure; knows no tokenizer.
"""

from __future__ import annotations

import functools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from dragtor.encoder.align import Offsets

# of the word that a token belongs to
NONE, LOWER, TITLE, UPPER, INITIAL, MIXED, DIGITS, CODE, OTHER = range(9)
SHAPES = 9

_WORD = re.compile(r"[^\W_]+")  # of what isalnum() says yes to


@functools.lru_cache(maxsize=1 << 14)  # a text has few words that no text before it had
def shape_of(word: str) -> int:
    """One of the nine shapes, by what the word's letters and digits are."""
    marks = [c for c in word if c.isalnum()]
    letters = [c for c in marks if c.isalpha()]
    if not marks:
        return OTHER
    if not letters:
        return DIGITS
    if len(letters) < len(marks):
        return CODE
    if not any(c.isupper() or c.istitle() for c in letters):
        return LOWER
    if len(letters) == 1:
        return INITIAL
    if all(c.isupper() for c in letters):
        return UPPER
    first, rest = letters[0], letters[1:]
    if (first.isupper() or first.istitle()) and not any(c.isupper() for c in rest):
        return TITLE
    return MIXED


def token_shapes(text: str, offsets: Sequence[Offsets]) -> list[int]:
    """The shape of the word around each token; NONE for special tokens, which are empty.

    A word is a run of letters and digits, so that a token has the same shape however the
    vocabulary cuts the word.
    """
    found: list[int] = []
    starts, ends = _words(text)
    known: dict[Offsets, int] = {}  # by word
    for start, end in offsets:
        if start == end:
            found.append(NONE)
            continue
        word = (
            starts[bisect_right(starts, start) - 1] if text[start].isalnum() else start,
            ends[bisect_left(ends, end)] if text[end - 1].isalnum() else end,
        )
        if word not in known:
            known[word] = shape_of(text[word[0] : word[1]])
        found.append(known[word])
    return found


@functools.lru_cache(maxsize=64)  # the windows of a long text come one after another
def _words(text: str) -> tuple[list[int], list[int]]:
    """Where words start and where they end; found once, as a text without spaces is one word."""
    places = [match.span() for match in _WORD.finditer(text)]
    return [start for start, _ in places], [end for _, end in places]
