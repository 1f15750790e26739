"""llama.cpp's C calls that make a model, its context and the adapter over it.

Knows no prompt and no error of ours: what cannot be made is None or False.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from dragtor.types import CancelToken

ALL_LAYERS = -1


def layer_choices(api: ModuleType) -> list[int]:
    """GPU layers to try in turn: all of them, fewer where the GPU is small, none."""
    return [ALL_LAYERS, 24, 12, 0] if api.llama_supports_gpu_offload() else [0]


def load_model(api: ModuleType, path: Path, layers: int, cancel: CancelToken) -> Any:
    """The model of a GGUF file, with so many layers on the GPU; None where that fails or ends."""
    params = api.llama_model_default_params()
    params.n_gpu_layers = layers
    params.progress_callback = api.llama_progress_callback(lambda *_: not cancel.cancelled)
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


class Abort:
    """What ends llama_decode between two of its operations, from any thread.

    llama.cpp asks a function whether to stop, a thousand times a token. One of Python's would wait
    for the interpreter each time. Here it is C's own `strlen`, of a text that is empty (0: go on)
    until `stop` makes it one character long.
    """

    def __init__(self, api: ModuleType) -> None:
        self._text = ctypes.create_string_buffer(2)
        self._asked = ctypes.cast(ctypes.CDLL(None).strlen, api.ggml_abort_callback)
        self._api = api

    def watch(self, context: Any) -> None:
        """Have the context ask; this object must outlive it."""
        place = ctypes.cast(self._text, ctypes.c_void_p)
        self._api.llama_set_abort_callback(context, self._asked, place)

    def stop(self) -> None:
        """From now on every decoding ends at once."""
        self._text[0] = b"x"

    def renew(self) -> None:
        """Decode again."""
        self._text[0] = b"\0"


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
