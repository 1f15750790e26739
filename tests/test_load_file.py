"""Files and folders: every kind is read, every bad file is one clear line."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import random
import threading
import zipfile
from pathlib import Path

import pytest
from conftest import shared
from fakes import Notes
from loader_contract import check_loader

from dragtor.config import LoadConfig
from dragtor.errors import LoadError
from dragtor.load.file import FileLoader, file_path, file_uri
from dragtor.load.markdown import plain_text
from dragtor.types import Document, Recording

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def loader(notes: list[str]) -> FileLoader:
    return FileLoader(LoadConfig(), reporter=Notes(notes))


def small(loader: FileLoader) -> FileLoader:
    return FileLoader(dataclasses.replace(LoadConfig(), max_file_mb=1))


def read(loader: FileLoader, path: Path, data: bytes | str) -> Document:
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    [item] = loader.discover(str(path))
    return loader.read(item.uri)


def refusal(loader: FileLoader, path: Path, data: bytes | str) -> str:
    with pytest.raises(LoadError) as error:
        read(loader, path, data)
    line = str(error.value)
    assert line.startswith(str(path))
    assert "\n" not in line
    return line.removeprefix(str(path)).strip()


def tried(loader: FileLoader, data: bytes, suffix: str) -> Document | None:
    """The document, or None if `data` was refused with a single line."""
    try:
        return loader.read_bytes(data, "stdin:1", suffix)
    except LoadError as error:
        line = str(error)
    assert line.startswith("stdin:1 ")
    assert line.isprintable()
    return None


def zipped(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


# Markdown


def test_markdown_to_plain_text() -> None:
    text = plain_text(
        "Big *title*\n===\n\nA **bold** [link](http://x 'y') ![alt](i.png)<b>raw</b> `# code`\n"
        "wrapped  \nhard &amp; \\# done\n\n- a\n  - b\n- [![i](x)](y) c\n\n3. three\n4. four\n\n"
        "| h | i |\n|--|--|\n| *1* | 2 |\n\n> quote\n\n```sh\n# run\n```\n\n"
        "<div><p>One</p><!-- no --><script>no()</script>Two &lt;</div>\n\n***\n\n###### Deep #\n"
    )
    assert text.split("\n\n") == [
        "# Big title",
        "A bold link raw # code wrapped\nhard & # done",
        "- a\n  - b\n- c",
        "3. three\n4. four",
        "h | i\n1 | 2",
        "quote",
        "    # run",
        "One\nTwo <",
        "###### Deep",
    ]


def test_no_markdown_is_dropped_or_made_a_heading() -> None:
    assert plain_text("\\# not a heading") == " # not a heading"
    assert "deep" in plain_text("> " * 100 + "deep")
    assert "after" in plain_text("* " * 70 + "x\n\nafter")
    words = " ".join(f"word{n} [link{n}](http://x/{n})" for n in range(2_000))
    assert plain_text(words) == " ".join(f"word{n} link{n}" for n in range(2_000))


NASTY = ["[", "![", "[a](", "*a ", "_a", "<", "<!--", "`a ", "> ", "- ", "|a", "[a\n", "&", "]("]


@pytest.mark.parametrize("unit", NASTY)
def test_nasty_markdown_ends(unit: str) -> None:
    text = plain_text(unit * (60_000 // len(unit)))
    assert len(text) <= 70_000


# Text files


def test_a_text_file(loader: FileLoader, tmp_path: Path) -> None:
    data = "# Grip\r\n\r\nHang\tlong.\rRest.\x07\x1b\x7f\u0301e\n".encode()
    document = read(loader, tmp_path / "Grip notes.TXT", data)
    assert document.text == "# Grip\n\nHang\tlong.\nRest.\u0301e\n"
    assert document.kind == "file"
    assert document.title == "Grip"
    assert document.uri == (tmp_path / "Grip notes.TXT").as_uri()
    stamp = hashlib.sha256(data).hexdigest()
    assert document.meta == {"stamp": stamp, "suffix": ".txt", "bytes": len(data)}
    assert loader.content_hash(document.uri) == stamp


def test_the_title_falls_back_to_the_stem(loader: FileLoader, tmp_path: Path) -> None:
    assert read(loader, tmp_path / "my notes.txt", "Plain.").title == "my notes"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "cp1250"],
)
def test_western_encodings(loader: FileLoader, tmp_path: Path, encoding: str) -> None:
    text = "Der Müller läuft über die Brücke. Schöne Grüße aus München, wo alles groß ist.\n" * 3
    assert read(loader, tmp_path / "a.txt", text.encode(encoding)).text == text


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1251", "Привет, как дела? Сегодня хорошая погода и мы идём гулять."),
        ("koi8-r", "Привет, как дела? Сегодня хорошая погода и мы идём гулять."),
        ("shift_jis", "日本語のテキストです。今日は天気がいいですね。"),
        ("euc-jp", "日本語のテキストです。今日は天気がいいですね。"),
        ("gb18030", "今天天气很好，我们去爬山。这是一个测试文件。"),
        ("cp949", "한국어 텍스트입니다. 오늘은 날씨가 좋네요."),
    ],
)
def test_other_encodings(loader: FileLoader, tmp_path: Path, encoding: str, text: str) -> None:
    assert read(loader, tmp_path / "a.txt", text.encode(encoding)).text == text


def test_a_broken_byte_does_not_spoil_the_rest(loader: FileLoader, tmp_path: Path) -> None:
    data = ("Grüße. " * 40).encode() + b"\xff" + "Später.".encode()
    text = read(loader, tmp_path / "a.txt", data).text
    assert text == "Grüße. " * 40 + "\ufffdSpäter."


def test_front_matter(loader: FileLoader, tmp_path: Path) -> None:
    head = "---\ntitle: 'A: b'\nauthor: [Ann, Bo]\ndate: 2024-05-06 10:00:00\ntags: [x]\n---\n"
    document = read(loader, tmp_path / "a.md", head + "\n# Other\n\nText.\n")
    assert document.text == "# Other\n\nText."
    assert (document.title, document.author, document.published) == (
        "A: b",
        "Ann, Bo",
        "2024-05-06",
    )


@pytest.mark.parametrize(
    "head",
    [
        "---\n: [\n---\n",
        "---\n- a\n---\n",
        "---\ndate: 2024-99-99\n---\n",
        "---\n" + "[" * 9000,
        "---\nx: " + "[" * 4000 + "\n---\n",
        "---\nnever closed\n",
    ],
)
def test_broken_front_matter_is_text(loader: FileLoader, tmp_path: Path, head: str) -> None:
    document = read(loader, tmp_path / "a.md", head + "\nText.\n")
    assert document.text.endswith("Text.")
    assert not document.published


def test_html(loader: FileLoader, tmp_path: Path) -> None:
    page = (
        "<html><head><title>Hang right</title><meta name='author' content='Ann Lee'></head><body>"
        "<nav>Menu</nav><article><h1>Hang right</h1><p>"
        + "Hangs should be short &amp; heavy. " * 20
        + "</p></article></body></html>"
    )
    document = read(loader, tmp_path / "a.htm", page)
    assert "Hangs should be short & heavy." in document.text
    assert document.title == "Hang right"
    assert document.meta["suffix"] == ".htm"


# PDF


def pdf(pages: list[list[tuple[float, float, float, str]]], info: str = "") -> bytes:
    """A PDF with lines (x, y, font size, text) on each page."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids = []
    for lines in pages:
        stream = "\n".join(
            f"BT /F1 {size} Tf {x} {y} Td ({escape(text)}) Tj ET" for x, y, size, text in lines
        ).encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        kids.append(len(objects) + 1)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % len(objects)
        )
    refs = " ".join(f"{kid} 0 R" for kid in kids)
    objects[1] = f"<< /Type /Pages /Kids [{refs}] /Count {len(kids)} >>".encode()
    objects.append(f"<< {info} >>".encode())
    out = bytearray(b"%PDF-1.4\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (
        len(objects) + 1,
        len(objects),
    )
    return bytes(out) + b"startxref\n%d\n%%%%EOF\n" % table


def escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


NUMBERS = ["zero", "one", "two", "three", "four"]


def article(pages: int) -> bytes:
    sheets = []
    for n in range(1, pages + 1):
        lines: list[tuple[float, float, float, str]] = [(72, 760, 9, f"Journal of Grip {n}")]
        if n == 1:
            lines.append((72, 720, 20, "Finger pulleys"))
        lines += [
            (
                72,
                690,
                11,
                f"On page {NUMBERS[n]} the pulleys of the fingers hold the tendons close to the",
            ),
            (72, 676, 11, "bone, and a crimp grip loads them more than an open hand, a well-"),
            (72, 662, 11, "known fact. This is a well-known matter of rehabili-"),
            (72, 648, 11, "tation."),
            (72, 620, 11, "A second paragraph begins after a wide gap and goes on for some time"),
            (72, 606, 11, f"until page {NUMBERS[n]} ends and the sentence is carried over to the"),
            (300, 40, 9, f"{n}"),
        ]
        sheets.append(lines)
    sheets[-1][-2] = (72, 606, 11, "until it ends.")
    return pdf(sheets, "/Title (Pulleys) /Author (Ann Lee) /CreationDate (D:20230115120000Z)")


def test_pdf(loader: FileLoader, tmp_path: Path) -> None:
    document = read(loader, tmp_path / "a.pdf", article(4))
    blocks = document.text.split("\n\n")
    assert blocks[0] == "# Finger pulleys"
    rest = (
        "the pulleys of the fingers hold the tendons close to the bone, and a crimp grip loads "
        "them more than an open hand, a well-known fact. This is a well-known matter of "
        "rehabilitation."
    )
    assert blocks[1] == f"On page one {rest}"
    assert blocks[2] == (
        "A second paragraph begins after a wide gap and goes on for some time until page one ends "
        f"and the sentence is carried over to the On page two {rest}"
    )
    assert "Journal" not in document.text
    assert (document.title, document.author, document.published) == (
        "Pulleys",
        "Ann Lee",
        "2023-01-15",
    )
    assert [s.page for s in document.segments] == [1, 2, 3, 4]
    for segment in document.segments:
        stretch = document.text[segment.start : segment.end]
        assert f"On page {NUMBERS[segment.page or 0]} " in stretch
        assert stretch.count("On page") == 1
    assert document.segments[-1].end == len(document.text)


