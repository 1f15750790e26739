"""Who hosts, who is the guest and what they are called, from the words of each speaker.

Rules on English wording, questions and turns; needs no model and knows no voice.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dragtor.speech.cues import name_mentions
from dragtor.speech.names import (
    Named,
    WrittenName,
    assigned,
    claims,
    full_names,
    merged,
    respelt,
    spelt,
    written_names,
)
from dragtor.speech.stretches import Speech, Stretch, key_of, recased, stretches
from dragtor.speech.wording import wording
from dragtor.types import Word

RoleName = Literal["host", "guest", "other"]

INTRODUCED_AS = {"guest": -2.5, "intro": -0.5, "cohost": 3.0}  # log odds
# A question, where nothing is punctuated.
ASKING = re.compile(
    r"\b(?:what|how|why|when|where|who|which|do|does|did|can|could|would|are|is|was|were|have)"
    r"(?:'s|'d)? (?:you|your|it|that|the|this|some|a|do|does|did|is|are|was|were)\b"
)
LAST_CHARACTERS = 80  # a question so near the end of a turn is put to somebody
ASKING_TURNS = 0.17  # a host's share of turns that ask is above it, a guest's below
CO_HOST_GAP = 2.5  # log odds: two speakers so near each other host together
PASSING_SHARE = 0.012  # of the words: who says less, beside two others, is passing by


@dataclass(frozen=True, slots=True)
class SpeakerRole:
    """What a speaker does in a recording and is called; confidences 0..1, name "" if unknown."""

    role: RoleName
    name: str = ""
    role_confidence: float = 0.0
    name_confidence: float = 0.0


def roles(
    words: Sequence[Word], *, title: str = "", author: str = "", show: str = "", notes: str = ""
) -> dict[str, SpeakerRole]:
    """Role and name by speaker label, in the order in which they first speak.

    Two hosts without a guest are both "host"; so is a lone speaker. Words without a speaker are
    left out. A name of the title or the notes is taken where it fits, and corrects the spelling.
    """
    turns = stretches(words)
    if not turns:
        return {}
    speech, known = _speech(turns, title, author, show, notes)
    hosting = _hosting(speech)
    found = respelt(name_mentions(speech), known)
    named = claims(speech, found, hosting)
    _add_written(named, hosting, known)
    found = merged(named, found)
    keys, forms = assigned(named), full_names(speech, found, hosting)
    for label, key in keys.items():
        hosting[label] += sum(
            INTRODUCED_AS.get(cue, 0.0) for cue in {h.cue for h in found if h.key == key}
        )
    parts = _parts(hosting, turns)
    result = {}
    for label, part in parts.items():
        name, name_sure = "", 0.0
        if key := keys.get(label, ""):
            name = spelt(key, forms.get(key, ""), known, part == "host")
            name_sure = _name_confidence(label, key, named)
        result[label] = SpeakerRole(part, name, _role_confidence(label, parts, hosting), name_sure)
    return result


def _speech(
    turns: list[Stretch], title: str, author: str, show: str, notes: str
) -> tuple[Speech, list[WrittenName]]:
    speech = Speech(turns)
    if speech.cased:
        known = written_names(title, author, show, notes, speech.common)
        return Speech(turns, [one.name for one in known]), known
    known = written_names(title, author, show, notes)
    names = [one.name for one in known]
    return Speech(recased(turns, names), names), known


def _hosting(speech: Speech) -> dict[str, float]:
    """By label: log odds of being a host, from questions, turns and sayings."""
    turns = speech.turns
    punctuated = any("?" in turn.text for turn in turns)
    own: dict[str, list[Stretch]] = defaultdict(list)
    for turn in turns:
        own[turn.speaker].append(turn)
    opener = next((turn.speaker for turn in turns if len(turn.words) > 4), turns[0].speaker)
    score: dict[str, float] = {}
    for label, mine in own.items():
        asked = sum(_asks(turn, punctuated) for turn in mine)
        rate = (asked + 4 * ASKING_TURNS) / (len(mine) + 4)
        score[label] = _within(2.5, 1.5 * math.log(rate / ASKING_TURNS))
        rest = [len(turn.words) for turn in turns if turn.speaker != label]
        if rest:
            mean = sum(len(turn.words) for turn in mine) / len(mine)
            score[label] += _within(1.0, 0.5 * math.log(sum(rest) / len(rest) / mean))
        score[label] += 1.0 if label == opener else 0.0
        for weight, pattern in wording().sayings:
            said = sum(1 for turn in mine for _ in pattern.finditer(turn.text))
            if said:  # each further time counts half as much
                score[label] += weight * (2 - 0.5 ** (said - 1))
    return score


def _asks(turn: Stretch, punctuated: bool) -> bool:
    last = turn.text[-LAST_CHARACTERS:]
    return "?" in last if punctuated else bool(ASKING.search(last.lower()))


def _within(limit: float, value: float) -> float:
    return max(-limit, min(limit, value))


def _hosts(hosting: Mapping[str, float]) -> list[str]:
    """Whoever is above zero, and the surest always; of two, one, unless they are near."""
    ranked = sorted(hosting, key=lambda label: -hosting[label])
    if len(ranked) == 2:
        high, low = (hosting[label] for label in ranked)
        return ranked if low > 0 and high - low < CO_HOST_GAP else ranked[:1]
    return [label for label in ranked if hosting[label] > 0] or ranked[:1]


def _parts(hosting: Mapping[str, float], turns: Sequence[Stretch]) -> dict[str, RoleName]:
    hosts = _hosts(hosting)
    said: dict[str, int] = defaultdict(int)
    for turn in turns:
        said[turn.speaker] += len(turn.words)
    few = PASSING_SHARE * sum(said.values()) if len(hosting) > 2 else 0
    return {
        label: "other" if said[label] < few else "host" if label in hosts else "guest"
        for label in hosting
    }


def _add_written(named: Named, hosting: Mapping[str, float], known: Sequence[WrittenName]) -> None:
    """Let the title speak for guests, and author and "hosted by" for hosts."""
    hosts = _hosts(hosting)
    guests = [label for label in hosting if label not in hosts]
    for one in known:
        if one.role:
            side, other = (hosts, guests) if one.role == "host" else (guests, hosts)
            for label in side:
                named[label][key_of(one.name)] += one.weight / len(side)
            for label in other:
                named[label][key_of(one.name)] -= 0.3 * one.weight


def _role_confidence(
    label: str, parts: Mapping[str, RoleName], hosting: Mapping[str, float]
) -> float:
    odds = hosting[label] if parts[label] == "host" else -hosting[label]
    if len(hosting) == 1:
        odds = max(odds, 2.0)
    elif len(hosting) == 2 and len(set(parts.values())) == 2:
        odds = abs(hosting[label] - sum(hosting.values()) / 2)
    return 1 / (1 + math.exp(-odds))


def _name_confidence(label: str, key: str, named: Named) -> float:
    """More for more cues; less where another name, or another speaker, comes near."""
    value = named[label][key]
    rivals = [other for name, other in named[label].items() if name != key]
    rivals += [keys.get(key, 0.0) for other, keys in named.items() if other != label]
    margin = max(0.0, value - max(rivals, default=0.0)) / value
    return (1 - math.exp(-1.2 * value)) * min(1.0, 0.5 + margin)
