"""Whole commands on bad input: each gives one clear line, the rest goes on, nothing stored is lost.

The rooms' own tests hold the details. Here real commands meet naughty strings, bad files, corrupt
weights and libraries, full disks, read-only folders, second writers and kill -9.
"""

from __future__ import annotations

import json
import os
import pty
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest
import typer.main
from conftest import ROOT, Cli, Run, digest, shared
from fakes import HashingEmbedder

from dragtor import Library
from dragtor.config import LoadConfig, load_config, models_path
from dragtor.errors import LoadError
from dragtor.load.file import FileLoader, file_path, file_uri
from dragtor.store import Store, Writer

Damage = Callable[[Path], object]
REAL = "from dragtor.cli import main; main()"
HASHING = f"""import sys
sys.path.insert(0, {str(ROOT / "tests")!r})
import dragtor.embed
from fakes import HashingEmbedder
dragtor.embed.open_embedder = lambda *_: HashingEmbedder()
{REAL}"""
SHOWN = "\n\t\xa0\u2009\u200a\u200c\u200d\u202f\u3000"  # fit for a terminal, though not "printable"
NOTE = "{word} {n} says that finger {n} rests for {n} days, then loads {n} kilos on rung {n}. "


def dragtor(*arguments: object, code: str = HASHING, stdin: bytes = b"") -> Run:
    """The command in a process of its own; never longer than a minute."""
    line = [sys.executable, "-c", code, *(os.fsencode(str(a)) for a in arguments)]
    done = subprocess.run(line, input=stdin, capture_output=True, timeout=60, check=False)
    out, err = (text.decode("utf-8", "surrogateescape") for text in (done.stdout, done.stderr))
    return Run(done.returncode, out, err)


def terminal_safe(text: str) -> bool:
    return all(c.isprintable() or c in SHOWN for c in text)


def one_line(run: Run, code: int = 1) -> str:
    """The one line that a failed command gave."""
    assert run.code == code, run
    assert "Traceback" not in run.err
    assert "unexpected" not in run.err
    assert "panicked" not in run.err
    assert terminal_safe(run.err)
    (line,) = [line for line in run.err.splitlines() if line.startswith("error: ")]
    return line


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quick embedder, and no floor under what it finds; also for processes started here."""
    monkeypatch.setattr("dragtor.embed.open_embedder", lambda *_: HashingEmbedder())
    monkeypatch.setenv("DRAGTOR_RETRIEVE_FLOOR", "-1")


def quick_library(folder: Path) -> Library:
    config = load_config(ROOT / "config" / "params.yml")
    library = Library(folder, config=replace(config, retrieve=replace(config.retrieve, floor=-1)))
    library.embedder = HashingEmbedder()
    return library


def write_notes(folder: Path, word: str, count: int, sentences: int) -> None:
    folder.mkdir(parents=True)
    for n in range(count):
        text = "".join(NOTE.format(word=word, n=n * 1000 + line) for line in range(sentences))
        (folder / f"{n:03}.txt").write_text(text)


# The naughty strings


@pytest.fixture(scope="module")
def naughty() -> list[str]:
    path = shared("bad_inputs") / "text" / "blns.json"
    strings: list[str] = json.loads(path.read_text("utf-8"))
    assert len(strings) == 515
    return strings


@pytest.fixture(scope="module")
def naughty_library(naughty: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every string a document: its folder is `texts`, the library beside it. Read only."""
    work = tmp_path_factory.mktemp("naughty")
    (work / "texts").mkdir()
    for n, text in enumerate(naughty):
        (work / "texts" / f"{n:03}.txt").write_bytes(text.encode("utf-8", "surrogatepass"))
    with quick_library(work / "library") as library:
        report = library.add(work / "texts")
        assert report.added + len(report.failed) == 515
        assert report.added > 500
    return work


