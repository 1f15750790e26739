"""`dragtor eval chunking`: the published measure by hand, the contract, bad data, comparing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from conftest import Cli, shared

from dragtor.evaluate import chunking
from dragtor.evaluate.chunking import Question, questions_of, score
from dragtor.types import Document, Passage

PULLEY = "The A2 pulley is a ring of tissue in the finger. It holds the tendon to the bone."
SKIN = "File calluses down before they tear off. A flapper wants tape and a rest day."
SLEEP = "Nine hours of sleep help the tendons recover. Growth hormone peaks at night."
CORPORA = {"finger": f"{PULLEY}\n\n{SKIN}", "rest": SLEEP}
QUESTIONS = [
    ("What does the A2 pulley do?", "finger", ["It holds the tendon to the bone."]),
    ("How long should a climber sleep?", "rest", ["Nine hours of sleep", "peaks at night"]),
]


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "chunks"
    (folder / "corpora").mkdir(parents=True)
    for name, text in CORPORA.items():
        (folder / "corpora" / f"{name}.md").write_text(text)
    write(folder, [(q, c, json.dumps([at(c, r) for r in refs])) for q, c, refs in QUESTIONS])
    return folder


def at(corpus: str, text: str) -> dict[str, object]:
    start = CORPORA[corpus].index(text)
    return {"content": text, "start_index": start, "end_index": start + len(text)}


def write(folder: Path, rows: list[tuple[str, str, str]]) -> None:
    with (folder / "questions_df.csv").open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["question", "corpus_id", "references"])
        out.writerows(rows)


def passages(*spans: tuple[str, int, int]) -> list[tuple[str, Passage]]:
    documents = {name: Document(name, name, "file", "", "x" * 1000) for name in ("a", "b")}
    return [(name, Passage.of(documents[name], start, end)) for name, start, end in spans]


QUESTION = Question("?", "a", ((100, 200), (300, 350)))


@pytest.mark.parametrize(
    ("retrieved", "recall", "precision", "iou"),
    [
        ([("a", 100, 200), ("a", 300, 350)], 1, 1, 1),
        ([("a", 0, 400)], 1, 150 / 400, 150 / 400),
        ([("a", 150, 250)], 50 / 150, 50 / 100, 50 / (100 + 100)),
        ([("b", 100, 200)], 0, 0, 0),  # the same place of another corpus
        ([("b", 0, 100), ("a", 100, 200)], 100 / 150, 100 / 200, 100 / (200 + 50)),
        # overlap: found once, read twice
        ([("a", 50, 200), ("a", 100, 250)], 100 / 150, 100 / 300, 100 / (300 + 50)),
        ([("a", 200, 300)], 0, 0, 0),  # touches both references, covers neither
        ([], 0, 0, 0),
    ],
)
def test_the_published_measure_by_hand(
    retrieved: list[tuple[str, int, int]], recall: float, precision: float, iou: float
) -> None:
    found = score(QUESTION, passages(*retrieved))
    assert (found.recall, found.precision, found.iou) == pytest.approx((recall, precision, iou))


def test_the_contract(cli: Cli, layout: Path) -> None:
    for _ in range(2):  # the second time from the kept library
        result = cli("eval", "chunking", layout, "--json").json
        assert set(result) == {"kind", "path", "n", "metrics", "model", "versions"}
        assert (result["kind"], result["path"], result["n"]) == ("chunking", "chunks", 2)
        metrics = result["metrics"]
        # two passages in all: everything is retrieved, and the references are a known part of it
        read = sum(map(len, CORPORA.values())) - len("\n\n") * (metrics["passages"] == 3)
        wanted = [sum(len(ref) for ref in refs) for *_, refs in QUESTIONS]
        share = sum(length / read for length in wanted) / 2
        assert metrics["recall@5"] == 1
        assert metrics["precision@5"] == metrics["iou@5"] == pytest.approx(share, abs=1e-4)
        low, high = metrics["iou@5_ci"]
        assert low <= metrics["iou@5"] <= high
    assert "recall@5" in cli("eval", "chunking", layout).out


def test_splitters_side_by_side(cli: Cli, layout: Path) -> None:
    fine = "split.tokens=16,split.overlap_tokens=0"
    run = cli("eval", "chunking", layout, "--json", "--compare", fine, "--compare", "retrieve.k=3")
    first, (other, same) = run.json["metrics"], run.json["compared"]
    assert other["settings"] == fine
    assert "recursive 16/0" in other["model"]
    assert other["metrics"]["passages"] > first["passages"]
    assert other["metrics"]["iou@5"] > first["iou@5"]
    gained = other["difference"]
    assert gained["iou@5"] == pytest.approx(other["metrics"]["iou@5"] - first["iou@5"], abs=2e-4)
    assert gained["iou@5_ci"][0] <= gained["iou@5"] <= gained["iou@5_ci"][1]
    assert same["difference"]["iou@5_ci"] == [0, 0]
    assert fine in cli("eval", "chunking", layout, "--compare", fine).out


@pytest.mark.parametrize(
    ("references", "says"),
    [
        ("[]", "a reference is not at its place"),
        ('[{"content": "", "start_index": 3, "end_index": 3}]', "not at its place"),
        ('[{"content": "The A3", "start_index": 0, "end_index": 6}]', "not at its place"),
        ('[{"content": "The A2", "start_index": 0}]', "no question"),
        ('[{"content": "The A2", "start_index": "x", "end_index": 6}]', "no question"),
        ("nonsense", "no question"),
        ("7", "no question"),
    ],
)
def test_wrong_references_are_one_line(cli: Cli, layout: Path, references: str, says: str) -> None:
    write(layout, [("?", "finger", references)])
    run = cli("eval", "chunking", layout)
    assert (run.code, run.out) == (1, "")
    assert run.err.startswith("error: ")
    assert "question 1" in run.err
    assert says in run.err


@pytest.mark.parametrize("damage", ["no csv", "no corpus", "no rows", "no columns", "not text"])
def test_bad_data_is_one_line(cli: Cli, layout: Path, damage: str) -> None:
    table = layout / "questions_df.csv"
    if damage == "no csv":
        table.unlink()
    elif damage == "no corpus":
        (layout / "corpora" / "rest.md").unlink()
    elif damage == "no rows":
        write(layout, [])
    elif damage == "no columns":
        table.write_text("a,b\n1,2\n")
    else:
        table.write_bytes(b"question\n\xff\xfe\n")
    run = cli("eval", "chunking", layout)
    assert (run.code, run.out) == (1, "")
    assert run.err.startswith("error: ")
    assert "unexpected" not in run.err


@pytest.mark.parametrize(
    "wrong", ["k=3", "retrieve.k", "retrieve.nope=1", "nope.k=1", "retrieve.k=many", "retrieve.k={"]
)
def test_a_wrong_comparison_is_refused_before_anything_runs(
    cli: Cli, layout: Path, wrong: str
) -> None:
    run = cli("eval", "chunking", layout, "--compare", wrong)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith("error: ")
    assert not (layout.parent / "cache" / "dragtor" / "evals").exists()


def test_the_published_data_can_be_read() -> None:
    questions = questions_of(shared("chroma_chunking"))
    assert len(questions) == 472
    assert sum(len(question.references) for question in questions) == 790
    assert chunking.K == 5
