"""The command that serves the library to one program over stdin and stdout, by MCP.

stdout belongs to the protocol: nothing else is printed there. Knows no tool.
"""

from __future__ import annotations

import os

import typer

from dragtor.cli.output import load_settings, settings
from dragtor.errors import Cancelled


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(mcp)


def mcp(
    allow_write: bool = typer.Option(
        False, "--allow-write", help="Let the program add and remove sources, too."
    ),
) -> None:
    """Serve Claude Desktop, Cursor, Zed and others over stdin and stdout (MCP)."""
    from dragtor.config import library_path
    from dragtor.serve.mcp import serve_stdio

    config = load_settings()
    folder = library_path(config.library, settings.library or None)
    with settings.cancel.calling(_stop):
        serve_stdio(config, folder, allow_write=allow_write)


def _stop() -> None:
    """Ctrl-C: the thread that waits for a line of stdin would go on waiting."""
    os._exit(Cancelled.exit_code)
