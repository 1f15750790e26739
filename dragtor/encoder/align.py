"""Texts and words as sub-words: which sub-word begins each word, and windows that lose nothing.

Words are character spans, and so are sub-words (their offsets): any tokenizer of `tokenizers` that
gives offsets will do, wordpiece, byte pairs or sentencepiece. Knows no labels and no graph.
"""

from __future__ import annotations

import functools
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dragtor.errors import UsageError
from dragtor.types import utf8

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

Offsets = tuple[int, int]  # characters of a text
FILLER = "a"  # a text of which every tokenizer leaves something
NO_TOKEN = -1  # of a word of which the tokenizer leaves nothing, such as a lone joiner


@dataclass(frozen=True, slots=True)
class Encoded:
    """One window as a graph reads it, special tokens included.

    `words` says which of the text's words begin in it, `starts` at which token each does.
    """

    ids: tuple[int, ...]
    types: tuple[int, ...]
    offsets: tuple[Offsets, ...]  # of each token; (0, 0) of special ones
    words: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around a text in a window: ids and types before and after, the text's type."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    types_before: tuple[int, ...]
    types_after: tuple[int, ...]
    kind: int

    def __len__(self) -> int:
        return len(self.before) + len(self.after)


@dataclass(frozen=True, slots=True)
class Subwords:
    """What a tokenizer makes of one text, without special tokens."""

    ids: list[int]
    offsets: list[Offsets]  # without white space at the ends
    groups: list[int | None]  # the word of each, as the tokenizer counts


def subwords(text: str, tokenizer: Tokenizer) -> Subwords:
    """The sub-words of a text, lone surrogates replaced."""
    text = utf8(text)
    made = tokenizer.encode(text, add_special_tokens=False)
    return Subwords(made.ids, [_trimmed(text, *each) for each in made.offsets], made.word_ids)


def word_places(text: str, tokenizer: Tokenizer) -> list[Offsets]:
    """The words of a text: what the tokenizer takes apart no further than into sub-words."""
    return _words(subwords(text, tokenizer))


def encode_text(
    text: str, tokenizer: Tokenizer, max_tokens: int, overlap: int = 0
) -> tuple[list[Offsets], list[Encoded]]:
    """The words of a text and its windows, tokenized once; see word_places, encode_words."""
    made = subwords(text, tokenizer)
    words = _words(made)
    return words, _windows(made, words, _alone(tokenizer), max_tokens, overlap)


