"""Stopping what runs, from a thread and by Ctrl-C: it ends early, and the next run ends as one
that nobody disturbed.

How early is measured in benchmarks/cancel.py; here it is held to far less than the work takes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, digest
from fakes import HashingEmbedder, Notes
from test_bad_server import HTML, WORDS, silent
from test_download import SOUND, Episode, fetcher
from test_http import OPEN, Server, say
from test_llm import Fake, events
from test_models import FILE, WEIGHTS, Hub, at, describe, serve
from test_transcribe import clip, heard_windows, long_speech, need, sound

from dragtor import Library
from dragtor.chat import standalone
from dragtor.cli.interrupt import stopping
from dragtor.config import ChatConfig, Config, LLMConfig, ModelsConfig, SpeechConfig, load_config
from dragtor.errors import Cancelled, DragtorError
from dragtor.llm.base import GenerationOptions, Stream
from dragtor.llm.llama import open_llama
from dragtor.llm.server import open_server
from dragtor.llm.xllamacpp import open_xllamacpp
from dragtor.load.download import download
from dragtor.load.http import Fetcher
from dragtor.models import child, pull
from dragtor.sockets import unless_cancelled
from dragtor.speech.diarize import RATE
from dragtor.speech.diarize.onnx import OnnxDiarizer
from dragtor.speech.transcribe import open_transcriber
from dragtor.speech.whisper import Whisper
from dragtor.store import Store, Writer
from dragtor.types import NEVER, Answer, CancelToken, ChatTurn, Message

EARLY_S = 10.0  # all that is stopped here would go on for 30 s and more


class Stopper(Notes):
    """Asks for the end, from another thread, once progress of `label` has come to `done`."""

    def __init__(self, label: str, done: float) -> None:
        super().__init__()
        self.token = CancelToken()
        self._wanted = label, done

    def progress(self, label: str, done: float, total: float) -> None:
        super().progress(label, done, total)
        if label.startswith(self._wanted[0]) and done >= self._wanted[1]:
            threading.Thread(target=self.token.cancel).start()
            time.sleep(0.05)


@contextmanager
def stopped(token: CancelToken, when: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """What runs here is asked to stop as soon as `when` is true, and must say so early."""
    asked: list[float] = []

    def ask() -> None:
        while not when():
            time.sleep(0.01)
        asked.append(time.monotonic())
        token.cancel()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    with pytest.raises(Cancelled):
        yield
    ended = time.monotonic()
    thread.join()
    assert ended - asked[0] < EARLY_S


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.close()


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    threading.Thread(target=made.serve_forever, args=(0.05,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


# The token


def test_a_token_is_heard_by_who_looks_and_by_who_sleeps() -> None:
    token = CancelToken()
    token.check()
    token.wait(0.01)
    assert not token.cancelled
    with stopped(token):
        token.wait(30)
    with pytest.raises(Cancelled):
        token.check()
    token.renew()
    token.check()


def test_a_token_calls_who_cannot_look() -> None:
    token, called = CancelToken(), list[str]()
    with token.calling(lambda: called.append("first")):
        pass
    with token.calling(lambda: called.append("second")):
        token.cancel()
    with token.calling(lambda: called.append("late")):
        pass
    assert called == ["second", "late"]


def test_being_stopped_is_no_failure_of_anything() -> None:
    assert not issubclass(Cancelled, Exception)
    assert Cancelled.exit_code == 130


def test_what_cannot_be_ended_is_left_behind() -> None:
    token, go, dropped = CancelToken(), threading.Event(), list[int]()

    def late() -> int:
        go.wait(30)
        return 7

    assert unless_cancelled(lambda: 7, token) == unless_cancelled(lambda: 7, NEVER) == 7
    with pytest.raises(ValueError, match="broken"):
        unless_cancelled(lambda: int("broken"), token)
    with stopped(token):
        unless_cancelled(late, token, dropped.append)
    go.set()
    until(lambda: dropped == [7])


def until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not done():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


# add


def write_notes(folder: Path, count: int) -> Path:
    folder.mkdir()
    for n in range(count):
        text = f"Note {n} says that tendon {n} rests for {n} days. " * (1 + n % 9)
        (folder / f"{n:03}.md").write_text(f"# Note {n}\n\n{text}")
    return folder


@pytest.mark.parametrize(("label", "done"), [("loading", 60), ("indexing", 60)])
def test_add_of_many_files(
    tmp_path: Path, own_folders: Path, monkeypatch: pytest.MonkeyPatch, label: str, done: int
) -> None:
    """With the real encoder; what was loaded and embedded stays."""
    monkeypatch.setattr("dragtor.ingest.BATCH_PASSAGES", 30)
    notes, whole = write_notes(tmp_path / "notes", 120), tmp_path / "whole"
    with Library(whole) as library:
        assert library.add(notes).added == 120
    stopper = Stopper(label, done)
    with Library(reporter=stopper, cancel=stopper.token) as library, pytest.raises(Cancelled):
        library.add(notes)
    with Store.open(own_folders) as store:
        counts = store.counts()
        assert counts["documents"] + counts["pending"] == (61 if label == "loading" else 120)
        assert (counts["documents"] > 0) == (label == "indexing")
        assert counts["documents"] < 120
    with Library() as library:
        report = library.add(notes)
        assert report.embedded < 120 or label == "loading"
    assert digest(own_folders) == digest(whole)


def test_add_while_a_batch_is_embedded(tmp_path: Path, own_folders: Path) -> None:
    notes, token = write_notes(tmp_path / "notes", 300), CancelToken()

    with Library(cancel=token) as library:
        library.embedder  # noqa: B018  loaded before the clock runs
        with stopped(token, lambda: waiting(own_folders) == 300):
            library.add(notes)
    with Store.open(own_folders) as store:
        assert store.counts()["pending"] > 0
    with Library() as library:
        library.index()
        assert {row["staged"] for row in library.documents()} == {0}


def waiting(folder: Path) -> int:
    try:
        with Store.open(folder) as store:
            return store.counts()["pending"]
    except DragtorError:
        return 0


def quick(token: CancelToken, place: Path | None = None) -> Library:
    """A library that hashes words, and reads pages of this machine with all patience."""
    config = load_config()
    web = replace(OPEN, reader="local", timeout_s=60, total_timeout_s=60)
    config = replace(config, load=replace(config.load, web=web))
    library = Library(place, config=config, cancel=token)
    library.embedder = HashingEmbedder()
    return library


def page(n: int) -> bytes:
    return (
        f"<html><head><title>Page {n}</title></head><body><p>{n} {WORDS}</p></body></html>".encode()
    )


def cut_off(server: Server) -> Any:
    """The half of a page whose length nobody told, and then nothing."""

    def answer(handler: Any) -> None:
        say(page(2)[:300], **HTML, Content_Length="")(handler)
        handler.wfile.flush()
        server.done.wait(30)

    return answer


@pytest.mark.parametrize("stall", [silent, cut_off])
def test_add_from_a_server_that_stalls(
    server: Server, own_folders: Path, tmp_path: Path, stall: Callable[[Server], Any]
) -> None:
    server.routes |= {f"/{n}": say(page(n), **HTML) for n in (1, 2, 3)}
    pages = [f"{server.url}/{n}" for n in (1, 2, 3)]
    with quick(NEVER, tmp_path / "whole") as library:
        library.add(*pages)
    server.routes["/2"] = stall(server)
    server.asked.clear()
    token = CancelToken()
    with quick(token) as library, stopped(token, lambda: "/2" in server.asked):
        library.add(*pages)
    with Store.open(own_folders) as store:
        assert [row["uri"] for row in store.documents()] == pages[:1]
    server.routes["/2"] = say(page(2), **HTML)
    with quick(NEVER) as library:
        assert not library.add(*pages).failed
    assert digest(own_folders) == digest(tmp_path / "whole")


def test_a_server_that_takes_no_connection(server: Server) -> None:
    """Its queue is full: the connection is neither made nor refused."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waits = [socket.socket() for _ in range(4)]
        for one in waits:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        token = CancelToken()
        with stopped(token):
            time.sleep(0.1)
            Fetcher(replace(OPEN, timeout_s=60, total_timeout_s=60), cancel=token).get(
                f"http://127.0.0.1:{full.getsockname()[1]}/"
            )
        for one in waits:
            one.close()


