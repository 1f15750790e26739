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

from dragtor.speech.cues import NameMention, name_mentions
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
from dragtor.types import Word

RoleName = Literal["host", "guest", "other"]
Saying = tuple[float, Stretch, int, int]  # weight, where and at which characters

TO_ALL = r"(?: all| both| guys| so much| very much| again| everyone|,)*"
# What hosts say (above 0) and what guests say, as log odds.
SAYINGS: tuple[tuple[float, re.Pattern[str]], ...] = tuple(
    (weight, re.compile(pattern))
    for weight, pattern in (
        (4.0, r"\b(?i:i'm|i am|as always|with me),? your (?:\w+ )?host\b"),
        (
            1.5,
            r"\b(?i:welcome (?:back )?to) (?:[A-Z]|(?:the|another|today's|this|our|a|episode)\b)|"
            r"^(?i:welcome)\b|\b[Ww]elcome,",
        ),
        (
            1.5,
            r"\b(?i:(?:my|today's|special) (?:\w+ )?guests?\b|"
            r"our guests?\b(?= today| is| for|,|\.))",
        ),
        (
            1.5,
            r"\b(?i:joined(?: \w+){0,3}? by) (?:[A-Z]|(?:my|our|the|two)\b)|"
            r"\b(?i:joining (?:us|me))\b",
        ),
        (
            2.0,
            rf"\b(?i:(?:thanks|thank you){TO_ALL} for (?:coming|joining|being|taking|sharing|"
            r"your time|listening|tuning|spending|talking|chatting|chiming))",
        ),
        (
            2.0,
            r"\b(?i:(?:having|to have|have) you (?:\w+ )?(?:on|here|back|join)\b|"
            r"pleasure (?:having|to have) you)",
        ),
        (1.5, r"\b(?i:see|talk to|catch) you (?:all )?(?:next|in the next)"),
        (1.0, r"\b(?i:brought to you by|(?:promo|discount|coupon) code|our sponsors?)\b"),
        (
            0.7,
            r"(?:^|[.?!] (?:\w+,? )?|\b(?:can|could|would|will|why don't) you )"
            r"(?i:tell|walk|remind) (?:us|me)\b|"
            r"\b(?i:take us (?:back|through)|help us understand)\b",
        ),
        (1.0, r"\b(?i:on|in) (?:this|today's) (?:episode|show)\b"),
        (
            0.5,
            r"\b(?i:show notes|our listeners|(?:the|for) listeners|listening audience|"
            r"our audience)\b",
        ),
        (
            0.5,
            r"\b(?i:i'm curious|last question|before we (?:go|close|wrap|end)|"
            r"let's (?:dive|jump) in|i want to ask|i wanna ask|you mentioned|what about you)\b",
        ),
        (-4.0, r"\bfor (?:having|inviting) (?:me|us)\b"),
        (
            -2.0,
            r"\b(?i:happy|glad|good|great|nice|excited|honou?red|pleasure|thrilled|lovely) "
            r"to be (?:here|back|on (?:the|your) (?:show|podcast))\b",
        ),
        (-0.7, r"\b(?i:great|good|excellent|interesting|fantastic) question\b"),
        (-0.7, r"\byour (?:show|podcast|listeners)\b"),
    )
)
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
EVIDENCE_SAYINGS = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a role or a name; `start_s` is None outside the recording."""

    about: Literal["role", "name"]
    quote: str
    where: Literal["speech", "title", "author", "notes"]
    start_s: float | None = None


@dataclass(frozen=True, slots=True)
class SpeakerRole:
    """What a speaker does in a recording and is called; confidences 0..1, name "" if unknown."""

    role: RoleName
    name: str = ""
    role_confidence: float = 0.0
    name_confidence: float = 0.0
    evidence: tuple[Evidence, ...] = ()


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
    hosting, sayings = _hosting(speech)
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
        evidence = _role_evidence(sayings[label], part)
        key = keys.get(label, "")
        sure = _role_confidence(label, parts, hosting)
        if not key:
            result[label] = SpeakerRole(part, "", sure, 0.0, evidence)
            continue
        evidence += _name_evidence(key, speech, found, known)
        name = spelt(key, forms.get(key, ""), known, part == "host")
        result[label] = SpeakerRole(part, name, sure, _name_confidence(label, key, named), evidence)
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


def _hosting(speech: Speech) -> tuple[dict[str, float], dict[str, list[Saying]]]:
    """By label: log odds of being a host, from questions, turns and sayings; and the sayings."""
    turns = speech.turns
    punctuated = any("?" in turn.text for turn in turns)
    own: dict[str, list[Stretch]] = defaultdict(list)
    for turn in turns:
        own[turn.speaker].append(turn)
    opener = next((turn.speaker for turn in turns if len(turn.words) > 4), turns[0].speaker)
    score: dict[str, float] = {}
    sayings: dict[str, list[Saying]] = {label: [] for label in own}
    for label, mine in own.items():
        asked = sum(_asks(turn, punctuated) for turn in mine)
        rate = (asked + 4 * ASKING_TURNS) / (len(mine) + 4)
        score[label] = _within(2.5, 1.5 * math.log(rate / ASKING_TURNS))
        rest = [len(turn.words) for turn in turns if turn.speaker != label]
        if rest:
            mean = sum(len(turn.words) for turn in mine) / len(mine)
            score[label] += _within(1.0, 0.5 * math.log(sum(rest) / len(rest) / mean))
        score[label] += 1.0 if label == opener else 0.0
        for weight, pattern in SAYINGS:
            said = [(turn, match) for turn in mine for match in pattern.finditer(turn.text)]
            if said:  # each further time counts half as much
                score[label] += weight * (2 - 0.5 ** (len(said) - 1))
                sayings[label].append((weight, said[0][0], *said[0][1].span()))
    return score, sayings


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


def _role_evidence(sayings: Sequence[Saying], part: RoleName) -> tuple[Evidence, ...]:
    fitting = [saying for saying in sayings if (saying[0] > 0) == (part == "host")]
    fitting.sort(key=lambda saying: -abs(saying[0]))
    return tuple(
        Evidence("role", _around(turn, start, end), "speech", turn.start_s(start))
        for _, turn, start, end in fitting[:EVIDENCE_SAYINGS]
    )


def _name_evidence(
    key: str, speech: Speech, found: Sequence[NameMention], known: Sequence[WrittenName]
) -> tuple[Evidence, ...]:
    said = [
        Evidence("name", _around(turn, one.start, one.end), "speech", turn.start_s(one.start))
        for one in found
        if one.key == key and (turn := speech.turns[one.stretch])
    ]
    return (
        *said,
        *(Evidence("name", one.name, one.where) for one in known if key_of(one.name) == key),
    )


def _around(turn: Stretch, start: int, end: int) -> str:
    """The words as they stand, from a little before `start` to a little after `end`."""
    text = " ".join(word.text.strip() for word in turn.words)
    left = text.rfind(" ", 0, max(0, start - 30)) + 1
    right = text.find(" ", end + 20)
    return text[left : right if right > 0 else None]
