"""The locked requirements: requirements/*.txt say what poetry.lock says, and nothing else.

Needs no Poetry: the lock is read as TOML and both sides are asked what they would install on a
grid of machines, so that markers are compared by what they mean.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions
from itertools import product
from typing import Any

import pytest
from conftest import ROOT
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import dragtor

# file: (extra of the project, group)
FILES = {
    "base": ("", "main"),
    "llama": ("llama", "main"),
    "prebuilt": ("prebuilt", "main"),
    "dev": ("", "dev"),
}
MACHINES = [
    ("linux", "Linux", "posix", "x86_64"),
    ("linux", "Linux", "posix", "aarch64"),
    ("darwin", "Darwin", "posix", "arm64"),
    ("darwin", "Darwin", "posix", "x86_64"),
    ("win32", "Windows", "nt", "AMD64"),
]
Pin = tuple[str, str]


def environments() -> list[dict[str, str]]:
    return [
        {
            "python_version": version,
            "python_full_version": f"{version}.1",
            "sys_platform": platform,
            "platform_system": system,
            "os_name": name,
            "platform_machine": machine,
            "implementation_name": implementation.lower(),
            "platform_python_implementation": implementation,
        }
        for version, (platform, system, name, machine), implementation in product(
            ("3.11", "3.12", "3.13", "3.14"), MACHINES, ("CPython", "PyPy")
        )
    ]


@cache
def lock() -> dict[str, Any]:
    return tomllib.loads((ROOT / "poetry.lock").read_text("utf-8"))


@cache
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@cache
def requirements(name: str) -> list[tuple[Requirement, frozenset[str]]]:
    """Each requirement of a file with its hashes."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8").replace("\\\n", " ")
    found = []
    for line in text.splitlines():
        line, *hashes = line.split("--hash=")
        found.append((Requirement(line), frozenset(h.strip() for h in hashes)))
    return found


def applies(marker: str | None, environment: dict[str, str], extra: str = "") -> bool:
    return marker is None or Marker(marker).evaluate(environment | {"extra": extra})


def locked_for(environment: dict[str, str], extra: str, group: str) -> set[Pin]:
    """What the lock installs on a machine, for the project with an extra, with or without dev."""
    pins = set()
    groups = {"main", group}
    for package in lock()["package"]:
        markers = package.get("markers")
        for one in groups & set(package["groups"]):
            marker = markers.get(one) if isinstance(markers, dict) else markers
            if applies(marker, environment, extra):
                pins.add((canonicalize_name(package["name"]), package["version"]))
    return pins


def required_for(environment: dict[str, str], name: str) -> set[Pin]:
    return {
        (canonicalize_name(requirement.name), str(requirement.specifier).removeprefix("=="))
        for requirement, _ in requirements(name)
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }


@pytest.mark.parametrize("name", FILES)
def test_requirements_equal_the_lock_on_every_machine(name: str) -> None:
    for environment in environments():
        assert required_for(environment, name) == locked_for(environment, *FILES[name]), environment


@pytest.mark.parametrize("name", FILES)
def test_requirements_are_pinned_with_the_hashes_of_the_lock(name: str) -> None:
    hashes = {
        (canonicalize_name(p["name"]), p["version"]): {file["hash"] for file in p["files"]}
        for p in lock()["package"]
    }
    for requirement, given in requirements(name):
        version = str(requirement.specifier)
        assert re.fullmatch(r"==[\w.]+", version), requirement
        assert given, requirement
        pin = (canonicalize_name(requirement.name), version.removeprefix("=="))
        assert given == hashes[pin], requirement


def names(file: str) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement, _ in requirements(file)}


@pytest.mark.parametrize("name", FILES)
def test_requirements_bring_no_torch_and_no_cuda(name: str) -> None:
    unwanted = re.compile(r"torch|nvidia|cuda|triton|transformers")
    assert [package for package in names(name) if unwanted.search(package)] == []


