"""What `Runnable.astream_log` does: a call, as patches to its log or as the log's states."""

from __future__ import annotations

import copy
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import aclosing
from functools import cache
from importlib import import_module
from typing import Any

from callboard.langchain.streams import config_with
from callboard.tracing.log_stream import LogStreamCallbackHandler
from callboard.tracing.run_log import RunLog, RunLogPatch
from callboard.tracing.streamed_calls import heard_of

__all__ = ["astream_log"]


async def astream_log(
    runnable: Any,
    value: Any,
    config: Mapping[str, Any] | None = None,
    *,
    stream: LogStreamCallbackHandler,
    diff: bool = True,
    with_streamed_output_list: bool = True,
    **kwargs: Any,
) -> AsyncGenerator[RunLogPatch]:
    """Call a runnable, and tell what happens as it happens.

    Args:
        runnable: What to call.
        value: Its input.
        config: Its config.
        stream: Hears the call.
        diff: Whether to yield patches; the log so far, otherwise.
        with_streamed_output_list: Whether the pieces of output are listed, beside their sum.
        **kwargs: For the runnable.

    Yields:
        Patches, or logs. What the runnable raises is raised after the last.

    Raises:
        BadCallbacksError: The config's callbacks are neither a list nor a manager.
    """
    config = config_with(config, stream)

    async def call() -> None:
        output = _Output(with_streamed_output_list)
        async for chunk in runnable.astream(value, config, **kwargs):
            stream.send(*output.grown_by(chunk))

    log = RunLog(state=None)
    async with aclosing(heard_of(stream, call)) as patches:
        async for patch in patches:
            if diff:
                yield patch
            else:
                log += patch
                yield log


class _Output:
    """The output of a call, as far as it has come."""

    def __init__(self, listed: bool) -> None:
        self._listed = listed
        self._sum: Any = None

    def grown_by(self, chunk: Any) -> Iterator[dict[str, Any]]:
        """Return the operations by which the output becomes one piece longer."""
        before, self._sum = self._sum, chunk
        if before is not None:
            try:
                self._sum = before + chunk
            except TypeError:  # It can't be added up: the last piece stands for all.
                before = None
        if self._listed:
            # A copy: whoever applies the patch may change it in one place, and not in the other.
            yield {"op": "add", "path": "/streamed_output/-", "value": copy.deepcopy(chunk)}
        for operation in _changes(before, self._sum):
            yield {**operation, "path": f"/final_output{operation['path']}"}


def _changes(before: Any, after: Any) -> list[dict[str, Any]]:
    """Return the operations that make one value of another; what is alike in JSON is the same."""
    if isinstance(before, str) and isinstance(after, str):
        return [] if before == after else [{"op": "replace", "path": "", "value": after}]
    from_diff, dumps = _differ()
    return list(from_diff(before, after, dumps=dumps))


@cache
def _differ() -> tuple[Any, Any]:
    """Return what compares values of LangChain's: the package that it needs for that itself."""
    jsonpatch, load = import_module("jsonpatch"), import_module("langchain_core.load")
    return jsonpatch.JsonPatch.from_diff, load.dumps
