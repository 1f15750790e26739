"""The websocket of jobs: a real uvicorn on loopback, real clients, and what goes wrong."""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from serving import Served, serving_app
from starlette.applications import Starlette
from starlette.middleware import Middleware
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from dragtor import Library
from dragtor.config import load_config
from dragtor.serve import socket as socket_module
from dragtor.serve.guard import MAX_SOCKETS, Guarded, ServerGuard
from dragtor.serve.jobs import JobLimits, Jobs, TaskContext
from dragtor.serve.journal import JobEvent, JobJournal
from dragtor.serve.keys import Keys
from dragtor.serve.socket import MAX_TEXT_BYTES, PROTOCOL, coalesced, routes
from dragtor.serve.state import KEYS_FILE, Server, lent

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])
PATIENCE_S = 60.0  # these machines may be busy
Frame = dict[str, Any]


# A server whose tasks tests can hold


def ticks(context: TaskContext) -> Frame:
    """Tell `n` items, one every `every_s`, among progress and steps."""
    n = context.args["n"]
    for tick in range(n):
        context.emit("item", {"tick": tick})
        context.emit("progress", {"label": "ticks", "done": tick + 1, "total": n, "unit": ""})
        context.cancel.wait(context.args.get("every_s", 0.002))
    return {"ticks": n}


def flood(context: TaskContext) -> Frame:
    """Tell more than a connection holds."""
    for tick in range(context.args["n"]):
        context.emit("item", {"tick": tick, "text": "x" * context.args["bytes"]})
    return {}


TEST_TASKS = {"ticks": ticks, "flood": flood}


def open_test_server(folder: Path, limits: JobLimits | None = None) -> Server:
    """As make_server, with the tasks of this file."""
    folder.mkdir(parents=True, exist_ok=True)
    config, uploads = load_config(), folder / "uploads"
    models = Library(folder, config=config)
    guard = ServerGuard(Keys(folder / KEYS_FILE))
    limits = limits or JobLimits(running=64, per_client=64)
    jobs = Jobs(
        JobJournal(folder / "jobs.db"),
        TEST_TASKS,
        lambda reporter, cancel: lent(models, reporter, cancel),
        uploads,
        limits,
    )
    return Server(config, folder, guard, jobs, models, uploads)


def test_app(server: Server) -> Starlette:
    return Starlette(routes=routes(server), middleware=[Middleware(Guarded, guard=server.guard)])


test_app.__test__ = False  # type: ignore[attr-defined]


@contextmanager
def serving_jobs(folder: Path, limits: JobLimits | None = None) -> Iterator[Served]:
    server = open_test_server(folder, limits)
    try:
        with serving_app(test_app(server), server.guard, server) as served:
            yield served
    finally:
        server.close()


@pytest.fixture
def served(own_folders: Path) -> Iterator[Served]:
    with serving_jobs(own_folders) as opened:
        yield opened


# A client


