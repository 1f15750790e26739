"""How long a warm library takes, and how much memory, beside the same without a reader.

1,430 medical texts, about as many passages as peers were timed on. Each run is a process of its
own.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reader import medical_library, pubmedqa

from dragtor import metrics
from dragtor.config import load_config
from dragtor.library import Library

MEDQUAD_DRAWN = 900  # with PubMedQA's 530: 1,430 texts
WITHOUT = {
    "answer": {"reader": "none"},
    "retrieve": {"rerank": "tokens"},
}  # settings under which no reader is opened


def run(n: int = 60) -> dict[str, Any]:
    """p50 and p95 in milliseconds of searches and of quotes, resident memory at its peak in MB."""
    with medical_library(load_config(), MEDQUAD_DRAWN) as library:
        folder, passages = library.folder, library.store().counts()["passages"]
    ours, without = (measured(folder, settings, n) for settings in ({}, WITHOUT))
    over = round(ours["peak_mb"] - without["peak_mb"], 1)
    return {"passages": passages, "as_set": ours, "without": without, "memory_over_mb": over}


def measured(folder: Path, settings: Mapping[str, Any], n: int) -> dict[str, Any]:
    """`timed` in a process of its own."""
    line = [sys.executable, __file__, str(folder), json.dumps(settings), str(n)]
    done = subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def timed(folder: Path, settings: Mapping[str, Any], n: int) -> dict[str, Any]:
    """Milliseconds of warm searches and of quotes, and the memory of this process."""
    questions = random.Random(7).sample([each["QUESTION"] for each in pubmedqa().values()], n)
    with Library(folder, config=load_config(overrides=dict(settings))) as library:
        found: dict[str, Any] = {}
        for name, ask in (
            ("search", library.search),
            ("quotes", lambda question: library.ask(question, quotes_only=True)),
        ):
            ask("what is it?")
            taken = []
            for question in questions:
                begun = time.perf_counter()
                ask(question)
                taken.append(1000 * (time.perf_counter() - begun))
            for share in (50, 95):
                value = metrics.percentile(taken, share / 100)
                found[f"{name}_p{share}_ms"] = round(value, 1)
    return found | {"peak_mb": round(peak_bytes() / 1e6, 1)}


def peak_bytes() -> int:
    """The most memory that this process has held; what it was forked from does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    print(json.dumps(timed(Path(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3]))))