def test_each_file_is_base_and_its_own() -> None:
    assert names("base") < names("llama")
    assert names("prebuilt") - names("base") == {"xllamacpp"}
    assert "llama-cpp-python" in names("llama")
    assert not names("base") & {"llama-cpp-python", "xllamacpp", "pytest", "hypothesis"}
    assert names("llama") | names("prebuilt") < names("dev")
    assert names("dev") >= {"pytest", "pytest-socket", "hypothesis", "mypy", "ruff"}
    files = {path.stem for path in (ROOT / "requirements").glob("*.txt")}
    assert files >= FILES.keys()


def test_no_address_of_an_index_in_the_lock_or_the_requirements() -> None:
    files = [ROOT / "poetry.lock", *(ROOT / "requirements").iterdir()]
    for path in files:
        text = path.read_text("utf-8")
        assert "://" not in text, path
        assert not re.search(r"^\s*-(-index-url|-extra-index-url|i|f|-find-links)\b", text, re.M)
    assert [p["name"] for p in lock()["package"] if "source" in p] == []


def test_the_lock_is_of_this_pyproject() -> None:
    """Everything pyproject asks for is locked at a version it allows."""
    locked: dict[str, set[str]] = {}
    for package in lock()["package"]:
        locked.setdefault(canonicalize_name(package["name"]), set()).add(package["version"])
    wanted = [*project()["project"]["dependencies"]]
    for extra in project()["project"]["optional-dependencies"].values():
        wanted += extra
    for text in wanted:
        requirement = Requirement(text)
        versions = locked[canonicalize_name(requirement.name)]
        assert all(requirement.specifier.contains(v, prereleases=True) for v in versions), text
    dev = project()["tool"]["poetry"]["group"]["dev"]["dependencies"]
    assert {canonicalize_name(name) for name in dev} <= names("dev")
    assert lock()["metadata"]["python-versions"] == project()["project"]["requires-python"]
    extras = project()["project"]["optional-dependencies"].keys()
    assert lock()["extras"].keys() == {canonicalize_name(extra) for extra in extras}


def test_project_metadata() -> None:
    data = project()["project"]
    assert data["version"] == dragtor.__version__
    assert data["license"] == "MIT"
    assert data["authors"] == [{"name": "The dragtor authors"}]
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert licence.startswith("MIT License\n\nCopyright (c) 2026 The dragtor authors\n")
    assert (ROOT / data["readme"]).is_file()
    assert data["scripts"] == {"dragtor": "dragtor.cli:main"}


def test_the_comparison_sees_a_difference() -> None:
    """The grid tells markers apart that read alike, and finds a version of one Python only."""
    grid = environments()
    new = {pin for e in grid if e["python_version"] == "3.13" for pin in required_for(e, "base")}
    old = {pin for e in grid if e["python_version"] == "3.11" for pin in required_for(e, "base")}
    assert dict(new)["numpy"] != dict(old)["numpy"]
    linux = [e for e in grid if e["sys_platform"] == "linux"]
    assert all(applies('sys_platform != "win32"', e) for e in linux)
    assert not all(applies('platform_machine == "x86_64"', e) for e in linux)


def imported(folder: str) -> set[str]:
    """Distributions (by their canonical names) that the Python files of a folder import."""
    folders = (folder, "benchmarks", "benchmarks/tasks", "scripts")
    here = [path.stem for name in folders for path in (ROOT / name).glob("*.py")]
    own = {"dragtor", "conftest", *here}
    of_module = packages_distributions()
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            heads = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                heads = [str(node.module)]
            for head in {name.partition(".")[0] for name in heads} - own - sys.stdlib_module_names:
                found |= {canonicalize_name(name) for name in of_module.get(head, [head])}
    return found


def test_every_import_is_a_declared_dependency() -> None:
    data = project()
    wanted = set(data["project"]["dependencies"])
    for extra in data["project"]["optional-dependencies"].values():
        wanted |= set(extra)
    declared = {canonicalize_name(Requirement(text).name) for text in wanted}
    assert imported("dragtor") - declared == set()
    groups = data["tool"]["poetry"]["group"].values()
    dev = {canonicalize_name(name) for group in groups for name in group["dependencies"]}
    with_the_hf_extra = {"safetensors"}
    used = imported("tests") | imported("benchmarks")
    assert used - declared - dev - with_the_hf_extra == set()
