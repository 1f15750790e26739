"""What `add` costs beyond embedding, and what adding the same again costs.

Embedding alone runs over the very passages that the library holds afterwards, in the same
process, before and after; their mean is compared.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from crash import command, write_documents


def embed_alone(library: Path) -> float:
    """Seconds to embed all passages as `add` does, the model already open."""
    from dragtor import Library
    from dragtor.ingest import BATCH_PASSAGES, with_context

    with Library(library) as lib:
        embedder, store = lib.embedder, lib.store()
        texts = [
            with_context(embedder, row["title"], passage)
            for row in store.documents()
            for passage in store.passages_of(row["id"])
        ]
    begun = time.perf_counter()
    for at in range(0, len(texts), BATCH_PASSAGES):
        embedder.embed_passages(texts[at : at + BATCH_PASSAGES])
    return time.perf_counter() - begun


def timed(line: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(line, check=True)
    return time.perf_counter() - begun


def run(documents: int = 1000) -> dict[str, float]:
    """Seconds of both; the documents are made up."""
    work = Path(tempfile.mkdtemp(prefix="dragtor-ingest-"))
    notes, first, second = work / "notes", work / "first", work / "second"
    write_documents(notes, documents)
    add_s = timed(command(first, "add", str(notes)))
    alone_s = embed_alone(first)
    add_again_s = timed(command(second, "add", str(notes)))
    alone_again_s = embed_alone(first)
    unchanged_s = timed(command(first, "add", str(notes)))
    shutil.rmtree(work)
    add, alone = (add_s + add_again_s) / 2, (alone_s + alone_again_s) / 2
    return {
        "documents": documents,
        "add_s": round(add, 2),
        "embedding_alone_s": round(alone, 2),
        "overhead": round(add / alone - 1, 3),
        "unchanged_s": round(unchanged_s, 2),
    }