def test_pdf_of_the_web(loader: FileLoader) -> None:
    uri = "https://example.org/papers/pulley%20study.pdf"
    data = pdf([[(72, 700, 11, "Only one line of text here.")]])
    document = loader.read_bytes(data, uri, "application/pdf; charset=binary")
    assert (document.kind, document.uri) == ("web", uri)
    assert document.title == "pulley study"
    assert document.text == "Only one line of text here."


def test_bad_pdfs(loader: FileLoader, tmp_path: Path, notes: list[str]) -> None:
    path = tmp_path / "a.pdf"
    good = article(2)
    assert "without text, probably scanned" in refusal(loader, path, pdf([[], []]))
    assert "not a readable PDF" in refusal(loader, path, b"%PDF-1.4\n" + b"junk" * 99)
    assert "not a readable PDF" in refusal(loader, path, good[:200])
    read(loader, path, pdf([[], [(72, 700, 11, "Text.")]]))
    assert notes == [f"{path}: 1 of 2 pages hold no text"]
    draw = random.Random(7)
    for _ in range(60):
        broken = bytearray(good)
        for _ in range(draw.randrange(1, 40)):
            broken[draw.randrange(len(broken))] = draw.randrange(256)
        tried(loader, bytes(broken), path.suffix)


def test_encrypted_pdf(loader: FileLoader, tmp_path: Path) -> None:
    locked = pdf([[(72, 700, 11, "Secret.")]]).replace(
        b"/Root 1 0 R",
        b"/Root 1 0 R /ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <"
        + b"11" * 32 + b"> /U <" + b"22" * 32 + b"> >>",
    )  # fmt: skip
    assert refusal(loader, tmp_path / "a.pdf", locked) == "is encrypted"


# EPUB and DOCX


