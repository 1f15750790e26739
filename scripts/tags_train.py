"""Train the head set `tags` and pack what ships of it: assets/tags.heads.

    python scripts/tags_data.py ../shared/data data/tags
    .venv-train/bin/python scripts/tags_train.py data/tags ../shared/data/sst2 data/runs/tags BASE

BASE is the float32 graph of all-minilm-l6-v2 (hf:Xenova/all-MiniLM-L6-v2/onnx/model.onnx).
Goes on where it was cut off. The base is not shipped: the adapter holds what training
changed, in RANK directions a matrix, and the heads; `dragtor models pull tags` joins them.
Says the adapter's hash for config/models.yml.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from dragtor.config import load_config, models_path
from dragtor.encoder.heads import HeadSet
from dragtor.models.disk import sha256
from dragtor.models.heads import pack_adapter
from dragtor.training.encoder import export
from dragtor.training.encoder.batches import WindowCoder
from dragtor.training.encoder.model import HeadedModel, open_encoder
from dragtor.training.encoder.options import train_config
from dragtor.training.encoder.train import (
    GRAPH_FP32,
    TaskFile,
    TrainEncoderConfig,
    base_folder,
    read_sets,
    train_heads,
)
from dragtor.types import Reporter

ROOT = Path(__file__).resolve().parents[1]
ASSET = ROOT / "assets" / "tags.heads"
RANK = 96
SETS = ("wikigold", "ewt", "re3d", "gum", "btc")
SENTIMENT = {"0": "negative", "1": "positive"}


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


def settings() -> TrainEncoderConfig:
    """The shipped heads were trained so; the embeddings stay the base's."""
    made = train_config(
        base="all-minilm-l6-v2", max_tokens=256,
        model={"pooling": "mean", "shapes": True, "dropout": 0.1, "freeze": ("embeddings",),
               "rank": 0},
        mix={"power": 1.0, "uncertainty": False, "batch": 32, "weights": None},
        loop={"epochs": 5, "learning_rate": 2e-4, "warmup": 0.1, "seed": 7, "evaluate_every": 0,
              "patience": 99},
    )  # fmt: skip
    return replace(made, keep_fp32=True)


def pack(run: Path, files: list[TaskFile], config: TrainEncoderConfig, base: Path) -> float:
    """Write the adapter of a finished run; the largest relative error of a matrix."""
    folder = base_folder(config.base, models_path(load_config().models))
    heads = HeadSet.read(run / "heads.json", "")
    plain = HeadedModel(open_encoder(folder), heads.heads, config.model, config.loop.seed)
    coder = WindowCoder(tokenizer(run), config.max_tokens)
    data = read_sets(files[-1:], config.validation, config.loop.seed).learn["sentiment"][0]
    probes = [w for one in data.examples[:30] for w in coder.windows(one, heads.heads[-1], 0)]
    export.write_graph(plain, run / "plain.onnx", probes, 0)
    return pack_adapter(run / GRAPH_FP32, run / "plain.onnx", base, run / "heads.json", RANK, ASSET)


def tokenizer(run: Path) -> object:
    """As the run left it."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(run / "tokenizer.json"))


def main(sets: Path, sst2: Path, run: Path, base: Path) -> None:
    """Train, pack, and say what came of it."""
    files, config = task_files(sets, sst2), settings()
    train_heads(files, run, config, models_dir=models_path(load_config().models), reporter=Told())
    described = HeadSet.read(run / "heads.json", "")
    replace(described, name="tags").write(run)
    worst = pack(run, files, config, base)
    megabytes = ASSET.stat().st_size / 1e6
    print(f"{ASSET.name}: {megabytes:.1f} MB, error {worst:.2g}, sha256 {sha256(ASSET)}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:5]))
