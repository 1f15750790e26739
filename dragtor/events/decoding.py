"""The form in which the model writes events: a tag, then words copied from the text, in its order.

`Action Lunch Name Yves Date next Fri … End`: tags are tokens of their own, copied words are the
text's own tokens, so that every field is a stretch of the text. Owns what may be written next,
and with which words a field may begin.
Knows no model: tokens are numbers with their bytes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dragtor.dates.words import MONTHS
from dragtor.errors import GenerationError
from dragtor.events.spans import CharSpan, EventSpans
from dragtor.types import EVENT_FIELDS

WORDS = ("Action", "Date", "Time", "Name", "Location", "Duration", "Repeat", "Notes")
MORE, END = "Event", "End"
HEAD, TAIL = "Text:", "\nEvents:"  # before the text, and between it and what is written
MOST_EVENTS = 24  # of one stretch of text

_NUMBER_SIGN = re.compile(r"(?<=\d)[:./](?=\d)")  # in 06:40, 24.12 and 5/11 no word ends

TokenPiece = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Tags:
    """The ids of the tags in a model's vocabulary."""

    of: Mapping[str, int]  # field -> id
    more: int
    end: int
    head: tuple[int, ...]
    tail: tuple[int, ...]
    control: frozenset[int]

    @classmethod
    def read(cls, tokenize: Callable[[str], Sequence[int]]) -> Tags:
        """Raises GenerationError for a vocabulary in which a tag is no single token."""
        ids = [tuple(tokenize(word)) for word in (*WORDS, MORE, END)]
        if any(len(one) != 1 for one in ids) or len(set(ids)) != len(ids):
            raise GenerationError(
                "this model's vocabulary lacks the tags of events", "use smollm2-135m"
            )
        single = [one[0] for one in ids]
        of = dict(zip(EVENT_FIELDS, single[: len(EVENT_FIELDS)], strict=True))
        head, tail = tuple(tokenize(HEAD)), tuple(tokenize(TAIL))
        return cls(of, single[-2], single[-1], head, tail, frozenset(single))


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the tokens of a text stand in it, and between which of them a word may begin or end."""

    text: str
    ids: tuple[int, ...]
    starts: tuple[int, ...]  # character where token i begins, its leading space included
    breaks: tuple[bool, ...]  # of len(ids) + 1: whether words part before token i

    @classmethod
    def of(cls, text: str, tokens: Sequence[TokenPiece]) -> Layout:
        """`tokens` together must be the UTF-8 bytes of `text`."""
        places = _characters(text)
        starts: list[int] = []
        breaks: list[bool] = []
        at = 0
        for _, piece in tokens:
            place = places.get(at)
            starts.append(starts[-1] if place is None and starts else place or 0)
            breaks.append(place is not None and _parts(text, place))
            at += len(piece)
        ids = tuple(i for i, _ in tokens)
        return cls(text, ids, (*starts, len(text)), (*breaks, True))

    def span(self, first: int, last: int) -> CharSpan:
        """Characters of the tokens from `first` up to `last`, without what no value ends in."""
        start, end = self.starts[first], self.starts[last]
        piece = self.text[start:end]
        start += len(piece) - len(piece.lstrip())
        return start, start + len(piece.strip().rstrip(",; "))

    def tokens(self, span: CharSpan) -> tuple[int, int]:
        """The fewest tokens between breaks that cover the characters of `span`."""
        first = max(i for i in range(len(self.ids)) if self.breaks[i] and self.starts[i] <= span[0])
        last = min(
            i for i in range(1, len(self.breaks)) if self.breaks[i] and self.starts[i] >= span[1]
        )
        return first, last

    def opens(self, i: int, name: str) -> bool:
        """Whether a value of the field `name` may begin with token `i`."""
        if not self.breaks[i]:
            return False
        after = self.breaks.index(True, i + 1)
        word = self.text[self.starts[i] : self.starts[after]]
        space = len(word) - len(word.lstrip())
        return space < len(word) and may_begin(name, self.text, self.starts[i] + space)


def _characters(text: str) -> dict[int, int]:
    """Byte offset of each character in UTF-8 -> its index."""
    at, places = 0, {}
    for index, char in enumerate(text):
        places[at] = index
        at += len(char.encode("utf-8"))
    return places


def _parts(text: str, place: int) -> bool:
    if place == 0:
        return True
    before, after = text[place - 1], text[place]
    if (before.isalpha() and after.isalpha()) or (before.isdigit() and after.isdigit()):
        return False
    return not _NUMBER_SIGN.match(text, place) and not _NUMBER_SIGN.match(text, place - 1)


@dataclass(slots=True)
class WrittenValue:
    """One value: the tokens of the text it may stand for, and how sure the model was."""

    field: str
    places: list[tuple[int, int]]  # first token, one past the last; the leftmost is meant
    sure: float


@dataclass(slots=True)
class ConstrainedDecoder:
    """What has been written so far for one text; `allowed` says what may come next."""

    layout: Layout
    tags: Tags
    events: list[list[WrittenValue]] = field(default_factory=lambda: [[]])
    ended: bool = False
    _first: bool = True  # nothing is written yet
    _open: bool = False  # the last tag waits for its first word
    _begin: dict[str, list[int]] = field(default_factory=dict)  # by field

    def allowed(self) -> list[int]:
        """Token ids that may come next; empty at the end."""
        if self.ended:
            return []
        ids, event = self.layout.ids, self.events[-1]
        if not event:
            return sorted(self._openable(set()) | ({self.tags.end} if self._first else set()))
        value = event[-1]
        if self._open:
            return sorted({ids[i] for i in self._starts(value.field)})
        ends = [end for _, end in value.places]
        onward = {ids[end] for end in ends if end < len(ids)} - self.tags.control
        if not any(self.layout.breaks[end] for end in ends):
            return sorted(onward) or [self.tags.end]  # a tag's own word stands in the way
        used = {one.field for one in event}
        onward |= self._openable(used - {"attendees"})
        if "action" in used:
            onward.add(self.tags.end)
            if len(self.events) < MOST_EVENTS:
                onward.add(self.tags.more)
        return sorted(onward)

    def take(self, token: int, probability: float = 1.0) -> None:
        """Go on by a token of `allowed`."""
        event = self.events[-1]
        self._first = False
        if self._open:
            value = event[-1]
            ids = self.layout.ids
            value.places = [(i, i + 1) for i in self._starts(value.field) if ids[i] == token]
            value.sure *= probability
            self._open = False
            return
        if token not in self.tags.control:
            value = event[-1]
            ids = self.layout.ids
            value.places = [
                (start, end + 1)
                for start, end in value.places
                if end < len(ids) and ids[end] == token
            ]
            value.sure *= probability
            return
        if event:
            value = event[-1]
            whole = [place for place in value.places if self.layout.breaks[place[1]]]
            value.places = whole or value.places
            value.sure *= probability
        if token in (self.tags.end, self.tags.more):
            again = any(_alike(event, other) for other in self.events[:-1])
            self.ended = again or token == self.tags.end
            if again or not event:
                self.events.pop()
            elif not self.ended:
                self.events.append([])
        else:
            name = next(name for name, tag in self.tags.of.items() if tag == token)
            event.append(WrittenValue(name, [], probability))
            self._open = True

    def prompt(self) -> list[int]:
        """The tokens after which the first tag stands."""
        return [*self.tags.head, *self.layout.ids, *self.tags.tail]

    def extracted(self) -> list[EventSpans]:
        """What has been written, as characters of the text."""
        found = []
        for event in self.events:
            spans: dict[str, tuple[CharSpan, ...]] = {}
            sure: dict[str, float] = {}
            for one in event:
                span = self.layout.span(*one.places[0]) if one.places else (0, 0)
                if span[0] < span[1]:
                    spans[one.field] = (*spans.get(one.field, ()), span)
                    sure[one.field] = min(one.sure, sure.get(one.field, 1.0))
            if "action" in spans:
                found.append(EventSpans(spans, sure))
        return found

    def _openable(self, used: set[str]) -> set[int]:
        """Tags of the fields that have a word left to begin with."""
        return {
            tag for name, tag in self.tags.of.items() if name not in used and self._starts(name)
        }

    def _starts(self, name: str) -> list[int]:
        """Tokens with which the value that was just opened may begin: none before the last's."""
        before = [one for one in self.events[-1] if one.places]
        least = before[-1].places[0][0] if before else 0
        if name == "attendees":
            least = max([least, *(one.places[0][0] + 1 for one in before if one.field == name)])
        if name not in self._begin:
            count = len(self.layout.ids)
            self._begin[name] = [i for i in range(count) if self.layout.opens(i, name)]
        return self._begin[name][bisect_left(self._begin[name], least) :]


