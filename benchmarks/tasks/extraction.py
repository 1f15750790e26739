"""How well the article of a page is found, beside plain trafilatura.

Mean F1 over shingles of 4 words, as in the article extraction benchmark that the pages are from.
"""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

from dragtor.errors import LoadError
from dragtor.load.html import extract_html

SHINGLE_WORDS = 4
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "article_extraction"


def shingles(text: str) -> Counter[tuple[str, ...]]:
    words = re.findall(r"\w+", text)
    count = max(1, len(words) - SHINGLE_WORDS + 1)
    return Counter(tuple(words[at : at + SHINGLE_WORDS]) for at in range(count))


def scores(found: str, truth: str) -> tuple[float, float, float]:
    """F1, precision and recall."""
    ours, theirs = shingles(found), shingles(truth)
    shared = (ours & theirs).total()
    precision, recall = shared / ours.total(), shared / theirs.total()
    f1 = 2 * precision * recall / (precision + recall) if shared else 0.0
    return f1, precision, recall


def dragtor_text(page: bytes, url: str) -> str:
    try:
        return extract_html(page, url).text
    except LoadError:
        return ""


def trafilatura_text(page: bytes, url: str) -> str:
    import trafilatura

    return trafilatura.extract(page, url=url or None) or ""


def run(n: int = 0) -> dict[str, Any]:
    """Of all pages, or of the first `n`."""
    truth = json.loads((DATA / "ground-truth.json").read_text("utf-8"))
    truth = dict(list(truth.items())[: n or None])
    readers: dict[str, Callable[[bytes, str], str]] = {
        "dragtor": dragtor_text,
        "trafilatura": trafilatura_text,
    }
    figures: dict[str, dict[str, float]] = {}
    for name, read in readers.items():
        rows = []
        for key, entry in truth.items():
            page = gzip.decompress((DATA / "html" / f"{key}.html.gz").read_bytes())
            rows.append(scores(read(page, entry.get("url", "")), entry["articleBody"]))
        f1, precision, recall = (mean(column) for column in zip(*rows, strict=True))
        figures[name] = {"f1": round(f1, 4), "precision": round(precision, 4)}
        figures[name]["recall"] = round(recall, 4)
    return {"pages": len(truth), **figures}
