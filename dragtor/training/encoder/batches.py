"""Examples of tasks as windows of tokens with their targets, in batches of one task each.

Batches are the same for the same seed and epoch, so that a resumed run goes on as it would have.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dragtor.encoder.align import (
    Encoded,
    Offsets,
    cut_question,
    encode_pair,
    encode_words,
    pair_window,
    plain_tokenizer,
    word_places,
)
from dragtor.encoder.data import TaskData, TaskExample
from dragtor.encoder.heads import NO_SPAN, Head
from dragtor.encoder.shapes import token_shapes
from dragtor.extras import require
from dragtor.training import TRAIN_EXTRA
from dragtor.training.lengths import by_length

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ANSWER_LABELS = ("no", "yes")  # of a pair head that learns whether a text answers
LOWER_SHARE = 0.1  # of token examples are read in lower case


@dataclass(frozen=True, slots=True)
class HeadWindow:
    """A window with its shapes and targets.

    `targets`: the class; or that of each of `tokens.starts`; or the first and last token of the
    answer. `shapes` are empty where none are read. `example` is the place of its example in the
    task. `unknown` are labels that its file
    never uses: a word outside of spans there may still bear one of them.
    """

    tokens: Encoded
    shapes: Sequence[int]
    targets: tuple[int, ...]
    example: int
    unknown: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True, slots=True)
class HeadBatch:
    """Windows of one head."""

    head: str
    windows: Sequence[HeadWindow]


def light(window: HeadWindow) -> HeadWindow:
    """What is learned from, without offsets: a fifteenth of the memory, and there are many."""
    tokens = window.tokens
    ids, types = array("i", tokens.ids), array("b", tokens.types)
    kept = replace(tokens, ids=ids, types=types, offsets=())
    return replace(window, tokens=kept, shapes=array("b", window.shapes))


def answered(window: HeadWindow, head: Head) -> HeadWindow:
    """A window of a span as one of a pair head: whether it holds an answer."""
    label = ANSWER_LABELS[any(window.targets)]
    return replace(window, targets=(head.labels.index(label),))


def telling(windows: Sequence[HeadWindow]) -> HeadWindow:
    """Of a span's windows one that holds the answer, or the first."""
    return next((window for window in windows if any(window.targets)), windows[0])


def whole_groups(
    groups: Sequence[Sequence[HeadWindow]], most_tokens: int, draw: random.Random
) -> list[list[HeadWindow]]:
    """Batches of whole groups, of `most_tokens` with padding; a larger group is alone."""

    def tokens(group: Sequence[HeadWindow]) -> int:
        return len(group) * max(map(len, group))

    some = by_length(groups, tokens, most_tokens, draw)
    return [[window for group in each for window in group] for each in some]


