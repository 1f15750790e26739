"""The URL check and the fetcher, against a real server on loopback; nothing leaves the machine."""

from __future__ import annotations

import gzip
import json
import shutil
import ssl
import subprocess
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path

import pytest
from conftest import shared
from hypothesis import given
from hypothesis import strategies as st

from dragtor.config import WebConfig
from dragtor.errors import BlockedURL, LoadError
from dragtor.load.address import check_url, is_public, shown
from dragtor.load.http import Fetcher

OPEN = WebConfig(
    allow_private=True, retries=0, timeout_s=5, total_timeout_s=20, requests_per_minute=0, max_mb=1
)
METADATA = "169.254.169.254"
Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """Serves what `routes` says and remembers what was asked."""

    def __init__(self) -> None:
        self.routes: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.done = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                try:
                    outer.routes[self.path](self)
                except OSError:
                    self.close_connection = True

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.port = self.http.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.http.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.done.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


def say(body: bytes = b"hello", status: int = 200, **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            if value:
                handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def to(address: str) -> Callable[[str, int], Sequence[str]]:
    return lambda name, port: [address]


def public_first() -> Callable[[str, int], Sequence[str]]:
    """Names that are public when their address is judged, and lead here when they are opened."""
    judged: set[str] = set()

    def resolve(name: str, port: int) -> Sequence[str]:
        first = name not in judged
        judged.add(name)
        return ["8.8.8.8"] if first else ["127.0.0.1"]

    return resolve


def no_dns(name: str, port: int) -> Sequence[str]:
    raise AssertionError(f"{name} was resolved")


# The URL check


def whatwg_cases() -> list[dict[str, str]]:
    path = shared("bad_inputs") / "urls" / "urltestdata.json"
    return [case for case in json.loads(path.read_text("utf-8")) if isinstance(case, dict)]


def test_all_whatwg_failures_are_refused_alone_and_against_their_base() -> None:
    failing = [case for case in whatwg_cases() if case.get("failure")]
    assert len(failing) == 267
    for case in failing:
        for base in {"", case["base"] or ""}:
            with pytest.raises(LoadError) as caught:
                check_url(case["input"], base=base)
            assert "\n" not in str(caught.value)
            assert str(caught.value).isprintable()


def test_valid_whatwg_urls_are_accepted_unless_private_or_with_credentials() -> None:
    accepted = 0
    for case in whatwg_cases():
        if case.get("failure") or case["protocol"] not in ("http:", "https:"):
            continue
        if case["username"] or case["password"]:
            with pytest.raises(BlockedURL, match="user name"):
                check_url(case["input"], base=case["base"] or "", allow_private=True)
        else:
            found = check_url(case["input"], base=case["base"] or "", allow_private=True)
            assert found == case["href"]
            accepted += 1
    assert accepted > 200


def test_other_schemes_of_the_whatwg_set_are_refused() -> None:
    others = [
        case
        for case in whatwg_cases()
        if not case.get("failure") and case["protocol"] not in ("http:", "https:")
    ]
    assert len(others) > 300
    for case in others:
        with pytest.raises(BlockedURL):
            check_url(case["input"], base=case["base"] or "")


@pytest.mark.parametrize("address", ["127.0.0.1", METADATA, "::1", "::ffff:10.0.0.1"])
def test_all_ssrf_urls_are_refused(address: str) -> None:
    lines = (shared("bad_inputs") / "urls" / "ssrf_urls.txt").read_text("utf-8").splitlines()
    assert len(lines) == 140
    fetcher = Fetcher(WebConfig(), resolve=to(address))
    for line in lines:
        with pytest.raises(LoadError) as caught:
            fetcher.is_private(line)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "127.0.0.1.",
        "１２７。０。０。１",
        "%31%32%37.0.0.1",
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "printer.local",
        "metadata.google.internal",
        "0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "192.0.0.192",
        "168.63.129.16",
        "198.18.0.1",
        "224.0.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "[::]",
        "[::1]",
        "[::127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::1]",
        "[2002:7f00:1::]",
        "[2001:0:1::1]",
        "[fe80::1]",
        "[fec0::1]",
        "[fc00::1]",
        "[ff02::1]",
        "[2001:db8::1]",
        "[fd00:ec2::254]",
    ],
)
def test_private_hosts_in_any_notation_are_refused_without_dns(host: str) -> None:
    with pytest.raises(BlockedURL) as caught:
        Fetcher(WebConfig(), resolve=no_dns).is_private(f"http://{host}/x")
    assert "DRAGTOR_LOAD_WEB_ALLOW_PRIVATE=true dragtor add" in caught.value.hint
    assert Fetcher(OPEN, resolve=to("8.8.8.8")).is_private(f"http://{host}/x")


