"""Ask the pages, books and notes you trust, on your own machine: every claim is cited.

Importing this costs nothing: a name's module is imported when the name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragtor.config import Config, load_config
    from dragtor.encoder import Encoder
    from dragtor.errors import Cancelled, DragtorError
    from dragtor.library import Library
    from dragtor.store import Filters
    from dragtor.types import (
        Answer,
        Citation,
        Claim,
        Document,
        Hit,
        Passage,
        Source,
        Tagged,
    )
    from dragtor.work import CancelToken, Reporter

__version__ = "0.1.0"

_ROOMS = {
    "Answer": "types",
    "CancelToken": "work",
    "Cancelled": "errors",
    "Citation": "types",
    "Claim": "types",
    "Config": "config",
    "Document": "types",
    "DragtorError": "errors",
    "Encoder": "encoder",
    "Filters": "store",
    "Hit": "types",
    "Library": "library",
    "Passage": "types",
    "Reporter": "work",
    "Source": "types",
    "Tagged": "types",
    "load_config": "config",
}

__all__ = [
    "Answer",
    "CancelToken",
    "Cancelled",
    "Citation",
    "Claim",
    "Config",
    "Document",
    "DragtorError",
    "Encoder",
    "Filters",
    "Hit",
    "Library",
    "Passage",
    "Reporter",
    "Source",
    "Tagged",
    "load_config",
]


def __getattr__(name: str) -> Any:
    if name not in _ROOMS:
        raise AttributeError(f"module 'dragtor' has no attribute {name!r}")
    return getattr(import_module(f"dragtor.{_ROOMS[name]}"), name)
