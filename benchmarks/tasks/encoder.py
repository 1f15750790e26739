"""One encoder for two tasks against one for each: SST-2 and CoNLL-2003, three seeds.

Every run is trained into data/runs/encoder/ and goes on where it was cut off; settings were chosen
on the development sets, the tests are read once a run. Differences are of the mean over seeds, by
a bootstrap over the test's texts, the same texts for both. Then, of the first seed: int8 against
float32, and the joint graph against two graphs one after the other.
"""

from __future__ import annotations

import random
import shutil
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
RUNS = ROOT / "data" / "runs" / "encoder"
TASKS = {
    "ner": ("conll2003/train.txt", "conll2003/dev.txt", "conll2003/test.txt"),
    "sst2": ("sst2/train.tsv", "sst2/dev.tsv", "sst2/test.tsv"),
}
WAYS = {"joint": ("ner", "sst2"), "ner": ("ner",), "sst2": ("sst2",)}
SEEDS = (7, 8, 9)
ROUNDS = 1000  # of the bootstrap

Counts = list[tuple[float, float]]  # of each text: numerator and denominator of the figure


def settings(way: str, seed: int) -> Any:
    """As chosen on the development sets."""
    from dragtor.training.encoder.options import train_config

    return replace(
        train_config(
            base="all-minilm-l6-v2", max_tokens=256,
            model={"pooling": "mean", "shapes": True, "dropout": 0.1, "freeze": (), "rank": 0},
            mix={"power": 1.0, "uncertainty": False, "batch": 32, "weights": None},
            loop={"epochs": 5, "learning_rate": 1e-4, "warmup": 0.1, "seed": seed,
                  "evaluate_every": 0, "patience": 9},
        ),
        keep_fp32=True,
    )  # fmt: skip


def trained(way: str, seed: int) -> Path:
    """The folder of a finished run."""
    from dragtor.config import load_config, models_path
    from dragtor.training.encoder.sets import TaskFile
    from dragtor.training.encoder.train import train_heads

    out = RUNS / f"{way}-{seed}"
    if not (out / "heads.json").exists():
        files = [
            TaskFile(SHARED / TASKS[name][0], name, held=SHARED / TASKS[name][1])
            for name in WAYS[way]
        ]
        models = models_path(load_config().models)
        train_heads(files, out, settings(way, seed), models_dir=models)
    return out


def float32(folder: Path) -> Path:
    """The same model with its float32 graph."""
    place = folder / "float32"
    if not place.exists():
        place.mkdir()
        for name in ("heads.json", "tokenizer.json"):
            shutil.copy(folder / name, place / name)
        shutil.copy(folder / "model.fp32.onnx", place / "model.onnx")
    return place


def counts(folder: Path, task: str) -> Counts:
    """Of each text of a test: (right, 1), or of spans (twice the right ones, said and wanted)."""
    from dragtor.encoder import Encoder
    from dragtor.encoder.data import read_task
    from dragtor.encoder.decode import runs
    from dragtor.metrics import span_counts

    data = read_task(SHARED / TASKS[task][2], name=task)
    encoder = Encoder.load(folder)
    if task == "sst2":
        said = encoder.predict([each.text for each in data.examples], [task])
        best = [max(one.classes[task].items(), key=lambda kv: kv[1])[0] for one in said]
        return [(float(a.label == b), 1.0) for a, b in zip(data.examples, best, strict=True)]
    made = encoder.predict_words([(each.text, each.words) for each in data.examples], task)
    out: Counts = []
    for example, (labels, _) in zip(data.examples, made, strict=True):
        right, told, wanted = span_counts({*runs(example.tags)}, {*runs(labels)})
        out.append((2.0 * right, float(told + wanted)))
    return out


def figure(rows: Counts) -> float:
    """Accuracy, or F1."""
    return sum(a for a, _ in rows) / max(1.0, sum(b for _, b in rows))


