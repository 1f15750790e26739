"""Safe fetching: an address is checked, and the connection is made to the address that was checked.

Owns redirects, retries, the pace per host, and the limits on size and time.
Knows nothing of HTML, of Jina or of the cache.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dragtor.config import WebConfig
from dragtor.errors import BlockedURL, LoadError
from dragtor.load.address import check_url, parse_url, shown
from dragtor.load.connect import Dial, Guard, Pace, dial, guarded_session
from dragtor.types import NEVER, CancelToken

if TYPE_CHECKING:
    import requests

Resolver = Callable[[str, int], Sequence[str]]  # name, port -> numeric addresses
ReadBody = Callable[["requests.Response", str], bytes]  # the response's body

MOST_REDIRECTS = 10
MAX_STREAM_S = 86_400.0  # a day: who reads a stream judges its speed
MAX_WAIT_S = 60.0  # a server that asks for a longer pause is given up
BACKOFF_S = 1.0  # pause before the first retry; doubles each time
READ_BYTES = 65536
MAX_CAUSES = 20
RETRY_STATUS = (429, 500, 502, 503, 504)
REDIRECT_STATUS = (301, 302, 303, 307, 308)
BODY_ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")

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

    @property
    def told(self) -> str:
        """The status in the server's words: `404 Not Found`."""
        return f"{self.status} {self.reason}".strip()

    @property
    def kind(self) -> str:
        """Its content type as it was sent, with parameters; empty where none was."""
        return self.headers.get("content-type", "")

    def accepted(self, url: str) -> Reply:
        """The reply, if it is what was asked for; raises LoadError with the status if not."""
        if not 200 <= self.status < 300:
            raise LoadError(f"{self.told}: {shown(url)}")
        return self


@dataclass(frozen=True)
class _Call:
    """One call of a Fetcher: who opens its connections, what it asks, who reads the body."""

    guard: Guard
    headers: Callable[[], Mapping[str, str]]
    read: ReadBody


