"""Scoring, ranking and joining, on a real library with an honest small embedder."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from pathlib import Path

import numpy as np
import pytest
from fakes import HashingEmbedder
from test_ingest import open_ingest

from dragtor.config import RetrieveConfig
from dragtor.rerank import Reranker
from dragtor.retrieve import Ranked, Retriever, hybrid_score, mean_score, rerank, rerank_texts
from dragtor.store import Candidates, Filters, Store

EMBEDDER = HashingEmbedder()
CONFIG = RetrieveConfig(k=5, candidates=50, dense_weight=0.5)


def retriever(
    store: Store, config: RetrieveConfig = CONFIG, reranker: Reranker | None = None
) -> Retriever:
    return Retriever(store, EMBEDDER, config, reranker)


def test_the_hybrid_score_is_convex_and_scaled() -> None:
    found = Candidates({1: 0.9, 2: 0.5, 3: 0.7}, {2: 4.0, 3: 2.0})
    ranked = hybrid_score(found, 0.5, 10)
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
    assert [r.row for r in hybrid_score(found, 1.0, 10)] == [1, 3, 2]
    assert [r.row for r in hybrid_score(found, 0.0, 10)] == [2, 3, 1]
    assert all(0 <= r.score <= 1 for weight in (0, 0.3, 1) for r in hybrid_score(found, weight, 10))


def test_nothing_found_and_one_found() -> None:
    assert hybrid_score(Candidates({}, {}), 0.5, 10) == []
    assert hybrid_score(Candidates({7: 0.4}, {}), 0.5, 10)[0].score == pytest.approx(0.5)


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
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
    return own_folders


def test_hits_have_places_and_verbatim_text(library: Path) -> None:
    with Store.open(library) as store:
        hits = retriever(store).search("callus tears")
        assert hits[0].title == "Skin"
        assert "#:~:text=File%20down" in hits[0].url
        for hit in hits:
            document = store.document(hit.passage.document_id)
            assert document is not None
            assert document.text[hit.passage.start : hit.passage.end] == hit.passage.text


def test_touching_passages_become_one_hit(library: Path) -> None:
    with Store.open(library) as store:
        apart = retriever(
            store, RetrieveConfig(k=4, dense_weight=0.5, join_neighbours=False)
        ).search("tendons loading slowly")
        joined = retriever(store).search("tendons loading slowly")
    assert len({h.passage.document_id for h in apart}) < len(apart) == 4
    spans = [
        (h.passage.start, h.passage.end) for h in joined
        if h.passage.document_id == apart[0].passage.document_id
    ]  # fmt: skip
    assert all(a[1] < b[0] for a, b in zip(sorted(spans), sorted(spans)[1:], strict=False))
    assert max(end - start for start, end in spans) > max(len(h.passage.text) for h in apart)


def test_the_nearest_by_meaning_come_after_the_best(library: Path) -> None:
    config = RetrieveConfig(k=2, dense_weight=0.1, join_neighbours=False)
    with Store.open(library) as store:
        best = retriever(store, config).search("tendons")
        more = retriever(store, config).search_documents("tendons", nearest=3).hits
        order = retriever(store, config).rank("tendons")
        wanted = {r.row for r in order[:2]} | {r.row for r in order if (r.dense_rank or 9) <= 3}
        texts = {passage.text for passage in store.passages(sorted(wanted)).values()}
    assert [*more[:2]] == [*best]
    assert {hit.passage.text for hit in more} == texts
    assert [h.dense_score for h in more[2:]] == sorted(h.dense_score for h in more[2:])[::-1]


def test_filters_and_k(library: Path) -> None:
    with Store.open(library) as store:
        assert len(retriever(store, RetrieveConfig(k=1)).search("tendon")) == 1
        assert not retriever(store).search("tendon", Filters(kind="web"))


@pytest.mark.parametrize("query", ["", " ", "!!!", '"unbalanced OR (', "NEAR/3 * ^", "a" * 100_000])
def test_no_query_is_too_odd(library: Path, query: str) -> None:
    with Store.open(library) as store:
        assert len(retriever(store).search(query)) > 0


# Several wordings of one question


def test_wordings_count_by_their_mean() -> None:
    bare = [Ranked(1, 1.0, 1, None, 0.9), Ranked(2, 0.5, 2, 1, 0.6)]
    whole = [Ranked(2, 0.9, 1, 2, 0.8), Ranked(3, 0.6, 2, None, 0.7)]
    means = mean_score([bare, whole])
    assert [(r.row, r.score) for r in means] == [
        (2, pytest.approx(0.7)),
        (1, pytest.approx(0.5)),
        (3, pytest.approx(0.3)),
    ]
    assert (means[0].dense_rank, means[0].lexical_rank, means[0].cosine) == (1, 1, 0.8)
    assert means[2].lexical_rank is None
    assert mean_score([bare]) == bare


def test_a_bare_follow_up_is_saved_by_its_rewriting(library: Path) -> None:
    with Store.open(library) as store:
        queries = ["filing down a callus before it tears", "and loading them slowly?"]
        bare = retriever(store).search(queries[1])
        both = retriever(store).search(queries)
        one = retriever(store).search(queries[:1])
        plain = retriever(store).search(queries[0])
    assert bare[0].title == "Tendons"
    assert both[0].title == "Skin"
    assert all(0 <= hit.score <= 1 for hit in both)
    assert one == plain


# Reranking


class Reversed:
    """Gives the hits that stand last the highest scores; remembers what it read."""

    name = "reversed"

    def __init__(self, weight: float = 1.0, sure: float = inf) -> None:
        self.weight, self.sure = weight, sure
        self.read: list[tuple[str, list[str]]] = []

    def score(self, query: str, passages: Sequence[str]) -> np.ndarray:
        self.read.append((query, list(passages)))
        return np.linspace(0.1, 0.9, len(passages), dtype=np.float32)


@pytest.mark.parametrize(("sure", "read"), [(0.85, [2]), (0.95, [2, 2]), (inf, [4])])
def test_where_one_of_the_first_is_sure_no_other_is_read(
    library: Path, sure: float, read: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragtor.retrieve.RERANK_FIRST", 2)
    config = RetrieveConfig(k=4, dense_weight=0.5, rerank_depth=4, join_neighbours=False)
    reader = Reversed(sure=sure)
    with Store.open(library) as store:
        before = retriever(store, config).rank("callus tears")
        after = retriever(store, config, reader).rank("callus tears")
    assert [len(passages) for _, passages in reader.read] == read
    assert {r.row for r in after} == {r.row for r in before}
    if read == [2]:
        assert [r.row for r in after] == [r.row for r in [*before[:2][::-1], *before[2:]]]


def test_only_the_first_hits_are_reordered_and_none_passes_them() -> None:
    ranked = [Ranked(row, score, row, None, 0.5) for row, score in enumerate((0.9, 0.8, 0.7, 0.6))]
    again = rerank(ranked, [0.2, 0.4], 1.0)
    assert [(r.row, r.score) for r in again] == [(1, 0.4), (0, 0.2), (2, 0.2), (3, 0.2)]
    mixed = rerank(ranked, [0.2, 0.4], 0.25)
    assert [r.row for r in mixed] == [0, 1, 2, 3]
    assert mixed[0].score == pytest.approx(0.25 * 0.2 + 0.75 * 0.9)
    assert rerank([], [], 1.0) == []
    equal = rerank(ranked, [0.5, 0.5, 0.5], 1.0)
    assert [r.row for r in equal] == [0, 1, 2, 3]


def test_search_orders_by_the_reranker(library: Path) -> None:
    config = RetrieveConfig(k=4, dense_weight=0.5, rerank_depth=3, join_neighbours=False)
    reader = Reversed()
    with Store.open(library) as store:
        before = retriever(store, config).rank("callus tears")
        after = retriever(store, config, reader).rank("callus tears")
        hits = retriever(store, config, reader).search(["callus tears", "skin"])
    assert [r.row for r in after[:3]] == [r.row for r in before[:3]][::-1]
    assert [r.row for r in after[3:]] == [r.row for r in before[3:]]
    assert len(reader.read[0][1]) == 3
    assert reader.read[1][0] == "callus tears"  # the first wording is what a reranker is asked
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_reranker_reads_title_heading_and_text_once(library: Path) -> None:
    with Store.open(library) as store:
        ranked = retriever(store).rank("callus tears")
        passages = store.passages([r.row for r in ranked])
        for one, text in zip(ranked, rerank_texts(store, ranked), strict=True):
            passage = passages[one.row]
            lines = text.split("\n")
            assert text.endswith(passage.text)
            assert len(lines) == len(dict.fromkeys(lines))
        skin = next(t for t in rerank_texts(store, ranked) if "callus" in t)
    assert skin.startswith("Skin\n")


def test_nothing_found_is_not_read_again(library: Path) -> None:
    reader = Reversed()
    with Store.open(library) as store:
        hits = retriever(store, reranker=reader).search("tendon", Filters(kind="web"))
    assert not hits
    assert reader.read == []
