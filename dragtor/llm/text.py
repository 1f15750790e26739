"""Text before and after llama.cpp's loop: a file's chat template, stop strings.

Knows no context: the template is read out of a loaded model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from dragtor.errors import GenerationError


def chat_template(api: ModuleType, model: Any, name: str) -> Callable[[list[dict[str, str]]], str]:
    """The GGUF's own template; the function raises ValueError for messages it does not take."""
    from llama_cpp.llama_chat_format import Jinja2ChatFormatter

    template = api.llama_model_chat_template(model, None)
    if not template:
        raise GenerationError(
            f"{name} has no chat template: it is no chat model",
            "set llm.model in params.yml to an instruct model",
        )
    vocab = api.llama_model_get_vocab(model)
    bos, eos = (
        (api.llama_vocab_get_text(vocab, token) or b"").decode("utf-8", "replace")
        if token >= 0
        else ""
        for token in (api.llama_vocab_bos(vocab), api.llama_vocab_eos(vocab))
    )
    try:
        formatter = Jinja2ChatFormatter(template.decode("utf-8", "replace"), eos, bos)
    except Exception as error:  # a program out of the file
        reason = " ".join(str(error).split())
        raise GenerationError(f"the chat template of {name} is damaged: {reason}") from error

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

    def rest(self, last: str) -> str:
        """What was held back and proved to be no stop string."""
        text, self._held = self._held + last, ""
        return text

    @staticmethod
    def _overlap(text: str, stop: str) -> int:
        sizes = range(min(len(stop) - 1, len(text)), 0, -1)
        return next((n for n in sizes if text.endswith(stop[:n])), 0)