def test_public_addresses_pass() -> None:
    for address in ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"):
        assert is_public(ip_address(address))
    assert check_url("HTTPS://Ex%41mple.org:443/a b") == "https://example.org/a%20b"


def test_one_private_address_among_public_ones_is_refused() -> None:
    found = ["8.8.8.8"] * 9 + ["10.0.0.1"]
    fetcher = Fetcher(WebConfig(), resolve=lambda name, port: found)
    with pytest.raises(BlockedURL, match=r"10\.0\.0\.1") as caught:
        fetcher.is_private("https://example.org/")
    assert "DRAGTOR_LOAD_WEB_ALLOW_PRIVATE=true dragtor add" in caught.value.hint
    assert Fetcher(OPEN, resolve=lambda name, port: found).is_private("https://example.org/")
    for config in (WebConfig(), OPEN):
        assert not Fetcher(config, resolve=to("8.8.8.8")).is_private("https://example.org/")


@pytest.mark.parametrize(
    "url", ["https://me:hunter2@x.org/", "ftp://me:hunter2@x", "me://hunter2@["]
)
def test_a_password_is_not_shown(url: str) -> None:
    with pytest.raises(LoadError) as caught:
        check_url(url)
    assert "hunter2" not in str(caught.value)


def test_naughty_strings_are_refused_in_one_line() -> None:
    strings = json.loads((shared("bad_inputs") / "text" / "blns.json").read_text("utf-8"))
    refused = 0
    for text in [*strings, "http://\ud800.org", "http://a" * 10_000, "\0"]:
        try:
            found = check_url(text)
        except LoadError as error:
            refused += 1
            found = str(error)
        assert found.isprintable()
        assert len(found) < 200 or found.startswith("http")
    assert refused > 500


@given(st.text())
def test_any_text_is_a_url_or_one_line(text: str) -> None:
    try:
        found = check_url(text)
    except LoadError as error:
        found = str(error)
    assert found.isprintable()


def test_shown_keeps_a_message_on_one_short_line() -> None:
    assert shown("a\nb\x1b[31m") == "a�b�[31m"
    assert len(shown("x" * 999)) == 120


# The fetcher


def test_the_connection_goes_to_the_checked_address_and_keeps_the_name(server: Server) -> None:
    seen: list[str] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Host"])
        say()(handler)

    server.routes["/"] = answer
    reply = Fetcher(OPEN, resolve=to("127.0.0.1")).get(f"http://example.test:{server.port}/")
    assert (reply.status, reply.body) == (200, b"hello")
    assert seen == [f"example.test:{server.port}"]


