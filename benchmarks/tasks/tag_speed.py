"""What names cost: passages of 190 tokens a second, and `index --tags` beside `index`.

A library of transcripts and of the sample library is loaded once without an index; every round
indexes fresh copies of it, once without names and once with them, each in a process of its own,
and embeds and tags the same made-up passages. Seconds are the processor's unless `wall` is said:
other work on the machine counts less.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from embedding import TOKENS, make_texts

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
CORES = 2  # that the figures are told for
STEP = 8  # every eighth transcript, of all shows

INDEX = """
import json, sys, time
from dragtor import Library, load_config
tags = json.loads(sys.argv[2])
config = load_config(overrides={"tags": {"model": sys.argv[3]}} if sys.argv[3] else None)
with Library(sys.argv[1], config=config) as library:
    library.embedder
    if tags:
        library.tagger
    wall, cpu = time.perf_counter(), time.process_time()
    report = library.index(tags=tags)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps({"wall": wall, "cpu": cpu, "passages": report.passages}))
"""


def loaded(place: Path, transcripts: int) -> None:
    """A library in which all is loaded and nothing indexed."""
    from dragtor import Library

    files = sorted((SHARED / "podcast_transcripts").rglob("*.md"))[::STEP][:transcripts]
    with Library(place) as library:
        library.add(*files, ROOT / "assets" / "sample_library", index=False)


def indexed(source: Path, place: Path, model: str, *, tags: bool) -> dict[str, float]:
    """Seconds to index a copy of a library, the models already open."""
    shutil.copytree(source, place)
    line = [sys.executable, "-c", INDEX, str(place), json.dumps(tags), model]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    run = subprocess.run(line, check=True, capture_output=True, text=True, env=environment)
    shutil.rmtree(place)
    told: dict[str, float] = json.loads(run.stdout.splitlines()[-1])
    return told


def pace(run: Callable[[list[str]], Any], texts: list[str]) -> float:
    """Texts a second of as many cores, at the processor time that they take."""
    begun = time.process_time()
    run(texts)
    return CORES * len(texts) / (time.process_time() - begun)


def run(
    transcripts: int = 12, rounds: int = 5, passages: int = 100, model: str = ""
) -> dict[str, Any]:
    """Both figures; `model` is a folder with heads, else what is configured."""
    from dragtor.config import EmbedConfig, ModelsConfig, load_config
    from dragtor.embed import open_embedder
    from dragtor.encoder import Encoder

    config = load_config()
    encoder = Encoder.load(model or config.tags.model, models=config.models, threads=1)
    embedder = open_embedder(EmbedConfig(model="gte-small", threads=1), ModelsConfig())
    texts = make_texts(passages)
    paces: dict[str, list[float]] = {"per_s": [], "embedded_per_s": []}
    times: dict[str, list[dict[str, float]]] = {"plain": [], "tagged": []}
    work = Path(tempfile.mkdtemp(prefix="dragtor-tags-"))
    loaded(work / "loaded", transcripts)
    encoder.tag(texts[:4]), embedder.embed_passages(texts[:4])
    for _ in range(rounds):
        paces["per_s"].append(round(pace(encoder.tag, texts), 1))
        paces["embedded_per_s"].append(round(pace(embedder.embed_passages, texts), 1))
        for name in times:
            tags = name == "tagged"
            times[name].append(indexed(work / "loaded", work / name, model, tags=tags))
    shutil.rmtree(work)
    return {
        "tokens": TOKENS,
        "transcripts": transcripts,
        "passages": times["plain"][0]["passages"],
        "per_s": round(statistics.median(paces["per_s"]), 1),
        "embedded_per_s": round(statistics.median(paces["embedded_per_s"]), 1),
        "index_ratio": _ratio(times, "cpu"),
        "index_ratio_wall": _ratio(times, "wall"),
        "index_s": round(statistics.median(row["cpu"] for row in times["plain"]), 2),
        "index_tags_s": round(statistics.median(row["cpu"] for row in times["tagged"]), 2),
        "index_ratios": [
            round(b["cpu"] / a["cpu"], 3)
            for a, b in zip(times["plain"], times["tagged"], strict=True)
        ],
    }


def _ratio(times: dict[str, list[dict[str, float]]], clock: str) -> float:
    """Of the medians, by one of the clocks."""
    tagged, plain = (statistics.median(t[clock] for t in times[n]) for n in ("tagged", "plain"))
    return round(tagged / plain, 3)
