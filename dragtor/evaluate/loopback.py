"""A web on this machine: sites out of a file, and the search providers that know them.

Plays pages, redirects, dead, slow, busy and large ones to whoever resolves names and dials by it.
The guard of all fetching stays in force: its names lead to public addresses, until dialled.
"""

from __future__ import annotations

import json
import math
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from dragtor.errors import LoadError
from dragtor.evaluate.common import rows_of
from dragtor.ground.stems import STOP_WORDS

ADDRESS = "93.184.215.14"  # public by its number; here it leads to the loopback server
SEARXNG = "searxng.test"  # plays a SearXNG over all sites
WIKI = "wiki.test"  # plays a Wikipedia of its own pages
KINDS = ("page", "redirect", "dead", "slow", "busy", "large")
SLOW_S = 60.0  # before a slow page says its second half; who waits gives up
LARGE_BYTES = 5_000_000
MOST_REDIRECTS = 10
TITLE_WEIGHT = 3
_TAG = re.compile(r"(?is)<(script|style|template)\b.*?</\1>|<!--.*?-->|<[^>]*>")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class SitePage:
    """A row of the file; `to` is where a redirect leads, `about` the id of whom it is about."""

    url: str
    kind: str
    to: str = ""
    title: str = ""
    html: str = ""
    about: str = ""
    injected: bool = False

    @cached_property
    def text(self) -> str:
        """What a reader sees of it, roughly."""
        return " ".join(_TAG.sub(" ", self.html).split())


def site_pages(path: Path) -> list[SitePage]:
    """The rows of a sites.jsonl; raises LoadError on what is none."""
    found = []
    for place, row in rows_of(path, "a page: url, kind, title, html"):
        given = {name: row[name] for name in SitePage.__dataclass_fields__ if row.get(name)}
        if not isinstance(row.get("url"), str) or row.get("kind") not in KINDS:
            raise LoadError(f"{place}: no url, or its kind is none of {', '.join(KINDS)}")
        found.append(SitePage(**given))
    return found


class LoopbackWeb:
    """The sites behind a real server; a context manager. `asked` holds every address, in order."""

    def __init__(self, pages: Iterable[SitePage], *, slow_s: float = SLOW_S) -> None:
        self.pages: Mapping[str, SitePage] = {page.url: page for page in pages}
        self.asked: list[str] = []
        self.slow_s = slow_s
        self.closing = threading.Event()
        self._hosts = {str(urlsplit(url).hostname) for url in self.pages} | {SEARXNG, WIKI}
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._port = self._http.server_port
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._index = _Index([page for page in self.pages.values() if page.title])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    # What a Fetcher is opened with

    def resolve(self, name: str, port: int) -> Sequence[str]:
        """One public address for every host of the sites, an error for others."""
        if name not in self._hosts:
            raise OSError(f"no such host: {name}")
        return [ADDRESS]

    def dial(self, place: tuple[str, int], seconds: float, options: Any) -> socket.socket:
        """To the loopback server, wherever the address of the sites was meant."""
        if place[0] != ADDRESS:
            raise ConnectionRefusedError(f"nobody is at {place[0]}")
        return socket.create_connection(("127.0.0.1", self._port), seconds)

    # What is known of it

    def settled(self, url: str) -> str:
        """Where an address ends after all redirects."""
        for _ in range(MOST_REDIRECTS):
            page = self.pages.get(url)
            if page is None or not page.to:
                break
            url = page.to
        return url

    def results(self, query: str, n: int, host: str = "") -> list[SitePage]:
        """The best pages for a query; one that a short link leads to may be named by that."""
        links = {self.settled(p.url): p for p in self.pages.values() if p.to}
        found = [links.get(page.url, page) for page in self._index.best(query, host)]
        lost = [p for p in self.pages.values() if p.to and self.settled(p.url) not in self.pages]
        if found and lost and not host:  # engines list what leads nowhere, too
            found.insert(min(5, len(found)), lost[sum(map(ord, query)) % len(lost)])
        return found[:n]