def _alike(one: Sequence[WrittenValue], other: Sequence[WrittenValue]) -> bool:
    """Whether a model that goes in circles has written the same event twice."""
    return [(w.field, w.places) for w in one] == [(w.field, w.places) for w in other]


def encode(
    layout: Layout, tags: Tags, events: Sequence[Mapping[str, Sequence[CharSpan]]]
) -> list[int]:
    """The tokens that write `events`, each field of it given as characters of the text."""
    out: list[int] = []
    for event in events:
        if out:
            out.append(tags.more)
        values = [
            (layout.tokens(span), order, name)
            for order, name in enumerate(EVENT_FIELDS)
            for span in event.get(name, ())
        ]
        for (first, last), _, name in sorted(values, key=lambda value: (value[0][0], value[1])):
            out += [tags.of[name], *layout.ids[first:last]]
    return [*out, tags.end]


# The start vocabulary: what a date, a time, a length or a repetition can begin with. Actions,
# names, places and notes may begin with any word.

_NUMBER = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty"
    "|fourty|fifty|sixty|ninety|hundred"
)
_DAY = (
    "mon(?:day)?|tue(?:s(?:day)?)?|wed(?:s|nesday)?|thu(?:r|rs|rsday)?|fri(?:day)?|sat(?:urday)?"
    "|sun(?:day)?"
)
_MONTH = "|".join(name for name in MONTHS if len(name) == 3)
_ORDINAL = (
    "first|second|third|fourth|fifth|sixth|seventh|eigh?th|ninth|tenth|eleventh|twelfth"
    "|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth|twent|thirt"
)
BEGINNINGS = {
    "date": re.compile(
        rf"\d|(?:{_DAY})s?\b|(?:{_MONTH}|{_ORDINAL}|{_NUMBER}|tom+or|tm[wrm]|tod|ton[iy]|2m|wedn|thur"
        r"|satur|week|fort|christmas|xmas|easter|eid|diwali|hanuk|ramad|thanksg|hallow|new\s+year)"
        r"|(?:next|this|last|coming|following|the|a|an|in|on|of|end|start|beginning|early|late|mid"
        r"|middle|from|between|until|till|by|before|after|day|days|month|year|today|later|now|asap"
        r"|same|all|every|any|my|our|mo|tu|th|fr|sa|su)\b|\w{2,7}day\b|(?:thr|wds|tus|mnd)s?\b"
        r"|(?:[\w'’]+\s+){1,2}(?:day|eve|birthday|weekend|holidays?)\b|(?:good|black|easter|palm|ash|holy|whit|cyber|shrove)\s",
        re.I,
    ),
    "time": re.compile(
        rf"(?!\d{{3,}}\s+[a-gi-z])\d|0\d[0-5]\d\b|(?<=\bat\s)[12]\d[0-5]\d\b(?!\s+(?-i:[A-Z\d]))"
        rf"|(?:{_NUMBER}|half|qua|noo|mid|mor|aft|aff|eve|evn|nig|nit|ton|dawn|dusk|lun|din|brea"
        r"|brunch|sun(?:rise|set|down))"  # people slip while typing
        r"|(?:tea(?:time)?|bed(?:time)?|early|late|later|first\s+thing|end|close|start|before|after"
        r"|between|from|until|till|in|at|an?|all|anytime|now|asap|soon|this|today|tomorrow|the|zero"
        r"|o|around|about|by|couple)\b",
        re.I,
    ),
    "duration": re.compile(
        rf"\d|(?:{_NUMBER}|half|over|day|week|month|hour|minute)"
        r"|(?:an?|all|the|whole|few|couple|several|some|entire|quarter|full|solid|under|about|around"
        r"|approximately|roughly|max|just|from|until|till|up|for|at)\b",
        re.I,
    ),
    "recurrence": re.compile(
        rf"(?:ev[er]*y|each|once|twice|thrice|(?:{_NUMBER}|\d+)\s*(?:x|times)\b|(?:bi|semi|tri)-?\s?"
        r"(?:week|month|annual|year|daily)|(?:hour|dai|night|week|month|quarter|year|fortnight)ly"
        r"|annual|fortnight|week(?:day|end)|workday|alternat|regular|repeat|recur"
        rf"|(?:{_DAY})(?:s\b|/[a-z])|mornings|evenings|nights|afternoons|\d+(?:st|nd|rd|th)\s+of\s+(?:every|each))"
        r"|(?:any|all|on|the|first|second|third|fourth|last|per|until|always|still|same)\b",
        re.I,
    ),
}


def may_begin(field: str, text: str, at: int) -> bool:
    """Whether a value of `field` may begin with the word at `at`."""
    known = BEGINNINGS.get(field)
    return known is None or known.match(text, at) is not None
