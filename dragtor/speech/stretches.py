"""What each speaker says without a break, and which capitalised words in it can be names.

Text only: knows no cue, no role and no voice.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from dragtor.transcript import fold
from dragtor.types import Word

UPPER = "A-ZÀ-ÖØ-Þ\u0100\u0106\u010c\u010e\u0110\u0141\u0158\u015a\u0160\u017b\u017d"
NAME_WORD = rf"(?:O'|D'|Mc)?[{UPPER}][\w'-]*\w"
PARTICLE = r"(?:de|da|del|der|di|la|van|von|bin|al|[A-Z]\.)"
ONE_NAME = rf"(?:{NAME_WORD}(?: (?:{PARTICLE} ){{0,2}}{NAME_WORD}){{0,2}})"
FULL = rf"(?:{NAME_WORD}(?: (?:{PARTICLE} ){{0,2}}{NAME_WORD}){{1,2}})"
NAME_LIST = rf"{ONE_NAME}(?:(?:,? and |, ){ONE_NAME})*"

# Never the name of somebody in the room, though capitals and commas say so.
NOT_NAMES = frozenset(
    """i i'm i'd i'll i've a an the and but or so well okay ok alright right yeah yes yep yup no
    nope
    oh ah um uh wow hmm hm hey hi hello bye thanks thank you welcome cool awesome great nice good
    exactly absolutely sure gotcha indeed interesting now then also maybe actually basically
    obviously honestly man dude guys folks everyone everybody all both here there this that these
    those it he she they we what why how when where who which is are was do does did can could would
    will should have has let let's just like because if as at in on of for to from with by my your
    our their not never however anyway anyways otherwise instead still first second third finally
    plus again correct wonderful fantastic perfect excellent congratulations please sorry excuse
    although though while since once before after during until unless whether either neither
    sometimes often always usually monday tuesday wednesday thursday friday saturday sunday january
    february march april may june july august september october november december christmas god
    jesus world new san los las north south east west united big open saint uncle episode ep part
    season podcast show host guest co-host mr mrs ms dr prof professor principal senior chief
    director founder co-founder ceo cto cfo vp head engineer engineering software break
    american english british german french italian spanish dutch swedish norwegian danish finnish
    polish russian ukrainian chinese japanese korean indian canadian mexican brazilian australian
    irish scottish welsh swiss austrian greek turkish israeli jewish catholic european asian african
    iranian america australia austria brazil canada china denmark england europe finland france
    germany greece india ireland israel italy japan mexico norway poland portugal russia scotland
    spain sweden switzerland turkey ukraine california colorado texas utah london berlin vienna
    boston chicago seattle yosemite fontainebleau google apple amazon microsoft facebook twitter
    youtube instagram github slack spotify siri alexa javascript python java linux windows mac
    internet""".split()
)
BRAND = re.compile(r"^[A-Z]{3,}|[A-Z]{2,}s?$|^(?!Mac)[A-Z][a-z]{2,}[A-Z]|-[a-z]")  # CNCF, GitHub
SENTENCE_MARKS = '.?!…"“-:'  # after these a capital means nothing
CAPITALS = 0.02  # a text with a smaller share of capitalised words is written without them

# What a text without capitals names: one word is enough, two are needed in the last.
SMALL_NAME = r"[\w'-]+(?: [\w'-]+)?"
SMALL_CUES = re.compile(
    rf"\byour (?:\w+ )?host,?(?: is)? (?P<host>{SMALL_NAME})"
    rf"|\bmy name(?: is|'s) (?P<own>{SMALL_NAME})"
    r"|\b(?:my|our|today's|special|this week's) guests?(?: today| this \w+| on the show)*"
    rf"(?: is|,)? (?P<guest>{SMALL_NAME})"
    r"|\b(?:joined(?: \w+)? by|joining (?:me|us)(?: today| \w+ \w+)?(?: is| are)?|here with|"
    r"(?:talking|speaking|chatting|sitting down|sat down|conversation) (?:to|with)|"
    rf"welcome to the (?:show|podcast)) (?P<two>{SMALL_NAME})"
)
SMALL_WORDS = NOT_NAMES | frozenset(
    """me us him her them today tonight someone somebody another one two very really special friend
    friends old dear about who's he's she's it's we're you're that's going author coach doctor
    climber gonna excited people person other some many lots nobody everything nothing something
    anything it's that'll more most same each every""".split()
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What one speaker says without a break; `offsets` are where its words begin in `text`."""

    speaker: str
    text: str
    words: tuple[Word, ...]
    offsets: tuple[int, ...]
    before: int  # words of the recording before it

    def start_s(self, at: int) -> float:
        """When the word at character `at` begins."""
        return self.words[max(0, bisect_right(self.offsets, at) - 1)].start_s


