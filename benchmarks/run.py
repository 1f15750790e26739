"""Runs the declared benchmarks, each in a process of its own, and says how they stand.

    python benchmarks/run.py                  fixed samples, ten minutes in all
    python benchmarks/run.py --only NAME      that one, shown while it runs; --full: the whole of it
    python benchmarks/run.py --full           everything; a run that was stopped goes on

`--record` writes results/ and the table of docs/measured.md, `--table` only that; nothing else
writes there. Exits 1 where a bar was missed or a task failed. Knows no benchmark: declared.py does.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import record
from task import Row, Task, Way, figure, printed

HERE = Path(__file__).resolve().parent
CHILD = HERE / "child.py"
MARKS = "<!-- figures -->\n", "<!-- end of figures -->\n"
INTERRUPTED = 130
STDERR = 2

Status = Literal["ok", "missed", "failed", "skipped", "stopped"]


@dataclass(frozen=True)
class Bench:
    """The list, where its things lie, and how long it may take."""

    tasks: tuple[Task, ...]
    rows: tuple[Row, ...]
    pulled: Callable[[str], bool]  # whether a model is here
    root: Path = HERE.parent
    functions: Path = HERE / "tasks"
    results: Path = HERE / "results"
    data: Path = HERE.parent.parent / "shared" / "data"
    journal: Path = HERE.parent / "data" / "bench.json"
    page: Path = HERE.parent / "docs" / "measured.md"
    budget_s: float = 600.0  # of all samples together
    least_s: float = 90.0  # a task may take three times what it states, and at least this

    def limit_s(self, way: Way) -> float:
        """After so many seconds a task is stopped."""
        return max(self.least_s, 3 * 60 * way.minutes)

    def key(self, task: Task) -> dict[str, str]:
        """What the task's figures depend on today."""
        return record.run_key(task, self.root, self.functions, self.data)


@dataclass(frozen=True)
class Outcome:
    """What came of a task; `text` is the rest of its line."""

    status: Status
    text: str
    figures: dict[str, Any] | None = None
    path: str = ""  # of the figure that `text` begins with

    def line(self, name: str) -> str:
        return f"{self.status:8} {name:20} {self.text}"


def missing(task: Task, way: Way, bench: Bench) -> str:
    """What the task needs and is not here, with the command that gets it; empty if all is."""
    for name in task.data:
        if not (bench.data / name).exists():
            return f"data {name} is not here"
    for module in task.modules:
        if importlib.util.find_spec(module) is None:
            return f"{module} is not here: {task.elsewhere}"
    for program in task.programs:
        if shutil.which(program) is None:
            return f"the program {program} is not here"
    for model in way.models:
        if not bench.pulled(model):
            return f"model {model}: dragtor models pull {model}"
    return ""


def run_task(task: Task, way: Way, bench: Bench, seconds: float, shown: bool) -> Outcome:
    """Call the function in a process group of its own, for at most `seconds`."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="dragtor-bench-") as place:
        result, log = Path(place) / "result.json", Path(place) / "log"
        line = [sys.executable, str(CHILD), str(bench.functions), task.call]
        line += [json.dumps(dict(way.arguments)), str(result)]
        with log.open("wb") as out:
            process = subprocess.Popen(
                line,
                cwd=bench.root,
                env=os.environ | {"TMPDIR": place},
                stdin=subprocess.DEVNULL,
                stdout=STDERR if shown else out,
                stderr=None if shown else out,
                start_new_session=True,
            )
            try:
                code = process.wait(seconds)
            except subprocess.TimeoutExpired:
                return Outcome("stopped", f"stopped after {seconds:.0f} s")
            finally:
                end(process)
        told = json.loads(result.read_text("utf-8")) if result.exists() else {}
        last = log.read_text("utf-8", "replace").strip().rpartition("\n")[2]
    if "figures" not in told:
        return Outcome("failed", told.get("error") or last or f"exit code {code}")
    return judged(task, way, told["figures"], time.monotonic() - begun)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a task, with all that it started, in whatever group."""
    import psutil

    try:
        started = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        started = []
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    for each in started:
        if each.is_running():
            each.kill()
    process.wait()


def judged(task: Task, way: Way, figures: dict[str, Any], seconds: float) -> Outcome:
    """The figures against the bars."""
    bars = [bar for bar in task.bars if bar.of_sample or way is task.full]
    try:
        wrong = [bar for bar in bars if not bar.met(figures)]
        shown = [(bar.path, str(bar)) for bar in wrong]
        shown = shown or [(task.shown, next((str(b) for b in bars if b.path == task.shown), ""))]
        told = [
            f"{path} {printed(figure(figures, path))}" + (f" ({bar})" if bar else "")
            for path, bar in shown
        ]
    except KeyError as error:
        return Outcome("failed", f"its result has no {error.args[0]}")
    text = f"{', '.join(told)} · {seconds:.0f} s"
    return Outcome("missed" if wrong else "ok", text, figures, shown[0][0])


def remembered(task: Task, bench: Bench, path: str, whole: bool) -> str:
    """What was recorded of the task's figure at `path`, and whether it still holds."""
    known = record.load(bench.results, task.name)
    if known is None:
        return " · not recorded"
    changed = record.stale(known, bench.key(task))
    try:
        value = f" {printed(figure(known['figures'], path))}{'' if whole else ' of the whole'}"
    except KeyError:
        value = ""  # recorded before this figure was told
    told = f" · recorded{value} on {known['date']}"
    return told + (f", stale: {changed}" if changed else "")


