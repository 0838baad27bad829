"""Run logs: the state of a call, and the patches that it grows by.

A patch is a list of JSON Patch operations (RFC 6902). Patches add up to a log; a log knows all
operations so far and the state that they make. Logs are values: adding to one makes another.

Adding costs the same however long the log is. The state is made when it is asked for, from the
last one that was, and shares with that what has not changed: so a state is for reading, and to
be copied before it is changed.
"""

from __future__ import annotations

from pprint import pformat
from typing import Any, NotRequired, TypeAlias, TypedDict

from callboard.tracing.json_patch import Document, check

__all__ = ["LogEntry", "RunLog", "RunLogPatch", "RunState"]


class LogEntry(TypedDict):
    """One run inside the call, in the log.

    Attributes:
        id: The run's id.
        name: What runs.
        type: Its type, such as prompt, chain or llm.
        tags: Its tags.
        metadata: Its metadata.
        start_time: When it started, in ISO 8601.
        streamed_output_str: The tokens that it streamed, if it is a model.
        streamed_output: The pieces of output that it streamed.
        inputs: What it was given; in the format of event streams alone.
        final_output: What it returned; None while it runs, and if it failed.
        end_time: When it ended, in ISO 8601; None while it runs.
    """

    id: str
    name: str
    type: str
    tags: list[str]
    metadata: dict[str, Any]
    start_time: str
    streamed_output_str: list[str]
    streamed_output: list[Any]
    inputs: NotRequired[Any | None]
    final_output: Any | None
    end_time: str | None


class RunState(TypedDict):
    """The state of a call.

    Attributes:
        id: The id of its outermost run.
        streamed_output: The pieces of output that it streamed.
        final_output: Their sum, as far as it has come, if they can be added up.
        name: What runs.
        type: The type of the outermost run.
        logs: The runs inside it, by name: the second of a name has ``:2`` after it, and so on.
    """

    id: str
    streamed_output: list[Any]
    final_output: Any | None
    name: str
    type: str
    logs: dict[str, LogEntry]


_Step: TypeAlias = tuple[Any, list[dict[str, Any]]]
"""How a log came to be: the step before, if any, and the operations that were added to it."""


class RunLogPatch:
    """Operations that a log grows by.

    Attributes:
        ops: JSON Patch operations, in order. The first ones of a call make the state out of
            nothing.
    """

    def __init__(self, *ops: dict[str, Any]) -> None:
        """Make a patch.

        Args:
            *ops: The operations.
        """
        self._ops = list(ops)

    @property
    def ops(self) -> list[dict[str, Any]]:
        """The operations, in order."""
        return self._ops

    def __add__(self, other: object) -> RunLog:
        """Return the log that two patches make, out of nothing.

        Raises:
            TypeError: The other is no patch.
            BadPatchError: It has something that is no operation.
        """
        if type(other) is not RunLogPatch:
            return NotImplemented
        return RunLog(state=None) + RunLogPatch(*self.ops, *other.ops)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunLogPatch) and self.ops == other.ops

    __hash__ = None  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return f"RunLogPatch({pformat(self.ops)[1:-1]})"


class RunLog(RunLogPatch):
    """All operations so far, and the state that they make."""

    def __init__(self, *ops: dict[str, Any], state: RunState | None) -> None:
        """Make a log.

        Args:
            *ops: The operations so far.
            state: The state that they make; None if there are none.
        """
        super().__init__(*ops)
        self._last: _Step = (None, self._ops)
        self._state: Any = state
        self._known: _Step = self._last  # The step that the state is of.

    @property
    def ops(self) -> list[dict[str, Any]]:
        """The operations so far, in order."""
        return [each for ops in _since(None, self._last) for each in ops]

    @property
    def state(self) -> RunState:
        """The state that the operations make; for reading, as logs share what is the same.

        Raises:
            BadPatchError: An operation does not fit.
        """
        if self._known is not self._last:
            document = Document(self._state)
            for ops in _since(self._known, self._last):
                document.apply(ops)
            self._state, self._known = document.value, self._last
        state: RunState = self._state
        return state

    def __add__(self, other: object) -> RunLog:
        """Return the log that this one becomes by a patch.

        Raises:
            TypeError: The other is no patch, or is a log itself.
            BadPatchError: It has something that is no operation.
        """
        if type(other) is not RunLogPatch:
            return NotImplemented
        for operation in other.ops:
            check(operation)
        log = RunLog(state=self._state)
        log._last, log._known = (self._last, other.ops), self._known
        return log

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunLog) and self.state == other.state and self.ops == other.ops

    __hash__ = None

    def __repr__(self) -> str:
        return f"RunLog({pformat(self.state)})"


def _since(known: _Step | None, last: _Step) -> list[list[dict[str, Any]]]:
    """Return the operations of each step after a known one, in order."""
    steps: list[list[dict[str, Any]]] = []
    step: _Step | None = last
    while step is not None and step is not known:
        steps.append(step[1])
        step = step[0]
    return steps[::-1]