class Client:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def say(self, **frame: Any) -> None:
        await self.connection.send(json.dumps(frame))

    async def hear(self) -> Frame:
        async with asyncio.timeout(PATIENCE_S):
            frame: Frame = json.loads(await self.connection.recv())
        return frame

    async def until(self, *types: str, job: str = "") -> list[Frame]:
        """Frames up to the first of these types (of a job)."""
        frames = []
        while True:
            frames.append(await self.hear())
            if frames[-1]["type"] in types and job in ("", frames[-1].get("job")):
                return frames

    async def end(self) -> int:
        """Read what is left; the code of the end."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    await self.connection.recv()
        except ConnectionClosed:
            return self.connection.close_code or 0

    def drop(self) -> None:
        """As when the network goes."""
        self.connection.transport.abort()


@asynccontextmanager
async def connected(port: int, **how: Any) -> AsyncIterator[Client]:
    how.setdefault("subprotocols", [PROTOCOL])
    url = f"ws://127.0.0.1:{port}/api/v1/ws"
    async with connect(url, proxy=None, open_timeout=PATIENCE_S, **how) as connection:
        yield Client(connection)


@asynccontextmanager
async def greeted(port: int, token: str, **how: Any) -> AsyncIterator[Client]:
    async with connected(port, **how) as client:
        await client.say(type="hello", v=1, token=token)
        assert (await client.hear())["type"] == "welcome"
        yield client


def with_client(served: Served, act: Callable[[Client], Awaitable[Any]], **how: Any) -> Any:
    async def run() -> Any:
        async with greeted(served.port, served.token, **how) as client:
            return await act(client)

    return asyncio.run(run())


def items(frames: list[Frame]) -> list[int]:
    return [frame["data"]["tick"] for frame in frames if frame["type"] == "item"]


# The protocol


def test_a_job_from_hello_to_done(served: Served) -> None:
    async def act() -> list[Frame]:
        async with connected(served.port) as client:
            assert client.connection.subprotocol == PROTOCOL
            await client.say(type="hello", v=1, token=served.token)
            await client.say(type="start", id="a", task="ticks", args={"n": 20})
            return await client.until("done")

    welcome, *frames = asyncio.run(act())
    assert welcome["v"] == 1
    assert welcome["server"].startswith("dragtor ")
    assert welcome["limits"]["sockets"] == MAX_SOCKETS
    assert {tuple(frame) for frame in frames} == {("v", "job", "seq", "type", "data")}
    assert [frame["type"] for frame in frames][0 :: len(frames) - 1] == ["started", "done"]
    assert items(frames) == list(range(20))
    numbers = [frame["seq"] for frame in frames]
    assert numbers == sorted(set(numbers))
    assert frames[-1] == {
        "v": 1, "job": "a", "seq": 42, "type": "done", "data": {"result": {"ticks": 20}},
    }  # fmt: skip


def test_a_ping_is_answered_and_unknown_types_are_ignored(served: Served) -> None:
    async def act(client: Client) -> Frame:
        await client.say(type="dance")
        await client.say(job="a")
        await client.say(type=["start"])
        await client.say(type="ping")
        return await client.hear()

    assert with_client(served, act) == {"v": 1, "type": "pong"}


def test_the_same_id_never_starts_twice(served: Served) -> None:
    async def act(client: Client) -> list[Frame]:
        await client.say(type="start", id="a", task="ticks", args={"n": 5})
        await client.say(type="start", id="a", task="ticks", args={"n": 9})
        frames = await client.until("done")
        await client.say(type="start", id="a", task="ticks", args={"n": 9})
        return frames + await client.until("done")

    frames = with_client(served, act)
    assert items(frames) == [*range(5), *range(5)]  # the second time from the journal
    assert served.server is not None
    assert len(served.server.jobs.rows()) == 1


def test_two_jobs_and_two_sockets_each_hear_their_own(served: Served) -> None:
    async def act(client: Client) -> tuple[list[Frame], list[Frame]]:
        await client.say(type="start", id="a", task="ticks", args={"n": 30})
        await client.say(type="start", id="b", task="ticks", args={"n": 30})
        before = await client.until("started", job="b")
        async with greeted(served.port, served.token) as other:
            await other.say(type="resume", job="b", after=0)
            theirs = await other.until("done", job="b")
        while [frame["type"] for frame in before].count("done") < 2:
            before.append(await client.hear())
        return before, theirs

    mine, theirs = with_client(served, act)
    for job in ("a", "b"):
        assert items([frame for frame in mine if frame["job"] == job]) == list(range(30))
    assert {frame["job"] for frame in theirs} == {"b"}
    assert items(theirs) == list(range(30))


def test_cancel_stops_a_job(served: Served) -> None:
    async def act(client: Client) -> list[Frame]:
        await client.say(type="start", id="a", task="ticks", args={"n": 10_000, "every_s": 0.01})
        await client.until("item")
        await client.say(type="cancel", job="a")
        return await client.until("cancelled", "done")

    assert with_client(served, act)[-1]["type"] == "cancelled"


def test_a_resume_moves_the_cursor(served: Served) -> None:
    async def act(client: Client) -> list[Frame]:
        await client.say(type="start", id="a", task="ticks", args={"n": 10})
        await client.until("done")
        await client.say(type="resume", job="a", after=19)
        await client.say(type="resume", job="a", after=19)  # the first is given up or is over
        frames = await client.until("done")
        await client.say(type="ping")
        return frames + await client.until("pong")

    frames = with_client(served, act)
    assert next(frame["seq"] for frame in frames if frame["type"] == "done") == 22
    assert min(frame["seq"] for frame in frames if "seq" in frame) == 20


@pytest.mark.parametrize(
    ("frame", "code", "told"),
    [
        ({"type": "start", "id": "a", "task": "spells", "args": {}}, "usage_error", "no task"),
        (
            {"type": "start", "id": "a", "task": "ticks", "args": [1]},
            "usage_error",
            "object of args",
        ),
        ({"type": "start", "id": "../a", "task": "ticks"}, "usage_error", "id has"),
        ({"type": "start", "id": 5, "task": "ticks"}, "usage_error", "id has"),
        ({"type": "resume", "job": "none"}, "usage_error", "no job none"),
        ({"type": "resume", "job": "none", "after": -1}, "usage_error", "number of an event"),
        ({"type": "cancel", "job": "none"}, "usage_error", "no job none"),
        ({"type": "hello", "v": 1, "token": "x"}, "usage_error", "comes once"),
        ([1, 2], "usage_error", "no JSON object"),
        ("{not json", "usage_error", "no JSON object"),
        ("[" * 100_000, "usage_error", "no JSON object"),
        (b"\x00\x01", "usage_error", "follows an `upload`"),
    ],
)
def test_a_bad_frame_is_one_error_and_the_connection_goes_on(
    served: Served, frame: Any, code: str, told: str
) -> None:
    async def act(client: Client) -> tuple[Frame, list[Frame]]:
        raw = frame if isinstance(frame, str | bytes) else json.dumps(frame)
        await client.connection.send(raw)
        error = await client.hear()
        await client.say(type="start", id="fine", task="ticks", args={"n": 2})
        return error, await client.until("done")

    error, frames = with_client(served, act)
    assert (error["type"], error["seq"], error["data"]["code"]) == ("error", 0, code)
    assert told in error["data"]["message"]
    assert items(frames) == [0, 1]


def test_a_frame_that_is_too_large_ends_its_own_connection_only(served: Served) -> None:
    async def act(client: Client) -> tuple[Frame, int]:
        async with greeted(served.port, served.token) as other:
            await other.say(type="ping", filler="é" * (MAX_TEXT_BYTES // 2))
            error, code = await other.hear(), await other.end()
        await client.say(type="ping")
        assert (await client.hear())["type"] == "pong"
        return error, code

    error, code = with_client(served, act)
    assert error["data"]["code"] == "too_large"
    assert code == 1009


def test_an_upload_is_kept_under_its_id(served: Served) -> None:
    async def act(client: Client) -> tuple[Frame, Frame]:
        await client.say(type="upload", name="notes.md")
        await client.connection.send(b"# Notes")
        kept = await client.hear()
        await client.say(type="upload", name="../notes.md")
        await client.connection.send(b"# Notes")
        return kept, await client.hear()

    kept, error = with_client(served, act)
    assert kept | {"upload": ""} == {
        "v": 1, "type": "uploaded", "upload": "", "name": "notes.md", "bytes": 7,
    }  # fmt: skip
    assert served.server is not None
    path = served.server.uploads / kept["upload"] / "notes.md"
    assert path.read_bytes() == b"# Notes"
    assert "not a path" in error["data"]["message"]


# Who comes in


def refused(served: Served, *frames: Any, **how: Any) -> tuple[Frame, int]:
    async def act() -> tuple[Frame, int]:
        async with connected(served.port, **how) as client:
            for frame in frames:
                await client.connection.send(
                    frame if isinstance(frame, bytes) else json.dumps(frame)
                )
            return await client.hear(), await client.end()

    return asyncio.run(act())


@pytest.mark.parametrize(
    ("frame", "code", "name"),
    [
        ({"type": "hello", "v": 1, "token": "wrong"}, 4401, "wrong_token"),
        ({"type": "hello", "v": 1, "token": ""}, 4401, "wrong_token"),
        ({"type": "hello", "v": 1, "token": None}, 4401, "wrong_token"),
        ({"type": "hello", "v": 1, "token": ["x"]}, 4401, "wrong_token"),
        ({"type": "hello", "v": 1}, 4401, "wrong_token"),
        ({"type": "hello", "v": 2, "token": "x"}, 4400, "no_hello"),
        ({"type": "start", "id": "a", "task": "ticks", "args": {"n": 1}}, 4400, "no_hello"),
        (b"\x00", 4400, "usage_error"),
        ("hello", 4400, "usage_error"),
    ],
)
def test_without_a_good_hello_nothing_is_served(
    served: Served, frame: Any, code: int, name: str
) -> None:
    error, ended = refused(served, frame, {"type": "start", "id": "a", "task": "ticks"})
    assert (error["type"], error["data"]["code"], ended) == ("error", name, code)
    assert served.server is not None
    assert served.server.jobs.rows() == []


def test_no_hello_or_a_late_one_is_not_waited_for(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "HELLO_S", 0.2)
    error, ended = refused(served)
    assert (error["data"]["code"], ended) == ("no_hello", 4401)


def test_another_subprotocol_is_refused_and_none_is_taken(served: Served) -> None:
    async def other() -> None:
        async with connected(served.port, subprotocols=["graphql-ws"]):
            pass

    with pytest.raises(InvalidStatus) as refusal:
        asyncio.run(other())
    assert refusal.value.response.status_code == 403

    async def act(client: Client) -> Any:
        return client.connection.subprotocol

    assert with_client(served, act, subprotocols=None) is None


def test_the_65th_socket_is_refused_and_the_others_go_on(served: Served) -> None:
    async def act() -> int:
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(greeted(served.port, served.token))
                for _ in range(MAX_SOCKETS)
            ]
            with pytest.raises(InvalidStatus) as refusal:
                await stack.enter_async_context(greeted(served.port, served.token))
            for client in clients:
                await client.say(type="ping")
                assert (await client.hear())["type"] == "pong"
            await clients[0].connection.close()
            while served.guard.sockets >= MAX_SOCKETS:
                await asyncio.sleep(0.01)
            await stack.enter_async_context(greeted(served.port, served.token))
            return refusal.value.response.status_code

    assert asyncio.run(act()) == 503


# Connections that go


async def hear_with_drops(
    port: Callable[[], int], token: str, job: str, draw: random.Random, **args: Any
) -> tuple[list[Frame], int]:
    """All of a job through connections that drop at random places; how many did."""
    frames: list[Frame] = []
    drops = after = 0
    while not frames or frames[-1]["type"] != "done":
        left = draw.randrange(12)
        async with greeted(port(), token) as client:
            if drops % 2 or not frames:
                await client.say(type="start", id=job, task="ticks", args=args)
            if frames:
                await client.say(type="resume", job=job, after=after)
            while left and (not frames or frames[-1]["type"] != "done"):
                frame = await client.hear()
                if frame["seq"] <= after:  # of the start, which was said again
                    continue
                frames.append(frame)
                after, left = frame["seq"], left - 1
            client.drop()
        drops += 1
    return frames, drops


def test_dropped_connections_lose_and_double_nothing(served: Served) -> None:
    draw = random.Random(7)

    async def act() -> list[tuple[list[Frame], int]]:
        async with asyncio.timeout(4 * PATIENCE_S):
            return await asyncio.gather(
                *(
                    hear_with_drops(lambda: served.port, served.token, f"j{n}", draw, n=60)
                    for n in range(3)
                )
            )

    results = asyncio.run(act())
    for frames, _ in results:
        assert items(frames) == list(range(60))
        numbers = [frame["seq"] for frame in frames]
        assert numbers == sorted(set(numbers))
        assert frames[-1]["data"] == {"result": {"ticks": 60}}
    assert sum(drops for _, drops in results) > 15
    assert served.server is not None
    assert len(served.server.jobs.rows()) == 3


def test_a_client_that_reads_nothing_is_let_go_and_resumes(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_module, "TAKEN_S", 1.0)
    n = 400

    async def act(fine: Client) -> tuple[list[Frame], int, list[Frame]]:
        heard: list[Frame] = []
        async with greeted(served.port, served.token, max_queue=1) as client:
            await client.say(type="start", id="a", task="flood", args={"n": n, "bytes": 100_000})
            await fine.say(type="start", id="b", task="ticks", args={"n": 100, "every_s": 0.02})
            assert items(await fine.until("done")) == list(range(100))  # unharmed
            await asyncio.sleep(1)
            try:
                while True:
                    heard.append(await client.hear())
            except ConnectionClosed:
                code = client.connection.close_code or 0
        await fine.say(type="resume", job="a", after=heard[-1]["seq"])
        return heard, code, await fine.until("done")

    heard, code, rest = with_client(served, act)
    assert code == 4408
    assert 0 < len(heard) < n
    assert items(heard + rest) == list(range(n))


def test_fifty_clients_lose_and_double_nothing(served: Served) -> None:
    async def one(n: int) -> list[Frame]:
        async with greeted(served.port, served.token) as client:
            args = {"n": 20, "every_s": 0.02}
            await client.say(type="start", id=f"j{n}", task="ticks", args=args)
            return await client.until("done")

    async def all_of_them() -> list[list[Frame]]:
        return await asyncio.gather(*(one(n) for n in range(50)))

    for n, frames in enumerate(asyncio.run(all_of_them())):
        assert {frame["job"] for frame in frames} == {f"j{n}"}
        assert items(frames) == list(range(20))


def test_progress_that_is_overtaken_is_not_told() -> None:
    def told(label: str, done: int) -> JobEvent:
        return JobEvent("a", done, "progress", {"label": label, "done": done})

    item = JobEvent("a", 3, "item", {})
    events = [told("x", 1), told("x", 2), item, told("x", 4), told("y", 5), told("y", 6)]
    assert [event.seq for event in coalesced(events)] == [2, 3, 4, 6]
    assert coalesced([]) == []


# A server that is killed

CHILD = """
import sys
from pathlib import Path
from dragtor.serve.run import listen, web_server
from test_serve_socket import open_test_server, test_app
server = open_test_server(Path(sys.argv[1]))
sockets = listen(0)
def ready():
    print(sockets[0].getsockname()[1], flush=True)
