"""`dragtor eval propose`: what is asked about and kept, going on, and who has the last word."""

from __future__ import annotations

import io
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli
from fakes import Notes, SharedWordsReader
from test_answer import Parrot
from test_reading import span

from dragtor import Library
from dragtor.cli.output import TerminalReporter
from dragtor.cli.proposals import Asking
from dragtor.config import load_config
from dragtor.errors import Cancelled, DragtorError, LibraryError, Missing, UsageError
from dragtor.evaluate.answers import questions_of
from dragtor.evaluate.passages import best_sentence, content_passages, in_turn, is_content
from dragtor.evaluate.propose import Proposal, is_near, is_question, propose
from dragtor.evaluate.question_file import QuestionFile
from dragtor.llm import GenerationOptions, Stream
from dragtor.types import Citation, Message, Passage, Reading

FILLER = "Nobody hurries it along, and whoever tries it anyway pays for that later on. " * 2
TEXTS = {
    "pulley": "A torn A2 pulley of the finger heals in six weeks of patient rest.",
    "elbow": "A sore tennis elbow heals in twelve weeks of slow lowering.",
    "skin": "A flapper on the palm of the hand closes in ten days under tape.",
    "sleep": "Adults who train need eight hours of sleep in every night.",
}
ASKED = {
    "pulley": "How long until a torn A2 pulley heals?",
    "elbow": "How long until a sore tennis elbow heals?",
    "skin": "How long until a flapper on the palm closes?",
    "sleep": "How much sleep do adults who train need?",
}
NEAR = {
    "pulley": "How long until a torn A2 pulley of Napoleon Bonaparte's horse heals?",
    "elbow": "How long until the sore tennis elbow of Napoleon Bonaparte's horse heals?",
    "skin": "How long until a flapper on the palm of Napoleon Bonaparte closes?",
    "sleep": "How much sleep do adults who train like Napoleon Bonaparte need?",
}


class Asker(Parrot):
    """Asks what ASKED and NEAR say of the sentence it is shown; counts how often it is asked."""

    name = "asker"

    def __init__(self) -> None:
        super().__init__("")

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Stream:
        shown = messages[-1].content
        key = next(key for key, text in TEXTS.items() if text in shown)
        same = f"Another fact: {ASKED[key]}"
        self.text = f"{same}\nAnother thing: {NEAR[key]}" if "\nQuestion: " in shown else ASKED[key]
        return super().stream(messages, options)


class Strict(SharedWordsReader):
    """Finds no answer to what is asked of Napoleon."""

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        found = super().read(question, passages)
        return [replace(r, answers=0.05) for r in found] if "Napoleon" in question else found