def epub(chapters: list[str], extra: dict[str, str | bytes] | None = None) -> bytes:
    items = "".join(f"<item id='c{n}' href='text/c%20{n}.xhtml'/>" for n in range(len(chapters)))
    spine = "".join(f"<itemref idref='c{n}'/>" for n in reversed(range(len(chapters))))
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": "<?xml version='1.0'?><container xmlns='urn:oasis:names:tc:"
            "opendocument:xmlns:container'><rootfiles><rootfile full-path='OEBPS/book.opf'/>"
            "</rootfiles></container>",
            "OEBPS/book.opf": "<?xml version='1.0'?><package xmlns='http://www.idpf.org/2007/opf'>"
            "<metadata xmlns:dc='http://purl.org/dc/elements/1.1/'><dc:title>Hands</dc:title>"
            "<dc:creator>Ann</dc:creator><dc:creator>Bo</dc:creator><dc:date>2020-02-03T00:00:00Z"
            f"</dc:date></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>",
            **{f"OEBPS/text/c {n}.xhtml": page for n, page in enumerate(chapters)},
            **(extra or {}),
        }
    )


def chapter(n: int) -> str:
    return (
        "<?xml version='1.0' encoding='utf-8'?><!DOCTYPE html><html xmlns='http://www.w3.org/1999/"
        f"xhtml'><head><title/></head><body><h2>Part {n}</h2><p>Grü&szlig;e&nbsp;&amp; <i>more</i>"
        "<a id='x'/></p><ul><li>one</li><li>two</li></ul></body></html>"
    )


def test_epub(loader: FileLoader, tmp_path: Path) -> None:
    document = read(loader, tmp_path / "a.epub", epub([chapter(1), chapter(2)]))
    assert document.text == "\n\n".join(
        f"## Part {n}\n\nGrüße & more\n\n- one\n- two" for n in (2, 1)
    )
    assert (document.title, document.author, document.published) == (
        "Hands",
        "Ann, Bo",
        "2020-02-03",
    )


def test_bad_epubs(loader: FileLoader, tmp_path: Path) -> None:
    path = tmp_path / "a.epub"
    lock = "<encryption><CipherReference URI='{}'/></encryption>"  # the algorithm does not matter
    font = {"META-INF/encryption.xml": lock.format("OEBPS/font.otf")}
    assert read(loader, path, epub([chapter(1)], font)).title == "Hands"
    drm = {"META-INF/encryption.xml": lock.format("OEBPS/text/c%200.xhtml")}
    assert "DRM" in refusal(loader, path, epub([chapter(1)], drm))
    assert "lists no chapters" in refusal(loader, path, epub([]))
    assert "lists no chapters" in refusal(loader, path, zipped({"a": "b"}))
    assert "not a readable epub" in refusal(loader, path, epub([chapter(1)])[:300])
    assert "holds no text" in refusal(loader, path, epub(["<p/>", ""]))
    broken = epub(["<p>unclosed <b>tags &nosuch; < &", chapter(2)])
    assert "unclosed tags" in read(loader, path, broken).text
    bomb = epub([chapter(1)], {"OEBPS/zeros": b"\0" * 2_000_000})
    assert "unpacks to more than 1 MB" in refusal(small(loader), path, bomb)


def docx(body: str, extra: dict[str, str | bytes] | None = None) -> bytes:
    space = "http://schemas.openxmlformats.org"
    return zipped(
        {
            "[Content_Types].xml": f"<Types xmlns='{space}/package/2006/content-types'>"
            "<Default Extension='rels' ContentType='application/vnd.openxmlformats-package."
            "relationships+xml'/><Override PartName='/word/document.xml' "
            f"ContentType='{DOCX}.main+xml'/></Types>",
            "_rels/.rels": f"<Relationships xmlns='{space}/package/2006/relationships'>"
            f"<Relationship Id='r1' Type='{space}/officeDocument/2006/relationships/"
            "officeDocument' Target='word/document.xml'/></Relationships>",
            "word/document.xml": "<?xml version='1.0'?><w:document xmlns:w='"
            f"{space}/wordprocessingml/2006/main'><w:body>{body}</w:body></w:document>",
            "docProps/core.xml": f"<cp:coreProperties xmlns:cp='{space}/package/2006/metadata/core"
            "-properties' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:dcterms='http://purl"
            ".org/dc/terms/'><dc:title>Plan</dc:title><dc:creator>Bo</dc:creator><dcterms:created>"
            "2022-03-04T05:06:07Z</dcterms:created></cp:coreProperties>",
            **(extra or {}),
        }
    )


