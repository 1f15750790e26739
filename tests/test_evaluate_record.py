"""The journal of a run under way, saved results and their history: whole, private, robust."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import subprocess
import sys
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path

import pytest
from conftest import ROOT, Cli
from test_architecture import imports, room_of

from dragtor.config import AnswerConfig, Config, load_config
from dragtor.evaluate.common import ENGINE_PACKAGES, versions
from dragtor.evaluate.record import (
    ANSWER_PACKAGES,
    differing,
    results_folder,
    run_journal,
    run_key,
    save,
    saved_runs,
)
from dragtor.models import Catalogue


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "dragtor" / "evals"


def finish(rows: int, stop_at: int | None = None) -> list[int]:
    """Rows that had to be computed in a run that is interrupted at row `stop_at`."""
    computed = []
    with run_journal("answers", "key") as journal:
        for number in range(rows):
            if journal.get(str(number)) is None:
                if number == stop_at:
                    raise KeyboardInterrupt
                journal.put(str(number), {"square": number**2})
                computed.append(number)
            assert journal.get(str(number)) == {"square": number**2}
    return computed


def test_an_interrupted_run_goes_on_where_it_stopped() -> None:
    with pytest.raises(KeyboardInterrupt):
        finish(5, stop_at=3)
    assert finish(5) == [3, 4]
    assert finish(5) == []


def test_a_killed_process_loses_nothing_finished(cache: Path) -> None:
    code = (
        "import os\nfrom dragtor.evaluate.record import run_journal\n"
        "journal = run_journal('answers', 'key').__enter__()\n"
        "for n in range(3): journal.put(str(n), {'square': n * n})\n"
        "os.kill(os.getpid(), 9)"
    )
    run = subprocess.run([sys.executable, "-c", code], env=dict(os.environ), timeout=60)
    assert run.returncode == -9
    assert finish(4) == [3]


@pytest.mark.parametrize("tail", ['["3", {"sq', '["3"', "\x00\x00", '"3"', "[3, 4]", "7"])
def test_a_line_that_is_not_whole_is_dropped(cache: Path, tail: str) -> None:
    finish(3)
    path = next(cache.glob("answers-key.jsonl"))
    path.write_text(path.read_text() + tail)
    assert finish(5) == [3, 4]
    assert finish(5) == []


def test_journals_are_apart_by_kind_and_key() -> None:
    finish(2)
    for kind, key in (("answers", "other"), ("injection", "key")):
        with run_journal(kind, key) as journal:
            assert len(journal) == 0
            assert journal.get("0") is None


def test_what_comes_back_is_the_same_before_and_after_a_restart() -> None:
    row = {"spans": [(1, 2)], "text": "\ud800 ✓\n", "none": None}
    with run_journal("a", "k") as journal:
        journal.put("x", row)
        at_once = journal.get("x")
    with run_journal("a", "k") as journal:
        assert journal.get("x") == at_once


def test_the_key_follows_data_settings_model_and_code(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text("one")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a").write_text("a")
    config = AnswerConfig()

    def key(
        model: str = "m", rooms: tuple[str, ...] = ("ground", "llm"), **settings: object
    ) -> str:
        return run_key([data, folder], {"answer": config, **settings}, model, rooms)

    keys = [key(), key("n"), key(rooms=("ground",)), key(n=3), key(n=4)]
    data.write_text("two")
    keys.append(key())
    (folder / "a").rename(folder / "b")
    keys.append(key())
    assert len(set(keys)) == len(keys)
    assert key() == keys[-1]


def test_versions_name_the_engines_of_what_generates() -> None:
    engines = {name for name in ENGINE_PACKAGES if installed(name)}
    assert set(versions(generating=True)) - set(versions()) == engines


def installed(distribution: str) -> bool:
    try:
        return bool(metadata.version(distribution))
    except metadata.PackageNotFoundError:
        return False


def test_a_journal_ends_when_any_package_that_answers_changes() -> None:
    tree = ast.parse((ROOT / "dragtor" / "answer.py").read_text("utf-8"))
    named = {name for name, _ in imports("dragtor.answer", tree) if name.startswith("dragtor.")}
    rooms = {room_of(name) for name in named} - {"types", "errors", "config"}
    assert {"retrieve", "ground"} <= rooms <= set(ANSWER_PACKAGES)


# Saved results


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where results are saved when dragtor is not run from a checkout."""
    from dragtor.evaluate import record

    monkeypatch.setattr(record, "CHECKOUT_FOLDER", tmp_path / "no checkout")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return tmp_path / "data" / "dragtor" / "evals"


RESULT = {
    "kind": "retrieval",
    "path": "/home/somebody/beir",
    "n": 3,
    "metrics": {"mrr": 0.5, "mrr_ci": [0.4, 0.6], "p50_ms": 12.0},
    "model": "gte-small",
    "versions": {"dragtor": "0"},
}


