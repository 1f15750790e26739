"""The words of pictures, and where a stretch of them stands: boxes of lines, and their parts.

Pure; knows no engine and opens no file. A box is (left, top, right, bottom) in pixels of the
upright picture, or in points of the page of a PDF.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from dragtor.types import Document, Segment

PixelBox = tuple[float, float, float, float]
IMAGE = "image"  # kind of a document of one
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
# In the fonts that pages are set in, half as wide as the usual letter, and half as wide again.
NARROW = frozenset(" .,;:!|'`()[]/ijlftrI1-")
WIDE = frozenset("mwMW@%")


@dataclass(frozen=True, slots=True)
class PictureText:
    """The words of a picture, or of a file's several: a segment with its box for each line.

    `sizes` are width and height of each, upright, in pixels; `turned` the degrees clockwise that
    made it so, beyond what its EXIF says.
    """

    text: str
    segments: tuple[Segment, ...] = ()
    sizes: tuple[tuple[int, int], ...] = ()
    turned: tuple[int, ...] = ()


class PictureReader(Protocol):
    """Words in pictures: what loading needs of an OCR engine."""

    @property
    def version(self) -> str:
        """Changes when the same picture might be read otherwise."""
        ...

    def read_file(self, data: bytes, name: str) -> PictureText:
        """The words of a file; raises LoadError, one line that opens with `name`."""
        ...

    def read_image(self, image: Any) -> PictureText:
        """The words of one picture of Pillow's."""
        ...


def picture_facts(found: PictureText, version: str) -> dict[str, Any]:
    """What a document's meta says of its picture: sizes in pixels, and the engine that read it."""
    told: dict[str, Any] = {"size": [list(size) for size in found.sizes], "ocr": version}
    return told | ({"turned": list(found.turned)} if any(found.turned) else {})


def is_heif(head: bytes) -> bool:
    """Whether a file that begins so is a HEIC, as phones write them."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS


def line_boxes(document: Document, start: int, end: int) -> list[tuple[int, PixelBox]]:
    """The page and the box of each line of a picture that `text[start:end]` touches.

    Of a line that is touched in part, the box is cut where the letters of that part stand, told by
    their usual widths. The page is 1 where there is one only.
    """
    touched = (s for s in document.segments if s.box and s.start < end and s.end > start)
    return [(s.page or 1, _cut(document.text, s, start, end)) for s in touched]


def box_of(document: Document, start: int, end: int) -> PixelBox | None:
    """What holds all of `line_boxes` on the first page that they are on; None without any."""
    boxes = line_boxes(document, start, end)
    return box_around(box for page, box in boxes if page == boxes[0][0]) if boxes else None


def box_around(boxes: Iterable[PixelBox]) -> PixelBox:
    """The box that holds all of these; raises ValueError for none."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def page_of(document: Document, start: int, end: int) -> int | None:
    """The first page that `text[start:end]` is on; None where a document has no pages."""
    touched = (s.page for s in document.segments if s.start < end and s.end > start)
    return next(touched, None)


def _cut(text: str, segment: Segment, start: int, end: int) -> PixelBox:
    assert segment.box is not None  # as line_boxes has it
    left, top, right, bottom = segment.box
    first, last = max(start, segment.start), min(end, segment.end)
    whole = _width(text[segment.start : segment.end]) or 1.0
    scale = (right - left) / whole
    before = scale * _width(text[segment.start : first])
    inside = scale * _width(text[first:last])
    return round(left + before, 1), top, round(left + before + inside, 1), bottom


def _width(text: str) -> float:
    """How wide letters are in the fonts that pages are set in, in shares of a usual letter."""
    return sum(
        0.5 if c in NARROW else 1.5 if c in WIDE else 1.25 if c.isupper() else 1.0 for c in text
    )