@pytest.fixture(scope="session")
def four_notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of two sources and four documents."""
    notes = tmp_path_factory.mktemp("notes")
    for name, text in TEXTS.items():
        folder = notes / ("one" if name in ("pulley", "elbow") else "two")
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.md").write_text(f"# On {name}\n\n{text} {FILLER}\n")
    with Library(notes / "library") as made:
        made.add(notes / "one")
        made.add(notes / "two")
    return notes / "library"


@pytest.fixture
def library(own_folders: Path, four_notes: Path) -> Iterator[Library]:
    """The four notes, over which the language model and the reader are fakes."""
    shutil.copytree(four_notes, own_folders)
    with Library(reporter=Notes()) as opened:
        opened.__dict__["reader"] = Strict()
        opened._llm = Asker()
        yield opened


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def asked_of(library: Library) -> int:
    llm: Any = library.llm()
    return len(llm.prompts)


# The file


def test_a_file_comes_out_that_eval_answers_reads(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "deep" / "questions.jsonl"
    result = propose(library, path, 8)
    assert (result["kind"], result["path"], result["n"]) == ("propose", "questions.jsonl", 8)
    assert result["metrics"] == {"answerable": 4, "unanswerable": 4, "passages": 4}
    assert (result["model"], result["looked_at"]) == ("asker, shared words", 0)
    documents = {row["id"] for row in library.documents()}
    for row in questions_of(path):
        key = next(key for key in TEXTS if row["question"] in (ASKED[key], NEAR[key]))
        if row["answerable"]:
            assert row["kind"] == "plain"
            assert row["reference"] == TEXTS[key]
            assert all(text in row["reference"] for text in row["must_contain"])
            assert set(row["relevant"]) < documents
        else:
            assert (row["kind"], row["must_contain"], row["relevant"]) == ("near_miss", [], [])
    near = [row for row in lines(path) if not row["answerable"]]
    assert {row["near"] for row in near} == set(ASKED.values())
    notes: Any = library.reporter
    assert notes.states[-1] == ("questions", 8, 8)


def test_a_run_goes_on_where_it_was(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    assert propose(library, path, 2)["metrics"]["passages"] == 1
    before = path.read_text()
    assert propose(library, path, 2)["metrics"]["passages"] == 0
    assert path.read_text() == before
    assert propose(library, path, 6)["n"] == 6
    assert path.read_text().startswith(before)
    assert len({row["passage"] for row in lines(path)}) == 3
    assert len({row["question"] for row in lines(path)}) == 6


def test_what_was_refused_is_not_asked_again(library: Library, tmp_path: Path) -> None:
    path, seen = tmp_path / "q.jsonl", list[str]()

    def refuse(found: Proposal) -> str:
        seen.append(found.question)
        return ""

    assert propose(library, path, 8, refuse)["n"] == 0
    assert sorted(seen) == sorted(ASKED.values())  # no near miss of what was refused
    count = asked_of(library)
    with pytest.raises(LibraryError, match="no passage"):
        propose(library, path, 8, refuse)
    assert asked_of(library) == count


def test_whoever_is_asked_has_the_last_word(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    replies: Iterator[str | None] = iter(["In other words?", "", None])
    result = propose(library, path, 8, lambda _: next(replies))
    assert (result["n"], result["looked_at"]) == (1, 1)
    (row,) = lines(path)
    assert (row["question"], row["looked_at"]) == ("In other words?", True)
    llm: Any = library.llm()
    assert "Question: In other words?" in llm.prompts[1][-1].content  # its near miss


def test_what_was_confirmed_is_kept_when_it_is_stopped(library: Library, tmp_path: Path) -> None:
    def stop(found: Proposal) -> str:
        library.cancel.cancel()
        return found.question

    with pytest.raises(Cancelled):
        propose(library, tmp_path / "q.jsonl", 8, stop)
    assert len(questions_of(tmp_path / "q.jsonl")) >= 1


def test_only_what_the_reader_agrees_to_is_kept(library: Library, tmp_path: Path) -> None:
    class Sure(SharedWordsReader):
        answers = 0.9

        def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
            return [replace(r, answers=self.answers) for r in super().read(question, passages)]

    sure = Sure()
    library.__dict__["reader"] = sure
    counts = propose(library, tmp_path / "a.jsonl", 8)["metrics"]
    assert (counts["answerable"], counts["unanswerable"]) == (4, 0)
    sure.answers = 0.4
    assert propose(library, tmp_path / "b.jsonl", 8)["n"] == 0


def test_rows_of_ones_own_stay_and_a_cut_line_goes(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"question": "Mine?"}\n{"question": "Gedehnt?", "pass', "utf-8")
    row = {"question": "Wie groß?", "answerable": True, "passage": "p1"}
    with QuestionFile(path) as kept:
        assert (kept.proposed, kept.passages) == ([], set())
        kept.append(row)
    assert path.read_text("utf-8").splitlines()[1:] == [json.dumps(row, ensure_ascii=False)]
    with QuestionFile(path) as kept:
        assert (kept.proposed, kept.passages) == ([row], {"p1"})
    assert [each["question"] for each in questions_of(path)] == ["Mine?", "Wie groß?"]


@pytest.mark.parametrize("text", ["# Notes\n", "notes", '{"a": 1}\n', "[]\n", '{"question": 1}\n'])
def test_a_file_of_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.md"
    path.write_text(text)
    with pytest.raises(UsageError, match="more than questions"), QuestionFile(path):
        pass
    assert path.read_text() == text
    with pytest.raises(LibraryError), QuestionFile(tmp_path):
        pass


# What is asked about


def test_sources_and_documents_come_in_turn(library: Library, tmp_path: Path) -> None:
    def order() -> list[str]:
        return [document.title for document, _ in content_passages(library.store(), 7)]

    first = order()
    assert order() == first
    assert len(set(first)) == len(first) == 4
    assert [title in ("On pulley", "On elbow") for title in first] == [True, False, True, False]
    (tmp_path / "three.md").write_text(f"# New\n\n{TEXTS['skin']} {FILLER}\n")
    library.add(tmp_path / "three.md")
    assert [title for title in order() if title != "New"] == first
    assert list(in_turn([iter("ab"), iter(""), iter("cde")])) == list("acbde")


def test_scraps_and_lists_are_not_asked_about() -> None:
    def passage(text: str, heading: str = "") -> Passage:
        return Passage("p", "d", 0, len(text), text, heading)

    told = f"{TEXTS['skin']} {FILLER}"
    assert is_content(passage(told, "Care > Skin"))
    assert not is_content(passage(TEXTS["skin"]))
    assert not is_content(passage(told, "Care > References"))
    contents = "\n".join(
        f"{n} A chapter on the many things that matter . . . . {n}" for n in "12345"
    )
    assert not is_content(passage(contents))


def test_the_sentence_that_tells_most_by_itself() -> None:
    text = (
        "It takes 6 weeks and 3 days to heal, said Ann. Rest is what all of the pulleys want most. "
        "A torn A2 pulley heals in 6 to 8 weeks of rest. Smith et al. found 12 of 38 pulleys torn. "
        "Is it 6 or 8 weeks until the A2 pulley heals?"
    )
    sentences = [s.strip() for s in text.replace("et al.", "et al_").split(". ")]
    spans = [span(s.replace("et al_", "et al."), text, "Pulleys") for s in sentences]
    best = best_sentence([replace(s, end=s.end + s.text[-1].isalpha()) for s in spans])
    assert best is not None
    assert best.text == "A torn A2 pulley heals in 6 to 8 weeks of rest."
    assert best_sentence(spans[:1]) is None


@pytest.mark.parametrize(
    ("text", "fine"),
    [
        ("How long does an A2 pulley take to heal?", True),
        ("Wie lange heilt ein Ringband?", True),
        ("靭帯が治るまでには何週間かかりますか？", True),
        ("The A2 pulley heals in six weeks.", False),
        ("Who? How long does it take?", True),
        ("Why?", False),
        ("How many patients did the study include?", False),
        ("What does this sentence say of pulleys?", False),
        ("How long is it? " * 20 + "?", False),
        ("", False),
    ],
)
def test_a_question_stands_alone(text: str, fine: bool) -> None:
    assert is_question(text) is fine


@pytest.mark.parametrize(
    ("question", "near"),
    [
        ("How long does an A4 pulley take to heal?", True),
        ("How many weeks do the A2 pulley and its heal need?", True),
        ("How long does an A2 pulley take to heal?", False),
        ("Who painted the Sistine Chapel?", False),
    ],
)
def test_a_near_miss_is_near(question: str, near: bool) -> None:
    assert is_near(question, "How long does an A2 pulley take to heal?") is near


# What is missing


def test_without_a_part_it_says_how_to_get_it(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**how: Any) -> DragtorError:
        with (
            Library(config=load_config(overrides=how)) as bare,
            pytest.raises(DragtorError) as caught,
        ):
            propose(bare, tmp_path / "q.jsonl", 2)
        assert not (tmp_path / "q.jsonl").exists()
        return caught.value

    answer = {"reader": "none"}
    assert refused(answer=answer).hint == "DRAGTOR_ANSWER_READER=auto dragtor eval propose"
    models = tmp_path / "models"
    models.mkdir()
    for folder in Path(load_config().models.path or "models").resolve().iterdir():
        if folder.name.startswith(("gte", "all-mini")):
            (models / folder.name).symlink_to(folder)
    monkeypatch.setenv("DRAGTOR_MODELS_PATH", str(models))
    missing = refused()
    assert isinstance(missing, Missing)
    assert missing.hint == "dragtor models pull reader"
    monkeypatch.setattr("dragtor.parts.open_reader", lambda *_: Strict())
    missing = refused(llm={"model": "smollm2-135m"})
    assert (missing.exit_code, missing.hint) == (4, "dragtor models pull smollm2-135m")


def test_without_a_library_it_says_so(cli: Cli) -> None:
    run = cli("eval", "propose")
    assert run.code == 1
    assert "there is no library" in run.err
    assert "dragtor add" in run.err


# On the terminal


@pytest.fixture
def own_parts(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragtor.parts.open_reader", lambda *_: Strict())
    monkeypatch.setattr("dragtor.llm.open_llm", lambda *_, **__: Asker())


@pytest.mark.usefixtures("own_parts")
def test_the_command_writes_and_says_that_nobody_looked(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    run = cli("eval", "propose", "--n", 4, "--out", path)
    assert (run.code, run.out) == (0, f"{path}: 4 questions, 2 answerable, 2 not\n")
    assert "nobody looked at 4 of them" in run.err
    assert f"dragtor eval answers {path}" in run.err
    run = cli("eval", "propose", "--n", 6, "--out", path, "--yes", "--json")
    assert (run.json["n"], run.json["looked_at"]) == (6, 0)
    quiet = cli("--quiet", "eval", "propose", "--n", 6, "--out", path)
    assert (quiet.code, quiet.err) == (0, "")
    short = cli("eval", "propose", "--n", 50, "--out", path)
    assert "8 questions" in short.out
    assert "of 50" in short.err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("y\n", "How long?"),
        ("what\n\nYes\n", "How long?"),
        ("n\n", ""),
        ("e\nHow many weeks?\n", "How many weeks?"),
        ("e\n\n", "How long?"),
        ("q\n", None),
        ("", None),
        ("e\n", "How long?"),
    ],
)
def test_a_reply_decides(
    typed: str,
    said: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    shown: list[str] = []
    cited = Citation(1, "It takes 6 weeks.", "d", 0, 17, "Pulley", "file:///p", span=(9, 16))
    found = Proposal("How long?", Passage("p", "d", 0, 17, "It takes 6 weeks."), cited)
    ask = Asking(TerminalReporter(), shown.append, on_stdout=False)
    assert ask(found) == said
    assert "[y]es" in capsys.readouterr().err
    text = "\n".join(shown)
    assert all(part in text for part in ("answerable", "How long?", "It takes 6 weeks.", "Pulley"))
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    ask(replace(found, near="How far?"))
    assert "a near miss of: How far?" in "\n".join(shown)


@pytest.mark.usefixtures("library")
def test_a_real_small_model_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragtor.evaluate.propose.LOOKS", 1)  # passages for each question
    config = load_config(overrides={"llm": {"model": "smollm2-135m", "threads": 1}})
    with Library(config=config) as small:
        small.__dict__["reader"] = SharedWordsReader()
        result = propose(small, tmp_path / "q.jsonl", 2)
    assert result["metrics"]["passages"] > 0
    if result["n"]:  # whatever it asked, it is checked
        assert all(r["reference"] in TEXTS.values() for r in lines(tmp_path / "q.jsonl")
                   if r["answerable"])  # fmt: skip
        assert len(questions_of(tmp_path / "q.jsonl")) == result["n"]
