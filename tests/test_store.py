"""The library on disk: publishing, crashes, index versions, filters. Real SQLite, real Chroma."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import digest, index_ids
from fakes import HashingEmbedder, Notes

from dragtor.errors import LibraryError, LibraryLocked, LibraryVersion, UsageError
from dragtor.store import Filters, Indexed, Rebuild, Store, Writer
from dragtor.store.filters import Among
from dragtor.types import Document, Passage, Segment, Source, Speaker, short_hash

EMBEDDER = HashingEmbedder()


def document(name: str, text: str, **facts: str) -> Document:
    uri = f"file:///notes/{name}"
    facts = {"title": name, **facts}
    return Document(short_hash(uri), uri, "file", text=text, **facts)  # type: ignore[arg-type]


def indexed(doc: Document) -> Indexed:
    """One passage a line."""
    passages, at = [], 0
    for line in doc.text.splitlines(keepends=True):
        passages.append(Passage.of(doc, at, at + len(line.rstrip())))
        at += len(line)
    return Indexed(doc, passages, [short_hash(p.text) for p in passages])


def put(writer: Writer, doc: Document, source: str = "s1") -> None:
    writer.put_source(Source(source, f"/notes/{source}", "file", source))
    writer.check(EMBEDDER.fingerprint, "v1")
    if writer.put_pending(source, doc.uri, "stamp", doc):
        item = indexed(doc)
        vectors = EMBEDDER.embed_passages([p.text for p in item.passages])
        writer.put_vectors(item.keys, vectors, EMBEDDER.fingerprint)
        writer.publish([item])


def find(store: Store, query: str, filters: Filters | None = None, n: int = 5) -> list[str]:
    found = store.find(query, EMBEDDER.embed_queries([query])[0], n, filters)
    passages = store.passages(list(found.dense))
    ranked = sorted(found.dense, key=lambda row: -found.dense[row])
    return [passages[row].text for row in ranked]


PULLEY = document(
    "pulley.md", "A2 pulley strain heals slowly\nrest for two weeks", author="Ann Lee",
    published="2024-05-01",
)  # fmt: skip
ELBOW = document(
    "elbow.md", "golfer's elbow hurts inside\nload the wrist flexors", published="2022-01"
)


@contextmanager
def reader(folder: Path) -> Iterator[Store]:
    with Store.open(folder) as store:
        yield store


@pytest.fixture
def library(own_folders: Path) -> Path:
    with Writer.open(own_folders) as writer:
        put(writer, PULLEY)
        put(writer, ELBOW)
    return own_folders


def test_a_document_comes_back_as_it_went_in(own_folders: Path) -> None:
    segments = (
        Segment(0, 5, page=1, box=(0.0, 1.0, 2.0, 3.5)),
        Segment(5, 9, start_s=1.5, end_s=2.5, speaker="Ann"),
    )
    doc = Document(
        "d1", "file:///x.pdf", "file", "Title", "some text", "Ann", "2024-01-01", segments,
        {"stamp": "abc", "n": 1},
    )  # fmt: skip
    with Writer.open(own_folders) as writer:
        put(writer, doc)
        assert writer.store.document("d1") == doc
        assert writer.store.document("absent") is None


@pytest.mark.parametrize("scan_limit", [50_000, 0], ids=["scan", "chroma"])
def test_scan_and_chroma_find_the_same(library: Path, scan_limit: int) -> None:
    with reader(library) as store:
        store.scan_limit = scan_limit
        assert find(store, "pulley strain")[0] == "A2 pulley strain heals slowly"
        assert find(store, "wrist flexors", n=1) == ["load the wrist flexors"]
        only = Filters(author="lee")
        assert set(find(store, "wrist flexors", only)) <= set(PULLEY.text.splitlines())


def test_lexical_hits_carry_their_exact_cosine(library: Path) -> None:
    with reader(library) as store:
        vector = EMBEDDER.embed_queries(["wrist"])[0]
        found = store.find("wrist", vector, 1)
        assert list(found.lexical) == list(found.dense)
        (row,) = found.dense
        text = store.passages([row])[row].text
        exact = float(EMBEDDER.embed_passages([text])[0] @ vector)
        assert found.dense[row] == pytest.approx(exact, abs=1e-3)


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(author="ann"), {"pulley.md"}),
        (Filters(after="2023"), {"pulley.md"}),
        (Filters(before="2022"), {"elbow.md"}),
        (Filters(before="2022-01"), {"elbow.md"}),
        (Filters(after="2022", before="2024-05"), {"pulley.md", "elbow.md"}),
        (Filters(kind="web"), set()),
        (Filters(source="s1"), {"pulley.md", "elbow.md"}),
        (Filters(kind="file", author="nobody"), set()),
    ],
)
@pytest.mark.parametrize("scan_limit", [50_000, 0], ids=["scan", "chroma"])
def test_filters(library: Path, filters: Filters, expected: set[str], scan_limit: int) -> None:
    with reader(library) as store:
        store.scan_limit = scan_limit
        texts = set(find(store, "pulley elbow", filters))
        allowed = {t for d in (PULLEY, ELBOW) if d.title in expected for t in d.text.splitlines()}
        assert texts == allowed


def test_an_unknown_source_filter_says_so(library: Path) -> None:
    with reader(library) as store, pytest.raises(UsageError, match="no source begins with 'zz'"):
        find(store, "pulley", Filters(source="zz"))


def test_a_changed_document_replaces_exactly_its_own(library: Path) -> None:
    changed = document("pulley.md", "A2 pulley strain heals slowly\nclimb after a month")
    before = digest(library)
    with Writer.open(library) as writer:
        put(writer, changed)
    with reader(library) as store:
        texts = find(store, "climb rest", n=10)
        assert "climb after a month" in texts
        assert "rest for two weeks" not in texts
    with Writer.open(library) as writer:
        put(writer, PULLEY)
    assert digest(library) == before


def test_what_utf8_cannot_hold_is_replaced_and_no_span_moves(own_folders: Path) -> None:
    bad, whole = "a \ud800 b \ud83d\ude00", "a \ufffd b \ufffd\ufffd"
    doc = replace(
        document("x.md", f"{bad}\nmore", title=bad, author=bad),
        segments=(Segment(0, 8, speaker=bad), Segment(9, 13)),
        meta={"show": bad, "stamp": "1", "n": 2},
        speakers=(Speaker(bad, bad),),
    )
    with Writer.open(own_folders) as writer:
        assert writer.put_pending("s1", doc.uri, "1", doc)
        assert not writer.put_pending("s1", doc.uri, "1", doc)
        found = writer.store.document(doc.id, pending=True)
    assert found is not None
    assert (found.title, found.author, found.text) == (whole, whole, f"{whole}\nmore")
    assert [found.text[s.start : s.end] for s in found.segments] == [whole, "more"]
    assert found.segments[0].speaker == whole
    assert found.speakers == (Speaker(whole, whole),)
    assert found.meta == {"show": whole, "stamp": "1", "n": 2}


def test_a_removed_source_names_all_that_its_documents_were_read_from(library: Path) -> None:
    meta = {"page": "https://e.org/1", "enclosure": "https://e.org/1.mp3", "show": "S"}
    talk = replace(document("talk", "Some words."), uri="https://e.org/1.mp3", meta=meta)
    with Writer.open(library) as writer:
        put(writer, talk, "s2")
        put(writer, PULLEY, "s2")  # s1 holds it too
        assert sorted(writer.remove_source("s2")) == ["https://e.org/1", "https://e.org/1.mp3"]
        put(writer, talk, "s2")
        writer.put_pending("s3", "https://e.org/1", "x", ELBOW)  # the same page, another document
        assert writer.remove_source("s2") == ["https://e.org/1.mp3"]
        assert writer.unlink("s1", [PULLEY.uri]) == [PULLEY.id]


def test_a_filtered_word_search_asks_the_index_once(own_folders: Path) -> None:
    """Work counted in steps of SQLite's machine: it follows what the word finds, not the filter."""
    lines = "\n".join(f"passage {number} of many" for number in range(600))
    with Writer.open(own_folders) as writer:
        put(writer, document("long.md", lines + "\nquux", author="Ann"))
    with reader(own_folders) as store:
        assert store._allow(Filters(author="ann")) == 601
        steps: list[int] = []
        store.db.set_progress_handler(lambda: steps.append(1), 1)  # type: ignore[arg-type]
        assert len(store._lexical("quux", 5, Among("allowed", inside=True))) == 1
        assert len(steps) < 600


