"""What a source consists of, before anything of it is read, and what of it is new.

Every kind of source lists its Items; knows nothing of how they are fetched.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

MOST_NEW = 50  # taken of what a feed or channel has listed since it was last visited


@dataclass(frozen=True, slots=True)
class Item:
    """One document-to-be that a source consists of."""

    uri: str  # canonical address: URL, or absolute path as file:// URI
    stamp: str = ""  # hash of the raw bytes where known without a fetch; empty: unknown
    published: str = ""  # ISO 8601 date where the list tells it


class Listed(Protocol):
    """What stands in a list, newest first."""

    @property
    def uri(self) -> str:
        """Its address."""

    @property
    def published(self) -> str:
        """ISO 8601 date, or empty."""


def mark(listed: Sequence[Listed]) -> str:
    """Where a list, newest first, ends for now; `newer` tells what has come since.

    Dates that lie ahead are passed by: nothing would be newer. Empty for an empty list.
    """
    today = datetime.now(UTC).date().isoformat()
    newest = next((one for one in listed if one.published <= today), None)
    return f"{newest.published} {newest.uri}" if newest else ""


def newer(listed: Sequence[Listed], since: str) -> int:
    """How many of a list come before its `mark`, or after its date where it stands there no more.

    0 without a mark.
    """
    day, _, uri = since.partition(" ")
    places = (number for number, one in enumerate(listed) if uri and one.uri == uri)
    return next(places, sum(1 for one in listed if day and one.published > day))
