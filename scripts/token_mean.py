"""The mean token vector of an encoder over English texts: `token_mean` of config/models.yml.

Texts: 200 abstracts of SciFact, 200 answers of MedQuAD and 200 paragraphs of covid_qa, drawn with
a fixed seed; no question and no label is looked at. Prints float16 numbers in base64.
Run: python scripts/token_mean.py gte-small
"""

from __future__ import annotations

import base64
import json
import random
import sys
from pathlib import Path

import numpy as np

from dragtor.config import EmbedConfig, load_config
from dragtor.embed import open_embedder

DATA = Path("../shared/data")
EACH = 200
CHARACTERS = 900  # of a text, about a passage


def texts() -> list[str]:
    """The drawn texts, cut to a passage's length."""

    def rows(name: str) -> list[dict[str, str]]:
        return [json.loads(line) for line in (DATA / name).open(encoding="utf-8")]

    pools = [
        [f"{row['title']}\n{row['text']}" for row in rows("scifact/corpus.jsonl")],
        [row["answer"] for row in rows("medquad/consumer.jsonl")],
        [
            part
            for row in rows("covid_qa/corpus.jsonl")
            for part in row["text"].split("\n")
            if len(part) > CHARACTERS / 3
        ],
    ]
    draw = random.Random(0)
    return [text[:CHARACTERS] for pool in pools for text in draw.sample(pool, EACH)]


def main(name: str) -> int:
    """Print the mean of the named encoder."""
    embedder = open_embedder(EmbedConfig(model=name), load_config().models)
    vectors = np.concatenate(embedder.embed_tokens(texts()))
    mean = vectors.mean(0).astype("<f2")
    print(base64.b64encode(mean.tobytes()).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "gte-small"))
