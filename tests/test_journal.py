"""A journal: what is appended is there after kill -9, and nothing that was not."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dragtor.errors import LibraryError
from dragtor.journal import Journal, KeyedJournal


class Rows(Journal):
    """A journal that holds what it reads."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.rows: list[Any] = []

    def _take(self, row: Any) -> None:
        self.rows.append(row)


def read(path: Path) -> list[Any]:
    with Rows(path) as journal:
        return journal.rows


def test_rows_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "j.jsonl"
    for row in ({"a": [1, None]}, ["✓\n\ud800"]):
        with Journal(path) as journal:
            journal.append(row)
    assert read(path) == [{"a": [1, None]}, ["✓\n\ud800"]]


def test_any_place_where_a_write_was_cut_off_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path) as journal:
        for row in ({"n": 1}, {"n": "zwölf"}):
            journal.append(row)
    whole = path.read_bytes()
    first = whole.index(b"\n")
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with Rows(path) as journal:
            before = journal.rows
            journal.append(["after"])
        assert before == [{"n": 1}] * (cut >= first) + [{"n": "zwölf"}] * (cut == len(whole) - 1)
        assert read(path) == [*before, ["after"]]


@pytest.mark.parametrize("line", [b"\x00\xff", b"[" * 100_000, b"{", b"NaN", b"12", b""])
def test_what_is_no_row_is_passed_over(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "j"
    path.write_bytes(b'["a", 1]\n' + line + b'\n["b", 2]\n7\n["c"]\n[4, 4]\n')
    with KeyedJournal(path) as journal:
        assert (len(journal), journal.get("a"), journal.get("b")) == (2, 1, 2)


def test_nothing_that_was_appended_is_lost_to_a_kill(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom dragtor.journal import Journal\n"
        "with Journal(Path(sys.argv[1])) as journal:\n"
        "    for n in range(10**6):\n"
        "        journal.append([n] * 50)\n        print(n, flush=True)\n"
    )
    path, env = tmp_path / "j", dict(os.environ)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, env=env
    ) as process:
        assert process.stdout is not None
        for _ in range(50):
            process.stdout.readline()
        process.kill()
        last = [*map(int, process.stdout.read().split())][-1:] or [49]
    rows = read(path)
    assert len(rows) > last[0] >= 49
    assert all(row == [n] * 50 for n, row in enumerate(rows))


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with Journal(path) as journal, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: journal.append([n] * 500), range(40)))
    assert sorted(read(path)) == [[n] * 500 for n in range(40)]


def test_the_latest_value_of_a_key_counts(tmp_path: Path) -> None:
    with KeyedJournal(tmp_path / "j") as journal:
        journal.put("a", (1, 2))
        journal.put("a", {"b": (3,)})
        assert journal.get("a") == {"b": [3]}
    with KeyedJournal(tmp_path / "j") as journal:
        assert journal.get("a") == {"b": [3]}
        assert journal.get("b") is None


def test_a_disk_that_takes_no_more_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(LibraryError, match="cannot keep what is done"),
        Journal(tmp_path / "file" / "j"),
    ):
        pass
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, most))
    try:
        with pytest.raises(LibraryError, match="too large"), Journal(tmp_path / "j") as journal:
            journal.append(["longer than ten bytes"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def test_only_an_open_journal_takes_rows(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not open"):
        Journal(tmp_path / "j").append([])
