"""`dragtor serve` as a process: its one line, its end, --lan, and what it imports by then."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Cli
from serving import Reply, Served
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from dragtor.serve.guard import ServerGuard
from dragtor.serve.keys import Keys

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])
OUTSIDE = "127.0.0.2"  # loopback too, but another address than the owner's
START = "from dragtor.cli import main; main()"
START_S = 60.0
FIRST_ANSWER_CPU_S = 1.0  # of processor time: a busy machine does not count against it
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs a second loopback address")


@dataclass
class Process:
    """A server of its own process."""

    process: subprocess.Popen[str]
    line: str
    warned: str = ""  # on stderr, until it was ready

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.line)
        return found

    @property
    def served(self) -> Served:
        """It, for requests."""
        keys = Keys()
        keys.owner = self.told["token"]
        return Served(int(self.told["url"].rpartition(":")[2]), ServerGuard(keys))

    def ask(self, method: str, path: str, body: bytes | None = None, **how: Any) -> Reply:
        return self.served.ask(method, path, body, **how)

    def end(self, number: int = signal.SIGINT) -> tuple[int, str, str]:
        """Its exit code, and all that it printed."""
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=START_S)
        return self.process.returncode, self.line + out, self.warned + err


@contextmanager
def started(*arguments: str, json_line: bool = True, code: str = START) -> Iterator[Process]:
    """`dragtor serve ARGUMENTS` once it is ready."""
    line = [sys.executable, "-c", code, "serve", "--port", "0"]
    line += ["--json"] if json_line else []
    line += ["--no-browser"] if "--browser" not in arguments else []
    process = subprocess.Popen(
        [*line, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout
    assert process.stderr
    warned = ""
    try:
        first = process.stdout.readline()
        if not first:
            raise AssertionError(process.communicate(timeout=START_S)[1])
        # It prints more than a line; what readline has in hand, communicate does not see.
        while not json_line and "--lan" in arguments and "pairing code" not in first:
            first += process.stdout.readline()
        while not json_line and "Ctrl-C" not in warned:
            warned += process.stderr.readline()
        yield Process(process, first, warned)
    finally:
        process.kill()
        process.communicate()


def cpu_s(pid: int) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_one_line_says_where_and_ctrl_c_ends_it(own_folders: Path) -> None:
    with started() as process:
        assert process.told.keys() == {"url", "token", "pid"}
        assert process.told["pid"] == process.process.pid
        reply = process.ask("GET", "/", token="", accept="application/json")
        assert reply.json == {"message": "Welcome to the API"}
        if sys.platform == "linux":
            assert cpu_s(process.process.pid) <= FIRST_ANSWER_CPU_S
        page = process.ask("GET", "/", token="")
        assert page.headers["content-type"].startswith("text/html")
        assert process.ask("GET", "/api/v1/sources").json == {"sources": []}
        code, out, err = process.end()
    assert code == 0
    assert out.count("\n") == 1
    assert "stopped" in err
    assert "Traceback" not in err
    assert stat.S_IMODE((own_folders / "serve-keys.json").stat().st_mode) == 0o600


def test_it_ends_at_once_though_clients_hold_on() -> None:
    with started() as process:
        served = process.served
        uri = f"ws://127.0.0.1:{served.port}/api/v1/ws"
        slow = socket.create_connection(("127.0.0.1", served.port))
        head = f"POST /api/v1/pair HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
        slow.sendall(f"{head}Content-Length: 100\r\n\r\nabc".encode())
        with connect(uri, subprotocols=["dragtor.v1"], proxy=None) as way:  # type: ignore[list-item]
            way.send(json.dumps({"type": "hello", "v": 1, "token": served.token}))
            assert json.loads(way.recv())["type"] == "welcome"
            begun = time.monotonic()
            code, _, err = process.end(signal.SIGTERM)
            assert time.monotonic() - begun < 20  # 2 s and the end of jobs, on a busy machine
            with pytest.raises(ConnectionClosed) as closed:
                way.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012  # the server restarts: come again
        slow.close()
    assert code == 0, err


WATCHED = """
import sys, threading, os, signal
from dragtor.cli import main
import dragtor.cli.serve as command

def look(server):
    import urllib.request
    for path in ("/", "/page/app.js", "/api/v1/sources", "/api/v1/jobs", "/api/v1/settings"):
        asked = urllib.request.Request(server.url + path)
        asked.add_header("Authorization", "Bearer " + server.keys.owner)
        urllib.request.urlopen(asked).read()
    print(*sorted({name.partition(".")[0] for name in sys.modules}), flush=True)

