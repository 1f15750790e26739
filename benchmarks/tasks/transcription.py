"""Transcription against bare pywhispercpp: words, speed, memory, and runs that are killed.

words: word error rate over ../shared/data/speech_asr; speed: both, in turns, on the same files;
memory: the most that a long file takes; kill: kill -9 at random moments of one.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dragtor.config import ModelsConfig, SpeechConfig, models_path
from dragtor.evaluate.transcription import mistakes
from dragtor.models import model_path
from dragtor.speech.decode import RATE_HZ, decode
from dragtor.speech.transcribe import open_transcriber

SPEECH = Path(__file__).resolve().parents[3] / "shared" / "data" / "speech_asr"
MODEL, SMALLEST = "whisper-base.en", "whisper-tiny"
THREADS = os.cpu_count() or 1
PART_S = 600.0  # the two take turns on parts of this length


def clips() -> list[tuple[Path, str]]:
    """File and reference of every clip that has one."""
    lines = (SPEECH / "manifest.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    return [(SPEECH / row["file"], row["reference"]) for row in rows if row["reference"]]


def samples(path: Path) -> np.ndarray:
    return np.concatenate(list(decode(path)))


def bare() -> Callable[[np.ndarray], str]:
    """pywhispercpp as its page shows it, on samples."""
    from pywhispercpp.model import Model

    path = str(model_path(MODEL, models_path(ModelsConfig())))
    model = Model(path, n_threads=THREADS, print_progress=False, redirect_whispercpp_logs_to=None)
    return lambda sound: " ".join(line.text for line in model.transcribe(sound))


def ours() -> Callable[[Path], str]:
    config = SpeechConfig(model=MODEL, threads=THREADS)
    transcriber = open_transcriber(config, ModelsConfig())

    def hear(path: Path) -> str:
        with tempfile.TemporaryDirectory() as folder:
            found = transcriber.transcribe(path, language="en", folder=Path(folder))
        return " ".join(word.text for word in found.words)

    return hear


def speech(minutes: float, silent_share: float, seed: int) -> np.ndarray:
    """Clips in a random order, half a second apart; silence of 5 to 20 s makes up its share."""
    draw, known, parts, silent_s = random.Random(seed), [samples(p) for p, _ in clips()], [], 0.0
    length_s = 0.0
    while length_s < 60 * minutes:
        for sound in draw.sample(known, len(known)):
            pause_s = 0.5
            if silent_s < silent_share * length_s:
                pause_s = draw.uniform(5, 20)
                silent_s += pause_s
            noise = np.random.default_rng(seed).normal(0, 1e-4, round(pause_s * RATE_HZ))
            parts += [sound, noise.astype(np.float32)]
            length_s += sound.size / RATE_HZ + pause_s
    return np.concatenate(parts)[: round(60 * minutes * RATE_HZ)]


def write(path: Path, blocks: Iterator[np.ndarray], codec: str = "libmp3lame") -> Path:
    """Encode mono blocks, one at a time."""
    import av

    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE_HZ, layout="mono")
        fifo = av.AudioFifo()
        for block in blocks:
            frame = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
            frame.sample_rate = RATE_HZ
            fifo.write(frame)
            for piece in fifo.read_many(stream.frame_size or 1152):
                out.mux(stream.encode(piece))
        if (rest := fifo.read()) is not None:
            out.mux(stream.encode(rest))
        out.mux(stream.encode(None))
    return path


def words(files: int = 0) -> dict[str, Any]:
    plain, own = bare(), ours()
    errors, total, differ = {"bare": 0, "ours": 0}, 0, []
    some = random.Random(7).sample(clips(), files or len(clips()))
    for path, reference in some:
        texts = {"bare": plain(samples(path)), "ours": own(path)}
        found = {name: mistakes(reference, text)[0] for name, text in texts.items()}
        total += mistakes(reference, "")[1]
        for name in errors:
            errors[name] += found[name]
        if found["bare"] != found["ours"]:
            differ.append({"file": path.name, **texts})
            print(differ[-1], flush=True)
    rates = {name: round(count / total, 4) for name, count in errors.items()}
    return {"files": len(some), "words": total, "wer": rates, "differ": differ}


def speed(minutes: float = 15) -> dict[str, Any]:
    plain, own, figures = bare(), ours(), {}
    for name, share in (("dense", 0.0), ("third_silent", 1 / 3)):
        whole = speech(minutes, share, seed=5)
        took = {"bare": [0.0, 0.0], "ours": [0.0, 0.0]}  # seconds on the clock, of processors
        with tempfile.TemporaryDirectory() as folder:
            parts = np.array_split(whole, max(1, round(60 * minutes / PART_S)))
            for number, part in enumerate(parts):
                path = write(Path(folder) / f"{number}.mp3", iter([part]))
                runs = {"bare": lambda p=path: plain(samples(p)), "ours": lambda p=path: own(p)}
                for kind in ("bare", "ours") if number % 2 else ("ours", "bare"):
                    begun = time.perf_counter(), time.process_time()
                    runs[kind]()
                    took[kind][0] += time.perf_counter() - begun[0]
                    took[kind][1] += time.process_time() - begun[1]
                print(name, number + 1, len(parts), took, flush=True)
        ratios = [round(b / o, 3) for b, o in zip(took["bare"], took["ours"], strict=True)]
        figures[name] = {
            "bare_s": round(took["bare"][0], 1),
            "ours_s": round(took["ours"][0], 1),
            "times_as_fast": ratios[0],
            "times_as_little_processor": ratios[1],
        }
    return {"minutes": minutes, "threads": THREADS, "model": MODEL, **figures}


TRANSCRIBE = """
import resource, sys
from pathlib import Path
from dragtor.config import ModelsConfig, SpeechConfig
from dragtor.speech.transcribe import open_transcriber
config = SpeechConfig(model=sys.argv[3])
found = open_transcriber(config, ModelsConfig()).transcribe(
    Path(sys.argv[1]), language="en", folder=Path(sys.argv[2]))
