"""The same library with its vectors on a real Chroma server on loopback."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import HashingEmbedder
from test_store import ELBOW, PULLEY, document, find, indexed, put

from dragtor.config import StoreConfig
from dragtor.errors import LibraryError
from dragtor.store import Rebuild, Store, Writer

EMBEDDER = HashingEmbedder()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("chroma")
    program = Path(sys.executable).with_name("chroma")
    line = [program, "run", "--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=20)


def test_a_library_on_a_server(own_folders: Path, server: str) -> None:
    config = StoreConfig(url=server)
    with Writer.open(own_folders, config) as writer:
        put(writer, PULLEY)
        put(writer, ELBOW)
    assert not (own_folders / "index").exists()
    with Store.open(own_folders, config) as store:
        assert find(store, "pulley strain")[0] == "A2 pulley strain heals slowly"
        assert store.index().count() == 4
    with Writer.open(own_folders, config) as writer:
        put(writer, document("pulley.md", "all new"))
        rebuild = Rebuild(writer, EMBEDDER.fingerprint, "v1")
        for doc in (document("pulley.md", "all new"), ELBOW):
            rebuild.put([indexed(doc)])
        rebuild.finish()
        assert writer.store.index().count() == 3
        writer.remove_source("s1")
        assert writer.store.index().count() == 0


def test_two_libraries_share_a_server(tmp_path: Path, server: str) -> None:
    config = StoreConfig(url=server)
    for name, doc in (("a", PULLEY), ("b", ELBOW)):
        with Writer.open(tmp_path / name, config) as writer:
            put(writer, doc)
    with Store.open(tmp_path / "a", config) as store:
        assert set(find(store, "elbow", n=9)) == set(PULLEY.text.splitlines())


def test_an_absent_server_is_one_line(own_folders: Path) -> None:
    config = StoreConfig(url="http://127.0.0.1:9")
    with (
        pytest.raises(LibraryError, match="vector index") as refused,
        Writer.open(own_folders, config) as writer,
    ):
        put(writer, PULLEY)
    assert "\n" not in str(refused.value)
