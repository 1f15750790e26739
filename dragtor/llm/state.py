"""Prompt states: which tokens a context has read, in which blocks, and states kept for later.

States are bytes that an engine made; this file knows no engine. On disk stand the states of fixed
prefixes only (a system prompt and its example), so that no user's text is ever written.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Where reading may stop and start again. llama.cpp's CPU kernels give a token the same numbers to
# the last bit in blocks of at least 64 tokens that begin at a multiple of 4, and others elsewhere
# (logits differ by up to 0.9), so that this grain makes reuse exact. docs/log.md has the figures.
LEAST_BLOCK = 64
GRAIN = 32
MOST_ASIDE = 3
MOST_STATE_BYTES = 512_000_000  # of all that stand aside
MOST_FILES = 4


@dataclass(frozen=True, slots=True)
class ContextState:
    """What a context holds after reading `ids`."""

    ids: tuple[int, ...]
    data: bytes


def shared_tokens(one: Sequence[int], other: Sequence[int]) -> int:
    """How many leading tokens two prompts have in common."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))


def reusable(known: Sequence[int], ids: Sequence[int]) -> int:
    """How many leading tokens of `ids` need no reading where `known` were read."""
    return max(0, min(shared_tokens(known, ids), len(ids) - LEAST_BLOCK)) // GRAIN * GRAIN


def block_sizes(count: int, most: int) -> Iterator[int]:
    """Sizes of the blocks for `count` tokens: whole grains, none small but where `count` is."""
    while count > most:
        size = most if count - most >= LEAST_BLOCK else most - LEAST_BLOCK
        yield size
        count -= size
    if count:
        yield count


def common(prompts: Sequence[Sequence[int]]) -> tuple[int, ...]:
    """What two prompts of one kind open with, in whole grains; nothing where that is little."""
    one, other = prompts
    size = shared_tokens(one, other) // GRAIN * GRAIN
    return tuple(one[:size]) if size >= LEAST_BLOCK else ()


class Aside:
    """The last state of each kind of prompt, for kinds that take turns; the oldest make room."""

    def __init__(self) -> None:
        self._states: dict[tuple[int, ...], ContextState] = {}  # by fixed prefix, the oldest first

    def put(self, prefix: tuple[int, ...], state: ContextState) -> None:
        """Keep `state` until it is taken."""
        self._states[prefix] = state
        size = sum(len(kept.data) for kept in self._states.values())
        while len(self._states) > MOST_ASIDE or size > MOST_STATE_BYTES:
            size -= len(self._states.pop(next(iter(self._states))).data)

    def take(self, prefix: tuple[int, ...]) -> ContextState | None:
        """What was kept for this kind; it is kept no longer."""
        return self._states.pop(prefix, None)


class PrefixFiles:
    """States of fixed prefixes in a folder, one file each.

    `identity` names all else that a state depends on: model file, engine, context. A file that
    is damaged or another's is passed over and written anew; where nothing can be written,
    nothing is.
    """

    def __init__(self, folder: Path, identity: str) -> None:
        self._folder = folder
        self._identity = identity.encode("utf-8", "surrogatepass")

    def read(self, ids: Sequence[int]) -> ContextState | None:
        """The state after `ids`, if it is there and whole."""
        path, key = self._place(ids)
        try:
            content = path.read_bytes()
        except OSError:
            return None
        check, data = content[:32], content[32:]
        if not data or hashlib.sha256(key + data).digest() != check:
            return None
        with suppress(OSError):
            os.utime(path)  # in use: others are deleted first
        return ContextState(tuple(ids), data)

    def write(self, state: ContextState) -> None:
        """Put `state` into its file, whole or not at all."""
        path, key = self._place(state.ids)
        with suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                part = Path(file.name)
                try:
                    file.write(hashlib.sha256(key + state.data).digest() + state.data)
                    file.close()
                    part.replace(path)
                except BaseException:
                    part.unlink(missing_ok=True)
                    raise
            self._tidy()

    def _place(self, ids: Sequence[int]) -> tuple[Path, bytes]:
        key = self._identity + b"\0" + b" ".join(b"%d" % token for token in ids)
        return self._folder / f"{hashlib.sha256(key).hexdigest()[:32]}.state", key

    def _tidy(self) -> None:
        """Delete all files but the newest: what a crash left is among the old ones."""
        found = sorted(self._folder.iterdir(), key=lambda path: path.stat().st_mtime)
        for path in found[:-MOST_FILES]:
            path.unlink(missing_ok=True)
