"""Pages of PDFs as pictures, and the rectangles of a quote: what stands under them is the quote.

That is cut out again by the ink of pdfium's characters, which the code under test does not go by.
"""

from __future__ import annotations

import re
import struct
import sys
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import ROOT
from drawn import drawn, encoded
from serving import Served, serving
from test_load_file import article, pdf

from dragtor import Library
from dragtor.config import load_config
from dragtor.errors import LoadError, UsageError
from dragtor.load.file import file_uri
from dragtor.load.pdf import PDFIUM
from dragtor.loading import file_loader
from dragtor.pictures import box_of
from dragtor.serve.originals import pdf_bytes, picture_bytes
from dragtor.serve.pdf import KEPT_PICTURES, MAX_PAGE_PIXELS, PdfPages, page_png
from dragtor.serve.quote_rects import PageRects, page_lines, quote_rects
from dragtor.split import sentences
from dragtor.types import Document, Segment

sys.path.append(str(ROOT / "benchmarks" / "tasks"))
from pdf_rects import letters, under

SAMPLE = ROOT / "assets" / "sample_library" / "shoulder-pain.pdf"
CASES = sorted((ROOT.parent / "shared" / "cases").glob("pdf_*/*.pdf"))
CONFIG = {"embed": {"model": "all-minilm-l6-v2"}, "answer": {"reader": "none"}}
Lines = list[tuple[float, float, float, str]]


def read(data: bytes) -> Document:
    return file_loader(load_config()).read_bytes(data, "file:///a.pdf", ".pdf")


def span(document: Document, words: str, nth: int = 0) -> tuple[int, int]:
    start = [found.start() for found in re.finditer(re.escape(words), document.text)][nth]
    return start, start + len(words)


def found(data: bytes, words: str, nth: int = 0) -> list[PageRects]:
    """The rectangles of `words` in the PDF's text, which hold just these words."""
    document = read(data)
    start, end = span(document, words, nth)
    rects = quote_rects(data, document, start, end)
    assert under(data, rects) == letters(words)
    return rects


