"""Mixing, ranking and joining, on a real library with an honest small embedder."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes import HashingEmbedder
from test_ingest import river

from dragtor.config import RetrieveConfig
from dragtor.retrieve import mix, search
from dragtor.store import Filters, Found, Store

EMBEDDER = HashingEmbedder()
CONFIG = RetrieveConfig(k=5, candidates=50, dense_weight=0.5)


def test_the_mix_is_convex_and_scaled() -> None:
    found = Found({1: 0.9, 2: 0.5, 3: 0.7}, {2: 4.0, 3: 2.0})
    ranked = mix(found, 0.5, 10)
    assert [(r.row, r.score) for r in ranked] == [
        (1, pytest.approx(0.5)),
        (2, pytest.approx(0.5)),
        (3, pytest.approx(0.5 * 0.5 + 0.5 * 0.5)),
    ]
    assert [(r.row, r.dense_rank, r.lexical_rank) for r in ranked] == [
        (1, 1, None),
        (2, 3, 1),
        (3, 2, 2),
    ]
    assert [r.row for r in mix(found, 1.0, 10)] == [1, 3, 2]
    assert [r.row for r in mix(found, 0.0, 10)] == [2, 3, 1]
    assert all(0 <= r.score <= 1 for weight in (0, 0.3, 1) for r in mix(found, weight, 10))


def test_nothing_found_and_one_found() -> None:
    assert mix(Found({}, {}), 0.5, 10) == []
    assert mix(Found({7: 0.4}, {}), 0.5, 10)[0].score == pytest.approx(0.5)


@pytest.fixture
def library(own_folders: Path, tmp_path: Path) -> Path:
    notes = tmp_path / "notes"
    notes.mkdir()
    body = " ".join(
        f"Sentence number {n} about tendons and loading them slowly." for n in range(30)
    )
    (notes / "tendon.md").write_text(f"# Tendons\n\n## Loading\n\n{body}")
    (notes / "skin.md").write_text("# Skin\n\nFile down every callus before it tears off.")
    (notes / "elbow.md").write_text("# Elbow\n\nThe inner elbow hurts after many pull-ups.")
    with river(own_folders) as ingest:
        ingest.add([str(notes)])
    return own_folders


def test_hits_have_places_and_verbatim_text(library: Path) -> None:
    with Store.open(library) as store:
        hits = search(store, EMBEDDER.embed_queries, "callus tears", CONFIG)
        assert hits[0].title == "Skin"
        assert "#:~:text=File%20down" in hits[0].url
        for hit in hits:
            document = store.document(hit.passage.document_id)
            assert document is not None
            assert document.text[hit.passage.start : hit.passage.end] == hit.passage.text


def test_touching_passages_become_one_hit(library: Path) -> None:
    with Store.open(library) as store:
        apart = search(
            store, EMBEDDER.embed_queries, "tendons loading slowly",
            RetrieveConfig(k=4, dense_weight=0.5, join_neighbours=False),
        )  # fmt: skip
        joined = search(store, EMBEDDER.embed_queries, "tendons loading slowly", CONFIG)
    assert len({h.passage.document_id for h in apart}) < len(apart) == 4
    spans = [
        (h.passage.start, h.passage.end) for h in joined
        if h.passage.document_id == apart[0].passage.document_id
    ]  # fmt: skip
    assert all(a[1] < b[0] for a, b in zip(sorted(spans), sorted(spans)[1:], strict=False))
    assert max(end - start for start, end in spans) > max(len(h.passage.text) for h in apart)


def test_filters_and_k(library: Path) -> None:
    with Store.open(library) as store:
        assert len(search(store, EMBEDDER.embed_queries, "tendon", RetrieveConfig(k=1))) == 1
        assert not search(store, EMBEDDER.embed_queries, "tendon", CONFIG, Filters(kind="web"))


@pytest.mark.parametrize("query", ["", " ", "!!!", '"unbalanced OR (', "NEAR/3 * ^", "a" * 100_000])
def test_no_query_is_too_odd(library: Path, query: str) -> None:
    with Store.open(library) as store:
        assert len(search(store, EMBEDDER.embed_queries, query, CONFIG)) > 0
