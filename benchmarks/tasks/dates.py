"""How many mentions of a time the resolver of dates finds, and what it leaves alone.

The sentences of recognizers_datetime (English DateTimeModel) that are here. A gold mention counts
as found when a mention has its characters (case and outer punctuation aside) and one of our values
is one of its values: start and end of a range, the TIMEX of a recurrence, else the value. The
sentences are also parted in two by a hash of their text: rules were first written on the first half
alone, see docs/dates.md. Then sentences of other data that name no time, and the speed.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from dragtor.dates import Mention, mentions

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
NOW = "2016-11-07T00:00:00"  # where a sentence states none
SAMPLE = 200
SEED = 5
OUTER = " .,;:!?'\"()"
SAYS_TIME = re.compile(
    r"\d|\b(january|february|april|june|july|august|september|october|november|december"
    r"|(mon|tues|wednes|thurs|fri|satur|sun)days?|(to|yester|holi|week|birth)?days?|tomorrow|tonight"
    r"|nights?|nightly|overnight|mornings?|afternoons?|evenings?|noon|midnight|hours?|minutes?|seconds"
    r"|weeks?|weekends?|fortnights?|months?|quarters?|years?|decades?|centur(y|ies)|daily|weekly"
    r"|monthly|quarterly|annual(ly)?|yearly|hourly|christmas|easter|seasons?|summer|winter|autumn"
    r"|(nine|two) thousand|(seven|eigh|nine)ties|clock)\b",
    re.IGNORECASE,
)


def sentences() -> Iterator[dict[str, Any]]:
    """The English sentences with their gold."""
    for line in (DATA / "recognizers_datetime" / "DateTimeModel.jsonl").open(encoding="utf-8"):
        yield json.loads(line)


def second_half(text: str) -> bool:
    """Whether the sentence belongs to the half that no rule was first written on."""
    return int(hashlib.sha256(text.encode()).hexdigest(), 16) % 2 == 1


def kind_of(gold: dict[str, Any]) -> str:
    """datetimeV2.date; three of them spell the key otherwise."""
    return str(gold.get("TypeName") or gold.get("Typename"))


def found(text: str, gold: dict[str, Any], mention: Mention) -> bool:
    """Whether the mention has the span of the gold and one of its values."""
    start, end = gold["Start"], gold["End"] + 1
    same = text[start:end].lower().strip(OUTER) == text[mention.start : mention.end].lower().strip(
        OUTER
    )
    if not same or mention.end <= start or end <= mention.start:
        return False
    for value in gold["Resolution"]["values"]:
        if kind_of(gold).endswith(".set"):
            if mention.timex == value.get("timex"):
                return True
        elif "start" in value or "end" in value:
            ends = value.get("start", ""), value.get("end", "")
            if any((ours.start, ours.end) == ends for ours in mention.values):
                return True
        elif any(ours.value == value.get("value") for ours in mention.values):
            return True
    return False


def now_of(record: dict[str, Any]) -> datetime:
    """The moment the sentence is read at."""
    return datetime.fromisoformat((record.get("Context") or {}).get("ReferenceDateTime", NOW))


def gold_of(record: dict[str, Any]) -> list[dict[str, Any]]:
    """Its gold mentions that have a value."""
    return [g for g in record["Results"] if (g.get("Resolution") or {}).get("values")]


def rights(record: dict[str, Any]) -> list[bool]:
    """Of each gold mention whether it is found."""
    text, ours = record["Input"], mentions(record["Input"], now_of(record))
    return [any(found(text, g, m) for m in ours) for g in gold_of(record)]


def score(records: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Shares and counts, by kind too."""
    good: Counter[str] = Counter()
    total: Counter[str] = Counter()
    extra = negatives = silent = 0
    for record in records:
        ours, gold = mentions(record["Input"], now_of(record)), gold_of(record)
        for g, right in zip(gold, rights(record), strict=True):
            kind = kind_of(g).rpartition(".")[2]
            total[kind] += 1
            good[kind] += right
        extra += sum(
            not any(m.start <= g["End"] and g["Start"] < m.end for g in gold) for m in ours
        )
        if not record["Results"]:
            negatives += 1
            silent += not ours
    return {
        "found": round(sum(good.values()) / sum(total.values()), 4),
        "mentions": sum(total.values()),
        "by_kind": {kind: f"{good[kind]} of {n}" for kind, n in total.most_common()},
        "beside_any_gold": extra,
        "negatives_left_alone": f"{silent} of {negatives}",
    }


def texts() -> dict[str, list[str]]:
    """Running text of other data: medicine, news, film reviews."""
    found = {}
    for name in ("covid_qa", "scifact"):
        lines = (DATA / name / "corpus.jsonl").open(encoding="utf-8")
        found[name] = [json.loads(line)["text"] for line in lines]
    lines = (DATA / "medquad" / "consumer.jsonl").open(encoding="utf-8")
    found["medquad"] = [json.loads(line)["answer"] for line in lines]
    abstracts = json.loads((DATA / "pubmedqa" / "pqal.json").read_text("utf-8")).values()
    found["pubmedqa"] = [" ".join(record["CONTEXTS"]) for record in abstracts]
    words = [line.split() for line in (DATA / "conll2003" / "test.txt").open(encoding="utf-8")]
    found["conll2003"] = " ".join(word[0] if word else "\n" for word in words).split("\n")
    lines = (DATA / "sst2" / "dev.tsv").open(encoding="utf-8")
    found["sst2"] = [line.rpartition("\t")[0] for line in lines]
    return found


def date_free() -> list[str]:
    """As many sentences of each source, without digits or plain words of time."""
    chosen: list[str] = []
    rng = random.Random(SEED)
    sources = texts()
    for n, documents in enumerate(sources.values()):
        pieces = [
            piece.strip()
            for text in rng.sample(documents, min(200, len(documents)))
            for piece in re.split(r"(?<=[.!?])\s+|\n+", text[:5000])
            if 30 <= len(piece.strip()) <= 300 and not SAYS_TIME.search(piece)
        ]
        share = (SAMPLE - len(chosen)) // (len(sources) - n)
        chosen += rng.sample(pieces, min(share, len(pieces)))
    return chosen


def recognizers() -> dict[str, Any]:
    """The sentences with gold, by half; those without a time; the speed."""
    records = list(sentences())
    halves = [[r for r in records if second_half(r["Input"]) == side] for side in (False, True)]
    now = datetime(2026, 11, 20, 9)
    free = date_free()
    touched = [text for text in free if mentions(text, now)]
    long = " ".join(r["Input"] for r in records)
    long *= 1_000_000 // len(long) + 1
    started = time.process_time()
    number = len(mentions(long[:1_000_000], now))
    return {
        "all": score(records),
        "first_half": score(halves[0]),
        "second_half": score(halves[1]),
        "date_free": {
            "sentences": len(free),
            "left_alone": len(free) - len(touched),
            "touched": touched,
        },
        "speed": {
            "characters": 1_000_000,
            "mentions": number,
            "processor_seconds": round(time.process_time() - started, 2),
        },
    }
