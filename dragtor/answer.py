"""The answer pipeline: retrieve, gate, quote, generate, verify, one event at a time.

Knows the order of the steps; ranking, prompting, generating and verifying belong to their packages.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import TYPE_CHECKING

from dragtor import ground, prompt, retrieve
from dragtor.config import AnswerConfig, LLMConfig, WordLists
from dragtor.errors import GenerationError
from dragtor.llm import GenerationOptions
from dragtor.split import sentences
from dragtor.store import Filters, speaker_asked
from dragtor.transcript import called
from dragtor.types import (
    NEVER,
    Answer,
    CancelToken,
    Citation,
    Claim,
    Document,
    Entailment,
    Hits,
    Message,
    Reader,
)

if TYPE_CHECKING:
    from dragtor.llm import LLM

LEADING_MARKERS = re.compile(r"(?:\s*\[[\d\s,]+\])+[.\s]*")
OPEN_MARKER = re.compile(r"(?:\s*\[[\d\s,]+\])*\s*(?:[\[【［][^\]】］]{0,40})?")
TERMS_TOKENS = 48
MISMATCH_QUOTES = 5  # that are shown at most where vocabularies differ and a reader is less sure
MISMATCH_DENSE_WEIGHT = 0.8  # where vocabularies differ, meaning counts for more; docs/retrieval.md


@dataclass(frozen=True, slots=True)
class Caution:
    """One line to be shown before everything else."""

    text: str


@dataclass(frozen=True, slots=True)
class Quotes:
    """The best verified quotes, before any prose; `alone` where none follows."""

    citations: tuple[Citation, ...]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the answer, and its citations that are new with it.

    Where no source supports what the model wrote, it gives way to the sentence that it names
    (`answer.unsupported: quote`), is left out (`drop`), or stands there marked, without citations
    (`mark`).
    """

    claim: Claim
    citations: tuple[Citation, ...]


AnswerEvent = Caution | Quotes | ground.ContextSelected | Sentence | Answer


@dataclass
class _Grounder:
    """Ties sentences to the spans that entail them and numbers each distinct span once."""

    context: Sequence[ground.TextSpan]
    support: ground.Support
    embed: ground.EmbedTexts
    unsupported: str
    claims: list[Claim] = field(default_factory=list)
    citations: list[Citation] = field(default_factory=list)

    def sentence(self, raw: str) -> Sentence | None:
        """The sentence with its citations; None where it is left out, or was said before."""
        text, numbers = ground.citation_markers(raw)
        spans: list[ground.TextSpan] = []
        if text:
            spans = ground.entailing_spans(text, numbers, self.context, self.support, self.embed)
        if not spans and self.unsupported == "quote":
            spans = ground.numbered_spans(numbers, self.context)[:1]
            text = prompt.escape(" ".join(spans[0].text.split())) if spans else ""
        if not spans and self.unsupported != "mark":
            return None
        if not text or any(claim.text == text for claim in self.claims):  # small models repeat
            return None
        known = {(c.document_id, c.start, c.end): c.n for c in self.citations}
        fresh = []
        for span in spans:
            if span.key not in known:
                known[span.key] = len(known) + 1
                fresh.append(span.citation(known[span.key]))
        claim = Claim(text, tuple(dict.fromkeys(known[span.key] for span in spans)))
        self.claims.append(claim)
        self.citations.extend(fresh)
        return Sentence(claim, tuple(fresh))


