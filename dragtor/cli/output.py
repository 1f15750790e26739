"""What every command shares: global options, the library to work on, and how things are printed.

stdout is the answer; notes and progress go to stderr. Knows no command.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

import typer

from dragtor.work import CancelToken, Reporter

if TYPE_CHECKING:
    from dragtor.config import Config
    from dragtor.library import Library
    from dragtor.types import Citation, Report


@dataclass
class Settings:
    """The global options of this run."""

    library: str = ""
    quiet: bool = False
    verbose: bool = False
    cancel: CancelToken = field(default_factory=CancelToken)  # what Ctrl-C asks to stop


settings = Settings()
AS_JSON = typer.Option(False, "--json", help="One JSON object on stdout.")
REDRAW_S = 0.1
LONG_NAME = 400  # characters of an address or path that are shown
# Shown though Python calls them unprintable: line breaks, spaces, and what joins letters.
SHOWN = "\n\t\xa0\u2009\u200a\u200c\u200d\u202f\u3000"
ESCAPE = "\ud81b"  # stands for the escape character of `style`; no stored text can hold it
_STYLE = re.compile(ESCAPE + r"(\[[\d;]*m)")


def load_settings(overrides: dict[str, Any] | None = None) -> Config:
    """The configuration, with what this command's options override."""
    from dragtor.config import load_config, unknown_variables

    config = load_config(overrides=overrides)
    if not settings.quiet:
        for line in unknown_variables(config):
            warn(line)
    return config


@contextmanager
def library(overrides: dict[str, Any] | None = None) -> Iterator[Library]:
    """The library to work on, with notes and progress on stderr."""
    from dragtor.library import Library

    with TerminalReporter() as reporter:
        opened = Library(
            settings.library or None,
            config=load_settings(overrides),
            reporter=reporter,
            cancel=settings.cancel,
        )
        with opened:
            yield opened


class TerminalReporter(Reporter):
    """A bar with time left on stderr; nothing where stderr is no terminal or --quiet is given."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty() and not settings.quiet
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        self._last_s = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bars is not None:
            self._bars.stop()

    def progress(self, label: str, done: float, total: float) -> None:
        """`done` of `total`, in any unit; the bar goes when it is full."""
        now = time.monotonic()
        if not self._shown or (done < total and now - self._last_s < REDRAW_S):
            return
        self._last_s = now
        if self._bars is None:
            self._bars = _bars()
            self._bars.start()
        short = textwrap.shorten(_printable(label, sys.stderr.encoding), 48)
        if short not in self._tasks:
            self._tasks[short] = self._bars.add_task(short, total=total)
        self._bars.update(self._tasks[short], completed=done, total=total)
        if done >= total:
            self._bars.remove_task(self._tasks.pop(short))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While a line is awaited nothing is drawn."""
        if self._bars is not None:
            self._bars.stop()
        yield
        if self._bars is not None:
            self._bars.start()

    def note(self, text: str) -> None:
        """One line on stderr."""
        if settings.quiet:
            return
        if self._bars is not None:
            text = _printable(text, sys.stderr.encoding)
            self._bars.console.print(text, markup=False, highlight=False)
        else:
            warn(text)


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeLeft(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


# Printing


def out(text: str = "") -> None:
    """A line of the answer; what the terminal cannot show is replaced."""
    typer.echo(_printable(text, sys.stdout.encoding))


def out_text(text: str) -> None:
    """A text as it is, but for control characters; a terminal shows only what is printable."""
    if sys.stdout.isatty():
        out(text)
        return
    from unicodedata import category

    safe = "".join(_printable(c, "utf-8") if category(c) in ("Cc", "Cs") else c for c in text)
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(safe.encode(encoding, "replace").decode(encoding))


def warn(text: str) -> None:
    """A note on stderr."""
    typer.echo(_printable(text, sys.stderr.encoding), err=True)


def hint(text: str) -> None:
    """What helps against an error, under it."""
    if text:
        warn(f"  try: {same_library(text)}")


def same_library(command: str) -> str:
    """A `dragtor …` command, made to work on the library of this run."""
    if not settings.library:
        return command
    place = shlex.quote(settings.library).replace("\\", r"\\\\")
    return re.sub(r"^((?:[A-Z_]+=\S+ )*)dragtor ", rf"\1dragtor --library {place} ", command)


def write_file(path: Path, text: str, again: str) -> None:
    """Write a new text file; raises UsageError, with the command `again` as its hint."""
    try:
        path = path.expanduser()
        with path.open("x", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except (OSError, RuntimeError, ValueError) as error:  # no such home; a name no file can have
        from dragtor.errors import UsageError

        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot write {path}: {why}", again) from error
    warn(f"written: {path}")


def out_json(data: Any) -> None:
    """One JSON object, valid UTF-8 whatever the texts hold."""
    import json

    out(json.dumps(data, ensure_ascii=True))


def style(text: str, **how: Any) -> str:
    """Coloured, where stdout is a terminal and NO_COLOR is not set."""
    if not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return typer.style(text.replace("\x1b", "�"), **how).replace("\x1b", ESCAPE)


def wrapped(text: str, indent: str = "  ", first: str | None = None) -> str:
    """A paragraph folded to the terminal."""
    width = min(shutil.get_terminal_size((88, 24)).columns, 100)
    flat = " ".join(text.split())
    head = indent if first is None else first
    return textwrap.fill(
        flat, width, initial_indent=head, subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


def out_citation(citation: Citation, mark: str) -> None:
    """A quote, what answers in bold, where it stands, and the link that opens there."""
    from dragtor.display import where

    indent = " " * len(mark)
    start, end = citation.answering
    quote = citation.quote
    if start < end:
        quote = quote[:start] + style(quote[start:end], bold=True) + quote[end:]
    out(wrapped(f"“{quote}”", indent, style(mark, bold=True)))
    place = where(citation.title, citation.page, citation.start_s, citation.speaker, citation.box)
    out(style(f"{indent}{place}", fg="cyan"))
    out(style(f"{indent}{citation.url}", dim=True))
    out()


def report(result: Report, verb: str) -> None:
    """What a writing command did; exits with the code that all failures share, else 1."""
    from dragtor.load.address import shown

    for uri, error in result.failed:
        tail = unquote(uri).rpartition("/")[2]
        named = uri in str(error) or bool(tail and tail in str(error))
        warn(f"failed: {'' if named else f'{shown(uri, LONG_NAME)}: '}{error}")
        if error.hint:
            hint(error.hint)
    if not settings.quiet:
        counts = [
            f"{number} {what}"
            for what in ("added", "changed", "unchanged", "removed")
            if (number := getattr(result, what))
        ]
        counts += [f"{len(result.failed)} failed"] if result.failed else []
        if result.passages:
            counts.append(f"{plural(result.passages, 'passage')} indexed")
        if result.tagged:
            counts.append(f"{plural(result.tagged, 'document')} tagged")
        warn(f"{verb}: {', '.join(counts) or 'nothing to do'}")
    codes = {error.exit_code for _, error in result.failed}
    if codes:
        raise typer.Exit(codes.pop() if len(codes) == 1 else 1)


def plural(number: int, what: str) -> str:
    """`1 passage`, `2 passages`."""
    return f"{number} {what}{'s' * (number != 1)}"


def _printable(text: str, encoding: str | None) -> str:
    """No lone surrogates, no terminal control characters from a page or a file name."""
    safe = "".join(c if c.isprintable() or c in SHOWN or c == ESCAPE else "�" for c in text)
    safe = _STYLE.sub("\x1b\\1", safe)
    return safe.encode(encoding or "utf-8", "replace").decode(encoding or "utf-8")
