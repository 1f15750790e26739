"""Videos through the real yt-dlp: files, pages and lists on a loopback server, info dicts by hand.

Info dicts have the shape that yt-dlp's YouTube extractor gives; sites themselves are never asked.
"""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import wave
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from fakes import Notes
from loader_contract import check_loader
from test_http import Answer, Server, no_dns, say, to

from dragtor.config import VideoConfig, WebConfig
from dragtor.errors import BlockedURL, DragtorError, LibraryError, LoadError, UsageError
from dragtor.links import place
from dragtor.load.base import Choice, Item
from dragtor.load.video import VideoLoader, is_video
from dragtor.load.video_info import (
    address,
    canonical,
    choose_captions,
    choose_sound,
    describe,
    is_readable,
    newest_first,
    not_over,
    oldest_first,
    videos,
)
from dragtor.load.ytdlp import BROWSER, BUSY, COOKIES, LATER, NEWER, failure, failures, open_ytdlp
from dragtor.types import Chapter, Segment

OPEN = WebConfig(allow_private=True, retries=0, timeout_s=5, requests_per_minute=0)
ID = "dQw4w9WgXcQ"
WATCH = f"https://www.youtube.com/watch?v={ID}"
VTT = b"""WEBVTT

00:00:01.000 --> 00:00:03.000
The pulley heals

00:00:03.000 --> 00:00:05.000
in six weeks.
"""
PAGE = b"""<html><head><title>A talk on pulleys</title></head><body>
<video controls><source src="/talk.mp4" type="video/mp4">
<track kind="captions" src="/talk.vtt" srclang="en"></video></body></html>"""


def sound(seconds: float = 4.0) -> bytes:
    """A real recording of noise, as WAV."""
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(os.urandom(int(seconds * 32_000)))
    return held.getvalue()


SOUND = sound()


class Ranged:
    """Serves a file, from where it is asked; cuts the answers numbered in `cuts`."""

    def __init__(self, body: bytes, kind: str, cuts: tuple[int, ...] = ()) -> None:
        self.body, self.kind, self.cuts = body, kind, cuts
        self.ranges: list[str | None] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        asked = handler.headers.get("Range")
        start = int(asked.removeprefix("bytes=").partition("-")[0]) if asked else 0
        handler.send_response(206 if asked else 200)
        if asked:
            whole = len(self.body)
            handler.send_header("Content-Range", f"bytes {start}-{whole - 1}/{whole}")
        handler.send_header("Content-Type", self.kind)
        handler.send_header("Content-Length", str(len(self.body) - start))
        handler.end_headers()
        number = len(self.ranges)
        self.ranges.append(asked)
        end = start + 50_000 if number in self.cuts else len(self.body)
        handler.wfile.write(self.body[start:end])
        handler.close_connection = True


def moved(to_url: str) -> Answer:
    return say(b"", 302, Location=to_url)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server()
    monkeypatch.setattr(made.http, "handle_error", lambda *_: None)  # it prints
    yield made
    made.close()


class Watcher:
    """A VideoLoader with the notes it made and the progress it told."""

    def __init__(self, folder: Path, web: WebConfig = OPEN, **settings: Any) -> None:
        self.reporter = Notes()
        self.notes, self.told = self.reporter.notes, self.reporter.states
        self.folder = folder / "video"
        self.video = VideoLoader(
            VideoConfig(**settings),
            web,
            self.folder,
            reporter=self.reporter,
        )


@pytest.fixture
def watcher(tmp_path: Path) -> Watcher:
    return Watcher(tmp_path)


def is_line(error: DragtorError) -> bool:
    text = str(error)
    return (
        text.isprintable() and len(text) < 400 and "ERROR" not in text and "yt-dlp -U" not in text
    )


def test_contract(server: Server, watcher: Watcher, own_folders: Path) -> None:
    server.routes["/talk.wav"] = Ranged(SOUND, "audio/wav")
    others = ["notes.md", f"{server.url}/page", f"{server.url}/feed.xml"]
    check_loader(watcher.video, f"{server.url}/talk.wav", own_folders, others=others)


# Files and pages on a server


def test_a_media_file_is_sound_with_a_title_and_is_fetched_once(
    server: Server, watcher: Watcher, tmp_path: Path
) -> None:
    server.routes["/my%20talk.wav"] = Ranged(SOUND, "audio/wav")
    url = f"{server.url}/my%20talk.wav"
    assert watcher.video.discover(f"{url}#t=3") == [Item(url)]
    assert server.asked == []
    recording = watcher.video.read(url)
    assert recording.audio is not None
    assert recording.audio.read_bytes() == SOUND
    assert recording.audio.parent == watcher.folder
    assert recording.words == ()
    document = recording.document
    assert (document.uri, document.title, document.kind) == (url, "my talk", "audio")
    assert (document.text, document.published) == ("", "")
    assert document.meta["captions"] == "none"
    assert watcher.told[-1] == ("downloading my talk", len(SOUND), len(SOUND))

    asked = list(server.asked)
    again = Watcher(tmp_path).video
    assert again.read(url) == recording
    stamp = str(document.meta["stamp"])
    assert again.discover(url) == [Item(url, stamp)]
    assert again.discover(url, refresh=True) == [Item(url)]
    assert server.asked == asked
    assert again.read(url, refresh=True) == recording  # says the same, fetches no sound
    assert server.asked == [*asked, "/my%20talk.wav"]
    again.forget([url])
    assert again.content_hash(url) == ""
    assert [path.name for path in watcher.folder.iterdir() if path.is_file()] == []


