"""`make demo` in a fresh clone with empty caches: when the quotes and the answer are on the screen.

    python benchmarks/demo.py

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

from common import save

ROOT = Path(__file__).resolve().parent.parent
QUOTES, ANSWER = "From your sources", "Answer"
TIMINGS = re.compile(r"(\S+) · retrieved .*first word ([\d.]+) s · total ([\d.]+) s")


def run(clone: Path, environment: dict[str, str]) -> dict[str, object]:
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


if __name__ == "__main__":
    work = Path(tempfile.mkdtemp(prefix="dragtor-demo-"))
    clone = work / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    empty = {"PIP_NO_CACHE_DIR": "1", "npm_config_cache": str(work / "npm"), "HOME": str(work)}
    empty["XDG_CACHE_HOME"] = str(work / "cache")
    figures = {"fresh": run(clone, os.environ | empty), "again": run(clone, os.environ | empty)}
    shutil.rmtree(work)
    print(figures)
    save("demo", figures)
