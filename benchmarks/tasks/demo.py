"""`make demo` in a fresh clone with empty caches: when the quotes and the answer are on the screen.

Then once more, when everything is there. Needs the network; takes some minutes.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
QUOTES, ANSWER = "From your sources", "Answer"
TIMINGS = re.compile(r"(\S+) · retrieved .*first word ([\d.]+) s · total ([\d.]+) s")


def watched(clone: Path, environment: dict[str, str]) -> dict[str, object]:
    """Seconds from the start to the first quotes, to the answer's first sentence, to the end."""
    begun = time.perf_counter()
    seen: dict[str, object] = {}
    process = subprocess.Popen(
        ["make", "demo"], cwd=clone, env=environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout
    for line in process.stdout:
        print(line, end="", flush=True)
        at = round(time.perf_counter() - begun, 1)
        if line.startswith(QUOTES):
            seen.setdefault("quotes_s", at)
        if line.strip() == ANSWER:
            seen.setdefault("answer_s", at)
        if found := TIMINGS.search(line):
            seen |= {"model": found[1], "ask_first_word_s": float(found[2])}
            seen["ask_total_s"] = float(found[3])
    seen["demo_s"] = round(time.perf_counter() - begun, 1)
    if process.wait() or "answer_s" not in seen:
        raise SystemExit("make demo failed")
    return seen


def run() -> dict[str, object]:
    """Of a clone made now, and once more."""
    work = Path(tempfile.mkdtemp(prefix="dragtor-demo-"))
    clone = work / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    empty = {"PIP_NO_CACHE_DIR": "1", "npm_config_cache": str(work / "npm"), "HOME": str(work)}
    environment = os.environ | empty | {"XDG_CACHE_HOME": str(work / "cache")}
    figures = {"fresh": watched(clone, environment), "again": watched(clone, environment)}
    shutil.rmtree(work)
    return figures
