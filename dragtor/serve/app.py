"""The application: the routes of all modules, put together behind the guard.

Owns how an error becomes an answer. Knows the modules by name, and none of their routes.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from importlib.util import find_spec

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from dragtor.config import library_path, load_config
from dragtor.errors import (
    BlockedURL,
    DragtorError,
    LibraryLocked,
    LibraryVersion,
    LoadError,
    Missing,
    UsageError,
)
from dragtor.schema import error_json, refusal_json
from dragtor.serve.guard import Guarded, ServerGuard
from dragtor.serve.keys import Keys
from dragtor.serve.state import KEYS_FILE, Server, make_server

# Each has `routes(server)`; one that must run besides has `lifespan(server)`, a context manager.
MODULES = ("people", "rest", "lab", "pdf", "socket", "seed_socket", "openai", "mcp", "page")
_STATUS = {  # of HTTP, for errors; the first class that fits
    BlockedURL: 403,
    UsageError: 400,
    LoadError: 422,
    Missing: 503,
    LibraryLocked: 423,
    LibraryVersion: 409,
}
RETRY_AFTER_S = 5  # seconds, told to who finds the library locked
_REASONS = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "wrong_method",
    408: "too_slow",
    413: "too_large",
    416: "wrong_range",
}


def create_app(server: Server) -> Starlette:
    """The application over a server that is open; it is closed when the application ends."""
    names = [f"dragtor.serve.{name}" for name in MODULES]
    modules = [import_module(name) for name in names if find_spec(name)]
    routes: list[BaseRoute] = [each for module in modules for each in module.routes(server)]

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for module in modules:
                if hasattr(module, "lifespan"):
                    await stack.enter_async_context(module.lifespan(server))
            yield
        await run_in_threadpool(server.close)

    return Starlette(
        routes=routes,
        middleware=[Middleware(Guarded, guard=server.guard)],
        exception_handlers={HTTPException: _http_error, DragtorError: _error},
        lifespan=lifespan,
    )


def default_app() -> Starlette:
    """The application of the default library; says on stderr with which token to open it."""
    config = load_config()
    path = library_path(config.library)
    keys = Keys(path / KEYS_FILE)
    sys.stderr.write(f"open the server's address with #token={keys.owner} behind it\n")
    return create_app(make_server(config, path, ServerGuard(keys)))


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _REASONS.get(error.status_code, "error")
    told = refusal_json(code, error.detail)
    return JSONResponse(told, error.status_code, headers=error.headers)


async def _error(request: Request, error: Exception) -> Response:
    assert isinstance(error, DragtorError)
    status = next((_STATUS[kind] for kind in _STATUS if isinstance(error, kind)), 500)
    later = {"Retry-After": str(RETRY_AFTER_S)} if isinstance(error, LibraryLocked) else None
    return JSONResponse(error_json(error), status, later)
