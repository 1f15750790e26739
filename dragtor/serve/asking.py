"""Work for a client that waits for it: it ends with the connection, and leaves nothing behind.

Questions go through the jobs all the same, so that there is one queue before the language model.
Knows jobs and connections; no protocol.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
from starlette.types import Receive

from dragtor.errors import DragtorError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from dragtor.schema import Json
    from dragtor.serve.jobs import Jobs
    from dragtor.serve.journal import JobEvent

Result = TypeVar("Result")
_FORGETTING: set[asyncio.Task[None]] = set()  # the loop itself holds them weakly


@asynccontextmanager
async def passing_job(
    jobs: Jobs, task: str, args: Json, client: str
) -> AsyncIterator[AsyncGenerator[JobEvent]]:
    """The events of a job that is cancelled and forgotten with the end of the block.

    Raises UsageError where the job may not start.
    """
    job = secrets.token_hex(16)
    jobs.start(job, task, args, client)
    try:
        async with aclosing(jobs.follow(job, 0)) as events:
            yield events
    finally:
        jobs.cancel(job)
        forgetting = asyncio.create_task(_forget(jobs, job))
        _FORGETTING.add(forgetting)
        forgetting.add_done_callback(_FORGETTING.discard)


async def _forget(jobs: Jobs, job: str) -> None:
    """Remove a job once it has come to its end; a server that ends keeps it."""
    with suppress(DragtorError):
        async for _ in jobs.follow(job):
            pass
        jobs.remove(job)


async def unless_gone(
    receive: Receive, work: Callable[[], Awaitable[Result]], gone: Callable[[], Any] = lambda: None
) -> Result | None:
    """What `work` gives; where the client hangs up it is cancelled, after `gone` was called.

    The body of the request must have been read.
    """
    found: Result | None = None
    failed: Exception | None = None
    async with anyio.create_task_group() as group:

        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            gone()
            group.cancel_scope.cancel()

        group.start_soon(watch)
        try:
            found = await work()
        except Exception as error:  # noqa: BLE001 - raised below, out of the group
            failed = error
        group.cancel_scope.cancel()
    if failed is not None:
        raise failed
    return found
