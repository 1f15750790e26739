"""What a claim may not say differently: each rule on its own, then the whole claims set."""

from __future__ import annotations

import json
from itertools import permutations
from typing import Any

import pytest
from conftest import ROOT, shared

from dragtor.config import AnswerConfig, WordLists, load_words
from dragtor.errors import UsageError
from dragtor.ground import RuleSupport, TextSpan
from dragtor.ground.rules import contradicts as contradicts_text
from dragtor.ground.rules import tokens
from dragtor.types import Document, Hit, Passage

HEALS = "A grade two strain of the A2 pulley heals in 4 to 6 weeks."
RULES = RuleSupport(load_words(AnswerConfig().domain))
LATER = "Pull-ups start after 4 weeks and heavy finger training after 6 weeks."


def entails(span: TextSpan, claim: str) -> bool:
    (verdict,) = RULES.verify(claim, [span])
    return verdict.label == "supported"


def contradicts(claim: str, quote: str, section: str = "", rules: RuleSupport = RULES) -> str:
    texts = (tokens.tokenise(text, rules.vocabulary) for text in (claim, quote, section))
    return contradicts_text(*texts, rules.vocabulary)


def shared_words(claim: str, quote: str, section: str = "") -> float:
    return tokens.shared_words(
        *(tokens.tokenise(text, RULES.vocabulary) for text in (claim, quote, section))
    )


def span(quote: str, title: str = "", heading: str = "") -> TextSpan:
    document = Document("d", "file:///d", "file", title, quote)
    return TextSpan(Hit(Passage.of(document, 0, len(quote), heading), 1.0), document, 0, len(quote))


@pytest.mark.parametrize(
    ("rule", "claim", "quote"),
    [
        ("number", "A grade II strain heals in 8 weeks.", HEALS),
        ("number", "A grade II strain heals in 4 to 6 days.", HEALS),
        ("number", "A grade II strain of the A4 pulley heals in 4 to 6 weeks.", HEALS),
        ("number", "It comes on over weeks.", "It comes on over hours."),
        ("number", "The second wave was larger.", "The first wave was larger."),
        ("number", "It cost 3 billion.", "It cost 3 million."),
        ("bound", "Rest for at least 5 days.", "Rest for at most 5 days."),
        ("bound", "Hold it for under 10 seconds.", "Hold it for 10 seconds or more."),
        ("thing", "Heavy finger training starts after 4 weeks.", LATER),
        ("strength", "All climbers warm up.", "Most climbers warm up."),
        ("strength", "You must tape it.", "You can tape it."),
        ("strength", "Crimping causes tears.", "Crimping is linked to tears."),
        ("hedge", "Ice relieves the pain.", "Ice may relieve the pain."),
        ("hedge", "Smoking delays healing.", "Smoking is associated with delays of healing."),
        ("opposite", "Heat makes it worse.", "Heat makes it better."),
        ("opposite", "Hang with added weight.", "Hang without added weight."),
        ("side", "Climb before the hangboard.", "Hangboard before you climb."),
        ("side", "Slings are weaker than cams.", "Cams are weaker than slings."),
        ("condition", "Load the finger again.", "Load the finger again when it is free of pain."),
        ("condition", "Tape helps.", "Tape helps in one small study of young climbers."),
        ("negation", "Massage does not help the tendon.", "Massage helps the tendon."),
        ("negation", "Massage helps the tendon.", "Massage never helps the tendon."),
        ("swap", "Loose belts drive wheels.", "Wheels drive loose belts."),
        ("word", "Load the wrist extensor daily.", "Load the elbow extensor daily."),
        ("word", "Rest the finger and drink plenty of water.", "Rest the finger."),
    ],
)
def test_what_says_otherwise_breaks_its_rule(rule: str, claim: str, quote: str) -> None:
    assert contradicts(claim, quote) == rule


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        (HEALS, HEALS),
        ("It is safe, and it is not safe.", "It is safe, and it is not safe."),
        ("A grade II strain heals in four to six weeks.", HEALS),
        ("Half of them recover.", "50 per cent of them recover."),
        ("It cost 2,500 francs.", "It cost 2500 francs."),
        ("In twenty-one days it heals.", "It heals in 21 days."),
        ("A flapper hurts less than a split.", "A split hurts more than a flapper."),
        ("The tendon is guided by the pulley.", "The pulley guides the tendon."),
        ("If it hurts, rest.", "Rest if it hurts."),
        ("Massage doesn’t help the tendon.", "Massage does not help the tendon."),
        ("Even when taped, rest it.", "Rest it even when taped."),
        ("The risk can be lower.", "The risk may be lower."),
    ],
)
def test_the_same_in_other_words_breaks_none(claim: str, quote: str) -> None:
    assert contradicts(claim, quote) == ""


