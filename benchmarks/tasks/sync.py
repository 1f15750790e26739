"""`dragtor sync` of unchanged feeds on a loopback server: requests, downloads, seconds.

Each feed is a podcast with a transcript and a sound file that must not be asked for again. The
whole program is timed, from its start.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FEED = """<rss version="2.0" xmlns:podcast="https://podcastindex.org/namespace/1.0"><channel>
<title>Show {n}</title><link>{at}/show{n}</link>
<item><title>Episode 1 of show {n}</title><guid>{n}-1</guid>
<pubDate>Fri, 20 Nov 2026 08:00:00 GMT</pubDate>
<enclosure url="{at}/sound{n}.mp3" type="audio/mpeg" length="1000"/>
<podcast:transcript url="{at}/words{n}.vtt" type="text/vtt"/></item></channel></rss>"""
WORDS = """WEBVTT

00:00:01.000 --> 00:00:05.000
<v Ann>How long does a pulley of kind {n} take to heal?

00:00:05.000 --> 00:00:09.000
<v Ben>About six weeks, if you load it early and gently.
"""


ASKED: list[tuple[str, bool, int]] = []  # path, whether conditional, status


class Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        n = "".join(filter(str.isdigit, self.path))
        at = f"http://127.0.0.1:{self.server.server_address[1]}"
        body = (FEED if self.path.endswith(".rss") else WORDS).format(n=n, at=at).encode()
        tag = f'"{n}"'
        known = self.headers.get("If-None-Match") == tag
        ASKED.append((self.path, "If-None-Match" in self.headers, 304 if known else 200))
        self.send_response(304 if known else 200)
        self.send_header("ETag", tag)
        kind = "application/rss+xml" if self.path.endswith(".rss") else "text/vtt"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", "0" if known else str(len(body)))
        self.end_headers()
        if not known:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def timed(*arguments: str, home: str) -> float:
    environment = os.environ | {"DRAGTOR_LOAD_WEB_ALLOW_PRIVATE": "true", "DRAGTOR_HOME": home}
    code = "from dragtor.cli import main; main()"
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment)
    return time.perf_counter() - begun


def run(feeds: int = 50) -> dict[str, float]:
    """Added once, then visited again."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_address[1]}"
    with tempfile.TemporaryDirectory() as folder:
        home = str(Path(folder) / "library")
        added_s = timed("add", *(f"{at}/{n}.rss" for n in range(feeds)), home=home)
        ASKED.clear()
        seconds = timed("sync", home=home)
    server.shutdown()
    conditional = sum(known for _, known, _ in ASKED)
    downloads = [path for path, _, status in ASKED if status == 200]
    return {
        "feeds": feeds,
        "requests": len(ASKED),
        "conditional": conditional,
        "downloads": len(downloads),
        "sync_s": round(seconds, 2),
        "add_s": round(added_s, 2),
        "asked_in_vain": len(ASKED) - conditional + len(downloads),
    }
