"""Ctrl-C: the first asks what runs to stop; work that does not is ended, as by a second one.

Knows signals and a CancelToken; not what runs.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from dragtor.work import CancelToken

GRACE_S = 0.7  # in which work may end by itself


@contextmanager
def stopping(cancel: CancelToken) -> Iterator[None]:
    """While this runs, Ctrl-C asks `cancel` to stop.

    What goes on for GRACE_S more, and who presses it again, gets KeyboardInterrupt. Does nothing
    in a thread that gets no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over = False

    def late(*_: object) -> None:
        if not over:
            raise KeyboardInterrupt

    def asked(number: int, frame: FrameType | None) -> None:
        if over:
            return
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.setitimer(signal.ITIMER_REAL, GRACE_S)
        cancel.cancel()

    before = signal.signal(signal.SIGINT, asked), signal.signal(signal.SIGALRM, late)
    try:
        with _at_once(cancel):
            yield
    finally:
        over = True
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in zip((signal.SIGINT, signal.SIGALRM), before, strict=True):
            signal.signal(number, handler)


@contextmanager
def at_prompt() -> Iterator[None]:
    """While a line is awaited, Ctrl-C is KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _at_once(cancel: CancelToken) -> Iterator[None]:
    """Ask `cancel` from a thread too: Python calls a handler only between two of its own steps.

    What waits in a library's native code, such as a model that reads a prompt, hears of it so.
    """
    reads, writes = os.pipe()
    os.set_blocking(writes, False)

    def listen() -> None:
        with suppress(OSError):
            while number := os.read(reads, 1):
                if number[0] == signal.SIGINT:
                    cancel.cancel()
        os.close(reads)

    before = signal.set_wakeup_fd(writes, warn_on_full_buffer=False)
    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
        os.close(writes)
        listener.join()
