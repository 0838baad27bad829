"""That both libraries, and the ceiling, call the same handler methods equally often.

A comparison of times means something only then; so it is looked at, before any time is taken.
"""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from inspect import iscoroutinefunction
from itertools import repeat
from types import CodeType, FrameType, FunctionType
from typing import Any

from benchmarks.case import Case, Loop
from benchmarks.handlers import Hears, HearsAsync, HearsPrompts
from benchmarks.libraries import OURS, RIVAL
from callboard.callbacks.loops import _pool

__all__ = ["check_sameness"]


def check_sameness(case: Case) -> None:
    """Do a case's work a few times on every side, and compare the calls.

    Raises:
        RuntimeError: They differ.
    """
    loops = [case.work(RIVAL), case.work(OURS)]
    if case.ceiling:
        loops.append(case.ceiling)
    heard = [_calls(loop) for loop in loops]
    if any(calls != heard[0] for calls in heard):
        raise RuntimeError(f"{case.name}: the sides differ in the calls they make: {heard}")


def _bodies(*classes: type) -> Iterator[CodeType]:
    for each in classes:
        for method in vars(each).values():
            if isinstance(method, FunctionType):
                yield method.__code__


_HEARD = frozenset(_bodies(Hears, HearsAsync, HearsPrompts))


def _calls(loop: Loop) -> Counter[str]:
    """Count a loop's calls of handlers, in whatever thread they are."""
    calls: Counter[str] = Counter()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code in _HEARD:
            calls[frame.f_code.co_qualname] += 1

    with _profile(note):
        _run(loop, repeat(None, 3))
    return calls


@contextmanager
def _profile(note: Any) -> Generator[None]:
    # Only threads that start after this are seen. The pool of an event loop is made with it,
    # later; Callboard's own outlives the loop, and is dropped.
    _pool.cache_clear()
    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def _run(loop: Loop, times: Iterable[None]) -> None:
    if iscoroutinefunction(loop):
        asyncio.run(loop(times))
    else:
        loop(times)
