"""The page as files: its weight, its manners, its colours; and how a real server gives it out."""

from __future__ import annotations

import gzip
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from serving import Served, serving

from dragtor.serve.guard import CSP
from dragtor.serve.page import INDEX, MEDIA_TYPES, PAGE_FOLDER, page_files, without_comments

MAX_GZIP_BYTES = 60_000  # all JS and CSS together
MAX_LINES = 300
LEAST_CONTRAST = 4.5  # WCAG AA, of text
LEAST_CONTRAST_OF_PARTS = 3.0  # of what is no text: borders of fields, rings
MODULES = sorted(PAGE_FOLDER.rglob("*.js"))
OWN = [path for path in MODULES if path.parent == PAGE_FOLDER]
STYLE = (PAGE_FOLDER / "style.css").read_text("utf-8")
# What would let a text become markup or code.
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|createContextualFragment"
    r"|DOMParser|\beval\(|new Function|setTimeout\([\"'`]"
)
IMPORT = re.compile(r"""(?m)(?:^[^"'\n]*\bfrom\s*|import\s*\(?\s*)["']([^"']+)["']""")


def text_of(path: Path) -> str:
    return path.read_text("utf-8")


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


# The files


def test_all_of_it_is_light() -> None:
    kinds = (".js", ".css")
    sent = {name: file.body for name, file in page_files().items() if name.endswith(kinds)}
    assert len(sent) == len(MODULES) + 1
    assert len(gzip.compress(b"".join(sent.values()), 9)) <= MAX_GZIP_BYTES


def test_comments_stay_at_home() -> None:
    assert without_comments("// own\nlet a = 1; // kept\n  // more\nlet b = `// c`;\n", ".js") == (
        "let a = 1; // kept\nlet b = `// c`;\n"
    )
    assert without_comments("a {}\n/* of\ntwo */\nb {}", ".css") == "a {}\nb {}"
    assert without_comments("// <p>", ".html") == "// <p>"


@pytest.mark.parametrize("path", OWN, ids=names(OWN))
def test_a_module_is_short_says_what_it_owns_and_writes_text_only(path: Path) -> None:
    text = text_of(path)
    lines = text.splitlines()
    assert len(lines) < MAX_LINES
    assert lines[0].startswith("//")
    assert MARKUP.findall(text) == []


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_imports_are_relative_and_there(path: Path) -> None:
    for target in IMPORT.findall(without_comments(text_of(path), ".js")):
        assert target.startswith("./"), target
        assert (path.parent / target).is_file(), target


def test_nothing_is_asked_of_another_host() -> None:
    for path in PAGE_FOLDER.rglob("*"):
        if path.suffix not in MEDIA_TYPES:
            continue
        hosts = set(re.findall(r"\b(?:https?|wss?)://((?:[\w-]+\.)+[a-z]{2,})", text_of(path)))
        assert hosts <= {"www.w3.org"}, path.name  # names of SVG's and MathML's languages
        assert not re.search(r"url\(|@import", text_of(path)) or path.suffix != ".css"


def test_the_index_holds_no_script_and_no_style() -> None:
    index = text_of(PAGE_FOLDER / INDEX)
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", index) == []
    for address in re.findall(r'(?:src|href)="([^"]+)"', index):
        assert address.removeprefix("/page/") in page_files(), address


def test_what_the_first_view_imports_is_fetched_at_once() -> None:
    wanted: list[str] = []

    def visit(name: str) -> None:
        if name not in wanted:
            wanted.append(name)
            for target in re.findall(
                r"""from\s*["']\./([^"']+)["']""", text_of(PAGE_FOLDER / name)
            ):
                visit((Path(name).parent / target).as_posix())

    visit("app.js")
    visit("ask.js")
    preloaded = re.findall(r'"modulepreload" href="/page/([^"]+)"', text_of(PAGE_FOLDER / INDEX))
    assert sorted(preloaded) == sorted(set(wanted) - {"app.js"})


def test_every_page_of_the_table_is_there_with_a_letter_of_its_own() -> None:
    table = text_of(PAGE_FOLDER / "app.js").partition("const PAGES = [")[2].partition("\n];")[0]
    rows = re.findall(r'id: "(\w+)".*letter: "(\w)".*import\("\./([\w.]+)"\)', table)
    assert {"ask", "library"} <= {row[0] for row in rows}
    assert len({row[1] for row in rows}) == len(rows) == table.count("{ id:")
    assert all((PAGE_FOLDER / row[2]).is_file() for row in rows)


