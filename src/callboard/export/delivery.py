"""Delivery: a consignment handed to a sink, group by group, until it is settled or must wait."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

from callboard.errors import (
    BatchRejectedError,
    BatchTooLargeError,
    KeyRefusedError,
    SinkUnavailableError,
)
from callboard.export.consignment import Consignment
from callboard.export.counters import Fate
from callboard.export.notices import Notices
from callboard.export.quarantine import quarantine
from callboard.export.sinks.base import Sink
from callboard.export.spool.spool import Spool
from callboard.wire.operations import Operation

__all__ = ["Delivery", "Settle"]

Settle: TypeAlias = Callable[[Consignment, Fate, int], None]
"""Says what became of a consignment's first operations, and strikes them off."""

_HOPELESS = 16
"""Rejections in a row, after which no one operation is looked for any more that is to blame:
to find one among a thousand takes eleven."""


class Delivery:
    """Hands consignments to a sink, and drops what it will never take.

    Attributes:
        passes: How often the sink has taken something.
    """

    def __init__(self, sink: Sink, settle: Settle, notices: Notices, spool: Spool | None) -> None:
        """Make a delivery to a sink.

        Args:
            sink: Where to.
            settle: Told of each group.
            notices: Tells what is dropped, and why.
            spool: What is dropped is kept beside it, if it can be.
        """
        self._sink = sink
        self._settle = settle
        self._notices = notices
        self._spool = spool
        self._rejections = 0
        self.passes = 0

    def deliver(self, consignment: Consignment) -> None:
        """Send a consignment.

        What is too large is sent in halves, down to single operations; one that is too large on
        its own is sent without its attachments, and dropped if that does not help. So is what
        is rejected, as one operation may be to blame for all that came with it.

        Args:
            consignment: What to send; its groups are what is left of it, at any moment.

        Raises:
            SinkUnavailableError: The sink can't take the rest now.
            KeyRefusedError: The sink does not take the rest with its key.
        """
        while consignment.groups:
            group = consignment.groups[0]
            try:
                self._sink.send(group)
            except BatchTooLargeError as error:
                self._lighten(consignment, error)
            except BatchRejectedError as error:
                self._rejected(consignment, error)
            except (SinkUnavailableError, KeyRefusedError):
                raise
            except Exception as error:
                raise self._bug(error) from error
            else:
                self.passes += 1
                self._rejections = 0
                self._settle(consignment, Fate.SENT, len(group))

    def drop(self, consignment: Consignment, notice: str, why: str) -> None:
        """Drop the first group of a consignment.

        Args:
            consignment: Which.
            notice: What the notice is about: it is given once for each of these.
            why: A sentence, for the log.
        """
        group = consignment.groups[0]
        whither = quarantine(group, self._spool)
        self._notices.once(
            notice,
            "%s %s This is said once; the counters tell how many operations were dropped.",
            why,
            whither,
            level=logging.ERROR,
        )
        self._settle(consignment, Fate.DROPPED, len(group))

    def _rejected(self, consignment: Consignment, error: BatchRejectedError) -> None:
        self._rejections += 1
        if len(consignment.groups[0]) > 1 and self._rejections <= _HOPELESS:
            consignment.split()
        else:
            self.drop(consignment, f"rejected: {error}", str(error))

    def _lighten(self, consignment: Consignment, error: BatchTooLargeError) -> None:
        """Make the first group smaller, and drop it if nothing can be taken from it."""
        group = consignment.groups[0]
        if len(group) > 1:
            consignment.split()
            return
        operation = group[0]
        if not operation.attachments:
            why = f"{operation!r} is dropped, as it is too large on its own: {error}"
            self.drop(consignment, "too large", why)
            return
        self._notices.once(
            "attachments",
            "The attachments of %r are not sent, as with them it is too large: %s "
            "This is said once.",
            operation,
            error,
        )
        consignment.groups[0] = [_bare(operation)]

    def _bug(self, error: Exception) -> SinkUnavailableError:
        sink = self._sink
        self._notices.once("bug", "%r failed, and should not: %r", sink, error, level=logging.ERROR)
        return SinkUnavailableError(f"{sink!r} failed with {error!r}.", suspicious=True)


def _bare(operation: Operation) -> Operation:
    return Operation(operation.kind, operation.run_id, operation.head, operation.parts)
