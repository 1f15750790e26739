"""`dragtor eval retrieval`: does search find the right documents? Data in the BEIR layout.

corpus.jsonl {_id, title, text}, queries.jsonl {_id, text}, qrels/SPLIT.tsv (query, document,
grade). The corpus goes through the real river into a library kept in the cache folder.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor import metrics, retrieve
from dragtor.config import Config
from dragtor.embed import open_embedder
from dragtor.errors import LoadError
from dragtor.ingest import Ingest, splitter_version, vector_fingerprint
from dragtor.library import Library
from dragtor.types import Document, Source, short_hash

if TYPE_CHECKING:
    from dragtor.store import Store

Progress = Callable[[str, int, int], None]
Judgements = dict[str, dict[str, int]]


def evaluate(folder: Path, config: Config, *, split: str, progress: Progress) -> dict[str, Any]:
    """Index the corpus unless that is done, ask every judged query, and score the rankings."""
    queries = queries_of(folder)
    judged = judgements(folder / "qrels" / f"{split}.tsv")
    if missing := judged.keys() - queries.keys():
        raise LoadError(f"{len(missing)} judged queries are not in queries.jsonl")
    with corpus_library(folder, config, progress) as library:
        names = document_names(library.store())
        rankings: dict[str, list[str]] = {}
        latencies: list[float] = []
        library.embedder.embed_queries(["warm"])
        for number, query in enumerate(judged):
            progress("asking", number, len(judged))
            begun = time.perf_counter()
            ranked = retrieve.rank(
                library.store(), library.embedder.embed_queries, queries[query], config.retrieve
            )
            latencies.append(1000 * (time.perf_counter() - begun))
            rankings[query] = by_document(library.store(), ranked, names)
        progress("asking", len(judged), len(judged))
        model = library.embedder.name
    return {
        "kind": "retrieval",
        "path": folder.name,
        "n": len(judged),
        "metrics": scores(rankings, judged) | _latency(latencies),
        "model": f"{model}, dense weight {config.retrieve.dense_weight:g}",
        "versions": versions(),
    }


def scores(rankings: Mapping[str, list[str]], judged: Judgements) -> dict[str, Any]:
    """Means over the queries, each with its 95 % interval under KEY_ci."""
    measures: dict[str, Callable[[list[str], dict[str, int]], float]] = {
        "ndcg@10": lambda r, g: metrics.ndcg(r, g, 10),
        "recall@10": lambda r, g: metrics.recall(r, g, 10),
        "recall@100": lambda r, g: metrics.recall(r, g, 100),
        "mrr": metrics.reciprocal_rank,
    }
    found: dict[str, Any] = {}
    for name, measure in measures.items():
        values = [measure(rankings[query], grades) for query, grades in judged.items()]
        found[name] = round(metrics.mean(values), 4)
        found[f"{name}_ci"] = [round(bound, 4) for bound in metrics.interval(values)]
    return found


def _latency(milliseconds: list[float]) -> dict[str, float]:
    return {
        "p50_ms": round(metrics.percentile(milliseconds, 0.5), 1),
        "p95_ms": round(metrics.percentile(milliseconds, 0.95), 1),
    }


def by_document(store: Store, ranked: list[retrieve.Ranked], names: Mapping[str, str]) -> list[str]:
    """The corpus ids of the passages' documents, each at its best passage's place."""
    passages = store.passages([r.row for r in ranked])
    return list(dict.fromkeys(names[passages[r.row].document_id] for r in ranked))


def document_names(store: Store) -> dict[str, str]:
    """Corpus id of each document."""
    return {row["id"]: row["uri"].partition(":")[2] for row in store.documents()}


def corpus_library(folder: Path, config: Config, progress: Progress) -> Library:
    """The corpus as a library, kept between runs; indexing goes on where it was interrupted."""
    from platformdirs import user_cache_path

    corpus = folder / "corpus.jsonl"
    embedder = open_embedder(config.embed, config.models)
    made_by = vector_fingerprint(embedder, config.embed), splitter_version(config.split)
    place = user_cache_path("dragtor") / "evals" / short_hash(_digest(corpus), *made_by)
    library = Library(place, config=config, progress=progress)
    library.embedder = embedder
    with library.ingest() as ingest:
        _fill(ingest, corpus)
    return library


def _fill(ingest: Ingest, corpus: Path) -> None:
    source = Source(short_hash("corpus", "beir"), "corpus", "corpus", "BEIR corpus")
    known = ingest.writer.links(source.id)
    ingest.writer.put_source(source)
    for row in _jsonl(corpus):
        uri = f"beir:{row['_id']}"
        if uri not in known:
            title, text = str(row.get("title") or ""), row["text"]
            document = Document(short_hash(uri), uri, "file", title, text or title)
            ingest.writer.stage(source.id, uri, "", document)
    ingest.index()


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


def versions() -> dict[str, str]:
    """Of dragtor and of what the figures depend on."""
    from importlib.metadata import version

    import dragtor

    names = ("chromadb", "numpy", "onnxruntime", "tokenizers")
    return {"dragtor": dragtor.__version__} | {name: version(name) for name in names}


def _jsonl(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_lines(path), 1):
        try:
            row = json.loads(line)
            row = {**row, "_id": str(row["_id"]), "text": str(row["text"])}
        except (ValueError, KeyError, TypeError) as error:
            raise LoadError(f"{path}, line {number}: no JSON object with _id and text") from error
        yield row


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as lines:
            yield from (line for line in lines if line.strip())
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"cannot read {path}: {error}", "the BEIR layout is expected") from error


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LoadError(f"cannot read {path}: {error.strerror}") from error
