"""Shared fixtures: every test has its own library folder; the network ends at loopback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """`slow` and `gpu` tests run only when asked for with -m."""
    asked = config.getoption("-m")
    for mark in ("slow", "gpu"):
        if mark not in asked:
            skip = pytest.mark.skip(reason=f"opt in with -m {mark}")
            for item in items:
                if mark in item.keywords:
                    item.add_marker(skip)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library folder, a home and a configuration of the test's own."""
    for name in list(os.environ):
        if name.startswith("DRAGTOR_") and name != "DRAGTOR_MODELS_PATH":
            monkeypatch.delenv(name)
    home = tmp_path / "library"
    monkeypatch.setenv("DRAGTOR_HOME", str(home))
    monkeypatch.setenv("DRAGTOR_CONFIG", str(ROOT / "config" / "params.yml"))
    monkeypatch.setenv("NO_COLOR", "1")
    return home


def shared(name: str) -> Path:
    """A folder of the shared data; skips the test, saying why, where it is absent."""
    folder = SHARED / name
    if not folder.exists():
        pytest.skip(f"../shared/data/{name} is not here")
    return folder
