"""Threads whose work is part of the run that gives it to them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import ParamSpec, TypeVar

__all__ = ["ContextThreadPoolExecutor"]

P = ParamSpec("P")
T = TypeVar("T")


class ContextThreadPoolExecutor(ThreadPoolExecutor):
    """A pool of threads in which each job runs in a copy of the context that it comes from.

    So runs that start in a job are part of the run that surrounds `submit` or ``map``. Threads
    of other pools know nothing of it: give them ``contextvars.copy_context().run``.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a job done.

        Args:
            fn: The job.
            *args: Its arguments.
            **kwargs: Its keywords.

        Returns:
            Its future.
        """
        job = partial(fn, *args, **kwargs)
        return super().submit(copy_context().run, job)
