"""`dragtor add` against a server that misbehaves: one line a page, the good pages are kept."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from conftest import Cli, Run, digest
from fakes import HashingEmbedder
from test_bad_input import HASHING, quick_library, terminal_safe
from test_http import Answer, Server, public_first, say

WORDS = "A pulley heals in weeks when the load comes back step by step. " * 6
HTML = {"Content_Type": "text/html; charset=utf-8"}
GOOD = f"<html><head><title>Good page</title></head><body><p>{WORDS}</p></body></html>".encode()
SETTINGS = {
    "ALLOW_PRIVATE": "true",
    "READER": "local",
    "RETRIES": "0",
    "TIMEOUT_S": "0.5",
    "TOTAL_TIMEOUT_S": "1",
    "REQUESTS_PER_MINUTE": "10000",
    "MAX_MB": "1",
}


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dragtor.embed.open_embedder", lambda *_: HashingEmbedder())
    for name, value in SETTINGS.items():
        monkeypatch.setenv(f"DRAGTOR_LOAD_WEB_{name}", value)
    monkeypatch.setenv("DRAGTOR_RETRIEVE_FLOOR", "-1")


def silent(server: Server) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        server.done.wait(30)

    return answer


def dripping(server: Server) -> Answer:
    """A byte at a time, each before the timeout, for ever."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")
        while not server.done.wait(0.1):
            handler.wfile.write(b"x")

    return answer


def cut_off(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 9999\r\n\r\n"
    )
    handler.wfile.write(GOOD[:200])
    handler.close_connection = True


def no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"\0\1\2 what is a status line?\r\n\r\n")
    handler.close_connection = True


BOMB = gzip.compress(b"<p>boom</p>" * 5_000_000)


def misbehave(server: Server) -> dict[str, str]:
    """Address and a part of the line each gives; /good and /better are sound."""
    routes: dict[str, tuple[Answer, str]] = {
        "/absent": (say(b"gone", 404), "404"),
        "/broken": (say(b"oops", 500), "500"),
        "/busy": (say(b"later", 503, Retry_After="86400"), "503"),
        "/loop": (say(b"", 302, Location="/loop2"), "redirect"),
        "/loop2": (say(b"", 302, Location="/loop"), "redirect"),
        "/away": (say(b"", 302, Location="file:///etc/passwd"), "file:///etc/passwd"),
        "/silent": (silent(server), "/silent"),
        "/drip": (dripping(server), "/drip"),
        "/cut": (cut_off, "/cut"),
        "/noise": (no_http, "/noise"),
        "/picture": (say(b"\x89PNG\r\n\x1a\n" + b"\0" * 99, Content_Type="image/png"), "/picture"),
        "/lying": (say(b"\x89PNG\r\n\x1a\n" + b"\0" * 99, **HTML), "/lying"),
        "/video": (say(b"\0\0\0 ftypmp42" * 99, Content_Type="video/mp4"), "video/mp4"),
        "/blank": (say(b"", **HTML), "/blank"),
        "/fake.pdf": (say(b"%PDF-1.7 no more", Content_Type="application/pdf"), "/fake.pdf"),
        "/bomb": (say(BOMB, Content_Encoding="gzip", **HTML), "larger than 1 MB"),
        "/huge": (say(b"x" * 1_100_000, **HTML), "larger than 1 MB"),
        "/coded": (say(b"x" * 100, Content_Encoding="br", **HTML), "/coded"),
        "/not-gzip": (say(b"plain", Content_Encoding="gzip", **HTML), "/not-gzip"),
        "/sitemap.xml": (say(b"<urlset><url><loc>", Content_Type="application/xml"), ""),
    }
    for path, (answer, _) in routes.items():
        server.routes[path] = answer
    for path in ("/good", "/better"):
        page = GOOD.replace(b"Good", path.encode())
        server.routes[path] = say(page, **HTML)
    refused = {"http://127.0.0.1:1/": "", "http://[::1]:1/x": "", "http://nowhere.invalid/": ""}
    lines = {f"{server.url}{path}": part for path, (_, part) in routes.items() if part}
    return {**lines, **refused}


def failed_lines(run: Run) -> list[str]:
    assert run.code == 1, run
    assert "Traceback" not in run.err
    assert "unexpected" not in run.err
    assert terminal_safe(run.err)
    return [line for line in run.err.splitlines() if line.startswith("failed: ")]


def pages(cli: Cli) -> set[str]:
    sources = cli("sources", "--json").json["sources"]
    return {s["uri"].rpartition("/")[2] for s in sources if s["documents"]}


def test_bad_pages_do_not_stop_the_good_ones(cli: Cli, server: Server, own_folders: Path) -> None:
    bad = misbehave(server)
    given = [f"{server.url}/good", *bad, f"{server.url}/better"]
    begun = time.monotonic()
    run = cli("add", *given)
    assert time.monotonic() - begun < 60
    failed = failed_lines(run)
    assert len(failed) == len(bad), run.err
    for address, part in bad.items():
        assert [line for line in failed if address in line and part in line], address
    assert f"2 added, {len(bad)} failed" in run.err
    assert pages(cli) == {"good", "better"}
    assert cli("search", "--json", "pulley").json["hits"]
    before = digest(own_folders)
    server.routes["/good"] = server.routes["/better"] = say(b"down", 503)
    assert len(failed_lines(cli("sync"))) >= 2
    assert digest(own_folders)["documents"] == before["documents"]
    assert digest(own_folders)["passages"] == before["passages"]


