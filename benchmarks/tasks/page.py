"""The page as a browser has it: when what is drawn; the server's start, how soon a cancel is heard.

A real server, Debian's Chromium, loopback.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serve import QUESTIONS, ROOT, SAMPLE, Figures, percentile

FLAGS = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"]
PAGES = ("ask", "library", "plan", "lab", "people")
# Told by the browser of a page: its largest paint, its shifts, and of each long task what is over
# 50 ms (web.dev: Total Blocking Time).
VITALS = """
window.seen = {lcp: 0, cls: 0, blocking: 0};
const each = (type, add) => new PerformanceObserver((list) => list.getEntries().forEach(add))
  .observe({type, buffered: true});
each("largest-contentful-paint", (e) => { seen.lcp = e.startTime; });
each("layout-shift", (e) => { if (!e.hadRecentInput) seen.cls += e.value; });
each("longtask", (e) => { seen.blocking += Math.max(0, e.duration - 50); });
"""
# From Enter in the field to the frame after the one that has the first quote.
PAINTED = """
window.painted = null;
addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  const begun = performance.now();
  painted = null;
  const seen = new MutationObserver(() => {
    if (!document.querySelector(".quote, .refusal")) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => { painted = performance.now() - begun; }));
  });
  seen.observe(document, {childList: true, subtree: true});
}, true);
"""


@contextmanager
def served(folder: Path, **settings: str) -> Iterator[dict[str, Any]]:
    """`dragtor serve` on a library, as another program starts it: {url, token, pid, begun}."""
    command = [sys.executable, "-m", "dragtor", "--library", str(folder), "serve", "--port", "0"]
    begun = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--no-browser", "--json"],
        cwd=ROOT,
        env=os.environ | settings,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        yield told | {"url": told["url"].split("#")[0].rstrip("/"), "begun": begun}
    finally:
        process.terminate()
        process.wait()


@contextmanager
def sample_library() -> Iterator[Path]:
    """A library of the sample's documents, that goes again."""
    from dragtor import Library

    with tempfile.TemporaryDirectory() as place:
        with Library(place) as library:
            library.add(SAMPLE)
        yield Path(place)


