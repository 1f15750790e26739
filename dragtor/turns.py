"""Turns: what only one may use at a time is had by whoever asked first.

Knows neither what is taken in turns nor who takes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from dragtor.work import LOOK_S, NEVER, CancelToken


class Turns:
    """A queue before one thing, which looks at `token`: whoever has the turn may stop it.

    Waiting ends with Cancelled within LOOK_S of being asked.
    """

    def __init__(self) -> None:
        self.token = CancelToken()
        self._changed = threading.Condition()
        self._queue: list[object] = []  # who has it, then those who wait

    @property
    def free(self) -> bool:
        """Whether nobody has it or waits for it."""
        return not self._queue

    @contextmanager
    def taken(
        self, cancel: CancelToken = NEVER, queued: Callable[[int], object] = lambda ahead: None
    ) -> Iterator[None]:
        """Wait for the turn, and have it while the block runs.

        `queued` hears how many are ahead whenever that changes, and 0 in the end, if it had to
        wait.
        """
        me = object()
        with self._changed:
            self._queue.append(me)
        try:
            told = 0
            while ahead := self._ahead(me, told):
                if ahead != told:
                    told = ahead
                    queued(ahead)
                cancel.check()
            if told:
                queued(0)
            with self.token.following(cancel):
                yield
        finally:
            self._leave(me)

    def _ahead(self, me: object, told: int) -> int:
        """How many are before me; waits a moment for that to differ from `told`."""
        with self._changed:
            if told:
                self._changed.wait_for(lambda: self._queue.index(me) != told, LOOK_S)
            return self._queue.index(me)

    def _leave(self, one: object) -> None:
        with self._changed:
            self._queue.remove(one)
            self._changed.notify_all()
