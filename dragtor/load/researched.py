"""What a research has read and written: sources made once, left out of what is searched.

Knows neither how a research goes nor what its documents say.
"""

from __future__ import annotations

from dragtor.errors import LoadError
from dragtor.load.base import OnceLoader
from dragtor.types import Document, Source, short_hash

LEAVE_OUT = "left_out"  # in a source's options: its documents are searched only where it is named
OWN_WORDS = "own_words"  # in a document's meta: dragtor wrote it, so it is no evidence, ever


class ResearchedLoader(OnceLoader):
    """Sources of the pages and the dossier of one research, which `dragtor research` makes."""

    kind = "research"

    def read(self, uri: str, *, refresh: bool = False, before: Document | None = None) -> Document:
        """Raises LoadError."""
        raise LoadError(f"{uri} is what a research found: do it again", "dragtor research NAME")


def research_id(name: str, category: str, context: tuple[str, ...]) -> str:
    """The same for the same subject, however it is spaced and capitalised."""
    words = [" ".join(text.split()).casefold() for text in (category, name, *sorted(context))]
    return short_hash("research", *words)


def research_source(identity: str, name: str) -> Source:
    """The source of a research's pages and dossier: `research:ID`."""
    uri = f"{ResearchedLoader.kind}:{identity}"
    return Source(identity, uri, ResearchedLoader.kind, name, {LEAVE_OUT: True})


def dossier_document(identity: str, name: str, text: str, meta: dict[str, object]) -> Document:
    """The dossier as a document of its source, which gives it its address."""
    source = research_source(identity, name)
    told = {**meta, OWN_WORDS: True}
    return Document(short_hash(source.uri), source.uri, source.kind, name, text, meta=told)