@contextmanager
def tab(
    url: str, token: str, script: str, answered: Callable[[Any], None] = lambda response: None
) -> Iterator[Any]:
    """A fresh tab of a fresh browser on the page, with a script that runs before the page's own.

    `answered` is told of every response.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page()
        page.on("response", answered)
        page.add_init_script(script)
        page.goto(f"{url}/#token={token}")
        page.locator(".state.open").wait_for(state="attached")
        yield page
        browser.close()


def start(n: int = 10) -> Figures:
    """From the start of `dragtor serve` to its first answer of `/`."""
    took = []
    with sample_library() as folder:
        for _ in range(n):
            with served(folder) as server:
                with urllib.request.urlopen(server["url"], timeout=10) as reply:
                    reply.read()
                took.append(time.perf_counter() - server["begun"])
    return {"p50_s": round(percentile(took, 0.5), 2), "p95_s": round(percentile(took, 0.95), 2)}


def vitals(n: int = 10) -> Figures:
    """LCP, CLS and blocking time of the first view; what all pages weigh on their way."""
    seen, sizes, hosts = [], {}, set()

    def answered(response: Any) -> None:
        hosts.add(response.url.split("/")[2])
        if response.url.endswith((".js", ".css")) and response.status == 200:
            sizes[response.url] = response.request.sizes()["responseBodySize"]

    with sample_library() as folder, served(folder) as server:
        for _ in range(n):
            with tab(server["url"], server["token"], VITALS, answered) as page:
                page.locator("#question").wait_for()
                page.wait_for_timeout(1000)
                seen.append(page.evaluate("() => window.seen"))
                for name in PAGES if len(seen) == 1 else ():
                    page.goto(f"{server['url']}/#/{name}")
                    page.locator("h1").first.wait_for(state="attached")
                    page.wait_for_timeout(200)
    worst = {name: max(each[name] for each in seen) for name in ("lcp", "cls", "blocking")}
    return {
        "lcp_ms": round(worst["lcp"]),
        "lcp_p50_ms": round(percentile([each["lcp"] for each in seen], 0.5)),
        "cls": round(worst["cls"], 4),
        "blocking_ms": round(worst["blocking"]),
        "packed_bytes": sum(sizes.values()),
        "files": len(sizes),
        "other_hosts": len(hosts - {server["url"].removeprefix("http://")}),
    }


def first_quote(n: int = 100) -> Figures:
    """From Enter to the first quote painted, over what the library itself took for the same."""
    library_s: list[float] = []

    def heard(frame: str | bytes) -> None:
        told = json.loads(frame)
        if told.get("type") == "done" and "timings" in told["data"]["result"]:
            library_s.append(told["data"]["result"]["timings"]["first_quote_s"])

    painted_ms = []
    with (
        sample_library() as folder,
        served(folder) as server,
        tab(server["url"], server["token"], PAINTED) as page,
    ):
        page.on("websocket", lambda socket: socket.on("framereceived", heard))
        page.reload()
        page.get_by_role("button", name="Quotes only").click()
        for number in range(n + 8):  # the first open the models
            painted_ms.append(_asked(page, QUESTIONS[number % len(QUESTIONS)]))
            while len(library_s) < len(painted_ms):
                page.wait_for_timeout(5)
    over = [ms - 1000 * s for ms, s in zip(painted_ms[8:], library_s[8:], strict=True)]
    return {
        "painted_p50_ms": round(percentile(painted_ms[8:], 0.5), 1),
        "library_p50_ms": round(1000 * percentile(library_s[8:], 0.5), 1),
        "over_p50_ms": round(percentile(over, 0.5), 1),
        "over_p95_ms": round(percentile(over, 0.95), 1),
    }


def _asked(page: Any, question: str) -> float:
    """Milliseconds from Enter to the first quote; the conversation begins anew before it."""
    if page.locator(".turn").count():
        page.get_by_role("button", name="Begin anew").click()
    page.locator("#question").fill(question)
    page.locator("#question").press("Enter")
    while (found := page.evaluate("() => window.painted")) is None:
        page.wait_for_timeout(20)
    page.locator('.turn[aria-busy="false"]').wait_for()
    return float(found)


def cancel(n: int = 20, model: str = "smollm2-135m") -> Figures:
    """From `cancel` to the last word of an answer that is being written, at random places of it."""
    from websockets.asyncio.client import connect

    draw = random.Random(7)

    async def one(server: dict[str, Any], number: int) -> float | None:
        url = server["url"].replace("http", "ws") + "/api/v1/ws"
        async with connect(url, subprotocols=["dragtor.v1"], proxy=None, compression=None) as ws:  # type: ignore[list-item]
            hello = {"type": "hello", "v": 1, "token": server["token"]}
            args = {"question": QUESTIONS[number % len(QUESTIONS)], "keep": False}
            job = {"type": "start", "id": f"c{number}", "task": "ask", "args": args}
            await ws.send(json.dumps(hello))
            await ws.send(json.dumps(job))
            last, begun, wait_s = "", 0.0, draw.uniform(0, 1.5)
            while last not in ("done", "error", "cancelled"):
                last = json.loads(await ws.recv())["type"]
                if last == "quotes":
                    await asyncio.sleep(wait_s)
                    begun = time.perf_counter()
                    await ws.send(json.dumps({"type": "cancel", "job": f"c{number}"}))
            return time.perf_counter() - begun if last == "cancelled" else None

    with sample_library() as folder, served(folder, DRAGTOR_LLM_MODEL=model) as server:
        asyncio.run(one(server, n))  # opens the models
        took = [asyncio.run(one(server, number)) for number in range(n)]
    silent = [seconds for seconds in took if seconds is not None]
    return {
        "cancelled": len(silent),
        "p50_ms": round(1000 * percentile(silent, 0.5), 1),
        "max_ms": round(1000 * max(silent), 1),
    }
