"""Conversations: follow-ups, history in the prompt and in library.db, and the commands.

The language model is a small honest stand-in where the test is about what it is asked; the
terminal tests run the real program with the real small model.
"""

from __future__ import annotations

import io
import json
import os
import pty
import select
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Cli, digest
from fakes import HashingEmbedder, Notes
from test_answer import Parrot
from test_ingest import open_ingest

from dragtor import Library
from dragtor.answer import Quotes
from dragtor.chat import (
    HISTORY_TURNS,
    LONG_QUESTION_WORDS,
    Chat,
    Standalone,
    history_turns,
    markdown,
    standalone,
    stands_alone,
)
from dragtor.cli.ask import print_events
from dragtor.cli.chat import Lines
from dragtor.config import ChatConfig, load_config
from dragtor.errors import (
    Cancelled,
    GenerationError,
    LibraryError,
    LibraryVersion,
    Missing,
    UsageError,
)
from dragtor.ground import HistoryTurn, TextSpan
from dragtor.llm import GenerationOptions, Stream
from dragtor.prompt import NOT_IN_SOURCES, REWRITE_SYSTEM, rewrite_messages
from dragtor.store import Store, Writer, chat_turns, find_turns, keep_turn
from dragtor.store.schema import MIGRATIONS
from dragtor.types import (
    Answer,
    CancelToken,
    ChatTurn,
    Citation,
    Claim,
    Document,
    Hit,
    Message,
    Passage,
)

FIRST = "How many weeks until the pulley heals?"
SAID = "The pulley heals in 6 weeks."
PROGRAM = "from dragtor.cli import main; main()"
SECRET = "zanzibarquux"
PULLEY, SKIN = "https://example.org/d1", "https://example.org/d2"


class Scribe(Parrot):
    """Answers as a parrot; a rewriting gets `rewritten`."""

    def __init__(self, text: str, rewritten: str = "", reason: str = "stop") -> None:
        super().__init__(text)
        self.rewritten, self.rewrite_reason = rewritten, reason
        self.asked_to_rewrite: list[str] = []
        self.drawn: list[tuple[float, int]] = []  # temperature and seed of each answer

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        if messages[0].content == REWRITE_SYSTEM:
            self.asked_to_rewrite.append(messages[-1].content)
            return Parrot(self.rewritten, reason=self.rewrite_reason).stream(messages, options)
        self.drawn.append((options.temperature, options.seed))
        return super().stream(messages, options)


class SmallLibrary(Library):
    """A library with small parts; without a scribe, no model is installed."""

    scribe: Scribe | None = None

    def llm(self) -> Scribe:  # type: ignore[override]
        if self.scribe is None:
            raise Missing("no model", "dragtor models pull one")
        return self.scribe


def made_turn(question: str = FIRST, said: str = SAID, document: str = "d1") -> ChatTurn:
    answer = Answer(
        question,
        f"{said} [1]",
        True,
        (Claim(said, (1,)),),
        (Citation(1, said, document, 0, len(said), "Pulley", "https://example.org/p"),),
        model="parrot",
    )
    return ChatTurn(question, question, answer)


@pytest.fixture
def folder(own_folders: Path) -> Path:
    with open_ingest(own_folders) as ingest:
        text = f"# Pulley\n\n{SAID} Tape does little. Crimp last of all."
        ingest.add_document(Document("d1", PULLEY, "web", "Pulley", text))
        text = "# Skin\n\nFile every callus down before it tears off."
        ingest.add_document(Document("d2", SKIN, "web", "Skin", text))
    return own_folders


@pytest.fixture
def scribe() -> Scribe:
    return Scribe(f"{SAID[:-1]} [1].", "Does tape help the pulley?")


@pytest.fixture
def library(folder: Path, scribe: Scribe) -> Iterator[SmallLibrary]:
    with SmallLibrary(folder, config=load_config()) as opened:
        opened.embedder = HashingEmbedder()
        opened.scribe = scribe
        yield opened


def found_in(folder: Path, text: str) -> list[str]:
    """Files of library.db that hold these bytes anywhere."""
    return [f.name for f in folder.glob("library.db*") if text.encode() in f.read_bytes()]


# Follow-ups


def rewritten(question: str, scribe: Scribe, config: ChatConfig | None = None) -> str:
    return standalone(question, [made_turn()], lambda: scribe, config or ChatConfig())


def test_a_follow_up_is_rewritten_with_what_came_before() -> None:
    scribe = Scribe("", "Does tape help the pulley?")
    assert rewritten("and tape?", scribe) == "Does tape help the pulley?"
    assert scribe.asked_to_rewrite == [f"Question: {FIRST}\nAnswer: {SAID}\nFollow-up: and tape?"]
    assert standalone("and tape?", [], lambda: scribe, ChatConfig()) == "and tape?"
    assert len(scribe.asked_to_rewrite) == 1