def test_naughty_texts_are_stored_as_they_are(naughty_library: Path) -> None:
    loader = FileLoader(LoadConfig())
    with quick_library(naughty_library / "library") as library:
        for row in library.documents():
            document = library.document(row["id"])
            assert document is not None
            assert document == replace(loader.read(row["uri"]), id=document.id)
            covered = set()
            for passage in library.store().passages_of(document.id):
                assert document.text[passage.start : passage.end] == passage.text
                covered.update(range(passage.start, passage.end))
            missed = set(range(len(document.text))) - covered
            assert not "".join(document.text[i] for i in missed).strip()
    with quick_library(naughty_library / "library") as library:
        again = library.add(naughty_library / "texts")
    assert (again.added, again.changed, again.embedded) == (0, 0, 0)
    for uri, error in again.failed:
        with pytest.raises(LoadError):
            loader.read(uri)
        assert str(error).isprintable()


@pytest.mark.parametrize("form", ["search --json", "search", "ask --quotes --json", "ask --quotes"])
def test_naughty_queries_and_questions(
    form: str,
    cli: Cli,
    naughty: list[str],
    naughty_library: Path,
    hashing: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("typer.main.get_command", cache(typer.main.get_command))  # for speed
    options = ["-k", "3"] if form.startswith("search") else []
    texts = {}
    with quick_library(naughty_library / "library") as library:
        for row in library.documents():
            document = library.document(row["id"])
            texts[row["id"]] = document.text if document else ""
    answered = 0
    for text in naughty:
        argument = text if text != "-" else " - "  # a lone - reads stdin
        run = cli(*form.split(), *options, "--library", naughty_library / "library", "--", argument)
        if not text.strip():
            assert "is empty" in one_line(run, 2)
            continue
        assert run.code == 0, (text, run)
        assert terminal_safe(run.out), text
        if not form.endswith("--json"):
            answered += bool(run.out)
            continue
        assert run.json.get("query", run.json.get("question")) == argument
        for part in run.json.get("hits", run.json.get("citations")):
            quote = part.get("text", part.get("quote"))
            assert texts[part["document_id"]][part["start"] : part["end"]] == quote
            answered += 1
    assert answered > 500


def test_naughty_file_names(
    cli: Cli, naughty: list[str], tmp_path: Path, hashing: None, own_folders: Path
) -> None:
    folder = tmp_path / "names"
    folder.mkdir()
    names = {os.fsencode(text.replace("/", "∕"))[:240] for text in naughty if text.strip()}
    names |= {b"latin-\xe9", b"ends \xff\xfe", b"evil \x1b[2J\x1b]0;title\x07 name", b"two\nlines"}
    for n, name in enumerate(sorted(names)):
        path = os.fsencode(folder) + b"/" + name + b".md"
        Path(os.fsdecode(path)).write_text(f"Words of file {n}.")
    listed = [item.uri for item in FileLoader(LoadConfig()).discover(str(folder))]
    assert len(listed) > 500
    run = cli("add", folder)
    assert (run.code, run.err) == (0, f"add: {len(listed)} added, {len(listed)} passages indexed\n")
    assert f"{len(listed)} unchanged" in cli("add", folder).err
    (source,) = cli("sources", "--json").json["sources"]
    shown = cli("sources", "show", source["id"])
    assert terminal_safe(shown.out)
    documents = cli("sources", "show", source["id"], "--json").json["documents"]
    assert {row["uri"] for row in documents} == set(listed)
    assert all(file_path(row["uri"]).is_file() for row in documents)
    assert cli("search", "words").code == 0


def test_names_that_are_no_text_in_any_encoding(
    cli: Cli, tmp_path: Path, hashing: None, own_folders: Path
) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    (folder / "a.md").write_text("Sleep nine hours.")
    assert "1 added" in cli("add", folder).err
    assert "1 unchanged" in cli("add", file_uri(folder)).err
    assert cli("add", folder / "a.md").code == 0
    shutil.copy(folder / "a.md", folder / "b.md")  # a copy, not a move
    assert "1 added" in cli("sync").err
    assert len(cli("sources", "--json").json["sources"]) == 2
    assert cli("search", "--json", "sleep").json["hits"]
    assert cli("add", folder / "absent.md").code == 1
    odd = "caf\udce9"
    assert cli("search", "--json", "--author", odd, "sleep").json["hits"] == []
    one_line(cli("search", "--source", odd, "sleep"), 2)
    one_line(cli("sources", "rm", odd), 2)
    assert "UTF-8" in one_line(cli("--library", tmp_path / odd, "add", folder), 2)


SAMPLE = (
    *(b"", b"-1", b"--help", b"NULL", b"\xef\xbb\xbf", b"$(touch /tmp/x)", b"' OR 1=1 -- 1"),
    *("Ω≈ç√∫˜µ≤≥÷".encode(), "田中さんにあげて下さい".encode(), b"caf\xe9 \xff\xfe", b"a\nb\tc"),
    "Ṱ̺̺̕o͞ ̷i̲̬͇̪͙n̝̗͕v̟̜̘̦͟o̶̙̰̠kè͚̮̺̪̹̱̤ ̖t̝͕̳̣̻̪͞h̼͓̲̦̳̘̲e͇̣̰̦̬͎ ̢̼̻̱̘h͚͎͙̜̣̲ͅi̦̲̣̰̤v̻͍e̺̭̳̪̰-m̢iͅn̖̺̞̲̯̰d̵̼̟͙̩̼̘̳.̨̹͈̣".encode(),
)


@pytest.mark.parametrize("text", SAMPLE, ids=range(len(SAMPLE)))
def test_a_sample_through_real_processes(text: bytes, sample_library: Path) -> None:
    """As an argument and on stdin, with the real encoder."""
    command = ["--library", sample_library, "ask", "--no-history", "--quotes", "--json"]
    if not text.strip():
        assert "question is empty" in one_line(dragtor(*command, "", code=REAL), 2)
        return
    told = dragtor(*command, "--", os.fsdecode(text), code=REAL)
    read = dragtor(*command, "-", code=REAL, stdin=text)
    for run in (told, read):
        assert (run.code, run.err) == (0, "")
        assert set(run.json) >= {"question", "answer", "grounded", "citations"}
    assert told.json["question"].encode("utf-8", "surrogateescape") == text
    assert read.json["question"] == text.decode("utf-8", "replace")


def test_no_control_characters_reach_a_terminal(
    naughty_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hashing: None
) -> None:
    """On a real terminal, where styles and progress bars are drawn."""
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "xterm")
    folder = tmp_path / "evil\x1b[2J\x1b]0;title\x07[red][" / "red] \x9b31m"
    folder.mkdir(parents=True)
    (folder / "note.md").write_text("# [/bold] note\n\nSleep nine hours [red].")
    for words in (
        ["add", str(folder)],
        ["sources"],
        ["search", "sleep"],
        ["add", str(folder) + "x"],
    ):
        code, seen = on_a_terminal(words)
        assert code == int(words[-1].endswith("x")), seen
        assert "Traceback" not in seen
        assert "\x1b[2J" not in seen
        assert "\x1b]0;" not in seen
        assert "\x07" not in seen
        assert "\x9b" not in seen
    assert "\x1b[1m" in on_a_terminal(["sources"])[1]


