"""Words with BIO labels, as CoNLL's shared tasks and others write them: one word a line.

Owns the forms such files take, and the way from any scheme of tags to BIO. Knows no tokenizer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from dragtor.encoder.heads import NO_SPAN
from dragtor.errors import UsageError

BIO_HINT = "one word and one label a line, a blank line between sentences"
_TAG = re.compile(r"O|[BIESULM](-\S+( (?!O$|[BIESULM]-)\S+)*)?")
_SAMPLE_LINES = 300
_UNNAMED = "entity"  # of tags that are B, I and O alone
_BEGINS, _GOES_ON, _WHOLE, _LAST = "B", "IM", "SU", "EL"


class TaggedWords(NamedTuple):
    """One sentence; `line` is that of its first word, `tags` are BIO."""

    line: int
    words: tuple[str, ...]
    tags: tuple[str, ...]


class _Columns(NamedTuple):
    word: int
    tag: int


def looks_tagged(text: str) -> bool:
    """Whether half of the lines or more end in a tag, or hold one after a running number."""
    return _columns(text) is not None


def tagged_sentences(text: str, path: str) -> Iterator[TaggedWords]:
    """The sentences of a file that looks tagged; `path` names it in a UsageError."""
    columns = _columns(text)
    if columns is None:
        raise UsageError(f"{path}: no words with BIO labels", BIO_HINT)
    rows: list[tuple[int, str, str]] = []
    for number, line in enumerate([*text.split("\n"), ""], 1):
        if not line.strip() or line.startswith("-DOCSTART-"):
            if rows:
                yield _sentence(rows, path)
            rows = []
        elif not _is_comment(line, columns):
            word, tag = _cells(line, columns, f"{path}, line {number}")
            if word.strip():  # else no tokenizer sees it
                rows.append((number, word, tag))


def bio(tags: Sequence[str], place: str) -> list[str]:
    """BIO labels for BIO, IOB1, BIOES, BILOU or BMES tags; UsageError names `place`.

    An I- after O or after another name begins a span (as conlleval reads it).
    """
    found, open_name = [], ""
    for tag in tags:
        if not _TAG.fullmatch(tag):
            raise UsageError(f"{place}: {tag[:40]!r} is no BIO label", "O, B-NAME or I-NAME")
        part, _, name = tag.partition("-")
        name = name or _UNNAMED
        if part == NO_SPAN:
            found.append(NO_SPAN)
            open_name = ""
            continue
        goes_on = part in _GOES_ON + _LAST and open_name == name
        found.append(f"{'I' if goes_on else 'B'}-{name}")
        open_name = "" if part in _WHOLE + _LAST else name
    return found


def mapped_tags(tags: Sequence[str], mapping: Mapping[str, str]) -> list[str]:
    """BIO labels under coarser names; `mapping` has them by names in lower case, "" for O."""
    found = []
    for tag in tags:
        part, _, name = tag.partition("-")
        new = mapping.get(name.lower(), name)
        found.append(f"{part}-{new}" if name and new else NO_SPAN)
    return found


def _sentence(rows: list[tuple[int, str, str]], path: str) -> TaggedWords:
    lines, words, tags = zip(*rows, strict=True)
    for number, tag in zip(lines, tags, strict=True):
        if not _TAG.fullmatch(tag):
            bio([tag], f"{path}, line {number}")
    return TaggedWords(lines[0], words, tuple(bio(tags, path)))


def _parts(line: str) -> list[str]:
    """Cells between tabs; where those are no word and tag, what white space parts."""
    cells = line.rstrip("\r\n").split("\t")
    if len(cells) > 1 and any(map(_TAG.fullmatch, cells[1:])):
        return cells
    return line.split()


def _cells(line: str, columns: _Columns, place: str) -> tuple[str, str]:
    cells = _parts(line)
    if len(cells) < 2:
        raise UsageError(f"{place}: one word and no label: {line.strip()[:40]!r}", BIO_HINT)
    if len(cells) <= max(columns.word, columns.tag):
        raise UsageError(f"{place}: {len(cells)} columns, fewer than before it", BIO_HINT)
    return cells[columns.word], cells[columns.tag].strip()


def _is_comment(line: str, columns: _Columns) -> bool:
    if not line.startswith("#") or "\t" in line:
        return False
    return columns.word > 0 or (line.startswith("# ") and not _TAG.fullmatch(line.split()[-1]))


def _columns(text: str) -> _Columns | None:
    """Where word and tag are: the tag in the last column, else after a running number."""
    lines = (line for line in _first_lines(text) if "\t" in line or not line.startswith("# "))
    rows = [_parts(line) for line in islice(lines, _SAMPLE_LINES)]
    numbered = bool(rows) and all(_is_number(row[0]) for row in rows) and len(rows[0]) > 2
    word = 1 if numbered else 0
    for tag in (-1, 2) if numbered else (-1,):
        fit = [row for row in rows if len(row) > max(word + 1, tag) and _TAG.fullmatch(row[tag])]
        if 2 * len(fit) >= len(rows) and any("-" in row[tag] or row[tag] == "O" for row in fit):
            return _Columns(word, tag)
    return None


def _first_lines(text: str) -> Iterator[str]:
    at = 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        line = text[at:end]
        if line.strip() and not line.startswith("-DOCSTART-"):
            yield line
        at = end + 1


def _is_number(cell: str) -> bool:
    return cell.replace("-", "").replace(".", "").isdigit()
