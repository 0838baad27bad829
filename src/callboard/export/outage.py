"""Outages: whether a sink takes anything, and when it is tried again if it does not."""

from __future__ import annotations

import logging

from callboard.errors import KeyRefusedError, SinkUnavailableError
from callboard.export.notices import Notices
from callboard.export.pace import Pace

__all__ = ["PATIENCE", "Outage", "Trouble"]

PATIENCE = 2
"""How many failures in a row are taken for chance."""
_REFUSED_PAUSE = 30.0
"""Seconds: a key that was refused is not tried again earlier."""

Trouble = SinkUnavailableError | KeyRefusedError
"""What a sink raises that may take the same later."""


class Outage:
    """How long a sink has failed, and how long it is left alone.

    Attributes:
        failures: How many there were in a row; 0 if there is no outage.
        not_before: When the sink may be tried again, by the pace's clock.
    """

    def __init__(self, pace: Pace, notices: Notices, whither: str) -> None:
        """Begin without one.

        Args:
            pace: How fast things go.
            notices: Tells of it, once each time.
            whither: Where operations wait meanwhile, for the log.
        """
        self._pace = pace
        self._notices = notices
        self._whither = whither
        self.failures = 0
        self.not_before = 0.0

    @property
    def is_over(self) -> bool:
        """Whether the sink has taken what it was last given."""
        return not self.failures

    def allows(self, now: float) -> bool:
        """Whether the sink may be tried now."""
        return now >= self.not_before

    def wait(self) -> None:
        """Leave the sink alone for a while, for another reason than its failure."""
        self.not_before = self._pace.now() + self._pace.backoff.seconds(PATIENCE)

    def forgive(self) -> None:
        """Let the sink be tried at once: what it failed over may have been to blame."""
        self.not_before = 0.0

    def failed(self, error: Trouble) -> None:
        """Say that the sink has failed.

        Args:
            error: What it raised.
        """
        self.failures += 1
        asked: float | None
        if isinstance(error, KeyRefusedError):
            self.failures = max(self.failures, PATIENCE)
            asked, level = _REFUSED_PAUSE, logging.ERROR
        else:
            asked, level = error.retry_after, logging.WARNING
        # Sending may have taken its time: the pause begins now.
        self.not_before = self._pace.now() + self._pace.backoff.seconds(self.failures, asked)
        self._notices.once(
            type(error).__name__,
            "%s Operations %s until it takes them. This is said once in each outage.",
            error,
            self._whither,
            level=level,
        )

    def recovered(self) -> bool:
        """Say that the sink has taken something.

        Returns:
            Whether there was an outage, which is over now.
        """
        if self.is_over:
            return False
        self.failures = 0
        self.not_before = 0.0
        for kind in (SinkUnavailableError, KeyRefusedError):
            self._notices.forget(kind.__name__)
        return True
