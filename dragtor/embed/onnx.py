"""Sentence encoders in ONNX, run by ONNX Runtime on the CPU: the default.

One text a run, one core a run, as many runs at once as there are cores. An int8 encoder scales
its activations by the whole batch, so a text's vector would depend on its batch mates; and a
batch is no faster there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dragtor import onnx
from dragtor.embed.base import Ids, TokenEmbedder, Traits
from dragtor.errors import CorruptModel, Missing
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Tokenizer

    from dragtor.config import EmbedConfig
    from dragtor.models import ModelSpec

T = TypeVar("T")


class OnnxEmbedder(TokenEmbedder):
    """An Embedder whose vectors are the same bits alone, in company and on any thread count."""

    TOKENIZER = "tokenizer.json"

    def __init__(
        self,
        session: InferenceSession,
        tokenizer: Tokenizer,
        traits: Traits,
        config: EmbedConfig,
        cancel: CancelToken = NEVER,
    ) -> None:
        super().__init__(tokenizer, traits, config, cancel)
        self._session = session
        self._inputs = onnx.input_names(session, self.name, traits.mend)
        self._output = _token_output(session, traits)
        self._threads = config.threads

    @classmethod
    def open(
        cls, spec: ModelSpec, folder: Path, config: EmbedConfig, cancel: CancelToken = NEVER
    ) -> OnnxEmbedder:
        """Load the encoder and its tokenizer.json from `folder`; raises Missing, CorruptModel."""
        mend = f"dragtor models pull {spec.name}"
        for name in (spec.main_file, cls.TOKENIZER):
            if not (folder / name).is_file():
                raise Missing(f"{folder / name} is not there", mend)
        traits = Traits(
            name=spec.name,
            fingerprint=spec.fingerprint(),
            dimension=spec.dimension,
            max_tokens=spec.max_tokens,
            pooling=spec.pooling,
            prefix_query=spec.prefix_query,
            prefix_passage=spec.prefix_passage,
            floor=spec.floor,
            mend=mend,
            token_mean=spec.token_mean,
        )
        session = onnx.open_session(folder / spec.main_file, mend)
        tokenizer = onnx.open_tokenizer(folder / cls.TOKENIZER, mend)
        return cls(session, tokenizer, traits, config, cancel)

    def _encode(
        self, sequences: Sequence[Ids], reduce: Callable[[int, NDArray[np.float32]], T]
    ) -> list[T]:
        def one(i: int) -> T:
            return reduce(i, self._token_vectors(sequences[i]))

        longest_first = sorted(range(len(sequences)), key=lambda i: -len(sequences[i]))
        made = onnx.each(one, longest_first, self._threads, "embed", self._cancel)
        done = dict(zip(longest_first, made, strict=True))
        return [done[i] for i in range(len(sequences))]

    def _token_vectors(self, ids: Ids) -> NDArray[np.float32]:
        import numpy as np

        tokens = np.array([ids], dtype=np.int64)
        feed = {name: np.zeros_like(tokens) for name in self._inputs}
        feed |= {"input_ids": tokens}
        if "attention_mask" in feed:
            feed["attention_mask"] = np.ones_like(tokens)
        try:
            vectors: NDArray[np.float32] = self._session.run([self._output], feed)[0][0]
        except Exception as error:  # onnxruntime's errors share no base
            raise CorruptModel(
                f"{self.name} failed: {onnx.error_line(error)}", self._traits.mend
            ) from error
        return vectors


def _token_output(session: Any, traits: Traits) -> str:
    """The output that holds token vectors: (texts, tokens, hidden)."""
    for output in session.get_outputs():
        if len(output.shape) == 3:
            name: str = output.name
            return name
    raise CorruptModel(f"{traits.name} gives no token vectors", traits.mend)
