"""Runs the notebooks of examples/ from nothing, and keeps their outputs in them.

    .venv/bin/python scripts/run_notebooks.py

Each runs in a copy of examples/ and assets/, so that no library of yours is touched, and wants the
models that it names. Outputs are kept small: HTML alone where there is HTML, no machine's paths.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
SHOWN_ROOT = "/home/you/dragtor"  # in outputs, in place of the folder it ran in
CELL_TIMEOUT_S = 300


def executed(notebook: Path, folder: Path) -> NotebookNode:
    """The notebook with the outputs of a run in `folder`, which is empty or not there yet.

    Raises nbclient's CellExecutionError where a cell fails.
    """
    import nbformat
    from nbclient import NotebookClient

    for name in ("assets", "examples"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / "data").mkdir()
    found = nbformat.read(notebook, as_version=4)
    client = NotebookClient(
        found,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(folder / "examples")}},
    )
    client.execute()
    for cell in found.cells:
        for output in cell.get("outputs", ()):
            if "text/html" in output.get("data", {}):
                del output["data"]["text/plain"]
    text = json.dumps(found).replace(str(folder), SHOWN_ROOT)
    return nbformat.from_dict(json.loads(text))


def main() -> None:
    """Run all of them, or those that are named."""
    import nbformat

    for notebook in [Path(name).resolve() for name in sys.argv[1:]] or NOTEBOOKS:
        with tempfile.TemporaryDirectory() as place:
            found = executed(notebook, Path(place).resolve() / "run")
        notebook.write_text(nbformat.writes(found) + "\n", "utf-8")
        print(notebook.name)


if __name__ == "__main__":
    main()
