"""People and companies of one text, streamed: what headers and signatures show, then what a model
finds in the prose.

Every mention is a span of the text, so nothing can be invented. Knows no library, no model and
no way of reading pictures.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from dragtor import split
from dragtor.entities.addresses import Address, addresses
from dragtor.entities.firms import in_headlines, of_branch, of_camels, of_domains, under_names, with_legal_form
from dragtor.entities.greetings import greeted_and_signed
from dragtor.entities.lines import TextLine, paragraphs, text_lines
from dragtor.entities.mail import read_mail
from dragtor.entities.mentions import read_mentions
from dragtor.entities.merge import NameRow, main_name, merge_names
from dragtor.entities.roster import NamedAt, People, is_initials, tell_apart, name_words
from dragtor.entities.spelling import LEGAL_FORMS, PERSON_KIND, abbreviates, clean_name, plain, thing_words
from dragtor.entities.written import CALENDAR, NOT_NAMES, is_name
from dragtor.types import Document, FoundEntity, FoundMention, LabelledSpan

FIRM_KIND = "organisation"
ADDRESS_KIND = "address"
SURE, LIKELY, FAIR = 0.99, 0.9, 0.75  # confidence of rules
import os
HEAD_PERSON, HEAD_FIRM = float(os.environ.get("HP",.6)), float(os.environ.get("HF",.5))  # least probability of a model's span
PROBES = {  # what is said of a firm, and what tells it from the other kind
    PERSON_KIND: ("{} and its subsidiaries", "Shares of {} fell."),
    "place": ("{} and its subsidiaries", "{} announced its results."),
}
PROBED = 0.8  # probability that what stands in the first one is a firm
Tag = Callable[[Sequence[str]], Sequence[Sequence[LabelledSpan]]]
_SUBJECT = re.compile(r"(?i)subject\s?:?\s*(?:(?:re|fw|fwd|aw|wg)\s?:\s*)*")
_MENTIONED = re.compile(r"(?<![^\s(])@(?P<name>[^\W\d_a-z](?=[^\W\d_]*[a-z])[^\W\d_]+)")
_BESIDES = re.compile(r"[^\W\d_]\w+ \([^\W\d_]\w+\) [^\W\d_A-Z]?[^\W\d_a-z][\w'-]+")  # Jeff (Rocky) Skilling
_HYPHENED = re.compile(r"(?:[-‐][^\W\d_a-zß-ÿ][^\W_]*)+")  # what is left of Drummond-Lyle
_KIN = re.compile(r"(?:Uncle|Aunt|Auntie|Grandma|Grandpa|Cousin) (?=\w)")


def find_entities(document: Document, tag: Tag | None = None) -> Iterator[FoundEntity]:
    """The people and companies of a document, in its order, those that need no model first.

    A later one that shares a mention with earlier ones stands in their place.
    """
    reading = _Reading(document)
    first = reading.entities(())
    yield from first
    if tag is None:
        return
    known = set(first)
    for entity in reading.entities(reading.tagged(tag)):
        if entity not in known:
            yield entity


def last_said(stream: Iterable[FoundEntity]) -> list[FoundEntity]:
    """The entities of a stream as they are at its end, in the order of the text."""
    found: list[FoundEntity] = []
    for entity in stream:
        places = {(m.start, m.end) for m in entity.mentions}
        found = [e for e in found if not places & {(m.start, m.end) for m in e.mentions}]
        found.append(entity)
    return sorted(found, key=lambda e: e.mentions[0].start)


@dataclass(slots=True)
class _Rules:
    """What the rules make of a text."""

    spans: list[LabelledSpan] = field(default_factory=list)
    pairs: list[tuple[int, int]] = field(default_factory=list)
    signed: dict[int, int] = field(default_factory=dict)
    greeted: dict[int, Sequence[int]] = field(default_factory=dict)
    seen: set[tuple[int, int, str]] = field(default_factory=set)

    def add(self, start: int, end: int, kind: str, sure: float) -> None:
        if end > start and (start, end, kind) not in self.seen:
            self.seen.add((start, end, kind))
            self.spans.append(LabelledSpan(start, end, kind, sure))


class _Reading:
    """One document: its lines, its mail, what rules find."""

    def __init__(self, document: Document) -> None:
        self.document, self.text = document, document.text
        self.lines = text_lines(document)
        self.mail = read_mail(self.text, self.lines)
        self.addresses = [a for a in addresses(self.text)]
        shared = {
            (w.address.local, w.address.domain)
            for header in self.mail.headers
            for w in header.people
            if w.shared and w.address
        }
        self.people = [
            a for a in self.addresses if not a.is_role and (a.local, a.domain) not in shared
        ]
        self.rules = _Rules()
        self._headers()
        self._messages()
        self._firms()

    # Rules

    def _headers(self) -> None:
        for header in self.mail.headers:
            for person in header.people:
                if person.name and not (person.address and person.address.is_role):
                    self.rules.add(*person.name, PERSON_KIND, SURE)
                    if person.address:
                        self.rules.pairs.append((person.name[0], person.address.start))
        for match in _MENTIONED.finditer(self.text):
            self.rules.add(*match.span("name"), PERSON_KIND, LIKELY)
        for match in _BESIDES.finditer(self.text):
            self.rules.add(*match.span(), PERSON_KIND, LIKELY)

    def _messages(self) -> None:
        names = [self.text[s.start : s.end] for s in self.rules.spans]
        names += [" ".join(a.implied) for a in self.people if a.implied]
        self.firsts, lasts = name_words(clean_name(name) for name in names)
        self.signed_lines: list[int] = []
        starts = {line.start for line in self.lines}
        for said in greeted_and_signed(self.lines, self.mail, self.firsts | lasts):
            kin = _KIN.match(self.text, said.start, said.end)
            start = kin.end() if kin else said.start
            self.rules.add(start, said.end, PERSON_KIND, LIKELY)
            message = self.mail.messages[said.message]
            if said.signs and len(message.senders) == 1:
                self.rules.signed[start] = _start_of(message.senders[0])
            if said.signs and said.start in starts:
                self.signed_lines.append(said.start)

    def _firms(self) -> None:
        for place in self._prose():
            for start, end in with_legal_form(self.text, *place):
                self.rules.add(start, end, FIRM_KIND, LIKELY)
            for start, end in (*of_branch(self.text, *place), *of_camels(self.text, *place)):
                self.rules.add(start, end, FIRM_KIND, FAIR)
        skip = [(a.start, a.end) for a in self.addresses]
        skip += [(self.lines[h.first].start, self.lines[h.last - 1].end) for h in self.mail.headers]
        for start, end in of_domains(self.text, self.addresses, skip):
            self.rules.add(start, end, FIRM_KIND, LIKELY)
        under = under_names(self.lines, self.signed_lines, self.mail.taken)
        for start, end in (*under, *in_headlines(self.lines)):
            if plain(self.text[start:end]) not in NOT_NAMES | CALENDAR:
                self.rules.add(start, end, FIRM_KIND, FAIR)

    # A model

    def tagged(self, tag: Tag) -> list[LabelledSpan]:
        """What a model finds in prose, where no rule has spoken."""
        places = list(self._prose())
        texts = [self.text[a:b].replace("\n", " ") for a, b in places]
        found = []
        for (start, end), spans in zip(places, tag(texts), strict=True):
            for span in spans:
                if moved := self._whole(span, start, end):
                    found.append(moved)
        return self._believed(self._probed(found, tag))

    def _probed(self, spans: Sequence[LabelledSpan], tag: Tag) -> list[LabelledSpan]:
        """Names alone that nothing else shows to be people, as the model takes them elsewhere.

        It has no name of a firm but by what is said of it; "Dynegy said" may be said of people.
        """
        alone = {self._name(s): s.label for s in spans if s.label in PROBES}
        names = [n for n in sorted(alone) if " " not in n and plain(n) not in self.firsts]
        said = iter(tag([probe.format(n) for n in names for probe in PROBES[alone[n]]]))
        firms = set()
        for name in names:
            owning, other = next(said), next(said)
            if _chance(owning, FIRM_KIND) >= PROBED and (
                _chance(other, PERSON_KIND) < 1 - PROBED
                if alone[name] == PERSON_KIND
                else _chance(other, FIRM_KIND) >= HEAD_FIRM
            ):
                firms.add(name)
        return [
            replace(s, label=FIRM_KIND) if self._name(s) in firms else s for s in spans
        ]

    def _whole(self, span: LabelledSpan, start: int, end: int) -> LabelledSpan | None:
        """A span of a sentence at its place in the text, with the rest of a hyphened name."""
        first, last = start + span.start, start + span.end
        label, text = span.label, self.text
        if first and re.match(r"\w[-‐]", text[first - 2 : first]):
            return None  # the end of a hyphened name
        if more := _HYPHENED.match(text, last, end):
            last = more.end()
        if kin := _KIN.match(text, first, last):
            first = kin.end()
        if plain(clean_name(text[first:last])) in self.firsts:
            label = PERSON_KIND
        return LabelledSpan(first, last, label, span.probability)

    def _believed(self, spans: Sequence[LabelledSpan]) -> list[LabelledSpan]:
        """Spans of names that are likely enough, all of their places together."""
        unlikely: dict[tuple[str, str], float] = {}
        kept = [span for span in spans if self._counts(span)]
        for span in kept:
            key = self._name(span), span.label
            unlikely[key] = unlikely.get(key, 1.0) * (1 - span.probability)
        least = {PERSON_KIND: HEAD_PERSON, FIRM_KIND: HEAD_FIRM}
        return [s for s in kept if 1 - unlikely[self._name(s), s.label] >= least[s.label]]

    def _prose(self) -> Iterator[tuple[int, int]]:
        prose = [
            line
            for n, line in enumerate(self.lines)
            if n not in self.mail.taken and not is_initials(line.text)
        ]
        for group in paragraphs(self.text, prose):
            yield from split.sentences(self.text, group[0].start, group[-1].end)
        for n in sorted(self.mail.taken):
            if match := _SUBJECT.match(self.lines[n].text):
                if match.end() < len(self.lines[n].text):
                    yield self.lines[n].start + match.end(), self.lines[n].end

    def _counts(self, span: LabelledSpan) -> bool:
        name = clean_name(self.text[span.start : span.end])
        if any(a.start < span.end and span.start < a.end for a in self.addresses):
            return False
        if any(s.start < span.end and span.start < s.end for s in self.rules.spans):
            return False
        if not any(c.isupper() for c in name) or plain(name) in CALENDAR | NOT_NAMES:
            return False
        if span.label == PERSON_KIND:
            return is_name(name)
        return span.label == FIRM_KIND and len(name) > 1

    # Who is who

    def entities(self, more: Iterable[LabelledSpan]) -> list[FoundEntity]:
        """The entities of the rules' spans and more, in the order of the text."""
        named = [LabelledSpan(a.start, a.end, ADDRESS_KIND, SURE) for a in self.addresses]
        spans = read_mentions(self.text, [*named, *self.rules.spans, *more]).spans
        groups = [*self._grouped_people(spans), *self._grouped_firms(spans)]
        made = [self._entity(kind, own) for kind, own in groups]
        return sorted(made, key=lambda e: e.mentions[0].start)

    def _grouped_people(
        self, spans: Sequence[LabelledSpan]
    ) -> Iterator[tuple[str, list[LabelledSpan]]]:
        at = {span.start: span for span in spans if span.label == PERSON_KIND}
        at |= {a.start: LabelledSpan(a.start, a.end, ADDRESS_KIND, SURE) for a in self.people}
        names = [NamedAt(s.start, self._name(s)) for s in at.values() if s.label == PERSON_KIND]
        rules = self.rules
        signed = {a: b for a, b in rules.signed.items() if a in at and b in at}
        people = People(names, self.people, rules.pairs, signed, rules.greeted)
        numbers = tell_apart(people)
        own: dict[int, list[LabelledSpan]] = {}
        for start, number in sorted(numbers.items()):
            own.setdefault(number, []).append(at[start])
        for each in own.values():
            if not all(is_initials(self._name(span)) for span in each):
                yield "person", each

    def _grouped_firms(
        self, spans: Sequence[LabelledSpan]
    ) -> Iterator[tuple[str, list[LabelledSpan]]]:
        firms = [span for span in spans if span.label == FIRM_KIND]
        names: dict[str, int] = {}
        for span in firms:
            names[self._name(span)] = names.get(self._name(span), 0) + 1
        rows = [NameRow("", FIRM_KIND, name, n) for name, n in names.items()]
        merged = merge_names(rows)
        ids = {name: merged.meant["", FIRM_KIND, name] for name in names}
        for short, full in _shortened(list(names)):
            old, new = ids[short], ids[full]
            ids = {name: new if i == old else i for name, i in ids.items()}
        own: dict[str, list[LabelledSpan]] = {}
        for span in firms:
            own.setdefault(ids[self._name(span)], []).append(span)
        for each in own.values():
            yield "company", each

    def _name(self, span: LabelledSpan) -> str:
        return clean_name(self.text[span.start : span.end])

    def _entity(self, category: str, spans: Sequence[LabelledSpan]) -> FoundEntity:
        counts: dict[str, int] = {}
        for span in spans:
            counts[self._name(span)] = counts.get(self._name(span), 0) + 1
        names = {self._name(s): 0 for s in spans if s.label != ADDRESS_KIND}
        shown = {name: counts[name] for name in names} or counts
        kind = PERSON_KIND if category == "person" else FIRM_KIND
        name = main_name(kind, shown)
        aliases = tuple(sorted((n for n in counts if n != name), key=lambda n: (-counts[n], n)))
        mentions = tuple(
            FoundMention(self.text[s.start : s.end], s.start, s.end, None) for s in spans
        )
        sure = max(span.probability for span in spans)
        return FoundEntity(name, category, aliases, mentions, round(sure, 4))


def _chance(spans: Sequence[LabelledSpan], kind: str) -> float:
    return max((span.probability for span in spans if span.label == kind), default=0.0)


def _start_of(person: object) -> int:
    name, address = person.name, person.address  # type: ignore[attr-defined]
    return name[0] if name else address.start


def _shortened(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Companies by their first words, or by their letters, where that is one company's."""
    full = [n for n in names if plain(n.split()[-1]).strip(".") in LEGAL_FORMS | {"as", "asa", "se"}]
    for name in names:
        words = thing_words(name)
        longer = {
            thing_words(other): other
            for other in full
            if len(thing_words(other)) > len(words) and thing_words(other)[: len(words)] == words
        }
        if not longer and name.isupper() and len(name) > 2:
            longer = {
                thing_words(other): other
                for other in names
                if len(thing_words(other)) >= len(name) and abbreviates(name, other)
            }
        if len(longer) == 1:
            yield name, next(iter(longer.values()))
