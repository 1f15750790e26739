"""JSON Schemas (draft 2020-12) of what values.py makes, for clients and for tests.

Knows no value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from dragtor.types import EVENT_FIELDS, Report

Json = dict[str, Any]  # one JSON object
TIMINGS = ("retrieve", "first_quote", "first_token", "total")
TOKENS = ("prompt", "completion")


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
DOSSIER_SCHEMA = _object(
    **dict.fromkeys(("id", "uri", "name", "model"), _TEXT),
    category={"enum": ["", "person", "company"]},
    context=_list(_TEXT),
    summary=_by_name(_TEXT),
    sections=_list(
        _object(
            title=_TEXT,
            text=_TEXT,
            claims=_list(CLAIM_SCHEMA),
            citations=_list(CITATION_SCHEMA),
            sources=_COUNT,
            doubtful=_TRUTH,
        )
    ),
    doubtful=_list(_object(document_id=_TEXT, title=_TEXT, url=_TEXT, why=_TEXT)),
    stopped={"enum": ["", "cancelled", "time", "steps"]},
    **dict.fromkeys(("steps", "pages", "tokens"), _COUNT),
    seconds={"type": "number", "minimum": 0},
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
