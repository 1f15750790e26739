"""What evaluations share: rows of JSONL, corpora kept as libraries, scores with intervals, one run
of several configurations. Knows no measure and no terminal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from dragtor import metrics
from dragtor.config import Config
from dragtor.embed import open_embedder
from dragtor.errors import LoadError
from dragtor.ingest import splitter_version, vector_fingerprint
from dragtor.library import Library
from dragtor.schema import evaluation_json
from dragtor.types import NEVER, SILENT, CancelToken, Document, Reporter, Source, short_hash

T = TypeVar("T")
L = TypeVar("L", bound=Library)
ENGINE_PACKAGES = ("llama-cpp-python", "xllamacpp")


@dataclass(frozen=True)
class Measured:
    """One configuration on one data set."""

    model: str
    values: Mapping[str, Sequence[float]]  # score of each item, in the data's order, by metric
    figures: Mapping[str, float] = field(default_factory=dict)  # what has no value per item

    def metrics(self) -> dict[str, Any]:
        """The means, each with its 95 % interval under KEY_ci, then the figures."""
        return means(self.values) | dict(self.figures)


def means(values: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    """Mean of each metric's values, with its 95 % interval under KEY_ci.

    Of no values at all nothing is known: None, and no interval.
    """
    found: dict[str, Any] = {}
    for name, each in values.items():
        if not each:
            found[name] = None
            continue
        found[name] = round(metrics.mean(each), 4)
        found[f"{name}_ci"] = [round(bound, 4) for bound in metrics.interval(each)]
    return found


def rows_of(path: Path, wanted: str, hint: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, object) of each line of a JSONL file; `place` is for errors about what it holds.

    `wanted` names what an object holds. Raises LoadError, with `hint`, on a file that cannot be
    read and on a line that is no object.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="\n") as lines:  # JSON may hold other ends
            for number, line in enumerate(lines, 1):
                if line.strip():
                    place = f"{path}, line {number}"
                    yield place, _object(line, place, wanted, hint)
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(f"cannot read {path}: {error}", hint) from error


def _object(line: str, place: str, wanted: str, hint: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LoadError(f"{place}: no JSON object with {wanted}", hint) from error
    if not isinstance(row, dict):
        raise LoadError(f"{place}: no JSON object with {wanted}", hint)
    return row


def counted(
    items: Sequence[T], label: str, reporter: Reporter, cancel: CancelToken = NEVER
) -> Iterator[T]:
    """The items; `reporter` hears how far they are, `cancel` is asked before each."""
    for number, item in enumerate(items):
        cancel.check()
        reporter.progress(label, number, len(items))
        yield item
    reporter.progress(label, len(items), len(items))


def side_by_side(
    kind: str,
    path: Path,
    measure: Callable[[Config], Measured],
    config: Config,
    compare: Mapping[str, Config],
) -> dict[str, Any]:
    """Measure `config`, then each of `compare` against it on the same items.

    `compared` is there if `compare` is; its `difference` holds mean(other - first) and the paired
    95 % interval under KEY_ci.
    """
    first, configs = measure(config), (config, *compare.values())
    compared = [_against(first, label, measure(other)) for label, other in compare.items()]
    return evaluation_json(
        kind,
        path.resolve().name,
        len(next(iter(first.values.values()))),
        first.metrics(),
        first.model,
        versions(generating=any(c.retrieve.rerank == "llm" for c in configs)),
        **({"compared": compared} if compare else {}),
    )


def _against(first: Measured, label: str, other: Measured) -> dict[str, Any]:
    difference: dict[str, Any] = {}
    for name, before in first.values.items():
        after = other.values[name]
        bounds = metrics.paired_interval(before, after)
        difference[name] = round(metrics.mean(after) - metrics.mean(before), 4)
        difference[f"{name}_ci"] = [round(bound, 4) for bound in bounds]
    return {
        "settings": label,
        "model": other.model,
        "metrics": other.metrics(),
        "difference": difference,
    }


def kept_folder() -> Path:
    """Where journals and libraries of evaluations are kept until they are removed by hand."""
    from platformdirs import user_cache_path

    return user_cache_path("dragtor") / "evals"


def kept_empty(
    kind: type[L], names: Sequence[str], config: Config, reporter: Reporter, cancel: CancelToken
) -> L:
    """The kept library of what `names` stand for, to be filled; as it was left, where it was.

    There is one for each embedder and splitter.
    """
    embedder = open_embedder(config.embed, config.models, cancel)
    made_by = vector_fingerprint(embedder, config.embed), splitter_version(config.split)
    folder = kept_folder() / short_hash(*names, *made_by)
    library = kind(folder, config=config, reporter=reporter, cancel=cancel)
    library.embedder = embedder
    return library


def kept_library(
    name: str,
    data: Path,
    documents: Callable[[], Iterable[Document]],
    config: Config,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> Library:
    """The documents as a library, kept between runs; indexing goes on where it was interrupted.

    There is one for each content of the file or folder `data`; see kept_empty.
    """
    library = kept_empty(Library, (path_hash(data),), config, reporter, cancel)
    with library.ingest() as ingest:
        source = Source(short_hash("corpus", name), "corpus", "corpus", f"{name} corpus")
        known = ingest.writer.links(source.id)
        ingest.writer.put_source(source)
        for document in documents():
            if document.uri not in known:
                ingest.writer.put_pending(source.id, document.uri, "", document)
        ingest.index()
    return library


def ranked_by(library: Library) -> str:
    """Embedder, weight of the dense score and reranker, for people."""
    config = library.config.retrieve
    again = "" if config.rerank == "none" else f", rerank {config.rerank}"
    return f"{library.embedder.name}, dense weight {config.dense_weight:g}{again}"


def path_hash(path: Path) -> str:
    """SHA-256 of a file, or of a folder's files with their names."""
    try:
        if not path.is_dir():
            return _sha256(path)
        files = sorted(file for file in path.rglob("*") if file.is_file())
        return short_hash(*(f"{file.relative_to(path)} {_sha256(file)}" for file in files))
    except OSError as error:
        raise LoadError(f"cannot read {path}: {error.strerror}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def versions(*, generating: bool = False) -> dict[str, str]:
    """Of dragtor and of what the figures depend on; `generating`: also of the engines here."""
    from importlib.metadata import PackageNotFoundError, version

    import dragtor

    names = ("chromadb", "numpy", "onnxruntime", "tokenizers")
    found = {"dragtor": dragtor.__version__} | {name: version(name) for name in names}
    for engine in ENGINE_PACKAGES if generating else ():
        with suppress(PackageNotFoundError):
            found[engine] = version(engine)
    return found
