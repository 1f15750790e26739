"""The rectangles that a stretch of a document's text covers on the pages of its PDF or picture.

Owns the match of a text with a page's characters, and how characters make lines; what was read as
a picture has boxes already. Knows not where an original comes from.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from dragtor.errors import UsageError
from dragtor.load.pdf import LIGATURES, PDFIUM
from dragtor.pictures import line_boxes
from dragtor.types import Document, Segment

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage, PdfTextPage

WIDEST_SPACE = 1.0  # heights of a letter; what stands further apart has rectangles of its own
SAME_HEIGHT = 0.75  # of a letter's height, shared with the letter before in its line
ABOVE_CAPITALS = 0.12  # of a letter's height as its font states it: no ink but accents
ENDS_OF_LINES = (2, 10, 13, 0xFFFE)  # as pdfium tells them: 2 is a hyphen, and the line ends
GRID = 1000  # steps of a point: pdfium tells places on a shown page in whole numbers
_HEADING_MARK = re.compile(r"^#{1,6} ", re.M)  # put before headings when the PDF was read
_LEFT_OUT = re.compile("[\\s\x00-\x1f\x7f-\x9f\xad\\-\u2010\ufffe\uffff]")


class Box(NamedTuple):
    """A rectangle; as given out, in shares of the page's sides from its top left corner."""

    left: float
    top: float
    right: float
    bottom: float


class _Glyph(NamedTuple):
    """A character as it is shown, in points."""

    cell: Box  # as wide as it advances, as high as its font
    ink: Box


@dataclass(frozen=True, slots=True)
class PageRects:
    """Where a text stands on a page, which counts from 1: a rectangle a line, or more."""

    page: int
    rects: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class PageLine:
    """A stretch of text in one line of a page, as it is read: a column's, or up to a wide gap."""

    text: str
    box: Box


@contextmanager
def opened_pdf(data: bytes) -> Iterator[PdfDocument]:
    """A PDF, while nobody else works with pdfium; all of it is closed at the end."""
    import pypdfium2

    with PDFIUM, pypdfium2.PdfDocument(data) as pdf:
        yield pdf


def quote_rects(data: bytes, document: Document, start: int, end: int) -> list[PageRects]:
    """Where `document.text[start:end]` stands on the pages of the PDF that it was read from.

    Its letters are looked for as they are, white space and hyphens aside: first all that was read
    of a page, so that it does not matter how often the page says the same, else the stretch alone,
    if the page has it once. Found whole or not at all: then there are no rectangles.
    """
    text = _HEADING_MARK.sub(lambda mark: " " * len(mark[0]), document.text)
    found = []
    with opened_pdf(data) as pdf:
        for segment in document.segments:
            first, last = max(start, segment.start), min(end, segment.end)
            if segment.page is None or not _bare(text[first:last]):
                continue
            if segment.box:
                rects = _boxed(pdf, document, segment, first, last)
            else:
                rects = _rects_on(pdf, segment, text, first, last)
            if not rects:
                return []
            found.append(PageRects(segment.page, rects))
    return _by_page(found)


def picture_rects(document: Document, start: int, end: int) -> list[PageRects]:
    """Where `document.text[start:end]` stands in the picture that it was read from."""
    sizes = document.meta.get("size", ())
    return _by_page(
        PageRects(page, (_shares(Box(*box), *sizes[page - 1]),))
        for page, box in line_boxes(document, start, end)
        if page <= len(sizes)
    )


def picture_lines(document: Document, page: int) -> list[PageLine]:
    """What was read in a picture, or a page of one, line by line."""
    sizes = document.meta.get("size", ())
    return [
        PageLine(document.text[s.start : s.end], _shares(Box(*s.box), *sizes[page - 1]))
        for s in document.segments
        if s.box and (s.page or 1) == page <= len(sizes)
    ]


def _by_page(rects: Iterable[PageRects]) -> list[PageRects]:
    """What follows on one page put together."""
    found: list[PageRects] = []
    for each in rects:
        if found and found[-1].page == each.page:
            each = PageRects(each.page, found.pop().rects + each.rects)
        found.append(each)
    return found


def _boxed(
    pdf: PdfDocument, document: Document, segment: Segment, first: int, last: int
) -> tuple[Box, ...]:
    """The rectangle of a line that was read as a picture."""
    assert segment.page is not None  # as quote_rects has it
    boxes = line_boxes(document, first, last)
    size = pdf[segment.page - 1].get_size()
    return tuple(_shares(Box(*box), *size) for _, box in boxes)


def _rects_on(
    pdf: PdfDocument, segment: Segment, text: str, first: int, last: int
) -> tuple[Box, ...]:
    """The rectangles of `text[first:last]` on the page of its segment; none if not found."""
    if segment.page is None or segment.page > len(pdf):
        return ()
    page = pdf[segment.page - 1]
    text_page = page.get_textpage()
    letters, places = _letters(text_page)
    part = _bare(text[first:last])
    at = _only(letters, _bare(text[segment.start : segment.end]))
    at = _only(letters, part) if at < 0 else at + len(_bare(text[segment.start : first]))
    if at < 0:
        return ()
    glyphs = []
    for number in dict.fromkeys(places[at : at + len(part)]):
        cell, ink = (text_page.get_charbox(number, loose=loose) for loose in (True, False))
        glyphs.append(_Glyph(_shown(page, cell), _shown(page, ink)))
    rects = (_shares(_around(line), *page.get_size()) for line in _lines(glyphs))
    return tuple(rect for rect in rects if rect.left < rect.right and rect.top < rect.bottom)


