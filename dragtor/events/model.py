"""The tuned model that points at the events of a text, run by llama.cpp in this process.

Owns the decoding, where only words of the text can be written, a chunk at a time. Knows nothing of
dates: a field is a stretch of the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Protocol, Self, cast

from dragtor.config import LLMConfig, ModelsConfig, asset
from dragtor.errors import UsageError
from dragtor.events.chunking import chunks, hinted_sentences, merge, with_offset
from dragtor.events.decoding import ConstrainedDecoder, Layout, Tags, TokenPiece
from dragtor.events.spans import EventSpans
from dragtor.types import NEVER, SILENT, CancelToken, Reporter

EVENTS_MODEL = "smollm2-135m"
ADAPTER = "events-lora.gguf"
MODEL_CONTEXT_TOKENS = 1024  # a chunk, and what is written of it
SENTENCE_CONFIDENCE = 0.5  # the least of any field, where only a sentence alone tells of an event
LEAST_CONFIDENCE = 0.02  # an action less sure is none: measured, such are words of other sentences
LOW_CONFIDENCE = 0.1  # and one less sure than this, where any other field is hardly sure at all
NEAR_EVENTS = 40  # the last ones found, among which a chunk's first may stand already


# A line's end amid a sentence, as mail programs put them: the place of a field may stand around it.
_WRAPPED = re.compile(r"(?<=[^\n]{50})(?<![.!?:;])\n(?=[^\W\d_])")


class TokenModel(Protocol):
    """What an engine of dragtor.llm in this process can do with tokens."""

    def tokens(self, text: str) -> list[TokenPiece]:
        """Token ids of plain text, each with its bytes."""

    def pick(self, ids: Sequence[int], allowed: Sequence[int]) -> tuple[int, float]:
        """The likeliest of `allowed` after `ids`, and its probability."""

    def close(self) -> None:
        """Free the memory."""


def adapter_path() -> Path:
    """The tuned adapter: inside an installed wheel, or in assets/ of a checkout."""
    return asset(ADAPTER)


def open_span_extractor(
    models: ModelsConfig,
    llm: LLMConfig | None = None,
    *,
    adapter: Path | str | None = "",
    model: str = EVENTS_MODEL,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> TunedSpanExtractor:
    """Load the model and its adapter, by default the shipped one; None reads with the model alone.

    Of `llm` only engine, threads and gpu_layers count. Raises Missing with the command that gets
    the model, CorruptModel for an adapter that does not fit it.
    """
    from dragtor.llm import open_llm

    config = replace(llm or LLMConfig(), model=model, url="", context_tokens=MODEL_CONTEXT_TOKENS)
    if config.engine == "server":
        raise UsageError("a server cannot read events", "set llm.engine to llama or xllamacpp")
    path = adapter_path() if adapter == "" else adapter
    opened = open_llm(config, models, None if path is None else Path(path), cancel)
    return TunedSpanExtractor(
        cast(TokenModel, opened), reporter, cancel
    )  # what is no server has tokens


class TunedSpanExtractor:
    """See SpanExtractor. The reporter is told the characters of a long text so far."""

    def __init__(
        self, model: TokenModel, reporter: Reporter = SILENT, cancel: CancelToken = NEVER
    ) -> None:
        self._model = model
        self._reporter, self._cancel = reporter, cancel
        self._tags = Tags.read(lambda text: [token for token, _ in model.tokens(text)])

    def extract(self, text: str) -> list[EventSpans]:
        """The events in the order of the text; lone surrogates are read as question marks."""
        text = _WRAPPED.sub(" ", text.encode("utf-8", "replace").decode("utf-8"))
        if not text.strip():
            return []
        found: list[EventSpans] = []
        for start, end in chunks(text, lambda part: len(self._model.tokens(part))):
            self._cancel.check()
            part = text[start:end]
            seen = [one for one in self._chunk(part) if _believed(one)]
            for event in seen or self._sentences(part):
                near = max(0, len(found) - NEAR_EVENTS)
                found[near:] = merge(found[near:], with_offset(event, start))
            if end - start < len(text):
                self._reporter.progress("reading", end, len(text))
        return found

    def under(self, reporter: Reporter, cancel: CancelToken) -> Self:
        """The same over the same model; see SpanExtractor."""
        made = copy(self)
        made._reporter, made._cancel = reporter, cancel
        return made

    def close(self) -> None:
        """Free the model."""
        self._model.close()

    def _sentences(self, text: str) -> list[EventSpans]:
        """A second look: an event amid a story is seen where its sentence stands alone."""
        return [
            with_offset(event, start)
            for start, end in hinted_sentences(text)
            for event in self._chunk(text[start:end])
            if event.spans.keys() & {"date", "time", "recurrence"}
            and min(event.confidence.values()) >= SENTENCE_CONFIDENCE
        ]

    def _chunk(self, text: str) -> list[EventSpans]:
        layout = Layout.of(text, self._model.tokens(text))
        writing = ConstrainedDecoder(layout, self._tags)
        ids = writing.prompt()
        while (allowed := writing.allowed()) and len(ids) < MODEL_CONTEXT_TOKENS:
            if len(allowed) == 1:
                token, probability = allowed[0], 1.0
            else:
                token, probability = self._model.pick(ids, allowed)
            writing.take(token, probability)
            ids.append(token)
        return writing.extracted()


def _believed(event: EventSpans) -> bool:
    action, least = event.confidence["action"], min(event.confidence.values())
    return action >= LEAST_CONFIDENCE and not (action < LOW_CONFIDENCE and least < LEAST_CONFIDENCE)
