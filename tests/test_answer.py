"""The answer pipeline with honest small parts: order of events, grounding, refusal, budget."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fakes import HashingEmbedder, SharedWordsSupport
from test_ingest import open_ingest

from dragtor.answer import (
    AnswerPipeline,
    Caution,
    Quotes,
    Sentence,
    _by_sentence,
    _Turn,
)
from dragtor.config import AnswerConfig, LLMConfig, RetrieveConfig
from dragtor.errors import Cancelled
from dragtor.ground import ContextSelected, HistoryTurn, RedFlags
from dragtor.llm import GenerationOptions, Stream, Usage
from dragtor.prompt import NOT_IN_SOURCES
from dragtor.retrieve import Retriever
from dragtor.store import Store
from dragtor.types import Answer, CancelToken, Message

QUESTION = "How many weeks until the pulley heals?"


class Parrot:
    """An LLM that says what it is given, in pieces of three letters; it keeps its prompts."""

    name = "parrot"
    small = True

    def __init__(self, text: str, context_tokens: int = 4000, reason: str = "stop") -> None:
        self.text, self.context_tokens, self.reason = text, context_tokens, reason
        self.prompts: list[Sequence[Message]] = []

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def count_prompt(self, messages: Sequence[Message]) -> int:
        return sum(self.count_tokens(message.content) for message in messages)

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        self.prompts.append(messages)

        def pieces() -> Any:
            yield from (self.text[i : i + 3] for i in range(0, len(self.text), 3))
            return Usage(self.count_prompt(messages), len(self.text) // 3, self.reason)

        return Stream(pieces())

    def close(self) -> None:
        pass


@pytest.fixture
def store(own_folders: Path, tmp_path: Path) -> Iterator[Store]:
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "pulley.md").write_text(
        "# Pulley\n\nThe pulley heals in 6 weeks. Tape does little. Crimp last of all."
    )
    (notes / "skin.md").write_text("# Skin\n\nFile every callus down before it tears off.")
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
    with Store.open(own_folders) as opened:
        yield opened


def pipeline(store: Store, llm: Parrot, floor: float = -1) -> AnswerPipeline:
    retriever = Retriever(store, HashingEmbedder(), RetrieveConfig(dense_weight=0.5, floor=floor))
    return AnswerPipeline(
        retriever, lambda: llm, AnswerConfig(), LLMConfig(answer_tokens=50), SharedWordsSupport(),
        red_flags=RedFlags("Ask a doctor.", ("numb",)),
    )  # fmt: skip


def last(events: Iterator[object]) -> Answer:
    *_, answer = events
    assert isinstance(answer, Answer)
    return answer


def test_quotes_come_first_then_sentences_then_the_answer(store: Store) -> None:
    llm = Parrot("The pulley heals in 6 weeks. [1] Crimp last of all [1]. Drink more tea. [1]")
    events = list(pipeline(store, llm).ask(QUESTION))
    assert isinstance(events[0], Quotes)
    assert events[0].citations[0].quote == "The pulley heals in 6 weeks."
    said = [event.claim.text for event in events if isinstance(event, Sentence)]
    assert said == ["The pulley heals in 6 weeks.", "Crimp last of all."]
    answer = last(iter(events))
    assert answer.grounded
    assert answer.text == "The pulley heals in 6 weeks. [1] Crimp last of all. [2]"
    assert [c.n for c in answer.citations] == [1, 2]
    assert set(answer.timings) == {"retrieve", "first_quote", "first_token", "total", "check"}
    assert answer.tokens["completion"] > 0


@pytest.mark.parametrize(
    "said", [NOT_IN_SOURCES, "Not in your sources", "Eat 40 apples.", "Nonsense [9].", ""]
)
def test_what_the_sources_do_not_support_is_not_said(store: Store, said: str) -> None:
    answer = last(pipeline(store, Parrot(said)).ask(QUESTION))
    assert (answer.text, answer.grounded, answer.citations) == (NOT_IN_SOURCES, False, ())
    assert answer.hits  # what came nearest


@pytest.mark.parametrize(
    ("unsupported", "text"),
    [
        ("quote", "The pulley heals in 6 weeks. [1] Crimp last of all. [2]"),
        ("drop", "The pulley heals in 6 weeks. [1]"),
        ("mark", "The pulley heals in 6 weeks. [1] Tape heals in 9 weeks. (not in your sources)"),
    ],
)
def test_an_unsupported_sentence_is_quoted_dropped_or_marked(
    store: Store, unsupported: Any, text: str
) -> None:
    asked = pipeline(store, Parrot("The pulley heals in 6 weeks. Tape heals in 9 weeks [2]."))
    config = replace(asked.answer_config, unsupported=unsupported)
    answer = last(replace(asked, answer_config=config).ask(QUESTION))
    assert answer.text == text
    assert all(
        c.quote in ("The pulley heals in 6 weeks.", "Crimp last of all.") for c in answer.citations
    )


def test_a_lay_question_is_looked_for_in_the_fields_words(store: Store) -> None:
    llm = Parrot("The pulley heals in 6 weeks.")
    last(pipeline(store, llm, floor=0).ask("my finger went bang, when is it whole?"))
    assert [prompt[-1].content[:11] for prompt in llm.prompts] == ["my finger w", "<passages>\n"]
    plain = Parrot("The pulley heals in 6 weeks.")
    last(pipeline(store, plain).ask(QUESTION))
    assert len(plain.prompts) == 1


def test_a_caution_comes_first_and_stays_on_the_answer(store: Store) -> None:
    first, *_, answer = pipeline(store, Parrot("The pulley heals in 6 weeks.")).ask(
        "The pulley is numb, when is it healed, in how many weeks?"
    )
    assert isinstance(first, Caution)
    assert isinstance(answer, Answer)
    assert answer.caution == first.text == "Ask a doctor."


def test_what_was_selected_before_stays_citable(store: Store) -> None:
    parrot = Parrot("The pulley heals in 6 weeks [1].")
    first = list(pipeline(store, parrot).ask("How long does the pulley heal?"))
    selected = next(event for event in first if isinstance(event, ContextSelected))
    answer = first[-1]
    assert isinstance(answer, Answer)
    at = next(n for n, span in enumerate(selected.spans, 1) if "6 weeks" in span.text)
    parrot.text = (
        f"The pulley heals in 6 weeks [{at}]. File every callus [{len(selected.spans) + 1}]."
    )
    earlier = HistoryTurn("How long does the pulley heal?", answer, selected.spans)
    *_, again = pipeline(store, parrot).ask(
        "When do I file every callus?", history=lambda: [earlier]
    )
    assert isinstance(again, Answer)
    assert [c.quote.split()[0] for c in again.citations] == ["The", "File"]
    before, now = (p for p in parrot.prompts if "</passages>" in p[-1].content)
    assert now[: len(before)] == before
    assert now[len(before)].content == f"The pulley heals in 6 weeks [{at}]."
    assert f"[{len(selected.spans) + 1}] File" in now[-1].content


def test_nothing_relevant_asks_no_model(store: Store) -> None:
    llm = Parrot("never heard")
    (answer,) = pipeline(store, llm).ask("zebra xylophone quasar")
    assert isinstance(answer, Answer)
    assert (answer.text, answer.grounded) == (NOT_IN_SOURCES, False)
    assert llm.prompts == []


def test_quotes_only_opens_no_model(store: Store) -> None:
    answer = last(pipeline(store, Parrot("never")).ask(QUESTION, quotes_only=True))
    assert answer.grounded
    assert answer.claims[0].text == answer.citations[0].quote
    assert answer.model == ""


def test_a_small_context_keeps_the_best_passage(store: Store) -> None:
    wide, narrow = Parrot("x"), Parrot("x", context_tokens=0)
    last(pipeline(store, wide, floor=0).ask(QUESTION))
    room = wide.count_prompt(wide.prompts[0])
    narrow.context_tokens = room + 50 - 8
    last(pipeline(store, narrow, floor=0).ask(QUESTION))
    assert narrow.count_prompt(narrow.prompts[0]) < room
    assert "heals in 6 weeks" in narrow.prompts[0][-1].content


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One is here. [1] Two is there. [2]", ["One is here. [1]", "Two is there. [2]"]),
        ("One is here [1]. Two is there [1][2].", ["One is here [1].", "Two is there [1][2]."]),
        ("One is here. [1][3] And two.", ["One is here. [1][3]", "And two."]),
        ("It takes 2.5 weeks, e.g. six.", ["It takes 2.5 weeks, e.g. six."]),
        ("No full stop", ["No full stop"]),
        ("", []),
    ],
)
@pytest.mark.parametrize("size", [1, 3, 100])
def test_markers_stay_with_their_sentence(text: str, expected: list[str], size: int) -> None:
    pieces = (text[i : i + size] for i in range(0, len(text), size))
    assert list(_by_sentence(pieces, _Turn("", ""))) == expected


def test_a_repeated_and_a_cut_off_sentence_are_not_said(store: Store) -> None:
    said = "The pulley heals in 6 weeks [1]. The pulley heals in 6 weeks [1]. Crimp last of"
    answer = last(pipeline(store, Parrot(said, reason="length")).ask(QUESTION))
    assert answer.text == "The pulley heals in 6 weeks. [1]"
    whole = last(pipeline(store, Parrot(said)).ask(QUESTION))
    assert len(whole.claims) == 2


class Slowly(Parrot):
    """Cancels as it says the piece of this number, and counts what it has said."""

    def __init__(self, text: str, cancel: CancelToken, at: int) -> None:
        super().__init__(text)
        self._cancel, self._at, self.said = cancel, at, 0

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        inner = super().stream(messages, options)

        def pieces() -> Any:
            for piece in inner:
                self.said += 1
                if self.said == self._at:
                    self._cancel.cancel()
                yield piece
            return Usage(0, self.said, "stop")

        return Stream(pieces())


@pytest.mark.parametrize("at", [1, 10])
@pytest.mark.parametrize("question", [QUESTION, "my finger went bang, when is it whole?"])
def test_a_cancelled_answer_ends_at_the_next_piece(store: Store, question: str, at: int) -> None:
    cancel = CancelToken()
    llm = Slowly("The pulley heals in 6 weeks [1]. Crimp last of all [1].", cancel, at)
    with pytest.raises(Cancelled):
        list(pipeline(store, llm, floor=0).ask(question, cancel=cancel))
    assert llm.said == at


def test_a_cancelled_answer_ends_between_its_steps(store: Store) -> None:
    llm = Parrot("The pulley heals in 6 weeks [1].")
    steps = [type(event) for event in pipeline(store, llm).ask(QUESTION)]
    assert steps == [Quotes, ContextSelected, Sentence, Answer]
    for until in range(3):
        cancel = CancelToken()
        events = pipeline(store, llm).ask(QUESTION, cancel=cancel)
        for _ in range(until):
            next(events)
        cancel.cancel()
        with pytest.raises(Cancelled):
            list(events)