def test_a_pause_that_a_server_asks_for(server: Server) -> None:
    server.routes["/busy"] = say(status=503, Retry_After="50")
    token = CancelToken()
    patient = Fetcher(replace(OPEN, retries=1), cancel=token)
    with stopped(token, lambda: bool(server.asked)):
        patient.get(f"{server.url}/busy")


def test_a_download_keeps_its_part(server: Server, tmp_path: Path) -> None:
    episode = server.routes["/ep"] = Episode()
    url, token = f"{server.url}/ep", CancelToken()
    half = len(SOUND) // 2

    def stall(handler: Any) -> None:
        episode.cut_at = [half]
        episode(handler)
        server.done.wait(30)

    server.routes["/ep"] = stall
    patient = Fetcher(replace(OPEN, timeout_s=60), cancel=token)
    parts = tmp_path / "sound"
    with stopped(token, lambda: sum(p.stat().st_size for p in parts.glob("*.part")) == half):
        download(patient, url, parts)
    server.routes["/ep"] = episode
    assert download(fetcher(), url, parts).read_bytes() == SOUND
    assert episode.asked[-1]["range"] == f"bytes={half}-"


def test_a_writer_that_waits_for_another(own_folders: Path) -> None:
    token = CancelToken()
    told = Notes()
    with Writer.open(own_folders):
        library = Library(reporter=told, cancel=token)
        with stopped(token, lambda: bool(told.notes)):
            library.add_bytes(b"A pulley heals in weeks.")
    assert "which writes to this library" in told.notes[0]


