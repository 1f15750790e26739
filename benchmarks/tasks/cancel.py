"""Seconds from a CancelToken's request until the work has returned, and whether the next run ends
as an undisturbed one: add, transcription, ask and pull, each in the places where it waits longest.

Only loopback is asked. The bar: at most a second, or a window of speech.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import patch

from dragtor import Cancelled, CancelToken, Library, load_config
from dragtor.config import Config, ModelsConfig
from dragtor.types import Reporter

WITHIN_S = 3.0  # of a transcription that is stopped
ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "assets" / "sample_library"
EPISODE = ROOT / "assets" / "sample_episode" / "rock-talk-7-campus-board.m4a"
LONG_PROMPT_TOKENS = 6000


class Watch(Reporter):
    """Tells when the work has begun what is to be stopped."""

    def __init__(self, label: str) -> None:
        self.label, self.begun = label, threading.Event()

    def progress(self, label: str, done: float, total: float) -> None:
        if label.startswith(self.label) and done > 0:
            self.begun.set()


def stopped(
    work: Callable[[CancelToken], object], begun: Callable[[], bool], delay_s: float
) -> float:
    """Seconds from the request, made `delay_s` after the work has begun, until it has returned."""
    token, asked = CancelToken(), list[float]()

    def ask() -> None:
        while not begun():
            time.sleep(0.002)
        time.sleep(delay_s)
        asked.append(time.perf_counter())
        token.cancel()

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    try:
        work(token)
    except Cancelled:
        ended = time.perf_counter()
        thread.join()
        return ended - asked[0]
    raise SystemExit("the work ended before it was stopped: make it longer")


def repeated(count: int, one: Callable[[float], float], longest_s: float = 1.0) -> dict[str, Any]:
    """`one` takes the seconds to wait before it asks; they differ from round to round."""
    draw = random.Random(7)
    seconds = sorted(one(draw.uniform(0, longest_s)) for _ in range(count))
    return {
        "median_s": round(seconds[len(seconds) // 2], 3),
        "max_s": round(seconds[-1], 3),
        "rounds": len(seconds),
    }


# add


def notes(folder: Path, count: int) -> Path:
    """So many short notes, made of the sample library's words."""
    folder.mkdir()
    words = " ".join(p.read_text("utf-8") for p in sorted(SAMPLES.glob("*.md"))).split()
    draw = random.Random(7)
    for n in range(count):
        at = draw.randrange(len(words) - 300)
        (folder / f"{n}.md").write_text(f"# Note {n}\n\n" + " ".join(words[at : at + 300]))
    return folder


def add(folder: Path, rounds: int, files: int) -> dict[str, Any]:
    """While files are loaded, while they are embedded, and while a server says nothing."""
    many, last = notes(folder / "notes", files), folder / "last"

    def at(label: str) -> Callable[[float], float]:
        def one(delay_s: float) -> float:
            shutil.rmtree(last, ignore_errors=True)
            watch = Watch(label)

            def work(token: CancelToken) -> None:
                with Library(last, reporter=watch, cancel=token) as library:
                    library.add(many)

            return stopped(work, watch.begun.is_set, delay_s)

        return one

    def passages(place: Path) -> int:
        with Library(place) as library:
            library.add(many)
            return sum(row["passages"] for row in library.documents())

    def from_server(delay_s: float) -> float:
        with tempfile.TemporaryDirectory() as place, quiet_server() as (url, asked):

            def work(token: CancelToken) -> None:
                with Library(place, config=patient(), cancel=token) as library:
                    library.add(f"{url}/page")

            return stopped(work, lambda: bool(asked), delay_s)

    found = {
        "files loaded": repeated(rounds, at("loading"), 0.1),
        "passages embedded": repeated(rounds, at("indexing"), 2.0),
        "silent server": repeated(rounds, from_server),
    }
    assert passages(last) == passages(folder / "whole")
    return found


def patient() -> Config:
    config = load_config()
    web = replace(
        config.load.web, allow_private=True, reader="local", timeout_s=60.0, total_timeout_s=60.0
    )
    return replace(config, load=replace(config.load, web=web))


