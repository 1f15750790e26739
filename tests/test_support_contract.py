"""What every Support owes its callers, held against the rules and against the fake of the tests."""

from __future__ import annotations

import json

import pytest
from conftest import shared
from fakes import SharedWordsSupport

from dragtor.config import AnswerConfig
from dragtor.ground import Support, TextSpan, Verdict
from dragtor.parts import open_support
from dragtor.types import Document, Hit, Passage

HEALS = "A grade two strain of the pulley heals in 4 to 6 weeks."
TAPE = "Tape does little for a pulley that has healed."
ASKED = "Does a grade two strain of the pulley heal in 4 to 6 weeks?"
QUOTES = (HEALS, TAPE, ASKED)

SUPPORTS = {
    "rules": lambda: open_support(AnswerConfig().domain),
    "shared words": SharedWordsSupport,
}


@pytest.fixture(params=SUPPORTS)
def support(request: pytest.FixtureRequest) -> Support:
    made: Support = SUPPORTS[request.param]()
    return made


def span(quote: str, title: str = "", heading: str = "") -> TextSpan:
    document = Document("d", "file:///d", "file", title, quote)
    hit = Hit(Passage.of(document, 0, len(quote), heading), 1.0)
    return TextSpan(hit, document, 0, len(quote))


SPANS = [span(quote) for quote in QUOTES]


def labels(verdicts: list[Verdict]) -> list[str]:
    return [verdict.label for verdict in verdicts]


def test_there_is_one_verdict_a_span_in_their_order(support: Support) -> None:
    assert support.verify(HEALS, []) == []
    assert labels(support.verify(HEALS, SPANS)) == ["supported", "unknown", "unknown"]
    assert labels(support.verify(TAPE, SPANS)) == ["unknown", "supported", "unknown"]


def test_a_verdict_is_of_its_span_alone_and_always_the_same(support: Support) -> None:
    together = support.verify(HEALS, SPANS)
    assert [support.verify(HEALS, [one])[0] for one in SPANS] == together
    assert support.verify(HEALS, SPANS[::-1]) == together[::-1]
    assert support.verify(HEALS, tuple(SPANS)) == together


@pytest.mark.parametrize("quote", [HEALS, TAPE, "Rest.", "It is safe, and it is not safe."])
def test_a_sentence_supports_itself(support: Support, quote: str) -> None:
    (verdict,) = support.verify(quote, [span(quote)])
    assert verdict.label == "supported"


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("A grade two strain of the pulley heals in 8 weeks.", HEALS),
        ("The tape does not help the pulley.", "The tape does help the pulley."),
    ],
)
def test_another_number_or_a_not_contradicts(support: Support, claim: str, quote: str) -> None:
    (verdict,) = support.verify(claim, [span(quote)])
    assert verdict.label == "contradicted"


def test_what_a_span_does_not_speak_of_is_unknown(support: Support) -> None:
    verdicts = support.verify("File every callus down before it tears off.", SPANS)
    assert labels(verdicts) == ["unknown"] * 3


def test_title_and_headings_count_as_said(support: Support) -> None:
    claim, quote = "A pulley strain heals in 6 weeks.", "A strain heals in 6 weeks."
    assert labels(support.verify(claim, [span(quote), span(quote, "Pulley")])) == [
        "unknown",
        "supported",
    ]


def test_a_question_supports_nothing_and_is_not_supported(support: Support) -> None:
    for claim in (ASKED, HEALS):
        assert support.verify(claim, [span(ASKED)])[0].label == "unknown"
    assert support.verify(ASKED, [span(HEALS)])[0].label == "unknown"


def test_scores_are_shares_and_say_what_the_label_says(support: Support) -> None:
    claims = (*QUOTES, "It heals in 8 weeks.", "Tape helps.", "Eat 40 apples.", "")
    for claim in claims:
        for verdict in support.verify(claim, SPANS):
            assert 0 <= verdict.score <= 1
            assert (verdict.score >= 0.5) == (verdict.label == "supported")


def test_any_text_is_judged(support: Support) -> None:
    strings = json.loads((shared("bad_inputs") / "text" / "blns.json").read_text("utf-8"))
    for text in ["", " ", "?", "\0", "🙂" * 300, "9" * 5000, *strings]:
        for verdicts in (support.verify(text, SPANS), support.verify(HEALS, [span(text)])):
            assert set(labels(verdicts)) <= {"supported", "contradicted", "unknown"}
