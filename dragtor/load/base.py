"""What every kind of source is: a Loader, the Items that it lists, and the Choice among them.

Knows no kind of source, and not how anything is fetched. docs/sources.md says how to add a kind.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar, cast

from dragtor.config import LoadConfig
from dragtor.errors import UsageError
from dragtor.pictures import PictureReader
from dragtor.types import (
    NEVER,
    SILENT,
    CancelToken,
    Document,
    Recording,
    Reporter,
    Source,
    short_hash,
)

MOST_NEW = 50  # taken of what a feed or channel has listed since it was last visited


@dataclass(frozen=True, slots=True)
class Item:
    """One document-to-be that a source consists of."""

    uri: str  # canonical address: URL, or absolute path as file:// URI
    content_hash: str = ""  # of the raw bytes where known without a request; empty: unknown
    published: str = ""  # ISO 8601 date where the list tells it


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of a source's documents are wanted; empty and 0: all, or as configured."""

    match: str = ""  # regular expression on addresses, of feeds and lists on titles too
    latest: int = 0  # of a feed, channel or playlist
    episode: str = ""  # of a podcast: its number, title words or date
    since: str = ""  # what a list ended with when all of it was last taken, see `mark`

    def __post_init__(self) -> None:
        try:
            re.compile(self.match)
        except re.error as error:
            raise UsageError(f"--match is no regular expression: {error}") from error

    @classmethod
    def of(cls, source: Source) -> Choice:
        """As it was made when the source was added."""
        told = source.options
        return cls(**{name: told[name] for name in cls.__slots__ if name in told})

    def options(self) -> dict[str, Any]:
        """What a Source keeps of it."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    def finds(self, text: str) -> bool:
        """Whether `match` is found in `text`."""
        return re.search(self.match, text) is not None


EVERYTHING = Choice()


class Loader(Protocol):
    """Reads one kind of source. Derive from it: what is not overridden says "nothing special".

    Every method raises LoadError, with one line, on what cannot be read.
    """

    kind: ClassVar[str]  # what a Source of it says; of a plugin, the name of its entry point too
    takes: ClassVar[Collection[str]] = ()  # fields of a Choice that a user may give for it
    lists: ClassVar[bool] = False  # a list that grows, newest first: the next visit goes on there
    local: ClassVar[bool] = False  # of files: one that is deleted leaves the library
    revisits: ClassVar[bool] = True  # sync visits it again

    @classmethod
    def open(cls, context: LoadContext) -> Self:
        """The loader, as the settings and the library want it."""
        return cls()

    @abstractmethod
    def supports(self, argument: str, choice: Choice) -> bool:
        """Whether what a user gave (an address, a path) names a source of this kind.

        Asked of all kinds in turn, so it looks before it asks the network.
        """

    def source(self, argument: str, choice: Choice) -> Source:
        """The source that an argument names, if it `supports` it; equal ones have equal ids."""
        return new_source(self.kind, argument, choice)

    @abstractmethod
    def discover(
        self, uri: str, choice: Choice = EVERYTHING, *, refresh: bool = False
    ) -> Iterable[Item]:
        """The documents-to-be of the source at `uri`; `refresh`: past every cache."""

    @abstractmethod
    def read(
        self, uri: str, *, refresh: bool = False, before: Document | None = None
    ) -> Document | Recording:
        """One item; a Recording is made a document by whoever transcribes.

        `Document.meta["stamp"]` is its content hash. `before` is what was transcribed of the item
        the last time: if its sound is still the same, a Recording may come without words and
        sound.
        """

    def content_hash(self, uri: str) -> str:
        """Hash of an item's raw bytes where it costs no request, else empty.

        An item with the hash of last time is not read again.
        """
        return ""

    def transcribed(self, uri: str) -> None:
        """The words of this recording are kept in the library now: its sound may go."""
        return

    def forget(self, uris: Iterable[str]) -> None:
        """Drop what is kept of these addresses: a source that was removed, and what only it held.

        `uris` are those of the source, its items and its documents.
        """
        return


class OnceLoader(Loader):
    """Of sources whose documents are handed over by whoever made them, not read from anywhere."""

    revisits = False

    def supports(self, argument: str, choice: Choice) -> bool:
        """No argument names one."""
        return False

    def discover(
        self, uri: str, choice: Choice = EVERYTHING, *, refresh: bool = False
    ) -> list[Item]:
        """Nothing more has come."""
        return []


LoaderT = TypeVar("LoaderT", bound=Loader)


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What loaders are opened with."""

    config: LoadConfig
    folder: Path  # for what a loader keeps between runs; each uses names of its own there
    reporter: Reporter = SILENT
    cancel: CancelToken = NEVER
    ready: Callable[[], None] = lambda: None  # raises Missing where nothing could transcribe
    pictures: PictureReader | None = None  # reads their words; opens its engine at the first
    opened: dict[type[Loader], Loader] = field(default_factory=dict)

    def loader(self, kind: type[LoaderT]) -> LoaderT:
        """The loader of this class, opened once: a kind may hand work on to another."""
        if kind not in self.opened:
            self.opened[kind] = kind.open(self)
        return cast(LoaderT, self.opened[kind])


def new_source(kind: str, uri: str, choice: Choice = EVERYTHING) -> Source:
    """The source of a kind at a canonical address.

    The same feed with another `latest` is the same source; `match` and `episode` tell sources
    apart.
    """
    key = [kind, uri, choice.match]
    if choice.episode:
        key.append(choice.episode)
    return Source(short_hash(*key), uri, kind, uri, choice.options())


def mark(listed: Sequence[Item]) -> str:
    """Where a list, newest first, ends for now; `newer` tells what has come since.

    Dates that lie ahead are passed by: nothing would be newer. Empty for an empty list.
    """
    today = datetime.now(UTC).date().isoformat()
    newest = next((one for one in listed if one.published <= today), None)
    return f"{newest.published} {newest.uri}" if newest else ""


def newer(listed: Sequence[Item], since: str) -> int:
    """How many of a list come before its `mark`, or after its date where it stands there no more.

    0 without a mark.
    """
    day, _, uri = since.partition(" ")
    places = (number for number, one in enumerate(listed) if uri and one.uri == uri)
    return next(places, sum(1 for one in listed if day and one.published > day))