def configured(**sections: object) -> Config:
    return load_config(overrides=sections)


def test_a_saved_result_says_how_it_was_made(results: Path) -> None:
    config = configured(retrieve={"k": 3}, split={"tokens": 90})
    path = save(RESULT, config, {})
    assert path.parent == results
    assert path.name.startswith("retrieval-")
    saved = json.loads(path.read_text())
    assert saved["metrics"] == RESULT["metrics"]
    assert saved["configuration"]["changed"] == {"retrieve.k": 3, "split.tokens": 90}
    sections = saved["configuration"]["sections"]
    assert sections["retrieve.dense_weight"] == config.retrieve.dense_weight
    assert {name.split(".")[0] for name in sections} == {"split", "embed", "retrieve"}
    gte = Catalogue.load().get("gte-small").files[0].sha256
    assert saved["configuration"]["weights"] == {"embedder": f"gte-small {gte}"}
    assert datetime.fromisoformat(saved["date"]).utcoffset() == timedelta()
    assert saved["machine"]["cpus"] == os.cpu_count()


def test_a_saved_result_does_not_tell_whose_machine_it_was(
    results: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platform, "node", lambda: "annas-laptop")
    weights = tmp_path / "anna" / "own.gguf"
    weights.parent.mkdir()
    weights.write_bytes(b"weights")
    secret = {"library": {"path": "/home/anna/x"}, "store": {"url": "http://anna:pw@nas:8000"}}
    config = configured(
        **secret, llm={"model": str(weights), "engine": "llama"}, models={"path": "/home/anna/m"}
    )
    text = save({**RESULT, "kind": "answers"}, config, {}).read_text()
    for word in ("anna", "somebody", platform.node(), str(tmp_path)):
        assert word not in text
    saved = json.loads(text)["configuration"]
    assert saved["sections"]["llm.model"] == "own.gguf"
    assert saved["weights"]["llm"] == f"own.gguf {hashlib.sha256(b'weights').hexdigest()}"


def test_two_runs_in_one_second_are_two_files(results: Path) -> None:
    paths = {save({**RESULT, "n": n}, configured(), {}) for n in range(5)}
    assert len(paths) == 5
    runs, damaged = saved_runs()
    assert (len(runs), damaged) == (5, [])


def test_a_saved_comparison_says_nothing_private(results: Path, cli: Cli) -> None:
    label = "llm.model=/home/anna/own.gguf, models.path=/home/anna,retrieve.k=3,embed.model=hf:a/b"
    compared = [{"settings": label, "model": "m", "metrics": {"mrr": 0.7}}]
    path = save({**RESULT, "compared": compared}, configured(), {label: configured()})
    assert "anna" not in path.read_text()
    (other,) = json.loads(path.read_text())["compared"]
    assert other["settings"] == "llm.model=own.gguf,retrieve.k=3,embed.model=hf:a/b"
    assert "anna" not in cli("eval", "history", "--json").out


def test_a_saved_result_names_its_gate(results: Path) -> None:
    gate = {"from": "fitted", "threshold": 0.4, "lay_threshold": 0.3, "weights": [1.0]}
    for each in (gate, {**gate, "from": "built-in"}):
        saved = json.loads(save({**RESULT, "gate": each}, configured(), {}).read_text())
        assert saved["configuration"]["gate"] == {
            "from": each["from"], "threshold": 0.4, "lay_threshold": 0.3
        }  # fmt: skip
    runs, _ = saved_runs()
    assert {run.settings["gate.from"] for run in runs} == {"fitted", "built-in"}
    assert differing(runs) == ["gate.from"]


def test_history_tells_what_was_not_measured(cli: Cli, results: Path) -> None:
    save({**RESULT, "metrics": {"mrr": None, "p50_ms": 12.0}}, configured(), {})
    assert cli("eval", "history").out.splitlines()[2].split()[-2:] == ["-", "12"]


