"""Shared fixtures: every test has its own library folder; the network ends at loopback."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`slow` and `gpu` tests run only when asked for with -m."""
    asked = config.getoption("-m")
    for mark in ("slow", "gpu"):
        if mark not in asked:
            skip = pytest.mark.skip(reason=f"opt in with -m {mark}")
            for item in items:
                if mark in item.keywords:
                    item.add_marker(skip)


def pytest_unconfigure() -> None:
    """Close what llama-cpp-python opens on import and never closes."""
    if (module := sys.modules.get("llama_cpp._utils")) is not None:
        module.outnull_file.close()
        module.errnull_file.close()


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library folder, a home and a configuration of the test's own."""
    for name in list(os.environ):
        if name.startswith("DRAGTOR_") and name != "DRAGTOR_MODELS_PATH":
            monkeypatch.delenv(name)
    home = tmp_path / "library"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DRAGTOR_HOME", str(home))
    monkeypatch.setenv("DRAGTOR_CONFIG", str(ROOT / "config" / "params.yml"))
    monkeypatch.setenv("NO_COLOR", "1")
    return home


def shared(name: str) -> Path:
    """A folder of the shared data; skips the test, saying why, where it is absent."""
    folder = SHARED / name
    if not folder.exists():
        pytest.skip(f"../shared/data/{name} is not here")
    return folder


def digest(folder: Path) -> dict[str, object]:
    """Everything a library holds, times of day and row numbers aside: equal means equal."""
    from dragtor.store import Store

    with Store.open(folder) as store:
        tables = {
            "sources": "SELECT id, uri, kind, title, options FROM sources ORDER BY id",
            "documents": "SELECT id, staged, uri, kind, title, author, published, text, meta,"
            " content_hash FROM documents ORDER BY id, staged",
            "segments": "SELECT * FROM segments ORDER BY document_id, start",
            "links": "SELECT * FROM source_documents ORDER BY source_id, item_uri",
            "passages": 'SELECT p.id, p.document_id, p.start, p."end", p.text, p.heading, v.key,'
            " v.vector, f.title, f.text FROM passages p JOIN vectors v ON v.id = p.vector_id"
            " LEFT JOIN passages_fts f ON f.rowid = p.rowid ORDER BY p.id",
            "vectors": "SELECT key, fingerprint, vector FROM vectors ORDER BY key, fingerprint",
            "pending": "SELECT * FROM pending",
            "tags": "SELECT * FROM tags",
            "entities": "SELECT * FROM entities",
            "heard": "SELECT * FROM heard",
            "tagged": "SELECT * FROM tagged",
            "digests": "SELECT * FROM digests ORDER BY subject",
        }
        found: dict[str, object] = {
            name: [tuple(row) for row in store.rows(sql)] for name, sql in tables.items()
        }
        fts = store.rows("SELECT count(*) FROM passages_fts")[0][0]
        ids = [row[0] for row in found["passages"]]  # type: ignore[attr-defined]
        index = store.index()
        vectors = index.vectors(ids)
        found["fts"] = fts
        found["index ids"] = sorted(index_ids(store))
        found["index vectors"] = [
            vectors[i].astype("float16").tobytes() if i in vectors else None for i in ids
        ]
        return found


def index_ids(store: Any) -> set[str]:
    """Ids of the passages that the vector index holds."""
    return set(store.index()._collection.get(include=[])["ids"])


@dataclass(frozen=True)
class Run:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one JSON object on stdout."""
        found: dict[str, Any] = json.loads(self.out)
        return found


Cli = Callable[..., Run]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run `dragtor ARGUMENTS` in this process; `stdin` are bytes."""
    from dragtor.cli import main
    from dragtor.cli.output import settings

    def run(*arguments: object, stdin: bytes = b"") -> Run:
        settings.library, settings.quiet, settings.verbose = "", False, False
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), "utf-8"))
        capfd.readouterr()
        try:
            main([str(argument) for argument in arguments])
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        return Run(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def sample_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample library, indexed once with the default settings. Read only."""
    from dragtor import Library

    folder = tmp_path_factory.mktemp("sample") / "library"
    with Library(folder) as library:
        report = library.add(ROOT / "assets" / "sample_library")
        assert not report.failed
    return folder


# What tests in a browser need; see browser.py. Each is opened when a test first asks for it.


@pytest.fixture(scope="module")
def chrome() -> Iterator[Any]:
    """Debian's Chromium. Closed with its module: while it is open, asyncio.run is out of order."""
    from browser import FLAGS, PATIENCE_MS, chromium

    path = chromium()
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed here")
    api.expect.set_options(timeout=PATIENCE_MS)
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def heard_library(sample_library: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample library and its episode, heard by the smallest model. Read only."""
    import shutil

    from browser import needs_model

    from dragtor import Library

    needs_model("whisper-tiny", "silero-vad", "pyannote-segmentation-3.0")
    folder = tmp_path_factory.mktemp("heard") / "library"
    shutil.copytree(sample_library, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DRAGTOR_SPEECH_MODEL", "whisper-tiny")
        patch.setenv("DRAGTOR_SPEECH_LANGUAGE", "en")
        with Library(folder) as library:
            assert not library.add(ROOT / "assets" / "sample_episode").failed
    return folder


@pytest.fixture(scope="module")
def scribe() -> Iterator[Any]:
    """A language model that copies, and waits in the middle where a test says so."""
    from scribe import Scribe

    made = Scribe()
    yield made
    made.close()


@pytest.fixture
def small_library(sample_library: Path, tmp_path: Path) -> Path:
    """The sample library, to be written to."""
    import shutil

    folder = tmp_path / "small" / "library"
    shutil.copytree(sample_library, folder)
    return folder