@pytest.mark.parametrize("said", ["", "  ", FIRST, FIRST.upper(), "word " * 60])
def test_a_bad_rewriting_puts_the_two_questions_side_by_side(said: str) -> None:
    assert rewritten("and tape?", Scribe("", said)) == f"{FIRST} and tape?"


def test_a_rewriting_that_was_cut_off_is_not_used() -> None:
    assert rewritten("and tape?", Scribe("", "Does", "length")) == f"{FIRST} and tape?"


def test_without_a_model_the_two_questions_stand_side_by_side() -> None:
    scribe = Scribe("", "never")
    assert rewritten("and tape?", scribe, ChatConfig(rewrite=False)) == f"{FIRST} and tape?"
    assert standalone("and tape?", [made_turn()], None, ChatConfig()) == f"{FIRST} and tape?"

    def broken() -> Scribe:
        raise GenerationError("it broke")

    assert standalone("and tape?", [made_turn()], broken, ChatConfig()) == f"{FIRST} and tape?"
    assert scribe.asked_to_rewrite == []
    query = FIRST
    for _ in range(50):  # however long the chat, the query stays short
        turn = ChatTurn("and tape?", query, Answer("", "", False))
        query = standalone("and tape?", [turn], None, ChatConfig())
    assert len(query.split()) < 60


def test_a_long_question_stands_alone() -> None:
    long = "the inside of my elbow burns after pull-ups, what do I do?"
    assert len(long.split()) == LONG_QUESTION_WORDS
    assert stands_alone(long)
    assert not stands_alone(f"And {long}")
    assert not stands_alone("And how long?")
    scribe = Scribe("", "never")
    assert rewritten(long, scribe) == long
    assert scribe.asked_to_rewrite == []


def test_a_question_that_names_its_things_stands_alone() -> None:
    assert stands_alone("How long should I rest between max hangs?")
    assert not stands_alone("How long should I rest between attempts?")
    assert not stands_alone("How long should I rest after that max hang?")
    assert not stands_alone("")
    rows = (ROOT / "tests" / "data" / "follow_ups.jsonl").read_text("utf-8").splitlines()
    leaning = [json.loads(row)["follow_up"] for row in rows]
    assert leaning
    assert [question for question in leaning if stands_alone(question)] == []


def test_the_prompt_keeps_one_line_for_each_part() -> None:
    messages = rewrite_messages("a\nb", "", " c  d ")
    assert messages[-1] == Message("user", "Question: a b\nFollow-up: c d")
    assert [m.role for m in messages[:3]] == ["system", "user", "assistant"]


# Earlier turns in the prompt


def words(text: str) -> int:
    return len(text.split())


def asked(turns: Sequence[HistoryTurn]) -> list[str]:
    return [turn.question for turn in turns]


def test_history_is_trimmed_oldest_first() -> None:
    turns = [made_turn(f"question {n}", f"answer {n}") for n in range(6)]  # 4 tokens each
    assert asked(history_turns(turns, words, 100))[0] == "question 0"
    for budget in range(0, 30):
        kept = history_turns(turns, words, budget)
        assert 4 * len(kept) <= budget
        assert len(kept) or budget < 4
        assert asked(kept) == [f"question {n}" for n in range(6)][len(turns) - len(kept) :]


def test_what_was_read_for_a_turn_counts() -> None:
    turns = [made_turn(f"question {n}", f"answer {n}") for n in range(4)]
    document = Document("d1", PULLEY, "web", "Pulley", "Six words stand in this sentence.")
    passage = Passage.of(document, 0, len(document.text))
    span = TextSpan(Hit(passage, 1.0), document, 0, len(document.text))
    read = dict.fromkeys(range(4), (span, span))  # 26 tokens a turn
    assert [turn.context for turn in history_turns(turns, words, 60, read)] == [(span, span)] * 2
    assert len(history_turns(turns, words, 200, read)) == 4
    assert [turn.context for turn in history_turns(turns, words, 200, {3: (span,)})] == [
        (),
        (),
        (),
        (span,),
    ]


def test_what_history_opens_with_stays_the_same_for_several_turns() -> None:
    turns = [made_turn(f"question {n}", f"answer {n}") for n in range(40)]
    opened = [asked(history_turns(turns[:n], words, 40))[0] for n in range(1, 40)]
    changes = sum(a != b for a, b in pairwise(opened))
    assert 0 < changes <= 40 // 5


def test_history_leaves_out_refusals() -> None:
    refused = ChatTurn("q", "q", Answer("q", "Not in your sources.", False))
    loose = Answer("q", "x", True, (Claim("Carried.", (1,)), Claim("Loose.", ())))
    assert history_turns([refused, ChatTurn("q", "query", loose)], words, 100) == [
        HistoryTurn("query", loose)
    ]


