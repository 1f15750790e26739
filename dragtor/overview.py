"""Types of what is shown of a whole: the topics of a text, and a person over the library.

Frozen, no I/O; how they look as JSON is schema.py's. Does not know how topics are found, nor who
looks for people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from html import escape
from typing import Literal

from dragtor import display
from dragtor.types import Citation

NamedBy = Literal["heading", "model", "words"]
DigestOf = Literal["document", "source", "person"]
How = Literal["said", "heard", "written", "seen"]


@dataclass(frozen=True, slots=True)
class DigestTopic:
    """What is said on one topic, in its own words and order.

    `named_by`: the text's heading, a language model, or words of the text.
    """

    name: str
    named_by: NamedBy
    quotes: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Digest:
    """The topics of a document, a source or a person; quotes are numbered through.

    `model` is the language model that named topics, empty where none did.
    """

    about: DigestOf
    id: str
    title: str
    topics: tuple[DigestTopic, ...] = ()
    model: str = ""

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>{escape(self.title)}</strong></p>"]
        for topic in self.topics:
            parts.append(f"<p>{escape(topic.name)}</p>")
            parts.append(display.ordered_list((c.n, c._html()) for c in topic.quotes))
        return display.framed(*parts, *([] if self.topics else ["nothing to quote"]))


@dataclass(frozen=True, slots=True)
class Appearance:
    """A person in a document, so many `times`: named there, heard, its author, or in a picture.

    `citation` is the first such place, and opens there; `published` is an ISO 8601 date, or empty.
    """

    how: How
    times: int
    published: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class Statement:
    """What a person said or wrote, verbatim; `published` as of its document, or empty."""

    published: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class Person:
    """Who is in a library; counts are of documents, `mentions` of places.

    `appearances` and `statements`, newest first, are there where one person was asked for.
    """

    id: str
    name: str
    aliases: tuple[str, ...] = ()
    mentions: int = 0
    said: int = 0
    heard: int = 0
    written: int = 0
    seen: int = 0
    appearances: tuple[Appearance, ...] = ()
    statements: tuple[Statement, ...] = ()

    @property
    def counts(self) -> dict[How, int]:
        """Documents by how the person is in them."""
        return {"said": self.said, "heard": self.heard, "written": self.written, "seen": self.seen}

    def _repr_html_(self) -> str:
        return People([self])._repr_html_()

    def _html(self) -> str:
        also = f" · {escape(', '.join(self.aliases))}" if self.aliases else ""
        parts = [f"<p><strong>{escape(self.name)}</strong>{display.dim(also)}</p>"]
        for heading, items in (
            ("in", [_in_document(each) for each in self.appearances]),
            ("said", [_stated(each) for each in self.statements]),
        ):
            if items:
                parts += [f"<p>{heading}</p>", display.ordered_list(enumerate(items, 1))]
        return display.framed(*parts)


class People(list[Person]):
    """People, those in the most places first; in a notebook a table, or all about the only one."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        if len(self) == 1 and (self[0].appearances or self[0].statements):
            return self[0]._html()
        heads = ("who", "also", *(() if not self else self[0].counts))
        rows = [
            (
                escape(p.name),
                escape(", ".join(p.aliases)),
                *(str(n or "") for n in p.counts.values()),
            )
            for p in self
        ]
        return display.table(heads, rows) if rows else "nobody"


def numbered_topics(
    topics: Iterable[tuple[str, NamedBy, Iterable[Citation]]],
) -> tuple[DigestTopic, ...]:
    """Topics with their quotes numbered through, from 1; a topic without a quote is left out."""
    found: list[DigestTopic] = []
    n = 0
    for name, named_by, quotes in topics:
        own = tuple(replace(quote, n=n + at) for at, quote in enumerate(quotes, 1))
        n += len(own)
        if own:
            found.append(DigestTopic(name, named_by, own))
    return tuple(found)


def _in_document(found: Appearance) -> str:
    times = f", {found.times} times" if found.times > 1 else ""
    place = display.link(found.citation.title or "untitled", found.citation.url)
    return f"{place} {display.dim(escape(f'{found.how}{times} {found.published}'))}"


def _stated(found: Statement) -> str:
    day = f"{display.dim(escape(found.published))} " if found.published else ""
    return f"{day}{found.citation._html()}"
