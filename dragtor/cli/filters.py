"""The options that narrow what is searched, declared once for every command that reads.

Knows that commands are typer's; neither how a filter is applied nor what a command does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any

import typer

FILTER_OPTIONS = {
    "source": typer.Option("", help="Only this source (id).", metavar="ID"),
    "kind": typer.Option("", help="Only this kind: web, file, ...", metavar="KIND"),
    "author": typer.Option("", help="Only authors whose name holds this.", metavar="NAME"),
    "after": typer.Option("", help="Published on or after.", metavar="DATE"),
    "before": typer.Option("", help="Published on or before.", metavar="DATE"),
    "speaker": typer.Option("", help="Only what somebody of this name says.", metavar="NAME"),
    "entity": typer.Option("", help="Only what names this person or thing.", metavar="NAME"),
    "topic": typer.Option("", help="Only what is on this topic.", metavar="NAME"),
}


def with_filters(command: Callable[..., None]) -> Callable[..., None]:
    """A command for typer that has these options where `command` has its parameter `filters`.

    `command` gets Filters of them, which restrict nothing where no option is given.
    """

    @wraps(command)
    def run(**given: Any) -> None:
        from dragtor.store import Filters

        filters = Filters(**{name: given.pop(name) for name in FILTER_OPTIONS})
        command(**given, filters=filters)

    options = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option, annotation=str)
        for name, option in FILTER_OPTIONS.items()
    ]
    parameters: list[inspect.Parameter] = []
    for each in inspect.signature(command).parameters.values():
        named = each.replace(kind=inspect.Parameter.KEYWORD_ONLY)  # as typer calls it
        parameters += options if each.name == "filters" else [named]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {
        name: hint for name, hint in command.__annotations__.items() if name != "filters"
    }
    return run
