"""What is said around a name that tells whose it is: introductions, greetings, answers.

Finds names and their cues, and does not decide who bears them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from dragtor.speech.stretches import SENTENCE_MARKS, Speech, Stretch, key_of
from dragtor.speech.wording import FULL, ONE_NAME, Cue, wording
from dragtor.transcript import fold

OPENING_WORDS = 400
NOT_BEFORE = re.compile(r"\b(?:the|an?|this|of|in|on|at|into|via|like|using|our|my|your)$", re.I)
MORE_NAMES = re.compile(rf"(?:and|,) ({FULL})(?=,| from\b| who\b|$)")  # further names introduced
PERSON = re.compile(r"(?:'s |, (?:the|an?|who|co)\b| is\b| from\b)")  # after the name of one
WHERE_TO = re.compile(r"(?<!talk)(?<!ed)(?<!speak)(?<!ing) to $")  # "to New York"
QUOTED = re.compile(r'"[^"]*"|“[^”]*”')


@dataclass(frozen=True, slots=True)
class NameMention:
    """A name at characters `start` to `end` of a stretch; `key` says who shares it."""

    name: str
    key: str
    cue: Cue
    weight: float
    stretch: int
    start: int
    end: int


def name_mentions(speech: Speech) -> list[NameMention]:
    """Every name that the words around it give to somebody; of one place, the clearest cue."""
    found: list[NameMention] = []
    for number, turn in enumerate(speech.turns):
        best: dict[int, NameMention] = {}
        quoted = [match.span() for match in QUOTED.finditer(turn.text)]
        for mention in _names_in(speech, turn, number):
            if any(start < mention.start < end for start, end in quoted):
                mention = replace(mention, weight=0.6 if mention.cue == "self" else 0.0)
            if mention.start not in best or best[mention.start].weight < mention.weight:
                best[mention.start] = mention
        end = 0
        for _, mention in sorted(best.items()):
            if mention.start >= end:  # else it is a part of the name before it
                found.append(mention)
            end = max(end, mention.end)
    return found


def _names_in(speech: Speech, turn: Stretch, number: int) -> Iterator[NameMention]:
    text = turn.text
    for cue, weight, pattern in wording().cues:
        for match in pattern.finditer(text):
            places = [(one[0], match.start("names") + one.start(), weight)
                      for one in re.finditer(ONE_NAME, match["names"])]  # fmt: skip
            if cue in ("guest", "intro"):
                rest = re.split(r"[.?!]", text[match.end() : match.end() + 300], maxsplit=1)[0]
                places += [(one[1], match.end() + one.start(1), weight / 2)
                           for one in MORE_NAMES.finditer(rest)]  # fmt: skip
            for name, at, sure in places:
                yield from _name_at(speech, turn, number, cue, sure, name, at)
    if turn.before < OPENING_WORDS:
        for match in re.finditer(FULL, text[: 8 * OPENING_WORDS]):
            alone = speech.capital[key_of(match[0])] > text.count(match[0])
            person = alone or PERSON.match(text, match.end())
            if person and not WHERE_TO.search(text[: match.start()]):
                yield from _name_at(speech, turn, number, "opening", 1.0, match[0], match.start())


def _name_at(
    speech: Speech, turn: Stretch, number: int, cue: Cue, weight: float, name: str, at: int
) -> Iterator[NameMention]:
    clean = re.sub(r"'s?$", "", name.split(f" {name.split()[0]}")[0])
    before = re.sub(r"\b(?:Dr|Prof|Mr|Mrs|Ms)\.$", "", turn.text[:at].rstrip()).rstrip()
    if cue != "self" and NOT_BEFORE.search(before):
        return
    at_start = not before or before[-1] in SENTENCE_MARKS
    spoken_to = wording().spoken_to.match(turn.text[at + len(clean) :])
    if speech.is_name(clean, at_start, bool(spoken_to)):
        yield NameMention(clean, fold(clean.split()[0]), cue, weight, number, at, at + len(clean))
