"""The server of jobs under load: many clients, dropped connections, kills, and what a socket costs.

The server is a process of its own, with tasks that tell the time; clients are real ones, on
loopback. An event is wrong that is lost, doubled or out of order.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "assets" / "sample_library"
TOKEN_FILE = "serve.json"
QUESTIONS = ("When may I climb again after a pulley injury?", "How long should I rest a finger?",
             "What is a good warm up?", "How do I tape a pulley?")  # fmt: skip
Frame = dict[str, Any]
Figures = Frame


# The server, in a process of its own


def ticks(context: Any) -> Frame:
    """Tell the time `n` times, every `every_s` seconds."""
    due = time.monotonic()
    for tick in range(context.args["n"]):
        context.emit("item", {"tick": tick, "at": time.time()})
        due += context.args["every_s"]
        context.cancel.wait(max(0.0, due - time.monotonic()))
    return {}


def serve(folder: Path) -> None:
    """Until it is killed; prints the port."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware

    from dragtor import Library
    from dragtor.config import load_config
    from dragtor.serve.guard import Guarded, ServerGuard
    from dragtor.serve.jobs import JobLimits, Jobs
    from dragtor.serve.journal import JobJournal
    from dragtor.serve.keys import Keys
    from dragtor.serve.run import listen, web_server
    from dragtor.serve.socket import routes
    from dragtor.serve.state import Server, lent
    from dragtor.serve.tasks import JOB_TASKS, LANES

    config = load_config()
    models, guard = Library(folder, config=config), ServerGuard(Keys(folder / TOKEN_FILE))
    jobs = Jobs(
        JobJournal(folder / "jobs.db"),
        {**JOB_TASKS, "ticks": ticks},
        lambda reporter, cancel: lent(models, reporter, cancel),
        folder / "uploads",
        JobLimits(running=64, per_client=64, lanes=LANES),
    )
    for row in jobs.rows():
        if row.state == "interrupted":
            jobs.resume(row.id)
    server = Server(config, folder, guard, jobs, models, folder / "uploads")
    sockets = listen(0)
    app = Starlette(routes=routes(server), middleware=[Middleware(Guarded, guard=guard)])
    web_server(app, lambda: print(sockets[0].getsockname()[1], flush=True)).run(sockets)


