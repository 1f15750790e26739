"""The door of the server: every rule of it against a real uvicorn, over HTTP and websockets."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from serving import Reply, Served, serving_app
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from dragtor.errors import LibraryLocked, UsageError
from dragtor.serve import guard as guard_module
from dragtor.serve import keys as keys_module
from dragtor.serve import protocol
from dragtor.serve.app import _error, _http_error
from dragtor.serve.guard import HEADERS, MAX_SOCKETS, OWN_NAMES, Guarded, ServerGuard
from dragtor.serve.keys import CODE_TRIES, OWNER, Keys
from dragtor.serve.run import MAX_CONNECTIONS

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])
OUTSIDE = "127.0.0.2"  # loopback too, but not the address that counts as this machine's own
DOCUMENT = "0123456789abcdef"
PAGE = f"/api/v1/documents/{DOCUMENT}/pages/1.png"


async def _echo(request: Request) -> Response:
    body = await request.body()
    told = {"client": request.scope["state"]["client"], "query": str(request.url.query)}
    return JSONResponse(told | {"bytes": len(body)})


async def _wrong(request: Request) -> Response:
    if request.query_params.get("how") == "locked":
        raise LibraryLocked("another writes", "wait")
    raise ZeroDivisionError("a secret of the house")


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(f"{websocket.scope['state']['client']} {text}")


async def _stream(websocket: WebSocket) -> None:
    """Sends without being asked."""
    await websocket.accept()
    await websocket.receive_text()
    with suppress(WebSocketDisconnect):
        await websocket.send_text(f"{websocket.scope['state']['client']} hi")
        while True:
            await asyncio.sleep(0.05)
            await websocket.send_text("more")


def _app(guard: ServerGuard) -> Starlette:
    methods = ["GET", "POST", "PUT", "DELETE"]
    paths = ("/", "/page/app.js", "/api/v1/pair", "/api/v1/x", "/mcp", "/v1/models",
             "/api/v1/uploads/{name}", "/api/v1/documents/{id}/pages/{n}.png",
             "/api/v1/media/{id}")  # fmt: skip
    routes: list[Any] = [Route(path, _echo, methods=methods) for path in paths]
    routes += [Route("/api/v1/wrong", _wrong), WebSocketRoute("/ws", _socket)]
    routes.append(WebSocketRoute("/stream", _stream))
    routes += [WebSocketRoute("/api/v1/ws", _socket), WebSocketRoute("/mcp", _socket)]
    handlers: dict[Any, Any] = {
        guard_module.HTTPException: _http_error, LibraryLocked.__mro__[2]: _error
    }  # fmt: skip
    return Starlette(
        routes=routes, middleware=[Middleware(Guarded, guard=guard)], exception_handlers=handlers
    )


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys") / "serve-keys.json")


@pytest.fixture(scope="module")
def served(keys: Keys) -> Iterator[Served]:
    guard = ServerGuard(keys, {*OWN_NAMES, OUTSIDE})
    with serving_app(_app(guard), guard, outside=OUTSIDE) as found:
        yield found


def _refused(reply: Reply, status: int, code: str) -> None:
    """An error in the one shape, with the headers of every answer, and nothing of a page."""
    assert (reply.status, reply.json["code"]) == (status, code)
    assert reply.json.keys() == {"code", "message", "hint", "exit"}
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers.items() >= HEADERS.items()


def _knock(served: Served, path: str, **how: Any) -> int:
    """The status of a websocket's handshake: 101 if it is let in."""
    try:
        with connect(f"ws://127.0.0.1:{served.port}{path}", proxy=None, **how):
            return 101
    except InvalidStatus as error:
        answer = error.response
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code


# Host: DNS rebinding


