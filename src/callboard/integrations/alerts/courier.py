"""The courier: takes alerts to a channel, in order, from a thread of its own.

The thread is there while there is something to send. What can't be sent is tried again a few
times, by backoff and as the channel asks, and then lost; so is what waits longest, when there is
no room. What is lost is counted, and logged once in each outage.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from dataclasses import dataclass, replace
from time import sleep

from callboard.errors import AlertNotTakenError
from callboard.export import lifecycle
from callboard.export.notices import Notices
from callboard.export.pace import Pace
from callboard.export.worker import Worker
from callboard.integrations.alerts.alert import Alert
from callboard.integrations.alerts.channels import Channel
from callboard.integrations.alerts.links import Link, link_to

__all__ = ["Courier", "Deliveries"]

logger = logging.getLogger(__name__)

_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Deliveries:
    """What became of the alerts that were to be sent to a channel.

    Attributes:
        sent: How many were taken.
        lost: How many were not, and won't be.
        waiting: How many are under way.
    """

    sent: int = 0
    lost: int = 0
    waiting: int = 0


class Courier:
    """Takes alerts to a channel. Never makes the application wait.

    Attributes:
        exit_timeout: How many seconds the end of the program may be delayed.
    """

    def __init__(
        self,
        channel: Channel,
        *,
        link: Link | None = None,
        max_waiting: int = 100,
        exit_timeout: float = 5.0,
        pace: Pace | None = None,
    ) -> None:
        """Make a courier that has nothing to do.

        Args:
            channel: Where to.
            link: Where an alert's example can be looked at.
            max_waiting: How many alerts may wait.
            exit_timeout: How many seconds the end of the program may be delayed.
            pace: For tests: a clock and chance of their own.
        """
        self._channel = channel
        self._link = link
        self._max_waiting = max_waiting
        self.exit_timeout = exit_timeout
        self._pace = pace or Pace()
        self._is_closed = False
        self._begin()

    def _begin(self) -> None:
        self._waiting: deque[Alert] = deque()
        self._held: Alert | None = None
        self._failures = 0
        self._not_before = 0.0
        self._put = self._sent = self._lost = 0
        # Reentrant: the garbage collector may end a run, in the middle of anything.
        self._lock = threading.RLock()
        self._settled = threading.Condition(self._lock)
        self._worker: Worker | None = None
        self._is_registered = False
        self._displaced: Alert | None = None
        self._notices = Notices(logger)

    @property
    def deliveries(self) -> Deliveries:
        """What became of the alerts so far."""
        with self._lock:
            return Deliveries(self._sent, self._lost, self._put - self._sent - self._lost)

    # In the application's thread.

    def put(self, alert: Alert) -> None:
        """Take an alert, to be sent soon. Never waits."""
        with self._lock:
            self._put += 1
            if self._is_closed:
                self._lose(1)
                return
            if len(self._waiting) >= self._max_waiting:
                self._displaced = self._waiting.popleft()
                self._lose(1)
            self._waiting.append(alert)
            if self._worker is None:
                self._start()

    def _start(self) -> None:
        if not self._is_registered:
            self._is_registered = True
            lifecycle.started(self)
        # Before it starts: the garbage collector may put another alert meanwhile.
        self._worker = Worker("callboard-alerts", self.step, self._is_done)
        if not self._worker.start():
            self._worker = None  # The process is about to end, and that sends.

    def flush(self, timeout: float) -> bool:
        """Wait until what was put before is sent or lost.

        Args:
            timeout: How long at the most, in seconds.

        Returns:
            Whether it is.
        """
        with self._settled:
            put = self._put
            if self._worker is not None and self._worker.is_here:
                timeout = 0  # It can't wait for itself.
            return self._settled.wait_for(lambda: self._sent + self._lost >= put, timeout)

    # In the thread of its own.

    def _is_done(self) -> bool:
        with self._lock:
            if self._held is None and not self._waiting:
                self._worker = None
                return True
            return False

    def step(self) -> float:
        """Send an alert, if it is time; return in how many seconds there is more to do."""
        alert = self._next()
        if alert is None:
            return 0.0
        pause = self._not_before - self._pace.now()
        if pause > 0:
            return pause
        try:
            self._channel.send(self._linked(alert))
        except AlertNotTakenError as error:
            self._failed(alert, error)
        except Exception as error:  # noqa: BLE001 - a channel of somebody's own
            what = f"{self._channel!r} raised {type(error).__qualname__}"
            self._failed(alert, AlertNotTakenError(what))
        else:
            self._taken(alert)
        return 0.0

    def _next(self) -> Alert | None:
        displaced, self._displaced = self._displaced, None
        if displaced is not None:
            self._tell_of_loss(displaced, f"{self._max_waiting} wait already")
        with self._lock:
            if self._held is None and self._waiting:
                self._held = self._waiting.popleft()
            return self._held

    def _linked(self, alert: Alert) -> Alert:
        if self._link is None or alert.example is None:
            return alert
        return replace(alert, link=link_to(self._link, alert.example, self._notices))

    def _taken(self, alert: Alert) -> None:
        with self._settled:
            if self._held is alert:
                self._held = None
                self._failures = 0
                self._sent += 1
                self._notices.forget("lost")
                self._settled.notify_all()

    def _failed(self, alert: Alert, error: AlertNotTakenError) -> None:
        self._failures += 1
        if not error.is_final:
            pause = self._pace.backoff.seconds(self._failures, error.retry_after)
            self._not_before = self._pace.now() + pause
        if error.is_final or self._failures >= _ATTEMPTS:
            self._tell_of_loss(alert, str(error))
            with self._settled:
                if self._held is alert:
                    self._held = None
                    self._failures = 0
                    self._lose(1)

    def _lose(self, count: int) -> None:
        self._lost += count
        self._settled.notify_all()

    def _tell_of_loss(self, alert: Alert, why: str) -> None:
        # Not in the application's thread, nor with the lock: what logs may have locks of its own.
        self._notices.once(
            "lost",
            "An alert for %r is lost (%s): %s This is said once in each outage.",
            self._channel,
            why,
            alert.text,
            level=logging.ERROR,
        )

    # At the end.

    def close_intake(self) -> None:
        """Take no more."""
        self._is_closed = True

    def shutdown(self, timeout: float | None = None) -> bool:
        """Send what is left; what can't be sent in time is lost.

        Args:
            timeout: How long at the most, in seconds; None: `exit_timeout`.

        Returns:
            Whether nothing was lost that was there.
        """
        self.close_intake()
        timeout = self.exit_timeout if timeout is None else timeout
        lost = self._lost
        worker = self._worker
        is_here = worker is not None and worker.is_here  # A function closes what called it.
        if worker is None:
            self._drain(timeout)
        elif not is_here:
            self.flush(timeout)
            worker.stop()
        self._give_up(keeps_held=is_here)
        lifecycle.ended(self)
        return self._lost == lost

    def _drain(self, timeout: float) -> None:
        """Take the steps here, where no thread can be started that would: at the very end."""
        deadline = self._pace.now() + timeout
        while not self._is_done() and (left := deadline - self._pace.now()) > 0:
            sleep(max(0.0, min(self.step(), left)))

    def _give_up(self, *, keeps_held: bool) -> None:
        with self._lock:
            left = list(self._waiting)
            self._waiting.clear()
            if self._held is not None and not keeps_held:
                left.insert(0, self._held)
                self._held = None
            self._lose(len(left))
        if left:
            self._tell_of_loss(left[0], "it was not taken before the end")

    def after_fork(self) -> None:
        """Begin anew, in the child of a fork: what waits is the parent's to send."""
        self._begin()