def attempt(task: Task, way: Way, bench: Bench, left_s: float, shown: bool) -> Outcome:
    """Skip the task, or run it and remember."""
    if why := missing(task, way, bench):
        return Outcome("skipped", why)
    if 60 * way.minutes > left_s:
        return Outcome("skipped", "over the time left")
    found = run_task(task, way, bench, min(left_s, bench.limit_s(way)), shown)
    if found.status == "stopped" and left_s < bench.limit_s(way):
        return Outcome("skipped", "over the time left")
    if found.figures is None:
        return replace(found, status="failed")
    whole = dict(way.arguments) == dict(task.full.arguments)
    return replace(found, text=found.text + remembered(task, bench, found.path, whole))


def samples(bench: Bench) -> list[Status]:
    """Everything that has a sample, the short ones first, while there is time."""
    deadline = time.monotonic() + bench.budget_s
    found = []
    for task in sorted(bench.tasks, key=lambda t: t.sample.minutes if t.sample else 1e9):
        way = task.sample
        if why := missing(task, way or task.full, bench) or _wants_network(task):
            outcome = Outcome("skipped", why)
        elif way is None:
            whole = f"{task.full.minutes:g} min: make bench ONLY={task.name} FULL=1"
            outcome = Outcome("skipped", f"has no sample, {whole}")
        else:
            outcome = attempt(task, way, bench, deadline - time.monotonic(), shown=False)
        print(outcome.line(task.name), flush=True)
        found.append(outcome.status)
    return found


def _wants_network(task: Task) -> str:
    return f"network: make bench ONLY={task.name} FULL=1" if task.network else ""


def everything(bench: Bench, recording: bool) -> list[Status]:
    """All in full. What was done under today's keys is not done again, until all is done."""
    done = json.loads(bench.journal.read_text("utf-8")) if bench.journal.exists() else {}
    found: list[Status] = []
    for task in sorted(bench.tasks, key=lambda t: t.full.minutes):
        known = done.get(task.name, {})
        key = bench.key(task)
        if known.get("key") == key:
            outcome = Outcome(known["status"], known["text"] + " · before", known["figures"])
        else:
            outcome = attempt(task, task.full, bench, 1e9, shown=False)
        print(outcome.line(task.name), flush=True)
        found.append(outcome.status)
        if outcome.figures is not None and known.get("key") != key:
            done[task.name] = {"key": key, "status": outcome.status, "text": outcome.text}
            done[task.name]["figures"] = outcome.figures
            _write(bench.journal, json.dumps(done))
        if recording and outcome.figures is not None:
            keep(task, bench, outcome.figures)
    if "failed" not in found:
        bench.journal.unlink(missing_ok=True)
    return found


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_text(text, "utf-8")
    draft.rename(path)


def one(bench: Bench, name: str, full: bool, recording: bool) -> list[Status]:
    """One task, its output shown."""
    known = {task.name: task for task in bench.tasks}
    if name not in known:
        raise SystemExit(f"no benchmark {name}; there are {', '.join(sorted(known))}")
    task = known[name]
    way = task.full if full or task.sample is None else task.sample
    outcome = attempt(task, way, bench, 1e9, shown=True)
    print(outcome.line(name), flush=True)
    if recording and outcome.figures is not None:
        if dict(way.arguments) != dict(task.full.arguments):
            raise SystemExit(f"a sample is not recorded: make bench ONLY={name} FULL=1 RECORD=1")
        keep(task, bench, outcome.figures)
    return [outcome.status]


def keep(task: Task, bench: Bench, figures: dict[str, Any]) -> None:
    """Write the result, and the table of docs/measured.md with it."""
    print(f"         {record.save(bench.results, task, figures, bench.key(task))}")
    rewrite(bench)


def rewrite(bench: Bench) -> None:
    """Put what is recorded into the table of docs/measured.md."""
    before, _, rest = bench.page.read_text("utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    bench.page.write_text(before + MARKS[0] + figures_table(bench) + MARKS[1] + after, "utf-8")


def figures_table(bench: Bench) -> str:
    """The rows of docs/measured.md."""
    return "\n" + record.table(bench.rows, {t.name: t for t in bench.tasks}, bench.results) + "\n"


def main(arguments: Sequence[str], bench: Bench) -> int:
    """0 where all that ran is well, 1 where not, 130 where somebody stopped it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", default="")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--table", action="store_true")
    chosen = parser.parse_args(arguments)
    if chosen.record and not (chosen.full or chosen.only):
        parser.error("samples are not recorded: --record goes with --full or --only")
    if chosen.table:
        rewrite(bench)
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    begun = time.monotonic()
    try:
        if chosen.only:
            found = one(bench, chosen.only, chosen.full, chosen.record)
        elif chosen.full:
            found = everything(bench, chosen.record)
        else:
            found = samples(bench)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return INTERRUPTED
    counts = {status: found.count(status) for status in dict.fromkeys(found)}
    told = ", ".join(f"{count} {status}" for status, count in counts.items())
    print(f"{told} · {time.monotonic() - begun:.0f} s")
    return 1 if {"missed", "failed"} & counts.keys() else 0


def pulled(model: str) -> bool:
    """Whether the files of a model are here."""
    from dragtor.config import load_config, models_path
    from dragtor.errors import DragtorError
    from dragtor.models import model_path

    try:
        return bool(model_path(model, models_path(load_config().models)))
    except DragtorError:
        return False


if __name__ == "__main__":
    from declared import ROWS, TASKS

    sys.exit(main(sys.argv[1:], Bench(TASKS, ROWS, pulled)))