def size_of(png: bytes) -> tuple[int, int]:
    """Width and height of a whole PNG of three bytes a pixel."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    width, height, *rest = struct.unpack(">IIBBBBB", png[16:29])
    assert rest == [8, 2, 0, 0, 0]
    parts, at = {}, 8
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, body = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert png[at + 8 + length : at + 12 + length] == struct.pack(">I", zlib.crc32(kind + body))
        parts[kind] = body
        at += 12 + length
    assert len(zlib.decompress(parts[b"IDAT"])) == height * (3 * width + 1)
    return width, height


# Lines


@pytest.mark.parametrize("path", [SAMPLE, *CASES], ids=lambda path: path.stem)
def test_the_lines_of_a_page_are_all_that_is_read_of_it_each_where_it_stands(path: Path) -> None:
    data = path.read_bytes()
    if path.stem == "scan":
        assert page_lines(data, 1) == []
        return
    with pytest.raises(UsageError, match="there is no page 0"):
        page_lines(data, 0)
    lines = page_lines(data, 1)
    said = letters(" ".join(line.text for line in lines))
    document = read(data)
    read_of_it = "".join(document.text[s.start : s.end] for s in document.segments if s.page == 1)
    assert sorted(set(letters(read_of_it)) - set(said)) == []
    for line in lines:
        assert line.text == line.text.strip() != ""
        assert letters(line.text) == under(data, [PageRects(1, (line.box,))]) or len(lines) > 1
        assert 0 <= line.box.left < line.box.right <= 1
        assert 0 <= line.box.top < line.box.bottom <= 1


# Rectangles


@pytest.mark.parametrize("path", [SAMPLE, *CASES], ids=lambda path: path.stem)
def test_every_sentence_of_a_file_is_found_and_nothing_beside_it(path: Path) -> None:
    data = path.read_bytes()
    if path.stem == "scan":
        pytest.skip("a picture, without text")
    document = file_loader(load_config()).read(file_uri(path))
    assert isinstance(document, Document)
    spans = sentences(document.text)
    assert spans
    for start, end in spans:
        rects = quote_rects(data, document, start, end)
        if box_of(document, start, end):
            assert rects  # of a scanned page, where no letters are
            continue
        assert under(data, rects) == letters(document.text[start:end])


def test_a_quote_over_lines_and_a_hyphen_has_a_rectangle_a_line() -> None:
    words = "a well-known fact. This is a well-known matter of rehabilitation."
    ((page, rects),) = [(each.page, each.rects) for each in found(article(3), words, 1)]
    assert page == 2
    assert len(rects) == 3  # "a well-", "known … rehabili-", "tation."
    for left, top, right, bottom in rects:
        assert 0.1 < left < right < 0.95
        assert 0 < top < bottom < 0.3
        assert 10 < (bottom - top) * 792 < 14  # set in 11 points
    assert [rect.top for rect in rects] == sorted(rect.top for rect in rects)
    assert all(a.bottom < b.top + 0.002 for a, b in pairwise(rects))


def test_a_quote_over_two_pages_has_rectangles_on_both() -> None:
    rects = found(article(3), "the sentence is carried over to the On page two the pulleys")
    assert [each.page for each in rects] == [1, 2]
    assert rects[0].rects[0].top > 0.2 > rects[1].rects[0].top  # not the running head above


def test_what_a_page_says_twice_is_found_at_its_own_place() -> None:
    lines: Lines = [(72, 700 - 40 * at, 11, "Rest for two weeks.") for at in range(3)]
    data = pdf([lines, lines])
    places = [found(data, "Rest for two weeks.", nth) for nth in range(6)]
    assert [each.page for (each,) in places] == [1, 1, 1, 2, 2, 2]
    tops = [each.rects[0].top for (each,) in places]
    assert tops[:3] == tops[3:] == sorted(tops[:3])
    assert len(set(tops)) == 3


def test_columns_do_not_run_into_each_other() -> None:
    left = [f"Left line {n} of the column that" for n in ("one", "two", "three")]
    right = [f"right line {n} of the other one" for n in ("one", "two", "three")]
    lines: Lines = [(50, 700 - 12 * at, 11, text) for at, text in enumerate(left)]
    lines += [(220, 700 - 12 * at, 11, text) for at, text in enumerate(right)]
    ((first, *rest),) = [
        each.rects for each in found(pdf([lines]), "three of the column that right line")
    ]
    assert first.right < 0.355 < rest[0].left
    assert first.top > rest[0].top
    rows: Lines = [each for pair in zip(lines[:3], lines[3:], strict=True) for each in pair]
    ((one, two, *_),) = [each.rects for each in found(pdf([rows]), "column that right line one of")]
    assert one.right < 0.355 < two.left  # nothing between the columns is marked
    assert one.top == pytest.approx(two.top, abs=0.001)


def test_ligatures_and_headings() -> None:
    data = pdf([[(72, 720, 20, "The \xaerst \xafoor"), (72, 690, 11, "A dif\xaecult re\xafex.")]])
    document = read(data)  # \xae and \xaf are ligatures to a font of the standard encoding
    assert document.text == "# The first floor\n\nA difficult reflex."
    assert quote_rects(data, document, 0, 17)[0].rects[0].bottom < 0.12
    assert under(data, quote_rects(data, document, *span(document, "fficult"))) == "fficult"
    assert under(data, quote_rects(data, document, 0, len(document.text))) == letters(document.text)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_is_turned_and_cropped_is_told_as_it_is_shown(turn: int) -> None:
    words = "A turned page has its text too."
    plain = pdf([[(72, 720, 11, "Nothing here."), (72, 400, 11, words)]])
    was = b"/MediaBox [0 0 612 792]"
    now = b"/MediaBox [0 0 612 792] /CropBox [50 200 562 600] /Rotate %d" % turn
    data = plain.replace(was, now)
    found(data, words)
    width, height = size_of(page_png(data, 1))
    assert (width, height) == ((1024, 800) if turn == 180 else (800, 1024))
    document = read(data)
    assert quote_rects(data, document, *span(document, "Nothing here.")) == []  # cut off


def test_a_quote_is_found_whole_or_not_at_all() -> None:
    data = article(2)
    document = read(data)
    start, end = span(document, "a well-known fact. This is a")
    other = replace(document, text=document.text.replace("known fact", "known fuct"))
    assert quote_rects(data, other, start, end) == []
    (segment,) = [s for s in document.segments if s.page == 2]
    half = replace(document, text=document.text[: segment.start] + "x" * 60)
    over = segment.start - 20, segment.start + 20
    assert quote_rects(data, half, *over) == []  # its first half is there
    assert quote_rects(data, replace(document, segments=()), start, end) == []
    far = replace(document, segments=(Segment(0, len(document.text), page=9),))
    assert quote_rects(data, far, start, end) == []


def test_a_text_that_was_read_otherwise_is_found_where_the_page_has_it_once() -> None:
    data = pdf([[(72, 700, 11, "Rest. Rest. Then climb again."), (72, 600, 11, "And stop.")]])
    text = "Rest. Then climb again. (A note of another reader.)"
    document = replace(read(data), text=text, segments=(Segment(0, len(text), page=1),))
    assert under(data, quote_rects(data, document, 6, 23)) == "Thenclimbagain."
    assert quote_rects(data, document, 0, 5) == []  # which one?


# Pictures


def test_a_page_is_drawn_at_two_pixels_a_point() -> None:
    assert size_of(page_png(SAMPLE.read_bytes(), 2)) == (1191, 1684)  # A4
    with pytest.raises(UsageError, match="no page 3"):
        page_png(SAMPLE.read_bytes(), 3)
    with pytest.raises(UsageError, match="no page 0"):
        page_png(SAMPLE.read_bytes(), 0)


def test_a_page_like_a_wall_is_drawn_smaller() -> None:
    data = pdf([[(72, 700, 11, "Small.")]]).replace(b"[0 0 612 792]", b"[0 0 14400 14400]")
    width, height = size_of(page_png(data, 1))
    assert 0.98 * MAX_PAGE_PIXELS < width * height < 1.02 * MAX_PAGE_PIXELS


def documents(n: int) -> Iterator[Document]:
    meta = {"suffix": ".pdf", "stamp": "s"}
    return (Document(f"d{at}", "file:///a.pdf", "file", "A", "x", meta=meta) for at in range(n))


def test_the_latest_pictures_are_kept() -> None:
    data, asked = pdf([[(72, 700, 11, "One.")]]), []

    def original(document: Document) -> bytes:
        asked.append(document.id)
        return data

    pages = PdfPages(original)
    many = list(documents(KEPT_PICTURES + 1))
    for document in (*many[:-1], many[0], many[-1], many[0], many[1]):
        pages.picture(document, 1)
    assert asked == [d.id for d in many] + [many[1].id]  # the one that waited longest went
    changed = replace(many[0], meta={"suffix": ".pdf", "stamp": "t"})
    pages.picture(changed, 1)
    assert asked[-1] == many[0].id


def test_many_threads_draw_read_and_look_at_once() -> None:
    data = SAMPLE.read_bytes()
    document = read(data)
    start, end = sentences(document.text)[5]
    pages = PdfPages(lambda _: data)
    wanted = quote_rects(data, document, start, end)
    threads = threading.Barrier(6)

    def work(n: int) -> bool:
        threads.wait()
        for at in range(6):
            stamped = replace(document, meta={**document.meta, "stamp": f"{n} {at}"})
            assert size_of(pages.picture(stamped, 1 + at % 2)) == (1191, 1684)
            assert pages.rects(document, start, end) == wanted
            assert read(data) == document
        return True

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(6)))
    assert not PDFIUM.locked()


# Originals, and HTTP


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A library of two PDFs and a text."""
    place = tmp_path_factory.mktemp("pdf")
    (place / "a.pdf").write_bytes(article(3))
    (place / "b.pdf").write_bytes(SAMPLE.read_bytes())
    (place / "c.txt").write_text("Words on their own.")
    config = load_config(ROOT / "config" / "params.yml", CONFIG)
    with Library(place / "library", config=config) as library:
        assert not library.add(place / "a.pdf", place / "b.pdf", place / "c.txt").failed
    with serving(place / "library", config) as server:
        yield server


