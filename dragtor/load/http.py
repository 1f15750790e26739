"""Safe fetching: an address is checked, and the connection is made to the address that was checked.

Owns redirects, retries, the pace per host, and the limits on size and time.
Knows nothing of HTML, of Jina or of the cache.
"""

from __future__ import annotations

import ipaddress
import os
import random
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dragtor.config import WebConfig
from dragtor.errors import BlockedURL, LoadError
from dragtor.load.address import (
    ALLOW_PRIVATE,
    check_host,
    check_url,
    is_public,
    parse_url,
    shown,
)

if TYPE_CHECKING:
    import requests

Resolver = Callable[[str, int], Sequence[str]]  # name, port -> numeric addresses

MAX_REDIRECTS = 10
MAX_ADDRESSES = 4  # of one name, tried in turn
MAX_WAIT_S = 60.0  # a server that asks for a longer pause is given up
BACKOFF_S = 1.0  # pause before the first retry; doubles each time
READ_BYTES = 65536
RETRY_STATUS = (429, 500, 502, 503, 504)
REDIRECT_STATUS = (301, 302, 303, 307, 308)
ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")

REASONS = (  # part of an exception's name, what it means
    ("imeout", "no answer in time"),
    ("Incomplete", "the response was cut off"),
    ("InvalidChunk", "the response was cut off"),
    ("DecodeError", "the response is damaged"),
    ("Refused", "the connection was refused"),
    ("NewConnection", "no connection"),
)


@dataclass(frozen=True)
class Reply:
    """A finished response; `url` is the last of the redirects, header names are lower case."""

    url: str
    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes


def system_resolver(name: str, port: int) -> Sequence[str]:
    """Numeric addresses of `name`, as the machine resolves it; raises OSError."""
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Fetcher:
    """GET with every safeguard; keeps no connection and no cookie between calls."""

    def __init__(
        self,
        config: WebConfig,
        *,
        resolve: Resolver = system_resolver,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._config = config
        self._resolve = resolve
        self._sleep = sleep
        self._pace = _Pace(config.requests_per_minute, sleep)

    def is_private(self, url: str) -> bool:
        """Whether `url`, or any address its name resolves to, is of a private network.

        Raises LoadError on what `check_url` refuses and on an unknown name, BlockedURL on a
        private address unless the settings permit those.
        """
        permitted = self._config.allow_private
        parsed = parse_url(check_url(url, allow_private=permitted))
        port = int(parsed.port or (443 if parsed.protocol == "https:" else 80))
        guard = _Guard(self._resolve, False, self._config.total_timeout_s)
        try:
            guard.addresses(parsed.hostname.strip("[]"), port)
        except BlockedURL:
            if not permitted:
                raise
            return True
        return False

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, trusted: bool = False
    ) -> Reply:
        """Fetch `url`, whatever the status that comes back.

        `trusted` is for an address out of the user's settings: it may be private, and redirects
        are not followed. Raises LoadError on a broken, slow or oversized response.
        """
        private = trusted or self._config.allow_private
        url = check_url(url, allow_private=private)
        guard = self._guard(trusted=trusted)
        with _session(guard) as session:
            for _ in range(MAX_REDIRECTS + 1):
                reply = self._persist(session, guard, url, headers or {})
                location = reply.headers.get("location", "")
                if trusted or reply.status not in REDIRECT_STATUS or not location:
                    return reply
                location = location.encode("latin-1", "replace").decode("utf-8", "replace")
                url = check_url(location, base=url, allow_private=private)
        raise LoadError(f"more than {MAX_REDIRECTS} redirects: {shown(url)}")

    def _guard(self, *, trusted: bool) -> _Guard:
        private = trusted or self._config.allow_private
        return _Guard(self._resolve, private, self._config.total_timeout_s)

    def _persist(
        self, session: requests.Session, guard: _Guard, url: str, headers: Mapping[str, str]
    ) -> Reply:
        host = parse_url(url).hostname
        for attempt in range(self._config.retries + 1):
            self._pace.wait(host)
            last = attempt == self._config.retries
            wait_s = BACKOFF_S * 2**attempt + random.random()
            try:
                reply = self._once(session, guard, url, headers)
            except _Broken as broken:
                if last:
                    raise LoadError(f"{broken}: {shown(url)}") from broken
            else:
                asked_s = _retry_after(reply)
                if last or reply.status not in RETRY_STATUS or (asked_s or 0) > MAX_WAIT_S:
                    return reply
                wait_s = wait_s if asked_s is None else asked_s
            self._sleep(wait_s)
        raise AssertionError("the last attempt returns or raises")

    def _once(
        self, session: requests.Session, guard: _Guard, url: str, headers: Mapping[str, str]
    ) -> Reply:
        from requests import RequestException
        from requests.exceptions import InvalidURL, SSLError
        from urllib3.exceptions import HTTPError

        asked = {
            "User-Agent": self._config.user_agent,
            "Accept": "text/html,application/xhtml+xml,application/pdf;q=0.9,*/*;q=0.8",
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
            **headers,
        }
        wait_s = self._config.timeout_s
        try:
            with (
                guard,
                session.get(
                    url, headers=asked, timeout=wait_s, allow_redirects=False, stream=True
                ) as response,
            ):
                body = self._body(response, url)
        except (RequestException, HTTPError, OSError) as error:
            guard.check_time(url)
            if isinstance(error, InvalidURL | SSLError):
                kind = "no secure connection" if isinstance(error, SSLError) else "no web address"
                raise LoadError(f"{kind}: {shown(url)}") from error
            raise _Broken(_reason(error)) from error
        guard.check_time(url)
        names = {name.lower(): value for name, value in response.headers.items()}
        return Reply(url, response.status_code, shown(response.reason or "", 60), names, body)

    def _body(self, response: requests.Response, url: str) -> bytes:
        """Read to the end, never holding more than the limit; error pages are not read."""
        if response.status_code >= 300:
            return b""
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in ENCODINGS:
            raise LoadError(f"sent as {shown(encoding, 40)}, not asked for: {shown(url)}")
        limit = self._config.max_mb * 1_000_000
        chunks, size = [], 0
        while chunk := response.raw.read1(READ_BYTES, decode_content=True):
            size += len(chunk)
            if size > limit:
                raise LoadError(
                    f"larger than {self._config.max_mb} MB: {shown(url)}",
                    "load.web.max_mb sets the limit",
                )
            chunks.append(chunk)
        return b"".join(chunks)