@contextmanager
def quiet_server(body: bytes = b"") -> Iterator[tuple[str, list[str]]]:
    """Its address, and what it was asked: it promises more than `body`, sends that, and waits."""
    asked: list[str] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if body:
                self.send_response(200)
                self.send_header("Content-Length", str(2 * len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()
            asked.append(self.path)
            over.wait(60)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        over.set()
        server.shutdown()
        server.server_close()


# transcription


def transcription(folder: Path, rounds: int, models: Sequence[str]) -> dict[str, Any]:
    """In the first seconds of the sample episode."""
    return {model: in_windows(model, folder / model, rounds) for model in models}


def in_windows(model: str, whole: Path, rounds: int) -> dict[str, Any]:
    """`max_windows`: the longest wait, in the longest windows of the run that then went on."""
    from dragtor.speech.transcribe import open_transcriber
    from dragtor.speech.whisper import Whisper

    config = load_config()
    speech = replace(config.speech, model=model, language="en")
    transcriber = open_transcriber(speech, config.models)
    wanted = transcriber.transcribe(EPISODE, folder=whole)
    shares, took, words = list[float](), list[float](), Whisper.words

    def timed(self: Whisper, *given: Any) -> Any:
        begun = time.perf_counter()
        found = words(self, *given)
        took.append(time.perf_counter() - begun)
        return found

    def one(delay_s: float) -> float:
        with tempfile.TemporaryDirectory() as place:
            kept = Path(place)

            def planned() -> bool:
                return any(b'"windows"' in path.read_bytes() for path in kept.glob("*.jsonl"))

            def work(token: CancelToken) -> None:
                transcriber.transcribe(EPISODE, folder=kept, cancel=token)

            taken = stopped(work, planned, delay_s)
            took.clear()
            with patch.object(Whisper, "words", timed):
                assert transcriber.transcribe(EPISODE, folder=kept) == wanted
            shares.append(taken / max(took))
        return taken

    found = repeated(rounds, one, WITHIN_S)
    return found | {"max_windows": round(max(shares), 2)}


# ask


def ask(folder: Path, rounds: int) -> dict[str, Any]:
    """While a long prompt is read, while an answer is written, and anywhere in a question."""
    words = " ".join(p.read_text("utf-8") for p in sorted(SAMPLES.glob("*.md"))).split()
    found: dict[str, Any] = {}
    for engine in ("llama", "xllamacpp"):
        for what, size in (("prompt read", LONG_PROMPT_TOKENS), ("answer written", 100)):
            text = " ".join(words[: size // 2])
            found[f"{engine} {what}"] = streamed(engine, f"{text}\n\nTell a story of this.", rounds)
    found["whole question"] = repeated(rounds, lambda delay_s: question(folder, delay_s), 3.0)
    return found


def streamed(engine: str, text: str, rounds: int) -> dict[str, Any]:
    """The model's own part of it; each round begins anew, with another first word."""
    from dragtor.llm import GenerationOptions, open_llm
    from dragtor.types import Message

    config, token = load_config(), CancelToken()
    llm_config = replace(
        config.llm, model="smollm2-135m", engine=engine, context_tokens=8192, threads=1
    )
    llm = open_llm(llm_config, config.models, cancel=token)

    def one(delay_s: float) -> float:
        token.renew()

        def stop() -> None:
            asked.append(time.perf_counter())
            token.cancel()

        asked: list[float] = []
        timer = threading.Timer(0.2 + delay_s, stop)
        timer.start()
        try:
            messages = [Message("user", f"{delay_s} {text}")]
            for _ in llm.stream(messages, GenerationOptions(8000)):
                pass
        except Cancelled:
            return time.perf_counter() - asked[0]
        raise SystemExit("the answer ended before it was stopped")

    try:
        return repeated(rounds, one)
    finally:
        llm.close()


def question(folder: Path, delay_s: float) -> float:
    """A question to the sample library, from its beginning on."""
    config = load_config()
    config = replace(
        config,
        llm=replace(config.llm, model="smollm2-135m", threads=1),
        answer=replace(config.answer, gate=False),
    )
    place = folder / "samples"
    if not place.exists():
        with Library(place) as library:
            library.add(SAMPLES)

    def work(token: CancelToken) -> None:
        with Library(place, config=config, cancel=token) as library:
            begun.set()
            library.ask("How long does a pulley rest, and how do I load it again?")

    begun = threading.Event()
    return stopped(work, begun.is_set, delay_s)


# pull


def pull(folder: Path, rounds: int) -> dict[str, Any]:
    """A hub that says nothing, one that stops midway, another program, and a hash of 2 GB."""
    from dragtor.models import child, disk, hub
    from dragtor.models.catalogue import ModelFile, ModelSpec
    from dragtor.types import SILENT

    body = random.Random(7).randbytes(1 << 20)
    file = ModelFile("w.bin", 2 * len(body), "0" * 64, "w.bin")
    spec = ModelSpec("w", "llm", "MIT", (file,), "o/r")

    def from_hub(sent: bytes) -> Callable[[float], float]:
        def one(delay_s: float) -> float:
            with tempfile.TemporaryDirectory() as place, quiet_server(sent) as (url, asked):
                config = ModelsConfig(hub_url=url, timeout_s=60.0)

                def work(token: CancelToken) -> None:
                    parts = Path(place)
                    list(hub.fetch_from_hub(spec, [file], parts, config, SILENT, token))

                taken = stopped(work, lambda: bool(asked), delay_s)
                part = Path(place) / "w.bin.part"
                assert not sent or part.stat().st_size == len(sent)
            return taken

        return one

    def program(delay_s: float) -> float:
        command = [sys.executable, "-c", "import time; time.sleep(60)"]
        return stopped(
            lambda token: child.run_child(command, folder / "log", token), lambda: True, delay_s
        )

    big = folder / "big"
    with big.open("wb") as out:
        out.truncate(2_000_000_000)
    stated = ModelFile("big", big.stat().st_size, hashlib.sha256().hexdigest())

    def hashing(delay_s: float) -> float:
        return stopped(lambda token: disk.is_right(big, stated, token), lambda: True, delay_s)

    return {
        "silent hub": repeated(rounds, from_hub(b"")),
        "stalled hub": repeated(rounds, from_hub(body)),
        "other program": repeated(rounds, program),
        "hash": repeated(rounds, hashing, 0.3),
    }


def run(
    rounds: int = 7,
    files: int = 150,
    models: Sequence[str] = ("whisper-tiny", "whisper-base.en"),
) -> dict[str, Any]:
    """All four. `longest_s`: of all but speech; `windows`: of speech, in windows of its own."""
    found: dict[str, Any] = {}
    for name, measure in {
        "add": lambda place: add(place, rounds, files),
        "transcription": lambda place: transcription(place, rounds, models),
        "ask": lambda place: ask(place, rounds),
        "pull": lambda place: pull(place, rounds),
    }.items():
        with tempfile.TemporaryDirectory(prefix="dragtor-") as folder:
            found[name] = measure(Path(folder))
        print(name, found[name], flush=True)
    spoken = found["transcription"].values()
    others = [each for name in ("add", "ask", "pull") for each in found[name].values()]
    return found | {
        "longest_s": max(each["max_s"] for each in others),
        "windows": max(each["max_windows"] for each in spoken),
    }
