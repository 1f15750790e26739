"""Which claims their evidence is said to support: by the rules, by a reader, and by both.

`run` and `with_reader` accept or refuse the claims of tests/data/claims.jsonl, whose half "train"
is for tuning: the rules were written on it, a reader's thresholds are fitted on it. `held_out` asks
a reader alone about two data sets that are in no training, as RAGTruth does: is what was written
unsupported?
"""

from __future__ import annotations

import json
import lzma
import math
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from common import DATA, Shown, open_reader

from dragtor import metrics
from dragtor.config import AnswerConfig
from dragtor.evaluate.common import counted
from dragtor.ground import TextSpan
from dragtor.parts import open_support
from dragtor.retrieve import titled
from dragtor.split import sentences
from dragtor.types import Document, Hit, Passage

PATH = Path(__file__).resolve().parents[2] / "tests" / "data" / "claims.jsonl"
READING = DATA / "reading"
FALSE_ACCEPTS = 0.1  # a threshold lets through at most this share of the train half
SUMMARIES = ("scitldr", "podcast", "sales_call", "sales_email")  # of SummEdits
WHOLE = ("scitldr",)  # in no training; of the others, what is written from LONG_WORDS or more
LONG_WORDS = 251
WINDOW_CHARACTERS = 900  # of evidence that is read at once, in whole sentences

Row = Mapping[str, Any]


def run() -> dict[str, Any]:
    """The rules. By half: recall of supported claims, false accepts, accepted by kind."""
    rows = claims()
    started = time.process_time()
    accepted = by_rules(rows)
    milliseconds = (time.process_time() - started) * 1000 / len(rows)
    return halves(rows, accepted) | {"ms_a_pair": round(milliseconds, 2)}


def with_reader(reader: str = "reader") -> dict[str, Any]:
    """The same by rules, by the reader alone, where both accept, and where either does."""
    rows, opened = claims(), open_reader(reader)
    begun = time.perf_counter()
    scores = [
        opened.entail(row["claim"], [evidence(row)])[0].supported
        for row in counted(rows, "claims", Shown(50))
    ]
    milliseconds = (time.perf_counter() - begun) * 1000 / len(rows)
    rules = by_rules(rows)
    found: dict[str, Any] = {"reader": opened.name, "ms_a_pair": round(milliseconds, 1)}
    for name, accepted, threshold in (("rules", rules, None), *combined(rows, scores, rules)):
        found[name] = halves(rows, accepted) | {"threshold": threshold}
    return found


def claims() -> list[dict[str, Any]]:
    """The rows of both halves."""
    return [json.loads(line) for line in PATH.read_text("utf-8").splitlines()]


def by_rules(rows: Sequence[Row]) -> list[bool]:
    """Whether the rules find each claim supported."""
    support = open_support(AnswerConfig().domain)
    return [support.verify(row["claim"], [span(row)])[0].label == "supported" for row in rows]


def span(row: Row) -> TextSpan:
    """The quote as a document of its own."""
    document = Document("", "", "file", row["title"], row["quote"])
    passage = Passage.of(document, 0, len(document.text), row["heading"])
    return TextSpan(Hit(passage, 1.0), document, 0, len(document.text))


def evidence(row: Row) -> str:
    """The quote as a reader reads passages."""
    return titled(row["title"], span(row).hit.passage)


def combined(
    rows: Sequence[Row], scores: Sequence[float], rules: Sequence[bool]
) -> Iterator[tuple[str, list[bool], float | None]]:
    """(name, accepted, threshold) of each way to decide; thresholds fitted on the train half.

    None where it is best that the reader accepts nothing by itself.
    """
    never, always = -math.inf, math.inf
    pairs = list(zip(scores, rules, strict=True))
    ways = {
        "reader": [score for score, _ in pairs],
        "both": [score if ruled else never for score, ruled in pairs],
        "either": [always if ruled else score for score, ruled in pairs],
    }
    train = [i for i, row in enumerate(rows) if row["split"] == "train"]
    for name, own in ways.items():
        threshold = fitted([own[i] for i in train], [rows[i]["supported"] for i in train])
        told = round(threshold, 4) if math.isfinite(threshold) else None
        yield name, [score >= threshold for score in own], told


