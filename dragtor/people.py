"""Who is in a library: where people are named, heard, seen and have written, and what they said.

Reads the store and documents; a statement is always a slice of its document. Knows no command and
no model: names were found and merged before.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

from dragtor.entities.quoted import quoted_mentions
from dragtor.entities.spelling import PERSON_KIND, person_name
from dragtor.errors import UsageError
from dragtor.links import cited
from dragtor.overview import Appearance, How, People, Person, Statement
from dragtor.split import OPENERS, sentences
from dragtor.store import Store, entities_of, has_tags
from dragtor.store.people import (
    NamedAt,
    author_lines,
    documents_naming,
    heard_names,
    named_at,
)
from dragtor.transcript import fold
from dragtor.types import Citation, Document, Entity, short_hash

STATEMENT_WORDS = 6  # a shorter turn ("Yeah, sure.") says nothing by itself
QUOTED_WORDS = 3  # between quotation marks, in a sentence that says who said it
SAYING_NEAR = 40  # characters between a name and the word that says that somebody speaks

_Span = tuple[int, int]
_Spans = dict[str, list[_Span]]  # by document

_AUTHORS = re.compile(r"\s*(?:[,;&/|]|\band\b)\s*")
_BY = re.compile(r"(?i)^by\s+")
_LABEL_END = re.compile(r"(?:[ ]?\([^()\n]{1,40}\))?:[ \t]+(?=\S)")
_QUOTATION = re.compile(r"“[^“”]+”|\"[^\"\n]+\"|«[^«»]+»|„[^„“”]+[“”]")
_SAYING = re.compile(
    r"(?i)\b(?:says?|said|tells?|told|writes?|wrote|explain(?:s|ed)|add(?:s|ed)|argue[sd]"
    r"|claim(?:s|ed)|warn(?:s|ed)|recommend(?:s|ed)|suggest(?:s|ed)|note[sd]|ask(?:s|ed)"
    r"|answer(?:s|ed)|repl(?:ies|ied)|according to|sagt(?:e)?)\b"
)


def people_in(store: Store, name: str = "") -> People:
    """Everybody in the library, those in most places first; with a name those whom it means.

    An author whom no text names is there too, if the name is a person's with a first and a last.
    """
    with store.snapshot():
        entities = entities_of(store, PERSON_KIND, name)
        naming, heard = documents_naming(store), heard_names(store)
        written, others = _written(store)
    people = [_person(e, naming, heard, len(written.get(e.id, ()))) for e in entities]
    people += [p for p in others if not name or _so_called(p, name, bool(entities))]
    return People(sorted(people, key=lambda p: (-p.mentions, -sum(p.counts.values()), p.name)))


def _person(
    entity: Entity,
    naming: Mapping[str, tuple[int, int]],
    heard: Mapping[str, Mapping[str, Collection[str]]],
    written: int,
) -> Person:
    said, seen = naming.get(entity.id, (0, 0))
    return Person(
        entity.id, entity.name, entity.aliases, entity.mentions, said,
        len(heard.get(entity.id, ())), written, seen,
    )  # fmt: skip


def _so_called(person: Person, asked: str, known: bool) -> bool:
    """Whether an author who is no entity is meant: by the whole name, or a part if nobody else."""
    wanted, own = fold(asked).split(), fold(person.name).split()
    return wanted == own or (not known and {*wanted} <= {*own})


def _written(store: Store) -> tuple[dict[str, list[str]], list[Person]]:
    """Documents by the entity that wrote them, and authors who are nobody else here."""
    bearers: dict[str, list[str]] = defaultdict(list)
    for entity in entities_of(store, PERSON_KIND):
        for each in {fold(spelt) for spelt in (entity.name, *entity.aliases)}:
            bearers[each].append(entity.id)
    found: dict[str, list[str]] = defaultdict(list)
    others: dict[str, list[str]] = defaultdict(list)
    for document_id, line in author_lines(store):
        for author in _authors(line):
            ids = bearers.get(fold(author), [])
            if len(ids) == 1:
                found[ids[0]].append(document_id)
            elif not ids and _is_person(author):
                others[author].append(document_id)
    spelt: dict[str, tuple[str, list[str]]] = {}
    for author, documents in others.items():
        spelt.setdefault(fold(author), (author, []))[1].extend(documents)
    people = [
        Person(short_hash(PERSON_KIND, folded), author, written=len(set(documents)))
        for folded, (author, documents) in spelt.items()
    ]
    for person in people:
        found[person.id] = spelt[fold(person.name)][1]
    return found, people


def _is_person(name: str) -> bool:
    """Whether a name that no text names is likely a person's: the authors of this are nobody."""
    return person_name(name).is_full and name.split()[0].lower() not in OPENERS


def _authors(line: str) -> list[str]:
    """The names in an author's line; one that a comma turns round stays whole."""
    flat = " ".join(_BY.sub("", line).split())
    parts = [part for part in _AUTHORS.split(flat) if part]
    return parts if all(" " in part for part in parts) else [flat]