class _Broken(Exception):
    """A connection that failed in a way that may pass."""


def _reason(error: BaseException) -> str:
    """The kind of failure in a few words; the libraries' own messages run long."""
    chain, inner = "", error.__cause__ or error.__context__
    chain += type(error).__name__
    while inner is not None:
        chain += f" {type(inner).__name__}"
        inner = inner.__cause__ or inner.__context__
    return next((words for mark, words in REASONS if mark in chain), "the connection broke")


def _retry_after(reply: Reply) -> float | None:
    """Seconds that the server asks to wait; None where it does not say."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    with suppress(InvalidHeader, ValueError, OverflowError):
        if value := reply.headers.get("retry-after", ""):
            return float(Retry().parse_retry_after(value))
    return None


class _Pace:
    """At most `per_minute` requests to one host in any minute."""

    def __init__(self, per_minute: int, sleep: Callable[[float], None]) -> None:
        self._per_minute = per_minute
        self._sleep = sleep
        self._lock = threading.Lock()
        self._slots: dict[str, deque[float]] = {}

    def wait(self, host: str) -> None:
        if self._per_minute <= 0:
            return
        now = time.monotonic()
        with self._lock:
            slots = self._slots.setdefault(host, deque(maxlen=self._per_minute))
            slot = max(now, slots[0] + 60) if len(slots) == self._per_minute else now
            slots.append(slot)
        if slot > now:
            self._sleep(slot - now)


class _Guard:
    """Opens the connections of one call, to checked addresses only; ends them at the deadline."""

    def __init__(self, resolve: Resolver, allow_private: bool, total_s: float) -> None:
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
        """A socket to a checked address of the connection's host; urllib3's `_new_conn`."""
        from urllib3.exceptions import NewConnectionError
        from urllib3.util.connection import create_connection

        failure: OSError | None = None
        for address in self.addresses(connection._dns_host, connection.port):
            left_s = max(0.001, min(connection.timeout, self._end - time.monotonic()))
            try:
                opened = create_connection(
                    (address, connection.port), left_s, socket_options=connection.socket_options
                )
            except OSError as error:
                failure = error
                continue
            opened.settimeout(connection.timeout)
            self._watched.append(opened.dup())
            if self._expired.is_set():
                self._expire()
            return opened
        raise NewConnectionError(connection, "no address answered") from failure


def _session(guard: _Guard) -> requests.Session:
    """A session whose every connection `guard` opens: no proxy, no .netrc, no redirects."""
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return guard.open(self)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return guard.open(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **named: Any) -> None:
            super().init_poolmanager(*args, **named)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    session = requests.Session()
    session.trust_env = False
    session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or True
    session.mount("http://", Adapter())
    session.mount("https://", Adapter())
    return session
