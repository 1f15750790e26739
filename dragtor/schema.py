"""The JSON of everything that dragtor gives out, and its JSON Schemas: one shape for whoever asks.

Owns keys, their order and how numbers are rounded; what the values mean is said in types.py. Knows
neither where values come from nor who prints, sends or stores them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from dragtor.errors import Cancelled, DragtorError
from dragtor.overview import Digest, Person
from dragtor.types import (
    EVENT_FIELDS,
    Answer,
    CalendarEvent,
    ChatTurn,
    Citation,
    Claim,
    Document,
    Entity,
    Finding,
    FoundEntity,
    Hit,
    KnownEncoder,
    ModelState,
    Report,
    SavedRun,
    Source,
    Tagged,
)

Json = dict[str, Any]  # one JSON object
TIMINGS = ("retrieve", "first_quote", "first_token", "total")
TOKENS = ("prompt", "completion")

# Hits and answers


def hits_json(query: str, hits: Iterable[Hit]) -> Json:
    """What a search found, best first; see HITS_SCHEMA."""
    return {
        "query": query,
        "hits": [
            {
                "rank": rank,
                "score": round(hit.score, 6),
                "passage_id": hit.passage.id,
                "document_id": hit.passage.document_id,
                "title": hit.title,
                "url": hit.url,
                "text": hit.passage.text,
                "start": hit.passage.start,
                "end": hit.passage.end,
                "start_s": hit.start_s,
                "end_s": hit.end_s,
                "speaker": hit.speaker,
            }
            for rank, hit in enumerate(hits, 1)
        ],
    }


def answer_json(answer: Answer) -> Json:
    """An answer with its times in seconds; see ANSWER_SCHEMA.

    `caution` is there if there is one, and `nearest` where nothing answers and it is known. Hits
    are left out: who wants them searches.
    """
    said = _said(answer)
    caution = {"caution": said.pop("caution")} if "caution" in said else {}
    near: Json = {}
    if answer.nearest is not None:
        near = {"nearest": asdict(answer.nearest) | {"why_not": answer.why_not}}
    timings = {f"{name}_s": _rounded(answer.timings.get(name)) for name in TIMINGS}
    tokens = {name: answer.tokens.get(name, 0) for name in TOKENS}
    found = {"question": answer.question, **said, "timings": timings, "tokens": tokens}
    return found | near | caution


def quotes_json(citations: Iterable[Citation], alone: bool) -> Json:
    """The quotes that come before any prose; `alone` where none follows."""
    return {"citations": [asdict(citation) for citation in citations], "alone": alone}


def sentence_json(claim: Claim, citations: Iterable[Citation]) -> Json:
    """A sentence of an answer, and its citations that are new with it."""
    return {"claim": asdict(claim), "citations": [asdict(citation) for citation in citations]}


def history_json(turns: Iterable[ChatTurn]) -> Json:
    """Kept questions with their answers."""
    return {
        "turns": [
            {
                "id": turn.id,
                "session": turn.session,
                "asked_at": turn.asked_at,
                "question": turn.question,
                "query": turn.query,
                **_said(turn.answer),
            }
            for turn in turns
        ]
    }


def _said(answer: Answer) -> Json:
    """What is the same of an answer whether it is new or kept."""
    return {
        "answer": answer.text,
        "grounded": answer.grounded,
        "claims": [asdict(claim) for claim in answer.claims],
        "citations": [asdict(citation) for citation in answer.citations],
        "model": answer.model,
    } | ({"caution": answer.caution} if answer.caution else {})


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)


# Events


def event_fields_json(event: CalendarEvent) -> Json:
    """The eight fields that a text states."""
    found: Json = {name: getattr(event, name) for name in EVENT_FIELDS}
    return found | {"attendees": list(event.attendees) if event.attendees else None}


def event_json(event: CalendarEvent) -> Json:
    """One event; see EVENT_SCHEMA. Moments are ISO 8601, spans [start, end] in characters."""
    return event_fields_json(event) | {
        "start": event.start.isoformat() if event.start else None,
        "end": event.end.isoformat() if event.end else None,
        "rrule": event.rrule,
        "confidence": {name: round(value, 4) for name, value in event.confidence.items()},
        "evidence": {name: list(span) for name, span in event.evidence.items()},
        "ambiguous": list(event.ambiguous),
    }


def events_json(events: Iterable[CalendarEvent]) -> Json:
    """The events of a text, in its order."""
    return {"events": [event_json(event) for event in events]}


# Errors and reports


def error_json(error: DragtorError | Cancelled) -> Json:
    """An error as clients see it; `code` is its class: missing, library_locked, ..."""
    name = type(error).__name__
    return {
        "code": re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower(),
        "message": str(error),
        "hint": getattr(error, "hint", ""),
        "exit": error.exit_code,
    }


def report_json(report: Report) -> Json:
    """What a run of adding has done."""
    found = {each.name: getattr(report, each.name) for each in fields(report)}
    failed = [{"what": what} | error_json(error) for what, error in report.failed]
    return found | {"failed": failed}


# Single texts


def tagged_json(texts: Iterable[Tagged], model: str) -> Json:
    """What heads say of texts, spans in the text's order; see TAGGED_SCHEMA."""
    return {"texts": [_tagged(each) for each in texts], "model": model}


