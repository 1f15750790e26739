"""The runner of benchmarks, on small tasks of its own; and the figures in the papers.

Every figure of docs/measured.md is a declared task's, as it was recorded. README states no other.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml
from conftest import ROOT

sys.path.insert(0, str(ROOT / "benchmarks"))
import record
import run
from declared import ROWS, TASKS
from run import Bench
from task import Bar, Row, Task, Way, figure, printed

TASK_FILE = """
import os, subprocess, sys, time
from pathlib import Path

def good(n=1):
    return {"a": {"b": n}, "share": 0.25, "each": [3, 1, 2], "count": "3/4"}

def counted(file):
    path = Path(file)
    path.write_text(path.read_text() + "x" if path.exists() else "x")
    return {"a": {"b": 1}}

def broken():
    print("some words before")
    raise ValueError("no such luck")

def dies():
    print("last words", flush=True)
    os._exit(3)

def slow(file):
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"],
                             start_new_session=True)
    draft = Path(file).with_suffix(".draft")
    draft.write_text(f"{os.getpid()} {child.pid}")
    draft.rename(file)
    time.sleep(60)
"""
AT_LEAST_1 = (Bar("a/b", ">=", 1),)
GOOD = Task("good", "fake:good", ("code",), Way(0.001), Way(0.001), AT_LEAST_1)


@pytest.fixture
def bench(tmp_path: Path) -> Callable[..., Bench]:
    """A folder of its own with two functions to measure, and a bench of the tasks given."""
    for name in ("tasks", "data/here", "code"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "tasks" / "fake.py").write_text(TASK_FILE)
    (tmp_path / "code" / "part.py").write_text('"""What it is."""\n\nSIZE = 1\n')
    (tmp_path / "measured.md").write_text(f"# Page\n\n{''.join(run.MARKS)}\nMore.\n")

    def of(*tasks: Task, **more: Any) -> Bench:
        return Bench(
            tasks, more.pop("rows", ()), lambda model: model == "here", tmp_path,
            tmp_path / "tasks", tmp_path / "results", tmp_path / "data", tmp_path / "bench.json",
            tmp_path / "measured.md", **more,
        )  # fmt: skip

    return of


def lines(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Name -> status and text of each line."""
    found = {}
    for line in capsys.readouterr().out.splitlines():
        status, _, rest = line.partition(" ")
        name, _, text = rest.strip().partition(" ")
        found[name] = f"{status} {text.strip()}"
    return found


