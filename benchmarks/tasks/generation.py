"""Generation through dragtor's `llama` engine against a bare llama_cpp loop.

Same model file, prompt, context, threads and block size, taking turns in one run.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dragtor.config import LLMConfig, load_config, models_path
from dragtor.llm import GenerationOptions
from dragtor.llm.llama import BLOCK_TOKENS, load_llama_cpp, open_llama, thread_count
from dragtor.models import model_path
from dragtor.types import Message

CONTEXT_TOKENS = 2048
NEW_TOKENS = 97
TURN_TOKENS = 4
PROMPT = [
    Message("system", "You answer in plain prose."),
    Message("user", "Explain at length how tendons adapt to climbing. " * 6),
]


def bare_loop(model: Any, ids: list[int]) -> Iterator[bytes]:
    """The barest loop over llama_cpp: evaluate, sample, turn into bytes."""
    model.reset()
    for token in model.generate(ids, temp=0.0):
        yield model.detokenize([token])


def our_stream(llm: Any) -> Iterator[str]:
    """The same through `stream`: chat template, stop strings and UTF-8 included."""
    llm._evaluated = []  # no prefix is reused: the bare loop has none either
    return iter(llm.stream(PROMPT, GenerationOptions(NEW_TOKENS)))


def race(runners: dict[str, Callable[[], Iterator[Any]]]) -> dict[str, tuple[float, float]]:
    """Seconds to the first token and seconds for the rest, of each runner.

    They take turns every few tokens, so that other load on the machine falls on both alike.
    """
    streams, seconds = {}, {}
    for name, start in runners.items():
        began = time.perf_counter()
        streams[name] = start()
        next(streams[name])
        seconds[name] = (time.perf_counter() - began, 0.0)
    for turn in range((NEW_TOKENS - 1) // TURN_TOKENS):
        for name in list(runners) if turn % 2 == 0 else reversed(list(runners)):
            began = time.perf_counter()
            for _ in range(TURN_TOKENS):
                next(streams[name])
            first, rest = seconds[name]
            seconds[name] = (first, rest + time.perf_counter() - began)
    return seconds


def run(model: str = "qwen2.5-coder-1.5b", repetitions: int = 5) -> dict[str, Any]:
    """Tokens a second of both, after the first; their ratio is of each race, its median."""
    path: Path = model_path(model, models_path(load_config().models))
    threads = thread_count(0, path.stat().st_size)
    load_llama_cpp()  # calms OpenMP for both, before the library is loaded
    import llama_cpp

    llm = open_llama(path, LLMConfig(context_tokens=CONTEXT_TOKENS, threads=threads, gpu_layers=0))
    bare = llama_cpp.Llama(
        str(path), n_ctx=CONTEXT_TOKENS, n_batch=BLOCK_TOKENS, n_ubatch=BLOCK_TOKENS,
        n_threads=threads, n_threads_batch=threads, verbose=False,
    )  # fmt: skip
    ids = llm.prompt_tokens(PROMPT)
    runners: dict[str, Callable[[], Iterator[Any]]] = {
        "bare": lambda: bare_loop(bare, ids),
        "dragtor": lambda: our_stream(llm),
    }
    race(runners)  # warms both
    orders = [runners, dict(reversed(runners.items()))]
    races = [race(orders[turn % 2]) for turn in range(repetitions)]
    made = (NEW_TOKENS - 1) // TURN_TOKENS * TURN_TOKENS
    first = {name: statistics.median(r[name][0] for r in races) for name in runners}
    rate = {name: statistics.median(made / r[name][1] for r in races) for name in runners}
    return {
        "model": path.stem,
        "threads": threads,
        "prompt_tokens": len(ids),
        "new_tokens": NEW_TOKENS,
        "repetitions": repetitions,
        "bare_tokens_per_s": round(rate["bare"], 2),
        "dragtor_tokens_per_s": round(rate["dragtor"], 2),
        "bare_first_token_s": round(first["bare"], 3),
        "dragtor_first_token_s": round(first["dragtor"], 3),
        "ratio": round(statistics.median(r["bare"][1] / r["dragtor"][1] for r in races), 3),
    }
