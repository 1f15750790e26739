"""Time to the first token with and without what was read before, through the `llama` engine.

(i) a cold `ask`, without and with the saved state of the fixed prefix; (ii) a chat's second
question, without and with reuse: its passages are all new, and those of the first question stay in
the prompt, as in a chat (`chat`), or are left out (`chat_passages_dropped`).
Ratios are of processor seconds, which other load changes least; seconds and tokens stand beside.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dragtor import prompt
from dragtor.config import LLMConfig, load_config, models_path
from dragtor.llm import GenerationOptions
from dragtor.llm.llama import LlamaCpp, open_llama
from dragtor.models import model_path
from dragtor.split import sentences
from dragtor.types import Message

CONTEXT_TOKENS = 4096
ANSWER_TOKENS = 60
SAMPLE = Path(__file__).resolve().parents[2] / "assets" / "sample_library"
QUESTIONS = ("What does the text say first?", "And what does it say after that?")


def blocks_of(
    text: str, llm: LlamaCpp, tokens: int, before: int = 0
) -> tuple[list[prompt.Block], str]:
    """Sentences of `text` of `tokens` tokens, numbered after `before`, and the text after them."""
    chosen: list[tuple[int, str]] = []
    end = taken = 0
    for start, end in sentences(text):
        taken += llm.count_tokens(text[start:end])
        if taken > tokens:
            break
        chosen.append((before + len(chosen) + 1, text[start:end]))
    return [prompt.Block("Sample", chosen)], text[end:]


def first_token(llm: LlamaCpp, messages: Sequence[Message], fixed: int) -> tuple[str, Any]:
    """The answer; seconds and processor seconds to its first piece, and tokens read."""
    wall, cpu = time.perf_counter(), time.process_time()
    stream = llm.stream(messages, GenerationOptions(ANSWER_TOKENS, fixed=fixed))
    text = next(stream)
    figures = {
        "first_token_s": round(time.perf_counter() - wall, 2),
        "processor_s": round(time.process_time() - cpu, 2),
    }
    text += "".join(stream)
    figures |= {"prompt_tokens": stream.prompt_tokens, "read_tokens": stream.read_tokens}
    print(figures, flush=True)
    return text, figures


def forget(llm: LlamaCpp) -> None:
    """As if nothing had been read: what a process without reuse does at each question."""
    llm._forget()
    llm._kind = ()


def run(model: str = "qwen2.5-coder-1.5b", passage_tokens: int = 300) -> dict[str, Any]:
    """Seconds and tokens of each of the six prompts, and the ratios with and without."""
    path = model_path(model, models_path(load_config().models))
    config = LLMConfig(context_tokens=CONTEXT_TOKENS)
    text = "\n".join(p.read_text("utf-8") for p in sorted(SAMPLE.rglob("*.md"))) * 4
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        llm = open_llama(path, config, prefixes=Path(folder))
        passages, rest = blocks_of(text, llm, passage_tokens)
        others, _ = blocks_of(rest, llm, passage_tokens, len(passages[0].sentences))
        first = prompt.answer_messages(QUESTIONS[0], passages)
        answer, found["cold"] = first_token(llm, first, prompt.FIXED_ANSWER)
        llm.close()

        llm = open_llama(path, config, prefixes=Path(folder))  # the next process
        again, found["cold_saved_prefix"] = first_token(llm, first, prompt.FIXED_ANSWER)
        same = answer == again
        said = [(sentence, ()) for sentence in [prompt.CITATION_MARKER.sub("", answer)]]
        layouts = {"chat": passages, "chat_passages_dropped": []}
        seconds = {
            layout: prompt.answer_messages(
                QUESTIONS[1], others, [prompt.Earlier(QUESTIONS[0], said, blocks)]
            )
            for layout, blocks in layouts.items()
        }
        for layout, messages in seconds.items():  # either goes on from the first question
            _, found[f"{layout}_reuse"] = first_token(llm, messages, prompt.FIXED_ANSWER)
        for layout, messages in seconds.items():
            forget(llm)
            _, found[layout] = first_token(llm, messages, 0)
        llm.close()
    pairs = {"cold": "_saved_prefix", "chat": "_reuse", "chat_passages_dropped": "_reuse"}
    ratios = {
        f"{key}_ratio": round(found[key + with_]["processor_s"] / found[key]["processor_s"], 3)
        for key, with_ in pairs.items()
    }
    figures = {"model": path.stem, "passage_tokens": passage_tokens, **found, **ratios}
    return figures | {"same_text": same}