@dataclass(frozen=True)
class AnswerPipeline:
    """Answers questions over open parts.

    `llm` is called when prose is wanted; `support` verifies what the model writes; without a
    `gate` nothing but the encoder's floor refuses. A `reader`, where there is one, reads what was
    found with the question, and `vocabulary` holds what the question names against it.
    """

    retriever: retrieve.Retriever
    llm: Callable[[], LLM]
    answer_config: AnswerConfig
    llm_config: LLMConfig
    support: ground.Support
    gate: ground.Gate | None = None
    red_flags: ground.RedFlags = field(default_factory=ground.RedFlags)
    reader: Reader | None = None
    vocabulary: ground.RuleVocabulary = field(
        default_factory=lambda: ground.RuleVocabulary(WordLists())
    )

    def ask(
        self,
        question: str,
        filters: Filters | None = None,
        *,
        quotes_only: bool = False,
        query: str = "",
        history: ground.EarlierTurns = tuple,
        cancel: CancelToken = NEVER,
    ) -> Iterator[AnswerEvent]:
        """A Caution, Quotes, the ContextSelected, Sentences as they are grounded, then the Answer.

        `query` is the question made to stand alone, where the question leans on `history`. Raises
        Cancelled between two steps, or two pieces of what the model writes.
        """
        asked = query or question
        caution = self.red_flags.caution(f"{question} {asked}")
        turn = _Turn(question, asked, history, caution, cancel)
        filters = filters or Filters()
        if speaker := filters.speaker or speaker_asked(self.retriever.store, asked):
            filters = replace(filters, speaker=speaker)
        if caution:
            yield Caution(caution)
        found, features, outcome = self._considered(turn, filters)
        if isinstance(outcome, _Refusal):
            yield turn.refusal(found.hits, outcome)
            return
        if isinstance(outcome, ground.TextSpan):
            yield from self._correction(turn, found, outcome)
            return
        found = self._late_interaction(replace(found, ranked=outcome or found.ranked), turn)
        quotes = self._quotes(found, features)
        turn.stamp("first_quote")
        alone = quotes_only or self._quotes_suffice(found)
        yield Quotes(tuple(quotes), alone)
        if alone:
            claims = [Claim(prompt.escape(c.quote), (c.n,)) for c in quotes]
            yield turn.answer(found.hits, claims, quotes)
            return
        cancel.check()
        llm = self.llm()
        if ground.vocabulary_mismatch(features) and self.answer_config.rewrite:
            found = self._find_by_terms(filters, turn, llm)
        yield from self._generate(turn, found, llm)

    def evidence(
        self,
        question: str,
        filters: Filters | None = None,
        *,
        query: str = "",
        cancel: CancelToken = NEVER,
    ) -> Evidence:
        """The sentences that an answer would be made of, best first, and whether there is one.

        As `ask`, up to its quotes. Raises Cancelled between two steps.
        """
        asked, filters = query or question, filters or Filters()
        turn = _Turn(question, asked, cancel=cancel)
        found, _, outcome = self._considered(turn, filters)
        sure = max((reading.answers for reading in found.readings.values()), default=0.0)
        if isinstance(outcome, _Refusal):
            return Evidence(found.ranked, False, sure, found.hits)
        if isinstance(outcome, ground.TextSpan):
            return Evidence((outcome,), True, sure, found.hits)
        found = self._late_interaction(replace(found, ranked=outcome or found.ranked), turn)
        return Evidence(found.ranked, True, sure, found.hits)

    def _considered(
        self, turn: _Turn, filters: Filters
    ) -> tuple[_Found, tuple[float, ...], _Refusal | ground.TextSpan | Sequence[ground.TextSpan]]:
        """What is found for a turn, what the gate looks at, and what comes of it."""
        found = self._find(dict.fromkeys((turn.asked, turn.question)), filters, turn)
        turn.cancel.check()
        with turn.checking():
            found = self._held(turn.asked, found)
            features = self._judged(turn, found, filters)
            return found, features, self._outcome(turn.asked, found, features)

    def _find_by_terms(self, filters: Filters, turn: _Turn, llm: LLM) -> _Found:
        """What is found by a lay question in the field's words too."""
        terms = self._terms(turn.asked, llm, turn.cancel)
        turn.stamp("rewrite")
        found = self._find([f"{terms} {turn.asked}"], filters, turn, MISMATCH_DENSE_WEIGHT)
        if self.reader and self.answer_config.gate:  # what is of another subject is not read out
            about, _ = ground.about_asked(turn.asked, found.ranked, self.vocabulary)
            found = replace(found, ranked=about or found.ranked)
        return self._late_interaction(found, turn)

    def _terms(self, question: str, llm: LLM, cancel: CancelToken) -> str:
        """A lay question in the field's words, as the model knows them; no claim rests on it."""
        options = GenerationOptions(
            TERMS_TOKENS,
            self.llm_config.temperature,
            self.llm_config.seed,
            stop=("\n",),
            fixed=prompt.FIXED_TERMS,
        )
        try:
            with llm.stream(prompt.terms_messages(question), options) as stream:
                return "".join(cancel.checked(stream)).strip()
        except GenerationError:  # the answer itself may yet succeed, or say why not
            return ""

    def gate_features(self, question: str) -> tuple[float, ...]:
        """What a gate for this reader looks at for a question, or one without a reader.

        They are ground.READER_FEATURES, or ground.FEATURES.
        """
        found = self._find([question], None, _Turn(question, question))
        return self._features(question, self._held(question, found))

    def _judged(self, turn: _Turn, found: _Found, filters: Filters) -> tuple[float, ...]:
        """What the gate in use looks at: one that knows no reader, what is found without."""
        if self.reader is None or self.gate is None or self.gate.reader:
            return self._features(turn.asked, found)
        unread = replace(self, reader=None)
        alone = _Turn(turn.question, turn.asked, cancel=turn.cancel)
        return unread._features(turn.asked, unread._find([turn.asked], filters, alone))

    def _features(self, asked: str, found: _Found) -> tuple[float, ...]:
        hits, documents = found.hits, found.documents
        texts = [retrieve.titled(documents[h.passage.document_id].title, h.passage) for h in hits]
        if self.reader is None:
            tokens = self.retriever.embedder.embed_tokens
            return ground.features(asked, hits, found.ranked, texts, tokens)
        known = _names_known(asked, hits, documents)
        return ground.reader_features(
            asked, hits, found.ranked, texts, found.readings, found.held, names_known=known
        )

    def _find(
        self, asked: Iterable[str], filters: Filters | None, turn: _Turn, dense_weight: float = 0
    ) -> _Found:
        """Hits, their documents and sentences, ranked for the first wording.

        The dense weight is at least `dense_weight`.
        """
        turn.cancel.check()
        wordings = list(asked)
        passages = self.answer_config.passages
        config = replace(
            self.retriever.config,
            k=max(passages, ground.BEST_HITS) if self.reader else passages,
            dense_weight=max(self.retriever.config.dense_weight, dense_weight),
            join_neighbours=False,
        )
        reranker = None if self.reader else self.retriever.reranker
        retriever = replace(self.retriever, config=config, reranker=reranker)
        nearest = ground.NEAREST_HITS if self.reader else 0
        found = retriever.search_documents(wordings, filters, nearest)
        hits, documents = found.hits, found.documents
        turn.stamp("retrieve")
        turn.cancel.check()
        embed = self.retriever.embedder.embed_passages
        readings: dict[str, ground.PassageReading] = {}
        with turn.checking():
            if self.reader:
                hits, readings = ground.read_hits(turn.asked, hits, documents, self.reader)
                hits = Hits(hits[:passages])
            ranked = ground.rank_sentences(wordings[0], found.vectors[0], hits, documents, embed)
            if filters and filters.speaker:  # in a passage others speak too
                meant = called(filters.speaker, {span.speaker or "" for span in ranked})
                ranked = [span for span in ranked if span.speaker in meant]
            if self.reader:
                ranked = ground.lifted(ranked, readings)
        return _Found(hits, documents, ranked, readings)

    def _held(self, asked: str, found: _Found) -> _Found:
        """What was found, with what the best sentences say of the question, where it is read."""
        if self.reader is None:
            return found
        return replace(found, held=ground.held_against(asked, found.ranked, self.reader))

    def _late_interaction(self, found: _Found, turn: _Turn) -> _Found:
        """What was found with its best sentences in a better order, which takes a while longer.

        What was read is in the reader's order.
        """
        if self.reader:
            return found
        turn.cancel.check()
        embed = self.retriever.embedder.embed_tokens
        with turn.checking():
            ranked = ground.late_interaction(turn.asked, found.ranked, embed)
            return replace(found, ranked=ranked)

    def _outcome(
        self, asked: str, found: _Found, features: Sequence[float]
    ) -> _Refusal | ground.TextSpan | Sequence[ground.TextSpan]:
        """Why nothing answers, the sentence that says otherwise, or the sentences to be quoted.

        These are none where all may be: without a reader, they are not in their order yet.
        """
        floor = self.retriever.config.floor
        floor = floor if floor >= 0 else self.retriever.embedder.floor
        if not found.ranked or not any(hit.dense_score >= floor for hit in found.hits):
            return _Refusal()
        nearest, words = found.ranked[0], self.vocabulary
        refuses = self.gate is not None and not (
            self.gate.passes(features) and _names_known(asked, found.hits, found.documents)
        )
        if self.reader is None or not self.answer_config.gate:
            return _Refusal(nearest) if refuses else ()
        about, why = ground.about_asked(asked, found.ranked, words)
        if not about:
            return _Refusal(nearest, why)
        keys = {span.key for span in about}
        if denial := ground.contradicting([pair for pair in found.held if pair[0].key in keys]):
            return denial
        return _Refusal(nearest, _why_not(asked, nearest, words)) if refuses else about

    def _quotes(self, found: _Found, features: Sequence[float]) -> list[Citation]:
        """Fewer where one surely answers, more where the question is in other words than texts."""
        most = self.answer_config.quotes
        if self.reader and ground.vocabulary_mismatch(features):
            most = max(most, MISMATCH_QUOTES)
        return ground.best_quotes(ground.likely_to_answer(found.ranked, found.readings), most)

    def _quotes_suffice(self, found: _Found) -> bool:
        """Whether no prose is wanted: never by its style, or not where the first quote says all."""
        if self.answer_config.style == "auto":
            return ground.one_span_answers(found.ranked[0], found.readings)
        return self.answer_config.style == "quote"

    def _correction(
        self, turn: _Turn, found: _Found, denial: ground.TextSpan
    ) -> Iterator[AnswerEvent]:
        """The answer to a question that takes for granted what a sentence denies."""
        assert self.reader is not None  # it said so
        citation = denial.citation(1)
        quote = prompt.escape(" ".join(citation.quote.split()))
        claim = Claim(prompt.SAYS_OTHERWISE.format(quote=quote), (1,))
        turn.stamp("first_quote")
        yield Sentence(claim, (citation,))
        yield turn.answer(found.hits, [claim], [citation], self.reader.name)

    def _generate(self, turn: _Turn, found: _Found, llm: LLM) -> Iterator[AnswerEvent]:
        before, context, messages = self._prompt(turn, found.ranked, llm)
        if not context:
            yield turn.refusal(found.hits, _Refusal(found.ranked[0]))
            return
        yield ground.ContextSelected(tuple(context))
        grounder = _Grounder(
            [*before, *context],
            self.support,
            self.retriever.embedder.embed_passages,
            self.answer_config.unsupported,
        )
        turn.cancel.check()
        config = self.llm_config
        options = GenerationOptions(
            config.answer_tokens, config.temperature, config.seed, fixed=prompt.FIXED_ANSWER
        )
        with llm.stream(messages, options) as stream:
            for raw in _by_sentence(stream, turn):
                if prompt.NOT_IN_SOURCES.rstrip(".").lower() in raw.lower():
                    continue
                with turn.checking():
                    sentence = grounder.sentence(raw)
                if sentence:
                    yield sentence
        claims = grounder.claims if grounder.citations else []
        tokens = {"prompt": stream.prompt_tokens, "completion": stream.completion_tokens}
        answer = turn.answer(found.hits, claims, grounder.citations, llm.name, tokens)
        yield answer if claims else _refused(answer, _Refusal(found.ranked[0]))

    def _prompt(
        self, turn: _Turn, ranked: Sequence[ground.TextSpan], llm: LLM
    ) -> tuple[list[ground.TextSpan], list[ground.TextSpan], list[Message]]:
        """The context of earlier questions, the one selected now, and the whole prompt.

        A sentence of both stands there twice: a model cites what comes last.
        """
        before, earlier = _conversation(turn.history())
        empty = prompt.answer_messages(turn.asked, [], earlier, small=llm.small)
        free = llm.context_tokens - self.llm_config.answer_tokens - llm.count_prompt(empty)
        config = self.answer_config
        budget = min(free, config.context_tokens)
        context = ground.select_context(ranked, config.context, budget, llm.count_tokens)
        if not context and free < config.context_tokens:
            raise GenerationError(
                "the question leaves no room for a passage in the model's context",
                "ask a shorter question, or raise llm.context_tokens in params.yml",
            )
        blocks = _blocks(context, len(before))
        return before, context, prompt.answer_messages(turn.asked, blocks, earlier, small=llm.small)


