"""Text to unit vectors, by a named sentence encoder.

Owns tokens, windows and pooling; knows no passage, document or library. Weights come from models.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, Self

from dragtor.config import models_path
from dragtor.embed.base import HF_PREFIX, Traits
from dragtor.embed.onnx import OnnxEmbedder
from dragtor.errors import UsageError
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.config import EmbedConfig, ModelsConfig

__all__ = ["Embedder", "OnnxEmbedder", "Traits", "open_embedder"]


class Embedder(Protocol):
    """Every vector is a float32 row of length 1; an empty text has one too.

    A text's vector does not depend on what it is embedded together with.
    """

    name: str
    dimension: int
    max_tokens: int  # text tokens that fit; special tokens and prefix are already taken off
    floor: float  # cosine below which a passage is not about a query; -1: not known
    fingerprint: str  # changes when the same text would get another vector

    def token_offsets(self, text: str) -> list[tuple[int, int]]:
        """Character span of each token of a text of any length, special tokens left out."""

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dimension); a text longer than `max_tokens` is read in windows, to its end."""

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(n, dimension); raises DragtorError for a text longer than `max_tokens`."""

    def embed_tokens(self, texts: Sequence[str]) -> list[NDArray[np.float32]]:
        """(tokens, hidden) for each text, as far as `max_tokens` reach; unit rows."""

    def embed_document(self, text: str, spans: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
        """(spans, dimension): late chunking, each span pooled from tokens that saw their context.

        Spans are characters of `text`, of any length and overlap. A span without a token is
        embedded as a passage.
        """

    def under(self, cancel: CancelToken) -> Self:
        """The same encoder, its weights shared, for another thread: it looks at `cancel`."""


def open_embedder(
    config: EmbedConfig, models: ModelsConfig, cancel: CancelToken = NEVER
) -> Embedder:
    """The encoder named in `config.model`, from disk; never from the network.

    Where `cancel` asks, it raises Cancelled between two texts. Raises UsageError for a name that
    is no encoder, Missing or CorruptModel for its files.
    """
    if config.model.startswith(HF_PREFIX):
        from dragtor.embed.hf import TransformersEmbedder

        return TransformersEmbedder.open(config.model, config, cancel)
    from dragtor.models import Catalogue, model_path

    catalogue = Catalogue.load()
    encoders = catalogue.names("encoder")
    if config.model not in encoders:
        known = ", ".join((*encoders, "hf:OWNER/REPO"))
        raise UsageError(f"unknown encoder {config.model!r}", f"encoders: {known}")
    spec = catalogue.get(config.model)
    folder = models_path(models)
    model_path(spec.name, folder, OnnxEmbedder.TOKENIZER)
    return OnnxEmbedder.open(spec, model_path(spec.name, folder).parent, config, cancel)