def _tagged(tagged: Tagged) -> Json:
    spans = [(span, head) for head, own in tagged.spans.items() for span in own]
    return {
        "text": tagged.text,
        "spans": [
            {
                "start": span.start,
                "end": span.end,
                "text": tagged.text[span.start : span.end],
                "label": span.label,
                "probability": round(span.probability, 4),
                "head": head,
            }
            for span, head in sorted(spans, key=lambda each: (each[0].start, each[0].end))
        ],
        "classes": {
            head: {label: round(chance, 4) for label, chance in chances.items()}
            for head, chances in tagged.classes.items()
        },
    }


def similarity_json(texts: Sequence[str], cosines: Sequence[Sequence[float]], model: str) -> Json:
    """How alike texts are, a row and a column for each; see SIMILARITY_SCHEMA."""
    rows = [[round(cosine, 4) for cosine in row] for row in cosines]
    return {"texts": list(texts), "cosines": rows, "model": model}


def vectors_json(
    texts: Sequence[str],
    vectors: Sequence[Sequence[float]],
    cosines: Sequence[Sequence[float]],
    *,
    norms: Iterable[float],
    pooling: str,
    model: str,
) -> Json:
    """Texts with their vectors, the lengths that these had before, and how alike they are."""
    rows = [vector_json("", row)["vector"] for row in vectors]
    lengths = [round(norm, 4) for norm in norms]
    found = similarity_json(texts, cosines, model)
    return found | {"vectors": rows, "norms": lengths, "pooling": pooling}


def vector_json(text: str, vector: Sequence[float]) -> Json:
    """One text and its vector; see VECTOR_SCHEMA."""
    return {"text": text, "vector": [round(number, 7) for number in vector]}


# The library


def sources_json(holdings: Iterable[tuple[Source, int]]) -> Json:
    """What was added, each with what was chosen of it and its number of documents."""
    return {
        "sources": [
            {
                "id": source.id,
                "uri": source.uri,
                "kind": source.kind,
                "title": source.title,
                "match": source.options.get("match", ""),
                "latest": source.options.get("latest", 0),
                "episode": source.options.get("episode", ""),
                "documents": count,
            }
            for source, count in holdings
        ]
    }


def source_json(source: Source, documents: Sequence[Mapping[str, Any]]) -> Json:
    """One source, and the facts on each of its documents as Library.documents gives them."""
    return {
        "id": source.id,
        "uri": source.uri,
        "kind": source.kind,
        **documents_json(documents),
    }


def documents_json(documents: Iterable[Mapping[str, Any]]) -> Json:
    """The facts on documents, as Library.documents gives them."""
    return {"documents": [dict(facts) for facts in documents]}


