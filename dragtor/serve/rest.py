"""The library over HTTP: sources, documents, search, jobs, uploads, calendar files, sound, settings.

Shapes are schema.py's; documents are known by their ids, never by a path. Knows no model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

if TYPE_CHECKING:
    from dragtor.serve.state import Server


def routes(server: Server) -> list[BaseRoute]:
    """All under /api/v1."""
    return []
