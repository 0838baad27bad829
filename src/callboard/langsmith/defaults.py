"""Metadata that a tracer has for all of its runs, and which value counts where several are told.

A run's own metadata counts more than its tracer's, and an outer tracer's more than that of one
inside it: whoever runs the whole says what it is. Where a key tells who runs what, the nearest
value counts instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from callboard.tracing.run import Run

__all__ = ["NEAREST_WINS", "fill_in_metadata", "with_defaults"]

NEAREST_WINS = frozenset({"ls_agent_type"})
"""The keys for which the nearest surrounding tracer's value counts."""


def with_defaults(
    held: Mapping[str, Any] | None, more: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """Return a tracer's metadata, completed by that of a call inside it; None if there is none.

    Args:
        held: The tracer's.
        more: The call's.
    """
    if held is None or more is None:
        one = more if held is None else held
        return None if one is None else dict(one)
    nearest = {key: value for key, value in more.items() if key in NEAREST_WINS}
    return {**more, **held, **nearest}


def fill_in_metadata(run: Run, defaults: Mapping[str, Any] | None) -> None:
    """Give a run its tracer's metadata, for keys that it has no value for.

    A dictionary that others may hold is not changed: the run gets one of its own, if need be.

    Args:
        run: The run.
        defaults: The tracer's metadata, if it has any.
    """
    if not defaults:
        return
    metadata = run.metadata
    missing = {
        key: value
        for key, value in defaults.items()
        if key not in metadata or (key in NEAREST_WINS and metadata[key] != value)
    }
    if missing:
        run.extra["metadata"] = {**metadata, **missing}