def document_json(document: Document) -> Json:
    """A document's text, its speakers, and each segment with its place and speaker's name."""
    return {
        "id": document.id,
        "title": document.title,
        "url": document.uri,
        "kind": document.kind,
        "published": document.published,
        "speakers": speakers_json(document)["speakers"],
        "text": document.text,
        "segments": [
            {
                "start": segment.start,
                "end": segment.end,
                "start_s": segment.start_s,
                "end_s": segment.end_s,
                "page": segment.page,
                "box": list(segment.box) if segment.box else None,
                "speaker": document.speaker_name(segment.speaker),
                "text": document.text[segment.start : segment.end],
            }
            for segment in document.segments
        ],
    }


def excerpt_json(document: Document, start: int, end: int) -> Json:
    """A stretch of a document's text, and where the next one begins; see EXCERPT_SCHEMA."""
    length = len(document.text)
    start, end = min(start, length), min(end, length)
    return {
        "id": document.id,
        "title": document.title,
        "url": document.uri,
        "published": document.published,
        "start": start,
        "end": end,
        "next": end if end < length else None,
        "text": document.text[start:end],
    }


def speakers_json(document: Document) -> Json:
    """Who is heard in a recording; voice prints stay in the library."""
    return {
        "id": document.id,
        "speakers": [
            {
                "label": speaker.label,
                "name": speaker.name,
                "role": speaker.role,
                "role_confidence": round(speaker.role_confidence, 2),
                "name_confidence": round(speaker.name_confidence, 2),
            }
            for speaker in document.speakers
        ],
    }


def entities_json(entities: Iterable[Entity], said: Iterable[Citation] | None = None) -> Json:
    """Whom and what a library talks about; see ENTITIES_SCHEMA. `said`: sentences that name one."""
    found: Json = {"entities": [asdict(entity) for entity in entities]}
    if said is None:
        return found
    return found | {"mentions": [asdict(citation) for citation in said]}


def digest_json(digest: Digest) -> Json:
    """The topics of a document, source or person with their quotes; see DIGEST_SCHEMA."""
    return asdict(digest)


def people_json(people: Iterable[Person]) -> Json:
    """Who is in a library; see PEOPLE_SCHEMA."""
    return {"people": [asdict(person) for person in people]}


def found_entity_json(entity: FoundEntity) -> Json:
    """A person or company of one text; see FOUND_ENTITY_SCHEMA."""
    found = asdict(entity) | {"confidence": round(entity.confidence, 4)}
    for mention in found["mentions"]:
        mention["box"] = mention["box"] and [round(edge, 1) for edge in mention["box"]]
    return found


def found_entities_json(entities: Iterable[FoundEntity]) -> Json:
    """The people and companies of one text, in its order; see FOUND_ENTITIES_SCHEMA."""
    return {"entities": [found_entity_json(entity) for entity in entities]}


# The machine, and what was measured


def models_json(folder: Path, models: Iterable[ModelState]) -> Json:
    """The models that can be had, and those in `folder`."""
    return {"folder": str(folder), "models": [asdict(model) for model in models]}


def encoders_json(encoders: Iterable[KnownEncoder], training_hint: str) -> Json:
    """Encoders to choose from, and whether heads can be trained here or what installs that."""
    train = {"available": not training_hint, "hint": training_hint}
    return {"encoders": [asdict(each) for each in encoders], "train": train}


def findings_json(findings: Iterable[Finding]) -> Json:
    """What doctor found."""
    return {"findings": [asdict(finding) for finding in findings]}


def evaluation_json(
    kind: str,
    path: str,
    n: int,
    metrics: Mapping[str, Any],
    model: str,
    versions: Mapping[str, str],
    **more: Any,
) -> Json:
    """The result of one evaluation; `more` is what its kind tells besides."""
    return {
        "kind": kind,
        "path": path,
        "n": n,
        "metrics": dict(metrics),
        "model": model,
        "versions": dict(versions),
        **more,
    }


def runs_json(runs: Iterable[SavedRun]) -> Json:
    """Saved evaluations."""
    return {"runs": [asdict(run) for run in runs]}


