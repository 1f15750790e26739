"""dragtor tag, dragtor encode: what they print of texts, files and stdin, and how they refuse."""

from __future__ import annotations

import importlib.util
import json
import sys
from html.parser import HTMLParser
from pathlib import Path

import jsonschema
import pytest
from conftest import Cli
from graphs import write_model

from dragtor import schema

TEXT = "Alex Megos climbs in Céüse, good."
MARKED = "[Alex Megos person .98] climbs in [Céüse place .96], good."


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_text_is_shown_with_its_spans_and_classes(cli: Cli, model: Path) -> None:
    run = cli("tag", TEXT, "--model", model)
    assert (run.code, run.err) == (0, "")
    assert run.out.splitlines() == [MARKED, "sentiment: positive 1.00, negative .00"]


def test_words_without_quotes_are_one_text(cli: Cli, model: Path) -> None:
    run = cli("tag", "Alex", "Megos", "climbs", "--model", model, "--head", "entities")
    assert run.out == "[Alex Megos person .98] climbs\n"
    two = cli("tag", "Alex climbs", "Ceuse good", "--model", model, "--head", "entities")
    assert two.out == "[Alex person .98] climbs\n\n[Ceuse place .98] good\n"


def test_files_and_stdin_are_read_as_documents_are(cli: Cli, model: Path, here: Path) -> None:
    (here / "a.txt").write_bytes(TEXT.encode("utf-16"))
    (here / "b.md").write_text("Ceuse")
    head = ("--model", model, "--head", "entities")
    assert cli("tag", "a.txt", *head).out == f"{MARKED}\n"
    assert cli("tag", "a.txt", "b.md", *head).out == f"{MARKED}\n\n[Ceuse place .98]\n"
    assert cli("tag", "-", *head, stdin=TEXT.encode()).out == f"{MARKED}\n"


def test_json_has_every_span_at_its_place(cli: Cli, model: Path) -> None:
    found = cli("tag", TEXT, "bad", "--json", "--model", model).json
    jsonschema.validate(found, schema.TAGGED_SCHEMA)
    assert found["model"] == str(model)
    first, second = found["texts"]
    assert [(s["text"], s["label"], s["head"]) for s in first["spans"]] == [
        ("Alex Megos", "person", "entities"),
        ("Céüse", "place", "entities"),
    ]
    for span in first["spans"]:
        assert TEXT[span["start"] : span["end"]] == span["text"]
    assert second["classes"]["sentiment"]["negative"] > 0.9
    assert second["spans"] == []


