"""Who hosts, who answers and what they are called: real transcripts, and small talks as ASR
writes them."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, shared

from dragtor.speech.roles import SpeakerRole, roles
from dragtor.types import Word

sys.path.insert(0, str(ROOT / "benchmarks" / "tasks"))
import roles as bench

A, B, C, D = (f"SPEAKER_{number:02d}" for number in range(4))
NUGGET = {
    "title": "EP 237: Yves Gravelle — Grip Strength, Max Hangs and Training",
    "author": "Steven Dimmitt",
    "show": "The Nugget Climbing Podcast",
    "notes": "Yves Gravelle is a climber and coach from Canada. Hosted by Steven Dimmitt.",
}


def talk(*turns: tuple[str | None, str]) -> list[Word]:
    """Words of (speaker, text), half a second each."""
    words: list[Word] = []
    for speaker, text in turns:
        for one in text.split():
            words.append(Word(one, len(words) / 2, len(words) / 2 + 0.4, speaker))
    return words


def told(found: dict[str, SpeakerRole]) -> dict[str, tuple[str, str]]:
    return {label: (role.role, role.name) for label, role in found.items()}


ANSWER = "I started when I was twelve, in a small gym, and then I just kept going every single day."
SMALL_ANSWER = re.sub(r"[.,]", "", ANSWER.lower())


def interview(opening: str, reply: str = "Sure.", closing: str = "Thank you.") -> list[Word]:
    return talk(
        (A, opening),
        (B, f"{reply} {ANSWER}"),
        (A, "Do you still train every day?"),
        (B, f"No. {ANSWER} {ANSWER}"),
        (A, "And what does a week look like?"),
        (B, f"Long. {ANSWER} {ANSWER}"),
        (A, closing),
        (B, "It was fun."),
    )


# Transcripts.


def test_the_gold_is_sound() -> None:
    rows = bench.rows("tuned") + bench.rows("held_out")
    assert len(rows) == len({row["file"] for row in rows}) == 55
    halves = {split: {row["file"].split("/")[0] for row in bench.rows(split)}
              for split in ("tuned", "held_out")}  # fmt: skip
    assert not halves["tuned"] & halves["held_out"]  # whole shows
    for row in rows:
        for speaker in row["speakers"]:
            assert speaker["role"] in ("host", "guest", "other")
            assert speaker["said"] == bool(speaker["heard"])


@pytest.mark.parametrize("split", ["tuned", "held_out"])
def test_transcripts(split: str) -> None:
    shared("podcast_transcripts")
    figures = bench.score(split)
    assert figures["two_persons_share"] >= 0.95
    assert figures["names_said_share"] >= 0.95
    right, given = map(int, figures["names_given"].split("/"))
    assert right / given >= 0.95
    right, silent = map(int, figures["no_name_invented"].split("/"))
    assert silent - right <= 1


def test_transcripts_with_wrong_labels() -> None:
    shared("podcast_transcripts")
    figures = bench.score("held_out", bench.mislabelled)
    assert figures["two_persons_share"] >= 0.85
    assert figures["names_said_share"] >= 0.85


def test_the_measure_can_fail() -> None:
    shared("podcast_transcripts")

    def all_guests(words: Sequence[Word], **_: Any) -> dict[str, SpeakerRole]:
        return {word.speaker or "": SpeakerRole("guest", "Adam") for word in words}

    figures = bench.score("held_out", find=all_guests)
    assert figures["two_persons_share"] == 0
    assert figures["names_said_share"] < 0.3
    assert not bench.right_name(
        SpeakerRole("host", "Tim Ferriss"), {"label": "Tim S", "heard": "Tim"}
    )


# Climbing talks, as a recogniser writes them.


def test_a_talk_without_capitals_or_punctuation() -> None:
    words = talk(
        (A, "welcome to the nugget climbing podcast i'm your host steven dimmitt and my guest today"
            " is yves gravelle yves is a coach so yves how did you get into climbing"),
        (B, f"yeah thanks for having me {SMALL_ANSWER}"),
        (A, "do you still train every day"),
        (B, f"no i don't {SMALL_ANSWER}"),
        (A, "well thank you so much yves for taking the time"),
        (B, "thanks steven"),
    )  # fmt: skip
    expected = {A: ("host", "Steven Dimmitt"), B: ("guest", "Yves Gravelle")}
    assert told(roles(words)) == expected
    assert told(roles(words, **NUGGET)) == expected


@pytest.mark.parametrize("known", [{}, NUGGET])
def test_names_that_were_misheard_are_spelt_as_written(known: dict[str, str]) -> None:
    words = interview(
        "Welcome to the Nugget Climbing Podcast. I'm your host, Steven Demet, and my guest today is"
        " Eve Gravel. Eve is a coach. So, Eve, how did you start?",
        "Thanks for having me, Stephen.",
        "Thank you so much, Eve.",
    )
    names = ("Steven Dimmitt", "Yves Gravelle") if known else ("Steven Demet", "Eve Gravel")
    assert told(roles(words, **known)) == {A: ("host", names[0]), B: ("guest", names[1])}


@pytest.mark.parametrize(
    "opening",
    [
        "My guest today is climber, coach, and author Eric Horst. How did you start?",
        "Today, my guest is Dr. Eric Horst. How did you start?",
        "I sat down with Eric Horst. Eric, how did you start?",
        "The following is a conversation with Eric Horst, a coach. How did you start?",
        "I'm excited to be joined by the wonderful Eric Horst. How did you start?",
        "Eric Horst, welcome to the show. Eric, how did you start?",
        "We've got Eric Horst with us. How did you start, Eric?",
        "With me today is Eric Horst. How did you start?",
    ],
)
def test_introductions(opening: str) -> None:
    assert told(roles(interview(opening))) == {A: ("host", ""), B: ("guest", "Eric Horst")}


@pytest.mark.parametrize(
    ("opening", "name"),
    [
        ("I'm Neely Quinn, and this is the show. How did you start?", "Neely Quinn"),
        ("My name is Neely. How did you start?", "Neely"),
        ("Hey everybody, it's Neely. How did you start?", "Neely"),
        ("I'm your host today, Neely Quinn. How did you start?", "Neely Quinn"),
        ("You're listening to the podcast with Neely Quinn. How did you start?", "Neely Quinn"),
        ("I'm Canadian. How did you start?", ""),
        ("I'm a Moonboard guy, I'm Moonboard crazy. How did you start?", ""),
    ],
)
def test_hosts_who_name_themselves(opening: str, name: str) -> None:
    assert told(roles(interview(opening)))[A] == ("host", name)


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        ("Thanks, Neely.", "Neely"),
        ("Thanks for having me, Neely.", "Neely"),
        ("It's great to be here, Neely.", "Neely"),
        ("You know, Neely, it was a long time ago.", "Neely"),
        ("I was in Vienna, Austria.", ""),
        ("I trained with Python, Java, and Go.", ""),
        ("Thanks. I have a friend, and Adam Ondra is strong.", ""),
    ],
)
def test_hosts_who_are_named_by_their_guest(reply: str, name: str) -> None:
    assert roles(interview("How did you start?", reply))[A].name == name


@pytest.mark.parametrize(
    ("known", "names"),
    [
        (NUGGET, ("Steven Dimmitt", "Yves Gravelle")),
        ({"title": "Yves Gravelle on Grip", "author": "Nugget Media"}, ("", "Yves Gravelle")),
        ({"title": "Grip strength with Yves Gravelle"}, ("", "Yves Gravelle")),
        ({"title": "#12 | Dr. Yves Gravelle: A Small Gym"}, ("", "Yves Gravelle")),
        ({"title": "A Small Gym", "author": "Steven Dimmitt"}, ("Steven Dimmitt", "")),
        ({"title": "EP 12", "author": "Small Talk", "show": "Small Talk"}, ("", "")),
        ({"notes": "We talk of Adam Ondra, Alex Honnold and the Moon Board."}, ("", "")),
        ({}, ("", "")),
    ],
)  # fmt: skip
def test_where_nobody_is_named_title_and_author_are(
    known: dict[str, str], names: tuple[str, str]
) -> None:
    found = roles(interview("How did you start?"), **known)
    assert told(found) == {A: ("host", names[0]), B: ("guest", names[1])}
    for role in found.values():
        assert bool(role.name) == bool(role.name_confidence)
        assert {e.where for e in role.evidence if e.about == "name"} <= {"title", "author", "notes"}


def test_a_host_is_not_the_namesake_in_the_notes() -> None:
    words = interview("I'm Adam. How did you start?")
    found = roles(words, notes="We talk of Adam Ondra and of training.")
    assert found[A].name == "Adam"


def test_a_title_beside_what_is_said_is_surer() -> None:
    words = interview("My guest is Yves Gravelle. How did you start?")
    alone, both = roles(words)[B], roles(words, **NUGGET)[B]
    unsaid = roles(interview("How did you start?"), **NUGGET)[B]
    assert unsaid.name_confidence < alone.name_confidence < both.name_confidence <= 1


# One, two hosts, many.


def test_a_lone_speaker_hosts() -> None:
    found = roles(talk((A, f"Hello everyone, this is Dave MacLeod, and I talk today. {ANSWER}")))
    assert told(found) == {A: ("host", "Dave MacLeod")}
    assert told(roles(talk((A, ANSWER)), author="Dave MacLeod")) == {A: ("host", "Dave MacLeod")}


def test_two_who_ask_and_answer_alike_both_host() -> None:
    turns = [(A, "Welcome back to the show. I'm Ann."), (B, "And I'm Ben. What did you climb?")]
    for _ in range(6):
        turns += [(A, "A long route. And what did you climb, Ben?"),
                  (B, "Nothing, I was ill. Was it cold, Ann?")]  # fmt: skip
    assert told(roles(talk(*turns))) == {A: ("host", "Ann"), B: ("host", "Ben")}


def test_a_panel_of_two_hosts_and_a_guest_and_a_passer_by() -> None:
    turns = [
        (A, "Welcome to the show, I'm Ann Lee. With me is my co-host, Ben Ray. Hi, Ben."),
        (B, "Hi, Ann. Hello everybody. Who do we have today?"),
        (A, "We are joined by Cleo Hart, who sets routes. Cleo, how did you start?"),
        (C, f"Thanks for having me. {ANSWER} {ANSWER}"),
    ]
    for _ in range(4):
        turns += [(B, "That is wild. Does your gym still stand?"), (C, f"It does. {ANSWER}"),
                  (A, "And who sets there now?"), (C, f"Friends. {ANSWER} {ANSWER}")]  # fmt: skip
    turns += [(D, "Coffee's ready."), (A, "Thanks for coming, Cleo.")]
    assert told(roles(talk(*turns))) == {
        A: ("host", "Ann Lee"),
        B: ("host", "Ben Ray"),
        C: ("guest", "Cleo Hart"),
        D: ("other", ""),
    }


def test_the_order_of_labels_and_words_of_nobody() -> None:
    words = [Word("Mm.", 0, 1), *talk((D, ANSWER), (None, "What?"), (A, "Why do you say so?"))]
    assert list(roles(words)) == [D, A]
    assert roles([]) == roles([Word("Hello.", 0, 1)]) == {}
    assert told(roles([Word("Hm", 0, 1, A), Word(" ", 1, 2, B)])) == {A: ("host", "")}


# Evidence.


def test_evidence_is_verbatim_and_says_when() -> None:
    words = interview("my guest today is yves gravelle how did you start", "thanks for having me")
    lower = [Word(re.sub(r"[.,?]", "", w.text.lower()), w.start_s, w.end_s, w.speaker)
             for w in words]  # fmt: skip
    found = roles(lower)
    assert found[B].name == "Yves Gravelle"
    text = " ".join(word.text for word in lower)
    for role in found.values():
        for evidence in role.evidence:
            assert evidence.quote in text
            assert evidence.start_s in {word.start_s for word in lower}
    name = next(one for one in found[B].evidence if one.about == "name")
    assert name.start_s == next(word.start_s for word in lower if word.text == "yves")
    thanks = next(one for one in found[B].evidence if one.about == "role")
    assert "for having me" in thanks.quote


def test_confidences_lie_between_0_and_1() -> None:
    for split in ("tuned", "held_out"):
        for row in bench.rows(split)[:4]:
            path = shared("podcast_transcripts") / Path(row["file"])
            for role in roles(bench.read(path, bench.anonymous(row))).values():
                assert 0 <= role.role_confidence <= 1
                assert 0 <= role.name_confidence <= 1
