"""People and companies of one text, streamed: what headers and signatures show, then what a model
finds in the prose.

Every mention is a span of the text, so nothing can be invented. Knows no library, no model and no
way of reading pictures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from dragtor import split
from dragtor.entities.addresses import Address, addresses
from dragtor.entities.firms import (
    in_headlines,
    of_branch,
    of_camels,
    of_domains,
    under_names,
    with_legal_form,
)
from dragtor.entities.greetings import greeted_and_signed
from dragtor.entities.grouping import ADDRESS_KIND, grouped
from dragtor.entities.lines import paragraphs, text_lines
from dragtor.entities.mail import read_mail
from dragtor.entities.mentions import read_mentions
from dragtor.entities.prose import FIRM_KIND, Known, TagSentences, names_in_prose, unkinned
from dragtor.entities.roster import is_initials, name_words
from dragtor.entities.spelling import PERSON_KIND, clean_name, plain, thing_words
from dragtor.entities.written import CALENDAR, NOT_NAMES, Written
from dragtor.types import Document, FoundEntity, LabelledSpan

SURE, LIKELY, FAIR = 0.99, 0.9, 0.75  # confidence of rules
_SUBJECT = re.compile(r"(?i)subject\s?:?\s*(?:(?:re|fw|fwd|aw|wg)\s?:\s*)*")
_CALLED = re.compile(r"(?<![^\s(])@ ?(?P<name>[^\W\d_a-z](?=[^\W\d_]*[a-z])[^\W\d_]+)")
_BESIDES = re.compile(  # Jeff (Rocky) Skilling
    r"[^\W\d_a-z][^\W\d_]+ \([^\W\d_]+\) [^\W\d_a-z][^\W\d_][\w'’-]*"
)


def find_entities(document: Document, tag: TagSentences | None = None) -> Iterator[FoundEntity]:
    """The people and companies of a document, those first that need no model.

    A later one that shares a mention with earlier ones stands in their place. `tag` finds names in
    sentences; without it there are only those that the form of a mail shows.
    """
    reading = _Reading(document)
    first = reading.entities()
    yield from first
    if tag is None:
        return
    for entity in reading.entities(reading.tagged(tag)):
        if entity not in first:
            yield entity


def last_said(stream: Iterable[FoundEntity]) -> list[FoundEntity]:
    """The entities of a stream as they are at its end, in the order of the text."""
    found: list[FoundEntity] = []
    for entity in stream:
        places = {(m.start, m.end) for m in entity.mentions}
        found = [e for e in found if not places & {(m.start, m.end) for m in e.mentions}]
        found.append(entity)
    return sorted(found, key=lambda entity: entity.mentions[0].start)


class _Reading:
    """One document: its lines, its mail, what rules find."""

    def __init__(self, document: Document) -> None:
        self.document, self.text = document, document.text
        self.lines = text_lines(document)
        self.mail = read_mail(self.text, self.lines)
        self.addresses = list(addresses(self.text))
        self.people = self._addresses_of_people()
        self.spans: dict[tuple[int, int, str], LabelledSpan] = {}
        self.pairs: list[tuple[int, int]] = []  # a name and its address, by where they start
        self.signed: dict[int, int] = {}  # where a signature starts, and its sender
        self.prose = list(self._prose())
        self._headers()
        signatures = self._messages()
        self._firms(signatures)

    def _add(self, start: int, end: int, kind: str, sure: float) -> None:
        self.spans.setdefault((start, end, kind), LabelledSpan(start, end, kind, sure))

    def _addresses_of_people(self) -> list[Address]:
        listed = [w for header in self.mail.headers for w in header.people if w.address]
        shared = {w.address[2:] for w in listed if w.shared and w.address}
        return [a for a in self.addresses if not a.is_role and a[2:] not in shared]

    # Rules

    def _headers(self) -> None:
        for header in self.mail.headers:
            for person in header.people:
                if person.name and not (person.address and person.address.is_role):
                    self._add(*person.name, PERSON_KIND, SURE)
                    if person.address:
                        self.pairs.append((person.name[0], person.address.start))
        for match in _CALLED.finditer(self.text):
            self._add(*match.span("name"), PERSON_KIND, LIKELY)
        for match in _BESIDES.finditer(self.text):
            self._add(*match.span(), PERSON_KIND, LIKELY)

    def _messages(self) -> dict[int, bool]:
        """Whom greetings and signatures name; gives where signatures start, and if they close."""
        names = [self.text[s.start : s.end] for s in self.spans.values()]
        names += [" ".join(a.implied) for a in self.people if a.implied]
        self.firsts, lasts = name_words(map(clean_name, names))
        starts = {line.start for line in self.lines}
        found: dict[int, bool] = {}
        for said in greeted_and_signed(self.lines, self.mail, self.firsts | lasts):
            start = unkinned(self.text, said.start, said.end)
            self._add(start, said.end, PERSON_KIND, LIKELY)
            senders = self.mail.messages[said.message].senders
            if said.signs and len(senders) == 1:
                self.signed[start] = _start_of(senders[0])
            if said.signs and said.start in starts:
                found[said.start] = found.get(said.start, False) or said.closes
        return found

    def _firms(self, signatures: Mapping[int, bool]) -> None:
        for place in self.prose:
            for span in with_legal_form(self.text, *place):
                self._add(*span, FIRM_KIND, LIKELY)
            for span in (*of_branch(self.text, *place), *of_camels(self.text, *place)):
                self._add(*span, FIRM_KIND, FAIR)
        skip = [(a.start, a.end) for a in self.addresses]
        skip += [(self.lines[h.first].start, self.lines[h.last - 1].end) for h in self.mail.headers]
        for span in of_domains(self.text, self.addresses, skip):
            self._add(*span, FIRM_KIND, LIKELY)
        under = under_names(self.lines, signatures, self.mail.taken)
        people = [s for s in self.spans.values() if s.label == PERSON_KIND]
        for start, end in (*under, *in_headlines(self.lines)):
            words = plain(self.text[start:end]).split()
            if words[0] in self.firsts or " ".join(words) in NOT_NAMES | CALENDAR:
                continue
            if not any(s.start < end and start < s.end for s in people):
                self._add(start, end, FIRM_KIND, FAIR)

    # A model

    def _prose(self) -> Iterator[tuple[int, int]]:
        """Sentences, and subjects without what says that they are answers."""
        prose = [
            line
            for n, line in enumerate(self.lines)
            if n not in self.mail.taken and not is_initials(line.text)
        ]
        for group in paragraphs(self.text, prose):
            yield from split.sentences(self.text, group[0].start, group[-1].end)
        for n in sorted(self.mail.taken):
            line = self.lines[n]
            if (match := _SUBJECT.match(line.text)) and match.end() < len(line.text):
                yield line.start + match.end(), line.end

    def tagged(self, tag: TagSentences) -> list[LabelledSpan]:
        """What a model finds in prose, where no rule has spoken."""
        taken = [(s.start, s.end) for s in self.spans.values()]
        taken += [(a.start, a.end) for a in self.addresses]
        kinds = dict.fromkeys(self.firsts, PERSON_KIND)
        for span in self.spans.values():
            name = clean_name(self.text[span.start : span.end])
            words = thing_words(name)
            if span.label == FIRM_KIND and len(words) == 1:  # without its legal form
                kinds.setdefault(words[0], FIRM_KIND)
            kinds.setdefault(plain(name), span.label)
        alone = {(line.start, line.end) for line in self.lines}
        return names_in_prose(self.text, self.prose, tag, Known(taken, kinds, alone))

    def entities(self, more: Iterable[LabelledSpan] = ()) -> list[FoundEntity]:
        """The entities of the rules' spans and more, in the order of the text."""
        named = [LabelledSpan(a.start, a.end, ADDRESS_KIND, SURE) for a in self.addresses]
        spans = read_mentions(self.text, [*named, *self.spans.values(), *more]).spans
        return grouped(self.document, spans, self.people, self.pairs, self.signed)


def _start_of(person: Written) -> int:
    return person.name[0] if person.name else person.address.start  # type: ignore[union-attr]
