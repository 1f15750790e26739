"""The websocket /ws, with a client that is written from the description of the first draft alone.

That says: one JSON object a task goes up; plain text and JSON come down, word for word. The tasks
are of this file; what dragtor brings itself answers `Invalid task` for as long as it has none.
"""

from __future__ import annotations

import asyncio
import base64
import json
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from serving import Served, serving
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dragtor.config import load_config
from dragtor.errors import LoadError
from dragtor.serve.jobs import JobLimits, TaskContext
from dragtor.serve.tasks import JOB_TASKS
from dragtor.serve.uploads import upload_path

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
PATIENCE_S = 60.0
EXTRACT, RESEARCH = "extract entities", "research entity"
YVES = {"name": "Yves Gravelle", "category": "person"}
SUMMARY = {"Summary": "A climber.", "Work Experience": "Coach.", "Other Information": ""}


def png(width: int = 2, height: int = 1, color: bytes = b"\1\2\3") -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = (b"\0" + color * width) * min(height, 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


class SeedClient:
    """What somebody writes who has read the description, and nothing of dragtor."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def ask(self, **task: Any) -> None:
        await self.connection.send(json.dumps(task))

    async def hear(self) -> Any:
        """The next message: JSON where it is an object, else the text."""
        async with asyncio.timeout(PATIENCE_S):
            text = await self.connection.recv()
        assert isinstance(text, str)
        return json.loads(text) if text.startswith("{") else text

    async def hear_all(self, n: int) -> list[Any]:
        return [await self.hear() for _ in range(n)]


def extract(context: TaskContext) -> dict[str, Any]:
    """An entity a byte of the picture's color: that is all there is to see on it."""
    path = upload_path(context.uploads, context.args["upload"])
    data = path.read_bytes()
    rows = zlib.decompress(data[data.index(b"IDAT") + 4 : -16])
    if rows[1] == 255:
        raise LoadError("nothing can be seen")
    context.reporter.note("not for the first draft")
    for n, byte in enumerate(rows[1:4]):
        found = {"name": f"N{byte}", "category": ("person", "company")[n % 2], "confidence": 0.9}
        context.reporter.item("entity", found)
        context.reporter.item("box", [1, 2, 3, 4])
    context.reporter.progress("pictures", 1, 1)
    return {"entities": 3}


held = threading.Event()


def research(context: TaskContext) -> dict[str, Any]:
    entity = context.args["entity"]
    assert sorted(entity) == ["category", "name"]
    for step in (1, 2):
        context.emit("step", {"step": step, "max_steps": 2, "label": "looking"})
    if entity["name"] == "Waits":
        held.set()
        context.cancel.wait(PATIENCE_S)
    if entity["name"] == "Nobody":
        raise LoadError("nobody of this name")
    if entity["name"] == "Trouble":
        raise RuntimeError("a secret of the server")
    return {"summary": {**SUMMARY, "Summary": entity["name"]}, "saved": "d1"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    config = load_config(ROOT / "config" / "params.yml")
    with serving(tmp_path_factory.mktemp("seed") / "library", config) as found:
        yield found


@pytest.fixture
def tasks(served: Served) -> Iterator[None]:
    """The two tasks, as they will be."""
    assert served.server
    jobs = served.server.jobs
    jobs._tasks = {**JOB_TASKS, EXTRACT: extract, RESEARCH: research}
    yield
    jobs._tasks = JOB_TASKS


def talk(served: Served, act: Callable[[SeedClient], Any]) -> Any:
    async def run() -> Any:
        url = f"ws://127.0.0.1:{served.port}/ws?token={served.token}"
        async with connect(url, proxy=None, open_timeout=PATIENCE_S) as connection:
            return await act(SeedClient(connection))

    return asyncio.run(run())


def said(served: Served, n: int, **task: Any) -> list[Any]:
    """The first `n` messages on one task."""

    async def act(client: SeedClient) -> list[Any]:
        await client.ask(**task)
        return await client.hear_all(n)

    found: list[Any] = talk(served, act)
    return found


FOUND = [
    "Starting extract entities",
    {"entity": {"name": "N1", "category": "person"}},
    {"entity": {"name": "N2", "category": "company"}},
    {"entity": {"name": "N3", "category": "person"}},
]


@pytest.mark.parametrize(
    "image",
    [
        base64.b64encode(png()).decode(),
        base64.encodebytes(png()).decode(),
        "data:image/png;base64," + base64.b64encode(png()).decode(),
        list(png()),
    ],
    ids=["base64", "base64 in lines", "data URL", "integers"],
)
def test_entities_of_a_picture(served: Served, tasks: None, image: Any) -> None:
    assert said(served, 4, task=EXTRACT, image=image) == FOUND


def test_a_picture_as_a_binary_frame(served: Served, tasks: None) -> None:
    async def act(client: SeedClient) -> list[Any]:
        found = []
        for task in ({"task": EXTRACT}, {"task": EXTRACT, "image": None}):
            await client.ask(**task)
            await client.connection.send(png())
            found += await client.hear_all(4)
        return found

    assert talk(served, act) == [*FOUND, *FOUND]


@pytest.mark.parametrize(
    "image",
    ["", "no base64!", "aGVsbG8=", "data:image/png;base64,", [], [1, 2, 300], ["a"], [[]], 7, True,
     {"a": 1}, list(b"GIF8"), base64.b64encode(png(30_000, 30_000)).decode(), "\ud800", "é"],
)  # fmt: skip
def test_what_is_no_picture(served: Served, tasks: None, image: Any) -> None:
    assert said(served, 1, task=EXTRACT, image=image) == ["Invalid image"]


def test_a_text_where_the_picture_should_come(served: Served, tasks: None) -> None:
    async def act(client: SeedClient) -> list[Any]:
        await client.ask(task=EXTRACT)
        await client.connection.send("here it is")
        await client.ask(task=EXTRACT)
        await client.connection.send(b"")
        await client.ask(task=RESEARCH, entity=YVES)
        return await client.hear_all(3)

    assert talk(served, act) == ["Invalid image", "Invalid image", "Starting research entity"]


def test_a_picture_that_cannot_be_read(served: Served, tasks: None) -> None:
    image = base64.b64encode(png(color=b"\xff\0\0")).decode()
    assert said(served, 2, task=EXTRACT, image=image) == [FOUND[0], "Invalid image"]


def test_no_picture_is_kept(served: Served, tasks: None) -> None:
    async def act(client: SeedClient) -> list[Any]:
        await client.ask(task=EXTRACT, image=list(png()))
        first = await client.hear_all(4)
        await client.ask(task="the next one")
        return [*first, await client.hear()]

    assert talk(served, act) == [*FOUND, "Invalid task"]
    assert served.server
    assert [path for path in served.server.uploads.rglob("*") if path.is_file()] == []


def test_research(served: Served, tasks: None) -> None:
    assert said(served, 4, task=RESEARCH, entity=YVES) == [
        "Starting research entity",
        {"step": 1, "max_steps": 2},
        {"step": 2, "max_steps": 2},
        {"summary": {**SUMMARY, "Summary": "Yves Gravelle"}},
    ]


@pytest.mark.parametrize("name", ["Nobody", "Trouble"])
def test_research_that_fails(served: Served, tasks: None, name: str) -> None:
    entity = {"name": name, "category": "company", "more": 1}
    *_, last = said(served, 4, task=RESEARCH, entity=entity)
    assert last == "Agent failed during research process"


@pytest.mark.parametrize("entity", [None, {}, ""])
def test_no_entity(served: Served, tasks: None, entity: Any) -> None:
    assert said(served, 1, task=RESEARCH, entity=entity) == ["No entity provided"]
    assert said(served, 1, task=RESEARCH) == ["No entity provided"]


@pytest.mark.parametrize(
    "entity",
    ["Yves", 7, True, [], ["Yves"], {"name": "Yves"}, {"category": "person"},
     {"name": "", "category": "person"}, {"name": "  ", "category": "person"},
     {"name": 7, "category": "person"}, {"name": "Yves", "category": "place"},
     {"name": "Yves", "category": ["person"]}, {"name": ["Yves"], "category": "person"}],
)  # fmt: skip
def test_what_is_no_entity(served: Served, tasks: None, entity: Any) -> None:
    assert said(served, 1, task=RESEARCH, entity=entity) == ["Invalid entity"]


@pytest.mark.parametrize(
    "frame",
    ["", "hello", "{", "[]", "null", "7", "{}", '{"task": null}', '{"task": ["extract entities"]}',
     '{"task": "ask", "question": "Why?"}', '{"task": "Extract entities"}', "[" * 100_000,
     b"", b"\xff\xfe", png(), '{"task": {}}', '{"task": "research"}'],
)  # fmt: skip
def test_what_is_no_task_and_the_next_that_is_one(
    served: Served, tasks: None, frame: str | bytes
) -> None:
    async def act(client: SeedClient) -> list[Any]:
        await client.connection.send(frame)
        first = await client.hear()
        await client.ask(task=RESEARCH, entity=YVES)
        return [first, *await client.hear_all(4)]

    first, *rest = talk(served, act)
    assert first == "Invalid task"
    assert rest[-1] == {"summary": {**SUMMARY, "Summary": "Yves Gravelle"}}


def test_dragtor_has_none_of_the_tasks_yet(served: Served) -> None:
    assert said(served, 1, task=EXTRACT, image=list(png())) == ["Invalid task"]
    assert said(served, 1, task=RESEARCH, entity=YVES) == ["Invalid task"]
    assert said(served, 1, task="ask", question="Why?") == ["Invalid task"]


def test_twenty_at_once_each_its_own_results(served: Served, tasks: None) -> None:
    async def one(n: int) -> list[Any]:
        url = f"ws://127.0.0.1:{served.port}/ws?token={served.token}"
        async with connect(url, proxy=None, open_timeout=PATIENCE_S) as connection:
            client = SeedClient(connection)
            await client.ask(task=EXTRACT, image=list(png(color=bytes([n, n + 1, n + 2]))))
            await client.ask(task=RESEARCH, entity={"name": f"P{n}", "category": "person"})
            return await client.hear_all(8)

    async def everybody() -> list[list[Any]]:
        return await asyncio.gather(*(one(n) for n in range(20)))

    for n, heard in enumerate(asyncio.run(everybody())):
        assert heard[0] == "Starting extract entities"
        assert [each["entity"]["name"] for each in heard[1:4]] == [f"N{n + i}" for i in range(3)]
        assert heard[4] == "Starting research entity"
        assert heard[7]["summary"]["Summary"] == f"P{n}"


def test_a_job_ends_with_its_connection(served: Served, tasks: None) -> None:
    held.clear()

    async def act(client: SeedClient) -> None:
        await client.ask(task=RESEARCH, entity={"name": "Waits", "category": "person"})
        await client.hear_all(3)
        assert held.wait(PATIENCE_S)
        client.connection.transport.abort()

    talk(served, act)
    assert served.server
    jobs = served.server.jobs

    async def last() -> str:
        return [event.type async for event in jobs.follow(jobs.rows()[0].id)][-1]

    assert asyncio.run(asyncio.wait_for(last(), PATIENCE_S)) == "cancelled"


def test_no_room_for_another_job(served: Served, tasks: None) -> None:
    assert served.server
    jobs = served.server.jobs
    limits, jobs.limits = jobs.limits, JobLimits(waiting=0)
    try:

        async def act(client: SeedClient) -> int:
            await client.ask(task=RESEARCH, entity=YVES)
            with pytest.raises(ConnectionClosed):
                await client.hear()
            return client.connection.close_code or 0

        assert talk(served, act) == 1013  # try again later
    finally:
        jobs.limits = limits
    assert said(served, 1, task=RESEARCH, entity=YVES) == ["Starting research entity"]


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong"])
def test_the_token_travels_in_the_connection(served: Served, query: str) -> None:
    async def run() -> None:
        async with connect(f"ws://127.0.0.1:{served.port}/ws{query}", proxy=None):
            raise AssertionError("it was let in")

    with pytest.raises(InvalidStatus, match="401"):
        asyncio.run(run())


def test_the_adapter_is_small() -> None:
    text = Path(ROOT / "dragtor" / "serve" / "seed_socket.py").read_text("utf-8")
    assert len(text.splitlines()) < 150
