"""llama.cpp in this process, through llama-cpp-python's C bindings: its own small decode loop.

What the context has read is not read again, and gives the same text as a fresh start; signals are
looked at between blocks. Knows no catalogue: it is given a file, and a folder for fixed prefixes.
"""

from __future__ import annotations

import codecs
import ctypes
import os
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from dragtor.config import LLMConfig
from dragtor.errors import CorruptModel, GenerationError
from dragtor.extras import require
from dragtor.llm.base import (
    Engine,
    GenerationOptions,
    Stream,
    Usage,
    check_files,
    check_room,
    is_small,
    option_probabilities,
    printable,
    split_rendered,
)
from dragtor.llm.native import Abort, adapt, identity, layer_choices, load_model, open_context
from dragtor.llm.sample import likeliest, log_probs_of, sampler
from dragtor.llm.state import (
    MOST_STATE_BYTES,
    Aside,
    ContextState,
    PrefixFiles,
    block_sizes,
    common,
    reusable,
    shared_tokens,
)
from dragtor.llm.text import StopFilter, chat_template
from dragtor.types import NEVER, CancelToken, Message

BLOCK_TOKENS = 128  # evaluated at once: without a CancelToken, Ctrl-C waits so long
GPU_BLOCK_TOKENS = 512
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


def open_llama(
    path: Path,
    config: LLMConfig,
    hint: str = "",
    prefixes: Path | None = None,
    adapter: Path | None = None,
    cancel: CancelToken = NEVER,
) -> LlamaCpp:
    """Load a GGUF file. Raises Missing or CorruptModel with `hint`, which gets the file.

    `prefixes` is the folder where states of fixed prefixes are kept; None keeps none.
    `adapter` is a low-rank adapter (GGUF) that was trained over this very model.
    """
    hint = check_files(path, hint, adapter)
    api = load_llama_cpp()
    choices = layer_choices(api) if config.gpu_layers == -2 else [config.gpu_layers]
    threads = thread_count(config.threads, path.stat().st_size)
    _said.clear()
    for layers in choices:
        model = load_model(api, path, layers, cancel)
        if model is None:
            cancel.check()
            continue
        block = GPU_BLOCK_TOKENS if layers and api.llama_supports_gpu_offload() else BLOCK_TOKENS
        context = open_context(api, model, config.context_tokens, block, threads)
        if context is not None:
            if adapter is not None and not adapt(api, model, context, adapter):
                api.llama_free(context)
                api.llama_model_free(model)
                raise CorruptModel(
                    f"{adapter.name} is damaged, or no adapter of {path.name}", "train it again"
                )
            files = None
            if prefixes is not None:
                files = PrefixFiles(prefixes, identity(api, path, context, layers, adapter))
            small = is_small(path)
            return LlamaCpp(api, model, context, path.stem, files, small=small, cancel=cancel)
        api.llama_model_free(model)
    reason = f": {_said[0]}" if _said else ""
    if model is not None:
        raise GenerationError(
            f"no memory for {path.name} with {config.context_tokens} tokens of context{reason}",
            "set llm.context_tokens or llm.gpu_layers lower in params.yml",
        )
    raise CorruptModel(f"llama.cpp cannot load {path.name}{reason}", hint)