def test_a_name_that_turns_private_between_check_and_connection_is_refused(server: Server) -> None:
    server.routes["/"] = say()
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    fetcher = Fetcher(replace(OPEN, allow_private=False), resolve=lambda name, port: next(answers))
    url = f"http://example.test:{server.port}/"
    assert not fetcher.is_private(url)
    with pytest.raises(BlockedURL, match=r"127\.0\.0\.1"):
        fetcher.get(url)
    assert server.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "http://10.0.0.1/",
        "http://0x7f000002/",
        "http://inside.test:1/secret",
        "//localhost/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:1/x",
        "http://a:b@127.0.0.1/",
        "http://[::1]/",
        "http://",
    ],
)
def test_a_redirect_to_what_is_never_requested(
    server: Server, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    # The test's own server plays a public one; all other addresses are judged as ever.
    for room in ("address", "connect"):
        monkeypatch.setattr(
            f"dragtor.load.{room}.is_public", lambda ip: str(ip) == "127.0.0.1" or is_public(ip)
        )
    names = {"outside.test": ["127.0.0.1"], "inside.test": ["192.168.7.7"]}
    fetcher = Fetcher(replace(OPEN, allow_private=False), resolve=lambda name, port: names[name])
    server.routes |= {"/": say(status=302, Location=target), "/ok": say()}
    url = f"http://outside.test:{server.port}"
    assert fetcher.get(f"{url}/ok").status == 200
    with pytest.raises(LoadError, match=r"refused|only http|not a web"):
        fetcher.get(f"{url}/")
    assert server.asked == ["/ok", "/"]


def test_redirects_are_followed_and_a_loop_ends(server: Server) -> None:
    server.routes |= {
        "/a": say(status=301, Location="b?x=1"),
        "/b?x=1": say(b"there"),
        "/loop": say(status=302, Location="/loop"),
    }
    fetcher = Fetcher(OPEN)
    reply = fetcher.get(f"{server.url}/a")
    assert (reply.body, reply.url) == (b"there", f"{server.url}/b?x=1")
    with pytest.raises(LoadError, match="redirects"):
        fetcher.get(f"{server.url}/loop")


def test_a_trusted_address_is_not_redirected(server: Server) -> None:
    server.routes["/a"] = say(status=302, Location="/b")
    config = replace(OPEN, allow_private=False)
    assert Fetcher(config).get(f"{server.url}/a", trusted=True).status == 302
    with pytest.raises(BlockedURL):
        Fetcher(config).get(f"{server.url}/a")


def test_429_waits_as_told_and_tries_again(server: Server) -> None:
    waits: list[float] = []
    answers = iter([say(status=429, Retry_After="7"), say(status=503), say(b"at last")])
    server.routes["/"] = lambda handler: next(answers)(handler)
    fetcher = Fetcher(replace(OPEN, retries=3), sleep=waits.append)
    assert fetcher.get(f"{server.url}/").body == b"at last"
    assert waits[0] == 7
    assert 2 <= waits[1] <= 3


def test_errors_are_returned_after_the_last_try(server: Server) -> None:
    server.routes |= {"/500": say(status=500), "/404": say(status=404)}
    fetcher = Fetcher(replace(OPEN, retries=2), sleep=lambda _: None)
    assert fetcher.get(f"{server.url}/500").status == 500
    assert fetcher.get(f"{server.url}/404").status == 404
    assert server.asked == ["/500"] * 3 + ["/404"]


def test_a_pause_of_an_hour_is_not_waited_for(server: Server) -> None:
    waits: list[float] = []
    server.routes["/"] = say(status=429, Retry_After="3600")
    assert Fetcher(replace(OPEN, retries=3), sleep=waits.append).get(server.url).status == 429
    assert waits == []


@pytest.mark.parametrize("value", ["soon", "9" * 5000, "-5", "Wed, 99 Foo 2020"])
def test_a_senseless_retry_after_is_ignored(server: Server, value: str) -> None:
    answers = iter([say(status=503, Retry_After=value), say()])
    server.routes["/"] = lambda handler: next(answers)(handler)
    assert Fetcher(replace(OPEN, retries=1), sleep=lambda _: None).get(server.url).status == 200


def test_the_pace_per_host(server: Server) -> None:
    waits: list[float] = []
    server.routes["/"] = say()
    fetcher = Fetcher(replace(OPEN, requests_per_minute=3), sleep=waits.append)
    for _ in range(5):
        fetcher.get(server.url)
    assert len(waits) == 2
    assert all(50 < wait <= 60 for wait in waits)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(bytes(100_000_000))),
        ("deflate", zlib.compress(bytes(100_000_000))),
        ("gzip", gzip.compress(bytes(900_000)) * 100),
    ],
)
def test_a_bomb_is_stopped_at_the_limit(server: Server, encoding: str, body: bytes) -> None:
    server.routes["/"] = say(body, Content_Encoding=encoding)
    tracemalloc.start()
    with pytest.raises(LoadError, match="larger than 1 MB"):
        Fetcher(OPEN).get(server.url)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "gzip,deflate,gzip", "rot13"])
def test_an_encoding_not_asked_for_is_not_unpacked(server: Server, encoding: str) -> None:
    server.routes["/"] = say(gzip.compress(b"x"), Content_Encoding=encoding)
    with pytest.raises(LoadError, match="not asked for"):
        Fetcher(OPEN).get(server.url)


