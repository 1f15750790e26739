"""Train the head set `tags` twice and pack what ships of the mean: assets/tags.heads.

    python scripts/tags_data.py ../shared/data data/tags
    .venv-train/bin/python scripts/tags_train.py data/tags ../shared/data/sst2 data/runs/tags BASE

BASE is the float32 graph of all-minilm-l6-v2 (hf:Xenova/all-MiniLM-L6-v2/onnx/model.onnx).
Goes on where it was cut off. The base is not shipped: the adapter holds what training
changed, in RANK directions a matrix, and the heads; `dragtor models pull tags` joins them.
Says the adapter's hash for config/models.yml.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dragtor.config import load_config, models_path
from dragtor.encoder.heads import Head, HeadSet
from dragtor.models.disk import sha256
from dragtor.models.heads import pack_adapter
from dragtor.training.checkpoints import Checkpoint
from dragtor.training.encoder import export
from dragtor.training.encoder.batches import HeadWindow, WindowCoder
from dragtor.training.encoder.model import HeadedModel, open_encoder
from dragtor.training.encoder.options import train_config
from dragtor.training.encoder.sets import TaskFile, read_sets
from dragtor.training.encoder.task import EncoderTask
from dragtor.training.encoder.train import (
    TrainEncoderConfig,
    base_folder,
    calibrated_heads,
    train_heads,
)
from dragtor.types import NEVER, Reporter

ROOT = Path(__file__).resolve().parents[1]
ASSET = ROOT / "assets" / "tags.heads"
RANK = 128
SEEDS = (7, 8)
PROBES = 30
SETS = ("wikigold", "ewt", "re3d", "gum", "btc")
SENTIMENT = {"0": "negative", "1": "positive"}


@dataclass(frozen=True)
class Mean:
    """The mean of runs, and windows to check its graph with."""

    model: HeadedModel
    heads: tuple[Head, ...]
    probes: list[HeadWindow]


class Told(Reporter):
    """Notes on stderr."""

    def note(self, text: str) -> None:
        """One line."""
        print(text, file=sys.stderr, flush=True)


def task_files(sets: Path, sst2: Path) -> list[TaskFile]:
    """Names and sentiment, each with what is held out of it."""
    files = [
        TaskFile(sets / f"{name}.conll", "entities", held=sets / f"{name}_dev.conll")
        for name in SETS
    ]
    sentiment = TaskFile(sst2 / "train.tsv", "sentiment", held=sst2 / "dev.tsv", mapping=SENTIMENT)
    return [*files, sentiment]


def settings(seed: int) -> TrainEncoderConfig:
    """The shipped heads were trained so; the embeddings stay the base's."""
    return train_config(
        base="all-minilm-l6-v2", max_tokens=256,
        model={"pooling": "mean", "shapes": True, "dropout": 0.1, "freeze": ("embeddings",),
               "rank": 0},
        mix={"power": 1.0, "uncertainty": False, "batch": 32, "weights": None},
        loop={"epochs": 5, "learning_rate": 2e-4, "warmup": 0.1, "seed": seed, "evaluate_every": 0,
              "patience": 99},
    )  # fmt: skip


def mean_model(runs: list[Path], files: list[TaskFile], config: TrainEncoderConfig) -> Mean:
    """The mean of the runs' best weights (Wortsman et al. 2022), heads calibrated anew."""
    import torch

    sets = read_sets(files, config.validation, config.loop.seed)
    folder = base_folder(config.base, models_path(load_config().models))
    model = HeadedModel(open_encoder(folder), sets.heads, config.model, config.loop.seed)
    coder = WindowCoder(tokenizer(runs[0]), config.max_tokens)
    best = [found.best for run in runs if (found := Checkpoint.load(run))]
    with torch.no_grad():
        for name, value in model.tensors().items():
            value.copy_(sum(one[name] for one in best) / len(best))
    learn = {head: files_of[:1] for head, files_of in sets.learn.items()}
    task = EncoderTask(model, learn, sets.held, coder, config.mix, pad=0, seed=config.loop.seed)
    probes = [w for name in sets.held for w in task.probe_windows(name)][:PROBES]
    return Mean(model, calibrated_heads(task, sets, NEVER), probes)


def pack(out: Path, mean: Mean, config: TrainEncoderConfig, base: Path) -> float:
    """Write the adapter of the mean; the largest relative error of a matrix."""
    described = HeadSet(
        name="tags", base=config.base, pooling=config.model.pooling, heads=mean.heads,
        max_tokens=config.max_tokens, shapes=config.model.shapes,
    )  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    export.write_graph(mean.model, out / "graph.onnx", mean.probes, 0)
    replace(described, weights=sha256(out / "graph.onnx")).write(out)
    folder = base_folder(config.base, models_path(load_config().models))
    plain = HeadedModel(open_encoder(folder), mean.heads, config.model, config.loop.seed)
    export.write_graph(plain, out / "plain.onnx", mean.probes, 0)
    return pack_adapter(
        out / "graph.onnx", out / "plain.onnx", base, out / "heads.json", RANK, ASSET
    )


def tokenizer(run: Path) -> Any:
    """As the run left it."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(run / "tokenizer.json"))


def main(sets: Path, sst2: Path, out: Path, base: Path) -> None:
    """Train, take the mean, pack it, and say what came of it."""
    files, models = task_files(sets, sst2), models_path(load_config().models)
    for seed in SEEDS:
        train_heads(files, out / f"{seed}", settings(seed), models_dir=models, reporter=Told())
    runs = [out / f"{seed}" for seed in SEEDS]
    worst = pack(out, mean_model(runs, files, settings(SEEDS[0])), settings(SEEDS[0]), base)
    megabytes = ASSET.stat().st_size / 1e6
    print(f"{ASSET.name}: {megabytes:.1f} MB, error {worst:.2g}, sha256 {sha256(ASSET)}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
