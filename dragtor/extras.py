"""Optional dependencies: import one, or say the exact command that installs it.

Knows no room; heavy modules are imported when a backend is built, never before.
"""

from __future__ import annotations

import importlib
import shlex
import sys
from pathlib import Path
from types import ModuleType

from dragtor.errors import Missing

_CHECKOUT_FOLDER = Path(__file__).resolve().parent.parent


def require(module: str, *, extra: str) -> ModuleType:
    """Import `module`; raises Missing with the install command of `extra`."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        absent = error.name == module.partition(".")[0]
        reason = "is not installed" if absent else f"cannot be imported: {error}"
        raise Missing(f"{module} {reason}", install_command(extra)) from error


def install_command(extra: str) -> str:
    """What installs an extra."""
    return f'pip install "dragtor[{extra}]"'


def engine_command(
    checkout: Path = _CHECKOUT_FOLDER, environment: str = sys.prefix, *, build: bool = False
) -> str:
    """What installs a language model engine here; `build`: llama-cpp-python, not xllamacpp.

    `make` where `environment` is the one that `make` sets up in a checkout, pip elsewhere.
    """
    made = (checkout / ".venv").resolve()
    if (checkout / "Makefile").is_file() and Path(environment).resolve() == made:
        return f"make -C {shlex.quote(str(checkout))} engine{' BUILD=1' * build}"
    pip = f"{shlex.quote(sys.executable)} -m pip install"
    return f'{pip} "dragtor[llama]"' + ("" if build else '  (or "dragtor[prebuilt]")')
