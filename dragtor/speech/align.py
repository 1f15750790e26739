"""Words and turns become words with speakers: pure, no model.

The likeliest speaker of every word together (Viterbi): a word pulls to the turns it lies in, a
change of speaker costs, and costs more inside a sentence than after its end or a pause. So the
edge of a turn that is some tenths of a second off does not cut a word from its sentence.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from dragtor.transcript import SENTENCE_END
from dragtor.types import SpeakerTurn, Word

REACH_S = 1.0  # a turn farther away than this pulls no more or less
TURN_PAUSE_S = 0.4  # silence after which another may well speak
CHANGE_INSIDE = 0.9  # cost of a change inside a sentence; a word's pull is -1 to 1
CHANGE_BETWEEN = 0.05  # after its end, or after a pause


def align_words(words: Sequence[Word], turns: Sequence[SpeakerTurn]) -> tuple[Word, ...]:
    """The words with a speaker each; with no turns, as they are.

    `words` are in the order they are spoken. A word in no turn goes with its neighbours and the
    nearest turn.
    """
    if not turns or not words:
        return tuple(words)
    speakers = list(dict.fromkeys(turn.speaker for turn in sorted(turns, key=_start)))
    pulls = _pulls(words, turns, speakers)
    chosen = _likeliest(pulls, [_change_cost(a, b) for a, b in pairwise(words)])
    return tuple(
        replace(word, speaker=speakers[which]) for word, which in zip(words, chosen, strict=True)
    )


def _start(turn: SpeakerTurn) -> float:
    return turn.start_s


def _pulls(
    words: Sequence[Word], turns: Sequence[SpeakerTurn], speakers: Sequence[str]
) -> list[list[float]]:
    """For each word and speaker: the share of it inside their turns, else minus the distance."""
    columns = [
        _pull([turn for turn in turns if turn.speaker == speaker], words) for speaker in speakers
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _pull(turns: Sequence[SpeakerTurn], words: Sequence[Word]) -> list[float]:
    joined: list[tuple[float, float]] = []
    for turn in sorted(turns, key=_start):
        if joined and turn.start_s <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], turn.end_s)
        else:
            joined.append((turn.start_s, turn.end_s))
    ends = [end for _, end in joined]
    found = []
    for word in words:
        inside, nearest = 0.0, REACH_S
        # from the turn before the first that ends after the word begins
        for start, end in joined[max(0, bisect_left(ends, word.start_s) - 1) :]:
            inside += max(0.0, min(end, word.end_s) - max(start, word.start_s))
            nearest = min(nearest, max(start - word.end_s, word.start_s - end, 0.0))
            if start >= word.end_s:
                break
        length = word.end_s - word.start_s
        if nearest > 0.0:
            found.append(-nearest / REACH_S)
        else:
            found.append(inside / length if length > 0 else 1.0)
    return found


def _change_cost(before: Word, after: Word) -> float:
    pause = after.start_s - before.end_s >= TURN_PAUSE_S
    return CHANGE_BETWEEN if pause or SENTENCE_END.search(before.text) else CHANGE_INSIDE


def _likeliest(pulls: Sequence[Sequence[float]], costs: Sequence[float]) -> list[int]:
    """The speakers that pull most in all, less what the changes cost."""
    best = list(pulls[0])
    came_from: list[list[int]] = []
    for row, cost in zip(pulls[1:], costs, strict=True):
        leader = max(range(len(best)), key=best.__getitem__)
        changed = best[leader] - cost
        origins = [leader if changed > stayed else speaker for speaker, stayed in enumerate(best)]
        best = [max(stayed, changed) + pull for stayed, pull in zip(best, row, strict=True)]
        came_from.append(origins)
    chosen = [max(range(len(best)), key=best.__getitem__)]
    for origins in reversed(came_from):
        chosen.append(origins[chosen[-1]])
    return chosen[::-1]
