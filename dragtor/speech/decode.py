"""Sound out of any file that FFmpeg knows (through PyAV): a stream of mono samples, and what the
container says of itself.

Owns all reading of audio files; memory does not grow with their length. Knows nothing of speech.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dragtor.errors import LoadError
from dragtor.types import Chapter

if TYPE_CHECKING:
    import numpy as np
    from av import AudioFrame, AudioResampler
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from numpy.typing import NDArray

    Samples: TypeAlias = NDArray[np.float32]

RATE_HZ = 16_000  # what every speech model here listens to
BLOCK_S = 5.0  # about the length of a block
GAP_S = 0.5  # missing sound longer than this becomes silence, so that times stay right,
GAP_LIMIT_S = 600.0  # unless the container's clock is plainly wrong
NOTHING_ELSE = {"protocol_whitelist": "none"}  # a playlist in disguise opens no file, no address
DAY = re.compile(r"(\d{4})(?:[-:./]?(\d\d)(?:[-:./]?(\d\d))?)?(?!\d)")
CLOCKLESS = ("1904-01-01", "1970-01-01")  # where times begin: written by what has no clock
AS_SOUND = "is it an audio or a video file?"


@dataclass(frozen=True, slots=True)
class Media:
    """What a container says of itself; texts are empty and numbers 0 where it says nothing.

    `duration_s` is a claim: a cut-off file holds less. `published` is an ISO 8601 date, or its
    year, or year and month.
    """

    duration_s: float
    title: str = ""
    author: str = ""
    published: str = ""
    description: str = ""
    chapters: tuple[Chapter, ...] = ()


def probe(path: Path) -> Media:
    """Length, tags and chapters; nothing is decoded.

    Raises LoadError, one line, on a file that is absent, unreadable, or holds no sound.
    """
    with _opened(path) as (container, stream):
        written = (stream.metadata | container.metadata).items()  # Ogg tags its streams
        tags = {name.lower(): value.strip() for name, value in written}
        length_s = (container.duration or 0) / 1e6
        if stream.duration and stream.time_base:
            length_s = length_s or float(stream.duration * stream.time_base)
        return Media(
            duration_s=max(0.0, length_s),
            title=tags.get("title", ""),
            author=tags.get("artist", "") or tags.get("album_artist", ""),
            published=_day(tags.get("date", "")) or _day(tags.get("creation_time", "")),
            description=tags.get("description", "") or tags.get("comment", ""),
            chapters=tuple(
                Chapter(title, max(0.0, float(chapter["start"] * chapter["time_base"])))
                for chapter in container.chapters()
                if (title := chapter["metadata"].get("title", "").strip())
                and chapter["time_base"] is not None
            ),
        )


def decode(path: Path, rate: int = RATE_HZ) -> Iterator[Samples]:
    """Blocks of float32 samples (n,) of the first audio stream, in -1..1, at `rate` Hz.

    All channels are mixed evenly. Of a damaged file comes what can be decoded. Raises LoadError,
    one line, where nothing can.
    """
    import numpy as np

    any_sound = False
    waiting: list[Samples] = []
    for piece in filter(len, _pieces(path, rate)):
        any_sound = True
        waiting.append(piece)
        if sum(map(len, waiting)) >= BLOCK_S * rate:
            yield np.concatenate(waiting)
            waiting = []
    if not any_sound:
        raise LoadError(f"{path.name} holds no sound", AS_SOUND)
    if waiting:
        yield np.concatenate(waiting)


def _pieces(path: Path, rate: int) -> Iterator[Samples]:
    """Samples frame by frame; silence stands where the container's clock says sound is missing."""
    import numpy as np

    with _opened(path) as (container, stream):
        mixer, done = _Mixer(rate), 0
        begun_s = None if container.start_time is None else container.start_time / 1e6
        for frame in _frames(container, stream, path):
            if frame.time is not None:
                begun_s = frame.time if begun_s is None else begun_s
                missing_s = frame.time - begun_s - done / rate
                if GAP_S < missing_s < GAP_LIMIT_S:
                    yield np.zeros(round(missing_s * rate), np.float32)
                    done += round(missing_s * rate)
            for piece in mixer.mixed(frame):
                done += piece.size
                yield piece
        yield from mixer.flushed()