def test_a_sitemap_of_bad_pages(cli: Cli, server: Server) -> None:
    bad = [a for a in misbehave(server) if a.startswith(server.url) and "drip" not in a]
    places = "".join(f"<url><loc>{a}</loc></url>" for a in [*bad, f"{server.url}/good"])
    server.routes["/all.xml"] = say(f"<urlset>{places}</urlset>".encode())
    run = cli("add", f"{server.url}/all.xml")
    assert len(failed_lines(run)) == len(bad), run.err
    assert f"1 added, {len(bad)} failed" in run.err


def test_jina_fails_and_the_page_is_read_here(
    cli: Cli, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reader auto: a Reader that is broken, silent or lying costs nothing but a note."""
    paths = [a.removeprefix(server.url) for a in misbehave(server) if a.startswith(server.url)][:4]
    bad = [f"http://{path[1:]}.example:{server.port}{path}" for path in paths]
    known, answer_of_dns = public_first(), socket.getaddrinfo

    def dns(name: str, port: int, *rest: int, **named: int) -> object:
        """The world's name server, as told: no page of this test may have a loopback name."""
        return answer_of_dns(
            known(name, port)[0] if name.endswith(".example") else name, port, *rest, **named
        )

    monkeypatch.setattr("socket.getaddrinfo", dns)
    monkeypatch.setenv("DRAGTOR_LOAD_WEB_READER", "auto")
    monkeypatch.setenv("DRAGTOR_LOAD_WEB_JINA_URL", f"{server.url}/jina/")
    answers: dict[str, Answer] = {
        "a": say(b"no", 500),
        "b": say(b"<html>a proxy's page</html>"),
        "c": say(json.dumps({"data": {"title": "x", "content": ""}}).encode()),
        "d": silent(server),
        "e": cut_off,
        "f": say(b"\xff\xfe\0"),
    }
    given = {name: f"http://{name}.example:{server.port}/{name}" for name in answers}
    for name, answer in answers.items():
        server.routes[f"/{name}"] = server.routes["/good"]
        server.routes[f"/jina/{given[name]}"] = answer
    for address in bad:
        server.routes[f"/jina/{address}"] = say(b"upstream", 422)
    run = cli("add", *given.values(), *bad)
    assert len(failed_lines(run)) == len(bad), run.err
    assert {f"/jina/{address}" for address in (*given.values(), *bad)} <= set(server.asked)
    assert pages(cli) == set(answers)
    assert "go to the Jina Reader" in run.err


def test_a_loopback_address_is_refused(
    cli: Cli, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.routes["/good"] = say(GOOD, **HTML)
    (tmp_path / "note.md").write_text("Sleep nine hours.")
    monkeypatch.delenv("DRAGTOR_LOAD_WEB_ALLOW_PRIVATE")
    for reader in ("local", "auto", "jina"):
        monkeypatch.setenv("DRAGTOR_LOAD_WEB_READER", reader)
        monkeypatch.setenv("DRAGTOR_LOAD_WEB_JINA_URL", f"{server.url}/jina/")
        given = [f"{server.url}/good", "http://localhost/x", "http://0x7f.1/", "http://[::1]/"]
        run = cli("add", *given, tmp_path / "note.md")
        assert len(failed_lines(run)) == len(given), run.err
        assert run.err.count("  try: ") == len(given)
        assert "DRAGTOR_LOAD_WEB_ALLOW_PRIVATE=true dragtor add" in run.err
    assert server.asked == []
    assert cli("search", "--json", "sleep").json["hits"]


def test_odd_addresses_are_one_line_each(cli: Cli) -> None:
    odd = [
        "http://", "https://[", "http://a b/", "http://\x1b[2J.test/", "http://\udce9/", "HTTP:/x",
        "http://user:secret@127.0.0.1/", "ftp://user:secret@x.test/", "javascript://x",
        "http://1.1.1.1:99999/",
    ]  # fmt: skip
    run = cli("add", *odd)
    assert len(failed_lines(run)) == len(odd), run.err
    assert "secret" not in run.err


def test_a_full_cache_folder_does_not_stop_a_page(
    cli: Cli, server: Server, own_folders: Path
) -> None:
    """Raw pages are cached beside the library; where that fails the page is still added."""
    server.routes["/good"] = say(GOOD, **HTML)
    own_folders.mkdir()
    (own_folders / "cache").write_text("no folder")
    run = cli("add", f"{server.url}/good")
    assert run.code == 0, run
    assert "not cached" in run.err
    assert "1 added" in run.err


def test_interrupting_a_slow_page_keeps_the_others(
    server: Server, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pages before the slow one are stored when Ctrl-C comes; the next run goes on."""
    monkeypatch.setenv("DRAGTOR_LOAD_WEB_TIMEOUT_S", "30")
    monkeypatch.setenv("DRAGTOR_LOAD_WEB_TOTAL_TIMEOUT_S", "30")
    server.routes["/good"] = say(GOOD, **HTML)
    server.routes["/silent"] = silent(server)
    line = [sys.executable, "-c", HASHING, "add", f"{server.url}/good", f"{server.url}/silent"]
    process = subprocess.Popen(line, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while "/silent" not in server.asked and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    err = process.communicate(timeout=30)[1]
    assert process.returncode == 130, err
    assert "Traceback" not in err
    with quick_library(own_folders) as library:
        assert [row["uri"] for row in library.documents()] == [f"{server.url}/good"]
