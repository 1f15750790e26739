"""README and docs/ are true: their Python and console blocks run and show what they say, their
commands, files and modules exist.

A fence that must not run (network, a large download) has `<!-- not run: reason -->` on the line
before it; its commands must exist all the same.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

README = ROOT / "README.md"
README_LINES = 150
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, ROOT / "CHANGELOG.md", ROOT / "assets" / "SAMPLE_LIBRARY.md", *DOCS]
RUN = ("console", "python")
SHELL = ("bash", "console", "sh")
FENCE = re.compile(r"^( *)(`{3,}|~{3,}) *(\w*).*$")
NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")


def named(page: Path) -> str:
    """A page in the name of a test."""
    return page.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Block:
    """One fenced block; `skip` says why it is not run."""

    language: str
    line: int
    text: str
    skip: str = ""

    def __str__(self) -> str:
        return f"{self.language} block at line {self.line}"


def blocks(text: str) -> Iterator[Block]:
    lines = text.splitlines()
    at = 0
    while at < len(lines):
        fence = FENCE.match(lines[at])
        if not fence:
            at += 1
            continue
        before = next((line for line in reversed(lines[:at]) if line.strip()), "")
        mark = NOT_RUN.search(before)
        end = at + 1
        while end < len(lines) and not re.fullmatch(rf" *{fence[2]}{fence[2][0]}* *", lines[end]):
            end += 1
        body = "\n".join(line.removeprefix(fence[1]) for line in lines[at + 1 : end])
        yield Block(fence[3], at + 1, body, mark[1] if mark else "")
        at = end + 1


def commands(block: Block) -> list[str]:
    """The command lines of a shell block: after `$ ` in a console, every line elsewhere."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        return [line[2:] for line in lines if line.startswith("$ ")]
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def shown(block: Block) -> list[tuple[str, list[str]]]:
    """Each command of a console block, and the lines of output under it."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.replace("\\\n", " ").splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def not_shown(lines: list[str], output: str) -> str:
    """The first line that does not come in the output, in this order; empty if all do."""
    printed = iter(output.splitlines())
    for line in lines:
        if line not in printed:
            return line
    return ""


def calls(line: str, program: str) -> Iterator[list[str]]:
    """Arguments of each call of a program in a command line, pipes and chains taken apart."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word[0] not in "|;&<>()":
            words.append(word)
            continue
        while words and re.match(r"\w+=", words[0]):
            del words[0]
        if words[:1] == [program]:
            yield words[1:]
        words = []


def mentioned(text: str) -> Iterator[str]:
    """Command lines anywhere: in shell blocks and between backticks in the prose."""
    found = list(blocks(text))
    for block in found:
        if block.language in SHELL:
            yield from commands(block)
    for block in found:
        text = text.replace(block.text, "")
    yield from re.findall(r"(?<!`)`((?:dragtor|make) [a-z-][^`\n]*)`(?!`)", text)


def options(command: Any) -> dict[str, bool]:
    """Every option of a command, and whether a value follows it."""
    found = {"--help": False}
    for parameter in command.params:
        for name in [*parameter.opts, *parameter.secondary_opts]:
            found[name] = not getattr(parameter, "is_flag", True)
    return found


def unknown(arguments: list[str]) -> str:
    """What a `dragtor …` line names that the program does not have; empty if all is there."""
    import typer.main

    from dragtor.cli import app

    command: Any = typer.main.get_command(app)
    known = options(command)
    words = iter(arguments)
    for word in words:
        subcommands = getattr(command, "commands", {})
        if word.startswith("-") and word != "-":
            name, equals, _ = word.partition("=")
            if name not in known:
                return f"option {name}"
            if known[name] and not equals:
                next(words, None)
        elif word in subcommands:
            command = subcommands[word]
            known |= options(command)
        elif subcommands:
            return f"command {word}"
    return ""


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z][\w-]*):", text, re.M))


def wrong_mentions(text: str) -> list[str]:
    wrong = []
    for line in mentioned(text):
        for arguments in calls(line, "dragtor"):
            if name := unknown(arguments):
                wrong.append(f"{line}: no {name}")
        for arguments in calls(line, "make"):
            names = [word for word in arguments if "=" not in word and not word.startswith("-")]
            wrong += [f"{line}: no target {name}" for name in names if name not in targets()]
    return wrong


