"""What all encoders share: token ids, prefixes, windows, pooling, unit length.

A child turns token ids into token vectors. Knows no file format and no model library.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Self, TypeVar

from dragtor.errors import CorruptModel, DragtorError, UsageError
from dragtor.types import NEVER, CancelToken, utf8

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from dragtor.config import EmbedConfig

    Vectors = NDArray[np.float32]

T = TypeVar("T")
Ids = Sequence[int]

HF_PREFIX = "hf:"  # of the name of an encoder that transformers runs


@dataclass(frozen=True, slots=True)
class Traits:
    """What an encoder is, apart from its weights."""

    name: str
    fingerprint: str
    dimension: int
    max_tokens: int  # of one text, special tokens and prefix included
    pooling: Literal["mean", "cls"] = "mean"
    prefix_query: str = ""
    prefix_passage: str = ""
    floor: float = -1.0  # cosine below which a passage is not about a query
    mend: str = ""  # the command that fetches the weights again
    token_mean: str = ""  # of token vectors over English text, float16 in base64; empty: zero


class Window(NamedTuple):
    """Tokens `start:end` are read together; the vectors of `keep_start:keep_end` are used."""

    start: int
    end: int
    keep_start: int
    keep_end: int


class TokenEmbedder(ABC):
    """An Embedder, once `_encode` is there."""

    def __init__(
        self, tokenizer: Tokenizer, traits: Traits, config: EmbedConfig, cancel: CancelToken = NEVER
    ) -> None:
        tokenizer.no_padding()  # a tokenizer.json may hold a fixed length
        tokenizer.no_truncation()
        tokenizer.encode_special_tokens = True  # "[SEP]" inside a text is text
        self._tokenizer = tokenizer
        self._traits = traits
        self._cancel = cancel
        self._head, self._tail = _special_ids(tokenizer)
        self._query = _prefix_ids(tokenizer, traits.prefix_query)
        self._passage = _prefix_ids(tokenizer, traits.prefix_passage)
        self.name = traits.name
        self.dimension = traits.dimension
        self.fingerprint = traits.fingerprint
        self.floor = traits.floor
        special = len(self._head) + len(self._tail)
        prefix = max(len(self._query), len(self._passage))
        self.max_tokens = traits.max_tokens - special - prefix
        window = min(config.late_window_tokens, traits.max_tokens)
        self._window_tokens = window - special - len(self._passage)
        self._overlap_tokens = config.late_overlap_tokens
        self._read: dict[str, Vectors] = {}  # text -> its tokens' vectors, of the last call
        if min(self.max_tokens, self._window_tokens) < 1:
            raise UsageError(f"{self.name}: no room for text in {window} tokens")

    def under(self, cancel: CancelToken) -> Self:
        """The same encoder for another thread, see Embedder."""
        made = copy(self)
        made._cancel, made._read = cancel, {}
        return made

    @abstractmethod
    def _encode(self, sequences: Sequence[Ids], reduce: Callable[[int, Vectors], T]) -> list[T]:
        """`reduce(i, vectors)` for each sequence, in order; vectors: (tokens, hidden).

        Looks at `_cancel` between sequences or their batches.
        """

    def _project(self, pooled: Vectors) -> Vectors:
        """What the model does between pooling and unit length; (n, hidden) -> (n, dimension)."""
        return pooled

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Character span of each token of a text of any length, special tokens left out."""
        offsets: list[tuple[int, int]]
        offsets = self._tokenizer.encode(utf8(text), add_special_tokens=False).offsets
        return offsets

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """(n, dimension); a text longer than `max_tokens` is read in windows, to its end."""
        rows, parts = [], []
        for row, ids in enumerate(self._ids(texts)):
            for start, end in even_cuts(len(ids), self.max_tokens):
                rows.append(row)
                parts.append(ids[start:end])
        return self._embed(parts, self._query, rows, len(texts))

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, dimension); raises DragtorError for a text longer than `max_tokens`."""
        parts = self._ids(texts)
        longest = max(map(len, parts), default=0)
        if longest > self.max_tokens:
            raise DragtorError(
                f"a passage of {longest} tokens: {self.name} reads {self.max_tokens} at most",
                f"set split.tokens to {self.max_tokens} or less",
            )
        return self._embed(parts, self._passage, range(len(parts)), len(parts))

    def embed_tokens(self, texts: Sequence[str]) -> list[Vectors]:
        """(tokens, hidden) for each text, as far as `max_tokens` reach: unit rows, less the mean.

        What all tokens share says nothing; taken off, the cosine of two tells whether they mean
        the same (cf. Mu & Viswanath 2018, "All-but-the-Top"). Special tokens are left out.
        What the call before read is not read again: reranker and gate look at the same passages.
        """
        known = self._read
        new = [text for text in dict.fromkeys(texts) if text not in known]
        read = known | dict(zip(new, self._read_tokens(new), strict=True))
        self._read = {text: read[text] for text in texts}
        return [read[text] for text in texts]

    def _read_tokens(self, texts: Sequence[str]) -> list[Vectors]:
        import base64

        import numpy as np

        lead = len(self._head) + len(self._passage)
        kept = [ids[: self.max_tokens] for ids in self._ids(texts)]
        mean = np.frombuffer(base64.b64decode(self._traits.token_mean), "<f2").astype(np.float32)

        def rows(i: int, vectors: Vectors) -> Vectors:
            own = vectors[lead : lead + len(kept[i])]
            own = own - mean if mean.size else own.copy()
            unit: Vectors = own / np.maximum(np.linalg.norm(own, axis=1, keepdims=True), 1e-9)
            return unit

        return self._encode([self._sequence(ids, self._passage) for ids in kept], rows)

    def embed_document(self, text: str, spans: Sequence[tuple[int, int]]) -> Vectors:
        """(spans, dimension): late chunking (Günther et al. 2024, "Late Chunking").

        The document is read in overlapping windows; a token's vector comes from the window
        where it stands furthest from an edge, and a span is the mean of its tokens' vectors.
        """
        import numpy as np

        encoding = self._tokenizer.encode(utf8(text), add_special_tokens=False)
        ids, bounds = encoding.ids, _token_spans(encoding.offsets, spans)
        windows = late_windows(len(ids), self._window_tokens, self._overlap_tokens)
        lead = len(self._head) + len(self._passage)

        def sums(i: int, vectors: Vectors) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
            window = windows[i]
            skip = lead + window.keep_start - window.start
            kept = vectors[skip : skip + window.keep_end - window.keep_start]
            running = np.zeros((len(kept) + 1, kept.shape[1]))
            np.cumsum(kept, axis=0, dtype=np.float64, out=running[1:])
            inside = np.clip(bounds - window.keep_start, 0, len(kept))
            touched = np.flatnonzero(inside[:, 1] > inside[:, 0])
            low, high = inside[touched].T
            return touched, running[high] - running[low]

        parts = [self._sequence(ids[w.start : w.end], self._passage) for w in windows]
        total: NDArray[np.float64] | None = None
        for touched, part in self._encode(parts, sums) if len(spans) else ():
            if total is None:
                total = np.zeros((len(spans), part.shape[1]))
            total[touched] += part
        counts = np.maximum(bounds[:, 1] - bounds[:, 0], 0)
        return self._spans_to_rows(text, spans, total, counts)

    def _spans_to_rows(
        self,
        text: str,
        spans: Sequence[tuple[int, int]],
        total: NDArray[np.float64] | None,
        counts: NDArray[np.intp],
    ) -> Vectors:
        import numpy as np

        rows = np.zeros((len(spans), self.dimension), dtype=np.float32)
        full, bare = np.flatnonzero(counts), np.flatnonzero(counts == 0)
        if total is not None and len(full):
            means = total[full] / counts[full, None]
            rows[full] = self._unit(self._project(means.astype(np.float32)))
        if len(bare):
            rows[bare] = self.embed_passages([text[slice(*spans[i])] for i in bare.tolist()])
        return rows

    def _embed(self, parts: Sequence[Ids], prefix: Ids, rows: Sequence[int], n: int) -> Vectors:
        """Row `rows[i]` of the result is the mean of its parts, weighted by their tokens."""
        import numpy as np

        if n == 0:
            return np.zeros((0, self.dimension), dtype=np.float32)
        sequences = [self._sequence(part, prefix) for part in parts]
        first = self._traits.pooling == "cls"
        pooled = self._encode(sequences, lambda _, v: v[0].copy() if first else v.mean(axis=0))
        total = np.zeros((n, len(pooled[0])), dtype=np.float32)
        weight = np.zeros((n, 1), dtype=np.float32)
        for row, vector, part in zip(rows, pooled, parts, strict=True):
            tokens = max(len(part), 1)
            total[row] += tokens * vector
            weight[row] += tokens
        return self._unit(self._project(total / weight))

    def _unit(self, rows: Vectors) -> Vectors:
        import numpy as np

        norms = np.linalg.norm(rows, axis=1, keepdims=True)
        if rows.shape[1] != self.dimension or not np.all(np.isfinite(norms) & (norms > 0)):
            reason = f"{self.name} gives no vectors of {self.dimension} numbers"
            raise CorruptModel(reason, self._traits.mend)
        unit: Vectors = (rows / norms).astype(np.float32, copy=False)
        return unit

    def _ids(self, texts: Sequence[str]) -> list[Ids]:
        readable = [utf8(text) for text in texts]
        encodings = self._tokenizer.encode_batch_fast(readable, add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def _sequence(self, ids: Ids, prefix: Ids) -> Ids:
        return [*self._head, *prefix, *ids, *self._tail]


def even_cuts(n: int, size: int) -> list[tuple[int, int]]:
    """`0:n` in as few stretches of at most `size` as can be, of near-equal length; one if n = 0."""
    count = max(1, -(-n // size))
    return [(n * i // count, n * (i + 1) // count) for i in range(count)]


def late_windows(n: int, size: int, overlap: int) -> list[Window]:
    """Windows over `n` tokens; the kept parts tile `0:n`, meeting in the middle of overlaps.

    They overlap by half a window at most, and by more only where the last one is drawn back to be
    full.
    """
    if n == 0:
        return []
    step = size - min(max(overlap, 0), size // 2)
    starts = [*range(0, max(n - size, 0), step), max(n - size, 0)]
    ends = [min(start + size, n) for start in starts]
    cuts = [(starts[i + 1] + ends[i]) // 2 for i in range(len(starts) - 1)]
    return [Window(*w) for w in zip(starts, ends, [0, *cuts], [*cuts, n], strict=True)]


def _token_spans(
    offsets: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int]]
) -> NDArray[np.intp]:
    """(spans, 2): for each span of characters the half-open range of tokens that touch it."""
    import numpy as np

    edges = np.maximum.accumulate(np.array(offsets, dtype=np.intp).reshape(-1, 2), axis=0)
    places = np.array(spans, dtype=np.intp).reshape(-1, 2)
    first = np.searchsorted(edges[:, 1], places[:, 0], side="right")
    last = np.searchsorted(edges[:, 0], places[:, 1], side="left")
    return np.stack([first, last], axis=1)


def _special_ids(tokenizer: Tokenizer) -> tuple[Ids, Ids]:
    """What the tokenizer puts before and after every text."""
    encoding = tokenizer.encode("a")
    body = [i for i, special in enumerate(encoding.special_tokens_mask) if not special]
    return encoding.ids[: body[0]], encoding.ids[body[-1] + 1 :]


def _prefix_ids(tokenizer: Tokenizer, prefix: str) -> Ids:
    """Ids that, put before the ids of a text, equal those of prefix and text together.

    Some tokenizers give a blank to the word after it, others to the word before.
    """
    if not prefix:
        return []

    def ids(text: str) -> list[int]:
        found: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
        return found

    bare = ids(prefix.rstrip())
    return bare if bare + ids("hand") == ids(prefix + "hand") else ids(prefix)
