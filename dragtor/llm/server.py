"""Any OpenAI-compatible server: llama-server, Ollama, vLLM, llama_cpp.server.

Control strings inside messages are broken by a word joiner, since the server applies the chat
template. Knows nothing of files: the model is the server's.
"""

from __future__ import annotations

import json
import math
import os
import string
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dragtor.config import LLMConfig
from dragtor.errors import GenerationError, Missing, UsageError
from dragtor.llm.base import (
    Engine,
    GenerationOptions,
    Stream,
    Usage,
    check_room,
    clean_content,
    first_token_shares,
    named_schema,
    neutralise,
    picture_messages,
    printable,
)
from dragtor.sockets import Sockets, connected, session_of
from dragtor.types import NEVER, CancelToken, Message

if TYPE_CHECKING:
    import requests

CONNECT_TIMEOUT_S = 10.0
ANSWERS_S = 10.0  # patience with the small questions: models, tokens, properties
TEMPLATE_TOKENS = 32  # a template's own text, at most, where the server does not tell
TURN_TOKENS = 8  # the control tokens around one message, at most
TOP_TOKENS = 20  # the most that OpenAI, and vLLM by default, tell
PICK_TOKENS = 32  # around an option: JSON
OLLAMA_TOKENS = 4096  # its default context
START_HINT = "start it, for example: llama-server -m MODEL.gguf --port 8080; or unset llm.url"