def word(text: str, style: str = "") -> str:
    mark = f"<w:pPr><w:pStyle w:val='{style}'/></w:pPr>" if style else ""
    return f"<w:p>{mark}<w:r><w:t>{text}</w:t></w:r></w:p>"


def test_docx(loader: FileLoader, tmp_path: Path) -> None:
    body = word("Week one", "Heading1") + word("Rest &amp; eat.") + word("1 &lt; 2_3*4*")
    document = read(loader, tmp_path / "a.docx", docx(body))
    assert document.text == "# Week one\n\nRest & eat.\n\n1 < 2_3*4*"
    assert (document.title, document.author, document.published) == ("Plan", "Bo", "2022-03-04")


def test_bad_docx(loader: FileLoader, tmp_path: Path) -> None:
    path = tmp_path / "a.docx"
    good = docx(word("Text."))
    assert "not a readable docx" in refusal(loader, path, good[:200])
    assert "not a readable docx" in refusal(loader, path, zipped({"a": "b"}))
    assert "not a readable docx" in refusal(loader, path, docx("<w:p><unclosed>"))
    assert "holds no text" in refusal(loader, path, docx(word("")))
    entity = "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>" + "".join(
        f"<!ENTITY {b} '{f'&{a};' * 10}'>" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    laughs = docx("", {"word/document.xml": f"{entity}]><w:p>&i;</w:p>"})
    assert "not a readable docx" in refusal(loader, path, laughs)
    bomb = docx(word("Text."), {"word/media/zeros": b"\0" * 2_000_000})
    assert "unpacks to more than 1 MB" in refusal(small(loader), path, bomb)
    draw = random.Random(7)
    for _ in range(40):
        broken = bytearray(good)
        broken[draw.randrange(len(broken))] = draw.randrange(256)
        tried(loader, bytes(broken), path.suffix)


# Sniffing, stdin


def test_kinds_are_sniffed_where_the_name_says_nothing(loader: FileLoader, tmp_path: Path) -> None:
    for name, data, kind in [
        ("README", "Plain words.", ".txt"),
        ("a.py", "# comment\nprint()\n", ".txt"),
        ("b.bin", article(1), ".pdf"),
        ("c", epub([chapter(1)]), ".epub"),
        ("d.zip", docx(word("Text.")), ".docx"),
        ("e.php", "<!DOCTYPE html><html><body><p>Some words.</p></body></html>", ".html"),
    ]:
        assert read(loader, tmp_path / name, data).meta["suffix"] == kind


def test_binary_is_refused(loader: FileLoader, tmp_path: Path) -> None:
    noise = random.Random(7).randbytes(5_000)
    for name, data in [
        ("c.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + noise),
        ("d.md", noise.replace(b"\0", b"")),
        ("e.zip", zipped({"a.txt": "words"})),
        ("f", b"\x7fELF\x02\x01\x01" + b"\0" * 100),
        ("g.txt", b"\0"),
        ("h.txt", b"words\0words"),
    ]:
        assert "is not a kind of file dragtor reads" in refusal(loader, tmp_path / name, data)


def test_stdin(loader: FileLoader) -> None:
    document = loader.read_bytes(b"# Plan\n\nRest.", "stdin:0123", "")
    assert (document.uri, document.kind, document.title) == ("stdin:0123", "file", "Plan")
    assert loader.read_bytes(b"Rest.", "stdin:0123", "").title == "stdin"
    assert loader.read_bytes(b"*Rest*", "stdin:0123", ".md").text == "Rest"
    for data in (b"", b" \n", b"\0\1\2"):
        with pytest.raises(LoadError, match=r"^stdin:0123 "):
            loader.read_bytes(data, "stdin:0123", "")


# Folders


def test_contract(loader: FileLoader, tmp_path: Path, own_folders: Path) -> None:
    (tmp_path / "n").mkdir()
    (tmp_path / "n" / "a.md").write_text("# Tape\n\nTape warms.")
    (tmp_path / "n" / "b.txt").write_text("Rest for two days.")
    absent = str(tmp_path / "absent.md")
    check_loader(
        loader, str(tmp_path / "n"), own_folders, absent=absent, others=["https://example.org/a"]
    )


def test_a_folder(loader: FileLoader, tmp_path: Path, notes: list[str]) -> None:
    for name in [
        "b/z.md",
        "b/a.txt",
        "a.MD",
        "c.pdf",
        "x.jpg",
        "b/y.JPG",
        "Makefile",
        "q.svg",
        ".git/a.md",
    ]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "a.md").write_text("x")
    found = [file_path(item.uri).relative_to(tmp_path) for item in loader.discover(str(tmp_path))]
    assert [str(path) for path in found] == [
        "a.MD", "b/a.txt", "b/y.JPG", "b/z.md", "c.pdf", "x.jpg",
    ]  # fmt: skip
    assert notes == ["2 files skipped: without suffix 1, .svg 1"]
    again = list(loader.discover(file_uri(tmp_path)))
    assert [file_path(item.uri).relative_to(tmp_path) for item in again] == found


def test_ignore_patterns(tmp_path: Path) -> None:
    for name in ["a.md", "draft.md", "keep/draft.md", "old/a.md", "deep/old/b.md", "deep/c.txt"]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".dragtorignore").write_text("# notes\ndraft.md\n!keep/draft.md\nold/\n")
    config = dataclasses.replace(LoadConfig(), ignore=(".*", "*.txt"))
    loader = FileLoader(config)
    found = [file_path(item.uri).relative_to(tmp_path) for item in loader.discover(str(tmp_path))]
    assert [str(path) for path in found] == ["a.md", "keep/draft.md"]


