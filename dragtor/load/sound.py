"""Local audio, video and caption files as Recordings.

Knows suffixes; what a file really holds is found by whoever decodes it.
"""

from __future__ import annotations

from pathlib import Path

from dragtor.load.captions import read_captions
from dragtor.types import Document, Recording, short_hash

AUDIO = frozenset(
    ".aac .ac3 .aif .aiff .amr .ape .au .caf .dsf .flac .m4a .m4b .mka .mp2 .mp3 .mpc .oga .ogg"
    " .opus .ra .spx .tta .wav .wma .wv".split()
)
VIDEO = frozenset(
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .ogv .ts .vob .webm .wmv".split()
)
CAPTIONS = frozenset((".srt", ".vtt"))
SOUND_SUFFIXES = AUDIO | VIDEO | CAPTIONS
PERHAPS = frozenset((".ts", ".mts"))  # TypeScript, unless `is_stream`
PACKETS = ((0, 188), (4, 192))  # where the first is marked, bytes to the next mark
STREAM_HEAD_BYTES = 400  # which `is_stream` looks at


def is_stream(head: bytes) -> bool:
    """Whether a file that begins so is an MPEG transport stream: two packets, each marked."""
    return any(head[at : at + 1] == head[at + size : at + size + 1] == b"G" for at, size in PACKETS)


def recording(path: Path, uri: str, content_hash: str) -> Recording:
    """The Recording behind a file of one of SOUND_SUFFIXES; raises LoadError on broken captions.

    Its title is empty: the sound's own tags may hold one.
    """
    suffix = path.suffix.lower()
    meta = {"stamp": content_hash, "suffix": suffix}
    kind = "video" if suffix in VIDEO else "audio"
    document = Document(short_hash(uri), uri, kind, "", "", meta=meta)
    if suffix in CAPTIONS:
        return Recording(document, words=read_captions(path.read_bytes(), suffix[1:]))
    return Recording(document, path)
