"""Reading the best hits again, each together with the question, by a model chosen by name.

Gives a score to a text; does not know where the text stands nor what else was found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from dragtor.config import models_path
from dragtor.errors import UsageError
from dragtor.rerank.cross import CrossEncoder
from dragtor.rerank.llm import Chooser, LlmReranker
from dragtor.rerank.read import READER_WEIGHT, SURE, ReaderReranker
from dragtor.rerank.tokens import EmbedTokens, TokenReranker
from dragtor.types import NEVER, CancelToken, Reader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.config import ModelsConfig

__all__ = [
    "READER_WEIGHT", "SURE", "CrossEncoder", "LlmReranker", "ReaderReranker", "Reranker",
    "open_reranker",
]  # fmt: skip


class Reranker(Protocol):
    """A passage's score does not depend on what else is scored with it."""

    name: str
    weight: float  # of its score against the hybrid score, 0 to 1: how far its order is trusted
    sure: float  # where one of the first scores so much, no other need be read; inf: all are

    def score(self, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """(n,) in 0..1, higher is better; a passage too long to be read is read as far as fits."""


def open_reranker(
    name: str,
    models: ModelsConfig,
    llm: Callable[[], Chooser],
    embed_tokens: EmbedTokens,
    reader: Callable[[], Reader] | None = None,
    cancel: CancelToken = NEVER,
) -> Reranker | None:
    """None for `none`; `tokens`; `llm`; `reader`; or a cross-encoder of config/models.yml.

    `embed_tokens`, `llm` and `reader` are called when passages are scored.
    Raises UsageError for an unknown name, Missing or CorruptModel for a cross-encoder's files.
    """
    if name == "none":
        return None
    if name == "tokens":
        return TokenReranker(embed_tokens)
    if name == "llm":
        return LlmReranker(llm)
    if name == "reader" and reader is not None:
        return ReaderReranker(reader)
    from dragtor.models import Catalogue, model_path

    catalogue = Catalogue.load()
    known = catalogue.names("reranker")
    if name not in known:
        raise UsageError(
            f"unknown reranker {name!r}",
            f"rerankers: none, tokens, llm, reader, {', '.join(known)}",
        )
    spec, folder = catalogue.get(name), models_path(models)
    weights = model_path(name, folder)
    tokenizer = model_path(name, folder, CrossEncoder.TOKENIZER)
    return CrossEncoder.open(name, weights, tokenizer, spec.max_tokens, cancel=cancel)
