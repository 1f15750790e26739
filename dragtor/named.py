"""Whom and what texts name: the entities of a library, and those that one text shows.

Frozen dataclasses, no I/O; types.py gives them out with the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Entity:
    """Whom or what a library talks about, under the name it is mostly called by; counts of that.

    `kind` is person, organisation, place, other or topic; `heard`: speaks in a recording.
    """

    id: str
    kind: str
    name: str
    aliases: tuple[str, ...] = ()
    mentions: int = 0
    documents: int = 0
    heard: bool = False


@dataclass(frozen=True, slots=True)
class FoundMention:
    """Where one text names somebody: `text == document.text[start:end]`.

    `box` is (left, top, right, bottom) in pixels of the picture, None where there is none; `page`
    is told where a file has several.
    """

    text: str
    start: int
    end: int
    box: tuple[float, float, float, float] | None = None
    page: int | None = None


@dataclass(frozen=True, slots=True)
class FoundEntity:
    """A person or a company of one text; all its names stand in the text.

    `mentions` are in the order of the text; `known` is what the library says of it, or None.
    """

    name: str
    category: Literal["person", "company"]
    aliases: tuple[str, ...] = ()
    mentions: tuple[FoundMention, ...] = ()
    confidence: float = 1.0  # 0..1
    known: Entity | None = None
