"""Answers that rest on a reader: order, gate, what is named, false premises, support, style."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import Cli
from fakes import HashingEmbedder, SharedWordsReader, SharedWordsSupport
from graphs import READER_HEADS, write_model
from test_answer import Parrot, last
from test_ingest import open_ingest

from dragtor import Library
from dragtor.answer import AnswerPipeline, Quotes, Sentence
from dragtor.config import AnswerConfig, LLMConfig, RetrieveConfig, load_config, load_words
from dragtor.errors import Missing, UsageError
from dragtor.evaluate.answers import fitted_gate
from dragtor.evaluate.calibrate import fit_gate
from dragtor.evaluate.record import weights
from dragtor.ground import (
    READER_FEATURES,
    Gate,
    PassageReading,
    RuleVocabulary,
    TextSpan,
    about_asked,
    contradicting,
    gate_for,
    held_against,
    lifted,
    likely_to_answer,
    one_span_answers,
    other_quantity,
    other_subject,
    read_hits,
)
from dragtor.ground.premise import PREMISE_SENTENCES
from dragtor.ground.reading import READ_FIRST
from dragtor.parts import open_reader
from dragtor.rerank import READER_WEIGHT, ReaderReranker
from dragtor.retrieve import Retriever
from dragtor.schema import ANSWER_SCHEMA
from dragtor.store import Store
from dragtor.types import Answer, Citation, Document, Entailment, Hit, Passage, Reading

WORDS = RuleVocabulary(load_words("medicine"))
QUESTION = "How many weeks until the pulley heals?"


class Told(SharedWordsReader):
    """Says what it was told of a text that holds a key; of others what it counts."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__()
        self.told = told

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        found = super().read(question, passages)
        return [
            next((r for key, r in self.told.items() if key in passage), reading)
            for passage, reading in zip(passages, found, strict=True)
        ]

    def entail(self, claim: str, evidence: Sequence[str]) -> list[Entailment]:
        return [self.told.get(claim, Entailment(0.0, 0.0, 1.0)) for _ in evidence]


def document(text: str, title: str = "", **more: Any) -> Document:
    return Document(f"d-{title}-{text[:9]}", "file:///d", "file", title, text, **more)


def span(
    sentence: str, text: str = "", title: str = "", heading: str = "", **more: Any
) -> TextSpan:
    whole = document(text or sentence, title, **more)
    start = whole.text.index(sentence)
    hit = Hit(Passage.of(whole, 0, len(whole.text), heading), 1.0)
    return TextSpan(hit, whole, start, start + len(sentence))


# Hits and sentences


def hits_of(*texts: str, title: str = "Pulley") -> tuple[list[Hit], dict[str, Document]]:
    documents = [document(text, title) for text in texts]
    hits = [Hit(Passage.of(d, 0, len(d.text), "Care"), 0.5, dense_score=0.9) for d in documents]
    return hits, {d.id: d for d in documents}


def test_hits_are_mixed_and_spans_stand_in_the_document() -> None:
    hits, documents = hits_of("Tape does little.", "Rest it. It heals in 6 weeks. Then load it.")
    head = len("Pulley\nCare\n")
    at = hits[1].passage.text.index("6 weeks")
    told = Told({"6 weeks": Reading(0.9, head + at, head + at + 7, 0.8),
                 "Tape": Reading(0.1, 0, 6, 0.7)})  # fmt: skip
    found, readings = read_hits(QUESTION, hits, documents, told)
    assert [hit.passage.text[:4] for hit in found] == ["Rest", "Tape"]
    assert found[0].score == pytest.approx(READER_WEIGHT * 0.9 + (1 - READER_WEIGHT) * 0.5)
    first, second = (readings[hit.passage.id] for hit in found)
    assert first.span == (at, at + 7)
    assert second.span is None  # it stands in the title
    assert second.probability == 0.7


def test_a_text_that_is_its_own_title_is_read_once() -> None:
    hits, documents = hits_of("Pulley")
    told = Told({"Pulley": Reading(0.9, 0, 6, 0.8)})
    _, readings = read_hits(QUESTION, hits, documents, told)
    assert [reading.span for reading in readings.values()] == [(0, 6)]
    bare = [replace(hits[0], passage=replace(hits[0].passage, heading=""))]
    _, readings = read_hits(QUESTION, bare, documents, told)
    assert [reading.span for reading in readings.values()] == [(0, 6)]


