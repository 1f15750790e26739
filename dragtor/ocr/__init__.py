"""Pictures to lines of text with boxes: base.py (OcrEngine, OcrPage, OcrLine), an engine a file.

picture.py opens what a file holds, layout.py orders lines in blocks, text.py makes a text of them.
Knows neither libraries nor where a picture comes from. Import the file that you need.
"""

from dragtor.ocr.base import OcrEngine, OcrLine, OcrPage
from dragtor.ocr.engines import open_ocr

__all__ = ["OcrEngine", "OcrLine", "OcrPage", "open_ocr"]
