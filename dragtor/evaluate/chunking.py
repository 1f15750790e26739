"""`dragtor eval chunking`: how exactly do the first five passages cover what answers a question?

corpora/ID.md and questions_df.csv {question, references, corpus_id}, references being JSON
[{content, start_index, end_index}] in characters of the corpus. All corpora share one library.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.config import Config
from dragtor.errors import LoadError
from dragtor.evaluate.common import (
    Measured,
    counted,
    kept_library,
    ranked_by,
    side_by_side,
)
from dragtor.types import NEVER, SILENT, CancelToken, Document, Passage, Reporter, short_hash

if TYPE_CHECKING:
    from dragtor.library import Library

K = 5
Reference = tuple[int, int]  # characters of a corpus: start, end


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked and the spans of one corpus that answer it."""

    text: str
    corpus: str
    references: tuple[Reference, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """One question's share of reference found, of text retrieved that is reference, and both."""

    recall: float
    precision: float
    iou: float


def evaluate(
    folder: Path,
    config: Config,
    *,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
    compare: Mapping[str, Config] | None = None,
) -> dict[str, Any]:
    """Index the corpora unless that is done, ask every question, and score the first passages.

    `compare` maps labels to other configurations, measured on the same questions.
    """
    questions = questions_of(folder)

    def measure(config: Config) -> Measured:
        with corpora_library(folder, config, reporter, cancel) as library:
            scores = _scores(library, questions)
            count = library.store().counts()["passages"]
            model = f"{_splitter(config)}, {ranked_by(library)}"
        values = {
            f"recall@{K}": [score.recall for score in scores],
            f"precision@{K}": [score.precision for score in scores],
            f"iou@{K}": [score.iou for score in scores],
        }
        return Measured(model, values, {"passages": count})

    return side_by_side("chunking", folder, measure, config, compare or {})


def _splitter(config: Config) -> str:
    made = config.split
    size = f"{made.tokens}/{made.overlap_tokens}"
    late = " late" if config.embed.late_chunking else ""
    return f"{made.strategy} {size}{late}"


def _scores(library: Library, questions: Sequence[Question]) -> list[Score]:
    store, rank = library.store(), library.retriever().rank
    corpus_of = {row["id"]: row["uri"].partition(":")[2] for row in store.documents()}
    found = []
    for question in counted(questions, "asking", library.reporter, library.cancel):
        ranked = rank(question.text)[:K]
        passages = store.passages([r.row for r in ranked])
        first = [passages[r.row] for r in ranked]
        found.append(score(question, [(corpus_of[p.document_id], p) for p in first]))
    return found


def score(question: Question, passages: Sequence[tuple[str, Passage]]) -> Score:
    """After Smith and Troynikov 2024, "Evaluating Chunking Strategies for Retrieval".

    `passages` are what was retrieved, each with its corpus. As in their code, lengths are in
    characters, a reference counts as found once however often it was retrieved, and what was
    retrieved counts in full, overlaps and passages of other corpora included.
    """
    retrieved = [(p.start, p.end) for corpus, p in passages if corpus == question.corpus]
    found = _length(_union(_overlap(a, b) for a in retrieved for b in question.references))
    wanted = _length(_union(question.references))
    read = sum(passage.end - passage.start for _, passage in passages)
    return Score(found / wanted, found / read if read else 0.0, found / (read + wanted - found))


def _overlap(a: Reference, b: Reference) -> Reference:
    """What two spans share; an empty or negative one where that is nothing."""
    return max(a[0], b[0]), min(a[1], b[1])


def _union(spans: Iterable[Reference]) -> list[Reference]:
    """The same characters as disjoint spans, in order; empty and negative ones are dropped."""
    merged: list[Reference] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return merged


def _length(spans: Sequence[Reference]) -> int:
    return sum(end - start for start, end in spans)


def corpora_library(
    folder: Path, config: Config, reporter: Reporter = SILENT, cancel: CancelToken = NEVER
) -> Library:
    """All corpora as one library, kept between runs. They have no title, as published."""
    corpora = folder / "corpora"

    def documents() -> Iterator[Document]:
        for path in sorted(corpora.glob("*.md")):
            uri = f"corpus:{path.stem}"
            yield Document(short_hash(uri), uri, "file", "", _text(path))

    return kept_library("chunking", corpora, documents, config, reporter, cancel)


def questions_of(folder: Path) -> list[Question]:
    """The questions, each reference checked against its corpus."""
    path = folder / "questions_df.csv"
    texts: dict[str, str] = {}
    found = []
    for number, row in enumerate(_rows(path), 1):
        try:
            corpus, text = row["corpus_id"], row["question"]
            if corpus not in texts:
                texts[corpus] = _text(folder / "corpora" / f"{corpus}.md")
            references = json.loads(row["references"])
            spans = [(int(r["start_index"]), int(r["end_index"])) for r in references]
            right = [
                texts[corpus][start:end] == r["content"] != ""
                for (start, end), r in zip(spans, references, strict=True)
            ]
        except (KeyError, ValueError, TypeError) as error:
            raise LoadError(f"{path}, question {number}: {_LAYOUT}") from error
        if not right or not all(right):
            raise LoadError(f"{path}, question {number}: a reference is not at its place")
        found.append(Question(text, corpus, tuple(spans)))
    if not found:
        raise LoadError(f"{path} holds no question")
    return found


_LAYOUT = "no question, corpus_id and references [{content, start_index, end_index}]"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from csv.DictReader(file)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise LoadError(
            f"cannot read {path}: {error}", "corpora/*.md and questions_df.csv"
        ) from error


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise LoadError(
            f"cannot read {path}: {error}", "corpora/*.md and questions_df.csv"
        ) from error