# Speech


def test_transcription(tmp_path: Path) -> None:
    """Windows that are finished are not read again, and the words are the same."""
    for name in ("silero-vad", "whisper-tiny"):
        need(name)
    tiny = open_transcriber(SpeechConfig(model="whisper-tiny", threads=1), ModelsConfig())
    path, kept = long_speech(tmp_path / "talk.wav"), tmp_path / "kept"
    wanted = tiny.transcribe(path, language="en", folder=tmp_path / "whole")
    number = len(list(heard_windows(tmp_path / "whole")))
    stopper = Stopper("transcribing", 1)
    with pytest.raises(Cancelled):
        tiny.transcribe(path, language="en", folder=kept, reporter=stopper, cancel=stopper.token)
    finished = list(heard_windows(kept))
    assert 0 < len(finished) < number
    assert tiny.transcribe(path, language="en", folder=kept) == wanted
    assert sorted(heard_windows(kept)) == list(range(number))


def test_transcription_within_a_window(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("silero-vad", "whisper-tiny"):
        need(name)
    tiny = open_transcriber(SpeechConfig(model="whisper-tiny", threads=1), ModelsConfig())
    path, kept, token = clip("jfk.flac"), tmp_path / "kept", CancelToken()
    with stopped(token, lambda: any(b'"windows"' in p.read_bytes() for p in kept.glob("*"))):
        tiny.transcribe(path, language="en", folder=kept, cancel=token)
    assert capfd.readouterr() == ("", "")
    again = tiny.transcribe(path, language="en", folder=kept)
    assert again == tiny.transcribe(path, language="en", folder=tmp_path / "whole")


def test_two_windows_that_are_cut_off_at_once(capfd: pytest.CaptureFixture[str]) -> None:
    """One opens its model again while the other still complains that it was ended."""
    engines = [Whisper(need("whisper-tiny"), 1, "") for _ in range(2)]
    samples, wanted = sound("jfk.flac"), engines[0].words(sound("jfk.flac"), "en")
    with ThreadPoolExecutor(2) as pool:
        for n in range(3):
            token = CancelToken()
            work = [pool.submit(engine.words, samples, "en", token) for engine in engines]
            time.sleep(0.1 * n)
            token.cancel()
            for each in work:
                assert isinstance(each.exception(), Cancelled)
    assert engines[1].words(samples, "en") == wanted
    assert capfd.readouterr() == ("", "")


def test_telling_speakers_apart() -> None:
    import numpy as np

    need("pyannote-segmentation-3.0")
    config = load_config()
    token, given = CancelToken(), list[int]()

    def endless() -> Iterator[Any]:
        while True:
            given.append(1)
            yield np.zeros(5 * RATE, np.float32)

    with stopped(token, lambda: len(given) > 20):
        OnnxDiarizer.open(config.diarize, config.models).diarize(endless(), token)


# ask


@pytest.fixture(scope="module")
def gguf() -> Path:
    return need("smollm2-135m")


STORY = [Message("user", "Tell a long story of a fox. " * 30)]


@pytest.mark.parametrize("opened", [open_llama, open_xllamacpp])
@pytest.mark.parametrize("pieces", [0, 3])
def test_a_model_that_reads_or_writes(opened: Callable[..., Any], pieces: int, gguf: Path) -> None:
    pytest.importorskip("llama_cpp" if opened is open_llama else "xllamacpp")
    token = CancelToken()
    llm = opened(gguf, LLMConfig(context_tokens=2048, threads=1), cancel=token)
    try:
        got: list[str] = []
        with stopped(token, lambda: len(got) >= pieces):
            got.extend(iter_slowly(llm.stream(STORY, GenerationOptions(1000)), got))
        assert len(got) < 900
        with pytest.raises(Cancelled):
            llm.choose(STORY, ("yes", "no"))
        token.renew()
        after = "".join(llm.stream(STORY, GenerationOptions(12)))
    finally:
        llm.close()
    fresh = opened(gguf, LLMConfig(context_tokens=2048, threads=1))
    try:
        assert after == "".join(fresh.stream(STORY, GenerationOptions(12)))
    finally:
        fresh.close()


def iter_slowly(stream: Stream, got: list[str]) -> list[str]:
    for piece in stream:
        got.append(piece)
    return []


@pytest.fixture
def fake() -> Iterator[Fake]:
    made = Fake()
    yield made
    made.close()


@pytest.mark.parametrize("chunks", [(), ({"choices": [{"delta": {"content": "Once"}}]},)])
def test_a_server_that_thinks(fake: Fake, chunks: Sequence[Any]) -> None:
    over, token = threading.Event(), CancelToken()

    def think(handler: Any) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(events(*chunks).encode())
        handler.wfile.flush()
        over.wait(30)

    fake.chat = think
    llm = open_server(LLMConfig(url=fake.url, timeout_s=60), token)
    with stopped(token, lambda: bool(fake.bodies)):
        list(llm.stream(STORY, GenerationOptions(9)))
    over.set()
    llm.close()


def small() -> Config:
    """The tiny model answers, of what is found whatever it is."""
    config = load_config()
    return replace(
        config,
        llm=replace(config.llm, model="smollm2-135m", threads=1, answer_tokens=24),
        answer=replace(config.answer, gate=False, context_tokens=300),
        retrieve=replace(config.retrieve, floor=-1),
    )


@pytest.mark.parametrize("of_library", [True, False])
def test_ask(sample_library: Path, gguf: Path, of_library: bool) -> None:
    question = "How long does a pulley rest?"
    with Library(sample_library, config=small()) as library:
        wanted = library.ask(question)
    token, seen = CancelToken(), list[Any]()
    with Library(sample_library, config=small(), cancel=token if of_library else NEVER) as library:
        with stopped(token, lambda: len(seen) >= 2):  # quotes, and what is read
            found = library.ask_events(question, cancel=NEVER if of_library else token)
            seen.extend(gathered(found, seen))
        token.renew()
        again = library.ask(question)
    assert (again.text, again.citations) == (wanted.text, wanted.citations)
    assert not any(isinstance(event, Answer) for event in seen)


def gathered(found: Iterator[Any], seen: list[Any]) -> list[Any]:
    for event in found:
        seen.append(event)
    return []


def test_a_rewriting_that_is_stopped_is_no_rewriting_that_failed() -> None:
    class Stopped:
        def stream(self, *_: Any, **__: Any) -> Stream:
            raise Cancelled

    turns = [ChatTurn("Does tape help?", "Does tape help?", Answer("q", "Yes.", True))]
    with pytest.raises(Cancelled):
        standalone("and how much of it?", turns, Stopped, ChatConfig())  # type: ignore[arg-type]


# pull


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "params.yml").write_text("{}\n")
    monkeypatch.setenv("DRAGTOR_CONFIG", str(tmp_path / "config" / "params.yml"))
    return tmp_path / "models"