class WindowCoder:
    """Turns examples into windows with one tokenizer."""

    def __init__(self, tokenizer: Tokenizer, max_tokens: int, *, shapes: bool = True) -> None:
        self._tokenizer = plain_tokenizer(tokenizer)
        self._max_tokens, self._shapes = max_tokens, shapes

    def windows(
        self, example: TaskExample, head: Head, number: int, unknown: tuple[int, ...] = ()
    ) -> list[HeadWindow]:
        """All windows of an example; nothing is dropped."""
        if head.kind == "pair":
            tokens = encode_pair(example.text, example.second, self._tokenizer, self._max_tokens)
            return [self._window(tokens, example, head, number, [], ())]
        if head.kind == "span":
            return self._of_context(example, number)
        words, tags = self._pieces(example)
        parts = encode_words(example.text, words, self._tokenizer, self._max_tokens)
        return [self._window(part, example, head, number, tags, unknown) for part in parts]

    def _pieces(self, example: TaskExample) -> tuple[list[Offsets], list[str]]:
        """The words of a `tokens` example as a text without them is read, and their tags.

        "U.S." is one word of a file and four of a tokenizer: the later ones go on with its span.
        """
        if not example.words:
            return [], []
        places, tags, at = word_places(example.text, self._tokenizer), [], 0
        for start, _ in places:
            while at + 1 < len(example.words) and example.words[at + 1][0] <= start:
                at += 1
            tag = example.tags[at] if start < example.words[at][1] else NO_SPAN
            goes_on = start > example.words[at][0] and tag != NO_SPAN
            tags.append(f"I-{tag[2:]}" if goes_on else tag)
        return places, tags

    def _window(
        self,
        part: Encoded,
        example: TaskExample,
        head: Head,
        number: int,
        tags: Sequence[str],
        unknown: tuple[int, ...],
    ) -> HeadWindow:
        if head.kind == "tokens":
            targets = tuple(head.labels.index(tags[word]) for word in part.words)
        else:
            targets = (head.labels.index(example.label),)
        text = example.second if head.kind == "pair" else example.text
        return HeadWindow(part, self._shapes_of(text, part), targets, number, unknown)

    def _shapes_of(self, text: str, part: Encoded) -> tuple[int, ...]:
        return tuple(token_shapes(text, part.offsets)) if self._shapes else ()

    def _of_context(self, example: TaskExample, number: int) -> list[HeadWindow]:
        """Question and context, the context in overlapping windows; no answer is at token 0."""
        question, room = cut_question(example.second, self._tokenizer, self._max_tokens)
        stride = min(self._max_tokens // 4, room - 1)
        self._tokenizer.enable_truncation(self._max_tokens, stride=stride, strategy="only_second")
        made = self._tokenizer.encode(question, example.text)
        self._tokenizer.no_truncation()
        windows = []
        for tokens in map(pair_window, (made, *made.overflowing)):
            target = _answer_tokens(tokens.offsets, example.answers)
            shapes = self._shapes_of(example.text, tokens)
            windows.append(HeadWindow(tokens, shapes, target, number))
        return windows


def _answer_tokens(places: Sequence[Offsets], answers: Sequence[Offsets]) -> tuple[int, int]:
    """The first and last token of the first answer that stands whole in the window, else 0, 0."""
    for start, end in answers:
        inside = [i for i, (a, b) in enumerate(places) if a < b and a < end and b > start]
        if inside and places[inside[0]][0] <= start and places[inside[-1]][1] >= end:
            return inside[0], inside[-1]
    return 0, 0


def lowered(example: TaskExample, draw: random.Random, share: float = LOWER_SHARE) -> TaskExample:
    """Now and then the example in lower case, where that moves no character."""
    lower = example.text.lower()
    if draw.random() >= share or len(lower) != len(example.text):
        return example
    return replace(example, text=lower)


def epoch_sizes(sizes: Mapping[str, int], power: float) -> dict[str, int]:
    """How many examples of each task an epoch has: shares go by size to a power, the sum stays."""
    weights = {name: size**power for name, size in sizes.items()}
    total, all_weights = sum(sizes.values()), sum(weights.values())
    return {name: max(1, round(total * w / all_weights)) for name, w in weights.items()}


def drawn(count: int, of: int, draw: random.Random) -> list[int]:
    """`count` places of `of`, each as often as any other, give or take one."""
    order: list[int] = []
    while len(order) < count:
        order += draw.sample(range(of), of)
    return order[:count]


def padded(windows: Sequence[HeadWindow], pad: int, device: Any = "cpu") -> dict[str, Any]:
    """The inputs of a graph, padded on the right: (windows, tokens) each."""
    torch = require("torch", extra=TRAIN_EXTRA)
    size = (len(windows), max(map(len, windows)))
    names = ("input_ids", "attention_mask", "token_type_ids", "shape_ids")
    made = {name: torch.zeros(size, dtype=torch.long) for name in names}
    made["input_ids"].fill_(pad)
    for row, one in enumerate(windows):
        n = len(one)
        made["input_ids"][row, :n] = torch.tensor(one.tokens.ids)
        made["attention_mask"][row, :n] = 1
        made["token_type_ids"][row, :n] = torch.tensor(one.tokens.types)
        if one.shapes:
            made["shape_ids"][row, :n] = torch.tensor(one.shapes)
    return {name: value.to(device) for name, value in made.items()}


def unknown_labels(head: Head, data: TaskData) -> tuple[int, ...]:
    """The labels of the head that this file never uses."""
    if head.kind != "tokens":
        return ()
    return tuple(i for i, label in enumerate(head.labels) if label not in data.labels)


def coded(data: TaskData, head: Head, coder: WindowCoder) -> list[list[HeadWindow]]:
    """The windows of each example."""
    unknown = unknown_labels(head, data)
    return [coder.windows(each, head, i, unknown) for i, each in enumerate(data.examples)]
