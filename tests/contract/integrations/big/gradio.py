"""Gradio: the messages that its chat shows."""

from typing import Any

import gradio
import pytest

from callboard.integrations import GradioCallbackHandler
from tests.contract.integrations.platforms import Platform


def prepare() -> None:
    """There is nothing to begin, but Gradio may be too old."""
    if int(gradio.__version__.split(".")[0]) < 6:
        pytest.skip("Gradio 6 is not installed: make platforms")


def finish() -> None:
    """There is nothing to end."""


def platform(**options: Any) -> Platform:
    handler = GradioCallbackHandler(max_thoughts=10_000, **options)

    def settled() -> list[Any]:
        """What is shown of runs that have ended, and the answer once nothing runs."""
        messages = handler.messages
        is_over = not any(each.metadata.get("status") == "pending" for each in messages)
        return [
            each
            for each in messages
            if each.metadata.get("status", "done" if is_over else "pending") == "done"
        ]

    return Platform(
        handler,
        lambda: str(settled()),
        lambda: sum("status" in each.metadata for each in settled()),
    )
