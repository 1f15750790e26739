"""Rows of JSON in a file that grows a line at a time, so that a run that was cut off goes on.

Owns how lines get to the disk and which are believed when they are read again; knows no row's
meaning. One process writes a journal at a time.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import IO, Any, Self

from dragtor.errors import LibraryError


class Journal:
    """The rows of a file, oldest first; `append` adds one, from any thread.

    A row is an object or a list: no part of one is JSON, so a line that was not written whole, as
    after kill -9, is known and dropped, and so is any other that is no row. What is appended is on
    the disk when `append` returns. Raises LibraryError where the file cannot be read or written,
    as on a full disk.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, Lock()
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        with self._disk():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            known = self._path.read_bytes() if self._path.exists() else b""
            for line in known.split(b"\n"):
                with suppress(ValueError, RecursionError):
                    if isinstance(row := json.loads(line), dict | list):
                        self._take(row)
            self._file = self._path.open("ab")
            if known and not known.endswith(b"\n"):
                self._file.write(b"\n")
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            with suppress(OSError):  # a full disk was told of by the write
                self._file.close()
            self._file = None

    def append(self, row: Mapping[str, Any] | list[Any]) -> None:
        """Keep a row of whatever JSON can hold."""
        if self._file is None:
            raise ValueError("the journal is not open: use it in a `with` block")
        line = self._line(row)
        with self._lock, self._disk():
            self._file.write(line)
            self._file.flush()
            os.fsync(self._file.fileno())

    def _line(self, row: Mapping[str, Any] | list[Any]) -> bytes:
        return f"{json.dumps(row)}\n".encode()

    def _take(self, row: Any) -> None:
        """Take a row that is in the file already."""

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise LibraryError(f"cannot keep what is done in {self._path}: {reason}") from error


class KeyedJournal(Journal):
    """A value under each key; the latest counts. Values come back as JSON reads them."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._values: dict[str, Any] = {}

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> Any:
        """What was put under this key, None if nothing was."""
        return self._values.get(key)

    def put(self, key: str, value: Any) -> None:
        """Keep a value."""
        self.append([key, value])
        self._values[key] = json.loads(json.dumps(value))

    def _take(self, row: Any) -> None:
        if isinstance(row, list) and len(row) == 2 and isinstance(row[0], str):
            self._values[row[0]] = row[1]
