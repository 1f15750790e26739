"""The vector index: a Chroma collection in a folder of the library, or on a server.

Holds passage ids and unit vectors, nothing else; all of it can be made again from library.db.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from dragtor.errors import LibraryError
from dragtor.store.schema import full_disk

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CALL_BATCH = 2000  # vectors of one call


class ChromaIndex:
    """Cosine index of one index version. Takes a ready collection; see `open`."""

    def __init__(self, client: Any, collection: Any, folder: Path) -> None:
        self._client = client
        self._collection = collection
        self._folder = folder

    @classmethod
    def open(cls, folder: Path, name: str, url: str = "") -> ChromaIndex:
        """Open or create the collection `name`; raises LibraryError where it cannot be opened."""
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False)
        with chroma_errors(folder, url or str(folder)), ExitStack() as undo:
            if url:
                client = chromadb.HttpClient(settings=settings, **_address(url))
            else:
                folder.mkdir(parents=True, exist_ok=True)
                undo.callback(_forget, str(folder))
                with _stderr_closed():
                    client = chromadb.PersistentClient(path=str(folder), settings=settings)
                undo.pop_all()
            undo.callback(_close, client)
            collection = client.get_or_create_collection(
                name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
            )
            undo.pop_all()
        return cls(client, collection, folder)

    def upsert(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add or replace; `vectors` is (n, dimension)."""
        for at in range(0, len(ids), CALL_BATCH):
            with chroma_errors(self._folder, "upsert"):
                part = slice(at, at + CALL_BATCH)
                self._collection.upsert(ids=list(ids[part]), embeddings=vectors[part])

    def delete(self, ids: Sequence[str]) -> None:
        """Remove; unknown ids are fine."""
        for at in range(0, len(ids), CALL_BATCH):
            with chroma_errors(self._folder, "delete"):
                self._collection.delete(ids=list(ids[at : at + CALL_BATCH]))

    def query(
        self, vector: NDArray[np.float32], n: int, ids: Sequence[str] | None = None
    ) -> list[str]:
        """Ids of the `n` nearest passages, best first, among `ids` where given."""
        among = {"ids": list(ids)} if ids is not None else {}
        with chroma_errors(self._folder, "query"):
            found = self._collection.query(
                query_embeddings=vector.reshape(1, -1), n_results=n, include=[], **among
            )
        return list(found["ids"][0])

    def count(self) -> int:
        """How many vectors there are."""
        with chroma_errors(self._folder, "count"):
            return int(self._collection.count())

    def vectors(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Vectors by id; ids that are not there are left out."""
        with chroma_errors(self._folder, "get"):
            got = self._collection.get(ids=list(ids), include=["embeddings"])
        return dict(zip(got["ids"], got["embeddings"], strict=True))

    def drop(self) -> None:
        """Delete the whole collection."""
        with chroma_errors(self._folder, "delete"):
            self._client.delete_collection(self._collection.name)

    def close(self) -> None:
        """Let go of the files, or of the connections."""
        _close(self._client)


@contextmanager
def chroma_errors(folder: Path, what: str) -> Iterator[None]:
    """Chroma raises its own, its binding's and its HTTP client's errors: one line for all."""
    try:
        yield
    except LibraryError:
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        line = " ".join(str(error).split())[:300]
        if full := full_disk(folder):
            raise LibraryError(f"{full}: vector index ({what}): {line}", "df -h") from error
        raise LibraryError(f"vector index ({what}): {line}", "dragtor index --rebuild") from error


def _close(client: Any) -> None:
    """chromadb 1.5 leaves the connections of its HTTP clients open: close those too."""
    parts = (client, getattr(client, "_admin_client", None))
    sessions = [getattr(getattr(part, "_server", None), "_session", None) for part in parts]
    client.close()
    for session in filter(None, sessions):
        session.close()


def _forget(path: str) -> None:
    """Chroma keeps a client that failed to start and would hand it out again for this folder."""
    from chromadb.api.shared_system_client import SharedSystemClient

    if path not in SharedSystemClient._identifier_to_refcount:
        SharedSystemClient._identifier_to_system.pop(path, None)


@contextmanager
def _stderr_closed() -> Iterator[None]:
    """A panic of Chroma's binding is raised; what it prints besides is not shown."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _address(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    ssl = parts.scheme == "https"
    return {"host": parts.hostname, "port": parts.port or (443 if ssl else 8000), "ssl": ssl}