def test_a_cut_download_goes_on_where_it_ended(server: Server, watcher: Watcher) -> None:
    served = Ranged(SOUND, "audio/wav", cuts=(1,))  # the first answer is only looked at
    server.routes["/talk.wav"] = served
    with pytest.raises(LoadError, match=r"^cut off: 50000 bytes came, 78044 are missing: ") as cut:
        watcher.video.read(f"{server.url}/talk.wav")
    assert cut.value.hint == "the part is kept; the next run goes on from there"
    (part,) = watcher.folder.glob("*.part")
    have = part.stat().st_size
    assert 0 < have <= 50_000
    recording = watcher.video.read(f"{server.url}/talk.wav")
    assert recording.audio is not None
    assert recording.audio.read_bytes() == SOUND
    assert served.ranges == [None, None, None, f"bytes={have}-"]
    assert list(watcher.folder.glob("*.part")) == []


def test_a_cut_is_mended_at_once_where_tries_are_left(server: Server, tmp_path: Path) -> None:
    served = Ranged(SOUND, "audio/wav", cuts=(1, 2))
    server.routes["/talk.wav"] = served
    recording = Watcher(tmp_path, replace(OPEN, retries=3)).video.read(f"{server.url}/talk.wav")
    assert recording.audio is not None
    assert recording.audio.read_bytes() == SOUND
    assert len(served.ranges) == 4


def test_a_page_with_a_player_gives_its_captions(server: Server, watcher: Watcher) -> None:
    server.routes["/page"] = say(PAGE, Content_Type="text/html")
    server.routes["/talk.vtt"] = say(VTT, Content_Type="text/vtt")
    recording = watcher.video.read(f"{server.url}/page")
    assert " ".join(word.text for word in recording.words) == "The pulley heals in six weeks."
    assert (recording.words[0].start_s, recording.words[-1].end_s) == (1.0, 5.0)
    assert (recording.audio, recording.language) == (None, "en")
    document = recording.document
    assert (document.uri, document.title) == (f"{server.url}/page", "A talk on pulleys")
    assert (document.kind, document.meta["captions"]) == ("video", "human")
    assert server.asked == ["/page", "/talk.vtt"]
    assert watcher.video.read(f"{server.url}/page") == recording
    assert len(server.asked) == 2


def test_captions_that_hold_nothing_are_left_out_and_the_sound_is_taken(
    server: Server, watcher: Watcher
) -> None:
    server.routes["/page"] = say(PAGE, Content_Type="text/html")
    server.routes["/talk.vtt"] = say(b"WEBVTT\n\n", Content_Type="text/vtt")
    server.routes["/talk.mp4"] = Ranged(SOUND, "video/mp4")
    recording = watcher.video.read(f"{server.url}/page")
    assert recording.words == ()
    assert recording.audio is not None
    assert recording.audio.read_bytes() == SOUND
    assert watcher.notes == ["captions (en) are left out: no timed words in the vtt captions"]


def test_a_list_gives_its_newest_first(server: Server, watcher: Watcher) -> None:
    days = ("Mon, 01 Jan 2024", "Wed, 03 Jan 2024", "Tue, 02 Jan 2024")
    rows = "".join(
        f"<item><title>Talk {number}</title><pubDate>{day} 10:00:00 GMT</pubDate>"
        f'<enclosure url="{server.url}/{number}.wav" type="audio/wav"/></item>'
        for number, day in enumerate(days)
    )
    feed = f'<?xml version="1.0"?><rss version="2.0"><channel><title>Talks</title>{rows}</channel>'
    server.routes["/talks"] = say(f"{feed}</rss>".encode(), Content_Type="application/rss+xml")
    server.routes["/1.wav"] = Ranged(SOUND, "audio/wav")
    items = watcher.video.discover(f"{server.url}/talks", Choice(latest=2))
    assert [item.uri for item in items] == [f"{server.url}/1.wav", f"{server.url}/2.wav"]
    assert watcher.notes == ["Talks: the newest 2 are taken; more with --latest N"]
    recording = watcher.video.read(items[0].uri)
    assert recording.document.meta["show"] == "Talks"
    known = watcher.video.discover(f"{server.url}/talks", Choice("Talk 1|/0.wav"), refresh=True)
    assert known == [
        Item(f"{server.url}/1.wav", str(recording.document.meta["stamp"]), "2024-01-03"),
        Item(f"{server.url}/0.wav", "", "2024-01-01"),
    ]
    since = f"2024-01-01 {server.url}/0.wav"
    for known in (since, "2024-01-01 https://gone.example/talk"):
        watcher.notes.clear()
        fresh = watcher.video.discover(f"{server.url}/talks", Choice(latest=1, since=known))
        assert [item.uri for item in fresh] == [item.uri for item in items]
        assert watcher.notes == []
    with pytest.raises(LoadError, match="no video is listed that can be read"):
        watcher.video.discover(f"{server.url}/talks", Choice("Talk 7"))
    with pytest.raises(UsageError, match="no regular expression"):
        watcher.video.discover(f"{server.url}/talks", Choice("("))


def test_a_page_with_several_players_lists_their_files(server: Server, watcher: Watcher) -> None:
    players = "".join(f'<audio src="/{n}.mp3"></audio>' for n in range(7))
    page = f"<html><title>All talks</title>{players}</html>".encode()
    server.routes["/page"] = say(page, Content_Type="text/html")
    items = watcher.video.discover(f"{server.url}/page")
    assert [item.uri for item in items] == [f"{server.url}/{n}.mp3" for n in range(5)]
    with pytest.raises(LoadError, match="a list of 7 videos, not one"):
        watcher.video.read(f"{server.url}/page")