def test_gzip_and_deflate_are_unpacked(server: Server) -> None:
    server.routes |= {
        "/g": say(gzip.compress(b"one") + gzip.compress(b"two"), Content_Encoding="gzip"),
        "/d": say(zlib.compress(b"three"), Content_Encoding="deflate"),
    }
    assert Fetcher(OPEN).get(f"{server.url}/g").body == b"onetwo"
    assert Fetcher(OPEN).get(f"{server.url}/d").body == b"three"


def test_a_plain_response_over_the_limit(server: Server) -> None:
    server.routes["/"] = say(bytes(1_000_001))
    with pytest.raises(LoadError, match="larger than 1 MB") as caught:
        Fetcher(OPEN).get(server.url)
    assert "max_mb" in caught.value.hint
    server.routes["/"] = say(bytes(1_000_000))
    assert len(Fetcher(OPEN).get(server.url).body) == 1_000_000


def test_cut_off_bodies(server: Server) -> None:
    def half_chunk(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\nhello\r\nff\r\nhalf")

    server.routes |= {
        "/length": say(b"half", Content_Length="100"),
        "/chunk": half_chunk,
        "/gzip": say(gzip.compress(b"x" * 5000)[:20] + b"rubbish", Content_Encoding="gzip"),
    }
    for path, words in (("/length", "cut off"), ("/chunk", "cut off"), ("/gzip", "damaged")):
        with pytest.raises(LoadError, match=words):
            Fetcher(OPEN).get(server.url + path)


def drip(server: Server, head: bytes) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(head)
        while not server.done.wait(0.05):
            handler.wfile.write(b"x")
            handler.wfile.flush()

    return answer


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX-Endless: ",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n",
    ],
)
def test_a_drip_ends_at_the_total_limit(server: Server, head: bytes) -> None:
    server.routes["/"] = drip(server, head)
    config = replace(OPEN, total_timeout_s=0.5, retries=3)
    with pytest.raises(LoadError, match=r"longer than 0\.5 s"):
        Fetcher(config, sleep=time.sleep).get(server.url)
    assert server.asked == ["/"]


def test_a_silent_server_and_no_server(server: Server) -> None:
    server.routes["/"] = lambda handler: server.done.wait(10) and None
    with pytest.raises(LoadError, match="no answer in time"):
        Fetcher(replace(OPEN, timeout_s=0.2)).get(server.url)
    server.routes["/"] = lambda handler: handler.connection.close()
    with pytest.raises(LoadError, match=r"broke|cut off"):
        Fetcher(OPEN).get(server.url)
    with pytest.raises(LoadError, match="refused"):
        Fetcher(OPEN).get("http://127.0.0.1:1/")

    def unknown(name: str, port: int) -> Sequence[str]:
        raise OSError

    with pytest.raises(LoadError, match="name is not known"):
        Fetcher(OPEN, resolve=unknown).get("http://nowhere.test/")


def test_tls_to_a_server_that_speaks_none(server: Server) -> None:
    with pytest.raises(LoadError, match=r"secure connection|broke"):
        Fetcher(OPEN).get(f"https://127.0.0.1:{server.port}/")


def test_tls_checks_the_name_that_was_asked_for(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (openssl := shutil.which("openssl")):
        pytest.skip("openssl makes the certificate")
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = (
        f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=example.test"
        f" -addext subjectAltName=DNS:example.test -keyout {key} -out {cert}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    names: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.sni_callback = lambda socket, name, _: names.append(name)
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True)
    server.routes["/"] = say()
    fetcher = Fetcher(OPEN, resolve=to("127.0.0.1"))
    with pytest.raises(LoadError, match="no secure connection"):
        fetcher.get(f"https://example.test:{server.port}/")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(cert))
    assert fetcher.get(f"https://example.test:{server.port}/").body == b"hello"
    assert names == ["example.test", "example.test"]
    with pytest.raises(LoadError, match="no secure connection"):
        fetcher.get(f"https://other.test:{server.port}/")


def test_proxies_and_netrc_of_the_environment_are_not_used(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "")
    server.routes["/"] = say()
    assert Fetcher(OPEN).get(server.url).status == 200


def test_headers_that_are_out_of_all_bounds(server: Server) -> None:
    def many(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1000 + b"\r\n")

    server.routes |= {"/many": many, "/long": say(X_Long="y" * 100_000)}
    for path in ("/many", "/long"):
        with pytest.raises(LoadError):
            Fetcher(OPEN).get(server.url + path)