most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(len(found.words), found.duration_s, most / (1024 if sys.platform == "linux" else 1 << 20))
"""


def memory(hours: float = 3) -> dict[str, Any]:
    """Mostly quiet, so that it takes minutes: what is said changes nothing in what is held."""
    with tempfile.TemporaryDirectory() as folder:
        spoken, path = speech(0.5, 0, 1), Path(folder) / "long.mp3"
        quiet = np.random.default_rng(0).normal(0, 1e-4, 595 * RATE_HZ).astype(np.float32)
        blocks = (
            block for _ in range(round(hours * 6)) for block in (quiet, spoken[: 5 * RATE_HZ])
        )
        write(path, blocks)
        line = [sys.executable, "-c", TRANSCRIBE, str(path), folder, MODEL]
        said = subprocess.run(line, check=True, capture_output=True, text=True).stdout.split()
    return {
        "hours": round(float(said[1]) / 3600, 2),
        "words": int(said[0]),
        "most_mb": round(float(said[2])),
    }


def kill(times: int = 20, minutes: float = 20) -> dict[str, Any]:
    """Killed at random moments of its work; windows are counted where their lines are whole.

    With the smallest model: what is lost does not depend on it.
    """
    draw, counts = random.Random(7), []
    with tempfile.TemporaryDirectory() as folder:
        path, kept, whole = (Path(folder) / name for name in ("a.mp3", "kept", "whole"))
        write(path, iter([speech(minutes, 0.1, 3)]))
        line = [sys.executable, "-c", TRANSCRIBE, str(path), str(kept), SMALLEST]
        begun = time.perf_counter()
        subprocess.run([*line[:4], str(whole), SMALLEST], check=True, stdout=subprocess.DEVNULL)
        whole_s = time.perf_counter() - begun
        for moment in range(times):
            process = subprocess.Popen(line, start_new_session=True, stdout=subprocess.DEVNULL)
            try:
                process.wait(2 * draw.random() * whole_s / times)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            counts.append(len(list(journal(kept))))
            print(f"kill {moment + 1}: {counts[-1]} windows kept", flush=True)
        subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
        wanted, found = dict(journal(whole)), list(journal(kept))
    return {
        "kills": times, "minutes": minutes, "windows": len(wanted),
        "same_transcript": dict(found) == wanted,
        "finished_windows_heard_again": len(found) - len(dict(found)),
        "lost_at_a_kill_at_most": "the windows under way, one on each core",
    }  # fmt: skip


def journal(folder: Path) -> Iterator[tuple[int, str]]:
    """Number and words of each window that is kept whole."""
    for path in folder.glob("*.jsonl"):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n") and b'"window"' in line:
                row = json.loads(line)
                yield row["window"], json.dumps(row["words"])
