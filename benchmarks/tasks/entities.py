"""The people and companies of pictures: found, right, split, merged, and how soon.

mails: the 36 mail pictures of ../shared/data/email_screenshots, all, and the half on which no rule
was looked at; rendered: its 12 mails and chats; drawn: pictures of mail_pictures.py, of seeds that
no rule was looked at on. Rules and thresholds were chosen on the other half, on six of the rendered
ones and on seeds 7 and 23. Times are of the process: the first entity, and the whole picture.
"""

from __future__ import annotations

import hashlib
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from common import DATA, Shown

sys.path.append(str(Path(__file__).resolve().parents[1]))
from mail_pictures import make

from dragtor import Library
from dragtor.config import load_config
from dragtor.evaluate.entities import evaluate

FOLDER = DATA / "email_screenshots"
DRAWN_SEED = 4021
MB = 1024


def run(every: int = 1, drawn: int = 40, show: bool = False) -> dict[str, Any]:
    """With `every`, of each set that many pictures apart."""
    config = load_config()
    found: dict[str, Any] = {"speed": _speed(every)}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        make(place / "drawn", drawn, DRAWN_SEED)
        sets = {
            "mails": _part(FOLDER, place / "mails", every),
            "unseen": _part(FOLDER, place / "unseen", every, unseen=True),
            "rendered": _part(FOLDER / "rendered", place / "rendered", every),
            "drawn": place / "drawn",
        }
        for name, each in sets.items():
            result = evaluate(each, config, reporter=Shown(20))
            found[name] = result["metrics"] | {"n": result["n"]}
            if show:
                print(json.dumps({name: result["wrong"]}, ensure_ascii=False, indent=1))
    found["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MB
    return found


def _part(folder: Path, place: Path, every: int, unseen: bool = False) -> Path:
    """A folder with some rows of another and its pictures."""
    rows = [json.loads(line) for line in (folder / "gold.jsonl").open(encoding="utf-8")]
    if unseen:
        rows = sorted(rows, key=lambda row: hashlib.sha256(row["id"].encode()).hexdigest())
        rows = rows[len(rows) // 2 :]
    place.mkdir()
    for row in rows:
        row["image"] = str(folder / row["image"])
    text = "".join(json.dumps(row) + "\n" for row in rows[::every])
    (place / "gold.jsonl").write_text(text, "utf-8")
    return place


def _speed(every: int) -> dict[str, Any]:
    """Seconds to the first and to the last entity of each picture; the first picture apart."""
    firsts, wholes = [], []
    pictures = sorted((FOLDER / "screenshots").glob("*.png"))[:: 3 * every]
    with tempfile.TemporaryDirectory() as folder, Library(folder) as library:
        for picture in pictures:
            begun = time.perf_counter()
            stream = library.extract_entities(picture)
            next(stream, None)
            firsts.append(time.perf_counter() - begun)
            list(stream)
            wholes.append(time.perf_counter() - begun)
    return {
        "cold_first_s": round(firsts[0], 2),
        "cold_whole_s": round(wholes[0], 2),
        "first_s": round(statistics.median(firsts[1:]), 3),
        "whole_s": round(statistics.median(wholes[1:]), 3),
        "whole_max_s": round(max(wholes[1:]), 3),
    }


if __name__ == "__main__":
    print(json.dumps(run(show=True), indent=1))
