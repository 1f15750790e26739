"""`dragtor eval chat`: is the right document found for a follow-up? Data in JSON lines.

{first, answer?, follow_up, relevant: [file names or document ids]}, a conversation of two turns
each. The follow-up is made to stand alone by the configured language model, as a chat does.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dragtor import chat
from dragtor.config import Config
from dragtor.errors import LoadError
from dragtor.evaluate.answers import document_names, documents_called, opened
from dragtor.evaluate.common import counted, means, rows_of, versions
from dragtor.library import Library
from dragtor.retrieve import Retriever
from dragtor.schema import evaluation_json
from dragtor.types import NEVER, SILENT, Answer, CancelToken, ChatTurn, Claim, Reporter

_TOP = 3
_WANTED = "first, follow_up and relevant (a list of names)"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation; `relevant` are ids of documents."""

    first: str
    answer: str
    follow_up: str
    relevant: frozenset[str]


def evaluate(
    path: Path,
    config: Config,
    *,
    documents: Path | None = None,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> dict[str, Any]:
    """Search for every follow-up as a chat does, and bare.

    `documents` is a library, or a folder of documents that is made one; None: the usual library.

    `top3` and `top3_bare` are the share of follow-ups with a relevant document among the first
    three hits, with their 95 % intervals; `rewrite_s` is the mean time that rewriting took.
    """
    with opened(documents, config, reporter, cancel) as library:
        rows = conversations_of(path, library)
        found: list[float] = []
        bare: list[float] = []
        seconds = 0.0
        for row in counted(rows, "asking", reporter, cancel):
            begun = time.perf_counter()
            query = chat.standalone(row.follow_up, [_turn(row)], library.llm, config.chat)
            seconds += time.perf_counter() - begun
            wordings = list(dict.fromkeys((query, row.follow_up)))
            found.append(_finds(library, wordings, row))
            bare.append(_finds(library, [row.follow_up], row))
        model = f"{library.llm().name}, {library.embedder.name}"
    metrics = means({"top3": found, "top3_bare": bare})
    metrics |= {"rewrite_s": round(seconds / len(rows), 2)}
    made_by = versions(generating=True)
    return evaluation_json("chat", path.name, len(rows), metrics, model, made_by)


def _turn(row: Conversation) -> ChatTurn:
    claims = (Claim(row.answer, (1,)),) if row.answer else ()
    return ChatTurn(row.first, row.first, Answer(row.first, row.answer, bool(row.answer), claims))


def _finds(library: Library, wordings: list[str], row: Conversation) -> float:
    """1 where one of the first hits is of a relevant document, else 0."""
    config = replace(library.config.retrieve, k=_TOP)
    hits = Retriever(library.store(), library.embedder, config).search(wordings)
    return float(any(hit.passage.document_id in row.relevant for hit in hits))


def conversations_of(path: Path, library: Library) -> list[Conversation]:
    """The conversations; raises LoadError on a line or a document name that is none."""
    names = document_names(library.store())
    found = [_row(row, names, place) for place, row in rows_of(path, _WANTED)]
    if not found:
        raise LoadError(f"{path} holds no conversation")
    return found


def _row(row: Mapping[str, Any], names: Mapping[str, str], place: str) -> Conversation:
    named = row.get("relevant")
    texts = [row.get("first"), row.get("answer") or "", row.get("follow_up")]
    texts += named if isinstance(named, list) else []
    if len(texts) < 4 or not all(isinstance(text, str) for text in texts):
        raise LoadError(f"{place}: no JSON object with {_WANTED}")
    first, answer, follow_up, *wanted = map(str, texts)
    return Conversation(first, answer, follow_up, frozenset(documents_called(wanted, names, place)))
