"""What the tests of export are made of: operations, and a clock and chance that they control."""

from __future__ import annotations

from callboard import ids
from callboard.export import Exporter
from callboard.export.counters import Ledger
from callboard.export.intake import Intake
from callboard.export.live import Live
from callboard.export.pace import Pace
from callboard.export.retry import Backoff
from callboard.export.shipping import Shipping
from callboard.export.sinks.base import Limits, ProgressSink
from callboard.wire.operations import Operation, size_estimate


def operation(kind="create", size=100, **more):
    run_id = ids.new_id()
    head = {"id": str(run_id), "name": "a run"}
    return Operation(kind, run_id, head, {"inputs": {"text": "x" * size}}, **more)


def operations(count, **more):
    return [operation(**more) for _ in range(count)]


def identities(some):
    return [(each.kind, each.run_id) for each in some]


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Bench:
    """An exporter's parts without its threads: a test takes the steps."""

    def __init__(self, sink, spool=None, *, max_bytes=10**6, limits=None, linger=0.5):
        self.time = Time()
        self.sink = sink
        self.ledger = Ledger()
        limits = limits or Limits(10, 10**6)
        self.intake = Intake(
            self.ledger,
            max_bytes=max_bytes,
            mark=max_bytes // 2,
            batch_count=limits.operations,
            batch_bytes=limits.bytes,
        )
        # All of the jitter, always.
        pace = Pace(linger, Backoff(1.0, 60.0, lambda: 1.0), self.time)
        self.live = Live(lambda: None, wanted=isinstance(sink, ProgressSink))
        self.shipping = Shipping(
            self.intake, self.ledger, sink, spool, limits=limits, pace=pace, live=self.live
        )

    def submit(self, some):
        for each in some:
            self.intake.add(each, size_estimate(each))
        return some

    def settle(self, seconds=0.0):
        """Let time pass, taking the steps as they are due; return how long nothing will be."""
        end = self.time.now + seconds
        for _ in range(10_000):
            pause = self.shipping.step()
            if self.time.now + pause > end:
                pause -= end - self.time.now
                self.time.now = end
                return pause
            self.time.now += pause
        raise AssertionError("it spins")

    @property
    def counters(self):
        return self.ledger.counters


def quick_exporter(sink, **options):
    return Exporter(sink, **{"pace": Pace(0.01, Backoff(0.001, 0.01))} | options)
