"""Bytes as sources of their own: named by their hash, read once, never visited again."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Cli
from fakes import HashingEmbedder

from dragtor.config import LoadConfig
from dragtor.errors import LoadError
from dragtor.load.base import EVERYTHING
from dragtor.load.file import FileLoader
from dragtor.load.stdin import StdinLoader, address_of, document_of, source_of_document

READ = FileLoader(LoadConfig()).read_bytes


def test_bytes_are_named_by_their_hash_and_titled_by_their_words() -> None:
    document = document_of(b"Tape does not prevent pulley injuries, " * 3, READ)
    assert document.uri == address_of(b"Tape does not prevent pulley injuries, " * 3)
    assert document.uri.startswith("stdin:")
    assert document.title == "Tape does not prevent pulley injuries, Tape does not…"
    assert document_of(b"# Tape\n\nIt warms.", lambda *_: document) is document
    source = source_of_document(document)
    assert (source.kind, source.uri, source.title) == ("stdin", document.uri, document.title)


def test_nothing_is_read_twice() -> None:
    loader = StdinLoader()
    assert not loader.supports("-", EVERYTHING)
    assert not loader.supports(address_of(b"x"), EVERYTHING)
    assert list(loader.discover(address_of(b"x"))) == []
    with pytest.raises(LoadError, match="was read once"):
        loader.read(address_of(b"x"))


def test_a_visit_passes_it_by_in_silence(
    cli: Cli, own_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dragtor.embed.open_embedder", lambda *_: HashingEmbedder())
    assert cli("add", "-", stdin=b"Tape does not prevent pulley injuries.").code == 0
    run = cli("sync")
    assert (run.code, "stdin" in run.err) == (0, False)
    (source,) = cli("sources", "--json").json["sources"]
    assert source["kind"] == "stdin"
    assert cli("sources", "rm", source["id"]).code == 0
    assert cli("sources", "--json").json == {"sources": []}
