"""What every loader promises, checked on one that reads something small and real.

A test of a new kind calls `check_loader` once; see docs/sources.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from test_ingest import counts, open_ingest

from dragtor.errors import LoadError
from dragtor.load.base import EVERYTHING, Choice, Item, Loader
from dragtor.load.registry import source_of
from dragtor.speech.pipeline import TranscribePipeline
from dragtor.speech.transcribe import Transcript
from dragtor.types import Document, Recording, Source, Word


class Stenographer:
    """Writes down the same of every sound."""

    def transcribe(self, path: Path, **_: Any) -> Transcript:
        return Transcript("en", (Word("Hello", 0.0, 0.5), Word("there.", 0.5, 1.0)), 1.0)


def check_loader(
    loader: Loader, argument: str, folder: Path, *, absent: str = "", others: Sequence[str] = ()
) -> None:
    """Hold `loader` to the contract on what `argument` names: all of it can be read.

    `folder` is an empty one for a library. `absent` names a source of this kind that is
    not there (any more), `others` are arguments of other kinds.
    """
    assert set(loader.takes) <= set(Choice.__slots__) - {"since"}
    source = check_source(loader, argument, others)
    items = list(loader.discover(source.uri))
    assert items, "nothing is listed"
    assert len({item.uri for item in items}) == len(items), "an item is listed twice"
    for item in items:
        check_item(loader, item)
    again = list(loader.discover(source.uri))
    assert [item.uri for item in again] == [item.uri for item in items]
    with pytest.raises(LoadError) as refused:
        loader.read(f"{items[0].uri}-absent")
    assert "\n" not in str(refused.value)
    if absent:
        with pytest.raises(LoadError) as refused:
            list(loader.discover(loader.source(absent, EVERYTHING).uri))
        assert "\n" not in str(refused.value)
    check_library(loader, argument, len(items), folder)


def check_source(loader: Loader, argument: str, others: Sequence[str]) -> Source:
    """An argument names one source, and so does that source's own address."""
    assert loader.supports(argument, EVERYTHING)
    for other in others:
        assert not loader.supports(other, EVERYTHING), f"{other} is of another kind"
    source = loader.source(argument, EVERYTHING)
    assert (source.kind, dict(source.options)) == (loader.kind, {})
    assert loader.supports(source.uri, EVERYTHING)
    assert loader.source(source.uri, EVERYTHING) == source
    for name in loader.takes:
        chosen = Choice(**{name: 3 if name == "latest" else "x"})
        assert dict(loader.source(source.uri, chosen).options) == chosen.options()
    return source


def check_item(loader: Loader, item: Item) -> None:
    """An item gives the same document each time, and its content hash is the document's."""
    read = loader.read(item.uri)
    assert loader.read(item.uri) == read
    document = read.document if isinstance(read, Recording) else read
    assert document.id
    assert document.uri
    stamp = document.meta["stamp"]
    assert isinstance(stamp, str)
    assert item.content_hash in ("", stamp)
    assert loader.content_hash(item.uri) in ("", stamp)
    assert json.loads(json.dumps(dict(document.meta))) == dict(document.meta)
    if isinstance(read, Document):
        assert read.title
        assert read.text.strip()
        for segment in read.segments:
            assert 0 <= segment.start <= segment.end <= len(read.text)
    else:
        assert read.words or read.audio


def check_library(loader: Loader, argument: str, items: int, folder: Path) -> None:
    """Added, added again, visited, removed: what changed nothing is told as unchanged."""
    loaders = {loader.kind: loader}
    transcribe = TranscribePipeline(Stenographer, lambda: None, folder / "transcripts")
    for first in (True, False):
        with open_ingest(folder, loaders=loaders, transcribe=transcribe) as ingest:
            ingest.add([argument])
            assert ingest.report.failed == []
            assert counts(ingest) == ((items, 0, 0, 0) if first else (0, 0, items, 0))
    with open_ingest(folder, loaders=loaders, transcribe=transcribe) as ingest:
        (source,) = ingest.writer.store.sources()
        assert source.id == source_of(argument, loaders).id
        ingest.sync([source])
        assert ingest.report.failed == []
        assert ingest.report.unchanged == (items if loader.revisits else 0)
        gone = ingest.writer.remove_source(source.id)
        loader.forget([*gone, source.uri])
        assert ingest.writer.store.counts()["documents"] == 0
