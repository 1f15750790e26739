"""dragtor doctor: what is wrong with this machine or library, and the command that helps.

Only looks; changes nothing. Knows the packages, no terminal.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from dragtor.config import AUTO, Config, models_path
from dragtor.errors import DragtorError, Missing
from dragtor.extras import engine_command, install_command
from dragtor.types import NEVER, SILENT, CancelToken, Finding, Reporter

if TYPE_CHECKING:
    from dragtor.store import Store

LOW_DISK_BYTES = 3_000_000_000
LOW_MEMORY_BYTES = 3_000_000_000
NETWORK_TIMEOUT_S = 5.0


def examine(
    config: Config,
    folder: Path,
    *,
    network: bool = True,
    reporter: Reporter = SILENT,
    cancel: CancelToken = NEVER,
) -> list[Finding]:
    """Look at everything; a check that fails is a finding of its own."""
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "python": _python,
        "compiler": _compiler,
        "llama.cpp": lambda: _engines(config),
        "models": lambda: _models(config, cancel),
        "pictures": lambda: _pictures(config),
        "versions": _versions,
        "library": lambda: _library(config, folder),
        "encoder": lambda: _encoder(config, folder),
        "disk": lambda: _disk(folder),
        "memory": _memory,
        "server": lambda: _server(config),
        "evaluations": _evaluations,
    }
    if network:
        checks["network"] = lambda: _network(config)
    found: list[Finding] = []
    for number, (what, check) in enumerate(checks.items()):
        cancel.check()
        reporter.progress("looking", number, len(checks))
        try:
            found += check()
        except DragtorError as error:
            found.append(Finding(what, "bad", str(error), error.hint))
        except Exception as error:  # noqa: BLE001 - a doctor never falls ill
            found.append(Finding(what, "bad", f"{type(error).__name__}: {error}"))
    reporter.progress("looking", len(checks), len(checks))
    return found


def _python() -> Iterator[Finding]:
    machine = f"{platform.system()} {platform.machine()}"
    yield Finding("python", "ok", f"{platform.python_version()} on {machine} ({sys.prefix})")


def _compiler() -> Iterator[Finding]:
    compiler = next(filter(None, map(shutil.which, ("c++", "g++", "clang++"))), None)
    if compiler:
        yield Finding("compiler", "ok", compiler)
        return
    install = "xcode-select --install" if sys.platform == "darwin" else "sudo apt install g++"
    yield Finding("compiler", "note", "no C++ compiler: llama.cpp comes prebuilt only", install)


def _engines(config: Config) -> Iterator[Finding]:
    if config.llm.url:
        yield Finding("llama.cpp", "ok", f"not needed: llm.url is {config.llm.url}")
        return
    engines = {"llama_cpp": "llama-cpp-python", "xllamacpp": "xllamacpp"}
    here = [name for name in engines if importlib.util.find_spec(name)]
    for name in here:
        says = f"{engines[name]} {importlib.metadata.version(engines[name])}"
        if name == "llama_cpp":
            from dragtor.llm.llama import load_llama_cpp

            gpu = load_llama_cpp().llama_supports_gpu_offload()
            says += ", GPU offload" if gpu else ", CPU only"
        yield Finding("llama.cpp", "ok", says)
    if not here:
        says = "no engine: search and ask --quotes work, answers do not"
        yield Finding("llama.cpp", "bad", says, engine_command())


def _models(config: Config, cancel: CancelToken) -> Iterator[Finding]:
    from dragtor.llm import choose_model, machine
    from dragtor.models import installed, verify

    folder = models_path(config.models)
    present = installed(folder)
    for model in present:
        state = verify(model.name, folder, cancel)
        says = f"{model.name}: {state}, {model.bytes / 1e6:,.0f} MB"
        whole = state == "ok"
        mend = "" if whole else f"dragtor models pull {model.name}"
        yield Finding("models", "ok" if whole else "bad", says, mend)
    names = {model.name for model in present}
    yield from _reader(config, names)
    wanted = [config.embed.model]
    if not config.llm.url:
        try:
            wanted.append(choose_model(config.llm, folder, *machine()))
        except DragtorError as error:
            yield Finding("models", "bad", str(error), error.hint)
    for name in wanted:
        if name not in names and not name.startswith("hf:") and not Path(name).is_file():
            says = f"{name} is in the settings but not here"
            yield Finding("models", "bad", says, f"dragtor models pull {name}")


def _reader(config: Config, names: set[str]) -> Iterator[Finding]:
    """Answers do without a reader, and are better with it."""
    from dragtor.models import Catalogue
    from dragtor.parts import READER

    pulled = READER in names or READER not in Catalogue.load().models
    if config.answer.reader == AUTO and not pulled:
        says = f"{READER} is not here: answers are better with it"
        yield Finding("models", "note", says, f"dragtor models pull {READER}")


def _pictures(config: Config) -> Iterator[Finding]:
    """What reads the words of pictures."""
    from dragtor.ocr import open_ocr

    try:
        yield Finding("pictures", "ok", f"read by {open_ocr(config.ocr).version}")
    except Missing as error:
        says = f"pictures and scans are not read: {error}"
        yield Finding("pictures", "note", says, error.hint)
    if not importlib.util.find_spec("pillow_heif"):
        says = "no extra heic: pictures of that kind are not read"
        yield Finding("pictures", "note", says, install_command("heic"))


def _versions() -> Iterator[Finding]:
    import sqlite3

    import dragtor

    names = ("chromadb", "onnxruntime", "tokenizers", "numpy")
    listed = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)
    ours = f"dragtor {dragtor.__version__}, SQLite {sqlite3.sqlite_version}"
    yield Finding("versions", "ok", f"{ours}, {listed}")


def _library(config: Config, folder: Path) -> Iterator[Finding]:
    from dragtor.ingest import splitter_version
    from dragtor.store import Store, held_by

    if not (folder / "library.db").exists():
        yield Finding("library", "note", f"nothing in {folder} yet", "dragtor add URL-OR-FILE")
        return
    with Store.open(folder, config.store) as store:
        store.check_whole()
        counts = store.counts()
        listed = ", ".join(f"{number} {what}" for what, number in counts.items() if number)
        yield Finding("library", "ok", f"{folder}: {listed or 'empty'}")
        if counts["pending"] or counts["unsettled"]:
            says = "documents wait to be indexed, or a writer was cut off"
            yield Finding("library", "note", says, "dragtor index")
        splitter = store.meta("splitter")
        if splitter and splitter != splitter_version(config.split):
            says = f"split as {splitter}, settings say {splitter_version(config.split)}"
            yield Finding("library", "bad", says, "dragtor index --rebuild")
        yield from _index(store, counts["passages"])
    if holder := held_by(folder):
        who = f"process {holder.get('pid')} ({holder.get('command')}) since {holder.get('since')}"
        yield Finding("library", "note", f"being written by {who}")


def _encoder(config: Config, folder: Path) -> Iterator[Finding]:
    """Whether the library was indexed with the encoder that the settings name."""
    from dragtor.embed import open_embedder
    from dragtor.ingest import check_fingerprint
    from dragtor.store import Store

    if (folder / "library.db").exists():
        with Store.open(folder, config.store) as store:
            embedder = open_embedder(config.embed, config.models)
            check_fingerprint(store, embedder, config.embed)
            yield Finding("encoder", "ok", f"{embedder.name}, as the settings say")


def _index(store: Store, passages: int) -> Iterator[Finding]:
    from dragtor.store import drift

    if not passages:
        return
    if not store.config.url and not os.access(store.folder, os.W_OK):
        hint = f"ls -ld {store.folder}"
        yield Finding("index", "note", "not looked at: the folder can only be read", hint)
        return
    says = drift(store) if store.config.url else _drift_apart(store.folder)
    if says:
        yield Finding("index", "bad", says, "dragtor index --rebuild")
    else:
        yield Finding("index", "ok", f"{passages} vectors, one a passage")


def _drift_apart(folder: Path) -> str:
    """What is wrong with the vector index, found in a process that damaged files may kill."""
    code = "import sys; from dragtor.doctor import print_drift; print_drift(sys.argv[1])"
    line = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    return (
        "its files are damaged: reading them ends the process" if done.returncode else done.stdout
    )


def print_drift(folder: str) -> None:
    """Print what is wrong with the vector index of a library, or nothing."""
    from dragtor.store import Store, drift

    try:
        with Store.open(Path(folder)) as store:
            sys.stdout.write(drift(store))
    except DragtorError as error:
        sys.stdout.write(str(error))


def _disk(folder: Path) -> Iterator[Finding]:
    place = next(p for p in (folder, *folder.parents) if p.exists())
    free = shutil.disk_usage(place).free
    says = f"{free / 1e9:.1f} GB free where the library is"
    low = free <= LOW_DISK_BYTES
    yield Finding("disk", "bad" if low else "ok", says, "df -h" if low else "")


def _memory() -> Iterator[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    says = f"{memory.total / 1e9:.1f} GB, {memory.available / 1e9:.1f} GB available"
    low = memory.available < LOW_MEMORY_BYTES
    yield Finding("memory", "note" if low else "ok", says, "DRAGTOR_PRESET=small" if low else "")


def _server(config: Config) -> Iterator[Finding]:
    """Whether `dragtor serve` can have its port, and what it can do besides."""
    import socket
    import webbrowser

    port = config.serve.port
    try:
        socket.create_server(("127.0.0.1", port)).close()
        yield Finding("server", "ok", f"port {port} is free" if port else "any port that is free")
    except OSError as error:
        says = f"port {port} cannot be had, unless dragtor has it: {os.strerror(error.errno or 0)}"
        yield Finding("server", "note", says, "dragtor serve --port 0")
    if importlib.util.find_spec("mcp"):
        yield Finding("server", "ok", f"mcp {importlib.metadata.version('mcp')}")
    else:
        says = "no extra mcp: Claude Desktop, Cursor and others cannot ask the library"
        yield Finding("server", "note", says, install_command("mcp"))
    try:
        webbrowser.get()
    except webbrowser.Error:
        says = "no browser on this machine"
        yield Finding("server", "note", says, "dragtor serve --no-browser")


def _evaluations() -> Iterator[Finding]:
    """What `dragtor eval` keeps so that it can go on: answers, and whole libraries."""
    from platformdirs import user_cache_path

    place = user_cache_path("dragtor") / "evals"
    size = sum(file.lstat().st_size for file in place.rglob("*") if file.is_file())
    if size:
        says = f"{place} keeps {size / 1e6:,.1f} MB of answers and libraries of `dragtor eval`"
        yield Finding("evaluations", "note", says, f"rm -r {shlex.quote(str(place))}")


def _network(config: Config) -> Iterator[Finding]:
    import requests

    web = config.load.web
    jina_url = web.jina_url if web.reader != "local" else ""
    for name, url, instead in (
        ("model hub", config.models.hub_url, "package mirrors are tried instead"),
        ("Jina Reader", jina_url, "pages are read directly instead"),
    ):
        if url:
            try:
                requests.head(url, timeout=NETWORK_TIMEOUT_S)
                yield Finding("network", "ok", f"{name} answers")
            except requests.RequestException:
                yield Finding("network", "note", f"{name} cannot be reached; {instead}")