def test_colours_where_there_is_a_terminal(
    cli: Cli, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dragtor.cli import output, tag

    monkeypatch.setattr(tag, "style", lambda text, **how: f"<{how.get('fg', 'b')}>{text}</>")
    assert output.style("x", bold=True) == "x"
    run = cli("tag", TEXT, "--model", model)
    assert "<cyan>Alex Megos</> <cyan>person .98</> climbs" in run.out


class Page(HTMLParser):
    """The texts between tags, and the addresses that a page would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.loaded: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


def test_the_page_shows_all_and_loads_nothing(cli: Cli, model: Path, here: Path) -> None:
    evil = f"{TEXT} <script>alert(1)</script> & \x07"
    run = cli("tag", evil, "--model", model, "--html", "out.html")
    assert (run.code, run.err) == (0, "written: out.html\n")
    html = (here / "out.html").read_text("utf-8")
    page = Page(html)
    assert page.loaded == []
    assert "script" not in page.tags
    assert {"title", "mark", "style", "h1"} <= page.tags
    assert "<script>alert(1)</script>" in "".join(page.shown)
    assert {"Alex Megos", "Céüse", "person 0.98"} <= set(page.shown)
    assert "prefers-color-scheme: dark" in html
    again = cli("tag", TEXT, "--model", model, "--html", "out.html")
    assert again.code == 2
    assert "cannot write out.html: File exists" in again.err


def test_vectors_are_a_line_each(cli: Cli, model: Path, here: Path) -> None:
    (here / "a.txt").write_text("Alex climbs\n\n  Ceuse  \n" + "good\n" * 300)
    run = cli("encode", "a.txt", "--model", model)
    rows = [json.loads(line) for line in run.out.splitlines()]
    assert [row["text"] for row in rows[:3]] == ["Alex climbs", "Ceuse", "good"]
    assert len(rows) == 302
    for row in rows[:3]:
        jsonschema.validate(row, schema.VECTOR_SCHEMA)
        assert sum(number**2 for number in row["vector"]) == pytest.approx(1, abs=1e-5)
    first = cli("encode", "-", "--model", model, "--pooling", "cls", stdin=b"Alex climbs\n")
    assert json.loads(first.out)["vector"] != rows[0]["vector"]
    assert cli("encode", "a.txt", "--model", model, "--pooling", "sum").code == 2


def test_how_alike_lines_are(cli: Cli, model: Path, here: Path) -> None:
    (here / "a.txt").write_text("Alex climbs\nAlex climbs well\n" + "bad " * 30)
    lines = cli("tag", "--similar", "a.txt", "--model", model).out.splitlines()
    assert lines[0] == "      1     2     3"
    assert lines[1].startswith("1  1.00  0.9")
    assert lines[1].endswith("  Alex climbs")
    assert lines[3].endswith(" bad…")
    found = cli("tag", "--similar", "a.txt", "--model", model, "--json").json
    jsonschema.validate(found, schema.SIMILARITY_SCHEMA)
    assert found["texts"][0] == "Alex climbs"
    assert found["cosines"][1][0] == found["cosines"][0][1] > found["cosines"][0][2]


def test_a_plot_needs_matplotlib(
    cli: Cli, model: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "a.txt").write_text("Alex\nCeuse")
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    run = cli("tag", "--similar", "a.txt", "--model", model, "--plot", "out.png")
    assert run.code == 4
    assert 'pip install "dragtor[train]"' in run.err
    assert not (here / "out.png").exists()


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="needs matplotlib")
def test_a_plot_is_a_picture(cli: Cli, model: Path, here: Path) -> None:
    (here / "a.txt").write_text("Alex $x$ \\frac\nCeuse good")
    run = cli("tag", "--similar", "a.txt", "--model", model, "--plot", "out.png")
    assert (run.code, run.err) == (0, "written: out.png\n")
    assert (here / "out.png").read_bytes().startswith(b"\x89PNG")
    again = cli("tag", "--similar", "a.txt", "--model", model, "--plot", "out.png")
    assert (again.code, "File exists" in again.err) == (2, True)
    assert cli("tag", "--similar", "a.txt", "--model", model, "--plot", "out.doc").code == 2
    assert not (here / "out.doc").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["tag"], 2, "the text is empty"),
        (["tag", ""], 2, "the text is empty"),
        (["tag", "-"], 2, "the text is empty"),
        (["tag", "nothing.txt"], 2, "there is no file nothing.txt"),
        (["tag", "."], 2, ". is a folder"),
        (["tag", TEXT, "--head", "mood"], 2, "tiny has not one head mood"),
        (["tag", TEXT, "--plot", "a.png"], 2, "--plot needs --similar"),
        (["tag", TEXT, "--similar", "a.txt"], 2, "--similar reads one file"),
        (["tag", "--similar", "nothing.txt"], 2, "there is no file nothing.txt"),
        (["encode", "nothing"], 2, "there is no file nothing"),
        (["encode", "-"], 2, "- holds no text"),
    ],
)
def test_what_cannot_be_done_is_one_line(
    cli: Cli, model: Path, here: Path, arguments: list[str], code: int, told: str
) -> None:
    run = cli(*arguments, "--model", model)
    assert (run.code, run.out) == (code, "")
    assert run.err.startswith(f"error: {told}")
    assert "Traceback" not in run.err


def test_models_that_are_not_there(cli: Cli, here: Path) -> None:
    assert cli("tag", TEXT, "--model", "here/none").code == 4
    unknown = cli("tag", TEXT, "--model", "sags")
    assert (unknown.code, "unknown model 'sags'" in unknown.err) == (2, True)


def test_texts_that_nobody_means_are_printed_all_the_same(cli: Cli, model: Path) -> None:
    for text in ("😀" * 100, "a\x1b[31m\x07b", "Alex \udcff Megos", "\u202ex", "x" * 5000):
        run = cli("tag", text, "--model", model)
        assert (run.code, run.err) == (0, "")
        assert "\x1b" not in run.out
        assert cli("tag", text, "--model", model, "--json").json["texts"]
