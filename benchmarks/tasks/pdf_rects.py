"""Whether a quote's rectangles on a PDF's pages hold that quote, and nothing else.

Articles of covid_qa are set by Chromium in layouts that differ in what makes it hard, and read as
any PDF is. What stands under the rectangles of a quote is then cut out again: the characters whose
ink has its middle there. A quote of which one letter was changed must not be found.
"""

from __future__ import annotations

import ctypes
import json
import random
import re
import subprocess
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

from common import DATA

from dragtor.config import load_config
from dragtor.load.file import file_uri
from dragtor.loading import file_loader
from dragtor.serve.pdf import page_png
from dragtor.serve.quote_rects import PageRects, quote_rects
from dragtor.split import sentences
from dragtor.types import Document

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "assets" / "sample_library" / "shoulder-pain.pdf"
CHROMIUM = "chromium --headless --no-sandbox --disable-gpu --no-pdf-header-footer".split()
ARTICLE_CHARS = 9000
SHORTEST_QUOTE = 20  # characters
SEED = 16
GRID = 1 << 20  # steps that a page's sides are parted into
HARD_PAGE_BREAKS = 2  # quotes of a file that go over the end of a page, if it has so many
SERIF, SANS = "font-family: Liberation Serif", "font-family: Liberation Sans"
SOFT = "hyphens: manual; text-align: justify"  # with soft hyphens in long words
LAYOUTS = {  # name: declarations of the text
    "plain": f"{SERIF}; font-size: 11pt",
    "justified": f"{SERIF}; {SOFT}; font-size: 11pt",
    "two columns": f"{SERIF}; {SOFT}; columns: 2; font-size: 9pt",
    "two narrow columns": f"{SANS}; {SOFT}; columns: 2; column-gap: 6pt; font-size: 8pt",
    "three columns": f"{SERIF}; {SOFT}; columns: 3; font-size: 7.5pt; line-height: 1",
    "ligatures": "font-family: DejaVu Serif; font-variant-ligatures: common-ligatures",
    "ligatures in columns": f"font-family: DejaVu Sans; {SOFT}; columns: 2; font-size: 8pt",
    "tight lines": f"{SANS}; line-height: .92; font-size: 10pt",
    "wide letters": f"{SANS}; letter-spacing: .12em; font-size: 10pt",
    "narrow letters": f"{SERIF}; letter-spacing: -.03em; word-spacing: -.05em",
    "small capitals": f"{SERIF}; font-variant: small-caps",
    "bold slanted": f"{SERIF}; font-weight: bold; font-style: italic",
    "typewriter": f"font-family: Liberation Mono; {SOFT}; font-size: 9pt",
    "upside down": f"{SERIF}; transform: rotate(180deg)",
    "landscape": f"{SANS}; {SOFT}; columns: 3; font-size: 9pt",
    "small page": f"{SERIF}; {SOFT}; font-size: 10pt",
    "raised marks": f"{SERIF}; {SOFT}; columns: 2; font-size: 9pt",
    "large first letter": f"{SERIF}; font-size: 11pt",
    "right to left page": f"{SERIF}; direction: rtl; font-size: 11pt",
}
PAPER = {"landscape": "A4 landscape", "small page": "A6"}
MORE = {
    "raised marks": "p::after { content: '12,13'; vertical-align: super; font-size: 60% }",
    "large first letter": "p::first-letter { font-size: 300%; float: left; line-height: .8 }",
}


