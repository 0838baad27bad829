"""Traced functions keep their types; what they are told is checked."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from typing import assert_type

from callboard import trace, traceable
from callboard.instrument import (
    ContextThreadPoolExecutor,
    RunTree,
    get_current_run_tree,
    tracing_context,
)


@traceable
def plain(x: int, *, y: str = "") -> float:
    """Do it."""
    return float(x)


@traceable("llm", name="model", tags=["a"], reduce_fn="".join)
def stream(prompt: str) -> Generator[str, int, bool]:
    """Do it in steps."""
    yield prompt
    return True


@traceable(run_type="tool", metadata={"a": 1})
async def tool(query: str) -> list[str]:
    """Do it elsewhere."""
    return [query]


@traceable()
async def pieces(n: int) -> AsyncGenerator[int, None]:
    """Do it piece by piece."""
    yield n


class Desk:
    """Has methods."""

    @traceable
    def method(self, x: int) -> str:
        """Do it here."""
        return str(x)

    @traceable("tool")
    async def async_method(self, x: int) -> str:
        """Do it here, later."""
        return str(x)


def called() -> None:
    """Call them."""
    assert_type(plain(1, y="a"), float)
    assert_type(stream("x"), Generator[str, int, bool])
    assert_type(pieces(1), AsyncGenerator[int, None])
    assert_type(Desk().method(1), str)
    assert_type(plain(1, langsmith_extra={"tags": ["a"], "name": "b"}), float)
    plain("x")  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    plain(1, z=2)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    plain(1, langsmith_extra={"tag": "a"})  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]
    traceable(tags="a")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue, reportArgumentType]


async def surrounded() -> None:
    """Await them, and use blocks."""
    assert_type(await tool("x"), list[str])
    assert_type(await Desk().async_method(1), str)
    with trace("block", "tool", inputs={"a": 1}) as run:
        assert_type(run, RunTree)
        run.end(outputs={"b": 2})
        assert_type(run.to_headers(), dict[str, str])
    async with trace("block") as run:
        run.add_tags("x")
    with tracing_context(parent=run, enabled=True), ContextThreadPoolExecutor() as pool:
        assert_type(pool.submit(plain, 1).result(), float)
    assert_type(get_current_run_tree(), RunTree | None)
    run.end("x")  # type: ignore[call-arg, arg-type]  # pyright: ignore[reportCallIssue]
    with tracing_context("x"):  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        pass
