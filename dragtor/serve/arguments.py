"""Arguments of tasks, as a client gives them: each is looked at before anything is done with it.

Knows no task and no library.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from dragtor.errors import UsageError
from dragtor.schema import Json


def text_argument(args: Mapping[str, Any], name: str, default: str | None = None) -> str:
    """A text that a client gives, the default in its place; raises UsageError without one."""
    value = args.get(name, default)
    if value is None and default is not None:
        value = default
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise UsageError(f"{name!r} is missing, or no text")
    return value


def texts_argument(args: Mapping[str, Any], name: str) -> list[str]:
    """A list of texts, empty where there is none; raises UsageError for another thing."""
    value = args.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UsageError(f"{name!r} is no list of texts")
    return value


def pairs_argument(args: Mapping[str, Any], name: str) -> list[tuple[str, str]]:
    """A list of pairs of texts; raises UsageError for another thing."""
    value = args.get(name) or []
    pairs = value if isinstance(value, list) else [value]
    for each in pairs:
        texts = each if isinstance(each, list) else []
        if [type(text) for text in texts] != [str, str]:
            raise UsageError(f"{name!r} is no list of pairs of texts")
    return [(question, said) for question, said in pairs]


def number_argument(args: Mapping[str, Any], name: str) -> int:
    """A whole number from 0; raises UsageError for another thing."""
    value = args.get(name) or 0
    if not isinstance(value, int) or value < 0:
        raise UsageError(f"{name!r} is no number from 0")
    return value


def flag_argument(args: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """True or false; raises UsageError for another thing."""
    value = args.get(name, default)
    if not isinstance(value, bool):
        raise UsageError(f"{name!r} is neither true nor false")
    return value


def object_argument(args: Mapping[str, Any], name: str) -> Json:
    """An object, empty where there is none; raises UsageError for another thing."""
    value = args.get(name) or {}
    if not isinstance(value, dict):
        raise UsageError(f"{name!r} is no object")
    return value


def filters_argument(args: Mapping[str, Any]) -> Any:
    """The filters of a search; raises UsageError for one that there is not."""
    from dragtor.store import Filters

    given = object_argument(args, "filters")
    if wrong := given.keys() - {each.name for each in fields(Filters)}:
        raise UsageError(f"there is no filter {sorted(wrong)[0][:100]!r}")
    return Filters(**{name: text_argument(given, name, "") for name in given})
