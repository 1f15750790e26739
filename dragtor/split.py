"""Documents to passages: spans of their text that fit the encoder and end where sentences end.

Knows no model but a token counter and, for the semantic strategy, an embed callable. Headings
are never inside a passage: their path is its `heading`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, Protocol

from dragtor.config import SplitConfig
from dragtor.errors import UsageError
from dragtor.headings import heading_of, headings
from dragtor.types import Document, Passage

if TYPE_CHECKING:
    import numpy

VERSION = 1  # raise it when the same document would be split differently
MAX_CHARS_PER_TOKEN = 16  # so that text which the tokenizer hardly sees stays bounded as well
TINY = 0.25  # of a passage's tokens; smaller paragraphs join their neighbours

_BLANK_LINE = re.compile(r"\n\s*\n")
# Where a sentence may end: stops, closing quotes and brackets, citation numbers, white space.
_STOP = re.compile(
    r"""(?<![.!?…])(?P<stop>[.!?…।॥؟۔]+)["'”’»)\]]*(?:[ ]?\[[\d,; –-]{1,20}\])*
        \s+(?=(?P<next>\S{1,16}))
    |[。！？｡][」』）”’"]*
    |\n(?=[ \t]*(?:[-*+•‣▪–]|\d{1,3}[.)])[ \t]|[^\n]*[ ]\|[ ])  # an item of a list, a row""",
    re.X,
)
_WORD_BEFORE = re.compile(r"[^\W_]+(?:[.&-][^\W_]+)*$")
_ACRONYM = re.compile(r"(?:\w{1,2}\.)+\w{1,2}")
# What a full stop after a word says, by the word in lower case.
_TITLES = frozenset(
    "dr mr mrs ms mx prof st rev hon gen col capt lt sgt e.g i.e eg ie vs cf".split()
)
_NUMBERED = frozenset(
    """approx art ca ch chap eq eqs ex fig figs no nos p pp par ref refs sec sect tab temp vol
    jan feb mar apr jun jul aug sep sept oct nov dec""".split()
)
_SHORTENED = frozenset(
    """al co corp dept inc ltd univ jr sr acad am ann appl arch assoc biol chem clin eur exp int
    med natl orthop physiol proc res sci surg u.s u.k""".split()
)
# Words that open sentences far more often than they follow an abbreviation.
OPENERS = frozenset(
    """a after all although an and are as at because before both but by can do does each every
    few for from he her here his how however i if in is it its many more most my no not of on one
    only or other our she since so some such that the their then there these they this those thus
    to under until we what when where which while who why with you your""".split()
)


class TokenOffsets(Protocol):
    """Character spans of a text's tokens, in order, without special tokens."""

    def __call__(self, text: str) -> Sequence[tuple[int, int]]: ...  # noqa: D102


EmbedSentences = Callable[[Sequence[str]], "numpy.ndarray"]  # (n, d) rows of length 1


class _Span(NamedTuple):
    start: int
    end: int


class _Section(NamedTuple):
    """Text under one heading path, without the heading line."""

    start: int
    end: int
    path: tuple[str, ...]


def split(
    document: Document,
    config: SplitConfig,
    offsets: TokenOffsets,
    *,
    max_tokens: int,
    embed: EmbedSentences | None = None,
) -> list[Passage]:
    """Passages of `document`, sorted, none empty.

    `max_tokens` is what the encoder reads, special tokens not counted: no passage exceeds it,
    and every character but white space and heading lines stands in at least one. A heading with
    nothing under it is a passage. Raises UsageError on settings that cannot work.
    """
    strategy = STRATEGIES.get(config.strategy)
    if strategy is None:
        valid = ", ".join(STRATEGIES)
        raise UsageError(f"unknown split.strategy {config.strategy!r}", f"strategies: {valid}")
    if not 0 <= config.overlap_tokens < config.tokens or max_tokens < 1:
        raise UsageError(
            f"split.tokens is {config.tokens}, split.overlap_tokens {config.overlap_tokens}",
            "tokens must be at least 1, and the overlap smaller",
        )
    ruler = _Ruler(document.text, offsets, config, max_tokens)
    task = _Task(ruler, list(_sections(document.text)), config.semantic_percentile, embed)
    passages: list[Passage] = []
    for section, spans in zip(task.sections, strategy(task), strict=True):
        fitting = {part for span in spans for part in ruler.fitting(span)}
        heading = heading_of(section.path, document)
        passages += (Passage.of(document, *span, heading) for span in sorted(fitting))
    return passages


