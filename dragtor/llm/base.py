"""What all engines share: the LLM protocol, the stream of an answer, and prompt parts.

Knows no engine. Control strings inside a message (`<|im_end|>` in a web page) are data: engines
that take token ids get them as plain text through `split_rendered`, the others get them
broken by `neutralise`.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from dragtor.errors import CorruptModel, GenerationError, Missing
from dragtor.types import Message

FinishReason = Literal["stop", "length"]
LEAST_PROBABILITY = 1e-12  # an option's probability where nothing is left for it
WORD_JOINER = "\u2060"
_CONTROL = re.compile(
    r"<[|｜]|[|｜]>|</?s>|<</?SYS>>|\[/?INST\]|\[/?[A-Z]+_[A-Z]+\]"
    r"|</?(?:bos|eos|pad|unk|think|(?:start|end)_of_(?:turn|text))>"
)


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How one answer is written.

    `fixed` says how many of the first messages are the same at every call of this kind. The state
    after them may be kept on the disk, for the next process; and what follows them is not read
    again when calls of different kinds take turns.
    """

    max_tokens: int  # of the answer, at most; what the context has room for, if that is less
    temperature: float = 0.0  # 0: always the likeliest token
    seed: int = 7  # of the draws, where the temperature is above 0
    stop: tuple[str, ...] = ()  # texts that end the answer and are no part of it
    json_schema: Mapping[str, Any] | None = None  # what the answer must satisfy; None: any text
    fixed: int = 0  # messages


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of one generation, in the model's tokens."""

    prompt_tokens: int
    completion_tokens: int
    finish_reason: FinishReason
    read_tokens: int = 0  # of the prompt, those that were not known from a call before


class Stream(Iterator[str]):
    """Pieces of an answer as they come; the counts hold once it is exhausted.

    Closing it (or leaving the `with` block) stops the model.
    """

    def __init__(self, pieces: Generator[str, None, Usage]) -> None:
        self._pieces = pieces
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.read_tokens = 0
        self.finish_reason: FinishReason | Literal[""] = ""

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            for name in Usage.__slots__ if isinstance(end.value, Usage) else ():
                setattr(self, name, getattr(end.value, name))
            raise StopIteration from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the generation; closing twice is harmless."""
        self._pieces.close()


SMALL_MODEL_BYTES = 2_200_000_000  # 3 billion weights of 4 bits, and what goes with them


def is_small(path: Path) -> bool:
    """Whether a GGUF is a small model, by its size."""
    return path.stat().st_size < SMALL_MODEL_BYTES


class LLM(Protocol):
    """A language model. One thread uses it at a time; a new stream ends the one before."""

    name: str  # file stem or the server's model id
    context_tokens: int  # prompt and answer together
    small: bool  # of about 3 billion weights or fewer, as far as that is known

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as plain text, with no special tokens."""

    def count_prompt(self, messages: Sequence[Message]) -> int:
        """Tokens of the whole prompt: chat template and special tokens included."""

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        """Answer `messages`; the same seed gives the same text.

        Where the last message is the assistant's, its text is continued, as it stands and with
        no turn's end after it. Servers other than llama-server, vLLM and Ollama cannot: they
        take it for a whole turn and open a new one.
        Where a message is an answer that this very model wrote in this process, its tokens are
        not read again, and what follows may differ from what a fresh start gives.
        Raises GenerationError when the prompt leaves no room in the context: nothing is cut; and
        Cancelled, as soon as the token that the model was opened with is asked.
        """

    def choose(
        self, messages: Sequence[Message], options: Sequence[str], *, fixed: int = 0
    ) -> list[float]:
        """The probability that the model writes each of `options` next; they sum to 1.

        `fixed` as in GenerationOptions.
        Engines in this process: exact, over all tokens of an option. A server: over the first
        token, from its 20 likeliest (an option not among them gets the most that it can have);
        where it tells no probabilities, 1.0 for the option that it writes under a schema.
        Where one option opens another ("1", "12"), the shorter means: and nothing longer.
        """

    def close(self) -> None:
        """Free the memory; closing twice is harmless."""


class Engine:
    """What engines share: the one stream that is open at a time."""

    _current: Stream | None = None

    def begin(self, pieces: Generator[str, None, Usage]) -> Stream:
        """The stream of these pieces; it is ended when another thing is asked."""
        self._current = Stream(pieces)
        return self._current

    def end_stream(self) -> None:
        """Stop the stream that is open, if any."""
        if self._current is not None:
            self._current.close()


def check_files(path: Path, hint: str, adapter: Path | None) -> str:
    """The hint that gets the file again; raises Missing or CorruptModel unless both are GGUF."""
    hint = hint or f"get {path.name} again"
    _check_gguf(path, hint)
    if adapter is not None:
        _check_gguf(adapter, f"train {adapter.name} again")
    return hint


def _check_gguf(path: Path, hint: str) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except FileNotFoundError:
        raise Missing(f"there is no model file {path}", hint) from None
    except OSError as error:
        raise Missing(f"cannot read the model file {path}: {error.strerror}", hint) from error
    if magic != b"GGUF":
        raise CorruptModel(f"{path.name} is no GGUF file or is damaged", hint)