def pair_windows(
    first: str, text: str, tokenizer: Tokenizer, max_tokens: int, shared: int
) -> tuple[list[Offsets], list[Encoded]]:
    """As encode_text, each window behind `first`, of which half a window is read.

    Windows share one in `shared` of the tokens that are left to the text.
    """
    first, room = cut_question(utf8(first), tokenizer, max_tokens)
    made = subwords(text, tokenizer)
    words = _words(made)
    frame = _frame(tokenizer.encode(first, FILLER), 1)
    return words, _windows(made, words, frame, max_tokens, room // shared)


def _words(made: Subwords) -> list[Offsets]:
    words: list[Offsets] = []
    last = None
    for index, (start, end) in zip(made.groups, made.offsets, strict=True):
        if start >= end:
            continue
        if index is not None and index == last:
            words[-1] = (words[-1][0], max(words[-1][1], end))
        else:
            words.append((start, end))
        last = index
    return words


def joined(words: Sequence[str]) -> tuple[str, list[Offsets]]:
    """Words as one text, a space between them, and where each stands."""
    places, at = [], 0
    for word in words:
        places.append((at, at + len(word)))
        at += len(word) + 1
    return " ".join(words), places


def encode_words(
    text: str, words: Sequence[Offsets], tokenizer: Tokenizer, max_tokens: int, overlap: int = 0
) -> list[Encoded]:
    """The text as windows of at most `max_tokens`, which overlap by about `overlap` sub-words.

    Every sub-word stands in a window; without words or text there is one window of special
    tokens. A window begins between two words where it can.
    """
    made = subwords(text, tokenizer)
    return _windows(made, words, _alone(tokenizer), max_tokens, overlap)


def _windows(
    made: Subwords, words: Sequence[Offsets], frame: Frame, max_tokens: int, overlap: int
) -> list[Encoded]:
    starts = _first_tokens(words, made.offsets)
    room = max(1, max_tokens - len(frame))
    cuts = _cuts(len(made.ids), room, overlap, {s for s in starts if s != NO_TOKEN})
    own = [(word, at) for word, at in enumerate(starts) if at != NO_TOKEN]
    return [_window(made, own, cut, frame) for cut in cuts]


def encode_pair(first: str, second: str, tokenizer: Tokenizer, max_tokens: int) -> Encoded:
    """Two texts as one input; where they do not fit, the longer one is cut.

    Offsets of the second text count in it alone; those of the first are (0, 0).
    """
    one, two = (tokenizer.encode(utf8(t), add_special_tokens=False) for t in (first, second))
    room = max_tokens - int(tokenizer.num_special_tokens_to_add(True))
    kept = _longest_cut(len(one), len(two), room)
    one.truncate(kept[0])  # a tokenizer set to truncate would not do for two threads
    two.truncate(kept[1])
    return pair_window(tokenizer.post_process(one, two))


def pair_window(made: Encoding) -> Encoded:
    """Two texts encoded together; offsets are of the second, those of the first are (0, 0)."""
    own = [
        place if of == 1 else (0, 0)
        for place, of in zip(made.offsets, made.sequence_ids, strict=True)
    ]
    return Encoded(tuple(made.ids), tuple(made.type_ids), tuple(own))


def cut_question(question: str, tokenizer: Tokenizer, max_tokens: int) -> tuple[str, int]:
    """The question, of at most half a window, and the tokens that it leaves to its context."""
    asked = subwords(question, tokenizer).offsets[: max_tokens // 2]
    room = max_tokens - len(asked) - int(tokenizer.num_special_tokens_to_add(True))
    return question[: asked[-1][1]] if asked else "", room


def _longest_cut(first: int, second: int, room: int) -> tuple[int, int]:
    """Lengths that fit into `room`, tokens taken off the longer one."""
    if first + second > room:
        shorter = min(first, second, room // 2)
        first, second = (shorter, room - shorter) if first <= second else (room - shorter, shorter)
    return first, second


def plain_tokenizer(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer without padding and truncation; "[SEP]" inside a text is text."""
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


def check_counts(words: Sequence[Any], labels: Sequence[Any], place: str) -> None:
    """Raise UsageError, naming the place, where there is not one label a word."""
    if len(words) != len(labels):
        told = f"{place}: {len(words)} words and {len(labels)} labels"
        raise UsageError(told, "one word and one label a line, a blank line between sentences")


def _trimmed(text: str, start: int, end: int) -> Offsets:
    """Without white space at the ends, which byte pairs and sentencepiece count in."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _first_tokens(words: Sequence[Offsets], offsets: Sequence[Offsets]) -> list[int]:
    """For each word the first sub-word that overlaps it and no earlier word; NO_TOKEN if none."""
    found, at = [], 0
    for start, end in words:
        while at < len(offsets) and (offsets[at][0] < start or offsets[at][0] == offsets[at][1]):
            at += 1
        if at < len(offsets) and offsets[at][0] < end:
            found.append(at)
            at += 1
        else:
            found.append(NO_TOKEN)
    return found


def _cuts(tokens: int, room: int, overlap: int, begins: set[int]) -> list[Offsets]:
    """Windows as (first, last) sub-words."""
    cuts, start = [], 0
    while True:
        end = min(start + room, tokens)
        if end < tokens:
            end = _back(end, start + room // 2, begins)
        cuts.append((start, end))
        if end >= tokens:
            return cuts
        start = max(start + 1, _back(max(start + 1, end - overlap), start, begins))


def _back(at: int, least: int, begins: set[int]) -> int:
    """The last beginning of a word up to `at` and after `least`, else `at`."""
    return next((i for i in range(at, least, -1) if i in begins), at)


def _window(
    made: Subwords, begins: Sequence[tuple[int, int]], cut: Offsets, frame: Frame
) -> Encoded:
    """`begins` are words, each with its first sub-word."""
    first, last = cut
    lowest, highest = (bisect_left(begins, at, key=lambda each: each[1]) for at in cut)
    own = begins[lowest:highest]
    before, after = len(frame.before), len(frame.after)
    blank: Offsets = (0, 0)
    return Encoded(
        ids=(*frame.before, *made.ids[first:last], *frame.after),
        types=(*frame.types_before, *[frame.kind] * (last - first), *frame.types_after),
        offsets=(*[blank] * before, *made.offsets[first:last], *[blank] * after),
        words=tuple(word for word, _ in own),
        starts=tuple(before + at - first for _, at in own),
    )


@functools.lru_cache(maxsize=8)
def _alone(tokenizer: Tokenizer) -> Frame:
    """The special tokens around one text."""
    return _frame(tokenizer.encode(FILLER), 0)


def _frame(made: Encoding, number: int) -> Frame:
    """What stands around the text of that number."""
    own = [i for i, of in enumerate(made.sequence_ids) if of == number]
    ids, types, start, end = tuple(made.ids), tuple(made.type_ids), own[0], own[-1] + 1
    return Frame(ids[:start], ids[end:], types[:start], types[end:], types[start])
