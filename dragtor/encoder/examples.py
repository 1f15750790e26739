"""Rows of a task file -> examples, for each kind of task.

Knows neither how files are written nor what is done with examples; what is wrong with a row is a
UsageError that names its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragtor.encoder.align import Offsets, check_counts, joined
from dragtor.encoder.bio import bio, tagged_sentences
from dragtor.encoder.heads import NO_SPAN, HeadKind
from dragtor.encoder.rows import LABEL_NAMES, PAIR_NAMES, TEXT_NAMES, TaskRow
from dragtor.errors import UsageError
from dragtor.types import utf8

BY_CERTAINTY: tuple[HeadKind, ...] = ("span", "tokens", "pair", "sentence")
LAYOUTS: Mapping[HeadKind, str] = {
    "sentence": "columns text,label",
    "tokens": "one word and one BIO label a line, a blank line between sentences",
    "pair": "columns a,b,label",
    "span": "question, context, answers, is_impossible, as SQuAD has them",
}
_WORDS = ("tokens", "words")
_TAGS = ("tags", "ner_tags", "labels")
_SPANS = ("spans", "entities", *LABEL_NAMES)
_WORD = re.compile(r"\w+|[^\w\s]")  # of a text whose spans are marked by characters


@dataclass(frozen=True, slots=True)
class TaskExample:
    """One example; which fields hold something depends on the kind of its task."""

    text: str  # sentence; words joined by spaces; context of a span; first text of a pair
    second: str = ""  # pair: the second text; span: the question
    label: str = ""  # sentence, pair
    words: tuple[Offsets, ...] = ()  # tokens: where each word stands in text
    tags: tuple[str, ...] = ()  # tokens: BIO label of each word
    answers: tuple[Offsets, ...] = ()  # span: characters of text; none where it is impossible
    group: str = ""  # span: rows of one are candidates for one question, ranked against each other
    line: int = 0  # of the file, where it begins


def kinds_of(row: TaskRow) -> set[HeadKind]:
    """What the names of a row's cells allow; raises UsageError where that is nothing."""
    place, _, cells = row
    found: set[HeadKind] = set()
    if {"question", "context"} <= cells.keys():
        found.add("span")
    spans = any(isinstance(cells.get(name), list) for name in _SPANS)
    if cells.keys() & {*_WORDS} or (spans and cells.keys() & {*TEXT_NAMES}):
        found.add("tokens")
    if any(cells.keys() >= {*pair} for pair in PAIR_NAMES):
        found.add("pair")
    if cells.keys() & {*TEXT_NAMES} and not spans:
        found.add("sentence")
    if not found:
        names = ", ".join(map(str, cells)) or "none"
        told = f"{place}: missing columns; it has {names[:120]}"
        raise UsageError(told, "text,label; a,b,label; question,context,answers; tokens,tags")
    return found


def example_of(kind: HeadKind, row: TaskRow) -> TaskExample | None:
    """The example of a row; None where a text of it is empty."""
    return {"sentence": _sentence, "tokens": _tokens, "pair": _pair, "span": _span}[kind](row)


def _sentence(row: TaskRow) -> TaskExample | None:
    text = _text(row, TEXT_NAMES).strip()
    return TaskExample(text, label=_label(row), line=row[1]) if text else None


def _pair(row: TaskRow) -> TaskExample | None:
    names = next((pair for pair in PAIR_NAMES if row[2].keys() >= {*pair}), PAIR_NAMES[0])
    first, second = (_text(row, (name,)).strip() for name in names)
    if not first or not second:
        return None
    return TaskExample(first, second, label=_label(row), line=row[1])


def _tokens(row: TaskRow) -> TaskExample | None:
    place, line, cells = row
    if not cells.keys() & {*_WORDS}:
        return _marked(row)
    words, tags = _cell(row, _WORDS), _cell(row, _TAGS)
    if not _are_texts(words) or not _are_texts(tags):
        raise UsageError(f"{place}: words and labels are no lists of texts", LAYOUTS["tokens"])
    check_counts(words, tags, place)
    kept = [(utf8(word), tag) for word, tag in zip(words, bio(tags, place), strict=True)]
    return _worded([each for each in kept if each[0].strip()], line)


def word_examples(text: str, path: Path) -> Iterator[TaskExample | None]:
    """The examples of a file that looks tagged (bio.py)."""
    for line, words, tags in tagged_sentences(text, str(path)):
        yield _worded([*zip(map(utf8, words), tags, strict=True)], line)