def difference(joint: Sequence[Counts], single: Sequence[Counts]) -> dict[str, Any]:
    """Means over the seeds, and the interval of their difference, texts drawn for all alike."""
    draw = random.Random(0)
    size = len(joint[0])
    gains = []
    for _ in range(ROUNDS):
        places = draw.choices(range(size), k=size)
        both = [
            statistics.fmean(figure([rows[i] for i in places]) for rows in side)
            for side in (joint, single)
        ]
        gains.append(both[0] - both[1])
    gains.sort()
    means = [statistics.fmean(map(figure, side)) for side in (joint, single)]
    return {
        "joint": round(means[0], 4), "single": round(means[1], 4),
        "joint_seeds": [round(figure(rows), 4) for rows in joint],
        "single_seeds": [round(figure(rows), 4) for rows in single],
        "difference": round(means[0] - means[1], 4),
        "lower": round(gains[round(0.025 * ROUNDS)], 4),
        "upper": round(gains[round(0.975 * ROUNDS) - 1], 4),
    }  # fmt: skip


def seconds(run: Callable[[], Any]) -> float:
    """Processor seconds."""
    begun = time.process_time()
    run()
    return time.process_time() - begun


def speeds(joint: Path, singles: Sequence[Path], rounds: int) -> dict[str, Any]:
    """One graph with both heads against two graphs, on the same texts, round by round."""
    from dragtor.encoder import Encoder
    from dragtor.encoder.data import read_task

    texts = [each.text for each in read_task(SHARED / TASKS["sst2"][2]).examples][:400]
    one = Encoder.load(joint)
    two = [Encoder.load(folder) for folder in singles]
    ratios = []
    for _ in range(rounds):
        alone = seconds(lambda: one.predict(texts))
        both = seconds(lambda: [each.predict(texts) for each in two])
        ratios.append(both / alone)
    return {"ratio": round(statistics.median(ratios), 2), "rounds": [round(r, 2) for r in ratios]}


def torch_speed(folder: Path, rounds: int) -> dict[str, Any]:
    """The int8 graph against torch in float32, padded batches of 32 as its users run it."""
    import torch
    from tokenizers import Tokenizer

    from dragtor.encoder import Encoder
    from dragtor.encoder.data import read_task
    from dragtor.encoder.heads import HeadSet
    from dragtor.training.encoder import batches
    from dragtor.training.encoder.model import HeadedModel, open_encoder
    from dragtor.training.encoder.train import base_folder, start_from
    from dragtor.training.lengths import by_length

    data = read_task(SHARED / TASKS["ner"][2], name="ner")
    heads = HeadSet.read(folder / "heads.json", "").heads
    made = settings("joint", 0)
    from dragtor.config import load_config, models_path

    base = base_folder(made.base, models_path(load_config().models))
    model = HeadedModel(open_encoder(base), heads, made.model, 0)
    start_from(model, folder)
    model.train(False)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    coder = batches.WindowCoder(tokenizer, 256)
    some = data.examples[:600]
    encoder = Encoder.load(folder)

    def by_torch() -> None:
        windows = [w for i, one in enumerate(some) for w in coder.windows(one, heads[0], i)]
        with torch.inference_mode():
            for part in by_length(windows, len, 1 << 20, random.Random(0), 32):
                given = batches.padded(part, 0)
                states = model.states(given)
                for head in heads:
                    model.logits(head, states, given["attention_mask"])

    def by_graph() -> None:
        encoder.predict([one.text for one in some])

    ratios = [seconds(by_torch) / seconds(by_graph) for _ in range(rounds)]
    return {"ratio": round(statistics.median(ratios), 2), "rounds": [round(r, 2) for r in ratios]}


def run(seeds: Sequence[int] = SEEDS, rounds: int = 7) -> dict[str, Any]:
    """Train what is not trained yet, and measure."""
    folders = {(way, seed): trained(way, seed) for seed in seeds for way in WAYS}
    found: dict[str, Any] = {"seeds": list(seeds)}
    for task in TASKS:
        joint = [counts(folders["joint", seed], task) for seed in seeds]
        single = [counts(folders[task, seed], task) for seed in seeds]
        whole = [counts(float32(folders["joint", seed]), task) for seed in seeds]
        found[task] = difference(joint, single)
        lost = statistics.fmean(figure(a) - figure(b) for a, b in zip(whole, joint, strict=True))
        found[task]["float32"] = round(statistics.fmean(map(figure, whole)), 4)
        found[task]["lost_by_int8"] = round(lost, 4)
    first = seeds[0]
    found["joint_speed"] = speeds(
        folders["joint", first], [folders["ner", first], folders["sst2", first]], rounds
    )
    found["torch_speed"] = torch_speed(folders["joint", first], rounds)
    return found
