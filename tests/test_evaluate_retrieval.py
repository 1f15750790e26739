"""`dragtor eval retrieval` on a small BEIR folder: contract, scores, bad data, resuming."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Cli

CORPUS = {
    "d1": ("Pulley", "The A2 pulley is a ring of tissue in the finger."),
    "d2": ("Skin", "File calluses down before they tear off."),
    "d3": ("Sleep", "Nine hours of sleep help the tendons recover."),
}
QUERIES = {"q1": "finger pulley tissue", "q2": "callus care", "unjudged": "nothing"}


@pytest.fixture
def beir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "beir"
    (folder / "qrels").mkdir(parents=True)
    rows = [{"_id": i, "title": t, "text": x} for i, (t, x) in CORPUS.items()]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, rows)))
    rows = [{"_id": i, "text": x} for i, x in QUERIES.items()]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, rows)))
    lines = ["query-id\tcorpus-id\tscore", "q1\td1\t1", "q2\td2\t2", "q2\td3\t0"]
    (folder / "qrels" / "test.tsv").write_text("\n".join(lines))
    return folder


def test_the_contract_and_a_perfect_score(cli: Cli, beir: Path) -> None:
    for _ in range(2):  # the second time from the kept library
        result = cli("eval", "retrieval", beir, "--json").json
        assert set(result) == {"kind", "path", "n", "metrics", "model", "versions"}
        assert (result["kind"], result["n"]) == ("retrieval", 2)
        metrics = result["metrics"]
        assert {"ndcg@10", "recall@10", "recall@100", "mrr", "p50_ms", "p95_ms"} <= set(metrics)
        assert metrics["ndcg@10"] == metrics["mrr"] == metrics["recall@10"] == 1
        assert metrics["ndcg@10_ci"] == [1, 1]
    assert "ndcg@10" in cli("eval", "retrieval", beir).out


def test_a_wrong_ranking_scores_less(cli: Cli, beir: Path) -> None:
    (beir / "qrels" / "test.tsv").write_text("q1\td2\t1\nq2\td2\t1")
    metrics = cli("eval", "retrieval", beir, "--json").json["metrics"]
    assert 0.5 < metrics["ndcg@10"] < 1


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
@pytest.mark.parametrize("damage", ["absent", "not json"])
def test_bad_data_is_one_line(cli: Cli, beir: Path, name: str, damage: str) -> None:
    if damage == "absent":
        (beir / name).unlink()
    else:
        (beir / name).write_text("{nonsense\n")
    run = cli("eval", "retrieval", beir, "--json")
    assert run.code == 1
    assert run.out == ""
    assert run.err.startswith("error: ")
    assert "unexpected" not in run.err
    assert Path(name).name in run.err