def test_pull_from_a_hub_that_stalls(place: Path, hub: Hub) -> None:
    describe(place)
    path = serve(hub)
    hub.stall_at = 262_144
    part = place / "tiny" / ".parts" / f"{FILE}.part"
    token, told = CancelToken(), Notes()
    with stopped(token, lambda: part.exists() and part.stat().st_size == hub.stall_at):
        pull("tiny", at(hub, timeout_s=60), place, reporter=told, cancel=token)
    label, done, total = told.states[-1]
    assert (label, done) == (FILE, total)  # its bar is gone
    hub.stall_at = None
    hub.asked.clear()
    assert pull("tiny", at(hub), place).read_bytes() == WEIGHTS
    assert hub.asked == [("GET", path, "bytes=262144-")]


def test_pull_from_a_hub_that_is_silent(place: Path) -> None:
    describe(place)
    token = CancelToken()
    with socket.create_server(("127.0.0.1", 0)) as quiet, stopped(token):
        time.sleep(0.1)
        pull("tiny", at(f"http://127.0.0.1:{quiet.getsockname()[1]}", 60), place, cancel=token)


def test_pull_from_a_hub_that_asks_to_wait(place: Path, hub: Hub) -> None:
    describe(place)
    hub.status = [503, 503, 503]
    token = CancelToken()
    with stopped(token, lambda: len(hub.asked) > 1):
        pull("tiny", at(hub), place, cancel=token)