@pytest.fixture(scope="module")
def documents_by_title(served: Served) -> dict[str, str]:
    rows = served.ask("GET", "/api/v1/documents").json["documents"]
    return {row["title"]: row["id"] for row in rows}


def test_rectangles_over_http(served: Served, documents_by_title: dict[str, str]) -> None:
    document = f"/api/v1/documents/{documents_by_title['Pulleys']}"
    text = served.ask("GET", document).json["text"]
    words = "the sentence is carried over to the On page two"
    start = text.index(words)
    told = served.ask("GET", f"{document}/rects?start={start}&end={start + len(words)}")
    assert told.status == 200
    assert [each["page"] for each in told.json] == [1, 2]
    for each in told.json:
        assert sorted(each) == ["page", "rects"]
        for left, top, right, bottom in each["rects"]:
            assert 0 <= left < right <= 1
            assert 0 <= top < bottom <= 1


@pytest.mark.parametrize(
    "asked", ["", "?start=0", "?start=-1&end=4", "?start=x&end=4", "?start=4&end=4",
              "?start=0&end=99999999", f"?start=0&end={'9' * 400}", "?start=²&end=3"],
)  # fmt: skip
def test_a_stretch_that_is_none(
    served: Served, documents_by_title: dict[str, str], asked: str
) -> None:
    place = f"/api/v1/documents/{documents_by_title['Pulleys']}/rects"
    reply = served.ask("GET", place + asked.replace("²", "%C2%B2"))
    assert (reply.status, reply.json["code"]) == (400, "usage_error")


