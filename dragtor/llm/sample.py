"""What llama.cpp's logits are made into: a token, under a temperature and a grammar; probabilities.

Knows no prompt: the logits are those after the last token that a context has read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from dragtor.errors import GenerationError
from dragtor.llm.base import GenerationOptions

TOP_K, TOP_P, MIN_P = 40, 0.95, 0.05  # llama.cpp's own defaults, when temperature > 0


def log_probs_of(api: ModuleType, context: Any, vocab: Any, tokens: list[int]) -> list[float]:
    """Natural logarithms of the probabilities that `tokens` come next."""
    import numpy as np

    pointer = api.llama_get_logits_ith(context, -1)
    size = api.llama_vocab_n_tokens(vocab)
    logits = np.ctypeslib.as_array(pointer, (size,)).astype(np.float64)
    top = logits.max()
    total = top + np.log(np.exp(logits - top).sum())
    return [float(logits[token] - total) for token in tokens]


def likeliest(
    api: ModuleType, context: Any, vocab: Any, allowed: Sequence[int]
) -> tuple[int, float]:
    """The likeliest next token of `allowed`, and its probability among all tokens."""
    import numpy as np

    pointer = api.llama_get_logits_ith(context, -1)
    logits = np.ctypeslib.as_array(pointer, (api.llama_vocab_n_tokens(vocab),))
    best = allowed[int(logits[list(allowed)].argmax())]
    return best, float(1 / np.exp(logits - logits[best]).sum())


@contextmanager
def sampler(api: ModuleType, vocab: Any, options: GenerationOptions) -> Iterator[Any]:
    """A sampler chain of the options' temperature, seed and JSON schema."""
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
    if options.json_schema is not None:
        rules = str(json_schema_to_gbnf(json.dumps(options.json_schema)))
        made = api.llama_sampler_init_grammar(vocab, rules.encode(), b"root")
        if made is None:
            api.llama_sampler_free(chain)
            raise GenerationError("llama.cpp does not take this JSON schema")
        api.llama_sampler_chain_add(chain, made)
    if options.temperature <= 0:
        steps = [api.llama_sampler_init_greedy()]
    else:
        steps = [
            api.llama_sampler_init_top_k(TOP_K),
            api.llama_sampler_init_top_p(TOP_P, 1),
            api.llama_sampler_init_min_p(MIN_P, 1),
            api.llama_sampler_init_temp(options.temperature),
            api.llama_sampler_init_dist(options.seed),
        ]
    for step in steps:
        api.llama_sampler_chain_add(chain, step)
    try:
        yield chain
    finally:
        api.llama_sampler_free(chain)
