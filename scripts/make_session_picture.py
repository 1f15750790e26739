"""Draws the session at the top of the README from a real run, as assets/session.svg.

    .venv/bin/python scripts/make_session_picture.py

The commands run in a terminal of their own, in an empty library; wants gte-small and the language
model that `llm.model: auto` takes. Long links end in an ellipsis, and how long it took is left out:
that is measured, docs/measured.md.
"""

from __future__ import annotations

import io
import os
import pty
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "assets" / "session.svg"
COLUMNS = 92
TIMINGS = "· total "
SHOWN_PLACE = "/home/you"  # in place of the folder it ran in
COMMANDS = (
    "dragtor add assets/sample_library",
    'dragtor ask "When may I climb again after an A2 pulley strain?"',
    'dragtor ask "What is the capital of Peru?"',
)
# rich's own template asks the network for a font; this one takes the reader's.
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def printed(command: str, folder: Path) -> str:
    """Everything that the command writes on a terminal, colours included."""
    program, _, arguments = command.partition(" ")
    assert program == "dragtor"
    line = f'exec "{sys.executable}" -m dragtor {arguments}'
    mine, theirs = pty.openpty()
    environment = os.environ | {
        "DRAGTOR_HOME": str(folder / "library"),
        "COLUMNS": str(COLUMNS),
        "TERM": "xterm-256color",
    }
    environment.pop("NO_COLOR", None)
    process = subprocess.Popen(
        ["sh", "-c", line], cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    data = b""
    while True:
        try:
            data += os.read(mine, 65536)
        except OSError:  # the other end is closed
            break
    os.close(mine)
    if process.wait():
        raise SystemExit(f"{command}: exit {process.returncode}: {data.decode()}")
    return data.decode().replace("\r\n", "\n").replace(str(folder), SHOWN_PLACE)


def main() -> None:
    """Run the commands and draw them."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        shutil.copytree(ROOT / "assets", folder / "assets")
        for command in COMMANDS:
            console.print(Text(f"$ {command}", style="bold"))
            for line in printed(command, folder).strip("\n").split("\n"):
                last = line.rpartition("\r")[2]  # what a progress bar leaves
                if (last or not line) and TIMINGS not in last:
                    console.print(Text.from_ansi(last), no_wrap=True, overflow="ellipsis")
            console.print()
    TARGET.write_text(console.export_svg(title="dragtor", code_format=SVG), "utf-8")


if __name__ == "__main__":
    main()
