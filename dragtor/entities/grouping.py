"""Spans of one text -> its people and companies, each with all its mentions and spellings.

Knows no rule and no model; who is who is roster.py's, and merge.py's for companies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from dragtor.entities.addresses import Address
from dragtor.entities.merge import NameRow, main_name, merge_names
from dragtor.entities.prose import FIRM_KIND
from dragtor.entities.roster import NameAt, TextNames, is_initials, tell_apart
from dragtor.entities.spelling import (
    LEGAL_FORMS,
    PERSON_KIND,
    abbreviates,
    clean_name,
    person_name,
    plain,
    thing_words,
)
from dragtor.pictures import box_of, page_of
from dragtor.types import Document, FoundEntity, FoundMention, LabelledSpan

ADDRESS_KIND = "address"
_FORMS = LEGAL_FORMS | {"as", "asa", "se"}
LEAST_ACRONYM = 3  # letters


def grouped(
    document: Document,
    spans: Sequence[LabelledSpan],
    addresses: Sequence[Address],
    pairs: Sequence[tuple[int, int]],
    signed: Mapping[int, int],
) -> list[FoundEntity]:
    """The entities of a text in its order; `pairs` and `signed` as for roster.TextNames."""
    made = [
        *(
            _entity(document, "person", own)
            for own in _people(document.text, spans, addresses, pairs, signed)
        ),
        *(_entity(document, "company", own) for own in _firms(document.text, spans)),
    ]
    return sorted(made, key=lambda entity: entity.mentions[0].start)


def _people(
    text: str,
    spans: Sequence[LabelledSpan],
    addresses: Sequence[Address],
    pairs: Sequence[tuple[int, int]],
    signed: Mapping[int, int],
) -> Iterator[list[LabelledSpan]]:
    at = {span.start: span for span in spans if span.label == PERSON_KIND}
    names = [NameAt(start, _name(text, span)) for start, span in at.items()]
    at |= {a.start: LabelledSpan(a.start, a.end, ADDRESS_KIND, 1.0) for a in addresses}
    known = {a: b for a, b in signed.items() if a in at and b in at}
    own: dict[int, list[LabelledSpan]] = {}
    for start, number in sorted(tell_apart(TextNames(names, addresses, pairs, known)).items()):
        own.setdefault(number, []).append(at[start])
    for each in own.values():
        if not all(is_initials(_name(text, span)) for span in each):
            yield each


def _firms(text: str, spans: Sequence[LabelledSpan]) -> Iterator[list[LabelledSpan]]:
    firms = [span for span in spans if span.label == FIRM_KIND]
    names = Counter(_name(text, span) for span in firms)
    merged = merge_names([NameRow("", FIRM_KIND, name, n) for name, n in names.items()])
    ids = {name: merged.meant["", FIRM_KIND, name] for name in names}
    for short, full in _shortened(list(names)):
        ids |= {name: ids[full] for name, own in ids.items() if own == ids[short]}
    own: dict[str, list[LabelledSpan]] = {}
    for span in firms:
        own.setdefault(ids[_name(text, span)], []).append(span)
    yield from own.values()


def _shortened(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Companies by their first words, or by their letters, where that is one company's."""
    for name in names:
        words = thing_words(name)
        longer = {
            thing_words(other): other
            for other in names
            if plain(other.split()[-1]).strip(".") in _FORMS
            and len(thing_words(other)) > len(words)
            and thing_words(other)[: len(words)] == words
        }
        if not longer and name.isupper() and len(name) >= LEAST_ACRONYM:
            longer = {
                thing_words(other): other
                for other in names
                if len(thing_words(other)) >= len(name) and abbreviates(name, other)
            }
        if len(longer) == 1:
            yield name, next(iter(longer.values()))


def _name(text: str, span: LabelledSpan) -> str:
    return clean_name(text[span.start : span.end])


def _mention(document: Document, start: int, end: int) -> FoundMention:
    box, page = box_of(document, start, end), page_of(document, start, end)
    return FoundMention(document.text[start:end], start, end, box, page)


def _entity(document: Document, category: str, spans: Sequence[LabelledSpan]) -> FoundEntity:
    text = document.text
    counts = Counter(_name(text, span) for span in spans)
    named = {_name(text, s): counts[_name(text, s)] for s in spans if s.label != ADDRESS_KIND}
    straight = {n: c for n, c in named.items() if "," not in n and person_name(n).is_full}
    shown = straight if category == "person" and straight else named or counts
    name = main_name(PERSON_KIND if category == "person" else FIRM_KIND, shown)
    aliases = sorted((n for n in counts if n != name), key=lambda n: (-counts[n], n))
    mentions = tuple(_mention(document, span.start, span.end) for span in spans)
    sure = round(max(span.probability for span in spans), 4)
    return FoundEntity(name, category, tuple(aliases), mentions, sure)  # type: ignore[arg-type]
