"""`dragtor eval retrieval`: does search find the right documents? Data in the BEIR layout.

corpus.jsonl {_id, title, text}, queries.jsonl {_id, text}, qrels/SPLIT.tsv (query, document,
grade). The corpus goes through the real pipeline into a library kept in the cache folder.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor import metrics
from dragtor.config import Config
from dragtor.errors import LoadError
from dragtor.evaluate.common import (
    Measured,
    counted,
    kept_library,
    means,
    ranked_by,
    rows_of,
    side_by_side,
)
from dragtor.types import NEVER, SILENT, CancelToken, Document, Reporter, short_hash

if TYPE_CHECKING:
    from dragtor.library import Library
    from dragtor.retrieve import Ranked
    from dragtor.store import Store

_LAYOUT = "the BEIR layout is expected"
Judgements = dict[str, dict[str, int]]
MEASURES: dict[str, Callable[[list[str], dict[str, int]], float]] = {
    "ndcg@10": lambda ranking, grades: metrics.ndcg(ranking, grades, 10),
    "recall@10": lambda ranking, grades: metrics.recall(ranking, grades, 10),
    "recall@100": lambda ranking, grades: metrics.recall(ranking, grades, 100),
    "mrr": metrics.reciprocal_rank,
}


def evaluate(
    folder: Path,
    config: Config,
    *,
    split: str,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
    compare: Mapping[str, Config] | None = None,
) -> dict[str, Any]:
    """Index the corpus unless that is done, ask every judged query, and score the rankings.

    `compare` maps labels to other configurations, measured on the same queries.
    """
    queries = queries_of(folder)
    judged = judgements(folder / "qrels" / f"{split}.tsv")
    if missing := judged.keys() - queries.keys():
        raise LoadError(f"{len(missing)} judged queries are not in queries.jsonl")

    def measure(config: Config) -> Measured:
        with corpus_library(folder, config, reporter, cancel) as library:
            rankings, latencies = _ask(library, queries, judged)
            model = ranked_by(library)
        return Measured(model, _values(rankings, judged), _latency(latencies))

    return side_by_side("retrieval", folder, measure, config, compare or {})


def _ask(
    library: Library, queries: Mapping[str, str], judged: Judgements
) -> tuple[dict[str, list[str]], list[float]]:
    """The ranking of each judged query, and the milliseconds each took."""
    store, rank = library.store(), library.retriever().rank
    names = corpus_ids(store)
    rankings: dict[str, list[str]] = {}
    latencies: list[float] = []
    rank("warm")
    for query in counted(list(judged), "asking", library.reporter, library.cancel):
        begun = time.perf_counter()
        ranked = rank(queries[query])
        latencies.append(1000 * (time.perf_counter() - begun))
        rankings[query] = by_document(store, ranked, names)
    return rankings, latencies


def scores(rankings: Mapping[str, list[str]], judged: Judgements) -> dict[str, Any]:
    """Means over the queries, each with its 95 % interval under KEY_ci."""
    return means(_values(rankings, judged))


def _values(rankings: Mapping[str, list[str]], judged: Judgements) -> dict[str, list[float]]:
    return {
        name: [measure(rankings[query], grades) for query, grades in judged.items()]
        for name, measure in MEASURES.items()
    }


def _latency(milliseconds: list[float]) -> dict[str, float]:
    return {
        "p50_ms": round(metrics.percentile(milliseconds, 0.5), 1),
        "p95_ms": round(metrics.percentile(milliseconds, 0.95), 1),
    }


def by_document(store: Store, ranked: list[Ranked], names: Mapping[str, str]) -> list[str]:
    """The corpus ids of the passages' documents, each at its best passage's place."""
    passages = store.passages([r.row for r in ranked])
    return list(dict.fromkeys(names[passages[r.row].document_id] for r in ranked))


def corpus_ids(store: Store) -> dict[str, str]:
    """Corpus id of each document."""
    return {row["id"]: row["uri"].partition(":")[2] for row in store.documents()}


def corpus_library(
    folder: Path, config: Config, reporter: Reporter = SILENT, cancel: CancelToken = NEVER
) -> Library:
    """The corpus as a library, kept between runs; indexing goes on where it was interrupted."""
    corpus = folder / "corpus.jsonl"

    def documents() -> Iterator[Document]:
        for row in _jsonl(corpus):
            uri = f"beir:{row['_id']}"
            title, text = str(row.get("title") or ""), row["text"]
            yield Document(short_hash(uri), uri, "file", title, text or title)

    return kept_library("beir", corpus, documents, config, reporter, cancel)


def queries_of(folder: Path) -> dict[str, str]:
    """Query texts by id."""
    return {row["_id"]: row["text"] for row in _jsonl(folder / "queries.jsonl")}


def judgements(path: Path) -> Judgements:
    """Grades by query and document, from a qrels file."""
    found: Judgements = {}
    for line in _lines(path):
        query, document, grade = [*line.rstrip("\n").split("\t"), "", ""][:3]
        if grade.strip().lstrip("-").isdigit():
            found.setdefault(query, {})[document] = int(grade)
    if not found:
        raise LoadError(f"{path} holds no judgement (query, document, grade, by tabs)")
    return found


def _jsonl(path: Path) -> Iterator[dict[str, Any]]:
    wanted = "_id and text"
    for place, row in rows_of(path, wanted, _LAYOUT):
        if not {"_id", "text"} <= row.keys():
            raise LoadError(f"{place}: no JSON object with {wanted}", _LAYOUT)
        yield {**row, "_id": str(row["_id"]), "text": str(row["text"])}


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as lines:
            yield from (line for line in lines if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"cannot read {path}: {error}", _LAYOUT) from error
