"""Pictures to lines with boxes: engines, opening, layout, boxes of words."""

from __future__ import annotations

import io
import shutil
import struct
import threading
import time
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from drawn import MAIL, drawn, encoded
from PIL import Image

from dragtor.config import OcrConfig
from dragtor.errors import Cancelled, LoadError, Missing, UsageError
from dragtor.evaluate.entities import box_overlap
from dragtor.ocr import OcrEngine, OcrLine, OcrPage, open_ocr
from dragtor.ocr.layout import blocks
from dragtor.ocr.paddle import OVERLAP_PX, TILE_PX, PaddleEngine
from dragtor.ocr.picture import MAX_MEGAPIXELS, open_picture, open_pictures
from dragtor.ocr.tesseract import lines_of
from dragtor.ocr.text import picture_document, picture_text
from dragtor.pictures import box_of, line_boxes
from dragtor.types import CancelToken, Segment


@pytest.fixture(scope="module")
def engine() -> OcrEngine:
    return open_ocr(OcrConfig())


def words(page: OcrPage) -> str:
    return picture_text([page]).text


# Engines


def test_every_line_is_read_with_its_box(engine: OcrEngine) -> None:
    page = engine.read(drawn())
    assert page.size == (700, 380)
    assert page.turned == 0
    read = {line.text: line for line in page.lines}
    for left, top, text in MAIL:
        line = read[text]
        assert abs(line.box[0] - left) < 8
        assert abs(line.box[1] - top) < 8
        assert 0.9 < line.confidence <= 1
    assert engine.version.startswith("faster-paddle ")


def test_a_file_is_read_as_its_picture_is(engine: OcrEngine, tmp_path: Path) -> None:
    path = tmp_path / "mail.png"
    drawn().save(path)
    assert engine.read(path) == engine.read(drawn())


def test_low_letters_are_read_at_twice_their_size(engine: OcrEngine) -> None:
    lines = [(left / 2.4, top / 2.4, text) for left, top, text in MAIL]
    page = engine.read(drawn(lines, (400, 170), letters=9))
    assert page.size == (400, 170)
    assert "Rafael Quintanilha <rafael@" in words(page)
    assert "Hamish Drummond-Lyle" in words(page)
    for line in page.lines:
        assert line.box[2] <= 402
        assert line.box[3] <= 172


def test_light_on_dark_is_read(engine: OcrEngine) -> None:
    page = engine.read(drawn(ground="#202124", ink="#e8eaed"))
    assert "Kind regards\nRafael Quintanilha" in words(page)


@pytest.mark.parametrize("turned", [90, 180, 270])
def test_a_picture_on_its_side_is_turned(engine: OcrEngine, turned: int) -> None:
    page = engine.read(drawn().rotate(turned, expand=True))
    assert page.turned == turned
    assert page.size == (700, 380)
    assert "Kind regards\nRafael Quintanilha" in words(page)


def test_nothing_is_read_where_nothing_is(engine: OcrEngine) -> None:
    assert engine.read(Image.new("RGB", (300, 200), "white")).lines == ()
    assert engine.read(Image.new("RGB", (1, 1))).lines == ()
    assert engine.read(Image.new("RGB", (3000, 2))).lines == ()


def test_a_long_picture_is_read_in_parts_and_each_line_once(engine: OcrEngine) -> None:
    lines = [(40, 30 + 37 * n, f"This is the line with number {n}") for n in range(100)]
    page = engine.read(drawn(lines, (600, 3800)))
    assert page.size[1] > 2 * TILE_PX + OVERLAP_PX
    read = sorted(page.lines, key=lambda line: line.box[1])
    bare = [line.text.replace(" ", "") for line in read]
    assert bare == [text.replace(" ", "") for _, _, text in lines]
    for line, (_, top, _) in zip(read, lines, strict=True):
        assert abs(line.box[1] - top) < 8


def test_reading_can_be_stopped(engine: OcrEngine) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        engine.read(drawn(), cancel)


