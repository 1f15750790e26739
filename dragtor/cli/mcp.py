"""The command that serves the library to one program over stdin and stdout, by MCP.

stdout belongs to the protocol: nothing else is printed there. Knows no tool.
"""

from __future__ import annotations

import signal

import typer

from dragtor.cli.output import load_settings, settings


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
    signal.signal(signal.SIGTERM, lambda *_: settings.cancel.cancel())
    serve_stdio(config, folder, settings.cancel, allow_write=allow_write)