def open_server(config: LLMConfig, cancel: CancelToken = NEVER) -> ServerLLM:
    """Ask the server at `config.url` what it offers. Raises Missing or GenerationError."""
    parts = urlsplit(config.url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(f"llm.url is no http address: {config.url}", "http://127.0.0.1:8080/v1")
    url = config.url.rstrip("/") if parts.path.strip("/") else config.url.rstrip("/") + "/v1"
    sockets = Sockets()
    session = session_of(connected(sockets, cancel))
    session.trust_env = parts.hostname not in ("localhost", "127.0.0.1", "::1")  # no proxy there
    if key := os.environ.get(config.api_key_env):
        session.headers["Authorization"] = f"Bearer {key}"
    client = _Client(session, sockets, url, config, cancel)
    offered = client.ask_models()
    name = config.model if config.model != "auto" else next(iter(offered), "")
    if not name:
        raise Missing(f"the server at {url} offers no model", "name one: llm.model in params.yml")
    context = min(config.context_tokens, client.context_tokens(name) or config.context_tokens)
    return ServerLLM(client, name, context)


class ServerLLM(Engine):
    """One model of a server. Token counts are the server's own, or an upper estimate.

    Which prompts it remembers is its own affair: `fixed` is not told to it.
    """

    def __init__(self, client: _Client, name: str, context_tokens: int) -> None:
        self.name = name
        self.small = False  # a server does not say
        self.context_tokens = context_tokens
        self._client = client
        self._tells_probabilities = True  # until it did not

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`; where the server cannot count, more rather than fewer."""
        counted = self._client.count(self.name, printable(text))
        return estimate_tokens(text) if counted is None else counted

    def count_prompt(self, messages: Sequence[Message]) -> int:
        """Tokens of the prompt; exact where the server renders templates, else at most that."""
        turns = _turns(messages)
        rendered = self._client.render(turns)
        if rendered is not None:
            counted = self._client.count(self.name, rendered, special=True)
            if counted is not None:
                return counted
        contents = sum(self.count_tokens(turn["content"]) for turn in turns)
        return contents + TURN_TOKENS * (len(turns) + 1) + TEMPLATE_TOKENS

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        """Answer `messages`; see LLM."""
        prompt_tokens = self.count_prompt(messages)
        room = check_room(prompt_tokens, self.context_tokens)
        self.end_stream()
        options = replace(options, max_tokens=min(options.max_tokens, room))
        body = self._body(messages, options)
        if stops := [s for s in options.stop if s]:
            body["stop"] = stops
        if options.json_schema is not None:
            body["response_format"] = named_schema(options.json_schema)
        return self.begin(self._generate(body, prompt_tokens))

    def look(self, prompt: str, picture: str, options: GenerationOptions) -> Stream:
        """Answer a prompt about a picture (data: URL); see Eyes in vision.py."""
        self.end_stream()
        body = self._body([Message("user", prompt)], options)
        body["messages"] = picture_messages(prompt, picture)
        if options.json_schema is not None:
            body["response_format"] = named_schema(options.json_schema)
        return self.begin(self._generate(body, 0))

    def choose(
        self, messages: Sequence[Message], options: Sequence[str], *, fixed: int = 0
    ) -> list[float]:
        """Probabilities of `options`; see LLM."""
        if not all(options):
            raise ValueError("an option must not be empty")
        check_room(self.count_prompt(messages), self.context_tokens)
        self.end_stream()
        if self._tells_probabilities:
            body = self._body(messages, GenerationOptions(1))
            body |= {"logprobs": True, "top_logprobs": TOP_TOKENS}
            try:
                if top := self._top_tokens(body):
                    return first_token_shares(top, options)
                self._tells_probabilities = False
            except _Refused as refused:  # for good, unless that was HTTP 500
                self._tells_probabilities = refused.code == 500
        return self._pick(messages, options)

    def close(self) -> None:
        """Drop the connections."""
        self.end_stream()
        self._client.close()

    def _body(self, messages: Sequence[Message], options: GenerationOptions) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.name,
            "messages": _turns(messages),
            "max_tokens": options.max_tokens,
            "temperature": options.temperature,
            "seed": options.seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        as_vllm = "max_model_len" in self._client.models.get(self.name, {})  # how it lists them
        if _opens_answer(messages) and as_vllm:
            body |= {"continue_final_message": True, "add_generation_prompt": False}
        return body

    def _top_tokens(self, body: Mapping[str, Any]) -> dict[str, float]:
        """Text and probability of the likeliest first tokens; nothing where they are not told."""
        top: dict[str, float] = {}
        try:
            for chunk in self._client.events(body):
                for choice in chunk.get("choices") or ():
                    for place in ((choice.get("logprobs") or {}).get("content") or ())[:1]:
                        for token in () if top else place.get("top_logprobs") or ():
                            text = str(token["token"])
                            top[text] = top.get(text, 0.0) + math.exp(token["logprob"])
        except (AttributeError, KeyError, TypeError):  # another form
            return {}
        return top

    def _pick(self, messages: Sequence[Message], options: Sequence[str]) -> list[float]:
        """1.0 for the option that the server writes when a schema allows no other text."""
        turns = messages[:-1] if _opens_answer(messages) else messages
        schema = {
            "type": "object",
            "properties": {"answer": {"enum": list(options)}},
            "required": ["answer"],
            "additionalProperties": False,
        }
        room = max(map(len, options)) + PICK_TOKENS
        text = "".join(self.stream(turns, GenerationOptions(room, json_schema=schema)))
        try:
            chosen = options.index(json.loads(text)["answer"])
        except (ValueError, KeyError, TypeError) as error:
            raise GenerationError(
                f"the server at {self._client.url} keeps to no JSON schema: it cannot choose"
            ) from error
        return [float(at == chosen) for at in range(len(options))]

    def _generate(self, body: dict[str, Any], prompt: int) -> Generator[str, None, Usage]:
        made = cached = 0
        reason = ""
        for chunk in self._client.events(body):
            for choice in chunk.get("choices") or ():
                reason = choice.get("finish_reason") or reason
                if text := (choice.get("delta") or {}).get("content"):
                    made += 1
                    yield text
            if counts := chunk.get("usage"):
                prompt = int(counts.get("prompt_tokens", prompt))
                made = int(counts.get("completion_tokens", made))
                details = counts.get("prompt_tokens_details") or {}
                cached = int(details.get("cached_tokens") or 0)
        if not reason:
            raise GenerationError(f"the server at {self._client.url} broke off its answer")
        return Usage(prompt, made, "length" if reason == "length" else "stop", prompt - cached)


@dataclass
class _Client:
    """The HTTP of it: every failure becomes one line."""

    session: requests.Session
    sockets: Sockets
    url: str
    config: LLMConfig
    cancel: CancelToken

    def __post_init__(self) -> None:
        self.models: dict[str, dict[str, Any]] = {}
        self._routes: dict[str, bool] = {}  # the extra routes that this server is known to have

    def close(self) -> None:
        self.session.close()
        self.sockets.close()

    def ask_models(self) -> list[str]:
        """Ids on offer; raises where there is no server or no entrance."""
        with self._send("GET", f"{self.url}/models", timeout_s=ANSWERS_S) as response:
            data = _json(response)
        listed = data.get("data") if isinstance(data, dict) else None
        self.models = {str(m["id"]): m for m in listed or () if isinstance(m, dict) and "id" in m}
        return list(self.models)

    def context_tokens(self, model: str) -> int | None:
        """What llama-server, vLLM or Ollama says, else None.

        Ollama cuts longer prompts in silence; it tells its limit for loaded models only.
        """
        if props := self._extra("GET", "/props", None):
            found = (props.get("default_generation_settings") or {}).get("n_ctx")
        elif loaded := self._extra("GET", "/api/ps", None):
            sizes = {m.get("name"): m.get("context_length") for m in loaded.get("models") or ()}
            found = sizes.get(model) or sizes.get(f"{model}:latest") or OLLAMA_TOKENS
        else:
            found = self.models.get(model, {}).get("max_model_len")
        return int(found) if found else None

    def count(self, model: str, text: str, *, special: bool = False) -> int | None:
        """Tokens of `text`: llama-server and vLLM share a route, llama_cpp.server has its own."""
        body = {"model": model, "content": text, "prompt": text, "parse_special": special}
        answer = self._extra("POST", "/tokenize", {**body, "add_special_tokens": False})
        if answer is not None and isinstance(answer.get("tokens"), list):
            return len(answer["tokens"])
        counts = [
            self._extra("POST", "/extras/tokenize/count", {"input": t}) for t in (text, "")
        ]  # the second is a BOS, or nothing
        if counts[0] is None or counts[1] is None:
            return None
        return int(counts[0]["count"]) - int(counts[1]["count"])

    def render(self, turns: list[dict[str, str]]) -> str | None:
        """The prompt as text, by llama-server's own template engine."""
        answer = self._extra("POST", "/apply-template", {"messages": turns})
        return None if answer is None else answer.get("prompt")

    def events(self, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """The server-sent events of one chat completion, until [DONE]."""
        import requests

        silence = self.config.timeout_s
        with self.cancel.calling(self.sockets.end), self._complete(body) as response:
            try:
                for line in response.iter_lines(chunk_size=1):
                    self.cancel.check()
                    if not line.startswith(b"data:"):
                        continue
                    data = line[5:].strip()
                    if data == b"[DONE]":
                        return
                    event = json.loads(data)
                    if "error" in event:
                        raise GenerationError(f"the server failed: {_reason(event)}")
                    yield event
                self.cancel.check()
            except (requests.RequestException, ValueError) as error:
                self.cancel.check()
                slow = "timed out" in str(error).lower()
                what = f"was silent for {silence:g} s" if slow else "broke off its answer"
                hint = "raise llm.timeout_s in params.yml" if slow else ""
                raise GenerationError(f"the server at {self.url} {what}", hint) from error

    def _complete(self, body: Mapping[str, Any]) -> requests.Response:
        url, silence = f"{self.url}/chat/completions", self.config.timeout_s
        try:
            return self._send("POST", url, body, timeout_s=silence, stream=True)
        except _Refused:
            if "response_format" not in body:
                raise
        schema = body["response_format"]["json_schema"]["schema"]  # llama_cpp.server's own way
        body = {**body, "response_format": {"type": "json_object", "schema": schema}}
        return self._send("POST", url, body, timeout_s=silence, stream=True)

    def _extra(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        """A route that only some servers have: None where it is not, asked once."""
        if not self._routes.get(path, True):
            return None
        url = self.url.removesuffix("/v1") + path
        try:
            with self._send(method, url, body, timeout_s=ANSWERS_S) as response:
                found = _json(response)
        except (GenerationError, Missing):
            found = None
        self._routes.setdefault(path, isinstance(found, dict))
        return found if isinstance(found, dict) else None

    def _send(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None = None,
        *,
        timeout_s: float,
        stream: bool = False,
    ) -> requests.Response:
        import requests

        self.cancel.check()
        try:
            with self.cancel.calling(self.sockets.end):
                response = self.session.request(
                    method, url, json=body, timeout=(CONNECT_TIMEOUT_S, timeout_s), stream=stream
                )
        except requests.RequestException as error:
            self.cancel.check()
            if not isinstance(error, requests.Timeout):
                raise GenerationError(f"no server answers at {self.url}", START_HINT) from error
            raise GenerationError(
                f"the server at {self.url} was silent for {timeout_s:g} s",
                "raise llm.timeout_s in params.yml",
            ) from error
        if response.status_code >= 400:
            with response:
                raise self._refusal(response)
        return response

    def _refusal(self, response: requests.Response) -> GenerationError | Missing:
        code, reason = response.status_code, _reason(_json(response))
        if code in (401, 403):
            hint = f"export {self.config.api_key_env}=KEY"
            return Missing(f"the server at {self.url} refuses the key (HTTP {code})", hint)
        if code == 404:
            what = reason or "HTTP 404"
            hint = "see llm.model and llm.url in params.yml; an url mostly ends in /v1"
            return Missing(f"the server at {self.url} has no such model or route: {what}", hint)
        says = f"the server at {self.url} failed: HTTP {code} {reason}".rstrip()
        return _Refused(says, code) if code in (400, 422, 500) else GenerationError(says)


class _Refused(GenerationError):
    """The server may not understand the form of the request; HTTP 500 may be its bad moment."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


def estimate_tokens(text: str) -> int:
    """More tokens than common tokenizers make of prose.

    A token for every 3 ASCII letters or spaces, one for every other byte of UTF-8.
    """
    data = printable(text).encode("utf-8")
    plain = sum(data.count(c) for c in (string.ascii_letters + " ").encode())
    return (plain + 2) // 3 + len(data) - plain


def _opens_answer(messages: Sequence[Message]) -> bool:
    """Whether the last message is the start of the answer."""
    return bool(messages) and messages[-1].role == "assistant"


def _turns(messages: Sequence[Message]) -> list[dict[str, str]]:
    turns = [{"role": m.role, "content": neutralise(clean_content(m.content))} for m in messages]
    if _opens_answer(messages):
        turns[-1]["content"] = neutralise(printable(messages[-1].content))
    return turns


def _json(response: requests.Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _reason(data: Any) -> str:
    """The server's own words, on one line."""
    error = data.get("error", data.get("detail", "")) if isinstance(data, dict) else ""
    text = error.get("message", "") if isinstance(error, dict) else error
    return " ".join(str(text or "").split())[:200]
