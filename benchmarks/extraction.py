"""Prints how well the article of a page is found, beside plain trafilatura.

Mean F1 over shingles of 4 words, as in the article extraction benchmark that the pages are from.
Run: .venv/bin/python benchmarks/extraction.py [FOLDER with ground-truth.json and html/]
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import mean

from common import save

from dragtor.errors import LoadError
from dragtor.load.html import extract_html

SHINGLE_WORDS = 4
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "article_extraction"


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


def main(folder: Path) -> None:
    if not folder.exists():
        print(f"skipped: {folder} is not here")
        return
    truth = json.loads((folder / "ground-truth.json").read_text("utf-8"))
    readers: dict[str, Callable[[bytes, str], str]] = {
        "dragtor": dragtor_text,
        "trafilatura": trafilatura_text,
    }
    figures: dict[str, dict[str, float]] = {}
    print(f"{len(truth)} pages        F1  precision  recall")
    for name, read in readers.items():
        rows = []
        for key, entry in truth.items():
            page = gzip.decompress((folder / "html" / f"{key}.html.gz").read_bytes())
            rows.append(scores(read(page, entry.get("url", "")), entry["articleBody"]))
        f1, precision, recall = (mean(column) for column in zip(*rows, strict=True))
        print(f"{name:12} {f1:8.4f} {precision:10.4f} {recall:7.4f}")
        figures[name] = {"f1": round(f1, 4), "precision": round(precision, 4)}
        figures[name]["recall"] = round(recall, 4)
    save("extraction", {"pages": len(truth), **figures}, ["trafilatura", "lxml"])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA)
