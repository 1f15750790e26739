"""llama.cpp in this process, through llama-cpp-python's C bindings: its own small decode loop.

The loop evaluates prompts in fixed blocks, so that a reused prefix gives the same text as a fresh
start, and looks at signals between blocks. Knows no catalogue: it is given a file.
"""

from __future__ import annotations

import codecs
import ctypes
import json
import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from dragtor.config import LLMConfig
from dragtor.errors import CorruptModel, GenerationError
from dragtor.extras import require
from dragtor.llm.base import Stream, Usage, check_gguf, check_room, printable, split_rendered
from dragtor.types import Message

BLOCK_TOKENS = 128  # evaluated at once: at most this long until an interrupt is seen
GPU_BLOCK_TOKENS = 512
TOP_K, TOP_P, MIN_P = 40, 0.95, 0.05  # llama.cpp's own defaults, when temperature > 0
ALL_LAYERS = -1
TINY_MODEL_BYTES = 300_000_000
BUSY_SAMPLE_S = 0.1
_said: list[str] = []  # llama.cpp's error lines; its log is kept off stderr
_log_callback: Any = None  # ctypes must not collect it


def calm_openmp() -> None:
    """Stop waiting threads from spinning; holds only before the OpenMP library is loaded.

    On a loaded machine libgomp's default spins away the time that the working threads need.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def thread_count(asked: int, model_bytes: int) -> int:
    """`asked`, or with 0 the cores that are free now: a thread without a core stops the others.

    Tiny models get one thread, since waiting for a second costs more than it brings.
    """
    if asked > 0:
        return asked
    if model_bytes < TINY_MODEL_BYTES:
        return 1
    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cores = min(psutil.cpu_count(logical=False) or 1, allowed or 1)
    busy = psutil.cpu_percent(interval=BUSY_SAMPLE_S) / 100 * (os.cpu_count() or 1)
    return max(1, min(cores, round((allowed or 1) - busy)))


def load_llama_cpp() -> ModuleType:
    """The `llama_cpp` module, quiet; raises Missing with the install command."""
    global _log_callback
    calm_openmp()
    module = require("llama_cpp", extra="llama")
    if _log_callback is None:

        @module.llama_log_callback  # type: ignore[untyped-decorator]
        def keep(level: int, text: bytes, _: Any) -> None:
            if level == 4:  # GGML_LOG_LEVEL_ERROR
                _said.append(text.decode("utf-8", "replace").strip())
                del _said[:-5]

        _log_callback = keep
        module.llama_log_set(keep, ctypes.c_void_p(0))
        module.llama_backend_init()
    return module


def open_llama(path: Path, config: LLMConfig, hint: str = "") -> LlamaCpp:
    """Load a GGUF file. Raises Missing or CorruptModel with `hint`, which gets the file."""
    hint = hint or f"get {path.name} again"
    check_gguf(path, hint)
    api = load_llama_cpp()
    choices = [config.gpu_layers]
    if config.gpu_layers == -2:
        choices = _layer_choices(api)
    threads = thread_count(config.threads, path.stat().st_size)
    _said.clear()
    for layers in choices:
        model = _load_model(api, path, layers)
        if model is None:
            continue
        context = _open_context(api, model, config, layers, threads)
        if context is not None:
            return LlamaCpp(api, model, context, path.stem)
        api.llama_model_free(model)
    reason = f": {_said[0]}" if _said else ""
    if model is not None:
        raise GenerationError(
            f"no memory for {path.name} with {config.context_tokens} tokens of context{reason}",
            "set llm.context_tokens or llm.gpu_layers lower in params.yml",
        )
    raise CorruptModel(f"llama.cpp cannot load {path.name}{reason}", hint)


def _layer_choices(api: ModuleType) -> list[int]:
    """GPU layers to try in turn: all of them, fewer where the GPU is small, none."""
    return [ALL_LAYERS, 24, 12, 0] if api.llama_supports_gpu_offload() else [0]


def _load_model(api: ModuleType, path: Path, layers: int) -> Any:
    params = api.llama_model_default_params()
    params.n_gpu_layers = layers
    return api.llama_model_load_from_file(os.fsencode(path), params)


def _open_context(api: ModuleType, model: Any, config: LLMConfig, layers: int, threads: int) -> Any:
    params = api.llama_context_default_params()
    params.n_ctx = min(config.context_tokens, api.llama_model_n_ctx_train(model))
    block = GPU_BLOCK_TOKENS if layers and api.llama_supports_gpu_offload() else BLOCK_TOKENS
    params.n_batch = params.n_ubatch = min(block, params.n_ctx)
    params.n_threads = params.n_threads_batch = threads
    params.no_perf = True
    return api.llama_init_from_model(model, params)


class LlamaCpp:
    """A loaded model and its one context. `stream` reuses the prefix of the prompt before."""

    def __init__(self, api: ModuleType, model: Any, context: Any, name: str) -> None:
        self.name = name
        self.context_tokens = int(api.llama_n_ctx(context))
        self._api = api
        self._model = model
        self._context = context
        self._vocab = api.llama_model_get_vocab(model)
        self._block = int(api.llama_n_batch(context))
        self._evaluated: list[int] = []  # of the prompt before, as far as the context holds it
        self._render: Callable[[list[dict[str, str]]], str] | None = None
        self._current: Stream | None = None

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as plain text."""
        return len(self.tokenize(printable(text)))

    def count_prompt(self, messages: Sequence[Message]) -> int:
        """Tokens of the whole prompt, exactly."""
        return len(self.prompt_tokens(messages))

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Token ids; control strings become control tokens only with `special`."""
        data = text.encode("utf-8")
        room = len(data) + 8
        while True:
            ids = (ctypes.c_int32 * room)()
            n = self._api.llama_tokenize(self._vocab, data, len(data), ids, room, False, special)
            if n >= 0:
                return list(ids[:n])
            room = -n

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        """The prompt's ids through the GGUF's own chat template; one BOS where it has one."""
        if self._render is None:
            self._render = self._chat_template()
        ids: list[int] = []
        for text, is_template in split_rendered(messages, self._render):
            ids += self.tokenize(text, special=is_template)
        bos = self._api.llama_vocab_bos(self._vocab)
        if self._api.llama_vocab_get_add_bos(self._vocab) and ids[:1] != [bos]:
            ids.insert(0, bos)
        return ids

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 7,
        stop: Sequence[str] = (),
        json_schema: Mapping[str, Any] | None = None,
    ) -> Stream:
        """Answer `messages`; see LLM."""
        ids = self.prompt_tokens(messages)
        room = check_room(len(ids), self.context_tokens)
        if self._current is not None:
            self._current.close()
        grammar = _grammar(json_schema) if json_schema is not None else None
        pieces = self._generate(ids, min(max_tokens, room), temperature, seed, stop, grammar)
        self._current = Stream(pieces)
        return self._current

    def close(self) -> None:
        """Free model and context."""
        if self._current is not None:
            self._current.close()
        if self._context is not None:
            self._api.llama_free(self._context)
            self._api.llama_model_free(self._model)
            self._context = self._model = None

    def _generate(
        self,
        ids: list[int],
        max_tokens: int,
        temperature: float,
        seed: int,
        stop: Sequence[str],
        grammar: str | None,
    ) -> Generator[str, None, Usage]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = StopFilter(stop)
        made = 0
        with self._sampler(temperature, seed, grammar) as sampler:
            self._evaluate(ids)
            while made < max_tokens:
                token = self._api.llama_sampler_sample(sampler, self._context, -1)
                made += 1
                if self._api.llama_vocab_is_eog(self._vocab, token):
                    text.end()
                    break
                if piece := text.feed(decoder.decode(self._piece(token))):
                    yield piece
                if text.ended:
                    break
                if made < max_tokens:
                    self._decode([token])
        if rest := text.rest(decoder.decode(b"", final=True)):
            yield rest
        return Usage(len(ids), made, "stop" if text.ended else "length")

    def _evaluate(self, ids: list[int]) -> None:
        """Bring the context to `ids`. Blocks start at multiples of the block size, always."""
        shared = 0
        for old, new in zip(self._evaluated, ids[:-1], strict=False):
            if old != new:
                break
            shared += 1
        keep = shared // self._block * self._block
        memory = self._api.llama_get_memory(self._context)
        if not self._api.llama_memory_seq_rm(memory, 0, keep, -1):
            self._api.llama_memory_clear(memory, True)
            keep = 0
        self._evaluated = self._evaluated[:keep]
        for start in range(keep, len(ids), self._block):
            block = ids[start : start + self._block]
            self._decode(block)
            self._evaluated += block

    def _decode(self, ids: list[int]) -> None:
        array = (ctypes.c_int32 * len(ids))(*ids)
        batch = self._api.llama_batch_get_one(array, len(ids))
        if code := self._api.llama_decode(self._context, batch):
            self._evaluated = []
            self._api.llama_memory_clear(self._api.llama_get_memory(self._context), True)
            raise GenerationError(f"llama.cpp stopped with code {code} while generating")

    def _piece(self, token: int) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            n = self._api.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if n >= 0:
                return buffer.raw[:n]
            size = -n

    @contextmanager
    def _sampler(self, temperature: float, seed: int, grammar: str | None) -> Iterator[Any]:
        api = self._api
        chain = api.llama_sampler_chain_init(api.llama_sampler_chain_default_params())
        if grammar is not None:
            made = api.llama_sampler_init_grammar(self._vocab, grammar.encode(), b"root")
            if made is None:
                api.llama_sampler_free(chain)
                raise GenerationError("llama.cpp does not take this JSON schema")
            api.llama_sampler_chain_add(chain, made)
        if temperature <= 0:
            steps = [api.llama_sampler_init_greedy()]
        else:
            steps = [
                api.llama_sampler_init_top_k(TOP_K),
                api.llama_sampler_init_top_p(TOP_P, 1),
                api.llama_sampler_init_min_p(MIN_P, 1),
                api.llama_sampler_init_temp(temperature),
                api.llama_sampler_init_dist(seed),
            ]
        for step in steps:
            api.llama_sampler_chain_add(chain, step)
        try:
            yield chain
        finally:
            api.llama_sampler_free(chain)

    def _chat_template(self) -> Callable[[list[dict[str, str]]], str]:
        from llama_cpp.llama_chat_format import Jinja2ChatFormatter

        template = self._api.llama_model_chat_template(self._model, None)
        if not template:
            raise GenerationError(
                f"{self.name} has no chat template: it is no chat model",
                "set llm.model in params.yml to an instruct model",
            )
        texts = [
            (self._api.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace")
            if token >= 0
            else ""
            for token in (
                self._api.llama_vocab_bos(self._vocab),
                self._api.llama_vocab_eos(self._vocab),
            )
        ]
        try:
            formatter = Jinja2ChatFormatter(template.decode("utf-8", "replace"), texts[1], texts[0])
        except Exception as error:  # a program out of the file
            reason = " ".join(str(error).split())
            raise GenerationError(
                f"the chat template of {self.name} is damaged: {reason}"
            ) from error

        def render(messages: list[dict[str, str]]) -> str:
            try:
                return str(formatter(messages=messages).prompt)
            except Exception as error:  # and so is its run
                raise ValueError(str(error)) from error

        return render


class StopFilter:
    """Text up to the first stop string; holds back what may be the start of one."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = [s for s in stop if s]
        self._held = ""
        self.ended = False

    def feed(self, piece: str) -> str:
        """The text that is safe to show now."""
        text = self._held + piece
        found = [at for at in (text.find(s) for s in self._stop) if at >= 0]
        if found:
            self._held, self.ended = "", True
            return text[: min(found)]
        held = max((self._overlap(text, s) for s in self._stop), default=0)
        cut = len(text) - held
        self._held = text[cut:]
        return text[:cut]

    def end(self) -> None:
        """The model ended its turn."""
        self.ended = True

    def rest(self, last: str) -> str:
        """What was held back and proved to be no stop string."""
        text, self._held = self._held + last, ""
        return text

    @staticmethod
    def _overlap(text: str, stop: str) -> int:
        sizes = range(min(len(stop) - 1, len(text)), 0, -1)
        return next((n for n in sizes if text.endswith(stop[:n])), 0)


def _grammar(schema: Mapping[str, Any]) -> str:
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    return str(json_schema_to_gbnf(json.dumps(schema)))
