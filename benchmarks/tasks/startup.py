"""`dragtor --help`, beside a typer app of the same commands and options that imports nothing."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any


def bare_source() -> str:
    """A program that declares what dragtor declares: groups, commands, options, help texts."""
    import typer.main

    from dragtor.cli import app

    lines = ["import typer", "app = typer.Typer(rich_markup_mode=None)"]
    lines += _group(typer.main.get_command(app), "app")
    return "\n".join([*lines, "app()"])


def _group(group: Any, name: str) -> list[str]:
    lines = [
        f"@{name}.callback()",
        f"def {name}_main({_parameters(group)}):",
        f"    {group.help!r}",
    ]
    for child_name, child in group.commands.items():
        inner = f"{name}_{child_name}"
        if hasattr(child, "commands"):
            lines.append(f"{inner} = typer.Typer(rich_markup_mode=None)")
            lines += _group(child, inner)
            lines.append(f"{name}.add_typer({inner}, name={child_name!r})")
        else:
            lines += [f"@{name}.command({child_name!r})", f"def {inner}({_parameters(child)}):"]
            lines.append(f"    {child.help!r}")
    return lines


def _parameters(command: Any) -> str:
    found = []
    for p in command.params:
        if p.name in ("help", "install_completion", "show_completion"):
            continue
        if p.param_type_name == "argument":
            found.append(f"{p.name}: list[str] = typer.Argument(help={p.help!r})")
            continue
        kind, default = ("bool", False) if p.is_flag else ("str", "")
        option = f"typer.Option({default!r}, {p.opts[0]!r}, help={p.help!r})"
        found.append(f"{p.name}: {kind} = {option}")
    return ", ".join(found)


def seconds(line: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run(line, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def run(rounds: int = 25) -> dict[str, float]:
    """Median seconds of both, and their ratio."""
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "bare.py"
        bare.write_text(bare_source(), "utf-8")
        ours = [sys.executable, "-m", "dragtor", "--help"]
        pairs = [
            (seconds(ours), seconds([sys.executable, str(bare), "--help"])) for _ in range(rounds)
        ]
    mine, theirs = median(p[0] for p in pairs), median(p[1] for p in pairs)
    return {
        "dragtor_s": round(mine, 4),
        "bare_typer_s": round(theirs, 4),
        "ratio": round(mine / theirs, 3),
    }
