"""A client of the first draft's websocket, written from its description alone.

That says: one JSON object a task goes up, `{"task": "extract entities", "image": ...}` or
`{"task": "research entity", "entity": {"name", "category"}}`; plain text and JSON come down. Tasks
are done one after the other, and nothing tells where the first one ends: so a client asks for a
task that there is not, and what comes before its answer is all.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

from websockets.asyncio.client import ClientConnection

PATIENCE_S = 60.0  # for one message, on a busy machine
EXTRACT, RESEARCH = "extract entities", "research entity"
NO_TASK, NO_SUCH_TASK = "what is there?", "Invalid task"


class SeedClient:
    """What somebody writes who has read the description, and nothing of dragtor."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def ask(self, **task: Any) -> None:
        """Send one task."""
        await self.connection.send(json.dumps(task))

    async def hear(self) -> Any:
        """The next message: JSON where it is an object, else the text."""
        async with asyncio.timeout(PATIENCE_S):
            text = await self.connection.recv()
        assert isinstance(text, str)
        return json.loads(text) if text.startswith("{") else text

    async def hear_all(self, n: int) -> list[Any]:
        """The next `n` messages."""
        return [await self.hear() for _ in range(n)]

    async def whole_task(self, task: str, **more: Any) -> list[Any]:
        """All that is told on a task."""
        await self.ask(task=task, **more)
        await self.ask(task=NO_TASK)
        told = []
        while (said := await self.hear()) != NO_SUCH_TASK:
            told.append(said)
        return told
