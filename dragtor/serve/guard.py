"""The door of the server: Host, Origin, tokens, tickets, headers of answers, limits of bodies.

Pure ASGI, before every route, for HTTP and websockets alike; whatever it does not know is refused.
Knows paths by their beginnings only, and no route.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnect

from dragtor.errors import Cancelled
from dragtor.schema import refusal_json
from dragtor.serve.keys import Keys

_MB = 1_000_000
MAX_BODY_BYTES = 1 * _MB
MAX_UPLOAD_BYTES = 200 * _MB
MAX_SOCKETS = 64
REVOKED = 4401  # a websocket's end: its token opens nothing any more
BODY_IDLE_S = 20.0  # in which the next piece of a body must come
OWN_NAMES = ("127.0.0.1", "localhost")
UPLOADS = "/api/v1/uploads/"
PUBLIC = ("/", "/favicon.ico", "/favicon.svg", "/api/v1/pair")  # no token: they tell nothing
PUBLIC_FILES = "/page/"  # of the page: the same for everybody
OWN_TOKEN = "/api/v1/ws"  # a websocket whose first message brings the token
TICKETED = re.compile(r"/api/v1/(?:documents/([^/]+)/pages/\d+\.png|media/([^/]+))")
SECRETS = ("token", "ticket")  # of a query: taken out of it before anything is logged
CSP = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "media", "connect")),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "content-security-policy": CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_log = logging.getLogger("dragtor.serve")


class ServerGuard:
    """Who may ask what. `names` are the hosts that the server answers to.

    The port is the one that a connection came in at: a name and a port must both be right.
    """

    def __init__(self, keys: Keys, names: Iterable[str] = OWN_NAMES) -> None:
        self.keys = keys
        self.names = frozenset(names)
        self.sockets = 0  # open websockets

    def client_of(self, scope: Scope, token: str) -> str:
        """The client that a token belongs to on this connection; empty if it opens nothing.

        It stands in scope["state"]["client"] from then on.
        """
        found = self.keys.client_of(token, local=is_local(scope))
        scope.setdefault("state", {})["client"] = found
        return found

    def refusal(self, scope: Scope) -> Refusal | None:
        """Why a request is not let in; otherwise its client stands in scope["state"]["client"]."""
        headers = _Headers(scope)
        query = _take_secrets(scope)
        host = headers.only("host")
        if host not in self._hosts(scope):
            return Refusal(421, "wrong_host", "this server does not answer to that host")
        origin = headers.all("origin")
        if origin and origin != [f"http://{host}"]:
            return Refusal(403, "wrong_origin", "another site asked")
        if not _same_site(scope, headers):
            return Refusal(403, "wrong_origin", "another site asked")
        return self._unknown(scope, headers, query) or _bad_body(scope, headers)

    def _hosts(self, scope: Scope) -> set[str]:
        """What a Host may be on this connection: names of this machine, or its network address."""
        address, port = scope.get("server") or ("", None)
        own = is_local(scope)
        names = {name for name in self.names if (name in OWN_NAMES if own else name == address)}
        return {f"{name}:{port}" for name in names} | (names if port == 80 else set())

    def _unknown(self, scope: Scope, headers: _Headers, query: Mapping[str, str]) -> Refusal | None:
        """Whether the request needs a token and has none that is good for it."""
        path, socket = scope["path"], scope["type"] == "websocket"
        scope.setdefault("state", {})["client"] = ""
        ticketed = TICKETED.fullmatch(path)
        if ticketed and "ticket" in query and scope.get("method") in ("GET", "HEAD"):
            if self.keys.ticket_opens(query["ticket"], ticketed[1] or ticketed[2]):
                return None
            return Refusal(401, "wrong_ticket", "this link has expired", "open the document again")
        if (socket and path == OWN_TOKEN) or (not socket and _public(path)):
            return None
        token = headers.bearer() or (query.get("token", "") if socket else "")
        if self.client_of(scope, token):
            return None
        told = "this token opens nothing here" if token else "a token is needed"
        return Refusal(401, "wrong_token", told, "open the address that `dragtor serve` prints")


class Refusal(Exception):
    """An answer to what is not let in: a status of HTTP and what it says."""

    def __init__(self, status: int, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.body = json.dumps(refusal_json(code, message, hint)).encode()

    def headers(self) -> dict[str, str]:
        """Of the answer; the connection ends, since a body may still be on its way."""
        more = {"www-authenticate": "Bearer"} if self.status == 401 else {}
        kind = {"content-type": "application/json", "content-length": str(len(self.body))}
        return HEADERS | kind | more | {"connection": "close"}


class Guarded:
    """An ASGI application behind the guard."""

    def __init__(self, app: ASGIApp, guard: ServerGuard) -> None:
        self.app, self.guard = app, guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request, or one websocket from its opening to its end."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif refused := self.guard.refusal(scope):
            await _refuse(scope, send, refused)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.guard.sockets >= MAX_SOCKETS:
            told = f"{MAX_SOCKETS} connections are open"
            await _refuse(scope, send, Refusal(503, "too_many", told, "close a tab"))
            return
        watched = _Watched(scope, receive, send, self.guard.keys)
        self.guard.sockets += 1
        try:
            await self.app(scope, watched.receive, watched.send)
        finally:
            self.guard.sockets -= 1

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, answer = _Body(scope, receive), _Answer(send)
        try:
            await self.app(scope, body.receive, answer.send)
        except (Exception, Cancelled) as error:  # noqa: BLE001 - no traceback reaches a client
            _log.exception("%s %r", scope["method"], scope["path"])
            if not answer.started:
                told = f"an error of dragtor's: {type(error).__name__}"
                await _refuse(scope, send, Refusal(500, "internal", told, "dragtor doctor"))


class _Watched:
    """An open websocket, which ends when its client's token is revoked."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, keys: Keys) -> None:
        self._scope, self._receive, self._send, self._keys = scope, receive, send, keys

    def _revoked(self) -> bool:
        client = self._scope["state"]["client"]
        return bool(client) and not self._keys.holds(client)

    async def receive(self) -> Message:
        message = await self._receive()
        if self._revoked() and message["type"] == "websocket.receive":
            await self._send({"type": "websocket.close", "code": REVOKED})
            return {"type": "websocket.disconnect", "code": REVOKED}
        return message

    async def send(self, message: Message) -> None:
        if self._revoked() and message["type"] == "websocket.send":
            await self._send({"type": "websocket.close", "code": REVOKED})
            raise WebSocketDisconnect(REVOKED)
        await self._send(message)


