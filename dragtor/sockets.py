"""Connections that a CancelToken can end: what requests and urllib3 open is kept track of.

Knows how those two open a socket; knows no address, no retry and no body.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import ReferenceType, finalize, ref

from dragtor.errors import Cancelled
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    import requests

T = TypeVar("T")
Connect = Callable[[Any], socket.socket]  # of a connection that urllib3 is about to open


class Sockets:
    """The open connections of one session; any thread may end them all at once."""

    def __init__(self) -> None:
        self._open: list[tuple[ReferenceType[Any], socket.socket]] = []

    def add(self, connection: Any, opened: socket.socket) -> socket.socket:
        """Keep track of what urllib3's `connection` has opened, until that is closed."""
        for known, copy in self._open[:]:
            if getattr(known(), "sock", None) is None:
                copy.close()
                self._open.remove((known, copy))
        copy = opened.dup()  # TLS takes the socket itself away
        finalize(connection, copy.close).atexit = False
        self._open.append((ref(connection), copy))
        return opened

    def end(self) -> None:
        """Whoever waits for one of them is told that the other side has closed it."""
        for _, copy in self._open[:]:
            with suppress(OSError):
                copy.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Keep track of none any more."""
        for _, copy in self._open:
            copy.close()
        self._open.clear()


def unless_cancelled(
    work: Callable[[], T], cancel: CancelToken, drop: Callable[[T], object] = lambda _: None
) -> T:
    """What `work` gives; raises Cancelled as soon as it is asked for.

    `work` cannot be ended from outside (a name is resolved, a connection is made): it is left to
    end in a thread of its own, and `drop` takes what it then gives.
    """
    if cancel is NEVER:
        return work()
    ended, given, failed = Event(), list[T](), list[BaseException]()

    def run() -> None:
        try:
            given.append(work())
        except BaseException as error:  # noqa: BLE001  raised again below
            failed.append(error)
        ended.set()
        if cancel.cancelled and given:
            drop(given[0])

    with cancel.calling(ended.set):
        Thread(target=run, daemon=True).start()
        ended.wait()
    if cancel.cancelled:
        for late in given:
            drop(late)
        raise Cancelled
    if failed:
        raise failed[0]
    return given[0]


def pools(connect: Connect) -> dict[str, Any]:
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


def session_of(connect: Connect, **adapter: Any) -> requests.Session:
    """A session whose every connection `connect` opens, a proxy's too (SOCKS aside).

    `adapter` is what requests' HTTPAdapter takes.
    """
    import requests
    from requests.adapters import HTTPAdapter

    classes = pools(connect)

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **named: Any) -> None:
            super().init_poolmanager(*args, **named)
            self.poolmanager.pool_classes_by_scheme = classes

        def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
            manager = super().proxy_manager_for(proxy, **named)
            if not proxy.lower().startswith("socks"):
                manager.pool_classes_by_scheme = classes
            return manager

    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter(**adapter))
    return session


def connected(sockets: Sockets, cancel: CancelToken) -> Connect:
    """How a session opens its connections so that `sockets.end` ends them."""
    from urllib3.connection import HTTPConnection

    def connect(connection: Any) -> socket.socket:
        opened = unless_cancelled(
            lambda: HTTPConnection._new_conn(connection), cancel, socket.socket.close
        )
        sockets.add(connection, opened)
        cancel.check()
        return opened

    return connect


@contextmanager
def cancellable_session(cancel: CancelToken, **adapter: Any) -> Iterator[requests.Session]:
    """A session for a while; where `cancel` asks, what waits for an answer fails at once.

    Whoever catches that failure asks `cancel` first.
    """
    sockets = Sockets()
    with cancel.calling(sockets.end), session_of(connected(sockets, cancel), **adapter) as session:
        try:
            yield session
        finally:
            sockets.close()
