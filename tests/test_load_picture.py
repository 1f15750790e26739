"""Pictures as sources: added, found, quoted with a box; scanned pages of PDFs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import shared
from drawn import MAIL, drawn, encoded
from fakes import Notes
from loader_contract import check_loader
from PIL import Image

from dragtor import Library
from dragtor.config import LoadConfig, PdfConfig, load_config
from dragtor.display import where
from dragtor.errors import LoadError
from dragtor.links import place
from dragtor.load.file import FileLoader, file_uri
from dragtor.loading import file_loader, open_picture_reader
from dragtor.pictures import box_of
from dragtor.types import Document


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def loader(notes: list[str]) -> FileLoader:
    return file_loader(load_config(), Notes(notes))


def read(loader: FileLoader, path: Path, data: bytes) -> Document:
    path.write_bytes(data)
    found = loader.read(file_uri(path))
    assert isinstance(found, Document)
    return found


def refusal(loader: FileLoader, path: Path, data: bytes) -> str:
    with pytest.raises(LoadError) as refused:
        read(loader, path, data)
    line = str(refused.value)
    assert line.startswith(str(path))
    assert "\n" not in line
    return line.removeprefix(str(path)).strip()


def scan(*pages: Image.Image) -> bytes:
    return encoded(pages[0], "PDF", save_all=True, append_images=list(pages[1:]), resolution=150)


def sheet(lines: list[str]) -> Image.Image:
    rows = [(120, 150 + 45 * n, line) for n, line in enumerate(lines)]
    return drawn(rows, (1240, 1754), letters=28)


# Files


def test_a_picture_is_a_document(loader: FileLoader, tmp_path: Path) -> None:
    document = read(loader, tmp_path / "inbox.png", encoded(drawn()))
    assert (document.kind, document.title) == ("image", "inbox")
    assert "Dear Hamish, please wire the amount to our account\nat Nordlys Energi" in document.text
    assert len(document.segments) == len(MAIL)
    assert all(segment.box for segment in document.segments)
    assert document.meta["size"] == [[700, 380]]
    assert document.meta["ocr"].startswith("faster-paddle ")
    assert document.meta["suffix"] == ".png"


def test_a_citation_of_a_picture_has_its_box(loader: FileLoader, tmp_path: Path) -> None:
    path = tmp_path / "inbox.png"
    document = read(loader, path, encoded(drawn()))
    start = document.text.index("Nordlys Energi")
    where = place(document, start, start + len("Nordlys Energi"))
    assert where.box
    left, top, right, _ = where.box
    assert 55 < left < 75
    assert 215 < top < 230
    assert 180 < right < 225
    numbers = ",".join(str(round(n)) for n in (left, top))
    assert where.url.startswith(f"{file_uri(path)}#xywh={numbers},")
    assert where.page is None


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "GIF", "TIFF", "AVIF"])
def test_its_kind_is_told_by_its_bytes(loader: FileLoader, tmp_path: Path, form: str) -> None:
    document = read(loader, tmp_path / "upload", encoded(drawn(), form))
    assert document.kind == "image"
    assert document.meta["suffix"] in (".jpg", ".webp", ".gif", ".tif", ".avif")
    assert "Kind regards" in document.text


def test_pages_of_a_tiff(loader: FileLoader, tmp_path: Path) -> None:
    second = drawn([(40, 60, "The second page says this")], (600, 200))
    data = encoded(drawn(), "TIFF", save_all=True, append_images=[second])
    document = read(loader, tmp_path / "fax.tif", data)
    assert document.meta["size"] == [[700, 380], [600, 200]]
    at = document.text.index("The second page")
    found = place(document, at, at + 10)
    assert found.page == 2
    assert "#page=2&xywh=" in found.url


def test_what_has_no_words_says_so(loader: FileLoader, tmp_path: Path) -> None:
    blank = encoded(Image.new("RGB", (300, 200), "#88aacc"))
    assert refusal(loader, tmp_path / "sky.png", blank) == "is a picture without words"
    assert "damaged or cut off" in refusal(loader, tmp_path / "a.png", encoded(drawn())[:2000])
    assert "not a readable picture" in refusal(loader, tmp_path / "b.png", b"no picture")
    assert refusal(loader, tmp_path / "c.png", b"") == "is empty"


def test_without_an_engine_a_picture_is_one_line_and_its_command(
    loader: FileLoader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGTOR_OCR_ENGINE", "tesseract")
    monkeypatch.setenv("PATH", "")
    absent = file_loader(load_config())
    path = tmp_path / "a.png"
    path.write_bytes(encoded(drawn()))
    with pytest.raises(LoadError, match="is a picture, and the program tesseract") as refused:
        absent.read(file_uri(path))
    assert "apt install" in refused.value.hint
    assert refused.value.exit_code == 4
    assert "nothing here reads pictures" in refusal(
        FileLoader(LoadConfig()), path, encoded(drawn())
    )


def test_contract(loader: FileLoader, tmp_path: Path, own_folders: Path) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.png").write_bytes(encoded(drawn()))
    (folder / "b.jpg").write_bytes(encoded(drawn(MAIL[:2]), "JPEG"))
    check_loader(loader, str(folder), own_folders, absent=str(tmp_path / "none"))


# Scanned pages


LETTER = [
    "The archive is open on Tuesdays from ten to four.",
    "Please bring a card with a photo on it.",
]


def test_a_scanned_pdf_is_read(loader: FileLoader, tmp_path: Path) -> None:
    document = read(loader, tmp_path / "scan.pdf", scan(sheet(LETTER), sheet(["Page two."])))
    assert document.text == f"{' '.join(LETTER)}\n\nPage two."
    assert document.kind == "file"
    assert [segment.page for segment in document.segments] == [1, 1, 2]
    box = box_of(document, 0, len(LETTER[0]))
    assert box
    points = 72 / 150
    assert box[:2] == pytest.approx((120 * points, 150 * points), abs=5)
    where = place(document, 0, 10)
    assert (where.page, where.url) == (1, f"{file_uri(tmp_path / 'scan.pdf')}#page=1")
    assert document.meta["ocr"].startswith("faster-paddle ")


def test_a_scanned_page_among_others(loader: FileLoader, tmp_path: Path, notes: list[str]) -> None:
    path = shared("../cases/pdf_scanned") / "mixed.pdf"
    document = loader.read(file_uri(path))
    assert isinstance(document, Document)
    pages = {segment.page for segment in document.segments}
    assert pages == {1, 2} or notes
    never = LoadConfig(pdf=PdfConfig(ocr="never"))
    told: list[str] = []
    reader = open_picture_reader(load_config())
    FileLoader(never, reporter=Notes(told), pictures=reader).read(file_uri(path))
    assert told == [f"{path}: 1 of 2 pages hold no text"]


def test_scanned_pages_without_words(loader: FileLoader, tmp_path: Path) -> None:
    assert refusal(loader, tmp_path / "a.pdf", scan(sheet([]))) == (
        "is a PDF of pictures without words"
    )


def test_never_and_always(tmp_path: Path) -> None:
    reader = open_picture_reader(load_config())
    never = FileLoader(LoadConfig(pdf=PdfConfig(ocr="never")), pictures=reader)
    told = refusal(never, tmp_path / "scan.pdf", scan(sheet(LETTER)))
    assert told == "is a PDF without text, probably scanned"
    always = FileLoader(LoadConfig(pdf=PdfConfig(ocr="always")), pictures=reader)
    from test_load_file import pdf

    document = read(always, tmp_path / "a.pdf", pdf([[(72, 700, 14, "One line of text here.")]]))
    assert document.text == "One line of text here."
    assert document.segments[0].box


# The library


def test_a_picture_is_added_found_and_quoted(tmp_path: Path, own_folders: Path) -> None:
    path = tmp_path / "inbox.png"
    path.write_bytes(encoded(drawn()))
    (tmp_path / "sky.png").write_bytes(encoded(Image.new("RGB", (300, 200), "blue")))
    config = load_config(overrides={"answer": {"gate": False}})
    with Library(own_folders, config=config) as library:
        report = library.add(path, tmp_path / "sky.png")
        assert report.added == 1
        assert [str(error) for _, error in report.failed] == [
            f"{tmp_path / 'sky.png'} is a picture without words"
        ]
        [hit, *_] = library.search("where to wire the money")
        assert hit.title == "inbox"
        answer = library.ask("When must the amount be wired to Nordlys Energi?", quotes_only=True)
        [cited, *_] = answer.citations
        assert cited.box
        corner = f"inbox, at ({cited.box[0]:.0f}, {cited.box[1]:.0f})"
        assert where(cited.title, cited.page, None, None, cited.box) == corner
        assert "#xywh=" in cited.url
        document = library.document(cited.document_id)
        assert document is not None
        assert box_of(document, cited.start, cited.end) == cited.box
        exported = json.loads(library.export(document.id, "json"))
        assert exported["segments"][0]["box"] == list(document.segments[0].box or ())
        assert library.add(path).unchanged == 1
