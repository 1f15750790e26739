"""HTTP connections that do not wait for a request's headers without end.

Knows uvicorn's protocol on h11; nothing of what is asked.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 10.0  # from the connection, or the first byte of a request, to the end of its headers


class PatientProtocol(H11Protocol):
    """As uvicorn's, but whoever sends no whole headers within HEADERS_S is cut off."""

    headers_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first request is awaited from now on."""
        super().connection_made(transport)
        self._await_headers()

    def data_received(self, data: bytes) -> None:
        """A further request is awaited from its first byte on."""
        if not self._answering() and self.headers_timer is None:
            self._await_headers()
        super().data_received(data)
        if self._answering():
            self._end_waiting()

    def handle_websocket_upgrade(self, event: object) -> None:
        """Nothing is awaited of what is a websocket now."""
        self._end_waiting()
        super().handle_websocket_upgrade(event)  # type: ignore[arg-type]

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is awaited any more."""
        self._end_waiting()
        super().connection_lost(exc)

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _await_headers(self) -> None:
        self.headers_timer = self.loop.call_later(HEADERS_S, self.transport.close)

    def _end_waiting(self) -> None:
        if self.headers_timer is not None:
            self.headers_timer.cancel()
            self.headers_timer = None
