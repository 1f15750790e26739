"""The websocket /ws of dragtor's first draft: its two tasks and its messages, word for word.

A client sends one JSON object a task, and is told in plain text and JSON. What does the work are
jobs; one ends with its connection, since nobody could ask for the rest. Knows no task.
"""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from dragtor.errors import DragtorError, UsageError
from dragtor.serve.journal import JobEvent
from dragtor.serve.socket import STALLED, TAKEN_S
from dragtor.serve.uploads import one_piece, picture_size, receive_upload, remove_upload

if TYPE_CHECKING:
    from dragtor.serve.state import Server

EXTRACT, RESEARCH = "extract entities", "research entity"
DRAFT_TASKS = {EXTRACT: "entities", RESEARCH: "research"}  # that do them
AGENT_FAILED = "Agent failed during research process"


def routes(server: Server) -> list[BaseRoute]:
    """The websocket; the token travels in the connection, see the guard."""
    return [WebSocketRoute("/ws", partial(_serve, server))]


async def _serve(server: Server, websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        async with asyncio.TaskGroup() as group:
            frames: asyncio.Queue[Any] = asyncio.Queue(4)  # who sends more, waits
            group.create_task(_read(websocket, frames))
            await SeedSocket(server, websocket, frames).run()
    except* WebSocketDisconnect:
        pass
    except* TimeoutError:
        await websocket.close(STALLED)
    except* UsageError:
        await websocket.close(1013)  # try again later


async def _read(websocket: WebSocket, frames: asyncio.Queue[Any]) -> None:
    """Hand on what comes, text or bytes; raises WebSocketDisconnect at the end."""
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        await frames.put(message.get("text") or message.get("bytes") or "")


class SeedSocket:
    """One client's tasks, one after the other."""

    def __init__(self, server: Server, websocket: WebSocket, frames: asyncio.Queue[Any]) -> None:
        self._server, self._websocket, self._frames = server, websocket, frames

    async def run(self) -> None:
        """Take tasks; raises UsageError where no more jobs are taken, TimeoutError on a stall."""
        while True:
            asked = await run_in_threadpool(_parsed, await self._frames.get())
            task = asked.get("task")
            if not isinstance(task, str) or task not in DRAFT_TASKS:
                await self._say("Invalid task")
            elif task == EXTRACT:
                image = asked.get("image")
                await self._extract(await self._frames.get() if image is None else image)
            else:
                await self._research(asked.get("entity"))

    async def _extract(self, image: Any) -> None:
        name, uploads = f"picture-{uuid.uuid4().hex}", self._server.uploads
        try:
            picture = await run_in_threadpool(_picture, image)
            upload = (await receive_upload(uploads, name, one_piece(picture))).id
        except (ValueError, TypeError, DragtorError):
            return await self._say("Invalid image")
        try:
            await self._follow(EXTRACT, {"upload": upload}, "Invalid image")
        finally:
            remove_upload(uploads, uploads / upload / name)

    async def _research(self, entity: Any) -> None:
        match entity:
            case {"name": str(name), "category": "person" | "company" as category} if name.strip():
                await self._follow(RESEARCH, {"name": name, "category": category}, AGENT_FAILED)
            case None | "" | {} if not entity:
                await self._say("No entity provided")
            case _:
                await self._say("Invalid entity")

    async def _follow(self, task: str, args: dict[str, Any], failed: str) -> None:
        """Run a job, and tell what it tells, the same thing once."""
        job, jobs, told = uuid.uuid4().hex, self._server.jobs, {""}
        state = self._websocket.scope["state"]
        await run_in_threadpool(jobs.start, job, DRAFT_TASKS[task], args, state["client"])
        try:
            await self._say(f"Starting {task}")
            async for event in jobs.follow(job):
                text = failed if event.type in ("error", "cancelled") else _told(event)
                if text not in told:
                    told.add(text)
                    await self._say(text)
        finally:
            jobs.cancel(job)  # does nothing to one that is over

    async def _say(self, text: str) -> None:
        async with asyncio.timeout(TAKEN_S):
            await self._websocket.send_text(text)


def _told(event: JobEvent) -> str:
    """An event as the first draft tells it; empty for what it does not tell."""
    match event.type, event.data:
        case "item", {"kind": "entity", "value": {"name": name, "category": category}}:
            return json.dumps({"entity": {"name": name, "category": category}})
        case "step", {"step": step, "max_steps": most} if most:
            return json.dumps({"step": step, "max_steps": most})
        case "done", {"result": {"summary": summary}}:
            return json.dumps({"summary": summary})
    return ""


def _parsed(frame: str | bytes) -> dict[str, Any]:
    with suppress(ValueError, RecursionError):
        if isinstance(found := json.loads(frame), dict):
            return found
    return {}


def _picture(given: Any) -> bytes:
    """A picture that comes as bytes, a list of them, base64 or a data URL; else an error."""
    if isinstance(given, str):
        given = base64.b64decode("".join(given.rpartition(",")[2].split()), validate=True)
    picture = bytes(given) if isinstance(given, bytes | list) else b""
    if picture_size(picture) == (0, 0):
        raise ValueError("no picture")
    return picture
