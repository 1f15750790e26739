"""Who hears of long work (Reporter) and who may stop it (CancelToken).

Apart from types.py, so that `dragtor --help` need not make its dataclasses. Knows no work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from dragtor.errors import Cancelled

T = TypeVar("T")
LOOK_S = 0.05  # between two looks at a CancelToken


class Reporter:
    """Hears what long work does. This one keeps silent; who draws, records or sends derives one.

    Any thread may call it. The command line draws bars, a server sends messages, a test collects.
    """

    def note(self, text: str) -> None:
        """One line worth reading, such as what was left out and why."""

    def progress(self, label: str, done: float, total: float) -> None:
        """`done` of `total`, in any unit; done when they are equal, open-ended where total is 0."""

    def step(self, name: str) -> None:
        """The work goes on to its next step."""

    def queued(self, ahead: int) -> None:
        """The work waits for what others use, `ahead` of them before it; with 0 it goes on."""

    def item(self, kind: str, value: Any) -> None:
        """A finished piece of the result, as soon as it is there."""


class CancelToken:
    """A request to stop, made once, from any thread or from a signal's handler.

    No lock is held anywhere, so that a handler may come between any two steps.
    """

    __slots__ = ("_asked", "_stops")

    def __init__(self) -> None:
        self._asked = False
        self._stops: dict[object, Callable[[], None]] = {}

    @property
    def cancelled(self) -> bool:
        """Whether it was asked for."""
        return self._asked

    def cancel(self) -> None:
        """Ask for it; asking twice is harmless."""
        self._asked = True
        for stop in list(self._stops.values()):
            stop()

    def renew(self) -> None:
        """Take the request back, once the work that it ended is over and more is to come."""
        self._asked = False

    @contextmanager
    def following(self, other: CancelToken) -> Iterator[None]:
        """While the block runs, who asks `other` to stop asks this one; not beyond it."""
        try:
            with other.calling(self.cancel):
                yield
        finally:
            if other.cancelled:
                self.renew()

    def check(self) -> None:
        """Raise Cancelled if it was asked for; long work calls this between two steps."""
        if self._asked:
            raise Cancelled

    def checked(self, items: Iterable[T]) -> Iterator[T]:
        """The items, with a check before each is handed on."""
        for item in items:
            self.check()
            yield item

    def wait(self, seconds: float) -> None:
        """Sleep for `seconds`; raises Cancelled within LOOK_S of being asked."""
        end = time.monotonic() + seconds
        self.check()
        while (left_s := end - time.monotonic()) > 0:
            time.sleep(min(left_s, LOOK_S))
            self.check()

    @contextmanager
    def calling(self, stop: Callable[[], None]) -> Iterator[None]:
        """While the block runs, asking calls `stop`, which ends what waits and cannot look itself.

        It is called in the thread that asks, more than once at worst, and must not raise.
        """
        key = object()
        self._stops[key] = stop
        try:
            if self._asked:
                stop()
            yield
        finally:
            del self._stops[key]


SILENT = Reporter()
NEVER = CancelToken()  # of work that nobody can stop: never cancel this one
