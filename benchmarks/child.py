"""Runs one function of the tasks folder in a process of its own, and writes what came of it.

    python benchmarks/child.py TASKS_FOLDER MODULE:FUNCTION ARGUMENTS_AS_JSON RESULT_FILE

The result file holds {"figures"} or {"error"}: no file, no end.
"""

from __future__ import annotations

import importlib
import json
import sys
import traceback
from pathlib import Path


def main(folder: str, call: str, arguments: str, result: str) -> None:
    """Call it; an error is told in the file, its traceback on stderr."""
    sys.path.insert(0, folder)
    module, _, function = call.partition(":")
    try:
        figures = getattr(importlib.import_module(module), function)(**json.loads(arguments))
        told = json.dumps({"figures": figures})
    except BaseException as error:  # noqa: BLE001 - whatever ends a task is its result
        traceback.print_exc()
        last = traceback.format_exception_only(error)[-1].strip()
        told = json.dumps({"error": last.splitlines()[-1][:300]})
    draft = Path(f"{result}.part")
    draft.write_text(told, "utf-8")
    draft.rename(result)


if __name__ == "__main__":
    main(*sys.argv[1:])