# A conversation


def test_a_follow_up_is_searched_answered_and_kept(library: SmallLibrary, scribe: Scribe) -> None:
    chat = library.chat("knee")
    assert chat.ask(FIRST).grounded
    events = list(chat.ask_events("and tape?"))
    assert events[0] == Standalone("Does tape help the pulley?")
    answer = events[-1]
    assert answer.question == "and tape?"
    first, prompt = scribe.prompts[0], scribe.prompts[-1]
    assert prompt[-1].content.endswith("Does tape help the pulley?")
    assert prompt[: len(first)] == first  # so that none of it is read again
    assert prompt[len(first) : -1] == [Message("assistant", f"{SAID[:-1]} [1].")]
    again = library.chat("knee")
    assert [t.question for t in again.turns] == [FIRST, "and tape?"]
    assert [t.query for t in again.turns] == [FIRST, "Does tape help the pulley?"]
    kept = again.turns[1].answer
    assert (kept.text, kept.claims, kept.citations) == (
        answer.text,
        answer.claims,
        answer.citations,
    )
    assert library.chat("other").turns == []


def test_the_latest_chat_goes_on_whatever_its_name(library: SmallLibrary) -> None:
    assert library.chat(latest=True).turns == []
    library.chat().ask(FIRST)
    assert [t.question for t in library.chat(latest=True).turns] == [FIRST]
    library.chat().ask("How do I care for a callus?")
    library.chat("knee").ask("What does tape do?")
    latest = library.chat(latest=True)
    assert (latest.name, [t.question for t in latest.turns]) == ("knee", ["What does tape do?"])
    latest.ask("and?")
    assert len(library.chat("knee").turns) == 2
    assert library.chat().turns == []


def test_the_time_of_the_rewriting_counts() -> None:
    class Slow(Scribe):
        def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
            time.sleep(0.02)
            return super().stream(messages, options)

    told = {"retrieve": 0.5, "first_quote": 0.75, "total": 1.0, "check": 0.25}

    def ask(question: str, **_: Any) -> Iterator[Answer]:
        yield Answer(question, SAID, True, timings=told)

    chat = Chat(ask, lambda: Slow("", "Does tape help?"), ChatConfig(), turns=[made_turn()])
    timings = dict(chat.ask("and tape?").timings)
    assert timings.pop("check") == told["check"]
    assert all(at >= told[name] + 0.02 for name, at in timings.items())
    assert timings.keys() == {"retrieve", "first_quote", "total"}


@pytest.mark.parametrize("refusal", [NOT_IN_SOURCES, "Eat 40 apples."])
def test_a_refusal_under_quotes_says_what_the_quotes_are(
    library: SmallLibrary, scribe: Scribe, capfd: pytest.CaptureFixture[str], refusal: str
) -> None:
    scribe.text = refusal
    answer = print_events(library.ask_events(FIRST))
    out, _ = capfd.readouterr()
    assert answer.text == NOT_IN_SOURCES  # as --json says
    end = "Not in your sources. The quotes above come nearest, but no answer was found in them."
    assert " ".join(out.split()).endswith(end)
    assert out.count("Not in your sources") == 1
    assert SAID in out


def test_an_ask_without_keeping_leaves_nothing(library: SmallLibrary) -> None:
    chat = library.chat(keep=False)
    chat.ask(FIRST)
    chat.ask("and tape?")
    assert len(chat.turns) == 2
    assert library.history() == []


def test_a_retry_draws_other_words_and_takes_the_old_turns_place(
    library: SmallLibrary, scribe: Scribe
) -> None:
    chat = library.chat("knee")
    with pytest.raises(UsageError, match="nothing was asked"):
        list(chat.retry_events())
    chat.ask(FIRST)
    chat.ask("and tape?")
    scribe.rewritten = "What of tape on the pulley?"
    list(chat.retry_events())
    list(chat.retry_events())
    assert [t.query for t in chat.turns] == [FIRST, "What of tape on the pulley?"]
    assert [t.id for t in library.chat("knee").turns] == [t.id for t in chat.turns]
    cold, seed = library.config.llm.temperature, library.config.llm.seed
    warm = [(t, s) for t, s in scribe.drawn if t > cold]
    assert scribe.drawn[:2] == [(cold, seed)] * 2
    assert [s for _, s in warm] == [seed + 1, seed + 2]
    resumed = library.chat("knee")
    list(resumed.retry_events())
    assert len(library.chat("knee").turns) == 2