def test_the_sentence_that_holds_the_answer_comes_first() -> None:
    text = "Pulleys heal slowly, as all know. It takes 6 whole weeks. Tape does little."
    spans = [
        replace(span(sentence, text), cosine=cosine)
        for sentence, cosine in (
            ("Pulleys heal slowly, as all know.", 0.85),
            ("It takes 6 whole weeks.", 0.8),
            ("Tape does little.", 0.79),
        )
    ]
    at = text.index("6 whole weeks")
    identity = spans[0].hit.passage.id
    reading = PassageReading(0.8, (at, at + len("6 whole weeks. Tape")), 0.6)
    first, second, third = lifted(spans, {identity: reading})
    assert [s.text[:4] for s in (first, second, third)] == ["It t", "Pull", "Tape"]
    citation = first.citation(1)
    assert citation.span == (at, first.end)  # cut where the sentence ends
    assert citation.quote[slice(*citation.answering)] == "6 whole weeks."
    assert second.citation(2).span is None
    none = PassageReading(0.8, None, 0.6)
    assert [s.text[:4] for s in lifted(spans, {identity: none})] == ["Pull", "It t", "Tape"]
    assert [s.key for s in lifted(spans, {})] == [s.key for s in spans]


def test_unlikely_words_are_not_shown_as_the_answer() -> None:
    first = span("It takes 6 whole weeks.")
    reading = PassageReading(0.8, (first.start + 9, first.end), 0.3)
    (found,) = lifted([first], {first.hit.passage.id: reading})
    assert found.score > 1
    assert found.citation(1).span is None


def test_where_one_surely_answers_no_more_are_read() -> None:
    hits, documents = hits_of(*(f"Text {n} on pulleys." for n in range(READ_FIRST + 3)))
    found, readings = read_hits(
        QUESTION, hits, documents, Told({"pulleys": Reading(0.9, 0, 0, 0.1)})
    )
    assert len(found) == READ_FIRST + 3
    assert len(readings) == READ_FIRST
    assert not {hit.passage.id for hit in found[READ_FIRST:]} & {*readings}
    unsure = Told({"pulleys": Reading(0.1, 0, 0, 0.1)})
    assert len(read_hits(QUESTION, hits, documents, unsure)[1]) == READ_FIRST + 3


def test_beside_a_passage_that_answers_only_such_are_quoted() -> None:
    first, second, third = (span(f"It takes {n} whole weeks or so.") for n in (6, 7, 8))
    ids = [one.hit.passage.id for one in (first, second, third)]
    said = (0.9, 0.2, 0.6)
    readings = {
        identity: PassageReading(answers, None, 0.1)
        for identity, answers in zip(ids, said, strict=True)
    }
    assert likely_to_answer([first, second, third], readings) == [first, third]
    assert likely_to_answer([second, first, third], readings) == [second, first, third]
    assert likely_to_answer([], readings) == []
    assert likely_to_answer([first, second], {}) == [first, second]


def test_a_short_span_that_is_sure_says_all() -> None:
    first = span("It takes 6 whole weeks, and a good deal more than that " + "where all " * 20)

    def says_all(answers: float, probability: float, length: int = 7, shown: int = 7) -> bool:
        own = replace(first, answer=(first.start, first.start + shown))
        reading = PassageReading(answers, (first.start, first.start + length), probability)
        return one_span_answers(own, {first.hit.passage.id: reading})

    assert says_all(0.9, 0.85)
    assert not says_all(0.9, 0.5)
    assert not says_all(0.7, 0.9)
    assert not says_all(0.9, 0.9, 200, 200)
    assert not says_all(0.9, 0.9, shown=5)  # the sentence has a part of it
    assert not one_span_answers(first, {})
    assert not one_span_answers(first, {first.hit.passage.id: PassageReading(0.9, None, 0.9)})


def test_a_reader_reranks() -> None:
    reranker = ReaderReranker(SharedWordsReader)
    scores = reranker.score(QUESTION, ["Tape does little.", "The pulley heals in 6 weeks."])
    assert scores[1] > scores[0]
    assert reranker.score(QUESTION, []).shape == (0,)


# What the question names


