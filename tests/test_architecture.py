"""The shape of the house: who may import whom, what loads late, and what no file may hold.

Every rule is a function of a folder, so that each is also tried on a small bad package.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT

import dragtor
from dragtor.load.registry import LOADERS, RECORDED

KINDS = (*LOADERS, *RECORDED)  # of sources and documents
PACKAGE = ROOT / "dragtor"
MAX_LINES = 600
MAX_FUNCTION_LINES = 50

# A room imports rooms of smaller rows only.
ROWS = (
    ("dates", "display", "errors"),  # import nothing but themselves
    ("work", "named"),
    ("types",),
    ("overview",),
    ("pictures",),
    ("dossier",),
    (
        "config",
        "extras",
        "headings",
        "journal",
        "links",
        "metrics",
        "onnx",
        "prompt",
        "schema",
        "sockets",
        "transcript",
        "turns",
    ),
    ("models",),
    ("load", "ocr", "speech", "split", "embed", "store", "llm", "rerank", "encoder"),
    ("retrieve",),
    ("ground", "events", "entities"),
    ("ingest", "answer", "chat", "digest", "people", "research"),
    ("loading", "checks"),
    ("parts",),
    ("library", "doctor"),
    ("training",),
    ("evaluate",),
    ("serve",),
    ("cli",),
    ("__main__",),
)
ROW_OF = {room: row for row, rooms in enumerate(ROWS) for room in rooms}
FRONT = "__init__"  # the front door names public things, and imports rooms when they are used

# Slow to import, or wanted by few commands: never at module level.
HEAVY = {
    "av", "bs4", "charset_normalizer", "chromadb", "chromadb_rust_bindings", "dacite", "ddgs",
    "faster_paddle", "feedparser", "filelock", "gguf", "httpx", "huggingface_hub", "icalendar",
    "jinja2", "jiwer", "llama_cpp", "lxml", "mammoth", "markdown_it", "matplotlib", "mcp",
    "numpy", "onnx", "onnxruntime", "pathspec", "peft", "PIL", "pillow_heif", "platformdirs",
    "psutil", "pyannote", "pydantic", "pypdfium2", "pysubs2", "pywhispercpp", "rapidocr",
    "requests", "requests_cache", "rich", "scipy", "starlette", "tokenizers", "torch",
    "trafilatura", "transformers", "tzlocal", "urllib3", "uvicorn", "websockets", "xllamacpp",
    "yaml", "yt_dlp",
}  # fmt: skip
# A room that is itself imported late may import these early; no other room imports it early.
LATE = {"serve": {"starlette", "uvicorn", "websockets"}}
# cli draws tables on a terminal; it may name rich where it draws, not where it starts.

# Public names that several modules may define: all mean the same by it, each for its own part.
SAME_BY_PROTOCOL = {
    "ENGINES",  # of llm and of speech.diarize: the names that a setting may choose
    "T",  # a type variable
    "evaluate",  # of evaluate/NAME.py, run by `dragtor eval NAME`
    "questions_of",  # a data file -> its checked questions
    "routes",  # of serve/NAME.py: what it answers
    "register",  # of cli/NAME.py: adds its commands
    "scores",  # of evaluate/NAME.py: rows -> metrics
}

Import = tuple[str, int]  # what is imported (dotted), at which line


def modules(package: Path) -> Iterator[tuple[str, Path]]:
    """(dotted name, file) of every module; a package's own file is `name.__init__`."""
    for path in sorted(package.rglob("*.py")):
        yield ".".join([package.name, *path.relative_to(package).with_suffix("").parts]), path


def room_of(module: str) -> str:
    """The room of `dragtor.store.read` is store."""
    return module.split(".")[1]


def imports(name: str, tree: ast.AST) -> Iterator[Import]:
    """All imports of a module: nested, relative, under TYPE_CHECKING, and by name as text."""
    parts = name.split(".")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = parts[: len(parts) - node.level] if node.level else []
            source = ".".join([*base, *filter(None, [node.module])])
            for alias in node.names:
                yield f"{source}.{alias.name}", node.lineno
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            text = node.args[0] if node.args else None
            if called in ("import_module", "__import__") and isinstance(text, ast.Constant):
                yield f"{text.value}", node.lineno
            elif called in ("import_module", "__import__") and isinstance(text, ast.JoinedStr):
                yield ast.unparse(text).strip("f'\""), node.lineno


