"""How large the default install is, by distribution, and that it holds no torch and no CUDA.

Sizes are MB (1e6 bytes): of the files as they are, and of the blocks that they take on this disk.
Bytecode is told apart: pip compiles every module, `make setup` leaves it to the first import.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements" / "base.txt"
HEAVY = ("torch", "nvidia", "cuda", "triton")
BYTECODE = ".pyc"
LISTED = 20
BLOCK_BYTES = 512  # the unit of st_blocks


def run(fresh: bool = True) -> dict[str, Any]:
    """Of a new environment, made as `make setup` does; else of the one that runs this."""
    if not fresh:
        return figures(sys.path)
    work = Path(tempfile.mkdtemp(prefix="dragtor-size-"))
    subprocess.run([sys.executable, "-m", "venv", str(work)], check=True)
    install = [str(work / "bin" / "python"), "-m", "pip", "install", "-q"]
    subprocess.run(
        [*install, "--no-compile", "--require-hashes", "-r", str(REQUIREMENTS)], check=True
    )
    found = figures([str(path) for path in work.glob("lib/*/site-packages")])
    files = [path for path in work.rglob("*") if path.is_file() and not path.is_symlink()]
    found["environment_mb"], found["environment_disk_mb"], _ = sizes(files)
    shutil.rmtree(work)
    return found


def figures(path: list[str]) -> dict[str, Any]:
    """The pinned distributions of base.txt that are on a path of modules."""
    lines = REQUIREMENTS.read_text("utf-8").splitlines()
    pinned = {name(line.partition("==")[0]) for line in lines if "==" in line}
    here = {name(one.name): one for one in distributions(path=path)}
    by_name = {each: sizes(files_of(here[each])) for each in sorted(pinned & here.keys())}
    total = [round(sum(size[column] for size in by_name.values()), 1) for column in range(3)]
    largest = sorted(by_name, key=lambda each: -by_name[each][0])[:LISTED]
    return {
        "distributions": len(by_name),
        "mb": total[0],
        "disk_mb": total[1],
        "bytecode_mb": total[2],
        "largest_mb": {each: by_name[each][0] for each in largest},
        "torch_or_cuda": [each for each in by_name if each.startswith(HEAVY)],
    }


def name(text: str) -> str:
    """As the index spells it."""
    return text.strip().lower().replace("_", "-").replace(".", "-")


def files_of(distribution: Distribution) -> Iterator[Path]:
    for file in distribution.files or ():
        yield Path(str(distribution.locate_file(file)))


def sizes(files: Any) -> tuple[float, float, float]:
    """MB without bytecode, MB of its blocks, MB of bytecode."""
    found = {path: path.lstat() for path in files if path.exists()}
    plain = [stat for path, stat in found.items() if path.suffix != BYTECODE]
    compiled = sum(stat.st_size for path, stat in found.items() if path.suffix == BYTECODE)
    apparent, disk = sum(s.st_size for s in plain), sum(s.st_blocks for s in plain) * BLOCK_BYTES
    return round(apparent / 1e6, 1), round(disk / 1e6, 1), round(compiled / 1e6, 1)
