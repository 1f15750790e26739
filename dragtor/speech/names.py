"""Whose name is whose: names written about an episode, and names said in it.

Weighs cues against who speaks before and after; knows no voice.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Literal

from dragtor.speech.cues import OPENING_WORDS, NameMention
from dragtor.speech.stretches import FULL, NAME_LIST, NOT_NAMES, Speech, Stretch, key_of
from dragtor.transcript import fold

Named = dict[str, dict[str, float]]  # label -> key -> how much speaks for it

INTRODUCTIONS = ("guest", "intro", "opening")
COMPANY = re.compile(
    r"(?i)\b(media|network|podcasts?|studios?|inc|llc|ltd|gmbh|radio|fm|productions?|team|labs?|"
    r"university|institute|magazine|news|the|company|group|foundation|show)\b|\.\w{2,3}\b"
)
EPISODE = re.compile(r"(?i)^\W*(?:(?:ep(?:isode)?|no|s\d+ ?e)\.? ?)?#?\d+\W*")
DEGREE = re.compile(r"^(?:Dr|Prof)\.? ")
LIKE_FULL, LIKE_FIRST = 0.65, 0.75  # how alike a name must sound to one that is written
ENOUGH = 0.4  # what must speak for a name before a speaker bears it


@dataclass(frozen=True, slots=True)
class WrittenName:
    """A name that stands in title, author or notes; `weight` 0..1 that somebody here bears it."""

    name: str
    role: Literal["host", "guest", ""]
    weight: float
    where: Literal["title", "author", "notes"]


def written_names(
    title: str, author: str, show: str, notes: str, common: frozenset[str] = frozenset()
) -> list[WrittenName]:
    """People named in what is known of an episode, surest first, each once.

    `common` are words that the speech uses without a capital: no names.
    """
    no_names = NOT_NAMES | common | set(fold(show).split())
    found: list[WrittenName] = []
    for one in _written(title, author, show, notes):
        name = DEGREE.sub("", one.name.strip())
        parts = [fold(part) for part in name.split() if part[:1].isupper()]
        known = {fold(other.name) for other in found}
        if len(parts) >= 2 and not no_names & set(parts) and fold(name) not in known:
            found.append(replace(one, name=name))
    return found


def _written(title: str, author: str, show: str, notes: str) -> Iterator[WrittenName]:
    for one in re.split(r",| and | & |/|;", author):
        if re.fullmatch(rf"\s*{FULL}\s*", one) and not COMPANY.search(one):
            yield WrittenName(one, "host", 1.0, "author")
    for match in re.finditer(rf"(?:[Hh]osted by|[Hh]osts?:?|[Yy]our host,?) ({NAME_LIST})", notes):
        for name in _listed(match[1]):
            yield WrittenName(name, "host", 1.0, "notes")
    bare = re.sub(rf"(?i)\b{re.escape(show)}\b", "", title) if show else title
    bare = EPISODE.sub("", bare)
    with_guest = rf"\b(?:with|w/|[Ff]t\.?|[Ff]eat(?:uring|\.)?|[Gg]uests?:?) ({NAME_LIST})"
    for match in re.finditer(with_guest, bare):
        for name in _listed(match[1]):
            yield WrittenName(name, "guest", 1.0, "title")
    pieces = re.split(r"\s+[-–—|:•]+\s+|[:|]\s*|\s+on\s+|[()]", bare)
    for number, piece in enumerate(pieces):
        for name in re.split(r", | and | & ", piece):
            if re.fullmatch(rf"\s*(?:(?:Dr|Prof)\.? )?{FULL}\s*", name):
                yield WrittenName(name, "guest", 0.6 if number else 0.8, "title")
    for match in re.finditer(FULL, notes):
        if not COMPANY.search(match[0]):
            yield WrittenName(match[0], "", 0.3, "notes")


def _listed(names: str) -> list[str]:
    return [one for one in re.split(r",? and |, ", names) if one]


def respelt(found: Sequence[NameMention], known: Sequence[WrittenName]) -> list[NameMention]:
    """Names under the key of the written name that they sound like: "Eve Gravel" is Yves."""
    alias = {key_of(one.name): key_of(one.name) for one in known}
    people = [one.name for one in known if one.role]
    for mention in found:
        if mention.cue in ("address", "third") or mention.key in alias or not people:
            continue
        full = " " in mention.name
        alike = {name: likeness(name if full else name.split()[0], mention.name) for name in people}
        nearest = max(people, key=lambda name: alike[name])
        if alike[nearest] >= (LIKE_FULL if full else LIKE_FIRST):
            alias[mention.key] = key_of(nearest)
    return [replace(mention, key=alias.get(mention.key, mention.key)) for mention in found]


def claims(speech: Speech, found: Sequence[NameMention], hosting: Mapping[str, float]) -> Named:
    """How much speaks for each speaker bearing each name; `hosting` > 0 for a host."""
    total: Named = {label: defaultdict(float) for label in hosting}
    addressed = Counter(mention.key for mention in found if mention.cue == "address")
    own = {(mention.stretch, mention.key) for mention in found if mention.cue == "self"}
    for mention in found:
        speaker, weight = speech.turns[mention.stretch].speaker, mention.weight
        if mention.cue == "self":
            total[speaker][mention.key] += weight
            continue
        if mention.cue == "address":
            if mention.stretch >= 0.97 * len(speech.turns):
                weight *= 1.5  # thanks and goodbyes are said to somebody in the room
            often = 3 * addressed[mention.key] / max(1, speech.capital[mention.key])
            weight *= min(1.0, often)  # much spoken of and rarely spoken to: not in the room
        elif mention.cue in (*INTRODUCTIONS, "cohost"):
            weight *= introduces(speech.turns, mention, hosting)
        for label, share in _meant(speech.turns, mention, hosting).items():
            total[label][mention.key] += weight * share
        if (mention.stretch, mention.key) not in own:
            total[speaker][mention.key] -= 0.5 * weight
    return total


def introduces(
    turns: Sequence[Stretch], mention: NameMention, hosting: Mapping[str, float]
) -> float:
    """0..1: whether somebody is introduced here: by a host, before they speak."""
    turn = turns[mention.stretch]
    if mention.cue == "cohost":
        return 1.0 if hosting[turn.speaker] > 0 else 0.2
    past = {one.speaker for one in turns[: mention.stretch + 1]}
    soon = {one.speaker for one in turns[mention.stretch + 1 : mention.stretch + 8]}
    early = turn.before + bisect_right(turn.offsets, mention.start) < 2 * OPENING_WORDS
    late = mention.stretch >= 0.95 * len(turns)
    weight = 1.0 if soon - past else 0.7 if early or late else 0.2
    return weight * (1.0 if hosting[turn.speaker] > 0 else 0.3)


def _meant(
    turns: Sequence[Stretch], mention: NameMention, hosting: Mapping[str, float]
) -> dict[str, float]:
    """Who may be meant by a name that another says; shares add up to 1."""
    at, speaker = mention.stretch, turns[mention.stretch].speaker
    others = [label for label in hosting if label != speaker]
    if not others or (mention.cue == "third" and len(others) == 1):
        return {}  # of the only other one, people say "you"
    if mention.cue == "cohost":
        return _even([label for label in others if hosting[label] > 0] or others)
    if mention.cue in INTRODUCTIONS:
        past = {turn.speaker for turn in turns[:at]}
        soon = {turn.speaker for turn in turns[at + 1 : at + 12]}
        new = [label for label in others if label not in past] or others
        return _even([label for label in new if label in soon] or new)
    if mention.cue == "third":
        recent = dict.fromkeys(turn.speaker for turn in reversed(turns[max(0, at - 6) : at]))
        return _even([label for label in recent if label != speaker][:2] or others)
    return _addressed(turns, mention, hosting, others)


def _addressed(
    turns: Sequence[Stretch], mention: NameMention, hosting: Mapping[str, float], others: list[str]
) -> dict[str, float]:
    """Whoever speaks next, or spoke before; and the other side, hosts or guests, of the table."""
    at, text = mention.stretch, turns[mention.stretch].text
    after = turns[at + 1].speaker if at + 1 < len(turns) else ""
    before = turns[at - 1].speaker if at else ""
    share = 0.6
    if mention.end > len(text) - 80:
        share = 0.9
    elif mention.start < 40 and re.search(r"(?i)\b(thank|yeah|yes|right|exactly)", text[:40]):
        share = 0.35
    thanked = re.search(
        r"(?i)\b(thanks|thank you|welcome)[^.?!]*$",
        text[max(0, mention.start - 100) : mention.start],
    )
    beside = 0.4 if thanked else 0.8
    meant: dict[str, float] = defaultdict(float)
    meant[after or before] += beside * share
    meant[before or after] += beside * (1 - share)
    speaker_hosts = hosting[turns[at].speaker] > 0
    side = [label for label in others if (hosting[label] > 0) != speaker_hosts] or others
    for label, part in _even(side).items():
        meant[label] += (1 - beside) * part
    return meant


def _even(labels: Sequence[str]) -> dict[str, float]:
    return dict.fromkeys(labels, 1 / len(labels))


def merged(total: Named, found: Sequence[NameMention]) -> list[NameMention]:
    """Take Jeff and Jeffrey for one where both are said of one speaker; changes `total`."""
    surnames: dict[str, set[str]] = defaultdict(set)
    for mention in found:
        surnames[mention.key].update(fold(mention.name).split()[1:])

    def whose(key: str) -> str:
        return max(total, key=lambda label: total[label].get(key, 0.0))

    alias: dict[str, str] = {}
    keys = sorted({key for named in total.values() for key in named}, key=len, reverse=True)
    for short in reversed(keys):
        for long in keys:
            if not 3 <= len(short) < len(long) or not long.startswith(short):
                continue
            two = surnames[short] and surnames[long] and not surnames[short] & surnames[long]
            if not two and whose(short) == whose(long):
                alias[short] = long
                for named in total.values():
                    named[long] = named.get(long, 0.0) + named.pop(short, 0.0)
                break
    for short in sorted(alias, key=len, reverse=True):
        alias[short] = alias.get(alias[short], alias[short])
    return [replace(mention, key=alias.get(mention.key, mention.key)) for mention in found]


def assigned(total: Named) -> dict[str, str]:
    """Label -> key, each once, the best founded first; then what is left of clear names."""
    pairs = sorted(
        ((value, label, key) for label, named in total.items() for key, value in named.items()),
        key=lambda pair: -pair[0],
    )
    most: dict[str, float] = defaultdict(float)
    for value, _, key in pairs:
        most[key] = max(most[key], value)
    given: dict[str, str] = {}
    for least, clear in ((ENOUGH, 0.0), (ENOUGH / 2, 1.5)):
        for value, label, key in pairs:
            free = label not in given and key not in given.values()
            if free and value >= least and most[key] >= clear:
                given[label] = key
    return given


def full_names(
    speech: Speech, found: Iterable[NameMention], hosting: Mapping[str, float]
) -> dict[str, str]:
    """The best form of each key that is said: the fullest that was introduced."""
    forms: dict[str, Counter[str]] = defaultdict(Counter)
    weights = {"self": 60, "guest": 60, "cohost": 60, "intro": 40, "opening": 40}
    for mention in found:
        weight = weights.get(mention.cue, 20)
        if mention.cue in INTRODUCTIONS and hosting[speech.turns[mention.stretch].speaker] <= 0:
            weight = 1  # guests speak of people who are elsewhere
        forms[mention.key][mention.name] += weight * (10 if " " in mention.name else 1)
    return {
        key: max(names, key=lambda name: (names[name], len(name))) for key, names in forms.items()
    }


def spelt(key: str, said: str, known: Sequence[WrittenName], hosts: bool) -> str:
    """The name as it is written about the episode where that fits what was said, "" if nothing.

    A host who is called Adam is not the Adam Ondra whom the notes mention.
    """
    for one in known:
        likely = one.role or not hosts
        if " " in said:
            likely = likeness(said, one.name) >= LIKE_FULL
        if likely and key_of(one.name) == key:
            return one.name
    return said


def likeness(one: str, other: str) -> float:
    """0..1: how alike two spellings are."""
    return SequenceMatcher(None, fold(one), fold(other), autojunk=False).ratio()