def refusal_json(code: str, message: str, hint: str = "") -> Json:
    """What a server does not take, in the shape of an error; see ERROR_SCHEMA."""
    return {"code": code, "message": message, "hint": hint, "exit": 1}


# JSON Schemas (draft 2020-12)


def _object(optional: Sequence[str] = (), /, **properties: Any) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _list(items: Json) -> Json:
    return {"type": "array", "items": items}


def _rows(name: str, optional: Sequence[str] = (), /, **properties: Any) -> Json:
    return _object(**{name: _list(_object(optional, **properties))})


def _by_name(values: Json) -> Json:
    return {"type": "object", "additionalProperties": values}


_TEXT = {"type": "string"}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_TRUTH = {"type": "boolean"}
_COUNT = {"type": "integer", "minimum": 0}
_NUMBER_FROM_1 = {"type": "integer", "minimum": 1}
_SECONDS_OR_NULL = {"type": ["number", "null"], "minimum": 0}
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_SPAN = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
_BOX_OR_NULL = {  # left, top, right, bottom in a picture, in pixels; in points on a page of a PDF
    "type": ["array", "null"], "items": {"type": "number"}, "minItems": 4, "maxItems": 4
}  # fmt: skip
_PAGE_OR_NULL = {"type": ["integer", "null"], "minimum": 1}
_PLACE: Json = {  # in a document: characters of its text, and where they stand in the original
    "document_id": _TEXT,
    "start": _COUNT,
    "end": _COUNT,
    "start_s": _SECONDS_OR_NULL,
    "end_s": _SECONDS_OR_NULL,
    "speaker": _TEXT_OR_NULL,
    "title": _TEXT,
    "url": _TEXT,
}