def test_every_icon_is_drawn() -> None:
    drawn = set(re.findall(r'^  (\w+): "M', text_of(PAGE_FOLDER / "ui.js"), re.M))
    for path in OWN:
        used = set(re.findall(r'(?:icon|<\$\{Icon\} name)="(\w+)"', text_of(path)))
        assert used <= drawn, path.name


def test_libraries_are_those_of_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    script = importlib.import_module("vendor_page")
    brought = set()
    for package in script.PACKAGES:
        assert (script.TARGET / f"{package.name}.LICENSE").stat().st_size > 500
        for name in package.members.values():
            first = text_of(script.TARGET / name).splitlines()[0]
            assert f"{package.name} {package.version}, {package.licence}" in first
            brought.add(name)
    assert {path.name for path in script.TARGET.glob("*.js")} == brought


# Its colours


def _colours() -> dict[str, tuple[str, str]]:
    """Custom properties that are colours: name -> (light, dark)."""
    found = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{3,6}), (#[0-9a-f]{3,6})\)", STYLE)
    return {name: (light, dark) for name, light, dark in found}


def _luminance(colour: str) -> float:
    digits = colour[1:]
    if len(digits) == 3:
        digits = "".join(2 * each for each in digits)
    shares = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """As WCAG 2 counts it, 1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


TEXT_ON = [
    (ink, ground)
    for ink in ("ink", "soft", "quiet", "accent", "accent-strong", "bad", "warn")
    for ground in ("paper", "surface", "raised")
] + [
    ("ink", "hover"), ("soft", "hover"), ("quiet", "hover"), ("on-accent", "accent"),
    ("on-accent", "accent-strong"), ("accent-strong", "accent-wash"), ("mark-ink", "mark"),
    ("bad", "bad-wash"), ("soft", "bad-wash"), ("ink", "bad-wash"), ("warn", "warn-wash"),
]  # fmt: skip


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT_ON)
def test_text_stands_out(ink: str, ground: str, scheme: int) -> None:
    colours = _colours()
    assert contrast(colours[ink][scheme], colours[ground][scheme]) >= LEAST_CONTRAST


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "surface", "raised"])
def test_edges_of_fields_and_rings_stand_out(ground: str, scheme: int) -> None:
    colours = _colours()
    for edge in ("line-strong", "accent"):
        found = contrast(colours[edge][scheme], colours[ground][scheme])
        assert found >= LEAST_CONTRAST_OF_PARTS, edge


def test_contrast_is_counted_as_wcag_does() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_who_wants_no_motion_has_none() -> None:
    assert "@media (prefers-reduced-motion: reduce)" in STYLE
    assert "color-scheme: light dark" in STYLE


# As a server gives it out


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("library")) as served:
        yield served


@pytest.mark.parametrize("name", sorted(page_files()))
def test_a_file_is_given_out_with_its_exact_type_and_without_a_token(
    served: Served, name: str
) -> None:
    reply = served.ask("GET", f"/page/{name}", token="")
    assert reply.status == 200
    assert reply.body == page_files()[name].body
    assert reply.headers["content-type"] == MEDIA_TYPES[Path(name).suffix]
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["content-security-policy"] == CSP


def test_the_front_page_is_under_the_policy_that_forbids_markup(served: Served) -> None:
    reply = served.ask("GET", "/", token="", accept="text/html,*/*")
    assert reply.status == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    policy = reply.headers["content-security-policy"]
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy


def test_a_program_is_welcomed_in_json(served: Served) -> None:
    reply = served.ask("GET", "/", token="", accept="application/json")
    assert reply.json == {"message": "Welcome to the API"}


def test_an_unchanged_file_is_not_sent_again(served: Served) -> None:
    first = served.ask("GET", "/page/app.js", token="")
    again = served.ask("GET", "/page/app.js", token="", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert first.headers["cache-control"] == "no-cache"


def test_the_icon_is_where_browsers_look(served: Served) -> None:
    reply = served.ask("GET", "/favicon.ico", token="")
    assert (reply.status, reply.headers["content-type"]) == (200, "image/svg+xml")


@pytest.mark.parametrize(
    "name",
    ["", "page.py", "vendor", "vendor/", "vendor/preact.LICENSE", "../page.py", "..%2fpage.py",
     "%2e%2e/page.py", "vendor/../../guard.py", "app.js%00.html", "/etc/passwd", "%2fetc%2fpasswd",
     "....//guard.py", "..%5cguard.py", "%252e%252e/guard.py", "APP.JS"],
)  # fmt: skip
def test_nothing_else_is_given_out(served: Served, name: str) -> None:
    reply = served.ask("GET", f"/page/{name}", token="")
    assert reply.status in (401, 404)  # what is not under /page/ wants a token first
