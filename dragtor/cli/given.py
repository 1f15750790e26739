"""A text as a person gives it to a command: itself, a file, or stdin.

Knows no command but by the name that its hints show.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.cli.output import TerminalReporter, load_settings, settings

if TYPE_CHECKING:
    from dragtor.load.file import FileLoader
    from dragtor.types import Document

LONGEST_PATH = 4096  # characters; a longer argument is text
FILE_NAME = re.compile(r"(?:/|\.\.?/|~/)\S*|\S+\.[A-Za-z][A-Za-z0-9]{1,4}")  # meant as one


def given_text(argument: str, command: str) -> str:
    """What one argument is: the content of a file, of stdin for `-`, or itself.

    Raises UsageError for a folder and for what is meant as a file that is not there, LoadError
    for a file that cannot be read.
    """
    from dragtor.errors import UsageError

    if argument == "-":
        data = sys.stdin.buffer.read()
        return _loader().read_bytes(data, "stdin", "").text if data.strip() else ""
    if names_file(argument):
        return document_given(Path(argument)).text
    if _is(Path.is_dir, argument):
        told = f"{argument} is a folder, not a file or a text"
        raise UsageError(told, f"ls {shlex.quote(argument)}")
    if FILE_NAME.fullmatch(argument):
        no_file = f"{argument} is not a regular file"
        if not _is(Path.exists, argument):
            no_file = f"there is no file {argument}"
        raise UsageError(no_file, f"{command} FILE, or - to read stdin")
    return argument


def names_file(argument: str) -> bool:
    """Whether there is a file of that name."""
    return _is(Path.is_file, argument)


def document_given(what: Path | bytes) -> Document:
    """A file or the content of one, read as the library reads documents; raises LoadError."""
    from dragtor.loading import read_document

    return read_document(_loader(), what)


def _is(what: Callable[[Path], bool], name: str) -> bool:
    try:
        named = bool(name.strip()) and len(name) <= LONGEST_PATH
        return named and what(Path(name).expanduser())
    except (OSError, ValueError, RuntimeError):  # a text that no file can be called
        return False


def _loader() -> FileLoader:
    from dragtor.loading import file_loader

    return file_loader(load_settings(), TerminalReporter(), settings.cancel)