def test_an_unchanged_document_is_not_pending(library: Path) -> None:
    with Writer.open(library) as writer:
        assert not writer.put_pending("s1", PULLEY.uri, "stamp", PULLEY)
        assert writer.pending_ids() == []


def test_removing_a_source_leaves_no_trace(library: Path) -> None:
    secret = document("secret.md", "zanzibarquux the unforgettable word")
    before = digest(library)
    with Writer.open(library) as writer:
        put(writer, secret, "s2")
    assert b"zanzibarquux" in b"".join(f.read_bytes() for f in library.glob("library.db*"))
    with Writer.open(library) as writer:
        writer.remove_source("s2")
    assert digest(library) == before
    files = [f for f in library.rglob("*") if f.is_file()]
    assert not [f for f in files if b"zanzibarquux" in f.read_bytes()]


def test_a_shared_document_survives_one_of_its_sources(library: Path) -> None:
    with Writer.open(library) as writer:
        put(writer, PULLEY, "s2")
        writer.remove_source("s1")
        titles = [row["title"] for row in writer.store.documents()]
        assert titles == ["pulley.md"]


def test_a_pending_document_is_invisible_until_it_is_published(library: Path) -> None:
    changed = document("pulley.md", "something else entirely")
    with Writer.open(library) as writer:
        writer.put_pending("s1", changed.uri, "stamp2", changed)
    with reader(library) as store:
        assert store.document(PULLEY.id) == PULLEY
        assert store.document(PULLEY.id, pending=True) == changed
        assert "rest for two weeks" in find(store, "rest")


