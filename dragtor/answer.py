"""The read river: retrieve, quote, generate, ground, one event at a time.

Knows the order of the steps; ranking, prompting, generating and citing belong to their rooms.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dragtor import ground, prompt, retrieve
from dragtor.config import AnswerConfig, LLMConfig, RetrieveConfig
from dragtor.split import sentences
from dragtor.store import Filters, Store
from dragtor.types import Answer, Citation, Claim, Document, Hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dragtor.embed import Embedder
    from dragtor.llm import LLM

NOT_IN_SOURCES = prompt.NOT_IN_SOURCES
LEADING_MARKS = re.compile(r"(?:\s*\[[\d\s,;]+\])+[.\s]*")
OPEN_MARK = re.compile(r"(?:\s*\[[\d\s,;]+\])*\s*(?:\[[\d\s,;]*)?")


@dataclass(frozen=True, slots=True)
class Quotes:
    """The best verified quotes, before any prose."""

    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """One grounded sentence of the answer, and its citations that are new with it."""

    claim: Claim
    citations: tuple[Citation, ...]


Event = Quotes | Sentence | Answer


@dataclass
class _Grounder:
    """Ties sentences to spans and numbers each distinct span once."""

    hits: Sequence[Hit]
    documents: Mapping[str, Document]
    embed: ground.EmbedTexts
    claims: list[Claim] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)

    def sentence(self, raw: str) -> Sentence | None:
        """The sentence with its citations; None where no source carries it, or it was said."""
        text, numbers = ground.marks(raw)
        if not text or any(claim.text == text for claim in self.claims):  # small models repeat
            return None
        carriers = ground.support(text, numbers, self.hits, self.documents, self.embed)
        if not carriers:
            return None
        known = {(c.document_id, c.start): c.n for c in self.citations}
        fresh = []
        for span in carriers:
            key = (span.document.id, span.start)
            if key not in known:
                known[key] = len(known) + 1
                fresh.append(span.citation(known[key]))
        numbers = [known[(span.document.id, span.start)] for span in carriers]
        claim = Claim(text, tuple(dict.fromkeys(numbers)))
        self.claims.append(claim)
        self.citations.extend(fresh)
        return Sentence(claim, tuple(fresh))


@dataclass(frozen=True)
class Reader:
    """The river over open parts; `llm` is called when prose is wanted."""

    store: Store
    embedder: Embedder
    llm: Callable[[], LLM]
    retrieve_config: RetrieveConfig
    answer_config: AnswerConfig
    llm_config: LLMConfig

    def ask(
        self, question: str, filters: Filters | None = None, *, quotes_only: bool = False
    ) -> Iterator[Event]:
        """Quotes, then sentences as they are grounded, then the whole Answer, always last."""
        begun = time.perf_counter()
        timings: dict[str, float] = {}
        vector = self.embedder.embed_queries([question])[0]
        hits, documents = self._retrieve(question, vector, filters)
        timings["retrieve"] = time.perf_counter() - begun
        if not hits:
            timings["total"] = time.perf_counter() - begun
            yield Answer(question, NOT_IN_SOURCES, grounded=False, timings=timings)
            return
        quotes = ground.best_quotes(
            vector, hits, documents, self.embedder.embed_passages, self.answer_config.quotes
        )
        timings["first_quote"] = time.perf_counter() - begun
        yield Quotes(tuple(quotes))
        if quotes_only:
            claims = tuple(Claim(c.quote, (c.n,)) for c in quotes)
            text = "\n".join(c.quote for c in quotes)
            timings["total"] = time.perf_counter() - begun
            yield Answer(question, text, True, claims, tuple(quotes), hits, "", timings)
            return
        yield from self._generate(question, hits, documents, timings, begun)

    def _retrieve(
        self, question: str, vector: NDArray[np.float32], filters: Filters | None
    ) -> tuple[tuple[Hit, ...], dict[str, Document]]:
        config = replace(self.retrieve_config, k=self.answer_config.passages)
        found, documents = retrieve.search_documents(
            self.store, lambda _: vector[None], question, config, filters
        )
        floor = config.floor if config.floor >= 0 else self.embedder.floor
        return tuple(hit for hit in found if hit.dense_score >= floor), documents

    def _generate(
        self,
        question: str,
        hits: tuple[Hit, ...],
        documents: Mapping[str, Document],
        timings: dict[str, float],
        begun: float,
    ) -> Iterator[Event]:
        llm = self.llm()
        blocks = [
            prompt.Block(n, hit.title, hit.passage.text, hit.passage.heading, hit.speaker or "")
            for n, hit in enumerate(hits, 1)
        ]
        room = llm.context_tokens - self.llm_config.answer_tokens
        blocks = prompt.fit_blocks(question, blocks, llm.count_prompt, room)
        messages = prompt.answer_messages(question, blocks)
        grounder = _Grounder(hits[: len(blocks)], documents, self.embedder.embed_passages)
        config = self.llm_config
        with llm.stream(
            messages,
            max_tokens=config.answer_tokens,
            temperature=config.temperature,
            seed=config.seed,
        ) as stream:
            for raw in _by_sentence(stream, timings, begun):
                if NOT_IN_SOURCES.rstrip(".").lower() in raw.lower():
                    continue
                if sentence := grounder.sentence(raw):
                    yield sentence
        timings["total"] = time.perf_counter() - begun
        tokens = {"prompt": stream.prompt_tokens, "completion": stream.completion_tokens}
        grounded = bool(grounder.citations)
        yield Answer(
            question,
            " ".join(rendered(c) for c in grounder.claims) if grounded else NOT_IN_SOURCES,
            grounded,
            tuple(grounder.claims) if grounded else (),
            tuple(grounder.citations),
            hits,
            llm.name,
            timings,
            tokens,
        )


def rendered(claim: Claim) -> str:
    """A claim with its numbers, as it is printed."""
    return claim.text + "".join(f" [{n}]" for n in claim.citations)


def _by_sentence(stream: Iterable[str], timings: dict[str, float], begun: float) -> Iterator[str]:
    """Whole sentences of a stream; marks that follow a full stop stay with their sentence."""
    held = ""
    for piece in stream:
        timings.setdefault("first_token", time.perf_counter() - begun)
        held += piece
        while cut := _sentence_end(held):
            yield held[:cut].strip()
            held = held[cut:]
    while cut := _sentence_end(held):
        yield held[:cut].strip()
        held = held[cut:]
    cut_off = getattr(stream, "finish_reason", "") == "length"
    if held.strip() and not cut_off:
        yield held.strip()


def _sentence_end(held: str) -> int:
    """Where the first sentence and its marks end; 0 while more of it may be coming."""
    found = sentences(held)
    if len(found) < 2 or OPEN_MARK.fullmatch(held, found[1][0]):
        return 0
    marks = LEADING_MARKS.match(held, found[1][0])
    return marks.end() if marks else found[1][0]