def test_each_outcome_has_its_line_and_one_failure_stops_nothing(
    bench: Callable[..., Bench], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    bad = Way(0.001, {"n": 0})
    found = run.main([], bench(
        GOOD,
        replace(GOOD, name="low", full=bad, sample=bad),
        replace(GOOD, name="broken", call="fake:broken"),
        replace(GOOD, name="dies", call="fake:dies"),
        replace(GOOD, name="absent", call="fake:nothing"),
        replace(GOOD, name="odd", bars=(Bar("a/c", ">=", 1),)),
        replace(GOOD, name="last", sample=Way(0.002)),
    ))  # fmt: skip
    said = lines(capsys)
    assert found == 1
    assert said["good"] == "ok a/b 1 (≥ 1) · 0 s · not recorded"
    assert said["low"] == "missed a/b 0 (≥ 1) · 0 s · not recorded"
    assert said["broken"] == "failed ValueError: no such luck"
    assert said["dies"] == "failed last words"
    assert said["absent"].startswith("failed AttributeError: ")
    assert said["odd"] == "failed its result has no a/c"
    assert said["last"].startswith("ok ")
    assert not (tmp_path / "results").exists()
    assert not (tmp_path / "bench.json").exists()


def test_what_is_not_here_is_skipped_with_what_would_help(
    bench: Callable[..., Bench], capsys: pytest.CaptureFixture[str]
) -> None:
    none = Way(0.001, {}, ("there",))
    tasks = (
        GOOD,
        replace(GOOD, name="data", data=("here", "there")),
        replace(GOOD, name="model", full=none, sample=none),
        replace(GOOD, name="torch", modules=("no_torch",), elsewhere="other/python run.py"),
        replace(GOOD, name="program", programs=("no-such-program",)),
        replace(GOOD, name="network", network=True),
        replace(GOOD, name="whole", sample=None, full=Way(7)),
        replace(GOOD, name="long", sample=Way(2)),
    )
    assert run.main([], bench(*tasks, budget_s=60)) == 0
    said = lines(capsys)
    assert {name: text for name, text in said.items() if text.startswith("skipped")} == {
        "data": "skipped data there is not here",
        "model": "skipped model there: dragtor models pull there",
        "torch": "skipped no_torch is not here: other/python run.py",
        "program": "skipped the program no-such-program is not here",
        "network": "skipped network: make bench ONLY=network FULL=1",
        "whole": "skipped has no sample, 7 min: make bench ONLY=whole FULL=1",
        "long": "skipped over the time left",
    }
    assert said["ok,"].startswith("1 7 skipped · ")


def gone(pids: list[int], seconds: float = 1.0) -> bool:
    """Whether the processes end within `seconds`; a zombie has ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not any(running(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_task_over_its_time_is_ended_with_all_that_it_started(
    bench: Callable[..., Bench], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "pids"
    way = Way(0.0001, {"file": str(file)})
    slow = replace(GOOD, name="slow", call="fake:slow", full=way, sample=way)
    assert run.main([], bench(slow, GOOD, least_s=1.0)) == 1
    said = lines(capsys)
    assert said["slow"] == "failed stopped after 1 s"
    assert said["good"].startswith("ok ")
    assert gone([int(pid) for pid in file.read_text().split()])
    assert run.main([], bench(slow, budget_s=0.5)) == 0  # not the task's fault
    assert lines(capsys)["slow"] == "skipped over the time left"


def test_ctrl_c_ends_the_running_task_within_a_second(tmp_path: Path) -> None:
    (tmp_path / "fake.py").write_text(TASK_FILE)
    pids, program = tmp_path / "pids", tmp_path / "program.py"
    program.write_text(
        textwrap.dedent(f"""
        import sys
        from pathlib import Path
        sys.path.insert(0, {str(ROOT / "benchmarks")!r})
        import run
        from task import Task, Way
        way = Way(1, {{"file": {str(pids)!r}}})
        task = Task("slow", "fake:slow", (), way, way)
        here = Path({str(tmp_path)!r})
        sys.exit(run.main([], run.Bench((task,), (), bool, here, here)))
    """)
    )
    process = subprocess.Popen([sys.executable, str(program)], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + 10
    while not pids.exists() and time.monotonic() < until:
        time.sleep(0.02)
    started = [int(pid) for pid in pids.read_text().split()]
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(5) == 130
    assert gone(started)
    assert time.monotonic() - begun < 1
    assert process.stderr is not None
    assert process.stderr.read() == "stopped\n"
    process.stderr.close()


def test_a_full_run_goes_on_where_it_was_stopped(
    bench: Callable[..., Bench], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    way = Way(0.001, {"file": str(tmp_path / "count")})
    first = Task("first", "fake:counted", ("code",), way, way, AT_LEAST_1)
    second = replace(GOOD, name="second", call="fake:broken", full=Way(0.002))
    assert run.main(["--full"], bench(first, second)) == 1  # as if it had been killed here
    assert (tmp_path / "count").read_text() == "x"
    second = replace(second, call="fake:good")
    capsys.readouterr()
    assert run.main(["--full"], bench(first, second)) == 0
    said = lines(capsys)
    assert (tmp_path / "count").read_text() == "x"
    assert said["first"].endswith("· before")
    assert not said["second"].endswith("· before")
    assert not (tmp_path / "bench.json").exists()  # all is done: the next run begins anew
    assert run.main(["--full"], bench(first, second)) == 0
    assert (tmp_path / "count").read_text() == "xx"


def test_what_was_done_under_another_key_is_done_again(
    bench: Callable[..., Bench], tmp_path: Path
) -> None:
    way = Way(0.001, {"file": str(tmp_path / "count")})
    first = Task("first", "fake:counted", ("code",), way, way, AT_LEAST_1)
    broken = replace(GOOD, name="second", call="fake:broken", full=Way(0.002))
    assert run.main(["--full"], bench(first, broken)) == 1
    (tmp_path / "code" / "part.py").write_text("SIZE = 2\n")
    record.content.cache_clear()
    assert run.main(["--full"], bench(first, broken)) == 1
    assert (tmp_path / "count").read_text() == "xx"


def test_a_recorded_figure_is_stale_once_its_code_has_changed(
    bench: Callable[..., Bench], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    row = Row("what it is", "{good:share|.0%} of {good:each}, {good:count}")
    made = bench(replace(GOOD, data=("here",)), rows=(row,))
    assert run.main(["--only", "good", "--record"], made) == 0
    known = json.loads((tmp_path / "results" / "good.json").read_text())
    assert known["figures"]["share"] == 0.25
    assert known["machine"]["threads"] == os.cpu_count()
    assert set(known["run_key"]) == {"tasks/fake.py", "code", "data here"}
    page = (tmp_path / "measured.md").read_text()
    assert "| what it is | 25 % of 2, 3 of 4 |  | `good` |" in page
    assert page.startswith("# Page\n")
    assert page.endswith("\nMore.\n")

    def said() -> str:
        record.content.cache_clear()
        capsys.readouterr()
        assert run.main([], made) == 0
        return lines(capsys)["good"]

    part = tmp_path / "code" / "part.py"
    assert said().endswith(f"· recorded 1 on {known['date']}")
    part.write_text('"""Other words."""\n# and a comment\nSIZE = 1\n')
    assert said().endswith(f"· recorded 1 on {known['date']}")
    part.write_text("SIZE = 2\n")
    assert said().endswith("stale: code changed")
    (tmp_path / "data" / "here" / "more").write_text("x")
    assert said().endswith("stale: code, data here changed")
    (tmp_path / "data" / "here" / "more").unlink()
    (tmp_path / "data" / "here").rmdir()  # what is not here cannot have changed
    part.write_text("SIZE = 1\n")
    assert lines(capsys) == {}
    made = replace(made, tasks=(GOOD,))
    assert said().endswith(f"· recorded 1 on {known['date']}")
    del known["run_key"]
    (tmp_path / "results" / "good.json").write_text(json.dumps(known))
    assert said().endswith("stale: recorded without a key")


def test_samples_are_not_recorded(
    bench: Callable[..., Bench], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sampled = replace(GOOD, sample=Way(0.001, {"n": 2}))
    with pytest.raises(SystemExit):
        run.main(["--record"], bench(sampled))
    with pytest.raises(SystemExit, match="a sample is not recorded"):
        run.main(["--only", "good", "--record"], bench(sampled))
    with pytest.raises(SystemExit, match="no benchmark nothing; there are good"):
        run.main(["--only", "nothing"], bench(sampled))
    assert not (tmp_path / "results").exists()


def test_figures_are_found_and_printed() -> None:
    figures = {"a": [{"b": 0.5}], "c": True}
    assert figure(figures, "a/0/b") == 0.5
    for path in ("a/1/b", "a/x", "c/d", "e"):
        with pytest.raises(KeyError):
            figure(figures, path)
    assert [printed(0.1 + 0.2), printed(7), printed("12/12"), printed([3, 1, 2], ".1f")] == [
        "0.3", "7", "12 of 12", "2.0",
    ]  # fmt: skip
    assert str(Bar("a", "<=", 0.15, 0.1)) == "≤ 0.15, wanted 0.1"


# The declared list, and the papers


def test_what_is_declared_is_there() -> None:
    names = [task.name for task in TASKS]
    assert len(names) == len(set(names))
    declared = yaml.safe_load((ROOT / "config" / "models.yml").read_text("utf-8"))
    for task in TASKS:
        module, _, function = task.call.partition(":")
        code = (ROOT / "benchmarks" / "tasks" / f"{module}.py").read_text("utf-8")
        assert f"\ndef {function}(" in code, task.name
        assert [path for path in task.measures if not (ROOT / path).exists()] == [], task.name
        assert task.shown, task.name
        for way in (task.full, task.sample or task.full):
            assert set(way.models) <= set(declared), task.name
        assert task.elsewhere or not task.modules, task.name
    files = {path.stem for path in (ROOT / "benchmarks" / "tasks").glob("*.py")} - {"common"}
    assert files == {task.call.partition(":")[0] for task in TASKS}
    results = {path.stem for path in (ROOT / "benchmarks" / "results").glob("*.json")}
    assert results <= set(names)


BINDS = """
import importlib, inspect, sys
from declared import TASKS
for task in TASKS:
    module, _, function = task.call.partition(":")
    call = getattr(importlib.import_module(module), function)
    for way in (task.full, task.sample or task.full):
        inspect.signature(call).bind(**way.arguments)
"""


def test_every_task_can_be_called_as_declared() -> None:
    folder = ROOT / "benchmarks"
    paths = os.pathsep.join(map(str, (folder, folder / "tasks", ROOT)))
    line = [sys.executable, "-c", BINDS]
    done = subprocess.run(
        line, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-500:]


def test_the_samples_fit_into_ten_minutes() -> None:
    assert sum(task.sample.minutes for task in TASKS if task.sample and not task.network) <= 20


def test_the_table_of_figures_is_what_was_recorded() -> None:
    bench = Bench(TASKS, ROWS, bool)
    page = bench.page.read_text("utf-8")
    table = page.partition(run.MARKS[0])[2].partition(run.MARKS[1])[0]
    assert table == run.figures_table(bench)


def test_readme_states_no_figure_that_is_not_measured() -> None:
    """A number with a unit of measure is in docs/measured.md, or the size of a model."""
    unit = re.compile(r"\d[\d.,]*\s?(?:%|×|ms|MB|GB|s)(?![\w/])")
    text = re.sub(r"^```.*?^```", "", (ROOT / "README.md").read_text("utf-8"), flags=re.M | re.S)
    page = (ROOT / "docs" / "measured.md").read_text("utf-8")
    measured = {"".join(found.group().split()) for found in unit.finditer(page)}
    said = {"".join(found.group().split()) for found in unit.finditer(text)}
    assert said - measured - sizes_of_models() == set()


def sizes_of_models() -> set[str]:
    """Of each model, of its first file, and of those that hear, as the README rounds them."""
    listed = yaml.safe_load((ROOT / "config" / "models.yml").read_text("utf-8"))
    sizes = {name: [f.get("bytes", 0) for f in one["files"]] for name, one in listed.items()}
    speech = re.search(r"^SPEECH +:= (.+)$", (ROOT / "Makefile").read_text("utf-8"), re.M)
    assert speech
    heard = sum(sum(sizes[name]) for name in speech[1].split())
    totals = [heard, *(sum(each) for each in sizes.values()), *(each[0] for each in sizes.values())]
    return {f"{total / 1e6:.0f}MB" for total in totals} | {f"{t / 1e9:.1f}GB" for t in totals}
