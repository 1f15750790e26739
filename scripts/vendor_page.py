"""Brings the page's three libraries as ES modules into dragtor/serve/page/vendor.

    python scripts/vendor_page.py

`npm pack` fetches each package; nothing of it is installed or run. An archive whose SHA-256 is
another is refused. Imports become relative, since the page's policy allows no import map.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "dragtor" / "serve" / "page" / "vendor"


@dataclass(frozen=True)
class Package:
    """A version on npm, the hash of its archive, and what is taken: member -> file here."""

    name: str
    version: str
    licence: str
    sha256: str
    members: dict[str, str]


PACKAGES = (
    Package(
        "preact",
        "11.2.0",
        "MIT",
        "3c4456766bd32b6b534d52bf4e9c2a29b33e7eedf6e96ed479300ba1a7888ebf",
        {"dist/preact.mjs": "preact.js", "hooks/dist/hooks.mjs": "hooks.js"},
    ),
    Package(
        "htm",
        "3.1.1",
        "Apache-2.0",
        "2425b9bee11409177bcabc7f32e319926fc6690c1701c0b257c88bdff2d5ba90",
        {"dist/htm.module.js": "htm.js"},
    ),
)


def module(text: str, package: Package) -> str:
    """The module with a line that says whose it is, relative imports and no source map."""
    lines = [line for line in text.splitlines() if not line.startswith("//# sourceMappingURL")]
    code = "\n".join(lines).strip().replace('from"preact"', 'from"./preact.js"')
    about = f"{package.name} {package.version}, {package.licence}"
    return f"// {about}, as published; see {package.name}.LICENSE\n{code}\n"


def bring(package: Package, folder: Path) -> None:
    """Fetch, check and take what is wanted; ends with a message where the hash is wrong."""
    command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    archive = folder / f"{package.name}-{package.version}.tgz"
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        raise SystemExit(f"{archive.name}: its SHA-256 is {found}, not {package.sha256}")
    with tarfile.open(archive) as members:
        for member, name in package.members.items():
            file = members.extractfile(f"package/{member}")
            assert file is not None, member
            (TARGET / name).write_text(module(file.read().decode(), package), "utf-8")
        licence = members.extractfile("package/LICENSE")
        assert licence is not None
        (TARGET / f"{package.name}.LICENSE").write_bytes(licence.read())


def main() -> None:
    """Bring them all."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            bring(package, Path(folder))
            print(f"{package.name} {package.version}: {', '.join(package.members.values())}")


if __name__ == "__main__":
    main()
