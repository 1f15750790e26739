"""The default install: how large it is, and that it holds no torch and no CUDA.

    python benchmarks/size.py

A new environment, `pip install .` and the audio and video packages of the speech rooms.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from common import save

ROOT = Path(__file__).resolve().parent.parent
AUDIO_AND_VIDEO = ["av", "feedparser", "pywhispercpp", "yt-dlp"]


def megabytes(folder: Path) -> float:
    return round(sum(f.lstat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6, 1)


def run() -> dict[str, object]:
    work = Path(tempfile.mkdtemp(prefix="dragtor-size-"))
    python = work / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(work)], check=True)
    install = [str(python), "-m", "pip", "install", "-q"]
    subprocess.run([*install, str(ROOT)], check=True)
    default_mb = megabytes(work)
    subprocess.run([*install, *AUDIO_AND_VIDEO], check=True)
    whole_mb = megabytes(work)
    listed = subprocess.run(
        [str(python), "-m", "pip", "list", "--format=freeze"],
        check=True, capture_output=True, text=True,
    ).stdout.lower()  # fmt: skip
    shutil.rmtree(work)
    heavy = [n for n in listed.split() if n.startswith(("torch", "nvidia", "cuda", "triton"))]
    return {"default_mb": default_mb, "with_audio_and_video_mb": whole_mb, "torch_or_cuda": heavy}


if __name__ == "__main__":
    figures = run()
    print(figures)
    save("size", figures, AUDIO_AND_VIDEO)
