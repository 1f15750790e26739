"""Runs the server: its port, the network address of --lan, its start and its end.

Knows uvicorn and sockets; not what is served, and no terminal.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragtor.config import Config
from dragtor.errors import LibraryError, UsageError

if TYPE_CHECKING:
    import uvicorn

    from dragtor.serve.keys import Keys

LOCAL = "127.0.0.1"
ELSEWHERE = ("192.0.2.1", 9)  # of RFC 5737: nobody's; asking for the way there sends nothing
LAST_ANSWERS_S = 2  # that answers on their way have at the end
MAX_CONNECTIONS = 256  # further ones are answered 503
MAX_FRAME_BYTES = 20_000_000  # of a websocket, and of a whole message


@dataclass(frozen=True, slots=True)
class Ready:
    """A server that listens; `url` and `lan_url` (empty without --lan) end in the port."""

    url: str
    lan_url: str
    keys: Keys

    @property
    def open_url(self) -> str:
        """What the owner opens; the fragment is never sent to any server."""
        return f"{self.url}/#token={self.keys.owner}"


def serve_library(
    config: Config,
    path: Path,
    ready: Callable[[Ready], None],
    *,
    port: int,
    lan: bool = False,
    address: str = "",
    new_token: bool = False,
    verbose: bool = False,
) -> bool:
    """Serve the library in `path` until the process is told to stop; False if twice.

    `ready` is called once it listens. Port 0 takes any that is free. With `lan` it listens at
    `address` too, or at the one that leads out of this machine. Raises UsageError where it cannot
    listen.
    """
    outside = _lan_address(address) if lan else ""
    sockets = listen(port, outside)
    try:
        port = sockets[0].getsockname()[1]
        keys, app = _application(config, path, outside, new_token)
        lan_url = f"http://{outside}:{port}" if outside else ""
        told = Ready(f"http://{LOCAL}:{port}", lan_url, keys)
        _log_to_stderr(verbose)
        server = web_server(app, lambda: ready(told), verbose=verbose)
        server.run(sockets)
        return not server.force_exit
    finally:
        for each in sockets:
            each.close()


def _application(config: Config, path: Path, outside: str, new_token: bool) -> tuple[Keys, Any]:
    from dragtor.serve.app import create_app
    from dragtor.serve.guard import OWN_NAMES, ServerGuard
    from dragtor.serve.keys import Keys
    from dragtor.serve.state import KEYS_FILE, make_server

    try:
        path.mkdir(parents=True, exist_ok=True)
        keys = Keys(path / KEYS_FILE, renew=new_token)
        guard = ServerGuard(keys, {*OWN_NAMES, outside} - {""})
        return keys, create_app(make_server(config, path, guard))
    except OSError as error:
        raise LibraryError(f"{path}: {error.strerror}", f"ls -ld {path}") from error


def web_server(
    app: Any, started: Callable[[], None] = lambda: None, *, verbose: bool = False
) -> uvicorn.Server:
    """Serves an application, not yet running; `started` is called once it listens."""
    import uvicorn

    from dragtor.serve.protocol import PatientProtocol

    class Announced(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                started()

        def handle_exit(self, sig: int, frame: Any) -> None:
            super().handle_exit(sig, frame)
            self._captured_signals.clear()  # to be told to stop is no failure

    return Announced(
        uvicorn.Config(
            app,
            http=PatientProtocol,
            ws="websockets-sansio",
            lifespan="on",
            log_config=None,
            log_level="info" if verbose else "critical",
            access_log=verbose,
            proxy_headers=False,
            server_header=False,
            ws_max_size=MAX_FRAME_BYTES,
            ws_per_message_deflate=False,
            limit_concurrency=MAX_CONNECTIONS,
            timeout_graceful_shutdown=LAST_ANSWERS_S,
        )
    )


def listen(port: int, outside: str = "") -> list[socket.socket]:
    """Sockets at this port, here and at another address of this machine; raises UsageError."""
    found: list[socket.socket] = []
    try:
        for host in filter(None, (LOCAL, outside)):
            at = found[0].getsockname()[1] if found else port
            found.append(socket.create_server((host, at)))
    except (OSError, OverflowError) as error:
        for each in found:
            each.close()
        number = getattr(error, "errno", None)
        if number == errno.EADDRNOTAVAIL:
            raise _not_ours(outside) from error
        why = os.strerror(number) if number else str(error)
        raise UsageError(f"port {port} cannot be had: {why}", "dragtor serve --port 0") from error
    for each in found:
        each.setblocking(False)
    return found


def _lan_address(address: str) -> str:
    """The address that was named, or the one from which this machine reaches others."""
    if not address:
        try:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
                way.connect(ELSEWHERE)
                address = str(way.getsockname()[0])
        except OSError as error:
            told = "this machine is in no network"
            raise UsageError(told, "dragtor serve --lan --address ADDRESS") from error
    try:
        named = ip_address(address)
    except ValueError:
        named = None
    if named is None or named.version != 4 or named.is_unspecified or address == LOCAL:
        raise _not_ours(address)
    return address


def _not_ours(address: str) -> UsageError:
    return UsageError(f"{address} is no IPv4 address of this machine in a network", "ip addr")


class _OneLine(logging.Formatter):
    """A message without its traceback."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging calls it so
        return ""


def _log_to_stderr(verbose: bool) -> None:
    """What goes wrong, a line each; with tracebacks where they are wanted."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter() if verbose else _OneLine())
    for name in ("dragtor", "uvicorn"):
        logging.getLogger(name).handlers = [handler]


def end_now() -> None:
    """Leave at once, whatever still runs."""
    os._exit(130)
