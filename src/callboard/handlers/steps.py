"""The steps of chains and agents as text: what the terminal and the file handler both write."""

from __future__ import annotations

from typing import Any

from callboard.callbacks.handlers import BaseCallbackHandler
from callboard.handlers.printing import check_color, colored, run_name
from callboard.payloads import Payload, field

__all__ = ["StepsHandler"]


class StepsHandler(BaseCallbackHandler):
    """Writes chains as they start and end, agents' actions, tools' outputs, and texts.

    Where it writes to is its subclasses' affair.
    """

    def __init__(self, color: str | None = None) -> None:
        """Make a handler.

        Args:
            color: What to write agents' steps, tools' outputs and texts in: blue, yellow,
                pink, green or red.

        Raises:
            BadOptionError: There is no such colour.
        """
        self.color = check_color(color)

    def _write(self, text: str) -> None:
        raise NotImplementedError

    def _heading(self, text: str) -> str:
        """Return the text of a chain's start or end, made to stand out."""
        return text

    def on_chain_start(
        self, serialized: dict[str, Any], inputs: dict[str, Any], **kwargs: Any
    ) -> None:
        """Write the name of a chain that starts."""
        name = run_name(serialized, kwargs)
        self._write(f"\n\n{self._heading(f'> Entering new {name} chain...')}\n")

    def on_chain_end(self, outputs: dict[str, Any], **kwargs: Any) -> None:
        """Write that a chain has ended."""
        self._write(f"\n{self._heading('> Finished chain.')}\n")

    def on_agent_action(self, action: Payload, color: str | None = None, **kwargs: Any) -> None:
        """Write why an agent takes its next step."""
        self._write(colored(str(field(action, "log", "")), color or self.color))

    def on_tool_end(
        self,
        output: Any,
        color: str | None = None,
        observation_prefix: str | None = None,
        llm_prefix: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Write what a tool returned, between the prefixes of the agent's prompt."""
        before = f"\n{observation_prefix}" if observation_prefix is not None else ""
        after = f"\n{llm_prefix}" if llm_prefix is not None else ""
        self._write(before + colored(str(output), color or self.color) + after)

    def on_text(self, text: str, color: str | None = None, end: str = "", **kwargs: Any) -> None:
        """Write a text, in a colour of its own if it comes with one."""
        self._write(colored(str(text), color or self.color) + end)

    def on_agent_finish(self, finish: Payload, color: str | None = None, **kwargs: Any) -> None:
        """Write why an agent is done."""
        self._write(colored(str(field(finish, "log", "")), color or self.color) + "\n")
