"""The writer's lock: one process at a time may change a library, and says who it is.

The lock is the operating system's, so it ends with the process that held it, however that dies.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from dragtor.errors import LibraryLocked
from dragtor.store.schema import plain_errors
from dragtor.types import NEVER, SILENT, CancelToken, Reporter


def held_by(folder: Path) -> dict[str, str] | None:
    """Who is writing right now (pid, command, since), or None where nobody is."""
    from filelock import FileLock, Timeout

    path = folder / "writer.lock"
    if not path.exists():
        return None
    try:
        with FileLock(path, timeout=0):
            return None
    except Timeout:
        return _holder(folder)
    except OSError:
        return None


def _holder(folder: Path) -> dict[str, str]:
    try:
        holder: dict[str, str] = json.loads((folder / "writer.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return holder


@contextmanager
def writer_lock(
    folder: Path, timeout_s: float, reporter: Reporter = SILENT, cancel: CancelToken = NEVER
) -> Iterator[None]:
    """Hold the lock; waits up to `timeout_s` seconds, then raises LibraryLocked."""
    from filelock import FileLock, Timeout

    with plain_errors(folder / "library.db"):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / "writer.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            holder = _holder(folder)
            who = f"process {holder.get('pid', '?')} ({holder.get('command', '?')})"
            try:
                if timeout_s > 0:
                    reporter.note(f"waiting for {who}, which writes to this library")
                lock.acquire(timeout=timeout_s, cancel_check=lambda: cancel.cancelled)
            except Timeout:
                cancel.check()
                raise LibraryLocked(
                    f"{who} is writing to {folder}", "wait for it, or give --lock-timeout SECONDS"
                ) from None
    try:
        holder = {
            "pid": str(os.getpid()),
            "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:80],
            "since": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with plain_errors(folder / "library.db"):
            (folder / "writer.json").write_text(json.dumps(holder), "utf-8")
        yield
    finally:
        lock.release()
