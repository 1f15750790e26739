"""Which source a user's argument names: a page, a file or folder, a feed, a show by name, a video.

Owns how an argument is read; whether an address is a feed, and where a show's feed is, is asked of
the loaders. Knows no library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dragtor.errors import LoadError, UsageError
from dragtor.load.address import shown
from dragtor.load.item import Item
from dragtor.types import Document, Recording, Source, short_hash

SITE = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}(?::\d+)?/", re.I)  # an address without scheme
SHOW = "podcast:"  # a show by its name
FEED = re.compile(r"^https?://(?:feeds?|rss)\.|[/.=_-](?:rss|atom|feeds?|podcast)\b|\.xml\b", re.I)
SELECT = "dragtor add https://…/show.rss --latest 5"
LISTS = ("feed", "video")  # kinds that list their documents, newest first, and may hold sound


class Feeds(Protocol):
    """What is asked of the loader of feeds."""

    def probe(self, uri: str) -> bool:
        """Whether a feed is at this address."""

    def show_address(self, name: str) -> str:
        """The feed of the show that is called so; raises LoadError where that is not one."""


class Loader(Protocol):
    """One kind of source. All raise LoadError, with one line, on what cannot be read.

    Those of LISTS are handed to `read` what was `heard` before, and told by `heard(uri)`
    that what they downloaded may go.
    """

    def discover(self, uri: str, *, refresh: bool = False, **choice: Any) -> Iterable[Item]:
        """The documents-to-be of a source; `choice` as Choice gives it for its kind."""

    def read(self, uri: str, *, refresh: bool = False, **heard: Any) -> Document | Recording:
        """One of them; a Recording is made a document by whoever can hear.

        It has neither words nor sound where the sound is what was heard before.
        """

    def stamp(self, uri: str) -> str:
        """Hash of its raw bytes where known without a fetch, else empty."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of a source's documents are wanted; empty and 0: all, or as configured."""

    match: str = ""  # regular expression on addresses, of feeds and lists on titles too
    latest: int = 0  # of a feed, channel or playlist
    episode: str = ""  # of a podcast: its number, title words or date
    since: str = ""  # what a list ended with when all of it was last taken, see item.mark

    def __post_init__(self) -> None:
        try:
            re.compile(self.match)
        except re.error as error:
            raise UsageError(f"--match is no regular expression: {error}") from error

    @classmethod
    def of(cls, source: Source) -> Choice:
        """As it was made when the source was added."""
        options = source.options
        return cls(
            str(options.get("match", "")),
            int(options.get("latest", 0)),
            str(options.get("episode", "")),
            str(options.get("since", "")),
        )

    def options(self) -> dict[str, Any]:
        """What a Source keeps of it."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}

    def arguments(self, kind: str) -> Mapping[str, Any]:
        """What the loader of a kind is told."""
        taken = {
            "feed": self.__slots__,
            "video": ("match", "latest", "since"),
            "web": ("match",),
        }
        return {name: getattr(self, name) for name in taken.get(kind, ())}


EVERYTHING = Choice()


def source_of(uri: str, choice: Choice = EVERYTHING, feeds: Feeds | None = None) -> Source:
    """The source that an argument names; without `feeds` every address is a page's or a video's.

    Raises LoadError and UsageError.
    """
    if uri.startswith(SHOW) and feeds:
        return _made("feed", feeds.show_address(uri.removeprefix(SHOW).strip()), choice)
    if "://" in uri and not uri.startswith("file://"):
        return _web_source(uri, choice, feeds)
    if choice.options():
        raise UsageError("--match, --latest and --episode are for feeds and sites", SELECT)
    return _file_source(uri)


def _web_source(uri: str, choice: Choice, feeds: Feeds | None) -> Source:
    from dragtor.load.address import parse_url
    from dragtor.load.video import is_video
    from dragtor.load.web import clean_url

    if not uri.lower().startswith(("http://", "https://")):
        raise LoadError(f"only http and https addresses are read: {shown(uri)}")
    address = clean_url(str(parse_url(uri).href))
    kind = "web"
    if is_video(address):
        kind = "video"
    elif _may_be_feed(address, choice) and feeds and feeds.probe(address):
        kind = "feed"
    if choice.episode and kind != "feed":
        raise UsageError("--episode is for podcasts", SELECT)
    if choice.latest and kind == "web":
        raise UsageError(f"no feed and no video site: {shown(address)}", SELECT)
    return _made(kind, address, choice)


def _may_be_feed(address: str, choice: Choice) -> bool:
    return bool(choice.latest or choice.episode or FEED.search(address))


def _made(kind: str, address: str, choice: Choice) -> Source:
    options = choice.options()
    key = [kind, address, choice.match]  # the same feed with another --latest is the same source
    if choice.episode:
        key.append(choice.episode)
    return Source(short_hash(*key), address, kind, address, options)


def _file_source(uri: str) -> Source:
    """A path that is no text in any encoding is kept as a file URI."""
    from dragtor.load.file import absolute, file_path, file_uri

    path = absolute(str(file_path(uri)) if uri.startswith("file://") else uri)
    if SITE.match(uri) and not path.exists():
        raise LoadError(f"{uri} does not exist", f"dragtor add https://{uri}")
    place = str(path)
    address = file_uri(path) if has_surrogates(place) else place
    name = path.name.encode("utf-8", "replace").decode()
    return Source(short_hash("file", place), address, "file", name)


def has_surrogates(text: str) -> bool:
    """Whether `text`, such as a file name, cannot be written as UTF-8."""
    return any("\ud800" <= character <= "\udfff" for character in text)
