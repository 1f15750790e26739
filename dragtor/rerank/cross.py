"""Cross-encoders in ONNX, run by ONNX Runtime on the CPU: question and passage read as one text.

One pair a run and one core a run, as many runs at once as there are cores: a score is the same
alone and in company, and nothing is padded.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from dragtor import onnx
from dragtor.errors import CorruptModel
from dragtor.types import NEVER, CancelToken, utf8

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer


class CrossEncoder:
    """A Reranker over a sequence-classification model of one logit, or of two (no, yes)."""

    TOKENIZER = "tokenizer.json"
    weight = 1.0
    sure = inf

    def __init__(
        self,
        name: str,
        session: InferenceSession,
        tokenizer: Tokenizer,
        max_tokens: int,
        threads: int = 0,
        cancel: CancelToken = NEVER,
    ) -> None:
        self.name = name
        self._session = session
        self._hint = f"dragtor models pull {name}"
        self._inputs = onnx.input_names(session, name, self._hint)
        self._threads = threads
        self._cancel = cancel
        self._max_tokens = max_tokens
        tokenizer.no_padding()  # a tokenizer.json may hold a fixed length
        tokenizer.encode_special_tokens = True  # "[SEP]" inside a text is text
        self._tokenizer = tokenizer

    @classmethod
    def open(
        cls,
        name: str,
        weights: Path,
        tokenizer: Path,
        max_tokens: int,
        threads: int = 0,
        cancel: CancelToken = NEVER,
    ) -> CrossEncoder:
        """Load model.onnx and tokenizer.json; raises CorruptModel where one cannot be read."""
        hint = f"dragtor models pull {name}"
        session = onnx.open_session(weights, hint)
        reads = onnx.open_tokenizer(tokenizer, hint)
        return cls(name, session, reads, max_tokens, threads, cancel)

    def score(self, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """(n,): the probability that the passage is relevant, as the model was trained to say."""
        import numpy as np

        asked = self._shortened(utf8(query))
        self._tokenizer.enable_truncation(self._max_tokens, strategy="only_second")
        found = onnx.each(
            lambda text: self._one(asked, text), passages, self._threads, "rerank", self._cancel
        )
        return np.array(found, np.float32)

    def _shortened(self, query: str) -> str:
        """The query, cut to half the room where it is longer: the passage has the rest."""
        self._tokenizer.no_truncation()
        offsets = self._tokenizer.encode(query, add_special_tokens=False).offsets
        room = self._max_tokens // 2
        return query if len(offsets) <= room else query[: offsets[room - 1][1]]

    def _one(self, query: str, passage: str) -> float:
        import numpy as np

        pair = self._tokenizer.encode(query, utf8(passage))
        columns = {
            "input_ids": pair.ids,
            "attention_mask": pair.attention_mask,
            "token_type_ids": pair.type_ids,
        }
        feed = {name: np.array([columns[name]], np.int64) for name in self._inputs}
        try:
            logits = np.asarray(self._session.run(None, feed)[0], np.float64)
        except Exception as error:  # onnxruntime's errors share no base
            told = f"{self.name} failed: {onnx.error_line(error)}"
            raise CorruptModel(told, self._hint) from error
        if logits.shape not in ((1, 1), (1, 2)) or not np.isfinite(logits).all():
            raise CorruptModel(f"{self.name} gives no relevance for a pair of texts", self._hint)
        gain = logits[0, 0] if logits.size == 1 else logits[0, 1] - logits[0, 0]
        return float(1 / (1 + np.exp(-np.clip(gain, -50, 50))))
