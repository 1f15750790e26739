"""Choose the mix weight on training queries; report the test queries at that weight only.

    python benchmarks/mix_weight.py [FOLDER [ENCODER]]      (../shared/data/scifact gte-small)

Every weight is tried on qrels/train.tsv; the best by nDCG@10 is then scored on qrels/test.tsv.
"""

from __future__ import annotations

import sys
from pathlib import Path

from common import save

from dragtor import metrics, retrieve
from dragtor.config import load_config
from dragtor.evaluate.retrieval import (
    by_document,
    corpus_library,
    document_names,
    judgements,
    queries_of,
    scores,
)

WEIGHTS = [n / 20 for n in range(21)]


def run(folder: Path, encoder: str) -> dict[str, object]:
    config = load_config(overrides={"embed": {"model": encoder}})
    texts = queries_of(folder)
    with corpus_library(folder, config, lambda *_: None) as library:
        store, names = library.store(), document_names(library.store())

        def rankings(split: str) -> dict[float, dict[str, list[str]]]:
            found: dict[float, dict[str, list[str]]] = {w: {} for w in WEIGHTS}
            for query in judgements(folder / "qrels" / f"{split}.tsv"):
                vector = library.embedder.embed_queries([texts[query]])[0]
                candidates = store.find(texts[query], vector, config.retrieve.candidates)
                for weight in WEIGHTS:
                    mixed = retrieve.mix(candidates, weight, config.retrieve.candidates)
                    found[weight][query] = by_document(store, mixed, names)
            return found

        train, test = (judgements(folder / "qrels" / f"{s}.tsv") for s in ("train", "test"))
        by_weight = rankings("train")
        on_train = {
            weight: metrics.mean([metrics.ndcg(found[q], g, 10) for q, g in train.items()])
            for weight, found in by_weight.items()
        }
        chosen = max(on_train, key=lambda weight: on_train[weight])
        on_test = scores(rankings("test")[chosen], test)
    return {
        "encoder": encoder,
        "train_ndcg@10": {f"{w:.2f}": round(v, 4) for w, v in on_train.items()},
        "train_queries": len(train),
        "chosen_weight": chosen,
        "test": on_test,
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "../shared/data/scifact")
    encoder = sys.argv[2] if len(sys.argv) > 2 else "gte-small"
    if not folder.exists():
        print(f"skipped: {folder} is not here")
        sys.exit()
    figures = run(folder, encoder)
    print(figures)
    save(f"mix_weight_{encoder}", figures, ["onnxruntime", "tokenizers", "chromadb"])