OTHERS = """
20 degrees / -20 degrees / −30 degrees
20 °C / minus 20 °C
p > 0.05 / p < 0.05
values ≤ 5 / values ≥ 5
50 mg / 50 µg / 50 ng / 50 IU / 50 drops
50 mcg / 50 IU
38 C / 38 F
38 °C / 38 °F
80 mmHg / 80 kPa
5 miles / 5 km / 5 feet
5 m² / 5 m³
½ cup / ¼ cup
$5 / €5 / £5
Hepatitis A / Hepatitis B / Hepatitis C
Vitamin D / Vitamin K / vitamin a
Type A / Type B / Type C
B cells / T cells
interferon α / interferon β
in May / in June / in March
5 Aug 2020 / 5 Sept 2020
"""


@pytest.mark.parametrize("row", OTHERS.strip().splitlines())
@pytest.mark.parametrize(
    "frame",
    [
        "The doctors of that hospital reported {} for most of the patients.",
        "Patients of the second group were found with {}.",
    ],
)
def test_another_sign_unit_letter_or_month_is_not_entailed(row: str, frame: str) -> None:
    for one, other in permutations(row.split(" / "), 2):
        claim, quote = frame.format(one), frame.format(other)
        assert entails(span(claim), claim)
        assert contradicts(claim, quote), (claim, quote)
        assert not entails(span(quote), claim), (claim, quote)


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("Keep it at minus 20 degrees Celsius.", "Keep it at -20 °C."),
        ("Keep it at 38 C.", "Keep it at 38 degrees Celsius."),
        ("Rest for 4-6 weeks.", "Rest for 4 –6 weeks."),
        ("COVID-19 patients rest for 2 weeks.", "COVID-19 patients rest for two full weeks."),
        ("Keep the load below 50 percent.", "Keep the load < 50 %."),
        ("It was so (p < 0.05).", "It was so (P < .05)."),
        ("Take 50 mcg of it.", "Take 50 µg of it."),
        ("Take 5 kilograms of it.", "Take 5 kg of it."),
        ("It cost 5 million dollars.", "It cost $5 million."),
        ("An X-ray shows it.", "An x-ray shows it."),
        ("It's Hepatitis B, e.g. in the U.S. today.", "It's hepatitis B, e.g. in the U.S. today."),
        ("Ice may help in May, and on 5 Mar. too.", "Ice may help in May, and on 5 March too."),
        ("Run at 5 km/h.", "Run at 5 km per h."),
    ],
)
def test_other_spellings_of_a_measure_or_name_break_no_rule(claim: str, quote: str) -> None:
    assert contradicts(claim, quote) == ""


def test_degrees_of_no_scale_are_entailed_by_those_of_one() -> None:
    assert contradicts("Keep it at 38 degrees.", "Keep it at 38 °C.") == ""
    assert contradicts("Keep it at 38 °C.", "Keep it at 38 degrees.") == "number"


def test_an_unknown_thing_counted_is_no_known_measure() -> None:
    assert contradicts("It takes 6 weeks.", "It takes 6 sessions.") == "number"
    assert contradicts("It takes 6 sessions.", "It takes 6 weeks.") == "number"
    assert contradicts("It takes 4 to 6 weeks.", "It takes 4, at most 6 weeks.") == ""


def test_a_comparison_is_turned_only_where_its_sides_are() -> None:
    quote = "Slings hold more than cams."
    assert contradicts("Slings hold less than cams.", quote) == "opposite"
    assert contradicts("Cams hold less than slings.", quote) == ""
    assert contradicts("Arm A > arm B.", "Arm A < arm B.") == "opposite"


