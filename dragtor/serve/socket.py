"""The websocket /api/v1/ws, subprotocol dragtor.v1: jobs started, followed and cancelled.

Each followed job is read from the journal at a cursor of the socket's own; nothing is queued for a
client, and a job goes on without it. Knows no task.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from dragtor import __version__
from dragtor.errors import DragtorError, UsageError
from dragtor.schema import error_json, refusal_json
from dragtor.serve.guard import MAX_SOCKETS
from dragtor.serve.journal import JobEvent
from dragtor.serve.uploads import one_piece, receive_upload

if TYPE_CHECKING:
    from dragtor.serve.state import Server

PROTOCOL = "dragtor.v1"
PROTOCOL_VERSION = 1
HELLO_S = 3.0  # in which the hello must be there
TAKEN_S = 20.0  # in which a client must take what is sent
FAREWELL_S = 30.0  # in which one that did not may still take the reason
MAX_TEXT_BYTES = 1_000_000
MAX_BINARY_BYTES = 20_000_000
BAD_FRAME, BAD_TOKEN, STALLED, TOO_LARGE = 4400, 4401, 4408, 1009  # codes of the end


def routes(server: Server) -> list[BaseRoute]:
    """The websocket of jobs."""
    return [WebSocketRoute("/api/v1/ws", partial(_serve, server))]


async def _serve(server: Server, websocket: WebSocket) -> None:
    offered = websocket.scope.get("subprotocols", [])
    if offered and PROTOCOL not in offered:
        await websocket.close(BAD_FRAME)
        return
    await websocket.accept(PROTOCOL if offered else None)
    await JobSocket(server, websocket).run()


class _End(Exception):
    """The connection is to end; `told` is sent first where it may still be read."""

    def __init__(self, code: int, reason: str, told: dict[str, Any] | None = None) -> None:
        super().__init__(reason)
        self.code, self.reason, self.told = code, reason, told


class JobSocket:
    """One client's connection, from its hello to its end."""

    def __init__(self, server: Server, websocket: WebSocket) -> None:
        self._server, self._websocket = server, websocket
        self._client = ""
        self._sending = asyncio.Lock()
        self._following: dict[str, asyncio.Task[None]] = {}
        self._upload = ""  # the name of what comes in the next binary frame

    async def run(self) -> None:
        """Serve until one side ends it."""
        try:
            async with asyncio.TaskGroup() as self._tasks:
                await self._hello()
                while True:
                    await self._take(await self._receive())
        except* WebSocketDisconnect:
            pass
        except* _End as ends:
            await self._farewell(_leaves(ends)[0])

    # What comes

    async def _hello(self) -> None:
        """The first frame, in time and with a token that is good; then the welcome."""
        try:
            async with asyncio.timeout(HELLO_S):
                frame = self._parsed(await self._receive())
        except TimeoutError:
            raise _refused(BAD_TOKEN, "no_hello", f"no hello within {HELLO_S:g} s") from None
        except UsageError as error:
            raise _End(BAD_FRAME, "bad frame", error_json(error)) from None
        if frame.get("type") != "hello" or frame.get("v") != PROTOCOL_VERSION:
            told = f"the first frame is a hello of version {PROTOCOL_VERSION}"
            raise _refused(BAD_FRAME, "no_hello", told)
        token = frame.get("token")
        guard, scope = self._server.guard, self._websocket.scope
        self._client = guard.client_of(scope, token) if isinstance(token, str) else ""
        if not self._client:
            hint = "open the address that `dragtor serve` prints"
            raise _refused(BAD_TOKEN, "wrong_token", "this token opens nothing here", hint)
        limits = self._server.jobs.limits
        said = {
            "sockets": MAX_SOCKETS,
            "running": limits.running,
            "per_client": limits.per_client,
            "waiting": limits.waiting,
            "text_bytes": MAX_TEXT_BYTES,
            "binary_bytes": MAX_BINARY_BYTES,
        }
        await self._send(type="welcome", server=f"dragtor {__version__}", limits=said)

    async def _receive(self) -> str | bytes:
        message = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        text: str | None = message.get("text")
        data: bytes | None = message.get("bytes")
        if text is None:
            return data or b""
        if len(text) > MAX_TEXT_BYTES or len(text.encode("utf-8", "replace")) > MAX_TEXT_BYTES:
            raise _refused(TOO_LARGE, "too_large", f"a frame has at most {MAX_TEXT_BYTES} bytes")
        return text

    def _parsed(self, frame: str | bytes) -> dict[str, Any]:
        try:
            found = json.loads(frame) if isinstance(frame, str) else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise UsageError("this frame is no JSON object")
        return found

    async def _take(self, frame: str | bytes) -> None:
        """Do what a frame asks; types that are not known are ignored."""
        job = ""
        try:
            if isinstance(frame, bytes):
                await self._take_upload(frame)
                return
            given = self._parsed(frame)
            named = given.get("id" if given.get("type") == "start" else "job", "")
            job = named if isinstance(named, str) else ""
            match given.get("type"):
                case "start":
                    await self._start(job, given)
                case "resume":
                    await self._resume(job, given)
                case "cancel":
                    await run_in_threadpool(self._server.jobs.cancel, job)
                case "answer":
                    self._server.jobs.answer(job, given.get("answer"))
                case "ping":
                    await self._send(type="pong")
                case "upload":
                    self._upload = str(given.get("name", ""))
                case "hello":
                    raise UsageError("a hello comes once")
        except DragtorError as error:
            await self._send_error(error, job)

    async def _start(self, job: str, given: dict[str, Any]) -> None:
        task, args = given.get("task"), given.get("args", {})
        if not isinstance(task, str) or not isinstance(args, dict):
            raise UsageError("a start has an id, a task and an object of args")
        await run_in_threadpool(self._server.jobs.start, job, task, args, self._client)
        if job not in self._following:
            self._follow(job, 0)

    async def _resume(self, job: str, given: dict[str, Any]) -> None:
        """Follow a job from an event on, whatever of it this socket has followed before."""
        after = given.get("after", 0)
        if not isinstance(after, int) or after < 0:
            raise UsageError("'after' is the number of an event")
        await run_in_threadpool(self._server.jobs.row, job)
        if before := self._following.pop(job, None):
            before.cancel()
            await asyncio.wait([before])
        self._follow(job, after)

    async def _take_upload(self, data: bytes) -> None:
        name, self._upload = self._upload, ""
        if not name:
            raise UsageError("a binary frame follows an `upload` with a name")
        kept = await receive_upload(self._server.uploads, name, one_piece(data))
        await self._send(type="uploaded", upload=kept.id, name=kept.name, bytes=kept.bytes)

    # What goes

    def _follow(self, job: str, after: int) -> None:
        task = self._tasks.create_task(self._tell(job, after))
        self._following[job] = task
        task.add_done_callback(partial(self._followed, job))

    def _followed(self, job: str, task: asyncio.Task[None]) -> None:
        if self._following.get(job) is task:
            del self._following[job]

    async def _tell(self, job: str, after: int) -> None:
        async for batch in self._server.jobs.batches(job, after):
            for event in coalesced(batch):
                await self._send(job=job, seq=event.seq, type=event.type, data=event.data)
            await asyncio.sleep(0)  # others have their turn, however much there is to tell

    async def _send(self, **frame: Any) -> None:
        text = json.dumps({"v": PROTOCOL_VERSION, **frame})
        async with self._sending:
            try:
                async with asyncio.timeout(TAKEN_S):
                    await self._websocket.send_text(text)
            except TimeoutError:
                raise _End(STALLED, "nothing was read; resume") from None

    async def _send_error(self, error: DragtorError, job: str = "") -> None:
        await self._send(job=job, seq=0, type="error", data=error_json(error))

    async def _farewell(self, end: _End) -> None:
        """Say why, and end the connection; whoever does not read is not waited for."""
        try:
            async with asyncio.timeout(FAREWELL_S):
                if end.told:
                    frame = {
                        "v": PROTOCOL_VERSION,
                        "job": "",
                        "seq": 0,
                        "type": "error",
                        "data": end.told,
                    }
                    await self._websocket.send_text(json.dumps(frame))
                await self._websocket.close(end.code, end.reason)
        except (TimeoutError, WebSocketDisconnect, RuntimeError):
            pass


def coalesced(events: Sequence[JobEvent]) -> list[JobEvent]:
    """The events without a progress that the next one's progress of the same label overtakes."""
    return [
        event
        for event, later in pairwise([*events, None])
        if event and not (later and _overtaken(event, later))
    ]


def _overtaken(event: JobEvent, later: JobEvent) -> bool:
    both = event.type == later.type == "progress"
    return both and event.data.get("label") == later.data.get("label")


def _refused(code: int, name: str, message: str, hint: str = "") -> _End:
    return _End(code, message, refusal_json(name, message, hint))


def _leaves(group: BaseExceptionGroup[_End]) -> list[_End]:
    found: list[_End] = []
    for each in group.exceptions:
        found += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return found
