"""`dragtor eval answers`: every measure by hand, bad data, resuming, and the gate it fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from test_evaluate_chat import NOTES

from dragtor.config import load_config
from dragtor.errors import LoadError
from dragtor.evaluate import answers
from dragtor.evaluate.judge import agreement
from dragtor.llm.base import Stream, Usage
from dragtor.store import Store

ROWS = [
    {
        "question": "How long does the A2 pulley take to heal?",
        "relevant": ["pulley.md"],
        "must_contain": ["heals in six weeks"],
        "kind": "plain",
    },
    {
        "question": "How long does tennis elbow take?",
        "relevant": ["elbow"],
        "must_contain": ["heals in twelve weeks"],
        "kind": "plain",
    },
    {"question": "Who painted the Sistine Chapel?", "answerable": False, "kind": "out_of_scope"},
    {"question": "How much does a fern cost?", "answerable": False, "kind": "fact_absent"},
]


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DRAGTOR_LLM_MODEL", "smollm2-135m")
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, text in NOTES.items():
        (folder / name).write_text(text)
    return folder


def written(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def answer(*cited: tuple[str, str], text: str = "Said.", seconds: float = 2.0) -> dict[str, Any]:
    """A kept answer that cites (document, quote)."""
    citations = [
        {"document_id": document, "quote": quote, "start": 0, "end": len(quote)}
        for document, quote in cited
    ]
    return {
        "text": text if cited else "Not in your sources.",
        "grounded": bool(cited),
        "citations": citations,
        "timings": {"total": seconds, "check": 0.1},
        "tokens": {"prompt": 100},
    }


class Shelf:
    """A store of texts by id."""

    def document(self, identity: str) -> Any:
        texts = {"a": "It heals in six weeks.", "b": "Twelve weeks."}
        if identity not in texts:
            return None
        return type("Text", (), {"text": texts[identity]})()


def test_every_measure_by_hand() -> None:
    rows = [
        {"answerable": True, "relevant": ["a.md"], "must_contain": ["heals in six weeks"],
         "reference": "", "kind": "plain"},
        {"answerable": True, "relevant": ["a.md"], "must_contain": ["heals in six weeks"],
         "reference": "", "kind": "lay"},
        {"answerable": False, "relevant": [], "must_contain": [], "reference": "", "kind": "off"},
        {"answerable": False, "relevant": [], "must_contain": [], "reference": "", "kind": "off"},
    ]  # fmt: skip
    given = [
        answer(("a", "It heals in six weeks."), ("b", "Twelve weeks!")),
        answer(),
        answer(),
        answer(("b", "Twelve weeks.")),
    ]
    store: Any = Shelf()
    found = answers.scores(rows, given, {"a.md": "a"}, store)
    expected = {
        "answered": 0.5, "correct": 0.5, "carried": 0.5, "citation_precision": 0.5,
        "citation_recall": 0.5, "span_precision": 0.5, "refusal_precision": 0.5,
        "refusal_recall": 0.5, "over_refusal": 0.5, "verbatim": 0.6667, "seconds": 2.0,
        "check_share": 0.05, "prompt_tokens": 100,
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    assert found["kinds"]["plain"] == {
        "n": 1, "refused": 0.0, "correct": 1.0, "carried": 1.0, "recalled": 1.0
    }  # fmt: skip
    assert found["kinds"]["off"] == {"n": 2, "refused": 0.5}
    assert all(
        found[f"{key}_ci"][0] <= value <= found[f"{key}_ci"][1] for key, value in expected.items()
    )


@pytest.mark.parametrize(
    ("quote", "gold", "same"),
    [
        ("It heals in\n six Weeks.", "heals in six weeks", True),
        ("in six weeks", "It heals in six weeks", True),
        (
            "It takes time. It heals in six weeks or",
            "It heals in six weeks or more if rested",
            True,
        ),
        ("It heals in nine weeks.", "It heals in six weeks", False),
        ("Rest the finger.", "heals in six weeks", False),
    ],
)
def test_a_quote_overlaps_the_gold_phrase(quote: str, gold: str, same: bool) -> None:
    assert answers.overlaps(quote, gold) is same


def test_the_contract_resuming_and_the_gate(tmp_path: Path, notes: Path) -> None:
    path = written(tmp_path, *ROWS, "")

    def run(**how: Any) -> dict[str, Any]:
        said: list[tuple[str, int, int]] = []
        result = answers.evaluate(
            path, load_config(), documents=notes, progress=lambda *at: said.append(at), **how
        )
        assert said[-1][1] == said[-1][2] > 0
        return result

    first = run()
    assert (first["kind"], first["path"], first["n"]) == ("answers", "rows.jsonl", 4)
    contract = (
        "answered correct citation_precision citation_recall refusal_precision refusal_recall "
        "over_refusal seconds"
    )
    found = first["metrics"]
    assert {key for key in contract.split() if key in found} >= {
        "answered",
        "over_refusal",
        "seconds",
    }
    assert found.get("verbatim", 1.0) == 1.0
    assert set(found["kinds"]) == {"plain", "out_of_scope", "fact_absent"}
    assert run()["metrics"]["seconds"] == found["seconds"]  # kept answers are not asked again
    fitted = run(calibrate=True)
    assert 0 < fitted["gate"]["threshold"] < 1
    place = next((tmp_path / "cache").rglob("library.db")).parent
    with Store.open(place) as store:
        assert json.loads(store.meta("gate"))["threshold"] == fitted["gate"]["threshold"]


@pytest.mark.parametrize("row", ["{nonsense", "[]", {"answerable": True}, ""])
def test_bad_data_is_named(tmp_path: Path, notes: Path, row: object) -> None:
    with pytest.raises(LoadError, match="question"):
        answers.evaluate(
            written(tmp_path, row), load_config(), documents=notes, progress=lambda *_: None
        )


def test_a_folder_without_documents_is_said(tmp_path: Path, notes: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(LoadError, match="no document"):
        answers.evaluate(
            written(tmp_path, ROWS[0]), load_config(), documents=empty, progress=lambda *_: None
        )


class Judge:
    """An LLM that splits at full stops and holds a statement to follow where the text has it."""

    name, context_tokens, small = "judge", 1000, True

    def stream(self, messages: Any, **_: Any) -> Stream:
        parts = [part.strip() for part in messages[-1].content.split(".") if part.strip()]

        def pieces() -> Any:
            yield json.dumps({"propositions": parts})
            return Usage(1, 1, "stop")

        return Stream(pieces())

    def choose(self, messages: Any, options: Any) -> list[float]:
        text, _, statement = messages[-1].content.partition("\n\nStatement: ")
        return [1.0, 0.0] if statement in text else [0.0, 1.0]


def test_correctness_is_the_f1_of_propositions() -> None:
    judge: Any = Judge()
    said = ["It heals", "Tape helps"]
    assert agreement(judge, said, "It heals. Tape helps", "It heals. Rest first") == 0.5
    assert agreement(judge, ["It heals"], "It heals", "It heals") == 1.0
    assert agreement(judge, ["Tape helps"], "Tape helps", "It heals") == 0.0