@dataclass(frozen=True, slots=True)
class Evidence:
    """Sentences of what was found, best first; `passes`: the gate lets them be an answer.

    `answers` is the probability, 0..1, that the best passage answers; 0 where nothing reads.
    """

    ranked: Sequence[ground.TextSpan]
    passes: bool
    answers: float
    hits: Hits


@dataclass(frozen=True, slots=True)
class _Found:
    hits: Hits
    documents: Mapping[str, Document]
    ranked: Sequence[ground.TextSpan]
    readings: Mapping[str, ground.PassageReading]  # by the id of the passage
    held: Sequence[tuple[ground.TextSpan, Entailment]] = ()  # what the best say of the question


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Nothing answers: the sentence that comes nearest, and why it does not, where known."""

    nearest: ground.TextSpan | None = None
    why_not: str = ""


@dataclass
class _Turn:
    """One question on its way: its wording to be looked for (`asked`), its times in seconds.

    `check` is what the gate and verification take in all.
    """

    question: str
    asked: str
    history: ground.EarlierTurns = tuple
    caution: str = ""
    cancel: CancelToken = NEVER
    timings: dict[str, float] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)

    def stamp(self, name: str) -> None:
        """The step ends now, if it has not ended before."""
        self.timings.setdefault(name, time.perf_counter() - self.begun)

    @contextmanager
    def checking(self) -> Iterator[None]:
        """What the block takes is of the gate or of verification."""
        begun = time.perf_counter()
        yield
        self.timings["check"] = self.timings.get("check", 0.0) + time.perf_counter() - begun

    def refusal(self, hits: Hits, why: _Refusal) -> Answer:
        """The end where no source answers."""
        return _refused(self.answer(hits), why)

    def answer(
        self,
        hits: Hits,
        claims: Sequence[Claim] = (),
        citations: Sequence[Citation] = (),
        model: str = "",
        tokens: Mapping[str, int] | None = None,
    ) -> Answer:
        """The end. Without claims it is a refusal, whose hits say what came nearest."""
        self.stamp("total")
        sentences = [rendered(claim) if model else claim.text for claim in claims]
        return Answer(
            self.question,
            (" " if model else "\n").join(sentences) or prompt.NOT_IN_SOURCES,
            bool(claims),
            tuple(claims),
            tuple(citations),
            hits,
            model,
            self.timings,
            tokens or {},
            self.caution,
        )


def _refused(answer: Answer, why: _Refusal) -> Answer:
    nearest = why.nearest.citation(1) if why.nearest else None
    return replace(answer, nearest=nearest, why_not=why.why_not)


def _why_not(asked: str, nearest: ground.TextSpan, words: ground.RuleVocabulary) -> str:
    """What the nearest sentence says in the place of what is asked; empty where nothing tells."""
    if why := ground.other_subject(asked, nearest, words):
        return why
    found = ground.other_quantity(asked, nearest.text, words)
    return f"says {found[1].value:g}, not {found[0].value:g}" if found else ""


def _names_known(question: str, hits: Hits, documents: Mapping[str, Document]) -> bool:
    """Whether what the question names is named anywhere in what was found."""
    seen = [text for hit in hits for text in (hit.passage.text, hit.passage.heading)]
    about = [text for d in documents.values() for text in (d.title, d.author)]
    about += [s.name for d in documents.values() for s in d.speakers]
    return not ground.missing_names(question, filter(None, [*seen, *about]))


def _blocks(context: Sequence[ground.TextSpan], before: int = 0) -> list[prompt.Block]:
    """The sentences under their section paths, numbered in their order from `before` + 1."""
    numbered = enumerate(context, before + 1)
    groups = groupby(numbered, lambda pair: (pair[1].section_path, pair[1].speaker or ""))
    return [
        prompt.Block(path, [(n, span.text) for n, span in group], note)
        for (path, note), group in groups
    ]


def _conversation(
    history: Sequence[ground.HistoryTurn],
) -> tuple[list[ground.TextSpan], list[prompt.Earlier]]:
    """The context of all turns, in the order of its numbers, and the turns that show it."""
    context: list[ground.TextSpan] = []
    turns = []
    for turn in history:
        blocks = _blocks(turn.context, len(context))
        context += turn.context
        numbers = {span.key: n for n, span in enumerate(context, 1)}
        places = {c.n: (c.document_id, c.start, c.end) for c in turn.answer.citations}
        said = [
            (claim.text, [numbers[places[n]] for n in claim.citations if places[n] in numbers])
            for claim in turn.answer.claims
            if claim.citations
        ]
        turns.append(prompt.Earlier(turn.question, said, blocks))
    return context, turns


def rendered(claim: Claim) -> str:
    """A claim with its numbers, or marked as one that no source supports, as it is printed."""
    markers = "".join(f" [{n}]" for n in claim.citations)
    return claim.text + (markers or " (not in your sources)")


def _by_sentence(stream: Iterable[str], turn: _Turn) -> Iterator[str]:
    """Whole sentences of a stream; markers that follow a full stop stay with their sentence."""
    held = ""
    for piece in turn.cancel.checked(stream):
        turn.stamp("first_token")
        held = prompt.plain_markers(held + piece)
        while cut := _sentence_end(held):
            yield held[:cut].strip()
            held = held[cut:]
    cut_off = getattr(stream, "finish_reason", "") == "length"
    if held.strip() and not cut_off:
        yield held.strip()


def _sentence_end(held: str) -> int:
    """Where the first sentence and its markers end; 0 while more of it may be coming."""
    found = sentences(held)
    if len(found) < 2 or OPEN_MARKER.fullmatch(held, found[1][0]):
        return 0
    markers = LEADING_MARKERS.match(held, found[1][0])
    return markers.end() if markers else found[1][0]
