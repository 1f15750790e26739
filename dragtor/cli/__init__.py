"""The command line: parse, make one library call, print. Errors are caught here, once.

Heavy imports stay inside the commands, so that `dragtor --help` is quick. Knows no step of the
pipelines.
"""

from __future__ import annotations

import os
import sys

import typer

from dragtor.cli import (
    ask,
    chat,
    checks,
    evals,
    extract,
    mcp,
    models,
    overview,
    research,
    serve,
    sources,
    tag,
    tags,
    tools,
    train,
)
from dragtor.cli.interrupt import stopping
from dragtor.cli.output import hint, settings, warn
from dragtor.errors import Cancelled, DragtorError
from dragtor.work import CancelToken

EPILOG = (
    "Exit codes: 0 ok, 1 failure, 2 usage, 3 no grounded answer (ask --strict), "
    "4 a model or extra is missing, 5 the library is locked or of another version, "
    "130 interrupted."
)
# Options that may stand anywhere on the line, and whether they take a value.
GLOBAL_OPTIONS = {"--library": True, "--config": True, "--quiet": False, "--verbose": False}

app = typer.Typer(
    name="dragtor",
    help="Ask the pages and files you trust, on your own machine.",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
GROUPS = (
    sources, ask, chat, research, tags, overview, extract, tag, models, checks, evals, train, serve,
    mcp, tools,
)  # fmt: skip
for group in GROUPS:
    group.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        from dragtor import __version__

        typer.echo(f"dragtor {__version__}")
        raise typer.Exit


@app.callback()
def _global(
    library: str = typer.Option("", help="Folder of the library.", metavar="FOLDER"),
    config: str = typer.Option("", help="Settings file to use.", metavar="FILE"),
    quiet: bool = typer.Option(False, "--quiet", help="No progress and no notes."),
    verbose: bool = typer.Option(False, "--verbose", help="More notes; tracebacks of errors."),
    version: bool = typer.Option(
        False, "--version", help="Show the version.", callback=_version, is_eager=True
    ),
) -> None:
    settings.library, settings.quiet, settings.verbose = library, quiet, verbose
    if config:
        os.environ["DRAGTOR_CONFIG"] = config


def hoist(arguments: list[str]) -> list[str]:
    """Move global options to the front, so that they may stand anywhere before `--`."""
    front: list[str] = []
    rest: list[str] = []
    queue = list(arguments)
    while queue:
        argument = queue.pop(0)
        name = argument.partition("=")[0]
        if argument == "--":
            rest += [argument, *queue]
            break
        if name not in GLOBAL_OPTIONS:
            rest.append(argument)
            continue
        front.append(argument)
        if GLOBAL_OPTIONS[name] and "=" not in argument and queue:
            front.append(queue.pop(0))
    return front + rest


def main(arguments: list[str] | None = None) -> None:
    """Run one command and exit with its documented code."""
    arguments = hoist(sys.argv[1:] if arguments is None else arguments)
    settings.cancel = CancelToken()
    try:
        with stopping(settings.cancel):
            app(arguments, prog_name="dragtor")
    except Cancelled as error:
        warn(str(error))
        sys.exit(error.exit_code)
    except SystemExit as end:
        if end.code == Cancelled.exit_code:  # typer's own for KeyboardInterrupt
            warn(str(Cancelled()))
        raise
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - no traceback reaches a user
        sys.exit(_failed(error))


def _failed(error: Exception) -> int:
    if settings.verbose:
        import traceback

        traceback.print_exc()
    if isinstance(error, DragtorError):
        warn(f"error: {error}")
        hint(error.hint)
        return error.exit_code
    warn(f"error: unexpected {type(error).__name__}: {' '.join(str(error).split())[:300]}")
    hint("run it again with --verbose and report what it prints")
    return 1


if __name__ == "__main__":
    main()
