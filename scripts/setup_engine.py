"""Installs the language model engine: llama.cpp, built here or prebuilt, with its progress shown.

Builds llama-cpp-python where a C++ compiler is found; takes xllamacpp's wheel where none is, or
where building fails. Runs in .venv, through pip and the locked requirements; knows no room.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "requirements" / "llama.txt"
PREBUILT = ROOT / "requirements" / "prebuilt.txt"
LOG = ROOT / "data" / "build.log"
SLIM = Path(__file__).with_name("llama_slim.cmake")
JOB_MB = 1000  # megabytes of memory that one compiler process may need

AGAIN = "make engine BUILD=1"

Which = Callable[[str], str | None]
Install = Callable[[Path, Path, Console], int]  # requirements, log, console -> exit status


@dataclass(frozen=True, slots=True)
class Step:
    """Where pip stands: what it does, and how much of the compiling is done (0 to 1)."""

    text: str
    done: float | None = None


def steps(lines: Iterable[str]) -> Iterator[Step]:
    """What lines of `pip install -v` mean to somebody who waits; most mean nothing.

    ninja counts `[12/83] Building …`, make `[ 12%] Building …`. Other packages compile nothing.
    """
    last = Step("")
    for line in lines:
        step = _step(line.strip())
        if step and step != last:
            last = step
            yield step


def _step(line: str) -> Step | None:
    if match := re.match(r"\[([1-9]\d*)/([1-9]\d*)\] ", line):
        return Step("compiling llama.cpp", int(match[1]) / int(match[2]))
    if match := re.match(r"\[ *(\d+)%\] ", line):
        return Step("compiling llama.cpp", int(match[1]) / 100)
    if match := re.match(r"Collecting ([\w.-]+)", line):
        return Step(f"fetching {match[1]}")
    if match := re.match(r"Downloading llama_cpp_python\S+ \((.+)\)", line):
        return Step(f"fetching the sources of llama.cpp ({match[1]})")
    if re.match(r"Building wheel for llama.cpp.python .*started", line):
        return Step("preparing to compile llama.cpp")
    if line.startswith("Installing collected packages"):
        return Step("installing")
    return None


def no_compiler(which: Which = shutil.which, environ: Mapping[str, str] = os.environ) -> str:
    """Why llama.cpp cannot be built here, in a few words; empty if it can."""
    for kind, variable, names in (
        ("C", "CC", ("cc", "gcc", "clang")),
        ("C++", "CXX", ("c++", "g++", "clang++")),
    ):
        chosen = environ.get(variable, "").split()[:1]
        if not any(which(name) for name in chosen or names):
            where = f" ({variable} is {chosen[0]})" if chosen else ""
            return f"no {kind} compiler found{where}"
    if sys.platform == "darwin" and which("cc") == "/usr/bin/cc" and not _has_apple_tools():
        return "no C compiler found (xcode-select --install brings one)"
    return ""


def _has_apple_tools() -> bool:
    """On a bare Mac /usr/bin/cc is a stand-in that only offers to install the tools."""
    return subprocess.run(["xcode-select", "-p"], capture_output=True).returncode == 0


def build_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the build sees: only the parts of llama.cpp that dragtor uses, and all cores.

    Whoever sets CMAKE_ARGS wins over the choices made here, and gets a new build: pip's cache
    knows a wheel by its version only.
    """
    ours = f'-DLLAVA_BUILD=OFF "-DCMAKE_PROJECT_llama_cpp_INCLUDE={SLIM}"'
    made = {key: value for key, value in environ.items() if key not in ("MAKEFLAGS", "MAKELEVEL")}
    made["CMAKE_ARGS"] = f"{ours} {environ.get('CMAKE_ARGS', '')}".strip()
    if environ.get("CMAKE_ARGS"):
        made["PIP_NO_CACHE_DIR"] = "1"
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000
    jobs = max(1, min(os.cpu_count() or 1, memory_mb // JOB_MB))
    made.setdefault("CMAKE_BUILD_PARALLEL_LEVEL", str(jobs))
    return made


def first_error(log: Path) -> str:
    """The line of pip's log that says what went wrong."""
    text = log.read_text("utf-8", "replace") if log.exists() else ""
    for pattern in (r"(?:fatal )?error: .+", r"CMake Error.*", r"ERROR: .+"):
        if match := re.search(pattern, text):
            return match[0].strip()[:160]
    return "no reason given"


def importable(module: str) -> bool:
    """Whether a fresh Python can import it: a build may be there and not load."""
    code = [sys.executable, "-c", f"import {module}"]
    return subprocess.run(code, capture_output=True).returncode == 0


def install(requirements: Path, log: Path, console: Console) -> int:
    """pip's exit status; all it says goes to `log`, what matters to the screen."""
    pip = [sys.executable, "-m", "pip", "install", "-v", "--require-hashes", "-r"]
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            [*pip, str(requirements)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=build_environment(),
            text=True,
            errors="replace",
        ) as process,
    ):
        assert process.stdout
        show(steps(_copy(process.stdout, file.write)), console)
    return process.returncode


def _copy(lines: Iterable[str], write: Callable[[str], object]) -> Iterator[str]:
    for line in lines:
        write(line)
        yield line


def show(found: Iterable[Step], console: Console) -> None:
    """A bar with the time left on a terminal; elsewhere a line at every tenth."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[left]}"),
        TimeElapsedColumn(),
    )
    tenth = -1
    started = 0.0
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("asking pip", total=None, left="")
        for step in found:
            left = ""
            if step.done is not None:
                started = started or time.monotonic()
                left = time_left(time.monotonic() - started, step.done)
                if not console.is_terminal and int(step.done * 10) > tenth:
                    tenth = int(step.done * 10)
                    console.print(f"{step.text}: {step.done:.0%} {left}".rstrip())
            total = None if step.done is None else 1.0
            bar.update(
                task, description=step.text, total=total, completed=step.done or 0, left=left
            )


def time_left(spent_s: float, done: float) -> str:
    """A guess in plain words, once there is something to guess from."""
    if spent_s < 5 or done < 0.05:
        return ""
    minutes, seconds = divmod(round(spent_s * (1 - done) / done), 60)
    return f"about {minutes} min {seconds:02d} s left" if minutes else f"about {seconds} s left"


def remove(package: str) -> None:
    """Uninstall, so that pip does not take what is there for what is wanted."""
    pip = [sys.executable, "-m", "pip", "uninstall", "-q", "-y", package]
    subprocess.run(pip, check=True, stdout=subprocess.DEVNULL)


def main(
    arguments: list[str] | None = None,
    *,
    install: Install = install,
    remove: Callable[[str], None] = remove,
    importable: Callable[[str], bool] = importable,
    which: Which = shutil.which,
) -> int:
    """Exit status: 0 when an engine is there afterwards."""
    parser = argparse.ArgumentParser(description="Install the language model engine.")
    parser.add_argument("--requirements", type=Path, default=BUILD, help="what to install")
    parser.add_argument("--build", action="store_true", help="build, whatever is there")
    chosen = parser.parse_args(arguments)
    console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
    only_engine = chosen.requirements == BUILD
    built = only_engine and importable("llama_cpp")
    if only_engine and not chosen.build and (built or importable("xllamacpp")):
        return 0
    reason = no_compiler(which)
    if not reason:
        if built:
            remove("llama-cpp-python")
        console.print("Installing llama.cpp; compiling it takes some minutes, once.")
        if install(chosen.requirements, LOG, console) == 0:
            console.print("llama.cpp is ready.")
            return 0
        reason = f"installing llama.cpp failed ({first_error(LOG)}; all of it: {LOG})"
    if only_engine:
        return take_prebuilt(reason, console, install)
    console.print(f"dragtor: {reason}. To try again: make test")
    return 1


def take_prebuilt(reason: str, console: Console, install: Install) -> int:
    """The wheel that needs no compiler, and one line that says so."""
    log = LOG.with_name("prebuilt.log")
    if install(PREBUILT, log, console) == 0:
        console.print(f"{reason}: took the prebuilt engine, xllamacpp. To build: {AGAIN}")
        return 0
    console.print(
        f"dragtor: {reason}, and no prebuilt engine either ({first_error(log)}; all of it: {log}). "
        f"A server of yours works too: set llm.url. To try again: {AGAIN}"
    )
    return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
