"""Optional dependencies: import one, or say the exact command that installs it.

Knows no room; heavy modules are imported when a backend is built, never before.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from dragtor.errors import Missing


def require(module: str, *, extra: str) -> ModuleType:
    """Import `module`; raises Missing with the install command of `extra`."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        absent = error.name == module.partition(".")[0]
        reason = "is not installed" if absent else f"cannot be imported: {error}"
        raise Missing(f"{module} {reason}", f'pip install "dragtor[{extra}]"') from error