def test_a_reference_in_the_quote_is_no_number_of_it() -> None:
    assert contradicts("It heals in 12 weeks.", "It heals in 6 weeks [12].") == "number"
    assert contradicts("It heals in 6 weeks.", "It heals in 6 weeks [12, 14].") == ""


def test_a_heading_may_be_put_in_but_replaces_nothing() -> None:
    quote = "Easy climbing starts after three weeks."
    assert contradicts("After an A2 strain easy climbing starts after 3 weeks.", quote)
    assert not contradicts(
        "After an A2 strain easy climbing starts after 3 weeks.", quote, "A2 pulley strain"
    )
    assert contradicts(
        "Rest is first for SLAP tears.", "Rest is first for elbow pain.", "SLAP tears"
    )


def test_no_question_entails_or_is_entailed() -> None:
    assert entails(span("Rest heals the finger."), "Rest heals the finger.")
    assert not entails(span("Rest heals the finger?"), "Rest heals the finger.")
    assert not entails(span("Rest heals the finger."), "Rest heals the finger? ")


def test_most_words_must_be_there() -> None:
    quote = "Load the wrist flexors slowly"
    assert shared_words("Load the wrist flexor", quote) == 1.0
    assert shared_words("Load the neck flexors", quote) == pytest.approx(2 / 3)
    assert shared_words("Load the neck flexors", quote, "Neck") == 1.0
    assert not entails(span(quote), "Vary what you eat, and load the wrist flexors slowly")


def test_a_bare_measure_is_entailed_by_its_number() -> None:
    assert entails(span(HEALS), "4 to 6 weeks.")
    assert not entails(span(HEALS), "4 to 7 weeks.")
    assert not entails(span(HEALS), "6.")
    assert not entails(span(HEALS), "Yes.")


# Rows of each half that may change hands before this fails: fewer than any one rule moves.
@pytest.mark.parametrize(
    ("half", "least_recall", "most_accepted"), [("train", 0.76, 0.13), ("test", 0.70, 0.16)]
)
def test_the_claims_set(half: str, least_recall: float, most_accepted: float) -> None:
    text = (ROOT / "tests" / "data" / "claims.jsonl").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    taken: dict[bool, list[bool]] = {True: [], False: []}
    for row in rows:
        if row["split"] == half:
            found = entails(span(row["quote"], row["title"], row["heading"]), row["claim"])
            taken[row["supported"]].append(found)
    assert sum(taken[True]) / len(taken[True]) >= least_recall
    assert sum(taken[False]) / len(taken[False]) <= most_accepted


def test_any_text_can_be_compared() -> None:
    strings = json.loads((shared("bad_inputs") / "text" / "blns.json").read_text("utf-8"))
    odd = ["٣٫٥ weeks", "m² ½ ①", "9" * 5000 + " million", "1e999 billion", "two hundred hundred"]
    for text in [*strings, *odd]:
        assert contradicts(text, f"{text} ") == "", text
        contradicts("Rest for 3 weeks.", text, text)
        contradicts(text, "Rest for 3 weeks.")


def test_words_of_a_domain_are_known_only_with_it() -> None:
    pairs = [
        ("Bend it to the ulnar side.", "Bend it to the radial side.", "opposite"),
        ("Tape helps.", "Tape helps in young climbers.", "condition"),
        ("Take vitamin a with food.", "Take vitamin d with food.", "number"),
    ]
    plain = RuleSupport(load_words("none"))
    for claim, quote, rule in pairs:
        assert contradicts(claim, quote) == rule
        assert contradicts(claim, quote, rules=plain) != rule, claim
    general = ("Heat makes it worse.", "Heat makes it better.")
    assert contradicts(*general) == contradicts(*general, rules=plain) == "opposite"


def test_opposites_that_are_no_pair_are_one_clear_line() -> None:
    for pair in ("raise", "raise/", "/lower"):
        with pytest.raises(UsageError, match="two words with a slash between"):
            RuleSupport(WordLists(opposites=(pair,)))
