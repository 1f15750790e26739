"""The types every package shares: frozen dataclasses, no I/O; how they look as JSON is schema.py's.

Places in a document are half-open character spans of `Document.text`. Reporter and CancelToken are
given out here too; they stand in work.py, which is quick to import. Whom texts name is named.py's.
"""

from __future__ import annotations

import hashlib
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from html import escape
from pathlib import Path
from typing import Any, Literal, Protocol, Self

from dragtor import display
from dragtor.errors import LoadError
from dragtor.named import Entity as Entity
from dragtor.named import FoundEntity as FoundEntity
from dragtor.named import FoundMention as FoundMention
from dragtor.work import NEVER as NEVER
from dragtor.work import SILENT as SILENT
from dragtor.work import CancelToken as CancelToken
from dragtor.work import Reporter as Reporter

Role = Literal["system", "user", "assistant"]
NAMED_DOCUMENTS = 3  # documents that a refused answer names
NOTES_CHARACTERS = 120  # of an event's notes, in a notebook
Moment = datetime | date  # with a zone and a time, or a whole day
EVENT_FIELDS = (  # of a CalendarEvent, that a text states
    "action", "date", "time", "attendees", "location", "duration", "recurrence", "notes",
)  # fmt: skip
_SURROGATES = re.compile("[\ud800-\udfff]")  # neither UTF-8 nor a tokenizer takes them


def short_hash(*parts: str) -> str:
    """First 16 hex digits of the SHA-256 of `parts`, joined unambiguously."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:16]


def utf8(text: str) -> str:
    """`text` with each lone surrogate, as file names hold them, replaced: no offset moves."""
    return _SURROGATES.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class Source:
    """What the user added: a page, a file, a folder, a sitemap, a feed."""

    id: str
    uri: str
    kind: str
    title: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        return Sources([self])._repr_html_()


class Sources(list[Source]):
    """Sources, oldest first; a table in a notebook."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        rows = [
            (display.link(s.title or s.uri, s.uri), escape(s.kind), f"<code>{escape(s.id)}</code>")
            for s in self
        ]
        return display.table(("source", "kind", "id"), rows) if rows else "no source"


@dataclass(frozen=True, slots=True)
class Segment:
    """Where `text[start:end]` of a document stands in the original.

    `page` counts from 1; `box` is (left, top, right, bottom) in pixels of a picture, and in points
    of the page of a PDF; times are in seconds.
    """

    start: int
    end: int
    page: int | None = None
    box: tuple[float, float, float, float] | None = None
    start_s: float | None = None
    end_s: float | None = None
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who is heard in a recording: `label` stands in the segments, `name` is what is shown.

    `role` is host, guest, other or empty; confidences are 0..1, and 1 where the user said so.
    `voice` is a voice print of unit length, empty where none was taken.
    """

    label: str
    name: str = ""
    role: str = ""
    role_confidence: float = 0.0
    name_confidence: float = 0.0
    voice: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One readable text and where its stretches stand in the original.

    `text` is plain text: headings are lines that open with `#` to `######`, no other markup.
    `published` is an ISO 8601 date, or empty.
    """

    id: str
    uri: str
    kind: str  # web, feed, audio, video, file, image, or what a plugin brings
    title: str
    text: str
    author: str = ""
    published: str = ""
    segments: tuple[Segment, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)
    speakers: tuple[Speaker, ...] = ()

    @property
    def is_recording(self) -> bool:
        """Whether it is made of sound: its text has times, or its length in seconds is known."""
        return "duration_s" in self.meta or any(s.start_s is not None for s in self.segments)

    def speaker_name(self, label: str | None) -> str | None:
        """What is shown for the speaker of a segment: the name, else the label itself."""
        names = (speaker.name for speaker in self.speakers if speaker.label == label)
        return next(names, "") or label


@dataclass(frozen=True, slots=True)
class Word:
    """A spoken word with its punctuation; `speaker` where that is known."""

    text: str
    start_s: float
    end_s: float
    speaker: str | None = None


@dataclass(frozen=True, slots=True)
class SpeakerTurn:
    """A stretch in which one speaker is heard; turns of two speakers may overlap."""

    speaker: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Chapter:
    """A titled part of a recording; it lasts until the next one."""

    title: str
    start_s: float


