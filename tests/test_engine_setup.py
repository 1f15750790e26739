"""scripts/setup_engine.py: pip's log becomes progress, and without a compiler a wheel is taken."""

from __future__ import annotations

import importlib.util
import io
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT
from rich.console import Console

# What pip said, shortened; a repeated line stands for hundreds like it.
RECORDED = """\
Ignoring colorama: markers 'os_name == "nt"' don't match your environment
Requirement already satisfied: aiohappyeyeballs==2.7.1 in ./.venv/lib/python3.11/site-packages
Collecting llama-cpp-python==0.3.36 (from -r requirements/llama.txt (line 850))
  Downloading llama_cpp_python-0.3.36.tar.gz (76.6 MB)
     ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 76.6/76.6 MB 81.9 MB/s eta 0:00:00
  Installing build dependencies: started
  Running command pip subprocess to install build dependencies
  Collecting scikit-build-core[pyproject]>=0.9.2
    Downloading scikit_build_core-1.1.2-py3-none-any.whl (295 kB)
  Preparing metadata (pyproject.toml): finished with status 'done'
Building wheels for collected packages: llama-cpp-python
  Building wheel for llama-cpp-python (pyproject.toml): started
  *** Configuring CMake...
  -- The C compiler identification is GNU 12.2.0
  [1/83] /usr/bin/g++ -DGGML_BUILD -DGGML_SCHED_MAX_COPIES=4 -o ggml.cpp.o -c ggml.cpp
  In file included from ggml.cpp:3:
  [42/83] /usr/bin/g++ -o vendor/llama.cpp/src/unity_2_cxx.cxx.o
  [83/83] : && /usr/bin/g++ -fPIC -O3 -DNDEBUG -shared -o bin/libllama.so
  [0/1] Installing files
  Building wheel for llama-cpp-python (pyproject.toml): finished with status 'done'
Installing collected packages: llama-cpp-python
Successfully installed llama-cpp-python-0.3.36
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = ROOT / "scripts" / "setup_engine.py"
    spec = importlib.util.spec_from_file_location("setup_engine", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["setup_engine"] = module
    spec.loader.exec_module(module)
    return module


def plain() -> Console:
    return Console(file=io.StringIO(), width=200)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_recorded_log_becomes_a_few_steps(script: ModuleType) -> None:
    steps = list(script.steps(RECORDED.splitlines(keepends=True)))
    assert [step.text for step in steps] == [
        "fetching llama-cpp-python",
        "fetching the sources of llama.cpp (76.6 MB)",
        "fetching scikit-build-core",
        "preparing to compile llama.cpp",
        "compiling llama.cpp",
        "compiling llama.cpp",
        "compiling llama.cpp",
        "installing",
    ]
    assert [step.done for step in steps[4:7]] == pytest.approx([1 / 83, 42 / 83, 1])


@pytest.mark.parametrize(
    ("line", "done"),
    [("[ 12%] Building CXX object", 0.12), ("[100%] Built target llama", 1), ("[  0%] x", 0)],
)
def test_the_lines_of_make_count_too(script: ModuleType, line: str, done: float) -> None:
    assert list(script.steps([line])) == [script.Step("compiling llama.cpp", done)]


@pytest.mark.parametrize(
    "line", ["", "[notice] a new pip", "[1/0] x", "x [3/83] y", "\x00\x1b[0m", "%"]
)
def test_other_lines_mean_nothing(script: ModuleType, line: str) -> None:
    assert list(script.steps([line])) == []


def test_without_a_terminal_each_tenth_is_a_line(script: ModuleType) -> None:
    console = plain()
    script.show((script.Step("compiling", n / 83) for n in range(84)), console)
    shares = [line.split()[1] for line in said(console).splitlines()]
    assert shares == ["0%", "11%", "20%", "30%", "41%", "51%", "60%", "71%", "81%", "90%", "100%"]


def test_on_a_terminal_the_bar_is_drawn_and_goes(script: ModuleType) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, legacy_windows=False)
    script.show(script.steps(RECORDED.splitlines()), console)
    assert "installing" in said(console)


@pytest.mark.parametrize(
    ("spent", "done", "words"),
    [
        (2, 0.5, ""),
        (60, 0.01, ""),
        (60, 0.5, "about 1 min 00 s left"),
        (10, 0.5, "about 10 s left"),
        (125, 1, "about 0 s left"),
    ],
)
def test_time_left(script: ModuleType, spent: float, done: float, words: str) -> None:
    assert script.time_left(spent, done) == words


def has(*names: str) -> Callable[[str], str | None]:
    return lambda name: f"/opt/bin/{name}" if name in names else None


@pytest.mark.parametrize(
    ("which", "environ", "reason"),
    [
        (has("cc", "c++"), {}, ""),
        (has("clang", "clang++"), {}, ""),
        (has(), {}, "no C compiler found"),
        (has("gcc"), {}, "no C++ compiler found"),
        (has("gcc-14", "g++"), {"CC": "gcc-14 -m64"}, ""),
        (has("gcc", "g++"), {"CXX": "nonesuch"}, "no C++ compiler found (CXX is nonesuch)"),
    ],
)
def test_a_compiler_is_looked_for(
    script: ModuleType, which: Callable[[str], str | None], environ: dict[str, str], reason: str
) -> None:
    assert script.no_compiler(which, environ) == reason


def test_the_build_leaves_out_what_is_not_used_and_obeys_the_user(script: ModuleType) -> None:
    made = script.build_environment({"CMAKE_ARGS": "-DGGML_CUDA=ON", "MAKEFLAGS": "-j", "A": "b"})
    slim, include, *own = shlex.split(made["CMAKE_ARGS"])
    assert slim == "-DLLAVA_BUILD=OFF"
    assert own == ["-DGGML_CUDA=ON"]
    file = Path(include.removeprefix("-DCMAKE_PROJECT_llama_cpp_INCLUDE="))
    assert "set(LLAMA_BUILD_COMMON OFF)" in file.read_text("utf-8")
    assert int(made["CMAKE_BUILD_PARALLEL_LEVEL"]) >= 1
    assert "MAKEFLAGS" not in made
    assert made["PIP_NO_CACHE_DIR"] == "1"
    assert made["A"] == "b"
    kept = script.build_environment({"CMAKE_BUILD_PARALLEL_LEVEL": "3"})
    assert kept["CMAKE_BUILD_PARALLEL_LEVEL"] == "3"
    assert "PIP_NO_CACHE_DIR" not in kept


@pytest.mark.parametrize(
    ("log", "error"),
    [
        (
            "x.cpp:3:10: fatal error: 'vector' file not found\nERROR: Failed",
            "fatal error: 'vector' file not found",
        ),
        (
            "CMake Error at CMakeLists.txt:3 (project):\n",
            "CMake Error at CMakeLists.txt:3 (project):",
        ),
        ("ERROR: No matching distribution found", "ERROR: No matching distribution found"),
        ("all is well", "no reason given"),
    ],
)
def test_the_log_is_searched_for_the_reason(
    script: ModuleType, tmp_path: Path, log: str, error: str
) -> None:
    (tmp_path / "log").write_text(log)
    assert script.first_error(tmp_path / "log") == error


def test_pip_runs_and_its_words_are_kept(script: ModuleType, tmp_path: Path) -> None:
    wanted = tmp_path / "requirements.txt"
    wanted.write_text("# nothing\n")
    assert script.install(wanted, tmp_path / "new" / "log", plain()) == 0
    wanted.write_text("./nonesuch-1.0.whl --hash=sha256:" + "0" * 64)
    log = tmp_path / "log"
    assert script.install(wanted, log, plain()) != 0
    assert script.first_error(log).startswith("ERROR: ")


class Pip:
    """Stands for `install`: notes what it was asked for, answers as told."""

    def __init__(self, **status: int) -> None:
        self.status = status
        self.asked: list[str] = []

    def __call__(self, requirements: Path, log: Path, console: Console) -> int:
        self.asked.append(requirements.stem)
        return self.status[requirements.stem]

    def remove(self, package: str) -> None:
        self.asked.append(f"without {package}")


BOTH = has("cc", "c++")


@pytest.mark.parametrize(
    ("arguments", "there", "which", "status", "asked", "code", "words"),
    [
        ([], {"llama_cpp"}, BOTH, {}, [], 0, ""),
        ([], {"xllamacpp"}, BOTH, {}, [], 0, ""),
        (["--build"], {"xllamacpp"}, BOTH, {"llama": 0}, ["llama"], 0, "llama.cpp is ready."),
        (
            ["--build"],
            {"llama_cpp"},
            BOTH,
            {"llama": 0},
            ["without llama-cpp-python", "llama"],
            0,
            "llama.cpp is ready.",
        ),
        ([], set(), BOTH, {"llama": 0}, ["llama"], 0, "llama.cpp is ready."),
        (
            [],
            set(),
            has(),
            {"prebuilt": 0},
            ["prebuilt"],
            0,
            "no C compiler found: took the prebuilt engine, xllamacpp. To build: make engine B",
        ),
        (
            [],
            set(),
            BOTH,
            {"llama": 1, "prebuilt": 0},
            ["llama", "prebuilt"],
            0,
            "installing llama.cpp failed (",
        ),
        (
            [],
            set(),
            has("cc"),
            {"prebuilt": 1},
            ["prebuilt"],
            1,
            "dragtor: no C++ compiler found, and no prebuilt engine either (",
        ),
        (
            ["--requirements", "requirements/dev.txt"],
            {"llama_cpp"},
            BOTH,
            {"dev": 0},
            ["dev"],
            0,
            "llama.cpp is ready.",
        ),
        (
            ["--requirements", "requirements/dev.txt"],
            set(),
            has(),
            {},
            [],
            1,
            "dragtor: no C compiler found. To try again: make test",
        ),
    ],
)
def test_what_is_installed_and_said(
    script: ModuleType,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    there: set[str],
    which: Callable[[str], str | None],
    status: dict[str, int],
    asked: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.delenv("CXX", raising=False)
    pip = Pip(**status)
    got = script.main(
        arguments, install=pip, remove=pip.remove, importable=there.__contains__, which=which
    )
    out, err = capsys.readouterr()
    assert (got, pip.asked, out) == (code, asked, "")
    last = err.splitlines()[-1] if err else ""
    assert last.startswith(words)
    assert bool(last) == bool(words)


def test_importable_asks_a_fresh_python(script: ModuleType) -> None:
    assert script.importable("json")
    assert not script.importable("nonesuch_module")