@dataclass
class _Index:
    """BM25 over titles, addresses and texts."""

    pages: Sequence[SitePage]
    words: list[Counter[str]] = field(init=False)
    spread: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        self.words = [Counter(_folded(f"{p.text} {_named(p)}")) for p in self.pages]
        for counts, page in zip(self.words, self.pages, strict=True):
            for word in _folded(page.title):
                counts[word] += TITLE_WEIGHT
        self.spread = Counter(word for counts in self.words for word in counts)

    def best(self, query: str, host: str) -> list[SitePage]:
        n = len(self.pages)
        mean = sum(counts.total() for counts in self.words) / max(n, 1)
        scored = []
        for page, counts in zip(self.pages, self.words, strict=True):
            if page.to or (host and urlsplit(page.url).hostname != host):
                continue
            long = 0.3 + 0.9 * counts.total() / mean
            score = sum(
                math.log(1 + n / self.spread[word]) * counts[word] / (counts[word] + long)
                for word in dict.fromkeys(_folded(query))
                if counts[word] and word not in STOP_WORDS
            )
            scored.append((score, page.url, page))
        scored.sort(key=lambda row: (-row[0], row[1]))
        return [page for score, _, page in scored if score > 0]


def _folded(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _named(page: SitePage) -> str:
    return urlsplit(page.url).path.replace("-", " ") if page.kind == "dead" else ""


def _handler(web: LoopbackWeb) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            host = self.headers.get("Host", "").partition(":")[0]
            url = f"http://{host}{self.path}"
            web.asked.append(url)
            try:
                self._answer(host, url)
            except OSError:
                self.close_connection = True

        def _answer(self, host: str, url: str) -> None:
            parts = urlsplit(url)
            asked = parse_qs(parts.query)
            if host == SEARXNG and parts.path == "/search":
                self._say(_searxng(web, asked))
            elif host == WIKI and parts.path == "/w/api.php":
                self._say(_wikipedia(web, asked))
            elif parts.path == "/sitemap.xml":
                self._say(_sitemap(web, host), "application/xml")
            elif page := web.pages.get(url):
                self._page(page)
            else:
                self._say(b"gone", "text/plain", 404)

        def _page(self, page: SitePage) -> None:
            body = page.html.encode()
            match page.kind:
                case "redirect":
                    self._say(b"", "text/html", 302, Location=page.to)
                case "dead":
                    self._say(b"gone", "text/html", 404)
                case "busy":
                    self._say(b"later", "text/html", 429, Retry_After="1")
                case "large":
                    self._say(body + b"<!-- " + b"x" * LARGE_BYTES + b" -->", "text/html")
                case "slow":
                    self.send_response(200)
                    self.send_header("Content-Type", "text/html; charset=utf-8")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body[: len(body) // 2])
                    web.closing.wait(web.slow_s)
                    self.wfile.write(body[len(body) // 2 :])
                case _:
                    self._say(body, "text/html; charset=utf-8")

        def _say(
            self, body: bytes, kind: str = "application/json", status: int = 200, **more: str
        ) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            for name, value in more.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


def _first(asked: Mapping[str, list[str]], name: str, default: str = "") -> str:
    return asked.get(name, [default])[0]


def _searxng(web: LoopbackWeb, asked: Mapping[str, list[str]]) -> bytes:
    rows = [
        {"url": page.url, "title": page.title, "content": page.text[:200]}
        for page in web.results(_first(asked, "q"), 10)
    ]
    return json.dumps({"query": _first(asked, "q"), "results": rows}).encode()


def _wikipedia(web: LoopbackWeb, asked: Mapping[str, list[str]]) -> bytes:
    most = int(_first(asked, "gsrlimit", "10"))
    rows = [
        {"index": n, "title": page.title, "fullurl": page.url}
        for n, page in enumerate(web.results(_first(asked, "gsrsearch"), most, WIKI), 1)
    ]
    return json.dumps({"batchcomplete": True, "query": {"pages": rows}}).encode()


def _sitemap(web: LoopbackWeb, host: str) -> bytes:
    listed = (url for url in web.pages if urlsplit(url).hostname == host)
    places = "".join(f"<url><loc>{url}</loc></url>" for url in listed)
    return f"<urlset>{places}</urlset>".encode()