@pytest.mark.parametrize("step", ["before upsert", "after upsert", "after publish"])
def test_the_next_writer_finishes_what_a_crash_left(library: Path, step: str) -> None:
    """The three states a kill can leave, made by hand; test_crash kills for real."""
    with Writer.open(library) as writer:
        ids = [p.id for p in writer.store.passages_of(PULLEY.id)]
        writer.db.execute("INSERT INTO pending VALUES (?), ('half-added')", ids[:1])
        if step == "before upsert":
            writer.store.index().delete(ids[:1])
        if step == "after upsert":
            vector = EMBEDDER.embed_passages(["half added"])
            writer.store.index().upsert(["half-added"], vector)
    with Writer.open(library) as writer:
        assert writer.store.counts()["unsettled"] == 0
        assert index_ids(writer.store) == {
            p.id for d in (PULLEY, ELBOW) for p in writer.store.passages_of(d.id)
        }


def test_a_lost_vector_index_is_made_again(library: Path) -> None:
    import shutil

    before = digest(library)
    shutil.rmtree(library / "index")
    with Writer.open(library) as writer:
        writer.db.execute("INSERT INTO pending VALUES ('anything')")
    with Writer.open(library):
        pass
    assert digest(library) == before


def test_a_rebuild_is_invisible_until_it_is_whole(library: Path) -> None:
    with Writer.open(library) as writer:
        rebuild = Rebuild(writer, "other", "v2")
        item = indexed(PULLEY)
        writer.put_vectors(item.keys, EMBEDDER.embed_passages(["x", "y"]), "other")
        rebuild.put([item])
    with reader(library) as store:
        assert store.index_version == 1
        assert len(find(store, "pulley", n=10)) == 4
    with Writer.open(library) as writer:
        rebuild = Rebuild(writer, "other", "v2")
        assert rebuild.done() == {PULLEY.id}
        item = indexed(ELBOW)
        writer.put_vectors(item.keys, EMBEDDER.embed_passages(["x", "y"]), "other")
        rebuild.put([item])
        rebuild.finish()
    with reader(library) as store:
        assert (store.index_version, store.meta("fingerprint")) == (2, "other")
        assert store.index().count() == store.counts()["passages"] == 4
        assert [f.name for f in (library / "index").iterdir()] == ["2"]
        rows = store.rows("SELECT count(*) FROM vectors")
        assert rows[0][0] == 4


def test_a_half_done_rebuild_forgets_what_changed_meanwhile(library: Path) -> None:
    with Writer.open(library) as writer:
        rebuild = Rebuild(writer, EMBEDDER.fingerprint, "v1")
        rebuild.put([indexed(PULLEY)])
        put(writer, document("pulley.md", "new words"))
        assert Rebuild(writer, EMBEDDER.fingerprint, "v1").done() == set()
    with Writer.open(library) as writer:
        assert Rebuild(writer, "yet another", "v1").done() == set()