@pytest.mark.parametrize(
    ("question", "sentence", "why"),
    [
        ("How long does an A2 pulley take?", "The A4 pulley heals in 6 weeks.",
         "says this of the A4, not the A2"),
        ("how long does an a2 pulley take?", "The A2 and A4 heal in 6 weeks.", ""),
        ("How is a grade 2 strain treated?", "A grade 1 strain is taped for a week.",
         "says this of grade 1, not grade 2"),
        ("How is a grade two strain treated?", "A grade II strain is taped for a week.", ""),
        ("What prevents hepatitis B?", "A vaccine prevents hepatitis A in most people.",
         "says this of hepatitis A, not hepatitis B"),
        ("What did they find in 2019?", "In 2021 they found 40 cases.",
         "says this of 2021, not 2019"),
        ("What was found in June?", "In July 2020 there were 40 cases.",
         "says this of July, not June"),
        ("What was found in June?", "There were 40 cases.", ""),
        ("Does the vaccine of Moderna last?", "The vaccine of Pfizer lasts six months.",
         "names Pfizer, not Moderna"),
        ("Does the vaccine of Moderna last?", "The vaccine lasts six months.",
         "does not name Moderna"),
        ("What has changed since 2015?", "In 2018 the rules changed.", ""),
        ("What changed between 2010 and 2020?", "In 2015 the rules changed.", ""),
        ("What was found in 2019?", "Since 2015 they found 40 cases.", ""),
        ("What happened from June to August?", "In July there were 40 cases.", ""),
        ("How is a grade 3 strain treated?", "A grade 2 or 3 strain is operated on.", ""),
        ("How is a grade 2 strain treated?", "Grades 1 to 3 are taped for a week.", ""),
        ("How is a grade 4 strain treated?", "Grades 1 to 3 are taped for a week.",
         "says this of grade 1 and 2 and 3, not grade 4"),
        ("What prevents hepatitis B?", "A vaccine prevents hepatitis A and B in most people.", ""),
        ("Does vitamin C or D help?", "Vitamin D helps many people with pain.", ""),
        ("Do vitamins help, such as vitamin C?", "Vitamins D and K help many people.",
         "says this of vitamin D and K, not vitamin C"),
        ("What is X good for?", "What is Y? It helps with most of it.", ""),
        ("How long until the pulley heals?", "The A4 pulley heals in 6 weeks.", ""),
        ("Can I climb after 2 weeks?", "Climbing begins after 4 weeks.", ""),
        ("What should I do first?", "In the second week, load it.", ""),
        ("What comes in month13?", "In June there were 40 cases.",
         "says this of June, not the MONTH13"),
        (f"Grade 1 to {'9' * 5000}?", "Grade 4 strains are operated on.",
         f"says this of grade 4, not grade 1 and {'9' * 5000}"),
        ("", "The A4 heals.", ""),
    ],
)  # fmt: skip
def test_a_sentence_about_another_is_told(question: str, sentence: str, why: str) -> None:
    assert other_subject(question, span(sentence), WORDS) == why


def test_what_stands_above_or_around_counts_as_said() -> None:
    question = "How does Moderna's vaccine help an A2 pulley?"
    sentence = "Unlike the A4, it heals in six weeks."
    assert other_subject(question, span(sentence), WORDS) != ""
    text = f"Moderna made one. {sentence}"
    assert other_subject(question, span(sentence, text, title="A2 pulley"), WORDS) == ""
    far = f"Moderna made one. {'It is a cell. ' * 40}{sentence}"
    whole = document(far, "A2 pulley")
    own = Passage.of(whole, len(far) - len(sentence), len(far))
    assert other_subject(question, TextSpan(Hit(own, 1.0), whole, own.start, own.end), WORDS) == ""
    written = span(sentence, title="A2 pulley", author="Moderna")
    assert other_subject(question, written, WORDS) == ""


def test_one_of_the_best_speaks_of_what_is_asked_or_none_does() -> None:
    question = "How long does an A2 pulley take?"
    other, own = span("The A4 pulley takes 6 weeks."), span("The A2 pulley takes 8 weeks.")
    about, why = about_asked(question, [other, own], WORDS)
    assert ([s.text for s in about], why) == ([own.text], "")
    others = [span(f"The A4 pulley takes {n} weeks.") for n in range(3, 6)]
    assert about_asked(question, [*others, own], WORDS) == ([], "says this of the A4, not the A2")
    assert about_asked(question, [], WORDS) == ([], "")


# False premises

STUDY = "The study had 38 patients, all of them climbers."
SIXTY = "The study had 60 patients, did all heal?"


