"""The server of one library: jobs over websockets, REST, OpenAI, MCP and the page.

`uvicorn dragtor.serve:app` starts it without the command line. Importing this costs nothing.
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name != "app":
        raise AttributeError(f"module 'dragtor.serve' has no attribute {name!r}")
    from dragtor.serve.app import default_app

    globals()["app"] = made = default_app()
    return made
