"""The README is true: its Python and console blocks run, its commands and files exist.

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
RUN = ("console", "python")
SHELL = ("bash", "console", "sh")
FENCE = re.compile(r"^( *)(`{3,}|~{3,}) *(\w*).*$")
NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")


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
        for line in commands(block):
            if not any(calls(line, "dragtor")):
                continue
            done = place.run(line)
            if done.returncode or "Traceback" in done.stderr:
                wrong.append(f"{block}: {line}: exit {done.returncode}: {done.stderr[-300:]}")
    return wrong


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place(tmp_path)
    monkeypatch.chdir(place.folder)
    monkeypatch.setenv("DRAGTOR_LLM_MODEL", "smollm2-135m")
    return place


def test_the_readme_runs(place: Place) -> None:
    assert failures(README.read_text("utf-8"), place) == []


def test_the_readme_has_something_to_run() -> None:
    found = list(blocks(README.read_text("utf-8")))
    ran = [block for block in found if block.language in RUN and not block.skip]
    skipped = [block for block in found if block.skip]
    assert {block.language for block in ran} == set(RUN)
    assert len(skipped) <= len(ran), [f"{block}: {block.skip}" for block in skipped]


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md", "assets/SAMPLE_LIBRARY.md"])
def test_commands_in_the_papers_exist(name: str) -> None:
    assert wrong_mentions((ROOT / name).read_text("utf-8")) == []


def test_files_that_the_readme_links_to_exist() -> None:
    text = README.read_text("utf-8")
    links = re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (ROOT / link).exists()] == []


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
    command, raised = failures(SAMPLE, place)
    assert command.startswith("console block at line 10: dragtor nosuchcommand: exit 2: ")
    assert raised == "python block at line 28: KeyError: 'two'"
    assert "Usage" in (place.folder / "out.txt").read_text()


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