class PersonReader:
    """One person in the documents of a library: where, and what he or she said there."""

    def __init__(self, store: Store, person: Person) -> None:
        self._store, self._person = store, person
        self._heard = heard_names(store, [person.id]).get(person.id, {})
        self._named: dict[str, list[NamedAt]] = defaultdict(list)
        for mention in named_at(store, person.id):
            self._named[mention.document_id].append(mention)
        self._written = set(_written(store)[0].get(person.id, ()))

    def person(self, most: int = 0) -> Person:
        """The person with appearances and statements, newest first; of these `most`, 0: all."""
        appearances: list[Appearance] = []
        statements: list[Statement] = []
        for document in self._documents():
            appearances += self._appearances(document)
            if most == 0 or len(statements) < most:
                statements += self._statements(document)
        kept = statements[: most or None]
        numbered = (replace(s, citation=replace(s.citation, n=n)) for n, s in enumerate(kept, 1))
        return replace(self._person, appearances=tuple(appearances), statements=tuple(numbered))

    def spans(self) -> _Spans:
        """All that the person said or wrote, and the sentences in which he or she is named."""
        found: _Spans = {}
        for document in self._documents():
            spans = {*self._said(document), *map(_span, self._naming(document))}
            if document.id in self._written:
                spans = {(0, len(document.text))}
            if spans:
                found[document.id] = sorted(spans)
        return found

    def _documents(self) -> Iterator[Document]:
        """Newest first; those without a date last."""
        ids = {*self._heard, *self._named, *self._written}
        known = [(row["published"], row["title"], row["id"]) for row in self._store.documents()
                 if row["id"] in ids and not row["staged"]]  # fmt: skip
        known.sort(key=lambda row: row[1:])
        known.sort(key=lambda row: row[0], reverse=True)
        for _, _, identity in known:
            document = self._store.document(identity)
            if document is not None:
                yield document

    def _appearances(self, document: Document) -> Iterator[Appearance]:
        named = self._named.get(document.id, [])
        seen = [each for each in named if each.seen]
        naming: dict[How, Sequence[NamedAt]] = {"seen": seen}
        naming["said"] = [each for each in named if not each.seen]
        speaks = self._turns(document)
        if speaks:
            yield _appearance("heard", document, *speaks[0], len(speaks))
        if document.id in self._written:
            yield _appearance("written", document, *_opening(document), 1)
        for how, places in naming.items():
            if places:
                (first,) = quoted_mentions(document, [places[0][1:3]])
                yield Appearance(how, len(places), document.published, first)

    def _statements(self, document: Document) -> Iterator[Statement]:
        for start, end in self._said(document):
            if len(document.text[start:end].split()) >= STATEMENT_WORDS:
                yield Statement(document.published, cited(document, start, end))

    def _said(self, document: Document) -> list[_Span]:
        """What is heard, what stands behind the name as a label, what is quoted: in text order."""
        turns = self._turns(document)
        if turns:
            return turns
        mentions = [each[1:3] for each in self._named.get(document.id, ())]
        return sorted({*_labelled(document.text, mentions), *_quoted(document.text, mentions)})

    def _turns(self, document: Document) -> list[_Span]:
        """Stretches that the person speaks without a break, a paragraph at most."""
        names = self._heard.get(document.id, set())
        found: list[_Span] = []
        for segment in document.segments if names else ():
            if document.speaker_name(segment.speaker) not in names:
                continue
            if found and not document.text[found[-1][1] : segment.start].strip(" \t"):
                found[-1] = (found[-1][0], segment.end)
            else:
                found.append((segment.start, segment.end))
        return found

    def _naming(self, document: Document) -> Iterator[Citation]:
        mentions = (each[1:3] for each in self._named.get(document.id, ()))
        return quoted_mentions(document, mentions)


def _span(citation: Citation) -> _Span:
    return citation.start, citation.end


def _appearance(how: How, document: Document, start: int, end: int, times: int) -> Appearance:
    return Appearance(how, times, document.published, cited(document, start, end))


def _opening(document: Document) -> _Span:
    """The first sentence of a document that is no heading."""
    found = sentences(document.text)
    plain = [span for span in found if document.text[span[0]] != "#"]
    return next(iter(plain or found), (0, len(document.text)))


def _labelled(text: str, mentions: Sequence[_Span]) -> Iterator[_Span]:
    """Paragraphs that open with a mention and a colon, as in a transcript: what stands behind."""
    for start, end in mentions:
        if text[text.rfind("\n", 0, start) + 1 : start].strip(" *_>"):
            continue
        label = _LABEL_END.match(text, end)
        if label:
            last = text.find("\n\n", label.end())
            body = text[label.end() : last if last >= 0 else len(text)].rstrip()
            yield label.end(), label.end() + len(body)


def _quoted(text: str, mentions: Sequence[_Span]) -> Iterator[_Span]:
    """Sentences with something in quotation marks, where a verb of saying is near the mention."""
    for start, end in mentions:
        first = text.rfind("\n\n", 0, start) + 1
        last = text.find("\n\n", end)
        for a, b in sentences(text, first, last if last >= 0 else len(text)):
            if a <= start and end <= b and _says(text[a:b], start - a, end - a):
                yield a, b


def _says(sentence: str, start: int, end: int) -> bool:
    quotations = [match.span() for match in _QUOTATION.finditer(sentence)]
    long_enough = any(len(sentence[a:b].split()) >= QUOTED_WORDS for a, b in quotations)
    if not long_enough or any(a <= start < b for a, b in quotations):
        return False
    around = sentence[max(0, start - SAYING_NEAR) : start], sentence[end : end + SAYING_NEAR]
    return any(_SAYING.search(_QUOTATION.sub(" ", part)) for part in around)


def person_meant(store: Store, asked: str) -> tuple[str, str, Mapping[str, list[_Span]]]:
    """Id, name and spans of the only person so called; raises UsageError on none and on many."""
    found = people_in(store, asked) if asked.strip() else []
    if len(found) > 1:
        names = ", ".join(person.name for person in found[:5])
        told = f"{asked!r} means {len(found)} people: {names}"
        raise UsageError(told, f'dragtor people "{asked}"')
    if not found:
        told = f"no document, source or person here is called {asked!r}"
        if not has_tags(store):
            told += ", and no names were looked for yet"
            raise UsageError(told, "dragtor index --tags")
        raise UsageError(told, "dragtor sources")
    return found[0].id, found[0].name, PersonReader(store, found[0]).spans()