def test_two_threads_read_with_one_engine(engine: OcrEngine) -> None:
    low = drawn([(10, 10, "Low letters here")], (200, 40), letters=9)
    found: dict[int, str] = {}

    def read(number: int) -> None:
        found[number] = words(engine.read(low if number % 2 else drawn()))

    threads = [threading.Thread(target=read, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] == found[2]
    assert found[1] == found[3] == "Low letters here"


def test_an_engine_is_chosen_by_name() -> None:
    with pytest.raises(UsageError, match="unknown OCR engine 'abbyy'") as refused:
        open_ocr(replace(OcrConfig(), engine="abbyy"))  # type: ignore[arg-type]
    assert refused.value.hint == "ocr.engine: paddle, rapidocr, tesseract"


def test_what_is_not_installed_says_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(Missing, match="tesseract is not installed") as absent:
        open_ocr(OcrConfig(engine="tesseract"))
    assert "apt install tesseract-ocr" in absent.value.hint
    monkeypatch.setitem(__import__("sys").modules, "rapidocr", None)
    with pytest.raises(Missing) as absent:
        open_ocr(OcrConfig(engine="rapidocr"))
    assert absent.value.hint == 'pip install "dragtor[rapidocr]"'


@pytest.mark.filterwarnings("ignore")  # of another package's imports
def test_rapidocr_by_name() -> None:
    pytest.importorskip("rapidocr", reason="the extra rapidocr is not here")
    engine = open_ocr(OcrConfig(engine="rapidocr"))
    assert "Kind regards\nRafael Quintanilha" in words(engine.read(drawn()))
    assert engine.read(Image.new("RGB", (300, 200), "white")).lines == ()


def test_tesseract_by_name() -> None:
    if not shutil.which("tesseract"):
        pytest.skip("the program tesseract is not here")
    engine = open_ocr(OcrConfig(engine="tesseract"))
    assert "Kind regards" in words(engine.read(drawn()))


def test_the_table_of_tesseract() -> None:
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf"
    rows = [
        "4 1 1 1 1 0 0 0 90 20 -1 ",
        "5 1 1 1 1 1 0 2 40 18 90 Kind",
        '5 1 1 1 1 2 50 0 40 20 80 "',
    ]
    rows += ["5 1 1 1 2 1 0 30 40 18 70 Rafael"]
    table = "\n".join([f"{head}\ttext", *("\t".join(row.split(" ")) for row in rows)])
    assert lines_of(table) == [
        OcrLine('Kind "', (0, 0, 90, 20), 0.85),
        OcrLine("Rafael", (0, 30, 40, 48), 0.7),
    ]


# Opening


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is so large, in some hundred bytes."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the picture is not a readable picture"),
        (b"words", "the picture is not a readable picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a readable picture"),
        (encoded(drawn())[:3000], "the picture is damaged or cut off"),
        (encoded(drawn(), "JPEG")[:3000], "the picture is damaged or cut off"),
        (encoded(drawn(), "TIFF")[:3000], "the picture is "),
        (bomb(30_000, 30_000), "is too large a picture: more than 40 million pixels"),
        (bomb(7_000, 7_000), "7,000 × 7,000, more than 40 million pixels"),
        (bomb(2_000_000_000, 2_000_000_000), "the picture is "),
    ],
)
def test_what_is_no_picture_is_one_line(data: bytes, says: str) -> None:
    with pytest.raises(LoadError) as refused:
        open_picture(data)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
    assert refused.value.hint


def test_a_path_names_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(LoadError, match=r"a\.png cannot be read: No such file"):
        open_picture(path)
    path.write_bytes(b"x")
    with pytest.raises(LoadError, match=r"a\.png is not a readable picture"):
        open_picture(path)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "AVIF"])
def test_formats(form: str) -> None:
    picture = open_picture(encoded(drawn(), form))
    assert (picture.mode, picture.size) == ("RGB", (700, 380))
    assert picture.getpixel((0, 0)) >= (250, 250, 250)  # type: ignore[operator]


def test_heic_where_its_package_is(monkeypatch: pytest.MonkeyPatch) -> None:
    heif = pytest.importorskip("pillow_heif", reason="the extra heic is not here")
    heif.register_heif_opener()
    data = encoded(drawn(), "HEIF")
    assert open_picture(data).size == (700, 380)
    monkeypatch.setitem(__import__("sys").modules, "pillow_heif", None)
    with pytest.raises(LoadError, match="is a HEIC picture, and pillow_heif is not") as refused:
        open_picture(data)
    assert refused.value.hint == 'pip install "dragtor[heic]"'