def test_a_question_of_a_session_is_answered_anew_in_its_place(
    library: SmallLibrary, scribe: Scribe
) -> None:
    library.chat("knee").ask(FIRST)
    first = library.chat("knee").turns[0].id
    list(library.chat("knee").ask_events("and tape?", attempt=1))  # not asked before
    scribe.rewritten = "What of tape on the pulley?"
    list(library.chat("knee").ask_events("and tape?", attempt=2))
    turns = library.chat("knee").turns
    assert [t.query for t in turns] == [FIRST, "What of tape on the pulley?"]
    assert turns[0].id == first
    assert scribe.drawn[-1][1] == library.config.llm.seed + 2


def test_a_stopped_answer_leaves_no_turn_and_can_be_retried(library: SmallLibrary) -> None:
    chat = library.chat("knee")
    chat.ask(FIRST)
    events = chat.ask_events("and tape?")
    next(events)
    events.close()  # type: ignore[attr-defined]
    assert [t.question for t in chat.turns] == [FIRST]
    list(chat.retry_events())
    assert [t.question for t in chat.turns] == [FIRST, "and tape?"]
    assert len(library.chat("knee").turns) == 2


def test_the_same_question_stopped_the_second_time_is_asked_anew(library: SmallLibrary) -> None:
    chat = library.chat("knee")
    chat.ask(FIRST)
    events = chat.ask_events(FIRST)
    next(events)
    events.close()  # type: ignore[attr-defined]
    list(chat.retry_events())
    assert [t.question for t in chat.turns] == [FIRST, FIRST]
    events = chat.retry_events()  # a stopped retry leaves the answer that it was to replace
    next(events)
    events.close()  # type: ignore[attr-defined]
    list(chat.retry_events())
    assert [t.id for t in library.chat("knee").turns] == [t.id for t in chat.turns]
    assert len(chat.turns) == 2


@pytest.mark.parametrize("quotes_only", [True, False])
def test_a_resumed_retry_asks_as_before(
    library: SmallLibrary, scribe: Scribe, quotes_only: bool
) -> None:
    list(library.chat("knee").ask_events(FIRST, quotes_only=quotes_only))
    list(library.chat("knee").retry_events())
    (turn,) = library.chat("knee").turns
    assert bool(turn.answer.model) is not quotes_only
    assert len(scribe.drawn) == (0 if quotes_only else 2)


def test_a_resumed_refusal_is_asked_of_the_model_again(
    library: SmallLibrary, scribe: Scribe, folder: Path
) -> None:
    keep_turn(folder, ChatTurn(FIRST, FIRST, Answer(FIRST, NOT_IN_SOURCES, False), session="knee"))
    list(library.chat("knee").retry_events())
    (turn,) = library.chat("knee").turns
    assert turn.answer.model == scribe.name


@pytest.mark.parametrize(
    "follow_up", ["and tape?", "How long until the pulley heals and may I crimp hard again?"]
)
def test_without_a_model_a_follow_up_shows_its_quotes_first(
    library: SmallLibrary, follow_up: str
) -> None:
    library.scribe = None
    chat = library.chat("knee")
    list(chat.ask_events(FIRST, quotes_only=True))
    events = chat.ask_events(follow_up)
    assert any(isinstance(event, Quotes) for event in events)  # reads no further
    with pytest.raises(Missing, match="no model"):
        next(events)
    assert len(chat.turns) == 1


def test_a_turn_that_cannot_be_kept_is_answered_all_the_same(library: SmallLibrary) -> None:
    notes: list[str] = []

    def full(*_: object) -> ChatTurn:
        raise LibraryError("the disk is full")

    parts = (library.ask_events, library.llm, ChatConfig())
    chat = Chat(*parts, keep=full, reporter=Notes(notes))
    assert chat.ask(FIRST).grounded
    assert chat.ask("and tape?").grounded
    assert notes == ["answers are not kept: the disk is full"]
    assert len(chat.turns) == 2


def test_a_cancelled_turn_leaves_none_and_can_be_asked_again(library: SmallLibrary) -> None:
    chat = library.chat("knee")
    list(chat.ask_events(FIRST))
    cancel = CancelToken()
    events = chat.ask_events("and tape?", cancel=cancel)
    assert isinstance(next(events), Standalone)
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(events)
    assert [turn.question for turn in chat.turns] == [FIRST]
    *_, again = chat.retry_events()
    assert isinstance(again, Answer)
    assert [turn.question for turn in library.chat("knee").turns] == [FIRST, "and tape?"]


def test_a_rewriting_is_cancelled_and_not_taken_for_a_failure() -> None:
    cancel = CancelToken()

    class Cancelling(Scribe):
        def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
            cancel.cancel()
            return super().stream(messages, options)

    llm = Cancelling("", "Does tape help?")
    with pytest.raises(Cancelled):
        standalone("and tape?", [made_turn()], lambda: llm, ChatConfig(), cancel)