class LlamaCpp(Engine):
    """A loaded model and its one context: what prompts and answers share is read once."""

    def __init__(
        self,
        api: ModuleType,
        model: Any,
        context: Any,
        name: str,
        files: PrefixFiles | None = None,
        *,
        small: bool = False,
        cancel: CancelToken = NEVER,
    ) -> None:
        self.name = name
        self.small = small
        self.context_tokens = int(api.llama_n_ctx(context))
        self._api = api
        self._model = model
        self._context = context
        self._vocab = api.llama_model_get_vocab(model)
        self._block = int(api.llama_n_batch(context))
        self._evaluated: list[int] = []  # what the context holds, answers included
        self._kind: tuple[int, ...] = ()  # the fixed prefix of the prompt before
        self._aside = Aside()
        self._files = files
        self._render: Callable[[list[dict[str, str]]], str] | None = None
        self._cancel = cancel
        self._abort = Abort(api)
        self._abort.watch(context)

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
            self._render = chat_template(self._api, self._model, self.name)
        ids: list[int] = []
        for text, is_template in split_rendered(messages, self._render):
            ids += self.tokenize(text, special=is_template)
        bos = self._api.llama_vocab_bos(self._vocab)
        if self._api.llama_vocab_get_add_bos(self._vocab) and ids[:1] != [bos]:
            ids.insert(0, bos)
        return ids

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        """Answer `messages`; see LLM."""
        ids = self.prompt_tokens(messages)
        room = check_room(len(ids), self.context_tokens)
        self.end_stream()
        prefix = self._prefix(ids, messages, options.fixed)
        options = replace(options, max_tokens=min(options.max_tokens, room))
        return self.begin(self._generate(ids, prefix, options))

    def choose(
        self, messages: Sequence[Message], options: Sequence[str], *, fixed: int = 0
    ) -> list[float]:
        """Probabilities of `options`; see LLM. Exact: from the logits of each of their tokens."""
        ids = self.prompt_tokens(messages)
        choices = [self.tokenize(printable(option)) for option in options]
        check_room(len(ids) + max(map(len, choices), default=0), self.context_tokens)
        self.end_stream()

        prefix = self._prefix(ids, messages, fixed)

        def log_probs(before: tuple[int, ...], tokens: list[int]) -> list[float]:
            if not before or not self._cut(len(ids)):
                self._evaluate(ids, prefix)
            for token in before:
                self._decode([token])
            return log_probs_of(self._api, self._context, self._vocab, tokens)

        return option_probabilities(choices, log_probs)

    def tokens(self, text: str) -> list[tuple[int, bytes]]:
        """Token ids of plain text, each with its bytes."""
        return [(token, self._piece(token)) for token in self.tokenize(printable(text))]

    def pick(self, ids: Sequence[int], allowed: Sequence[int]) -> tuple[int, float]:
        """The likeliest of `allowed` after `ids`, and its probability among all tokens.

        Where `ids` go on from those of the call before, only what is new is read.
        """
        check_room(len(ids), self.context_tokens)
        self.end_stream()
        known = len(self._evaluated)
        if known < len(ids) and known and list(ids[:known]) == self._evaluated:
            for size in block_sizes(len(ids) - known, self._block):
                at = len(self._evaluated)
                self._decode(ids[at : at + size])
        else:
            self._evaluate(list(ids), ())
        return likeliest(self._api, self._context, self._vocab, allowed)

    def close(self) -> None:
        """Free model and context."""
        self.end_stream()
        if self._context is not None:
            self._api.llama_free(self._context)
            self._api.llama_model_free(self._model)
            self._context = self._model = None

    def _generate(
        self, ids: list[int], prefix: tuple[int, ...], options: GenerationOptions
    ) -> Generator[str, None, Usage]:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = StopFilter(options.stop)
        made = 0
        with sampler(self._api, self._vocab, options) as chain:
            read = self._evaluate(ids, prefix)
            while made < options.max_tokens:
                token = self._api.llama_sampler_sample(chain, self._context, -1)
                made += 1
                if self._api.llama_vocab_is_eog(self._vocab, token):
                    text.ended = True
                    break
                if piece := text.feed(decoder.decode(self._piece(token))):
                    yield piece
                if text.ended:
                    break
                if made < options.max_tokens:
                    self._decode([token])
        if rest := text.rest(decoder.decode(b"", final=True)):
            yield rest
        return Usage(len(ids), made, "stop" if text.ended else "length", read)

    def _prefix(self, ids: list[int], messages: Sequence[Message], fixed: int) -> tuple[int, ...]:
        """The part of `ids` with which every prompt opens that has the `fixed` first messages."""
        if not 0 < fixed < len(messages):
            return ()
        opening, role = messages[:fixed], messages[fixed].role
        probes = [self.prompt_tokens([*opening, Message(role, text)]) for text in ("a", "1")]
        return common([ids, common(probes)])

    def _evaluate(self, ids: list[int], prefix: tuple[int, ...]) -> int:
        """Bring the context to `ids`; how many tokens of them had to be read."""
        if self._kind != prefix:
            if self._kind and (state := self._state()):
                self._aside.put(self._kind, state)
            if back := self._aside.take(prefix):
                self._restore(back)
            self._kind = prefix
        read = 0
        if prefix and self._files and shared_tokens(self._evaluated, prefix) < len(prefix):
            saved = self._files.read(prefix)
            if saved is None or not self._restore(saved):
                read = self._read(prefix)
                if state := self._state():
                    self._files.write(state)
        return read + self._read(ids)

    def _read(self, ids: Sequence[int]) -> int:
        keep = reusable(self._evaluated, ids)
        if not self._cut(keep):
            keep = 0
        at = keep
        for size in block_sizes(len(ids) - keep, self._block):
            self._decode(ids[at : at + size])
            at += size
        return len(ids) - keep

    def _cut(self, size: int) -> bool:
        """Forget what stands after `size` tokens; where the model cannot, forget all."""
        memory = self._api.llama_get_memory(self._context)
        if not self._api.llama_memory_seq_rm(memory, 0, size, -1):
            self._forget()
            return False
        del self._evaluated[size:]
        return True

    def _forget(self) -> None:
        self._api.llama_memory_clear(self._api.llama_get_memory(self._context), True)
        self._evaluated = []

    def _decode(self, ids: Sequence[int]) -> None:
        self._cancel.check()
        array = (ctypes.c_int32 * len(ids))(*ids)
        batch = self._api.llama_batch_get_one(array, len(ids))
        self._abort.renew()
        with self._cancel.calling(self._abort.stop):
            code = self._api.llama_decode(self._context, batch)
        if code:
            self._forget()
            self._cancel.check()
            raise GenerationError(f"llama.cpp stopped with code {code} while generating")
        self._evaluated += ids

    def _state(self) -> ContextState | None:
        """What the context holds; None where that is nothing or too much to keep."""
        size = self._api.llama_state_seq_get_size(self._context, 0)
        if not self._evaluated or size > MOST_STATE_BYTES:
            return None
        buffer = (ctypes.c_uint8 * size)()
        size = self._api.llama_state_seq_get_data(self._context, buffer, size, 0)
        return ContextState(tuple(self._evaluated), ctypes.string_at(buffer, size))

    def _restore(self, state: ContextState) -> bool:
        """Put `state` in place of what the context holds; it holds nothing where that fails."""
        self._forget()
        size = len(state.data)
        buffer = (ctypes.c_uint8 * size).from_buffer_copy(state.data)
        if self._api.llama_state_seq_set_data(self._context, buffer, size, 0) != size:
            self._forget()
            return False
        self._evaluated = list(state.ids)
        return True

    def _piece(self, token: int) -> bytes:
        size = 64
        while True:
            buffer = ctypes.create_string_buffer(size)
            n = self._api.llama_token_to_piece(self._vocab, token, buffer, size, 0, False)
            if n >= 0:
                return buffer.raw[:n]
            size = -n
