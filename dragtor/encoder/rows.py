"""Task files as rows: packed or not, in any of the usual encodings, as CSV, TSV, JSON or JSONL.

A row is a dict with names in lower case. Knows no kind of task; what is wrong is a UsageError that
names file and line.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import lzma
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dragtor.errors import UsageError

TaskRow = tuple[str, int, dict[str, Any]]  # its place for errors, its line, its cells

TEXT_NAMES = ("text", "sentence", "review")
LABEL_NAMES = ("label", "category", "class", "sentiment")
PAIR_NAMES = (
    *(("a", "b"), ("premise", "hypothesis"), ("evidence", "claim")),
    *(("sentence1", "sentence2"), ("text1", "text2")),
)
TABLE_HINT = "columns text,label or a,b,label; a cell with commas in quotes"
_ENCODINGS = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1257", "mac_roman"]
_SAMPLE_BYTES = 100_000
_MOST_OF_A_LABEL = 60  # characters
_PACKED = {b"\xfd7zXZ": lzma.decompress, b"\x1f\x8b": gzip.decompress}


def file_text(path: Path) -> str:
    """What a file holds, unpacked and decoded, its ends of lines as \\n."""
    try:
        data = path.read_bytes()
        for magic, unpack in _PACKED.items():
            if data.startswith(magic):
                data = unpack(data)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot read {path}: {reason}", "a file of examples") from error
    text = _decoded(data, path).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise UsageError(f"{path} is empty", "a file of examples")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UsageError(f"{path}, line {line}: zero bytes, no text", "CSV, JSONL or CoNLL as text")
    return text


def _decoded(data: bytes, path: Path) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    with suppress(UnicodeDecodeError):
        return data.decode("utf-8-sig")
    if b"\0" in data:
        raise UsageError(f"{path} is no text", "CSV, JSONL or CoNLL, in UTF-8")
    lines = [line for line in enumerate(data.split(b"\n"), 1) if not line[1].isascii()]
    wrong = [number for number, line in lines if not _is_utf8(line)]
    if len(wrong) < len(lines):
        told = f"{path}, line {wrong[0]}: not UTF-8, as other lines are"
        raise UsageError(told, "save it in one encoding")
    return data.decode(_guess(data, path), "replace")


def _is_utf8(line: bytes) -> bool:
    with suppress(UnicodeDecodeError):
        line.decode("utf-8")
        return True
    return False


def _guess(data: bytes, path: Path) -> str:
    """The likeliest encoding; cp1252 where it is as likely as any other."""
    from charset_normalizer import from_bytes

    sample = b"\n".join(line for line in data.split(b"\n") if not line.isascii())[:_SAMPLE_BYTES]
    matches = from_bytes(sample, cp_isolation=_ENCODINGS)
    if best := matches.best():
        alike = [m for m in matches if (m.chaos, m.coherence) == (best.chaos, best.coherence)]
        is_usual = any("cp1252" in match.could_be_from_charset for match in alike)
        return "cp1252" if is_usual else best.encoding
    if sum(byte < 0x80 for byte in data) > 0.7 * len(data):
        return "cp1252"
    raise UsageError(f"{path} is no text in an encoding dragtor knows", "save it as UTF-8")


def looks_json(text: str, path: Path) -> bool:
    """Whether it is JSON or JSONL, by its name or how it begins."""
    first = text.lstrip()
    named = any(suffix.lower().startswith((".json", ".ndjson")) for suffix in path.suffixes)
    return named or first[:1] == "{" or (first[:1] == "[" and first[1:].lstrip()[:1] == "{")


def json_rows(text: str, path: Path) -> Iterator[TaskRow]:
    """The objects of JSONL, of a list, or of SQuAD's layout, each question with its context."""
    decoder, at, line = json.JSONDecoder(), 0, 1
    in_list = text.lstrip()[:1] == "["
    skipped = " \t\n,[]" if in_list else " \t\n"
    while True:
        start = at
        while at < len(text) and text[at] in skipped:
            at += 1
        line += text.count("\n", start, at)
        if at == len(text):
            return
        place, start = f"{path}, line {line}", at
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError) as error:
            said = getattr(error, "msg", "too deep")
            raise UsageError(f"{place}: no JSON: {said}", "one object a line") from error
        if not isinstance(value, dict):
            raise UsageError(f"{place}: no JSON object", "one object a line")
        yield from _objects(value, place, line)
        line += text.count("\n", start, at)


