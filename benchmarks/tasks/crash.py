"""kill -9 at moments drawn evenly over a write, then the next run; and two writers at once.

Each library is compared with that of an uninterrupted run: passages, texts, vectors, index.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from conftest import digest

DOCUMENTS = 120
WORDS = "pulley tendon rest load climb crimp week wrist elbow hang skin sleep warm test"


def write_documents(folder: Path, count: int = DOCUMENTS, seed: int = 1) -> None:
    """Text files of a few passages each, no two alike."""
    draw = random.Random(seed)
    words = WORDS.split()
    folder.mkdir(parents=True)
    for number in range(count):
        sentences = [
            f"Note {number} line {line}: {' '.join(draw.choices(words, k=12))}."
            for line in range(18)
        ]
        (folder / f"note-{number:04}.txt").write_text(" ".join(sentences), "utf-8")


def command(library: Path, *rest: str) -> list[str]:
    return [sys.executable, "-m", "dragtor", "--library", str(library), "--quiet", *rest]


def killed_after(seconds: float, line: list[str]) -> bool:
    """Run a command in a group of its own and kill it; False where it had ended by itself."""
    process = subprocess.Popen(line, start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def run(moments: int = 50) -> dict[str, object]:
    work = Path(tempfile.mkdtemp(prefix="dragtor-crash-"))
    notes, library = work / "notes", work / "library"
    write_documents(notes)
    begun = time.perf_counter()
    subprocess.run(command(library, "add", str(notes)), check=True)
    whole_s = time.perf_counter() - begun
    expected = digest(library)
    passages = len(expected["passages"])  # type: ignore[arg-type]
    print(f"{DOCUMENTS} documents, {passages} passages, {whole_s:.1f} s uninterrupted")
    equal = 0
    for moment in range(moments):
        after = whole_s * (moment + 0.5) / moments
        shutil.rmtree(library)
        while not killed_after(after, command(library, "add", str(notes))):
            after *= 0.9  # this run was quicker than the one that was timed
            shutil.rmtree(library)
        subprocess.run(command(library, "add", str(notes)), check=True)
        same = digest(library) == expected
        equal += same
        print(f"  killed after {after:5.2f} s: {'equal' if same else 'DIFFERENT'}", flush=True)
    figures: dict[str, object] = {"kills": moments, "equal": equal, "different": moments - equal}
    figures |= {"documents": DOCUMENTS, "passages": passages}
    figures["two_writers_equal"] = two_writers(work, expected)
    shutil.rmtree(work)
    return figures


def two_writers(work: Path, expected: dict[str, object]) -> bool:
    """Both add at once: the folder, and one half of it again; then the library is as before."""
    library = work / "library"
    shutil.rmtree(library)
    both = [subprocess.Popen(command(library, "add", str(work / "notes"))) for _ in range(2)]
    codes = [process.wait() for process in both]
    same = codes == [0, 0] and digest(library) == expected
    print(f"two writers at once: exit codes {codes}, {'equal' if same else 'DIFFERENT'}")
    return same
