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
from callboard.export.sinks.base import Sink
from callboard.wire.operations import Operation

__all__ = ["Settle", "deliver"]

Settle: TypeAlias = Callable[[Fate, int], None]
"""Says what became of a consignment's first operations, and strikes them off."""


def deliver(consignment: Consignment, sink: Sink, settle: Settle, notices: Notices) -> None:
    """Send a consignment.

    What is too large is sent in halves, down to single operations; one that is too large on
    its own is sent without its attachments, and dropped if that does not help.

    Args:
        consignment: What to send; its groups are what is left of it, at any moment.
        sink: Where to.
        settle: Told of each group.
        notices: Tells what is dropped, and why.

    Raises:
        SinkUnavailableError: The sink can't take the rest now.
        KeyRefusedError: The sink does not take the rest with its key.
    """
    while consignment.groups:
        group = consignment.groups[0]
        try:
            sink.send(group)
        except BatchTooLargeError as error:
            if not _made_lighter(consignment, notices, error):
                settle(Fate.DROPPED, 1)
        except BatchRejectedError as error:
            notices.once(
                f"rejected: {error}",
                "%s This is said once; the counters tell how many operations were dropped.",
                error,
                level=logging.ERROR,
            )
            settle(Fate.DROPPED, len(group))
        except (SinkUnavailableError, KeyRefusedError):
            raise
        except Exception as error:
            notices.once("bug", "%r failed, and should not: %r", sink, error, level=logging.ERROR)
            raise SinkUnavailableError(f"{sink!r} failed with {error!r}.") from error
        else:
            settle(Fate.SENT, len(group))


def _made_lighter(consignment: Consignment, notices: Notices, error: BatchTooLargeError) -> bool:
    """Make the first group smaller, if anything can be taken from it."""
    group = consignment.groups[0]
    if len(group) > 1:
        consignment.split()
        return True
    operation = group[0]
    if operation.attachments:
        notices.once(
            "attachments",
            "The attachments of %r are not sent, as with them it is too large: %s "
            "This is said once.",
            operation,
            error,
        )
        consignment.groups[0] = [_bare(operation)]
        return True
    notices.once(
        "too large",
        "%r is dropped, as it is too large on its own: %s This is said once; the counters tell "
        "how many operations were dropped.",
        operation,
        error,
        level=logging.ERROR,
    )
    return False


def _bare(operation: Operation) -> Operation:
    return Operation(operation.kind, operation.run_id, operation.head, operation.parts)