def on_a_terminal(words: list[str]) -> tuple[int, str]:
    ours, theirs = pty.openpty()
    line = [sys.executable, "-c", HASHING, *words]
    process = subprocess.Popen(line, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux: the other end is closed
            piece = b""
        if not piece:
            break
        seen += piece
    os.close(ours)
    return process.wait(timeout=60), seen.decode("utf-8", "replace")


# Files


# Run before a command: permission bits bind it even where the tests run as root.
UNPRIVILEGED = """
import ctypes, os, sys
if os.geteuid() == 0:
    libc = ctypes.CDLL(None)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    libc.capget(header, sets)
    for words in (0, 1):  # effective and permitted
        sets[words] &= ~0b110  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    sys.exit("cannot become an ordinary user") if libc.capset(header, sets) else None
"""


@pytest.fixture
def as_a_user() -> Callable[..., Run]:
    """`dragtor` for an ordinary user."""
    if os.geteuid() == 0 and not sys.platform.startswith("linux"):
        pytest.skip("root is not bound by permissions here")
    return partial(dragtor, code=UNPRIVILEGED + HASHING)


def test_bad_files_do_not_stop_the_rest(
    tmp_path: Path, hashing: None, own_folders: Path, as_a_user: Callable[..., Run]
) -> None:
    work = tmp_path / "files"
    (work / "folder" / "deeper").mkdir(parents=True)
    good = {
        "good.md": b"# Good\n\nalpha words to find",
        "latin.txt": ("En été, déjà vu : les mots trouvés à côté du café. " * 5).encode("cp1252"),
        "wide.txt": "gamma words in sixteen bits".encode("utf-16"),
        "broken.txt": ("delta näturlich " * 20).encode() + b"\xff\xc3 the rest",
        "endless.txt": b"epsilon " + b"x" * 2_000_000 + b" zeta " + b"y " * 200_000,
        "folder/deeper/inside.md": b"eta words inside a folder",
    }
    bad = {
        "empty.txt": b"",
        "blank.md": b" \n\t\n",
        "binary.txt": bytes(random.Random(1).randbytes(5000)),
        "binary.dat": b"\x7fELF\0\0\1\2\3" * 500,
        "picture.pdf": b"\x89PNG\r\n\x1a\n" + b"\0" * 500,
        "archive.docx": b"PK\3\4 cut off",
        "locked.txt": b"nobody reads this",
    }
    for name, data in {**good, **bad}.items():
        (work / name).write_bytes(data)
    (work / "locked.txt").chmod(0)
    os.mkfifo(work / "pipe.txt")
    os.mkfifo(work / "folder" / "pipe.md")
    (work / "folder" / "loop").symlink_to(work / "folder")
    (work / "folder" / "deeper" / "up").symlink_to("..")
    (work / "folder" / "dangling.md").symlink_to("nowhere")
    absent = ["pipe.txt", "absent.md", "evil\x1b[2J.md", "good.md/inside.md"]
    given = [*absent, *bad, *(n for n in good if "/" not in n), "folder"]
    odd = ["/dev/zero", "~nobody-of-this-name/x", "ftp://example.org/x", "file://elsewhere/x"]
    run = as_a_user("add", *(work / name for name in given), *odd)
    assert run.code == 1
    assert "Traceback" not in run.err
    assert terminal_safe(run.err)
    failed = [line for line in run.err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == len(absent) + len(bad) + len(odd), run.err
    for name in [*absent, *bad, *odd]:
        known = name.replace("\x1b", "�")
        assert [line for line in failed if known in line or name.replace("\x1b", "\\x1b") in line]
    assert f"{len(good)} added, {len(failed)} failed" in run.err
    with Store.open(own_folders) as store:
        texts = [row["text"] for row in store.rows("SELECT text FROM passages")]
        for words in (
            "alpha",
            "déjà vu : les mots trouvés à côté",
            "gamma",
            "näturlich",
            "zeta y",
            "eta words",
        ):
            assert any(words in text for text in texts), words
    again = as_a_user("add", *(work / name for name in given), *odd)
    assert f"{len(good)} unchanged, {len(failed)} failed" in again.err


def test_bad_stdin_does_not_stop_the_rest(cli: Cli, tmp_path: Path, hashing: None) -> None:
    (tmp_path / "good.md").write_text("Sleep nine hours.")
    run = cli("add", "-", tmp_path / "good.md", stdin=b"")
    assert run.code == 1
    assert "failed: stdin:" in run.err
    assert "1 added, 1 failed" in run.err
    run = cli("add", "-", tmp_path / "good.md", stdin=b"Tape prevents nothing.")
    assert (run.code, run.err) == (0, "add: 1 added, 1 unchanged, 1 passage indexed\n")


# Corrupt weights


@pytest.mark.parametrize("kind", ["truncated", "random", "header"])
def test_a_corrupt_gguf_still_gives_quotes(
    kind: str, cli: Cli, sample_library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = next((models_path(load_config().models) / "smollm2-135m").glob("*.gguf"))
    with model.open("rb") as file:
        head = file.read(2_000_000)
    noise = random.Random(1).randbytes(500_000)
    data = {"truncated": head, "random": noise, "header": head[:24] + noise}[kind]
    damaged = tmp_path / "model.gguf"
    damaged.write_bytes(data)
    monkeypatch.setenv("DRAGTOR_LLM_MODEL", str(damaged))
    monkeypatch.setenv("DRAGTOR_HOME", str(sample_library))
    run = cli("ask", "When may I climb again after an A2 pulley strain?")
    assert "model.gguf" in one_line(run, 4)
    assert "  try: " in run.err
    assert "From your sources" in run.out
    assert "#:~:text=" in run.out
    run = cli("ask", "--json", "When may I climb again after an A2 pulley strain?")
    one_line(run, 4)
    assert run.out == ""


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("model.int8.onnx", lambda p: os.truncate(p, p.stat().st_size // 2)),
        ("model.int8.onnx", lambda p: overwrite(p, 0, 4000)),
        ("tokenizer.json", lambda p: os.truncate(p, 1000)),
        ("tokenizer.json", lambda p: overwrite(p, 0, 4000)),
        ("tokenizer.json", Path.unlink),
    ],
    ids=["onnx cut", "onnx random", "tokenizer cut", "tokenizer random", "tokenizer gone"],
)
def test_corrupt_encoders_name_the_pull(
    name: str,
    damage: Damage,
    cli: Cli,
    sample_library: Path,
    own_folders: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.copytree(sample_library, own_folders)
    models = tmp_path / "models"
    shutil.copytree(models_path(load_config().models) / "gte-small", models / "gte-small")
    damage(models / "gte-small" / name)
    (tmp_path / "new.md").write_text("Something new about zanzibar.")
    with monkeypatch.context() as damaged:
        damaged.setenv("DRAGTOR_MODELS_PATH", str(models))
        for words in (
            ["search", "pulley"],
            ["ask", "--quotes", "pulley"],
            ["add", tmp_path / "new.md"],
        ):
            run = cli(*words)
            assert "gte-small" in one_line(run, 4)
            assert "  try: dragtor models pull gte-small" in run.err
            assert run.out == ""
        assert "gte-small" in cli("doctor", "--offline").out
    assert cli("index").code == 0  # what was loaded before waits
    assert "zanzibar" in cli("search", "--json", "zanzibar").json["hits"][0]["text"]


# Corrupt libraries


def overwrite(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(random.Random(1).randbytes(length))


def zero(path: Path, length: int) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * length)


@pytest.fixture(scope="module")
def notes_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More than 1,000 passages, so that Chroma has written its graph; beside it `notes`."""
    work = tmp_path_factory.mktemp("notes")
    write_notes(work / "notes", "note", 20, 560)
    with quick_library(work / "library") as library:
        report = library.add(work / "notes")
        assert report.passages > 1000
        assert not report.failed
    return work


@pytest.fixture
def damaged(notes_library: Path, own_folders: Path) -> Path:
    """A copy of that library, to damage."""
    shutil.copytree(notes_library / "library", own_folders)
    return own_folders


@pytest.mark.parametrize(
    "damage",
    [
        lambda p: p.write_bytes(random.Random(1).randbytes(50_000)),
        lambda p: os.truncate(p, p.stat().st_size // 2),
        lambda p: os.truncate(p, 5000),
        lambda p: os.truncate(p, 0),
        lambda p: zero(p, 100),
        lambda p: p.write_text("my shopping list"),
    ],
    ids=["random", "half", "one page", "empty", "zeroed header", "text"],
)
def test_a_corrupt_library_is_named_and_left_alone(
    damage: Damage,
    cli: Cli,
    damaged: Path,
    tmp_path: Path,
    hashing: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRAGTOR_MODELS_PATH", str(tmp_path))  # the doctor has none to check
    path = damaged / "library.db"
    damage(path)
    before = path.read_bytes()
    (tmp_path / "new.md").write_text("Something new.")
    for words in (
        ["search", "finger"],
        ["ask", "--quotes", "finger"],
        ["sources"],
        ["add", tmp_path / "new.md"],
        ["sync"],
        ["index", "--rebuild"],
    ):
        line = one_line(cli(*words))
        assert f"{path} is damaged" in line, words
        assert path.read_bytes() == before, words
    run = cli("doctor", "--offline")
    assert run.code == 1
    assert "is damaged" in run.out
    assert path.read_bytes() == before


def chroma_file(library: Path) -> Path:
    return library / "index" / "1" / "chroma.sqlite3"


def graph_file(library: Path, name: str) -> Path:
    (found,) = (library / "index" / "1").glob(f"*/{name}")
    return found


@pytest.mark.parametrize(
    "damage",
    [
        lambda f: chroma_file(f).write_bytes(random.Random(1).randbytes(100_000)),
        lambda f: overwrite(chroma_file(f), 4096, 8192),  # here Chroma's binding panics
        lambda f: os.truncate(chroma_file(f), 8192),
        lambda f: chroma_file(f).unlink(),
        lambda f: graph_file(f, "header.bin").unlink(),
        lambda f: graph_file(f, "index_metadata.pickle").write_bytes(b"\xff" * 100),
        lambda f: shutil.rmtree(f / "index"),
    ],
    ids=["random", "panic", "cut", "no sqlite", "no header", "bad pickle", "gone"],
)
def test_a_corrupt_vector_index_is_mended(
    damage: Damage,
    cli: Cli,
    notes_library: Path,
    damaged: Path,
    tmp_path: Path,
    hashing: None,
) -> None:
    whole = cli("search", "--json", "finger 7000 rests").json
    damage(damaged)
    assert cli("search", "--json", "finger 7000 rests").json == whole
    with quick_library(damaged) as library:
        library.store().scan_limit = 0  # as in a library too large to scan
        assert [h.passage.id for h in library.search("finger 7000 rests")] == [
            hit["passage_id"] for hit in whole["hits"]
        ]
    (tmp_path / "new.md").write_text("Something new.")
    added = cli("add", tmp_path / "new.md")
    if added.code:
        assert "vector index" in one_line(added) or "index" in one_line(added)
    run = cli("index", "--rebuild")
    assert run.code == 0, run
    assert cli("add", tmp_path / "new.md").code == 0
    assert cli("sources", "rm", f"{tmp_path / 'new.md'}").code == 0
    assert digest(damaged) == digest(notes_library / "library")


@pytest.mark.parametrize("commands", [["add", "index --rebuild"], ["add", "add", "add"]], ids=str)
def test_a_graph_that_kills_its_reader_is_mended(
    commands: list[str], damaged: Path, tmp_path: Path, hashing: None
) -> None:
    """Random bytes in the graph: native code may die of them before it can say anything."""
    path = graph_file(damaged, "data_level0.bin")
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))
    (tmp_path / "new.md").write_text("Something new.")
    for command in commands:
        words = command.split()
        run = dragtor(*words, *([tmp_path / "new.md"] if words == ["add"] else []))
        assert "Traceback" not in run.err
    assert run.code == 0, run
    with Store.open(damaged) as store:
        assert store.index().count() == store.counts()["passages"]
        assert store.counts()["unsettled"] == 0


def test_the_doctor_survives_such_a_graph(
    damaged: Path, tmp_path: Path, hashing: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGTOR_MODELS_PATH", str(tmp_path))
    path = graph_file(damaged, "data_level0.bin")
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))
    run = dragtor("doctor", "--offline")
    assert run.code == 1, run
    assert "dragtor index --rebuild" in run.out
    assert "memory" in run.out


# Full disks


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    """Folders `old` and `more`, the library `begun` that holds old, and the digest of both."""
    work = tmp_path_factory.mktemp("uninterrupted")
    write_notes(work / "old", "zanzibar", 5, 20)
    write_notes(work / "more", "note", 110, 30)
    with quick_library(work / "begun") as library:
        library.add(work / "old")
    shutil.copytree(work / "begun", work / "whole")
    with quick_library(work / "whole") as library:
        library.add(work / "more")
    return work, digest(work / "whole")


def finds_old_notes(library: Path) -> bool:
    with quick_library(library) as opened:
        return (
            len([h for h in opened.search("zanzibar", k=50) if "zanzibar" in h.passage.text]) >= 5
        )


@pytest.mark.parametrize("limit", [1, 200_000, 1_500_000])
def test_files_that_may_not_grow(
    limit: int,
    uninterrupted: tuple[Path, dict[str, object]],
    own_folders: Path,
    hashing: None,
) -> None:
    """The portable stand-in for a full disk: writes past a size fail."""
    work, whole = uninterrupted
    shutil.copytree(work / "begun", own_folders)

    limits = f"""
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
"""
    run = dragtor("add", work / "more", code=limits + HASHING)
    assert str(own_folders) in one_line(run)
    assert "  try: " in run.err
    assert finds_old_notes(own_folders)
    assert dragtor("add", work / "more").code == 0
    assert digest(own_folders) == whole


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 32 MB, where this process may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(place)]
    try:
        done = subprocess.run(line, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"no small disk here: {error}")
    if done.returncode:
        pytest.skip(f"no small disk here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("free", [0, 60_000, 1_200_000, 2_600_000])
def test_a_full_disk(
    free: int,
    uninterrupted: tuple[Path, dict[str, object]],
    small_disk: Path,
    monkeypatch: pytest.MonkeyPatch,
    hashing: None,
) -> None:
    work, whole = uninterrupted
    library = small_disk / "library"
    monkeypatch.setenv("DRAGTOR_HOME", str(library))
    shutil.copytree(work / "begun", library)
    filler = small_disk / "filler"
    filler.write_bytes(b"x" * (shutil.disk_usage(small_disk).free - free))
    run = dragtor("add", work / "more")
    assert "is full" in one_line(run)
    assert "  try: df -h" in run.err
    assert finds_old_notes(library)
    filler.unlink()
    assert dragtor("add", work / "more").code == 0
    assert digest(library) == whole


# A folder that cannot be written


def set_modes(folder: Path, directory: int, file: int) -> None:
    for path in [*folder.rglob("*"), folder]:
        path.chmod(directory if path.is_dir() else file)


@pytest.fixture
def read_only(uninterrupted: tuple[Path, dict[str, object]], own_folders: Path) -> Iterator[Path]:
    shutil.copytree(uninterrupted[0] / "begun", own_folders)
    set_modes(own_folders, 0o555, 0o444)
    yield own_folders
    set_modes(own_folders, 0o755, 0o644)


def test_a_read_only_library_is_read(
    read_only: Path,
    uninterrupted: tuple[Path, dict[str, object]],
    as_a_user: Callable[..., Run],
    tmp_path: Path,
    hashing: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DRAGTOR_MODELS_PATH", str(tmp_path))  # the doctor has none to check
    before = {path: path.stat().st_mtime_ns for path in read_only.rglob("*")}
    found = as_a_user("search", "--json", "zanzibar")
    assert "zanzibar" in found.json["hits"][0]["text"]
    assert as_a_user("ask", "--quotes", "--json", "zanzibar").json["citations"]
    assert as_a_user("sources").code == 0
    for words in (["add", uninterrupted[0] / "more"], ["index", "--rebuild"], ["sync"]):
        run = as_a_user(*words)
        assert str(read_only) in one_line(run)
        assert f"  try: ls -ld {read_only}" in run.err
    assert {path: path.stat().st_mtime_ns for path in read_only.rglob("*")} == before
    assert "can only be read" in as_a_user("doctor", "--offline").out


def test_a_read_only_library_never_hides_what_its_log_holds(
    read_only: Path, as_a_user: Callable[..., Run], hashing: None
) -> None:
    """A write-ahead log that cannot be read is an error, not an older state of the library."""
    set_modes(read_only, 0o755, 0o644)
    code = "import sys, os; from pathlib import Path; from dragtor.store import Writer\n"
    code += "with Writer.open(Path(sys.argv[1])) as w: w.remove_source('x'); os._exit(9)"
    subprocess.run([sys.executable, "-c", code, str(read_only)], check=False)
    assert (read_only / "library.db-wal").stat().st_size
    set_modes(read_only, 0o555, 0o444)
    assert as_a_user("search", "finger").code == 0
    read_only.chmod(0o755)
    (read_only / "library.db-shm").unlink()
    read_only.chmod(0o555)
    assert "cannot be opened" in one_line(as_a_user("search", "finger"))


def test_a_library_that_cannot_even_be_looked_at(
    read_only: Path, as_a_user: Callable[..., Run], hashing: None
) -> None:
    read_only.chmod(0)
    for words in (["search", "finger"], ["add", ROOT / "README.md"]):
        assert "Permission denied" in one_line(as_a_user(*words))


# Other writers, and sudden ends


def test_two_writers_at_once(
    uninterrupted: tuple[Path, dict[str, object]], own_folders: Path, hashing: None
) -> None:
    work, whole = uninterrupted
    line = [sys.executable, "-c", HASHING, "add"]
    both = [
        subprocess.Popen([*line, str(work / name)], stderr=subprocess.PIPE, text=True)
        for name in ("old", "more")
    ]
    said = [process.communicate(timeout=60)[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert digest(own_folders) == whole


def test_a_second_writer_that_may_not_wait(
    uninterrupted: tuple[Path, dict[str, object]], own_folders: Path, hashing: None
) -> None:
    work, whole = uninterrupted
    shutil.copytree(work / "begun", own_folders)
    with Writer.open(own_folders):
        for seconds in ("0", "0.3"):
            line = one_line(dragtor("add", work / "more", "--lock-timeout", seconds), 5)
            assert f"process {os.getpid()}" in line
        assert finds_old_notes(own_folders)
    assert dragtor("add", work / "more", "--lock-timeout", "0").code == 0
    assert digest(own_folders) == whole


def test_kill_9_loses_nothing(
    uninterrupted: tuple[Path, dict[str, object]], own_folders: Path, hashing: None
) -> None:
    """Five moments, counted from the first write on; benchmarks/tasks/crash.py takes fifty."""
    work, whole = uninterrupted
    line = [sys.executable, "-c", HASHING, "--quiet", "add", str(work / "more")]
    shutil.copytree(work / "begun", own_folders)
    begun = time.monotonic()
    subprocess.run(line, check=True)
    whole_s = time.monotonic() - begun
    killed = 0
    for moment in (0.25, 0.45, 0.6, 0.75, 0.9):
        shutil.rmtree(own_folders)
        shutil.copytree(work / "begun", own_folders)
        process = subprocess.Popen(line)
        try:
            process.wait(timeout=moment * whole_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
        assert finds_old_notes(own_folders)
        assert dragtor("add", work / "more").code == 0
        assert digest(own_folders) == whole, moment
    assert killed