def public_names(package: Path) -> dict[str, str]:
    """Public name -> room, as the front door's `_ROOMS` says."""
    tree = ast.parse((package / "__init__.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_ROOMS":
            found: dict[str, str] = ast.literal_eval(node.value)
            return found
    return {}


def wrong_imports(package: Path) -> list[str]:
    """Imports that do not point to a smaller row, and rooms without a row."""
    named = public_names(package)
    wrong = []
    for name, path in modules(package):
        room = room_of(name)
        if room == FRONT:
            continue
        if room not in ROW_OF:
            wrong.append(f"{name}: the room {room} has no row")
            continue
        for imported, line in imports(name, ast.parse(path.read_text("utf-8"))):
            first, _, rest = imported.partition(".")
            if first != package.name:
                continue
            target = rest.split(".")[0]
            target = named.get(target, target)
            if target in ("", "__version__") or target == room:
                continue
            if ROW_OF.get(target, len(ROWS)) >= ROW_OF[room]:
                wrong.append(f"{name}:{line}: {room} imports {target}")
    return wrong


def at_import_time(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported, those under TYPE_CHECKING left out."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from at_import_time(node.orelse)
            continue
        for part in ("body", "orelse", "finalbody"):
            yield from at_import_time(getattr(node, part, []))
        for handler in getattr(node, "handlers", []):
            yield from at_import_time(handler.body)


def early_heavy_imports(package: Path) -> list[str]:
    wrong = []
    for name, path in modules(package):
        room = room_of(name)
        for node in at_import_time(ast.parse(path.read_text("utf-8")).body):
            if isinstance(node, ast.Import | ast.ImportFrom):
                shallow = ast.Module([node], [])
                for imported, line in imports(name, shallow):
                    top, *below = imported.split(".")
                    late = top == package.name and below[:1] != [room] and below[0] in LATE
                    if late or top in HEAVY - LATE.get(room, set()):
                        wrong.append(f"{name}:{line}: {imported}")
    return wrong


def poor_docstrings(package: Path) -> list[str]:
    wrong = []
    for name, path in modules(package):
        text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        if len([line for line in text.splitlines() if line.strip()]) < 2:
            wrong.append(name)
    return wrong


def long_files(package: Path) -> list[str]:
    sizes = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules(package)}
    return [f"{name}: {lines} lines" for name, lines in sizes.items() if lines > MAX_LINES]


def long_functions(package: Path) -> list[str]:
    return [
        f"{name}.{node.name}: {size} lines"
        for name, path in modules(package)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (size := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]


def public_definitions(path: Path) -> Iterator[str]:
    """Names without an underscore that a module's top level defines."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [each.id for each in targets if isinstance(each, ast.Name)]
        else:
            continue
        yield from (name for name in names if not name.startswith("_"))


def names_defined_twice(package: Path) -> dict[str, list[str]]:
    """Public name -> the modules that define it, of those that several do."""
    found: dict[str, list[str]] = {}
    for name, path in modules(package):
        for defined in dict.fromkeys(public_definitions(path)):
            found.setdefault(defined, []).append(name)
    return {name: where for name, where in found.items() if len(where) > 1}


def forbidden(text: str) -> list[str]:
    """Hosts of package registries and folders of somebody's machine. Written in pieces here."""
    hosts = ("py" + "pi.org", "npm" + "js.org", "npm" + "js.com", "python" + "hosted.org")
    folders = "|".join(("ro" + "ot", "wo" + "rk/main", "wo" + "rk/shared", "opt/py" + "pi"))
    found = [host for host in hosts if host in text]
    return found + re.findall(rf"(?<![\w.~:/-])/(?:{folders})/", text)


def is_kind(node: ast.AST) -> bool:
    """Whether an expression is the kind of something, by its name: `source.kind`, `row["kind"]`."""
    if isinstance(node, ast.Subscript):
        return is_kind(node.slice)
    if isinstance(node, ast.Call):  # row.get("kind"), str(source.kind)
        return any(map(is_kind, node.args))
    named = (
        node.attr if isinstance(node, ast.Attribute)
        else node.id if isinstance(node, ast.Name)
        else node.value if isinstance(node, ast.Constant)
        else ""
    )  # fmt: skip
    return isinstance(named, str) and named.rpartition("_")[2] == "kind"


def kinds_named(node: ast.AST) -> set[str]:
    """The kinds of sources and documents that an expression writes out."""
    found = (n.value for n in ast.walk(node) if isinstance(n, ast.Constant))
    return {value for value in found if isinstance(value, str)} & set(KINDS)


def only_kinds(elements: list[ast.expr]) -> bool:
    """Whether these are the names of two kinds or more, and nothing else."""
    values = {n.value for n in elements if isinstance(n, ast.Constant)}
    return len(elements) == len(values) > 1 and values <= set(KINDS)


def asks_for_kind(node: ast.AST) -> bool:
    """Whether what is done depends on a kind by its name."""
    match node:
        case ast.Compare():
            sides = [node.left, *node.comparators]
            return any(map(is_kind, sides)) and any(map(kinds_named, sides))
        case ast.Match():
            return is_kind(node.subject) and any(kinds_named(case.pattern) for case in node.cases)
        case ast.Subscript():  # loaders["feed"]
            loaders = ast.unparse(node.value).endswith("loaders")
            return loaders and bool(kinds_named(node.slice))
        case ast.Call(func=ast.Attribute(attr="get" | "pop" | "startswith" | "endswith")):
            of = node.func.value  # type: ignore[attr-defined]
            wanted = is_kind(of) or ast.unparse(of).endswith("loaders")
            return wanted and any(map(kinds_named, node.args))
        case ast.Dict():  # {"feed": …, "web": …}[source.kind]
            return only_kinds([key for key in node.keys if key is not None])
        case ast.Tuple() | ast.List() | ast.Set():  # LISTS = ("feed", "video")
            return only_kinds(node.elts)
        case _:
            return False


def kinds_asked_for(package: Path) -> list[str]:
    """Where a module outside load/ asks for a kind by its name; kinds of weights are no kinds."""
    return [
        f"{name}:{node.lineno}: {ast.unparse(node)}"  # type: ignore[attr-defined]
        for name, path in modules(package)
        if room_of(name) not in ("load", "models")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if asks_for_kind(node)
    ]


def test_no_module_asks_for_a_kind_of_source_by_name() -> None:
    assert kinds_asked_for(PACKAGE) == []


def test_imports_point_to_smaller_rows() -> None:
    assert wrong_imports(PACKAGE) == []


def test_heavy_modules_are_imported_late() -> None:
    assert early_heavy_imports(PACKAGE) == []


def test_every_file_says_what_it_owns() -> None:
    assert poor_docstrings(PACKAGE) == []


def test_no_file_and_no_function_is_long() -> None:
    assert long_files(PACKAGE) == []
    assert long_functions(PACKAGE) == []


def test_a_name_means_one_thing() -> None:
    twice = names_defined_twice(PACKAGE)
    wrong = {name: where for name, where in twice.items() if name not in SAME_BY_PROTOCOL}
    assert wrong == {}
    assert twice.keys() >= SAME_BY_PROTOCOL, "no longer twice: take it off the list"


@pytest.mark.parametrize("module", ["dragtor", "dragtor.config", "dragtor.cli", "dragtor.serve"])
def test_starting_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, {module}; print(*sorted(m.split('.')[0] for m in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert run.returncode == 0, run.stderr
    assert HEAVY & set(run.stdout.split()) == set()


def test_help_makes_no_types() -> None:
    code = "import sys, dragtor.cli; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "dragtor.cli.extract" in run.stdout.split()
    assert {"dragtor.types", "dragtor.display", "hashlib", "json"} & {*run.stdout.split()} == set()


def test_public_names_are_sorted_complete_and_there() -> None:
    assert dragtor.__all__ == sorted(dragtor.__all__)
    assert set(dragtor.__all__) == public_names(PACKAGE).keys()
    tree = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    seen_by_mypy = {imported.split(".")[2]: imported.split(".")[1] for imported, _ in
                    imports("dragtor.__init__", checked)}  # fmt: skip
    assert seen_by_mypy == public_names(PACKAGE)
    for name in dragtor.__all__:
        assert getattr(dragtor, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Librari'"):
        dragtor.Librari  # noqa: B018
    assert (PACKAGE / "py.typed").is_file()


def test_no_file_names_a_registry_or_a_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        capture_output=True,
        cwd=ROOT,
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    assert len(names) > 20
    wrong = {}
    for name in names:
        path = ROOT / name
        if path.is_file() and (found := forbidden(path.read_bytes().decode("latin-1"))):
            wrong[name] = found
    assert wrong == {}


# The rules on a package that breaks them.


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    package = tmp_path / "dragtor"
    (package / "store").mkdir(parents=True)
    (package / "__init__.py").write_text('"""Front."""\n_ROOMS = {"Library": "library"}\n')
    return package


@pytest.mark.parametrize(
    ("file", "code", "wrong"),
    [
        ("split.py", "import dragtor.embed", "dragtor.split:1: split imports embed"),
        ("split.py", "from dragtor.llm import open", "dragtor.split:1: split imports llm"),
        ("split.py", "from dragtor import cli", "dragtor.split:1: split imports cli"),
        ("split.py", "from dragtor import Library", "dragtor.split:1: split imports library"),
        ("split.py", "from dragtor import unheard", "dragtor.split:1: split imports unheard"),
        ("split.py", "from . import embed", "dragtor.split:1: split imports embed"),
        ("split.py", "from .embed import x", "dragtor.split:1: split imports embed"),
        (
            "store/read.py",
            "from ..retrieve import x",
            "dragtor.store.read:1: store imports retrieve",
        ),
        ("store/__init__.py", "from .. import llm", "dragtor.store.__init__:1: store imports llm"),
        (
            "split.py",
            "def f():\n  from dragtor import embed",
            "dragtor.split:2: split imports embed",
        ),
        (
            "split.py",
            "if TYPE_CHECKING:\n  from dragtor.embed import E",
            "dragtor.split:2: split imports embed",
        ),
        ("split.py", "import_module('dragtor.embed')", "dragtor.split:1: split imports embed"),
        ("split.py", "__import__(f'dragtor.{x}')", "dragtor.split:1: split imports {x}"),
        ("errors.py", "from dragtor import types", "dragtor.errors:1: errors imports types"),
        ("shed.py", "", "dragtor.shed: the room shed has no row"),
    ],
)
def test_a_wrong_import_is_caught(bad: Path, file: str, code: str, wrong: str) -> None:
    (bad / file).write_text(code)
    assert wrong_imports(bad) == [wrong]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("split.py", "from dragtor import __version__\nfrom dragtor.models import path"),
        (
            "store/read.py",
            "from dragtor.store import write\nfrom . import lock\nfrom .lock import x",
        ),
        ("store/__init__.py", "from .read import x\nfrom ..models import y"),
        ("cli.py", "from dragtor import Library\nimport dragtor"),
        ("split.py", "import json, dragtors\nimport_module(name)"),
    ],
)
def test_a_right_import_is_not(bad: Path, file: str, code: str) -> None:
    (bad / file).write_text(code)
    assert wrong_imports(bad) == []


@pytest.mark.parametrize(
    "code",
    [
        "import numpy as np",
        "from chromadb.config import Settings",
        "class A:\n  import yaml",
        "try:\n  import torch\nexcept ImportError:\n  pass",
        "try:\n  pass\nexcept ImportError:\n  import torch",
        "if TYPE_CHECKING:\n  pass\nelse:\n  import rich.table",
        "with x:\n  import requests",
        "import uvicorn",
        "from dragtor.serve import run",
        "import dragtor.serve.app",
    ],
)
def test_an_early_heavy_import_is_caught(bad: Path, code: str) -> None:
    (bad / "split.py").write_text(code)
    assert len(early_heavy_imports(bad)) == 1


@pytest.mark.parametrize(
    "code",
    [
        "def f():\n  import numpy",
        "class A:\n  def f(self):\n    import numpy",
        "if TYPE_CHECKING:\n  import numpy",
        "if typing.TYPE_CHECKING:\n  import numpy",
        "import numpydoc, json",
    ],
)
def test_a_late_one_is_not(bad: Path, code: str) -> None:
    (bad / "split.py").write_text(code)
    assert early_heavy_imports(bad) == []


def test_a_late_room_may_import_early_what_it_is_for(bad: Path) -> None:
    (bad / "serve").mkdir()
    text = "import starlette\nfrom uvicorn import x\nfrom dragtor.serve import run\nimport numpy"
    (bad / "serve" / "app.py").write_text(text)
    assert early_heavy_imports(bad) == ["dragtor.serve.app:4: numpy"]


def test_a_name_with_two_meanings_is_caught(bad: Path) -> None:
    (bad / "split.py").write_text("def one(): ...\nMOST: int = 1\nclass _Own: ...\nT = 1\nT = 2\n")
    (bad / "store" / "read.py").write_text("one = 1\nMOST = 2\nclass _Own: ...\n")
    twice = ["dragtor.split", "dragtor.store.read"]
    assert names_defined_twice(bad) == {"one": twice, "MOST": twice}


def test_poor_docstrings_long_files_and_forbidden_text_are_caught(bad: Path) -> None:
    (bad / "split.py").write_text('"""One line."""\n' + "x = 1\n" * MAX_LINES)
    (bad / "store" / "read.py").write_text('"""Two lines.\n\nHere.\n"""\n')
    (bad / "store" / "write.py").write_text("x = 1\n")
    assert poor_docstrings(bad) == ["dragtor.__init__", "dragtor.split", "dragtor.store.write"]
    assert long_files(bad) == [f"dragtor.split: {MAX_LINES + 1} lines"]
    (bad / "store" / "write.py").write_text("def f():\n" + "  x = 1\n" * MAX_FUNCTION_LINES)
    assert long_functions(bad) == [f"dragtor.store.write.f: {MAX_FUNCTION_LINES + 1} lines"]
    for text in ("https://py" + "pi.org/simple", "see /ro" + "ot/x", '"/wo' + 'rk/main/x"'):
        assert len(forbidden(text)) == 1, text
    for text in ("the root/x", "https://example.org/wo" + "rk/main-x", "../wo" + "rk/main/"):
        assert forbidden(text) == [], text


@pytest.mark.parametrize(
    "code",
    [
        'if source.kind == "file": pass',
        'x = "feed" != kind',
        'x = source.kind in ("web", "feed")',
        'x = str(row["kind"]) not in {"video", "mail"}',
        'x = row.get("kind") == "audio"',
        'x = document_kind in ["image"]',
        'match source.kind:\n  case "web" | "feed":\n    pass',
        'x = loaders["feed"]',
        'x = self.loaders.get("web")',
        'x = kind.startswith("video")',
        'TAKES = {"feed": 1, "web": 2}[kind]',
        'LISTS = ("feed", "video")',
    ],
)
def test_a_test_of_a_kind_is_caught(bad: Path, code: str) -> None:
    (bad / "split.py").write_text(code)
    assert kinds_asked_for(bad) != []
    (bad / "load").mkdir()
    (bad / "split.py").rename(bad / "load" / "web.py")
    assert kinds_asked_for(bad) == []


@pytest.mark.parametrize(
    "code",
    [
        'x = row["file"]',
        'x = {"file": name, "kind": "file"}',
        'x = Document("", "", "file", "", "")',
        "x = loaders[source.kind]",
        'x = value.kind == "date"',
        'x = name == "file"',
        "x = source.kind == other.kind",
        'x = ("file", uri)',
        "x = isinstance(kind, str)",
    ],
)
def test_what_is_none_is_left_alone(bad: Path, code: str) -> None:
    (bad / "split.py").write_text(code)
    assert kinds_asked_for(bad) == []