def articles() -> Iterator[str]:
    """The beginnings of long articles, without the lines on where they are from."""
    with (DATA / "covid_qa" / "corpus.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            title, _, rest = json.loads(line)["text"].partition("\n")
            body = rest.partition("License:")[2].partition("\n")[2][:ARTICLE_CHARS]
            if len(body) == ARTICLE_CHARS:
                yield title + "\n" + body


def page_of(text: str, name: str) -> str:
    """An article as HTML, in a layout."""
    style = LAYOUTS[name]
    paper = f"@page {{ size: {PAPER.get(name, 'A4')}; margin: 12mm }}"
    title, *paragraphs = (escape(line) for line in text.splitlines() if line.strip())
    if SOFT in style:
        paragraphs = [re.sub(r"\w{8,}", _with_soft_hyphens, each) for each in paragraphs]
    body = "".join(f"<p>{each}</p>" for each in paragraphs)
    styles = f"{paper} body {{ {style} }} {MORE.get(name, '')}"
    return f"<meta charset=utf-8><style>{styles}</style><body><h1>{title}</h1>{body}</body>"


def _with_soft_hyphens(word: re.Match[str]) -> str:
    return "\xad".join(re.findall(r"\w{3,5}(?=\w{3})|\w+", word[0]))


def printed(folder: Path, n: int) -> list[Path]:
    """Articles as PDFs, each in a layout of its own; `n` of them."""
    made = []
    for name, text in zip(list(LAYOUTS)[:n], articles(), strict=False):
        page, pdf = folder / "page.html", folder / f"{name}.pdf"
        page.write_text(page_of(text, name), "utf-8")
        place = f"--user-data-dir={folder / 'profile'}"
        command = [*CHROMIUM, place, f"--print-to-pdf={pdf}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        made.append(pdf)
    return made


def quotes_of(document: Document, n: int, random_: random.Random) -> list[tuple[int, int]]:
    """One to three sentences, `n` times; some over the end of a page, where there are such."""
    found = [span for span in sentences(document.text) if span[1] - span[0] >= SHORTEST_QUOTE]
    runs = [
        (found[at][0], found[at + size - 1][1])
        for size in (1, 2, 3)
        for at in range(len(found) - size + 1)
        if "\n\n" not in document.text[found[at][0] : found[at + size - 1][1]]
    ]
    random_.shuffle(runs)
    hard = [run for run in runs if pages_of(document, *run) > 1][:HARD_PAGE_BREAKS]
    return [*hard, *(run for run in runs if run not in hard)][:n]


def pages_of(document: Document, start: int, end: int) -> int:
    """How many pages a stretch of text stands on."""
    return sum(s.start < end and s.end > start for s in document.segments)


def letters(text: str) -> str:
    """A text without white space, hyphens and ligatures, and without marks of headings."""
    text = unicodedata.normalize("NFKC", re.sub(r"(?m)^#+ ", "", text))
    return "".join(char for char in text if char.isprintable() and char not in " -\u2010\xad\u2011")


def under(data: bytes, found: list[PageRects]) -> str:
    """What stands under rectangles, in pdfium's order."""
    import pypdfium2

    cut = []
    with pypdfium2.PdfDocument(data) as pdf:
        for each in found:
            page = pdf[each.page - 1]
            text_page = page.get_textpage()
            for at in range(text_page.count_chars()):
                char = letters(chr(pypdfium2.raw.FPDFText_GetUnicode(text_page, at)))
                if char and _within(page, text_page.get_charbox(at), each):
                    cut.append(char)
    return "".join(cut)


def _within(page: Any, ink: tuple[float, float, float, float], found: PageRects) -> bool:
    from pypdfium2 import raw

    left, bottom, right, top = ink
    middle = (left + right) / 2, (bottom + top) / 2
    across, down = ctypes.c_int(), ctypes.c_int()
    raw.FPDF_PageToDevice(page, 0, 0, GRID, GRID, 0, *middle, across, down)
    x, y = across.value / GRID, down.value / GRID
    return any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in found.rects)


def changed(document: Document, start: int, end: int) -> Document:
    """The document as if the middle letter of a stretch were another."""
    text = document.text
    places = [place for place in range(start, end) if text[place].isalpha()]
    at = places[len(places) // 2]
    other = "x" if text[at] != "x" else "y"
    return replace(document, text=text[:at] + other + text[at + 1 :])


def run(quotes: int = 200, layouts: int = len(LAYOUTS), files: Any = ()) -> dict[str, Any]:
    """Of `quotes` in all, of the sample and of `layouts`; or of PDFs of one's own, `files`."""
    random_, loader = random.Random(SEED), file_loader(load_config())
    outcomes: Counter[str] = Counter()
    right: dict[str, str] = {}
    times = Times()
    with tempfile.TemporaryDirectory() as place:
        chosen = [Path(file) for file in files] or [SAMPLE, *printed(Path(place), layouts)]
        for path in chosen:
            data, document = path.read_bytes(), loader.read(file_uri(path.resolve()))
            assert isinstance(document, Document)
            spans = quotes_of(document, quotes // len(chosen), random_)
            own = outcomes_of(data, document, spans, times)
            outcomes += own
            right[path.stem] = f"{own['right']}/{len(spans)}"
    n = outcomes["right"] + outcomes["wrong"] + outcomes["none"]
    names = ("wrong", "none", "over_lines", "over_pages", "changed_found")
    return {
        "files": len(right),
        "quotes": n,
        "right": round(outcomes["right"] / n, 4),
        **{name: outcomes[name] for name in names},
        "rects_p50_ms": round(1000 * median(times.rects_s), 1),
        "picture_p50_ms": round(1000 * median(times.pictures_s), 1),
        "layouts": right,
    }


@dataclass
class Times:
    """How long things took, in seconds."""

    rects_s: list[float] = field(default_factory=list)
    pictures_s: list[float] = field(default_factory=list)


def outcomes_of(
    data: bytes, document: Document, spans: list[tuple[int, int]], times: Times
) -> Counter[str]:
    """How many quotes of a file are right, wrong and not found; and what was hard about them."""
    own: Counter[str] = Counter()
    begun = time.perf_counter()
    page_png(data, 1)
    times.pictures_s.append(time.perf_counter() - begun)
    for start, end in spans:
        begun = time.perf_counter()
        found = quote_rects(data, document, start, end)
        times.rects_s.append(time.perf_counter() - begun)
        same = under(data, found) == letters(document.text[start:end])
        own["right" if same else "wrong" if found else "none"] += 1
        own["over_lines"] += sum(len(each.rects) for each in found) > 1
        own["over_pages"] += pages_of(document, start, end) > 1
        other = changed(document, start, end)
        own["changed_found"] += bool(quote_rects(data, other, start, end))
    return own
