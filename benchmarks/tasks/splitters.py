"""Compare splitters and sizes by the spans that the first five passages cover.

Each configuration indexes the corpora once, about a minute on two idle cores; they are kept.
"""

from __future__ import annotations

from pathlib import Path

from common import Shown

from dragtor.config import Config, load_config
from dragtor.evaluate.chunking import evaluate

SPLITTERS = [  # strategy, tokens, overlap; the first is what the others are compared with
    ("recursive", 180, 30),
    ("recursive", 180, 0),
    ("recursive", 150, 30),
    ("recursive", 120, 30),
    ("recursive", 120, 0),
    ("recursive", 250, 0),
    ("paragraph", 180, 30),
    ("paragraph", 180, 0),
    ("semantic", 180, 0),
    ("tokens", 180, 30),
]
FOLDER = Path("../shared/data/chroma_chunking")
DENSE_WEIGHTS = (0.8, 0.6)  # of the mix: a splitter that wins at one weight only is no winner


def run(splitters: int = 0, weights: int = 0) -> dict[str, object]:
    """By weight: the first splitter, then the others with their paired difference to it.

    The first `splitters` at the first `weights`; 0: all.
    """
    found = {}
    some = SPLITTERS[: splitters or None]
    for weight in DENSE_WEIGHTS[: weights or None]:
        (_, first), *others = ((label(each), configuration(each, weight)) for each in some)
        found[f"dense weight {weight}"] = evaluate(
            FOLDER, first, reporter=Shown(100), compare=dict(others)
        )
    return found


def label(splitter: tuple[str, int, int]) -> str:
    strategy, tokens, overlap = splitter
    return f"{strategy} {tokens}/{overlap}"


def configuration(splitter: tuple[str, int, int], weight: float) -> Config:
    strategy, tokens, overlap = splitter
    split = {"strategy": strategy, "tokens": tokens, "overlap_tokens": overlap}
    return load_config(overrides={"split": split, "retrieve": {"dense_weight": weight}})
