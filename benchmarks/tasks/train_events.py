"""Tune the adapter that points at events, as the shipped one was.

Builds its data from ../shared/data (half of the dialogues and of the sentences are left for
measuring: `half` says which), then trains; writes data/runs/events. The shipped adapter came of
several runs, each going on from the one before (--start), and is the mean of the last two (--mean
A B): `.venv-train/bin/python benchmarks/tasks/train_events.py` takes the settings of each.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dragtor.training.events.train import TrainConfig

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
SGD_TODAY = datetime.date(2019, 3, 1)
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
SLOTS = {"event_name": "action", "event_time": "time", "event_location": "location"}
_DATES = re.compile(
    rf"(?:the )?day after tomorrow|\btoday\b|\btomorrow\b"
    rf"|\b(?:next week )?(?:on )?(?:next |this |coming )?(?:{'|'.join(DAYS)})\b"
    rf"(?: (?:of )?(?:next|this) week)?(?: the \d{{1,2}}(?:st|nd|rd|th))?"
    rf"|\b(?:the )?\d{{1,2}}(?:st|nd|rd|th)"
    rf"(?: (?:day )?of (?:this month|the month|march))?(?: march)?\b"
    rf"|\bmarch (?:the )?\d{{1,2}}(?:st|nd|rd|th)?\b|\b\d{{1,2}} (?:of )?march\b",
    re.I,
)


def half(key: str) -> bool:
    """Whether this text is for training; the others are for measuring."""
    return hashlib.sha256(key.encode()).digest()[0] % 2 == 0


def dialogues(training: bool) -> Iterator[dict[str, Any]]:
    """The user's turns of each dialogue as one text, with what they state of the gold event."""
    for line in (SHARED / "sgd_calendar" / "dialogues.jsonl").open(encoding="utf-8"):
        dialogue = json.loads(line)
        if half(dialogue["dialogue_id"]) == training:
            for joint in ("\n", " "):
                if (found := stated(dialogue["turns"], joint)) is not None:
                    yield found


def stated(turns: list[dict[str, Any]], joint: str) -> dict[str, Any] | None:
    """Text and spans of one dialogue; None where the event has no name in it."""
    text, spans, gold = "", {}, {}
    for turn in turns:
        for frame in turn["calendar"]:
            call = frame.get("service_call") or {}
            if call.get("method") == "AddEvent":
                gold = call["parameters"]
        if turn["speaker"] != "USER":
            continue
        text += joint if text else ""
        for frame in turn["calendar"]:
            for slot in frame["slots"]:
                if slot["slot"] in SLOTS:
                    place = (len(text) + slot["start"], len(text) + slot["exclusive_end"])
                    spans[SLOTS[slot["slot"]]] = [place]
        text += turn["utterance"]
    for slot, name in SLOTS.items():
        value = gold.get(slot, "")
        at = text.lower().rfind(value.lower()) if value and slot != "event_time" else -1
        if name not in spans and at >= 0:
            spans[name] = [(at, at + len(value))]
    wanted = datetime.date.fromisoformat(gold["event_date"])
    days = [match.span() for match in _DATES.finditer(text) if means(match[0].lower(), wanted)]
    if days:
        spans["date"] = [days[-1]]
    return {"event_text": text, "output": gold, "spans": [spans]} if "action" in spans else None


def means(phrase: str, wanted: datetime.date) -> bool:
    """Whether a phrase of these dialogues can mean the day that is wanted."""
    if numbers := re.findall(r"\d+", phrase):
        return int(numbers[0]) == wanted.day
    for word, days in (("day after tomorrow", 2), ("tomorrow", 1), ("today", 0)):
        if word in phrase:
            return wanted == SGD_TODAY + datetime.timedelta(days)
    return DAYS[wanted.weekday()] in phrase


