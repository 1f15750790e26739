"""Other programs that a pull needs: run to their end, or ended with the pull.

Knows nothing of what they do.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from dragtor.types import CancelToken

CHILD_POLL_S = 0.2


def run_child(
    command: Sequence[str],
    log: Path,
    cancel: CancelToken,
    environment: Mapping[str, str] | None = None,
    watch: Callable[[], object] = lambda: None,
) -> int:
    """The exit code; what is said on stderr goes into `log`. `watch` is called meanwhile."""
    with log.open("wb") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**os.environ, **(environment or {})},
        )
        try:
            while not _ended(process):
                cancel.check()
                watch()
        finally:
            process.kill()
            process.wait()
    return process.returncode


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(CHILD_POLL_S)
    except subprocess.TimeoutExpired:
        return False
    return True
