"""Connections to checked addresses only, ended at a deadline, and the pace of asking a host.

Knows how requests and urllib3 open a socket; knows nothing of redirects, retries or bodies.
"""

from __future__ import annotations

import ipaddress
import math
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dragtor.errors import BlockedURL, LoadError
from dragtor.load.address import ALLOW_PRIVATE, check_host, is_public, shown

if TYPE_CHECKING:
    import requests

Connect = Callable[[Any], socket.socket]  # of a connection that urllib3 is about to open

MAX_ADDRESSES = 4  # of one name, tried in turn


class Pace:
    """At most `per_minute` requests to one host in any minute."""

    def __init__(self, per_minute: int, sleep: Callable[[float], None]) -> None:
        self._per_minute = per_minute
        self._sleep = sleep
        self._lock = threading.Lock()
        self._slots: dict[str, deque[float]] = {}

    def wait(self, host: str) -> None:
        """Sleep until `host` may be asked again."""
        if self._per_minute <= 0:
            return
        now = time.monotonic()
        with self._lock:
            slots = self._slots.setdefault(host, deque(maxlen=self._per_minute))
            slot = max(now, slots[0] + 60) if len(slots) == self._per_minute else now
            slots.append(slot)
        if slot > now:
            self._sleep(slot - now)


class Guard:
    """Opens the connections of one call, to checked addresses only; ends them at the deadline."""

    def __init__(
        self, resolve: Callable[[str, int], Sequence[str]], allow_private: bool, total_s: float
    ) -> None:
        self._resolve = resolve
        self._allow_private = allow_private
        self._total_s = total_s
        self._expired = threading.Event()
        self._watched: list[socket.socket] = []
        self._end = 0.0

    def __enter__(self) -> None:
        self._expired.clear()
        self._end = time.monotonic() + self._total_s
        self._timer = threading.Timer(self._total_s, self._expire)
        self._timer.daemon = True
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        for watched in self._watched:
            watched.close()
        self._watched.clear()

    def _expire(self) -> None:
        self._expired.set()
        for watched in list(self._watched):
            with suppress(OSError):
                watched.shutdown(socket.SHUT_RDWR)

    def check_time(self, url: str) -> None:
        """Raise LoadError if the response was ended for taking too long."""
        if self._expired.is_set():
            raise LoadError(
                f"took longer than {self._total_s:g} s: {shown(url)}",
                "load.web.total_timeout_s sets the limit",
            )

    def addresses(self, host: str, port: int) -> list[str]:
        """Numeric addresses of `host`; raises BlockedURL unless each is permitted."""
        try:
            found = [str(ipaddress.ip_address(host))]
        except ValueError:
            try:
                found = list(self._resolve(host, port))
            except (OSError, UnicodeError) as error:
                raise LoadError(f"the name is not known: {shown(host)}") from error
        if not found:
            raise LoadError(f"the name is not known: {shown(host)}")
        if not self._allow_private:
            check_host(host.rstrip("."))
            for address in found:
                if not is_public(ipaddress.ip_address(address)):
                    raise BlockedURL(
                        f"{shown(host)} leads to a private address ({address}): refused",
                        ALLOW_PRIVATE,
                    )
        return found[:MAX_ADDRESSES]

    def open(self, connection: Any) -> socket.socket:
        """A socket to a checked address of the connection's host, watched from now on."""
        opened = self.connect(connection, lambda: self._end - time.monotonic())
        self._watched.append(opened.dup())
        if self._expired.is_set():
            self._expire()
        return opened

    def connect(
        self, connection: Any, left_s: Callable[[], float] = lambda: math.inf
    ) -> socket.socket:
        """A socket to a checked address of the connection's host; urllib3's `_new_conn`."""
        from urllib3.exceptions import NewConnectionError
        from urllib3.util.connection import create_connection

        failure: OSError | None = None
        for address in self.addresses(connection._dns_host, connection.port):
            wait_s = max(0.001, min(connection.timeout, left_s()))
            try:
                opened = create_connection(
                    (address, connection.port), wait_s, socket_options=connection.socket_options
                )
            except OSError as error:
                failure = error
                continue
            opened.settimeout(connection.timeout)
            return opened
        raise NewConnectionError(connection, "no address answered") from failure


def pinned_pools(connect: Connect) -> dict[str, Any]:
    """urllib3's pools by scheme; `connect` opens all their connections."""
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def guarded_session(guard: Guard) -> requests.Session:
    """A session whose every connection `guard` opens: no proxy, no .netrc, no redirects."""
    import requests
    from requests.adapters import HTTPAdapter

    pools = pinned_pools(guard.open)

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **named: Any) -> None:
            super().init_poolmanager(*args, **named)
            self.poolmanager.pool_classes_by_scheme = pools

    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    session.mount("http://", Adapter())
    session.mount("https://", Adapter())
    return session