def test_exif_turns_a_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by 90 degrees
    data = encoded(drawn().rotate(90, expand=True), "JPEG", exif=exif, quality=95)
    assert open_picture(data).size == (700, 380)
    assert Image.open(io.BytesIO(data)).size == (380, 700)


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK", "LA", "RGBA", "I;16", "F", "YCbCr"])
def test_modes(mode: str, engine: OcrEngine) -> None:
    plain = drawn()
    if mode == "I;16":
        picture = plain.convert("L").convert("I").point(lambda value: value * 257).convert("I;16")
    else:
        picture = plain.convert("L" if mode == "F" else "RGB").convert(mode)
    form = "TIFF" if mode in ("CMYK", "F", "I;16", "YCbCr") else "PNG"
    opened = open_picture(encoded(picture, form))
    assert opened.mode == "RGB"
    assert "Kind regards\nRafael" in words(engine.read(opened))


@pytest.mark.parametrize(("ink", "ground"), [("black", "white"), ("white", "black")])
def test_what_is_transparent_gets_a_ground_on_which_its_ink_is_seen(ink: str, ground: str) -> None:
    picture = open_picture(encoded(drawn(mode="RGBA", ground=(0, 0, 0, 0), ink=ink)))
    wanted = (255, 255, 255) if ground == "white" else (0, 0, 0)
    assert picture.getpixel((0, 0)) == wanted


def test_the_first_frame_of_what_moves_and_every_page_of_a_tiff() -> None:
    frames = [drawn(), drawn([(40, 30, "Second")])]
    for form, count in (("GIF", 1), ("WEBP", 1), ("PNG", 1), ("TIFF", 2)):
        data = encoded(frames[0], form, save_all=True, append_images=frames[1:])
        assert len(list(open_pictures(data))) == count, form


def test_a_page_too_large_is_told_though_the_first_is_not() -> None:
    small, large = Image.new("1", (10, 10)), Image.new("1", (7000, 7000))
    data = encoded(small, "TIFF", save_all=True, append_images=[large])
    pages = open_pictures(data)
    assert next(pages).size == (10, 10)
    with pytest.raises(LoadError, match=f"more than {MAX_MEGAPIXELS} million"):
        next(pages)


# Layout


def lines(*rows: tuple[float, float, str]) -> OcrPage:
    """Lines of 20 pixels' height, ten for each letter."""
    placed = (OcrLine(text, (x, y, x + 10 * len(text), y + 20)) for x, y, text in rows)
    return OcrPage((1000, 1000), tuple(placed))


def texts(page: OcrPage) -> list[list[str]]:
    return [[line.text for line in block] for block in blocks(page)]


def test_lines_under_each_other_are_a_block() -> None:
    page = lines((0, 0, "Dear Ann,"), (0, 25, "thank you."), (0, 80, "Best"), (0, 105, "Bob"))
    assert texts(page) == [["Dear Ann,", "thank you."], ["Best", "Bob"]]


def test_panes_are_read_one_after_the_other() -> None:
    left = [(0.0, 50.0 + 25 * n, f"folder {n}") for n in range(4)]
    right = [(300.0, 55.0 + 25 * n, f"sentence number {n}") for n in range(4)]
    page = lines((0, 0, "x" * 60), *(row for pair in zip(left, right, strict=True) for row in pair))
    assert texts(page) == [["x" * 60], [t for *_, t in left], [t for *_, t in right]]


def test_bubbles_are_read_from_the_top() -> None:
    page = lines((0, 0, "Are you in?"), (500, 60, "Yes!"), (0, 120, "At seven"), (500, 180, "Fine"))
    assert texts(page) == [["Are you in?"], ["Yes!"], ["At seven"], ["Fine"]]


def test_what_stands_below_panes_is_read_after_them() -> None:
    page = lines(
        (0, 50, "left"), (0, 75, "left 2"), (300, 50, "right"), (300, 75, "right 2"),
        (0, 200, "y" * 60),
    )  # fmt: skip
    assert texts(page) == [["left", "left 2"], ["right", "right 2"], ["y" * 60]]