def test_a_question_is_held_against_the_best_sentences() -> None:
    class Counting(SharedWordsReader):
        asked = 0

        def entail(self, claim: str, evidence: Sequence[str]) -> list[Entailment]:
            self.asked += len(evidence)
            return super().entail(claim, evidence)

    reader = Counting()
    spans = [span(f"The pulley heals in {n} full weeks.") for n in range(PREMISE_SENTENCES + 9)]
    assert (
        len(held_against("The pulley heals, does it?" * 1000, spans, reader)) == PREMISE_SENTENCES
    )
    assert reader.asked == PREMISE_SENTENCES
    assert held_against("Why?", [], reader) == []
    assert held_against("Why?", [span("Why not?")], reader) == []


def test_another_number_in_the_same_place_is_found() -> None:
    found = other_quantity(SIXTY, STUDY, WORDS)
    assert found is not None
    assert (found[0].value, found[1].value) == (60, 38)
    assert other_quantity("Did all 38 patients heal?", STUDY, WORDS) is None
    assert other_quantity("Did all 60 doctors heal?", STUDY, WORDS) is None
    assert other_quantity("Does a grade 2 strain heal?", "Grade 1 strain heals.", WORDS) is None


def test_the_sentence_that_surely_says_otherwise_is_told() -> None:
    study, other = span(STUDY, title="Pulley study"), span("Climbers were studied.")
    denied, surer = Entailment(0.0, 0.9, 0.1), Entailment(0.0, 0.95, 0.05)
    assert contradicting([(study, denied), (other, surer)]) == other
    assert contradicting([(study, denied), (other, denied)]) == study  # the better of two alike
    assert (
        contradicting([(study, denied), (other, Entailment(0.7, 0.2, 0.1))]) is None
    )  # they differ
    assert contradicting([(study, Entailment(0.0, 0.5, 0.5))]) is None
    assert contradicting([]) is None


# The gate


def test_a_gate_is_of_an_embedder_and_a_reader() -> None:
    gate = Gate("mine", (1.0,) * 8, 0.0, 0.5, 0.4, READER_FEATURES, "r1")
    plain = Gate("mine", (0.0,) * 16, 0.0, 0.5, 0.4)
    assert Gate.from_dict(json.loads(json.dumps(gate.to_dict()))) == gate
    kept, other = json.dumps(gate.to_dict()), json.dumps(plain.to_dict())
    assert gate_for("mine", kept, "r1") == gate
    assert gate_for("mine", kept, "r2") is None
    assert gate_for("mine", kept) is None
    assert gate_for("mine", other, "r1") == plain  # until one is fitted for the reader


def test_a_gate_of_a_reader_is_fitted_and_lets_the_sure_pass() -> None:
    import random

    draw = random.Random(0)

    def row(low: float, high: float) -> tuple[float, ...]:
        read = (draw.uniform(low, high), draw.uniform(low, high))
        found = draw.uniform(0.7, 0.9), draw.choice((0.2, 0.9)), 0.7, 1.0
        return (*read, *found, draw.uniform(low, high), 0.1)

    good, bad = [row(0.5, 1) for _ in range(60)], [row(0, 0.55) for _ in range(60)]
    gate = fit_gate([*good, *bad], [True] * 60 + [False] * 60, "mark", "r1")
    assert (gate.features, gate.reader) == (READER_FEATURES, "r1")
    assert sum(not gate.passes(each) for each in good) <= 8
    assert sum(gate.passes(each) for each in bad) <= 12
    assert 0 <= gate.probability((0.0, 1.0, 0.5, 0.5, 0.5, 0.0, 1.0, 0.0)) <= 1


# The pipeline


@pytest.fixture
def store(own_folders: Path, tmp_path: Path) -> Iterator[Store]:
    notes = tmp_path / "notes"
    notes.mkdir()
    texts = {
        "pulley": "# Pulley\n\nTape does little. The pulley heals in 6 weeks. Crimp last of all.",
        "a4": "# Rings\n\nThe A4 ring is torn more rarely. The A4 ring is taped for 3 days.",
        "study": "# Study\n\nThe study had 38 patients, all of them climbers.",
        "skin": "# Skin\n\nFile every callus down before it tears off.",
    }
    for name, text in texts.items():
        (notes / f"{name}.md").write_text(text)
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
    with Store.open(own_folders) as opened:
        yield opened


