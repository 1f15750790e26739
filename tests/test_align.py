"""Words and turns: who said which word, at edges, in gaps, in overlaps and inside sentences."""

from __future__ import annotations

import random

import pytest

from dragtor.speech.align import align_words
from dragtor.types import SpeakerTurn, Word


def words(text: str, start_s: float = 0.0, step_s: float = 0.4) -> list[Word]:
    """One word each `step_s`, a fifth of it silence; `|` is a pause of a second."""
    found, at = [], start_s
    for part in text.split():
        if part == "|":
            at += 1.0
            continue
        found.append(Word(part, at, at + 0.8 * step_s))
        at += step_s
    return found


def speakers(found: tuple[Word, ...]) -> str:
    return "".join(word.speaker or "?" for word in found)


def test_nothing_is_changed_but_the_speaker() -> None:
    given = words("One two. Three")
    found = align_words(given, [SpeakerTurn("A", 0.0, 5.0)])
    assert [(w.text, w.start_s, w.end_s) for w in found] == [
        (w.text, w.start_s, w.end_s) for w in given
    ]
    assert speakers(found) == "AAA"


def test_no_words_and_no_turns() -> None:
    assert align_words([], [SpeakerTurn("A", 0.0, 1.0)]) == ()
    assert speakers(align_words(words("one two"), [])) == "??"


def test_a_change_inside_what_a_transcriber_took_for_one_sentence() -> None:
    given = words("so when do you train I train on Mondays and Fridays.")
    assert (
        speakers(align_words(given, [SpeakerTurn("A", 0.0, 2.0), SpeakerTurn("B", 2.0, 4.5)]))
        == "AAAAABBBBBB"
    )


@pytest.mark.parametrize("edge_s", [1.75, 2.0, 2.25])
def test_an_edge_that_is_a_quarter_second_off_does_not_cut_a_sentence(edge_s: float) -> None:
    given = words("When do you train now? I train on Mondays.")
    assert (
        speakers(align_words(given, [SpeakerTurn("A", 0, edge_s), SpeakerTurn("B", edge_s, 4)]))
        == "AAAAABBBB"
    )


def test_one_word_inside_a_sentence_does_not_change_hands() -> None:
    given = words("I would never hang on one arm alone.")
    turns = [SpeakerTurn("A", 0.0, 1.2), SpeakerTurn("B", 1.2, 1.55), SpeakerTurn("A", 1.6, 3.2)]
    assert speakers(align_words(given, turns)) == "AAAAAAAA"


def test_one_word_between_sentences_does() -> None:
    given = words("I never hang alone. Right. And I rest a lot.")
    turns = [SpeakerTurn("A", 0.0, 1.6), SpeakerTurn("B", 1.6, 2.0), SpeakerTurn("A", 2.0, 4.0)]
    assert speakers(align_words(given, turns)) == "AAAABAAAAA"


def test_a_word_in_a_gap_takes_the_nearest_turn() -> None:
    given = [Word("yes", 1.2, 1.4), Word("no", 4.5, 4.7), Word("well", 9.0, 9.2)]
    turns = [SpeakerTurn("A", 0.0, 1.0), SpeakerTurn("B", 5.0, 6.0), SpeakerTurn("A", 20.0, 21.0)]
    assert speakers(align_words(given, turns)) == "ABB"


def test_where_two_speak_at_once_the_sentence_goes_on() -> None:
    given = words("I think that we should go there now.")
    turns = [SpeakerTurn("A", 0.0, 4.0), SpeakerTurn("B", 1.0, 2.4)]
    assert speakers(align_words(given, turns)) == "A" * 8


def test_words_without_length_and_turns_in_any_order() -> None:
    given = [Word("a", 1.0, 1.0), Word("b", 3.0, 3.0), Word("c", 9.0, 8.0)]
    turns = [SpeakerTurn("B", 2.5, 3.5), SpeakerTurn("A", 0.5, 1.5), SpeakerTurn("A", 0.0, 0.7)]
    assert speakers(align_words(given, turns)) == "ABB"


def test_smoothing_beats_each_word_alone_and_one_speaker_a_sentence() -> None:
    """Two voices; edges, word times and sentence ends are as wrong as models make them."""
    draw = random.Random(3)
    truth: list[Word] = []
    turns, at = [], 0.0
    for number in range(200):
        speaker = "AB"[number % 2]
        own = words(" ".join(["word"] * draw.randint(2, 14)), at)
        end = "." if draw.random() < 0.7 else ""
        own[-1] = Word(f"word{end}", own[-1].start_s, own[-1].end_s)
        off = draw.uniform(-0.25, 0.25), draw.uniform(-0.25, 0.25)
        turns.append(SpeakerTurn(speaker, at + off[0], own[-1].end_s + off[1]))
        truth += [Word(word.text, word.start_s, word.end_s, speaker) for word in own]
        if number % 5 == 0:  # a cough that was taken for the other
            middle = draw.uniform(at, own[-1].end_s)
            turns.append(SpeakerTurn("BA"[number % 2], middle, middle + 0.3))
        at = own[-1].end_s + draw.uniform(0.05, 0.3)
    bare = []
    for word in truth:
        off_s = draw.gauss(0, 0.1)
        bare.append(Word(word.text, word.start_s + off_s, word.end_s + off_s))

    def overlap(start: float, end: float) -> str:
        return max(turns, key=lambda t: min(end, t.end_s) - max(start, t.start_s)).speaker

    def share(found: list[str | None]) -> float:
        return sum(f == t.speaker for f, t in zip(found, truth, strict=True)) / len(truth)

    by_word: list[str | None] = [overlap(word.start_s, word.end_s) for word in bare]
    by_sentence: list[str | None] = []
    run: list[Word] = []
    for word in bare:
        run.append(word)
        if word.text.endswith("."):
            by_sentence += [overlap(run[0].start_s, word.end_s)] * len(run)
            run = []
    by_sentence += [overlap(bare[-1].start_s, bare[-1].end_s)] * len(run)
    ours = share([word.speaker for word in align_words(bare, turns)])
    assert ours > share(by_word)
    assert ours > share(by_sentence) + 0.1
    assert ours > 0.97
