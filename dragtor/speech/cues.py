"""What is said around a name that tells whose it is: introductions, greetings, answers.

Patterns for English; finds names and their cues, and does not decide who bears them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from dragtor.speech.stretches import (
    FULL,
    NAME_LIST,
    NAME_WORD,
    ONE_NAME,
    SENTENCE_MARKS,
    UPPER,
    Speech,
    Stretch,
    key_of,
)
from dragtor.transcript import fold

# self: the speaker's own. cohost, guest, intro: somebody introduced. opening: a full name in the
# first minutes. address: somebody spoken to. third: somebody spoken of, who may be there.
Cue = Literal["self", "cohost", "guest", "intro", "opening", "address", "third"]

OPENING_WORDS = 400
# Lower-case words between an introduction and the name: "the wonderful".
SOME = r"(?:(?!(?:about|if|us|me|you|to|in|by|from|of|on|at)\b)[a-z'-]+,? ){0,4}"
NOT_BEFORE = re.compile(r"\b(?:the|an?|this|of|in|on|at|into|via|like|using|our|my|your)$", re.I)
TITLE = r"(?:(?:Dr|Prof|Mr|Mrs|Ms)\.? |Professor |Doctor |Coach )?"
START = r"(?:^|(?<=[.?!…] )|(?<=-- ))"
YOU = r"(?i:you|your|you're|you've|you'd|thanks|thank|let me ask)\b"
VERB = r"(?:is|are|was|has|have|do|will|can|could|would)\b"
ASK_WORDS = (
    rf"(?i:{YOU}|(?:we|i|what|how|why|when|where|who|do|did|does|can|could|would|will|have|is|"
    r"are)\b)"
)
LEAD = (
    r"(?i:(?:so|and|but|well|okay|ok|alright|all right|right|yeah|yes|yep|no|oh|now|hey|hi|hello|"
    r"cool|awesome|great|nice|exactly|absolutely|maybe|let's start with|wait|what about|"
    r"how about)\b[,.!]* )"
)
GREETING = (
    r"\b(?i:hi|hey|hello|welcome(?: back)?(?: to [\w' ]{1,40}?,)?|bye|goodbye|see you|cheers|"
    r"(?:thanks|thank you)(?: (?:so|very) much| again)?|good to see you|what's up|"
    r"how are you(?: doing| today)?|go ahead|sorry|over to you|congratulations),? "
)
GREETED = r"(?=[.!?…]|$|,? (?:you|for|so|it|it's|we|I|how|what|and|great|good|thanks|-)\b)"
HANDED = (
    r"\b(?i:(?:kick|go|hand|shoot|pass|turn|throw)(?: it| this| things)?(?: back)? over to|"
    r"start(?:ing)? with|let's hear from|hand (?:it|this) to|let's go to|comment from|"
    r"question for|back to you) "
)
OWN_HOST = r"\b(?i:(?:I'm|I am|me),? (?:as \w+,? )?your (?:\w+ )?host(?:,? (?:today|tonight))?,?) "
# A name is all that "I'm" says; "I'm Nintendo guy" names nobody.
OWN_END = (
    r"(?![\w'-])(?! (?!(?:and|from|with|at|here|your|the|of|in|as|joined|coming|for|by)\b)[a-z])"
)
INTRODUCED = (
    r"\b(?i:joined(?: \w+){0,3}? by|join(?:ing|s) (?:me|us)(?: today| this \w+)?(?: is| are)?|"
    r"here with|with (?:me|us)(?: here)?(?: today)?,?(?: is| are)|"
    r"(?:talk|speak|chat|sit)(?:s|ed|t?ing)? (?:down )?(?:\w+ )?(?:to|with)|"
    r"spoke (?:to|with)|sat down with|conversation with|interview(?:ing|ed)? (?:with )?|"
    r"(?:have|got)(?: here)? with (?:me|us)|introduce|introducing|show is with|"
    r"(?:man|woman|guy) named),? "
)
GUEST = r"\b(?i:guests?)(?: today| this \w+)?(?: is| are|,|:)?"
SAYING = r"(?:said|says|mentioned|saying|asked|asks|pointed|talked|alluded)"
CAME = r"(?:joining|coming|being|taking|talking)\b"
AND_I = r"and I (?:are|were|talk|have|had|think|like|did|do)\b"
SPOKEN_OF = r"(?! (?:from|who|the|an?|is|was|has|and)\b)"

# Cue, weight, pattern; between << and >> stand the names.
CUE_PATTERNS: tuple[tuple[Cue, float, str], ...] = (
    ("self", 4.0, rf"{OWN_HOST}<<{ONE_NAME}>>"),
    ("self", 3.0, rf"\b(?i:I'm|I am|(?:my|full) name is|my name's) <<{ONE_NAME}>>{OWN_END}"),
    ("self", 2.0, rf"\b[Tt]his is <<{ONE_NAME}>>{OWN_END}"),
    ("self", 2.0, rf"{START}<<{ONE_NAME}>> here\b"),
    (
        "self",
        2.0,
        rf"\b(?i:hey|hi|hello|everyone|everybody)[,.!]* (?i:it's) <<{ONE_NAME}>>{OWN_END}",
    ),
    ("self", 2.0, rf"\b(?i:listening to) [^.?!]{{0,60}}? with <<{FULL}>>"),
    ("cohost", 2.0, rf"\bco-?hosts?,? (?:[a-z]+ )?<<{NAME_LIST}>>"),
    ("cohost", 1.0, rf"(?<!, )\b<<{NAME_WORD}(?:, {NAME_WORD})*>> {AND_I}"),
    ("guest", 2.0, rf"{GUEST}(?:,? {SOME}| )<<{NAME_LIST}>>"),
    ("intro", 1.5, rf"{INTRODUCED}{SOME}<<{NAME_LIST}>>"),
    (
        "intro",
        1.0,
        rf"\b(?:I've got|we've got|we have|I have|that's|[Ii]t's|our|is) {SOME}"
        rf"<<{FULL}(?:(?:,? and |, ){FULL})*>>",
    ),
    ("opening", 1.0, rf"\b<<{NAME_WORD}>>(?: is|'s) (?:here|back|with us|joining us)\b"),
    (
        "intro",
        1.5,
        rf"\b(?i:thanks|thank you)(?: again)? to {SOME}<<{NAME_LIST}>>(?= for {CAME})",
    ),
    ("address", 1.0, rf"{HANDED}<<{NAME_WORD}>>"),
    ("address", 1.0, rf"{GREETING}<<{ONE_NAME}>>{GREETED}"),
    ("address", 0.5, rf"{GREETING}<<{ONE_NAME}>>(?! \w+ed\b)"),
    ("address", 1.0, rf"{START}{LEAD}{{1,2}}<<{ONE_NAME}>>,?(?: --?)? (?={ASK_WORDS})(?!{VERB})"),
    ("address", 0.5, rf"{START}{LEAD}{{1,2}}<<{NAME_WORD}>>,{SPOKEN_OF}"),
    (
        "address",
        0.8,
        rf"{START}<<{NAME_WORD}>>(?:,| -|!) "
        rf"(?={ASK_WORDS}|(?:thank|welcome|tell|it's|let|go|over)\b)",
    ),
    ("address", 0.6, rf"[a-z], <<{NAME_WORD}>>, (?={YOU}|(?:what|how|why|did)\b)"),
    ("address", 0.3, rf"{START}<<{NAME_WORD}>>,{SPOKEN_OF} (?=[a-z]|I\b)"),
    ("address", 0.8, rf"{START}<<{NAME_WORD}>>(?:\.\.\.|\?)(?= [{UPPER}a-z]|$)"),
    (
        "address",
        0.8,
        rf"\b{YOU}[^.?!,]{{0,200}}(?:, [^.?!,]{{0,200}})?, <<{NAME_WORD}>>(?=[.?!…,]|$| -)",
    ),
    ("address", 0.8, rf"{START}(?:[^\s,.?!]+ ){{0,4}}[^\s,.?!]+, <<{NAME_WORD}>>(?=[.?!…]|$)"),
    ("address", 0.4, rf"[a-z\d], <<{NAME_WORD}>>(?=[.?!…]|$)"),
    (
        "third",
        1.0,
        rf"\b(?i:like|as|what|think|and|specifically,?) <<{NAME_WORD}>>"
        rf"(?: just| was| has| had)? {SAYING}",
    ),
    ("third", 1.0, rf"\bask(?:ed|ing)? <<{NAME_WORD}>> (?:to|about|if)\b"),
)
CUES = tuple(
    (cue, weight, re.compile(pattern.replace("<<", rf"{TITLE}(?P<names>").replace(">>", ")")))
    for cue, weight, pattern in CUE_PATTERNS
)
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
    for cue, weight, pattern in CUES:
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
    spoken_to = re.match(
        rf"[,?]? (?:{YOU}|(?:what|how|why|can|could|do|did|tell|welcome)\b)",
        turn.text[at + len(clean) :],
    )
    if speech.is_name(clean, at_start, bool(spoken_to)):
        yield NameMention(clean, fold(clean.split()[0]), cue, weight, number, at, at + len(clean))
