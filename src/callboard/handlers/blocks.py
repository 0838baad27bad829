"""Blocks: handlers that hear of what begins inside a ``with`` block, and of nothing after it."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.callbacks.hooks import register_configure_hook

__all__ = ["HandlerBlocks"]

# LangChain's own, which is not there under this name where Callboard is in its place.
_THEIR_HOOKS = "langchain_core.tracers.context"

H = TypeVar("H", bound=BaseCallbackHandler)


@dataclass(slots=True)
class _Block:
    """A block, and whether it is still under way."""

    handler: BaseCallbackHandler
    open: bool = True


class _Blocks(tuple[Any, ...]):
    """The blocks around a call, outermost first, as a tuple of handlers for the hook.

    Going through it gives the handlers of those blocks alone that are open by then. A context
    may keep a block that has ended: a generator that is abandoned, or closed by another task,
    can't take its block out of the context that it began in.
    """

    __slots__ = ()

    def __iter__(self) -> Iterator[BaseCallbackHandler]:
        return (block.handler for block in self.still_open())

    def still_open(self) -> list[_Block]:
        """Return the blocks that have not ended."""
        return [block for block in super().__iter__() if block.open]


class _Level:
    """One of the blocks around a call, counted from without: what LangChain takes for a variable.

    It takes one handler of a hook. So there is a hook for as many blocks as were ever nested.
    """

    def __init__(self, around: ContextVar[_Blocks | None], depth: int) -> None:
        self._around = around
        self._depth = depth

    def get(self) -> BaseCallbackHandler | None:
        """Return the block's handler, if there is such a block."""
        handlers = list(self._around.get() or ())
        return handlers[self._depth] if self._depth < len(handlers) else None


class HandlerBlocks(Generic[H]):
    """The blocks of handlers of one kind, which may be nested.

    LangChain's managers are heard, too, if it has been imported when a block begins.

    Make one for good, when a module is imported: its hook stays registered. A hook for each
    block would, too.
    """

    def __init__(self, name: str) -> None:
        """Register a hook for them.

        Args:
            name: What to call the context variable.
        """
        # None, where there is no block, costs `configure` a look-up.
        self._around: ContextVar[_Blocks | None] = ContextVar(name, default=None)
        self._levels = 0
        register_configure_hook(self._around, inheritable=True)

    @contextmanager
    def around(self, handler: H) -> Generator[H]:
        """Have a handler hear of what begins in a block, and of nothing that begins after it.

        Args:
            handler: The handler.

        Yields:
            The same.
        """
        block = _Block(handler)
        outer = self._around.get() or _Blocks()
        blocks = _Blocks((*outer.still_open(), block))
        self._hook_into_langchain(len(blocks))
        self._around.set(blocks)
        try:
            yield handler
        finally:
            block.open = False
            # What else is held, another block has put there, which may be open.
            if self._around.get() is blocks:
                self._around.set(_Blocks(blocks.still_open()) or None)

    def _hook_into_langchain(self, depth: int) -> None:
        theirs: Any = sys.modules.get(_THEIR_HOOKS)
        if theirs is None or theirs.__name__ != _THEIR_HOOKS:
            return
        while self._levels < depth:
            theirs.register_configure_hook(_Level(self._around, self._levels), inheritable=True)
            self._levels += 1