class _Body:
    """A request's body, which may be neither long nor slow without end."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        self._left = _limit(scope["path"])
        self._whole = False

    async def receive(self) -> Message:
        if self._whole:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), BODY_IDLE_S)
        except TimeoutError:
            raise HTTPException(408, "the body stopped coming", {"connection": "close"}) from None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise HTTPException(413, "the body is too large", {"connection": "close"})
        self._whole = not message.get("more_body", False)
        return message


class _Answer:
    """An answer on its way, with the headers that every answer has."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            there = {name.lower() for name, _ in message.get("headers", ())}
            more = [pair for pair in _encoded(HEADERS) if pair[0] not in there]
            message = {**message, "headers": [*message.get("headers", ()), *more]}
        await self._send(message)


class _Headers:
    """The headers of a request, by name in small letters."""

    def __init__(self, scope: Scope) -> None:
        self._pairs = [(k.decode("latin-1").lower(), v.decode("latin-1"))
                       for k, v in scope["headers"]]  # fmt: skip

    def all(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]

    def only(self, name: str) -> str:
        """The value of a header that is there just once, or nothing."""
        found = self.all(name)
        return found[0] if len(found) == 1 else ""

    def bearer(self) -> str:
        scheme, _, token = self.only("authorization").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


def is_local(scope: Scope) -> bool:
    """Whether a connection came in at the address that only this machine reaches."""
    return (scope.get("server") or ("",))[0] == OWN_NAMES[0]


def _same_site(scope: Scope, headers: _Headers) -> bool:
    """What a browser says of who asks; links from elsewhere may lead to the front page only."""
    sites = headers.all("sec-fetch-site")
    if all(site in ("same-origin", "none") for site in sites):
        return True
    opened = headers.only("sec-fetch-mode") == "navigate"
    whole = headers.only("sec-fetch-dest") == "document"
    return opened and whole and scope["path"] == "/" and scope.get("method") == "GET"


def _public(path: str) -> bool:
    return path in PUBLIC or path.startswith(PUBLIC_FILES)


def _limit(path: str) -> int:
    return MAX_UPLOAD_BYTES if path.startswith(UPLOADS) else MAX_BODY_BYTES


def _bad_body(scope: Scope, headers: _Headers) -> Refusal | None:
    length = headers.only("content-length")
    limit = _limit(scope["path"])
    if length.isdigit() and int(length[:20]) > limit:
        return Refusal(413, "too_large", f"at most {limit // _MB} MB", "send less at once")
    if headers.all("content-encoding"):
        return Refusal(415, "packed", "a packed body is not taken", "send it as it is")
    return None


def _take_secrets(scope: Scope) -> dict[str, str]:
    """Secrets of the query, which is left without them: servers log it."""
    raw = scope.get("query_string", b"").decode("latin-1")
    if not any(name in raw for name in SECRETS):
        return {}
    pairs = parse_qsl(raw, keep_blank_values=True)
    rest = [(name, value) for name, value in pairs if name not in SECRETS]
    scope["query_string"] = urlencode(rest).encode()
    return {name: value for name, value in pairs if name in SECRETS}


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode()) for name, value in headers.items()]


async def _refuse(scope: Scope, send: Send, refused: Refusal) -> None:
    kind = "http.response"
    if scope["type"] == "websocket":
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": REVOKED})
            return
        kind = "websocket.http.response"
    start: dict[str, Any] = {"type": f"{kind}.start", "status": refused.status}
    await send(start | {"headers": _encoded(refused.headers())})
    await send({"type": f"{kind}.body", "body": refused.body})
