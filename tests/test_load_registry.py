"""Which kinds there are: those of dragtor, one more in a line, and those that plugins bring.

The loader that docs/sources.md shows is taken from there, so that what it says is true.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Cli, Run
from fakes import Notes
from loader_contract import check_loader

from dragtor.config import LoadConfig
from dragtor.errors import LoadError, UsageError
from dragtor.load import registry
from dragtor.load.base import Choice, LoadContext, Loader
from dragtor.load.registry import GROUP, LOADERS, check_kind, open_all, source_of

HASHING = f"""import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
import dragtor.embed
from fakes import HashingEmbedder
dragtor.embed.open_embedder = lambda *_: HashingEmbedder()
from dragtor.cli import main; main()"""
NOTES = '{"title": "Tape", "text": "Tape warms."}\n{"title": "Rest", "text": "Rest two days."}\n'


def shown(number: int) -> str:
    """A Python block of docs/sources.md: the loader, then its test."""
    text = (ROOT / "docs" / "sources.md").read_text("utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)[number]


def plugin(folder: Path, name: str, entry: str, code: str = "") -> None:
    """A package as pip installs it, in a folder of its own."""
    info = folder / f"dragtor_{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: dragtor-{name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{name} = {entry}\n")
    if code:
        (folder / f"dragtor_{name}.py").write_text(code)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    path = tmp_path / "notes.jsonl"
    path.write_text(NOTES)
    return path


def opened(folder: Path) -> tuple[list[str], list[str]]:
    """The kinds there are, and what was noted."""
    reporter = Notes()
    return [*open_all(LoadContext(LoadConfig(), folder, reporter))], reporter.notes


def test_every_kind_says_its_own_name(tmp_path: Path) -> None:
    loaders = open_all(LoadContext(LoadConfig(), tmp_path))
    assert [loader.kind for loader in loaders.values()] == list(loaders) == list(LOADERS)
    assert list(tmp_path.iterdir()) == []


def test_every_kind_is_held_to_the_contract(tmp_path: Path) -> None:
    loaders = open_all(LoadContext(LoadConfig(), tmp_path))
    for kind in (kind for kind, loader in loaders.items() if loader.revisits):
        assert "check_loader(" in (ROOT / "tests" / f"test_load_{kind}.py").read_text("utf-8")


def test_opening_them_loads_nothing_heavy() -> None:
    code = (
        "import sys; from pathlib import Path; from dragtor.config import LoadConfig;"
        "from dragtor.load.base import LoadContext; from dragtor.load.registry import open_all;"
        "open_all(LoadContext(LoadConfig(), Path('x')));"
        "print(*{'yt_dlp', 'lxml', 'requests', 'feedparser', 'av'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr


@pytest.mark.parametrize(
    ("argument", "name", "kind"),
    [
        ("notes.md", "match", "file"),
        ("https://www.youtube.com/watch?v=BaW_jenozKc", "episode", "video"),
        ("notes/", "latest", "file"),
    ],
)
def test_a_choice_is_refused_that_a_kind_does_not_take(
    tmp_path: Path, argument: str, name: str, kind: str
) -> None:
    loaders = open_all(LoadContext(LoadConfig(), tmp_path))
    able = ", ".join(loader.kind for loader in loaders.values() if name in loader.takes)
    with pytest.raises(UsageError) as refused:
        source_of(argument, loaders, Choice(**{name: 2 if name == "latest" else "2"}))
    assert str(refused.value) == f"--{name} is for {able}, and this is {kind}: {argument}"
    assert "feed" in able


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("ftp://example.org/x", "only http and https addresses are read"),
        ("https://", "not a web address"),
        ("example.org/post", "example.org/post does not exist"),
        (" ", "a path is empty"),
    ],
)
def test_what_no_kind_reads_is_one_line(tmp_path: Path, argument: str, words: str) -> None:
    loaders = open_all(LoadContext(LoadConfig(), tmp_path))
    with pytest.raises(LoadError, match=words):
        source_of(argument, loaders)
    with pytest.raises(LoadError, match="nothing here reads"):
        source_of(argument, {})


def test_a_kind_that_no_document_has_is_refused() -> None:
    for kind in ("web", "audio", "image"):
        check_kind(kind)
    with pytest.raises(UsageError, match="'bogus' is no kind of document") as refused:
        check_kind("bogus")
    assert refused.value.hint == f"kinds: {', '.join([*LOADERS, 'audio', 'image'])}"


def test_a_kind_is_one_file_and_one_line(
    tmp_path: Path, notes: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragtor.embed.open_embedder", lambda *_: _embedder())
    monkeypatch.setenv("DRAGTOR_RETRIEVE_FLOOR", "-1")
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "one_more_kind.py").write_text(shown(0))
    line = {"notes": "one_more_kind:NotesLoader"}
    monkeypatch.setattr(registry, "LOADERS", line | LOADERS)
    run = cli("add", f"notes:{notes}", "--match", "Rest")
    assert (run.code, "1 added" in run.err) == (0, True), run.err
    (source,) = cli("sources", "--json").json["sources"]
    assert (source["kind"], source["uri"], source["match"]) == ("notes", f"notes:{notes}", "Rest")
    (hit,) = cli("search", "rest", "--kind", "notes", "--json").json["hits"]
    assert (hit["title"], hit["url"]) == ("Rest", f"notes:{notes}#1")
    assert cli("search", "rest", "--kind", "web", "--json").json["hits"] == []
    assert cli("add", f"notes:{notes}", "--latest", "2").code == 2


def _embedder() -> object:
    from fakes import HashingEmbedder

    return HashingEmbedder()


def test_the_example_keeps_the_contract(tmp_path: Path) -> None:
    """As somebody writes it who has read the page: two files, run by pytest."""
    (tmp_path / "notes_kind.py").write_text(shown(0))
    test = shown(1).replace("dragtor.load.notes", "notes_kind")
    (tmp_path / "test_load_notes.py").write_text(test)
    conftest = "from conftest_of_dragtor import *\n"
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "conftest_of_dragtor.py").write_text((ROOT / "tests/conftest.py").read_text())
    path = os.pathsep.join(map(str, (tmp_path, ROOT, ROOT / "tests")))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    run = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path, "DRAGTOR_CONFIG": str(ROOT / "config/params.yml")},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "2 passed" in run.stdout


# Plugins


def dragtor(folder: Path, *arguments: object) -> Run:
    """The command in a process that has the packages of `folder` beside its own."""
    path = os.pathsep.join((str(folder), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-c", HASHING, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": path, "DRAGTOR_RETRIEVE_FLOOR": "-1"},
    )
    return Run(done.returncode, done.stdout, done.stderr)


def test_a_plugin_brings_a_kind(tmp_path: Path, notes: Path) -> None:
    packages = tmp_path / "site"
    plugin(packages, "notes", "dragtor_notes:NotesLoader", shown(0))
    added = dragtor(packages, "add", f"notes:{notes}")
    assert (added.code, "2 added" in added.err) == (0, True), added.err
    (source,) = dragtor(packages, "sources", "--json").json["sources"]
    assert (source["kind"], source["documents"]) == ("notes", 2)
    (hit,) = dragtor(packages, "search", "rest", "-k", "1", "--kind", "notes", "--json").json[
        "hits"
    ]
    assert hit["title"] == "Rest"
    notes.write_text(NOTES + '{"title": "Load", "text": "Load it gently."}\n')
    assert "1 added" in dragtor(packages, "sync").err
    assert "kinds: " in dragtor(packages, "search", "rest", "--kind", "bogus").err
    without = dragtor(tmp_path / "empty", "sync")
    assert (without.code, "nothing here reads 'notes'" in without.err) == (0, True), without.err
    assert dragtor(tmp_path / "empty", "search", "rest", "--json").json["hits"]
    assert dragtor(packages, "sources", "rm", source["id"]).code == 0
    assert dragtor(packages, "sources", "--json").json == {"sources": []}


@pytest.mark.parametrize(
    ("name", "entry", "code", "words"),
    [
        ("broken", "dragtor_broken:Loader", "1 / 0", "ZeroDivisionError"),
        ("absent", "dragtor_absent:Loader", "", "No module named 'dragtor_absent'"),
        ("unnamed", "dragtor_unnamed:Loader", "x = 1", "no attribute 'Loader'"),
        ("web", "dragtor_web:NotesLoader", "", "a kind of this name itself"),
        ("other", "dragtor_other:NotesLoader", "", "that it is of the kind 'notes'"),
        ("half", "dragtor_half:Half", "", "abstract"),
    ],
)
def test_a_plugin_that_cannot_be_had_costs_one_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, entry: str, code: str, words: str
) -> None:
    half = "\n\nfrom dragtor.load.base import Loader\nclass Half(Loader):\n    kind = 'half'\n"
    given = code or (shown(0) + half if name in ("web", "other", "half") else "")
    plugin(tmp_path / "site", name, entry, given)
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    kinds, notes = opened(tmp_path)
    assert kinds == list(LOADERS)
    (note,) = notes
    assert note.startswith(f"the plugin {name} ({entry}) is left out: ")
    assert words in note
    assert "\n" not in note


def test_a_plugin_that_cannot_be_had_ends_no_run(tmp_path: Path) -> None:
    plugin(tmp_path / "site", "broken", "dragtor_broken:Loader", "raise SystemError('no luck')")
    (tmp_path / "a.md").write_text("Tape does not prevent pulley injuries.")
    run = dragtor(tmp_path / "site", "add", tmp_path / "a.md")
    assert (run.code, "1 added" in run.err, run.err.count("no luck")) == (0, True, 1), run.err


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('f"{uri}#{number}", short', '"notes:same", short'),  # an item twice
        ("short_hash(line))\n", "short_hash(uri))\n"),  # another hash than the document's
        ('meta={"stamp": short_hash(line)}', "meta={}"),
        ('raise LoadError(f"there is no such note: {uri}")', "raise KeyError(uri)"),
        ("return argument.startswith(PREFIX)", "return True"),
        ('            note["text"],\n', '            " ",\n'),
        ('takes = ("match",)', 'takes = ("title",)'),
        ('f"{PREFIX}{path}", choice', 'f"{PREFIX}{path}"'),
        ('f"{PREFIX}{path}", choice', 'f"{PREFIX}{path.name}", choice'),
    ],
)
def test_the_contract_is_broken_by(
    tmp_path: Path, own_folders: Path, notes: Path, right: str, wrong: str
) -> None:
    code = shown(0)
    assert code.count(right) == 1
    made: dict[str, object] = {"__name__": "notes_kind"}
    exec(code.replace(right, wrong), made)
    loader: Loader = made["NotesLoader"]()  # type: ignore[operator]
    with pytest.raises((AssertionError, KeyError, TypeError, LoadError)):
        check_loader(loader, f"notes:{notes}", own_folders, others=["https://example.org/a"])
