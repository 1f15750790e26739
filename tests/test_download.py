"""Large files over HTTP, against a real server on loopback that cuts, lies and changes its mind."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from fakes import Notes
from test_http import Answer, Server, say, to

from dragtor.config import WebConfig
from dragtor.errors import BlockedURL, LibraryError, LoadError
from dragtor.load.download import download, forget_download
from dragtor.load.http import Fetcher

OPEN = WebConfig(allow_private=True, retries=0, timeout_s=5, requests_per_minute=100_000, max_mb=1)
SOUND = bytes(range(256)) * 12_000  # 3 MB, more than a page may have
TAG = '"v1"'


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


class Episode:
    """Serves a file with ranges; `cut_at` ends the next responses early, one each."""

    def __init__(self, body: bytes = SOUND, **headers: str) -> None:
        self.body = body
        self.headers = {"ETag": TAG, "Content-Type": "audio/mpeg", **headers}
        self.cut_at: list[int] = []
        self.asked: list[dict[str, str]] = []
        self.sent = 0

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        asked = {name.lower(): value for name, value in handler.headers.items()}
        self.asked.append(asked)
        tag = self.headers.get("ETag", "")
        if tag and asked.get("if-none-match") == tag:
            handler.send_response(304)
            handler.end_headers()
            return
        start = 0
        if "range" in asked and asked.get("if-range") == tag:
            start = int(asked["range"].removeprefix("bytes=").rstrip("-"))
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(self.body) - start))
        if start:
            whole = len(self.body)
            handler.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        for name, value in self.headers.items():
            if value:
                handler.send_header(name, value)
        handler.end_headers()
        end = self.cut_at.pop(0) if self.cut_at else len(self.body)
        handler.wfile.write(self.body[start:end])
        self.sent += end - start


def fetcher(**settings: Any) -> Fetcher:
    return Fetcher(replace(OPEN, **settings), sleep=lambda seconds: None)


def test_a_file_is_fetched_once_under_a_name_made_of_its_address(
    server: Server, tmp_path: Path
) -> None:
    episode = server.routes["/a/ep.MP3?k=1"] = Episode()
    told = Notes()
    url = f"{server.url}/a/ep.MP3?k=1"
    path = download(fetcher(), url, tmp_path / "sound", label="x", reporter=told)
    assert path.read_bytes() == SOUND
    assert path.suffix == ".mp3"
    (_, _, total), (label, *last) = told.states[0], told.states[-1]
    assert (label, total, *last) == ("x", *[len(SOUND)] * 3)
    assert download(fetcher(), url, tmp_path / "sound") == path
    assert len(episode.asked) == 1
    assert episode.asked[0]["accept-encoding"] == "identity"


def test_a_refresh_asks_whether_it_changed(server: Server, tmp_path: Path) -> None:
    episode = server.routes["/ep"] = Episode()
    url = f"{server.url}/ep"
    path = download(fetcher(), url, tmp_path)
    assert download(fetcher(), url, tmp_path, refresh=True).read_bytes() == SOUND
    assert episode.asked[1]["if-none-match"] == TAG
    assert episode.sent == len(SOUND)
    episode.body, episode.headers["ETag"] = b"new sound", '"v2"'
    assert download(fetcher(), url, tmp_path, refresh=True) == path
    assert path.read_bytes() == b"new sound"


def test_a_cut_is_completed_in_the_next_try_and_in_the_next_run(
    server: Server, tmp_path: Path
) -> None:
    episode = server.routes["/ep"] = Episode()
    episode.cut_at = [1_000_000, 1_500_000, 2_000_000]
    with pytest.raises(LoadError, match="cut off"):
        download(fetcher(retries=1), f"{server.url}/ep", tmp_path)
    path = download(fetcher(retries=1), f"{server.url}/ep", tmp_path)
    assert path.read_bytes() == SOUND
    assert [asked.get("range") for asked in episode.asked] == [
        None, "bytes=1000000-", "bytes=1500000-", "bytes=2000000-",
    ]  # fmt: skip
    assert {asked.get("if-range") for asked in episode.asked[1:]} == {TAG}
    assert episode.sent == len(SOUND)  # not a byte twice
    assert sorted(file.suffix for file in tmp_path.iterdir()) == ["", ".json"]
    forget_download(f"{server.url}/ep", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_changed_meanwhile_is_begun_anew(server: Server, tmp_path: Path) -> None:
    episode = server.routes["/ep"] = Episode()
    episode.cut_at = [1_000_000]
    with pytest.raises(LoadError):
        download(fetcher(), f"{server.url}/ep", tmp_path)
    episode.body, episode.headers["ETag"] = SOUND[::-1], '"v2"'
    assert download(fetcher(), f"{server.url}/ep", tmp_path).read_bytes() == SOUND[::-1]


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_without_a_strong_mark_a_part_is_not_trusted(
    server: Server, tmp_path: Path, tag: str
) -> None:
    episode = server.routes["/ep"] = Episode(ETag=tag)
    episode.cut_at = [1_000_000]
    with pytest.raises(LoadError):
        download(fetcher(), f"{server.url}/ep", tmp_path)
    assert download(fetcher(), f"{server.url}/ep", tmp_path).read_bytes() == SOUND
    assert "range" not in episode.asked[1]


def test_a_part_that_is_whole_or_too_long_is_settled(server: Server, tmp_path: Path) -> None:
    episode = server.routes["/ep"] = Episode()
    url = f"{server.url}/ep"
    path = download(fetcher(), url, tmp_path)
    part = path.rename(path.with_name(f"{path.name}.part"))  # killed before the last step
    assert download(fetcher(), url, tmp_path).read_bytes() == SOUND
    assert len(episode.asked) == 1
    path.rename(part)
    with part.open("ab") as file:
        file.write(b"more")
    whole = episode.__call__

    def too_far(handler: BaseHTTPRequestHandler) -> None:
        say(b"", 416)(handler) if "Range" in handler.headers else whole(handler)

    server.routes["/ep"] = too_far
    assert download(fetcher(), url, tmp_path).read_bytes() == SOUND


def other_range(handler: BaseHTTPRequestHandler) -> None:
    say(b"x" * 10, 206, Content_Range="bytes 5-14/15", ETag=TAG)(handler)


def endless(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while True:
        handler.wfile.write(b"x" * 65536)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (say(b"<html>gone", Content_Type="text/html"), r"not a recording \(text/html\)"),
        (say(b"", Content_Type="audio/mpeg"), "is empty"),
        (say(b"x", 404), "404 Not Found"),
        (say(b"x", 403), "403 Forbidden"),
        (say(b"x", Content_Encoding="gzip"), "sent as gzip"),
        (say(b"x", Content_Length="5000000"), "larger than 4 MB"),
        (say(b"x", Content_Length="3000000"), "cut off"),
        (say(b"x", 304), "304 Not Modified"),
        (endless, "larger than 4 MB"),
        (other_range, "another part came"),
    ],
)
def test_what_is_no_whole_recording_is_one_line(
    server: Server, tmp_path: Path, answer: Answer, words: str
) -> None:
    server.routes["/ep"] = answer
    with pytest.raises(LoadError, match=words) as caught:
        download(fetcher(), f"{server.url}/ep", tmp_path, types=("audio/",), max_mb=4)
    assert "\n" not in str(caught.value)
    assert [file for file in tmp_path.iterdir() if file.suffix not in (".part", ".json")] == []


def chain(server: Server, length: int, end: str = "/ep") -> str:
    """Trackers that lead one to the next."""
    for number in range(length):
        target = f"/hop{number + 1}" if number + 1 < length else end
        server.routes[f"/hop{number}"] = say(b"", 302, Location=target)
    return f"{server.url}/hop0"


def test_six_redirects_work_and_a_cut_resumes_through_them(server: Server, tmp_path: Path) -> None:
    episode = server.routes["/ep"] = Episode()
    episode.cut_at = [1_000_000]
    url = chain(server, 6)
    with pytest.raises(LoadError):
        download(fetcher(), url, tmp_path)
    assert download(fetcher(), url, tmp_path).read_bytes() == SOUND
    assert episode.asked[1]["range"] == "bytes=1000000-"
    assert server.asked.count("/hop5") == 2


def test_twenty_redirects_are_one_line(server: Server, tmp_path: Path) -> None:
    server.routes["/ep"] = Episode()
    with pytest.raises(LoadError, match="more than 10 redirects"):
        download(fetcher(), chain(server, 20), tmp_path)
    assert "/ep" not in server.asked


def test_private_addresses_are_refused(server: Server, tmp_path: Path) -> None:
    server.routes["/ep"] = Episode()
    with pytest.raises(BlockedURL, match="private address"):
        download(fetcher(allow_private=False), f"{server.url}/ep", tmp_path)
    named = Fetcher(replace(OPEN, allow_private=False), resolve=to("127.0.0.1"))
    with pytest.raises(BlockedURL, match="leads to a private address"):
        download(named, f"http://show.example:{server.port}/ep", tmp_path)
    assert server.asked == []


KILLED = """
import sys
from pathlib import Path
from dragtor.config import WebConfig
from dragtor.load.download import download
from dragtor.load.http import Fetcher
config = WebConfig(allow_private=True, retries=0)
download(Fetcher(config), sys.argv[1], Path(sys.argv[2]))
"""


def test_a_part_survives_kill_9(server: Server, tmp_path: Path) -> None:
    episode = Episode()
    halfway = threading.Event()

    def stops_halfway(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(SOUND)))
        handler.send_header("ETag", TAG)
        handler.end_headers()
        handler.wfile.write(SOUND[:2_000_000])
        halfway.set()
        server.done.wait(30)

    server.routes["/ep"] = stops_halfway
    run = subprocess.Popen([sys.executable, "-c", KILLED, f"{server.url}/ep", str(tmp_path)])
    assert halfway.wait(60)
    wait_for(lambda: any(f.stat().st_size > 1_000_000 for f in tmp_path.glob("*.part")))
    run.send_signal(signal.SIGKILL)
    run.wait()
    server.routes["/ep"] = episode
    assert download(fetcher(), f"{server.url}/ep", tmp_path).read_bytes() == SOUND
    start = int(episode.asked[0]["range"].removeprefix("bytes=").rstrip("-"))
    assert 1_000_000 < start <= 2_000_000


def wait_for(what: Callable[[], bool]) -> None:
    for _ in range(6_000):
        if what():
            return
        threading.Event().wait(0.01)
    raise AssertionError("it did not happen within a minute")


FULL = """
import resource, signal, sys
from pathlib import Path
from dragtor.config import WebConfig
from dragtor.errors import LibraryError
from dragtor.load.download import download
from dragtor.load.http import Fetcher
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    download(Fetcher(WebConfig(allow_private=True)), sys.argv[1], Path(sys.argv[2]))
except LibraryError as error:
    print(error, "|", error.hint)
"""


def test_a_disk_that_takes_no_more_is_one_line_and_frees_the_part(
    server: Server, tmp_path: Path
) -> None:
    episode = server.routes["/ep"] = Episode()
    command = [sys.executable, "-c", FULL, f"{server.url}/ep", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    (line,) = run.stdout.splitlines()
    assert line.startswith("cannot write the download of http://127.0.0.1")
    assert "File too large" in line
    assert f"make room in {tmp_path}" in line
    assert list(tmp_path.glob("*.part")) == []
    assert len(episode.asked) == 1  # a full disk is not tried again


def test_what_the_disk_cannot_hold_is_not_begun(server: Server, tmp_path: Path) -> None:
    server.routes["/ep"] = say(b"x", Content_Length=str(10**17))
    with pytest.raises(LoadError, match="are free") as caught:
        download(fetcher(), f"{server.url}/ep", tmp_path, max_mb=10**12)
    assert caught.value.hint == f"make room in {tmp_path}"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_one_line(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match="cannot write the download"):
        download(fetcher(), f"{server.url}/ep", tmp_path / "file" / "sound")
    assert server.asked == []
