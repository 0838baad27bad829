"""Telling: what running models say, sent at intervals where the sink takes it."""

from __future__ import annotations

from math import isinf

from callboard.export.bell import FOREVER
from callboard.export.live import Live
from callboard.export.pace import Pace
from callboard.export.sinks.base import ProgressSink, Sink

__all__ = ["Telling"]


class Telling:
    """Sends text of running models, once in an interval, or drops it."""

    def __init__(self, live: Live, sink: Sink, pace: Pace) -> None:
        """Make the steps; none is taken yet.

        Args:
            live: What they say.
            sink: Where it goes, if that takes it.
            pace: How fast things go.
        """
        self._live = live
        self._sink = sink if isinstance(sink, ProgressSink) else None
        self._pace = pace
        self._failures = 0
        self._next_at = 0.0
        self._not_before = 0.0

    def step(self, *, pressed: bool) -> float:
        """Send what there is, if it is time.

        Args:
            pressed: Whether there are more important things to do: then it is dropped.

        Returns:
            In how many seconds there will be more to do, if nothing happens before.
        """
        live, sink = self._live, self._sink
        if sink is None or not live.wanted:
            return FOREVER
        interval = sink.progress_interval()
        if interval is not None and isinf(interval):
            live.stop()
            return FOREVER
        if not live.waits or (interval is None and not pressed):
            return FOREVER
        now = self._pace.now()
        if now < self._next_at:
            return self._next_at - now
        self._next_at = now + (interval or 0.1)
        if pressed or interval is None or now < self._not_before:
            live.drop()
        else:
            self._send(sink)
        return self._next_at - now

    def _send(self, sink: ProgressSink) -> None:
        pieces = self._live.take()
        if not pieces:
            return
        try:
            sink.send_progress(pieces)
        except Exception:  # noqa: BLE001 - it is for looking on; what matters is sent otherwise
            self._failures += 1
            self._not_before = self._pace.now() + self._pace.backoff.seconds(self._failures)
            self._live.settle(len(pieces), were_sent=False)
        else:
            self._failures = 0
            self._live.settle(len(pieces), were_sent=True)