class _Ruler:
    """Measures spans of one text in tokens; the text is tokenized once, when this is made."""

    def __init__(
        self, text: str, offsets: TokenOffsets, config: SplitConfig, max_tokens: int
    ) -> None:
        spans = offsets(text)
        self.text = text
        self.limit = min(config.tokens, max_tokens)
        self.overlap = min(config.overlap_tokens, self.limit // 2)
        self._starts = list(accumulate((start for start, _ in spans), max))
        self._ends = list(accumulate((end for _, end in spans), max))
        self._offsets = offsets
        self._max_tokens = max_tokens

    def size(self, start: int, end: int) -> int:
        """Tokens that `text[start:end]` touches, or its share of characters if that is more."""
        tokens = bisect_left(self._starts, end) - bisect_right(self._ends, start)
        return max(tokens, -(-(end - start) // MAX_CHARS_PER_TOKEN))

    def reach(self, start: int, tokens: int) -> int:
        """The furthest end of a span from `start` that holds at most `tokens`."""
        last = bisect_right(self._ends, start) + tokens
        end = self._starts[last] if last < len(self._starts) else len(self.text)
        return max(start + 1, min(end, start + tokens * MAX_CHARS_PER_TOKEN))

    def pieces(self, span: _Span, tokens: int) -> Iterator[_Span]:
        """Cut a span to at most `tokens` each: between lines, else words, else tokens."""
        start, end = span
        while self.size(start, end) > tokens:
            reach = min(end, self.reach(start, tokens))
            cut = self._seam(start, reach)
            if piece := _stripped(self.text, start, cut):
                yield piece
            start = cut
        if piece := _stripped(self.text, start, end):
            yield piece

    def _seam(self, start: int, reach: int) -> int:
        if reach >= len(self.text) or self.text[reach].isspace():
            return reach
        for mark in ("\n", " "):
            if (at := self.text.rfind(mark, (start + reach) // 2, reach)) >= 0:
                return at + 1
        return reach

    def units(self, start: int, end: int) -> list[_Span]:
        """Sentences of a stretch, those over the limit cut."""
        stretches = sentences(self.text, start, end)
        return [piece for s in stretches for piece in self.pieces(_Span(*s), self.limit)]

    def fitting(self, span: _Span) -> Iterator[_Span]:
        """`span`, or parts of it if the encoder would not read all of it.

        Cut inside a word, a text may have more tokens by itself than in its context.
        """
        start, end = span
        before, after = self.text[start - 1 : start], self.text[end : end + 1]
        sure = not before.strip() and not after.strip()
        sure = sure and self.size(start, end) <= self._max_tokens * 0.9
        if sure or len(self._offsets(self.text[start:end])) <= self._max_tokens or end == start + 1:
            yield span
            return
        seam = self._seam(start, (start + end) // 2)
        for part in (_stripped(self.text, start, seam), _stripped(self.text, seam, end)):
            if part:
                yield from self.fitting(part)


def sentences(text: str, start: int = 0, end: int | None = None) -> list[tuple[int, int]]:
    """Spans of the sentences in `text[start:end]`, stripped of outer white space.

    A blank line ends a sentence, and so does a row of a table or an item of a list.
    """
    stop = len(text) if end is None else min(end, len(text))
    found: list[tuple[int, int]] = []
    for paragraph in _paragraphs(text, start, stop):
        found.extend(_sentences(text, paragraph))
    return found


def _sentences(text: str, paragraph: _Span) -> Iterator[_Span]:
    start = paragraph.start
    for match in _STOP.finditer(text, *paragraph):
        if _ends_sentence(text, match, start):
            if span := _stripped(text, start, match.end()):
                yield span
            start = match.end()
    if span := _stripped(text, start, paragraph.end):
        yield span


def _ends_sentence(text: str, match: re.Match[str], start: int) -> bool:
    stop, following = match["stop"], match["next"]
    if stop is None:  # an item, a row, or a stop that needs no white space after it
        return True
    following = following.lstrip("\"'“‘«(") or following
    if following[0].islower() and following[:4].islower():
        return False
    found = _WORD_BEFORE.search(text, max(start, match.start() - 24), match.start())
    if stop != "." or not found:
        return True
    word = found[0].lower()
    opener = following.lower().rstrip(",;:") in OPENERS
    if word in _TITLES:
        return False
    if word in _NUMBERED:
        return not following[0].isdigit()
    if word.isdigit() and len(word) <= 3:  # the number of an item opens it
        return bool(text[start : found.start()].strip())
    if word in _SHORTENED or _ACRONYM.fullmatch(word) or (len(word) == 1 and found[0].isupper()):
        return opener or (word in ("a.m", "p.m") and following[0].isupper())
    return True


def _paragraphs(text: str, start: int, end: int) -> Iterator[_Span]:
    for match in _BLANK_LINE.finditer(text, start, end):
        if span := _stripped(text, start, match.start()):
            yield span
        start = match.end()
    if span := _stripped(text, start, end):
        yield span


def _stripped(text: str, start: int, end: int) -> _Span | None:
    """The span without outer white space; None if nothing is left."""
    part = text[start:end]
    first, last = end - len(part.lstrip()), start + len(part.rstrip())
    return _Span(first, last) if first < last else None


def _sections(text: str) -> Iterator[_Section]:
    """Stretches of text between heading lines; a heading with nothing under it is one itself."""
    above: tuple[str, ...] = ()
    begin = 0
    before: re.Match[str] | None = None
    for line, path in (*headings(text), (None, ())):
        end = line.start() if line else len(text)
        if body := _stripped(text, begin, end):
            yield _Section(*body, above)
        elif before and (line is None or len(line[1]) <= len(before[1])):
            yield _Section(*before.span(2), above[:-1])
        if line:
            above, begin, before = path, line.end(), line


class _Task(NamedTuple):
    ruler: _Ruler
    sections: list[_Section]
    percentile: float
    embed: EmbedSentences | None


def _recursive(task: _Task) -> Iterator[list[_Span]]:
    for section in task.sections:
        units: list[_Span] = []
        ends: dict[int, int] = {}
        for paragraph in _paragraphs(task.ruler.text, section.start, section.end):
            ends[len(units)] = paragraph.end
            units += task.ruler.units(*paragraph)
        yield _filled(task.ruler, units, ends)


def _paragraph(task: _Task) -> Iterator[list[_Span]]:
    for section in task.sections:
        paragraphs = _paragraphs(task.ruler.text, section.start, section.end)
        yield _sized(task.ruler, list(paragraphs))


def _semantic(task: _Task) -> Iterator[list[_Span]]:
    import numpy

    if task.embed is None:
        raise UsageError("split.strategy semantic needs an embedder", "choose recursive")
    units = [task.ruler.units(section.start, section.end) for section in task.sections]
    distances = _distances(task.ruler.text, units, task.embed)
    every = [gap for gaps in distances for gap in gaps]
    threshold = numpy.percentile(every, task.percentile) if every else 0.0
    for spans, gaps in zip(units, distances, strict=True):
        groups: list[_Span] = []
        for index, span in enumerate(spans):
            if groups and gaps[index - 1] <= threshold:
                groups[-1] = _Span(groups[-1].start, span.end)
            else:
                groups.append(span)
        yield _sized(task.ruler, groups)


def _distances(text: str, units: list[list[_Span]], embed: EmbedSentences) -> list[list[float]]:
    """How far (1 - cosine) each sentence is from the next of its section."""
    if not (flat := [text[start:end] for spans in units for start, end in spans]):
        return [[] for _ in units]
    rows = embed(flat)
    gaps = (1.0 - (rows[:-1] * rows[1:]).sum(axis=1)).tolist()
    found, at = [], 0
    for spans in units:
        found.append(gaps[at : at + max(0, len(spans) - 1)])
        at += len(spans)
    return found


def _tokens(task: _Task) -> Iterator[list[_Span]]:
    ruler = task.ruler
    step = ruler.limit - ruler.overlap
    for section in task.sections:
        windows: list[_Span] = []
        for piece in ruler.pieces(_Span(section.start, section.end), step):
            window = _Span(piece.start, _window_end(ruler, piece, section.end))
            if not windows or window.end > windows[-1].end:
                windows.append(window)
        yield windows


def _window_end(ruler: _Ruler, step: _Span, end: int) -> int:
    """Where the window that opens with `step` ends: the overlap after it, on a word's end."""
    reach = min(end, ruler.reach(step.start, ruler.limit))
    if reach < end and not ruler.text[reach].isspace():
        reach = max(step.end, ruler.text.rfind(" ", step.end, reach))
    span = _stripped(ruler.text, step.start, reach)
    return span.end if span else step.end


STRATEGIES: dict[str, Callable[[_Task], Iterator[list[_Span]]]] = {
    "recursive": _recursive,
    "paragraph": _paragraph,
    "semantic": _semantic,
    "tokens": _tokens,
}


def _filled(ruler: _Ruler, units: list[_Span], ends: dict[int, int]) -> list[_Span]:
    """Fill passages with whole sentences up to the limit, each opening with the overlap.

    `ends` maps the unit that opens a paragraph to the paragraph's end: where one does not fit
    whole, a passage half full ends.
    """
    found: list[_Span] = []
    first = 0  # unit that the passage opens with
    for index, unit in enumerate(units):
        start = units[first].start
        full = ruler.size(start, unit.end) > ruler.limit
        if not full and index in ends and index > first:
            half = 2 * ruler.size(start, units[index - 1].end) > ruler.limit
            full = half and ruler.size(start, ends[index]) > ruler.limit
        if full and index > first:
            found.append(_Span(start, units[index - 1].end))
            first = _overlap(ruler, units, first, index)
    if units:
        found.append(_Span(units[first].start, units[-1].end))
    return found


def _overlap(ruler: _Ruler, units: list[_Span], first: int, index: int) -> int:
    """The unit with which the next passage opens, so that it reaches at least unit `index`."""
    opening = index
    while (
        opening - 1 > first
        and ruler.size(units[opening - 1].start, units[index - 1].end) <= ruler.overlap
        and ruler.size(units[opening - 1].start, units[index].end) <= ruler.limit
    ):
        opening -= 1
    return opening


def _sized(ruler: _Ruler, spans: list[_Span]) -> list[_Span]:
    """Join tiny spans with their neighbours; of spans over the limit, fill the sentences anew."""
    joined: list[_Span] = []
    for span in spans:
        last = joined[-1] if joined else span
        tiny = min(ruler.size(*last), ruler.size(*span)) < TINY * ruler.limit
        if joined and tiny and ruler.size(last.start, span.end) <= ruler.limit:
            joined[-1] = _Span(last.start, span.end)
        else:
            joined.append(span)
    found: list[_Span] = []
    for span in joined:
        fits = ruler.size(*span) <= ruler.limit
        found += [span] if fits else _filled(ruler, ruler.units(*span), {})
    return found