def test_another_embedder_or_splitter_is_refused(library: Path) -> None:
    with Writer.open(library) as writer:
        with pytest.raises(LibraryVersion, match="another embedder") as refused:
            writer.check("other", "v1")
        assert refused.value.hint == "dragtor index --rebuild"
        with pytest.raises(LibraryVersion, match="another splitter"):
            writer.check(EMBEDDER.fingerprint, "v2")


def test_a_second_writer_waits_then_gives_up(library: Path) -> None:
    notes: list[str] = []
    with (
        Writer.open(library),
        pytest.raises(LibraryLocked, match="is writing to") as locked,
        Writer.open(library, lock_timeout_s=0.1, reporter=Notes(notes)),
    ):
        pass
    assert locked.value.exit_code == 5
    assert notes[0].startswith("waiting for process ")


def test_a_reader_sees_what_was_written_meanwhile(library: Path) -> None:
    with reader(library) as store:
        store.scan_limit = 0
        assert len(find(store, "pulley", n=10)) == 4
        with Writer.open(library) as writer:
            put(writer, document("new.md", "fresh text"))
        assert "fresh text" in find(store, "fresh", n=10)


def test_no_library_yet(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="there is no library"):
        Store.open(tmp_path)


@pytest.mark.parametrize("damage", [b"not a database at all, not even nearly" * 30, b"\0" * 5000])
def test_a_damaged_file_is_kept_and_named(library: Path, damage: bytes) -> None:
    path = library / "library.db"
    for extra in ("library.db-wal", "library.db-shm"):
        (library / extra).unlink(missing_ok=True)
    path.write_bytes(damage)
    for mode in (lambda: Store.open(library), lambda: Writer.open(library).__enter__()):
        with pytest.raises(LibraryError, match="damaged"):
            mode()
    assert path.read_bytes() == damage


def test_a_file_damaged_in_the_middle_is_found_by_the_check(library: Path) -> None:
    path = library / "library.db"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    db.close()
    data = bytearray(path.read_bytes())
    data[4096 * 2 : 4096 * 12] = b"\xff" * 4096 * 10
    path.write_bytes(data)
    with pytest.raises(LibraryError, match="damaged"), reader(library) as store:
        store.check_whole()


def test_a_newer_library_is_refused(library: Path) -> None:
    with sqlite3.connect(library / "library.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(LibraryVersion, match="newer dragtor"):
        Store.open(library)


def test_stored_vectors_are_what_chroma_holds(library: Path) -> None:
    with reader(library) as store:
        rows = store.rows(
            "SELECT p.id, v.vector FROM passages p JOIN vectors v ON v.id = p.vector_id"
        )
        held = store.index().vectors([row[0] for row in rows])
        for row in rows:
            stored = np.frombuffer(row[1], np.float16).astype(np.float32)
            assert np.allclose(held[row[0]], stored, atol=1e-3)


def test_a_tidy_up_that_a_crash_prevented_is_done_by_the_next_writer(library: Path) -> None:
    secret = document("secret.md", "zanzibarquux the unforgettable word")
    before = digest(library)
    with Writer.open(library) as writer:
        put(writer, secret, "s2")
    with suppress(KeyboardInterrupt), Writer.open(library) as writer:
        writer.remove_source("s2")
        raise KeyboardInterrupt
    with Writer.open(library):
        pass
    assert digest(library) == before
    files = [f for f in library.rglob("*") if f.is_file()]
    assert not [f for f in files if b"zanzibarquux" in f.read_bytes()]


def test_an_index_that_a_crash_left_behind_is_removed(library: Path) -> None:
    (library / "index" / "7").mkdir()
    with Writer.open(library):
        pass
    assert [f.name for f in (library / "index").iterdir()] == ["1"]


@pytest.mark.parametrize("date", ["tomorrow", "31/12/2024", "May 2020", "24"])
def test_a_date_that_is_none_is_refused(date: str) -> None:
    with pytest.raises(UsageError, match="is no date"):
        Filters(after=date)


def test_authors_are_found_whatever_their_case(own_folders: Path) -> None:
    with Writer.open(own_folders) as writer:
        put(writer, document("m.md", "some text", author="Ann MÜLLER"))
    with reader(own_folders) as store:
        assert find(store, "text", Filters(author="müller")) == ["some text"]
