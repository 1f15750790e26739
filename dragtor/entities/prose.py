"""People and companies that a model finds in prose, and what it says of a name in other sentences.

A model that never saw a name goes by its sentence: "Dynegy said" may be said of anybody. So a name
that nothing else shows to be a person is put into sentences that are said of companies. Knows a
text and a tagger; what rules found is given.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dragtor.entities.firms import is_role
from dragtor.entities.spelling import PERSON_KIND, clean_name, plain
from dragtor.entities.written import CALENDAR, NOT_NAMES, is_name
from dragtor.types import LabelledSpan

FIRM_KIND, PLACE_KIND = "organisation", "place"
LEAST_LIKELY = {PERSON_KIND: 0.6, FIRM_KIND: 0.5}  # probability of a name, all its places together
OWNING = "{} and its subsidiaries"  # sentences to put a name in
TRADED = "shares of {} fell."
ANNOUNCED = "{} announced its results."
MET = "I spoke to {}."
SURELY, RATHER, HARDLY = 0.8, 0.5, 0.2  # probabilities in such sentences
LEAST_SEEN = 0.4  # probability of a name that is looked at again
UNSEEN, LONGEST_LINE = 0.1, 3  # probability and words of a line that may be a name
SECOND_CHANCE = 0.8  # probability of a name that only the second look shows to be a person's
TagSentences = Callable[[Sequence[str]], Sequence[Sequence[LabelledSpan]]]
ProseSpan = tuple[int, int]

_HYPHENED = re.compile(r"(?:[-‐][^\W\d_a-zß-ÿ][^\W_]*)+")  # what is left of Drummond-Lyle
_LOW_END = re.compile(r"(?:\s+[^\W\d_A-Z][\w'’]*)+\Z")
_KIN = re.compile(r"(?:Uncle|Aunt|Auntie|Grandma|Grandpa|Cousin) (?=\w)")


@dataclass(frozen=True, slots=True)
class Known:
    """What rules know of a text before its prose is read."""

    taken: Sequence[ProseSpan]  # names and addresses that rules found
    kinds: Mapping[str, str]  # names in plain letters, and single words of names, to their kind
    alone: Collection[ProseSpan] = ()  # stretches that stand by themselves, as entries of a menu do


def unkinned(text: str, start: int, end: int) -> int:
    """Where a name begins behind Uncle or Aunt."""
    kin = _KIN.match(text, start, end)
    return kin.end() if kin else start


def names_in_prose(
    text: str, places: Sequence[ProseSpan], tag: TagSentences, known: Known
) -> list[LabelledSpan]:
    """The people and companies in sentences at `places`."""
    said = tag([text[a:b].replace("\n", " ") for a, b in places])
    spans = [
        whole
        for (start, end), own in zip(places, said, strict=True)
        for span in own
        if (whole := _whole(text, span, start, end))
    ]
    spans = [span for span in spans if _counts(text, span, known)]
    spans += _unseen_lines(text, spans, known)
    labels = _Opinions(text, spans, known).labels(tag)
    return [
        replace(span, label=label, probability=max(span.probability, sure))
        for span in spans
        for label, sure in [labels.get(_name(text, span), ("", 0.0))]
        if label
    ]


def _whole(text: str, span: LabelledSpan, start: int, end: int) -> LabelledSpan | None:
    """A span at its place in the text, with all of a hyphened name and no words behind it."""
    first, last = start + span.start, start + span.end
    if first > 1 and re.match(r"\w[-‐]", text[first - 2 : first]):
        return None  # the end of a hyphened name
    if low := _LOW_END.search(text, first, last):
        last = low.start()
    if more := _HYPHENED.match(text, last, end):
        last = more.end()
    first = unkinned(text, first, last)
    return LabelledSpan(first, last, span.label, span.probability) if last > first else None


def _unseen_lines(text: str, spans: Sequence[LabelledSpan], known: Known) -> Iterator[LabelledSpan]:
    """Lines that are written as full names are, and in which the model saw nothing."""
    taken = [*known.taken, *((span.start, span.end) for span in spans)]
    for start, end in known.alone:
        line = text[start:end]
        free = not any(a < end and start < b for a, b in taken)
        if free and is_name(line, 2) and len(line.split()) <= LONGEST_LINE:
            yield LabelledSpan(start, end, "other", UNSEEN)


def _counts(text: str, span: LabelledSpan, known: Known) -> bool:
    name = _name(text, span)
    if any(first < span.end and span.start < last for first, last in known.taken):
        return False
    letters = sum(c.isalpha() for c in name)
    return (
        letters > 1
        and not (letters < 3 and any(c.isdigit() for c in name))
        and any(c.isupper() for c in name)
        and plain(name) not in CALENDAR | NOT_NAMES
    )


def _name(text: str, span: LabelledSpan) -> str:
    return clean_name(text[span.start : span.end])


class _Opinions:
    """What each name of a text is, after a second look at those that may be otherwise."""

    def __init__(self, text: str, spans: Sequence[LabelledSpan], known: Known) -> None:
        self._known = known
        self._unlikely: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(lambda: 1.0))
        self._inside: set[str] = set()  # names that stand in a sentence
        for span in spans:
            name = _name(text, span)
            self._unlikely[name][span.label] *= 1 - span.probability
            if (span.start, span.end) not in known.alone:
                self._inside.add(name)

    def labels(self, tag: TagSentences) -> Mapping[str, tuple[str, float]]:
        """Names to what they are, and the least probability of that; others are left out."""
        asked = {name: list(self._sentences(name)) for name in self._unlikely}
        answers = iter(tag([text.format(name) for name, own in asked.items() for text in own]))
        found = {}
        for name, own in asked.items():
            said = {text: next(answers) for text in own}
            label, sure = self._label(name, said)
            if label == PERSON_KIND and not is_name(name):
                continue
            if label == FIRM_KIND and is_role(name):
                continue
            if label in LEAST_LIKELY and sure >= LEAST_LIKELY[label]:
                found[name] = label, (SECOND_CHANCE if label != self._first(name)[0] else 0.0)
        return found

    def _first(self, name: str) -> tuple[str, float]:
        """The kind that a name is likeliest of, and how likely."""
        kinds = self._unlikely[name]
        label = min(kinds, key=lambda kind: kinds[kind])
        return label, 1 - kinds[label]

    def _of_rules(self, name: str) -> str:
        """The kind that rules found a name to be of; of Ann Lee where they know an Ann."""
        kinds = self._known.kinds
        if kind := kinds.get(plain(name), ""):
            return kind
        first = kinds.get(plain(name.split()[0]), "")
        return PERSON_KIND if first == PERSON_KIND and is_name(name, 2) else ""

    def _sentences(self, name: str) -> Iterator[str]:
        label, sure = self._first(name)
        if self._of_rules(name):
            return
        if " " in name:
            if sure < LEAST_LIKELY[PERSON_KIND] and is_name(name):
                yield from (MET, TRADED)
        elif label == PERSON_KIND:
            yield from (OWNING, TRADED)
        elif label in (PLACE_KIND, FIRM_KIND) and not name.isupper():
            yield from (OWNING, TRADED, ANNOUNCED)

    def _label(self, name: str, said: Mapping[str, Sequence[LabelledSpan]]) -> tuple[str, float]:
        label, sure = self._first(name)
        if kind := self._of_rules(name):
            return kind, max(sure, SURELY)
        person = _chance(said, TRADED, PERSON_KIND)
        if MET in said:
            both = _chance(said, MET, PERSON_KIND) >= SURELY and person >= RATHER
            return (PERSON_KIND, SECOND_CHANCE) if both else (label, sure)
        owned = _chance(said, OWNING, FIRM_KIND)
        if label in (PLACE_KIND, FIRM_KIND) and person >= RATHER and owned < RATHER:
            return PERSON_KIND, SECOND_CHANCE
        told = ANNOUNCED not in said or _chance(said, ANNOUNCED, FIRM_KIND) >= RATHER
        as_firm = person < HARDLY and told and owned >= SURELY
        if as_firm and sure >= LEAST_SEEN:
            return FIRM_KIND, SECOND_CHANCE
        if label == PERSON_KIND and TRADED in said and name not in self._inside and person < RATHER:
            return "", 0.0  # an entry of a menu
        return label, sure


def _chance(said: Mapping[str, Sequence[LabelledSpan]], sentence: str, kind: str) -> float:
    """The probability with which a name is of this kind in a sentence."""
    spans = said.get(sentence, ())
    return max((span.probability for span in spans if span.label == kind), default=0.0)
