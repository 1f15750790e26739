"""llama.cpp's C calls that make a model, its context and the adapter over it.

Knows no prompt and no error of ours: what cannot be made is None or False.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from types import ModuleType
from typing import Any

ALL_LAYERS = -1


def layer_choices(api: ModuleType) -> list[int]:
    """GPU layers to try in turn: all of them, fewer where the GPU is small, none."""
    return [ALL_LAYERS, 24, 12, 0] if api.llama_supports_gpu_offload() else [0]


def load_model(api: ModuleType, path: Path, layers: int) -> Any:
    """The model of a GGUF file, with so many layers on the GPU; None where that fails."""
    params = api.llama_model_default_params()
    params.n_gpu_layers = layers
    return api.llama_model_load_from_file(os.fsencode(path), params)


def open_context(
    api: ModuleType, model: Any, context_tokens: int, block_tokens: int, threads: int
) -> Any:
    """A context of at most `context_tokens`, read in blocks; None where there is no memory."""
    params = api.llama_context_default_params()
    params.n_ctx = min(context_tokens, api.llama_model_n_ctx_train(model))
    params.n_batch = params.n_ubatch = min(block_tokens, params.n_ctx)
    params.n_threads = params.n_threads_batch = threads
    params.no_perf = True
    return api.llama_init_from_model(model, params)


def adapt(api: ModuleType, model: Any, context: Any, path: Path) -> bool:
    """Put a low-rank adapter over the model; it is freed with the model."""
    adapter = api.llama_adapter_lora_init(model, os.fsencode(path))
    if not adapter:
        return False
    pointers = (api.llama_adapter_lora_p_ctypes * 1)(adapter)
    return bool(api.llama_set_adapters_lora(context, pointers, 1, (ctypes.c_float * 1)(1.0)) == 0)


def identity(api: ModuleType, path: Path, context: Any, layers: int, adapter: Path | None) -> str:
    """What a state depends on besides its tokens."""
    files = [(file.name, file.stat().st_size, file.stat().st_mtime_ns)
             for file in (path, adapter) if file is not None]  # fmt: skip
    engine = (api.__version__, api.llama_print_system_info().decode("utf-8", "replace"))
    sizes = (api.llama_n_ctx(context), api.llama_n_batch(context), layers)
    return repr((*files[0], *engine, *sizes, *files[1:]))
