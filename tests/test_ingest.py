"""The ingest pipeline on real files, with an honest small embedder: what is added, kept, gone."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any

import pytest
from conftest import digest
from fakes import HashingEmbedder

from dragtor.config import EmbedConfig, LoadConfig, SplitConfig
from dragtor.errors import Cancelled, LibraryError, LibraryVersion, LoadError, Missing, UsageError
from dragtor.ingest import Ingest
from dragtor.load.base import Choice, Item, Loader
from dragtor.load.file import FileLoader
from dragtor.load.registry import source_of
from dragtor.load.web import WebLoader
from dragtor.store import Store, Writer
from dragtor.types import CancelToken, Document, Recording, Reporter, Source, short_hash

Open = Callable[..., "contextmanager[Ingest]"]  # type: ignore[type-arg]
TEXT = "The pulley is a ligament. It heals in weeks. Load it early and gently.\n\n"


@contextmanager
def open_ingest(
    library: Path,
    embedder: HashingEmbedder | None = None,
    split: SplitConfig | None = None,
    embed: EmbedConfig | None = None,
    **parts: Any,
) -> Iterator[Ingest]:
    made = embedder or HashingEmbedder()
    loaders = parts.pop("loaders", {})
    with Writer.open(library) as writer:
        yield Ingest(
            writer,
            loaders if "file" in loaders else {**loaders, "file": FileLoader(LoadConfig())},
            lambda: made,
            split or SplitConfig(tokens=40, overlap_tokens=8),
            embed or EmbedConfig(),
            **parts,
        )


def source_named(argument: str) -> Source:
    """The source that an argument names, without a request."""
    web = WebLoader(LoadConfig().web, Path("nowhere"))
    return source_of(argument, {"web": web, "file": FileLoader(LoadConfig())})


class Shelf(Loader):
    """A list over what it is told: address -> (content hash, what reading it gives or raises)."""

    kind = "web"
    takes = ("match",)
    lists = True

    def __init__(self, **items: tuple[str, Document | Recording | Exception]) -> None:
        self.items = {f"https://e.org/{name}": item for name, item in items.items()}
        self.listed = list(self.items)
        self.reads: list[str] = []
        self.choices: list[Choice] = []

    def supports(self, argument: str, choice: Choice) -> bool:
        return argument in self.items

    def discover(self, uri: str, choice: Choice, *, refresh: bool = False) -> list[Item]:
        self.choices.append(choice)
        return [Item(uri, "" if refresh else self.items[uri][0]) for uri in self.listed]

    def read(
        self, uri: str, *, refresh: bool = False, before: Document | None = None
    ) -> Document | Recording:
        self.reads.append(uri)
        found = self.items[uri][1]
        if isinstance(found, BaseException):
            raise found
        return found

    def content_hash(self, uri: str) -> str:
        return self.items[uri][0]


def page(name: str, text: str = TEXT) -> Document:
    uri = f"https://e.org/{name}"
    return Document(short_hash(uri), uri, "web", name, text, meta={"stamp": "1"})


def shelf_source(kind: str = "video") -> Source:
    return Source("s1", "https://e.org/list", kind)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.md").write_text(f"# Note {number}\n\n" + TEXT * (number + 1))
    return folder


def counts(ingest: Ingest) -> tuple[int, int, int, int]:
    r = ingest.report
    return r.added, r.changed, r.unchanged, r.removed


def test_a_folder_is_added_then_unchanged(own_folders: Path, notes: Path) -> None:
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
        assert counts(ingest) == (5, 0, 0, 0)
        assert ingest.report.passages == ingest.writer.store.counts()["passages"] > 5
    before = digest(own_folders)

    def no_embedder() -> HashingEmbedder:
        raise AssertionError("nothing to embed")

    with open_ingest(own_folders) as ingest:
        again = Ingest(
            ingest.writer, ingest.loaders, no_embedder, ingest.split_config,
            ingest.embed_config,
        )  # fmt: skip
        again.add([str(notes)])
        assert counts(again) == (0, 0, 5, 0)
    assert digest(own_folders) == before


def test_only_what_changed_is_embedded(own_folders: Path, notes: Path) -> None:
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
    embedder = HashingEmbedder()
    (notes / "1.md").write_text("# Note 1\n\nEntirely new words here.")
    with open_ingest(own_folders, embedder) as ingest:
        ingest.add([str(notes)])
        assert counts(ingest) == (0, 1, 4, 0)
    assert embedder.embedded == 1


def test_deleted_files_leave_on_sync(own_folders: Path, notes: Path) -> None:
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
    (notes / "0.md").unlink()
    with open_ingest(own_folders) as ingest:
        ingest.sync(ingest.writer.store.sources())
        assert counts(ingest) == (0, 0, 4, 1)
        assert len(ingest.writer.store.documents()) == 4


@pytest.mark.parametrize("how", ["emptied", "gone"])
def test_an_unmounted_folder_loses_nothing(own_folders: Path, notes: Path, how: str) -> None:
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
    before = digest(own_folders)
    shutil.rmtree(notes)
    if how == "emptied":
        notes.mkdir()
    with open_ingest(own_folders) as ingest:
        ingest.sync(ingest.writer.store.sources())
        assert len(ingest.report.failed) == 1
    assert digest(own_folders) == before


def test_a_moved_file_is_the_same_document(own_folders: Path, notes: Path) -> None:
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
        before = {row["id"] for row in ingest.writer.store.documents()}
    (notes / "sub").mkdir()
    (notes / "3.md").rename(notes / "sub" / "three.md")
    embedder = HashingEmbedder()
    with open_ingest(own_folders, embedder) as ingest:
        ingest.add([str(notes)])
        rows = ingest.writer.store.documents()
        assert {row["id"] for row in rows} == before
        assert [r["uri"] for r in rows if "three" in r["uri"]]
        assert counts(ingest) == (0, 0, 5, 0)
    assert embedder.embedded == 0
    (notes / "sub" / "three.md").write_text("# Note 3\n\nNow it also changed.")
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
        assert counts(ingest) == (0, 1, 4, 0)
        assert {row["id"] for row in ingest.writer.store.documents()} == before


def test_one_bad_file_does_not_stop_the_rest(own_folders: Path, notes: Path) -> None:
    (notes / "broken.pdf").write_bytes(b"%PDF-1.4 not really")
    (notes / "empty.txt").write_bytes(b"")
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes / "absent"), str(notes), "ftp://example.org/x"])
        assert counts(ingest) == (5, 0, 0, 0)
        failed = sorted(uri.rpartition("/")[2] for uri, _ in ingest.report.failed)
    assert failed == ["absent", "broken.pdf", "empty.txt", "x"]


def test_load_then_index(own_folders: Path, notes: Path) -> None:
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)], index=False)
        assert ingest.writer.store.counts()["passages"] == 0
        assert len(ingest.writer.pending_ids()) == 5
    with open_ingest(own_folders) as ingest:
        ingest.index()
        assert ingest.report.passages == ingest.writer.store.counts()["passages"] > 0
        assert ingest.writer.pending_ids() == []


def test_what_a_crash_left_pending_is_indexed_without_loading_again(
    own_folders: Path, notes: Path
) -> None:
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)], index=False)
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
        assert counts(ingest) == (0, 0, 5, 0)
        assert ingest.report.passages > 0


def test_rebuild_embeds_nothing_again(own_folders: Path, notes: Path) -> None:
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
    before = digest(own_folders)
    shutil.rmtree(own_folders / "index")
    embedder = HashingEmbedder()
    with open_ingest(own_folders, embedder) as ingest:
        ingest.rebuild()
    assert embedder.embedded == 0
    assert digest(own_folders) == before


def test_rebuild_takes_a_new_splitter_over(own_folders: Path, notes: Path) -> None:
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
        few = ingest.writer.store.counts()["passages"]
    finer = SplitConfig(tokens=20, overlap_tokens=0)
    (notes / "new.md").write_text("another one")
    with (
        pytest.raises(LibraryVersion, match="another splitter"),
        open_ingest(own_folders, split=finer) as ingest,
    ):
        ingest.add([str(notes)])
    with open_ingest(own_folders, split=finer) as ingest:
        ingest.rebuild()
        store = ingest.writer.store
        assert store.counts()["passages"] == store.index().count() > few
        assert ingest.writer.pending_ids() == []
        assert any(row["title"] == "new" for row in store.documents())


def test_late_chunking_is_another_embedding(own_folders: Path, notes: Path) -> None:
    with open_ingest(own_folders) as ingest:
        ingest.add([str(notes)])
    late = EmbedConfig(late_chunking=True)
    with open_ingest(own_folders, embed=late) as ingest:
        ingest.rebuild()
    with Store.open(own_folders) as store:
        assert "+late512/128" in store.meta("fingerprint")
        rows = store.rows("SELECT count(*) FROM vectors")
        assert rows[0][0] == store.counts()["passages"] > 0


def test_bytes_become_a_source_of_their_own(own_folders: Path) -> None:
    uri = "stdin:abc"
    document = Document(short_hash(uri), uri, "file", "stdin", "Some words.", meta={"stamp": "1"})
    for expected in ((1, 0, 0, 0), (0, 0, 1, 0)):
        with open_ingest(own_folders) as ingest:
            ingest.add_document(document)
            assert counts(ingest) == expected
    with Store.open(own_folders) as store:
        assert [s.kind for s in store.sources()] == ["stdin"]
    with open_ingest(own_folders) as ingest:
        ingest.sync(ingest.writer.store.sources())
        assert counts(ingest) == (0, 0, 0, 0)


def test_a_source_is_named_by_what_was_given(tmp_path: Path) -> None:
    assert source_named("https://example.org/a").kind == "web"
    folder = source_named(str(tmp_path))
    assert (folder.kind, folder.uri) == ("file", str(tmp_path))
    assert source_named(tmp_path.as_uri()).id == folder.id


def texts(library: Path) -> dict[str, str]:
    """The last line of each document, by file name."""
    with Store.open(library) as store:
        found = {}
        for row in store.documents():
            document = store.document(row["id"])
            assert document is not None
            found[row["uri"].rpartition("/")[2]] = document.text.splitlines()[-1]
        return found


def add(library: Path, *places: Path, index: bool = True) -> tuple[int, int, int, int]:
    with open_ingest(library) as ingest:
        ingest.add([str(place) for place in places], index=index)
        return counts(ingest)


def test_a_new_file_where_a_moved_one_was_is_another_document(
    own_folders: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "n"
    folder.mkdir()
    (folder / "draft.md").write_text("All about pulleys.")
    add(own_folders, folder)
    (folder / "draft.md").rename(folder / "final.md")
    add(own_folders, folder)
    (folder / "draft.md").write_text("All about elbows.")
    assert add(own_folders, folder) == (1, 0, 1, 0)
    assert texts(own_folders) == {
        "draft.md": "All about elbows.",
        "final.md": "All about pulleys.",
    }


@pytest.mark.parametrize("order", ["old first", "new first"])
def test_a_file_moved_between_two_sources(own_folders: Path, tmp_path: Path, order: str) -> None:
    old, new = tmp_path / "old", tmp_path / "new"
    for folder in (old, new):
        folder.mkdir()
        (folder / f"stays-{folder.name}.md").write_text(f"This stays in {folder.name}.")
    (old / "a.md").write_text("Moving words.")
    add(own_folders, *((old, new) if order == "old first" else (new, old)))
    with Store.open(own_folders) as store:
        before = {row["id"] for row in store.documents()}
    (old / "a.md").rename(new / "a.md")
    with open_ingest(own_folders) as ingest:
        ingest.sync(ingest.writer.store.sources())
    with Store.open(own_folders) as store:
        assert {row["id"] for row in store.documents()} == before
    add(own_folders, old)
    assert "a.md" in texts(own_folders)
    with open_ingest(own_folders) as ingest:
        ingest.writer.remove_source(source_named(str(old)).id)
    assert set(texts(own_folders)) == {"a.md", "stays-new.md"}


def test_a_renamed_file_gets_its_new_title(own_folders: Path, tmp_path: Path) -> None:
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "untitled.txt").write_text("Some words.")
    add(own_folders, tmp_path / "n")
    (tmp_path / "n" / "untitled.txt").rename(tmp_path / "n" / "pulley.txt")
    add(own_folders, tmp_path / "n")
    with Store.open(own_folders) as store:
        assert [row["title"] for row in store.documents()] == ["pulley"]


def test_what_waits_is_dropped_when_the_old_version_comes_back(
    own_folders: Path, notes: Path
) -> None:
    add(own_folders, notes)
    before = digest(own_folders)
    kept = (notes / "1.md").read_text()
    (notes / "1.md").write_text("Second thoughts.")
    add(own_folders, notes, index=False)
    (notes / "1.md").write_text(kept)
    assert add(own_folders, notes) == (0, 0, 5, 0)
    assert digest(own_folders) == before


def test_what_could_not_be_read_is_no_source(own_folders: Path, tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_bytes(b"")
    add(own_folders, tmp_path / "empty.txt")
    with Store.open(own_folders) as store:
        assert store.sources() == []


def test_a_wrong_pattern_is_noticed_at_once() -> None:
    with pytest.raises(UsageError, match="no regular expression"):
        Choice("(")


@pytest.mark.parametrize("others", [[], ["https://e.org/a"]])
def test_a_choice_that_one_argument_cannot_have_costs_only_that_one(
    own_folders: Path, notes: Path, others: list[str]
) -> None:
    """With no other address there may be standard input, which is added too."""
    with open_ingest(own_folders, loaders={"web": Shelf(a=("1", page("a")))}) as ingest:
        ingest.add([str(notes), *others], Choice("x"))
        ((uri, error),) = ingest.report.failed
        assert (uri, error.exit_code) == (str(notes), UsageError.exit_code)
        assert "--match" in str(error)
        assert counts(ingest) == (len(others), 0, 0, 0)


def test_a_list_that_gives_nothing_now_leaves_what_it_gave(own_folders: Path) -> None:
    shelf = Shelf(a=("1", page("a")), b=("1", page("b")))
    with open_ingest(own_folders, loaders={"feed": shelf}) as ingest:
        ingest.sync([shelf_source("feed")])
        shelf.listed = []
        ingest.report.added = 0
        ingest.sync([shelf_source("feed")])
        assert counts(ingest) == (0, 0, 2, 0)
        assert ingest.report.failed == []
        shelf.items.clear()
        ingest.sync([Source("s2", "https://e.org/other", "feed")])
        assert "holds nothing" in str(ingest.report.failed[0][1])


def test_what_a_list_leaves_without_a_hash_is_read_on_refresh(own_folders: Path) -> None:
    shelf = Shelf(a=("1", page("a")))
    with open_ingest(own_folders, loaders={"video": shelf}) as ingest:
        for refresh, reads in ((False, 1), (False, 1), (True, 2)):
            ingest._load_all([shelf_source()], refresh=refresh, index=True)
            assert len(shelf.reads) == reads
        assert counts(ingest) == (1, 0, 2, 0)


def test_a_list_is_remembered_as_far_as_all_of_it_was_taken(own_folders: Path) -> None:
    broken = ("1", LoadError("404"))
    shelf = Shelf(**{name: ("1", page(name)) for name in "abcdef"})
    seen = {name: f"https://e.org/{name}" for name in "abcdef"}

    def since(listed: str, *, again: bool = False) -> str:
        """What the loader is told when the list is visited."""
        shelf.listed = [seen[name] for name in listed]
        with open_ingest(own_folders, loaders={"video": shelf}) as ingest:
            known = ingest.writer.store.sources()
            sources = known if known and not again else [shelf_source()]
            ingest._load_all(sources, refresh=True, index=False)
        return shelf.choices[-1].since

    assert since("b") == ""
    assert since("ab") == f" {seen['b']}"
    shelf.items[seen["c"]] = shelf.items[seen["e"]] = broken
    assert since("dcab") == f" {seen['a']}"
    assert since("fedcab") == f" {seen['a']}"  # c failed, and is tried again with all after it
    shelf.items[seen["c"]] = ("1", page("c"))
    assert since("fedcab") == f" {seen['a']}"
    shelf.items[seen["e"]] = ("1", page("e"))
    assert since("fedcab") == f" {seen['d']}"
    assert since("fedcab", again=True) == f" {seen['f']}"  # added again
    shelf.listed = []
    assert since("") == since("a") == f" {seen['f']}"


def test_a_run_that_is_ended_leaves_the_rest_of_a_list_to_the_next(own_folders: Path) -> None:
    shelf = Shelf(a=("1", page("a")))
    with open_ingest(own_folders, loaders={"feed": shelf}) as ingest:
        ingest._load_all([shelf_source("feed")], refresh=False, index=False)
        shelf.items = {f"https://e.org/{n}": ("1", page(n)) for n in "cba"}
        shelf.items["https://e.org/b"] = ("1", KeyboardInterrupt())  # type: ignore[assignment]
        shelf.listed = list(shelf.items)
        with pytest.raises(KeyboardInterrupt):
            ingest._load_all([shelf_source("feed")], refresh=False, index=False)
        (source,) = ingest.writer.store.sources()
        assert source.options == {"since": " https://e.org/a"}


def test_a_cancelled_run_keeps_what_it_loaded_and_the_next_goes_on(
    own_folders: Path, notes: Path
) -> None:
    cancel = CancelToken()

    class Impatient(Reporter):
        def progress(self, label: str, done: float, total: float) -> None:
            if done == 3:
                cancel.cancel()

    with (
        open_ingest(own_folders, reporter=Impatient(), cancel=cancel) as ingest,
        pytest.raises(Cancelled),
    ):
        ingest.add([str(notes)])
    with open_ingest(own_folders) as ingest:
        assert len(ingest.writer.pending_ids()) == 4
        ingest.add([str(notes)])
        assert counts(ingest) == (1, 0, 4, 0)
        assert ingest.writer.pending_ids() == []
        assert len(ingest.writer.store.documents()) == 5


def test_who_waits_for_another_writer_can_be_stopped(own_folders: Path) -> None:
    cancel = CancelToken()
    with Writer.open(own_folders):
        Timer(0.2, cancel.cancel).start()
        begun = monotonic()
        with pytest.raises(Cancelled), Writer.open(own_folders, cancel=cancel):
            pass
        assert monotonic() - begun < 1


def test_what_is_loaded_is_indexed_before_a_full_disk_ends_the_run(own_folders: Path) -> None:
    full = LibraryError("the disk is full", "df -h")
    shelf = Shelf(a=("1", page("a")), b=("1", full), c=("1", page("c")))
    with open_ingest(own_folders, loaders={"video": shelf}) as ingest:
        with pytest.raises(LibraryError, match="the disk is full"):
            ingest._load_all([shelf_source()], refresh=False, index=True)
        assert ingest.writer.pending_ids() == []
        assert ingest.writer.store.counts()["passages"] > 0


def test_a_missing_model_costs_what_needs_it_and_is_remembered(own_folders: Path) -> None:
    shelf = Shelf(a=("1", Missing("no model", "dragtor models pull it")), b=("1", page("b")))
    with open_ingest(own_folders, loaders={"video": shelf}) as ingest:
        ingest._load_all([shelf_source()], refresh=False, index=True)
        ((_, error),) = ingest.report.failed
        assert (str(error), error.hint, error.exit_code) == (
            "no model", "dragtor models pull it", 4,
        )  # fmt: skip
        assert counts(ingest) == (1, 0, 0, 0)


def test_sources_have_one_address(tmp_path: Path) -> None:
    same = ["https://X.org/a?utm_source=b", "https://x.org/a", "HTTPS://x.org:443/a#top"]
    assert len({source_named(uri).id for uri in same}) == 1
    (tmp_path / "a").mkdir()
    assert source_named(f"{tmp_path}/a/../a").id == source_named(str(tmp_path / "a")).id
    with pytest.raises(LoadError, match="empty"):
        source_named("")


def test_a_removed_text_leaves_no_vector_even_while_others_wait(
    own_folders: Path, notes: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.md").write_text("unforgettablequux")
    add(own_folders, tmp_path / "secret.md")
    add(own_folders, notes, index=False)
    with open_ingest(own_folders) as ingest:
        ingest.writer.remove_source(source_named(str(tmp_path / "secret.md")).id)
    with open_ingest(own_folders) as ingest:
        ingest.index()
    with Store.open(own_folders) as store:
        vectors = store.rows("SELECT count(*) FROM vectors")[0][0]
        assert vectors == store.counts()["passages"]
    files = [f for f in own_folders.rglob("*") if f.is_file()]
    assert not [f for f in files if b"unforgettablequux" in f.read_bytes()]