def test_the_doctor_names_what_evaluations_keep(
    cli: Cli, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGTOR_MODELS_PATH", str(tmp_path))  # the doctor has none to check

    def findings() -> list[dict[str, str]]:
        found = cli("doctor", "--offline", "--json").json["findings"]
        return [finding for finding in found if finding["what"] == "evaluations"]

    assert findings() == []
    finish(3)
    (found,) = findings()
    assert found["state"] == "note"
    assert str(cache) in found["says"]
    assert " 0.0 MB" in found["says"]
    subprocess.run(found["mend"], shell=True, check=True)
    assert findings() == []


@pytest.mark.parametrize(
    "wrong",
    [
        "retrieve.k=8,retrieve.k.x=1",
        "retrieve.k.x=1,retrieve.k=8",
        "retrieve.k=8,retrieve.k=9",
        "retrieve.k=2020-99-99",
        "retrieve.k=!!bool maybe",
        "retrieve.k=!!timestamp x",
        "retrieve.k=" + "[" * 5000,
        "retrieve.k",
        "k=3",
    ],
)
def test_a_wrong_comparison_is_one_line(cli: Cli, tmp_path: Path, wrong: str) -> None:
    run = cli("eval", "retrieval", tmp_path, "--compare", wrong)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("error: ")
    assert "unexpected" not in run.err


def test_compared_configurations_are_runs_of_their_own(results: Path) -> None:
    others = {"retrieve.k=3": configured(retrieve={"k": 3})}
    compared = [{"settings": "retrieve.k=3", "model": "m", "metrics": {"mrr": 0.7}}]
    save({**RESULT, "compared": compared}, configured(), others)
    runs, _ = saved_runs()
    assert [run.metrics["mrr"] for run in runs] == [0.5, 0.7]
    assert [run.settings["retrieve.k"] for run in runs] == [8, 3]
    assert differing(runs) == ["retrieve.k"]


def test_what_differs_is_seen_even_where_the_built_in_value_has_changed(results: Path) -> None:
    old = save(RESULT, configured(), {})
    record = json.loads(old.read_text())
    record["configuration"]["sections"]["retrieve.dense_weight"] = 0.1  # the default of that day
    del record["configuration"]["sections"]["retrieve.candidates"]  # did not exist
    old.write_text(json.dumps(record))
    save(RESULT, configured(retrieve={"k": 3}), {})
    runs, _ = saved_runs()
    assert sorted(differing(runs)) == ["retrieve.dense_weight", "retrieve.k"]


DAMAGED = [
    "",
    "{",
    "7",
    "[]",
    "{}",
    "null",
    "\x00",
    '{"date": 1}',
    '{"kind": "retrieval", "date": "yesterday"}',
    '{"date": "2026-01-01", "configuration": 1, "kind": "a", "path": "b", "n": 1}',
    "[" * 100_000,
]


def test_a_damaged_file_never_stops_the_history(cli: Cli, results: Path) -> None:
    good = save(RESULT, configured(), {})
    for number, text in enumerate(DAMAGED):
        (results / f"damaged-{number}.json").write_text(text)
    half = json.loads(good.read_text())
    for number, key in enumerate(half):  # each part of a run missing, or of another type
        (results / f"lacks-{number}.json").write_text(
            json.dumps({k: v for k, v in half.items() if k != key})
        )
        (results / f"wrong-{number}.json").write_text(json.dumps({**half, key: [1]}))
    (results / "binary.json").write_bytes(b"\xff\xfe\x00")
    (results / "folder.json").mkdir()
    (results / "notes.txt").write_text("not a run")
    run = cli("eval", "history")
    assert run.code == 0
    assert "0.5000" in run.out
    assert "damaged-3.json" in run.err
    runs = cli("eval", "history", "--json").json["runs"]
    assert good.name in [each["file"] for each in runs]


def test_history_is_a_table_for_each_kind_newest_last(cli: Cli, results: Path) -> None:
    assert cli("eval", "history", "--json").json == {"runs": []}
    assert cli("eval", "history").err.startswith("no run is saved yet")
    old = save(RESULT, configured(), {})
    record = json.loads(old.read_text())
    old.write_text(json.dumps({**record, "date": "2001-02-03T04:05:06+00:00"}))
    save({**RESULT, "metrics": {"mrr": 0.6, "new": 12345.0}}, configured(retrieve={"k": 3}), {})
    save({**RESULT, "kind": "injection", "n": 300}, configured(), {})
    text = cli("eval", "history").out
    table, other = text.strip().split("\n\n")
    title, head, first, second = table.splitlines()
    assert title == "retrieval"
    assert head.split() == ["date", "data", "n", "mrr", "p50_ms", "new", "settings"]
    assert first.split()[:7] == ["2001-02-03", "04:05", "beir", "3", "0.5000", "12", "-"]
    assert first.endswith("retrieve.k=8")
    assert second.split()[3:] == ["3", "0.6000", "-", "12345", "retrieve.k=3"]
    assert other.startswith("injection\n")
    assert "retrieve.k" not in other


def test_save_and_history_through_the_command_line(cli: Cli, results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text('{"_id": "d", "title": "", "text": "finger pulley"}')
    (folder / "queries.jsonl").write_text('{"_id": "q", "text": "pulley"}')
    (folder / "qrels" / "test.tsv").write_text("q\td\t1")
    run = cli("eval", "retrieval", folder, "--save", "--json", "--compare", "retrieve.k=3")
    assert run.json["metrics"]["mrr"] == 1
    assert "saved: " in run.err
    runs = cli("eval", "history", "--json").json["runs"]
    assert [each["settings"]["retrieve.k"] for each in runs] == [8, 3]
    assert "k=3" in cli("eval", "history").out


def test_in_a_checkout_results_go_to_its_data_folder() -> None:
    assert results_folder() == ROOT / "data" / "evals"
