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
        assert metrics["ndcg@10_ci"] == [0.3424, 1]
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


def test_configurations_side_by_side(cli: Cli, beir: Path) -> None:
    words, meaning = "retrieve.dense_weight=0", "retrieve.dense_weight=1,embed.model=gte-small"
    compare = [part for each in (words, meaning) for part in ("--compare", each)]
    (beir / "qrels" / "test.tsv").write_text("q1\td1\t1\nq2\td2\t1")
    result = cli("eval", "retrieval", beir, "--json", *compare).json
    assert [other["settings"] for other in result["compared"]] == [words, meaning]
    for other in result["compared"]:
        assert "dense weight" in other["model"]
        assert other["metrics"].keys() == result["metrics"].keys()
        for name in ("ndcg@10", "recall@10", "recall@100", "mrr"):
            low, high = other["difference"][f"{name}_ci"]
            gained = other["metrics"][name] - result["metrics"][name]
            assert low <= other["difference"][name] <= high
            assert other["difference"][name] == pytest.approx(gained, abs=2e-4)
        assert "p50_ms" not in other["difference"]
    text = cli("eval", "retrieval", beir, *compare).out
    assert text.count(words) == len(["ndcg", "recall", "recall", "mrr", "p50", "p95"])


def test_the_difference_is_paired_and_signed(cli: Cli, beir: Path) -> None:
    """A word that no text holds: for BM25 all texts are equal, for the encoder they are not."""
    (beir / "queries.jsonl").write_text('{"_id": "q", "text": "slumber"}')
    (beir / "qrels" / "test.tsv").write_text("q\td3\t1")
    words = "retrieve.dense_weight=0,retrieve.rerank=none"
    arguments = ("eval", "retrieval", beir, "--json", "--compare", words)
    result = cli(*arguments).json
    (other,) = result["compared"]
    assert result["metrics"]["mrr"] == 1
    assert other["metrics"]["mrr"] < 1
    assert other["difference"]["mrr"] == pytest.approx(other["metrics"]["mrr"] - 1)
    assert other["difference"]["mrr_ci"] == [other["difference"]["mrr"]] * 2


def test_a_reranker_takes_part(cli: Cli, beir: Path) -> None:
    run = cli("eval", "retrieval", beir, "--compare", "retrieve.rerank=nonsense")
    assert (run.code, run.out) == (2, "")
    assert "unknown reranker 'nonsense'" in run.err
    smollm = "retrieve.rerank=llm,llm.model=smollm2-135m"
    run = cli("eval", "retrieval", beir, "--json", "--compare", smollm)
    if run.code == 4:
        pytest.skip(run.err.strip())
    (other,) = run.json["compared"]
    assert other["model"].endswith(", rerank llm")
    assert 0 < other["metrics"]["ndcg@10"] <= 1