class _Mixer:
    """Frames of any kind as mono float32 samples at one rate; the kind may change on the way."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._resampler: AudioResampler | None = None
        self._kind: tuple[str, str, int] | None = None

    def mixed(self, frame: AudioFrame) -> Iterator[Samples]:
        from av import AudioResampler

        kind = frame.format.name, frame.layout.name, frame.sample_rate
        if kind != self._kind:
            yield from self.flushed()
            self._resampler = AudioResampler("flt", frame.layout.name, self._rate)
            self._kind = kind
        yield from self._samples(frame)

    def flushed(self) -> Iterator[Samples]:
        """What the resampler still holds."""
        if self._resampler is not None:
            yield from self._samples(None)

    def _samples(self, frame: AudioFrame | None) -> Iterator[Samples]:
        import numpy as np

        assert self._resampler is not None
        for out in self._resampler.resample(frame):
            mono = out.to_ndarray().reshape(-1, out.layout.nb_channels).mean(axis=1)
            yield np.nan_to_num(mono, posinf=0.0, neginf=0.0).clip(-1.0, 1.0).astype(np.float32)


def _frames(container: InputContainer, stream: AudioStream, path: Path) -> Iterator[AudioFrame]:
    """What decodes; a packet that does not is left out. Raises LoadError if none does."""
    import av

    any_frame, reason = False, ""
    packets = container.demux(stream)
    while True:
        try:
            packet = next(packets, None)
        except (av.FFmpegError, OSError) as error:  # the file ends in mid-packet
            packet, reason = None, _reason(error)
        if packet is None:
            break
        try:
            for frame in packet.decode():
                any_frame = True
                yield frame
        except av.EOFError:
            continue
        except av.FFmpegError as error:
            reason = _reason(error)
    if not any_frame and reason:
        raise LoadError(f"{path.name} cannot be decoded: {reason}", AS_SOUND)


def file_hash(path: Path) -> str:
    """Hex SHA-256 of a file's bytes; raises LoadError where it cannot be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LoadError(f"cannot read {path}: {error.strerror}") from error


@contextmanager
def _opened(path: Path) -> Iterator[tuple[InputContainer, AudioStream]]:
    """The container and its first audio stream."""
    import av

    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise LoadError(f"{path.name} is empty")
            file.seek(0)
            try:
                container = av.open(file, "r", None, NOTHING_ELSE, metadata_errors="replace")
            except (av.FFmpegError, ValueError) as error:
                raise LoadError(f"{path.name} is no audio: {_reason(error)}", AS_SOUND) from error
            with container:
                if not container.streams.audio:
                    raise LoadError(f"{path.name} holds no sound", AS_SOUND)
                stream = container.streams.audio[0]
                if stream.codec_context is None:
                    raise LoadError(
                        f"{path.name} is in a format that FFmpeg has no decoder for", AS_SOUND
                    )
                yield container, stream
    except OSError as error:
        raise LoadError(f"cannot read {path}: {error.strerror or error}") from error


def _day(tag: str) -> str:
    """The date that a tag begins with: 2024, 2024-05, 2024-05-06, 20240506; empty: none."""
    found = DAY.match(tag)
    if not found:
        return ""
    parts = [int(part) for part in found.groups() if part]
    try:
        date(*parts, *[1] * (3 - len(parts)))
    except ValueError:
        return ""
    day = "-".join(part for part in found.groups() if part)
    return "" if day in CLOCKLESS else day


def _reason(error: Exception) -> str:
    """FFmpeg's own words, without its number and the file's name."""
    return " ".join(str(getattr(error, "strerror", None) or error).split())[:120]