def test_pull_that_waits_for_another_program(tmp_path: Path) -> None:
    token = CancelToken()
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    with stopped(token):
        time.sleep(0.1)
        child.run_child(command, tmp_path / "log", token)


# Ctrl-C


def press() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_at_work_that_looks() -> None:
    token = CancelToken()

    def work() -> None:
        with stopping(token):
            press()
            token.wait(30)

    with pytest.raises(Cancelled):
        work()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_at_work_that_does_not_look(times: int) -> None:
    def work() -> None:
        with stopping(CancelToken()):
            for _ in range(times):
                press()
            time.sleep(30)

    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        work()
    assert time.monotonic() - begun < EARLY_S
    time.sleep(1)  # and nothing comes later


ADD = """
import os, sys
os.environ |= {"DRAGTOR_LOAD_WEB_TIMEOUT_S": "60", "DRAGTOR_LOAD_WEB_TOTAL_TIMEOUT_S": "60",
    "DRAGTOR_LOAD_WEB_ALLOW_PRIVATE": "true", "DRAGTOR_LOAD_WEB_READER": "local"}
from dragtor.cli import main
main(sys.argv[1:])
"""


@pytest.mark.parametrize("stall", [silent, cut_off])
def test_ctrl_c_while_a_server_stalls(
    server: Server, own_folders: Path, stall: Callable[[Server], Any]
) -> None:
    server.routes |= {"/1": say(page(1), **HTML), "/2": stall(server)}
    line = [sys.executable, "-c", ADD, "add", f"{server.url}/1", f"{server.url}/2"]
    with subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        until(lambda: "/2" in server.asked or process.poll() is not None)
        time.sleep(0.2)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert time.monotonic() - begun < EARLY_S
    assert process.returncode == 130, err
    assert err == "interrupted; what was finished is kept\n"
    with Store.open(own_folders) as store:
        assert [row["uri"] for row in store.documents()] == [f"{server.url}/1"] or waiting(
            own_folders
        ) == 1