def stretches(words: Sequence[Word]) -> list[Stretch]:
    """Words in a row of one speaker; words of nobody are left out."""
    found: list[Stretch] = []
    before = 0
    spoken = [word for word in words if word.speaker and word.text.strip()]
    for speaker, run in groupby(spoken, key=lambda word: word.speaker):
        own = tuple(run)
        texts = [word.text.strip().replace("’", "'") for word in own]
        offsets, at = [], 0
        for text in texts:
            offsets.append(at)
            at += len(text) + 1
        found.append(Stretch(speaker or "", " ".join(texts), own, tuple(offsets), before))
        before += len(own)
    return found


def key_of(name: str) -> str:
    """The first name, folded: what the names of one person share."""
    return fold(name.split()[0]) if name else ""


class Speech:
    """Stretches, and how often each of their words stands with and without a capital."""

    def __init__(self, turns: Sequence[Stretch], known: Sequence[str] = ()) -> None:
        self.turns = turns
        self.known = {key_of(name) for name in known}
        self.capital: Counter[str] = Counter()
        self.inside: Counter[str] = Counter()  # with a capital, within a sentence
        self.small: Counter[str] = Counter()
        for turn in turns:
            for match in re.finditer(r"[^\W\d_][\w'-]*", turn.text):
                word, before = fold(match[0].removesuffix("'s")), turn.text[: match.start()][-2:]
                if not match[0][0].isupper():
                    self.small[word] += 1
                    continue
                self.capital[word] += 1
                if before.strip() and before.rstrip()[-1] not in SENTENCE_MARKS:
                    self.inside[word] += 1

    @property
    def cased(self) -> bool:
        """Whether sentences and names begin with capitals."""
        return self.capital.total() > CAPITALS * (self.capital.total() + self.small.total())

    @property
    def common(self) -> frozenset[str]:
        """Words that mostly stand without a capital."""
        return frozenset(word for word, n in self.small.items() if n > self.capital[word])

    def is_name(self, name: str, at_start: bool, spoken_to: bool) -> bool:
        """Whether `name` can be a person's.

        A sentence's first word needs better evidence: a capital elsewhere, or "you" after it.
        """
        parts, first = name.split(), key_of(name)
        if self.cased and any(BRAND.search(part) for part in parts):
            return False
        if len(first) < 2 or any(fold(part) in NOT_NAMES for part in parts):
            return False
        if first in self.known or not at_start:
            return True
        if self.inside[first]:
            return self.small[first] <= 0.2 * self.capital[first]
        adverb = first.endswith("ly") and len(first) > len("kelly") + 1
        return spoken_to and not self.small[first] and not adverb


def recased(turns: Sequence[Stretch], known: Sequence[str]) -> list[Stretch]:
    """A transcript without capitals, with capitals where a name stands.

    Names are the `known` ones, and what follows "my guest today is" and the like.
    """
    names = {spelt for name in known for spelt in (name.lower(), fold(name))}
    lower = [turn.text.lower() for turn in turns]
    for text in lower:
        for match in SMALL_CUES.finditer(text):
            cue, said = next(one for one in match.groupdict().items() if one[1])
            kept: list[str] = []
            for word in said.split():
                if word in SMALL_WORDS or len(word) < 2:
                    break
                kept.append(word)
            if len(kept) > (cue == "two"):
                names.add(" ".join(kept))
    names |= {name.split()[0] for name in names} - NOT_NAMES
    spelt = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
    any_name = re.compile(rf"\b(?:{spelt})\b" if spelt else r"(?!)")

    def capitals(match: re.Match[str]) -> str:
        return " ".join(part[:1].upper() + part[1:] for part in match[0].split(" "))

    return [
        replace(turn, text=any_name.sub(capitals, text))
        for turn, text in zip(turns, lower, strict=True)
    ]
