"""The terminal, as where a person decides whether a tool runs.

One question at a time, whoever asks. It is asked without blocking an event loop, and may be taken
back: whoever stops waiting stops reading, so that the next line typed is not lost.
"""

from __future__ import annotations

import asyncio
import json
import select
import sys

from callboard.integrations.decisions import Approve, Decision, Edit, Reject, ToolRequest
from callboard.integrations.printable import printable
from callboard.integrations.turns import Turn, in_daemon
from callboard.tracing.capture import capture

__all__ = ["TERMINAL", "ask_in_terminal", "prompt"]

TERMINAL = Turn()
"""Whose turn it is to ask at the terminal."""

_PAUSE = 0.05
_NOBODY = Reject("there is nobody at the terminal")
_YES = frozenset({"a", "approve", "y", "yes"})
_EDIT = frozenset({"e", "edit"})
_NO = frozenset({"n", "no", "r", "reject"})


async def ask_in_terminal(request: ToolRequest) -> Decision:
    """Ask at the terminal whether a tool may run: approve, edit its input, or reject.

    Questions are written to standard error and answers read from standard input. Where that has
    ended, the tool is rejected.

    Args:
        request: What is about to run.
    """
    async with TERMINAL:
        return await prompt(request)


async def prompt(request: ToolRequest) -> Decision:
    """Ask at the terminal, which is the caller's."""
    _write(_described(request))
    while True:
        _write("[a]pprove, [e]dit or [r]eject? " if request.can_edit else "[a]pprove or [r]eject? ")
        line = await _line()
        if line is None:
            return _NOBODY
        word, _, rest = line.strip().partition(" ")
        if word.lower() in _YES:
            return Approve()
        if word.lower() in _NO:
            return Reject(rest.strip())
        if word.lower() in _EDIT and request.can_edit and (edit := await _edited()):
            return edit


async def _edited() -> Edit | None:
    """Read other inputs; None if they can't be read, and the question is asked again."""
    _write("All its inputs, as a JSON object: ")
    try:
        inputs = json.loads(await _line() or "")
    except ValueError as error:
        _write(f"That is no JSON: {error}.\n")
        return None
    if isinstance(inputs, dict):
        return Edit(inputs)
    _write("That is no JSON object.\n")
    return None


def _described(request: ToolRequest) -> str:
    lines = [f"The tool {request.tool} is about to run:"]
    for name, value in request.inputs.items():
        lines.append(f"  {name}: {json.dumps(capture(value), ensure_ascii=False)}")
    return "".join(f"{printable(line)}\n" for line in lines)


def _write(text: str) -> None:
    encoding = getattr(sys.stderr, "encoding", None) or "utf-8"
    sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding))
    sys.stderr.flush()


async def _line() -> str | None:
    """Return the next line; None if there is none."""
    try:
        if not _can_be_waited_for():
            return await in_daemon(input)  # Which knows notebooks too.
        while not select.select([sys.stdin], [], [], 0)[0]:  # noqa: ASYNC110 - nobody could set it
            await asyncio.sleep(_PAUSE)
        return sys.stdin.readline() or None
    except (EOFError, OSError, RuntimeError):  # The last is what notebooks without input raise.
        return None


def _can_be_waited_for() -> bool:
    """Whether the system can tell if a line has been typed: at a terminal, but on Windows."""
    try:
        return sys.stdin.isatty() and bool(select.select([sys.stdin], [], [], 0))
    except (AttributeError, OSError, ValueError):
        return False