def test_a_long_chat_is_resumed_whole_and_its_latest_turns_are_prompted(folder: Path) -> None:
    chat_id, all_turns = 0, 3 * HISTORY_TURNS
    for n in range(all_turns):
        turn = made_turn(f"question {n}", f"answer {n}")
        chat_id = keep_turn(folder, replace(turn, chat_id=chat_id, session="knee")).chat_id
    with SmallLibrary(folder, config=load_config()) as library:
        turns = library.chat("knee").turns
    assert [t.question for t in turns] == [f"question {n}" for n in range(all_turns)]
    assert "## question 0\n" in markdown(turns, "knee")
    kept = asked(history_turns(turns, words, 10_000))
    assert kept[-1] == f"question {all_turns - 1}"
    assert HISTORY_TURNS <= len(kept) <= 2 * HISTORY_TURNS
    opened = [asked(history_turns(turns[:n], words, 10_000))[0] for n in range(1, all_turns)]
    assert len(set(opened)) == 2


def test_a_caution_is_kept_and_exported(cli: Cli, folder: Path) -> None:
    turn = made_turn()
    keep_turn(folder, replace(turn, answer=replace(turn.answer, caution="See a doctor.")))
    with Store.open(folder) as store:
        (back,) = find_turns(store, "", 1)
    assert back.answer.caution == "See a doctor."
    assert f"## {FIRST}\n\n**See a doctor.**\n\n{SAID}" in markdown([back], "knee")
    assert "See a doctor." in cli("history").out
    assert cli("history", "--json").json["turns"][0]["caution"] == "See a doctor."


def test_markdown_holds_questions_answers_and_links() -> None:
    text = markdown([made_turn()], "knee")
    assert text == (
        f"# knee\n\n## {FIRST}\n\n{SAID} [1]\n\n"
        f"> [1] “{SAID}”  \n> [Pulley](<https://example.org/p>)\n"
    )


# Storage


def test_a_turn_comes_back_as_it_was(folder: Path) -> None:
    turn = keep_turn(folder, made_turn("naïve 東京 \ud800?"))
    with Store.open(folder) as store:
        (back,) = chat_turns(store, turn.chat_id)
    assert back.answer.citations == turn.answer.citations
    assert back.answer.claims == turn.answer.claims
    assert (back.question, back.id) == ("naïve 東京 ??", turn.id)


def test_history_finds_words_in_questions_and_answers(folder: Path) -> None:
    keep_turn(folder, made_turn("How do tendons heal?", "Slowly."))
    keep_turn(folder, made_turn("What of skin?", "File every callus."))
    with Store.open(folder) as store:
        assert [t.question for t in find_turns(store, "", 5)] == [
            "What of skin?",
            "How do tendons heal?",
        ]
        assert [t.question for t in find_turns(store, "filing", 5)] == ["What of skin?"]
        assert [t.question for t in find_turns(store, "tendon HEALING", 5)] == [
            "How do tendons heal?"
        ]
        assert find_turns(store, "tendon callus", 5) == []
        assert find_turns(store, '"*(', 5) == []
        assert len(find_turns(store, "", 1)) == 1


def test_keeping_a_turn_waits_for_no_writer_and_changes_nothing_else(folder: Path) -> None:
    before = digest(folder)
    with Store.open(folder) as store, Writer.open(folder) as writer:
        generation = store.meta("generation")
        keep_turn(folder, made_turn())
        assert store.meta("generation") == generation
        assert len(find_turns(store, "", 5)) == 1  # an open reader sees it
        writer.set_meta("still", "writing")
    assert digest(folder) == before


def test_a_busy_or_unwritable_library_is_an_error_in_plain_words(
    folder: Path, monkeypatch: pytest.MonkeyPatch, library: SmallLibrary
) -> None:
    monkeypatch.setattr("dragtor.store.schema.BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(folder / "library.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LibraryError, match="locked"):
        keep_turn(folder, made_turn())
    assert library.chat("knee").ask(FIRST).grounded
    other.execute("ROLLBACK")
    other.close()
    assert library.history() == []
    with pytest.raises(LibraryError):
        keep_turn(folder / "nowhere", made_turn())
    assert not (folder / "nowhere").exists()


def test_removing_documents_takes_the_answers_that_quote_them(
    library: SmallLibrary, folder: Path
) -> None:
    kept = keep_turn(folder, made_turn("What of skin?", "File it.", "d2"))
    gone = made_turn(f"about {SECRET}?", f"{SECRET} it is.", "d1")
    keep_turn(folder, replace(gone, chat_id=kept.chat_id))
    after = replace(made_turn("and?", "Yes.", "d2"), query=f"what of {SECRET}?")
    keep_turn(folder, replace(after, chat_id=kept.chat_id))
    keep_turn(folder, made_turn(SECRET, SECRET, "d1"))
    library.remove(PULLEY)
    with Store.open(folder) as store:
        left = find_turns(store, "", 9)
        assert [(t.question, t.query) for t in left] == [
            ("and?", "and?"),
            ("What of skin?", "What of skin?"),
        ]
        assert find_turns(store, SECRET, 9) == []
        assert store.rows("SELECT count(*) FROM chats")[0][0] == 1
    assert not found_in(folder, SECRET)


