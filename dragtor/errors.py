"""Every error a user can meet: a message, a hint that mends it, an exit code.

    DragtorError (1)
    ├── UsageError (2)           a wrong option, setting or name
    ├── LoadError                a source that cannot be read
    │   └── BlockedURL           an address that is never requested
    ├── NotGrounded (3)          nothing in the sources (`ask --strict`)
    ├── Missing (4)              a model, extra or credential is absent
    │   └── CorruptModel         weights whose bytes are wrong
    ├── GenerationError          the language model failed or ran out of room
    └── LibraryError             the library could not do it (full disk, damage)
        ├── LibraryLocked (5)    another process writes
        └── LibraryVersion (5)   made by another version, embedder or splitter

Cancelled (130) stands beside it: a CancelToken was set. Like KeyboardInterrupt it is no Exception,
so that no handler of bad files or failed requests takes it for one. This file imports nothing.
"""

from __future__ import annotations


class DragtorError(Exception):
    """Base of all: `str(error)` is one line; `hint` says what to do, often a command."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(DragtorError):
    """A wrong option, setting or name."""

    exit_code = 2


class LoadError(DragtorError):
    """A source that cannot be read; the rest of the batch goes on."""


class BlockedURL(LoadError):
    """An address that dragtor refuses to request."""


class NotGrounded(DragtorError):
    """The sources do not answer the question."""

    exit_code = 3


class Missing(DragtorError):
    """A model, an extra or a credential is absent; the hint holds the exact command."""

    exit_code = 4


class CorruptModel(Missing):
    """Weights that cannot be loaded or whose hash is wrong."""


class GenerationError(DragtorError):
    """The language model failed, or the question leaves no room for an answer."""


class LibraryError(DragtorError):
    """The library could not do it."""


class LibraryLocked(LibraryError):
    """Another process is writing."""

    exit_code = 5


class LibraryVersion(LibraryError):
    """Made by another version, embedder or splitter; the hint converts it."""

    exit_code = 5


class Cancelled(BaseException):
    """Whoever holds the CancelToken wants no more of it; nothing finished is lost."""

    exit_code = 130

    def __init__(self, message: str = "interrupted; what was finished is kept") -> None:
        super().__init__(message)