def check_room(prompt_tokens: int, context_tokens: int) -> int:
    """Tokens left for the answer; raises GenerationError where there are none."""
    if prompt_tokens >= context_tokens:
        raise GenerationError(
            f"the prompt has {prompt_tokens} tokens, the model's context {context_tokens}",
            "ask a shorter question, or raise llm.context_tokens in params.yml",
        )
    return context_tokens - prompt_tokens


def printable(text: str) -> str:
    """`text` with lone surrogates replaced: what can be sent as UTF-8."""
    return text.encode("utf-8", "replace").decode("utf-8")


def named_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A JSON schema as OpenAI's protocol asks for answers that keep to it (`response_format`)."""
    named = {"name": "answer", "schema": dict(schema), "strict": True}
    return {"type": "json_schema", "json_schema": named}


def picture_messages(prompt: str, picture: str) -> list[dict[str, Any]]:
    """The messages of a prompt about a picture (data: URL), in OpenAI's protocol."""
    parts = [
        {"type": "image_url", "image_url": {"url": picture}},
        {"type": "text", "text": prompt},
    ]
    return [{"role": "user", "content": parts}]


def clean_content(text: str) -> str:
    """A message's content as every engine sends it: printable, no space around it."""
    return printable(text).strip()


def neutralise(text: str) -> str:
    """Break control strings by a word joiner after their first character."""
    return _CONTROL.sub(lambda found: found[0][0] + WORD_JOINER + found[0][1:], text)


LogProbs = Callable[[tuple[int, ...], list[int]], list[float]]


def option_probabilities(options: Sequence[Sequence[int]], log_probs: LogProbs) -> list[float]:
    """Probabilities of the options, given as token ids, normalised over them.

    `log_probs(before, tokens)` gives the natural logarithm of the probability of each of
    `tokens`, the prompt and then `before` having been written. It is asked once for each
    `before`, shorter ones first.
    """
    ids = [tuple(option) for option in options]
    if not all(ids):
        raise ValueError("an option must not be empty")
    children: dict[tuple[int, ...], list[int]] = {}
    for option in ids:
        for at, token in enumerate(option):
            known = children.setdefault(option[:at], [])
            if token not in known:
                known.append(token)
    logs: dict[tuple[int, ...], float] = {(): 0.0}
    for before in sorted(children, key=lambda ids: (len(ids), ids)):
        tokens = children[before]
        for token, log in zip(tokens, log_probs(before, tokens), strict=True):
            logs[(*before, token)] = logs[before] + log
    best = max(logs[option] for option in ids)
    own: dict[tuple[int, ...], float] = {}
    for option in sorted(ids, key=len, reverse=True):
        longer = sum(p for other, p in own.items() if other[: len(option)] == option != other)
        own[option] = max(0.0, math.exp(logs[option] - best) - longer)
    total = sum(own[option] for option in ids)
    return [own[option] / total for option in ids]


def first_token_shares(top: Mapping[str, float], options: Sequence[str]) -> list[float]:
    """Shares of the options, read off the likeliest first tokens, text and probability of each.

    An option has the tokens that begin it, and those that are it with more than a word's letters
    after it ("Yes."). One that no token fits can have no more than the least of `top`, nor than
    what `top` leaves.
    """
    least = min(*top.values(), max(LEAST_PROBABILITY, 1 - sum(top.values())))
    found = []
    for option in (option.strip() for option in options):
        fits = [
            p
            for text, p in ((token.strip(), p) for token, p in top.items())
            if text
            and (
                option.startswith(text)
                or (text.startswith(option) and not text[len(option)].isalnum())
            )
        ]
        found.append(sum(fits) or least)
    return [p / sum(found) for p in found]


def split_rendered(
    messages: Sequence[Message], render: Callable[[list[dict[str, str]]], str]
) -> list[tuple[str, bool]]:
    """The prompt as (text, is_template) parts: only template parts may hold control tokens.

    `render` applies the chat template to messages whose contents are placeholders. A template
    that knows no system role gets the system text at the head of the first user message.
    A last message of the assistant stands open, as it is, after the rest.
    """
    if messages and messages[-1].role == "assistant":
        opening = printable(messages[-1].content)
        return [*split_rendered(messages[:-1], render), *([(opening, False)] if opening else [])]
    for turns in (list(messages), _fold_system(messages)):
        mark = uuid.uuid4().hex
        marks = [f"{mark}x{n}x" for n in range(len(turns))]
        masked = [{"role": m.role, "content": k} for m, k in zip(turns, marks, strict=True)]
        try:
            rendered = render(masked)
        except ValueError:
            continue
        if all(m["content"] in rendered for m in masked):
            pieces = re.split(f"{mark}x([0-9]+)x", rendered)
            parts = [
                (clean_content(turns[int(piece)].content), False) if odd % 2 else (piece, True)
                for odd, piece in enumerate(pieces)
            ]
            return [part for part in parts if part[0]]
    raise GenerationError("the model's chat template does not take these messages")


def _fold_system(messages: Sequence[Message]) -> list[Message]:
    system = "\n\n".join(m.content for m in messages if m.role == "system")
    rest = [m for m in messages if m.role != "system"]
    if not rest:
        return list(messages)
    return [Message(rest[0].role, f"{system}\n\n{rest[0].content}"), *rest[1:]]
