"""The websocket /ws word for word, with a client written from the first draft's description.

Its two tasks are played in the first part, to the letter; in the second they are dragtor's own.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from seed_client import EXTRACT, PATIENCE_S, RESEARCH, SeedClient
from serving import Served, serving
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dragtor import Library
from dragtor.config import Config, load_config
from dragtor.errors import LoadError
from dragtor.serve.jobs import JobLimits, TaskContext
from dragtor.serve.tasks import JOB_TASKS
from dragtor.serve.uploads import upload_path

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
NO_LLM = {
    "embed": {"model": "all-minilm-l6-v2"},
    "answer": {"reader": "none"},
    "llm": {"engine": "llama", "model": "/nowhere/none.gguf"},
}
BIOGRAPHY = """# Yves Gravelle

Yves Gravelle is a climber and coach from Halden. Yves Gravelle has worked as head coach of the
Halden Climbing Hall since 2014. Yves Gravelle studied physics at the University of Ottawa.

# Halden Climbing Hall

The Halden Climbing Hall sells training boards for climbers. It is a sports company.
"""
FIRST = ("Anna", "Boris", "Clara", "David", "Emma")
LAST = ("Keller", "Novak", "Larsen", "Moreau")
ROOM: dict[str, Any] = {"ping_timeout": None}
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


def extract(context: TaskContext) -> dict[str, Any]:
    """An entity a byte of the picture's color: that is all there is to see on it."""
    path = upload_path(context.uploads, context.args["upload"])
    data = path.read_bytes()
    rows = zlib.decompress(data[data.index(b"IDAT") + 4 : -16])
    if rows[1] == 255:
        raise LoadError("nothing can be seen")
    context.reporter.note("not for the first draft")
    context.reporter.step("nor is this")
    for n, byte in enumerate(rows[1:4]):
        found = {"name": f"N{byte}", "category": ("person", "company")[n % 2], "confidence": 0.9}
        context.reporter.item("entity", found)
        context.reporter.item("entity", found | {"confidence": 0.95})  # known by now
        context.reporter.item("box", [1, 2, 3, 4])
    context.reporter.progress("pictures", 1, 1)
    return {"entities": 3}


held = threading.Event()


def research(context: TaskContext) -> dict[str, Any]:
    entity = context.args
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
    jobs._tasks = {**JOB_TASKS, "entities": extract, "research": research}
    yield
    jobs._tasks = JOB_TASKS


def mail(*names: str) -> bytes:
    """The picture of a mail that goes to these."""
    draw = pytest.importorskip("PIL.ImageDraw", reason="Pillow is not installed here")
    pytest.importorskip("faster_paddle", reason="no reader of pictures is installed here")
    from PIL import Image, ImageFont

    picture = Image.new("RGB", (900, 120), "white")
    text = f"To: {'; '.join(names)}\nSubject: next week"
    draw.Draw(picture).multiline_text((20, 20), text, "black", ImageFont.load_default(28))
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def at(served: Served) -> str:
    return f"ws://127.0.0.1:{served.port}/ws?token={served.token}"


def talk(served: Served, act: Callable[[SeedClient], Any]) -> Any:
    async def run() -> Any:
        async with connect(at(served), proxy=None, open_timeout=PATIENCE_S) as connection:
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


def test_twenty_at_once_each_its_own_results(served: Served, tasks: None) -> None:
    async def one(n: int) -> list[Any]:
        async with connect(at(served), proxy=None, open_timeout=PATIENCE_S) as connection:
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


# With dragtor's own tasks


def library_of_gravelle(place: Path, *, tags: bool = False) -> tuple[Path, Config]:
    """A library that knows somebody, made in a folder, and its settings: no language model."""
    (place / "gravelle.md").write_text(BIOGRAPHY)
    config = load_config(ROOT / "config" / "params.yml", NO_LLM)
    with Library(place / "library", config=config) as library:
        assert not library.add(place / "gravelle.md").failed
        if tags:
            library.index(tags=True)
    return place / "library", config


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server on a library that knows somebody, without a language model."""
    with serving(*library_of_gravelle(tmp_path_factory.mktemp("real"))) as found:
        yield found


def test_who_is_in_a_picture(real: Served) -> None:
    image = base64.b64encode(mail("Ann Lee", "Yves Gravelle")).decode()
    first, *found = talk(real, lambda client: client.whole_task(EXTRACT, image=image))
    assert first == "Starting extract entities"
    assert all(sorted(each) == ["entity"] for each in found)
    assert all(sorted(each["entity"]) == ["category", "name"] for each in found)
    assert {"name": "Ann Lee", "category": "person"} in [each["entity"] for each in found]
    assert {"name": "Yves Gravelle", "category": "person"} in [each["entity"] for each in found]


def test_who_somebody_is(real: Served) -> None:
    first, *steps, last = talk(real, lambda client: client.whole_task(RESEARCH, entity=YVES))
    assert first == "Starting research entity"
    most = steps[0]["max_steps"]
    assert steps == [{"step": n, "max_steps": most} for n in range(1, len(steps) + 1)]
    assert len(steps) <= most
    assert list(last["summary"]) == ["Summary", "Work Experience", "Education", "Other Information"]
    assert "Halden" in " ".join(last["summary"].values())


def test_what_a_company_is(real: Served) -> None:
    entity = {"name": "Halden Climbing Hall", "category": "company"}
    *_, last = talk(real, lambda client: client.whole_task(RESEARCH, entity=entity))
    assert list(last["summary"]) == [
        "Summary",
        "Relevant Industry",
        "Products",
        "Other Information",
    ]


@pytest.mark.parametrize("size", [(2, 1), (300, 200)])
def test_a_picture_without_a_word(real: Served, size: tuple[int, int]) -> None:
    pytest.importorskip("faster_paddle", reason="no reader of pictures is installed here")
    image = list(png(*size))
    found = talk(real, lambda client: client.whole_task(EXTRACT, image=image))
    assert found == ["Starting extract entities", "Invalid image"]


def test_twenty_real_clients_at_once(real: Served) -> None:
    names = [f"{first} {last}" for first in FIRST for last in LAST][:20]
    pictures = [base64.b64encode(mail(name)).decode() for name in names]

    async def one(name: str, image: str) -> tuple[list[Any], list[Any]]:
        async with connect(at(real), proxy=None, open_timeout=PATIENCE_S, **ROOM) as connection:
            client = SeedClient(connection)
            found = await client.whole_task(EXTRACT, image=image)
            entity = {"name": name, "category": "person"}
            return found, await client.whole_task(RESEARCH, entity=entity)

    async def everybody() -> list[tuple[list[Any], list[Any]]]:
        return await asyncio.gather(*map(one, names, pictures))

    for name, (found, told) in zip(names, asyncio.run(everybody()), strict=True):
        assert found[0] == "Starting extract entities"
        assert [each["entity"]["name"] for each in found[1:]] == [name]
        assert told[0] == "Starting research entity"
        assert "summary" in told[-1]
        others = [other for other in names if other != name and other in json.dumps(told[-1])]
        assert others == []
    assert real.server
    assert [path for path in real.server.uploads.rglob("*") if path.is_file()] == []


def test_the_adapter_is_small() -> None:
    text = Path(ROOT / "dragtor" / "serve" / "seed_socket.py").read_text("utf-8")
    assert len(text.splitlines()) < 150
