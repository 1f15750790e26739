"""What all benchmarks share: figures saved with the machine, the versions and the date.

Knows no room. `save("generation", {...})` writes benchmarks/results/generation.json.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS_FOLDER = Path(__file__).resolve().parent / "results"


def save(name: str, figures: Mapping[str, Any], packages: Iterable[str] = ()) -> Path:
    """Write `figures`; `packages` are distribution names whose versions matter to them."""
    record = {
        "benchmark": name,
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": machine(),
        "versions": {"python": platform.python_version()} | versions(packages),
        "figures": dict(figures),
    }
    RESULTS_FOLDER.mkdir(exist_ok=True)
    path = RESULTS_FOLDER / f"{name}.json"
    path.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return path


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
    for package in ("dragtor", *packages):
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
