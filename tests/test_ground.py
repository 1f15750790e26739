"""Quotes and verification: verbatim, from the right passage, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from fakes import HashingEmbedder

from dragtor.config import AnswerConfig
from dragtor.ground import (
    TextSpan,
    best_quotes,
    citation_markers,
    entailing_spans,
    late_interaction,
    rank_sentences,
    select_context,
)
from dragtor.ground.quotes import INTERACTING_SENTENCES
from dragtor.ground.spans import sentence_spans
from dragtor.parts import open_support
from dragtor.types import Document, Hit, Passage

EMBEDDER = HashingEmbedder()
EMBED = EMBEDDER.embed_passages
RULES = open_support(AnswerConfig().domain)

PULLEY = Document(
    "pulley", "https://example.org/pulley", "web", "A2 pulley",
    "# Return\n\nA grade two strain heals in 4 to 6 weeks. Tape is optional.\n"
    "- Crimp last of all grips. "
    "Climb again when crimping is free of pain.",
)  # fmt: skip
ELBOW = Document(
    "elbow", "https://example.org/elbow", "web", "Elbow",
    "Golfer's elbow hurts on the inside. Load the wrist flexors with 3 sets of 15.",
)  # fmt: skip
DOCUMENTS = {"pulley": PULLEY, "elbow": ELBOW}


def hit(document: Document, score: float) -> Hit:
    start = document.text.find("\n\n") + 2 if document.text.startswith("#") else 0
    return Hit(Passage.of(document, start, len(document.text)), score, title=document.title)


HITS = [hit(PULLEY, 0.9), hit(ELBOW, 0.5)]


def ranked(question: str, hits: list[Hit] = HITS) -> list[TextSpan]:
    documents = {**DOCUMENTS, "twin": replace(PULLEY, id="twin")}
    return rank_sentences(question, EMBEDDER.embed_queries([question])[0], hits, documents, EMBED)


def supporting(claim: str, numbers: list[int], spans: list[TextSpan]) -> list[TextSpan]:
    return entailing_spans(claim, numbers, spans, RULES, EMBED)


READ = select_context(ranked("when may I climb"), "sentences", 1000, len)


def test_the_best_quotes_are_verbatim_and_one_a_hit() -> None:
    quotes = best_quotes(ranked("when may I climb again without pain"), 3)
    assert [q.n for q in quotes] == [1, 2]
    assert quotes[0].quote == "Climb again when crimping is free of pain."
    for quote in quotes:
        assert DOCUMENTS[quote.document_id].text[quote.start : quote.end] == quote.quote
        assert quote.url.startswith(DOCUMENTS[quote.document_id].uri + "#:~:text=")
    assert best_quotes(ranked("anything", []), 3) == []


@pytest.mark.parametrize(
    ("raw", "text", "numbers"),
    [
        ("It heals in 6 weeks [1].", "It heals in 6 weeks.", [1]),
        ("It heals. [1][2]", "It heals.", [1, 2]),
        ("Both say so [1, 3; 1].", "Both say so.", [1, 3]),
        ("No mark [at all].", "No mark [at all].", []),
        ("It heals in 6 weeks [1-3].", "It heals in 6 weeks.", [1, 2, 3]),
        ("It heals in 6 weeks【1】.", "It heals in 6 weeks.", [1]),
        ("It heals [1, 2 and 3] in 6 weeks [^4].", "It heals in 6 weeks.", [1, 2, 3, 4]),
    ],
)
def test_citation_markers(raw: str, text: str, numbers: list[int]) -> None:
    assert citation_markers(raw) == (text, numbers)


def test_a_claim_gets_the_sentence_that_entails_it() -> None:
    (span,) = supporting("Such a strain heals in 4 to 6 weeks", [1], READ)
    assert span.text == "A grade two strain heals in 4 to 6 weeks."


@pytest.mark.parametrize(
    ("claim", "numbers"),
    [
        ("A strain heals in 8 to 10 weeks", [1]),  # other numbers
        ("Drink two litres of water daily", [1]),  # other words
        ("A strain heals in 8 to 10 weeks", [7]),  # an invented number does not help
        ("Something quite unrelated altogether", []),
    ],
)
def test_what_does_not_support_is_not_cited(claim: str, numbers: list[int]) -> None:
    assert supporting(claim, numbers, READ) == []


@pytest.mark.parametrize("numbers", [[], [1], [7], [0]])
def test_a_wrong_number_is_put_right(numbers: list[int]) -> None:
    (span,) = supporting("Load the wrist flexors with 3 sets", numbers, READ)
    assert span.document.id == "elbow"


def test_every_named_span_that_entails_it_is_cited() -> None:
    twins = [*READ, *(replace(span, document=replace(span.document, id="twin")) for span in READ)]
    numbers = [n for n, span in enumerate(twins, 1) if "wrist flexors" in span.text]
    found = supporting("Load the wrist flexors", numbers, twins)
    assert [span.document.id for span in found] == ["elbow", "twin"]


def test_a_bullet_is_no_part_of_a_quote() -> None:
    (span,) = supporting("Crimp last of all the grips", [1], READ)
    assert span.text == "Crimp last of all grips."


def test_numbers_of_title_and_heading_count_as_seen() -> None:
    document = Document(
        "a2", "file:///a2", "file", "A2 pulley strain",
        "Easy climbing can begin after three weeks at the earliest.",
    )  # fmt: skip
    span = TextSpan(Hit(Passage.of(document, 0, 58), 1.0), document, 0, 58)
    claim = "After an A2 pulley strain, easy climbing can begin after three weeks at the earliest"
    assert supporting(claim, [1], [span])


def test_a_list_number_is_no_number_of_the_claim() -> None:
    assert citation_markers("1. Rest the finger [2].") == ("Rest the finger.", [2])


def test_tokens_that_meet_the_question_put_a_sentence_first() -> None:
    before = ranked("when may I climb again without pain")
    worst = before[-1]
    after = late_interaction(worst.text, before, HashingEmbedder().embed_tokens)
    assert {span.key for span in after} == {span.key for span in before}
    assert after[0].key == worst.key
    assert [s.score for s in after] == sorted((s.score for s in after), reverse=True)


def test_only_the_best_sentences_are_scored_again_and_the_others_stay_behind() -> None:
    one = ranked("when may I climb again without pain")[0]
    many = [replace(one, start=0, end=n + 1, score=1 - n / 1000) for n in range(80)]
    read: list[int] = []

    def embed_tokens(texts: Sequence[str]) -> list[np.ndarray]:
        read.append(len(texts))
        return HashingEmbedder().embed_tokens(texts)

    after = late_interaction("climb", many, embed_tokens)
    assert read == [INTERACTING_SENTENCES + 1]
    assert after[INTERACTING_SENTENCES:] == many[INTERACTING_SENTENCES:]
    assert late_interaction("", many, embed_tokens) == many
    assert late_interaction("climb", [], embed_tokens) == []


def test_the_reply_is_quoted_and_not_the_interviewer_s_question() -> None:
    text = (
        "How often should a beginner use the hangboard?\n\nNot at all. "
        "In the first two years I would only climb.\n\nIs that so strict?\n\nWhat about the feet?"
    )
    document = Document("talk", "file:///talk", "audio", "Talk", text)
    hit = Hit(Passage.of(document, 0, len(text)), 1.0)
    read = sentence_spans(hit, document)
    before = [replace(span, score=1 - n / 10) for n, span in enumerate(read)]
    asked = "how often should a beginner use the hangboard"
    after = late_interaction(asked, before, HashingEmbedder().embed_tokens)
    assert after[0].text == "In the first two years I would only climb."
    assert {span.key for span in after} == {span.key for span in before}
    assert [s.score for s in after] == sorted((s.score for s in after), reverse=True)
    (quote,) = best_quotes(after, 1)
    assert quote.quote == after[0].text


def test_the_same_sentence_is_quoted_once() -> None:
    hits = [HITS[0], replace(HITS[0], passage=replace(HITS[0].passage, id="t", document_id="twin"))]
    quotes = best_quotes(ranked("climb without pain", hits), 3)
    assert len({q.quote for q in quotes}) == len(quotes) == 2


def test_an_invented_unit_or_thing_is_not_entailed() -> None:
    invented = (
        "A grade two strain heals in 4 to 6 hours",
        "Such an operation needs general anaesthesia and takes 4 to 6 weeks",
        "Ice the finger for 4 weeks",
    )
    for claim in invented:
        assert supporting(claim, [1], READ) == [], claim


@pytest.mark.parametrize(
    "mark", ["[1-3]", "[1–2]", "[ 1 ]", "[1,]", "[1, 2 and 3]", "[^1]", "【1】"]
)
def test_a_marker_is_no_number_of_the_claim(mark: str) -> None:
    text, numbers = citation_markers(f"A grade two strain heals in 4 to 6 weeks {mark}.")
    (span,) = supporting(text, numbers, READ)
    assert span.text == "A grade two strain heals in 4 to 6 weeks."


def test_two_neighbours_may_entail_a_claim_together() -> None:
    claim = "Crimp last of all grips, and climb again when crimping is free of pain"
    (span,) = supporting(claim, [1], READ)
    assert span.text == "Crimp last of all grips. Climb again when crimping is free of pain."


def test_a_name_that_the_quote_lacks_is_not_entailed() -> None:
    text = "The quadriga test, also called the lumbrical stress test, compares two hand positions."
    document = Document("l", "file:///l", "file", "Lumbrical strain", text)
    span = TextSpan(Hit(Passage.of(document, 0, len(text)), 1.0), document, 0, len(text))
    assert supporting("The Elson test compares two hand positions", [1], [span]) == []
    assert supporting("The quadriga test compares two hand positions", [1], [span]) == [span]
