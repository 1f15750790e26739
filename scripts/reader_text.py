"""Texts as the makers of reading data see them: sentences, words, windows, an index of passages.

Owns what is cut and how much two texts share; does not know labels, sets or how near misses are
made. Lengths are estimated word pieces, close enough to budget with (within a tenth, measured).
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

Span = tuple[int, int]
PIECES_PER_TOKEN = 1.13  # of words and marks in what is read here
_TOKEN = re.compile(r"\w+|[^\w\s]")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_IRREGULAR = {"men": "man", "women": "woman", "children": "child", "mice": "mouse", "feet": "foot"}
_END = re.compile(r"""[.!?]["”’')\]]*\s+(?=["“‘'(\[]?[A-Z0-9])|\s[.!?]\s+(?=\S)|\n+""")
_END_SMALL = re.compile(r"""[.!?]["”’')\]]*\s+(?=\S)|\n+""")  # of texts without capitals
_SHORT = re.compile(
    r"(?:\b[A-Z]|\b(?:Dr|Mr|Mrs|Ms|St|Jr|Sr|vs|No|Inc|Co|Ltd|e\.g|i\.e|al|Fig|c))\.$"
)
STOP = frozenset(
    """a an the of in on at to for from by with and or but is are was were be been being do does did
    has have had can could may might will would shall should must it its this that these those there
    what which who whom whose when where why how many much long often that as than into about over
    he she his her him they them their we our you your i my me us not no so if then also any some
    one ones such other others more most very just get got s t d ll re ve m""".split()
)


def pieces(text: str) -> int:
    """Estimated word pieces."""
    return round(PIECES_PER_TOKEN * len(_TOKEN.findall(text)))


def words(text: str) -> list[str]:
    """Words without case."""
    return [word.casefold() for word in _WORD.findall(text)]


def stem(word: str) -> str:
    """A word without its commonest endings."""
    word = re.sub(r"['’]s?$", "", word.casefold())
    word = _IRREGULAR.get(word, word)
    return re.sub(r"(?:ings?|ed|es|s|ly|e)$", "", word) if len(word) > 4 else word


@lru_cache(maxsize=400_000)
def stems(text: str) -> frozenset[str]:
    """Stems of the words that say something."""
    return frozenset(stem(word) for word in words(text) if word not in STOP)


def holds(text: str, phrase: str) -> bool:
    """Whether the phrase stands in the text as whole words, in any case."""
    phrase = phrase.strip().strip(".,;:!?\"'").casefold()
    return bool(phrase) and bool(
        phrase in (text := _folded(text))
        and re.search(rf"(?<![^\W_]){re.escape(phrase)}(?![^\W_])", text)
    )


@lru_cache(maxsize=100_000)
def _folded(text: str) -> str:
    return text.casefold()


@lru_cache(maxsize=100_000)
def sentences(text: str) -> tuple[Span, ...]:
    """The spans of the sentences, without the white space between them."""
    spans: list[Span] = []
    start = 0
    for match in (_END if text != text.lower() else _END_SMALL).finditer(text):
        head = text[start : match.end()].rstrip()
        if _SHORT.search(head) and "\n" not in match[0]:
            continue
        if head:
            spans.append((start, start + len(head)))
        start = match.end()
    tail = text[start:].rstrip()
    return (*spans, (start, start + len(tail))) if tail else tuple(spans)


def sentence_at(spans: Sequence[Span], start: int, end: int) -> tuple[int, int]:
    """First and last sentence (numbers) that characters start:end touch."""
    touched = [i for i, (a, b) in enumerate(spans) if a < max(end, start + 1) and b > start]
    return (touched[0], touched[-1]) if touched else (0, 0)


def nearest(text: str, spans: Sequence[Span], claim: str) -> int:
    """The sentence (its number) that shares most words with a claim or a question."""
    wanted = stems(claim)
    return max(range(len(spans)), key=lambda i: len(wanted & stems(text[slice(*spans[i])])))


def window(text: str, keep: Span, budget: int, draw: random.Random) -> Span:
    """Characters of whole sentences around `keep`, grown to either side by chance up to `budget`
    word pieces. What is kept may exceed it."""
    spans = sentences(text)
    first, last = sentence_at(spans, *keep)
    left = budget - pieces(text[spans[first][0] : spans[last][1]])
    while True:
        sides = [i for i in (first - 1, last + 1) if 0 <= i < len(spans)]
        sides = [i for i in sides if pieces(text[slice(*spans[i])]) <= left]
        if not sides:
            return spans[first][0], spans[last][1]
        side = draw.choice(sides)
        left -= pieces(text[slice(*spans[side])])
        first, last = min(first, side), max(last, side)


def detokenised(text: str) -> str:
    """Treebank tokens written as people write, brackets and quotes too."""
    for mark, sign in (("-LRB-", "("), ("-RRB-", ")"), ("-LSB-", "["), ("-RSB-", "]"), ("``", '"'),
                       ("''", '"')):  # fmt: skip
        text = text.replace(mark, sign)
    text = re.sub(r"\s+(n't|['’](?:s|re|ve|ll|d|m)\b|[.,;:!?%)\]])", r"\1", text)
    text = re.sub(r"([(\[$])\s+", r"\1", text)
    text = re.sub(r"(\w) - (\w)", r"\1-\2", text)
    return re.sub(r"\s+", " ", text).strip()


@dataclass(frozen=True, slots=True)
class Index:
    """Passages by their words: which of them are nearest to a question by shared rare words."""

    texts: Sequence[str]
    rows: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, texts: Iterable[str]) -> Index:
        """An index of different texts."""
        index = cls(list(dict.fromkeys(texts)))
        for row, text in enumerate(index.texts):
            for word in stems(text):
                index.rows[word].append(row)
        return index

    def rarity(self, word: str) -> float:
        """Inverse document frequency of a stem."""
        return math.log(1 + len(self.texts) / (1 + len(self.rows.get(word, ()))))

    def search(self, query: str, best: int) -> list[str]:
        """The `best` texts nearest to a query, best first."""
        scores: Counter[int] = Counter()
        for word in sorted(stems(query)):
            for row in self.rows.get(word, ()):
                scores[row] += self.rarity(word) / math.log(40 + len(self.texts[row]))  # type: ignore[assignment]
        return [self.texts[row] for row, _ in scores.most_common(best)]
