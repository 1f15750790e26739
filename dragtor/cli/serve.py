"""The command that serves the library: serve.

Prints where, opens the browser, and shows pairing codes; knows nothing of what is served.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from dragtor.cli.output import AS_JSON, load_settings, out, out_json, settings, style, warn

if TYPE_CHECKING:
    from dragtor.serve.run import Ready


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command()(serve)


def serve(
    port: int | None = typer.Option(
        None, help="0: any that is free; else as configured.", min=0, max=65535
    ),
    browser: bool = typer.Option(True, "--browser/--no-browser", help="Open the page."),
    lan: bool = typer.Option(False, "--lan", help="For other devices of yours too; unencrypted."),
    address: str = typer.Option(
        "", help="Of this machine, for --lan, if it has several.", metavar="ADDRESS"
    ),
    new_token: bool = typer.Option(
        False, "--new-token", help="Forget the token and all paired devices."
    ),
    as_json: bool = AS_JSON,
) -> None:
    """Serve the page, the API and MCP of the library, until Ctrl-C."""
    from dragtor.config import library_path
    from dragtor.errors import UsageError
    from dragtor.serve.run import end_now, serve_library

    if address and not lan:
        raise UsageError("--address is for --lan", f"dragtor serve --lan --address {address}")
    config = load_settings()

    def ready(server: Ready) -> None:
        (_out_ready if as_json else _print_ready)(server)
        sys.stdout.flush()
        if browser:
            _open(server.open_url)
        if lan and not as_json and sys.stdin.isatty():
            _codes_on_enter(server)

    ended = serve_library(
        config,
        library_path(config.library, settings.library or None),
        ready,
        port=config.serve.port if port is None else port,
        lan=lan,
        address=address,
        new_token=new_token,
        verbose=settings.verbose,
    )
    if not ended:
        end_now()
    if not settings.quiet:
        warn("stopped; jobs that were cut off can be resumed")


def _out_ready(server: Ready) -> None:
    import os

    told = {"url": server.url, "token": server.keys.owner, "pid": os.getpid()}
    if server.lan_url:
        out_json(told | {"lan": {"url": server.lan_url, "code": server.keys.new_code()}})
    else:
        out_json(told)


def _print_ready(server: Ready) -> None:
    out(f"dragtor is at  {style(server.open_url, bold=True)}")
    if server.lan_url:
        out(f"in the network {style(server.lan_url, bold=True)}")
        _print_code(server)
        warn("  What goes over the network is not encrypted: use it in one that you trust.")
    if not settings.quiet:
        warn("Ctrl-C stops it.")


def _print_code(server: Ready) -> None:
    code = server.keys.new_code()
    out(f"  pairing code {style(f'{code[:4]} {code[4:]}', bold=True)}  (2 minutes, one device)")


def _codes_on_enter(server: Ready) -> None:
    """Enter shows a new pairing code, for as long as the process lives."""
    import os
    import threading

    def listen() -> None:
        while os.read(sys.stdin.fileno(), 1024):  # not by lines: nothing is held at the end
            _print_code(server)
            sys.stdout.flush()

    warn("  Enter shows a new code.")
    threading.Thread(target=listen, daemon=True).start()


def _open(url: str) -> None:
    """Open the page; a browser that takes its time holds up nobody."""
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()