def fitted(scores: Sequence[float], supported: Sequence[bool]) -> float:
    """The threshold that keeps most supported claims while FALSE_ACCEPTS holds.

    Infinite where none does, so that the reader accepts nothing by itself.
    """

    def worth(threshold: float) -> tuple[bool, float, float]:
        shares = rates([score >= threshold for score in scores], supported)
        held = shares["false_accept"] <= FALSE_ACCEPTS
        return held, shares["recall"] if held else -shares["false_accept"], threshold

    return max((*filter(math.isfinite, set(scores)), math.inf), key=worth)


def rates(accepted: Sequence[bool], supported: Sequence[bool]) -> dict[str, float]:
    """Recall of what is supported, share of the rest that is accepted, precision."""
    right = sum(a and s for a, s in zip(accepted, supported, strict=True))
    wrong = sum(accepted) - right
    others = len(supported) - sum(supported)
    return {
        "recall": right / sum(supported) if any(supported) else 0.0,
        "false_accept": wrong / others if others else 0.0,
        "precision": right / (right + wrong) if right + wrong else 0.0,
    }


def halves(rows: Sequence[Row], accepted: Sequence[bool]) -> dict[str, Any]:
    """By half: the rates, with intervals, and what was accepted by kind."""
    found: dict[str, Any] = {}
    for half in ("train", "test"):
        pairs = [(r, a) for r, a in zip(rows, accepted, strict=True) if r["split"] == half]
        told = rates([a for _, a in pairs], [r["supported"] for r, _ in pairs])
        kinds: dict[str, list[bool]] = {}
        for row, took in pairs:
            kinds.setdefault(row["kind"], []).append(took)
        found[half] = {name: round(share, 3) for name, share in told.items()}
        for name, supported in (("recall", True), ("false_accept", False)):
            values = [float(a) for r, a in pairs if r["supported"] is supported]
            found[half][f"{name}_ci"] = [round(b, 3) for b in metrics.interval(values)]
        found[half]["accepted"] = {k: f"{sum(took)}/{len(took)}" for k, took in kinds.items()}
    return found


# Unsupported or not, as RAGTruth asks


@dataclass(frozen=True, slots=True)
class Written:
    """Something written from a text: its sentences, the text, and whether the text carries it."""

    source: str
    claims: tuple[str, ...]
    text: str
    supported: bool
    kind: str = ""


def held_out(reader: str = "reader", n: int = 200, checks: int = 0) -> dict[str, Any]:
    """AUC and F1 of the unsupported class by source, each source's threshold fitted on the others.

    Check-COVID (claims about abstracts, `checks` of them or all) and SummEdits (`n` summaries of
    each of abstracts, podcasts, sales calls and sales mails), of which nothing is trained on. A
    summary is as supported as its least supported sentence, that as by the best window of the text.
    """
    opened = open_reader(reader)
    rows = [*_drawn(list(check_covid()), checks)]
    for name in SUMMARIES:
        rows += _drawn(list(summaries(name)), n)
    scores = [unsupported(opened, row) for row in counted(rows, "written", Shown(10))]
    return {"reader": opened.name, "n": len(rows)} | by_source(rows, scores)


def unsupported(reader: Any, row: Written) -> float:
    """Probability that the text does not carry all that was written."""
    pieces = windows(row.text)
    best = [max(each.supported for each in reader.entail(claim, pieces)) for claim in row.claims]
    return 1 - min(best)


def windows(text: str, characters: int = WINDOW_CHARACTERS) -> list[str]:
    """The text in stretches of whole sentences, each beginning with the last one's last sentence.

    A stretch is at most `characters` long, or one sentence.
    """
    spans = sentences(text)
    found: list[str] = []
    first = 0
    for last, (_, end) in enumerate(spans):
        if end - spans[first][0] > characters and last > first:
            found.append(text[spans[first][0] : spans[last - 1][1]])
            first = last - 1 if end - spans[last - 1][0] <= characters else last
    return [*found, text[spans[first][0] : spans[-1][1]]] if spans else [text]


