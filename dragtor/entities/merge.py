"""Rows of names over a library -> entities, each with the name it is mostly called by.

People go by people.py; organisations, places and other names by their words, and by an acronym only
in a document that defines it. Nothing is one across kinds: Washington is a person and a place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dragtor.entities.clusters import Clusters, Likeness, Seen, join_slips
from dragtor.entities.people import Key, PeopleNamed, merge_people
from dragtor.entities.spelling import PERSON_KIND, is_slip, thing_words, untitled
from dragtor.types import Entity, short_hash

Words = tuple[str, ...]


class NameRow(NamedTuple):
    """A name that a document holds, and how often."""

    document_id: str
    kind: str  # person, organisation, place, other
    name: str
    mentions: int


@dataclass(frozen=True, slots=True)
class Merged:
    """Entities by id, whom each name of a document means, and whom each speaker's name."""

    entities: Mapping[str, Entity]
    meant: Mapping[tuple[str, str, str], str]  # (document, kind, name) -> id
    heard: Mapping[tuple[str, str], str]  # (document, name) -> id


def merge_names(
    rows: Sequence[NameRow],
    speakers: Iterable[tuple[str, str]] = (),
    defined: Mapping[str, Mapping[str, str]] | None = None,
) -> Merged:
    """Merge names over a library.

    `speakers` are (document, name) of who is heard; `defined` has acronyms by document, each with
    the name that it stands for there.
    """
    keys: dict[tuple[str, str, str], Key] = {}
    people: dict[str, PeopleNamed] = defaultdict(PeopleNamed)
    for row in rows:
        if row.kind == PERSON_KIND:
            people[row.document_id].said[row.name] = row.mentions
    spoken = list(dict.fromkeys(speakers))
    for document_id, name in spoken:
        people[document_id].speaking.append(name)
    for (document_id, name), key in merge_people(people).items():
        keys[document_id, PERSON_KIND, name] = key
    for kind in dict.fromkeys(row.kind for row in rows if row.kind != PERSON_KIND):
        keys.update(_merge_things([r for r in rows if r.kind == kind], defined or {}))
    return _merged(rows, spoken, keys)


def _merge_things(
    rows: Sequence[NameRow], defined: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[tuple[str, str, str], Key]]:
    """The key of every name of one kind that is not a person's."""
    words = {row[:3]: _words(row, defined) for row in rows}
    seen: dict[Words, Seen] = defaultdict(Seen)
    for row in rows:
        seen[words[row[:3]]].add(row.mentions)
    clusters = Clusters(seen)
    spaced: dict[str, Words] = {}
    for form in seen:  # Face Book is Facebook
        clusters.join(form, spaced.setdefault("".join(form), form))
    join_slips(clusters, seen, _blocks, _misspelt, lambda form: len("".join(form)))
    for key, form in words.items():
        yield key, ("full", *clusters.of(form))


def _words(row: NameRow, defined: Mapping[str, Mapping[str, str]]) -> Words:
    full = defined.get(row.document_id, {}).get(row.name)
    return thing_words(full or row.name)


def _blocks(form: Words) -> Iterator[tuple[int, int, Words]]:
    """Names that differ in one word share what is left."""
    for at in range(len(form)):
        yield len(form), at, (*form[:at], form[at][:1], *form[at + 1 :])


def _misspelt(one: Words, other: Words) -> Likeness:
    """A slip where one word differs by one; State and States are two."""
    letters = max(len("".join(one)), len("".join(other)))
    for a, b in zip(one, other, strict=True):
        if a != b:
            return "slip" if a.rstrip("s") != b.rstrip("s") and is_slip(a, b, letters) else ""
    return ""


def _merged(
    rows: Sequence[NameRow],
    spoken: Sequence[tuple[str, str]],
    keys: Mapping[tuple[str, str, str], Key],
) -> Merged:
    spellings: dict[tuple[str, Key], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        spellings[row.kind, keys[row[:3]]][row.name] += row.mentions
    for document_id, name in spoken:
        spellings[PERSON_KIND, keys[document_id, PERSON_KIND, name]][name] += 1
    ids = {(kind, key): short_hash(kind, *key) for kind, key in spellings}
    entities = {ids[at]: _entity(ids[at], at[0], names) for at, names in spellings.items()}
    meant = {row[:3]: ids[row.kind, keys[row[:3]]] for row in rows}
    heard = {
        (document_id, name): ids[PERSON_KIND, keys[document_id, PERSON_KIND, name]]
        for document_id, name in spoken
    }
    return Merged(entities, meant, heard)


def _entity(identity: str, kind: str, names: Mapping[str, int]) -> Entity:
    """With the fullest of its names, in the spelling that is most frequent."""
    best = main_name(kind, names)
    others = sorted(names, key=lambda name: (-names[name], name))
    return Entity(identity, kind, best, tuple(name for name in others if name != best))


def main_name(kind: str, names: Mapping[str, int]) -> str:
    """What an entity is called of all that it is called: a name in full, written as names are."""
    shown = {name: untitled(name) if kind == PERSON_KIND else name for name in names}

    def order(name: str) -> tuple[bool, bool, int, int, str]:
        short = " " not in shown[name] and (kind == PERSON_KIND or name.isupper())
        plainly = not (name.isupper() or name.islower())
        return (
            not short,
            plainly,
            names[name],
            len(name) if kind == PERSON_KIND else -len(name),
            name,
        )

    return shown[max(names, key=order)]