def _worded(words: Sequence[tuple[str, str]], line: int) -> TaskExample | None:
    if not words:
        return None
    text, places = joined([word for word, _ in words])
    return TaskExample(text, words=tuple(places), tags=tuple(tag for _, tag in words), line=line)


def _marked(row: TaskRow) -> TaskExample | None:
    """Spans by characters as labels of words; of spans that overlap the longest counts."""
    place, line, _ = row
    text, spans = _text(row, TEXT_NAMES), _cell(row, _SPANS)
    words = [match.span() for match in _WORD.finditer(text)]
    tags = [NO_SPAN] * len(words)
    if not isinstance(spans, list):
        raise UsageError(f"{place}: its spans are no list", "start, end, label of each")
    for start, end, name in sorted(
        (_place_of(span, text, place) for span in spans), key=lambda s: (s[0] - s[1], s[0])
    ):
        own = [i for i, word in enumerate(words) if word[0] < end and word[1] > start]
        if all(tags[i] == NO_SPAN for i in own):
            for i in own:
                tags[i] = f"{'B' if i == own[0] else 'I'}-{name}"
    return TaskExample(text, words=tuple(words), tags=tuple(tags), line=line) if words else None


def _place_of(span: Any, text: str, place: str) -> tuple[int, int, str]:
    if isinstance(span, dict):
        span = [span.get("start"), span.get("end"), span.get("label")]
    match span:
        case [int(start), int(end), str(name)] if 0 <= start < end <= len(text) and name.strip():
            return start, end, name.strip()
    told = f"{place}: {str(span)[:60]} is no span of its {len(text)} characters"
    raise UsageError(told, "start, end, label of each")


def _span(row: TaskRow) -> TaskExample | None:
    place, line, cells = row
    context, question = _text(row, ("context",)), _text(row, ("question",)).strip()
    if not context.strip() or not question:
        return None
    told = (
        ()
        if cells.get("is_impossible") in (True, 1, "true", "True")
        else _cell(row, ("answers", "answer", "is_impossible"))
    )
    found = dict.fromkeys(_answer_place(context, *each, place) for each in _answers(told, place))
    group = str(cells.get("group") or "")
    return TaskExample(context, question, answers=tuple(found), group=group, line=line)


def _answers(told: Any, place: str) -> list[tuple[str, int]]:
    """(text, about where it starts) of each form in which answers are given."""
    match told:
        case str():
            pairs: list[Any] = [(told, 0)]
        case {"text": list(texts), "answer_start": list(starts)} if len(texts) == len(starts):
            pairs = [*zip(texts, starts, strict=True)]
        case {"text": list(texts)}:
            pairs = [(text, 0) for text in texts]
        case list() | tuple():
            pairs = [
                (each.get("text"), each.get("answer_start", 0)) if isinstance(each, dict)
                else (each, 0) for each in told
            ]  # fmt: skip
        case _:
            pairs = [(None, 0)] if told not in (None, False) else []
    if not all(isinstance(text, str) and isinstance(start, int) for text, start in pairs):
        raise UsageError(f"{place}: no answers: {str(told)[:60]}", LAYOUTS["span"])
    return [(utf8(text), start) for text, start in pairs if text.strip()]


def _answer_place(context: str, answer: str, start: int, place: str) -> Offsets:
    """Where the answer stands, nearest to `start`."""
    places = [match.start() for match in re.finditer(f"(?={re.escape(answer)})", context)]
    if not places:
        raise UsageError(f"{place}: the context does not hold {answer[:40]!r}", LAYOUTS["span"])
    best = min(places, key=lambda at: abs(at - start))
    return best, best + len(answer)


def _cell(row: TaskRow, names: Sequence[str]) -> Any:
    """The first of these cells that is there; UsageError if none is."""
    for name in names:
        if name in row[2]:
            return row[2][name]
    raise UsageError(f"{row[0]}: no column {names[0]}", f"it has {', '.join(row[2])[:120]}")


def _text(row: TaskRow, names: Sequence[str]) -> str:
    text = _cell(row, names)
    if text is not None and not isinstance(text, str):
        raise UsageError(f"{row[0]}: its {names[0]} is no text", "a text in quotes")
    return utf8(text or "")


def _label(row: TaskRow) -> str:
    label = _cell(row, LABEL_NAMES)
    if isinstance(label, bool):
        return str(label).lower()
    if isinstance(label, str | int | float) and str(label).strip():
        return utf8(str(label).strip())
    raise UsageError(f"{row[0]}: no label", "one class a row")


def _are_texts(cells: Any) -> bool:
    return isinstance(cells, list) and all(isinstance(cell, str) for cell in cells)