def test_a_turn_that_quotes_what_was_removed_meanwhile_is_not_kept(
    library: SmallLibrary, folder: Path
) -> None:
    before = made_turn("What of it?", f"{SECRET} it is.", "d1")
    library.remove(PULLEY)
    assert keep_turn(folder, before) == before
    assert library.history() == []
    after = replace(made_turn("and?", "Yes.", "d2"), query=f"what of {SECRET}?")
    assert keep_turn(folder, after, [before]).query == "and?"
    assert [t.query for t in library.history()] == ["and?"]
    assert not found_in(folder, SECRET)


def test_an_open_chat_keeps_nothing_of_what_was_removed_meanwhile(
    library: SmallLibrary, scribe: Scribe
) -> None:
    chat = library.chat("knee")
    chat.ask(FIRST)
    library.remove(PULLEY)
    scribe.text, scribe.rewritten = "File every callus down [1].", f"What of a {SECRET} callus?"
    assert chat.ask("and a callus?").grounded
    assert [t.query for t in chat.turns] == [FIRST, "and a callus?"]
    assert [t.query for t in library.history()] == ["and a callus?"]


def test_a_retried_answer_leaves_no_trace_for_a_removal(
    library: SmallLibrary, folder: Path
) -> None:
    retried = keep_turn(folder, made_turn("What of it?", f"{SECRET} it is.", "d1"))
    keep_turn(folder, replace(made_turn("What of it?", "Yes.", "d2"), id=retried.id))
    library.remove(PULLEY)
    assert len(library.history()) == 1
    assert not found_in(folder, SECRET)


def test_a_forgotten_answer_leaves_no_trace_in_later_questions(
    library: SmallLibrary, folder: Path
) -> None:
    forgotten = keep_turn(folder, made_turn("What of it?", f"{SECRET} it is.", "d1"))
    after = replace(made_turn("and?", "Yes.", "d2"), query=f"what of {SECRET}?")
    keep_turn(folder, replace(after, chat_id=forgotten.chat_id))
    library.forget_history(forgotten.id)
    assert [t.query for t in library.history()] == ["and?"]
    assert not found_in(folder, SECRET)


def test_turns_stay_in_their_own_chat(library: SmallLibrary) -> None:
    open_chat = library.chat()
    open_chat.ask(FIRST)
    library.forget_history()
    library.chat("other").ask("What does tape do?")
    list(open_chat.retry_events())  # replaces nobody's turn
    open_chat.ask("How many weeks again?")
    (other,) = library.chat("other").turns
    assert other.question == "What does tape do?"
    assert other.chat_id not in {t.chat_id for t in open_chat.turns}
    named = library.chat("knee")
    named.ask(FIRST)
    library.forget_history()
    library.chat("knee").ask("What does tape do?")
    named.ask("How many weeks again?")  # no longer there by its id, but by its name
    assert len(library.chat("knee").turns) == 2


def test_clearing_leaves_no_trace(library: SmallLibrary, folder: Path) -> None:
    for number in range(3):
        keep_turn(folder, made_turn(f"{SECRET} {number}"))
    with pytest.raises(UsageError, match="no answer number 9"):
        library.forget_history(9)
    assert library.forget_history(2) == 1
    assert [t.id for t in library.history()] == [3, 1]
    assert library.forget_history() == 2
    assert library.history() == []
    assert not found_in(folder, SECRET)


def test_a_library_of_before_is_migrated_by_the_next_writer(folder: Path) -> None:
    before = digest(folder)
    make_older(folder)
    with pytest.raises(LibraryVersion, match="older version") as raised:
        Store.open(folder)
    assert raised.value.hint == "dragtor index"
    with Writer.open(folder):
        pass
    assert digest(folder) == before
    assert keep_turn(folder, made_turn()).id == 1


def make_older(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "library.db")) as db:
        for table in (
            "turns",
            "turns_fts",
            "chats",
            "speakers",
            "tags",
            "entities",
            "heard",
            "tagged",
            "digests",
            "digest_documents",
        ):
            db.execute(f"DROP TABLE {table}")
        db.execute("PRAGMA user_version = 1")


def make_newer(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "library.db")) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")