def test_what_cannot_be_had_is_one_line(server: Server, watcher: Watcher) -> None:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        server.done.wait()

    def dropped(handler: BaseHTTPRequestHandler) -> None:
        handler.connection.shutdown(2)

    server.routes |= {
        "/404.mp3": say(status=404),
        "/403.mp3": say(status=403),
        "/429.mp3": say(status=429),
        "/slow.mp3": slow,
        "/dropped.mp3": dropped,
        "/page.mp3": say(b"<html><title>No recording</title></html>", Content_Type="text/html"),
        "/empty.mp3": say(b"", Content_Type="audio/mpeg"),
    }
    watcher.video = VideoLoader(
        VideoConfig(), replace(OPEN, timeout_s=0.5), watcher.folder, reporter=watcher.reporter
    )
    wanted = {
        "/404.mp3": ("HTTP Error 404: Not Found", ""),
        "/403.mp3": ("HTTP Error 403: Forbidden", COOKIES),
        "/429.mp3": ("HTTP Error 429: Too Many Requests", BUSY),
        "/slow.mp3": ("no answer in time", ""),
        "/dropped.mp3": ("the connection broke", ""),
        "/page.mp3": ("no video and no sound is found here", ""),
        "/empty.mp3": ("Did not get any data blocks", ""),
    }
    for path, (words, hint) in wanted.items():
        with pytest.raises(LoadError) as caught:
            watcher.video.read(server.url + path)
        assert str(caught.value) == f"{words}: {server.url}{path}"
        assert caught.value.hint == hint, path
    with pytest.raises(LoadError, match=r"^the connection was refused: "):
        watcher.video.read("http://127.0.0.1:9/talk.mp3")
    assert watcher.notes == []


def test_a_file_over_the_limit_is_refused_and_leaves_nothing(
    server: Server, tmp_path: Path
) -> None:
    server.routes["/talk.wav"] = Ranged(sound(40), "audio/wav")
    watcher = Watcher(tmp_path, max_mb=1)
    with pytest.raises(LoadError, match=r"^larger than 1 MB: ") as caught:
        watcher.video.read(f"{server.url}/talk.wav")
    assert caught.value.hint == "load.video.max_mb sets the limit"
    assert [path for path in watcher.folder.iterdir() if path.is_file()] == []


def test_a_folder_that_cannot_be_written_is_the_librarys_error(
    server: Server, watcher: Watcher
) -> None:
    server.routes["/talk.wav"] = Ranged(SOUND, "audio/wav")
    watcher.folder.write_text("in the way")
    with pytest.raises(LibraryError, match="File exists") as caught:
        watcher.video.read(f"{server.url}/talk.wav")
    assert is_line(caught.value)
    full = Exception(f"ERROR: unable to write data: [Errno {errno.ENOSPC}] No space left on device")
    assert isinstance(failure(full, WATCH), LibraryError)


