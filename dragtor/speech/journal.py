"""What is finished of a transcript: a file that grows a line at a time, so that a run that was
interrupted goes on. Knows nothing of sound and models.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import IO, Any

from dragtor.errors import LibraryError
from dragtor.types import Word


@dataclass(frozen=True, slots=True)
class Plan:
    """What a first listening told; a window's pieces are (start, end) in seconds, in order."""

    language: str
    duration_s: float
    windows: tuple[tuple[tuple[float, float], ...], ...]


class Journal:
    """A plan and the words of finished windows.

    What is put is on the disk when `put` returns. A line that was not written whole is dropped.
    Raises LibraryError where the folder cannot be written, as on a full disk.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        self._file: IO[bytes] | None = None
        self.plan: Plan | None = None
        self.done: dict[int, list[Word]] = {}

    def __enter__(self) -> Journal:
        with self._disk():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            known = self._path.read_bytes() if self._path.exists() else b""
            self._read(known)
            self._file = self._path.open("ab" if self.plan else "wb")
            if self.plan and not known.endswith(b"\n"):
                self._file.write(b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):  # a full disk was told of by the write
                self._file.close()

    def _read(self, known: bytes) -> None:
        for line in known.split(b"\n"):
            try:
                row = json.loads(line)
                if "windows" in row:
                    cut = tuple(tuple((s, e) for s, e in window) for window in row["windows"])
                    self.plan = Plan(row["language"], row["duration_s"], cut)
                elif self.plan and row["window"] < len(self.plan.windows):
                    self.done[row["window"]] = [Word(*word) for word in row["words"]]
            except (ValueError, TypeError, KeyError):
                continue

    def begin(self, plan: Plan) -> Plan:
        """Keep the plan, and give it back."""
        row = {"language": plan.language, "duration_s": plan.duration_s, "windows": plan.windows}
        self._append(row)
        self.plan = plan
        return plan

    def put(self, number: int, words: list[Word]) -> None:
        """Keep the words of a window; any thread may."""
        said = [(word.text, word.start_s, word.end_s) for word in words]
        self._append({"window": number, "words": said})
        self.done[number] = words

    def _append(self, row: Mapping[str, Any]) -> None:
        assert self._file is not None, "the journal is not open: use it in a `with` block"
        line = f"{json.dumps(row)}\n".encode()
        with self._lock, self._disk():
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise LibraryError(f"cannot keep what was heard in {self._path}: {reason}") from error
