"""What is in the models folder: where a model's files lie, and whether they are right.

models/NAME/ holds the files, .manifest.json (what was verified or made here) and, while a pull
is under way, .parts/. Knows nothing of networks.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from dragtor.errors import CorruptModel, DragtorError, LibraryError, LibraryLocked, Missing
from dragtor.models.catalogue import (
    HUB_PREFIX,
    Catalogue,
    Kind,
    ModelFile,
    ModelSpec,
    hub_parts,
)
from dragtor.types import NEVER, CancelToken, ModelState

State = Literal["ok", "missing", "partial", "corrupt"]

MANIFEST = ".manifest.json"
PARTS_FOLDER = ".parts"
TEMPORARY = "tmp-"  # begins names of folders in there that are worthless after a crash
_CHUNK_BYTES = 1 << 20
_SHA1_DIGITS = 40  # of a git blob, which the hub states for small files


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a finished pull wrote down; `sources` maps official names to verified hashes."""

    name: str
    files: tuple[ModelFile, ...] = ()  # as they lie in the folder
    sources: dict[str, str] = field(default_factory=dict)
    recipe: str = ""  # how a derived file was made


@dataclass(frozen=True, slots=True)
class Installed:
    """A model on this disk; `bytes` is the room it takes, unfinished downloads included."""

    name: str
    kind: Kind
    bytes: int
    complete: bool  # all files are there, by size; `verify` reads them


def model_folder(spec: ModelSpec, models_dir: Path) -> Path:
    """Where the model's files lie; hub files have a folder each."""
    return models_dir / spec.name.replace(HUB_PREFIX, "hf--").replace("/", "--")


def model_path(name_or_path: str, models_dir: Path, file: str | None = None) -> Path:
    """The file to open, by model name, `hf:` name or path; `file` picks another of its files.

    Looks at sizes only, so that a cold search stays quick. Raises Missing where it is absent,
    CorruptModel where it is cut short, UsageError for a name that nobody knows.
    """
    path = Path(name_or_path).expanduser()
    catalogue = Catalogue.load()
    known = name_or_path in catalogue.models or name_or_path.startswith(HUB_PREFIX)
    if not known and (os.sep in name_or_path or path.suffix == ".gguf" or _is_file(path)):
        if _is_file(path):
            return path
        raise Missing(f"no model file at {path}", "dragtor models list")
    spec = known_spec(name_or_path, models_dir)
    hint = f"dragtor models pull {name_or_path}"
    for expected in _on_disk(spec, models_dir):
        if expected.name == (file or spec.main_file):
            found = model_folder(spec, models_dir) / expected.name
            if not found.is_file():
                break
            if found.stat().st_size != expected.bytes:
                raise CorruptModel(f"{found} has a wrong size", hint)
            return found
    raise Missing(f"model {name_or_path} is not installed", hint)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name too long for any disk
        return False


def known_spec(name: str, models_dir: Path) -> ModelSpec:
    """The spec of a catalogue or `hf:` name; a pull wrote down what only the hub says."""
    if not name.startswith(HUB_PREFIX):
        spec = Catalogue.load().get(name)
        if all(file.sha256 for file in spec.files):
            return spec
        told = {file.name: file for file in read_manifest(model_folder(spec, models_dir)).files}
        return replace(spec, files=tuple(told.get(file.name, file) for file in spec.files))
    hub, path = hub_parts(name)
    file = ModelFile(path.rpartition("/")[2], 0, "", path)
    spec = ModelSpec(name, "file", "as the hub says", (file,), hub)
    manifest = read_manifest(model_folder(spec, models_dir))
    return ModelSpec(name, "file", spec.licence, manifest.files or (file,), hub)


def verify(name: str, models_dir: Path, cancel: CancelToken = NEVER) -> State:
    """Read every byte of the model and compare: ok, missing, partial or corrupt."""
    spec = known_spec(name, models_dir)
    folder = model_folder(spec, models_dir)
    expected = _on_disk(spec, models_dir)
    there = [file for file in expected if (folder / file.name).is_file()]
    if any(not is_right(folder / file.name, file, cancel) for file in there):
        return "corrupt"
    if expected and len(there) == len(expected):
        return "ok"
    return "partial" if there or (folder / PARTS_FOLDER).exists() else "missing"