def quiet(training: bool) -> Iterator[str]:
    """Sentences and short passages without an event."""
    some: list[str] = []
    for path in sorted((SHARED / "recognizers_datetime").glob("DateTimeModel*.jsonl")):
        rows = [json.loads(line) for line in path.open(encoding="utf-8")]
        some += [row["Input"] for row in rows if not row["Results"]]
    for line in (SHARED / "covid_qa" / "corpus.jsonl").open(encoding="utf-8"):
        some += sentences(json.loads(line)["text"])[5:60:6]
    for line in (SHARED / "medquad" / "consumer.jsonl").open(encoding="utf-8"):
        some += sentences(json.loads(line)["answer"])[1:40:7]
    tagged = (SHARED / "conll2003" / "train.txt").read_text("utf-8").split("\n\n")
    news = [" ".join(row.split("\t")[0] for row in part.splitlines()) for part in tagged]
    some += [*news[::3], *(". ".join(news[at : at + 3]) for at in range(0, len(news) - 3, 11))]
    films = (SHARED / "sst2" / "train.tsv").read_text("utf-8").splitlines()
    some += [row.split("\t")[0] for row in films[::9]]
    for path in sorted((SHARED / "podcast_transcripts").rglob("*.md"))[::9]:
        some += sentences(path.read_text("utf-8", "replace"))[10:200:19]
    made = {" ".join(text.split()) for text in some if 4 < len(text) < 420}
    return (text for text in sorted(made) if half(text) == training)


def sentences(text: str) -> list[str]:
    """Sentences, roughly."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", text)


def build(folder: Path, silent: int) -> list[Path]:
    """Write the training files; returns them with the records of calendar_events first."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(7)
    chosen = draw.sample(sorted(quiet(True)), silent)
    rows = {
        "dialogues": list(dialogues(True)),
        "quiet": [{"event_text": text, "output": None} for text in chosen],
    }
    files = []
    for name, records in rows.items():
        files.append(folder / f"{name}.jsonl")
        lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in records]
        files[-1].write_text("".join(lines), "utf-8")
    return [SHARED / "calendar_events" / "train.jsonl", *files]


def mean(paths: list[Path], base: Path, out: Path) -> Path:
    """The mean of adapters of one run and one that went on from it."""
    from dragtor.training.events.llama import read_gguf
    from dragtor.training.lora import read_adapter, write_adapter

    scale = TrainConfig(base).scale
    some = [read_adapter(path, scale) for path in paths]
    both = {name: sum(one[name] for one in some) / len(some) for name in some[0]}
    out.mkdir(parents=True, exist_ok=True)
    shape, _, _ = read_gguf(base)
    write_adapter(out / "mean.gguf", shape, both, scale, f"events over {base.stem}")
    return out / "mean.gguf"


def parser() -> argparse.ArgumentParser:
    """The settings of one run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "data" / "runs" / "events")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--made", type=int, default=1800)
    parser.add_argument("--quiet", type=int, default=700)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--rank", type=int, default=32)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--start", type=Path, help="an adapter to go on from")
    parser.add_argument("--mean", type=Path, nargs=2, help="instead: two adapters' mean")
    return parser


def base_model() -> Path:
    """The weights that the adapter is for."""
    from dragtor.config import load_config, models_path
    from dragtor.models import model_path

    return model_path("smollm2-135m", models_path(load_config().models))


def run(arguments: Sequence[str] = ()) -> dict[str, Any]:
    """Build and train; the figures of the run, its settings and its history."""
    from dragtor.training.events.train import train
    from dragtor.training.loop import LoopConfig

    chosen = parser().parse_args(arguments)
    loop = LoopConfig(
        epochs=chosen.epochs,
        learning_rate=chosen.rate,
        evaluate_every=chosen.every,
        seed=chosen.seed,
    )
    config = TrainConfig(
        base=base_model(), loop=loop, made=chosen.made, rank=chosen.rank, start=chosen.start
    )
    files = build(chosen.out / "data", chosen.quiet)
    trained = train(files, chosen.out, config)
    told = {key: trained.metrics[key] for key in ("examples", "held_out", "not_found", "best_step")}
    figures = {**told, "arguments": vars(chosen), "history": trained.metrics["history"]}
    found: dict[str, Any] = json.loads(json.dumps(figures, default=str))
    return found


if __name__ == "__main__":
    chosen = parser().parse_args()
    if chosen.mean:
        sys.stdout.write(f"{mean(chosen.mean, base_model(), chosen.out)}\n")
    else:
        json.dump(run(sys.argv[1:]), sys.stdout, indent=2)
