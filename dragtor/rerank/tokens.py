"""Matching the question's tokens against a passage's, by the sentence encoder that is open anyway.

Late interaction as in Khattab & Zaharia 2020, "ColBERT", with vectors that nobody trained for it.
Needs no other model; knows no encoder but what embeds tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

EmbedTokens = Callable[[Sequence[str]], "list[NDArray[np.float32]]"]  # unit rows, one a token


def mean_best_cosine(asked: NDArray[np.float32], tokens: NDArray[np.float32]) -> float:
    """Over the tokens asked for, the mean of each one's best cosine; unit rows, 0 without any."""
    return float((asked @ tokens.T).max(1).mean()) if len(asked) and len(tokens) else 0.0


class TokenReranker:
    """A Reranker: the mean over the question's tokens of their best cosine in the passage."""

    name = "tokens"
    weight = 0.9  # chosen on training questions; docs/retrieval.md
    sure = inf

    def __init__(self, embed_tokens: EmbedTokens) -> None:
        self._embed_tokens = embed_tokens

    def score(self, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """(n,); 0 for a question or a passage without a token."""
        import numpy as np

        asked, *read = self._embed_tokens([query, *passages])
        scores = [mean_best_cosine(asked, tokens) for tokens in read]
        return np.clip(np.asarray(scores, np.float32), 0, 1)
