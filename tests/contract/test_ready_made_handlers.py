"""What every ready-made handler keeps to: it hears each event, in either colour, without a fault.

One suite for all of them. A new handler joins it with a line.
"""

import pytest

from callboard.callbacks import (
    FileCallbackHandler,
    StdOutCallbackHandler,
    StreamingStdOutCallbackHandler,
    UsageMetadataCallbackHandler,
)
from callboard.events import EVENTS
from callboard.testing import RecordingHandler
from callboard.tracers import (
    ConsoleCallbackHandler,
    LangChainTracer,
    RunCollectorCallbackHandler,
)
from tests.unit.occasions import ahappen, happen


class Kept:
    """Where a tracer sends: a list."""

    def __init__(self):
        self.operations = []

    def submit(self, operation, *, urgent=False):
        self.operations.append(operation)

    def flush(self, timeout):
        return True


HANDLERS = {
    "stdout": lambda path: StdOutCallbackHandler(color="green"),
    "streaming": lambda path: StreamingStdOutCallbackHandler(),
    "file": lambda path: FileCallbackHandler(str(path / "log.txt")),
    "usage": lambda path: UsageMetadataCallbackHandler(),
    "recording": lambda path: RecordingHandler(),
    "collector": lambda path: RunCollectorCallbackHandler(),
    "console": lambda path: ConsoleCallbackHandler(),
    "langsmith": lambda path: LangChainTracer(destination=Kept()),
}

every_handler = pytest.mark.parametrize("make", list(HANDLERS.values()), ids=list(HANDLERS))
every_event = pytest.mark.parametrize("event", list(EVENTS))


@every_handler
@every_event
def test_it_hears_an_event_in_sync_code_without_a_fault(make, event, tmp_path, caplog):
    happen(event, make(tmp_path))
    assert not caplog.records


@every_handler
@every_event
async def test_it_hears_an_event_in_async_code_without_a_fault(make, event, tmp_path, caplog):
    await ahappen(event, make(tmp_path))
    assert not caplog.records


@every_handler
@every_event
def test_its_faults_would_be_seen(make, event, tmp_path, caplog):
    """The suite can fail: a fault in the very method that hears the event is logged."""
    handler = make(tmp_path)

    def fail(*args, **kwargs):
        raise ValueError(event)

    vars(handler)[event] = fail
    happen(event, handler)
    assert f"{type(handler).__name__}.{event} failed" in caplog.text
