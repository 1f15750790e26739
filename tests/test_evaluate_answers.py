"""`dragtor eval answers`: every measure by hand, bad data, resuming, and the gate it fits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli
from fakes import Notes
from test_evaluate_chat import note_folder, written

from dragtor import Library
from dragtor.config import load_config, models_path
from dragtor.errors import LoadError, UsageError
from dragtor.evaluate import answers
from dragtor.evaluate.judge import agreement, judged
from dragtor.llm import GenerationOptions, Stream, Usage
from dragtor.models import model_path
from dragtor.types import SILENT, Answer, Citation, Hit, Passage

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


CALIBRATION = [
    *ROWS,
    *({"question": f"What is said about {what}?"} for what in ("a flapper", "sleep", "protein")),
    *(
        {"question": f"Who invented the {what}?", "answerable": False}
        for what in ("telephone", "zip", "radio")
    ),
]


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DRAGTOR_LLM_MODEL", "smollm2-135m")
    monkeypatch.setenv("DRAGTOR_LLM_ANSWER_TOKENS", "16")
    return note_folder(tmp_path)


def run(path: Path, documents: Path, **how: Any) -> dict[str, Any]:
    return answers.evaluate(path, load_config(), documents=documents, **how)


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
    plain = {k: v for k, v in found["kinds"]["plain"].items() if not k.endswith("_ci")}
    assert plain == {"n": 1, "refused": 0.0, "correct": 1.0, "carried": 1.0, "recalled": 1.0}
    assert found["kinds"]["off"] == {"n": 2, "refused": 0.5, "refused_ci": [0.0945, 0.9055]}
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


CONTRACT = (
    "answered correct citation_precision citation_recall refusal_precision refusal_recall "
    "over_refusal seconds"
).split()


def test_what_nothing_tells_is_null_and_has_no_interval() -> None:
    row = {"answerable": True, "relevant": [], "must_contain": [], "reference": "", "kind": ""}
    store: Any = Shelf()
    found = answers.scores([row], [answer(("a", "It heals in six weeks."))], {}, store)
    assert set(CONTRACT) <= set(found)
    unknown = {name for name in CONTRACT if found[name] is None}
    assert unknown == {
        "correct", "citation_precision", "citation_recall", "refusal_precision", "refusal_recall"
    }  # fmt: skip
    assert {name for name in CONTRACT if f"{name}_ci" in found} == set(CONTRACT) - unknown


def test_the_contract_resuming_and_the_gate(tmp_path: Path, notes: Path) -> None:
    path = written(tmp_path, *ROWS, "")
    said: list[tuple[str, int, int]] = []
    first = answers.evaluate(path, load_config(), documents=notes, reporter=Notes(states=said))
    assert said[-1] == ("asking", 4, 4)
    assert (first["kind"], first["path"], first["n"]) == ("answers", "rows.jsonl", 4)
    found = first["metrics"]
    assert set(CONTRACT) <= set(found)
    assert found["verbatim"] in (None, 1.0)
    assert set(found["kinds"]) == {"plain", "out_of_scope", "fact_absent"}
    assert first["gate"]["from"] == "built-in"
    again = run(path, notes)
    assert again["metrics"]["seconds"] == found["seconds"]  # kept answers are not asked again


def test_quotes_alone_open_no_language_model(
    tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGTOR_LLM_MODEL", "no-such-model")
    path = written(tmp_path, *ROWS)
    result = run(path, notes, quotes=True)
    assert result["quotes"] is True
    assert result["model"].startswith("gte-small, ")
    assert result["metrics"]["prompt_tokens"] is None
    assert result["metrics"]["verbatim"] == 1
    assert run(path, notes, quotes=True)["metrics"] == result["metrics"]  # kept
    with pytest.raises(UsageError, match="--judge"):
        run(path, notes, quotes=True, judge=True)


def test_a_gate_fitted_on_a_folder_is_for_that_run(tmp_path: Path, notes: Path) -> None:
    path = written(tmp_path, *CALIBRATION)
    fitted = run(path, notes, calibrate=True)["gate"]
    assert fitted["from"] == "fitted"
    assert 0 < fitted["threshold"] < 1
    assert 0 <= fitted["over_refusal"] <= 1
    after = run(path, notes, limit=1)["gate"]
    assert after["from"] == "built-in"
    assert after["threshold"] != fitted["threshold"]


def test_a_library_keeps_its_gate(tmp_path: Path, notes: Path) -> None:
    path, place = written(tmp_path, *CALIBRATION), tmp_path / "own"
    with Library(place) as library:
        library.add(notes)
    assert run(path, place, limit=1)["gate"]["from"] == "built-in"
    fitted = run(path, place, calibrate=True)["gate"]
    kept = run(path, place, limit=1)["gate"]
    assert (kept["from"], kept["threshold"]) == ("library", fitted["threshold"])


def test_without_a_gate_none_is_named(
    tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGTOR_ANSWER_GATE", "false")
    result = run(written(tmp_path, ROWS[2]), notes)
    assert result["gate"] == {"from": "none", "threshold": None, "lay_threshold": None}


def test_other_weights_in_a_file_of_the_same_name_are_asked_again(
    tmp_path: Path, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, own = written(tmp_path, ROWS[2]), tmp_path / "own.gguf"
    small = model_path("smollm2-135m", models_path(load_config().models))
    monkeypatch.setenv("DRAGTOR_LLM_MODEL", str(own))
    kept = tmp_path / "cache" / "dragtor" / "evals"
    for tail, journals in ((b"", 1), (b"", 1), (b"other", 2)):
        own.write_bytes(small.read_bytes() + tail)
        run(path, notes)
        assert len(list(kept.glob("answers-*.jsonl"))) == journals


def test_the_command_prints_the_gate_and_what_is_not_known(
    tmp_path: Path, notes: Path, cli: Cli
) -> None:
    done = cli("eval", "answers", written(tmp_path, ROWS[2]), "--documents", notes)
    assert done.code == 0, done.err
    lines = {line.split()[0]: line.split()[1:] for line in done.out.splitlines()}
    assert lines["gate:"][:2] == ["built-in,", "threshold"]
    assert lines["correct"] == ["-"]
    assert lines["refusal_recall"][0] == "1.0000"


@pytest.mark.parametrize("row", ["{nonsense", "[]", {"answerable": True}, "", "[" * 100_000])
def test_bad_data_is_named(tmp_path: Path, row: object) -> None:
    with pytest.raises(LoadError, match="question"):
        answers.questions_of(written(tmp_path, row))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("question", 7),
        ("question", " "),
        ("must_contain", "4 weeks"),
        ("must_contain", ["4 weeks", 4]),
        ("must_contain", [""]),
        ("relevant", "pulley.md"),
        ("relevant", {"pulley.md": 1}),
        ("answerable", "false"),
        ("answerable", 0),
        ("reference", ["4 weeks"]),
        ("kind", 1),
    ],
)
def test_a_value_of_another_type_is_named(tmp_path: Path, name: str, value: object) -> None:
    path = written(tmp_path, ROWS[0], ROWS[0] | {name: value})
    with pytest.raises(LoadError, match=rf"rows\.jsonl, line 2: {name} must be"):
        answers.questions_of(path)


def test_null_is_absent_and_a_line_ends_at_a_line_feed_only(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(
        '\ufeff{"question": "Wh\u2028y?", "must_contain": null, "kind": null}\r\n', "utf-8"
    )
    (row,) = answers.questions_of(path)
    assert (row["question"], row["must_contain"], row["answerable"]) == ("Wh\u2028y?", [], True)


def test_an_unknown_document_is_named(tmp_path: Path, notes: Path) -> None:
    missing = ROWS[2] | {"relevant": ["removed.md"]}  # unanswerable: it may well be missing
    path = written(tmp_path, missing, ROWS[0] | {"relevant": ["elbow", "nosuch.md"]})
    with pytest.raises(LoadError, match=r"line 2: no document is called nosuch\.md"):
        run(path, notes)
    assert run(written(tmp_path, missing), notes)["n"] == 1


def test_a_folder_without_documents_is_said(tmp_path: Path, notes: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(LoadError, match="no document"):
        answers.evaluate(written(tmp_path, ROWS[0]), load_config(), documents=empty)


class Judge:
    """An LLM that splits at full stops and holds a statement to follow where the text has it."""

    name, context_tokens, small = "judge", 1000, True

    def stream(self, messages: Any, options: GenerationOptions) -> Stream:
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


def test_faithfulness_is_against_what_was_given() -> None:
    judge: Any = Judge()
    row = {"reference": ""}
    kept = answer(("a", "Tape helps")) | {
        "claims": [{"text": "It heals."}, {"text": "Tape helps."}],
        "given": ["It heals in six weeks"],
    }
    found = judged(judge, [row], [kept], SILENT)
    assert found["judged_faithfulness"] == 0.5
    assert found["judged_correctness"] is None
    assert "judged_correctness_ci" not in found


def test_the_judge_is_given_what_fits_and_what_is_quoted() -> None:
    class Counted:
        """A library whose model counts words."""

        config = load_config(overrides={"answer": {"context_tokens": 50}})

        def llm(self) -> Any:
            return type("Model", (), {"count_tokens": lambda _, text: len(text.split())})()

    long, short = "long " * 51, "It heals in six weeks. " * 9
    hits = tuple(Hit(Passage(t, "d", 0, 1, t), 1.0) for t in (long, short, short))
    quotes = tuple(
        Citation(n, text, "d", 0, 1) for n, text in enumerate(("in six weeks", "Rest."), 1)
    )
    library: Any = Counted()
    given = answers._given(library, Answer("?", "!", True, (), quotes, hits))
    assert given == [short, "Rest."]