def links(text: str) -> list[tuple[str, str]]:
    """Path and anchor of each link to a file, those to the web left out."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return re.findall(r"\]\(([^)#\s:]*)(?:#([^)\s]*))?\)", text)


def anchors(text: str) -> set[str]:
    """What a link into a page may name: its headings, as GitHub spells them."""
    heads = re.findall(r"^#+ (.+)$", text, re.M)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}


def dead_links(page: Path) -> list[str]:
    """Links of a page to a file that is not there, or to no heading of it."""
    dead = []
    for path, anchor in links(page.read_text("utf-8")):
        target = page.parent / path if path else page
        if not target.exists() or (anchor and anchor not in anchors(target.read_text("utf-8"))):
            dead.append(f"{path}#{anchor}")
    return dead


class Place:
    """A folder with the sample library, and `dragtor` on the path, working on a library here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "place"
        shutil.copytree(ROOT / "assets", self.folder / "assets")
        program = folder / "bin" / "dragtor"
        program.parent.mkdir()
        start = "from dragtor.cli import main; main()"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{start}" "$@"\n')
        program.chmod(0o755)
        dead = "http://127.0.0.1:9"  # nobody listens: a block that goes out says so by failing
        self.environment = os.environ | {
            "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "DRAGTOR_LLM_MODEL": "smollm2-135m",
            "http_proxy": dead,
            "https_proxy": dead,
            "no_proxy": "127.0.0.1,localhost",
        }

    def run(self, line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )


def failures(text: str, place: Place) -> list[str]:
    """Runs all blocks in order, as a reader would; what failed, with the end of its words."""
    wrong = []
    names: dict[str, Any] = {"__name__": "readme"}
    for block in blocks(text):
        if block.skip or block.language not in RUN:
            continue
        if block.language == "python":
            try:
                exec(compile(block.text, str(block), "exec"), names)
            except Exception as error:  # noqa: BLE001 - any error of the snippet is the finding
                wrong.append(f"{block}: {type(error).__name__}: {error}")
            continue
        for line, output in shown(block):
            if not any(calls(line, "dragtor")):
                continue
            done = place.run(line)
            if done.returncode or "Traceback" in done.stderr:
                wrong.append(f"{block}: {line}: exit {done.returncode}: {done.stderr[-300:]}")
            elif missing := not_shown(output, done.stdout):
                wrong.append(f"{block}: {line}: does not print {missing!r}")
    return wrong


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path)
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("DRAGTOR_LLM_MODEL", "smollm2-135m")
    return place


def test_the_readme_is_for_a_newcomer() -> None:
    text = README.read_text("utf-8")
    assert len(text.splitlines()) <= README_LINES
    found = list(blocks(text))
    ran = [block for block in found if block.language in RUN and not block.skip]
    skipped = [block for block in found if block.skip]
    assert {block.language for block in ran} == set(RUN)
    assert len(skipped) <= len(ran), [f"{block}: {block.skip}" for block in skipped]


RUN_PAGES = [
    page
    for page in (README, *DOCS)
    if page.stem != "sources"  # test_load_registry.py runs it
    and any(b.language in RUN and not b.skip for b in blocks(page.read_text("utf-8")))
]


@pytest.mark.parametrize("page", RUN_PAGES, ids=named)
def test_a_page_runs(page: Path, place: Place) -> None:
    assert failures(page.read_text("utf-8"), place) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_commands_on_a_page_exist(page: Path) -> None:
    assert wrong_mentions(page.read_text("utf-8")) == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    assert dead_links(page) == []


def test_the_index_names_every_page() -> None:
    listed = links((ROOT / "docs" / "README.md").read_text("utf-8"))
    assert {page.name for page in DOCS} - {"README.md"} <= {path for path, _ in listed}


def test_pages_name_settings_that_there_are() -> None:
    """`answer.gate` in a page is a setting, if its section is one."""
    import yaml

    known: dict[str, Any] = yaml.safe_load(
        re.sub(
            r"^( *)#(?=\w+:)",
            r"\1",
            (ROOT / "config" / "params.yml").read_text("utf-8"),
            flags=re.M,
        )
    )
    wrong = []
    for page in PAGES:
        for name in re.findall(r"`([a-z_]+(?:\.[a-z_]+)+)[:`]", page.read_text("utf-8")):
            section, *rest = name.split(".")
            at: Any = known.get(section)
            if not isinstance(at, dict) or rest in (["py"], ["md"], ["db"], ["yml"]):
                continue
            for part in rest:
                at = at.get(part) if isinstance(at, dict) else None
            wrong += [] if at is not None else [f"{page.name}: {name}"]
    assert wrong == []


def test_the_design_names_every_module() -> None:
    package = ROOT / "dragtor"
    files = {path.relative_to(package).as_posix() for path in package.rglob("*.py")}
    there = {name for name in files if not name.rpartition("/")[2].startswith("__")}
    named = modules_of_tree((ROOT / "docs" / "design.md").read_text("utf-8"))
    assert sorted(set(named)) == sorted(named)  # each once
    assert set(named) - there == set()
    assert there - set(named) == set()