def page_lines(data: bytes, page: int) -> list[PageLine]:
    """All that is written on a page, counted from 1, in reading order; UsageError for no page."""
    with opened_pdf(data) as pdf:
        if not 1 <= page <= len(pdf):
            raise UsageError(f"there is no page {page}", f"pages: 1 to {len(pdf)}")
        sheet = pdf[page - 1]
        text_page = sheet.get_textpage()
        letters = [_letter(sheet, text_page, at) for at in range(text_page.count_chars())]
        size = sheet.get_size()
    lines: list[tuple[list[str], list[_Glyph]]] = []
    begins = True
    for letter, glyph in letters:
        if glyph is None:  # a space, which need not have a place, or the end of a line
            begins = begins or not letter
            if not begins:
                lines[-1][0].append(letter)
            continue
        if begins or not _beside(lines[-1][1][-1].cell, glyph.cell):
            lines.append(([], []))
        begins = False
        lines[-1][0].append(letter)
        lines[-1][1].append(glyph)
    return [
        PageLine("".join(text).strip(), _shares(_around(glyphs), *size)) for text, glyphs in lines
    ]


def _letter(page: PdfPage, text_page: PdfTextPage, at: int) -> tuple[str, _Glyph | None]:
    """A character as it is read, empty where a line ends; and where it stands, if it has ink."""
    import pypdfium2

    code = pypdfium2.raw.FPDFText_GetUnicode(text_page, at)
    if code in ENDS_OF_LINES:
        return "", None
    letter = "\ufffd" if 0xD800 <= code < 0xE000 else chr(code).translate(LIGATURES)
    if not letter.strip() or not letter.isprintable():
        return " ", None
    cell, ink = (_shown(page, text_page.get_charbox(at, loose=loose)) for loose in (True, False))
    empty = cell.right <= cell.left or cell.bottom <= cell.top
    return (" ", None) if empty else (letter, _Glyph(cell, ink))


def _bare(text: str) -> str:
    """What of a text is compared: without white space, hyphens and control characters."""
    return _LEFT_OUT.sub("", text.translate(LIGATURES))


def _letters(text_page: PdfTextPage) -> tuple[str, list[int]]:
    """A page's text as it is compared, and for each letter the number of pdfium's character."""
    import pypdfium2

    unicode_at = pypdfium2.raw.FPDFText_GetUnicode
    letters: list[str] = []
    places: list[int] = []
    high = 0
    for place in range(text_page.count_chars()):
        code = unicode_at(text_page, place)
        if high and 0xDC00 <= code < 0xE000:  # UTF-16, where wchar_t has two bytes
            letters.pop()
            places.pop()
            code += 0x10000 + ((high - 0xD800) << 10) - 0xDC00
        high = code if 0xD800 <= code < 0xDC00 else 0
        bare = "\ufffd" if 0xD800 <= code < 0xE000 else _bare(chr(code))
        letters.append(bare)
        places += [place] * len(bare)
    return "".join(letters), places


def _only(text: str, part: str) -> int:
    """Where `part` stands in `text`; -1 where it does not, or more than once."""
    at = text.find(part)
    return at if at < 0 or text.find(part, at + 1) < 0 else -1


def _shown(page: PdfPage, box: tuple[float, float, float, float]) -> Box:
    """pdfium's left, bottom, right, top on the page as it is shown, turned and cropped; points."""
    from ctypes import byref, c_int

    from pypdfium2 import raw

    width, height = (round(side * GRID) for side in page.get_size())
    left, bottom, right, top = box
    across, down = c_int(), c_int()
    corners = []
    for x, y in ((left, bottom), (right, top)):
        raw.FPDF_PageToDevice(page, 0, 0, width, height, 0, x, y, byref(across), byref(down))
        corners.append((across.value / GRID, down.value / GRID))
    (x0, y0), (x1, y1) = corners
    return Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _lines(glyphs: Iterable[_Glyph]) -> list[list[_Glyph]]:
    """Characters in reading order, line by line; a new line where one may have begun."""
    lines: list[list[_Glyph]] = []
    for glyph in glyphs:
        if glyph.cell.right <= glyph.cell.left or glyph.cell.bottom <= glyph.cell.top:
            continue
        if lines and _beside(lines[-1][-1].cell, glyph.cell):
            lines[-1].append(glyph)
        else:
            lines.append([glyph])
    return lines


def _beside(before: Box, box: Box) -> bool:
    """Whether a character goes on in the line of the one before: at its height, not far from it."""
    height = min(before.bottom - before.top, box.bottom - box.top)
    shared = min(before.bottom, box.bottom) - max(before.top, box.top)
    apart = max(box.left - before.right, before.left - box.right)
    return shared > SAME_HEIGHT * height and apart < WIDEST_SPACE * height


def _around(line: list[_Glyph]) -> Box:
    """What covers all of a line's ink, and is as high as its usual letter is.

    A font may state any height, and leaves room for accents above its capitals.
    """
    top, bottom = median(g.cell.top for g in line), median(g.cell.bottom for g in line)
    inks = [glyph.ink for glyph in line if glyph.ink.top < glyph.ink.bottom]
    return Box(
        min(glyph.cell.left for glyph in line),
        min([top + ABOVE_CAPITALS * (bottom - top), *(ink.top for ink in inks)]),
        max(glyph.cell.right for glyph in line),
        max([bottom, *(ink.bottom for ink in inks)]),
    )


def _shares(box: Box, width: float, height: float) -> Box:
    """A box in points as shares of a page's sides, cut off where the page ends."""
    sides = (box.left / width, box.top / height, box.right / width, box.bottom / height)
    return Box(*(min(1.0, max(0.0, round(side, 5))) for side in sides))
