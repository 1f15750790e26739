"""What the tests of OpenAI's protocol and of MCP share: a small model, a question, waiting."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from serving import Served

from dragtor.config import Config, load_config
from dragtor.serve.state import Server

QUESTION = "How long should an A2 pulley strain rest before climbing again?"
UNKNOWN = "Which composer wrote the Goldberg Variations?"


def tiny() -> Config:
    """The small model answers, with little to read."""
    config = load_config()
    return replace(
        config,
        llm=replace(config.llm, model="smollm2-135m", threads=1, answer_tokens=60),
        answer=replace(config.answer, context_tokens=300, rewrite=False, reader="none"),
        chat=replace(config.chat, rewrite=False),
    )


def server_of(served: Served) -> Server:
    assert served.server is not None
    return served.server


def left(served: Served) -> list[Any]:
    """The jobs that the server knows."""
    return server_of(served).jobs.rows()


def wait_until(true: Callable[[], object], seconds: float = 5.0) -> float:
    """How long it took to come true, in seconds."""
    begun = time.perf_counter()
    while not true():
        assert time.perf_counter() - begun < seconds
        time.sleep(0.01)
    return time.perf_counter() - begun
