"""The process around `soundflow listen`: a standard output of its own, and Ctrl-C at the right moment."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from types import FrameType
from typing import Any, TextIO

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def own_stdout() -> Iterator[TextIO]:
    """A text file on standard output; what libraries print meanwhile goes to standard error.

    Where `sys.stdout` is not file descriptor 1 (a test, an embedding program) it is used as it is.
    """
    try:
        direct = sys.stdout.fileno() == 1
    except (AttributeError, OSError, ValueError):
        direct = False
    if not direct:
        out = sys.stdout
        with redirect_stdout(sys.stderr):
            yield out
        return
    sys.stdout.flush()
    private = os.dup(1)
    try:
        os.dup2(2, 1)
    except OSError:  # standard error is closed
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), 1)
    out = os.fdopen(private, "w", encoding="utf-8", errors="backslashreplace")
    try:
        yield out
    finally:
        sys.stdout.flush()
        os.dup2(private, 1)
        with suppress(BrokenPipeError):
            out.close()


class Interrupt:
    """Ctrl-C and SIGTERM while audio is awaited end the wait; at any other time they are noted and looked at later.

    The second one raises KeyboardInterrupt wherever it comes. Outside the main thread nothing is changed.
    """

    def __init__(self) -> None:
        self.asked = 0
        self._waiting = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Inside, the first signal raises KeyboardInterrupt at once."""
        yield from self._set(True)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Inside, and within `waiting`, the first signal is only noted."""
        yield from self._set(False)

    def _set(self, waiting: bool) -> Iterator[None]:
        before, self._waiting = self._waiting, waiting
        try:
            yield
        finally:
            self._waiting = before

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1
        if self._waiting or self.asked > 1:
            raise KeyboardInterrupt
