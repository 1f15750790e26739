"""What clients send: streamed to the disk, weighed, and known by an id made of its content.

Owns the folder `uploads` of a library. Knows no kind of document: who adds a file reads it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import struct
import tempfile
import unicodedata
import zipfile
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool

from dragtor.errors import LibraryError, UsageError
from dragtor.types import short_hash

NAME_BYTES = 200
MAX_PIXELS = 40_000_000
MAX_UNPACKED_BYTES = 1_000_000_000
MAX_ZIP_RATIO = 100  # unpacked to packed, of what unpacks to more than SMALL_ZIP_BYTES
SMALL_ZIP_BYTES = 20_000_000
MAX_DIRECTORY_BYTES = 10_000_000  # of an archive's list of files: a hundred thousand of them
_END_BYTES = 65_557  # in which an archive's end must be found
HEAD_BYTES = 200_000  # of a picture, in which its size is looked for
UPLOAD_ID = re.compile(r"[0-9a-f]{16}")
_PATH = re.compile(r"^\.|[/\\]|%(?:2e|2f|5c|00|25|c0|u00)", re.I)
_JPEG_SIZES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # markers of frames


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that was sent; the same file under the same name has the same id."""

    id: str
    name: str
    bytes: int


async def receive_upload(folder: Path, name: str, pieces: AsyncIterator[bytes]) -> Upload:
    """Write what comes to `folder`/ID/NAME, whole or not at all.

    Raises UsageError for a name that is a path, and for what unpacks to too much.
    """
    name = plain_name(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".part-", dir=folder)
        digest, size = hashlib.sha256(), 0
        try:
            with os.fdopen(handle, "wb") as file:
                async for piece in pieces:
                    file.write(piece)
                    digest.update(piece)
                    size += len(piece)
            await run_in_threadpool(_weigh, Path(part), name, size)
            upload = Upload(short_hash(digest.hexdigest(), name), name, size)
            place = folder / upload.id
            place.mkdir(exist_ok=True)
            Path(part).replace(place / name)
        finally:
            with suppress(FileNotFoundError):
                Path(part).unlink()
    except OSError as error:
        raise LibraryError(f"cannot keep {name}: {error.strerror}", "df -h") from error
    return upload


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    """What came whole, for `receive_upload`."""
    yield data


def upload_path(folder: Path, upload_id: str) -> Path:
    """The file of an upload; raises UsageError where there is none."""
    if UPLOAD_ID.fullmatch(upload_id):
        with suppress(OSError):
            for path in (folder / upload_id).iterdir():
                if path.is_file() and not path.is_symlink():
                    return path
    raise UsageError("there is no such upload", "send the file again")


def remove_upload(folder: Path, path: Path) -> None:
    """Remove the file of an upload; what lies elsewhere is left alone."""
    inside = path.resolve().parent
    if inside.parent == folder.resolve() and UPLOAD_ID.fullmatch(inside.name):
        shutil.rmtree(inside, ignore_errors=True)


def plain_name(name: str) -> str:
    """The name of a file, as it is; raises UsageError for one that is a path, however spelled."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        size = 0
    seen = unicodedata.normalize("NFKC", name)
    wrong = _PATH.search(seen) or not name.isprintable() or name != name.strip()
    if not 0 < size <= NAME_BYTES or wrong:
        raise UsageError("a name of a file is wanted, not a path", "rename the file")
    return name


def _weigh(path: Path, name: str, size: int) -> None:
    """Refuse a picture or an archive that is small here and huge once it is opened."""
    if not size:
        raise UsageError(f"{name} is empty")
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    width, height = picture_size(head)
    if width * height > MAX_PIXELS:
        told = f"{name} has {width * height / 1e6:,.0f} million pixels"
        raise UsageError(told, f"at most {MAX_PIXELS // 1_000_000} million are taken")
    if zipfile.is_zipfile(path):
        _weigh_archive(path, name, size)


def _weigh_archive(path: Path, name: str, size: int) -> None:
    if _directory_bytes(path) > MAX_DIRECTORY_BYTES:
        raise UsageError(f"{name} holds too many files", "send what is in it")
    try:
        with zipfile.ZipFile(path) as archive:
            whole = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return  # no archive to whoever opens it
    bomb = whole > SMALL_ZIP_BYTES and whole > MAX_ZIP_RATIO * size
    if bomb or whole > MAX_UNPACKED_BYTES:
        raise UsageError(f"{name} unpacks to {whole / 1e6:,.0f} MB", "send what is in it")


def _directory_bytes(path: Path) -> int:
    """Bytes of an archive's list of files, which is read whole before anything else (APPNOTE)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _END_BYTES))
        end = file.read()
    at = end.rfind(b"PK\x05\x06")
    return int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0


def picture_size(head: bytes) -> tuple[int, int]:
    """Width and height in pixels that a PNG, JPEG, GIF, BMP or WebP says it has; else (0, 0)."""
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return struct.unpack(">II", head[16:24])
        if head[:6] in (b"GIF87a", b"GIF89a"):
            return struct.unpack("<HH", head[6:10])
        if head.startswith(b"BM"):
            width, height = struct.unpack("<ii", head[18:26])
            return abs(width), abs(height)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _webp_size(head)
        return _jpeg_size(head) if head.startswith(b"\xff\xd8") else (0, 0)
    except (struct.error, IndexError):
        return 0, 0


def _webp_size(head: bytes) -> tuple[int, int]:
    if head[12:16] == b"VP8X":
        sides = (int.from_bytes(head[at : at + 3], "little") + 1 for at in (24, 27))
        return next(sides), next(sides)
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack("<HH", head[26:30])
    return width & 0x3FFF, height & 0x3FFF


def _jpeg_size(head: bytes) -> tuple[int, int]:
    at = 2
    while head[at] == 0xFF:
        marker = head[at + 1]
        if marker in _JPEG_SIZES:
            height, width = struct.unpack(">HH", head[at + 5 : at + 9])
            return width, height
        at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return 0, 0
