"""Pages of a PDF that are pictures, read as such: rendered, and their lines handed back as a PDF's.

Owns which pages these are, and the way from pixels to points. Who reads pictures is handed in.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from dragtor.load.pdf import PDFIUM, PdfLine
from dragtor.pictures import PictureReader, PictureText
from dragtor.types import NEVER, SILENT, CancelToken, Reporter

if TYPE_CHECKING:
    from PIL.Image import Image

DPI = 200  # at which a page is rendered
MOST_PIXELS = 12_000_000  # of a page; a larger one is rendered with fewer dots
FEW_LETTERS = 50  # that a scanner or a library has stamped on a page
COVERED = 0.5  # of the page, by one picture: then the page is a scan


@dataclass(frozen=True, slots=True)
class ScanReader:
    """Reads pages with `reader`: those that are scans, or all of them."""

    reader: PictureReader
    when: Literal["auto", "always"] = "auto"
    reporter: Reporter = SILENT
    cancel: CancelToken = NEVER

    def wants(self, page: Any, lines: Iterable[PdfLine]) -> bool:
        """Whether pdfium's page is to be read as a picture; whoever asks holds PDFIUM."""
        if self.when == "always":
            return True
        letters = sum(len(line.text) for line in lines)
        return letters < FEW_LETTERS and _is_covered(page)

    def read(self, data: bytes, pages: list[int]) -> dict[int, list[PdfLine]]:
        """The lines of these pages, which count from 0; a page that cannot be rendered is left out.

        Raises Missing without an engine.
        """
        import pypdfium2

        found = {}
        for done, index in enumerate(pages):
            self.cancel.check()
            self.reporter.progress("reading scanned pages", done, len(pages))
            try:
                image, scale = _rendered(data, index)
            except pypdfium2.PdfiumError:
                continue
            found[index] = _lines(self.reader.read_image(image), index + 1, scale)
        self.reporter.progress("reading scanned pages", len(pages), len(pages))
        return found


def _is_covered(page: Any) -> bool:
    """Whether one picture takes most of the page."""
    from pypdfium2 import raw

    width, height = page.get_size()
    for thing in page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=3):
        left, bottom, right, top = thing.get_bounds()
        if (right - left) * (top - bottom) >= COVERED * width * height:
            return True
    return False


def _rendered(data: bytes, index: int) -> tuple[Image, float]:
    """A page as a picture, and its pixels a point."""
    import pypdfium2

    with PDFIUM, pypdfium2.PdfDocument(data) as pdf:
        page = pdf[index]
        width, height = page.get_size()
        scale = min(DPI / 72, (MOST_PIXELS / max(1.0, width * height)) ** 0.5)
        image: Image = page.render(scale=scale).to_pil()
        page.close()
    return image, scale


def _lines(found: PictureText, page: int, scale: float) -> list[PdfLine]:
    """Lines in points; those of one block have one size, since boxes of letters vary."""
    height = found.sizes[0][1] / scale
    lines: list[PdfLine] = []
    block: list[PdfLine] = []
    end = 0
    for segment in found.segments:
        assert segment.box is not None  # as a PictureReader gives them
        if "\n\n" in found.text[end : segment.start]:
            lines += _one_size(block)
            block = []
        left, top, right, bottom = (round(side / scale, 1) for side in segment.box)
        text = found.text[segment.start : segment.end].strip()
        box = (left, top, right, bottom)
        block.append(PdfLine(text, page, left, right, height - top, bottom - top, box))
        end = segment.end
    return lines + _one_size(block)


def _one_size(block: list[PdfLine]) -> list[PdfLine]:
    size = median(line.size for line in block) if block else 0.0
    return [PdfLine(b.text, b.page, b.left, b.right, b.top, size, b.box) for b in block]