def _hosts(port: int) -> list[str]:
    return [
        f"evil.example:{port}", "evil.example", "127.0.0.1", "localhost", "127.0.0.1:1",
        f"localhost.evil.example:{port}", f"127.0.0.1.evil.example:{port}", f"0.0.0.0:{port}",
        f"127.1:{port}", f"[::1]:{port}", f"2130706433:{port}", f"127.0.0.1:{port}0",
        f"{OUTSIDE}:{port}", f"user@127.0.0.1:{port}", f"127.0.0.1:{port}:{port}", "",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/page/app.js", "/api/v1/x", "/mcp", "/v1/models"])
def test_a_rebound_host_is_refused(served: Served, path: str) -> None:
    for host in _hosts(served.port):
        _refused(served.ask("GET", path, host=host), 421, "wrong_host")
    for host in (f"127.0.0.1:{served.port}", f"localhost:{served.port}"):
        assert served.ask("GET", path, host=host).status == 200


@pytest.mark.parametrize("path", ["/ws", "/api/v1/ws", "/mcp"])
def test_a_rebound_host_opens_no_websocket(served: Served, path: str) -> None:
    uri = f"ws://evil.example:{served.port}{path}"
    token = {"Authorization": f"Bearer {served.token}"}
    with (
        socket.create_connection(("127.0.0.1", served.port)) as way,
        pytest.raises(InvalidStatus) as refused,
    ):
        connect(uri, sock=way, additional_headers=token, proxy=None)
    assert refused.value.response.status_code == 421


def test_two_hosts_or_none_are_no_request(served: Served) -> None:
    good = f"Host: 127.0.0.1:{served.port}\r\n"
    for hosts in ("", good + good, good + "Host: evil.example\r\n"):
        assert _raw(served, f"GET / HTTP/1.1\r\n{hosts}\r\n").startswith(b"HTTP/1.1 400")
    assert _raw(served, f"GET http://evil.example/ HTTP/1.1\r\n{good}\r\n").startswith(
        b"HTTP/1.1 4"
    )
    assert _raw(served, "GET / HTTP/1.0\r\n\r\n").startswith(b"HTTP/1.1 421")


def test_each_address_has_a_host_of_its_own(served: Served) -> None:
    assert served.ask("GET", "/", at=OUTSIDE).status == 200
    for host in ("127.0.0.1", "localhost"):
        reply = served.ask("GET", "/", at=OUTSIDE, host=f"{host}:{served.port}")
        _refused(reply, 421, "wrong_host")


# Origin: other sites in the same browser


def _origins(port: int) -> list[str]:
    return [
        "https://evil.example", "null", f"http://127.0.0.1:{port + 1}", "http://127.0.0.1",
        f"https://127.0.0.1:{port}", f"http://localhost:{port}", "file://", "",
        f"http://127.0.0.1:{port}.evil.example", f"http://127.0.0.1:{port}/",
        f"http://evil.example:{port}", f"http://127.0.0.1:{port} http://evil.example",
        "chrome-extension://abc", f"HTTP://127.0.0.1:{port}",
    ]  # fmt: skip


@pytest.mark.parametrize("path", ["/", "/api/v1/x", "/mcp", "/v1/models", "/api/v1/pair"])
def test_another_origin_is_refused_even_with_the_token(served: Served, path: str) -> None:
    for origin in _origins(served.port):
        _refused(served.ask("POST", path, b"", origin=origin), 403, "wrong_origin")
    assert served.ask("POST", path, b"", origin=served.url).status == 200
    named = {"host": f"localhost:{served.port}", "origin": f"http://localhost:{served.port}"}
    assert served.ask("POST", path, b"", headers=named).status == 200


@pytest.mark.parametrize("path", ["/ws", "/api/v1/ws"])
def test_another_origin_opens_no_websocket(served: Served, path: str) -> None:
    token = {"Authorization": f"Bearer {served.token}"}
    for origin in filter(None, _origins(served.port)):
        assert _knock(served, path, origin=origin, additional_headers=token) == 403
    assert _knock(served, path, origin=served.url, additional_headers=token) == 101
    assert _knock(served, path, additional_headers=token) == 101  # no browser: it tells no origin


@pytest.mark.parametrize(
    ("method", "path", "site", "mode", "dest"),
    [
        ("POST", "/api/v1/x", "cross-site", "navigate", "document"),  # a form
        ("POST", "/", "cross-site", "navigate", "document"),
        ("GET", "/api/v1/x", "cross-site", "no-cors", "image"),
        ("GET", PAGE, "cross-site", "no-cors", "image"),
        ("GET", "/", "cross-site", "navigate", "iframe"),
        ("GET", "/", "same-site", "navigate", "frame"),
        ("GET", "/", "cross-site", "navigate", "object"),
        ("GET", "/page/app.js", "same-site", "no-cors", "script"),
        ("GET", "/page/app.js", "cross-site", "navigate", "document"),
        ("GET", "/api/v1/x", "cross-site", "navigate", "document"),
        ("GET", "/api/v1/x", "same-site", "cors", "empty"),
        ("GET", "/", "cross-site", "cors", "empty"),
        ("GET", "/", "nonsense", "no-cors", "empty"),
    ],
)
def test_what_another_site_loads_is_refused(
    served: Served, method: str, path: str, site: str, mode: str, dest: str
) -> None:
    told = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    body = b"" if method == "POST" else None
    _refused(served.ask(method, path, body, headers=told), 403, "wrong_origin")


def test_a_link_leads_to_the_front_page(served: Served) -> None:
    for site in ("cross-site", "same-site", "none", "same-origin"):
        told = {
            "sec-fetch-site": site, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"
        }  # fmt: skip
        assert served.ask("GET", "/", token="", headers=told).status == 200


def test_no_answer_lets_another_site_read(served: Served) -> None:
    asked = {
        "access-control-request-method": "PUT",
        "access-control-request-private-network": "true",
        "origin": served.url,
    }
    for reply in (
        served.ask("OPTIONS", "/api/v1/x", headers=asked),
        served.ask("OPTIONS", "/api/v1/x", headers=asked | {"origin": "https://evil.example"}),
        served.ask("GET", "/api/v1/x", origin=served.url),
        served.ask("GET", "/", token=""),
    ):
        assert not [name for name in reply.headers if name.startswith("access-control")]
        assert "set-cookie" not in reply.headers
        assert reply.headers.items() >= HEADERS.items()


def test_the_policy_lets_nothing_in() -> None:
    policy = HEADERS["content-security-policy"].split("; ")
    assert policy[0] == "default-src 'none'"
    assert {"frame-ancestors 'none'", "form-action 'none'", "base-uri 'none'"} <= set(policy)
    assert {"require-trusted-types-for 'script'", "trusted-types 'none'"} <= set(policy)
    assert not [rule for rule in policy if "unsafe" in rule or "*" in rule or ":" in rule]
    assert HEADERS["referrer-policy"] == "no-referrer"
    assert HEADERS["x-content-type-options"] == "nosniff"
    assert HEADERS["cross-origin-opener-policy"] == "same-origin"
    assert HEADERS["cross-origin-resource-policy"] == "same-origin"


# Tokens


@pytest.mark.parametrize(
    "path", ["/api/v1/x", "/mcp", "/v1/models", "/api/v1/nowhere", "/nowhere", "/page", "//", "/ws"]
)
def test_nothing_opens_without_a_token(served: Served, path: str) -> None:
    _refused(served.ask("GET", path, token=""), 401, "wrong_token")
    assert served.ask("GET", path, token="").headers["www-authenticate"] == "Bearer"


def test_a_wrong_token_opens_nothing(served: Served) -> None:
    right = served.token
    wrong = [
        "", " ", "Bearer", f"Basic {right}", right, f"Bearer {right[:-1]}", f"Bearer {right}x",
        f"Bearer {right.swapcase()}", f"Bearer {right} {right}", f"Token {right}", "Bearer é",
        "Bearer null", "Bearer undefined", "Bearer " + "a" * 20_000,
    ]  # fmt: skip
    for value in wrong:
        reply = served.ask(
            "GET", "/api/v1/x", token="", authorization=value.encode().decode("latin-1")
        )
        _refused(reply, 401, "wrong_token")
    for path in (f"/api/v1/x?token={right}", f"/api/v1/x?access_token={right}"):
        _refused(served.ask("GET", path, token=""), 401, "wrong_token")
    _refused(served.ask("GET", "/api/v1/x", token="", cookie=f"token={right}"), 401, "wrong_token")
    assert served.ask("GET", "/api/v1/x", token="", authorization=f"bearer {right}").status == 200
    assert served.ask("GET", "/api/v1/x").json["client"] == OWNER


def test_the_token_of_a_websocket_travels_in_its_connection(served: Served) -> None:
    assert _knock(served, "/ws") == 401
    assert _knock(served, "/ws?token=wrong") == 401
    with connect(f"ws://127.0.0.1:{served.port}/ws?token={served.token}", proxy=None) as way:
        way.send("hi")
        assert way.recv() == f"{OWNER} hi"
    with connect(f"ws://127.0.0.1:{served.port}/api/v1/ws", proxy=None) as way:  # says hello itself
        way.send("hi")
        assert way.recv() == " hi"


def test_a_token_has_256_bits_and_its_file_is_the_owners(keys: Keys, tmp_path: Path) -> None:
    file = tmp_path / "new" / "serve-keys.json"
    first = Keys(file)
    assert len({Keys().owner for _ in range(50)}) == 50
    assert len(first.owner) == 43  # 32 bytes in base64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert Keys(file).owner == first.owner
    assert Keys(file, renew=True).owner != first.owner
    kept = Keys(file).owner
    file.chmod(0o644)  # others may have read it
    assert Keys(file).owner != kept
    for damaged in ("", "[]", "{}", '{"token": 3, "devices": []}', '{"token": "x"}', "\x00"):
        file.write_text(damaged)
        file.chmod(0o600)
        assert len(Keys(file).owner) == 43


def test_keys_do_without_a_folder_that_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert len(Keys(tmp_path / "file" / "serve-keys.json").owner) == 43


# Tickets


def test_a_ticket_opens_one_document_to_elements(served: Served) -> None:
    ticket = served.guard.keys.ticket(DOCUMENT)
    for path in (PAGE, f"/api/v1/media/{DOCUMENT}"):
        for method in ("GET", "HEAD"):
            assert served.ask(method, f"{path}?ticket={ticket}", token="").status == 200
        reply = served.ask("GET", f"{path}?ticket={ticket}&a=b", token="")
        assert reply.json == {"client": "", "query": "a=b", "bytes": 0}
    for path in (PAGE.replace("0", "1", 1), "/api/v1/media/other"):
        reply = served.ask("GET", f"{path}?ticket={ticket}", token="")
        _refused(reply, 401, "wrong_ticket")
    for method, path in (("GET", "/api/v1/x"), ("POST", PAGE), ("DELETE", PAGE), ("GET", "/mcp")):
        reply = served.ask(method, f"{path}?ticket={ticket}", token="")
        _refused(reply, 401, "wrong_token")


def test_forged_and_expired_tickets_open_nothing(served: Served) -> None:
    keys = served.guard.keys
    until, _, sign = keys.ticket(DOCUMENT).partition(".")
    forged = [
        "", ".", "x", until, f".{sign}", f"{int(until) + 1}.{sign}", f"{until}.{sign[:-1]}",
        f"{until}.{sign}0", f"{until}.{'0' * 64}", f"{until}.{sign.upper()}", f" {until}.{sign}",
        f"-{until}.{sign}", f"+{until}.{sign}", f"{until}0000000000.{sign}", f"{until}.{sign}.",
        f"٣.{sign}", f"0.{sign}", Keys().ticket(DOCUMENT), keys.ticket(DOCUMENT, time.time() - 601),
        keys.ticket(""), keys.ticket(f"{DOCUMENT}\n"), served.token,
    ]  # fmt: skip
    for ticket in forged:
        assert not keys.ticket_opens(ticket, DOCUMENT), ticket
        quoted = ticket.replace(" ", "%20").replace("+", "%2B").encode()
        path = f"{PAGE}?ticket=" + "".join(f"%{b:02x}" if b > 127 else chr(b) for b in quoted)
        _refused(served.ask("GET", path, token=""), 401, "wrong_ticket")
    assert keys.ticket_opens(keys.ticket(DOCUMENT, time.time() - 590), DOCUMENT)


# Pairing


def test_a_device_is_paired_by_a_code_and_can_be_revoked(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "serve-keys.json")
    code = keys.new_code()
    assert len(code) == 8
    assert code.isdigit()
    token = keys.pair(f" {code} ", "Ann's\x00 phone\n" + "x" * 100)
    device = keys.devices()[0]
    assert (len(device.name), device.name[:12]) == (60, "Ann's phonex")
    assert keys.client_of(token) == keys.client_of(token, local=False) == device.id
    with pytest.raises(UsageError, match="used"):
        keys.pair(code, "a second")
    kept = (tmp_path / "serve-keys.json").read_text()
    assert token not in kept
    again = Keys(tmp_path / "serve-keys.json")
    assert again.client_of(token, local=False) == device.id
    assert again.revoke(device.id)
    assert not again.revoke(device.id)
    assert again.client_of(token) == ""
    assert Keys(tmp_path / "serve-keys.json").devices() == []


def test_a_code_ends_with_time_tries_and_the_next_code(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys()
    with pytest.raises(UsageError):
        keys.pair("12345678", "nobody showed a code")
    code = keys.new_code()
    wrong = f"{(int(code) + 1) % 10**8:08d}"
    for guess in (wrong, "", code[:-1], code + "0", "é" * 8)[:CODE_TRIES]:
        with pytest.raises(UsageError):
            keys.pair(guess, "guesses")
    with pytest.raises(UsageError):
        keys.pair(code, "right, but too late")
    first, second = keys.new_code(), keys.new_code()
    if first != second:
        with pytest.raises(UsageError):
            keys.pair(first, "the one before")
    assert keys.pair(second, "in time")
    old = keys.new_code()
    later = time.monotonic() + keys_module.CODE_LIFE_S + 1
    monkeypatch.setattr(keys_module.time, "monotonic", lambda: later)
    with pytest.raises(UsageError):
        keys.pair(old, "late")


def test_many_guess_at_once_and_none_gets_more_than_five(tmp_path: Path) -> None:
    keys = Keys()
    code, refused = keys.new_code(), []

    def guess(number: int) -> None:
        try:
            keys.pair(f"{(int(code) + number) % 10**8:08d}", "x")
        except UsageError:
            refused.append(number)

    threads = [threading.Thread(target=guess, args=(number,)) for number in range(1, 41)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 40
    with pytest.raises(UsageError):
        keys.pair(code, "x")
    assert keys.devices() == []


def test_only_a_paired_device_comes_in_from_the_network(served: Served) -> None:
    keys = served.guard.keys
    token = keys.pair(keys.new_code(), "phone")
    device = keys.devices()[-1].id
    _refused(served.ask("GET", "/api/v1/x", at=OUTSIDE), 401, "wrong_token")  # the owner's
    assert served.ask("GET", "/api/v1/x", at=OUTSIDE, token=token).json["client"] == device
    origin = f"http://{OUTSIDE}:{served.port}"
    assert served.ask("GET", "/api/v1/x", at=OUTSIDE, token=token, origin=origin).status == 200
    refused = served.ask("GET", "/api/v1/x", at=OUTSIDE, token=token, origin=served.url)
    _refused(refused, 403, "wrong_origin")
    assert keys.revoke(device)
    _refused(served.ask("GET", "/api/v1/x", at=OUTSIDE, token=token), 401, "wrong_token")


def _drain(way: ClientConnection) -> None:
    """Receive until the other side closes, and raise then."""
    while True:
        way.recv(timeout=20)


def test_an_open_websocket_ends_when_its_device_is_revoked(served: Served) -> None:
    keys = served.guard.keys
    for path in ("/ws", "/stream"):
        token = keys.pair(keys.new_code(), "phone")
        device = keys.devices()[-1].id
        bearer = {"Authorization": f"Bearer {token}"}
        uri = f"ws://127.0.0.1:{served.port}{path}"
        with connect(uri, additional_headers=bearer, proxy=None) as way:
            way.send("hi")
            assert way.recv() == f"{device} hi"
            assert keys.revoke(device)
            way.send("still there?")
            with pytest.raises(ConnectionClosed) as closed:
                _drain(way)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4401


# Limits


def _raw(served: Served, text: str, *, timeout_s: float = 30.0) -> bytes:
    """What is answered to bytes, until the server closes or `timeout_s` is over."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=timeout_s) as way:
        way.sendall(text.encode("latin-1"))
        way.shutdown(socket.SHUT_WR) if not text.endswith("\r\n\r\n") else None
        way.settimeout(1.0 if text.endswith("\r\n\r\n") else timeout_s)
        return _read(way)


def _read(way: socket.socket) -> bytes:
    """All that comes until the other side closes or falls silent."""
    found = b""
    try:
        while piece := way.recv(65536):
            found += piece
    except (TimeoutError, ConnectionResetError):
        pass
    return found


def _head(served: Served, method: str, path: str, *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{served.port}",
             f"Authorization: Bearer {served.token}", *more]  # fmt: skip
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _sent_until_closed(way: socket.socket, piece: bytes, most: int, *, pause_s: float = 0.0) -> int:
    """How often `piece` is taken before the server closes the connection."""
    for sent in range(most):
        try:
            way.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return sent
        time.sleep(pause_s)
    return most


def _closes_within(way: socket.socket, seconds: float) -> float:
    """Seconds until the server closes the connection."""
    begun = time.monotonic()
    way.settimeout(seconds)
    while way.recv(65536):
        pass
    return time.monotonic() - begun


def test_slow_headers_are_cut_off(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEADERS_S", 1.0)
    for begun in (b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: 127.0.0.1"):
        with socket.create_connection(("127.0.0.1", served.port)) as way:
            way.sendall(begun)
            assert _closes_within(way, 20) > 0.5
    with socket.create_connection(("127.0.0.1", served.port)) as way:  # a byte now and then
        assert _sent_until_closed(way, b"G", 400, pause_s=0.1) < 400
    with socket.create_connection(("127.0.0.1", served.port)) as way:  # of a second request
        way.sendall(_head(served, "GET", "/api/v1/x"))
        way.settimeout(20)
        assert way.recv(65536).startswith(b"HTTP/1.1 200")
        way.sendall(b"GET / HT")
        assert _closes_within(way, 20) > 0.5


def test_a_slow_answer_and_a_websocket_are_not_cut_off(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEADERS_S", 0.5)
    token = {"Authorization": f"Bearer {served.token}"}
    with connect(f"ws://127.0.0.1:{served.port}/ws", additional_headers=token, proxy=None) as way:
        time.sleep(1.2)
        way.send("still here")
        assert way.recv() == f"{OWNER} still here"
    with socket.create_connection(("127.0.0.1", served.port)) as way:
        way.sendall(_head(served, "POST", "/api/v1/x", "Content-Length: 4"))
        time.sleep(1.2)
        way.sendall(b"1234")
        way.settimeout(20)
        assert b'"bytes":4' in way.recv(65536)


def test_headers_without_end_are_refused(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as way:
        way.sendall(b"GET / HTTP/1.1\r\n")
        line = b"X-More: " + b"a" * 10_000 + b"\r\n"
        assert _sent_until_closed(way, line, 5000) < 5000


def test_a_body_that_stops_coming_is_given_up(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_module, "BODY_IDLE_S", 1.0)
    for length in ("Content-Length: 100", "Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as way:
            way.sendall(_head(served, "POST", "/api/v1/x", length))
            way.sendall(b"5\r\nabcde\r\n" if "chunked" in length else b"abc")
            answer = _read(way)
            assert answer.startswith(b"HTTP/1.1 408")
            assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_slow"
    assert served.ask("GET", "/api/v1/x").status == 200  # the others are unharmed


@pytest.mark.parametrize("path", ["/api/v1/x", "/mcp", "/v1/models", "/api/v1/pair"])
def test_a_body_that_never_ends_is_refused(served: Served, path: str) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as way:
        way.sendall(_head(served, "POST", path, "Transfer-Encoding: chunked"))
        piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
        assert _sent_until_closed(way, piece, 2000) < 2000  # it does not read on
    assert served.ask("POST", path, b"x" * 999_999).json["bytes"] == 999_999


def test_a_body_said_to_be_large_is_refused_before_it_comes(served: Served) -> None:
    for path, length in (
        ("/api/v1/x", 1_000_001),
        ("/api/v1/uploads/a.txt", 200_000_001),
        ("/api/v1/x", 10**18),
    ):
        with socket.create_connection(("127.0.0.1", served.port), timeout=20) as way:
            way.sendall(_head(served, "PUT", path, f"Content-Length: {length}"))
            answer = _read(way)
        assert answer.startswith(b"HTTP/1.1 413"), answer[:200]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_large"
    assert served.ask("PUT", "/api/v1/uploads/a.txt", b"x" * 3_000_000).json["bytes"] == 3_000_000


def test_an_upload_without_a_length_ends_at_its_limit(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard_module, "MAX_UPLOAD_BYTES", 2_000_000)
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as way:
        way.sendall(_head(served, "PUT", "/api/v1/uploads/a.txt", "Transfer-Encoding: chunked"))
        way.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        for _ in range(30):
            way.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
        assert _read(way).startswith(b"HTTP/1.1 413")


def test_a_packed_body_is_not_unpacked(served: Served) -> None:
    for packing in ("gzip", "br", "deflate", "identity, gzip"):
        reply = served.ask("POST", "/api/v1/x", b"\x1f\x8b", content_encoding=packing)
        _refused(reply, 415, "packed")


def test_the_65th_websocket_waits_outside(served: Served) -> None:
    uri = f"ws://127.0.0.1:{served.port}/ws?token={served.token}"
    deadline = time.monotonic() + 20
    while served.guard.sockets and time.monotonic() < deadline:
        time.sleep(0.05)  # those of tests before
    with ExitStack() as stack:
        ways = [stack.enter_context(connect(uri, proxy=None)) for _ in range(MAX_SOCKETS)]
        assert _knock(served, f"/ws?token={served.token}") == 503
        ways[0].send("unharmed")
        assert ways[0].recv() == f"{OWNER} unharmed"
        ways[1].close()
        deadline = time.monotonic() + 20
        while served.guard.sockets == MAX_SOCKETS and time.monotonic() < deadline:
            time.sleep(0.05)
        assert _knock(served, f"/ws?token={served.token}") == 101


def test_a_flood_of_connections_is_turned_away(served: Served) -> None:
    with ExitStack() as stack:
        for _ in range(MAX_CONNECTIONS):
            stack.enter_context(socket.create_connection(("127.0.0.1", served.port), timeout=20))
        assert _until(served, 503) == 503
    assert _until(served, 200) == 200


def _until(served: Served, wanted: int) -> int:
    """The status of a request, repeated until it is the one that is wanted."""
    deadline = time.monotonic() + 20
    while (status := served.ask("GET", "/").status) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    return status


# Errors


def test_no_traceback_reaches_a_client(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    reply = served.ask("GET", "/api/v1/wrong")
    _refused(reply, 500, "internal")
    assert b"secret" not in reply.body
    assert b"Traceback" not in reply.body
    reply = served.ask("GET", "/api/v1/wrong?how=locked")
    _refused(reply, 423, "library_locked")
    assert reply.json["exit"] == 5
    _refused(served.ask("GET", "/api/v1/nowhere"), 404, "not_found")
    _refused(served.ask("PATCH", "/api/v1/x"), 405, "wrong_method")


def test_secrets_of_an_address_are_in_no_log(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    reply = served.ask("GET", f"/api/v1/x?token={served.token}&q=1&ticket=abc")
    assert reply.json["query"] == "q=1"
    served.ask("GET", f"/api/v1/wrong?token={served.token}")
    assert served.token not in caplog.text


def test_an_answer_keeps_headers_of_its_own(served: Served) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = {"cache-control": "private", "content-security-policy": "sandbox"}
        await PlainTextResponse("x", headers=headers)(scope, receive, send)

    with serving_app(Guarded(_lifespan(app), served.guard), served.guard) as other:
        reply = other.ask("GET", "/")
        assert reply.headers["cache-control"] == "private"
        assert reply.headers["content-security-policy"] == "sandbox"
        assert reply.headers["referrer-policy"] == "no-referrer"


def _lifespan(app: Any) -> Any:
    async def whole(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        await send({"type": "lifespan.shutdown.complete"})

    return whole
