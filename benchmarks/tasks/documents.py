"""How often the right document comes first: dragtor as it is set, beside a script of chromadb.

Answerable questions of reader.py's two sets, plain and in lay words. The script embeds the same
texts with the same encoder, in pieces of PIECE_CHARACTERS, and takes the nearest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import answers
from common import Shown
from reader import LAY, drawn_of, lay_questions, medical_library

from dragtor import metrics
from dragtor.config import Config, load_config
from dragtor.evaluate.answers import document_names, documents_called
from dragtor.evaluate.common import counted, kept_folder, means
from dragtor.evaluate.retrieval import by_document
from dragtor.library import Library
from dragtor.types import short_hash

PLACES = {"first": 1, "in_three": 3, "in_five": 5, "in_eight": 8}
PIECE_CHARACTERS, PIECE_OVERLAP = 1000, 100
PIECES = 100  # that the script asks for

Row = Mapping[str, Any]


def run(n: int = 0) -> dict[str, Any]:
    """In the first place, in three, five and eight, with paired intervals, by style and of all."""
    config = load_config()
    styles: list[str] = []
    ours: list[Row] = []
    bare: list[Row] = []
    for library, rows in question_sets(config, n):
        with library:
            names = document_names(library.store())
            wanted = [documents_called(r["relevant"], names, r["question"]) for r in rows]
            asked = [row["question"] for row in rows]
            styles += [row["style"] for row in rows]
            ours += places(dragtor_rankings(library, asked), wanted)
            bare += places(chromadb_rankings(library, asked), wanted)
    found = {"all": beside(ours, bare)}
    for style in dict.fromkeys(styles):
        own = [i for i, each in enumerate(styles) if each == style]
        found[style] = beside([ours[i] for i in own], [bare[i] for i in own])
    return {"questions": len(styles)} | found


def question_sets(config: Config, n: int) -> Iterator[tuple[Library, list[dict[str, Any]]]]:
    """Each library with its answerable questions, which say `relevant` and `style`."""
    library = Library(answers.library_of("refusal", config), config=config)
    rows = [row for row in answers.questions("test") if row["answerable"]]
    styled = [row | {"style": "lay" if row["kind"] == "lay" else "plain"} for row in rows]
    yield library, drawn_of(styled, n)
    if LAY.exists():
        library = medical_library(config)
        yield library, [row for row in lay_questions(library, n) if row["answerable"]]


def dragtor_rankings(library: Library, questions: Sequence[str]) -> list[list[str]]:
    """Ids of documents by their best passage, for each question."""
    store, retriever = library.store(), library.retriever()
    ids = {row["id"]: row["id"] for row in store.documents()}
    asked = counted(questions, "dragtor", Shown(10))
    return [by_document(store, retriever.rank(question), ids) for question in asked]


def chromadb_rankings(library: Library, questions: Sequence[str]) -> list[list[str]]:
    """The same by the bare script, whose collection is kept between runs."""
    import chromadb

    place = kept_folder() / short_hash("bare chromadb", str(library.folder))
    client = chromadb.PersistentClient(
        str(place), settings=chromadb.Settings(anonymized_telemetry=False)
    )
    collection = client.get_or_create_collection("texts", embedding_function=None)
    if not (place / "whole").exists():
        _fill(collection, library)
        (place / "whole").touch()
    found = []
    for question in counted(questions, "chromadb", Shown(10)):
        vector = library.embedder.embed_queries([question])
        hits = collection.query(query_embeddings=vector, n_results=PIECES, include=[])
        found.append(list(dict.fromkeys(each.partition(" ")[0] for each in hits["ids"][0])))
    return found


def _fill(collection: Any, library: Library) -> None:
    rows = library.store().documents()
    for row in counted(rows, "pieces", Shown(20)):
        document = library.document(row["id"])
        assert document is not None
        texts = pieces(document.text)
        ids = [f"{document.id} {number}" for number in range(len(texts))]
        collection.upsert(ids, embeddings=library.embedder.embed_passages(texts))


def pieces(text: str) -> list[str]:
    """The text in stretches of PIECE_CHARACTERS that overlap, wherever words end."""
    step = PIECE_CHARACTERS - PIECE_OVERLAP
    starts = range(0, max(len(text) - PIECE_OVERLAP, 1), step)
    return [text[start : start + PIECE_CHARACTERS] for start in starts]


def places(rankings: Sequence[Sequence[str]], wanted: Sequence[Sequence[str]]) -> list[Row]:
    """For each ranking whether one of the wanted ids is among the first, by PLACES."""
    return [
        {name: float(bool({*ranking[:k]} & {*ids})) for name, k in PLACES.items()}
        for ranking, ids in zip(rankings, wanted, strict=True)
    ]


def beside(ours: Sequence[Row], bare: Sequence[Row]) -> dict[str, Any]:
    """Shares of both with intervals, and the paired difference."""
    columns = [{name: [row[name] for row in rows] for name in PLACES} for rows in (ours, bare)]
    difference: dict[str, Any] = {}
    for name in PLACES:
        mine, theirs = columns[0][name], columns[1][name]
        difference[name] = round(metrics.mean(mine) - metrics.mean(theirs), 4)
        bounds = metrics.paired_interval(theirs, mine)
        difference[f"{name}_ci"] = [round(bound, 4) for bound in bounds]
    told = {"dragtor": means(columns[0]), "chromadb": means(columns[1])}
    return {"n": len(ours)} | told | {"difference": difference}