@dataclass(frozen=True, slots=True)
class Recording:
    """Something spoken, before it is a text.

    `document.text` holds what was written about it (show notes), or nothing. Where `words` are
    there (captions), nothing needs to be transcribed; `audio` is a local file. Without either, the
    sound is what was heard before.
    """

    document: Document
    audio: Path | None = None
    words: tuple[Word, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """A span of a document: `text == document.text[start:end]`.

    `heading` is the path of headings above it, joined by " > "; it is never part of `text`.
    """

    id: str
    document_id: str
    start: int
    end: int
    text: str
    heading: str = ""

    @classmethod
    def of(cls, document: Document, start: int, end: int, heading: str = "") -> Passage:
        """Cut the passage out of its document; the id hashes document, span and text only."""
        text = document.text[start:end]
        identity = short_hash(document.id, str(start), str(end), text)
        return cls(identity, document.id, start, end, text, heading)


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a query, best first; `score` is the hybrid one, reranked, in 0..1.

    Ranks count from 1, None where that index did not find it; `dense_score` is the cosine.
    The last five say where the passage stands in its original.
    """

    passage: Passage
    score: float
    dense_rank: int | None = None
    lexical_rank: int | None = None
    dense_score: float = 0.0
    title: str = ""
    url: str = ""
    start_s: float | None = None
    end_s: float | None = None
    speaker: str | None = None

    def _repr_html_(self) -> str:
        return display.framed(self._html())

    def _html(self) -> str:
        place = display.link(display.where(self.title, None, self.start_s, self.speaker), self.url)
        heading = f" › {escape(self.passage.heading)}" if self.passage.heading else ""
        return display.quoted(
            self.passage.text, display.dim(f"{place}{heading} · {self.score:.2f}")
        )


class Hits(tuple[Hit, ...]):
    """Hits of one query, best first; renders in a notebook."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        items = ((rank, hit._html()) for rank, hit in enumerate(self, 1))
        return display.framed(display.ordered_list(items))


@dataclass(frozen=True, slots=True)
class LabelledSpan:
    """Characters `start:end` of a text that a model calls `label`; `probability` is calibrated."""

    start: int
    end: int
    label: str
    probability: float


@dataclass(frozen=True, slots=True)
class Tagged:
    """What the heads of an encoder say of one text, by the name of the head.

    `spans` are in the text's order; `classes` gives each label its calibrated probability.
    """

    text: str
    spans: Mapping[str, tuple[LabelledSpan, ...]] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def _repr_html_(self) -> str:
        def shown(span: LabelledSpan) -> tuple[int, int, str]:
            return span.start, span.end, f"{span.label} {span.probability:.2f}"

        texts = [display.marked(self.text, map(shown, own)) for own in self.spans.values()]
        for head, chances in self.classes.items():
            told = ", ".join(f"{label} {chance:.2f}" for label, chance in chances.items())
            texts.append(display.dim(escape(f"{head}: {told}")))
        if not self.spans:
            texts.insert(0, escape(self.text))
        return display.framed(*(f"<div>{each}</div>" for each in texts))


class Tagger(Protocol):
    """Names in texts: what ingest needs of an encoder."""

    version: str  # changes when the same text might get other tags

    def tag(self, texts: Sequence[str]) -> list[list[LabelledSpan]]:
        """For each text its persons, organisations, places and other names, in its order."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader says of one passage and a question; probabilities are calibrated.

    `start:end` are characters of the passage, its likeliest answer, which may be unlikely: see
    `span`. They are equal where there is none that the reader would say.
    """

    answers: float  # probability that the passage answers, 0..1
    start: int
    end: int
    span: float  # probability of that span, 0..1


@dataclass(frozen=True, slots=True)
class Entailment:
    """What a text says of a claim; the three sum to 1."""

    supported: float
    contradicted: float
    unknown: float


class Reader(Protocol):
    """A question with a passage, or a claim with its evidence, read as one text.

    What it says of one does not depend on what else it is given.
    """

    name: str
    version: str  # changes when the same texts might be read otherwise

    def read(self, question: str, passages: Sequence[str]) -> list[Reading]:
        """One for each passage, in their order."""
        ...

    def entail(self, claim: str, evidence: Sequence[str]) -> list[Entailment]:
        """One for each piece of evidence, in their order."""
        ...

    def under(self, cancel: CancelToken) -> Self:
        """The same reader, its weights shared, for another thread: it looks at `cancel`."""
        ...


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation with a language model."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim quote: `quote == document.text[start:end]`; `url` opens at the quote.

    `span` are the characters of the document, inside start:end, that answer; None if not known.
    `box` is where the quote stands in a picture, or on its page, as a Segment has it.
    """

    n: int
    quote: str
    document_id: str
    start: int
    end: int
    title: str = ""
    url: str = ""
    page: int | None = None
    start_s: float | None = None
    end_s: float | None = None
    speaker: str | None = None
    box: tuple[float, float, float, float] | None = None
    span: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        for name in ("box", "span"):  # JSON has no tuples
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, tuple(value))

    @property
    def answering(self) -> tuple[int, int]:
        """Characters of the quote that answer; (0, 0) if not known."""
        start, end = self.span or (self.start, self.start)
        return start - self.start, end - self.start

    def _repr_html_(self) -> str:
        return display.framed(self._html())

    def _html(self) -> str:
        place = display.where(self.title, self.page, self.start_s, self.speaker, self.box)
        bold = (self.answering[0] + 1, self.answering[1] + 1)  # after the quotation mark
        return display.quoted(f"“{self.quote}”", display.dim(display.link(place, self.url)), bold)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an answer and the numbers of the citations that carry it."""

    text: str
    citations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What dragtor says and where it stands.

    `timings` are seconds (retrieve, first_quote, first_token, total; check: the gate and
    grounding in all); `tokens` are counts (prompt, completion). `caution` is a line on a question
    that sounds like an emergency. Of a refused question, `hits` tell what came nearest: of them
    the sentence `nearest`, and in a few words `why_not`, where that is known.
    """

    question: str
    text: str
    grounded: bool
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    hits: tuple[Hit, ...] = field(default=(), repr=False)
    model: str = ""
    timings: Mapping[str, float] = field(default_factory=dict)
    tokens: Mapping[str, int] = field(default_factory=dict)
    caution: str = ""
    nearest: Citation | None = None
    why_not: str = ""

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>{escape(self.caution)}</strong></p>"] if self.caution else []
        if self.model or not self.grounded:  # else it is its quotes
            said = " ".join(map(_claim_html, self.claims)) or escape(self.text)
            parts.append(f"<p>{said}</p>")
        parts.append(display.ordered_list((c.n, c._html()) for c in self.citations))
        if not self.citations:
            parts.append(self._nearest_html())
        if self.model:
            parts.append(display.dim(escape(self.model)))
        return display.framed(*parts)

    def _nearest_html(self) -> str:
        if self.nearest:
            why = f"<p>{escape(self.why_not)}</p>" if self.why_not else ""
            return f"{display.dim('Nearest:')}{self.nearest._html()}{why}"
        named = {hit.title: hit.url for hit in reversed(self.hits)}  # of each title the best
        titles = list(dict.fromkeys(hit.title for hit in self.hits))[:NAMED_DOCUMENTS]
        links = ", ".join(display.link(title, named[title]) for title in titles)
        return display.dim(f"Nearest: {links}") if links else ""


def _claim_html(claim: Claim) -> str:
    marks = "".join(f"[{n}]" for n in claim.citations)
    return escape(claim.text) + (f" <sup>{marks}</sup>" if marks else "")


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """A question and its answer. `query` is the question as it was searched, standing alone.

    `id` and `chat_id` are 0 where the turn is not kept; a kept answer has no hits and no timings.
    """

    question: str
    query: str
    answer: Answer
    id: int = 0
    chat_id: int = 0
    session: str = ""
    asked_at: str = ""  # ISO 8601, UTC, to the second


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One event of a text; a field that the text does not state is None.

    `start` and `end` have a zone where the event has a time; else they are days, the last one
    included. `end` is None where nothing says how long it takes. `evidence` holds characters of
    the text.
    """

    action: str | None = None
    date: str | None = None  # DD/MM/YYYY
    time: str | None = None  # 1:15 PM
    attendees: tuple[str, ...] | None = None
    location: str | None = None
    duration: str | None = None
    recurrence: str | None = None
    notes: str | None = None
    start: Moment | None = None
    end: Moment | None = None
    rrule: str | None = None  # RFC 5545
    confidence: Mapping[str, float] = field(default_factory=dict)
    evidence: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    ambiguous: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        return CalendarEvents([self])._repr_html_()

    def _cells(self) -> list[str]:
        shown = (
            self.action,
            display.span_text(self.start, self.end),
            self.recurrence or self.rrule,
            self.location,
            ", ".join(self.attendees or ()),
            textwrap.shorten(self.notes or "", NOTES_CHARACTERS, placeholder=" …"),
            ", ".join(self.ambiguous),
        )
        return [escape(text or "") for text in shown]


class CalendarEvents(list[CalendarEvent]):
    """Events in the order of their text; a table in a notebook."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        heads = ("what", "when", "repeats", "where", "with", "notes", "to be checked")
        rows = [event._cells() for event in self]
        return display.table(heads, rows) if rows else "no event"


@dataclass(slots=True)
class Report:
    """What a run of adding has done so far; `failed` holds each failure's address and error."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    passages: int = 0
    embedded: int = 0
    tagged: int = 0
    failed: list[tuple[str, LoadError]] = field(default_factory=list)

    def __add__(self, other: Report) -> Report:
        """What two runs did."""
        return Report(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True, slots=True)
class KnownEncoder:
    """An encoder that texts can be read by; `heads` are those of single texts, None: vectors only.

    `here`: it can be used; a training that did not end is not.
    """

    name: str
    heads: tuple[str, ...] | None
    here: bool
    trained: bool = False  # here, by the user


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model that can be had or is here; `state` is here, partial, or - where it is not."""

    name: str
    kind: str
    bytes: int  # of its files as published; 0 where it is known by its hub address only
    licence: str
    state: Literal["here", "partial", "-"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that doctor looked at: `says` what is there, `mend` the command, if one helps."""

    what: str
    state: Literal["ok", "note", "bad"]
    says: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class SavedRun:
    """The result of one evaluation of one configuration, as saved."""

    kind: str
    date: str  # ISO 8601, UTC, to the second
    path: str
    n: int
    model: str
    metrics: Mapping[str, Any]
    settings: Mapping[str, Any]  # dotted setting -> value, and the weights
    file: str
