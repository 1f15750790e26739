"""Headings of a document's text: where their lines stand and the path that leads to each.

Knows neither passages nor hits; a passage's `heading` is such a path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dragtor.types import Document

_HEADING = re.compile(r"^(#{1,6})[ \t]+(\S.{0,199})$", re.M)


def headings(text: str) -> Iterator[tuple[re.Match[str], tuple[str, ...]]]:
    """Each heading line, and the path of titles that ends with its own."""
    path: list[tuple[int, str]] = []
    for line in _HEADING.finditer(text):
        path = [part for part in path if part[0] < len(line[1])]
        path.append((len(line[1]), line[2].rstrip("# \t") or line[2].strip()))
        yield line, tuple(title for _, title in path)


def heading_of(path: Sequence[str], document: Document) -> str:
    """A path of titles as a passage has it: joined, and without the document's own at its head."""
    joined = "".join(f"{title} > " for title in path)
    return joined.removeprefix(f"{document.title} > ").removesuffix(" > ")
