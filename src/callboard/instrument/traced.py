"""What tracing knows of a decorated function: how its calls become runs, and what is recorded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from callboard.callbacks.surroundings import surroundings
from callboard.instrument.call import Call, prepared_call
from callboard.instrument.parameters import Parameters
from callboard.instrument.settings import Settings

__all__ = ["Traced"]

logger = logging.getLogger(__name__)

Process = Callable[[Any], Any]


class Traced:
    """What tracing knows of a decorated function."""

    def __init__(
        self,
        function: Callable[..., Any],
        settings: Settings,
        *,
        process_inputs: Process | None = None,
        process_outputs: Process | None = None,
        process_chunk: Process | None = None,
        reduce_fn: Process | None = None,
    ) -> None:
        """Read a function.

        Args:
            function: The function.
            settings: How its runs are named, told and placed.
            process_inputs: Makes of the arguments by name what is recorded of them.
            process_outputs: Makes of what is returned what is recorded of it.
            process_chunk: Makes of each value yielded what is recorded of it.
            reduce_fn: Makes of all the values yielded what is recorded as returned.
        """
        self.settings = settings
        self._parameters = Parameters(function)
        self._process_inputs = process_inputs
        self._process_outputs = process_outputs
        self._process_chunk = process_chunk
        self._reduce = reduce_fn
        self._takes_config = (
            self._parameters.takes_any_keyword or "config" in self._parameters.names
        )
        self._takes_tree = "run_tree" in self._parameters.names
        self._is_off = settings.enabled is False
        self._asks_first = not settings.is_heard_by_itself

    def call(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        extra: Mapping[str, Any] | None,
    ) -> Call | None:
        """Return a call of the function, to be started; None if nobody would hear of it.

        Args:
            args: Its arguments by position.
            kwargs: Those by keyword. A config that the function doesn't take is taken out, and
                a place for the run put in where it has a parameter for that.
            extra: What it is told of its run.
        """
        if self._takes_tree and not self._parameters.is_given("run_tree", args, kwargs):
            kwargs["run_tree"] = None
        config = None
        if "config" in kwargs:
            config = kwargs["config"] if self._takes_config else kwargs.pop("config")
        if self._is_off:
            return None
        if extra or (config and isinstance(config, Mapping) and config.get("callbacks")):
            inputs = partial(self._inputs, args, kwargs)
            return prepared_call(self.settings, inputs, extra or {}, config)
        if self._asks_first and not surroundings().may_listen():
            return None
        return prepared_call(self.settings, partial(self._inputs, args, kwargs))

    def hand_over(self, call: Call | None, kwargs: dict[str, Any]) -> None:
        """Give the run to a function that has a parameter for it.

        Args:
            call: The call, if it is heard.
            kwargs: The function's arguments by keyword.
        """
        if self._takes_tree and call is not None and kwargs.get("run_tree", call) is None:
            kwargs["run_tree"] = call.run_tree

    def _inputs(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        inputs = self._parameters.inputs(args, kwargs)
        if self._takes_tree:
            inputs.pop("run_tree", None)
        if self._process_inputs is None:
            return inputs
        processed = self._processed(self._process_inputs, inputs, "inputs")
        return processed if isinstance(processed, dict) else {"input": processed}

    def outputs(self, value: Any) -> Any:
        """Return what is recorded of what the function returned.

        Args:
            value: What it returned.
        """
        if self._process_outputs is None:
            return value
        return self._processed(self._process_outputs, value, "outputs")

    def chunk(self, value: Any) -> Any:
        """Return what is recorded of a value that it yielded.

        Args:
            value: What it yielded.
        """
        if self._process_chunk is None:
            return value
        return self._processed(self._process_chunk, value, "chunk")

    def reduced(self, yielded: list[Any]) -> Any:
        """Return what is recorded of all the values that it yielded.

        Args:
            yielded: What it yielded, and what it returned, if that is anything.
        """
        if self._reduce is None or not yielded:
            return self.outputs(yielded)
        try:
            return self.outputs(self._reduce(yielded))
        except Exception:
            logger.warning("reduce_fn of %s failed", self.settings.name, exc_info=True)
            return self.outputs(yielded)

    def _processed(self, process: Process, value: Any, what: str) -> Any:
        """Process a value. One that can't be is not recorded: it may hold what must not be."""
        try:
            return process(value)
        except Exception as error:
            logger.warning("process_%s of %s failed", what, self.settings.name, exc_info=True)
            return {"error": f"{what} left out: process_{what} raised {type(error).__name__}"}