HITS_SCHEMA = _object(
    query=_TEXT,
    hits=_list(_object(rank=_NUMBER_FROM_1, score=_SHARE, passage_id=_TEXT, text=_TEXT, **_PLACE)),
)
CLAIM_SCHEMA = _object(text=_TEXT, citations=_list(_NUMBER_FROM_1))
_CITATION: Json = {
    "n": _NUMBER_FROM_1,
    "quote": _TEXT,
    "page": _PAGE_OR_NULL,
    "box": _BOX_OR_NULL,
    "span": _SPAN | {"type": ["array", "null"]},  # like start and end: what answers
    **_PLACE,
}
CITATION_SCHEMA = _object(**_CITATION)
_SAID: Json = {
    "answer": _TEXT,
    "grounded": _TRUTH,
    "claims": _list(CLAIM_SCHEMA),
    "citations": _list(CITATION_SCHEMA),
    "model": _TEXT,
    "caution": _TEXT,
}
ANSWER_SCHEMA = _object(
    ("caution", "nearest"),
    question=_TEXT,
    nearest=_object(why_not=_TEXT, **_CITATION),
    timings=_object(**{f"{name}_s": _SECONDS_OR_NULL for name in TIMINGS}),
    tokens=_object(**dict.fromkeys(TOKENS, _COUNT)),
    **_SAID,
)
HISTORY_SCHEMA = _rows(
    "turns", ("caution",), id=_COUNT, session=_TEXT, asked_at=_TEXT, question=_TEXT, query=_TEXT,
    **_SAID,
)  # fmt: skip
EVENT_SCHEMA = _object(
    **dict.fromkeys(EVENT_FIELDS, _TEXT_OR_NULL)
    | {
        "date": {**_TEXT_OR_NULL, "pattern": r"^\d{2}/\d{2}/\d{4}$"},
        "time": {**_TEXT_OR_NULL, "pattern": r"^\d{1,2}:\d{2} [AP]M$"},
        "attendees": {"type": ["array", "null"], "items": _TEXT, "minItems": 1},
        **dict.fromkeys(("start", "end", "rrule"), _TEXT_OR_NULL),
        "confidence": _object(EVENT_FIELDS, **dict.fromkeys(EVENT_FIELDS, _SHARE)),
        "evidence": _object(EVENT_FIELDS, **dict.fromkeys(EVENT_FIELDS, _SPAN)),
        "ambiguous": _list({"enum": list(EVENT_FIELDS)}) | {"uniqueItems": True},
    }
)
EVENTS_SCHEMA = _object(events=_list(EVENT_SCHEMA))
_SPAN_OF_HEAD = _object(
    start=_COUNT, end=_COUNT, text=_TEXT, label=_TEXT, probability=_SHARE, head=_TEXT
)
TAGGED_SCHEMA = _object(
    texts=_list(
        _object(text=_TEXT, spans=_list(_SPAN_OF_HEAD), classes=_by_name(_by_name(_SHARE)))
    ),
    model=_TEXT,
)
SIMILARITY_SCHEMA = _object(
    texts=_list(_TEXT), cosines=_list(_list({"type": "number"})), model=_TEXT
)
VECTOR_SCHEMA = _object(text=_TEXT, vector=_list({"type": "number"}))
SOURCES_SCHEMA = _rows(
    "sources", id=_TEXT, uri=_TEXT, kind=_TEXT, title=_TEXT, match=_TEXT, latest=_COUNT,
    episode=_TEXT, documents=_COUNT,
)  # fmt: skip
REPORT_SCHEMA = _object(
    **{each.name: _COUNT for each in fields(Report) if each.name != "failed"},
    failed=_list(_object(what=_TEXT, code=_TEXT, message=_TEXT, hint=_TEXT, exit=_COUNT)),
)
EXCERPT_SCHEMA = _object(
    id=_TEXT,
    title=_TEXT,
    url=_TEXT,
    published=_TEXT,
    start=_COUNT,
    end=_COUNT,
    next={"type": ["integer", "null"], "minimum": 1},
    text=_TEXT,
)
_ENTITY = _object(
    id=_TEXT,
    kind={"enum": ["person", "organisation", "place", "other", "topic"]},
    name=_TEXT,
    aliases=_list(_TEXT),
    mentions=_COUNT,
    documents=_COUNT,
    heard=_TRUTH,
)
DIGEST_SCHEMA = _object(
    about={"enum": ["document", "source", "person"]},
    id=_TEXT,
    title=_TEXT,
    topics=_list(
        _object(
            name=_TEXT,
            named_by={"enum": ["heading", "model", "words"]},
            quotes=_list(CITATION_SCHEMA),
        )
    ),
    model=_TEXT,
)
_HOW = ("said", "heard", "written", "seen")
PEOPLE_SCHEMA = _rows(
    "people",
    id=_TEXT,
    name=_TEXT,
    aliases=_list(_TEXT),
    mentions=_COUNT,
    **dict.fromkeys(_HOW, _COUNT),
    appearances=_list(
        _object(how={"enum": list(_HOW)}, times=_COUNT, published=_TEXT, citation=CITATION_SCHEMA)
    ),
    statements=_list(_object(published=_TEXT, citation=CITATION_SCHEMA)),
)
ENTITIES_SCHEMA = _object(("mentions",), entities=_list(_ENTITY), mentions=_list(CITATION_SCHEMA))
FOUND_ENTITY_SCHEMA = _object(
    name=_TEXT,
    category={"enum": ["person", "company"]},
    aliases=_list(_TEXT),
    mentions=_list(
        _object(text=_TEXT, start=_COUNT, end=_COUNT, box=_BOX_OR_NULL, page=_PAGE_OR_NULL)
    ),
    confidence=_SHARE,
    known={"anyOf": [_ENTITY, {"type": "null"}]},
)
FOUND_ENTITIES_SCHEMA = _object(entities=_list(FOUND_ENTITY_SCHEMA))
ERROR_SCHEMA = _object(code=_TEXT, message=_TEXT, hint=_TEXT, exit=_NUMBER_FROM_1)
FINDINGS_SCHEMA = _rows(
    "findings", what=_TEXT, state={"enum": ["ok", "note", "bad"]}, says=_TEXT, mend=_TEXT
)
