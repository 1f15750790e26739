"""A conversation: follow-ups made to stand alone, earlier turns within a budget, turns kept.

Is handed a way to ask and a language model; knows neither retrieval nor verification nor a
terminal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dragtor import ground, prompt
from dragtor.config import ChatConfig
from dragtor.errors import DragtorError, LibraryError, UsageError
from dragtor.ground.stems import STOP_WORDS
from dragtor.llm import GenerationOptions
from dragtor.store import Filters
from dragtor.types import (
    NEVER,
    SILENT,
    Answer,
    CancelToken,
    ChatTurn,
    Citation,
    Claim,
    Reporter,
)

if TYPE_CHECKING:
    from dragtor.llm import LLM

Ask = Callable[..., Iterator[Any]]  # Library.ask_events, or another that takes what it takes

# Follow-ups

REWRITE_TOKENS = 64
ANSWER_CHARACTERS = 300  # of the answer before that a rewriting reads
LONG_QUESTION_WORDS = 12  # one of so many words stands alone, unless it opens with one of these
CONTINUING_WORDS = {"and", "but", "or", "so", "then"}
FULL_QUESTION_WORDS = 7  # so does one of so many that names so many things, and points at nothing
LEAST_NAMED = 3
POINTING_WORDS = frozenset(
    """it its they them their that this these those he she him her his there then one ones same
    instead else also too again other another both such more""".split()
)
EMPTY_WORDS = frozenset("long much many time times between until during want need get".split())
MAX_REWRITTEN_WORDS = 40
HISTORY_TURNS = 20  # of the latest turns, at least, that the prompt is filled from


def standalone(
    question: str,
    turns: Sequence[ChatTurn],
    llm: Callable[[], LLM] | None,
    config: ChatConfig,
    cancel: CancelToken = NEVER,
) -> str:
    """`question` as it can be understood without the turns before it.

    The model rewrites it, at temperature 0. Where it may not (`llm` None, or switched off), fails,
    or only says the earlier question again, the two questions stand side by side. Raises Cancelled
    between two pieces of what the model writes.
    """
    if not turns or not question.strip() or stands_alone(question):
        return question
    before = turns[-1]
    short = len(before.query.split()) <= MAX_REWRITTEN_WORDS  # joined again and again it grows
    joined = " ".join(f"{before.query if short else before.question} {question}".split())
    if llm is None or not config.rewrite:
        return joined
    messages = prompt.rewrite_messages(
        before.query, prose(before.answer)[:ANSWER_CHARACTERS], question
    )
    options = GenerationOptions(REWRITE_TOKENS, stop=("\n",), fixed=prompt.FIXED_REWRITE)
    try:
        with llm().stream(messages, options) as stream:
            text = "".join(cancel.checked(stream)).strip()
    except DragtorError:
        return joined
    repeated = _words(text) in ([], _words(before.query), _words(before.question))
    cut_off = stream.finish_reason == "length" or len(text.split()) > MAX_REWRITTEN_WORDS
    return joined if repeated or cut_off else text


def stands_alone(question: str) -> bool:
    """Whether a question is long enough, or names enough, to say what it is about."""
    words = _words(question)
    if not words or words[0] in CONTINUING_WORDS:
        return False
    named = {w for w in words if len(w) > 2} - STOP_WORDS - EMPTY_WORDS
    full = len(words) >= FULL_QUESTION_WORDS and len(named) >= LEAST_NAMED
    return len(words) >= LONG_QUESTION_WORDS or (full and not POINTING_WORDS & set(words))


def _words(text: str) -> list[str]:
    return [word.strip("?!.,;:\"'").casefold() for word in text.split()]


def prose(answer: Answer) -> str:
    """What the answer says and quotes for, without numbers; empty where nothing was found."""
    return " ".join(claim.text for claim in answer.claims if claim.citations)


def history_turns(
    turns: Sequence[ChatTurn],
    count_tokens: Callable[[str], int],
    budget: int,
    contexts: Mapping[int, tuple[ground.TextSpan, ...]] | None = None,
) -> list[ground.HistoryTurn]:
    """Earlier turns of at most `budget` tokens, the oldest dropped first.

    `contexts` holds the sentences selected for a turn, by the turn's index. What grows too long
    is cut to half the budget at once: the prompt then opens with the same tokens for several
    turns, and a model that keeps its state need not evaluate them again.
    """
    kept: list[tuple[int, ground.HistoryTurn]] = []
    begin = max(0, len(turns) // HISTORY_TURNS - 1) * HISTORY_TURNS
    for place, turn in enumerate(turns[begin:], begin):
        if not (said := prose(turn.answer)):
            continue
        spans = (contexts or {}).get(place, ())
        size = count_tokens(turn.query) + count_tokens(said)
        size += sum(count_tokens(span.text) + ground.MARKER_TOKENS for span in spans)
        kept.append((size, ground.HistoryTurn(turn.query, turn.answer, spans)))
        if sum(size for size, _ in kept) > budget:
            while sum(size for size, _ in kept) > budget // 2 and len(kept) > 1:
                kept.pop(0)
            if kept[0][0] > budget:
                kept.pop()
    return [turn for _, turn in kept]


def recalled_turns(said: Iterable[tuple[str, str]], config: ChatConfig) -> list[ChatTurn]:
    """Turns of a conversation that another program kept: questions, and what was said to each.

    What was said is background for follow-ups only: it has no place in a document, so that no
    claim can rest on it.
    """
    turns: list[ChatTurn] = []
    for question, text in said:
        query = standalone(question, turns, None, config)
        claims = (Claim(text, (1,)),) if text else ()
        answer = Answer(question, text, bool(text), claims, (Citation(1, text, "", 0, 0),))
        turns.append(ChatTurn(question, query, answer))
    return turns


# The conversation


@dataclass(frozen=True, slots=True)
class Standalone:
    """The follow-up as it is searched, before anything is found."""

    query: str


class Chat:
    """Questions that may refer to the ones before. `turns` are those so far, oldest first.

    `keep` stores a turn, given those before it (None: nothing is kept); a turn that cannot be kept
    is answered all the same, and `reporter` is told why, once. `rewriter` is the model that makes a
    follow-up stand alone, `llm` where it is None; where it raises DragtorError, the two questions
    stand side by side.
    """

    def __init__(
        self,
        ask: Ask,
        llm: Callable[[], LLM],
        config: ChatConfig,
        *,
        rewriter: Callable[[], LLM] | None = None,
        name: str = "",
        chat_id: int = 0,
        turns: Sequence[ChatTurn] = (),
        keep: Callable[[ChatTurn, Sequence[ChatTurn]], ChatTurn] | None = None,
        reporter: Reporter = SILENT,
    ) -> None:
        self.name = name
        self.turns = list(turns)
        self._chat_id = chat_id
        self._ask, self._llm, self._config = ask, llm, config
        self._rewriter = rewriter or llm
        self._keep, self._reporter = keep, reporter
        self._asked: tuple[str, bool, Filters | None] | None = None
        self._stopped = False  # before what was asked had its answer
        self._attempt = 0
        self._contexts: dict[int, tuple[ground.TextSpan, ...]] = {}  # of turns of this session

    def ask(self, question: str, *, cancel: CancelToken = NEVER) -> Answer:
        """The answer to a question, in the light of the turns before."""
        *_, last = self.ask_events(question, cancel=cancel)
        assert isinstance(last, Answer)  # by contract
        return last

    def ask_events(
        self,
        question: str,
        *,
        quotes_only: bool = False,
        filters: Filters | None = None,
        attempt: int = 0,
        cancel: CancelToken = NEVER,
    ) -> Iterator[Any]:
        """Standalone where it was a follow-up, then the events of Library.ask_events.

        A turn is added, and kept, with the Answer; one that is stopped or cancelled before leaves
        none. An `attempt` above 0 draws other words, in the light of what came before the latest
        turn that asked the same, which it replaces.
        """
        self._asked, self._attempt = (question, quotes_only, filters), attempt
        self._stopped = True  # until the answer is there
        same = [n for n, turn in enumerate(self.turns) if attempt and turn.question == question]
        if same:
            yield from self._answer(self.turns[: same[-1]], cancel, self.turns[same[-1]])
        else:
            yield from self._answer(self.turns, cancel)

    def retry_events(self, *, cancel: CancelToken = NEVER) -> Iterator[Any]:
        """The last question once more, in other words; the new turn takes the old one's place."""
        last = self.turns[-1] if self.turns else None
        if self._asked is None and last:  # a resumed chat
            quotes_only = last.answer.grounded and not last.answer.model
            self._asked = (last.question, quotes_only, None)
        if self._asked is None:
            raise UsageError("nothing was asked yet")
        self._attempt += 1
        if last is None or self._stopped:
            yield from self._answer(self.turns, cancel)
        else:
            yield from self._answer(self.turns[:-1], cancel, last)

    def _answer(
        self, before: Sequence[ChatTurn], cancel: CancelToken, old: ChatTurn | None = None
    ) -> Iterator[Any]:
        """Answer what was asked after the turns `before`; the turn takes the place of `old`."""
        assert self._asked is not None
        question, quotes_only, filters = self._asked
        llm = None if quotes_only else self._rewriter
        begun = time.perf_counter()
        query = standalone(question, before, llm, self._config, cancel)
        rewriting_s = time.perf_counter() - begun
        if query != question:
            yield Standalone(query)
        budget = self._config.history_tokens
        contexts = self._contexts
        contexts.pop(len(before), None)  # of a turn that was stopped, or is retried
        for event in self._ask(
            question,
            quotes_only=quotes_only,
            filters=filters,
            query=query if query != question else "",
            history=lambda: history_turns(before, self._llm().count_tokens, budget, contexts),
            attempt=self._attempt,
            cancel=cancel,
        ):
            if isinstance(event, ground.ContextSelected):
                contexts[len(before)] = event.spans
            if isinstance(event, Answer):
                timings = {  # counted from the question on; `check` is no such time
                    name: at if name == "check" else at + rewriting_s
                    for name, at in event.timings.items()
                }
                event = replace(event, question=question, timings=timings)
                turn = old or ChatTurn(question, query, event)
                turn = replace(turn, query=query, answer=event, session=self.name)
                self.turns = [*before, self._kept(turn, before)]
                self._stopped = False
            yield event

    def _kept(self, turn: ChatTurn, before: Sequence[ChatTurn]) -> ChatTurn:
        if self._keep is None:
            return turn
        try:
            kept = self._keep(replace(turn, chat_id=self._chat_id), before)
        except LibraryError as error:
            self._reporter.note(f"answers are not kept: {error}")
            self._keep = None
            return turn
        self._chat_id = kept.chat_id
        return kept


def markdown(turns: Sequence[ChatTurn], title: str) -> str:
    """The conversation as Markdown: each question, its answer, its quotes with their links."""
    parts = [f"# {title}"]
    for turn in turns:
        parts.append(f"## {' '.join(turn.question.split())}")
        parts += [f"**{turn.answer.caution}**"] if turn.answer.caution else []
        parts.append(turn.answer.text)
        for citation in turn.answer.citations:
            name = (citation.title or citation.url).replace("[", "(").replace("]", ")")
            quote = " ".join(citation.quote.split())
            parts.append(f"> [{citation.n}] “{quote}”  \n> [{name}](<{citation.url}>)")
    return "\n\n".join(parts) + "\n"
