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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from dragtor.errors import BlockedURL, LoadError
from dragtor.load.address import ALLOW_PRIVATE, check_host, is_public, shown
from dragtor.sockets import Sockets, session_of, unless_cancelled
from dragtor.types import CancelToken

if TYPE_CHECKING:
    import requests

MAX_ADDRESSES = 4  # of one name, tried in turn
# Opens a connection to (numeric address, port), within seconds, with socket options.
Dial = Callable[[tuple[str, int], float, Any], socket.socket]


def dial(place: tuple[str, int], seconds: float, options: Any) -> socket.socket:
    """As urllib3 does."""
    from urllib3.util.connection import create_connection

    return create_connection(place, seconds, socket_options=options)


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
        self,
        resolve: Callable[[str, int], Sequence[str]],
        allow_private: bool,
        total_s: float,
        cancel: CancelToken,
        dial: Dial = dial,
    ) -> None:
        self._dial = dial
        self._resolve = resolve
        self._allow_private = allow_private
        self._total_s = total_s
        self._cancel = cancel
        self._expired = threading.Event()
        self._sockets = Sockets()
        self._end = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """The time begins to run; at its end, and where it is cancelled, connections are cut."""
        self._expired.clear()
        self._end = time.monotonic() + self._total_s
        timer = threading.Timer(self._total_s, self._expire)
        timer.daemon = True
        timer.start()
        try:
            with self._cancel.calling(self._sockets.end):
                yield
        finally:
            timer.cancel()
            timer.join()
            self._sockets.close()

    def _expire(self) -> None:
        self._expired.set()
        self._sockets.end()

    def check(self, url: str) -> None:
        """Raise Cancelled or LoadError if the response was ended on request or for its time."""
        self._cancel.check()
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
                found = list(unless_cancelled(lambda: self._resolve(host, port), self._cancel))
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
        self._sockets.add(connection, opened)
        self._cancel.check()
        if self._expired.is_set():
            self._expire()
        return opened

    def connect(
        self, connection: Any, left_s: Callable[[], float] = lambda: math.inf
    ) -> socket.socket:
        """A socket to a checked address of the connection's host; urllib3's `_new_conn`."""
        from urllib3.exceptions import NewConnectionError

        failure: OSError | None = None
        for address in self.addresses(connection._dns_host, connection.port):
            wait_s = max(0.001, min(connection.timeout, left_s()))
            try:
                place, options = (address, connection.port), connection.socket_options
                work = partial(self._dial, place, wait_s, options)
                opened = unless_cancelled(work, self._cancel, socket.socket.close)
            except OSError as error:
                failure = error
                continue
            opened.settimeout(connection.timeout)
            return opened
        raise NewConnectionError(connection, "no address answered") from failure


def guarded_session(guard: Guard) -> requests.Session:
    """A session whose every connection `guard` opens: no proxy, no .netrc, no redirects."""
    session = session_of(guard.open)
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    return session
