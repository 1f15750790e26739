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

from dragtor.serve.bundle import bundle
from dragtor.serve.guard import CSP
from dragtor.serve.page import INDEX, MEDIA_TYPES, PAGE_FOLDER, as_sent, page_files

MAX_GZIP_BYTES = 60_000  # all JS and CSS together, as they are sent
LIBRARIES = ("hooks", "htm", "preact")
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
    sent = {name: file for name, file in page_files().items() if name.endswith((".js", ".css"))}
    assert sorted(sent) == ["app.js", "style.css", *(f"vendor/{each}.js" for each in LIBRARIES)]
    assert sum(len(file.packed) for file in sent.values()) <= MAX_GZIP_BYTES
    assert all(gzip.decompress(file.packed) == file.body for file in page_files().values())


def test_what_only_readers_need_stays_at_home() -> None:
    assert as_sent("// own\n  let a = 1; // kept\n  // more\nlet b = `// c`;\n", ".js") == (
        "let a = 1; // kept\nlet b = `// c`;\n"
    )
    css = "a:hover, i {\n  margin: 0 auto;\n}\n/* of\ntwo */\n@media (width: 1px) { b { c: d } }"
    assert as_sent(css, ".css") == "a:hover,i{margin:0 auto}@media (width:1px){b{c:d}}"
    assert as_sent("  // <p>", ".html") == "  // <p>"


MODULES_OF_TWO = {
    "a.js": """import { one } from "./b.js";
import * as all from "./b.js";
import { h } from "./vendor/x.js";
export const load = () => import("./c.js");
one(all);
""",
    "b.js": """import { h } from "./vendor/x.js";
export async function one() {}
export { h };
const two = 2;
""",
    "c.js": """import { one as mine } from "./b.js";
export default function C() { return mine; }
""",
}


def test_modules_of_one_file_keep_their_scopes_and_are_run_when_they_are_needed() -> None:
    made = bundle(MODULES_OF_TWO, "a.js")
    assert made.startswith('import { h } from "./vendor/x.js";\nconst $once')
    assert made.count("import") == 1
    assert "const { one } = $b();\nconst all = $b();\n" in made
    assert "const load = () => Promise.resolve().then($c);" in made
    assert "return { h, one };" in made
    assert "const { one: mine } = $b();" in made
    assert "return { default: C };" in made
    assert made.index("$b = ") < made.index("$c = ") < made.index("$a = ")
    assert made.endswith("\n$a();\n")


@pytest.mark.parametrize(
    "line", ["export * from './b.js';", "export let a = 1;", "import './b.js';", "import(name);"]
)
def test_a_form_that_is_not_known_is_not_put_together(line: str) -> None:
    with pytest.raises(ValueError, match=r"a\.js"):
        bundle({"a.js": f"{line}\n", "b.js": ""}, "a.js")


@pytest.mark.parametrize("path", OWN, ids=names(OWN))
def test_a_module_is_short_says_what_it_owns_and_writes_text_only(path: Path) -> None:
    text = text_of(path)
    lines = text.splitlines()
    assert len(lines) < MAX_LINES
    assert lines[0].startswith("//")
    assert MARKUP.findall(text) == []


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_imports_are_relative_and_there(path: Path) -> None:
    for target in IMPORT.findall(as_sent(text_of(path), ".js")):
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
    index, files = text_of(PAGE_FOLDER / INDEX), page_files()
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", index) == []
    for address in re.findall(r'(?:src|href)="([^"]+)"', index):
        assert address.removeprefix("/page/") in files, address


def test_what_the_first_view_imports_is_fetched_at_once() -> None:
    wanted = IMPORT.findall(page_files()["app.js"].body.decode())
    preloaded = re.findall(r'"modulepreload" href="/page/([^"]+)"', text_of(PAGE_FOLDER / INDEX))
    assert sorted(preloaded) == sorted(each.removeprefix("./") for each in set(wanted))


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


def test_a_file_is_packed_for_who_takes_that(served: Served) -> None:
    file = page_files()["style.css"]
    for taken, packed in (("gzip, br", True), ("br;q=1, GZIP;q=0.5", True), ("br", False),
                          ("gzip;q=0", False), ("", False), ("gzip;q=0.0, br", False)):  # fmt: skip
        reply = served.ask("GET", "/page/style.css", token="", accept_encoding=taken)
        assert reply.headers.get("content-encoding") == ("gzip" if packed else None), taken
        assert reply.body == (file.packed if packed else file.body)
        assert reply.headers["vary"] == "Accept, Accept-Encoding"


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
