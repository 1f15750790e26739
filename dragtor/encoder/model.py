"""The encoder and its heads, run by ONNX Runtime: texts in, vectors, classes and spans out.

One window of a text a run, one core a run, as many at once as there are cores; nothing is padded,
so a text gets the same bits alone and in company. Knows no training and no document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from dragtor import onnx
from dragtor.encoder import folder, merge
from dragtor.encoder.align import (
    Encoded,
    Offsets,
    encode_pair,
    encode_text,
    encode_words,
    pair_windows,
    plain_tokenizer,
)
from dragtor.encoder.batches import run_groups
from dragtor.encoder.decode import best_labels, best_span, label_spans, probabilities
from dragtor.encoder.heads import NO_SPAN, POOLINGS, STATES, Head, HeadSet
from dragtor.encoder.shapes import token_shapes
from dragtor.errors import CorruptModel, UsageError
from dragtor.types import NEVER, CancelToken, LabelledSpan, Tagged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

    from dragtor.config import ModelsConfig

    Numbers = NDArray[np.float32]

T = TypeVar("T")
SHAPE_IDS = "shape_ids"  # input of a graph that is given the shapes of words
TAG_HEAD = "entities"  # whose spans `tag` gives
BATCH = 128  # texts that are read before their windows are run
TAG_BATCH = 1024  # the same for `tag`: the more sentences, the more of one length
OVERLAP = 4  # windows share one token in so many


class Encoder:
    """A Tagger, and all else that a graph with heads says of texts."""

    def __init__(
        self,
        session: InferenceSession,
        tokenizer: Tokenizer,
        heads: HeadSet,
        *,
        threads: int = 0,
        mend: str = "",
        cancel: CancelToken = NEVER,
    ) -> None:
        self.heads = heads
        self.version = heads.version
        self._session = session
        self._tokenizer = plain_tokenizer(tokenizer)
        self._mend = mend
        self._threads, self._cancel = threads, cancel
        own = (SHAPE_IDS,) if heads.shapes else ()
        self._inputs = onnx.input_names(session, heads.name, mend, own)
        self._outputs: dict[str, Sequence[Any]] = {
            made.name: made.shape for made in session.get_outputs()
        }
        self._states = self._state_output()
        if lacking := [head.name for head in heads.heads if head.name not in self._outputs]:
            raise CorruptModel(f"{heads.name} lacks the outputs {', '.join(lacking)}", mend)

    @classmethod
    def load(
        cls,
        name_or_folder: str | Path,
        *,
        models: ModelsConfig | None = None,
        threads: int = 0,
        cancel: CancelToken = NEVER,
    ) -> Encoder:
        """A model of the catalogue, or a folder of model.onnx, tokenizer.json and heads.json.

        An encoder without heads gives vectors only. Raises UsageError for a name that nobody
        knows, Missing, CorruptModel.
        """
        graph, tokens, heads, mend = folder.find(str(name_or_folder), models)
        session = onnx.open_session(graph, mend)
        tokenizer = onnx.open_tokenizer(tokens, mend)
        return cls(session, tokenizer, heads, threads=threads, mend=mend, cancel=cancel)

    def under(self, cancel: CancelToken) -> Self:
        """The same encoder, its weights shared, for another thread: it looks at `cancel`."""
        made = copy(self)
        made._cancel = cancel
        return made

    @property
    def dimension(self) -> int:
        """Numbers in a vector."""
        stated = self._outputs[self._states][-1]
        return stated if isinstance(stated, int) else int(self.encode([""]).shape[1])

    def encode(self, texts: Sequence[str], pooling: str = "", *, unit: bool = True) -> Numbers:
        """(n, dimension): the states of a text's tokens by mean, max or cls pooling.

        The vectors have length 1, or with `unit` off their own. `pooling` is the head set's own
        where it is empty. A text longer than a window is the mean of its windows, weighted by their
        tokens; with max the maximum of all, with cls the first.
        """
        import numpy as np

        chosen = pooling or self.heads.pooling
        if chosen not in POOLINGS:
            raise UsageError(f"unknown pooling {pooling!r}", f"poolings: {', '.join(POOLINGS)}")

        def one(text: str, window: Encoded) -> Numbers:
            return merge.pooled(self._run_one(text, window, [self._states])[0], chosen)

        read = self._each(texts, one, lambda n: self._read(texts[n]))
        made = [merge.one_vector(vectors, windows, chosen) for _, windows, vectors in read]
        made = [merge.unit(vector) for vector in made] if unit else made
        return np.stack(made) if made else np.zeros((0, self.dimension), np.float32)

    def predict(self, texts: Sequence[str], heads: Sequence[str] = ()) -> list[Tagged]:
        """What the heads of those names say of each text; all that read single texts, if none.

        Raises UsageError for a head that is not there or reads two texts.
        """
        chosen = self._single(heads)
        return [self._tagged(*made, chosen) for made in self._logits(texts, chosen)]

    def tag(self, texts: Sequence[str]) -> list[list[LabelledSpan]]:
        """The spans that the head named "entities" finds in each text.

        Texts of about one length are run together, which is twice as fast for sentences; a
        probability then depends on them in its last digits.
        """
        head = self.heads.head(TAG_HEAD, "tokens")
        found: list[list[LabelledSpan]] = []
        for at in range(0, len(texts), TAG_BATCH):
            batch = texts[at : at + TAG_BATCH]
            read = [self._read(text, None, self.heads.max_tokens // OVERLAP) for text in batch]
            jobs = [(n, window) for n, (_, windows) in enumerate(read) for window in windows]
            done = iter(self._together([(batch[n], window) for n, window in jobs], head))
            for text, (words, windows) in zip(batch, read, strict=True):
                chances = self._word_chances(head, words, windows, list(islice(done, len(windows))))
                found.append(label_spans(text, words, chances, head))
        return found

    def _together(self, jobs: Sequence[tuple[str, Encoded]], head: Head) -> list[Numbers]:
        """Logits of the words that begin in each window, run by groups of about one length."""

        def one(group: Sequence[int]) -> list[Numbers]:
            made = self._run([jobs[n] for n in group], [head.name])[0]
            return [logits[list(jobs[n][1].starts)] for n, logits in zip(group, made, strict=True)]

        groups = run_groups([len(window) for _, window in jobs])
        made = onnx.each(one, groups, self._threads, "encode", self._cancel)
        done = {n: logits for group, of in zip(groups, made, strict=True)
                for n, logits in zip(group, of, strict=True)}  # fmt: skip
        return [done[n] for n in range(len(jobs))]

    def predict_words(
        self, examples: Sequence[tuple[str, Sequence[Offsets]]], head: str = ""
    ) -> list[tuple[list[str], Numbers]]:
        """For each (text, places of its words): a label a word, and (words, labels) chances.

        `head` may be left out where there is one for tokens.
        """
        chosen = self.heads.head(head, "tokens")
        texts = [text for text, _ in examples]
        given = [words for _, words in examples]
        found = []
        for _, words, windows, logits in self._logits(texts, [chosen], given):
            chances = self._word_chances(chosen, words, windows, [each[0] for each in logits])
            labels = [chosen.labels[i] for i in best_labels(chances, chosen.labels)]
            found.append((labels, chances))
        return found

    def predict_pairs(self, pairs: Sequence[tuple[str, str]], head: str = "") -> Numbers:
        """(n, labels): chances of the head's labels for each pair; the longer text is cut."""
        import numpy as np

        chosen = self.heads.head(head, "pair")

        def one(pair: tuple[str, str]) -> Numbers:
            made = encode_pair(*pair, self._tokenizer, self.heads.max_tokens)
            return self._run_one(pair[1], made, [chosen.name])[0]

        logits = onnx.each(one, pairs, self._threads, "encode", self._cancel)
        made = np.stack(logits) if logits else np.zeros((0, len(chosen.labels)), np.float32)
        return probabilities(made, chosen.temperature)

    def answer(self, question: str, context: str, head: str = "") -> LabelledSpan | None:
        """The span of `context` that answers best; None where no answer is likelier."""
        chosen = self.heads.head(head, "span")
        found = [
            best_span(logits / chosen.temperature, window.offsets, chosen.name)
            for _, windows, said in self.pair_logits(question, [context], [chosen])
            for window, (logits,) in zip(windows, said, strict=True)
        ]
        spans = [span for span in found if span is not None]
        return max(spans, key=lambda span: span.probability, default=None)

    def pair_logits(
        self, first: str, texts: Sequence[str], heads: Sequence[Head]
    ) -> Iterator[tuple[Sequence[Offsets], list[Encoded], list[list[Numbers]]]]:
        """For each text its words, its windows behind `first`, and of each the heads' logits.

        A window is run once for all of the heads. Raises CorruptModel for what is no number.
        """
        import numpy as np

        names, limit = [head.name for head in heads], self.heads.max_tokens

        def one(text: str, window: Encoded) -> list[Numbers]:
            made = self._run_one(text, window, names)
            if not all(np.isfinite(logits).all() for logits in made):
                raise CorruptModel(f"{self.heads.name} gives no numbers for two texts", self._mend)
            return made

        def read(n: int) -> tuple[Sequence[Offsets], list[Encoded]]:
            return pair_windows(first, texts[n], self._tokenizer, limit, OVERLAP)

        return self._each(texts, one, read)

    def _single(self, names: Sequence[str]) -> list[Head]:
        chosen = [self.heads.head(name) for name in names] or [
            head for head in self.heads.heads if head.kind in ("sentence", "tokens")
        ]
        if pairs := [head.name for head in chosen if head.kind not in ("sentence", "tokens")]:
            raise UsageError(f"the head {pairs[0]} of {self.heads.name} reads two texts")
        if not chosen:
            raise UsageError(f"{self.heads.name} has no head that reads single texts")
        return chosen

    def _logits(
        self,
        texts: Sequence[str],
        heads: Sequence[Head],
        places: Sequence[Sequence[Offsets]] = (),
    ) -> Iterator[tuple[str, Sequence[Offsets], list[Encoded], list[list[Numbers]]]]:
        """Each text, its words, its windows, and of each window the logits of each head.

        Of tokens, only those that begin a word.
        """
        names = [head.name for head in heads]

        def one(text: str, window: Encoded) -> list[Numbers]:
            made = self._run_one(text, window, names)
            starts = list(window.starts)
            return [
                logits[starts] if head.kind == "tokens" else logits
                for head, logits in zip(heads, made, strict=True)
            ]

        def read(n: int) -> tuple[Sequence[Offsets], list[Encoded]]:
            given = places[n] if places else None
            return self._read(texts[n], given, self.heads.max_tokens // OVERLAP)

        for n, (words, windows, logits) in enumerate(self._each(texts, one, read)):
            yield texts[n], words, windows, logits

    def _tagged(
        self,
        text: str,
        words: Sequence[Offsets],
        windows: Sequence[Encoded],
        logits: Sequence[Sequence[Numbers]],
        heads: Sequence[Head],
    ) -> Tagged:
        spans: dict[str, tuple[LabelledSpan, ...]] = {}
        classes: dict[str, dict[str, float]] = {}
        for n, head in enumerate(heads):
            own = [each[n] for each in logits]
            if head.kind == "tokens":
                chances = self._word_chances(head, words, windows, own)
                spans[head.name] = tuple(label_spans(text, words, chances, head))
            else:
                chances = probabilities(merge.weighted(own, windows), head.temperature)
                classes[head.name] = dict(zip(head.labels, chances.tolist(), strict=True))
        return Tagged(text, spans, classes)

    def _word_chances(
        self,
        head: Head,
        words: Sequence[Offsets],
        windows: Sequence[Encoded],
        logits: Sequence[Numbers],
    ) -> Numbers:
        """(words, labels); O for sure where a word has no token."""
        found, lacking = merge.of_words(len(words), windows, logits)
        chances = probabilities(found, head.temperature)
        chances[lacking] = [label == NO_SPAN for label in head.labels]
        return chances

    def _each(
        self,
        texts: Sequence[str],
        one: Callable[[str, Encoded], T],
        windows_of: Callable[[int], tuple[Sequence[Offsets], list[Encoded]]],
    ) -> Iterator[tuple[Sequence[Offsets], list[Encoded], list[T]]]:
        """The words and windows of each text, by its number, and `one` of each window."""
        for first in range(0, len(texts), BATCH):
            numbers = range(first, min(first + BATCH, len(texts)))
            read = [windows_of(n) for n in self._cancel.checked(numbers)]
            jobs = [
                (texts[n], window)
                for n, (_, windows) in zip(numbers, read, strict=True)
                for window in windows
            ]
            done = iter(self._longest_first(one, jobs))
            for words, windows in read:
                yield words, windows, list(islice(done, len(windows)))

    def _longest_first(
        self, one: Callable[[str, Encoded], T], jobs: Sequence[tuple[str, Encoded]]
    ) -> list[T]:
        order = sorted(range(len(jobs)), key=lambda n: -len(jobs[n][1]))
        made = onnx.each(lambda n: one(*jobs[n]), order, self._threads, "encode", self._cancel)
        done = dict(zip(order, made, strict=True))
        return [done[n] for n in range(len(jobs))]

    def _read(
        self, text: str, words: Sequence[Offsets] | None = None, overlap: int = 0
    ) -> tuple[Sequence[Offsets], list[Encoded]]:
        room = self.heads.max_tokens
        if words is None:
            return encode_text(text, self._tokenizer, room, overlap)
        return words, encode_words(text, words, self._tokenizer, room, overlap)

    def _run_one(self, text: str, window: Encoded, names: list[str]) -> list[Numbers]:
        """The outputs of those names for one window, without the batch axis."""
        return [made[0] for made in self._run([(text, window)], names)]

    def _run(self, jobs: Sequence[tuple[str, Encoded]], names: list[str]) -> list[Numbers]:
        """The outputs of those names for windows, padded to the longest."""
        import numpy as np

        longest = max(len(window) for _, window in jobs)
        feed = {name: np.zeros((len(jobs), longest), np.int64) for name in self._inputs}
        for row, (text, window) in enumerate(jobs):
            columns: dict[str, Any] = {
                "input_ids": window.ids,
                "attention_mask": 1,
                "token_type_ids": window.types,
            }
            if self.heads.shapes:
                columns[SHAPE_IDS] = token_shapes(text, window.offsets)
            for name, numbers in feed.items():
                numbers[row, : len(window)] = columns[name]
        try:
            made: list[Numbers] = self._session.run(names, feed)
            return made
        except Exception as error:  # onnxruntime's errors share no base
            told = f"{self.heads.name} failed: {onnx.error_line(error)}"
            raise CorruptModel(told, self._mend) from error

    def _state_output(self) -> str:
        """The output that holds token states: (batch, tokens, hidden)."""
        if STATES in self._outputs:
            return STATES
        for name, shape in self._outputs.items():
            if len(shape) == 3 and not self.heads.heads:
                return name
        raise CorruptModel(f"{self.heads.name} gives no token states", self._mend)