def test_a_label_goes_with_its_value_and_rows_are_lines_of_the_text() -> None:
    page = lines((0, 0, "From:"), (120, 1, "Ann Lee"), (0, 25, "To:"), (120, 26, "Bob Roe"))
    assert picture_text([page]).text == "From: Ann Lee\nTo: Bob Roe"


def test_a_heading_is_a_block_of_its_own() -> None:
    large = OcrLine("Invoice", (0, 0, 200, 50))
    page = replace(lines((0, 60, "Dear Ann,")), lines=(large, *lines((0, 60, "Dear Ann,")).lines))
    assert texts(page) == [["Invoice"], ["Dear Ann,"]]


def test_the_order_of_the_engine_does_not_matter() -> None:
    page = lines(*((40.0 + 300 * (n % 2), 30.0 * n, f"line {n}") for n in range(40)))
    assert blocks(page) == blocks(replace(page, lines=page.lines[::-1]))
    assert blocks(OcrPage((10, 10))) == []


def test_a_long_picture_takes_no_long_time() -> None:
    apart = lines(*((10.0, 60.0 * n, f"line {n}") for n in range(400)))
    dense = lines(*((10.0, 25.0 * n, f"line {n}") for n in range(1000)))
    start = time.process_time()
    assert texts(apart) == [[f"line {n}"] for n in range(400)]
    assert texts(dense) == [[f"line {n}" for n in range(1000)]]
    assert time.process_time() - start < 5


# Text and boxes


def test_a_document_of_pictures() -> None:
    first, second = lines((5, 5, "Dear Ann,"), (5, 30, "hello")), lines((7, 8, "# Two\0x"))
    one = picture_document([first], "file:///a.png", "a", "engine 1", stamp="s")
    assert (one.kind, one.text) == ("image", "Dear Ann,\nhello")
    assert one.segments == (
        Segment(0, 9, box=(5, 5, 95, 25)),
        Segment(10, 15, box=(5, 30, 55, 50)),
    )
    assert one.meta == {"stamp": "s", "size": [[1000, 1000]], "ocr": "engine 1"}
    two = picture_document([first, replace(second, turned=90)], "file:///a.tif", "a", "e")
    assert two.text == "Dear Ann,\nhello\n\n # Two x"
    assert [s.page for s in two.segments] == [1, 1, 2]
    assert two.meta["turned"] == [0, 90]
    for segment in two.segments:
        assert two.text[segment.start : segment.end].strip() in ("Dear Ann,", "hello", "# Two x")


def test_the_box_of_a_part_of_a_line() -> None:
    page = lines((0, 0, "oooo aaaa"), (0, 30, "eeee"))
    document = picture_document([page], "file:///a.png", "a", "e")
    assert box_of(document, 0, 9) == (0, 0, 90, 20)
    left, top, right, bottom = box_of(document, 5, 9) or (0, 0, 0, 0)
    assert (top, right, bottom) == (0, 90, 20)
    assert 45 < left < 55
    assert box_of(document, 5, 14) == (0, 0, 90, 50)
    assert [page for page, _ in line_boxes(document, 0, 14)] == [1, 1]
    assert box_of(replace(document, segments=()), 0, 4) is None


def test_names_are_found_where_they_stand(engine: OcrEngine) -> None:
    from PIL import ImageFont

    document = picture_document([engine.read(drawn())], "file:///a.png", "a", "e")
    font = ImageFont.load_default(size=20)
    for name in ("Rafael Quintanilha", "Hamish Drummond-Lyle", "Nordlys Energi"):
        at = document.text.index(name)
        left, top, line = next(row for row in MAIL if name in row[2])
        start = left + font.getlength(line[: line.index(name)])
        truth = (start, top + 3, start + font.getlength(name), top + 24)
        assert box_overlap(box_of(document, at, at + len(name)) or (0, 0, 0, 0), truth) > 0.6, name


def test_the_paddle_engine_opens_one_model_at_a_time() -> None:
    engine = PaddleEngine(OcrConfig(model="tiny"))
    assert "Kind regards" in words(engine.read(drawn()))
    assert engine._opened[0] == "tiny"