@pytest.mark.parametrize(
    ("make", "text"), [(make_older, "older version"), (make_newer, "newer dragtor")]
)
def test_a_library_of_another_version_is_not_written(
    cli: Cli, folder: Path, make: Callable[[Path], None], text: str
) -> None:
    make(folder)
    before = (folder / "library.db").read_bytes()
    for arguments in (("--clear",), ("--rm", "1"), ()):
        run = cli("history", *arguments)
        assert (run.code, run.out) == (5, "")
        assert text in run.err
        assert "try: " in run.err
    with pytest.raises(LibraryVersion, match=text):
        keep_turn(folder, made_turn())
    assert (folder / "library.db").read_bytes() == before


# The commands


@pytest.fixture
def tiny(sample_library: Path, own_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the sample library, and the small model."""
    shutil.copytree(sample_library, own_folders)
    monkeypatch.setenv("DRAGTOR_LLM_MODEL", "smollm2-135m")
    monkeypatch.setenv("DRAGTOR_LLM_ANSWER_TOKENS", "16")
    monkeypatch.setenv("DRAGTOR_ANSWER_CONTEXT_TOKENS", "100")
    monkeypatch.setenv("DRAGTOR_ANSWER_REWRITE", "false")
    return own_folders


def test_chat_reads_questions_and_commands_from_a_pipe(cli: Cli, tiny: Path) -> None:
    lines = [
        '"""When may I climb again',
        'after an A2 pulley strain?"""',
        "and how long \\",
        "until I can crimp?",
        "/why",
        "/sources",
        f"/export md {tiny.parent / 'notes.md'}",
        "/export md",
        "/help",
        "/quit",
        "never asked",
    ]
    run = cli("chat", "--session", "knee", "--verbose", stdin="\n".join(lines).encode())
    assert run.code == 0, run.err
    assert "From your sources" in run.out
    assert run.err.count("searching for: ") == 1
    assert "score 0." in run.out
    assert "rank by meaning" in run.out
    assert "/retry" in run.out
    turns = cli("history", "--json").json["turns"]
    assert [t["question"] for t in turns] == [
        "and how long \nuntil I can crimp?",
        "When may I climb again\nafter an A2 pulley strain?",
    ]
    assert {t["session"] for t in turns} == {"knee"}
    written = (tiny.parent / "notes.md").read_text()
    assert written.startswith("# knee\n\n## When may I climb again")
    assert written in run.out
    assert cli("chat", "--session", "knee", stdin=b"").err == ""


WRONG = [
    "/nope", "/why", "/sources", "/retry", "/export", "/export pdf",
    "/export md ~nosuchuser/notes.md", "/export md no\0name.md", "/export md nowhere/notes.md",
]  # fmt: skip


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_command_in_a_pipe_is_a_usage_error(cli: Cli, folder: Path, line: str) -> None:
    run = cli("chat", stdin=line.encode())
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("error: ")
    assert "unexpected" not in run.err


def test_a_pipe_goes_on_after_a_wrong_command(cli: Cli, folder: Path) -> None:
    run = cli("chat", stdin=b"/nope\n/help\n/export pdf\n")
    assert run.out.startswith("/sources ")
    assert [line for line in run.err.splitlines() if line.startswith("error: ")] == [
        "error: there is no command /nope", "error: an export is md, not pdf",
    ]  # fmt: skip
    assert run.code == 2
    assert cli("chat", stdin=b"/help\n").code == 0


def test_a_session_needs_a_name_that_can_be_kept(cli: Cli, folder: Path) -> None:
    run = cli("chat", "--session", "\udcff", stdin=b"hello?")
    assert (run.code, run.out) == (2, "")
    assert "UTF-8" in run.err


