"""The wheel: the package and its settings, nothing else; it works outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

# Builds in a process of its own: the backend works in the current folder.
BUILD = "import sys; from poetry.core.masonry.api import build_wheel; build_wheel(sys.argv[1])"
USE = """
import dragtor, dragtor.config as config
print(dragtor.__file__, config.config_path(), config.models_path(config.load_config().models))
for preset in config.PRESETS:
    assert config.load_config(overrides={"preset": preset}).preset == preset
assert config.load_config() == config.Config()
assert config.packaged("models.yml").is_file()
assert config.load_words(config.Config().answer.domain).red_flags
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content, as pip would lay it out."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, check=True)
    (wheel,) = folder.glob("dragtor-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_wheel_holds_the_package_and_every_setting(installed: Path) -> None:
    def files(folder: Path) -> set[str]:
        return {
            str(path.relative_to(folder))
            for path in folder.rglob("*")
            if path.is_file() and path.suffix != ".pyc"
        }

    assert files(installed / "dragtor" / "assets" / "config") == files(ROOT / "config")
    code = {name for name in files(installed / "dragtor") if not name.startswith("assets")}
    assert code == files(ROOT / "dragtor")
    assert "py.typed" in code
    assert len(list(installed.iterdir())) == 2  # dragtor and its metadata


def test_the_wheel_works_outside_the_checkout(installed: Path, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DRAGTOR_")}
    home = {"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    home |= {"XDG_DATA_HOME": str(tmp_path / "data"), "PYTHONPATH": str(installed)}
    run = subprocess.run(
        [sys.executable, "-c", USE], cwd=tmp_path, env=kept | home, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    package, settings, models = run.stdout.split()
    assert Path(package) == installed / "dragtor" / "__init__.py"
    assert Path(settings) == installed / "dragtor" / "assets" / "config" / "params.yml"
    assert Path(models).is_relative_to(tmp_path)
