"""Generation through dragtor's `llama` engine against a bare llama_cpp loop.

Same model file, prompt, context, threads and block size, alternating in one run. Bar: 0.95.
Run: python benchmarks/generation.py [MODEL] [REPETITIONS]
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

from common import save

from dragtor.config import LLMConfig, load_config, models_path
from dragtor.llm.llama import BLOCK_TOKENS, load_llama_cpp, open_llama, thread_count
from dragtor.models import model_path
from dragtor.types import Message

BAR = 0.95
CONTEXT_TOKENS = 2048
NEW_TOKENS = 96
PROMPT = [
    Message("system", "You answer in plain prose."),
    Message("user", "Explain at length how tendons adapt to climbing. " * 6),
]


def bare_loop(model: Any, ids: list[int]) -> tuple[float, float]:
    """Seconds to the first token, tokens a second after it: llama_cpp's own loop, no text."""
    model.reset()
    began = time.perf_counter()
    tokens = model.generate(ids, temp=0.0, reset=True)
    next(tokens)
    first = time.perf_counter()
    for _ in range(NEW_TOKENS - 1):
        model.detokenize([next(tokens)])
    ended = time.perf_counter()
    return first - began, (NEW_TOKENS - 1) / (ended - first)


def our_stream(llm: Any) -> tuple[float, float]:
    """The same through `stream`, text included."""
    llm._evaluated = []  # no prefix is reused: the bare loop has none either
    began = time.perf_counter()
    stream = llm.stream(PROMPT, max_tokens=NEW_TOKENS)
    next(stream)
    first = time.perf_counter()
    list(stream)
    ended = time.perf_counter()
    return first - began, (stream.completion_tokens - 1) / (ended - first)


def main(name: str, repetitions: int) -> int:
    path: Path = model_path(name, models_path(load_config().models))
    threads = thread_count(0, path.stat().st_size)
    load_llama_cpp()  # calms OpenMP for both, before the library is loaded
    import llama_cpp

    llm = open_llama(path, LLMConfig(context_tokens=CONTEXT_TOKENS, threads=threads, gpu_layers=0))
    bare = llama_cpp.Llama(
        str(path), n_ctx=CONTEXT_TOKENS, n_batch=BLOCK_TOKENS, n_ubatch=BLOCK_TOKENS,
        n_threads=threads, n_threads_batch=threads, verbose=False,
    )  # fmt: skip
    ids = llm.prompt_tokens(PROMPT)
    our_stream(llm), bare_loop(bare, ids)  # both warm
    ours, theirs = [], []
    for turn in range(repetitions):
        pair = [lambda: ours.append(our_stream(llm)), lambda: theirs.append(bare_loop(bare, ids))]
        for run in pair if turn % 2 == 0 else reversed(pair):
            run()
    figures = {
        "model": path.stem,
        "threads": threads,
        "prompt_tokens": len(ids),
        "new_tokens": NEW_TOKENS,
        "repetitions": repetitions,
        "bare_tokens_per_s": round(statistics.median(t for _, t in theirs), 2),
        "dragtor_tokens_per_s": round(statistics.median(t for _, t in ours), 2),
        "bare_first_token_s": round(statistics.median(s for s, _ in theirs), 3),
        "dragtor_first_token_s": round(statistics.median(s for s, _ in ours), 3),
        "ratio": round(
            statistics.median(o[1] / t[1] for o, t in zip(ours, theirs, strict=True)), 3
        ),
        "bar": BAR,
    }
    for key, value in figures.items():
        print(f"{key:22} {value}")
    save("generation", figures, ["llama_cpp_python"])
    return 0 if figures["ratio"] >= BAR else 1


if __name__ == "__main__":
    model = sys.argv[1] if len(sys.argv) > 1 else "qwen2.5-coder-1.5b"
    sys.exit(main(model, int(sys.argv[2]) if len(sys.argv) > 2 else 5))
