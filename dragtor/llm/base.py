"""What all engines share: the LLM protocol, the stream of an answer, and prompt parts.

Knows no engine. Control strings inside a message (`<|im_end|>` in a web page) are data: engines
that take token ids get them as plain text through `split_rendered`, the others get them
broken by `neutralise`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from dragtor.errors import CorruptModel, GenerationError, Missing
from dragtor.types import Message

FinishReason = Literal["stop", "length"]
WORD_JOINER = "\u2060"
_CONTROL = re.compile(
    r"<[|｜]|[|｜]>|</?s>|<</?SYS>>|\[/?INST\]|\[/?[A-Z]+_[A-Z]+\]"
    r"|</?(?:bos|eos|pad|unk|think|(?:start|end)_of_(?:turn|text))>"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """Counts of one generation, in the model's tokens."""

    prompt_tokens: int
    completion_tokens: int
    finish_reason: FinishReason


class Stream(Iterator[str]):
    """Pieces of an answer as they come; the counts hold once it is exhausted.

    Closing it (or leaving the `with` block) stops the model.
    """

    def __init__(self, pieces: Generator[str, None, Usage]) -> None:
        self._pieces = pieces
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.finish_reason: FinishReason | Literal[""] = ""

    def __next__(self) -> str:
        try:
            return next(self._pieces)
        except StopIteration as end:
            if isinstance(end.value, Usage):
                self.prompt_tokens = end.value.prompt_tokens
                self.completion_tokens = end.value.completion_tokens
                self.finish_reason = end.value.finish_reason
            raise StopIteration from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the generation; closing twice is harmless."""
        self._pieces.close()


class LLM(Protocol):
    """A language model. One thread uses it at a time; a new stream ends the one before."""

    name: str  # file stem or the server's model id
    context_tokens: int  # prompt and answer together

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as plain text, with no special tokens."""

    def count_prompt(self, messages: Sequence[Message]) -> int:
        """Tokens of the whole prompt: chat template and special tokens included."""

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
        """Answer `messages`; the same seed gives the same text.

        Raises GenerationError when the prompt leaves no room in the context: nothing is cut.
        """

    def close(self) -> None:
        """Free the memory; closing twice is harmless."""


def check_gguf(path: Path, hint: str) -> None:
    """Raise Missing or CorruptModel, with `hint`, unless `path` opens like a GGUF file."""
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


def clean(text: str) -> str:
    """A message's content as every engine sends it: printable, no space around it."""
    return printable(text).strip()


def neutralise(text: str) -> str:
    """Break control strings by a word joiner after their first character."""
    return _CONTROL.sub(lambda found: found[0][0] + WORD_JOINER + found[0][1:], text)


def split_rendered(
    messages: Sequence[Message], render: Callable[[list[dict[str, str]]], str]
) -> list[tuple[str, bool]]:
    """The prompt as (text, is_template) parts: only template parts may hold control tokens.

    `render` applies the chat template to messages whose contents are placeholders. A template
    that knows no system role gets the system text at the head of the first user message.
    """
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
                (clean(turns[int(piece)].content), False) if odd % 2 else (piece, True)
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