web_server(test_app(server), ready).run(sockets)
"""


class Child:
    """A server in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self.port = 0

    def start(self) -> None:
        path = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
        command = [sys.executable, "-c", CHILD, str(self.folder)]
        environment = {**os.environ, "PYTHONPATH": path}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        if self.process is not None:
            assert self.process.stdout is not None
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()
            self.process = None


@pytest.fixture
def child(own_folders: Path) -> Iterator[Child]:
    made = Child(own_folders)
    made.start()
    yield made
    made.kill()


def test_a_killed_server_keeps_what_was_heard_and_the_job_can_go_on(
    child: Child, own_folders: Path
) -> None:
    token = Keys(own_folders / KEYS_FILE).owner

    async def first() -> list[Frame]:
        async with greeted(child.port, token) as client:
            await client.say(type="start", id="a", task="ticks", args={"n": 40, "every_s": 0.01})
            frames: list[Frame] = []
            while len(items(frames)) < 10:
                frames.append(await client.hear())
            child.kill()
            return frames

    heard = asyncio.run(first())
    child.start()
    after = heard[-1]["seq"]

    async def second() -> list[Frame]:
        async with greeted(child.port, token) as client:
            await client.say(type="resume", job="a", after=after)
            return await client.until("error")

    heard += asyncio.run(second())
    numbers = [frame["seq"] for frame in heard]
    assert numbers == sorted(set(numbers))
    assert items(heard) == list(range(len(items(heard))))
    assert heard[-1]["data"]["code"] == "interrupted"
    child.kill()
    with serving_jobs(own_folders) as served:
        assert served.server is not None
        assert [row.state for row in served.server.jobs.rows()] == ["interrupted"]
        assert served.token == token
        served.server.jobs.resume("a")

        async def third(client: Client) -> list[Frame]:
            await client.say(type="resume", job="a", after=heard[-1]["seq"])
            return await client.until("done")

        frames = with_client(served, third)
        assert frames[0]["seq"] == heard[-1]["seq"] + 1
        assert items(frames) == list(range(40))


def test_the_end_of_the_server_ends_no_thread_of_a_test() -> None:
    assert [t.name for t in threading.enumerate() if t.name.startswith("job ")] == []
