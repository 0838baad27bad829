"""Signal handlers, for programs that ask for them.

A program that is ended by SIGTERM has no exit in Python's sense: nothing is flushed, and what is
in memory is lost. These handlers flush first, and then do what would have been done without them.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable
from types import FrameType

from callboard.errors import BadOptionError
from callboard.export.lifecycle import flush_all, shutdown_all

__all__ = ["install_signal_handlers"]


def install_signal_handlers(
    signals: Iterable[signal.Signals] = (signal.SIGTERM, signal.SIGINT), timeout: float = 5.0
) -> Callable[[], None]:
    """Flush every exporter when a signal asks the program to end.

    After that comes what would have come without: the handler that was there before is called,
    or the default happens (SIGTERM ends the process, SIGINT raises KeyboardInterrupt). A signal
    that the program ignores stays ignored.

    A host's own handler may keep the program running; the exporters are then only flushed,
    not shut down, and go on.

    Args:
        signals: Which ones.
        timeout: How many seconds the end may be delayed.

    Returns:
        A function that puts back what was there before.

    Raises:
        BadOptionError: This is not the main thread, where alone Python sets signal handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        raise BadOptionError(
            "install_signal_handlers was called in the thread "
            f"{threading.current_thread().name!r}; Python takes it in the main thread only."
        )
    installed = [each for each in map(_Chained, signals) if each.install(timeout)]

    def restore() -> None:
        for each in installed:
            each.restore()

    return restore


class _Chained:
    """A handler of ours for one signal, in front of what was there before."""

    def __init__(self, number: signal.Signals) -> None:
        self._number = number
        # A handler that was not set from Python is None: it could not be called.
        self._before = signal.getsignal(number)
        self._timeout = 0.0

    def install(self, timeout: float) -> bool:
        if self._before is None or self._before == signal.SIG_IGN:
            return False
        self._timeout = timeout
        signal.signal(self._number, self)
        return True

    def restore(self) -> None:
        # Somebody may have put a handler in front of ours since, and will call ours from it.
        now: object = signal.getsignal(self._number)
        if now is self:
            signal.signal(self._number, self._before)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        before = self._before
        if callable(before):
            flush_all(self._timeout)
            before(number, frame)
        else:
            shutdown_all(self._timeout)
            signal.signal(self._number, signal.SIG_DFL)
            signal.raise_signal(self._number)
