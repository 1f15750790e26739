"""The lines of pictures as a text, with a segment for each that holds its box.

Rows of a block are lines of the text, blocks stand a blank line apart. Knows no engine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from dragtor.ocr.base import OcrPage
from dragtor.ocr.layout import blocks_of_rows
from dragtor.pictures import IMAGE, PictureText, picture_facts
from dragtor.types import Document, Segment, short_hash, utf8

_MARK = re.compile(r"^(?=#{1,6}\s)")  # a heading in a document's text


def picture_text(pages: Sequence[OcrPage]) -> PictureText:
    """The text of the pages; segments have the number of their page where there are several."""
    parts: list[str] = []
    segments: list[Segment] = []
    length = 0
    for number, page in enumerate(pages, 1):
        for block in blocks_of_rows(page):
            gap = "\n\n" if parts else ""
            for row in block:
                for line in row:
                    text = clean_line(line.text)
                    text = text if gap == " " else _MARK.sub(" ", text)
                    start = length + len(gap)
                    length = start + len(text)
                    parts += (gap, text)
                    where = number if len(pages) > 1 else None
                    segments.append(Segment(start, length, where, line.box))
                    gap = " "
                gap = "\n"
    sizes = tuple(page.size for page in pages)
    turned = tuple(page.turned for page in pages)
    return PictureText("".join(parts), tuple(segments), sizes, turned)


def picture_document(
    pages: Sequence[OcrPage], uri: str, title: str, version: str, **meta: Any
) -> Document:
    """A picture as a document; `version` is that of the engine which read it."""
    found = picture_text(pages)
    told = {**meta, **picture_facts(found, version)}
    return Document(
        short_hash(uri), uri, IMAGE, title, found.text, segments=found.segments, meta=told
    )


def clean_line(text: str) -> str:
    """One line without control characters, white space single."""
    return " ".join(utf8("".join(c if c.isprintable() else " " for c in text)).split())
