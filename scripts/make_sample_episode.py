"""Speaks the episode of the sample library: two synthetic voices, with tags and chapters.

    apt-get install flite && .venv/bin/python scripts/make_sample_episode.py

The result is committed; this is how it was made. The voices are flite's slt and rms.
"""

from __future__ import annotations

import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

TARGET = (
    Path(__file__).resolve().parent.parent / "assets/sample_episode/rock-talk-7-campus-board.m4a"
)
TITLE = "Rock Talk 7: Tom Keller on the campus board"
RATE_HZ = 16000
PAUSE_S = 0.5  # between two turns
BIT_RATE = 32000
VOICES = {"Anna": "slt", "Tom": "rms"}
TURNS = [
    ("Anna", "Welcome to Rock Talk. I'm your host, Anna Weber, and my guest today is Tom Keller. "
             "Tom has coached climbers for twenty years. Tom, when is somebody ready for the "
             "campus board?"),
    ("Tom", "Thanks for having me, Anna. I want to see three years of regular climbing first, and "
            "no finger pain for six months. Nobody under eighteen should do it at all."),
    ("Anna", "Why are you so strict about age?"),
    ("Tom", "Because of the growth plates. They are weaker than the tendons that pull on them, and "
            "dynamic loading is what breaks them."),
    ("Anna", "And how much is enough for a beginner?"),
    ("Tom", "Four sets of ladders, with five minutes of rest between them. Twice a week is plenty. "
            "Stop the session when your hands hit the rungs later than you planned."),
    ("Anna", "What is the most common mistake?"),
    ("Tom", "People campus when they are tired, at the end of a session. Do it fresh, after a warm "
            "up of twenty minutes. And take one week off in every four."),
    ("Anna", "Tom Keller, thank you for coming. See you next time on Rock Talk."),
]  # fmt: skip
CHAPTERS = {0: "Who is ready", 4: "How much"}  # they begin with these turns


def spoken(text: str, voice: str) -> NDArray[np.float32]:
    """The text in one of flite's voices, 16 kHz mono."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        command = ["flite", "-voice", voice, "-t", text, "-o", str(path)]
        subprocess.run(command, check=True, capture_output=True)
        with av.open(str(path)) as container:
            resampler = av.AudioResampler("flt", "mono", RATE_HZ)
            frames = [f for frame in container.decode(audio=0) for f in resampler.resample(frame)]
            return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def main() -> None:
    """Write the episode."""
    pause = np.zeros(int(PAUSE_S * RATE_HZ), np.float32)
    parts: list[NDArray[np.float32]] = []
    starts = []
    for who, text in TURNS:
        starts.append(sum(map(len, parts)))
        parts += [spoken(text, VOICES[who]), pause]
    sound = np.concatenate(parts)
    with av.open(str(TARGET), "w", format="ipod") as container:
        container.metadata.update(title=TITLE, artist="The dragtor authors", date="2026-11-20")
        marks = [starts[turn] for turn in CHAPTERS] + [len(sound)]
        container.set_chapters(
            [
                {
                    "id": n, "start": marks[n], "end": marks[n + 1],
                    "time_base": Fraction(1, RATE_HZ), "metadata": {"title": title},
                }
                for n, title in enumerate(CHAPTERS.values())
            ]
        )  # fmt: skip
        stream = container.add_stream("aac", rate=RATE_HZ, layout="mono")
        stream.bit_rate = BIT_RATE
        for at in range(0, len(sound), 1024):
            block = np.ascontiguousarray(sound[at : at + 1024][None])
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = RATE_HZ, at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    print(TARGET.name, f"{len(sound) / RATE_HZ:.0f} s, {TARGET.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
