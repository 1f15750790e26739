"""After the pull nothing leaves the machine: commands run with every way out of it forbidden.

Each runs in a process of its own in which connecting, resolving and sending raise and are noted;
only sockets of the machine itself (AF_UNIX) are let through. Where the system permits it, that
process has no network device either, which binds native code too.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from conftest import ROOT, Run
from test_bad_input import dragtor

QUESTION = "When may I climb again after an A2 pulley strain?"
FORBIDDEN = """
import atexit, ctypes, json, os, socket, sys

if sys.platform.startswith("linux"):  # CLONE_NEWNET; for others than root with CLONE_NEWUSER
    ctypes.CDLL(None).unshare(0x40000000 | (0x10000000 if os.geteuid() else 0))
seen = []

def refuse(name):
    def refused(*arguments, **named):
        seen.append([name, repr(arguments[-1:])])
        raise OSError("the network is forbidden here")
    return refused

class Local(socket.socket):
    pass

for name in ("connect", "connect_ex", "sendto", "sendmsg"):
    real = getattr(socket.socket, name)
    def guarded(self, *arguments, real=real, name=name):
        if self.family == socket.AF_UNIX:
            return real(self, *arguments)
        return refuse(name)(*arguments)
    setattr(Local, name, guarded)
socket.socket = Local
for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "getnameinfo"):
    setattr(socket, name, refuse(name))

@atexit.register
def tell():
    with open(os.environ["SEEN"], "w") as file:
        json.dump(seen, file)

from dragtor.cli import main
main()
"""


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a run notes what it tried; a home without anything cached."""
    for name in ("HF_HUB_OFFLINE", "ANONYMIZED_TELEMETRY", "DO_NOT_TRACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SEEN", str(tmp_path / "seen.json"))
    monkeypatch.setenv("DRAGTOR_LLM_MODEL", "smollm2-135m")
    monkeypatch.setenv("DRAGTOR_LLM_ANSWER_TOKENS", "30")
    monkeypatch.setenv("DRAGTOR_ANSWER_PASSAGES", "1")
    return tmp_path / "seen.json"


def forbidden(seen: Path, *arguments: object) -> Run:
    """Run a command; it must try nothing."""
    seen.unlink(missing_ok=True)
    run = dragtor(*arguments, code=FORBIDDEN)
    assert json.loads(seen.read_text()) == [], run
    assert run.code == 0, run
    return run


def test_the_guard_notes_what_is_tried(seen: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the other tests could not fail."""
    monkeypatch.setenv("DRAGTOR_LOAD_WEB_RETRIES", "0")
    monkeypatch.setenv("DRAGTOR_LOAD_WEB_READER", "local")
    for address in ("http://example.org/", "http://93.184.215.14/"):
        run = dragtor("add", address, code=FORBIDDEN)
        assert run.code == 1
        assert json.loads(seen.read_text())


def test_reading_offline(seen: Path, sample_library: Path) -> None:
    place = ("--library", sample_library)
    assert forbidden(seen, *place, "search", "--json", "pulley").json["hits"]
    assert forbidden(seen, *place, "ask", "--no-history", "--quotes", "--json", QUESTION).json[
        "citations"
    ]
    assert forbidden(seen, *place, "sources", "--json").json["sources"]
    assert "gte-small" in forbidden(seen, *place, "models", "list").out


@pytest.mark.parametrize("engine", ["llama", "xllamacpp"])
def test_answering_offline(
    engine: str, seen: Path, sample_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = {"llama": "llama_cpp", "xllamacpp": "xllamacpp"}[engine]
    pytest.importorskip(module)
    monkeypatch.setenv("DRAGTOR_LLM_ENGINE", engine)
    answer = forbidden(
        seen, "--library", sample_library, "ask", "--no-history", "--json", QUESTION
    ).json
    assert answer["tokens"]["completion"] > 0
    assert "SmolLM2" in answer["model"]


def test_writing_offline(seen: Path, own_folders: Path, tmp_path: Path) -> None:
    """Chroma, the encoder and the loaders: no telemetry, no hub, no download."""
    notes = tmp_path / "notes"
    notes.mkdir()
    for path in sorted((ROOT / "assets" / "sample_library").iterdir())[:4]:
        shutil.copy(path, notes)
    assert "added" in forbidden(seen, "add", notes).err
    (notes / "new.md").write_text("Tape prevents nothing.")
    assert "1 added" in forbidden(seen, "sync").err
    assert "passages indexed" in forbidden(seen, "index", "--rebuild").err
    assert forbidden(seen, "search", "--json", "tape").json["hits"]