command._out_ready = lambda server: threading.Thread(target=look, args=(server,)).start()
main()
"""


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    with started(code=WATCHED) as process:
        loaded = set(process.line.split())
        assert process.end()[0] == 0
    heavy = {
        "torch", "chromadb", "llama_cpp", "xllamacpp", "onnxruntime", "onnx", "transformers",
        "numpy", "tokenizers", "av", "pypdfium2", "mcp", "openai", "trafilatura", "yt_dlp",
        "scipy", "lxml",
    }  # fmt: skip
    assert {"starlette", "uvicorn", "websockets"} <= loaded
    assert loaded & heavy == set()


def test_an_open_page_goes_on_after_kill_9(own_folders: Path) -> None:
    with started() as first:
        token = first.told["token"]
        first.end(signal.SIGKILL)
    with started() as second:
        assert second.told["token"] == token
        second.end()
    with started("--new-token") as third:
        assert third.told["token"] != token
        third.end()


def test_secrets_are_in_no_output_and_no_journal(own_folders: Path) -> None:
    with started("--verbose") as process:
        served = process.served
        for path in ("/", "/api/v1/sources", f"/api/v1/x?token={served.token}",
                     f"/api/v1/media/{'0' * 16}?ticket=99.secret-ticket"):  # fmt: skip
            served.ask("GET", path)
        served.ask("GET", "/api/v1/sources", token="a-wrong-token-of-somebody")
        uri = f"ws://127.0.0.1:{served.port}/ws?token={served.token}"
        with suppress(InvalidStatus), connect(uri, proxy=None):
            pass
        uri = f"ws://127.0.0.1:{served.port}/api/v1/ws"
        with connect(uri, subprotocols=["dragtor.v1"], proxy=None) as way:  # type: ignore[list-item]
            way.send(json.dumps({"type": "hello", "v": 1, "token": served.token}))
            way.recv()
            way.send(json.dumps({"type": "start", "id": "one", "task": "search",
                                 "args": {"query": "rest"}}))  # fmt: skip
            way.recv()
        _, _, err = process.end()
    assert "/api/v1/sources" in err  # it tells of requests
    kept = b"".join(path.read_bytes() for path in own_folders.glob("jobs.db*"))
    assert kept
    for secret in (served.token, "secret-ticket", "a-wrong-token-of-somebody"):
        assert secret not in err
        assert secret.encode() not in kept


def test_a_terminal_is_shown_the_whole_address(tmp_path: Path) -> None:
    with started(json_line=False) as process:
        url = process.line.split()[-1]
        code, _, err = process.end()
    assert code == 0
    where, _, token = url.partition("/#token=")
    assert where.startswith("http://127.0.0.1:")
    assert len(token) == 43
    assert "Ctrl-C stops it." in err


def test_the_browser_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{opened}.part" && mv "{opened}.part" "{opened}"\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    with started("--browser") as process:
        deadline = time.monotonic() + START_S
        while not opened.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert opened.read_text().strip() == (
            f"{process.told['url']}/#token={process.told['token']}"
        )
        assert process.end()[0] == 0


@linux
def test_another_device_is_paired_by_the_code() -> None:
    with started("--lan", "--address", OUTSIDE) as process:
        served, lan = process.served, process.told["lan"]
        assert lan["url"] == f"http://{OUTSIDE}:{served.port}"
        wrong = served.post("/api/v1/pair", {"code": "x"}, at=OUTSIDE, token="")
        assert wrong.status == 400
        page = served.ask("GET", "/", at=OUTSIDE, token="")
        assert page.headers["content-type"].startswith("text/html")
        paired = served.post("/api/v1/pair", {"code": lan["code"]}, at=OUTSIDE, token="")
        token = paired.json["token"]
        assert served.ask("GET", "/api/v1/sources", at=OUTSIDE, token=token).status == 200
        assert served.ask("GET", "/api/v1/sources", at=OUTSIDE).status == 401  # the owner's
        host = f"evil.example:{served.port}"
        refused = served.ask("GET", "/api/v1/sources", at=OUTSIDE, token=token, host=host)
        assert refused.status == 421
        (device,) = served.ask("GET", "/api/v1/devices").json["devices"]
        assert served.ask("DELETE", f"/api/v1/devices/{device['id']}").status == 200
        assert served.ask("GET", "/api/v1/sources", at=OUTSIDE, token=token).status == 401
        process.end()


@linux
def test_lan_says_that_nothing_is_encrypted() -> None:
    with started("--lan", "--address", OUTSIDE, json_line=False) as process:
        code, out, err = process.end()
    assert code == 0
    assert f"http://{OUTSIDE}:" in out
    assert "pairing code" in out
    assert "not encrypted" in err


@linux
def test_enter_shows_a_new_code() -> None:
    import pty

    ours, theirs = pty.openpty()
    line = [sys.executable, "-c", START, "serve", "--port", "0", "--no-browser", "--lan"]
    process = subprocess.Popen(
        [*line, "--address", OUTSIDE], stdin=theirs, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(theirs)
    try:
        assert process.stdout
        first = [process.stdout.readline() for _ in range(3)][-1]
        os.write(ours, b"\n")
        second = process.stdout.readline()
        assert first.startswith("  pairing code ")
        assert second.startswith("  pairing code ")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=START_S)
        assert process.returncode == 0, err
        assert "Fatal" not in err
    finally:
        os.close(ours)
        process.kill()
        process.communicate()


def test_only_loopback_listens_by_default() -> None:
    with started() as process:
        port = process.served.port
        if sys.platform == "linux":
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection((OUTSIDE, port), timeout=5)
        process.end()


@pytest.mark.parametrize(
    "arguments",
    ["--port 70000", "--port -1", "--port x", "--address 127.0.0.2", "--lan --address nowhere",
     "--lan --address 0.0.0.0", "--lan --address 127.0.0.1", "--lan --address ::1",
     "--lan --address 192.0.2.7"],
)  # fmt: skip
def test_wrong_usage_of_serve_exits_2(cli: Cli, arguments: str) -> None:
    run = cli("serve", "--no-browser", "--json", *arguments.split())
    assert run.code == 2, run.err
    assert run.out == ""
    assert "Traceback" not in run.err


def test_an_address_of_another_machine(cli: Cli) -> None:
    run = cli("serve", "--no-browser", "--lan", "--address", "192.0.2.7")
    assert run.code == 2
    assert "192.0.2.7 is no IPv4 address of this machine" in run.err
    assert "port" not in run.err


def test_a_port_that_is_taken(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        run = cli("serve", "--no-browser", "--port", port)
        assert run.code == 2
        assert f"port {port} cannot be had: Address already in use\n" in run.err
        assert "dragtor serve --port 0" in run.err


def test_two_servers_do_not_share_a_library(cli: Cli, own_folders: Path) -> None:
    with started() as process:
        run = cli("serve", "--no-browser", "--port", "0", "--json")
        assert run.code == 5, run.err
        assert "another server" in run.err
        assert process.ask("GET", "/api/v1/sources").status == 200
        process.end()


def test_a_library_where_nothing_can_be_written(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = cli("--library", tmp_path / "file" / "lib", "serve", "--no-browser", "--port", "0")
    assert run.code in (1, 2), run.err
    assert "Traceback" not in run.err
    assert "unexpected" not in run.err


def test_uvicorn_starts_the_same_application(own_folders: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    line = [sys.executable, "-m", "uvicorn", "dragtor.serve:app", "--port", str(port)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        keys, deadline = None, time.monotonic() + START_S
        while time.monotonic() < deadline:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                keys = Keys(own_folders / "serve-keys.json")
                break
            time.sleep(0.1)
        assert keys is not None
        served = Served(port, ServerGuard(keys))
        welcome = served.ask("GET", "/", token="", accept="application/json")
        assert welcome.json == {"message": "Welcome to the API"}
        assert served.ask("GET", "/api/v1/sources").status == 200
        assert served.ask("GET", "/api/v1/sources", token="wrong").status == 401
        assert served.ask("GET", "/", host="evil.example").status == 421
        served.ask("GET", f"/api/v1/sources?token={served.token}")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=START_S)
        told, _, log = err.partition("\n")
        assert f"#token={served.token}" in told
        assert served.token not in log
    finally:
        process.kill()
        process.communicate()


def test_the_doctor_knows_the_port_and_the_extra(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DRAGTOR_MODELS_PATH", str(tmp_path))
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("DRAGTOR_SERVE_PORT", str(other.getsockname()[1]))
        findings = cli("doctor", "--offline", "--json").json["findings"]
    mends = {f["mend"] for f in findings if f["what"] == "server"}
    assert "dragtor serve --port 0" in mends
    assert any("mcp" in f["says"] for f in findings if f["what"] == "server")
    monkeypatch.setenv("DRAGTOR_SERVE_PORT", "0")
    findings = cli("doctor", "--offline", "--json").json["findings"]
    assert ("ok", "any port that is free") in {
        (f["state"], f["says"]) for f in findings if f["what"] == "server"
    }
