"""PDF to flowing text: lines with their places are put together to paragraphs, by page.

Owns hyphenation, running heads and headings told by size. Knows nothing of files.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise, takewhile
from statistics import median
from threading import Lock
from typing import TYPE_CHECKING, Any

from dragtor.errors import Missing
from dragtor.load.text import Content, Refused, one_line
from dragtor.pictures import PixelBox
from dragtor.types import NEVER, CancelToken, Segment

if TYPE_CHECKING:
    from dragtor.load.scan import ScanReader

EDGE_LINES = 3  # at the top and the foot of a page, where running heads are looked for
_PDF_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)(\d\d)")
NO_TITLE = re.compile(r"^untitled|\.(docx?|tex|dvi|indd|qxd|pdf)$|^Microsoft Word - ", re.I)
PDFIUM = Lock()  # whoever calls pdfium holds it: it must not run in two threads
LIGATURES = {0xFB00 + i: s for i, s in enumerate(("ff", "fi", "fl", "ffi", "ffl", "st", "st"))}
_BULLET = re.compile(r"(?:[•‣▪●◦–*-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_PAGE_NUMBER = re.compile(r"\W*(?:page\s+|p\.\s*)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?\W*", re.I)
_COMPOUND = re.compile(r"\w+-\w+")
_SENTENCE_END = re.compile(r"[.!?:…][\"'”’»)\]]*$")


@dataclass(frozen=True, slots=True)
class PdfLine:
    """A line of a page; places in points, `top` grows upwards; `size` is the font's height.

    `box` is where it stands as a picture, from the page's top left corner.
    """

    text: str
    page: int
    left: float
    right: float
    top: float
    size: float
    box: PixelBox | None = None


def read_pdf(
    data: bytes,
    note: Callable[[str], None],
    cancel: CancelToken = NEVER,
    scans: ScanReader | None = None,
) -> Content:
    """Text with a segment for each page, and for each line of a page that `scans` has read.

    `note` is told of pages without text. Raises Refused.
    """
    with PDFIUM:
        pages, pictures, meta = _pdf_pages(data, cancel, scans)
    facts, missing = {}, ""
    if scans and pictures:
        try:
            for index, lines in scans.read(data, pictures).items():
                pages[index] = lines
            facts = {"ocr": scans.reader.version}
        except Missing as error:
            missing = error.hint
            note(f"{len(pictures)} pages are scanned, and {error}")
    if not any(pages):
        if facts:
            raise Refused("is a PDF of pictures without words")
        hint = missing or "ocrmypdf IN.pdf OUT.pdf, then add OUT.pdf"
        raise Refused("is a PDF without text, probably scanned", hint)
    if empty := sum(not page for page in pages):
        note(f"{empty} of {len(pages)} pages hold no text")
    text, segments = _flow(_without_running_heads(pages))
    made = _PDF_DATE.match(meta["CreationDate"])
    return Content(
        text,
        title="" if NO_TITLE.search(meta["Title"]) else meta["Title"],
        author=meta["Author"],
        published="-".join(made.groups()) if made else "",
        segments=segments,
        meta=facts,
    )


def _pdf_pages(
    data: bytes, cancel: CancelToken, scans: ScanReader | None
) -> tuple[list[list[PdfLine]], list[int], dict[str, str]]:
    """The lines of each page, the numbers of those that `scans` wants to read, and the fields."""
    import pypdfium2

    try:
        pdf = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        if error.err_code == pypdfium2.raw.FPDF_ERR_PASSWORD:
            raise Refused(
                "is encrypted", "qpdf --password=WORD --decrypt IN.pdf OUT.pdf, then add OUT.pdf"
            ) from error
        raise Refused("is not a readable PDF: it is damaged or cut off") from error
    with pdf:
        pages, pictures = [], []
        for index in range(len(pdf)):
            cancel.check()
            lines, is_picture = _pdf_lines(pdf, index, scans)
            pages.append(lines)
            pictures += [index] if is_picture else []
        fields = {name: one_line(pdf.get_metadata_value(name)) for name in pdf.METADATA_KEYS}
        return pages, pictures, fields


def _pdf_lines(pdf: Any, index: int, scans: ScanReader | None) -> tuple[list[PdfLine], bool]:
    """The lines of a page in reading order, and whether `scans` wants to read it instead.

    A page that pdfium cannot load has none.
    """
    import pypdfium2

    try:
        page = pdf[index]
    except pypdfium2.PdfiumError:
        return [], False
    text_page = page.get_textpage()
    unicode_at = pypdfium2.raw.FPDFText_GetUnicode
    codes = [unicode_at(text_page, at) for at in range(text_page.count_chars())]
    lines, first = [], 0
    for at in range(len(codes) + 1):
        if at == len(codes) or codes[at] in (2, 10, 13):  # 2: a hyphen, and the line ends
            hyphen = at < len(codes) and codes[at] == 2
            if line := _pdf_line(text_page, codes, first, at, index + 1):
                lines.append(replace(line, text=line.text + "-") if hyphen else line)
            first = at + 1
    text_page.close()
    is_picture = scans is not None and scans.wants(page, lines)
    page.close()
    return lines, is_picture


def _pdf_line(text_page: Any, codes: list[int], first: int, end: int, page: int) -> PdfLine | None:
    """The line of the characters `first:end`; None if it is blank."""
    while first < end and codes[first] in (0, 32, 160):
        first += 1
    while first < end and codes[end - 1] in (0, 32, 160):
        end -= 1
    raw = "".join(map(chr, codes[first:end])).encode("utf-16", "surrogatepass")
    text = one_line(raw.decode("utf-16", "replace")).replace("\xad", "").translate(LIGATURES)
    if not text:
        return None
    places = (first, (first + end) // 2, end - 1)
    boxes = [text_page.get_charbox(at, loose=True) for at in places]
    heights = [top - bottom for _, bottom, _, top in boxes if top > bottom]  # spaces have none
    size = median(heights) if heights else 1.0
    return PdfLine(text, page, boxes[0][0], boxes[-1][2], boxes[0][3], size)


def _without_running_heads(pages: list[list[PdfLine]]) -> list[list[PdfLine]]:
    """Drop page numbers, and lines that most pages repeat at their top or foot."""
    seen = Counter(key for page in pages for key in {_head_key(line) for line in _edges(page)})
    often = max(3, 0.4 * len(pages))

    def runs(line: PdfLine) -> bool:
        number = len(pages) > 1 and bool(_PAGE_NUMBER.fullmatch(line.text))
        return number or seen[_head_key(line)] >= often

    kept = []
    for page in pages:
        top = len(list(takewhile(runs, page[:EDGE_LINES])))
        rest = page[top:]
        foot = len(list(takewhile(runs, reversed(rest[-EDGE_LINES:]))))
        kept.append(rest[: len(rest) - foot])
    return kept if any(kept) else pages


def _edges(page: list[PdfLine]) -> list[PdfLine]:
    return page if len(page) <= 2 * EDGE_LINES else page[:EDGE_LINES] + page[-EDGE_LINES:]


def _head_key(line: PdfLine) -> str:
    return f"{line.size:.0f} " + re.sub(r"\d+", "0", line.text)


def _flow(pages: list[list[PdfLine]]) -> tuple[str, tuple[Segment, ...]]:
    """Join lines to paragraphs; a segment for each page, or for each line with a box."""
    lines = [line for page in pages for line in page]
    words = {word.lower() for line in lines for word in _COMPOUND.findall(line.text)}
    body = _body_size(lines)
    levels = _heading_levels(lines, body)
    pitch = {page[0].page: _pitch(page) for page in pages if page}
    parts: list[str] = []
    starts: list[tuple[int, PdfLine]] = []  # offset, and what begins there
    length = 0
    before: PdfLine | None = None
    for line in lines:
        gap = _gap(before, line, levels, pitch[line.page]) if before else ""
        if gap == " " and (cut := _hyphen_cut(parts[-1], line.text, words)) is not None:
            length += len(cut) - len(parts[-1])
            parts[-1], gap = cut, ""
        if before is None or line.page != before.page or line.box:
            starts.append((length + len(gap), line))
        text = line.text
        if "\n" in gap or not before:
            level = levels.get(id(line))
            text = f"{'#' * level} {text}" if level else re.sub(r"^(?=#{1,6}\s)", " ", text)
        parts += (gap, text) if gap else (text,)
        length += len(gap) + len(text)
        before = line
    text = "".join(parts)
    ends = [start for start, _ in starts[1:]] + [len(text)]
    segments = []
    for (start, line), next_start in zip(starts, ends, strict=True):
        end = start + len(text[start:next_start].rstrip()) if line.box else next_start
        segments.append(Segment(start, end, line.page, line.box))
    return text, tuple(segments)


def _body_size(lines: list[PdfLine]) -> float:
    """Font size of the middle character of the document."""
    sizes = sorted((line.size, len(line.text)) for line in lines)
    totals = [0]
    for _, count in sizes:
        totals.append(totals[-1] + count)
    return sizes[bisect_left(totals, totals[-1] / 2) - 1][0]


def _heading_levels(lines: list[PdfLine], body: float) -> dict[int, int]:
    """Levels 1 to 3, by id of line, for short lines set clearly larger than the body."""
    large = [
        line
        for line in lines
        if line.size > 1.18 * body
        and len(line.text) <= 120
        and not line.text.endswith((".", ",", ";"))
        and sum(map(str.isalpha, line.text)) > 2
    ]
    sizes = sorted({round(line.size) for line in large}, reverse=True)
    return {id(line): min(3, 1 + sizes.index(round(line.size))) for line in large}


def _pitch(page: list[PdfLine]) -> float:
    """The usual distance from one line to the next, in points."""
    steps = [a.top - b.top for a, b in pairwise(page)]
    usual = [step for step, line in zip(steps, page, strict=False) if 0.5 < step / line.size < 2.2]
    return median(usual) if usual else 1.2 * page[0].size


def _gap(before: PdfLine, line: PdfLine, levels: dict[int, int], pitch: float) -> str:
    """What stands between two lines: a space within a paragraph, else a blank line."""
    heading, heading_before = levels.get(id(line)), levels.get(id(before))
    if heading or heading_before:
        same = heading == heading_before and 0 < before.top - line.top < 1.6 * line.size
        return " " if same else "\n\n"
    ended = bool(_SENTENCE_END.search(before.text))
    listed = ended or line.left > before.left or _BULLET.match(before.text)
    if listed and _BULLET.match(line.text):
        return "\n"
    step = before.top - line.top
    if before.page != line.page or step < -line.size:  # next page or column
        return "\n\n" if ended else " "
    beside = abs(step) < 0.5 * line.size and line.left >= before.right
    goes_on = not ended and line.text[0].islower() and step < 2.5 * pitch
    if beside or goes_on:
        return " "
    if step > 1.45 * pitch or abs(line.size - before.size) > 0.15 * before.size:
        return "\n\n"
    width = line.right - line.left
    short = before.right < line.right - 0.15 * width
    indented = 0.8 * line.size < line.left - before.left < 6 * line.size
    return "\n\n" if ended and (short or indented) else " "


def _hyphen_cut(before: str, after: str, words: set[str]) -> str | None:
    """`before` as it joins a word that goes on in `after`; None if no word is parted.

    The hyphen stays where the document has the compound elsewhere, within a line.
    """
    stem = before[:-1]
    if before[-1] not in "-‐" or not stem[-1:].isalnum():
        return None
    first, second = re.search(r"\w+$", stem), re.match(r"\w+", after)
    compound = f"{first[0]}-{second[0]}".lower() if first and second else ""
    return before if compound in words or not after[0].islower() else stem