def pipeline(store: Store, llm: Parrot, **answer: Any) -> AnswerPipeline:
    retriever = Retriever(store, HashingEmbedder(), RetrieveConfig(dense_weight=0.5, floor=0))
    return AnswerPipeline(
        retriever, lambda: llm, AnswerConfig(**answer), LLMConfig(answer_tokens=50),
        SharedWordsSupport(), reader=SharedWordsReader(), vocabulary=WORDS,
    )  # fmt: skip


def test_the_sentence_that_answers_is_quoted_first_with_its_span(store: Store) -> None:
    events = list(pipeline(store, Parrot("The pulley heals in 6 weeks. [1]")).ask(QUESTION))
    quotes = events[0]
    assert isinstance(quotes, Quotes)
    assert not quotes.alone
    first = quotes.citations[0]
    assert first.quote == "The pulley heals in 6 weeks."
    assert first.quote[slice(*first.answering)] == "in 6"
    answer = last(iter(events))
    assert answer.citations[0].span == first.span
    assert answer.hits[0].score > answer.hits[1].score


def test_gate_features_are_the_readers(store: Store) -> None:
    asked = pipeline(store, Parrot(""))
    found = dict(zip(READER_FEATURES, asked.gate_features(QUESTION), strict=True))
    assert found["answers"] == found["span"] == 1.0
    assert 0 < found["dense"] <= 1
    assert found["names"] == 1.0
    named = dict(
        zip(READER_FEATURES, asked.gate_features("Does Xanthippe crimp at all?"), strict=True)
    )
    assert named["names"] == 0.0
    bare = replace(asked, reader=None)
    assert len(bare.gate_features(QUESTION)) == 6


def test_another_entity_is_refused_with_the_nearest_and_why(store: Store) -> None:
    llm = Parrot("never heard")
    (answer,) = pipeline(store, llm).ask("For how many days is the A2 ring taped?")
    assert isinstance(answer, Answer)
    assert not answer.grounded
    assert answer.nearest is not None
    assert answer.nearest.quote.startswith("The A4 ring is taped")
    assert answer.why_not == "says this of the A4, not the A2"
    assert llm.prompts == []


def test_a_gate_that_refuses_says_what_comes_nearest(store: Store) -> None:
    gate = Gate("hashing-64-v1", (0.0,) * 8, -9.0, 0.5, 0.5, READER_FEATURES, "shared-words-1")
    refusing = replace(pipeline(store, Parrot("never")), gate=gate)
    (answer,) = refusing.ask("How many hours until the pulley heals?")
    assert isinstance(answer, Answer)
    assert answer.nearest is not None
    assert answer.nearest.quote == "The pulley heals in 6 weeks."
    old = Gate("hashing-64-v1", (0.0,) * 16, -9.0, 0.5, 0.5)
    (answer,) = replace(refusing, gate=old).ask(QUESTION)
    assert isinstance(answer, Answer)
    assert not answer.grounded


def test_a_false_premise_is_corrected_with_its_quote(store: Store) -> None:
    llm = Parrot("never heard")
    said, answer = pipeline(store, llm).ask(SIXTY)
    assert isinstance(said, Sentence)
    assert isinstance(answer, Answer)
    assert answer.grounded
    assert answer.text == f"Your sources say otherwise: “{STUDY}” [1]"
    assert answer.citations[0].quote == STUDY
    assert answer.model == "shared words"
    assert llm.prompts == []


@pytest.mark.parametrize(("style", "asks"), [("quote", False), ("prose", True), ("auto", False)])
def test_style_decides_whether_a_model_is_asked(store: Store, style: str, asks: bool) -> None:
    llm = Parrot("The pulley heals in 6 weeks. [1]")
    answer = last(pipeline(store, llm, style=style).ask(QUESTION))
    assert bool(llm.prompts) == asks
    assert answer.grounded
    assert answer.citations[0].quote == "The pulley heals in 6 weeks."


def test_auto_asks_where_the_reader_is_not_sure_or_is_none(store: Store) -> None:
    for change in ({"reader": None}, {"reader": Told({"Pulley": Reading(0.5, 0, 0, 0.3)})}):
        llm = Parrot("The pulley heals in 6 weeks. [1]")
        last(replace(pipeline(store, llm, style="auto"), **change).ask(QUESTION))
        assert llm.prompts


# A library with a real reader of a folder