def test_pages_over_http(served: Served, documents_by_title: dict[str, str]) -> None:
    pages = f"/api/v1/documents/{documents_by_title['Pulleys']}/pages"
    reply = served.ask("GET", f"{pages}/3.png")
    assert (reply.status, reply.headers["content-type"]) == (200, "image/png")
    assert size_of(reply.body) == (1224, 1584)
    for page in ("0", "4", "999999999999999999999"):
        assert served.ask("GET", f"{pages}/{page}.png").status == 400
    for page in ("-1", "x", "1.5", "../1"):
        assert served.ask("GET", f"{pages}/{page}.png").status == 404
    words = f"/api/v1/documents/{documents_by_title['c']}"
    assert served.ask("GET", f"{words}/pages/1.png").json["message"] == "c is no PDF"
    assert served.ask("GET", f"{words}/rects?start=0&end=3").status == 400
    assert served.ask("GET", "/api/v1/documents/none/rects?start=0&end=3").status == 404


def test_lines_over_http(served: Served, documents_by_title: dict[str, str]) -> None:
    pages = f"/api/v1/documents/{documents_by_title['Pulleys']}/pages"
    lines = served.ask("GET", f"{pages}/2/lines").json["lines"]
    assert all(sorted(each) == ["box", "text"] and len(each["box"]) == 4 for each in lines)
    assert served.ask("GET", f"{pages}/4/lines").status == 400
    assert served.ask("GET", f"{pages}/x/lines").status == 404


def test_a_picture_is_shown_and_its_quotes_marked(tmp_path: Path) -> None:
    place = tmp_path / "inbox.png"
    place.write_bytes(encoded(drawn()))
    document = file_loader(load_config()).read(file_uri(place))
    assert isinstance(document, Document)
    pages = PdfPages(lambda each: picture_bytes(tmp_path, each))
    assert size_of(pages.picture(document, 1)) == (700, 380)
    with pytest.raises(UsageError, match="no page 2"):
        pages.picture(document, 2)
    start = document.text.index("Dear Hamish")
    [found] = pages.rects(document, start, document.text.index("Friday."))
    assert found.page == 1
    assert len(found.rects) == 2  # a line each
    assert found.rects[0].left == pytest.approx(40 / 700, abs=0.01)
    assert found.rects[0].top == pytest.approx(192 / 380, abs=0.02)
    place.write_bytes(encoded(drawn([])))
    with pytest.raises(LoadError, match="not here as it was read"):
        picture_bytes(tmp_path, document)


def test_another_file_in_its_place_is_not_shown(tmp_path: Path) -> None:
    place = tmp_path / "a.pdf"
    place.write_bytes(article(2))
    document = file_loader(load_config()).read(file_uri(place))
    assert isinstance(document, Document)
    assert pdf_bytes(tmp_path, document) == article(2)
    place.write_bytes(article(3))
    with pytest.raises(LoadError, match="not here as it was read"):
        pdf_bytes(tmp_path, document)
    place.unlink()
    with pytest.raises(LoadError, match="is gone"):
        pdf_bytes(tmp_path, document)