class Child:
    """The server's process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()
        self.token = json.loads((folder / TOKEN_FILE).read_text())["token"]

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(self.folder)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def cpu_s(self) -> float:
        import psutil

        used = psutil.Process(self.process.pid).cpu_times()
        return float(used.user + used.system)

    def memory_mb(self) -> float:
        import psutil

        return float(psutil.Process(self.process.pid).memory_info().rss / 2**20)


@contextmanager
def child_of(folder: Path | None = None) -> Iterator[Child]:
    with tempfile.TemporaryDirectory() as place:
        child = Child(folder or Path(place))
        try:
            yield child
        finally:
            child.kill()


# Clients


@asynccontextmanager
async def greeted(child: Child) -> AsyncIterator[Any]:
    from websockets.asyncio.client import connect

    url = f"ws://127.0.0.1:{child.port}/api/v1/ws"
    async with connect(url, subprotocols=["dragtor.v1"], proxy=None, compression=None) as client:  # type: ignore[list-item]
        await client.send(json.dumps({"type": "hello", "v": 1, "token": child.token}))
        assert json.loads(await client.recv())["type"] == "welcome"
        yield client


def start(job: str, n: int, every_s: float) -> str:
    args = {"n": n, "every_s": every_s}
    return json.dumps({"type": "start", "id": job, "task": "ticks", "args": args})


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def wrong(frames: Sequence[Frame], n: int) -> int:
    """How many items are lost, doubled or out of order in what a client has heard of a job."""
    told = [frame["data"]["tick"] for frame in frames if frame["type"] == "item"]
    numbers = [frame["seq"] for frame in frames]
    doubled = len(numbers) - len(set(numbers))
    disordered = sum(one > two for one, two in pairwise(numbers))
    return doubled + disordered + len(set(range(n)) - set(told))


def clients(n: int = 50, items: int = 100, per_second: float = 50) -> Frame:
    """`n` clients, each with a job that tells so many items: from told to heard."""

    async def one(child: Child, job: str) -> tuple[list[Frame], list[float]]:
        frames, late = [], []
        async with greeted(child) as client:
            await client.send(start(job, items, 1 / per_second))
            while not frames or frames[-1]["type"] != "done":
                frames.append(json.loads(await client.recv()))
                if frames[-1]["type"] == "item":
                    late.append(time.time() - frames[-1]["data"]["at"])
        return frames, late

    async def all_of_them(child: Child, prefix: str, count: int) -> list[Any]:
        return await asyncio.gather(*(one(child, f"{prefix}{n}") for n in range(count)))

    with child_of() as child:
        asyncio.run(all_of_them(child, "warm", 1))
        before_mb, before_s = child.memory_mb(), child.cpu_s()
        results = asyncio.run(all_of_them(child, "j", n))
        more_mb, cpu_s = child.memory_mb() - before_mb, child.cpu_s() - before_s
    late = [seconds for _, own in results for seconds in own]
    return {
        "clients": n,
        "items": len(late),
        "p50_ms": round(1000 * percentile(late, 0.5), 1),
        "p95_ms": round(1000 * percentile(late, 0.95), 1),
        "max_ms": round(1000 * max(late), 1),
        "more_mb": round(more_mb, 1),
        "server_cpu_s": round(cpu_s, 2),
        "wrong": sum(wrong(frames, items) for frames, _ in results),
    }


# What goes


async def heard(
    child: Child, job: str, n: int, drops: Callable[[], bool]
) -> tuple[list[Frame], int]:
    """All of a job, through connections that go wherever `drops` says; how many did."""
    frames: list[Frame] = []
    gone = 0
    while not frames or frames[-1]["type"] != "done":
        try:
            async with greeted(child) as client:
                after = frames[-1]["seq"] if frames else 0
                ask = {"type": "resume", "job": job, "after": after}
                await client.send(json.dumps(ask) if frames else start(job, n, 0.002))
                while not frames or frames[-1]["type"] != "done":
                    if drops():
                        gone += 1
                        client.transport.abort()
                        break
                    frames.append(json.loads(await client.recv()))
                    if frames[-1]["type"] == "error":  # it was killed, and has begun again
                        frames.pop()
                        break
        except OSError:
            await asyncio.sleep(0.05)
    return frames, gone


def drops(n: int = 1000, jobs: int = 10, items: int = 400) -> Frame:
    """Connections dropped at random places until there were `n`, over several jobs at once."""
    draw = random.Random(7)
    begun = time.monotonic()

    async def round_of(child: Child, number: int) -> list[tuple[list[Frame], int]]:
        share = 0.25
        return await asyncio.gather(
            *(
                heard(child, f"r{number}j{job}", items, lambda: draw.random() < share)
                for job in range(jobs)
            )
        )

    dropped = bad = rounds = 0
    with child_of() as child:
        while dropped < n:
            for frames, gone in asyncio.run(round_of(child, rounds)):
                dropped, bad = dropped + gone, bad + wrong(frames, items)
            rounds += 1
    took = time.monotonic() - begun
    return {"dropped": dropped, "jobs": rounds * jobs, "wrong": bad, "seconds": round(took, 1)}


def kills(n: int = 20, items: int = 60) -> Frame:
    """The server killed in mid-job, `n` times: what was heard stays, and the job goes on after."""
    from websockets.exceptions import ConnectionClosed

    draw = random.Random(7)
    bad = resumed = 0

    async def until_killed(child: Child, job: str, frames: list[Frame], place: int) -> None:
        async with greeted(child) as client:
            await client.send(start(job, items, 0.005))
            while len(frames) < place:
                frames.append(json.loads(await client.recv()))
            child.kill()
            try:
                while True:
                    frames.append(json.loads(await client.recv()))
            except ConnectionClosed:
                pass

    async def to_the_end(child: Child, job: str, frames: list[Frame]) -> None:
        async with greeted(child) as client:
            ask = {"type": "resume", "job": job, "after": frames[-1]["seq"]}
            await client.send(json.dumps(ask))
            while frames[-1]["type"] != "done":
                frames.append(json.loads(await client.recv()))

    with child_of() as child:
        for kill in range(n):
            frames: list[Frame] = []
            job = f"k{kill}"
            asyncio.run(until_killed(child, job, frames, draw.randrange(2, items // 2)))
            child.start()  # which runs again what was interrupted
            asyncio.run(to_the_end(child, job, frames))
            numbers = [frame["seq"] for frame in frames]
            bad += numbers != list(range(1, len(numbers) + 1))
            last = [frame["data"]["tick"] for frame in frames if frame["type"] == "item"][-items:]
            resumed += last == list(range(items))
    return {"kills": n, "resumed": resumed, "wrong": bad}


# What a socket costs


def first_quote(n: int = 100) -> Frame:
    """From a question to its quotes, through the socket and by a call of a warm library."""
    from dragtor import Library
    from dragtor.answer import Quotes

    def called(library: Library, question: str) -> float:
        begun = time.perf_counter()
        for event in library.ask_events(question, quotes_only=True):
            if isinstance(event, Quotes):
                return time.perf_counter() - begun
        return time.perf_counter() - begun

    async def asked(client: Any, job: str, question: str) -> float:
        begun = time.perf_counter()
        args = {"question": question, "quotes": True, "keep": False}
        await client.send(json.dumps({"type": "start", "id": job, "task": "ask", "args": args}))
        took = 0.0
        while (kind := json.loads(await client.recv())["type"]) not in ("done", "error"):
            if kind == "quotes":
                took = time.perf_counter() - begun
        return took or time.perf_counter() - begun

    async def both(child: Child, library: Library) -> tuple[list[float], list[float]]:
        there, here = [], []
        async with greeted(child) as client:
            for number in range(n + 8):  # the first open the models
                question = QUESTIONS[number % len(QUESTIONS)]
                there.append(await asked(client, f"q{number}", question))
                here.append(called(library, question))
        return there[8:], here[8:]

    with tempfile.TemporaryDirectory() as place, Library(place) as library:
        library.add(SAMPLE)
        with child_of(Path(place)) as child:
            there, here = asyncio.run(both(child, library))
    over = [one - two for one, two in zip(there, here, strict=True)]
    return {
        "socket_p95_ms": round(1000 * percentile(there, 0.95), 1),
        "call_p95_ms": round(1000 * percentile(here, 0.95), 1),
        "over_p50_ms": round(1000 * percentile(over, 0.5), 1),
        "over_p95_ms": round(1000 * percentile(over, 0.95), 1),
    }


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
