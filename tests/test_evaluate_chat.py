"""`dragtor eval chat`: contract, what counts as found, bad data, and the packaged follow-ups."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT

from dragtor import Library
from dragtor.config import load_config
from dragtor.errors import LoadError
from dragtor.evaluate import chat

FOLLOW_UPS = ROOT / "tests" / "data" / "follow_ups.jsonl"
NOTES = {
    "pulley.md": "# Pulley\n\nThe A2 pulley heals in six weeks.",
    "elbow.md": "# Elbow\n\nTennis elbow heals in twelve weeks.",
    "skin.md": "# Skin\n\nA flapper closes in ten days.",
    "sleep.md": "# Sleep\n\nAdults need eight hours of sleep.",
    "food.md": "# Food\n\nEat protein in four meals.",
    "fern.md": "# Fern\n\nWater a fern twice a week.",
}
ROW = {"first": "What is the A2 pulley?", "answer": "A ring.", "follow_up": "and how long?"}


def note_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name, text in NOTES.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(
        "DRAGTOR_CHAT_REWRITE", "false"
    )  # the questions side by side: no model's luck
    monkeypatch.setenv("DRAGTOR_LLM_MODEL", "smollm2-135m")
    return note_folder(tmp_path)


def written(tmp_path: Path, *rows: object) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def run(path: Path, notes: Path) -> dict[str, object]:
    return chat.evaluate(path, load_config(), documents=notes)


def test_the_contract_and_what_counts_as_found(tmp_path: Path, notes: Path) -> None:
    leaning = ROW | {"follow_up": "and eight hours of sleep, or meals?", "relevant": ["pulley.md"]}
    turning = ROW | {"follow_up": "And what is a fern?", "relevant": ["fern.md"]}
    unrelated = ROW | {"follow_up": "And the pulley?", "relevant": ["sleep.md"]}
    result = run(written(tmp_path, leaning, turning, unrelated, ""), notes)
    assert set(result) == {"kind", "path", "n", "metrics", "model", "versions"}
    assert (result["kind"], result["path"], result["n"]) == ("chat", "rows.jsonl", 3)
    metrics = result["metrics"]
    assert isinstance(metrics, dict)
    assert set(metrics) == {"top3", "top3_ci", "top3_bare", "top3_bare_ci", "rewrite_s"}
    assert metrics["top3"] == 0.6667
    assert metrics["top3_bare"] == 0.3333
    low, high = metrics["top3_ci"]
    assert 0 <= low <= metrics["top3"] <= high <= 1


@pytest.mark.parametrize(
    "row",
    [
        "{nonsense",
        "[]",
        {"first": "a", "relevant": ["skin.md"]},
        ROW,
        ROW | {"relevant": []},
        ROW | {"relevant": [1]},
        ROW | {"relevant": "skin.md"},
        ROW | {"first": 1, "relevant": ["skin.md"]},
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, notes: Path, row: object) -> None:
    good = ROW | {"relevant": ["skin.md"]}
    with pytest.raises(LoadError, match="line 2: no JSON object with first"):
        run(written(tmp_path, good, row), notes)


def test_other_bad_data(tmp_path: Path, notes: Path) -> None:
    with pytest.raises(LoadError, match=r"line 1: no document is called nosuch\.md"):
        run(written(tmp_path, ROW | {"relevant": ["nosuch.md"]}), notes)
    with pytest.raises(LoadError, match="holds no conversation"):
        run(written(tmp_path, ""), notes)
    with pytest.raises(LoadError, match="cannot read"):
        run(tmp_path / "absent.jsonl", notes)


def test_the_packaged_follow_ups_name_documents_of_the_sample_library(
    sample_library: Path,
) -> None:
    with Library(sample_library) as library:
        rows = chat.conversations_of(FOLLOW_UPS, library)
        documents = {row["id"] for row in library.documents()}
    assert len(rows) == 40
    assert len({row.follow_up for row in rows}) == 40
    assert set().union(*(row.relevant for row in rows)) == documents