def test_nothing_is_printed_and_nobodys_settings_or_cache_are_touched(
    server: Server,
    watcher: Watcher,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    home = tmp_path / "home"
    for folder in (home / ".config" / "yt-dlp", home / ".yt-dlp"):
        folder.mkdir(parents=True)
        (folder / "config").write_text("--proxy http://127.0.0.1:9\n--verbose\n--print title\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    before = sorted(home.rglob("*"))
    served = Ranged(SOUND, "audio/wav", cuts=(1,))
    server.routes["/talk.wav"] = served
    with pytest.raises(LoadError):
        watcher.video.read(f"{server.url}/talk.wav")
    watcher.video.read(f"{server.url}/talk.wav")
    with pytest.raises(LoadError):
        watcher.video.read(f"{server.url}/none.mp3")
    assert capfd.readouterr() == ("", "")
    assert sorted(home.rglob("*")) == before
    assert not (tmp_path / "cache").exists()


# Addresses that are not asked


@pytest.mark.parametrize(
    "url", ["{}/talk.mp3", "http://localhost:9/x.mp3", "http://169.254.169.254/a.mp4"]
)
def test_a_private_address_never_reaches_ytdlp(server: Server, tmp_path: Path, url: str) -> None:
    watcher = Watcher(tmp_path, replace(OPEN, allow_private=False))
    for ask in (watcher.video.discover, watcher.video.read):
        with pytest.raises(BlockedURL) as caught:
            ask(url.format(server.url))
        assert "load.web.allow_private" in caught.value.hint
    assert server.asked == []
    assert not watcher.folder.exists()


def test_a_name_that_leads_to_a_private_address_never_reaches_ytdlp(tmp_path: Path) -> None:
    web = replace(OPEN, allow_private=False)
    for resolve, words in ((to("10.0.0.7"), "a private address"), (to("::1"), "a private address")):
        video = VideoLoader(VideoConfig(), web, tmp_path / "v", resolve=resolve)
        with pytest.raises(BlockedURL, match=words):
            video.read("https://talks.example/talk.mp3")
    video = VideoLoader(VideoConfig(), web, tmp_path / "v", resolve=no_dns)
    with pytest.raises(BlockedURL, match="only http and https"):
        video.read("file:///etc/passwd.mp3")
    assert not (tmp_path / "v").exists()


def test_a_name_that_leads_elsewhere_after_its_check_is_not_followed(
    server: Server, tmp_path: Path
) -> None:
    """Every connection is made to an address that was checked, whatever the name says next."""
    server.routes["/talk.wav"] = Ranged(SOUND, "audio/wav")
    url = f"http://talks.example:{server.port}/talk.wav"
    answers = ["93.184.215.14"] * 2  # for the loader, and before yt-dlp's first request

    def rebound(name: str, port: int) -> list[str]:
        return [answers.pop() if answers else "127.0.0.1"]

    web = replace(OPEN, allow_private=False)
    video = VideoLoader(VideoConfig(), web, tmp_path / "v", resolve=rebound)
    with pytest.raises(BlockedURL, match=r"leads to a private address \(127\.0\.0\.1\)"):
        video.read(url)
    assert (answers, server.asked) == ([], [])
    video = VideoLoader(VideoConfig(), OPEN, tmp_path / "v", resolve=rebound)
    found = video.read(url).audio  # a name that this machine does not know
    assert found is not None
    assert found.read_bytes() == SOUND


def test_a_page_cannot_send_ytdlp_to_a_private_address(server: Server, tmp_path: Path) -> None:
    inside = f"http://localhost:{server.port}/secret.mp4"
    server.routes["/moved.mp4"] = moved(inside)
    server.routes["/player.mp4"] = say(
        f'<html><video src="{inside}"></video></html>'.encode(), Content_Type="text/html"
    )
    server.routes["/secret.mp4"] = Ranged(SOUND, "video/mp4")

    def check(url: str) -> None:
        if "localhost" in url:
            raise BlockedURL("inside")

    for path in ("/moved.mp4", "/player.mp4"):
        url = server.url + path
        folder = tmp_path / "folder"
        with (
            open_ytdlp(url, VideoConfig(), OPEN, folder, check, print) as ydl,
            pytest.raises(BlockedURL, match="inside"),
            failures(url),
        ):
            ydl.dl(str(folder), ydl.extract_info(url, download=False))
    assert not (tmp_path / "folder").is_file()
    assert server.asked == ["/moved.mp4", "/player.mp4"]


def test_a_redirect_to_a_private_address_is_not_followed_in_a_download(
    server: Server, tmp_path: Path
) -> None:
    inside = f"http://localhost:{server.port}/secret.mp4"
    server.routes |= {"/hop.mp4": moved("/next.mp4"), "/next.mp4": moved(inside)}

    def check(url: str) -> None:
        if "localhost" in url:
            raise BlockedURL("inside")

    url = f"{server.url}/hop.mp4"
    with (
        open_ytdlp(url, VideoConfig(), OPEN, tmp_path, check, print) as ydl,
        pytest.raises(BlockedURL, match="inside"),
        failures(url),
    ):
        ydl.dl(str(tmp_path / "sound"), {"url": url, "ext": "mp4"})
    assert server.asked == ["/hop.mp4", "/next.mp4"]


def playlist(part: str, *lines: str) -> Answer:
    """A stream in parts, as HLS."""
    head = ("#EXTM3U", "#EXT-X-TARGETDURATION:5", *lines, "#EXTINF:5,", part, "#EXT-X-ENDLIST", "")
    return say("\n".join(head).encode(), Content_Type="application/vnd.apple.mpegurl")


@pytest.fixture
def ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The note that an ffmpeg found on the path leaves where it is run on an address."""
    note, program = tmp_path / "was-run", tmp_path / "bin" / "ffmpeg"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *http*) echo "$*" >> {note};; esac\necho ffmpeg version 7.1\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    return note


def test_what_only_ffmpeg_could_fetch_is_one_line(
    server: Server, watcher: Watcher, ffmpeg: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yt_dlp.extractor.generic import GenericIE

    server.routes["/locked.mp4"] = playlist("/part.ts", "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=/key")
    with pytest.raises(LoadError) as caught:
        watcher.video.read(f"{server.url}/locked.mp4")
    words = "a stream that only ffmpeg or another program could fetch is not read"
    assert (str(caught.value), caught.value.hint) == (f"{words}: {server.url}/locked.mp4", "")
    assert "/part.ts" not in server.asked

    for protocol in ("rtmp", "rtmp_ffmpeg", "websocket_frag"):
        form = {"url": "rtmp://talks.example/x", "format_id": "r", "protocol": protocol}
        told = youtube(formats=[form | {"ext": "flv"}])
        monkeypatch.setattr(GenericIE, "_real_extract", lambda self, url, told=told: told)
        with pytest.raises(LoadError, match=f"^{words}: "):
            watcher.video.read(f"{server.url}/talk.mp4")
    assert not ffmpeg.exists()


AES_SOUND = bytes.fromhex("58a806a5490873d76bf3a1d4012d9ad7")  # "sound", by a key of zeros


def test_an_encrypted_stream_is_read_without_the_ffmpeg_that_is_there(
    server: Server, watcher: Watcher, ffmpeg: Path
) -> None:
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="{server.url}/key",IV=0x{"00" * 16}'
    server.routes["/talk.mp4"] = playlist("/part.ts", key)
    server.routes |= {"/part.ts": say(AES_SOUND), "/key": say(bytes(16))}
    recording = watcher.video.read(f"{server.url}/talk.mp4")
    assert recording.audio is not None
    assert recording.audio.read_bytes() == b"sound"
    assert not ffmpeg.exists()


def test_cookies_come_from_the_named_browser_or_the_line_says_why(tmp_path: Path) -> None:
    for browser, words in (
        ("lynx", 'no cookies from the browser: unsupported browser: "lynx"'),
        (f"firefox:{tmp_path}", "no cookies from the browser: could not find firefox cookies"),
    ):
        with pytest.raises(LoadError) as caught:
            Watcher(tmp_path, cookies_from_browser=browser).video.read("http://127.0.0.1:9/x.mp3")
        assert str(caught.value).startswith(words)
        assert (caught.value.hint, is_line(caught.value)) == (BROWSER, True)


@pytest.mark.parametrize(
    ("url", "known"),
    [
        (WATCH, True),
        (f"https://youtu.be/{ID}?si=x", True),
        ("https://www.youtube.com/@lattice", True),
        ("https://www.youtube.com/playlist?list=PLabcdefghijk", True),
        ("https://vimeo.com/76979871", True),
        ("https://www.ted.com/talks/somebody_on_something", True),
        ("https://www.dailymotion.com/video/x5kesuj", True),
        ("https://example.org/talks/Talk.MP3?download=1", True),
        ("https://example.org/talk.webm", True),
        ("https://www.youtube.com/", False),
        ("https://www.youtube.com/about", False),
        ("https://www.youtube.com/feeds/videos.xml?channel_id=UCabc", False),
        ("https://www.ted.com/about/our-organization", False),
        ("https://notyoutube.com/watch?v=dQw4w9WgXcQ", False),
        ("https://example.org/page", False),
        ("https://example.org/talk.mp3/about", False),
        ("https://example.org/page?file=talk.mp3", False),
        ("https://en.wikipedia.org/wiki/File:Example.ogg", False),
        ("https://example.org/feed.xml", False),
        ("talk.mp3", False),
        ("/home/me/talk.mp3", False),
    ],
)
def test_videos_are_told_from_pages(url: str, known: bool) -> None:
    assert is_video(url) is known


def test_telling_pages_and_files_apart_loads_no_ytdlp() -> None:
    code = (
        "import sys; from dragtor.load.video import is_video;"
        "print(is_video('https://example.org/page'), is_video('https://example.org/a.mp3'),"
        " 'yt_dlp' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert run.stdout.split() == ["False", "True", "False"], run.stderr


@pytest.mark.parametrize(
    "url",
    [
        f"https://youtu.be/{ID}?si=abc&t=42",
        f"https://m.youtube.com/watch?app=desktop&v={ID}#t=3",
        f"https://www.youtube.com/watch?v={ID}&list=PLabcdefghijk&index=3",
        f"https://www.youtube.com/shorts/{ID}",
        f"https://www.youtube.com/live/{ID}?feature=share",
    ],
)
def test_one_video_has_one_address(url: str, tmp_path: Path) -> None:
    assert canonical(url) == WATCH
    web = replace(OPEN, allow_private=False)
    video = VideoLoader(VideoConfig(), web, tmp_path, resolve=to("8.8.8.8"))
    assert video.discover(url) == [Item(WATCH)]  # asks nobody


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/playlist?list=PLabcdefghijk",
        "https://www.youtube.com/@lattice/videos",
        "https://www.youtube.com/watch?v=short",
        "https://example.org/watch?v=dQw4w9WgXcQ",
    ],
)
def test_other_addresses_stay_as_they_are(url: str) -> None:
    assert canonical(url) == url


# What yt-dlp tells of a video


def form(name: str, sound: str, picture: str, kbps: float | None, **more: Any) -> dict[str, Any]:
    url = f"https://rr3.googlevideo.com/videoplayback?itag={name}"
    return {
        "format_id": name,
        "acodec": sound,
        "vcodec": picture,
        "abr": kbps,
        "tbr": kbps,
        "ext": "m4a",
        "url": url,
        "protocol": "https",
        **more,
    }


FORMATS = [
    form("sb0", "none", "none", None, ext="mhtml", protocol="mhtml"),
    form("599", "mp4a.40.5", "none", 30.8, language_preference=10),
    form("140-dubbed", "mp4a.40.2", "none", 41, language_preference=-1, language="de"),
    form("139", "mp4a.40.5", "none", 48.9, language_preference=10, language="en"),
    form("249", "opus", "none", 51.2, language_preference=10, language="en"),
    form("140", "mp4a.40.2", "none", 129.5, language_preference=10, language="en"),
    form("137", "none", "avc1", 4000, height=1080),
    form("18", "mp4a.40.2", "avc1", 500, height=360, language_preference=10),
]


def captions(language: str, translated: bool = False) -> list[dict[str, Any]]:
    extra = f"&tlang={language}" if translated else ""
    return [
        {"ext": ext, "url": f"https://www.youtube.com/api/timedtext?v={ID}&fmt={ext}{extra}"}
        for ext in ("json3", "srv1", "srv2", "srv3", "ttml", "srt", "vtt")
    ]


def youtube(**more: Any) -> dict[str, Any]:
    """As yt-dlp's extractor gives it, before it is processed."""
    return {
        "id": ID,
        "title": "Training  A2 pulleys",
        "description": "Notes\r\n\r\n00:00 Start\r\n",
        "formats": [dict(entry) for entry in FORMATS],
        "channel": "Lattice",
        "uploader": "Lattice Training",
        "upload_date": "20240302",
        "duration": 1834,
        "chapters": [
            {"start_time": 0, "end_time": 60, "title": "Start"},
            {"start_time": 60, "end_time": 90},
            {"start_time": 90.5, "title": "Max  hangs"},
        ],
        "subtitles": {"live_chat": [{"ext": "json", "url": "https://x", "protocol": "chat"}]},
        "automatic_captions": {},
        "live_status": "not_live",
        "webpage_url": WATCH,
        "extractor": "youtube",
        "extractor_key": "Youtube",
        **more,
    }


HEARD = {
    "de": captions("de", translated=True),
    "en-orig": captions("en"),
    "en": captions("en"),
}


def processed(info: dict[str, Any], folder: Path) -> dict[str, Any]:
    with open_ytdlp(WATCH, VideoConfig(), OPEN, folder, no_dns_check, print) as ydl:
        found: dict[str, Any] = ydl.process_ie_result(info, download=False)
    return found


def no_dns_check(url: str) -> None:
    raise AssertionError(f"{url} was asked")


def test_a_video_is_described_and_its_smallest_good_sound_chosen(tmp_path: Path) -> None:
    info = processed(youtube(automatic_captions=HEARD), tmp_path)
    assert (info["format_id"], info["vcodec"], info["language"]) == ("139", "none", "en")
    video = describe(info, WATCH, "A playlist")
    document = video.document()
    assert (document.uri, document.title, document.kind) == (WATCH, "Training A2 pulleys", "video")
    assert (document.author, document.published) == ("Lattice", "2024-03-02")
    assert document.text == "Notes\n\n00:00 Start"
    assert document.meta == {"show": "Lattice", "id": ID, "duration_s": 1834.0, "captions": "none"}
    assert video.parts() == (Chapter("Start", 0.0), Chapter("Max hangs", 90.5))
    assert video.language == "en"
    said = replace(document, text="Rest.", segments=(Segment(0, 5, start_s=91.7, end_s=93.0),))
    assert place(said, 0, 5).url == f"{WATCH}&t=91"


def test_little_that_is_known_is_enough() -> None:
    video = describe(
        {"id": "7", "chapters": None, "duration": None}, "https://example.org/7", "List"
    )
    assert (video.uri, video.title, video.show) == ("https://example.org/7",) * 2 + ("List",)
    assert video.document().meta == {"show": "List", "id": "7", "captions": "none"}


@pytest.mark.parametrize(
    ("formats", "chosen"),
    [
        (FORMATS, "139"),
        (FORMATS[:2] + FORMATS[6:], "599"),  # poor sound is better than a picture
        ([FORMATS[0], FORMATS[6], form("22", "mp4a", "avc1", 900, height=720), FORMATS[7]], "18"),
        (
            [
                form("hls", "mp4a", "none", 50, protocol="m3u8_native"),
                form("h", "mp4a", "none", 50),
            ],
            "h",
        ),
        ([form("a", "opus", "none", None), form("b", "opus", "none", 20)], "b"),
        ([{"url": "https://example.org/talk.mp4", "format_id": "mp4"}], "mp4"),
        ([FORMATS[0], FORMATS[6]], None),
        ([], None),
    ],
)
def test_sound_is_chosen(formats: list[dict[str, Any]], chosen: str | None) -> None:
    found = choose_sound(formats)
    assert (found and found["format_id"]) == chosen


def chosen_captions(info: dict[str, Any], *languages: str) -> list[str]:
    return [
        f"{'automatic' if track.automatic else 'human'} {track.language}"
        for track in choose_captions(info, languages)
    ]


def test_human_captions_come_first_in_the_spoken_language_then_english() -> None:
    human = {language: captions(language) for language in ("fr", "en-GB", "en", "de-x1")}
    german = youtube(
        language="de",
        subtitles=human,
        automatic_captions={"de-orig": captions("de"), "en": captions("en", True)},
    )
    assert chosen_captions(german) == ["human de-x1", "human en", "human en-GB", "automatic de"]
    assert chosen_captions(german, "fr", "en") == [
        "human fr", "human en", "human en-GB", "automatic de",
    ]  # fmt: skip
    assert chosen_captions(german, "en-GB", "en")[:2] == ["human en-GB", "human en"]
    assert chosen_captions(german, "it") == ["automatic de"]


def test_automatic_captions_are_those_of_the_spoken_language() -> None:
    assert chosen_captions(youtube(automatic_captions=HEARD)) == ["automatic en"]
    translated = {"de": captions("de", True), "fr": captions("fr", True)}
    assert chosen_captions(youtube(language="it", automatic_captions=translated)) == []
    assert chosen_captions(youtube()) == []
    named = youtube(subtitles={"en-x-autogen": captions("en")}, language="en")
    assert chosen_captions(named) == ["automatic en"]


def test_captions_of_a_page_that_tells_no_language_are_taken() -> None:
    page = {"subtitles": {None: [{"ext": "unknown_video", "url": "https://example.org/c?id=3"}]}}
    (track,) = choose_captions(page)
    assert (track.language, track.kind, track.automatic) == ("", "vtt", False)
    assert chosen_captions({"subtitles": {"French": captions("fr")}}) == ["human French"]
    assert chosen_captions({"automatic_captions": {"es": captions("es")}}) == ["automatic es"]
    assert chosen_captions({"subtitles": None, "automatic_captions": None}) == []
    bare = {"subtitles": {"en": [{"ext": "ttml", "url": "https://x"}, {"ext": "vtt"}]}}
    assert chosen_captions(bare) == []


def test_the_form_with_the_time_of_each_word_is_preferred() -> None:
    assert choose_captions(youtube(automatic_captions=HEARD))[0].kind == "json3"
    forms = [{"ext": "srt", "data": "1\n"}, {"ext": "vtt", "url": "https://x"}]
    assert choose_captions({"subtitles": {"en": forms}})[0].kind == "vtt"


# Lists


def listed(number: int, **more: Any) -> dict[str, Any]:
    """An entry of a YouTube list, as its tab extractor gives it."""
    identity = f"aaaaaaaaa{number:02}"
    return {
        "_type": "url",
        "ie_key": "Youtube",
        "id": identity,
        "url": f"https://www.youtube.com/watch?v={identity}",
        "title": f"Video {number}",
        "timestamp": None,
        "live_status": None,
        "availability": None,
        **more,
    }


def test_a_channel_is_its_videos_and_streams_by_date() -> None:
    home = "https://www.youtube.com/@lattice"
    tabs = [
        {"_type": "playlist", "webpage_url": f"{home}/videos",
         "entries": [listed(1, timestamp=90), None, listed(2, timestamp=70)]},
        {"_type": "playlist", "webpage_url": f"{home}/streams",
         "entries": [listed(3, timestamp=80)]},
        {"_type": "playlist", "webpage_url": f"{home}/shorts", "entries": [listed(4)]},
        {"_type": "url", "ie_key": "YoutubeTab", "url": "https://www.youtube.com/playlist?list=P"},
    ]  # fmt: skip
    channel = {"_type": "playlist", "entries": tabs}
    assert [entry["title"] for entry in newest_first(channel)] == ["Video 1", "Video 3", "Video 2"]
    tabs[0]["entries"][0]["timestamp"] = None  # one date is not known: as listed
    assert [entry["title"] for entry in newest_first(channel)] == ["Video 1", "Video 2", "Video 3"]


def test_a_list_that_begins_with_its_oldest_is_known() -> None:
    def of(*times: int | None) -> dict[str, Any]:
        return {"entries": [listed(n, timestamp=time) for n, time in enumerate(times)]}

    assert oldest_first(of(1, 2, 2, 5))
    assert not oldest_first(of(5, 2, 1))
    assert not oldest_first(of(None, 2))
    assert not oldest_first(of())
    assert list(videos({"entries": None})) == []


def test_what_is_listed_but_cannot_be_read_is_passed_by() -> None:
    closed = [
        listed(1, title="[Private video]"),
        listed(2, title="[Deleted video]"),
        listed(3, live_status="is_live"),
        listed(4, live_status="is_upcoming"),
    ]
    assert [is_readable(entry, cookies=True) for entry in closed] == [False] * 4
    members = listed(5, availability="subscriber_only")
    assert (is_readable(members, cookies=False), is_readable(members, cookies=True)) == (
        False,
        True,
    )
    assert is_readable(listed(6, live_status="was_live", availability="public"), cookies=False)
    assert not_over({"is_live": True}) == "is live now"
    assert not_over({"live_status": "post_live"}) == "has just ended"


def test_entries_are_addressed_where_they_are_watched() -> None:
    here = "https://example.org/page"
    assert address(listed(7), here, listed=True) == "https://www.youtube.com/watch?v=aaaaaaaaa07"
    vimeo = {"ie_key": "Vimeo", "url": "https://vimeo.com/76979871#__youtubedl_smuggle=x"}
    assert address(vimeo, here, listed=True) == "https://vimeo.com/76979871"
    player = {"extractor_key": "Generic", "webpage_url": here, "url": "https://example.org/a.mp4"}
    assert address(player, here, listed=True) == "https://example.org/a.mp4"
    assert address(player, here) == here


# Failures


MESSAGES = [
    (
        "Private video. Sign in if you've been granted access to this video. Use"
        " --cookies-from-browser or --cookies for the authentication. See "
        " https://github.com/yt-dlp/yt-dlp/wiki/FAQ  for how to manually pass cookies",
        "Private video. Sign in if you've been granted access to this video",
        COOKIES,
    ),
    (
        "Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies for the"
        " authentication. See  https://x  for how to manually pass cookies",
        "Sign in to confirm you’re not a bot",
        COOKIES,
    ),
    (
        "Sign in to confirm your age. This video may be inappropriate for some users.",
        "Sign in to confirm your age. This video may be inappropriate for some users",
        COOKIES,
    ),
    (
        "Join this channel to get access to members-only content like this video",
        "Join this channel to get access to members-only content like this video",
        COOKIES,
    ),
    ("Video unavailable. This video has been removed by the uploader",) * 2 + ("",),
    ("This live event will begin in 3 hours.", "This live event will begin in 3 hours", LATER),
    ("Premieres in 20 minutes", "Premieres in 20 minutes", LATER),
    ("The channel is not currently live", "The channel is not currently live", LATER),
    ("This video is DRM protected", "This video is DRM protected", ""),
    (
        "This content isn't available, try again later. The current session has been rate-limited"
        " by YouTube for up to an hour. It is recommended to use `-t sleep` to add a delay",
        "This content isn't available, try again later. The current session has been rate-limited"
        " by YouTube for up to an hour",
        BUSY,
    ),
    ("No video formats found!", "No video formats found!", NEWER),
    ("\x1b[0;31mgone\x1b[0m\nfor good", "gone for good", ""),
]


@pytest.fixture
def raised(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """What becomes of an error that a real extractor raises inside a real yt-dlp."""
    from yt_dlp.extractor.common import InfoExtractor

    class FailingIE(InfoExtractor):  # type: ignore[misc]
        IE_NAME = "youtube"
        _VALID_URL = r"https?://failing\.example/(?P<id>\w+)"
        error: Exception

        def _real_extract(self, url: str) -> None:
            raise self.error

    def of(error: Exception) -> DragtorError:
        FailingIE.error = error
        with open_ytdlp(WATCH, VideoConfig(), OPEN, tmp_path, no_dns_check, print) as ydl:
            ydl.add_info_extractor(FailingIE())
            with pytest.raises(DragtorError) as caught, failures(WATCH):
                ydl.extract_info("https://failing.example/abc", download=False, ie_key="Failing")
        assert is_line(caught.value)
        return caught.value

    yield of
    assert capfd.readouterr() == ("", "")


def test_the_reason_is_a_line_with_the_hint_that_helps(raised: Any) -> None:
    from yt_dlp.utils import ExtractorError, GeoRestrictedError, UnsupportedError

    for message, words, hint in MESSAGES:
        error = raised(ExtractorError(message, expected=True, video_id=ID, ie="youtube"))
        assert (str(error), error.hint) == (f"{words}: {WATCH}", hint)
    message = "The uploader has not made this video available in your country"
    error = raised(GeoRestrictedError(message, countries=["DE"]))
    assert (str(error), error.hint) == (f"{message}: {WATCH}", "")
    assert str(raised(UnsupportedError("https://x"))).startswith("no video and no sound is found")


def test_an_unexpected_failure_says_that_ytdlp_may_be_old(raised: Any) -> None:
    from yt_dlp.utils import ExtractorError

    error = raised(ExtractorError("Unable to extract player version"))
    assert (str(error), error.hint) == (f"Unable to extract player version: {WATCH}", NEWER)
    error = raised(ZeroDivisionError("oh"))
    assert (str(error), error.hint) == (f"yt-dlp fails with ZeroDivisionError: {WATCH}", NEWER)


@pytest.mark.parametrize("status", ["is_live", "is_upcoming", "post_live"])
def test_a_broadcast_is_not_read_before_it_is_over(
    server: Server, watcher: Watcher, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    from yt_dlp.extractor.generic import GenericIE

    def extract(self: Any, url: str) -> dict[str, Any]:
        return youtube(live_status=status, extractor_key="Generic")

    monkeypatch.setattr(GenericIE, "_real_extract", extract)
    with pytest.raises(LoadError) as caught:
        watcher.video.read(f"{server.url}/live.mp4")
    assert str(caught.value) == f"{not_over({'live_status': status})}: {server.url}/live.mp4"
    assert caught.value.hint == LATER


def test_captions_are_taken_where_no_sound_can_be_had(
    server: Server, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yt_dlp.extractor.generic import GenericIE

    told = youtube(formats=[], subtitles={"en": [{"ext": "vtt", "data": VTT.decode()}]})
    monkeypatch.setattr(GenericIE, "_real_extract", lambda self, url: told)
    url = f"{server.url}/talk.mp4"
    recording = watcher.video.read(url)
    assert (len(recording.words), recording.audio, recording.document.uri) == (6, None, WATCH)
    assert watcher.video.content_hash(url) == recording.document.meta["stamp"]
    monkeypatch.setattr(GenericIE, "_real_extract", lambda self, url: youtube(formats=[]))
    with pytest.raises(LoadError, match=r"^No video formats found!: ") as caught:
        watcher.video.read(url, refresh=True)
    assert caught.value.hint == NEWER
    assert server.asked == []


# Asked again


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the site tells, the last of the list; each telling is one request for facts."""
    from yt_dlp.extractor.generic import GenericIE

    infos: list[dict[str, Any]] = []
    monkeypatch.setattr(GenericIE, "_real_extract", lambda self, url: dict(infos[-1]))
    return infos


def test_captions_that_appear_later_are_taken_by_a_refresh(
    server: Server, watcher: Watcher, told: list[dict[str, Any]]
) -> None:
    url, sound_url = f"{server.url}/talk.mp4", f"{server.url}/sound"
    server.routes |= {"/sound": Ranged(SOUND, "audio/mp4"), "/en.vtt": say(VTT)}

    def sounds(name: str) -> list[dict[str, Any]]:
        return [{**form(name, "opus", "none", 50), "url": sound_url, "protocol": "http"}]

    told.append(youtube(formats=sounds("a")))
    first = watcher.video.read(url)
    assert server.asked == ["/sound"]
    assert watcher.video.discover(url, refresh=True) == [Item(url)]  # to be asked for
    told.append(youtube(formats=sounds("b")))  # the site offers other formats now
    again = watcher.video.read(url, refresh=True)
    assert again == first
    assert server.asked == ["/sound"]
    tracks = {"en": [{"ext": "vtt", "url": f"{server.url}/en.vtt"}]}
    told.append(youtube(formats=sounds("b"), subtitles=tracks))
    captioned = watcher.video.read(url, refresh=True)
    assert (len(captioned.words), captioned.audio) == (6, None)
    assert captioned.document.meta["stamp"] != first.document.meta["stamp"]
    assert server.asked == ["/sound", "/en.vtt"]
    assert watcher.video.read(url) == captioned


def test_sound_that_was_heard_is_dropped_and_not_fetched_for_new_notes(
    server: Server, watcher: Watcher, told: list[dict[str, Any]]
) -> None:
    url = f"{server.url}/talk.mp4"
    server.routes["/sound"] = Ranged(SOUND, "audio/mp4")
    sounds = [{**form("a", "opus", "none", 50), "url": f"{server.url}/sound", "protocol": "http"}]
    told.append(youtube(formats=sounds))
    first = watcher.video.read(url)
    assert first.audio is not None
    watcher.video.transcribed(url)
    assert not first.audio.exists()
    assert watcher.video.discover(url) == [Item(url, str(first.document.meta["stamp"]))]
    told.append(youtube(formats=sounds, description="New notes."))
    again = watcher.video.read(url, refresh=True, before=first.document)
    assert (again.audio, again.words, again.document.text) == (None, (), "New notes.")
    assert again.document.meta["stamp"] != first.document.meta["stamp"]
    assert watcher.video.read(url, before=first.document) == again
    assert server.asked == ["/sound"]
    assert watcher.video.read(url).audio == first.audio  # nobody has its words
    assert server.asked == ["/sound", "/sound"]
    watcher.video.transcribed(url)
    watcher.video.forget([url])
    assert not [path for path in watcher.folder.iterdir() if path.is_file()]


@pytest.mark.parametrize("answer", [say(b"", 429), say(b"WEBVTT\n\n"), None])
def test_captions_that_are_here_stay_where_new_ones_cannot_be_had(
    server: Server, watcher: Watcher, told: list[dict[str, Any]], answer: Answer | None
) -> None:
    url = f"{server.url}/talk.mp4"
    server.routes["/en.vtt"] = say(VTT)
    tracks = {"en": [{"ext": "vtt", "url": f"{server.url}/en.vtt"}]}
    told.append(youtube(subtitles=tracks))
    first = watcher.video.read(url)
    if answer:
        server.routes["/en.vtt"] = answer
    else:
        told.append(youtube())
    assert watcher.video.read(url, refresh=True) == first
    assert set(server.asked) == {"/en.vtt"}
    watcher.video.transcribed(url)  # drops sound only
    assert watcher.video.read(url) == first


def test_a_refresh_asks_nothing_of_a_list_s_videos_that_are_here(
    server: Server, watcher: Watcher
) -> None:
    players = "".join(f'<audio src="/{n}.wav"></audio>' for n in range(2))
    page = f"<html><title>All talks</title>{players}</html>".encode()
    server.routes["/page"] = say(page, Content_Type="text/html")
    server.routes["/0.wav"] = Ranged(SOUND, "audio/wav")
    watcher.video.read(f"{server.url}/0.wav")
    server.asked.clear()
    here, new = watcher.video.discover(f"{server.url}/page", refresh=True)
    assert (bool(here.content_hash), new.content_hash) == (True, "")
    assert server.asked == ["/page"]


def test_what_a_site_tells_is_clean_text() -> None:
    video = describe(
        {
            "id": "7\ud800",
            "title": "Max\ud800 \x1bhangs\n",
            "channel": "Lat\udfffice",
            "description": "One\ud800\r\nTwo\x07",
            "language": "e\ud800n",
            "chapters": [{"title": "Sta\ud800rt", "start_time": 0}],
            "webpage_url": "https://example.org/\ud800",
        },
        "https://example.org/7",
    )
    assert (video.id, video.title, video.author) == ("7", "Max hangs", "Lat ice")
    assert (video.description, video.language) == ("One\nTwo", "e n")
    assert (video.chapters, video.uri) == ((("Sta rt", 0.0),), "https://example.org/7")
    assert describe({}, "https://example.org/7", "A\ud800 list").show == "A list"
    odd = {"subtitles": {"en\ud800": [{"ext": "vtt", "url": "https://x"}]}}
    assert [track.language for track in choose_captions(odd)] == ["en"]


def test_captions_that_come_with_the_facts_may_hold_lone_surrogates(
    server: Server, watcher: Watcher, told: list[dict[str, Any]]
) -> None:
    data = VTT.decode().replace("six", "s\ud800ix")
    told.append(youtube(subtitles={"en": [{"ext": "vtt", "data": data}]}))
    recording = watcher.video.read(f"{server.url}/talk.mp4")
    assert " ".join(w.text for w in recording.words) == "The pulley heals in s?ix weeks."