@pytest.mark.parametrize(
    ("typed", "texts"),
    [
        ('one\n"""two\nthree', ["one", "two\nthree"]),
        ("one\n\n  two \\\n", ["one", "two"]),
        ('"""one\n two"""\n"""three"""\n', ["one\n two", "three"]),
        ("one \\\n two\\\n\nthree", ["one \ntwo", "three"]),
        ('"""', []),
    ],
)
def test_the_end_of_a_pipe_ends_a_text_of_several_lines(
    monkeypatch: pytest.MonkeyPatch, typed: str, texts: list[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert list(Lines()) == texts


def test_taking_out_must_be_asked_for_plainly(cli: Cli, folder: Path) -> None:
    for _ in range(3):
        keep_turn(folder, made_turn())
    for doubtful in (
        ("pulley", "--clear"), ("pulley", "--rm", 1), ("--rm", 3, "--clear"), ("", "--clear"),
        ("--rm", 0),
    ):  # fmt: skip
        run = cli("history", *doubtful)
        assert (run.code, run.out) == (2, "")
    assert len(cli("history", "--json").json["turns"]) == 3
    assert cli("history", "--rm", 3, "--json").json == {"removed": 1}
    assert cli("history", "--clear", "--json").json == {"removed": 2}


def test_an_export_overwrites_nothing(cli: Cli, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.md"
    path.write_text("mine")
    assert cli("chat", stdin=f"/export md {path}".encode()).code == 2
    assert path.read_text() == "mine"


def test_ask_continues_is_kept_found_and_taken_out(cli: Cli, tiny: Path) -> None:
    assert cli("ask", "--quotes", "How is the A2 pulley taped?").code == 0
    run = cli("ask", "--quotes", "--continue", "--json", "--verbose", "for how many months?")
    assert run.json["question"] == "for how many months?"
    assert cli("ask", "--quotes", "--no-history", "What is a flapper?").code == 0
    found = cli("history", "months", "--json").json["turns"]
    assert found[0]["query"] == "How is the A2 pulley taped? for how many months?"
    assert set(found[0]) == {
        "id", "session", "asked_at", "question", "query", "answer", "grounded", "claims",
        "citations", "model",
    }  # fmt: skip
    listed = cli("history").out
    assert "flapper?" not in listed
    assert "How is the A2 pulley taped?" in listed
    assert len(cli("history", "-n", "1", "--json").json["turns"]) == 1
    assert cli("history", "--rm", "77").code == 2
    assert cli("history", "--rm", found[0]["id"]).code == 0
    assert len(cli("history", "--json").json["turns"]) == 1
    assert cli("history", "--clear").code == 0
    assert cli("history", "--json").json == {"turns": []}
    assert cli("history").err == "nothing found\n"


def test_chat_and_history_without_a_library(cli: Cli) -> None:
    run = cli("chat", stdin=b"hello?")
    assert (run.code, run.out) == (1, "")
    assert "there is no library" in run.err
    assert cli("history", "--json").json == {"turns": []}


# A real terminal


class Terminal:
    """`dragtor chat` in a pseudo-terminal."""

    def __init__(self, *arguments: str) -> None:
        self.main, child = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdin=child,
            stdout=child,
            stderr=child,
            cwd=ROOT,
            env={**os.environ, "TERM": "dumb", "COLUMNS": "100"},
            start_new_session=True,
            preexec_fn=lambda: __import__("fcntl").ioctl(0, __import__("termios").TIOCSCTTY, 0),
        )
        os.close(child)
        self.data = b""

    def until(self, wanted: str, again: str = "") -> None:
        """Read up to and with `wanted`, from where the last call ended.

        `again` is typed where nothing comes for a while: Python misses a Ctrl-C that is pressed
        between a prompt and its first look at the keyboard.
        """
        while wanted.encode() not in self.data:
            ready = select.select([self.main], [], [], 3 if again else 120)[0]
            if again and not ready:
                self.type(again)
                continue
            try:
                data = os.read(self.main, 4096) if ready else b""
            except OSError:  # Linux, when the other side is closed
                data = b""
            assert data, f"no {wanted!r} in {self.data!r}"
            self.data += data
        self.data = self.data.partition(wanted.encode())[2]

    def type(self, text: str) -> None:
        os.write(self.main, text.encode())


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals there")
def test_a_terminal_session(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRAGTOR_ANSWER_CONTEXT_TOKENS", "300")  # long enough to be stopped in
    terminal = Terminal("chat", "--session", "knee")
    try:
        terminal.until("Ctrl-D leaves.")
        terminal.until("> ")
        terminal.type("How is the finger \\\n")
        terminal.until("… ")
        terminal.type("taped after a pulley strain?\n")
        terminal.until("first word")
        terminal.until("> ")
        terminal.type("When may I climb again after an A2 pulley strain, and how hard?\n")
        terminal.until("reading the passages")
        terminal.type("\x03")  # Ctrl-C stops the answer
        terminal.until("stopped")
        terminal.until("> ")
        terminal.type("half a line\x03")  # and drops a line
        terminal.until("> ", again="\x03")
        terminal.type("/export md ~nosuchuser/notes.md\n")
        terminal.until("cannot write ~nosuchuser/notes.md")
        terminal.until("> ")
        terminal.type("\x04")  # Ctrl-D ends
        assert terminal.process.wait(60) == 0
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.main)
    with Library() as library:
        turns = library.chat("knee").turns
    assert [t.question for t in turns] == ["How is the finger \ntaped after a pulley strain?"]


def test_an_interrupted_pipe_ends(cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: Library) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Library, "embedder", HashingEmbedder())
    monkeypatch.setattr(Library, "llm", interrupted)
    run = cli("chat", stdin=f"{FIRST}\nnever asked".encode())
    assert run.code == 130
    assert run.out.startswith("From your sources")
    assert run.out.count("From your sources") == 1
