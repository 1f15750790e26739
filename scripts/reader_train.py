"""Train the reader: spans, whether a passage answers, what supports a claim; and pack what ships.

    python scripts/reader_data.py data/reader
    dragtor models pull ms-marco-minilm-l12-torch
    .venv-train/bin/python scripts/reader_train.py data/reader data/runs/reader-1 [--base FOLDER]
    python scripts/reader_second.py data/reader data/reader-2
    .venv-train/bin/python scripts/reader_train.py data/reader-2 data/runs/reader-2 \
        --start data/runs/reader-1
    python scripts/reader_groups.py data/reader data/reader-2 data/reader-3
    .venv-train/bin/python scripts/reader_train.py data/reader-3 data/runs/reader \
        --start data/runs/reader-2 --rate 3e-5

Goes on where it was cut off and comes to the same numbers. OUT gets the head set (model.onnx,
heads.json, tokenizer.json), model.fp32.onnx and, with --pack BASE, reader.heads: what training
changed, in RANK directions a matrix, and the heads. BASE is model.onnx of ms-marco-minilm-l12, of
which `dragtor models pull` makes the reader again. --rows takes so many of each file, to try it.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from dragtor.config import load_config, models_path
from dragtor.encoder.heads import HEADS_FILE, HeadSet
from dragtor.models.disk import sha256
from dragtor.models.heads import pack_adapter
from dragtor.training.encoder import export
from dragtor.training.encoder.batches import WindowCoder
from dragtor.training.encoder.model import HeadedModel, open_encoder
from dragtor.training.encoder.options import train_config
from dragtor.training.encoder.sets import TaskFile, read_sets
from dragtor.training.encoder.train import (
    GRAPH_FP32,
    TOKENIZER,
    TrainEncoderConfig,
    base_folder,
    train_heads,
)
from dragtor.types import Reporter

BASE = "ms-marco-minilm-l12"
SETS = ("span", "answers", "supports")  # train/NAME.jsonl, the head of the same name
RANK = 64
TRAIN_TOKENS = (192, 224)  # of a window in training, in the first round and the second
READ_TOKENS = 320  # of a window at inference
RATES = (8e-5, 5e-5)  # of the first round and the second; the third has 3e-5
BATCH, TOKENS = 32, 6144  # windows of a step, and their tokens with padding
LOOKS = 3  # evaluations, some 45 files each
MOST_HELD = 100  # rows of a held-out file that are measured on
PROBES = 24  # windows that graphs are compared on


class Told(Reporter):
    """Notes on stderr, and how far it is."""

    def note(self, text: str) -> None:
        """One line."""
        print(text, file=sys.stderr, flush=True)

    def progress(self, label: str, done: float, total: float) -> None:
        """A line now and then."""
        if done % 50 == 0:
            self.note(f"{label} {done:.0f} of {total:.0f}")


def task_files(data: Path) -> list[TaskFile]:
    """Each file to learn from, with all that is held out of its kind."""
    held: dict[str, list[Path]] = {name: [] for name in SETS}
    for path in sorted((data / "held").glob("*.jsonl")):
        held[_head_of(path)].append(path)
    return [
        TaskFile(data / "train" / f"{name}.jsonl", name, also=tuple(held[name])) for name in SETS
    ]


def _head_of(path: Path) -> str:
    """The head that a held-out file measures, by its first row and its name."""
    with path.open("rb") as file:
        if "question" in json.loads(file.readline()):
            return "span"
    return "supports" if path.name.startswith("supports") else "answers"


def settings(
    base: str, files: Sequence[TaskFile], start: Path | None, rate: float = 0
) -> TrainEncoderConfig:
    """The shipped reader was trained so, in three rounds; the embeddings stay the base's."""
    second = start is not None
    rows = sum(sum(1 for _ in file.path.open("rb")) for file in files)
    return train_config(
        base=base, start=start, max_tokens=TRAIN_TOKENS[second], most_held=MOST_HELD,
        keep_fp32=True,
        model={"pooling": "cls", "shapes": False, "dropout": 0.1, "freeze": ("embeddings",),
               "rank": 0},
        mix={"power": 1.0, "uncertainty": False, "batch": BATCH, "batch_tokens": TOKENS,
             "weights": None, "answers": {"span": "answers"}},
        loop={"epochs": 1, "learning_rate": rate or RATES[second], "warmup": 0.06, "seed": 7,
              "patience": 99, "evaluate_every": max(1, rows // (BATCH * LOOKS))},
    )  # fmt: skip


def few(data: Path, out: Path, rows: int) -> Path:
    """A folder with so many rows of each file to learn from, drawn, and fewer held out."""
    for path in sorted(data.glob("*/*.jsonl")):
        lines = path.read_text("utf-8").splitlines(keepends=True)
        random.Random(0).shuffle(lines)
        target = out / "few" / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        most = rows if path.parent.name == "train" else -(-rows // len(SETS) // 10)
        target.write_text("".join(lines[:most]), "utf-8")
    return out / "few"


def pack(out: Path, files: Sequence[TaskFile], config: TrainEncoderConfig, base: Path) -> None:
    """Write the adapter of a finished run, and say its size, its error and its hash."""
    from tokenizers import Tokenizer

    trained = HeadSet.read(out / HEADS_FILE, f"ls {out}")
    heads = trained.heads
    adapter, parts = out / "reader.heads", out / "pack"
    parts.mkdir(exist_ok=True)
    replace(trained, name="reader", base=BASE, max_tokens=READ_TOKENS).write(parts)
    folder = base_folder(config.base, models_path(load_config().models))
    plain = HeadedModel(open_encoder(folder), heads, config.model, config.loop.seed)
    coder = WindowCoder(Tokenizer.from_file(str(out / TOKENIZER)), config.max_tokens, shapes=False)
    sets = read_sets(files[1:2], config.validation, config.loop.seed, {}, PROBES)
    probe = next(iter(sets.held.values()))
    head = next(head for head in heads if head.name == probe.head)
    windows = [w for i, one in enumerate(probe.data.examples) for w in coder.windows(one, head, i)]
    export.write_graph(plain, parts / "plain.onnx", windows, 0)
    worst = pack_adapter(
        out / GRAPH_FP32, parts / "plain.onnx", base, parts / HEADS_FILE, RANK, adapter
    )
    shutil.rmtree(parts)
    megabytes = adapter.stat().st_size / 1e6
    print(f"{adapter}: {megabytes:.1f} MB, error {worst:.2g}, sha256 {sha256(adapter)}")


def main() -> None:
    """Train, and pack what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--base", default=BASE)
    parser.add_argument("--start", type=Path, metavar="RUN", help="go on from another run's best")
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--pack", type=Path, metavar="BASE")
    told = parser.parse_args()
    data = few(told.data, told.out, told.rows) if told.rows else told.data
    files, models = task_files(data), models_path(load_config().models)
    config = settings(told.base, files, told.start, told.rate)
    train_heads(files, told.out, config, models_dir=models, reporter=Told())
    if told.pack:
        pack(told.out, files, config, told.pack)


if __name__ == "__main__":
    main()