def by_source(rows: Sequence[Written], scores: Sequence[float]) -> dict[str, Any]:
    """The figures of each source, and their means under `mean`."""
    wanted = [not row.supported for row in rows]
    sources = list(dict.fromkeys(row.source for row in rows))
    found: dict[str, Any] = {}
    for source in sources:
        own = [i for i, row in enumerate(rows) if row.source == source]
        others = [i for i, row in enumerate(rows) if row.source != source]
        threshold = best_f1_threshold([scores[i] for i in others], [wanted[i] for i in others])
        said, gold = [scores[i] for i in own], [wanted[i] for i in own]
        found[source] = detection(said, gold, [rows[i].text for i in own], threshold)
    shared = ("auc", "f1", "balanced_accuracy")
    found["mean"] = {
        name: round(metrics.mean([found[source][name] for source in sources]), 4) for name in shared
    }
    return found


def best_f1_threshold(scores: Sequence[float], wanted: Sequence[bool]) -> float:
    """The score from which on to say yes, for the best F1 of yes; 0.5 of nothing."""
    best, threshold, right = 0.0, 0.5, 0
    ordered = sorted(zip(scores, wanted, strict=True), key=lambda pair: -pair[0])
    for said, (score, is_wanted) in enumerate(ordered, 1):
        right += is_wanted
        tied = said < len(ordered) and ordered[said][0] == score
        value = metrics.f1(right, said, sum(wanted))
        if value > best and not tied:
            best, threshold = value, score
    return threshold


def detection(
    scores: Sequence[float], wanted: Sequence[bool], texts: Sequence[str], threshold: float
) -> dict[str, Any]:
    """AUC, F1, precision and recall of the unsupported class, balanced accuracy; intervals."""
    said = [score >= threshold for score in scores]
    pairs = list(zip(said, wanted, strict=True))
    parts = [(2.0 * (s and w), float(s + w)) for s, w in pairs]
    right, told, n = sum(s and w for s, w in pairs), sum(said), sum(wanted)
    true_negative = sum(not s and not w for s, w in pairs)
    bounds = metrics.auc_interval(scores, wanted, texts)
    return {
        "n": len(wanted),
        "unsupported": n,
        "auc": round(metrics.auc(scores, wanted) or 0.5, 4),
        "auc_ci": [round(bound, 4) for bound in bounds],
        "f1": round(metrics.f1(right, told, n), 4),
        "f1_ci": [round(bound, 4) for bound in metrics.ratio_interval(parts)],
        "all_unsupported_f1": round(metrics.f1(n, len(wanted), n), 4),
        "precision": round(right / told, 4) if told else 0.0,
        "recall": round(right / n, 4) if n else 0.0,
        "balanced_accuracy": round(
            metrics.mean([right / max(n, 1), true_negative / max(len(wanted) - n, 1)]), 4
        ),
        "threshold": round(threshold, 4),
    }


def check_covid() -> Iterator[Written]:
    """Claims of news and what an abstract says of them."""
    folder = READING / "check_covid"
    texts = {each["cord_id"]: each for each in _packed_lines(folder / "corpus.json.xz")}
    for row in _packed_lines(folder / "Check-COVID_all.json.xz"):
        if about := texts.get(row["cord_id"]):
            text = "\n".join((about["title"], " ".join(about["abstract"])))
            supported = row["label"] == "SUPPORT"
            yield Written("check_covid", (row["claim"],), text, supported, row["label"])


def summaries(name: str) -> Iterator[Written]:
    """Summaries of one domain of SummEdits, some with an edit that breaks them."""
    with lzma.open(READING / "summedits" / f"{name}.json.xz", "rt", encoding="utf-8") as file:
        for row in json.load(file):
            if name not in WHOLE and len(row["doc"].split()) < LONG_WORDS:
                continue
            summary = row["summary"]
            told = tuple(summary[start:end] for start, end in sentences(summary))
            kinds = ", ".join(row["edit_types"])
            yield Written(name, told or (summary,), row["doc"], bool(row["label"]), kinds)


def _packed_lines(path: Path) -> Iterator[dict[str, Any]]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())


def _drawn(rows: list[Written], n: int) -> list[Written]:
    return random.Random(7).sample(rows, n) if 0 < n < len(rows) else rows
