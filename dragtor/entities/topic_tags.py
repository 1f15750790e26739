"""The topics of a library's passages, from the vectors that it has: only examples are embedded.

Reads the store; does not write to it, and does not know when it is asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from dragtor.entities.topics import Prototypes
from dragtor.store.vectors import passage_vectors, sample_vectors
from dragtor.types import NEVER, CancelToken, LabelledSpan, short_hash

if TYPE_CHECKING:
    from dragtor.embed import Embedder
    from dragtor.store import Store

TOPIC_RULES = "1"  # version of how topics are found: those of another are found anew
SAMPLE_PASSAGES = 5000  # whose mean stands for the library's
DOCUMENTS_AT_ONCE = 100  # handed over together


def topic_version(topics: Mapping[str, Sequence[str]], fingerprint: str) -> str:
    """Changes when a document might get other topics: another example, label, or encoder."""
    parts = (part for name, texts in topics.items() for part in (name, str(len(texts)), *texts))
    return short_hash(TOPIC_RULES, fingerprint, *parts)


def topic_tags(
    store: Store,
    embedder: Embedder,
    topics: Mapping[str, Sequence[str]],
    documents: Sequence[str] | None = None,
    cancel: CancelToken = NEVER,
) -> Iterator[dict[str, list[LabelledSpan]]]:
    """Topics of the passages of these documents, or of all, a hundred documents at once.

    Every document is there, with an empty list where it has none; a span is a passage's.
    `topics` is label -> texts, and a label is an example of its topic.
    """
    prototypes = _prototypes(store, embedder, topics) if topics else None
    if documents is None:
        rows = store.rows("SELECT id FROM documents WHERE staged = 0 ORDER BY id")
        documents = [row[0] for row in rows]
    for at in range(0, len(documents), DOCUMENTS_AT_ONCE):
        cancel.check()
        part = documents[at : at + DOCUMENTS_AT_ONCE]
        yield {each: _tagged(store, each, prototypes) for each in part}


def _prototypes(
    store: Store, embedder: Embedder, topics: Mapping[str, Sequence[str]]
) -> Prototypes:
    texts = [text for name, examples in topics.items() for text in (name, *examples)]
    vectors = embedder.embed_queries(texts)  # which takes texts of any length
    known, at = {}, 0
    for name, examples in topics.items():
        known[name] = vectors[at : at + 1 + len(examples)]
        at += 1 + len(examples)
    return Prototypes.of(known, sample_vectors(store, SAMPLE_PASSAGES, embedder.dimension))


def _tagged(store: Store, document: str, prototypes: Prototypes | None) -> list[LabelledSpan]:
    if prototypes is None:
        return []
    spans, vectors = passage_vectors(store, document)
    if not spans:
        return []
    return [
        LabelledSpan(start, end, topic, probability)
        for (start, end), (topic, probability) in zip(
            spans, prototypes.assign(vectors), strict=True
        )
        if topic
    ]