def installed(models_dir: Path) -> list[Installed]:
    """Every model with anything on the disk, by name; reads sizes, not contents."""
    catalogue = Catalogue.load()
    names = catalogue.names()
    names += [read_manifest(path).name for path in sorted(models_dir.glob("hf--*"))]
    found = []
    for name in filter(None, names):
        spec = known_spec(name, models_dir)
        folder = model_folder(spec, models_dir)
        if any(folder.glob("*")):
            expected = _on_disk(spec, models_dir)
            sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.is_file()}
            right = all(sizes.get(file.name) == file.bytes for file in expected)
            found.append(Installed(name, spec.kind, size(folder), bool(expected) and right))
    return found


def known_states(models_dir: Path) -> list[ModelState]:
    """Every model of the catalogue, in its order, then what was pulled by a hub address."""
    catalogue = Catalogue.load()
    states: dict[str, Literal["here", "partial"]] = {
        model.name: "here" if model.complete else "partial" for model in installed(models_dir)
    }
    known = [
        ModelState(spec.name, spec.kind, spec.bytes, spec.licence, states.pop(spec.name, "-"))
        for spec in map(catalogue.get, catalogue.names())
    ]
    return known + [ModelState(name, "file", 0, "", state) for name, state in states.items()]


def remove(name: str, models_dir: Path) -> int:
    """Delete the model's folder; bytes freed. Raises Missing where there is none."""
    spec = known_spec(name, models_dir)
    folder = model_folder(spec, models_dir)
    if not folder.exists():
        raise Missing(f"model {name} is not installed", "dragtor models list")
    with writing(folder), pull_lock(folder):
        freed = size(folder)
        shutil.rmtree(folder)
    return freed


def read_manifest(folder: Path) -> Manifest:
    """What the last pull wrote down; an empty one where it is absent or unreadable."""
    try:
        data = json.loads((folder / MANIFEST).read_bytes())
        files = tuple(ModelFile(**file) for file in data.pop("files"))
        return Manifest(files=files, **data)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, DragtorError):
        return Manifest("")


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace the folder's manifest at once."""
    draft = folder / f"{MANIFEST}.new"
    draft.write_text(json.dumps(asdict(manifest), indent=1), "utf-8")
    draft.replace(folder / MANIFEST)


def is_right(path: Path, expected: ModelFile, cancel: CancelToken = NEVER) -> bool:
    """Whether the file has the expected size and hash."""
    try:
        size = path.stat().st_size
        if size != expected.bytes:
            return False
        git_blob = len(expected.sha256) == _SHA1_DIGITS
        start = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False) if git_blob else None
        return sha256(path, start, cancel) == expected.sha256
    except OSError:
        return False


def sha256(path: Path, start: hashlib._Hash | None = None, cancel: CancelToken = NEVER) -> str:
    """Hex SHA-256 of the file, or what the hash `start` comes to over it."""
    digest = start or hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            cancel.check()
            digest.update(chunk)
    return digest.hexdigest()


def _on_disk(spec: ModelSpec, models_dir: Path) -> list[ModelFile]:
    """The files that a finished pull leaves; empty while a derived one was never made."""
    if not spec.derive:
        return [file for file in spec.files if file.sha256]
    made = derived(spec, models_dir)
    return [*made, *spec.files[1:]] if made else []


def derived(spec: ModelSpec, models_dir: Path) -> list[ModelFile]:
    """The files that were made here of today's weights with today's recipe; all, or none."""
    manifest = read_manifest(model_folder(spec, models_dir))
    source = spec.files[0]
    if manifest.recipe != spec.recipe or manifest.sources.get(source.name) != source.sha256:
        return []
    found = [file for file in manifest.files if file.name in spec.made]
    return found if len(found) == len(spec.made) else []


def size(folder: Path) -> int:
    """Bytes of all files in the folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a full disk or a folder that cannot be written into one clear line."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        raise LibraryError(
            f"cannot write {folder}: {reason}", "dragtor doctor shows room and permissions"
        ) from error


@contextmanager
def pull_lock(folder: Path) -> Iterator[None]:
    """Hold the model's lock, a hidden file beside its folder; raises LibraryLocked at once."""
    from filelock import FileLock, Timeout

    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder.parent / f".{folder.name}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        raise LibraryLocked(f"another process is pulling {folder.name}") from error
    try:
        yield
    finally:
        lock.release()


def need_room(folder: Path, needed: int) -> None:
    """Raise LibraryError where the disk has less than `needed` bytes free."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LibraryError(
            f"not enough room in {folder}: {needed:,} bytes needed, {free:,} free",
            f"df -h {folder}",
        )
