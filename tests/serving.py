"""A real server on loopback for tests, and requests with exactly the headers that a test wants."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragtor.config import Config, load_config
from dragtor.serve.app import create_app
from dragtor.serve.guard import OWN_NAMES, ServerGuard
from dragtor.serve.keys import Keys
from dragtor.serve.run import listen, web_server
from dragtor.serve.state import KEYS_FILE, Server, make_server

TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Served:
    """A server that runs; `server` is None where a test serves an application of its own."""

    port: int
    guard: ServerGuard
    server: Server | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def token(self) -> str:
        return self.guard.keys.owner

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        *,
        token: str | None = None,
        at: str = "127.0.0.1",
        headers: Mapping[str, str] | None = None,
        **more: str,
    ) -> Reply:
        """One request: the owner's token unless another, or "" for none, is given.

        `more` are headers by name, with _ for -.
        """
        named = {name.replace("_", "-"): value for name, value in more.items()}
        sent = {"host": f"{at}:{self.port}"} | named | dict(headers or {})
        if token is None or token:
            sent.setdefault("authorization", f"Bearer {token or self.token}")
        connection = http.client.HTTPConnection(at, self.port, timeout=TIMEOUT_S)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, value in sent.items():
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            reply = connection.getresponse()
            found = {name.lower(): value for name, value in reply.getheaders()}
            return Reply(reply.status, found, reply.read())
        finally:
            connection.close()

    def post(self, path: str, data: Any = None, **how: Any) -> Reply:
        """POST of JSON."""
        body = json.dumps({} if data is None else data).encode()
        return self.ask("POST", path, body, content_type="application/json", **how)


@contextmanager
def serving_app(
    app: Any, guard: ServerGuard, server: Server | None = None, outside: str = ""
) -> Iterator[Served]:
    """Serve an application while the block runs."""
    sockets, listens = listen(0, outside), threading.Event()
    web = web_server(app, listens.set)
    thread = threading.Thread(target=web.run, args=(sockets,), daemon=True)
    port = sockets[0].getsockname()[1]
    thread.start()
    try:
        assert listens.wait(TIMEOUT_S), "the server did not start"
        yield Served(port, guard, server)
    finally:
        web.should_exit = True
        thread.join(TIMEOUT_S)
        assert not thread.is_alive()


@contextmanager
def serving(path: Path, config: Config | None = None, outside: str = "") -> Iterator[Served]:
    """Serve the library in `path`, as `dragtor serve` does."""
    guard = ServerGuard(Keys(path / KEYS_FILE), {*OWN_NAMES, outside} - {""})
    path.mkdir(parents=True, exist_ok=True)
    server = make_server(config or load_config(), path, guard)
    with serving_app(create_app(server), guard, server, outside) as served:
        yield served
