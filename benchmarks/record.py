"""Results on disk: what a figure was measured with, whether it still holds, and the table of them.

Knows the form of a task, not the list.
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from task import Row, Task, figure, printed

FIGURE = re.compile(r"\{(\w+):([^|{}]+)(?:\|([^{}]+))?\}")
NAMED_CHANGES = 3  # of a stale figure
HASH_DIGITS = 12


def save(folder: Path, task: Task, figures: Mapping[str, Any], key: Mapping[str, str]) -> Path:
    """Write folder/NAME.json: figures, machine, versions, date, and the key of the run."""
    record = {
        "benchmark": task.name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine(),
        "versions": {"python": platform.python_version()} | versions(("dragtor", *task.packages)),
        "run_key": dict(key),
        "figures": dict(figures),
    }
    folder.mkdir(exist_ok=True)
    path = folder / f"{task.name}.json"
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return path


def load(folder: Path, name: str) -> dict[str, Any] | None:
    """The record of a task; None where there is none."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.exists() else None


def run_key(task: Task, root: Path, tasks: Path, data: Path) -> dict[str, str]:
    """What the task's figures depend on, each with a hash or a version; absent data is left out."""
    module = task.call.partition(":")[0]
    key = {f"{tasks.name}/{module}.py": content(tasks / f"{module}.py")}
    key |= {name: content(root / name) for name in task.measures}
    key |= {f"data {name}": content(data / name) for name in task.data if (data / name).exists()}
    return key | versions(task.packages)


def stale(record: Mapping[str, Any], key: Mapping[str, str]) -> str:
    """What changed since the record, for people; empty where its figures still hold."""
    was = record.get("run_key")
    if was is None:
        return "recorded without a key"
    gone = {name for name in was.keys() - key.keys() if not name.startswith("data ")}
    changed = sorted(gone | {name for name in key if was.get(name) != key[name]})
    more = len(changed) - NAMED_CHANGES
    named = ", ".join(changed[:NAMED_CHANGES]) + (f" and {more} more" if more > 0 else "")
    return f"{named} changed" if changed else ""


@cache
def content(path: Path) -> str:
    """Hash of a file or of a folder's files; of Python, of what it does: no comment, no docstring.

    Raises FileNotFoundError: a task must not name what is not there.
    """
    if path.is_dir():
        files = sorted(p for p in path.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
        parts = [f"{file.relative_to(path)} {content(file)}" for file in files]
        return _hash("\n".join(parts).encode())
    data = path.read_bytes()
    return _hash(ast.dump(_silent(ast.parse(data))).encode() if path.suffix == ".py" else data)


def _silent(tree: ast.AST) -> ast.AST:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            del body[0]
    return tree


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:HASH_DIGITS]


def table(rows: Iterable[Row], tasks: Mapping[str, Task], folder: Path) -> str:
    """The rows as a Markdown table: what, figure, bar, and the tasks that measure it."""
    lines = ["| what | figure | bar | task |", "|---|---|---|---|"]
    for row in rows:
        found = [(name, path) for name, path, _ in FIGURE.findall(row.shown)]
        names = dict.fromkeys(name for name, _ in found)
        shown = row.unrecorded
        if all(load(folder, name) for name in names):
            shown = FIGURE.sub(lambda match: _recorded(folder, *match.groups()), row.shown)
        paths = {name: [path for each, path in found if each == name] for name in names}
        bars = [str(b) for name in names for b in tasks[name].bars if b.path in paths[name]]
        cells = row.what, shown, "; ".join(bars), ", ".join(f"`{name}`" for name in names)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _recorded(folder: Path, name: str, path: str, form: str | None) -> str:
    record = load(folder, name)
    assert record is not None
    return printed(figure(record["figures"], path), form or "")


def machine() -> dict[str, Any]:
    """Platform, processor, physical and logical cores, memory in GB."""
    import psutil

    return {
        "platform": f"{platform.system()} {platform.machine()}",
        "cpu": _cpu_name(),
        "cores": psutil.cpu_count(logical=False) or os.cpu_count(),
        "threads": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
    }


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Installed version by distribution name; "absent" where there is none."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    return found


def _cpu_name() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
