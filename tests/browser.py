"""A real server in a process of its own, and a real browser in front of it.

What is not installed here skips a test and says so: Chromium, Playwright, weights.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

FLAGS = ("--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking")
AXE = ROOT / "tests" / "data" / "axe" / "axe.min.js"
AXE_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
READY_S = 60.0  # for a server to print its line, on a busy machine
PATIENCE_MS = 60_000  # for what a model does, on a busy machine
SMALL_LLM = "smollm2-135m"


def chromium() -> str:
    """The browser's path; skips where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip("Chromium is not installed here: apt-get install chromium")
    return found


def needs_model(*names: str) -> None:
    """Skip where the weights of one of these are not on this disk."""
    from dragtor.config import load_config, models_path

    folder = models_path(load_config(ROOT / "config" / "params.yml").models)
    for name in names:
        if not (folder / name).is_dir():
            pytest.skip(f"the model {name} is not here: dragtor models pull {name}")


class Served:
    """`dragtor serve` on a library; the port is chosen at its first start, and kept."""

    def __init__(self, library: Path, **settings: str) -> None:
        self.library = library
        self.port = 0
        self.url = self.token = ""
        self.log = library.parent / f"{library.name}.log"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("DRAGTOR_")
        }
        if models := os.environ.get("DRAGTOR_MODELS_PATH"):
            self.environment["DRAGTOR_MODELS_PATH"] = models
        self.environment |= {
            "DRAGTOR_CONFIG": str(ROOT / "config" / "params.yml"),
            "XDG_CACHE_HOME": str(library.parent / "cache"),
            "TZ": "Europe/Berlin",
        } | settings
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> Served:
        """Start it, and wait until it says that it is ready."""
        command = [sys.executable, "-m", "dragtor", "--library", str(self.library), "serve",
                   "--port", str(self.port), "--no-browser", "--json"]  # fmt: skip
        with self.log.open("a") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self._process = process
        assert process.stdout is not None
        hanging = threading.Timer(READY_S, process.kill)
        hanging.start()
        line = process.stdout.readline()
        hanging.cancel()
        assert line, f"the server ended: {self.log.read_text()}"
        said = json.loads(line)
        self.url, self.token = said["url"].split("#")[0].rstrip("/"), said["token"]
        self.port = int(self.url.rpartition(":")[2])
        return self

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End it, kindly or not; it can be started again."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdout is not None
        process.send_signal(how)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def kill(self) -> None:
        """As a crash or the lack of memory does."""
        self.end(signal.SIGKILL)

    def address(self, page: str) -> str:
        """Of a page, as the server prints it: with the token."""
        return f"{self.url}/#token={self.token}"


@dataclass
class Visit:
    """A browser's tab on a server; keeps what the page complains of and where it asks."""

    page: Any
    served: Served
    errors: list[str] = field(default_factory=list)
    hosts: Counter[str] = field(default_factory=Counter)

    def open(self, name: str) -> Any:
        """Go to a page by its name, with the token where the tab has none yet."""
        if not self.page.url.startswith(self.served.url):
            self.page.goto(self.served.address(name))
            self.page.locator(".state.open").wait_for(state="attached")
        self.page.goto(f"{self.served.url}/#/{name.lower()}")
        self.page.locator(f".nav[aria-current=page][href$={name.lower()}]").wait_for()
        self.page.locator("h1").first.wait_for(state="attached")
        return self.page

    def check(self) -> None:
        """Nothing was complained of, and no other host was asked."""
        assert self.errors == []
        assert set(self.hosts) <= {self.served.url.removeprefix("http://")}


@contextmanager
def serving_copy(library: Path, folder: Path, **settings: str) -> Iterator[Served]:
    """A server that runs on a copy of a library in `folder`, and ends with the block."""
    shutil.copytree(library, folder)
    server = Served(folder, **settings).start()
    try:
        yield server
    finally:
        server.end()


@contextmanager
def visiting(browser: Any, served: Served, **options: Any) -> Iterator[Visit]:
    """A fresh tab, without memory of others; options are those of a Playwright context."""
    context = browser.new_context(
        **{"viewport": {"width": 1280, "height": 900}, "timezone_id": "Europe/Berlin",
           "locale": "en-GB", "reduced_motion": "reduce"} | options
    )  # fmt: skip
    context.set_default_timeout(PATIENCE_MS)
    visit = Visit(context.new_page(), served)
    page = visit.page
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on("console", lambda said: said.type == "error" and visit.errors.append(said.text))
    context.on("request", lambda request: visit.hosts.update(_host(request.url)))
    page.on("websocket", lambda socket: visit.hosts.update(_host(socket.url)))
    try:
        yield visit
    finally:
        context.close()


def _host(url: str) -> list[str]:
    scheme, _, rest = url.partition("://")
    return [rest.split("/")[0]] if scheme in ("http", "https", "ws", "wss") else []


def violations(page: Any) -> list[str]:
    """What axe-core finds wrong with the page as it stands, a line each."""
    page.evaluate(AXE.read_text("utf-8"))
    run = "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})"
    found = page.evaluate(run, list(AXE_RULES))["violations"]
    return [
        f"{each['id']}: {each['help']}: {node['target']}: {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]
