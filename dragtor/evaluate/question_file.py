"""A file of questions that grows a line at a time, which people read and edit between two runs.

Owns what is believed of a file that is there; knows not how a question is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from dragtor.errors import UsageError
from dragtor.journal import Journal


class QuestionFile(Journal):
    """Questions in the format of `eval answers`; what is in the file already stays.

    `proposed` are the rows that name the passage they were made from, `passages` the ids of these.
    A last line that was cut off is taken away. Raises UsageError for a file of something else.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.proposed: list[Mapping[str, Any]] = []
        self.passages: set[str] = set()

    def __enter__(self) -> Self:
        with self._disk():
            data = self._path.read_bytes() if self._path.exists() else b""
            *whole, last = data.split(b"\n")
            rows = [_is_row(line) for line in whole if line.strip()]
            if not all(rows) or (last.strip() and not _is_row(last) and not rows):
                told = f"{self._path} is there, and holds more than questions"
                raise UsageError(told, "dragtor eval propose --out OTHER-FILE")
            if last.strip() and not _is_row(last):
                with self._path.open("r+b") as file:
                    file.truncate(len(data) - len(last))
        return super().__enter__()

    def append(self, row: Mapping[str, Any] | list[Any]) -> None:
        """Keep a question."""
        super().append(row)
        self._take(row)

    def _line(self, row: Mapping[str, Any] | list[Any]) -> bytes:
        return f"{json.dumps(row, ensure_ascii=False)}\n".encode("utf-8", "replace")

    def _take(self, row: Any) -> None:
        if isinstance(row.get("passage"), str) and isinstance(row.get("answerable"), bool):
            self.proposed.append(row)
            self.passages.add(row["passage"])


def _is_row(line: bytes) -> bool:
    """Whether a line is an object that holds a question."""
    try:
        row = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and isinstance(row.get("question"), str)
