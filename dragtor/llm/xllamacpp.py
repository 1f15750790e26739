"""llama.cpp in this process from prebuilt wheels: xllamacpp's embedded llama-server.

Prompts go in as token ids; tokens and the chat template come from its HTTP routes, over a Unix
socket in a private folder, so no port is opened. Knows no catalogue: it is given a file.
"""

from __future__ import annotations

import http.client
import json
import math
import shutil
import socket
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dragtor.config import LLMConfig
from dragtor.errors import CorruptModel, GenerationError
from dragtor.extras import engine_command, require
from dragtor.llm.base import (
    Engine,
    FinishReason,
    GenerationOptions,
    Stream,
    Usage,
    check_files,
    check_room,
    is_small,
    named_schema,
    option_probabilities,
    picture_messages,
    printable,
    split_rendered,
)
from dragtor.llm.llama import BLOCK_TOKENS, calm_openmp, thread_count
from dragtor.llm.state import MOST_STATE_BYTES
from dragtor.types import NEVER, CancelToken, Message

PICTURE_TOKENS = 2048  # of one picture, at most, where they are read at once
LOG_NOTHING = -1  # its log level: nothing
FORCED = 1e3  # added to a token's logit: more than any other has, and float32 keeps their order


def open_xllamacpp(
    path: Path,
    config: LLMConfig,
    hint: str = "",
    adapter: Path | None = None,
    cancel: CancelToken = NEVER,
    projector: Path | None = None,
) -> XLlamaCpp:
    """Load a GGUF file. Raises Missing or CorruptModel with `hint`, which gets the file.

    `adapter` is a low-rank adapter (GGUF) that was trained over this very model; `projector` is
    its way to see (mmproj GGUF).
    """
    hint = check_files(path, hint, adapter)
    if projector is not None:
        check_files(projector, hint, None)
    calm_openmp()
    module = require("xllamacpp", extra="prebuilt")
    folder = Path(tempfile.mkdtemp(prefix="dragtor-"))
    params = module.CommonParams()
    params.model.path = str(path)
    params.hostnames = [str(folder / "llm.sock")]
    params.n_ctx = config.context_tokens
    params.n_batch = params.n_ubatch = PICTURE_TOKENS if projector else BLOCK_TOKENS
    params.n_gpu_layers = -1 if config.gpu_layers == -2 else config.gpu_layers
    params.fit_params = config.gpu_layers == -2
    threads = thread_count(config.threads, path.stat().st_size)
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cache_ram_mib = MOST_STATE_BYTES // 2**20  # states of earlier prompts; 8 GiB else
    params.verbosity = LOG_NOTHING
    params.ui = False
    params.warmup = False
    if adapter is not None:
        low_rank = module.CommonAdapterLoraInfo()
        low_rank.path, low_rank.scale = str(adapter), 1.0
        params.lora_adapters = [low_rank]
    if projector is not None:
        params.mmproj.path = str(projector)
        params.mmproj_use_gpu = config.gpu_layers != 0
    try:
        server = module.Server(params)
    except (RuntimeError, ValueError, OSError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise CorruptModel(
            f"llama.cpp cannot load {path.name}: damaged, or too large", hint
        ) from error
    return XLlamaCpp(server, folder, path.stem, small=is_small(path), cancel=cancel)


class XLlamaCpp(Engine):
    """A loaded model behind llama-server's own request handling.

    It keeps the states of earlier prompts itself, in memory only, and to the token: a prompt that
    opens like an earlier one may give another text than in a fresh start. `fixed` says nothing
    that it does not know.
    """

    def __init__(
        self,
        server: Any,
        folder: Path,
        name: str,
        *,
        small: bool = False,
        cancel: CancelToken = NEVER,
    ) -> None:
        self.name = name
        self.small = small
        self._server = server
        self._folder = folder
        self._cancel = cancel
        self._request("GET", "/slots")  # waits for its loop: a server ended before never ends
        props = self._request("GET", "/props")
        self.context_tokens = int(props["default_generation_settings"]["n_ctx"])
        self._bos = str(props.get("bos_token", ""))

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as plain text."""
        return len(self._tokenize(printable(text), special=False))

    def count_prompt(self, messages: Sequence[Message]) -> int:
        """Tokens of the whole prompt, exactly."""
        return len(self.prompt_tokens(messages))

    def prompt_tokens(self, messages: Sequence[Message]) -> list[int]:
        """The prompt's ids through the GGUF's own chat template; one BOS where it has one."""
        ids: list[int] = []
        for text, is_template in split_rendered(messages, self._render):
            ids += self._tokenize(text, special=is_template)
        bos = self._tokenize("", special=True, add_special=True)
        return ids if ids[: len(bos)] == bos else bos + ids

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        """Answer `messages`; see LLM."""
        ids = self.prompt_tokens(messages)
        room = check_room(len(ids), self.context_tokens)
        self.end_stream()
        request: dict[str, Any] = {
            "prompt": ids,
            "max_tokens": min(options.max_tokens, room),
            "temperature": options.temperature,
            "seed": options.seed,
            "stop": [s for s in options.stop if s],
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if options.json_schema is not None:
            request["json_schema"] = options.json_schema
        return self.begin(self._generate("/v1/completions", request))

    def look(self, prompt: str, picture: str, options: GenerationOptions) -> Stream:
        """Answer a prompt about a picture (data: URL); see Eyes in vision.py."""
        self.end_stream()
        request: dict[str, Any] = {
            "messages": picture_messages(prompt, picture),
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "seed": options.seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if options.json_schema is not None:
            request["response_format"] = named_schema(options.json_schema)
        return self.begin(self._generate("/v1/chat/completions", request))

    def choose(
        self, messages: Sequence[Message], options: Sequence[str], *, fixed: int = 0
    ) -> list[float]:
        """Probabilities of `options`; see LLM. Exact: each token in turn is forced and read.

        Raises GenerationError for an option with a character of several tokens, such as an emoji:
        llama-server writes no half characters.
        """
        ids = self.prompt_tokens(messages)
        choices = [self._option(printable(option)) for option in options]
        check_room(len(ids) + max(map(len, choices), default=0), self.context_tokens)
        self.end_stream()

        def log_probs(before: tuple[int, ...], tokens: list[int]) -> list[float]:
            return [self._next([*ids, *before], [token])[1] for token in tokens]

        return option_probabilities(choices, log_probs)

    def tokens(self, text: str) -> list[tuple[int, bytes]]:
        """Token ids of plain text, each with its bytes."""
        found = ((int(one["id"]), one["piece"]) for one in self._pieces(printable(text)))
        return [(i, p.encode() if isinstance(p, str) else bytes(p)) for i, p in found]

    def pick(self, ids: Sequence[int], allowed: Sequence[int]) -> tuple[int, float]:
        """The likeliest of `allowed` after `ids`, and its probability among all tokens."""
        check_room(len(ids), self.context_tokens)
        self.end_stream()
        token, log = self._next(list(ids), allowed)
        return token, math.exp(log)

    def close(self) -> None:
        """Free the model and its folder."""
        self.end_stream()
        self._server = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def _generate(self, route: str, request: dict[str, Any]) -> Generator[str, None, Usage]:
        usage: Usage | None = None
        reason = "length"
        with self._asked("POST", route, request) as lines:
            for line in lines:
                name, _, data = line.strip().partition(b":")
                if name not in (b"data", b"error") or data.strip() == b"[DONE]":
                    continue
                chunk = json.loads(data)
                if name == b"error" or "error" in chunk:
                    said = chunk.get("error", chunk)
                    raise GenerationError(f"llama.cpp failed: {said.get('message')}")
                for choice in chunk.get("choices", ()):
                    reason = choice.get("finish_reason") or reason
                    if text := choice.get("text") or (choice.get("delta") or {}).get("content"):
                        yield text
                if counts := chunk.get("usage"):
                    made, prompt = int(counts["completion_tokens"]), int(counts["prompt_tokens"])
                    known = int((counts.get("prompt_tokens_details") or {}).get("cached_tokens", 0))
                    ended: FinishReason = "stop" if reason == "stop" else "length"
                    usage = Usage(prompt, made, ended, prompt - known)
        if usage is None:
            raise GenerationError("llama.cpp ended without an answer")
        return usage

    def _pieces(self, text: str) -> list[dict[str, Any]]:
        """Tokens with their pieces: text, or the numbers of bytes for half a character."""
        body = {"content": text, "parse_special": False, "with_pieces": True}
        return list(self._request("POST", "/tokenize", body)["tokens"])

    def _option(self, text: str) -> list[int]:
        tokens = self._pieces(text)
        if not all(isinstance(token["piece"], str) for token in tokens):
            raise GenerationError(
                f"xllamacpp cannot weigh the option {text!r}", engine_command(build=True)
            )
        return [int(token["id"]) for token in tokens]

    def _next(self, prompt: list[int], allowed: Sequence[int]) -> tuple[int, float]:
        """The likeliest of `allowed`, and its own log probability: before the bias."""
        body = {
            "prompt": prompt,
            "n_predict": 1,
            "temperature": 0,
            "n_probs": 1,
            "logit_bias": [[token, FORCED] for token in allowed],
        }
        try:
            answer = self._request("POST", "/completion", body)
        except ValueError as error:
            raise GenerationError(f"llama.cpp failed: {error}") from error
        said = answer["completion_probabilities"][0]
        if said["id"] not in allowed:
            raise GenerationError(f"llama.cpp wrote another token than {allowed}")
        return int(said["id"]), float(said["logprob"])

    def _render(self, messages: list[dict[str, str]]) -> str:
        return str(self._request("POST", "/apply-template", {"messages": messages})["prompt"])

    def _tokenize(self, text: str, *, special: bool, add_special: bool = False) -> list[int]:
        body = {"content": text, "add_special": add_special, "parse_special": special}
        return list(self._request("POST", "/tokenize", body)["tokens"])

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """One call of a route; ValueError where the server refuses it."""
        with self._asked(method, path, body) as response:
            data = json.loads(response.read())
        if response.status != 200:
            raise ValueError(str(data))
        return data

    @contextmanager
    def _asked(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> Iterator[http.client.HTTPResponse]:
        """The answer of a route. Where it is left, or cancelled, the server ends its work."""
        self._cancel.check()
        connection = _UnixConnection(self._folder / "llm.sock")
        try:
            connection.connect()
            with self._cancel.calling(connection.end):
                connection.request(method, path, json.dumps(body) if body is not None else None)
                with connection.getresponse() as response:
                    yield response
                self._cancel.check()
        except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
            self._cancel.check()
            raise GenerationError(f"xllamacpp does not answer: {error}") from error
        finally:
            connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path
        self._opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def connect(self) -> None:
        self._opened.connect(str(self._path))
        self.sock = self._opened

    def end(self) -> None:
        """Whoever reads from it is told that it is closed."""
        with suppress(OSError):
            self._opened.shutdown(socket.SHUT_RDWR)
