"""Which kinds of sources there are, and which of them reads what a user names.

A kind of dragtor's own is one line here, one of another package an entry point of GROUP; both are
imported when a source is read, not before. Knows nothing of what a kind does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import entry_points

from dragtor.errors import DragtorError, LoadError, UsageError
from dragtor.load.address import shown
from dragtor.load.base import EVERYTHING, Choice, LoadContext, Loader
from dragtor.types import Source

GROUP = "dragtor.loaders"
LOADERS = {  # kind: its loader; who comes first is asked first
    "video": "dragtor.load.video:VideoLoader",
    "feed": "dragtor.load.feed:FeedLoader",
    "web": "dragtor.load.web:WebLoader",
    "file": "dragtor.load.file:FileLoader",
    "stdin": "dragtor.load.stdin:StdinLoader",
    "research": "dragtor.load.researched:ResearchedLoader",
}
RECORDED = ("audio", "image")  # kinds of documents that no source has
SELECT = "dragtor add https://…/show.rss --latest 5"


def open_all(context: LoadContext) -> dict[str, Loader]:
    """A loader of every kind, those of plugins first, so that they are asked first.

    A plugin that cannot be opened costs one note.
    """
    loaders: dict[str, Loader] = {}
    for entry in entry_points(group=GROUP):
        try:
            made = context.loader(_checked(entry.name, entry.load()))
        except Exception as error:  # noqa: BLE001 - whatever another package does
            says = str(error) if isinstance(error, DragtorError) else repr(error)
            context.reporter.note(f"the plugin {entry.name} ({entry.value}) is left out: {says}")
        else:
            loaders[entry.name] = made
    for kind, path in LOADERS.items():
        module, _, name = path.partition(":")
        loaders[kind] = context.loader(getattr(import_module(module), name))
    return loaders


def _checked(name: str, loader: type[Loader]) -> type[Loader]:
    if name in LOADERS:
        raise LoadError("dragtor has a kind of this name itself")
    if loader.kind != name:
        raise LoadError(f"its loader says that it is of the kind {loader.kind!r}")
    return loader


def kinds() -> Iterator[str]:
    """What the `kind` of a document may be; no plugin is imported."""
    yield from LOADERS
    yield from RECORDED
    yield from (entry.name for entry in entry_points(group=GROUP))


def check_kind(kind: str) -> None:
    """Raise UsageError if no document is of this kind, whatever the library holds."""
    if kind not in LOADERS and kind not in (known := list(kinds())):
        raise UsageError(f"{kind!r} is no kind of document", f"kinds: {', '.join(known)}")


def source_of(argument: str, loaders: Mapping[str, Loader], choice: Choice = EVERYTHING) -> Source:
    """The source that a user's argument names, of the first kind that supports it.

    Raises LoadError where there is none, and UsageError on a choice that its kind does not take.
    """
    for loader in loaders.values():
        if loader.supports(argument, choice):
            for name in (name for name in choice.options() if name not in loader.takes):
                able = ", ".join(other.kind for other in loaders.values() if name in other.takes)
                told = f"--{name} is for {able}, and this is {loader.kind}: {shown(argument)}"
                raise UsageError(told, SELECT)
            return loader.source(argument, choice)
    raise LoadError(f"nothing here reads {shown(argument)}", "dragtor add URL-OR-FILE")