@pytest.fixture
def read_library(
    cli: Cli, tmp_path: Path, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Notes on Alex, and settings that name a tiny reader, to which Alex is every answer."""
    folder = write_model(tmp_path / "tiny", heads=READER_HEADS, shapes=False, max_tokens=64)
    monkeypatch.setenv("DRAGTOR_ANSWER_READER", str(folder))
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "crags.md").write_text("# Crags\n\nIt is good in Ceuse. Alex Megos climbs there.\n")
    (notes / "skin.md").write_text("# Skin\n\nFile every callus down before it tears off.\n")
    assert cli("--quiet", "add", notes).code == 0
    return folder


def test_ask_shows_what_answers(cli: Cli, read_library: Path) -> None:
    found = cli("ask", "--quotes", "--no-history", "--json", "Who climbs in Ceuse?").json
    jsonschema.validate(found, ANSWER_SCHEMA)
    first = found["citations"][0]
    assert first["quote"] == "Alex Megos climbs there."
    start, end = first["span"]
    assert first["quote"][start - first["start"] : end - first["start"]] == "Alex Megos"
    shown = cli("ask", "--quotes", "Who climbs in Ceuse?")
    assert "“Alex Megos climbs there.”" in shown.out
    assert "\x1b" not in shown.out  # NO_COLOR
    assert cli("ask", "--no-history", "--json", "--quotes", "Who climbs in Ceuse?").code == 0
    with Library() as library:
        (turn,) = library.history()
        assert turn.answer.citations[0].span == (start, end)


def test_a_refusal_shows_the_nearest_sentence(cli: Cli, read_library: Path) -> None:
    question = "Which grade does Ondra climb in Ceuse?"
    found = cli("ask", "--quotes", "--no-history", "--json", question).json
    jsonschema.validate(found, ANSWER_SCHEMA)
    assert not found["grounded"]
    assert found["nearest"]["quote"] == "Alex Megos climbs there."
    assert found["nearest"]["why_not"] == "names Megos, not Ondra"
    shown = cli("ask", "--quotes", "--no-history", question).out
    assert shown.startswith("Not in your sources.\n  Nearest: “Alex Megos climbs there.” (")
    assert "It names Megos, not Ondra." in shown


def test_what_answers_is_bold_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from dragtor.cli.output import out_citation

    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    out_citation(Citation(1, "It takes 6 weeks.", "d", 10, 27, span=(19, 26)), "  ")
    assert "It takes \x1b[1m6 weeks\x1b[0m.”" in capsys.readouterr().out


def test_search_reads_too_and_results_name_the_reader(
    cli: Cli, read_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGTOR_RETRIEVE_RERANK", "reader")
    hits = cli("search", "--json", "callus").json["hits"]
    scores = {hit["title"]: hit["score"] for hit in hits}
    assert scores["Crags"] >= READER_WEIGHT / 2  # Alex, whatever was asked
    config = load_config()
    assert weights("retrieval", config)["reader"].startswith("tiny ")
    assert weights("answers", config)["reader"] == weights("retrieval", config)["reader"]
    monkeypatch.setenv("DRAGTOR_ANSWER_READER", "none")
    monkeypatch.setenv("DRAGTOR_RETRIEVE_RERANK", "tokens")
    assert "reader" not in weights("answers", load_config())


def test_a_reader_is_optional_but_not_one_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def named(name: str) -> Any:
        return open_reader(load_config(overrides={"answer": {"reader": name}}))

    monkeypatch.setenv("DRAGTOR_MODELS_PATH", str(tmp_path))
    assert named("none") is None
    assert named("auto") is None
    with pytest.raises(UsageError, match="nobody"):
        named("nobody")
    with pytest.raises(Missing) as caught:
        named("tags")  # of the catalogue, and not here
    assert caught.value.hint == "dragtor models pull tags"


def test_calibrating_fits_the_readers_gate(cli: Cli, read_library: Path) -> None:
    rows = [{"question": f"Who climbs {what}?", "answerable": True} for what in "abcde"]
    rows += [{"question": f"How is {what} filed?", "answerable": False} for what in "abcde"]
    with Library() as library:
        gate, _ = fitted_gate(library, rows)
        assert (gate.features, gate.reader) == (READER_FEATURES, library.reader_version)
        library.keep_gate(gate)
        assert library.gate() == gate
    with Library(config=load_config(overrides={"answer": {"reader": "none"}})) as library:
        assert library.gate() == library.built_in_gate() != gate