Take = Callable[[Reply, Iterator[bytes]], None]  # the response without its body, and the body


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
        sleep: Callable[[float], None] | None = None,
        cancel: CancelToken = NEVER,
        dial: Dial = dial,
    ) -> None:
        """`dial` opens what was resolved and checked; a test's leads to the test's own server."""
        self._config = config
        self._dial = dial
        self._resolve = resolve
        self._cancel = cancel
        self._sleep = sleep or cancel.wait
        self._pace = Pace(config.requests_per_minute, self._sleep)

    def is_private(self, url: str) -> bool:
        """Whether `url`, or any address its name resolves to, is of a private network.

        Raises LoadError on what `check_url` refuses and on an unknown name, BlockedURL on a
        private address unless the settings permit those.
        """
        permitted = self._config.allow_private
        parsed = parse_url(check_url(url, allow_private=permitted))
        port = int(parsed.port or (443 if parsed.protocol == "https:" else 80))
        guard = self._guard(private=False)
        try:
            guard.addresses(parsed.hostname.strip("[]"), port)
        except BlockedURL:
            if not permitted:
                raise
            return True
        return False

    def connect(self, connection: Any) -> socket.socket:
        """What opens the connections of others, see `sockets.pools`: to a checked address."""
        return self._guard(private=self._config.allow_private).connect(connection)

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, trusted: bool = False
    ) -> Reply:
        """Fetch `url`, whatever the status that comes back.

        `trusted` is for an address out of the user's settings: it may be private, and redirects
        are not followed. Raises LoadError on a broken, slow or oversized response, and Cancelled.
        """
        private = trusted or self._config.allow_private
        call = _Call(self._guard(private=private), lambda: headers or {}, self._body)
        return self._follow(call, url, 0 if trusted else MOST_REDIRECTS, private)

    def stream(self, url: str, headers: Callable[[], Mapping[str, str]], take: Take) -> Reply:
        """Hand a successful response to `take` as it comes, as sent, without limit of size.

        `headers` is asked before every try: it may tell what an earlier one left to fetch.
        `take` raises LoadError on what it refuses, and no OSError. Otherwise as `get`, the time
        aside. The reply has no body.
        """
        private = self._config.allow_private
        guard = self._guard(private=private, total_s=MAX_STREAM_S)

        def read(response: requests.Response, address: str) -> bytes:
            if response.status_code < 300:
                take(_reply(response, address), self._chunks(response, decode=False))
            return b""

        return self._follow(_Call(guard, headers, read), url, MOST_REDIRECTS, private)

    def _guard(self, *, private: bool, total_s: float = 0.0) -> Guard:
        total_s = total_s or self._config.total_timeout_s
        return Guard(self._resolve, private, total_s, self._cancel, self._dial)

    def _follow(self, call: _Call, url: str, redirects: int, private: bool) -> Reply:
        first = url = check_url(url, allow_private=private)
        with guarded_session(call.guard) as session:
            for _ in range(redirects + 1):
                reply = self._persist(session, call, url)
                location = reply.headers.get("location", "")
                if not redirects or reply.status not in REDIRECT_STATUS or not location:
                    return reply
                location = location.encode("latin-1", "replace").decode("utf-8", "replace")
                url = check_url(location, base=url, allow_private=private)
        raise LoadError(f"more than {redirects} redirects: {shown(first)}")

    def _persist(self, session: requests.Session, call: _Call, url: str) -> Reply:
        host = parse_url(url).hostname
        for attempt in range(self._config.retries + 1):
            self._pace.wait(host)
            last = attempt == self._config.retries
            wait_s = BACKOFF_S * 2**attempt + random.random()
            try:
                reply = self._once(session, call, url)
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

    def _once(self, session: requests.Session, call: _Call, url: str) -> Reply:
        from requests import RequestException
        from requests.exceptions import InvalidURL, SSLError
        from urllib3.exceptions import HTTPError

        asked = {
            "User-Agent": self._config.user_agent,
            "Accept": "text/html,application/xhtml+xml,application/pdf;q=0.9,*/*;q=0.8",
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
            **call.headers(),
        }
        wait_s = self._config.timeout_s
        try:
            with (
                call.guard.running(),
                session.get(
                    url, headers=asked, timeout=wait_s, allow_redirects=False, stream=True
                ) as response,
            ):
                body = call.read(response, url)
        except (RequestException, HTTPError, OSError) as error:
            call.guard.check(url)
            if isinstance(error, InvalidURL | SSLError):
                kind = "no secure connection" if isinstance(error, SSLError) else "no web address"
                raise LoadError(f"{kind}: {shown(url)}") from error
            raise _Broken(failure_words(error)) from error
        call.guard.check(url)
        return _reply(response, url, body)

    def _body(self, response: requests.Response, url: str) -> bytes:
        """ReadBody to the end, never holding more than the limit; error pages are not read."""
        if response.status_code >= 300:
            return b""
        encoding = response.headers.get("Content-Encoding", "").strip().lower()
        if encoding not in BODY_ENCODINGS:
            raise LoadError(f"sent as {shown(encoding, 40)}, not asked for: {shown(url)}")
        limit = self._config.max_mb * 1_000_000
        chunks, size = [], 0
        for chunk in self._chunks(response, decode=True):
            size += len(chunk)
            if size > limit:
                raise LoadError(
                    f"larger than {self._config.max_mb} MB: {shown(url)}",
                    "load.web.max_mb sets the limit",
                )
            chunks.append(chunk)
        return b"".join(chunks)

    def _chunks(self, response: requests.Response, *, decode: bool) -> Iterator[bytes]:
        while chunk := response.raw.read1(READ_BYTES, decode_content=decode):
            yield chunk
            self._cancel.check()
        self._cancel.check()  # a connection that was cut looks like the end of a body


def _reply(response: requests.Response, url: str, body: bytes = b"") -> Reply:
    names = {name.lower(): value for name, value in response.headers.items()}
    return Reply(url, response.status_code, shown(response.reason or "", 60), names, body)


class _Broken(Exception):
    """A connection that failed in a way that may pass."""


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it, MAX_CAUSES at most."""
    for _ in range(MAX_CAUSES):
        if error is not None:
            yield error
            error = getattr(error, "cause", None) or error.__cause__ or error.__context__


def failure_words(error: BaseException | None) -> str:
    """The kind of failure in a few words; the libraries' own messages run long."""
    chain = " ".join(type(each).__name__ for each in causes(error))
    return next((words for mark, words in REASONS if mark in chain), "the connection broke")


def _retry_after(reply: Reply) -> float | None:
    """Seconds that the server asks to wait; None where it does not say."""
    from urllib3.exceptions import InvalidHeader
    from urllib3.util import Retry

    with suppress(InvalidHeader, ValueError, OverflowError):
        if value := reply.headers.get("retry-after", ""):
            return float(Retry().parse_retry_after(value))
    return None