def _objects(value: dict[str, Any], place: str, line: int) -> Iterator[TaskRow]:
    held = value.get("data")
    if not isinstance(held, list):
        yield place, line, {str(key).strip().lower(): cell for key, cell in value.items()}
        return
    number = 0
    for each in held:
        for paragraph in (each.get("paragraphs") if isinstance(each, dict) else None) or [each]:
            questions = paragraph.get("qas") if isinstance(paragraph, dict) else None
            for question in [paragraph] if questions is None else questions:
                number += 1
                if not isinstance(question, dict):
                    raise UsageError(f"{place}, item {number}: no JSON object", "SQuAD's layout")
                more = {} if questions is None else {"context": paragraph.get("context")}
                cells = {str(key).lower(): cell for key, cell in (question | more).items()}
                yield f"{place}, item {number}", line, cells


def table_rows(text: str, path: Path) -> list[TaskRow]:
    """The rows of CSV or TSV, with or without a header.

    Without one, the column with the fewest different and short values is the label.
    """
    rows = _cells(text, path)
    if not rows:
        raise UsageError(f"{path} is empty", TABLE_HINT)
    names = [cell.strip().lower() for cell in rows[0][1]]
    if _is_header(names):
        rows = rows[1:]
    else:
        names = _names_of(rows, path)
    return [
        (f"{path}, line {line}", line, dict(zip(names, row, strict=True))) for line, row in rows
    ]


def _is_header(names: Sequence[str]) -> bool:
    known = {*TEXT_NAMES, *LABEL_NAMES, "question", "context"}
    return bool(known & set(names)) or any(set(pair) <= set(names) for pair in PAIR_NAMES)


def _cells(text: str, path: Path) -> list[tuple[int, list[str]]]:
    """Each row with its first line; all have as many cells as the first one."""
    delimiter = _delimiter(text.lstrip("\n").partition("\n")[0])
    if delimiter == "\t":
        lines = [each for each in enumerate(text.split("\n"), 1) if each[1].strip()]
        if len({line.count("\t") for _, line in lines}) == 1:
            return [(number, [*map(_unquoted, line.split("\t"))]) for number, line in lines]
    return [*_quoted_cells(text, path, delimiter)]


def _quoted_cells(text: str, path: Path, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    limit = csv.field_size_limit(sys.maxsize)
    lines = io.StringIO(text, newline="\n")
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    line, wide = 1, 0
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                wide = wide or len(cells)
                if len(cells) != wide:
                    told = f"{len(cells)} columns where the first line has {wide}"
                    raise UsageError(f"{path}, line {line}: {told}", TABLE_HINT)
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        told = f"{path}, line {line}: its quotes are broken: {error}"
        raise UsageError(told, TABLE_HINT) from error
    finally:
        csv.field_size_limit(limit)


def _delimiter(first: str) -> str:
    if "\t" in first:
        return "\t"
    cells = [cell.strip(' "').lower() for cell in first.split(";")]
    return ";" if len(cells) > 1 and ("," not in first or _is_header(cells)) else ","


def _unquoted(cell: str) -> str:
    """Without the quotes of a writer that doubles those inside; others are the text's own."""
    inner = cell[1:-1]
    quoted = len(cell) > 1 and cell[0] == cell[-1] == '"' and '""' in inner
    return inner.replace('""', '"') if quoted and '"' not in inner.replace('""', "") else cell


def _names_of(rows: Sequence[tuple[int, Sequence[str]]], path: Path) -> list[str]:
    """Names for the columns of a table without a header; UsageError if they cannot be told."""
    wide = len(rows[0][1])
    if wide not in (2, 3):
        told = f"{wide} column{'s' * (wide != 1)} and no header"
        raise UsageError(f"{path}, line {rows[0][0]}: {told}", TABLE_HINT)
    columns = [[row[i].strip() for _, row in rows] for i in range(wide)]
    short = [i for i, cells in enumerate(columns) if max(map(len, cells)) <= _MOST_OF_A_LABEL]
    if not short:
        raise UsageError(f"{path}: no column of labels", TABLE_HINT)
    at = min(short, key=lambda i: (len(set(columns[i])), sum(map(len, columns[i])), -i))
    counts, first = Counter(columns[at][1:]), [column[0] for column in columns]
    if (
        counts
        and not counts[first[at]]
        and min(counts.values()) > 1
        and not any(len(cell.split()) > 1 for cell in first)
    ):
        told = f"no columns text and label among {', '.join(first)}"
        raise UsageError(f"{path}, line {rows[0][0]}: {told}", TABLE_HINT)
    names = ["text"] if wide == 2 else ["a", "b"]
    names.insert(at, "label")
    return names
