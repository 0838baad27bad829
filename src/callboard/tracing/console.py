"""The tracer that prints every run as it starts and ends."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from callboard.tracing.base import BaseTracer
from callboard.tracing.capture import capture
from callboard.tracing.run import Run

__all__ = [
    "MILLISECONDS_IN_SECOND",
    "ConsoleCallbackHandler",
    "FunctionCallbackHandler",
    "elapsed",
    "try_json_stringify",
]

MILLISECONDS_IN_SECOND = 1000
_GREEN, _BLUE, _RED = "32;1", "36;1", "31;1"


def try_json_stringify(obj: Any, fallback: str) -> str:
    """Return a value as indented JSON, or the fallback if it can't be.

    Args:
        obj: The value.
        fallback: What to return instead.
    """
    try:
        return json.dumps(obj, indent=2, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return fallback


def elapsed(run: Any) -> str:
    """Return how long a run took: ``"12ms"``, or ``"1.23s"`` from a second on.

    Args:
        run: Has a start time and an end time.
    """
    seconds = (run.end_time - run.start_time).total_seconds()
    return f"{seconds * MILLISECONDS_IN_SECOND:.0f}ms" if seconds < 1 else f"{seconds:.2f}s"


class FunctionCallbackHandler(BaseTracer):
    """Calls a function with a text for every run that starts or ends."""

    name: str = "function_callback_handler"

    def __init__(self, function: Callable[[str], None], **kwargs: Any) -> None:
        """Make a handler.

        Args:
            function: What to call with each text.
            **kwargs: See `TracerCore`.
        """
        super().__init__(**kwargs)
        self.function_callback = function

    def _persist_run(self, run: Run) -> None:
        pass  # All there is to tell has been told by then.

    def get_parents(self, run: Run) -> list[Run]:
        """Return the runs that a run is inside of, the nearest first.

        Args:
            run: The run.
        """
        parents: list[Run] = []
        parent_id = run.parent_run_id
        while parent_id is not None and (parent := self.run_map.get(str(parent_id))):
            parents.append(parent)
            parent_id = parent.parent_run_id
        return parents

    def get_breadcrumbs(self, run: Run) -> str:
        """Return the way to a run: ``"chain:agent > tool:search"``.

        Args:
            run: The run.
        """
        path = [*reversed(self.get_parents(run)), run]
        return " > ".join(f"{each.run_type}:{each.name}" for each in path)

    def _say(self, what: str, color: str, run: Run, event: str, told: str) -> None:
        mark = f"\x1b[{color}m\x1b[1;3m[{what}]\x1b[0m"
        place = f"[{self.get_breadcrumbs(run)}] {event}\n"
        self.function_callback(f"{mark} \x1b[1m{place}\x1b[0m{told}")

    def _say_started(self, what: str, kind: str, run: Run) -> None:
        inputs = try_json_stringify(capture(run.inputs), "[inputs]")
        self._say(f"{what}/start", _GREEN, run, f"Entering {kind} run with input:", inputs)

    def _say_ended(self, what: str, kind: str, run: Run) -> None:
        outputs = try_json_stringify(capture(run.outputs), "[outputs]")
        event = f"[{elapsed(run)}] Exiting {kind} run with output:"
        self._say(f"{what}/end", _BLUE, run, event, outputs)

    def _say_failed(self, what: str, kind: str, run: Run) -> None:
        event = f"[{elapsed(run)}] {kind} run errored with error:"
        self._say(f"{what}/error", _RED, run, event, str(run.error))

    def _on_chain_start(self, run: Run) -> None:
        self._say_started("chain", run.run_type.capitalize(), run)

    def _on_chain_end(self, run: Run) -> None:
        self._say_ended("chain", run.run_type.capitalize(), run)

    def _on_chain_error(self, run: Run) -> None:
        self._say_failed("chain", run.run_type.capitalize(), run)

    def _on_llm_start(self, run: Run) -> None:
        self._say_started("llm", "LLM", run)

    def _on_llm_end(self, run: Run) -> None:
        self._say_ended("llm", "LLM", run)

    def _on_llm_error(self, run: Run) -> None:
        self._say_failed("llm", "LLM", run)

    def _on_tool_start(self, run: Run) -> None:
        self._say_started("tool", "Tool", run)

    def _on_tool_end(self, run: Run) -> None:
        self._say_ended("tool", "Tool", run)

    def _on_tool_error(self, run: Run) -> None:
        self._say_failed("tool", "Tool", run)

    def _on_retriever_start(self, run: Run) -> None:
        self._say_started("retriever", "Retriever", run)

    def _on_retriever_end(self, run: Run) -> None:
        self._say_ended("retriever", "Retriever", run)

    def _on_retriever_error(self, run: Run) -> None:
        self._say_failed("retriever", "Retriever", run)


class ConsoleCallbackHandler(FunctionCallbackHandler):
    """Prints every run as it starts and ends."""

    name: str = "console_callback_handler"

    def __init__(self, **kwargs: Any) -> None:
        """Make a handler.

        Args:
            **kwargs: See `TracerCore`.
        """
        super().__init__(function=print, **kwargs)
