"""What `callboard.testing` gives to the tests of applications."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, assert_type
from uuid import UUID

from callboard.callbacks import CallbackManager
from callboard.ids import uuid7
from callboard.testing import (
    CountingIds,
    Heard,
    RecordingHandler,
    StepClock,
    clock_from,
    ids_from,
)


def recorded() -> None:
    """Record what is heard."""
    recorder = RecordingHandler(run_inline=False)
    CallbackManager([recorder]).on_chain_start(None, {})
    assert_type(recorder.heard, list[Heard])
    assert_type(recorder.events, list[str])
    assert_type(recorder.tree(), str)
    first = recorder.heard[0]
    assert_type(first.event, str)
    assert_type(first.args, tuple[Any, ...])
    assert_type(first.kwargs, dict[str, Any])
    assert_type(first.run_id, UUID)
    assert_type(first.time, datetime)
    first.event = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    RecordingHandler(False)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def controlled() -> None:
    """Control ids and time."""
    with ids_from(CountingIds(start=5)), clock_from(StepClock(step=timedelta(minutes=1))):
        assert_type(uuid7(), UUID)
    assert_type(CountingIds()(), UUID)
    assert_type(StepClock(datetime(2025, 1, 1, tzinfo=UTC))(), datetime)
    ids_from(CountingIds)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ids_from(lambda: "x")  # type: ignore[arg-type, return-value]  # pyright: ignore[reportArgumentType]
    clock_from(uuid7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    CountingIds("x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    StepClock(step=1)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
