"""The notebooks of examples/ run whole, and what is stored in them is what a run shows.

They run in a kernel of their own, in a copy of examples/ and assets/, where no network is reached.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
from run_notebooks import NOTEBOOKS, executed

MAX_BYTES = 40_000
SAID = {  # what a run must show
    "quickstart": [
        "After a grade I A2 pulley strain, easy climbing is usually possible again after 2 to 4",
        "Not in your sources.",
        "quoted          When may I climb again after an A2 pulley strain?",
        "refused         What is the capital of Peru?",
        "refusal_recall",
    ],
    "podcast": [
        "SPEAKER_01: Tom Keller, guest",
        "Because of the growth plates, they are weaker than the tendons that pull on them",
        "campus-board.m4a#t=24",
        "Thomas Keller: Thanks for having me",
        "Sat 5 December 2026, 10:00 to 13:00 (Europe/Berlin)",
        "RRULE:FREQ=WEEKLY;BYDAY=MO,TH",
    ],
    "encoder": [
        "mean (6, 384)",
        "terms.conll       tokens     80 examples O B-body I-body B-exercise I-exercise",
        "kept: step",
        "model.onnx",
        ">left shoulder <small style='opacity:.75'>body 0.",
        "at least 0.95: precision",
        "  try: dragtor tag --model ../data/shell",
        "28 items of terms.test.conll, both",
    ],
    "websocket": [
        "('welcome', 1, 64)",
        "a2-pulley-strain.md 1",
        "3 done",
        "easy climbing is usually possible again after 2 to 4 weeks",
        "usage_error - there is no task 'nap' - tasks: ask, search,",
        "ask-2 ask failed",
    ],
    "openai": [
        "['dragtor', 'dragtor-quotes']",
        "A2 pulley strain: grades, first days and the way back to climbing: After a grade I A2",
        ":~:text=After%20a%20grade%20I",
        "3 quotes, 0 characters stop",
        "Not in your sources.",
        "  a sore ring finger",
    ],
}
CLIENTS = {"openai": "openai", "websocket": "websockets"}  # what each wants, of the tests' packages
TRAINS = {"encoder"}  # what wants torch
LEAST = {  # figures of a training, which differ a little between processors
    r"^both .*form_accuracy (\S+)": 0.8,
    r"^both .*terms_span_f1 (\S+)": 0.45,
    r"^top-layers .*form_accuracy (\S+)": 0.7,
    r"^heads-only .*form_accuracy (\S+)": 0.5,
}


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def shown(notebook: dict[str, Any]) -> list[str]:
    """Everything that each code cell has put out, as text."""
    return [
        "".join(
            "".join(text)  # lines, in a file
            for output in cell["outputs"]
            for text in (output.get("text", ""), *output.get("data", {}).values())
        )
        for cell in code_cells(notebook)
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if path.stem in TRAINS:
        pytest.importorskip("torch", reason="wants the extra `train`: make test-train")
    if path.stem in CLIENTS:
        pytest.importorskip(CLIENTS[path.stem])
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "jupyter"))
    fresh = executed(path, tmp_path / "run")
    outputs = [output for cell in code_cells(fresh) for output in cell["outputs"]]
    assert not [output for output in outputs if output.get("name") == "stderr"]
    said = "\n".join(shown(fresh))
    assert [words for words in SAID[path.stem] if words not in said] == []
    stored = json.loads(path.read_text("utf-8"))
    assert [bool(text) for text in shown(stored)] == [bool(text) for text in shown(fresh)]
    assert [words for words in SAID[path.stem] if words not in "\n".join(shown(stored))] == []
    if path.stem in TRAINS:
        assert [figure for figure, least in LEAST.items() if least > value(figure, said)] == []
        asked = [value(rf"^{run} .*question (\S+)", said) for run in ("both", "terms-only")]
        assert asked[0] == asked[1]  # of a head that is frozen


def value(pattern: str, said: str) -> float:
    """The number that a line of this pattern holds."""
    found = re.search(pattern, said, re.M)
    assert found, pattern
    return float(found[1])


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_stored_notebook_is_small_and_names_no_machine(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.encode()) <= MAX_BYTES
    counts = [cell["execution_count"] for cell in code_cells(json.loads(text))]
    assert counts == [*range(1, len(counts) + 1)]  # run from nothing, in order
    places = re.findall(r"file:///(?!home/you/dragtor/assets/)[^\"'\\ <]*", text)
    assert places == []
