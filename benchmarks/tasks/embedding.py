"""Embedding speed: dragtor's ONNX int8 encoder against transformers + torch on the CPU.

Same architecture, same texts of 190 tokens, same threads, same run, alternating; tokenising counts
for both, and torch has the fastest of its batch sizes. Torch runs gte-small's architecture with
random weights: they cost what the real ones cost. `fp32` names the official ONNX file, to measure
how far int8 is from it.
"""

from __future__ import annotations

import os
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dragtor.config import EmbedConfig, ModelsConfig, models_path
from dragtor.embed import Embedder, open_embedder

MODEL = "gte-small"
TOKENS = 190  # special tokens included
TORCH_BATCHES = (1, 8, 32)

Run = Callable[[list[str]], Any]


def make_texts(n: int) -> list[str]:
    """Texts of whole words, exactly TOKENS tokens each."""
    from tokenizers import Tokenizer

    path = models_path(ModelsConfig()) / MODEL / "tokenizer.json"
    words = sorted(w for w in Tokenizer.from_file(str(path)).get_vocab() if w.isalpha())
    draw = random.Random(7)
    return [" ".join(draw.choices(words, k=TOKENS - 2)) for _ in range(n)]


def torch_runner(threads: int, batch: int) -> Run:
    """transformers as its documentation shows it: padded batches, mean over the mask."""
    import torch
    import transformers

    torch.set_num_threads(threads)
    config = transformers.BertConfig(
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=12,
        intermediate_size=1536,
        max_position_embeddings=512,
    )
    model = transformers.BertModel(config, add_pooling_layer=False).eval()
    path = models_path(ModelsConfig()) / MODEL / "tokenizer.json"
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_file=str(path), pad_token="[PAD]")

    def run(texts: list[str]) -> None:
        for i in range(0, len(texts), batch):
            inputs = tokenizer(
                texts[i : i + batch],
                padding="longest",
                truncation=True,
                max_length=512,
                return_tensors="pt",
                return_token_type_ids=False,
            )
            assert inputs["input_ids"].shape[1] == TOKENS
            with torch.inference_mode():
                vectors = model(**inputs).last_hidden_state
                mask = inputs["attention_mask"].unsqueeze(-1)
                mean = (vectors * mask).sum(1) / mask.sum(1)
                torch.nn.functional.normalize(mean, dim=1).numpy()

    return run


def seconds(run: Run, texts: list[str]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    run(texts)
    return time.perf_counter() - wall, time.process_time() - processor


def compare(ours: Run, torch_run: Run, texts: list[str], rounds: int) -> dict[str, Any]:
    """Passages a second of both, round by round, and per processor second."""
    rows: dict[str, list[tuple[float, float]]] = {"dragtor": [], "torch": []}
    for _ in range(rounds):
        for name, run in (("dragtor", ours), ("torch", torch_run)):
            rows[name].append(seconds(run, texts))
    n = len(texts)
    figures: dict[str, Any] = {}
    for name, times in rows.items():
        figures[f"{name}_per_s"] = [round(n / wall, 1) for wall, _ in times]
        figures[f"{name}_per_cpu_s"] = [round(n / processor, 1) for _, processor in times]
    both = list(zip(rows["dragtor"], rows["torch"], strict=True))
    figures["ratio"] = round(statistics.median(t[0] / d[0] for d, t in both), 2)
    figures["ratio_cpu"] = round(statistics.median(t[1] / d[1] for d, t in both), 2)
    return figures


def company(embedder: Embedder, texts: list[str]) -> float:
    """Largest difference between a vector made alone and in company of shorter and longer texts."""
    texts = [*texts, *(text[: 10 * i] for i, text in enumerate(texts))]
    together = embedder.embed_passages(texts)
    alone = np.concatenate([embedder.embed_passages([text]) for text in texts])
    return float(np.abs(together - alone).max())


def cosine_to_fp32(embedder: Embedder, fp32: Path, texts: list[str]) -> dict[str, float]:
    """Mean and least cosine between the int8 vectors and those of the official fp32 file."""
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(models_path(ModelsConfig()) / MODEL / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    session = onnxruntime.InferenceSession(str(fp32), providers=["CPUExecutionProvider"])
    rows = []
    for text in texts:
        ids = np.array([tokenizer.encode(text).ids], dtype=np.int64)
        feed = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        mean = session.run(None, feed)[0][0].mean(axis=0)
        rows.append(mean / np.linalg.norm(mean))
    cosines = (np.stack(rows) * embedder.embed_passages(texts)).sum(axis=1)
    return {"mean": round(float(cosines.mean()), 5), "min": round(float(cosines.min()), 5)}


def run(passages: int = 64, rounds: int = 5, fp32: str = "") -> dict[str, Any]:
    """Passages a second of both, and what one query costs."""
    threads = os.cpu_count() or 1
    texts = make_texts(passages)
    start = time.perf_counter()
    embedder = open_embedder(EmbedConfig(model=MODEL, threads=threads), ModelsConfig())
    opened = time.perf_counter() - start
    embedder.embed_passages(texts[:8])
    tries = {size: torch_runner(threads, size) for size in TORCH_BATCHES}
    pace = {}
    for size, each in tries.items():
        each(texts[:2])
        pace[size] = seconds(each, texts[:32])[0]
    batch = min(pace, key=lambda size: pace[size])
    query = ["when may I climb again after an a2 pulley strain?"]
    times = [seconds(embedder.embed_queries, query)[0] for _ in range(30)]
    figures = {
        "model": MODEL,
        "tokens": TOKENS,
        "threads": threads,
        "passages": len(texts),
        "torch_batch": batch,
        **compare(embedder.embed_passages, tries[batch], texts, rounds),
        "open_ms": round(1000 * opened),
        "query_ms": round(1000 * statistics.median(times), 1),
        "largest_difference_in_company": company(embedder, texts[:16]),
    }
    if fp32:
        figures["cosine_to_fp32"] = cosine_to_fp32(embedder, Path(fp32), texts)
    return figures
