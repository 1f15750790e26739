"""The JSON of everything: the very shapes of the contract, and what commands print, validated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from conftest import Cli

from dragtor import schema
from dragtor.store import keep_turn
from dragtor.types import (
    Answer,
    CalendarEvent,
    ChatTurn,
    Citation,
    Claim,
    Document,
    Hit,
    Passage,
    Segment,
    Speaker,
)

PASSAGE = Passage("p1", "d1", 3, 8, "Tape.", "Care > Skin")
HIT = Hit(PASSAGE, 0.12345678, 1, None, 0.5, "A talk", "https://e.org/#t=2", 2.0, 3.5, "Ann")
CITATION = Citation(
    1, "Tape.", "d1", 3, 8, "A talk", "https://e.org/#t=2", None, 2.0, 3.5, "Ann", None, (4, 7)
)
ANSWER = Answer(
    "Tape?",
    "Tape. [1]",
    True,
    (Claim("Tape.", (1,)),),
    (CITATION,),
    (HIT,),
    "m",
    {"retrieve": 0.123456, "total": 2.0, "check": 1.0},
    {"prompt": 7},
)
TALK = Document(
    "d1",
    "https://e.org",
    "audio",
    "A talk",
    "Hi. Tape.",
    published="2026-01-02",
    segments=(Segment(0, 3, start_s=0.0, end_s=1.0, speaker="S0"), Segment(4, 9, page=2)),
    speakers=(Speaker("S0", "Ann", "host", 0.987, 0.555, (1.0,)),),
)
QUOTED = (
    '"claims": [{"text": "Tape.", "citations": [1]}], "citations": [{"n": 1, "quote": "Tape.",'
    ' "document_id": "d1", "start": 3, "end": 8, "title": "A talk", "url": "https://e.org/#t=2",'
    ' "page": null, "start_s": 2.0, "end_s": 3.5, "speaker": "Ann", "box": null,'
    ' "span": [4, 7]}],'
    ' "model": "m"'
)
SCHEMAS = {name: value for name, value in vars(schema).items() if name.endswith("_SCHEMA")}


def check(found: Any, wanted: dict[str, Any]) -> None:
    """Raise where what was printed is not as the JSON Schema says."""
    jsonschema.Draft202012Validator(wanted).validate(json.loads(json.dumps(found)))


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


def test_hits_are_written_to_the_letter() -> None:
    assert json.dumps(schema.hits_json("q", [HIT])) == (
        '{"query": "q", "hits": [{"rank": 1, "score": 0.123457, "passage_id": "p1",'
        ' "document_id": "d1", "title": "A talk", "url": "https://e.org/#t=2", "text": "Tape.",'
        ' "start": 3, "end": 8, "start_s": 2.0, "end_s": 3.5, "speaker": "Ann"}]}'
    )


def test_answers_are_written_to_the_letter() -> None:
    assert json.dumps(schema.answer_json(ANSWER)) == (
        f'{{"question": "Tape?", "answer": "Tape. [1]", "grounded": true, {QUOTED},'
        ' "timings": {"retrieve_s": 0.1235, "first_quote_s": null, "first_token_s": null,'
        ' "total_s": 2.0}, "tokens": {"prompt": 7, "completion": 0}}'
    )
    urgent = Answer("q", "t", False, caution="See a doctor.")
    assert list(schema.answer_json(urgent).items())[-1] == ("caution", "See a doctor.")
    refused = Answer("q", "t", False, nearest=CITATION, why_not="does not name the A2")
    near = schema.answer_json(refused)["nearest"]
    assert (near["quote"], near["why_not"]) == ("Tape.", "does not name the A2")
    check(schema.answer_json(refused), schema.ANSWER_SCHEMA)


def test_kept_answers_are_written_to_the_letter() -> None:
    turn = ChatTurn("q", "qq", ANSWER, 3, 4, "s", "2026")
    assert json.dumps(schema.history_json([turn])) == (
        '{"turns": [{"id": 3, "session": "s", "asked_at": "2026", "question": "q", "query": "qq",'
        f' "answer": "Tape. [1]", "grounded": true, {QUOTED}}}]}}'
    )


def test_documents_are_written_to_the_letter() -> None:
    speakers = (
        '"speakers": [{"label": "S0", "name": "Ann", "role": "host", "role_confidence": 0.99,'
        ' "name_confidence": 0.56}]'
    )
    assert json.dumps(schema.document_json(TALK)) == (
        '{"id": "d1", "title": "A talk", "url": "https://e.org", "kind": "audio",'
        ' "published": "2026-01-02",'
        f' {speakers}, "text": "Hi. Tape.", "segments": [{{"start": 0, "end": 3, "start_s": 0.0,'
        ' "end_s": 1.0, "page": null, "box": null, "speaker": "Ann", "text": "Hi."}, {"start": 4,'
        ' "end": 9, "start_s": null, "end_s": null, "page": 2, "box": null, "speaker": null,'
        ' "text": "Tape."}]}'
    )
    assert json.dumps(schema.speakers_json(TALK)) == f'{{"id": "d1", {speakers}}}'


def test_an_event_without_a_field_is_valid() -> None:
    check(schema.event_json(CalendarEvent()), schema.EVENT_SCHEMA)
    check(schema.events_json([CalendarEvent(attendees=("Ann",))]), schema.EVENTS_SCHEMA)


def test_citations_come_back_from_json() -> None:
    assert (
        Citation(**json.loads(json.dumps(schema.answer_json(ANSWER)["citations"][0]))) == CITATION
    )


def test_an_evaluation_says_its_own_things_last() -> None:
    found = schema.evaluation_json("chat", "x.jsonl", 3, {"top3": 1.0}, "m", {"dragtor": "1"}, a=2)
    assert list(found) == ["kind", "path", "n", "metrics", "model", "versions", "a"]


# What commands print


def test_what_reading_commands_print_is_valid(
    cli: Cli, sample_library: Path, own_folders: Path
) -> None:
    here = ("--library", sample_library)
    hits = cli(*here, "search", "--json", "finger pain").json
    assert hits["hits"]
    check(hits, schema.HITS_SCHEMA)
    check(cli(*here, "search", "--json", "--kind", "audio", "x").json, schema.HITS_SCHEMA)
    ask = (*here, "ask", "--quotes", "--no-history", "--json")
    answer = cli(*ask, "When may I climb again after an A2 pulley strain?").json
    assert answer["grounded"]
    check(answer, schema.ANSWER_SCHEMA)
    refused = cli(*ask, "Who won the chess match of 1972, my finger is numb?").json
    assert refused["caution"]
    check(refused, schema.ANSWER_SCHEMA)
    check(cli(*here, "sources", "--json").json, schema.SOURCES_SCHEMA)
    check(cli(*here, "doctor", "--offline", "--json").json, schema.FINDINGS_SCHEMA)


def test_what_is_kept_is_printed_valid(cli: Cli, own_folders: Path) -> None:
    note = own_folders.parent / "note.md"
    note.write_text("# Care\n\nTape the finger before a long session on sharp rock.\n")
    assert cli("add", note).code == 0
    assert cli("ask", "--quotes", "tape the finger before a session?").code == 0
    keep_turn(own_folders, ChatTurn("q", "q", Answer("q", "t", False, caution="Careful."), 0, 0))
    history = cli("history", "--json").json
    assert len(history["turns"]) == 2
    check(history, schema.HISTORY_SCHEMA)


def test_a_source_is_shown_and_exported(cli: Cli, sample_library: Path) -> None:
    (source,) = cli("--library", sample_library, "sources", "--json").json["sources"]
    shown = cli("--library", sample_library, "sources", "show", source["id"], "--json").json
    assert len(shown["documents"]) == source["documents"]
    some = shown["documents"][0]["id"]
    assert cli("--library", sample_library, "export", some, "--format", "json").json["id"] == some