def test_symlinks_do_not_loop(loader: FileLoader, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "note.md").write_text("x")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    (tmp_path / "self.md").symlink_to("self.md")
    (tmp_path / "gone.md").symlink_to("nowhere")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "link.md").symlink_to(tmp_path / "a" / "note.md")
    found = [file_path(item.uri).relative_to(tmp_path) for item in loader.discover(str(tmp_path))]
    assert [str(path) for path in found] == ["a/note.md", "link.md"]


# Bad files


def test_what_is_not_there_or_no_file(loader: FileLoader, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="does not exist"):
        loader.discover(str(tmp_path / "none.md"))
    with pytest.raises(LoadError, match="is a folder"):
        loader.read(file_uri(tmp_path))
    with pytest.raises(LoadError, match="does not exist"):
        loader.content_hash(file_uri(tmp_path / "none.md"))
    for path in (
        "",
        "nul\0.md",
        "\ud800.md",
        "x" * 5000,
        "~nobody_at_all/x",
        "a.md/b.md",
        "file://x",
    ):
        with pytest.raises(LoadError) as error:
            loader.discover(path)
        assert "\n" not in str(error.value)
    with pytest.raises(LoadError, match="not the address of a local file"):
        loader.read("https://example.org/a.md")


def test_pipes_and_devices_are_never_waited_for(loader: FileLoader, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.md"
    os.mkfifo(pipe)

    def attempt() -> None:
        for action in (loader.discover, lambda p: loader.read(file_uri(Path(p)))):
            for path in (str(pipe), "/dev/zero"):
                with pytest.raises(LoadError, match="not a regular file"):
                    action(path)
        assert list(loader.discover(str(tmp_path))) == []
        done.set()

    done = threading.Event()
    threading.Thread(target=attempt, daemon=True).start()
    assert done.wait(20)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_unreadable(loader: FileLoader, tmp_path: Path, notes: list[str]) -> None:
    path = tmp_path / "secret.md"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(LoadError, match="cannot be read: Permission denied"):
        loader.read(file_uri(path))
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    assert [item.uri for item in loader.discover(str(tmp_path))] == [file_uri(path)]
    assert notes == [f"{closed} was skipped: Permission denied"]


@pytest.mark.parametrize("suffix", ["txt", "md", "html", "pdf", "epub", "docx", "xyz"])
def test_empty_blank_and_too_large(loader: FileLoader, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    assert refusal(loader, path, b"") == "is empty"
    assert refusal(loader, path, b" \n\t\n")
    assert refusal(small(loader), path, b"a" * 1_000_001) == "is larger than 1 MB"
    with pytest.raises(LoadError, match="larger than 1 MB"):
        small(loader).content_hash(file_uri(path))


@pytest.mark.parametrize("suffix", ["txt", "md"])
def test_an_endless_line(loader: FileLoader, tmp_path: Path, suffix: str, notes: list[str]) -> None:
    data = b"endless [line " * 3_700_000
    document = read(loader, tmp_path / f"a.{suffix}", data)
    assert len(document.text) == len(data)
    assert len(notes) == (suffix == "md")


def test_naughty_strings_as_text(loader: FileLoader, tmp_path: Path) -> None:
    strings = json.loads((shared("bad_inputs") / "text" / "blns.json").read_text("utf-8"))
    assert len(strings) == 515
    seen = 0
    for suffix in (".txt", ".md", ".html"):
        for text in strings:
            if not (document := tried(loader, text.encode(), suffix)):
                continue
            assert document.text.strip()
            assert not set(document.text) & set(map(chr, [*range(9), *range(11, 32), 127]))
            seen += 1
            if suffix == ".txt":
                clean = "".join(c for c in text if c.isprintable())
                assert "".join(c for c in document.text if c.isprintable()) == clean.strip("\ufeff")
    assert seen > 1_200


def test_naughty_strings_as_names(loader: FileLoader, tmp_path: Path) -> None:
    strings = json.loads((shared("bad_inputs") / "text" / "blns.json").read_text("utf-8"))
    names = {text.replace("/", "_")[:80] for text in strings} - {"", ".", ".."}
    made = set()
    for name in names:
        path = tmp_path / "n" / f"x{name}.md"
        path.parent.mkdir(exist_ok=True)
        try:
            path.write_text("Words.")
        except (OSError, ValueError):
            continue
        made.add(file_uri(path))
    raw = os.fsencode(tmp_path / "n") + b"/\xff\xfe\n.md"
    Path(os.fsdecode(raw)).write_text("Words.")
    made.add(file_uri(Path(os.fsdecode(raw))))
    assert len(made) > 450
    found = {item.uri for item in loader.discover(str(tmp_path / "n"))}
    assert found == made
    for uri in found:
        assert uri.isascii()
        document = loader.read(uri)
        assert document.text == "Words."
        document.title.encode("utf-8")
        assert document.title
        assert "\n" not in document.title
        file_path(uri).write_bytes(b"\0")
        with pytest.raises(LoadError) as error:
            loader.read(uri)
        assert str(error.value).isprintable()


def stream(size: int, first: int = 0) -> bytes:
    """Three packets of an MPEG transport stream."""
    return bytes(first) + (b"G" + bytes(size - 1)) * 3


def test_transport_streams_are_told_from_typescript(
    loader: FileLoader, tmp_path: Path, notes: list[str]
) -> None:
    code = "export const hangs: number = 7;\n" * 40
    files = {
        "app.ts": code.encode(),
        "empty.ts": b"",
        "short.ts": b"G",
        "tool.mts": code.encode(),
        "camera.mts": stream(192, first=4),
        "talk.TS": stream(188),
        "disc.m2ts": b"of this suffix there is one kind",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    os.mkfifo(tmp_path / "pipe.ts")
    found = [file_path(item.uri).name for item in loader.discover(str(tmp_path))]
    assert found == ["camera.mts", "disc.m2ts", "talk.TS"]
    assert notes == ["5 files skipped: .ts 4, .mts 1"]
    for name, sound in (("camera.mts", True), ("talk.TS", True), ("app.ts", False)):
        (item,) = loader.discover(str(tmp_path / name))
        assert isinstance(loader.read(item.uri), Recording) is sound


def test_sound_is_hashed_once_and_again_if_it_changed(
    loader: FileLoader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    digest = hashlib.file_digest

    def counted(file: io.BufferedReader, name: str) -> object:
        hashed.append(file.name)
        return digest(file, name)

    monkeypatch.setattr(hashlib, "file_digest", counted)
    path = tmp_path / "talk.mp3"
    path.write_bytes(b"sound")
    uri = file_uri(path)

    def told() -> object:
        found = loader.read(uri)
        assert isinstance(found, Recording)
        return found.document.meta["stamp"]

    assert told() == loader.content_hash(uri) == told()
    assert len(hashed) == 2  # asked for by itself, a hash is taken anew
    path.write_bytes(b"another sound")
    assert told() == hashlib.sha256(b"another sound").hexdigest()
    other = tmp_path / "other.mp3"
    other.write_bytes(b"other")
    assert loader.content_hash(file_uri(other)) != told()