def modules_of_tree(text: str) -> list[str]:
    """The modules that the block after `<!-- tree -->` names, as paths in the package."""
    tree = next(blocks(text.partition("<!-- tree -->")[2])).text
    named = []
    for entry in re.split(r"\n(?=\w)", tree.strip()):
        name, _, text = entry.partition(" ")
        if name.endswith(".py"):
            named.append(name)
            continue
        folders = [name]
        for word in re.findall(r"\w+/ \(|\(|\)|\w+\.py", text):
            if word.endswith("("):
                folders.append(word.removesuffix("(").strip())  # of a folder's own files, or none
            elif word == ")":
                folders.pop()
            else:
                named.append("".join(folders) + word)
    return named


# The reader of blocks and the runner, on a text of their own.

SAMPLE = """\
# Sample

```bash
make demo   # sets everything up
dragtor add notes/ | tee log
```

Ask with `dragtor ask --quotes "why"`, or `make nothing`; ``dragtor x`` is a quotation.

```console
$ dragtor --help | head -n 3 \\
    > out.txt
a line of output
$ cat out.txt
$ dragtor nosuchcommand
```

<!-- not run: fetches a page -->

```console
$ DRAGTOR_LLM_SEED=1 dragtor add https://example.org/ --nosuch
```

  ~~~python
  value = 1
  ~~~

```python
assert value == 1
raise KeyError("two")
```
"""


def test_blocks_are_read() -> None:
    found = list(blocks(SAMPLE))
    assert [(b.language, b.line, b.skip) for b in found] == [
        ("bash", 3, ""),
        ("console", 10, ""),
        ("console", 20, "fetches a page"),
        ("python", 24, ""),
        ("python", 28, ""),
    ]
    assert found[3].text == "value = 1"
    assert commands(found[0]) == [
        "make demo   # sets everything up",
        "dragtor add notes/ | tee log",
    ]
    assert [line.split() for line in commands(found[1])] == [
        ["dragtor", "--help", "|", "head", "-n", "3", ">", "out.txt"],
        ["cat", "out.txt"],
        ["dragtor", "nosuchcommand"],
    ]


def test_calls_are_taken_apart() -> None:
    line = 'A=1 dragtor ask "x | y; z" && cat a | dragtor add - > out # dragtor no'
    assert list(calls(line, "dragtor")) == [["ask", "x | y; z"], ["add", "-"]]


def test_wrong_mentions_are_found() -> None:
    assert wrong_mentions(SAMPLE) == [
        "dragtor nosuchcommand: no command nosuchcommand",
        "DRAGTOR_LLM_SEED=1 dragtor add https://example.org/ --nosuch: no option --nosuch",
        "make nothing: no target nothing",
    ]
    right = (
        "`dragtor sources show ID` `dragtor --library x add - --refresh` `dragtor models pull a`"
    )
    assert wrong_mentions(right) == []
    assert wrong_mentions("`dragtor models push`") == ["dragtor models push: no command push"]
    assert wrong_mentions("`dragtor --library add`") == []
    assert wrong_mentions("`dragtor --library x nosuch`") != []


def test_failing_blocks_are_found(place: Place) -> None:
    unprinted, command, raised = failures(SAMPLE, place)
    assert unprinted.endswith("does not print 'a line of output'")
    assert command.startswith("console block at line 10: dragtor nosuchcommand: exit 2: ")
    assert raised == "python block at line 28: KeyError: 'two'"
    assert "Usage" in (place.folder / "out.txt").read_text()


def test_output_that_is_shown_is_looked_for() -> None:
    block = Block("console", 1, "$ a \\\n  b\none\n\ntwo\n$ c")
    assert shown(block) == [("a    b", ["one", "two"]), ("c", [])]
    assert not_shown(["one", "two"], "one\nmore\ntwo\n") == ""
    assert not_shown(["two", "one"], "one\ntwo\n") == "one"
    assert not_shown(["tw"], "one\ntwo\n") == "tw"


def test_dead_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    (tmp_path / "other.md").write_text("# One thing, and `two`\n")
    right = "[a](other.md) [b](other.md#one-thing-and-two) [c](https://example.org/no.md)\n"
    wrong = "[d](no.md) [e](other.md#three) ![f](no.svg)\n"
    page.write_text(f"{right}{wrong}```\n[g](code.md)\n```\n")
    assert dead_links(page) == ["no.md#", "other.md#three", "no.svg#"]


def test_a_tree_of_modules_is_read() -> None:
    tree = """<!-- tree -->
```
errors.py    every error
load/        a source: base.py; web.py (jina.py,
             http.py), sub/ (one.py, two.py (at last)), end.py
```
"""
    assert modules_of_tree(tree) == [
        "errors.py", "load/base.py", "load/web.py", "load/jina.py", "load/http.py",
        "load/sub/one.py", "load/sub/two.py", "load/end.py",
    ]  # fmt: skip


def test_make_alone_lists_every_target() -> None:
    listed = subprocess.run(["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {line.split()[1] for line in listed.stdout.splitlines()} == targets()


def test_the_build_machine_runs_what_everybody_runs() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("make ")] == [
        "make test",
        "make test-train",
    ]
    assert "set -euo pipefail" in lines
